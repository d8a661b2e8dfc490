#include "shell/shell_state.h"

#include <string.h>

#include "door/v1/envelope.pb-c.h"
#include "shell/frame.h"

enum {
        TABLE_RESULT = DOOR_TABLE_SHELL,
        TABLE_RESULT_ORDER = DOOR_TABLE_SHELL + 1,
        TABLE_PARKED = DOOR_TABLE_SHELL + 2,
        TABLE_PARKED_SUBJECT = DOOR_TABLE_SHELL + 3,
        TABLE_PARKED_COUNT = DOOR_TABLE_SHELL + 4,
        TABLE_POLICY = DOOR_TABLE_SHELL + 5,
        LAYOUT = 1,
        RESULT_BYTES = 1 + 8 + 8 + 1,
};

#define RESULTS_KEPT_MS (UINT64_C(86400000) * DOOR_RESULTS_DAYS)

typedef struct key_storage {
        uint8_t bytes[80];
} key_storage;

static door_bytes key_of(key_storage *storage, uint8_t table, door_bytes rest)
{
        door_writer w = door_writer_on(storage->bytes, sizeof storage->bytes);
        door_write_u8(&w, table);
        door_write(&w, rest);
        return door_written(&w);
}

/* digest NULL: the prefix of all that is known of the id. */
static door_bytes key_result(key_storage *storage, const door_hash *command_id, const door_hash *digest)
{
        door_writer w = door_writer_on(storage->bytes, sizeof storage->bytes);
        door_write_u8(&w, TABLE_RESULT);
        door_write(&w, door_hash_bytes(command_id));
        if (digest != NULL) {
                door_write(&w, door_hash_bytes(digest));
        }
        return door_written(&w);
}

static door_bytes key_result_order(key_storage *storage, uint64_t seq)
{
        uint8_t number[8];
        door_put_u64(number, seq);
        return key_of(storage, TABLE_RESULT_ORDER, (door_bytes){ number, sizeof number });
}

static door_bytes key_parked(key_storage *storage, door_position record)
{
        uint8_t numbers[12];
        door_put_u32(numbers, record.log);
        door_put_u64(numbers + 4, record.seq);
        return key_of(storage, TABLE_PARKED, (door_bytes){ numbers, sizeof numbers });
}

/* own_seq NULL: the prefix of all that is parked about the subject. */
static door_bytes key_parked_subject(key_storage *storage, const door_subject *subject,
                                     const uint64_t *own_seq)
{
        door_writer w = door_writer_on(storage->bytes, sizeof storage->bytes);
        door_write_u8(&w, TABLE_PARKED_SUBJECT);
        door_write_u8(&w, subject->kind);
        door_write(&w, door_id_bytes(&subject->id));
        if (own_seq != NULL) {
                door_write_u64(&w, *own_seq);
        }
        return door_written(&w);
}

door_result_known shell_state_result(door_view *view, const door_hash *command_id, const door_hash *digest,
                                     uint64_t *ret_seq, bool *ret_refused)
{
        key_storage storage;
        door_bytes key;
        door_bytes value;
        door_scan scan;

        if (door_view_get(view, key_result(&storage, command_id, digest), &value)) {
                DOOR_REQUIRE(value.len == RESULT_BYTES && value.data[0] == LAYOUT);
                *ret_seq = door_get_u64(value.data + 1);
                *ret_refused = value.data[17] != 0;
                return DOOR_RESULT_SAME;
        }
        door_scan_init(&scan, view, key_result(&storage, command_id, NULL), DOOR_BYTES_EMPTY, 1);
        return door_scan_next(&scan, &key, &value) ? DOOR_RESULT_OTHER : DOOR_RESULT_NEW;
}

bool shell_state_parked(door_view *view, door_position record, door_parked_row *ret_row)
{
        key_storage storage;
        door_bytes value;

        if (!door_view_get(view, key_parked(&storage, record), &value)) {
                return false;
        }
        door_cursor_in r = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&r) == LAYOUT);
        ret_row->own_seq = door_read_u64(&r);
        ret_row->subjects_count = door_read_u8(&r);
        DOOR_REQUIRE(ret_row->subjects_count <= DOOR_SUBJECTS_MAX);
        for (uint32_t i = 0; i < ret_row->subjects_count; i++) {
                ret_row->subjects[i].kind = door_read_u8(&r);
                DOOR_REQUIRE(door_id_from_bytes(door_read(&r, DOOR_ID_BYTES), &ret_row->subjects[i].id));
        }
        DOOR_REQUIRE(door_read_done(&r));
        return true;
}

