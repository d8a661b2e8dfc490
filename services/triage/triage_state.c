#include "triage/triage_state.h"

#include <string.h>

#include "door/row.h"

enum {
        TABLE_EPISODE = 0x01,
        TABLE_REFERRAL = 0x02,
        TABLE_WAITING = 0x03,
        TABLE_PENDING_CHILD = 0x04,
        TABLE_CHILD = 0x05,
        TABLE_FAMILY_OPEN = 0x06,
        TABLE_FAMILY_LAST = 0x07,
        TABLE_DUE = 0x08,
        TABLE_HISTORY = 0x09,
        TABLE_IDLE = 0x0A,
        LAYOUT = 1,
};

static door_id id_read(door_cursor_in *in)
{
        door_id id;
        const door_bytes bytes = door_read(in, DOOR_ID_BYTES);

        DOOR_REQUIRE(door_id_from_bytes(bytes, &id));
        return id;
}

/* ---- episodes */

bool triage_state_is_open(triage_state state)
{
        return state == TRIAGE_QUEUED || state == TRIAGE_OFFERED || state == TRIAGE_ACTIVE ||
               state == TRIAGE_IMPORTED;
}

enum { BIT_OTHER_AGENCIES = 1, BIT_UNCERTAIN = 2, BIT_HISTORIC = 4, BIT_IN_DOUBT = 8, BIT_PREVIOUS = 16 };

static void episode_pack(const triage_episode *e, door_row *r)
{
        (void)door_row_begin(r, LAYOUT);
        door_write_u32(&r->out, e->version);
        door_write_u8(&r->out, (uint8_t)e->state);
        (void)door_row_id(r, &e->family);
        door_write_u64(&r->out, e->opened_ms);
        door_write_u64(&r->out, e->last_ms);
        door_write_u64(&r->out, e->idle_at_ms);
        door_write_u8(&r->out, e->severity);
        door_write_u8(&r->out, e->level);
        door_write_u8(&r->out, e->next_step);
        door_write_u64(&r->out, e->clocks.rag_ms);
        door_write_u64(&r->out, e->clocks.statutory_ms);
        door_write_u32(&r->out, e->decided_version);
        door_write_u32(&r->out, e->referrals);
        door_write_u32(&r->out, e->waiting);
        door_write_u32(&r->out, e->looks);
        door_write_u64(&r->out, e->categories);
        door_write_u32(&r->out, e->first_agency);
        door_write_u8(&r->out,
                      (uint8_t)((e->other_agencies ? BIT_OTHER_AGENCIES : 0) |
                                (e->uncertain ? BIT_UNCERTAIN : 0) | (e->historic ? BIT_HISTORIC : 0) |
                                (e->children_in_doubt ? BIT_IN_DOUBT : 0) |
                                (e->has_previous ? BIT_PREVIOUS : 0)));
        door_write_u8(&r->out, e->level_asked);
        door_write_u32(&r->out, e->returned);
        door_write(&r->out, (door_bytes){ e->routing.district, sizeof e->routing.district });
        door_write_u8(&r->out, e->routing.flags);
        door_write_u16(&r->out, e->routing.age_bands);
        (void)door_row_id(r, &e->previous);
        door_write_u64(&r->out, e->taken_until_ms);
        door_write_sized(&r->out, e->taken_by);
        door_write_sized(&r->out, e->team);
}

