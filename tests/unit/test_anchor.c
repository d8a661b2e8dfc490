/*
 * Goal: an anchor is read exactly as written or refused by the condition it breaks, and writing
 * is durable and whole.
 * Method: every single bit of a file is flipped and every shorter or longer file tried; the
 * system calls of a write are recorded (linker option --wrap) and each is made to fail in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/anchor.h"
#include "support/folder.h"

enum { ANCHOR_BYTES = 96, CALLS_MAX = 32 };

/* ---- What anchor.c asks of the system ----------------------------------------------------- */

/* One letter per call: o open, w write, s fsync of a file, S fsync of a folder, c close, r rename. */
static struct {
        char calls[CALLS_MAX];
        size_t count;
        size_t fail_at;    /* 1: the first call fails; 0: none. */
        size_t bytes_most; /* A write takes at most so many; 0: all. */
        bool interrupted;  /* The first write answers EINTR. */
} watch;

int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);

/* Notes the call; true when it shall fail. */
static bool called(char letter)
{
        if (watch.count < CALLS_MAX - 1) {
                watch.calls[watch.count] = letter;
        }
        watch.count++;
        if (watch.count == watch.fail_at) {
                errno = ENOSPC;
                return true;
        }
        return false;
}

int __wrap_open(const char *path, int flags, ...)
{
        return called('o') ? -1 : __real_open(path, flags, 0600);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
        if (called('w')) {
                return -1;
        }
        if (watch.interrupted) {
                watch.interrupted = false;
                errno = EINTR;
                return -1;
        }
        return __real_write(fd, data,
                            watch.bytes_most != 0 && len > watch.bytes_most ? watch.bytes_most : len);
}

int __wrap_fsync(int fd)
{
        struct stat st;
        const bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
        return called(folder ? 'S' : 's') ? -1 : __real_fsync(fd);
}

int __wrap_close(int fd)
{
        const bool fails = called('c');
        const int result = __real_close(fd);

        if (fails) {
                errno = ENOSPC;
        }
        return fails ? -1 : result;
}

int __wrap_rename(const char *from, const char *to)
{
        return called('r') ? -1 : __real_rename(from, to);
}

/* ---- The bench ---------------------------------------------------------------------------- */

typedef struct bench {
        char folder[PATH_MAX];
        char path[PATH_MAX];
        char fresh[PATH_MAX];
        door_error error;
} bench;

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);

        memset(&watch, 0, sizeof watch);
        folder_temporary(b->folder);
        folder_join(b->folder, "intake", b->path);
        folder_join(b->folder, "intake.new", b->fresh);
        *state = b;
        return 0;
}

static int teardown(void **state)
{
        bench *b = *state;

        memset(&watch, 0, sizeof watch);
        folder_remove(b->folder);
        free(b);
        return 0;
}

static door_anchor some_anchor(uint8_t which)
{
        door_anchor anchor = { .seq = 0x0102030405060708U + which };

        memset(anchor.log_id, 0x20 + which, sizeof anchor.log_id);
        anchor.log_id[3] = 9;
        for (size_t i = 0; i < DOOR_HASH_BYTES; i++) {
                anchor.hash.bytes[i] = (uint8_t)(which + i * 5);
        }
        return anchor;
}

static void assert_is(const bench *b, const door_anchor *expected)
{
        door_anchor got = { 0 };

        assert_int_equal(door_anchor_read(b->path, &got, NULL), DOOR_OK);
        assert_memory_equal(got.log_id, expected->log_id, sizeof got.log_id);
        assert_int_equal(got.seq, expected->seq);
        assert_memory_equal(&got.hash, &expected->hash, sizeof got.hash);
}

static void bytes_of(const char *path, uint8_t bytes[ANCHOR_BYTES])
{
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        assert_int_equal(fread(bytes, 1, ANCHOR_BYTES, file), ANCHOR_BYTES);
        assert_int_equal(fclose(file), 0);
}

