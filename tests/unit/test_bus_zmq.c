/*
 * test_bus_zmq.c - the bus, asked from outside by clients and strangers, and looked at from inside.
 *
 * The source is included, because three things cannot be seen from outside: which options a
 * socket has, that a dead handshake handler lets nobody in, and that the safety timer finds what
 * a forgotten look leaves behind.
 */
#include "shell/bus_zmq.c"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <netinet/in.h>

#include <cmocka.h>
#include <pthread.h>

#include "shell/client.h"
#include "support/bus_conformance.h"
#include "support/bus_contract.h"
#include "support/folder.h"

enum { SOON_MS = 3000, NEVER_MS = 250 };

typedef struct world {
        char folder[64];
        char pull[128];
        char command[128];
        door_keypair service, alice, bob, stranger;
        door_peer_place allowed[2]; /* alice, bob */
} world;

static int world_set_up(void **state)
{
        world *w = calloc(1, sizeof *w);

        (void)snprintf(w->folder, sizeof w->folder, "/tmp/door-bus-XXXXXX");
        DOOR_REQUIRE(mkdtemp(w->folder) != NULL);
        (void)snprintf(w->pull, sizeof w->pull, "ipc://%s/s.pull", w->folder);
        (void)snprintf(w->command, sizeof w->command, "ipc://%s/s.command", w->folder);
        door_keypair_make(&w->service);
        door_keypair_make(&w->alice);
        door_keypair_make(&w->bob);
        door_keypair_make(&w->stranger);
        w->allowed[0] = rig_place("alice", &w->alice);
        w->allowed[1] = rig_place("bob", &w->bob);
        *state = w;
        return 0;
}

static int world_tear_down(void **state)
{
        world *w = *state;

        /* Socket files stay behind, and the next who binds takes them away. */
        folder_remove(w->folder);
        door_keypair_done(&w->service);
        door_keypair_done(&w->alice);
        door_keypair_done(&w->bob);
        door_keypair_done(&w->stranger);
        free(w);
        return 0;
}

static door_bus_options options_of(const world *w)
{
        return (door_bus_options){ .pull = w->pull,
                                   .command = w->command,
                                   .own = &w->service,
                                   .allowed = w->allowed,
                                   .allowed_count = 2 };
}

static bus_rig *service_new(const world *w, rig_manner manner)
{
        const door_bus_options options = options_of(w);
        door_error error = { 0 };
        bus_rig *rig = rig_new(&options, manner, &error);

        if (rig == NULL) {
                print_error("%s\n", error.text);
        }
        assert_non_null(rig);
        return rig;
}

/* A service that only reads another's log. */
static bus_rig *reader_new(const world *w, const char *endpoint, const door_key *keys, size_t keys_count,
                           const door_keypair *own, rig_manner manner)
{
        const door_bus_upstream upstream = { endpoint, keys, keys_count };
        const door_bus_options options = { .upstreams = &upstream, .upstreams_count = 1, .own = own };

        (void)w;
        bus_rig *rig = rig_new(&options, manner, NULL);
        assert_non_null(rig);
        return rig;
}

static door_client *client_new(const char *endpoint, const door_keypair *server, const door_keypair *own)
{
        door_client *client = NULL;

        assert_int_equal(door_client_open(endpoint, &server->public_key, own, &client, NULL), DOOR_OK);
        return client;
}

static void say_text(door_client *client, const char *text)
{
        assert_int_equal(door_client_send(client, door_bytes_of(text), SOON_MS), DOOR_OK);
}

static void hear_text(door_client *client, const char *text)
{
        door_bytes frame;

        assert_int_equal(door_client_receive(client, SOON_MS, &frame), DOOR_OK);
        assert_int_equal(frame.len, strlen(text));
        assert_memory_equal(frame.data, text, frame.len);
}

static void hear_nothing(door_client *client)
{
        door_bytes frame;

        assert_int_equal(door_client_receive(client, NEVER_MS, &frame), DOOR_TIMED_OUT);
}

static void assert_frame(bus_rig *rig, size_t index, door_channel channel, const char *peer, const char *text)
{
        assert_true(rig_wait(rig, index + 1, SOON_MS) > index);
        const rig_frame frame = rig_frame_at(rig, index);
        assert_int_equal(frame.channel, channel);
        assert_string_equal(frame.peer, peer);
        assert_int_equal(frame.len, strlen(text));
        assert_memory_equal(frame.data, text, frame.len);
}

static uint64_t mono_now_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void sleep_ms(unsigned ms)
{
        (void)usleep(ms * 1000);
}

/* Waits until counter(rig) is at least `least`. */
static door_bus_counters count_until(bus_rig *rig, size_t offset, uint64_t least)
{
        const uint64_t until_ms = mono_now_ms() + SOON_MS;
        door_bus_counters counters;

        do {
                counters = rig_count(rig);
                if (*(const uint64_t *)(const void *)((const char *)&counters + offset) >= least) {
                        break;
                }
                sleep_ms(5);
        } while (mono_now_ms() < until_ms);
        return counters;
}

#define COUNT_UNTIL(rig, field, least) count_until((rig), offsetof(door_bus_counters, field), (least))

/* A DEALER or ROUTER without our client's manners. */
typedef struct raw {
        void *context;
        void *socket;
} raw;

static raw raw_new(int type, const door_keypair *own, const door_key *server)
{
        raw r = { zmq_ctx_new(), NULL };
        int zero = 0;

        r.socket = zmq_socket(r.context, type);
        (void)zmq_setsockopt(r.socket, ZMQ_LINGER, &zero, sizeof zero);
        if (server != NULL) {
                DOOR_REQUIRE(options_for_client(r.socket, own, server));
        }
        return r;
}

static void raw_free(raw *r)
{
        (void)zmq_close(r->socket);
        (void)zmq_ctx_term(r->context);
}

/* ---- Frames and order. */

