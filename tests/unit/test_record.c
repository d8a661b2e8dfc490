/*
 * Goal: a header comes back as it was packed, anything that is no header or over a bound is
 * refused, and no bit of a header or payload can change unnoticed.
 * Method: one header with every field, one with none; every cut and every flipped bit of its bytes;
 * messages over the bounds packed by protobuf-c itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/v1/envelope.pb-c.h"
#include "shell/frame.h"
#include "shell/record.h"

enum { ARENA_BYTES = 256 * 1024 };

typedef struct bench {
        _Alignas(16) uint8_t storage[ARENA_BYTES];
        door_arena arena;
} bench;

static bench *fresh(void)
{
        static bench b;
        door_arena_init(&b.arena, b.storage, sizeof b.storage);
        return &b;
}

static door_hash hash_number(uint32_t n)
{
        uint8_t number[4];
        door_put_u32(number, n);
        return door_hash_of_one((door_bytes){ number, sizeof number });
}

/* Every field set, every list full. */
static door_header full_header(void)
{
        static const uint8_t random[16] = { 3 };
        door_header h = {
                .seq = UINT64_MAX,
                .type = UINT32_MAX,
                .version = 7,
                .flags = DOOR_FLAG_IGNORABLE | DOOR_FLAG_CLOCK_DOUBTED,
                .cause = { 2, 99 },
                .has_command_id = true,
                .command_id = hash_number(1),
                .command_digest = hash_number(2),
                .seen_count = DOOR_SEEN_MAX,
                .subjects_count = DOOR_SUBJECTS_MAX,
                .actor = door_bytes_of("school/Ní Bhriain"),
                .at_ms = UINT64_C(1700000000123),
                .has_public = true,
                .public_digest = hash_number(3),
                .has_private = true,
                .private_digest = hash_number(4),
                .hops = 5,
                .index = 6,
        };
        for (uint32_t i = 0; i < DOOR_SEEN_MAX; i++) {
                h.seen[i] = (door_position){ i + 1, UINT64_MAX - i };
        }
        for (uint32_t i = 0; i < DOOR_SUBJECTS_MAX; i++) {
                h.subjects[i] = (door_subject){ (uint8_t)('A' + i), door_id_make(random, DOOR_ID_PERSON, i) };
        }
        return h;
}

static door_header small_header(void)
{
        return (door_header){ .seq = 1, .type = 16, .version = 1, .at_ms = 1, .hops = 1 };
}

static void assert_same_header(const door_header *a, const door_header *b)
{
        assert_true(a->seq == b->seq && a->type == b->type && a->version == b->version &&
                    a->flags == b->flags);
        assert_true(a->cause.log == b->cause.log && a->cause.seq == b->cause.seq);
        assert_int_equal(a->has_command_id, b->has_command_id);
        assert_true(door_hash_equal(&a->command_id, &b->command_id));
        assert_true(door_hash_equal(&a->command_digest, &b->command_digest));
        assert_int_equal(a->seen_count, b->seen_count);
        for (uint32_t i = 0; i < a->seen_count; i++) {
                assert_true(a->seen[i].log == b->seen[i].log && a->seen[i].seq == b->seen[i].seq);
        }
        assert_int_equal(a->subjects_count, b->subjects_count);
        for (uint32_t i = 0; i < a->subjects_count; i++) {
                assert_int_equal(a->subjects[i].kind, b->subjects[i].kind);
                assert_true(door_id_equal(&a->subjects[i].id, &b->subjects[i].id));
        }
        assert_true(door_bytes_equal(a->actor, b->actor));
        assert_true(a->at_ms == b->at_ms && a->hops == b->hops && a->index == b->index);
        assert_int_equal(a->has_public, b->has_public);
        assert_int_equal(a->has_private, b->has_private);
        assert_true(door_hash_equal(&a->public_digest, &b->public_digest));
        assert_true(door_hash_equal(&a->private_digest, &b->private_digest));
}

