/*
 * Goal: who owns an episode is decided as allot_core.h says: one owner always, the right team asked, no
 * place given twice, nobody forgotten who waits.
 * Method: triage's word and people's acts one at a time over a memory, each record encoded, decoded and
 * folded twice (support/core_bench.h); at the end a random county, whose loads are counted again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocation/allot_codec.h"
#include "allocation/allot_route.h"
#include "support/core_bench.h"

enum { BAND_UNDER_1 = 2, BAND_5_TO_10 = 4, BAND_11_TO_15 = 5, TEAMS = 9 };

typedef struct bench {
        core_bench core;
        allot_policy policy;
        allot_team teams[TEAMS];
        door_bytes district[1];
        allot_episode_word heard;
        door_id episode;
        uint32_t version;
} bench;

static door_id id_of(uint64_t n)
{
        door_id id = { { 0 } };
        door_put_u64(id.bytes + 2, n);
        return id;
}

static allot_team team_make(const char *id, allot_team_kind kind, uint32_t capacity)
{
        return (allot_team){ .id = door_bytes_of(id),
                             .kind = kind,
                             .level_from = 1,
                             .level_to = 4,
                             .has_capacity = capacity != 0,
                             .capacity = capacity };
}

/* In the order of their ids, as the codec leaves them. */
static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);

        if (b == NULL) {
                return -1;
        }
        core_bench_init(&b->core, &allot_ops);
        b->district[0] = door_bytes_of("E07000081");
        b->teams[0] = team_make("a-young", ALLOT_SOCIAL_CARE, 2);
        b->teams[1] = team_make("b-older", ALLOT_SOCIAL_CARE, 2);
        b->teams[2] = team_make("c-county", ALLOT_SOCIAL_CARE, 1);
        b->teams[3] = team_make("camhs", ALLOT_EXTERNAL, 0);
        b->teams[4] = team_make("disability", ALLOT_SOCIAL_CARE, 5);
        b->teams[5] = team_make("early", ALLOT_EARLY_HELP, 1);
        b->teams[6] = team_make("edt", ALLOT_EMERGENCY_DUTY, 0);
        b->teams[7] = team_make("front-door", ALLOT_FRONT_DOOR, 0);
        b->teams[8] = team_make("infants", ALLOT_SOCIAL_CARE, 5);
        for (size_t i = 0; i < 2; i++) {
                b->teams[i].districts = b->district;
                b->teams[i].districts_count = 1;
                b->teams[i].has_ages = true;
                b->teams[i].age_from = i == 0 ? 0 : 11;
                b->teams[i].age_to = i == 0 ? 10 : 17;
                b->teams[i].level_from = 2;
        }
        b->teams[2].level_from = 4;
        b->teams[4].routes = ALLOT_ROUTE_DISABILITY;
        b->teams[5].level_to = 2;
        b->teams[8].routes = ALLOT_ROUTE_UNBORN;
        b->policy = (allot_policy){ .training = true, .teams_count = TEAMS, .teams = b->teams };
        b->core.policy = &b->policy;
        *state = b;
        return 0;
}

static int teardown(void **state)
{
        bench *b = *state;
        const bool same = core_bench_done(&b->core);

        free(b);
        return same ? 0 : -1;
}

/* ---- triage's word ---- */

static void hear(bench *b, uint32_t type)
{
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = type,
                             .cause = { ALLOT_LOG_TRIAGE, b->core.draws },
                             .body = &b->heard };

        door_arena_reset(&b->core.arena);
        b->heard.episode = b->episode;
        b->heard.version = b->version;
        core_bench_take(&b->core, &input);
}

static void opened(bench *b, uint64_t n)
{
        b->episode = id_of(n);
        b->version = 1;
        memset(&b->heard, 0, sizeof b->heard);
        memcpy(b->heard.routing.district, "E07000081", ALLOT_DISTRICT_BYTES);
        b->heard.routing.age_bands = 1u << BAND_5_TO_10;
        hear(b, ALLOT_INPUT_OPENED);
}

static void decided(bench *b, uint8_t level, bool statutory)
{
        b->version++;
        b->heard.level = level;
        b->heard.statutory = statutory;
        b->heard.to_be_offered = true;
        b->heard.ends = false;
        hear(b, ALLOT_INPUT_DECIDED);
}

static void ended(bench *b)
{
        b->version++;
        b->heard.ends = true;
        b->heard.to_be_offered = false;
        hear(b, ALLOT_INPUT_CLOSED);
}

static const allot_word *event_at(const bench *b, size_t index, allot_event type)
{
        assert_true(index < b->core.events_count);
        assert_int_equal(b->core.events[index].type, type);
        return b->core.events[index].body;
}

static void assert_text(door_bytes bytes, const char *text)
{
        if (!door_bytes_equal(bytes, door_bytes_of(text))) {
                fail_msg("%.*s is not %s", (int)bytes.len, bytes.len == 0 ? "" : (const char *)bytes.data,
                         text);
        }
}

static allot_episode now(bench *b)
{
        allot_episode e;
        assert_true(allot_episode_get(core_bench_view(&b->core), &b->episode, &e));
        return e;
}

static uint32_t load_of(bench *b, const char *team)
{
        return allot_load_get(core_bench_view(&b->core), door_bytes_of(team));
}

/* ---- people's acts ---- */

