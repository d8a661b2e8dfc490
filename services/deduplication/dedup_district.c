#include "deduplication/dedup_district.h"

#include <string.h>

enum { POSTCODE_BYTES = 7, OUTWARD_BYTES = 4, INWARD_BYTES = 3 };

static const uint8_t *row_at(const dedup_postcodes *table, size_t i)
{
        return table->rows.data + i * DEDUP_POSTCODE_ROW_BYTES;
}

static size_t rows_of(const dedup_postcodes *table)
{
        return table->rows.len / DEDUP_POSTCODE_ROW_BYTES;
}

bool dedup_postcodes_are_sound(const dedup_postcodes *table)
{
        if (table->rows.len % DEDUP_POSTCODE_ROW_BYTES != 0) {
                return false;
        }
        for (size_t i = 0; i < rows_of(table); i++) {
                if (row_at(table, i)[POSTCODE_BYTES] >= table->districts_count ||
                    (i > 0 && memcmp(row_at(table, i - 1), row_at(table, i), POSTCODE_BYTES) >= 0)) {
                        return false;
                }
        }
        return true;
}

/* The outward part padded to four, then three: "GL1 1AA" and "GL501AA". */
static bool key_of(door_bytes postcode, uint8_t out[POSTCODE_BYTES])
{
        if (postcode.len < INWARD_BYTES + 2 || postcode.len > OUTWARD_BYTES + 1 + INWARD_BYTES) {
                return false;
        }
        const size_t outward = postcode.len - INWARD_BYTES - 1;
        if (postcode.data[outward] != ' ') {
                return false;
        }
        memset(out, ' ', POSTCODE_BYTES);
        memcpy(out, postcode.data, outward);
        memcpy(out + OUTWARD_BYTES, postcode.data + outward + 1, INWARD_BYTES);
        return true;
}

/* The first row that is not before the key, looking at the first `bytes` of both. */
static size_t lower_bound(const dedup_postcodes *table, const uint8_t *key, size_t bytes)
{
        size_t from = 0;
        size_t to = rows_of(table);

        while (from < to) {
                const size_t middle = from + (to - from) / 2;
                if (memcmp(row_at(table, middle), key, bytes) < 0) {
                        from = middle + 1;
                } else {
                        to = middle;
                }
        }
        return from;
}

static bool stands_at(const dedup_postcodes *table, size_t i, const uint8_t *key, size_t bytes)
{
        return i < rows_of(table) && memcmp(row_at(table, i), key, bytes) == 0;
}

dedup_place dedup_place_of(const dedup_postcodes *table, door_bytes postcode, door_bytes *ret_district)
{
        uint8_t key[POSTCODE_BYTES];

        if (rows_of(table) == 0 || !key_of(postcode, key)) {
                return DEDUP_PLACE_UNKNOWN;
        }
        const size_t exact = lower_bound(table, key, POSTCODE_BYTES);
        if (stands_at(table, exact, key, POSTCODE_BYTES)) {
                *ret_district = table->districts[row_at(table, exact)[POSTCODE_BYTES]];
                return DEDUP_PLACE_DISTRICT;
        }
        return stands_at(table, lower_bound(table, key, OUTWARD_BYTES), key, OUTWARD_BYTES)
                       ? DEDUP_PLACE_UNKNOWN
                       : DEDUP_PLACE_OUT_OF_COUNTY;
}

dedup_place dedup_place_of_referral(const dedup_postcodes *table, const dedup_received *received,
                                    door_bytes *ret_district)
{
        static const dedup_life order[] = { DEDUP_LIFE_CHILD, DEDUP_LIFE_UNBORN, DEDUP_LIFE_ADULT };
        dedup_place best = DEDUP_PLACE_UNKNOWN;

        for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
                for (size_t i = 0; i < received->mentions_count; i++) {
                        const dedup_features *f = &received->mentions[i].features;
                        const dedup_place place = f->life != order[k]
                                                          ? DEDUP_PLACE_UNKNOWN
                                                          : dedup_place_of(table, f->postcode, ret_district);
                        if (place == DEDUP_PLACE_DISTRICT) {
                                return place;
                        }
                        if (place == DEDUP_PLACE_OUT_OF_COUNTY) {
                                best = place;
                        }
                }
        }
        return best;
}
