/*
 * crossings.h - how often two people acted on one thing and neither had seen the other (ARCHITECTURE.md
 * section 4).
 *
 * Told from the records alone: each says how far its service had read the other logs (`seen`). Two
 * records about one episode, in two logs, cross where one stood in its log before the other was made
 * and the other had not seen it. Counts only mean something where records are fed in the order in
 * which they became durable, as the simulator does.
 */
#ifndef AUDIT_CROSSINGS_H
#define AUDIT_CROSSINGS_H

#include "audit/audit.h"

typedef enum crossing {
        CROSSING_CLOSE_ACCEPT = 0,
        CROSSING_CLOSE_ATTACH,
        CROSSING_ATTACH_ACCEPT,
        CROSSING_RETURN_CLOSE,
        CROSSING_FOLD_ACCEPT,
        CROSSING_FOLD_TRANSFER,
        CROSSING_MOVE_DECIDE,
        CROSSING_UNDO_CLOSE,
        CROSSING_UNDO_REFERRAL, /* a referral received before a join was undone, matched into its family after
                                 */
        CROSSING_JOIN_JOIN,     /* two joins that share a family, before triage has heard the first */
        CROSSING_JOIN_UNDO,     /* a join undone before triage has heard of it */
        CROSSINGS,
} crossing;

typedef struct crossings crossings;

crossings *crossings_new(void);
crossings *crossings_free(crossings *c);

void crossings_record(crossings *c, uint32_t log, const audit_origin *origin, uint32_t type,
                      wire_bytes payload);
/* CROSSINGS counts; borrowed. */
const uint64_t *crossings_count(const crossings *c);

#endif
