#include "shell/frame.h"

#include <string.h>

char *door_frame_text(door_arena *arena, door_bytes text)
{
        char *copy = door_arena_take(arena, text.len + 1);
        if (copy == NULL) {
                return NULL;
        }
        if (text.len > 0) {
                memcpy(copy, text.data, text.len);
        }
        copy[text.len] = '\0';
        return copy;
}

door_bytes door_frame_pack(const ProtobufCMessage *message, door_arena *arena)
{
        const size_t size = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = door_arena_take(arena, size);

        if (bytes == NULL) {
                return DOOR_BYTES_EMPTY;
        }
        DOOR_REQUIRE(protobuf_c_message_pack(message, bytes) == size);
        return (door_bytes){ bytes, size };
}

const Door__V1__Frame *door_frame_unpack(door_bytes bytes, door_arena *arena)
{
        ProtobufCAllocator allocator = door_proto_allocator(arena);
        const Door__V1__Frame *frame = door__v1__frame__unpack(&allocator, bytes.len, bytes.data);

        if (frame == NULL) {
                return NULL;
        }
        const int fields = (frame->pull != NULL) + (frame->batch != NULL) + (frame->empty != NULL) +
                           (frame->refuse != NULL) + (frame->command != NULL) + (frame->result != NULL) +
                           (frame->status_asked != NULL) + (frame->status != NULL) +
                           (frame->checkpoint_asked != NULL) + (frame->checkpoint_made != NULL);
        return fields == 1 ? frame : NULL;
}
