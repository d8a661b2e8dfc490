/*
 * test_service_run.c - whole services as processes: a core that logs what it is told, and one that
 * counts what it reads, run by door_service_run in children of this program.
 *
 * What the machine decides is tested where it is (tests/sim); here it is what only the loop does:
 * keys, sockets, store, signals, files, metrics, exit codes.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "shell/anchor.h"
#include "shell/attempts.h"
#include "shell/client.h"
#include "shell/frame.h"
#include "shell/peers.h"
#include "shell/service_run.h"

enum {
        LOG_INTAKE = 1,
        LOG_DEDUPLICATION = 2,
        TYPE_SAY = 16,
        TYPE_SAID = 16,
        TYPE_DIE = 17,
        TYPE_DONE = 18,
        ANSWER_MS = 3000,
        DEATH_MS = 1000
};

/* ---- Two cores: one logs the bytes it is told, one logs that it has read them. */

static door_status bytes_keep(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        door_bytes *body = door_arena_take(arena, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        *body = door_arena_copy(arena, bytes);
        *ret_body = body;
        return DOOR_OK;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)log;
        (void)type;
        (void)version;
        return bytes_keep(payload, arena, ret_body);
}

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        return type == TYPE_SAY || type == TYPE_DIE ? bytes_keep(body, arena, ret_body) : DOOR_MALFORMED;
}

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        (void)arena;
        *ret_public = *(const door_bytes *)event->body;
        *ret_private = DOOR_BYTES_EMPTY;
        return DOOR_OK;
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        (void)type;
        (void)version;
        (void)private_payload;
        return bytes_keep(public_payload, arena, ret_body);
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        return bytes_keep(content, arena, ret_policy);
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        (void)arena;
        *ret_body = *(const door_bytes *)event->body;
        return DOOR_OK;
}

static void decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        (void)view;
        (void)policy;
        DOOR_REQUIRE(input->type != TYPE_DIE); /* The poison. */
        (void)door_out_event(out, TYPE_SAID, input->body);
}

static void apply(door_view *view, const door_event *event)
{
        uint8_t key[9] = { 1 };

        door_put_u64(key + 1, event->seq);
        door_view_put(view, (door_bytes){ key, sizeof key }, *(const door_bytes *)event->body);
}

static uint64_t next_deadline(door_view *view)
{
        (void)view;
        return 0;
}

static const door_consumed reads_said[] = { { LOG_INTAKE, TYPE_SAID } };

static const door_core_ops intake_core = {
        .name = "intake",
        .log = LOG_INTAKE,
        .decode_input = decode_input,
        .decode_command = decode_command,
        .encode_event = encode_event,
        .decode_event = decode_event,
        .decode_policy = decode_policy,
        .encode_answer = encode_answer,
        .decide = decide,
        .apply = apply,
        .next_deadline = next_deadline,
};

/* ---- A third: whatever it is told is to be done outside, too. */

/* Row {2, seq} while it is wanted; its key is the seq. */
static door_bytes wanted_key(uint8_t storage[9], uint64_t seq)
{
        storage[0] = 2;
        door_put_u64(storage + 1, seq);
        return (door_bytes){ storage, 9 };
}

static void doing_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        if (input->kind == DOOR_INPUT_OUTCOME) {
                const door_outcome *outcome = input->body;
                door_bytes *body = door_arena_take(out->arena, sizeof *body);
                DOOR_REQUIRE(body != NULL && outcome->code == 0 && outcome->detail == 5);
                *body = door_arena_copy(out->arena, (door_bytes){ outcome->key.bytes, 8 });
                (void)door_out_event(out, TYPE_DONE, body);
                return;
        }
        decide(view, policy, input, out);
}

static void doing_apply(door_view *view, const door_event *event)
{
        uint8_t storage[9];

        if (event->type == TYPE_DONE) {
                const door_bytes *body = event->body;
                door_view_delete(view, wanted_key(storage, door_get_u64(body->data)));
        } else {
                door_view_put(view, wanted_key(storage, event->seq), *(const door_bytes *)event->body);
        }
}

