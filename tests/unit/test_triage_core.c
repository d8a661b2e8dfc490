/*
 * Goal: what becomes of a referral is decided as triage_core.h and RULES.md sections 1 to 3 and 7 say.
 * Method: referrals and people's acts one at a time over a memory, each record encoded, decoded and
 * folded twice (support/core_bench.h); at the end a random county, whose books are counted again.
 */
#include "support/triage_bench.h"

/* ---- opening ---- */

static void a_first_referral_opens_an_episode_in_the_queue(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        const triage_placed *placed = place(b);

        assert_int_equal(event_type(b, 0), TRIAGE_EPISODE_OPENED);
        assert_int_equal(placed->state, TRIAGE_QUEUED);
        assert_int_equal(placed->severity, 60);
        assert_int_equal(placed->clocks.rag_ms, placed->received_at_ms + 72 * (uint64_t)HOUR_MS);
        assert_int_equal(placed->children_count, 1);
        assert_int_equal(episode_now(b).version, 1);
}

static void an_ungraded_referral_is_never_green(void **state)
{
        bench *b = *state;
        begin(b, 1)->grade = TRIAGE_GRADE_NOT_GIVEN;
        const triage_placed *placed = place(b);

        assert_true(placed->severity >= b->policy.amber_from);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_UNGRADED)) != 0);
}

static void a_floor_raises_and_never_lowers(void **state)
{
        static const triage_floor floors[] = { { TRIAGE_CATEGORY_DOMESTIC, 60 } };
        static const triage_floor flags[] = { { TRIAGE_FLAG_STRANGULATION, 90 } };
        bench *b = *state;
        b->policy.category_floors = floors;
        b->policy.category_floors_count = 1;
        b->policy.flag_floors = flags;
        b->policy.flag_floors_count = 1;
        triage_matched *m = begin(b, 1);

        m->grade = TRIAGE_GRADE_GREEN;
        assert_int_equal(triage_severity(&b->policy, m), 30);
        m->categories = TRIAGE_BIT(TRIAGE_CATEGORY_DOMESTIC);
        assert_int_equal(triage_severity(&b->policy, m), 60);
        m->flags = TRIAGE_BIT(TRIAGE_FLAG_STRANGULATION);
        assert_int_equal(triage_severity(&b->policy, m), 90);
        m->grade = TRIAGE_GRADE_RED;
        m->flags = 0;
        assert_int_equal(triage_severity(&b->policy, m), 90);
}

static void an_injured_baby_is_red_whatever_the_grade(void **state)
{
        bench *b = *state;
        triage_matched *m = begin(b, 1);

        m->grade = TRIAGE_GRADE_GREEN;
        m->flags = TRIAGE_BIT(TRIAGE_FLAG_INJURY);
        assert_int_equal(triage_severity(&b->policy, m), 30);
        b->people[0].age_band = TRIAGE_AGE_UNDER_1;
        assert_int_equal(triage_severity(&b->policy, m), 90);
}

static void a_childs_own_disclosure_and_a_missing_child_are_red(void **state)
{
        bench *b = *state;
        triage_matched *m = begin(b, 1);

        m->grade = TRIAGE_GRADE_GREEN;
        b->people[0].facts_yes = TRIAGE_BIT(TRIAGE_FACT_DISCLOSED);
        assert_int_equal(triage_severity(&b->policy, m), 90);
        b->people[0].facts_yes = TRIAGE_BIT(TRIAGE_FACT_MISSING_NOW);
        assert_int_equal(triage_severity(&b->policy, m), 90);
        b->people[0].child = false;
        assert_int_equal(triage_severity(&b->policy, m), 30);
}

static void a_red_referral_is_due_in_four_hours_or_by_its_statutory_clock(void **state)
{
        bench *b = *state;
        begin(b, 1)->grade = TRIAGE_GRADE_RED;
        const triage_placed *placed = place(b);

        assert_int_equal(placed->clocks.rag_ms, placed->received_at_ms + 4 * (uint64_t)HOUR_MS);
        assert_int_equal(placed->clocks.statutory_ms,
                         door_statutory_due(&b->policy.working, placed->received_at_ms));
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_RED)) != 0);
}

static void an_uncertain_match_is_queued_at_once_and_says_so(void **state)
{
        bench *b = *state;
        begin(b, 1)->uncertain = true;
        const triage_placed *placed = place(b);

        assert_int_equal(placed->state, TRIAGE_QUEUED);
        assert_true(placed->uncertain);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_MATCH_UNCERTAIN)) != 0);
}

/* ---- repeats ---- */

static void a_repeat_on_an_undecided_episode_is_one_row_and_is_looked_at(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        (void)begin(b, 1);
        const triage_placed *placed = place(b);

        assert_int_equal(event_type(b, 0), TRIAGE_REFERRAL_ATTACHED);
        assert_int_equal(placed->way, TRIAGE_QUICK_LOOK);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_NOT_STATUTORY)) != 0);
        assert_int_equal(episode_now(b).referrals, 2);
        assert_int_equal(episode_now(b).looks, 1);
        assert_int_equal(episode_now(b).version, 2);
}

static void a_repeat_takes_the_higher_severity_and_the_earlier_clock(void **state)
{
        bench *b = *state;
        begin(b, 1)->grade = TRIAGE_GRADE_RED;
        const triage_clocks red = place(b)->clocks;
        begin(b, 1)->grade = TRIAGE_GRADE_GREEN;
        const triage_placed *placed = place(b);

        assert_int_equal(placed->severity, 90);
        assert_int_equal(placed->severity_own, 30);
        assert_int_equal(placed->clocks.rag_ms, red.rag_ms);
        begin(b, 2)->grade = TRIAGE_GRADE_GREEN;
        (void)place(b);
        begin(b, 2)->grade = TRIAGE_GRADE_RED;
        placed = place(b);
        assert_int_equal(placed->severity, 90);
        assert_int_equal(placed->clocks.rag_ms, placed->received_at_ms + 4 * (uint64_t)HOUR_MS);
}