static void frames_of_a_connection_arrive_in_order_and_whole(void **state)
{
        enum { COUNT = 400 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *client = client_new(w->pull, &w->service, &w->alice);
        static uint8_t bytes[70000];

        for (uint32_t i = 0; i < COUNT; i++) {
                const size_t length = 4 + (size_t)i * 173;

                memset(bytes, (int)(i & 0xff), length);
                door_put_u32(bytes, i);
                assert_int_equal(door_client_send(client, (door_bytes){ bytes, length }, SOON_MS), DOOR_OK);
        }
        assert_int_equal(rig_wait(rig, COUNT, SOON_MS), COUNT);
        for (uint32_t i = 0; i < COUNT; i++) {
                const rig_frame frame = rig_frame_at(rig, i);
                const size_t length = 4 + (size_t)i * 173;

                memset(bytes, (int)(i & 0xff), length);
                door_put_u32(bytes, i);
                const door_hash digest = door_hash_of_one((door_bytes){ bytes, length });
                assert_int_equal(frame.len, length);
                assert_true(door_hash_equal(&frame.digest, &digest));
                assert_int_equal(frame.channel, DOOR_CHANNEL_PULL);
                assert_string_equal(frame.peer, "alice");
        }
        assert_int_equal(rig_count(rig).frames_in, COUNT);
        assert_int_equal(rig_count(rig).safety_found, 0);
        (void)door_client_free(client);
        (void)rig_free(rig);
}

/* ---- The contract shared with the simulated bus. */

typedef struct askers {
        const world *w;
        bus_rig *rig;
        door_client *clients[2];
        size_t told;
        char name[DOOR_NAME_BYTES_MAX];
} askers;

static void asker_connect(askers *a, size_t asker)
{
        a->clients[asker] = client_new(a->w->command, &a->w->service, asker == 0 ? &a->w->alice : &a->w->bob);
}

static void asker_say(void *context, size_t asker, door_bytes frame)
{
        askers *a = context;
        assert_int_equal(door_client_send(a->clients[asker], frame, SOON_MS), DOOR_OK);
}

static bool asker_hear(void *context, size_t asker, bool expected, door_bytes *ret_frame)
{
        askers *a = context;
        return door_client_receive(a->clients[asker], expected ? SOON_MS : NEVER_MS, ret_frame) == DOOR_OK;
}

static void asker_reconnect(void *context, size_t asker)
{
        askers *a = context;
        a->clients[asker] = door_client_free(a->clients[asker]);
        asker_connect(a, asker);
}

static const char *asker_last_told_as(void *context)
{
        askers *a = context;
        const size_t told = rig_wait(a->rig, 0, 0);
        const rig_frame frame = rig_frame_at(a->rig, told - 1);

        strcpy(a->name, frame.peer);
        return a->name;
}

static void it_keeps_the_contract_of_every_bus(void **state)
{
        const world *w = *state;
        askers a = { .w = w, .rig = service_new(w, RIG_ECHOES) };
        const bus_contract contract = { &a, asker_say, asker_hear, asker_reconnect, asker_last_told_as };

        asker_connect(&a, 0);
        asker_connect(&a, 1);
        bus_contract_check(&contract);
        (void)door_client_free(a.clients[0]);
        (void)door_client_free(a.clients[1]);
        (void)rig_free(a.rig);
}

static void answers_reach_the_asker_only(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        /* Two connections of one peer, one of another, and one on the other socket. */
        door_client *clients[] = {
                client_new(w->command, &w->service, &w->alice),
                client_new(w->command, &w->service, &w->alice),
                client_new(w->command, &w->service, &w->bob),
                client_new(w->pull, &w->service, &w->bob),
        };

        for (int round = 0; round < 20; round++) {
                char text[64];

                for (int i = 0; i < 4; i++) {
                        (void)snprintf(text, sizeof text, "question %d of %d", round, i);
                        say_text(clients[i], text);
                }
                for (int i = 3; i >= 0; i--) {
                        (void)snprintf(text, sizeof text, "question %d of %d", round, i);
                        hear_text(clients[i], text);
                }
        }
        for (int i = 0; i < 4; i++) {
                hear_nothing(clients[i]);
                clients[i] = door_client_free(clients[i]);
        }
        assert_int_equal(rig_count(rig).frames_in, 80);
        assert_int_equal(rig_count(rig).frames_out, 80);
        assert_int_equal(rig_count(rig).zap_accepted, 4);
        (void)rig_free(rig);
}

static void a_peer_has_the_name_of_its_key_on_both_sockets(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *a = client_new(w->pull, &w->service, &w->alice);
        door_client *b = client_new(w->command, &w->service, &w->bob);
        door_client *c = client_new(w->command, &w->service, &w->alice);

        say_text(a, "one");
        assert_frame(rig, 0, DOOR_CHANNEL_PULL, "alice", "one");
        say_text(b, "two");
        assert_frame(rig, 1, DOOR_CHANNEL_COMMAND, "bob", "two");
        say_text(c, "three");
        assert_frame(rig, 2, DOOR_CHANNEL_COMMAND, "alice", "three");
        (void)door_client_free(a);
        (void)door_client_free(b);
        (void)door_client_free(c);
        (void)rig_free(rig);
}

static void a_routing_id_of_the_peers_own_choice_is_refused(void **state)
{
        /* Any length, and five bytes that do not begin with 0, as libzmq's own do. */
        static const char *const ids[] = { "bob", "aaaaa", "a longer one" };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);

        for (size_t i = 0; i < 3; i++) {
                raw r = raw_new(ZMQ_DEALER, &w->alice, &w->service.public_key);

                assert_int_equal(zmq_setsockopt(r.socket, ZMQ_ROUTING_ID, ids[i], strlen(ids[i])), 0);
                assert_int_equal(zmq_connect(r.socket, w->command), 0);
                assert_int_equal(zmq_send(r.socket, "x", 1, 0), 1);
                assert_int_equal(COUNT_UNTIL(rig, dropped_nameless, i + 1).dropped_nameless, i + 1);
                raw_free(&r);
        }
        assert_int_equal(rig_wait(rig, 1, 50), 0);
        (void)rig_free(rig);
}

/* ---- Strangers. */

static void a_key_that_is_not_on_the_list_gets_nothing_through(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *stranger = client_new(w->pull, &w->service, &w->stranger);
        door_bytes frame;

        /* The client connects lazily; either it cannot send at all or nobody hears it. */
        (void)door_client_send(stranger, door_bytes_of("let me in"), NEVER_MS);
        assert_int_equal(door_client_receive(stranger, NEVER_MS, &frame), DOOR_TIMED_OUT);
        assert_true(COUNT_UNTIL(rig, zap_denied, 1).zap_denied >= 1);
        assert_int_equal(rig_count(rig).zap_accepted, 0);
        assert_int_equal(rig_wait(rig, 1, 50), 0);
        (void)door_client_free(stranger);
        (void)rig_free(rig);
}

static void an_empty_list_lets_nobody_in(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);

        rig_allow(rig, NULL, 0);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        (void)door_client_send(alice, door_bytes_of("hello"), NEVER_MS);
        assert_true(COUNT_UNTIL(rig, zap_denied, 1).zap_denied >= 1);
        assert_int_equal(rig_wait(rig, 1, NEVER_MS), 0);
        (void)door_client_free(alice);
        (void)rig_free(rig);
}

static int unix_connect(const char *endpoint)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", endpoint + strlen("ipc://"));
        DOOR_REQUIRE(fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
        return fd;
}

/* Writes, and waits until the other side hangs up or the time is over. */
static void garbage_say(int fd, const void *bytes, size_t length)
{
        const struct timeval patience = { .tv_usec = 100000 };
        char answer[256];

        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        (void)send(fd, bytes, length, MSG_NOSIGNAL);
        while (recv(fd, answer, sizeof answer, 0) > 0) {
        }
        (void)close(fd);
}

static void mechanisms_other_than_curve_and_garbage_are_refused(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        raw null = raw_new(ZMQ_DEALER, NULL, NULL);
        raw plain = raw_new(ZMQ_DEALER, NULL, NULL);
        uint8_t noise[4096];
        /* The greetings of ZMTP 3 with NULL, 2.0 and 1.0, each with a message after it. */
        uint8_t zmtp3[64 + 16] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0, 'N', 'U', 'L', 'L' };
        const uint8_t zmtp2[] = { 0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1, 5, 0, 0, 0, 1, 'x' };
        const uint8_t zmtp1[] = { 1, 0, 2, 0, 'x' };

        assert_int_equal(zmq_setsockopt(plain.socket, ZMQ_PLAIN_USERNAME, "alice", 5), 0);
        assert_int_equal(zmq_setsockopt(plain.socket, ZMQ_PLAIN_PASSWORD, "alice", 5), 0);
        assert_int_equal(zmq_connect(null.socket, w->pull), 0);
        assert_int_equal(zmq_connect(plain.socket, w->command), 0);
        (void)zmq_send(null.socket, "x", 1, ZMQ_DONTWAIT);
        (void)zmq_send(plain.socket, "x", 1, ZMQ_DONTWAIT);
        memset(zmtp3 + 64, 1, 16);
        for (size_t i = 0; i < sizeof noise; i++) {
                noise[i] = (uint8_t)(i * 131 + (i >> 3));
        }
        garbage_say(unix_connect(w->pull), noise, sizeof noise);
        garbage_say(unix_connect(w->command), zmtp3, sizeof zmtp3);
        garbage_say(unix_connect(w->pull), zmtp2, sizeof zmtp2);
        garbage_say(unix_connect(w->command), zmtp1, sizeof zmtp1);
        assert_int_equal(rig_wait(rig, 1, NEVER_MS), 0);
        assert_int_equal(rig_count(rig).zap_accepted, 0);

        /* And whoever is welcome does not notice. */
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        say_text(alice, "still there?");
        hear_text(alice, "still there?");
        (void)door_client_free(alice);
        raw_free(&null);
        raw_free(&plain);
        (void)rig_free(rig);
}

static void a_client_that_expects_another_server_key_talks_to_nobody(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *client = client_new(w->pull, &w->stranger, &w->alice);

        (void)door_client_send(client, door_bytes_of("secret"), NEVER_MS);
        hear_nothing(client);
        assert_int_equal(rig_wait(rig, 1, 10), 0);
        assert_int_equal(rig_count(rig).zap_accepted, 0);
        (void)door_client_free(client);
        (void)rig_free(rig);
}

static void a_storm_of_denied_handshakes_leaves_the_service_standing(void **state)
{
        enum { STRANGERS = 60 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        void *context = zmq_ctx_new();
        void *sockets[STRANGERS];
        int zero = 0;

        for (int i = 0; i < STRANGERS; i++) {
                sockets[i] = zmq_socket(context, ZMQ_DEALER);
                (void)zmq_setsockopt(sockets[i], ZMQ_LINGER, &zero, sizeof zero);
                DOOR_REQUIRE(options_for_client(sockets[i], &w->stranger, &w->service.public_key));
                assert_int_equal(zmq_connect(sockets[i], i % 2 == 0 ? w->pull : w->command), 0);
                (void)zmq_send(sockets[i], "x", 1, ZMQ_DONTWAIT);
        }
        assert_true(COUNT_UNTIL(rig, zap_denied, STRANGERS).zap_denied >= STRANGERS);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        say_text(alice, "hello");
        hear_text(alice, "hello");
        assert_int_equal(rig_wait(rig, 1, 10), 1);
        assert_int_equal(rig_count(rig).safety_found, 0);
        (void)door_client_free(alice);
        for (int i = 0; i < STRANGERS; i++) {
                (void)zmq_close(sockets[i]);
        }
        (void)zmq_ctx_term(context);
        (void)rig_free(rig);
}

static void do_kill_handler(door_bus *bus, void *argument)
{
        (void)argument;
        socket_retire(bus->sockets[SLOT_ZAP]);
}

/* Goal: option 93. Without it libzmq takes "nobody to ask" for "everybody is welcome". */
static void without_a_handshake_handler_nobody_gets_in(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);

        rig_do(rig, do_kill_handler, NULL);
        sleep_ms(50);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        door_client *stranger = client_new(w->pull, &w->service, &w->stranger);
        (void)door_client_send(alice, door_bytes_of("x"), NEVER_MS);
        (void)door_client_send(stranger, door_bytes_of("x"), NEVER_MS);
        assert_int_equal(rig_wait(rig, 1, NEVER_MS), 0);
        assert_int_equal(rig_count(rig).dropped_nameless, 0);
        (void)door_client_free(alice);
        (void)door_client_free(stranger);
        (void)rig_free(rig);
}

