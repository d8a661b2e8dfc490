/*
 * Goal: days and instants are the ones of the calendar, and nothing else is taken for one.
 * Method: a second calendar that only knows how to go to the next day walks all of 1..9999 beside
 * ours; RFC 3339 by table, good and bad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/calendar.h"

static bool leap(int32_t year)
{
        return year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
}

static door_date tomorrow(door_date d)
{
        static const uint8_t last[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
        if (d.day < last[d.month] + (d.month == 2 && leap(d.year) ? 1 : 0)) {
                d.day++;
        } else if (d.month < 12) {
                d.day = 1;
                d.month++;
        } else {
                d = (door_date){ d.year + 1, 1, 1 };
        }
        return d;
}

static void every_day_of_the_years_1_to_9999_goes_to_its_number_and_back(void **state)
{
        door_date date = { 1, 1, 1 };
        int32_t days = door_date_to_days(date);
        (void)state;
        assert_int_equal(days, -719162);
        for (; date.year <= 9999; date = tomorrow(date), days++) {
                const door_date back = door_date_from_days(days);
                if (door_date_to_days(date) != days || back.year != date.year || back.month != date.month ||
                    back.day != date.day || !door_date_is_valid(date)) {
                        fail_msg("%d-%d-%d", date.year, date.month, date.day);
                }
        }
        assert_int_equal(days, 2932897);
}

static void every_day_is_read_as_it_was_printed(void **state)
{
        (void)state;
        for (int32_t days = -719162; days < 2932897; days += 13) {
                const door_date date = door_date_from_days(days);
                char text[DOOR_DATE_TEXT_BYTES];
                door_date read;
                door_date_print(date, text);
                assert_true(door_date_parse(door_bytes_of(text), &read));
                assert_int_equal(door_date_to_days(read), days);
        }
}

static void days_are_counted_from_the_first_of_january_1970(void **state)
{
        (void)state;
        assert_int_equal(door_date_to_days((door_date){ 1970, 1, 1 }), 0);
        assert_int_equal(door_date_to_days((door_date){ 1969, 12, 31 }), -1);
        assert_int_equal(door_date_to_days((door_date){ 2000, 3, 1 }), 11017);
}

static void centuries_are_leap_years_only_every_fourth_time(void **state)
{
        (void)state;
        assert_true(door_date_is_valid((door_date){ 2000, 2, 29 }));
        assert_true(door_date_is_valid((door_date){ 2024, 2, 29 }));
        assert_false(door_date_is_valid((door_date){ 1900, 2, 29 }));
        assert_false(door_date_is_valid((door_date){ 2100, 2, 29 }));
        assert_false(door_date_is_valid((door_date){ 2023, 2, 29 }));
        assert_false(door_date_is_valid((door_date){ 2000, 2, 30 }));
}

static void what_is_no_day_of_the_calendar_is_not_read(void **state)
{
        static const char *const bad[] = { "",
                                           "2019",
                                           "2019-04",
                                           "2019-4-3",
                                           "2019-04-31",
                                           "2019-13-01",
                                           "2019-00-10",
                                           "2019-01-00",
                                           "0000-01-01",
                                           "2019-04-03 ",
                                           " 2019-04-03",
                                           "2019/04/03",
                                           "2019-04-03T",
                                           "03-04-2019",
                                           "2019-04-0x",
                                           "-019-04-03",
                                           "+019-04-03",
                                           "20190403",
                                           "2019-04-031" };
        door_date date = { 7, 7, 7 };
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_false(door_date_parse(door_bytes_of(bad[i]), &date));
        }
        assert_int_equal(date.year, 7);
}

static void instants_are_read_with_offset_and_fraction(void **state)
{
        static const struct {
                const char *text;
                uint64_t ms;
        } good[] = {
                { "1970-01-01T00:00:00Z", 0 },
                { "1970-01-01T00:00:00.001Z", 1 },
                { "1970-01-01t00:00:01z", 1000 },
                { "1970-01-01 00:00:01Z", 1000 },
                { "2018-01-01T14:02:04Z", UINT64_C(1514815324000) },
                { "2018-01-01T14:02:04.5Z", UINT64_C(1514815324500) },
                { "2018-01-01T14:02:04.25Z", UINT64_C(1514815324250) },
                { "2018-01-01T14:02:04.123999999Z", UINT64_C(1514815324123) },
                { "2018-01-01T15:02:04+01:00", UINT64_C(1514815324000) },
                { "2018-01-01T00:02:04-14:00", UINT64_C(1514815324000) },
                { "2018-01-02T13:32:04+23:30", UINT64_C(1514815324000) },
                { "2018-01-01T14:02:04-00:00", UINT64_C(1514815324000) },
                { "1969-12-31T23:00:00-01:00", 0 },
                { "9999-12-31T23:59:59.999Z", UINT64_C(253402300799999) },
        };
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                uint64_t ms = 42;
                assert_true(door_instant_parse(door_bytes_of(good[i].text), &ms));
                assert_true(ms == good[i].ms);
        }
}

static void a_leap_second_is_the_last_moment_before_it(void **state)
{
        uint64_t ms = 0;
        uint64_t next = 0;
        (void)state;
        assert_true(door_instant_parse(door_bytes_of("2016-12-31T23:59:60Z"), &ms));
        assert_true(door_instant_parse(door_bytes_of("2017-01-01T00:00:00Z"), &next));
        assert_true(ms == next - 1);
        assert_true(door_instant_parse(door_bytes_of("2016-12-31T23:59:60.5Z"), &ms));
        assert_true(ms == next - 1);
        assert_false(door_instant_parse(door_bytes_of("2016-12-31T23:59:61Z"), &ms));
}

static void what_is_no_instant_is_not_read(void **state)
{
        static const char *const bad[] = {
                "",
                "2018-01-01",
                "2018-01-01T14:02Z",
                "2018-01-01T14:02:04",
                "2018-01-01T24:00:00Z",
                "2018-01-01T14:60:00Z",
                "2018-01-01T14:02:04.Z",
                "2018-01-01T14:02:04,5Z",
                "2018-01-01T14:02:04+1:00",
                "2018-01-01T14:02:04+0100",
                "2018-01-01T14:02:04+24:00",
                "2018-01-01T14:02:04+01:60",
                "2018-01-01T14:02:04Z ",
                "2018-01-01_14:02:04Z",
                "2018-02-29T14:02:04Z",
                "2018-01-01T14:02:04Zulu",
                "2018-01-01T1:02:04Z",
        };
        uint64_t ms = 42;
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_false(door_instant_parse(door_bytes_of(bad[i]), &ms));
        }
        assert_true(ms == 42);
}

static void instants_outside_1970_to_9999_are_not_read(void **state)
{
        uint64_t ms = 42;
        (void)state;
        assert_false(door_instant_parse(door_bytes_of("1969-12-31T23:59:59Z"), &ms));
        assert_false(door_instant_parse(door_bytes_of("1970-01-01T00:00:00+00:01"), &ms));
        assert_false(door_instant_parse(door_bytes_of("9999-12-31T23:59:59-00:01"), &ms));
        assert_true(ms == 42);
}

static void instants_are_printed_as_they_are_read(void **state)
{
        char text[DOOR_INSTANT_TEXT_BYTES];
        (void)state;
        door_instant_print(UINT64_C(1514815324000), text);
        assert_string_equal(text, "2018-01-01T14:02:04.000Z");
        for (uint64_t ms = 0; ms < UINT64_C(253402300800000); ms += UINT64_C(98765432109)) {
                uint64_t read = 0;
                door_instant_print(ms, text);
                assert_true(door_instant_parse(door_bytes_of(text), &read));
                assert_true(read == ms);
        }
}

static void what_comes_after_9999_prints_as_its_last_instant(void **state)
{
        char text[DOOR_INSTANT_TEXT_BYTES];
        (void)state;
        door_instant_print(UINT64_C(253402300800000), text);
        assert_string_equal(text, "9999-12-31T23:59:59.999Z");
        door_instant_print(UINT64_MAX, text);
        assert_string_equal(text, "9999-12-31T23:59:59.999Z");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_day_of_the_years_1_to_9999_goes_to_its_number_and_back),
                cmocka_unit_test(every_day_is_read_as_it_was_printed),
                cmocka_unit_test(days_are_counted_from_the_first_of_january_1970),
                cmocka_unit_test(centuries_are_leap_years_only_every_fourth_time),
                cmocka_unit_test(what_is_no_day_of_the_calendar_is_not_read),
                cmocka_unit_test(instants_are_read_with_offset_and_fraction),
                cmocka_unit_test(a_leap_second_is_the_last_moment_before_it),
                cmocka_unit_test(what_is_no_instant_is_not_read),
                cmocka_unit_test(instants_outside_1970_to_9999_are_not_read),
                cmocka_unit_test(instants_are_printed_as_they_are_read),
                cmocka_unit_test(what_comes_after_9999_prints_as_its_last_instant),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
