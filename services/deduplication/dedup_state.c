#include "deduplication/dedup_state.h"

#include <string.h>

#include "door/row.h"

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
        TABLE_REDIRECT = 0x0C,
        TABLE_INTO = 0x0D,
        TABLE_JOIN = 0x0E,
        TABLE_JOIN_REFERRAL = 0x0F,
        TABLE_NOT_SAME = 0x10,
        TABLE_GUARDED = 0x11,
        TABLE_FAMILY_REVIEW = 0x12,
        LAYOUT = 1,
        REFERRAL_LAYOUT = 2, /* 1 had no guarded. */
        REVIEW_LAYOUT = 2,   /* 1 had no answer. */
};

static door_id id_at(door_bytes bytes, size_t at)
{
        door_id id;
        DOOR_REQUIRE(door_id_from_bytes((door_bytes){ bytes.data + at, DOOR_ID_BYTES }, &id));
        return id;
}

static door_row *mention_key(door_row *key, const door_id *person, uint64_t seq, uint16_t index)
{
        (void)door_row_id(door_row_begin(key, TABLE_MENTION), person);
        door_write_u64(&key->out, ~seq);
        door_write_u16(&key->out, index);
        return key;
}

void dedup_mention_put(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes features)
{
        door_row key;
        door_view_put(view, door_row_bytes(mention_key(&key, person, seq, index)), features);
}

bool dedup_mention_get(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes *ret_features)
{
        door_row key;
        return door_view_get(view, door_row_bytes(mention_key(&key, person, seq, index)), ret_features);
}

void dedup_mention_delete(door_view *view, const door_id *person, uint64_t seq, uint16_t index)
{
        door_row key;
        door_view_delete(view, door_row_bytes(mention_key(&key, person, seq, index)));
}

void dedup_mention_walk_begin(dedup_mention_walk *walk, door_view *view, const door_id *person,
                              size_t rows_max)
{
        door_writer w = door_writer_on(walk->prefix, sizeof walk->prefix);

        door_write_u8(&w, TABLE_MENTION);
        door_write(&w, door_id_bytes(person));
        door_scan_init(&walk->scan, view, door_written(&w), DOOR_BYTES_EMPTY, rows_max);
}

bool dedup_mention_walk_next(dedup_mention_walk *walk, dedup_spot *ret_spot, door_bytes *ret_features)
{
        door_bytes key;

        if (!door_scan_next(&walk->scan, &key, ret_features)) {
                return false;
        }
        DOOR_REQUIRE(key.len == sizeof walk->prefix + 10);
        ret_spot->seq = ~door_get_u64(key.data + sizeof walk->prefix);
        ret_spot->index = door_get_u16(key.data + sizeof walk->prefix + 8);
        return true;
}

size_t dedup_families_of(door_view *view, const door_id *person, door_id *ret_families,
                         dedup_membership *ret_memberships, size_t max, bool *ret_all)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view,
                       door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_PERSON_FAMILY), person)),
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

bool dedup_membership_get(door_view *view, const door_id *person, const door_id *family,
                          dedup_membership *ret_membership)
{
        door_row key;
        door_bytes value;

        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_PERSON_FAMILY), person), family);
        if (!door_view_get(view, door_row_bytes(&key), &value)) {
                return false;
        }
        DOOR_REQUIRE(value.len == 3);
        *ret_membership = (dedup_membership){ .role = value.data[0],
                                              .life = (dedup_life)value.data[1],
                                              .harm = value.data[2] };
        return true;
}

void dedup_membership_put(door_view *view, const door_id *person, const door_id *family,
                          const dedup_membership *membership)
{
        door_row key;
        door_row value;
        dedup_membership before;
        uint8_t harm = membership->harm;

        if (dedup_membership_get(view, person, family, &before)) {
                harm |= before.harm; /* Once recorded, a danger stays until a person takes it back. */
        }
        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_PERSON_FAMILY), person), family);
        (void)door_row_begin(&value, membership->role);
        door_write_u8(&value.out, (uint8_t)membership->life);
        door_write_u8(&value.out, harm);
        door_view_put(view, door_row_bytes(&key), door_row_bytes(&value));

        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_FAMILY_PERSON), family), person);
        (void)door_row_begin(&value, membership->role);
        door_write_u8(&value.out, (uint8_t)membership->life);
        door_view_put(view, door_row_bytes(&key), door_row_bytes(&value));
}

void dedup_membership_join(door_view *view, const door_id *person, const door_id *family,
                           const dedup_membership *membership)
{
        dedup_membership joined = *membership;
        dedup_membership before;

        if (dedup_membership_get(view, person, family, &before)) {
                joined.role = before.role;
                joined.life = before.life;
        }
        dedup_membership_put(view, person, family, &joined);
}

