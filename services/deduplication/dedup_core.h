/*
 * dedup_core.h - who is who: which family a referral belongs to, and who its people are.
 *
 *   REFERRAL_RECEIVED ─► candidates (blocking keys) ─► families scored by the household as a whole
 *        ├─ best clearly over the link threshold ────► LINK: on that family's timeline
 *        ├─ plausible, or two families alike ────────► REVIEW: a family of its own now, and questions
 *        └─ nobody ──────────────────────────────────► NEW
 *   then each person within it: known, or new; two people of one referral are never the same.
 *
 * Uncertainty never delays help: a review gets its provisional family, with its own id, in the
 * same record. Nothing is merged; every link is an event with its waterfall, and the number
 * shown is the number used. Deduplication never says "repeat", only "family".
 *
 *   a person ─► ANSWER_REVIEW ─► REVIEW_ANSWERED (same: FAMILIES_JOINED with it)
 *            ─► JOIN_FAMILIES ─► FAMILIES_JOINED, and the reviews it answers
 *            ─► UNDO_JOIN     ─► JOIN_UNDONE, every referral assigned anew
 *            ─► MOVE_REFERRAL ─► REFERRAL_MOVED, with who its people are from now on
 *   A joined family's id leads on for ever; every command takes old ids.
 *
 * Bounds: candidate rows, persons and families per referral are capped below; a cap reached is
 * said in the record (`candidates_truncated`) and forbids attaching without a look.
 */
#ifndef DEDUP_CORE_H
#define DEDUP_CORE_H

#include "deduplication/dedup_match.h"
#include "deduplication/dedup_state.h"
#include "door/core.h"

/* Numbers of the protos; the codec asserts that they are the same. */
enum {
        DEDUP_LOG_INTAKE = 1,
        DEDUP_INPUT_REFERRAL_RECEIVED = 16,
};

typedef enum dedup_event {
        DEDUP_REFERRAL_MATCHED = 16,
        DEDUP_REVIEW_ANSWERED = 17,
        DEDUP_FAMILIES_JOINED = 18,
        DEDUP_JOIN_UNDONE = 19,
        DEDUP_REFERRAL_MOVED = 20,
} dedup_event;

typedef enum dedup_command {
        DEDUP_ANSWER_REVIEW = 16,
        DEDUP_JOIN_FAMILIES = 17,
        DEDUP_UNDO_JOIN = 18,
        DEDUP_MOVE_REFERRAL = 19,
} dedup_command;

typedef enum dedup_refusal {
        DEDUP_REVIEW_NOT_OPEN = 100,
        DEDUP_SAME_FAMILY = 101,
        DEDUP_JOIN_NOT_THERE = 102,
        DEDUP_SECOND_PERSON_NEEDED = 103,
        DEDUP_ASSIGNMENT_INCOMPLETE = 104,
        DEDUP_NOT_IN_FAMILY = 105,
        DEDUP_TOO_MANY = 106,
        DEDUP_TRAINING_ONLY = 107,
} dedup_refusal;

typedef enum dedup_verdict {
        DEDUP_VERDICT_SAME = 1,
        DEDUP_VERDICT_DIFFERENT = 2,
        DEDUP_VERDICT_UNSURE = 3,
} dedup_verdict;

typedef enum dedup_decision {
        DEDUP_NEW = 1,
        DEDUP_LINK = 2,
        DEDUP_REVIEW = 3,
} dedup_decision;

typedef enum dedup_doubt {
        DEDUP_DOUBT_CHILD_NOT_RESOLVED = 1,
        DEDUP_DOUBT_TOO_FEW_AGREEMENTS = 2,
        DEDUP_DOUBT_IDENTIFIER_CONFLICT = 3,
        DEDUP_DOUBT_SMALL_MARGIN = 4,
        DEDUP_DOUBT_TWIN = 5,
        DEDUP_DOUBT_SAME_NAME = 6,
        DEDUP_DOUBT_DEFAULT_DATE = 7,
        DEDUP_DOUBT_SHARED_IDENTIFIER = 8,
        DEDUP_DOUBT_TRUNCATED = 9,
        DEDUP_DOUBT_ADOPTION = 10,
        DEDUP_DOUBTS = 11,
} dedup_doubt;

