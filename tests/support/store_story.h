/*
 * store_story.h - a log whose every byte follows from its sequence numbers, to put into a store
 * and to recognise again.
 *
 * Record n, its payloads, the state after it and the cursors are functions of n and the log id.
 * So a test that has lost everything (a killed process, a cut power supply, a damaged file) can
 * still say of any opened store: this is exactly the story up to the head it claims, or not.
 */
#ifndef DOOR_TESTS_STORE_STORY_H
#define DOOR_TESTS_STORE_STORY_H

#include "shell/store.h"

enum { STORY_TABLE_ROWS = 1, STORY_TABLE_COUNT = 2, STORY_UPSTREAM = 3, STORY_EVENT_TYPE = 17 };

typedef struct story {
        uint64_t head;
        door_hash head_hash;
} story;

/* Where a store stands is where its story goes on. */
story story_from(const door_standing *standing);

/* The story's own record seq in the log that stands at before. */
door_record story_record(door_arena *arena, uint64_t seq, const door_hash *before);

/*
 * The next `records` of it as one commit, everything from arena. The story itself moves only
 * with story_went_on, when the store has said DOOR_OK.
 */
door_commit story_next(const story *at, size_t records, const door_reader *state, door_arena *arena);
void story_went_on(story *at, const door_commit *commit);

/* A record with a header of these fields and these payloads (empty: none), linked to before. */
door_record story_record_of(door_arena *arena, door_header *header, door_bytes public_payload,
                            door_bytes private_payload, const door_hash *before);

/*
 * story_is_told - is the store exactly the story up to its head: headers, chain, payloads, state
 * rows (no more and no fewer), cursor?
 *
 *   ret_why  [out]  what is not, as a constant; untouched when true.
 */
bool story_is_told(const door_store_port *port, const door_standing *standing, door_arena *arena,
                   const char **ret_why);

#endif
