/*
 * view_core.h - the gateway's read model: what five logs say, folded into what people ask for.
 *
 *   intake ──────── received, amended, disclosed ──┐
 *   deduplication ─ matched, reviewed, joined ─────┤                ┌─► queue, look list, inboxes
 *   triage ──────── opened, attached, decided, … ──┼─► view_project ┼─► family, episode, one referral's way
 *   allocation ──── offered, accepted, … ──────────┤                └─► figures, the oldest of everything
 *   notification ── planned, delivered, given up ──┘
 *
 * It owns nothing and decides nothing (decision 0014): whatever a record says has happened. A record
 * about something this view has never heard of (its own earlier records are parked) makes the row it
 * needs, so that nothing received is ever out of the sum.
 */
#ifndef VIEW_CORE_H
#define VIEW_CORE_H

#include "door/core.h"
#include "gateway/view_state.h"

/* Numbers of the protos; the codec asserts that they are the same. */
enum {
        VIEW_LOG_INTAKE = 1,
        VIEW_LOG_DEDUPLICATION = 2,
        VIEW_LOG_TRIAGE = 3,
        VIEW_LOG_ALLOCATION = 4,
        VIEW_LOG_NOTIFICATION = 5,
        VIEW_LOG_OWN = 6,
};

typedef enum view_intake_event {
        VIEW_REFERRAL_RECEIVED = 16,
        VIEW_ATTEMPT_REFUSED = 18,
        VIEW_WITHDRAW_ASKED = 19,
        VIEW_AMEND_ASKED = 20,
        VIEW_DISCLOSED = 21,
} view_intake_event;

typedef enum view_dedup_event {
        VIEW_REFERRAL_MATCHED = 16,
        VIEW_REVIEW_ANSWERED = 17,
        VIEW_FAMILIES_JOINED = 18,
        VIEW_JOIN_UNDONE = 19,
        VIEW_REFERRAL_MOVED = 20,
        VIEW_FAMILIES_RELATED = 21,
} view_dedup_event;

typedef enum view_triage_event {
        VIEW_EPISODE_OPENED = 16,
        VIEW_REFERRAL_ATTACHED = 17,
        VIEW_HISTORY_NOTED = 18,
        VIEW_TAKEN = 19,
        VIEW_TAKE_ENDED = 20,
        VIEW_DECIDED = 21,
        VIEW_LOOK_LISTED = 22,
        VIEW_LOOK_ANSWERED = 23,
        VIEW_RESPONDED = 24,
        VIEW_ACTIVATED = 25,
        VIEW_RETURNED = 26,
        VIEW_EPISODE_CLOSED = 27,
        VIEW_REOPENED = 28,
        VIEW_OVERTAKEN = 29,
        VIEW_EPISODE_FOLDED = 30,
        VIEW_RESTORED = 31,
        VIEW_FAMILY_CHANGED = 32,
        VIEW_DETACHED = 33,
        VIEW_MATCH_SETTLED = 34,
} view_triage_event;

typedef enum view_allot_event {
        VIEW_OWNER_NAMED = 16,
        VIEW_OFFER_MADE = 17,
        VIEW_OFFER_PLACED = 18,
        VIEW_UNROUTED = 19,
        VIEW_ACCEPTED = 20,
        VIEW_OFFER_RETURNED = 21,
        VIEW_HAND_OVER_OFFERED = 22,
        VIEW_OWNERSHIP_ENDED = 23,
        VIEW_ALLOT_OVERTAKEN = 24,
        VIEW_ALLOT_FOLDED = 25,
        VIEW_ALLOT_RESTORED = 26,
} view_allot_event;

typedef enum view_notify_event {
        VIEW_PLANNED = 16,
        VIEW_DELIVERED = 17,
        VIEW_ATTEMPT_FAILED = 18,
        VIEW_GIVEN_UP = 19,
        VIEW_TRIED_AGAIN = 20,
        VIEW_TOLD = 21,
} view_notify_event;

typedef enum view_way {
        VIEW_WAY_NONE = 0,
        VIEW_WITH_WORKER = 1,
        VIEW_QUICK_LOOK = 2,
        VIEW_LOOK_NOW = 3,
} view_way;

typedef enum view_look_answer {
        VIEW_NOTHING_CHANGES = 1,
        VIEW_RAISE = 2,
        VIEW_NEW_ASSESSMENT = 3,
        VIEW_NOT_THIS_FAMILY = 4,
} view_look_answer;

typedef enum view_delivery_state {
        VIEW_DELIVERY_PENDING = 1,
        VIEW_DELIVERY_DONE = 2,
        VIEW_DELIVERY_GIVEN_UP = 3,
        VIEW_DELIVERY_TOLD = 4,
} view_delivery_state;

