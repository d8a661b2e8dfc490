/*
 * Goal: what crosses intake's boundary is checked, bounded, read and split as promised, and an
 * event is the same after its bytes as before.
 * Method: real protobuf in, intake_ops, real protobuf out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/calendar.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/proto_arena.h"
#include "support/memory_reader.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };
static const uint64_t noon_ms = UINT64_C(20780) * 86400000U + 43200000U;

static void *storage;
static door_arena arena;

static int arena_new(void **state)
{
        (void)state;
        storage = aligned_alloc(64, ARENA_BYTES);
        assert_non_null(storage);
        door_arena_init(&arena, storage, ARENA_BYTES);
        return 0;
}

static int arena_free(void **state)
{
        (void)state;
        free(storage);
        return 0;
}

/* protobuf-c's strings are not const; it does not write to them. */
static char *text(const char *constant)
{
        return (char *)(uintptr_t)constant;
}

/* One of everything a test wants to turn a screw on. */
typedef struct sample {
        Door__V1__Submit submit;
        Door__V1__Referral referral;
        Door__V1__Origin origin;
        Door__V1__Person child;
        Door__V1__Person mother;
        Door__V1__Person *people[2];
        Door__V1__Day dob;
        Door__V1__Moment incident;
        Door__V1__Identifier nhs;
        Door__V1__Identifier *identifiers[1];
        Door__V1__Address home;
        Door__V1__Address *addresses[1];
        Door__V1__ChildAnswers answers;
        Door__V1__Category categories[1];
        Door__V1__Flag flags[2];
        uint32_t alleged[1];
} sample;

static sample *sample_of(sample *s)
{
        door__v1__submit__init(&s->submit);
        door__v1__referral__init(&s->referral);
        door__v1__origin__init(&s->origin);
        door__v1__person__init(&s->child);
        door__v1__person__init(&s->mother);
        door__v1__day__init(&s->dob);
        door__v1__moment__init(&s->incident);
        door__v1__identifier__init(&s->nhs);
        door__v1__address__init(&s->home);
        door__v1__child_answers__init(&s->answers);
        s->submit.referral = &s->referral;
        s->submit.idempotency_key = text("k1");
        s->referral.agency = text("police");
        s->referral.agency_ref = text("POL-1");
        s->referral.narrative = text("Mia was hit.");
        s->referral.incident_at = &s->incident;
        s->incident.text = text("22/11/2026");
        s->categories[0] = DOOR__V1__CATEGORY__CATEGORY_PHYSICAL_ABUSE;
        s->referral.n_category = 1;
        s->referral.category = s->categories;
        s->flags[0] = DOOR__V1__FLAG__FLAG_INJURY;
        s->flags[1] = DOOR__V1__FLAG__FLAG_CHILD_DISCLOSED;
        s->referral.n_flags = 2;
        s->referral.flags = s->flags;
        s->alleged[0] = 1;
        s->referral.n_alleged_to_have_caused_harm = 1;
        s->referral.alleged_to_have_caused_harm = s->alleged;
        s->people[0] = &s->child;
        s->people[1] = &s->mother;
        s->referral.n_people = 2;
        s->referral.people = s->people;
        s->child.has_role = 1;
        s->child.role = DOOR__V1__ROLE__ROLE_INDEX_CHILD;
        s->child.given_name = text("Mia");
        s->child.surname = text("Smith");
        s->child.dob = &s->dob;
        s->dob.text = text("8 March 2015");
        s->child.child = &s->answers;
        s->answers.has_injured = 1;
        s->answers.injured = DOOR__V1__ANSWER__ANSWER_YES;
        s->answers.has_seen = 1;
        s->answers.seen = DOOR__V1__ANSWER__ANSWER_CANNOT_TELL;
        s->answers.words = text("Mum hit me");
        s->identifiers[0] = &s->nhs;
        s->nhs.has_kind = 1;
        s->nhs.kind = DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER;
        s->nhs.value = text("999 000 0018");
        s->child.n_identifier = 1;
        s->child.identifier = s->identifiers;
        s->addresses[0] = &s->home;
        s->home.text = text("2 Grange Avenue");
        s->home.postcode = text("GL52 2JN");
        s->child.n_address = 1;
        s->child.address = s->addresses;
        s->mother.has_role = 1;
        s->mother.role = DOOR__V1__ROLE__ROLE_MOTHER;
        s->mother.given_name = text("Ann");
        return s;
}

static door_bytes packed(const void *message)
{
        door_bytes bytes;
        assert_int_equal(door_proto_pack(message, &arena, &bytes), DOOR_OK);
        return bytes;
}

static const intake_submit *decoded(const sample *s)
{
        const void *body = NULL;
        assert_int_equal(intake_ops.decode_command(INTAKE_SUBMIT, packed(&s->submit), &arena, &body),
                         DOOR_OK);
        return body;
}

static bool same(const door_hash *a, const door_hash *b)
{
        return door_hash_equal(a, b);
}

static void intake_names_itself_and_judges_repeats(void **state)
{
        (void)state;
        assert_string_equal(intake_ops.name, "intake");
        assert_int_equal(intake_ops.log, 1);
        assert_true(intake_ops.decides_repeats);
        assert_int_equal(intake_ops.consumes_count, 0);
}

/* ---- commands in */

static const Door__V1__ReferralFacts *facts_read(const intake_form *form);

static void a_submission_becomes_what_the_core_decides_on(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.referral.has_sent_at_ms = 1;
        s.referral.sent_at_ms = 77;
        s.referral.has_level_asked = 1;
        s.referral.level_asked = 3;
        s.submit.origin = &s.origin;
        s.origin.has_channel = 1;
        s.origin.channel = DOOR__V1__CHANNEL__CHANNEL_FILE;
        const intake_submit *submit = decoded(&s);
        const intake_form *form = &submit->form;

        assert_true(door_bytes_equal(submit->idempotency_key, door_bytes_of("k1")));
        assert_false(submit->historic);
        assert_int_equal(submit->channel, DOOR__V1__CHANNEL__CHANNEL_FILE);
        assert_int_equal(form->bound, INTAKE_WITHIN_BOUNDS);
        assert_true(door_bytes_equal(form->agency, door_bytes_of("police")));
        assert_true(form->has_sent_at);
        assert_int_equal(form->sent_at_ms, 77);
        assert_true(form->incident_sent);
        assert_true(form->incident_read);
        assert_int_equal(form->incident_at_ms, UINT64_C(20779) * 86400000U);
        assert_true(form->has_concern);
        assert_false(form->concern_unknown);
        assert_true(form->has_narrative);
        assert_false(form->narrative_long);
        assert_false(form->has_unrecognised);
        assert_true(form->has_level);
        assert_int_equal(form->level_asked, 3);
        assert_int_equal(form->alleged_count, 1);
        assert_int_equal(form->alleged[0], 1);
        assert_false(form->alleged_not_known);
        assert_true(form->has_reference);
        assert_int_equal(form->people_count, 2);
        const intake_person *child = &form->people[0];
        assert_int_equal(child->life, INTAKE_LIFE_CHILD);
        assert_true(child->named);
        assert_true(child->dob.sent);
        assert_int_equal(child->dob.precision, INTAKE_DAY_EXACT);
        assert_int_equal(child->dob.days, door_date_to_days((door_date){ 2015, 3, 8 }));
        assert_false(child->edd.sent);
        assert_false(child->has_age);
        assert_int_equal(child->numbers_count, 3);
        assert_int_equal(child->numbers[0].kind, INTAKE_NUMBER_NHS);
        assert_true(door_bytes_equal(child->numbers[0].text, door_bytes_of("999 000 0018")));
        assert_int_equal(child->numbers[1].kind, INTAKE_NUMBER_POSTCODE);
        assert_int_equal(child->numbers[2].kind, INTAKE_NUMBER_UPRN);
        assert_int_equal(child->numbers[2].text.len, 0);
        assert_int_equal(form->people[1].life, INTAKE_LIFE_ADULT);
        assert_true(form->people[1].named);
        intake_warnings warnings = { 0 };
        intake_warn(form, noon_ms, 0, &warnings);
        assert_int_equal(warnings.count, 0);
}

static void each_role_is_a_child_unborn_or_adult(void **state)
{
        (void)state;
        static const intake_life want[] = {
                [DOOR__V1__ROLE__ROLE_NOT_GIVEN] = INTAKE_LIFE_UNKNOWN,
                [DOOR__V1__ROLE__ROLE_INDEX_CHILD] = INTAKE_LIFE_CHILD,
                [DOOR__V1__ROLE__ROLE_SIBLING] = INTAKE_LIFE_CHILD,
                [DOOR__V1__ROLE__ROLE_UNBORN] = INTAKE_LIFE_UNBORN,
                [DOOR__V1__ROLE__ROLE_MOTHER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_FATHER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_STEP_MOTHER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_STEP_FATHER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_PARTNER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_GRANDPARENT] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_OTHER_RELATIVE] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_CARER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_FOSTER_CARER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_LODGER] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_OTHER_ADULT] = INTAKE_LIFE_ADULT,
                [DOOR__V1__ROLE__ROLE_OTHER_CHILD] = INTAKE_LIFE_CHILD,
        };
        sample s;
        sample_of(&s);
        for (unsigned role = 0; role < door__v1__role__descriptor.n_values; role++) {
                s.child.role = (Door__V1__Role)role;
                assert_int_equal(decoded(&s)->form.people[0].life, want[role]);
        }
        s.child.role = DOOR__V1__ROLE__ROLE_NOT_GIVEN;
        assert_false(decoded(&s)->form.people[0].role_unknown);
        s.child.role_text = text("mum's lodger");
        assert_true(decoded(&s)->form.people[0].role_unknown);
        s.child.role = DOOR__V1__ROLE__ROLE_LODGER;
        assert_false(decoded(&s)->form.people[0].role_unknown);
}

