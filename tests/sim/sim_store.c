#include "sim/sim_store.h"

#include <stdlib.h>
#include <string.h>

/*
 * Two images: `live` is what reads see, `durable` what a crash leaves. Commits that were not
 * synced wait in a list and are folded into `durable` by the next synced one, or, some of
 * them, by a crash.
 */

typedef struct row {
        uint8_t *bytes; /* key, then value */
        size_t key_len;
        size_t value_len;
} row;

typedef struct image {
        row *rows; /* Sorted by key. */
        size_t rows_count;
        size_t rows_max;
        door_record *records; /* Owned copies; one block each, at `header.data`. */
        size_t records_count;
        size_t records_max;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];
        size_t cursors_count;
} image;

/* One commit, copied, to be applied to an image. */
typedef struct change {
        uint8_t *bytes;
        size_t key_len;
        size_t value_len;
        bool deleted;
} change;

typedef struct kept {
        door_record *records;
        size_t records_count;
        change *changes;
        size_t changes_count;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];
        size_t cursors_count;
        struct kept *next;
} kept;

struct sim_store {
        uint8_t log_id[16];
        sim_store_fault fault;
        sim_fate fate;
        image live;
        image durable;
        kept *unsynced;
        size_t commits;
        uint64_t reads_until_failure; /* 0: none fails. */
};

static void *must(void *pointer)
{
        DOOR_REQUIRE(pointer != NULL);
        return pointer;
}

static door_record record_copy(const door_record *record)
{
        const size_t len = record->header.len + record->public_payload.len + record->private_payload.len;
        uint8_t *bytes = must(malloc(len));
        door_record copy = *record;

        memcpy(bytes, record->header.data, record->header.len);
        copy.header.data = bytes;
        uint8_t *at = bytes + record->header.len;
        if (record->public_payload.len > 0) {
                memcpy(at, record->public_payload.data, record->public_payload.len);
                copy.public_payload.data = at;
                at += record->public_payload.len;
        }
        if (record->private_payload.len > 0) {
                memcpy(at, record->private_payload.data, record->private_payload.len);
                copy.private_payload.data = at;
        }
        return copy;
}

/* ---- images ---- */

static door_bytes row_key(const row *r)
{
        return (door_bytes){ r->bytes, r->key_len };
}

/* The first row with key >= key. */
static size_t image_find(const image *img, door_bytes key)
{
        size_t low = 0;
        size_t high = img->rows_count;

        while (low < high) {
                const size_t middle = (low + high) / 2;
                if (door_bytes_compare(row_key(&img->rows[middle]), key) < 0) {
                        low = middle + 1;
                } else {
                        high = middle;
                }
        }
        return low;
}

static void image_put(image *img, const change *c)
{
        const door_bytes key = { c->bytes, c->key_len };
        const size_t at = image_find(img, key);
        const bool here = at < img->rows_count && door_bytes_equal(row_key(&img->rows[at]), key);

        if (here) {
                free(img->rows[at].bytes);
        }
        if (c->deleted) {
                if (here) {
                        memmove(&img->rows[at], &img->rows[at + 1],
                                (img->rows_count - at - 1) * sizeof img->rows[0]);
                        img->rows_count--;
                }
                return;
        }
        if (!here) {
                if (img->rows_count == img->rows_max) {
                        img->rows_max = img->rows_max == 0 ? 64 : img->rows_max * 2;
                        img->rows = must(realloc(img->rows, img->rows_max * sizeof img->rows[0]));
                }
                memmove(&img->rows[at + 1], &img->rows[at], (img->rows_count - at) * sizeof img->rows[0]);
                img->rows_count++;
        }
        uint8_t *bytes = must(malloc(c->key_len + c->value_len));
        memcpy(bytes, c->bytes, c->key_len + c->value_len);
        img->rows[at] = (row){ bytes, c->key_len, c->value_len };
}

/* A commit names the cursors it moves; the others stay. */
static void cursor_put(image *img, const door_cursor *cursor)
{
        size_t at = 0;

        while (at < img->cursors_count && img->cursors[at].log != cursor->log) {
                at++;
        }
        DOOR_REQUIRE(at < DOOR_UPSTREAMS_MAX);
        img->cursors[at] = *cursor;
        img->cursors_count = at == img->cursors_count ? at + 1 : img->cursors_count;
}

