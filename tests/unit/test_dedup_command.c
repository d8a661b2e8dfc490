/*
 * Goal: what people may change about who is who is decided as dedup_command.h says, and nothing of a
 * family is lost by a join, its undoing or a move.
 * Method: referrals and commands one at a time over a memory, each record encoded, decoded and folded
 * twice (support/core_bench.h); after every test the rows that mirror each other are counted.
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
#include "support/core_bench.h"

enum {
        PEOPLE_MAX = 4,
        ROLE_CHILD = 1,
        ROLE_MOTHER = 4,
        FEMALE = 1,
        MALE = 2,
        FACT_DANGEROUS = 15,
        FACT_ADOPTED = 24,
        REASON_NOT_ALLOWED = 2,
        REASON_INVALID = 4,
        REASON_NO_SUCH = 5,
        RETRY_NOT_READY = 8,
        TABLE_PERSON_FAMILY = 0x02,
        TABLE_FAMILY_PERSON = 0x04,
        TABLE_FAMILY_REFERRAL = 0x05,
        TABLE_REFERRAL = 0x06,
        TABLE_KEY = 0x07,
        TABLE_REDIRECT = 0x0C,
        TABLE_INTO = 0x0D,
        TABLE_NOT_SAME = 0x10,
};

typedef struct bench {
        core_bench core;
        dedup_policy policy;
        dedup_mention people[PEOPLE_MAX];
        uint8_t packed[PEOPLE_MAX][DEDUP_FEATURES_BYTES_MAX];
        size_t people_count;
        bool guarded;
        uint64_t referrals;
} bench;

/* What became of a referral. */
typedef struct placed {
        door_id referral;
        door_id family;
        dedup_decision decision;
        size_t reviews_count;
        door_id reviews[DEDUP_CANDIDATES_MAX];
        door_id people[PEOPLE_MAX];
} placed;

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);

        if (b == NULL) {
                return -1;
        }
        core_bench_init(&b->core, &dedup_ops);
        b->policy = dedup_policy_default;
        b->policy.training = true;
        b->core.policy = &b->policy;
        *state = b;
        return 0;
}

static bool mirrors(bench *b, uint8_t one, uint8_t other)
{
        return memory_reader_rows_of(&b->core.memory, one) == memory_reader_rows_of(&b->core.memory, other);
}

static int teardown(void **state)
{
        bench *b = *state;
        const bool mirrored = mirrors(b, TABLE_PERSON_FAMILY, TABLE_FAMILY_PERSON) &&
                              mirrors(b, TABLE_REFERRAL, TABLE_FAMILY_REFERRAL) &&
                              mirrors(b, TABLE_REDIRECT, TABLE_INTO);
        const bool same = core_bench_done(&b->core);

        free(b);
        return same && mirrored ? 0 : -1;
}

/* ---- referrals in a few lines */

static dedup_mention *person(bench *b, dedup_life life, uint8_t sex, const char *given, const char *surname,
                             const char *dob, const char *postcode)
{
        dedup_mention *m = &b->people[b->people_count++];
        door_date date;

        memset(m, 0, sizeof *m);
        m->features = (dedup_features){ .role = life == DEDUP_LIFE_CHILD ? ROLE_CHILD : ROLE_MOTHER,
                                        .sex = sex,
                                        .life = life,
                                        .edd_days = DEDUP_NO_DAY,
                                        .age_years = DEDUP_NO_AGE,
                                        .said_days = 19800,
                                        .given = door_bytes_of(given),
                                        .surname = door_bytes_of(surname) };
        if (door_date_parse(door_bytes_of(dob), &date)) {
                m->features.dob_kind = DEDUP_DOB_DAY;
                m->features.dob_days = door_date_to_days(date);
        }
        if (postcode != NULL) {
                m->features.postcode = door_bytes_of(postcode);
                m->features.house = door_bytes_of("12 regent st");
        }
        return m;
}

static placed refer(bench *b)
{
        static char agency[] = "county-police";
        static Door__V1__Category category = DOOR__V1__CATEGORY__CATEGORY_DOMESTIC_ABUSE;
        Door__V1__ReferralReceived facts = DOOR__V1__REFERRAL_RECEIVED__INIT;
        Door__V1__ReferralFacts inner = DOOR__V1__REFERRAL_FACTS__INIT;
        uint8_t random[16] = { 9 };
        dedup_received received = { .mentions = b->people,
                                    .mentions_count = b->people_count,
                                    .guarded = b->guarded,
                                    .facts = &facts };
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = DEDUP_INPUT_REFERRAL_RECEIVED,
                             .cause = { DEDUP_LOG_INTAKE, 1 },
                             .body = &received };
        placed p = { 0 };

        door_put_u64(random + 8, ++b->referrals);
        received.referral = door_id_make(random, DOOR_ID_REFERRAL, 0);
        facts.facts = &inner;
        inner.agency = agency;
        inner.n_category = b->guarded ? 1 : 0;
        inner.category = &category;
        for (size_t i = 0; i < b->people_count; i++) {
                door_writer w = door_writer_on(b->packed[i], DEDUP_FEATURES_BYTES_MAX);
                assert_true(dedup_features_pack(&b->people[i].features, &w));
                b->people[i].packed = door_written(&w);
        }
        door_arena_reset(&b->core.arena);
        core_bench_take(&b->core, &input);
        assert_int_equal(b->core.events_count, 1);
        const dedup_matched *matched = b->core.events[0].body;
        p.referral = matched->referral;
        p.family = matched->family;
        p.decision = matched->decision;
        for (size_t i = 0; i < matched->candidates_count; i++) {
                if (matched->candidates[i].has_review) {
                        p.reviews[p.reviews_count++] = matched->candidates[i].review;
                }
        }
        for (size_t i = 0; i < matched->persons_count; i++) {
                p.people[i] = matched->persons[i].person;
        }
        b->people_count = 0;
        b->guarded = false;
        return p;
}

