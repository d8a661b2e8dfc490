/*
 * triage_out.h - how triage's core makes a record.
 */
#ifndef TRIAGE_OUT_H
#define TRIAGE_OUT_H

#include "triage/triage_core.h"

/* An event's body in the arena, zeroed; NULL when it is full. */
#define TRIAGE_BODY(out, type) ((type *)door_arena_take_zeroed((out)->arena, 1, sizeof(type)))

/*
 * triage_emit - adds a record about an episode and a referral, either of which may be NULL.
 *
 * NULL for a NULL body, a full arena: its latch is set, and the shell tries again with less.
 */
door_event *triage_emit(door_out *out, triage_event type, const void *body, const door_id *episode,
                        const door_id *referral);
/* OPENED, ATTACHED or NOTED. */
void triage_emit_placed(door_out *out, triage_event type, const triage_placed *placed);

#endif
