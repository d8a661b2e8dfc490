#include "cli/referral_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door/calendar.h"
#include "door/hash.h"
#include "door/id.h"
#include "shell/proto_arena.h"

/*
 * Most fields map by themselves: a JSON key is a field's name, a code is an enum value's name
 * without its prefix. What people write differently stands in referral_key and person_key.
 */

/* A JSON pointer as a chain on the stack: no text is made until somebody needs it. */
typedef struct place {
        const struct place *above;
        const char *key; /* NULL: an element of a list. */
        size_t index;
} place;

typedef struct reader {
        door_arena *arena;
        Door__V1__Referral *referral;
        referral_json *result;
} reader;

/* What became of one key of an object. */
typedef enum taken {
        NOT_MINE, /* Not one of the short forms: try the field of that name. */
        TAKEN,
        WRONG, /* Known, but not like this: to the unrecognised. */
} taken;

static void message_read(reader *r, json_t *object, ProtobufCMessage *message, const place *at);

/* ---- memory: all of it the arena's; its latch is looked at once, at the end */

static char *text_copy(reader *r, const json_t *value)
{
        return door_proto_string(r->arena, (door_bytes){ (const uint8_t *)json_string_value(value),
                                                         json_string_length(value) });
}

static void *message_new(reader *r, const ProtobufCMessageDescriptor *type)
{
        ProtobufCMessage *message = door_arena_take(r->arena, type->sizeof_message);
        if (message != NULL) {
                protobuf_c_message_init(type, message);
        }
        return message;
}

/* Appends to a list of messages; false when the arena is full. */
static bool list_append(reader *r, size_t *count, void *list, void *item)
{
        void **old;
        void **grown = door_arena_take(r->arena, (*count + 1) * sizeof(void *));

        if (grown == NULL || item == NULL) {
                return false;
        }
        memcpy(&old, list, sizeof old);
        if (*count > 0) {
                memcpy(grown, old, *count * sizeof(void *));
        }
        grown[(*count)++] = item;
        memcpy(list, &grown, sizeof grown);
        return true;
}

/* ---- what could not be placed */

static size_t pointer_length(const place *at)
{
        size_t length = 0;

        for (; at != NULL; at = at->above) {
                length += 1 + (at->key == NULL ? 20 : 2 * strlen(at->key));
        }
        return length;
}

/* RFC 6901: '~' is ~0, '/' is ~1. */
static char *pointer_write(const place *at, char *out)
{
        if (at == NULL) {
                return out;
        }
        out = pointer_write(at->above, out);
        *out++ = '/';
        if (at->key == NULL) {
                return out + snprintf(out, 21, "%zu", at->index);
        }
        for (const char *c = at->key; *c != '\0'; c++) {
                if (*c == '~' || *c == '/') {
                        *out++ = '~';
                        *out++ = *c == '~' ? '0' : '1';
                } else {
                        *out++ = *c;
                }
        }
        return out;
}

static void keep_unrecognised(reader *r, const json_t *value, const place *at)
{
        Door__V1__Unrecognised *item = message_new(r, &door__v1__unrecognised__descriptor);
        char *pointer = door_arena_take(r->arena, pointer_length(at) + 1);
        char *raw = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

        if (item != NULL && pointer != NULL && raw != NULL) {
                *pointer_write(at, pointer) = '\0';
                item->pointer = pointer;
                item->raw = door_proto_string(r->arena, door_bytes_of(raw));
                (void)list_append(r, &r->referral->n_unrecognised, &r->referral->unrecognised, item);
        } else {
                r->arena->exhausted = true;
        }
        free(raw);
}

/* ---- codes */

/* How long the part is that all names of an enum begin with, up to an underscore. */
static size_t prefix_length(const ProtobufCEnumDescriptor *type)
{
        const char *first = type->values_by_name[0].name;
        size_t length = strlen(first);

        for (unsigned i = 1; i < type->n_value_names; i++) {
                size_t same = 0;
                while (same < length && type->values_by_name[i].name[same] == first[same]) {
                        same++;
                }
                length = same;
        }
        while (length > 0 && first[length - 1] != '_') {
                length--;
        }
        return length;
}