static void round_trip(const door_header *header)
{
        bench *b = fresh();
        door_bytes bytes;
        door_bytes again;
        door_header back;
        assert_int_equal(door_header_encode(header, &b->arena, &bytes), DOOR_OK);
        assert_int_equal(door_header_decode(bytes, &b->arena, &back), DOOR_OK);
        assert_same_header(header, &back);
        assert_int_equal(door_header_encode(&back, &b->arena, &again), DOOR_OK);
        assert_true(door_bytes_equal(bytes, again));
}

static void a_header_with_every_field_comes_back(void **state)
{
        const door_header h = full_header();
        (void)state;
        round_trip(&h);
}

static void a_header_with_nothing_optional_comes_back(void **state)
{
        const door_header h = small_header();
        (void)state;
        round_trip(&h);
}

static void lists_of_every_length_come_back(void **state)
{
        (void)state;
        for (uint32_t n = 0; n <= DOOR_SUBJECTS_MAX; n++) {
                door_header h = full_header();
                h.subjects_count = n;
                h.seen_count = n < DOOR_SEEN_MAX ? n : DOOR_SEEN_MAX;
                h.has_private = n % 2 == 0;
                if (!h.has_private) {
                        memset(&h.private_digest, 0, sizeof h.private_digest);
                }
                round_trip(&h);
        }
}

static void seen_is_nought_for_a_log_that_is_not_named(void **state)
{
        const door_header h = full_header();
        (void)state;
        assert_true(door_header_seen(&h, 1) == UINT64_MAX);
        assert_true(door_header_seen(&h, DOOR_SEEN_MAX) == UINT64_MAX - (DOOR_SEEN_MAX - 1));
        assert_true(door_header_seen(&h, DOOR_SEEN_MAX + 1) == 0);
}

static void a_header_that_does_not_fit_is_no_memory_and_nothing_else(void **state)
{
        bench *b = fresh();
        const door_header h = full_header();
        door_bytes bytes;
        (void)state;
        assert_int_equal(door_header_encode(&h, &b->arena, &bytes), DOOR_OK);
        uint8_t *copy = malloc(bytes.len);
        assert_non_null(copy);
        memcpy(copy, bytes.data, bytes.len);
        bool fitted[2] = { false, false };
        for (size_t cap = 0; cap < 16384; cap += 16) {
                door_header back = { .seq = 42 };
                door_bytes again;
                door_arena_init(&b->arena, b->storage, cap);
                door_status status = door_header_decode((door_bytes){ copy, bytes.len }, &b->arena, &back);
                fitted[0] |= status == DOOR_OK;
                assert_int_equal(status, fitted[0] ? DOOR_OK : DOOR_NO_MEMORY);
                assert_true(fitted[0] || back.seq == 42);
                door_arena_init(&b->arena, b->storage, cap);
                status = door_header_encode(&h, &b->arena, &again);
                fitted[1] |= status == DOOR_OK;
                assert_int_equal(status, fitted[1] ? DOOR_OK : DOOR_NO_MEMORY);
        }
        assert_true(fitted[0] && fitted[1]);
        free(copy);
}

/* What protobuf-c packs, as our decoder judges it. */
static door_status judged(const Door__V1__RecordHeader *message)
{
        bench *b = fresh();
        door_header back = { .seq = 42 };
        const door_bytes bytes = door_frame_pack(&message->base, &b->arena);
        assert_true(bytes.len > 0);
        const door_status status = door_header_decode(bytes, &b->arena, &back);
        assert_true(status == DOOR_OK || back.seq == 42);
        return status;
}

static Door__V1__RecordHeader plain_message(void)
{
        Door__V1__RecordHeader m = DOOR__V1__RECORD_HEADER__INIT;
        m.seq = 1;
        m.type = 16;
        m.version = 1;
        m.at_ms = 1;
        m.hops = 1;
        return m;
}