typedef enum view_related {
        VIEW_RELATED_BY_PERSON = 1,
        VIEW_RELATED_ADULT = 2,
        VIEW_RELATED_DANGEROUS = 3,
        VIEW_RELATED_MAYBE_SAME = 4,
} view_related;

enum { VIEW_VERDICT_UNSURE = 3 };

/* FamilyWhat of view.proto. */
typedef enum view_family_what {
        VIEW_FAMILY_JOINED_HERE = 1,
        VIEW_FAMILY_JOINED_AWAY = 2,
        VIEW_FAMILY_JOIN_UNDONE = 3,
        VIEW_FAMILY_MOVED_AWAY = 4,
        VIEW_FAMILY_MOVED_HERE = 5,
        VIEW_FAMILY_REVIEWED = 6,
} view_family_what;

/* StoryWhat of view.proto. */
typedef enum view_story {
        VIEW_STORY_OPENED = 1,
        VIEW_STORY_ATTACHED = 2,
        VIEW_STORY_TAKEN = 3,
        VIEW_STORY_TAKE_ENDED = 4,
        VIEW_STORY_DECIDED = 5,
        VIEW_STORY_LOOK_LISTED = 6,
        VIEW_STORY_LOOK_ANSWERED = 7,
        VIEW_STORY_RESPONDED = 8,
        VIEW_STORY_ACTIVATED = 9,
        VIEW_STORY_RETURNED = 10,
        VIEW_STORY_CLOSED = 11,
        VIEW_STORY_REOPENED = 12,
        VIEW_STORY_OVERTAKEN = 13,
        VIEW_STORY_FOLDED = 14,
        VIEW_STORY_RESTORED = 15,
        VIEW_STORY_FAMILY_CHANGED = 16,
        VIEW_STORY_DETACHED = 17,
        VIEW_STORY_OWNER_NAMED = 18,
        VIEW_STORY_OFFERED = 19,
        VIEW_STORY_OFFER_PLACED = 20,
        VIEW_STORY_UNROUTED = 21,
        VIEW_STORY_ACCEPTED = 22,
        VIEW_STORY_OFFER_RETURNED = 23,
        VIEW_STORY_HAND_OVER_OFFERED = 24,
        VIEW_STORY_OWNERSHIP_ENDED = 25,
        VIEW_STORY_ALLOT_OVERTAKEN = 26,
        VIEW_STORY_MATCH_SETTLED = 27,
        VIEW_STORY_OWNERS_JOINED = 28,
        VIEW_STORY_HANDS_OVER = 29,
        VIEW_STORY_OWNER_RESTORED = 30,
} view_story;

/* Another family, and how it is related, or the question whether it is this one. */
typedef struct view_other {
        door_id family;
        uint8_t how; /* view_related */
        int32_t score;
        bool has_review;
        door_id review;
} view_other;

typedef struct view_assignment {
        door_id referral, family;
} view_assignment;

/*
 * What any record of the five logs says, as far as the view needs it. Which members are set follows
 * from log and type (view_codec.c); all others are zero. One struct, because forty of three members
 * each would be four times the code and no clearer.
 */
typedef struct view_fact {
        door_id referral, episode, family, delivery, review, candidate;
        bool has_referral, has_episode, has_previous, has_resend, has_family;
        door_id to; /* The other of two: family or episode. */
        bool has_review, has_moved_from;
        door_id join, moved_from;
        door_id previous, resend_of;
        door_bytes agency, by, team, owner, lead;
        uint64_t received_ms, sent_ms, rag_ms, statutory_ms, until_ms, respond_by_ms, look_by_ms;
        uint64_t not_before_ms;
        uint64_t why;
        uint32_t version, to_version, times, attempts;
        uint8_t severity, severity_own, grade, channel, decision, state, way, level, next_step;
        uint8_t answer; /* LookAnswer, ThisFamily, Verdict, CloseOutcome, ReturnReason, DeliveryFailure,
                           TakeEnd. */
        uint8_t kind;   /* DeliveryKind */
        bool historic, uncertain, waiting, restricted;
        bool two_people; /* Facts of which a join or a move needs a second person. */
        bool accepted;   /* By the owner. */
        int32_t score;
        size_t candidates_count;
        view_other candidates[VIEW_CANDIDATES_MAX];
        size_t others_count;
        const view_other *others;
        size_t assignments_count;
        const view_assignment *assignments;
        size_t people_count; /* At most VIEW_PEOPLE_MAX. */
        const view_person *people;
} view_fact;

/* Folds one record of another log; input->body is a view_fact. */
void view_project(door_view *view, const door_input *input);

/* A question, as decoded: see view.proto. */
typedef struct view_question {
        door_id id;
        door_bytes after;
        size_t rows; /* 1..VIEW_PAGE_ROWS_MAX */
        door_bytes team;
        bool given_up;
} view_question;

enum { VIEW_PAGE_ROWS_MAX = 100, VIEW_AFTER_BYTES_MAX = 96 };

#endif
