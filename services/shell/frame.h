/*
 * frame.h - frames between bytes and structs; proto_arena.h has what is common to all messages.
 */
#ifndef DOOR_SHELL_FRAME_H
#define DOOR_SHELL_FRAME_H

#include "door/arena.h"
#include "door/status.h"
#include "door/v1/envelope.pb-c.h"
#include "shell/proto_arena.h"

/* NUL-terminated copy; NULL when the arena is full. */
char *door_frame_text(door_arena *arena, door_bytes text);

/* Packs any message; empty bytes and the latch when the arena is full. */
door_bytes door_frame_pack(const ProtobufCMessage *message, door_arena *arena);

/* NULL when the bytes are no Frame with exactly one field set. */
const Door__V1__Frame *door_frame_unpack(door_bytes bytes, door_arena *arena);

#endif
