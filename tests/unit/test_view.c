/*
 * Goal: a view is the store with this batch's changes over it, in key order; trouble latches and
 * reads as absent; nobody writes who may not.
 * Method: random puts, deletes, gets and scans over a reader with rows, beside an array of all
 * possible keys that is simply written to; keys are short and of two letters so that they collide
 * and begin one another.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/memory_reader.h"

enum {
        KEYS = 2 + 4 + 8 + 16 + 32, /* all words of 1..5 letters of an alphabet of two */
        KEY_BYTES_MAX = 5,
        ARENA_BYTES = 4 * 1024 * 1024,
};

typedef struct model_row {
        bool there;
        uint8_t value[4];
        size_t value_len;
} model_row;

typedef struct bench {
        memory_reader memory;
        door_arena arena;
        void *storage;
        door_view view;
        uint8_t keys[KEYS][KEY_BYTES_MAX]; /* Every key, in order. */
        size_t lens[KEYS];
        model_row model[KEYS];
        uint64_t random;
} bench;

static uint32_t draw(bench *b, uint32_t below)
{
        b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(b->random >> 33) % below;
}

static door_bytes key_at(const bench *b, size_t i)
{
        return (door_bytes){ b->keys[i], b->lens[i] };
}

/* Depth first is key order. */
static size_t keys_fill(bench *b, size_t at, const uint8_t *prefix, size_t len)
{
        for (uint8_t letter = 1; len < KEY_BYTES_MAX && letter <= 2; letter++) {
                memcpy(b->keys[at], prefix, len);
                b->keys[at][len] = letter == 1 ? 0x01 : 0xFF;
                b->lens[at] = len + 1;
                at = keys_fill(b, at + 1, b->keys[at], len + 1);
        }
        return at;
}

static void view_begin(bench *b)
{
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        door_view_init(&b->view, &b->memory.reader, &b->arena);
        b->view.writable = true;
}

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);
        if (b == NULL) {
                return -1;
        }
        b->storage = aligned_alloc(64, ARENA_BYTES);
        b->random = 1;
        memory_reader_init(&b->memory);
        const size_t made = keys_fill(b, 0, (const uint8_t *)"", 0);
        *state = b;
        view_begin(b);
        return b->storage == NULL || made != KEYS ? -1 : 0;
}

static int teardown(void **state)
{
        bench *b = *state;
        memory_reader_done(&b->memory);
        free(b->storage);
        free(b);
        return 0;
}

static void put_random(bench *b)
{
        const size_t i = draw(b, KEYS);
        model_row *row = &b->model[i];
        row->there = true;
        row->value_len = draw(b, sizeof row->value + 1);
        for (size_t k = 0; k < row->value_len; k++) {
                row->value[k] = (uint8_t)draw(b, 256);
        }
        door_view_put(&b->view, key_at(b, i), (door_bytes){ row->value, row->value_len });
}

static void delete_random(bench *b)
{
        const size_t i = draw(b, KEYS);
        b->model[i].there = false;
        door_view_delete(&b->view, key_at(b, i));
}

static void get_random(bench *b)
{
        const size_t i = draw(b, KEYS);
        door_bytes value = DOOR_BYTES_EMPTY;
        const bool found = door_view_get(&b->view, key_at(b, i), &value);
        assert_int_equal(found, b->model[i].there);
        assert_int_equal(door_view_has(&b->view, key_at(b, i)), b->model[i].there);
        if (found) {
                assert_true(
                        door_bytes_equal(value, (door_bytes){ b->model[i].value, b->model[i].value_len }));
        }
}

/* The first key of the model in the walk at or after i; KEYS when there is none. */
static size_t model_next(const bench *b, size_t i, door_bytes prefix)
{
        while (i < KEYS && !(b->model[i].there && door_bytes_starts_with(key_at(b, i), prefix))) {
                i++;
        }
        return i;
}

/* A walk, changed under way now and then: rows are seen as they are when the walk reaches them. */
static void scan_random(bench *b)
{
        const size_t from = draw(b, KEYS);
        const door_bytes prefix = { b->keys[from], draw(b, (uint32_t)b->lens[from] + 1) };
        const bool whole = draw(b, 3) == 0;
        const size_t rows_max = draw(b, 2) == 0 ? KEYS + 1 : draw(b, 8);
        door_bytes key;
        door_bytes value;
        door_scan scan;
        size_t rows = 0;
        size_t at = whole ? 0 : from;

        door_scan_init(&scan, &b->view, prefix, whole ? DOOR_BYTES_EMPTY : key_at(b, from), rows_max);
        while (door_scan_next(&scan, &key, &value)) {
                at = model_next(b, at, prefix);
                assert_true(at < KEYS);
                assert_true(door_bytes_equal(key, key_at(b, at)));
                assert_true(
                        door_bytes_equal(value, (door_bytes){ b->model[at].value, b->model[at].value_len }));
                at++;
                rows++;
                if (draw(b, 16) == 0) {
                        put_random(b);
                } else if (draw(b, 16) == 0) {
                        delete_random(b);
                }
        }
        const bool left = model_next(b, at, prefix) < KEYS;
        assert_int_equal(scan.truncated, left);
        assert_true(!left || rows == rows_max);
        assert_true(rows <= rows_max);
}

