/*
 * Goal: any one line of a store that is wrong is noticed here, unless only a dead power supply
 * or a damaged file can show it (tests/system/test_powercut.c, test_damage.c).
 * Method: one rule per function, each on a fresh store; what is written is compared with what is
 * read byte for byte, and every bound is tried at, below and above its value.
 */
#include "support/store_conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/store_story.h"

enum {
        MAKE_ARENA_BYTES = 16 * DOOR_MIB,
        READ_ARENA_BYTES = 8 * DOOR_MIB,
        RECORDS_MAX = 300,
};

/* One open store and room to build in (make) and to read into (read). */
typedef struct bench {
        const store_factory *factory;
        door_store_port port;
        door_standing standing;
        story at;
        void *make_storage;
        void *read_storage;
        door_arena make;
        door_arena read;
} bench;

static void bench_open(bench *b, store_opening how)
{
        assert_int_equal(b->factory->open(b->factory->context, how, &b->port, &b->standing), DOOR_OK);
        b->at = story_from(&b->standing);
}

static int bench_setup(void **state)
{
        bench *b = calloc(1, sizeof *b);

        b->factory = *state;
        b->make_storage = aligned_alloc(64, MAKE_ARENA_BYTES);
        b->read_storage = aligned_alloc(64, READ_ARENA_BYTES);
        door_arena_init(&b->make, b->make_storage, MAKE_ARENA_BYTES);
        door_arena_init(&b->read, b->read_storage, READ_ARENA_BYTES);
        bench_open(b, STORE_FRESH);
        *state = b;
        return 0;
}

static int bench_teardown(void **state)
{
        bench *b = *state;

        free(b->make_storage);
        free(b->read_storage);
        free(b);
        return 0;
}

/* ---- Small words for the rules below ------------------------------------------------------ */

static door_status commit(bench *b, const door_commit *commit)
{
        return b->port.commit(b->port.context, commit);
}

/* The story goes on by this many records in one commit. */
static void tell(bench *b, size_t records)
{
        const door_commit next = story_next(&b->at, records, &b->port.state, &b->make);

        assert_int_equal(commit(b, &next), DOOR_OK);
        story_went_on(&b->at, &next);
}

static size_t read_into(bench *b, uint64_t after, size_t records_max, size_t bytes_max, door_form form,
                        door_record *records)
{
        size_t count = SIZE_MAX;

        door_arena_reset(&b->read);
        assert_int_equal(
                b->port.read(b->port.context, after, records_max, bytes_max, form, &b->read, records, &count),
                DOOR_OK);
        return count;
}

static door_bytes text(const char *chars)
{
        return door_bytes_of(chars);
}

static void assert_same_bytes(door_bytes got, door_bytes expected)
{
        assert_int_equal(got.len, expected.len);
        if (expected.len > 0) {
                assert_memory_equal(got.data, expected.data, expected.len);
        }
}

/* A view to put into; its changes become a commit without records. */
static door_view changes(bench *b)
{
        door_view view;

        door_view_init(&view, &b->port.state, &b->make);
        view.writable = true;
        return view;
}

static void put(door_view *view, const char *key, const char *value)
{
        door_view_put(view, text(key), text(value));
}

static void commit_changes(bench *b, const door_view *view)
{
        const door_commit only = { .expected_head = b->at.head, .changes = view->head[0], .sync = true };
        assert_int_equal(commit(b, &only), DOOR_OK);
}

/* NULL: absent. Otherwise the value of a key, borrowed until the arena is reset. */
static bool get(bench *b, const char *key, door_bytes *ret_value)
{
        bool found = false;
        assert_int_equal(b->port.state.get(b->port.state.context, text(key), &b->read, ret_value, &found),
                         DOOR_OK);
        return found;
}

static void assert_state(bench *b, const char *key, const char *value)
{
        door_bytes got = DOOR_BYTES_EMPTY;
        assert_true(get(b, key, &got));
        assert_same_bytes(got, text(value));
}

static void assert_no_state(bench *b, const char *key)
{
        door_bytes got;
        assert_false(get(b, key, &got));
}

static bool next(bench *b, door_bytes from, bool inclusive, door_bytes prefix, door_bytes *ret_key,
                 door_bytes *ret_value)
{
        bool found = !inclusive; /* The wrong answer as often as the right one. */
        assert_int_equal(b->port.state.next(b->port.state.context, from, inclusive, prefix, &b->read, ret_key,
                                            ret_value, &found),
                         DOOR_OK);
        return found;
}

static void assert_next(bench *b, const char *from, bool inclusive, const char *prefix, const char *key,
                        const char *value)
{
        door_bytes got_key = DOOR_BYTES_EMPTY;
        door_bytes got_value = DOOR_BYTES_EMPTY;

        assert_true(next(b, text(from), inclusive, text(prefix), &got_key, &got_value));
        assert_same_bytes(got_key, text(key));
        assert_same_bytes(got_value, text(value));
}

static void assert_no_next(bench *b, const char *from, bool inclusive, const char *prefix)
{
        door_bytes key;
        door_bytes value;
        assert_false(next(b, text(from), inclusive, text(prefix), &key, &value));
}

