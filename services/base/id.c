#include "door/id.h"

#include <string.h>

#include "door/hash.h"

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";

enum { DIGITS = 16, CHECK_MODULUS = 37 };

door_id door_id_make(const uint8_t random[16], door_id_kind kind, uint32_t n)
{
        uint8_t tail[5];
        tail[0] = (uint8_t)kind;
        door_put_u32(tail + 1, n);

        const door_bytes parts[] = { { random, 16 }, { tail, sizeof tail } };
        const door_hash hash = door_hash_of(parts, 2);
        door_id id;
        memcpy(id.bytes, hash.bytes, DOOR_ID_BYTES);
        return id;
}

bool door_id_equal(const door_id *a, const door_id *b)
{
        return memcmp(a->bytes, b->bytes, DOOR_ID_BYTES) == 0;
}

bool door_id_is_zero(const door_id *id)
{
        static const door_id zero;
        return door_id_equal(id, &zero);
}

door_bytes door_id_bytes(const door_id *id)
{
        return (door_bytes){ id->bytes, DOOR_ID_BYTES };
}

bool door_id_from_bytes(door_bytes bytes, door_id *ret_id)
{
        if (bytes.len != DOOR_ID_BYTES) {
                return false;
        }
        memcpy(ret_id->bytes, bytes.data, DOOR_ID_BYTES);
        return true;
}

/* The 80-bit number modulo 37, byte by byte. */
static uint32_t check_of(const door_id *id)
{
        uint32_t rest = 0;
        for (size_t i = 0; i < DOOR_ID_BYTES; i++) {
                rest = (rest * 256 + id->bytes[i]) % CHECK_MODULUS;
        }
        return rest;
}

void door_id_print(door_id_kind kind, const door_id *id, char out[DOOR_ID_TEXT_BYTES])
{
        out[0] = (char)kind;
        out[1] = '-';
        for (size_t i = 0; i < DIGITS; i++) {
                /* Five bits from bit position 5 i, counted from the most significant. */
                const size_t bit = 5 * i;
                const uint32_t pair = ((uint32_t)id->bytes[bit / 8] << 8) |
                                      (bit / 8 + 1 < DOOR_ID_BYTES ? id->bytes[bit / 8 + 1] : 0U);
                out[2 + i] = digits[(pair >> (11 - bit % 8)) & 31U];
        }
        out[2 + DIGITS] = digits[check_of(id)];
        out[3 + DIGITS] = '\0';
}

/* The value of one character, CHECK_MODULUS when it has none. */
static uint32_t digit_value(uint8_t character)
{
        if (character >= 'a' && character <= 'z') {
                character = (uint8_t)(character - 'a' + 'A');
        }
        if (character == 'O') {
                return 0;
        }
        if (character == 'I' || character == 'L') {
                return 1;
        }
        for (uint32_t i = 0; i < CHECK_MODULUS; i++) {
                if ((uint8_t)digits[i] == character) {
                        return i;
                }
        }
        return CHECK_MODULUS;
}

door_status door_id_parse(door_bytes text, door_id_kind *ret_kind, door_id *ret_id)
{
        static const char kinds[] = "RFPHEDJV";
        door_id id = { { 0 } };

        if (text.len != 3 + DIGITS || text.data[1] != '-') {
                return DOOR_MALFORMED;
        }
        uint8_t kind = text.data[0];
        if (kind >= 'a' && kind <= 'z') {
                kind = (uint8_t)(kind - 'a' + 'A');
        }
        if (kind == 0 || memchr(kinds, kind, sizeof kinds - 1) == NULL) {
                return DOOR_MALFORMED;
        }
        for (size_t i = 0; i < DIGITS; i++) {
                const uint32_t value = digit_value(text.data[2 + i]);
                if (value >= 32) {
                        return DOOR_MALFORMED;
                }
                const size_t bit = 5 * i;
                const uint32_t pair = value << (11 - bit % 8);
                id.bytes[bit / 8] |= (uint8_t)(pair >> 8);
                if (bit / 8 + 1 < DOOR_ID_BYTES) {
                        id.bytes[bit / 8 + 1] |= (uint8_t)pair;
                }
        }
        if (digit_value(text.data[2 + DIGITS]) != check_of(&id)) {
                return DOOR_MALFORMED;
        }
        *ret_kind = (door_id_kind)kind;
        *ret_id = id;
        return DOOR_OK;
}
