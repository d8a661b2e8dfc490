/*
 * dedup_command.h - what a person may ask about who is who.
 *
 * Joining, its undoing, moving and the answer to a review change where referrals stand, never what
 * was said in them; each is for the front door, and where a side holds domestic abuse and the like
 * a join or a move is for two people. Bounds are asked before anything is answered, because one
 * record must hold all that changes and its fold must be as small.
 */
#ifndef DEDUP_COMMAND_H
#define DEDUP_COMMAND_H

#include "deduplication/dedup_core.h"

/* dedup_decide for a command; policy NULL: none is active yet, and nothing is decided. */
void dedup_obey(door_view *view, const dedup_policy *policy, const door_input *input, door_out *out);

#endif