static bool doing_next_effect(door_view *view, const void *policy, uint64_t now_ms, const door_id *busy,
                              size_t busy_count, door_arena *arena, door_effect *ret_effect)
{
        static const uint8_t prefix[] = { 2 };
        door_scan scan;
        door_bytes key;
        door_bytes value;

        (void)policy;
        (void)now_ms;
        door_scan_init(&scan, view, (door_bytes){ prefix, 1 }, DOOR_BYTES_EMPTY, busy_count + 1);
        while (door_scan_next(&scan, &key, &value)) {
                door_effect effect = { .attempt = 1, .frame = door_arena_copy(arena, value) };
                bool is_busy = false;
                memcpy(effect.key.bytes, key.data + 1, 8);
                for (size_t i = 0; i < busy_count; i++) {
                        is_busy |= door_id_equal(&busy[i], &effect.key);
                }
                if (!is_busy) {
                        *ret_effect = effect;
                        return true;
                }
        }
        return false;
}

typedef struct doing {
        char file[96];   /* A line for each thing done. */
        bool never_done; /* It waits until told to stop. */
} doing;

static uint32_t doing_perform(void *context, const door_effect *effect, const atomic_bool *stop,
                              uint32_t *ret_detail)
{
        const doing *d = context;
        FILE *file = fopen(d->file, "a");

        DOOR_REQUIRE(file != NULL);
        (void)fprintf(file, "%.*s%s\n", (int)effect->frame.len, (const char *)effect->frame.data,
                      d->never_done ? "?" : "");
        (void)fclose(file);
        while (d->never_done && !*stop) {
                (void)usleep(1000);
        }
        *ret_detail = 5;
        return 0;
}

static const door_upstream reads_intake[] = { { LOG_INTAKE, "intake", DOOR_FORM_PUBLIC } };

/* ---- A home, and services in it. */

typedef struct home {
        char path[64];
        char log[96];
        door_peers *peers;
        door_keypair command;
} home;

static int home_set_up(void **state)
{
        home *h = calloc(1, sizeof *h);
        door_keys_made made;
        char path[128];

        DOOR_REQUIRE(h != NULL);
        (void)snprintf(h->path, sizeof h->path, "/tmp/door-run-XXXXXX");
        DOOR_REQUIRE(mkdtemp(h->path) != NULL);
        (void)snprintf(h->log, sizeof h->log, "%s/oplog", h->path);
        DOOR_REQUIRE(door_keys_init(h->path, 0, &made, NULL) == DOOR_OK);
        (void)snprintf(path, sizeof path, "%s/peers.yaml", h->path);
        DOOR_REQUIRE(door_peers_load(path, &h->peers, NULL) == DOOR_OK);
        DOOR_REQUIRE(door_keypair_load(h->path, "command", &h->command, NULL) == DOOR_OK);
        *state = h;
        return 0;
}

static int removed_cb(const char *path, const struct stat *about, int type, struct FTW *where)
{
        (void)about;
        (void)type;
        (void)where;
        return remove(path);
}

static int home_tear_down(void **state)
{
        home *h = *state;
        const int removed = nftw(h->path, removed_cb, 16, FTW_DEPTH | FTW_PHYS);

        (void)door_peers_free(h->peers);
        door_keypair_done(&h->command);
        free(h);
        return removed;
}

typedef struct settings {
        bool reader; /* Be deduplication, else intake. */
        bool does;   /* What it is told has effects. */
        bool never_done;
        uint16_t metrics_port;
        uint64_t disk_floor_bytes;
        uint64_t disk_reserve_bytes;
} settings;

