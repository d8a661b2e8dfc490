/*
 * Goal: byte ranges compare as RocksDB does, numbers are big-endian, writers and readers never
 * leave their storage, and text is exactly the well-formed UTF-8 without NUL.
 * Method: tables; the UTF-8 one is every row of table 3-7 of The Unicode Standard, at and just
 * outside its boundaries, and every two first bytes with every edge of the rest against a decoder
 * written anew.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/bytes.h"

static void order_is_of_bytes_and_the_shorter_first(void **state)
{
        static const char *const rising[] = { "",  "a",    "a\x01", "aa",   "ab",
                                              "b", "\x7f", "\x80",  "\xff", "\xff\xff" };
        const size_t count = sizeof rising / sizeof rising[0];
        (void)state;
        for (size_t i = 0; i < count; i++) {
                for (size_t k = 0; k < count; k++) {
                        const int order =
                                door_bytes_compare(door_bytes_of(rising[i]), door_bytes_of(rising[k]));
                        assert_int_equal(order < 0, i < k);
                        assert_int_equal(order > 0, i > k);
                        assert_int_equal(door_bytes_equal(door_bytes_of(rising[i]), door_bytes_of(rising[k])),
                                         i == k);
                }
        }
}

static void no_bytes_are_equal_to_no_bytes_wherever_they_point(void **state)
{
        const door_bytes here = { (const uint8_t *)"x", 0 };
        (void)state;
        assert_true(door_bytes_equal(here, DOOR_BYTES_EMPTY));
        assert_int_equal(door_bytes_compare(DOOR_BYTES_EMPTY, here), 0);
}

static void everything_begins_with_nothing_and_nothing_with_something_longer(void **state)
{
        (void)state;
        assert_true(door_bytes_starts_with(door_bytes_of("abc"), DOOR_BYTES_EMPTY));
        assert_true(door_bytes_starts_with(DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY));
        assert_true(door_bytes_starts_with(door_bytes_of("abc"), door_bytes_of("abc")));
        assert_false(door_bytes_starts_with(door_bytes_of("abc"), door_bytes_of("abcd")));
        assert_false(door_bytes_starts_with(door_bytes_of("abc"), door_bytes_of("b")));
}

static void numbers_are_written_most_significant_byte_first(void **state)
{
        uint8_t out[8];
        (void)state;
        door_put_u16(out, 0x0102);
        assert_memory_equal(out, "\x01\x02", 2);
        door_put_u32(out, 0x01020304);
        assert_memory_equal(out, "\x01\x02\x03\x04", 4);
        door_put_u64(out, UINT64_C(0xF102030405060708));
        assert_memory_equal(out, "\xF1\x02\x03\x04\x05\x06\x07\x08", 8);
        assert_true(door_get_u64(out) == UINT64_C(0xF102030405060708));
        assert_int_equal(door_get_u32(out), 0xF1020304);
        assert_int_equal(door_get_u16(out), 0xF102);
}

static void what_a_writer_wrote_a_reader_reads(void **state)
{
        uint8_t storage[64];
        door_writer w = door_writer_on(storage, sizeof storage);
        (void)state;
        door_write_u8(&w, 0xFE);
        door_write_u16(&w, UINT16_MAX);
        door_write_u32(&w, UINT32_MAX - 1);
        door_write_u64(&w, UINT64_MAX - 2);
        door_write_sized(&w, door_bytes_of("word"));
        door_write_sized(&w, DOOR_BYTES_EMPTY);
        door_write(&w, door_bytes_of("!"));
        assert_true(w.ok);
        door_cursor_in r = door_reading(door_written(&w));
        assert_int_equal(door_read_u8(&r), 0xFE);
        assert_int_equal(door_read_u16(&r), UINT16_MAX);
        assert_int_equal(door_read_u32(&r), UINT32_MAX - 1);
        assert_true(door_read_u64(&r) == UINT64_MAX - 2);
        assert_true(door_bytes_equal(door_read_sized(&r), door_bytes_of("word")));
        assert_int_equal(door_read_sized(&r).len, 0);
        assert_false(door_read_done(&r));
        assert_int_equal(door_read_u8(&r), '!');
        assert_true(door_read_done(&r));
}

static void a_writer_that_overflows_says_so_and_touches_nothing_beyond(void **state)
{
        uint8_t storage[9];
        (void)state;
        for (size_t cap = 0; cap < 8; cap++) {
                memset(storage, 0xAA, sizeof storage);
                door_writer w = door_writer_on(storage, cap);
                door_write_u64(&w, 0);
                assert_false(w.ok);
                door_write_u8(&w, 1);
                door_write(&w, door_bytes_of("x"));
                assert_false(w.ok);
                for (size_t i = 0; i < sizeof storage; i++) {
                        assert_int_equal(storage[i], 0xAA);
                }
        }
}

static void a_writer_that_is_exactly_full_is_still_good(void **state)
{
        uint8_t storage[6];
        door_writer w = door_writer_on(storage, sizeof storage);
        (void)state;
        door_write_sized(&w, door_bytes_of("four"));
        assert_true(w.ok);
        door_write(&w, DOOR_BYTES_EMPTY);
        assert_true(w.ok);
        door_write_u8(&w, 0);
        assert_false(w.ok);
}

static void a_sized_range_of_more_than_65535_bytes_is_not_written(void **state)
{
        static uint8_t storage[70000];
        static uint8_t range[65536];
        door_writer w = door_writer_on(storage, sizeof storage);
        (void)state;
        door_write_sized(&w, (door_bytes){ range, 65535 });
        assert_true(w.ok);
        assert_int_equal(w.len, 65537);
        w = door_writer_on(storage, sizeof storage);
        door_write_sized(&w, (door_bytes){ range, 65536 });
        assert_false(w.ok);
}

static void reading_past_the_end_yields_zeros_and_is_remembered(void **state)
{
        static const uint8_t bytes[] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
        (void)state;
        for (size_t len = 0; len < 8; len++) {
                door_cursor_in r = door_reading((door_bytes){ len == 0 ? NULL : bytes, len });
                assert_true(door_read_u64(&r) == 0);
                assert_false(r.ok);
                assert_int_equal(door_read_u8(&r), 0);
                assert_int_equal(door_read(&r, 0).len, 0);
                assert_false(door_read_done(&r));
        }
        door_cursor_in r = door_reading((door_bytes){ bytes, 7 });
        assert_int_equal(door_read_sized(&r).len, 0); /* Says 65535, has 5. */
        assert_false(r.ok);
        r = door_reading((door_bytes){ bytes, 7 });
        assert_int_equal(door_read(&r, SIZE_MAX).len, 0);
        assert_false(r.ok);
}

