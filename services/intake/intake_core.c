#include "intake/intake_core.h"

#include <string.h>

#include "door/identifiers.h"

static const uint64_t day_ms = 86400000;

/* "Probably the same notice" for this long (MECHANISM section 10). */
enum { RESEND_DAYS = 7 };

/* Bounds of what is plausible. Beyond them a fact is kept and asked about. */
enum {
        AGE_YEARS_MAX = 120,
        CHILD_AGE_YEARS_MAX = 25, /* Care leavers and SEND; older is hardly a child. */
        EDD_DAYS_AHEAD_MAX = 280, /* CIN rule 8606. */
        EDD_DAYS_BEHIND_MAX = 42, /* No baby 42 days after: somebody asks. */
        DAYS_PER_YEAR_TIMES_4 = 1461,
        LEVEL_MAX = 4, /* Gloucestershire's levels of intervention. */
};

door_hash intake_command_id(door_bytes agency, door_bytes idempotency_key)
{
        uint8_t length[2];

        door_put_u16(length, (uint16_t)agency.len);
        const door_bytes parts[] = { { length, sizeof length }, agency, idempotency_key };
        return door_hash_of(parts, 3);
}

/* ---- warnings */

static void warn(intake_warnings *warnings, intake_field field, size_t person, intake_warning_code code)
{
        if (warnings->count == INTAKE_WARNINGS_MAX) {
                return;
        }
        if (warnings->count == INTAKE_WARNINGS_MAX - 1) {
                /* A list that ends silently would pass for complete. */
                field = INTAKE_FIELD_REFERRAL;
                person = INTAKE_NO_PERSON;
                code = INTAKE_WARNING_CUT;
        }
        warnings->items[warnings->count++] = (intake_warning){
                .field = (uint16_t)field,
                .person = (uint16_t)person,
                .code = (uint16_t)code,
        };
}

static int64_t years_in_days(int64_t years)
{
        return years * DAYS_PER_YEAR_TIMES_4 / 4;
}

static void warn_number(intake_warnings *warnings, size_t person, const intake_number *number)
{
        char text[16];
        door_identifier answer = DOOR_IDENTIFIER_ABSENT;
        intake_field field = INTAKE_FIELD_PERSON_NHS_NUMBER;

        switch (number->kind) {
        case INTAKE_NUMBER_NHS:
                answer = door_nhs_number_read(number->text, text);
                break;
        case INTAKE_NUMBER_UPN:
                field = INTAKE_FIELD_PERSON_UPN;
                answer = door_upn_read(number->text, text);
                break;
        case INTAKE_NUMBER_POSTCODE:
                field = INTAKE_FIELD_PERSON_POSTCODE;
                answer = door_postcode_read(number->text, text);
                break;
        case INTAKE_NUMBER_UPRN:
                field = INTAKE_FIELD_PERSON_UPRN;
                answer = door_uprn_read(number->text, text);
                break;
        }
        switch (answer) {
        case DOOR_IDENTIFIER_ABSENT:
        case DOOR_IDENTIFIER_GOOD:
                break;
        case DOOR_IDENTIFIER_PARTIAL:
                warn(warnings, field, person, INTAKE_WARNING_ODD);
                break;
        case DOOR_IDENTIFIER_BAD_SHAPE:
                warn(warnings, field, person, INTAKE_WARNING_UNREADABLE);
                break;
        case DOOR_IDENTIFIER_BAD_CHECK:
                warn(warnings, field, person, INTAKE_WARNING_CHECK_DIGIT);
                break;
        }
}