static void assert_told(bench *b)
{
        const char *why = "nothing";

        door_arena_reset(&b->read);
        if (!story_is_told(&b->port, &b->standing, &b->read, &why)) {
                fail_msg("%s", why);
        }
}

/* Opened again, it is the story up to here and says so. */
static void assert_all_there_after(bench *b, store_opening how)
{
        const story before = b->at;
        uint8_t log_id[16];

        memcpy(log_id, b->standing.log_id, sizeof log_id);
        bench_open(b, how);
        assert_memory_equal(b->standing.log_id, log_id, sizeof log_id);
        assert_int_equal(b->standing.head, before.head);
        assert_memory_equal(&b->standing.head_hash, &before.head_hash, sizeof before.head_hash);
        assert_told(b);
}

/* ---- A new log ---------------------------------------------------------------------------- */

static void a_fresh_store_is_an_empty_log(void **state)
{
        bench *b = *state;
        door_record record;
        const door_hash start = door_hash_log_start(b->standing.log_id);
        door_hash hash;

        assert_int_equal(b->standing.head, 0);
        assert_int_equal(b->standing.cursors_count, 0);
        assert_int_equal(b->standing.last_at_ms, 0);
        assert_memory_equal(&b->standing.head_hash, &start, sizeof start);
        assert_int_equal(read_into(b, 0, 1, SIZE_MAX, DOOR_FORM_WHOLE, &record), 0);
        assert_no_next(b, "", true, "");
        assert_int_equal(b->port.hash_at(b->port.context, 0, &hash), DOOR_OK);
        assert_memory_equal(&hash, &start, sizeof start);
        assert_int_equal(b->port.hash_at(b->port.context, 1, &hash), DOOR_NOT_FOUND);
}

static void an_empty_log_is_the_same_log_when_opened_again(void **state)
{
        bench *b = *state;

        assert_all_there_after(b, STORE_AFTER_CLOSE);
        assert_all_there_after(b, STORE_AFTER_CRASH);
}

/* ---- Commit and read ---------------------------------------------------------------------- */

static void what_is_committed_is_read_back_whole(void **state)
{
        bench *b = *state;
        door_record records[RECORDS_MAX];
        const door_commit made = story_next(&b->at, 20, &b->port.state, &b->make);

        assert_int_equal(commit(b, &made), DOOR_OK);
        assert_int_equal(read_into(b, 0, RECORDS_MAX, SIZE_MAX, DOOR_FORM_WHOLE, records), 20);
        for (size_t i = 0; i < 20; i++) {
                assert_int_equal(records[i].seq, i + 1);
                assert_memory_equal(&records[i].hash, &made.records[i].hash, sizeof records[i].hash);
                assert_same_bytes(records[i].header, made.records[i].header);
                assert_same_bytes(records[i].public_payload, made.records[i].public_payload);
                assert_same_bytes(records[i].private_payload, made.records[i].private_payload);
        }
}

static void each_form_gives_what_it_names_and_no_more(void **state)
{
        bench *b = *state;
        door_record records[1];

        tell(b, 1);
        assert_int_equal(read_into(b, 0, 1, SIZE_MAX, DOOR_FORM_HEADERS, records), 1);
        assert_true(records[0].header.len > 0);
        assert_int_equal(records[0].public_payload.len, 0);
        assert_int_equal(records[0].private_payload.len, 0);

        assert_int_equal(read_into(b, 0, 1, SIZE_MAX, DOOR_FORM_PUBLIC, records), 1);
        assert_true(records[0].header.len > 0);
        assert_true(records[0].public_payload.len > 0);
        assert_int_equal(records[0].private_payload.len, 0);

        assert_int_equal(read_into(b, 0, 1, SIZE_MAX, DOOR_FORM_WHOLE, records), 1);
        assert_true(records[0].public_payload.len > 0);
        assert_true(records[0].private_payload.len > 0);
}

static void a_record_without_payloads_reads_as_one_without(void **state)
{
        bench *b = *state;
        door_record records[1];

        tell(b, 15); /* The fifteenth of the story has neither. */
        assert_int_equal(read_into(b, 14, 1, SIZE_MAX, DOOR_FORM_WHOLE, records), 1);
        assert_int_equal(records[0].seq, 15);
        assert_true(records[0].header.len > 0);
        assert_int_equal(records[0].public_payload.len, 0);
        assert_int_equal(records[0].private_payload.len, 0);
}

static void reading_starts_right_after_the_record_named(void **state)
{
        bench *b = *state;
        door_record records[RECORDS_MAX];

        tell(b, 7);
        for (uint64_t after = 0; after < 7; after++) {
                assert_int_equal(read_into(b, after, RECORDS_MAX, SIZE_MAX, DOOR_FORM_PUBLIC, records),
                                 7 - after);
                assert_int_equal(records[0].seq, after + 1);
                assert_int_equal(records[6 - after].seq, 7);
        }
}

static void reading_past_the_head_gives_nothing(void **state)
{
        bench *b = *state;
        const uint64_t past[] = { 3, 4, 1000, UINT64_MAX - 1, UINT64_MAX };
        door_record records[4];

        tell(b, 3);
        for (size_t i = 0; i < sizeof past / sizeof past[0]; i++) {
                assert_int_equal(read_into(b, past[i], 4, SIZE_MAX, DOOR_FORM_WHOLE, records), 0);
        }
}

