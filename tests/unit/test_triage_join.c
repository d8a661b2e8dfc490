/*
 * Goal: what becomes of episodes when a person says who is who is as the table of triage_join.h says.
 * Method: joins, their undoing and moves as deduplication records them, over a memory; each record
 * encoded, decoded and folded twice (support/core_bench.h).
 */
#include "support/triage_bench.h"

#include "triage/triage_join.h"

static door_id family_of(uint64_t n)
{
        return id_of(1000 + n);
}

static door_id join_of(uint64_t n)
{
        return id_of(9000 + n);
}

static void said(bench *b, uint32_t type, triage_regrouped *what)
{
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = type,
                             .cause = { TRIAGE_LOG_DEDUPLICATION, 500 + b->core.draws },
                             .body = what };
        core_bench_take(&b->core, &input);
}

static void join(bench *b, uint64_t number, uint64_t from, uint64_t to)
{
        triage_regrouped what = { .join = join_of(number), .from = family_of(from), .to = family_of(to) };
        said(b, TRIAGE_INPUT_FAMILIES_JOINED, &what);
}

/* Referral n to its family, for the first `count` referrals. */
static void undo(bench *b, uint64_t number, uint64_t from, uint64_t to, size_t count,
                 const uint64_t *families)
{
        triage_assigned assigned[16];

        for (size_t i = 0; i < count; i++) {
                assigned[i] = (triage_assigned){ id_of(i + 1), family_of(families[i]) };
        }
        triage_regrouped what = { .join = join_of(number),
                                  .from = family_of(from),
                                  .to = family_of(to),
                                  .assigned = assigned,
                                  .assigned_count = count };
        said(b, TRIAGE_INPUT_JOIN_UNDONE, &what);
}

static void move(bench *b, uint64_t referral, uint64_t from, uint64_t to, const door_id *child)
{
        triage_regrouped what = { .referral = id_of(referral),
                                  .from = family_of(from),
                                  .to = family_of(to),
                                  .children = child,
                                  .children_count = child != NULL ? 1 : 0 };
        said(b, TRIAGE_INPUT_REFERRAL_MOVED, &what);
}

static triage_episode get(bench *b, const door_id *id)
{
        triage_episode e;
        assert_true(triage_episode_get(core_bench_view(&b->core), id, &e));
        return e;
}

/* A referral of the family is placed; a minute passes. Its episode. */
static door_id opened(bench *b, uint64_t family, uint8_t grade)
{
        (void)begin(b, family);
        b->referral.grade = grade;
        (void)place(b);
        b->core.now_ms += MINUTE_MS;
        return b->episode;
}

static door_id active(bench *b, uint64_t family, uint8_t level, const char *team)
{
        const door_id id = opened(b, family, TRIAGE_GRADE_AMBER);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, level, TRIAGE_SECTION_17);
        allotted(b, TRIAGE_INPUT_ACCEPTED, episode_now(b).version, team);
        assert_int_equal(episode_now(b).state, TRIAGE_ACTIVE);
        return id;
}

static void assert_open_is(bench *b, uint64_t family, const door_id *id)
{
        const door_id f = family_of(family);
        door_id open;
        assert_true(triage_family_open(core_bench_view(&b->core), &f, &open));
        assert_memory_equal(open.bytes, id->bytes, sizeof open.bytes);
}

static void assert_none_open(bench *b, uint64_t family)
{
        const door_id f = family_of(family);
        door_id open;
        assert_false(triage_family_open(core_bench_view(&b->core), &f, &open));
}

/* ---- joins */

static void the_younger_of_two_open_episodes_lives_on_in_the_older(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_RED);
        const triage_episode red = get(b, &younger);

        join(b, 1, 2, 1);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(event_type(b, 0), TRIAGE_EPISODE_FOLDED);
        const triage_episode e = get(b, &older);
        assert_int_equal(e.state, TRIAGE_QUEUED);
        assert_int_equal(e.severity, red.severity);
        assert_int_equal(e.clocks.rag_ms, red.clocks.rag_ms);
        assert_int_equal(e.referrals, 2);
        assert_int_equal(e.version, 2);
        assert_int_equal(get(b, &younger).state, TRIAGE_FOLDED);
        assert_open_is(b, 1, &older);
        assert_none_open(b, 2);
}

