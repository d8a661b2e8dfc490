/*
 * test_peers.c - what peers.yaml says, and what is said about every mistake in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/peers.h"

/* Three keys that are no key of anybody. */
#define KEY_A "00000000000000000000000000000000000000AA"
#define KEY_B "00000000000000000000000000000000000000BB"
#define KEY_C "00000000000000000000000000000000000000CC"

static const char whole[] = "version: 1\n"
                            "peers:\n"
                            "  - name: intake\n"
                            "    keys: [\"" KEY_A "\"]\n"
                            "    endpoints:\n"
                            "      pull: ipc:///run/intake.pull\n"
                            "      command: tcp://10.0.0.1:7001\n"
                            "  - name: reader\n"
                            "    keys: [\"" KEY_B "\", \"" KEY_C "\"]\n"
                            "    may:\n"
                            "      - at: intake\n"
                            "        verbs: [pull, command]\n"
                            "        log: public\n"
                            "        rights: [submit, import]\n"
                            "        settles: true\n"
                            "        speaks_for: \"reader/\"\n";

static door_status parse(const char *text, door_peers **ret_peers, door_error *error)
{
        return door_peers_parse(door_bytes_of(text), "peers.yaml", ret_peers, error);
}

static door_peers *parse_well(const char *text)
{
        door_peers *peers = NULL;
        door_error error = { 0 };

        if (parse(text, &peers, &error) != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        return peers;
}

static void a_peers_place_and_rights_are_read(void **state)
{
        door_peers *peers = parse_well(whole);
        door_peers_at at;
        char key[DOOR_KEY_TEXT_BYTES];

        (void)state;
        const door_peer_place *intake = door_peers_place(peers, "intake");
        assert_non_null(intake);
        assert_string_equal(intake->name, "intake");
        assert_string_equal(intake->pull, "ipc:///run/intake.pull");
        assert_string_equal(intake->command, "tcp://10.0.0.1:7001");
        assert_int_equal(intake->keys_count, 1);
        door_key_print(&intake->keys[0], key);
        assert_string_equal(key, KEY_A);
        assert_null(door_peers_place(peers, "nobody"));

        assert_int_equal(door_peers_at_service(peers, "intake", &at, NULL), DOOR_OK);
        assert_int_equal(at.count, 1);
        assert_string_equal(at.peers[0].name, "reader");
        assert_int_equal(at.peers[0].verbs, DOOR_VERB_PULL | DOOR_VERB_COMMAND);
        assert_int_equal(at.peers[0].rights, DOOR_RIGHT_SUBMIT | DOOR_RIGHT_IMPORT);
        assert_true(at.peers[0].may_read);
        assert_int_equal(at.peers[0].form, DOOR_FORM_PUBLIC);
        assert_true(at.peers[0].settles);
        assert_string_equal(at.peers[0].speaks_for, "reader/");
        assert_string_equal(at.places[0].name, "reader");
        assert_int_equal(at.places[0].keys_count, 2);
        door_key_print(&at.places[0].keys[0], key);
        assert_string_equal(key, KEY_B);
        door_key_print(&at.places[0].keys[1], key);
        assert_string_equal(key, KEY_C);
        assert_string_equal(at.places[0].pull, "");

        /* Nobody may do anything at the reader. */
        assert_int_equal(door_peers_at_service(peers, "reader", &at, NULL), DOOR_OK);
        assert_int_equal(at.count, 0);
        door_error error = { 0 };
        assert_int_equal(door_peers_at_service(peers, "nobody", &at, &error), DOOR_NOT_FOUND);
        assert_non_null(strstr(error.text, "nobody"));
        (void)door_peers_free(peers);
}

/* The whole text with `from` replaced by `to`. */
static char *changed(const char *from, const char *to)
{
        const char *at = strstr(whole, from);
        char *text = NULL;

        assert_non_null(at);
        assert_true(asprintf(&text, "%.*s%s%s", (int)(at - whole), whole, to, at + strlen(from)) > 0);
        return text;
}

static void less_is_allowed_than_everything(void **state)
{
        char *text = changed("        verbs: [pull, command]\n"
                             "        log: public\n"
                             "        rights: [submit, import]\n"
                             "        settles: true\n"
                             "        speaks_for: \"reader/\"\n",
                             "        verbs: [checkpoint, pull, status]\n"
                             "        log: headers\n"
                             "        settles: false\n");
        door_peers *peers = parse_well(text);
        door_peers_at at;

        (void)state;
        assert_int_equal(door_peers_at_service(peers, "intake", &at, NULL), DOOR_OK);
        assert_int_equal(at.peers[0].verbs, DOOR_VERB_PULL | DOOR_VERB_STATUS | DOOR_VERB_CHECKPOINT);
        assert_int_equal(at.peers[0].rights, 0);
        assert_true(at.peers[0].may_read);
        assert_int_equal(at.peers[0].form, DOOR_FORM_HEADERS);
        assert_false(at.peers[0].settles);
        assert_string_equal(at.peers[0].speaks_for, "");
        (void)door_peers_free(peers);
        free(text);

        text = changed(
                "        verbs: [pull, command]\n        log: public\n        rights: [submit, import]\n"
                "        settles: true\n",
                "        verbs: [command]\n        rights: [policy, verify]\n");
        peers = parse_well(text);
        assert_int_equal(door_peers_at_service(peers, "intake", &at, NULL), DOOR_OK);
        assert_false(at.peers[0].may_read);
        assert_false(at.peers[0].settles);
        assert_int_equal(at.peers[0].rights, DOOR_RIGHT_POLICY | DOOR_RIGHT_VERIFY);
        (void)door_peers_free(peers);
        free(text);
}

static void every_mistake_names_file_peer_and_field(void **state)
{
        static const struct {
                const char *from;
                const char *to;
                const char *says; /* After "peers.yaml: ". */
        } cases[] = {
                { "version: 1", "version: 2", "version must be 1" },
                { "version: 1\n", "", "version must be 1" },
                { "version: 1", "version: one", "near line 1: Invalid" },
                { "name: intake", "name: Intake", "peers[0]: name" },
                { "  - name: intake\n    keys", "  - keys", "peers[0]: name" },
                { "name: reader", "name: intake", "peer intake: name stands twice" },
                { "    keys: [\"" KEY_A "\"]\n", "", "peer intake: keys must hold 1 or 2" },
                { "[\"" KEY_A "\"]", "[]", "peer intake: keys must hold 1 or 2" },
                { "[\"" KEY_A "\"]", "[a, b, c]",
                  "peer intake: keys must hold 1 or 2 public keys, it holds 3" },
                { KEY_A, "short", "peer intake: keys[0] is not 40" },
                { KEY_C, "00000000000000000000000000000000000000~~", "peer reader: keys[1] is not 40" },
                { KEY_C, KEY_B, "peer reader: keys[1] is the same as keys[0]" },
                { KEY_C, KEY_A, "peer intake: keys[0] is also a key of reader" },
                { "ipc:///run/intake.pull", "ipc://@x",
                  "peer intake: endpoints.pull: the socket path must begin" },
                { "tcp://10.0.0.1:7001", "tcp://10.0.0.1", "peer intake: endpoints.command: a tcp endpoint" },
                { "tcp://10.0.0.1:7001", "tcp://:7001", "peer intake: endpoints.command: a tcp endpoint" },
                { "tcp://10.0.0.1:7001", "tcp://a:70x", "peer intake: endpoints.command: a tcp endpoint" },
                { "tcp://10.0.0.1:7001", "udp://a:1", "peer intake: endpoints.command: an endpoint begins" },
                { "    endpoints:\n      pull: ipc:///run/intake.pull\n", "    endpoints:\n",
                  "peer reader: may at intake: that peer has no endpoints.pull" },
                { "      command: tcp://10.0.0.1:7001\n", "",
                  "peer reader: may at intake: that peer has no endpoints.command" },
                { "at: intake", "at: intak", "peer reader: may at intak: there is no peer" },
                { "at: intake", "at: reader", "peer reader: may at reader: that is itself" },
                { "      - at: intake\n        verbs", "      - verbs",
                  "peer reader: an entry of may lacks at" },
                { "        verbs: [pull, command]\n", "", "peer reader: may at intake: verbs is missing" },
                { "[pull, command]", "[]", "peer reader: may at intake: verbs is missing" },
                { "[pull, command]", "[pull, comand]",
                  "peer reader: may at intake: verbs knows no 'comand'" },
                { "[pull, command]", "[pull, pull]", "peer reader: may at intake: verbs says 'pull' twice" },
                { "[submit, import]", "[submit, root]",
                  "peer reader: may at intake: rights knows no 'root'" },
                { "        log: public\n", "", "peer reader: may at intake: verb pull needs log" },
                { "log: public", "log: whole",
                  "peer reader: may at intake: log is headers or public, not 'whole'" },
                { "[pull, command]", "[command]", "peer reader: may at intake: log is of no use" },
                { "verbs: [pull, command]\n        log: public", "verbs: [command]",
                  "peer reader: may at intake: settles is of no use" },
                { "        speaks_for: \"reader/\"\n", "",
                  "peer reader: may at intake: verb command needs speaks_for" },
                { "\"reader/\"", "\"\"", "peer reader: may at intake: verb command needs speaks_for" },
                { "[pull, command]", "[pull]", "peer reader: may at intake: speaks_for is of no use" },
                { "[pull, command]\n        log: public\n        rights: [submit, import]\n        settles: "
                  "true\n"
                  "        speaks_for: \"reader/\"\n",
                  "[pull]\n        log: public\n        rights: [submit]\n",
                  "peer reader: may at intake: rights is of no use" },
                { "settles: true", "settles: maybe",
                  "peer reader: may at intake: settles is true or false, not" },
                { "settles: true", "setles: true", "peer reader: near line" },
                { "    endpoints:", "    endpoint:", "peer intake: near line" },
                { "      pull: ipc", "      pul: ipc", "peer intake: near line" },
                { "    keys: [\"" KEY_A "\"]\n", "    keys: [\"" KEY_A "\"]\n    keys: [\"" KEY_C "\"]\n",
                  "peer intake: near line" },
                { "peers:\n", "peers:\n  - &x\n    name: a\n  - *x\n", "near line" },
                { "peers:", "pears:", "near line 1: Unexpected key: pears" },
                { "[submit, import]", "[submit", "peer reader: near line" },
                { "        settles: true\n        speaks_for: \"reader/\"\n",
                  "        speaks_for: x\n      - at: intake\n        verbs: [status]\n",
                  "peer reader: may at intake: stands twice" },
                { "\"reader/\"\n", "x\n---\nversion: 1\n", "near line 0: Ignoring documents" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char *text = changed(cases[i].from, cases[i].to);
                char expected[256];
                door_peers *peers = NULL;
                door_error error = { 0 };

                (void)snprintf(expected, sizeof expected, "peers.yaml: %s", cases[i].says);
                if (parse(text, &peers, &error) != DOOR_INVALID || error.status != DOOR_INVALID ||
                    strncmp(error.text, expected, strlen(expected)) != 0) {
                        fail_msg("case %zu: '%s' does not begin with '%s'", i, error.text, expected);
                }
                assert_null(peers);
                free(text);
        }
}

static void a_name_or_actor_that_is_too_long_is_refused(void **state)
{
        char lengthy[128];
        door_peers *peers = NULL;
        door_error error = { 0 };

        (void)state;
        memset(lengthy, 'a', sizeof lengthy);
        lengthy[64] = '\0';
        char *text = changed("reader/", lengthy);
        assert_int_equal(parse(text, &peers, &error), DOOR_INVALID);
        assert_non_null(strstr(error.text, "speaks_for is longer than 63"));
        free(text);
        text = changed("at: intake",
                       "at: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        assert_int_equal(parse(text, &peers, &error), DOOR_INVALID);
        assert_non_null(strstr(error.text, "at is longer than 63"));
        free(text);
        lengthy[63] = '\0';
        text = changed("reader/", lengthy);
        (void)door_peers_free(parse_well(text));
        free(text);
}

static void too_many_and_none_are_refused(void **state)
{
        door_peers *peers = NULL;
        door_error error = { 0 };
        char text[DOOR_PEERS_MAX * 128];

        (void)state;
        assert_int_equal(parse("", &peers, &error), DOOR_INVALID);
        assert_int_equal(parse("# nothing\n", &peers, &error), DOOR_INVALID);
        assert_int_equal(parse("version: 1\n", &peers, &error), DOOR_INVALID);
        assert_int_equal(parse("version: 1\npeers: []\n", &peers, &error), DOOR_INVALID);
        assert_int_equal(parse("- a\n", &peers, &error), DOOR_INVALID);
        assert_int_equal(parse("\xff\xfe", &peers, &error), DOOR_INVALID);
        for (size_t count = DOOR_PEERS_MAX; count <= DOOR_PEERS_MAX + 1; count++) {
                size_t used = (size_t)sprintf(text, "version: 1\npeers:\n");

                for (size_t i = 0; i < count; i++) {
                        used += (size_t)sprintf(
                                text + used,
                                "- name: p%zu\n  keys: [\"00000000000000000000000000000000000%05zu\"]\n", i,
                                10000 + i);
                }
                const bool fits = count <= DOOR_PEERS_MAX;
                assert_int_equal(parse(text, &peers, &error), fits ? DOOR_OK : DOOR_INVALID);
                peers = fits ? door_peers_free(peers) : NULL;
        }
        assert_non_null(strstr(error.text, "1 to 32"));
        char *large = malloc(DOOR_PEERS_FILE_BYTES_MAX + 1);
        memset(large, '\n', DOOR_PEERS_FILE_BYTES_MAX + 1);
        memcpy(large, whole, sizeof whole - 1);
        assert_int_equal(door_peers_parse((door_bytes){ (uint8_t *)large, DOOR_PEERS_FILE_BYTES_MAX }, "f",
                                          &peers, &error),
                         DOOR_OK);
        peers = door_peers_free(peers);
        assert_int_equal(door_peers_parse((door_bytes){ (uint8_t *)large, DOOR_PEERS_FILE_BYTES_MAX + 1 },
                                          "f", &peers, &error),
                         DOOR_INVALID);
        free(large);
}

static void a_file_is_read_and_its_path_is_named(void **state)
{
        char path[] = "/tmp/door-peers-XXXXXX";
        const int fd = mkstemp(path);
        door_peers *peers = NULL;
        door_error error = { 0 };

        (void)state;
        assert_true(fd >= 0);
        assert_int_equal(write(fd, whole, sizeof whole - 1), sizeof whole - 1);
        assert_int_equal(door_peers_load(path, &peers, &error), DOOR_OK);
        assert_non_null(door_peers_place(peers, "reader"));
        peers = door_peers_free(peers);
        assert_int_equal(write(fd, "x: y\n", 5), 5);
        assert_int_equal(door_peers_load(path, &peers, &error), DOOR_INVALID);
        assert_memory_equal(error.text, path, strlen(path));
        (void)close(fd);
        (void)unlink(path);
        assert_int_equal(door_peers_load(path, &peers, &error), DOOR_NOT_FOUND);
        assert_int_equal(door_peers_load("/tmp", &peers, &error), DOOR_IO);
        assert_null(peers);
}

/* ---- The default file. */

typedef struct expected_read {
        const char *reader;
        const char *at;
        door_form form;
        bool settles;
} expected_read;

static const door_peer *find(const door_peers_at *at, const char *name)
{
        for (size_t i = 0; i < at->count; i++) {
                if (strcmp(at->peers[i].name, name) == 0) {
                        return &at->peers[i];
                }
        }
        return NULL;
}

static door_peers *default_peers(uint16_t tcp_port)
{
        door_key keys[7];
        char *text = NULL;
        door_error error = { 0 };

        for (size_t i = 0; i < 7; i++) {
                memset(keys[i].bytes, (int)i + 1, DOOR_KEY_BYTES);
        }
        if (door_peers_write_default("/srv/front door", tcp_port, keys, 7, &text, &error) != DOOR_OK) {
                fail_msg("%s", error.text);
        }
        door_peers *peers = parse_well(text);
        free(text);
        return peers;
}

static void the_default_lets_each_service_read_what_it_needs_and_no_more(void **state)
{
        static const char *const services[] = { "intake", "deduplication", "triage", "allocation",
                                                "notification" };
        static const expected_read expected[] = {
                { "deduplication", "intake", DOOR_FORM_PUBLIC, true },
                { "triage", "deduplication", DOOR_FORM_PUBLIC, true },
                { "triage", "allocation", DOOR_FORM_PUBLIC, false },
                { "allocation", "triage", DOOR_FORM_PUBLIC, true },
                { "notification", "intake", DOOR_FORM_HEADERS, false },
                { "notification", "triage", DOOR_FORM_PUBLIC, false },
                { "notification", "allocation", DOOR_FORM_PUBLIC, false },
        };
        door_peers *peers = default_peers(0);
        size_t reads = 0;

        (void)state;
        for (size_t s = 0; s < 5; s++) {
                door_peers_at at;

                assert_int_equal(door_peers_at_service(peers, services[s], &at, NULL), DOOR_OK);
                for (size_t r = 0; r < 5; r++) {
                        const door_peer *peer = find(&at, services[r]);
                        const expected_read *e = NULL;

                        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
                                if (strcmp(expected[i].reader, services[r]) == 0 &&
                                    strcmp(expected[i].at, services[s]) == 0) {
                                        e = &expected[i];
                                }
                        }
                        assert_true((peer == NULL) == (e == NULL));
                        if (peer != NULL) {
                                assert_int_equal(peer->verbs, DOOR_VERB_PULL);
                                assert_int_equal(peer->rights, 0);
                                assert_int_equal(peer->form, e->form);
                                assert_int_equal(peer->settles, e->settles);
                                reads++;
                        }
                }
                const door_peer *command = find(&at, "command");
                assert_non_null(command);
                assert_int_equal(command->verbs, 15);
                assert_int_equal(command->rights, 15);
                assert_int_equal(command->form, DOOR_FORM_PUBLIC);
                assert_false(command->settles);
                assert_string_equal(command->speaks_for, "*");
                const door_peer *gateway = find(&at, "gateway");
                assert_non_null(gateway);
                assert_int_equal(gateway->verbs, DOOR_VERB_PULL | DOOR_VERB_COMMAND | DOOR_VERB_STATUS);
                assert_int_equal(gateway->rights, DOOR_RIGHT_SUBMIT);
                assert_int_equal(gateway->form, DOOR_FORM_PUBLIC);
                assert_false(gateway->settles);
        }
        assert_int_equal(reads, 7);
        const door_peer_place *triage = door_peers_place(peers, "triage");
        assert_string_equal(triage->pull, "ipc:///srv/front door/run/triage.pull");
        assert_string_equal(triage->command, "ipc:///srv/front door/run/triage.command");
        /* People ask the gateway, and nobody but the operator's command may so far. */
        door_peers_at at_gateway;
        assert_string_equal(door_peers_place(peers, "gateway")->command,
                            "ipc:///srv/front door/run/gateway.command");
        assert_int_equal(door_peers_at_service(peers, "gateway", &at_gateway, NULL), DOOR_OK);
        assert_int_equal(at_gateway.count, 1);
        assert_string_equal(find(&at_gateway, "command")->name, "command");
        assert_int_equal(find(&at_gateway, "command")->rights, 15);
        assert_string_equal(door_peers_place(peers, "command")->command, "");
        (void)door_peers_free(peers);
}

/* One file for everybody: the names are their containers', and no two services share a port. */
static void a_default_between_machines_has_names_and_ports(void **state)
{
        static const struct {
                const char *name;
                const char *pull;
                const char *command;
        } expected[] = {
                { "intake", "tcp://intake:7100", "tcp://intake:7101" },
                { "deduplication", "tcp://deduplication:7102", "tcp://deduplication:7103" },
                { "gateway", "tcp://gateway:7110", "tcp://gateway:7111" },
                { "command", "", "" },
        };
        door_peers *peers = default_peers(7100);

        (void)state;
        for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
                const door_peer_place *place = door_peers_place(peers, expected[i].name);

                assert_string_equal(place->pull, expected[i].pull);
                assert_string_equal(place->command, expected[i].command);
        }
        (void)door_peers_free(peers);
}

static void ports_that_do_not_exist_are_not_written(void **state)
{
        door_key keys[7];
        char *text = NULL;
        door_error error = { 0 };

        (void)state;
        for (size_t i = 0; i < 7; i++) {
                memset(keys[i].bytes, (int)i + 1, DOOR_KEY_BYTES);
        }
        /* The gateway's second port would be 65536. */
        assert_int_equal(door_peers_write_default("/srv", 65525, keys, 7, &text, &error), DOOR_INVALID);
        assert_non_null(strstr(error.text, "peer gateway"));
        assert_int_equal(door_peers_write_default("/srv", 65524, keys, 7, &text, &error), DOOR_OK);
        free(text);
}

static void a_name_is_where_others_come_and_its_owner_listens_everywhere(void **state)
{
        static const struct {
                const char *endpoint;
                const char *bind;
        } cases[] = {
                { "ipc:///run/intake.pull", "ipc:///run/intake.pull" },
                { "tcp://10.0.0.1:7001", "tcp://10.0.0.1:7001" },
                { "tcp://[::1]:7001", "tcp://[::1]:7001" },
                { "tcp://*:7001", "tcp://*:7001" },
                { "tcp://intake:7001", "tcp://*:7001" },
                { "tcp://10.0.0.1.example:65535", "tcp://*:65535" },
                { "tcp://localhost:7001", "tcp://127.0.0.1:7001" },
                { "tcp://localhost.example:1", "tcp://*:1" },
        };

        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                char bind[DOOR_ENDPOINT_BYTES_MAX];

                door_endpoint_to_bind(cases[i].endpoint, bind);
                assert_string_equal(bind, cases[i].bind);
        }
}

