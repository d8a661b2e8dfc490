/*
 * Goal: who is who is decided as dedup_core.h says: link, review or new; nobody twice; dangers told.
 * Method: referrals of a few people are decided and applied over a memory reader as the shell does
 * it; every event is also applied to a second reader, and both must be the same at the end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deduplication/dedup_core.h"
#include "support/memory_reader.h"

enum {
        ARENA_BYTES = 64 * DOOR_MIB,
        PEOPLE_MAX = 8,
        ROLE_CHILD = 1,
        ROLE_MOTHER = 4,
        ROLE_FATHER = 5,
        FEMALE = 1,
        MALE = 2,
        FACT_DANGEROUS = 15,
        FACT_NO_CONTACT = 16,
        TABLE_PERSON_FAMILY = 0x02,
        TABLE_FAMILY_PERSON = 0x04,
        TABLE_REVIEW = 0x08,
};

typedef struct bench {
        memory_reader memory;
        memory_reader replayed;
        door_arena arena; /* Of everything decided in a test: events stay readable. */
        void *storage;
        uint64_t seq;
        dedup_mention people[PEOPLE_MAX];
        size_t people_count;
} bench;

static int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);
        if (b == NULL) {
                return -1;
        }
        b->storage = aligned_alloc(64, ARENA_BYTES);
        memory_reader_init(&b->memory);
        memory_reader_init(&b->replayed);
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        *state = b;
        return b->storage == NULL ? -1 : 0;
}

static int teardown(void **state)
{
        bench *b = *state;
        const bool same = memory_reader_equal(&b->memory, &b->replayed);
        memory_reader_done(&b->memory);
        memory_reader_done(&b->replayed);
        free(b->storage);
        free(b);
        return same ? 0 : -1;
}

/* ---- a referral in a few lines ---- */

static void referral_begin(bench *b)
{
        b->people_count = 0;
}

/* dob "" for not known; place NULL for no address. */
static dedup_mention *person(bench *b, dedup_life life, uint8_t sex, const char *given, const char *surname,
                             const char *dob, const char *postcode)
{
        dedup_mention *m = &b->people[b->people_count++];
        door_date date;
        memset(m, 0, sizeof *m);
        m->features = (dedup_features){ .role = life == DEDUP_LIFE_CHILD ? ROLE_CHILD
                                                : sex == MALE            ? ROLE_FATHER
                                                                         : ROLE_MOTHER,
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
                m->features.house = door_bytes_of(postcode[2] == '5' ? "12 regent st" : "3 mill ln");
        }
        return m;
}

static dedup_mention *child(bench *b, const char *given, const char *surname, const char *dob,
                            const char *postcode)
{
        return person(b, DEDUP_LIFE_CHILD, MALE, given, surname, dob, postcode);
}

static dedup_mention *mother(bench *b, const char *given, const char *surname, const char *dob,
                             const char *postcode)
{
        return person(b, DEDUP_LIFE_ADULT, FEMALE, given, surname, dob, postcode);
}

static dedup_mention *father(bench *b, const char *given, const char *surname, const char *dob,
                             const char *postcode)
{
        return person(b, DEDUP_LIFE_ADULT, MALE, given, surname, dob, postcode);
}

/* ---- as the shell does it ---- */

static const dedup_received *received_make(bench *b)
{
        dedup_received *r = door_arena_take_zeroed(&b->arena, 1, sizeof *r);
        dedup_mention *mentions = door_arena_take_zeroed(&b->arena, b->people_count + 1, sizeof *mentions);
        const uint8_t random[16] = { 7 };
        assert_non_null(mentions);
        for (size_t i = 0; i < b->people_count; i++) {
                uint8_t *packed = door_arena_take(&b->arena, DEDUP_FEATURES_BYTES_MAX);
                assert_non_null(packed);
                door_writer w = door_writer_on(packed, DEDUP_FEATURES_BYTES_MAX);
                mentions[i] = b->people[i];
                assert_true(dedup_features_pack(&mentions[i].features, &w));
                mentions[i].packed = door_written(&w);
        }
        r->referral = door_id_make(random, DOOR_ID_REFERRAL, (uint32_t)b->seq);
        r->mentions = mentions;
        r->mentions_count = b->people_count;
        return r;
}

