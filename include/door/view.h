/*
 * view.h - what a core sees of its state: ordered keys and values, an overlay upon a store.
 *
 *      decide, apply ──► door_view ──► overlay (this batch's changes, sorted, in the arena)
 *                                  └─► door_reader (RocksDB, the simulator's disk, a replay)
 *
 * A view cannot return an error. A failed read or a full arena sets a latch, the caller sees
 * "absent", and the shell tests the latch before anything is committed (MECHANISM section 3).
 * Only apply puts; the shell forbids writing while decide runs and DOOR_REQUIREs it.
 *
 * Keys start with a one-byte table number listed in each service's <p>_state.h. Tables from
 * DOOR_TABLE_SHELL upward belong to the shell.
 */
#ifndef DOOR_VIEW_H
#define DOOR_VIEW_H

#include "door/arena.h"
#include "door/status.h"

enum { DOOR_TABLE_SHELL = 0xF0 };

/* What lies under the overlay. Values are borrowed until the arena handed in is reset. */
typedef struct door_reader {
        void *context;
        /* Sets *ret_found; DOOR_OK for "absent" too. */
        door_status (*get)(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                           bool *ret_found);
        /* The first row whose key is >= from (or > from when !inclusive) and begins with prefix. */
        door_status (*next)(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                            door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found);
} door_reader;

/* One put or delete of an overlay; `next[0]` is the following one in key order. */
typedef struct door_change {
        door_bytes key;
        door_bytes value;
        bool deleted; /* value is empty then. */
        uint8_t height;
        uint32_t lead; /* The key's first four bytes, zeros after its end, as a number: orders most keys
                        * without a look at their bytes, which lie elsewhere. */
        struct door_change *next[]; /* `height` pointers: a skip list, because a batch of 256
                                     * referrals changes ten thousand keys. */
} door_change;

enum { DOOR_VIEW_LEVELS = 12 };

typedef struct door_view {
        const door_reader *reader;
        door_arena *arena;
        door_change *head[DOOR_VIEW_LEVELS]; /* head[0] is the first change in key order. */
        size_t changes_count;
        uint32_t heights;  /* The state of the heights' own little generator: same puts, same list. */
        door_status latch; /* DOOR_OK, or the first trouble. */
        bool writable;
        uint64_t results_kept_to_ms; /* The shell's own: before then no result is over age. 0: not known. */
} door_view;

/* An empty overlay on reader; everything it needs comes from arena. */
void door_view_init(door_view *view, const door_reader *reader, door_arena *arena);

/* False when absent (or latched). The value is borrowed until the arena is reset. */
bool door_view_get(door_view *view, door_bytes key, door_bytes *ret_value);
bool door_view_has(door_view *view, door_bytes key);
/* Copies key and value into the arena. */
void door_view_put(door_view *view, door_bytes key, door_bytes value);
void door_view_delete(door_view *view, door_bytes key);

/*
 * A bounded walk over the keys that begin with `prefix`, in key order, from `from` (which
 * must itself begin with prefix, or be empty for the beginning). Rows put or deleted
 * while walking are seen as they are when the walk reaches them.
 */
typedef struct door_scan {
        door_view *view;
        door_bytes prefix;
        door_bytes at;
        bool inclusive;
        size_t rows_left;
        bool truncated; /* Set when the bound ended the walk while rows were left. */
} door_scan;

void door_scan_init(door_scan *scan, door_view *view, door_bytes prefix, door_bytes from, size_t rows_max);
bool door_scan_next(door_scan *scan, door_bytes *ret_key, door_bytes *ret_value);

#endif
