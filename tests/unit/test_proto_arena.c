/* Goal: nothing that fails the boundary's checks is unpacked, and what passes always fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/v1/intake.pb-c.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static uint8_t *storage;
static door_arena arena;

static int arena_new(void **state)
{
        (void)state;
        storage = aligned_alloc(64, ARENA_BYTES);
        assert_non_null(storage);
        door_arena_init(&arena, storage, ARENA_BYTES);
        return 0;
}

static int arena_free(void **state)
{
        (void)state;
        free(storage);
        return 0;
}

#define BYTES(text) ((door_bytes){ (const uint8_t *)(text), sizeof(text) - 1 })

/* Contact: 1 kind (enum), 2 value (string), 3 safe (enum). HouseholdMember 1 person (uint32). */
static door_status contact(door_bytes bytes)
{
        return door_proto_check(&door__v1__contact__descriptor, bytes, DOOR_PROTO_COST_MAX);
}

static void clean_text_and_known_values_pass(void **state)
{
        (void)state;
        Door__V1__Contact *message;
        const door_bytes bytes = BYTES("\x08\x01\x12\x03\xC3\xA9x\x18\x03");
        assert_int_equal(contact(bytes), DOOR_OK);
        assert_int_equal(door_proto_read(&door__v1__contact__descriptor, bytes, &arena, &message), DOOR_OK);
        assert_int_equal(message->kind, DOOR__V1__CONTACT_KIND__CONTACT_EMAIL);
        assert_string_equal(message->value, "\xC3\xA9x");
        assert_int_equal(message->safe, DOOR__V1__ANSWER__ANSWER_CANNOT_TELL);
        assert_int_equal(contact(DOOR_BYTES_EMPTY), DOOR_OK);
}

static void bad_utf8_and_nul_in_text_are_malformed_at_every_depth(void **state)
{
        (void)state;
        assert_int_equal(contact(BYTES("\x12\x02\xC3x")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x12\x03"
                                       "a\0b")),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x12\x01\0")), DOOR_MALFORMED);
        /* Person.contact is field 13: key 0x6A. */
        const door_bytes nested = BYTES("\x6A\x04\x12\x02\xC3x");
        assert_int_equal(door_proto_check(&door__v1__person__descriptor, nested, DOOR_PROTO_COST_MAX),
                         DOOR_MALFORMED);
}

static void an_enum_has_one_of_its_values(void **state)
{
        (void)state;
        assert_int_equal(contact(BYTES("\x08\x02")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x08\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x18\x03")), DOOR_OK);
        assert_int_equal(contact(BYTES("\x18\x04")), DOOR_MALFORMED);
        /* Not repeated, so not packed either. */
        assert_int_equal(contact(BYTES("\x0A\x01\x01")), DOOR_MALFORMED);
        /* Referral.flags is field 20, packed: key 0xA2 0x01. */
        assert_int_equal(
                door_proto_check(&door__v1__referral__descriptor, BYTES("\xA2\x01\x02\x01\x02"), 65536),
                DOOR_OK);
        assert_int_equal(
                door_proto_check(&door__v1__referral__descriptor, BYTES("\xA2\x01\x02\x01\x7F"), 65536),
                DOOR_MALFORMED);
        assert_int_equal(
                door_proto_check(&door__v1__referral__descriptor, BYTES("\xA2\x01\x02\x01\x81"), 65536),
                DOOR_MALFORMED);
        assert_int_equal(door_proto_check(&door__v1__referral__descriptor, BYTES("\xA0\x01\x02"), 65536),
                         DOOR_OK);
}

static void a_field_of_another_wire_type_is_malformed(void **state)
{
        (void)state;
        assert_int_equal(contact(BYTES("\x10\x01")), DOOR_MALFORMED);
        assert_int_equal(door_proto_check(&door__v1__person__descriptor, BYTES("\x68\x01"), 65536),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x09"
                                       "12345678")),
                         DOOR_MALFORMED);
}

static void unknown_fields_pass_and_groups_do_not(void **state)
{
        (void)state;
        assert_int_equal(contact(BYTES("\x78\x01\x7A\x02\xC3x\x79"
                                       "12345678\x7D"
                                       "1234")),
                         DOOR_OK);
        assert_int_equal(contact(BYTES("\x7B\x7C")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x7E")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x02\x00")), DOOR_MALFORMED); /* field 0 */
}