static void a_header_of_record_nought_is_malformed(void **state)
{
        Door__V1__RecordHeader m = plain_message();
        (void)state;
        assert_int_equal(judged(&m), DOOR_OK);
        m.seq = 0;
        assert_int_equal(judged(&m), DOOR_MALFORMED);
}

static void one_more_subject_or_log_than_may_be_is_malformed(void **state)
{
        Door__V1__RecordHeader m = plain_message();
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        Door__V1__Position *seen[DOOR_SEEN_MAX + 1];
        ProtobufCBinaryData subjects[DOOR_SUBJECTS_MAX + 1];
        uint8_t subject[DOOR_SUBJECT_BYTES] = { 'R' };
        (void)state;
        for (size_t i = 0; i <= DOOR_SEEN_MAX; i++) {
                seen[i] = &position;
        }
        for (size_t i = 0; i <= DOOR_SUBJECTS_MAX; i++) {
                subjects[i] = (ProtobufCBinaryData){ sizeof subject, subject };
        }
        m.seen = seen;
        m.subject = subjects;
        m.n_seen = DOOR_SEEN_MAX;
        m.n_subject = DOOR_SUBJECTS_MAX;
        assert_int_equal(judged(&m), DOOR_OK);
        m.n_seen = DOOR_SEEN_MAX + 1;
        assert_int_equal(judged(&m), DOOR_MALFORMED);
        m.n_seen = 0;
        m.n_subject = DOOR_SUBJECTS_MAX + 1;
        assert_int_equal(judged(&m), DOOR_MALFORMED);
}

static void a_subject_of_another_length_is_malformed(void **state)
{
        uint8_t bytes[DOOR_SUBJECT_BYTES + 1] = { 'R' };
        (void)state;
        for (size_t len = 0; len <= sizeof bytes; len++) {
                Door__V1__RecordHeader m = plain_message();
                ProtobufCBinaryData subject = { len, bytes };
                m.n_subject = 1;
                m.subject = &subject;
                assert_int_equal(judged(&m), len == DOOR_SUBJECT_BYTES ? DOOR_OK : DOOR_MALFORMED);
        }
}

static void digests_and_ids_of_another_length_are_malformed(void **state)
{
        uint8_t bytes[DOOR_HASH_BYTES + 1] = { 1 };
        (void)state;
        for (size_t len = 0; len <= sizeof bytes; len++) {
                const door_status wanted = len == DOOR_HASH_BYTES ? DOOR_OK : DOOR_MALFORMED;
                Door__V1__RecordHeader m = plain_message();
                m.has_public_digest = 1;
                m.public_digest = (ProtobufCBinaryData){ len, bytes };
                assert_int_equal(judged(&m), wanted);
                m = plain_message();
                m.has_private_digest = 1;
                m.private_digest = (ProtobufCBinaryData){ len, bytes };
                assert_int_equal(judged(&m), wanted);
                m = plain_message();
                m.has_command_id = m.has_command_digest = 1;
                m.command_id = (ProtobufCBinaryData){ len, bytes };
                m.command_digest = (ProtobufCBinaryData){ DOOR_HASH_BYTES, bytes };
                assert_int_equal(judged(&m), wanted);
                m.command_id = m.command_digest;
                m.command_digest = (ProtobufCBinaryData){ len, bytes };
                assert_int_equal(judged(&m), wanted);
        }
}

static void a_command_id_without_its_digest_is_malformed(void **state)
{
        uint8_t bytes[DOOR_HASH_BYTES] = { 1 };
        Door__V1__RecordHeader m = plain_message();
        (void)state;
        m.has_command_id = 1;
        m.command_id = (ProtobufCBinaryData){ sizeof bytes, bytes };
        assert_int_equal(judged(&m), DOOR_MALFORMED);
        m.has_command_id = 0;
        m.has_command_digest = 1;
        m.command_digest = m.command_id;
        assert_int_equal(judged(&m), DOOR_MALFORMED);
}