typedef struct zap_question {
        const char *parts[12]; /* NULL: the key below; the list ends with "end". */
        const uint8_t *key;
        size_t key_len;
        void *socket;
} zap_question;

static void do_zap_connect(door_bus *bus, void *argument)
{
        void **socket = argument;

        *socket = zmq_socket(bus->context, ZMQ_DEALER);
        DOOR_REQUIRE(zmq_connect(*socket, zap_endpoint) == 0);
}

static void zap_ask(const zap_question *q)
{
        size_t count = 0;

        while (q->parts[count] == NULL || strcmp(q->parts[count], "end") != 0) {
                count++;
        }
        for (size_t i = 0; i < count; i++) {
                const void *data = q->parts[i] == NULL ? (const void *)q->key : q->parts[i];
                const size_t length = q->parts[i] == NULL ? q->key_len : strlen(q->parts[i]);

                DOOR_REQUIRE(zmq_send(q->socket, data, length, i + 1 < count ? ZMQ_SNDMORE : 0) >= 0);
        }
}

/* The answer's parts joined by '|'; "" when none comes. */
static void zap_hear(void *socket, char *out, size_t cap)
{
        zmq_pollitem_t item = { .socket = socket, .events = ZMQ_POLLIN };
        size_t used = 0;
        int more = 1;

        out[0] = '\0';
        if (zmq_poll(&item, 1, NEVER_MS) <= 0) {
                return;
        }
        while (more) {
                char part[256];
                size_t size = sizeof more;
                const int length = zmq_recv(socket, part, sizeof part, ZMQ_DONTWAIT);

                DOOR_REQUIRE(length >= 0 && used + (size_t)length + 2 < cap);
                for (int i = 0; i < length; i++) {
                        out[used++] = part[i] == '\0' ? '.' : part[i];
                }
                DOOR_REQUIRE(zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0);
                if (more) {
                        out[used++] = '|';
                }
        }
        out[used] = '\0';
}

/* Goal: each condition of the one path that leads to 200. Method: be libzmq and ask. */
static void only_a_whole_curve_question_with_a_listed_key_is_answered_yes(void **state)
{
        const world *w = *state;
        const uint8_t *key = w->alice.public_key.bytes;
        const char *const no = "|1.0|7|400|no||";
        const struct {
                zap_question question;
                const char *answer;
        } cases[] = {
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "end" }, key, 32, NULL },
                  NULL },
                { { { "", "2.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "end" }, key, 32, NULL },
                  no },
                { { { "", "1.0", "7", "backdoor", "addr", "id", "CURVE", NULL, "end" }, key, 32, NULL }, no },
                { { { "", "1.0", "7", "", "addr", "id", "CURVE", NULL, "end" }, key, 32, NULL }, no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "PLAIN", NULL, "end" }, key, 32, NULL },
                  no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "NULL", NULL, "end" }, key, 32, NULL }, no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "end" }, key, 28, NULL },
                  no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "end" }, key, 0, NULL }, no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "end" },
                    w->stranger.public_key.bytes,
                    32,
                    NULL },
                  no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", "end" }, key, 32, NULL }, no },
                { { { "", "1.0", "7", "frontdoor", "addr", "id", "CURVE", NULL, "more", "end" },
                    key,
                    32,
                    NULL },
                  no },
                { { { "", "1.0", "7", "end" }, key, 32, NULL }, no },
                { { { "", "1.0", "end" }, key, 32, NULL }, "" },
                { { { "x", "end" }, key, 32, NULL }, "" },
        };
        bus_rig *rig = service_new(w, RIG_LISTENS);
        char yes[512];
        char key_text[DOOR_KEY_TEXT_BYTES];
        void *socket = NULL;

        rig_do(rig, do_zap_connect, &socket);
        door_key_print(&w->alice.public_key, key_text);
        (void)snprintf(yes, sizeof yes, "|1.0|7|200|yes|alice|\nX-Door-Key...(%s", key_text);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                zap_question question = cases[i].question;
                char answer[512];

                question.socket = socket;
                zap_ask(&question);
                zap_hear(socket, answer, sizeof answer);
                assert_string_equal(answer, cases[i].answer == NULL ? yes : cases[i].answer);
        }
        assert_int_equal(rig_count(rig).zap_accepted, 1);
        assert_int_equal(rig_count(rig).zap_denied, sizeof cases / sizeof cases[0] - 1);
        (void)zmq_close(socket);
        (void)rig_free(rig);
}

/* ---- Reload. */

static void a_removed_key_is_refused_on_the_connection_that_is_up(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        door_client *bob = client_new(w->command, &w->service, &w->bob);

        say_text(alice, "1");
        hear_text(alice, "1");
        say_text(bob, "1");
        hear_text(bob, "1");
        rig_allow(rig, &w->allowed[1], 1);
        say_text(alice, "2");
        hear_nothing(alice);
        assert_int_equal(rig_count(rig).dropped_revoked, 1);
        say_text(bob, "2");
        hear_text(bob, "2");

        rig_allow(rig, w->allowed, 2);
        say_text(alice, "3");
        hear_text(alice, "3");
        assert_int_equal(rig_count(rig).zap_accepted, 2);
        (void)door_client_free(alice);
        (void)door_client_free(bob);
        (void)rig_free(rig);
}

static void a_key_that_now_belongs_to_another_name_must_shake_hands_again(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *client = client_new(w->pull, &w->service, &w->alice);
        const door_peer_place renamed = rig_place("carol", &w->alice);

        say_text(client, "1");
        assert_frame(rig, 0, DOOR_CHANNEL_PULL, "alice", "1");
        rig_allow(rig, &renamed, 1);
        say_text(client, "2");
        assert_int_equal(COUNT_UNTIL(rig, dropped_revoked, 1).dropped_revoked, 1);
        assert_int_equal(door_client_reopen(client), DOOR_OK);
        say_text(client, "3");
        assert_frame(rig, 1, DOOR_CHANNEL_PULL, "carol", "3");
        (void)door_client_free(client);
        (void)rig_free(rig);
}

static void a_peer_may_use_either_of_its_two_keys(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_peer_place both = rig_place("alice", &w->alice);

        both.keys[1] = w->bob.public_key;
        both.keys_count = 2;
        rig_allow(rig, &both, 1);
        door_client *one = client_new(w->pull, &w->service, &w->alice);
        door_client *two = client_new(w->pull, &w->service, &w->bob);
        say_text(one, "old");
        assert_frame(rig, 0, DOOR_CHANNEL_PULL, "alice", "old");
        say_text(two, "new");
        assert_frame(rig, 1, DOOR_CHANNEL_PULL, "alice", "new");
        both.keys_count = 1;
        rig_allow(rig, &both, 1);
        say_text(two, "gone");
        assert_int_equal(COUNT_UNTIL(rig, dropped_revoked, 1).dropped_revoked, 1);
        (void)door_client_free(one);
        (void)door_client_free(two);
        (void)rig_free(rig);
}

/* ---- Bad messages. */

static void a_frame_over_the_bound_is_dropped_and_others_do_not_notice(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        raw bob = raw_new(ZMQ_DEALER, &w->bob, &w->service.public_key);
        uint8_t *big = calloc(1, DOOR_FRAME_BYTES_MAX + 2 * DOOR_MIB);
        door_bytes heard;

        assert_non_null(big);
        memset(big, 'b', DOOR_FRAME_BYTES_MAX);
        assert_int_equal(zmq_connect(bob.socket, w->command), 0);

        /* Exactly the bound goes both ways. */
        assert_int_equal(door_client_send(alice, (door_bytes){ big, DOOR_FRAME_BYTES_MAX }, SOON_MS),
                         DOOR_OK);
        assert_int_equal(door_client_receive(alice, SOON_MS, &heard), DOOR_OK);
        assert_int_equal(heard.len, DOOR_FRAME_BYTES_MAX);
        assert_int_equal(door_client_send(alice, (door_bytes){ big, DOOR_FRAME_BYTES_MAX + 1 }, SOON_MS),
                         DOOR_TOO_LARGE);
        assert_int_equal(rig_wait(rig, 1, SOON_MS), 1);

        /* A byte more is dropped by us; much more by libzmq, with the connection. */
        assert_true(zmq_send(bob.socket, big, DOOR_FRAME_BYTES_MAX + 1, 0) > 0);
        assert_int_equal(COUNT_UNTIL(rig, dropped_oversize, 1).dropped_oversize, 1);
        assert_true(zmq_send(bob.socket, big, DOOR_FRAME_BYTES_MAX + 2 * DOOR_MIB, 0) > 0);
        say_text(alice, "and me?");
        hear_text(alice, "and me?");
        sleep_ms(NEVER_MS);
        assert_int_equal(rig_wait(rig, 3, 10), 2);
        assert_int_equal(rig_count(rig).dropped_oversize, 1);
        free(big);
        raw_free(&bob);
        (void)door_client_free(alice);
        (void)rig_free(rig);
}

