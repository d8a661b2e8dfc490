/*
 * hash.h - BLAKE2b with 32-byte output: chains, digests, command ids, salts, derived ids.
 *
 * Every BLAKE2b of the mechanism has this length and no key (MECHANISM section 5).
 */
#ifndef DOOR_HASH_H
#define DOOR_HASH_H

#include "door/bytes.h"

enum { DOOR_HASH_BYTES = 32 };

typedef struct door_hash {
        uint8_t bytes[DOOR_HASH_BYTES];
} door_hash;

bool door_hash_equal(const door_hash *a, const door_hash *b);
door_bytes door_hash_bytes(const door_hash *hash);

/* BLAKE2b-256 of the concatenation of count parts. */
door_hash door_hash_of(const door_bytes *parts, size_t count);
door_hash door_hash_of_one(door_bytes part);

/* H(n) = BLAKE2b(H(n-1) || header bytes as stored). */
door_hash door_hash_chain(const door_hash *before, door_bytes header);

/* H(0) = the log id, 128 random bits, padded with zeros to 32 bytes. */
door_hash door_hash_log_start(const uint8_t log_id[16]);

/* The index-th 16 bytes drawn from one 32-byte seed: BLAKE2b(seed || label || index), cut. */
void door_draw(const uint8_t seed[32], char label, uint32_t index, uint8_t out[16]);

#endif
