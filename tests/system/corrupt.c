/*
 * corrupt.c - what a wrong program or a person could do to a stopped home's database.
 *
 *   corrupt --list             name, what it does: one corruption a line
 *   corrupt HOME NAME          does it, to the database and nothing beside it but the anchor
 *
 * Rows are rewritten through RocksDB itself, so its checksums are right and only what the log, the
 * auditor and the replay know can tell. Three depths: a row alone; "-chained", the hashes after it
 * made right as well; "-forged", the anchor and the reader's cursor too, so that only what the
 * records mean stands against it. A rewrite that also means nothing wrong (another actor, forged
 * throughout) can be told only by somebody who kept an earlier hash elsewhere; it is not in the list.
 *
 * Names that begin with "ahead-" want a home in which intake has gone on without deduplication.
 * Exit codes: 0 done, 2 wrong call, 4 this home has no such row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rocksdb/c.h>

#include "door/arena.h"
#include "door/hash.h"
#include "door/v1/deduplication.pb-c.h"
#include "shell/anchor.h"
#include "shell/record.h"

enum {
        ARENA_BYTES = 64 * DOOR_MIB,
        PATH_BYTES = 1024,
        NAME_BYTES = 96,
        CORRUPTIONS_MAX = 160,
        EXIT_USAGE = 2,
        EXIT_NO_ROW = 4,
        INTAKE = 1,
        DEDUPLICATION = 2,
        CURSOR_VALUE_BYTES = 88,
        META_VALUE_BYTES = 84,
        TYPE_REPEATED = 17,
};

typedef enum family { META, HEADER, PUBLIC, PRIVATE, STATE, FAMILIES } family;

static const char *const family_names[FAMILIES] = { "default", "header", "public", "private", "state" };
static const char *const service_names[] = { "", "intake", "deduplication" };

typedef enum depth {
        ALONE,   /* The row and no other. */
        CHAINED, /* H from there to the end. */
        FORGED,  /* The anchor, and deduplication's cursor in intake, as well. */
} depth;

typedef enum place { FIRST, MIDDLE, LAST } place;

typedef struct base {
        uint32_t log;
        rocksdb_t *db;
        rocksdb_column_family_handle_t *families[FAMILIES];
} base;

typedef struct world {
        const char *home;
        door_arena arena;
        base bases[3]; /* By log. */
} world;

typedef struct record {
        door_header header;
        door_bytes bytes; /* Of the header. */
        door_hash hash;
        door_bytes payloads[2]; /* Public, private; salted. */
} record;

typedef struct corruption {
        char name[NAME_BYTES];
        const char *what;
        void (*apply)(world *w, const struct corruption *c);
        uint32_t log;
        int place_or_table;
        int which; /* Depth, family or field, as apply reads it. */
} corruption;

/* ---- rows */

static void rocks_check(char *error)
{
        if (error != NULL) {
                (void)fprintf(stderr, "corrupt: %s\n", error);
                exit(1);
        }
}

static void no_row(void)
{
        (void)fprintf(stderr, "corrupt: this home has no such row\n");
        exit(EXIT_NO_ROW);
}

static base *base_open(world *w, uint32_t log)
{
        base *b = &w->bases[log];
        char path[PATH_BYTES];
        char logs[PATH_BYTES];
        char *error = NULL;

        if (b->db != NULL) {
                return b;
        }
        (void)snprintf(path, sizeof path, "%s/state/db/%s", w->home, service_names[log]);
        (void)snprintf(logs, sizeof logs, "%s/log/%s", w->home, service_names[log]);
        rocksdb_options_t *options = rocksdb_options_create();
        rocksdb_options_set_db_log_dir(options, logs);
        const rocksdb_options_t *each[FAMILIES];
        for (size_t i = 0; i < FAMILIES; i++) {
                each[i] = options;
        }
        b->log = log;
        b->db = rocksdb_open_column_families(options, path, FAMILIES, family_names, each, b->families,
                                             &error);
        rocks_check(error);
        rocksdb_options_destroy(options);
        return b;
}

static void bases_close(world *w)
{
        for (size_t i = 1; i < 3; i++) {
                base *b = &w->bases[i];
                if (b->db != NULL) {
                        for (size_t f = 0; f < FAMILIES; f++) {
                                rocksdb_column_family_handle_destroy(b->families[f]);
                        }
                        rocksdb_close(b->db);
                }
        }
}

static door_bytes kept(world *w, const char *data, size_t len)
{
        const door_bytes copy = door_arena_copy(&w->arena, (door_bytes){ (const uint8_t *)data, len });
        DOOR_REQUIRE(!w->arena.exhausted);
        return copy;
}