static void the_older_lives_on_under_the_family_that_stays_even_where_it_was_the_others(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 2, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 1, TRIAGE_GRADE_AMBER);

        join(b, 1, 2, 1);
        assert_int_equal(get(b, &younger).state, TRIAGE_FOLDED);
        assert_open_is(b, 1, &older);
        assert_none_open(b, 2);
}

static void folding_lowers_nothing_and_asks_for_a_decision_about_all_of_it(void **state)
{
        bench *b = *state;
        const door_id older = active(b, 1, 3, "east");
        const door_id younger = opened(b, 2, TRIAGE_GRADE_GREEN);
        const triage_clocks green = get(b, &younger).clocks;
        const uint8_t before = get(b, &older).severity;

        join(b, 1, 2, 1);
        const triage_episode e = get(b, &older);
        assert_int_equal(e.state, TRIAGE_QUEUED);
        assert_int_equal(e.severity, before);
        assert_int_equal(e.clocks.rag_ms, green.rag_ms); /* The only ones that ran. */
        assert_true(door_bytes_equal(e.team, door_bytes_of("east")));
}

static void of_two_teams_triage_keeps_the_one_of_the_higher_level(void **state)
{
        bench *b = *state;
        const door_id older = active(b, 1, 2, "early");
        (void)active(b, 2, 3, "east");

        join(b, 1, 2, 1);
        assert_true(door_bytes_equal(get(b, &older).team, door_bytes_of("east")));
}

static void two_worked_with_have_clocks_again_from_the_join(void **state)
{
        bench *b = *state;
        const door_id older = active(b, 1, 3, "east");
        (void)active(b, 2, 3, "west");

        join(b, 1, 2, 1);
        assert_true(get(b, &older).clocks.rag_ms > b->core.now_ms);
}

static void one_open_episode_takes_the_joined_family(void **state)
{
        bench *b = *state;
        const door_id theirs = active(b, 2, 3, "east");

        join(b, 1, 2, 1);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(event_type(b, 0), TRIAGE_FAMILY_CHANGED);
        assert_open_is(b, 1, &theirs);
        assert_int_equal(get(b, &theirs).state, TRIAGE_ACTIVE);
        assert_true(door_bytes_equal(get(b, &theirs).team, door_bytes_of("east")));
}

static void an_open_episode_of_the_family_that_stays_is_not_touched(void **state)
{
        bench *b = *state;
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        assert_int_equal(b->core.events_count, 0);
}

static void joined_history_is_the_previous_of_what_comes_next(void **state)
{
        bench *b = *state;
        const door_id theirs = active(b, 2, 3, "east");
        const triage_act act = { .episode = theirs, .answer = TRIAGE_HELPED, .text = door_bytes_of("done") };
        act_as(b, TEAM_EAST, TRIAGE_CLOSE, 0, &act);
        join(b, 1, 2, 1);
        (void)begin(b, 1);
        const triage_placed *placed = place(b);
        assert_true(placed->has_previous);
        assert_memory_equal(placed->previous.bytes, theirs.bytes, sizeof theirs.bytes);
}

static void what_waits_for_a_look_waits_still_and_is_answered_at_the_survivor(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 2, TRIAGE_GRADE_AMBER);
        (void)begin(b, 2);
        (void)place(b); /* Referral 3: a quick look on the younger. */
        assert_int_equal(episode_now(b).looks, 1);

        join(b, 1, 2, 1);
        assert_int_equal(get(b, &older).looks, 1);
        b->episode = older;
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 3, TRIAGE_NOTHING_CHANGES);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(get(b, &older).looks, 0);
        assert_int_equal(get(b, &older).waiting, 0);
}

static void a_decision_answers_for_what_the_folded_brought(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 2, TRIAGE_GRADE_AMBER);
        (void)begin(b, 2);
        (void)place(b);
        join(b, 1, 2, 1);
        b->episode = older;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        assert_int_equal(get(b, &older).state, TRIAGE_OFFERED);
        assert_int_equal(get(b, &older).waiting, 0);
}

static void who_acts_on_the_folded_is_told_it_has_moved_on(void **state)
{
        bench *b = *state;
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        b->episode = younger;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
}

static void a_decision_on_what_was_shown_before_the_join_is_refused(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        simple(b, TRIAGE_JO, TRIAGE_TAKE); /* Of the older. */
        const uint32_t shown = get(b, &older).version;
        (void)opened(b, 2, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        const triage_decide_body decide = { .episode = older,
                                            .level = 3,
                                            .next_step = TRIAGE_SECTION_17,
                                            .reason = door_bytes_of("because") };
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, shown, &decide);
        assert_refused(b, 1); /* STALE_VERSION */
}

