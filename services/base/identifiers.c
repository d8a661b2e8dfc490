#include "door/identifiers.h"

#include <string.h>

/*
 * text without blanks (and without hyphens when dropped says so), in upper case, into out.
 * Returns the length, or cap when it does not fit or holds anything but ASCII letters and digits.
 */
static size_t squeeze(door_bytes text, bool drop_hyphens, char *out, size_t cap)
{
        size_t len = 0;

        for (size_t i = 0; i < text.len; i++) {
                uint8_t c = text.data[i];
                if (c == ' ' || c == '\t' || c == '\r' || c == '\n' || (c == '-' && drop_hyphens)) {
                        continue;
                }
                if (c >= 'a' && c <= 'z') {
                        c = (uint8_t)(c - 'a' + 'A');
                }
                const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
                if (!plain || len + 1 == cap) {
                        out[0] = '\0';
                        return cap;
                }
                out[len++] = (char)c;
        }
        out[len] = '\0';
        return len;
}

static bool is_digit(char c)
{
        return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
        return c >= 'A' && c <= 'Z';
}

static bool all_digits(const char *text, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (!is_digit(text[i])) {
                        return false;
                }
        }
        return true;
}

door_identifier door_nhs_number_read(door_bytes text, char out[DOOR_NHS_NUMBER_BYTES])
{
        const size_t len = squeeze(text, true, out, DOOR_NHS_NUMBER_BYTES);
        if (len == 0) {
                return DOOR_IDENTIFIER_ABSENT;
        }
        if (len != 10 || !all_digits(out, len)) {
                out[0] = '\0';
                return DOOR_IDENTIFIER_BAD_SHAPE;
        }
        uint32_t sum = 0;
        bool filler = true;
        for (uint32_t i = 0; i < 9; i++) {
                sum += (10 - i) * (uint32_t)(out[i] - '0');
                filler = filler && out[i + 1] == out[0];
        }
        /* 10 matches no digit, which is the rule: such a number is never issued. */
        const uint32_t check = (11 - sum % 11) % 11;
        if (filler || check != (uint32_t)(out[9] - '0')) {
                return DOOR_IDENTIFIER_BAD_CHECK;
        }
        return DOOR_IDENTIFIER_GOOD;
}

door_identifier door_upn_read(door_bytes text, char out[DOOR_UPN_BYTES])
{
        static const char letters[] = "ABCDEFGHJKLMNPQRTUVWXYZ"; /* No I, O, S. */

        const size_t len = squeeze(text, true, out, DOOR_UPN_BYTES);
        if (len == 0) {
                return DOOR_IDENTIFIER_ABSENT;
        }
        const char *last = len == 13 ? strchr(letters, out[12]) : NULL;
        if (len != 13 || !is_letter(out[0]) || !all_digits(out + 1, 11) ||
            (!is_digit(out[12]) && last == NULL)) {
                out[0] = '\0';
                return DOOR_IDENTIFIER_BAD_SHAPE;
        }
        uint32_t sum = 0;
        for (uint32_t i = 1; i < 12; i++) {
                sum += (i + 1) * (uint32_t)(out[i] - '0');
        }
        sum += 13 * (last == NULL ? (uint32_t)(out[12] - '0') : (uint32_t)(last - letters));
        return out[0] == letters[sum % 23] ? DOOR_IDENTIFIER_GOOD : DOOR_IDENTIFIER_BAD_CHECK;
}

door_identifier door_uprn_read(door_bytes text, char out[DOOR_UPRN_BYTES])
{
        const size_t len = squeeze(text, true, out, DOOR_UPRN_BYTES);
        if (len == 0) {
                return DOOR_IDENTIFIER_ABSENT;
        }
        size_t zeros = 0;
        while (zeros < len && out[zeros] == '0') {
                zeros++;
        }
        if (len == DOOR_UPRN_BYTES || !all_digits(out, len) || zeros == len) {
                out[0] = '\0';
                return DOOR_IDENTIFIER_BAD_SHAPE;
        }
        memmove(out, out + zeros, len - zeros + 1);
        return DOOR_IDENTIFIER_GOOD;
}

/* The outward part: one or two letters, a digit, then nothing, a digit or a letter. */
static bool is_outward(const char *text, size_t len)
{
        size_t at = 0;

        while (at < len && at < 2 && is_letter(text[at])) {
                at++;
        }
        if (at == 0 || at == len || !is_digit(text[at])) {
                return false;
        }
        return at + 1 == len || (at + 2 == len && (is_digit(text[at + 1]) || is_letter(text[at + 1])));
}

static bool is_inward(const char *text)
{
        return is_digit(text[0]) && is_letter(text[1]) && is_letter(text[2]) &&
               strchr("CIKMOV", text[1]) == NULL && strchr("CIKMOV", text[2]) == NULL;
}

door_identifier door_postcode_read(door_bytes text, char out[DOOR_POSTCODE_BYTES])
{
        const size_t len = squeeze(text, false, out, DOOR_POSTCODE_BYTES);
        if (len == 0) {
                return DOOR_IDENTIFIER_ABSENT;
        }
        if (len >= 5 && len <= 7 && is_inward(out + len - 3) && is_outward(out, len - 3)) {
                memmove(out + len - 2, out + len - 3, 4);
                out[len - 3] = ' ';
                return DOOR_IDENTIFIER_GOOD;
        }
        if (len < DOOR_POSTCODE_BYTES && is_outward(out, len)) {
                return DOOR_IDENTIFIER_PARTIAL;
        }
        out[0] = '\0';
        return DOOR_IDENTIFIER_BAD_SHAPE;
}
