/*
 * dedup_state.h - what deduplication remembers, byte by byte.
 *
 *   table                 key after the table byte            value
 *   MENTION         0x01  person 10, ~seq u64, index u16      features (dedup_match.c), newest first
 *   PERSON_FAMILY   0x02  person 10, family 10                role u8, life u8, harm u8
 *   FAMILY          0x03  family 10                           v1, seq u64, historic u8
 *   FAMILY_PERSON   0x04  family 10, person 10                role u8, life u8
 *   FAMILY_REFERRAL 0x05  family 10, seq u64                  referral 10
 *   REFERRAL        0x06  referral 10                         v2, family 10, decision u8, seq u64, guarded u8
 *   KEY             0x07  key 9, person 10                    (nothing)
 *   REVIEW          0x08  review 10                           v2, referral 10, family 10, candidate 10,
 *                                                             seq u64, answer u8
 *   HOUSEHOLD       0x09  family 10, address hash 8           household 10
 *   RESIDENT        0x0A  household 10, person 10             seq u64 of the last word of it
 *   COUNT           0x0B  (nothing)                           u64 referrals matched
 *   REDIRECT        0x0C  family 10                           to 10, join 10; for ever, unless undone
 *   INTO            0x0D  to 10, from 10                      (nothing); REDIRECT read backwards
 *   JOIN            0x0E  join 10                             v1, from 10, to 10, seq u64, undone u8
 *   JOIN_REFERRAL   0x0F  join 10, referral 10                (nothing); stood in `from` at the join
 *   NOT_SAME        0x10  family 10, family 10, lower first   (nothing); a person said so
 *   GUARDED         0x11  family 10                           (nothing); some referral of it is
 *   FAMILY_REVIEW   0x12  provisional family 10, review 10    (nothing); open reviews only
 *
 * Integers are big-endian; ~seq is the seq with its bits turned over, so that the latest comes
 * first. Every row but COUNT belongs to a referral, person, family, household, join or review of
 * the record that made it; COUNT is made from headers only. A reader that meets another layout
 * stops (nothing folds an older state anew by itself). A review's sides are the ids it was asked about and
 * are never rewritten: where they stand now is what they redirect to.
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

void dedup_mention_put(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes features);

/* The families a person stands in, at most max; false in *ret_all when there are more. */
size_t dedup_families_of(door_view *view, const door_id *person, door_id *ret_families,
                         dedup_membership *ret_memberships, size_t max, bool *ret_all);
void dedup_membership_put(door_view *view, const door_id *person, const door_id *family,
                          const dedup_membership *membership);

bool dedup_membership_get(door_view *view, const door_id *person, const door_id *family,
                          dedup_membership *ret_membership);
/* The same, but who is a member already keeps role and life: a join says nothing newer. */
void dedup_membership_join(door_view *view, const door_id *person, const door_id *family,
                           const dedup_membership *membership);
void dedup_membership_delete(door_view *view, const door_id *person, const door_id *family);

bool dedup_family_get(door_view *view, const door_id *family, bool *ret_historic);
void dedup_family_put(door_view *view, const door_id *family, uint64_t seq, bool historic);
size_t dedup_members_of(door_view *view, const door_id *family, dedup_member *ret_members, size_t max,
                        bool *ret_all);

typedef struct dedup_referral {
        door_id family;
        uint8_t decision;
        uint64_t seq;
        bool guarded; /* Domestic abuse and the like: see dedup_received. */
} dedup_referral;

bool dedup_referral_get(door_view *view, const door_id *referral, dedup_referral *ret_row);
/* Where it stood until now must have been taken away (dedup_referral_leave). */
void dedup_referral_put(door_view *view, const door_id *referral, const dedup_referral *row);
void dedup_referral_leave(door_view *view, const dedup_referral *row);

/* A referral on a family's timeline. */
typedef struct dedup_standing {
        door_id referral;
        uint64_t seq;
} dedup_standing;

size_t dedup_referrals_of(door_view *view, const door_id *family, dedup_standing *ret_referrals, size_t max,
                          bool *ret_all);