static void a_default_that_could_not_be_read_is_not_written(void **state)
{
        char lengthy[DOOR_SOCKET_PATH_BYTES_MAX + 1] = "/";
        const char *const homes[] = { "relative", "/with\"quote", lengthy };
        door_key keys[7];

        (void)state;
        memset(lengthy + 1, 'a', sizeof lengthy - 2);
        for (size_t i = 0; i < 7; i++) {
                memset(keys[i].bytes, (int)i + 1, DOOR_KEY_BYTES);
        }
        for (size_t i = 0; i < 3; i++) {
                char *text = NULL;
                door_error error = { 0 };

                assert_int_equal(door_peers_write_default(homes[i], 0, keys, 7, &text, &error), DOOR_INVALID);
                assert_null(text);
                assert_memory_equal(error.text, "peers.yaml: ", 12);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_peers_place_and_rights_are_read),
                cmocka_unit_test(less_is_allowed_than_everything),
                cmocka_unit_test(every_mistake_names_file_peer_and_field),
                cmocka_unit_test(a_name_or_actor_that_is_too_long_is_refused),
                cmocka_unit_test(too_many_and_none_are_refused),
                cmocka_unit_test(a_file_is_read_and_its_path_is_named),
                cmocka_unit_test(the_default_lets_each_service_read_what_it_needs_and_no_more),
                cmocka_unit_test(a_default_between_machines_has_names_and_ports),
                cmocka_unit_test(ports_that_do_not_exist_are_not_written),
                cmocka_unit_test(a_name_is_where_others_come_and_its_owner_listens_everywhere),
                cmocka_unit_test(a_default_that_could_not_be_read_is_not_written),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
