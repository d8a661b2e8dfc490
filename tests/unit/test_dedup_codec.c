/*
 * Goal: names fold to what they are compared by, and what deduplication logs is what it decided.
 * Method: a table of names; referrals packed with protobuf-c go decode, decide, encode, decode,
 * apply, and the state is the one that the undecoded event makes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deduplication/dedup_codec.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "shell/proto_arena.h"
#include "support/memory_reader.h"

enum { ARENA_BYTES = 32 * DOOR_MIB, PEOPLE_MAX = 20, FACTS_BYTES = DOOR_KIB, FACTS_PERSON_BYTES = 32 };

typedef struct bench {
        door_arena arena;
        void *storage;
        memory_reader memory;
} bench;

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);
        if (b == NULL) {
                return -1;
        }
        b->storage = aligned_alloc(64, ARENA_BYTES);
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        memory_reader_init(&b->memory);
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

static void assert_folds(bench *b, const char *name, const char *wanted)
{
        const door_bytes folded = dedup_fold_name(door_bytes_of(name), &b->arena);
        if (!door_bytes_equal(folded, door_bytes_of(wanted))) {
                fail_msg("%s became %.*s", name, (int)folded.len, (const char *)folded.data);
        }
}

static void names_fold_to_what_they_are_compared_by(void **state)
{
        bench *b = *state;
        assert_folds(b, "Łukasz", "lukasz");
        assert_folds(b, "O'Brien", "obrien");
        assert_folds(b, "O’Brien", "obrien");
        assert_folds(b, "O‘Brien", "obrien");
        assert_folds(b, "Ní Bhriain", "ni bhriain");
        assert_folds(b, "  Anne-Marie   Smith ", "anne marie smith");
        assert_folds(b, "Smith–Jones", "smith jones");
        assert_folds(b, "Müller Straße", "muller strasse");
        assert_folds(b, "Zoe\xCC\x88", "zoe"); /* a combining mark */
        assert_folds(b, "J. R.", "j r");
        assert_folds(b, "Ольга", "Ольга");
        assert_folds(b, "李", "李");
}

static void words_that_name_nobody_are_left_out(void **state)
{
        bench *b = *state;
        assert_folds(b, "Unborn Baby", "");
        assert_folds(b, "Baby Smith", "smith");
        assert_folds(b, "Not known", "");
        assert_folds(b, "UNKNOWN", "");
        assert_folds(b, "Mrs Price", "price");
        assert_folds(b, "Unknowns", "unknowns");
        assert_folds(b, "", "");
        assert_folds(b, "  -- ", "");
}

static void emoji_and_endless_names_survive_and_stay_text(void **state)
{
        bench *b = *state;
        char endless[4 * 500 + 1] = "";
        static const char *const letters[] = { "a", "é", "李", "😀", "a " };
        assert_folds(b, "Amy 😀", "amy 😀");
        for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
                endless[0] = '\0';
                for (size_t n = 0; n < 500; n++) {
                        memcpy(endless + n * strlen(letters[i]), letters[i], strlen(letters[i]) + 1);
                }
                const door_bytes folded = dedup_fold_name(door_bytes_of(endless), &b->arena);
                assert_true(folded.len > 0 && folded.len <= DEDUP_NAME_BYTES_MAX + 4);
                assert_true(door_text_is_clean(folded));
        }
}

static void folding_what_is_folded_changes_nothing(void **state)
{
        static const char *const names[] = { "Łukasz Nowak", "O'Brien", "Ní Bhriain", "Anne-Marie 😀",
                                             "Ольга" };
        bench *b = *state;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                const door_bytes once = dedup_fold_name(door_bytes_of(names[i]), &b->arena);
                assert_true(door_bytes_equal(once, dedup_fold_name(once, &b->arena)));
        }
}

/* ---- a referral as intake logs it ---- */

typedef struct form {
        Door__V1__ReferralReceived received;
        Door__V1__ReferralFacts facts;
        Door__V1__PersonNamed people[PEOPLE_MAX];
        Door__V1__PersonNamed *pointers[PEOPLE_MAX];
        Door__V1__Day dobs[PEOPLE_MAX];
        Door__V1__Address addresses[PEOPLE_MAX];
        Door__V1__Address *address_pointers[PEOPLE_MAX];
        uint8_t bytes[DOOR_HASH_BYTES];
} form;

