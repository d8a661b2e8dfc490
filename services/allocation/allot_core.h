/*
 * allot_core.h - the owner: who is responsible for an episode at every instant.
 *
 *   EPISODE_OPENED ──► OWNER_NAMED: the front door
 *   EPISODE_DECIDED ─┬─ a team fits ──► OFFERED ─┬─ ACCEPTED, lead practitioner named: the team owns
 *                    │                  │ full:  └─ RETURNED with a reason: the front door owns
 *                    │                  └─ waiting ──► OFFER_PLACED when a place comes free
 *                    ├─ none fits ─────► UNROUTED: a manager places it by hand
 *                    └─ closed ────────► ENDED
 *   owner ──► HAND_OVER_OFFERED ──► ACCEPTED by the other (owns) or RETURNED (the giver goes on owning)
 *
 *   TRIAGE_FOLDED, from ──► to ──► FOLDED: `from` has no owner and no offer of its own any more
 *        accepted before    neither: `to` stays whose it was
 *                           one:     that team owns, with its lead practitioner
 *                           both:    the higher level's, in a tie the survivor's; the other leaves
 *   TRIAGE_RESTORED ─┬─ was ACTIVE, its team still takes families ──► RESTORED to that team and its lead
 *                    ├─ was ACTIVE, its team has gone ──► RESTORED to the front door
 *                    └─ else ──► RESTORED to the front door; the survivor keeps what it has
 *
 * The owner is total: from the first word about an episode to ENDED or its fold there is exactly one at
 * every position of the log. Out of hours the Emergency Duty Team covers the front door, by definition.
 * An offer changes no owner; waiting is a state of the offer. Capacity counts accepted and offered.
 */
#ifndef ALLOT_CORE_H
#define ALLOT_CORE_H

#include "door/core.h"

/* Numbers of the protos; the codec asserts that they are the same. */
enum {
        ALLOT_LOG_TRIAGE = 3,
        ALLOT_INPUT_OPENED = 16,
        ALLOT_INPUT_DECIDED = 21,
        ALLOT_INPUT_CLOSED = 27,
        ALLOT_INPUT_REOPENED = 28,
        ALLOT_INPUT_FOLDED = 30,
        ALLOT_INPUT_RESTORED = 31,
};

typedef enum allot_command {
        ALLOT_ACCEPT = 16,
        ALLOT_RETURN = 17,
        ALLOT_HAND_OVER = 18,
        ALLOT_PLACE = 19,
} allot_command;

typedef enum allot_event {
        ALLOT_OWNER_NAMED = 16,
        ALLOT_OFFERED = 17,
        ALLOT_OFFER_PLACED = 18,
        ALLOT_UNROUTED = 19,
        ALLOT_ACCEPTED = 20,
        ALLOT_RETURNED = 21,
        ALLOT_HAND_OVER_OFFERED = 22,
        ALLOT_ENDED = 23,
        ALLOT_OVERTAKEN = 24,
        ALLOT_FOLDED = 25,
        ALLOT_RESTORED = 26,
} allot_event;

typedef enum allot_refusal {
        ALLOT_NO_OFFER = 100,
        ALLOT_NOT_YOURS = 101,
        ALLOT_NO_LEAD = 102,
        ALLOT_NO_SUCH_TEAM = 103,
        ALLOT_ALREADY_THERE = 104,
        ALLOT_TRAINING_ONLY = 105,
} allot_refusal;

typedef enum allot_why {
        ALLOT_WHY_CONTINUITY = 1,
        ALLOT_WHY_ROUTE = 2,
        ALLOT_WHY_DISTRICT = 3,
        ALLOT_WHY_AGE = 4,
        ALLOT_WHY_LEVEL = 5,
        ALLOT_WHY_CAPACITY = 6,
        ALLOT_WHY_PLACED_BY_HAND = 7,
        ALLOT_WHY_HAND_OVER = 8,
        ALLOT_WHYS = 9,
} allot_why;

typedef enum allot_team_kind {
        ALLOT_FRONT_DOOR = 1,
        ALLOT_EMERGENCY_DUTY = 2,
        ALLOT_SOCIAL_CARE = 3,
        ALLOT_EARLY_HELP = 4,
        ALLOT_EXTERNAL = 5,
} allot_team_kind;

