#include "intake/intake_codec.h"

#include <string.h>

#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "intake/intake_form.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(INTAKE_SUBMIT, DOOR__V1__INTAKE_COMMAND__INTAKE_SUBMIT);
SAME(INTAKE_WITHDRAW, DOOR__V1__INTAKE_COMMAND__INTAKE_WITHDRAW);
SAME(INTAKE_AMEND, DOOR__V1__INTAKE_COMMAND__INTAKE_AMEND);
SAME(INTAKE_FETCH, DOOR__V1__INTAKE_COMMAND__INTAKE_FETCH);
SAME(INTAKE_REFERRAL_RECEIVED, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED);
SAME(INTAKE_REFERRAL_REPEATED, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_REPEATED);
SAME(INTAKE_ATTEMPT_REFUSED, DOOR__V1__INTAKE_EVENT__INTAKE_ATTEMPT_REFUSED);
SAME(INTAKE_WITHDRAW_ASKED, DOOR__V1__INTAKE_EVENT__INTAKE_WITHDRAW_ASKED);
SAME(INTAKE_AMEND_ASKED, DOOR__V1__INTAKE_EVENT__INTAKE_AMEND_ASKED);
SAME(INTAKE_DISCLOSED, DOOR__V1__INTAKE_EVENT__INTAKE_DISCLOSED);
SAME(INTAKE_REASON_SAME_KEY_OTHER_CONTENT, DOOR__V1__INTAKE_REFUSAL__INTAKE_SAME_KEY_OTHER_CONTENT);
SAME(INTAKE_REASON_AGENCY_UNKNOWN, DOOR__V1__INTAKE_REFUSAL__INTAKE_AGENCY_UNKNOWN);
SAME(INTAKE_RETRY_NOT_READY, DOOR__V1__RETRY_REASON__RETRY_NOT_READY);
SAME(INTAKE_REASON_KEY_NOT_THE_COMMAND_ID, DOOR__V1__INTAKE_REFUSAL__INTAKE_KEY_NOT_THE_COMMAND_ID);
SAME(INTAKE_REASON_NOT_ALLOWED, DOOR__V1__REFUSED_REASON__REASON_NOT_ALLOWED);
SAME(INTAKE_REASON_TOO_LARGE, DOOR__V1__REFUSED_REASON__REASON_TOO_LARGE);
SAME(INTAKE_REASON_INVALID, DOOR__V1__REFUSED_REASON__REASON_INVALID);
SAME(INTAKE_REASON_NO_SUCH, DOOR__V1__REFUSED_REASON__REASON_NO_SUCH);
SAME(INTAKE_PART_ORIGINAL, DOOR__V1__CONTENT_PART__PART_ORIGINAL);
SAME(INTAKE_PART_AMENDMENT, DOOR__V1__CONTENT_PART__PART_AMENDMENT);
SAME(INTAKE_PART_ATTEMPT, DOOR__V1__CONTENT_PART__PART_ATTEMPT);
SAME(INTAKE_WARNING_MISSING, DOOR__V1__WARNING_CODE__WARNING_MISSING);
SAME(INTAKE_WARNING_UNREADABLE, DOOR__V1__WARNING_CODE__WARNING_UNREADABLE);
SAME(INTAKE_WARNING_CHECK_DIGIT, DOOR__V1__WARNING_CODE__WARNING_CHECK_DIGIT);
SAME(INTAKE_WARNING_IN_THE_FUTURE, DOOR__V1__WARNING_CODE__WARNING_IN_THE_FUTURE);
SAME(INTAKE_WARNING_ODD, DOOR__V1__WARNING_CODE__WARNING_ODD);
SAME(INTAKE_WARNING_CONTRADICTS, DOOR__V1__WARNING_CODE__WARNING_CONTRADICTS);
SAME(INTAKE_WARNING_OUT_OF_RANGE, DOOR__V1__WARNING_CODE__WARNING_OUT_OF_RANGE);
SAME(INTAKE_WARNING_LONG, DOOR__V1__WARNING_CODE__WARNING_LONG);
SAME(INTAKE_WARNING_UNRECOGNISED, DOOR__V1__WARNING_CODE__WARNING_UNRECOGNISED);
SAME(INTAKE_WARNING_UNKNOWN_CODE, DOOR__V1__WARNING_CODE__WARNING_UNKNOWN_CODE);
SAME(INTAKE_WARNING_CUT, DOOR__V1__WARNING_CODE__WARNING_CUT);