/* A date of birth against the day of receipt. today_late is a tolerance later than today. */
static void warn_dob(intake_warnings *warnings, size_t i, const intake_person *person, int64_t today,
                     int64_t today_late)
{
        const int64_t dob = person->dob.days;

        if (person->dob.precision == INTAKE_DAY_UNREAD) {
                if (person->dob.sent) {
                        warn(warnings, INTAKE_FIELD_PERSON_DOB, i, INTAKE_WARNING_UNREADABLE);
                }
                return;
        }
        if (dob > today_late) {
                warn(warnings, INTAKE_FIELD_PERSON_DOB, i, INTAKE_WARNING_IN_THE_FUTURE);
                return;
        }
        const int64_t years_max = person->life == INTAKE_LIFE_CHILD ? CHILD_AGE_YEARS_MAX + 1 : AGE_YEARS_MAX;
        if (today - dob > years_in_days(years_max)) {
                warn(warnings, INTAKE_FIELD_PERSON_DOB, i, INTAKE_WARNING_ODD);
        }
        if (person->has_age) {
                /* A birthday between asking and sending, or a year alone, is no contradiction. */
                const int64_t born_if_older = today - years_in_days((int64_t)person->age_years + 2);
                const int64_t born_if_younger = today - years_in_days((int64_t)person->age_years - 1);
                const bool fits =
                        dob >= born_if_older - years_in_days(person->dob.precision == INTAKE_DAY_YEAR) &&
                        dob <= born_if_younger;
                if (!fits) {
                        warn(warnings, INTAKE_FIELD_PERSON_AGE, i, INTAKE_WARNING_CONTRADICTS);
                }
        }
}

static void warn_edd(intake_warnings *warnings, size_t i, const intake_person *person, int64_t today)
{
        if (person->edd.precision == INTAKE_DAY_UNREAD) {
                if (person->edd.sent) {
                        warn(warnings, INTAKE_FIELD_PERSON_EDD, i, INTAKE_WARNING_UNREADABLE);
                } else if (person->life == INTAKE_LIFE_UNBORN) {
                        warn(warnings, INTAKE_FIELD_PERSON_EDD, i, INTAKE_WARNING_MISSING);
                }
                return;
        }
        if (person->edd.days > today + EDD_DAYS_AHEAD_MAX || person->edd.days < today - EDD_DAYS_BEHIND_MAX) {
                warn(warnings, INTAKE_FIELD_PERSON_EDD, i, INTAKE_WARNING_ODD);
        }
        if (person->dob.precision != INTAKE_DAY_UNREAD && person->life != INTAKE_LIFE_ADULT) {
                /* CIN rule 8525: born, or expected. A mother may well carry both dates. */
                warn(warnings, INTAKE_FIELD_PERSON_EDD, i, INTAKE_WARNING_CONTRADICTS);
        }
}

static void warn_person(intake_warnings *warnings, size_t i, const intake_person *person, int64_t today,
                        int64_t today_late)
{
        if (person->role_unknown) {
                warn(warnings, INTAKE_FIELD_PERSON_ROLE, i, INTAKE_WARNING_UNKNOWN_CODE);
        } else if (person->life == INTAKE_LIFE_UNKNOWN) {
                warn(warnings, INTAKE_FIELD_PERSON_ROLE, i, INTAKE_WARNING_MISSING);
        }
        if (!person->named && person->life != INTAKE_LIFE_UNBORN) {
                warn(warnings, INTAKE_FIELD_PERSON_NAME, i, INTAKE_WARNING_MISSING);
        }
        if (person->life == INTAKE_LIFE_CHILD && !person->dob.sent && !person->has_age) {
                warn(warnings, INTAKE_FIELD_PERSON_DOB, i, INTAKE_WARNING_MISSING);
        }
        warn_dob(warnings, i, person, today, today_late);
        if (person->has_age && person->age_years > AGE_YEARS_MAX) {
                warn(warnings, INTAKE_FIELD_PERSON_AGE, i, INTAKE_WARNING_ODD);
        }
        warn_edd(warnings, i, person, today);
        for (size_t n = 0; n < person->numbers_count; n++) {
                warn_number(warnings, i, &person->numbers[n]);
        }
}

