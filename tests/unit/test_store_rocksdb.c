/*
 * Goal: store_rocksdb is a store (the conformance suite), and its start notices every broken
 * condition V1..V14 by name.
 * Method: a template log of a few records (and one longer than the chain a start recomputes) is
 * copied, one row or file is changed behind the store's back with all of RocksDB's own checksums
 * right, and the start must be refused with that condition, its out-parameters untouched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <rocksdb/c.h>

#include "support/store_conformance.h"
#include "support/store_place.h"

enum {
        SHORT_RECORDS = 40,
        LONG_RECORDS = DOOR_START_CHAIN_RECORDS + 240,
        ARENA_BYTES = 8 * DOOR_MIB,
};

/* ---- The conformance suite's factory ------------------------------------------------------ */

typedef struct open_store {
        store_place place;
        door_store *store;
} open_store;

static void anchor_at_head(const open_store *o)
{
        const door_store_port port = door_store_port_of(o->store);
        door_anchor anchor = { 0 };

        DOOR_REQUIRE(port.hash_at(port.context, 0, &anchor.hash) == DOOR_OK);
        memcpy(anchor.log_id, anchor.hash.bytes, sizeof anchor.log_id);
        while (port.hash_at(port.context, anchor.seq + 1, &anchor.hash) == DOOR_OK) {
                anchor.seq++;
        }
        DOOR_REQUIRE(door_anchor_write(o->place.anchor, &anchor, NULL) == DOOR_OK);
}

/* What kill -9 leaves is what the files hold at that moment: a copy taken while it is open. */
static void crash(open_store *o)
{
        char copy[PATH_MAX];

        folder_join(o->place.base, "crashed", copy);
        folder_copy(o->place.db, copy);
        o->store = door_store_close(o->store);
        folder_remove(o->place.db);
        DOOR_REQUIRE(rename(copy, o->place.db) == 0);
}

static door_status factory_open(void *context, store_opening how, door_store_port *ret_port,
                                door_standing *ret_standing)
{
        open_store *o = context;
        const door_store_options options = store_place_options(&o->place, 7, NULL);
        door_error error = { 0 };

        if (how == STORE_FRESH) {
                o->store = door_store_close(o->store);
                folder_remove(o->place.db);
                (void)unlink(o->place.anchor);
        } else {
                anchor_at_head(o);
        }
        if (how == STORE_AFTER_CRASH) {
                crash(o);
        }
        o->store = door_store_close(o->store);

        const door_status status = door_store_open(&options, &o->store, ret_standing, &error);
        if (status != DOOR_OK) {
                print_error("%s\n", error.text);
                return status;
        }
        *ret_port = door_store_port_of(o->store);
        return DOOR_OK;
}

static int run_conformance(const char *base)
{
        open_store o = { .store = NULL };
        char own[PATH_MAX];

        folder_join(base, "conformance", own);
        DOOR_REQUIRE(mkdir(own, 0700) == 0);
        store_place_at(&o.place, own);
        const store_factory factory = { &o, factory_open };
        const int failures = store_conformance_run("store_rocksdb: conformance", &factory);
        o.store = door_store_close(o.store);
        return failures;
}

/* ---- The bench of everything else --------------------------------------------------------- */

/* Made once: two templates. Made for each test: a place that holds nothing. */
typedef struct bench {
        store_place short_log;
        store_place long_log;
        store_place place;
        door_arena arena;
        void *storage;
        door_error error;
} bench;

static void subfolder(const char *base, const char *name, store_place *place)
{
        char path[PATH_MAX];

        folder_join(base, name, path);
        DOOR_REQUIRE(mkdir(path, 0700) == 0);
        store_place_at(place, path);
}

static bench *bench_new(const char *base)
{
        bench *b = calloc(1, sizeof *b);

        DOOR_REQUIRE(b != NULL);
        b->storage = aligned_alloc(64, ARENA_BYTES);
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        subfolder(base, "short", &b->short_log);
        subfolder(base, "long", &b->long_log);
        subfolder(base, "place", &b->place);
        store_place_tell(&b->short_log, NULL, SHORT_RECORDS / 4, 4);
        store_place_tell(&b->long_log, NULL, LONG_RECORDS / 256, 256);
        store_place_tell(&b->long_log, NULL, 1, LONG_RECORDS % 256);
        return b;
}

static int each_setup(void **state)
{
        bench *b = *state;

        folder_remove(b->place.db);
        (void)unlink(b->place.anchor);
        door_arena_reset(&b->arena);
        memset(&b->error, 0, sizeof b->error);
        return 0;
}

static void a_short_log(bench *b)
{
        store_place_copy(&b->short_log, &b->place);
}

static void a_long_log(bench *b)
{
        store_place_copy(&b->long_log, &b->place);
}

/* Opened for writing and for reading only, it is refused with this status and condition. */
static void assert_refused(bench *b, door_status expected, const char *condition)
{
        door_store *const untouched = (door_store *)b;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_status (*const open[])(const door_store_options *, door_store **, door_standing *,
                                    door_error *) = { door_store_open_read_only, door_store_open };

        for (size_t i = 0; i < 2; i++) {
                door_store *store = untouched;
                door_standing standing;
                door_standing before;
                memset(&standing, 0x5A, sizeof standing);
                memcpy(&before, &standing, sizeof before);

                const door_status status = open[i](&options, &store, &standing, &b->error);
                if (status == DOOR_OK) {
                        (void)door_store_close(store);
                        fail_msg("%s was not noticed", condition);
                }
                const char *name = door_status_name(expected);
                if (status != expected || strncmp(b->error.text, name, strlen(name)) != 0 ||
                    strstr(b->error.text, condition) == NULL) {
                        fail_msg("expected %s ... %s, got: %s", name, condition, b->error.text);
                }
                assert_ptr_equal(store, untouched);
                assert_memory_equal(&standing, &before, sizeof before);
        }
}