static void act_as(bench *b, const char *actor, allot_command type, const char *team, uint64_t version)
{
        const allot_act act = { .episode = b->episode,
                                .lead = door_bytes_of("Kim Hall"),
                                .team = door_bytes_of(team),
                                .reason = 1,
                                .text = door_bytes_of("because") };
        door_input input = { .kind = DOOR_INPUT_COMMAND,
                             .type = (uint32_t)type,
                             .actor = door_bytes_of(actor),
                             .expected_version = version,
                             .body = &act };

        core_bench_take(&b->core, &input);
}

static void accept_as(bench *b, const char *team)
{
        char actor[80];
        (void)snprintf(actor, sizeof actor, "training/team-%s/sam", team);
        act_as(b, actor, ALLOT_ACCEPT, "", 0);
}

static void return_as(bench *b, const char *team)
{
        char actor[80];
        (void)snprintf(actor, sizeof actor, "training/team-%s/sam", team);
        act_as(b, actor, ALLOT_RETURN, "", 0);
}

static void assert_refused(const bench *b, uint32_t reason)
{
        assert_true(b->core.out.refused);
        assert_int_equal(b->core.out.refusal.reason, reason);
        assert_int_equal(b->core.events_count, 0);
}

/* ---- the owner ---- */

static void an_episode_is_the_front_doors_from_the_first_word(void **state)
{
        bench *b = *state;
        opened(b, 1);
        assert_text(event_at(b, 0, ALLOT_OWNER_NAMED)->owner, "front-door");
        opened(b, 1);
        assert_int_equal(b->core.events_count, 0); /* It has an owner. */
        b->core.policy = NULL;
        opened(b, 2);
        assert_text(event_at(b, 0, ALLOT_OWNER_NAMED)->owner, "front-door");
}

static void an_offer_changes_no_owner_and_an_acceptance_does(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
        assert_text(now(b).owner, "front-door");
        accept_as(b, "a-young");
        const allot_word *w = event_at(b, 0, ALLOT_ACCEPTED);
        assert_text(w->lead, "Kim Hall");
        assert_int_equal(w->episode_version, 2);
        assert_int_equal(w->from.len, 0);
        assert_text(now(b).owner, "a-young");
        assert_int_equal(load_of(b, "a-young"), 1);
}

static void what_has_ended_has_no_owner_and_ends_once(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        ended(b);
        assert_text(event_at(b, 0, ALLOT_ENDED)->team, "a-young");
        assert_int_equal(load_of(b, "a-young"), 0);
        ended(b);
        assert_int_equal(b->core.events_count, 0);
        hear(b, ALLOT_INPUT_REOPENED);
        assert_text(event_at(b, 0, ALLOT_OWNER_NAMED)->owner, "front-door");
}

static void a_decision_that_closes_ends_the_offer_too(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        ended(b);
        (void)event_at(b, 0, ALLOT_ENDED);
        assert_int_equal(load_of(b, "a-young"), 0);
        accept_as(b, "a-young");
        (void)event_at(b, 0, ALLOT_OVERTAKEN);
}

/* ---- which team ---- */

static void age_and_level_choose_the_team(void **state)
{
        bench *b = *state;
        opened(b, 1);
        b->heard.routing.age_bands = 1u << BAND_5_TO_10 | 1u << BAND_11_TO_15;
        decided(b, 3, true);
        const allot_word *w = event_at(b, 0, ALLOT_OFFERED);
        assert_text(w->team, "b-older"); /* By the eldest. */
        assert_true((w->why & 1u << ALLOT_WHY_AGE) != 0 && (w->why & 1u << ALLOT_WHY_DISTRICT) != 0);
        opened(b, 2);
        b->heard.early_help = true;
        decided(b, 2, false);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "early");
        opened(b, 3);
        decided(b, 2, true); /* Statutory: never early help, whatever the level. */
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
}

