#include "intake/intake_form.h"

#include <string.h>

#include "door/identifiers.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_text.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(INTAKE_DAY_EXACT, DOOR__V1__PRECISION__PRECISION_DAY);
SAME(INTAKE_DAY_MONTH, DOOR__V1__PRECISION__PRECISION_MONTH);
SAME(INTAKE_DAY_YEAR, DOOR__V1__PRECISION__PRECISION_YEAR);

enum {
        FIELD_REFERRAL_PEOPLE = 6,
        /* Key, origin and reason around a referral. */
        WRAPPING_BYTES_MAX = 16 * DOOR_KIB,
        /* Facts and content stand in one record of 512 KiB. */
        FACTS_BYTES_MAX = 192 * DOOR_KIB,
        /* Days since 1970 of the years 1 to 9999: what a sender may put in a read date. */
        DAYS_MIN = -719162,
        DAYS_MAX = 2932896,
};

static door_bytes agency_of(const Door__V1__Referral *referral)
{
        return door_proto_text(referral->agency);
}

/* ---- dates: every Day and Moment, wherever in the message */

static void day_clear(Door__V1__Day *day)
{
        if (day->text != NULL) {
                day->has_days = 0;
                day->has_precision = 0;
        }
}

static void day_read(Door__V1__Day *day)
{
        intake_precision precision;
        int32_t days;

        if (day->text != NULL && intake_day_read(door_proto_text(day->text), &precision, &days)) {
                day->has_days = 1;
                day->days = days;
                day->has_precision = 1;
                day->precision = (Door__V1__Precision)precision;
        } else if (day->text == NULL && day->has_days && (day->days < DAYS_MIN || day->days > DAYS_MAX)) {
                /* A number that is no day of the calendar: nobody downstream need defend against it. */
                day->has_days = 0;
                day->has_precision = 1;
                day->precision = DOOR__V1__PRECISION__PRECISION_NONE;
        }
}

static void moment_clear(Door__V1__Moment *moment)
{
        if (moment->text != NULL) {
                moment->has_at_ms = 0;
                moment->has_day_only = 0;
        }
}

static void moment_read(Door__V1__Moment *moment)
{
        uint64_t at_ms;
        bool day_only;

        if (moment->text != NULL && intake_moment_read(door_proto_text(moment->text), &at_ms, &day_only)) {
                moment->has_at_ms = 1;
                moment->at_ms = at_ms;
                moment->has_day_only = 1;
                moment->day_only = day_only;
        }
}

/* Visits every Day and Moment below message: reads them, or takes back what was read. */
static void dates_visit(ProtobufCMessage *message, bool read)
{
        if (message->descriptor == &door__v1__day__descriptor) {
                (read ? day_read : day_clear)((Door__V1__Day *)message);
                return;
        }
        if (message->descriptor == &door__v1__moment__descriptor) {
                (read ? moment_read : moment_clear)((Door__V1__Moment *)message);
                return;
        }
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                uint8_t *member = (uint8_t *)message + field->offset;

                if (field->type != PROTOBUF_C_TYPE_MESSAGE) {
                        continue;
                }
                if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                        const size_t count =
                                *(size_t *)(void *)((uint8_t *)message + field->quantifier_offset);
                        ProtobufCMessage **items = *(ProtobufCMessage ***)(void *)member;
                        for (size_t n = 0; n < count; n++) {
                                dates_visit(items[n], read);
                        }
                } else if (*(ProtobufCMessage **)(void *)member != NULL) {
                        dates_visit(*(ProtobufCMessage **)(void *)member, read);
                }
        }
}

/* ---- folding: the same words, whatever the blanks and capitals */

static void fold_varint(door_writer *out, uint64_t value)
{
        while (value >= 0x80U) {
                door_write_u8(out, (uint8_t)(value | 0x80U));
                value >>= 7;
        }
        door_write_u8(out, (uint8_t)value);
}

static void fold_message(door_writer *out, const ProtobufCMessage *message);

