/*
 * cli_log.c - frontdoor log SERVICE [--from N] [--follow] [--cause R-…]
 *
 * One line a record, read by PULL like any consumer, so what is shown has been checked. Payloads
 * are printed by walking their descriptors. Personal data is masked by default deny: of the
 * text fields only those named below are shown; numbers that say something of a person (a birth
 * date) are masked too; ids, codes and counts are shown.
 */
#include <string.h>

#include "cli/cli.h"
#include "door/calendar.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/triage.pb-c.h"

typedef struct vocabulary {
        uint32_t log;
        uint32_t type;
        const char *name;
        const ProtobufCMessageDescriptor *payload;
} vocabulary;

static const vocabulary *vocabulary_of(uint32_t log, uint32_t type)
{
        static const vocabulary words[] = {
                { 0, 1, "PARKED", &door__v1__parked__descriptor },
                { 0, 2, "RELEASED", &door__v1__released__descriptor },
                { 0, 3, "POLICY_ACTIVATED", NULL },
                { 0, 4, "COMMAND_REFUSED", &door__v1__command_refused__descriptor },
                { 0, 5, "CLOCK_STEPPED", &door__v1__clock_stepped__descriptor },
                { 1, 16, "REFERRAL_RECEIVED", &door__v1__referral_received__descriptor },
                { 1, 17, "REFERRAL_REPEATED", &door__v1__referral_repeated__descriptor },
                { 1, 18, "ATTEMPT_REFUSED", &door__v1__attempt_refused__descriptor },
                { 1, 19, "WITHDRAW_ASKED", &door__v1__withdraw_asked__descriptor },
                { 1, 20, "AMEND_ASKED", &door__v1__amend_asked__descriptor },
                { 1, 21, "DISCLOSED", &door__v1__disclosed__descriptor },
                { 2, 16, "REFERRAL_MATCHED", &door__v1__referral_matched__descriptor },
                { 3, 16, "EPISODE_OPENED", &door__v1__episode_opened__descriptor },
                { 3, 17, "REFERRAL_ATTACHED", &door__v1__referral_attached__descriptor },
                { 3, 18, "HISTORY_NOTED", &door__v1__history_noted__descriptor },
                { 3, 19, "TAKEN", &door__v1__episode_taken__descriptor },
                { 3, 20, "TAKE_ENDED", &door__v1__take_ended__descriptor },
                { 3, 21, "DECIDED", &door__v1__episode_decided__descriptor },
                { 3, 22, "LOOK_LISTED", &door__v1__look_listed__descriptor },
                { 3, 23, "LOOK_ANSWERED", &door__v1__look_answered__descriptor },
                { 3, 24, "RESPONDED", &door__v1__responded__descriptor },
                { 3, 25, "ACTIVATED", &door__v1__episode_activated__descriptor },
                { 3, 26, "RETURNED", &door__v1__episode_returned__descriptor },
                { 3, 27, "CLOSED", &door__v1__episode_closed__descriptor },
                { 3, 28, "REOPENED", &door__v1__episode_reopened__descriptor },
                { 3, 29, "OVERTAKEN", &door__v1__triage_overtaken__descriptor },
                { 3, 30, "FOLDED", &door__v1__episode_folded__descriptor },
                { 3, 31, "RESTORED", &door__v1__episode_restored__descriptor },
                { 3, 32, "FAMILY_CHANGED", &door__v1__episode_family_changed__descriptor },
                { 3, 33, "DETACHED", &door__v1__referral_detached__descriptor },
                { 4, 16, "OWNER_NAMED", &door__v1__owner_named__descriptor },
                { 4, 17, "OFFERED", &door__v1__offer_made__descriptor },
                { 4, 18, "OFFER_PLACED", &door__v1__offer_placed__descriptor },
                { 4, 19, "UNROUTED", &door__v1__unrouted__descriptor },
                { 4, 20, "ACCEPTED", &door__v1__offer_accepted__descriptor },
                { 4, 21, "RETURNED", &door__v1__offer_returned__descriptor },
                { 4, 22, "HAND_OVER_OFFERED", &door__v1__hand_over_offered__descriptor },
                { 4, 23, "ENDED", &door__v1__ownership_ended__descriptor },
                { 4, 24, "OVERTAKEN", &door__v1__allot_overtaken__descriptor },
                { 5, 16, "PLANNED", &door__v1__delivery_planned__descriptor },
                { 5, 17, "DELIVERED", &door__v1__delivered__descriptor },
                { 5, 18, "ATTEMPT_FAILED", &door__v1__attempt_failed__descriptor },
                { 5, 19, "GIVEN_UP", &door__v1__given_up__descriptor },
                { 5, 20, "TRIED_AGAIN", &door__v1__delivery_named__descriptor },
                { 5, 21, "TOLD", &door__v1__told_by_person__descriptor },
        };
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (words[i].type == type && (words[i].log == log || (words[i].log == 0 && type < 16))) {
                        return &words[i];
                }
        }
        return NULL;
}

