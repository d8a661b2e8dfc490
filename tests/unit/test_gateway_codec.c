/*
 * test_gateway_codec.c - records of five logs and questions, as bytes, at the gateway.
 *
 * Goal: every record type the view consumes can be read, is believed as far as it is well-formed, and
 * what is not (an id of another length, a state or word that does not exist, bytes of something else)
 * is MALFORMED and so parked; nothing of a person gets in. Method: messages packed by protobuf-c, then
 * bent one field at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "door/v1/view.pb-c.h"
#include "gateway/view_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = DOOR_MIB };

static uint8_t ten[DOOR_ID_BYTES] = { 'x', 1, 2, 3 };
static uint8_t eleven[DOOR_ID_BYTES + 1];
static _Alignas(64) uint8_t storage[ARENA_BYTES];

static ProtobufCBinaryData id_bytes(void)
{
        return (ProtobufCBinaryData){ sizeof ten, ten };
}

static ProtobufCBinaryData no_id(void)
{
        return (ProtobufCBinaryData){ sizeof eleven, eleven };
}

static door_status read_record(door_arena *arena, uint32_t log, uint32_t type, const void *message,
                               const view_fact **ret_fact)
{
        door_bytes bytes;
        const void *body = NULL;

        door_arena_init(arena, storage, sizeof storage);
        assert_int_equal(door_proto_pack(message, arena, &bytes), DOOR_OK);
        const door_status status = view_ops.decode_input(log, type, 1, bytes, arena, &body);
        *ret_fact = body;
        return status;
}

static Door__V1__Clocks clocks_of(uint64_t rag_ms, uint64_t statutory_ms)
{
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        clocks.rag_ms = rag_ms;
        clocks.statutory_ms = statutory_ms;
        return clocks;
}

static void an_attached_referral_is_read_with_its_way_and_clocks(void **state)
{
        Door__V1__ReferralAttached in = DOOR__V1__REFERRAL_ATTACHED__INIT;
        Door__V1__Clocks clocks = clocks_of(5, 7);
        Door__V1__RepeatReason why[] = { DOOR__V1__REPEAT_REASON__WHY_RED,
                                         DOOR__V1__REPEAT_REASON__WHY_SUBJECT_ELSEWHERE };
        const view_fact *fact = NULL;
        door_arena arena;

        (void)state;
        in.episode = in.referral = in.family = id_bytes();
        in.version = 4;
        in.received_at_ms = 3;
        in.way = DOOR__V1__REPEAT_WAY__WAY_QUICK_LOOK;
        in.why = why;
        in.n_why = 2;
        in.severity = 80;
        in.severity_own = 60;
        in.clocks = &clocks;
        in.has_look_by_ms = 1;
        in.look_by_ms = 6;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        assert_int_equal(read_record(&arena, 3, VIEW_REFERRAL_ATTACHED, &in, &fact), DOOR_OK);
        assert_int_equal(fact->version, 4);
        assert_int_equal(fact->way, VIEW_QUICK_LOOK);
        assert_true(fact->why == (UINT64_C(1) << 1 | UINT64_C(1) << 48));
        assert_int_equal(fact->severity, 80);
        assert_int_equal(fact->severity_own, 60);
        assert_int_equal(fact->rag_ms, 5);
        assert_int_equal(fact->look_by_ms, 6);
        assert_int_equal(fact->sent_ms, 3); /* Not said: when it was received. */

        in.referral = no_id();
        assert_int_equal(read_record(&arena, 3, VIEW_REFERRAL_ATTACHED, &in, &fact), DOOR_MALFORMED);
        in.referral = id_bytes();
        in.state = (Door__V1__EpisodeState)99;
        assert_int_equal(read_record(&arena, 3, VIEW_REFERRAL_ATTACHED, &in, &fact), DOOR_MALFORMED);
}