static void empty_and_multipart_messages_are_dropped_and_the_next_one_is_heard(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        raw bob = raw_new(ZMQ_DEALER, &w->bob, &w->service.public_key);

        assert_int_equal(zmq_connect(bob.socket, w->pull), 0);
        assert_int_equal(zmq_send(bob.socket, "", 0, 0), 0);
        assert_int_equal(zmq_send(bob.socket, "two", 3, ZMQ_SNDMORE), 3);
        assert_int_equal(zmq_send(bob.socket, "parts", 5, 0), 5);
        assert_int_equal(zmq_send(bob.socket, "", 0, ZMQ_SNDMORE), 0);
        assert_int_equal(zmq_send(bob.socket, "as a REQ would", 14, 0), 14);
        /* More parts than a turn takes messages. */
        for (int i = 0; i < 5 * TURN_FRAMES_MAX; i++) {
                assert_int_equal(zmq_send(bob.socket, "p", 1, ZMQ_SNDMORE), 1);
        }
        assert_int_equal(zmq_send(bob.socket, "q", 1, 0), 1);
        assert_int_equal(zmq_send(bob.socket, "fine", 4, 0), 4);
        assert_frame(rig, 0, DOOR_CHANNEL_PULL, "bob", "fine");
        const door_bus_counters counters = rig_count(rig);
        assert_int_equal(counters.dropped_empty, 1);
        assert_int_equal(counters.dropped_multipart, 3);
        assert_int_equal(counters.frames_in, 1);
        assert_int_equal(rig_wait(rig, 2, 50), 1);
        assert_int_equal(counters.safety_found, 0);
        raw_free(&bob);
        (void)rig_free(rig);
}

/* ---- Answers that cannot leave. */

static void what_cannot_be_sent_is_counted_by_its_reason(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        uint8_t *big = calloc(1, DOOR_FRAME_BYTES_MAX + 1);
        const door_bytes text = door_bytes_of("answer");

        assert_non_null(big);
        say_text(alice, "who am I?");
        assert_int_equal(rig_wait(rig, 1, SOON_MS), 1);
        const uint64_t route = rig_frame_at(rig, 0).route;
        assert_true(route != 0);
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route, (door_bytes){ big, DOOR_FRAME_BYTES_MAX + 1 });
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route, DOOR_BYTES_EMPTY);
        assert_int_equal(rig_count(rig).unsent_size, 2);
        /* Nobody has that route, nobody has it on the other socket, and 0 is no route. */
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route ^ 0x5a5a, text);
        rig_send(rig, DOOR_CHANNEL_PULL, 0, route, text);
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, 0, text);
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route & ~ROUTE_MARK, text);
        assert_int_equal(rig_count(rig).unsent_gone, 4);
        assert_int_equal(rig_count(rig).frames_out, 0);
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route, text);
        hear_text(alice, "answer");
        hear_nothing(alice);
        assert_int_equal(rig_count(rig).frames_out, 1);

        alice = door_client_free(alice);
        sleep_ms(100);
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route, text);
        assert_int_equal(rig_count(rig).unsent_gone, 5);

        /* And it is not kept. */
        const size_t before = mallinfo2().uordblks;
        for (int i = 0; i < 100; i++) {
                rig_send(rig, DOOR_CHANNEL_COMMAND, 0, route, (door_bytes){ big, 60 * 1024 });
        }
        assert_true(mallinfo2().uordblks < before + DOOR_MIB);
        free(big);
        (void)rig_free(rig);
}

static void a_peer_that_does_not_read_loses_its_own_frames_only(void **state)
{
        enum { COUNT = 3000 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *alice = client_new(w->command, &w->service, &w->alice);
        door_client *bob = client_new(w->command, &w->service, &w->bob);
        static uint8_t bytes[16 * 1024];

        say_text(alice, "a");
        assert_int_equal(rig_wait(rig, 1, SOON_MS), 1);
        say_text(bob, "b");
        assert_int_equal(rig_wait(rig, 2, SOON_MS), 2);
        const uint64_t begun_ms = mono_now_ms();
        for (uint32_t i = 0; i < COUNT; i++) {
                door_put_u32(bytes, i);
                rig_send(rig, DOOR_CHANNEL_COMMAND, 0, rig_frame_at(rig, 0).route,
                         (door_bytes){ bytes, sizeof bytes });
        }
        rig_send(rig, DOOR_CHANNEL_COMMAND, 0, rig_frame_at(rig, 1).route, door_bytes_of("for bob"));
        hear_text(bob, "for bob");
        assert_true(mono_now_ms() - begun_ms < 5000);
        const door_bus_counters counters = rig_count(rig);
        assert_true(counters.unsent_full > 0);
        assert_int_equal(counters.unsent_gone, 0);
        assert_int_equal(counters.unsent_full + counters.frames_out, COUNT + 1);
        /* What was sent is there, in order, without a hole before the first loss. */
        for (uint32_t i = 0; i < 64; i++) {
                door_bytes frame;

                assert_int_equal(door_client_receive(alice, SOON_MS, &frame), DOOR_OK);
                assert_int_equal(frame.len, sizeof bytes);
                assert_int_equal(door_get_u32(frame.data), i);
        }
        (void)door_client_free(alice);
        (void)door_client_free(bob);
        (void)rig_free(rig);
}

/* ---- Upstreams. */

static void an_upstream_is_asked_and_answers(void **state)
{
        const world *w = *state;
        char other[160];
        bus_rig *owner = service_new(w, RIG_ECHOES);
        door_bus_options options = options_of(w);

        /* Two upstreams, so that an index is seen to matter; the first has nobody behind it. */
        (void)snprintf(other, sizeof other, "ipc://%s/nobody", w->folder);
        const door_bus_upstream upstreams[] = { { other, &w->service.public_key, 1 },
                                                { w->pull, &w->service.public_key, 1 } };
        options = (door_bus_options){ .upstreams = upstreams, .upstreams_count = 2, .own = &w->alice };
        bus_rig *reader = rig_new(&options, RIG_LISTENS, NULL);
        assert_non_null(reader);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 1, 0, door_bytes_of("more, please"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "more, please");
        assert_frame(reader, 0, DOOR_CHANNEL_UPSTREAM, "", "more, please");
        assert_int_equal(rig_frame_at(reader, 0).upstream, 1);
        assert_int_equal(rig_count(reader).frames_in, 1);
        assert_int_equal(rig_count(reader).frames_out, 1);
        assert_int_equal(rig_count(reader).asked_again, 0);
        assert_int_equal(rig_wait(owner, 2, NEVER_MS), 1);
        assert_int_equal(rig_count(reader).safety_found, 0);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void a_second_question_does_not_wait_for_the_first_answer(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("one"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "one");
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("two"));
        assert_frame(owner, 1, DOOR_CHANNEL_PULL, "alice", "two");
        assert_int_equal(rig_wait(owner, 3, NEVER_MS), 2);
        assert_int_equal(rig_count(reader).asked_again, 0);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void a_question_waits_for_its_upstream_to_come_up(void **state)
{
        const world *w = *state;
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("superseded"));
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("anybody?"));
        sleep_ms(150);
        assert_int_equal(rig_count(reader).frames_out, 0);
        bus_rig *owner = service_new(w, RIG_ECHOES);
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "anybody?");
        assert_frame(reader, 0, DOOR_CHANNEL_UPSTREAM, "", "anybody?");
        assert_int_equal(rig_count(reader).frames_out, 1);
        assert_int_equal(rig_count(reader).asked_again, 0);
        assert_int_equal(rig_wait(owner, 2, NEVER_MS), 1);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void an_open_question_is_asked_again_when_its_upstream_comes_back(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("open"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "open");
        (void)rig_free(owner);
        sleep_ms(50);
        owner = service_new(w, RIG_ECHOES);
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "open");
        assert_frame(reader, 0, DOOR_CHANNEL_UPSTREAM, "", "open");
        assert_int_equal(rig_count(reader).asked_again, 1);
        assert_int_equal(rig_count(reader).reconnects, 0);

        /* It has been answered now: the next come-back asks nothing. */
        (void)rig_free(owner);
        sleep_ms(50);
        owner = service_new(w, RIG_ECHOES);
        assert_int_equal(COUNT_UNTIL(owner, zap_accepted, 1).zap_accepted, 1);
        assert_int_equal(rig_wait(owner, 1, NEVER_MS), 0);
        assert_int_equal(rig_count(reader).asked_again, 1);

        /* A new question is asked for the first time. */
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("new"));
        assert_frame(reader, 1, DOOR_CHANNEL_UPSTREAM, "", "new");
        assert_int_equal(rig_count(reader).asked_again, 1);
        assert_int_equal(rig_count(reader).frames_out, 3);
        assert_int_equal(rig_count(reader).safety_found, 0);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void only_a_short_question_is_kept(void **state)
{
        const world *w = *state;
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);
        static uint8_t bytes[ASKED_BYTES_MAX + 1];

        memset(bytes, 'l', sizeof bytes);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("replaced by a long one"));
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, (door_bytes){ bytes, sizeof bytes });
        assert_int_equal(rig_count(reader).unsent_full, 1);
        bus_rig *owner = service_new(w, RIG_LISTENS);
        assert_int_equal(COUNT_UNTIL(owner, zap_accepted, 1).zap_accepted, 1);
        assert_int_equal(rig_wait(owner, 1, NEVER_MS), 0);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, (door_bytes){ bytes, sizeof bytes });
        assert_int_equal(rig_wait(owner, 1, SOON_MS), 1);
        assert_int_equal(rig_frame_at(owner, 0).len, sizeof bytes);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, (door_bytes){ bytes, sizeof bytes - 1 });
        assert_int_equal(rig_wait(owner, 2, SOON_MS), 2);
        assert_int_equal(rig_count(reader).frames_out, 2);
        (void)rig_free(reader);

        /* The longest that is kept. */
        (void)rig_free(owner);
        reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, (door_bytes){ bytes, ASKED_BYTES_MAX });
        owner = service_new(w, RIG_LISTENS);
        assert_int_equal(rig_wait(owner, 1, SOON_MS), 1);
        assert_int_equal(rig_frame_at(owner, 0).len, ASKED_BYTES_MAX);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void reconnecting_makes_a_fresh_connection_and_forgets_the_old_one(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("first"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "first");
        rig_reconnect(reader, 0);
        assert_int_equal(rig_count(reader).reconnects, 1);
        assert_int_equal(COUNT_UNTIL(owner, zap_accepted, 2).zap_accepted, 2);
        /* The open question went with the connection: the machine asks what it wants to know. */
        assert_int_equal(rig_wait(owner, 2, NEVER_MS), 1);
        rig_send(owner, DOOR_CHANNEL_PULL, 0, rig_frame_at(owner, 0).route, door_bytes_of("late"));
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("second"));
        assert_frame(owner, 1, DOOR_CHANNEL_PULL, "alice", "second");
        assert_true(rig_frame_at(owner, 0).route != rig_frame_at(owner, 1).route);
        rig_send(owner, DOOR_CHANNEL_PULL, 0, rig_frame_at(owner, 1).route, door_bytes_of("in time"));
        assert_frame(reader, 0, DOOR_CHANNEL_UPSTREAM, "", "in time");
        assert_int_equal(rig_wait(reader, 2, NEVER_MS), 1);
        assert_int_equal(rig_count(reader).safety_found, 0);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