/* In a process of its own: `home` and `log` are what struct home says. Does not return. */
static void service_be(const char *path, const char *log, const settings *s)
{
        door_core_ops core = intake_core;
        door_service_options options = {
                .core = &core,
                .home = path,
                .version = "test",
                .disk_floor_bytes = s->disk_floor_bytes == 0 ? 4096 : s->disk_floor_bytes,
                .disk_reserve_bytes = s->disk_reserve_bytes == 0 ? 1024 : s->disk_reserve_bytes,
                .metrics_port = s->metrics_port,
                .log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
        };
        if (s->reader) {
                core.name = "deduplication";
                core.log = LOG_DEDUPLICATION;
                core.consumes = reads_said;
                core.consumes_count = 1;
                options.upstreams = reads_intake;
                options.upstreams_count = 1;
        }
        doing d = { .never_done = s->never_done };
        const door_executor executor = { &d, doing_perform, NULL };
        if (s->does) {
                (void)snprintf(d.file, sizeof d.file, "%s/done", path);
                core.decide = doing_decide;
                core.apply = doing_apply;
                core.next_effect = doing_next_effect;
                options.executor = &executor;
        }
        _exit(door_service_run(&options));
}

/*
 * This program again, as a service: a fork alone would run it beside locks that threads of ours, of
 * clients and of earlier cases, held at that moment and nobody there lets go.
 */
static pid_t service_start(const home *h, const settings *s)
{
        char numbers[6][24];
        const uint64_t values[6] = { s->reader,           s->does,
                                     s->never_done,       s->metrics_port,
                                     s->disk_floor_bytes, s->disk_reserve_bytes };
        const char *arguments[] = { "test_service_run", "--service", h->path,    h->log,
                                    numbers[0],         numbers[1],  numbers[2], numbers[3],
                                    numbers[4],         numbers[5],  NULL };

        for (size_t i = 0; i < 6; i++) {
                (void)snprintf(numbers[i], sizeof numbers[i], "%llu", (unsigned long long)values[i]);
        }
        const pid_t child = fork();
        DOOR_REQUIRE(child >= 0);
        if (child == 0) {
                (void)execv("/proc/self/exe", (char *const *)(uintptr_t)arguments);
                _exit(127);
        }
        return child;
}

static void service_from(char **arguments)
{
        uint64_t values[6];

        for (size_t i = 0; i < 6; i++) {
                values[i] = strtoull(arguments[2 + i], NULL, 10);
        }
        const settings s = { .reader = values[0] != 0,
                             .does = values[1] != 0,
                             .never_done = values[2] != 0,
                             .metrics_port = (uint16_t)values[3],
                             .disk_floor_bytes = values[4],
                             .disk_reserve_bytes = values[5] };
        service_be(arguments[0], arguments[1], &s);
}

static pid_t intake_start(const home *h)
{
        const settings s = { .reader = false };

        return service_start(h, &s);
}

