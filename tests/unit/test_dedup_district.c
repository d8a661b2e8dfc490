/*
 * Goal: a referral's district comes from the exact postcode of a child, and from nothing else.
 * Method: a table of five postcodes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "deduplication/dedup_district.h"

static const char rows[] = "GL1 1AA\0"
                           "GL1 1AB\0"
                           "GL501AA\1"
                           "GL502ZZ\1"
                           "WR117XX\1";

static dedup_postcodes table_make(void)
{
        static door_bytes districts[2];

        districts[0] = door_bytes_of("E07000081");
        districts[1] = door_bytes_of("E07000078");
        return (dedup_postcodes){ 2, districts, { (const uint8_t *)rows, sizeof rows - 1 } };
}

static void assert_place(const char *postcode, dedup_place expected, const char *district)
{
        const dedup_postcodes table = table_make();
        door_bytes found = DOOR_BYTES_EMPTY;

        assert_int_equal(dedup_place_of(&table, door_bytes_of(postcode), &found), expected);
        assert_true(door_bytes_equal(found, door_bytes_of(district)));
}

static void a_postcode_of_the_county_has_its_district(void **state)
{
        (void)state;
        assert_place("GL1 1AA", DEDUP_PLACE_DISTRICT, "E07000081");
        assert_place("GL1 1AB", DEDUP_PLACE_DISTRICT, "E07000081");
        assert_place("GL50 1AA", DEDUP_PLACE_DISTRICT, "E07000078");
        assert_place("WR11 7XX", DEDUP_PLACE_DISTRICT, "E07000078");
}

static void a_postcode_that_does_not_exist_is_not_guessed(void **state)
{
        (void)state;
        assert_place("GL1 1AC", DEDUP_PLACE_UNKNOWN, "");
        assert_place("GL50 1AB", DEDUP_PLACE_UNKNOWN, "");
        assert_place("GL50", DEDUP_PLACE_UNKNOWN, "");
        assert_place("", DEDUP_PLACE_UNKNOWN, "");
}

static void another_outward_part_is_out_of_county(void **state)
{
        (void)state;
        assert_place("BS1 1AA", DEDUP_PLACE_OUT_OF_COUNTY, "");
        assert_place("WR12 7XX", DEDUP_PLACE_OUT_OF_COUNTY, "");
        assert_place("ZE1 0AA", DEDUP_PLACE_OUT_OF_COUNTY, "");
        assert_place("AB10 1AA", DEDUP_PLACE_OUT_OF_COUNTY, "");
}

static void without_a_table_nothing_is_known(void **state)
{
        const dedup_postcodes none = { 0 };
        door_bytes found = DOOR_BYTES_EMPTY;

        (void)state;
        assert_int_equal(dedup_place_of(&none, door_bytes_of("GL1 1AA"), &found), DEDUP_PLACE_UNKNOWN);
}

static void a_childs_address_goes_before_an_adults_and_an_outside_one(void **state)
{
        const dedup_postcodes table = table_make();
        dedup_mention people[3];
        const dedup_received received = { .mentions_count = 3, .mentions = people };
        door_bytes found = DOOR_BYTES_EMPTY;

        (void)state;
        memset(people, 0, sizeof people);
        people[0].features.life = DEDUP_LIFE_ADULT;
        people[0].features.postcode = door_bytes_of("GL1 1AA");
        people[1].features.life = DEDUP_LIFE_CHILD;
        people[1].features.postcode = door_bytes_of("BS1 1AA");
        people[2].features.life = DEDUP_LIFE_CHILD;
        people[2].features.postcode = door_bytes_of("GL50 1AA");
        assert_int_equal(dedup_place_of_referral(&table, &received, &found), DEDUP_PLACE_DISTRICT);
        assert_true(door_bytes_equal(found, door_bytes_of("E07000078")));
        people[2].features.life = DEDUP_LIFE_PROFESSIONAL;
        assert_int_equal(dedup_place_of_referral(&table, &received, &found), DEDUP_PLACE_DISTRICT);
        assert_true(door_bytes_equal(found, door_bytes_of("E07000081")));
        people[0].features.life = DEDUP_LIFE_PROFESSIONAL;
        assert_int_equal(dedup_place_of_referral(&table, &received, &found), DEDUP_PLACE_OUT_OF_COUNTY);
}

static void a_table_out_of_order_or_of_no_district_is_not_believed(void **state)
{
        dedup_postcodes table = table_make();
        char other[sizeof rows];

        (void)state;
        assert_true(dedup_postcodes_are_sound(&table));
        table.districts_count = 1;
        assert_false(dedup_postcodes_are_sound(&table));
        table.districts_count = 2;
        memcpy(other, rows, sizeof rows);
        memcpy(other + 8, rows, 8);
        table.rows = (door_bytes){ (const uint8_t *)other, sizeof rows - 1 };
        assert_false(dedup_postcodes_are_sound(&table));
        table.rows = (door_bytes){ (const uint8_t *)rows, sizeof rows - 2 };
        assert_false(dedup_postcodes_are_sound(&table));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_postcode_of_the_county_has_its_district),
                cmocka_unit_test(a_postcode_that_does_not_exist_is_not_guessed),
                cmocka_unit_test(another_outward_part_is_out_of_county),
                cmocka_unit_test(without_a_table_nothing_is_known),
                cmocka_unit_test(a_childs_address_goes_before_an_adults_and_an_outside_one),
                cmocka_unit_test(a_table_out_of_order_or_of_no_district_is_not_believed),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