static placed hartleys(bench *b)
{
        (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "2015-03-09", "GL50 1AA");
        (void)person(b, DEDUP_LIFE_ADULT, FEMALE, "rachel", "hartley", "1988-07-21", "GL50 1AA");
        return refer(b);
}

static placed prices(bench *b)
{
        (void)person(b, DEDUP_LIFE_CHILD, FEMALE, "ella", "price", "2018-05-30", "GL7 4ZZ");
        (void)person(b, DEDUP_LIFE_ADULT, FEMALE, "donna", "price", "1991-10-10", "GL7 4ZZ");
        return refer(b);
}

static placed nobody(bench *b)
{
        return refer(b);
}

/* Uncertain: one question, about the hartleys. */
static placed perhaps_a_hartley(bench *b)
{
        (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "", NULL);
        const placed p = refer(b);
        assert_int_equal(p.decision, DEDUP_REVIEW);
        return p;
}

/* ---- commands in a few lines */

static void act_as(bench *b, const char *actor, uint32_t type, const void *body)
{
        door_input input = {
                .kind = DOOR_INPUT_COMMAND, .type = type, .actor = door_bytes_of(actor), .body = body
        };
        door_arena_reset(&b->core.arena);
        core_bench_take(&b->core, &input);
        assert_true(!b->core.out.refused || b->core.events_count == 0);
}

static void act(bench *b, uint32_t type, const void *body)
{
        act_as(b, "training/triage/jo", type, body);
}

static void refused(bench *b, uint32_t reason, const char *field)
{
        assert_true(b->core.out.refused);
        assert_int_equal(b->core.out.refusal.reason, reason);
        assert_string_equal(b->core.out.refusal.field, field);
}

/* The events an act has left; their number and the first one's type are looked at. */
static const void *done(bench *b, size_t events, uint32_t first)
{
        assert_false(b->core.out.refused);
        assert_int_equal(b->core.events_count, events);
        assert_int_equal(b->core.events[0].type, first);
        return b->core.events[0].body;
}

static dedup_join_body join_of(const door_id *from, const door_id *to)
{
        return (dedup_join_body){ .from = *from, .to = *to, .reason = door_bytes_of("one household") };
}

static door_id join(bench *b, const door_id *from, const door_id *to)
{
        const dedup_join_body body = join_of(from, to);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        const dedup_joined *joined = done(b, b->core.events_count, DEDUP_FAMILIES_JOINED);
        assert_true(b->core.events_count >= 1);
        return joined->join;
}

static dedup_move_body move_of(const placed *p, const door_id *to)
{
        dedup_move_body body = { .referral = p->referral,
                                 .from = p->family,
                                 .has_to = to != NULL,
                                 .reason = door_bytes_of("another family") };
        if (to != NULL) {
                body.to = *to;
        }
        return body;
}

static const dedup_moved *move(bench *b, const placed *p, const door_id *to)
{
        const dedup_move_body body = move_of(p, to);
        act(b, DEDUP_MOVE_REFERRAL, &body);
        return done(b, 1, DEDUP_REFERRAL_MOVED);
}

static void answer(bench *b, const door_id *review, dedup_verdict verdict)
{
        const dedup_answer_body body = { .review = *review,
                                         .verdict = verdict,
                                         .reason = door_bytes_of("the school says so") };
        act(b, DEDUP_ANSWER_REVIEW, &body);
}

static void undo(bench *b, const door_id *join_id, const dedup_assignment *assignments, size_t count)
{
        const dedup_undo_body body = { .join = *join_id,
                                       .assignments = assignments,
                                       .assignments_count = count,
                                       .reason = door_bytes_of("two after all") };
        act(b, DEDUP_UNDO_JOIN, &body);
}

static bool is_member(bench *b, const door_id *person_id, const door_id *family)
{
        dedup_membership membership;
        return dedup_membership_get(core_bench_view(&b->core), person_id, family, &membership);
}

static uint8_t harm_of(bench *b, const door_id *person_id, const door_id *family)
{
        dedup_membership membership = { 0 };
        assert_true(dedup_membership_get(core_bench_view(&b->core), person_id, family, &membership));
        return membership.harm;
}

static door_id family_of(bench *b, const placed *p)
{
        dedup_referral row = { 0 };
        assert_true(dedup_referral_get(core_bench_view(&b->core), &p->referral, &row));
        return row.family;
}

static void stands_in(bench *b, const placed *p, const door_id *family)
{
        const door_id now = family_of(b, p);
        assert_true(door_id_equal(&now, family));
}

