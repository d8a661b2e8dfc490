/*
 * store_open.c - a database's life around its port.
 *
 *      folder, lock ──► look: read-only, verified ──► open for writing, the same head again
 *                            └─ nothing there, and nothing missed ──► make
 *
 * RocksDB's recovery deletes what it skipped, so nothing is opened for writing that has not been
 * looked at. V1, V2 and V14 of the list at the top of store_rocksdb.c are here: they are about files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shell/store_inside.h"

enum {
        WRITE_BUFFER_BYTES = 32 * DOOR_MIB,
        WAL_BYTES_MAX = 64 * DOOR_MIB,
        BLOCK_CACHE_BYTES = 64 * DOOR_MIB,
        INFO_LOGS_KEPT = 5,
        RECOVER_TO_POINT_IN_TIME = 2,
        BLOOM_BITS_PER_KEY = 10,
};

/*
 * The memtable's filter: of a referral's lookups most are for what is not there (each mention is looked for
 * under up to ten keys), and each would cost a descent through a skip list of half a million rows, one cache
 * miss a level. A fiftieth of the write buffer holds ten bits for a row's key and ten for its prefix.
 */
#define MEMTABLE_FILTER_RATIO 0.02

/*
 * What the C API has no setter for (reliability.md 4.2). Recovery brings nothing back by itself
 * after an error (max_bgerror_resume_count): we restart instead.
 */
static const char string_options[] = "track_and_verify_wals_in_manifest=true;"
                                     "verify_sst_unique_id_in_manifest=true;"
                                     "flush_verify_memtable_count=true;"
                                     "memtable_protection_bytes_per_key=8;"
                                     "paranoid_file_checks=true;"
                                     "file_checksum_gen_factory=FileChecksumGenCrc32cFactory;"
                                     "max_bgerror_resume_count=0;";

static door_status options_overlay(rocksdb_options_t *options, const char *text, door_error *error)
{
        char *rocks = NULL;

        rocksdb_options_t *base = rocksdb_options_create_copy(options);
        rocksdb_get_options_from_string(base, text, options, &rocks);
        rocksdb_options_destroy(base);
        return rocks == NULL ? DOOR_OK : store_rocks_failed(&rocks, "options", error);
}

/*
 * Filters by whole key, for lookups, and by prefix, for scans (state_next); and a new row's place is looked
 * for from where the last one of its table went in: a batch comes in the order of its keys. Nothing of this
 * is in the stored format. Capped, not fixed: RocksDB asserts that a fixed prefix is only asked of keys that
 * have one.
 */
static door_status state_options_set(door_store *store, door_error *error)
{
        rocksdb_options_t *options = store->family_options[FAMILY_STATE];
        char text[160];

        rocksdb_options_set_memtable_prefix_bloom_size_ratio(options, MEMTABLE_FILTER_RATIO);
        rocksdb_options_set_memtable_whole_key_filtering(options, 1);
        (void)snprintf(text, sizeof text,
                       "prefix_extractor=capped:%d;memtable_insert_with_hint_prefix_extractor=capped:1;",
                       STATE_PREFIX_BYTES);
        return options_overlay(options, text, error);
}

static door_status options_make(door_store *store, const door_store_options *options, door_error *error)
{
        store->options = rocksdb_options_create();
        rocksdb_options_set_paranoid_checks(store->options, 1);
        rocksdb_options_set_wal_recovery_mode(store->options, RECOVER_TO_POINT_IN_TIME);
        rocksdb_options_set_atomic_flush(store->options, 1);
        rocksdb_options_set_write_buffer_size(store->options, WRITE_BUFFER_BYTES);
        rocksdb_options_set_max_total_wal_size(store->options, WAL_BYTES_MAX);
        rocksdb_options_set_recycle_log_file_num(store->options, 0);
        rocksdb_options_set_keep_log_file_num(store->options, INFO_LOGS_KEPT);
        /* The default starts and ends sixteen threads per family at every opening. */
        rocksdb_options_set_max_file_opening_threads(store->options, 1);
        rocksdb_options_set_compression(store->options, rocksdb_no_compression);
        if (options->log_dir != NULL) {
                rocksdb_options_set_db_log_dir(store->options, options->log_dir);
        }
        door_status status = options_overlay(store->options, string_options, error);
        if (status == DOOR_OK && options->tuning != NULL) {
                status = options_overlay(store->options, options->tuning, error);
        }
        if (status != DOOR_OK) {
                return status;
        }

        /* One cache for all families; the filter spares the core's many lookups of what is not there. */
        store->cache = rocksdb_cache_create_lru(BLOCK_CACHE_BYTES);
        rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();
        rocksdb_block_based_options_set_block_cache(table, store->cache);
        rocksdb_block_based_options_set_filter_policy(
                table, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
        rocksdb_options_set_block_based_table_factory(store->options, table);
        rocksdb_block_based_options_destroy(table);

        for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                store->family_options[in] = rocksdb_options_create_copy(store->options);
                if (in == FAMILY_HEADER || in == FAMILY_PUBLIC || in == FAMILY_PRIVATE) {
                        rocksdb_options_set_compression(store->family_options[in], rocksdb_lz4_compression);
                }
        }
        return state_options_set(store, error);
}

