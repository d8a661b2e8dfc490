#include "sim/story_text.h"

#include <inttypes.h>
#include <string.h>

#include "door/hash.h"
#include "door/status.h"

size_t story_id(story_ids *ids, const uint8_t bytes[DOOR_ID_BYTES])
{
        /* From the newest back: what is told is mostly about what has just happened. */
        for (size_t i = ids->count; i > 0; i--) {
                if (memcmp(ids->items[i - 1].bytes, bytes, DOOR_ID_BYTES) == 0) {
                        return i;
                }
        }
        DOOR_REQUIRE(ids->count < STORY_IDS_MAX);
        memcpy(ids->items[ids->count].bytes, bytes, DOOR_ID_BYTES);
        return ++ids->count;
}

static void bytes_print(FILE *out, story_ids *ids, const ProtobufCBinaryData *data)
{
        if (data->len == DOOR_ID_BYTES) {
                (void)fprintf(out, "#%zu", story_id(ids, data->data));
                return;
        }
        const door_hash digest = door_hash_of_one((door_bytes){ data->data, data->len });
        (void)fprintf(out, "%zu:%02x%02x%02x%02x", data->len, digest.bytes[0], digest.bytes[1],
                      digest.bytes[2], digest.bytes[3]);
}

static void scalar_print(FILE *out, story_ids *ids, const ProtobufCFieldDescriptor *field, const void *at)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
                (void)fprintf(out, "%" PRId32, *(const int32_t *)at);
                break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                (void)fprintf(out, "%" PRIu32, *(const uint32_t *)at);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
                (void)fprintf(out, "%" PRId64, *(const int64_t *)at);
                break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                (void)fprintf(out, "%" PRIu64, *(const uint64_t *)at);
                break;
        case PROTOBUF_C_TYPE_BOOL:
                (void)fprintf(out, "%s", *(const protobuf_c_boolean *)at ? "yes" : "no");
                break;
        case PROTOBUF_C_TYPE_ENUM: {
                const ProtobufCEnumValue *value =
                        protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)at);
                (void)fprintf(out, "%s", value == NULL ? "?" : value->name);
                break;
        }
        case PROTOBUF_C_TYPE_STRING:
                (void)fprintf(out, "\"%s\"", *(char *const *)at);
                break;
        case PROTOBUF_C_TYPE_BYTES:
                bytes_print(out, ids, at);
                break;
        case PROTOBUF_C_TYPE_MESSAGE:
                (void)fprintf(out, "{");
                story_message_print(out, ids, *(const ProtobufCMessage *const *)at);
                (void)fprintf(out, "}");
                break;
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                DOOR_REQUIRE(field->type == PROTOBUF_C_TYPE_BOOL); /* The schema has no fractions. */
        }
}

static size_t size_of(ProtobufCType type)
{
        switch (type) {
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return 8;
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE:
                return sizeof(void *);
        case PROTOBUF_C_TYPE_BYTES:
                return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_ENUM:
        case PROTOBUF_C_TYPE_BOOL:
                break;
        }
        return 4;
}

/* How many values the field has here. */
static size_t count_of(const ProtobufCFieldDescriptor *field, const uint8_t *message)
{
        const void *at = message + field->offset;

        switch (field->label) {
        case PROTOBUF_C_LABEL_REQUIRED:
                return 1;
        case PROTOBUF_C_LABEL_REPEATED:
                return *(const size_t *)(const void *)(message + field->quantifier_offset);
        case PROTOBUF_C_LABEL_OPTIONAL:
        case PROTOBUF_C_LABEL_NONE:
                break;
        }
        if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
                return *(const void *const *)at != NULL ? 1 : 0;
        }
        return *(const protobuf_c_boolean *)(const void *)(message + field->quantifier_offset) ? 1 : 0;
}

void story_message_print(FILE *out, story_ids *ids, const ProtobufCMessage *message)
{
        const uint8_t *bytes = (const uint8_t *)message;
        const char *between = "";

        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                const size_t count = count_of(field, bytes);
                const uint8_t *at = bytes + field->offset;
                if (field->label == PROTOBUF_C_LABEL_REPEATED && count > 0) {
                        memcpy(&at, bytes + field->offset, sizeof at);
                }
                for (size_t k = 0; k < count; k++) {
                        (void)fprintf(out, "%s%s ", between, field->name);
                        scalar_print(out, ids, field, at + k * size_of(field->type));
                        between = "; ";
                }
        }
}