/* ---- who may */

static void nothing_is_decided_before_a_policy_is_active(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = prices(b);
        const dedup_join_body body = join_of(&one.family, &two.family);
        b->core.policy = NULL;
        act(b, DEDUP_JOIN_FAMILIES, &body);
        assert_int_equal(b->core.out.retry, RETRY_NOT_READY);
        assert_int_equal(b->core.events_count, 0);
}

static void only_the_front_door_may_act_and_in_training_only(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = prices(b);
        const dedup_join_body body = join_of(&one.family, &two.family);
        act_as(b, "somebody", DEDUP_JOIN_FAMILIES, &body);
        refused(b, REASON_NOT_ALLOWED, "/actor");
        act_as(b, "training/team-east/sam", DEDUP_JOIN_FAMILIES, &body);
        refused(b, REASON_NOT_ALLOWED, "/actor");
        b->policy.training = false;
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_TRAINING_ONLY, "/actor");
        b->policy.training = true;
        act_as(b, "training/manager/mo", DEDUP_JOIN_FAMILIES, &body);
        (void)done(b, 1, DEDUP_FAMILIES_JOINED);
}

static void every_change_says_why(void **state)
{
        static uint8_t endless[DEDUP_TEXT_BYTES_MAX + 1];
        bench *b = *state;
        const placed first = hartleys(b);
        const placed other = prices(b);
        const placed question = perhaps_a_hartley(b);
        const door_bytes bad[] = { DOOR_BYTES_EMPTY, { endless, sizeof endless } };
        memset(endless, 'a', sizeof endless);
        for (size_t i = 0; i < 2; i++) {
                dedup_join_body joining = join_of(&first.family, &other.family);
                dedup_move_body moving = move_of(&first, NULL);
                dedup_undo_body undoing = { .reason = bad[i] };
                dedup_answer_body answering = { question.reviews[0], DEDUP_VERDICT_SAME, bad[i] };
                joining.reason = bad[i];
                moving.reason = bad[i];
                act(b, DEDUP_JOIN_FAMILIES, &joining);
                refused(b, REASON_INVALID, "/reason");
                act(b, DEDUP_MOVE_REFERRAL, &moving);
                refused(b, REASON_INVALID, "/reason");
                act(b, DEDUP_UNDO_JOIN, &undoing);
                refused(b, REASON_INVALID, "/reason");
                act(b, DEDUP_ANSWER_REVIEW, &answering);
                refused(b, REASON_INVALID, "/reason");
                answering.verdict = DEDUP_VERDICT_DIFFERENT;
                act(b, DEDUP_ANSWER_REVIEW, &answering);
                refused(b, REASON_INVALID, "/reason");
        }
}

static void what_is_not_there_is_said(void **state)
{
        bench *b = *state;
        const door_id unknown = { { 1, 2, 3 } };
        const placed first = hartleys(b);
        dedup_join_body joining = join_of(&unknown, &first.family);
        dedup_move_body moving = move_of(&first, &unknown);
        act(b, DEDUP_JOIN_FAMILIES, &joining);
        refused(b, REASON_NO_SUCH, "/from");
        joining = join_of(&first.family, &unknown);
        act(b, DEDUP_JOIN_FAMILIES, &joining);
        refused(b, REASON_NO_SUCH, "/to");
        act(b, DEDUP_MOVE_REFERRAL, &moving);
        refused(b, REASON_NO_SUCH, "/to");
        moving = move_of(&first, NULL);
        moving.from = unknown;
        act(b, DEDUP_MOVE_REFERRAL, &moving);
        refused(b, REASON_NO_SUCH, "/from");
        moving = move_of(&first, NULL);
        moving.referral = unknown;
        act(b, DEDUP_MOVE_REFERRAL, &moving);
        refused(b, REASON_NO_SUCH, "/referral");
        answer(b, &unknown, DEDUP_VERDICT_SAME);
        refused(b, REASON_NO_SUCH, "/review");
        undo(b, &unknown, NULL, 0);
        refused(b, DEDUP_JOIN_NOT_THERE, "/join");
}

/* ---- joins */

static void joined_families_are_one_for_every_referral_to_come(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        (void)join(b, &one.family, &two.family);
        stands_in(b, &one, &two.family);
        assert_true(is_member(b, &one.people[0], &two.family));
        assert_false(is_member(b, &one.people[0], &one.family));
        const placed again = prices(b);
        assert_int_equal(again.decision, DEDUP_LINK);
        assert_true(door_id_equal(&again.family, &two.family));
        assert_true(door_id_equal(&again.people[0], &one.people[0]));
        const placed other = hartleys(b);
        assert_true(door_id_equal(&other.family, &two.family));
}

static void old_ids_lead_on_for_ever(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const placed three = nobody(b);
        (void)join(b, &one.family, &two.family);
        (void)join(b, &one.family, &three.family);
        const door_id now = dedup_resolve(core_bench_view(&b->core), &one.family);
        assert_true(door_id_equal(&now, &three.family));
        stands_in(b, &one, &three.family);
        const dedup_join_body again = join_of(&one.family, &two.family);
        act(b, DEDUP_JOIN_FAMILIES, &again);
        refused(b, DEDUP_SAME_FAMILY, "/to");
        const dedup_moved *moved = move(b, &one, NULL); /* By the id it had when it came. */
        assert_true(door_id_equal(&moved->from, &three.family));
}