static void image_apply(image *img, const kept *commit)
{
        for (size_t i = 0; i < commit->records_count; i++) {
                if (img->records_count == img->records_max) {
                        img->records_max = img->records_max == 0 ? 64 : img->records_max * 2;
                        img->records = must(realloc(img->records, img->records_max * sizeof(door_record)));
                }
                img->records[img->records_count++] = record_copy(&commit->records[i]);
        }
        for (size_t i = 0; i < commit->changes_count; i++) {
                image_put(img, &commit->changes[i]);
        }
        for (size_t i = 0; i < commit->cursors_count; i++) {
                cursor_put(img, &commit->cursors[i]);
        }
}

static void image_clear(image *img)
{
        for (size_t i = 0; i < img->rows_count; i++) {
                free(img->rows[i].bytes);
        }
        for (size_t i = 0; i < img->records_count; i++) {
                free((void *)(uintptr_t)img->records[i].header.data);
        }
        free(img->rows);
        free(img->records);
        memset(img, 0, sizeof *img);
}

static void image_copy(image *to, const image *from)
{
        image_clear(to);
        to->rows = must(malloc((from->rows_count + 1) * sizeof to->rows[0]));
        to->rows_max = from->rows_count + 1;
        to->records = must(malloc((from->records_count + 1) * sizeof(door_record)));
        to->records_max = from->records_count + 1;
        for (size_t i = 0; i < from->rows_count; i++) {
                const row *r = &from->rows[i];
                uint8_t *bytes = must(malloc(r->key_len + r->value_len));
                memcpy(bytes, r->bytes, r->key_len + r->value_len);
                to->rows[to->rows_count++] = (row){ bytes, r->key_len, r->value_len };
        }
        for (size_t i = 0; i < from->records_count; i++) {
                to->records[to->records_count++] = record_copy(&from->records[i]);
        }
        memcpy(to->cursors, from->cursors, sizeof to->cursors);
        to->cursors_count = from->cursors_count;
}

/* ---- kept commits ---- */

static kept *kept_new(sim_store *store, const door_commit *commit)
{
        kept *k = must(calloc(1, sizeof *k));
        size_t n = 0;

        k->records = must(malloc((commit->records_count + 1) * sizeof k->records[0]));
        for (size_t i = 0; i < commit->records_count; i++) {
                k->records[k->records_count++] = record_copy(&commit->records[i]);
        }
        for (const door_change *c = commit->changes; c != NULL; c = c->next[0]) {
                n++;
        }
        k->changes = must(malloc((n + 1) * sizeof k->changes[0]));
        size_t index = 0;
        for (const door_change *c = commit->changes; c != NULL; c = c->next[0], index++) {
                if (store->fault == SIM_STORE_FORGETS_IDS && c->key.data[0] >= DOOR_TABLE_SHELL &&
                    c->key.data[0] <= DOOR_TABLE_SHELL + 1) {
                        continue;
                }
                if (store->fault == SIM_STORE_DROPS_CHANGE && store->commits % 7 == 3 && index == n / 2) {
                        continue;
                }
                change *copy = &k->changes[k->changes_count++];
                copy->bytes = must(malloc(c->key.len + c->value.len));
                memcpy(copy->bytes, c->key.data, c->key.len);
                if (c->value.len > 0) {
                        memcpy(copy->bytes + c->key.len, c->value.data, c->value.len);
                }
                copy->key_len = c->key.len;
                copy->value_len = c->value.len;
                copy->deleted = c->deleted;
        }
        DOOR_REQUIRE(commit->cursors_count <= DOOR_UPSTREAMS_MAX);
        for (size_t i = 0; i < commit->cursors_count; i++) {
                k->cursors[k->cursors_count++] = commit->cursors[i];
        }
        return k;
}

static void kept_free(kept *k)
{
        for (size_t i = 0; i < k->records_count; i++) {
                free((void *)(uintptr_t)k->records[i].header.data);
        }
        for (size_t i = 0; i < k->changes_count; i++) {
                free(k->changes[i].bytes);
        }
        free(k->records);
        free(k->changes);
        free(k);
}

static void unsynced_add(sim_store *store, kept *k)
{
        kept **last = &store->unsynced;

        while (*last != NULL) {
                last = &(*last)->next;
        }
        *last = k;
}

/* The first `count` unsynced commits reach the disk; the others are gone. */
static void unsynced_settle(sim_store *store, size_t count)
{
        while (store->unsynced != NULL) {
                kept *k = store->unsynced;
                store->unsynced = k->next;
                if (count > 0) {
                        image_apply(&store->durable, k);
                        count--;
                }
                kept_free(k);
        }
}

/* ---- the port ---- */

static void make_durable(sim_store *store, kept *k)
{
        unsynced_settle(store, SIZE_MAX);
        image_apply(&store->durable, k);
        kept_free(k);
}