static void fold_value(door_writer *out, const ProtobufCFieldDescriptor *field, const uint8_t *at)
{
        uint32_t u32;
        uint64_t u64;

        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
                intake_fold(out, door_proto_text(*(const char *const *)(const void *)at));
                break;
        case PROTOBUF_C_TYPE_BYTES: {
                const ProtobufCBinaryData *data = (const void *)at;
                fold_varint(out, data->len);
                door_write(out, door_proto_bytes(*data));
                break;
        }
        case PROTOBUF_C_TYPE_MESSAGE:
                fold_message(out, *(const ProtobufCMessage *const *)(const void *)at);
                break;
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                memcpy(&u64, at, sizeof u64);
                fold_varint(out, u64);
                break;
        case PROTOBUF_C_TYPE_SINT32:
                memcpy(&u32, at, sizeof u32);
                fold_varint(out, (u32 << 1) ^ ((u32 >> 31) != 0 ? UINT32_MAX : 0U));
                break;
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_BOOL:
        case PROTOBUF_C_TYPE_ENUM:
                memcpy(&u32, at, sizeof u32);
                fold_varint(out, u32);
                break;
        }
}

static size_t value_bytes(const ProtobufCFieldDescriptor *field)
{
        switch (field->type) {
        case PROTOBUF_C_TYPE_STRING:
        case PROTOBUF_C_TYPE_MESSAGE:
                return sizeof(void *);
        case PROTOBUF_C_TYPE_BYTES:
                return sizeof(ProtobufCBinaryData);
        case PROTOBUF_C_TYPE_UINT64:
        case PROTOBUF_C_TYPE_INT64:
        case PROTOBUF_C_TYPE_SINT64:
        case PROTOBUF_C_TYPE_FIXED64:
        case PROTOBUF_C_TYPE_SFIXED64:
        case PROTOBUF_C_TYPE_DOUBLE:
                return sizeof(uint64_t);
        case PROTOBUF_C_TYPE_SINT32:
        case PROTOBUF_C_TYPE_UINT32:
        case PROTOBUF_C_TYPE_INT32:
        case PROTOBUF_C_TYPE_FIXED32:
        case PROTOBUF_C_TYPE_SFIXED32:
        case PROTOBUF_C_TYPE_FLOAT:
        case PROTOBUF_C_TYPE_BOOL:
        case PROTOBUF_C_TYPE_ENUM:
                break;
        }
        return sizeof(uint32_t);
}

/* Field numbers and values in the descriptor's order, a 0 at the end of each message. */
static void fold_message(door_writer *out, const ProtobufCMessage *message)
{
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                const uint8_t *member = (const uint8_t *)message + field->offset;
                const uint8_t *quantifier = (const uint8_t *)message + field->quantifier_offset;
                size_t count = 1;

                if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                        memcpy(&count, quantifier, sizeof count);
                        member = *(const uint8_t *const *)(const void *)member;
                } else if (field->type == PROTOBUF_C_TYPE_STRING || field->type == PROTOBUF_C_TYPE_MESSAGE) {
                        const void *there;
                        memcpy(&there, member, sizeof there);
                        count = there != NULL ? 1 : 0;
                } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL) {
                        protobuf_c_boolean has;
                        memcpy(&has, quantifier, sizeof has);
                        count = has ? 1 : 0;
                }
                for (size_t n = 0; n < count; n++) {
                        fold_varint(out, field->id);
                        fold_value(out, field, member + n * value_bytes(field));
                }
        }
        door_write_u8(out, 0);
}

/* ---- digests */

/* The referral as our encoder packs it; `work` is given back. */
static door_status content_digest(const Door__V1__Referral *referral, door_arena *arena,
                                  door_hash *ret_digest)
{
        const door_arena_mark mark = door_arena_here(arena);
        door_bytes packed;

        const door_status status = door_proto_pack(referral, arena, &packed);
        if (status == DOOR_OK) {
                *ret_digest = door_hash_of_one(packed);
        }
        door_arena_rewind(arena, mark);
        return status;
}