static void a_plain_repeat_on_statutory_work_goes_to_the_social_worker(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        (void)begin(b, 1);
        const triage_placed *placed = place(b);

        assert_int_equal(placed->way, TRIAGE_WITH_WORKER);
        assert_int_equal(placed->why, 0);
        assert_true(placed->respond_by_ms > placed->received_at_ms);
        assert_int_equal(placed->state, TRIAGE_ACTIVE);
        assert_int_equal(episode_now(b).waiting, 1);
        assert_int_equal(episode_now(b).looks, 0);
}

static void an_early_help_episode_always_gets_a_look(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 2, TRIAGE_EARLY_HELP);
        allotted(b, TRIAGE_INPUT_ACCEPTED, episode_now(b).version, "early");
        (void)begin(b, 1);
        assert_int_equal(place(b)->way, TRIAGE_QUICK_LOOK);
}

/* Each now rule, alone, on statutory work. */
static void every_now_rule_queues_the_row_again(void **state)
{
        static const struct {
                uint64_t flags;
                triage_why why;
        } flags[] = {
                { TRIAGE_BIT(TRIAGE_FLAG_INJURY), TRIAGE_WHY_CHILD_AT_RISK_NOW },
                { TRIAGE_BIT(TRIAGE_FLAG_CHILD_MISSING_NOW), TRIAGE_WHY_CHILD_AT_RISK_NOW },
                { TRIAGE_BIT(TRIAGE_FLAG_WITH_PERSON_OF_CONCERN), TRIAGE_WHY_CHILD_AT_RISK_NOW },
                { TRIAGE_BIT(TRIAGE_FLAG_ASKING_FOR_HELP), TRIAGE_WHY_CHILD_AT_RISK_NOW },
                { TRIAGE_BIT(TRIAGE_FLAG_WEAPON), TRIAGE_WHY_THREAT_TO_LIFE },
                { TRIAGE_BIT(TRIAGE_FLAG_STRANGULATION), TRIAGE_WHY_THREAT_TO_LIFE },
                { TRIAGE_BIT(TRIAGE_FLAG_THREAT_TO_LIFE), TRIAGE_WHY_THREAT_TO_LIFE },
                { TRIAGE_BIT(TRIAGE_FLAG_CHILD_DISCLOSED), TRIAGE_WHY_DISCLOSED },
                { TRIAGE_BIT(TRIAGE_FLAG_CHILD_NOT_SEEN), TRIAGE_WHY_NOT_SEEN },
                { TRIAGE_BIT(TRIAGE_FLAG_ACCESS_REFUSED), TRIAGE_WHY_NOT_SEEN },
                { TRIAGE_BIT(TRIAGE_FLAG_TAKEN_OUT_OF_SCHOOL), TRIAGE_WHY_NOT_SEEN },
                { TRIAGE_BIT(TRIAGE_FLAG_LEFT_ROLL), TRIAGE_WHY_NOT_SEEN },
                { TRIAGE_BIT(TRIAGE_FLAG_FAMILY_MOVING), TRIAGE_WHY_ADDRESS },
                { TRIAGE_BIT(TRIAGE_FLAG_RELEASE_FROM_PRISON), TRIAGE_WHY_RELEASE_OR_BREACH },
                { TRIAGE_BIT(TRIAGE_FLAG_BREACH), TRIAGE_WHY_RELEASE_OR_BREACH },
                { TRIAGE_BIT(TRIAGE_FLAG_NEW_PERSON_OF_CONCERN), TRIAGE_WHY_NEW_PERSON_OF_CONCERN },
                { TRIAGE_BIT(TRIAGE_FLAG_ABOUT_A_PROFESSIONAL), TRIAGE_WHY_PROFESSIONAL },
                { TRIAGE_BIT(TRIAGE_FLAG_SENDER_DISAGREES), TRIAGE_WHY_DISAGREES },
                { TRIAGE_BIT(TRIAGE_FLAG_STEP_UP), TRIAGE_WHY_STEP_UP },
        };
        bench *b = *state;

        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
                make_active(b, 10 + i);
                begin(b, 10 + i)->flags = flags[i].flags;
                const triage_placed *placed = place(b);
                assert_int_equal(placed->way, TRIAGE_LOOK_NOW);
                assert_true(placed->why == TRIAGE_BIT(flags[i].why));
                assert_int_equal(placed->state, TRIAGE_QUEUED);
                assert_int_equal(placed->clocks.rag_ms, placed->received_at_ms + 72 * (uint64_t)HOUR_MS);
        }
}

static void what_people_in_it_are_is_a_now_rule_too(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        triage_matched m = *begin(b, 1);
        const triage_episode episode = episode_now(b);
        uint64_t why = 0;

        m.elsewhere_dangerous = true;
        assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, false, &why), TRIAGE_LOOK_NOW);
        assert_true(why == TRIAGE_BIT(TRIAGE_WHY_DANGEROUS_ADULT_ELSEWHERE));
        m.elsewhere_dangerous = false;
        assert_int_equal(triage_way_of(&b->policy, &m, 61, &episode, false, &why), TRIAGE_LOOK_NOW);
        assert_true(why == TRIAGE_BIT(TRIAGE_WHY_MORE_SEVERE));
        assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, true, &why), TRIAGE_LOOK_NOW);
        assert_true(why == TRIAGE_BIT(TRIAGE_WHY_NEW_CHILD));
        m.categories |= TRIAGE_BIT(TRIAGE_CATEGORY_SEXUAL);
        assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, false, &why), TRIAGE_LOOK_NOW);
        assert_true(why == TRIAGE_BIT(TRIAGE_WHY_NEW_ABUSE));
        m = *begin(b, 1);
        b->people[0].new_address = true;
        assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, false, &why), TRIAGE_LOOK_NOW);
        assert_true(why == TRIAGE_BIT(TRIAGE_WHY_ADDRESS));
        m = *begin(b, 1);
        b->people[1] = (triage_person){
                .person = id_of(7), .age_band = BAND_ADULT, .alleged = true, .new_to_family = true
        };
        m.people_count = 2;
        assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, false, &why), TRIAGE_LOOK_NOW);
        assert_true((why & TRIAGE_BIT(TRIAGE_WHY_NEW_PERSON_OF_CONCERN)) != 0);
}