static bool code_is(const char *name, const char *word)
{
        for (; *name != '\0' && *word != '\0'; name++, word++) {
                const char lower = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
                if (lower != *word) {
                        return false;
                }
        }
        return *name == *word;
}

static bool code_read(const ProtobufCEnumDescriptor *type, const json_t *value, int *ret_code)
{
        const size_t prefix = prefix_length(type);

        if (!json_is_string(value)) {
                return false;
        }
        for (unsigned i = 0; i < type->n_values; i++) {
                if (code_is(type->values[i].name + prefix, json_string_value(value))) {
                        *ret_code = type->values[i].value;
                        return true;
                }
        }
        return false;
}

/* ---- one value into one place of a struct */

static bool number_read(const json_t *value, uint64_t max, uint64_t *ret_number)
{
        if (!json_is_integer(value) || json_integer_value(value) < 0) {
                return false;
        }
        *ret_number = (uint64_t)json_integer_value(value);
        return *ret_number <= max;
}

/* A date is its text; what it means is intake's to read. */
static bool date_read(reader *r, const json_t *value, const ProtobufCMessageDescriptor *type, void *slot)
{
        if (!json_is_string(value)) {
                return false;
        }
        if (type == &door__v1__day__descriptor) {
                Door__V1__Day *day = message_new(r, type);
                if (day != NULL) {
                        day->text = text_copy(r, value);
                }
                memcpy(slot, &day, sizeof day);
        } else {
                Door__V1__Moment *moment = message_new(r, type);
                if (moment != NULL) {
                        moment->text = text_copy(r, value);
                }
                memcpy(slot, &moment, sizeof moment);
        }
        return true;
}

static bool is_date(const ProtobufCFieldDescriptor *field)
{
        return field->type == PROTOBUF_C_TYPE_MESSAGE && (field->descriptor == &door__v1__day__descriptor ||
                                                          field->descriptor == &door__v1__moment__descriptor);
}

/* False: not a value for this field. Parts of a message that are wrong are kept one by one. */
static bool value_read(reader *r, json_t *value, const ProtobufCFieldDescriptor *field, void *slot,
                       const place *at)
{
        uint64_t number = 0;

        if (is_date(field)) {
                return date_read(r, value, field->descriptor, slot);
        }
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING: {
                if (!json_is_string(value)) {
                        return false;
                }
                char *text = text_copy(r, value);
                memcpy(slot, &text, sizeof text);
                return true;
        }
        case PROTOBUF_C_TYPE_MESSAGE: {
                if (!json_is_object(value)) {
                        return false;
                }
                ProtobufCMessage *message = message_new(r, field->descriptor);
                if (message != NULL) {
                        message_read(r, value, message, at);
                }
                memcpy(slot, &message, sizeof message);
                return true;
        }
        case PROTOBUF_C_TYPE_ENUM: {
                int code;
                if (!code_read(field->descriptor, value, &code)) {
                        return false;
                }
                memcpy(slot, &code, sizeof code);
                return true;
        }
        case PROTOBUF_C_TYPE_BOOL: {
                const protobuf_c_boolean yes = json_is_true(value);
                if (!json_is_boolean(value)) {
                        return false;
                }
                memcpy(slot, &yes, sizeof yes);
                return true;
        }
        case PROTOBUF_C_TYPE_UINT32: {
                if (!number_read(value, UINT32_MAX, &number)) {
                        return false;
                }
                const uint32_t u32 = (uint32_t)number;
                memcpy(slot, &u32, sizeof u32);
                return true;
        }
        case PROTOBUF_C_TYPE_SINT32: {
                if (!json_is_integer(value) || json_integer_value(value) < INT32_MIN ||
                    json_integer_value(value) > INT32_MAX) {
                        return false;
                }
                const int32_t i32 = (int32_t)json_integer_value(value);
                memcpy(slot, &i32, sizeof i32);
                return true;
        }
        case PROTOBUF_C_TYPE_BYTES:
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_DOUBLE:
                break; /* Referral has none that a sender fills in but those with a short form. */
        }
        return false;
}