enum {
        DEDUP_CANDIDATE_ROWS_MAX = 3072, /* index rows read for one referral */
        DEDUP_KEY_PERSONS_MAX = 48,      /* persons looked at under one key */
        DEDUP_MENTION_CANDIDATES_MAX = 96,
        DEDUP_PERSON_MENTIONS_MAX = 6, /* newest mentions a person is compared by */
        DEDUP_PERSON_FAMILIES_MAX = 8,
        DEDUP_FAMILIES_MAX = 48,  /* families scored for one referral */
        DEDUP_MEMBERS_MAX = 48,   /* members of the chosen family looked at */
        DEDUP_CANDIDATES_MAX = 5, /* told to people */
        DEDUP_ELSEWHERE_MAX = 16,
        DEDUP_UNMENTIONED_MAX = 16,
        DEDUP_WATERFALL_PEOPLE_MAX = 12, /* people whose steps are kept, per family */
        DEDUP_TEXT_BYTES_MAX = 2000,
        DEDUP_JOINED_REFERRALS_MAX = 200, /* of a joined family, and of one that is moved to */
        DEDUP_UNDO_MOVED_MAX = 20,        /* referrals an undo may place otherwise than they stood */
        DEDUP_UNDO_REFERRALS_MAX = DEDUP_JOINED_REFERRALS_MAX + DEDUP_UNDO_MOVED_MAX,
        DEDUP_FAMILY_MEMBERS_MAX = 256, /* of a joined family, and of one that is taken apart */
        DEDUP_PERSON_PLACES_MAX = 4096, /* mentions of a person looked through */
        DEDUP_JOIN_REVIEWS_MAX = 32,    /* reviews one join answers */
        DEDUP_FAMILY_REVIEWS_MAX = DEDUP_CANDIDATES_MAX, /* a family is asked about at its birth only */
        DEDUP_MOVED_CHILDREN_MAX = 64,
        DEDUP_NO_SEQ = 0,
};

/* The county's postcodes: rows of 7 bytes and the index of a district, sorted; empty: none known. */
typedef struct dedup_postcodes {
        size_t districts_count;
        const door_bytes *districts; /* GSS codes. */
        door_bytes rows;
} dedup_postcodes;

/* Weights in 1/1024 bit. The defaults stand in dedup_core.c; a county's policy may set others. */
typedef struct dedup_policy {
        int32_t link_threshold;
        int32_t review_threshold;
        int32_t margin;
        int32_t attach_threshold;
        int32_t attach_margin;
        int32_t person_threshold;
        bool training; /* Acting for a person is allowed. */
        dedup_postcodes postcodes;
} dedup_policy;

extern const dedup_policy dedup_policy_default;

typedef struct dedup_mention {
        dedup_features features;
        door_bytes packed; /* Of features. */
        uint64_t facts_yes;
        uint64_t facts_cannot_tell;
        bool alleged; /* To have caused harm. */
        bool adopted;
} dedup_mention;

/* REFERRAL_RECEIVED, as this core needs it. */
typedef struct dedup_received {
        door_id referral;
        uint64_t sent_at_ms;
        bool historic;
        /* Domestic or honour-based abuse, exploitation and the like, or not to be told: joining or moving
         * what holds it takes two people (RULES.md section 12). */
        bool guarded;
        size_t mentions_count;
        const dedup_mention *mentions;
        const void *facts; /* The codec's: goes into the facts block untouched. */
} dedup_received;

typedef struct dedup_person {
        door_id person;
        bool new_person;
        bool new_to_family;
        bool new_address;
        bool has_household;
        door_id household;
        int32_t score; /* Of the link to the person; 0 for a new one. */
} dedup_person;

typedef struct dedup_candidate {
        door_id family;
        int32_t score;
        uint32_t persons_agreeing;
        bool has_review;
        door_id review;
} dedup_candidate;

typedef struct dedup_elsewhere {
        uint32_t person_index;
        door_id family;
        uint8_t harm;
        bool with_children;
} dedup_elsewhere;

/* One family's (or person's) score, step by step. */
typedef struct dedup_waterfall_step {
        uint32_t person_index; /* DEDUP_NO_PERSON: about the family. */
        dedup_step step;
} dedup_waterfall_step;

