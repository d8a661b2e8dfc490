/*
 * fuzz_frame.c - bytes of strangers at every socket.
 *
 * Promised of every input: no crash; a frame that unpacks has exactly one field, and packing what
 * was understood and unpacking that again yields the same bytes; a small arena is never overrun.
 * (What was not understood is left out: protobuf-c keeps an unknown field numbered 0, which is no
 * field, packs it again, and then refuses it. No service ever packs what it was sent.)
 */
#include <stdint.h>
#include <stdlib.h>

#include "shell/frame.h"

enum { ARENA_BYTES = 4 * 1024 * 1024, SMALL_BYTES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unknown_drop(ProtobufCMessage *message)
{
        message->n_unknown_fields = 0;
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                uint8_t *at = (uint8_t *)message + field->offset;
                if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
                        continue;
                }
                ProtobufCMessage *one = *(ProtobufCMessage **)(void *)at;
                if (field->label != PROTOBUF_C_LABEL_REPEATED) {
                        if (one != NULL) {
                                unknown_drop(one);
                        }
                        continue;
                }
                const size_t count = *(const size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
                for (size_t k = 0; k < count; k++) {
                        unknown_drop((*(ProtobufCMessage ***)(void *)at)[k]);
                }
        }
}

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
        Door__V1__Frame *frame =
                (Door__V1__Frame *)(uintptr_t)door_frame_unpack((door_bytes){ data, size }, &arena);
        if (frame == NULL) {
                return 0;
        }
        unknown_drop(&frame->base);
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
