/*
 * test_cli_words.c - what the command says to people, and what it proposes about joins.
 *
 * Goal: every code that can come from the view has words, of the field's own; an undoing proposes to give
 * back exactly what stood apart before; the work that goes on is the one opened first. Method: every value
 * of every vocabulary is asked for; proposals are made from answers built by hand.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli_join_plan.h"
#include "cli/cli_view.h"

typedef const char *word_for(int code);

/* Each takes its own enum; a vocabulary is asked by number. */
#define ASKED_BY_NUMBER(name, type)                                                                          \
        static const char *name##_of(int code)                                                               \
        {                                                                                                    \
                return cli_word_##name((type)code);                                                          \
        }
ASKED_BY_NUMBER(state, Door__V1__EpisodeState)
ASKED_BY_NUMBER(disposition, Door__V1__Disposition)
ASKED_BY_NUMBER(why, Door__V1__RepeatReason)
ASKED_BY_NUMBER(next_step, Door__V1__NextStep)
ASKED_BY_NUMBER(role, Door__V1__Role)
ASKED_BY_NUMBER(age, Door__V1__AgeBand)
ASKED_BY_NUMBER(verdict, Door__V1__Verdict)
ASKED_BY_NUMBER(story, Door__V1__StoryWhat)
ASKED_BY_NUMBER(family, Door__V1__FamilyWhat)
ASKED_BY_NUMBER(waiting, Door__V1__WaitingFor)
ASKED_BY_NUMBER(delivery, Door__V1__DeliveryKind)
ASKED_BY_NUMBER(dedup_refusal, Door__V1__DedupRefusal)

static void every_code_of_every_vocabulary_has_words_of_the_fields_own(void **state)
{
        static const struct {
                const ProtobufCEnumDescriptor *values;
                word_for *word;
        } vocabularies[] = {
                { &door__v1__episode_state__descriptor, state_of },
                { &door__v1__disposition__descriptor, disposition_of },
                { &door__v1__repeat_reason__descriptor, why_of },
                { &door__v1__next_step__descriptor, next_step_of },
                { &door__v1__role__descriptor, role_of },
                { &door__v1__age_band__descriptor, age_of },
                { &door__v1__verdict__descriptor, verdict_of },
                { &door__v1__story_what__descriptor, story_of },
                { &door__v1__family_what__descriptor, family_of },
                { &door__v1__waiting_for__descriptor, waiting_of },
                { &door__v1__delivery_kind__descriptor, delivery_of },
                { &door__v1__dedup_refusal__descriptor, dedup_refusal_of },
        };

        (void)state;
        for (size_t v = 0; v < sizeof vocabularies / sizeof vocabularies[0]; v++) {
                for (unsigned i = 0; i < vocabularies[v].values->n_values; i++) {
                        const ProtobufCEnumValue *value = &vocabularies[v].values->values[i];
                        if (value->value == 0) {
                                continue; /* Nothing said. */
                        }
                        const char *text = vocabularies[v].word(value->value);
                        if (text == NULL || strstr(text, "newer than this program") != NULL) {
                                fail_msg("%s has no words", value->name);
                        }
                        assert_null(strstr(text, "suppress"));
                        assert_null(strstr(text, "folded"));
                        assert_null(strstr(text, "episode"));
                }
        }
}

static void a_refusal_that_is_not_deduplications_own_is_left_to_the_service(void **state)
{
        (void)state;
        assert_null(cli_word_dedup_refusal((Door__V1__DedupRefusal)0));
        assert_null(cli_word_dedup_refusal((Door__V1__DedupRefusal)4)); /* REASON_INVALID */
}

static void a_moved_referral_says_that_a_person_said_so(void **state)
{
        (void)state;
        assert_string_equal(cli_word_why(DOOR__V1__REPEAT_REASON__WHY_MOVED),
                            "a person said it belongs to this family");
}

/* ---- an undoing */

enum { REFERRALS = 3 };

/* Three referrals of a joined family: the second came from the family joined away. */
typedef struct joined {
        uint8_t ids[REFERRALS][DOOR_ID_BYTES];
        char texts[REFERRALS][DOOR_ID_TEXT_BYTES];
        Door__V1__JoinReferral rows[REFERRALS];
        Door__V1__JoinReferral *row[REFERRALS];
        Door__V1__JoinStory story;
} joined;

