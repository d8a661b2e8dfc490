/*
 * triage_core.h - the episode: what becomes of a referral once its family is known.
 *
 *   REFERRAL_MATCHED ─┬─ no open episode ──► EPISODE_OPENED ──► queued
 *                     ├─ open ─────────────► REFERRAL_ATTACHED, one of three ways (triage_rules.h)
 *                     └─ history ──────────► HISTORY_NOTED: chronology, never open
 *   FAMILIES_JOINED, JOIN_UNDONE, REFERRAL_MOVED ──► triage_join.h
 *
 *                      put back, lease over
 *                         ┌───────┐
 *                         ▼       │
 *    opened ──────────► QUEUED ◄──┴── (taken: a lease, not a state)
 *                        │ ▲ ▲ ▲
 *                 decide │ │ │ └─ look now, raised ─────────┐
 *                        │ │ └──── returned ──┐             │
 *      advice, NFA  ┌────┤ └─ reopened ─┐     │             │
 *                   ▼    ▼              │     │             │
 *                CLOSED  OFFERED ───────│─────┤             │
 *                 │ ▲        │ accepted │     │             │
 *                 │ │        ▼          │     │             │
 *                 │ └────── ACTIVE ─────│─────┴─────────────┤
 *                 └─────────────────────┘                   │
 *    replayed history ─► IMPORTED ──────────────────────────┘
 *                           └─ idle too long ─► CLOSED
 *
 *    any open ── families joined ──► FOLDED ── join undone ──► as it was, or QUEUED
 *
 * The same as a table a program obeys: triage_moves in triage_core.c, one row per event and
 * state; apply DOOR_REQUIREs it. Severity goes up by max and comes down only by a person's word in
 * a decision. The version is one more with every change a person must have seen before deciding.
 *
 * Never lost: each referral of the upstream log gets exactly one OPENED, ATTACHED or
 * HISTORY_NOTED. Never two: at every position at most one open episode per family, and per child
 * subject.
 */
#ifndef TRIAGE_CORE_H
#define TRIAGE_CORE_H

#include "door/core.h"
#include "door/working_time.h"

/* Numbers of the protos; the codec asserts that they are the same. */
enum {
        TRIAGE_LOG_DEDUPLICATION = 2,
        TRIAGE_LOG_ALLOCATION = 4,
        TRIAGE_INPUT_MATCHED = 16,
        TRIAGE_INPUT_ACCEPTED = 20,
        TRIAGE_INPUT_RETURNED = 21,
        TRIAGE_INPUT_OWNER_FOLDED = 25,
        TRIAGE_INPUT_OWNER_RESTORED = 26,
        TRIAGE_INPUT_REVIEW_ANSWERED = 17,
        TRIAGE_INPUT_FAMILIES_JOINED = 18,
        TRIAGE_INPUT_JOIN_UNDONE = 19,
        TRIAGE_INPUT_REFERRAL_MOVED = 20, /* Of deduplication; allocation's ACCEPTED has the same number. */
};

typedef enum triage_command {
        TRIAGE_TAKE = 16,
        TRIAGE_PUT_BACK = 17,
        TRIAGE_DECIDE = 18,
        TRIAGE_ANSWER_LOOK = 19,
        TRIAGE_RESPOND = 20,
        TRIAGE_CLOSE = 21,
        TRIAGE_REOPEN = 22,
} triage_command;

typedef enum triage_event {
        TRIAGE_EPISODE_OPENED = 16,
        TRIAGE_REFERRAL_ATTACHED = 17,
        TRIAGE_HISTORY_NOTED = 18,
        TRIAGE_TAKEN = 19,
        TRIAGE_TAKE_ENDED = 20,
        TRIAGE_DECIDED = 21,
        TRIAGE_LOOK_LISTED = 22,
        TRIAGE_LOOK_ANSWERED = 23,
        TRIAGE_RESPONDED = 24,
        TRIAGE_ACTIVATED = 25,
        TRIAGE_RETURNED = 26,
        TRIAGE_CLOSED = 27,
        TRIAGE_REOPENED = 28,
        TRIAGE_OVERTAKEN = 29,
        TRIAGE_EPISODE_FOLDED = 30,
        TRIAGE_RESTORED = 31,
        TRIAGE_FAMILY_CHANGED = 32,
        TRIAGE_DETACHED = 33,
        TRIAGE_MATCH_SETTLED = 34,
} triage_event;

