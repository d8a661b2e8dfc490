/*
 * Goal: of each upstream record just what a message needs is read; our own records come back as they
 * went; a policy with anything that could break a message is refused.
 * Method: protos packed by hand; round trips; a policy changed in one way at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "notification/notify_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static door_arena arena;
static uint8_t episode[DOOR_ID_BYTES] = { 1, 2, 3 };
static uint8_t referral[DOOR_ID_BYTES] = { 4, 5, 6 };

static int set_up(void **state)
{
        static void *storage;

        (void)state;
        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        return storage == NULL ? -1 : 0;
}

static ProtobufCBinaryData data(uint8_t *bytes)
{
        return (ProtobufCBinaryData){ DOOR_ID_BYTES, bytes };
}

static char *text(const char *constant)
{
        return (char *)(uintptr_t)constant;
}

/* Reads a packed message as that record; it must be one, and must not be with any byte less. */
static const notify_seen *seen_of(uint32_t log, uint32_t type, const void *message)
{
        const void *body = NULL;
        door_bytes packed;

        assert_int_equal(door_proto_pack(message, &arena, &packed), DOOR_OK);
        assert_int_equal(notify_ops.decode_input(log, type, 1, packed, &arena, &body), DOOR_OK);
        const void *nothing = NULL;
        assert_int_equal(notify_ops.decode_input(log, type, 1, (door_bytes){ packed.data, packed.len - 1 },
                                                 &arena, &nothing),
                         DOOR_MALFORMED);
        return body;
}

static void assert_about(const notify_seen *seen, bool has_referral)
{
        assert_true(seen->has_episode);
        assert_memory_equal(seen->episode.bytes, episode, DOOR_ID_BYTES);
        assert_int_equal(seen->has_referral, has_referral);
        if (has_referral) {
                assert_memory_equal(seen->referral.bytes, referral, DOOR_ID_BYTES);
        }
}

static void an_opening_is_read(void **state)
{
        Door__V1__EpisodeOpened in = DOOR__V1__EPISODE_OPENED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        Door__V1__RepeatReason why[] = { DOOR__V1__REPEAT_REASON__WHY_DISCLOSED,
                                         DOOR__V1__REPEAT_REASON__WHY_RED };
        (void)state;
        in.episode = data(episode);
        in.referral = data(referral);
        in.family = data(referral);
        in.severity = 91;
        clocks.rag_ms = 1234;
        in.clocks = &clocks;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        in.n_why = 2;
        in.why = why;
        in.agency = text("police");
        const notify_seen *seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, &in);
        assert_about(seen, true);
        assert_true(seen->queued && !seen->imported && !seen->historic);
        assert_int_equal(seen->severity, 91);
        assert_int_equal(seen->rag_ms, 1234);
        assert_int_equal(seen->why, 5);
        assert_true(door_bytes_equal(seen->agency, door_bytes_of("police")));
        assert_false(seen->moved);
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        in.has_moved_from = 1;
        in.moved_from = data(referral);
        in.has_historic = 1;
        in.historic = 1;
        in.n_why = 0;
        in.agency = NULL;
        seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, &in);
        assert_true(!seen->queued && seen->imported && seen->historic && seen->moved);
        assert_int_equal(seen->why, 0);
        assert_int_equal(seen->agency.len, 0);
}

static void an_attachment_is_read(void **state)
{
        Door__V1__ReferralAttached in = DOOR__V1__REFERRAL_ATTACHED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        (void)state;
        in.episode = data(episode);
        in.referral = data(referral);
        in.family = data(referral);
        in.severity = 40;
        in.severity_own = 30;
        clocks.rag_ms = 77;
        in.clocks = &clocks;
        in.way = DOOR__V1__REPEAT_WAY__WAY_LOOK_NOW;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE;
        in.has_respond_by_ms = 1;
        in.respond_by_ms = 88;
        const notify_seen *seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, &in);
        assert_about(seen, true);
        assert_true(seen->look_now);
        assert_int_equal(seen->severity, 40);
        assert_int_equal(seen->rag_ms, 77);
        assert_int_equal(seen->due_ms, 88);
        assert_false(seen->moved);
        in.has_moved_from = 1;
        in.moved_from = data(referral);
        assert_true(seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, &in)->moved);
        in.way = DOOR__V1__REPEAT_WAY__WAY_WITH_WORKER;
        assert_false(seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, &in)->look_now);
}

