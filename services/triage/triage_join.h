/*
 * triage_join.h - what becomes of episodes when a person says who is who (ARCHITECTURE.md section 4).
 *
 *   deduplication says          both open                   one open                  none open
 *   FAMILIES_JOINED(from, to)   FOLDED: the younger lives   FAMILY_CHANGED where it   FAMILY_CHANGED:
 *                               on in the older, queued     was from's                chronology
 *   REFERRAL_MOVED(r)           its only referral: FOLDED;  its only: FAMILY_CHANGED; decided: the same, or
 *                               else DETACHED, ATTACHED     else DETACHED, OPENED     DETACHED, NOTED
 *   JOIN_UNDONE(join, who)      RESTORED beside the one     FAMILY_CHANGED back; who  as they are, but what
 *                               it lived on in              came since goes where the was never decided for
 *                                                           person said               itself is queued
 *
 * Folding lowers nothing and loses no answer that is waited for: the survivor is queued, with the
 * greater severity and the earlier of the clocks that run, because a decision made about half of what
 * is known is no decision about all of it. Its owner stays, and allocation names the one owner where
 * both had one. A moved referral always gets a look where it arrives; what it leaves is not made less
 * severe.
 *
 * One word of deduplication's may move many episodes and referrals; each record is made on what the
 * ones before it leave (decide sees the state before its own events, so it keeps copies).
 */
#ifndef TRIAGE_JOIN_H
#define TRIAGE_JOIN_H

#include "triage/triage_rules.h"

/* REVIEW_ANSWERED, FAMILIES_JOINED, JOIN_UNDONE, REFERRAL_MOVED. */
void triage_regroup_decide(door_view *view, const triage_policy *policy, const door_input *input,
                           door_out *out);

/* OWNER_FOLDED, OWNER_RESTORED of allocation, which alone says whose joined or parted work is. */
void triage_hear_owner(door_view *view, const door_input *input, door_out *out);

/* The folds of FOLDED, RESTORED, FAMILY_CHANGED, DETACHED, MATCH_SETTLED. */
void triage_regroup_apply(door_view *view, const door_event *event);

#endif
