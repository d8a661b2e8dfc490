/*
 * Goal: BLAKE2b-256 is BLAKE2b-256, chains depend on everything before, and an id that was copied
 * with one wrong character is noticed.
 * Method: published vectors; round trips of many ids; every wrong character at every place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/hash.h"
#include "door/id.h"

static void assert_hash(door_hash hash, const char *hex)
{
        char text[2 * DOOR_HASH_BYTES + 1];
        for (size_t i = 0; i < DOOR_HASH_BYTES; i++) {
                static const char digits[] = "0123456789abcdef";
                text[2 * i] = digits[hash.bytes[i] >> 4];
                text[2 * i + 1] = digits[hash.bytes[i] & 15];
        }
        text[2 * DOOR_HASH_BYTES] = '\0';
        assert_string_equal(text, hex);
}

static void the_published_vectors_come_out(void **state)
{
        (void)state;
        assert_hash(door_hash_of_one(DOOR_BYTES_EMPTY),
                    "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
        assert_hash(door_hash_of_one(door_bytes_of("abc")),
                    "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static void parts_hash_as_their_concatenation(void **state)
{
        const door_bytes parts[] = { door_bytes_of("a"), DOOR_BYTES_EMPTY, door_bytes_of("bc") };
        const door_hash whole = door_hash_of_one(door_bytes_of("abc"));
        (void)state;
        const door_hash hash = door_hash_of(parts, 3);
        assert_true(door_hash_equal(&hash, &whole));
}

static void a_chain_is_the_hash_of_what_was_before_and_the_header(void **state)
{
        uint8_t log_id[16];
        uint8_t both[DOOR_HASH_BYTES + 6] = { 0 };
        (void)state;
        memset(log_id, 7, sizeof log_id);
        memcpy(both, log_id, sizeof log_id);
        memcpy(both + DOOR_HASH_BYTES, "header", 6);
        const door_hash start = door_hash_log_start(log_id);
        assert_memory_equal(start.bytes, both, DOOR_HASH_BYTES);
        const door_hash chained = door_hash_chain(&start, door_bytes_of("header"));
        const door_hash wanted = door_hash_of_one((door_bytes){ both, sizeof both });
        assert_true(door_hash_equal(&chained, &wanted));
}

static void equal_headers_chain_differently_after_another_past(void **state)
{
        const uint8_t one[16] = { 1 };
        const uint8_t two[16] = { 2 };
        (void)state;
        const door_hash start_one = door_hash_log_start(one);
        const door_hash start_two = door_hash_log_start(two);
        const door_hash a = door_hash_chain(&start_one, door_bytes_of("x"));
        const door_hash b = door_hash_chain(&start_two, door_bytes_of("x"));
        assert_false(door_hash_equal(&a, &b));
}

static void draws_differ_by_seed_label_and_index_and_repeat(void **state)
{
        uint8_t seed[32] = { 0 };
        uint8_t out[5][16];
        (void)state;
        door_draw(seed, 'a', 0, out[0]);
        door_draw(seed, 'a', 1, out[1]);
        door_draw(seed, 'b', 0, out[2]);
        door_draw(seed, 'a', 0, out[4]);
        seed[31] = 1;
        door_draw(seed, 'a', 0, out[3]);
        assert_memory_equal(out[0], out[4], 16);
        for (size_t i = 0; i < 4; i++) {
                for (size_t k = 0; k < i; k++) {
                        assert_memory_not_equal(out[i], out[k], 16);
                }
        }
}

/* Ids of many shapes: drawn ones, and all zeros, all ones, one bit. */
static door_id sample(uint32_t n)
{
        const uint8_t random[16] = { 1, 2, 3 };
        door_id id = { { 0 } };
        if (n < 80) {
                id.bytes[n / 8] = (uint8_t)(1U << (n % 8));
        } else if (n == 80) {
                memset(id.bytes, 0xFF, sizeof id.bytes);
        } else if (n > 81) {
                id = door_id_make(random, DOOR_ID_PERSON, n);
        }
        return id;
}

