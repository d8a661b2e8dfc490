/*
 * service_step.h - the machine every service is: told what happened, it says what to do.
 *
 *      happening ──► door_shell_step ──► wishes: frames to send, one commit, a timer, an end
 *
 * Pull protocol, credit, prefetch, causal hold-back, batching, command results, parking,
 * admission, clock steps and shutdown live here and nowhere else. The machine reads the store
 * through its port and never writes; it knows no socket, file or clock. service_run.c carries
 * happenings in and wishes out for real; tests/sim does the same in virtual time with the
 * very same object file.
 *
 * The order that makes it safe, written once:
 *
 *      decide, append, apply     the overlay runs ahead of the disk
 *      commit                    one atomic, synced write: records, state, cursors
 *      answer                    results, refusals and records leave only now
 *
 * Happy path of one input: FRAME (queued) … TURN (a batch is what has arrived; COMMIT wish)
 * … COMMITTED (RESULT and BATCH frames). Failure modes: a failed or unknown commit ends the
 * process (exit 1: be restarted, verify, go on); a regressed log ends it with exit 3 (stay
 * down, a person decides).
 */
#ifndef DOOR_SHELL_SERVICE_STEP_H
#define DOOR_SHELL_SERVICE_STEP_H

#include "door/calendar.h"
#include "door/core.h"
#include "shell/store.h"

/* What a named peer may do, from peers.yaml. */
typedef enum door_verb {
        DOOR_VERB_PULL = 1,
        DOOR_VERB_COMMAND = 2,
        DOOR_VERB_STATUS = 4,
        DOOR_VERB_CHECKPOINT = 8,
} door_verb;

typedef struct door_peer {
        char name[DOOR_NAME_BYTES_MAX];
        uint32_t verbs;  /* door_verb bits. */
        uint32_t rights; /* door_right bits. */
        bool may_read;   /* This service's log at all. */
        door_form form;  /* The richest form it may read it in: HEADERS or PUBLIC. */
        bool settles;    /* This consumer's `settled` bounds ours (along the chain, never back). */
        /* Actors it may speak for: "*" for any, else an exact name or a prefix ending in '/'. */
        char speaks_for[DOOR_NAME_BYTES_MAX];
} door_peer;

typedef enum door_channel {
        DOOR_CHANNEL_PULL = 1, /* our pull socket: consumers ask */
        DOOR_CHANNEL_COMMAND,  /* our command socket: clients ask */
        DOOR_CHANNEL_UPSTREAM, /* our connection to an upstream's pull socket */
} door_channel;

typedef struct door_upstream {
        uint32_t log;
        const char *name;
        door_form form;
} door_upstream;

/*
 * Bounds the machine works within; 0 is the one of limits.h. Programs leave them all 0. The
 * simulator makes them small, because what happens at a bound nobody reaches is not tested.
 */
typedef struct door_shell_bounds {
        size_t batch_arena_bytes; /* DOOR_BATCH_ARENA_BYTES */
        size_t out_arena_bytes;   /* of the frames of one step */
        uint32_t parked_max;      /* DOOR_PARKED_MAX */
} door_shell_bounds;

/* What a machine is made of. Planted faults are no setting: see plant.h. */
typedef struct door_shell_config {
        const door_core_ops *core;
        const door_store_port *store;
        door_standing standing; /* What the opened store said. */
        const door_upstream *upstreams;
        size_t upstreams_count;
        const door_peer *peers; /* Borrowed until replaced by a PEERS happening. */
        size_t peers_count;
        const char *version;      /* The program's, for STATUS. */
        uint32_t starts_here;     /* Starts so far that died at these cursors (the NOTE file). */
        door_bytes noted;         /* What the last careful start was deciding when it died; may be empty.
                                   * Borrowed, and the same, for as long as the shell lives. */
        uint32_t rate_per_minute; /* Commands an actor may send; 0: no limit. */
        door_shell_bounds bounds;
} door_shell_config;

typedef enum door_happening_kind {
        DOOR_HAPPENING_START = 1,  /* once, first */
        DOOR_HAPPENING_FRAME,      /* bytes arrived on a channel */
        DOOR_HAPPENING_TURN,       /* everything that had arrived has been told; now work */
        DOOR_HAPPENING_COMMITTED,  /* the commit wished for has ended with `status` */
        DOOR_HAPPENING_NOTED,      /* the note wished for is written */
        DOOR_HAPPENING_CHECKPOINT, /* the checkpoint wished for has ended with `status` */
        DOOR_HAPPENING_EFFECT,     /* an effect wished for has ended as `outcome` says */
        DOOR_HAPPENING_PEERS,      /* the list of peers was read anew */
        DOOR_HAPPENING_STOP,       /* asked to end */
} door_happening_kind;

