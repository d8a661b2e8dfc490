/*
 * client.c - a DEALER under CURVE that waits with a bound for everything.
 *
 * Its context lives as long as the client; its socket only as long as the answers are good.
 */
#include "shell/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>
#include <zmq.h>

#include "shell/peers.h"

enum {
        HWM = 64,
        HANDSHAKE_MS = 3000,
        RECONNECT_MS = 50,
        RECONNECT_MAX_MS = 1000,
        PAUSE_MS = 50,
        PAUSE_MAX_MS = 1000,
        WIRE_EXTRA_BYTES = 64, /* see bus_zmq.c */
};

struct door_client {
        void *context;
        void *socket;
        char endpoint[DOOR_ENDPOINT_BYTES_MAX];
        door_key server_key;
        const door_keypair *own;
        zmq_msg_t frame; /* What receive has lent out. */
};

static uint64_t mono_ms(void)
{
        struct timespec now;

        DOOR_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void pause_ms(uint32_t ms)
{
        struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

        while (nanosleep(&left, &left) != 0 && errno == EINTR) {
        }
}

static bool option_int(void *socket, int option, int value)
{
        return zmq_setsockopt(socket, option, &value, sizeof value) == 0;
}

static bool options_set(void *socket, const door_keypair *own, const door_key *server_key)
{
        const int64_t frame_max = DOOR_FRAME_BYTES_MAX + WIRE_EXTRA_BYTES;

        return option_int(socket, ZMQ_SNDHWM, HWM) && option_int(socket, ZMQ_RCVHWM, HWM) &&
               option_int(socket, ZMQ_LINGER, 0) && option_int(socket, ZMQ_IMMEDIATE, 1) &&
               option_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
               option_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
               option_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
               zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0 &&
               zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key->bytes, DOOR_KEY_BYTES) == 0 &&
               zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_key.bytes, DOOR_KEY_BYTES) == 0 &&
               zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret, DOOR_KEY_BYTES) == 0;
}

door_status door_client_reopen(door_client *client)
{
        if (client->socket != NULL) {
                (void)zmq_close(client->socket);
        }
        client->socket = zmq_socket(client->context, ZMQ_DEALER);
        if (client->socket == NULL || !options_set(client->socket, client->own, &client->server_key) ||
            zmq_connect(client->socket, client->endpoint) != 0) {
                return DOOR_IO;
        }
        return DOOR_OK;
}

door_status door_client_open(const char *endpoint, const door_key *server_key, const door_keypair *own,
                             door_client **ret_client, door_error *reterr_error)
{
        door_client *client = NULL;
        door_status status = door_endpoint_check(endpoint, reterr_error);

        if (status != DOOR_OK) {
                return status;
        }
        client = calloc(1, sizeof *client);
        if (client == NULL) {
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "a client");
        }
        (void)zmq_msg_init(&client->frame);
        memcpy(client->endpoint, endpoint, strlen(endpoint) + 1);
        client->server_key = *server_key;
        client->own = own;
        client->context = zmq_ctx_new();
        if (client->context == NULL) {
                status = door_error_set(reterr_error, DOOR_NO_MEMORY, "a client");
                goto out;
        }
        status = door_client_reopen(client);
        if (status != DOOR_OK) {
                (void)door_error_set(reterr_error, status, "connect %.120s: %s", endpoint,
                                     zmq_strerror(errno));
                goto out;
        }
        *ret_client = client;
        client = NULL;
out:
        (void)door_client_free(client);
        return status;
}

door_client *door_client_free(door_client *client)
{
        if (client == NULL) {
                return NULL;
        }
        (void)zmq_msg_close(&client->frame);
        if (client->socket != NULL) {
                (void)zmq_close(client->socket);
        }
        while (client->context != NULL && zmq_ctx_term(client->context) != 0 && errno == EINTR) {
        }
        free(client);
        return NULL;
}

