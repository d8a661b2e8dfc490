/*
 * Goal: a county's folder becomes five sections its services accept; every mistake is one sentence that
 * names the file, the entry and what is wrong, and then there is no section at all.
 * Method: the county we ship, copied into a folder of the test's own, one line changed at a time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/policy_folder.h"
#include "deduplication/dedup_codec.h"
#include "intake/intake_codec.h"
#include "notification/notify_codec.h"
#include "triage/triage_codec.h"

enum { ARENA_BYTES = 64 * DOOR_MIB, FILE_BYTES_MAX = 2 * DOOR_MIB };

static void *storage;
static door_arena arena;
static char folder[] = "/tmp/test_policy_folder.XXXXXX";
static const char *const files[] = { "agencies.yaml", "teams.yaml",    "floors.yaml",
                                     "clocks.yaml",   "postcodes.csv", "frontdoor.yaml" };

static size_t load(const char *path, char *text)
{
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        const size_t len = fread(text, 1, FILE_BYTES_MAX - 1, file);
        (void)fclose(file);
        text[len] = '\0';
        return len;
}

static void save(const char *name, const char *text)
{
        char path[256];
        (void)snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
        assert_int_equal(fclose(file), 0);
}

/* A file as shipped; with `from` its first occurrence becomes `to`. */
static void file_put(const char *name, const char *from, const char *to)
{
        char path[256];
        char *text = calloc(1, FILE_BYTES_MAX);
        char *changed = calloc(1, FILE_BYTES_MAX);

        assert_non_null(text);
        assert_non_null(changed);
        (void)snprintf(path, sizeof path, "%s/%s%s", DOOR_CONFIG,
                       strcmp(name, "frontdoor.yaml") == 0 ? "" : "policy/", name);
        (void)load(path, text);
        if (from == NULL) {
                save(name, text);
        } else {
                char *at = strstr(text, from);
                assert_non_null(at);
                memcpy(changed, text, (size_t)(at - text));
                strcat(changed, to);
                strcat(changed, at + strlen(from));
                save(name, changed);
        }
        free(text);
        free(changed);
}

static int setup(void **state)
{
        (void)state;
        storage = aligned_alloc(64, ARENA_BYTES);
        assert_non_null(storage);
        assert_non_null(mkdtemp(folder));
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                file_put(files[i], NULL, NULL);
        }
        return 0;
}

static int teardown(void **state)
{
        char path[256];

        (void)state;
        for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
                (void)snprintf(path, sizeof path, "%s/%s", folder, files[i]);
                (void)unlink(path);
        }
        free(storage);
        return rmdir(folder);
}

static door_status read_folder(policy_section *sections, door_error *error)
{
        door_arena_init(&arena, storage, ARENA_BYTES);
        memset(sections, 0, POLICY_SECTIONS * sizeof *sections);
        return policy_folder_read(folder, &arena, sections, error);
}

static void wrong(const char *file, const char *from, const char *to, const char *sentence)
{
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };

        file_put(file, from, to);
        assert_int_not_equal(read_folder(sections, &error), DOOR_OK);
        assert_non_null(strstr(error.text, file));
        if (strstr(error.text, sentence) == NULL) {
                fail_msg("said: %s", error.text);
        }
        file_put(file, NULL, NULL);
}

/* The first line that differs is the one the sentence names. */
static void wrong_at_its_line(const char *file, const char *from, const char *to)
{
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        char path[256];
        char *text = calloc(1, FILE_BYTES_MAX);
        char place[64];
        unsigned line = 1;

        assert_non_null(text);
        file_put(file, NULL, NULL);
        (void)snprintf(path, sizeof path, "%s/%s", folder, file);
        (void)load(path, text);
        const char *found = strstr(text, from);
        assert_non_null(found);
        for (const char *c = text; c < found; c++) {
                line += *c == '\n' ? 1 : 0;
        }
        free(text);
        (void)snprintf(place, sizeof place, "%s:%u: ", file, line);
        file_put(file, from, to);
        assert_int_not_equal(read_folder(sections, &error), DOOR_OK);
        if (strncmp(error.text, place, strlen(place)) != 0) {
                fail_msg("said: %s, not at %s", error.text, place);
        }
        file_put(file, NULL, NULL);
}

static void a_mistake_is_told_with_its_line(void **state)
{
        (void)state;
        wrong_at_its_line("teams.yaml", "kind: front_door", "kind: door");
        wrong_at_its_line("teams.yaml", "districts: [Stroud]", "districts: [Strood]");
        wrong_at_its_line("teams.yaml", "capacity: 40", "capacity: 0");
        wrong_at_its_line("teams.yaml", "code: E07000082", "code: E0700");
        wrong_at_its_line("floors.yaml", "of: fgm", "of: fgn");
        wrong_at_its_line("floors.yaml", "ungraded: 55", "ungraded: 5");
        wrong_at_its_line("frontdoor.yaml", "mode: training", "mode: trainng");
        wrong_at_its_line("agencies.yaml", "kind: police", "kind: polce");
}