static door_status handles_make(door_store *store, const door_store_options *options, door_error *error)
{
        const door_status status = options_make(store, options, error);

        if (status != DOOR_OK) {
                return status;
        }
        store->reads = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(store->reads, 1);
        /* Walks: `ordered` sees every row in order; `prefixed` ends with its prefix and asks the filters
         * first. */
        store->ordered = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(store->ordered, 1);
        rocksdb_readoptions_set_total_order_seek(store->ordered, 1);
        store->prefixed = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(store->prefixed, 1);
        rocksdb_readoptions_set_prefix_same_as_start(store->prefixed, 1);
        store->scans = rocksdb_readoptions_create();
        rocksdb_readoptions_set_total_order_seek(store->scans, 1);
        rocksdb_readoptions_set_verify_checksums(store->scans, 1);
        rocksdb_readoptions_set_fill_cache(store->scans, 0);
        store->synced = rocksdb_writeoptions_create();
        rocksdb_writeoptions_set_sync(store->synced, 1);
        store->unsynced = rocksdb_writeoptions_create();
        store->batch = rocksdb_writebatch_create();
        store->scratch = malloc(SCRATCH_BYTES);
        return store->scratch == NULL ? store_no_memory(error) : DOOR_OK;
}

typedef enum opening {
        OPENING_TO_LOOK = 1, /* Read-only: no file changes. */
        OPENING_TO_WRITE,
        OPENING_TO_MAKE, /* May create the database and its families. */
} opening;

/* Opens, verifies nothing. */
static door_status database_open(const door_store_options *options, opening how, door_store **ret_store,
                                 door_error *error)
{
        char *rocks = NULL;
        door_store *store = calloc(1, sizeof *store);

        if (store == NULL) {
                return store_no_memory(error);
        }
        store->read_only = how == OPENING_TO_LOOK;
        store_counting_stop(); /* Who opens it reads from it. */
        door_status status = handles_make(store, options, error);
        if (status != DOOR_OK) {
                goto out;
        }
        const rocksdb_options_t *const family_options[FAMILIES_COUNT] = {
                store->family_options[FAMILY_META],   store->family_options[FAMILY_HEADER],
                store->family_options[FAMILY_PUBLIC], store->family_options[FAMILY_PRIVATE],
                store->family_options[FAMILY_STATE],
        };
        if (how == OPENING_TO_LOOK) {
                store->db = rocksdb_open_for_read_only_column_families(
                        store->options, options->path, FAMILIES_COUNT, store_family_names, family_options,
                        store->families, 0, &rocks);
        } else {
                rocksdb_options_set_create_if_missing(store->options, how == OPENING_TO_MAKE);
                rocksdb_options_set_create_missing_column_families(store->options, how == OPENING_TO_MAKE);
                store->db = rocksdb_open_column_families(store->options, options->path, FAMILIES_COUNT,
                                                         store_family_names, family_options, store->families,
                                                         &rocks);
        }
        if (rocks != NULL) {
                status = store_rocks_failed(&rocks, "open", error);
                goto out;
        }
        *ret_store = store;
        store = NULL; /* Ownership has moved to the caller. */
out:
        (void)door_store_close(store);
        return status;
}