/* Opened, it is the whole story of that many records. */
static void assert_opens_with(bench *b, uint64_t records)
{
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_standing standing;
        const char *why = "";

        if (door_store_open(&options, &store, &standing, &b->error) != DOOR_OK) {
                fail_msg("%s", b->error.text);
        }
        const door_store_port port = door_store_port_of(store);
        const bool told = story_is_told(&port, &standing, &b->arena, &why);
        (void)door_store_close(store);
        assert_int_equal(standing.head, records);
        if (!told) {
                fail_msg("%s", why);
        }
}

static door_bytes seq_key(bench *b, uint64_t seq)
{
        uint8_t *key = door_arena_take(&b->arena, 8);
        door_put_u64(key, seq);
        return (door_bytes){ key, 8 };
}

static door_bytes cursor_key(bench *b, uint32_t log)
{
        uint8_t *key = door_arena_take(&b->arena, 5);
        key[0] = 'C';
        door_put_u32(key + 1, log);
        return (door_bytes){ key, 5 };
}

static uint8_t *peek(bench *b, const char *family, door_bytes key, size_t *ret_len)
{
        door_bytes value = DOOR_BYTES_EMPTY;

        assert_true(store_place_peek(&b->place, family, key, &b->arena, &value));
        *ret_len = value.len;
        return b->arena.base + (value.data - b->arena.base);
}

/* One bit of a row, counted from the front (at >= 0) or the back. */
static void flip(bench *b, const char *family, door_bytes key, ptrdiff_t at)
{
        size_t len = 0;
        uint8_t *value = peek(b, family, key, &len);

        value[at >= 0 ? (size_t)at : len - (size_t)-at] ^= 1;
        store_place_tamper(&b->place, family, key, (door_bytes){ value, len });
}

static void drop(bench *b, const char *family, door_bytes key)
{
        store_place_tamper(&b->place, family, key, DOOR_BYTES_EMPTY);
}

static const door_bytes meta_key = { (const uint8_t *)"M", 1 };

static door_anchor anchor_of(const store_place *place)
{
        door_anchor anchor;
        DOOR_REQUIRE(door_anchor_read(place->anchor, &anchor, NULL) == DOOR_OK);
        return anchor;
}

static void anchor_put(const store_place *place, const door_anchor *anchor)
{
        DOOR_REQUIRE(door_anchor_write(place->anchor, anchor, NULL) == DOOR_OK);
}

static void file_put(const char *path, const char *content)
{
        FILE *file = fopen(path, "w");
        DOOR_REQUIRE(file != NULL && fputs(content, file) >= 0 && fclose(file) == 0);
}

/* ---- V1, V2: the folder ------------------------------------------------------------------- */

static void the_templates_open(void **state)
{
        bench *b = *state;

        a_short_log(b);
        assert_opens_with(b, SHORT_RECORDS);
        a_long_log(b);
        assert_opens_with(b, LONG_RECORDS);
}

static void a_new_database_has_the_log_id_it_was_given_and_an_anchor(void **state)
{
        bench *b = *state;
        const door_store_options options = store_place_options(&b->place, 0x5C, NULL);
        door_store *store = NULL;
        door_standing standing;

        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        assert_memory_equal(standing.log_id, options.new_log_id, sizeof standing.log_id);
        (void)door_store_close(store);
        const door_anchor anchor = anchor_of(&b->place);
        const door_hash start = door_hash_log_start(options.new_log_id);
        assert_int_equal(anchor.seq, 0);
        assert_memory_equal(anchor.log_id, options.new_log_id, sizeof anchor.log_id);
        assert_memory_equal(&anchor.hash, &start, sizeof start);

        /* The second start keeps the id it has and ignores the one it is handed. */
        const door_store_options other = store_place_options(&b->place, 0x11, NULL);
        assert_int_equal(door_store_open(&other, &store, &standing, &b->error), DOOR_OK);
        (void)door_store_close(store);
        assert_memory_equal(standing.log_id, options.new_log_id, sizeof standing.log_id);
}

static void a_database_that_is_gone_is_missed(void **state)
{
        bench *b = *state;

        a_short_log(b);
        folder_remove(b->place.db);
        assert_refused(b, DOOR_LOG_REGRESSED, "V1 folder");
        assert_int_not_equal(access(b->place.db, F_OK), 0);
        assert_int_equal(mkdir(b->place.db, 0700), 0);
        assert_refused(b, DOOR_LOG_REGRESSED, "V1 folder");
}

static void a_database_that_is_gone_is_missed_by_an_unreadable_anchor_too(void **state)
{
        bench *b = *state;

        file_put(b->place.anchor, "not an anchor");
        assert_refused(b, DOOR_ANCHOR_MISSING, "V1 folder");
}

static void even_a_log_that_never_held_a_record_is_missed(void **state)
{
        bench *b = *state;

        store_place_tell(&b->place, NULL, 0, 0);
        folder_remove(b->place.db);
        assert_refused(b, DOOR_LOG_REGRESSED, "V1 folder");
}

static void all_wals_lost_before_the_first_flush_leave_an_empty_database_that_is_missed(void **state)
{
        bench *b = *state;
        char wal[PATH_MAX];

        store_place_tell(&b->place, NULL, 1, 3);
        while (folder_find(b->place.db, ".log", true, wal)) {
                assert_int_equal(unlink(wal), 0);
        }
        assert_refused(b, DOOR_LOG_REGRESSED, "V1 folder: the database is empty");
}

static void files_without_current_are_not_built_over(void **state)
{
        bench *b = *state;
        char current[PATH_MAX];
        door_store *store = NULL;
        door_standing standing;
        door_store_options options = store_place_options(&b->place, 9, NULL);

        a_short_log(b);
        folder_join(b->place.db, "CURRENT", current);
        assert_int_equal(unlink(current), 0);
        assert_refused(b, DOOR_LOG_REGRESSED, "V1 folder");
        options.anchor_path = NULL;
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_CORRUPT);
        assert_non_null(strstr(b->error.text, "V1 folder"));
}