/* Goal: no frame of a socket that the sink has just replaced. Method: two are waiting, the first reconnects.
 */
static void reconnecting_from_within_a_frame_ends_the_old_conversation(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_RECONNECTS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("go on"));
        assert_int_equal(rig_wait(owner, 1, SOON_MS), 1);
        for (int i = 0; i < 10; i++) {
                rig_send(owner, DOOR_CHANNEL_PULL, 0, rig_frame_at(owner, 0).route, door_bytes_of("x"));
        }
        rig_block(reader, 100);
        assert_int_equal(rig_wait(reader, 2, NEVER_MS), 1);
        assert_int_equal(rig_count(reader).reconnects, 1);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("again"));
        assert_frame(owner, 1, DOOR_CHANNEL_PULL, "alice", "again");
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void each_reconnect_tries_the_servers_next_key(void **state)
{
        const world *w = *state;
        const door_key keys[] = { w->stranger.public_key, w->service.public_key };
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, keys, 2, &w->alice, RIG_LISTENS);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("under the old key"));
        assert_int_equal(rig_wait(owner, 1, NEVER_MS), 0);
        assert_int_equal(rig_count(reader).frames_out, 0);
        rig_reconnect(reader, 0);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("under the new key"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "under the new key");
        rig_reconnect(reader, 0);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("under the old key"));
        assert_int_equal(rig_wait(owner, 2, NEVER_MS), 1);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

/* Goal: nothing of a dropped connection stays. Method: after a few, more of them take no more memory. */
static void a_hundred_reconnects_leave_nothing_behind(void **state)
{
        enum { WARM = 50, COUNT = 200 };
        const world *w = *state;
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);
        size_t before = 0;

        for (int i = 0; i < WARM + COUNT; i++) {
                if (i == WARM) {
                        sleep_ms(50);
                        before = mallinfo2().uordblks;
                }
                rig_reconnect(reader, 0);
        }
        sleep_ms(50);
        const size_t after = mallinfo2().uordblks;
        assert_int_equal(rig_count(reader).reconnects, WARM + COUNT);
        print_message("          memory: %zu bytes before, %zu after\n", before, after);
        assert_true(after < before + COUNT * sizeof(bus_socket) / 2);
        (void)rig_free(reader);
}

typedef struct keys_argument {
        const door_key *keys;
        size_t count;
} keys_argument;

static void do_keys(door_bus *bus, void *argument)
{
        const keys_argument *a = argument;

        door_bus_upstream_keys(bus, 0, a->keys, a->count);
}

static void a_new_server_key_is_used_from_the_next_connection_on(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_LISTENS);
        bus_rig *reader = reader_new(w, w->pull, &w->stranger.public_key, 1, &w->alice, RIG_LISTENS);
        /* The first of them first, whichever had its turn before. */
        const door_key keys[] = { w->service.public_key, w->bob.public_key };
        keys_argument argument = { keys, 2 };

        rig_do(reader, do_keys, &argument);
        rig_reconnect(reader, 0);
        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("hello"));
        assert_frame(owner, 0, DOOR_CHANNEL_PULL, "alice", "hello");
        (void)rig_free(reader);
        (void)rig_free(owner);
}

static void an_upstream_that_sends_several_parts_is_not_believed(void **state)
{
        const world *w = *state;
        raw owner = { zmq_ctx_new(), NULL };
        int one = 1;
        int zero = 0;
        uint8_t id[ROUTING_BYTES];
        char text[16];

        owner.socket = zmq_socket(owner.context, ZMQ_ROUTER);
        (void)zmq_setsockopt(owner.socket, ZMQ_LINGER, &zero, sizeof zero);
        assert_int_equal(zmq_setsockopt(owner.socket, ZMQ_CURVE_SERVER, &one, sizeof one), 0);
        assert_int_equal(zmq_setsockopt(owner.socket, ZMQ_CURVE_SECRETKEY, w->service.secret, 32), 0);
        assert_int_equal(zmq_bind(owner.socket, w->pull), 0);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);
        door_client *client = client_new(w->pull, &w->service, &w->alice);

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("?"));
        assert_int_equal(zmq_recv(owner.socket, id, sizeof id, 0), sizeof id);
        assert_int_equal(zmq_recv(owner.socket, text, sizeof text, 0), 1);
        for (int i = 0; i < 3; i++) {
                assert_int_equal(zmq_send(owner.socket, id, sizeof id, ZMQ_SNDMORE), sizeof id);
                assert_int_equal(zmq_send(owner.socket, "two", 3, i < 2 ? ZMQ_SNDMORE : 0), 3);
                if (i < 2) {
                        assert_int_equal(zmq_send(owner.socket, "parts", 5, 0), 5);
                }
        }
        assert_int_equal(zmq_send(owner.socket, id, sizeof id, ZMQ_SNDMORE), sizeof id);
        assert_int_equal(zmq_send(owner.socket, "", 0, 0), 0);
        assert_frame(reader, 0, DOOR_CHANNEL_UPSTREAM, "", "two");
        assert_int_equal(COUNT_UNTIL(reader, dropped_empty, 1).dropped_empty, 1);
        assert_int_equal(rig_count(reader).dropped_multipart, 2);
        assert_int_equal(rig_wait(reader, 2, 10), 1);

        /* The client without a loop is as strict. */
        door_bytes frame;
        say_text(client, "?");
        assert_int_equal(zmq_recv(owner.socket, id, sizeof id, 0), sizeof id);
        assert_int_equal(zmq_recv(owner.socket, text, sizeof text, 0), 1);
        assert_int_equal(zmq_send(owner.socket, id, sizeof id, ZMQ_SNDMORE), sizeof id);
        assert_int_equal(zmq_send(owner.socket, "two", 3, ZMQ_SNDMORE), 3);
        assert_int_equal(zmq_send(owner.socket, "parts", 5, 0), 5);
        assert_int_equal(zmq_send(owner.socket, id, sizeof id, ZMQ_SNDMORE), sizeof id);
        assert_int_equal(zmq_send(owner.socket, "one", 3, 0), 3);
        assert_int_equal(door_client_receive(client, SOON_MS, &frame), DOOR_MALFORMED);
        hear_text(client, "one");
        (void)door_client_free(client);
        (void)rig_free(reader);
        raw_free(&owner);
}

