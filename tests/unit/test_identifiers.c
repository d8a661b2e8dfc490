/* Goal: check digits and shapes say what their sources say, with the sources' own numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "door/identifiers.h"

static door_identifier nhs(const char *text)
{
        char out[DOOR_NHS_NUMBER_BYTES];
        return door_nhs_number_read(door_bytes_of(text), out);
}

static door_identifier upn(const char *text)
{
        char out[DOOR_UPN_BYTES];
        return door_upn_read(door_bytes_of(text), out);
}

static door_identifier uprn(const char *text)
{
        char out[DOOR_UPRN_BYTES];
        return door_uprn_read(door_bytes_of(text), out);
}

static door_identifier postcode(const char *text)
{
        char out[DOOR_POSTCODE_BYTES];
        return door_postcode_read(door_bytes_of(text), out);
}

static void nhs_numbers_of_the_training_range_are_good(void **state)
{
        static const char *const good[] = { "9990000018", "9990000026", "9990000034", "9990000042",
                                            "9990000050", "9434765919", "4010232137" };
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                assert_int_equal(nhs(good[i]), DOOR_IDENTIFIER_GOOD);
        }
}

static void any_one_wrong_digit_of_an_nhs_number_fails_its_check(void **state)
{
        (void)state;
        for (size_t at = 0; at < 10; at++) {
                for (char digit = '0'; digit <= '9'; digit++) {
                        char text[] = "9990000018";
                        if (text[at] == digit) {
                                continue;
                        }
                        text[at] = digit;
                        assert_int_equal(nhs(text), DOOR_IDENTIFIER_BAD_CHECK);
                }
        }
}

static void an_nhs_number_whose_check_would_be_ten_is_bad_whatever_its_last_digit(void **state)
{
        /* 9990000000: 9*(10+9+8) = 243, 243 mod 11 = 1, so the check would be 10. */
        char text[] = "9990000000";
        (void)state;
        for (char digit = '0'; digit <= '9'; digit++) {
                text[9] = digit;
                assert_int_equal(nhs(text), DOOR_IDENTIFIER_BAD_CHECK);
        }
}

static void an_nhs_number_whose_sum_divides_evenly_ends_in_nought(void **state)
{
        (void)state;
        /* 1*10 + 0 + … + 6*2 = 22, 22 mod 11 = 0, 11 - 0 = 11, written 0. */
        assert_int_equal(nhs("1000000060"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(nhs("1000000061"), DOOR_IDENTIFIER_BAD_CHECK);
}

static void one_digit_ten_times_is_a_filler_and_no_nhs_number(void **state)
{
        char text[] = "0000000000";
        (void)state;
        for (char digit = '0'; digit <= '9'; digit++) {
                for (size_t i = 0; i < 10; i++) {
                        text[i] = digit;
                }
                assert_int_equal(nhs(text), DOOR_IDENTIFIER_BAD_CHECK);
        }
}

static void blanks_and_hyphens_do_not_count_in_an_nhs_number(void **state)
{
        char out[DOOR_NHS_NUMBER_BYTES];
        (void)state;
        assert_int_equal(door_nhs_number_read(door_bytes_of(" 999 000-0018\t"), out), DOOR_IDENTIFIER_GOOD);
        assert_string_equal(out, "9990000018");
        assert_int_equal(door_nhs_number_read(door_bytes_of("999 000 0019"), out), DOOR_IDENTIFIER_BAD_CHECK);
        assert_string_equal(out, "9990000019");
}

static void what_is_not_ten_digits_is_no_nhs_number(void **state)
{
        static const char *const bad[] = { "999000001",  "99900000180", "999000001A",
                                           "A990000018", "99900000.18", "not known" };
        char out[DOOR_NHS_NUMBER_BYTES] = "x";
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_int_equal(door_nhs_number_read(door_bytes_of(bad[i]), out), DOOR_IDENTIFIER_BAD_SHAPE);
                assert_string_equal(out, "");
        }
        assert_int_equal(nhs(""), DOOR_IDENTIFIER_ABSENT);
        assert_int_equal(nhs("  "), DOOR_IDENTIFIER_ABSENT);
}

static void upns_of_the_published_rule_are_good(void **state)
{
        static const char *const good[] = { "A950000178301", "H243278544154", "X845212818005",
                                            "B801200005001", "Z916400015001", "P916511122007",
                                            "L916540123456", "P207000016049" };
        (void)state;
        for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
                assert_int_equal(upn(good[i]), DOOR_IDENTIFIER_GOOD);
        }
}