uint32_t shell_state_parked_count(door_view *view)
{
        key_storage storage;
        door_bytes value;

        if (!door_view_get(view, key_of(&storage, TABLE_PARKED_COUNT, DOOR_BYTES_EMPTY), &value)) {
                return 0;
        }
        DOOR_REQUIRE(value.len == 4);
        return door_get_u32(value.data);
}

bool shell_state_blocked(door_view *view, const door_subject *subject, door_position *ret_record)
{
        key_storage storage;
        door_bytes key;
        door_bytes value;
        door_scan scan;

        door_scan_init(&scan, view, key_parked_subject(&storage, subject, NULL), DOOR_BYTES_EMPTY, 1);
        if (!door_scan_next(&scan, &key, &value)) {
                return false;
        }
        DOOR_REQUIRE(value.len == 12);
        *ret_record = (door_position){ door_get_u32(value.data), door_get_u64(value.data + 4) };
        return true;
}

bool shell_state_policy(door_view *view, door_policy_row *ret_row)
{
        key_storage storage;
        door_bytes value;

        if (!door_view_get(view, key_of(&storage, TABLE_POLICY, DOOR_BYTES_EMPTY), &value)) {
                return false;
        }
        door_cursor_in r = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&r) == LAYOUT);
        ret_row->seq = door_read_u64(&r);
        ret_row->version = door_read_sized(&r);
        (void)door_read(&r, DOOR_HASH_BYTES);
        DOOR_REQUIRE(r.ok);
        ret_row->content = (door_bytes){ value.data + r.at, value.len - r.at };
        return true;
}

/* ---- folding ---- */

/*
 * Forget what is over age, a few at a time, oldest first. The view remembers how old the oldest is: every
 * record of every service comes here, and else would look two rows up only to learn it again.
 */
static void prune_results(door_view *view, uint64_t at_ms)
{
        static const uint8_t prefix[] = { TABLE_RESULT_ORDER };
        door_scan scan;
        door_bytes key;
        door_bytes id;
        key_storage storage;

        if (at_ms < view->results_kept_to_ms) {
                return;
        }
        door_scan_init(&scan, view, (door_bytes){ prefix, 1 }, DOOR_BYTES_EMPTY,
                       DOOR_RESULTS_PRUNED_PER_RECORD);
        while (door_scan_next(&scan, &key, &id)) {
                door_bytes row;
                const door_bytes row_key = key_of(&storage, TABLE_RESULT, id);
                DOOR_REQUIRE(door_view_get(view, row_key, &row) || view->latch != DOOR_OK);
                if (view->latch != DOOR_OK) {
                        return;
                }
                const uint64_t made_ms = door_get_u64(row.data + 9);
                if (made_ms + RESULTS_KEPT_MS > at_ms) {
                        view->results_kept_to_ms = made_ms + RESULTS_KEPT_MS;
                        return;
                }
                door_view_delete(view, row_key);
                door_view_delete(view, key);
        }
}

/* The first record of a command is what its answer is computed from. */
static void apply_result(door_view *view, const door_header *header)
{
        key_storage storage;
        uint8_t value[RESULT_BYTES];
        uint8_t both[2 * DOOR_HASH_BYTES];

        if (!header->has_command_id || header->index != 0) {
                return;
        }
        /* A refused command may be decided again: one row, one place in the order of forgetting. */
        door_bytes before;
        if (door_view_get(view, key_result(&storage, &header->command_id, &header->command_digest),
                          &before)) {
                door_view_delete(view, key_result_order(&storage, door_get_u64(before.data + 1)));
                view->results_kept_to_ms = 0; /* It may have been the oldest. */
        }
        door_writer w = door_writer_on(value, sizeof value);
        door_write_u8(&w, LAYOUT);
        door_write_u64(&w, header->seq);
        door_write_u64(&w, header->at_ms);
        door_write_u8(&w, header->type == DOOR__V1__SHELL_TYPE__SHELL_COMMAND_REFUSED ? 1 : 0);
        door_view_put(view, key_result(&storage, &header->command_id, &header->command_digest),
                      door_written(&w));
        memcpy(both, header->command_id.bytes, DOOR_HASH_BYTES);
        memcpy(both + DOOR_HASH_BYTES, header->command_digest.bytes, DOOR_HASH_BYTES);
        door_view_put(view, key_result_order(&storage, header->seq), (door_bytes){ both, sizeof both });
}

