/*
 * county_plants.h - faults planted in what the services decide and the view remembers, one at a time.
 *
 * The brains themselves stay as they are: what they have decided is changed on its way to the log, as a
 * mistake in them would change it. The auditor, who sees the logs alone, must say so.
 */
#ifndef COUNTY_PLANTS_H
#define COUNTY_PLANTS_H

#include "door/core.h"

typedef enum county_plant {
        COUNTY_PLANT_LOWERS = 60, /* numbers beside those of plants.h */
        COUNTY_PLANT_NOW_NOT_QUEUED,
        COUNTY_PLANT_LOOK_TO_WORKER,
        COUNTY_PLANT_FORGOTTEN,
        COUNTY_PLANT_SECOND_EPISODE,
        COUNTY_PLANT_VERSION,
        COUNTY_PLANT_OTHER_FAMILY,
        COUNTY_PLANT_NOBODY_DECIDED,
        COUNTY_PLANT_TAKE_STAYS,
        COUNTY_PLANT_LATER_CLOCK,
        COUNTY_PLANT_DEAF_TO_ACCEPTANCE,
        COUNTY_PLANT_STALE_ACCEPTANCE,
        COUNTY_PLANT_NO_OWNER,
        COUNTY_PLANT_NEVER_ENDS,
        COUNTY_PLANT_OFFER_OF_ENDED,
        COUNTY_PLANT_DECIDED_TWICE,
        COUNTY_PLANT_FOLD_LOWERS,
        COUNTY_PLANT_FOLD_ASKS_NOBODY,
        COUNTY_PLANT_FOLD_LATER_CLOCK,
        COUNTY_PLANT_DEAF_TO_JOINS,
        COUNTY_PLANT_DEAF_TO_UNDOING,
        COUNTY_PLANT_MOVED_NOWHERE,
        COUNTY_PLANT_MOVED_UNSEEN,
        COUNTY_PLANT_DETACH_LOWERS,
        COUNTY_PLANT_RESTORE_LOWERS,
        COUNTY_PLANT_TWO_OWNERS,
        COUNTY_PLANT_RESTORED_UNOWNED,
        COUNTY_PLANT_UNDO_FORGETS,
        COUNTY_PLANT_MOVED_FROM_ELSEWHERE,
        COUNTY_PLANT_OFFER_UNTOLD,
        COUNTY_PLANT_OFFER_TOLD_ELSEWHERE,
        COUNTY_PLANT_TOLD_WHO_LEFT,
        COUNTY_PLANT_FOLD_TOLD_ELSEWHERE,
        COUNTY_PLANT_VIEW_FORGETS_MOVED,
        COUNTY_PLANT_VIEW_COUNTS_FOLDED_TWICE,
        COUNTY_PLANT_VIEW_KEEPS_LOOK,
        COUNTY_PLANT_VIEW_DEAF_TO_UNDOING,
        COUNTY_PLANT_VIEW_FORMER_OWNER,
        COUNTY_PLANT_VIEW_MESSAGE_STAYS,
        COUNTY_PLANT_VIEW_COUNTS_BY_HEARING,
        COUNTY_PLANTS_END,
} county_plant;

