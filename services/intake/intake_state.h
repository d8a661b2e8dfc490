/*
 * intake_state.h - what intake remembers, byte by byte.
 *
 * Every row belongs to exactly one referral and is made from one of its records, so that
 * erasing a referral knows what to take and a replay without it leaves the same bytes
 * (MECHANISM section 1). Nothing here is ever overwritten by another referral.
 *
 *   table             key after the table byte                      value (all begin with version 1)
 *   KEY       0x01    key digest 32                                 referral 10, received u64, content
 *                                                                   digest 32, warnings
 *   REFERRAL  0x02    referral 10                                   received u64, historic u8, agency
 *                                                                   (u16 length), key digest 32, likeness
 *                                                                   digest 32, has reference u8, reference
 *                                                                   digest 32, withdrawals u32,
 *                                                                   amendments u32, attempts u32
 *   CONTENT   0x03    referral 10, part u8, number u32              the packed Referral
 *   RESEND    0x04    digest 32, ~received u64, referral 10         nothing more
 *   ATTEMPT   0x05    referral 10, content digest 32                number u32
 *
 *   warnings: count u8, then per warning field u16, person u16, code u16.
 *
 * Integers are big-endian. ~received (all bits turned over) makes the latest come first.
 * A reader that meets another version, or a row of the wrong length, meets a bug: state is
 * rebuilt from the log when its layout changes, never migrated. It stops (DOOR_REQUIRE).
 *
 * To change a layout: the table above, INTAKE_STATE_VERSION, put and get, test_intake_core.c.
 */
#ifndef INTAKE_STATE_H
#define INTAKE_STATE_H

#include "door/hash.h"
#include "door/id.h"
#include "door/view.h"

enum {
        INTAKE_TABLE_KEY = 0x01,
        INTAKE_TABLE_REFERRAL = 0x02,
        INTAKE_TABLE_CONTENT = 0x03,
        INTAKE_TABLE_RESEND = 0x04,
        INTAKE_TABLE_ATTEMPT = 0x05,

        INTAKE_STATE_VERSION = 1,
        INTAKE_AGENCY_BYTES_MAX = 64,
        INTAKE_WARNINGS_MAX = 64, /* The last of a full list says that it was cut. */
};

enum { INTAKE_NO_PERSON = 0xFFFF };

/* Something to ask the sender about, on a referral that was kept. */
typedef struct intake_warning {
        uint16_t field;  /* intake_field */
        uint16_t person; /* Index into people, INTAKE_NO_PERSON when the field is not a person's. */
        uint16_t code;   /* WarningCode of intake.proto */
} intake_warning;

typedef struct intake_warnings {
        size_t count;
        intake_warning items[INTAKE_WARNINGS_MAX];
} intake_warnings;

/* Row of KEY: what an agency's key stands for. */
typedef struct intake_key {
        door_id referral;
        uint64_t received_at_ms;
        door_hash content_digest;
        intake_warnings warnings;
} intake_key;

/* Row of REFERRAL. */
typedef struct intake_referral {
        uint64_t received_at_ms;
        bool historic;
        door_bytes agency; /* Borrowed; 1..INTAKE_AGENCY_BYTES_MAX bytes. */
        door_hash key_digest;
        door_hash likeness_digest;
        bool has_reference;
        door_hash reference_digest;
        uint32_t withdrawals;
        uint32_t amendments;
        uint32_t attempts;
} intake_referral;

bool intake_key_get(door_view *view, const door_hash *key_digest, intake_key *ret_key);
void intake_key_put(door_view *view, const door_hash *key_digest, const intake_key *key);

bool intake_referral_get(door_view *view, const door_id *id, intake_referral *ret_referral);
void intake_referral_put(door_view *view, const door_id *id, const intake_referral *referral);

/* part and number as ContentPart and Fetch.number of intake.proto. */
bool intake_content_get(door_view *view, const door_id *id, uint8_t part, uint32_t number,
                        door_bytes *ret_content);
void intake_content_put(door_view *view, const door_id *id, uint8_t part, uint32_t number,
                        door_bytes content);

/* The latest referral of this digest received in from_ms..to_ms. */
bool intake_resend_find(door_view *view, const door_hash *digest, uint64_t from_ms, uint64_t to_ms,
                        door_id *ret_referral);
void intake_resend_put(door_view *view, const door_hash *digest, uint64_t received_at_ms, const door_id *id);

bool intake_attempt_get(door_view *view, const door_id *id, const door_hash *content_digest,
                        uint32_t *ret_number);
void intake_attempt_put(door_view *view, const door_id *id, const door_hash *content_digest, uint32_t number);

#endif
