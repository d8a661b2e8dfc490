/*
 * sim_store.h - a store in memory that forgets like a disk.
 *
 * What a commit with sync wrote survives everything; what a commit without sync wrote survives a
 * crash as some prefix, in the order written, because a write-ahead log is a prefix. A commit
 * may fail before it reached the disk, or fail and be durable all the same, as asked for by
 * `fate`. It implements the port of shell/store.h and passes the same conformance suite as
 * the RocksDB store.
 */
#ifndef SIM_STORE_H
#define SIM_STORE_H

#include "shell/store.h"

typedef enum sim_fate {
        SIM_FATE_DONE = 0,
        SIM_FATE_FAILED_BEFORE, /* DOOR_UNKNOWN, and nothing is there */
        SIM_FATE_FAILED_DURABLE /* DOOR_UNKNOWN, and everything is there */
} sim_fate;

/* Faults of the store itself, for the planted-fault runs. */
typedef enum sim_store_fault {
        SIM_STORE_SOUND = 0,
        SIM_STORE_NO_SYNC,       /* sync is taken for no sync */
        SIM_STORE_CURSOR_APART,  /* cursors are written apart from the rest, unsynced */
        SIM_STORE_CURSOR_FIRST,  /* cursors are synced although the rest is not */
        SIM_STORE_FORGETS_IDS,   /* rows of the result table are not written */
        SIM_STORE_DROPS_CHANGE,  /* now and then one state change is not written */
        SIM_STORE_NO_HEAD_CHECK, /* expected_head is not looked at */
} sim_store_fault;

typedef struct sim_store sim_store;

sim_store *sim_store_new(const uint8_t log_id[16], sim_store_fault fault);
sim_store *sim_store_free(sim_store *store);
door_store_port sim_store_port(sim_store *store);
/* The fate of the next commit only. */
void sim_store_fate(sim_store *store, sim_fate fate);
/* The n-th read from now on fails with DOOR_IO, once; 0: none does. */
void sim_store_fail_read(sim_store *store, uint64_t n);
/* The process dies: of the unsynced commits the first `survivors` stay (all, when there are fewer). */
void sim_store_crash(sim_store *store, size_t survivors);
size_t sim_store_unsynced(const sim_store *store);
/* Time passes and the kernel writes what was never synced. */
void sim_store_settle(sim_store *store);
/* What an opening would say. False when a rule of start-up verification is broken; *ret_why names it. */
bool sim_store_standing(sim_store *store, door_standing *ret_standing, const char **ret_why);

/* ---- for the harness: the durable truth, never through the machine */
uint64_t sim_store_durable_head(const sim_store *store);
/* seq 1..durable head. Borrowed until the next commit or crash. */
const door_record *sim_store_durable_record(const sim_store *store, uint64_t seq);
size_t sim_store_durable_cursors(const sim_store *store, door_cursor *ret_cursors);
/* Calls row for every live state row in key order. */
void sim_store_each(const sim_store *store, void (*row)(void *context, door_bytes key, door_bytes value),
                    void *context);

#endif