/* Text that says nothing of a person. */
static bool is_plain_text(const char *field)
{
        static const char *const plain[] = { "agency",   "reason", "field", "detail",    "version",
                                             "district", "team",   "owner", "recipient", "sink" };
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
                if (strcmp(field, plain[i]) == 0) {
                        return true;
                }
        }
        return false;
}

static bool is_masked_number(const char *field)
{
        return strcmp(field, "days") == 0 || strcmp(field, "age_years") == 0;
}

static void message_print(const ProtobufCMessage *message);

static void bytes_print(const char *field, const ProtobufCBinaryData *bytes)
{
        static const struct {
                const char *field;
                door_id_kind kind;
        } ids[] = { { "referral", DOOR_ID_REFERRAL },
                    { "family", DOOR_ID_FAMILY },
                    { "person", DOOR_ID_PERSON },
                    { "review", DOOR_ID_REVIEW },
                    { "probable_resend_of", DOOR_ID_REFERRAL },
                    { "unmentioned_child", DOOR_ID_PERSON },
                    { "episode", DOOR_ID_EPISODE },
                    { "previous", DOOR_ID_EPISODE },
                    { "survivor", DOOR_ID_EPISODE },
                    { "child", DOOR_ID_PERSON },
                    { "new_child", DOOR_ID_PERSON },
                    { "resend_of", DOOR_ID_REFERRAL },
                    { "join", DOOR_ID_JOIN },
                    { "delivery", DOOR_ID_DELIVERY } };
        door_id id;

        for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
                if (strcmp(ids[i].field, field) == 0 && door_id_from_bytes(door_proto_bytes(*bytes), &id)) {
                        char text[DOOR_ID_TEXT_BYTES];
                        door_id_print(ids[i].kind, &id, text);
                        (void)printf("%s", text);
                        return;
                }
        }
        (void)printf("<%zu bytes>", bytes->len);
}

static void value_print(const ProtobufCFieldDescriptor *field, const void *value)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
                (void)printf("%s", is_plain_text(field->name) ? *(const char *const *)value : "•••");
                break;
        case PROTOBUF_C_TYPE_BYTES:
                bytes_print(field->name, value);
                break;
        case PROTOBUF_C_TYPE_MESSAGE:
                message_print(*(const ProtobufCMessage *const *)value);
                break;
        case PROTOBUF_C_TYPE_BOOL:
                (void)printf("%s", *(const protobuf_c_boolean *)value ? "yes" : "no");
                break;
        case PROTOBUF_C_TYPE_ENUM: {
                const ProtobufCEnumValue *name =
                        protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)value);
                (void)printf("%s", name == NULL ? "?" : name->name);
                break;
        }
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
                if (is_masked_number(field->name)) {
                        (void)printf("•••");
                } else {
                        (void)printf("%d", *(const int32_t *)value);
                }
                break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
                if (is_masked_number(field->name)) {
                        (void)printf("•••");
                } else {
                        (void)printf("%u", *(const uint32_t *)value);
                }
                break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
                (void)printf("%llu", (unsigned long long)*(const uint64_t *)value);
                break;
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                (void)printf("…"); /* None of these stand in our vocabularies. */
                break;
        }
}

static size_t value_size(ProtobufCType type)
{
        switch (type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE:
                return sizeof(void *);
        case PROTOBUF_C_TYPE_BYTES:
                return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_BOOL:
                return sizeof(protobuf_c_boolean);
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return 8;
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_ENUM:
                return 4;
        }
        return 4;
}

