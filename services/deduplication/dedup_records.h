/*
 * dedup_records.h - what people ask of deduplication, and its records of what came of it.
 *
 *   AnswerReview, JoinFamilies, UndoJoin, MoveReferral ──► the core's bodies
 *   ReviewAnswered, FamiliesJoined, JoinUndone, ReferralMoved (public: ids and numbers)
 *     + PersonsReassigned (private: who each mention is now, the reason, the second person)
 *
 * Apart from dedup_codec.c, which knows names and features: nothing here does.
 */
#ifndef DEDUP_RECORDS_H
#define DEDUP_RECORDS_H

#include "deduplication/dedup_core.h"

/* door_core_ops.decode_command. */
door_status dedup_command_decode(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body);
/* door_core_ops.encode_event and decode_event of every record but REFERRAL_MATCHED. */
door_status dedup_record_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private);
door_status dedup_record_decode(uint32_t type, door_bytes public_payload, door_bytes private_payload,
                                door_arena *arena, const void **ret_body);
/* door_core_ops.encode_answer: where what was asked about stands now. */
door_status dedup_answer_encode(const door_event *event, door_arena *arena, door_bytes *ret_body);

#endif