static void the_county_we_ship_is_accepted_by_its_services(void **state)
{
        static const struct {
                const char *service;
                const door_core_ops *core;
        } known[] = { { "notification", &notify_ops },
                      { "triage", &triage_ops },
                      { "deduplication", &dedup_ops },
                      { "intake", &intake_ops } };
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        const void *policy = NULL;
        size_t accepted = 0;

        (void)state;
        if (read_folder(sections, &error) != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        for (size_t i = 0; i < POLICY_SECTIONS; i++) {
                for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
                        if (strcmp(sections[i].service, known[k].service) == 0) {
                                assert_int_equal(
                                        known[k].core->decode_policy(sections[i].content, &arena, &policy),
                                        DOOR_OK);
                                accepted++;
                        }
                }
        }
        assert_int_equal(accepted, 4);
        assert_string_equal(sections[POLICY_SECTIONS - 1].service, "intake"); /* The last to hear. */
}

/* Whoever notification tells by a name of its own must have an address. */
static void every_desk_of_the_county_we_ship_has_an_address(void **state)
{
        static const char *const desks[] = { "front-door", "edt", "manager" };
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        const void *read = NULL;

        (void)state;
        file_put("floors.yaml", "amber_from: 50", "amber_from: 45");
        assert_int_equal(read_folder(sections, &error), DOOR_OK);
        for (size_t i = 0; i < POLICY_SECTIONS && read == NULL; i++) {
                if (strcmp(sections[i].service, "notification") == 0) {
                        assert_int_equal(notify_ops.decode_policy(sections[i].content, &arena, &read),
                                         DOOR_OK);
                }
        }
        const notify_policy *policy = read;
        for (size_t i = 0; i < sizeof desks / sizeof desks[0]; i++) {
                assert_non_null(notify_recipient_find(policy, door_bytes_of(desks[i])));
        }
        assert_int_equal(policy->amber_from, 45);
        assert_int_equal(policy->working.holidays_count, 140);
        assert_true(policy->front_door_phone.len > 0 && policy->out_of_hours_phone.len > 0);
        file_put("floors.yaml", NULL, NULL);
}

static void what_the_files_say_stands_in_triages_section(void **state)
{
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        const void *read = NULL;

        (void)state;
        file_put("clocks.yaml", "lease_min: 30", "lease_min: 45");
        file_put("floors.yaml", "ungraded: 55", "ungraded: 61");
        assert_int_equal(read_folder(sections, &error), DOOR_OK);
        assert_int_equal(triage_ops.decode_policy(sections[2].content, &arena, &read), DOOR_OK);
        const triage_policy *policy = read;
        assert_int_equal(policy->lease_min, 45);
        assert_int_equal(policy->severity_ungraded, 61);
        assert_true(policy->training && policy->replay_history);
        assert_int_equal(policy->working.holidays_count, 140);
        file_put("clocks.yaml", NULL, NULL);
        file_put("floors.yaml", NULL, NULL);
}

static void a_mistake_in_the_teams_is_a_sentence(void **state)
{
        (void)state;
        wrong("teams.yaml", "kind: front_door", "kind: door", "team front-door: kind 'door' is none");
        wrong("teams.yaml", "kind: front_door", "kind: external", "exactly one team of kind front_door");
        wrong("teams.yaml", "id: edt", "id: front-door", "team front-door: it stands there twice");
        wrong("teams.yaml", "id: edt", "id: EDT", "team EDT: id: small letters, digits and hyphens only");
        wrong("teams.yaml", "districts: [Stroud]", "districts: [Strood]",
              "district 'Strood' is none of the county's");
        wrong("teams.yaml", "code: E07000082", "code: E0700", "district Stroud: code: nine characters");
        wrong("teams.yaml", "capacity: 40", "capacity: 0", "capacity: 1 to 10000, got 0");
        wrong("teams.yaml", "routes: [unborn]", "routes: [born]", "route 'born' is none of");
        wrong("teams.yaml", "age_from: 11, age_to: 17", "age_from: 17, age_to: 11", "it takes nobody");
        wrong("teams.yaml", "age_from: 11, age_to: 17", "age_from: 11", "stand together or not at all");
        wrong("teams.yaml", "edt@gloucestershire.example", "edt gloucestershire",
              "email 'edt gloucestershire' is no address");
        wrong("teams.yaml", "kind: emergency_duty", "kind: emergency_duty, successor: nobody",
              "team edt: successor 'nobody' is no other team");
}

