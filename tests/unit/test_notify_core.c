/*
 * Goal: who is told what, whether it arrives and who is asked when it cannot, as notify_core.h says.
 * Method: what was seen, outcomes and commands go through decide, codec and apply on a bench that
 * keeps a second, replayed state; effects are asked for as the machine asks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/calendar.h"
#include "notification/notify_codec.h"
#include "notification/notify_state.h"
#include "support/core_bench.h"

static const uint8_t episode_bytes[DOOR_ID_BYTES] = { 0xE0, 1 };
static const uint8_t other_bytes[DOOR_ID_BYTES] = { 0xE0, 3 };
static const uint8_t referral_bytes[DOOR_ID_BYTES] = { 0x40, 2 };

static const door_bytes no_emails[1];
static door_bytes one_email[1];
static notify_recipient recipients[] = {
        { .id = { (const uint8_t *)"police", 6 }, .emails_count = 1, .emails = one_email },
        { .id = { (const uint8_t *)"school", 6 }, .emails_count = 0, .emails = no_emails },
        { .id = { (const uint8_t *)"east", 4 }, .emails_count = 1, .emails = one_email },
};

typedef struct notifying {
        core_bench bench;
        notify_policy policy;
} notifying;

static uint64_t at(const char *text)
{
        uint64_t ms = 0;
        assert_true(door_instant_parse(door_bytes_of(text), &ms));
        return ms;
}

static int set_up(void **state)
{
        notifying *n = calloc(1, sizeof *n);

        one_email[0] = door_bytes_of("desk@example.invalid");
        core_bench_init(&n->bench, &notify_ops);
        n->policy = notify_policy_default;
        n->policy.training = true;
        n->policy.receipts = true;
        n->policy.recipients = recipients;
        n->policy.recipients_count = sizeof recipients / sizeof recipients[0];
        n->bench.policy = &n->policy;
        n->bench.now_ms = at("2026-11-26T10:00:00Z"); /* A Thursday morning. */
        *state = n;
        return 0;
}

static int tear_down(void **state)
{
        notifying *n = *state;
        const bool same = core_bench_done(&n->bench);
        free(n);
        return same ? 0 : -1;
}

/* ---- what is seen ---- */

static notify_seen seen_of(const char *agency)
{
        notify_seen seen = { .has_referral = true,
                             .has_episode = true,
                             .severity = 60,
                             .rag_ms = 111,
                             .agency = door_bytes_of(agency) };

        memcpy(seen.episode.bytes, episode_bytes, DOOR_ID_BYTES);
        memcpy(seen.referral.bytes, referral_bytes, DOOR_ID_BYTES);
        return seen;
}

static void see_flagged(notifying *n, uint32_t log, uint32_t type, notify_seen seen, uint32_t flags)
{
        door_input input = {
                .kind = DOOR_INPUT_EVENT, .type = type, .flags = flags, .cause = { log, 7 }, .body = &seen
        };
        door_subject subject = { .kind = DOOR_ID_REFERRAL };

        memcpy(subject.id.bytes, referral_bytes, DOOR_ID_BYTES);
        input.subjects = &subject;
        input.subjects_count = 1;
        door_arena_reset(&n->bench.arena);
        core_bench_take(&n->bench, &input);
}

static void see(notifying *n, uint32_t log, uint32_t type, notify_seen seen)
{
        see_flagged(n, log, type, seen, 0);
}

/* The index-th delivery planned by the last input; NULL when there are fewer. */
static const notify_planned *planned(const notifying *n, size_t index)
{
        for (size_t i = 0; i < n->bench.events_count; i++) {
                if (n->bench.events[i].type == NOTIFY_PLANNED && index-- == 0) {
                        return n->bench.events[i].body;
                }
        }
        return NULL;
}

static void assert_planned(const notifying *n, size_t index, notify_kind kind, const char *recipient)
{
        const notify_planned *p = planned(n, index);

        assert_non_null(p);
        assert_int_equal(p->message.kind, kind);
        assert_true(door_bytes_equal(p->message.recipient, door_bytes_of(recipient)));
}

static void assert_planned_only(const notifying *n, size_t count)
{
        assert_null(planned(n, count));
        assert_true(count == 0 || planned(n, count - 1) != NULL);
}

static void accept_by(notifying *n, const char *team)
{
        notify_seen seen = seen_of("");
        seen.team = door_bytes_of(team);
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, seen);
}

