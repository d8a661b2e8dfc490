/*
 * store.h - the store port: where a service's log, state and cursors live.
 *
 * Two implementations stand behind it and pass one conformance suite
 * (tests/support/store_conformance.c): store_rocksdb.c, and the simulated store of
 * tests/sim. One commit is atomic: records, state changes and cursors together or not at
 * all. Its outcome is one of
 *
 *   DOOR_OK             durable (when sync was asked), visible to every read from now on;
 *   DOOR_CONFLICT       expected_head is not the head: nothing was written;
 *   DOOR_UNKNOWN        the write failed and may be durable all the same: the caller stops,
 *                       is restarted, and looks (reference/reliability.md, finding 3);
 *   DOOR_LOG_REGRESSED  the store noticed that it is behind what it once held.
 */
#ifndef DOOR_SHELL_STORE_H
#define DOOR_SHELL_STORE_H

#include "shell/record.h"

/* How far this service has durably consumed one upstream log. */
typedef struct door_cursor {
        uint32_t log;
        uint8_t log_id[16]; /* Zeros until learned. */
        uint64_t seq;
        door_hash hash; /* H(seq) of that log; H(0) when seq is 0 and the log id is known. */
} door_cursor;

typedef struct door_commit {
        uint64_t expected_head;     /* Seq of the last record before this commit. */
        const door_record *records; /* expected_head+1, +2 … */
        size_t records_count;
        const door_change *changes; /* First of a skip list in key order, or NULL. */
        const door_cursor *cursors;
        size_t cursors_count;
        bool sync; /* False only for a commit without records. */
} door_commit;

/* What a store knows of itself when it has been opened and verified. */
typedef struct door_standing {
        uint8_t log_id[16];
        uint64_t head;
        door_hash head_hash;
        uint64_t last_at_ms; /* Of the last record; 0 for an empty log. */
        size_t cursors_count;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];
} door_standing;

typedef enum door_form {
        DOOR_FORM_HEADERS = 0,
        DOOR_FORM_PUBLIC = 1,
        DOOR_FORM_WHOLE = 2, /* Private payload too: this service itself, never a peer. */
} door_form;

typedef struct door_store_port {
        void *context;
        door_reader state;

        /* Blocking; called on a worker in production. See above for the outcomes. */
        door_status (*commit)(void *context, const door_commit *commit);

        /*
         * Records after_seq+1 … in form, until records_max, or until their bytes would exceed
         * bytes_max (one record is always given). *ret_count is 0 past the head. Bytes are borrowed
         * from arena; DOOR_CORRUPT when a payload that a header promises is missing.
         */
        door_status (*read)(void *context, uint64_t after_seq, size_t records_max, size_t bytes_max,
                            door_form form, door_arena *arena, door_record *ret_records, size_t *ret_count);

        /* H(seq), 0 <= seq <= head. DOOR_NOT_FOUND beyond. */
        door_status (*hash_at)(void *context, uint64_t seq, door_hash *ret_hash);
} door_store_port;

#endif