static void no_more_records_are_given_than_asked_for(void **state)
{
        bench *b = *state;
        door_record records[RECORDS_MAX];

        tell(b, 10);
        for (size_t max = 0; max <= 12; max++) {
                assert_int_equal(read_into(b, 0, max, SIZE_MAX, DOOR_FORM_WHOLE, records),
                                 max < 10 ? max : 10);
        }
}

/* Bytes of a record in a form, as the bound counts them. */
static size_t record_bytes(const door_record *record)
{
        return record->header.len + record->public_payload.len + record->private_payload.len;
}

static void the_byte_bound_counts_what_the_form_gives(void **state)
{
        bench *b = *state;
        const door_form forms[] = { DOOR_FORM_HEADERS, DOOR_FORM_PUBLIC, DOOR_FORM_WHOLE };
        door_record records[RECORDS_MAX];

        tell(b, 8);
        for (size_t f = 0; f < 3; f++) {
                size_t sums[8];
                size_t sum = 0;
                assert_int_equal(read_into(b, 0, RECORDS_MAX, SIZE_MAX, forms[f], records), 8);
                for (size_t i = 0; i < 8; i++) {
                        sum += record_bytes(&records[i]);
                        sums[i] = sum;
                }
                /* At the bound a record still goes in; one byte less and it does not. */
                for (size_t n = 2; n <= 8; n++) {
                        assert_int_equal(read_into(b, 0, RECORDS_MAX, sums[n - 1], forms[f], records), n);
                        assert_int_equal(read_into(b, 0, RECORDS_MAX, sums[n - 1] - 1, forms[f], records),
                                         n - 1);
                }
        }
}

static void one_record_is_given_however_small_the_bound(void **state)
{
        bench *b = *state;
        door_record records[4];

        tell(b, 3);
        for (uint64_t after = 0; after < 3; after++) {
                assert_int_equal(read_into(b, after, 4, 0, DOOR_FORM_WHOLE, records), 1);
                assert_int_equal(records[0].seq, after + 1);
                assert_int_equal(read_into(b, after, 4, 1, DOOR_FORM_WHOLE, records), 1);
        }
}

static void every_hash_up_to_the_head_can_be_asked_for(void **state)
{
        bench *b = *state;
        const door_commit made = story_next(&b->at, 5, &b->port.state, &b->make);
        door_hash hash;

        assert_int_equal(commit(b, &made), DOOR_OK);
        for (uint64_t seq = 1; seq <= 5; seq++) {
                assert_int_equal(b->port.hash_at(b->port.context, seq, &hash), DOOR_OK);
                assert_memory_equal(&hash, &made.records[seq - 1].hash, sizeof hash);
        }
        assert_int_equal(b->port.hash_at(b->port.context, 6, &hash), DOOR_NOT_FOUND);
        assert_int_equal(b->port.hash_at(b->port.context, UINT64_MAX, &hash), DOOR_NOT_FOUND);
}

static void a_full_batch_is_one_commit(void **state)
{
        bench *b = *state;

        tell(b, DOOR_BATCH_INPUTS_MAX);
        tell(b, DOOR_BATCH_INPUTS_MAX);
        assert_all_there_after(b, STORE_AFTER_CRASH);
}

static void the_largest_record_goes_in_and_comes_out(void **state)
{
        bench *b = *state;
        const size_t len = DOOR_RECORD_BYTES_MAX / 2 - DOOR_KIB;
        uint8_t *large = door_arena_take(&b->make, 2 * len);
        door_header header = { .seq = 1, .type = STORY_EVENT_TYPE, .version = 1, .hops = 1 };
        door_record got;

        memset(large, 0xC3, len);
        memset(large + len, 0x3C, len);
        const door_record record = story_record_of(&b->make, &header, (door_bytes){ large, len },
                                                   (door_bytes){ large + len, len }, &b->at.head_hash);
        const door_commit large_one = { .records = &record, .records_count = 1, .sync = true };
        assert_int_equal(commit(b, &large_one), DOOR_OK);
        bench_open(b, STORE_AFTER_CRASH);
        assert_int_equal(b->standing.head, 1);
        assert_int_equal(read_into(b, 0, 1, 0, DOOR_FORM_WHOLE, &got), 1);
        assert_same_bytes(got.header, record.header);
        assert_same_bytes(got.public_payload, record.public_payload);
        assert_same_bytes(got.private_payload, record.private_payload);
}

static void what_was_read_stays_as_it_was_while_the_log_grows(void **state)
{
        bench *b = *state;
        door_record first;
        door_view view = changes(b);
        door_bytes value = DOOR_BYTES_EMPTY;

        put(&view, "Acopied", "the former value");
        commit_changes(b, &view);
        tell(b, 1);
        const door_commit again = { .expected_head = 1 };
        assert_int_equal(read_into(b, 0, 1, SIZE_MAX, DOOR_FORM_WHOLE, &first), 1);
        assert_true(get(b, "Acopied", &value));
        const door_hash digest = door_hash_of_one(first.public_payload);

        view = changes(b);
        put(&view, "Acopied", "another value!!!");
        commit_changes(b, &view);
        for (size_t i = 0; i < 50; i++) {
                tell(b, 20);
        }
        assert_int_equal(commit(b, &again), DOOR_CONFLICT);
        const door_hash later = door_hash_of_one(first.public_payload);
        assert_memory_equal(&digest, &later, sizeof digest);
        assert_same_bytes(value, text("the former value"));
}