door_store *door_store_close(door_store *store)
{
        if (store == NULL) {
                return NULL;
        }
        /* Iterators before families, families before the database: Debian's library asserts it. */
        store_walks_end(store);
        for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                if (store->families[in] != NULL) {
                        rocksdb_column_family_handle_destroy(store->families[in]);
                }
        }
        if (store->db != NULL) {
                rocksdb_close(store->db);
        }
        if (store->batch != NULL) {
                rocksdb_writebatch_destroy(store->batch);
        }
        if (store->synced != NULL) {
                rocksdb_writeoptions_destroy(store->synced);
        }
        if (store->unsynced != NULL) {
                rocksdb_writeoptions_destroy(store->unsynced);
        }
        if (store->reads != NULL) {
                rocksdb_readoptions_destroy(store->reads);
        }
        if (store->ordered != NULL) {
                rocksdb_readoptions_destroy(store->ordered);
        }
        if (store->prefixed != NULL) {
                rocksdb_readoptions_destroy(store->prefixed);
        }
        if (store->scans != NULL) {
                rocksdb_readoptions_destroy(store->scans);
        }
        for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                if (store->family_options[in] != NULL) {
                        rocksdb_options_destroy(store->family_options[in]);
                }
        }
        if (store->options != NULL) {
                rocksdb_options_destroy(store->options);
        }
        if (store->cache != NULL) {
                rocksdb_cache_destroy(store->cache);
        }
        free(store->scratch);
        free(store);
        return NULL;
}

/* V1: what lies in the folder, by names only. */
typedef struct folder_found {
        bool has_current; /* A database that was once made. */
        bool has_data;    /* WALs or SSTs. */
} folder_found;

static bool ends_with(const char *name, const char *end)
{
        const size_t name_len = strlen(name);
        const size_t end_len = strlen(end);
        return name_len >= end_len && strcmp(name + name_len - end_len, end) == 0;
}

static door_status folder_look(const char *path, folder_found *ret_found, door_error *error)
{
        folder_found found = { false, false };
        const struct dirent *entry = NULL;
        DIR *folder = opendir(path);

        if (folder == NULL) {
                if (errno != ENOENT) {
                        return store_refuse(error, DOOR_IO, "V1 folder", "%s", strerror(errno));
                }
                *ret_found = found;
                return DOOR_OK;
        }
        while ((entry = readdir(folder)) != NULL) {
                found.has_current = found.has_current || strcmp(entry->d_name, "CURRENT") == 0;
                found.has_data = found.has_data || ends_with(entry->d_name, ".log") ||
                                 ends_with(entry->d_name, ".sst");
        }
        (void)closedir(folder);
        *ret_found = found;
        return DOOR_OK;
}

/*
 * Another process's lock, asked for before looking: a read-only look takes no lock itself, and a
 * database being written under it may look damaged.
 */
static door_status lock_look(const char *path, door_error *error)
{
        char lock_path[PATH_MAX];
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
        const int length = snprintf(lock_path, sizeof lock_path, "%s/LOCK", path);

        if (length < 0 || (size_t)length >= sizeof lock_path) {
                return store_refuse(error, DOOR_INVALID, "V1 folder", "path too long");
        }
        const int fd = open(lock_path, O_RDWR | O_CLOEXEC);
        if (fd < 0) {
                return DOOR_OK; /* No lock file, or not ours to write: opening will tell. */
        }
        const bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
        (void)close(fd);
        return held ? store_refuse(error, DOOR_BUSY, "V1 folder", "another process has the database open")
                    : DOOR_OK;
}

/* V2. RocksDB would skip the WAL's rows of a family it does not know of. */
static door_status families_look(const char *path, bool *ret_complete, door_error *error)
{
        char *rocks = NULL;
        size_t count = 0;
        size_t known = 0;

        rocksdb_options_t *options = rocksdb_options_create();
        char **names = rocksdb_list_column_families(options, path, &count, &rocks);
        rocksdb_options_destroy(options);
        if (rocks != NULL) {
                return store_rocks_failed(&rocks, "V2 families", error);
        }
        for (size_t i = 0; i < count; i++) {
                for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                        known += strcmp(names[i], store_family_names[in]) == 0;
                }
        }
        rocksdb_list_column_families_destroy(names, count);
        *ret_complete = known == FAMILIES_COUNT;
        if (count > known) {
                return store_refuse(error, DOOR_FORMAT_NEWER, "V2 families",
                                    "one this program does not know");
        }
        return DOOR_OK;
}

/* The MANIFEST that CURRENT names. */
typedef struct manifest_found {
        uint64_t number;
        uint64_t bytes;
} manifest_found;

/*
 * Its number and length; with `sync`, that length is durable afterwards. A background flush or
 * compaction may be appending: only a length that no power cut takes back may be a witness.
 */