static void episode_unpack(door_bytes value, triage_episode *e)
{
        door_cursor_in in = door_reading(value);

        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        e->version = door_read_u32(&in);
        e->state = (triage_state)door_read_u8(&in);
        e->family = id_read(&in);
        e->opened_ms = door_read_u64(&in);
        e->last_ms = door_read_u64(&in);
        e->idle_at_ms = door_read_u64(&in);
        e->severity = door_read_u8(&in);
        e->level = door_read_u8(&in);
        e->next_step = door_read_u8(&in);
        e->clocks.rag_ms = door_read_u64(&in);
        e->clocks.statutory_ms = door_read_u64(&in);
        e->decided_version = door_read_u32(&in);
        e->referrals = door_read_u32(&in);
        e->waiting = door_read_u32(&in);
        e->looks = door_read_u32(&in);
        e->categories = door_read_u64(&in);
        e->first_agency = door_read_u32(&in);
        const uint8_t bits = door_read_u8(&in);
        e->other_agencies = (bits & BIT_OTHER_AGENCIES) != 0;
        e->uncertain = (bits & BIT_UNCERTAIN) != 0;
        e->historic = (bits & BIT_HISTORIC) != 0;
        e->children_in_doubt = (bits & BIT_IN_DOUBT) != 0;
        e->has_previous = (bits & BIT_PREVIOUS) != 0;
        e->level_asked = door_read_u8(&in);
        e->returned = door_read_u32(&in);
        const door_bytes district = door_read(&in, sizeof e->routing.district);
        DOOR_REQUIRE(district.len == sizeof e->routing.district);
        memcpy(e->routing.district, district.data, district.len);
        e->routing.flags = door_read_u8(&in);
        e->routing.age_bands = door_read_u16(&in);
        e->previous = id_read(&in);
        e->taken_until_ms = door_read_u64(&in);
        e->taken_by = door_read_sized(&in);
        e->team = door_read_sized(&in);
        DOOR_REQUIRE(door_read_done(&in));
}

bool triage_episode_get(door_view *view, const door_id *id, triage_episode *ret_episode)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_EPISODE), id)),
                           &value)) {
                return false;
        }
        episode_unpack(value, ret_episode);
        return true;
}

static bool named_get(door_view *view, uint8_t table, const door_id *id, door_id *ret_other)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, table), id)), &value)) {
                return false;
        }
        DOOR_REQUIRE(door_id_from_bytes(value, ret_other));
        return true;
}

static void named_put(door_view *view, uint8_t table, const door_id *id, const door_id *other)
{
        door_row key;
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, table), id)),
                      door_id_bytes(other));
}

bool triage_family_open(door_view *view, const door_id *family, door_id *ret_episode)
{
        return named_get(view, TABLE_FAMILY_OPEN, family, ret_episode);
}

bool triage_family_last(door_view *view, const door_id *family, door_id *ret_episode)
{
        return named_get(view, TABLE_FAMILY_LAST, family, ret_episode);
}

void triage_episode_put(door_view *view, const door_id *id, const triage_episode *episode)
{
        door_row key;
        door_row value;
        door_id open;
        const bool known = triage_family_open(view, &episode->family, &open);

        if (triage_state_is_open(episode->state)) {
                DOOR_REQUIRE(!known || door_id_equal(&open, id)); /* One open episode a family. */
                if (!known) {
                        named_put(view, TABLE_FAMILY_OPEN, &episode->family, id);
                }
        } else {
                if (known && door_id_equal(&open, id)) {
                        door_view_delete(view,
                                         door_row_bytes(door_row_id(door_row_begin(&key, TABLE_FAMILY_OPEN),
                                                                    &episode->family)));
                }
                named_put(view, TABLE_FAMILY_LAST, &episode->family, id);
        }
        episode_pack(episode, &value);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_EPISODE), id)),
                      door_row_bytes(&value));
}

/* ---- referrals */

bool triage_referral_get(door_view *view, const door_id *referral, triage_referral *ret)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)),
                           &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        ret->episode = id_read(&in);
        ret->way = (triage_way)door_read_u8(&in);
        ret->waits = (triage_waits)door_read_u8(&in);
        ret->severity = door_read_u8(&in);
        ret->respond_by_ms = door_read_u64(&in);
        ret->look_by_ms = door_read_u64(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void triage_referral_put(door_view *view, const door_id *referral, const triage_referral *r)
{
        door_row key;
        door_row value;

        (void)door_row_id(door_row_begin(&value, LAYOUT), &r->episode);
        door_write_u8(&value.out, (uint8_t)r->way);
        door_write_u8(&value.out, (uint8_t)r->waits);
        door_write_u8(&value.out, r->severity);
        door_write_u64(&value.out, r->respond_by_ms);
        door_write_u64(&value.out, r->look_by_ms);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)),
                      door_row_bytes(&value));
        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_WAITING), &r->episode), referral);
        if (r->waits != TRIAGE_WAITS_NOT) {
                door_view_put(view, door_row_bytes(&key), DOOR_BYTES_EMPTY);
        } else if (door_view_has(view, door_row_bytes(&key))) {
                door_view_delete(view, door_row_bytes(&key));
        }
}

