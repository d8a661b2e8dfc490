/*
 * store_rocksdb.h - the store port on RocksDB: one database folder per service.
 *
 *      commit ──► one WriteBatch over five column families ──► one synced WAL write
 *      open   ──► look (read-only, changes nothing) ──► verify ──► open for writing
 *
 * The stored format and the numbered conditions a start verifies (V1..V14) are at the top of
 * store_rocksdb.c. The rule that makes it correct: whatever RocksDB's recovery gives back is
 * believed only after the log's own density, chain and anchor agree; otherwise the start is
 * refused with the condition's number, and the files are left as they were found.
 *
 * Threads: one thread reads (state, read, hash_at: the loop) while at most one other commits or
 * makes a checkpoint. Opening and closing have the store to themselves.
 */
#ifndef DOOR_SHELL_STORE_ROCKSDB_H
#define DOOR_SHELL_STORE_ROCKSDB_H

#include "shell/store.h"

typedef struct door_store door_store;

enum {
        /* V13: how much of the state a start reads through with checksums; the rest is verify's. */
        DOOR_STORE_STATE_ROWS_AT_START = 200000,
        DOOR_STORE_STATE_BYTES_AT_START = 64 * DOOR_MIB,
};

/* All strings are borrowed for the call. */
typedef struct door_store_options {
        const char *path;        /* The database folder; made when it does not exist. Its parent must. */
        const char *log_dir;     /* Where RocksDB's info log goes: on another filesystem (finding 5). */
        const char *anchor_path; /* NULL: no anchor is asked for (a checkpoint; `anchor accept`). */
        uint8_t new_log_id[16];  /* Random; used only when the database is made now. */
        const char *tuning;      /* RocksDB options laid over ours, "name=value;…"; NULL for none. */
} door_store_options;

/*
 * door_store_open - open for writing, verified.
 *
 *   ret_store     [out]  free with door_store_close.
 *   ret_standing  [out]  head, hash, cursors, as verified.
 *
 * Both are set on DOOR_OK only. The error's text begins with the status name and the condition.
 *
 * Returns DOOR_OK              everything a start can know is right;
 *         DOOR_LOG_REGRESSED   behind the anchor, or another log than the anchor's, or gone;
 *         DOOR_ANCHOR_MISSING  there are records and no readable anchor;
 *         DOOR_CORRUPT         a condition is broken, or RocksDB says Corruption;
 *         DOOR_FORMAT_NEWER    written by a newer program;
 *         DOOR_BUSY            another process has it open;
 *         DOOR_IO, DOOR_NO_MEMORY, DOOR_INVALID (options, path).
 *
 * Before: this process does not have the folder open.
 * Cost: the WAL twice, the last DOOR_START_CHAIN_RECORDS records, a bounded part of the state.
 */
door_status door_store_open(const door_store_options *options, door_store **ret_store,
                            door_standing *ret_standing, door_error *reterr_error);

/*
 * door_store_open_read_only - the same verification of a stopped system's folder or of a
 * checkpoint, without changing a file. commit must not be called on it.
 *
 * Returns as door_store_open; DOOR_NOT_FOUND when there is no database and no anchor.
 */
door_status door_store_open_read_only(const door_store_options *options, door_store **ret_store,
                                      door_standing *ret_standing, door_error *reterr_error);

/* Borrows store until it is closed. */
door_store_port door_store_port_of(door_store *store);

/*
 * door_store_checkpoint - a copy of the database that opens by itself (hard links where it can).
 *
 *   path  [in]  must not exist; its parent must, on the same filesystem.
 *
 * Memtables are flushed first, so that the copy needs no WAL (a hard-linked WAL may be lost by a
 * power cut: RocksDB 9.4.0's notes), and every file of the copy is synced.
 *
 * Returns DOOR_OK; DOOR_IO, DOOR_CORRUPT: there is no copy to be used at path.
 */
door_status door_store_checkpoint(door_store *store, const char *path, door_error *reterr_error);

/* Accepts NULL and half-opened stores; returns NULL. */
door_store *door_store_close(door_store *store);

#endif