/* null and "" say that there is nothing. */
static bool is_nothing(const json_t *value)
{
        return json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static size_t element_bytes(const ProtobufCFieldDescriptor *field)
{
        return field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE
                       ? sizeof(void *)
                       : sizeof(uint32_t);
}

static bool list_read(reader *r, json_t *list, const ProtobufCFieldDescriptor *field,
                      ProtobufCMessage *message, const place *at)
{
        uint8_t *member = (uint8_t *)message + field->offset;
        uint8_t *quantifier = (uint8_t *)message + field->quantifier_offset;
        const size_t size = element_bytes(field);
        size_t count;

        if (!json_is_array(list)) {
                return false;
        }
        /* A short form may have begun the list already: its entries go first. */
        memcpy(&count, quantifier, sizeof count);
        uint8_t *items = door_arena_take_zeroed(r->arena, count + json_array_size(list), size);
        if (items == NULL) {
                return true;
        }
        if (count > 0) {
                const uint8_t *old;
                memcpy(&old, member, sizeof old);
                memcpy(items, old, count * size);
        }
        for (size_t i = 0; i < json_array_size(list); i++) {
                const place here = { .above = at, .index = i };
                json_t *value = json_array_get(list, i);
                uint8_t *slot = items + count * size;
                if (is_nothing(value) && field->type != PROTOBUF_C_TYPE_MESSAGE) {
                        continue;
                }
                if (value_read(r, value, field, slot, &here)) {
                        count++;
                        continue;
                }
                keep_unrecognised(r, value, &here);
                if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                        /* An empty one in its place: indices into people must stay true. */
                        const ProtobufCMessage *empty = message_new(r, field->descriptor);
                        memcpy(slot, &empty, sizeof empty);
                        count++;
                }
        }
        memcpy(member, &items, sizeof items);
        memcpy(quantifier, &count, sizeof count);
        return true;
}

/* The field a key names, into message. False: there is none such, or not like this. */
static bool field_read(reader *r, const char *key, json_t *value, ProtobufCMessage *message, const place *at)
{
        const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field_by_name(message->descriptor, key);

        if (field == NULL) {
                return false;
        }
        if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                return list_read(r, value, field, message, at);
        }
        if (!value_read(r, value, field, (uint8_t *)message + field->offset, at)) {
                return false;
        }
        if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->type != PROTOBUF_C_TYPE_STRING &&
            field->type != PROTOBUF_C_TYPE_MESSAGE) {
                const protobuf_c_boolean has = 1;
                memcpy((uint8_t *)message + field->quantifier_offset, &has, sizeof has);
        }
        return true;
}

/* ---- short forms of a person */

static taken identifier_add(reader *r, Door__V1__Person *person, Door__V1__IdentifierKind kind,
                            const json_t *value)
{
        if (!json_is_string(value)) {
                return WRONG;
        }
        Door__V1__Identifier *item = message_new(r, &door__v1__identifier__descriptor);
        if (item != NULL) {
                item->has_kind = 1;
                item->kind = kind;
                item->value = text_copy(r, value);
                (void)list_append(r, &person->n_identifier, &person->identifier, item);
        }
        return TAKEN;
}

static taken contact_add(reader *r, Door__V1__Person *person, Door__V1__ContactKind kind, const json_t *value)
{
        if (!json_is_string(value)) {
                return WRONG;
        }
        Door__V1__Contact *item = message_new(r, &door__v1__contact__descriptor);
        if (item != NULL) {
                item->has_kind = 1;
                item->kind = kind;
                item->value = text_copy(r, value);
                (void)list_append(r, &person->n_contact, &person->contact, item);
        }
        return TAKEN;
}

static taken other_name_add(reader *r, Door__V1__Person *person, Door__V1__NameKind kind, bool surname,
                            const json_t *value)
{
        if (!json_is_string(value)) {
                return WRONG;
        }
        Door__V1__OtherName *item = message_new(r, &door__v1__other_name__descriptor);
        if (item != NULL) {
                item->has_kind = 1;
                item->kind = kind;
                *(surname ? &item->surname : &item->given_name) = text_copy(r, value);
                (void)list_append(r, &person->n_other_name, &person->other_name, item);
        }
        return TAKEN;
}

