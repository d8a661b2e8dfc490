/*
 * Goal: London's day, its office hours and the deadlines that rest on them are the right ones
 * through both changes of the clocks, weekends and bank holidays.
 * Method: instants known from outside (gov.uk's dates of the changes and of bank holidays) by
 * table; a second reckoning that walks minute by minute and knows no arithmetic beside ours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "door/calendar.h"
#include "door/working_time.h"

static const uint64_t minute_ms = 60000;

static uint64_t at(const char *text)
{
        uint64_t ms = 0;
        assert_true(door_instant_parse(door_bytes_of(text), &ms));
        return ms;
}

static int32_t day(const char *text)
{
        door_date date;
        assert_true(door_date_parse(door_bytes_of(text), &date));
        return door_date_to_days(date);
}

/* 25, 26 and 28 (for the 26th, a Saturday) December 2026, 1 January, Good Friday, Easter Monday 2027. */
static int32_t holidays[6];
static door_working county = { 540, 1020, holidays, 6 };

static int set_up(void **state)
{
        static const char *const names[] = { "2026-12-25", "2026-12-26", "2026-12-28",
                                             "2027-01-01", "2027-03-26", "2027-03-29" };
        (void)state;
        for (size_t i = 0; i < 6; i++) {
                holidays[i] = day(names[i]);
        }
        return 0;
}

static void clocks_change_on_the_last_sundays_at_one_in_the_morning_utc(void **state)
{
        static const struct {
                const char *before; /* The last minute of the old time; the new begins a minute later. */
                uint32_t minute;
                uint32_t minute_after;
        } changes[] = {
                { "2024-03-31T00:59:00Z", 59, 120 }, { "2024-10-27T00:59:00Z", 119, 60 },
                { "2025-03-30T00:59:00Z", 59, 120 }, { "2025-10-26T00:59:00Z", 119, 60 },
                { "2026-03-29T00:59:00Z", 59, 120 }, { "2026-10-25T00:59:00Z", 119, 60 },
                { "2027-03-28T00:59:00Z", 59, 120 }, { "2027-10-31T00:59:00Z", 119, 60 },
                { "2030-03-31T00:59:00Z", 59, 120 }, { "2030-10-27T00:59:00Z", 119, 60 },
        };
        (void)state;
        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
                assert_int_equal(door_london_minute(at(changes[i].before)), changes[i].minute);
                assert_int_equal(door_london_minute(at(changes[i].before) + minute_ms),
                                 changes[i].minute_after);
        }
}

static void a_summer_midnight_in_london_is_the_day_before_in_utc(void **state)
{
        (void)state;
        assert_int_equal(door_london_day(at("2026-07-01T22:59:59Z")), day("2026-07-01"));
        assert_int_equal(door_london_day(at("2026-07-01T23:00:00Z")), day("2026-07-02"));
        assert_int_equal(door_london_minute(at("2026-07-01T23:00:00Z")), 0);
        assert_int_equal(door_london_day(at("2026-12-01T23:59:59Z")), day("2026-12-01"));
}

static void every_hour_of_two_years_goes_to_londons_clock_and_back(void **state)
{
        (void)state;
        for (uint64_t t = at("2026-01-01T00:30:00Z"); t < at("2028-01-01T00:00:00Z"); t += 60 * minute_ms) {
                const uint64_t back = door_london_instant(door_london_day(t), door_london_minute(t));
                /* The hour that comes twice reads as its first time. */
                const bool twice = t == at("2026-10-25T01:30:00Z") || t == at("2027-10-31T01:30:00Z");
                assert_int_equal(back, twice ? t - 60 * minute_ms : t);
        }
}

static void the_hour_that_spring_skips_reads_as_the_one_after(void **state)
{
        (void)state;
        assert_int_equal(door_london_instant(day("2026-03-29"), 90), at("2026-03-29T01:30:00Z"));
        assert_int_equal(door_london_minute(door_london_instant(day("2026-03-29"), 90)), 150);
}

static void instants_outside_the_calendar_are_taken_for_its_ends(void **state)
{
        (void)state;
        assert_int_equal(door_london_instant(-1, 0), 0);
        assert_int_equal(door_london_instant(0, 30), 30 * minute_ms);
        assert_int_equal(door_london_day(UINT64_MAX), day("9999-12-31"));
}

static void the_office_is_open_from_nine_up_to_and_without_five_on_working_days(void **state)
{
        static const struct {
                const char *when;
                bool open;
        } cases[] = {
                { "2026-11-26T08:59:59Z", false }, { "2026-11-26T09:00:00Z", true }, /* Thursday */
                { "2026-11-26T16:59:59Z", true },  { "2026-11-26T17:00:00Z", false },
                { "2026-07-02T07:59:59Z", false }, { "2026-07-02T08:00:00Z", true }, /* summer time */
                { "2026-07-02T15:59:59Z", true },  { "2026-07-02T16:00:00Z", false },
                { "2026-11-28T12:00:00Z", false }, { "2026-11-29T12:00:00Z", false }, /* the weekend */
                { "2026-11-30T12:00:00Z", true },  { "2026-12-25T12:00:00Z", false },
                { "2026-12-28T12:00:00Z", false }, { "2026-12-29T12:00:00Z", true },
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(door_working_time(&county, at(cases[i].when)), cases[i].open);
        }
}