static void the_rest_of_triage_is_read(void **state)
{
        Door__V1__HistoryNoted history = DOOR__V1__HISTORY_NOTED__INIT;
        Door__V1__LookListed listed = DOOR__V1__LOOK_LISTED__INIT;
        Door__V1__TriageOvertaken overtaken = DOOR__V1__TRIAGE_OVERTAKEN__INIT;
        (void)state;
        history.referral = data(referral);
        history.family = data(episode);
        history.agency = text("school");
        const notify_seen *seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_HISTORY, &history);
        assert_true(seen->has_referral && !seen->has_episode);
        assert_true(door_bytes_equal(seen->agency, door_bytes_of("school")));
        listed.episode = data(episode);
        listed.referral = data(referral);
        listed.why = DOOR__V1__REPEAT_REASON__WHY_LATE;
        listed.look_by_ms = 99;
        seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED, &listed);
        assert_about(seen, true);
        assert_int_equal(seen->why, 45);
        assert_int_equal(seen->due_ms, 99);
        overtaken.episode = data(episode);
        overtaken.actor = text("training/triage/jo");
        seen = seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OVERTAKEN, &overtaken);
        assert_about(seen, false);
        assert_true(door_bytes_equal(seen->actor, door_bytes_of("training/triage/jo")));
}

static void offers_are_read(void **state)
{
        Door__V1__OfferMade made = DOOR__V1__OFFER_MADE__INIT;
        Door__V1__OfferPlaced placed = DOOR__V1__OFFER_PLACED__INIT;
        Door__V1__HandOverOffered hand_over = DOOR__V1__HAND_OVER_OFFERED__INIT;
        Door__V1__OfferReason why[] = { DOOR__V1__OFFER_REASON__OFFER_DISTRICT };
        (void)state;
        made.episode = placed.episode = hand_over.episode = data(episode);
        made.team = placed.team = hand_over.to = text("east");
        made.owner = hand_over.from = hand_over.by = text("front-door");
        made.waiting = hand_over.waiting = 1;
        made.n_why = 1;
        made.why = why;
        const notify_seen *seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OFFERED, &made);
        assert_about(seen, false);
        assert_true(seen->waiting);
        assert_int_equal(seen->why, 3);
        assert_true(door_bytes_equal(seen->team, door_bytes_of("east")));
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, &placed);
        assert_about(seen, false);
        assert_false(seen->waiting);
        assert_true(door_bytes_equal(seen->team, door_bytes_of("east")));
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_HAND_OVER, &hand_over);
        assert_about(seen, false);
        assert_true(seen->waiting);
        assert_int_equal(seen->why, NOTIFY_WHY_HAND_OVER);
        assert_true(door_bytes_equal(seen->team, door_bytes_of("east")));
}

static void owners_are_read(void **state)
{
        Door__V1__OfferAccepted accepted = DOOR__V1__OFFER_ACCEPTED__INIT;
        Door__V1__OfferReturned returned = DOOR__V1__OFFER_RETURNED__INIT;
        Door__V1__Unrouted unrouted = DOOR__V1__UNROUTED__INIT;
        Door__V1__OwnershipEnded ended = DOOR__V1__OWNERSHIP_ENDED__INIT;
        Door__V1__AllotOvertaken overtaken = DOOR__V1__ALLOT_OVERTAKEN__INIT;
        (void)state;
        accepted.episode = returned.episode = unrouted.episode = ended.episode = overtaken.episode =
                data(episode);
        accepted.team = returned.team = ended.team = text("east");
        accepted.lead_practitioner = accepted.by = returned.by = text("training/team-east/sam");
        accepted.from = text("west");
        returned.owner = unrouted.owner = text("front-door");
        returned.reason = DOOR__V1__RETURN_REASON__RETURN_NO_CONSENT;
        returned.has_hand_over = 1;
        returned.hand_over = 1;
        overtaken.actor = text("training/team-east/sam");
        const notify_seen *seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, &accepted);
        assert_about(seen, false);
        assert_true(door_bytes_equal(seen->team, door_bytes_of("east")));
        assert_true(door_bytes_equal(seen->from, door_bytes_of("west")));
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED, &returned);
        assert_about(seen, false);
        assert_true(seen->hand_over);
        assert_int_equal(seen->why, 4);
        assert_true(door_bytes_equal(seen->owner, door_bytes_of("front-door")));
        assert_about(seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, &unrouted), false);
        assert_about(seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ENDED, &ended), false);
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OVERTAKEN, &overtaken);
        assert_true(door_bytes_equal(seen->actor, door_bytes_of("training/team-east/sam")));
}