static door_status manifest_look(const char *path, bool sync, manifest_found *ret_found, door_error *error)
{
        static const char rule[] = "V14 manifest";
        char file_path[PATH_MAX];
        char name[64];
        manifest_found found = { 0, 0 };
        struct stat st;
        door_status status = DOOR_OK;

        (void)snprintf(file_path, sizeof file_path, "%.*s/CURRENT", PATH_MAX - 80, path);
        FILE *current = fopen(file_path, "re");
        if (current == NULL) {
                return store_refuse(error, DOOR_IO, rule, "open CURRENT: %s", strerror(errno));
        }
        const bool named = fgets(name, sizeof name, current) != NULL;
        (void)fclose(current);
        if (!named || sscanf(name, "MANIFEST-%" SCNu64, &found.number) != 1) {
                return store_refuse(error, DOOR_CORRUPT, rule, "CURRENT names none");
        }
        name[strcspn(name, "\n")] = '\0';
        (void)snprintf(file_path, sizeof file_path, "%.*s/%s", PATH_MAX - 80, path, name);
        const int fd = open(file_path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                return store_refuse(error, DOOR_IO, rule, "open: %s", strerror(errno));
        }
        if (fstat(fd, &st) != 0 || (sync && fsync(fd) != 0)) {
                status = store_refuse(error, DOOR_IO, rule, "%s", strerror(errno));
        }
        (void)close(fd);
        if (status == DOOR_OK) {
                found.bytes = (uint64_t)st.st_size;
                *ret_found = found;
        }
        return status;
}

/* V14. No witness: the database's making ended before there was one. */
static door_status verify_manifest(const door_store *store, const char *path, door_error *error)
{
        static const char rule[] = "V14 manifest";
        rocksdb_pinnableslice_t *pinned = NULL;
        manifest_found found;

        door_status status = store_row_pin(store, FAMILY_META, store_witness_key_bytes(), &pinned, error);
        if (status != DOOR_OK || pinned == NULL) {
                return status;
        }
        const door_bytes value = store_pinned_bytes(pinned);
        if (!store_row_is_whole(store_witness_key_bytes(), value, WITNESS_BODY_BYTES)) {
                status = store_refuse(error, DOOR_CORRUPT, rule, "the witness's digest does not fit");
        } else {
                status = manifest_look(path, false, &found, error);
        }
        if (status == DOOR_OK && door_get_u64(value.data) == found.number &&
            door_get_u64(value.data + 8) > found.bytes) {
                status = store_refuse(error, DOOR_CORRUPT, rule, "it has %llu bytes, and had %llu",
                                      (unsigned long long)found.bytes,
                                      (unsigned long long)door_get_u64(value.data + 8));
        }
        rocksdb_pinnableslice_destroy(pinned);
        return status;
}

/* One row of the meta family, durably, outside any commit. */
static door_status meta_put(door_store *store, door_bytes key, door_bytes value, door_error *error)
{
        char *rocks = NULL;

        rocksdb_writebatch_clear(store->batch);
        store_batch_put(store, FAMILY_META, key, value);
        rocksdb_write(store->db, store->synced, store->batch, &rocks);
        return rocks == NULL ? DOOR_OK : store_rocks_failed(&rocks, "write meta", error);
}