typedef enum triage_refusal {
        TRIAGE_TAKEN_BY_OTHER = 100,
        TRIAGE_NOT_TAKEN = 101,
        TRIAGE_WRONG_STATE = 102,
        TRIAGE_AUTHORITY = 103,
        TRIAGE_LOOKS_OPEN = 104,
        TRIAGE_TRAINING_ONLY = 105,
} triage_refusal;

typedef enum triage_state {
        TRIAGE_NONE = 0,
        TRIAGE_QUEUED = 1,
        TRIAGE_OFFERED = 2,
        TRIAGE_ACTIVE = 3,
        TRIAGE_IMPORTED = 4,
        TRIAGE_STATE_CLOSED = 5,
        TRIAGE_FOLDED = 6,
        TRIAGE_STATES = 7,
} triage_state;

typedef enum triage_way {
        TRIAGE_WAY_NONE = 0, /* history: neither a look nor a clock */
        TRIAGE_WITH_WORKER = 1,
        TRIAGE_QUICK_LOOK = 2,
        TRIAGE_LOOK_NOW = 3,
} triage_way;

typedef enum triage_take_end {
        TRIAGE_TAKE_EXPIRED = 1,
        TRIAGE_TAKE_PUT_BACK = 2,
} triage_take_end;

typedef enum triage_next_step {
        TRIAGE_IMMEDIATE_PROTECTION = 1,
        TRIAGE_STRATEGY_DISCUSSION = 2,
        TRIAGE_SECTION_47 = 3,
        TRIAGE_SECTION_17 = 4,
        TRIAGE_EARLY_HELP = 5,
        TRIAGE_EXISTING_WORKER = 10,
        TRIAGE_ADVICE = 11,
        TRIAGE_NO_FURTHER_ACTION = 12,
        TRIAGE_NEXT_STEPS = 13,
} triage_next_step;

typedef enum triage_look_answer {
        TRIAGE_NOTHING_CHANGES = 1,
        TRIAGE_RAISE = 2,
        TRIAGE_NEW_ASSESSMENT = 3,
        TRIAGE_NOT_THIS_FAMILY = 4,
} triage_look_answer;

typedef enum triage_this_family {
        TRIAGE_FAMILY_YES = 1,
        TRIAGE_FAMILY_NO = 2,
        TRIAGE_FAMILY_NOT_SURE = 3,
} triage_this_family;

typedef enum triage_outcome {
        TRIAGE_HELPED = 1,
        TRIAGE_CLOSE_ADVICE = 2,
        TRIAGE_CLOSE_NO_FURTHER_ACTION = 3,
        TRIAGE_CLOSE_OTHER_COUNCIL = 4,
        TRIAGE_CONSENT_WITHDRAWN = 5,
        TRIAGE_BEFORE_THIS_SYSTEM = 6,
} triage_outcome;

enum {
        TRIAGE_CHILDREN_MAX = 64,
        TRIAGE_FLOORS_MAX = 128,
        TRIAGE_DISTRICT_BYTES_MAX = 9,
        TRIAGE_TEXT_BYTES_MAX = 2000, /* a reason a person wrote */
        TRIAGE_SEVERITY_MAX = 100,
        TRIAGE_LEVEL_MAX = 4,
        TRIAGE_ASSIGNED_MAX = 256, /* referrals an undone join names */
};

typedef struct triage_floor {
        uint32_t code;
        uint8_t severity;
} triage_floor;

/* Filled by the codec from TriagePolicy; the defaults are triage_policy_default. */
typedef struct triage_policy {
        bool training;
        bool replay_history;
        uint32_t historic_episode_days;
        uint8_t severity_red, severity_amber, severity_green, severity_ungraded;
        uint8_t red_from, amber_from;
        size_t category_floors_count;
        const triage_floor *category_floors;
        size_t flag_floors_count;
        const triage_floor *flag_floors;
        uint32_t rag_red_min, rag_amber_min, rag_green_min;
        uint32_t lease_min;
        uint32_t respond_red_min, respond_amber_working_min, respond_green_working_min;
        door_working working;
} triage_policy;

extern const triage_policy triage_policy_default;

typedef struct triage_clocks {
        uint64_t rag_ms;
        uint64_t statutory_ms;
} triage_clocks;