static void a_join_its_undoing_and_who_owns_after_it_are_read(void **state)
{
        Door__V1__FamiliesJoined join = DOOR__V1__FAMILIES_JOINED__INIT;
        Door__V1__JoinUndone undone = DOOR__V1__JOIN_UNDONE__INIT;
        Door__V1__Assignment assignment = DOOR__V1__ASSIGNMENT__INIT;
        Door__V1__Assignment *assignments[] = { &assignment };
        Door__V1__OwnershipFolded folded = DOOR__V1__OWNERSHIP_FOLDED__INIT;
        const view_fact *fact = NULL;
        door_arena arena;

        (void)state;
        join.join = join.from = join.to = id_bytes();
        assert_int_equal(read_record(&arena, 2, VIEW_FAMILIES_JOINED, &join, &fact), DOOR_OK);
        assert_false(fact->has_review);
        join.has_review = 1;
        join.review = no_id();
        assert_int_equal(read_record(&arena, 2, VIEW_FAMILIES_JOINED, &join, &fact), DOOR_MALFORMED);
        undone.join = undone.from = undone.to = assignment.referral = assignment.family = id_bytes();
        undone.assignment = assignments;
        undone.n_assignment = 1;
        assert_int_equal(read_record(&arena, 2, VIEW_JOIN_UNDONE, &undone, &fact), DOOR_OK);
        assert_int_equal(fact->assignments_count, 1);
        assignment.family = no_id();
        assert_int_equal(read_record(&arena, 2, VIEW_JOIN_UNDONE, &undone, &fact), DOOR_MALFORMED);
        folded.from = folded.to = id_bytes();
        folded.owner = (char *)(uintptr_t) "east";
        folded.leaves = (char *)(uintptr_t) "west";
        folded.accepted = 1;
        assert_int_equal(read_record(&arena, 4, VIEW_ALLOT_FOLDED, &folded, &fact), DOOR_OK);
        assert_true(fact->accepted);
        assert_true(door_bytes_equal(fact->team, door_bytes_of("west")));
        folded.owner = (char *)(uintptr_t) "";
        assert_int_equal(read_record(&arena, 4, VIEW_ALLOT_FOLDED, &folded, &fact), DOOR_MALFORMED);
}

/* A no-contact condition of one person is enough: joining or moving is then for two people. */
static void who_is_named_is_read_as_ids_roles_and_bands_of_age(void **state)
{
        Door__V1__ReferralMatched in = DOOR__V1__REFERRAL_MATCHED__INIT;
        Door__V1__MatchedPerson person = DOOR__V1__MATCHED_PERSON__INIT;
        Door__V1__MatchedPerson *people[VIEW_PEOPLE_MAX + 6];
        const view_fact *fact = NULL;
        door_arena arena;

        (void)state;
        for (size_t i = 0; i < sizeof people / sizeof people[0]; i++) {
                people[i] = &person;
        }
        in.referral = in.family = person.person = id_bytes();
        in.agency = (char *)(uintptr_t) "police";
        in.decision = DOOR__V1__DECISION__DECISION_NEW;
        person.role = DOOR__V1__ROLE__ROLE_MOTHER;
        person.has_age_band = 1;
        person.age_band = DOOR__V1__AGE_BAND__AGE_25_AND_OVER;
        in.person = people;
        in.n_person = sizeof people / sizeof people[0];
        assert_int_equal(read_record(&arena, 2, VIEW_REFERRAL_MATCHED, &in, &fact), DOOR_OK);
        assert_int_equal(fact->people_count, VIEW_PEOPLE_MAX);
        assert_int_equal(fact->people[0].role, DOOR__V1__ROLE__ROLE_MOTHER);
        assert_int_equal(fact->people[0].age, DOOR__V1__AGE_BAND__AGE_25_AND_OVER);
        assert_false(fact->two_people);
        person.has_facts_yes = 1;
        person.facts_yes = UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_NO_CONTACT_CONDITION;
        assert_int_equal(read_record(&arena, 2, VIEW_REFERRAL_MATCHED, &in, &fact), DOOR_OK);
        assert_true(fact->two_people);
        person.person = no_id();
        assert_int_equal(read_record(&arena, 2, VIEW_REFERRAL_MATCHED, &in, &fact), DOOR_MALFORMED);
}

