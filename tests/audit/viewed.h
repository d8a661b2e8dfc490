/*
 * viewed.h - what the gateway's view answers, held against the auditor's own reading of the logs.
 *
 *   V1   every referral received is in exactly one state, in every answer; and an answer given when the
 *        view had read each log to its end, with nothing parked, says what the auditor's own notes say:
 *        how many are where, which work is open, who owns it, what is on the look list, whom nobody has told
 *
 * Written from proto/door/v1/view.proto, with the wire decoder; no header of the gateway.
 */
#ifndef AUDIT_VIEWED_H
#define AUDIT_VIEWED_H

#include "audit/county.h"

/* Questions of view.proto that are judged; the answer to any other is taken as it is. */
enum { VIEWED_QUEUE = 256, VIEWED_LOOK_LIST = 257, VIEWED_REFERRAL = 261, VIEWED_STATS = 262 };
enum { VIEWED_DELIVERIES = 264, VIEWED_DISPOSITIONS = 11, VIEWED_WHY_BYTES = 160 };

typedef struct viewed_answer {
        uint32_t type;
        wire_bytes question; /* AskPage or AskThing: a page is a first one, of as many rows as may be. */
        wire_bytes answer;
        bool current; /* The view had read all there is, and nothing is parked there. */
} viewed_answer;

/* True where it agrees; else *ret_why is a sentence that begins with the invariant. */
bool viewed_agrees(const county *c, const viewed_answer *given, char ret_why[VIEWED_WHY_BYTES]);

#endif