/* Is an optional field there? Pointers say so themselves, the others have a flag. */
static bool is_present(const ProtobufCFieldDescriptor *field, const void *base, const void *member)
{
        if (field->label == PROTOBUF_C_LABEL_REQUIRED) {
                return true;
        }
        if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
                return *(const void *const *)member != NULL;
        }
        return *(const protobuf_c_boolean *)((const uint8_t *)base + field->quantifier_offset) != 0;
}

static void message_print(const ProtobufCMessage *message)
{
        bool first = true;

        (void)printf("{");
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                const uint8_t *member = (const uint8_t *)message + field->offset;
                size_t count = 1;
                if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                        count = *(const size_t *)((const uint8_t *)message + field->quantifier_offset);
                        member = *(const uint8_t *const *)member;
                } else if (!is_present(field, message, member)) {
                        continue;
                }
                if (count == 0) {
                        continue;
                }
                (void)printf("%s%s: ", first ? "" : ", ", field->name);
                first = false;
                for (size_t k = 0; k < count; k++) {
                        (void)printf("%s",
                                     k == 0 ? (field->label == PROTOBUF_C_LABEL_REPEATED ? "[" : "") : ", ");
                        value_print(field, member + k * value_size(field->type));
                }
                (void)printf("%s", field->label == PROTOBUF_C_LABEL_REPEATED ? "]" : "");
        }
        (void)printf("}");
}

static void record_print(cli *c, uint32_t log, const cli_log_record *record)
{
        char at[DOOR_INSTANT_TEXT_BYTES];
        const door_header *header = &record->header;
        const vocabulary *word = vocabulary_of(log, header->type);

        door_instant_print(header->at_ms, at);
        (void)printf("%8llu %s %-18s", (unsigned long long)header->seq, at, word == NULL ? "?" : word->name);
        for (uint32_t i = 0; i < header->subjects_count; i++) {
                char id[DOOR_ID_TEXT_BYTES];
                door_id_print((door_id_kind)header->subjects[i].kind, &header->subjects[i].id, id);
                (void)printf(" %s", id);
        }
        if (header->cause.log != 0) {
                (void)printf(" of %u/%llu", header->cause.log, (unsigned long long)header->cause.seq);
        }
        if (word != NULL && word->payload != NULL && record->payload.len > 0) {
                door_arena_reset(&c->arena);
                ProtobufCAllocator allocator = door_proto_allocator(&c->arena);
                const ProtobufCMessage *message = protobuf_c_message_unpack(
                        word->payload, &allocator, record->payload.len, record->payload.data);
                if (message != NULL) {
                        (void)printf(" ");
                        message_print(message);
                }
        }
        (void)printf("\n");
        (void)fflush(stdout);
}

static bool is_about(const door_header *header, door_id_kind kind, const door_id *id)
{
        for (uint32_t i = 0; i < header->subjects_count; i++) {
                if (header->subjects[i].kind == (uint8_t)kind && door_id_equal(&header->subjects[i].id, id)) {
                        return true;
                }
        }
        return false;
}

int cli_log_show(cli *c)
{
        static const char *const valued[] = { "--from", "--cause", NULL };
        const char *name = cli_argument(c, 0, valued);
        const cli_service *service = name == NULL ? NULL : cli_service_named(name);
        const char *from_text = cli_option(c, "--from");
        const char *cause_text = cli_option(c, "--cause");
        uint64_t from = 1;
        door_id_kind kind = DOOR_ID_REFERRAL;
        door_id cause;
        cli_log *log = NULL;
        cli_log_record record;
        door_error error = { 0 };

        if (service == NULL || (from_text != NULL && !cli_number(from_text, &from)) ||
            (cause_text != NULL && door_id_parse(door_bytes_of(cause_text), &kind, &cause) != DOOR_OK)) {
                return cli_usage(c, "SERVICE [--from N] [--follow] [--cause R-…]");
        }
        cli_interruptible();
        if (cli_log_open(c, name, cli_flag(c, "--follow"), &log, &error) != DOOR_OK) {
                return cli_fail("log", &error);
        }
        door_status status = DOOR_OK;
        while ((status = cli_log_next(log, &record, &error)) == DOOR_OK && !cli_interrupted()) {
                if (record.header.seq >= from &&
                    (cause_text == NULL || is_about(&record.header, kind, &cause))) {
                        record_print(c, service->core->log, &record);
                }
        }
        (void)cli_log_close(log);
        return status == DOOR_OK || status == DOOR_NOT_FOUND ? CLI_OK : cli_fail("log", &error);
}