static void a_red_row_goes_to_the_desk_on_duty(void **state)
{
        static const struct {
                const char *when;
                const char *desk;
        } cases[] = { { "2026-11-26T10:00:00Z", "front-door" },
                      { "2026-11-26T19:00:00Z", "edt" },
                      { "2026-11-28T10:00:00Z", "edt" } };
        notifying *n = *state;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                notify_seen seen = seen_of("school");
                seen.queued = true;
                seen.severity = 80;
                seen.why = 3;
                n->bench.now_ms = at(cases[i].when);
                see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, seen);
                assert_planned(n, 0, NOTIFY_RED, cases[i].desk);
                assert_planned_only(n, 1);
                const notify_message *m = &planned(n, 0)->message;
                assert_int_equal(m->due_ms, 111);
                assert_int_equal(m->severity, 80);
                assert_int_equal(m->why, 3);
                assert_memory_equal(m->episode.bytes, episode_bytes, DOOR_ID_BYTES);
                assert_memory_equal(m->referral.bytes, referral_bytes, DOOR_ID_BYTES);
        }
}

static void a_row_that_is_not_red_is_seen_in_the_queue(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("school");

        seen.queued = true;
        seen.severity = 79;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, seen);
        assert_int_equal(n->bench.events_count, 0);
}

static void a_red_row_that_is_reopened_goes_to_the_desk_too(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("");

        seen.has_referral = false;
        seen.queued = true;
        seen.severity = 80;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_REOPENED, seen);
        assert_int_equal(n->bench.events_count, 1);
        seen.severity = 79;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_REOPENED, seen);
        assert_int_equal(n->bench.events_count, 0);
}

static void a_sender_with_an_address_gets_a_receipt_that_names_the_referral_alone(void **state)
{
        static const uint32_t types[] = { NOTIFY_TRIAGE_OPENED, NOTIFY_TRIAGE_ATTACHED,
                                          NOTIFY_TRIAGE_HISTORY };
        notifying *n = *state;

        for (size_t i = 0; i < 3; i++) {
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen_of("police"));
                assert_planned(n, 0, NOTIFY_RECEIPT, "police");
                assert_planned_only(n, 1);
                assert_false(planned(n, 0)->message.has_episode);
                assert_true(planned(n, 0)->message.has_referral);
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen_of("school"));
                assert_planned_only(n, 0); /* Known, and without an address. */
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen_of(""));
                assert_planned_only(n, 0);
        }
        n->policy.receipts = false;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, seen_of("police"));
        assert_planned_only(n, 0);
}

static void what_is_added_is_told_to_the_team_that_owns_it(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("school");

        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen);
        assert_planned_only(n, 0); /* The front door sees its own queue. */
        accept_by(n, "east");
        seen.due_ms = 222;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen);
        assert_planned(n, 0, NOTIFY_ADDED, "east");
        assert_planned_only(n, 1);
        assert_int_equal(planned(n, 0)->message.due_ms, 222);
        seen.look_now = true;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen);
        assert_planned(n, 0, NOTIFY_LOOK_NOW, "front-door");
        assert_planned(n, 1, NOTIFY_ADDED, "east");
        assert_planned_only(n, 2);
        assert_int_equal(planned(n, 0)->message.due_ms, 111);
        assert_false(door_id_equal(&planned(n, 0)->delivery, &planned(n, 1)->delivery));
}

static void an_owner_is_who_accepted_last_until_it_ends(void **state)
{
        notifying *n = *state;
        notify_seen returned = seen_of("");

        accept_by(n, "east");
        assert_int_equal(n->bench.events_count, 1);
        assert_int_equal(n->bench.events[0].type, NOTIFY_OWNER_NOTED);
        accept_by(n, "east");
        assert_int_equal(n->bench.events_count, 0); /* Nothing new. */
        returned.hand_over = true;
        returned.owner = door_bytes_of("east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED, returned);
        assert_planned(n, 0, NOTIFY_RETURNED, "east"); /* The giver, who stays the owner. */
        assert_int_equal(n->bench.events_count, 1);
        accept_by(n, "west");
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED, seen_of(""));
        assert_planned(n, 0, NOTIFY_LOOK_LATE, "front-door");
        assert_planned(n, 1, NOTIFY_LOOK_LATE, "west");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ENDED, seen_of(""));
        assert_int_equal(n->bench.events_count, 1);
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ENDED, seen_of(""));
        assert_int_equal(n->bench.events_count, 0);
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED, seen_of(""));
        assert_planned_only(n, 1);
        assert_int_equal(memory_reader_rows_of(&n->bench.memory, 0x03), 0);
}

static void a_return_that_takes_the_family_back_makes_the_front_door_its_owner(void **state)
{
        notifying *n = *state;
        notify_seen returned = seen_of("");

        accept_by(n, "east");
        returned.owner = door_bytes_of("front-door");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED, returned);
        assert_planned(n, 0, NOTIFY_RETURNED, "front-door");
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen_of(""));
        assert_planned_only(n, 0);
}