#define COUNTY_PLANTS(X)                                                                                     \
        X(COUNTY_PLANT_LOWERS, "a repeat makes open work less severe")                                       \
        X(COUNTY_PLANT_NOW_NOT_QUEUED, "look now leaves the row where it was")                               \
        X(COUNTY_PLANT_LOOK_TO_WORKER, "a quick look is left with a worker instead")                         \
        X(COUNTY_PLANT_FORGOTTEN, "one matched referral in ten gets no place")                               \
        X(COUNTY_PLANT_SECOND_EPISODE, "a repeat opens a second episode of its family")                      \
        X(COUNTY_PLANT_VERSION, "a referral is added and the version stays")                                 \
        X(COUNTY_PLANT_OTHER_FAMILY, "a referral is added under another family")                             \
        X(COUNTY_PLANT_NOBODY_DECIDED, "a decision names nobody")                                            \
        X(COUNTY_PLANT_TAKE_STAYS, "a take that is over is not ended")                                       \
        X(COUNTY_PLANT_LATER_CLOCK, "a repeat moves a queued row's clock back")                              \
        X(COUNTY_PLANT_DEAF_TO_ACCEPTANCE, "triage does not hear an acceptance")                             \
        X(COUNTY_PLANT_STALE_ACCEPTANCE, "an acceptance that came too late moves the episode")               \
        X(COUNTY_PLANT_NO_OWNER, "an episode gets no owner")                                                 \
        X(COUNTY_PLANT_NEVER_ENDS, "what is closed keeps its owner")                                         \
        X(COUNTY_PLANT_OFFER_OF_ENDED, "what has ended is offered to a team")                                \
        X(COUNTY_PLANT_DECIDED_TWICE, "one decision is recorded twice")                                      \
        X(COUNTY_PLANT_FOLD_LOWERS, "joined work is less severe than half of it")                            \
        X(COUNTY_PLANT_FOLD_ASKS_NOBODY, "joined work goes on as if half of it had been decided")            \
        X(COUNTY_PLANT_FOLD_LATER_CLOCK, "a join moves a queued row's clock back")                           \
        X(COUNTY_PLANT_DEAF_TO_JOINS, "triage does not hear that families are joined")                       \
        X(COUNTY_PLANT_DEAF_TO_UNDOING, "triage does not hear that a join is undone")                        \
        X(COUNTY_PLANT_MOVED_NOWHERE, "a moved referral gets no place")                                      \
        X(COUNTY_PLANT_MOVED_UNSEEN, "a moved referral is looked at by nobody")                              \
        X(COUNTY_PLANT_DETACH_LOWERS, "what a referral leaves becomes less severe")                          \
        X(COUNTY_PLANT_RESTORE_LOWERS, "restored work is less severe than it was")                           \
        X(COUNTY_PLANT_TWO_OWNERS, "joined work keeps both its owners")                                      \
        X(COUNTY_PLANT_RESTORED_UNOWNED, "restored work gets no owner")                                      \
        X(COUNTY_PLANT_UNDO_FORGETS, "an undone join leaves a referral without a family")                    \
        X(COUNTY_PLANT_MOVED_FROM_ELSEWHERE, "a referral is moved out of a family it was not in")            \
        X(COUNTY_PLANT_OFFER_UNTOLD, "a team is not told of an offer")                                       \
        X(COUNTY_PLANT_OFFER_TOLD_ELSEWHERE, "an offer is told to the front door instead")                   \
        X(COUNTY_PLANT_TOLD_WHO_LEFT, "a team that has left a family is told on")                            \
        X(COUNTY_PLANT_FOLD_TOLD_ELSEWHERE, "of a join another desk is told than owns")                      \
        X(COUNTY_PLANT_VIEW_FORGETS_MOVED, "the view forgets where a moved referral went")                   \
        X(COUNTY_PLANT_VIEW_COUNTS_FOLDED_TWICE, "the view counts a joined row twice")                       \
        X(COUNTY_PLANT_VIEW_KEEPS_LOOK, "the view keeps an answered look on its list")                       \
        X(COUNTY_PLANT_VIEW_DEAF_TO_UNDOING, "the view does not hear that a join is undone")                 \
        X(COUNTY_PLANT_VIEW_FORMER_OWNER, "the view passes over who owns joined work")                       \
        X(COUNTY_PLANT_VIEW_MESSAGE_STAYS, "the view keeps a message that a person has told")                \
        X(COUNTY_PLANT_VIEW_COUNTS_BY_HEARING, "a figure of the view depends on which log it read first")

/* The same core with the plant in it; `plant` 0 is the core itself. */
const door_core_ops *county_planted_deduplication(int plant);
const door_core_ops *county_planted_triage(int plant);
const door_core_ops *county_planted_allocation(int plant);
const door_core_ops *county_planted_notification(int plant);
const door_core_ops *county_planted_view(int plant);

#endif