/* Needs that a team may be there for; the order in which they are asked. */
typedef enum allot_route {
        ALLOT_ROUTE_DISABILITY = 1,
        ALLOT_ROUTE_UNBORN = 2,
        ALLOT_ROUTE_IN_CARE = 4,
        ALLOT_ROUTE_CARE_LEAVER = 8,
        ALLOT_ROUTE_ADOLESCENT = 16,
} allot_route;

enum {
        ALLOT_DISTRICT_BYTES = 9,
        ALLOT_DISTRICTS_MAX = 64, /* of one team */
        ALLOT_TEAMS_MAX = 256,
        ALLOT_RETURNED_MAX = 8, /* teams remembered to have returned one episode */
        ALLOT_LEAD_BYTES_MAX = 63,
        ALLOT_TEXT_BYTES_MAX = 2000,
        ALLOT_RETURNS_TO_A_MANAGER = 2,
        ALLOT_PLACED_PER_INPUT = 4,
};

typedef struct allot_team {
        door_bytes id;
        allot_team_kind kind;
        size_t districts_count;
        const door_bytes *districts; /* None: every district. */
        bool has_ages;
        uint8_t age_from, age_to; /* Years, inclusive. */
        uint8_t level_from, level_to;
        uint8_t routes; /* allot_route bits. */
        bool has_capacity;
        uint32_t capacity;
} allot_team;

typedef struct allot_policy {
        bool training;
        size_t teams_count;
        const allot_team *teams; /* In the order of their ids. */
} allot_policy;

/* What triage says of an episode that routing needs. */
typedef struct allot_routing {
        uint8_t district[ALLOT_DISTRICT_BYTES]; /* All 0: not known. */
        bool out_of_county;
        uint8_t routes;     /* allot_route bits that are true of it. */
        uint16_t age_bands; /* Bit n: AgeBand n, of its children. */
} allot_routing;

/* EPISODE_OPENED, DECIDED, CLOSED, REOPENED, FOLDED, RESTORED of triage. */
typedef struct allot_episode_word {
        door_id episode; /* FOLDED: the survivor. */
        uint32_t version;
        bool has_level; /* A decision has been made, and this is its level. */
        uint8_t level;
        door_id other; /* FOLDED: what is no more of its own; RESTORED: the survivor. */
        bool has_other_level;
        uint8_t other_level;
        bool imported;   /* FOLDED, RESTORED: nobody here has decided it. */
        bool active;     /* RESTORED: a team had accepted it when it was folded. */
        bool statutory;  /* Of the next step. */
        bool early_help; /* Of the next step. */
        bool to_be_offered;
        bool ends;
        allot_routing routing;
        bool has_previous;
        door_id previous;
} allot_episode_word;

/* A command: ACCEPT, RETURN, HAND_OVER, PLACE. */
typedef struct allot_act {
        door_id episode;
        door_bytes lead;
        door_bytes team;
        uint8_t reason;
        door_bytes text;
} allot_act;

/* What one of allocation's records says; which fields count is the record's (allocation.proto). */
typedef struct allot_word {
        door_id episode;
        uint32_t episode_version;
        door_bytes team;  /* OFFERED, PLACED, ACCEPTED, RETURNED, ENDED; HAND_OVER_OFFERED: to. */
        door_bytes owner; /* From this record on. */
        door_bytes from;  /* ACCEPTED: who owned before; empty for the front door's first offer. */
        door_bytes lead;
        door_bytes by;
        door_bytes text; /* Private. */
        bool waiting;
        uint16_t why; /* Bit n: allot_why n. */
        uint8_t level;
        uint32_t load;
        uint32_t capacity; /* UINT32_MAX: no bound. */
        uint64_t waited_ms;
        uint8_t reason;
        uint32_t times;
        bool hand_over;
        uint32_t acted_on;
        door_bytes offered; /* OVERTAKEN: to whom it is offered now; FOLDED: to whom `other` was. */
        door_id other;      /* FOLDED: what is no more of its own; RESTORED: the survivor. */
        bool accepted;      /* FOLDED, RESTORED: the owner is a team that has accepted it. */
        door_bytes leaves;  /* FOLDED: the team that had one of the two and has to hand over. */
} allot_word;

void allot_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void allot_apply(door_view *view, const door_event *event);
uint64_t allot_next_deadline(door_view *view);

#endif