static door_status witness_write(door_store *store, const char *path, door_error *error)
{
        uint8_t value[WITNESS_BODY_BYTES + DOOR_HASH_BYTES];
        door_writer w = door_writer_on(value, sizeof value);
        manifest_found found;

        const door_status status = manifest_look(path, true, &found, error);
        if (status != DOOR_OK) {
                return status;
        }
        door_write_u64(&w, found.number);
        door_write_u64(&w, found.bytes);
        const door_hash digest = store_row_digest(store_witness_key_bytes(), door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        return meta_put(store, store_witness_key_bytes(), door_written(&w), error);
}

/* There is nothing of a log. Is that how it should be? */
static door_status nothing_is_right(const store_anchor_found *anchor, const char *what, door_error *error)
{
        if (anchor->status == DOOR_OK) {
                return store_refuse(error, DOOR_LOG_REGRESSED, "V1 folder", "%s, but the anchor is at %llu",
                                    what, (unsigned long long)anchor->anchor.seq);
        }
        if (anchor->status != DOOR_NOT_FOUND) {
                return store_refuse(error, DOOR_ANCHOR_MISSING, "V1 folder",
                                    "%s, and the anchor cannot be read", what);
        }
        return DOOR_OK;
}

/* Looks, verifies, closes again. *ret_standing is set for FOUND_LOG. */
static door_status look(const door_store_options *options, const store_anchor_found *anchor,
                        door_store **ret_store, store_found *ret_found, door_standing *ret_standing,
                        door_error *error)
{
        folder_found folder = { .has_current = false };
        bool complete = false;
        door_store *store = NULL;

        door_status status = folder_look(options->path, &folder, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (!folder.has_current) {
                *ret_found = FOUND_NOTHING;
                status = nothing_is_right(anchor, "there is no database", error);
                if (status == DOOR_OK && folder.has_data) {
                        status = store_refuse(error, DOOR_CORRUPT, "V1 folder",
                                              "logs or tables, but no CURRENT");
                }
                return status;
        }
        status = families_look(options->path, &complete, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (!complete) {
                *ret_found = FOUND_NOTHING;
                return nothing_is_right(anchor, "V2 families are missing", error);
        }
        status = database_open(options, OPENING_TO_LOOK, &store, error);
        if (status != DOOR_OK) {
                return status;
        }
        status = store_verify(store, anchor, ret_found, ret_standing, error);
        if (status == DOOR_OK) {
                status = verify_manifest(store, options->path, error);
        }
        if (status == DOOR_OK && *ret_found == FOUND_NOTHING) {
                status = nothing_is_right(anchor, "the database is empty", error);
        }
        if (status == DOOR_OK && *ret_found == FOUND_LOG) {
                atomic_store(&store->head, ret_standing->head);
                store->head_hash = ret_standing->head_hash;
                *ret_store = store;
                store = NULL;
        }
        (void)door_store_close(store);
        return status;
}

static bool options_are_usable(const door_store_options *options)
{
        return options->path != NULL && options->path[0] != '\0' && strlen(options->path) < PATH_MAX - 16;
}

door_status door_store_open_read_only(const door_store_options *options, door_store **ret_store,
                                      door_standing *ret_standing, door_error *reterr_error)
{
        if (!options_are_usable(options)) {
                return store_refuse(reterr_error, DOOR_INVALID, "V1 folder", "path empty or too long");
        }
        const store_anchor_found anchor = store_anchor_look(options->anchor_path);
        store_found found = FOUND_NOTHING;
        door_store *store = NULL;
        door_standing standing;

        const door_status status = look(options, &anchor, &store, &found, &standing, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        if (found == FOUND_NOTHING) {
                return store_refuse(reterr_error, DOOR_NOT_FOUND, "V1 folder", "there is no database");
        }
        *ret_store = store;
        *ret_standing = standing;
        return DOOR_OK;
}

/* The first row of a new database. */
static door_status meta_write(door_store *store, const uint8_t log_id[16], door_error *error)
{
        uint8_t value[META_BODY_BYTES + DOOR_HASH_BYTES];

        store_meta_encode(log_id, value);
        const door_status status =
                meta_put(store, store_meta_key_bytes(), (door_bytes){ value, sizeof value }, error);
        if (status != DOOR_OK) {
                return status;
        }
        memcpy(store->log_id, log_id, sizeof store->log_id);
        return DOOR_OK;
}

/* Makes the database, or finishes making it after an interruption. */
static door_status make(const door_store_options *options, door_store **ret_store,
                        door_standing *ret_standing, door_error *error)
{
        const store_anchor_found no_anchor = { .status = DOOR_NOT_FOUND };
        store_found found = FOUND_LOG;
        door_store *store = NULL;

        door_status status = database_open(options, OPENING_TO_MAKE, &store, error);
        if (status != DOOR_OK) {
                return status;
        }
        status = store_verify(store, &no_anchor, &found, ret_standing, error);
        if (status == DOOR_OK && found != FOUND_NOTHING) {
                status = store_refuse(error, DOOR_CORRUPT, "V2 families",
                                      "some are missing, but the meta row is not");
        }
        if (status == DOOR_OK) {
                status = meta_write(store, options->new_log_id, error);
        }
        if (status == DOOR_OK) {
                status = store_verify(store, &no_anchor, &found, ret_standing, error);
        }
        if (status == DOOR_OK) {
                *ret_store = store;
                store = NULL;
        }
        (void)door_store_close(store);
        return status;
}

/* Opens for writing what the look has verified; RocksDB must give back the same log again. */
static door_status open_looked_at(const door_store_options *options, const door_standing *standing,
                                  door_store **ret_store, door_error *error)
{
        door_store *store = NULL;
        uint64_t head = 0;
        door_hash hash;

        door_status status = database_open(options, OPENING_TO_WRITE, &store, error);
        if (status != DOOR_OK) {
                return status;
        }
        memcpy(store->log_id, standing->log_id, sizeof store->log_id);
        status = store_seq_at_end(store, FAMILY_HEADER, true, "V5 headers", &head, error);
        if (status == DOOR_OK) {
                status = store_hash_read(store, head, &hash, error);
        }
        if (status == DOOR_OK && (head != standing->head || !door_hash_equal(&hash, &standing->head_hash))) {
                status = store_refuse(error, DOOR_CORRUPT, "V7 chain",
                                      "the head was %llu when looked at and %llu when opened",
                                      (unsigned long long)standing->head, (unsigned long long)head);
        }
        if (status == DOOR_OK) {
                *ret_store = store;
                store = NULL;
        }
        (void)door_store_close(store);
        return status;
}

door_status door_store_open(const door_store_options *options, door_store **ret_store,
                            door_standing *ret_standing, door_error *reterr_error)
{
        if (!options_are_usable(options)) {
                return store_refuse(reterr_error, DOOR_INVALID, "V1 folder", "path empty or too long");
        }
        const store_anchor_found anchor = store_anchor_look(options->anchor_path);
        store_found found = FOUND_NOTHING;
        door_store *store = NULL;
        door_standing standing;

        door_status status = lock_look(options->path, reterr_error);
        if (status == DOOR_OK) {
                status = look(options, &anchor, &store, &found, &standing, reterr_error);
        }
        if (status != DOOR_OK) {
                return status;
        }
        store = door_store_close(store);
        if (found == FOUND_NOTHING) {
                status = make(options, &store, &standing, reterr_error);
        } else {
                status = open_looked_at(options, &standing, &store, reterr_error);
        }
        if (status == DOOR_OK) {
                status = witness_write(store, options->path, reterr_error);
        }
        if (status != DOOR_OK) {
                (void)door_store_close(store);
                return status;
        }
        /* From its first moment a log has an anchor, so that a database that vanishes is missed even
         * when it has not held a record for 200 ms. */
        if (anchor.asked && anchor.status == DOOR_NOT_FOUND) {
                const door_anchor first = door_anchor_of(&standing);
                status = door_anchor_write(options->anchor_path, &first, reterr_error);
                if (status != DOOR_OK) {
                        (void)door_store_close(store);
                        return status;
                }
        }
        store->head_hash = standing.head_hash;
        atomic_store(&store->head, standing.head);
        *ret_store = store;
        *ret_standing = standing;
        return DOOR_OK;
}

/* ---- Checkpoint --------------------------------------------------------------------------- */

static door_status fd_sync_and_close(int fd, const char *what, door_error *error)
{
        if (fd < 0) {
                return store_refuse(error, DOOR_IO, "checkpoint", "open %s: %s", what, strerror(errno));
        }
        const bool synced = fsync(fd) == 0;
        const int system_error = errno;
        (void)close(fd);
        return synced ? DOOR_OK
                      : store_refuse(error, DOOR_IO, "checkpoint", "sync %s: %s", what,
                                     strerror(system_error));
}

/* Syncs every file of a folder and the folder. RocksDB 7.8.3 leaves some of the copied ones unsynced. */
static door_status folder_sync(const char *path, door_error *error)
{
        door_status status = DOOR_OK;
        const struct dirent *entry = NULL;
        DIR *folder = opendir(path);

        if (folder == NULL) {
                return store_refuse(error, DOOR_IO, "checkpoint", "%s", strerror(errno));
        }
        while (status == DOOR_OK && (entry = readdir(folder)) != NULL) {
                if (entry->d_name[0] == '.') {
                        continue;
                }
                status = fd_sync_and_close(openat(dirfd(folder), entry->d_name, O_RDONLY | O_CLOEXEC), "file",
                                           error);
        }
        if (status == DOOR_OK) {
                status = fd_sync_and_close(openat(dirfd(folder), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                                           "folder", error);
        }
        (void)closedir(folder);
        return status;
}

door_status door_store_checkpoint(door_store *store, const char *path, door_error *reterr_error)
{
        char *rocks = NULL;

        rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(store->db, &rocks);
        if (rocks != NULL) {
                return store_rocks_failed(&rocks, "checkpoint", reterr_error);
        }
        /* 0: flush whatever the WAL's size, so that the copy holds none. */
        rocksdb_checkpoint_create(checkpoint, path, 0, &rocks);
        rocksdb_checkpoint_object_destroy(checkpoint);
        if (rocks != NULL) {
                return store_rocks_failed(&rocks, "checkpoint", reterr_error);
        }
        return folder_sync(path, reterr_error);
}
