/*
 * step.h - the inside of the machine, shared by its files and nobody else:
 *
 *   service_step.c   happenings, the batch (decide, append, apply, commit), clock, end
 *   step_upstream.c  reading other logs: pulls, checks of what arrives, hold-back
 *   step_serve.c     being read: pulls answered, status, checkpoints
 *   step_commands.c  being asked: admission, the queue, results
 *   step_effects.c   what is to be done outside, and what became of it
 *   step_view.c      a core that remembers other logs and answers questions
 *
 * Memory: everything is taken in door_shell_new but the copies of waiting commands, which are
 * bounded in number and bytes. Three arenas, by how long their content lives: `scratch` one
 * step, `out` until the next step (frames wished to be sent), `batch` until its COMMITTED.
 */
#ifndef DOOR_SHELL_STEP_H
#define DOOR_SHELL_STEP_H

#include "shell/frame.h"
#include "shell/plant.h"
#include "shell/service_step.h"
#include "shell/shell_state.h"

/* Intake's number: the log whose consumption `settled` is counted in (MECHANISM section 7). */
enum { STEP_LOG_SETTLED = 1 };

enum {
        STEP_RECORDS_MAX = 1024, /* records one commit may hold */
        STEP_OUT_ARENA_BYTES = 8 * DOOR_MIB,
        STEP_POLICY_ARENA_BYTES = 32 * DOOR_POLICY_BYTES_MAX, /* a section, and what it unfolds into */
        STEP_SERVED_PER_STEP = 2,                             /* BATCH frames packed in one step */
        STEP_CREDIT_BYTES = DOOR_MIB,
        STEP_REFUSED_WAIT_MS = 1000,    /* after a REFUSE that may pass */
        STEP_ACTORS_MAX = 64,           /* rate-limit buckets */
        STEP_MALFORMED_PER_SECOND = 10, /* MALFORMED answers one peer gets */
        STEP_RETRY_MS = 500,
};

/* Records received from one BATCH, checked, waiting to be decided. */
typedef struct inbox {
        door_arena arena;
        size_t count; /* 0: free. */
        size_t next;  /* First not yet committed. */
        door_header *headers;
        door_hash *hashes;
        door_bytes *payloads; /* Without salt; empty where there is none. */
} inbox;

typedef struct upstream {
        const door_upstream *config;
        door_cursor durable;
        uint64_t received_seq; /* Checked and in an inbox, or durable. */
        door_hash received_hash;
        inbox inboxes[2];
        size_t first; /* The inbox whose records come first. */
        size_t taken; /* Records of this upstream in the batch under way. */
        bool pulling; /* A PULL is out. */
        uint64_t asked_ms;
        uint64_t wait_until_ms; /* No pull before (mono). */
        bool stopped;           /* UPSTREAM_NEWER: stays, others go on. */
        uint64_t head;          /* As last heard. */
        uint64_t heard_wall_ms;
} upstream;

/* A command waiting in a lane. */
typedef struct waiting {
        uint8_t *frame; /* NULL: slot free. Owned. */
        size_t frame_len;
        uint64_t route;
        size_t peer;
        uint64_t arrived_ms; /* mono */
        uint32_t lane;
        size_t wants_count; /* not_before */
        door_position wants[DOOR_SEEN_MAX];
        size_t next; /* Index of the next in its lane, or the free list; STEP_NONE ends. */
        bool in_batch;
} waiting;

#define STEP_NONE SIZE_MAX

typedef struct command_lane {
        size_t first;
        size_t last;
        size_t count;
} command_lane;

/* What a view answers a question, and what it had consumed then (record 0014). */
typedef struct step_view_answer {
        door_bytes body;
        size_t seen_count;
        door_position seen[DOOR_UPSTREAMS_MAX + 1];
} step_view_answer;

/* Whom to answer once the batch is durable, and from which record. */
typedef struct answer {
        size_t slot;
        uint64_t seq;              /* Of the record the answer is computed from; 0: see outcome. */
        bool repeated;             /* That record answered the same command before. */
        Door__V1__Outcome outcome; /* When seq is 0. */
        uint32_t retry_reason;
        const step_view_answer *view; /* A question's; NULL unless one was asked. In the batch's arena. */
        door_hash command_id;
} answer;

