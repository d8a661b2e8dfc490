#include "intake/intake_state.h"

#include "door/limits.h"

enum {
        KEY_BYTES_MAX = 64,
        WARNING_BYTES = 6,
        VALUE_BYTES_MAX = 512,
};

_Static_assert(1 + DOOR_HASH_BYTES + 8 + DOOR_ID_BYTES <= KEY_BYTES_MAX, "the longest key is RESEND's");
_Static_assert(1 + DOOR_ID_BYTES + 8 + DOOR_HASH_BYTES + 1 + INTAKE_WARNINGS_MAX * WARNING_BYTES <=
                       VALUE_BYTES_MAX,
               "the longest value is KEY's");

typedef struct row_key {
        uint8_t bytes[KEY_BYTES_MAX];
        door_writer out;
} row_key;

static void key_begin(row_key *key, uint8_t table)
{
        key->out = door_writer_on(key->bytes, sizeof key->bytes);
        door_write_u8(&key->out, table);
}

/* Begins to read a value: it must be of the one version this program writes. */
static door_cursor_in value_open(door_bytes value)
{
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == INTAKE_STATE_VERSION);
        return in;
}

static door_hash read_hash(door_cursor_in *in)
{
        door_hash hash = { { 0 } };
        const door_bytes bytes = door_read(in, DOOR_HASH_BYTES);
        for (size_t i = 0; i < bytes.len; i++) {
                hash.bytes[i] = bytes.data[i];
        }
        return hash;
}

static door_id read_id(door_cursor_in *in)
{
        door_id id = { { 0 } };
        (void)door_id_from_bytes(door_read(in, DOOR_ID_BYTES), &id);
        return id;
}

/* ---- KEY */

static void key_key(row_key *key, const door_hash *key_digest)
{
        key_begin(key, INTAKE_TABLE_KEY);
        door_write(&key->out, door_hash_bytes(key_digest));
}