static door_status store_commit(void *context, const door_commit *commit)
{
        sim_store *store = context;
        const sim_fate fate = store->fate;

        store->fate = SIM_FATE_DONE;
        store->commits++;
        if (commit->expected_head != store->live.records_count && store->fault != SIM_STORE_NO_HEAD_CHECK) {
                return DOOR_CONFLICT;
        }
        DOOR_REQUIRE(commit->sync || commit->records_count == 0);
        if (fate == SIM_FATE_FAILED_BEFORE) {
                return DOOR_UNKNOWN;
        }
        kept *k = kept_new(store, commit);
        if (store->fault == SIM_STORE_CURSOR_APART || store->fault == SIM_STORE_CURSOR_FIRST) {
                door_commit cursors = { .cursors = commit->cursors, .cursors_count = commit->cursors_count };
                k->cursors_count = 0;
                kept *apart = kept_new(store, &cursors);
                image_apply(&store->live, k);
                image_apply(&store->live, apart);
                if (store->fault == SIM_STORE_CURSOR_FIRST) {
                        make_durable(store, apart);
                        unsynced_add(store, k);
                } else {
                        make_durable(store, k);
                        unsynced_add(store, apart);
                }
                return DOOR_OK;
        }
        image_apply(&store->live, k);
        if (commit->sync && store->fault != SIM_STORE_NO_SYNC) {
                make_durable(store, k);
        } else {
                unsynced_add(store, k);
        }
        return fate == SIM_FATE_FAILED_DURABLE ? DOOR_UNKNOWN : DOOR_OK;
}

static door_status give(door_arena *arena, door_bytes bytes, door_bytes *ret)
{
        *ret = door_arena_copy(arena, bytes);
        return bytes.len > 0 && ret->len == 0 ? DOOR_NO_MEMORY : DOOR_OK;
}

/* Is this the read that fails? */
static bool read_fails(sim_store *store)
{
        return store->reads_until_failure > 0 && --store->reads_until_failure == 0;
}

static door_status store_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        sim_store *store = context;
        const size_t at = image_find(&store->live, key);

        if (read_fails(store)) {
                return DOOR_IO;
        }
        *ret_found = at < store->live.rows_count && door_bytes_equal(row_key(&store->live.rows[at]), key);
        if (!*ret_found) {
                return DOOR_OK;
        }
        const row *r = &store->live.rows[at];
        door_bytes value;
        if (give(arena, (door_bytes){ r->bytes + r->key_len, r->value_len }, &value) != DOOR_OK) {
                *ret_found = false;
                return DOOR_NO_MEMORY;
        }
        *ret_value = value;
        return DOOR_OK;
}

static door_status store_next(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                              door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        sim_store *store = context;
        const bool before = door_bytes_compare(from, prefix) < 0;
        size_t at = image_find(&store->live, before ? prefix : from);

        if (read_fails(store)) {
                return DOOR_IO;
        }
        if (!before && !inclusive && at < store->live.rows_count &&
            door_bytes_equal(row_key(&store->live.rows[at]), from)) {
                at++;
        }
        *ret_found =
                at < store->live.rows_count && door_bytes_starts_with(row_key(&store->live.rows[at]), prefix);
        if (!*ret_found) {
                return DOOR_OK;
        }
        const row *r = &store->live.rows[at];
        door_bytes key;
        door_bytes value;
        if (give(arena, row_key(r), &key) != DOOR_OK ||
            give(arena, (door_bytes){ r->bytes + r->key_len, r->value_len }, &value) != DOOR_OK) {
                *ret_found = false;
                return DOOR_NO_MEMORY;
        }
        *ret_key = key;
        *ret_value = value;
        return DOOR_OK;
}

static door_status store_read(void *context, uint64_t after_seq, size_t records_max, size_t bytes_max,
                              door_form form, door_arena *arena, door_record *ret_records, size_t *ret_count)
{
        sim_store *store = context;
        size_t bytes = 0;
        size_t count = 0;

        if (read_fails(store)) {
                return DOOR_IO;
        }
        for (uint64_t at = after_seq; at < store->live.records_count && count < records_max; at++) {
                const door_record *from = &store->live.records[at];
                door_record *to = &ret_records[count];
                const size_t len = from->header.len +
                                   (form >= DOOR_FORM_PUBLIC ? from->public_payload.len : 0) +
                                   (form == DOOR_FORM_WHOLE ? from->private_payload.len : 0);
                if (count > 0 && bytes + len > bytes_max) {
                        break;
                }
                *to = (door_record){ .seq = from->seq, .hash = from->hash };
                if (give(arena, from->header, &to->header) != DOOR_OK ||
                    (form >= DOOR_FORM_PUBLIC &&
                     give(arena, from->public_payload, &to->public_payload) != DOOR_OK) ||
                    (form == DOOR_FORM_WHOLE &&
                     give(arena, from->private_payload, &to->private_payload) != DOOR_OK)) {
                        return DOOR_NO_MEMORY;
                }
                bytes += len;
                count++;
        }
        *ret_count = count;
        return DOOR_OK;
}