static void put_bytes(const char *path, const uint8_t *bytes, size_t len)
{
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, len, file), len);
        assert_int_equal(fclose(file), 0);
}

/* Refused with this condition; the out-parameter as it was. */
static void assert_condition(bench *b, const char *condition)
{
        door_anchor got = some_anchor(77);
        const door_anchor before = got;

        assert_int_equal(door_anchor_read(b->path, &got, &b->error), DOOR_CORRUPT);
        assert_int_equal(b->error.status, DOOR_CORRUPT);
        assert_non_null(strstr(b->error.text, condition));
        assert_memory_equal(&got, &before, sizeof got);
}

/* ---- Rules -------------------------------------------------------------------------------- */

static void what_is_written_is_read_and_the_last_one_counts(void **state)
{
        bench *b = *state;

        for (uint8_t i = 0; i < 3; i++) {
                const door_anchor anchor = some_anchor(i);
                assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
                assert_is(b, &anchor);
                assert_int_not_equal(access(b->fresh, F_OK), 0);
        }
}

static void the_file_is_as_specified(void **state)
{
        bench *b = *state;
        uint8_t bytes[ANCHOR_BYTES];
        const door_anchor anchor = some_anchor(1);

        assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
        bytes_of(b->path, bytes);
        assert_memory_equal(bytes, "FDANCHR1", 8);
        assert_memory_equal(bytes + 8, anchor.log_id, 16);
        assert_int_equal(door_get_u64(bytes + 24), anchor.seq);
        assert_memory_equal(bytes + 32, anchor.hash.bytes, 32);
        const door_hash digest = door_hash_of_one((door_bytes){ bytes, 64 });
        assert_memory_equal(bytes + 64, digest.bytes, 32);
}

static void no_file_is_not_found(void **state)
{
        bench *b = *state;
        door_anchor got = some_anchor(5);
        const door_anchor before = got;

        assert_int_equal(door_anchor_read(b->path, &got, &b->error), DOOR_NOT_FOUND);
        assert_memory_equal(&got, &before, sizeof got);
        assert_int_equal(mkdir(b->path, 0700), 0);
        assert_int_equal(door_anchor_read(b->path, &got, &b->error), DOOR_IO);
        assert_memory_equal(&got, &before, sizeof got);
        assert_int_equal(rmdir(b->path), 0);
}

