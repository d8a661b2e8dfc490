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
        DEDUP_REFERRAL_MATCHED = 16,
};

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

void dedup_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void dedup_apply(door_view *view, const door_event *event);
uint64_t dedup_next_deadline(door_view *view);

#endif