static const dedup_matched *decide(bench *b, const dedup_received *received, door_event *ret_event)
{
        door_view view;
        door_out *out = door_arena_take_zeroed(&b->arena, 1, sizeof *out);
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = DEDUP_INPUT_REFERRAL_RECEIVED,
                             .body = received };
        door_put_u64(input.random, b->seq);
        assert_non_null(out);
        out->arena = &b->arena;
        door_view_init(&view, &b->memory.reader, &b->arena);
        dedup_decide(&view, NULL, &input, out);
        assert_int_equal(view.latch, DOOR_OK);
        assert_false(b->arena.exhausted);
        assert_int_equal(view.changes_count, 0);
        assert_int_equal(out->events_count, 1);
        *ret_event = out->events[0];
        return out->events[0].body;
}

static void apply(bench *b, memory_reader *memory, const door_event *event)
{
        door_view view;
        door_view_init(&view, &memory->reader, &b->arena);
        view.writable = true;
        dedup_apply(&view, event);
        assert_int_equal(view.latch, DOOR_OK);
        memory_reader_absorb(memory, &view);
}

/* The referral begun is decided and folded, twice. */
static const dedup_matched *refer(bench *b)
{
        door_event event;
        const dedup_matched *matched = decide(b, received_make(b), &event);
        event.seq = ++b->seq;
        apply(b, &b->memory, &event);
        apply(b, &b->replayed, &event);
        for (size_t i = 0; i < matched->persons_count; i++) {
                assert_false(door_id_is_zero(&matched->persons[i].person));
                for (size_t k = 0; k < i; k++) {
                        assert_false(door_id_equal(&matched->persons[i].person, &matched->persons[k].person));
                }
        }
        return matched;
}

static bool same_person(const dedup_matched *a, size_t i, const dedup_matched *b, size_t k)
{
        return door_id_equal(&a->persons[i].person, &b->persons[k].person);
}

static bool doubts(const dedup_matched *matched, dedup_doubt doubt)
{
        return (matched->doubts >> doubt & 1) != 0;
}

/* So many referrals have been matched before: the prior of a county at work, not of its first day. */
static void county_of(bench *b, uint32_t referrals)
{
        memory_reader *const both[] = { &b->memory, &b->replayed };
        for (size_t i = 0; i < 2; i++) {
                door_view view;
                door_view_init(&view, &both[i]->reader, &b->arena);
                view.writable = true;
                for (uint32_t n = 0; n < referrals; n++) {
                        dedup_count_add(&view);
                }
                memory_reader_absorb(both[i], &view);
        }
}

static void hartleys(bench *b)
{
        referral_begin(b);
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA");
        mother(b, "rachel", "hartley", "1988-07-21", "GL50 1AA");
}

/* ---- rules ---- */

static void the_first_referral_is_a_new_family_of_new_persons(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_NEW);
        assert_int_equal(m->persons_count, 2);
        assert_true(m->persons[0].new_person && m->persons[0].new_to_family && m->persons[1].new_person);
        assert_int_equal(m->candidates_count, 0);
        assert_true(m->doubts != 0);
}

static void the_same_household_again_is_linked_and_may_attach(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *first = refer(b);
        hartleys(b);
        const dedup_matched *again = refer(b);
        assert_int_equal(again->decision, DEDUP_LINK);
        assert_true(door_id_equal(&again->family, &first->family));
        assert_true(same_person(first, 0, again, 0) && same_person(first, 1, again, 1));
        assert_false(again->persons[0].new_person || again->persons[0].new_to_family);
        assert_int_equal(again->doubts, 0);
        assert_true(door_id_equal(&first->persons[0].household, &again->persons[0].household));
        assert_true(again->waterfalls_count >= 1);
        assert_int_equal(again->waterfalls[0].total, again->score);
}

static void members_of_one_address_are_one_household(void **state)
{
        bench *b = *state;
        hartleys(b);
        father(b, "mark", "hartley", "1985-02-02", "GL7 4ZZ");
        const dedup_matched *m = refer(b);
        assert_true(door_id_equal(&m->persons[0].household, &m->persons[1].household));
        assert_false(door_id_equal(&m->persons[0].household, &m->persons[2].household));
}

