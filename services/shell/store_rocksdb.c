/*
 * store_rocksdb.c - a service's log, state and cursors in one RocksDB database.
 *
 * Stored format, version 1. All integers big-endian. Five column families:
 *
 *      default   key "M"                     value                                       84 bytes
 *                                              0   4  format version (1)
 *                                              4  16  log id
 *                                             20  32  H(0), so that the row names its log twice
 *                                             52  32  BLAKE2b(key || bytes 0..51)
 *                key "C" || be32 log         value: the cursor in that upstream log      88 bytes
 *                                              0  16  its log id, zeros until learned
 *                                             16   8  seq
 *                                             24  32  H(seq) there
 *                                             56  32  BLAKE2b(key || bytes 0..55)
 *                key "W"                     value: the witness, written at every opening  48 bytes
 *                                              0   8  number of the MANIFEST then in use
 *                                              8   8  its length then, synced
 *                                             16  32  BLAKE2b(key || bytes 0..15)
 *      header    key be64 seq, from 1        value: H(seq) 32 bytes || header bytes as sent
 *      public    key be64 seq                value: salt 16 bytes || payload
 *      private   key be64 seq                value: salt 16 bytes || payload
 *      state     key: table byte || …        value: the service's own fixed layouts
 *
 * Header rows are written once and never changed or deleted; that is what makes V6 exact.
 *
 * One commit is one WriteBatch over all families. All families are flushed together
 * (atomic_flush): a WAL file is needed by all of them or by none, so a lost WAL file always
 * leaves a gap in the headers and never only in the state, which has no order to miss anything in.
 *
 * What a start verifies, in this order; the error names the first that is broken:
 *
 *      V1  folder     it holds CURRENT, or nothing that ever held a record
 *      V2  families   all five exist
 *      V3  meta       row M is there, its digest fits, the version is known
 *      V4  log        the log id is the anchor's; records have a readable anchor
 *      V5  headers    keys are 8 bytes, the first is 1
 *      V6  density    there are exactly as many header rows as the last one's seq
 *      V7  chain      the last DOOR_START_CHAIN_RECORDS headers decode, carry their key as seq,
 *                     and H is what the one before and the bytes say (H before those is trusted)
 *      V8  payloads   of those records: there exactly when the header promises one, digest fits
 *      V9  beyond     no payload has a seq above the head
 *      V10 cursors    rows are well formed, digests fit, at most DOOR_UPSTREAMS_MAX
 *      V11 seen       no cursor is behind the last record's `seen`
 *      V12 anchor     the head is at or beyond the anchor, and H(anchor's seq) is the anchor's
 *      V13 state      the first DOOR_STORE_STATE_ROWS_AT_START rows (or _BYTES_) read with checksums
 *      V14 manifest   the MANIFEST is not shorter than the witness knows it
 *
 * V14 is there because RocksDB's recovery writes one MANIFEST record per family: one byte lost at
 * its end (tests/system/test_damage.c) takes back the last family's newest table and nobody
 * else's, RocksDB calls that a torn write, and with a WAL after it neither chain nor anchor can
 * tell. Flushes later on are one atomic group: losing that leaves a gap in the headers.
 *
 * What a reader does with damage:
 *
 *      torn last WAL write     RocksDB stops there (PointInTime); only unacknowledged records
 *                              are missing, V1..V14 hold, the start succeeds
 *      bytes changed in a WAL  RocksDB stops there too and says nothing: V12 refuses
 *      WAL file gone           the newest: V12 refuses; an older one: RocksDB or V6 refuses
 *      changed SST             checksum error when read: DOOR_CORRUPT, at start or from the read
 *      SST, MANIFEST gone      RocksDB refuses to open: DOOR_CORRUPT or DOOR_IO
 *      torn MANIFEST           V2, V12 or V14 refuses
 *      WALs in each other's    RocksDB may abort the process (its assertions are on); it never
 *      place                   serves
 *      folder gone or emptied  V1 against the anchor: DOOR_LOG_REGRESSED
 *      older copy put back     V12 refuses
 *      row changed with its
 *      checksums made right    V3, V5..V11, as far back as they reach; `verify` for the rest
 *
 * RocksDB's recovery deletes what it skipped. So a start looks first through a read-only handle,
 * which changes no file, verifies there, and opens for writing only what has passed: a refused
 * log still lies whole before the person who has to repair it.
 */
#include "shell/store_rocksdb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rocksdb/c.h>

#include "shell/anchor.h"

enum {
        FORMAT_VERSION = 1,
        META_BODY_BYTES = 52,
        CURSOR_BODY_BYTES = 56,
        WITNESS_BODY_BYTES = 16,
        CURSOR_KEY_BYTES = 5,
        SEQ_KEY_BYTES = 8,
        ITERATORS_MAX = 16,
        SCRATCH_BYTES = 256 * DOOR_KIB, /* One header, decoded. */
        WRITE_BUFFER_BYTES = 32 * DOOR_MIB,
        WAL_BYTES_MAX = 64 * DOOR_MIB,
        BLOCK_CACHE_BYTES = 64 * DOOR_MIB,
        INFO_LOGS_KEPT = 5,
        RECOVER_TO_POINT_IN_TIME = 2,
        BLOOM_BITS_PER_KEY = 10,
};

typedef enum family {
        FAMILY_META,
        FAMILY_HEADER,
        FAMILY_PUBLIC,
        FAMILY_PRIVATE,
        FAMILY_STATE,
        FAMILIES_COUNT,
} family;

static const char *const family_names[FAMILIES_COUNT] = { "default", "header", "public", "private", "state" };

/*
 * A place in the state that `next` left off at, one per table, so that a walk over one table and
 * lookups in another do not make each other seek.
 */
typedef struct walk {
        rocksdb_iterator_t *iterator; /* NULL: free. */
        int table;                    /* First byte of the prefix, -1 for an empty one. */
} walk;

