/*
 * dedup_district.h - which district a referral belongs to, by the postcodes of its people.
 *
 *      postcode ──► the county's table (policy) ──► district │ out of county │ not known
 *
 * Decided here and stored in ReferralMatched, because triage and allocation see no address. The
 * table is exact: a postcode that is not in it is not guessed to be next door. A mistyped one (its
 * outward part is the county's) is not known; another outward part is out of county.
 */
#ifndef DEDUP_DISTRICT_H
#define DEDUP_DISTRICT_H

#include "deduplication/dedup_core.h"

enum { DEDUP_POSTCODE_ROW_BYTES = 8 };

/* False when the rows are no sorted list of known districts. */
bool dedup_postcodes_are_sound(const dedup_postcodes *table);

typedef enum dedup_place {
        DEDUP_PLACE_UNKNOWN = 0,
        DEDUP_PLACE_DISTRICT,
        DEDUP_PLACE_OUT_OF_COUNTY,
} dedup_place;

/* postcode is as door_postcode_read prints it. */
dedup_place dedup_place_of(const dedup_postcodes *table, door_bytes postcode, door_bytes *ret_district);

/* The first born child's, else any child's, else the first adult's who has one. Professionals' never. */
dedup_place dedup_place_of_referral(const dedup_postcodes *table, const dedup_received *received,
                                    door_bytes *ret_district);

#endif