static void warn_index(intake_warnings *warnings, intake_field field, uint32_t index_max, size_t people_count)
{
        /* 0 may mean "none named": whether people[0] is there has its own warning. */
        if (index_max > 0 && index_max >= people_count) {
                warn(warnings, field, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        }
}

static void warn_alleged(intake_warnings *warnings, const intake_form *form)
{
        for (size_t i = 0; i < form->alleged_count; i++) {
                if (form->alleged[i] >= form->people_count) {
                        warn(warnings, INTAKE_FIELD_ALLEGED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
                        break;
                }
        }
        if (form->alleged_not_known && form->alleged_count > 0) {
                warn(warnings, INTAKE_FIELD_ALLEGED, INTAKE_NO_PERSON, INTAKE_WARNING_CONTRADICTS);
        }
}

static void warn_concern(intake_warnings *warnings, const intake_form *form)
{
        if (form->concern_unknown) {
                warn(warnings, INTAKE_FIELD_CONCERN_TYPE, INTAKE_NO_PERSON, INTAKE_WARNING_UNKNOWN_CODE);
        } else if (!form->has_concern) {
                warn(warnings, INTAKE_FIELD_CONCERN_TYPE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        }
        if (!form->has_narrative) {
                warn(warnings, INTAKE_FIELD_NARRATIVE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        }
        if (form->narrative_long) {
                warn(warnings, INTAKE_FIELD_NARRATIVE, INTAKE_NO_PERSON, INTAKE_WARNING_LONG);
        }
        if (form->has_level && (form->level_asked < 1 || form->level_asked > LEVEL_MAX)) {
                warn(warnings, INTAKE_FIELD_LEVEL_ASKED, INTAKE_NO_PERSON, INTAKE_WARNING_OUT_OF_RANGE);
        }
        if (form->has_unrecognised) {
                warn(warnings, INTAKE_FIELD_UNRECOGNISED, INTAKE_NO_PERSON, INTAKE_WARNING_UNRECOGNISED);
        }
        if (form->confirms_odd) {
                warn(warnings, INTAKE_FIELD_CONFIRMS, INTAKE_NO_PERSON, INTAKE_WARNING_UNREADABLE);
        }
}

static bool any_child(const intake_form *form)
{
        for (size_t i = 0; i < form->people_count; i++) {
                if (form->people[i].life == INTAKE_LIFE_CHILD || form->people[i].life == INTAKE_LIFE_UNBORN) {
                        return true;
                }
        }
        return false;
}

void intake_warn(const intake_form *form, uint64_t received_at_ms, uint64_t tolerance_ms,
                 intake_warnings *ret_warnings)
{
        const uint64_t late_ms = received_at_ms + tolerance_ms;
        const int64_t today = (int64_t)(received_at_ms / day_ms);
        const int64_t today_late = (int64_t)(late_ms / day_ms);

        if (form->has_sent_at && form->sent_at_ms > late_ms) {
                warn(ret_warnings, INTAKE_FIELD_SENT_AT, INTAKE_NO_PERSON, INTAKE_WARNING_IN_THE_FUTURE);
        }
        if (form->incident_sent && !form->incident_read) {
                warn(ret_warnings, INTAKE_FIELD_INCIDENT_AT, INTAKE_NO_PERSON, INTAKE_WARNING_UNREADABLE);
        } else if (form->incident_read && form->incident_at_ms > late_ms) {
                warn(ret_warnings, INTAKE_FIELD_INCIDENT_AT, INTAKE_NO_PERSON, INTAKE_WARNING_IN_THE_FUTURE);
        }
        warn_concern(ret_warnings, form);
        warn_alleged(ret_warnings, form);
        warn_index(ret_warnings, INTAKE_FIELD_RELATIONSHIP, form->relationship_index_max, form->people_count);
        warn_index(ret_warnings, INTAKE_FIELD_HOUSEHOLD, form->household_index_max, form->people_count);
        warn_index(ret_warnings, INTAKE_FIELD_CONSENT, form->consent_index_max, form->people_count);
        warn_index(ret_warnings, INTAKE_FIELD_DO_NOT_TELL, form->do_not_tell_index_max, form->people_count);
        if (!any_child(form)) {
                warn(ret_warnings, INTAKE_FIELD_PEOPLE, INTAKE_NO_PERSON, INTAKE_WARNING_MISSING);
        }
        for (size_t i = 0; i < form->people_count; i++) {
                warn_person(ret_warnings, i, &form->people[i], today, today_late);
        }
}

/* ---- refusals */

/* Appends text, then a number in decimal, to a sentence in the making. */
static size_t write_text(char *out, size_t at, const char *text)
{
        const size_t len = strlen(text);
        memcpy(out + at, text, len);
        return at + len;
}

static size_t write_number(char *out, size_t at, uint64_t number)
{
        char digits[20];
        size_t count = 0;

        do {
                digits[count++] = (char)('0' + number % 10);
                number /= 10;
        } while (number > 0);
        while (count > 0) {
                out[at++] = digits[--count];
        }
        return at;
}

/* Says which bound was broken and by how much: "people: at most 200, got 10000". */
static void refuse_bound(const intake_form *form, door_out *out)
{
        const char *what = "bytes: at most ";
        const char *field = "";
        uint64_t most = DOOR_REFERRAL_BYTES_MAX;
        char *detail = door_arena_take(out->arena, 96);

        if (form->bound == INTAKE_BOUND_PEOPLE) {
                what = "people: at most ";
                field = "/people";
                most = DOOR_PEOPLE_MAX;
        }
        if (form->bound == INTAKE_BOUND_PARTS || detail == NULL) {
                door_out_refuse(out, INTAKE_REASON_TOO_LARGE, field, "too many fields for one referral");
                return;
        }
        size_t at = write_text(detail, 0, what);
        at = write_number(detail, at, most);
        at = write_text(detail, at, ", got ");
        at = write_number(detail, at, form->bound_got);
        detail[at] = '\0';
        door_out_refuse(out, INTAKE_REASON_TOO_LARGE, field, detail);
}

static bool among(const door_bytes *names, size_t count, door_bytes name)
{
        for (size_t i = 0; i < count; i++) {
                if (door_bytes_equal(names[i], name)) {
                        return true;
                }
        }
        return false;
}

static const intake_agency *agency_find(const intake_policy *policy, door_bytes id)
{
        for (size_t i = 0; i < policy->agencies_count; i++) {
                if (door_bytes_equal(policy->agencies[i].id, id)) {
                        return &policy->agencies[i];
                }
        }
        return NULL;
}

/* Refuses, or says that this peer may submit for this agency. */
static bool agency_may(const intake_policy *policy, door_bytes agency_id, door_bytes peer, door_out *out)
{
        const intake_agency *agency = agency_find(policy, agency_id);

        if (agency == NULL) {
                door_out_refuse(out, INTAKE_REASON_AGENCY_UNKNOWN, "/agency", "no such agency is registered");
                return false;
        }
        if (!among(agency->peers, agency->peers_count, peer)) {
                door_out_refuse(out, INTAKE_REASON_NOT_ALLOWED, "/agency",
                                "this connection may not refer for that agency");
                return false;
        }
        return true;
}

/* ---- SUBMIT */

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

static uint32_t historic_flag(bool historic)
{
        return historic ? (uint32_t)DOOR_FLAG_HISTORIC : 0U;
}

static void decide_repeat(const intake_key *known, door_out *out)
{
        intake_repeated *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body != NULL) {
                body->referral = known->referral;
                body->received_at_ms = known->received_at_ms;
                body->warnings = known->warnings;
        }
        door_event *event = door_out_event(out, INTAKE_REFERRAL_REPEATED, body);
        if (event != NULL) {
                event->flags = DOOR_FLAG_IGNORABLE;
                door_event_subject(event, DOOR_ID_REFERRAL, &known->referral);
        }
}

static intake_other *other_of(const intake_form *form, const intake_policy *policy, const door_id *referral,
                              uint64_t now_ms, door_arena *arena)
{
        intake_other *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body != NULL) {
                body->referral = *referral;
                body->asked_at_ms = now_ms;
                body->sent_at_ms = form->has_sent_at ? earlier(form->sent_at_ms, now_ms) : now_ms;
                body->content_digest = form->content_digest;
                body->facts = form->facts;
                body->content = form->content;
                intake_warn(form, now_ms, policy->future_tolerance_ms, &body->warnings);
        }
        return body;
}

/* Same key, other content: no, and the body is kept, once, where the front door sees it. */
static void decide_attempt(door_view *view, const intake_policy *policy, const door_input *input,
                           const intake_submit *submit, const intake_key *known, door_out *out)
{
        uint32_t number;
        intake_referral referral;

        door_out_refuse(out, INTAKE_REASON_SAME_KEY_OTHER_CONTENT, "/idempotency_key",
                        "this key was used for another content; what you sent now was kept and will be seen");
        if (intake_attempt_get(view, &known->referral, &submit->form.content_digest, &number) ||
            !intake_referral_get(view, &known->referral, &referral)) {
                return;
        }
        intake_other *body = other_of(&submit->form, policy, &known->referral, input->now_ms, out->arena);
        if (body != NULL) {
                body->number = referral.attempts + 1;
                body->received_at_ms = known->received_at_ms;
        }
        door_event *event = door_out_event(out, INTAKE_ATTEMPT_REFUSED, body);
        if (event != NULL) {
                event->flags = historic_flag(submit->historic);
                door_event_subject(event, DOOR_ID_REFERRAL, &known->referral);
        }
}

static void find_resend(door_view *view, intake_received *body)
{
        const uint64_t window_ms = RESEND_DAYS * day_ms;
        const uint64_t to_ms = body->received_at_ms;
        const uint64_t from_ms = to_ms > window_ms ? to_ms - window_ms : 0;

        body->has_resend_of =
                intake_resend_find(view, &body->likeness_digest, from_ms, to_ms, &body->resend_of) ||
                (body->has_reference &&
                 intake_resend_find(view, &body->reference_digest, from_ms, to_ms, &body->resend_of));
}

static void decide_received(door_view *view, const intake_policy *policy, const door_input *input,
                            const intake_submit *submit, door_out *out)
{
        const intake_form *form = &submit->form;
        intake_received *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);

        if (body != NULL) {
                body->referral = door_id_make(input->random, DOOR_ID_REFERRAL, 0);
                body->received_at_ms = input->now_ms;
                if (submit->historic) {
                        body->received_at_ms = earlier(submit->historic_received_at_ms, input->now_ms);
                        if (submit->historic_received_at_ms > input->now_ms) {
                                warn(&body->warnings, INTAKE_FIELD_RECEIVED_AT, INTAKE_NO_PERSON,
                                     INTAKE_WARNING_IN_THE_FUTURE);
                        }
                }
                body->sent_at_ms = form->has_sent_at ? earlier(form->sent_at_ms, body->received_at_ms)
                                                     : body->received_at_ms;
                body->historic = submit->historic;
                body->channel = submit->channel;
                body->agency = form->agency;
                body->idempotency_key = submit->idempotency_key;
                body->key_digest = input->command_id;
                body->content_digest = form->content_digest;
                body->likeness_digest = form->likeness_digest;
                body->has_reference = form->has_reference;
                body->reference_digest = form->reference_digest;
                body->facts = form->facts;
                body->content = form->content;
                intake_warn(form, body->received_at_ms, policy->future_tolerance_ms, &body->warnings);
                find_resend(view, body);
        }
        door_event *event = door_out_event(out, INTAKE_REFERRAL_RECEIVED, body);
        if (event != NULL) {
                event->flags = historic_flag(submit->historic);
                door_event_subject(event, DOOR_ID_REFERRAL, &body->referral);
        }
}

static void decide_submit(door_view *view, const intake_policy *policy, const door_input *input,
                          door_out *out)
{
        const intake_submit *submit = input->body;
        const intake_form *form = &submit->form;

        if (form->bound != INTAKE_WITHIN_BOUNDS) {
                refuse_bound(form, out);
                return;
        }
        if (!agency_may(policy, form->agency, input->peer, out)) {
                return;
        }
        if (submit->idempotency_key.len < 1 || submit->idempotency_key.len > INTAKE_KEY_BYTES_MAX) {
                door_out_refuse(out, INTAKE_REASON_INVALID, "/idempotency_key", "1 to 256 bytes");
                return;
        }
        const door_hash command_id = intake_command_id(form->agency, submit->idempotency_key);
        if (!door_hash_equal(&command_id, &input->command_id)) {
                door_out_refuse(out, INTAKE_REASON_KEY_NOT_THE_COMMAND_ID, "/idempotency_key",
                                "the command id is not made from this agency and key");
                return;
        }
        if (submit->historic && (input->rights & DOOR_RIGHT_IMPORT) == 0) {
                door_out_refuse(out, INTAKE_REASON_NOT_ALLOWED, "/origin/historic_received_at_ms",
                                "historic referrals need the right to import");
                return;
        }
        intake_key known;
        if (!intake_key_get(view, &command_id, &known)) {
                decide_received(view, policy, input, submit, out);
        } else if (door_hash_equal(&known.content_digest, &form->content_digest)) {
                decide_repeat(&known, out);
        } else {
                decide_attempt(view, policy, input, submit, &known, out);
        }
}

/* ---- requests about a referral */

/*
 * The referral a request names, if this peer may ask about it: the sender's own, or a reader
 * asking on a person's behalf. Anybody else gets the words for "no such referral": whether one
 * exists is not for them to learn (RULES.md section 10).
 */
static bool referral_for(door_view *view, const intake_policy *policy, const door_input *input, bool readable,
                         const door_id *id, intake_referral *ret_referral, door_out *out)
{
        if (readable && intake_referral_get(view, id, ret_referral)) {
                const intake_agency *agency = agency_find(policy, ret_referral->agency);
                if (among(policy->readers, policy->readers_count, input->peer) ||
                    (agency != NULL && among(agency->peers, agency->peers_count, input->peer))) {
                        return true;
                }
        }
        door_out_refuse(out, INTAKE_REASON_NO_SUCH, "/referral", "no such referral of yours");
        return false;
}

static void decide_withdraw(door_view *view, const intake_policy *policy, const door_input *input,
                            door_out *out)
{
        const intake_withdraw *asked = input->body;
        intake_referral referral;

        if (!referral_for(view, policy, input, asked->referral_readable, &asked->referral, &referral, out)) {
                return;
        }
        intake_withdraw_asked *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body != NULL) {
                body->referral = asked->referral;
                body->received_at_ms = referral.received_at_ms;
                body->number = referral.withdrawals + 1;
                body->reason = asked->reason;
        }
        door_event *event = door_out_event(out, INTAKE_WITHDRAW_ASKED, body);
        if (event != NULL) {
                event->flags = historic_flag(referral.historic);
                door_event_subject(event, DOOR_ID_REFERRAL, &asked->referral);
        }
}

