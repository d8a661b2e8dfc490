/*
 * Goal: every comparison level speaks in its direction, nothing missing speaks at all, and names
 * are measured as published.
 * Method: one person, compared with herself changed in one thing; published examples of
 * Jaro-Winkler (Winkler 1990) and Soundex (US National Archives).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deduplication/dedup_match.h"

enum { ROLE_CHILD = 1, FEMALE = 1, MALE = 2 };

static int32_t day(int32_t year, uint8_t month, uint8_t day_of_month)
{
        return door_date_to_days((door_date){ year, month, day_of_month });
}

/* Nothing known but that there was a mention. */
static dedup_features nobody(void)
{
        return (dedup_features){ .edd_days = DEDUP_NO_DAY,
                                 .age_years = DEDUP_NO_AGE,
                                 .said_days = day(2024, 6, 1) };
}

static dedup_features amy(void)
{
        dedup_features f = nobody();
        f.role = ROLE_CHILD;
        f.life = DEDUP_LIFE_CHILD;
        f.sex = FEMALE;
        f.dob_kind = DEDUP_DOB_DAY;
        f.dob_days = day(2015, 3, 9);
        f.given = door_bytes_of("amy");
        f.surname = door_bytes_of("hartley");
        f.postcode = door_bytes_of("GL50 1AA");
        f.house = door_bytes_of("12 regent st");
        f.nhs = door_bytes_of("9990000018");
        f.upn = door_bytes_of("A950000178301");
        return f;
}

/* The step of one column, or NULL. */
static const dedup_step *step_of(const dedup_comparison *c, dedup_column column)
{
        for (size_t i = 0; i < c->steps_count; i++) {
                if (c->steps[i].column == column) {
                        return &c->steps[i];
                }
        }
        return NULL;
}

/* The level at which a column stands; -1 when it does not speak. */
static int level(const dedup_features *a, const dedup_features *b, dedup_column column, int32_t *ret_weight)
{
        dedup_comparison c;
        dedup_compare(a, b, &c);
        const dedup_step *step = step_of(&c, column);
        *ret_weight = step == NULL ? 0 : step->weight;
        return step == NULL ? -1 : step->level;
}

static void assert_level(const dedup_features *a, const dedup_features *b, dedup_column column, int wanted,
                         int sign)
{
        int32_t weight = 0;
        assert_int_equal(level(a, b, column, &weight), wanted);
        assert_int_equal((weight > 0) - (weight < 0), sign);
        assert_int_equal(level(b, a, column, &weight), wanted);
        assert_int_equal((weight > 0) - (weight < 0), sign);
}

static void two_mentions_without_anything_weigh_nothing(void **state)
{
        const dedup_features a = nobody();
        dedup_comparison c;
        (void)state;
        dedup_compare(&a, &a, &c);
        assert_int_equal(c.steps_count, 0);
        assert_int_equal(c.total, 0);
        assert_int_equal(c.strong, 0);
}

static void whatever_is_missing_on_one_side_weighs_nothing(void **state)
{
        const dedup_features whole = amy();
        dedup_features none = nobody();
        dedup_comparison c;
        (void)state;
        dedup_compare(&whole, &none, &c);
        assert_int_equal(c.total, 0);
        assert_int_equal(c.steps_count, 0);
        dedup_compare(&none, &whole, &c);
        assert_int_equal(c.total, 0);
        none.said_days = 0;
        dedup_compare(&none, &whole, &c);
        assert_int_equal(c.total, 0);
}

static void the_total_is_the_sum_of_the_steps_and_of_its_three_parts(void **state)
{
        const dedup_features a = amy();
        dedup_features b = amy();
        dedup_comparison c;
        int32_t sum = 0;
        (void)state;
        b.surname = door_bytes_of("hartly");
        b.postcode = door_bytes_of("GL7 2BB");
        dedup_compare(&a, &b, &c);
        for (size_t i = 0; i < c.steps_count; i++) {
                sum += c.steps[i].weight;
        }
        assert_int_equal(c.total, sum);
        assert_int_equal(c.total, c.person + c.surname + c.address);
}

