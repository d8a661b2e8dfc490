#include "door/hash.h"

#include <string.h>

#include <sodium.h>

#include "door/status.h"

bool door_hash_equal(const door_hash *a, const door_hash *b)
{
        return memcmp(a->bytes, b->bytes, DOOR_HASH_BYTES) == 0;
}

door_bytes door_hash_bytes(const door_hash *hash)
{
        return (door_bytes){ hash->bytes, DOOR_HASH_BYTES };
}

door_hash door_hash_of(const door_bytes *parts, size_t count)
{
        door_hash hash;
        crypto_generichash_blake2b_state state;

        DOOR_REQUIRE(crypto_generichash_blake2b_init(&state, NULL, 0, DOOR_HASH_BYTES) == 0);
        for (size_t i = 0; i < count; i++) {
                DOOR_REQUIRE(crypto_generichash_blake2b_update(&state, parts[i].data, parts[i].len) == 0);
        }
        DOOR_REQUIRE(crypto_generichash_blake2b_final(&state, hash.bytes, DOOR_HASH_BYTES) == 0);
        return hash;
}

door_hash door_hash_of_one(door_bytes part)
{
        return door_hash_of(&part, 1);
}

door_hash door_hash_chain(const door_hash *before, door_bytes header)
{
        const door_bytes parts[] = { door_hash_bytes(before), header };
        return door_hash_of(parts, 2);
}

door_hash door_hash_log_start(const uint8_t log_id[16])
{
        door_hash hash = { { 0 } };
        memcpy(hash.bytes, log_id, 16);
        return hash;
}

void door_draw(const uint8_t seed[32], char label, uint32_t index, uint8_t out[16])
{
        uint8_t tail[5];
        tail[0] = (uint8_t)label;
        door_put_u32(tail + 1, index);

        const door_bytes parts[] = { { seed, 32 }, { tail, sizeof tail } };
        const door_hash hash = door_hash_of(parts, 2);
        memcpy(out, hash.bytes, 16);
}