typedef enum triage_routing_flag {
        TRIAGE_ROUTE_OUT_OF_COUNTY = 1,
        TRIAGE_ROUTE_DISABILITY = 2,
        TRIAGE_ROUTE_UNBORN = 4,
        TRIAGE_ROUTE_IN_CARE = 8,
        TRIAGE_ROUTE_CARE_LEAVER = 16,
        TRIAGE_ROUTE_ADOLESCENT = 32,
} triage_routing_flag;

typedef struct triage_routing {
        uint8_t district[TRIAGE_DISTRICT_BYTES_MAX]; /* GSS code; all 0: not known. */
        uint8_t flags;                               /* triage_routing_flag bits. */
        uint16_t age_bands;                          /* Bit n: AgeBand n, of children. */
} triage_routing;

/* Somebody in the referral, as the facts block tells it. */
typedef struct triage_person {
        door_id person;
        bool child;
        uint8_t age_band;
        bool new_to_family;
        bool new_address;
        bool alleged;
        uint64_t facts_yes;
        uint64_t facts_cannot_tell;
} triage_person;

/* REFERRAL_MATCHED. */
typedef struct triage_matched {
        door_id referral;
        door_id family;
        door_bytes agency;
        uint64_t sent_at_ms;
        uint64_t received_at_ms;
        uint8_t grade; /* Grade of the proto. */
        bool historic;
        bool uncertain; /* A review is open. */
        bool doubted;   /* May not be attached without a look. */
        bool elsewhere_dangerous;
        bool public_or_anonymous;
        uint8_t level_asked; /* 0: not asked. */
        uint64_t categories; /* Bit n: Category n. */
        uint64_t flags;      /* Bit n: Flag n. */
        bool unmentioned;    /* Children of the household it does not mention. */
        bool has_resend;
        door_id resend_of;
        triage_routing routing;
        size_t people_count;
        const triage_person *people;
} triage_matched;

/* ---- commands */

typedef struct triage_decide_body {
        door_id episode;
        uint8_t level;
        uint8_t next_step;
        door_bytes reason;
        door_bytes second_person;
        bool has_severity;
        uint8_t severity;
} triage_decide_body;

/* ANSWER_LOOK, RESPOND, CLOSE, REOPEN, TAKE, PUT_BACK: what they share. */
typedef struct triage_act {
        door_id episode;
        door_id referral; /* ANSWER_LOOK, RESPOND. */
        uint8_t answer;   /* triage_look_answer, triage_this_family or triage_outcome. */
        door_bytes text;  /* What a person wrote. */
        bool has_children_seen;
        bool children_seen;
} triage_act;

/* ACCEPTED and RETURNED of allocation. */
typedef struct triage_allotted {
        door_id episode;
        uint32_t episode_version;
        door_bytes team;
        bool hand_over;
        bool keeps; /* RETURNED: the team returned an offer and holds the family all the same. */
} triage_allotted;

/* OWNER_FOLDED and OWNER_RESTORED of allocation: who owns what has been joined or parted. */
typedef struct triage_owned {
        door_id episode; /* FOLDED: the surviving one. */
        uint32_t episode_version;
        door_bytes owner;
        bool accepted; /* It is a team that has accepted; else the front door. */
} triage_owned;

typedef struct triage_assigned {
        door_id referral;
        door_id family;
} triage_assigned;

/* REVIEW_ANSWERED, FAMILIES_JOINED, JOIN_UNDONE, REFERRAL_MOVED: what a person said of who is who. */
typedef struct triage_regrouped {
        door_id join; /* JOINED, UNDONE. */
        door_id from;
        door_id to;
        door_id referral;    /* MOVED, ANSWERED. */
        uint32_t still_open; /* ANSWERED: reviews left about its family. */
        size_t children_count;
        const door_id *children; /* MOVED. */
        size_t assigned_count;
        const triage_assigned *assigned; /* UNDONE. */
} triage_regrouped;

/* ---- events */