/* ---- The loop. */

static void twenty_thousand_frames_pass_without_a_stall(void **state)
{
        enum { COUNT = 20000, WINDOW = 48 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *client = client_new(w->command, &w->service, &w->alice);
        uint8_t bytes[1024] = { 0 };
        uint32_t sent = 0;
        uint64_t slowest_ms = 0;

        for (uint32_t heard = 0; heard < COUNT; heard++) {
                door_bytes frame;

                for (; sent < COUNT && sent < heard + WINDOW; sent++) {
                        door_put_u32(bytes, sent);
                        assert_int_equal(
                                door_client_send(client, (door_bytes){ bytes, sizeof bytes }, SOON_MS),
                                DOOR_OK);
                }
                const uint64_t begun_ms = mono_now_ms();
                assert_int_equal(door_client_receive(client, SOON_MS, &frame), DOOR_OK);
                assert_int_equal(door_get_u32(frame.data), heard);
                const uint64_t took_ms = mono_now_ms() - begun_ms;
                slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
        }
        const door_bus_counters counters = rig_count(rig);
        assert_int_equal(counters.frames_in, COUNT);
        assert_int_equal(counters.frames_out, COUNT);
        assert_int_equal(counters.safety_found, 0);
        assert_true(rig_turns(rig) > 0 && rig_turns(rig) <= COUNT);
        print_message("          slowest answer of %d: %u ms\n", COUNT, (unsigned)slowest_ms);
        (void)door_client_free(client);
        (void)rig_free(rig);
}

/* Goal: single questions with silence between them wake a sleeping loop each time, at once. */
static void a_lone_frame_wakes_a_sleeping_loop(void **state)
{
        enum { COUNT = 40 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ECHOES);
        door_client *client = client_new(w->pull, &w->service, &w->alice);
        unsigned slow = 0;

        say_text(client, "up");
        hear_text(client, "up");
        for (int i = 0; i < COUNT; i++) {
                sleep_ms(7);
                const uint64_t begun_ms = mono_now_ms();
                say_text(client, "now");
                hear_text(client, "now");
                slow += mono_now_ms() - begun_ms > 40 ? 1 : 0;
        }
        assert_true(slow < COUNT / 4);
        assert_int_equal(rig_count(rig).safety_found, 0);
        (void)door_client_free(client);
        (void)rig_free(rig);
}

static void do_forget_to_look(door_bus *bus, void *argument)
{
        (void)argument;
        (void)uv_prepare_stop(&bus->prepare);
}

static void do_cpu_us(door_bus *bus, void *argument)
{
        struct timespec used;

        (void)bus;
        (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        *(uint64_t *)argument = (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000;
}

static void *block_thread(void *argument)
{
        rig_block(argument, 300);
        return NULL;
}

/*
 * Goal: the safety timer saves a loop that has forgotten to look before sleeping, and says so.
 * Method: take the look away, and let a burst lie there that is longer than one turn takes.
 */
static void the_safety_timer_finds_what_a_forgotten_look_leaves(void **state)
{
        enum { EACH = 60, CLIENTS = 5 };
        const world *w = *state;
        door_bus_options options = options_of(w);
        /* Without a pull socket: an empty place is no reason to stop looking. */
        options.pull = NULL;
        bus_rig *rig = rig_new(&options, RIG_LISTENS, NULL);
        door_client *clients[CLIENTS];
        pthread_t blocker;

        assert_non_null(rig);
        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = client_new(w->command, &w->service, &w->alice);
                say_text(clients[i], "up");
        }
        assert_int_equal(rig_wait(rig, CLIENTS, SOON_MS), CLIENTS);
        assert_int_equal(rig_count(rig).safety_found, 0);
        rig_do(rig, do_forget_to_look, NULL);
        /* While the loop cannot turn, more comes than a turn takes. */
        assert_int_equal(pthread_create(&blocker, NULL, block_thread, rig), 0);
        sleep_ms(50);
        for (int n = 0; n < EACH; n++) {
                for (int i = 0; i < CLIENTS; i++) {
                        say_text(clients[i], "burst");
                }
        }
        (void)pthread_join(blocker, NULL);
        const size_t all = CLIENTS * (1 + EACH);
        assert_int_equal(rig_wait(rig, all, SOON_MS), all);
        const uint64_t found = rig_count(rig).safety_found;
        assert_true(found > 0 && found < all);
        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = door_client_free(clients[i]);
        }
        (void)rig_free(rig);
}

/*
 * Goal: what one turn leaves is taken in the next, at once; and when all is taken the loop sleeps.
 * Method: a burst of five turns' worth; at one turn per safety timer it would last 400 ms.
 */
static void a_burst_longer_than_a_turn_is_taken_without_a_pause(void **state)
{
        enum { EACH = 60, CLIENTS = 5 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        door_client *clients[CLIENTS];
        pthread_t blocker;
        uint64_t before = 0;
        uint64_t after = 0;

        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = client_new(w->pull, &w->service, &w->alice);
                say_text(clients[i], "up");
        }
        assert_int_equal(rig_wait(rig, CLIENTS, SOON_MS), CLIENTS);
        assert_int_equal(pthread_create(&blocker, NULL, block_thread, rig), 0);
        sleep_ms(50);
        for (int n = 0; n < EACH; n++) {
                for (int i = 0; i < CLIENTS; i++) {
                        say_text(clients[i], "burst");
                }
        }
        (void)pthread_join(blocker, NULL);
        const uint64_t begun_ms = mono_now_ms();
        const size_t all = CLIENTS * (1 + EACH);
        assert_int_equal(rig_wait(rig, all, SOON_MS), all);
        assert_true(mono_now_ms() - begun_ms < 250);
        assert_int_equal(rig_count(rig).safety_found, 0);

        rig_do(rig, do_cpu_us, &before);
        sleep_ms(300);
        rig_do(rig, do_cpu_us, &after);
        assert_true(after - before < 50000);
        for (int i = 0; i < CLIENTS; i++) {
                clients[i] = door_client_free(clients[i]);
        }
        (void)rig_free(rig);
}

/* Goal: nothing that is always true is taken for work. Method: connected and silent, both ends use no time.
 */
static void an_idle_bus_sleeps(void **state)
{
        const world *w = *state;
        bus_rig *owner = service_new(w, RIG_ECHOES);
        bus_rig *reader = reader_new(w, w->pull, &w->service.public_key, 1, &w->alice, RIG_LISTENS);
        uint64_t before[2];
        uint64_t after[2];

        rig_send(reader, DOOR_CHANNEL_UPSTREAM, 0, 0, door_bytes_of("up"));
        assert_int_equal(rig_wait(reader, 1, SOON_MS), 1);
        rig_do(owner, do_cpu_us, &before[0]);
        rig_do(reader, do_cpu_us, &before[1]);
        sleep_ms(500);
        rig_do(owner, do_cpu_us, &after[0]);
        rig_do(reader, do_cpu_us, &after[1]);
        assert_true(after[0] - before[0] < 50000);
        assert_true(after[1] - before[1] < 50000);
        (void)rig_free(reader);
        (void)rig_free(owner);
}

typedef struct flood {
        const world *world;
        const char *endpoint;
        size_t length;
        volatile bool stop;
} flood;

static void *flood_thread(void *argument)
{
        flood *f = argument;
        uint8_t *bytes = calloc(1, f->length);
        raw r = raw_new(ZMQ_DEALER, &f->world->alice, &f->world->service.public_key);

        DOOR_REQUIRE(bytes != NULL && zmq_connect(r.socket, f->endpoint) == 0);
        while (!f->stop) {
                zmq_pollitem_t item = { .socket = r.socket, .events = ZMQ_POLLIN | ZMQ_POLLOUT };
                char answer[64];

                (void)zmq_poll(&item, 1, 10);
                if ((item.revents & ZMQ_POLLOUT) != 0) {
                        (void)zmq_send(r.socket, bytes, f->length, ZMQ_DONTWAIT);
                }
                while (zmq_recv(r.socket, answer, sizeof answer, ZMQ_DONTWAIT) >= 0) {
                }
        }
        raw_free(&r);
        free(bytes);
        return NULL;
}

static void a_flood_on_one_socket_does_not_starve_another(void **state)
{
        enum { FLOODS = 3 };
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_WORKS);
        flood f = { .world = w, .endpoint = w->pull, .length = 100 };
        pthread_t threads[FLOODS];
        door_client *bob = client_new(w->command, &w->service, &w->bob);
        size_t frames = 0;
        size_t bytes = 0;

        for (int i = 0; i < FLOODS; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, flood_thread, &f), 0);
        }
        assert_true(rig_wait(rig, 500, SOON_MS) >= 500);
        for (int i = 0; i < 20; i++) {
                const uint64_t begun_ms = mono_now_ms();

                say_text(bob, "urgent");
                hear_text(bob, "urgent");
                assert_true(mono_now_ms() - begun_ms < 1000);
        }
        rig_turn_max(rig, &frames, &bytes);
        f.stop = true;
        for (int i = 0; i < FLOODS; i++) {
                (void)pthread_join(threads[i], NULL);
        }
        /* The bound was reached, so it was the bound that helped. */
        assert_int_equal(frames, TURN_FRAMES_MAX);
        assert_int_equal(rig_count(rig).safety_found, 0);
        (void)door_client_free(bob);
        (void)rig_free(rig);
}

