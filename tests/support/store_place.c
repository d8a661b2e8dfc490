#include "support/store_place.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rocksdb/c.h>

enum { FAMILIES = 5, ARENA_BYTES = 8 * DOOR_MIB };

static const char *const families[FAMILIES] = { "default", "header", "public", "private", "state" };

void store_place_at(store_place *place, const char *base)
{
        DOOR_REQUIRE(strlen(base) < sizeof place->base);
        (void)strcpy(place->base, base);
        folder_join(base, "db", place->db);
        folder_join(base, "log", place->log);
        folder_join(base, "anchor", place->anchor);
}

void store_place_copy(const store_place *from, const store_place *to)
{
        folder_copy(from->db, to->db);
        (void)unlink(to->anchor);
        if (access(from->anchor, F_OK) == 0) {
                file_copy(from->anchor, to->anchor);
        }
}

door_store_options store_place_options(const store_place *place, uint8_t id, const char *tuning)
{
        door_store_options options = {
                .path = place->db, .log_dir = place->log, .anchor_path = place->anchor, .tuning = tuning
        };
        memset(options.new_log_id, id, sizeof options.new_log_id);
        return options;
}

void store_place_tell(const store_place *place, const char *tuning, size_t commits, size_t records)
{
        const door_store_options options = store_place_options(place, 7, tuning);
        void *storage = aligned_alloc(64, ARENA_BYTES);
        door_store *store = NULL;
        door_standing standing;
        door_error error = { 0 };
        door_arena arena;

        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                (void)fprintf(stderr, "%s\n", error.text);
                DOOR_REQUIRE(store != NULL);
        }
        const door_store_port port = door_store_port_of(store);
        story at = story_from(&standing);
        door_arena_init(&arena, storage, ARENA_BYTES);
        for (size_t i = 0; i < commits; i++) {
                door_arena_reset(&arena);
                const door_commit next = story_next(&at, records, &port.state, &arena);
                DOOR_REQUIRE(port.commit(port.context, &next) == DOOR_OK);
                story_went_on(&at, &next);
        }
        door_anchor anchor = { .seq = at.head, .hash = at.head_hash };
        memcpy(anchor.log_id, standing.log_id, sizeof anchor.log_id);
        DOOR_REQUIRE(door_anchor_write(place->anchor, &anchor, &error) == DOOR_OK);
        (void)door_store_close(store);
        free(storage);
}

/* The files' digests are added up, so that the order of names does not matter. */
static void digest_one(const char *file, void *context)
{
        door_hash *sum = context;
        struct stat st;
        const int fd = open(file, O_RDONLY | O_CLOEXEC);

        DOOR_REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
        uint8_t *bytes = malloc((size_t)st.st_size + 1);
        DOOR_REQUIRE(bytes != NULL && read(fd, bytes, (size_t)st.st_size) == st.st_size);
        const door_bytes parts[] = { door_bytes_of(strrchr(file, '/')), { bytes, (size_t)st.st_size } };
        const door_hash hash = door_hash_of(parts, 2);
        for (size_t i = 0; i < DOOR_HASH_BYTES; i++) {
                sum->bytes[i] = (uint8_t)(sum->bytes[i] + hash.bytes[i]);
        }
        free(bytes);
        (void)close(fd);
}

door_hash store_place_digest(const char *folder)
{
        door_hash sum = { { 0 } };
        folder_each(folder, digest_one, &sum);
        return sum;
}

typedef struct raw {
        rocksdb_options_t *options;
        rocksdb_t *db;
        rocksdb_column_family_handle_t *handles[FAMILIES];
} raw;

static raw raw_open(const store_place *place)
{
        raw r = { .options = rocksdb_options_create() };
        const rocksdb_options_t *all[FAMILIES];
        char *error = NULL;

        for (size_t i = 0; i < FAMILIES; i++) {
                all[i] = r.options;
        }
        rocksdb_options_set_db_log_dir(r.options, place->log);
        r.db = rocksdb_open_column_families(r.options, place->db, FAMILIES, families, all, r.handles, &error);
        DOOR_REQUIRE(error == NULL);
        return r;
}

static void raw_close(raw *r)
{
        for (size_t i = 0; i < FAMILIES; i++) {
                rocksdb_column_family_handle_destroy(r->handles[i]);
        }
        rocksdb_close(r->db);
        rocksdb_options_destroy(r->options);
}

static rocksdb_column_family_handle_t *raw_family(const raw *r, const char *name)
{
        size_t i = 0;

        while (i < FAMILIES && strcmp(name, families[i]) != 0) {
                i++;
        }
        DOOR_REQUIRE(i < FAMILIES);
        return r->handles[i];
}

void store_place_tamper(const store_place *place, const char *family, door_bytes key, door_bytes value)
{
        raw r = raw_open(place);
        rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
        char *error = NULL;

        if (value.data == NULL) {
                rocksdb_delete_cf(r.db, how, raw_family(&r, family), (const char *)key.data, key.len, &error);
        } else {
                rocksdb_put_cf(r.db, how, raw_family(&r, family), (const char *)key.data, key.len,
                               (const char *)value.data, value.len, &error);
        }
        DOOR_REQUIRE(error == NULL);
        rocksdb_writeoptions_destroy(how);
        raw_close(&r);
}

bool store_place_peek(const store_place *place, const char *family, door_bytes key, door_arena *arena,
                      door_bytes *ret_value)
{
        raw r = raw_open(place);
        rocksdb_readoptions_t *how = rocksdb_readoptions_create();
        char *error = NULL;
        size_t len = 0;

        char *value = rocksdb_get_cf(r.db, how, raw_family(&r, family), (const char *)key.data, key.len, &len,
                                     &error);
        DOOR_REQUIRE(error == NULL);
        if (value != NULL) {
                *ret_value = door_arena_copy(arena, (door_bytes){ (const uint8_t *)value, len });
        }
        const bool found = value != NULL;
        rocksdb_free(value);
        rocksdb_readoptions_destroy(how);
        raw_close(&r);
        return found;
}

size_t store_place_tables(const store_place *place, const char *family)
{
        rocksdb_options_t *base = rocksdb_options_create();
        rocksdb_options_t *options = rocksdb_options_create();
        const rocksdb_options_t *const all[FAMILIES] = { options, options, options, options, options };
        rocksdb_column_family_handle_t *handles[FAMILIES];
        char *error = NULL;
        size_t count = 0;

        /* Without it RocksDB 7.8.3 wants to clear the WALs its MANIFEST tracks, and asserts that this
         * is not a read-only opening. */
        rocksdb_get_options_from_string(base, "track_and_verify_wals_in_manifest=true", options, &error);
        rocksdb_options_destroy(base);
        DOOR_REQUIRE(error == NULL);
        rocksdb_options_set_db_log_dir(options, place->log);
        rocksdb_t *db = rocksdb_open_for_read_only_column_families(options, place->db, FAMILIES, families,
                                                                   all, handles, 0, &error);
        DOOR_REQUIRE(error == NULL);
        const rocksdb_livefiles_t *files = rocksdb_livefiles(db);
        const int files_count = rocksdb_livefiles_count(files);
        for (int i = 0; i < files_count; i++) {
                count += strcmp(rocksdb_livefiles_column_family_name(files, i), family) == 0;
        }
        rocksdb_livefiles_destroy(files);
        for (size_t i = 0; i < FAMILIES; i++) {
                rocksdb_column_family_handle_destroy(handles[i]);
        }
        rocksdb_close(db);
        rocksdb_options_destroy(options);
        return count;
}
