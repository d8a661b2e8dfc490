/*
 * dedup_match.h - how alike two mentions of a person are, in 1/1024 bit.
 *
 * This is the seam where the matching library will stand: features in, a weight with its
 * steps out, integers only, nothing of referrals or storage in it. The first scoring is the
 * model of Fellegi and Sunter (1969) with fixed weights: each column adds the logarithm of
 * how much likelier its agreement level is for one person than for two. Missing adds nothing
 * and is never disagreement. Weights are judgement on English data (tests/data), not trained;
 * DEDUP_SCORING_VERSION stands in every decision made with them.
 *
 * Evidence of the household (address, a shared surname) is kept apart from evidence of the
 * person, because it speaks for the family once, not once for each of its members, and never
 * makes two children of one house the same child.
 */
#ifndef DEDUP_MATCH_H
#define DEDUP_MATCH_H

#include "door/bytes.h"
#include "door/calendar.h"

enum {
        DEDUP_SCORING_VERSION = 1,
        DEDUP_FEATURES_VERSION = 1,
        DEDUP_NAME_BYTES_MAX = 96, /* A folded name longer than this is cut. */
        DEDUP_KEYS_MAX = 10,
        DEDUP_STEPS_MAX = 10,
        DEDUP_BIT = 1024, /* One bit of weight. */
        DEDUP_NO_DAY = INT32_MIN,
        DEDUP_NO_AGE = 0xFFFF,
        DEDUP_FEATURES_BYTES_MAX = 1024,
};

typedef enum dedup_life {
        DEDUP_LIFE_UNKNOWN = 0,
        DEDUP_LIFE_CHILD,
        DEDUP_LIFE_UNBORN,
        DEDUP_LIFE_ADULT,
        DEDUP_LIFE_PROFESSIONAL, /* Foster carers and staff: a person, never family. */
} dedup_life;

typedef enum dedup_dob_kind {
        DEDUP_DOB_NONE = 0,
        DEDUP_DOB_DAY,
        DEDUP_DOB_DEFAULT, /* 1 January: as often a filler as a birthday. */
        DEDUP_DOB_MONTH,
        DEDUP_DOB_YEAR,
} dedup_dob_kind;

/* A mention, normalised. Ranges are borrowed: folded lower case, single blanks, no marks. */
typedef struct dedup_features {
        uint8_t role; /* Role of referral.proto */
        uint8_t sex;  /* 0 not known, 1 female, 2 male */
        dedup_life life;
        dedup_dob_kind dob_kind;
        int32_t dob_days;
        int32_t edd_days;   /* DEDUP_NO_DAY when none. */
        uint16_t age_years; /* As said on said_days; DEDUP_NO_AGE when not. */
        int32_t said_days;  /* When the mention was made. */
        door_bytes given;
        door_bytes middle;
        door_bytes known_as;
        door_bytes surname;
        door_bytes former; /* A former or other surname. */
        door_bytes postcode;
        door_bytes house; /* The address's numbers and first words, folded. */
        door_bytes nhs;
        door_bytes upn;
        bool nhs_doubtful; /* Fails its check digit. */
        bool upn_doubtful;
} dedup_features;

/* Stored form; false when it does not fit DEDUP_FEATURES_BYTES_MAX or does not read back. */
bool dedup_features_pack(const dedup_features *features, door_writer *out);
bool dedup_features_unpack(door_bytes bytes, dedup_features *ret_features);

static inline bool dedup_is_child(dedup_life life)
{
        return life == DEDUP_LIFE_CHILD || life == DEDUP_LIFE_UNBORN;
}

/* Where somebody lives, as a key within the family; false when nobody said. */
bool dedup_address_key(const dedup_features *features, uint8_t out[8]);

/* What a comparison looked at; numbers of CompareColumn in deduplication.proto. */
typedef enum dedup_column {
        DEDUP_COLUMN_PRIOR = 0,
        DEDUP_COLUMN_GIVEN = 1,
        DEDUP_COLUMN_SURNAME = 2,
        DEDUP_COLUMN_SWAPPED = 3,
        DEDUP_COLUMN_DOB = 4,
        DEDUP_COLUMN_ADDRESS = 5,
        DEDUP_COLUMN_NHS = 6,
        DEDUP_COLUMN_UPN = 7,
        DEDUP_COLUMN_SEX = 11,
        DEDUP_COLUMN_TWIN = 14,
        DEDUP_COLUMN_ROLE = 15,
        DEDUP_COLUMN_MIDDLE = 16,
} dedup_column;

typedef struct dedup_step {
        dedup_column column;
        uint8_t level; /* 0 the best agreement of its column. */
        int32_t weight;
} dedup_step;

typedef struct dedup_comparison {
        int32_t person;  /* Everything but address and surname. */
        int32_t surname; /* Counted once for a family. */
        int32_t address; /* Counted once for a family. */
        int32_t total;   /* All three: for the person. */
        uint8_t strong;  /* Independent strong agreements. */
        uint8_t strong_not_address;
        bool identifier_conflict;
        bool twin; /* One birth date and surname, other forename. */
        bool default_date;
        uint8_t steps_count;
        dedup_step steps[DEDUP_STEPS_MAX];
} dedup_comparison;

void dedup_compare(const dedup_features *a, const dedup_features *b, dedup_comparison *ret_comparison);

/* Blocking: a mention is found by any key it shares with another. type ‖ 8 bytes of BLAKE2b. */
typedef struct dedup_key {
        uint8_t bytes[9];
} dedup_key;

/* Keys to be stored under, and (searching) those of plausible errors too. */
size_t dedup_keys(const dedup_features *features, bool searching, dedup_key keys[DEDUP_KEYS_MAX]);

/* Jaro-Winkler in 1/1000, prefix scale 0.1 up to 4. Source: W. Winkler 1990. */
uint32_t dedup_similarity(door_bytes a, door_bytes b);
/* American Soundex of the last word: letter and three digits, NUL. "" without a letter. */
void dedup_soundex(door_bytes name, char out[5]);

#endif
