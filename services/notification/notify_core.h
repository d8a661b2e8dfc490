/*
 * notify_core.h - who is told what, whether it has arrived, and who is asked when it cannot.
 *
 *   what intake, triage and allocation have recorded
 *        └─► PLANNED, one a delivery; red and look-now to the desk on duty
 *
 *                      outcome: the sink has it
 *        ┌─────────┐ ─────────────────────────────► DELIVERED
 *        │ PENDING │ ◄─┐ it failed: later, again (ATTEMPT_FAILED)
 *        └─────────┘ ──┘
 *          │     ▲    hopeless, or tried too often
 *          │     └── TRIED_AGAIN ── ┌──────────┐
 *          │                        │ GIVEN UP │ a person must tell it
 *          └──────────────────────► └──────────┘
 *        from both: TOLD, somebody has telephoned
 *
 * A delivery is an effect of the machine (core.h): a row of state until its outcome is decided. Its key
 * is the file's name in the outbox and the Message-ID. Nothing is in a record or a message but ids,
 * codes, instants and fixed sentences.
 *
 * Nobody is told of history: not of records flagged so, not of imported episodes (MECHANISM section 8).
 *
 * Red and look-now have a lane of their own in the due index. Ordinary messages are under way two at a
 * time at most, so that a storm of them never keeps a red one waiting.
 */
#ifndef NOTIFY_CORE_H
#define NOTIFY_CORE_H

#include "door/core.h"
#include "door/working_time.h"

/* Numbers of the protos; the codec asserts that they are the same. */
typedef enum notify_log {
        NOTIFY_LOG_INTAKE = 1,
        NOTIFY_LOG_TRIAGE = 3,
        NOTIFY_LOG_ALLOCATION = 4,
} notify_log;

typedef enum notify_intake_type {
        NOTIFY_INTAKE_ATTEMPT_REFUSED = 18,
        NOTIFY_INTAKE_WITHDRAW_ASKED = 19,
        NOTIFY_INTAKE_AMEND_ASKED = 20,
} notify_intake_type;

typedef enum notify_triage_type {
        NOTIFY_TRIAGE_OPENED = 16,
        NOTIFY_TRIAGE_ATTACHED = 17,
        NOTIFY_TRIAGE_HISTORY = 18,
        NOTIFY_TRIAGE_LOOK_LISTED = 22,
        NOTIFY_TRIAGE_REOPENED = 28,
        NOTIFY_TRIAGE_OVERTAKEN = 29,
        NOTIFY_TRIAGE_FOLDED = 30,
        NOTIFY_TRIAGE_RESTORED = 31,
} notify_triage_type;

typedef enum notify_allot_type {
        NOTIFY_ALLOT_OFFERED = 17,
        NOTIFY_ALLOT_PLACED = 18,
        NOTIFY_ALLOT_UNROUTED = 19,
        NOTIFY_ALLOT_ACCEPTED = 20,
        NOTIFY_ALLOT_RETURNED = 21,
        NOTIFY_ALLOT_HAND_OVER = 22,
        NOTIFY_ALLOT_ENDED = 23,
        NOTIFY_ALLOT_OVERTAKEN = 24,
        NOTIFY_ALLOT_FOLDED = 25,
        NOTIFY_ALLOT_RESTORED = 26,
} notify_allot_type;

typedef enum notify_command {
        NOTIFY_TRY_AGAIN = 16,
        NOTIFY_TOLD_BY_PERSON = 17,
} notify_command;

typedef enum notify_event {
        NOTIFY_PLANNED = 16,
        NOTIFY_DELIVERED = 17,
        NOTIFY_ATTEMPT_FAILED = 18,
        NOTIFY_GIVEN_UP = 19,
        NOTIFY_TRIED_AGAIN = 20,
        NOTIFY_TOLD = 21,
        NOTIFY_OWNER_NOTED = 22,
} notify_event;

enum { NOTIFY_NOT_GIVEN_UP = 100, NOTIFY_TRAINING_ONLY = 105 };

typedef enum notify_kind {
        NOTIFY_RECEIPT = 1,
        NOTIFY_RED = 2,
        NOTIFY_LOOK_NOW = 3,
        NOTIFY_ADDED = 4,
        NOTIFY_OFFER = 5,
        NOTIFY_RETURNED = 6,
        NOTIFY_UNROUTED = 7,
        NOTIFY_OWNER_CHANGED = 8,
        NOTIFY_OVERTAKEN = 9,
        NOTIFY_LOOK_LATE = 10,
        NOTIFY_ATTEMPT_REFUSED = 11,
        NOTIFY_REQUEST = 12,
        NOTIFY_JOINED = 13,
        NOTIFY_JOIN_UNDONE = 14,
        NOTIFY_KINDS = 15,
} notify_kind;

/* Outcome codes; 0 is delivered. */
typedef enum notify_failure {
        NOTIFY_DELIVERED_WELL = 0,
        NOTIFY_UNREACHABLE = 1,
        NOTIFY_TLS = 2,
        NOTIFY_TIMED_OUT = 3,
        NOTIFY_REFUSED_FOR_NOW = 4,
        NOTIFY_REFUSED = 5,
        NOTIFY_DISK = 6,
        NOTIFY_NO_ADDRESS = 7,
} notify_failure;