void dedup_membership_delete(door_view *view, const door_id *person, const door_id *family)
{
        door_row key;

        door_view_delete(view,
                         door_row_bytes(door_row_id(
                                 door_row_id(door_row_begin(&key, TABLE_PERSON_FAMILY), person), family)));
        door_view_delete(view,
                         door_row_bytes(door_row_id(
                                 door_row_id(door_row_begin(&key, TABLE_FAMILY_PERSON), family), person)));
}

bool dedup_family_get(door_view *view, const door_id *family, bool *ret_historic)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_FAMILY), family)),
                           &value)) {
                return false;
        }
        DOOR_REQUIRE(value.len == 10 && value.data[0] == LAYOUT);
        *ret_historic = value.data[9] != 0;
        return true;
}

void dedup_family_put(door_view *view, const door_id *family, uint64_t seq, bool historic)
{
        door_row key;
        door_row value;

        (void)door_row_begin(&value, LAYOUT);
        door_write_u64(&value.out, seq);
        door_write_u8(&value.out, historic ? 1 : 0);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_FAMILY), family)),
                      door_row_bytes(&value));
}

size_t dedup_members_of(door_view *view, const door_id *family, dedup_member *ret_members, size_t max,
                        bool *ret_all)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view,
                       door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_FAMILY_PERSON), family)),
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

static door_row *standing_key(door_row *key, const door_id *family, uint64_t seq)
{
        (void)door_row_id(door_row_begin(key, TABLE_FAMILY_REFERRAL), family);
        door_write_u64(&key->out, seq);
        return key;
}

bool dedup_referral_get(door_view *view, const door_id *referral, dedup_referral *ret_row)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)),
                           &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == REFERRAL_LAYOUT);
        DOOR_REQUIRE(door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->family));
        ret_row->decision = door_read_u8(&in);
        ret_row->seq = door_read_u64(&in);
        ret_row->guarded = door_read_u8(&in) != 0;
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void dedup_referral_put(door_view *view, const door_id *referral, const dedup_referral *r)
{
        door_row key;
        door_row value;

        (void)door_row_begin(&value, REFERRAL_LAYOUT);
        (void)door_row_id(&value, &r->family);
        door_write_u8(&value.out, r->decision);
        door_write_u64(&value.out, r->seq);
        door_write_u8(&value.out, r->guarded ? 1 : 0);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REFERRAL), referral)),
                      door_row_bytes(&value));
        door_view_put(view, door_row_bytes(standing_key(&key, &r->family, r->seq)), door_id_bytes(referral));
}

void dedup_referral_leave(door_view *view, const dedup_referral *r)
{
        door_row key;
        door_view_delete(view, door_row_bytes(standing_key(&key, &r->family, r->seq)));
}

size_t dedup_referrals_of(door_view *view, const door_id *family, dedup_standing *ret_referrals, size_t max,
                          bool *ret_all)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view,
                       door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_FAMILY_REFERRAL), family)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                ret_referrals[count].seq = door_get_u64(key.data + 1 + DOOR_ID_BYTES);
                ret_referrals[count].referral = id_at(value, 0);
                count++;
        }
        *ret_all = !scan.truncated;
        return count;
}

bool dedup_referral_stands(door_view *view, const door_id *family, uint64_t seq)
{
        door_row key;
        return door_view_has(view, door_row_bytes(standing_key(&key, family, seq)));
}

size_t dedup_key_find(door_view *view, const dedup_key *key, door_id *ret_persons, size_t max,
                      size_t *rows_left, bool *ret_more)
{
        door_row prefix;
        door_scan scan;
        door_bytes found;
        door_bytes value;
        size_t count = 0;

        (void)door_row_begin(&prefix, TABLE_KEY);
        door_write(&prefix.out, (door_bytes){ key->bytes, sizeof key->bytes });
        door_scan_init(&scan, view, door_row_bytes(&prefix), DOOR_BYTES_EMPTY,
                       max < *rows_left ? max : *rows_left);
        while (door_scan_next(&scan, &found, &value)) {
                ret_persons[count++] = id_at(found, 1 + sizeof key->bytes);
        }
        *rows_left -= count;
        *ret_more = scan.truncated;
        return count;
}

void dedup_key_put(door_view *view, const dedup_key *key, const door_id *person)
{
        door_row r;

        (void)door_row_begin(&r, TABLE_KEY);
        door_write(&r.out, (door_bytes){ key->bytes, sizeof key->bytes });
        (void)door_row_id(&r, person);
        door_view_put(view, door_row_bytes(&r), DOOR_BYTES_EMPTY);
}