/* Each look rule, alone, keeps a repeat from going to the worker unseen. */
static void every_look_rule_asks_for_a_look(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        const triage_episode episode = episode_now(b);
        uint64_t why = 0;

        for (int rule = 0; rule < 12; rule++) {
                triage_matched m = *begin(b, 1);
                triage_why expected = 0;
                switch (rule) {
                case 0:
                        m.unmentioned = true;
                        expected = TRIAGE_WHY_CHILD_NOT_MENTIONED;
                        break;
                case 1:
                        m.public_or_anonymous = true;
                        expected = TRIAGE_WHY_PUBLIC_OR_ANONYMOUS;
                        break;
                case 2:
                        m.doubted = true;
                        expected = TRIAGE_WHY_MATCH_DOUBTED;
                        break;
                case 3:
                        m.uncertain = true;
                        expected = TRIAGE_WHY_MATCH_UNCERTAIN;
                        break;
                case 4:
                        m.level_asked = 4;
                        expected = TRIAGE_WHY_LEVEL_ABOVE;
                        break;
                case 5:
                        m.flags = TRIAGE_BIT(TRIAGE_FLAG_FORMER_REMOVAL);
                        expected = TRIAGE_WHY_FORMER_HARM;
                        break;
                case 6:
                        m.flags = TRIAGE_BIT(TRIAGE_FLAG_MISSED_APPOINTMENTS);
                        expected = TRIAGE_WHY_MISSED_APPOINTMENTS;
                        break;
                case 7:
                        b->people[0].facts_yes = TRIAGE_BIT(TRIAGE_FACT_IN_CARE);
                        expected = TRIAGE_WHY_CARE;
                        break;
                case 8:
                        b->people[0].facts_cannot_tell = TRIAGE_BIT(TRIAGE_FACT_INJURED);
                        expected = TRIAGE_WHY_CANNOT_TELL;
                        break;
                case 9:
                        m.agency = door_bytes_of("police");
                        expected = TRIAGE_WHY_SECOND_AGENCY;
                        break;
                case 10:
                        m.categories |= TRIAGE_BIT(14);
                        expected = TRIAGE_WHY_NEW_CATEGORY;
                        break;
                default:
                        b->people[1] = (triage_person){ .person = id_of(7),
                                                        .age_band = BAND_ADULT,
                                                        .new_to_family = true };
                        m.people_count = 2;
                        expected = TRIAGE_WHY_NEW_ADULT;
                        break;
                }
                assert_int_equal(triage_way_of(&b->policy, &m, 60, &episode, false, &why), TRIAGE_QUICK_LOOK);
                assert_true(why == TRIAGE_BIT(expected));
        }
}

static void a_referral_that_says_nothing_of_what_happened_cannot_be_told(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        begin(b, 1)->categories = 0;
        const triage_placed *placed = place(b);

        assert_int_equal(placed->way, TRIAGE_QUICK_LOOK);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_CANNOT_TELL)) != 0);
}

static void an_ungraded_repeat_gets_a_look(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        begin(b, 1)->grade = TRIAGE_GRADE_NOT_GIVEN;
        assert_int_equal(place(b)->way, TRIAGE_QUICK_LOOK);
}

static void a_child_who_is_no_subject_makes_it_now_and_the_decision_makes_it_one(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        (void)begin(b, 1);
        b->people[1] = (triage_person){ .person = id_of(77), .child = true, .age_band = BAND_5_TO_10 };
        b->referral.people_count = 2;
        const triage_placed *placed = place(b);
        door_id open;

        assert_int_equal(placed->way, TRIAGE_LOOK_NOW);
        assert_int_equal(placed->children_count, 1);
        const door_id new_child = id_of(77);
        assert_false(triage_child_open(core_bench_view(&b->core), &new_child, &open));
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_EXISTING_WORKER);
        assert_int_equal(episode_now(b).state, TRIAGE_ACTIVE);
        assert_true(triage_child_open(core_bench_view(&b->core), &new_child, &open));
        assert_true(door_id_equal(&open, &b->episode));
        assert_int_equal(episode_now(b).next_step, TRIAGE_SECTION_17);
}

static void a_child_is_the_subject_of_one_open_episode(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        const door_id first = b->episode;
        (void)begin(b, 2);
        b->people[0].person = id_of(2001);
        const triage_placed *placed = place(b);
        door_id open;
        const door_id child = id_of(2001);

        assert_int_equal(event_type(b, 0), TRIAGE_EPISODE_OPENED);
        assert_int_equal(placed->children_count, 0);
        assert_true((placed->why & TRIAGE_BIT(TRIAGE_WHY_SUBJECT_ELSEWHERE)) != 0);
        assert_true(triage_child_open(core_bench_view(&b->core), &child, &open));
        assert_true(door_id_equal(&open, &first));
}

/* ---- take, decide ---- */

static void a_take_keeps_others_out_until_its_lease_ends(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_TAKEN);
        simple(b, TRIAGE_ANN, TRIAGE_TAKE);
        assert_refused(b, TRIAGE_TAKEN_BY_OTHER);
        b->core.now_ms += 29 * MINUTE_MS;
        assert_false(core_bench_tick(&b->core));
        b->core.now_ms += 2 * MINUTE_MS;
        assert_true(core_bench_tick(&b->core));
        assert_int_equal(event_type(b, 0), TRIAGE_TAKE_ENDED);
        assert_false(core_bench_tick(&b->core));
        simple(b, TRIAGE_ANN, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_TAKEN);
}

static void putting_back_keeps_the_place_and_is_only_for_the_taker(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        const triage_clocks clocks = place(b)->clocks;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        simple(b, TRIAGE_ANN, TRIAGE_PUT_BACK);
        assert_refused(b, TRIAGE_NOT_TAKEN);
        simple(b, TRIAGE_JO, TRIAGE_PUT_BACK);
        assert_int_equal(event_type(b, 0), TRIAGE_TAKE_ENDED);
        assert_int_equal(episode_now(b).clocks.rag_ms, clocks.rag_ms);
        assert_int_equal(episode_now(b).version, 1);
}

