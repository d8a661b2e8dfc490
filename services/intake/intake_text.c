#include "intake/intake_text.h"

#include <string.h>

#include "door/calendar.h"

typedef struct token {
        bool is_number;
        uint32_t digits; /* How many, of a number. */
        uint32_t value;  /* Of a number; of a month's name its month, 0 when it is none. */
} token;

enum { TOKENS_MAX = 3, NUMBER_DIGITS_MAX = 8, CENTURY_TURN = 35 };

static bool is_digit(uint8_t c)
{
        return c >= '0' && c <= '9';
}

static uint8_t lower(uint8_t c)
{
        return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

static bool is_letter(uint8_t c)
{
        return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_blank(uint8_t c)
{
        return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* 1..12 for a month's name or its first three letters ("Sept" too), else 0. */
static uint32_t month_of(door_bytes word)
{
        static const char *const names[] = { "january",   "february", "march",    "april",
                                             "may",       "june",     "july",     "august",
                                             "september", "october",  "november", "december" };
        char text[10] = "";

        if (word.len < 3 || word.len >= sizeof text) {
                return 0;
        }
        for (size_t i = 0; i < word.len; i++) {
                text[i] = (char)lower(word.data[i]);
        }
        for (uint32_t month = 0; month < 12; month++) {
                if (strncmp(names[month], text, word.len) == 0) {
                        return month + 1;
                }
        }
        return 0;
}

static bool is_ordinal(door_bytes word)
{
        static const char *const endings[] = { "st", "nd", "rd", "th" };

        for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
                if (word.len == 2 && lower(word.data[0]) == (uint8_t)endings[i][0] &&
                    lower(word.data[1]) == (uint8_t)endings[i][1]) {
                        return true;
                }
        }
        return false;
}

/* Splits at anything but digits and letters. Returns the count, TOKENS_MAX + 1 when it is no date. */
static size_t split(door_bytes text, token tokens[TOKENS_MAX])
{
        size_t count = 0;
        size_t at = 0;

        while (at < text.len) {
                const size_t start = at;
                if (is_digit(text.data[at])) {
                        uint32_t value = 0;
                        while (at < text.len && is_digit(text.data[at]) && at - start < NUMBER_DIGITS_MAX) {
                                value = value * 10 + (uint32_t)(text.data[at] - '0');
                                at++;
                        }
                        if (count == TOKENS_MAX || (at < text.len && is_digit(text.data[at]))) {
                                return TOKENS_MAX + 1;
                        }
                        tokens[count++] = (token){ true, (uint32_t)(at - start), value };
                } else if (is_letter(text.data[at])) {
                        while (at < text.len && is_letter(text.data[at])) {
                                at++;
                        }
                        const door_bytes word = { text.data + start, at - start };
                        if (start > 0 && is_digit(text.data[start - 1]) && is_ordinal(word)) {
                                continue;
                        }
                        const uint32_t month = month_of(word);
                        if (count == TOKENS_MAX || month == 0) {
                                return TOKENS_MAX + 1;
                        }
                        tokens[count++] = (token){ false, 0, month };
                } else if (is_blank(text.data[at]) || memchr("-/.,", text.data[at], 4) != NULL) {
                        at++;
                } else {
                        return TOKENS_MAX + 1;
                }
        }
        return count;
}

static bool is_year(const token *t)
{
        return t->is_number && (t->digits == 4 || t->digits == 2);
}

static bool is_long_year(const token *t)
{
        return t->is_number && t->digits == 4;
}

/* A day or a month in figures. */
static bool is_small(const token *t)
{
        return t->is_number && t->digits <= 2;
}

static int32_t year_of(const token *t)
{
        if (t->digits == 4) {
                return (int32_t)t->value;
        }
        return (int32_t)t->value + (t->value <= CENTURY_TURN ? 2000 : 1900);
}

static bool day_made(int32_t year, uint32_t month, uint32_t day, intake_precision precision,
                     intake_precision *ret_precision, int32_t *ret_days)
{
        if (month > 12 || day > 31) {
                return false;
        }
        const door_date date = { year, (uint8_t)month, (uint8_t)day };
        if (!door_date_is_valid(date)) {
                return false;
        }
        *ret_precision = precision;
        *ret_days = door_date_to_days(date);
        return true;
}

/* "2015-03-08T10:00…" and "2015-03-08 10:00": the day in front of a time. */
static door_bytes without_time(door_bytes text)
{
        while (text.len > 0 && is_blank(text.data[0])) {
                text.data++;
                text.len--;
        }
        if (text.len > 11 && (text.data[10] == 'T' || text.data[10] == ' ') && is_digit(text.data[9]) &&
            is_digit(text.data[11])) {
                text.len = 10;
        }
        return text;
}

bool intake_day_read(door_bytes text, intake_precision *ret_precision, int32_t *ret_days)
{
        token t[TOKENS_MAX];
        const size_t count = split(without_time(text), t);

        if (count == 3 && is_long_year(&t[0]) && is_small(&t[1]) && is_small(&t[2])) {
                return day_made(year_of(&t[0]), t[1].value, t[2].value, INTAKE_DAY_EXACT, ret_precision,
                                ret_days);
        }
        if (count == 3 && is_small(&t[0]) && (is_small(&t[1]) || !t[1].is_number) && is_year(&t[2])) {
                return day_made(year_of(&t[2]), t[1].value, t[0].value, INTAKE_DAY_EXACT, ret_precision,
                                ret_days);
        }
        if (count == 3 && !t[0].is_number && is_small(&t[1]) && is_long_year(&t[2])) {
                return day_made(year_of(&t[2]), t[0].value, t[1].value, INTAKE_DAY_EXACT, ret_precision,
                                ret_days);
        }
        if (count == 2 && (is_small(&t[0]) || !t[0].is_number) && is_long_year(&t[1])) {
                return day_made(year_of(&t[1]), t[0].value, 1, INTAKE_DAY_MONTH, ret_precision, ret_days);
        }
        if (count == 2 && is_long_year(&t[0]) && is_small(&t[1])) {
                return day_made(year_of(&t[0]), t[1].value, 1, INTAKE_DAY_MONTH, ret_precision, ret_days);
        }
        if (count == 1 && is_long_year(&t[0])) {
                return day_made(year_of(&t[0]), 1, 1, INTAKE_DAY_YEAR, ret_precision, ret_days);
        }
        if (count == 1 && t[0].is_number && t[0].digits == 8) {
                return day_made((int32_t)(t[0].value / 10000), t[0].value / 100 % 100, t[0].value % 100,
                                INTAKE_DAY_EXACT, ret_precision, ret_days);
        }
        return false;
}

bool intake_moment_read(door_bytes text, uint64_t *ret_ms, bool *ret_day_only)
{
        intake_precision precision;
        int32_t days;

        if (door_instant_parse(text, ret_ms)) {
                *ret_day_only = false;
                return true;
        }
        if (!intake_day_read(text, &precision, &days) || precision != INTAKE_DAY_EXACT || days < 0) {
                return false;
        }
        *ret_ms = (uint64_t)days * 86400000U;
        *ret_day_only = true;
        return true;
}

void intake_fold(door_writer *out, door_bytes text)
{
        bool begun = false;
        bool blank = false;

        for (size_t i = 0; i < text.len; i++) {
                if (is_blank(text.data[i])) {
                        blank = begun;
                        continue;
                }
                if (blank) {
                        door_write_u8(out, ' ');
                }
                door_write_u8(out, lower(text.data[i]));
                begun = true;
                blank = false;
        }
        door_write_u8(out, 0);
}