static void joins_and_their_undoing_are_read(void **state)
{
        Door__V1__EpisodeFolded folded = DOOR__V1__EPISODE_FOLDED__INIT;
        Door__V1__EpisodeRestored restored = DOOR__V1__EPISODE_RESTORED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        (void)state;
        folded.to = restored.episode = data(episode);
        folded.from = restored.survivor = folded.family = restored.family = data(referral);
        folded.severity = restored.severity = 70;
        clocks.rag_ms = 77;
        folded.clocks = restored.clocks = &clocks;
        for (unsigned state_of = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
             state_of <= DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED; state_of++) {
                folded.state = restored.state = (Door__V1__EpisodeState)state_of;
                const notify_seen *both[] = {
                        seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_FOLDED, &folded),
                        seen_of(NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_RESTORED, &restored),
                };
                for (size_t i = 0; i < 2; i++) {
                        assert_about(both[i], false);
                        assert_int_equal(both[i]->severity, 70);
                        assert_int_equal(both[i]->rag_ms, 77);
                        assert_int_equal(both[i]->queued,
                                         state_of == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED);
                        assert_int_equal(both[i]->imported,
                                         state_of == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED);
                }
        }
}

static void whose_a_joined_or_restored_episode_is_is_read(void **state)
{
        Door__V1__OwnershipFolded folded = DOOR__V1__OWNERSHIP_FOLDED__INIT;
        Door__V1__OwnershipRestored restored = DOOR__V1__OWNERSHIP_RESTORED__INIT;
        (void)state;
        folded.to = restored.episode = data(episode);
        folded.from = restored.survivor = data(referral);
        folded.owner = restored.owner = text("east");
        folded.accepted = restored.accepted = 1;
        const notify_seen *seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, &folded);
        assert_about(seen, false);
        assert_memory_equal(seen->other.bytes, referral, DOOR_ID_BYTES);
        assert_true(seen->accepted && door_bytes_equal(seen->owner, door_bytes_of("east")));
        assert_int_equal(seen->leaves.len + seen->withdrawn.len, 0);
        folded.leaves = text("west");
        folded.offered_before = text("north");
        folded.accepted = 0;
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, &folded);
        assert_false(seen->accepted);
        assert_true(door_bytes_equal(seen->leaves, door_bytes_of("west")));
        assert_true(door_bytes_equal(seen->withdrawn, door_bytes_of("north")));
        seen = seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RESTORED, &restored);
        assert_about(seen, false);
        assert_memory_equal(seen->other.bytes, referral, DOOR_ID_BYTES);
        assert_true(seen->accepted && door_bytes_equal(seen->owner, door_bytes_of("east")));
}

static void names_that_cannot_be_recipients_and_ids_that_are_none_are_malformed(void **state)
{
        static char long_name[NOTIFY_NAME_BYTES_MAX + 2];
        Door__V1__OfferPlaced placed = DOOR__V1__OFFER_PLACED__INIT;
        const void *body = NULL;
        door_bytes packed;
        (void)state;
        memset(long_name, 'x', NOTIFY_NAME_BYTES_MAX + 1);
        placed.episode = data(episode);
        placed.team = long_name;
        assert_int_equal(door_proto_pack(&placed, &arena, &packed), DOOR_OK);
        assert_int_equal(
                notify_ops.decode_input(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, 1, packed, &arena, &body),
                DOOR_MALFORMED);
        placed.team = long_name + 1;
        (void)seen_of(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, &placed);
        placed.episode.len--;
        assert_int_equal(door_proto_pack(&placed, &arena, &packed), DOOR_OK);
        assert_int_equal(
                notify_ops.decode_input(NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, 1, packed, &arena, &body),
                DOOR_MALFORMED);
        assert_int_equal(notify_ops.decode_input(NOTIFY_LOG_TRIAGE, 99, 1, packed, &arena, &body),
                         DOOR_MALFORMED);
        assert_int_equal(notify_ops.decode_input(NOTIFY_LOG_ALLOCATION, 99, 1, packed, &arena, &body),
                         DOOR_MALFORMED);
        assert_int_equal(notify_ops.decode_input(2, 16, 1, packed, &arena, &body), DOOR_MALFORMED);
}

