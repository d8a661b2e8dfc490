/*
 * intake_core.h - intake's brain: what becomes of a submission.
 *
 * The rule that makes it correct: whatever arrives whole, from an agency we know, under a key
 * it has not used for something else, is received. Everything odd about it is a warning.
 *
 *   SUBMIT ──► over a bound ─────────────────► refused
 *          ──► agency unknown, peer not its ─► refused
 *          ──► command id is not its key's ──► refused
 *          ──► key known ─┬─ same content ───► REFERRAL_REPEATED: the first receipt again
 *          │              └─ other content ──► ATTEMPT_REFUSED, and refused
 *          └─► key new ──────────────────────► REFERRAL_RECEIVED
 *   WITHDRAW, AMEND ─────────────────────────► requests: WITHDRAW_ASKED, AMEND_ASKED
 *   FETCH ───────────────────────────────────► DISCLOSED, then (after it is durable) the content
 *
 * The structs below hold what intake decides on; the form itself passes through as bytes, and
 * the facts others need as an opaque pointer of the codec's. Both keep a core free of protobuf.
 */
#ifndef INTAKE_CORE_H
#define INTAKE_CORE_H

#include "door/core.h"
#include "intake/intake_state.h"

/* Numbers of intake.proto; the codec asserts that they are the same. */
typedef enum intake_command {
        INTAKE_SUBMIT = 16,
        INTAKE_WITHDRAW,
        INTAKE_AMEND,
        INTAKE_FETCH,
} intake_command;

typedef enum intake_event {
        INTAKE_REFERRAL_RECEIVED = 16,
        INTAKE_REFERRAL_REPEATED,
        INTAKE_ATTEMPT_REFUSED,
        INTAKE_WITHDRAW_ASKED,
        INTAKE_AMEND_ASKED,
        INTAKE_DISCLOSED,
} intake_event;

typedef enum intake_reason {
        INTAKE_REASON_NOT_ALLOWED = 2, /* envelope.proto's */
        INTAKE_REASON_TOO_LARGE = 3,
        INTAKE_REASON_INVALID = 4,
        INTAKE_REASON_NO_SUCH = 5,
        INTAKE_REASON_SAME_KEY_OTHER_CONTENT = 100,
        INTAKE_REASON_AGENCY_UNKNOWN = 101,
        INTAKE_REASON_KEY_NOT_THE_COMMAND_ID = 103,
} intake_reason;

enum { INTAKE_RETRY_NOT_READY = 8 /* RetryReason of envelope.proto */ };

typedef enum intake_part {
        INTAKE_PART_ORIGINAL = 0,
        INTAKE_PART_AMENDMENT,
        INTAKE_PART_ATTEMPT,
} intake_part;

typedef enum intake_warning_code {
        INTAKE_WARNING_MISSING = 1,
        INTAKE_WARNING_UNREADABLE,
        INTAKE_WARNING_CHECK_DIGIT,
        INTAKE_WARNING_IN_THE_FUTURE,
        INTAKE_WARNING_ODD,
        INTAKE_WARNING_CONTRADICTS,
        INTAKE_WARNING_OUT_OF_RANGE,
        INTAKE_WARNING_LONG,
        INTAKE_WARNING_UNRECOGNISED,
        INTAKE_WARNING_UNKNOWN_CODE,
        INTAKE_WARNING_CUT,
} intake_warning_code;