static void a_decision_takes_a_lease_and_the_latest_version(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        assert_refused(b, TRIAGE_NOT_TAKEN);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        (void)begin(b, 1);
        (void)place(b);
        const triage_decide_body decide = { .episode = b->episode,
                                            .level = 3,
                                            .next_step = TRIAGE_SECTION_17,
                                            .reason = door_bytes_of("because") };
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 1);
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 0, &decide);
        assert_refused(b, 1);
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 2, &decide);
        assert_int_equal(event_type(b, 0), TRIAGE_DECIDED);
        const triage_decided *decided = b->core.events[0].body;
        assert_int_equal(decided->referrals, 2);
        assert_int_equal(decided->state, TRIAGE_OFFERED);
        assert_int_equal(episode_now(b).waiting, 0);
        assert_int_equal(episode_now(b).taken_until_ms, 0);
}

static void advice_and_no_further_action_close(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, MANAGER, TRIAGE_TAKE);
        decide_as(b, MANAGER, 1, TRIAGE_NO_FURTHER_ACTION);
        assert_int_equal(episode_now(b).state, TRIAGE_STATE_CLOSED);
        (void)begin(b, 2);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 1, TRIAGE_ADVICE);
        assert_int_equal(episode_now(b).state, TRIAGE_STATE_CLOSED);
}

static void level_4_no_further_action_and_lowering_are_a_managers(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 4, TRIAGE_SECTION_47);
        assert_refused(b, TRIAGE_AUTHORITY);
        decide_as(b, TRIAGE_JO, 1, TRIAGE_NO_FURTHER_ACTION);
        assert_refused(b, TRIAGE_AUTHORITY);
        triage_decide_body lower = { .episode = b->episode,
                                     .level = 2,
                                     .next_step = TRIAGE_EARLY_HELP,
                                     .reason = door_bytes_of("because"),
                                     .has_severity = true,
                                     .severity = 59 };
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &lower);
        assert_refused(b, TRIAGE_AUTHORITY);
        lower.severity = 60;
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &lower);
        assert_int_equal(event_type(b, 0), TRIAGE_DECIDED);
}

static void ending_it_for_a_baby_or_an_open_review_takes_a_second_person(void **state)
{
        bench *b = *state;
        begin(b, 1)->uncertain = true;
        (void)place(b);
        simple(b, MANAGER, TRIAGE_TAKE);
        decide_as(b, MANAGER, 1, TRIAGE_NO_FURTHER_ACTION);
        assert_refused(b, TRIAGE_AUTHORITY);
        triage_decide_body decide = { .episode = b->episode,
                                      .level = 1,
                                      .next_step = TRIAGE_NO_FURTHER_ACTION,
                                      .reason = door_bytes_of("because"),
                                      .second_person = door_bytes_of("mo") };
        act_as(b, MANAGER, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, TRIAGE_AUTHORITY);
        decide.second_person = door_bytes_of("pat");
        act_as(b, MANAGER, TRIAGE_DECIDE, 1, &decide);
        assert_int_equal(event_type(b, 0), TRIAGE_DECIDED);
        begin(b, 2)->routing.age_bands = 1u << TRIAGE_AGE_UNDER_1;
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 1, TRIAGE_ADVICE);
        assert_refused(b, TRIAGE_AUTHORITY);
}

static void existing_worker_needs_a_team_that_has_accepted(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_EXISTING_WORKER);
        assert_refused(b, TRIAGE_WRONG_STATE);
}

static void a_decision_says_why_in_bounds(void **state)
{
        static char long_text[TRIAGE_TEXT_BYTES_MAX + 2];
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        memset(long_text, 'x', sizeof long_text - 1);
        triage_decide_body decide = { .episode = b->episode, .level = 3, .next_step = TRIAGE_SECTION_17 };
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 4);
        decide.reason = door_bytes_of(long_text);
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 4);
        decide.reason.len--;
        decide.level = 5;
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 4);
        decide.level = 0;
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 4);
        decide.level = 3;
        decide.has_severity = true;
        decide.severity = 101;
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_refused(b, 4);
        decide.severity = 100;
        act_as(b, TRIAGE_JO, TRIAGE_DECIDE, 1, &decide);
        assert_int_equal(event_type(b, 0), TRIAGE_DECIDED);
}

static void nobody_acts_in_a_live_system_or_without_a_role(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, "jo", TRIAGE_TAKE);
        assert_refused(b, 2);
        simple(b, TEAM_EAST, TRIAGE_TAKE);
        assert_refused(b, 2);
        b->policy.training = false;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_refused(b, TRIAGE_TRAINING_ONLY);
        b->core.policy = NULL;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_int_equal(b->core.out.retry, 8);
}

static void an_unknown_episode_is_refused(void **state)
{
        bench *b = *state;
        b->episode = id_of(5);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_refused(b, 5);
}

/* ---- looks and responses ---- */

static void only_the_front_door_answers_the_look_list(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        begin(b, 1)->doubted = true;
        (void)place(b);
        answer(b, TEAM_EAST, TRIAGE_ANSWER_LOOK, 2, TRIAGE_NOTHING_CHANGES);
        assert_refused(b, 2);
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 1, TRIAGE_NOTHING_CHANGES);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN); /* The first one never waited for a look. */
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 2, TRIAGE_NOTHING_CHANGES);
        assert_int_equal(event_type(b, 0), TRIAGE_LOOK_ANSWERED);
        assert_int_equal(episode_now(b).looks, 0);
        assert_int_equal(episode_now(b).state, TRIAGE_ACTIVE);
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 2, TRIAGE_NOTHING_CHANGES);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 99, TRIAGE_NOTHING_CHANGES);
        assert_refused(b, 5);
}

static void every_other_answer_to_a_look_queues_the_row(void **state)
{
        bench *b = *state;

        for (uint8_t said = TRIAGE_RAISE; said <= TRIAGE_NOT_THIS_FAMILY; said++) {
                make_active(b, said);
                begin(b, said)->doubted = true;
                (void)place(b);
                answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, b->referrals, said);
                assert_int_equal(episode_now(b).state, TRIAGE_QUEUED);
        }
}

static void a_look_is_not_answered_over_somebody_elses_take(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        begin(b, 1)->doubted = true;
        (void)place(b);
        simple(b, TRIAGE_ANN, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_TAKEN);
        answer(b, TRIAGE_JO, TRIAGE_ANSWER_LOOK, 2, TRIAGE_NOTHING_CHANGES);
        assert_refused(b, TRIAGE_TAKEN_BY_OTHER);
        answer(b, TRIAGE_ANN, TRIAGE_ANSWER_LOOK, 2, TRIAGE_NOTHING_CHANGES);
        assert_int_equal(event_type(b, 0), TRIAGE_LOOK_ANSWERED);
}