static void intakes_headers_come_without_a_payload(void **state)
{
        const void *body = NULL;
        (void)state;
        assert_int_equal(notify_ops.decode_input(NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_AMEND_ASKED, 1,
                                                 DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_OK);
        assert_false(((const notify_seen *)body)->historic);
}

/* A type that is neither consumed nor known stops the reader. */
static void every_type_of_the_three_logs_is_consumed_or_known_and_none_twice(void **state)
{
        const struct {
                uint32_t log;
                const ProtobufCEnumDescriptor *types;
        } logs[] = { { NOTIFY_LOG_INTAKE, &door__v1__intake_event__descriptor },
                     { NOTIFY_LOG_TRIAGE, &door__v1__triage_event__descriptor },
                     { NOTIFY_LOG_ALLOCATION, &door__v1__allot_event__descriptor } };
        (void)state;
        for (size_t l = 0; l < 3; l++) {
                for (unsigned v = 0; v < logs[l].types->n_values; v++) {
                        const uint32_t type = (uint32_t)logs[l].types->values[v].value;
                        unsigned times = 0;
                        for (size_t i = 0; i < notify_ops.consumes_count; i++) {
                                times += notify_ops.consumes[i].log == logs[l].log &&
                                         notify_ops.consumes[i].type == type;
                        }
                        for (size_t i = 0; i < notify_ops.knows_count; i++) {
                                times += notify_ops.knows[i].log == logs[l].log &&
                                         notify_ops.knows[i].type == type;
                        }
                        assert_int_equal(times, type == 0 ? 0 : 1);
                }
        }
}

/* ---- our own ---- */

static const void *round_trip(uint32_t type, const void *body)
{
        const door_event event = { .type = type, .version = 1, .body = body };
        door_bytes public_payload;
        door_bytes private_payload;
        door_bytes again;
        const void *copy = NULL;

        assert_int_equal(notify_ops.encode_event(&event, &arena, &public_payload, &private_payload), DOOR_OK);
        assert_int_equal(private_payload.len, 0);
        assert_int_equal(notify_ops.decode_event(type, 1, public_payload, private_payload, &arena, &copy),
                         DOOR_OK);
        const door_event second = { .type = type, .version = 1, .body = copy };
        assert_int_equal(notify_ops.encode_event(&second, &arena, &again, &private_payload), DOOR_OK);
        assert_true(door_bytes_equal(public_payload, again));
        const void *nothing = NULL;
        assert_int_equal(notify_ops.decode_event(type, 2, public_payload, private_payload, &arena, &nothing),
                         DOOR_MALFORMED);
        return copy;
}

static void a_plan_comes_back_as_it_went(void **state)
{
        notify_planned body = { .delivery = { { 1 } },
                                .not_before_ms = 11,
                                .message = { .kind = NOTIFY_ADDED,
                                             .recipient = door_bytes_of("east"),
                                             .has_referral = true,
                                             .referral = { { 2 } },
                                             .has_episode = true,
                                             .episode = { { 3 } },
                                             .has_severity = true,
                                             .severity = 44,
                                             .why = 5,
                                             .due_ms = 66 } };
        (void)state;
        const notify_planned *copy = round_trip(NOTIFY_PLANNED, &body);
        assert_true(door_id_equal(&copy->delivery, &body.delivery));
        assert_int_equal(copy->not_before_ms, 11);
        const notify_message *m = &copy->message;
        assert_int_equal(m->kind, NOTIFY_ADDED);
        assert_true(door_bytes_equal(m->recipient, body.message.recipient));
        assert_true(m->has_referral && m->has_episode && m->has_severity);
        assert_true(door_id_equal(&m->referral, &body.message.referral));
        assert_true(door_id_equal(&m->episode, &body.message.episode));
        assert_int_equal(m->severity, 44);
        assert_int_equal(m->why, 5);
        assert_int_equal(m->due_ms, 66);
        body.message = (notify_message){ .kind = NOTIFY_UNROUTED };
        m = &((const notify_planned *)round_trip(NOTIFY_PLANNED, &body))->message;
        assert_true(!m->has_referral && !m->has_episode && !m->has_severity && m->why == 0 && m->due_ms == 0);
}

static void what_became_of_it_comes_back_as_it_went(void **state)
{
        const notify_about body = { .delivery = { { 1 } },
                                    .attempts = 3,
                                    .failure = NOTIFY_TLS,
                                    .sink = NOTIFY_SINK_SMTP,
                                    .next_ms = 55,
                                    .by = door_bytes_of("training/triage/jo") };
        static const uint32_t types[] = { NOTIFY_DELIVERED, NOTIFY_ATTEMPT_FAILED, NOTIFY_GIVEN_UP,
                                          NOTIFY_TRIED_AGAIN, NOTIFY_TOLD };
        (void)state;
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
                const notify_about *copy = round_trip(types[i], &body);
                assert_true(door_id_equal(&copy->delivery, &body.delivery));
                const bool tried = types[i] == NOTIFY_ATTEMPT_FAILED || types[i] == NOTIFY_GIVEN_UP;
                assert_int_equal(copy->attempts, tried || types[i] == NOTIFY_DELIVERED ? 3 : 0);
                assert_int_equal(copy->failure, tried ? NOTIFY_TLS : 0);
                assert_int_equal(copy->sink, types[i] == NOTIFY_DELIVERED ? NOTIFY_SINK_SMTP : 0);
                assert_int_equal(copy->next_ms, types[i] == NOTIFY_ATTEMPT_FAILED ? 55 : 0);
                assert_int_equal(copy->by.len, types[i] == NOTIFY_TOLD ? body.by.len : 0);
        }
}

