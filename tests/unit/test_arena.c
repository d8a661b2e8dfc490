/*
 * Goal: an arena gives aligned pieces that do not overlap, and once it has said no it says no
 * until it is reset.
 * Method: a small storage, exact boundaries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/arena.h"

enum { CAP = 256 };

typedef struct bench {
        _Alignas(16) uint8_t storage[CAP];
        door_arena arena;
} bench;

static bench *fresh(void)
{
        static bench b;
        memset(b.storage, 0xAA, sizeof b.storage);
        door_arena_init(&b.arena, b.storage, sizeof b.storage);
        return &b;
}

static void pieces_are_aligned_for_any_type_and_do_not_overlap(void **state)
{
        bench *b = fresh();
        const uint8_t *end = b->storage;
        (void)state;
        for (size_t size = 1; size <= 33; size += 8) {
                uint8_t *piece = door_arena_take(&b->arena, size);
                assert_non_null(piece);
                assert_int_equal((uintptr_t)piece % 16, 0);
                assert_true(piece >= end);
                memset(piece, (int)size, size);
                end = piece + size;
        }
        assert_true(end <= b->storage + CAP);
}

static void the_last_byte_can_be_taken_and_not_one_more(void **state)
{
        bench *b = fresh();
        (void)state;
        assert_non_null(door_arena_take(&b->arena, CAP));
        assert_false(b->arena.exhausted);
        assert_null(door_arena_take(&b->arena, 1));
        assert_true(b->arena.exhausted);
}

static void a_full_arena_answers_null_from_then_on(void **state)
{
        bench *b = fresh();
        (void)state;
        assert_null(door_arena_take(&b->arena, CAP + 1));
        assert_true(b->arena.exhausted);
        assert_null(door_arena_take(&b->arena, 1));
        assert_null(door_arena_take_zeroed(&b->arena, 1, 1));
        assert_int_equal(door_arena_copy(&b->arena, door_bytes_of("x")).len, 0);
}

static void a_size_near_the_end_of_the_numbers_is_refused(void **state)
{
        bench *b = fresh();
        (void)state;
        assert_non_null(door_arena_take(&b->arena, 1));
        assert_null(door_arena_take(&b->arena, SIZE_MAX - 8));
        assert_true(b->arena.exhausted);
}

static void a_count_times_size_that_overflows_latches(void **state)
{
        bench *b = fresh();
        (void)state;
        assert_null(door_arena_take_zeroed(&b->arena, SIZE_MAX / 2, 4));
        assert_true(b->arena.exhausted);
}

static void zeroed_pieces_are_zero_whatever_was_there(void **state)
{
        bench *b = fresh();
        (void)state;
        const uint8_t *piece = door_arena_take_zeroed(&b->arena, 5, 8);
        assert_non_null(piece);
        for (size_t i = 0; i < 40; i++) {
                assert_int_equal(piece[i], 0);
        }
        assert_int_equal(piece[40], 0xAA);
}

static void reset_makes_it_empty_and_clears_the_latch(void **state)
{
        bench *b = fresh();
        (void)state;
        void *first = door_arena_take(&b->arena, 8);
        assert_null(door_arena_take(&b->arena, CAP));
        door_arena_reset(&b->arena);
        assert_false(b->arena.exhausted);
        assert_int_equal(b->arena.used, 0);
        assert_ptr_equal(door_arena_take(&b->arena, CAP), first);
}

static void rewind_gives_back_what_was_taken_since_the_mark_and_keeps_the_latch(void **state)
{
        bench *b = fresh();
        (void)state;
        (void)door_arena_take(&b->arena, 16);
        const door_arena_mark mark = door_arena_here(&b->arena);
        void *first = door_arena_take(&b->arena, 16);
        door_arena_rewind(&b->arena, mark);
        assert_ptr_equal(door_arena_take(&b->arena, 16), first);
        assert_null(door_arena_take(&b->arena, CAP));
        door_arena_rewind(&b->arena, mark);
        assert_true(b->arena.exhausted);
        assert_null(door_arena_take(&b->arena, 1));
}

static void a_copy_is_another_place_with_the_same_bytes(void **state)
{
        bench *b = fresh();
        char text[] = "hello";
        (void)state;
        const door_bytes copy = door_arena_copy(&b->arena, door_bytes_of(text));
        text[0] = 'j';
        assert_true(door_bytes_equal(copy, door_bytes_of("hello")));
}

static void a_copy_of_nothing_takes_nothing(void **state)
{
        bench *b = fresh();
        (void)state;
        assert_int_equal(door_arena_copy(&b->arena, DOOR_BYTES_EMPTY).len, 0);
        assert_int_equal(b->arena.used, 0);
        assert_false(b->arena.exhausted);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(pieces_are_aligned_for_any_type_and_do_not_overlap),
                cmocka_unit_test(the_last_byte_can_be_taken_and_not_one_more),
                cmocka_unit_test(a_full_arena_answers_null_from_then_on),
                cmocka_unit_test(a_size_near_the_end_of_the_numbers_is_refused),
                cmocka_unit_test(a_count_times_size_that_overflows_latches),
                cmocka_unit_test(zeroed_pieces_are_zero_whatever_was_there),
                cmocka_unit_test(reset_makes_it_empty_and_clears_the_latch),
                cmocka_unit_test(rewind_gives_back_what_was_taken_since_the_mark_and_keeps_the_latch),
                cmocka_unit_test(a_copy_is_another_place_with_the_same_bytes),
                cmocka_unit_test(a_copy_of_nothing_takes_nothing),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