/* address, postcode and uprn side by side are one address: the home. */
static taken home_add(reader *r, json_t *object, Door__V1__Person *person, const char *key,
                      const json_t *value)
{
        const json_t *address = json_object_get(object, "address");

        if (!json_is_string(value)) {
                /* A list of addresses is the field of that name. */
                return strcmp(key, "address") == 0 && json_is_array(value) ? NOT_MINE : WRONG;
        }
        Door__V1__Address *home = NULL;
        for (size_t i = 0; i < person->n_address && !json_is_array(address); i++) {
                home = person->address[i];
        }
        if (home == NULL) {
                home = message_new(r, &door__v1__address__descriptor);
                if (!list_append(r, &person->n_address, &person->address, home)) {
                        return TAKEN;
                }
        }
        char **slot = strcmp(key, "address") == 0    ? &home->text
                      : strcmp(key, "postcode") == 0 ? &home->postcode
                                                     : &home->uprn;
        *slot = text_copy(r, value);
        return TAKEN;
}

static taken sex_set(reader *r, Door__V1__Person *person, const json_t *value)
{
        static const struct {
                const char *word;
                Door__V1__Sex sex;
        } words[] = {
                { "F", DOOR__V1__SEX__SEX_FEMALE },      { "f", DOOR__V1__SEX__SEX_FEMALE },
                { "female", DOOR__V1__SEX__SEX_FEMALE }, { "Female", DOOR__V1__SEX__SEX_FEMALE },
                { "M", DOOR__V1__SEX__SEX_MALE },        { "m", DOOR__V1__SEX__SEX_MALE },
                { "male", DOOR__V1__SEX__SEX_MALE },     { "Male", DOOR__V1__SEX__SEX_MALE },
                { "U", DOOR__V1__SEX__SEX_UNKNOWN },     { "unknown", DOOR__V1__SEX__SEX_UNKNOWN },
        };
        if (!json_is_string(value)) {
                return WRONG;
        }
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (strcmp(words[i].word, json_string_value(value)) == 0) {
                        person->has_sex = 1;
                        person->sex = words[i].sex;
                        return TAKEN;
                }
        }
        person->gender_text = text_copy(r, value); /* The person's own word. */
        return TAKEN;
}

static taken role_set(reader *r, Door__V1__Person *person, const json_t *value)
{
        int code;

        if (code_read(&door__v1__role__descriptor, value, &code)) {
                person->has_role = 1;
                person->role = (Door__V1__Role)code;
                return TAKEN;
        }
        if (!json_is_string(value)) {
                return WRONG;
        }
        person->role_text = text_copy(r, value); /* Intake warns of a word that is no role. */
        return TAKEN;
}

static taken person_key(reader *r, json_t *object, const char *key, json_t *value, Door__V1__Person *person)
{
        if (strcmp(key, "nhs_number") == 0) {
                return identifier_add(r, person, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER, value);
        }
        if (strcmp(key, "upn") == 0) {
                return identifier_add(r, person, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN, value);
        }
        if (strcmp(key, "agency_person_ref") == 0) {
                return identifier_add(r, person, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_AGENCY_PERSON, value);
        }
        if (strcmp(key, "case_system_id") == 0) {
                return identifier_add(r, person, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_CASE_SYSTEM, value);
        }
        if (strcmp(key, "school_urn") == 0) {
                return identifier_add(r, person, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_URN_SCHOOL, value);
        }
        if (strcmp(key, "phone") == 0) {
                return contact_add(r, person, DOOR__V1__CONTACT_KIND__CONTACT_PHONE, value);
        }
        if (strcmp(key, "email") == 0) {
                return contact_add(r, person, DOOR__V1__CONTACT_KIND__CONTACT_EMAIL, value);
        }
        if (strcmp(key, "known_as") == 0) {
                return other_name_add(r, person, DOOR__V1__NAME_KIND__NAME_KNOWN_AS, false, value);
        }
        if (strcmp(key, "former_surname") == 0) {
                return other_name_add(r, person, DOOR__V1__NAME_KIND__NAME_FORMER, true, value);
        }
        if (strcmp(key, "former_given_name") == 0) {
                return other_name_add(r, person, DOOR__V1__NAME_KIND__NAME_FORMER, false, value);
        }
        if (strcmp(key, "address") == 0 || strcmp(key, "postcode") == 0 || strcmp(key, "uprn") == 0) {
                return home_add(r, object, person, key, value);
        }
        if (strcmp(key, "gender") == 0 || strcmp(key, "sex") == 0) {
                return sex_set(r, person, value);
        }
        return strcmp(key, "role") == 0 ? role_set(r, person, value) : NOT_MINE;
}

