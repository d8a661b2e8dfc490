/*
 * dedup_state.h - what deduplication remembers, byte by byte.
 *
 *   table                 key after the table byte            value
 *   MENTION         0x01  person 10, ~seq u64, index u16      features (dedup_match.c), newest first
 *   PERSON_FAMILY   0x02  person 10, family 10                role u8, life u8, harm u8
 *   FAMILY          0x03  family 10                           v1, seq u64, historic u8
 *   FAMILY_PERSON   0x04  family 10, person 10                role u8, life u8
 *   FAMILY_REFERRAL 0x05  family 10, seq u64                  referral 10
 *   REFERRAL        0x06  referral 10                         v1, family 10, decision u8, seq u64
 *   KEY             0x07  key 9, person 10                    (nothing)
 *   REVIEW          0x08  review 10                           v1, referral 10, family 10, candidate 10, seq
 * u64 HOUSEHOLD       0x09  family 10, address hash 8           household 10 RESIDENT        0x0A  household
 * 10, person 10             seq u64 of the last word of it COUNT           0x0B  (nothing) u64 referrals
 * matched
 *
 * Integers are big-endian; ~seq is the seq with its bits turned over, so that the latest comes
 * first. Every row but COUNT belongs to a referral, person, family or household of the record
 * that made it; COUNT is made from headers only. A reader that meets another layout stops.
 */
#ifndef DEDUP_STATE_H
#define DEDUP_STATE_H

#include "deduplication/dedup_match.h"
#include "door/id.h"
#include "door/view.h"

typedef enum dedup_harm {
        DEDUP_HARM_ALLEGED = 1,   /* alleged to have caused harm in some referral */
        DEDUP_HARM_DANGEROUS = 2, /* recorded as a person who may harm children */
        DEDUP_HARM_NO_CONTACT = 4,
        DEDUP_HARM_REMOVED = 8, /* parent of a removed or protected child */
} dedup_harm;

typedef struct dedup_membership {
        uint8_t role;
        dedup_life life;
        uint8_t harm; /* dedup_harm bits; of this person in this family. */
} dedup_membership;

typedef struct dedup_member {
        door_id person;
        uint8_t role;
        dedup_life life;
} dedup_member;

/* The newest mentions of a person, at most max; features are borrowed from the view's arena. */
size_t dedup_mentions_get(door_view *view, const door_id *person, dedup_features *ret_features, size_t max);
void dedup_mention_put(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes features);

/* The families a person stands in, at most max; false in *ret_all when there are more. */
size_t dedup_families_of(door_view *view, const door_id *person, door_id *ret_families,
                         dedup_membership *ret_memberships, size_t max, bool *ret_all);
void dedup_membership_put(door_view *view, const door_id *person, const door_id *family,
                          const dedup_membership *membership);

void dedup_family_put(door_view *view, const door_id *family, uint64_t seq, bool historic);
size_t dedup_members_of(door_view *view, const door_id *family, dedup_member *ret_members, size_t max,
                        bool *ret_all);

void dedup_referral_put(door_view *view, const door_id *referral, const door_id *family, uint8_t decision,
                        uint64_t seq);

/* Persons stored under a key, from the first; rows are taken from *rows_left. */
size_t dedup_key_find(door_view *view, const dedup_key *key, door_id *ret_persons, size_t max,
                      size_t *rows_left, bool *ret_more);
void dedup_key_put(door_view *view, const dedup_key *key, const door_id *person);

void dedup_review_put(door_view *view, const door_id *review, const door_id *referral, const door_id *family,
                      const door_id *candidate, uint64_t seq);

bool dedup_household_get(door_view *view, const door_id *family, const uint8_t address[8],
                         door_id *ret_household);
void dedup_household_put(door_view *view, const door_id *family, const uint8_t address[8],
                         const door_id *household);
void dedup_resident_put(door_view *view, const door_id *household, const door_id *person, uint64_t seq);

uint64_t dedup_count_get(door_view *view);
void dedup_count_add(door_view *view);

#endif