bool intake_key_get(door_view *view, const door_hash *key_digest, intake_key *ret_key)
{
        row_key key;
        door_bytes value;

        key_key(&key, key_digest);
        if (!door_view_get(view, door_written(&key.out), &value)) {
                return false;
        }
        door_cursor_in in = value_open(value);
        ret_key->referral = read_id(&in);
        ret_key->received_at_ms = door_read_u64(&in);
        ret_key->content_digest = read_hash(&in);
        ret_key->warnings.count = door_read_u8(&in);
        DOOR_REQUIRE(ret_key->warnings.count <= INTAKE_WARNINGS_MAX);
        for (size_t i = 0; i < ret_key->warnings.count; i++) {
                intake_warning *warning = &ret_key->warnings.items[i];
                warning->field = door_read_u16(&in);
                warning->person = door_read_u16(&in);
                warning->code = door_read_u16(&in);
        }
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void intake_key_put(door_view *view, const door_hash *key_digest, const intake_key *key)
{
        row_key row;
        uint8_t bytes[VALUE_BYTES_MAX];
        door_writer out = door_writer_on(bytes, sizeof bytes);

        door_write_u8(&out, INTAKE_STATE_VERSION);
        door_write(&out, door_id_bytes(&key->referral));
        door_write_u64(&out, key->received_at_ms);
        door_write(&out, door_hash_bytes(&key->content_digest));
        door_write_u8(&out, (uint8_t)key->warnings.count);
        for (size_t i = 0; i < key->warnings.count; i++) {
                door_write_u16(&out, key->warnings.items[i].field);
                door_write_u16(&out, key->warnings.items[i].person);
                door_write_u16(&out, key->warnings.items[i].code);
        }
        key_key(&row, key_digest);
        door_view_put(view, door_written(&row.out), door_written(&out));
}

/* ---- REFERRAL */

static void referral_key(row_key *key, const door_id *id)
{
        key_begin(key, INTAKE_TABLE_REFERRAL);
        door_write(&key->out, door_id_bytes(id));
}

bool intake_referral_get(door_view *view, const door_id *id, intake_referral *ret_referral)
{
        row_key key;
        door_bytes value;

        referral_key(&key, id);
        if (!door_view_get(view, door_written(&key.out), &value)) {
                return false;
        }
        door_cursor_in in = value_open(value);
        ret_referral->received_at_ms = door_read_u64(&in);
        ret_referral->historic = door_read_u8(&in) != 0;
        ret_referral->agency = door_read_sized(&in);
        ret_referral->key_digest = read_hash(&in);
        ret_referral->likeness_digest = read_hash(&in);
        ret_referral->has_reference = door_read_u8(&in) != 0;
        ret_referral->reference_digest = read_hash(&in);
        ret_referral->withdrawals = door_read_u32(&in);
        ret_referral->amendments = door_read_u32(&in);
        ret_referral->attempts = door_read_u32(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void intake_referral_put(door_view *view, const door_id *id, const intake_referral *referral)
{
        row_key row;
        uint8_t bytes[VALUE_BYTES_MAX];
        door_writer out = door_writer_on(bytes, sizeof bytes);

        door_write_u8(&out, INTAKE_STATE_VERSION);
        door_write_u64(&out, referral->received_at_ms);
        door_write_u8(&out, referral->historic ? 1 : 0);
        door_write_sized(&out, referral->agency);
        door_write(&out, door_hash_bytes(&referral->key_digest));
        door_write(&out, door_hash_bytes(&referral->likeness_digest));
        door_write_u8(&out, referral->has_reference ? 1 : 0);
        door_write(&out, door_hash_bytes(&referral->reference_digest));
        door_write_u32(&out, referral->withdrawals);
        door_write_u32(&out, referral->amendments);
        door_write_u32(&out, referral->attempts);
        referral_key(&row, id);
        door_view_put(view, door_written(&row.out), door_written(&out));
}

/* ---- CONTENT */

static void content_key(row_key *key, const door_id *id, uint8_t part, uint32_t number)
{
        key_begin(key, INTAKE_TABLE_CONTENT);
        door_write(&key->out, door_id_bytes(id));
        door_write_u8(&key->out, part);
        door_write_u32(&key->out, number);
}

bool intake_content_get(door_view *view, const door_id *id, uint8_t part, uint32_t number,
                        door_bytes *ret_content)
{
        row_key key;
        door_bytes value;

        content_key(&key, id, part, number);
        if (!door_view_get(view, door_written(&key.out), &value)) {
                return false;
        }
        door_cursor_in in = value_open(value);
        *ret_content = door_read(&in, value.len - 1);
        return true;
}

void intake_content_put(door_view *view, const door_id *id, uint8_t part, uint32_t number, door_bytes content)
{
        row_key row;

        /* The one value that may be long: built in the view's own arena. */
        uint8_t *bytes = door_arena_take(view->arena, content.len + 1);
        if (bytes == NULL) {
                return; /* The latch is set: the shell throws this batch away. */
        }
        door_writer out = door_writer_on(bytes, content.len + 1);
        door_write_u8(&out, INTAKE_STATE_VERSION);
        door_write(&out, content);
        content_key(&row, id, part, number);
        door_view_put(view, door_written(&row.out), door_written(&out));
}

/* ---- RESEND */

bool intake_resend_find(door_view *view, const door_hash *digest, uint64_t from_ms, uint64_t to_ms,
                        door_id *ret_referral)
{
        row_key prefix;
        row_key from;
        door_scan scan;
        door_bytes key;
        door_bytes value;

        key_begin(&prefix, INTAKE_TABLE_RESEND);
        door_write(&prefix.out, door_hash_bytes(digest));
        key_begin(&from, INTAKE_TABLE_RESEND);
        door_write(&from.out, door_hash_bytes(digest));
        door_write_u64(&from.out, ~to_ms);

        door_scan_init(&scan, view, door_written(&prefix.out), door_written(&from.out), 1);
        if (!door_scan_next(&scan, &key, &value)) {
                return false;
        }
        (void)value_open(value);
        door_cursor_in in = door_reading(key);
        (void)door_read(&in, 1 + DOOR_HASH_BYTES);
        const uint64_t received_at_ms = ~door_read_u64(&in);
        const door_id id = read_id(&in);
        DOOR_REQUIRE(door_read_done(&in));
        if (received_at_ms < from_ms) {
                return false;
        }
        *ret_referral = id;
        return true;
}

void intake_resend_put(door_view *view, const door_hash *digest, uint64_t received_at_ms, const door_id *id)
{
        static const uint8_t version = INTAKE_STATE_VERSION;
        row_key row;

        key_begin(&row, INTAKE_TABLE_RESEND);
        door_write(&row.out, door_hash_bytes(digest));
        door_write_u64(&row.out, ~received_at_ms);
        door_write(&row.out, door_id_bytes(id));
        door_view_put(view, door_written(&row.out), (door_bytes){ &version, 1 });
}

/* ---- ATTEMPT */

static void attempt_key(row_key *key, const door_id *id, const door_hash *content_digest)
{
        key_begin(key, INTAKE_TABLE_ATTEMPT);
        door_write(&key->out, door_id_bytes(id));
        door_write(&key->out, door_hash_bytes(content_digest));
}

bool intake_attempt_get(door_view *view, const door_id *id, const door_hash *content_digest,
                        uint32_t *ret_number)
{
        row_key key;
        door_bytes value;

        attempt_key(&key, id, content_digest);
        if (!door_view_get(view, door_written(&key.out), &value)) {
                return false;
        }
        door_cursor_in in = value_open(value);
        *ret_number = door_read_u32(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void intake_attempt_put(door_view *view, const door_id *id, const door_hash *content_digest, uint32_t number)
{
        row_key row;
        uint8_t bytes[8];
        door_writer out = door_writer_on(bytes, sizeof bytes);

        door_write_u8(&out, INTAKE_STATE_VERSION);
        door_write_u32(&out, number);
        attempt_key(&row, id, content_digest);
        door_view_put(view, door_written(&row.out), door_written(&out));
}