/* A copy that may be changed. */
static uint8_t *kept_to_change(world *w, door_bytes bytes)
{
        uint8_t *copy = door_arena_take(&w->arena, bytes.len + 1);
        DOOR_REQUIRE(copy != NULL);
        memcpy(copy, bytes.data, bytes.len);
        return copy;
}

static bool row_find(world *w, base *b, family in, door_bytes key, door_bytes *ret_value)
{
        char *error = NULL;
        size_t len = 0;
        rocksdb_readoptions_t *reads = rocksdb_readoptions_create();
        char *value =
                rocksdb_get_cf(b->db, reads, b->families[in], (const char *)key.data, key.len, &len, &error);

        rocks_check(error);
        rocksdb_readoptions_destroy(reads);
        if (value == NULL) {
                return false;
        }
        *ret_value = kept(w, value, len);
        rocksdb_free(value);
        return true;
}

static door_bytes row(world *w, base *b, family in, door_bytes key)
{
        door_bytes value = DOOR_BYTES_EMPTY;

        if (!row_find(w, b, in, key, &value)) {
                no_row();
        }
        return value;
}

static void row_put(base *b, family in, door_bytes key, door_bytes value)
{
        char *error = NULL;
        rocksdb_writeoptions_t *writes = rocksdb_writeoptions_create();

        rocksdb_writeoptions_set_sync(writes, 1);
        rocksdb_put_cf(b->db, writes, b->families[in], (const char *)key.data, key.len,
                       value.len == 0 ? "" : (const char *)value.data, value.len, &error);
        rocks_check(error);
        rocksdb_writeoptions_destroy(writes);
}

static void row_delete(base *b, family in, door_bytes key)
{
        char *error = NULL;
        rocksdb_writeoptions_t *writes = rocksdb_writeoptions_create();

        rocksdb_writeoptions_set_sync(writes, 1);
        rocksdb_delete_cf(b->db, writes, b->families[in], (const char *)key.data, key.len, &error);
        rocks_check(error);
        rocksdb_writeoptions_destroy(writes);
}

static void row_flip(world *w, base *b, family in, door_bytes key, size_t at)
{
        const door_bytes value = row(w, b, in, key);
        uint8_t *changed = kept_to_change(w, value);

        DOOR_REQUIRE(at < value.len);
        changed[at] ^= 0x01;
        row_put(b, in, key, (door_bytes){ changed, value.len });
}

/* The first row of a state table, or the last of a family (table < 0). False: there is none. */
static bool row_walk(world *w, base *b, family in, int table, door_bytes *ret_key, door_bytes *ret_value)
{
        rocksdb_readoptions_t *reads = rocksdb_readoptions_create();
        rocksdb_iterator_t *at = rocksdb_create_iterator_cf(b->db, reads, b->families[in]);
        const char first = (char)table;
        size_t len = 0;

        if (table < 0) {
                rocksdb_iter_seek_to_last(at);
        } else {
                rocksdb_iter_seek(at, &first, 1);
        }
        bool found = rocksdb_iter_valid(at);
        if (found) {
                const char *key = rocksdb_iter_key(at, &len);
                found = table < 0 || key[0] == first;
                *ret_key = kept(w, key, len);
                const char *value = rocksdb_iter_value(at, &len);
                *ret_value = kept(w, value, len);
        }
        rocksdb_iter_destroy(at);
        rocksdb_readoptions_destroy(reads);
        return found;
}

/* ---- records */

static door_bytes seq_key(world *w, uint64_t seq)
{
        uint8_t *key = door_arena_take(&w->arena, 8);
        DOOR_REQUIRE(key != NULL);
        door_put_u64(key, seq);
        return (door_bytes){ key, 8 };
}

static uint64_t head_of(world *w, base *b)
{
        door_bytes key;
        door_bytes value;

        return row_walk(w, b, HEADER, -1, &key, &value) ? door_get_u64(key.data) : 0;
}

static uint64_t seq_at(world *w, base *b, int where)
{
        const uint64_t head = head_of(w, b);

        if (head < 8) {
                no_row();
        }
        return where == FIRST ? 1 : where == MIDDLE ? head / 2 : head;
}

static record record_get(world *w, base *b, uint64_t seq)
{
        record r = { .hash = { { 0 } } };
        const door_bytes key = seq_key(w, seq);
        const door_bytes value = row(w, b, HEADER, key);

        memcpy(r.hash.bytes, value.data, DOOR_HASH_BYTES);
        r.bytes = (door_bytes){ value.data + DOOR_HASH_BYTES, value.len - DOOR_HASH_BYTES };
        DOOR_REQUIRE(door_header_decode(r.bytes, &w->arena, &r.header) == DOOR_OK);
        (void)row_find(w, b, PUBLIC, key, &r.payloads[0]);
        (void)row_find(w, b, PRIVATE, key, &r.payloads[1]);
        return r;
}