/* Fields a warning can be about; stored in KEY rows, so numbers are for ever. Pointers: codec. */
typedef enum intake_field {
        INTAKE_FIELD_REFERRAL = 0, /* The whole of it. */
        INTAKE_FIELD_RECEIVED_AT = 1,
        INTAKE_FIELD_SENT_AT = 2,
        INTAKE_FIELD_INCIDENT_AT = 3,
        INTAKE_FIELD_CONCERN_TYPE = 4,
        INTAKE_FIELD_NARRATIVE = 5,
        INTAKE_FIELD_LEVEL_ASKED = 6,
        INTAKE_FIELD_ALLEGED = 7,
        INTAKE_FIELD_UNRECOGNISED = 8,
        INTAKE_FIELD_PEOPLE = 9,
        INTAKE_FIELD_RELATIONSHIP = 10,
        INTAKE_FIELD_HOUSEHOLD = 11,
        INTAKE_FIELD_CONSENT = 12,
        INTAKE_FIELD_DO_NOT_TELL = 13,
        INTAKE_FIELD_CONFIRMS = 14,
        INTAKE_FIELD_PERSON_ROLE = 15,
        INTAKE_FIELD_PERSON_NAME = 16,
        INTAKE_FIELD_PERSON_DOB = 17,
        INTAKE_FIELD_PERSON_AGE = 18,
        INTAKE_FIELD_PERSON_EDD = 19,
        INTAKE_FIELD_PERSON_NHS_NUMBER = 20,
        INTAKE_FIELD_PERSON_UPN = 21,
        INTAKE_FIELD_PERSON_POSTCODE = 22,
        INTAKE_FIELD_PERSON_UPRN = 23,
        INTAKE_FIELDS = 24,
} intake_field;

enum {
        INTAKE_KEY_BYTES_MAX = 256,
        INTAKE_AGENCIES_MAX = 1024,
        INTAKE_AGENCY_PEERS_MAX = 32,
        INTAKE_READERS_MAX = 32,
};

/* ---- policy */

typedef struct intake_agency {
        door_bytes id;
        const door_bytes *peers;
        size_t peers_count;
} intake_agency;

typedef struct intake_policy {
        const intake_agency *agencies;
        size_t agencies_count;
        const door_bytes *readers; /* Peers that may fetch, and ask on a sender's behalf. */
        size_t readers_count;
        uint64_t future_tolerance_ms;
} intake_policy;

/* ---- commands */

/* A date as read by the codec. */
typedef enum intake_precision {
        INTAKE_DAY_UNREAD = 0, /* Nothing sent, or nothing that could be read. */
        INTAKE_DAY_EXACT,
        INTAKE_DAY_MONTH,
        INTAKE_DAY_YEAR,
} intake_precision;

typedef struct intake_day {
        bool sent; /* There was text, or a number. */
        intake_precision precision;
        int32_t days; /* Since 1970-01-01; the first of the month or year when not exact. */
} intake_day;

typedef enum intake_life {
        INTAKE_LIFE_UNKNOWN = 0,
        INTAKE_LIFE_CHILD, /* By role: child the worry is about, sibling, other child. */
        INTAKE_LIFE_UNBORN,
        INTAKE_LIFE_ADULT,
} intake_life;

typedef enum intake_number_kind {
        INTAKE_NUMBER_NHS = 1,
        INTAKE_NUMBER_UPN,
        INTAKE_NUMBER_POSTCODE,
        INTAKE_NUMBER_UPRN,
} intake_number_kind;

typedef struct intake_number {
        intake_number_kind kind;
        door_bytes text; /* As sent. */
} intake_number;

typedef struct intake_person {
        intake_life life;
        bool role_unknown; /* A word was sent that is no role we know. */
        bool named;        /* Given name or surname is there. */
        bool has_age;
        uint32_t age_years;
        intake_day dob;
        intake_day edd;
        const intake_number *numbers;
        size_t numbers_count;
} intake_person;

/* A bound of limits.h that a body broke; then nothing else of it was read. */
typedef enum intake_bound {
        INTAKE_WITHIN_BOUNDS = 0,
        INTAKE_BOUND_BYTES,
        INTAKE_BOUND_PEOPLE,
        INTAKE_BOUND_PARTS, /* Few bytes that unfold into too many fields. */
} intake_bound;