static void decide_amend(door_view *view, const intake_policy *policy, const door_input *input, door_out *out)
{
        const intake_amend *asked = input->body;
        intake_referral referral;

        if (asked->form.bound != INTAKE_WITHIN_BOUNDS) {
                refuse_bound(&asked->form, out);
                return;
        }
        if (!referral_for(view, policy, input, asked->referral_readable, &asked->referral, &referral, out)) {
                return;
        }
        if (!door_bytes_equal(asked->form.agency, referral.agency)) {
                door_out_refuse(out, INTAKE_REASON_INVALID, "/amended/agency",
                                "an amendment keeps the referral's agency");
                return;
        }
        intake_other *body = other_of(&asked->form, policy, &asked->referral, input->now_ms, out->arena);
        if (body != NULL) {
                body->received_at_ms = referral.received_at_ms;
                body->number = referral.amendments + 1;
                body->reason = asked->reason;
        }
        door_event *event = door_out_event(out, INTAKE_AMEND_ASKED, body);
        if (event != NULL) {
                event->flags = historic_flag(referral.historic);
                door_event_subject(event, DOOR_ID_REFERRAL, &asked->referral);
        }
}

static void decide_fetch(door_view *view, const intake_policy *policy, const door_input *input, door_out *out)
{
        const intake_fetch *asked = input->body;
        door_bytes content;

        if (!among(policy->readers, policy->readers_count, input->peer)) {
                door_out_refuse(out, INTAKE_REASON_NOT_ALLOWED, NULL,
                                "this connection may not read referrals");
                return;
        }
        if (asked->purpose == 0) {
                door_out_refuse(out, INTAKE_REASON_INVALID, "/purpose", "nobody looks without a reason");
                return;
        }
        if (!asked->referral_readable ||
            !intake_content_get(view, &asked->referral, (uint8_t)asked->part, asked->number, &content)) {
                door_out_refuse(out, INTAKE_REASON_NO_SUCH, "/referral", "no such referral or part of it");
                return;
        }
        intake_disclosed *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body != NULL) {
                body->referral = asked->referral;
                body->purpose = asked->purpose;
                body->part = asked->part;
                body->number = asked->number;
                body->note = asked->note;
                body->content = content;
        }
        door_event *event = door_out_event(out, INTAKE_DISCLOSED, body);
        if (event != NULL) {
                event->flags = DOOR_FLAG_IGNORABLE;
                door_event_subject(event, DOOR_ID_REFERRAL, &asked->referral);
        }
}