static void a_need_goes_to_the_team_that_is_there_for_it_and_no_other_does(void **state)
{
        bench *b = *state;
        opened(b, 1);
        b->heard.routing.routes = ALLOT_ROUTE_DISABILITY | ALLOT_ROUTE_UNBORN;
        decided(b, 3, true);
        const allot_word *w = event_at(b, 0, ALLOT_OFFERED);
        assert_text(w->team, "disability");
        assert_true((w->why & 1u << ALLOT_WHY_ROUTE) != 0);
        opened(b, 2);
        b->heard.routing.routes = ALLOT_ROUTE_UNBORN;
        decided(b, 3, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "infants");
        opened(b, 3);
        b->heard.routing.routes = ALLOT_ROUTE_IN_CARE; /* Nobody is there for it: as any other. */
        decided(b, 3, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
}

static void where_nobody_fits_a_manager_places_it(void **state)
{
        bench *b = *state;
        opened(b, 1);
        memset(b->heard.routing.district, 0, ALLOT_DISTRICT_BYTES);
        decided(b, 3, true);
        (void)event_at(b, 0, ALLOT_UNROUTED);
        assert_text(now(b).owner, "front-door");
        act_as(b, "training/triage/jo", ALLOT_PLACE, "b-older", 0);
        assert_refused(b, 2);
        act_as(b, "training/manager/mo", ALLOT_PLACE, "nobody", 0);
        assert_refused(b, ALLOT_NO_SUCH_TEAM);
        act_as(b, "training/manager/mo", ALLOT_PLACE, "edt", 0);
        assert_refused(b, ALLOT_NO_SUCH_TEAM);
        act_as(b, "training/manager/mo", ALLOT_PLACE, "camhs", 0);
        const allot_word *w = event_at(b, 0, ALLOT_OFFERED);
        assert_text(w->team, "camhs");
        assert_true(w->why == 1u << ALLOT_WHY_PLACED_BY_HAND);
        assert_int_equal(w->capacity, UINT32_MAX);
        accept_as(b, "camhs");
        assert_text(now(b).owner, "camhs");
}

static void out_of_county_never_goes_to_a_district(void **state)
{
        bench *b = *state;
        opened(b, 1);
        b->heard.routing.out_of_county = true;
        decided(b, 3, true);
        (void)event_at(b, 0, ALLOT_UNROUTED);
        opened(b, 2);
        b->heard.routing.out_of_county = true;
        decided(b, 4, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "c-county");
}

static void the_team_that_knew_the_family_is_asked_first(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        ended(b);
        opened(b, 2);
        b->heard.routing.age_bands = 1u << BAND_11_TO_15;
        b->heard.has_previous = true;
        b->heard.previous = id_of(1);
        decided(b, 3, true);
        const allot_word *w = event_at(b, 0, ALLOT_OFFERED);
        assert_text(w->team, "a-young");
        assert_true((w->why & 1u << ALLOT_WHY_CONTINUITY) != 0);
}

static void ties_are_broken_by_the_id(void **state)
{
        bench *b = *state;
        b->teams[1].age_from = 0;
        opened(b, 1);
        decided(b, 3, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
        opened(b, 2);
        decided(b, 3, true); /* Now the other has more room. */
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "b-older");
}

/* ---- returns ---- */

static void a_returned_offer_is_the_front_doors_and_not_offered_there_again(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 4, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
        return_as(b, "a-young");
        const allot_word *w = event_at(b, 0, ALLOT_RETURNED);
        assert_text(w->owner, "front-door");
        assert_int_equal(w->times, 1);
        assert_int_equal(load_of(b, "a-young"), 0);
        decided(b, 4, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "c-county");
        return_as(b, "c-county");
        assert_int_equal(event_at(b, 0, ALLOT_RETURNED)->times, 2);
        (void)event_at(b, 1, ALLOT_UNROUTED); /* The second goes to a manager. */
        decided(b, 4, true);
        (void)event_at(b, 0, ALLOT_UNROUTED);
}

static void a_team_may_return_what_it_has(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        return_as(b, "b-older");
        assert_refused(b, ALLOT_NO_OFFER);
        return_as(b, "a-young");
        assert_text(event_at(b, 0, ALLOT_RETURNED)->owner, "front-door");
        assert_false(now(b).has_owner_team);
        assert_int_equal(load_of(b, "a-young"), 0);
}

static void a_raised_episode_stays_its_teams_until_another_accepts(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        decided(b, 4, true); /* Continuity: the same team, for the new decision. */
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "a-young");
        assert_int_equal(load_of(b, "a-young"), 1);
        return_as(b, "a-young");
        assert_text(event_at(b, 0, ALLOT_RETURNED)->owner, "a-young"); /* It gave back the offer only. */
        decided(b, 4, true);
        assert_text(event_at(b, 0, ALLOT_OFFERED)->team, "c-county");
        assert_text(now(b).owner, "a-young");
        accept_as(b, "c-county");
        assert_text(event_at(b, 0, ALLOT_ACCEPTED)->from, "a-young");
        assert_int_equal(load_of(b, "a-young"), 0);
        assert_int_equal(load_of(b, "c-county"), 1);
}

/* ---- waiting ---- */

static void a_full_team_lets_wait_and_the_longest_waiting_is_placed_first(void **state)
{
        bench *b = *state;
        for (uint64_t n = 1; n <= 4; n++) {
                opened(b, n);
                decided(b, 3, true);
                assert_int_equal(event_at(b, 0, ALLOT_OFFERED)->waiting, n > 2);
        }
        assert_int_equal(load_of(b, "a-young"), 2);
        b->episode = id_of(1);
        b->version = 2;
        ended(b);
        const allot_word *w = event_at(b, 1, ALLOT_OFFER_PLACED);
        const door_id third = id_of(3);
        assert_true(door_id_equal(&w->episode, &third));
        assert_true(w->waited_ms > 0);
        assert_int_equal(load_of(b, "a-young"), 2);
        b->episode = id_of(3);
        assert_false(now(b).waiting);
}

static void a_waiting_offer_may_be_returned_or_taken_all_the_same(void **state)
{
        bench *b = *state;
        for (uint64_t n = 1; n <= 4; n++) {
                opened(b, n);
                decided(b, 3, true);
        }
        return_as(b, "a-young"); /* The fourth. */
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(load_of(b, "a-young"), 2);
        b->episode = id_of(3);
        accept_as(b, "a-young");
        assert_int_equal(load_of(b, "a-young"), 3);
        assert_false(allot_waiting_any(core_bench_view(&b->core)));
}

static void room_that_a_policy_makes_is_filled_at_the_next_word(void **state)
{
        bench *b = *state;
        for (uint64_t n = 1; n <= 3; n++) {
                opened(b, n);
                decided(b, 3, true);
        }
        b->teams[0].capacity = 3;
        opened(b, 9);
        hear(b, ALLOT_INPUT_OPENED);
        (void)event_at(b, 0, ALLOT_OFFER_PLACED);
}

/* ---- hand-over ---- */