enum { DEDUP_NO_PERSON = 0xFFFF };

typedef struct dedup_waterfall {
        door_id family;
        int32_t prior;
        int32_t total;
        int32_t threshold;
        size_t steps_count;
        const dedup_waterfall_step *steps;
} dedup_waterfall;

typedef struct dedup_matched {
        door_id referral;
        door_id family;
        bool historic;
        bool guarded;
        dedup_decision decision;
        int32_t score;
        int32_t margin;
        uint16_t doubts; /* Bit n: dedup_doubt n. 0: may attach without a look. */
        bool truncated;
        size_t candidates_count;
        dedup_candidate candidates[DEDUP_CANDIDATES_MAX];
        size_t elsewhere_count;
        dedup_elsewhere elsewhere[DEDUP_ELSEWHERE_MAX];
        size_t unmentioned_count;
        door_id unmentioned[DEDUP_UNMENTIONED_MAX];
        size_t persons_count;
        const dedup_person *persons;   /* In the referral's order. */
        const dedup_mention *mentions; /* The same number. */
        size_t waterfalls_count;
        const dedup_waterfall *waterfalls; /* Best first. */
        const void *facts;
        door_bytes district; /* Of the children's address; empty: not known. */
        bool out_of_county;
} dedup_matched;

/* ---- what a person asks */

typedef struct dedup_answer_body {
        door_id review;
        dedup_verdict verdict;
        door_bytes reason;
} dedup_answer_body;

typedef struct dedup_join_body {
        door_id from;
        door_id to;
        door_bytes reason;
        door_bytes second_person;
} dedup_join_body;

typedef struct dedup_assignment {
        door_id referral;
        door_id family;
} dedup_assignment;

typedef struct dedup_undo_body {
        door_id join;
        size_t assignments_count;
        const dedup_assignment *assignments;
        door_bytes reason;
} dedup_undo_body;

typedef struct dedup_move_body {
        door_id referral;
        door_id from;
        bool has_to;
        door_id to; /* Without: a family of its own. */
        door_bytes reason;
        door_bytes second_person;
} dedup_move_body;

/* ---- what comes of it. Why, and who the second person was, stand in the private payload. */

typedef struct dedup_why {
        door_bytes reason;
        door_bytes second_person;
} dedup_why;

typedef struct dedup_reviewed {
        door_id review;
        door_id referral;
        dedup_verdict verdict;
        door_id family;
        door_id candidate;
        door_id family_now; /* Same: where the referral stands from now on; else zero. */
        uint32_t still_open;
        dedup_why why;
} dedup_reviewed;

typedef struct dedup_joined {
        door_id join;
        door_id from;
        door_id to;
        bool has_review;
        door_id review;
        dedup_why why;
} dedup_joined;

typedef struct dedup_undone {
        door_id join;
        door_id from;
        door_id to;
        size_t assignments_count;
        const dedup_assignment *assignments;
        dedup_why why;
} dedup_undone;

/* One of a referral's people: who it is from now on, and who it was until now. */
typedef struct dedup_reassigned {
        uint16_t index;
        door_id person;
        door_id was;
} dedup_reassigned;

typedef struct dedup_moved {
        door_id referral;
        door_id from;
        door_id to;
        bool to_is_new;
        size_t children_count;
        const door_id *children;
        size_t people_count;
        const dedup_reassigned *people; /* All of the family's, changed or not; no professionals. */
        dedup_why why;
} dedup_moved;

/* ---- what the decision and the commands share */

/* Compares a mention with a person by the person's newest mentions but those of one record
 * (DEDUP_NO_SEQ: none), and keeps the best. False when there is nothing to compare with. */
bool dedup_person_compare(door_view *view, const dedup_features *mention, const door_id *person,
                          uint64_t except_seq, dedup_comparison *ret_best);
/* Good enough to be that member of a family the referral is known to belong to. */
bool dedup_fits_member(const dedup_policy *policy, const dedup_comparison *comparison);

void dedup_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void dedup_apply(door_view *view, const door_event *event);
uint64_t dedup_next_deadline(door_view *view);

#endif