static void every_flipped_bit_is_noticed(void **state)
{
        bench *b = *state;
        uint8_t bytes[ANCHOR_BYTES];
        const door_anchor anchor = some_anchor(2);

        assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
        bytes_of(b->path, bytes);
        for (size_t bit = 0; bit < (size_t)ANCHOR_BYTES * 8; bit++) {
                bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                put_bytes(b->path, bytes, sizeof bytes);
                assert_condition(b, bit < 64 ? "condition 2" : "condition 3");
                bytes[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
}

static void every_other_length_is_noticed(void **state)
{
        bench *b = *state;
        uint8_t bytes[ANCHOR_BYTES + 40] = { 0 };
        const door_anchor anchor = some_anchor(2);

        assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
        bytes_of(b->path, bytes);
        for (size_t len = 0; len < sizeof bytes; len++) {
                if (len != ANCHOR_BYTES) {
                        put_bytes(b->path, bytes, len);
                        assert_condition(b, "condition 1");
                }
        }
}

static void a_file_is_synced_before_it_is_renamed_and_its_folder_after(void **state)
{
        bench *b = *state;
        const door_anchor anchor = some_anchor(3);

        assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
        assert_string_equal(watch.calls, "owscroSc");
}

static void short_and_interrupted_writes_are_finished(void **state)
{
        bench *b = *state;
        const door_anchor anchor = some_anchor(4);

        watch.bytes_most = 40;
        watch.interrupted = true;
        assert_int_equal(door_anchor_write(b->path, &anchor, &b->error), DOOR_OK);
        assert_string_equal(watch.calls, "owwwwscroSc");
        assert_is(b, &anchor);
}

static void a_failed_write_leaves_the_former_anchor_or_the_new_one(void **state)
{
        bench *b = *state;
        const door_anchor former = some_anchor(5);
        const door_anchor anchor = some_anchor(6);
        size_t failed = 0;

        for (size_t n = 1; n <= 8; n++) {
                door_anchor got;
                memset(&watch, 0, sizeof watch);
                assert_int_equal(door_anchor_write(b->path, &former, &b->error), DOOR_OK);
                memset(&watch, 0, sizeof watch);
                watch.fail_at = n;
                const door_status status = door_anchor_write(b->path, &anchor, &b->error);
                if (status != DOOR_OK) {
                        assert_int_equal(status, DOOR_IO);
                        assert_int_equal(strncmp(b->error.text, "IO: anchor", 10), 0);
                        failed++;
                }
                /* Renamed at the fifth: until then it is the former one, whatever failed. */
                memset(&watch, 0, sizeof watch);
                assert_int_equal(door_anchor_read(b->path, &got, NULL), DOOR_OK);
                assert_int_equal(got.seq, n <= 5 ? former.seq : anchor.seq);
                assert_is(b, n <= 5 ? &former : &anchor);
        }
        assert_int_equal(failed, 7); /* All but the closing of the folder. */
}

static void a_path_too_long_is_invalid(void **state)
{
        bench *b = *state;
        char path[PATH_MAX];
        const door_anchor anchor = some_anchor(5);

        memset(path, 'p', sizeof path - 1);
        path[sizeof path - 1] = '\0';
        assert_int_equal(door_anchor_write(path, &anchor, &b->error), DOOR_INVALID);
}

static void accepting_writes_what_the_database_says_and_tells_what_was(void **state)
{
        bench *b = *state;
        door_standing standing = { .head = 41 };
        door_anchor former = some_anchor(60);
        const door_anchor before = former;
        bool readable = true;

        memset(standing.log_id, 3, sizeof standing.log_id);
        memset(standing.head_hash.bytes, 4, DOOR_HASH_BYTES);
        assert_int_equal(door_anchor_accept(b->path, &standing, &former, &readable, &b->error), DOOR_OK);
        assert_false(readable);
        assert_memory_equal(&former, &before, sizeof former);
        const door_anchor first = door_anchor_of(&standing);
        assert_int_equal(first.seq, 41);
        assert_memory_equal(first.log_id, standing.log_id, sizeof first.log_id);
        assert_is(b, &first);

        standing.head = 40;
        standing.head_hash.bytes[0] = 9;
        assert_int_equal(door_anchor_accept(b->path, &standing, &former, &readable, &b->error), DOOR_OK);
        assert_true(readable);
        assert_int_equal(former.seq, 41);
        const door_anchor second = door_anchor_of(&standing);
        assert_is(b, &second);

        former = some_anchor(60);
        readable = false;
        memset(&watch, 0, sizeof watch);
        watch.fail_at = 5; /* Two calls read the former one; this is the new one's sync. */
        assert_int_equal(door_anchor_accept(b->path, &standing, &former, &readable, &b->error), DOOR_IO);
        assert_memory_equal(&former, &before, sizeof former);
        assert_false(readable);
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest rules[] = {
                RULE(what_is_written_is_read_and_the_last_one_counts),
                RULE(the_file_is_as_specified),
                RULE(no_file_is_not_found),
                RULE(every_flipped_bit_is_noticed),
                RULE(every_other_length_is_noticed),
                RULE(a_file_is_synced_before_it_is_renamed_and_its_folder_after),
                RULE(short_and_interrupted_writes_are_finished),
                RULE(a_failed_write_leaves_the_former_anchor_or_the_new_one),
                RULE(a_path_too_long_is_invalid),
                RULE(accepting_writes_what_the_database_says_and_tells_what_was),
        };
#undef RULE
        return cmocka_run_group_tests_name("anchor", rules, NULL, NULL);
}