static void parked_count_add(door_view *view, int32_t change)
{
        key_storage storage;
        uint8_t value[4];

        door_put_u32(value, (uint32_t)((int32_t)shell_state_parked_count(view) + change));
        door_view_put(view, key_of(&storage, TABLE_PARKED_COUNT, DOOR_BYTES_EMPTY),
                      (door_bytes){ value, sizeof value });
}

static void apply_parked(door_view *view, const door_header *header, door_position record)
{
        key_storage storage;
        uint8_t row[1 + 8 + 1 + DOOR_SUBJECTS_MAX * DOOR_SUBJECT_BYTES];
        uint8_t place[12];

        door_writer w = door_writer_on(row, sizeof row);
        door_write_u8(&w, LAYOUT);
        door_write_u64(&w, header->seq);
        door_write_u8(&w, (uint8_t)header->subjects_count);
        door_put_u32(place, record.log);
        door_put_u64(place + 4, record.seq);
        for (uint32_t i = 0; i < header->subjects_count; i++) {
                door_write_u8(&w, header->subjects[i].kind);
                door_write(&w, door_id_bytes(&header->subjects[i].id));
                door_view_put(view, key_parked_subject(&storage, &header->subjects[i], &header->seq),
                              (door_bytes){ place, sizeof place });
        }
        door_view_put(view, key_parked(&storage, record), door_written(&w));
        parked_count_add(view, 1);
}

static void apply_released(door_view *view, door_position record)
{
        key_storage storage;
        door_parked_row row;

        if (!shell_state_parked(view, record, &row)) {
                return; /* A latched read; the shell looks at the latch. */
        }
        for (uint32_t i = 0; i < row.subjects_count; i++) {
                door_view_delete(view, key_parked_subject(&storage, &row.subjects[i], &row.own_seq));
        }
        door_view_delete(view, key_parked(&storage, record));
        parked_count_add(view, -1);
}

static door_status apply_policy(door_view *view, const door_header *header,
                                const Door__V1__PolicyActivated *policy, door_arena *arena)
{
        key_storage storage;
        const size_t cap = 1 + 8 + 2 + 256 + DOOR_HASH_BYTES + DOOR_POLICY_BYTES_MAX;
        uint8_t *value = door_arena_take(arena, cap);

        if (value == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_writer w = door_writer_on(value, cap);
        door_write_u8(&w, LAYOUT);
        door_write_u64(&w, header->seq);
        door_write_sized(&w, door_bytes_of(policy->version));
        door_write(&w, (door_bytes){ policy->digest.data, policy->digest.len });
        door_write(&w, (door_bytes){ policy->content.data, policy->content.len });
        if (!w.ok || policy->digest.len != DOOR_HASH_BYTES) {
                return DOOR_MALFORMED;
        }
        door_view_put(view, key_of(&storage, TABLE_POLICY, DOOR_BYTES_EMPTY), door_written(&w));
        return DOOR_OK;
}

static door_status apply_shell_type(door_view *view, const door_header *header, door_bytes payload,
                                    door_arena *arena)
{
        ProtobufCAllocator allocator = door_proto_allocator(arena);

        if (header->type == DOOR__V1__SHELL_TYPE__SHELL_PARKED) {
                const Door__V1__Parked *parked =
                        door__v1__parked__unpack(&allocator, payload.len, payload.data);
                if (parked == NULL) {
                        return DOOR_MALFORMED;
                }
                apply_parked(view, header, (door_position){ parked->record->log, parked->record->seq });
        } else if (header->type == DOOR__V1__SHELL_TYPE__SHELL_RELEASED) {
                const Door__V1__Released *released =
                        door__v1__released__unpack(&allocator, payload.len, payload.data);
                if (released == NULL) {
                        return DOOR_MALFORMED;
                }
                apply_released(view, (door_position){ released->record->log, released->record->seq });
        } else if (header->type == DOOR__V1__SHELL_TYPE__SHELL_POLICY_ACTIVATED) {
                const Door__V1__PolicyActivated *policy =
                        door__v1__policy_activated__unpack(&allocator, payload.len, payload.data);
                if (policy == NULL) {
                        return DOOR_MALFORMED;
                }
                return apply_policy(view, header, policy, arena);
        }
        return DOOR_OK;
}

door_status shell_state_apply(door_view *view, const door_header *header, door_bytes payload,
                              door_arena *arena)
{
        prune_results(view, header->at_ms);
        apply_result(view, header);
        if (header->type > DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST) {
                return DOOR_OK;
        }
        const door_status status = apply_shell_type(view, header, payload, arena);
        return arena->exhausted ? DOOR_NO_MEMORY : status;
}