/* A database with these families beside "default", and perhaps the short log's meta row. */
static void make_families(bench *b, const char *const *names, int count, bool with_meta)
{
        rocksdb_options_t *options = rocksdb_options_create();
        char *error = NULL;

        rocksdb_options_set_create_if_missing(options, 1);
        rocksdb_options_set_db_log_dir(options, b->place.log);
        rocksdb_t *db = rocksdb_open(options, b->place.db, &error);
        assert_null(error);
        for (int i = 0; i < count; i++) {
                rocksdb_column_family_handle_t *made =
                        rocksdb_create_column_family(db, options, names[i], &error);
                assert_null(error);
                rocksdb_column_family_handle_destroy(made);
        }
        if (with_meta) {
                door_bytes meta = DOOR_BYTES_EMPTY;
                rocksdb_writeoptions_t *how = rocksdb_writeoptions_create();
                assert_true(store_place_peek(&b->short_log, "default", meta_key, &b->arena, &meta));
                rocksdb_put(db, how, "M", 1, (const char *)meta.data, meta.len, &error);
                assert_null(error);
                rocksdb_writeoptions_destroy(how);
        }
        rocksdb_close(db);
        rocksdb_options_destroy(options);
}

static void a_making_that_was_interrupted_is_finished(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "header", "public", "private", "state" };

        for (int made = 0; made <= 4; made++) {
                folder_remove(b->place.db);
                (void)unlink(b->place.anchor);
                make_families(b, names, made, false);
                assert_opens_with(b, 0);
                assert_opens_with(b, 0);
        }
}

static void missing_families_are_no_interrupted_making_when_a_log_is_known(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "header", "public", "private" };
        door_store *store = NULL;
        door_standing standing;
        const door_store_options options = store_place_options(&b->place, 9, NULL);

        make_families(b, names, 3, true);
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_CORRUPT);
        assert_non_null(strstr(b->error.text, "V2 families"));

        folder_remove(b->place.db);
        make_families(b, names, 3, false);
        file_copy(b->short_log.anchor, b->place.anchor);
        assert_refused(b, DOOR_LOG_REGRESSED, "V2 families");
}

static void a_family_of_a_newer_program_is_refused(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "header", "public", "private", "state", "witness" };

        make_families(b, names, 5, true);
        assert_refused(b, DOOR_FORMAT_NEWER, "V2 families");
}

/* ---- V3: the meta row --------------------------------------------------------------------- */

static void any_changed_bit_of_the_meta_row_is_noticed(void **state)
{
        bench *b = *state;
        const ptrdiff_t at[] = { 4, 19, 20, 51, 52, -1 };

        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
                a_short_log(b);
                flip(b, "default", meta_key, at[i]);
                assert_refused(b, DOOR_CORRUPT, "V3 meta");
        }
}

static void a_newer_or_senseless_format_version_is_refused(void **state)
{
        bench *b = *state;
        size_t len = 0;

        a_short_log(b);
        uint8_t *value = peek(b, "default", meta_key, &len);
        value[3] = 2;
        store_place_tamper(&b->place, "default", meta_key, (door_bytes){ value, len });
        assert_refused(b, DOOR_FORMAT_NEWER, "V3 meta");
        store_place_tamper(&b->place, "default", meta_key, (door_bytes){ value, 4 });
        assert_refused(b, DOOR_FORMAT_NEWER, "V3 meta");
        store_place_tamper(&b->place, "default", meta_key, (door_bytes){ value, 3 });
        assert_refused(b, DOOR_CORRUPT, "V3 meta");

        value[3] = 0; /* With a digest that fits. */
        const door_bytes parts[] = { meta_key, { value, len - DOOR_HASH_BYTES } };
        const door_hash digest = door_hash_of(parts, 2);
        memcpy(value + len - DOOR_HASH_BYTES, digest.bytes, DOOR_HASH_BYTES);
        store_place_tamper(&b->place, "default", meta_key, (door_bytes){ value, len });
        assert_refused(b, DOOR_CORRUPT, "V3 meta");
}

static void rows_without_a_meta_row_are_refused(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "header", "public", "private", "state" };

        a_short_log(b);
        drop(b, "default", meta_key);
        assert_refused(b, DOOR_CORRUPT, "V3 meta");

        /* Also when each family in turn is the only one that still holds something. */
        for (size_t i = 0; i < 4; i++) {
                folder_remove(b->place.db);
                (void)unlink(b->place.anchor);
                make_families(b, names, 4, false);
                store_place_tamper(&b->place, names[i], seq_key(b, 1), seq_key(b, 1));
                assert_refused(b, DOOR_CORRUPT, "V3 meta");
        }
}

/* ---- V4, V12: the anchor ------------------------------------------------------------------ */

static void records_without_a_readable_anchor_are_refused(void **state)
{
        bench *b = *state;

        a_short_log(b);
        assert_int_equal(unlink(b->place.anchor), 0);
        assert_refused(b, DOOR_ANCHOR_MISSING, "V4 log");
        assert_int_not_equal(access(b->place.anchor, F_OK), 0);
        file_put(b->place.anchor, "");
        assert_refused(b, DOOR_ANCHOR_MISSING, "V4 log");
}

static void an_empty_log_with_a_damaged_anchor_is_refused(void **state)
{
        bench *b = *state;

        store_place_tell(&b->place, NULL, 0, 0);
        file_put(b->place.anchor, "something");
        assert_refused(b, DOOR_ANCHOR_MISSING, "V4 log");
}

static void an_empty_log_whose_first_anchor_was_never_written_gets_one(void **state)
{
        bench *b = *state;

        store_place_tell(&b->place, NULL, 0, 0);
        assert_int_equal(unlink(b->place.anchor), 0);
        assert_opens_with(b, 0);
        assert_int_equal(anchor_of(&b->place).seq, 0);
}

static void another_logs_anchor_is_refused(void **state)
{
        bench *b = *state;

        a_short_log(b);
        door_anchor anchor = anchor_of(&b->place);
        anchor.log_id[15] ^= 1;
        anchor_put(&b->place, &anchor);
        assert_refused(b, DOOR_LOG_REGRESSED, "V4 log");
}

static void a_head_behind_the_anchor_is_refused(void **state)
{
        bench *b = *state;

        a_short_log(b);
        door_anchor anchor = anchor_of(&b->place);
        anchor.seq++;
        anchor_put(&b->place, &anchor);
        assert_refused(b, DOOR_LOG_REGRESSED, "V12 anchor");
        anchor.seq = UINT64_MAX;
        anchor_put(&b->place, &anchor);
        assert_refused(b, DOOR_LOG_REGRESSED, "V12 anchor");
}

