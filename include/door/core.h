/*
 * core.h - what a service brings to the mechanism: its brain, its codec, its declarations.
 *
 *      input ──► decide(view, policy, input) ──► events ──► apply ──► state
 *
 * A core is pure: no clock, heap, randomness, file or socket (tests/tidy/core_is_pure checks
 * its symbols). `decide` says what should happen and puts nothing; `apply` folds one event
 * into the state and cannot decline; `next_deadline` says when a tick is wanted, `next_effect`
 * what is to be done outside. All see the world through a door_view only. The same functions run in
 * production, in the simulator and in a replay.
 *
 * The codec beside the core turns bytes into its structs and back. The shell always applies
 * decode(encode(event)), never the struct it was handed, so that what was logged is what
 * was folded. Structs are borrowed from the arena they were decoded into.
 */
#ifndef DOOR_CORE_H
#define DOOR_CORE_H

#include "door/hash.h"
#include "door/id.h"
#include "door/limits.h"
#include "door/status.h"
#include "door/view.h"

/* A place in a log. log is its number in proto/door/v1/envelope.proto; 0 is nowhere. */
typedef struct door_position {
        uint32_t log;
        uint64_t seq;
} door_position;

typedef enum door_record_flag {
        DOOR_FLAG_IGNORABLE = 1,
        DOOR_FLAG_HISTORIC = 2,
        DOOR_FLAG_CLOCK_DOUBTED = 4,
} door_record_flag;

typedef enum door_input_kind {
        DOOR_INPUT_EVENT = 1, /* An upstream record of a type the core consumes. */
        DOOR_INPUT_COMMAND,
        DOOR_INPUT_TICK,    /* next_deadline has been reached. */
        DOOR_INPUT_OUTCOME, /* What next_effect named has been tried; body: door_outcome. */
} door_input_kind;

/* Rights of the peer a command came from (peers.yaml); a core may ask for them. */
typedef enum door_right {
        DOOR_RIGHT_SUBMIT = 1, /* send the service's ordinary commands */
        DOOR_RIGHT_POLICY = 2, /* activate policy, release parked records */
        DOOR_RIGHT_IMPORT = 4, /* historic referrals, the bulk lane */
        DOOR_RIGHT_VERIFY = 8, /* ask for status and checkpoints */
} door_right;

/* Command types from here on are questions to a view (record 0014); no service has others. */
enum { DOOR_QUERY_TYPE_FIRST = 256 };

/* One thing to decide about. Everything is borrowed for the call. */
typedef struct door_input {
        door_input_kind kind;
        uint32_t type;           /* Event or command type; 0 for a tick. */
        uint64_t now_ms;         /* The wall time the events will carry. */
        door_position cause;     /* EVENT: the upstream record. */
        uint32_t flags;          /* EVENT: its header's door_record_flag bits. */
        uint64_t at_ms;          /* EVENT: its header's wall time. */
        uint32_t subjects_count; /* EVENT: its header's subjects, all there is of a log read by headers. */
        const door_subject *subjects;
        door_bytes peer;           /* COMMAND: the authenticated peer's name. */
        door_bytes actor;          /* COMMAND: on whose behalf. */
        uint32_t rights;           /* COMMAND: door_right bits of the peer. */
        door_hash command_id;      /* COMMAND. */
        uint64_t expected_version; /* COMMAND: 0 when the sender named none. */
        uint8_t random[16];        /* For door_id_make. */
        bool id_known;             /* COMMAND: this id has been answered before, with other bytes. */
        const void *body;          /* The core's struct; NULL for a tick. */
} door_input;

/* A fact. Made by decide, logged, and only then folded. */
typedef struct door_event {
        uint32_t type;    /* From the service's vocabulary, 16 and up. */
        uint32_t version; /* Of the payload's layout, from 1. */
        uint32_t flags;   /* door_record_flag bits. */
        uint32_t subjects_count;
        door_subject subjects[DOOR_SUBJECTS_MAX];
        const void *body; /* The core's struct, in the batch's arena. */
        /* Known to apply only: */
        uint64_t seq;
        uint64_t at_ms;
        door_position cause;         /* log 0 when a command or a tick was the cause. */
        const door_hash *command_id; /* NULL unless a command was the cause. */
        uint64_t answer_seq; /* Of the record that answers that command; 0 unless one was the cause. */
} door_event;

/* Why a command was decided with "no". The texts are constants: no values, no personal data. */
typedef struct door_refusal {
        uint32_t reason;    /* RefusedReason of envelope.proto, or the service's own from 100. */
        const char *field;  /* JSON pointer, or NULL. */
        const char *detail; /* One sentence, or NULL. */
} door_refusal;