void intake_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        if (input->kind != DOOR_INPUT_COMMAND) {
                return; /* Intake consumes no log and sets no timer. */
        }
        if (policy == NULL) {
                /* About us, not about the sender: the shell answers RETRY and records nothing. */
                out->retry = INTAKE_RETRY_NOT_READY;
                return;
        }
        if (input->id_known && input->type != INTAKE_SUBMIT) {
                /* Only a submission is known by its content; any other command by its bytes. */
                door_out_refuse(out, INTAKE_REASON_INVALID, "/command_id",
                                "this id was used for another command");
                return;
        }
        switch (input->type) {
        case INTAKE_SUBMIT:
                decide_submit(view, policy, input, out);
                break;
        case INTAKE_WITHDRAW:
                decide_withdraw(view, policy, input, out);
                break;
        case INTAKE_AMEND:
                decide_amend(view, policy, input, out);
                break;
        case INTAKE_FETCH:
                decide_fetch(view, policy, input, out);
                break;
        default:
                door_out_refuse(out, INTAKE_REASON_INVALID, "/type", "intake knows no such command");
                break;
        }
}

/* ---- apply */

static void content_keep(door_view *view, const door_id *referral, intake_part part, uint32_t number,
                         door_bytes content)
{
        /* Nothing to keep when the payload has been erased. */
        if (content.len > 0) {
                intake_content_put(view, referral, (uint8_t)part, number, content);
        }
}

