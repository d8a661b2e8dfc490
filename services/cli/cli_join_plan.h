/*
 * cli_join_plan.h - what joining two families, or undoing it, would come to: computed from the view's
 * answers, so that a person sees it before anything is sent. Pure.
 */
#ifndef CLI_JOIN_PLAN_H
#define CLI_JOIN_PLAN_H

#include "door/id.h"
#include "door/limits.h"
#include "door/v1/view.pb-c.h"

enum { CLI_ASSIGNED_MAX = DOOR_SCAN_ROWS_MAX };

typedef struct cli_assigned {
        door_id referral;
        bool to_from;       /* To the family that was joined away; else it stays. */
        bool stood_in_from; /* Before the join. */
} cli_assigned;

typedef struct cli_undo_plan {
        size_t count;
        bool truncated; /* There are more than one undoing can assign. */
        cli_assigned rows[CLI_ASSIGNED_MAX];
} cli_undo_plan;

/* Adds a page of the join's referrals: those that stood in `from` go back to it, the later ones stay. */
void cli_undo_plan_add(cli_undo_plan *plan, const Door__V1__JoinStory *page);
/*
 * Gives the referrals of a list "R-…,R-…" to `from` too. False when one of them is no id, or not in the
 * joined family; *ret_wrong is where in the list it begins.
 */
bool cli_undo_plan_name(cli_undo_plan *plan, const char *list, const char **ret_wrong);
size_t cli_undo_plan_going(const cli_undo_plan *plan);

/* The open work that goes on when two families are joined: of all that is open, what was opened first. */
const Door__V1__EpisodeLine *cli_join_goes_on(const Door__V1__FamilyStory *a, const Door__V1__FamilyStory *b);
bool cli_join_is_open(const Door__V1__EpisodeLine *episode);
size_t cli_join_open_count(const Door__V1__FamilyStory *family);

#endif