/*
 * What decide answers: events, or a refusal (the shell logs CommandRefused before whatever
 * events stand beside it).
 */
typedef struct door_out {
        door_arena *arena;
        uint32_t retry; /* RetryReason of envelope.proto: not now, about us; nothing is logged. */
        door_event events[DOOR_EVENTS_PER_INPUT_MAX];
        size_t events_count;
        bool refused;
        door_refusal refusal;
        const char *alert; /* NULL, or a line for the operator: a constant, no values. */
} door_out;

/*
 * door_out_event - add an event; its body must already lie in out->arena.
 *
 * Returns the event, zeroed but for type and version 1, or NULL (and the arena's latch set)
 * when the input would yield more than DOOR_EVENTS_PER_INPUT_MAX.
 */
door_event *door_out_event(door_out *out, uint32_t type, const void *body);
/* Name what an event is about; more than DOOR_SUBJECTS_MAX are left out, twice the same once. */
void door_event_subject(door_event *event, door_id_kind kind, const door_id *id);
void door_out_refuse(door_out *out, uint32_t reason, const char *field, const char *detail);

/*
 * An effect: something outside that state says is to be done, a message to be sent. It is a row of
 * committed state, named by its key for ever; it is tried until an outcome that has been decided
 * takes the row away. A crash between the two means that it is tried again: at least once.
 */
typedef struct door_effect {
        door_id key;
        uint32_t attempt; /* From 1; the one this would be. */
        uint64_t due_ms;  /* Wall; 0: at once. */
        door_bytes frame; /* What the executor needs; in the arena, set only when it is due. */
} door_effect;

/* What became of one. */
typedef struct door_outcome {
        door_id key;
        uint32_t attempt;
        uint32_t code;   /* 0: done; else the service's own word for why not. */
        uint32_t detail; /* The service's own: by what means. */
} door_outcome;

/* A record type this core wants to see. Everything else passes by without calling it. */
typedef struct door_consumed {
        uint32_t log;
        uint32_t type;
} door_consumed;

/* A type this core knows of a log but has no use for: passing over it is no accident. */
typedef door_consumed door_known;

typedef struct door_core_ops {
        const char *name; /* "intake": the process, the socket, the log in messages. */
        uint32_t log;     /* Its own log's number. */
        const door_consumed *consumes;
        size_t consumes_count;
        const door_known *knows;
        size_t knows_count;
        /* True: a command whose id is known but whose bytes differ goes to decide (id_known is
         * set), because this core knows better than the bytes what is the same. False: CONFLICT. */
        bool decides_repeats;

        /* ---- codec: bytes to structs in `arena` and back. DOOR_MALFORMED for bytes that do not
         * decode, DOOR_NO_MEMORY when the arena is full; nothing else. */
        door_status (*decode_input)(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                    door_arena *arena, const void **ret_body);
        door_status (*decode_command)(uint32_t type, door_bytes body, door_arena *arena,
                                      const void **ret_body);
        door_status (*encode_event)(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                    door_bytes *ret_private);
        door_status (*decode_event)(uint32_t type, uint32_t version, door_bytes public_payload,
                                    door_bytes private_payload, door_arena *arena, const void **ret_body);
        door_status (*decode_policy)(door_bytes content, door_arena *arena, const void **ret_policy);
        /* The body of the RESULT to the command that left this event: a function of the event only. */
        door_status (*encode_answer)(const door_event *event, door_arena *arena, door_bytes *ret_body);

        /* ---- brain: pure. */
        void (*decide)(door_view *view, const void *policy, const door_input *input, door_out *out);
        void (*apply)(door_view *view, const door_event *event);
        uint64_t (*next_deadline)(door_view *view); /* Wall ms; 0 when nothing is due ever. */
        /* NULL, or: the effect that is to be had next and is none of `busy`. False: there is none, or none
         * before one of `busy` has ended. Reads a few rows more than busy_count. `policy` as for decide. */
        bool (*next_effect)(door_view *view, const void *policy, uint64_t now_ms, const door_id *busy,
                            size_t busy_count, door_arena *arena, door_effect *ret_effect);

        /* ---- a view, which owns nothing and remembers what other logs say (record 0014). Both NULL, or
         * both set; decide is then never called for an EVENT. */
        /* Folds an upstream record into the state. Leaves no record: the logs it reads are the log. */
        void (*project)(door_view *view, const door_input *input);
        /* Answers a question: a command of a type from DOOR_QUERY_TYPE_FIRST, decoded by decode_command.
         * Puts nothing, leaves no record. DOOR_OK, or DOOR_NO_MEMORY when the arena is full. */
        door_status (*query)(door_view *view, uint32_t type, const void *body, door_arena *arena,
                             door_bytes *ret_answer);
} door_core_ops;

#endif