static void nothing_of_a_person_is_taken_over_from_a_receipt(void **state)
{
        Door__V1__ReferralReceived in = DOOR__V1__REFERRAL_RECEIVED__INIT;
        Door__V1__ReferralFacts facts = DOOR__V1__REFERRAL_FACTS__INIT;
        Door__V1__PersonNamed person = DOOR__V1__PERSON_NAMED__INIT;
        Door__V1__PersonNamed *people[] = { &person };
        uint8_t digest[DOOR_HASH_BYTES] = { 0 };
        const view_fact *fact = NULL;
        door_arena arena;

        (void)state;
        person.surname = (char *)(uintptr_t) "Quarrington";
        facts.agency = (char *)(uintptr_t) "police";
        facts.sent_at_ms = 8;
        facts.person = people;
        facts.n_person = 1;
        in.referral = id_bytes();
        in.key_digest = in.content_digest = in.likeness_digest =
                (ProtobufCBinaryData){ sizeof digest, digest };
        in.received_at_ms = 9;
        in.facts = &facts;
        assert_int_equal(read_record(&arena, 1, VIEW_REFERRAL_RECEIVED, &in, &fact), DOOR_OK);
        assert_true(door_bytes_equal(fact->agency, door_bytes_of("police")));

        /* All the view folds: ids, numbers, and these texts. */
        assert_int_equal(fact->by.len + fact->team.len + fact->owner.len + fact->lead.len, 0);
        in.has_probable_resend_of = 1;
        in.probable_resend_of = no_id();
        assert_int_equal(read_record(&arena, 1, VIEW_REFERRAL_RECEIVED, &in, &fact), DOOR_MALFORMED);
}

static void a_text_without_end_is_cut_at_a_character(void **state)
{
        Door__V1__OfferAccepted in = DOOR__V1__OFFER_ACCEPTED__INIT;
        char lead[402];
        const view_fact *fact = NULL;
        door_arena arena;

        (void)state;
        memset(lead, 'x', sizeof lead);
        memcpy(lead + VIEW_TEXT_BYTES_MAX - 1, "\xC3\xA9", 2); /* One character across the cut. */
        lead[sizeof lead - 1] = '\0';
        in.episode = id_bytes();
        in.episode_version = 1;
        in.team = (char *)(uintptr_t) "east";
        in.by = (char *)(uintptr_t) "jo";
        in.lead_practitioner = lead;
        assert_int_equal(read_record(&arena, 4, VIEW_ACCEPTED, &in, &fact), DOOR_OK);
        assert_int_equal(fact->lead.len, VIEW_TEXT_BYTES_MAX - 1);
        assert_true(door_text_is_clean(fact->lead));
        in.lead_practitioner = (char *)(uintptr_t) "";
        assert_int_equal(read_record(&arena, 4, VIEW_ACCEPTED, &in, &fact), DOOR_MALFORMED);
}

static void whatever_is_consumed_has_a_reader_and_refuses_what_is_no_message(void **state)
{
        static const uint8_t rubbish[] = { 0xFF, 0xFF, 0xFF };
        door_arena arena;

        (void)state;
        for (size_t i = 0; i < view_ops.consumes_count; i++) {
                const void *body = NULL;
                door_arena_init(&arena, storage, sizeof storage);
                assert_int_equal(view_ops.decode_input(view_ops.consumes[i].log, view_ops.consumes[i].type, 1,
                                                       (door_bytes){ rubbish, sizeof rubbish }, &arena,
                                                       &body),
                                 DOOR_MALFORMED);
                /* A full arena is said to be full: then there is a reader. */
                door_arena_init(&arena, storage, 16);
                assert_int_equal(view_ops.decode_input(view_ops.consumes[i].log, view_ops.consumes[i].type, 1,
                                                       DOOR_BYTES_EMPTY, &arena, &body),
                                 DOOR_NO_MEMORY);
        }
}

