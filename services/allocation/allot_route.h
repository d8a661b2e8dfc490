/*
 * allot_route.h - which team is offered an episode, and why.
 *
 *      level and next step ──► routes ──► district and age ──► continuity, else most room
 *
 * A team that is there for a need (disability, unborn, in care, care leaver, adolescent) takes those who
 * have it, and nobody else. Ties are broken by the team's id, so that the same county decides the same.
 */
#ifndef ALLOT_ROUTE_H
#define ALLOT_ROUTE_H

#include "allocation/allot_state.h"

typedef struct allot_choice {
        const allot_team *team; /* NULL: nobody fits. */
        bool waiting;           /* Of those that fit nobody has room. */
        uint16_t why;           /* Bit n: allot_why n. */
        uint32_t load;          /* Before this one. */
} allot_choice;

/*
 * allot_choose - the team for what has been decided.
 *
 *   known  [in]  the episode as it stands: who returned it is not asked again.
 *   before [in]  the team that had the family's last episode; empty: none.
 */
allot_choice allot_choose(door_view *view, const allot_policy *policy, const allot_episode_word *decided,
                          const allot_episode *known, door_bytes before);

const allot_team *allot_team_named(const allot_policy *policy, door_bytes id);
/* The front door's id; "front-door" where a policy has none. */
door_bytes allot_front_door(const allot_policy *policy);
bool allot_has_room(const allot_team *team, uint32_t load);

#endif