static bool clean(const char *bytes, size_t len)
{
        return door_text_is_clean((door_bytes){ (const uint8_t *)bytes, len });
}

static void the_boundaries_of_table_3_7_are_inside(void **state)
{
        static const char *const good[] = {
                "\x01",
                "\x7F",
                "\xC2\x80",
                "\xDF\xBF",
                "\xE0\xA0\x80",
                "\xE0\xBF\xBF",
                "\xE1\x80\x80",
                "\xEC\xBF\xBF",
                "\xED\x80\x80",
                "\xED\x9F\xBF",
                "\xEE\x80\x80",
                "\xEF\xBF\xBF",
                "\xF0\x90\x80\x80",
                "\xF0\xBF\xBF\xBF",
                "\xF1\x80\x80\x80",
                "\xF3\xBF\xBF\xBF",
                "\xF4\x80\x80\x80",
                "\xF4\x8F\xBF\xBF",
                "",
                "a\xC3\xA9\xE2\x80\x99z",
        };
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                assert_true(clean(good[i], strlen(good[i])));
        }
}

static void one_beyond_the_boundaries_of_table_3_7_is_outside(void **state)
{
        static const char *const bad[] = {
                "\x80",
                "\xBF",
                "\xC0\x80",
                "\xC1\xBF",
                "\xC2\x7F",
                "\xC2\xC0",
                "\xDF\x7F",
                "\xE0\x9F\xBF",
                "\xE0\xC0\x80",
                "\xE0\xA0\x7F",
                "\xE0\xA0\xC0",
                "\xED\xA0\x80",
                "\xED\xBF\xBF",
                "\xEF\xBF\xC0",
                "\xF0\x8F\xBF\xBF",
                "\xF0\x90\x7F\x80",
                "\xF0\x90\x80\xC0",
                "\xF4\x90\x80\x80",
                "\xF5\x80\x80\x80",
                "\xFE",
                "\xFF",
                "\xF8\x88\x80\x80\x80",
        };
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_false(clean(bad[i], strlen(bad[i])));
        }
}