static void apply_received(door_view *view, const intake_received *body)
{
        const intake_key key = {
                .referral = body->referral,
                .received_at_ms = body->received_at_ms,
                .content_digest = body->content_digest,
                .warnings = body->warnings,
        };
        const intake_referral referral = {
                .received_at_ms = body->received_at_ms,
                .historic = body->historic,
                .agency = body->agency,
                .key_digest = body->key_digest,
                .likeness_digest = body->likeness_digest,
                .has_reference = body->has_reference,
                .reference_digest = body->reference_digest,
        };
        intake_key_put(view, &body->key_digest, &key);
        intake_referral_put(view, &body->referral, &referral);
        intake_resend_put(view, &body->likeness_digest, body->received_at_ms, &body->referral);
        if (body->has_reference) {
                intake_resend_put(view, &body->reference_digest, body->received_at_ms, &body->referral);
        }
        content_keep(view, &body->referral, INTAKE_PART_ORIGINAL, 0, body->content);
}

static void apply_attempt(door_view *view, const intake_other *body)
{
        intake_referral referral;

        if (!intake_referral_get(view, &body->referral, &referral)) {
                return; /* Erased. */
        }
        referral.attempts = body->number;
        intake_referral_put(view, &body->referral, &referral);
        intake_attempt_put(view, &body->referral, &body->content_digest, body->number);
        content_keep(view, &body->referral, INTAKE_PART_ATTEMPT, body->number, body->content);
}