static char *text(const char *literal)
{
        return (char *)(uintptr_t)literal;
}

static door_bytes packed(bench *b, form *f, size_t people, uint8_t number)
{
        static const char *const given[] = { "Noah", "Łukasz", "Ní", "Amy 😀", "Rachel" };
        door_bytes bytes;

        memset(f, 0, sizeof *f);
        f->bytes[0] = number;
        door__v1__referral_received__init(&f->received);
        door__v1__referral_facts__init(&f->facts);
        f->received.referral = (ProtobufCBinaryData){ DOOR_ID_BYTES, f->bytes };
        f->received.key_digest = f->received.content_digest = f->received.likeness_digest =
                (ProtobufCBinaryData){ DOOR_HASH_BYTES, f->bytes };
        f->received.received_at_ms = UINT64_C(1717000000000);
        f->received.facts = &f->facts;
        f->facts.agency = text("county-police");
        f->facts.sent_at_ms = UINT64_C(1717000000000);
        f->facts.has_anonymous = 1;
        for (size_t i = 0; i < people; i++) {
                Door__V1__PersonNamed *p = &f->people[i];
                door__v1__person_named__init(p);
                door__v1__day__init(&f->dobs[i]);
                door__v1__address__init(&f->addresses[i]);
                p->role = i % 2 == 0 ? DOOR__V1__ROLE__ROLE_SIBLING : DOOR__V1__ROLE__ROLE_MOTHER;
                p->given_name = text(given[i % 5]);
                p->surname = text(i % 3 == 0 ? "Hartley" : "O’Brien");
                f->dobs[i].has_days = f->dobs[i].has_precision = 1;
                f->dobs[i].days = 16000 + (int32_t)i * 200;
                f->dobs[i].precision = DOOR__V1__PRECISION__PRECISION_DAY;
                p->dob = &f->dobs[i];
                p->has_facts_yes = 1;
                p->facts_yes = 1U << (i % 6);
                f->addresses[i].text = text("12 Regent Street, Cheltenham");
                f->addresses[i].postcode = text("gl501aa");
                f->address_pointers[i] = &f->addresses[i];
                p->n_address = 1;
                p->address = &f->address_pointers[i];
                f->pointers[i] = p;
        }
        f->facts.n_person = people;
        f->facts.person = f->pointers;
        assert_int_equal(door_proto_pack(&f->received, &b->arena, &bytes), DOOR_OK);
        return bytes;
}

static const dedup_received *read_in(bench *b, door_bytes bytes)
{
        const void *body = NULL;
        assert_int_equal(dedup_ops.decode_input(DEDUP_LOG_INTAKE, DEDUP_INPUT_REFERRAL_RECEIVED, 1, bytes,
                                                &b->arena, &body),
                         DOOR_OK);
        return body;
}

static door_event decided(bench *b, const dedup_received *received)
{
        door_view view;
        door_out *out = door_arena_take_zeroed(&b->arena, 1, sizeof *out);
        door_input input = { .kind = DOOR_INPUT_EVENT, .body = received };
        assert_non_null(out);
        input.random[0] = received->referral.bytes[0];
        out->arena = &b->arena;
        door_view_init(&view, &b->memory.reader, &b->arena);
        dedup_ops.decide(&view, NULL, &input, out);
        assert_int_equal(out->events_count, 1);
        out->events[0].seq = received->referral.bytes[0];
        return out->events[0];
}

static void fold(bench *b, memory_reader *memory, const door_event *event)
{
        door_view view;
        door_view_init(&view, &memory->reader, &b->arena);
        view.writable = true;
        dedup_ops.apply(&view, event);
        assert_int_equal(view.latch, DOOR_OK);
        memory_reader_absorb(memory, &view);
}