static void bytes_that_end_too_soon_are_malformed(void **state)
{
        (void)state;
        assert_int_equal(contact(BYTES("\x08")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x08\x81")), DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x12\x04"
                                       "abc")),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x79"
                                       "1234567")),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x7D"
                                       "123")),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x12\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"
                                       "abc")),
                         DOOR_MALFORMED);
        assert_int_equal(contact(BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")), DOOR_MALFORMED);
}

static void a_missing_required_field_is_malformed(void **state)
{
        (void)state;
        Door__V1__Withdraw *message;
        assert_int_equal(
                door_proto_read(&door__v1__withdraw__descriptor, BYTES("\x12\x01x"), &arena, &message),
                DOOR_MALFORMED);
}

static void few_bytes_that_unfold_into_much_are_too_large_and_what_passes_fits(void **state)
{
        (void)state;
        enum { BYTES_MAX = 256 * 1024 };
        /* Empty people, empty strings (factor 27: 0xDA 0x01 0x00), unknown varints. */
        static const char *const patterns[] = { "\x32", "\xDA\x01", "\xF8\x07", "\xA2\x01" };
        uint8_t *bytes = malloc(BYTES_MAX);
        assert_non_null(bytes);
        for (size_t p = 0; p < sizeof patterns / sizeof patterns[0]; p++) {
                const size_t size = strlen(patterns[p]) + 1;
                size_t passed = 0;
                memcpy(bytes, "\x0A\x01x", 3);
                for (size_t len = 3; len + size <= BYTES_MAX; len += size) {
                        memcpy(bytes + len, patterns[p], size);
                        if (len % 1024 >= size && len + 2 * size <= BYTES_MAX) {
                                continue;
                        }
                        const door_bytes all = { bytes, len + size };
                        Door__V1__Referral *message;
                        const door_status status =
                                door_proto_check(&door__v1__referral__descriptor, all, DOOR_PROTO_COST_MAX);
                        if (status == DOOR_TOO_LARGE) {
                                break;
                        }
                        assert_int_equal(status, DOOR_OK);
                        passed = all.len;
                        door_arena_reset(&arena);
                        assert_int_equal(
                                door_proto_unpack(&door__v1__referral__descriptor, all, &arena, &message),
                                DOOR_OK);
                        assert_true(arena.used <= DOOR_PROTO_COST_MAX);
                }
                assert_true(passed > 4096);
                assert_true(passed < BYTES_MAX - 1024);
        }
        free(bytes);
}

static void the_cost_of_a_packed_list_is_counted(void **state)
{
        (void)state;
        /* alleged_to_have_caused_harm, field 35, packed: 100 zeros become 400 bytes or more. */
        uint8_t bytes[103] = { 0x9A, 0x02, 100 };
        const door_bytes all = { bytes, sizeof bytes };
        const size_t plain = sizeof(Door__V1__Referral) + 256;
        assert_int_equal(door_proto_check(&door__v1__referral__descriptor, all, plain + 300), DOOR_TOO_LARGE);
        assert_int_equal(door_proto_check(&door__v1__referral__descriptor, all, plain + 800), DOOR_OK);
}

static void a_full_arena_is_told_apart_from_bad_bytes(void **state)
{
        (void)state;
        Door__V1__Contact *message;
        const door_bytes bytes = BYTES("\x12\x03"
                                       "abc");
        door_arena small = { .base = storage, .cap = sizeof(Door__V1__Contact) };
        assert_int_equal(door_proto_unpack(&door__v1__contact__descriptor, bytes, &small, &message),
                         DOOR_NO_MEMORY);
        assert_true(small.exhausted);
        assert_int_equal(
                door_proto_unpack(&door__v1__withdraw__descriptor, BYTES("\x12\x01x"), &arena, &message),
                DOOR_MALFORMED);
        assert_false(arena.exhausted);
}

static void packing_needs_exactly_its_room(void **state)
{
        (void)state;
        Door__V1__Contact message = DOOR__V1__CONTACT__INIT;
        message.value = (char *)(uintptr_t) "abc";
        door_bytes packed;
        door_arena small = { .base = storage, .cap = 5 };
        assert_int_equal(door_proto_pack(&message, &small, &packed), DOOR_OK);
        assert_int_equal(packed.len, 5);
        assert_memory_equal(packed.data,
                            "\x12\x03"
                            "abc",
                            5);
        small = (door_arena){ .base = storage, .cap = 4 };
        assert_int_equal(door_proto_pack(&message, &small, &packed), DOOR_NO_MEMORY);
        Door__V1__Contact empty = DOOR__V1__CONTACT__INIT;
        assert_int_equal(door_proto_pack(&empty, &arena, &packed), DOOR_OK);
        assert_int_equal(packed.len, 0);
}

static void a_field_is_found_and_counted_without_unpacking(void **state)
{
        (void)state;
        door_bytes field;
        size_t count;
        const door_bytes bytes = BYTES("\x12\x01"
                                       "a\x08\x01\x12\x02"
                                       "bc\x10\x05");
        assert_true(door_proto_field(bytes, 2, &field, &count));
        assert_int_equal(count, 2);
        assert_true(door_bytes_equal(field, door_bytes_of("bc")));
        assert_true(door_proto_field(bytes, 9, &field, &count));
        assert_int_equal(count, 0);
        assert_int_equal(field.len, 0);
        assert_false(door_proto_field(BYTES("\x12\x09"
                                            "a"),
                                      2, &field, &count));
}

static void strings_are_copied_with_their_nul(void **state)
{
        (void)state;
        assert_string_equal(door_proto_string(&arena, (door_bytes){ (const uint8_t *)"abcdef", 3 }), "abc");
        const char *first = door_proto_string(&arena, door_bytes_of("0123456789abcdef"));
        (void)door_proto_string(&arena, door_bytes_of("next"));
        assert_string_equal(first, "0123456789abcdef");
        assert_null(door_proto_string(&arena, DOOR_BYTES_EMPTY));
        assert_int_equal(door_proto_text(NULL).len, 0);
        assert_int_equal(door_proto_text("abc").len, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_new, arena_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(clean_text_and_known_values_pass),
                TEST(bad_utf8_and_nul_in_text_are_malformed_at_every_depth),
                TEST(an_enum_has_one_of_its_values),
                TEST(a_field_of_another_wire_type_is_malformed),
                TEST(unknown_fields_pass_and_groups_do_not),
                TEST(bytes_that_end_too_soon_are_malformed),
                TEST(a_missing_required_field_is_malformed),
                TEST(few_bytes_that_unfold_into_much_are_too_large_and_what_passes_fits),
                TEST(the_cost_of_a_packed_list_is_counted),
                TEST(a_full_arena_is_told_apart_from_bad_bytes),
                TEST(packing_needs_exactly_its_room),
                TEST(a_field_is_found_and_counted_without_unpacking),
                TEST(strings_are_copied_with_their_nul),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
