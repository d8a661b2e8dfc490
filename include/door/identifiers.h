/*
 * identifiers.h - numbers people carry: what is well-formed, and whether its check digit agrees.
 *
 * A number that fails is weak evidence and a warning, never a reason to refuse anything: a
 * relative's number, a mistyped one and a filler all happen. Nothing here looks anything up.
 */
#ifndef DOOR_IDENTIFIERS_H
#define DOOR_IDENTIFIERS_H

#include "door/bytes.h"

typedef enum door_identifier {
        DOOR_IDENTIFIER_ABSENT = 0, /* Nothing but blanks. */
        DOOR_IDENTIFIER_GOOD,
        DOOR_IDENTIFIER_PARTIAL,   /* Right as far as it goes: an outward postcode, "GL7". */
        DOOR_IDENTIFIER_BAD_SHAPE, /* Cannot be one. */
        DOOR_IDENTIFIER_BAD_CHECK, /* Has the shape, but the check digit says no. */
} door_identifier;

enum {
        DOOR_NHS_NUMBER_BYTES = 11, /* 10 digits, NUL */
        DOOR_UPN_BYTES = 14,        /* 13 characters, NUL */
        DOOR_UPRN_BYTES = 13,       /* 1..12 digits, NUL */
        DOOR_POSTCODE_BYTES = 9     /* "GL50 1AA", NUL */
};

/*
 * Each reads the text without its blanks (and hyphens, but for postcodes) and in upper case.
 *
 *   out  [out]  the number as it is stored and compared, NUL-terminated; empty when the shape is
 *               wrong or there is nothing. Set for BAD_CHECK too.
 */

/*
 * NHS number: ten digits, weights 10 to 2 on the first nine, 11 - (sum mod 11), where 11 is 0
 * and 10 cannot be. One digit ten times is a filler: BAD_CHECK, though the sum may agree.
 */
door_identifier door_nhs_number_read(door_bytes text, char out[DOOR_NHS_NUMBER_BYTES]);

/*
 * Unique pupil number: check letter and twelve, weights 2 to 13, sum mod 23 counted in
 * ABCDEFGHJKLMNPQRTUVWXYZ. A temporary one ends in a letter valued by the same table.
 * Source: Unique Pupil Number 2.0; checked against its worked numbers.
 */
door_identifier door_upn_read(door_bytes text, char out[DOOR_UPN_BYTES]);

/* Unique property reference number: 1 to 12 digits; it has no check digit. Leading zeros go. */
door_identifier door_uprn_read(door_bytes text, char out[DOOR_UPRN_BYTES]);

/*
 * Postcode by its shape (A9, A99, AA9, AA99, A9A, AA9A, then 9AA without C I K M O V), printed
 * with one blank; PARTIAL for the outward part alone. Whether it exists is the district table's.
 */
door_identifier door_postcode_read(door_bytes text, char out[DOOR_POSTCODE_BYTES]);

#endif