/* ---- Conflict ----------------------------------------------------------------------------- */

static void another_head_than_expected_is_a_conflict_and_writes_nothing(void **state)
{
        bench *b = *state;
        const int64_t off_by[] = { -2, -1, 1, 2 };
        door_record records[2];

        tell(b, 5);
        for (size_t i = 0; i < 4; i++) {
                story elsewhere = b->at;
                elsewhere.head = (uint64_t)((int64_t)elsewhere.head + off_by[i]);
                const door_commit wrong = story_next(&elsewhere, 1, &b->port.state, &b->make);
                assert_int_equal(commit(b, &wrong), DOOR_CONFLICT);
                assert_int_equal(read_into(b, 5, 2, SIZE_MAX, DOOR_FORM_WHOLE, records), 0);
        }
        assert_all_there_after(b, STORE_AFTER_CLOSE);
}

static void a_commit_without_records_can_conflict_too(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        tell(b, 2);
        put(&view, "Akey", "value");
        const door_commit wrong = { .expected_head = 1, .changes = view.head[0], .sync = true };
        assert_int_equal(commit(b, &wrong), DOOR_CONFLICT);
        assert_no_state(b, "Akey");
}

static void after_a_conflict_the_right_commit_is_taken(void **state)
{
        bench *b = *state;
        const door_commit wrong = { .expected_head = 9 };

        tell(b, 2);
        assert_int_equal(commit(b, &wrong), DOOR_CONFLICT);
        tell(b, 2);
        assert_all_there_after(b, STORE_AFTER_CRASH);
}

/* ---- Commits without records; cursors ----------------------------------------------------- */

static void a_commit_of_nothing_is_taken(void **state)
{
        bench *b = *state;
        door_commit nothing = { .expected_head = 0 };

        assert_int_equal(commit(b, &nothing), DOOR_OK);
        nothing.sync = true;
        assert_int_equal(commit(b, &nothing), DOOR_OK);
        tell(b, 1);
        assert_all_there_after(b, STORE_AFTER_CLOSE);
}

static void a_commit_without_records_leaves_the_head_and_moves_the_rest(void **state)
{
        bench *b = *state;
        door_view view = changes(b);
        const door_cursor cursor = { .log = 2, .seq = 77 };

        tell(b, 3);
        put(&view, "Aonly", "state");
        const door_commit only = { .expected_head = 3,
                                   .changes = view.head[0],
                                   .cursors = &cursor,
                                   .cursors_count = 1,
                                   .sync = false };
        assert_int_equal(commit(b, &only), DOOR_OK);
        assert_state(b, "Aonly", "state");
        bench_open(b, STORE_AFTER_CLOSE);
        assert_int_equal(b->standing.head, 3);
        assert_state(b, "Aonly", "state");
        assert_int_equal(b->standing.cursors_count, 2);
        assert_told(b);
}

static const door_cursor *cursor_in(const bench *b, uint32_t log)
{
        for (size_t i = 0; i < b->standing.cursors_count; i++) {
                if (b->standing.cursors[i].log == log) {
                        return &b->standing.cursors[i];
                }
        }
        return NULL;
}

static void cursors_come_back_as_they_were_last_set(void **state)
{
        bench *b = *state;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];

        memset(cursors, 0, sizeof cursors);
        for (uint32_t i = 0; i < DOOR_UPSTREAMS_MAX; i++) {
                cursors[i].log = i == 0 ? UINT32_MAX : i;
                memset(cursors[i].log_id, (int)(i == 1 ? 0 : 0x40 + i), sizeof cursors[i].log_id);
                cursors[i].seq = UINT64_MAX - i;
                memset(cursors[i].hash.bytes, (int)(0x80 + i), DOOR_HASH_BYTES);
        }
        const door_commit all = { .cursors = cursors, .cursors_count = DOOR_UPSTREAMS_MAX, .sync = true };
        assert_int_equal(commit(b, &all), DOOR_OK);
        cursors[3].seq = 12345;
        cursors[3].hash.bytes[31] = 1;
        cursors[3].log_id[15] = 2;
        const door_commit one = { .cursors = &cursors[3], .cursors_count = 1, .sync = true };
        assert_int_equal(commit(b, &one), DOOR_OK);

        for (int how = STORE_AFTER_CLOSE; how <= STORE_AFTER_CRASH; how++) {
                bench_open(b, (store_opening)how);
                assert_int_equal(b->standing.cursors_count, DOOR_UPSTREAMS_MAX);
                for (uint32_t i = 0; i < DOOR_UPSTREAMS_MAX; i++) {
                        const door_cursor *got = cursor_in(b, cursors[i].log);
                        assert_non_null(got);
                        assert_memory_equal(got->log_id, cursors[i].log_id, sizeof got->log_id);
                        assert_int_equal(got->seq, cursors[i].seq);
                        assert_memory_equal(&got->hash, &cursors[i].hash, sizeof got->hash);
                }
        }
}

