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

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/store_inside.h"

const char *const store_family_names[FAMILIES_COUNT] = { "default", "header", "public", "private", "state" };

/* ---- Errors ------------------------------------------------------------------------------- */

door_status store_refuse(door_error *error, door_status status, const char *condition, const char *format,
                         ...)
{
        char detail[160];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(detail, sizeof detail, format, arguments);
        va_end(arguments);
        return door_error_set(error, status, "%s: %s: %s", door_status_name(status), condition, detail);
}

door_status store_no_memory(door_error *error)
{
        return store_refuse(error, DOOR_NO_MEMORY, "store", "out of memory");
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

door_status store_rocks_failed(char **text, const char *doing, door_error *error)
{
        const door_status status = rocks_status(*text);

        (void)store_refuse(error, status, "rocksdb", "%s: %s", doing, *text);
        rocksdb_free(*text);
        *text = NULL;
        return status;
}

void store_counting_stop(void)
{
        rocksdb_set_perf_level(rocksdb_disable);
}

/* ---- Rows --------------------------------------------------------------------------------- */

door_hash store_row_digest(door_bytes key, door_bytes body)
{
        const door_bytes parts[] = { key, body };
        return door_hash_of(parts, 2);
}

bool store_row_is_whole(door_bytes key, door_bytes value, size_t body_bytes)
{
        if (value.len != body_bytes + DOOR_HASH_BYTES) {
                return false;
        }
        const door_hash digest = store_row_digest(key, (door_bytes){ value.data, body_bytes });
        return memcmp(digest.bytes, value.data + body_bytes, DOOR_HASH_BYTES) == 0;
}

static const uint8_t meta_key[] = { 'M' };

door_bytes store_meta_key_bytes(void)
{
        return (door_bytes){ meta_key, sizeof meta_key };
}

static const uint8_t witness_key[] = { 'W' };

door_bytes store_witness_key_bytes(void)
{
        return (door_bytes){ witness_key, sizeof witness_key };
}

void store_meta_encode(const uint8_t log_id[16], uint8_t out[META_BODY_BYTES + DOOR_HASH_BYTES])
{
        const door_hash start = door_hash_log_start(log_id);
        door_writer w = door_writer_on(out, META_BODY_BYTES + DOOR_HASH_BYTES);

        door_write_u32(&w, FORMAT_VERSION);
        door_write(&w, (door_bytes){ log_id, 16 });
        door_write(&w, door_hash_bytes(&start));
        const door_hash digest = store_row_digest(store_meta_key_bytes(), door_written(&w));
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
        const door_hash digest = store_row_digest((door_bytes){ key, CURSOR_KEY_BYTES }, door_written(&w));
        door_write(&w, door_hash_bytes(&digest));
        DOOR_REQUIRE(w.ok && w.len == w.cap);
}

bool store_cursor_decode(door_bytes key, door_bytes value, door_cursor *ret_cursor)
{
        if (key.len != CURSOR_KEY_BYTES || key.data[0] != 'C' ||
            !store_row_is_whole(key, value, CURSOR_BODY_BYTES)) {
                return false;
        }
        ret_cursor->log = door_get_u32(key.data + 1);
        memcpy(ret_cursor->log_id, value.data, sizeof ret_cursor->log_id);
        ret_cursor->seq = door_get_u64(value.data + 16);
        memcpy(ret_cursor->hash.bytes, value.data + 24, DOOR_HASH_BYTES);
        return true;
}

/* ---- Reading one row ---------------------------------------------------------------------- */

door_bytes store_pinned_bytes(const rocksdb_pinnableslice_t *pinned)
{
        size_t len = 0;
        const char *data = rocksdb_pinnableslice_value(pinned, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

door_status store_row_pin(const door_store *store, store_family in, door_bytes key,
                          rocksdb_pinnableslice_t **ret_pinned, door_error *error)
{
        char *rocks = NULL;
        rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(store->db, store->reads, store->families[in],
                                                                (const char *)key.data, key.len, &rocks);

        if (rocks != NULL) {
                return store_rocks_failed(&rocks, store_family_names[in], error);
        }
        *ret_pinned = pinned;
        return DOOR_OK;
}

/* A copy in the arena; empty and !found when absent. */
static door_status row_copy(const door_store *store, store_family in, door_bytes key, door_arena *arena,
                            door_bytes *ret_value, bool *ret_found)
{
        rocksdb_pinnableslice_t *pinned = NULL;
        const door_status status = store_row_pin(store, in, key, &pinned, NULL);

        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL) {
                *ret_found = false;
                return DOOR_OK;
        }
        const door_bytes value = door_arena_copy(arena, store_pinned_bytes(pinned));
        rocksdb_pinnableslice_destroy(pinned);
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        *ret_value = value;
        *ret_found = true;
        return DOOR_OK;
}

door_bytes store_iterator_key(const rocksdb_iterator_t *iterator)
{
        size_t len = 0;
        const char *data = rocksdb_iter_key(iterator, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

door_bytes store_iterator_value(const rocksdb_iterator_t *iterator)
{
        size_t len = 0;
        const char *data = rocksdb_iter_value(iterator, &len);
        return (door_bytes){ (const uint8_t *)data, len };
}

door_status store_iterator_ended(const rocksdb_iterator_t *iterator, const char *doing, door_error *error)
{
        char *rocks = NULL;

        rocksdb_iter_get_error(iterator, &rocks);
        return rocks == NULL ? DOOR_OK : store_rocks_failed(&rocks, doing, error);
}

/* ---- The state reader --------------------------------------------------------------------- */

static door_status state_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        return row_copy(context, FAMILY_STATE, key, arena, ret_value, ret_found);
}

void store_walks_end(door_store *store)
{
        for (size_t i = 0; i < ITERATORS_MAX; i++) {
                if (store->walks[i].iterator != NULL) {
                        rocksdb_iter_destroy(store->walks[i].iterator);
                        store->walks[i].iterator = NULL;
                }
        }
}

/*
 * The walk of this table, as of the last commit; its iterator may be anywhere.
 *
 * With a prefix as long as the filters' the iterator is a prefixed one: most of the core's scans find
 * nothing, and the filters say so without a search. Such an iterator passes over what the filters denied, so
 * it is right only within the prefix it sought; it ends there (prefix_same_as_start), and where it is valid
 * it may be gone on from.
 */
static rocksdb_iterator_t *walk_of(door_store *store, door_bytes prefix)
{
        const int table = prefix.len == 0 ? -1 : prefix.data[0];
        const bool prefixed = prefix.len >= STATE_PREFIX_BYTES;
        const uint64_t commits = atomic_load(&store->commits);
        walk *free_walk = NULL;

        /* An iterator sees the database as it was when it was made, and keeps those files alive.
         * After a commit all of them go, used or not. */
        if (store->walks_as_of != commits) {
                store_walks_end(store);
                store->walks_as_of = commits;
        }
        for (size_t i = 0; i < ITERATORS_MAX; i++) {
                walk *at = &store->walks[i];
                if (at->iterator == NULL) {
                        free_walk = free_walk == NULL ? at : free_walk;
                } else if (at->table == table && at->prefixed == prefixed) {
                        return at->iterator;
                }
        }
        if (free_walk == NULL) {
                free_walk = &store->walks[store->walk_to_replace];
                store->walk_to_replace = (store->walk_to_replace + 1) % ITERATORS_MAX;
                rocksdb_iter_destroy(free_walk->iterator);
        }
        free_walk->table = table;
        free_walk->prefixed = prefixed;
        free_walk->iterator = rocksdb_create_iterator_cf(
                store->db, prefixed ? store->prefixed : store->ordered, store->families[FAMILY_STATE]);
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
        rocksdb_iterator_t *iterator = walk_of(store, prefix);

        if (!rocksdb_iter_valid(iterator) || !door_bytes_equal(store_iterator_key(iterator), from)) {
                rocksdb_iter_seek(iterator, (const char *)from.data, from.len);
        }
        if (!inclusive && rocksdb_iter_valid(iterator) &&
            door_bytes_equal(store_iterator_key(iterator), from)) {
                rocksdb_iter_next(iterator);
        }
        if (!rocksdb_iter_valid(iterator)) {
                const door_status status = store_iterator_ended(iterator, "state", NULL);
                if (status == DOOR_OK) {
                        *ret_found = false;
                }
                return status;
        }
        if (!door_bytes_starts_with(store_iterator_key(iterator), prefix)) {
                *ret_found = false;
                return DOOR_OK;
        }
        const door_bytes key = door_arena_copy(arena, store_iterator_key(iterator));
        const door_bytes value = door_arena_copy(arena, store_iterator_value(iterator));
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        *ret_key = key;
        *ret_value = value;
        *ret_found = true;
        return DOOR_OK;
}

/* ---- Commit ------------------------------------------------------------------------------- */

void store_batch_put(door_store *store, store_family in, door_bytes key, door_bytes value)
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
                store_batch_put(store, FAMILY_PUBLIC, key, record->public_payload);
        }
        if (record->private_payload.len > 0) {
                store_batch_put(store, FAMILY_PRIVATE, key, record->private_payload);
        }
}

static void batch_cursor(door_store *store, const door_cursor *cursor)
{
        uint8_t key[CURSOR_KEY_BYTES];
        uint8_t value[CURSOR_BODY_BYTES + DOOR_HASH_BYTES];

        cursor_key(cursor->log, key);
        cursor_encode(cursor, key, value);
        store_batch_put(store, FAMILY_META, (door_bytes){ key, sizeof key },
                        (door_bytes){ value, sizeof value });
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

        store_counting_stop(); /* The pool picks a thread per commit. */
        rocksdb_writebatch_clear(store->batch);
        for (size_t i = 0; i < commit->records_count; i++) {
                const door_record *record = &commit->records[i];

                /* A wrong link could be written but never again be read: V7 would store_refuse every start.
                 */
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
                        store_batch_put(store, FAMILY_STATE, change->key, change->value);
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

/*
 * The rows of a read in the order of seq: looked up one by one, or, when there are many, by an iterator per
 * family: one search, then a step a record. Consumers that catch up read every log in hundreds.
 */
enum { ROWS_WALKED_FROM = 16 };
typedef struct rows {
        bool walked;
        rocksdb_iterator_t *iterators[FAMILIES_COUNT]; /* NULL until the family is first asked for. */
} rows;

static void rows_end(rows *r)
{
        for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                if (r->iterators[in] != NULL) {
                        rocksdb_iter_destroy(r->iterators[in]);
                }
        }
}

/* As row_copy. Keys come in rising order. */
static door_status rows_next(rows *r, const door_store *store, store_family in, door_bytes key,
                             door_arena *arena, door_bytes *ret_value, bool *ret_found)
{
        rocksdb_iterator_t *iterator = r->iterators[in];

        if (!r->walked) {
                return row_copy(store, in, key, arena, ret_value, ret_found);
        }
        if (iterator == NULL) {
                iterator = rocksdb_create_iterator_cf(store->db, store->reads, store->families[in]);
                r->iterators[in] = iterator;
                rocksdb_iter_seek(iterator, (const char *)key.data, key.len);
        }
        /* Where a record has no payload it stands beyond already. */
        while (rocksdb_iter_valid(iterator) && door_bytes_compare(store_iterator_key(iterator), key) < 0) {
                rocksdb_iter_next(iterator);
        }
        *ret_found = false;
        if (!rocksdb_iter_valid(iterator)) {
                return store_iterator_ended(iterator, store_family_names[in], NULL);
        }
        if (door_bytes_equal(store_iterator_key(iterator), key)) {
                *ret_value = door_arena_copy(arena, store_iterator_value(iterator));
                *ret_found = true;
        }
        return arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

/* A payload that is not there although asked for is an empty one only if none was promised. */
static door_status payload_promised(door_bytes header_bytes, store_family in, door_arena *arena,
                                    bool *ret_promised)
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

static door_status payload_read(rows *r, const door_store *store, store_family in, door_bytes key,
                                door_bytes header, door_arena *arena, door_bytes *ret_payload)
{
        bool found = false;
        bool promised = false;

        door_status status = rows_next(r, store, in, key, arena, ret_payload, &found);
        if (status != DOOR_OK || found) {
                return status;
        }
        status = payload_promised(header, in, arena, &promised);
        if (status != DOOR_OK) {
                return status;
        }
        return promised ? DOOR_CORRUPT : DOOR_OK;
}

static door_status record_read(rows *r, const door_store *store, uint64_t seq, door_form form,
                               door_arena *arena, door_record *ret_record)
{
        uint8_t key_bytes[SEQ_KEY_BYTES];
        const door_bytes key = { key_bytes, sizeof key_bytes };
        door_record record = { .seq = seq };
        door_bytes row = DOOR_BYTES_EMPTY;
        bool found = false;

        door_put_u64(key_bytes, seq);
        door_status status = rows_next(r, store, FAMILY_HEADER, key, arena, &row, &found);
        if (status != DOOR_OK) {
                return status;
        }
        if (!found || row.len <= DOOR_HASH_BYTES) {
                return DOOR_CORRUPT;
        }
        memcpy(record.hash.bytes, row.data, DOOR_HASH_BYTES);
        record.header = (door_bytes){ row.data + DOOR_HASH_BYTES, row.len - DOOR_HASH_BYTES };

        if (form >= DOOR_FORM_PUBLIC) {
                status = payload_read(r, store, FAMILY_PUBLIC, key, record.header, arena,
                                      &record.public_payload);
        }
        if (status == DOOR_OK && form >= DOOR_FORM_WHOLE) {
                status = payload_read(r, store, FAMILY_PRIVATE, key, record.header, arena,
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
        const door_store *store = context;
        const uint64_t head = atomic_load(&store->head);
        rows r = { .walked = records_max >= ROWS_WALKED_FROM && head >= ROWS_WALKED_FROM &&
                             after_seq <= head - ROWS_WALKED_FROM };
        door_status status = DOOR_OK;
        size_t count = 0;
        size_t bytes = 0;

        while (count < records_max && after_seq < head - count) {
                const door_arena_mark mark = door_arena_here(arena);
                door_record record;

                status = record_read(&r, store, after_seq + count + 1, form, arena, &record);
                if (status != DOOR_OK) {
                        break;
                }
                bytes += record.header.len + record.public_payload.len + record.private_payload.len;
                if (bytes > bytes_max && count > 0) {
                        door_arena_rewind(arena, mark);
                        break;
                }
                ret_records[count++] = record;
        }
        rows_end(&r);
        if (status == DOOR_OK) {
                *ret_count = count;
        }
        return status;
}

door_status store_hash_read(const door_store *store, uint64_t seq, door_hash *ret_hash, door_error *error)
{
        uint8_t key[SEQ_KEY_BYTES];
        rocksdb_pinnableslice_t *pinned = NULL;

        if (seq == 0) {
                *ret_hash = door_hash_log_start(store->log_id);
                return DOOR_OK;
        }
        door_put_u64(key, seq);
        door_status status =
                store_row_pin(store, FAMILY_HEADER, (door_bytes){ key, sizeof key }, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL || store_pinned_bytes(pinned).len <= DOOR_HASH_BYTES) {
                status = store_refuse(error, DOOR_CORRUPT, "header", "record %llu has none",
                                      (unsigned long long)seq);
        } else {
                memcpy(ret_hash->bytes, store_pinned_bytes(pinned).data, DOOR_HASH_BYTES);
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
        return store_hash_read(store, seq, ret_hash, NULL);
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