static void what_is_folded_from_the_log_is_what_was_decided(void **state)
{
        bench *b = *state;
        memory_reader straight;
        form f;
        memory_reader_init(&straight);
        for (uint8_t n = 1; n <= 6; n++) {
                door_event event = decided(b, read_in(b, packed(b, &f, n, n)));
                door_bytes open;
                door_bytes hidden;
                door_bytes again[2];
                const void *body = NULL;
                assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &open, &hidden), DOOR_OK);
                assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &again[0], &again[1]), DOOR_OK);
                assert_true(door_bytes_equal(open, again[0]) && door_bytes_equal(hidden, again[1]));
                assert_int_equal(dedup_ops.decode_event(event.type, 1, open, hidden, &b->arena, &body),
                                 DOOR_OK);
                fold(b, &straight, &event);
                event.body = body;
                fold(b, &b->memory, &event);
                assert_true(memory_reader_equal(&straight, &b->memory));
        }
        memory_reader_done(&straight);
}

static void a_facts_block_is_small_even_with_twenty_persons(void **state)
{
        bench *b = *state;
        form f;
        for (size_t people = 0; people <= PEOPLE_MAX; people++) {
                const door_event event = decided(b, read_in(b, packed(b, &f, people, 1)));
                door_bytes open;
                door_bytes hidden;
                assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &open, &hidden), DOOR_OK);
                assert_true(open.len <= FACTS_BYTES + FACTS_PERSON_BYTES * people);
        }
}

static bool holds(door_bytes whole, const char *part)
{
        for (size_t i = 0; i + strlen(part) <= whole.len; i++) {
                if (memcmp(whole.data + i, part, strlen(part)) == 0) {
                        return true;
                }
        }
        return false;
}

static void no_name_and_no_address_stands_in_the_public_payload(void **state)
{
        static const char *const never[] = { "Noah",   "noah",  "lukasz", "artley",
                                             "obrien", "egent", "GL50",   "gl50" };
        bench *b = *state;
        form f;
        door_bytes open;
        door_bytes hidden;
        const door_event event = decided(b, read_in(b, packed(b, &f, 5, 1)));
        assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &open, &hidden), DOOR_OK);
        for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
                assert_false(holds(open, never[i]));
        }
        assert_true(holds(hidden, "noah") && holds(hidden, "GL50 1AA"));
}

static door_status decoded(bench *b, door_bytes open, door_bytes hidden)
{
        const void *body = NULL;
        return dedup_ops.decode_event(DEDUP_REFERRAL_MATCHED, 1, open, hidden, &b->arena, &body);
}

static void malformed_payloads_are_malformed(void **state)
{
        bench *b = *state;
        form f;
        door_bytes open[2];
        door_bytes hidden[2];
        const void *body = NULL;
        for (size_t i = 0; i < 2; i++) {
                const door_event event = decided(b, read_in(b, packed(b, &f, 2 + i, 1)));
                assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &open[i], &hidden[i]), DOOR_OK);
        }
        assert_int_equal(decoded(b, open[0], hidden[0]), DOOR_OK);
        assert_int_equal(decoded(b, open[0], hidden[1]), DOOR_MALFORMED); /* other persons */
        assert_int_equal(decoded(b, open[0], DOOR_BYTES_EMPTY), DOOR_MALFORMED);
        assert_int_equal(decoded(b, DOOR_BYTES_EMPTY, hidden[0]), DOOR_MALFORMED);
        assert_int_equal(decoded(b, hidden[0], open[0]), DOOR_MALFORMED);
        for (size_t cut = 1; cut < 40; cut++) {
                const door_bytes part = { hidden[0].data, hidden[0].len - cut };
                assert_int_equal(decoded(b, open[0], part), DOOR_MALFORMED);
        }
        assert_int_equal(
                dedup_ops.decode_event(DEDUP_REFERRAL_MATCHED + 1, 1, open[0], hidden[0], &b->arena, &body),
                DOOR_MALFORMED);
        assert_int_equal(dedup_ops.decode_input(DEDUP_LOG_INTAKE, DEDUP_INPUT_REFERRAL_RECEIVED, 1,
                                                door_bytes_of("\xFF"), &b->arena, &body),
                         DOOR_MALFORMED);
        assert_int_equal(dedup_ops.decode_command(16, DOOR_BYTES_EMPTY, &b->arena, &body), DOOR_MALFORMED);
        assert_null(body);
}