static void an_acceptance_for_the_folded_is_recorded_and_moves_nothing(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_AMBER);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        const uint32_t version = episode_now(b).version;
        join(b, 1, 2, 1);
        b->episode = younger;
        allotted(b, TRIAGE_INPUT_ACCEPTED, version, "east");
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
        assert_int_equal(get(b, &younger).state, TRIAGE_FOLDED);
        /* Allocation says whose the joined work is. */
        const triage_owned owned = { older, 2, door_bytes_of("east"), true };
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = TRIAGE_INPUT_OWNER_FOLDED,
                             .cause = { TRIAGE_LOG_ALLOCATION, 900 },
                             .body = &owned };
        core_bench_take(&b->core, &input);
        assert_true(door_bytes_equal(get(b, &older).team, door_bytes_of("east")));
        core_bench_take(&b->core, &input);
        assert_int_equal(b->core.events_count, 0); /* It knows. */
}

static void the_folded_ones_children_are_subjects_of_the_survivor(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 2, TRIAGE_GRADE_AMBER);
        const door_id child = id_of(2002);
        door_id open;
        join(b, 1, 2, 1);
        assert_true(triage_child_open(core_bench_view(&b->core), &child, &open));
        assert_memory_equal(open.bytes, older.bytes, sizeof open.bytes);
}

static void two_joins_into_one_family_leave_one_open_episode(void **state)
{
        bench *b = *state;
        const door_id first = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 2, TRIAGE_GRADE_AMBER);
        (void)opened(b, 3, TRIAGE_GRADE_AMBER);
        join(b, 1, 3, 2);
        join(b, 2, 2, 1);
        assert_open_is(b, 1, &first);
        assert_int_equal(get(b, &first).referrals, 3);
        assert_none_open(b, 2);
        assert_none_open(b, 3);
}

/* ---- undone */

static void an_undone_join_restores_what_was_folded_with_its_own_severity_and_clock(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_RED);
        const triage_episode before = get(b, &younger);

        join(b, 1, 2, 1);
        undo(b, 1, 2, 1, 2, each);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(event_type(b, 0), TRIAGE_RESTORED);
        const triage_episode e = get(b, &younger);
        assert_int_equal(e.state, TRIAGE_QUEUED);
        assert_int_equal(e.severity, before.severity);
        assert_int_equal(e.clocks.rag_ms, before.clocks.rag_ms);
        assert_open_is(b, 2, &younger);
        assert_open_is(b, 1, &older);
        assert_int_equal(get(b, &older).referrals, 1);
        assert_int_equal(get(b, &older).severity, before.severity); /* Never lowered by software. */
}

static void each_goes_back_to_its_own_family_where_the_older_was_the_others(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 2, 1 };
        const door_id older = opened(b, 2, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 1, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        undo(b, 1, 2, 1, 2, each);
        assert_open_is(b, 2, &older);
        assert_open_is(b, 1, &younger);
}

static void restored_work_with_its_team_goes_on(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = active(b, 2, 3, "east");
        join(b, 1, 2, 1);
        undo(b, 1, 2, 1, 2, each);
        assert_int_equal(get(b, &younger).state, TRIAGE_ACTIVE);
        assert_true(door_bytes_equal(get(b, &younger).team, door_bytes_of("east")));
}

static void restored_work_whose_team_is_no_more_is_queued(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = active(b, 2, 3, "east");
        join(b, 1, 2, 1);
        undo(b, 1, 2, 1, 2, each);
        const triage_owned owned = { younger, get(b, &younger).version, door_bytes_of("front-door"), false };
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = TRIAGE_INPUT_OWNER_RESTORED,
                             .cause = { TRIAGE_LOG_ALLOCATION, 900 },
                             .body = &owned };
        core_bench_take(&b->core, &input);
        assert_int_equal(event_type(b, 0), TRIAGE_RETURNED);
        assert_int_equal(get(b, &younger).state, TRIAGE_QUEUED);
        assert_int_equal(get(b, &younger).team.len, 0);
}

static void undecided_work_is_queued_again_though_the_joined_was_closed(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        const door_id older = active(b, 1, 3, "east");
        const door_id younger = opened(b, 2, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        b->episode = older;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 2, TRIAGE_ADVICE);
        assert_int_equal(get(b, &older).state, TRIAGE_STATE_CLOSED);
        undo(b, 1, 2, 1, 2, each);
        assert_int_equal(get(b, &younger).state, TRIAGE_QUEUED);
        assert_int_equal(get(b, &older).state, TRIAGE_STATE_CLOSED);
}

