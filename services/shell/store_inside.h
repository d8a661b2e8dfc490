/*
 * store_inside.h - the inside of the RocksDB store, shared by its three files and nobody else:
 *
 *   store_rocksdb.c   the stored format; rows; the port: state, commit, records
 *   store_verify.c    what a start verifies of what it finds, V3 to V13
 *   store_open.c      what lies in the folder, looking, opening, making, checkpoints, closing
 */
#ifndef DOOR_STORE_INSIDE_H
#define DOOR_STORE_INSIDE_H

#include <rocksdb/c.h>
#include <stdatomic.h>

#include "shell/anchor.h"
#include "shell/store_rocksdb.h"

enum {
        FORMAT_VERSION = 1,
        META_BODY_BYTES = 52,
        CURSOR_BODY_BYTES = 56,
        WITNESS_BODY_BYTES = 16,
        CURSOR_KEY_BYTES = 5,
        SEQ_KEY_BYTES = 8,
        ITERATORS_MAX = 16,
        STATE_PREFIX_BYTES = 10,        /* A table byte and most of an id, or of dedup's search key. */
        SCRATCH_BYTES = 256 * DOOR_KIB, /* One header, decoded. */
};
typedef enum store_family {
        FAMILY_META,
        FAMILY_HEADER,
        FAMILY_PUBLIC,
        FAMILY_PRIVATE,
        FAMILY_STATE,
        FAMILIES_COUNT,
} store_family;

extern const char *const store_family_names[FAMILIES_COUNT];

/*
 * A place in the state that `next` left off at, one per table, so that a walk over one table and
 * lookups in another do not make each other seek.
 */
typedef struct walk {
        rocksdb_iterator_t *iterator; /* NULL: free. */
        int table;                    /* First byte of the prefix, -1 for an empty one. */
        bool prefixed;
} walk;

struct door_store {
        rocksdb_t *db;
        rocksdb_column_family_handle_t *families[FAMILIES_COUNT];
        rocksdb_options_t *options;
        rocksdb_options_t *family_options[FAMILIES_COUNT];
        rocksdb_cache_t *cache;
        rocksdb_readoptions_t *reads;    /* Lookups: fill the cache. */
        rocksdb_readoptions_t *ordered;  /* Walks over the state, of any range. */
        rocksdb_readoptions_t *prefixed; /* Walks within STATE_PREFIX_BYTES: see walk_of. */
        rocksdb_readoptions_t *scans;    /* Start-up walks: do not fill the cache. */
        rocksdb_writeoptions_t *synced;
        rocksdb_writeoptions_t *unsynced;
        rocksdb_writebatch_t *batch;
        uint8_t log_id[16];
        void *scratch;

        /* Written by the committing thread, read by both. */
        _Atomic uint64_t head;
        _Atomic uint64_t commits; /* What an iterator's freshness is measured against. */
        atomic_bool dead;         /* A write has failed: nothing is known of the file's end any more. */

        /* The committing thread's own. */
        door_hash head_hash;

        /* The reading thread's own. */
        walk walks[ITERATORS_MAX];
        size_t walk_to_replace;
        uint64_t walks_as_of; /* `commits` when these iterators were made. */

        bool read_only;
};

typedef enum store_found {
        FOUND_LOG = 1, /* Meta and whatever follows. */
        FOUND_NOTHING, /* No row in any family: its making was interrupted, or everything is lost. */
} store_found;

/* The anchor file as a start finds it. */
typedef struct store_anchor_found {
        door_status status; /* DOOR_OK: anchor is set. DOOR_NOT_FOUND: no such file, or none asked for. */
        bool asked;
        door_anchor anchor;
} store_anchor_found;

/* ---- store_rocksdb.c */

/* "LOG_REGRESSED: V12 anchor: head is 5, the anchor is at 9"; returns status. */
door_status store_refuse(door_error *error, door_status status, const char *condition, const char *format,
                         ...) __attribute__((format(printf, 4, 5)));
door_status store_no_memory(door_error *error);
/* Takes what RocksDB allocated and nulls it. */
door_status store_rocks_failed(char **text, const char *doing, door_error *error);

/*
 * RocksDB counts every comparison of keys for its thread unless told not to, a tenth of what its skip lists
 * cost; nobody reads the counts. Each thread has its own level.
 */
void store_counting_stop(void);

door_hash store_row_digest(door_bytes key, door_bytes body);
/* True when value is a body of body_bytes followed by its digest. */
bool store_row_is_whole(door_bytes key, door_bytes value, size_t body_bytes);
door_bytes store_meta_key_bytes(void);
door_bytes store_witness_key_bytes(void);
void store_meta_encode(const uint8_t log_id[16], uint8_t out[META_BODY_BYTES + DOOR_HASH_BYTES]);
bool store_cursor_decode(door_bytes key, door_bytes value, door_cursor *ret_cursor);

door_bytes store_pinned_bytes(const rocksdb_pinnableslice_t *pinned);
/* *ret_pinned is NULL for "absent"; otherwise the caller destroys it. */
door_status store_row_pin(const door_store *store, store_family in, door_bytes key,
                          rocksdb_pinnableslice_t **ret_pinned, door_error *error);
door_bytes store_iterator_key(const rocksdb_iterator_t *iterator);
door_bytes store_iterator_value(const rocksdb_iterator_t *iterator);
/* Why an iterator is not valid any more: the end (DOOR_OK) or a failed read. */
door_status store_iterator_ended(const rocksdb_iterator_t *iterator, const char *doing, door_error *error);
void store_walks_end(door_store *store);
void store_batch_put(door_store *store, store_family in, door_bytes key, door_bytes value);
/* H(seq); H(0) for 0. */
door_status store_hash_read(const door_store *store, uint64_t seq, door_hash *ret_hash, door_error *error);

/* ---- store_verify.c */

store_anchor_found store_anchor_look(const char *path);
/* The key of the last (or first) row of a family that is keyed by seq; 0 when it is empty. */
door_status store_seq_at_end(const door_store *store, store_family in, bool last, const char *rule,
                             uint64_t *ret_seq, door_error *error);
/* V3..V13. With FOUND_NOTHING only V3 has been looked at and *ret_standing is untouched. */
door_status store_verify(door_store *store, const store_anchor_found *anchor, store_found *ret_found,
                         door_standing *ret_standing, door_error *error);

#endif
