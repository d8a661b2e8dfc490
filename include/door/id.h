/*
 * id.h - the names of things: 80 bits, made by a core from its input's random bytes.
 *
 * The n-th id of an input is the first 80 bits of BLAKE2b(the input's 16 random bytes ||
 * kind || n) and is stored in the event, so replay never makes one (MECHANISM section 3).
 *
 * Written form: kind letter, '-', 16 Crockford base-32 digits, 1 check character
 * (the 80-bit number mod 37), e.g. R-00000000000000000. Reading accepts lower case and
 * Crockford's look-alikes (O for 0, I and L for 1) and verifies the check character.
 * Source: D. Crockford, "Base 32", check symbols section.
 */
#ifndef DOOR_ID_H
#define DOOR_ID_H

#include "door/bytes.h"
#include "door/status.h"

enum { DOOR_ID_BYTES = 10, DOOR_ID_TEXT_BYTES = 20 /* kind, '-', 16, check, NUL */ };

typedef struct door_id {
        uint8_t bytes[DOOR_ID_BYTES];
} door_id;

/* The kinds, as their letter: the id's first character in print and in a subject. */
typedef enum door_id_kind {
        DOOR_ID_REFERRAL = 'R',
        DOOR_ID_FAMILY = 'F',
        DOOR_ID_PERSON = 'P',
        DOOR_ID_HOUSEHOLD = 'H',
        DOOR_ID_EPISODE = 'E',
        DOOR_ID_DELIVERY = 'D',
        DOOR_ID_JOIN = 'J',
        DOOR_ID_REVIEW = 'V',
} door_id_kind;

/* What a record is about: kind and id, 11 bytes in headers. */
typedef struct door_subject {
        uint8_t kind; /* door_id_kind; a byte so that unknown kinds survive. */
        door_id id;
} door_subject;

enum { DOOR_SUBJECT_BYTES = 1 + DOOR_ID_BYTES };

door_id door_id_make(const uint8_t random[16], door_id_kind kind, uint32_t n);
bool door_id_equal(const door_id *a, const door_id *b);
bool door_id_is_zero(const door_id *id);
door_bytes door_id_bytes(const door_id *id);
/* False unless bytes has exactly DOOR_ID_BYTES. */
bool door_id_from_bytes(door_bytes bytes, door_id *ret_id);

void door_id_print(door_id_kind kind, const door_id *id, char out[DOOR_ID_TEXT_BYTES]);
/*
 * door_id_parse - read the written form.
 *
 * Returns DOOR_OK         kind and id are set;
 *         DOOR_MALFORMED  wrong length, unknown kind or character, or the check fails.
 */
door_status door_id_parse(door_bytes text, door_id_kind *ret_kind, door_id *ret_id);

#endif