/* Outcome details: by what means. */
typedef enum notify_sink {
        NOTIFY_SINK_NONE = 0,
        NOTIFY_SINK_EML = 1,
        NOTIFY_SINK_SMTP = 2,
} notify_sink;

/* `why` of a REQUEST. */
enum { NOTIFY_WHY_WITHDRAW = 1, NOTIFY_WHY_AMEND = 2 };
enum { NOTIFY_WHY_HAND_OVER = 8 /* OfferReason */ };
/* `why` of JOINED and of JOIN_UNDONE. */
enum {
        NOTIFY_WHY_YOURS = 1,
        NOTIFY_WHY_FRONT_DOORS = 2,
        NOTIFY_WHY_LEAVES = 3,
        NOTIFY_WHY_WITHDRAWN = 4,
};
enum { NOTIFY_WHY_SURVIVES = 3 };

enum {
        NOTIFY_NAME_BYTES_MAX = 63, /* of a team, an agency, a desk */
        NOTIFY_EMAIL_BYTES_MAX = 254,
        NOTIFY_EMAILS_MAX = 8, /* of one recipient */
        NOTIFY_RECIPIENTS_MAX = 2048,
        NOTIFY_PHONE_BYTES_MAX = 32,
        NOTIFY_HOLIDAYS_MAX = 1024,
        NOTIFY_ORDINARY_AT_ONCE = 2, /* messages that are neither red nor look-now */
        NOTIFY_ATTEMPT_LOOKED_AT_MS = 15 * 60 * 1000,
};

typedef struct notify_recipient {
        door_bytes id;
        size_t emails_count;
        const door_bytes *emails;
} notify_recipient;

typedef struct notify_policy {
        bool training;
        bool receipts;
        size_t recipients_count;
        const notify_recipient *recipients;
        door_bytes front_door_phone;   /* May be empty. */
        door_bytes out_of_hours_phone; /* May be empty. */
        door_bytes sender;
        uint32_t red_from;
        uint32_t amber_from;
        uint32_t attempts_max;
        uint64_t retry_first_ms;
        uint64_t retry_last_ms;
        door_working working;
} notify_policy;

extern const notify_policy notify_policy_default;

/* Where that recipient is reached; NULL when the policy does not know it, or has no address of it. */
const notify_recipient *notify_recipient_find(const notify_policy *policy, door_bytes id);

/* What a message is about: all that its text is made from. */
typedef struct notify_message {
        notify_kind kind;
        door_bytes recipient;
        bool has_referral;
        door_id referral;
        bool has_episode;
        door_id episode;
        bool has_severity;
        uint32_t severity;
        uint32_t why;    /* 0: no reason is given. */
        uint64_t due_ms; /* 0: nothing is due. */
} notify_message;

/* An upstream record, as far as somebody may have to be told of it. Intake's is its header alone. */
typedef struct notify_seen {
        bool historic;
        bool imported; /* The episode is open in replayed history only. */
        bool queued;
        bool look_now;
        bool moved; /* Its referral had a place before. */
        bool waiting;
        bool hand_over;
        bool accepted; /* FOLDED, RESTORED of allocation: the owner is a team that has accepted it. */
        bool has_referral;
        door_id referral;
        bool has_episode;
        door_id episode; /* FOLDED: the one that survives; RESTORED: what stands for itself again. */
        door_id other;   /* FOLDED: what is no more of its own; RESTORED: the survivor. */
        uint32_t severity;
        uint32_t why;
        uint64_t rag_ms; /* When the row must be decided. */
        uint64_t due_ms; /* When what is asked for must have happened; 0: not said. */
        door_bytes agency;
        door_bytes team;      /* Whom it concerns. */
        door_bytes owner;     /* From now on, where it says so. */
        door_bytes from;      /* Who owned before, where it says so. */
        door_bytes leaves;    /* FOLDED: who had accepted one of the two, and hands over. */
        door_bytes withdrawn; /* FOLDED: to whom `other` was offered. */
        door_bytes actor;
} notify_seen;

/* Commands, DELIVERED, ATTEMPT_FAILED, GIVEN_UP, TRIED_AGAIN, TOLD: about one delivery. */
typedef struct notify_about {
        door_id delivery;
        uint32_t attempts;
        notify_failure failure;
        notify_sink sink;
        uint64_t next_ms;
        door_bytes by;
} notify_about;

typedef struct notify_planned {
        door_id delivery;
        notify_message message;
        uint64_t not_before_ms;
} notify_planned;

/* Who owns an episode, as messages need it: a team, or (empty) the front door. */
typedef struct notify_owner {
        door_id episode;
        door_bytes team;
} notify_owner;

void notify_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void notify_apply(door_view *view, const door_event *event);
/* Always 0: what is due here is an effect, and the machine wakes for that itself. */
uint64_t notify_next_deadline(door_view *view);
bool notify_next_effect(door_view *view, const void *policy, uint64_t now_ms, const door_id *busy,
                        size_t busy_count, door_arena *arena, door_effect *ret_effect);

#endif