static void the_same_names_elsewhere_with_nothing_else_in_common_are_new(void **state)
{
        bench *b = *state;
        county_of(b, 20000);
        hartleys(b);
        const dedup_matched *first = refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "2011-11-20", "GL7 4ZZ");
        mother(b, "rachel", "hartley", "1975-12-03", "GL7 4ZZ");
        const dedup_matched *other = refer(b);
        assert_int_equal(other->decision, DEDUP_NEW);
        assert_false(door_id_equal(&other->family, &first->family));
        assert_false(same_person(first, 0, other, 0));
        assert_false(same_person(first, 1, other, 1));
}

static void what_is_uncertain_gets_a_family_of_its_own_and_questions(void **state)
{
        bench *b = *state;
        county_of(b, 20000);
        hartleys(b);
        const dedup_matched *first = refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "", NULL);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_REVIEW);
        assert_false(door_id_equal(&m->family, &first->family));
        assert_int_equal(m->candidates_count, 1);
        assert_true(door_id_equal(&m->candidates[0].family, &first->family));
        assert_true(m->candidates[0].has_review);
        assert_false(door_id_is_zero(&m->candidates[0].review));
        assert_int_equal(memory_reader_rows_of(&b->memory, TABLE_REVIEW), 1);
        assert_true(m->doubts != 0);
        assert_true(m->persons[0].new_person);
}

static void two_families_alike_are_a_question_and_not_a_choice(void **state)
{
        bench *b = *state;
        county_of(b, 20000);
        hartleys(b);
        (void)refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "2011-11-20", "GL7 4ZZ");
        (void)refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "", NULL);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_REVIEW);
        assert_int_equal(m->candidates_count, 2);
        assert_false(door_id_equal(&m->candidates[0].review, &m->candidates[1].review));
        assert_true(m->candidates[0].score >= m->candidates[1].score);
}

static void two_mentions_of_one_referral_are_never_one_person(void **state)
{
        bench *b = *state;
        hartleys(b);
        (void)refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA");
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA");
        mother(b, "rachel", "hartley", "1988-07-21", "GL50 1AA");
        mother(b, "rachel", "hartley", "1988-07-21", "GL50 1AA");
        const dedup_matched *m = refer(b); /* refer() looks at every pair. */
        assert_int_equal(m->decision, DEDUP_LINK);
        assert_int_equal(m->persons[0].new_person + m->persons[1].new_person, 1);
        assert_int_equal(m->persons[2].new_person + m->persons[3].new_person, 1);
}

static void twins_are_two_persons(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *first = refer(b);
        hartleys(b);
        child(b, "ben", "hartley", "2015-03-09", "GL50 1AA");
        const dedup_matched *second = refer(b);
        assert_int_equal(second->decision, DEDUP_LINK);
        assert_true(same_person(first, 0, second, 0));
        assert_true(second->persons[2].new_person);
        assert_true(doubts(second, DEDUP_DOUBT_CHILD_NOT_RESOLVED));
        referral_begin(b);
        child(b, "ben", "hartley", "2015-03-09", "GL50 1AA");
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA");
        const dedup_matched *both = refer(b);
        assert_true(same_person(second, 2, both, 0));
        assert_true(same_person(first, 0, both, 1));
}

static void an_unheard_of_twin_alone_is_a_question_about_her_brothers_family(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *first = refer(b);
        referral_begin(b);
        child(b, "ben", "hartley", "2015-03-09", "GL50 1AA");
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_REVIEW);
        assert_int_equal(m->candidates_count, 1);
        assert_true(door_id_equal(&m->candidates[0].family, &first->family));
        assert_true(m->persons[0].new_person);
        /* Somewhere else, a birthday and a surname in common say nothing. */
        referral_begin(b);
        child(b, "carl", "hartley", "2015-03-09", "GL7 4ZZ");
        assert_int_equal(refer(b)->decision, DEDUP_NEW);
}

static dedup_mention *unborn(bench *b, const char *surname, const char *edd, const char *postcode)
{
        dedup_mention *m = person(b, DEDUP_LIFE_UNBORN, 0, "", surname, "", postcode);
        door_date date;
        assert_true(door_date_parse(door_bytes_of(edd), &date));
        m->features.edd_days = door_date_to_days(date);
        return m;
}

