/*
 * Goal: nothing an agency writes is lost, and what is no referral says why in a sentence.
 * Method: lines as agencies send them; then the sample file as a whole through intake's codec.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/referral_json.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 4 * DOOR_MIB };

static void *storage;
static door_arena arena;
static referral_json json;
static door_error error;

static int arena_new(void **state)
{
        (void)state;
        storage = aligned_alloc(64, ARENA_BYTES);
        assert_non_null(storage);
        door_arena_init(&arena, storage, ARENA_BYTES);
        memset(&json, 0, sizeof json);
        memset(&error, 0, sizeof error);
        return 0;
}

static int arena_free(void **state)
{
        (void)state;
        free(storage);
        return 0;
}

static const Door__V1__Referral *read_line(const char *line)
{
        const door_status status = referral_json_read(door_bytes_of(line), 1, &arena, &json, &error);
        if (status != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        return json.referral;
}

static void assert_wrong(const char *line, size_t len, door_status want, const char *text)
{
        referral_json before = { .key = (char *)storage };
        assert_int_equal(
                referral_json_read((door_bytes){ (const uint8_t *)line, len }, 7, &arena, &before, &error),
                want);
        assert_string_equal(error.text, text);
        assert_ptr_equal(before.key, storage); /* Left as it was. */
}

/* The one unrecognised thing of a referral. */
static void assert_kept(const char *line, const char *pointer, const char *raw)
{
        const Door__V1__Referral *r = read_line(line);
        if (r->n_unrecognised != 1) {
                fail_msg("%zu kept: %s", r->n_unrecognised, line);
        }
        assert_string_equal(r->unrecognised[0]->pointer, pointer);
        assert_string_equal(r->unrecognised[0]->raw, raw);
}

static void a_line_of_the_agencies_layout_is_read_whole(void **state)
{
        (void)state;
        const Door__V1__Referral *r = read_line(
                "{\"referral_id\":\"R00000004\",\"agency\":\"health_visitor\",\"agency_ref\":\"HEA-6537266\","
                "\"received_at\":\"2018-01-16T08:31:39Z\",\"concern_type\":\"parental_mental_health\","
                "\"narrative\":\"Concern raised about Paddy.\",\"grade\":\"amber\",\"grade_tool\":\"agency "
                "form 3\","
                "\"dash\":{\"tool\":\"DASH 2009\",\"score\":12,\"professional_judgement_high\":true},"
                "\"level_asked\":3,\"told_parents\":\"not_safe\",\"flags\":[\"injury\",\"child_missing_now\"]"
                ","
                "\"alleged_to_have_caused_harm\":1,\"people\":[{\"role\":\"index_child\",\"given_name\":"
                "\"Padraig\","
                "\"middle_names\":\"Sean\",\"surname\":\"Doyle\",\"known_as\":\"Paddy\",\"dob\":\"2015-03-"
                "08\","
                "\"gender\":\"M\",\"address\":\"Flat 2, 83 Regent Ln\",\"postcode\":\"GL1 4NH\","
                "\"nhs_number\":\"999 472 3332\",\"upn\":\"A950000178301\"},"
                "{\"role\":\"mother\",\"given_name\":\"Ann\",\"surname\":\"\",\"age_years\":30},"
                "{\"role\":\"unborn\",\"edd\":\"2018-04-25\",\"postcode\":\"GL1\"}]}\n");

        assert_string_equal(json.key, "R00000004");
        assert_true(json.has_received_at);
        assert_int_equal(json.received_at_ms, UINT64_C(1516091499000));
        assert_int_equal(r->n_unrecognised, 0);
        assert_string_equal(r->agency, "health_visitor");
        assert_string_equal(r->agency_ref, "HEA-6537266");
        assert_false(r->has_sent_at_ms);
        assert_int_equal(r->n_category, 1);
        assert_int_equal(r->category[0], DOOR__V1__CATEGORY__CATEGORY_PARENTAL_MENTAL_HEALTH);
        assert_null(r->category_text);
        assert_string_equal(r->narrative, "Concern raised about Paddy.");
        assert_true(r->has_grade);
        assert_int_equal(r->grade, DOOR__V1__GRADE__GRADE_AMBER);
        assert_string_equal(r->grade_tool, "agency form 3");
        assert_string_equal(r->dash->tool, "DASH 2009");
        assert_true(r->dash->has_score);
        assert_int_equal(r->dash->score, 12);
        assert_true(r->dash->has_professional_judgement_high && r->dash->professional_judgement_high);
        assert_true(r->has_level_asked);
        assert_int_equal(r->level_asked, 3);
        assert_int_equal(r->told_parents, DOOR__V1__TOLD__TOLD_NOT_SAFE);
        assert_int_equal(r->n_flags, 2);
        assert_int_equal(r->flags[0], DOOR__V1__FLAG__FLAG_INJURY);
        assert_int_equal(r->flags[1], DOOR__V1__FLAG__FLAG_CHILD_MISSING_NOW);
        assert_int_equal(r->n_alleged_to_have_caused_harm, 1);
        assert_int_equal(r->alleged_to_have_caused_harm[0], 1);
        assert_int_equal(r->n_people, 3);
        const Door__V1__Person *p = r->people[0];
        assert_true(p->has_role);
        assert_int_equal(p->role, DOOR__V1__ROLE__ROLE_INDEX_CHILD);
        assert_string_equal(p->given_name, "Padraig");
        assert_string_equal(p->middle_names, "Sean");
        assert_string_equal(p->surname, "Doyle");
        assert_int_equal(p->n_other_name, 1);
        assert_int_equal(p->other_name[0]->kind, DOOR__V1__NAME_KIND__NAME_KNOWN_AS);
        assert_string_equal(p->other_name[0]->given_name, "Paddy");
        assert_string_equal(p->dob->text, "2015-03-08");
        assert_false(p->dob->has_days);
        assert_true(p->has_sex);
        assert_int_equal(p->sex, DOOR__V1__SEX__SEX_MALE);
        assert_int_equal(p->n_address, 1);
        assert_string_equal(p->address[0]->text, "Flat 2, 83 Regent Ln");
        assert_string_equal(p->address[0]->postcode, "GL1 4NH");
        assert_int_equal(p->n_identifier, 2);
        assert_int_equal(p->identifier[0]->kind, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_NHS_NUMBER);
        assert_string_equal(p->identifier[0]->value, "999 472 3332");
        assert_int_equal(p->identifier[1]->kind, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_UPN);
        assert_null(r->people[1]->surname);
        assert_true(r->people[1]->has_age_years);
        assert_int_equal(r->people[1]->age_years, 30);
        assert_string_equal(r->people[2]->edd->text, "2018-04-25");
        assert_string_equal(r->people[2]->address[0]->postcode, "GL1");
}

