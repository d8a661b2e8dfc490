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
        TABLE_FAMILY_EPISODE = 0x0B,
        TABLE_FOLD = 0x0C,
        TABLE_JOIN = 0x0D,
        LAYOUT = 2,
        HOPS_MAX = 64, /* of folds of folds; deduplication bounds them at less */
};

static const door_id no_id = { { 0 } };

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

static void routing_pack(const triage_routing *routing, door_row *r)
{
        door_write(&r->out, (door_bytes){ routing->district, sizeof routing->district });
        door_write_u8(&r->out, routing->flags);
        door_write_u16(&r->out, routing->age_bands);
}

static void routing_unpack(door_cursor_in *in, triage_routing *routing)
{
        const door_bytes district = door_read(in, sizeof routing->district);

        DOOR_REQUIRE(district.len == sizeof routing->district);
        memcpy(routing->district, district.data, district.len);
        routing->flags = door_read_u8(in);
        routing->age_bands = door_read_u16(in);
}

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
        routing_pack(&e->routing, r);
        (void)door_row_id(r, &e->previous);
        door_write_u64(&r->out, e->taken_until_ms);
        door_write_sized(&r->out, e->taken_by);
        door_write_sized(&r->out, e->team);
        if (e->state == TRIAGE_FOLDED) {
                (void)door_row_id(door_row_id(r, &e->folded_into), &e->folded_by);
                door_write_u8(&r->out, (uint8_t)e->folded_from);
        }
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
        routing_unpack(&in, &e->routing);
        e->previous = id_read(&in);
        e->taken_until_ms = door_read_u64(&in);
        e->taken_by = door_read_sized(&in);
        e->team = door_read_sized(&in);
        e->folded_into = no_id;
        e->folded_by = no_id;
        e->folded_from = TRIAGE_NONE;
        if (e->state == TRIAGE_FOLDED) {
                e->folded_into = id_read(&in);
                e->folded_by = id_read(&in);
                e->folded_from = (triage_state)door_read_u8(&in);
        }
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

static void family_open_drop(door_view *view, const door_id *family, const door_id *id)
{
        door_row key;
        door_id open;

        if (triage_family_open(view, family, &open) && door_id_equal(&open, id)) {
                door_view_delete(
                        view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_FAMILY_OPEN), family)));
        }
}

static door_row *pair_key(uint8_t table, const door_id *a, const door_id *b, door_row *r)
{
        return door_row_id(door_row_id(door_row_begin(r, table), a), b);
}

void triage_episode_put(door_view *view, const door_id *id, const triage_episode *episode)
{
        door_row key;
        door_row value;
        door_id open;

        if (triage_state_is_open(episode->state)) {
                const bool known = triage_family_open(view, &episode->family, &open);
                DOOR_REQUIRE(!known || door_id_equal(&open, id)); /* One open episode a family. */
                if (!known) {
                        named_put(view, TABLE_FAMILY_OPEN, &episode->family, id);
                }
        } else {
                family_open_drop(view, &episode->family, id);
                if (episode->state == TRIAGE_STATE_CLOSED) {
                        named_put(view, TABLE_FAMILY_LAST, &episode->family, id);
                }
        }
        if (episode->version == 1) {
                door_view_put(view,
                              door_row_bytes(pair_key(TABLE_FAMILY_EPISODE, &episode->family, id, &key)),
                              DOOR_BYTES_EMPTY);
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
        ret->received_at_ms = door_read_u64(&in);
        ret->sent_at_ms = door_read_u64(&in);
        ret->grade = door_read_u8(&in);
        ret->categories = door_read_u64(&in);
        routing_unpack(&in, &ret->routing);
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
        door_write_u64(&value.out, r->received_at_ms);
        door_write_u64(&value.out, r->sent_at_ms);
        door_write_u8(&value.out, r->grade);
        door_write_u64(&value.out, r->categories);
        routing_pack(&r->routing, &value);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)),
                      door_row_bytes(&value));
        (void)pair_key(TABLE_WAITING, &r->episode, referral, &key);
        if (r->waits != TRIAGE_WAITS_NOT) {
                door_view_put(view, door_row_bytes(&key), DOOR_BYTES_EMPTY);
        } else if (door_view_has(view, door_row_bytes(&key))) {
                door_view_delete(view, door_row_bytes(&key));
        }
}

void triage_referral_delete(door_view *view, const door_id *referral)
{
        door_row key;
        door_view_delete(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)));
}

/* Of a key of table, id and id. */
static door_id second_id(door_bytes key)
{
        door_id id;

        DOOR_REQUIRE(door_id_from_bytes(
                (door_bytes){ key.data + 1 + DOOR_ID_BYTES, key.len - 1 - DOOR_ID_BYTES }, &id));
        return id;
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
                ret[count++] = second_id(key);
        }
        *ret_all = !scan.truncated;
        return count;
}