static door_status store_hash_at(void *context, uint64_t seq, door_hash *ret_hash)
{
        sim_store *store = context;

        if (read_fails(store)) {
                return DOOR_IO;
        }
        if (seq > store->live.records_count) {
                return DOOR_NOT_FOUND;
        }
        *ret_hash = seq == 0 ? door_hash_log_start(store->log_id) : store->live.records[seq - 1].hash;
        return DOOR_OK;
}

/* ---- the harness's side ---- */

sim_store *sim_store_new(const uint8_t log_id[16], sim_store_fault fault)
{
        sim_store *store = must(calloc(1, sizeof *store));
        memcpy(store->log_id, log_id, sizeof store->log_id);
        store->fault = fault;
        return store;
}

sim_store *sim_store_free(sim_store *store)
{
        if (store == NULL) {
                return NULL;
        }
        unsynced_settle(store, 0);
        image_clear(&store->live);
        image_clear(&store->durable);
        free(store);
        return NULL;
}

door_store_port sim_store_port(sim_store *store)
{
        return (door_store_port){
                .context = store,
                .state = { .context = store, .get = store_get, .next = store_next },
                .commit = store_commit,
                .read = store_read,
                .hash_at = store_hash_at,
        };
}

void sim_store_fail_read(sim_store *store, uint64_t n)
{
        store->reads_until_failure = n;
}

void sim_store_fate(sim_store *store, sim_fate fate)
{
        store->fate = fate;
}

size_t sim_store_unsynced(const sim_store *store)
{
        size_t n = 0;
        for (const kept *k = store->unsynced; k != NULL; k = k->next) {
                n++;
        }
        return n;
}

void sim_store_settle(sim_store *store)
{
        unsynced_settle(store, SIZE_MAX);
}

void sim_store_crash(sim_store *store, size_t survivors)
{
        unsynced_settle(store, survivors);
        image_copy(&store->live, &store->durable);
        store->fate = SIM_FATE_DONE;
        store->reads_until_failure = 0;
}

bool sim_store_standing(sim_store *store, door_standing *ret_standing, const char **ret_why)
{
        door_standing standing = { .head = store->live.records_count };

        store->reads_until_failure = 0; /* It is the running machine's reads that fail. */
        memcpy(standing.log_id, store->log_id, sizeof standing.log_id);
        (void)store_hash_at(store, standing.head, &standing.head_hash);
        standing.cursors_count = store->live.cursors_count;
        memcpy(standing.cursors, store->live.cursors, sizeof standing.cursors);
        if (standing.head > 0) {
                static _Alignas(16) uint8_t memory[64 * 1024];
                door_arena arena;
                door_header header;
                door_arena_init(&arena, memory, sizeof memory);
                if (door_header_decode(store->live.records[standing.head - 1].header, &arena, &header) !=
                    DOOR_OK) {
                        *ret_why = "the last header does not decode";
                        return false;
                }
                standing.last_at_ms = header.at_ms;
                for (size_t i = 0; i < standing.cursors_count; i++) {
                        if (standing.cursors[i].seq < door_header_seen(&header, standing.cursors[i].log)) {
                                *ret_why = "a cursor is behind what the last record had seen";
                                return false;
                        }
                }
        }
        *ret_standing = standing;
        return true;
}

uint64_t sim_store_durable_head(const sim_store *store)
{
        return store->durable.records_count;
}

const door_record *sim_store_durable_record(const sim_store *store, uint64_t seq)
{
        DOOR_REQUIRE(seq >= 1 && seq <= store->durable.records_count);
        return &store->durable.records[seq - 1];
}

size_t sim_store_durable_cursors(const sim_store *store, door_cursor *ret_cursors)
{
        memcpy(ret_cursors, store->durable.cursors, sizeof store->durable.cursors);
        return store->durable.cursors_count;
}

void sim_store_each(const sim_store *store, void (*visit)(void *context, door_bytes key, door_bytes value),
                    void *context)
{
        for (size_t i = 0; i < store->live.rows_count; i++) {
                const row *r = &store->live.rows[i];
                visit(context, row_key(r), (door_bytes){ r->bytes + r->key_len, r->value_len });
        }
}