static void header_put(world *w, base *b, uint64_t seq, const door_hash *hash, door_bytes header)
{
        uint8_t *value = door_arena_take(&w->arena, DOOR_HASH_BYTES + header.len);

        DOOR_REQUIRE(value != NULL);
        memcpy(value, hash->bytes, DOOR_HASH_BYTES);
        memcpy(value + DOOR_HASH_BYTES, header.data, header.len);
        row_put(b, HEADER, seq_key(w, seq), (door_bytes){ value, DOOR_HASH_BYTES + header.len });
}

/* Everything of a record as it stands in *r, under seq; its hash is whatever *r says. */
static void record_put(world *w, base *b, uint64_t seq, const record *r)
{
        header_put(w, b, seq, &r->hash, r->bytes);
        for (int i = 0; i < 2; i++) {
                const door_bytes key = seq_key(w, seq);
                if (r->payloads[i].len > 0) {
                        row_put(b, i == 0 ? PUBLIC : PRIVATE, key, r->payloads[i]);
                } else {
                        row_delete(b, i == 0 ? PUBLIC : PRIVATE, key);
                }
        }
}

static void record_delete(world *w, base *b, uint64_t seq)
{
        row_delete(b, HEADER, seq_key(w, seq));
        row_delete(b, PUBLIC, seq_key(w, seq));
        row_delete(b, PRIVATE, seq_key(w, seq));
}

/* Header bytes anew from the decoded header, with digests of the payloads as they are. */
static void record_pack(world *w, record *r)
{
        if (r->header.has_public) {
                r->header.public_digest = door_hash_of_one(r->payloads[0]);
        }
        if (r->header.has_private) {
                r->header.private_digest = door_hash_of_one(r->payloads[1]);
        }
        DOOR_REQUIRE(door_header_encode(&r->header, &w->arena, &r->bytes) == DOOR_OK);
}

static door_hash hash_at(world *w, base *b, uint64_t seq)
{
        uint8_t meta[] = { 'M' };

        if (seq == 0) {
                return door_hash_log_start(row(w, b, META, (door_bytes){ meta, 1 }).data + 4);
        }
        return record_get(w, b, seq).hash;
}

/* H from `from` to the end; where *from has another seq than its key, that is put right first. */
static void rechain(world *w, base *b, uint64_t from)
{
        const uint64_t head = head_of(w, b);
        door_hash hash = hash_at(w, b, from - 1);

        for (uint64_t seq = from; seq <= head; seq++) {
                record r = record_get(w, b, seq);
                if (r.header.seq != seq) {
                        r.header.seq = seq;
                        record_pack(w, &r);
                }
                hash = door_hash_chain(&hash, r.bytes);
                header_put(w, b, seq, &hash, r.bytes);
        }
}

/* ---- cursors, meta and the anchor */

static door_bytes cursor_key_of(world *w)
{
        uint8_t *key = door_arena_take(&w->arena, 5);
        DOOR_REQUIRE(key != NULL);
        key[0] = 'C';
        door_put_u32(key + 1, INTAKE);
        return (door_bytes){ key, 5 };
}

/* A row of the default family with its own digest made right. */
static void sealed_put(base *b, door_bytes key, uint8_t *value, size_t len)
{
        const door_bytes parts[] = { key, { value, len - DOOR_HASH_BYTES } };
        const door_hash digest = door_hash_of(parts, 2);

        memcpy(value + len - DOOR_HASH_BYTES, digest.bytes, DOOR_HASH_BYTES);
        row_put(b, META, key, (door_bytes){ value, len });
}

static void cursor_set(world *w, uint64_t seq, const door_hash *hash)
{
        base *b = base_open(w, DEDUPLICATION);
        const door_bytes key = cursor_key_of(w);
        uint8_t *value = kept_to_change(w, row(w, b, META, key));

        door_put_u64(value + 16, seq);
        memcpy(value + 24, hash->bytes, DOOR_HASH_BYTES);
        sealed_put(b, key, value, CURSOR_VALUE_BYTES);
}

static uint64_t cursor_seq(world *w)
{
        return door_get_u64(row(w, base_open(w, DEDUPLICATION), META, cursor_key_of(w)).data + 16);
}

static void anchor_path(const world *w, uint32_t log, char out[PATH_BYTES])
{
        (void)snprintf(out, PATH_BYTES, "%s/state/anchors/%s", w->home, service_names[log]);
}