static void an_unsynced_commit_is_there_whole_or_not_at_all_after_a_crash(void **state)
{
        bench *b = *state;

        tell(b, 4);
        for (uint64_t i = 1; i <= 20; i++) {
                door_view view = changes(b);
                uint8_t count[8];
                const door_cursor cursor = { .log = 5, .seq = i };
                door_put_u64(count, i);
                door_view_put(&view, text("Acount"), (door_bytes){ count, sizeof count });
                const door_commit empty = {
                        .expected_head = 4, .changes = view.head[0], .cursors = &cursor, .cursors_count = 1
                };
                assert_int_equal(commit(b, &empty), DOOR_OK);
        }
        bench_open(b, STORE_AFTER_CRASH);
        assert_int_equal(b->standing.head, 4);
        const door_cursor *cursor = cursor_in(b, 5);
        door_bytes count = DOOR_BYTES_EMPTY;
        const bool found = get(b, "Acount", &count);
        assert_int_equal(found, cursor != NULL);
        if (found) {
                assert_int_equal(door_get_u64(count.data), cursor->seq);
        }
        assert_told(b);
}

/* ---- Durability as far as a process's death can show it ----------------------------------- */

static void everything_is_there_after_a_close(void **state)
{
        bench *b = *state;

        for (size_t i = 1; i <= 12; i++) {
                tell(b, i);
                if (i % 4 == 0) {
                        assert_all_there_after(b, STORE_AFTER_CLOSE);
                }
        }
}

static void everything_synced_is_there_after_a_crash(void **state)
{
        bench *b = *state;

        for (size_t i = 1; i <= 12; i++) {
                tell(b, i);
                if (i % 3 == 0) {
                        assert_all_there_after(b, STORE_AFTER_CRASH);
                }
        }
        assert_all_there_after(b, STORE_AFTER_CLOSE);
}

static void the_time_of_the_last_record_is_known_when_opened(void **state)
{
        bench *b = *state;
        door_record record;
        door_header header;

        tell(b, 3);
        bench_open(b, STORE_AFTER_CLOSE);
        assert_int_equal(read_into(b, 2, 1, SIZE_MAX, DOOR_FORM_HEADERS, &record), 1);
        assert_int_equal(door_header_decode(record.header, &b->read, &header), DOOR_OK);
        assert_int_not_equal(header.at_ms, 0);
        assert_int_equal(b->standing.last_at_ms, header.at_ms);
}

/* ---- State: single rows ------------------------------------------------------------------- */

static void a_row_is_absent_until_put_and_after_it_is_deleted(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        assert_no_state(b, "Ax");
        put(&view, "Ax", "1");
        put(&view, "Ay", "2");
        commit_changes(b, &view);
        assert_state(b, "Ax", "1");
        assert_state(b, "Ay", "2");

        view = changes(b);
        put(&view, "Ax", "a longer one");
        door_view_delete(&view, text("Ay"));
        door_view_delete(&view, text("Anever there"));
        commit_changes(b, &view);
        assert_state(b, "Ax", "a longer one");
        assert_no_state(b, "Ay");

        view = changes(b);
        put(&view, "Ay", "again");
        commit_changes(b, &view);
        assert_state(b, "Ay", "again");
        assert_no_state(b, "A");
        assert_no_state(b, "Axx");
}

static void an_empty_value_is_a_value(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "Aempty", "");
        commit_changes(b, &view);
        assert_state(b, "Aempty", "");
        assert_next(b, "A", true, "A", "Aempty", "");
        bench_open(b, STORE_AFTER_CRASH);
        assert_state(b, "Aempty", "");
}

static void a_large_value_comes_back_whole(void **state)
{
        bench *b = *state;
        door_view view = changes(b);
        uint8_t *large = door_arena_take(&b->make, DOOR_MIB);
        door_bytes got = DOOR_BYTES_EMPTY;

        for (size_t i = 0; i < DOOR_MIB; i++) {
                large[i] = (uint8_t)(i * 7 + i / 251);
        }
        door_view_put(&view, text("Alarge"), (door_bytes){ large, DOOR_MIB });
        commit_changes(b, &view);
        bench_open(b, STORE_AFTER_CRASH);
        assert_true(get(b, "Alarge", &got));
        assert_same_bytes(got, (door_bytes){ large, DOOR_MIB });
}

/* ---- State: walking ----------------------------------------------------------------------- */

static void rows_are_walked_in_byte_order_within_a_prefix(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "B", "b");
        put(&view, "Ba", "ba");
        put(&view, "Baa", "baa");
        put(&view, "Bb", "bb");
        put(&view, "B\xff", "b ff");
        put(&view, "B\xff\xff", "b ff ff");
        put(&view, "Az", "before");
        put(&view, "C", "after");
        commit_changes(b, &view);

        assert_next(b, "B", true, "B", "B", "b");
        assert_next(b, "B", false, "B", "Ba", "ba");
        assert_next(b, "Ba", false, "B", "Baa", "baa");
        assert_next(b, "Baa", false, "B", "Bb", "bb");
        assert_next(b, "Bb", false, "B", "B\xff", "b ff");
        assert_next(b, "B\xff", false, "B", "B\xff\xff", "b ff ff");
        assert_no_next(b, "B\xff\xff", false, "B");
        /* A longer prefix ends earlier. */
        assert_next(b, "Ba", true, "Ba", "Ba", "ba");
        assert_next(b, "Ba", false, "Ba", "Baa", "baa");
        assert_no_next(b, "Baa", false, "Ba");
        assert_no_next(b, "Bc", true, "Bc");
        assert_no_next(b, "D", true, "D");
}