typedef enum door_disk {
        DOOR_DISK_OK = 0,
        DOOR_DISK_LOW, /* under the floor: only the urgent lane */
        DOOR_DISK_FULL /* under the urgent lane's reserve too */
} door_disk;

typedef struct door_happening {
        door_happening_kind kind;
        door_now now;
        uint8_t random[32]; /* Fresh in every happening; ids and salts are drawn from it. */
        door_disk disk;
        /* FRAME */
        door_channel channel;
        size_t upstream;  /* UPSTREAM: index into config. */
        uint64_t route;   /* PULL, COMMAND: whom an answer goes to. */
        const char *peer; /* PULL, COMMAND: the authenticated name. */
        door_bytes frame; /* Borrowed for the call. */
        /* COMMITTED, CHECKPOINT */
        door_status status;
        const char *path; /* CHECKPOINT: where it lies. */
        /* EFFECT */
        door_outcome outcome;
        /* PEERS */
        const door_peer *peers;
        size_t peers_count;
} door_happening;

typedef enum door_wish_kind {
        DOOR_WISH_SEND = 1,   /* frame to channel/route or channel/upstream; failing is harmless */
        DOOR_WISH_RECONNECT,  /* drop the upstream's socket, make a new one */
        DOOR_WISH_COMMIT,     /* carry `commit` to the store, then say COMMITTED */
        DOOR_WISH_NOTE,       /* remember `note` beside the starts, then say NOTED */
        DOOR_WISH_ANCHOR,     /* write (log id, seq, hash) to the anchor file; may be skipped if one
                               * is under way: the next commit asks again */
        DOOR_WISH_CHECKPOINT, /* copy the database, then say CHECKPOINT */
        DOOR_WISH_EFFECT,     /* try `effect`, then say EFFECT; what causes it is durable */
        DOOR_WISH_ALERT,      /* one line for the operator: `text` is a constant, no values but log/seq */
        DOOR_WISH_END,        /* leave with exit_code; nothing else will be wished for */
} door_wish_kind;

enum { DOOR_EXIT_OK = 0, DOOR_EXIT_RESTART = 1, DOOR_EXIT_STAY_DOWN = 3 };

typedef struct door_wish {
        door_wish_kind kind;
        door_channel channel;
        size_t upstream;
        uint64_t route;
        door_bytes frame; /* SEND, NOTE. */
        door_effect effect;
        const door_commit *commit;
        uint64_t seq;       /* ANCHOR, ALERT. */
        uint32_t log;       /* ALERT. */
        door_hash hash;     /* ANCHOR. */
        int exit_code;      /* END. */
        door_status reason; /* END, ALERT. */
        const char *text;   /* ALERT, END: a constant. */
} door_wish;

enum { DOOR_WISHES_MAX = 2 * DOOR_BATCH_INPUTS_MAX + DOOR_EFFECTS_MAX + 64 };

typedef struct door_wishes {
        door_wish items[DOOR_WISHES_MAX];
        size_t count;
        uint64_t wake_mono_ms; /* Come back with TURN at the latest then. */
        bool again;            /* Come back with TURN at once: work is left. */
} door_wishes;

/* Figures for the metrics page and STATUS; all only grow but those named _now. */
typedef struct door_shell_counters {
        uint64_t inputs, commands, records, batches, commits, empty_commits;
        uint64_t results_repeated, refusals, malformed, conflicts, retries;
        uint64_t held_back, parked, released, batch_splits, pull_timeouts, pull_faults, refuses_heard;
        uint64_t frames_in, frames_out, clock_steps, ticks;
        uint64_t effects, outcomes, outcomes_unasked;
        uint64_t queued_now, parked_now, effects_now;
} door_shell_counters;

typedef struct door_shell door_shell;

/*
 * door_shell_new - make the machine over an opened store. Takes all its memory now.
 *
 *   config  [in]  copied; what it points to is borrowed until door_shell_free.
 *
 * Returns DOOR_OK; DOOR_NO_MEMORY; DOOR_INVALID when the core or the upstreams are not usable.
 */
door_status door_shell_new(const door_shell_config *config, door_shell **ret_shell);
door_shell *door_shell_free(door_shell *shell);

/*
 * door_shell_step - one happening in, wishes out.
 *
 *   ret_wishes  [out]  overwritten. Frames, commit and texts are borrowed until the next step,
 *                      but a commit and what it points to until its COMMITTED has been told.
 *
 * Before: START came first; no COMMITTED without a COMMIT wish; nothing after END.
 */
void door_shell_step(door_shell *shell, const door_happening *happening, door_wishes *ret_wishes);

const door_shell_counters *door_shell_count(const door_shell *shell);
/* The durable head, for the loop's metrics. */
uint64_t door_shell_head(const door_shell *shell);

#endif
