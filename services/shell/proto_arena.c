#include "shell/proto_arena.h"

#include <string.h>

static void *arena_alloc(void *context, size_t size)
{
        return door_arena_take(context, size);
}

static void arena_free(void *context, void *pointer)
{
        (void)context;
        (void)pointer;
}

ProtobufCAllocator door_proto_allocator(door_arena *arena)
{
        return (ProtobufCAllocator){ .alloc = arena_alloc, .free = arena_free, .allocator_data = arena };
}

/* ---- the wire, field by field */

typedef struct wire_field {
        uint32_t tag;
        uint32_t type;    /* 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes */
        uint64_t value;   /* varint */
        door_bytes bytes; /* length-delimited */
} wire_field;

static bool wire_varint(door_cursor_in *in, uint64_t *ret_value)
{
        uint64_t value = 0;

        for (unsigned shift = 0; shift < 70; shift += 7) {
                const uint8_t byte = door_read_u8(in);
                if (!in->ok) {
                        return false;
                }
                if (shift < 64) {
                        value |= (uint64_t)(byte & 0x7FU) << shift;
                }
                if ((byte & 0x80U) == 0) {
                        *ret_value = value;
                        return true;
                }
        }
        return false;
}

/* The next field; false at the end and for anything that is none. in->ok tells which. */
static bool wire_next(door_cursor_in *in, wire_field *ret_field)
{
        uint64_t key;

        if (in->at == in->len) {
                return false;
        }
        *ret_field = (wire_field){ 0 };
        if (!wire_varint(in, &key) || (key >> 3) == 0 || (key >> 3) > 0x1FFFFFFFU) {
                in->ok = false;
                return false;
        }
        ret_field->tag = (uint32_t)(key >> 3);
        ret_field->type = (uint32_t)(key & 7U);
        switch (ret_field->type) {
        case 0:
                in->ok = wire_varint(in, &ret_field->value);
                break;
        case 1:
                (void)door_read(in, 8);
                break;
        case 2: {
                uint64_t len = 0;
                if (!wire_varint(in, &len) || len > in->len - in->at) {
                        in->ok = false;
                        break;
                }
                ret_field->bytes = door_read(in, (size_t)len);
                break;
        }
        case 5:
                (void)door_read(in, 4);
                break;
        default: /* Groups are older than this project, 6 and 7 are nothing. */
                in->ok = false;
                break;
        }
        return in->ok;
}

/* What protobuf-c takes for noticing one field on the wire: its ScannedMember, twice because its
 * slabs double, and room for an unknown field's copy. */
enum { FIELD_COST = 128, ENUM_COST = 8 };

typedef struct cost {
        size_t used;
        size_t max;
} cost;

static bool cost_add(cost *c, size_t size)
{
        if (size > c->max - c->used) {
                return false;
        }
        c->used += size;
        return true;
}

static bool enum_has(const ProtobufCFieldDescriptor *field, uint64_t value)
{
        const ProtobufCEnumDescriptor *type = field->descriptor;
        return protobuf_c_enum_descriptor_get_value(type, (int)(int32_t)(uint32_t)value) != NULL;
}

static door_status check_enums(const ProtobufCFieldDescriptor *field, const wire_field *found)
{
        if (found->type == 0) {
                return enum_has(field, found->value) ? DOOR_OK : DOOR_MALFORMED;
        }
        if (found->type != 2 || field->label != PROTOBUF_C_LABEL_REPEATED) {
                return DOOR_MALFORMED;
        }
        door_cursor_in in = door_reading(found->bytes);
        while (in.at < in.len) {
                uint64_t value;
                if (!wire_varint(&in, &value) || !enum_has(field, value)) {
                        return DOOR_MALFORMED;
                }
        }
        return DOOR_OK;
}