/* An episode can be decided anew while a team holds the family; what another returns then is not the
 * holder's. */
static void a_returned_offer_leaves_the_family_with_the_team_that_holds_it(void **state)
{
        notifying *n = *state;
        notify_seen returned = seen_of("");

        accept_by(n, "east");
        returned.team = door_bytes_of("west");
        returned.owner = door_bytes_of("east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED, returned);
        assert_planned(n, 0, NOTIFY_RETURNED, "front-door"); /* Who has to find another. */
        assert_int_equal(n->bench.events_count, 1);
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen_of(""));
        assert_planned(n, 0, NOTIFY_ADDED, "east");
}

static void a_team_that_accepts_what_it_has_is_told_of_no_change(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("");

        seen.team = door_bytes_of("east");
        seen.from = door_bytes_of("east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, seen);
        assert_planned_only(n, 0);
}

static void teams_are_told_of_offers_they_can_answer(void **state)
{
        static const struct {
                uint32_t type;
                bool waiting;
                bool told;
        } cases[] = { { NOTIFY_ALLOT_OFFERED, false, true },
                      { NOTIFY_ALLOT_OFFERED, true, false },
                      { NOTIFY_ALLOT_PLACED, false, true },
                      { NOTIFY_ALLOT_HAND_OVER, false, true },
                      { NOTIFY_ALLOT_HAND_OVER, true, false } };
        notifying *n = *state;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                notify_seen seen = seen_of("");
                seen.team = door_bytes_of("east");
                seen.waiting = cases[i].waiting;
                see(n, NOTIFY_LOG_ALLOCATION, cases[i].type, seen);
                assert_planned_only(n, cases[i].told ? 1 : 0);
                if (cases[i].told) {
                        assert_planned(n, 0, NOTIFY_OFFER, "east");
                }
                assert_int_equal(n->bench.events_count, cases[i].told ? 1 : 0);
        }
}

static void a_manager_places_what_nobody_takes_and_a_giver_hears_of_its_hand_over(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("");

        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, seen);
        assert_planned(n, 0, NOTIFY_UNROUTED, "manager");
        seen.team = door_bytes_of("east");
        seen.from = door_bytes_of("west");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, seen);
        assert_planned(n, 0, NOTIFY_OWNER_CHANGED, "west");
        assert_planned_only(n, 1);
}

/* ---- joins and moves ---- */

/* FOLDED and RESTORED of allocation; empty texts are not said. */
static notify_seen join_of(const char *owner, bool accepted)
{
        notify_seen seen = seen_of("");

        seen.has_referral = false;
        seen.owner = door_bytes_of(owner);
        seen.accepted = accepted;
        memcpy(seen.other.bytes, other_bytes, DOOR_ID_BYTES);
        return seen;
}

static void other_accepted_by(notifying *n, const char *team)
{
        notify_seen seen = seen_of("");

        memcpy(seen.episode.bytes, other_bytes, DOOR_ID_BYTES);
        seen.team = door_bytes_of(team);
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, seen);
}

static void assert_about(const notifying *n, size_t index, uint32_t why, const uint8_t *episode)
{
        const notify_message *m = &planned(n, index)->message;

        assert_int_equal(m->why, why);
        assert_true(m->has_episode && !m->has_referral && !m->has_severity && m->due_ms == 0);
        assert_memory_equal(m->episode.bytes, episode, DOOR_ID_BYTES);
}

static void assert_owner(notifying *n, const uint8_t *episode, const char *team)
{
        door_id id;
        door_bytes owner = DOOR_BYTES_EMPTY;

        memcpy(id.bytes, episode, DOOR_ID_BYTES);
        assert_int_equal(notify_owner_get(core_bench_view(&n->bench), &id, &owner), team[0] != '\0');
        assert_true(door_bytes_equal(owner, door_bytes_of(team)));
}

static void of_a_join_the_owner_who_leaves_and_whose_offer_is_withdrawn_are_told(void **state)
{
        notifying *n = *state;
        notify_seen seen = join_of("west", true);

        accept_by(n, "east");
        other_accepted_by(n, "west");
        seen.leaves = door_bytes_of("east");
        seen.withdrawn = door_bytes_of("north");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, seen);
        assert_planned(n, 0, NOTIFY_JOINED, "west");
        assert_about(n, 0, NOTIFY_WHY_YOURS, episode_bytes);
        assert_planned(n, 1, NOTIFY_JOINED, "east");
        assert_about(n, 1, NOTIFY_WHY_LEAVES, episode_bytes);
        assert_planned(n, 2, NOTIFY_JOINED, "north");
        assert_about(n, 2, NOTIFY_WHY_WITHDRAWN, other_bytes);
        assert_planned_only(n, 3);
        assert_owner(n, episode_bytes, "west");
        assert_owner(n, other_bytes, "");
}