static void anchor_set(world *w, base *b, uint64_t seq, const door_hash *hash)
{
        char path[PATH_BYTES];
        uint8_t meta[] = { 'M' };
        door_anchor anchor = { .seq = seq, .hash = *hash };

        memcpy(anchor.log_id, row(w, b, META, (door_bytes){ meta, 1 }).data + 4, 16);
        anchor_path(w, b->log, path);
        DOOR_REQUIRE(door_anchor_write(path, &anchor, NULL) == DOOR_OK);
}

/* As deep as asked, after the record at `from` has been changed. */
static void make_right(world *w, base *b, uint64_t from, int how_deep)
{
        if (how_deep >= CHAINED) {
                rechain(w, b, from);
        }
        if (how_deep >= FORGED) {
                const uint64_t head = head_of(w, b);
                const door_hash hash = hash_at(w, b, head);
                anchor_set(w, b, head, &hash);
                if (b->log == INTAKE) {
                        const uint64_t seq = cursor_seq(w) < head ? cursor_seq(w) : head;
                        const door_hash there = hash_at(w, b, seq);
                        cursor_set(w, seq, &there);
                }
        }
}

/* ---- the corruptions: a record */

static void header_byte(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, c->place_or_table);
        const size_t len = record_get(w, b, seq).bytes.len;

        row_flip(w, b, HEADER, seq_key(w, seq), DOOR_HASH_BYTES + len / 2);
}

static void stored_hash(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);

        row_flip(w, b, HEADER, seq_key(w, seq_at(w, b, c->place_or_table)), 5);
}

static void other_actor(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, c->place_or_table);
        record r = record_get(w, b, seq);

        r.header.actor = door_bytes_of("somebody-else");
        record_pack(w, &r);
        record_put(w, b, seq, &r);
        make_right(w, b, seq, c->which);
        if (c->which == FORGED) { /* All but the reader's cursor: it is what is left to disagree. */
                const door_hash held = { { 1, 2, 3 } };
                cursor_set(w, cursor_seq(w), &held);
        }
}

static void payload_byte(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        door_bytes value = DOOR_BYTES_EMPTY;
        uint64_t seq = seq_at(w, b, c->place_or_table);

        while (seq > 0 && !row_find(w, b, (family)c->which, seq_key(w, seq), &value)) {
                seq--;
        }
        if (seq == 0) {
                no_row();
        }
        row_flip(w, b, (family)c->which, seq_key(w, seq),
                 DOOR_SALT_BYTES + (value.len - DOOR_SALT_BYTES) / 2);
}

static void payload_deleted(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const door_bytes key = seq_key(w, seq_at(w, b, c->place_or_table));

        (void)row(w, b, (family)c->which, key);
        row_delete(b, (family)c->which, key);
}

static void payload_beyond(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t head = head_of(w, b);

        row_put(b, PUBLIC, seq_key(w, head + 1), record_get(w, b, head).payloads[0]);
}

static void salts_swapped(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, MIDDLE);
        record one = record_get(w, b, seq);
        record two = record_get(w, b, seq + 1);
        uint8_t *first = kept_to_change(w, one.payloads[0]);
        uint8_t *second = kept_to_change(w, two.payloads[0]);

        memcpy(first, two.payloads[0].data, DOOR_SALT_BYTES);
        memcpy(second, one.payloads[0].data, DOOR_SALT_BYTES);
        one.payloads[0].data = first;
        two.payloads[0].data = second;
        record_put(w, b, seq, &one);
        record_put(w, b, seq + 1, &two);
}

static void payloads_swapped(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, MIDDLE);
        record one = record_get(w, b, seq);
        record two = record_get(w, b, seq + 1);
        const door_bytes public_payload = one.payloads[0];

        one.payloads[0] = two.payloads[0];
        two.payloads[0] = public_payload;
        record_put(w, b, seq, &one);
        record_put(w, b, seq + 1, &two);
}

static void salt_again(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, LAST);
        record r = record_get(w, b, seq);
        uint8_t *changed = kept_to_change(w, r.payloads[0]);

        memcpy(changed, record_get(w, b, seq - 1).payloads[0].data, DOOR_SALT_BYTES);
        r.payloads[0].data = changed;
        record_pack(w, &r);
        record_put(w, b, seq, &r);
        make_right(w, b, seq, FORGED);
}

static void record_gone(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);

        record_delete(w, b, seq_at(w, b, c->place_or_table));
}

/* The last record and the anchor's memory of it: the log is whole, only shorter. */
static void record_gone_forged(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t head = head_of(w, b);
        const door_hash hash = hash_at(w, b, head - 1);

        record_delete(w, b, head);
        anchor_set(w, b, head - 1, &hash);
}

