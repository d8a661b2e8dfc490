/* Goal: dates are read as England writes them, and what is not one is not guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "door/calendar.h"
#include "intake/intake_text.h"

static void assert_day(const char *text, intake_precision precision, int32_t year, uint8_t month, uint8_t day)
{
        intake_precision got = INTAKE_DAY_UNREAD;
        int32_t days = 0;

        if (!intake_day_read(door_bytes_of(text), &got, &days)) {
                fail_msg("not read: %s", text);
        }
        assert_int_equal(got, precision);
        assert_int_equal(days, door_date_to_days((door_date){ year, month, day }));
}

static void assert_no_day(const char *text)
{
        intake_precision precision;
        int32_t days;

        if (intake_day_read(door_bytes_of(text), &precision, &days)) {
                fail_msg("read: %s", text);
        }
}

static void every_way_of_writing_a_day_is_read(void **state)
{
        static const char *const same[] = { "2015-03-08",       "2015/03/08",     "2015.3.8",
                                            "20150308",         "08/03/2015",     "8/3/2015",
                                            "8.3.2015",         "08-03-2015",     "8 March 2015",
                                            "8 Mar 2015",       "8th March 2015", "March 8 2015",
                                            "March 8, 2015",    "08-MAR-2015",    " 8/3/2015 ",
                                            "8/3/15",           "8 mar 15",       "2015-03-08T10:30:00Z",
                                            "2015-03-08 10:30", "8Mar2015" };
        (void)state;
        for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
                assert_day(same[i], INTAKE_DAY_EXACT, 2015, 3, 8);
        }
        assert_day("1st Sept 2012", INTAKE_DAY_EXACT, 2012, 9, 1);
        assert_day("2nd June 2012", INTAKE_DAY_EXACT, 2012, 6, 2);
        assert_day("3rd December 2012", INTAKE_DAY_EXACT, 2012, 12, 3);
        assert_day("29/02/2016", INTAKE_DAY_EXACT, 2016, 2, 29);
}

static void each_month_has_its_name(void **state)
{
        static const char *const names[] = { "jan", "feb", "mar", "apr", "may", "jun",
                                             "jul", "aug", "sep", "oct", "nov", "dec" };
        (void)state;
        for (uint8_t month = 1; month <= 12; month++) {
                char text[] = "5 xxx 2001";
                memcpy(text + 2, names[month - 1], 3);
                assert_day(text, INTAKE_DAY_EXACT, 2001, month, 5);
        }
}

static void month_and_year_alone_are_less_exact(void **state)
{
        (void)state;
        assert_day("03/2015", INTAKE_DAY_MONTH, 2015, 3, 1);
        assert_day("2015-03", INTAKE_DAY_MONTH, 2015, 3, 1);
        assert_day("March 2015", INTAKE_DAY_MONTH, 2015, 3, 1);
        assert_day("2015", INTAKE_DAY_YEAR, 2015, 1, 1);
}

static void two_digits_of_year_turn_after_35(void **state)
{
        (void)state;
        assert_day("1/2/00", INTAKE_DAY_EXACT, 2000, 2, 1);
        assert_day("1/2/35", INTAKE_DAY_EXACT, 2035, 2, 1);
        assert_day("1/2/36", INTAKE_DAY_EXACT, 1936, 2, 1);
        assert_day("1/2/99", INTAKE_DAY_EXACT, 1999, 2, 1);
}

static void what_is_no_day_is_not_guessed(void **state)
{
        static const char *const bad[] = {
                "",
                "unknown",
                "about 2015",
                "30/02/2015",
                "08/13/2015",
                "32/01/2015",
                "0/1/2015",
                "1/0/2015",
                "2015-13-01",
                "1/2/3",
                "1/2/201",
                "123",
                "12",
                "1/2",
                "1/2/3/4",
                "1 2 3 2015",
                "2015030",
                "201503081",
                "8 Ma 2015",
                "8 Marchy 2015",
                "8 Mai 2015",
                "th 3 2015",
                "8/3/2015?",
                "8:3:2015",
                "20151301",
                "0000-01-01",
                "March",
                "8 9 March 2015",
                "March April 2015",
                "29/02/2015",
                "2015 8 March",
                "8 3 March",
                "1/2/12345678",
                "8 st March 2015",
                "10000-01-01",
                "15 2015 3",
                "03 2015 123456789",
                "03 2015 nonsense",
                "1 2 2015 March",
                "2010101",
                "20150308 5",
        };
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_no_day(bad[i]);
        }
}

static void an_instant_has_a_zone_or_is_a_day(void **state)
{
        uint64_t ms = 0;
        bool day_only = true;
        (void)state;
        assert_true(intake_moment_read(door_bytes_of("2018-01-01T14:02:04Z"), &ms, &day_only));
        assert_int_equal(ms, UINT64_C(1514815324000));
        assert_false(day_only);
        assert_true(intake_moment_read(door_bytes_of("2018-01-01T14:02:04"), &ms, &day_only));
        assert_int_equal(ms, UINT64_C(1514764800000));
        assert_true(day_only);
        assert_true(intake_moment_read(door_bytes_of("1/1/2018"), &ms, &day_only));
        assert_int_equal(ms, UINT64_C(1514764800000));
        assert_true(day_only);
        assert_true(intake_moment_read(door_bytes_of("1970-01-01"), &ms, &day_only));
        assert_int_equal(ms, 0);
        assert_false(intake_moment_read(door_bytes_of("1969-12-31"), &ms, &day_only));
        assert_false(intake_moment_read(door_bytes_of("January 2018"), &ms, &day_only));
        assert_false(intake_moment_read(door_bytes_of("last night"), &ms, &day_only));
}

static void assert_folds(const char *text, const char *want)
{
        uint8_t bytes[64];
        door_writer out = door_writer_on(bytes, sizeof bytes);

        intake_fold(&out, door_bytes_of(text));
        assert_true(out.ok);
        assert_int_equal(out.len, strlen(want) + 1);
        assert_memory_equal(bytes, want, strlen(want) + 1);
}

static void blanks_and_capitals_do_not_count(void **state)
{
        (void)state;
        assert_folds("Mia  Smith", "mia smith");
        assert_folds(" \t\r\nMIA\n", "mia");
        assert_folds("", "");
        assert_folds("   ", "");
        assert_folds("a\tb\r\nc", "a b c");
        assert_folds("AZ@[`{az", "az@[`{az");
        assert_folds("\xC3\x89", "\xC3\x89"); /* Other scripts are left alone. */
}

static void fields_do_not_flow_into_each_other(void **state)
{
        uint8_t a[16];
        uint8_t b[16];
        door_writer out_a = door_writer_on(a, sizeof a);
        door_writer out_b = door_writer_on(b, sizeof b);
        (void)state;
        intake_fold(&out_a, door_bytes_of("ab"));
        intake_fold(&out_a, door_bytes_of("c"));
        intake_fold(&out_b, door_bytes_of("a"));
        intake_fold(&out_b, door_bytes_of("bc"));
        assert_int_equal(out_a.len, out_b.len);
        assert_memory_not_equal(a, b, out_a.len);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_way_of_writing_a_day_is_read),
                cmocka_unit_test(each_month_has_its_name),
                cmocka_unit_test(month_and_year_alone_are_less_exact),
                cmocka_unit_test(two_digits_of_year_turn_after_35),
                cmocka_unit_test(what_is_no_day_is_not_guessed),
                cmocka_unit_test(an_instant_has_a_zone_or_is_a_day),
                cmocka_unit_test(blanks_and_capitals_do_not_count),
                cmocka_unit_test(fields_do_not_flow_into_each_other),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
