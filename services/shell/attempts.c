/*
 * attempts.c - the attempts file; its format is in attempts.h.
 */
#include "shell/attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
        HEAD_BYTES = 8 + DOOR_HASH_BYTES + 4 + 2,
        FILE_BYTES_MAX = HEAD_BYTES + DOOR_ATTEMPTS_NOTE_BYTES_MAX + DOOR_HASH_BYTES,
        PATH_BYTES_MAX = 4096,
};

static const char magic[] = "DOORATT1";

door_hash door_attempts_digest(const door_standing *standing)
{
        uint8_t storage[8 + DOOR_UPSTREAMS_MAX * 12];
        door_writer writer = door_writer_on(storage, sizeof storage);

        DOOR_REQUIRE(standing->cursors_count <= DOOR_UPSTREAMS_MAX);
        door_write_u64(&writer, standing->head);
        for (size_t i = 0; i < standing->cursors_count; i++) {
                door_write_u32(&writer, standing->cursors[i].log);
                door_write_u64(&writer, standing->cursors[i].seq);
        }
        return door_hash_of_one(door_written(&writer));
}

static door_status attempts_decode(door_bytes file, door_attempts *ret_attempts)
{
        if (file.len < HEAD_BYTES + DOOR_HASH_BYTES) {
                return DOOR_CORRUPT;
        }
        const door_bytes body = { file.data, file.len - DOOR_HASH_BYTES };
        const door_hash digest = door_hash_of_one(body);
        door_cursor_in in = door_reading(body);
        door_attempts read = { 0 };

        if (memcmp(digest.bytes, file.data + body.len, DOOR_HASH_BYTES) != 0 ||
            !door_bytes_equal(door_read(&in, sizeof magic - 1), door_bytes_of(magic))) {
                return DOOR_CORRUPT;
        }
        memcpy(read.cursors.bytes, door_read(&in, DOOR_HASH_BYTES).data, DOOR_HASH_BYTES);
        read.starts = door_read_u32(&in);
        const door_bytes note = door_read_sized(&in);
        if (!door_read_done(&in) || note.len > sizeof read.note) {
                return DOOR_CORRUPT;
        }
        memcpy(read.note, note.data, note.len);
        read.note_len = note.len;
        *ret_attempts = read;
        return DOOR_OK;
}

door_status door_attempts_read(const char *path, door_attempts *ret_attempts)
{
        uint8_t file[FILE_BYTES_MAX + 1];
        size_t length = 0;
        ssize_t got = 1;
        const int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (fd < 0) {
                return errno == ENOENT ? DOOR_NOT_FOUND : DOOR_IO;
        }
        while (got > 0 && length < sizeof file) {
                do {
                        got = read(fd, file + length, sizeof file - length);
                } while (got < 0 && errno == EINTR);
                length += got > 0 ? (size_t)got : 0;
        }
        (void)close(fd);
        if (got < 0) {
                return DOOR_IO;
        }
        return length > FILE_BYTES_MAX ? DOOR_CORRUPT
                                       : attempts_decode((door_bytes){ file, length }, ret_attempts);
}

door_status door_attempts_write(const char *path, const door_attempts *attempts)
{
        uint8_t storage[FILE_BYTES_MAX];
        char before[PATH_BYTES_MAX];
        door_writer writer = door_writer_on(storage, sizeof storage);
        const int printed = snprintf(before, sizeof before, "%s.new", path);

        DOOR_REQUIRE(attempts->note_len <= sizeof attempts->note);
        if (printed < 0 || (size_t)printed >= sizeof before) {
                return DOOR_IO;
        }
        door_write(&writer, door_bytes_of(magic));
        door_write(&writer, door_hash_bytes(&attempts->cursors));
        door_write_u32(&writer, attempts->starts);
        door_write_sized(&writer, (door_bytes){ attempts->note, attempts->note_len });
        const door_hash digest = door_hash_of_one(door_written(&writer));
        door_write(&writer, door_hash_bytes(&digest));
        const door_bytes file = door_written(&writer);

        const int fd = open(before, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) {
                return DOOR_IO;
        }
        ssize_t put;
        do {
                put = write(fd, file.data, file.len);
        } while (put < 0 && errno == EINTR);
        const bool whole = put == (ssize_t)file.len;
        if (close(fd) != 0 || !whole || rename(before, path) != 0) {
                (void)unlink(before);
                return DOOR_IO;
        }
        return DOOR_OK;
}

void door_attempts_forget(const char *path)
{
        (void)unlink(path);
}