static void a_team_that_leaves_is_told_of_the_episode_it_had(void **state)
{
        notifying *n = *state;
        notify_seen seen = join_of("east", true);

        accept_by(n, "east");
        other_accepted_by(n, "west");
        seen.leaves = door_bytes_of("west");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, seen);
        assert_planned(n, 0, NOTIFY_JOINED, "east");
        assert_planned(n, 1, NOTIFY_JOINED, "west");
        assert_about(n, 1, NOTIFY_WHY_LEAVES, other_bytes);
        assert_planned_only(n, 2);
        assert_owner(n, episode_bytes, "east");
        assert_owner(n, other_bytes, "");
}

static void of_a_join_each_desk_is_told_once(void **state)
{
        notifying *n = *state;
        notify_seen seen = join_of("east", true);

        seen.withdrawn = door_bytes_of("east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, seen);
        assert_planned(n, 0, NOTIFY_JOINED, "east");
        assert_planned_only(n, 1);
        seen.leaves = seen.withdrawn = door_bytes_of("west");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, seen);
        assert_planned(n, 1, NOTIFY_JOINED, "west");
        assert_planned_only(n, 2);
}

static void of_a_join_that_nobody_accepted_the_front_door_is_told(void **state)
{
        notifying *n = *state;

        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED, join_of("front-desk", false));
        assert_planned(n, 0, NOTIFY_JOINED, "front-door");
        assert_about(n, 0, NOTIFY_WHY_FRONT_DOORS, episode_bytes);
        assert_planned_only(n, 1);
        assert_int_equal(n->bench.events_count, 1);
        assert_owner(n, episode_bytes, "");
}

static void of_an_undoing_both_teams_are_told_and_each_has_its_own_again(void **state)
{
        notifying *n = *state;

        other_accepted_by(n, "east"); /* The survivor's. */
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RESTORED, join_of("west", true));
        assert_planned(n, 0, NOTIFY_JOIN_UNDONE, "west");
        assert_about(n, 0, NOTIFY_WHY_YOURS, episode_bytes);
        assert_planned(n, 1, NOTIFY_JOIN_UNDONE, "east");
        assert_about(n, 1, NOTIFY_WHY_SURVIVES, other_bytes);
        assert_planned_only(n, 2);
        assert_owner(n, episode_bytes, "west");
        assert_owner(n, other_bytes, "east");
}

static void an_undoing_is_told_to_the_front_door_where_nobody_has_it_and_to_one_team_once(void **state)
{
        notifying *n = *state;

        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RESTORED, join_of("front-door", false));
        assert_planned(n, 0, NOTIFY_JOIN_UNDONE, "front-door");
        assert_about(n, 0, NOTIFY_WHY_FRONT_DOORS, episode_bytes);
        assert_planned_only(n, 1);
        assert_owner(n, episode_bytes, "");
        other_accepted_by(n, "east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RESTORED, join_of("east", true));
        assert_planned(n, 0, NOTIFY_JOIN_UNDONE, "east");
        assert_planned_only(n, 1);
}

static void of_joined_history_nobody_is_told_and_its_owner_is_known(void **state)
{
        static const uint32_t types[] = { NOTIFY_ALLOT_FOLDED, NOTIFY_ALLOT_RESTORED };
        notifying *n = *state;

        for (size_t i = 0; i < 2; i++) {
                accept_by(n, "west");
                see_flagged(n, NOTIFY_LOG_ALLOCATION, types[i], join_of("east", true), DOOR_FLAG_HISTORIC);
                assert_planned_only(n, 0);
                assert_owner(n, episode_bytes, "east");
        }
}

static void a_red_row_that_a_join_or_its_undoing_queues_goes_to_the_desk(void **state)
{
        static const uint32_t types[] = { NOTIFY_TRIAGE_FOLDED, NOTIFY_TRIAGE_RESTORED };
        notifying *n = *state;

        for (size_t i = 0; i < 2; i++) {
                notify_seen seen = seen_of("");
                seen.has_referral = false;
                seen.severity = 80;
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen);
                assert_planned_only(n, 0); /* A team has it. */
                seen.queued = true;
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen);
                assert_planned(n, 0, NOTIFY_RED, "front-door");
                assert_planned_only(n, 1);
                assert_int_equal(planned(n, 0)->message.due_ms, 111);
                seen.severity = 79;
                see(n, NOTIFY_LOG_TRIAGE, types[i], seen);
                assert_planned_only(n, 0);
        }
}

