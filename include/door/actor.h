/*
 * actor.h - for whom a command acts: "training/<role>/<name>".
 *
 *      training/triage/jo        the front door's officer
 *      training/manager/mo       social-work-qualified manager or practice supervisor
 *      training/team-east/sam    somebody of the team whose id is "east"
 *
 * Until people sign in, acting for somebody is for training only; each core asks its policy.
 */
#ifndef DOOR_ACTOR_H
#define DOOR_ACTOR_H

#include "door/bytes.h"

typedef struct door_actor {
        door_bytes role; /* "triage", "manager", "team-east" */
        door_bytes team; /* "east"; empty for a role that is no team's. */
        door_bytes name;
} door_actor;

/* False for anything that is not of that form, or with an empty part. The parts are borrowed. */
bool door_actor_read(door_bytes actor, door_actor *ret_actor);

#endif