static void only_numbers_with_a_shape_are_given_to_the_core(void **state)
{
        (void)state;
        sample s;
        Door__V1__Address places[3];
        sample_of(&s);
        s.nhs.kind = DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_AGENCY_PERSON;
        assert_int_equal(decoded(&s)->form.people[0].numbers_count, 2);
        s.nhs.kind = DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN;
        Door__V1__Address *list[] = { &places[0], &places[1], &places[2] };
        for (size_t i = 0; i < 3; i++) {
                door__v1__address__init(&places[i]);
                places[i].postcode = text(i == 0 ? "GL1 1AA" : i == 1 ? "GL2 2BB" : "GL3 3DD");
                places[i].uprn = text(i == 0 ? "1" : i == 1 ? "2" : "3");
        }
        s.child.address = list;
        s.child.n_address = 3;
        const intake_person *child = &decoded(&s)->form.people[0];
        assert_int_equal(child->numbers_count, 7);
        assert_int_equal(child->numbers[0].kind, INTAKE_NUMBER_UPN);
        for (size_t i = 0; i < 3; i++) {
                assert_int_equal(child->numbers[1 + 2 * i].kind, INTAKE_NUMBER_POSTCODE);
                assert_true(
                        door_bytes_equal(child->numbers[1 + 2 * i].text, door_bytes_of(places[i].postcode)));
                assert_int_equal(child->numbers[2 + 2 * i].kind, INTAKE_NUMBER_UPRN);
                assert_true(door_bytes_equal(child->numbers[2 + 2 * i].text, door_bytes_of(places[i].uprn)));
        }
}

static void historic_is_said_by_its_time(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.submit.origin = &s.origin;
        assert_false(decoded(&s)->historic);
        s.origin.has_historic_received_at_ms = 1;
        s.origin.historic_received_at_ms = 5;
        assert_true(decoded(&s)->historic);
        assert_int_equal(decoded(&s)->historic_received_at_ms, 5);
}

static void the_highest_index_of_every_list_is_told(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        Door__V1__Relationship relationship = DOOR__V1__RELATIONSHIP__INIT;
        Door__V1__Relationship *relationships[] = { &relationship };
        Door__V1__HouseholdMember member = DOOR__V1__HOUSEHOLD_MEMBER__INIT;
        Door__V1__HouseholdMember *members[] = { &member };
        Door__V1__Household household = DOOR__V1__HOUSEHOLD__INIT;
        Door__V1__Household *households[] = { &household };
        Door__V1__ServiceConsent consent = DOOR__V1__SERVICE_CONSENT__INIT;
        uint32_t given_by[] = { 6, 1, 2 };
        Door__V1__DoNotTell silence = DOOR__V1__DO_NOT_TELL__INIT;
        Door__V1__DoNotTell *silences[] = { &silence };
        uint32_t untold[] = { 7 };

        relationship.has_adult = 1;
        relationship.adult = 4;
        relationship.has_child = 1;
        relationship.child = 3;
        s.referral.n_relationship = 1;
        s.referral.relationship = relationships;
        member.has_person = 1;
        member.person = 5;
        household.n_member = 1;
        household.member = members;
        s.referral.n_household = 1;
        s.referral.household = households;
        consent.n_given_by = 3;
        consent.given_by = given_by;
        s.referral.consent = &consent;
        silence.n_person = 1;
        silence.person = untold;
        s.referral.n_do_not_tell = 1;
        s.referral.do_not_tell = silences;
        const intake_form *form = &decoded(&s)->form;
        assert_int_equal(form->relationship_index_max, 4);
        assert_int_equal(form->household_index_max, 5);
        assert_int_equal(form->consent_index_max, 6);
        assert_int_equal(form->do_not_tell_index_max, 7);
        relationship.child = 9;
        assert_int_equal(decoded(&s)->form.relationship_index_max, 9);
        assert_true(((const Door__V1__ReferralFacts *)form->facts)->do_not_tell);
}

static void odd_fields_are_told_to_the_core(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        Door__V1__Unrecognised unrecognised = DOOR__V1__UNRECOGNISED__INIT;
        Door__V1__Unrecognised *list[] = { &unrecognised };
        s.referral.n_unrecognised = 1;
        s.referral.unrecognised = list;
        s.referral.n_category = 0;
        s.referral.category_text = text("worry");
        s.referral.narrative = text("");
        s.referral.has_alleged_not_known = 1;
        s.referral.alleged_not_known = 1;
        s.referral.has_confirms = 1;
        s.referral.confirms = (ProtobufCBinaryData){ 9, (uint8_t *)text("123456789") };
        s.incident.text = text("last night");
        s.child.given_name = NULL;
        s.child.surname = text("");
        s.child.dob->text = text("soon");
        const intake_form *form = &decoded(&s)->form;
        assert_true(form->has_unrecognised);
        assert_false(form->has_concern);
        assert_true(form->concern_unknown);
        assert_false(form->has_narrative);
        assert_true(form->alleged_not_known);
        assert_true(form->confirms_odd);
        assert_true(form->incident_sent);
        assert_false(form->incident_read);
        assert_false(form->has_reference);
        assert_false(form->people[0].named);
        assert_true(form->people[0].dob.sent);
        assert_int_equal(form->people[0].dob.precision, INTAKE_DAY_UNREAD);
        assert_false(((const Door__V1__ReferralFacts *)form->facts)->has_confirms);
        s.referral.confirms.len = 10;
        s.referral.confirms.data = (uint8_t *)text("1234567890");
        assert_false(decoded(&s)->form.confirms_odd);
}

static void a_read_date_without_text_is_believed_if_it_is_a_day(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.dob.text = NULL;
        s.dob.has_days = 1;
        s.dob.days = 16000;
        assert_int_equal(decoded(&s)->form.people[0].dob.days, 16000);
        assert_int_equal(decoded(&s)->form.people[0].dob.precision, INTAKE_DAY_EXACT);
        s.dob.has_precision = 1;
        s.dob.precision = DOOR__V1__PRECISION__PRECISION_YEAR;
        assert_int_equal(decoded(&s)->form.people[0].dob.precision, INTAKE_DAY_YEAR);
        s.dob.days = -719162; /* 1 January of the year 1 … 31 December 9999 */
        assert_int_equal(decoded(&s)->form.people[0].dob.precision, INTAKE_DAY_YEAR);
        s.dob.days = -719163;
        assert_int_equal(decoded(&s)->form.people[0].dob.precision, INTAKE_DAY_UNREAD);
        s.dob.days = 2932896;
        assert_int_equal(decoded(&s)->form.people[0].dob.precision, INTAKE_DAY_YEAR);
        s.dob.days = 2932897;
        const intake_form *form = &decoded(&s)->form;
        assert_true(form->people[0].dob.sent);
        assert_int_equal(form->people[0].dob.precision, INTAKE_DAY_UNREAD);
        assert_false(facts_read(form)->person[0]->dob->has_days);
        assert_int_equal(facts_read(form)->person[0]->dob->precision, DOOR__V1__PRECISION__PRECISION_NONE);
        s.dob.text = text("8/3/2015"); /* Text wins over what the sender made of it. */
        assert_int_equal(decoded(&s)->form.people[0].dob.days, door_date_to_days((door_date){ 2015, 3, 8 }));
}

static void bytes_that_are_no_command_are_malformed(void **state)
{
        (void)state;
        sample s;
        const void *body = NULL;
        const door_bytes nothing = DOOR_BYTES_EMPTY;
        static const uint8_t junk[] = { 0x0A, 0x05, 1 };
        for (uint32_t type = 16; type <= 19; type++) {
                assert_int_equal(intake_ops.decode_command(type, nothing, &arena, &body), DOOR_MALFORMED);
                assert_int_equal(intake_ops.decode_command(type, (door_bytes){ junk, 3 }, &arena, &body),
                                 DOOR_MALFORMED);
        }
        sample_of(&s);
        const door_bytes good = packed(&s.submit);
        assert_int_equal(intake_ops.decode_command(15, good, &arena, &body), DOOR_MALFORMED);
        assert_int_equal(intake_ops.decode_command(20, good, &arena, &body), DOOR_MALFORMED);
        assert_int_equal(intake_ops.decode_input(1, 16, 1, good, &arena, &body), DOOR_MALFORMED);
        s.child.given_name = text("M\xC3");
        assert_int_equal(intake_ops.decode_command(16, packed(&s.submit), &arena, &body), DOOR_MALFORMED);
        s.child.given_name = text("Mia");
        s.child.role = (Door__V1__Role)99;
        assert_int_equal(intake_ops.decode_command(16, packed(&s.submit), &arena, &body), DOOR_MALFORMED);
        s.child.role = DOOR__V1__ROLE__ROLE_INDEX_CHILD;
        assert_int_equal(intake_ops.decode_command(16, packed(&s.submit), &arena, &body), DOOR_OK);
}

