/*
 * audit.h - a slow, obvious second opinion on the logs.
 *
 * The auditor is fed the durable records of every log in order, the durable cursors, and what
 * clients sent and were answered. It keeps its own notes and says the first thing that is
 * wrong, with the invariant's name from reference/reliability.md section 2.3. The same object
 * runs in the simulator after every step and in `frontdoor verify`. It links libsodium for
 * BLAKE2b and nothing of ours.
 *
 *   R1  answered yes        => the record is durable, before the answer left
 *   R2  same id             => one record that answers it; the same answer every time (a refusal may
 *       be decided anew once a policy has been activated since)
 *   R3  answered "not accepted" => no record of that id with that content
 *   R4  dense, chained, payloads equal their digests, `at` never back but after ClockStepped,
 *       salts never twice
 *   R5  nothing goes backwards: head, cursors, what consumers and anchors hold
 *   R6  each consumed record: at most one effect-set; exactly one where one is due
 *   R7  effects of one upstream in its order; nothing about a subject that is parked
 *   R9  at rest, all cursors are at the heads            (audit_at_rest)
 *   R10 received = awaiting match + matched + parked     (audit_at_rest, by kinds)
 *   F1  every matched referral is in exactly one family
 *   CAUSAL  what a record has seen includes what its cause had seen, and is durable
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "audit/wire.h"

enum { AUDIT_LOGS_MAX = 8, AUDIT_HASH_BYTES = 32 };

/* What the auditor's own model expects of one (consumer, upstream, type). */
typedef enum audit_due {
        AUDIT_NOT_CONSUMED = 0,
        AUDIT_MAY,  /* an effect-set or none */
        AUDIT_MUST, /* exactly one */
        AUDIT_NONE, /* consumed, and no effect may follow */
} audit_due;

/* What a record says of where it comes from. */
typedef struct audit_origin {
        uint64_t seq;
        uint32_t cause_log; /* 0: a command or a tick. */
        uint64_t cause_seq;
        const uint64_t *seen; /* AUDIT_LOGS_MAX: how far its service had read each log. */
} audit_origin;

/* What the harness tells about the system: who reads whom, and what is due. */
typedef struct audit_model {
        /* True when consumer reads upstream at all. */
        bool (*reads)(uint32_t consumer, uint32_t upstream);
        audit_due (*due)(uint32_t consumer, uint32_t upstream, uint32_t type, wire_bytes public_payload);
        /* May a record of this type answer an id that is known with other bytes? type 0: may any? */
        bool (*may_repeat)(uint32_t log, uint32_t type);
        /* NULL, or the domain's own invariants; returns a sentence at the first breach. */
        const char *(*domain)(void *context, uint32_t log, const audit_origin *origin, uint32_t type,
                              wire_bytes public_payload);
        void *context;
} audit_model;

typedef struct audit_record {
        uint64_t seq;
        const uint8_t *hash; /* 32 bytes, as the store keeps it; NULL: do not compare. */
        wire_bytes header;
        wire_bytes public_payload; /* Salted; data NULL when not given. */
        wire_bytes private_payload;
        bool payloads_given; /* False for a log read by PULL in a poorer form. */
} audit_record;

typedef struct audit audit;

audit *audit_new(const audit_model *model);
audit *audit_free(audit *a);

/* The log begins: H(0). Twice with another id is R5. */
void audit_log(audit *a, uint32_t log, const uint8_t log_id[16]);
void audit_record_durable(audit *a, uint32_t log, const audit_record *record);
/* How many records of a log have been fed. */
uint64_t audit_head(const audit *a, uint32_t log);
/* A durable cursor as the consumer's store holds it. restarted: unsynced progress may be gone. */
void audit_cursor(audit *a, uint32_t consumer, uint32_t upstream, uint64_t seq, const uint8_t *hash,
                  bool restarted);
/* A start, or an anchor: what somebody holds of the log. */
void audit_held(audit *a, uint32_t log, uint64_t seq, const uint8_t *hash, const char *by_whom);
/* A log as found on opening: it may not end before what was fed. */
void audit_reopened(audit *a, uint32_t log, uint64_t head);

typedef enum audit_outcome {
        AUDIT_DONE = 1,
        AUDIT_REFUSED = 2,
        AUDIT_RETRY = 3,
        AUDIT_MALFORMED = 4,
        AUDIT_CONFLICT = 5,
} audit_outcome;

/* A client got an answer. digest: BLAKE2b of u32 type and body, as it sent them. */
void audit_answered(audit *a, uint32_t log, const uint8_t id[32], const uint8_t digest[32],
                    audit_outcome outcome, wire_bytes answer, uint64_t not_before_log,
                    uint64_t not_before_seq);

/* Faults have stopped and everything has drained. */
void audit_at_rest(audit *a);
/* Anything the harness found itself. */
void audit_fail(audit *a, const char *invariant, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* NULL while all is well, else the first breach: "R6 log 2 seq 17: …". */
const char *audit_breach(const audit *a);

/* Figures for the harness's report. */
typedef struct audit_tally {
        uint64_t records, effects, parked, released, refused, answers, repeats;
} audit_tally;
audit_tally audit_tally_of(const audit *a);

#endif