bool dedup_key_has(door_view *view, const dedup_key *key, const door_id *person)
{
        door_row r;

        (void)door_row_begin(&r, TABLE_KEY);
        door_write(&r.out, (door_bytes){ key->bytes, sizeof key->bytes });
        return door_view_has(view, door_row_bytes(door_row_id(&r, person)));
}

bool dedup_review_get(door_view *view, const door_id *review, dedup_review *ret_row)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REVIEW), review)),
                           &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == REVIEW_LAYOUT);
        DOOR_REQUIRE(door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->referral) &&
                     door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->family) &&
                     door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->candidate));
        ret_row->seq = door_read_u64(&in);
        ret_row->answer = door_read_u8(&in);
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void dedup_review_put(door_view *view, const door_id *review, const dedup_review *r)
{
        door_row key;
        door_row value;

        (void)door_row_begin(&value, REVIEW_LAYOUT);
        (void)door_row_id(door_row_id(door_row_id(&value, &r->referral), &r->family), &r->candidate);
        door_write_u64(&value.out, r->seq);
        door_write_u8(&value.out, r->answer);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REVIEW), review)),
                      door_row_bytes(&value));
        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_FAMILY_REVIEW), &r->family), review);
        if (r->answer == 0) {
                door_view_put(view, door_row_bytes(&key), DOOR_BYTES_EMPTY);
        } else {
                door_view_delete(view, door_row_bytes(&key));
        }
}

size_t dedup_reviews_open(door_view *view, const door_id *family, door_id *ret_reviews, size_t max)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;
        size_t count = 0;

        door_scan_init(&scan, view,
                       door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_FAMILY_REVIEW), family)),
                       DOOR_BYTES_EMPTY, max);
        while (door_scan_next(&scan, &key, &value)) {
                ret_reviews[count++] = id_at(key, 1 + DOOR_ID_BYTES);
        }
        return count;
}

bool dedup_household_get(door_view *view, const door_id *family, const uint8_t address[8],
                         door_id *ret_household)
{
        door_row key;
        door_bytes value;

        (void)door_row_id(door_row_begin(&key, TABLE_HOUSEHOLD), family);
        door_write(&key.out, (door_bytes){ address, 8 });
        return door_view_get(view, door_row_bytes(&key), &value) && door_id_from_bytes(value, ret_household);
}

void dedup_household_put(door_view *view, const door_id *family, const uint8_t address[8],
                         const door_id *household)
{
        door_row key;

        (void)door_row_id(door_row_begin(&key, TABLE_HOUSEHOLD), family);
        door_write(&key.out, (door_bytes){ address, 8 });
        door_view_put(view, door_row_bytes(&key), door_id_bytes(household));
}

void dedup_households_copy(door_view *view, const door_id *from, const door_id *to)
{
        door_row prefix;
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_scan_init(&scan, view,
                       door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_HOUSEHOLD), from)),
                       DOOR_BYTES_EMPTY, DEDUP_HOUSEHOLDS_MAX);
        while (door_scan_next(&scan, &key, &value)) {
                const uint8_t *address = key.data + 1 + DOOR_ID_BYTES;
                const door_id household = id_at(value, 0);
                door_id known;
                if (!dedup_household_get(view, to, address, &known)) {
                        dedup_household_put(view, to, address, &household);
                }
        }
}

void dedup_resident_put(door_view *view, const door_id *household, const door_id *person, uint64_t seq)
{
        door_row key;
        uint8_t value[8];

        door_put_u64(value, seq);
        door_view_put(view,
                      door_row_bytes(door_row_id(door_row_id(door_row_begin(&key, TABLE_RESIDENT), household),
                                                 person)),
                      (door_bytes){ value, sizeof value });
}

/* ---- joins */

bool dedup_redirect_get(door_view *view, const door_id *family, door_id *ret_to, door_id *ret_join)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REDIRECT), family)),
                           &value)) {
                return false;
        }
        DOOR_REQUIRE(value.len == 2 * DOOR_ID_BYTES);
        *ret_to = id_at(value, 0);
        *ret_join = id_at(value, DOOR_ID_BYTES);
        return true;
}

void dedup_redirect_put(door_view *view, const door_id *from, const door_id *to, const door_id *join)
{
        door_row key;
        uint8_t value[2 * DOOR_ID_BYTES];

        memcpy(value, to->bytes, DOOR_ID_BYTES);
        memcpy(value + DOOR_ID_BYTES, join->bytes, DOOR_ID_BYTES);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REDIRECT), from)),
                      (door_bytes){ value, sizeof value });
        door_view_put(view,
                      door_row_bytes(door_row_id(door_row_id(door_row_begin(&key, TABLE_INTO), to), from)),
                      DOOR_BYTES_EMPTY);
}

