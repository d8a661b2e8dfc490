/*
 * triage_records.h - the records of triage's log: from the core's structs to triage.proto and back.
 *
 * Apart from triage_codec.c because both directions must agree field by field, and nothing else
 * needs to: inputs and commands are only ever read.
 */
#ifndef TRIAGE_RECORDS_H
#define TRIAGE_RECORDS_H

#include "door/v1/triage.pb-c.h"
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

/* FOLDED, RESTORED, FAMILY_CHANGED, DETACHED, MATCH_SETTLED: triage_records_join.c. */
door_status triage_regroup_encode(const door_event *event, door_arena *arena, door_bytes *ret_public);
door_status triage_regroup_decode(uint32_t type, door_bytes payload, door_arena *arena,
                                  const void **ret_body);

/* ---- parts that several records hold */
typedef struct triage_routing_parts {
        Door__V1__RoutingFacts facts;
        Door__V1__AgeBand bands[TRIAGE_AGE_BANDS];
        char district[TRIAGE_DISTRICT_BYTES_MAX + 1];
} triage_routing_parts;

Door__V1__RoutingFacts *triage_routing_encode(const triage_routing *routing, triage_routing_parts *parts);
bool triage_routing_decode(const Door__V1__RoutingFacts *facts, triage_routing *routing);
Door__V1__Clocks *triage_clocks_encode(const triage_clocks *clocks, Door__V1__Clocks *out);
triage_clocks triage_clocks_decode(const Door__V1__Clocks *in);
/* The ids in the arena; false, and why, when one is none or the arena is full. */
bool triage_ids_decode(size_t count, const ProtobufCBinaryData *in, door_arena *arena,
                       const door_id **ret_ids, door_status *ret_status);

#endif