/* The second id of each key under (table, first id). */
static size_t members_of(door_view *view, uint8_t table, const door_id *id, door_id *ret, size_t max,
                         bool *ret_all)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, door_row_bytes(door_row_id(door_row_begin(&prefix, table), id)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                DOOR_REQUIRE(door_id_from_bytes(
                        (door_bytes){ key.data + 1 + DOOR_ID_BYTES, key.len - 1 - DOOR_ID_BYTES },
                        &ret[count]));
                count++;
        }
        *ret_all = !scan.truncated;
        return count;
}

size_t triage_waiting_of(door_view *view, const door_id *episode, door_id *ret_referrals, size_t max,
                         bool *ret_all)
{
        return members_of(view, TABLE_WAITING, episode, ret_referrals, max, ret_all);
}

/* ---- children */

bool triage_child_open(door_view *view, const door_id *child, door_id *ret_episode)
{
        triage_episode episode;

        return named_get(view, TABLE_CHILD, child, ret_episode) &&
               triage_episode_get(view, ret_episode, &episode) && triage_state_is_open(episode.state);
}

static door_row *pending_key(const door_id *episode, const door_id *child, door_row *r)
{
        return door_row_id(door_row_id(door_row_begin(r, TABLE_PENDING_CHILD), episode), child);
}

void triage_child_put(door_view *view, const door_id *episode, const door_id *child)
{
        door_row key;
        door_id open;

        if (!triage_child_open(view, child, &open)) {
                named_put(view, TABLE_CHILD, child, episode);
        }
        if (door_view_has(view, door_row_bytes(pending_key(episode, child, &key)))) {
                door_view_delete(view, door_row_bytes(&key));
        }
}

void triage_child_pend(door_view *view, const door_id *episode, const door_id *child)
{
        door_row key;
        door_view_put(view, door_row_bytes(pending_key(episode, child, &key)), DOOR_BYTES_EMPTY);
}

size_t triage_pending_of(door_view *view, const door_id *episode, door_id *ret_children, size_t max,
                         bool *ret_all)
{
        return members_of(view, TABLE_PENDING_CHILD, episode, ret_children, max, ret_all);
}

/* ---- what is due */

static door_row *due_key(const triage_due *due, door_row *r)
{
        (void)door_row_begin(r, due->kind == TRIAGE_DUE_IDLE ? TABLE_IDLE : TABLE_DUE);
        door_write_u64(&r->out, due->due_ms);
        door_write_u8(&r->out, (uint8_t)due->kind);
        return door_row_id(door_row_id(r, &due->episode), &due->referral);
}

void triage_due_put(door_view *view, const triage_due *due)
{
        door_row key;
        door_view_put(view, door_row_bytes(due_key(due, &key)), DOOR_BYTES_EMPTY);
}

void triage_due_delete(door_view *view, const triage_due *due)
{
        door_row key;
        door_view_delete(view, door_row_bytes(due_key(due, &key)));
}

size_t triage_due_first(door_view *view, bool idle, triage_due *ret_due, size_t max)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, door_row_bytes(door_row_begin(&prefix, idle ? TABLE_IDLE : TABLE_DUE)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                door_cursor_in in = door_reading(key);
                (void)door_read_u8(&in);
                ret_due[count].due_ms = door_read_u64(&in);
                ret_due[count].kind = (triage_due_kind)door_read_u8(&in);
                ret_due[count].episode = id_read(&in);
                ret_due[count].referral = id_read(&in);
                DOOR_REQUIRE(door_read_done(&in));
                count++;
        }
        return count;
}

uint64_t triage_history_get(door_view *view)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_begin(&key, TABLE_HISTORY)), &value)) {
                return 0;
        }
        DOOR_REQUIRE(value.len == 8);
        return door_get_u64(value.data);
}

void triage_history_put(door_view *view, uint64_t at_ms)
{
        door_row key;
        uint8_t value[8];

        door_put_u64(value, at_ms);
        door_view_put(view, door_row_bytes(door_row_begin(&key, TABLE_HISTORY)),
                      (door_bytes){ value, sizeof value });
}