/* ---- short forms of a referral */

/* One word or a list of them. The first that is no code becomes the sender's own word. */
static taken concern_add(reader *r, json_t *value, const place *at)
{
        Door__V1__Referral *referral = r->referral;
        const size_t words = json_is_array(value) ? json_array_size(value) : 1;
        Door__V1__Category *list =
                door_arena_take_zeroed(r->arena, referral->n_category + words, sizeof *list);

        if (list == NULL) {
                return TAKEN;
        }
        if (referral->n_category > 0) {
                memcpy(list, referral->category, referral->n_category * sizeof *list);
        }
        referral->category = list;
        for (size_t i = 0; i < words; i++) {
                const place element = { .above = at, .index = i };
                json_t *word = json_is_array(value) ? json_array_get(value, i) : value;
                int code;
                if (code_read(&door__v1__category__descriptor, word, &code)) {
                        list[referral->n_category++] = (Door__V1__Category)code;
                } else if (json_is_string(word) && referral->category_text == NULL) {
                        referral->category_text = text_copy(r, word);
                } else {
                        keep_unrecognised(r, word, json_is_array(value) ? &element : at);
                }
        }
        return TAKEN;
}

static taken alleged_set(reader *r, json_t *value)
{
        Door__V1__Referral *referral = r->referral;
        uint64_t index;

        if (json_is_string(value) && strcmp(json_string_value(value), "not_known") == 0) {
                referral->has_alleged_not_known = 1;
                referral->alleged_not_known = 1;
                return TAKEN;
        }
        if (json_is_array(value)) {
                return NOT_MINE;
        }
        if (!number_read(value, UINT32_MAX, &index)) {
                return WRONG;
        }
        uint32_t *list = door_arena_take(r->arena, sizeof *list);
        if (list != NULL) {
                *list = (uint32_t)index;
                referral->alleged_to_have_caused_harm = list;
                referral->n_alleged_to_have_caused_harm = 1;
        }
        return TAKEN;
}

static taken confirms_set(reader *r, const json_t *value)
{
        door_id_kind kind;
        door_id id;

        if (!json_is_string(value) ||
            door_id_parse(door_bytes_of(json_string_value(value)), &kind, &id) != DOOR_OK ||
            kind != DOOR_ID_REFERRAL) {
                return WRONG;
        }
        r->referral->has_confirms = 1;
        r->referral->confirms = door_proto_data(door_arena_copy(r->arena, door_id_bytes(&id)));
        return TAKEN;
}

static taken instant_set(const json_t *value, protobuf_c_boolean *has, uint64_t *ms)
{
        if (!json_is_string(value) || !door_instant_parse(door_bytes_of(json_string_value(value)), ms)) {
                return WRONG;
        }
        *has = 1;
        return TAKEN;
}

static taken referral_key(reader *r, const char *key, json_t *value, const place *at)
{
        if (strcmp(key, "referral_id") == 0) {
                if (!json_is_string(value) || json_string_length(value) == 0) {
                        return WRONG;
                }
                r->result->key = text_copy(r, value);
                return TAKEN;
        }
        if (strcmp(key, "received_at") == 0) {
                protobuf_c_boolean has = 0;
                const taken how = instant_set(value, &has, &r->result->received_at_ms);
                r->result->has_received_at = has != 0;
                return how;
        }
        if (strcmp(key, "sent_at") == 0) {
                return instant_set(value, &r->referral->has_sent_at_ms, &r->referral->sent_at_ms);
        }
        if (strcmp(key, "concern_type") == 0) {
                return concern_add(r, value, at);
        }
        if (strcmp(key, "alleged_to_have_caused_harm") == 0) {
                return alleged_set(r, value);
        }
        if (strcmp(key, "confirms") == 0) {
                return confirms_set(r, value);
        }
        /* Not a sender's to fill in. */
        return strcmp(key, "sent_at_ms") == 0 || strcmp(key, "unrecognised") == 0 ? WRONG : NOT_MINE;
}

