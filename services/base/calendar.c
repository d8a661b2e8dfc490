#include "door/calendar.h"

#include <string.h>

enum { DAYS_PER_ERA = 146097, YEAR_MAX = 9999 };
#define MS_PER_DAY INT64_C(86400000)
#define MS_LAST    INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

static bool is_leap(int32_t year)
{
        return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool door_date_is_valid(door_date date)
{
        static const uint8_t lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

        if (date.year < 1 || date.year > YEAR_MAX || date.month < 1 || date.month > 12 || date.day < 1) {
                return false;
        }
        const int last = lengths[date.month - 1] + (date.month == 2 && is_leap(date.year) ? 1 : 0);
        return date.day <= last;
}

/* Days are counted in 400-year eras of years that begin in March, so that the leap day is the
 * last day of its year. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
int32_t door_date_to_days(door_date date)
{
        const int32_t year = date.month <= 2 ? date.year - 1 : date.year;
        const int32_t era = (year >= 0 ? year : year - 399) / 400;
        const int32_t year_of_era = year - era * 400;
        const int32_t month = (date.month + 9) % 12;
        const int32_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
        const int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

        return era * DAYS_PER_ERA + day_of_era - 719468;
}

door_date door_date_from_days(int32_t days)
{
        const int32_t shifted = days + 719468;
        const int32_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
        const int32_t day_of_era = shifted - era * DAYS_PER_ERA;
        const int32_t year_of_era =
                (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
        const int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        const int32_t month = (5 * day_of_year + 2) / 153;
        const int32_t calendar_month = month < 10 ? month + 3 : month - 9;

        return (door_date){
                .year = year_of_era + era * 400 + (calendar_month <= 2 ? 1 : 0),
                .month = (uint8_t)calendar_month,
                .day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1),
        };
}

/* count digits at text[*at] as a number; false when there are not that many. */
static bool read_number(door_bytes text, size_t *at, size_t count, uint32_t *ret_number)
{
        uint32_t number = 0;

        if (text.len - *at < count) {
                return false;
        }
        for (size_t i = 0; i < count; i++) {
                const uint8_t c = text.data[*at + i];
                if (c < '0' || c > '9') {
                        return false;
                }
                number = number * 10 + (uint32_t)(c - '0');
        }
        *at += count;
        *ret_number = number;
        return true;
}

static bool read_character(door_bytes text, size_t *at, char wanted)
{
        if (*at >= text.len || text.data[*at] != (uint8_t)wanted) {
                return false;
        }
        (*at)++;
        return true;
}

static bool read_date(door_bytes text, size_t *at, door_date *ret_date)
{
        uint32_t year = 0;
        uint32_t month = 0;
        uint32_t day = 0;

        if (!read_number(text, at, 4, &year) || !read_character(text, at, '-') ||
            !read_number(text, at, 2, &month) || !read_character(text, at, '-') ||
            !read_number(text, at, 2, &day)) {
                return false;
        }
        const door_date date = { (int32_t)year, (uint8_t)month, (uint8_t)day };
        if (!door_date_is_valid(date)) {
                return false;
        }
        *ret_date = date;
        return true;
}

bool door_date_parse(door_bytes text, door_date *ret_date)
{
        size_t at = 0;
        door_date date;

        if (!read_date(text, &at, &date) || at != text.len) {
                return false;
        }
        *ret_date = date;
        return true;
}

static void print_number(char *out, size_t width, uint32_t number)
{
        for (size_t i = width; i-- > 0;) {
                out[i] = (char)('0' + number % 10);
                number /= 10;
        }
}

void door_date_print(door_date date, char out[DOOR_DATE_TEXT_BYTES])
{
        print_number(out, 4, (uint32_t)date.year);
        out[4] = '-';
        print_number(out + 5, 2, date.month);
        out[7] = '-';
        print_number(out + 8, 2, date.day);
        out[10] = '\0';
}

/* 'Z' or "+hh:mm"; minutes east of Greenwich. */
static bool read_offset(door_bytes text, size_t *at, int32_t *ret_minutes)
{
        uint32_t hours = 0;
        uint32_t minutes = 0;

        if (read_character(text, at, 'Z') || read_character(text, at, 'z')) {
                *ret_minutes = 0;
                return true;
        }
        const bool west = read_character(text, at, '-');
        if (!west && !read_character(text, at, '+')) {
                return false;
        }
        if (!read_number(text, at, 2, &hours) || !read_character(text, at, ':') ||
            !read_number(text, at, 2, &minutes) || hours > 23 || minutes > 59) {
                return false;
        }
        *ret_minutes = (int32_t)(hours * 60 + minutes) * (west ? -1 : 1);
        return true;
}

/* ".123…": the first three digits as milliseconds, the rest read over. */
static bool read_fraction(door_bytes text, size_t *at, uint32_t *ret_ms)
{
        uint32_t ms = 0;
        uint32_t worth = 100;
        const size_t start = *at;

        while (*at < text.len && text.data[*at] >= '0' && text.data[*at] <= '9') {
                ms += worth * (uint32_t)(text.data[*at] - '0');
                worth /= 10;
                (*at)++;
        }
        *ret_ms = ms;
        return *at > start;
}

bool door_instant_parse(door_bytes text, uint64_t *ret_ms)
{
        size_t at = 0;
        door_date date;
        uint32_t hour = 0;
        uint32_t minute = 0;
        uint32_t second = 0;
        uint32_t ms = 0;
        int32_t offset = 0;

        if (!read_date(text, &at, &date) ||
            !(read_character(text, &at, 'T') || read_character(text, &at, 't') ||
              read_character(text, &at, ' ')) ||
            !read_number(text, &at, 2, &hour) || !read_character(text, &at, ':') ||
            !read_number(text, &at, 2, &minute) || !read_character(text, &at, ':') ||
            !read_number(text, &at, 2, &second) || hour > 23 || minute > 59 || second > 60) {
                return false;
        }
        if (read_character(text, &at, '.') && !read_fraction(text, &at, &ms)) {
                return false;
        }
        if (!read_offset(text, &at, &offset) || at != text.len) {
                return false;
        }
        if (second == 60) {
                second = 59;
                ms = 999;
        }
        const int64_t total = (int64_t)door_date_to_days(date) * MS_PER_DAY +
                              (int64_t)(hour * 3600 + minute * 60 + second) * 1000 + ms -
                              (int64_t)offset * 60000;
        if (total < 0 || total > MS_LAST) {
                return false;
        }
        *ret_ms = (uint64_t)total;
        return true;
}

void door_instant_print(uint64_t ms, char out[DOOR_INSTANT_TEXT_BYTES])
{
        const uint64_t last = (uint64_t)MS_LAST;
        const uint64_t shown = ms > last ? last : ms;
        const door_date date = door_date_from_days((int32_t)(shown / (uint64_t)MS_PER_DAY));
        const uint32_t in_day = (uint32_t)(shown % (uint64_t)MS_PER_DAY);

        door_date_print(date, out);
        out[10] = 'T';
        print_number(out + 11, 2, in_day / 3600000);
        out[13] = ':';
        print_number(out + 14, 2, in_day / 60000 % 60);
        out[16] = ':';
        print_number(out + 17, 2, in_day / 1000 % 60);
        out[19] = '.';
        print_number(out + 20, 3, in_day % 1000);
        out[23] = 'Z';
        out[24] = '\0';
}
