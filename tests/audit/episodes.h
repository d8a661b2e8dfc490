/*
 * episodes.h - the auditor's own notes of triage and allocation: where every referral is, who owns.
 *
 *   C1   a matched referral has exactly one place: an episode opened for it, an open episode it was
 *        added to, or the chronology; its family is the episode's
 *   F2   at every position of triage's log at most one open episode per family
 *   F3   a child becomes the subject of at most one open episode
 *   F4   versions go up by one; a record never moves an episode from a state it is not in
 *   F5   at every position of allocation's log exactly one owner per episode triage has told of and
 *        not ended, and none of an episode it has ended
 *   F6   families are joined, parted and left as deduplication.proto says; an undone join names every
 *        referral; what is folded was open and lives on in one that is
 *   S1   severity goes down by a decision only, and then by a person named in it
 *   S3   while a row is queued its clocks only come nearer
 *   S2   what waits for a look or a response waits until it is answered, late-listed or decided over
 *
 * Written from proto/door/v1/triage.proto and allocation.proto, with the wire decoder; no header of a
 * service, so that a mistake in one is not made twice.
 */
#ifndef AUDIT_EPISODES_H
#define AUDIT_EPISODES_H

#include "audit/wire.h"

typedef struct episodes episodes;

episodes *episodes_new(void);
episodes *episodes_free(episodes *e);

/* A record of deduplication's, triage's or allocation's log; a sentence at the first breach, else NULL. */
const char *episodes_deduplication(episodes *e, uint32_t type, wire_bytes payload);
const char *episodes_triage(episodes *e, uint32_t type, wire_bytes payload);
const char *episodes_allocation(episodes *e, uint32_t type, wire_bytes payload);
/* At rest: a sentence where two logs disagree about a family, else NULL. */
const char *episodes_settled(const episodes *e);

enum { EPISODES_TYPES = 64, EPISODES_ASSIGNED_MAX = 64, EPISODES_TEAM_BYTES = 24 };

typedef struct episodes_counts {
        uint64_t placed;  /* referrals with a place */
        uint64_t history; /* of them, chronology only */
        uint64_t opened;
        uint64_t attached;
        uint64_t open_now;
        uint64_t looks_now; /* items of the look list */
        uint64_t responses_now;
        uint64_t owned_now;              /* episodes with an owner at allocation */
        uint64_t triage[EPISODES_TYPES]; /* records by type */
        uint64_t allocation[EPISODES_TYPES];
        uint64_t ways[4];                                   /* repeats by way */
        uint64_t joins, undone, moves, answers;             /* what people said of who is who */
        uint64_t folds, restores, family_changes, detached; /* what triage made of it */
} episodes_counts;
episodes_counts episodes_count(const episodes *e);

/*
 * Calls for every referral that has been matched, in no order, with where it is: the words of the gateway's
 * Disposition without its prefix, derived here from the logs alone.
 */
void episodes_each(const episodes *e,
                   void (*each)(void *context, const uint8_t referral[10], const char *where), void *context);

/* Where one matched referral is, and how that work stands. */
typedef struct episodes_place {
        const char *where; /* As episodes_each says it. */
        const uint8_t *family;
        const uint8_t *episode; /* NULL: it is on none. */
        uint32_t state;
        uint32_t version;
        uint64_t severity;
        const char *owner;
        const char *offered; /* Empty: no offer is open. */
} episodes_place;
/* False where nobody has matched it. What it points to stays until the next record. */
bool episodes_find(const episodes *e, const uint8_t referral[10], episodes_place *ret_place);
/* How many episodes are in this state (EpisodeState of triage.proto). */
uint64_t episodes_in_state(const episodes *e, uint32_t state);

/* One episode, for a harness that wants to act on it; false when there is none. */
typedef struct episodes_sample {
        uint8_t episode[10];
        uint32_t version;
        uint32_t state;
        uint8_t referral[10]; /* The last placed on it. */
        uint8_t family[10];
        char owner[EPISODES_TEAM_BYTES];
        char offered[EPISODES_TEAM_BYTES]; /* Empty: no offer is open. */
} episodes_sample;
/* `pick` chooses among the latest 64. */
bool episodes_pick(const episodes *e, uint64_t pick, episodes_sample *ret_sample);

/* The same, while it is one of these. */
bool episodes_look(const episodes *e, const uint8_t episode[10], episodes_sample *ret_sample);

/* A join and who stands in its family now; whether each has stood in the one that was joined away. */
typedef struct episodes_join {
        uint8_t join[10];
        uint8_t from[10];
        uint8_t to[10];
        size_t count;
        uint8_t referrals[EPISODES_ASSIGNED_MAX][10];
        bool was_from[EPISODES_ASSIGNED_MAX];
} episodes_join;
bool episodes_pick_join(const episodes *e, uint64_t pick, episodes_join *ret_join);

#endif
