/*
 * proto_arena.h - protobuf-c at a trust boundary: checked first, unpacked into an arena.
 *
 * protobuf-c 1.4.1 neither checks UTF-8 nor bounds what a few bytes may unfold into, and after
 * unpacking a string its length is gone, so a NUL inside would cut it unseen. Therefore the
 * bytes themselves are walked against the descriptor *before* they are unpacked:
 *
 *      bytes ──► door_proto_check ──► door_proto_unpack ──► structs in the arena
 *                text, enums, cost
 *
 * The walk needs no depth limit because no message of proto/ is recursive.
 * A codec takes what is unpacked here as borrowed from the arena; nothing is freed.
 */
#ifndef DOOR_SHELL_PROTO_ARENA_H
#define DOOR_SHELL_PROTO_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include "door/arena.h"
#include "door/status.h"

/* What unpacking one message may take of an arena: half of a frame's, so that it always fits. */
enum { DOOR_PROTO_COST_MAX = 2 * 1024 * 1024 };

/* Takes from the arena, frees nothing. Borrowed: the arena must outlive it. */
ProtobufCAllocator door_proto_allocator(door_arena *arena);

/*
 * door_proto_check - may these bytes be unpacked as this message?
 *
 *   cost_max  [in]   bytes of arena that unpacking may take, by an upper estimate.
 *
 * Returns DOOR_OK         every string field is clean UTF-8 without NUL and every enum field one
 *                         of its values; unknown fields are passed over;
 *         DOOR_MALFORMED  they are not, or the bytes are no message;
 *         DOOR_TOO_LARGE  it would unfold into more than cost_max.
 *
 * Whether the required fields are there is unpack's to say. Cost: O(bytes).
 */
door_status door_proto_check(const ProtobufCMessageDescriptor *type, door_bytes bytes, size_t cost_max);

/* DOOR_OK; DOOR_MALFORMED; DOOR_NO_MEMORY when the arena is full (its latch is set). No checks:
 * for bytes that have been checked. */
door_status door_proto_unpack(const ProtobufCMessageDescriptor *type, door_bytes bytes, door_arena *arena,
                              void *ret_message);

/* Check with DOOR_PROTO_COST_MAX, then unpack; DOOR_TOO_LARGE is told as DOOR_MALFORMED. */
door_status door_proto_read(const ProtobufCMessageDescriptor *type, door_bytes bytes, door_arena *arena,
                            void *ret_message);

/* DOOR_OK or DOOR_NO_MEMORY. message is any protobuf-c struct. */
door_status door_proto_pack(const void *message, door_arena *arena, door_bytes *ret_bytes);

/*
 * door_proto_field - the bytes of the last length-delimited field `tag` at the top of a message,
 * and how often it is there, without unpacking. False when the bytes are no message.
 */
bool door_proto_field(door_bytes bytes, uint32_t tag, door_bytes *ret_field, size_t *ret_count);

/* The bytes of a string field; empty for NULL. */
door_bytes door_proto_text(const char *text);
/* A NUL-terminated copy in the arena; NULL for empty bytes, and when the arena is full. */
char *door_proto_string(door_arena *arena, door_bytes text);
/* ProtobufCBinaryData and back. */
door_bytes door_proto_bytes(ProtobufCBinaryData data);
ProtobufCBinaryData door_proto_data(door_bytes bytes);

#endif