static void a_hand_over_leaves_the_giver_owning_until_it_is_accepted(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        act_as(b, "training/team-b-older/kim", ALLOT_HAND_OVER, "early", 0);
        assert_refused(b, ALLOT_NOT_YOURS);
        act_as(b, "training/team-a-young/sam", ALLOT_HAND_OVER, "a-young", 0);
        assert_refused(b, ALLOT_ALREADY_THERE);
        act_as(b, "training/team-a-young/sam", ALLOT_HAND_OVER, "early", 0);
        (void)event_at(b, 0, ALLOT_HAND_OVER_OFFERED);
        assert_text(now(b).owner, "a-young");
        return_as(b, "early");
        const allot_word *w = event_at(b, 0, ALLOT_RETURNED);
        assert_true(w->hand_over);
        assert_text(w->owner, "a-young");
        assert_int_equal(now(b).returned, 0); /* A refused hand-over is no return to the front door. */
        act_as(b, "training/team-a-young/sam", ALLOT_HAND_OVER, "early", 0);
        accept_as(b, "early");
        assert_text(event_at(b, 0, ALLOT_ACCEPTED)->from, "a-young");
        assert_text(now(b).owner, "early");
        assert_int_equal(load_of(b, "a-young"), 0);
        assert_int_equal(load_of(b, "early"), 1);
}

/* ---- who may, and too late ---- */

static void an_acceptance_names_a_lead_and_comes_from_the_team_that_was_asked(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        act_as(b, "training/triage/jo", ALLOT_ACCEPT, "", 0);
        assert_refused(b, 2);
        accept_as(b, "b-older");
        assert_refused(b, ALLOT_NO_OFFER);
        const allot_act nameless = { .episode = b->episode };
        door_input input = { .kind = DOOR_INPUT_COMMAND,
                             .type = ALLOT_ACCEPT,
                             .actor = door_bytes_of("training/team-a-young/sam"),
                             .body = &nameless };
        core_bench_take(&b->core, &input);
        assert_refused(b, ALLOT_NO_LEAD);
        b->policy.training = false;
        accept_as(b, "a-young");
        assert_refused(b, ALLOT_TRAINING_ONLY);
        b->core.policy = NULL;
        accept_as(b, "a-young");
        assert_int_equal(b->core.out.retry, 8);
}

static void who_acts_on_what_has_moved_on_is_told_where_it_stands(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 4, true);
        return_as(b, "a-young");
        decided(b, 4, true);
        act_as(b, "training/team-a-young/sam", ALLOT_ACCEPT, "", 2);
        const allot_word *w = event_at(b, 0, ALLOT_OVERTAKEN);
        assert_text(w->offered, "c-county");
        assert_text(w->owner, "front-door");
        assert_text(now(b).offered, "c-county");
}

static void an_older_decision_that_comes_late_moves_nothing(void **state)
{
        bench *b = *state;
        opened(b, 1);
        b->version = 5;
        decided(b, 3, true);
        b->version = 2;
        decided(b, 4, true);
        (void)event_at(b, 0, ALLOT_OVERTAKEN);
        assert_int_equal(now(b).offer_version, 6);
}

static void an_unknown_episode_is_refused(void **state)
{
        bench *b = *state;
        b->episode = id_of(99);
        accept_as(b, "a-young");
        assert_refused(b, 5);
}

/* ---- joins ---- */

enum { NO_LEVEL = 0 };

/* Episode `from` into episode `to`, as triage records it; levels of 0 are not said. */
static void folded(bench *b, uint64_t from, uint8_t from_level, uint64_t to, uint8_t to_level)
{
        allot_episode e = { 0 };

        b->episode = id_of(to);
        (void)allot_episode_get(core_bench_view(&b->core), &b->episode, &e);
        b->version = (e.offer_version > e.owned_version ? e.offer_version : e.owned_version) + 1;
        b->heard = (allot_episode_word){ .has_level = to_level != NO_LEVEL,
                                         .level = to_level,
                                         .other = id_of(from),
                                         .has_other_level = from_level != NO_LEVEL,
                                         .other_level = from_level };
        hear(b, ALLOT_INPUT_FOLDED);
}

static void restored(bench *b, uint64_t from, uint64_t survivor, bool active)
{
        b->episode = id_of(from);
        b->version = 50;
        b->heard = (allot_episode_word){ .other = id_of(survivor), .active = active };
        hear(b, ALLOT_INPUT_RESTORED);
}

static allot_episode row(bench *b, uint64_t n)
{
        b->episode = id_of(n);
        return now(b);
}

static void offered_to(bench *b, uint64_t n, const char *team)
{
        opened(b, n);
        act_as(b, "training/manager/mo", ALLOT_PLACE, team, 0);
        b->version++;
}

/* By a decision, which waits where a hand places: for "a-young", or out of county for "c-county". */
static void waits_for(bench *b, uint64_t n, const char *team)
{
        opened(b, n);
        b->heard.routing.out_of_county = team[0] == 'c';
        decided(b, team[0] == 'c' ? 4 : 3, true);
        assert_text(now(b).offered, team);
        assert_true(now(b).waiting);
}

static void owned_by(bench *b, uint64_t n, const char *team)
{
        offered_to(b, n, team);
        accept_as(b, team);
        (void)event_at(b, 0, ALLOT_ACCEPTED);
}

static void of_two_that_nobody_accepted_the_survivor_stays_the_front_doors(void **state)
{
        bench *b = *state;
        opened(b, 1);
        opened(b, 2);
        folded(b, 2, NO_LEVEL, 1, NO_LEVEL);
        assert_int_equal(b->core.events_count, 1);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "front-door");
        assert_false(w->accepted);
        assert_int_equal(w->lead.len + w->leaves.len + w->offered.len, 0);
        assert_int_equal(w->episode_version, b->version);
        assert_int_equal(b->core.out.events[0].subjects_count, 2);
        assert_false(row(b, 1).ended || row(b, 1).has_owner_team);
        assert_true(row(b, 2).ended);
}