void dedup_redirect_delete(door_view *view, const door_id *from, const door_id *to)
{
        door_row key;

        door_view_delete(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_REDIRECT), from)));
        door_view_delete(
                view, door_row_bytes(door_row_id(door_row_id(door_row_begin(&key, TABLE_INTO), to), from)));
}

door_id dedup_resolve(door_view *view, const door_id *family)
{
        door_id at = *family;
        door_id next;
        door_id join;

        for (size_t hops = 0; hops < DEDUP_JOINS_MAX && dedup_redirect_get(view, &at, &next, &join); hops++) {
                at = next;
        }
        return at;
}

bool dedup_folded_of(door_view *view, const door_id *family, door_id *ret_families, size_t max,
                     size_t *ret_count)
{
        size_t count = 1;

        ret_families[0] = *family;
        for (size_t i = 0; i < count; i++) {
                door_row prefix;
                door_scan scan;
                door_bytes key;
                door_bytes value;
                door_scan_init(
                        &scan, view,
                        door_row_bytes(door_row_id(door_row_begin(&prefix, TABLE_INTO), &ret_families[i])),
                        DOOR_BYTES_EMPTY, max - count);
                while (door_scan_next(&scan, &key, &value)) {
                        ret_families[count++] = id_at(key, 1 + DOOR_ID_BYTES);
                }
                if (scan.truncated) {
                        *ret_count = count;
                        return false;
                }
        }
        *ret_count = count;
        return true;
}

bool dedup_join_get(door_view *view, const door_id *join, dedup_join *ret_row)
{
        door_row key;
        door_bytes value;

        if (!door_view_get(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_JOIN), join)),
                           &value)) {
                return false;
        }
        door_cursor_in in = door_reading(value);
        DOOR_REQUIRE(door_read_u8(&in) == LAYOUT);
        DOOR_REQUIRE(door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->from) &&
                     door_id_from_bytes(door_read(&in, DOOR_ID_BYTES), &ret_row->to));
        ret_row->seq = door_read_u64(&in);
        ret_row->undone = door_read_u8(&in) != 0;
        DOOR_REQUIRE(door_read_done(&in));
        return true;
}

void dedup_join_put(door_view *view, const door_id *join, const dedup_join *j)
{
        door_row key;
        door_row value;

        (void)door_row_begin(&value, LAYOUT);
        (void)door_row_id(door_row_id(&value, &j->from), &j->to);
        door_write_u64(&value.out, j->seq);
        door_write_u8(&value.out, j->undone ? 1 : 0);
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_JOIN), join)),
                      door_row_bytes(&value));
}

bool dedup_join_had(door_view *view, const door_id *join, const door_id *referral)
{
        door_row key;
        return door_view_has(
                view, door_row_bytes(door_row_id(door_row_id(door_row_begin(&key, TABLE_JOIN_REFERRAL), join),
                                                 referral)));
}

void dedup_join_had_put(door_view *view, const door_id *join, const door_id *referral)
{
        door_row key;
        door_view_put(view,
                      door_row_bytes(door_row_id(door_row_id(door_row_begin(&key, TABLE_JOIN_REFERRAL), join),
                                                 referral)),
                      DOOR_BYTES_EMPTY);
}

void dedup_not_same_put(door_view *view, const door_id *a, const door_id *b)
{
        const bool in_order = memcmp(a->bytes, b->bytes, DOOR_ID_BYTES) < 0;
        door_row key;

        (void)door_row_id(door_row_id(door_row_begin(&key, TABLE_NOT_SAME), in_order ? a : b),
                          in_order ? b : a);
        door_view_put(view, door_row_bytes(&key), DOOR_BYTES_EMPTY);
}

bool dedup_guarded_get(door_view *view, const door_id *family)
{
        door_row key;
        return door_view_has(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_GUARDED), family)));
}

void dedup_guarded_put(door_view *view, const door_id *family)
{
        door_row key;
        door_view_put(view, door_row_bytes(door_row_id(door_row_begin(&key, TABLE_GUARDED), family)),
                      DOOR_BYTES_EMPTY);
}

uint64_t dedup_count_get(door_view *view)
{
        door_row key;
        door_bytes value;
        return door_view_get(view, door_row_bytes(door_row_begin(&key, TABLE_COUNT)), &value)
                       ? door_get_u64(value.data)
                       : 0;
}

void dedup_count_add(door_view *view)
{
        door_row key;
        uint8_t value[8];

        door_put_u64(value, dedup_count_get(view) + 1);
        door_view_put(view, door_row_bytes(door_row_begin(&key, TABLE_COUNT)),
                      (door_bytes){ value, sizeof value });
}
