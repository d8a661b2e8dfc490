#include "deduplication/dedup_state.h"

#include <string.h>

enum {
        TABLE_MENTION = 0x01,
        TABLE_PERSON_FAMILY = 0x02,
        TABLE_FAMILY = 0x03,
        TABLE_FAMILY_PERSON = 0x04,
        TABLE_FAMILY_REFERRAL = 0x05,
        TABLE_REFERRAL = 0x06,
        TABLE_KEY = 0x07,
        TABLE_REVIEW = 0x08,
        TABLE_HOUSEHOLD = 0x09,
        TABLE_RESIDENT = 0x0A,
        TABLE_COUNT = 0x0B,
        LAYOUT = 1,
        ROW_BYTES_MAX = 64,
};

/* A key or a small value under construction. */
typedef struct row {
        uint8_t bytes[ROW_BYTES_MAX];
        door_writer out;
} row;

static row *row_begin(row *r)
{
        r->out = door_writer_on(r->bytes, sizeof r->bytes);
        return r;
}

static row *key_begin(row *r, uint8_t table)
{
        (void)row_begin(r);
        door_write_u8(&r->out, table);
        return r;
}

static row *add_id(row *r, const door_id *id)
{
        door_write(&r->out, door_id_bytes(id));
        return r;
}

static door_bytes done(const row *r)
{
        return door_written(&r->out);
}

static door_id id_at(door_bytes bytes, size_t at)
{
        door_id id;
        DOOR_REQUIRE(door_id_from_bytes((door_bytes){ bytes.data + at, DOOR_ID_BYTES }, &id));
        return id;
}

size_t dedup_mentions_get(door_view *view, const door_id *person, dedup_features *ret_features, size_t max)
{
        row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, done(add_id(key_begin(&prefix, TABLE_MENTION), person)), DOOR_BYTES_EMPTY,
                       max);
        while (door_scan_next(&scan, &key, &value)) {
                DOOR_REQUIRE(dedup_features_unpack(value, &ret_features[count]));
                count++;
        }
        return count;
}

void dedup_mention_put(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes features)
{
        row key;

        (void)add_id(key_begin(&key, TABLE_MENTION), person);
        door_write_u64(&key.out, ~seq);
        door_write_u16(&key.out, index);
        door_view_put(view, done(&key), features);
}

size_t dedup_families_of(door_view *view, const door_id *person, door_id *ret_families,
                         dedup_membership *ret_memberships, size_t max, bool *ret_all)
{
        row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, done(add_id(key_begin(&prefix, TABLE_PERSON_FAMILY), person)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                door_cursor_in in = door_reading(value);
                ret_families[count] = id_at(key, 1 + DOOR_ID_BYTES);
                if (ret_memberships != NULL) {
                        ret_memberships[count].role = door_read_u8(&in);
                        ret_memberships[count].life = (dedup_life)door_read_u8(&in);
                        ret_memberships[count].harm = door_read_u8(&in);
                        DOOR_REQUIRE(door_read_done(&in));
                }
                count++;
        }
        *ret_all = !scan.truncated;
        return count;
}

void dedup_membership_put(door_view *view, const door_id *person, const door_id *family,
                          const dedup_membership *membership)
{
        row key;
        row value;
        door_bytes before;
        uint8_t harm = membership->harm;

        (void)add_id(add_id(key_begin(&key, TABLE_PERSON_FAMILY), person), family);
        if (door_view_get(view, done(&key), &before)) {
                DOOR_REQUIRE(before.len == 3);
                harm |= before.data[2]; /* Once recorded, a danger stays until a person takes it back. */
        }
        (void)row_begin(&value);
        door_write_u8(&value.out, membership->role);
        door_write_u8(&value.out, (uint8_t)membership->life);
        door_write_u8(&value.out, harm);
        door_view_put(view, done(&key), done(&value));

        (void)add_id(add_id(key_begin(&key, TABLE_FAMILY_PERSON), family), person);
        (void)row_begin(&value);
        door_write_u8(&value.out, membership->role);
        door_write_u8(&value.out, (uint8_t)membership->life);
        door_view_put(view, done(&key), done(&value));
}

void dedup_family_put(door_view *view, const door_id *family, uint64_t seq, bool historic)
{
        row key;
        row value;

        (void)row_begin(&value);
        door_write_u8(&value.out, LAYOUT);
        door_write_u64(&value.out, seq);
        door_write_u8(&value.out, historic ? 1 : 0);
        door_view_put(view, done(add_id(key_begin(&key, TABLE_FAMILY), family)), done(&value));
}