static door_status likeness_digest(const Door__V1__Referral *referral, door_arena *arena,
                                   door_hash *ret_digest)
{
        const door_arena_mark mark = door_arena_here(arena);
        /* A field's number and value fold into no more than the wire takes for them, but for packed
         * lists, where each entry repeats its number. */
        const size_t cap = 3 * protobuf_c_message_get_packed_size(&referral->base) + 64;
        uint8_t *bytes = door_arena_take(arena, cap);

        if (bytes == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_writer out = door_writer_on(bytes, cap);
        fold_message(&out, &referral->base);
        *ret_digest = door_hash_of_one(door_written(&out));
        door_arena_rewind(arena, mark);
        return DOOR_OK;
}

/* Who a person is, for "the same persons": names and dates, not roles. */
static door_status person_digest(const Door__V1__Person *person, door_arena *arena, door_hash *ret_digest)
{
        const door_bytes texts[] = {
                door_proto_text(person->given_name),
                door_proto_text(person->surname),
                door_proto_text(person->dob == NULL ? NULL : person->dob->text),
                door_proto_text(person->edd == NULL ? NULL : person->edd->text),
        };
        const Door__V1__Day *const days[] = { person->dob, person->edd };
        const door_arena_mark mark = door_arena_here(arena);
        size_t cap = 64;

        for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
                cap += texts[i].len + 1;
        }
        uint8_t *bytes = door_arena_take(arena, cap);
        if (bytes == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_writer out = door_writer_on(bytes, cap);
        intake_fold(&out, texts[0]);
        intake_fold(&out, texts[1]);
        for (size_t i = 0; i < 2; i++) {
                /* The date that was read, so that 8/3/15 and 2015-03-08 are one; else its words. */
                const bool read = days[i] != NULL && days[i]->has_days;
                door_write_u8(&out, read ? 1 : 0);
                door_write_u32(&out, read ? (uint32_t)days[i]->days : 0U);
                door_write_u8(&out, read ? (uint8_t)days[i]->precision : 0U);
                intake_fold(&out, read ? DOOR_BYTES_EMPTY : texts[2 + i]);
        }
        *ret_digest = door_hash_of_one(door_written(&out));
        door_arena_rewind(arena, mark);
        return DOOR_OK;
}

/*
 * Agency, its reference, the day of the incident and the persons in any order. A missing date is
 * no "same date": without one, or without reference or persons, there is no such digest.
 */
static door_status reference_digest(const Door__V1__Referral *referral, door_arena *arena, bool *ret_has,
                                    door_hash *ret_digest)
{
        door_bytes reference = door_proto_text(referral->agency_ref);
        if (reference.len == 0 && referral->police != NULL) {
                reference = door_proto_text(referral->police->incident_number);
        }
        *ret_has = reference.len > 0 && referral->incident_at != NULL && referral->incident_at->has_at_ms &&
                   referral->n_people > 0;
        if (!*ret_has) {
                return DOOR_OK;
        }
        const door_arena_mark mark = door_arena_here(arena);
        const size_t cap = agency_of(referral).len + reference.len + 32;
        uint8_t *head = door_arena_take(arena, cap);
        door_hash *persons = door_arena_take_zeroed(arena, referral->n_people, sizeof *persons);
        if (head == NULL || persons == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < referral->n_people; i++) {
                door_hash digest;
                const door_status status = person_digest(referral->people[i], arena, &digest);
                if (status != DOOR_OK) {
                        return status;
                }
                size_t at = i;
                while (at > 0 && memcmp(persons[at - 1].bytes, digest.bytes, DOOR_HASH_BYTES) > 0) {
                        persons[at] = persons[at - 1];
                        at--;
                }
                persons[at] = digest;
        }
        door_writer out = door_writer_on(head, cap);
        intake_fold(&out, agency_of(referral));
        intake_fold(&out, reference);
        door_write_u64(&out, referral->incident_at->at_ms / 86400000U);
        const door_bytes parts[] = {
                door_written(&out),
                { (const uint8_t *)persons, referral->n_people * sizeof *persons },
        };
        *ret_digest = door_hash_of(parts, 2);
        door_arena_rewind(arena, mark);
        return DOOR_OK;
}

/* ---- the narrative's bound */

/* Moves what is over the bound into attached text; nothing is lost. */
static door_status narrative_cut(Door__V1__Referral *referral, door_arena *arena, bool *ret_cut)
{
        static char name[] = "narrative, continued";
        const size_t len = door_proto_text(referral->narrative).len;
        size_t keep = DOOR_NARRATIVE_BYTES_MAX;

        *ret_cut = len > keep;
        if (!*ret_cut) {
                return DOOR_OK;
        }
        while (((uint8_t)referral->narrative[keep] & 0xC0U) == 0x80U) {
                keep--; /* Not inside a character. */
        }
        Door__V1__AttachedText *rest = door_arena_take(arena, sizeof *rest);
        Door__V1__AttachedText **all =
                door_arena_take_zeroed(arena, referral->n_attached + 1, sizeof(void *));
        const char *text = door_proto_string(
                arena, (door_bytes){ (const uint8_t *)referral->narrative + keep, len - keep });
        if (rest == NULL || all == NULL || text == NULL) {
                return DOOR_NO_MEMORY;
        }
        door__v1__attached_text__init(rest);
        rest->name = name;
        rest->text = (char *)(uintptr_t)text;
        all[0] = rest;
        for (size_t i = 0; i < referral->n_attached; i++) {
                all[i + 1] = referral->attached[i];
        }
        referral->attached = all;
        referral->n_attached++;
        referral->narrative[keep] = '\0';
        return DOOR_OK;
}

/* ---- facts: what others need of the form */

typedef struct bits {
        uint64_t yes;
        uint64_t no;
        uint64_t cannot_tell;
} bits;

static void bit_add(bits *b, uint32_t fact, Door__V1__Answer answer)
{
        const uint64_t bit = fact > 0 && fact < 64 ? UINT64_C(1) << fact : 0;

        switch (answer) {
        case DOOR__V1__ANSWER__ANSWER_YES:
                b->yes |= bit;
                break;
        case DOOR__V1__ANSWER__ANSWER_NO:
                b->no |= bit;
                break;
        case DOOR__V1__ANSWER__ANSWER_CANNOT_TELL:
                b->cannot_tell |= bit;
                break;
        case DOOR__V1__ANSWER__ANSWER_NOT_GIVEN:
        case _DOOR__V1__ANSWER_IS_INT_SIZE:
                break;
        }
}

static bits bits_of(const Door__V1__Person *person)
{
        bits b = { 0 };
        const Door__V1__ChildAnswers *child = person->child;

        for (size_t i = 0; i < person->n_answer; i++) {
                bit_add(&b, (uint32_t)person->answer[i]->fact, person->answer[i]->answer);
        }
        if (child != NULL) {
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_SEEN, child->seen);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_INJURED, child->injured);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_MOBILE, child->independently_mobile);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_VERBAL, child->verbal);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_MISSING_NOW, child->missing_now);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_ASKING_FOR_HELP_NOW, child->asking_for_help_now);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_WITH_PERSON_OF_CONCERN_NOW,
                        child->with_person_of_concern_now);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_DISCLOSED, child->disclosed);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_PRESENT_AT_INCIDENT, child->present_at_incident);
                bit_add(&b, DOOR__V1__PERSON_FACT__PERSON_NOT_COPING, child->not_coping);
        }
        return b;
}