static void nothing_to_look_at_is_nothing_to_take(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_refused(b, TRIAGE_WRONG_STATE);
}

static void the_holding_team_responds(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        (void)begin(b, 1);
        (void)place(b);
        answer(b, "training/team-west/kim", TRIAGE_RESPOND, 2, TRIAGE_FAMILY_YES);
        assert_refused(b, 2);
        answer(b, TRIAGE_JO, TRIAGE_RESPOND, 2, TRIAGE_FAMILY_YES);
        assert_refused(b, 2);
        answer(b, TEAM_EAST, TRIAGE_RESPOND, 2, TRIAGE_FAMILY_YES);
        assert_int_equal(event_type(b, 0), TRIAGE_RESPONDED);
        assert_int_equal(episode_now(b).waiting, 0);
        assert_false(core_bench_tick(&b->core));
}

static void no_and_not_sure_go_to_the_look_list(void **state)
{
        bench *b = *state;

        for (uint8_t said = TRIAGE_FAMILY_NO; said <= TRIAGE_FAMILY_NOT_SURE; said++) {
                make_active(b, said);
                (void)begin(b, said);
                const uint64_t look_by_ms = place(b)->look_by_ms;
                answer(b, TEAM_EAST, TRIAGE_RESPOND, b->referrals, said);
                assert_int_equal(event_type(b, 1), TRIAGE_LOOK_LISTED);
                const triage_looked *looked = b->core.events[1].body;
                assert_int_equal(looked->why, TRIAGE_WHY_TEAM_NOT_SURE);
                assert_int_equal(looked->look_by_ms, look_by_ms);
                assert_int_equal(episode_now(b).looks, 1);
                assert_int_equal(episode_now(b).waiting, 1);
        }
}

static void a_response_that_does_not_come_goes_to_the_look_list(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        (void)begin(b, 1);
        b->core.now_ms = place(b)->respond_by_ms - 1;
        assert_false(core_bench_tick(&b->core));
        b->core.now_ms++;
        assert_true(core_bench_tick(&b->core));
        assert_int_equal(event_type(b, 0), TRIAGE_LOOK_LISTED);
        assert_int_equal(episode_now(b).looks, 1);
        assert_false(core_bench_tick(&b->core));
        answer(b, TEAM_EAST, TRIAGE_RESPOND, 2, TRIAGE_FAMILY_YES);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
}

static void a_response_is_never_due_after_the_statutory_clock(void **state)
{
        bench *b = *state;
        const uint64_t friday_ms = door_london_instant(20049, 16 * 60 + 50); /* 2024-11-22 */
        const uint64_t statutory_ms = door_statutory_due(&b->policy.working, friday_ms);

        assert_int_equal(triage_respond_by(&b->policy, 90, TRIAGE_GRADE_RED, friday_ms), friday_ms + HOUR_MS);
        assert_int_equal(triage_respond_by(&b->policy, 60, TRIAGE_GRADE_AMBER, friday_ms),
                         door_london_instant(20052, 12 * 60 + 50));
        assert_true(triage_respond_by(&b->policy, 30, TRIAGE_GRADE_GREEN, friday_ms) <= statutory_ms);
        b->policy.respond_green_working_min = 4800;
        assert_int_equal(triage_respond_by(&b->policy, 30, TRIAGE_GRADE_GREEN, friday_ms), statutory_ms);
        b->policy.respond_amber_working_min = 60;
        assert_int_equal(triage_respond_by(&b->policy, 30, TRIAGE_GRADE_NOT_GIVEN, friday_ms),
                         door_london_instant(20052, 9 * 60 + 50));
}

/* ---- allocation's word ---- */

static void a_return_puts_it_back_with_its_clocks_as_they_were(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        const triage_clocks clocks = place(b)->clocks;
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        allotted(b, TRIAGE_INPUT_RETURNED, 2, "east");
        assert_int_equal(event_type(b, 0), TRIAGE_RETURNED);
        const triage_moved *moved = b->core.events[0].body;
        assert_int_equal(moved->times, 1);
        assert_int_equal(episode_now(b).state, TRIAGE_QUEUED);
        assert_int_equal(episode_now(b).clocks.rag_ms, clocks.rag_ms);
}

static void an_acceptance_for_an_older_decision_moves_nothing(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        const uint32_t first = episode_now(b).decided_version;
        begin(b, 1)->flags = TRIAGE_BIT(TRIAGE_FLAG_WEAPON);
        (void)place(b);
        simple(b, MANAGER, TRIAGE_TAKE);
        decide_as(b, MANAGER, 4, TRIAGE_SECTION_47);
        allotted(b, TRIAGE_INPUT_ACCEPTED, first, "west");
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
        assert_int_equal(episode_now(b).state, TRIAGE_OFFERED);
        /* All the same it is west that holds the family now. */
        assert_true(door_bytes_equal(episode_now(b).team, door_bytes_of("west")));
        allotted(b, TRIAGE_INPUT_RETURNED, first, "west");
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
        assert_int_equal(episode_now(b).team.len, 0);
}

static void an_acceptance_after_something_was_attached_counts(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        (void)begin(b, 1);
        assert_int_equal(place(b)->way, TRIAGE_QUICK_LOOK);
        allotted(b, TRIAGE_INPUT_ACCEPTED, 2, "east");
        assert_int_equal(event_type(b, 0), TRIAGE_ACTIVATED);
}

static void allocations_word_about_a_closed_episode_is_overtaken(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        simple(b, MANAGER, TRIAGE_TAKE);
        decide_as(b, MANAGER, 1, TRIAGE_NO_FURTHER_ACTION);
        allotted(b, TRIAGE_INPUT_ACCEPTED, 2, "east");
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
        assert_int_equal(episode_now(b).state, TRIAGE_STATE_CLOSED);
        assert_int_equal(episode_now(b).team.len, 0);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
}

/* ---- the end ---- */

static void close_as(bench *b, const char *actor, triage_outcome outcome, uint64_t version)
{
        const triage_act act = { .episode = b->episode,
                                 .answer = (uint8_t)outcome,
                                 .text = door_bytes_of("because") };
        act_as(b, actor, TRIAGE_CLOSE, version, &act);
}