static void two_referrals_in_one_command_are_malformed(void **state)
{
        (void)state;
        sample s;
        const void *body = NULL;
        const door_bytes once = packed(&sample_of(&s)->submit);
        uint8_t *twice = door_arena_take(&arena, 2 * once.len);
        memcpy(twice, once.data, once.len);
        memcpy(twice + once.len, once.data, once.len);
        assert_int_equal(intake_ops.decode_command(16, (door_bytes){ twice, 2 * once.len }, &arena, &body),
                         DOOR_MALFORMED);
}

static void two_hundred_people_are_received_and_one_more_is_counted(void **state)
{
        (void)state;
        sample s;
        Door__V1__Person *many[10000];
        sample_of(&s);
        for (size_t i = 0; i < 10000; i++) {
                many[i] = &s.mother;
        }
        s.referral.people = many;
        s.referral.n_people = 200;
        assert_int_equal(decoded(&s)->form.bound, INTAKE_WITHIN_BOUNDS);
        assert_int_equal(decoded(&s)->form.people_count, 200);
        s.referral.n_people = 201;
        const intake_submit *submit = decoded(&s);
        assert_int_equal(submit->form.bound, INTAKE_BOUND_PEOPLE);
        assert_int_equal(submit->form.bound_got, 201);
        s.referral.n_people = 10000;
        assert_int_equal(decoded(&s)->form.bound_got, 10000);
}

static char *long_text(size_t len)
{
        char *out = door_arena_take(&arena, len + 1);
        memset(out, 'a', len);
        out[len] = '\0';
        return out;
}

static void a_referral_has_256_kib(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.referral.history = text("");
        const size_t rest = packed(&s.referral).len;
        s.referral.history = long_text(DOOR_REFERRAL_BYTES_MAX - rest - 2);
        assert_int_equal(packed(&s.referral).len, DOOR_REFERRAL_BYTES_MAX);
        assert_int_equal(decoded(&s)->form.bound, INTAKE_WITHIN_BOUNDS);
        s.referral.history = long_text(DOOR_REFERRAL_BYTES_MAX - rest - 1);
        const intake_submit *submit = decoded(&s);
        assert_int_equal(submit->form.bound, INTAKE_BOUND_BYTES);
        assert_true(submit->form.bound_got > DOOR_REFERRAL_BYTES_MAX);
        s.referral.history = NULL;
        s.submit.idempotency_key = long_text(15 * 1024); /* the core's to refuse */
        assert_int_equal(decoded(&s)->form.bound, INTAKE_WITHIN_BOUNDS);
        s.submit.idempotency_key = long_text(17 * 1024);
        assert_int_equal(decoded(&s)->form.bound, INTAKE_BOUND_BYTES);
}

static void few_bytes_of_many_fields_are_too_many_parts(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        char *factors[20000];
        for (size_t i = 0; i < 20000; i++) {
                factors[i] = text("");
        }
        s.referral.factor = factors;
        s.referral.n_factor = 20000;
        assert_int_equal(decoded(&s)->form.bound, INTAKE_BOUND_PARTS);
        s.referral.n_factor = 1000;
        assert_int_equal(decoded(&s)->form.bound, INTAKE_WITHIN_BOUNDS);
}

static void facts_that_leave_no_room_for_the_content_are_too_many_parts(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.child.school = long_text(191 * 1024);
        assert_int_equal(decoded(&s)->form.bound, INTAKE_WITHIN_BOUNDS);
        s.child.school = long_text(192 * 1024);
        assert_int_equal(decoded(&s)->form.bound, INTAKE_BOUND_PARTS);
}

static const Door__V1__Referral *content_of(const intake_submit *submit)
{
        Door__V1__Referral *referral;
        assert_int_equal(
                door_proto_read(&door__v1__referral__descriptor, submit->form.content, &arena, &referral),
                DOOR_OK);
        return referral;
}

static void a_narrative_over_64_kib_goes_on_in_an_attached_text(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.referral.narrative = long_text(DOOR_NARRATIVE_BYTES_MAX);
        const intake_submit *submit = decoded(&s);
        assert_false(submit->form.narrative_long);
        assert_int_equal(content_of(submit)->n_attached, 0);

        Door__V1__AttachedText plan = DOOR__V1__ATTACHED_TEXT__INIT;
        Door__V1__AttachedText *attached[] = { &plan };
        plan.name = text("My Plan");
        s.referral.attached = attached;
        s.referral.n_attached = 1;
        char *narrative = long_text(DOOR_NARRATIVE_BYTES_MAX + 3);
        /* A character of three bytes across the bound moves whole. */
        memcpy(narrative + DOOR_NARRATIVE_BYTES_MAX - 2, "\xE2\x82\xAC", 3);
        s.referral.narrative = narrative;
        submit = decoded(&s);
        assert_true(submit->form.narrative_long);
        const Door__V1__Referral *kept = content_of(submit);
        assert_int_equal(strlen(kept->narrative), DOOR_NARRATIVE_BYTES_MAX - 2);
        assert_int_equal(kept->n_attached, 2);
        assert_string_equal(kept->attached[0]->text, "\xE2\x82\xAC"
                                                     "aa");
        assert_string_equal(kept->attached[0]->name, "narrative, continued");
        assert_string_equal(kept->attached[1]->name, "My Plan");
}

/* ---- content kept */

static void the_content_is_all_that_was_sent_with_dates_read(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.referral.has_sent_at_ms = 1;
        s.referral.sent_at_ms = 12345;
        const Door__V1__Referral *kept = content_of(decoded(&s));
        assert_string_equal(kept->narrative, "Mia was hit.");
        assert_int_equal(kept->sent_at_ms, 12345);
        assert_string_equal(kept->people[0]->dob->text, "8 March 2015");
        assert_int_equal(kept->people[0]->dob->days, door_date_to_days((door_date){ 2015, 3, 8 }));
        assert_string_equal(kept->people[0]->child->words, "Mum hit me");
        assert_int_equal(kept->incident_at->at_ms, UINT64_C(20779) * 86400000U);
        assert_true(kept->incident_at->day_only);
        assert_string_equal(kept->incident_at->text, "22/11/2026");
}

/* ---- digests */

static void sent_at_and_what_was_read_of_dates_are_not_content(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const door_hash plain = decoded(&s)->form.content_digest;
        s.referral.has_sent_at_ms = 1;
        s.referral.sent_at_ms = 1;
        s.dob.has_days = 1;
        s.dob.days = 3;
        s.dob.has_precision = 1;
        s.dob.precision = DOOR__V1__PRECISION__PRECISION_YEAR;
        s.incident.has_at_ms = 1;
        s.incident.at_ms = 4;
        s.incident.has_day_only = 1;
        const intake_submit *submit = decoded(&s);
        assert_true(same(&submit->form.content_digest, &plain));
        const door_hash likeness = submit->form.likeness_digest;
        s.referral.has_sent_at_ms = 0;
        assert_true(same(&decoded(&s)->form.likeness_digest, &likeness));
        s.submit.idempotency_key = text("k2");
        assert_true(same(&decoded(&s)->form.content_digest, &plain));
        /* Where there is no text, the number is the content. */
        s.dob.text = NULL;
        const door_hash number = decoded(&s)->form.content_digest;
        s.dob.days = 4;
        assert_false(same(&decoded(&s)->form.content_digest, &number));
}

static void the_content_digest_is_of_our_packing(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const door_hash got = decoded(&s)->form.content_digest;
        const door_hash want = door_hash_of_one(packed(&s.referral));
        assert_true(same(&got, &want));
}

static void any_change_of_a_word_is_another_content(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const intake_form first = decoded(&s)->form;
        s.child.given_name = text("Mya");
        const intake_form *second = &decoded(&s)->form;
        assert_false(same(&first.content_digest, &second->content_digest));
        assert_false(same(&first.likeness_digest, &second->likeness_digest));
        assert_false(same(&first.reference_digest, &second->reference_digest));
}

static void capitals_and_blanks_are_other_content_but_alike(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const intake_form first = decoded(&s)->form;
        s.child.surname = text(" SMITH ");
        s.referral.narrative = text("Mia  was\nHIT.");
        const intake_form *second = &decoded(&s)->form;
        assert_false(same(&first.content_digest, &second->content_digest));
        assert_true(same(&first.likeness_digest, &second->likeness_digest));
        assert_true(same(&first.reference_digest, &second->reference_digest));
}

/* Each change of one field must show in the likeness, whatever its type. */
static void alike_means_every_field(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const door_hash first = decoded(&s)->form.likeness_digest;
        s.referral.agency_ref = text("POL-2");
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.incident.text = text("21/11/2026");
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.flags[1] = DOOR__V1__FLAG__FLAG_WEAPON;
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.referral.n_flags = 1;
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.referral.n_people = 1;
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.referral.has_grade = 1; /* 0, but said */
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.mother.has_age_years = 1;
        s.mother.age_years = 30;
        const door_hash aged = decoded(&s)->form.likeness_digest;
        assert_false(same(&aged, &first));
        s.mother.age_years = 31;
        assert_false(same(&decoded(&s)->form.likeness_digest, &aged));
        sample_of(&s);
        s.mother.given_name = NULL; /* the same word in another field */
        s.mother.surname = text("Ann");
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        s.alleged[0] = 0;
        assert_false(same(&decoded(&s)->form.likeness_digest, &first));
        sample_of(&s);
        Door__V1__Screening screening = DOOR__V1__SCREENING__INIT;
        Door__V1__Screening *screenings[] = { &screening };
        s.referral.n_screening = 1;
        s.referral.screening = screenings;
        screening.has_score = 1;
        screening.score = -1;
        const door_hash below = decoded(&s)->form.likeness_digest;
        screening.score = -2;
        assert_false(same(&decoded(&s)->form.likeness_digest, &below));
        screening.score = 1;
        assert_false(same(&decoded(&s)->form.likeness_digest, &below));
        sample_of(&s);
        s.referral.has_confirms = 1;
        s.referral.confirms = (ProtobufCBinaryData){ 2, (uint8_t *)text("ab") };
        const door_hash bytes = decoded(&s)->form.likeness_digest;
        s.referral.confirms.data = (uint8_t *)text("ac");
        assert_false(same(&decoded(&s)->form.likeness_digest, &bytes));
        sample_of(&s);
        assert_true(same(&decoded(&s)->form.likeness_digest, &first));
}