static void a_walk_may_begin_between_rows(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "Aa", "1");
        put(&view, "Ac", "2");
        commit_changes(b, &view);
        assert_next(b, "Ab", true, "A", "Ac", "2");
        assert_next(b, "Ab", false, "A", "Ac", "2");
        assert_next(b, "Ac", true, "A", "Ac", "2");
        assert_no_next(b, "Ac", false, "A");
        assert_next(b, "Aa", true, "A", "Aa", "1");
        assert_next(b, "Aa", true, "A", "Aa", "1");
}

static void a_walk_from_before_the_prefix_begins_at_the_prefix(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "Aa", "1");
        put(&view, "B", "2");
        put(&view, "Ba", "3");
        commit_changes(b, &view);
        assert_next(b, "", true, "B", "B", "2");
        assert_next(b, "Aa", false, "B", "B", "2");
        assert_no_next(b, "Bb", true, "B");
        assert_no_next(b, "C", true, "B");
}

static void the_empty_prefix_walks_over_everything(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "\x01", "1");
        put(&view, "A", "2");
        put(&view, "\xff", "3");
        commit_changes(b, &view);
        assert_next(b, "", true, "", "\x01", "1");
        assert_next(b, "\x01", false, "", "A", "2");
        assert_next(b, "A", false, "", "\xff", "3");
        assert_no_next(b, "\xff", false, "");
}

static void key_of(uint8_t table, uint32_t n, uint8_t out[5])
{
        out[0] = table;
        door_put_u32(out + 1, n);
}

/* Walks one table from n-th row to the next and checks it; rows are n * 3. */
static void step_and_check(bench *b, uint8_t table, uint32_t n, uint32_t rows)
{
        uint8_t from[5];
        uint8_t expected[5];
        door_bytes key = DOOR_BYTES_EMPTY;
        door_bytes value = DOOR_BYTES_EMPTY;

        door_arena_reset(&b->read);
        key_of(table, n * 3, from);
        key_of(table, (n + 1) * 3, expected);
        const bool found = next(b, (door_bytes){ from, 5 }, false, (door_bytes){ &table, 1 }, &key, &value);
        assert_int_equal(found, n + 1 < rows);
        if (found) {
                assert_same_bytes(key, (door_bytes){ expected, 5 });
                assert_same_bytes(value, (door_bytes){ expected, 5 });
        }
}

static void walks_over_many_tables_do_not_disturb_each_other(void **state)
{
        bench *b = *state;
        enum { TABLES = 40, ROWS = 12 };
        door_view view = changes(b);

        for (uint32_t table = 0; table < TABLES; table++) {
                for (uint32_t n = 0; n < ROWS; n++) {
                        uint8_t key[5];
                        key_of((uint8_t)(table * 6), n * 3, key);
                        door_view_put(&view, (door_bytes){ key, 5 }, (door_bytes){ key, 5 });
                }
        }
        commit_changes(b, &view);
        for (uint32_t n = 0; n < ROWS; n++) {
                for (uint32_t table = 0; table < TABLES; table++) {
                        step_and_check(b, (uint8_t)(table * 6), n, ROWS);
                }
        }
        /* Lookups, steps back and walks begun again leave no trace either. */
        for (uint32_t n = 0; n < ROWS; n++) {
                step_and_check(b, 6, n, ROWS);
                assert_no_state(b, "\x06nothing");
                step_and_check(b, 12, ROWS - 1 - n, ROWS);
                step_and_check(b, 6, 0, ROWS);
                step_and_check(b, 6, n, ROWS);
        }
}

static void a_walk_sees_what_was_committed_meanwhile(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        put(&view, "Aa", "1");
        put(&view, "Ac", "3");
        put(&view, "Ae", "5");
        commit_changes(b, &view);
        assert_next(b, "A", true, "A", "Aa", "1");

        view = changes(b); /* Before where the walk stands, at it and after it. */
        put(&view, "A", "0");
        put(&view, "Aa", "one");
        put(&view, "Ab", "2");
        door_view_delete(&view, text("Ac"));
        commit_changes(b, &view);
        assert_next(b, "Aa", true, "A", "Aa", "one");
        assert_next(b, "Aa", false, "A", "Ab", "2");
        assert_next(b, "Ab", false, "A", "Ae", "5");
        assert_next(b, "A", true, "A", "A", "0");
        assert_no_next(b, "Ae", false, "A");

        view = changes(b); /* And beyond the end it had reached. */
        put(&view, "Af", "6");
        commit_changes(b, &view);
        assert_next(b, "Ae", false, "A", "Af", "6");

        const story at = b->at; /* Records' state counts as well. */
        tell(b, 1);
        assert_int_equal(at.head + 1, b->at.head);
        door_bytes key = DOOR_BYTES_EMPTY;
        door_bytes value = DOOR_BYTES_EMPTY;
        assert_true(next(b, DOOR_BYTES_EMPTY, true, DOOR_BYTES_EMPTY, &key, &value));
        assert_int_equal(key.data[0], STORY_TABLE_ROWS);
        tell(b, 1);
        const uint8_t second[] = { STORY_TABLE_ROWS, 0, 0, 0, 0, 0, 0, 0, 2 };
        assert_true(next(b, key, false, DOOR_BYTES_EMPTY, &key, &value));
        assert_same_bytes(key, (door_bytes){ second, sizeof second });
}