/* What intake decides on, of a referral and of an amended one. */
typedef struct intake_form {
        intake_bound bound;
        uint64_t bound_got;
        door_bytes agency;
        bool has_sent_at;
        uint64_t sent_at_ms;
        bool incident_sent;
        bool incident_read;
        uint64_t incident_at_ms;
        bool has_concern;
        bool concern_unknown;
        bool has_narrative;
        bool narrative_long; /* The rest has become attached text. */
        bool has_unrecognised;
        bool has_level;
        uint32_t level_asked;
        bool alleged_not_known;
        const uint32_t *alleged; /* Indices into people. */
        size_t alleged_count;
        uint32_t relationship_index_max; /* Highest person index named there; 0 when none. */
        uint32_t household_index_max;
        uint32_t consent_index_max;
        uint32_t do_not_tell_index_max;
        bool confirms_odd; /* Names the referral it confirms by something that is no id. */
        const intake_person *people;
        size_t people_count;
        door_hash content_digest;  /* As our encoder packs it, without sent_at. */
        door_hash likeness_digest; /* The same, folded: blanks and ASCII case do not count. */
        bool has_reference;
        door_hash reference_digest; /* Agency, its reference, incident date, persons. */
        const void *facts;          /* The codec's: passes through into the event's public payload. */
        door_bytes content;         /* The packed form, dates read: private payload and CONTENT row. */
} intake_form;

typedef struct intake_submit {
        intake_form form;
        door_bytes idempotency_key;
        bool historic;
        uint64_t historic_received_at_ms;
        uint32_t channel;
} intake_submit;

typedef struct intake_withdraw {
        bool referral_readable;
        door_id referral;
        door_bytes reason;
} intake_withdraw;

typedef struct intake_amend {
        bool referral_readable;
        door_id referral;
        door_bytes reason;
        intake_form form;
} intake_amend;

typedef struct intake_fetch {
        bool referral_readable;
        door_id referral;
        uint32_t purpose; /* 0: none named, refused. */
        uint32_t part;
        uint32_t number;
        door_bytes note;
} intake_fetch;

/* ---- events */

typedef struct intake_received {
        door_id referral;
        uint64_t received_at_ms;
        uint64_t sent_at_ms; /* Never later than received_at_ms. */
        bool historic;
        uint32_t channel;
        door_bytes agency;
        door_bytes idempotency_key;
        door_hash key_digest;
        door_hash content_digest;
        door_hash likeness_digest;
        bool has_reference;
        door_hash reference_digest;
        bool has_resend_of;
        door_id resend_of;
        intake_warnings warnings;
        const void *facts;
        door_bytes content; /* Empty in apply when the payload has been erased. */
} intake_received;

typedef struct intake_repeated {
        door_id referral;
        uint64_t received_at_ms;
        intake_warnings warnings;
} intake_repeated;

/* ATTEMPT_REFUSED and AMEND_ASKED: another content for a referral that stays as it is. */
typedef struct intake_other {
        door_id referral;
        uint64_t received_at_ms; /* AMEND_ASKED: of the referral. */
        uint64_t asked_at_ms;
        uint64_t sent_at_ms;
        uint32_t number; /* From 1. */
        door_hash content_digest;
        intake_warnings warnings;
        door_bytes reason;
        const void *facts;
        door_bytes content;
} intake_other;

typedef struct intake_withdraw_asked {
        door_id referral;
        uint64_t received_at_ms;
        uint32_t number;
        door_bytes reason;
} intake_withdraw_asked;

typedef struct intake_disclosed {
        door_id referral;
        uint32_t purpose;
        uint32_t part;
        uint32_t number;
        door_bytes note;
        door_bytes content;
} intake_disclosed;

/* ---- the brain */

/* The command id a submission must carry: BLAKE2b(u16 length of agency || agency || key). */
door_hash intake_command_id(door_bytes agency, door_bytes idempotency_key);

/*
 * intake_warn - everything to ask about a form received at received_at_ms. No clock: a fact is
 * in the future when it is later than that, by more than the tolerance.
 */
void intake_warn(const intake_form *form, uint64_t received_at_ms, uint64_t tolerance_ms,
                 intake_warnings *ret_warnings);

void intake_decide(door_view *view, const void *policy, const door_input *input, door_out *out);
void intake_apply(door_view *view, const door_event *event);
uint64_t intake_next_deadline(door_view *view);

#endif