static void a_sequence_that_ends_too_early_is_not_text(void **state)
{
        static const char *const whole[] = { "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
        (void)state;
        for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
                for (size_t len = 1; len < strlen(whole[i]); len++) {
                        assert_false(clean(whole[i], len));
                }
        }
}

static void nul_is_not_text_wherever_it_stands(void **state)
{
        (void)state;
        assert_false(clean("\0", 1));
        assert_false(clean("a\0", 2));
        assert_false(clean("\0a", 2));
        assert_false(clean("\xC3\xA9\0", 3));
}

/* Written from the definition: decode, then ask for range, shortest form and no surrogate. */
static bool clean_by_definition(const uint8_t *b, size_t len)
{
        if (b[0] < 0x80) {
                return len == 1 && b[0] != 0;
        }
        const size_t wanted = b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : b[0] >> 3 == 30 ? 4 : 0;
        if (wanted != len) {
                return false;
        }
        uint32_t code = b[0] & (0x7FU >> len);
        for (size_t i = 1; i < len; i++) {
                if (b[i] >> 6 != 2) {
                        return false;
                }
                code = code << 6 | (b[i] & 0x3FU);
        }
        static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
        return code >= least[len] && code <= 0x10FFFF && !(code >= 0xD800 && code <= 0xDFFF);
}

static void every_beginning_agrees_with_the_definition(void **state)
{
        /* Where a continuation byte can begin or end to be one, and where table 3-7 narrows it. */
        static const uint8_t edges[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF };
        const size_t count = sizeof edges;

        (void)state;
        for (uint32_t n = 0x8000; n < 0x10000; n++) {
                for (size_t k = 0; k < count * count; k++) {
                        const uint8_t b[4] = { (uint8_t)(n >> 8), (uint8_t)n, edges[k % count],
                                               edges[k / count] };
                        const size_t len = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
                        if (door_text_is_clean((door_bytes){ b, len }) != clean_by_definition(b, len)) {
                                fail_msg("%02x %02x %02x %02x", b[0], b[1], b[2], b[3]);
                        }
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(order_is_of_bytes_and_the_shorter_first),
                cmocka_unit_test(no_bytes_are_equal_to_no_bytes_wherever_they_point),
                cmocka_unit_test(everything_begins_with_nothing_and_nothing_with_something_longer),
                cmocka_unit_test(numbers_are_written_most_significant_byte_first),
                cmocka_unit_test(what_a_writer_wrote_a_reader_reads),
                cmocka_unit_test(a_writer_that_overflows_says_so_and_touches_nothing_beyond),
                cmocka_unit_test(a_writer_that_is_exactly_full_is_still_good),
                cmocka_unit_test(a_sized_range_of_more_than_65535_bytes_is_not_written),
                cmocka_unit_test(reading_past_the_end_yields_zeros_and_is_remembered),
                cmocka_unit_test(the_boundaries_of_table_3_7_are_inside),
                cmocka_unit_test(one_beyond_the_boundaries_of_table_3_7_is_outside),
                cmocka_unit_test(a_sequence_that_ends_too_early_is_not_text),
                cmocka_unit_test(nul_is_not_text_wherever_it_stands),
                cmocka_unit_test(every_beginning_agrees_with_the_definition),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