static void an_owner_comes_back_as_it_went(void **state)
{
        notify_owner body = { .episode = { { 9 } }, .team = door_bytes_of("east") };
        (void)state;
        const notify_owner *copy = round_trip(NOTIFY_OWNER_NOTED, &body);
        assert_true(door_id_equal(&copy->episode, &body.episode));
        assert_true(door_bytes_equal(copy->team, body.team));
        body.team = DOOR_BYTES_EMPTY;
        assert_int_equal(((const notify_owner *)round_trip(NOTIFY_OWNER_NOTED, &body))->team.len, 0);
}

static void records_that_are_none_of_ours_are_malformed(void **state)
{
        const door_event strange = { .type = 99, .version = 1, .body = NULL };
        door_bytes out[2];
        const void *body = NULL;
        uint8_t junk[] = { 0xFF, 0xFF };
        (void)state;
        assert_int_equal(notify_ops.encode_event(&strange, &arena, &out[0], &out[1]), DOOR_MALFORMED);
        assert_int_equal(notify_ops.encode_answer(&strange, &arena, &out[0]), DOOR_MALFORMED);
        for (uint32_t type = NOTIFY_PLANNED; type <= NOTIFY_OWNER_NOTED + 1; type++) {
                assert_int_equal(notify_ops.decode_event(type, 1, (door_bytes){ junk, sizeof junk },
                                                         DOOR_BYTES_EMPTY, &arena, &body),
                                 DOOR_MALFORMED);
        }
}

static void commands_name_a_delivery_and_are_answered_with_it(void **state)
{
        Door__V1__DeliveryNamed in = DOOR__V1__DELIVERY_NAMED__INIT;
        const void *body = NULL;
        door_bytes packed;
        door_bytes answer;
        (void)state;
        in.delivery = data(episode);
        assert_int_equal(door_proto_pack(&in, &arena, &packed), DOOR_OK);
        for (uint32_t type = NOTIFY_TRY_AGAIN; type <= NOTIFY_TOLD_BY_PERSON; type++) {
                assert_int_equal(notify_ops.decode_command(type, packed, &arena, &body), DOOR_OK);
                assert_memory_equal(((const notify_about *)body)->delivery.bytes, episode, DOOR_ID_BYTES);
                const door_event event = { .type = type == NOTIFY_TRY_AGAIN ? NOTIFY_TRIED_AGAIN
                                                                            : NOTIFY_TOLD,
                                           .body = body };
                Door__V1__NotifyAnswer *out = NULL;
                assert_int_equal(notify_ops.encode_answer(&event, &arena, &answer), DOOR_OK);
                assert_int_equal(door_proto_read(&door__v1__notify_answer__descriptor, answer, &arena, &out),
                                 DOOR_OK);
                assert_memory_equal(out->delivery.data, episode, DOOR_ID_BYTES);
        }
        assert_int_equal(notify_ops.decode_command(18, packed, &arena, &body), DOOR_MALFORMED);
        packed.len--;
        assert_int_equal(notify_ops.decode_command(NOTIFY_TRY_AGAIN, packed, &arena, &body), DOOR_MALFORMED);
}