static void the_reference_counts_persons_in_any_order_and_any_way_of_writing_a_date(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const door_hash first = decoded(&s)->form.reference_digest;
        s.people[0] = &s.mother;
        s.people[1] = &s.child;
        s.dob.text = text("2015-03-08");
        s.referral.narrative = text("quite another text");
        s.mother.role = DOOR__V1__ROLE__ROLE_CARER;
        s.incident.text = text("2026-11-22T23:59:59Z");
        assert_true(same(&decoded(&s)->form.reference_digest, &first));
}

static void three_persons_in_any_order_are_the_same_three(void **state)
{
        (void)state;
        static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                              { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
        sample s;
        Door__V1__Person brother = DOOR__V1__PERSON__INIT;
        Door__V1__Person *people[3];
        door_hash first = { { 0 } };
        sample_of(&s);
        brother.given_name = text("Leo");
        Door__V1__Person *const all[3] = { &s.child, &s.mother, &brother };
        s.referral.people = people;
        s.referral.n_people = 3;
        for (size_t i = 0; i < 6; i++) {
                for (size_t n = 0; n < 3; n++) {
                        people[n] = all[orders[i][n]];
                }
                const door_hash got = decoded(&s)->form.reference_digest;
                first = i == 0 ? got : first;
                assert_true(same(&got, &first));
        }
}

static void another_agency_reference_day_or_person_is_another_reference(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        const door_hash first = decoded(&s)->form.reference_digest;
        s.referral.agency = text("school");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.referral.agency_ref = text("POL-2");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.incident.text = text("23/11/2026");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.dob.text = text("9 March 2015");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.dob.text = text("March 2015");
        const door_hash month = decoded(&s)->form.reference_digest;
        s.dob.text = text("1 March 2015");
        assert_false(same(&decoded(&s)->form.reference_digest, &month));
        s.dob.text = text("spring");
        const door_hash words = decoded(&s)->form.reference_digest;
        s.dob.text = text("autumn");
        assert_false(same(&decoded(&s)->form.reference_digest, &words));
        sample_of(&s);
        s.child.surname = text("Smyth");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.mother.given_name = text("Anne");
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        s.mother.given_name = text("Annie");
        const door_hash annie = decoded(&s)->form.reference_digest;
        s.mother.given_name = text("Anna");
        assert_false(same(&decoded(&s)->form.reference_digest, &annie));
        sample_of(&s);
        Door__V1__Day edd = DOOR__V1__DAY__INIT;
        s.child.edd = &edd;
        edd.text = text("in spring");
        const door_hash spring = decoded(&s)->form.reference_digest;
        edd.text = text("in May");
        assert_false(same(&decoded(&s)->form.reference_digest, &spring));
        sample_of(&s);
        s.child.edd = &s.dob;
        s.child.dob = NULL;
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
        sample_of(&s);
        s.referral.n_people = 1;
        assert_false(same(&decoded(&s)->form.reference_digest, &first));
}

static void without_reference_date_or_persons_there_is_none(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        assert_true(decoded(&s)->form.has_reference);
        s.referral.agency_ref = text("7");
        assert_true(decoded(&s)->form.has_reference);
        s.referral.agency_ref = NULL;
        assert_false(decoded(&s)->form.has_reference);
        Door__V1__PoliceExtra police = DOOR__V1__POLICE_EXTRA__INIT;
        police.incident_number = text("POL-1");
        s.referral.police = &police;
        assert_true(decoded(&s)->form.has_reference);
        s.referral.incident_at = NULL;
        assert_false(decoded(&s)->form.has_reference);
        s.referral.incident_at = &s.incident;
        s.incident.text = text("in autumn");
        assert_false(decoded(&s)->form.has_reference);
        s.incident.text = text("22/11/2026");
        s.referral.n_people = 0;
        assert_false(decoded(&s)->form.has_reference);
}

/* ---- events: the same after their bytes as before */

static door_event event_of(uint32_t type, const void *body)
{
        return (door_event){ .type = type, .version = 1, .body = body };
}

typedef struct payloads {
        door_bytes public_payload;
        door_bytes private_payload;
} payloads;

static payloads encoded(uint32_t type, const void *body)
{
        const door_event event = event_of(type, body);
        payloads p;
        assert_int_equal(intake_ops.encode_event(&event, &arena, &p.public_payload, &p.private_payload),
                         DOOR_OK);
        return p;
}

static const void *event_decoded(uint32_t type, payloads p)
{
        const void *body = NULL;
        assert_int_equal(intake_ops.decode_event(type, 1, p.public_payload, p.private_payload, &arena, &body),
                         DOOR_OK);
        return body;
}

/* Encodes, decodes, encodes again: bytes must agree. Returns the decoded body. */
static const void *there_and_back(uint32_t type, const void *body, payloads *ret_payloads)
{
        const payloads first = encoded(type, body);
        const void *copy = event_decoded(type, first);
        const payloads second = encoded(type, copy);
        assert_true(door_bytes_equal(first.public_payload, second.public_payload));
        assert_true(door_bytes_equal(first.private_payload, second.private_payload));
        *ret_payloads = first;
        return copy;
}

static intake_received received_sample(const intake_form *form)
{
        intake_received body = {
                .referral = { { 1, 2, 3 } },
                .received_at_ms = noon_ms,
                .sent_at_ms = noon_ms - 1,
                .historic = true,
                .channel = 4,
                .key_digest = { { 9 } },
                .content_digest = form->content_digest,
                .likeness_digest = form->likeness_digest,
                .has_reference = true,
                .reference_digest = form->reference_digest,
                .has_resend_of = true,
                .resend_of = { { 4, 5 } },
                .warnings = { .count = 3,
                              .items = { { INTAKE_FIELD_NARRATIVE, INTAKE_NO_PERSON, INTAKE_WARNING_LONG },
                                         { INTAKE_FIELD_PERSON_DOB, 0, INTAKE_WARNING_ODD },
                                         { INTAKE_FIELD_PERSON_UPN, 199, INTAKE_WARNING_CHECK_DIGIT } } },
                .facts = form->facts,
                .content = form->content,
                .agency = form->agency,
                .idempotency_key = door_bytes_of("k1"),
        };
        return body;
}

static void a_receipt_survives_its_bytes(void **state)
{
        (void)state;
        sample s;
        payloads p;
        const intake_received in = received_sample(&decoded(sample_of(&s))->form);
        const intake_received *out = there_and_back(INTAKE_REFERRAL_RECEIVED, &in, &p);

        assert_true(door_id_equal(&out->referral, &in.referral));
        assert_int_equal(out->received_at_ms, in.received_at_ms);
        assert_int_equal(out->sent_at_ms, in.sent_at_ms);
        assert_true(out->historic);
        assert_int_equal(out->channel, 4);
        assert_true(door_bytes_equal(out->agency, door_bytes_of("police")));
        assert_true(door_bytes_equal(out->idempotency_key, door_bytes_of("k1")));
        assert_true(same(&out->key_digest, &in.key_digest));
        assert_true(same(&out->content_digest, &in.content_digest));
        assert_true(same(&out->likeness_digest, &in.likeness_digest));
        assert_true(out->has_reference);
        assert_true(same(&out->reference_digest, &in.reference_digest));
        assert_true(out->has_resend_of);
        assert_true(door_id_equal(&out->resend_of, &in.resend_of));
        assert_memory_equal(&out->warnings, &in.warnings, sizeof in.warnings);
        assert_true(door_bytes_equal(out->content, in.content));

        intake_received plain = in;
        plain.historic = false;
        plain.has_reference = false;
        plain.has_resend_of = false;
        plain.channel = 0;
        plain.warnings.count = 0;
        out = there_and_back(INTAKE_REFERRAL_RECEIVED, &plain, &p);
        assert_false(out->historic);
        assert_false(out->has_reference);
        assert_false(out->has_resend_of);
        assert_int_equal(out->channel, 0);
        assert_int_equal(out->warnings.count, 0);
}

/* The facts as others read them: through the event's bytes. */
static const Door__V1__ReferralFacts *facts_read(const intake_form *form)
{
        Door__V1__ReferralReceived *message;
        const intake_received in = received_sample(form);
        const payloads p = encoded(INTAKE_REFERRAL_RECEIVED, &in);
        assert_int_equal(
                door_proto_read(&door__v1__referral_received__descriptor, p.public_payload, &arena, &message),
                DOOR_OK);
        return message->facts;
}

/* Gives every field of a message a value, every list one entry, down to the leaves. */
static void fill(ProtobufCMessage *message)
{
        for (unsigned i = 0; i < message->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];
                void *slot = (uint8_t *)message + field->offset;
                void *quantifier = (uint8_t *)message + field->quantifier_offset;

                if (field->label == PROTOBUF_C_LABEL_REPEATED) {
                        void *list = door_arena_take_zeroed(&arena, 1, 16);
                        *(size_t *)quantifier = 1;
                        *(void **)slot = list;
                        slot = list;
                } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL &&
                           field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) {
                        *(protobuf_c_boolean *)quantifier = 1;
                }
                if (field->type == PROTOBUF_C_TYPE_STRING) {
                        *(char **)slot = text("1/2/2015");
                } else if (field->type == PROTOBUF_C_TYPE_BYTES) {
                        *(ProtobufCBinaryData *)slot =
                                (ProtobufCBinaryData){ DOOR_ID_BYTES, (uint8_t *)text("1234567890") };
                } else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                        const ProtobufCMessageDescriptor *type = field->descriptor;
                        ProtobufCMessage *part = door_arena_take(&arena, type->sizeof_message);
                        protobuf_c_message_init(type, part);
                        fill(part);
                        *(ProtobufCMessage **)slot = part;
                } else if (field->type == PROTOBUF_C_TYPE_UINT64) {
                        *(uint64_t *)slot = 1;
                } else {
                        *(uint32_t *)slot = 1; /* Every enum of ours has a 1. */
                }
        }
}

