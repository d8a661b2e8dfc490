/*
 * Every seventh record deletes the row of the tenth before it, so that a lost delete shows as
 * clearly as a lost put; every third has no private payload, every fifth no public one, so that
 * "absent" is tested beside "there".
 */
#include "support/store_story.h"

#include <string.h>

enum {
        ROW_KEY_BYTES = 9,
        DELETES_EVERY = 7,
        DELETES_BACK = 10,
        PAYLOAD_BYTES_MAX = 700,
        SEEN_PER_RECORD = 2,
        FIRST_AT_MS_LOW = 1000000,
};

static const uint8_t story_upstream_id[16] = { 0xA5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

story story_from(const door_standing *standing)
{
        return (story){ .head = standing->head, .head_hash = standing->head_hash };
}

/* Bytes that look like nothing else: which says whose. */
static void fill(uint8_t *out, size_t len, uint64_t seq, char which)
{
        uint64_t x = seq * 0x9E3779B97F4A7C15U + (uint64_t)(uint8_t)which;

        for (size_t i = 0; i < len; i++) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                out[i] = (uint8_t)x;
        }
}

door_record story_record_of(door_arena *arena, door_header *header, door_bytes public_payload,
                            door_bytes private_payload, const door_hash *before)
{
        door_record record = { .seq = header->seq };
        uint8_t salt[DOOR_SALT_BYTES];

        fill(salt, sizeof salt, header->seq, 's');
        if (public_payload.len > 0) {
                header->has_public = true;
                DOOR_REQUIRE(door_payload_salt(public_payload, salt, arena, &record.public_payload,
                                               &header->public_digest) == DOOR_OK);
        }
        salt[0] ^= 1;
        if (private_payload.len > 0) {
                header->has_private = true;
                DOOR_REQUIRE(door_payload_salt(private_payload, salt, arena, &record.private_payload,
                                               &header->private_digest) == DOOR_OK);
        }
        DOOR_REQUIRE(door_header_encode(header, arena, &record.header) == DOOR_OK);
        record.hash = door_hash_chain(before, record.header);
        return record;
}

door_record story_record(door_arena *arena, uint64_t seq, const door_hash *before)
{
        uint8_t public_bytes[PAYLOAD_BYTES_MAX];
        uint8_t private_bytes[PAYLOAD_BYTES_MAX];
        door_bytes public_payload = { public_bytes, 1 + seq * 37 % PAYLOAD_BYTES_MAX };
        door_bytes private_payload = { private_bytes, 1 + seq * 53 % PAYLOAD_BYTES_MAX };
        door_header header = {
                .seq = seq,
                .type = STORY_EVENT_TYPE,
                .version = 1,
                .seen_count = 1,
                .seen = { { STORY_UPSTREAM, seq * SEEN_PER_RECORD } },
                .subjects_count = 1,
                .actor = door_bytes_of("peer/story"),
                .at_ms = FIRST_AT_MS_LOW + seq,
                .hops = 1,
        };

        header.subjects[0].kind = DOOR_ID_REFERRAL;
        fill(header.subjects[0].id.bytes, DOOR_ID_BYTES, seq, 'i');
        fill(public_bytes, sizeof public_bytes, seq, 'p');
        fill(private_bytes, sizeof private_bytes, seq, 'v');
        if (seq % 5 == 0) {
                public_payload.len = 0;
        }
        if (seq % 3 == 0) {
                private_payload.len = 0;
        }
        return story_record_of(arena, &header, public_payload, private_payload, before);
}

static void row_key(uint64_t seq, uint8_t out[ROW_KEY_BYTES])
{
        out[0] = STORY_TABLE_ROWS;
        door_put_u64(out + 1, seq);
}

/* A third of the rows are a byte, so that both small and filled values occur. */
static door_bytes row_value(uint64_t seq, uint8_t out[64])
{
        fill(out, 64, seq, 'r');
        return (door_bytes){ out, seq % 3 == 0 ? 1 : 64 };
}

static const uint8_t count_key[] = { STORY_TABLE_COUNT };

static void story_apply(door_view *view, uint64_t seq)
{
        uint8_t key[ROW_KEY_BYTES];
        uint8_t value[64];
        uint8_t count[8];

        row_key(seq, key);
        door_view_put(view, (door_bytes){ key, sizeof key }, row_value(seq, value));
        door_put_u64(count, seq);
        door_view_put(view, (door_bytes){ count_key, sizeof count_key }, (door_bytes){ count, sizeof count });
        if (seq % DELETES_EVERY == 0 && seq > DELETES_BACK) {
                row_key(seq - DELETES_BACK, key);
                door_view_delete(view, (door_bytes){ key, sizeof key });
        }
}

static bool row_is_deleted(uint64_t seq, uint64_t head)
{
        return (seq + DELETES_BACK) % DELETES_EVERY == 0 && seq + DELETES_BACK <= head;
}