static void a_header_that_lacks_a_required_field_is_malformed(void **state)
{
        /* seq, type, version, at_ms, hops; each left out once. */
        static const uint8_t fields[5][2] = {
                { 0x08, 1 }, { 0x10, 16 }, { 0x18, 1 }, { 0x58, 1 }, { 0x70, 1 }
        };
        (void)state;
        for (size_t without = 0; without <= 5; without++) {
                bench *b = fresh();
                uint8_t bytes[10];
                size_t len = 0;
                door_header back;
                for (size_t i = 0; i < 5; i++) {
                        if (i != without) {
                                memcpy(bytes + len, fields[i], 2);
                                len += 2;
                        }
                }
                assert_int_equal(door_header_decode((door_bytes){ bytes, len }, &b->arena, &back),
                                 without == 5 ? DOOR_OK : DOOR_MALFORMED);
        }
}

/* Decoding must survive; what it answers depends on where the damage is. */
static void damage_never_reads_beyond_and_never_leaves_half_a_header(void **state)
{
        bench *b = fresh();
        const door_header h = full_header();
        door_bytes bytes;
        (void)state;
        assert_int_equal(door_header_encode(&h, &b->arena, &bytes), DOOR_OK);
        const size_t len = bytes.len;
        uint8_t *whole = malloc(len);
        assert_non_null(whole);
        memcpy(whole, bytes.data, len);
        for (size_t cut = 0; cut < len; cut++) {
                uint8_t *part = malloc(cut + 1);
                door_header back = { .seq = 42 };
                assert_non_null(part);
                memcpy(part, whole, cut);
                b = fresh();
                const door_status status = door_header_decode((door_bytes){ part, cut }, &b->arena, &back);
                assert_true(status == DOOR_OK || (status == DOOR_MALFORMED && back.seq == 42));
                free(part);
        }
        for (size_t bit = 0; bit < 8 * len; bit++) {
                door_header back = { .seq = 42 };
                whole[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                b = fresh();
                const door_status status = door_header_decode((door_bytes){ whole, len }, &b->arena, &back);
                assert_true(status == DOOR_OK || back.seq == 42);
                assert_true(back.seen_count <= DOOR_SEEN_MAX && back.subjects_count <= DOOR_SUBJECTS_MAX);
                whole[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        free(whole);
}

static void one_flipped_bit_anywhere_in_a_header_changes_the_chain(void **state)
{
        bench *b = fresh();
        const door_header h = full_header();
        const uint8_t log_id[16] = { 1 };
        const door_hash before = door_hash_log_start(log_id);
        door_bytes bytes;
        (void)state;
        assert_int_equal(door_header_encode(&h, &b->arena, &bytes), DOOR_OK);
        uint8_t *own = door_arena_take(&b->arena, bytes.len);
        memcpy(own, bytes.data, bytes.len);
        const door_hash right = door_hash_chain(&before, bytes);
        for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
                own[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                const door_hash wrong = door_hash_chain(&before, (door_bytes){ own, bytes.len });
                assert_false(door_hash_equal(&right, &wrong));
                own[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
}

static void a_payload_opens_with_its_digest_and_without_its_salt(void **state)
{
        static const size_t lengths[] = { 0, 1, 15, 16, 17, 1000 };
        const uint8_t salt[DOOR_SALT_BYTES] = { 1, 2, 3 };
        (void)state;
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
                bench *b = fresh();
                uint8_t content[1000];
                door_bytes salted;
                door_bytes payload;
                door_hash digest;
                memset(content, (int)i, sizeof content);
                const door_bytes in = { content, lengths[i] };
                assert_int_equal(door_payload_salt(in, salt, &b->arena, &salted, &digest), DOOR_OK);
                assert_int_equal(salted.len, lengths[i] + DOOR_SALT_BYTES);
                assert_memory_equal(salted.data, salt, DOOR_SALT_BYTES);
                assert_true(door_payload_open(salted, &digest, &payload));
                assert_true(door_bytes_equal(payload, in));
        }
}

static void equal_payloads_have_other_digests_under_another_salt(void **state)
{
        bench *b = fresh();
        const uint8_t salts[2][DOOR_SALT_BYTES] = { { 1 }, { 2 } };
        door_bytes salted;
        door_hash digests[2];
        (void)state;
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(
                        door_payload_salt(door_bytes_of("no"), salts[i], &b->arena, &salted, &digests[i]),
                        DOOR_OK);
        }
        assert_false(door_hash_equal(&digests[0], &digests[1]));
}

static void a_payload_with_one_flipped_bit_or_too_short_does_not_open(void **state)
{
        bench *b = fresh();
        const uint8_t salt[DOOR_SALT_BYTES] = { 9 };
        door_bytes salted;
        door_bytes payload = door_bytes_of("untouched");
        door_hash digest;
        (void)state;
        assert_int_equal(door_payload_salt(door_bytes_of("hello"), salt, &b->arena, &salted, &digest),
                         DOOR_OK);
        uint8_t *own = door_arena_take(&b->arena, salted.len);
        memcpy(own, salted.data, salted.len);
        for (size_t bit = 0; bit < 8 * salted.len; bit++) {
                own[bit / 8] ^= (uint8_t)(1U << (bit % 8));
                assert_false(door_payload_open((door_bytes){ own, salted.len }, &digest, &payload));
                own[bit / 8] ^= (uint8_t)(1U << (bit % 8));
        }
        for (size_t len = 0; len < salted.len; len++) {
                const door_hash of_part = door_hash_of_one((door_bytes){ own, len });
                assert_false(door_payload_open((door_bytes){ own, len }, &digest, &payload));
                assert_int_equal(door_payload_open((door_bytes){ own, len }, &of_part, &payload),
                                 len >= DOOR_SALT_BYTES);
                payload = door_bytes_of("untouched");
        }
}

static void a_salted_payload_that_does_not_fit_is_no_memory(void **state)
{
        bench *b = fresh();
        const uint8_t salt[DOOR_SALT_BYTES] = { 9 };
        door_bytes salted = door_bytes_of("untouched");
        door_hash digest;
        (void)state;
        door_arena_init(&b->arena, b->storage, DOOR_SALT_BYTES + 4);
        assert_int_equal(door_payload_salt(door_bytes_of("hello"), salt, &b->arena, &salted, &digest),
                         DOOR_NO_MEMORY);
        assert_true(door_bytes_equal(salted, door_bytes_of("untouched")));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_header_with_every_field_comes_back),
                cmocka_unit_test(a_header_with_nothing_optional_comes_back),
                cmocka_unit_test(lists_of_every_length_come_back),
                cmocka_unit_test(seen_is_nought_for_a_log_that_is_not_named),
                cmocka_unit_test(a_header_that_does_not_fit_is_no_memory_and_nothing_else),
                cmocka_unit_test(a_header_of_record_nought_is_malformed),
                cmocka_unit_test(one_more_subject_or_log_than_may_be_is_malformed),
                cmocka_unit_test(a_subject_of_another_length_is_malformed),
                cmocka_unit_test(digests_and_ids_of_another_length_are_malformed),
                cmocka_unit_test(a_command_id_without_its_digest_is_malformed),
                cmocka_unit_test(a_header_that_lacks_a_required_field_is_malformed),
                cmocka_unit_test(damage_never_reads_beyond_and_never_leaves_half_a_header),
                cmocka_unit_test(one_flipped_bit_anywhere_in_a_header_changes_the_chain),
                cmocka_unit_test(a_payload_opens_with_its_digest_and_without_its_salt),
                cmocka_unit_test(equal_payloads_have_other_digests_under_another_salt),
                cmocka_unit_test(a_payload_with_one_flipped_bit_or_too_short_does_not_open),
                cmocka_unit_test(a_salted_payload_that_does_not_fit_is_no_memory),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
