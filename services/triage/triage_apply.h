/*
 * triage_apply.h - steps that several folds of triage's log take; private to its core.
 */
#ifndef TRIAGE_APPLY_H
#define TRIAGE_APPLY_H

#include "triage/triage_state.h"

/* The state machine is obeyed, and no version is passed over. */
void triage_move_to(triage_event event, triage_episode *episode, triage_state state, uint32_t version);
void triage_lease_end(door_view *view, const door_id *id, triage_episode *episode);
/* A replayed episode ends when nothing has come for long enough; what has been looked at does not. */
void triage_idle_keep(door_view *view, const door_id *id, const triage_episode *before,
                      const triage_episode *after);
/* `episode` is the home of the referral's: where its answer is counted. */
void triage_wait_end(door_view *view, const door_id *referral, triage_referral *row, triage_episode *episode);

#endif