/* Only the sender is not told again: it has its receipt, and where its referral went is not its to learn. */
static void a_referral_that_is_moved_is_told_as_any_other_but_not_to_its_sender(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("police");

        accept_by(n, "east");
        seen.moved = true;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen);
        assert_planned(n, 0, NOTIFY_ADDED, "east");
        assert_planned_only(n, 1);
        seen.queued = true;
        seen.severity = 80;
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, seen);
        assert_planned(n, 0, NOTIFY_RED, "front-door");
        assert_planned_only(n, 1);
}

static void who_acted_on_what_had_moved_on_is_told_at_its_desk(void **state)
{
        static char long_actor[100] = "training/team-";
        memset(long_actor + 14, 'x', 70);
        memcpy(long_actor + 84, "/jo", 4);
        const struct {
                const char *actor;
                const char *desk; /* NULL: nobody acted. */
        } cases[] = { { "training/team-east/sam", "east" },
                      { "training/triage/jo", "front-door" },
                      { "somebody", "front-door" },
                      { long_actor, "front-door" },
                      { "", NULL } };
        static const uint32_t logs[][2] = { { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OVERTAKEN },
                                            { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OVERTAKEN } };
        notifying *n = *state;

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                for (size_t l = 0; l < 2; l++) {
                        notify_seen seen = seen_of("");
                        seen.actor = door_bytes_of(cases[i].actor);
                        see(n, logs[l][0], logs[l][1], seen);
                        assert_planned_only(n, cases[i].desk == NULL ? 0 : 1);
                        if (cases[i].desk != NULL) {
                                assert_planned(n, 0, NOTIFY_OVERTAKEN, cases[i].desk);
                        }
                }
        }
}

static void the_front_door_is_told_what_senders_ask_from_the_header_alone(void **state)
{
        static const notify_seen nothing; /* Intake's payload is not read. */
        notifying *n = *state;

        see(n, NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_ATTEMPT_REFUSED, nothing);
        assert_planned(n, 0, NOTIFY_ATTEMPT_REFUSED, "front-door");
        assert_memory_equal(planned(n, 0)->message.referral.bytes, referral_bytes, DOOR_ID_BYTES);
        assert_int_equal(planned(n, 0)->message.due_ms, n->bench.now_ms + NOTIFY_ATTEMPT_LOOKED_AT_MS);
        see(n, NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_WITHDRAW_ASKED, nothing);
        assert_planned(n, 0, NOTIFY_REQUEST, "front-door");
        assert_int_equal(planned(n, 0)->message.why, NOTIFY_WHY_WITHDRAW);
        see(n, NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_AMEND_ASKED, nothing);
        assert_planned(n, 0, NOTIFY_REQUEST, "front-door");
        assert_int_equal(planned(n, 0)->message.why, NOTIFY_WHY_AMEND);
}

static void of_history_nobody_is_told(void **state)
{
        static const uint32_t all[][2] = {
                { NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_ATTEMPT_REFUSED },
                { NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_WITHDRAW_ASKED },
                { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED },
                { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED },
                { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_HISTORY },
                { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED },
                { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OFFERED },
                { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED },
                { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED },
        };
        notifying *n = *state;

        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
                for (unsigned how = 0; how < 3; how++) {
                        notify_seen seen = seen_of("police");
                        seen.severity = 100;
                        seen.queued = true;
                        seen.look_now = true;
                        seen.historic = how == 1;
                        seen.imported = how == 2;
                        see_flagged(n, all[i][0], all[i][1], seen, how == 0 ? DOOR_FLAG_HISTORIC : 0);
                        assert_int_equal(n->bench.events_count, 0);
                }
        }
}

static void an_owner_of_history_is_known_when_something_new_comes(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("");

        seen.team = door_bytes_of("east");
        see_flagged(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, seen, DOOR_FLAG_HISTORIC);
        see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, seen_of(""));
        assert_planned(n, 0, NOTIFY_ADDED, "east");
}

/* ---- trying ---- */

static bool effect_next(notifying *n, const door_id *busy, size_t busy_count, door_effect *ret_effect)
{
        door_arena_reset(&n->bench.arena);
        return notify_ops.next_effect(core_bench_view(&n->bench), n->bench.policy, n->bench.now_ms, busy,
                                      busy_count, &n->bench.arena, ret_effect);
}

static void end(notifying *n, const door_effect *effect, uint32_t code)
{
        door_outcome outcome = {
                .key = effect->key, .attempt = effect->attempt, .code = code, .detail = NOTIFY_SINK_SMTP
        };
        door_input input = { .kind = DOOR_INPUT_OUTCOME, .body = &outcome };

        door_arena_reset(&n->bench.arena);
        core_bench_take(&n->bench, &input);
}

