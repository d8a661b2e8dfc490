/*
 * referral_json.h - one line of JSON into the one message intake knows.
 *
 * The layout is the agencies' (data sets, API): the field names of proto/door/v1/referral.proto
 * in JSON, with the short forms people use: people[].nhs_number, upn, known_as, gender, address
 * and postcode as plain text, dates as text, alleged_to_have_caused_harm as an index, a list of
 * them or "not_known", concern_type as one word or a list, codes in lower case
 * ("index_child", "not_safe").
 *
 * Nothing in a line is lost: a field nobody knows, a wrong type, a code that is none goes with
 * its JSON pointer and its text into Referral.unrecognised, and intake warns the sender. Only a
 * line that is no JSON object, or names no agency, is an error; jansson refuses repeated keys,
 * bad UTF-8 and NUL.
 */
#ifndef CLI_REFERRAL_JSON_H
#define CLI_REFERRAL_JSON_H

#include "door/arena.h"
#include "door/limits.h"
#include "door/status.h"
#include "door/v1/referral.pb-c.h"

enum { REFERRAL_JSON_LINE_BYTES_MAX = DOOR_MIB };

typedef struct referral_json {
        Door__V1__Referral *referral;
        /* What the file says about the line, not about the family. */
        char *key; /* referral_id, or the digest of the line in hexadecimal: the idempotency key. */
        bool has_received_at;
        uint64_t received_at_ms;
} referral_json;

/*
 * referral_json_read - read one line.
 *
 *   line    [in]   borrowed for the call; a line end at its end is allowed.
 *   number  [in]   of the line in its file, from 1, for the error's text.
 *   arena   [in]   holds the result.
 *
 * Returns DOOR_OK;
 *         DOOR_MALFORMED  no JSON object, or one without agency: "line 7: …";
 *         DOOR_TOO_LARGE  longer than REFERRAL_JSON_LINE_BYTES_MAX;
 *         DOOR_NO_MEMORY  the arena is full.
 */
door_status referral_json_read(door_bytes line, size_t number, door_arena *arena, referral_json *ret_referral,
                               door_error *reterr_error);

#endif