static door_status check_message(const ProtobufCMessageDescriptor *type, door_bytes bytes, cost *c)
{
        door_cursor_in in = door_reading(bytes);
        wire_field found;

        if (!cost_add(c, type->sizeof_message)) {
                return DOOR_TOO_LARGE;
        }
        while (wire_next(&in, &found)) {
                const ProtobufCFieldDescriptor *field =
                        protobuf_c_message_descriptor_get_field(type, found.tag);
                /* Packed numbers grow eightfold at most: one byte on the wire, eight in the struct. */
                const bool copied = field == NULL || field->type == PROTOBUF_C_TYPE_STRING ||
                                    field->type == PROTOBUF_C_TYPE_BYTES;
                const size_t size = found.bytes.len * (copied ? 1U : (size_t)ENUM_COST);
                if (!cost_add(c, FIELD_COST)) {
                        return DOOR_TOO_LARGE;
                }
                if (field == NULL || field->type != PROTOBUF_C_TYPE_MESSAGE) {
                        if (!cost_add(c, size)) {
                                return DOOR_TOO_LARGE;
                        }
                }
                if (field == NULL) {
                        continue;
                }
                door_status status = DOOR_OK;
                if (field->type == PROTOBUF_C_TYPE_STRING) {
                        status =
                                found.type == 2 && door_text_is_clean(found.bytes) ? DOOR_OK : DOOR_MALFORMED;
                } else if (field->type == PROTOBUF_C_TYPE_ENUM) {
                        status = check_enums(field, &found);
                } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                        status = found.type == 2 ? check_message(field->descriptor, found.bytes, c)
                                                 : DOOR_MALFORMED;
                }
                if (status != DOOR_OK) {
                        return status;
                }
        }
        return in.ok ? DOOR_OK : DOOR_MALFORMED;
}

door_status door_proto_check(const ProtobufCMessageDescriptor *type, door_bytes bytes, size_t cost_max)
{
        cost c = { .max = cost_max };
        return check_message(type, bytes, &c);
}

door_status door_proto_unpack(const ProtobufCMessageDescriptor *type, door_bytes bytes, door_arena *arena,
                              void *ret_message)
{
        ProtobufCAllocator allocator = door_proto_allocator(arena);
        ProtobufCMessage *message = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.data);

        /* protobuf-c answers NULL for both troubles; the latch tells them apart. */
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        if (message == NULL) {
                return DOOR_MALFORMED;
        }
        memcpy(ret_message, &message, sizeof message);
        return DOOR_OK;
}

door_status door_proto_read(const ProtobufCMessageDescriptor *type, door_bytes bytes, door_arena *arena,
                            void *ret_message)
{
        const door_status status = door_proto_check(type, bytes, DOOR_PROTO_COST_MAX);
        if (status != DOOR_OK) {
                return DOOR_MALFORMED;
        }
        return door_proto_unpack(type, bytes, arena, ret_message);
}

door_status door_proto_pack(const void *message, door_arena *arena, door_bytes *ret_bytes)
{
        const size_t size = protobuf_c_message_get_packed_size(message);
        uint8_t *out = door_arena_take(arena, size == 0 ? 1 : size);
        if (out == NULL) {
                return DOOR_NO_MEMORY;
        }
        DOOR_REQUIRE(protobuf_c_message_pack(message, out) == size);
        *ret_bytes = (door_bytes){ out, size };
        return DOOR_OK;
}

bool door_proto_field(door_bytes bytes, uint32_t tag, door_bytes *ret_field, size_t *ret_count)
{
        door_cursor_in in = door_reading(bytes);
        door_bytes last = DOOR_BYTES_EMPTY;
        size_t count = 0;
        wire_field found;

        while (wire_next(&in, &found)) {
                if (found.tag == tag && found.type == 2) {
                        last = found.bytes;
                        count++;
                }
        }
        if (!in.ok) {
                return false;
        }
        *ret_field = last;
        *ret_count = count;
        return true;
}

door_bytes door_proto_text(const char *text)
{
        return text == NULL ? DOOR_BYTES_EMPTY : door_bytes_of(text);
}

char *door_proto_string(door_arena *arena, door_bytes text)
{
        if (text.len == 0) {
                return NULL;
        }
        char *copy = door_arena_take(arena, text.len + 1);
        if (copy != NULL) {
                memcpy(copy, text.data, text.len);
                copy[text.len] = '\0';
        }
        return copy;
}

door_bytes door_proto_bytes(ProtobufCBinaryData data)
{
        return (door_bytes){ data.data, data.len };
}

ProtobufCBinaryData door_proto_data(door_bytes bytes)
{
        ProtobufCBinaryData data = { .len = bytes.len };

        /* protobuf-c's struct is not const; it never writes through it when packing. */
        memcpy(&data.data, &bytes.data, sizeof data.data);
        return data;
}