static void temporary_upns_value_their_last_letter_by_the_same_table(void **state)
{
        (void)state;
        assert_int_equal(upn("X00180001701A"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(upn("B91654012345A"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(upn("X00180001701B"), DOOR_IDENTIFIER_BAD_CHECK);
        assert_int_equal(upn("X00180001701I"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("X00180001701O"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("X00180001701S"), DOOR_IDENTIFIER_BAD_SHAPE);
}

static void upns_with_another_letter_fail_their_check(void **state)
{
        static const char *const bad[] = { "R247962919251", "X428558133462", "A801200005001" };
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_int_equal(upn(bad[i]), DOOR_IDENTIFIER_BAD_CHECK);
        }
        assert_int_equal(upn("Q247962919251"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(upn("W428558133462"), DOOR_IDENTIFIER_GOOD);
}

static void the_vendors_worked_upn_is_wrong_and_ours_is_right(void **state)
{
        (void)state;
        /* Two help pages print 267 -> Q; the sum is 266 -> 13 -> P. */
        assert_int_equal(upn("Q207000016049"), DOOR_IDENTIFIER_BAD_CHECK);
        assert_int_equal(upn("B207000016049"), DOOR_IDENTIFIER_BAD_CHECK);
        assert_int_equal(upn("P207000016049"), DOOR_IDENTIFIER_GOOD);
}

static void a_upn_is_a_letter_and_twelve(void **state)
{
        char out[DOOR_UPN_BYTES];
        (void)state;
        assert_int_equal(door_upn_read(door_bytes_of(" a9500 0017 8301"), out), DOOR_IDENTIFIER_GOOD);
        assert_string_equal(out, "A950000178301");
        assert_int_equal(upn("A950-000178301"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(upn("\rA950\n000178301"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(upn("A95000017830"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("A9500001783011"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("1950000178301"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("A9500001783A1"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn("AA50000178301"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(upn(""), DOOR_IDENTIFIER_ABSENT);
}

static void a_uprn_is_up_to_twelve_digits_without_its_leading_noughts(void **state)
{
        char out[DOOR_UPRN_BYTES];
        (void)state;
        assert_int_equal(door_uprn_read(door_bytes_of("000100120012"), out), DOOR_IDENTIFIER_GOOD);
        assert_string_equal(out, "100120012");
        assert_int_equal(door_uprn_read(door_bytes_of("123456789012"), out), DOOR_IDENTIFIER_GOOD);
        assert_string_equal(out, "123456789012");
        assert_int_equal(uprn("1"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(uprn("100-120-012"), DOOR_IDENTIFIER_GOOD);
        assert_int_equal(uprn("0"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(uprn("1234567890123"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(uprn("12A"), DOOR_IDENTIFIER_BAD_SHAPE);
        assert_int_equal(uprn(""), DOOR_IDENTIFIER_ABSENT);
}

static void postcodes_are_printed_with_one_blank(void **state)
{
        static const char *const in[] = { "gl507ab", "GL53 7YF", " gl1  4nh ", "M1 1AA",
                                          "W1A1HQ",  "EC1A 1BB", "B33 8TH" };
        static const char *const want[] = { "GL50 7AB", "GL53 7YF", "GL1 4NH", "M1 1AA",
                                            "W1A 1HQ",  "EC1A 1BB", "B33 8TH" };
        char out[DOOR_POSTCODE_BYTES];
        (void)state;
        for (size_t i = 0; i < sizeof in / sizeof in[0]; i++) {
                assert_int_equal(door_postcode_read(door_bytes_of(in[i]), out), DOOR_IDENTIFIER_GOOD);
                assert_string_equal(out, want[i]);
        }
}

static void an_outward_postcode_alone_is_partial(void **state)
{
        char out[DOOR_POSTCODE_BYTES];
        (void)state;
        assert_int_equal(door_postcode_read(door_bytes_of("gl7"), out), DOOR_IDENTIFIER_PARTIAL);
        assert_string_equal(out, "GL7");
        assert_int_equal(postcode("GL50"), DOOR_IDENTIFIER_PARTIAL);
        assert_int_equal(postcode("M1"), DOOR_IDENTIFIER_PARTIAL);
        assert_int_equal(postcode("W1A"), DOOR_IDENTIFIER_PARTIAL);
}

static void what_has_no_postcodes_shape_is_none(void **state)
{
        static const char *const bad[] = { "G",        "GL",       "507AB",    "GLL1 1AA", "GL501 1AA",
                                           "GL50 7A",  "GL50 7CB", "GL50 7BV", "GL50-7AB", "NOT KNOWN",
                                           "GL50 AAB", "GL50 71B", "GL507ABC" };
        char out[DOOR_POSTCODE_BYTES];
        (void)state;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_int_equal(door_postcode_read(door_bytes_of(bad[i]), out), DOOR_IDENTIFIER_BAD_SHAPE);
                assert_string_equal(out, "");
        }
        assert_int_equal(postcode(" "), DOOR_IDENTIFIER_ABSENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(nhs_numbers_of_the_training_range_are_good),
                cmocka_unit_test(any_one_wrong_digit_of_an_nhs_number_fails_its_check),
                cmocka_unit_test(an_nhs_number_whose_check_would_be_ten_is_bad_whatever_its_last_digit),
                cmocka_unit_test(an_nhs_number_whose_sum_divides_evenly_ends_in_nought),
                cmocka_unit_test(one_digit_ten_times_is_a_filler_and_no_nhs_number),
                cmocka_unit_test(blanks_and_hyphens_do_not_count_in_an_nhs_number),
                cmocka_unit_test(what_is_not_ten_digits_is_no_nhs_number),
                cmocka_unit_test(upns_of_the_published_rule_are_good),
                cmocka_unit_test(temporary_upns_value_their_last_letter_by_the_same_table),
                cmocka_unit_test(upns_with_another_letter_fail_their_check),
                cmocka_unit_test(the_vendors_worked_upn_is_wrong_and_ours_is_right),
                cmocka_unit_test(a_upn_is_a_letter_and_twelve),
                cmocka_unit_test(a_uprn_is_up_to_twelve_digits_without_its_leading_noughts),
                cmocka_unit_test(postcodes_are_printed_with_one_blank),
                cmocka_unit_test(an_outward_postcode_alone_is_partial),
                cmocka_unit_test(what_has_no_postcodes_shape_is_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
