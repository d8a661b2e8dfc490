/*
 * fuzz_record.c - headers as another log sends them.
 *
 * Promised of every input: no crash; the answer is OK, MALFORMED or NO_MEMORY; what was accepted
 * is within every bound, and after one packing of ours it is stable: encode(decode(x)) decodes to
 * the same bytes again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "shell/record.h"

enum { ARENA_BYTES = 4 * DOOR_MIB };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;
        door_header header;
        door_header again;
        door_bytes once;
        door_bytes twice;
        door_bytes payload;

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        const door_status status = door_header_decode((door_bytes){ data, size }, &arena, &header);
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED || status == DOOR_NO_MEMORY);
        if (status != DOOR_OK) {
                return 0;
        }
        DOOR_REQUIRE(header.seq > 0 && header.seen_count <= DOOR_SEEN_MAX);
        DOOR_REQUIRE(header.subjects_count <= DOOR_SUBJECTS_MAX);
        DOOR_REQUIRE(door_header_encode(&header, &arena, &once) == DOOR_OK);
        DOOR_REQUIRE(door_header_decode(once, &arena, &again) == DOOR_OK);
        DOOR_REQUIRE(door_header_encode(&again, &arena, &twice) == DOOR_OK);
        DOOR_REQUIRE(door_bytes_equal(once, twice));
        (void)door_payload_open((door_bytes){ data, size }, &header.public_digest, &payload);
        return 0;
}