/* One record taken out, all after it moved up by one, hashes and anchor as if it had never been. */
static void record_out_forged(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t head = head_of(w, b);
        const uint64_t out = seq_at(w, b, MIDDLE);

        for (uint64_t seq = out; seq < head; seq++) {
                const record next = record_get(w, b, seq + 1);
                record_put(w, b, seq, &next);
        }
        record_delete(w, b, head);
        make_right(w, b, out, FORGED);
}

static void record_again(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t head = head_of(w, b);
        const record r = record_get(w, b, seq_at(w, b, MIDDLE));

        record_put(w, b, head + 1, &r);
        if (c->which != ALONE) {
                make_right(w, b, head + 1, c->which);
        }
}

/* As record_again, but with salts of its own: only its cause, or its command id, is used twice. */
static void record_again_fresh(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t head = head_of(w, b);
        record r = record_get(w, b, seq_at(w, b, MIDDLE));

        for (int i = 0; i < 2; i++) {
                if (r.payloads[i].len > 0) {
                        uint8_t *changed = kept_to_change(w, r.payloads[i]);
                        changed[0] ^= 0x55;
                        r.payloads[i].data = changed;
                }
        }
        r.header.seq = head + 1;
        r.header.at_ms = record_get(w, b, head).header.at_ms;
        memcpy(r.header.seen, record_get(w, b, head).header.seen, sizeof r.header.seen);
        record_pack(w, &r);
        record_put(w, b, head + 1, &r);
        make_right(w, b, head + 1, FORGED);
}

static void records_swapped(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, MIDDLE);
        const record one = record_get(w, b, seq);
        const record two = record_get(w, b, seq + 1);

        record_put(w, b, seq, &two);
        record_put(w, b, seq + 1, &one);
        make_right(w, b, seq, c->which);
}

/* ---- a header that says something else, and everything made right after it */

typedef enum field { FIELD_AT, FIELD_CAUSE, FIELD_SEEN_UP, FIELD_SEEN_DOWN, FIELD_COMMAND, FIELD_TYPE } field;

static void header_forged(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, c->place_or_table);
        const record before = record_get(w, b, seq - 1);
        record r = record_get(w, b, seq);

        switch ((field)c->which) {
        case FIELD_AT:
                r.header.at_ms = before.header.at_ms - 1000;
                break;
        case FIELD_CAUSE:
                r.header.cause = before.header.cause;
                break;
        case FIELD_SEEN_UP:
                r.header.seen[0].seq += 1000;
                break;
        case FIELD_SEEN_DOWN:
                r.header.seen[0].seq = 1;
                break;
        case FIELD_COMMAND:
                r.header.command_id = before.header.command_id;
                r.header.command_digest = before.header.command_digest;
                break;
        case FIELD_TYPE:
                r.header.type = TYPE_REPEATED;
                break;
        }
        record_pack(w, &r);
        record_put(w, b, seq, &r);
        make_right(w, b, seq, FORGED);
}

/* Another family: chain, hash, digest, anchor as they would be; the state is left. */
static void family_forged(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, LAST);
        record r = record_get(w, b, seq);
        const door_bytes old = r.payloads[0];
        Door__V1__ReferralMatched *matched = door__v1__referral_matched__unpack(
                NULL, old.len - DOOR_SALT_BYTES, old.data + DOOR_SALT_BYTES);

        if (matched == NULL || matched->family.len == 0) {
                no_row();
        }
        matched->family.data[matched->family.len - 1] ^= 0x10;
        const size_t len = DOOR_SALT_BYTES + door__v1__referral_matched__get_packed_size(matched);
        uint8_t *salted = door_arena_take(&w->arena, len);
        DOOR_REQUIRE(salted != NULL);
        memcpy(salted, old.data, DOOR_SALT_BYTES);
        (void)door__v1__referral_matched__pack(matched, salted + DOOR_SALT_BYTES);
        door__v1__referral_matched__free_unpacked(matched, NULL);
        r.payloads[0] = (door_bytes){ salted, len };
        record_pack(w, &r);
        record_put(w, b, seq, &r);
        make_right(w, b, seq, c->which);
}

/* A letter of what somebody wrote, in the middle of the form. */
static void content_forged(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const uint64_t seq = seq_at(w, b, FIRST) + 1;
        record r = record_get(w, b, seq);

        if (r.payloads[1].len == 0) {
                no_row();
        }
        uint8_t *changed = kept_to_change(w, r.payloads[1]);
        changed[r.payloads[1].len / 2] ^= 0x01;
        r.payloads[1].data = changed;
        record_pack(w, &r);
        record_put(w, b, seq, &r);
        make_right(w, b, seq, FORGED);
}