struct door_store {
        rocksdb_t *db;
        rocksdb_column_family_handle_t *families[FAMILIES_COUNT];
        rocksdb_options_t *options;
        rocksdb_options_t *family_options[FAMILIES_COUNT];
        rocksdb_cache_t *cache;
        rocksdb_readoptions_t *reads; /* Lookups: fill the cache. */
        rocksdb_readoptions_t *scans; /* Start-up walks: do not. */
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

/* ---- Errors ------------------------------------------------------------------------------- */

static door_status refuse(door_error *error, door_status status, const char *condition, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

/* "LOG_REGRESSED: V12 anchor: head is 5, the anchor is at 9" */
static door_status refuse(door_error *error, door_status status, const char *condition, const char *format,
                          ...)
{
        char detail[160];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(detail, sizeof detail, format, arguments);
        va_end(arguments);
        return door_error_set(error, status, "%s: %s: %s", door_status_name(status), condition, detail);
}

static door_status no_memory(door_error *error)
{
        return refuse(error, DOOR_NO_MEMORY, "store", "out of memory");
}

/* The C API has no codes, only their texts (technology.md section 1). */
static door_status rocks_status(const char *text)
{
        if (strstr(text, "lock ") != NULL && strstr(text, "IO error") != NULL) {
                return DOOR_BUSY;
        }
        if (strncmp(text, "Corruption", 10) == 0) {
                return DOOR_CORRUPT;
        }
        if (strncmp(text, "Invalid argument", 16) == 0) {
                return DOOR_INVALID;
        }
        return DOOR_IO;
}

/* Takes what RocksDB allocated and nulls it. */
static door_status rocks_failed(char **text, const char *doing, door_error *error)
{
        const door_status status = rocks_status(*text);

        (void)refuse(error, status, "rocksdb", "%s: %s", doing, *text);
        rocksdb_free(*text);
        *text = NULL;
        return status;
}

/* ---- Rows --------------------------------------------------------------------------------- */

static door_hash row_digest(door_bytes key, door_bytes body)
{
        const door_bytes parts[] = { key, body };
        return door_hash_of(parts, 2);
}

/* True when value is a body of body_bytes followed by its digest. */
static bool row_is_whole(door_bytes key, door_bytes value, size_t body_bytes)
{
        if (value.len != body_bytes + DOOR_HASH_BYTES) {
                return false;
        }
        const door_hash digest = row_digest(key, (door_bytes){ value.data, body_bytes });
        return memcmp(digest.bytes, value.data + body_bytes, DOOR_HASH_BYTES) == 0;
}

static const uint8_t meta_key[] = { 'M' };

static door_bytes meta_key_bytes(void)
{
        return (door_bytes){ meta_key, sizeof meta_key };
}

static const uint8_t witness_key[] = { 'W' };

static door_bytes witness_key_bytes(void)
{
        return (door_bytes){ witness_key, sizeof witness_key };
}

static void meta_encode(const uint8_t log_id[16], uint8_t out[META_BODY_BYTES + DOOR_HASH_BYTES])
{
        const door_hash start = door_hash_log_start(log_id);
        door_writer w = door_writer_on(out, META_BODY_BYTES + DOOR_HASH_BYTES);

        door_write_u32(&w, FORMAT_VERSION);
        door_write(&w, (door_bytes){ log_id, 16 });
        door_write(&w, door_hash_bytes(&start));
        const door_hash digest = row_digest(meta_key_bytes(), door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        DOOR_REQUIRE(w.ok && w.len == w.cap);
}

static void cursor_key(uint32_t log, uint8_t out[CURSOR_KEY_BYTES])
{
        out[0] = 'C';
        door_put_u32(out + 1, log);
}

static void cursor_encode(const door_cursor *cursor, const uint8_t key[CURSOR_KEY_BYTES],
                          uint8_t out[CURSOR_BODY_BYTES + DOOR_HASH_BYTES])
{
        door_writer w = door_writer_on(out, CURSOR_BODY_BYTES + DOOR_HASH_BYTES);

        door_write(&w, (door_bytes){ cursor->log_id, sizeof cursor->log_id });
        door_write_u64(&w, cursor->seq);
        door_write(&w, door_hash_bytes(&cursor->hash));
        const door_hash digest = row_digest((door_bytes){ key, CURSOR_KEY_BYTES }, door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        DOOR_REQUIRE(w.ok && w.len == w.cap);
}

static bool cursor_decode(door_bytes key, door_bytes value, door_cursor *ret_cursor)
{
        if (key.len != CURSOR_KEY_BYTES || key.data[0] != 'C' ||
            !row_is_whole(key, value, CURSOR_BODY_BYTES)) {
                return false;
        }
        ret_cursor->log = door_get_u32(key.data + 1);
        memcpy(ret_cursor->log_id, value.data, sizeof ret_cursor->log_id);
        ret_cursor->seq = door_get_u64(value.data + 16);
        memcpy(ret_cursor->hash.bytes, value.data + 24, DOOR_HASH_BYTES);
        return true;
}

/* ---- Reading one row ---------------------------------------------------------------------- */

static door_bytes pinned_bytes(const rocksdb_pinnableslice_t *pinned)
{
        size_t len = 0;
        const char *data = rocksdb_pinnableslice_value(pinned, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

/* *ret_pinned is NULL for "absent"; otherwise the caller destroys it. */
static door_status row_pin(const door_store *store, family in, door_bytes key,
                           rocksdb_pinnableslice_t **ret_pinned, door_error *error)
{
        char *rocks = NULL;
        rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(store->db, store->reads, store->families[in],
                                                                (const char *)key.data, key.len, &rocks);

        if (rocks != NULL) {
                return rocks_failed(&rocks, family_names[in], error);
        }
        *ret_pinned = pinned;
        return DOOR_OK;
}

/* A copy in the arena; empty and !found when absent. */
static door_status row_copy(const door_store *store, family in, door_bytes key, door_arena *arena,
                            door_bytes *ret_value, bool *ret_found)
{
        rocksdb_pinnableslice_t *pinned = NULL;
        const door_status status = row_pin(store, in, key, &pinned, NULL);

        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL) {
                *ret_found = false;
                return DOOR_OK;
        }
        const door_bytes value = door_arena_copy(arena, pinned_bytes(pinned));
        rocksdb_pinnableslice_destroy(pinned);
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        *ret_value = value;
        *ret_found = true;
        return DOOR_OK;
}

static door_bytes iterator_key(const rocksdb_iterator_t *iterator)
{
        size_t len = 0;
        const char *data = rocksdb_iter_key(iterator, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

static door_bytes iterator_value(const rocksdb_iterator_t *iterator)
{
        size_t len = 0;
        const char *data = rocksdb_iter_value(iterator, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

/* Why an iterator is not valid any more: the end (DOOR_OK) or a failed read. */
static door_status iterator_ended(const rocksdb_iterator_t *iterator, const char *doing, door_error *error)
{
        char *rocks = NULL;

        rocksdb_iter_get_error(iterator, &rocks);
        return rocks == NULL ? DOOR_OK : rocks_failed(&rocks, doing, error);
}

/* ---- The state reader --------------------------------------------------------------------- */

static door_status state_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        return row_copy(context, FAMILY_STATE, key, arena, ret_value, ret_found);
}

static void walks_end(door_store *store)
{
        for (size_t i = 0; i < ITERATORS_MAX; i++) {
                if (store->walks[i].iterator != NULL) {
                        rocksdb_iter_destroy(store->walks[i].iterator);
                        store->walks[i].iterator = NULL;
                }
        }
}

/* The walk of this table, as of the last commit; its iterator may be anywhere. */
static rocksdb_iterator_t *walk_of(door_store *store, int table)
{
        const uint64_t commits = atomic_load(&store->commits);
        walk *free_walk = NULL;

        /* An iterator sees the database as it was when it was made, and keeps those files alive.
         * After a commit all of them go, used or not. */
        if (store->walks_as_of != commits) {
                walks_end(store);
                store->walks_as_of = commits;
        }
        for (size_t i = 0; i < ITERATORS_MAX; i++) {
                walk *at = &store->walks[i];
                if (at->iterator == NULL) {
                        free_walk = free_walk == NULL ? at : free_walk;
                } else if (at->table == table) {
                        return at->iterator;
                }
        }
        if (free_walk == NULL) {
                free_walk = &store->walks[store->walk_to_replace];
                store->walk_to_replace = (store->walk_to_replace + 1) % ITERATORS_MAX;
                rocksdb_iter_destroy(free_walk->iterator);
        }
        free_walk->table = table;
        free_walk->iterator =
                rocksdb_create_iterator_cf(store->db, store->reads, store->families[FAMILY_STATE]);
        return free_walk->iterator;
}

static door_status state_next(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                              door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        door_store *store = context;

        /* Nothing before the prefix begins with it. */
        if (door_bytes_compare(from, prefix) < 0) {
                from = prefix;
                inclusive = true;
        }
        rocksdb_iterator_t *iterator = walk_of(store, prefix.len == 0 ? -1 : prefix.data[0]);

        if (!rocksdb_iter_valid(iterator) || !door_bytes_equal(iterator_key(iterator), from)) {
                rocksdb_iter_seek(iterator, (const char *)from.data, from.len);
        }
        if (!inclusive && rocksdb_iter_valid(iterator) && door_bytes_equal(iterator_key(iterator), from)) {
                rocksdb_iter_next(iterator);
        }
        if (!rocksdb_iter_valid(iterator)) {
                const door_status status = iterator_ended(iterator, "state", NULL);
                if (status == DOOR_OK) {
                        *ret_found = false;
                }
                return status;
        }
        if (!door_bytes_starts_with(iterator_key(iterator), prefix)) {
                *ret_found = false;
                return DOOR_OK;
        }
        const door_bytes key = door_arena_copy(arena, iterator_key(iterator));
        const door_bytes value = door_arena_copy(arena, iterator_value(iterator));
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        *ret_key = key;
        *ret_value = value;
        *ret_found = true;
        return DOOR_OK;
}

/* ---- Commit ------------------------------------------------------------------------------- */

static void batch_put(door_store *store, family in, door_bytes key, door_bytes value)
{
        rocksdb_writebatch_put_cf(store->batch, store->families[in], (const char *)key.data, key.len,
                                  (const char *)value.data, value.len);
}

static void batch_record(door_store *store, const door_record *record)
{
        uint8_t key_bytes[SEQ_KEY_BYTES];
        const door_bytes key = { key_bytes, sizeof key_bytes };

        door_put_u64(key_bytes, record->seq);

        /* Two ranges, one value: RocksDB copies them together into the batch. */
        const char *const keys[] = { (const char *)key_bytes };
        const size_t key_sizes[] = { sizeof key_bytes };
        const char *const values[] = { (const char *)record->hash.bytes, (const char *)record->header.data };
        const size_t value_sizes[] = { DOOR_HASH_BYTES, record->header.len };
        rocksdb_writebatch_putv_cf(store->batch, store->families[FAMILY_HEADER], 1, keys, key_sizes, 2,
                                   values, value_sizes);

        if (record->public_payload.len > 0) {
                batch_put(store, FAMILY_PUBLIC, key, record->public_payload);
        }
        if (record->private_payload.len > 0) {
                batch_put(store, FAMILY_PRIVATE, key, record->private_payload);
        }
}

static void batch_cursor(door_store *store, const door_cursor *cursor)
{
        uint8_t key[CURSOR_KEY_BYTES];
        uint8_t value[CURSOR_BODY_BYTES + DOOR_HASH_BYTES];

        cursor_key(cursor->log, key);
        cursor_encode(cursor, key, value);
        batch_put(store, FAMILY_META, (door_bytes){ key, sizeof key }, (door_bytes){ value, sizeof value });
}

static door_status store_commit(void *context, const door_commit *commit)
{
        door_store *store = context;
        char *rocks = NULL;
        door_hash hash = store->head_hash;

        DOOR_REQUIRE(!store->read_only);
        DOOR_REQUIRE(commit->sync || commit->records_count == 0);

        /* After a failed write the handle is of no use until it is opened anew (finding 4), and the
         * end of the file is not known: whoever asks again must not hear "conflict" or "done". */
        if (atomic_load(&store->dead)) {
                return DOOR_UNKNOWN;
        }
        const uint64_t head = atomic_load(&store->head);
        if (commit->expected_head != head) {
                return DOOR_CONFLICT;
        }

        rocksdb_writebatch_clear(store->batch);
        for (size_t i = 0; i < commit->records_count; i++) {
                const door_record *record = &commit->records[i];

                /* A wrong link could be written but never again be read: V7 would refuse every start. */
                DOOR_REQUIRE(record->seq == head + 1 + i);
                hash = door_hash_chain(&hash, record->header);
                DOOR_REQUIRE(door_hash_equal(&hash, &record->hash));
                batch_record(store, record);
        }
        for (const door_change *change = commit->changes; change != NULL; change = change->next[0]) {
                if (change->deleted) {
                        rocksdb_writebatch_delete_cf(store->batch, store->families[FAMILY_STATE],
                                                     (const char *)change->key.data, change->key.len);
                } else {
                        batch_put(store, FAMILY_STATE, change->key, change->value);
                }
        }
        for (size_t i = 0; i < commit->cursors_count; i++) {
                batch_cursor(store, &commit->cursors[i]);
        }

        rocksdb_write(store->db, commit->sync ? store->synced : store->unsynced, store->batch, &rocks);
        if (rocks != NULL) {
                /* It may be durable all the same (finding 3). The text stays in RocksDB's log. */
                rocksdb_free(rocks);
                atomic_store(&store->dead, true);
                return DOOR_UNKNOWN;
        }
        store->head_hash = hash;
        atomic_store(&store->head, head + commit->records_count);
        atomic_fetch_add(&store->commits, 1);
        return DOOR_OK;
}

/* ---- Reading records ---------------------------------------------------------------------- */

/* A payload that is not there although asked for is an empty one only if none was promised. */
static door_status payload_promised(door_bytes header_bytes, family in, door_arena *arena, bool *ret_promised)
{
        door_header header;
        const door_arena_mark mark = door_arena_here(arena);
        const door_status status = door_header_decode(header_bytes, arena, &header);

        door_arena_rewind(arena, mark);
        if (status != DOOR_OK) {
                return status == DOOR_MALFORMED ? DOOR_CORRUPT : status;
        }
        *ret_promised = in == FAMILY_PUBLIC ? header.has_public : header.has_private;
        return DOOR_OK;
}

static door_status payload_read(door_store *store, family in, door_bytes key, door_bytes header,
                                door_arena *arena, door_bytes *ret_payload)
{
        bool found = false;
        bool promised = false;

        door_status status = row_copy(store, in, key, arena, ret_payload, &found);
        if (status != DOOR_OK || found) {
                return status;
        }
        status = payload_promised(header, in, arena, &promised);
        if (status != DOOR_OK) {
                return status;
        }
        return promised ? DOOR_CORRUPT : DOOR_OK;
}

static door_status record_read(door_store *store, uint64_t seq, door_form form, door_arena *arena,
                               door_record *ret_record)
{
        uint8_t key_bytes[SEQ_KEY_BYTES];
        const door_bytes key = { key_bytes, sizeof key_bytes };
        door_record record = { .seq = seq };
        door_bytes row = DOOR_BYTES_EMPTY;
        bool found = false;

        door_put_u64(key_bytes, seq);
        door_status status = row_copy(store, FAMILY_HEADER, key, arena, &row, &found);
        if (status != DOOR_OK) {
                return status;
        }
        if (!found || row.len <= DOOR_HASH_BYTES) {
                return DOOR_CORRUPT;
        }
        memcpy(record.hash.bytes, row.data, DOOR_HASH_BYTES);
        record.header = (door_bytes){ row.data + DOOR_HASH_BYTES, row.len - DOOR_HASH_BYTES };

        if (form >= DOOR_FORM_PUBLIC) {
                status =
                        payload_read(store, FAMILY_PUBLIC, key, record.header, arena, &record.public_payload);
        }
        if (status == DOOR_OK && form >= DOOR_FORM_WHOLE) {
                status = payload_read(store, FAMILY_PRIVATE, key, record.header, arena,
                                      &record.private_payload);
        }
        if (status == DOOR_OK) {
                *ret_record = record;
        }
        return status;
}

static door_status store_read(void *context, uint64_t after_seq, size_t records_max, size_t bytes_max,
                              door_form form, door_arena *arena, door_record *ret_records, size_t *ret_count)
{
        door_store *store = context;
        const uint64_t head = atomic_load(&store->head);
        size_t count = 0;
        size_t bytes = 0;

        while (count < records_max && after_seq < head - count) {
                const door_arena_mark mark = door_arena_here(arena);
                door_record record;

                const door_status status = record_read(store, after_seq + count + 1, form, arena, &record);
                if (status != DOOR_OK) {
                        return status;
                }
                bytes += record.header.len + record.public_payload.len + record.private_payload.len;
                if (bytes > bytes_max && count > 0) {
                        door_arena_rewind(arena, mark);
                        break;
                }
                ret_records[count++] = record;
        }
        *ret_count = count;
        return DOOR_OK;
}

static door_status hash_read(const door_store *store, uint64_t seq, door_hash *ret_hash, door_error *error)
{
        uint8_t key[SEQ_KEY_BYTES];
        rocksdb_pinnableslice_t *pinned = NULL;

        if (seq == 0) {
                *ret_hash = door_hash_log_start(store->log_id);
                return DOOR_OK;
        }
        door_put_u64(key, seq);
        door_status status = row_pin(store, FAMILY_HEADER, (door_bytes){ key, sizeof key }, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL || pinned_bytes(pinned).len <= DOOR_HASH_BYTES) {
                status = refuse(error, DOOR_CORRUPT, "header", "record %llu has none",
                                (unsigned long long)seq);
        } else {
                memcpy(ret_hash->bytes, pinned_bytes(pinned).data, DOOR_HASH_BYTES);
        }
        if (pinned != NULL) {
                rocksdb_pinnableslice_destroy(pinned);
        }
        return status;
}

static door_status store_hash_at(void *context, uint64_t seq, door_hash *ret_hash)
{
        const door_store *store = context;

        if (seq > atomic_load(&store->head)) {
                return DOOR_NOT_FOUND;
        }
        return hash_read(store, seq, ret_hash, NULL);
}

door_store_port door_store_port_of(door_store *store)
{
        return (door_store_port){
                .context = store,
                .state = { .context = store, .get = state_get, .next = state_next },
                .commit = store_commit,
                .read = store_read,
                .hash_at = store_hash_at,
        };
}

/* ---- Verification: V3 to V13, in the order of the list above ------------------------------ */

typedef enum found_in_database {
        FOUND_LOG = 1, /* Meta and whatever follows. */
        FOUND_NOTHING, /* No row in any family: its making was interrupted, or everything is lost. */
} found_in_database;

static rocksdb_iterator_t *walk_family(const door_store *store, family in)
{
        return rocksdb_create_iterator_cf(store->db, store->scans, store->families[in]);
}

static door_status family_is_empty(const door_store *store, family in, bool *ret_empty, door_error *error)
{
        rocksdb_iterator_t *iterator = walk_family(store, in);
        door_status status = DOOR_OK;

        rocksdb_iter_seek_to_first(iterator);
        const bool empty = !rocksdb_iter_valid(iterator);
        if (empty) {
                status = iterator_ended(iterator, family_names[in], error);
        }
        rocksdb_iter_destroy(iterator);
        if (status == DOOR_OK) {
                *ret_empty = empty;
        }
        return status;
}

/* V3. Sets the store's log id. */
static door_status verify_meta(door_store *store, found_in_database *ret_found, door_error *error)
{
        static const char rule[] = "V3 meta";
        rocksdb_pinnableslice_t *pinned = NULL;
        const door_bytes key = meta_key_bytes();

        door_status status = row_pin(store, FAMILY_META, key, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL) {
                for (family in = 0; in < FAMILIES_COUNT; in++) {
                        bool empty = false;
                        status = family_is_empty(store, in, &empty, error);
                        if (status != DOOR_OK) {
                                return status;
                        }
                        if (!empty) {
                                return refuse(error, DOOR_CORRUPT, rule, "no meta row, but rows in family %s",
                                              family_names[in]);
                        }
                }
                *ret_found = FOUND_NOTHING;
                return DOOR_OK;
        }
        const door_bytes value = pinned_bytes(pinned);
        const uint32_t version = value.len >= 4 ? door_get_u32(value.data) : 0;
        /* A newer program may have another layout behind the version, so the version comes first. */
        if (version > FORMAT_VERSION) {
                status = refuse(error, DOOR_FORMAT_NEWER, rule, "format %u, this program knows %d", version,
                                FORMAT_VERSION);
        } else if (version != FORMAT_VERSION || !row_is_whole(key, value, META_BODY_BYTES)) {
                status = refuse(error, DOOR_CORRUPT, rule, "the row's digest does not fit");
        } else {
                memcpy(store->log_id, value.data + 4, sizeof store->log_id);
                *ret_found = FOUND_LOG;
        }
        rocksdb_pinnableslice_destroy(pinned);
        return status;
}

/* V5, V9: the key of the last (or first) row of a family that is keyed by seq; 0 when it is empty. */
static door_status seq_at_end(const door_store *store, family in, bool last, const char *rule,
                              uint64_t *ret_seq, door_error *error)
{
        rocksdb_iterator_t *iterator = walk_family(store, in);
        door_status status = DOOR_OK;
        uint64_t seq = 0;

        if (last) {
                rocksdb_iter_seek_to_last(iterator);
        } else {
                rocksdb_iter_seek_to_first(iterator);
        }
        if (!rocksdb_iter_valid(iterator)) {
                status = iterator_ended(iterator, family_names[in], error);
        } else {
                const door_bytes key = iterator_key(iterator);
                if (key.len != SEQ_KEY_BYTES || door_get_u64(key.data) == 0) {
                        status = refuse(error, DOOR_CORRUPT, rule, "a key of family %s is no sequence number",
                                        family_names[in]);
                } else {
                        seq = door_get_u64(key.data);
                }
        }
        rocksdb_iter_destroy(iterator);
        if (status == DOOR_OK) {
                *ret_seq = seq;
        }
        return status;
}

/* Header rows are put once and never deleted, so files and memtables know how many there are. */
static uint64_t headers_counted(const door_store *store)
{
        static const char *const memtables[] = { "rocksdb.num-entries-active-mem-table",
                                                 "rocksdb.num-entries-imm-mem-tables" };
        uint64_t count = 0;

        const rocksdb_livefiles_t *files = rocksdb_livefiles(store->db);
        const int files_count = rocksdb_livefiles_count(files);
        for (int i = 0; i < files_count; i++) {
                if (strcmp(rocksdb_livefiles_column_family_name(files, i), family_names[FAMILY_HEADER]) ==
                    0) {
                        count += rocksdb_livefiles_entries(files, i);
                }
        }
        rocksdb_livefiles_destroy(files);
        for (size_t i = 0; i < sizeof memtables / sizeof memtables[0]; i++) {
                uint64_t entries = 0;
                if (rocksdb_property_int_cf(store->db, store->families[FAMILY_HEADER], memtables[i],
                                            &entries) == 0) {
                        count += entries;
                }
        }
        return count;
}

/*
 * V6. The count is a hint that costs nothing; when it does not fit, every key is walked before
 * anybody is told that the log has a hole.
 */
static door_status verify_density(const door_store *store, uint64_t head, door_error *error)
{
        if (headers_counted(store) == head) {
                return DOOR_OK;
        }
        rocksdb_iterator_t *iterator = walk_family(store, FAMILY_HEADER);
        door_status status = DOOR_OK;
        uint64_t expected = 1;

        for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
             rocksdb_iter_next(iterator)) {
                const door_bytes key = iterator_key(iterator);
                if (key.len != SEQ_KEY_BYTES || door_get_u64(key.data) != expected) {
                        status = refuse(error, DOOR_CORRUPT, "V6 density",
                                        "record %llu is missing, the head is %llu",
                                        (unsigned long long)expected, (unsigned long long)head);
                        break;
                }
                expected++;
        }
        if (status == DOOR_OK) {
                status = iterator_ended(iterator, "header", error);
        }
        rocksdb_iter_destroy(iterator);
        return status;
}

/* V8, one payload of one record. */
static door_status verify_payload(const door_store *store, family in, uint64_t seq, bool promised,
                                  const door_hash *digest, door_error *error)
{
        static const char rule[] = "V8 payloads";
        uint8_t key[SEQ_KEY_BYTES];
        rocksdb_pinnableslice_t *pinned = NULL;
        door_bytes payload;

        door_put_u64(key, seq);
        door_status status = row_pin(store, in, (door_bytes){ key, sizeof key }, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if ((pinned != NULL) != promised) {
                status = refuse(error, DOOR_CORRUPT, rule, "record %llu: the %s payload is %s",
                                (unsigned long long)seq, family_names[in],
                                promised ? "missing" : "there, but the header has none");
        } else if (promised && !door_payload_open(pinned_bytes(pinned), digest, &payload)) {
                status = refuse(error, DOOR_CORRUPT, rule,
                                "record %llu: the %s payload is not what the header says",
                                (unsigned long long)seq, family_names[in]);
        }
        if (pinned != NULL) {
                rocksdb_pinnableslice_destroy(pinned);
        }
        return status;
}

/* V7 and V8 of one record; *hash goes from H(seq-1) to H(seq). */
static door_status verify_record(door_store *store, uint64_t seq, door_bytes key, door_bytes row,
                                 door_hash *hash, door_header *ret_header, door_error *error)
{
        static const char rule[] = "V7 chain";
        door_arena arena;

        if (key.len != SEQ_KEY_BYTES || door_get_u64(key.data) != seq) {
                return refuse(error, DOOR_CORRUPT, rule, "record %llu is missing", (unsigned long long)seq);
        }
        if (row.len <= DOOR_HASH_BYTES) {
                return refuse(error, DOOR_CORRUPT, rule, "record %llu has no header",
                              (unsigned long long)seq);
        }
        const door_bytes header_bytes = { row.data + DOOR_HASH_BYTES, row.len - DOOR_HASH_BYTES };
        *hash = door_hash_chain(hash, header_bytes);
        if (memcmp(hash->bytes, row.data, DOOR_HASH_BYTES) != 0) {
                return refuse(error, DOOR_CORRUPT, rule, "record %llu does not follow from the one before",
                              (unsigned long long)seq);
        }
        door_arena_init(&arena, store->scratch, SCRATCH_BYTES);
        if (door_header_decode(header_bytes, &arena, ret_header) != DOOR_OK || ret_header->seq != seq) {
                return refuse(error, DOOR_CORRUPT, rule, "record %llu: the header is none, or another's",
                              (unsigned long long)seq);
        }
        const door_status status = verify_payload(store, FAMILY_PUBLIC, seq, ret_header->has_public,
                                                  &ret_header->public_digest, error);
        if (status != DOOR_OK) {
                return status;
        }
        return verify_payload(store, FAMILY_PRIVATE, seq, ret_header->has_private,
                              &ret_header->private_digest, error);
}

/* V7, V8. *ret_last is the last record's header when head > 0. */
static door_status verify_chain(door_store *store, uint64_t head, door_hash *ret_head_hash,
                                door_header *ret_last, door_error *error)
{
        const uint64_t first = head > DOOR_START_CHAIN_RECORDS ? head - DOOR_START_CHAIN_RECORDS + 1 : 1;
        uint8_t key[SEQ_KEY_BYTES];
        door_hash hash;

        door_status status = hash_read(store, first - 1, &hash, error);
        if (status != DOOR_OK) {
                return status;
        }
        rocksdb_iterator_t *iterator = walk_family(store, FAMILY_HEADER);
        door_put_u64(key, first);
        rocksdb_iter_seek(iterator, (const char *)key, sizeof key);
        for (uint64_t seq = first; seq <= head && status == DOOR_OK; seq++) {
                if (!rocksdb_iter_valid(iterator)) {
                        status = iterator_ended(iterator, "header", error);
                        if (status == DOOR_OK) {
                                status = refuse(error, DOOR_CORRUPT, "V7 chain", "record %llu is missing",
                                                (unsigned long long)seq);
                        }
                        break;
                }
                status = verify_record(store, seq, iterator_key(iterator), iterator_value(iterator), &hash,
                                       ret_last, error);
                rocksdb_iter_next(iterator);
        }
        rocksdb_iter_destroy(iterator);
        if (status == DOOR_OK) {
                *ret_head_hash = hash;
        }
        return status;
}

/* V9. */
static door_status verify_nothing_beyond(const door_store *store, uint64_t head, door_error *error)
{
        static const char rule[] = "V9 beyond";
        static const family payloads[] = { FAMILY_PUBLIC, FAMILY_PRIVATE };

        for (size_t i = 0; i < 2; i++) {
                uint64_t last = 0;
                const door_status status = seq_at_end(store, payloads[i], true, rule, &last, error);
                if (status != DOOR_OK) {
                        return status;
                }
                if (last > head) {
                        return refuse(error, DOOR_CORRUPT, rule,
                                      "a %s payload for record %llu, the head is %llu",
                                      family_names[payloads[i]], (unsigned long long)last,
                                      (unsigned long long)head);
                }
        }
        return DOOR_OK;
}

/* V10: every row of the family but meta row and witness is a cursor. */
static door_status verify_cursors(const door_store *store, door_standing *standing, door_error *error)
{
        static const char rule[] = "V10 cursors";
        rocksdb_iterator_t *iterator = walk_family(store, FAMILY_META);
        door_status status = DOOR_OK;

        standing->cursors_count = 0;
        for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator) && status == DOOR_OK;
             rocksdb_iter_next(iterator)) {
                const door_bytes key = iterator_key(iterator);
                if (door_bytes_equal(key, meta_key_bytes()) || door_bytes_equal(key, witness_key_bytes())) {
                        continue;
                }
                if (standing->cursors_count == DOOR_UPSTREAMS_MAX) {
                        status = refuse(error, DOOR_CORRUPT, rule, "more than %d", DOOR_UPSTREAMS_MAX);
                } else if (!cursor_decode(key, iterator_value(iterator),
                                          &standing->cursors[standing->cursors_count])) {
                        status = refuse(error, DOOR_CORRUPT, rule,
                                        "row %zu is no cursor, or its digest does not fit",
                                        standing->cursors_count);
                } else {
                        standing->cursors_count++;
                }
        }
        if (status == DOOR_OK) {
                status = iterator_ended(iterator, "default", error);
        }
        rocksdb_iter_destroy(iterator);
        return status;
}

/* V11. A log in `seen` without a cursor is one this service does not read itself. */
static door_status verify_seen(const door_standing *standing, const door_header *last, door_error *error)
{
        for (size_t i = 0; i < standing->cursors_count; i++) {
                const door_cursor *cursor = &standing->cursors[i];
                const uint64_t seen = door_header_seen(last, cursor->log);

                if (cursor->seq < seen) {
                        return refuse(error, DOOR_CORRUPT, "V11 seen",
                                      "the cursor in log %u is %llu, the last record has seen %llu",
                                      cursor->log, (unsigned long long)cursor->seq, (unsigned long long)seen);
                }
        }
        return DOOR_OK;
}

/* V12. */
static door_status verify_anchor(const door_store *store, const door_anchor *anchor, uint64_t head,
                                 door_error *error)
{
        static const char rule[] = "V12 anchor";
        door_hash hash;

        if (anchor->seq > head) {
                return refuse(error, DOOR_LOG_REGRESSED, rule, "the head is %llu, the anchor is at %llu",
                              (unsigned long long)head, (unsigned long long)anchor->seq);
        }
        const door_status status = hash_read(store, anchor->seq, &hash, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (!door_hash_equal(&hash, &anchor->hash)) {
                return refuse(error, DOOR_LOG_REGRESSED, rule, "record %llu is not the one the anchor knows",
                              (unsigned long long)anchor->seq);
        }
        return DOOR_OK;
}

/* V13. Reading is the check: block checksums, and keys in order, which paranoid checks see to. */
static door_status verify_state(const door_store *store, door_error *error)
{
        rocksdb_iterator_t *iterator = walk_family(store, FAMILY_STATE);
        size_t rows = 0;
        size_t bytes = 0;

        for (rocksdb_iter_seek_to_first(iterator);
             rocksdb_iter_valid(iterator) && rows < DOOR_STORE_STATE_ROWS_AT_START &&
             bytes < DOOR_STORE_STATE_BYTES_AT_START;
             rocksdb_iter_next(iterator)) {
                rows++;
                bytes += iterator_key(iterator).len + iterator_value(iterator).len;
        }
        const door_status status = iterator_ended(iterator, "V13 state", error);
        rocksdb_iter_destroy(iterator);
        return status;
}

/* The anchor file as a start finds it. */
typedef struct anchor_found {
        door_status status; /* DOOR_OK: anchor is set. DOOR_NOT_FOUND: no such file, or none asked for. */
        bool asked;
        door_anchor anchor;
} anchor_found;

static anchor_found anchor_look(const char *path)
{
        anchor_found found = { .status = DOOR_NOT_FOUND, .asked = path != NULL };

        if (path != NULL) {
                found.status = door_anchor_read(path, &found.anchor, NULL);
        }
        return found;
}

/* V4. */
static door_status verify_log(const door_store *store, const anchor_found *anchor, uint64_t head,
                              door_error *error)
{
        static const char rule[] = "V4 log";

        if (!anchor->asked || (anchor->status == DOOR_NOT_FOUND && head == 0)) {
                return DOOR_OK;
        }
        if (anchor->status != DOOR_OK) {
                return refuse(error, DOOR_ANCHOR_MISSING, rule, "the head is %llu and the anchor %s",
                              (unsigned long long)head,
                              anchor->status == DOOR_NOT_FOUND ? "is gone" : "cannot be read");
        }
        if (memcmp(anchor->anchor.log_id, store->log_id, sizeof store->log_id) != 0) {
                return refuse(error, DOOR_LOG_REGRESSED, rule, "the anchor is of another log");
        }
        return DOOR_OK;
}

/* V3..V13. With FOUND_NOTHING only V3 has been looked at and *ret_standing is untouched. */
static door_status verify(door_store *store, const anchor_found *anchor, found_in_database *ret_found,
                          door_standing *ret_standing, door_error *error)
{
        door_standing standing = { 0 };
        door_header last = { 0 };
        uint64_t first_seq = 0;
        uint64_t head = 0;

        door_status status = verify_meta(store, ret_found, error);
        if (status != DOOR_OK || *ret_found == FOUND_NOTHING) {
                return status;
        }
        status = seq_at_end(store, FAMILY_HEADER, true, "V5 headers", &head, error);
        if (status == DOOR_OK) {
                status = verify_log(store, anchor, head, error);
        }
        if (status == DOOR_OK) {
                status = seq_at_end(store, FAMILY_HEADER, false, "V5 headers", &first_seq, error);
        }
        if (status == DOOR_OK && head > 0 && first_seq != 1) {
                status = refuse(error, DOOR_CORRUPT, "V5 headers", "the first record is %llu",
                                (unsigned long long)first_seq);
        }
        if (status == DOOR_OK) {
                status = verify_density(store, head, error);
        }
        if (status == DOOR_OK) {
                status = verify_chain(store, head, &standing.head_hash, &last, error);
        }
        if (status == DOOR_OK) {
                status = verify_nothing_beyond(store, head, error);
        }
        if (status == DOOR_OK) {
                status = verify_cursors(store, &standing, error);
        }
        if (status == DOOR_OK) {
                status = verify_seen(&standing, &last, error);
        }
        if (status == DOOR_OK && anchor->status == DOOR_OK) {
                status = verify_anchor(store, &anchor->anchor, head, error);
        }
        if (status == DOOR_OK) {
                status = verify_state(store, error);
        }
        if (status != DOOR_OK) {
                return status;
        }
        memcpy(standing.log_id, store->log_id, sizeof standing.log_id);
        standing.head = head;
        standing.last_at_ms = last.at_ms;
        *ret_standing = standing;
        return DOOR_OK;
}

/* ---- Opening ------------------------------------------------------------------------------ */

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
        return rocks == NULL ? DOOR_OK : rocks_failed(&rocks, "options", error);
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

        for (family in = 0; in < FAMILIES_COUNT; in++) {
                store->family_options[in] = rocksdb_options_create_copy(store->options);
                if (in == FAMILY_HEADER || in == FAMILY_PUBLIC || in == FAMILY_PRIVATE) {
                        rocksdb_options_set_compression(store->family_options[in], rocksdb_lz4_compression);
                }
        }
        return DOOR_OK;
}

static door_status handles_make(door_store *store, const door_store_options *options, door_error *error)
{
        const door_status status = options_make(store, options, error);

        if (status != DOOR_OK) {
                return status;
        }
        store->reads = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(store->reads, 1);
        store->scans = rocksdb_readoptions_create();
        rocksdb_readoptions_set_verify_checksums(store->scans, 1);
        rocksdb_readoptions_set_fill_cache(store->scans, 0);
        store->synced = rocksdb_writeoptions_create();
        rocksdb_writeoptions_set_sync(store->synced, 1);
        store->unsynced = rocksdb_writeoptions_create();
        store->batch = rocksdb_writebatch_create();
        store->scratch = malloc(SCRATCH_BYTES);
        return store->scratch == NULL ? no_memory(error) : DOOR_OK;
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
                return no_memory(error);
        }
        store->read_only = how == OPENING_TO_LOOK;
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
                        store->options, options->path, FAMILIES_COUNT, family_names, family_options,
                        store->families, 0, &rocks);
        } else {
                rocksdb_options_set_create_if_missing(store->options, how == OPENING_TO_MAKE);
                rocksdb_options_set_create_missing_column_families(store->options, how == OPENING_TO_MAKE);
                store->db =
                        rocksdb_open_column_families(store->options, options->path, FAMILIES_COUNT,
                                                     family_names, family_options, store->families, &rocks);
        }
        if (rocks != NULL) {
                status = rocks_failed(&rocks, "open", error);
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
        walks_end(store);
        for (family in = 0; in < FAMILIES_COUNT; in++) {
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
        if (store->scans != NULL) {
                rocksdb_readoptions_destroy(store->scans);
        }
        for (family in = 0; in < FAMILIES_COUNT; in++) {
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
                        return refuse(error, DOOR_IO, "V1 folder", "%s", strerror(errno));
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
                return refuse(error, DOOR_INVALID, "V1 folder", "path too long");
        }
        const int fd = open(lock_path, O_RDWR | O_CLOEXEC);
        if (fd < 0) {
                return DOOR_OK; /* No lock file, or not ours to write: opening will tell. */
        }
        const bool held = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
        (void)close(fd);
        return held ? refuse(error, DOOR_BUSY, "V1 folder", "another process has the database open")
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
                return rocks_failed(&rocks, "V2 families", error);
        }
        for (size_t i = 0; i < count; i++) {
                for (family in = 0; in < FAMILIES_COUNT; in++) {
                        known += strcmp(names[i], family_names[in]) == 0;
                }
        }
        rocksdb_list_column_families_destroy(names, count);
        *ret_complete = known == FAMILIES_COUNT;
        if (count > known) {
                return refuse(error, DOOR_FORMAT_NEWER, "V2 families", "one this program does not know");
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
                return refuse(error, DOOR_IO, rule, "open CURRENT: %s", strerror(errno));
        }
        const bool named = fgets(name, sizeof name, current) != NULL;
        (void)fclose(current);
        if (!named || sscanf(name, "MANIFEST-%" SCNu64, &found.number) != 1) {
                return refuse(error, DOOR_CORRUPT, rule, "CURRENT names none");
        }
        name[strcspn(name, "\n")] = '\0';
        (void)snprintf(file_path, sizeof file_path, "%.*s/%s", PATH_MAX - 80, path, name);
        const int fd = open(file_path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
                return refuse(error, DOOR_IO, rule, "open: %s", strerror(errno));
        }
        if (fstat(fd, &st) != 0 || (sync && fsync(fd) != 0)) {
                status = refuse(error, DOOR_IO, rule, "%s", strerror(errno));
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

        door_status status = row_pin(store, FAMILY_META, witness_key_bytes(), &pinned, error);
        if (status != DOOR_OK || pinned == NULL) {
                return status;
        }
        const door_bytes value = pinned_bytes(pinned);
        if (!row_is_whole(witness_key_bytes(), value, WITNESS_BODY_BYTES)) {
                status = refuse(error, DOOR_CORRUPT, rule, "the witness's digest does not fit");
        } else {
                status = manifest_look(path, false, &found, error);
        }
        if (status == DOOR_OK && door_get_u64(value.data) == found.number &&
            door_get_u64(value.data + 8) > found.bytes) {
                status = refuse(error, DOOR_CORRUPT, rule, "it has %llu bytes, and had %llu",
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
        batch_put(store, FAMILY_META, key, value);
        rocksdb_write(store->db, store->synced, store->batch, &rocks);
        return rocks == NULL ? DOOR_OK : rocks_failed(&rocks, "write meta", error);
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
        const door_hash digest = row_digest(witness_key_bytes(), door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        return meta_put(store, witness_key_bytes(), door_written(&w), error);
}

/* There is nothing of a log. Is that how it should be? */
static door_status nothing_is_right(const anchor_found *anchor, const char *what, door_error *error)
{
        if (anchor->status == DOOR_OK) {
                return refuse(error, DOOR_LOG_REGRESSED, "V1 folder", "%s, but the anchor is at %llu", what,
                              (unsigned long long)anchor->anchor.seq);
        }
        if (anchor->status != DOOR_NOT_FOUND) {
                return refuse(error, DOOR_ANCHOR_MISSING, "V1 folder", "%s, and the anchor cannot be read",
                              what);
        }
        return DOOR_OK;
}

/* Looks, verifies, closes again. *ret_standing is set for FOUND_LOG. */
static door_status look(const door_store_options *options, const anchor_found *anchor, door_store **ret_store,
                        found_in_database *ret_found, door_standing *ret_standing, door_error *error)
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
                        status = refuse(error, DOOR_CORRUPT, "V1 folder", "logs or tables, but no CURRENT");
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
        status = verify(store, anchor, ret_found, ret_standing, error);
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
                return refuse(reterr_error, DOOR_INVALID, "V1 folder", "path empty or too long");
        }
        const anchor_found anchor = anchor_look(options->anchor_path);
        found_in_database found = FOUND_NOTHING;
        door_store *store = NULL;
        door_standing standing;

        const door_status status = look(options, &anchor, &store, &found, &standing, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        if (found == FOUND_NOTHING) {
                return refuse(reterr_error, DOOR_NOT_FOUND, "V1 folder", "there is no database");
        }
        *ret_store = store;
        *ret_standing = standing;
        return DOOR_OK;
}

/* The first row of a new database. */
static door_status meta_write(door_store *store, const uint8_t log_id[16], door_error *error)
{
        uint8_t value[META_BODY_BYTES + DOOR_HASH_BYTES];

        meta_encode(log_id, value);
        const door_status status =
                meta_put(store, meta_key_bytes(), (door_bytes){ value, sizeof value }, error);
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
        const anchor_found no_anchor = { .status = DOOR_NOT_FOUND };
        found_in_database found = FOUND_LOG;
        door_store *store = NULL;

        door_status status = database_open(options, OPENING_TO_MAKE, &store, error);
        if (status != DOOR_OK) {
                return status;
        }
        status = verify(store, &no_anchor, &found, ret_standing, error);
        if (status == DOOR_OK && found != FOUND_NOTHING) {
                status = refuse(error, DOOR_CORRUPT, "V2 families",
                                "some are missing, but the meta row is not");
        }
        if (status == DOOR_OK) {
                status = meta_write(store, options->new_log_id, error);
        }
        if (status == DOOR_OK) {
                status = verify(store, &no_anchor, &found, ret_standing, error);
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
        status = seq_at_end(store, FAMILY_HEADER, true, "V5 headers", &head, error);
        if (status == DOOR_OK) {
                status = hash_read(store, head, &hash, error);
        }
        if (status == DOOR_OK && (head != standing->head || !door_hash_equal(&hash, &standing->head_hash))) {
                status = refuse(error, DOOR_CORRUPT, "V7 chain",
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
                return refuse(reterr_error, DOOR_INVALID, "V1 folder", "path empty or too long");
        }
        const anchor_found anchor = anchor_look(options->anchor_path);
        found_in_database found = FOUND_NOTHING;
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
                return refuse(error, DOOR_IO, "checkpoint", "open %s: %s", what, strerror(errno));
        }
        const bool synced = fsync(fd) == 0;
        const int system_error = errno;
        (void)close(fd);
        return synced ? DOOR_OK
                      : refuse(error, DOOR_IO, "checkpoint", "sync %s: %s", what, strerror(system_error));
}

/* Syncs every file of a folder and the folder. RocksDB 7.8.3 leaves some of the copied ones unsynced. */
static door_status folder_sync(const char *path, door_error *error)
{
        door_status status = DOOR_OK;
        const struct dirent *entry = NULL;
        DIR *folder = opendir(path);

        if (folder == NULL) {
                return refuse(error, DOOR_IO, "checkpoint", "%s", strerror(errno));
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
                return rocks_failed(&rocks, "checkpoint", reterr_error);
        }
        /* 0: flush whatever the WAL's size, so that the copy holds none. */
        rocksdb_checkpoint_create(checkpoint, path, 0, &rocks);
        rocksdb_checkpoint_object_destroy(checkpoint);
        if (rocks != NULL) {
                return rocks_failed(&rocks, "checkpoint", reterr_error);
        }
        return folder_sync(path, reterr_error);
}