static void every_code_reads_by_its_lower_case_name(void **state)
{
        (void)state;
        char line[256];
        for (unsigned i = 0; i < door__v1__category__descriptor.n_values; i++) {
                char word[64] = "";
                const char *name = door__v1__category__descriptor.values[i].name + strlen("CATEGORY_");
                for (size_t c = 0; name[c] != '\0'; c++) {
                        word[c] = (char)(name[c] == '_' ? '_' : name[c] + 32);
                }
                (void)snprintf(line, sizeof line, "{\"agency\":\"a\",\"concern_type\":\"%s\"}", word);
                const Door__V1__Referral *r = read_line(line);
                assert_int_equal(r->n_category, 1);
                assert_int_equal(r->category[0], door__v1__category__descriptor.values[i].value);
        }
        assert_int_equal(read_line("{\"agency\":\"a\",\"told_parents\":\"no\"}")->told_parents,
                         DOOR__V1__TOLD__TOLD_NO);
        assert_int_equal(
                read_line("{\"agency\":\"a\",\"people\":[{\"role\":\"step_father\"}]}")->people[0]->role,
                DOOR__V1__ROLE__ROLE_STEP_FATHER);
}

static void the_rest_of_the_form_reads_by_its_field_names(void **state)
{
        (void)state;
        const Door__V1__Referral *r = read_line(
                "{\"agency\":\"a\",\"sent_at\":\"2018-01-16T08:31:39Z\",\"incident_at\":\"last night\","
                "\"referrer\":{\"name\":\"N\",\"kind\":\"neighbour\",\"anonymous\":true},"
                "\"concern_type\":[\"neglect\",\"self_harm\"],\"screening\":[{\"tool\":\"t\",\"score\":-2}],"
                "\"alleged_to_have_caused_harm\":[0,2],\"factor\":[\"1A\",\"\",\"2B\"],"
                "\"relationship\":[{\"adult\":1,\"child\":0,\"kind\":\"aunt\",\"lives_with\":\"cannot_tell\"}"
                "],"
                "\"household\":[{\"member\":[{\"person\":0,\"from\":\"2016\"}]}],"
                "\"consent\":{\"given\":\"no\",\"given_by\":[1]},\"sharing_basis\":\"safeguarding\","
                "\"do_not_tell\":[{\"reason\":\"forced_marriage\",\"review_on\":\"1/2/2018\"}],"
                "\"people\":[{\"child\":{\"words\":\"w\",\"seen\":\"yes\"},"
                "\"answer\":[{\"fact\":\"in_care\",\"answer\":\"yes\"}],"
                "\"characteristic\":[{\"kind\":\"ethnicity\",\"asked\":\"refused\"}],"
                "\"address\":[{\"kind\":\"previous\",\"text\":\"x\",\"to\":\"2017\"}],\"postcode\":\"GL1 "
                "1AA\","
                "\"phone\":\"01632 960001\",\"email\":\"a@example.org\",\"former_surname\":\"Old\","
                "\"gender\":\"non-binary\",\"role\":\"mum's friend\",\"school_urn\":\"115750\"}]}");
        assert_int_equal(r->n_unrecognised, 0);
        assert_true(r->has_sent_at_ms);
        assert_int_equal(r->sent_at_ms, UINT64_C(1516091499000));
        assert_string_equal(r->incident_at->text, "last night");
        assert_int_equal(r->referrer->kind, DOOR__V1__SENDER_KIND__SENDER_NEIGHBOUR);
        assert_true(r->referrer->anonymous);
        assert_int_equal(r->n_category, 2);
        assert_int_equal(r->category[1], DOOR__V1__CATEGORY__CATEGORY_SELF_HARM);
        assert_int_equal(r->screening[0]->score, -2);
        assert_int_equal(r->n_alleged_to_have_caused_harm, 2);
        assert_int_equal(r->alleged_to_have_caused_harm[1], 2);
        assert_int_equal(r->relationship[0]->lives_with, DOOR__V1__ANSWER__ANSWER_CANNOT_TELL);
        assert_string_equal(r->household[0]->member[0]->from->text, "2016");
        assert_int_equal(r->consent->given, DOOR__V1__ANSWER__ANSWER_NO);
        assert_int_equal(r->consent->given_by[0], 1);
        assert_int_equal(r->sharing_basis, DOOR__V1__SHARING_BASIS__BASIS_SAFEGUARDING);
        assert_int_equal(r->do_not_tell[0]->reason,
                         DOOR__V1__DO_NOT_TELL_REASON__DO_NOT_TELL_FORCED_MARRIAGE);
        const Door__V1__Person *p = r->people[0];
        assert_string_equal(p->child->words, "w");
        assert_int_equal(p->child->seen, DOOR__V1__ANSWER__ANSWER_YES);
        assert_int_equal(p->answer[0]->fact, DOOR__V1__PERSON_FACT__PERSON_IN_CARE);
        assert_int_equal(p->characteristic[0]->asked, DOOR__V1__ASKED__ASKED_REFUSED);
        assert_int_equal(p->n_address, 2);
        assert_string_equal(p->address[0]->to->text, "2017");
        assert_null(p->address[0]->postcode);
        assert_string_equal(p->address[1]->postcode, "GL1 1AA");
        assert_int_equal(p->n_contact, 2);
        assert_int_equal(p->contact[1]->kind, DOOR__V1__CONTACT_KIND__CONTACT_EMAIL);
        assert_string_equal(p->other_name[0]->surname, "Old");
        assert_string_equal(p->gender_text, "non-binary");
        assert_string_equal(p->role_text, "mum's friend");
        assert_false(p->has_role);
        assert_int_equal(p->identifier[0]->kind, DOOR__V1__IDENTIFIER_KIND__IDENTIFIER_URN_SCHOOL);
        assert_int_equal(r->n_factor, 2);
        assert_string_equal(r->factor[1], "2B");
}