static void oneself_is_agreed_on_strongly_in_every_column(void **state)
{
        const dedup_features a = amy();
        dedup_comparison c;
        (void)state;
        dedup_compare(&a, &a, &c);
        for (size_t i = 0; i < c.steps_count; i++) {
                assert_int_equal(c.steps[i].level, 0);
                assert_true(c.steps[i].weight > 0);
        }
        assert_int_equal(c.steps_count, 7);
        assert_int_equal(c.strong, 5);
        assert_int_equal(c.strong_not_address, 4);
        assert_false(c.twin || c.default_date || c.identifier_conflict);
}

static void forenames_fall_from_equal_to_another_name(void **state)
{
        static const struct {
                const char *left;
                const char *right;
                int level;
                int sign;
        } names[] = {
                { "catherine", "catherine", 0, 1 },
                { "mary ann", "mary", 0, 1 },
                { "catherine", "catherina", 2, 1 },
                { "dwayne", "duane", 6, 0 },
                { "jonathan", "j", 4, 1 },
                { "michelle", "michael", 2, 1 },
                { "amy", "zoe", 7, -1 },
                { "ben", "tom", 7, -1 },
        };
        (void)state;
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
                dedup_features a = nobody();
                dedup_features b = nobody();
                int32_t weight = 0;
                a.given = door_bytes_of(names[i].left);
                b.given = door_bytes_of(names[i].right);
                const int got = level(&a, &b, DEDUP_COLUMN_GIVEN, &weight);
                if (got != names[i].level) {
                        print_message("%s %s: similarity %u, level %d\n", names[i].left, names[i].right,
                                      dedup_similarity(a.given, b.given), got);
                }
                assert_level(&a, &b, DEDUP_COLUMN_GIVEN, names[i].level, names[i].sign);
        }
}

static void a_name_one_is_known_as_agrees_on_either_side(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        (void)state;
        a.given = door_bytes_of("margaret");
        b.given = door_bytes_of("peggy");
        assert_level(&a, &b, DEDUP_COLUMN_GIVEN, 7, -1);
        a.known_as = door_bytes_of("peggy");
        assert_level(&a, &b, DEDUP_COLUMN_GIVEN, 1, 1);
}

static void surnames_fall_from_equal_over_former_and_shared_word_to_another(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        (void)state;
        a.surname = b.surname = door_bytes_of("hartley");
        assert_level(&a, &b, DEDUP_COLUMN_SURNAME, 0, 1);
        b.surname = door_bytes_of("zbigniew");
        assert_level(&a, &b, DEDUP_COLUMN_SURNAME, 5, -1);
        b.former = door_bytes_of("hartley");
        assert_level(&a, &b, DEDUP_COLUMN_SURNAME, 1, 1);
        b.former = DOOR_BYTES_EMPTY;
        b.surname = door_bytes_of("stone hartley");
        assert_level(&a, &b, DEDUP_COLUMN_SURNAME, 2, 1);
        b.surname = door_bytes_of("hartlei");
        assert_level(&a, &b, DEDUP_COLUMN_SURNAME, 3, 1);
}

static void swapped_names_are_one_step_and_strong(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        dedup_comparison c;
        (void)state;
        a.given = b.surname = door_bytes_of("ali");
        a.surname = b.given = door_bytes_of("hassan");
        dedup_compare(&a, &b, &c);
        assert_int_equal(c.steps_count, 1);
        assert_int_equal(c.steps[0].column, DEDUP_COLUMN_SWAPPED);
        assert_true(c.steps[0].weight > 0);
        assert_int_equal(c.strong, 1);
}

static void dates_fall_from_equal_to_another_year(void **state)
{
        const struct {
                int32_t days;
                int level;
                int sign;
        } dates[] = {
                { day(2015, 3, 9), 0, 1 },   /* the day */
                { day(2015, 9, 3), 2, 1 },   /* day and month exchanged */
                { day(2015, 3, 8), 3, 1 },   /* one digit */
                { day(2003, 3, 9), 4, 1 },   /* year wrong in two digits */
                { day(2015, 3, 21), 5, 1 },  /* same month */
                { day(2015, 7, 21), 7, -1 }, /* same year */
                { day(2011, 7, 21), 8, -1 }, /* nothing */
        };
        (void)state;
        for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
                dedup_features a = nobody();
                dedup_features b = nobody();
                a.dob_kind = b.dob_kind = DEDUP_DOB_DAY;
                a.dob_days = day(2015, 3, 9);
                b.dob_days = dates[i].days;
                assert_level(&a, &b, DEDUP_COLUMN_DOB, dates[i].level, dates[i].sign);
        }
}