static bool number_fails(const Door__V1__Identifier *identifier)
{
        char out[DOOR_UPN_BYTES];
        const door_bytes text = door_proto_text(identifier->value);

        if (identifier->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER) {
                return door_nhs_number_read(text, out) != DOOR_IDENTIFIER_GOOD;
        }
        if (identifier->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN) {
                return door_upn_read(text, out) != DOOR_IDENTIFIER_GOOD;
        }
        return false;
}

static Door__V1__PersonNamed *person_named(const Door__V1__Person *person, bool alleged, door_arena *arena)
{
        Door__V1__PersonNamed *named = door_arena_take(arena, sizeof *named);
        Door__V1__CheckedIdentifier **list =
                door_arena_take_zeroed(arena, person->n_identifier, sizeof(void *));
        if (named == NULL || list == NULL) {
                return NULL;
        }
        door__v1__person_named__init(named);
        named->role = person->role;
        named->given_name = person->given_name;
        named->middle_names = person->middle_names;
        named->surname = person->surname;
        named->n_other_name = person->n_other_name;
        named->other_name = person->other_name;
        named->dob = person->dob;
        named->has_age_years = person->has_age_years;
        named->age_years = person->age_years;
        named->edd = person->edd;
        named->has_sex = person->has_sex;
        named->sex = person->sex;
        named->n_address = person->n_address;
        named->address = person->address;
        named->n_contact = person->n_contact;
        named->contact = person->contact;
        named->school = person->school;
        for (size_t i = 0; i < person->n_identifier; i++) {
                const Door__V1__Identifier *identifier = person->identifier[i];
                if (identifier->value == NULL) {
                        continue;
                }
                Door__V1__CheckedIdentifier *checked = door_arena_take(arena, sizeof *checked);
                if (checked == NULL) {
                        return NULL;
                }
                door__v1__checked_identifier__init(checked);
                checked->kind = identifier->kind;
                checked->value = identifier->value;
                checked->has_check_failed = number_fails(identifier);
                checked->check_failed = checked->has_check_failed;
                list[named->n_identifier++] = checked;
        }
        named->identifier = list;
        const bits b = bits_of(person);
        named->has_facts_yes = b.yes != 0;
        named->facts_yes = b.yes;
        named->has_facts_no = b.no != 0;
        named->facts_no = b.no;
        named->has_facts_cannot_tell = b.cannot_tell != 0;
        named->facts_cannot_tell = b.cannot_tell;
        named->has_alleged_to_have_caused_harm = alleged;
        named->alleged_to_have_caused_harm = alleged;
        return named;
}