static void an_anchor_that_knows_another_record_is_refused(void **state)
{
        bench *b = *state;
        const uint64_t seqs[] = { 0, 1, SHORT_RECORDS / 2, SHORT_RECORDS };

        for (size_t i = 0; i < 4; i++) {
                a_short_log(b);
                door_anchor anchor = anchor_of(&b->place);
                anchor.seq = seqs[i];
                anchor.hash.bytes[31] ^= 1;
                anchor_put(&b->place, &anchor);
                assert_refused(b, DOOR_LOG_REGRESSED, "V12 anchor");
        }
}

static void an_anchor_behind_the_head_is_as_it_should_be(void **state)
{
        bench *b = *state;
        const store_place *place = &b->place;

        a_short_log(b);
        const door_anchor former = anchor_of(place);
        store_place_tell(place, NULL, 3, 5);
        anchor_put(place, &former);
        assert_opens_with(b, SHORT_RECORDS + 15);
        assert_int_equal(anchor_of(place).seq, SHORT_RECORDS);
}

static void without_an_anchor_asked_for_none_is_needed_or_made(void **state)
{
        bench *b = *state;
        door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_standing standing;

        a_short_log(b);
        assert_int_equal(unlink(b->place.anchor), 0);
        options.anchor_path = NULL;
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        (void)door_store_close(store);
        assert_int_equal(standing.head, SHORT_RECORDS);
        assert_int_not_equal(access(b->place.anchor, F_OK), 0);
}

/* ---- V5 to V7: headers -------------------------------------------------------------------- */

static void a_missing_first_record_is_noticed(void **state)
{
        bench *b = *state;

        a_short_log(b);
        drop(b, "header", seq_key(b, 1));
        assert_refused(b, DOOR_CORRUPT, "V5 headers");
}

static void keys_that_are_no_sequence_numbers_are_noticed(void **state)
{
        bench *b = *state;
        const door_bytes some = door_bytes_of("some forty bytes, so that it might be a row");
        uint8_t longer[9] = { 0xFF };

        a_short_log(b);
        store_place_tamper(&b->place, "header", (door_bytes){ longer, 9 }, some);
        assert_refused(b, DOOR_CORRUPT, "V5 headers");
        a_short_log(b);
        store_place_tamper(&b->place, "header", seq_key(b, 0), some);
        assert_refused(b, DOOR_CORRUPT, "V5 headers");
}

static void a_missing_record_is_noticed_however_old_it_is(void **state)
{
        bench *b = *state;
        const uint64_t lost[] = { 2, 50, LONG_RECORDS - DOOR_START_CHAIN_RECORDS };

        for (size_t i = 0; i < 3; i++) {
                char condition[64];
                a_long_log(b);
                drop(b, "header", seq_key(b, lost[i]));
                (void)snprintf(condition, sizeof condition, "V6 density: record %d is", (int)lost[i]);
                assert_refused(b, DOOR_CORRUPT, condition);
        }
}

static void rows_written_twice_do_not_look_like_a_gap(void **state)
{
        bench *b = *state;
        size_t len = 0;

        a_short_log(b);
        uint8_t *same = peek(b, "header", seq_key(b, 5), &len);
        store_place_tamper(&b->place, "header", seq_key(b, 5), (door_bytes){ same, len });
        assert_opens_with(b, SHORT_RECORDS);
}

static void a_missing_record_near_the_head_is_noticed(void **state)
{
        bench *b = *state;

        a_short_log(b);
        drop(b, "header", seq_key(b, SHORT_RECORDS - 1));
        assert_refused(b, DOOR_CORRUPT, "is missing");
        a_short_log(b);
        drop(b, "header", seq_key(b, SHORT_RECORDS));
        assert_refused(b, DOOR_CORRUPT, "V9 beyond");
}

static void any_changed_bit_of_a_header_row_is_noticed(void **state)
{
        bench *b = *state;
        const uint64_t seqs[] = { 1, 20, SHORT_RECORDS };
        const ptrdiff_t at[] = { 0, 31, 32, 40, -1 };

        for (size_t i = 0; i < 3; i++) {
                for (size_t k = 0; k < 5; k++) {
                        a_short_log(b);
                        flip(b, "header", seq_key(b, seqs[i]), at[k]);
                        assert_refused(b, DOOR_CORRUPT, "V7 chain");
                }
        }
}

static void a_header_row_too_short_to_be_one_is_noticed(void **state)
{
        bench *b = *state;
        size_t len = 0;
        const size_t lengths[] = { 0, 31, 32 };

        for (size_t i = 0; i < 3; i++) {
                a_short_log(b);
                uint8_t *row = peek(b, "header", seq_key(b, SHORT_RECORDS), &len);
                store_place_tamper(&b->place, "header", seq_key(b, SHORT_RECORDS),
                                   (door_bytes){ row, lengths[i] });
                assert_refused(b, DOOR_CORRUPT, "V7 chain");
        }
}

/* Puts another last record whose hash fits, and an anchor that knows it. */
static void replace_last(bench *b, door_bytes header)
{
        size_t len = 0;
        door_hash before;
        const uint8_t *row = peek(b, "header", seq_key(b, SHORT_RECORDS - 1), &len);

        memcpy(before.bytes, row, DOOR_HASH_BYTES);
        door_anchor anchor = anchor_of(&b->place);
        anchor.hash = door_hash_chain(&before, header);
        anchor_put(&b->place, &anchor);
        uint8_t *fresh = door_arena_take(&b->arena, DOOR_HASH_BYTES + header.len);
        memcpy(fresh, anchor.hash.bytes, DOOR_HASH_BYTES);
        memcpy(fresh + DOOR_HASH_BYTES, header.data, header.len);
        store_place_tamper(&b->place, "header", seq_key(b, SHORT_RECORDS),
                           (door_bytes){ fresh, DOOR_HASH_BYTES + header.len });
}