static bool same_value(const ProtobufCFieldDescriptor *field, const void *a, const void *b)
{
        if (field->type == PROTOBUF_C_TYPE_STRING) {
                return strcmp(*(char *const *)a, *(char *const *)b) == 0;
        }
        if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
                return door_bytes_equal(packed(*(void *const *)a), packed(*(void *const *)b));
        }
        if (field->type == PROTOBUF_C_TYPE_BYTES) {
                const ProtobufCBinaryData *x = a;
                const ProtobufCBinaryData *y = b;
                return door_bytes_equal(door_proto_bytes(*x), door_proto_bytes(*y));
        }
        return memcmp(a, b, sizeof(uint32_t)) == 0;
}

/* Every field of `facts` that `form` has under the same name and type says the same, and says it. */
static size_t assert_carried(const ProtobufCMessage *form, const ProtobufCMessage *facts)
{
        size_t carried = 0;
        for (unsigned i = 0; i < facts->descriptor->n_fields; i++) {
                const ProtobufCFieldDescriptor *to = &facts->descriptor->fields[i];
                const ProtobufCFieldDescriptor *from =
                        protobuf_c_message_descriptor_get_field_by_name(form->descriptor, to->name);
                if (strcmp(to->name, "sent_at_ms") == 0) {
                        continue; /* The event's, clamped. */
                }
                if (from == NULL || from->type != to->type || from->descriptor != to->descriptor) {
                        continue;
                }
                const uint8_t *a = (const uint8_t *)form + from->offset;
                const uint8_t *b = (const uint8_t *)facts + to->offset;
                if (to->label == PROTOBUF_C_LABEL_REPEATED) {
                        assert_int_equal(*(const size_t *)(const void *)((const uint8_t *)facts +
                                                                         to->quantifier_offset),
                                         1);
                        a = *(const uint8_t *const *)(const void *)a;
                        b = *(const uint8_t *const *)(const void *)b;
                } else if (to->type == PROTOBUF_C_TYPE_STRING || to->type == PROTOBUF_C_TYPE_MESSAGE) {
                        assert_non_null(*(void *const *)(const void *)b);
                } else if (to->label == PROTOBUF_C_LABEL_OPTIONAL) {
                        assert_true(*(const protobuf_c_boolean *)(const void *)((const uint8_t *)facts +
                                                                                to->quantifier_offset));
                }
                if (!same_value(to, a, b)) {
                        fail_msg("%s is not carried", to->name);
                }
                carried++;
        }
        return carried;
}

static void every_fact_that_has_a_field_is_carried_to_the_others(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        fill(&s.referral.base);
        s.referral.agency = text("police");
        const intake_submit *submit = decoded(&s);
        assert_int_equal(submit->form.bound, INTAKE_WITHIN_BOUNDS);
        const Door__V1__ReferralFacts *facts = facts_read(&submit->form);
        const Door__V1__Referral *kept = content_of(submit);
        assert_int_equal(assert_carried(&kept->base, &facts->base), 15);
        assert_int_equal(facts->n_person, 1);
        assert_int_equal(assert_carried(&kept->people[0]->base, &facts->person[0]->base), 12);
        assert_int_equal(facts->person[0]->n_identifier, 1);
        assert_int_equal(facts->person[0]->identifier[0]->kind, 1);
        assert_string_equal(facts->person[0]->identifier[0]->value, "1/2/2015");
        assert_true(facts->person[0]->identifier[0]->check_failed);
        assert_int_equal(facts->screening_score, 1);
        assert_true(facts->has_screening_score && facts->do_not_tell && facts->anonymous);
        assert_int_equal(facts->sender_kind, 1);
        assert_int_equal(facts->consent, 1);
}

static bool holds(door_bytes bytes, const char *word)
{
        return memmem(bytes.data, bytes.len, word, strlen(word)) != NULL;
}

static void the_public_part_has_persons_and_facts_and_not_a_word_of_the_form(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.referral.has_level_asked = 1;
        s.referral.level_asked = 3;
        const intake_received in = received_sample(&decoded(&s)->form);
        const payloads p = encoded(INTAKE_REFERRAL_RECEIVED, &in);
        Door__V1__ReferralReceived *message;

        assert_false(holds(p.public_payload, "Mia was hit"));
        assert_false(holds(p.public_payload, "Mum hit me"));
        assert_true(holds(p.private_payload, "Mia was hit"));
        assert_true(holds(p.private_payload, "Mum hit me"));
        assert_int_equal(
                door_proto_read(&door__v1__referral_received__descriptor, p.public_payload, &arena, &message),
                DOOR_OK);
        const Door__V1__ReferralFacts *facts = message->facts;
        assert_string_equal(facts->agency, "police");
        assert_string_equal(facts->agency_ref, "POL-1");
        assert_int_equal(facts->sent_at_ms, noon_ms - 1);
        assert_int_equal(facts->n_category, 1);
        assert_int_equal(facts->n_flags, 2);
        assert_int_equal(facts->level_asked, 3);
        assert_int_equal(facts->n_person, 2);
        const Door__V1__PersonNamed *child = facts->person[0];
        assert_int_equal(child->role, DOOR__V1__ROLE__ROLE_INDEX_CHILD);
        assert_string_equal(child->given_name, "Mia");
        assert_string_equal(child->surname, "Smith");
        assert_true(child->dob->has_days);
        assert_string_equal(child->dob->text, "8 March 2015");
        assert_int_equal(child->n_address, 1);
        assert_string_equal(child->address[0]->postcode, "GL52 2JN");
        assert_int_equal(child->n_identifier, 1);
        assert_string_equal(child->identifier[0]->value, "999 000 0018");
        assert_false(child->identifier[0]->check_failed);
        assert_int_equal(child->facts_yes, UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_INJURED);
        assert_int_equal(child->facts_no, 0);
        assert_int_equal(child->facts_cannot_tell, UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_SEEN);
        assert_false(child->alleged_to_have_caused_harm);
        assert_true(facts->person[1]->alleged_to_have_caused_harm);
        assert_false(facts->do_not_tell);
        assert_int_equal(message->n_warning, 3);
        assert_string_equal(message->warning[0]->field, "/narrative");
        assert_string_equal(message->warning[1]->field, "/people/0/dob");
        assert_string_equal(message->warning[2]->field, "/people/199/upn");
        assert_int_equal(message->warning[2]->code, DOOR__V1__WARNING_CODE__WARNING_CHECK_DIGIT);
}

static void every_answer_about_a_child_and_every_fact_has_its_bit(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        Door__V1__PersonAnswer answer = DOOR__V1__PERSON_ANSWER__INIT;
        Door__V1__PersonAnswer *answers[] = { &answer };
        answer.has_fact = 1;
        answer.has_answer = 1;
        s.mother.n_answer = 1;
        s.mother.answer = answers;
        for (unsigned i = 0; i < door__v1__person_fact__descriptor.n_values; i++) {
                const int fact = door__v1__person_fact__descriptor.values[i].value;
                const uint64_t bit = fact == 0 ? 0 : UINT64_C(1) << fact;
                answer.fact = (Door__V1__PersonFact)fact;
                for (int given = 0; given <= 3; given++) {
                        answer.answer = (Door__V1__Answer)given;
                        const Door__V1__ReferralFacts *facts = facts_read(&decoded(&s)->form);
                        assert_int_equal(facts->person[1]->facts_yes, given == 1 ? bit : 0);
                        assert_int_equal(facts->person[1]->facts_no, given == 2 ? bit : 0);
                        assert_int_equal(facts->person[1]->facts_cannot_tell, given == 3 ? bit : 0);
                }
        }
        sample_of(&s);
        struct {
                protobuf_c_boolean *has;
                Door__V1__Answer *slot;
                Door__V1__PersonFact fact;
        } const all[] = {
#define ANSWER(name, bit) { &s.answers.has_##name, &s.answers.name, DOOR__V1__PERSON_FACT__PERSON_##bit }
                ANSWER(seen, SEEN),
                ANSWER(injured, INJURED),
                ANSWER(independently_mobile, MOBILE),
                ANSWER(verbal, VERBAL),
                ANSWER(missing_now, MISSING_NOW),
                ANSWER(asking_for_help_now, ASKING_FOR_HELP_NOW),
                ANSWER(with_person_of_concern_now, WITH_PERSON_OF_CONCERN_NOW),
                ANSWER(disclosed, DISCLOSED),
                ANSWER(present_at_incident, PRESENT_AT_INCIDENT),
                ANSWER(not_coping, NOT_COPING),
#undef ANSWER
        };
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
                door__v1__child_answers__init(&s.answers);
                *all[i].has = 1;
                *all[i].slot = DOOR__V1__ANSWER__ANSWER_NO;
                const Door__V1__ReferralFacts *facts = facts_read(&decoded(&s)->form);
                assert_int_equal(facts->person[0]->facts_no, UINT64_C(1) << all[i].fact);
                assert_int_equal(facts->person[0]->facts_yes, 0);
        }
}

