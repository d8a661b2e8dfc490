/*
 * fold.h - one record into the state: the only way state is ever written.
 *
 * The machine folds what it has just logged, a replay folds what was logged long ago; both
 * call this, so a replayed state can be compared with a live one byte for byte.
 */
#ifndef DOOR_SHELL_FOLD_H
#define DOOR_SHELL_FOLD_H

#include "shell/record.h"

/*
 * door_fold - apply one record, the shell's part and the core's.
 *
 *   view      [in,out]  made writable for the call.
 *   payloads  [in]      without salt; empty where the record has none.
 *
 * Returns DOOR_OK; DOOR_MALFORMED when a payload does not decode; DOOR_NO_MEMORY. The view's
 * latch is the caller's to look at.
 */
door_status door_fold(const door_core_ops *core, door_view *view, const door_header *header,
                      door_bytes public_payload, door_bytes private_payload, door_arena *arena);

/* The event a record is, for apply and for answers; subjects and ids are borrowed from header. */
door_status door_fold_event(const door_core_ops *core, const door_header *header, door_bytes public_payload,
                            door_bytes private_payload, door_arena *arena, door_event *ret_event);

#endif