/* ---- the state */

static void state_value(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        door_bytes key;
        door_bytes value;
        const uint8_t something = 1;

        if (!row_walk(w, b, STATE, c->place_or_table, &key, &value)) {
                no_row();
        }
        if (value.len == 0) { /* A row that says all it has to say by standing there. */
                row_put(b, STATE, key, (door_bytes){ &something, 1 });
        } else {
                row_flip(w, b, STATE, key, value.len - 1);
        }
}

static void state_deleted(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        door_bytes key;
        door_bytes value;

        if (!row_walk(w, b, STATE, c->place_or_table, &key, &value)) {
                no_row();
        }
        row_delete(b, STATE, key);
}

/* The table's first row once more, under a key of one other bit; into an empty table, any row. */
static void state_added(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        door_bytes key;
        door_bytes value;
        door_bytes there;
        uint8_t any[40] = { (uint8_t)c->place_or_table, 0x11 };

        if (!row_walk(w, b, STATE, c->place_or_table, &key, &value)) {
                row_put(b, STATE, (door_bytes){ any, sizeof any }, (door_bytes){ any, 8 });
                return;
        }
        DOOR_REQUIRE(key.len > 1);
        uint8_t *other = kept_to_change(w, key);
        other[1] ^= 0x80;
        DOOR_REQUIRE(!row_find(w, b, STATE, (door_bytes){ other, key.len }, &there));
        row_put(b, STATE, (door_bytes){ other, key.len }, value);
}

/* ---- cursor, meta, anchor */

static void cursor_moved(world *w, const corruption *c)
{
        base *intake = base_open(w, INTAKE);
        const uint64_t head = head_of(w, intake);
        const uint64_t at = cursor_seq(w);
        const uint64_t to =
                c->place_or_table > 0 ? at + (uint64_t)c->place_or_table : at - (uint64_t)-c->place_or_table;
        const door_hash beyond = { { 9 } };
        const door_hash hash = to <= head ? hash_at(w, intake, to) : beyond;

        cursor_set(w, to, &hash);
}

/* What a program does that believes it has matched and has not: the cursor at intake's head. */
static void cursor_at_head(world *w, const corruption *c)
{
        base *intake = base_open(w, INTAKE);
        const uint64_t head = head_of(w, intake);
        const door_hash hash = hash_at(w, intake, head);

        (void)c;
        if (cursor_seq(w) == head) {
                no_row();
        }
        cursor_set(w, head, &hash);
}

static void cursor_byte(world *w, const corruption *c)
{
        base *b = base_open(w, DEDUPLICATION);
        const door_bytes key = cursor_key_of(w);
        uint8_t *value = kept_to_change(w, row(w, b, META, key));

        value[c->place_or_table] ^= 0x01;
        if (c->which != ALONE) {
                sealed_put(b, key, value, CURSOR_VALUE_BYTES);
        } else {
                row_put(b, META, key, (door_bytes){ value, CURSOR_VALUE_BYTES });
        }
}

static void cursor_deleted(world *w, const corruption *c)
{
        (void)c;
        row_delete(base_open(w, DEDUPLICATION), META, cursor_key_of(w));
}

/* which FORGED: the whole chain and the anchor are made to begin with the new id as well. */
static void log_id_changed(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        uint8_t meta[] = { 'M' };
        const door_bytes key = { meta, 1 };
        uint8_t *value = kept_to_change(w, row(w, b, META, key));

        value[4] ^= 0x01;
        const door_hash start = door_hash_log_start(value + 4);
        memcpy(value + 20, start.bytes, DOOR_HASH_BYTES);
        sealed_put(b, key, value, META_VALUE_BYTES);
        make_right(w, b, 1, c->which);
}

static void format_newer(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        uint8_t meta[] = { 'M' };
        const door_bytes key = { meta, 1 };
        uint8_t *value = kept_to_change(w, row(w, b, META, key));

        value[3] = 9;
        sealed_put(b, key, value, META_VALUE_BYTES);
}

static void meta_deleted(world *w, const corruption *c)
{
        uint8_t meta[] = { 'M' };

        row_delete(base_open(w, c->log), META, (door_bytes){ meta, 1 });
}

static void anchor_forward(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const door_hash hash = { { 7 } };

        anchor_set(w, b, head_of(w, b) + 1, &hash);
}

static void anchor_other_hash(world *w, const corruption *c)
{
        base *b = base_open(w, c->log);
        const door_hash hash = { { 7 } };

        anchor_set(w, b, head_of(w, b) - 1, &hash);
}