static void the_unborn_are_found_by_surname_and_house_and_so_is_the_baby(void **state)
{
        bench *b = *state;
        referral_begin(b);
        unborn(b, "hobbs", "2024-05-01", "GL50 1AA");
        mother(b, "jade", "hobbs", "2001-04-04", "GL50 1AA");
        const dedup_matched *first = refer(b);
        referral_begin(b);
        unborn(b, "hobbs", "2024-05-10", "GL50 1AA");
        const dedup_matched *alone = refer(b);
        assert_int_equal(alone->decision, DEDUP_REVIEW);
        assert_true(door_id_equal(&alone->candidates[0].family, &first->family));
        referral_begin(b);
        child(b, "arlo", "hobbs", "2024-05-04", "GL50 1AA");
        mother(b, "jade", "hobbs", "2001-04-04", "GL50 1AA");
        const dedup_matched *born = refer(b);
        assert_int_equal(born->decision, DEDUP_LINK);
        assert_true(door_id_equal(&born->family, &first->family));
        assert_true(same_person(first, 0, born, 0));
        /* Another house, or another surname, is somebody else's. */
        referral_begin(b);
        unborn(b, "hobbs", "2024-05-01", "GL7 4ZZ");
        assert_int_equal(refer(b)->decision, DEDUP_NEW);
        referral_begin(b);
        unborn(b, "marlow", "2024-05-01", "GL50 1AA");
        assert_int_equal(refer(b)->decision, DEDUP_NEW);
}

static void an_adult_known_in_another_family_is_told_with_the_harm_recorded_there(void **state)
{
        bench *b = *state;
        hartleys(b);
        dedup_mention *dangerous = father(b, "mark", "stone", "1985-02-02", "GL50 1AA");
        dangerous->facts_yes = UINT64_C(1) << FACT_DANGEROUS | UINT64_C(1) << FACT_NO_CONTACT;
        dangerous->alleged = true;
        const dedup_matched *first = refer(b);
        referral_begin(b);
        child(b, "ella", "price", "2018-05-30", "GL7 4ZZ");
        mother(b, "donna", "price", "1991-10-10", "GL7 4ZZ");
        const dedup_matched *second = refer(b);
        assert_int_equal(second->decision, DEDUP_NEW);
        referral_begin(b);
        child(b, "ella", "price", "2018-05-30", "GL7 4ZZ");
        mother(b, "donna", "price", "1991-10-10", "GL7 4ZZ");
        father(b, "mark", "stone", "1985-02-02", "GL7 4ZZ");
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_LINK);
        assert_true(door_id_equal(&m->family, &second->family));
        assert_true(same_person(first, 2, m, 2));
        assert_true(m->persons[2].new_to_family && !m->persons[2].new_person);
        assert_int_equal(m->elsewhere_count, 1);
        assert_int_equal(m->elsewhere[0].person_index, 2);
        assert_true(door_id_equal(&m->elsewhere[0].family, &first->family));
        assert_int_equal(m->elsewhere[0].harm,
                         DEDUP_HARM_ALLEGED | DEDUP_HARM_DANGEROUS | DEDUP_HARM_NO_CONTACT);
        assert_true(m->elsewhere[0].with_children);
}

static void a_danger_once_recorded_stays_though_a_later_referral_is_silent(void **state)
{
        bench *b = *state;
        an_adult_known_in_another_family_is_told_with_the_harm_recorded_there(state);
        hartleys(b);
        father(b, "mark", "stone", "1985-02-02", "GL50 1AA");
        (void)refer(b);
        referral_begin(b);
        child(b, "ella", "price", "2018-05-30", "GL7 4ZZ");
        mother(b, "donna", "price", "1991-10-10", "GL7 4ZZ");
        father(b, "mark", "stone", "1985-02-02", "GL7 4ZZ");
        const dedup_matched *m = refer(b);
        assert_int_equal(m->elsewhere_count, 1);
        assert_true((m->elsewhere[0].harm & DEDUP_HARM_DANGEROUS) != 0);
}