static void a_chained_header_must_be_a_header_and_of_its_own_record(void **state)
{
        bench *b = *state;
        size_t len = 0;

        a_short_log(b);
        replace_last(b, door_bytes_of("no protobuf at all"));
        assert_refused(b, DOOR_CORRUPT, "V7 chain");

        a_short_log(b);
        const uint8_t *row = peek(b, "header", seq_key(b, SHORT_RECORDS - 2), &len);
        replace_last(b, (door_bytes){ row + DOOR_HASH_BYTES, len - DOOR_HASH_BYTES });
        assert_refused(b, DOOR_CORRUPT, "V7 chain");
}

static void the_chain_is_recomputed_for_exactly_the_records_promised(void **state)
{
        bench *b = *state;
        const uint64_t first = LONG_RECORDS - DOOR_START_CHAIN_RECORDS + 1;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_standing standing;

        a_long_log(b);
        flip(b, "header", seq_key(b, first), -1);
        assert_refused(b, DOOR_CORRUPT, "V7 chain");
        a_long_log(b);
        flip(b, "header", seq_key(b, first - 1), 0); /* The stored hash it starts from. */
        assert_refused(b, DOOR_CORRUPT, "V7 chain");

        /* Further back it is verify's: a start has a bound. */
        a_long_log(b);
        flip(b, "header", seq_key(b, first - 1), -1);
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        (void)door_store_close(store);
}

/* ---- V8, V9: payloads --------------------------------------------------------------------- */

static void a_payload_that_is_missing_changed_or_uncalled_for_is_noticed(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "public", "private" };
        const uint64_t promised[] = { 1, 22, SHORT_RECORDS - 2 }; /* By both headers. */
        const uint64_t without[] = { 15, 30 };

        for (size_t f = 0; f < 2; f++) {
                for (size_t i = 0; i < 3; i++) {
                        a_short_log(b);
                        drop(b, names[f], seq_key(b, promised[i]));
                        assert_refused(b, DOOR_CORRUPT, "V8 payloads");
                        a_short_log(b);
                        flip(b, names[f], seq_key(b, promised[i]), 0);
                        assert_refused(b, DOOR_CORRUPT, "V8 payloads");
                        a_short_log(b);
                        flip(b, names[f], seq_key(b, promised[i]), -1);
                        assert_refused(b, DOOR_CORRUPT, "V8 payloads");
                }
                for (size_t i = 0; i < 2; i++) {
                        a_short_log(b);
                        store_place_tamper(&b->place, names[f], seq_key(b, without[i]),
                                           door_bytes_of("sixteen bytes of salt and more"));
                        assert_refused(b, DOOR_CORRUPT, "V8 payloads");
                }
        }
}

static void a_payload_beyond_the_head_is_noticed(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "public", "private" };

        for (size_t f = 0; f < 2; f++) {
                a_short_log(b);
                store_place_tamper(&b->place, names[f], seq_key(b, SHORT_RECORDS + 1),
                                   door_bytes_of("sixteen bytes of salt and more"));
                assert_refused(b, DOOR_CORRUPT, "V9 beyond");
        }
}

static void a_missing_payload_that_a_start_did_not_look_at_is_noticed_when_read(void **state)
{
        bench *b = *state;
        static const char *const names[] = { "public", "private" };
        const door_form forms[] = { DOOR_FORM_PUBLIC, DOOR_FORM_WHOLE };
        const door_store_options options = store_place_options(&b->place, 9, NULL);

        for (size_t f = 0; f < 2; f++) {
                door_store *store = NULL;
                door_standing standing;
                door_record records[8];
                size_t count = 99;

                a_long_log(b);
                drop(b, names[f], seq_key(b, 4));
                assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
                const door_store_port port = door_store_port_of(store);
                door_arena_reset(&b->arena);
                assert_int_equal(
                        port.read(port.context, 0, 8, SIZE_MAX, forms[f], &b->arena, records, &count),
                        DOOR_CORRUPT);
                assert_int_equal(count, 99);
                assert_int_equal(
                        port.read(port.context, 4, 4, SIZE_MAX, forms[f], &b->arena, records, &count),
                        DOOR_OK);
                assert_int_equal(count, 4);
                assert_int_equal(
                        port.read(port.context, 0, 8, SIZE_MAX, forms[f] - 1, &b->arena, records, &count),
                        DOOR_OK);
                assert_int_equal(count, 8);
                (void)door_store_close(store);
        }
}

/* ---- V10, V11: cursors -------------------------------------------------------------------- */

static void any_changed_bit_of_a_cursor_is_noticed(void **state)
{
        bench *b = *state;
        const ptrdiff_t at[] = { 0, 15, 16, 23, 24, 55, 56, -1 };

        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
                a_short_log(b);
                flip(b, "default", cursor_key(b, STORY_UPSTREAM), at[i]);
                assert_refused(b, DOOR_CORRUPT, "V10 cursors");
        }
}

static void a_row_that_is_no_cursor_is_noticed(void **state)
{
        bench *b = *state;
        size_t len = 0;

        a_short_log(b);
        uint8_t *value = peek(b, "default", cursor_key(b, STORY_UPSTREAM), &len);
        store_place_tamper(&b->place, "default", cursor_key(b, STORY_UPSTREAM),
                           (door_bytes){ value, len - 1 });
        assert_refused(b, DOOR_CORRUPT, "V10 cursors");

        a_short_log(b); /* A whole one under another log's key. */
        store_place_tamper(&b->place, "default", cursor_key(b, STORY_UPSTREAM + 1),
                           (door_bytes){ value, len });
        assert_refused(b, DOOR_CORRUPT, "V10 cursors");

        a_short_log(b);
        store_place_tamper(&b->place, "default", door_bytes_of("Z"), (door_bytes){ value, len });
        assert_refused(b, DOOR_CORRUPT, "V10 cursors");
}