static void a_failing_check_digit_travels_with_the_number(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        s.nhs.value = text("999 000 0019");
        const Door__V1__ReferralFacts *facts = decoded(&s)->form.facts;
        assert_true(facts->person[0]->identifier[0]->check_failed);
        s.nhs.kind = DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN;
        s.nhs.value = text("A950000178301");
        facts = decoded(&s)->form.facts;
        assert_false(facts->person[0]->identifier[0]->check_failed);
        s.nhs.value = text("B950000178301");
        facts = decoded(&s)->form.facts;
        assert_true(facts->person[0]->identifier[0]->check_failed);
        s.nhs.kind = DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_AGENCY_PERSON;
        facts = decoded(&s)->form.facts;
        assert_false(facts->person[0]->identifier[0]->check_failed);
        s.nhs.value = NULL;
        facts = decoded(&s)->form.facts;
        assert_int_equal(facts->person[0]->n_identifier, 0);
}

static void what_triage_needs_of_the_form_is_in_the_facts(void **state)
{
        (void)state;
        sample s;
        sample_of(&s);
        Door__V1__Referrer referrer = DOOR__V1__REFERRER__INIT;
        Door__V1__RiskTool dash = DOOR__V1__RISK_TOOL__INIT;
        Door__V1__Screening low = DOOR__V1__SCREENING__INIT;
        Door__V1__Screening high = DOOR__V1__SCREENING__INIT;
        Door__V1__Screening none = DOOR__V1__SCREENING__INIT;
        Door__V1__Screening *screenings[] = { &low, &high, &none };
        Door__V1__ServiceConsent consent = DOOR__V1__SERVICE_CONSENT__INIT;
        referrer.has_kind = 1;
        referrer.kind = DOOR__V1__SENDER_KIND__SENDER_NEIGHBOUR;
        referrer.has_anonymous = 1;
        referrer.anonymous = 1;
        referrer.name = text("Mrs Nosy");
        s.referral.referrer = &referrer;
        dash.has_score = 1;
        dash.score = 14;
        s.referral.dash = &dash;
        low.has_score = 1;
        low.score = -3;
        high.has_score = 1;
        high.score = -2;
        s.referral.n_screening = 3;
        s.referral.screening = screenings;
        consent.has_given = 1;
        consent.given = DOOR__V1__ANSWER__ANSWER_NO;
        s.referral.consent = &consent;
        s.referral.has_told_parents = 1;
        s.referral.told_parents = DOOR__V1__TOLD__TOLD_NOT_SAFE;
        s.referral.has_grade = 1;
        s.referral.grade = DOOR__V1__GRADE__GRADE_RED;
        s.referral.placing_council = text("Bristol");
        const Door__V1__ReferralFacts *facts = decoded(&s)->form.facts;
        assert_int_equal(facts->sender_kind, DOOR__V1__SENDER_KIND__SENDER_NEIGHBOUR);
        assert_true(facts->has_anonymous && facts->anonymous);
        assert_int_equal(facts->dash->score, 14);
        assert_true(facts->has_screening_score);
        assert_int_equal(facts->screening_score, -2);
        assert_true(facts->has_consent);
        assert_int_equal(facts->consent, DOOR__V1__ANSWER__ANSWER_NO);
        assert_int_equal(facts->told_parents, DOOR__V1__TOLD__TOLD_NOT_SAFE);
        assert_int_equal(facts->grade, DOOR__V1__GRADE__GRADE_RED);
        assert_string_equal(facts->placing_council, "Bristol");
        const intake_received in = received_sample(&decoded(&s)->form);
        assert_false(holds(encoded(INTAKE_REFERRAL_RECEIVED, &in).public_payload, "Nosy"));
}

static void the_other_events_survive_their_bytes(void **state)
{
        (void)state;
        sample s;
        payloads p;
        const intake_form *form = &decoded(sample_of(&s))->form;
        const intake_other in = {
                .referral = { { 1 } },
                .received_at_ms = 5,
                .asked_at_ms = 6,
                .sent_at_ms = 4,
                .number = 7,
                .content_digest = form->content_digest,
                .warnings = { .count = 1,
                              .items = { { INTAKE_FIELD_REFERRAL, INTAKE_NO_PERSON, INTAKE_WARNING_CUT } } },
                .reason = door_bytes_of("typo"),
                .facts = form->facts,
                .content = form->content,
        };
        const uint32_t types[] = { INTAKE_ATTEMPT_REFUSED, INTAKE_AMEND_ASKED };
        for (size_t i = 0; i < 2; i++) {
                const intake_other *out = there_and_back(types[i], &in, &p);
                assert_true(door_id_equal(&out->referral, &in.referral));
                assert_int_equal(out->received_at_ms, 5);
                assert_int_equal(out->asked_at_ms, 6);
                assert_int_equal(out->sent_at_ms, 4);
                assert_int_equal(out->number, 7);
                assert_true(same(&out->content_digest, &in.content_digest));
                assert_memory_equal(&out->warnings, &in.warnings, sizeof in.warnings);
                assert_true(door_bytes_equal(out->content, in.content));
                assert_true(door_bytes_equal(out->reason, in.reason));
                assert_false(holds(p.public_payload, "typo"));
                assert_false(holds(p.public_payload, "Mia was hit"));
        }
        const intake_repeated repeated = { .referral = { { 2 } },
                                           .received_at_ms = 8,
                                           .warnings = in.warnings };
        const intake_repeated *again = there_and_back(INTAKE_REFERRAL_REPEATED, &repeated, &p);
        assert_true(door_id_equal(&again->referral, &repeated.referral));
        assert_int_equal(again->received_at_ms, 8);
        assert_memory_equal(&again->warnings, &repeated.warnings, sizeof repeated.warnings);
        assert_int_equal(p.private_payload.len, 0);

        const intake_withdraw_asked withdraw = { .referral = { { 3 } },
                                                 .received_at_ms = 9,
                                                 .number = 2,
                                                 .reason = door_bytes_of("wrong county") };
        const intake_withdraw_asked *asked = there_and_back(INTAKE_WITHDRAW_ASKED, &withdraw, &p);
        assert_true(door_id_equal(&asked->referral, &withdraw.referral));
        assert_int_equal(asked->received_at_ms, 9);
        assert_int_equal(asked->number, 2);
        assert_true(door_bytes_equal(asked->reason, withdraw.reason));
        assert_false(holds(p.public_payload, "county"));

        const intake_disclosed disclosed = { .referral = { { 4 } },
                                             .purpose = 8,
                                             .part = INTAKE_PART_ATTEMPT,
                                             .number = 3,
                                             .note = door_bytes_of("alone on shift"),
                                             .content = door_bytes_of("the form") };
        const intake_disclosed *shown = there_and_back(INTAKE_DISCLOSED, &disclosed, &p);
        assert_true(door_id_equal(&shown->referral, &disclosed.referral));
        assert_int_equal(shown->purpose, 8);
        assert_int_equal(shown->part, INTAKE_PART_ATTEMPT);
        assert_int_equal(shown->number, 3);
        assert_true(door_bytes_equal(shown->note, disclosed.note));
        assert_true(door_bytes_equal(shown->content, disclosed.content));
        assert_false(holds(p.public_payload, "shift"));
        assert_false(holds(p.public_payload, "the form"));
}

static void an_erased_private_part_decodes_to_nothing(void **state)
{
        (void)state;
        sample s;
        const intake_received in = received_sample(&decoded(sample_of(&s))->form);
        payloads p = encoded(INTAKE_REFERRAL_RECEIVED, &in);
        p.private_payload = DOOR_BYTES_EMPTY;
        const intake_received *out = event_decoded(INTAKE_REFERRAL_RECEIVED, p);
        assert_int_equal(out->content.len, 0);
}