static void decided_work_stays_closed_with_what_it_was_joined_with(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        const door_id older = active(b, 1, 3, "east");
        const door_id younger = active(b, 2, 3, "west");
        join(b, 1, 2, 1);
        b->episode = older;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 2, TRIAGE_ADVICE);
        undo(b, 1, 2, 1, 2, each);
        assert_int_equal(get(b, &younger).state, TRIAGE_STATE_CLOSED);
}

static void what_came_since_goes_where_the_person_said(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2, 2 };
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_AMBER);
        triage_referral row;
        const door_id third = id_of(3);

        join(b, 1, 2, 1);
        (void)begin(b, 1);
        (void)place(b); /* Referral 3, after the join: on the survivor. */
        undo(b, 1, 2, 1, 3, each);
        assert_true(triage_referral_get(core_bench_view(&b->core), &third, &row));
        assert_memory_equal(row.episode.bytes, younger.bytes, sizeof younger.bytes);
        assert_int_equal(get(b, &older).referrals, 1);
        assert_int_equal(get(b, &younger).referrals, 2);
        assert_int_equal(get(b, &older).waiting, 0);
        assert_int_equal(get(b, &younger).waiting, 1); /* A moved referral is looked at. */
}

static void looks_of_the_restored_are_its_own_again(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2, 2 };
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id younger = opened(b, 2, TRIAGE_GRADE_AMBER);
        (void)begin(b, 2);
        (void)place(b);
        join(b, 1, 2, 1);
        assert_int_equal(get(b, &older).looks, 1);
        undo(b, 1, 2, 1, 3, each);
        assert_int_equal(get(b, &older).looks, 0);
        assert_int_equal(get(b, &younger).looks, 1);
}

static void an_open_episode_that_took_the_family_goes_back(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 2 };
        const door_id theirs = opened(b, 2, TRIAGE_GRADE_AMBER);
        join(b, 1, 2, 1);
        undo(b, 1, 2, 1, 1, each);
        assert_open_is(b, 2, &theirs);
        assert_none_open(b, 1);
}

static void a_referral_of_a_family_without_open_work_opens_it_when_it_goes_back(void **state)
{
        bench *b = *state;
        const uint64_t each[] = { 1, 2 };
        const door_id ours = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id theirs = family_of(2);
        door_id open;

        join(b, 1, 2, 1); /* Nothing of family 2 is open. */
        (void)begin(b, 1);
        (void)place(b); /* Referral 2. */
        undo(b, 1, 2, 1, 2, each);
        assert_true(triage_family_open(core_bench_view(&b->core), &theirs, &open));
        assert_int_equal(get(b, &open).state, TRIAGE_QUEUED);
        assert_int_equal(get(b, &open).referrals, 1);
        assert_int_equal(get(b, &ours).referrals, 1);
        assert_int_equal(get(b, &ours).waiting, 0);
}

static void a_join_of_joins_is_undone_from_the_last_to_the_first(void **state)
{
        bench *b = *state;
        const uint64_t last[] = { 1, 2, 2 };
        const uint64_t first[] = { 1, 2, 3 };
        const door_id one = opened(b, 1, TRIAGE_GRADE_AMBER);
        const door_id two = opened(b, 2, TRIAGE_GRADE_AMBER);
        const door_id three = opened(b, 3, TRIAGE_GRADE_AMBER);

        join(b, 1, 3, 2);
        join(b, 2, 2, 1);
        undo(b, 2, 2, 1, 3, last);
        assert_open_is(b, 1, &one);
        assert_open_is(b, 2, &two);
        assert_int_equal(get(b, &two).referrals, 2);
        undo(b, 1, 3, 2, 3, first);
        assert_open_is(b, 3, &three);
        assert_int_equal(get(b, &two).referrals, 1);
        assert_int_equal(get(b, &three).referrals, 1);
}

static void the_first_of_two_joins_into_one_family_is_undone_alone(void **state)
{
        bench *b = *state;
        const uint64_t now[] = { 2, 1, 1 };
        const door_id two = opened(b, 2, TRIAGE_GRADE_AMBER);
        const door_id one = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 3, TRIAGE_GRADE_AMBER);

        join(b, 1, 2, 1); /* One lives on in two, under family 1. */
        join(b, 2, 3, 1); /* And three. */
        undo(b, 1, 2, 1, 3, now);
        assert_open_is(b, 2, &two);
        assert_open_is(b, 1, &one);
        const triage_episode e = get(b, &two);
        assert_int_equal(e.referrals, 1);
        assert_int_equal(get(b, &one).referrals, 2);
}