/* The exit code, or 128 + signal. */
static int service_wait(pid_t child)
{
        int status = 0;

        DOOR_REQUIRE(waitpid(child, &status, 0) == child);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int service_stop(pid_t child, int number)
{
        DOOR_REQUIRE(kill(child, number) == 0);
        return service_wait(child);
}

static door_client *client_of(const home *h, const char *service)
{
        const door_peer_place *place = door_peers_place(h->peers, service);
        door_client *client = NULL;

        DOOR_REQUIRE(place != NULL);
        DOOR_REQUIRE(door_client_open(place->command, &place->keys[0], &h->command, &client, NULL) ==
                     DOOR_OK);
        return client;
}

/* One frame and its answer, in `arena`; NULL when none comes. */
static const Door__V1__Frame *ask(door_client *client, const Door__V1__Frame *question, uint32_t timeout_ms,
                                  uint32_t tries, door_arena *arena)
{
        door_bytes answer;

        door_arena_reset(arena);
        const door_bytes bytes = door_frame_pack(&question->base, arena);
        if (door_client_ask(client, bytes, timeout_ms, tries, &answer) != DOOR_OK) {
                return NULL;
        }
        return door_frame_unpack(answer, arena);
}

static Door__V1__Outcome tell(door_client *client, uint32_t type, const char *text, uint32_t tries)
{
        static uint8_t storage[256 * 1024];
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        const door_hash id = door_hash_of_one(door_bytes_of(text));
        door_arena arena;

        door_arena_init(&arena, storage, sizeof storage);
        command.command_id = door_proto_data(door_hash_bytes(&id));
        command.actor = (char *)(uintptr_t) "command/test";
        command.type = type;
        command.body = door_proto_data(door_bytes_of(text));
        frame.command = &command;
        const Door__V1__Frame *answer =
                ask(client, &frame, type == TYPE_DIE ? DEATH_MS : ANSWER_MS, tries, &arena);
        if (answer == NULL || answer->result == NULL) {
                return DOOR__V1__OUTCOME__OUTCOME_NONE;
        }
        if (answer->result->outcome == DOOR__V1__OUTCOME__DONE) {
                assert_int_equal(answer->result->body.len, strlen(text));
                assert_memory_equal(answer->result->body.data, text, strlen(text));
        }
        return answer->result->outcome;
}

typedef struct figures {
        bool heard;
        uint64_t head;
        uint64_t cursor;
} figures;

static figures status_ask(door_client *client)
{
        static uint8_t storage[64 * 1024];
        Door__V1__StatusAsked asked = DOOR__V1__STATUS_ASKED__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        figures f = { 0 };
        door_arena arena;

        door_arena_init(&arena, storage, sizeof storage);
        frame.status_asked = &asked;
        const Door__V1__Frame *answer = ask(client, &frame, ANSWER_MS, 2, &arena);
        if (answer != NULL && answer->status != NULL) {
                f.heard = true;
                f.head = answer->status->head;
                f.cursor = answer->status->n_upstream > 0 ? answer->status->upstream[0]->cursor : 0;
        }
        return f;
}

static void sleep_ms(unsigned ms)
{
        (void)usleep(ms * 1000);
}

/* Waits until the reader has consumed `seq`. */
static bool cursor_reaches(door_client *client, uint64_t seq)
{
        for (int i = 0; i < 200; i++) {
                if (status_ask(client).cursor >= seq) {
                        return true;
                }
                sleep_ms(20);
        }
        return false;
}

static bool oplog_says(const home *h, const char *text)
{
        char all[65536];
        const int fd = open(h->log, O_RDONLY);
        const ssize_t length = fd < 0 ? 0 : read(fd, all, sizeof all - 1);

        if (fd >= 0) {
                (void)close(fd);
        }
        all[length > 0 ? length : 0] = '\0';
        return strstr(all, text) != NULL;
}

static bool oplog_comes_to_say(const home *h, const char *text)
{
        for (int i = 0; i < 150 && !oplog_says(h, text); i++) {
                sleep_ms(20);
        }
        return oplog_says(h, text);
}

static door_anchor anchor_of(const home *h, const char *service)
{
        char path[128];
        door_anchor anchor = { .seq = 0 };

        (void)snprintf(path, sizeof path, "%s/state/anchors/%s", h->path, service);
        (void)door_anchor_read(path, &anchor, NULL);
        return anchor;
}

/* ---- */

static void a_command_is_answered_and_survives_stop_and_kill(void **state)
{
        const home *h = *state;
        char path[128];
        door_attempts attempts;
        pid_t child = intake_start(h);
        door_client *client = client_of(h, "intake");

        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(tell(client, TYPE_SAY, "two", 1), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(status_ask(client).head, 2);
        (void)snprintf(path, sizeof path, "%s/state/attempts/intake", h->path);
        assert_int_equal(door_attempts_read(path, &attempts), DOOR_OK);
        assert_int_equal(attempts.starts, 1);
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        /* At a clean stop always: anchored to the last record, and no attempt to remember. */
        assert_int_equal(anchor_of(h, "intake").seq, 2);
        assert_int_equal(door_attempts_read(path, &attempts), DOOR_NOT_FOUND);
        assert_true(oplog_says(h, "\"event\":\"end\",\"seq\":2,\"status\":\"OK\",\"text\":\"stopped\""));

        child = intake_start(h);
        assert_int_equal(tell(client, TYPE_SAY, "three", 5), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(service_stop(child, SIGKILL), 128 + SIGKILL);
        child = intake_start(h);
        assert_int_equal(tell(client, TYPE_SAY, "two", 5), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(status_ask(client).head, 3);
        assert_int_equal(service_stop(child, SIGINT), DOOR_EXIT_OK);
        assert_int_equal(anchor_of(h, "intake").seq, 3);
        (void)door_client_free(client);
}

static void a_reader_follows_its_upstream_through_both_their_restarts(void **state)
{
        const home *h = *state;
        const settings reads = { .reader = true };
        pid_t reader = service_start(h, &reads);
        pid_t intake = intake_start(h);
        door_client *to_intake = client_of(h, "intake");
        door_client *to_reader = client_of(h, "deduplication");
        char text[32];

        for (int i = 0; i < 50; i++) {
                (void)snprintf(text, sizeof text, "referral %d", i);
                assert_int_equal(tell(to_intake, TYPE_SAY, text, 5), DOOR__V1__OUTCOME__DONE);
        }
        assert_true(cursor_reaches(to_reader, 50));
        assert_int_equal(status_ask(to_reader).head, 50);

        /* The owner dies while the reader's question is open: no need to wait for its time-out. */
        assert_int_equal(service_stop(intake, SIGKILL), 128 + SIGKILL);
        intake = intake_start(h);
        assert_int_equal(tell(to_intake, TYPE_SAY, "after", 5), DOOR__V1__OUTCOME__DONE);
        const time_t begun = time(NULL);
        assert_true(cursor_reaches(to_reader, 51));
        assert_true(time(NULL) - begun <= 2);

        assert_int_equal(service_stop(reader, SIGKILL), 128 + SIGKILL);
        assert_int_equal(tell(to_intake, TYPE_SAY, "meanwhile", 5), DOOR__V1__OUTCOME__DONE);
        reader = service_start(h, &reads);
        assert_true(cursor_reaches(to_reader, 52));
        assert_int_equal(status_ask(to_reader).head, 52);
        assert_int_equal(service_stop(reader, SIGTERM), DOOR_EXIT_OK);
        assert_int_equal(service_stop(intake, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(to_intake);
        (void)door_client_free(to_reader);
}

/* Goal: the notes work. Method: a command whose deciding breaks an invariant, sent until it is refused. */
static void a_command_that_kills_is_refused_in_the_end(void **state)
{
        const home *h = *state;
        door_client *client = client_of(h, "intake");
        Door__V1__Outcome outcome = DOOR__V1__OUTCOME__OUTCOME_NONE;
        int deaths = 0;

        for (int i = 0; i < 8 && outcome == DOOR__V1__OUTCOME__OUTCOME_NONE; i++) {
                pid_t child = intake_start(h);

                assert_int_equal(door_client_reopen(client), DOOR_OK);
                outcome = tell(client, TYPE_DIE, "poison", 1);
                if (outcome == DOOR__V1__OUTCOME__OUTCOME_NONE) {
                        assert_int_equal(service_wait(child), 128 + SIGABRT);
                        deaths++;
                } else {
                        assert_int_equal(tell(client, TYPE_SAY, "and on", 3), DOOR__V1__OUTCOME__DONE);
                        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
                }
        }
        assert_int_equal(outcome, DOOR__V1__OUTCOME__REFUSED);
        /* Three at one place, and two more whose notes say which it was. */
        assert_int_equal(deaths, DOOR_POISON_STARTS + DOOR_POISON_DEATHS);
        (void)door_client_free(client);
}

/* The file of what was done reads so, within three seconds. */
static bool done_reads(const home *h, const char *wanted)
{
        char path[96];
        char got[256];

        (void)snprintf(path, sizeof path, "%s/done", h->path);
        for (int i = 0; i < ANSWER_MS / 20; i++) {
                FILE *file = fopen(path, "r");
                if (file != NULL) {
                        got[fread(got, 1, sizeof got - 1, file)] = '\0';
                        (void)fclose(file);
                        if (strcmp(got, wanted) == 0) {
                                return true;
                        }
                }
                (void)usleep(20000);
        }
        return false;
}

static bool head_reaches(door_client *client, uint64_t head)
{
        for (int i = 0; i < ANSWER_MS / 20; i++) {
                if (status_ask(client).head == head) {
                        return true;
                }
                (void)usleep(20000);
        }
        return false;
}

/* Goal: an effect is done once where nobody dies, and again where its outcome was lost. */
static void effects_are_done_and_again_after_an_end_in_the_middle(void **state)
{
        const home *h = *state;
        const settings does = { .does = true };
        const settings hangs = { .does = true, .never_done = true };
        door_client *client = client_of(h, "intake");
        pid_t child = service_start(h, &does);

        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        assert_true(head_reaches(client, 2)); /* Said and done. */
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);

        child = service_start(h, &hangs);
        assert_int_equal(door_client_reopen(client), DOOR_OK);
        assert_int_equal(tell(client, TYPE_SAY, "two", 5), DOOR__V1__OUTCOME__DONE);
        assert_true(done_reads(h, "one\ntwo?\n")); /* The first is not done again; the second hangs. */
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);

        child = service_start(h, &does);
        assert_int_equal(door_client_reopen(client), DOOR_OK);
        assert_true(head_reaches(client, 4));
        assert_true(done_reads(h, "one\ntwo?\ntwo\n"));
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

static unsigned port_free(void)
{
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t size = sizeof address;
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        DOOR_REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
        DOOR_REQUIRE(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
        (void)close(fd);
        return ntohs(address.sin_port);
}

/* A whole HTTP answer; "" when nobody listens. */
static void http_get(unsigned port, const char *request, char *out, size_t cap)
{
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                       .sin_port = htons((uint16_t)port) };
        const int fd = socket(AF_INET, SOCK_STREAM, 0);
        size_t used = 0;
        ssize_t got = 1;

        out[0] = '\0';
        if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
                assert_int_equal(write(fd, request, strlen(request)), strlen(request));
                while (got > 0 && used + 1 < cap) {
                        got = read(fd, out + used, cap - 1 - used);
                        used += got > 0 ? (size_t)got : 0;
                }
                out[used] = '\0';
        }
        (void)close(fd);
}

static void figures_and_health_are_served_on_loopback(void **state)
{
        static char page[128 * 1024];
        const home *h = *state;
        const settings s = { .metrics_port = (uint16_t)port_free() };
        const settings taken = { .reader = true, .metrics_port = s.metrics_port };
        pid_t child = service_start(h, &s);
        door_client *client = client_of(h, "intake");

        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        http_get(s.metrics_port, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", page,
                 sizeof page);
        assert_non_null(strstr(page, "200 OK"));
        assert_non_null(strstr(page, "SERVING"));
        /* More than one scrape, so that the loop is seen to go on. */
        for (int i = 0; i < 3; i++) {
                http_get(s.metrics_port, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                         page, sizeof page);
        }
        assert_non_null(strstr(
                page, "# TYPE door_records_total counter\ndoor_records_total{service=\"intake\"} 1\n"));
        assert_non_null(strstr(page, "\ndoor_head{service=\"intake\"} 1\n"));
        assert_non_null(strstr(page, "\ndoor_bus_safety_found_total{service=\"intake\"} 0\n"));
        assert_non_null(strstr(page, "\ndoor_commit_seconds_bucket{service=\"intake\",le=\"+Inf\"} "));
        assert_non_null(strstr(page, "\ndoor_commit_seconds_count{service=\"intake\"} "));
        http_get(s.metrics_port, "GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", page,
                 sizeof page);
        assert_non_null(strstr(page, "404"));
        http_get(s.metrics_port, "DELETE /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", page,
                 sizeof page);
        assert_non_null(strstr(page, "405"));

        /* Who comes second to the port says so and goes. */
        pid_t second = service_start(h, &taken);
        assert_int_equal(service_wait(second), DOOR_EXIT_RESTART);
        assert_true(oplog_says(h, "metrics on 127.0.0.1"));
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

static void too_little_disk_turns_commands_away_for_now(void **state)
{
        const home *h = *state;
        const settings full = { .disk_floor_bytes = UINT64_MAX / 2, .disk_reserve_bytes = UINT64_MAX / 4 };
        pid_t child = service_start(h, &full);
        door_client *client = client_of(h, "intake");

        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__RETRY);
        assert_true(oplog_says(h, "\"event\":\"disk\""));
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

static void peers_file_put(const home *h, const char *text)
{
        char path[128];

        (void)snprintf(path, sizeof path, "%s/peers.yaml", h->path);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        assert_true(fputs(text, file) >= 0);
        assert_int_equal(fclose(file), 0);
}

static void a_hangup_reads_the_peers_anew_and_a_mistake_changes_nothing(void **state)
{
        const home *h = *state;
        char path[128];
        char before[8192];
        char without[8192];
        pid_t child = intake_start(h);
        door_client *client = client_of(h, "intake");

        (void)snprintf(path, sizeof path, "%s/peers.yaml", h->path);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        before[fread(before, 1, sizeof before - 1, file)] = '\0';
        (void)fclose(file);
        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);

        peers_file_put(h, "version: 7\n");
        assert_int_equal(kill(child, SIGHUP), 0);
        assert_true(oplog_comes_to_say(h, "version must be 1"));
        assert_int_equal(tell(client, TYPE_SAY, "two", 1), DOOR__V1__OUTCOME__DONE);

        /* Everybody but the command. */
        (void)snprintf(without, sizeof without, "%.*s", (int)(strstr(before, "  - name: command") - before),
                       before);
        peers_file_put(h, without);
        assert_int_equal(kill(child, SIGHUP), 0);
        assert_true(oplog_comes_to_say(h, "read anew"));
        assert_int_equal(tell(client, TYPE_SAY, "three", 1), DOOR__V1__OUTCOME__OUTCOME_NONE);

        peers_file_put(h, before);
        assert_int_equal(kill(child, SIGHUP), 0);
        assert_int_equal(tell(client, TYPE_SAY, "four", 4), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(status_ask(client).head, 3);
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

static void a_checkpoint_is_made_where_the_answer_says(void **state)
{
        static uint8_t storage[64 * 1024];
        const home *h = *state;
        Door__V1__CheckpointAsked asked = DOOR__V1__CHECKPOINT_ASKED__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        struct stat about;
        door_arena arena;
        pid_t child = intake_start(h);
        door_client *client = client_of(h, "intake");

        door_arena_init(&arena, storage, sizeof storage);
        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        frame.checkpoint_asked = &asked;
        for (int i = 0; i < 2; i++) {
                const Door__V1__Frame *answer = ask(client, &frame, ANSWER_MS, 1, &arena);

                assert_non_null(answer);
                assert_non_null(answer->checkpoint_made);
                assert_null(answer->checkpoint_made->error);
                assert_int_equal(answer->checkpoint_made->head, 1);
                assert_memory_equal(answer->checkpoint_made->path, h->path, strlen(h->path));
                assert_int_equal(stat(answer->checkpoint_made->path, &about), 0);
                assert_true(S_ISDIR(about.st_mode));
        }
        assert_int_equal(tell(client, TYPE_SAY, "two", 1), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

static void what_is_missing_or_wrong_at_the_start_is_said_in_one_line(void **state)
{
        const home *h = *state;
        char path[128];
        char away[128];
        pid_t child;

        (void)snprintf(path, sizeof path, "%s/keys/intake.secret", h->path);
        assert_int_equal(chmod(path, 0444), 0);
        assert_int_equal(service_wait(intake_start(h)), DOOR_EXIT_RESTART);
        assert_true(oplog_says(h, "others may use it"));
        assert_int_equal(chmod(path, 0400), 0);

        /* Somebody else's secret under our name. */
        (void)snprintf(away, sizeof away, "%s/away", h->path);
        assert_int_equal(rename(path, away), 0);
        (void)snprintf(path, sizeof path, "%s/keys/triage.secret", h->path);
        char ours[128];
        (void)snprintf(ours, sizeof ours, "%s/keys/intake.secret", h->path);
        assert_int_equal(link(path, ours), 0);
        assert_int_equal(service_wait(intake_start(h)), DOOR_EXIT_RESTART);
        assert_true(oplog_says(h, "does not hold the key of our secret"));
        assert_int_equal(unlink(ours), 0);
        assert_int_equal(rename(away, ours), 0);

        /* Records and no anchor: a person decides, so it stays down. */
        child = intake_start(h);
        door_client *client = client_of(h, "intake");
        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        pid_t second = intake_start(h);
        assert_int_equal(service_wait(second), DOOR_EXIT_RESTART);
        assert_true(oplog_says(h, "\"status\":\"BUSY\""));
        assert_int_equal(tell(client, TYPE_SAY, "two", 1), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)snprintf(path, sizeof path, "%s/state/anchors/intake", h->path);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(service_wait(intake_start(h)), DOOR_EXIT_STAY_DOWN);
        assert_true(oplog_says(h, "\"status\":\"ANCHOR_MISSING\""));
        (void)door_client_free(client);
}

static void a_running_service_leaves_no_core_and_is_not_looked_into(void **state)
{
        const home *h = *state;
        pid_t child = intake_start(h);
        door_client *client = client_of(h, "intake");
        char path[128];
        struct stat about;
        struct rlimit core;

        assert_int_equal(tell(client, TYPE_SAY, "one", 5), DOOR__V1__OUTCOME__DONE);
        assert_int_equal(prlimit(child, RLIMIT_CORE, NULL, &core), 0);
        assert_int_equal(core.rlim_cur, 0);
        assert_int_equal(core.rlim_max, 0);
        /* A process that is not dumpable has its /proc files owned by root (proc(5)); the home's own
         * folders are for nobody else. */
        (void)snprintf(path, sizeof path, "/proc/%d/mem", (int)child);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_uid, 0);
        (void)snprintf(path, sizeof path, "%s/state/db", h->path);
        assert_int_equal(stat(path, &about), 0);
        assert_int_equal(about.st_mode & 077, 0);
        assert_int_equal(service_stop(child, SIGTERM), DOOR_EXIT_OK);
        (void)door_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, home_set_up, home_tear_down)

int main(int argc, char **argv)
{
        if (argc == 10 && strcmp(argv[1], "--service") == 0) {
                service_from(argv + 2);
        }
        const struct CMUnitTest tests[] = {
                TEST(a_command_is_answered_and_survives_stop_and_kill),
                TEST(a_reader_follows_its_upstream_through_both_their_restarts),
                TEST(a_command_that_kills_is_refused_in_the_end),
                TEST(effects_are_done_and_again_after_an_end_in_the_middle),
                TEST(figures_and_health_are_served_on_loopback),
                TEST(too_little_disk_turns_commands_away_for_now),
                TEST(a_hangup_reads_the_peers_anew_and_a_mistake_changes_nothing),
                TEST(a_checkpoint_is_made_where_the_answer_says),
                TEST(what_is_missing_or_wrong_at_the_start_is_said_in_one_line),
                TEST(a_running_service_leaves_no_core_and_is_not_looked_into),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