static void a_child_nobody_would_take_is_found_before_it_comes(void **state)
{
        (void)state;
        wrong("teams.yaml", "districts: [Cheltenham], age_from: 11", "districts: [Cheltenham], age_from: 12",
              "nobody takes a child of 11 at level 3 in Cheltenham");
        wrong("teams.yaml", "districts: [Tewkesbury], level_to: 2", "districts: [Tewkesbury], level_to: 1",
              "nobody takes a child of 0 at level 2 in Tewkesbury");
}

static void a_mistake_in_the_floors_is_a_sentence(void **state)
{
        (void)state;
        wrong("floors.yaml", "of: fgm", "of: fgn", "category fgn: of 'fgn' is none; see Category");
        wrong("floors.yaml", "of: weapon, severity: 90", "of: weapon", "flag weapon: severity is missing");
        wrong("floors.yaml", "of: weapon", "of: strangulation", "flag strangulation: it stands there twice");
        wrong("floors.yaml", "red: 90", "red: 101", "red: 0 to 100, got 101");
        wrong("floors.yaml", "red: 90", "red: 79", "a red grade must count as red");
        wrong("floors.yaml", "amber_from: 50", "amber_from: 80", "amber begins below red");
        wrong("floors.yaml", "ungraded: 55", "ungraded: 49", "a referral without a grade is never green");
        wrong("floors.yaml", "flags:", "flugs:", "near line");
}

static void a_mistake_in_the_clocks_is_a_sentence(void **state)
{
        (void)state;
        wrong("clocks.yaml", "office_from: \"09:00\"", "office_from: \"9\"", "'9' is no time of day");
        wrong("clocks.yaml", "office_from: \"09:00\"", "office_from: \"24:01\"", "'24:01' is no time of day");
        wrong("clocks.yaml", "office_from: \"09:00\"", "office_from: \"17:00\"", "closes before it opens");
        wrong("clocks.yaml", "2012-01-02", "2012-02-30", "holiday '2012-02-30' is no date");
        wrong("clocks.yaml", "2012-01-02", "2012-05-01", "is not after the one before it");
        wrong("clocks.yaml", "rag_red_min: 240", "rag_red_min: 4321", "red may not wait longer than amber");
        wrong("clocks.yaml", "lease_min: 30", "lease_min: 0", "lease_min: 1 to 1440, got 0");
}

static void a_mistake_in_the_postcodes_is_a_sentence(void **state)
{
        (void)state;
        wrong("postcodes.csv", "pcd,laua", "postcode", "no heading that begins with pcd,laua");
        wrong("postcodes.csv", "GL1 1AB,E07000081", "GL1 1AB,E06000001", "line 3: no postcode of seven");
        wrong("postcodes.csv", "GL1 1AB,", "GL1 1AA,", "postcode GL1 1AA stands there twice");
}

static void a_live_system_replays_nothing(void **state)
{
        (void)state;
        wrong("frontdoor.yaml", "mode: training", "mode: live", "imported history is never open");
        wrong("frontdoor.yaml", "mode: training", "mode: test", "mode is training or live");
        wrong("frontdoor.yaml", "sender: front-door@", "sender: front door@", "is no address");
}

static void a_missing_file_is_named(void **state)
{
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        char path[256];

        (void)state;
        (void)snprintf(path, sizeof path, "%s/floors.yaml", folder);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(read_folder(sections, &error), DOOR_NOT_FOUND);
        assert_non_null(strstr(error.text, "floors.yaml"));
        file_put("floors.yaml", NULL, NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mistake_is_told_with_its_line),
                cmocka_unit_test(the_county_we_ship_is_accepted_by_its_services),
                cmocka_unit_test(every_desk_of_the_county_we_ship_has_an_address),
                cmocka_unit_test(what_the_files_say_stands_in_triages_section),
                cmocka_unit_test(a_mistake_in_the_teams_is_a_sentence),
                cmocka_unit_test(a_child_nobody_would_take_is_found_before_it_comes),
                cmocka_unit_test(a_mistake_in_the_floors_is_a_sentence),
                cmocka_unit_test(a_mistake_in_the_clocks_is_a_sentence),
                cmocka_unit_test(a_mistake_in_the_postcodes_is_a_sentence),
                cmocka_unit_test(a_live_system_replays_nothing),
                cmocka_unit_test(a_missing_file_is_named),
        };

        return cmocka_run_group_tests(tests, setup, teardown);
}