static void anchor_deleted(world *w, const corruption *c)
{
        char path[PATH_BYTES];

        anchor_path(w, c->log, path);
        DOOR_REQUIRE(unlink(path) == 0);
}

static void anchor_cut(world *w, const corruption *c)
{
        char path[PATH_BYTES];

        anchor_path(w, c->log, path);
        DOOR_REQUIRE(truncate(path, 50) == 0);
}

/* ---- the list */

static corruption list[CORRUPTIONS_MAX];
static size_t list_count;

static void add(const char *name, uint32_t log, void (*apply)(world *, const corruption *),
                int place_or_table, int which, const char *what)
{
        DOOR_REQUIRE(list_count < CORRUPTIONS_MAX);
        corruption *c = &list[list_count++];
        const char *mark = strchr(name, '@'); /* Where the service's name goes. */
        DOOR_REQUIRE(mark != NULL);
        (void)snprintf(c->name, sizeof c->name, "%.*s%s%s", (int)(mark - name), name, service_names[log],
                       mark + 1);
        c->what = what;
        c->apply = apply;
        c->log = log;
        c->place_or_table = place_or_table;
        c->which = which;
}

static void add_tables(uint32_t log, const int *tables, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                char name[NAME_BYTES];
                (void)snprintf(name, sizeof name, "@-state-%02x-value", (unsigned)tables[i]);
                add(name, log, state_value, tables[i], 0, "a value of this table has another last byte");
                (void)snprintf(name, sizeof name, "@-state-%02x-deleted", (unsigned)tables[i]);
                add(name, log, state_deleted, tables[i], 0, "this table's first row is gone");
                if (tables[i] != 0x0B && tables[i] != 0xF5) { /* Tables of one row, without a key. */
                        (void)snprintf(name, sizeof name, "@-state-%02x-added", (unsigned)tables[i]);
                        add(name, log, state_added, tables[i], 0, "a row too many");
                }
        }
}

