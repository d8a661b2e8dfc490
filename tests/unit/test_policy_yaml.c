/* Goal: the county's file becomes what intake accepts; every mistake is one sentence that helps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/policy_yaml.h"
#include "door/v1/policy.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 4 * DOOR_MIB };

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

#define HEAD   "readers: [gateway]\nagencies:\n"
#define POLICE "  - {id: police, kind: police, name: Police, peers: [gateway]}\n"

static const Door__V1__IntakePolicy *good(const char *yaml)
{
        door_bytes content;
        door_error error = { 0 };
        Door__V1__IntakePolicy *policy;
        if (policy_yaml_intake(door_bytes_of(yaml), "agencies.yaml", &arena, &content, &error) != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        assert_int_equal(door_proto_read(&door__v1__intake_policy__descriptor, content, &arena, &policy),
                         DOOR_OK);
        return policy;
}

static void wrong(const char *yaml, const char *sentence)
{
        door_bytes content = { (const uint8_t *)"x", 1 };
        door_error error = { 0 };
        assert_int_equal(policy_yaml_intake(door_bytes_of(yaml), "agencies.yaml", &arena, &content, &error),
                         DOOR_INVALID);
        /* The line is another test's. */
        const size_t file = strlen("agencies.yaml");
        if (error.text[file] == ':' && error.text[file + 1] >= '0' && error.text[file + 1] <= '9') {
                const char *after = strchr(error.text + file + 1, ':');
                assert_non_null(after);
                memmove(error.text + file, after, strlen(after) + 1);
        }
        assert_string_equal(error.text, sentence);
        assert_int_equal(content.len, 1);
}

static void a_file_becomes_a_policy(void **state)
{
        (void)state;
        const Door__V1__IntakePolicy *policy = good(
                "future_tolerance_s: 7\nrate_per_minute: 8\nreaders: [gateway, command]\nagencies:\n"
                "  - id: police\n    kind: police\n    name: The police\n    peers: [gateway, niche]\n"
                "    rate_per_minute: 9\n"
                "  - id: hv\n    kind: health_visitor\n    name: Health visiting\n    peers: [gateway]\n");
        assert_int_equal(policy->future_tolerance_s, 7);
        assert_int_equal(policy->rate_per_minute, 8);
        assert_int_equal(policy->n_reader, 2);
        assert_string_equal(policy->reader[1], "command");
        assert_int_equal(policy->n_agency, 2);
        assert_string_equal(policy->agency[0]->id, "police");
        assert_int_equal(policy->agency[0]->kind, DOOR__V1__AGENCY_KIND__AGENCY_POLICE);
        assert_string_equal(policy->agency[0]->name, "The police");
        assert_int_equal(policy->agency[0]->n_peer, 2);
        assert_string_equal(policy->agency[0]->peer[1], "niche");
        assert_int_equal(policy->agency[0]->rate_per_minute, 9);
        assert_int_equal(policy->agency[1]->kind, DOOR__V1__AGENCY_KIND__AGENCY_HEALTH_VISITOR);
        assert_false(policy->agency[1]->has_rate_per_minute);
}

static void what_the_file_leaves_out_has_the_documented_default(void **state)
{
        (void)state;
        const Door__V1__IntakePolicy *policy = good(HEAD POLICE);
        assert_false(policy->has_future_tolerance_s);
        assert_int_equal(policy->future_tolerance_s, 300);
        assert_int_equal(policy->rate_per_minute, 600);
}

static void every_mistake_is_a_sentence(void **state)
{
        (void)state;
        wrong("", "agencies.yaml: it is empty");
        wrong("readers: [gateway]\n", "agencies.yaml: agencies is missing: nobody could refer");
        wrong("agencies:\n" POLICE, "agencies.yaml: readers is missing: nobody could use it");
        wrong("readers: [a, a]\nagencies:\n" POLICE, "agencies.yaml: readers names 'a' twice");
        wrong("rate_per_minute: 0\n" HEAD POLICE,
              "agencies.yaml: rate_per_minute must not be 0: nothing would be received");
        wrong(HEAD POLICE POLICE, "agencies.yaml: agency police: it stands there twice");
        wrong(HEAD "  - {kind: police, name: Police, peers: [gateway]}\n",
              "agencies.yaml: agency number 1: id is missing");
        wrong(HEAD POLICE "  - {id: '', kind: police, name: Police, peers: [gateway]}\n",
              "agencies.yaml: agency number 2: id is missing");
        wrong(HEAD "  - {id: gp, name: GP, peers: [gateway]}\n", "agencies.yaml: agency gp: kind is missing");
        wrong(HEAD "  - {id: gp, kind: doctor, name: GP, peers: [gateway]}\n",
              "agencies.yaml: agency gp: kind 'doctor' is none; see AgencyKind in "
              "proto/door/v1");
        wrong(HEAD "  - {id: gp, kind: gp, peers: [gateway]}\n", "agencies.yaml: agency gp: name is missing");
        wrong(HEAD "  - {id: gp, kind: gp, name: GP}\n",
              "agencies.yaml: agency gp: peers is missing: nobody could use it");
        wrong(HEAD "  - {id: gp, kind: gp, name: GP, peers: []}\n",
              "agencies.yaml: agency gp: peers is missing: nobody could use it");
        wrong(HEAD "  - {id: gp, kind: gp, name: GP, peers: [a, b, a]}\n",
              "agencies.yaml: agency gp: peers names 'a' twice");
        wrong(HEAD "  - {id: gp, kind: gp, name: GP, peers: [a], rate_per_minute: 0}\n",
              "agencies.yaml: agency gp: rate_per_minute must not be 0: nothing would be received");
        wrong(HEAD "  - {id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, kind: gp, "
                   "name: GP, peers: [a]}\n",
              "agencies.yaml: agency aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: "
              "id is longer than 63 bytes");
}