static door_effect one_pending(notifying *n)
{
        door_effect effect;

        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, seen_of(""));
        assert_true(effect_next(n, NULL, 0, &effect));
        return effect;
}

static void a_message_is_to_be_sent_at_once_and_until_it_has_arrived(void **state)
{
        notifying *n = *state;
        const door_effect effect = one_pending(n);
        door_effect again;

        assert_int_equal(effect.due_ms, 0);
        assert_int_equal(effect.attempt, 1);
        assert_true(effect.frame.len > 0);
        assert_false(effect_next(n, &effect.key, 1, &again)); /* It is under way. */
        end(n, &(door_effect){ .key = effect.key, .attempt = 2 }, NOTIFY_DELIVERED_WELL);
        assert_int_equal(n->bench.events_count, 0); /* Word of an attempt that was not made. */
        end(n, &effect, NOTIFY_DELIVERED_WELL);
        assert_int_equal(n->bench.events[0].type, NOTIFY_DELIVERED);
        const notify_about *body = n->bench.events[0].body;
        assert_int_equal(body->attempts, 1);
        assert_int_equal(body->sink, NOTIFY_SINK_SMTP);
        assert_false(effect_next(n, NULL, 0, &again));
        end(n, &effect, NOTIFY_DELIVERED_WELL); /* Word of it twice. */
        assert_int_equal(n->bench.events_count, 0);
        assert_int_equal(memory_reader_rows_of(&n->bench.memory, 0x02), 0);
}

static void at_once_is_at_once_though_the_clock_goes_back(void **state)
{
        notifying *n = *state;
        door_effect effect;

        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, seen_of(""));
        n->bench.now_ms -= 3600000;
        assert_true(effect_next(n, NULL, 0, &effect));
        assert_true(effect.due_ms <= n->bench.now_ms);
}

/* Twice as long each time, a quarter more or less, never above the last; then a person is asked. */
static void what_fails_is_tried_again_ever_later_and_then_given_up(void **state)
{
        static const notify_failure failures[] = { NOTIFY_UNREACHABLE,     NOTIFY_TLS,  NOTIFY_TIMED_OUT,
                                                   NOTIFY_REFUSED_FOR_NOW, NOTIFY_DISK, (notify_failure)99 };
        notifying *n = *state;

        n->policy.attempts_max = 6;
        n->policy.retry_last_ms = 30000;
        for (size_t f = 0; f < sizeof failures / sizeof failures[0]; f++) {
                uint64_t wait_ms = n->policy.retry_first_ms;
                door_effect effect = one_pending(n);
                for (uint32_t attempt = 1; attempt < 6; attempt++) {
                        assert_int_equal(effect.attempt, attempt);
                        end(n, &effect, failures[f]);
                        assert_int_equal(n->bench.events[0].type, NOTIFY_ATTEMPT_FAILED);
                        assert_null(n->bench.out.alert);
                        const notify_about *body = n->bench.events[0].body;
                        const uint64_t waits_ms = body->next_ms - n->bench.now_ms;
                        assert_in_range(waits_ms, wait_ms * 3 / 4, wait_ms * 5 / 4 + 1);
                        assert_true(effect_next(n, NULL, 0, &effect));
                        assert_int_equal(effect.due_ms, n->bench.now_ms + waits_ms);
                        assert_int_equal(effect.frame.len, 0); /* Not yet. */
                        n->bench.now_ms += waits_ms;
                        assert_true(effect_next(n, NULL, 0, &effect));
                        assert_true(effect.frame.len > 0);
                        wait_ms = wait_ms * 2 > 30000 ? 30000 : wait_ms * 2;
                }
                end(n, &effect, failures[f]);
                assert_int_equal(n->bench.events[0].type, NOTIFY_GIVEN_UP);
                assert_non_null(n->bench.out.alert);
                assert_false(effect_next(n, NULL, 0, &effect));
        }
}

static void waits_differ_so_that_what_failed_together_comes_apart(void **state)
{
        notifying *n = *state;
        uint64_t least = UINT64_MAX;
        uint64_t most = 0;

        n->policy.retry_first_ms = 100000;
        for (unsigned i = 0; i < 64; i++) {
                const door_effect effect = one_pending(n);
                end(n, &effect, NOTIFY_UNREACHABLE);
                const notify_about *body = n->bench.events[0].body;
                const uint64_t wait_ms = body->next_ms - n->bench.now_ms;
                least = wait_ms < least ? wait_ms : least;
                most = wait_ms > most ? wait_ms : most;
        }
        assert_true(most > least);
}

