#include "shell/record.h"

#include <string.h>

#include "shell/frame.h"

static bool hash_read(protobuf_c_boolean has, ProtobufCBinaryData bytes, door_hash *ret_hash)
{
        if (!has || bytes.len != DOOR_HASH_BYTES) {
                return false;
        }
        memcpy(ret_hash->bytes, bytes.data, DOOR_HASH_BYTES);
        return true;
}

door_status door_header_encode(const door_header *header, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__RecordHeader out = DOOR__V1__RECORD_HEADER__INIT;
        Door__V1__Position cause = DOOR__V1__POSITION__INIT;
        Door__V1__Position seen[DOOR_SEEN_MAX];
        Door__V1__Position *seen_at[DOOR_SEEN_MAX];
        ProtobufCBinaryData subjects[DOOR_SUBJECTS_MAX];
        uint8_t subject_bytes[DOOR_SUBJECTS_MAX][DOOR_SUBJECT_BYTES];

        DOOR_REQUIRE(header->seen_count <= DOOR_SEEN_MAX);
        DOOR_REQUIRE(header->subjects_count <= DOOR_SUBJECTS_MAX);

        out.seq = header->seq;
        out.type = header->type;
        out.version = header->version;
        out.has_flags = header->flags != 0;
        out.flags = header->flags;
        if (header->cause.log != 0) {
                cause.log = header->cause.log;
                cause.seq = header->cause.seq;
                out.cause = &cause;
        }
        if (header->has_command_id) {
                out.has_command_id = 1;
                out.command_id = door_proto_data(door_hash_bytes(&header->command_id));
                out.has_command_digest = 1;
                out.command_digest = door_proto_data(door_hash_bytes(&header->command_digest));
        }
        for (uint32_t i = 0; i < header->seen_count; i++) {
                door__v1__position__init(&seen[i]);
                seen[i].log = header->seen[i].log;
                seen[i].seq = header->seen[i].seq;
                seen_at[i] = &seen[i];
        }
        out.n_seen = header->seen_count;
        out.seen = seen_at;
        for (uint32_t i = 0; i < header->subjects_count; i++) {
                subject_bytes[i][0] = header->subjects[i].kind;
                memcpy(subject_bytes[i] + 1, header->subjects[i].id.bytes, DOOR_ID_BYTES);
                subjects[i] = (ProtobufCBinaryData){ DOOR_SUBJECT_BYTES, subject_bytes[i] };
        }
        out.n_subject = header->subjects_count;
        out.subject = subjects;
        if (header->actor.len > 0) {
                out.actor = door_frame_text(arena, header->actor);
                if (out.actor == NULL) {
                        return DOOR_NO_MEMORY;
                }
        }
        out.at_ms = header->at_ms;
        out.has_public_digest = header->has_public;
        out.public_digest = door_proto_data(door_hash_bytes(&header->public_digest));
        out.has_private_digest = header->has_private;
        out.private_digest = door_proto_data(door_hash_bytes(&header->private_digest));
        out.hops = header->hops;
        out.has_index = header->index != 0;
        out.index = header->index;

        *ret_bytes = door_frame_pack(&out.base, arena);
        return ret_bytes->len == 0 ? DOOR_NO_MEMORY : DOOR_OK;
}

/* Copies what unpacking made into the plain struct, refusing whatever is over a bound. */
static door_status header_from(const Door__V1__RecordHeader *in, door_header *header)
{
        if (in->seq == 0 || in->n_seen > DOOR_SEEN_MAX || in->n_subject > DOOR_SUBJECTS_MAX) {
                return DOOR_MALFORMED;
        }
        header->seq = in->seq;
        header->type = in->type;
        header->version = in->version;
        header->flags = in->has_flags ? in->flags : 0;
        if (in->cause != NULL) {
                header->cause = (door_position){ in->cause->log, in->cause->seq };
        }
        if (in->has_command_id != in->has_command_digest) {
                return DOOR_MALFORMED;
        }
        if (in->has_command_id) {
                header->has_command_id = true;
                if (!hash_read(1, in->command_id, &header->command_id) ||
                    !hash_read(1, in->command_digest, &header->command_digest)) {
                        return DOOR_MALFORMED;
                }
        }
        header->seen_count = (uint32_t)in->n_seen;
        for (size_t i = 0; i < in->n_seen; i++) {
                header->seen[i] = (door_position){ in->seen[i]->log, in->seen[i]->seq };
        }
        header->subjects_count = (uint32_t)in->n_subject;
        for (size_t i = 0; i < in->n_subject; i++) {
                if (in->subject[i].len != DOOR_SUBJECT_BYTES) {
                        return DOOR_MALFORMED;
                }
                header->subjects[i].kind = in->subject[i].data[0];
                memcpy(header->subjects[i].id.bytes, in->subject[i].data + 1, DOOR_ID_BYTES);
        }
        if (in->actor != NULL) {
                header->actor = door_bytes_of(in->actor);
        }
        header->at_ms = in->at_ms;
        header->hops = in->hops;
        header->index = in->has_index ? in->index : 0;
        if (in->has_public_digest && !hash_read(1, in->public_digest, &header->public_digest)) {
                return DOOR_MALFORMED;
        }
        if (in->has_private_digest && !hash_read(1, in->private_digest, &header->private_digest)) {
                return DOOR_MALFORMED;
        }
        header->has_public = in->has_public_digest;
        header->has_private = in->has_private_digest;
        return DOOR_OK;
}

door_status door_header_decode(door_bytes bytes, door_arena *arena, door_header *ret_header)
{
        ProtobufCAllocator allocator = door_proto_allocator(arena);
        const Door__V1__RecordHeader *in = door__v1__record_header__unpack(&allocator, bytes.len, bytes.data);

        if (in == NULL) {
                return arena->exhausted ? DOOR_NO_MEMORY : DOOR_MALFORMED;
        }
        door_header header;
        memset(&header, 0, sizeof header);
        const door_status status = header_from(in, &header);
        if (status == DOOR_OK) {
                *ret_header = header;
        }
        return status;
}

uint64_t door_header_seen(const door_header *header, uint32_t log)
{
        for (uint32_t i = 0; i < header->seen_count; i++) {
                if (header->seen[i].log == log) {
                        return header->seen[i].seq;
                }
        }
        return 0;
}

door_status door_payload_salt(door_bytes payload, const uint8_t salt[DOOR_SALT_BYTES], door_arena *arena,
                              door_bytes *ret_salted, door_hash *ret_digest)
{
        uint8_t *salted = door_arena_take(arena, DOOR_SALT_BYTES + payload.len);
        if (salted == NULL) {
                return DOOR_NO_MEMORY;
        }
        memcpy(salted, salt, DOOR_SALT_BYTES);
        if (payload.len > 0) {
                memcpy(salted + DOOR_SALT_BYTES, payload.data, payload.len);
        }
        *ret_salted = (door_bytes){ salted, DOOR_SALT_BYTES + payload.len };
        *ret_digest = door_hash_of_one(*ret_salted);
        return DOOR_OK;
}

bool door_payload_open(door_bytes salted, const door_hash *digest, door_bytes *ret_payload)
{
        if (salted.len < DOOR_SALT_BYTES) {
                return false;
        }
        const door_hash found = door_hash_of_one(salted);
        if (!door_hash_equal(&found, digest)) {
                return false;
        }
        *ret_payload = (door_bytes){ salted.data + DOOR_SALT_BYTES, salted.len - DOOR_SALT_BYTES };
        return true;
}