static void a_view_equals_a_plain_array_under_random_operations(void **state)
{
        bench *b = *state;
        for (size_t step = 0; step < 60000; step++) {
                switch (draw(b, 6)) {
                case 0:
                case 1:
                        put_random(b);
                        break;
                case 2:
                        delete_random(b);
                        break;
                case 3:
                case 4:
                        get_random(b);
                        break;
                default:
                        scan_random(b);
                        break;
                }
                if (step % 500 == 499) { /* The batch is committed; the next begins. */
                        assert_int_equal(b->view.latch, DOOR_OK);
                        memory_reader_absorb(&b->memory, &b->view);
                        view_begin(b);
                }
        }
}

static void equal_histories_build_equal_overlays(void **state)
{
        bench *b = *state;
        uint8_t heights[2][KEYS];
        for (size_t round = 0; round < 2; round++) {
                size_t n = 0;
                view_begin(b);
                for (size_t i = 0; i < KEYS; i++) {
                        door_view_put(&b->view, key_at(b, i * 7 % KEYS), DOOR_BYTES_EMPTY);
                }
                for (const door_change *c = b->view.head[0]; c != NULL; c = c->next[0]) {
                        heights[round][n++] = c->height;
                }
                assert_int_equal(n, b->view.changes_count);
        }
        assert_memory_equal(heights[0], heights[1], KEYS);
}

static void what_was_put_is_a_copy(void **state)
{
        bench *b = *state;
        uint8_t key[] = { 1 };
        uint8_t value[] = { 2 };
        door_bytes found;
        door_view_put(&b->view, (door_bytes){ key, 1 }, (door_bytes){ value, 1 });
        key[0] = 9;
        value[0] = 9;
        key[0] = 1;
        assert_true(door_view_get(&b->view, (door_bytes){ key, 1 }, &found));
        assert_int_equal(found.data[0], 2);
}

static void a_failing_read_is_absent_and_latches(void **state)
{
        bench *b = *state;
        door_bytes value;
        door_bytes key;
        door_scan scan;
        door_view_put(&b->view, key_at(b, 0), door_bytes_of("a"));
        door_view_put(&b->view, key_at(b, 1), door_bytes_of("b"));
        memory_reader_absorb(&b->memory, &b->view);
        view_begin(b);
        door_view_put(&b->view, key_at(b, 2), door_bytes_of("c"));
        b->memory.fail_after = b->memory.reads + 1;
        assert_true(door_view_get(&b->view, key_at(b, 0), &value));
        assert_int_equal(b->view.latch, DOOR_OK);
        assert_false(door_view_get(&b->view, key_at(b, 1), &value));
        assert_int_equal(b->view.latch, DOOR_IO);
        /* It stays, and nobody asks the reader again. */
        b->memory.fail_after = 0;
        const size_t reads = b->memory.reads;
        assert_false(door_view_get(&b->view, key_at(b, 0), &value));
        door_scan_init(&scan, &b->view, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, 10);
        assert_false(door_scan_next(&scan, &key, &value));
        assert_int_equal(b->memory.reads, reads);
        assert_int_equal(b->view.latch, DOOR_IO);
}

static void a_walk_ends_and_latches_at_a_failing_read(void **state)
{
        bench *b = *state;
        door_bytes key;
        door_bytes value;
        door_scan scan;
        for (size_t i = 0; i < 4; i++) {
                door_view_put(&b->view, key_at(b, i), DOOR_BYTES_EMPTY);
        }
        b->memory.fail_after = b->memory.reads + 2;
        door_scan_init(&scan, &b->view, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, 10);
        assert_true(door_scan_next(&scan, &key, &value));
        assert_true(door_scan_next(&scan, &key, &value));
        assert_false(door_scan_next(&scan, &key, &value));
        assert_int_equal(b->view.latch, DOOR_IO);
        assert_false(scan.truncated);
}

static void a_full_arena_latches_at_whatever_put_it_happens(void **state)
{
        bench *b = *state;
        for (size_t cap = 0; cap < 2048; cap += 16) {
                door_arena_init(&b->arena, b->storage, cap);
                door_view_init(&b->view, &b->memory.reader, &b->arena);
                b->view.writable = true;
                for (size_t i = 0; i < KEYS; i++) {
                        door_view_put(&b->view, key_at(b, i), door_bytes_of("value"));
                }
                assert_int_equal(b->view.latch, DOOR_NO_MEMORY);
                size_t n = 0;
                for (const door_change *c = b->view.head[0]; c != NULL; c = c->next[0]) {
                        assert_true(c->next[0] == NULL || door_bytes_compare(c->key, c->next[0]->key) < 0);
                        n++;
                }
                assert_int_equal(n, b->view.changes_count);
        }
}