static void children_nobody_mentioned_are_listed(void **state)
{
        bench *b = *state;
        hartleys(b);
        child(b, "isla", "hartley", "2019-01-15", "GL50 1AA");
        const dedup_matched *first = refer(b);
        hartleys(b);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_LINK);
        assert_int_equal(m->unmentioned_count, 1);
        assert_true(door_id_equal(&m->unmentioned[0], &first->persons[2].person));
}

static void a_foster_carer_is_a_person_but_no_family(void **state)
{
        bench *b = *state;
        hartleys(b);
        person(b, DEDUP_LIFE_PROFESSIONAL, FEMALE, "jean", "carter", "1960-04-04", "GL50 1AA");
        const dedup_matched *first = refer(b);
        assert_int_equal(memory_reader_rows_of(&b->memory, TABLE_FAMILY_PERSON), 2);
        assert_int_equal(memory_reader_rows_of(&b->memory, TABLE_PERSON_FAMILY), 2);
        assert_false(first->persons[2].has_household);
        referral_begin(b);
        child(b, "ella", "price", "2018-05-30", "GL7 4ZZ");
        person(b, DEDUP_LIFE_PROFESSIONAL, FEMALE, "jean", "carter", "1960-04-04", "GL50 1AA");
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_NEW);
        assert_true(same_person(first, 2, m, 1));
        assert_int_equal(m->elsewhere_count, 0);
}

static void an_adopted_child_is_never_linked_to_anybody(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *first = refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA")->adopted = true;
        const dedup_matched *alone = refer(b);
        assert_int_equal(alone->decision, DEDUP_NEW);
        assert_false(same_person(first, 0, alone, 0));
        hartleys(b);
        b->people[0].adopted = true;
        const dedup_matched *with = refer(b);
        assert_true(with->persons[0].new_person);
        assert_false(same_person(first, 0, with, 0));
        assert_true(with->decision != DEDUP_LINK || doubts(with, DEDUP_DOUBT_ADOPTION));
}

static void nobody_is_ever_led_to_an_adopted_child(void **state)
{
        bench *b = *state;
        referral_begin(b);
        child(b, "noah", "hartley", "2015-03-09", "GL50 1AA")->adopted = true;
        const dedup_matched *first = refer(b);
        hartleys(b);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_NEW);
        assert_false(same_person(first, 0, m, 0));
        assert_int_equal(m->candidates_count, 0);
}

static void a_referral_about_nobody_is_new(void **state)
{
        bench *b = *state;
        referral_begin(b);
        const dedup_matched *m = refer(b);
        assert_int_equal(m->decision, DEDUP_NEW);
        assert_int_equal(m->persons_count, 0);
}

static void a_candidate_bound_that_is_reached_is_said_and_forbids_attaching(void **state)
{
        bench *b = *state;
        hartleys(b);
        const dedup_matched *first = refer(b);
        for (uint32_t i = 0; i < DEDUP_KEY_PERSONS_MAX + 8; i++) {
                char dob[DOOR_DATE_TEXT_BYTES];
                char postcode[DOOR_NAME_BYTES_MAX];
                door_date_print(door_date_from_days(12000 + (int32_t)i * 37), dob);
                (void)snprintf(postcode, sizeof postcode, "GL%u %uZZ", 10 + i / 9, 1 + i % 9);
                referral_begin(b);
                child(b, "noah", "hartley", dob, postcode);
                (void)refer(b);
        }
        hartleys(b);
        const dedup_matched *m = refer(b);
        assert_true(m->truncated);
        assert_int_equal(m->decision, DEDUP_LINK);
        assert_true(door_id_equal(&m->family, &first->family));
        assert_true(doubts(m, DEDUP_DOUBT_TRUNCATED));
}