static const char kinds[] = "RFPHEDJV";

static void every_id_is_read_as_it_was_written(void **state)
{
        (void)state;
        for (uint32_t n = 0; n < 2000; n++) {
                const door_id id = sample(n);
                const door_id_kind kind = (door_id_kind)kinds[n % 8];
                char text[DOOR_ID_TEXT_BYTES];
                door_id_kind read_kind = DOOR_ID_REVIEW;
                door_id read;
                door_id_print(kind, &id, text);
                assert_int_equal(strlen(text), DOOR_ID_TEXT_BYTES - 1);
                assert_int_equal(door_id_parse(door_bytes_of(text), &read_kind, &read), DOOR_OK);
                assert_int_equal(read_kind, kind);
                assert_true(door_id_equal(&read, &id));
        }
}

static void the_check_character_is_the_number_modulo_37(void **state)
{
        door_id id = { { 0 } };
        char text[DOOR_ID_TEXT_BYTES];
        (void)state;
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        assert_string_equal(text, "R-00000000000000000");
        id.bytes[9] = 31;
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        assert_string_equal(text, "R-000000000000000ZZ");
        id.bytes[9] = 32;
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        assert_string_equal(text, "R-0000000000000010*");
        id.bytes[9] = 36;
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        assert_string_equal(text, "R-0000000000000014U");
        id.bytes[9] = 37;
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        assert_string_equal(text, "R-00000000000000150");
}

static void look_alikes_and_lower_case_read_as_what_they_look_like(void **state)
{
        static const struct {
                char written;
                char said;
        } alike[] = { { '0', 'O' }, { '0', 'o' }, { '1', 'I' }, { '1', 'i' }, { '1', 'L' }, { '1', 'l' } };
        (void)state;
        for (uint32_t n = 82; n < 400; n++) {
                const door_id id = sample(n);
                char text[DOOR_ID_TEXT_BYTES];
                for (size_t a = 0; a < sizeof alike / sizeof alike[0]; a++) {
                        door_id_kind kind;
                        door_id read;
                        door_id_print(DOOR_ID_FAMILY, &id, text);
                        for (size_t i = 2; i < DOOR_ID_TEXT_BYTES - 1; i++) {
                                const char c = text[i];
                                text[i] = c == alike[a].written  ? alike[a].said
                                          : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a')
                                                                 : c;
                        }
                        text[0] = 'f';
                        assert_int_equal(door_id_parse(door_bytes_of(text), &kind, &read), DOOR_OK);
                        assert_int_equal(kind, DOOR_ID_FAMILY);
                        assert_true(door_id_equal(&read, &id));
                }
        }
}

/* Another character that may only be another way to write the same. */
static bool same_digit(char a, char b)
{
        const char *const classes[] = { "0Oo", "1IiLl" };
        if (a == b || (a >= 'A' && a <= 'Z' && b == a - 'A' + 'a')) {
                return true;
        }
        for (size_t i = 0; i < 2; i++) {
                if (strchr(classes[i], a) != NULL && strchr(classes[i], b) != NULL) {
                        return true;
                }
        }
        return false;
}

static void every_single_wrong_character_is_noticed(void **state)
{
        (void)state;
        for (uint32_t n = 0; n < 120; n++) {
                const door_id id = sample(n);
                char text[DOOR_ID_TEXT_BYTES];
                door_id_print(DOOR_ID_REFERRAL, &id, text);
                for (size_t at = 1; at < DOOR_ID_TEXT_BYTES - 1; at++) {
                        const char right = text[at];
                        for (int wrong = 1; wrong < 256; wrong++) {
                                door_id_kind kind = DOOR_ID_JOIN;
                                door_id read = { { 0x55 } };
                                text[at] = (char)wrong;
                                if (same_digit(right, (char)wrong)) {
                                        continue;
                                }
                                if (door_id_parse(door_bytes_of(text), &kind, &read) != DOOR_MALFORMED) {
                                        fail_msg("%s was taken", text);
                                }
                                assert_int_equal(kind, DOOR_ID_JOIN);
                                assert_int_equal(read.bytes[0], 0x55);
                        }
                        text[at] = right;
                }
        }
}

