/*
 * anchor.c - the anchor file.
 *
 * Format, version 1: 96 bytes, big-endian.
 *
 *      offset  bytes  meaning
 *           0      8  magic "FDANCHR1"; the last character is the version
 *           8     16  log id
 *          24      8  seq
 *          32     32  H(seq)
 *          64     32  BLAKE2b of bytes 0..63
 *
 * Valid when 1. the file has exactly 96 bytes, 2. the magic is right, 3. the digest fits.
 * A reader that finds any of them broken reports DOOR_CORRUPT and the number; nothing is
 * guessed from a damaged anchor, because a wrong one would either bless a loss or refuse a
 * whole log.
 *
 * Writing: "<path>.new" is written and synced, renamed over <path>, and the folder is synced.
 * Without the first sync a power cut leaves an empty file under the final name; without the
 * second it may bring back the former anchor, which is merely older and therefore harmless for
 * one turn, but an anchor that never advances would hide a growing loss.
 */
#include "shell/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
        ANCHOR_BYTES = 96,
        ANCHOR_DIGESTED_BYTES = 64,
        MAGIC_BYTES = 8,
};

static const uint8_t magic[MAGIC_BYTES] = { 'F', 'D', 'A', 'N', 'C', 'H', 'R', '1' };

static void anchor_encode(const door_anchor *anchor, uint8_t out[ANCHOR_BYTES])
{
        door_writer w = door_writer_on(out, ANCHOR_BYTES);

        door_write(&w, (door_bytes){ magic, MAGIC_BYTES });
        door_write(&w, (door_bytes){ anchor->log_id, sizeof anchor->log_id });
        door_write_u64(&w, anchor->seq);
        door_write(&w, door_hash_bytes(&anchor->hash));

        const door_hash digest = door_hash_of_one(door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        DOOR_REQUIRE(w.ok && w.len == ANCHOR_BYTES);
}

static door_status anchor_decode(const uint8_t in[ANCHOR_BYTES], door_anchor *ret_anchor, door_error *error)
{
        if (memcmp(in, magic, MAGIC_BYTES) != 0) {
                return door_error_set(error, DOOR_CORRUPT,
                                      "CORRUPT: anchor: condition 2, not an anchor file");
        }
        const door_hash digest = door_hash_of_one((door_bytes){ in, ANCHOR_DIGESTED_BYTES });
        if (memcmp(digest.bytes, in + ANCHOR_DIGESTED_BYTES, DOOR_HASH_BYTES) != 0) {
                return door_error_set(error, DOOR_CORRUPT,
                                      "CORRUPT: anchor: condition 3, digest does not fit");
        }
        memcpy(ret_anchor->log_id, in + 8, sizeof ret_anchor->log_id);
        ret_anchor->seq = door_get_u64(in + 24);
        memcpy(ret_anchor->hash.bytes, in + 32, DOOR_HASH_BYTES);
        return DOOR_OK;
}

static door_status io_failed(door_error *error, const char *what, int system_error)
{
        return door_error_set(error, DOOR_IO, "IO: anchor: %s: %s", what, strerror(system_error));
}

/* Writes all of it; false with errno set otherwise. */
static bool write_all(int fd, const uint8_t *data, size_t len)
{
        size_t done = 0;

        while (done < len) {
                const ssize_t n = write(fd, data + done, len - done);
                if (n < 0 && errno == EINTR) {
                        continue;
                }
                if (n <= 0) {
                        return false;
                }
                done += (size_t)n;
        }
        return true;
}

/* The folder a path lies in; path fits PATH_MAX. */
static void folder_of(const char *path, char out[PATH_MAX])
{
        const char *slash = strrchr(path, '/');

        if (slash == NULL) {
                (void)strcpy(out, ".");
                return;
        }
        const size_t len = slash == path ? 1 : (size_t)(slash - path);
        memcpy(out, path, len);
        out[len] = '\0';
}

static door_status folder_sync(const char *path, door_error *error)
{
        char folder[PATH_MAX];
        door_status status = DOOR_OK;

        folder_of(path, folder);
        const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
                return io_failed(error, "open folder", errno);
        }
        if (fsync(fd) != 0) {
                status = io_failed(error, "sync folder", errno);
        }
        (void)close(fd);
        return status;
}

door_status door_anchor_write(const char *path, const door_anchor *anchor, door_error *reterr_error)
{
        uint8_t bytes[ANCHOR_BYTES];
        char fresh[PATH_MAX];
        const int length = snprintf(fresh, sizeof fresh, "%s.new", path);

        if (length < 0 || (size_t)length >= sizeof fresh) {
                return door_error_set(reterr_error, DOOR_INVALID, "INVALID: anchor: path too long");
        }
        anchor_encode(anchor, bytes);

        const int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        if (fd < 0) {
                return io_failed(reterr_error, "open", errno);
        }
        if (!write_all(fd, bytes, sizeof bytes)) {
                const int system_error = errno;
                (void)close(fd);
                return io_failed(reterr_error, "write", system_error);
        }
        if (fsync(fd) != 0) {
                const int system_error = errno;
                (void)close(fd);
                return io_failed(reterr_error, "sync", system_error);
        }
        if (close(fd) != 0) {
                return io_failed(reterr_error, "close", errno);
        }
        if (rename(fresh, path) != 0) {
                return io_failed(reterr_error, "rename", errno);
        }
        return folder_sync(path, reterr_error);
}

door_status door_anchor_read(const char *path, door_anchor *ret_anchor, door_error *reterr_error)
{
        uint8_t bytes[ANCHOR_BYTES + 1]; /* One more than it may have, to notice a longer file. */
        size_t len = 0;

        const int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                return errno == ENOENT ? door_error_set(reterr_error, DOOR_NOT_FOUND,
                                                        "NOT_FOUND: anchor: no such file")
                                       : io_failed(reterr_error, "open", errno);
        }
        while (len < sizeof bytes) {
                const ssize_t n = read(fd, bytes + len, sizeof bytes - len);
                if (n < 0 && errno == EINTR) {
                        continue;
                }
                if (n < 0) {
                        const int system_error = errno;
                        (void)close(fd);
                        return io_failed(reterr_error, "read", system_error);
                }
                if (n == 0) {
                        break;
                }
                len += (size_t)n;
        }
        (void)close(fd);
        if (len != ANCHOR_BYTES) {
                return door_error_set(reterr_error, DOOR_CORRUPT,
                                      "CORRUPT: anchor: condition 1, not %d bytes", ANCHOR_BYTES);
        }
        return anchor_decode(bytes, ret_anchor, reterr_error);
}

door_anchor door_anchor_of(const door_standing *standing)
{
        door_anchor anchor = { .seq = standing->head, .hash = standing->head_hash };

        memcpy(anchor.log_id, standing->log_id, sizeof anchor.log_id);
        return anchor;
}

door_status door_anchor_accept(const char *path, const door_standing *standing, door_anchor *ret_former,
                               bool *ret_readable, door_error *reterr_error)
{
        door_anchor former;
        const bool readable = door_anchor_read(path, &former, NULL) == DOOR_OK;
        const door_anchor anchor = door_anchor_of(standing);
        const door_status status = door_anchor_write(path, &anchor, reterr_error);

        if (status != DOOR_OK) {
                return status;
        }
        if (readable) {
                *ret_former = former;
        }
        *ret_readable = readable;
        return DOOR_OK;
}
