/*
 * bad_client.c - a stranger at a service's sockets.
 *
 *   bad_client HOME SERVICE unknown-key        the right server key, a key of our own nobody knows
 *   bad_client HOME SERVICE wrong-server-key   a key the service knows, another's server key
 *   bad_client HOME SERVICE garbage            a known peer, 200 frames that are no frames
 *   bad_client HOME SERVICE parts              a known peer, messages of many parts
 *   bad_client HOME SERVICE huge               a known peer, one frame of 64 MiB
 *
 * Each is done to the command and the pull socket, and prints what came back. Exit code 1 when a
 * stranger got an answer: it is to get nothing at all, not even a refusal.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "shell/client.h"
#include "shell/peers.h"

enum {
        HUGE_BYTES = 64 * 1024 * 1024,
        WAIT_MS = 600,
        GARBAGE_FRAMES = 200,
        GARBAGE_BYTES = 300,
        PARTS = 500,
        EXIT_ANSWERED = 1,
        EXIT_USAGE = 2,
};

/* The same bytes every time: what is found can be found again. */
static void garbage_fill(uint8_t *bytes, size_t len, uint32_t *x)
{
        for (size_t k = 0; k < len; k++) {
                *x = *x * 1103515245 + 12345;
                bytes[k] = (uint8_t)(*x >> 16);
        }
}

/* True when something came back. */
static bool stranger(const char *endpoint, const door_key *server, const door_keypair *own)
{
        door_client *client = NULL;
        door_error error = { 0 };
        door_bytes answer;
        uint8_t hello[] = { 0x0A, 0x00 };

        if (door_client_open(endpoint, server, own, &client, &error) != DOOR_OK) {
                (void)fprintf(stderr, "bad_client: %s\n", error.text);
                exit(EXIT_USAGE);
        }
        const bool answered =
                door_client_ask(client, (door_bytes){ hello, sizeof hello }, WAIT_MS, 1, &answer) == DOOR_OK;
        (void)door_client_free(client);
        return answered;
}

/* door_client keeps the bounds; this one does not. */
static bool without_bounds(const char *endpoint, const door_key *server, const door_keypair *own,
                           const char *what)
{
        void *context = zmq_ctx_new();
        void *socket = zmq_socket(context, ZMQ_DEALER);
        const int patience = 3000;
        const int after_close = 2000;
        uint8_t bytes[GARBAGE_BYTES];
        uint32_t x = 12345;

        (void)zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server->bytes, DOOR_KEY_BYTES);
        (void)zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key.bytes, DOOR_KEY_BYTES);
        (void)zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret, DOOR_KEY_BYTES);
        (void)zmq_setsockopt(socket, ZMQ_SNDTIMEO, &patience, sizeof patience);
        (void)zmq_setsockopt(socket, ZMQ_LINGER, &after_close, sizeof after_close);
        DOOR_REQUIRE(zmq_connect(socket, endpoint) == 0);
        if (strcmp(what, "huge") == 0) {
                uint8_t *huge = calloc(1, HUGE_BYTES);
                DOOR_REQUIRE(huge != NULL);
                (void)zmq_send(socket, huge, HUGE_BYTES, 0);
                free(huge);
        }
        for (size_t i = 0; strcmp(what, "garbage") == 0 && i < GARBAGE_FRAMES; i++) {
                garbage_fill(bytes, sizeof bytes, &x);
                (void)zmq_send(socket, bytes, i % sizeof bytes, 0);
        }
        for (size_t i = 0; strcmp(what, "parts") == 0 && i < PARTS; i++) {
                garbage_fill(bytes, sizeof bytes, &x);
                (void)zmq_send(socket, bytes, sizeof bytes, i + 1 < PARTS && i % 100 != 99 ? ZMQ_SNDMORE : 0);
        }
        const int wait = WAIT_MS;
        (void)zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
        const bool answered = zmq_recv(socket, bytes, sizeof bytes, 0) >= 0;
        (void)zmq_close(socket);
        (void)zmq_ctx_term(context);
        return answered;
}

int main(int argc, char **argv)
{
        door_peers *peers = NULL;
        door_keypair own;
        door_error error = { 0 };
        char path[1024];
        int code = 0;

        if (argc != 4) {
                (void)fprintf(
                        stderr,
                        "usage: bad_client HOME SERVICE unknown-key|wrong-server-key|garbage|parts|huge\n");
                return EXIT_USAGE;
        }
        const char *what = argv[3];
        (void)snprintf(path, sizeof path, "%s/peers.yaml", argv[1]);
        if (door_peers_load(path, &peers, &error) != DOOR_OK ||
            door_keypair_load(argv[1], "command", &own, &error) != DOOR_OK) {
                (void)fprintf(stderr, "bad_client: %s\n", error.text);
                return EXIT_USAGE;
        }
        const door_peer_place *place = door_peers_place(peers, argv[2]);
        const door_peer_place *other = door_peers_place(peers, "command");
        if (place == NULL || other == NULL) {
                return EXIT_USAGE;
        }
        const bool is_unknown = strcmp(what, "unknown-key") == 0;
        const bool is_wrong = strcmp(what, "wrong-server-key") == 0;
        if (is_unknown) {
                door_keypair_done(&own);
                door_keypair_make(&own);
        }
        const char *endpoints[] = { place->command, place->pull };
        for (size_t i = 0; i < 2; i++) {
                const door_key *server = is_wrong ? &other->keys[0] : &place->keys[0];
                const bool answered = is_unknown || is_wrong
                                              ? stranger(endpoints[i], server, &own)
                                              : without_bounds(endpoints[i], server, &own, what);
                (void)printf("%s %s %s: %s\n", argv[2], i == 0 ? "command" : "pull", what,
                             answered ? "an answer" : "nothing");
                code = answered && (is_unknown || is_wrong) ? EXIT_ANSWERED : code;
        }
        door_keypair_done(&own);
        (void)door_peers_free(peers);
        return code;
}