static void libcyamls_complaints_carry_their_line(void **state)
{
        (void)state;
        static const char *const files[] = {
                "readers: [gateway]\ncolour: blue\nagencies:\n" POLICE,
                "readers: [gateway]\nrate_per_minute: many\nagencies:\n" POLICE,
                "readers: [gateway]\nagencies: [\n",
        };
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                door_bytes content;
                door_error error = { 0 };
                assert_int_equal(policy_yaml_intake(door_bytes_of(files[i]), "agencies.yaml", &arena,
                                                    &content, &error),
                                 DOOR_INVALID);
                assert_non_null(strstr(error.text, "agencies.yaml: near line "));
                if (i == 1) {
                        assert_non_null(strstr(error.text, "near line 2: "));
                }
        }
}

static void an_alias_is_refused(void **state)
{
        (void)state;
        door_bytes content;
        door_error error = { 0 };
        const char *yaml = "readers: &r [gateway]\nagencies:\n  - {id: gp, kind: gp, name: GP, peers: *r}\n";
        assert_int_equal(policy_yaml_intake(door_bytes_of(yaml), "f", &arena, &content, &error),
                         DOOR_INVALID);
}

static void too_much_is_refused(void **state)
{
        (void)state;
        door_bytes content;
        door_error error = { 0 };
        char *yaml = malloc(DOOR_POLICY_BYTES_MAX + 2);
        assert_non_null(yaml);
        memset(yaml, '#', DOOR_POLICY_BYTES_MAX + 1);
        yaml[DOOR_POLICY_BYTES_MAX + 1] = '\0';
        wrong(yaml, "agencies.yaml: it has 262145 bytes, a policy file may have 262144");
        size_t at = (size_t)sprintf(yaml, "readers: [a]\nagencies:\n");
        for (int i = 0; i < INTAKE_AGENCIES_MAX + 1; i++) {
                if (i == INTAKE_AGENCIES_MAX) {
                        /* At the bound it is still good, and intake takes it. */
                        const void *policy = NULL;
                        assert_int_equal(
                                policy_yaml_intake(door_bytes_of(yaml), "f", &arena, &content, &error),
                                DOOR_OK);
                        assert_int_equal(intake_ops.decode_policy(content, &arena, &policy), DOOR_OK);
                }
                at += (size_t)sprintf(yaml + at, "  - {id: a%d, kind: gp, name: GP, peers: [gateway]}\n", i);
        }
        wrong(yaml, "agencies.yaml: agencies: at most 1024, got 1025");
        free(yaml);
}

static void the_countys_own_file_is_good_and_names_the_seven_agencies(void **state)
{
        (void)state;
        static const char *const agencies[] = { "police",         "hospital",         "school", "gp",
                                                "health_visitor", "member_of_public", "housing" };
        static char yaml[65536];
        FILE *file = fopen(DOOR_AGENCIES, "r");
        assert_non_null(file);
        yaml[fread(yaml, 1, sizeof yaml - 1, file)] = '\0';
        (void)fclose(file);
        const Door__V1__IntakePolicy *policy = good(yaml);
        assert_int_equal(policy->n_agency, 7);
        for (size_t i = 0; i < 7; i++) {
                assert_string_equal(policy->agency[i]->id, agencies[i]);
                assert_int_equal(policy->agency[i]->kind, i < 2 ? i + 1 : policy->agency[i]->kind);
        }
        door_bytes content;
        const void *out = NULL;
        assert_int_equal(door_proto_pack(policy, &arena, &content), DOOR_OK);
        assert_int_equal(intake_ops.decode_policy(content, &arena, &out), DOOR_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, arena_new, arena_free)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_file_becomes_a_policy),
                TEST(what_the_file_leaves_out_has_the_documented_default),
                TEST(every_mistake_is_a_sentence),
                TEST(libcyamls_complaints_carry_their_line),
                TEST(an_alias_is_refused),
                TEST(too_much_is_refused),
                TEST(the_countys_own_file_is_good_and_names_the_seven_agencies),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