static void more_cursors_than_logs_can_be_read_are_noticed(void **state)
{
        bench *b = *state;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_standing standing;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];

        a_short_log(b);
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        memset(cursors, 0, sizeof cursors);
        for (uint32_t i = 0; i < DOOR_UPSTREAMS_MAX; i++) {
                cursors[i].log = 100 + i;
        }
        const door_store_port port = door_store_port_of(store);
        const door_commit many = { .expected_head = SHORT_RECORDS,
                                   .cursors = cursors,
                                   .cursors_count = DOOR_UPSTREAMS_MAX,
                                   .sync = true };
        assert_int_equal(port.commit(port.context, &many), DOOR_OK);
        (void)door_store_close(store);
        assert_refused(b, DOOR_CORRUPT, "V10 cursors");
}

static void set_cursor(bench *b, uint32_t log, uint64_t seq)
{
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        const door_cursor cursor = { .log = log, .seq = seq };
        const door_commit only = {
                .expected_head = SHORT_RECORDS, .cursors = &cursor, .cursors_count = 1, .sync = true
        };
        door_store *store = NULL;
        door_standing standing;

        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        const door_store_port port = door_store_port_of(store);
        assert_int_equal(port.commit(port.context, &only), DOOR_OK);
        (void)door_store_close(store);
}

static void a_cursor_behind_what_the_last_record_has_seen_is_noticed(void **state)
{
        bench *b = *state;
        const uint64_t seen = 2 * SHORT_RECORDS;

        a_short_log(b);
        set_cursor(b, STORY_UPSTREAM, seen);
        assert_opens_with(b, SHORT_RECORDS);
        set_cursor(b, STORY_UPSTREAM + 1, 0); /* A log nobody has seen anything of. */
        assert_opens_with(b, SHORT_RECORDS);
        set_cursor(b, STORY_UPSTREAM, seen - 1);
        assert_refused(b, DOOR_CORRUPT, "V11 seen");
}

/* ---- V14: the manifest -------------------------------------------------------------------- */

static const door_bytes witness_key = { (const uint8_t *)"W", 1 };

static void a_manifest_shorter_than_its_witness_is_noticed(void **state)
{
        bench *b = *state;
        char name[64] = { 0 };
        char current[PATH_MAX];
        char manifest[PATH_MAX];
        struct stat st;

        /* Two processes: the second one's recovery ends its MANIFEST with one record per family,
         * and its own commits follow in a WAL. */
        store_place_tell(&b->place, NULL, 2, 2);
        store_place_tell(&b->place, NULL, 2, 2);
        folder_join(b->place.db, "CURRENT", current);
        FILE *file = fopen(current, "r");
        assert_non_null(file);
        assert_non_null(fgets(name, sizeof name, file));
        assert_int_equal(fclose(file), 0);
        name[strcspn(name, "\n")] = '\0';
        folder_join(b->place.db, name, manifest);
        assert_int_equal(stat(manifest, &st), 0);

        const int fd = open(manifest, O_RDWR);
        uint8_t last = 0;
        assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
        assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
        assert_refused(b, DOOR_CORRUPT, "V14 manifest");
        assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
        assert_int_equal(close(fd), 0);
        assert_opens_with(b, 8);
}

static void any_changed_bit_of_the_witness_is_noticed(void **state)
{
        bench *b = *state;
        const ptrdiff_t at[] = { 0, 7, 8, 15, 16, -1 };

        for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
                a_short_log(b);
                flip(b, "default", witness_key, at[i]);
                assert_refused(b, DOOR_CORRUPT, "V14 manifest");
        }
}

static void a_database_without_a_witness_opens_and_gets_one(void **state)
{
        bench *b = *state;
        size_t len = 0;

        a_short_log(b);
        drop(b, "default", witness_key);
        assert_opens_with(b, SHORT_RECORDS);
        (void)peek(b, "default", witness_key, &len);
        assert_int_equal(len, 48);
}

/* ---- V13 and files ------------------------------------------------------------------------ */

static void a_start_that_is_refused_changes_no_file(void **state)
{
        bench *b = *state;
        char wal[PATH_MAX];
        struct stat st;

        store_place_tell(&b->place, NULL, 100, 1);
        assert_true(folder_find(b->place.db, ".log", true, wal));
        assert_int_equal(stat(wal, &st), 0);
        const int fd = open(wal, O_RDWR);
        uint8_t byte = 0;
        assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
        byte ^= 0x10;
        assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
        assert_int_equal(close(fd), 0);

        const door_hash before = store_place_digest(b->place.db);
        assert_refused(b, DOOR_LOG_REGRESSED, "V12 anchor");
        const door_hash after = store_place_digest(b->place.db);
        assert_memory_equal(&before, &after, sizeof before);

        /* So the bytes can be repaired, and all of it is there again. */
        byte ^= 0x10;
        const int again = open(wal, O_RDWR);
        assert_int_equal(pwrite(again, &byte, 1, st.st_size / 2), 1);
        assert_int_equal(close(again), 0);
        assert_opens_with(b, 100);
}

static void a_commit_writes_itself_and_nothing_before_it(void **state)
{
        bench *b = *state;
        char wal[PATH_MAX];
        struct stat st;

        store_place_tell(&b->place, NULL, 200, 1);
        assert_int_equal(folder_count(b->place.db, ".log"), 1);
        assert_true(folder_find(b->place.db, ".log", true, wal));
        assert_int_equal(stat(wal, &st), 0);
        assert_true(st.st_size < (off_t)200 * 2 * DOOR_KIB);
}

/* Else a lost WAL could take rows from the state and leave the headers dense. */
static void all_families_are_flushed_together(void **state)
{
        bench *b = *state;
        static const char small_buffers[] = "write_buffer_size=131072;disable_auto_compactions=true;";
        static const char *const names[] = { "default", "public", "private", "state" };

        /*
         * Lives: what the last flush of one did not finish, the next one's recovery does. While it runs,
         * flushes are together; recovery may cut one family once more than another when a slow machine
         * has left it more than a buffer. Apart, the small families would have next to none.
         */
        enum { LIVES = 3, COMMITS = 450 };
        for (int life = 0; life < LIVES; life++) {
                store_place_tell(&b->place, small_buffers, COMMITS, 4);
        }
        const size_t tables = store_place_tables(&b->place, "header");
        assert_true(tables > 3 * LIVES);
        for (size_t i = 0; i < 4; i++) {
                const size_t others = store_place_tables(&b->place, names[i]);
                assert_in_range(others, tables - LIVES, tables + LIVES);
        }
        assert_opens_with(b, LIVES * COMMITS * 4);
}