static void list_make(void)
{
        static const int intake_tables[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0xF0, 0xF1, 0xF5 };
        static const int dedup_tables[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                            0x08, 0x09, 0x0A, 0x0B, 0xF0, 0xF1, 0xF5 };

        for (uint32_t log = INTAKE; log <= DEDUPLICATION; log++) {
                add("@-header-byte-first", log, header_byte, FIRST, 0, "a byte of the first header");
                add("@-header-byte-middle", log, header_byte, MIDDLE, 0, "a byte of a header in the middle");
                add("@-header-byte-last", log, header_byte, LAST, 0, "a byte of the last header");
                add("@-hash-first", log, stored_hash, FIRST, 0, "a stored hash");
                add("@-hash-middle", log, stored_hash, MIDDLE, 0, "a stored hash");
                add("@-hash-last", log, stored_hash, LAST, 0, "a stored hash");
                add("@-actor-chained", log, other_actor, MIDDLE, CHAINED,
                    "a header, all hashes after it made right");
                add("@-public-byte", log, payload_byte, MIDDLE, PUBLIC, "a byte of a public payload");
                add("@-public-byte-last", log, payload_byte, LAST, PUBLIC,
                    "a byte of the last public payload");
                add("@-private-byte", log, payload_byte, MIDDLE, PRIVATE, "a byte of a private payload");
                add("@-public-deleted", log, payload_deleted, MIDDLE, PUBLIC, "a public payload is gone");
                add("@-private-deleted", log, payload_deleted, MIDDLE, PRIVATE, "a private payload is gone");
                add("@-payload-beyond", log, payload_beyond, 0, 0, "a payload after the last record");
                add("@-salts-swapped", log, salts_swapped, 0, 0, "two records have each other's salt");
                add("@-payloads-swapped", log, payloads_swapped, 0, 0,
                    "two records have each other's payload");
                add("@-salt-again-forged", log, salt_again, 0, 0, "a salt used twice, all else made right");
                add("@-record-deleted-first", log, record_gone, FIRST, 0, "the first record is gone");
                add("@-record-deleted-middle", log, record_gone, MIDDLE, 0, "a record is gone");
                add("@-record-deleted-last", log, record_gone, LAST, 0, "the last record is gone");
                add("@-record-deleted-last-forged", log, record_gone_forged, 0, 0,
                    "the last record is gone, the anchor goes along");
                add("@-record-out-forged", log, record_out_forged, 0, 0,
                    "a record is gone, the rest renumbered, hashes and anchor made right");
                add("@-record-again", log, record_again, 0, ALONE, "a record stands once more at the end");
                add("@-record-again-chained", log, record_again, 0, CHAINED,
                    "the same, with its seq and hash right");
                add("@-record-again-forged", log, record_again_fresh, 0, 0,
                    "the same, with salts of its own and the anchor right");
                add("@-records-swapped", log, records_swapped, 0, ALONE,
                    "two records have each other's place");
                add("@-records-swapped-chained", log, records_swapped, 0, CHAINED,
                    "the same, with seqs and hashes right");
                add("@-time-back-forged", log, header_forged, LAST, FIELD_AT,
                    "the clock goes back, all else right");
                add("@-log-id", log, log_id_changed, 0, ALONE, "another log id");
                add("@-log-id-chained", log, log_id_changed, 0, CHAINED,
                    "another log id and a chain from it");
                add("@-format-newer", log, format_newer, 0, 0, "written by a program yet to come");
                add("@-meta-deleted", log, meta_deleted, 0, 0, "the row that names the log is gone");
                add("@-anchor-forward", log, anchor_forward, 0, 0, "the anchor is one ahead of the log");
                add("@-anchor-other-hash", log, anchor_other_hash, 0, 0, "the anchor has another hash");
                add("@-anchor-deleted", log, anchor_deleted, 0, 0, "the anchor is gone");
                add("@-anchor-cut", log, anchor_cut, 0, 0, "the anchor is half an anchor");
        }
        add("@-actor-forged", INTAKE, other_actor, MIDDLE, FORGED,
            "a header, hashes and anchor; the cursor holds another");
        add("@-content-forged", INTAKE, content_forged, 0, 0,
            "a letter of what was written; the state is left");
        add("@-type-forged", INTAKE, header_forged, MIDDLE, FIELD_TYPE, "a referral becomes a repeat");
        add("@-command-forged", INTAKE, header_forged, MIDDLE, FIELD_COMMAND,
            "two referrals of one command id");
        add("@-cause-forged", DEDUPLICATION, header_forged, LAST, FIELD_CAUSE,
            "one referral matched twice, one never");
        add("@-seen-up-forged", DEDUPLICATION, header_forged, LAST, FIELD_SEEN_UP,
            "it has seen what no log holds");
        add("@-seen-down-forged", DEDUPLICATION, header_forged, MIDDLE, FIELD_SEEN_DOWN,
            "it has not seen what caused it");
        add("@-family-chained", DEDUPLICATION, family_forged, 0, CHAINED,
            "the last match names another family");
        add("@-family-forged", DEDUPLICATION, family_forged, 0, FORGED, "the same, and the anchor with it");
        add("@-cursor-forward", DEDUPLICATION, cursor_moved, 1, 0, "the cursor is beyond what there is");
        add("@-cursor-back", DEDUPLICATION, cursor_moved, -1, 0, "the cursor is one back");
        add("@-cursor-far-back", DEDUPLICATION, cursor_moved, -20, 0, "the cursor is twenty back");
        add("@-cursor-hash", DEDUPLICATION, cursor_byte, 24, CHAINED, "the cursor holds another hash");
        add("@-cursor-log-id", DEDUPLICATION, cursor_byte, 0, CHAINED, "the cursor is in another log");
        add("@-cursor-digest", DEDUPLICATION, cursor_byte, CURSOR_VALUE_BYTES - 1, ALONE,
            "the cursor's own digest");
        add("@-cursor-deleted", DEDUPLICATION, cursor_deleted, 0, 0, "the cursor is gone");
        add("ahead-@-cursor-forward", DEDUPLICATION, cursor_moved, 1, 0,
            "the cursor is past an unmatched referral");
        add("ahead-@-cursor-at-head", DEDUPLICATION, cursor_at_head, 0, 0,
            "the cursor is past all unmatched referrals");
        add_tables(INTAKE, intake_tables, sizeof intake_tables / sizeof intake_tables[0]);
        add_tables(DEDUPLICATION, dedup_tables, sizeof dedup_tables / sizeof dedup_tables[0]);
}

int main(int argc, char **argv)
{
        list_make();
        if (argc == 2 && strcmp(argv[1], "--list") == 0) {
                for (size_t i = 0; i < list_count; i++) {
                        (void)printf("%-42s %s\n", list[i].name, list[i].what);
                }
                return 0;
        }
        for (size_t i = 0; argc == 3 && i < list_count; i++) {
                if (strcmp(list[i].name, argv[2]) == 0) {
                        world w = { .home = argv[1] };
                        void *memory = malloc(ARENA_BYTES);
                        DOOR_REQUIRE(memory != NULL);
                        door_arena_init(&w.arena, memory, ARENA_BYTES);
                        list[i].apply(&w, &list[i]);
                        bases_close(&w);
                        free(memory);
                        return 0;
                }
        }
        (void)fprintf(stderr, "usage: corrupt --list | corrupt HOME NAME\n");
        return EXIT_USAGE;
}