static void joined_init(joined *j)
{
        door__v1__join_story__init(&j->story);
        for (size_t i = 0; i < REFERRALS; i++) {
                door_id id = { { 0 } };
                id.bytes[0] = (uint8_t)(i + 1);
                memcpy(j->ids[i], id.bytes, DOOR_ID_BYTES);
                door_id_print(DOOR_ID_REFERRAL, &id, j->texts[i]);
                door__v1__join_referral__init(&j->rows[i]);
                j->rows[i].referral = (ProtobufCBinaryData){ DOOR_ID_BYTES, j->ids[i] };
                j->rows[i].stood_in_from = i == 1;
                j->row[i] = &j->rows[i];
        }
        j->story.row = j->row;
        j->story.n_row = REFERRALS;
}

static void what_stood_apart_before_goes_back_and_later_ones_stay_unless_named(void **state)
{
        cli_undo_plan *plan = calloc(1, sizeof *plan);
        const char *wrong = NULL;
        joined j;

        (void)state;
        assert_non_null(plan);
        joined_init(&j);
        cli_undo_plan_add(plan, &j.story);
        assert_int_equal(plan->count, 3);
        assert_int_equal(cli_undo_plan_going(plan), 1);
        assert_true(plan->rows[1].to_from);
        assert_true(cli_undo_plan_name(plan, j.texts[2], &wrong));
        assert_int_equal(cli_undo_plan_going(plan), 2);
        assert_true(plan->rows[2].to_from);
        assert_false(plan->rows[2].stood_in_from);
        free(plan);
}

static void a_list_may_name_several_and_one_that_is_not_there_is_named_as_wrong(void **state)
{
        cli_undo_plan *plan = calloc(1, sizeof *plan);
        const char *wrong = NULL;
        char list[4 * DOOR_ID_TEXT_BYTES];
        joined j;

        (void)state;
        assert_non_null(plan);
        joined_init(&j);
        cli_undo_plan_add(plan, &j.story);
        (void)snprintf(list, sizeof list, "%s,%s", j.texts[0], j.texts[2]);
        assert_true(cli_undo_plan_name(plan, list, &wrong));
        assert_int_equal(cli_undo_plan_going(plan), 3);
        (void)snprintf(list, sizeof list, "%s,R-nonsense", j.texts[0]);
        assert_false(cli_undo_plan_name(plan, list, &wrong));
        assert_string_equal(wrong, "R-nonsense");
        free(plan);
}

static void more_than_one_undoing_can_assign_is_said(void **state)
{
        cli_undo_plan *plan = calloc(1, sizeof *plan);
        joined j;

        (void)state;
        assert_non_null(plan);
        joined_init(&j);
        plan->count = CLI_ASSIGNED_MAX - 2;
        cli_undo_plan_add(plan, &j.story);
        assert_int_equal(plan->count, CLI_ASSIGNED_MAX);
        assert_true(plan->truncated);
        free(plan);
}

/* ---- a join */

static void the_work_opened_first_goes_on_and_closed_work_does_not(void **state)
{
        Door__V1__EpisodeLine lines[3];
        Door__V1__EpisodeLine *of_a[] = { &lines[0], &lines[1] };
        Door__V1__EpisodeLine *of_b[] = { &lines[2] };
        Door__V1__FamilyStory a = DOOR__V1__FAMILY_STORY__INIT;
        Door__V1__FamilyStory b = DOOR__V1__FAMILY_STORY__INIT;

        (void)state;
        for (size_t i = 0; i < 3; i++) {
                door__v1__episode_line__init(&lines[i]);
        }
        a.episode = of_a;
        a.n_episode = 2;
        b.episode = of_b;
        b.n_episode = 1;
        lines[0].state = DOOR__V1__EPISODE_STATE__EPISODE_CLOSED;
        lines[0].received_at_ms = 1;
        lines[1].state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        lines[1].received_at_ms = 9;
        lines[2].state = DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE;
        lines[2].received_at_ms = 5;
        assert_ptr_equal(cli_join_goes_on(&a, &b), &lines[2]);
        assert_ptr_equal(cli_join_goes_on(&b, &a), &lines[2]);
        assert_int_equal(cli_join_open_count(&a), 1);
        lines[1].state = lines[2].state = DOOR__V1__EPISODE_STATE__EPISODE_FOLDED;
        assert_null(cli_join_goes_on(&a, &b));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_code_of_every_vocabulary_has_words_of_the_fields_own),
                cmocka_unit_test(a_refusal_that_is_not_deduplications_own_is_left_to_the_service),
                cmocka_unit_test(a_moved_referral_says_that_a_person_said_so),
                cmocka_unit_test(what_stood_apart_before_goes_back_and_later_ones_stay_unless_named),
                cmocka_unit_test(a_list_may_name_several_and_one_that_is_not_there_is_named_as_wrong),
                cmocka_unit_test(more_than_one_undoing_can_assign_is_said),
                cmocka_unit_test(the_work_opened_first_goes_on_and_closed_work_does_not),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