static void an_address_may_come_before_or_after_its_postcode(void **state)
{
        (void)state;
        const Door__V1__Referral *r = read_line("{\"agency\":\"a\",\"people\":[{\"postcode\":\"GL1 "
                                                "1AA\",\"uprn\":\"1\",\"address\":\"x\"}]}");
        assert_int_equal(r->people[0]->n_address, 1);
        assert_string_equal(r->people[0]->address[0]->text, "x");
        assert_string_equal(r->people[0]->address[0]->postcode, "GL1 1AA");
        assert_string_equal(r->people[0]->address[0]->uprn, "1");
        r = read_line(
                "{\"agency\":\"a\",\"people\":[{\"postcode\":\"GL1 1AA\",\"address\":[{\"text\":\"y\"}]}]}");
        assert_int_equal(r->people[0]->n_address, 2);
        assert_string_equal(r->people[0]->address[0]->postcode, "GL1 1AA");
        assert_string_equal(r->people[0]->address[1]->text, "y");
}

static void what_cannot_be_placed_is_kept_with_its_pointer(void **state)
{
        (void)state;
        assert_kept("{\"agency\":\"a\",\"colour\":\"blue\"}", "/colour", "\"blue\"");
        assert_kept("{\"agency\":\"a\",\"level_asked\":\"three\"}", "/level_asked", "\"three\"");
        assert_kept("{\"agency\":\"a\",\"level_asked\":3.5}", "/level_asked", "3.5");
        assert_kept("{\"agency\":\"a\",\"level_asked\":-1}", "/level_asked", "-1");
        assert_kept("{\"agency\":\"a\",\"level_asked\":4294967296}", "/level_asked", "4294967296");
        assert_kept("{\"agency\":\"a\",\"narrative\":7}", "/narrative", "7");
        assert_kept("{\"agency\":\"a\",\"grade\":\"purple\"}", "/grade", "\"purple\"");
        assert_kept("{\"agency\":\"a\",\"grade\":\"RED\"}", "/grade", "\"RED\"");
        assert_kept("{\"agency\":\"a\",\"grade\":\"re\"}", "/grade", "\"re\"");
        assert_kept("{\"agency\":\"a\",\"flags\":[\"injury\",\"ufo\"]}", "/flags/1", "\"ufo\"");
        assert_kept("{\"agency\":\"a\",\"flags\":\"injury\"}", "/flags", "\"injury\"");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"role\":\"mother\"},5]}", "/people/1", "5");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"shoe\":[1,{\"b\":null}]}]}", "/people/0/shoe",
                    "[1,{\"b\":null}]");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"nhs_number\":9994723332}]}", "/people/0/nhs_number",
                    "9994723332");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"upn\":true}]}", "/people/0/upn", "true");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"phone\":1}]}", "/people/0/phone", "1");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"known_as\":1}]}", "/people/0/known_as", "1");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"address\":1}]}", "/people/0/address", "1");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"postcode\":[]}]}", "/people/0/postcode", "[]");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"gender\":1}]}", "/people/0/gender", "1");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"role\":1}]}", "/people/0/role", "1");
        assert_kept("{\"agency\":\"a\",\"people\":[{\"dob\":20150308}]}", "/people/0/dob", "20150308");
        assert_kept("{\"agency\":\"a\",\"dash\":{\"score\":\"12\",\"tool\":\"x\"}}", "/dash/score", "\"12\"");
        assert_kept("{\"agency\":\"a\",\"dash\":12}", "/dash", "12");
        assert_kept("{\"agency\":\"a\",\"referrer\":{\"anonymous\":\"yes\"}}", "/referrer/anonymous",
                    "\"yes\"");
        assert_kept("{\"agency\":\"a\",\"screening\":[{\"score\":2147483648}]}", "/screening/0/score",
                    "2147483648");
        assert_kept("{\"agency\":\"a\",\"alleged_to_have_caused_harm\":\"father\"}",
                    "/alleged_to_have_caused_harm", "\"father\"");
        assert_kept("{\"agency\":\"a\",\"alleged_to_have_caused_harm\":-1}", "/alleged_to_have_caused_harm",
                    "-1");
        assert_kept("{\"agency\":\"a\",\"sent_at\":\"yesterday\"}", "/sent_at", "\"yesterday\"");
        assert_kept("{\"agency\":\"a\",\"received_at\":12}", "/received_at", "12");
        assert_false(json.has_received_at);
        assert_kept("{\"agency\":\"a\",\"sent_at_ms\":12}", "/sent_at_ms", "12");
        assert_kept("{\"agency\":\"a\",\"unrecognised\":[]}", "/unrecognised", "[]");
        assert_kept("{\"agency\":\"a\",\"confirms\":\"R-123\"}", "/confirms", "\"R-123\"");
        assert_kept("{\"agency\":\"a\",\"referral_id\":5}", "/referral_id", "5");
        assert_int_equal(strlen(json.key), 64);
        assert_kept("{\"agency\":\"a\",\"a/b~c\":{}}", "/a~1b~0c", "{}");
}