static void deleted_rows_are_passed_over(void **state)
{
        bench *b = *state;
        door_view view = changes(b);

        for (uint32_t n = 0; n < 200; n++) {
                uint8_t key[5];
                key_of('Q', n, key);
                door_view_put(&view, (door_bytes){ key, 5 }, (door_bytes){ key, 5 });
        }
        commit_changes(b, &view);
        view = changes(b);
        for (uint32_t n = 0; n < 199; n++) {
                uint8_t key[5];
                key_of('Q', n, key);
                door_view_delete(&view, (door_bytes){ key, 5 });
        }
        commit_changes(b, &view);

        uint8_t last[5];
        door_bytes key = DOOR_BYTES_EMPTY;
        door_bytes value = DOOR_BYTES_EMPTY;
        key_of('Q', 199, last);
        assert_true(next(b, text("Q"), true, text("Q"), &key, &value));
        assert_same_bytes(key, (door_bytes){ last, 5 });
}

/*
 * Rows whose keys are alike for as long as a store's filters may look, and a little less and more; some of
 * them in what was closed and opened again, so that no one place holds all. Every walk there is, and after
 * each walk to the end of one beginning the first step of the next.
 */
enum { ALIKE = 7, TAIL_MAX = 5, ALIKE_ROWS = (2 << TAIL_MAX) - 1 + 1 };

/* 0: the table byte alone; then the tails of a and b, "" first: n written in binary after its leading one. */
static door_bytes alike_key(uint32_t n, uint8_t out[1 + ALIKE + TAIL_MAX])
{
        size_t len = 1;

        out[0] = 'W';
        if (n > 0) {
                uint32_t bit = 1;
                while (bit <= n / 2) {
                        bit *= 2;
                }
                for (; len < 1 + ALIKE; len++) {
                        out[len] = 'a';
                }
                for (bit /= 2; bit > 0; bit /= 2) {
                        out[len++] = (n & bit) != 0 ? 'b' : 'a';
                }
        }
        return (door_bytes){ out, len };
}

/* The number of the least row in that range; ALIKE_ROWS: there is none. */
static uint32_t alike_least(door_bytes from, bool inclusive, door_bytes prefix)
{
        uint8_t storage[2][1 + ALIKE + TAIL_MAX];
        uint32_t least = ALIKE_ROWS;

        for (uint32_t n = 0; n < ALIKE_ROWS; n++) {
                const door_bytes key = alike_key(n, storage[0]);
                const int at = door_bytes_compare(key, from);
                if (door_bytes_starts_with(key, prefix) && (inclusive ? at >= 0 : at > 0) &&
                    (least == ALIKE_ROWS || door_bytes_compare(key, alike_key(least, storage[1])) < 0)) {
                        least = n;
                }
        }
        return least;
}

/* The shorter ones are put last, and all that begin with "aa"; the others have been put before. */
static bool alike_in_first(uint32_t n)
{
        bool longer = false;

        for (; n > 7; n /= 2) {
                longer = true;
        }
        return longer && n != 4; /* "aa" */
}

static void alike_put(bench *b, bool first)
{
        uint8_t storage[1 + ALIKE + TAIL_MAX];
        door_view view = changes(b);

        for (uint32_t n = 0; n < ALIKE_ROWS; n++) {
                const door_bytes key = alike_key(n, storage);
                if (alike_in_first(n) == first) {
                        door_view_put(&view, key, key);
                }
        }
        commit_changes(b, &view);
}

static void every_prefix_of_every_key_can_be_walked_from_everywhere(void **state)
{
        bench *b = *state;
        uint8_t storage[3][1 + ALIKE + TAIL_MAX];

        alike_put(b, true);
        bench_open(b, STORE_AFTER_CLOSE);
        alike_put(b, false);
        for (uint32_t p = 0; p < ALIKE_ROWS; p++) {
                const door_bytes prefix = alike_key(p, storage[0]);
                for (uint32_t f = 0; f < 2 * ALIKE_ROWS; f++) {
                        const door_bytes from = alike_key(f / 2, storage[1]);
                        const bool inclusive = f % 2 == 0;
                        door_bytes key = DOOR_BYTES_EMPTY;
                        door_bytes value = DOOR_BYTES_EMPTY;
                        if (!door_bytes_starts_with(from, prefix)) {
                                continue;
                        }
                        const uint32_t least = alike_least(from, inclusive, prefix);
                        door_arena_reset(&b->read);
                        assert_int_equal(next(b, from, inclusive, prefix, &key, &value), least < ALIKE_ROWS);
                        if (least < ALIKE_ROWS) {
                                assert_same_bytes(key, alike_key(least, storage[2]));
                                assert_same_bytes(value, key);
                        }
                }
        }
}