static void closing_is_the_holding_teams_and_waits_for_every_answer(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        (void)begin(b, 1);
        (void)place(b);
        close_as(b, "training/team-west/kim", TRIAGE_HELPED, 0);
        assert_refused(b, 2);
        close_as(b, TEAM_EAST, TRIAGE_HELPED, 0);
        assert_refused(b, TRIAGE_LOOKS_OPEN);
        answer(b, TEAM_EAST, TRIAGE_RESPOND, 2, TRIAGE_FAMILY_YES);
        close_as(b, TEAM_EAST, TRIAGE_HELPED, 2);
        assert_refused(b, 1);
        close_as(b, TEAM_EAST, TRIAGE_CONSENT_WITHDRAWN, 0);
        assert_refused(b, TRIAGE_AUTHORITY);
        close_as(b, TEAM_EAST, TRIAGE_CLOSE_ADVICE, 0);
        assert_refused(b, 4);
        close_as(b, TEAM_EAST, TRIAGE_HELPED, episode_now(b).version);
        assert_int_equal(event_type(b, 0), TRIAGE_CLOSED);
        assert_int_equal(episode_now(b).state, TRIAGE_STATE_CLOSED);
        close_as(b, MANAGER, TRIAGE_HELPED, 0);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
}

static void after_the_close_a_referral_opens_anew_and_names_the_last(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        close_as(b, TEAM_EAST, TRIAGE_HELPED, 0);
        const door_id before = b->episode;
        (void)begin(b, 1);
        const triage_placed *placed = place(b);

        assert_int_equal(event_type(b, 0), TRIAGE_EPISODE_OPENED);
        assert_true(placed->has_previous);
        assert_true(door_id_equal(&placed->previous, &before));
        b->episode = before;
        simple(b, TRIAGE_JO, TRIAGE_REOPEN);
        assert_refused(b, TRIAGE_WRONG_STATE);
}

static void reopening_runs_the_clocks_anew(void **state)
{
        bench *b = *state;
        make_active(b, 1);
        close_as(b, TEAM_EAST, TRIAGE_HELPED, 0);
        b->core.now_ms += 48 * (uint64_t)HOUR_MS;
        simple(b, TRIAGE_JO, TRIAGE_REOPEN);
        assert_int_equal(event_type(b, 0), TRIAGE_REOPENED);
        assert_int_equal(episode_now(b).state, TRIAGE_QUEUED);
        assert_int_equal(episode_now(b).clocks.rag_ms, b->core.now_ms + 72 * (uint64_t)HOUR_MS);
        simple(b, TRIAGE_JO, TRIAGE_REOPEN);
        assert_int_equal(event_type(b, 0), TRIAGE_OVERTAKEN);
}

/* ---- history ---- */

static void imported_history_is_never_open_in_a_live_system(void **state)
{
        bench *b = *state;
        begin(b, 1)->historic = true;
        b->policy.replay_history = true;
        b->policy.training = false;
        (void)place(b);
        assert_int_equal(event_type(b, 0), TRIAGE_HISTORY_NOTED);
        b->policy.training = true;
        b->policy.replay_history = false;
        begin(b, 1)->historic = true;
        (void)place(b);
        assert_int_equal(event_type(b, 0), TRIAGE_HISTORY_NOTED);
        assert_int_equal(b->core.events[0].flags, DOOR_FLAG_HISTORIC);
        assert_int_equal(memory_reader_rows_of(&b->core.memory, 0x01), 0);
}

static const uint64_t day_ms = 86400000;

static const triage_placed *replay(bench *b, uint64_t family, uint64_t days_ago)
{
        triage_matched *m = begin(b, family);
        b->policy.replay_history = true;
        m->historic = true;
        m->received_at_ms = b->core.now_ms - days_ago * day_ms;
        m->sent_at_ms = m->received_at_ms;
        return place(b);
}

static void replayed_history_runs_as_on_that_day(void **state)
{
        bench *b = *state;
        assert_int_equal(replay(b, 1, 1000)->state, TRIAGE_IMPORTED);
        const door_id first = b->episode;
        const triage_placed *placed = replay(b, 1, 850);
        assert_int_equal(event_type(b, 0), TRIAGE_REFERRAL_ATTACHED);
        assert_int_equal(placed->way, TRIAGE_WAY_NONE);
        assert_int_equal(episode_now(b).waiting, 0);
        placed = replay(b, 1, 600);
        assert_int_equal(event_type(b, 0), TRIAGE_CLOSED);
        assert_int_equal(event_type(b, 1), TRIAGE_EPISODE_OPENED);
        assert_true(placed->has_previous && door_id_equal(&placed->previous, &first));
}

static void what_has_been_idle_closes_once_the_import_rests(void **state)
{
        bench *b = *state;
        (void)replay(b, 1, 1000);
        (void)replay(b, 2, 10);
        assert_false(core_bench_tick(&b->core));
        b->core.now_ms += 10001;
        assert_true(core_bench_tick(&b->core));
        assert_int_equal(b->core.events_count, 1);
        assert_int_equal(event_type(b, 0), TRIAGE_CLOSED);
        const triage_moved *moved = b->core.events[0].body;
        assert_int_equal(moved->outcome, TRIAGE_BEFORE_THIS_SYSTEM);
        assert_false(core_bench_tick(&b->core));
        assert_int_equal(episode_now(b).state, TRIAGE_IMPORTED);
}

static void a_live_repeat_on_replayed_history_gets_a_look(void **state)
{
        bench *b = *state;
        (void)replay(b, 1, 10);
        (void)begin(b, 1);
        assert_int_equal(place(b)->way, TRIAGE_QUICK_LOOK);
        assert_int_equal(episode_now(b).state, TRIAGE_IMPORTED);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        assert_int_equal(event_type(b, 0), TRIAGE_TAKEN);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        assert_int_equal(episode_now(b).state, TRIAGE_OFFERED);
}