static void a_put_that_finds_no_room_leaves_the_row_as_it_was(void **state)
{
        bench *b = *state;
        static const uint8_t large[2048];
        door_bytes value;

        door_arena_init(&b->arena, b->storage, 1024);
        door_view_init(&b->view, &b->memory.reader, &b->arena);
        b->view.writable = true;
        door_view_put(&b->view, key_at(b, 0), door_bytes_of("whole"));
        door_view_put(&b->view, key_at(b, 0), (door_bytes){ large, sizeof large });
        assert_int_equal(b->view.latch, DOOR_NO_MEMORY);
        assert_true(door_view_get(&b->view, key_at(b, 0), &value));
        assert_true(door_bytes_equal(value, door_bytes_of("whole")));
}

static void a_full_arena_while_reading_latches_and_reads_absent(void **state)
{
        bench *b = *state;
        static const uint8_t large[512];
        door_bytes value;
        door_view_put(&b->view, key_at(b, 0), (door_bytes){ large, sizeof large });
        memory_reader_absorb(&b->memory, &b->view);
        door_arena_init(&b->arena, b->storage, 256);
        door_view_init(&b->view, &b->memory.reader, &b->arena);
        assert_false(door_view_get(&b->view, key_at(b, 0), &value));
        assert_int_equal(b->view.latch, DOOR_NO_MEMORY);
}

static void a_walk_that_ends_at_its_bound_with_rows_left_says_so(void **state)
{
        bench *b = *state;
        door_bytes key;
        door_bytes value;
        for (size_t i = 0; i < 3; i++) {
                door_view_put(&b->view, key_at(b, i), DOOR_BYTES_EMPTY);
        }
        for (size_t bound = 0; bound < 5; bound++) {
                door_scan scan;
                size_t rows = 0;
                door_scan_init(&scan, &b->view, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, bound);
                while (door_scan_next(&scan, &key, &value)) {
                        rows++;
                }
                assert_int_equal(rows, bound < 3 ? bound : 3);
                assert_int_equal(scan.truncated, bound < 3);
        }
}

static void a_bound_is_not_used_up_by_rows_that_are_deleted(void **state)
{
        bench *b = *state;
        door_bytes key;
        door_bytes value;
        door_scan scan;
        for (size_t i = 0; i < 10; i++) {
                door_view_put(&b->view, key_at(b, i), DOOR_BYTES_EMPTY);
        }
        memory_reader_absorb(&b->memory, &b->view);
        view_begin(b);
        for (size_t i = 1; i < 10; i++) {
                door_view_delete(&b->view, key_at(b, i));
        }
        door_scan_init(&scan, &b->view, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, 1);
        assert_true(door_scan_next(&scan, &key, &value));
        assert_false(door_scan_next(&scan, &key, &value));
        assert_false(scan.truncated);
}

/* Whether a child that does it dies. */
static bool dies(void (*deed)(bench *b), bench *b)
{
        const pid_t child = fork();
        int status = 0;
        assert_true(child >= 0);
        if (child == 0) {
                (void)close(STDERR_FILENO);
                deed(b);
                _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void deed_put(bench *b)
{
        b->view.writable = false;
        door_view_put(&b->view, key_at(b, 0), DOOR_BYTES_EMPTY);
}

static void deed_delete(bench *b)
{
        b->view.writable = false;
        door_view_delete(&b->view, key_at(b, 0));
}

static void deed_empty_key(bench *b)
{
        door_view_put(&b->view, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY);
}

static void deed_foreign_from(bench *b)
{
        door_scan scan;
        door_scan_init(&scan, &b->view, door_bytes_of("a"), door_bytes_of("b"), 1);
}

static void who_writes_while_deciding_ends_the_process(void **state)
{
        assert_true(dies(deed_put, *state));
        assert_true(dies(deed_delete, *state));
}

static void an_empty_key_and_a_walk_from_outside_its_prefix_end_the_process(void **state)
{
        assert_true(dies(deed_empty_key, *state));
        assert_true(dies(deed_foreign_from, *state));
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(a_view_equals_a_plain_array_under_random_operations),
                RULE(equal_histories_build_equal_overlays),
                RULE(what_was_put_is_a_copy),
                RULE(a_failing_read_is_absent_and_latches),
                RULE(a_walk_ends_and_latches_at_a_failing_read),
                RULE(a_full_arena_latches_at_whatever_put_it_happens),
                RULE(a_put_that_finds_no_room_leaves_the_row_as_it_was),
                RULE(a_full_arena_while_reading_latches_and_reads_absent),
                RULE(a_walk_that_ends_at_its_bound_with_rows_left_says_so),
                RULE(a_bound_is_not_used_up_by_rows_that_are_deleted),
                RULE(who_writes_while_deciding_ends_the_process),
                RULE(an_empty_key_and_a_walk_from_outside_its_prefix_end_the_process),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