/* EPISODE_OPENED, REFERRAL_ATTACHED, HISTORY_NOTED: a referral has found its place. */
typedef struct triage_placed {
        door_id episode; /* Not of HISTORY_NOTED. */
        uint32_t version;
        door_id referral;
        door_id family;
        uint64_t received_at_ms;
        uint64_t sent_at_ms;
        door_bytes agency;
        uint8_t grade;
        uint64_t categories;
        triage_way way;
        triage_state state;
        uint64_t why; /* Bit n: RepeatReason n. */
        uint8_t severity_own;
        uint8_t severity;
        triage_clocks clocks;
        uint64_t respond_by_ms;     /* WITH_WORKER: the team's answer; 0: none. */
        uint64_t look_by_ms;        /* The referral's own receipt clock. */
        uint64_t idle_at_ms;        /* Replayed history: open no longer than until then; 0: no bound. */
        triage_routing routing;     /* Of the episode from now on. */
        triage_routing routing_own; /* Of the referral. */
        bool has_previous;
        door_id previous;
        bool uncertain;
        bool historic;
        bool has_resend;
        door_id resend_of;
        bool has_moved_from; /* A person moved the referral here. */
        door_id moved_from;
        size_t children_count;
        const door_id *children; /* OPENED: the subjects. ATTACHED: those who are not yet. */
} triage_placed;

/* TAKEN, TAKE_ENDED. */
typedef struct triage_take {
        door_id episode;
        uint64_t until_ms;
        triage_take_end end;
        door_bytes by;
} triage_take;

typedef struct triage_decided {
        door_id episode;
        uint32_t version;
        uint8_t level;
        uint8_t next_step;
        triage_state state;
        door_bytes by;
        door_bytes second_person;
        uint8_t severity;
        triage_routing routing;
        bool has_previous;
        door_id previous;
        uint32_t referrals;
        door_bytes reason; /* Private. */
        size_t children_count;
        const door_id *children;
} triage_decided;

/* LOOK_LISTED, LOOK_ANSWERED, RESPONDED: about one attached referral. */
typedef struct triage_looked {
        door_id episode;
        uint32_t version;
        door_id referral;
        uint8_t answer;
        uint8_t why; /* LOOK_LISTED: RepeatReason. */
        uint64_t look_by_ms;
        triage_state state;
        uint32_t looks_left;
        door_bytes by;
        bool has_children_seen;
        bool children_seen;
        door_bytes text; /* Private. */
} triage_looked;

/* ACTIVATED, RETURNED, CLOSED, REOPENED, OVERTAKEN: the episode as a whole moves, or does not. */
typedef struct triage_moved {
        door_id episode;
        uint32_t version;
        door_bytes team;      /* ACTIVATED, RETURNED; OVERTAKEN by allocation's word. */
        uint32_t times;       /* RETURNED. */
        uint8_t outcome;      /* CLOSED. */
        door_bytes by;        /* CLOSED, REOPENED, OVERTAKEN; may be empty. */
        uint8_t severity;     /* REOPENED. */
        triage_clocks clocks; /* REOPENED. */
        uint32_t acted_on;    /* OVERTAKEN. */
        bool team_holds; /* RETURNED, OVERTAKEN with a team: it holds the family, or (false) no longer. */
        door_bytes text; /* Private. */
} triage_moved;

/* EPISODE_FOLDED: `to` is what `from` lives on in. */
typedef struct triage_folded {
        door_id from;
        door_id to;
        uint32_t from_version;
        uint32_t to_version;
        door_id family; /* Of `to`, from now on the fields below too. */
        door_id family_before;
        uint8_t severity;
        triage_clocks clocks;
        triage_state state;
        uint8_t from_level;
        uint8_t to_level;
        bool has_join;
        door_id join;
        door_bytes team;
        triage_routing routing;
        uint64_t idle_at_ms;
} triage_folded;

/* RESTORED. */
typedef struct triage_restored {
        door_id episode;
        uint32_t version;
        door_id survivor;
        uint32_t survivor_version;
        door_id family;
        uint8_t severity;
        triage_clocks clocks;
        triage_state state;
        door_id join;
        door_bytes team;
} triage_restored;

/* FAMILY_CHANGED, DETACHED, MATCH_SETTLED. */
typedef struct triage_regroup {
        door_id episode;
        uint32_t version;
        door_id from; /* FAMILY_CHANGED. */
        door_id to;
        bool has_join;
        door_id join;
        door_id referral; /* DETACHED. */
        uint8_t severity;
        size_t children_count;
        const door_id *children; /* DETACHED. */
} triage_regroup;

void triage_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void triage_apply(door_view *view, const door_event *event);
uint64_t triage_next_deadline(door_view *view);

/* What happens to a state; TRIAGE_NONE where the event may not happen in it. For apply and the tests. */
bool triage_may(triage_event event, triage_state from, triage_state to);

#endif