enum { FIELD_SUBMIT_REFERRAL = 1, FIELD_AMEND_AMENDED = 2 };

/* ---- commands */

static door_status submit_decode(door_bytes body, door_arena *arena, const void **ret_body)
{
        intake_submit *submit = door_arena_take_zeroed(arena, 1, sizeof *submit);
        Door__V1__Submit *message = NULL;

        if (submit == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_status status =
                intake_form_bounds(&door__v1__submit__descriptor, body, FIELD_SUBMIT_REFERRAL, &submit->form);
        if (status == DOOR_OK && submit->form.bound == INTAKE_WITHIN_BOUNDS) {
                status = door_proto_unpack(&door__v1__submit__descriptor, body, arena, &message);
                if (status == DOOR_OK) {
                        status = intake_form_read(message->referral, arena, &submit->form);
                }
        }
        if (status != DOOR_OK) {
                return status;
        }
        if (message != NULL) {
                submit->idempotency_key = door_proto_text(message->idempotency_key);
                if (message->origin != NULL) {
                        submit->channel = (uint32_t)message->origin->channel;
                        submit->historic = message->origin->has_historic_received_at_ms;
                        submit->historic_received_at_ms = message->origin->historic_received_at_ms;
                }
        }
        *ret_body = submit;
        return DOOR_OK;
}

static door_status withdraw_decode(door_bytes body, door_arena *arena, const void **ret_body)
{
        Door__V1__Withdraw *message;
        const door_status status = door_proto_read(&door__v1__withdraw__descriptor, body, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_withdraw *withdraw = door_arena_take_zeroed(arena, 1, sizeof *withdraw);
        if (withdraw == NULL) {
                return DOOR_NO_MEMORY;
        }
        withdraw->referral_readable =
                door_id_from_bytes(door_proto_bytes(message->referral), &withdraw->referral);
        withdraw->reason = door_proto_text(message->reason);
        *ret_body = withdraw;
        return DOOR_OK;
}

static door_status amend_decode(door_bytes body, door_arena *arena, const void **ret_body)
{
        intake_amend *amend = door_arena_take_zeroed(arena, 1, sizeof *amend);
        Door__V1__Amend *message = NULL;

        if (amend == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_status status =
                intake_form_bounds(&door__v1__amend__descriptor, body, FIELD_AMEND_AMENDED, &amend->form);
        if (status == DOOR_OK && amend->form.bound == INTAKE_WITHIN_BOUNDS) {
                status = door_proto_unpack(&door__v1__amend__descriptor, body, arena, &message);
                if (status == DOOR_OK) {
                        status = intake_form_read(message->amended, arena, &amend->form);
                }
        }
        if (status != DOOR_OK) {
                return status;
        }
        if (message != NULL) {
                amend->referral_readable =
                        door_id_from_bytes(door_proto_bytes(message->referral), &amend->referral);
                amend->reason = door_proto_text(message->reason);
        }
        *ret_body = amend;
        return DOOR_OK;
}

static door_status fetch_decode(door_bytes body, door_arena *arena, const void **ret_body)
{
        Door__V1__Fetch *message;
        const door_status status = door_proto_read(&door__v1__fetch__descriptor, body, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_fetch *fetch = door_arena_take_zeroed(arena, 1, sizeof *fetch);
        if (fetch == NULL) {
                return DOOR_NO_MEMORY;
        }
        fetch->referral_readable = door_id_from_bytes(door_proto_bytes(message->referral), &fetch->referral);
        fetch->purpose = (uint32_t)message->purpose;
        fetch->part = (uint32_t)message->part;
        fetch->number = message->number;
        fetch->note = door_proto_text(message->note);
        *ret_body = fetch;
        return DOOR_OK;
}

static door_status command_decode(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        switch (type) {
        case INTAKE_SUBMIT:
                return submit_decode(body, arena, ret_body);
        case INTAKE_WITHDRAW:
                return withdraw_decode(body, arena, ret_body);
        case INTAKE_AMEND:
                return amend_decode(body, arena, ret_body);
        case INTAKE_FETCH:
                return fetch_decode(body, arena, ret_body);
        default:
                return DOOR_MALFORMED;
        }
}

static door_status input_decode(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)log;
        (void)type;
        (void)version;
        (void)payload;
        (void)arena;
        (void)ret_body;
        return DOOR_MALFORMED; /* Intake reads nobody's log. */
}

/* ---- warnings */

static const char *const pointers[INTAKE_FIELDS] = {
        [INTAKE_FIELD_REFERRAL] = "",
        [INTAKE_FIELD_RECEIVED_AT] = "/received_at",
        [INTAKE_FIELD_SENT_AT] = "/sent_at",
        [INTAKE_FIELD_INCIDENT_AT] = "/incident_at",
        [INTAKE_FIELD_CONCERN_TYPE] = "/concern_type",
        [INTAKE_FIELD_NARRATIVE] = "/narrative",
        [INTAKE_FIELD_LEVEL_ASKED] = "/level_asked",
        [INTAKE_FIELD_ALLEGED] = "/alleged_to_have_caused_harm",
        [INTAKE_FIELD_UNRECOGNISED] = "/unrecognised",
        [INTAKE_FIELD_PEOPLE] = "/people",
        [INTAKE_FIELD_RELATIONSHIP] = "/relationships",
        [INTAKE_FIELD_HOUSEHOLD] = "/households",
        [INTAKE_FIELD_CONSENT] = "/consent",
        [INTAKE_FIELD_DO_NOT_TELL] = "/do_not_tell",
        [INTAKE_FIELD_CONFIRMS] = "/confirms",
        [INTAKE_FIELD_PERSON_ROLE] = "role",
        [INTAKE_FIELD_PERSON_NAME] = "surname",
        [INTAKE_FIELD_PERSON_DOB] = "dob",
        [INTAKE_FIELD_PERSON_AGE] = "age_years",
        [INTAKE_FIELD_PERSON_EDD] = "edd",
        [INTAKE_FIELD_PERSON_NHS_NUMBER] = "nhs_number",
        [INTAKE_FIELD_PERSON_UPN] = "upn",
        [INTAKE_FIELD_PERSON_POSTCODE] = "postcode",
        [INTAKE_FIELD_PERSON_UPRN] = "uprn",
};

enum { POINTER_BYTES_MAX = 64 };
static const char people_prefix[] = "/people/";

const char *intake_pointer_print(const intake_warning *warning, door_arena *arena)
{
        uint8_t digits[5];
        size_t count = 0;
        uint32_t rest = warning->person;
        uint8_t *out = door_arena_take(arena, POINTER_BYTES_MAX);

        DOOR_REQUIRE(warning->field < INTAKE_FIELDS);
        if (out == NULL) {
                return NULL;
        }
        door_writer w = door_writer_on(out, POINTER_BYTES_MAX);
        if (warning->person != INTAKE_NO_PERSON) {
                door_write(&w, door_bytes_of(people_prefix));
                do {
                        digits[count++] = (uint8_t)('0' + rest % 10);
                        rest /= 10;
                } while (rest > 0);
                while (count > 0) {
                        door_write_u8(&w, digits[--count]);
                }
                door_write_u8(&w, '/');
        }
        door_write(&w, door_bytes_of(pointers[warning->field]));
        door_write_u8(&w, 0);
        return (const char *)door_written(&w).data;
}

bool intake_pointer_parse(const char *pointer, uint16_t *ret_field, uint16_t *ret_person)
{
        const size_t prefix_len = sizeof people_prefix - 1;
        uint32_t person = INTAKE_NO_PERSON;

        if (strncmp(pointer, people_prefix, prefix_len) == 0) {
                const char *at = pointer + prefix_len;
                const char *digits = at;
                person = 0;
                while (*at >= '0' && *at <= '9' && at - digits < 5) {
                        person = person * 10 + (uint32_t)(*at++ - '0');
                }
                if (at == digits || *at != '/' || person >= INTAKE_NO_PERSON) {
                        return false;
                }
                pointer = at + 1;
        }
        for (uint16_t field = 0; field < INTAKE_FIELDS; field++) {
                const bool of_person = field >= INTAKE_FIELD_PERSON_ROLE;
                if (of_person == (person != INTAKE_NO_PERSON) && strcmp(pointers[field], pointer) == 0) {
                        *ret_field = field;
                        *ret_person = (uint16_t)person;
                        return true;
                }
        }
        return false;
}

static bool warnings_encode(const intake_warnings *warnings, door_arena *arena, size_t *ret_count,
                            Door__V1__Warning ***ret_list)
{
        Door__V1__Warning **list = door_arena_take_zeroed(arena, warnings->count, sizeof(void *));
        if (list == NULL) {
                return false;
        }
        for (size_t i = 0; i < warnings->count; i++) {
                Door__V1__Warning *message = door_arena_take(arena, sizeof *message);
                const char *field = intake_pointer_print(&warnings->items[i], arena);
                if (message == NULL || field == NULL) {
                        return false;
                }
                door__v1__warning__init(message);
                message->field = (char *)(uintptr_t)field;
                message->code = (Door__V1__WarningCode)warnings->items[i].code;
                list[i] = message;
        }
        *ret_count = warnings->count;
        *ret_list = list;
        return true;
}

static bool warnings_decode(size_t count, Door__V1__Warning *const *list, intake_warnings *ret_warnings)
{
        if (count > INTAKE_WARNINGS_MAX) {
                return false;
        }
        for (size_t i = 0; i < count; i++) {
                intake_warning *warning = &ret_warnings->items[i];
                if (!intake_pointer_parse(list[i]->field, &warning->field, &warning->person)) {
                        return false;
                }
                warning->code = (uint16_t)list[i]->code;
        }
        ret_warnings->count = count;
        return true;
}

/* ---- events */

static ProtobufCBinaryData id_data(const door_id *id)
{
        return door_proto_data(door_id_bytes(id));
}

static ProtobufCBinaryData hash_data(const door_hash *hash)
{
        return door_proto_data(door_hash_bytes(hash));
}

static bool id_from(ProtobufCBinaryData data, door_id *ret_id)
{
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

static bool hash_from(ProtobufCBinaryData data, door_hash *ret_hash)
{
        if (data.len != DOOR_HASH_BYTES) {
                return false;
        }
        memcpy(ret_hash->bytes, data.data, DOOR_HASH_BYTES);
        return true;
}

static door_status content_encode(door_bytes content, door_bytes reason, door_arena *arena,
                                  door_bytes *ret_private)
{
        Door__V1__ReferralContent message = DOOR__V1__REFERRAL_CONTENT__INIT;

        message.referral = door_proto_data(content);
        message.reason = door_proto_string(arena, reason);
        return door_proto_pack(&message, arena, ret_private);
}

/* An erased payload is empty and leaves content and reason empty. */
static door_status content_decode(door_bytes private_payload, door_arena *arena, door_bytes *ret_content,
                                  door_bytes *ret_reason)
{
        Door__V1__ReferralContent *message;

        *ret_content = DOOR_BYTES_EMPTY;
        *ret_reason = DOOR_BYTES_EMPTY;
        if (private_payload.len == 0) {
                return DOOR_OK;
        }
        const door_status status =
                door_proto_read(&door__v1__referral_content__descriptor, private_payload, arena, &message);
        if (status == DOOR_OK) {
                *ret_content = door_proto_bytes(message->referral);
                *ret_reason = door_proto_text(message->reason);
        }
        return status;
}

/* The facts with the event's sent_at; a shallow copy, because the event's body is const. */
static Door__V1__ReferralFacts facts_with(const void *facts, uint64_t sent_at_ms)
{
        Door__V1__ReferralFacts copy = *(const Door__V1__ReferralFacts *)facts;
        copy.sent_at_ms = sent_at_ms;
        return copy;
}

static door_status received_encode(const intake_received *body, door_arena *arena, door_bytes *ret_public,
                                   door_bytes *ret_private)
{
        Door__V1__ReferralReceived message = DOOR__V1__REFERRAL_RECEIVED__INIT;
        Door__V1__ReferralFacts facts = facts_with(body->facts, body->sent_at_ms);

        message.referral = id_data(&body->referral);
        message.received_at_ms = body->received_at_ms;
        message.idempotency_key = door_proto_string(arena, body->idempotency_key);
        message.key_digest = hash_data(&body->key_digest);
        message.content_digest = hash_data(&body->content_digest);
        message.likeness_digest = hash_data(&body->likeness_digest);
        message.has_reference_digest = body->has_reference;
        message.reference_digest = hash_data(&body->reference_digest);
        message.has_probable_resend_of = body->has_resend_of;
        message.probable_resend_of = id_data(&body->resend_of);
        message.has_historic = body->historic;
        message.historic = body->historic;
        message.has_channel = body->channel != 0;
        message.channel = (Door__V1__Channel)body->channel;
        message.facts = &facts;
        if (!warnings_encode(&body->warnings, arena, &message.n_warning, &message.warning)) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_pack(&message, arena, ret_public);
        return status == DOOR_OK ? content_encode(body->content, DOOR_BYTES_EMPTY, arena, ret_private)
                                 : status;
}

static door_status received_decode(door_bytes public_payload, door_bytes private_payload, door_arena *arena,
                                   const void **ret_body)
{
        Door__V1__ReferralReceived *message;
        door_bytes reason;
        door_status status =
                door_proto_read(&door__v1__referral_received__descriptor, public_payload, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_received *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const bool good = id_from(message->referral, &body->referral) &&
                          hash_from(message->key_digest, &body->key_digest) &&
                          hash_from(message->content_digest, &body->content_digest) &&
                          hash_from(message->likeness_digest, &body->likeness_digest) &&
                          (!message->has_reference_digest ||
                           hash_from(message->reference_digest, &body->reference_digest)) &&
                          (!message->has_probable_resend_of ||
                           id_from(message->probable_resend_of, &body->resend_of)) &&
                          warnings_decode(message->n_warning, message->warning, &body->warnings);
        if (!good) {
                return DOOR_MALFORMED;
        }
        body->received_at_ms = message->received_at_ms;
        body->sent_at_ms = message->facts->sent_at_ms;
        body->historic = message->has_historic && message->historic;
        body->channel = (uint32_t)message->channel;
        body->agency = door_proto_text(message->facts->agency);
        body->idempotency_key = door_proto_text(message->idempotency_key);
        body->has_reference = message->has_reference_digest;
        body->has_resend_of = message->has_probable_resend_of;
        body->facts = message->facts;
        status = content_decode(private_payload, arena, &body->content, &reason);
        *ret_body = body;
        return status;
}

static door_status repeated_encode(const intake_repeated *body, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__ReferralRepeated message = DOOR__V1__REFERRAL_REPEATED__INIT;

        message.referral = id_data(&body->referral);
        message.received_at_ms = body->received_at_ms;
        if (!warnings_encode(&body->warnings, arena, &message.n_warning, &message.warning)) {
                return DOOR_NO_MEMORY;
        }
        return door_proto_pack(&message, arena, ret_public);
}

static door_status repeated_decode(door_bytes public_payload, door_arena *arena, const void **ret_body)
{
        Door__V1__ReferralRepeated *message;
        const door_status status =
                door_proto_read(&door__v1__referral_repeated__descriptor, public_payload, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_repeated *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!id_from(message->referral, &body->referral) ||
            !warnings_decode(message->n_warning, message->warning, &body->warnings)) {
                return DOOR_MALFORMED;
        }
        body->received_at_ms = message->received_at_ms;
        *ret_body = body;
        return DOOR_OK;
}

static door_status attempt_encode(const intake_other *body, door_arena *arena, door_bytes *ret_public,
                                  door_bytes *ret_private)
{
        Door__V1__AttemptRefused message = DOOR__V1__ATTEMPT_REFUSED__INIT;
        Door__V1__ReferralFacts facts = facts_with(body->facts, body->sent_at_ms);

        message.referral = id_data(&body->referral);
        message.received_at_ms = body->received_at_ms;
        message.attempted_at_ms = body->asked_at_ms;
        message.number = body->number;
        message.content_digest = hash_data(&body->content_digest);
        message.facts = &facts;
        if (!warnings_encode(&body->warnings, arena, &message.n_warning, &message.warning)) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_pack(&message, arena, ret_public);
        return status == DOOR_OK ? content_encode(body->content, body->reason, arena, ret_private) : status;
}

static door_status attempt_decode(door_bytes public_payload, door_bytes private_payload, door_arena *arena,
                                  const void **ret_body)
{
        Door__V1__AttemptRefused *message;
        door_status status =
                door_proto_read(&door__v1__attempt_refused__descriptor, public_payload, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_other *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!id_from(message->referral, &body->referral) ||
            !hash_from(message->content_digest, &body->content_digest) ||
            !warnings_decode(message->n_warning, message->warning, &body->warnings)) {
                return DOOR_MALFORMED;
        }
        body->received_at_ms = message->received_at_ms;
        body->asked_at_ms = message->attempted_at_ms;
        body->sent_at_ms = message->facts->sent_at_ms;
        body->number = message->number;
        body->facts = message->facts;
        status = content_decode(private_payload, arena, &body->content, &body->reason);
        *ret_body = body;
        return status;
}

static door_status amend_encode(const intake_other *body, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        Door__V1__AmendAsked message = DOOR__V1__AMEND_ASKED__INIT;
        Door__V1__ReferralFacts facts = facts_with(body->facts, body->sent_at_ms);

        message.referral = id_data(&body->referral);
        message.received_at_ms = body->received_at_ms;
        message.asked_at_ms = body->asked_at_ms;
        message.number = body->number;
        message.content_digest = hash_data(&body->content_digest);
        message.facts = &facts;
        if (!warnings_encode(&body->warnings, arena, &message.n_warning, &message.warning)) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_pack(&message, arena, ret_public);
        return status == DOOR_OK ? content_encode(body->content, body->reason, arena, ret_private) : status;
}

static door_status amend_asked_decode(door_bytes public_payload, door_bytes private_payload,
                                      door_arena *arena, const void **ret_body)
{
        Door__V1__AmendAsked *message;
        door_status status =
                door_proto_read(&door__v1__amend_asked__descriptor, public_payload, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_other *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!id_from(message->referral, &body->referral) ||
            !hash_from(message->content_digest, &body->content_digest) ||
            !warnings_decode(message->n_warning, message->warning, &body->warnings)) {
                return DOOR_MALFORMED;
        }
        body->received_at_ms = message->received_at_ms;
        body->asked_at_ms = message->asked_at_ms;
        body->sent_at_ms = message->facts->sent_at_ms;
        body->number = message->number;
        body->facts = message->facts;
        status = content_decode(private_payload, arena, &body->content, &body->reason);
        *ret_body = body;
        return status;
}

static door_status withdraw_encode(const intake_withdraw_asked *body, door_arena *arena,
                                   door_bytes *ret_public, door_bytes *ret_private)
{
        Door__V1__WithdrawAsked message = DOOR__V1__WITHDRAW_ASKED__INIT;
        Door__V1__WithdrawReason reason = DOOR__V1__WITHDRAW_REASON__INIT;

        message.referral = id_data(&body->referral);
        message.received_at_ms = body->received_at_ms;
        message.number = body->number;
        reason.reason = door_proto_string(arena, body->reason);
        const door_status status = door_proto_pack(&message, arena, ret_public);
        return status == DOOR_OK ? door_proto_pack(&reason, arena, ret_private) : status;
}

static door_status withdraw_asked_decode(door_bytes public_payload, door_bytes private_payload,
                                         door_arena *arena, const void **ret_body)
{
        Door__V1__WithdrawAsked *message;
        Door__V1__WithdrawReason *reason;
        door_status status =
                door_proto_read(&door__v1__withdraw_asked__descriptor, public_payload, arena, &message);
        if (status == DOOR_OK) {
                status = door_proto_read(&door__v1__withdraw_reason__descriptor, private_payload, arena,
                                         &reason);
        }
        if (status != DOOR_OK) {
                return status;
        }
        intake_withdraw_asked *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!id_from(message->referral, &body->referral)) {
                return DOOR_MALFORMED;
        }
        body->received_at_ms = message->received_at_ms;
        body->number = message->number;
        body->reason = door_proto_text(reason->reason);
        *ret_body = body;
        return DOOR_OK;
}

static door_status disclosed_encode(const intake_disclosed *body, door_arena *arena, door_bytes *ret_public,
                                    door_bytes *ret_private)
{
        Door__V1__Disclosed message = DOOR__V1__DISCLOSED__INIT;

        message.referral = id_data(&body->referral);
        message.purpose = (Door__V1__Purpose)body->purpose;
        message.has_part = body->part != INTAKE_PART_ORIGINAL;
        message.part = (Door__V1__ContentPart)body->part;
        message.has_number = body->number != 0;
        message.number = body->number;
        const door_status status = door_proto_pack(&message, arena, ret_public);
        return status == DOOR_OK ? content_encode(body->content, body->note, arena, ret_private) : status;
}

static door_status disclosed_decode(door_bytes public_payload, door_bytes private_payload, door_arena *arena,
                                    const void **ret_body)
{
        Door__V1__Disclosed *message;
        const door_status status =
                door_proto_read(&door__v1__disclosed__descriptor, public_payload, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        intake_disclosed *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!id_from(message->referral, &body->referral)) {
                return DOOR_MALFORMED;
        }
        body->purpose = (uint32_t)message->purpose;
        body->part = (uint32_t)message->part;
        body->number = message->number;
        *ret_body = body;
        return content_decode(private_payload, arena, &body->content, &body->note);
}

static door_status event_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        *ret_private = DOOR_BYTES_EMPTY;
        switch (event->type) {
        case INTAKE_REFERRAL_RECEIVED:
                return received_encode(event->body, arena, ret_public, ret_private);
        case INTAKE_REFERRAL_REPEATED:
                return repeated_encode(event->body, arena, ret_public);
        case INTAKE_ATTEMPT_REFUSED:
                return attempt_encode(event->body, arena, ret_public, ret_private);
        case INTAKE_WITHDRAW_ASKED:
                return withdraw_encode(event->body, arena, ret_public, ret_private);
        case INTAKE_AMEND_ASKED:
                return amend_encode(event->body, arena, ret_public, ret_private);
        case INTAKE_DISCLOSED:
                return disclosed_encode(event->body, arena, ret_public, ret_private);
        default:
                return DOOR_MALFORMED;
        }
}

static door_status event_decode(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        if (version != 1) {
                return DOOR_MALFORMED;
        }
        switch (type) {
        case INTAKE_REFERRAL_RECEIVED:
                return received_decode(public_payload, private_payload, arena, ret_body);
        case INTAKE_REFERRAL_REPEATED:
                return repeated_decode(public_payload, arena, ret_body);
        case INTAKE_ATTEMPT_REFUSED:
                return attempt_decode(public_payload, private_payload, arena, ret_body);
        case INTAKE_WITHDRAW_ASKED:
                return withdraw_asked_decode(public_payload, private_payload, arena, ret_body);
        case INTAKE_AMEND_ASKED:
                return amend_asked_decode(public_payload, private_payload, arena, ret_body);
        case INTAKE_DISCLOSED:
                return disclosed_decode(public_payload, private_payload, arena, ret_body);
        default:
                return DOOR_MALFORMED;
        }
}

/* ---- answers */

static door_status receipt_encode(const door_id *referral, uint64_t received_at_ms,
                                  const intake_warnings *warnings, const Door__V1__Receipt *rest,
                                  door_arena *arena, door_bytes *ret_body)
{
        Door__V1__Receipt message = *rest;

        message.referral = id_data(referral);
        message.received_at_ms = received_at_ms;
        if (!warnings_encode(warnings, arena, &message.n_warning, &message.warning)) {
                return DOOR_NO_MEMORY;
        }
        return door_proto_pack(&message, arena, ret_body);
}

static door_status answer_encode(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        static const intake_warnings none;
        Door__V1__Receipt rest = DOOR__V1__RECEIPT__INIT;

        switch (event->type) {
        case INTAKE_REFERRAL_RECEIVED: {
                const intake_received *body = event->body;
                rest.has_probable_resend_of = body->has_resend_of;
                rest.probable_resend_of = id_data(&body->resend_of);
                return receipt_encode(&body->referral, body->received_at_ms, &body->warnings, &rest, arena,
                                      ret_body);
        }
        case INTAKE_REFERRAL_REPEATED: {
                const intake_repeated *body = event->body;
                rest.has_repeated = 1;
                rest.repeated = 1;
                return receipt_encode(&body->referral, body->received_at_ms, &body->warnings, &rest, arena,
                                      ret_body);
        }
        case INTAKE_WITHDRAW_ASKED: {
                const intake_withdraw_asked *body = event->body;
                return receipt_encode(&body->referral, body->received_at_ms, &none, &rest, arena, ret_body);
        }
        case INTAKE_AMEND_ASKED: {
                const intake_other *body = event->body;
                rest.has_number = 1;
                rest.number = body->number;
                return receipt_encode(&body->referral, body->received_at_ms, &body->warnings, &rest, arena,
                                      ret_body);
        }
        case INTAKE_DISCLOSED: {
                const intake_disclosed *body = event->body;
                Door__V1__Fetched message = DOOR__V1__FETCHED__INIT;
                message.referral_id = id_data(&body->referral);
                message.referral = door_proto_data(body->content);
                return door_proto_pack(&message, arena, ret_body);
        }
        default: /* ATTEMPT_REFUSED goes with a refusal, which is the answer. */
                *ret_body = DOOR_BYTES_EMPTY;
                return DOOR_OK;
        }
}

/* ---- policy */

static door_status policy_decode(door_bytes content, door_arena *arena, const void **ret_policy)
{
        Door__V1__IntakePolicy *message;
        const door_status status =
                door_proto_read(&door__v1__intake_policy__descriptor, content, arena, &message);
        if (status != DOOR_OK) {
                return status;
        }
        if (message->n_agency > INTAKE_AGENCIES_MAX || message->n_reader > INTAKE_READERS_MAX) {
                return DOOR_MALFORMED;
        }
        intake_policy *policy = door_arena_take_zeroed(arena, 1, sizeof *policy);
        intake_agency *agencies = door_arena_take_zeroed(arena, message->n_agency, sizeof *agencies);
        door_bytes *readers = door_arena_take_zeroed(arena, message->n_reader, sizeof *readers);
        if (policy == NULL || agencies == NULL || readers == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < message->n_agency; i++) {
                const Door__V1__Agency *agency = message->agency[i];
                door_bytes *peers = door_arena_take_zeroed(arena, agency->n_peer, sizeof *peers);
                if (peers == NULL) {
                        return DOOR_NO_MEMORY;
                }
                agencies[i].id = door_proto_text(agency->id);
                if (agencies[i].id.len == 0 || agencies[i].id.len >= INTAKE_AGENCY_BYTES_MAX ||
                    agency->n_peer > INTAKE_AGENCY_PEERS_MAX) {
                        return DOOR_MALFORMED;
                }
                for (size_t n = 0; n < agency->n_peer; n++) {
                        peers[n] = door_proto_text(agency->peer[n]);
                }
                agencies[i].peers = peers;
                agencies[i].peers_count = agency->n_peer;
        }
        for (size_t i = 0; i < message->n_reader; i++) {
                readers[i] = door_proto_text(message->reader[i]);
        }
        *policy = (intake_policy){
                .agencies = agencies,
                .agencies_count = message->n_agency,
                .readers = readers,
                .readers_count = message->n_reader,
                .future_tolerance_ms = (uint64_t)message->future_tolerance_s * 1000U,
        };
        *ret_policy = policy;
        return DOOR_OK;
}

const door_core_ops intake_ops = {
        .name = "intake",
        .log = DOOR__V1__LOG__INTAKE,
        .decides_repeats = true, /* Same content, other sent_at: the first receipt again. */
        .decode_input = input_decode,
        .decode_command = command_decode,
        .encode_event = event_encode,
        .decode_event = event_decode,
        .decode_policy = policy_decode,
        .encode_answer = answer_encode,
        .decide = intake_decide,
        .apply = intake_apply,
        .next_deadline = intake_next_deadline,
};