static void better_date_levels_never_weigh_less(void **state)
{
        const int32_t dates[] = { day(2015, 3, 9),  day(2015, 9, 3),  day(2015, 3, 8), day(2003, 3, 9),
                                  day(2015, 3, 21), day(2015, 7, 21), day(2011, 7, 21) };
        int32_t before = INT32_MAX;
        (void)state;
        for (size_t i = 0; i < sizeof dates / sizeof dates[0]; i++) {
                dedup_features a = nobody();
                dedup_features b = nobody();
                int32_t weight = 0;
                a.dob_kind = b.dob_kind = DEDUP_DOB_DAY;
                a.dob_days = dates[0];
                b.dob_days = dates[i];
                (void)level(&a, &b, DEDUP_COLUMN_DOB, &weight);
                assert_true(weight < before);
                before = weight;
        }
}

static void a_shared_first_of_january_is_weak_and_said(void **state)
{
        dedup_features a = amy();
        dedup_features b = amy();
        dedup_comparison filler;
        dedup_comparison real;
        (void)state;
        dedup_compare(&a, &b, &real);
        a.dob_kind = b.dob_kind = DEDUP_DOB_DEFAULT;
        a.dob_days = b.dob_days = day(2015, 1, 1);
        dedup_compare(&a, &b, &filler);
        assert_true(filler.default_date);
        assert_true(filler.total < real.total);
        assert_int_equal(filler.strong, real.strong - 1);
        b.dob_kind = DEDUP_DOB_DAY;
        b.dob_days = day(2014, 11, 20);
        dedup_compare(&a, &b, &filler);
        assert_true(filler.default_date);
        assert_true(step_of(&filler, DEDUP_COLUMN_DOB)->weight > 0);
}

static void an_age_said_years_ago_grows_with_time(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        (void)state;
        a.age_years = 5;
        a.said_days = day(2019, 6, 1);
        b.age_years = 10;
        b.said_days = day(2024, 6, 1);
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 9, 1);
        b.age_years = 12;
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 10, 0);
        b.age_years = 30;
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 11, -1);
        b.age_years = DEDUP_NO_AGE;
        b.dob_kind = DEDUP_DOB_DAY;
        b.dob_days = day(2014, 2, 1);
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 9, 1);
}

static void an_expected_child_agrees_with_the_child_born_then(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        (void)state;
        a.life = DEDUP_LIFE_UNBORN;
        a.edd_days = day(2024, 3, 1);
        b.life = DEDUP_LIFE_CHILD;
        b.dob_kind = DEDUP_DOB_DAY;
        b.dob_days = day(2024, 2, 20);
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 12, 1);
        b.dob_days = day(2024, 1, 10);
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 13, 1);
        b.dob_days = day(2023, 11, 1); /* Too early for one, too late for another: says nothing. */
        assert_level(&a, &b, DEDUP_COLUMN_DOB, -1, 0);
        b.dob_days = day(2022, 3, 1);
        assert_level(&a, &b, DEDUP_COLUMN_DOB, 14, -1);
}

static void addresses_fall_from_the_house_to_elsewhere(void **state)
{
        static const struct {
                const char *postcode;
                const char *house;
                int level;
                int sign;
        } places[] = {
                { "GL50 1AA", "12 regent st", 0, 1 }, { "GL50 1AA", "", 2, 1 },
                { "GL50 1AB", "12 regent st", 3, 1 }, { "", "12 regent st", 1, 1 },
                { "GL7 4ZZ", "12 regent st", 4, 1 },  { "GL7 4ZZ", "5 high rd", 5, -1 },
                { "", "5 high rd", -1, 0 },
        };
        (void)state;
        for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
                dedup_features a = nobody();
                dedup_features b = nobody();
                a.postcode = door_bytes_of("GL50 1AA");
                a.house = door_bytes_of("12 regent st");
                b.postcode = door_bytes_of(places[i].postcode);
                b.house = door_bytes_of(places[i].house);
                assert_level(&a, &b, DEDUP_COLUMN_ADDRESS, places[i].level, places[i].sign);
        }
}