static void damaged_events_are_malformed(void **state)
{
        (void)state;
        sample s;
        const void *body = NULL;
        const intake_received in = received_sample(&decoded(sample_of(&s))->form);
        const payloads p = encoded(INTAKE_REFERRAL_RECEIVED, &in);
        const door_bytes cut = { p.public_payload.data, p.public_payload.len - 1 };
        assert_int_equal(intake_ops.decode_event(16, 1, cut, p.private_payload, &arena, &body),
                         DOOR_MALFORMED);
        assert_int_equal(intake_ops.decode_event(16, 2, p.public_payload, p.private_payload, &arena, &body),
                         DOOR_MALFORMED);
        assert_int_equal(intake_ops.decode_event(22, 1, p.public_payload, p.private_payload, &arena, &body),
                         DOOR_MALFORMED);
        /* An id, a digest, a pointer that is none. */
        Door__V1__ReferralRepeated repeated = DOOR__V1__REFERRAL_REPEATED__INIT;
        Door__V1__Warning warning = DOOR__V1__WARNING__INIT;
        Door__V1__Warning *warnings[] = { &warning };
        repeated.referral = (ProtobufCBinaryData){ 9, (uint8_t *)text("123456789") };
        assert_int_equal(intake_ops.decode_event(17, 1, packed(&repeated), DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_MALFORMED);
        repeated.referral = (ProtobufCBinaryData){ 10, (uint8_t *)text("1234567890") };
        assert_int_equal(intake_ops.decode_event(17, 1, packed(&repeated), DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_OK);
        Door__V1__Warning plain = DOOR__V1__WARNING__INIT;
        Door__V1__Warning *many[INTAKE_WARNINGS_MAX + 1];
        plain.field = text("/people");
        plain.code = DOOR__V1__WARNING_CODE__WARNING_MISSING;
        for (size_t i = 0; i <= INTAKE_WARNINGS_MAX; i++) {
                many[i] = &plain;
        }
        repeated.warning = many;
        repeated.n_warning = INTAKE_WARNINGS_MAX;
        assert_int_equal(intake_ops.decode_event(17, 1, packed(&repeated), DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_OK);
        repeated.n_warning++;
        assert_int_equal(intake_ops.decode_event(17, 1, packed(&repeated), DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_MALFORMED);
        repeated.n_warning = 1;
        repeated.warning = warnings;
        warning.code = DOOR__V1__WARNING_CODE__WARNING_ODD;
        warning.field = text("/nowhere");
        assert_int_equal(intake_ops.decode_event(17, 1, packed(&repeated), DOOR_BYTES_EMPTY, &arena, &body),
                         DOOR_MALFORMED);
}

static void pointers_name_their_field_and_are_read_back(void **state)
{
        (void)state;
        uint16_t got_field;
        uint16_t got_person;
        for (uint16_t field = 0; field < INTAKE_FIELDS; field++) {
                const uint16_t person = field >= INTAKE_FIELD_PERSON_ROLE ? 120 : INTAKE_NO_PERSON;
                const intake_warning warning = { field, person, 1 };
                const char *pointer = intake_pointer_print(&warning, &arena);
                assert_true(intake_pointer_parse(pointer, &got_field, &got_person));
                assert_int_equal(got_field, field);
                assert_int_equal(got_person, person);
        }
        static const char *const bad[] = { "x",
                                           "/people/",
                                           "/people//dob",
                                           "/people/1",
                                           "/people/1/",
                                           "/people/x/dob",
                                           "/people/1/narrative",
                                           "dob",
                                           "/people/65535/dob",
                                           "/people/123456/dob",
                                           "/people/1/dobs" };
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
                assert_false(intake_pointer_parse(bad[i], &got_field, &got_person));
        }
        const intake_warning nhs = { INTAKE_FIELD_PERSON_NHS_NUMBER, 3, 1 };
        assert_string_equal(intake_pointer_print(&nhs, &arena), "/people/3/nhs_number");
}

/* ---- answers */

static const Door__V1__Receipt *receipt(uint32_t type, const void *body)
{
        const door_event event = event_of(type, body);
        door_bytes bytes;
        Door__V1__Receipt *message;
        assert_int_equal(intake_ops.encode_answer(&event, &arena, &bytes), DOOR_OK);
        assert_int_equal(door_proto_read(&door__v1__receipt__descriptor, bytes, &arena, &message), DOOR_OK);
        return message;
}

static void answers_are_receipts(void **state)
{
        (void)state;
        sample s;
        const intake_received received = received_sample(&decoded(sample_of(&s))->form);
        const Door__V1__Receipt *r = receipt(INTAKE_REFERRAL_RECEIVED, &received);
        assert_memory_equal(r->referral.data, received.referral.bytes, DOOR_ID_BYTES);
        assert_int_equal(r->received_at_ms, noon_ms);
        assert_int_equal(r->n_warning, 3);
        assert_string_equal(r->warning[1]->field, "/people/0/dob");
        assert_false(r->repeated);
        assert_true(r->has_probable_resend_of);
        assert_memory_equal(r->probable_resend_of.data, received.resend_of.bytes, DOOR_ID_BYTES);

        const intake_repeated repeated = { .referral = { { 2 } },
                                           .received_at_ms = 8,
                                           .warnings = received.warnings };
        r = receipt(INTAKE_REFERRAL_REPEATED, &repeated);
        assert_true(r->repeated);
        assert_int_equal(r->received_at_ms, 8);
        assert_int_equal(r->n_warning, 3);
        assert_false(r->has_probable_resend_of);

        const intake_withdraw_asked withdraw = { .referral = { { 3 } }, .received_at_ms = 9, .number = 1 };
        r = receipt(INTAKE_WITHDRAW_ASKED, &withdraw);
        assert_int_equal(r->received_at_ms, 9);
        assert_false(r->has_number);

        const intake_other amend = { .referral = { { 3 } }, .received_at_ms = 9, .number = 2 };
        r = receipt(INTAKE_AMEND_ASKED, &amend);
        assert_int_equal(r->number, 2);
        assert_int_equal(r->received_at_ms, 9);
}

static void the_answer_to_fetch_is_the_content(void **state)
{
        (void)state;
        const intake_disclosed disclosed = { .referral = { { 4 } }, .content = door_bytes_of("the form") };
        const door_event event = event_of(INTAKE_DISCLOSED, &disclosed);
        door_bytes bytes;
        Door__V1__Fetched *message;
        assert_int_equal(intake_ops.encode_answer(&event, &arena, &bytes), DOOR_OK);
        assert_int_equal(door_proto_read(&door__v1__fetched__descriptor, bytes, &arena, &message), DOOR_OK);
        assert_int_equal(message->referral_id.len, DOOR_ID_BYTES);
        assert_int_equal(message->referral_id.data[0], 4);
        assert_true(door_bytes_equal(door_proto_bytes(message->referral), door_bytes_of("the form")));
}

/* ---- the other commands */

static void requests_are_read(void **state)
{
        (void)state;
        sample s;
        const void *body = NULL;
        Door__V1__Withdraw withdraw = DOOR__V1__WITHDRAW__INIT;
        withdraw.referral = (ProtobufCBinaryData){ 10, (uint8_t *)text("1234567890") };
        withdraw.reason = text("why");
        assert_int_equal(intake_ops.decode_command(17, packed(&withdraw), &arena, &body), DOOR_OK);
        const intake_withdraw *w = body;
        assert_true(w->referral_readable);
        assert_memory_equal(w->referral.bytes, "1234567890", 10);
        assert_true(door_bytes_equal(w->reason, door_bytes_of("why")));
        withdraw.referral.len = 9;
        assert_int_equal(intake_ops.decode_command(17, packed(&withdraw), &arena, &body), DOOR_OK);
        assert_false(((const intake_withdraw *)body)->referral_readable);

        Door__V1__Amend amend = DOOR__V1__AMEND__INIT;
        amend.referral = (ProtobufCBinaryData){ 10, (uint8_t *)text("1234567890") };
        amend.amended = &sample_of(&s)->referral;
        amend.reason = text("typo");
        assert_int_equal(intake_ops.decode_command(18, packed(&amend), &arena, &body), DOOR_OK);
        const intake_amend *a = body;
        assert_true(a->referral_readable);
        assert_memory_equal(a->referral.bytes, "1234567890", 10);
        assert_true(door_bytes_equal(a->reason, door_bytes_of("typo")));
        assert_int_equal(a->form.people_count, 2);
        Door__V1__Person *many[201];
        for (size_t i = 0; i < 201; i++) {
                many[i] = &s.mother;
        }
        s.referral.people = many;
        s.referral.n_people = 201;
        assert_int_equal(intake_ops.decode_command(18, packed(&amend), &arena, &body), DOOR_OK);
        assert_int_equal(((const intake_amend *)body)->form.bound, INTAKE_BOUND_PEOPLE);

        Door__V1__Fetch fetch = DOOR__V1__FETCH__INIT;
        fetch.referral = (ProtobufCBinaryData){ 10, (uint8_t *)text("1234567890") };
        fetch.purpose = DOOR__V1__PURPOSE__PURPOSE_CASE_WORK;
        fetch.has_part = 1;
        fetch.part = DOOR__V1__CONTENT_PART__PART_ATTEMPT;
        fetch.has_number = 1;
        fetch.number = 6;
        fetch.note = text("n");
        assert_int_equal(intake_ops.decode_command(19, packed(&fetch), &arena, &body), DOOR_OK);
        const intake_fetch *f = body;
        assert_true(f->referral_readable);
        assert_memory_equal(f->referral.bytes, "1234567890", 10);
        assert_int_equal(f->purpose, 4);
        assert_int_equal(f->part, INTAKE_PART_ATTEMPT);
        assert_int_equal(f->number, 6);
        assert_true(door_bytes_equal(f->note, door_bytes_of("n")));
}

/* ---- policy */

static void a_policy_is_read(void **state)
{
        (void)state;
        Door__V1__IntakePolicy message = DOOR__V1__INTAKE_POLICY__INIT;
        Door__V1__Agency agency = DOOR__V1__AGENCY__INIT;
        Door__V1__Agency *agencies[INTAKE_AGENCIES_MAX + 1];
        char *peers[INTAKE_AGENCY_PEERS_MAX + 1];
        const void *out = NULL;
        for (size_t i = 0; i < sizeof peers / sizeof peers[0]; i++) {
                peers[i] = text(i == 0 ? "gateway" : "x");
        }
        for (size_t i = 0; i < sizeof agencies / sizeof agencies[0]; i++) {
                agencies[i] = &agency;
        }
        agency.id = text("police");
        agency.kind = DOOR__V1__AGENCY_KIND__AGENCY_POLICE;
        agency.name = text("Police");
        agency.n_peer = 2;
        agency.peer = peers;
        message.n_agency = 1;
        message.agency = agencies;
        message.n_reader = 1;
        message.reader = peers;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        const intake_policy *policy = out;
        assert_int_equal(policy->agencies_count, 1);
        assert_true(door_bytes_equal(policy->agencies[0].id, door_bytes_of("police")));
        assert_int_equal(policy->agencies[0].peers_count, 2);
        assert_true(door_bytes_equal(policy->agencies[0].peers[0], door_bytes_of("gateway")));
        assert_int_equal(policy->readers_count, 1);
        assert_true(door_bytes_equal(policy->readers[0], door_bytes_of("gateway")));
        assert_int_equal(policy->future_tolerance_ms, 300000);
        message.has_future_tolerance_s = 1;
        message.future_tolerance_s = 7;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        assert_int_equal(((const intake_policy *)out)->future_tolerance_ms, 7000);

        agency.n_peer = INTAKE_AGENCY_PEERS_MAX + 1;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_MALFORMED);
        agency.n_peer = INTAKE_AGENCY_PEERS_MAX;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        agency.n_peer = 1;
        message.n_agency = INTAKE_AGENCIES_MAX;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        message.n_agency = INTAKE_AGENCIES_MAX + 1;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_MALFORMED);
        message.n_agency = 1;
        agency.id = text("");
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_MALFORMED);
        agency.id = long_text(64);
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_MALFORMED);
        agency.id = long_text(63);
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        message.n_reader = INTAKE_READERS_MAX;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_OK);
        message.n_reader = INTAKE_READERS_MAX + 1;
        assert_int_equal(intake_ops.decode_policy(packed(&message), &arena, &out), DOOR_MALFORMED);
        assert_int_equal(intake_ops.decode_policy(door_bytes_of("junk"), &arena, &out), DOOR_MALFORMED);
}

