/*
 * Goal: what the shell remembers is a fold of the log: results, parked records, the policy.
 * Method: headers made by hand are applied over a memory reader, one batch each, and asked back.
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
#include "shell/shell_state.h"
#include "support/memory_reader.h"

enum { ARENA_BYTES = 2 * DOOR_MIB, EVENT_TYPE = 16 };

#define DAY_MS   UINT64_C(86400000)
#define START_MS UINT64_C(1700000000000)

typedef struct bench {
        memory_reader memory;
        door_arena arena;
        void *storage;
        door_view view;
        uint64_t seq;
} bench;

static void view_begin(bench *b)
{
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        door_view_init(&b->view, &b->memory.reader, &b->arena);
}

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);
        if (b == NULL) {
                return -1;
        }
        b->storage = aligned_alloc(64, ARENA_BYTES);
        memory_reader_init(&b->memory);
        view_begin(b);
        *state = b;
        return b->storage == NULL ? -1 : 0;
}

static int teardown(void **state)
{
        bench *b = *state;
        memory_reader_done(&b->memory);
        free(b->storage);
        free(b);
        return 0;
}

/* The next record, folded and carried out. */
static door_status fold(bench *b, door_header *header, door_bytes payload)
{
        header->seq = ++b->seq;
        b->view.writable = true;
        const door_status status = shell_state_apply(&b->view, header, payload, &b->arena);
        b->view.writable = false;
        assert_int_equal(b->view.latch, DOOR_OK);
        memory_reader_absorb(&b->memory, &b->view);
        return status;
}

static door_hash hash_number(uint32_t n)
{
        uint8_t number[4];
        door_put_u32(number, n);
        return door_hash_of_one((door_bytes){ number, sizeof number });
}

static void fold_command(bench *b, uint32_t id, uint32_t digest, uint64_t at_ms, uint32_t index)
{
        door_header header = { .type = EVENT_TYPE,
                               .version = 1,
                               .at_ms = at_ms,
                               .has_command_id = true,
                               .command_id = hash_number(id),
                               .command_digest = hash_number(digest),
                               .index = index };
        view_begin(b);
        assert_int_equal(fold(b, &header, DOOR_BYTES_EMPTY), DOOR_OK);
}

static void fold_event(bench *b, uint64_t at_ms)
{
        door_header header = { .type = EVENT_TYPE, .version = 1, .at_ms = at_ms };
        view_begin(b);
        assert_int_equal(fold(b, &header, DOOR_BYTES_EMPTY), DOOR_OK);
}

static door_result_known known(bench *b, uint32_t id, uint32_t digest, uint64_t *ret_seq)
{
        const door_hash hash = hash_number(id);
        const door_hash content = hash_number(digest);
        bool refused = false;
        view_begin(b);
        return shell_state_result(&b->view, &hash, &content, ret_seq, &refused);
}

static void a_result_is_known_by_id_and_digest(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_NEW);
        fold_event(b, START_MS);
        fold_command(b, 1, 1, START_MS, 0);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 2);
        assert_int_equal(known(b, 1, 2, &seq), DOOR_RESULT_OTHER);
        assert_int_equal(known(b, 2, 1, &seq), DOOR_RESULT_NEW);
}

static void an_id_decided_twice_answers_each_content_from_its_own_record(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_command(b, 1, 2, START_MS, 0);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 1);
        assert_int_equal(known(b, 1, 2, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 2);
        assert_int_equal(known(b, 1, 3, &seq), DOOR_RESULT_OTHER);
}

static void only_the_first_record_of_a_command_answers_it(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_command(b, 1, 1, START_MS, 1);
        fold_command(b, 1, 1, START_MS, 2);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 1);
        assert_int_equal(memory_reader_rows_of(&b->memory, DOOR_TABLE_SHELL), 1);
}

static void a_result_is_kept_thirty_days_to_the_millisecond(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_event(b, START_MS + DOOR_RESULTS_DAYS * DAY_MS - 1);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        fold_event(b, START_MS + DOOR_RESULTS_DAYS * DAY_MS);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_NEW);
        assert_int_equal(b->memory.count, 0);
}