static void an_address_speaks_for_the_household_and_not_for_the_person(void **state)
{
        dedup_features a = nobody();
        dedup_comparison c;
        (void)state;
        a.postcode = door_bytes_of("GL50 1AA");
        a.house = door_bytes_of("12 regent st");
        a.surname = door_bytes_of("hartley");
        dedup_compare(&a, &a, &c);
        assert_int_equal(c.person, 0);
        assert_true(c.address > 0 && c.surname > 0);
}

static void identifiers_agree_slip_or_conflict(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        dedup_comparison c;
        (void)state;
        a.nhs = b.nhs = door_bytes_of("9990000018");
        assert_level(&a, &b, DEDUP_COLUMN_NHS, 0, 1);
        b.nhs = door_bytes_of("9990000019");
        assert_level(&a, &b, DEDUP_COLUMN_NHS, 2, 1);
        b.nhs = door_bytes_of("4010232137");
        assert_level(&a, &b, DEDUP_COLUMN_NHS, 3, -1);
        dedup_compare(&a, &b, &c);
        assert_true(c.identifier_conflict);
        a = b = nobody();
        a.upn = b.upn = door_bytes_of("A950000178301");
        assert_level(&a, &b, DEDUP_COLUMN_UPN, 0, 1);
        b.upn = door_bytes_of("H243278544154");
        assert_level(&a, &b, DEDUP_COLUMN_UPN, 3, -1);
}

static void a_doubtful_identifier_agrees_by_half_and_never_contradicts(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        dedup_comparison c;
        int32_t sure = 0;
        int32_t doubtful = 0;
        (void)state;
        a.nhs = b.nhs = door_bytes_of("9990000018");
        (void)level(&a, &b, DEDUP_COLUMN_NHS, &sure);
        b.nhs_doubtful = true;
        assert_int_equal(level(&a, &b, DEDUP_COLUMN_NHS, &doubtful), 1);
        assert_int_equal(doubtful, sure / 2);
        dedup_compare(&a, &b, &c);
        assert_int_equal(c.strong, 0);
        b.nhs = door_bytes_of("4010232137");
        dedup_compare(&a, &b, &c);
        assert_int_equal(c.total, 0);
        assert_false(c.identifier_conflict);
}

static void twins_are_kept_apart(void **state)
{
        dedup_features a = amy();
        dedup_features b = amy();
        dedup_comparison c;
        (void)state;
        b.given = door_bytes_of("zoe");
        b.nhs = b.upn = a.nhs = a.upn = DOOR_BYTES_EMPTY;
        dedup_compare(&a, &b, &c);
        assert_true(c.twin);
        assert_true(c.person < 0);
        assert_true(step_of(&c, DEDUP_COLUMN_TWIN)->weight < 0);
        b.given = door_bytes_of("amie");
        dedup_compare(&a, &a, &c);
        assert_false(c.twin);
}

static void grown_ups_of_one_birthday_are_no_twins(void **state)
{
        dedup_features a = amy();
        dedup_features b = amy();
        dedup_comparison c;
        (void)state;
        a.life = b.life = DEDUP_LIFE_ADULT;
        b.given = door_bytes_of("zoe");
        dedup_compare(&a, &b, &c);
        assert_false(c.twin);
}

static void father_and_son_of_one_name_are_kept_apart_by_role(void **state)
{
        dedup_features son = nobody();
        dedup_features father = nobody();
        dedup_comparison c;
        (void)state;
        son.given = father.given = door_bytes_of("john");
        son.surname = father.surname = door_bytes_of("smith");
        son.life = DEDUP_LIFE_CHILD;
        father.life = DEDUP_LIFE_ADULT;
        dedup_compare(&son, &father, &c);
        assert_true(c.person < 0);
        assert_level(&son, &father, DEDUP_COLUMN_ROLE, 1, -1);
        father.life = DEDUP_LIFE_UNKNOWN;
        assert_level(&son, &father, DEDUP_COLUMN_ROLE, -1, 0);
}

static void another_sex_speaks_against(void **state)
{
        dedup_features a = nobody();
        dedup_features b = nobody();
        (void)state;
        a.sex = FEMALE;
        b.sex = MALE;
        assert_level(&a, &b, DEDUP_COLUMN_SEX, 1, -1);
        b.sex = FEMALE;
        assert_level(&a, &b, DEDUP_COLUMN_SEX, 0, 1);
}