static bool is_alleged(const Door__V1__Referral *referral, size_t person)
{
        for (size_t i = 0; i < referral->n_alleged_to_have_caused_harm; i++) {
                if (referral->alleged_to_have_caused_harm[i] == person) {
                        return true;
                }
        }
        return false;
}

/* Borrows from referral; sent_at is the event's to fill in. NULL: the arena is full. */
static Door__V1__ReferralFacts *facts_of(const Door__V1__Referral *referral, door_arena *arena)
{
        Door__V1__ReferralFacts *facts = door_arena_take(arena, sizeof *facts);
        Door__V1__PersonNamed **persons = door_arena_take_zeroed(arena, referral->n_people, sizeof(void *));
        if (facts == NULL || persons == NULL) {
                return NULL;
        }
        for (size_t i = 0; i < referral->n_people; i++) {
                persons[i] = person_named(referral->people[i], is_alleged(referral, i), arena);
                if (persons[i] == NULL) {
                        return NULL;
                }
        }
        door__v1__referral_facts__init(facts);
        facts->agency = referral->agency;
        facts->agency_ref = referral->agency_ref;
        facts->incident_at = referral->incident_at;
        facts->n_category = referral->n_category;
        facts->category = referral->category;
        facts->has_grade = referral->has_grade;
        facts->grade = referral->grade;
        facts->n_flags = referral->n_flags;
        facts->flags = referral->flags;
        facts->has_level_asked = referral->has_level_asked;
        facts->level_asked = referral->level_asked;
        facts->has_told_parents = referral->has_told_parents;
        facts->told_parents = referral->told_parents;
        facts->has_alleged_not_known = referral->has_alleged_not_known;
        facts->alleged_not_known = referral->alleged_not_known;
        facts->has_do_not_tell = referral->n_do_not_tell > 0;
        facts->do_not_tell = facts->has_do_not_tell;
        if (referral->referrer != NULL) {
                facts->has_sender_kind = referral->referrer->has_kind;
                facts->sender_kind = referral->referrer->kind;
                facts->has_anonymous = referral->referrer->has_anonymous;
                facts->anonymous = referral->referrer->anonymous;
        }
        facts->dash = referral->dash;
        for (size_t i = 0; i < referral->n_screening; i++) {
                const int32_t score = referral->screening[i]->score;
                if (referral->screening[i]->has_score &&
                    (!facts->has_screening_score || score > facts->screening_score)) {
                        facts->has_screening_score = 1;
                        facts->screening_score = score;
                }
        }
        if (referral->consent != NULL) {
                facts->has_consent = referral->consent->has_given;
                facts->consent = referral->consent->given;
        }
        facts->n_relationship = referral->n_relationship;
        facts->relationship = referral->relationship;
        facts->n_household = referral->n_household;
        facts->household = referral->household;
        facts->n_person = referral->n_people;
        facts->person = persons;
        facts->found_in_council = referral->found_in_council;
        facts->placing_council = referral->placing_council;
        facts->has_confirms = referral->has_confirms && referral->confirms.len == DOOR_ID_BYTES;
        facts->confirms = referral->confirms;
        return facts;
}

/* ---- what the core decides on */

static bool text_there(const char *text)
{
        return text != NULL && text[0] != '\0';
}

static intake_day day_of(const Door__V1__Day *day)
{
        intake_day out = { 0 };

        if (day == NULL) {
                return out;
        }
        out.sent = text_there(day->text) || day->has_days || day->has_precision;
        if (day->has_days) {
                out.days = day->days;
                out.precision = day->has_precision && day->precision != 0 ? (intake_precision)day->precision
                                                                          : INTAKE_DAY_EXACT;
        }
        return out;
}