/* ---- the whole way */

static void live_state_and_replayed_state_are_the_same_bytes(void **state)
{
        (void)state;
        sample s;
        Door__V1__IntakePolicy policy_message = DOOR__V1__INTAKE_POLICY__INIT;
        Door__V1__Agency agency = DOOR__V1__AGENCY__INIT;
        Door__V1__Agency *agencies[] = { &agency };
        char *peers[] = { text("gateway") };
        const void *policy = NULL;
        memory_reader live;
        memory_reader again;
        payloads log[3];
        uint32_t types[3];
        size_t records = 0;

        memory_reader_init(&live);
        memory_reader_init(&again);
        agency.id = text("police");
        agency.kind = DOOR__V1__AGENCY_KIND__AGENCY_POLICE;
        agency.name = text("Police");
        agency.n_peer = 1;
        agency.peer = peers;
        policy_message.n_agency = 1;
        policy_message.agency = agencies;
        assert_int_equal(intake_ops.decode_policy(packed(&policy_message), &arena, &policy), DOOR_OK);

        for (unsigned round = 0; round < 3; round++) {
                sample_of(&s);
                s.referral.narrative = text(round == 1 ? "other" : "Mia was hit.");
                const door_bytes bytes = packed(&s.submit);
                door_input input = { .kind = DOOR_INPUT_COMMAND,
                                     .type = INTAKE_SUBMIT,
                                     .now_ms = noon_ms + round,
                                     .peer = door_bytes_of("gateway"),
                                     .random = { (uint8_t)round },
                                     .command_id = intake_command_id(door_bytes_of("police"),
                                                                     door_bytes_of("k1")) };
                door_view view;
                static door_out out;
                memset(&out, 0, sizeof out);
                out.arena = &arena;
                assert_int_equal(intake_ops.decode_command(INTAKE_SUBMIT, bytes, &arena, &input.body),
                                 DOOR_OK);
                door_view_init(&view, &live.reader, &arena);
                intake_ops.decide(&view, policy, &input, &out);
                assert_int_equal(out.events_count, 1);
                types[records] = out.events[0].type;
                log[records] = encoded(types[records], out.events[0].body);
                door_event event = out.events[0];
                event.body = event_decoded(types[records], log[records]);
                view.writable = true;
                intake_ops.apply(&view, &event);
                memory_reader_absorb(&live, &view);
                records++;
        }
        assert_int_equal(types[0], INTAKE_REFERRAL_RECEIVED);
        assert_int_equal(types[1], INTAKE_ATTEMPT_REFUSED);
        assert_int_equal(types[2], INTAKE_REFERRAL_REPEATED);
        for (size_t i = 0; i < records; i++) {
                door_view view;
                door_view_init(&view, &again.reader, &arena);
                view.writable = true;
                const door_event event = event_of(types[i], event_decoded(types[i], log[i]));
                intake_ops.apply(&view, &event);
                memory_reader_absorb(&again, &view);
        }
        assert_true(memory_reader_equal(&live, &again));
        assert_true(live.count >= 6);
        memory_reader_done(&live);
        memory_reader_done(&again);
}

static void a_full_arena_is_no_memory_and_never_half_an_answer(void **state)
{
        (void)state;
        sample s;
        const door_bytes bytes = packed(&sample_of(&s)->submit);
        const size_t from = arena.used;
        const void *body = NULL;
        size_t room = 0;
        door_status status = DOOR_NO_MEMORY;

        for (; status != DOOR_OK; room += 48) {
                door_arena small;
                door_arena_init(&small, (uint8_t *)storage + (from + 63) / 64 * 64, room);
                body = NULL;
                status = intake_ops.decode_command(INTAKE_SUBMIT, bytes, &small, &body);
                if (status != DOOR_OK) {
                        assert_int_equal(status, DOOR_NO_MEMORY);
                        assert_true(small.exhausted);
                        assert_null(body);
                }
                assert_true(room < 65536);
        }
        const intake_received in = received_sample(&((const intake_submit *)body)->form);
        const door_event event = event_of(INTAKE_REFERRAL_RECEIVED, &in);
        payloads p;
        uint8_t *place = (uint8_t *)storage + (from + room + 127) / 64 * 64;
        status = DOOR_NO_MEMORY;
        for (room = 0; status != DOOR_OK; room += 16) {
                door_arena small;
                door_arena_init(&small, place, room);
                status = intake_ops.encode_event(&event, &small, &p.public_payload, &p.private_payload);
                if (status != DOOR_OK) {
                        assert_int_equal(status, DOOR_NO_MEMORY);
                }
                assert_true(room < 65536);
        }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_new, arena_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(intake_names_itself_and_judges_repeats),
                TEST(a_submission_becomes_what_the_core_decides_on),
                TEST(each_role_is_a_child_unborn_or_adult),
                TEST(only_numbers_with_a_shape_are_given_to_the_core),
                TEST(historic_is_said_by_its_time),
                TEST(the_highest_index_of_every_list_is_told),
                TEST(odd_fields_are_told_to_the_core),
                TEST(a_read_date_without_text_is_believed_if_it_is_a_day),
                TEST(bytes_that_are_no_command_are_malformed),
                TEST(two_referrals_in_one_command_are_malformed),
                TEST(two_hundred_people_are_received_and_one_more_is_counted),
                TEST(a_referral_has_256_kib),
                TEST(few_bytes_of_many_fields_are_too_many_parts),
                TEST(facts_that_leave_no_room_for_the_content_are_too_many_parts),
                TEST(a_narrative_over_64_kib_goes_on_in_an_attached_text),
                TEST(the_content_is_all_that_was_sent_with_dates_read),
                TEST(sent_at_and_what_was_read_of_dates_are_not_content),
                TEST(the_content_digest_is_of_our_packing),
                TEST(any_change_of_a_word_is_another_content),
                TEST(capitals_and_blanks_are_other_content_but_alike),
                TEST(alike_means_every_field),
                TEST(the_reference_counts_persons_in_any_order_and_any_way_of_writing_a_date),
                TEST(three_persons_in_any_order_are_the_same_three),
                TEST(another_agency_reference_day_or_person_is_another_reference),
                TEST(without_reference_date_or_persons_there_is_none),
                TEST(a_receipt_survives_its_bytes),
                TEST(the_public_part_has_persons_and_facts_and_not_a_word_of_the_form),
                TEST(every_fact_that_has_a_field_is_carried_to_the_others),
                TEST(every_answer_about_a_child_and_every_fact_has_its_bit),
                TEST(a_failing_check_digit_travels_with_the_number),
                TEST(what_triage_needs_of_the_form_is_in_the_facts),
                TEST(the_other_events_survive_their_bytes),
                TEST(an_erased_private_part_decodes_to_nothing),
                TEST(damaged_events_are_malformed),
                TEST(pointers_name_their_field_and_are_read_back),
                TEST(answers_are_receipts),
                TEST(the_answer_to_fetch_is_the_content),
                TEST(requests_are_read),
                TEST(a_policy_is_read),
                TEST(live_state_and_replayed_state_are_the_same_bytes),
                TEST(a_full_arena_is_no_memory_and_never_half_an_answer),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