/* A PULL held open until something comes. One per peer. */
typedef struct held_pull {
        bool open;
        uint64_t route;
        uint64_t after_seq;
        door_form form;
        size_t credit_records;
        size_t credit_bytes;
        uint64_t since_ms;
} held_pull;

typedef struct peer_standing {
        held_pull held;
        uint64_t settled;
        bool settled_known;
        uint64_t malformed_second; /* mono / 1000 of the last MALFORMED answer, and how many in it */
        uint32_t malformed_count;
} peer_standing;

typedef struct actor_bucket {
        char name[DOOR_NAME_BYTES_MAX];
        uint64_t refilled_ms;
        uint64_t tokens_milli;
} actor_bucket;

/* An effect under way, or one whose outcome waits to be decided. */
typedef struct step_effect {
        bool used;
        bool ended;           /* outcome says how. */
        bool in_batch;        /* The batch under way decides the outcome. */
        door_outcome outcome; /* key and attempt from the start. */
} step_effect;

/* The batch under way: being decided, or being committed. */
typedef struct step_batch {
        door_view view;
        door_record *records;
        size_t records_count;
        size_t bytes;
        size_t inputs;
        uint32_t draws; /* Seeds drawn for inputs. */
        int32_t parked_change;
        size_t limit;    /* Inputs it may take; lowered when the arena was full. */
        bool park_first; /* The first input did not fit alone: park or refuse it. */
        uint64_t head;   /* Seq of its last record, or the durable head. */
        door_hash head_hash;
        uint64_t at_ms; /* Of its last record. */
        door_cursor cursors[DOOR_UPSTREAMS_MAX];
        door_position others[DOOR_SEEN_MAX]; /* seen of logs it does not read. */
        size_t others_count;
        uint64_t settled_seen; /* What its last record, or the durable one, had seen of intake's log. */
        answer answers[DOOR_BATCH_INPUTS_MAX];
        size_t answers_count;
        bool closed; /* A policy was activated: the next input belongs to the next batch. */
        bool clock_stepped;
        door_commit commit;
} step_batch;

struct door_shell {
        door_shell_config config;
        const door_core_ops *core;
        const door_store_port *store;

        uint64_t head; /* Durable. */
        door_hash head_hash;
        uint64_t last_at_ms;
        uint8_t log_id[16];
        door_position others[DOOR_SEEN_MAX]; /* Durable. */
        size_t others_count;
        uint64_t settled_seen; /* What the durable head had seen of intake's log. */

        upstream upstreams[DOOR_UPSTREAMS_MAX];
        size_t upstreams_count;
        size_t turn; /* Which upstream a round begins with. */

        const door_peer *peers;
        size_t peers_count;
        peer_standing standings[DOOR_PEERS_MAX];

        waiting slots[DOOR_COMMANDS_QUEUED_MAX];
        size_t free_first;
        command_lane lanes[3];
        size_t queued_bytes;
        actor_bucket actors[STEP_ACTORS_MAX];

        step_batch batch;
        bool committing;
        door_out decided;          /* What decide last answered; used up before the next. */
        uint64_t anchor_wished_ms; /* mono */
        uint64_t anchored_seq;

        step_effect effects[DOOR_EFFECTS_MAX];

        door_arena policy_arena;
        const void *policy;
        uint64_t policy_seq;
        char policy_version[DOOR_NAME_BYTES_MAX];

        /* Clock: wall minus mono at the last turn, and until when steps make it doubted. */
        bool clock_known;
        int64_t clock_offset_ms;
        uint64_t doubted_until_ms; /* mono */
        bool step_due;
        uint64_t step_from_ms;
        uint64_t step_to_ms;

        /* Care after starts that died at one cursor. */
        bool careful;
        uint32_t careful_left; /* Inputs to decide with care before trust returns. */
        bool note_pending;
        bool note_written;
        uint8_t note[2 + DOOR_HASH_BYTES]; /* Deaths while deciding it, and the input last noted. */
        size_t note_len;