static void results_are_forgotten_four_at_a_time_and_oldest_first(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        for (uint32_t i = 0; i < 10; i++) {
                fold_command(b, i, i, START_MS + i, 0);
        }
        for (uint32_t round = 1; round <= 3; round++) {
                fold_event(b, START_MS + 31 * DAY_MS);
                for (uint32_t i = 0; i < 10; i++) {
                        const bool gone = i < round * DOOR_RESULTS_PRUNED_PER_RECORD;
                        assert_int_equal(known(b, i, i, &seq), gone ? DOOR_RESULT_NEW : DOOR_RESULT_SAME);
                }
        }
        assert_int_equal(b->memory.count, 0);
}

static void a_young_result_behind_an_old_one_stays(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_command(b, 2, 2, START_MS + 20 * DAY_MS, 0);
        fold_event(b, START_MS + 31 * DAY_MS);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_NEW);
        assert_int_equal(known(b, 2, 2, &seq), DOOR_RESULT_SAME);
}

static void a_forgotten_command_can_be_decided_again(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_event(b, START_MS + 31 * DAY_MS);
        fold_command(b, 1, 1, START_MS + 32 * DAY_MS, 0);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 3);
        fold_event(b, START_MS + 63 * DAY_MS);
        assert_int_equal(b->memory.count, 0);
}

static void a_command_decided_again_is_forgotten_once_and_nothing_is_left(void **state)
{
        bench *b = *state;
        uint64_t seq = 0;
        fold_command(b, 1, 1, START_MS, 0);
        fold_command(b, 1, 1, START_MS + DAY_MS, 0);
        assert_int_equal(known(b, 1, 1, &seq), DOOR_RESULT_SAME);
        assert_true(seq == 2);
        fold_event(b, START_MS + 40 * DAY_MS);
        fold_event(b, START_MS + 41 * DAY_MS);
        assert_int_equal(b->memory.count, 0);
}

static door_subject subject(uint8_t kind, uint32_t n)
{
        const uint8_t random[16] = { 5 };
        return (door_subject){ kind, door_id_make(random, DOOR_ID_FAMILY, n) };
}

static void park(bench *b, door_position record, const door_subject *subjects, uint32_t count)
{
        Door__V1__Parked parked = DOOR__V1__PARKED__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        door_header header = { .type = DOOR__V1__SHELL_TYPE__SHELL_PARKED,
                               .version = 1,
                               .at_ms = START_MS,
                               .subjects_count = count };
        memcpy(header.subjects, subjects, count * sizeof *subjects);
        position.log = record.log;
        position.seq = record.seq;
        parked.record = &position;
        parked.reason = (char *)(uintptr_t) "DECODE";
        view_begin(b);
        assert_int_equal(fold(b, &header, door_frame_pack(&parked.base, &b->arena)), DOOR_OK);
}

static void release(bench *b, door_position record)
{
        Door__V1__Released released = DOOR__V1__RELEASED__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        door_header header = { .type = DOOR__V1__SHELL_TYPE__SHELL_RELEASED,
                               .version = 1,
                               .at_ms = START_MS };
        position.log = record.log;
        position.seq = record.seq;
        released.record = &position;
        view_begin(b);
        assert_int_equal(fold(b, &header, door_frame_pack(&released.base, &b->arena)), DOOR_OK);
}

static void assert_blocked_by(bench *b, const door_subject *about, uint32_t log, uint64_t seq)
{
        door_position record = { 0, 0 };
        view_begin(b);
        assert_int_equal(shell_state_blocked(&b->view, about, &record), seq != 0);
        assert_int_equal(record.log, log);
        assert_true(record.seq == seq);
}

static void a_parked_record_is_found_with_its_subjects(void **state)
{
        bench *b = *state;
        const door_subject about[] = { subject('F', 1), subject('R', 2) };
        door_parked_row row;
        fold_event(b, START_MS);
        park(b, (door_position){ 1, 77 }, about, 2);
        view_begin(b);
        assert_true(shell_state_parked(&b->view, (door_position){ 1, 77 }, &row));
        assert_true(row.own_seq == 2);
        assert_int_equal(row.subjects_count, 2);
        for (size_t i = 0; i < 2; i++) {
                assert_int_equal(row.subjects[i].kind, about[i].kind);
                assert_true(door_id_equal(&row.subjects[i].id, &about[i].id));
        }
        assert_false(shell_state_parked(&b->view, (door_position){ 1, 78 }, &row));
        assert_false(shell_state_parked(&b->view, (door_position){ 2, 77 }, &row));
        assert_int_equal(shell_state_parked_count(&b->view), 1);
}