static void the_info_log_goes_where_it_is_told(void **state)
{
        bench *b = *state;
        char log[PATH_MAX];

        a_short_log(b);
        assert_opens_with(b, SHORT_RECORDS);
        assert_false(folder_find(b->place.db, "LOG", true, log));
        assert_true(folder_find(b->place.log, "LOG", true, log));
}

/* Runs in a child; true when it died by DOOR_REQUIRE's abort. */
static bool dies(void (*what)(const store_place *), const store_place *place)
{
        const pid_t child = fork();
        int status = 0;

        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                const struct rlimit no_core = { 0, 0 };
                (void)setrlimit(RLIMIT_CORE, &no_core);
                (void)signal(SIGABRT, SIG_DFL);
                (void)!freopen("/dev/null", "w", stderr);
                what(place);
                _exit(0);
        }
        DOOR_REQUIRE(waitpid(child, &status, 0) == child);
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

/* One record after SHORT_RECORDS, then what `change` does to it. */
static void commit_wrong(const store_place *place, void (*change)(door_record *, door_commit *),
                         bool read_only)
{
        const door_store_options options = store_place_options(place, 9, NULL);
        void *storage = aligned_alloc(64, DOOR_MIB);
        door_store *store = NULL;
        door_standing standing;
        door_arena arena;

        door_arena_init(&arena, storage, DOOR_MIB);
        DOOR_REQUIRE((read_only ? door_store_open_read_only : door_store_open)(&options, &store, &standing,
                                                                               NULL) == DOOR_OK);
        const door_store_port port = door_store_port_of(store);
        const story at = story_from(&standing);
        door_commit next = story_next(&at, 1, &port.state, &arena);
        door_record record = next.records[0];
        next.records = &record;
        change(&record, &next);
        (void)port.commit(port.context, &next);
        _exit(0);
}

static void nothing(door_record *record, door_commit *commit)
{
        (void)record;
        (void)commit;
}

static void other_seq(door_record *record, door_commit *commit)
{
        (void)commit;
        record->seq++;
}

static void other_hash(door_record *record, door_commit *commit)
{
        (void)commit;
        record->hash.bytes[5] ^= 1;
}

static void no_sync(door_record *record, door_commit *commit)
{
        (void)record;
        commit->sync = false;
}

static void commits_rightly(const store_place *place)
{
        commit_wrong(place, nothing, false);
}

static void commits_other_seq(const store_place *place)
{
        commit_wrong(place, other_seq, false);
}

static void commits_other_hash(const store_place *place)
{
        commit_wrong(place, other_hash, false);
}

static void commits_without_sync(const store_place *place)
{
        commit_wrong(place, no_sync, false);
}

static void commits_when_reading_only(const store_place *place)
{
        commit_wrong(place, nothing, true);
}

static void a_confused_caller_dies_before_it_writes(void **state)
{
        bench *b = *state;

        a_short_log(b);
        assert_true(dies(commits_other_seq, &b->place));
        assert_true(dies(commits_other_hash, &b->place));
        assert_true(dies(commits_without_sync, &b->place));
        assert_true(dies(commits_when_reading_only, &b->place));
        assert_opens_with(b, SHORT_RECORDS);
        assert_false(dies(commits_rightly, &b->place));
        assert_opens_with(b, SHORT_RECORDS + 1);
}

static void a_database_another_process_has_open_is_busy(void **state)
{
        bench *b = *state;
        int ready[2];
        char byte = 0;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_standing standing;

        a_short_log(b);
        assert_int_equal(pipe(ready), 0);
        const pid_t child = fork();
        if (child == 0) {
                const bool opened = door_store_open(&options, &store, &standing, NULL) == DOOR_OK;
                (void)!write(ready[1], opened ? "y" : "n", 1);
                (void)pause();
                _exit(0);
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        assert_int_equal(byte, 'y');
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_BUSY);
        assert_int_equal(strncmp(b->error.text, "BUSY", 4), 0);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_int_equal(close(ready[0]) + close(ready[1]), 0);
        assert_opens_with(b, SHORT_RECORDS);
}

/* Its own lock a process does not see; RocksDB's then says no, in words. */
static void a_database_this_process_has_open_is_busy(void **state)
{
        bench *b = *state;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        door_store *store = NULL;
        door_store *second = NULL;
        door_standing standing;

        a_short_log(b);
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        assert_int_equal(door_store_open(&options, &second, &standing, &b->error), DOOR_BUSY);
        assert_null(second);
        store = door_store_close(store);
        assert_opens_with(b, SHORT_RECORDS);
}

static void options_that_make_no_sense_are_refused(void **state)
{
        bench *b = *state;
        char long_path[PATH_MAX];
        door_store *store = NULL;
        door_standing standing;

        door_store_options options = store_place_options(&b->place, 9, "no_such_option=1");
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_INVALID);
        options.tuning = NULL;
        options.path = "";
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_INVALID);
        options.path = NULL;
        assert_int_equal(door_store_open_read_only(&options, &store, &standing, &b->error), DOOR_INVALID);
        memset(long_path, 'x', sizeof long_path - 1);
        long_path[sizeof long_path - 1] = '\0';
        options.path = long_path;
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_INVALID);
        assert_null(store);
}

static void reading_only_makes_nothing(void **state)
{
        bench *b = *state;
        door_store *store = NULL;
        door_standing standing;
        const door_store_options options = store_place_options(&b->place, 9, NULL);
        const char *why = "";

        assert_int_equal(door_store_open_read_only(&options, &store, &standing, &b->error), DOOR_NOT_FOUND);
        assert_int_not_equal(access(b->place.db, F_OK), 0);
        assert_int_not_equal(access(b->place.anchor, F_OK), 0);

        a_short_log(b);
        const door_hash before = store_place_digest(b->place.db);
        assert_int_equal(door_store_open_read_only(&options, &store, &standing, &b->error), DOOR_OK);
        const door_store_port port = door_store_port_of(store);
        assert_int_equal(standing.head, SHORT_RECORDS);
        assert_true(story_is_told(&port, &standing, &b->arena, &why));
        (void)door_store_close(store);
        const door_hash after = store_place_digest(b->place.db);
        assert_memory_equal(&before, &after, sizeof before);
}

