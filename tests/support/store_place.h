/*
 * store_place.h - where a test keeps one service's database, info log and anchor, and the words
 * to open it there, crash it, and write behind its back.
 */
#ifndef DOOR_TESTS_STORE_PLACE_H
#define DOOR_TESTS_STORE_PLACE_H

#include "shell/anchor.h"
#include "shell/store_rocksdb.h"
#include "support/folder.h"
#include "support/store_story.h"

typedef struct store_place {
        char base[PATH_MAX];
        char db[PATH_MAX];
        char log[PATH_MAX];
        char anchor[PATH_MAX];
} store_place;

/* base/db, base/log, base/anchor; base must exist. */
void store_place_at(store_place *place, const char *base);
/* The place becomes a copy of another: database, anchor. */
void store_place_copy(const store_place *from, const store_place *to);

/* Options to open it; tuning may be NULL. The log id is made of `id`. */
door_store_options store_place_options(const store_place *place, uint8_t id, const char *tuning);

/* Goes on with the story by `commits` commits of `records` each; the anchor is written afterwards. */
void store_place_tell(const store_place *place, const char *tuning, size_t commits, size_t records);

/* What the database folder holds, as one hash over names and bytes. */
door_hash store_place_digest(const char *folder);

/* Puts (value) or deletes (value.data NULL) one row past the store, with RocksDB itself. */
void store_place_tamper(const store_place *place, const char *family, door_bytes key, door_bytes value);
/* Reads one row past the store; false when absent. Copied into arena. */
bool store_place_peek(const store_place *place, const char *family, door_bytes key, door_arena *arena,
                      door_bytes *ret_value);

/* How many tables (SST files) a family has, without changing anything. */
size_t store_place_tables(const store_place *place, const char *family);

#endif