/* ---- policy ---- */

static door_status policy_read(const Door__V1__NotifyPolicy *in, const notify_policy **ret_policy)
{
        const void *policy = NULL;
        door_bytes packed;

        assert_int_equal(door_proto_pack(in, &arena, &packed), DOOR_OK);
        const door_status status = notify_ops.decode_policy(packed, &arena, &policy);
        *ret_policy = policy;
        return status;
}

static void a_policy_is_read_and_an_empty_one_is_the_default(void **state)
{
        Door__V1__NotifyPolicy in = DOOR__V1__NOTIFY_POLICY__INIT;
        Door__V1__Recipient east = DOOR__V1__RECIPIENT__INIT;
        Door__V1__Recipient *recipients[] = { &east };
        Door__V1__WorkingTime working = DOOR__V1__WORKING_TIME__INIT;
        char *emails[] = { text("a@b"), text("duty.desk+east@example.gov.uk") };
        int32_t holidays[] = { 20812, 20813 };
        const notify_policy *policy = NULL;
        (void)state;
        assert_int_equal(policy_read(&in, &policy), DOOR_OK);
        const notify_policy *usual = &notify_policy_default;
        assert_true(!policy->training && !policy->receipts);
        assert_int_equal(policy->red_from, usual->red_from);
        assert_int_equal(policy->amber_from, usual->amber_from);
        assert_int_equal(policy->attempts_max, usual->attempts_max);
        assert_int_equal(policy->retry_first_ms, usual->retry_first_ms);
        assert_int_equal(policy->retry_last_ms, usual->retry_last_ms);
        assert_int_equal(policy->working.from_min, usual->working.from_min);
        assert_int_equal(policy->working.to_min, usual->working.to_min);
        assert_true(door_bytes_equal(policy->sender, usual->sender));
        east.id = text("east");
        east.n_email = 2;
        east.email = emails;
        in.n_recipient = 1;
        in.recipient = recipients;
        in.has_training = in.training = in.has_receipts = in.receipts = 1;
        in.front_door_phone = text("01632 960001");
        in.out_of_hours_phone = text("01632 960002");
        in.sender = text("door@example.gov.uk");
        in.has_red_from = 1;
        in.red_from = 85;
        working.n_holiday = 2;
        working.holiday = holidays;
        in.working = &working;
        assert_int_equal(policy_read(&in, &policy), DOOR_OK);
        assert_true(policy->training && policy->receipts);
        assert_int_equal(policy->red_from, 85);
        assert_int_equal(policy->recipients_count, 1);
        const notify_recipient *found = notify_recipient_find(policy, door_bytes_of("east"));
        assert_non_null(found);
        assert_int_equal(found->emails_count, 2);
        assert_true(door_bytes_equal(found->emails[1], door_bytes_of("duty.desk+east@example.gov.uk")));
        assert_null(notify_recipient_find(policy, door_bytes_of("west")));
        assert_true(door_bytes_equal(policy->front_door_phone, door_bytes_of("01632 960001")));
        assert_true(door_bytes_equal(policy->sender, door_bytes_of("door@example.gov.uk")));
        assert_int_equal(policy->working.holidays_count, 2);
        assert_int_equal(policy->working.holidays[1], 20813);
}