static void what_cannot_help_is_given_up_at_once(void **state)
{
        static const notify_failure hopeless[] = { NOTIFY_REFUSED, NOTIFY_NO_ADDRESS };
        notifying *n = *state;

        for (size_t i = 0; i < 2; i++) {
                const door_effect effect = one_pending(n);
                end(n, &effect, hopeless[i]);
                assert_int_equal(n->bench.events[0].type, NOTIFY_GIVEN_UP);
                const notify_about *body = n->bench.events[0].body;
                assert_int_equal(body->failure, hopeless[i]);
                assert_int_equal(body->attempts, 1);
        }
}

static void red_and_look_now_go_before_everything_else(void **state)
{
        notifying *n = *state;
        door_id busy[DOOR_EFFECTS_MAX];
        door_effect effect;
        size_t taken = 0;

        for (unsigned i = 0; i < 6; i++) {
                see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, seen_of(""));
        }
        while (effect_next(n, busy, taken, &effect)) {
                busy[taken++] = effect.key;
        }
        assert_int_equal(taken, NOTIFY_ORDINARY_AT_ONCE);
        notify_seen red = seen_of("");
        red.queued = true;
        red.severity = 100;
        for (size_t i = taken; i < DOOR_EFFECTS_MAX; i++) {
                see(n, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, red);
                const door_id key = planned(n, 0)->delivery;
                assert_true(effect_next(n, busy, taken, &effect));
                assert_true(door_id_equal(&effect.key, &key));
                busy[taken++] = effect.key;
        }
        /* A red one that waits for its next attempt does not keep the others. */
        n->policy.retry_first_ms = 600000;
        end(n, &effect, NOTIFY_UNREACHABLE);
        for (size_t i = NOTIFY_ORDINARY_AT_ONCE; i + 1 < DOOR_EFFECTS_MAX; i++) {
                end(n, &(door_effect){ .key = busy[i], .attempt = 1 }, NOTIFY_DELIVERED_WELL);
        }
        assert_true(effect_next(n, busy, 1, &effect));
        assert_int_equal(effect.due_ms, 0);
}

/* ---- people ---- */

static void ask(notifying *n, uint32_t type, const door_id *delivery, const char *actor)
{
        notify_about body = { .delivery = *delivery };
        door_input input = {
                .kind = DOOR_INPUT_COMMAND, .type = type, .actor = door_bytes_of(actor), .body = &body
        };

        door_arena_reset(&n->bench.arena);
        core_bench_take(&n->bench, &input);
}

static void assert_refused(const notifying *n, uint32_t reason)
{
        assert_true(n->bench.out.refused);
        assert_int_equal(n->bench.out.refusal.reason, reason);
        assert_int_equal(n->bench.events_count, 0);
}

static void what_was_given_up_starts_over_or_is_told_by_a_person(void **state)
{
        notifying *n = *state;
        door_effect effect = one_pending(n);

        ask(n, NOTIFY_TRY_AGAIN, &effect.key, "training/triage/jo");
        assert_refused(n, NOTIFY_NOT_GIVEN_UP); /* It is still being tried. */
        end(n, &effect, NOTIFY_REFUSED);
        ask(n, NOTIFY_TRY_AGAIN, &effect.key, "training/triage/jo");
        assert_int_equal(n->bench.events[0].type, NOTIFY_TRIED_AGAIN);
        assert_true(effect_next(n, NULL, 0, &effect));
        assert_int_equal(effect.attempt, 1);
        assert_int_equal(effect.due_ms, 0);
        end(n, &effect, NOTIFY_REFUSED);
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/triage/jo");
        assert_int_equal(n->bench.events[0].type, NOTIFY_TOLD);
        const notify_about *told = n->bench.events[0].body;
        assert_true(door_bytes_equal(told->by, door_bytes_of("training/triage/jo")));
        assert_false(effect_next(n, NULL, 0, &effect));
        const door_id key = told->delivery;
        ask(n, NOTIFY_TRY_AGAIN, &key, "training/triage/jo");
        assert_refused(n, NOTIFY_NOT_GIVEN_UP);
        ask(n, NOTIFY_TOLD_BY_PERSON, &key, "training/triage/jo");
        assert_refused(n, NOTIFY_NOT_GIVEN_UP);
}

/* The telephone may be quicker than the mail; what comes of the mail then changes nothing. */
static void a_person_may_tell_what_is_still_being_tried(void **state)
{
        notifying *n = *state;
        door_effect effect = one_pending(n);

        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/triage/jo");
        assert_int_equal(n->bench.events[0].type, NOTIFY_TOLD);
        end(n, &effect, NOTIFY_UNREACHABLE);
        assert_int_equal(n->bench.events_count, 0);
        assert_false(effect_next(n, NULL, 0, &effect));
}

