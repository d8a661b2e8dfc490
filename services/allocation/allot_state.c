#include "allocation/allot_state.h"

#include <string.h>

#include "door/row.h"

enum {
        TABLE_EPISODE = 0x01,
        TABLE_LOAD = 0x02,
        TABLE_WAITING = 0x03,
        LAYOUT = 1,
};

/* ---- episodes */

enum { BIT_ENDED = 1, BIT_WAITING = 2, BIT_HAND_OVER = 4, BIT_OWNER_TEAM = 8 };

bool allot_episode_get(door_view *view, const door_id *id, allot_episode *e)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_EPISODE), id)),
                           &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        memset(e, 0, sizeof *e);
        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        const uint8_t bits = door_read_u8(&in);
        e->ended = (bits & BIT_ENDED) != 0;
        e->waiting = (bits & BIT_WAITING) != 0;
        e->hand_over = (bits & BIT_HAND_OVER) != 0;
        e->has_owner_team = (bits & BIT_OWNER_TEAM) != 0;
        e->offer_version = door_read_u32(&in);
        e->owned_version = door_read_u32(&in);
        e->level = door_read_u8(&in);
        e->returned = door_read_u32(&in);
        e->waiting_since_ms = door_read_u64(&in);
        e->owner = door_read_sized(&in);
        e->lead = door_read_sized(&in);
        e->offered = door_read_sized(&in);
        e->last = door_read_sized(&in);
        e->returned_by_count = door_read_u8(&in);
        DOOR_REQUIRE(e->returned_by_count <= ALLOT_RETURNED_MAX);
        for (size_t i = 0; i < e->returned_by_count; i++) {
                e->returned_by[i] = door_read_sized(&in);
        }
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void allot_episode_put(door_view *view, const door_id *id, const allot_episode *e)
{
        door_row key;
        door_row value;

        (void)door_row_begin(&value, LAYOUT);
        door_write_u8(&value.out, (uint8_t)((e->ended ? BIT_ENDED : 0) | (e->waiting ? BIT_WAITING : 0) |
                                            (e->hand_over ? BIT_HAND_OVER : 0) |
                                            (e->has_owner_team ? BIT_OWNER_TEAM : 0)));
        door_write_u32(&value.out, e->offer_version);
        door_write_u32(&value.out, e->owned_version);
        door_write_u8(&value.out, e->level);
        door_write_u32(&value.out, e->returned);
        door_write_u64(&value.out, e->waiting_since_ms);
        door_write_sized(&value.out, e->owner);
        door_write_sized(&value.out, e->lead);
        door_write_sized(&value.out, e->offered);
        door_write_sized(&value.out, e->last);
        door_write_u8(&value.out, (uint8_t)e->returned_by_count);
        for (size_t i = 0; i < e->returned_by_count; i++) {
                door_write_sized(&value.out, e->returned_by[i]);
        }
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_EPISODE), id)),
                      door_row_bytes(&value));
}

/* ---- loads */

static door_row *load_key(door_bytes team, door_row *r)
{
        door_write(&door_row_begin(r, TABLE_LOAD)->out, team);
        return r;
}

uint32_t allot_load_get(door_view *view, door_bytes team)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(load_key(team, &key)), &value)) {
                return 0;
        }
        DOOR_REQUIRE(value.len == 4);
        return door_get_u32(value.data);
}

void allot_load_add(door_view *view, door_bytes team, int32_t change)
{
        door_row key;
        uint8_t value[4];
        const int64_t load = (int64_t)allot_load_get(view, team) + change;

        DOOR_REQUIRE(load >= 0 || view->latch != DOOR_OK);
        door_put_u32(value, load < 0 ? 0 : (uint32_t)load);
        door_view_put(view, door_row_bytes(load_key(team, &key)), (door_bytes){ value, sizeof value });
}

/* ---- who waits for a place */

static door_row *waiting_key(door_bytes team, uint64_t since_ms, const door_id *episode, door_row *r)
{
        door_write_sized(&door_row_begin(r, TABLE_WAITING)->out, team);
        door_write_u64(&r->out, since_ms);
        return door_row_id(r, episode);
}

void allot_waiting_put(door_view *view, door_bytes team, uint64_t since_ms, const door_id *episode)
{
        door_row key;
        door_view_put(view, door_row_bytes(waiting_key(team, since_ms, episode, &key)), DOOR_BYTES_EMPTY);
}

void allot_waiting_delete(door_view *view, door_bytes team, uint64_t since_ms, const door_id *episode)
{
        door_row key;
        door_view_delete(view, door_row_bytes(waiting_key(team, since_ms, episode, &key)));
}

bool allot_waiting_first(door_view *view, door_bytes team, uint64_t *ret_since_ms, door_id *ret_episode)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_write_sized(&door_row_begin(&prefix, TABLE_WAITING)->out, team);
        door_scan_init(&scan, view, door_row_bytes(&prefix), DOOR_BYTES_EMPTY, 1);
        if (!door_scan_next(&scan, &key, &value)) {
                return false;
        }
        const size_t at = key.len - DOOR_ID_BYTES - 8;
        *ret_since_ms = door_get_u64(key.data + at);
        DOOR_REQUIRE(door_id_from_bytes((door_bytes){ key.data + at + 8, DOOR_ID_BYTES }, ret_episode));
        return true;
}

bool allot_waiting_any(door_view *view)
{
        const uint8_t table = TABLE_WAITING;
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_scan_init(&scan, view, (door_bytes){ &table, 1 }, DOOR_BYTES_EMPTY, 1);
        return door_scan_next(&scan, &key, &value);
}