static void two_neighbours_exchanged_are_noticed(void **state)
{
        (void)state;
        for (uint32_t n = 82; n < 400; n++) {
                const door_id id = sample(n);
                char text[DOOR_ID_TEXT_BYTES];
                door_id_print(DOOR_ID_REFERRAL, &id, text);
                for (size_t at = 2; at + 2 < DOOR_ID_TEXT_BYTES - 1; at++) {
                        const char left = text[at];
                        door_id_kind kind;
                        door_id read;
                        if (left == text[at + 1]) {
                                continue;
                        }
                        text[at] = text[at + 1];
                        text[at + 1] = left;
                        assert_int_equal(door_id_parse(door_bytes_of(text), &kind, &read), DOOR_MALFORMED);
                        text[at + 1] = text[at];
                        text[at] = left;
                }
        }
}

static void what_has_another_length_kind_or_mark_is_no_id(void **state)
{
        static const char *const bad[] = { "",
                                           "R",
                                           "R-",
                                           "R-0000000000000000",
                                           "R-000000000000000000",
                                           "X-00000000000000000",
                                           "R_00000000000000000",
                                           "-R00000000000000000",
                                           " R-00000000000000000",
                                           "R-U0000000000000000" };
        door_id_kind kind;
        door_id id;
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_int_equal(door_id_parse(door_bytes_of(bad[i]), &kind, &id), DOOR_MALFORMED);
        }
        const uint8_t nul[] = "\0-00000000000000000";
        assert_int_equal(door_id_parse((door_bytes){ nul, 19 }, &kind, &id), DOOR_MALFORMED);
}

static void ids_of_one_input_differ_by_kind_and_number_and_repeat(void **state)
{
        const uint8_t random[16] = { 9 };
        (void)state;
        const door_id a = door_id_make(random, DOOR_ID_PERSON, 0);
        const door_id b = door_id_make(random, DOOR_ID_PERSON, 1);
        const door_id c = door_id_make(random, DOOR_ID_FAMILY, 0);
        const door_id again = door_id_make(random, DOOR_ID_PERSON, 0);
        assert_true(door_id_equal(&a, &again));
        assert_false(door_id_equal(&a, &b));
        assert_false(door_id_equal(&a, &c));
        assert_false(door_id_is_zero(&a));
}

static void an_id_is_read_from_ten_bytes_only(void **state)
{
        const uint8_t bytes[11] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };
        door_id id = { { 0 } };
        (void)state;
        assert_false(door_id_from_bytes((door_bytes){ bytes, 9 }, &id));
        assert_false(door_id_from_bytes((door_bytes){ bytes, 11 }, &id));
        assert_false(door_id_from_bytes(DOOR_BYTES_EMPTY, &id));
        assert_true(door_id_is_zero(&id));
        assert_true(door_id_from_bytes((door_bytes){ bytes, 10 }, &id));
        assert_memory_equal(id.bytes, bytes, 10);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_published_vectors_come_out),
                cmocka_unit_test(parts_hash_as_their_concatenation),
                cmocka_unit_test(a_chain_is_the_hash_of_what_was_before_and_the_header),
                cmocka_unit_test(equal_headers_chain_differently_after_another_past),
                cmocka_unit_test(draws_differ_by_seed_label_and_index_and_repeat),
                cmocka_unit_test(every_id_is_read_as_it_was_written),
                cmocka_unit_test(the_check_character_is_the_number_modulo_37),
                cmocka_unit_test(look_alikes_and_lower_case_read_as_what_they_look_like),
                cmocka_unit_test(every_single_wrong_character_is_noticed),
                cmocka_unit_test(two_neighbours_exchanged_are_noticed),
                cmocka_unit_test(what_has_another_length_kind_or_mark_is_no_id),
                cmocka_unit_test(ids_of_one_input_differ_by_kind_and_number_and_repeat),
                cmocka_unit_test(an_id_is_read_from_ten_bytes_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