static void a_turn_takes_a_bounded_number_of_bytes(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_LISTENS);
        flood f = { .world = w, .endpoint = w->pull, .length = DOOR_MIB };
        pthread_t threads[2];
        size_t frames = 0;
        size_t bytes = 0;

        for (int i = 0; i < 2; i++) {
                assert_int_equal(pthread_create(&threads[i], NULL, flood_thread, &f), 0);
        }
        /* A slow machine needs more than one pause before a flood has filled a turn. */
        for (int i = 0; i < 8 || (i < 100 && bytes < TURN_BYTES_MAX); i++) {
                rig_block(rig, 80);
                rig_turn_max(rig, &frames, &bytes);
        }
        f.stop = true;
        for (int i = 0; i < 2; i++) {
                (void)pthread_join(threads[i], NULL);
        }
        rig_turn_max(rig, &frames, &bytes);
        assert_int_equal(bytes, TURN_BYTES_MAX);
        (void)rig_free(rig);
}

/* ---- Opening and closing. */

static int64_t option_read(void *zmq, int option)
{
        int narrow = 0;
        int64_t wide = 0;
        size_t size = sizeof narrow;

        if (option != ZMQ_MAXMSGSIZE) {
                DOOR_REQUIRE(zmq_getsockopt(zmq, option, &narrow, &size) == 0);
                return narrow;
        }
        size = sizeof wide;
        DOOR_REQUIRE(zmq_getsockopt(zmq, option, &wide, &size) == 0);
        return wide;
}

typedef struct options_argument {
        size_t slot;
        int64_t tcp; /* heartbeats and keepalive are on */
        int64_t linger;
        bool server;
} options_argument;

static void do_check_options(door_bus *bus, void *argument)
{
        const options_argument *a = argument;
        void *zmq = bus->sockets[a->slot]->zmq;
        char domain[32] = "";
        size_t size = sizeof domain;

        DOOR_REQUIRE(option_read(zmq, ZMQ_SNDHWM) == (a->slot == SLOT_PULL ? 64 : 1024));
        DOOR_REQUIRE(option_read(zmq, ZMQ_RCVHWM) == 64);
        DOOR_REQUIRE(option_read(zmq, ZMQ_LINGER) == a->linger);
        DOOR_REQUIRE(option_read(zmq, ZMQ_IMMEDIATE) == 1);
        DOOR_REQUIRE(option_read(zmq, ZMQ_HANDSHAKE_IVL) == 3000);
        DOOR_REQUIRE(option_read(zmq, ZMQ_RECONNECT_IVL) == 100);
        DOOR_REQUIRE(option_read(zmq, ZMQ_RECONNECT_IVL_MAX) == 5000);
        DOOR_REQUIRE(option_read(zmq, ZMQ_MAXMSGSIZE) == DOOR_FRAME_BYTES_MAX + 64);
        DOOR_REQUIRE(option_read(zmq, ZMQ_MECHANISM) == ZMQ_CURVE);
        DOOR_REQUIRE(option_read(zmq, ZMQ_CURVE_SERVER) == (a->server ? 1 : 0));
        DOOR_REQUIRE(option_read(zmq, ZMQ_HEARTBEAT_IVL) == 2000 * a->tcp);
        DOOR_REQUIRE(option_read(zmq, ZMQ_HEARTBEAT_TTL) == 10000 * a->tcp);
        DOOR_REQUIRE(a->tcp == 0 || option_read(zmq, ZMQ_HEARTBEAT_TIMEOUT) == 5000);
        DOOR_REQUIRE(option_read(zmq, ZMQ_TCP_KEEPALIVE) == (a->tcp ? 1 : -1));
        DOOR_REQUIRE(a->tcp == 0 || option_read(zmq, ZMQ_TCP_KEEPALIVE_IDLE) == 30);
        DOOR_REQUIRE(zmq_getsockopt(zmq, ZMQ_ZAP_DOMAIN, domain, &size) == 0);
        DOOR_REQUIRE(strcmp(domain, a->server ? "frontdoor" : "") == 0);
}

/* A port that was free a moment ago. */
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

static void every_socket_has_its_options(void **state)
{
        const world *w = *state;
        char tcp[64];
        (void)snprintf(tcp, sizeof tcp, "tcp://127.0.0.1:%u", port_free());
        const door_bus_upstream upstreams[] = { { w->pull, &w->service.public_key, 1 },
                                                { tcp, &w->service.public_key, 1 } };
        const door_bus_options options = { .pull = w->pull,
                                           .command = tcp,
                                           .upstreams = upstreams,
                                           .upstreams_count = 2,
                                           .own = &w->service };
        const options_argument expected[] = {
                { SLOT_PULL, 0, 1000, true },
                { SLOT_COMMAND, 1, 1000, true },
                { SLOT_UPSTREAM, 0, 0, false },
                { SLOT_UPSTREAM + 1, 1, 0, false },
        };
        bus_rig *rig = rig_new(&options, RIG_LISTENS, NULL);

        assert_non_null(rig);
        for (size_t i = 0; i < 4; i++) {
                options_argument argument = expected[i];

                rig_do(rig, do_check_options, &argument);
        }
        (void)rig_free(rig);
}

static void over_tcp_it_is_the_same_bus(void **state)
{
        const world *w = *state;
        char tcp[64];
        door_bus_options options = options_of(w);
        (void)snprintf(tcp, sizeof tcp, "tcp://127.0.0.1:%u", port_free());
        options.command = tcp;
        bus_rig *rig = rig_new(&options, RIG_ECHOES, NULL);
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        assert_non_null(rig);
        door_client *alice = client_new(tcp, &w->service, &w->alice);
        door_client *stranger = client_new(tcp, &w->service, &w->stranger);
        say_text(alice, "hello");
        hear_text(alice, "hello");
        (void)door_client_send(stranger, door_bytes_of("hello"), NEVER_MS);
        address.sin_port = htons((uint16_t)strtoul(strrchr(tcp, ':') + 1, NULL, 10));
        assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
        garbage_say(fd, "GET / HTTP/1.1\r\n\r\n", 18);
        say_text(alice, "still");
        hear_text(alice, "still");
        assert_int_equal(rig_wait(rig, 3, 10), 2);

        /* And the address is taken. */
        door_error error = { 0 };
        options.pull = NULL;
        assert_null(rig_new(&options, RIG_LISTENS, &error));
        assert_int_equal(error.status, DOOR_BUSY);
        assert_non_null(strstr(error.text, tcp));
        (void)door_client_free(alice);
        (void)door_client_free(stranger);
        (void)rig_free(rig);
}

/* libzmq connects to a name and does not bind to one. */
static void a_service_reached_by_name_listens(void **state)
{
        const world *w = *state;
        char tcp[64];
        door_bus_options options = options_of(w);
        (void)snprintf(tcp, sizeof tcp, "tcp://localhost:%u", port_free());
        options.command = tcp;
        bus_rig *rig = rig_new(&options, RIG_ECHOES, NULL);

        assert_non_null(rig);
        door_client *alice = client_new(tcp, &w->service, &w->alice);
        say_text(alice, "hello");
        hear_text(alice, "hello");
        (void)door_client_free(alice);
        (void)rig_free(rig);
}

static void assert_refused(const door_bus_options *options, const char *reason)
{
        door_error error = { 0 };

        assert_null(rig_new(options, RIG_LISTENS, &error));
        assert_int_equal(error.status, DOOR_INVALID);
        if (strstr(error.text, reason) == NULL) {
                fail_msg("'%s' does not say '%s'", error.text, reason);
        }
}