static void joins_of_what_is_imported_are_marked_as_history(void **state)
{
        bench *b = *state;
        for (unsigned imported = 0; imported < 2; imported++) {
                b->episode = id_of(1);
                b->heard = (allot_episode_word){ .other = id_of(2), .imported = imported == 1 };
                hear(b, ALLOT_INPUT_FOLDED);
                (void)event_at(b, 0, ALLOT_FOLDED);
                assert_int_equal(b->core.events[0].flags, imported == 1 ? DOOR_FLAG_HISTORIC : 0);
                b->episode = id_of(2);
                b->heard.other = id_of(1);
                hear(b, ALLOT_INPUT_RESTORED);
                (void)event_at(b, 0, ALLOT_RESTORED);
                assert_int_equal(b->core.events[0].flags, imported == 1 ? DOOR_FLAG_HISTORIC : 0);
        }
}

static void the_team_that_accepted_what_is_folded_owns_the_survivor(void **state)
{
        bench *b = *state;
        opened(b, 1);
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, NO_LEVEL);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "b-older");
        assert_text(w->lead, "Kim Hall");
        assert_true(w->accepted);
        assert_int_equal(w->leaves.len, 0);
        const allot_episode e = row(b, 1);
        assert_text(e.owner, "b-older");
        assert_text(e.lead, "Kim Hall");
        assert_text(e.last, "b-older");
        assert_true(e.has_owner_team);
        assert_int_equal(e.owned_version, w->episode_version);
        assert_int_equal(load_of(b, "b-older"), 1); /* One family, as before. */
}

static void the_team_that_accepted_the_survivor_goes_on_owning_it(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        opened(b, 2);
        folded(b, 2, 4, 1, 2); /* A level that no team has accepted weighs nothing. */
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "a-young");
        assert_text(row(b, 1).lead, "Kim Hall");
        assert_int_equal(load_of(b, "a-young"), 1);
}

static void of_two_teams_the_higher_level_owns_and_the_other_leaves(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        owned_by(b, 2, "b-older");
        folded(b, 2, 4, 1, 3);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "b-older");
        assert_text(w->leaves, "a-young");
        assert_int_equal(load_of(b, "a-young"), 0);
        assert_int_equal(load_of(b, "b-older"), 1);
        owned_by(b, 3, "a-young");
        folded(b, 3, 3, 1, 4);
        w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "b-older");
        assert_text(w->leaves, "a-young");
        assert_int_equal(load_of(b, "a-young"), 0);
        assert_int_equal(load_of(b, "b-older"), 1);
}

static void of_two_teams_of_one_level_the_survivors_owns(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, 3);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "a-young");
        assert_text(w->leaves, "b-older");
        assert_int_equal(load_of(b, "b-older"), 0);
}

static void levels_that_are_not_said_are_those_of_the_decisions_heard(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 2, true);
        accept_as(b, "a-young");
        opened(b, 2);
        b->heard.routing.age_bands = 1u << BAND_11_TO_15;
        decided(b, 4, true);
        accept_as(b, "b-older");
        folded(b, 2, NO_LEVEL, 1, NO_LEVEL);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "b-older");
        assert_int_equal(row(b, 1).level, 4);
}

static void a_team_that_had_both_has_one_family_and_hands_nothing_over(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        owned_by(b, 2, "a-young");
        waits_for(b, 3, "a-young");
        folded(b, 2, 4, 1, 3);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "a-young");
        assert_int_equal(w->leaves.len, 0);
        (void)event_at(b, 1, ALLOT_OFFER_PLACED); /* The place that the second had. */
        assert_int_equal(load_of(b, "a-young"), 2);
        assert_false(row(b, 3).waiting);
}

static void an_offer_of_what_is_folded_is_withdrawn_and_its_place_given_on(void **state)
{
        bench *b = *state;
        opened(b, 1);
        offered_to(b, 2, "c-county");
        waits_for(b, 3, "c-county");
        folded(b, 2, NO_LEVEL, 1, NO_LEVEL);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        const door_id third = id_of(3);
        assert_text(w->offered, "c-county");
        assert_text(w->owner, "front-door");
        w = event_at(b, 1, ALLOT_OFFER_PLACED);
        assert_true(door_id_equal(&w->episode, &third));
        assert_int_equal(row(b, 2).offered.len, 0);
        assert_int_equal(load_of(b, "c-county"), 1);
}

static void what_is_folded_waits_in_no_line_any_more(void **state)
{
        bench *b = *state;
        opened(b, 1);
        owned_by(b, 2, "c-county");
        waits_for(b, 3, "c-county");
        folded(b, 3, NO_LEVEL, 1, NO_LEVEL);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->offered, "c-county");
        assert_false(allot_waiting_any(core_bench_view(&b->core)));
        assert_int_equal(load_of(b, "c-county"), 1);
}

static void the_survivors_offer_stands_unless_it_is_to_its_owner(void **state)
{
        bench *b = *state;
        offered_to(b, 1, "a-young");
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, NO_LEVEL);
        assert_text(row(b, 1).offered, "a-young");
        assert_int_equal(load_of(b, "a-young"), 1);
        offered_to(b, 4, "c-county");
        owned_by(b, 5, "c-county"); /* Waiting, and taken all the same. */
        assert_int_equal(load_of(b, "c-county"), 2);
        folded(b, 5, 3, 4, NO_LEVEL);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(row(b, 4).offered.len, 0);
        assert_text(row(b, 4).owner, "c-county");
        assert_int_equal(load_of(b, "c-county"), 1);
        waits_for(b, 6, "c-county");
        folded(b, 4, 3, 6, NO_LEVEL); /* It waited for the team that has it now. */
        assert_false(row(b, 6).waiting);
        assert_false(allot_waiting_any(core_bench_view(&b->core)));
        assert_int_equal(load_of(b, "c-county"), 1);
}

