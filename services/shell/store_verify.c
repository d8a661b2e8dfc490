/*
 * store_verify.c - what a start verifies of the log it finds: V3 to V13 of the list at the top of
 * store_rocksdb.c, in its order. It reads, and changes nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "shell/store_inside.h"

static rocksdb_iterator_t *walk_family(const door_store *store, store_family in)
{
        return rocksdb_create_iterator_cf(store->db, store->scans, store->families[in]);
}

static door_status family_is_empty(const door_store *store, store_family in, bool *ret_empty,
                                   door_error *error)
{
        rocksdb_iterator_t *iterator = walk_family(store, in);
        door_status status = DOOR_OK;

        rocksdb_iter_seek_to_first(iterator);
        const bool empty = !rocksdb_iter_valid(iterator);
        if (empty) {
                status = store_iterator_ended(iterator, store_family_names[in], error);
        }
        rocksdb_iter_destroy(iterator);
        if (status == DOOR_OK) {
                *ret_empty = empty;
        }
        return status;
}

/* V3. Sets the store's log id. */
static door_status verify_meta(door_store *store, store_found *ret_found, door_error *error)
{
        static const char rule[] = "V3 meta";
        rocksdb_pinnableslice_t *pinned = NULL;
        const door_bytes key = store_meta_key_bytes();

        door_status status = store_row_pin(store, FAMILY_META, key, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (pinned == NULL) {
                for (store_family in = 0; in < FAMILIES_COUNT; in++) {
                        bool empty = false;
                        status = family_is_empty(store, in, &empty, error);
                        if (status != DOOR_OK) {
                                return status;
                        }
                        if (!empty) {
                                return store_refuse(error, DOOR_CORRUPT, rule,
                                                    "no meta row, but rows in family %s",
                                                    store_family_names[in]);
                        }
                }
                *ret_found = FOUND_NOTHING;
                return DOOR_OK;
        }
        const door_bytes value = store_pinned_bytes(pinned);
        const uint32_t version = value.len >= 4 ? door_get_u32(value.data) : 0;
        /* A newer program may have another layout behind the version, so the version comes first. */
        if (version > FORMAT_VERSION) {
                status = store_refuse(error, DOOR_FORMAT_NEWER, rule, "format %u, this program knows %d",
                                      version, FORMAT_VERSION);
        } else if (version != FORMAT_VERSION || !store_row_is_whole(key, value, META_BODY_BYTES)) {
                status = store_refuse(error, DOOR_CORRUPT, rule, "the row's digest does not fit");
        } else {
                memcpy(store->log_id, value.data + 4, sizeof store->log_id);
                *ret_found = FOUND_LOG;
        }
        rocksdb_pinnableslice_destroy(pinned);
        return status;
}

/* V5, V9: the key of the last (or first) row of a family that is keyed by seq; 0 when it is empty. */
door_status store_seq_at_end(const door_store *store, store_family in, bool last, const char *rule,
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
                status = store_iterator_ended(iterator, store_family_names[in], error);
        } else {
                const door_bytes key = store_iterator_key(iterator);
                if (key.len != SEQ_KEY_BYTES || door_get_u64(key.data) == 0) {
                        status = store_refuse(error, DOOR_CORRUPT, rule,
                                              "a key of family %s is no sequence number",
                                              store_family_names[in]);
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
                if (strcmp(rocksdb_livefiles_column_family_name(files, i),
                           store_family_names[FAMILY_HEADER]) == 0) {
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
                const door_bytes key = store_iterator_key(iterator);
                if (key.len != SEQ_KEY_BYTES || door_get_u64(key.data) != expected) {
                        status = store_refuse(error, DOOR_CORRUPT, "V6 density",
                                              "record %llu is missing, the head is %llu",
                                              (unsigned long long)expected, (unsigned long long)head);
                        break;
                }
                expected++;
        }
        if (status == DOOR_OK) {
                status = store_iterator_ended(iterator, "header", error);
        }
        rocksdb_iter_destroy(iterator);
        return status;
}

/* V8, one payload of one record. */
static door_status verify_payload(const door_store *store, store_family in, uint64_t seq, bool promised,
                                  const door_hash *digest, door_error *error)
{
        static const char rule[] = "V8 payloads";
        uint8_t key[SEQ_KEY_BYTES];
        rocksdb_pinnableslice_t *pinned = NULL;
        door_bytes payload;

        door_put_u64(key, seq);
        door_status status = store_row_pin(store, in, (door_bytes){ key, sizeof key }, &pinned, error);
        if (status != DOOR_OK) {
                return status;
        }
        if ((pinned != NULL) != promised) {
                status = store_refuse(error, DOOR_CORRUPT, rule, "record %llu: the %s payload is %s",
                                      (unsigned long long)seq, store_family_names[in],
                                      promised ? "missing" : "there, but the header has none");
        } else if (promised && !door_payload_open(store_pinned_bytes(pinned), digest, &payload)) {
                status = store_refuse(error, DOOR_CORRUPT, rule,
                                      "record %llu: the %s payload is not what the header says",
                                      (unsigned long long)seq, store_family_names[in]);
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
                return store_refuse(error, DOOR_CORRUPT, rule, "record %llu is missing",
                                    (unsigned long long)seq);
        }
        if (row.len <= DOOR_HASH_BYTES) {
                return store_refuse(error, DOOR_CORRUPT, rule, "record %llu has no header",
                                    (unsigned long long)seq);
        }
        const door_bytes header_bytes = { row.data + DOOR_HASH_BYTES, row.len - DOOR_HASH_BYTES };
        *hash = door_hash_chain(hash, header_bytes);
        if (memcmp(hash->bytes, row.data, DOOR_HASH_BYTES) != 0) {
                return store_refuse(error, DOOR_CORRUPT, rule,
                                    "record %llu does not follow from the one before",
                                    (unsigned long long)seq);
        }
        door_arena_init(&arena, store->scratch, SCRATCH_BYTES);
        if (door_header_decode(header_bytes, &arena, ret_header) != DOOR_OK || ret_header->seq != seq) {
                return store_refuse(error, DOOR_CORRUPT, rule,
                                    "record %llu: the header is none, or another's", (unsigned long long)seq);
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

        door_status status = store_hash_read(store, first - 1, &hash, error);
        if (status != DOOR_OK) {
                return status;
        }
        rocksdb_iterator_t *iterator = walk_family(store, FAMILY_HEADER);
        door_put_u64(key, first);
        rocksdb_iter_seek(iterator, (const char *)key, sizeof key);
        for (uint64_t seq = first; seq <= head && status == DOOR_OK; seq++) {
                if (!rocksdb_iter_valid(iterator)) {
                        status = store_iterator_ended(iterator, "header", error);
                        if (status == DOOR_OK) {
                                status = store_refuse(error, DOOR_CORRUPT, "V7 chain",
                                                      "record %llu is missing", (unsigned long long)seq);
                        }
                        break;
                }
                status = verify_record(store, seq, store_iterator_key(iterator),
                                       store_iterator_value(iterator), &hash, ret_last, error);
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
        static const store_family payloads[] = { FAMILY_PUBLIC, FAMILY_PRIVATE };

        for (size_t i = 0; i < 2; i++) {
                uint64_t last = 0;
                const door_status status = store_seq_at_end(store, payloads[i], true, rule, &last, error);
                if (status != DOOR_OK) {
                        return status;
                }
                if (last > head) {
                        return store_refuse(error, DOOR_CORRUPT, rule,
                                            "a %s payload for record %llu, the head is %llu",
                                            store_family_names[payloads[i]], (unsigned long long)last,
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
                const door_bytes key = store_iterator_key(iterator);
                if (door_bytes_equal(key, store_meta_key_bytes()) ||
                    door_bytes_equal(key, store_witness_key_bytes())) {
                        continue;
                }
                if (standing->cursors_count == DOOR_UPSTREAMS_MAX) {
                        status = store_refuse(error, DOOR_CORRUPT, rule, "more than %d", DOOR_UPSTREAMS_MAX);
                } else if (!store_cursor_decode(key, store_iterator_value(iterator),
                                                &standing->cursors[standing->cursors_count])) {
                        status = store_refuse(error, DOOR_CORRUPT, rule,
                                              "row %zu is no cursor, or its digest does not fit",
                                              standing->cursors_count);
                } else {
                        standing->cursors_count++;
                }
        }
        if (status == DOOR_OK) {
                status = store_iterator_ended(iterator, "default", error);
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
                        return store_refuse(error, DOOR_CORRUPT, "V11 seen",
                                            "the cursor in log %u is %llu, the last record has seen %llu",
                                            cursor->log, (unsigned long long)cursor->seq,
                                            (unsigned long long)seen);
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
                return store_refuse(error, DOOR_LOG_REGRESSED, rule,
                                    "the head is %llu, the anchor is at %llu", (unsigned long long)head,
                                    (unsigned long long)anchor->seq);
        }
        const door_status status = store_hash_read(store, anchor->seq, &hash, error);
        if (status != DOOR_OK) {
                return status;
        }
        if (!door_hash_equal(&hash, &anchor->hash)) {
                return store_refuse(error, DOOR_LOG_REGRESSED, rule,
                                    "record %llu is not the one the anchor knows",
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
                bytes += store_iterator_key(iterator).len + store_iterator_value(iterator).len;
        }
        const door_status status = store_iterator_ended(iterator, "V13 state", error);
        rocksdb_iter_destroy(iterator);
        return status;
}

store_anchor_found store_anchor_look(const char *path)
{
        store_anchor_found found = { .status = DOOR_NOT_FOUND, .asked = path != NULL };

        if (path != NULL) {
                found.status = door_anchor_read(path, &found.anchor, NULL);
        }
        return found;
}

/* V4. */
static door_status verify_log(const door_store *store, const store_anchor_found *anchor, uint64_t head,
                              door_error *error)
{
        static const char rule[] = "V4 log";

        if (!anchor->asked || (anchor->status == DOOR_NOT_FOUND && head == 0)) {
                return DOOR_OK;
        }
        if (anchor->status != DOOR_OK) {
                return store_refuse(error, DOOR_ANCHOR_MISSING, rule, "the head is %llu and the anchor %s",
                                    (unsigned long long)head,
                                    anchor->status == DOOR_NOT_FOUND ? "is gone" : "cannot be read");
        }
        if (memcmp(anchor->anchor.log_id, store->log_id, sizeof store->log_id) != 0) {
                return store_refuse(error, DOOR_LOG_REGRESSED, rule, "the anchor is of another log");
        }
        return DOOR_OK;
}

door_status store_verify(door_store *store, const store_anchor_found *anchor, store_found *ret_found,
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
        status = store_seq_at_end(store, FAMILY_HEADER, true, "V5 headers", &head, error);
        if (status == DOOR_OK) {
                status = verify_log(store, anchor, head, error);
        }
        if (status == DOOR_OK) {
                status = store_seq_at_end(store, FAMILY_HEADER, false, "V5 headers", &first_seq, error);
        }
        if (status == DOOR_OK && head > 0 && first_seq != 1) {
                status = store_refuse(error, DOOR_CORRUPT, "V5 headers", "the first record is %llu",
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