static void an_endpoint_that_cannot_be_used_is_refused_with_the_reason(void **state)
{
        static const struct {
                const char *endpoint;
                const char *reason;
        } cases[] = {
                { "ipc://@abstract", "must begin with '/'" }, { "ipc://relative", "must begin with '/'" },
                { "inproc://x", "ipc:// or tcp://" },         { "tcp://127.0.0.1", "host:port" },
                { "tcp://127.0.0.1:0", "host:port" },         { "tcp://127.0.0.1:70000", "host:port" },
        };
        const world *w = *state;
        char path[DOOR_ENDPOINT_BYTES_MAX];
        door_bus_options options = options_of(w);
        const size_t prefix = (size_t)snprintf(path, sizeof path, "ipc://%s/", w->folder);

        /* 107 bytes of path are the system's bound. */
        memset(path + prefix, 'p', sizeof path - prefix);
        path[strlen("ipc://") + 108] = '\0';
        options.pull = path;
        assert_refused(&options, "the system allows 107");
        options.pull = w->pull;
        options.command = path;
        assert_refused(&options, "the system allows 107");
        const door_bus_upstream far = { path, &w->service.public_key, 1 };
        options.command = w->command;
        options.upstreams = &far;
        options.upstreams_count = 1;
        assert_refused(&options, "the system allows 107");
        options.upstreams_count = 0;

        path[strlen("ipc://") + 107] = '\0';
        options.pull = path;
        bus_rig *rig = rig_new(&options, RIG_ECHOES, NULL);
        assert_non_null(rig);
        door_client *client = client_new(path, &w->service, &w->alice);
        say_text(client, "far");
        hear_text(client, "far");
        (void)door_client_free(client);
        (void)rig_free(rig);

        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                options.pull = cases[i].endpoint;
                assert_refused(&options, cases[i].reason);
        }
        (void)snprintf(path, sizeof path, "ipc://%s/not/there", w->folder);
        options.pull = path;
        door_error error = { 0 };
        assert_null(rig_new(&options, RIG_LISTENS, &error));
        assert_int_equal(error.status, DOOR_IO);
}

/*
 * Goal: what was answered is on the wire before the socket is gone. Method: a plain DEALER; a socket with
 * ZMQ_IMMEDIATE, as our client's, throws away on a lost connection what its owner has not yet read.
 */
static void the_last_answer_leaves_although_the_bus_closes_at_once(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_CLOSES);
        raw asker = raw_new(ZMQ_DEALER, &w->alice, &w->service.public_key);
        const int soon_ms = SOON_MS;
        char heard[16];

        assert_int_equal(zmq_setsockopt(asker.socket, ZMQ_RCVTIMEO, &soon_ms, sizeof soon_ms), 0);
        assert_int_equal(zmq_connect(asker.socket, w->command), 0);
        assert_int_equal(zmq_send(asker.socket, "good bye", 8, 0), 8);
        assert_int_equal(zmq_recv(asker.socket, heard, sizeof heard, 0), 8);
        assert_memory_equal(heard, "good bye", 8);
        (void)rig_free(rig);
        raw_free(&asker);
}

/* Goal: the rest of a turn dies with the bus. Method: several frames wait, the first one closes. */
static void nothing_is_told_after_the_close(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_CLOSES);
        door_client *clients[] = { client_new(w->command, &w->service, &w->alice),
                                   client_new(w->pull, &w->service, &w->bob) };
        pthread_t blocker;

        assert_int_equal(COUNT_UNTIL(rig, zap_accepted, 2).zap_accepted, 2);
        assert_int_equal(pthread_create(&blocker, NULL, block_thread, rig), 0);
        sleep_ms(50);
        for (int i = 0; i < 5; i++) {
                say_text(clients[0], "one");
                say_text(clients[1], "two");
        }
        (void)pthread_join(blocker, NULL);
        assert_int_equal(rig_wait(rig, 2, NEVER_MS), 1);
        (void)rig_free(rig);
        (void)door_client_free(clients[0]);
        (void)door_client_free(clients[1]);
}

/* ---- The client without a loop. */

static void a_question_is_repeated_on_a_fresh_socket_until_answered(void **state)
{
        const world *w = *state;
        bus_rig *rig = service_new(w, RIG_ANSWERS_ODD);
        door_client *client = client_new(w->command, &w->service, &w->alice);
        door_bytes answer;

        assert_int_equal(door_client_ask(client, door_bytes_of("q"), 200, 1, &answer), DOOR_TIMED_OUT);
        assert_int_equal(door_client_ask(client, door_bytes_of("r"), 200, 1, &answer), DOOR_OK);
        assert_memory_equal(answer.data, "r", 1);
        assert_int_equal(door_client_ask(client, door_bytes_of("s"), 200, 3, &answer), DOOR_OK);
        assert_memory_equal(answer.data, "s", 1);
        assert_int_equal(rig_wait(rig, 5, 10), 4);
        assert_true(rig_frame_at(rig, 0).route == rig_frame_at(rig, 2).route);
        assert_true(rig_frame_at(rig, 2).route != rig_frame_at(rig, 3).route);
        assert_int_equal(door_client_ask(client, DOOR_BYTES_EMPTY, 200, 3, &answer), DOOR_TOO_LARGE);
        client = door_client_free(client);
        (void)rig_free(rig);

        /* Nobody there: the time is bounded. */
        client = client_new(w->command, &w->service, &w->alice);
        const uint64_t begun_ms = mono_now_ms();
        assert_int_equal(door_client_ask(client, door_bytes_of("q"), 100, 2, &answer), DOOR_TIMED_OUT);
        const uint64_t took_ms = mono_now_ms() - begun_ms;
        assert_true(took_ms >= 200 && took_ms < 1500);
        (void)door_client_free(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(frames_of_a_connection_arrive_in_order_and_whole),
                TEST(it_keeps_the_contract_of_every_bus),
                TEST(answers_reach_the_asker_only),
                TEST(a_peer_has_the_name_of_its_key_on_both_sockets),
                TEST(a_routing_id_of_the_peers_own_choice_is_refused),
                TEST(a_key_that_is_not_on_the_list_gets_nothing_through),
                TEST(an_empty_list_lets_nobody_in),
                TEST(mechanisms_other_than_curve_and_garbage_are_refused),
                TEST(a_client_that_expects_another_server_key_talks_to_nobody),
                TEST(a_storm_of_denied_handshakes_leaves_the_service_standing),
                TEST(without_a_handshake_handler_nobody_gets_in),
                TEST(only_a_whole_curve_question_with_a_listed_key_is_answered_yes),
                TEST(a_removed_key_is_refused_on_the_connection_that_is_up),
                TEST(a_key_that_now_belongs_to_another_name_must_shake_hands_again),
                TEST(a_peer_may_use_either_of_its_two_keys),
                TEST(a_frame_over_the_bound_is_dropped_and_others_do_not_notice),
                TEST(empty_and_multipart_messages_are_dropped_and_the_next_one_is_heard),
                TEST(what_cannot_be_sent_is_counted_by_its_reason),
                TEST(a_peer_that_does_not_read_loses_its_own_frames_only),
                TEST(an_upstream_is_asked_and_answers),
                TEST(a_second_question_does_not_wait_for_the_first_answer),
                TEST(a_question_waits_for_its_upstream_to_come_up),
                TEST(an_open_question_is_asked_again_when_its_upstream_comes_back),
                TEST(only_a_short_question_is_kept),
                TEST(reconnecting_makes_a_fresh_connection_and_forgets_the_old_one),
                TEST(reconnecting_from_within_a_frame_ends_the_old_conversation),
                TEST(a_hundred_reconnects_leave_nothing_behind),
                TEST(each_reconnect_tries_the_servers_next_key),
                TEST(a_new_server_key_is_used_from_the_next_connection_on),
                TEST(an_upstream_that_sends_several_parts_is_not_believed),
                TEST(twenty_thousand_frames_pass_without_a_stall),
                TEST(a_lone_frame_wakes_a_sleeping_loop),
                TEST(the_safety_timer_finds_what_a_forgotten_look_leaves),
                TEST(a_burst_longer_than_a_turn_is_taken_without_a_pause),
                TEST(an_idle_bus_sleeps),
                TEST(a_flood_on_one_socket_does_not_starve_another),
                TEST(a_turn_takes_a_bounded_number_of_bytes),
                TEST(every_socket_has_its_options),
                TEST(over_tcp_it_is_the_same_bus),
                TEST(a_service_reached_by_name_listens),
                TEST(an_endpoint_that_cannot_be_used_is_refused_with_the_reason),
                TEST(the_last_answer_leaves_although_the_bus_closes_at_once),
                TEST(nothing_is_told_after_the_close),
                TEST(a_question_is_repeated_on_a_fresh_socket_until_answered),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
