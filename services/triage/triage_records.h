/*
 * triage_records.h - the records of triage's log: from the core's structs to triage.proto and back.
 *
 * Apart from triage_codec.c because both directions must agree field by field, and nothing else
 * needs to: inputs and commands are only ever read.
 */
#ifndef TRIAGE_RECORDS_H
#define TRIAGE_RECORDS_H

#include "shell/proto_arena.h"
#include "triage/triage_core.h"

enum { TRIAGE_AGE_BANDS = 16, TRIAGE_BITS_MAX = 64 };

/* door_core_ops.encode_event and decode_event. */
door_status triage_record_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                 door_bytes *ret_private);
door_status triage_record_decode(uint32_t type, uint32_t version, door_bytes public_payload,
                                 door_bytes private_payload, door_arena *arena, const void **ret_body);

/* ---- what the codec's two files share: an id's ten bytes, a GSS code's nine; false for others. */
bool triage_id_of(ProtobufCBinaryData data, door_id *ret_id);
ProtobufCBinaryData triage_data_of(const door_id *id);
bool triage_district_set(const char *text, triage_routing *routing);

#endif