static void a_person_that_is_none_keeps_its_place(void **state)
{
        (void)state;
        const Door__V1__Referral *r = read_line("{\"agency\":\"a\",\"people\":[null,5,{\"role\":\"mother\"}],"
                                                "\"alleged_to_have_caused_harm\":2}");
        assert_int_equal(r->n_people, 3);
        assert_false(r->people[1]->has_role);
        assert_int_equal(r->people[2]->role, DOOR__V1__ROLE__ROLE_MOTHER);
        assert_int_equal(r->n_unrecognised, 2);
        assert_string_equal(r->unrecognised[1]->pointer, "/people/1");
}

static void a_concern_that_is_no_code_is_the_senders_own_word(void **state)
{
        (void)state;
        const Door__V1__Referral *r =
                read_line("{\"agency\":\"a\",\"concern_type\":[\"worry\",\"neglect\",\"doubt\"]}");
        assert_string_equal(r->category_text, "worry");
        assert_int_equal(r->n_category, 1);
        assert_int_equal(r->n_unrecognised, 1);
        assert_string_equal(r->unrecognised[0]->pointer, "/concern_type/2");
        assert_kept("{\"agency\":\"a\",\"concern_type\":7}", "/concern_type", "7");
        assert_string_equal(read_line("{\"agency\":\"a\",\"concern_type\":\"worry\"}")->category_text,
                            "worry");
}