/* ---- moves */

static void the_only_referral_takes_its_episode_along(void **state)
{
        bench *b = *state;
        const door_id e = active(b, 1, 3, "east");
        move(b, 1, 1, 2, NULL);
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(event_type(b, 0), TRIAGE_FAMILY_CHANGED);
        assert_open_is(b, 2, &e);
        assert_none_open(b, 1);
        assert_int_equal(get(b, &e).state, TRIAGE_ACTIVE);
}

static void the_only_referral_moved_to_open_work_joins_it(void **state)
{
        bench *b = *state;
        const door_id older = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)opened(b, 2, TRIAGE_GRADE_RED);
        move(b, 2, 2, 1, NULL);
        assert_int_equal(event_type(b, 0), TRIAGE_EPISODE_FOLDED);
        assert_open_is(b, 1, &older);
        assert_none_open(b, 2);
}

static void one_of_several_is_detached_and_lowers_nothing_it_leaves(void **state)
{
        bench *b = *state;
        const door_id stays = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)begin(b, 1);
        b->referral.grade = TRIAGE_GRADE_RED;
        (void)place(b); /* Referral 2: red. */
        const uint8_t red = get(b, &stays).severity;
        const door_id theirs = opened(b, 2, TRIAGE_GRADE_AMBER);

        move(b, 2, 1, 2, NULL);
        assert_int_equal(b->core.events_count, 2);
        assert_int_equal(event_type(b, 0), TRIAGE_DETACHED);
        assert_int_equal(event_type(b, 1), TRIAGE_REFERRAL_ATTACHED);
        const triage_placed *placed = b->core.events[1].body;
        assert_int_equal(placed->way, TRIAGE_LOOK_NOW);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_MOVED)) != 0);
        assert_int_equal(get(b, &stays).severity, red);
        assert_int_equal(get(b, &stays).referrals, 1);
        assert_int_equal(get(b, &theirs).severity, red);
        assert_int_equal(get(b, &theirs).referrals, 2);
}

static void moved_to_a_family_without_open_work_it_opens_it_by_its_own_receipt(void **state)
{
        bench *b = *state;
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)begin(b, 1);
        const uint64_t received_ms = b->core.now_ms;
        (void)place(b);
        b->core.now_ms += HOUR_MS;
        move(b, 2, 1, 2, NULL);
        assert_int_equal(event_type(b, 1), TRIAGE_EPISODE_OPENED);
        const triage_placed *placed = b->core.events[1].body;
        assert_int_equal(placed->received_at_ms, received_ms);
        assert_int_equal(placed->clocks.rag_ms,
                         triage_clocks_of(&b->policy, placed->severity, received_ms).rag_ms);
        assert_int_equal(get(b, &placed->episode).state, TRIAGE_QUEUED);
}

static void a_child_whom_only_it_names_goes_along_as_a_subject(void **state)
{
        bench *b = *state;
        (void)opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)begin(b, 1);
        b->people[0].person = id_of(3000);
        (void)place(b); /* Referral 2 names another child, who waits for a decision. */
        const door_id child = id_of(3000);
        door_id open;
        move(b, 2, 1, 2, &child);
        const triage_placed *placed = b->core.events[1].body;
        const door_id episode = placed->episode;
        assert_int_equal(placed->children_count, 1);
        assert_true(triage_child_open(core_bench_view(&b->core), &child, &open));
        assert_memory_equal(open.bytes, episode.bytes, sizeof open.bytes);
}

static void a_decided_referral_becomes_chronology_of_the_other_and_leaves_this(void **state)
{
        bench *b = *state;
        const door_id past = opened(b, 1, TRIAGE_GRADE_AMBER);
        (void)begin(b, 1);
        (void)place(b);
        b->episode = past;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 2, TRIAGE_ADVICE);
        move(b, 2, 1, 2, NULL);
        assert_int_equal(event_type(b, 0), TRIAGE_DETACHED);
        assert_int_equal(event_type(b, 1), TRIAGE_HISTORY_NOTED);
        assert_int_equal(get(b, &past).referrals, 1);
        assert_int_equal(get(b, &past).state, TRIAGE_STATE_CLOSED);
        assert_none_open(b, 2);
        move(b, 2, 2, 3, NULL); /* Once more: chronology has no place to leave. */
        assert_int_equal(b->core.events_count, 0);
}