        bool checkpointing;
        uint64_t checkpoint_route;

        uint64_t started_wall_ms;
        bool started;
        bool stopping;
        bool ended;

        door_arena scratch;
        door_arena out;
        door_arena batch_arena;
        void *memory;

        door_shell_counters counters;
        const door_happening *now; /* The happening under way. */
        door_wishes *wishes;
};

/* ---- service_step.c */
door_wish *step_wish(door_shell *shell, door_wish_kind kind);
void step_send(door_shell *shell, door_channel channel, uint64_t route, size_t upstream,
               Door__V1__Frame *frame);
void step_alert(door_shell *shell, door_status status, const char *text, uint32_t log, uint64_t seq);
void step_end(door_shell *shell, int exit_code, door_status status, const char *text);
/* Wake no later than this (mono). */
void step_wake_by(door_shell *shell, uint64_t mono_ms);
/* The highest intake seq finished here and by our consumers along the chain. */
uint64_t step_settled(const door_shell *shell);

/* ---- step_upstream.c */
size_t step_upstream_memory(size_t upstreams);
door_status step_upstream_init(door_shell *shell, uint8_t **memory);
void step_upstream_frame(door_shell *shell, size_t index);
void step_upstream_turn(door_shell *shell);
/* The next record that may be decided now, or NULL; *ret_box names where it lies. */
const door_header *step_upstream_peek(door_shell *shell, size_t index, door_bytes *ret_payload,
                                      door_hash *ret_hash);
/* What the last batch took is durable. */
void step_upstream_committed(door_shell *shell);

/* ---- step_serve.c */
void step_serve_frame(door_shell *shell, size_t peer, const Door__V1__Frame *frame);
void step_serve_turn(door_shell *shell);
void step_status_answer(door_shell *shell, door_channel channel, uint64_t route);

/* ---- step_commands.c */
void step_commands_init(door_shell *shell);
void step_commands_free(door_shell *shell);
void step_commands_frame(door_shell *shell, size_t peer, const Door__V1__Frame *frame);
void step_commands_malformed(door_shell *shell, size_t peer);
/* Give up what has waited too long for its not_before, or everything when stopping. */
void step_commands_turn(door_shell *shell);
/* The next command in order of lanes not yet in the batch whose not_before is reached. */
size_t step_commands_peek(door_shell *shell, bool urgent_only);
void step_commands_answer(door_shell *shell);
void step_commands_retry(door_shell *shell, size_t slot, Door__V1__RetryReason reason);
void step_commands_drop(door_shell *shell, size_t slot);

/* ---- step_effects.c */
/* Wish for what `reader` says is due, as far as there is room; wake when the next falls due. */
void step_effects_turn(door_shell *shell, const door_reader *reader);
/* EFFECT has been told. */
void step_effects_ended(door_shell *shell);
/* The next outcome not yet in the batch, or NULL. */
step_effect *step_effects_peek(door_shell *shell);
/* A batch begins anew: nothing is in it. */
void step_effects_untake(door_shell *shell);
/* What the last batch decided is durable. */
void step_effects_committed(door_shell *shell);
#ifdef DOOR_PLANTED_FAULTS
void step_effects_plant(door_shell *shell);
#else
#define step_effects_plant(shell) ((void)(shell))
#endif

/* ---- step_view.c */
/* True when the core is a view and the input was an event: it has been folded, nothing is to be decided. */
bool step_view_project(door_shell *shell, const door_input *input);
/* Is this command a question, and the core a view? */
bool step_view_asked(const door_shell *shell, const Door__V1__Command *command);
/*
 * Asks the view as the batch under way has made it so far. DOOR_OK; DOOR_MALFORMED when the question
 * does not decode; DOOR_NO_MEMORY; anything else: the state cannot be read.
 */
door_status step_view_ask(door_shell *shell, const Door__V1__Command *command,
                          const step_view_answer **ret_answer);

#endif