static void working_minutes_are_the_ones_a_walk_by_the_minute_counts(void **state)
{
        static const char *const starts[] = { "2026-03-27T15:10:00Z", "2026-10-23T14:50:00Z",
                                              "2026-11-27T16:59:00Z", "2026-11-28T03:00:00Z",
                                              "2026-12-24T16:00:00Z", "2026-12-31T09:00:00Z",
                                              "2027-03-25T12:34:00Z" };
        static const uint32_t minutes[] = { 1, 59, 60, 240, 480, 481, 960, 2000 };
        (void)state;
        for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
                for (size_t m = 0; m < sizeof minutes / sizeof minutes[0]; m++) {
                        uint64_t t = at(starts[i]);
                        uint32_t left = minutes[m];
                        while (left > 0) {
                                left -= door_working_time(&county, t) ? 1 : 0;
                                t += minute_ms;
                        }
                        assert_int_equal(door_working_add(&county, at(starts[i]), minutes[m]), t);
                }
        }
}

static void no_minutes_end_at_the_first_working_instant(void **state)
{
        (void)state;
        assert_int_equal(door_working_add(&county, at("2026-11-28T03:00:00Z"), 0),
                         at("2026-11-30T09:00:00Z"));
        assert_int_equal(door_working_add(&county, at("2026-11-26T10:00:07Z"), 0),
                         at("2026-11-26T10:00:07Z"));
        assert_int_equal(door_working_add(&county, at("2026-11-26T10:00:07Z"), 5),
                         at("2026-11-26T10:05:07Z"));
}

static void hours_that_never_open_fall_back_on_the_wall_clock(void **state)
{
        const door_working shut = { 600, 600, NULL, 0 };
        (void)state;
        assert_int_equal(door_working_add(&shut, at("2026-11-28T03:00:00Z"), 30), at("2026-11-28T03:30:00Z"));
        assert_false(door_working_time(&shut, at("2026-11-26T10:00:00Z")));
}

static void a_year_of_minutes_beyond_the_look_ahead_falls_back_too(void **state)
{
        (void)state;
        const uint64_t from = at("2026-11-26T09:00:00Z");
        assert_int_equal(door_working_add(&county, from, 4000000), from + 4000000 * minute_ms);
}

static void the_statutory_clock_ends_at_five_on_the_first_working_day_after_receipt(void **state)
{
        static const struct {
                const char *received;
                const char *due;
        } cases[] = {
                { "2026-11-26T00:05:00Z", "2026-11-27T17:00:00Z" },
                { "2026-11-26T23:55:00Z", "2026-11-27T17:00:00Z" },
                { "2026-11-27T16:00:00Z", "2026-11-30T17:00:00Z" }, /* Friday: Monday */
                { "2026-11-28T10:00:00Z", "2026-11-30T17:00:00Z" },
                { "2026-12-24T10:00:00Z", "2026-12-29T17:00:00Z" }, /* over Christmas */
                { "2026-07-01T22:59:00Z", "2026-07-02T16:00:00Z" }, /* summer: five is 16:00 UTC */
                { "2026-07-01T23:01:00Z", "2026-07-03T16:00:00Z" }, /* past midnight in London */
                { "2027-03-25T10:00:00Z", "2027-03-30T16:00:00Z" }, /* over Easter and the change */
        };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                assert_int_equal(door_statutory_due(&county, at(cases[i].received)), at(cases[i].due));
        }
}

static void a_county_that_never_works_still_has_a_statutory_clock(void **state)
{
        static int32_t always[DOOR_WORKING_DAYS_MAX + 1];
        const int32_t first = day("2026-11-26");
        (void)state;
        for (int32_t i = 0; i <= DOOR_WORKING_DAYS_MAX; i++) {
                always[i] = first + i;
        }
        const door_working never = { 540, 1020, always, DOOR_WORKING_DAYS_MAX + 1 };
        assert_int_equal(door_statutory_due(&never, at("2026-11-26T10:00:00Z")), at("2026-11-27T17:00:00Z"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(clocks_change_on_the_last_sundays_at_one_in_the_morning_utc),
                cmocka_unit_test(a_summer_midnight_in_london_is_the_day_before_in_utc),
                cmocka_unit_test(every_hour_of_two_years_goes_to_londons_clock_and_back),
                cmocka_unit_test(the_hour_that_spring_skips_reads_as_the_one_after),
                cmocka_unit_test(instants_outside_the_calendar_are_taken_for_its_ends),
                cmocka_unit_test(the_office_is_open_from_nine_up_to_and_without_five_on_working_days),
                cmocka_unit_test(working_minutes_are_the_ones_a_walk_by_the_minute_counts),
                cmocka_unit_test(no_minutes_end_at_the_first_working_instant),
                cmocka_unit_test(hours_that_never_open_fall_back_on_the_wall_clock),
                cmocka_unit_test(a_year_of_minutes_beyond_the_look_ahead_falls_back_too),
                cmocka_unit_test(the_statutory_clock_ends_at_five_on_the_first_working_day_after_receipt),
                cmocka_unit_test(a_county_that_never_works_still_has_a_statutory_clock),
        };
        return cmocka_run_group_tests(tests, set_up, NULL);
}