static void what_a_move_took_elsewhere_stays_there_when_an_older_join_is_undone(void **state)
{
        bench *b = *state;
        const door_id other = opened(b, 3, TRIAGE_GRADE_AMBER);
        const door_id taken = opened(b, 1, TRIAGE_GRADE_AMBER);

        join(b, 1, 1, 2);
        move(b, 2, 2, 3, NULL); /* The only referral: its episode is joined with family 3's. */
        triage_regrouped nobody = { .join = join_of(1), .from = family_of(1), .to = family_of(2) };
        said(b, TRIAGE_INPUT_JOIN_UNDONE, &nobody);
        assert_int_equal(b->core.events_count, 0);
        assert_open_is(b, 3, &other);
        assert_int_equal(get(b, &taken).state, TRIAGE_FOLDED);
        assert_none_open(b, 1);
}

/* ---- reviews */

static void answered(bench *b, uint64_t referral, uint32_t still_open)
{
        triage_regrouped what = { .referral = id_of(referral), .still_open = still_open };
        said(b, TRIAGE_INPUT_REVIEW_ANSWERED, &what);
}

static void the_last_answered_review_ends_the_doubt(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        b->referral.uncertain = true;
        (void)place(b);
        answered(b, 1, 1);
        assert_int_equal(b->core.events_count, 0);
        assert_true(episode_now(b).uncertain);
        answered(b, 1, 0);
        assert_int_equal(event_type(b, 0), TRIAGE_MATCH_SETTLED);
        assert_false(episode_now(b).uncertain);
        answered(b, 1, 0);
        assert_int_equal(b->core.events_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(the_younger_of_two_open_episodes_lives_on_in_the_older),
                TEST(the_older_lives_on_under_the_family_that_stays_even_where_it_was_the_others),
                TEST(folding_lowers_nothing_and_asks_for_a_decision_about_all_of_it),
                TEST(of_two_teams_triage_keeps_the_one_of_the_higher_level),
                TEST(two_worked_with_have_clocks_again_from_the_join),
                TEST(one_open_episode_takes_the_joined_family),
                TEST(an_open_episode_of_the_family_that_stays_is_not_touched),
                TEST(joined_history_is_the_previous_of_what_comes_next),
                TEST(what_waits_for_a_look_waits_still_and_is_answered_at_the_survivor),
                TEST(a_decision_answers_for_what_the_folded_brought),
                TEST(who_acts_on_the_folded_is_told_it_has_moved_on),
                TEST(a_decision_on_what_was_shown_before_the_join_is_refused),
                TEST(an_acceptance_for_the_folded_is_recorded_and_moves_nothing),
                TEST(the_folded_ones_children_are_subjects_of_the_survivor),
                TEST(two_joins_into_one_family_leave_one_open_episode),
                TEST(an_undone_join_restores_what_was_folded_with_its_own_severity_and_clock),
                TEST(each_goes_back_to_its_own_family_where_the_older_was_the_others),
                TEST(restored_work_with_its_team_goes_on),
                TEST(restored_work_whose_team_is_no_more_is_queued),
                TEST(undecided_work_is_queued_again_though_the_joined_was_closed),
                TEST(decided_work_stays_closed_with_what_it_was_joined_with),
                TEST(what_came_since_goes_where_the_person_said),
                TEST(looks_of_the_restored_are_its_own_again),
                TEST(an_open_episode_that_took_the_family_goes_back),
                TEST(a_referral_of_a_family_without_open_work_opens_it_when_it_goes_back),
                TEST(a_join_of_joins_is_undone_from_the_last_to_the_first),
                TEST(the_first_of_two_joins_into_one_family_is_undone_alone),
                TEST(the_only_referral_takes_its_episode_along),
                TEST(the_only_referral_moved_to_open_work_joins_it),
                TEST(one_of_several_is_detached_and_lowers_nothing_it_leaves),
                TEST(moved_to_a_family_without_open_work_it_opens_it_by_its_own_receipt),
                TEST(a_child_whom_only_it_names_goes_along_as_a_subject),
                TEST(a_decided_referral_becomes_chronology_of_the_other_and_leaves_this),
                TEST(what_a_move_took_elsewhere_stays_there_when_an_older_join_is_undone),
                TEST(the_last_answered_review_ends_the_doubt),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