static intake_life life_of(Door__V1__Role role)
{
        switch (role) {
        case DOOR__V1__ROLE__ROLE_NOT_GIVEN:
        case _DOOR__V1__ROLE_IS_INT_SIZE:
                break;
        case DOOR__V1__ROLE__ROLE_INDEX_CHILD:
        case DOOR__V1__ROLE__ROLE_SIBLING:
        case DOOR__V1__ROLE__ROLE_OTHER_CHILD:
                return INTAKE_LIFE_CHILD;
        case DOOR__V1__ROLE__ROLE_UNBORN:
                return INTAKE_LIFE_UNBORN;
        case DOOR__V1__ROLE__ROLE_MOTHER:
        case DOOR__V1__ROLE__ROLE_FATHER:
        case DOOR__V1__ROLE__ROLE_STEP_MOTHER:
        case DOOR__V1__ROLE__ROLE_STEP_FATHER:
        case DOOR__V1__ROLE__ROLE_PARTNER:
        case DOOR__V1__ROLE__ROLE_GRANDPARENT:
        case DOOR__V1__ROLE__ROLE_OTHER_RELATIVE:
        case DOOR__V1__ROLE__ROLE_CARER:
        case DOOR__V1__ROLE__ROLE_FOSTER_CARER:
        case DOOR__V1__ROLE__ROLE_LODGER:
        case DOOR__V1__ROLE__ROLE_OTHER_ADULT:
                return INTAKE_LIFE_ADULT;
        }
        return INTAKE_LIFE_UNKNOWN;
}

static bool person_of(const Door__V1__Person *person, door_arena *arena, intake_person *ret_person)
{
        intake_number *numbers =
                door_arena_take_zeroed(arena, person->n_identifier + 2 * person->n_address, sizeof *numbers);
        size_t count = 0;

        if (numbers == NULL) {
                return false;
        }
        for (size_t i = 0; i < person->n_identifier; i++) {
                const Door__V1__Identifier *identifier = person->identifier[i];
                if (identifier->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER) {
                        numbers[count++] =
                                (intake_number){ INTAKE_NUMBER_NHS, door_proto_text(identifier->value) };
                } else if (identifier->kind == DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN) {
                        numbers[count++] =
                                (intake_number){ INTAKE_NUMBER_UPN, door_proto_text(identifier->value) };
                }
        }
        for (size_t i = 0; i < person->n_address; i++) {
                const Door__V1__Address *address = person->address[i];
                numbers[count++] =
                        (intake_number){ INTAKE_NUMBER_POSTCODE, door_proto_text(address->postcode) };
                numbers[count++] = (intake_number){ INTAKE_NUMBER_UPRN, door_proto_text(address->uprn) };
        }
        *ret_person = (intake_person){
                .life = life_of(person->role),
                .role_unknown =
                        person->role == DOOR__V1__ROLE__ROLE_NOT_GIVEN && text_there(person->role_text),
                .named = text_there(person->given_name) || text_there(person->surname),
                .has_age = person->has_age_years,
                .age_years = person->age_years,
                .dob = day_of(person->dob),
                .edd = day_of(person->edd),
                .numbers = numbers,
                .numbers_count = count,
        };
        return true;
}

static void highest(uint32_t *max, uint32_t value)
{
        if (value > *max) {
                *max = value;
        }
}

static void indices_of(const Door__V1__Referral *referral, intake_form *form)
{
        for (size_t i = 0; i < referral->n_relationship; i++) {
                highest(&form->relationship_index_max, referral->relationship[i]->adult);
                highest(&form->relationship_index_max, referral->relationship[i]->child);
        }
        for (size_t i = 0; i < referral->n_household; i++) {
                for (size_t n = 0; n < referral->household[i]->n_member; n++) {
                        highest(&form->household_index_max, referral->household[i]->member[n]->person);
                }
        }
        for (size_t i = 0; referral->consent != NULL && i < referral->consent->n_given_by; i++) {
                highest(&form->consent_index_max, referral->consent->given_by[i]);
        }
        for (size_t i = 0; i < referral->n_do_not_tell; i++) {
                for (size_t n = 0; n < referral->do_not_tell[i]->n_person; n++) {
                        highest(&form->do_not_tell_index_max, referral->do_not_tell[i]->person[n]);
                }
        }
}