static void a_survivor_that_waits_is_given_the_place_its_fold_frees(void **state)
{
        bench *b = *state;
        offered_to(b, 2, "c-county");
        waits_for(b, 1, "c-county");
        folded(b, 2, NO_LEVEL, 1, NO_LEVEL);
        (void)event_at(b, 0, ALLOT_FOLDED);
        (void)event_at(b, 1, ALLOT_OFFER_PLACED);
        assert_false(row(b, 1).waiting);
        assert_text(row(b, 1).offered, "c-county");
        assert_int_equal(load_of(b, "c-county"), 1);
}

/* Decide sees the lines as they were. */
static void a_place_that_comes_free_is_not_given_to_what_has_left_its_line(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "c-county");
        owned_by(b, 2, "early"); /* Which does not work at level 4. */
        b->heard.routing.out_of_county = true;
        decided(b, 4, true);
        assert_text(now(b).offered, "c-county");
        assert_true(now(b).waiting);
        folded(b, 2, 4, 1, 3); /* c-county leaves, and the first in its line is no more. */
        assert_text(event_at(b, 0, ALLOT_FOLDED)->leaves, "c-county");
        assert_int_equal(b->core.events_count, 1);
        owned_by(b, 4, "c-county");
        waits_for(b, 3, "c-county");
        b->episode = id_of(4);
        act_as(b, "training/team-c-county/sam", ALLOT_HAND_OVER, "disability", 0);
        b->teams[2].capacity = 2;
        folded(b, 4, 3, 3, NO_LEVEL); /* What waited is the team's own now. */
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "c-county");
        assert_int_equal(b->core.events_count, 1);
        assert_false(allot_waiting_any(core_bench_view(&b->core)));
}

static void a_team_that_leaves_keeps_its_place_while_it_is_asked(void **state)
{
        bench *b = *state;
        opened(b, 1);
        decided(b, 3, true);
        accept_as(b, "a-young");
        decided(b, 3, true); /* The same team again. */
        assert_text(now(b).offered, "a-young");
        owned_by(b, 2, "b-older");
        offered_to(b, 3, "a-young");
        waits_for(b, 4, "a-young");
        folded(b, 2, 4, 1, 3);
        assert_int_equal(b->core.events_count, 1);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->leaves, "a-young");
        assert_text(row(b, 1).owner, "b-older");
        assert_text(row(b, 1).offered, "a-young");
        assert_int_equal(load_of(b, "a-young"), 2);
}

static void a_hand_over_of_what_is_folded_is_withdrawn_and_the_survivors_goes_on(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        act_as(b, "training/team-a-young/sam", ALLOT_HAND_OVER, "early", 0);
        owned_by(b, 2, "b-older");
        act_as(b, "training/team-b-older/kim", ALLOT_HAND_OVER, "c-county", 0);
        folded(b, 2, 4, 1, 3);
        const allot_word *w = event_at(b, 0, ALLOT_FOLDED);
        assert_text(w->owner, "b-older");
        assert_text(w->leaves, "a-young");
        assert_text(w->offered, "c-county");
        assert_int_equal(load_of(b, "c-county"), 0);
        assert_text(row(b, 1).offered, "early");
        return_as(b, "early");
        assert_text(event_at(b, 0, ALLOT_RETURNED)->owner, "b-older"); /* Who has it now keeps it. */
        assert_int_equal(load_of(b, "early"), 0);
        assert_int_equal(load_of(b, "b-older"), 1);
}

static void who_acts_on_what_was_folded_is_told_whose_it_is(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        offered_to(b, 2, "b-older");
        folded(b, 2, NO_LEVEL, 1, 3);
        b->episode = id_of(2);
        accept_as(b, "b-older");
        assert_text(event_at(b, 0, ALLOT_OVERTAKEN)->owner, "a-young");
        return_as(b, "b-older");
        (void)event_at(b, 0, ALLOT_OVERTAKEN);
        act_as(b, "training/manager/mo", ALLOT_PLACE, "early", 0);
        (void)event_at(b, 0, ALLOT_OVERTAKEN);
        act_as(b, "training/team-b-older/kim", ALLOT_HAND_OVER, "early", 0);
        (void)event_at(b, 0, ALLOT_OVERTAKEN);
        assert_true(row(b, 2).ended);
}

static void a_fold_of_what_nobody_knows_has_an_owner(void **state)
{
        bench *b = *state;
        folded(b, 2, 3, 1, 3);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "front-door");
        assert_false(row(b, 1).ended);
        assert_true(row(b, 2).ended);
        owned_by(b, 3, "a-young");
        folded(b, 3, 3, 4, 3);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "a-young");
        assert_text(row(b, 4).owner, "a-young");
        b->episode = id_of(4);
        ended(b);
        opened(b, 5);
        folded(b, 5, 3, 4, 3); /* Into what has ended. */
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "front-door");
        assert_false(row(b, 4).ended);
        assert_int_equal(load_of(b, "a-young"), 0);
        b->core.policy = NULL;
        folded(b, 7, 3, 6, 3);
        assert_text(event_at(b, 0, ALLOT_FOLDED)->owner, "front-door");
}

/* ---- and their undoing ---- */