static void the_same_input_on_the_same_state_is_decided_the_same(void **state)
{
        bench *b = *state;
        hartleys(b);
        (void)refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "2011-11-20", "GL7 4ZZ");
        (void)refer(b);
        referral_begin(b);
        child(b, "noah", "hartley", "", NULL);
        mother(b, "rachel", "hartley", "", NULL);
        const dedup_received *received = received_make(b);
        door_event event;
        const dedup_matched *one = decide(b, received, &event);
        const dedup_matched *two = decide(b, received, &event);
        assert_int_equal(one->decision, two->decision);
        assert_int_equal(one->margin, two->margin);
        assert_int_equal(one->doubts, two->doubts);
        assert_true(door_id_equal(&one->family, &two->family));
        assert_int_equal(one->candidates_count, two->candidates_count);
        for (size_t i = 0; i < one->candidates_count; i++) {
                assert_true(door_id_equal(&one->candidates[i].family, &two->candidates[i].family));
                assert_true(door_id_equal(&one->candidates[i].review, &two->candidates[i].review));
                assert_int_equal(one->candidates[i].score, two->candidates[i].score);
        }
        for (size_t i = 0; i < one->persons_count; i++) {
                assert_true(same_person(one, i, two, i));
        }
        assert_int_equal(one->waterfalls_count, two->waterfalls_count);
        for (size_t i = 0; i < one->waterfalls_count; i++) {
                assert_int_equal(one->waterfalls[i].total, two->waterfalls[i].total);
                assert_int_equal(one->waterfalls[i].steps_count, two->waterfalls[i].steps_count);
        }
}

static void every_event_names_its_referral_and_its_family(void **state)
{
        bench *b = *state;
        door_event event;
        hartleys(b);
        const dedup_matched *m = decide(b, received_make(b), &event);
        assert_int_equal(event.type, DEDUP_REFERRAL_MATCHED);
        assert_int_equal(event.subjects_count, 2);
        assert_int_equal(event.subjects[0].kind, DOOR_ID_REFERRAL);
        assert_true(door_id_equal(&event.subjects[0].id, &m->referral));
        assert_int_equal(event.subjects[1].kind, DOOR_ID_FAMILY);
        assert_true(door_id_equal(&event.subjects[1].id, &m->family));
}

static void a_full_arena_while_deciding_latches_and_never_crashes(void **state)
{
        bench *b = *state;
        hartleys(b);
        (void)refer(b);
        hartleys(b);
        const dedup_received *received = received_make(b);
        uint8_t *small = aligned_alloc(64, 512 * 1024);
        door_out *out = calloc(1, sizeof *out);
        bool fitted = false;
        assert_non_null(small);
        assert_non_null(out);
        for (size_t cap = 0; cap <= 512 * 1024 && !fitted; cap += cap < 65536 ? 64 : 4096) {
                door_arena arena;
                door_view view;
                door_input input = { .kind = DOOR_INPUT_EVENT, .body = received };
                door_arena_init(&arena, small, cap);
                memset(out, 0, sizeof *out);
                out->arena = &arena;
                door_view_init(&view, &b->memory.reader, &arena);
                dedup_decide(&view, NULL, &input, out);
                fitted = !arena.exhausted && view.latch == DOOR_OK;
        }
        assert_true(fitted);
        free(out);
        free(small);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(the_first_referral_is_a_new_family_of_new_persons),
                RULE(the_same_household_again_is_linked_and_may_attach),
                RULE(members_of_one_address_are_one_household),
                RULE(the_same_names_elsewhere_with_nothing_else_in_common_are_new),
                RULE(what_is_uncertain_gets_a_family_of_its_own_and_questions),
                RULE(two_families_alike_are_a_question_and_not_a_choice),
                RULE(two_mentions_of_one_referral_are_never_one_person),
                RULE(twins_are_two_persons),
                RULE(the_unborn_are_found_by_surname_and_house_and_so_is_the_baby),
                RULE(an_unheard_of_twin_alone_is_a_question_about_her_brothers_family),
                RULE(an_adult_known_in_another_family_is_told_with_the_harm_recorded_there),
                RULE(a_danger_once_recorded_stays_though_a_later_referral_is_silent),
                RULE(children_nobody_mentioned_are_listed),
                RULE(a_foster_carer_is_a_person_but_no_family),
                RULE(an_adopted_child_is_never_linked_to_anybody),
                RULE(nobody_is_ever_led_to_an_adopted_child),
                RULE(a_referral_about_nobody_is_new),
                RULE(a_candidate_bound_that_is_reached_is_said_and_forbids_attaching),
                RULE(the_same_input_on_the_same_state_is_decided_the_same),
                RULE(every_event_names_its_referral_and_its_family),
                RULE(a_full_arena_while_deciding_latches_and_never_crashes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