static door_status form_summarise(const Door__V1__Referral *referral, door_arena *arena, intake_form *form)
{
        const Door__V1__Moment *incident = referral->incident_at;
        intake_person *people = door_arena_take_zeroed(arena, referral->n_people, sizeof *people);

        if (people == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < referral->n_people; i++) {
                if (!person_of(referral->people[i], arena, &people[i])) {
                        return DOOR_NO_MEMORY;
                }
        }
        form->people = people;
        form->people_count = referral->n_people;
        form->agency = agency_of(referral);
        form->has_sent_at = referral->has_sent_at_ms;
        form->sent_at_ms = referral->sent_at_ms;
        form->incident_sent = incident != NULL && (text_there(incident->text) || incident->has_at_ms);
        form->incident_read = incident != NULL && incident->has_at_ms;
        form->incident_at_ms = incident == NULL ? 0 : incident->at_ms;
        form->has_concern = referral->n_category > 0;
        form->concern_unknown = text_there(referral->category_text);
        form->has_narrative = text_there(referral->narrative);
        form->has_unrecognised = referral->n_unrecognised > 0;
        form->has_level = referral->has_level_asked;
        form->level_asked = referral->level_asked;
        form->alleged_not_known = referral->has_alleged_not_known && referral->alleged_not_known;
        form->alleged = referral->alleged_to_have_caused_harm;
        form->alleged_count = referral->n_alleged_to_have_caused_harm;
        form->confirms_odd = referral->has_confirms && referral->confirms.len != DOOR_ID_BYTES;
        indices_of(referral, form);
        return DOOR_OK;
}

door_status intake_form_read(Door__V1__Referral *referral, door_arena *arena, intake_form *form)
{
        const protobuf_c_boolean has_sent_at = referral->has_sent_at_ms;
        door_status status;

        referral->has_sent_at_ms = 0;
        dates_visit(&referral->base, false);
        status = content_digest(referral, arena, &form->content_digest);
        if (status == DOOR_OK) {
                status = likeness_digest(referral, arena, &form->likeness_digest);
        }
        referral->has_sent_at_ms = has_sent_at;
        dates_visit(&referral->base, true);
        if (status == DOOR_OK) {
                status = reference_digest(referral, arena, &form->has_reference, &form->reference_digest);
        }
        if (status == DOOR_OK) {
                status = narrative_cut(referral, arena, &form->narrative_long);
        }
        if (status == DOOR_OK) {
                status = door_proto_pack(referral, arena, &form->content);
        }
        if (status == DOOR_OK) {
                status = form_summarise(referral, arena, form);
        }
        if (status != DOOR_OK) {
                return status;
        }
        const Door__V1__ReferralFacts *facts = facts_of(referral, arena);
        if (facts == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (protobuf_c_message_get_packed_size(&facts->base) > FACTS_BYTES_MAX) {
                form->bound = INTAKE_BOUND_PARTS;
        }
        form->facts = facts;
        return DOOR_OK;
}

door_status intake_form_bounds(const ProtobufCMessageDescriptor *type, door_bytes body, uint32_t field,
                               intake_form *form)
{
        door_bytes referral;
        door_bytes person;
        size_t count;

        if (!door_proto_field(body, field, &referral, &count) || count != 1) {
                return DOOR_MALFORMED; /* Two of them would be merged by the decoder: nobody means that. */
        }
        if (referral.len > DOOR_REFERRAL_BYTES_MAX || body.len - referral.len > WRAPPING_BYTES_MAX) {
                form->bound = INTAKE_BOUND_BYTES;
                form->bound_got = body.len;
                return DOOR_OK;
        }
        if (!door_proto_field(referral, FIELD_REFERRAL_PEOPLE, &person, &count)) {
                return DOOR_MALFORMED;
        }
        if (count > DOOR_PEOPLE_MAX) {
                form->bound = INTAKE_BOUND_PEOPLE;
                form->bound_got = count;
                return DOOR_OK;
        }
        const door_status status = door_proto_check(type, body, DOOR_PROTO_COST_MAX);
        if (status == DOOR_TOO_LARGE) {
                form->bound = INTAKE_BOUND_PARTS;
                return DOOR_OK;
        }
        return status;
}