/* ---- A full arena ------------------------------------------------------------------------- */

static void a_value_that_does_not_fit_is_no_memory_and_nothing_is_given(void **state)
{
        bench *b = *state;
        door_view view = changes(b);
        _Alignas(16) uint8_t storage[64];
        door_arena small;
        char large[201];
        door_bytes key = text("untouched");
        door_bytes value = text("untouched");
        bool found = false;

        memset(large, 'x', 200);
        large[200] = '\0';
        put(&view, "Aa", large);
        put(&view, "Ab", "small");
        commit_changes(b, &view);

        door_arena_init(&small, storage, sizeof storage);
        assert_int_equal(b->port.state.get(b->port.state.context, text("Aa"), &small, &value, &found),
                         DOOR_NO_MEMORY);
        assert_true(small.exhausted);
        door_arena_reset(&small);
        assert_int_equal(b->port.state.next(b->port.state.context, text("A"), true, text("A"), &small, &key,
                                            &value, &found),
                         DOOR_NO_MEMORY);
        assert_false(found);
        assert_same_bytes(key, text("untouched"));
        assert_same_bytes(value, text("untouched"));

        door_arena_reset(&small);
        assert_int_equal(b->port.state.next(b->port.state.context, text("Aa"), false, text("A"), &small, &key,
                                            &value, &found),
                         DOOR_OK);
        assert_true(found);
        assert_same_bytes(value, text("small"));
}

static void a_read_that_does_not_fit_is_no_memory_at_every_size(void **state)
{
        bench *b = *state;
        door_record records[3];
        bool fitted = false;

        tell(b, 2);
        for (size_t cap = 0; !fitted; cap += 16) {
                door_arena small;
                size_t count = 999;
                assert_true(cap <= READ_ARENA_BYTES);
                door_arena_init(&small, b->read_storage, cap);
                const door_status status = b->port.read(b->port.context, 0, 3, SIZE_MAX, DOOR_FORM_WHOLE,
                                                        &small, records, &count);
                fitted = status == DOOR_OK;
                assert_true(fitted || status == DOOR_NO_MEMORY);
                assert_int_equal(count, fitted ? 2 : 999);
        }
        assert_all_there_after(b, STORE_AFTER_CLOSE);
}

int store_conformance_run(const char *group, const store_factory *factory)
{
#define RULE(name)                                                                                           \
        {                                                                                                    \
#name, name, bench_setup, bench_teardown, (void *)(uintptr_t)factory                         \
        }
        const struct CMUnitTest rules[] = {
                RULE(a_fresh_store_is_an_empty_log),
                RULE(an_empty_log_is_the_same_log_when_opened_again),
                RULE(what_is_committed_is_read_back_whole),
                RULE(each_form_gives_what_it_names_and_no_more),
                RULE(a_record_without_payloads_reads_as_one_without),
                RULE(reading_starts_right_after_the_record_named),
                RULE(reading_past_the_head_gives_nothing),
                RULE(no_more_records_are_given_than_asked_for),
                RULE(the_byte_bound_counts_what_the_form_gives),
                RULE(one_record_is_given_however_small_the_bound),
                RULE(every_hash_up_to_the_head_can_be_asked_for),
                RULE(a_full_batch_is_one_commit),
                RULE(the_largest_record_goes_in_and_comes_out),
                RULE(what_was_read_stays_as_it_was_while_the_log_grows),
                RULE(another_head_than_expected_is_a_conflict_and_writes_nothing),
                RULE(a_commit_without_records_can_conflict_too),
                RULE(after_a_conflict_the_right_commit_is_taken),
                RULE(a_commit_of_nothing_is_taken),
                RULE(a_commit_without_records_leaves_the_head_and_moves_the_rest),
                RULE(cursors_come_back_as_they_were_last_set),
                RULE(an_unsynced_commit_is_there_whole_or_not_at_all_after_a_crash),
                RULE(everything_is_there_after_a_close),
                RULE(everything_synced_is_there_after_a_crash),
                RULE(the_time_of_the_last_record_is_known_when_opened),
                RULE(a_row_is_absent_until_put_and_after_it_is_deleted),
                RULE(an_empty_value_is_a_value),
                RULE(a_large_value_comes_back_whole),
                RULE(rows_are_walked_in_byte_order_within_a_prefix),
                RULE(a_walk_may_begin_between_rows),
                RULE(a_walk_from_before_the_prefix_begins_at_the_prefix),
                RULE(the_empty_prefix_walks_over_everything),
                RULE(walks_over_many_tables_do_not_disturb_each_other),
                RULE(a_walk_sees_what_was_committed_meanwhile),
                RULE(deleted_rows_are_passed_over),
                RULE(every_prefix_of_every_key_can_be_walked_from_everywhere),
                RULE(a_value_that_does_not_fit_is_no_memory_and_nothing_is_given),
                RULE(a_read_that_does_not_fit_is_no_memory_at_every_size),
        };
#undef RULE
        return _cmocka_run_group_tests(group, rules, sizeof rules / sizeof rules[0], NULL, NULL);
}
