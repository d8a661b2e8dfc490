/*
 * test_attempts.c - the attempts file: read back as written, and nothing believed of a damaged one.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/attempts.h"

typedef struct place {
        char folder[64];
        char path[128];
} place;

static int place_set_up(void **state)
{
        place *p = calloc(1, sizeof *p);

        DOOR_REQUIRE(p != NULL);
        (void)snprintf(p->folder, sizeof p->folder, "/tmp/door-attempts-XXXXXX");
        DOOR_REQUIRE(mkdtemp(p->folder) != NULL);
        (void)snprintf(p->path, sizeof p->path, "%s/intake", p->folder);
        *state = p;
        return 0;
}

static int place_tear_down(void **state)
{
        place *p = *state;

        door_attempts_forget(p->path);
        /* Empty: no "<path>.new" stayed. */
        const int removed = rmdir(p->folder);
        free(p);
        return removed;
}

static door_attempts sample(void)
{
        door_attempts a = { .starts = 0x01020304, .note_len = DOOR_ATTEMPTS_NOTE_BYTES_MAX };

        memset(a.cursors.bytes, 0x5a, DOOR_HASH_BYTES);
        for (size_t i = 0; i < a.note_len; i++) {
                a.note[i] = (uint8_t)i;
        }
        return a;
}

static void what_was_written_is_read_back_and_replaced(void **state)
{
        const place *p = *state;
        const door_attempts written = sample();
        door_attempts read;
        struct stat about;

        assert_int_equal(door_attempts_read(p->path, &read), DOOR_NOT_FOUND);
        assert_int_equal(door_attempts_write(p->path, &written), DOOR_OK);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_OK);
        assert_int_equal(read.starts, written.starts);
        assert_true(door_hash_equal(&read.cursors, &written.cursors));
        assert_int_equal(read.note_len, written.note_len);
        assert_memory_equal(read.note, written.note, written.note_len);
        assert_int_equal(stat(p->path, &about), 0);
        assert_int_equal(about.st_mode & 0777, 0600);
        assert_int_equal(about.st_size, 46 + DOOR_ATTEMPTS_NOTE_BYTES_MAX + DOOR_HASH_BYTES);

        const door_attempts empty = { .starts = 7 };
        assert_int_equal(door_attempts_write(p->path, &empty), DOOR_OK);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_OK);
        assert_int_equal(read.starts, 7);
        assert_int_equal(read.note_len, 0);
        door_attempts_forget(p->path);
        door_attempts_forget(p->path);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_NOT_FOUND);
        assert_int_equal(door_attempts_write("/nowhere/at/all", &empty), DOOR_IO);
        assert_int_equal(door_attempts_read(p->folder, &read), DOOR_IO);
}

static void file_put(const char *path, const uint8_t *bytes, size_t length)
{
        const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        assert_true(fd >= 0);
        assert_int_equal(write(fd, bytes, length), length);
        (void)close(fd);
}

static void every_damage_is_noticed(void **state)
{
        const place *p = *state;
        door_attempts written = sample();
        door_attempts read = { .starts = 99 };
        uint8_t bytes[2048];

        written.note_len = 5;
        assert_int_equal(door_attempts_write(p->path, &written), DOOR_OK);
        const int fd = open(p->path, O_RDONLY);
        const size_t length = (size_t)pread(fd, bytes, sizeof bytes, 0);
        (void)close(fd);
        assert_int_equal(length, 46 + 5 + 32);
        for (size_t i = 0; i < length; i++) {
                bytes[i] ^= 0x40;
                file_put(p->path, bytes, length);
                assert_int_equal(door_attempts_read(p->path, &read), DOOR_CORRUPT);
                bytes[i] ^= 0x40;
        }
        for (size_t cut = 0; cut < length; cut++) {
                file_put(p->path, bytes, cut);
                assert_int_equal(door_attempts_read(p->path, &read), DOOR_CORRUPT);
        }
        memset(bytes + length, 0, sizeof bytes - length);
        file_put(p->path, bytes, length + 1);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_CORRUPT);
        file_put(p->path, bytes, sizeof bytes);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_CORRUPT);
        assert_int_equal(read.starts, 99);
        file_put(p->path, bytes, length);
        assert_int_equal(door_attempts_read(p->path, &read), DOOR_OK);
}

static void a_whole_file_of_another_kind_or_with_a_wrong_length_is_refused(void **state)
{
        const place *p = *state;
        door_attempts read;
        uint8_t bytes[46 + 2 + 32];

        for (int variant = 0; variant < 4; variant++) {
                /* A right digest each time, so that only the content is wrong. */
                memset(bytes, 0, sizeof bytes);
                memcpy(bytes, variant == 1 ? "DOORATT2" : "DOORATT1", 8);
                bytes[45] = variant == 2 ? 1 : variant == 3 ? 3 : 2;
                const door_hash digest = door_hash_of_one((door_bytes){ bytes, 48 });
                memcpy(bytes + 48, digest.bytes, 32);
                file_put(p->path, bytes, sizeof bytes);
                assert_int_equal(door_attempts_read(p->path, &read), variant == 0 ? DOOR_OK : DOOR_CORRUPT);
        }
}

static void another_place_has_another_digest(void **state)
{
        door_standing standing = { .head = 7,
                                   .cursors_count = 2,
                                   .cursors = { { .log = 1, .seq = 5 }, { .log = 3, .seq = 9 } } };

        (void)state;
        const door_hash here = door_attempts_digest(&standing);
        const door_hash again = door_attempts_digest(&standing);
        assert_true(door_hash_equal(&here, &again));
        standing.cursors[1].hash.bytes[0] = 1; /* Not what tells places apart. */
        const door_hash same = door_attempts_digest(&standing);
        assert_true(door_hash_equal(&here, &same));
        standing.cursors[1].seq = 10;
        const door_hash later = door_attempts_digest(&standing);
        assert_false(door_hash_equal(&here, &later));
        standing.cursors[1].seq = 9;
        standing.cursors[0].log = 2;
        const door_hash other = door_attempts_digest(&standing);
        assert_false(door_hash_equal(&here, &other));
        standing.cursors_count = 1;
        const door_hash fewer = door_attempts_digest(&standing);
        assert_false(door_hash_equal(&other, &fewer));
}

static void a_service_without_upstreams_stands_where_its_head_is(void **state)
{
        door_standing standing = { .head = 7 };

        (void)state;
        const door_hash here = door_attempts_digest(&standing);
        standing.head = 8;
        const door_hash later = door_attempts_digest(&standing);
        assert_false(door_hash_equal(&here, &later));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(what_was_written_is_read_back_and_replaced),
                TEST(every_damage_is_noticed),
                TEST(a_whole_file_of_another_kind_or_with_a_wrong_length_is_refused),
                cmocka_unit_test(another_place_has_another_digest),
                cmocka_unit_test(a_service_without_upstreams_stands_where_its_head_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