static void what_is_restored_is_its_last_teams_with_its_lead_and_the_survivor_keeps_its_own(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, 3);
        restored(b, 2, 1, true);
        assert_int_equal(b->core.events_count, 1);
        const allot_word *w = event_at(b, 0, ALLOT_RESTORED);
        const door_id survivor = id_of(1);
        assert_text(w->owner, "b-older");
        assert_text(w->lead, "Kim Hall");
        assert_true(w->accepted);
        assert_int_equal(w->episode_version, 50);
        assert_true(door_id_equal(&w->other, &survivor));
        assert_false(row(b, 2).ended);
        assert_int_equal(row(b, 2).owned_version, 50);
        assert_text(row(b, 2).lead, "Kim Hall");
        assert_text(row(b, 1).owner, "a-young");
        assert_int_equal(load_of(b, "a-young"), 1);
        assert_int_equal(load_of(b, "b-older"), 1);
}

static void a_team_that_had_inherited_the_survivor_has_both_after_the_undoing(void **state)
{
        bench *b = *state;
        opened(b, 1);
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, NO_LEVEL);
        restored(b, 2, 1, true);
        assert_text(row(b, 1).owner, "b-older");
        assert_text(row(b, 2).owner, "b-older");
        assert_int_equal(load_of(b, "b-older"), 2);
}

static void what_is_restored_undecided_is_the_front_doors(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        offered_to(b, 2, "b-older");
        folded(b, 2, NO_LEVEL, 1, 3);
        restored(b, 2, 1, false);
        assert_int_equal(b->core.events_count, 1);
        const allot_word *w = event_at(b, 0, ALLOT_RESTORED);
        assert_text(w->owner, "front-door");
        assert_false(w->accepted);
        assert_int_equal(row(b, 2).offered.len, 0);
        assert_int_equal(load_of(b, "b-older"), 0);
        restored(b, 2, 1, false);
        assert_int_equal(b->core.events_count, 0); /* It has an owner. */
}

static void where_its_team_has_gone_or_had_returned_it_the_front_door_has_it(void **state)
{
        bench *b = *state;
        owned_by(b, 1, "a-young");
        owned_by(b, 2, "b-older");
        folded(b, 2, 3, 1, 3);
        b->teams[1].id = door_bytes_of("b-renamed");
        restored(b, 2, 1, true);
        assert_text(event_at(b, 0, ALLOT_RESTORED)->owner, "front-door");
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(load_of(b, "b-older"), 0);
        owned_by(b, 3, "disability");
        return_as(b, "disability");
        folded(b, 3, 3, 1, 3);
        restored(b, 3, 1, true); /* Triage had not heard of the return. */
        assert_text(event_at(b, 0, ALLOT_RESTORED)->owner, "front-door");
}

static void what_is_restored_and_was_never_known_has_an_owner_and_what_is_closed_needs_none(void **state)
{
        bench *b = *state;
        restored(b, 2, 1, false);
        assert_text(event_at(b, 0, ALLOT_RESTORED)->owner, "front-door");
        assert_false(row(b, 2).ended);
        b->episode = id_of(3);
        b->heard = (allot_episode_word){ .other = id_of(1), .ends = true };
        hear(b, ALLOT_INPUT_RESTORED);
        assert_int_equal(b->core.events_count, 0);
}

/* ---- a county at random ---- */

enum { EPISODES = 40, STEPS = 4000 };

static uint64_t draw(uint64_t *seed, uint64_t below)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (*seed >> 33) % below;
}

/* Each team's load is what its episodes say; who waits stands in the list; the ended own nothing. */
static void books_check(bench *b)
{
        uint32_t loads[TEAMS] = { 0 };
        size_t waiting = 0;

        for (uint64_t n = 1; n <= EPISODES; n++) {
                allot_episode e;
                const door_id id = id_of(n);
                if (!allot_episode_get(core_bench_view(&b->core), &id, &e)) {
                        continue;
                }
                if (e.ended) {
                        assert_false(e.has_owner_team);
                        assert_int_equal(e.offered.len, 0);
                        continue;
                }
                assert_true(e.owner.len > 0);
                waiting += e.waiting ? 1 : 0;
                for (size_t t = 0; t < TEAMS; t++) {
                        const bool owns = e.has_owner_team && door_bytes_equal(e.owner, b->teams[t].id);
                        const bool offered = !e.waiting && door_bytes_equal(e.offered, b->teams[t].id);
                        loads[t] += owns || offered ? 1 : 0;
                }
        }
        for (size_t t = 0; t < TEAMS; t++) {
                assert_int_equal(allot_load_get(core_bench_view(&b->core), b->teams[t].id), loads[t]);
        }
        assert_int_equal(memory_reader_rows_of(&b->core.memory, 0x03), waiting);
}

/* A place is given only where there is one after all that this input has changed. */
static void places_check(bench *b)
{
        for (size_t i = 0; i < b->core.events_count; i++) {
                const allot_word *w = b->core.events[i].body;
                for (size_t t = 0; t < TEAMS && b->core.events[i].type == ALLOT_OFFER_PLACED; t++) {
                        if (door_bytes_equal(w->team, b->teams[t].id)) {
                                assert_true(allot_load_get(core_bench_view(&b->core), w->team) <=
                                            b->teams[t].capacity);
                        }
                }
        }
}