static void only_who_may_speaks_about_a_delivery(void **state)
{
        notifying *n = *state;
        notify_seen seen = seen_of("");
        door_effect effect;
        const door_id none = { { 9 } };

        seen.team = door_bytes_of("east");
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, seen);
        assert_true(effect_next(n, NULL, 0, &effect));
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/team-west/sam");
        assert_refused(n, 2);
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "somebody");
        assert_refused(n, 2);
        ask(n, NOTIFY_TOLD_BY_PERSON, &none, "training/triage/jo");
        assert_refused(n, 5);
        n->policy.training = false;
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/team-east/sam");
        assert_refused(n, NOTIFY_TRAINING_ONLY);
        n->bench.policy = NULL;
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/team-east/sam");
        assert_int_equal(n->bench.out.retry, 8);
        n->policy.training = true;
        n->bench.policy = &n->policy;
        ask(n, NOTIFY_TOLD_BY_PERSON, &effect.key, "training/team-east/sam");
        assert_int_equal(n->bench.events[0].type, NOTIFY_TOLD);
}

static void without_a_policy_people_are_told_all_the_same(void **state)
{
        notifying *n = *state;
        door_effect effect;

        n->bench.policy = NULL;
        see(n, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED, seen_of(""));
        assert_planned(n, 0, NOTIFY_UNROUTED, "manager");
        assert_true(effect_next(n, NULL, 0, &effect));
        end(n, &effect, NOTIFY_UNREACHABLE);
        assert_int_equal(n->bench.events[0].type, NOTIFY_ATTEMPT_FAILED);
}

/* Nothing here falls due by the tick: the machine would tick for ever. */
static void no_tick_is_ever_wanted(void **state)
{
        notifying *n = *state;

        (void)one_pending(n);
        assert_int_equal(notify_ops.next_deadline(core_bench_view(&n->bench)), 0);
        assert_false(core_bench_tick(&n->bench));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_red_row_goes_to_the_desk_on_duty),
                TEST(a_red_row_that_is_reopened_goes_to_the_desk_too),
                TEST(a_row_that_is_not_red_is_seen_in_the_queue),
                TEST(a_sender_with_an_address_gets_a_receipt_that_names_the_referral_alone),
                TEST(what_is_added_is_told_to_the_team_that_owns_it),
                TEST(an_owner_is_who_accepted_last_until_it_ends),
                TEST(a_return_that_takes_the_family_back_makes_the_front_door_its_owner),
                TEST(a_returned_offer_leaves_the_family_with_the_team_that_holds_it),
                TEST(a_team_that_accepts_what_it_has_is_told_of_no_change),
                TEST(teams_are_told_of_offers_they_can_answer),
                TEST(a_manager_places_what_nobody_takes_and_a_giver_hears_of_its_hand_over),
                TEST(of_a_join_the_owner_who_leaves_and_whose_offer_is_withdrawn_are_told),
                TEST(a_team_that_leaves_is_told_of_the_episode_it_had),
                TEST(of_a_join_each_desk_is_told_once),
                TEST(of_a_join_that_nobody_accepted_the_front_door_is_told),
                TEST(of_an_undoing_both_teams_are_told_and_each_has_its_own_again),
                TEST(an_undoing_is_told_to_the_front_door_where_nobody_has_it_and_to_one_team_once),
                TEST(of_joined_history_nobody_is_told_and_its_owner_is_known),
                TEST(a_red_row_that_a_join_or_its_undoing_queues_goes_to_the_desk),
                TEST(a_referral_that_is_moved_is_told_as_any_other_but_not_to_its_sender),
                TEST(who_acted_on_what_had_moved_on_is_told_at_its_desk),
                TEST(the_front_door_is_told_what_senders_ask_from_the_header_alone),
                TEST(of_history_nobody_is_told),
                TEST(an_owner_of_history_is_known_when_something_new_comes),
                TEST(a_message_is_to_be_sent_at_once_and_until_it_has_arrived),
                TEST(at_once_is_at_once_though_the_clock_goes_back),
                TEST(what_fails_is_tried_again_ever_later_and_then_given_up),
                TEST(waits_differ_so_that_what_failed_together_comes_apart),
                TEST(what_cannot_help_is_given_up_at_once),
                TEST(red_and_look_now_go_before_everything_else),
                TEST(what_was_given_up_starts_over_or_is_told_by_a_person),
                TEST(a_person_may_tell_what_is_still_being_tried),
                TEST(only_who_may_speaks_about_a_delivery),
                TEST(without_a_policy_people_are_told_all_the_same),
                TEST(no_tick_is_ever_wanted),
        };
#undef TEST
        return cmocka_run_group_tests(tests, NULL, NULL);
}