static void short_forms_and_lists_of_one_thing_go_together(void **state)
{
        (void)state;
        const Door__V1__Referral *r =
                read_line("{\"agency\":\"a\",\"category\":[\"neglect\"],\"concern_type\":\"self_harm\","
                          "\"people\":[{\"nhs_number\":\"1\",\"upn\":\"2\",\"agency_person_ref\":\"3\","
                          "\"case_system_id\":\"4\",\"identifier\":[{\"kind\":\"upn\",\"value\":\"5\"}]}]}");
        assert_int_equal(r->n_unrecognised, 0);
        assert_int_equal(r->n_category, 2);
        assert_int_equal(r->category[0], DOOR__V1__CATEGORY__CATEGORY_NEGLECT);
        assert_int_equal(r->category[1], DOOR__V1__CATEGORY__CATEGORY_SELF_HARM);
        assert_int_equal(r->people[0]->n_identifier, 5);
        for (size_t i = 0; i < 5; i++) {
                const char want[] = { (char)('1' + i), '\0' };
                assert_string_equal(r->people[0]->identifier[i]->value, want);
        }
        assert_kept("{\"agency\":\"a\",\"screening\":[{\"score\":\"x\"}]}", "/screening/0/score", "\"x\"");
        assert_int_equal(read_line("{\"agency\":\"a\",\"level_asked\":4294967295}")->level_asked, UINT32_MAX);
}

static void not_known_is_an_answer_and_an_index_another(void **state)
{
        (void)state;
        const Door__V1__Referral *r =
                read_line("{\"agency\":\"a\",\"alleged_to_have_caused_harm\":\"not_known\"}");
        assert_true(r->has_alleged_not_known && r->alleged_not_known);
        assert_int_equal(r->n_alleged_to_have_caused_harm, 0);
        r = read_line("{\"agency\":\"a\",\"alleged_to_have_caused_harm\":0}");
        assert_false(r->has_alleged_not_known);
        assert_int_equal(r->n_alleged_to_have_caused_harm, 1);
}

static void a_receipt_number_confirms_a_call(void **state)
{
        (void)state;
        const door_id id = { { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } };
        char number[DOOR_ID_TEXT_BYTES];
        char line[128];
        door_id_print(DOOR_ID_REFERRAL, &id, number);
        (void)snprintf(line, sizeof line, "{\"agency\":\"a\",\"confirms\":\"%s\"}", number);
        const Door__V1__Referral *r = read_line(line);
        assert_true(r->has_confirms);
        assert_int_equal(r->confirms.len, DOOR_ID_BYTES);
        assert_memory_equal(r->confirms.data, id.bytes, DOOR_ID_BYTES);
        door_id_print(DOOR_ID_FAMILY, &id, number);
        (void)snprintf(line, sizeof line, "{\"agency\":\"a\",\"confirms\":\"%s\"}", number);
        assert_false(read_line(line)->has_confirms);
}

