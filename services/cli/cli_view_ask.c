/* cli_view_ask.c - one question to the gateway, and its answer as JSON. */
#include <string.h>

#include <sodium.h>

#include "cli/cli_view.h"
#include "shell/proto_arena.h"

enum { PATIENCE_MS = 10000 };

door_status cli_view_ask(cli *c, uint32_t type, const void *message, const ProtobufCMessageDescriptor *answer,
                         void *ret_answer, door_error *reterr_error)
{
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        door_client *client = NULL;
        uint8_t id[DOOR_HASH_BYTES];
        door_bytes body;
        cli_answer got;

        randombytes_buf(id, sizeof id);
        if (door_proto_pack(message, &c->arena, &body) != DOOR_OK) {
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "the question does not fit");
        }
        command.command_id = (ProtobufCBinaryData){ sizeof id, id };
        command.actor = (char *)(uintptr_t) "operator";
        command.type = type;
        command.not_before = c->seen;
        command.n_not_before = c->seen_count;
        command.body = door_proto_data(body);
        door_status status = cli_client(c, "gateway", false, &client, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        status = cli_ask(c, client, &command, PATIENCE_MS, &got, reterr_error);
        (void)door_client_free(client);
        if (status != DOOR_OK) {
                return status;
        }
        if (got.outcome != DOOR__V1__OUTCOME__DONE) {
                return door_error_set(reterr_error, DOOR_MALFORMED, "gateway: %s",
                                      got.detail == NULL ? "it could not read the question" : got.detail);
        }
        /* What was borrowed of the frame lies in the arena; the answer is unpacked beside it. */
        if (door_proto_read(answer, got.body, &c->arena, ret_answer) != DOOR_OK) {
                return door_error_set(reterr_error, DOOR_MALFORMED, "gateway: the answer cannot be read");
        }
        return DOOR_OK;
}

/* ---- JSON, by walking the descriptor */

static void text_json(const char *text)
{
        (void)putchar('"');
        for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
                if (*at == '"' || *at == '\\') {
                        (void)printf("\\%c", *at);
                } else if (*at < 0x20) {
                        (void)printf("\\u%04x", *at);
                } else {
                        (void)putchar(*at);
                }
        }
        (void)putchar('"');
}

static door_id_kind kind_of_field(const char *field)
{
        static const struct {
                const char *field;
                door_id_kind kind;
        } kinds[] = {
                { "referral", DOOR_ID_REFERRAL },   { "probable_resend_of", DOOR_ID_REFERRAL },
                { "episode", DOOR_ID_EPISODE },     { "previous", DOOR_ID_EPISODE },
                { "folded_into", DOOR_ID_EPISODE }, { "family", DOOR_ID_FAMILY },
                { "candidate", DOOR_ID_FAMILY },    { "former_id", DOOR_ID_FAMILY },
                { "review", DOOR_ID_REVIEW },       { "delivery", DOOR_ID_DELIVERY },
                { "from", DOOR_ID_FAMILY },         { "to", DOOR_ID_FAMILY },
                { "other_family", DOOR_ID_FAMILY }, { "other_episode", DOOR_ID_EPISODE },
                { "join", DOOR_ID_JOIN },           { "person", DOOR_ID_PERSON },
        };

        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
                if (strcmp(kinds[i].field, field) == 0) {
                        return kinds[i].kind;
                }
        }
        return (door_id_kind)0;
}

static void bytes_json(door_id_kind kind, const ProtobufCBinaryData *bytes)
{
        char id[DOOR_ID_TEXT_BYTES];

        if (kind != 0 && bytes->len == DOOR_ID_BYTES) {
                (void)printf("\"%s\"", cli_id(kind, *bytes, id));
                return;
        }
        (void)putchar('"');
        for (size_t i = 0; i < bytes->len; i++) {
                (void)printf("%02x", bytes->data[i]);
        }
        (void)putchar('"');
}

static void value_json(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                       const void *value)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
                text_json(*(const char *const *)value);
                break;
        case PROTOBUF_C_TYPE_BYTES: {
                door_id_kind kind = kind_of_field(field->name);
                if (message->descriptor == &door__v1__oldest_row__descriptor) {
                        kind = cli_kind_waiting(((const Door__V1__OldestRow *)message)->what);
                }
                bytes_json(kind, value);
                break;
        }
        case PROTOBUF_C_TYPE_MESSAGE:
                cli_view_json(*(const ProtobufCMessage *const *)value);
                break;
        case PROTOBUF_C_TYPE_BOOL:
                (void)printf("%s", *(const protobuf_c_boolean *)value ? "true" : "false");
                break;
        case PROTOBUF_C_TYPE_ENUM: {
                const ProtobufCEnumValue *name =
                        protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
                (void)printf("\"%s\"", name == NULL ? "?" : name->name);
                break;
        }
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                (void)printf("%llu", (unsigned long long)*(const uint64_t *)value);
                break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                (void)printf("%u", *(const uint32_t *)value);
                break;
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
                (void)printf("%d", *(const int32_t *)value);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                (void)printf("null"); /* None of these stand in view.proto. */
                break;
        }
}

static size_t value_size(ProtobufCType type)
{
        return type == PROTOBUF_C_TYPE_STRING || type == PROTOBUF_C_TYPE_MESSAGE ? sizeof(void *)
               : type == PROTOBUF_C_TYPE_BYTES                                   ? sizeof(ProtobufCBinaryData)
               : type == PROTOBUF_C_TYPE_BOOL                                    ? sizeof(protobuf_c_boolean)
               : type == PROTOBUF_C_TYPE_UINT64 || type == PROTOBUF_C_TYPE_FIXED64 ? 8
                                                                                   : 4;
}

static bool is_there(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message,
                     const uint8_t *member)
{
        if (field->label == PROTOBUF_C_LABEL_REQUIRED) {
                return true;
        }
        if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
                return *(const void *const *)member != NULL;
        }
        return *(const protobuf_c_boolean *)((const uint8_t *)message + field->quantifier_offset) != 0;
}

void cli_view_json(const ProtobufCMessage *message)
{
        bool first = true;

        (void)putchar('{');
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                const uint8_t *member = (const uint8_t *)message + field->offset;
                const bool repeated = field->label == PROTOBUF_C_LABEL_REPEATED;
                size_t count = 1;
                if (repeated) {
                        count = *(const size_t *)((const uint8_t *)message + field->quantifier_offset);
                        member = *(const uint8_t *const *)member;
                } else if (!is_there(field, message, member)) {
                        continue;
                }
                (void)printf("%s\"%s\":%s", first ? "" : ",", field->name, repeated ? "[" : "");
                first = false;
                for (size_t k = 0; k < count; k++) {
                        (void)printf("%s", k == 0 ? "" : ",");
                        value_json(message, field, member + k * value_size(field->type));
                }
                (void)printf("%s", repeated ? "]" : "");
        }
        (void)putchar('}');
}
