/*
 * record.h - a log's record and the frames around it, between bytes and structs.
 *
 * The header is packed once, here, and from then on only its bytes travel: chains and
 * digests are over bytes, so nobody ever packs a header again.
 */
#ifndef DOOR_SHELL_RECORD_H
#define DOOR_SHELL_RECORD_H

#include "door/core.h"

enum { DOOR_SALT_BYTES = 16 };

/* A header, decoded; ranges are borrowed from the arena it was decoded into. */
typedef struct door_header {
        uint64_t seq;
        uint32_t type;
        uint32_t version;
        uint32_t flags;
        door_position cause;
        bool has_command_id;
        door_hash command_id;
        door_hash command_digest;
        uint32_t seen_count;
        door_position seen[DOOR_SEEN_MAX];
        uint32_t subjects_count;
        door_subject subjects[DOOR_SUBJECTS_MAX];
        door_bytes actor;
        uint64_t at_ms;
        bool has_public;
        door_hash public_digest;
        bool has_private;
        door_hash private_digest;
        uint32_t hops;
        uint32_t index; /* Place among the records of its input. */
} door_header;

/* A record as stored and as sent: header bytes and salted payloads. */
typedef struct door_record {
        uint64_t seq;
        door_hash hash; /* H(seq). */
        door_bytes header;
        door_bytes public_payload; /* Salt and payload; empty when the header has no digest for it. */
        door_bytes private_payload;
} door_record;

/* Packs into arena. DOOR_NO_MEMORY when it does not fit. */
door_status door_header_encode(const door_header *header, door_arena *arena, door_bytes *ret_bytes);
/* DOOR_MALFORMED for bytes that are no header, or over a bound. */
door_status door_header_decode(door_bytes bytes, door_arena *arena, door_header *ret_header);

/* The highest seq of `log` in seen, 0 when it is not there. */
uint64_t door_header_seen(const door_header *header, uint32_t log);

/* salt || payload, and its digest. */
door_status door_payload_salt(door_bytes payload, const uint8_t salt[DOOR_SALT_BYTES], door_arena *arena,
                              door_bytes *ret_salted, door_hash *ret_digest);
/* True when `salted` is what the digest says; *ret_payload is it without the salt. */
bool door_payload_open(door_bytes salted, const door_hash *digest, door_bytes *ret_payload);

#endif