size_t dedup_members_of(door_view *view, const door_id *family, dedup_member *ret_members, size_t max,
                        bool *ret_all)
{
        row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view, done(add_id(key_begin(&prefix, TABLE_FAMILY_PERSON), family)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                DOOR_REQUIRE(value.len == 2);
                ret_members[count].person = id_at(key, 1 + DOOR_ID_BYTES);
                ret_members[count].role = value.data[0];
                ret_members[count].life = (dedup_life)value.data[1];
                count++;
        }
        *ret_all = !scan.truncated;
        return count;
}

void dedup_referral_put(door_view *view, const door_id *referral, const door_id *family, uint8_t decision,
                        uint64_t seq)
{
        row key;
        row value;

        (void)row_begin(&value);
        door_write_u8(&value.out, LAYOUT);
        (void)add_id(&value, family);
        door_write_u8(&value.out, decision);
        door_write_u64(&value.out, seq);
        door_view_put(view, done(add_id(key_begin(&key, TABLE_REFERRAL), referral)), done(&value));

        (void)add_id(key_begin(&key, TABLE_FAMILY_REFERRAL), family);
        door_write_u64(&key.out, seq);
        door_view_put(view, done(&key), door_id_bytes(referral));
}

size_t dedup_key_find(door_view *view, const dedup_key *key, door_id *ret_persons, size_t max,
                      size_t *rows_left, bool *ret_more)
{
        row prefix;
        door_scan scan;
        door_bytes found;
        door_bytes value;
        size_t count = 0;

        (void)key_begin(&prefix, TABLE_KEY);
        door_write(&prefix.out, (door_bytes){ key->bytes, sizeof key->bytes });
        door_scan_init(&scan, view, done(&prefix), DOOR_BYTES_EMPTY, max < *rows_left ? max : *rows_left);
        while (door_scan_next(&scan, &found, &value)) {
                ret_persons[count++] = id_at(found, 1 + sizeof key->bytes);
        }
        *rows_left -= count;
        *ret_more = scan.truncated;
        return count;
}

void dedup_key_put(door_view *view, const dedup_key *key, const door_id *person)
{
        row r;

        (void)key_begin(&r, TABLE_KEY);
        door_write(&r.out, (door_bytes){ key->bytes, sizeof key->bytes });
        (void)add_id(&r, person);
        door_view_put(view, done(&r), DOOR_BYTES_EMPTY);
}

void dedup_review_put(door_view *view, const door_id *review, const door_id *referral, const door_id *family,
                      const door_id *candidate, uint64_t seq)
{
        row key;
        row value;

        (void)row_begin(&value);
        door_write_u8(&value.out, LAYOUT);
        (void)add_id(add_id(add_id(&value, referral), family), candidate);
        door_write_u64(&value.out, seq);
        door_view_put(view, done(add_id(key_begin(&key, TABLE_REVIEW), review)), done(&value));
}

bool dedup_household_get(door_view *view, const door_id *family, const uint8_t address[8],
                         door_id *ret_household)
{
        row key;
        door_bytes value;

        (void)add_id(key_begin(&key, TABLE_HOUSEHOLD), family);
        door_write(&key.out, (door_bytes){ address, 8 });
        return door_view_get(view, done(&key), &value) && door_id_from_bytes(value, ret_household);
}

void dedup_household_put(door_view *view, const door_id *family, const uint8_t address[8],
                         const door_id *household)
{
        row key;

        (void)add_id(key_begin(&key, TABLE_HOUSEHOLD), family);
        door_write(&key.out, (door_bytes){ address, 8 });
        door_view_put(view, done(&key), door_id_bytes(household));
}

void dedup_resident_put(door_view *view, const door_id *household, const door_id *person, uint64_t seq)
{
        row key;
        uint8_t value[8];

        door_put_u64(value, seq);
        door_view_put(view, done(add_id(add_id(key_begin(&key, TABLE_RESIDENT), household), person)),
                      (door_bytes){ value, sizeof value });
}

uint64_t dedup_count_get(door_view *view)
{
        row key;
        door_bytes value;
        return door_view_get(view, done(key_begin(&key, TABLE_COUNT)), &value) ? door_get_u64(value.data) : 0;
}

void dedup_count_add(door_view *view)
{
        row key;
        uint8_t value[8];

        door_put_u64(value, dedup_count_get(view) + 1);
        door_view_put(view, done(key_begin(&key, TABLE_COUNT)), (door_bytes){ value, sizeof value });
}