static void apply_amend(door_view *view, const intake_other *body)
{
        intake_referral referral;

        if (!intake_referral_get(view, &body->referral, &referral)) {
                return;
        }
        referral.amendments = body->number;
        intake_referral_put(view, &body->referral, &referral);
        content_keep(view, &body->referral, INTAKE_PART_AMENDMENT, body->number, body->content);
}

static void apply_withdraw(door_view *view, const intake_withdraw_asked *body)
{
        intake_referral referral;

        if (!intake_referral_get(view, &body->referral, &referral)) {
                return;
        }
        referral.withdrawals = body->number;
        intake_referral_put(view, &body->referral, &referral);
}

void intake_apply(door_view *view, const door_event *event)
{
        switch (event->type) {
        case INTAKE_REFERRAL_RECEIVED:
                apply_received(view, event->body);
                break;
        case INTAKE_ATTEMPT_REFUSED:
                apply_attempt(view, event->body);
                break;
        case INTAKE_WITHDRAW_ASKED:
                apply_withdraw(view, event->body);
                break;
        case INTAKE_AMEND_ASKED:
                apply_amend(view, event->body);
                break;
        default:
                break; /* REFERRAL_REPEATED and DISCLOSED are remembered by the log alone. */
        }
}

uint64_t intake_next_deadline(door_view *view)
{
        (void)view;
        return 0;
}
