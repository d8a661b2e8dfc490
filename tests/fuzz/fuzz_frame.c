/*
 * fuzz_frame.c - bytes of strangers at every socket.
 *
 * Promised of every input: no crash; a frame that unpacks has exactly one field, and packing what
 * was unpacked and unpacking that again yields the same bytes; a small arena is never overrun.
 */
#include <stdint.h>
#include <stdlib.h>

#include "shell/frame.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, SMALL_BYTES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        door_arena_init(&arena, storage, SMALL_BYTES);
        (void)door_frame_unpack((door_bytes){ data, size }, &arena);
        door_arena_init(&arena, storage, ARENA_BYTES);
        const Door__V1__Frame *frame = door_frame_unpack((door_bytes){ data, size }, &arena);
        if (frame == NULL) {
                return 0;
        }
        const door_bytes once = door_frame_pack(&frame->base, &arena);
        DOOR_REQUIRE(once.len > 0 || arena.exhausted);
        const Door__V1__Frame *again = arena.exhausted ? NULL : door_frame_unpack(once, &arena);
        if (again == NULL) {
                DOOR_REQUIRE(arena.exhausted);
                return 0;
        }
        const door_bytes twice = door_frame_pack(&again->base, &arena);
        DOOR_REQUIRE(arena.exhausted || door_bytes_equal(once, twice));
        return 0;
}