/* Waits until the socket is ready for `events`, at the latest until `until_ms` (mono). */
static door_status ready_wait(door_client *client, short events, uint64_t until_ms)
{
        for (;;) {
                const uint64_t now_ms = mono_ms();
                zmq_pollitem_t item = { .socket = client->socket, .events = events };
                const int ready = zmq_poll(&item, 1, until_ms > now_ms ? (long)(until_ms - now_ms) : 0);

                if (ready > 0) {
                        return DOOR_OK;
                }
                if (ready < 0 && errno != EINTR) {
                        return DOOR_IO;
                }
                if (mono_ms() >= until_ms) {
                        return DOOR_TIMED_OUT;
                }
        }
}

static door_status send_until(door_client *client, door_bytes frame, uint64_t until_ms)
{
        if (frame.len == 0 || frame.len > DOOR_FRAME_BYTES_MAX) {
                return DOOR_TOO_LARGE;
        }
        if (client->socket == NULL) {
                return DOOR_IO;
        }
        for (;;) {
                if (zmq_send(client->socket, frame.data, frame.len, ZMQ_DONTWAIT) >= 0) {
                        return DOOR_OK;
                }
                if (errno != EAGAIN && errno != EINTR) {
                        return DOOR_IO;
                }
                const door_status status = ready_wait(client, ZMQ_POLLOUT, until_ms);
                if (status != DOOR_OK) {
                        return status;
                }
        }
}

/* Reads and drops what is left of a message of several parts. */
static void rest_drop(door_client *client)
{
        while (zmq_msg_more(&client->frame) &&
               (zmq_msg_recv(&client->frame, client->socket, ZMQ_DONTWAIT) >= 0 || errno == EINTR)) {
        }
}

static door_status receive_until(door_client *client, uint64_t until_ms, door_bytes *ret_frame)
{
        if (client->socket == NULL) {
                return DOOR_IO;
        }
        for (;;) {
                if (zmq_msg_recv(&client->frame, client->socket, ZMQ_DONTWAIT) >= 0) {
                        break;
                }
                if (errno != EAGAIN && errno != EINTR) {
                        return DOOR_IO;
                }
                const door_status status = ready_wait(client, ZMQ_POLLIN, until_ms);
                if (status != DOOR_OK) {
                        return status;
                }
        }
        if (zmq_msg_more(&client->frame)) {
                rest_drop(client);
                return DOOR_MALFORMED;
        }
        *ret_frame = (door_bytes){ zmq_msg_data(&client->frame), zmq_msg_size(&client->frame) };
        return DOOR_OK;
}

door_status door_client_send(door_client *client, door_bytes frame, uint32_t timeout_ms)
{
        return send_until(client, frame, mono_ms() + timeout_ms);
}

door_status door_client_receive(door_client *client, uint32_t timeout_ms, door_bytes *ret_frame)
{
        return receive_until(client, mono_ms() + timeout_ms, ret_frame);
}

door_status door_client_ask(door_client *client, door_bytes frame, uint32_t timeout_ms, uint32_t tries,
                            door_bytes *ret_frame)
{
        uint32_t wait_ms = PAUSE_MS;
        door_status status = DOOR_TIMED_OUT;

        DOOR_REQUIRE(tries >= 1);
        for (uint32_t n = 0; n < tries; n++) {
                if (n > 0) {
                        /* By chance, so that many who were disappointed together do not come back together.
                         */
                        pause_ms(wait_ms + randombytes_uniform(wait_ms));
                        wait_ms = wait_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : wait_ms * 2;
                        status = door_client_reopen(client);
                        if (status != DOOR_OK) {
                                continue;
                        }
                }
                const uint64_t until_ms = mono_ms() + timeout_ms;
                status = send_until(client, frame, until_ms);
                if (status == DOOR_OK) {
                        status = receive_until(client, until_ms, ret_frame);
                }
                if (status == DOOR_OK || status == DOOR_TOO_LARGE) {
                        return status;
                }
        }
        return status;
}