bool dedup_referral_stands(door_view *view, const door_id *family, uint64_t seq);

/* One mention of a person: which referral (by its record's seq), which of its people. */
typedef struct dedup_spot {
        uint64_t seq;
        uint16_t index;
} dedup_spot;

/* A walk over a person's mentions, newest first; features as stored. */
typedef struct dedup_mention_walk {
        door_scan scan;
        uint8_t prefix[1 + DOOR_ID_BYTES];
} dedup_mention_walk;

void dedup_mention_walk_begin(dedup_mention_walk *walk, door_view *view, const door_id *person,
                              size_t rows_max);
bool dedup_mention_walk_next(dedup_mention_walk *walk, dedup_spot *ret_spot, door_bytes *ret_features);
bool dedup_mention_get(door_view *view, const door_id *person, uint64_t seq, uint16_t index,
                       door_bytes *ret_features);
void dedup_mention_delete(door_view *view, const door_id *person, uint64_t seq, uint16_t index);

/* Persons stored under a key, from the first; rows are taken from *rows_left. */
size_t dedup_key_find(door_view *view, const dedup_key *key, door_id *ret_persons, size_t max,
                      size_t *rows_left, bool *ret_more);
void dedup_key_put(door_view *view, const dedup_key *key, const door_id *person);

bool dedup_key_has(door_view *view, const dedup_key *key, const door_id *person);

typedef struct dedup_review {
        door_id referral;
        door_id family;    /* The provisional one, as it was asked. */
        door_id candidate; /* The one it was compared with, as it was asked. */
        uint64_t seq;
        uint8_t answer; /* 0 open, else the verdict that closed it. */
} dedup_review;

bool dedup_review_get(door_view *view, const door_id *review, dedup_review *ret_row);
/* Open reviews are found by their provisional family, answered ones no more. */
void dedup_review_put(door_view *view, const door_id *review, const dedup_review *row);
size_t dedup_reviews_open(door_view *view, const door_id *family, door_id *ret_reviews, size_t max);

bool dedup_household_get(door_view *view, const door_id *family, const uint8_t address[8],
                         door_id *ret_household);
void dedup_household_put(door_view *view, const door_id *family, const uint8_t address[8],
                         const door_id *household);
void dedup_households_copy(door_view *view, const door_id *from, const door_id *to);
void dedup_resident_put(door_view *view, const door_id *household, const door_id *person, uint64_t seq);

/* ---- joins: old ids lead on for ever */

enum {
        /* Joins that lead into one family, counted through: so many hops always suffice. */
        DEDUP_JOINS_MAX = 32,
        DEDUP_HOUSEHOLDS_MAX = 1024,
};

typedef struct dedup_join {
        door_id from;
        door_id to;
        uint64_t seq;
        bool undone;
} dedup_join;

/* One step on; false when the family leads nowhere. */
bool dedup_redirect_get(door_view *view, const door_id *family, door_id *ret_to, door_id *ret_join);
void dedup_redirect_put(door_view *view, const door_id *from, const door_id *to, const door_id *join);
void dedup_redirect_delete(door_view *view, const door_id *from, const door_id *to);
/* Where a family's id leads now: itself when it leads nowhere. */
door_id dedup_resolve(door_view *view, const door_id *family);
/* The family and all that lead to it, counted through; false when there are more than max. */
bool dedup_folded_of(door_view *view, const door_id *family, door_id *ret_families, size_t max,
                     size_t *ret_count);

bool dedup_join_get(door_view *view, const door_id *join, dedup_join *ret_row);
void dedup_join_put(door_view *view, const door_id *join, const dedup_join *row);
bool dedup_join_had(door_view *view, const door_id *join, const door_id *referral);
void dedup_join_had_put(door_view *view, const door_id *join, const door_id *referral);

void dedup_not_same_put(door_view *view, const door_id *a, const door_id *b);
bool dedup_guarded_get(door_view *view, const door_id *family);
void dedup_guarded_put(door_view *view, const door_id *family);

uint64_t dedup_count_get(door_view *view);
void dedup_count_add(door_view *view);

#endif