/* ---- objects */

static void message_read(reader *r, json_t *object, ProtobufCMessage *message, const place *at)
{
        const char *key;
        json_t *value;

        json_object_foreach(object, key, value)
        {
                const place here = { .above = at, .key = key };
                taken how = NOT_MINE;

                if (is_nothing(value)) {
                        continue;
                }
                if (message->descriptor == &door__v1__referral__descriptor) {
                        how = referral_key(r, key, value, &here);
                } else if (message->descriptor == &door__v1__person__descriptor) {
                        how = person_key(r, object, key, value, (Door__V1__Person *)message);
                }
                if (how == NOT_MINE && field_read(r, key, value, message, &here)) {
                        how = TAKEN;
                }
                if (how != TAKEN) {
                        keep_unrecognised(r, value, &here);
                }
        }
}

/* A line without an id of its own is known by what it says. */
static char *line_digest(door_bytes line, door_arena *arena)
{
        static const char digits[] = "0123456789abcdef";
        char *out = door_arena_take(arena, 2 * DOOR_HASH_BYTES + 1);
        const door_hash hash = door_hash_of_one(line);

        if (out == NULL) {
                return NULL;
        }
        for (size_t i = 0; i < DOOR_HASH_BYTES; i++) {
                out[2 * i] = digits[hash.bytes[i] >> 4];
                out[2 * i + 1] = digits[hash.bytes[i] & 15U];
        }
        out[(size_t)2 * DOOR_HASH_BYTES] = '\0';
        return out;
}

static door_status object_read(json_t *object, door_bytes line, size_t number, door_arena *arena,
                               referral_json *ret_referral, door_error *reterr_error)
{
        reader r = { .arena = arena, .result = ret_referral };

        r.referral = message_new(&r, &door__v1__referral__descriptor);
        if (r.referral != NULL) {
                ret_referral->referral = r.referral;
                message_read(&r, object, &r.referral->base, NULL);
                if (ret_referral->key == NULL) {
                        ret_referral->key = line_digest(line, arena);
                }
        }
        if (arena->exhausted) {
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "line %zu: too much for one referral",
                                      number);
        }
        if (r.referral->agency == NULL) {
                return door_error_set(reterr_error, DOOR_MALFORMED, "line %zu: it names no agency", number);
        }
        return DOOR_OK;
}

door_status referral_json_read(door_bytes line, size_t number, door_arena *arena, referral_json *ret_referral,
                               door_error *reterr_error)
{
        json_error_t error;
        referral_json result = { 0 };

        while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r')) {
                line.len--;
        }
        if (line.len > REFERRAL_JSON_LINE_BYTES_MAX) {
                return door_error_set(reterr_error, DOOR_TOO_LARGE, "line %zu: longer than %d bytes", number,
                                      REFERRAL_JSON_LINE_BYTES_MAX);
        }
        json_t *object = json_loadb(line.len == 0 ? "" : (const char *)line.data, line.len,
                                    JSON_REJECT_DUPLICATES, &error);
        if (object == NULL) {
                /* Column and kind, never the text: it would print what a family is about. */
                return door_error_set(reterr_error, DOOR_MALFORMED, "line %zu, column %d: no JSON: %s",
                                      number, error.column,
                                      json_error_code(&error) == json_error_duplicate_key
                                              ? "a key stands twice in one object"
                                              : "the text breaks off or is not well-formed");
        }
        door_status status = DOOR_OK;
        if (!json_is_object(object)) {
                status =
                        door_error_set(reterr_error, DOOR_MALFORMED, "line %zu: JSON, but no object", number);
        } else {
                status = object_read(object, line, number, arena, &result, reterr_error);
        }
        json_decref(object);
        if (status == DOOR_OK) {
                *ret_referral = result;
        }
        return status;
}