static void a_random_county_keeps_its_books(void **state)
{
        static const char *const teams[] = {
                "a-young", "b-older", "c-county", "camhs", "disability", "early"
        };
        bench *b = *state;
        uint64_t seed = 11;

        for (size_t i = 0; i < STEPS; i++) {
                const uint64_t n = 1 + draw(&seed, EPISODES);
                allot_episode e;
                const door_id id = id_of(n);
                door_arena_reset(&b->core.arena);
                const bool known = allot_episode_get(core_bench_view(&b->core), &id, &e);
                const uint64_t other = 1 + draw(&seed, EPISODES);
                if (known && e.ended && draw(&seed, 3) == 0) {
                        restored(b, n, other == n ? EPISODES + 1 : other, draw(&seed, 2) == 0);
                        continue;
                }
                if (!known || (e.ended && draw(&seed, 3) == 0)) {
                        opened(b, n);
                        continue;
                }
                b->episode = id;
                b->version = e.offer_version + 1;
                const char *team = teams[draw(&seed, 6)];
                if (e.offered.len > 0 && draw(&seed, 2) == 0) {
                        for (size_t t = 0; t < 6; t++) {
                                team = door_bytes_equal(e.offered, door_bytes_of(teams[t])) ? teams[t] : team;
                        }
                }
                char actor[80];
                (void)snprintf(actor, sizeof actor, "training/team-%s/sam", team);
                switch (draw(&seed, 9)) {
                case 0:
                case 1:
                        b->heard.routing.age_bands = (uint16_t)(1u << (1 + draw(&seed, 6)));
                        b->heard.routing.routes = draw(&seed, 4) == 0 ? ALLOT_ROUTE_DISABILITY : 0;
                        decided(b, (uint8_t)(1 + draw(&seed, 4)), draw(&seed, 2) == 0);
                        break;
                case 2:
                case 3:
                        accept_as(b, team);
                        break;
                case 4:
                        return_as(b, team);
                        break;
                case 5:
                        act_as(b, actor, ALLOT_HAND_OVER, teams[draw(&seed, 6)], 0);
                        break;
                case 6:
                        act_as(b, "training/manager/mo", ALLOT_PLACE, teams[draw(&seed, 6)], 0);
                        break;
                case 7:
                        if (other != n) { /* Also of what has ended, or is not known: books are kept. */
                                folded(b, other, (uint8_t)draw(&seed, 5), n, (uint8_t)draw(&seed, 5));
                        }
                        break;
                default:
                        ended(b);
                        break;
                }
                places_check(b);
                if (i % 20 == 0) {
                        books_check(b);
                }
        }
        books_check(b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(an_episode_is_the_front_doors_from_the_first_word),
                TEST(an_offer_changes_no_owner_and_an_acceptance_does),
                TEST(what_has_ended_has_no_owner_and_ends_once),
                TEST(a_decision_that_closes_ends_the_offer_too),
                TEST(age_and_level_choose_the_team),
                TEST(a_need_goes_to_the_team_that_is_there_for_it_and_no_other_does),
                TEST(where_nobody_fits_a_manager_places_it),
                TEST(out_of_county_never_goes_to_a_district),
                TEST(the_team_that_knew_the_family_is_asked_first),
                TEST(ties_are_broken_by_the_id),
                TEST(a_returned_offer_is_the_front_doors_and_not_offered_there_again),
                TEST(a_team_may_return_what_it_has),
                TEST(a_raised_episode_stays_its_teams_until_another_accepts),
                TEST(a_full_team_lets_wait_and_the_longest_waiting_is_placed_first),
                TEST(a_waiting_offer_may_be_returned_or_taken_all_the_same),
                TEST(room_that_a_policy_makes_is_filled_at_the_next_word),
                TEST(a_hand_over_leaves_the_giver_owning_until_it_is_accepted),
                TEST(an_acceptance_names_a_lead_and_comes_from_the_team_that_was_asked),
                TEST(who_acts_on_what_has_moved_on_is_told_where_it_stands),
                TEST(an_older_decision_that_comes_late_moves_nothing),
                TEST(an_unknown_episode_is_refused),
                TEST(of_two_that_nobody_accepted_the_survivor_stays_the_front_doors),
                TEST(joins_of_what_is_imported_are_marked_as_history),
                TEST(the_team_that_accepted_what_is_folded_owns_the_survivor),
                TEST(the_team_that_accepted_the_survivor_goes_on_owning_it),
                TEST(of_two_teams_the_higher_level_owns_and_the_other_leaves),
                TEST(of_two_teams_of_one_level_the_survivors_owns),
                TEST(levels_that_are_not_said_are_those_of_the_decisions_heard),
                TEST(a_team_that_had_both_has_one_family_and_hands_nothing_over),
                TEST(an_offer_of_what_is_folded_is_withdrawn_and_its_place_given_on),
                TEST(what_is_folded_waits_in_no_line_any_more),
                TEST(the_survivors_offer_stands_unless_it_is_to_its_owner),
                TEST(a_survivor_that_waits_is_given_the_place_its_fold_frees),
                TEST(a_place_that_comes_free_is_not_given_to_what_has_left_its_line),
                TEST(a_team_that_leaves_keeps_its_place_while_it_is_asked),
                TEST(a_hand_over_of_what_is_folded_is_withdrawn_and_the_survivors_goes_on),
                TEST(who_acts_on_what_was_folded_is_told_whose_it_is),
                TEST(a_fold_of_what_nobody_knows_has_an_owner),
                TEST(what_is_restored_is_its_last_teams_with_its_lead_and_the_survivor_keeps_its_own),
                TEST(a_team_that_had_inherited_the_survivor_has_both_after_the_undoing),
                TEST(what_is_restored_undecided_is_the_front_doors),
                TEST(where_its_team_has_gone_or_had_returned_it_the_front_door_has_it),
                TEST(what_is_restored_and_was_never_known_has_an_owner_and_what_is_closed_needs_none),
                TEST(a_random_county_keeps_its_books),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