static void history_that_comes_late_makes_nothing_of_live_work_less_or_more(void **state)
{
        bench *b = *state;
        (void)begin(b, 1);
        (void)place(b);
        const triage_episode before = episode_now(b);
        triage_matched *m = begin(b, 1);
        b->policy.replay_history = true;
        m->historic = true;
        m->grade = TRIAGE_GRADE_RED;
        m->received_at_ms -= 5 * day_ms;
        (void)place(b);
        const triage_episode after = episode_now(b);
        assert_int_equal(after.severity, before.severity);
        assert_int_equal(after.clocks.rag_ms, before.clocks.rag_ms);
        assert_int_equal(after.state, TRIAGE_QUEUED);
        assert_int_equal(after.waiting, 0);
}

/* ---- the table of moves ---- */

static void the_table_allows_what_the_diagram_draws(void **state)
{
        (void)state;
        static const struct {
                triage_event event;
                triage_state from, to;
                bool may;
        } moves[] = {
                { TRIAGE_EPISODE_OPENED, TRIAGE_NONE, TRIAGE_QUEUED, true },
                { TRIAGE_EPISODE_OPENED, TRIAGE_QUEUED, TRIAGE_QUEUED, false },
                { TRIAGE_DECIDED, TRIAGE_QUEUED, TRIAGE_OFFERED, true },
                { TRIAGE_DECIDED, TRIAGE_OFFERED, TRIAGE_OFFERED, false },
                { TRIAGE_DECIDED, TRIAGE_ACTIVE, TRIAGE_STATE_CLOSED, false },
                { TRIAGE_ACTIVATED, TRIAGE_OFFERED, TRIAGE_ACTIVE, true },
                { TRIAGE_ACTIVATED, TRIAGE_QUEUED, TRIAGE_ACTIVE, false },
                { TRIAGE_RETURNED, TRIAGE_OFFERED, TRIAGE_QUEUED, true },
                { TRIAGE_RETURNED, TRIAGE_STATE_CLOSED, TRIAGE_QUEUED, false },
                { TRIAGE_REFERRAL_ATTACHED, TRIAGE_ACTIVE, TRIAGE_ACTIVE, true },
                { TRIAGE_REFERRAL_ATTACHED, TRIAGE_ACTIVE, TRIAGE_OFFERED, false },
                { TRIAGE_REFERRAL_ATTACHED, TRIAGE_STATE_CLOSED, TRIAGE_QUEUED, false },
                { TRIAGE_CLOSED, TRIAGE_QUEUED, TRIAGE_STATE_CLOSED, false },
                { TRIAGE_CLOSED, TRIAGE_ACTIVE, TRIAGE_STATE_CLOSED, true },
                { TRIAGE_REOPENED, TRIAGE_STATE_CLOSED, TRIAGE_QUEUED, true },
                { TRIAGE_REOPENED, TRIAGE_FOLDED, TRIAGE_QUEUED, false },
                { TRIAGE_TAKEN, TRIAGE_STATE_CLOSED, TRIAGE_STATE_CLOSED, false },
        };
        for (size_t i = 0; i < sizeof moves / sizeof moves[0]; i++) {
                assert_int_equal(triage_may(moves[i].event, moves[i].from, moves[i].to), moves[i].may);
        }
}

/* ---- a county at random ---- */

enum { FAMILIES = 6, STEPS = 1500, EPISODES_MAX = 800, REFERRALS_MAX = 1200 };

typedef struct books {
        door_id episodes[EPISODES_MAX];
        size_t episodes_count;
        door_id placed[REFERRALS_MAX]; /* referral -> episode */
        uint64_t seen[REFERRALS_MAX];  /* how often placed */
} books;

static uint64_t draw(uint64_t *seed, uint64_t below)
{
        *seed = *seed * 6364136223846793005u + 1442695040888963407u;
        return (*seed >> 33) % below;
}

static void books_keep(bench *b, books *k)
{
        for (size_t i = 0; i < b->core.events_count; i++) {
                const door_event *event = &b->core.events[i];
                const triage_placed *placed = event->body;
                if (event->type == TRIAGE_EPISODE_OPENED) {
                        assert_true(k->episodes_count < EPISODES_MAX);
                        k->episodes[k->episodes_count++] = placed->episode;
                }
                if (event->type == TRIAGE_EPISODE_OPENED || event->type == TRIAGE_REFERRAL_ATTACHED) {
                        const uint64_t n = door_get_u64(placed->referral.bytes + 2);
                        assert_true(n < REFERRALS_MAX);
                        k->placed[n] = placed->episode;
                        k->seen[n]++;
                }
        }
}

/* One open episode a family; what waits is counted; severity only a decision lowers. */
static void books_check(bench *b, const books *k)
{
        door_view *view = core_bench_view(&b->core);
        unsigned open[FAMILIES] = { 0 };

        for (size_t i = 0; i < k->episodes_count; i++) {
                triage_episode e;
                uint32_t waiting = 0;
                uint32_t looks = 0;
                uint32_t referrals = 0;
                assert_true(triage_episode_get(view, &k->episodes[i], &e));
                for (uint64_t n = 1; n <= b->referrals; n++) {
                        triage_referral row;
                        const door_id id = id_of(n);
                        if (!door_id_equal(&k->placed[n], &k->episodes[i])) {
                                continue;
                        }
                        assert_true(triage_referral_get(view, &id, &row));
                        referrals++;
                        waiting += row.waits != TRIAGE_WAITS_NOT;
                        looks += row.waits == TRIAGE_WAITS_LOOK;
                }
                assert_int_equal(e.referrals, referrals);
                assert_int_equal(e.waiting, waiting);
                assert_int_equal(e.looks, looks);
                if (triage_state_is_open(e.state)) {
                        open[door_get_u64(e.family.bytes + 2) - 1000]++;
                } else {
                        assert_int_equal(e.waiting, 0);
                        assert_int_equal(e.taken_until_ms, 0);
                }
        }
        for (size_t i = 0; i < FAMILIES; i++) {
                assert_true(open[i] <= 1);
        }
}