static void names_are_measured_as_winkler_published(void **state)
{
        static const struct {
                const char *a;
                const char *b;
                uint32_t thousandths;
        } published[] = {
                { "martha", "marhta", 961 },
                { "dixon", "dicksonx", 813 },
                { "dwayne", "duane", 840 },
                { "jones", "johnson", 832 },
                { "abroms", "abrams", 922 },
                { "itman", "smith", 467 },
                { "jeraldine", "geraldine", 926 },
                { "michelle", "michael", 921 },
                { "julies", "julius", 933 },
                { "same", "same", 1000 },
                { "abc", "xyz", 0 },
                { "", "abc", 0 },
        };
        (void)state;
        for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
                const door_bytes a = door_bytes_of(published[i].a);
                const door_bytes b = door_bytes_of(published[i].b);
                const uint32_t got = dedup_similarity(a, b);
                /* Integers cut twice: at most two thousandths below, never above. */
                if (got > published[i].thousandths || got + 2 < published[i].thousandths) {
                        fail_msg("%s %s: %u, not %u", published[i].a, published[i].b, got,
                                 published[i].thousandths);
                }
                assert_int_equal(got, dedup_similarity(b, a));
        }
}

static void names_sound_as_the_national_archives_published(void **state)
{
        static const char *const published[][2] = {
                { "robert", "r163" },
                { "rupert", "r163" },
                { "ashcraft", "a261" },
                { "ashcroft", "a261" },
                { "rubin", "r150" },
                { "tymczak", "t522" },
                { "pfister", "p236" },
                { "honeyman", "h555" },
                { "washington", "w252" },
                { "gutierrez", "g362" },
                { "jackson", "j250" },
                { "lee", "l000" },
                { "stone hartley", "h634" },
                { "", "" },
                { "42", "" },
        };
        (void)state;
        for (size_t i = 0; i < sizeof published / sizeof published[0]; i++) {
                char out[5];
                dedup_soundex(door_bytes_of(published[i][0]), out);
                assert_string_equal(out, published[i][1]);
        }
}

static void nothing_known_makes_no_key(void **state)
{
        const dedup_features f = nobody();
        dedup_key keys[DEDUP_KEYS_MAX];
        (void)state;
        assert_int_equal(dedup_keys(&f, false, keys), 0);
        assert_int_equal(dedup_keys(&f, true, keys), 0);
}

/* Whether a key of this type is made. */
static bool has_type(const dedup_features *f, uint8_t type)
{
        dedup_key keys[DEDUP_KEYS_MAX];
        const size_t count = dedup_keys(f, true, keys);
        for (size_t i = 0; i < count; i++) {
                if (keys[i].bytes[0] == type) {
                        return true;
                }
        }
        return false;
}

static void keys_of_missing_things_are_not_made(void **state)
{
        dedup_features f = amy();
        (void)state;
        for (uint8_t type = 1; type <= 6; type++) {
                assert_true(has_type(&f, type));
        }
        f.nhs = DOOR_BYTES_EMPTY;
        assert_false(has_type(&f, 1));
        f.upn = DOOR_BYTES_EMPTY;
        assert_false(has_type(&f, 2));
        f.postcode = door_bytes_of("GL50"); /* The outward part alone is half a town. */
        assert_false(has_type(&f, 5));
        f.surname = DOOR_BYTES_EMPTY;
        assert_false(has_type(&f, 3));
        assert_false(has_type(&f, 6));
        assert_true(has_type(&f, 4));
        f.dob_kind = DEDUP_DOB_YEAR;
        assert_false(has_type(&f, 4));
}

static bool finds(const dedup_features *searching, const dedup_features *stored)
{
        dedup_key theirs[DEDUP_KEYS_MAX];
        dedup_key ours[DEDUP_KEYS_MAX];
        const size_t their_count = dedup_keys(stored, false, theirs);
        const size_t our_count = dedup_keys(searching, true, ours);
        for (size_t i = 0; i < our_count; i++) {
                for (size_t k = 0; k < their_count; k++) {
                        if (memcmp(&ours[i], &theirs[k], sizeof ours[i]) == 0) {
                                return true;
                        }
                }
        }
        return false;
}