static void the_oldest_parked_record_of_a_subject_blocks_it(void **state)
{
        bench *b = *state;
        const door_subject one = subject('F', 1);
        const door_subject two = subject('F', 2);
        const door_subject other_kind = { 'R', one.id };
        /* Parked in an order that is not that of the logs' numbers. */
        park(b, (door_position){ 3, 50 }, &one, 1);
        park(b, (door_position){ 1, 60 }, &one, 1);
        park(b, (door_position){ 2, 10 }, &two, 1);
        assert_blocked_by(b, &one, 3, 50);
        assert_blocked_by(b, &two, 2, 10);
        assert_blocked_by(b, &other_kind, 0, 0);
        release(b, (door_position){ 3, 50 });
        assert_blocked_by(b, &one, 1, 60);
        release(b, (door_position){ 1, 60 });
        assert_blocked_by(b, &one, 0, 0);
        assert_blocked_by(b, &two, 2, 10);
}

static void releasing_everything_leaves_only_the_count(void **state)
{
        bench *b = *state;
        door_subject about[DOOR_SUBJECTS_MAX];
        for (uint32_t i = 0; i < DOOR_SUBJECTS_MAX; i++) {
                about[i] = subject('P', i);
        }
        park(b, (door_position){ 1, 1 }, about, DOOR_SUBJECTS_MAX);
        park(b, (door_position){ 1, 2 }, about, 0);
        view_begin(b);
        assert_int_equal(shell_state_parked_count(&b->view), 2);
        release(b, (door_position){ 1, 1 });
        release(b, (door_position){ 1, 2 });
        view_begin(b);
        assert_int_equal(shell_state_parked_count(&b->view), 0);
        assert_int_equal(b->memory.count, 1);
}

static void releasing_what_is_not_parked_changes_nothing(void **state)
{
        bench *b = *state;
        const door_subject one = subject('F', 1);
        park(b, (door_position){ 1, 1 }, &one, 1);
        release(b, (door_position){ 1, 2 });
        view_begin(b);
        assert_int_equal(shell_state_parked_count(&b->view), 1);
        assert_blocked_by(b, &one, 1, 1);
}

static door_status activate(bench *b, const char *version, door_bytes content, size_t digest_len)
{
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;
        uint8_t digest[64] = { 7 };
        door_header header = { .type = DOOR__V1__SHELL_TYPE__SHELL_POLICY_ACTIVATED,
                               .version = 1,
                               .at_ms = START_MS };
        policy.version = (char *)(uintptr_t)version;
        policy.digest = (ProtobufCBinaryData){ digest_len, digest };
        policy.content = door_proto_data(content);
        view_begin(b);
        return fold(b, &header, door_frame_pack(&policy.base, &b->arena));
}

static void the_last_policy_activated_is_the_active_one(void **state)
{
        bench *b = *state;
        door_policy_row row;
        assert_false(shell_state_policy(&b->view, &row));
        assert_int_equal(activate(b, "2026-01", door_bytes_of("first"), DOOR_HASH_BYTES), DOOR_OK);
        assert_int_equal(activate(b, "2026-02", door_bytes_of("second"), DOOR_HASH_BYTES), DOOR_OK);
        view_begin(b);
        assert_true(shell_state_policy(&b->view, &row));
        assert_true(row.seq == 2);
        assert_true(door_bytes_equal(row.version, door_bytes_of("2026-02")));
        assert_true(door_bytes_equal(row.content, door_bytes_of("second")));
}