static void null_and_nothing_are_absent(void **state)
{
        (void)state;
        const Door__V1__Referral *r = read_line("{\"agency\":\"a\",\"narrative\":null,\"grade\":\"\","
                                                "\"people\":[{\"surname\":\"\",\"upn\":\"\",\"dob\":\"\","
                                                "\"known_as\":\"\",\"address\":\"\",\"role\":null}]}");
        assert_int_equal(r->n_unrecognised, 0);
        assert_null(r->narrative);
        assert_false(r->has_grade);
        assert_int_equal(r->n_people, 1);
        assert_null(r->people[0]->surname);
        assert_null(r->people[0]->dob);
        assert_int_equal(r->people[0]->n_identifier, 0);
        assert_int_equal(r->people[0]->n_other_name, 0);
        assert_int_equal(r->people[0]->n_address, 0);
}

static void a_line_without_an_id_is_keyed_by_its_digest(void **state)
{
        (void)state;
        (void)read_line("{\"agency\":\"a\"}\n");
        char first[65];
        memcpy(first, json.key, sizeof first);
        assert_int_equal(strlen(first), 64);
        (void)read_line("{\"agency\":\"a\"}\r\n");
        assert_string_equal(json.key, first); /* The line's end is not its content. */
        (void)read_line("{\"agency\":\"b\"}");
        assert_string_not_equal(json.key, first);
}

static void what_is_no_referral_names_line_and_reason(void **state)
{
        (void)state;
#define WRONG(line, status, text) assert_wrong(line, sizeof(line) - 1, status, text)
        WRONG("", DOOR_MALFORMED, "line 7, column 0: no JSON: the text breaks off or is not well-formed");
        WRONG("[]", DOOR_MALFORMED, "line 7: JSON, but no object");
        WRONG("{\"agency\":\"a\"", DOOR_MALFORMED,
              "line 7, column 13: no JSON: the text breaks off or is not well-formed");
        WRONG("{\"agency\":\"a\",\"agency\":\"b\"}", DOOR_MALFORMED,
              "line 7, column 22: no JSON: a key stands twice in one object");
        WRONG("{\"narrative\":\"x\"}", DOOR_MALFORMED, "line 7: it names no agency");
        WRONG("{\"agency\":7}", DOOR_MALFORMED, "line 7: it names no agency");
        WRONG("{\"agency\":\"\"}", DOOR_MALFORMED, "line 7: it names no agency");
#undef WRONG
        referral_json out;
        static const char nul[] = "{\"agency\":\"a\\u0000b\"}";
        assert_int_equal(referral_json_read(door_bytes_of(nul), 1, &arena, &out, &error), DOOR_MALFORMED);
        static const char raw_nul[] = "{\"agency\":\"a\0b\"}";
        assert_int_equal(referral_json_read((door_bytes){ (const uint8_t *)raw_nul, sizeof raw_nul - 1 }, 1,
                                            &arena, &out, &error),
                         DOOR_MALFORMED);
        assert_int_equal(referral_json_read(door_bytes_of("{\"agency\":\"\xC3\"}"), 1, &arena, &out, &error),
                         DOOR_MALFORMED);
        assert_int_equal(referral_json_read(door_bytes_of("{\"agency\":\"a\"} x"), 1, &arena, &out, NULL),
                         DOOR_MALFORMED);
}

static void no_error_prints_what_the_line_says(void **state)
{
        (void)state;
        referral_json out;
        assert_int_equal(referral_json_read(door_bytes_of("{\"agency\":\"a\",\"surname\":\"Doyle\" \"x\"}"),
                                            1, &arena, &out, &error),
                         DOOR_MALFORMED);
        assert_null(strstr(error.text, "Doyle"));
        assert_null(strstr(error.text, "surname"));
}