static void plausible_errors_find_the_person_all_the_same(void **state)
{
        dedup_features stored = amy();
        (void)state;
        stored.nhs = stored.upn = stored.postcode = DOOR_BYTES_EMPTY;
        dedup_features search = stored;
        search.surname = door_bytes_of("hartly"); /* sounds alike */
        assert_true(finds(&search, &stored));
        search = stored;
        search.dob_days = day(2015, 9, 3); /* day and month exchanged */
        search.surname = door_bytes_of("zed");
        assert_true(finds(&search, &stored));
        search = stored;
        search.dob_kind = DEDUP_DOB_NONE; /* names exchanged */
        search.given = stored.surname;
        search.surname = stored.given;
        assert_true(finds(&search, &stored));
        search = stored;
        search.dob_kind = DEDUP_DOB_NONE; /* known as */
        search.given = door_bytes_of("poppet");
        search.known_as = stored.given;
        assert_true(finds(&search, &stored));
        search.known_as = DOOR_BYTES_EMPTY;
        assert_false(finds(&search, &stored));
}

static void features_come_back_as_they_were_packed(void **state)
{
        dedup_features f = amy();
        uint8_t storage[DEDUP_FEATURES_BYTES_MAX];
        uint8_t again[DEDUP_FEATURES_BYTES_MAX];
        dedup_features back;
        (void)state;
        f.middle = door_bytes_of("rose");
        f.known_as = door_bytes_of("ames");
        f.former = door_bytes_of("stone");
        f.upn_doubtful = true;
        f.dob_days = day(1969, 1, 2);
        door_writer w = door_writer_on(storage, sizeof storage);
        assert_true(dedup_features_pack(&f, &w));
        assert_true(dedup_features_unpack(door_written(&w), &back));
        assert_int_equal(back.dob_days, f.dob_days);
        assert_int_equal(back.edd_days, DEDUP_NO_DAY);
        assert_true(back.upn_doubtful && !back.nhs_doubtful);
        assert_true(door_bytes_equal(back.former, f.former));
        door_writer w2 = door_writer_on(again, sizeof again);
        assert_true(dedup_features_pack(&back, &w2));
        assert_true(door_bytes_equal(door_written(&w), door_written(&w2)));
        for (size_t len = 0; len < w.len; len++) {
                assert_false(dedup_features_unpack((door_bytes){ storage, len }, &back));
        }
        storage[0]++;
        assert_false(dedup_features_unpack((door_bytes){ storage, w.len }, &back));
        door_writer small = door_writer_on(again, w.len - 1);
        assert_false(dedup_features_pack(&f, &small));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(two_mentions_without_anything_weigh_nothing),
                cmocka_unit_test(whatever_is_missing_on_one_side_weighs_nothing),
                cmocka_unit_test(the_total_is_the_sum_of_the_steps_and_of_its_three_parts),
                cmocka_unit_test(oneself_is_agreed_on_strongly_in_every_column),
                cmocka_unit_test(forenames_fall_from_equal_to_another_name),
                cmocka_unit_test(a_name_one_is_known_as_agrees_on_either_side),
                cmocka_unit_test(surnames_fall_from_equal_over_former_and_shared_word_to_another),
                cmocka_unit_test(swapped_names_are_one_step_and_strong),
                cmocka_unit_test(dates_fall_from_equal_to_another_year),
                cmocka_unit_test(better_date_levels_never_weigh_less),
                cmocka_unit_test(a_shared_first_of_january_is_weak_and_said),
                cmocka_unit_test(an_age_said_years_ago_grows_with_time),
                cmocka_unit_test(an_expected_child_agrees_with_the_child_born_then),
                cmocka_unit_test(addresses_fall_from_the_house_to_elsewhere),
                cmocka_unit_test(an_address_speaks_for_the_household_and_not_for_the_person),
                cmocka_unit_test(identifiers_agree_slip_or_conflict),
                cmocka_unit_test(a_doubtful_identifier_agrees_by_half_and_never_contradicts),
                cmocka_unit_test(twins_are_kept_apart),
                cmocka_unit_test(grown_ups_of_one_birthday_are_no_twins),
                cmocka_unit_test(father_and_son_of_one_name_are_kept_apart_by_role),
                cmocka_unit_test(another_sex_speaks_against),
                cmocka_unit_test(names_are_measured_as_winkler_published),
                cmocka_unit_test(names_sound_as_the_national_archives_published),
                cmocka_unit_test(nothing_known_makes_no_key),
                cmocka_unit_test(keys_of_missing_things_are_not_made),
                cmocka_unit_test(plausible_errors_find_the_person_all_the_same),
                cmocka_unit_test(features_come_back_as_they_were_packed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