static void random_step(bench *b, books *k, uint64_t *seed)
{
        static const char *const actors[] = { TRIAGE_JO, TRIAGE_ANN, MANAGER, TEAM_EAST };
        const uint64_t what = draw(seed, 12);

        door_arena_reset(&b->core.arena);
        b->core.now_ms += draw(seed, 4) == 0 ? draw(seed, 3 * day_ms) : draw(seed, MINUTE_MS);
        if (what < 3 || k->episodes_count == 0) {
                triage_matched *m = begin(b, draw(seed, FAMILIES));
                m->grade = (uint8_t)draw(seed, 5);
                m->flags = draw(seed, 3) == 0 ? TRIAGE_BIT(draw(seed, 20)) : 0;
                m->doubted = draw(seed, 2) == 0;
                b->people[0].person = id_of(2000 + draw(seed, 2 * FAMILIES));
                if (draw(seed, 4) == 0) {
                        m->historic = true;
                        b->policy.replay_history = true;
                        m->received_at_ms -= draw(seed, 400) * day_ms;
                }
                (void)place(b);
                return;
        }
        b->episode = k->episodes[k->episodes_count - 1 -
                                 draw(seed, k->episodes_count < 8 ? k->episodes_count : 8)];
        const char *actor = actors[draw(seed, 4)];
        const uint32_t version = episode_now(b).version;
        switch (what) {
        case 3:
        case 4:
                simple(b, actor, TRIAGE_TAKE);
                break;
        case 5:
        case 6:
                decide_as(b, actor, (uint8_t)(1 + draw(seed, 4)), (triage_next_step)(1 + draw(seed, 12)));
                break;
        case 7:
                allotted(b, TRIAGE_INPUT_ACCEPTED, version - (uint32_t)draw(seed, 2), "east");
                break;
        case 8:
                allotted(b, TRIAGE_INPUT_RETURNED, version - (uint32_t)draw(seed, 2), "east");
                break;
        case 9:
                answer(b, actor, draw(seed, 2) == 0 ? TRIAGE_RESPOND : TRIAGE_ANSWER_LOOK,
                       b->referrals - draw(seed, b->referrals < 10 ? b->referrals : 10),
                       (uint8_t)(1 + draw(seed, 3)));
                break;
        case 10:
                close_as(b, actor, TRIAGE_HELPED, 0);
                break;
        default:
                simple(b, actor, draw(seed, 2) == 0 ? TRIAGE_PUT_BACK : TRIAGE_REOPEN);
                break;
        }
}

static void a_random_county_keeps_its_books(void **state)
{
        bench *b = *state;
        books *k = calloc(1, sizeof *k);
        uint64_t seed = 7;

        assert_non_null(k);
        for (size_t i = 0; i < STEPS; i++) {
                random_step(b, k, &seed);
                books_keep(b, k);
                for (int ticks = 0; core_bench_tick(&b->core); ticks++) {
                        assert_true(ticks < 50); /* A tick that changes nothing would spin. */
                        assert_true(b->core.events_count > 0);
                        books_keep(b, k);
                }
                if (i % 50 == 0 || i == STEPS - 1) {
                        books_check(b, k);
                }
        }
        for (uint64_t n = 1; n <= b->referrals; n++) {
                assert_int_equal(k->seen[n], 1); /* Each placed once, none lost. */
        }
        free(k);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_first_referral_opens_an_episode_in_the_queue),
                TEST(an_ungraded_referral_is_never_green),
                TEST(a_floor_raises_and_never_lowers),
                TEST(an_injured_baby_is_red_whatever_the_grade),
                TEST(a_childs_own_disclosure_and_a_missing_child_are_red),
                TEST(a_red_referral_is_due_in_four_hours_or_by_its_statutory_clock),
                TEST(an_uncertain_match_is_queued_at_once_and_says_so),
                TEST(a_repeat_on_an_undecided_episode_is_one_row_and_is_looked_at),
                TEST(a_repeat_takes_the_higher_severity_and_the_earlier_clock),
                TEST(a_plain_repeat_on_statutory_work_goes_to_the_social_worker),
                TEST(an_early_help_episode_always_gets_a_look),
                TEST(every_now_rule_queues_the_row_again),
                TEST(what_people_in_it_are_is_a_now_rule_too),
                TEST(every_look_rule_asks_for_a_look),
                TEST(a_referral_that_says_nothing_of_what_happened_cannot_be_told),
                TEST(an_ungraded_repeat_gets_a_look),
                TEST(a_child_who_is_no_subject_makes_it_now_and_the_decision_makes_it_one),
                TEST(a_child_is_the_subject_of_one_open_episode),
                TEST(a_take_keeps_others_out_until_its_lease_ends),
                TEST(putting_back_keeps_the_place_and_is_only_for_the_taker),
                TEST(a_decision_takes_a_lease_and_the_latest_version),
                TEST(advice_and_no_further_action_close),
                TEST(level_4_no_further_action_and_lowering_are_a_managers),
                TEST(ending_it_for_a_baby_or_an_open_review_takes_a_second_person),
                TEST(existing_worker_needs_a_team_that_has_accepted),
                TEST(a_decision_says_why_in_bounds),
                TEST(nobody_acts_in_a_live_system_or_without_a_role),
                TEST(an_unknown_episode_is_refused),
                TEST(only_the_front_door_answers_the_look_list),
                TEST(every_other_answer_to_a_look_queues_the_row),
                TEST(a_look_is_not_answered_over_somebody_elses_take),
                TEST(nothing_to_look_at_is_nothing_to_take),
                TEST(the_holding_team_responds),
                TEST(no_and_not_sure_go_to_the_look_list),
                TEST(a_response_that_does_not_come_goes_to_the_look_list),
                TEST(a_response_is_never_due_after_the_statutory_clock),
                TEST(a_return_puts_it_back_with_its_clocks_as_they_were),
                TEST(an_acceptance_for_an_older_decision_moves_nothing),
                TEST(an_acceptance_after_something_was_attached_counts),
                TEST(allocations_word_about_a_closed_episode_is_overtaken),
                TEST(closing_is_the_holding_teams_and_waits_for_every_answer),
                TEST(after_the_close_a_referral_opens_anew_and_names_the_last),
                TEST(reopening_runs_the_clocks_anew),
                TEST(imported_history_is_never_open_in_a_live_system),
                TEST(replayed_history_runs_as_on_that_day),
                TEST(what_has_been_idle_closes_once_the_import_rests),
                TEST(a_live_repeat_on_replayed_history_gets_a_look),
                TEST(history_that_comes_late_makes_nothing_of_live_work_less_or_more),
                TEST(the_table_allows_what_the_diagram_draws),
                TEST(a_random_county_keeps_its_books),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