size_t triage_waiting_of(door_view *view, const door_id *episode, door_id *ret_referrals, size_t max,
                         bool *ret_all)
{
        return members_of(view, TABLE_WAITING, episode, ret_referrals, max, ret_all);
}

/* ---- families joined and parted */

door_id triage_home(door_view *view, const door_id *episode)
{
        door_id home = *episode;
        triage_episode e;

        for (unsigned hops = 0; triage_episode_get(view, &home, &e) && e.state == TRIAGE_FOLDED; hops++) {
                DOOR_REQUIRE(hops < HOPS_MAX);
                home = e.folded_into;
        }
        return home;
}

size_t triage_lives_of(door_view *view, const door_id *episode, door_id ret_episodes[TRIAGE_LIVES_MAX])
{
        size_t count = 1;
        bool all = true;

        ret_episodes[0] = *episode;
        for (size_t i = 0; i < count; i++) {
                count += members_of(view, TABLE_FOLD, &ret_episodes[i], ret_episodes + count,
                                    TRIAGE_LIVES_MAX - count, &all);
                DOOR_REQUIRE(all);
        }
        return count;
}

void triage_fold_put(door_view *view, const door_id *into, const door_id *folded)
{
        door_row key;
        door_view_put(view, door_row_bytes(pair_key(TABLE_FOLD, into, folded, &key)), DOOR_BYTES_EMPTY);
}

void triage_fold_delete(door_view *view, const door_id *into, const door_id *folded)
{
        door_row key;
        door_view_delete(view, door_row_bytes(pair_key(TABLE_FOLD, into, folded, &key)));
}

size_t triage_episodes_of(door_view *view, const door_id *family, door_id *ret_episodes, size_t max)
{
        bool all = true;
        return members_of(view, TABLE_FAMILY_EPISODE, family, ret_episodes, max, &all);
}

void triage_family_change(door_view *view, const door_id *id, triage_episode *episode, const door_id *to)
{
        door_row key;
        door_id last = no_id;
        triage_episode other;
        const bool has_last = triage_family_last(view, to, &last) &&
                              triage_episode_get(view, &last, &other) && other.last_ms > episode->last_ms;

        family_open_drop(view, &episode->family, id);
        door_view_delete(view, door_row_bytes(pair_key(TABLE_FAMILY_EPISODE, &episode->family, id, &key)));
        episode->family = *to;
        door_view_put(view, door_row_bytes(pair_key(TABLE_FAMILY_EPISODE, to, id, &key)), DOOR_BYTES_EMPTY);
        triage_episode_put(view, id, episode);
        if (has_last && episode->state == TRIAGE_STATE_CLOSED) {
                named_put(view, TABLE_FAMILY_LAST, to, &last); /* It was closed after this one. */
        }
}

void triage_join_put(door_view *view, const door_id *join, const door_id *episode, const door_id *family)
{
        door_row key;
        door_view_put(view, door_row_bytes(pair_key(TABLE_JOIN, join, episode, &key)), door_id_bytes(family));
}

size_t triage_joined_by(door_view *view, const door_id *join, door_id *ret_episodes, door_id *ret_families,
                        size_t max)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_JOIN), join)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                ret_episodes[count] = second_id(key);
                DOOR_REQUIRE(door_id_from_bytes(value, &ret_families[count]));
                count++;
        }
        return count;
}

/* ---- children */

bool triage_child_open(door_view *view, const door_id *child, door_id *ret_episode)
{
        triage_episode episode;

        if (!named_get(view, TABLE_CHILD, child, ret_episode)) {
                return false;
        }
        *ret_episode = triage_home(view, ret_episode);
        return triage_episode_get(view, ret_episode, &episode) && triage_state_is_open(episode.state);
}

static door_row *pending_key(const door_id *episode, const door_id *child, door_row *r)
{
        return pair_key(TABLE_PENDING_CHILD, episode, child, r);
}

void triage_child_unpend(door_view *view, const door_id *episode, const door_id *child)
{
        door_row key;
        door_id lives[TRIAGE_LIVES_MAX];
        const size_t count = triage_lives_of(view, episode, lives);

        for (size_t i = 0; i < count; i++) {
                if (door_view_has(view, door_row_bytes(pending_key(&lives[i], child, &key)))) {
                        door_view_delete(view, door_row_bytes(&key));
                }
        }
}

void triage_child_leave(door_view *view, const door_id *episode, const door_id *child)
{
        door_row key;
        door_id open;

        if (triage_child_open(view, child, &open) && door_id_equal(&open, episode)) {
                door_view_delete(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_CHILD), child)));
        }
        triage_child_unpend(view, episode, child);
}

void triage_child_put(door_view *view, const door_id *episode, const door_id *child)
{
        door_id open;

        if (!triage_child_open(view, child, &open)) {
                named_put(view, TABLE_CHILD, child, episode);
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
