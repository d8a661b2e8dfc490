#include "notification/notify_state.h"

enum {
        TABLE_DELIVERY = 0x01,
        TABLE_DUE = 0x02,
        TABLE_OWNER = 0x03,
        LAYOUT = 1,
        BIT_REFERRAL = 1,
        BIT_EPISODE = 2,
        BIT_SEVERITY = 4,
        KEY_BYTES_MAX = 1 + 1 + 8 + DOOR_ID_BYTES,
        VALUE_BYTES_MAX = 160,
};

_Static_assert(2 + 4 + 8 + 8 + 2 + 2 * DOOR_ID_BYTES + 4 + 4 + 8 + 2 + NOTIFY_NAME_BYTES_MAX <=
                       VALUE_BYTES_MAX,
               "the longest value is DELIVERY's");

typedef struct row {
        uint8_t bytes[VALUE_BYTES_MAX];
        door_writer out;
} row;

static row *row_begin(row *r)
{
        r->out = door_writer_on(r->bytes, sizeof r->bytes);
        return r;
}

static door_bytes done(const row *r)
{
        DOOR_REQUIRE(r->out.ok);
        return door_written(&r->out);
}

static door_bytes key_of(row *r, uint8_t table, const door_id *id)
{
        (void)row_begin(r);
        door_write_u8(&r->out, table);
        door_write(&r->out, door_id_bytes(id));
        return done(r);
}

static door_bytes key_due(row *r, const door_id *id, const notify_delivery *delivery)
{
        (void)row_begin(r);
        door_write_u8(&r->out, TABLE_DUE);
        door_write_u8(&r->out, notify_is_urgent(delivery->message.kind) ? 0 : 1);
        door_write_u64(&r->out, delivery->next_ms);
        door_write(&r->out, door_id_bytes(id));
        return done(r);
}

static door_id read_id(door_cursor_in *in)
{
        door_id id = { { 0 } };
        (void)door_id_from_bytes(door_read(in, DOOR_ID_BYTES), &id);
        return id;
}

bool notify_is_urgent(notify_kind kind)
{
        return kind == NOTIFY_RED || kind == NOTIFY_LOOK_NOW;
}

bool notify_delivery_get(door_view *view, const door_id *id, notify_delivery *ret_delivery)
{
        row key;
        door_bytes value;
        notify_delivery d = { 0 };

        if (!door_view_get(view, key_of(&key, TABLE_DELIVERY, id), &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        d.standing = (notify_standing)door_read_u8(&in);
        if (d.standing != NOTIFY_DONE) {
                d.attempts = door_read_u32(&in);
                d.next_ms = door_read_u64(&in);
                d.planned_ms = door_read_u64(&in);
                d.message.kind = (notify_kind)door_read_u8(&in);
                const uint8_t bits = door_read_u8(&in);
                d.message.has_referral = (bits & BIT_REFERRAL) != 0;
                d.message.has_episode = (bits & BIT_EPISODE) != 0;
                d.message.has_severity = (bits & BIT_SEVERITY) != 0;
                d.message.referral = read_id(&in);
                d.message.episode = read_id(&in);
                d.message.severity = door_read_u32(&in);
                d.message.why = door_read_u32(&in);
                d.message.due_ms = door_read_u64(&in);
                d.message.recipient = door_read_sized(&in);
        }
        DOOR_REQUIRE(door_read_done(&in));
        *ret_delivery = d;
        return true;
}

void notify_delivery_put(door_view *view, const door_id *id, const notify_delivery *d)
{
        row key;
        row value;
        notify_delivery before;
        const notify_message *m = &d->message;

        if (notify_delivery_get(view, id, &before) && before.standing == NOTIFY_PENDING) {
                door_view_delete(view, key_due(&key, id, &before));
        }
        if (d->standing == NOTIFY_PENDING) {
                door_view_put(view, key_due(&key, id, d), DOOR_BYTES_EMPTY);
        }
        (void)row_begin(&value);
        door_write_u8(&value.out, LAYOUT);
        door_write_u8(&value.out, (uint8_t)d->standing);
        if (d->standing != NOTIFY_DONE) {
                door_write_u32(&value.out, d->attempts);
                door_write_u64(&value.out, d->next_ms);
                door_write_u64(&value.out, d->planned_ms);
                door_write_u8(&value.out, (uint8_t)m->kind);
                door_write_u8(&value.out, (uint8_t)((m->has_referral ? BIT_REFERRAL : 0) |
                                                    (m->has_episode ? BIT_EPISODE : 0) |
                                                    (m->has_severity ? BIT_SEVERITY : 0)));
                door_write(&value.out, door_id_bytes(&m->referral));
                door_write(&value.out, door_id_bytes(&m->episode));
                door_write_u32(&value.out, m->severity);
                door_write_u32(&value.out, m->why);
                door_write_u64(&value.out, m->due_ms);
                door_write_sized(&value.out, m->recipient);
        }
        door_view_put(view, key_of(&key, TABLE_DELIVERY, id), done(&value));
}

static bool is_among(const door_id *ids, size_t count, const door_id *id)
{
        for (size_t i = 0; i < count; i++) {
                if (door_id_equal(&ids[i], id)) {
                        return true;
                }
        }
        return false;
}

bool notify_due_first(door_view *view, bool urgent, const door_id *busy, size_t busy_count, door_id *ret_id,
                      uint64_t *ret_next_ms)
{
        const uint8_t prefix[] = { TABLE_DUE, urgent ? 0 : 1 };
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_scan_init(&scan, view, (door_bytes){ prefix, sizeof prefix }, DOOR_BYTES_EMPTY, busy_count + 1);
        while (door_scan_next(&scan, &key, &value)) {
                door_cursor_in in = door_reading(key);
                (void)door_read(&in, sizeof prefix);
                const uint64_t next_ms = door_read_u64(&in);
                const door_id id = read_id(&in);
                DOOR_REQUIRE(door_read_done(&in));
                if (!is_among(busy, busy_count, &id)) {
                        *ret_id = id;
                        *ret_next_ms = next_ms;
                        return true;
                }
        }
        return false;
}

bool notify_owner_get(door_view *view, const door_id *episode, door_bytes *ret_team)
{
        row key;
        door_bytes value;

        if (!door_view_get(view, key_of(&key, TABLE_OWNER, episode), &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        *ret_team = door_read_sized(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void notify_owner_put(door_view *view, const door_id *episode, door_bytes team)
{
        row key;
        row value;

        if (team.len == 0) {
                door_view_delete(view, key_of(&key, TABLE_OWNER, episode));
                return;
        }
        (void)row_begin(&value);
        door_write_u8(&value.out, LAYOUT);
        door_write_sized(&value.out, team);
        door_view_put(view, key_of(&key, TABLE_OWNER, episode), done(&value));
}