static void an_address_that_could_break_a_header_is_refused(void **state)
{
        static char long_address[NOTIFY_EMAIL_BYTES_MAX + 2];
        static const char *const bad[] = {
                "",      "a",     "@b",    "a@",         "a@b@c",   "a@b\r\nBcc: c@d",
                "a b@c", "a@b,c", "<a@b>", "a@b;",       "\"a\"@b", "a@b(c)",
                "a:b@c", "a\\@b", "a@[b]", "\xC3\xA9@b", "a@b\x7F"
        };
        Door__V1__NotifyPolicy in = DOOR__V1__NOTIFY_POLICY__INIT;
        Door__V1__Recipient east = DOOR__V1__RECIPIENT__INIT;
        Door__V1__Recipient *recipients[] = { &east };
        const notify_policy *policy = NULL;
        char *email = NULL;
        (void)state;
        memset(long_address, 'x', NOTIFY_EMAIL_BYTES_MAX + 1);
        long_address[5] = '@';
        east.id = text("east");
        east.n_email = 1;
        east.email = &email;
        for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
                email = i < sizeof bad / sizeof bad[0] ? text(bad[i]) : long_address;
                in.n_recipient = 1;
                in.recipient = recipients;
                in.sender = NULL;
                assert_int_equal(policy_read(&in, &policy), DOOR_MALFORMED);
                in.n_recipient = 0;
                in.sender = email;
                assert_int_equal(policy_read(&in, &policy), DOOR_MALFORMED);
        }
        email = long_address + 1;
        in.sender = email;
        assert_int_equal(policy_read(&in, &policy), DOOR_OK);
}

static void a_policy_with_anything_wrong_is_refused(void **state)
{
        static char long_name[NOTIFY_NAME_BYTES_MAX + 2];
        (void)state;
        memset(long_name, '0', NOTIFY_NAME_BYTES_MAX + 1);
        for (unsigned wrong = 0; wrong <= 11; wrong++) {
                Door__V1__NotifyPolicy in = DOOR__V1__NOTIFY_POLICY__INIT;
                Door__V1__WorkingTime working = DOOR__V1__WORKING_TIME__INIT;
                Door__V1__Recipient east = DOOR__V1__RECIPIENT__INIT;
                Door__V1__Recipient *recipients[] = { &east };
                char *emails[NOTIFY_EMAILS_MAX + 1];
                const notify_policy *policy = NULL;
                for (size_t i = 0; i <= NOTIFY_EMAILS_MAX; i++) {
                        emails[i] = text("a@b");
                }
                east.id = text(wrong == 1 ? "" : "east");
                east.n_email = NOTIFY_EMAILS_MAX + (wrong == 2 ? 1 : 0);
                east.email = emails;
                in.n_recipient = 1;
                in.recipient = recipients;
                in.working = &working;
                in.has_attempts_max = in.has_retry_first_s = in.has_retry_last_s = 1;
                in.attempts_max = wrong == 3 ? 0 : 1;
                in.retry_first_s = wrong == 4 ? 0 : 10;
                in.retry_last_s = wrong == 5 ? 9 : 10;
                working.has_from_min = working.has_to_min = 1;
                working.to_min = wrong == 6 ? 1441 : 1440;
                working.from_min = wrong == 7 ? 1440 : 1439;
                in.front_door_phone = wrong == 8 ? text("1\n2") : text("1");
                in.out_of_hours_phone = wrong == 9 ? long_name : text("2");
                if (wrong == 10) {
                        in.front_door_phone = text("\xC2\xA3");
                } else if (wrong == 11) {
                        east.id = long_name;
                }
                assert_int_equal(policy_read(&in, &policy), wrong == 0 ? DOOR_OK : DOOR_MALFORMED);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        const struct CMUnitTest tests[] = {
                TEST(an_opening_is_read),
                TEST(an_attachment_is_read),
                TEST(the_rest_of_triage_is_read),
                TEST(offers_are_read),
                TEST(owners_are_read),
                TEST(joins_and_their_undoing_are_read),
                TEST(whose_a_joined_or_restored_episode_is_is_read),
                TEST(names_that_cannot_be_recipients_and_ids_that_are_none_are_malformed),
                TEST(intakes_headers_come_without_a_payload),
                TEST(every_type_of_the_three_logs_is_consumed_or_known_and_none_twice),
                TEST(a_plan_comes_back_as_it_went),
                TEST(what_became_of_it_comes_back_as_it_went),
                TEST(an_owner_comes_back_as_it_went),
                TEST(records_that_are_none_of_ours_are_malformed),
                TEST(commands_name_a_delivery_and_are_answered_with_it),
                TEST(a_policy_is_read_and_an_empty_one_is_the_default),
                TEST(an_address_that_could_break_a_header_is_refused),
                TEST(a_policy_with_anything_wrong_is_refused),
        };
#undef TEST
        return cmocka_run_group_tests(tests, NULL, NULL);
}