/* Every type of the vocabularies is consumed or known: none stops the reading of a log. */
static void no_type_of_any_vocabulary_is_unknown(void **state)
{
        static const struct {
                uint32_t log;
                const ProtobufCEnumDescriptor *types;
        } vocabularies[] = {
                { 1, &door__v1__intake_event__descriptor }, { 2, &door__v1__dedup_event__descriptor },
                { 3, &door__v1__triage_event__descriptor }, { 4, &door__v1__allot_event__descriptor },
                { 5, &door__v1__notify_event__descriptor },
        };

        (void)state;
        for (size_t v = 0; v < sizeof vocabularies / sizeof vocabularies[0]; v++) {
                for (unsigned t = 0; t < vocabularies[v].types->n_values; t++) {
                        const uint32_t type = (uint32_t)vocabularies[v].types->values[t].value;
                        bool found = type == 0;
                        for (size_t i = 0; i < view_ops.consumes_count; i++) {
                                found = found || (view_ops.consumes[i].log == vocabularies[v].log &&
                                                  view_ops.consumes[i].type == type);
                        }
                        for (size_t i = 0; i < view_ops.knows_count; i++) {
                                found = found || (view_ops.knows[i].log == vocabularies[v].log &&
                                                  view_ops.knows[i].type == type);
                        }
                        assert_true(found);
                }
        }
}

static door_status read_question(door_arena *arena, uint32_t type, const void *message,
                                 const view_question **ret_question)
{
        door_bytes bytes;
        const void *body = NULL;

        door_arena_init(arena, storage, sizeof storage);
        assert_int_equal(door_proto_pack(message, arena, &bytes), DOOR_OK);
        const door_status status = view_ops.decode_command(type, bytes, arena, &body);
        *ret_question = body;
        return status;
}

static void a_page_has_a_hundred_rows_at_most_and_a_bounded_place(void **state)
{
        Door__V1__AskPage in = DOOR__V1__ASK_PAGE__INIT;
        uint8_t after[VIEW_AFTER_BYTES_MAX + 1] = { 0 };
        const view_question *q = NULL;
        door_arena arena;

        (void)state;
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &in, &q), DOOR_OK);
        assert_int_equal(q->rows, 100);
        in.has_rows = 1;
        in.rows = 101;
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &in, &q), DOOR_MALFORMED);
        in.rows = 7;
        in.has_after = 1;
        in.after = (ProtobufCBinaryData){ VIEW_AFTER_BYTES_MAX, after };
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &in, &q), DOOR_OK);
        assert_int_equal(q->rows, 7);
        in.after.len++;
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &in, &q), DOOR_MALFORMED);
}

static void a_question_about_nothing_is_malformed(void **state)
{
        Door__V1__AskThing thing = DOOR__V1__ASK_THING__INIT;
        Door__V1__AskPage page = DOOR__V1__ASK_PAGE__INIT;
        const view_question *q = NULL;
        door_arena arena;

        (void)state;
        thing.id = id_bytes();
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &thing, &q), DOOR_OK);
        assert_true(door_bytes_equal(door_id_bytes(&q->id), (door_bytes){ ten, sizeof ten }));
        thing.id = no_id();
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &thing, &q),
                         DOOR_MALFORMED);
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &page, &q), DOOR_MALFORMED);
        page.team = (char *)(uintptr_t) "east";
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &page, &q), DOOR_OK);
        assert_int_equal(read_question(&arena, DOOR__V1__VIEW_QUERY__VIEW_JOIN + 1, &page, &q),
                         DOOR_MALFORMED);
        assert_int_equal(read_question(&arena, 16, &page, &q), DOOR_MALFORMED);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_attached_referral_is_read_with_its_way_and_clocks),
                cmocka_unit_test(a_join_its_undoing_and_who_owns_after_it_are_read),
                cmocka_unit_test(who_is_named_is_read_as_ids_roles_and_bands_of_age),
                cmocka_unit_test(nothing_of_a_person_is_taken_over_from_a_receipt),
                cmocka_unit_test(a_text_without_end_is_cut_at_a_character),
                cmocka_unit_test(whatever_is_consumed_has_a_reader_and_refuses_what_is_no_message),
                cmocka_unit_test(no_type_of_any_vocabulary_is_unknown),
                cmocka_unit_test(a_page_has_a_hundred_rows_at_most_and_a_bounded_place),
                cmocka_unit_test(a_question_about_nothing_is_malformed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