static void a_command_is_read_whole_or_not_at_all(void **state)
{
        static uint8_t id[DOOR_ID_BYTES] = { 3 };
        bench *b = *state;
        Door__V1__MoveReferral move = DOOR__V1__MOVE_REFERRAL__INIT;
        Door__V1__AnswerReview review = DOOR__V1__ANSWER_REVIEW__INIT;
        door_bytes bytes;
        const void *body = NULL;
        move.referral = move.from = move.to = (ProtobufCBinaryData){ sizeof id, id };
        move.has_to = 1;
        move.reason = text("another family");
        move.second_person = text("mo");
        assert_int_equal(door_proto_pack(&move, &b->arena, &bytes), DOOR_OK);
        assert_int_equal(dedup_ops.decode_command(DEDUP_MOVE_REFERRAL, bytes, &b->arena, &body), DOOR_OK);
        const dedup_move_body *read = body;
        assert_true(read->has_to && door_bytes_equal(read->second_person, door_bytes_of("mo")));
        for (size_t cut = 1; cut < 4; cut++) {
                const door_bytes part = { bytes.data, bytes.len - cut };
                assert_int_equal(dedup_ops.decode_command(DEDUP_MOVE_REFERRAL, part, &b->arena, &body),
                                 DOOR_MALFORMED);
        }
        move.from.len--;
        assert_int_equal(door_proto_pack(&move, &b->arena, &bytes), DOOR_OK);
        assert_int_equal(dedup_ops.decode_command(DEDUP_MOVE_REFERRAL, bytes, &b->arena, &body),
                         DOOR_MALFORMED);
        review.review = move.referral;
        review.verdict = DOOR__V1__VERDICT__VERDICT_NONE;
        assert_int_equal(door_proto_pack(&review, &b->arena, &bytes), DOOR_OK);
        assert_int_equal(dedup_ops.decode_command(DEDUP_ANSWER_REVIEW, bytes, &b->arena, &body),
                         DOOR_MALFORMED);
}

static void a_moved_record_reads_back_and_not_when_cut(void **state)
{
        bench *b = *state;
        const door_id child = { { 4 } };
        const dedup_reassigned people[] = { { 0, { { 4 } }, { { 5 } } }, { 2, { { 6 } }, { { 6 } } } };
        const dedup_moved moved = { .referral = { { 1 } },
                                    .from = { { 2 } },
                                    .to = { { 3 } },
                                    .to_is_new = true,
                                    .children_count = 1,
                                    .children = &child,
                                    .people_count = 2,
                                    .people = people,
                                    .why = { door_bytes_of("why"), door_bytes_of("mo") } };
        const door_event event = { .type = DEDUP_REFERRAL_MOVED, .version = 1, .body = &moved };
        door_bytes open;
        door_bytes hidden;
        const void *body = NULL;
        assert_int_equal(dedup_ops.encode_event(&event, &b->arena, &open, &hidden), DOOR_OK);
        assert_int_equal(dedup_ops.decode_event(event.type, 1, open, hidden, &b->arena, &body), DOOR_OK);
        const dedup_moved *read = body;
        assert_true(read->to_is_new && read->children_count == 1 && read->people_count == 2);
        assert_true(door_id_equal(&read->people[0].was, &people[0].was));
        assert_true(door_id_equal(&read->people[1].was, &people[1].person));
        assert_true(door_bytes_equal(read->why.second_person, door_bytes_of("mo")));
        open.len--;
        assert_int_equal(dedup_ops.decode_event(event.type, 1, open, hidden, &b->arena, &body),
                         DOOR_MALFORMED);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(names_fold_to_what_they_are_compared_by),
                RULE(words_that_name_nobody_are_left_out),
                RULE(emoji_and_endless_names_survive_and_stay_text),
                RULE(folding_what_is_folded_changes_nothing),
                RULE(what_is_folded_from_the_log_is_what_was_decided),
                RULE(a_facts_block_is_small_even_with_twenty_persons),
                RULE(no_name_and_no_address_stands_in_the_public_payload),
                RULE(malformed_payloads_are_malformed),
                RULE(a_command_is_read_whole_or_not_at_all),
                RULE(a_moved_record_reads_back_and_not_when_cut),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
