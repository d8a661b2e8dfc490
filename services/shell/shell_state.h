/*
 * shell_state.h - what the shell itself remembers, as a fold of the log.
 *
 * Command results, the parked list and the active policy live in the state family beside the
 * core's tables, under tables DOOR_TABLE_SHELL and up, and only shell_state_apply writes
 * them: a replay of the log rebuilds them byte for byte like everything else.
 *
 *   table  key                                   value
 *   0xF0   command id (32), its digest (32)      v1: u64 seq, u64 at_ms, u8 refused
 *   0xF1   u64 seq                               command id (32), digest (32): the order of forgetting
 *   0xF2   u32 log, u64 seq of the parked record v1: u64 own seq, u8 count, subjects (11 each)
 *   0xF3   subject (11), u64 own seq             u32 log, u64 seq of the parked record
 *   0xF4   (nothing)                             u32 how many are parked
 *   0xF5   (nothing)                             v1: u64 seq, sized version, digest (32), content
 *
 * The first byte of a "v1" value is 1. A result is forgotten DOOR_RESULTS_DAYS after its
 * record, DOOR_RESULTS_PRUNED_PER_RECORD at a time, as later records are folded.
 */
#ifndef DOOR_SHELL_STATE_H
#define DOOR_SHELL_STATE_H

#include "shell/record.h"

/* What is known of a command id. */
typedef enum door_result_known {
        DOOR_RESULT_NEW = 0,
        DOOR_RESULT_SAME,  /* This id with this very type and body has been decided. */
        DOOR_RESULT_OTHER, /* This id has been decided, with other bytes only. */
} door_result_known;

typedef struct door_parked_row {
        uint64_t own_seq;
        uint32_t subjects_count;
        door_subject subjects[DOOR_SUBJECTS_MAX];
} door_parked_row;

typedef struct door_policy_row {
        uint64_t seq; /* Of the PolicyActivated record. */
        door_bytes version;
        door_bytes content;
} door_policy_row;

/*
 * digest: of the command's type and body. For SAME: the record that answers it, and whether it
 * says no (a new policy may then say yes: the caller decides again).
 */
door_result_known shell_state_result(door_view *view, const door_hash *command_id, const door_hash *digest,
                                     uint64_t *ret_seq, bool *ret_refused);
bool shell_state_parked(door_view *view, door_position record, door_parked_row *ret_row);
uint32_t shell_state_parked_count(door_view *view);
/* The oldest parked record about this subject. */
bool shell_state_blocked(door_view *view, const door_subject *subject, door_position *ret_record);
bool shell_state_policy(door_view *view, door_policy_row *ret_row);

/*
 * shell_state_apply - fold one record of the shell's own vocabulary, or the shell's part of any.
 *
 *   payload  [in]  the public payload without salt; used for shell types only.
 *   arena    [in]  for unpacking.
 *
 * Returns DOOR_OK, DOOR_MALFORMED when a shell payload does not decode, DOOR_NO_MEMORY.
 */
door_status shell_state_apply(door_view *view, const door_header *header, door_bytes payload,
                              door_arena *arena);

#endif