static void the_largest_policy_goes_in_and_twice_as_much_is_malformed(void **state)
{
        bench *b = *state;
        uint8_t *content = calloc(1, 2 * DOOR_POLICY_BYTES_MAX);
        door_policy_row row;
        assert_non_null(content);
        assert_int_equal(activate(b, "v", (door_bytes){ content, DOOR_POLICY_BYTES_MAX }, DOOR_HASH_BYTES),
                         DOOR_OK);
        view_begin(b);
        assert_true(shell_state_policy(&b->view, &row));
        assert_int_equal(row.content.len, DOOR_POLICY_BYTES_MAX);
        assert_int_equal(
                activate(b, "v", (door_bytes){ content, 2 * DOOR_POLICY_BYTES_MAX }, DOOR_HASH_BYTES),
                DOOR_MALFORMED);
        free(content);
}

static void a_policy_with_a_digest_of_another_length_is_malformed(void **state)
{
        bench *b = *state;
        assert_int_equal(activate(b, "v", door_bytes_of("x"), DOOR_HASH_BYTES - 1), DOOR_MALFORMED);
        assert_int_equal(activate(b, "v", door_bytes_of("x"), DOOR_HASH_BYTES + 1), DOOR_MALFORMED);
        assert_int_equal(b->memory.count, 0);
}

static void a_shell_payload_that_does_not_decode_is_malformed(void **state)
{
        bench *b = *state;
        const uint32_t types[] = { DOOR__V1__SHELL_TYPE__SHELL_PARKED, DOOR__V1__SHELL_TYPE__SHELL_RELEASED,
                                   DOOR__V1__SHELL_TYPE__SHELL_POLICY_ACTIVATED };
        for (size_t i = 0; i < 3; i++) {
                door_header header = { .type = types[i], .version = 1, .at_ms = START_MS };
                view_begin(b);
                assert_int_equal(fold(b, &header, door_bytes_of("\xFF\xFF")), DOOR_MALFORMED);
                view_begin(b);
                assert_int_equal(fold(b, &header, DOOR_BYTES_EMPTY), DOOR_MALFORMED);
        }
        assert_int_equal(b->memory.count, 0);
}

static void two_folds_of_one_history_are_equal_byte_for_byte(void **state)
{
        bench *b = *state;
        bench *other = NULL;
        assert_int_equal(setup((void **)&other), 0);
        bench *both[] = { b, other };
        for (size_t i = 0; i < 2; i++) {
                const door_subject one = subject('F', 1);
                for (uint32_t n = 0; n < 40; n++) {
                        fold_command(both[i], n, n / 2, START_MS + n * DAY_MS, n % 3 == 0 ? 0 : n % 2);
                }
                park(both[i], (door_position){ 1, 5 }, &one, 1);
                park(both[i], (door_position){ 1, 6 }, &one, 1);
                release(both[i], (door_position){ 1, 5 });
                assert_int_equal(activate(both[i], "v", door_bytes_of("x"), DOOR_HASH_BYTES), DOOR_OK);
        }
        assert_true(memory_reader_equal(&b->memory, &other->memory));
        assert_int_equal(teardown((void **)&other), 0);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(a_result_is_known_by_id_and_digest),
                RULE(an_id_decided_twice_answers_each_content_from_its_own_record),
                RULE(only_the_first_record_of_a_command_answers_it),
                RULE(a_result_is_kept_thirty_days_to_the_millisecond),
                RULE(results_are_forgotten_four_at_a_time_and_oldest_first),
                RULE(a_young_result_behind_an_old_one_stays),
                RULE(a_forgotten_command_can_be_decided_again),
                RULE(a_command_decided_again_is_forgotten_once_and_nothing_is_left),
                RULE(a_parked_record_is_found_with_its_subjects),
                RULE(the_oldest_parked_record_of_a_subject_blocks_it),
                RULE(releasing_everything_leaves_only_the_count),
                RULE(releasing_what_is_not_parked_changes_nothing),
                RULE(the_last_policy_activated_is_the_active_one),
                RULE(the_largest_policy_goes_in_and_twice_as_much_is_malformed),
                RULE(a_policy_with_a_digest_of_another_length_is_malformed),
                RULE(a_shell_payload_that_does_not_decode_is_malformed),
                RULE(two_folds_of_one_history_are_equal_byte_for_byte),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
