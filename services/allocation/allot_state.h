/*
 * allot_state.h - what allocation remembers, byte by byte.
 *
 *   table            key after the table byte                   value
 *   EPISODE    0x01  episode 10                                 v1, see episode_pack in allot_state.c
 *   LOAD       0x02  team (the rest of the key)                 u32 families accepted and offered
 *   WAITING    0x03  team sized, since u64, episode 10          (nothing)
 *
 * Integers are big-endian. A reader that meets another layout stops.
 *
 * An episode that has ended counts in no load and waits in no line. One that has ended by a fold keeps,
 * for its undoing, the lead practitioner of the team that had it: without one it was the front door's.
 */
#ifndef ALLOT_STATE_H
#define ALLOT_STATE_H

#include "allocation/allot_core.h"

/* Texts are borrowed from the view. */
typedef struct allot_episode {
        bool ended;
        bool waiting;           /* The open offer is to a team without room. */
        bool hand_over;         /* The open offer is its owner's, not the front door's. */
        bool has_owner_team;    /* The owner has accepted it; else it is the front door. */
        uint32_t offer_version; /* The decision the open offer was made for. */
        uint32_t owned_version; /* The decision the owner has accepted. */
        uint8_t level;
        uint32_t returned;
        uint64_t waiting_since_ms;
        door_bytes owner;   /* Of a folded one: whose the survivor became. */
        door_bytes lead;    /* Of the owner team; of a folded one: of `last`. */
        door_bytes offered; /* Empty: no offer is open. */
        door_bytes last;    /* The last team that accepted it. */
        size_t returned_by_count;
        door_bytes returned_by[ALLOT_RETURNED_MAX];
} allot_episode;

bool allot_episode_get(door_view *view, const door_id *id, allot_episode *ret_episode);
void allot_episode_put(door_view *view, const door_id *id, const allot_episode *episode);

uint32_t allot_load_get(door_view *view, door_bytes team);
void allot_load_add(door_view *view, door_bytes team, int32_t change);

void allot_waiting_put(door_view *view, door_bytes team, uint64_t since_ms, const door_id *episode);
void allot_waiting_delete(door_view *view, door_bytes team, uint64_t since_ms, const door_id *episode);
/* The longest waiting for a team; false when nobody waits. */
bool allot_waiting_first(door_view *view, door_bytes team, uint64_t *ret_since_ms, door_id *ret_episode);
/* Does anybody wait for any team? */
bool allot_waiting_any(door_view *view);

#endif