static void a_line_has_a_bound(void **state)
{
        (void)state;
        referral_json out;
        char *line = malloc(REFERRAL_JSON_LINE_BYTES_MAX + 1);
        assert_non_null(line);
        memset(line, ' ', REFERRAL_JSON_LINE_BYTES_MAX + 1);
        memcpy(line, "{\"agency\":\"a\"}", 14);
        const door_bytes most = { (const uint8_t *)line, REFERRAL_JSON_LINE_BYTES_MAX };
        const door_bytes over = { (const uint8_t *)line, REFERRAL_JSON_LINE_BYTES_MAX + 1 };
        assert_int_equal(referral_json_read(most, 1, &arena, &out, &error), DOOR_OK);
        assert_int_equal(referral_json_read(over, 1, &arena, &out, &error), DOOR_TOO_LARGE);
        assert_string_equal(error.text, "line 1: longer than 1048576 bytes");
        free(line);
}

static void a_full_arena_is_no_memory(void **state)
{
        (void)state;
        referral_json out = { 0 };
        door_status status = DOOR_NO_MEMORY;
        for (size_t room = 0; status != DOOR_OK; room += 32) {
                door_arena small;
                door_arena_init(&small, storage, room);
                status = referral_json_read(
                        door_bytes_of(
                                "{\"agency\":\"a\",\"x\":1,\"concern_type\":[\"neglect\"],"
                                "\"alleged_to_have_caused_harm\":1,\"flags\":[\"injury\"],"
                                "\"people\":[{\"dob\":\"1\",\"upn\":\"2\",\"known_as\":\"3\",\"phone\":\"4\","
                                "\"address\":\"5\"}]}"),
                        1, &small, &out, &error);
                if (status != DOOR_OK) {
                        assert_int_equal(status, DOOR_NO_MEMORY);
                        assert_null(out.referral);
                }
                assert_true(room < 16384);
        }
}

/* Every line of the sample file passes intake's boundary whole, and keeps what it says. */
static void the_sample_file_is_read_without_a_loss(void **state)
{
        (void)state;
        char line[65536];
        size_t lines = 0;
        size_t people = 0;
        FILE *file = fopen(DOOR_SAMPLE, "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file) != NULL) {
                door_arena_reset(&arena);
                lines++;
                const Door__V1__Referral *r = read_line(line);
                assert_int_equal(r->n_unrecognised, 0);
                Door__V1__Submit submit = DOOR__V1__SUBMIT__INIT;
                submit.referral = (Door__V1__Referral *)(uintptr_t)r;
                submit.idempotency_key = json.key;
                door_bytes bytes;
                const void *body = NULL;
                assert_int_equal(door_proto_pack(&submit, &arena, &bytes), DOOR_OK);
                assert_int_equal(intake_ops.decode_command(INTAKE_SUBMIT, bytes, &arena, &body), DOOR_OK);
                const intake_form *form = &((const intake_submit *)body)->form;
                assert_int_equal(form->bound, INTAKE_WITHIN_BOUNDS);
                assert_int_equal(form->people_count, r->n_people);
                assert_true(form->has_concern);
                for (size_t i = 0; i < form->people_count; i++) {
                        assert_true(form->people[i].life != INTAKE_LIFE_UNKNOWN);
                        assert_false(form->people[i].dob.sent &&
                                     form->people[i].dob.precision == INTAKE_DAY_UNREAD);
                        people++;
                }
        }
        (void)fclose(file);
        assert_true(lines >= 100);
        assert_true(people > 2 * lines);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_new, arena_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_line_of_the_agencies_layout_is_read_whole),
                TEST(every_code_reads_by_its_lower_case_name),
                TEST(the_rest_of_the_form_reads_by_its_field_names),
                TEST(an_address_may_come_before_or_after_its_postcode),
                TEST(what_cannot_be_placed_is_kept_with_its_pointer),
                TEST(a_person_that_is_none_keeps_its_place),
                TEST(a_concern_that_is_no_code_is_the_senders_own_word),
                TEST(short_forms_and_lists_of_one_thing_go_together),
                TEST(not_known_is_an_answer_and_an_index_another),
                TEST(a_receipt_number_confirms_a_call),
                TEST(null_and_nothing_are_absent),
                TEST(a_line_without_an_id_is_keyed_by_its_digest),
                TEST(what_is_no_referral_names_line_and_reason),
                TEST(no_error_prints_what_the_line_says),
                TEST(a_line_has_a_bound),
                TEST(a_full_arena_is_no_memory),
                TEST(the_sample_file_is_read_without_a_loss),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