static void a_join_names_its_families_and_answers_with_where_they_stand(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const door_id made = join(b, &one.family, &two.family);
        const door_event *event = &b->core.events[0];
        assert_int_equal(event->subjects_count, 3);
        assert_true(door_id_equal(&event->subjects[0].id, &one.family));
        assert_true(door_id_equal(&event->subjects[1].id, &two.family));
        assert_true(door_id_equal(&event->subjects[2].id, &made));
        assert_int_equal(event->subjects[2].kind, DOOR_ID_JOIN);
}

static void a_join_of_what_must_not_be_seen_takes_a_second_person(void **state)
{
        bench *b = *state;
        b->guarded = true;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const placed three = nobody(b);
        dedup_join_body body = join_of(&two.family, &one.family);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
        body.second_person = door_bytes_of("jo"); /* The actor's own name is nobody else's. */
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
        body.second_person = door_bytes_of("mo");
        body.from = one.family;
        body.to = two.family;
        act(b, DEDUP_JOIN_FAMILIES, &body);
        const dedup_joined *joined = done(b, 1, DEDUP_FAMILIES_JOINED);
        assert_true(door_bytes_equal(joined->why.second_person, door_bytes_of("mo")));
        body = join_of(&three.family, &two.family); /* What is guarded stays so in the joined family. */
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
}

static void a_recorded_danger_takes_a_second_person_and_is_not_lost_by_a_join(void **state)
{
        bench *b = *state;
        const placed two = hartleys(b);
        (void)person(b, DEDUP_LIFE_ADULT, MALE, "mark", "stone", "1985-02-02", "GL7 4ZZ");
        b->people[0].facts_yes = UINT64_C(1) << FACT_DANGEROUS;
        const placed one = refer(b);
        dedup_join_body body = join_of(&one.family, &two.family);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
        body.second_person = door_bytes_of("mo");
        act(b, DEDUP_JOIN_FAMILIES, &body);
        (void)done(b, 1, DEDUP_FAMILIES_JOINED);
        assert_int_equal(harm_of(b, &one.people[0], &two.family), DEDUP_HARM_DANGEROUS);
}

static void a_joined_family_has_at_most_two_hundred_referrals(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = prices(b);
        for (size_t i = 1; i < 100; i++) {
                (void)hartleys(b);
                (void)prices(b);
        }
        const placed last = prices(b);
        assert_true(door_id_equal(&last.family, &two.family));
        const dedup_join_body body = join_of(&one.family, &two.family);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_TOO_MANY, "/from");
        (void)move(b, &last, NULL);
        (void)join(b, &one.family, &two.family);
        const placed more = nobody(b);
        const dedup_move_body moving = move_of(&more, &two.family);
        act(b, DEDUP_MOVE_REFERRAL, &moving);
        refused(b, DEDUP_TOO_MANY, "/to");
}

/* So many strangers are members of a family, in both memories. */
static void crowd(bench *b, const door_id *family, uint32_t people)
{
        memory_reader *const both[] = { &b->core.memory, &b->core.replayed };
        const dedup_membership membership = { .role = ROLE_CHILD, .life = DEDUP_LIFE_CHILD };
        const uint8_t random[16] = { 5 };
        for (size_t i = 0; i < 2; i++) {
                door_view view;
                door_arena_reset(&b->core.arena);
                door_view_init(&view, &both[i]->reader, &b->core.arena);
                view.writable = true;
                for (uint32_t n = 0; n < people; n++) {
                        const door_id stranger = door_id_make(random, DOOR_ID_PERSON, n);
                        dedup_membership_put(&view, &stranger, family, &membership);
                }
                memory_reader_absorb(both[i], &view);
        }
}

static void a_joined_family_has_at_most_256_people(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = nobody(b);
        crowd(b, &two.family, DEDUP_FAMILY_MEMBERS_MAX - 1);
        dedup_join_body body = join_of(&two.family, &one.family);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_TOO_MANY, "/from");
        crowd(b, &two.family, DEDUP_FAMILY_MEMBERS_MAX + 1);
        const dedup_move_body moving = move_of(&two, NULL);
        act(b, DEDUP_MOVE_REFERRAL, &moving);
        refused(b, DEDUP_TOO_MANY, "/from");
}

static void at_most_32_joins_lead_into_one_family(void **state)
{
        bench *b = *state;
        door_id head = nobody(b).family;
        const door_id first = head;
        for (size_t i = 0; i < DEDUP_JOINS_MAX; i++) {
                const placed next = nobody(b);
                (void)join(b, &head, &next.family); /* A chain: the longest there can be. */
                head = next.family;
        }
        const door_id now = dedup_resolve(core_bench_view(&b->core), &first);
        assert_true(door_id_equal(&now, &head));
        const placed one = nobody(b);
        const dedup_join_body body = join_of(&one.family, &head);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        refused(b, DEDUP_TOO_MANY, "/to");
}

/* ---- undoing */