door_commit story_next(const story *at, size_t records, const door_reader *state, door_arena *arena)
{
        door_record *made = door_arena_take_zeroed(arena, records + 1, sizeof *made);
        door_cursor *cursor = door_arena_take_zeroed(arena, 1, sizeof *cursor);
        door_view view;

        DOOR_REQUIRE(made != NULL && cursor != NULL);
        door_view_init(&view, state, arena);
        view.writable = true;
        made[0].hash = at->head_hash;
        for (size_t i = 1; i <= records; i++) {
                made[i] = story_record(arena, at->head + i, &made[i - 1].hash);
                story_apply(&view, at->head + i);
        }
        DOOR_REQUIRE(view.latch == DOOR_OK);
        cursor->log = STORY_UPSTREAM;
        memcpy(cursor->log_id, story_upstream_id, sizeof cursor->log_id);
        cursor->seq = (at->head + records) * SEEN_PER_RECORD;
        fill(cursor->hash.bytes, DOOR_HASH_BYTES, cursor->seq, 'c');
        return (door_commit){
                .expected_head = at->head,
                .records = made + 1,
                .records_count = records,
                .changes = view.head[0],
                .cursors = cursor,
                .cursors_count = 1,
                .sync = true,
        };
}

void story_went_on(story *at, const door_commit *commit)
{
        if (commit->records_count > 0) {
                at->head += commit->records_count;
                at->head_hash = commit->records[commit->records_count - 1].hash;
        }
}

static bool records_are_equal(const door_record *a, const door_record *b)
{
        return a->seq == b->seq && door_hash_equal(&a->hash, &b->hash) &&
               door_bytes_equal(a->header, b->header) &&
               door_bytes_equal(a->public_payload, b->public_payload) &&
               door_bytes_equal(a->private_payload, b->private_payload);
}

static bool log_is_told(const door_store_port *port, const door_standing *standing, door_arena *arena,
                        const char **ret_why)
{
        door_hash before = door_hash_log_start(standing->log_id);

        for (uint64_t seq = 1; seq <= standing->head; seq++) {
                const door_arena_mark mark = door_arena_here(arena);
                const door_record expected = story_record(arena, seq, &before);
                door_record got;
                door_hash hash;
                size_t count = 0;

                if (port->read(port->context, seq - 1, 1, 0, DOOR_FORM_WHOLE, arena, &got, &count) !=
                            DOOR_OK ||
                    count != 1) {
                        *ret_why = "a record cannot be read";
                        return false;
                }
                if (!records_are_equal(&got, &expected)) {
                        *ret_why = "a record is not the one that was written";
                        return false;
                }
                if (port->hash_at(port->context, seq, &hash) != DOOR_OK ||
                    !door_hash_equal(&hash, &expected.hash)) {
                        *ret_why = "a hash is not the one that was written";
                        return false;
                }
                before = expected.hash;
                door_arena_rewind(arena, mark);
        }
        if (!door_hash_equal(&before, &standing->head_hash)) {
                *ret_why = "the head's hash is not the chain's";
                return false;
        }
        return true;
}

static bool state_is_told(const door_store_port *port, const door_standing *standing, door_arena *arena,
                          const char **ret_why)
{
        static const uint8_t table[] = { STORY_TABLE_ROWS };
        const door_reader *state = &port->state;
        uint8_t at[ROW_KEY_BYTES] = { STORY_TABLE_ROWS };
        door_bytes from = { at, 1 };
        bool inclusive = true;
        uint8_t value_bytes[64];
        const door_arena_mark mark = door_arena_here(arena);

        for (uint64_t seq = 1; seq <= standing->head + 1; seq++) {
                door_bytes key = DOOR_BYTES_EMPTY;
                door_bytes value = DOOR_BYTES_EMPTY;
                bool found = false;
                uint8_t expected[ROW_KEY_BYTES];

                if (seq <= standing->head && row_is_deleted(seq, standing->head)) {
                        continue;
                }
                door_arena_rewind(arena, mark);
                if (state->next(state->context, from, inclusive, (door_bytes){ table, 1 }, arena, &key,
                                &value, &found) != DOOR_OK) {
                        *ret_why = "the state cannot be walked";
                        return false;
                }
                if (seq > standing->head) {
                        if (found) {
                                *ret_why = "the state has a row too many";
                                return false;
                        }
                        break;
                }
                row_key(seq, expected);
                if (!found || !door_bytes_equal(key, (door_bytes){ expected, sizeof expected }) ||
                    !door_bytes_equal(value, row_value(seq, value_bytes))) {
                        *ret_why = "a state row is missing or not the one that was written";
                        return false;
                }
                memcpy(at, expected, sizeof at);
                from.len = sizeof at;
                inclusive = false;
        }

        door_bytes count = DOOR_BYTES_EMPTY;
        bool found = false;
        if (state->get(state->context, (door_bytes){ count_key, sizeof count_key }, arena, &count, &found) !=
            DOOR_OK) {
                *ret_why = "the count cannot be read";
                return false;
        }
        if (found != (standing->head > 0) ||
            (found && (count.len != 8 || door_get_u64(count.data) != standing->head))) {
                *ret_why = "the count in the state is not the head";
                return false;
        }
        return true;
}

bool story_is_told(const door_store_port *port, const door_standing *standing, door_arena *arena,
                   const char **ret_why)
{
        uint64_t consumed = 0;

        if (!log_is_told(port, standing, arena, ret_why) || !state_is_told(port, standing, arena, ret_why)) {
                return false;
        }
        for (size_t i = 0; i < standing->cursors_count; i++) {
                if (standing->cursors[i].log == STORY_UPSTREAM) {
                        consumed = standing->cursors[i].seq;
                }
        }
        if (consumed != standing->head * SEEN_PER_RECORD) {
                *ret_why = "the cursor does not belong to the head";
                return false;
        }
        return true;
}