static void a_checkpoint_is_the_log_as_it_was_then(void **state)
{
        bench *b = *state;
        store_place copy;
        char path[PATH_MAX];
        char wal[PATH_MAX];
        door_store *store = NULL;
        door_standing standing;
        const char *why = "";
        const door_store_options options = store_place_options(&b->place, 9, NULL);

        a_short_log(b);
        store_place_tell(&b->place, NULL, 2, 5);
        folder_join(b->place.base, "copy", path);
        folder_remove(path);
        assert_int_equal(mkdir(path, 0700), 0);
        store_place_at(&copy, path);
        assert_int_equal(door_store_open(&options, &store, &standing, &b->error), DOOR_OK);
        const door_store_port port = door_store_port_of(store);
        story at = story_from(&standing);
        for (int i = 0; i < 2; i++) {
                const door_commit next = story_next(&at, 5, &port.state, &b->arena);
                if (i == 1) { /* Flushed first: no record of the copy is in a WAL only. */
                        assert_int_equal(door_store_checkpoint(store, copy.db, &b->error), DOOR_OK);
                        assert_false(folder_find(copy.db, ".log", true, wal));
                        assert_int_not_equal(door_store_checkpoint(store, copy.db, &b->error), DOOR_OK);
                }
                assert_int_equal(port.commit(port.context, &next), DOOR_OK);
                story_went_on(&at, &next);
        }
        (void)door_store_close(store);

        door_store_options of_copy = store_place_options(&copy, 9, NULL);
        of_copy.anchor_path = NULL;
        assert_int_equal(door_store_open_read_only(&of_copy, &store, &standing, &b->error), DOOR_OK);
        const door_store_port copy_port = door_store_port_of(store);
        assert_int_equal(standing.head, SHORT_RECORDS + 15);
        assert_true(story_is_told(&copy_port, &standing, &b->arena, &why));
        (void)door_store_close(store);
        assert_opens_with(b, SHORT_RECORDS + 20);
}

int main(void)
{
#define RULE(name) cmocka_unit_test_setup(name, each_setup)
        struct CMUnitTest rules[] = {
                RULE(the_templates_open),
                RULE(a_new_database_has_the_log_id_it_was_given_and_an_anchor),
                RULE(a_database_that_is_gone_is_missed),
                RULE(a_database_that_is_gone_is_missed_by_an_unreadable_anchor_too),
                RULE(even_a_log_that_never_held_a_record_is_missed),
                RULE(all_wals_lost_before_the_first_flush_leave_an_empty_database_that_is_missed),
                RULE(files_without_current_are_not_built_over),
                RULE(a_making_that_was_interrupted_is_finished),
                RULE(missing_families_are_no_interrupted_making_when_a_log_is_known),
                RULE(a_family_of_a_newer_program_is_refused),
                RULE(any_changed_bit_of_the_meta_row_is_noticed),
                RULE(a_newer_or_senseless_format_version_is_refused),
                RULE(rows_without_a_meta_row_are_refused),
                RULE(records_without_a_readable_anchor_are_refused),
                RULE(an_empty_log_with_a_damaged_anchor_is_refused),
                RULE(an_empty_log_whose_first_anchor_was_never_written_gets_one),
                RULE(another_logs_anchor_is_refused),
                RULE(a_head_behind_the_anchor_is_refused),
                RULE(an_anchor_that_knows_another_record_is_refused),
                RULE(an_anchor_behind_the_head_is_as_it_should_be),
                RULE(without_an_anchor_asked_for_none_is_needed_or_made),
                RULE(a_missing_first_record_is_noticed),
                RULE(keys_that_are_no_sequence_numbers_are_noticed),
                RULE(a_missing_record_is_noticed_however_old_it_is),
                RULE(rows_written_twice_do_not_look_like_a_gap),
                RULE(a_missing_record_near_the_head_is_noticed),
                RULE(any_changed_bit_of_a_header_row_is_noticed),
                RULE(a_header_row_too_short_to_be_one_is_noticed),
                RULE(a_chained_header_must_be_a_header_and_of_its_own_record),
                RULE(the_chain_is_recomputed_for_exactly_the_records_promised),
                RULE(a_payload_that_is_missing_changed_or_uncalled_for_is_noticed),
                RULE(a_payload_beyond_the_head_is_noticed),
                RULE(a_missing_payload_that_a_start_did_not_look_at_is_noticed_when_read),
                RULE(any_changed_bit_of_a_cursor_is_noticed),
                RULE(a_row_that_is_no_cursor_is_noticed),
                RULE(more_cursors_than_logs_can_be_read_are_noticed),
                RULE(a_cursor_behind_what_the_last_record_has_seen_is_noticed),
                RULE(a_manifest_shorter_than_its_witness_is_noticed),
                RULE(any_changed_bit_of_the_witness_is_noticed),
                RULE(a_database_without_a_witness_opens_and_gets_one),
                RULE(a_start_that_is_refused_changes_no_file),
                RULE(a_commit_writes_itself_and_nothing_before_it),
                RULE(all_families_are_flushed_together),
                RULE(the_info_log_goes_where_it_is_told),
                RULE(a_confused_caller_dies_before_it_writes),
                RULE(a_database_another_process_has_open_is_busy),
                RULE(a_database_this_process_has_open_is_busy),
                RULE(options_that_make_no_sense_are_refused),
                RULE(reading_only_makes_nothing),
                RULE(a_checkpoint_is_the_log_as_it_was_then),
        };
#undef RULE
        char base[PATH_MAX];

        folder_temporary(base);
        int failures = run_conformance(base);
        bench *b = bench_new(base);
        for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
                rules[i].initial_state = b;
        }
        failures += _cmocka_run_group_tests("store_rocksdb: format and start", rules,
                                            sizeof rules / sizeof rules[0], NULL, NULL);
        free(b->storage);
        free(b);
        folder_remove(base);
        return failures;
}