static void an_undone_join_leaves_the_families_as_they_were(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const door_id made = join(b, &one.family, &two.family);
        const dedup_assignment back[] = { { one.referral, one.family }, { two.referral, two.family } };
        undo(b, &made, back, 2);
        const dedup_undone *undone = done(b, 1, DEDUP_JOIN_UNDONE);
        assert_int_equal(undone->assignments_count, 2);
        stands_in(b, &one, &one.family);
        stands_in(b, &two, &two.family);
        assert_true(is_member(b, &one.people[0], &one.family) && is_member(b, &one.people[1], &one.family));
        assert_false(is_member(b, &one.people[0], &two.family));
        assert_true(is_member(b, &two.people[0], &two.family));
        assert_false(is_member(b, &two.people[0], &one.family));
        const placed again = prices(b);
        assert_int_equal(again.decision, DEDUP_LINK);
        assert_true(door_id_equal(&again.family, &one.family));
        undo(b, &made, back, 2);
        refused(b, DEDUP_JOIN_NOT_THERE, "/join");
        (void)join(b, &one.family, &two.family); /* And they may be joined once more. */
}

static void an_undo_names_every_referral_once_and_one_of_the_two_families(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const placed stranger = nobody(b);
        const door_id made = join(b, &one.family, &two.family);
        const dedup_assignment missing[] = { { one.referral, one.family } };
        const dedup_assignment twice[] = { { one.referral, one.family }, { one.referral, one.family } };
        const dedup_assignment other[] = { { one.referral, stranger.family }, { two.referral, two.family } };
        const dedup_assignment more[] = { { one.referral, one.family },
                                          { two.referral, two.family },
                                          { stranger.referral, two.family } };
        undo(b, &made, missing, 1);
        refused(b, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment");
        undo(b, &made, twice, 2);
        refused(b, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment");
        undo(b, &made, other, 2);
        refused(b, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment");
        undo(b, &made, more, 3);
        refused(b, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment");
        undo(b, &made, NULL, 0);
        refused(b, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment");
}

static void only_the_latest_join_of_a_family_can_be_undone(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const placed three = nobody(b);
        const door_id first = join(b, &one.family, &two.family);
        const door_id second = join(b, &two.family, &three.family);
        const dedup_assignment all[] = { { one.referral, one.family },
                                         { two.referral, two.family },
                                         { three.referral, three.family } };
        undo(b, &first, all, 2);
        refused(b, DEDUP_JOIN_NOT_THERE, "/join");
        undo(b, &second, all, 3); /* An older id stands for the family it led to. */
        (void)done(b, 1, DEDUP_JOIN_UNDONE);
        stands_in(b, &one, &two.family);
        stands_in(b, &three, &three.family);
        undo(b, &first, all, 2);
        (void)done(b, 1, DEDUP_JOIN_UNDONE);
        stands_in(b, &one, &one.family);
}

static void what_came_after_the_join_goes_where_the_undo_says(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const door_id made = join(b, &one.family, &two.family);
        const placed later = prices(b);
        const dedup_assignment back[] = { { one.referral, one.family },
                                          { two.referral, two.family },
                                          { later.referral, one.family } };
        undo(b, &made, back, 3);
        (void)done(b, 1, DEDUP_JOIN_UNDONE);
        stands_in(b, &later, &one.family);
        assert_false(is_member(b, &later.people[0], &two.family));
}

static void an_undo_places_at_most_twenty_referrals_anew(void **state)
{
        bench *b = *state;
        dedup_assignment back[DEDUP_UNDO_MOVED_MAX + 3];
        const placed one = prices(b);
        const placed two = hartleys(b);
        const door_id made = join(b, &one.family, &two.family);
        size_t count = 0;
        back[count++] = (dedup_assignment){ one.referral, one.family };
        back[count++] = (dedup_assignment){ two.referral, two.family };
        for (size_t i = 0; i < DEDUP_UNDO_MOVED_MAX; i++) {
                back[count++] = (dedup_assignment){ hartleys(b).referral, two.family };
        }
        back[0].family = two.family; /* Otherwise than it stood: one more. */
        undo(b, &made, back, count);
        refused(b, DEDUP_TOO_MANY, "/assignment");
        back[0].family = one.family;
        undo(b, &made, back, count);
        (void)done(b, 1, DEDUP_JOIN_UNDONE);
        assert_int_equal(b->core.events[0].subjects_count, DOOR_SUBJECTS_MAX);
}

static void somebody_of_both_families_is_of_both_again_after_an_undo(void **state)
{
        bench *b = *state;
        const placed two = hartleys(b);
        const placed one = prices(b);
        (void)person(b, DEDUP_LIFE_CHILD, FEMALE, "ella", "price", "2018-05-30", "GL7 4ZZ");
        (void)person(b, DEDUP_LIFE_ADULT, FEMALE, "donna", "price", "1991-10-10", "GL7 4ZZ");
        (void)person(b, DEDUP_LIFE_ADULT, FEMALE, "rachel", "hartley", "1988-07-21", "GL50 1AA");
        const placed both = refer(b);
        assert_true(door_id_equal(&both.family, &one.family));
        assert_true(door_id_equal(&both.people[2], &two.people[1]));
        const door_id made = join(b, &one.family, &two.family);
        const dedup_assignment back[] = { { one.referral, one.family },
                                          { two.referral, two.family },
                                          { both.referral, one.family } };
        undo(b, &made, back, 3);
        (void)done(b, 1, DEDUP_JOIN_UNDONE);
        assert_true(is_member(b, &two.people[1], &one.family) && is_member(b, &two.people[1], &two.family));
        assert_false(is_member(b, &two.people[0], &one.family));
}

/* ---- moves */

static void who_is_named_in_the_moved_referral_only_goes_along(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        const dedup_moved *moved = move(b, &one, &two.family);
        assert_false(moved->to_is_new);
        assert_int_equal(moved->children_count, 1);
        assert_true(door_id_equal(&moved->children[0], &one.people[0]));
        assert_int_equal(moved->people_count, 2);
        assert_true(door_id_equal(&moved->people[1].person, &one.people[1]));
        stands_in(b, &one, &two.family);
        assert_true(is_member(b, &one.people[0], &two.family));
        assert_false(is_member(b, &one.people[0], &one.family));
        const placed again = prices(b);
        assert_true(door_id_equal(&again.family, &two.family));
}

static void who_is_named_in_what_stays_is_somebody_else_from_now_on(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = hartleys(b);
        assert_true(door_id_equal(&one.family, &two.family));
        const size_t keys = memory_reader_rows_of(&b->core.memory, TABLE_KEY);
        const dedup_moved *moved = move(b, &two, NULL);
        const door_id child = moved->children[0];
        const door_id to = moved->to;
        assert_true(moved->to_is_new);
        assert_int_equal(moved->children_count, 1);
        assert_false(door_id_equal(&child, &one.people[0]));
        assert_true(door_id_equal(&moved->people[0].was, &one.people[0]));
        stands_in(b, &one, &one.family);
        stands_in(b, &two, &to);
        assert_true(is_member(b, &one.people[0], &one.family) && is_member(b, &child, &to));
        assert_false(is_member(b, &one.people[0], &to) || is_member(b, &child, &one.family));
        /* Two families alike, and the keys lead to both. */
        assert_int_equal(memory_reader_rows_of(&b->core.memory, TABLE_KEY), 2 * keys);
        assert_int_equal(hartleys(b).reviews_count, 2);
}

static void a_moved_mention_becomes_the_member_of_the_other_family_it_fits(void **state)
{
        bench *b = *state;
        const placed one = hartleys(b);
        const placed two = hartleys(b);
        const placed three = hartleys(b);
        const dedup_moved *moved = move(b, &two, NULL);
        const door_id to = moved->to;
        const door_id people[] = { moved->people[0].person, moved->people[1].person };
        moved = move(b, &three, &to);
        assert_true(door_id_equal(&moved->people[0].person, &people[0]));
        assert_true(door_id_equal(&moved->people[1].person, &people[1]));
        assert_true(is_member(b, &one.people[0], &one.family));
}

static void two_children_of_a_moved_referral_never_become_one(void **state)
{
        bench *b = *state;
        placed p[3];
        for (size_t i = 0; i < 3; i++) {
                (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "2015-03-09", "GL50 1AA");
                (void)person(b, DEDUP_LIFE_ADULT, FEMALE, "rachel", "hartley", "1988-07-21", "GL50 1AA");
                if (i != 1) { /* The family moved to knows one of the two. */
                        (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "2015-03-09", "GL50 1AA");
                }
                p[i] = refer(b);
        }
        const door_id to = move(b, &p[1], NULL)->to;
        const dedup_moved *moved = move(b, &p[2], &to);
        assert_int_equal(moved->children_count, 2);
        assert_false(door_id_equal(&moved->children[0], &moved->children[1]));
}

static void an_adopted_child_gets_no_keys_by_a_move(void **state)
{
        bench *b = *state;
        placed p[2];
        for (size_t i = 0; i < 2; i++) {
                (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "2015-03-09", "GL50 1AA");
                b->people[0].adopted = true;
                b->people[0].facts_yes = UINT64_C(1) << FACT_ADOPTED;
                p[i] = refer(b);
        }
        (void)join(b, &p[0].family, &p[1].family);
        assert_int_equal(memory_reader_rows_of(&b->core.memory, TABLE_KEY), 0);
        (void)move(b, &p[0], NULL);
        assert_int_equal(memory_reader_rows_of(&b->core.memory, TABLE_KEY), 0);
}

static void only_what_stands_in_a_family_moves_from_it_and_elsewhere(void **state)
{
        bench *b = *state;
        const placed one = prices(b);
        const placed two = hartleys(b);
        dedup_move_body body = move_of(&one, NULL);
        body.from = two.family;
        act(b, DEDUP_MOVE_REFERRAL, &body);
        refused(b, DEDUP_NOT_IN_FAMILY, "/referral");
        body = move_of(&one, &one.family);
        act(b, DEDUP_MOVE_REFERRAL, &body);
        refused(b, DEDUP_SAME_FAMILY, "/to");
}

static void a_guarded_move_takes_a_second_person_and_the_guard_goes_along(void **state)
{
        bench *b = *state;
        b->guarded = true;
        const placed one = prices(b);
        const placed two = hartleys(b);
        dedup_move_body body = move_of(&two, &one.family);
        act(b, DEDUP_MOVE_REFERRAL, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
        body = move_of(&one, NULL);
        act(b, DEDUP_MOVE_REFERRAL, &body);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/second_person");
        body.second_person = door_bytes_of("mo");
        act(b, DEDUP_MOVE_REFERRAL, &body);
        const dedup_moved *moved = done(b, 1, DEDUP_REFERRAL_MOVED);
        assert_true(dedup_guarded_get(core_bench_view(&b->core), &moved->to));
        assert_int_equal(b->core.events[0].subjects_count, 3);
        assert_int_equal(b->core.events[0].subjects[0].kind, DOOR_ID_REFERRAL);
}

static void a_danger_goes_along_with_a_move(void **state)
{
        bench *b = *state;
        placed p[2];
        for (size_t i = 0; i < 2; i++) {
                (void)person(b, DEDUP_LIFE_CHILD, MALE, "noah", "hartley", "2015-03-09", "GL50 1AA");
                (void)person(b, DEDUP_LIFE_ADULT, MALE, "mark", "stone", "1985-02-02", "GL50 1AA");
                b->people[1].alleged = i == 0;
                p[i] = refer(b);
        }
        dedup_move_body body = move_of(&p[1], NULL);
        body.second_person = door_bytes_of("mo");
        act(b, DEDUP_MOVE_REFERRAL, &body);
        const dedup_moved *moved = done(b, 1, DEDUP_REFERRAL_MOVED);
        assert_int_equal(harm_of(b, &moved->people[1].person, &moved->to), DEDUP_HARM_ALLEGED);
        assert_int_equal(harm_of(b, &p[0].people[1], &p[0].family), DEDUP_HARM_ALLEGED);
}

/* ---- reviews */

static void the_same_is_answered_and_then_joined(void **state)
{
        bench *b = *state;
        const placed first = hartleys(b);
        const placed question = perhaps_a_hartley(b);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        const dedup_reviewed *reviewed = done(b, 2, DEDUP_REVIEW_ANSWERED);
        assert_int_equal(reviewed->verdict, DEDUP_VERDICT_SAME);
        assert_true(door_id_equal(&reviewed->referral, &question.referral));
        assert_true(door_id_equal(&reviewed->family, &question.family));
        assert_true(door_id_equal(&reviewed->candidate, &first.family));
        assert_true(door_id_equal(&reviewed->family_now, &first.family));
        assert_int_equal(reviewed->still_open, 0);
        assert_int_equal(b->core.events[1].type, DEDUP_FAMILIES_JOINED);
        const dedup_joined *joined = b->core.events[1].body;
        assert_true(joined->has_review && door_id_equal(&joined->review, &question.reviews[0]));
        assert_true(door_id_equal(&joined->from, &question.family));
        stands_in(b, &question, &first.family);
        answer(b, &question.reviews[0], DEDUP_VERDICT_DIFFERENT);
        refused(b, DEDUP_REVIEW_NOT_OPEN, "/review");
}

static void different_is_remembered_for_ever(void **state)
{
        bench *b = *state;
        (void)hartleys(b);
        const placed question = perhaps_a_hartley(b);
        answer(b, &question.reviews[0], DEDUP_VERDICT_DIFFERENT);
        const dedup_reviewed *reviewed = done(b, 1, DEDUP_REVIEW_ANSWERED);
        assert_true(door_id_is_zero(&reviewed->family_now));
        assert_int_equal(memory_reader_rows_of(&b->core.memory, TABLE_NOT_SAME), 1);
        stands_in(b, &question, &question.family);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        refused(b, DEDUP_REVIEW_NOT_OPEN, "/review");
}

static void not_sure_is_recorded_and_stays_open(void **state)
{
        bench *b = *state;
        (void)hartleys(b);
        const placed question = perhaps_a_hartley(b);
        const dedup_answer_body body = { .review = question.reviews[0], .verdict = DEDUP_VERDICT_UNSURE };
        act(b, DEDUP_ANSWER_REVIEW, &body);
        const dedup_reviewed *reviewed = done(b, 1, DEDUP_REVIEW_ANSWERED);
        assert_int_equal(reviewed->still_open, 1);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        (void)done(b, 2, DEDUP_REVIEW_ANSWERED);
}

/* Two families alike and a third referral that may be of either. */
static placed two_questions(bench *b, placed ret_families[2])
{
        ret_families[0] = hartleys(b);
        const placed again = hartleys(b);
        ret_families[1] = again;
        ret_families[1].family = move(b, &again, NULL)->to;
        const placed question = hartleys(b);
        assert_int_equal(question.reviews_count, 2);
        return question;
}

static void an_answer_says_how_many_questions_about_the_family_are_left(void **state)
{
        bench *b = *state;
        placed families[2];
        const placed question = two_questions(b, families);
        answer(b, &question.reviews[0], DEDUP_VERDICT_DIFFERENT);
        const dedup_reviewed *reviewed = done(b, 1, DEDUP_REVIEW_ANSWERED);
        assert_int_equal(reviewed->still_open, 1);
        answer(b, &question.reviews[1], DEDUP_VERDICT_SAME);
        reviewed = done(b, 2, DEDUP_REVIEW_ANSWERED);
        assert_int_equal(reviewed->still_open, 0);
}

static void a_join_answers_the_reviews_between_its_families(void **state)
{
        bench *b = *state;
        const placed first = hartleys(b);
        const placed question = perhaps_a_hartley(b);
        const placed third = nobody(b);
        (void)join(b, &first.family, &third.family); /* The candidate's old id still counts. */
        const dedup_join_body body = join_of(&question.family, &third.family);
        act(b, DEDUP_JOIN_FAMILIES, &body);
        (void)done(b, 2, DEDUP_FAMILIES_JOINED);
        assert_int_equal(b->core.events[1].type, DEDUP_REVIEW_ANSWERED);
        const dedup_reviewed *reviewed = b->core.events[1].body;
        assert_int_equal(reviewed->verdict, DEDUP_VERDICT_SAME);
        assert_true(door_id_equal(&reviewed->review, &question.reviews[0]));
        assert_true(door_id_equal(&reviewed->family_now, &third.family));
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        refused(b, DEDUP_REVIEW_NOT_OPEN, "/review");
}

static void joining_the_candidates_leaves_both_questions_open_and_one_answer_closes_both(void **state)
{
        bench *b = *state;
        placed families[2];
        const placed question = two_questions(b, families);
        (void)join(b, &families[1].family, &families[0].family);
        assert_int_equal(b->core.events_count, 1);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        const dedup_reviewed *reviewed = done(b, 3, DEDUP_REVIEW_ANSWERED);
        assert_int_equal(reviewed->still_open, 0);
        assert_int_equal(b->core.events[1].type, DEDUP_FAMILIES_JOINED);
        assert_int_equal(b->core.events[2].type, DEDUP_REVIEW_ANSWERED);
}

static void a_review_whose_referral_was_moved_is_not_open(void **state)
{
        bench *b = *state;
        (void)hartleys(b);
        const placed question = perhaps_a_hartley(b);
        (void)move(b, &question, NULL);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        refused(b, DEDUP_REVIEW_NOT_OPEN, "/review");
}

static void a_guarded_review_is_answered_by_the_join_of_two_people(void **state)
{
        bench *b = *state;
        b->guarded = true;
        const placed first = hartleys(b);
        const placed question = perhaps_a_hartley(b);
        answer(b, &question.reviews[0], DEDUP_VERDICT_SAME);
        refused(b, DEDUP_SECOND_PERSON_NEEDED, "/review");
        assert_string_equal(b->core.out.refusal.detail, "join the two families with a second person's name");
        dedup_join_body body = join_of(&question.family, &first.family);
        body.second_person = door_bytes_of("mo");
        act(b, DEDUP_JOIN_FAMILIES, &body);
        (void)done(b, 2, DEDUP_FAMILIES_JOINED);
        assert_int_equal(b->core.events[1].type, DEDUP_REVIEW_ANSWERED);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(nothing_is_decided_before_a_policy_is_active),
                RULE(only_the_front_door_may_act_and_in_training_only),
                RULE(every_change_says_why),
                RULE(what_is_not_there_is_said),
                RULE(joined_families_are_one_for_every_referral_to_come),
                RULE(old_ids_lead_on_for_ever),
                RULE(a_join_names_its_families_and_answers_with_where_they_stand),
                RULE(a_join_of_what_must_not_be_seen_takes_a_second_person),
                RULE(a_recorded_danger_takes_a_second_person_and_is_not_lost_by_a_join),
                RULE(a_joined_family_has_at_most_two_hundred_referrals),
                RULE(a_joined_family_has_at_most_256_people),
                RULE(at_most_32_joins_lead_into_one_family),
                RULE(an_undone_join_leaves_the_families_as_they_were),
                RULE(an_undo_names_every_referral_once_and_one_of_the_two_families),
                RULE(only_the_latest_join_of_a_family_can_be_undone),
                RULE(what_came_after_the_join_goes_where_the_undo_says),
                RULE(an_undo_places_at_most_twenty_referrals_anew),
                RULE(somebody_of_both_families_is_of_both_again_after_an_undo),
                RULE(who_is_named_in_the_moved_referral_only_goes_along),
                RULE(who_is_named_in_what_stays_is_somebody_else_from_now_on),
                RULE(a_moved_mention_becomes_the_member_of_the_other_family_it_fits),
                RULE(two_children_of_a_moved_referral_never_become_one),
                RULE(an_adopted_child_gets_no_keys_by_a_move),
                RULE(only_what_stands_in_a_family_moves_from_it_and_elsewhere),
                RULE(a_guarded_move_takes_a_second_person_and_the_guard_goes_along),
                RULE(a_danger_goes_along_with_a_move),
                RULE(the_same_is_answered_and_then_joined),
                RULE(different_is_remembered_for_ever),
                RULE(not_sure_is_recorded_and_stays_open),
                RULE(an_answer_says_how_many_questions_about_the_family_are_left),
                RULE(a_join_answers_the_reviews_between_its_families),
                RULE(joining_the_candidates_leaves_both_questions_open_and_one_answer_closes_both),
                RULE(a_review_whose_referral_was_moved_is_not_open),
                RULE(a_guarded_review_is_answered_by_the_join_of_two_people),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
