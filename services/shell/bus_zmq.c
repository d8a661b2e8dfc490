/*
 * bus_zmq.c - sockets, handshakes and the loop's attention.
 *
 *      turn of the loop:   timers ─► prepare ─► (sleep) ─► check ─► …
 *                                     │ ask every socket;      │ safety look, handshakes,
 *                                     │ ready: do not sleep    │ frames in bounds, on_turn
 *
 * Between a prepare and the sleep nothing touches a socket, so whatever arrives after the
 * prepare's question raises the descriptor and ends the sleep, and whatever came before it was
 * seen by the question. That is the whole argument why nothing is left lying; sends from
 * timers, callbacks and on_turn need no care of their own because a prepare follows them all.
 *
 * Order on one connection is ZeroMQ's own; we never put a message back. A turn takes at most
 * TURN_FRAMES_MAX messages from each socket, so no socket waits for another's flood to end.
 *
 * With ZMQ_IMMEDIATE a lost connection takes along what has arrived and was not yet read: an
 * asker may miss the last answer of a service that stops, and asks again. Nobody may lean on
 * having heard one.
 *
 * What an authenticated peer can still do to us: hold back the end of a message of very many
 * parts, which libzmq keeps in memory (MAXMSGSIZE bounds a part, nothing bounds their number).
 * Strangers cannot: before the handshake is through libzmq accepts commands only.
 */
#include "shell/bus_zmq.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

enum {
        TURN_FRAMES_MAX = 64,          /* messages taken from one socket in one turn */
        TURN_BYTES_MAX = 4 * DOOR_MIB, /* or, whatever comes first, bytes */
        /*
         * Messages queued per peer. Reading and batches: the pull's credit bounds them more tightly. Answers
         * to commands: as many as one peer can have waiting, because all of a batch leave at once. The
         * writer hears of reads only every half of it, so half is what can be relied on.
         */
        HWM = 64,
        HWM_SEND = DOOR_COMMANDS_QUEUED_MAX,
        SAFETY_MS = 100,
        LINGER_ASKING_MS = 0,       /* a question nobody will wait for */
        LINGER_ANSWERING_MS = 1000, /* the last answers of a stop, and the refusal that says why */
        HANDSHAKE_MS = 3000,
        RECONNECT_MS = 100,
        RECONNECT_MAX_MS = 5000,
        HEARTBEAT_MS = 2000,
        HEARTBEAT_TTL_MS = 10000,
        HEARTBEAT_TIMEOUT_MS = 5000,
        KEEPALIVE_S = 30,
        ASKED_BYTES_MAX = 4096,
        ROUTING_BYTES = 5,
        /* A frame under CURVE is longer on the wire (command name, flags, nonce, tag: 33 bytes), and that
         * is the length MAXMSGSIZE is compared with. */
        WIRE_EXTRA_BYTES = 64,
        /* ZMQ_ZAP_ENFORCE_DOMAIN: the header hides it behind the draft API, the library has it. Without it
         * a socket whose ZAP handler is gone lets everybody in (libzmq #2594). */
        OPTION_ZAP_ENFORCE_DOMAIN = 93,
        ZAP_PARTS_MAX =
                9, /* routing id, empty, version, request, domain, address, identity, mechanism, key */
};

/* Marks a route as one of ours, so that 0 never is one. */
#define ROUTE_MARK (UINT64_C(1) << 40)

static const char zap_endpoint[] = "inproc://zeromq.zap.01";
static const char zap_domain[] = "frontdoor";
static const char key_property[] = "X-Door-Key";

/* The sockets, by place. */
enum { SLOT_ZAP = 0, SLOT_PULL, SLOT_COMMAND, SLOT_UPSTREAM, SLOTS_MAX = SLOT_UPSTREAM + DOOR_UPSTREAMS_MAX };

typedef struct bus_socket {
        door_bus *bus;
        size_t slot;
        void *zmq;
        int fd; /* libzmq's own: polled, never read or closed. */
        uv_poll_t poll;
        bool polling;  /* poll is a handle of the loop. */
        bool skipping; /* The parts to come belong to a message already refused. */
} bus_socket;

/* An upstream's open question, see door_bus_send. */
typedef struct asked {
        uint8_t bytes[ASKED_BYTES_MAX];
        size_t len;  /* 0: none. */
        bool sent;   /* On the connection there is now. */
        bool before; /* On an earlier one. */
} asked;

typedef struct bus_upstream {
        char endpoint[DOOR_ENDPOINT_BYTES_MAX];
        door_key keys[DOOR_PEER_KEYS_MAX];
        size_t keys_count;
        size_t key_next;
        asked asked;
} bus_upstream;

/* The allow-list in the form both its readers compare: text. */
typedef struct bus_allowed {
        char name[DOOR_NAME_BYTES_MAX];
        char keys[DOOR_PEER_KEYS_MAX][DOOR_KEY_TEXT_BYTES];
        size_t keys_count;
} bus_allowed;

struct door_bus {
        uv_loop_t *loop;
        void *context; /* ZeroMQ's: one per bus, because the ZAP handler is found through it. */
        const door_keypair *own;
        door_bus_sink sink;
        bus_socket *sockets[SLOTS_MAX];
        bus_upstream upstreams[DOOR_UPSTREAMS_MAX];
        size_t upstreams_count;
        bus_allowed allowed[DOOR_PEERS_MAX];
        size_t allowed_count;

        uv_prepare_t prepare;
        uv_check_t check;
        uv_idle_t idle;
        uv_timer_t safety;
        bool awake; /* The last prepare found work: the loop has not slept. */

        size_t handles; /* Of the loop, not yet closed. */
        bool closing;
        void (*closed)(void *context);
        void *closed_context;
        door_bus_counters counters;
};

/* ---- Ending. */

static void bus_end(door_bus *bus)
{
        void (*closed)(void *context) = bus->closed;
        void *closed_context = bus->closed_context;

        while (zmq_ctx_term(bus->context) != 0 && errno == EINTR) {
        }
        free(bus);
        if (closed != NULL) {
                closed(closed_context);
        }
}

static void handle_closed(door_bus *bus)
{
        DOOR_REQUIRE(bus->handles > 0);
        bus->handles--;
        if (bus->closing && bus->handles == 0) {
                bus_end(bus);
        }
}

static void own_handle_closed_cb(uv_handle_t *handle)
{
        handle_closed(handle->data);
}

/* Only now: libuv must have let go of a descriptor before its owner closes it (libuv #1403). */
static void socket_closed_cb(uv_handle_t *handle)
{
        bus_socket *s = handle->data;
        door_bus *bus = s->bus;

        (void)zmq_close(s->zmq);
        free(s);
        handle_closed(bus);
}

/* Takes a socket out of the turn at once; it is closed when the loop has let go of it. */
static void socket_retire(bus_socket *s)
{
        if (s == NULL) {
                return;
        }
        s->bus->sockets[s->slot] = NULL;
        if (s->polling) {
                (void)uv_poll_stop(&s->poll);
                uv_close((uv_handle_t *)&s->poll, socket_closed_cb);
                return;
        }
        (void)zmq_close(s->zmq);
        free(s);
}

void door_bus_close(door_bus *bus, void (*closed)(void *context), void *context)
{
        DOOR_REQUIRE(!bus->closing);
        bus->closing = true;
        bus->closed = closed;
        bus->closed_context = context;
        for (size_t slot = 0; slot < SLOTS_MAX; slot++) {
                socket_retire(bus->sockets[slot]);
        }
        uv_close((uv_handle_t *)&bus->prepare, own_handle_closed_cb);
        uv_close((uv_handle_t *)&bus->check, own_handle_closed_cb);
        uv_close((uv_handle_t *)&bus->idle, own_handle_closed_cb);
        uv_close((uv_handle_t *)&bus->safety, own_handle_closed_cb);
}

/* ---- Making sockets. */

static bool option_int(void *zmq, int option, int value)
{
        return zmq_setsockopt(zmq, option, &value, sizeof value) == 0;
}

static bool options_for_all(void *zmq, size_t slot)
{
        const int send = slot == SLOT_PULL || slot == SLOT_ZAP ? HWM : HWM_SEND;
        const int linger = slot >= SLOT_UPSTREAM ? LINGER_ASKING_MS : LINGER_ANSWERING_MS;
        const int64_t frame_max = DOOR_FRAME_BYTES_MAX + WIRE_EXTRA_BYTES;

        return option_int(zmq, ZMQ_SNDHWM, send) && option_int(zmq, ZMQ_RCVHWM, HWM) &&
               option_int(zmq, ZMQ_LINGER, linger) && option_int(zmq, ZMQ_IMMEDIATE, 1) &&
               option_int(zmq, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
               option_int(zmq, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
               option_int(zmq, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
               zmq_setsockopt(zmq, ZMQ_MAXMSGSIZE, &frame_max, sizeof frame_max) == 0;
}

/* Half-open connections: a peer whose machine went away says nothing. On ipc there is no such thing. */
static bool options_for_tcp(void *zmq)
{
        return option_int(zmq, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) &&
               option_int(zmq, ZMQ_HEARTBEAT_TTL, HEARTBEAT_TTL_MS) &&
               option_int(zmq, ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS) &&
               option_int(zmq, ZMQ_TCP_KEEPALIVE, 1) && option_int(zmq, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_S);
}

static bool options_for_server(void *zmq, const door_keypair *own)
{
        return option_int(zmq, ZMQ_CURVE_SERVER, 1) &&
               zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, own->secret, DOOR_KEY_BYTES) == 0 &&
               zmq_setsockopt(zmq, ZMQ_ZAP_DOMAIN, zap_domain, sizeof zap_domain - 1) == 0 &&
               option_int(zmq, OPTION_ZAP_ENFORCE_DOMAIN, 1) && option_int(zmq, ZMQ_ROUTER_MANDATORY, 1);
}

static bool options_for_client(void *zmq, const door_keypair *own, const door_key *server)
{
        return zmq_setsockopt(zmq, ZMQ_CURVE_SERVERKEY, server->bytes, DOOR_KEY_BYTES) == 0 &&
               zmq_setsockopt(zmq, ZMQ_CURVE_PUBLICKEY, own->public_key.bytes, DOOR_KEY_BYTES) == 0 &&
               zmq_setsockopt(zmq, ZMQ_CURVE_SECRETKEY, own->secret, DOOR_KEY_BYTES) == 0;
}

/* Does nothing on purpose: the descriptor only ends the loop's sleep, the work is check's. */
static void socket_poll_cb(uv_poll_t *poll, int status, int events)
{
        (void)poll;
        (void)status;
        (void)events;
}

static bool socket_watch(bus_socket *s)
{
        size_t size = sizeof s->fd;

        if (zmq_getsockopt(s->zmq, ZMQ_FD, &s->fd, &size) != 0 ||
            uv_poll_init(s->bus->loop, &s->poll, s->fd) != 0) {
                return false;
        }
        s->poll.data = s;
        s->polling = true;
        s->bus->handles++;
        /* Readable only, also when waiting to send: the descriptor is libzmq's mailbox. */
        return uv_poll_start(&s->poll, UV_READABLE, socket_poll_cb) == 0;
}

/* A socket in its slot, watched, not yet bound or connected. NULL: no memory or no descriptors. */
static bus_socket *socket_new(door_bus *bus, size_t slot)
{
        bus_socket *s = calloc(1, sizeof *s);

        if (s == NULL) {
                return NULL;
        }
        s->bus = bus;
        s->slot = slot;
        s->zmq = zmq_socket(bus->context, slot >= SLOT_UPSTREAM ? ZMQ_DEALER : ZMQ_ROUTER);
        if (s->zmq == NULL) {
                free(s);
                return NULL;
        }
        bus->sockets[slot] = s;
        if (!options_for_all(s->zmq, slot) || !socket_watch(s)) {
                socket_retire(s);
                return NULL;
        }
        return s;
}

static bool endpoint_is_tcp(const char *endpoint)
{
        return strncmp(endpoint, "tcp://", 6) == 0;
}

static door_status zap_open(door_bus *bus, door_error *reterr_error)
{
        bus_socket *s = socket_new(bus, SLOT_ZAP);

        if (s == NULL || !option_int(s->zmq, ZMQ_ROUTER_MANDATORY, 1) ||
            zmq_bind(s->zmq, zap_endpoint) != 0) {
                return door_error_set(reterr_error, DOOR_IO, "the handshake socket: %s", zmq_strerror(errno));
        }
        return DOOR_OK;
}

static door_status server_open(door_bus *bus, size_t slot, const char *endpoint, door_error *reterr_error)
{
        char listen[DOOR_ENDPOINT_BYTES_MAX];
        const door_status status = door_endpoint_check(endpoint, reterr_error);

        if (status != DOOR_OK) {
                return status;
        }
        bus_socket *s = socket_new(bus, slot);
        if (s == NULL || !options_for_server(s->zmq, bus->own) ||
            (endpoint_is_tcp(endpoint) && !options_for_tcp(s->zmq))) {
                return door_error_set(reterr_error, DOOR_IO, "a socket for %.120s: %s", endpoint,
                                      zmq_strerror(errno));
        }
        door_endpoint_to_bind(endpoint, listen);
        if (zmq_bind(s->zmq, listen) != 0) {
                return door_error_set(reterr_error, errno == EADDRINUSE ? DOOR_BUSY : DOOR_IO,
                                      "bind %.120s: %s", listen, zmq_strerror(errno));
        }
        return DOOR_OK;
}

static door_status upstream_open(door_bus *bus, size_t upstream, door_error *reterr_error)
{
        bus_upstream *u = &bus->upstreams[upstream];
        const door_key *key = &u->keys[u->key_next % u->keys_count];

        u->key_next++;
        bus_socket *s = socket_new(bus, SLOT_UPSTREAM + upstream);
        if (s == NULL || !options_for_client(s->zmq, bus->own, key) ||
            (endpoint_is_tcp(u->endpoint) && !options_for_tcp(s->zmq)) ||
            zmq_connect(s->zmq, u->endpoint) != 0) {
                (void)door_error_set(reterr_error, DOOR_IO, "connect %.120s: %s", u->endpoint,
                                     zmq_strerror(errno));
                socket_retire(bus->sockets[SLOT_UPSTREAM + upstream]);
                return DOOR_IO;
        }
        return DOOR_OK;
}

/* ---- The allow-list. */

void door_bus_allow(door_bus *bus, const door_peer_place *allowed, size_t allowed_count)
{
        DOOR_REQUIRE(allowed_count <= DOOR_PEERS_MAX);
        for (size_t i = 0; i < allowed_count; i++) {
                bus_allowed *to = &bus->allowed[i];

                DOOR_REQUIRE(allowed[i].keys_count <= DOOR_PEER_KEYS_MAX);
                memcpy(to->name, allowed[i].name, sizeof to->name);
                to->keys_count = allowed[i].keys_count;
                for (size_t k = 0; k < to->keys_count; k++) {
                        door_key_print(&allowed[i].keys[k], to->keys[k]);
                }
        }
        bus->allowed_count = allowed_count;
}

/* The peer this key belongs to, or NULL. */
static const bus_allowed *allowed_find(const door_bus *bus, const char *key)
{
        for (size_t i = 0; i < bus->allowed_count; i++) {
                for (size_t k = 0; k < bus->allowed[i].keys_count; k++) {
                        if (strcmp(bus->allowed[i].keys[k], key) == 0) {
                                return &bus->allowed[i];
                        }
                }
        }
        return NULL;
}

/* ---- ZAP (RFC 27): libzmq asks who a key is, in parts; we answer in parts. */

typedef struct zap_request {
        zmq_msg_t parts[ZAP_PARTS_MAX];
        size_t count;
        bool whole; /* Exactly the parts of a CURVE request. */
} zap_request;

static door_bytes part_bytes(zmq_msg_t *part)
{
        return (door_bytes){ zmq_msg_data(part), zmq_msg_size(part) };
}

static bool part_is(zmq_msg_t *part, const char *text)
{
        return door_bytes_equal(part_bytes(part), door_bytes_of(text));
}

/* One part of s, waiting for nothing. False: there is none. */
static bool part_receive(bus_socket *s, zmq_msg_t *part)
{
        int got;

        do {
                got = zmq_msg_recv(part, s->zmq, ZMQ_DONTWAIT);
        } while (got < 0 && errno == EINTR);
        return got >= 0;
}

/* False: nothing there. The request's parts must be closed when true. */
static bool zap_receive(bus_socket *s, zap_request *request)
{
        bool more = true;

        request->count = 0;
        while (more && request->count < ZAP_PARTS_MAX) {
                zmq_msg_t *part = &request->parts[request->count];

                (void)zmq_msg_init(part);
                if (!part_receive(s, part)) {
                        (void)zmq_msg_close(part);
                        /* A message is delivered whole: only its first part can be missing. */
                        DOOR_REQUIRE(request->count == 0);
                        return false;
                }
                request->count++;
                more = zmq_msg_more(part) != 0;
        }
        s->skipping = more;
        request->whole = request->count == ZAP_PARTS_MAX && !more;
        return true;
}

/* One part to s, waiting for nothing. False: errno says why it did not leave. */
static bool part_send(bus_socket *s, door_bytes bytes, bool last)
{
        int sent;

        do {
                sent = zmq_send(s->zmq, bytes.data, bytes.len, ZMQ_DONTWAIT | (last ? 0 : ZMQ_SNDMORE));
        } while (sent < 0 && errno == EINTR);
        return sent >= 0;
}

static void zap_send(bus_socket *s, door_bytes bytes, bool last, bool *ok)
{
        /* The asker may be gone by now: then the first part fails, and never a later one. */
        *ok = *ok && part_send(s, bytes, last);
}

static void zap_answer(bus_socket *s, zap_request *request, const char *code, const char *user,
                       const char *key)
{
        uint8_t storage[128];
        door_writer metadata = door_writer_on(storage, sizeof storage);
        bool ok = true;

        if (key != NULL) {
                door_write_u8(&metadata, (uint8_t)(sizeof key_property - 1));
                door_write(&metadata, door_bytes_of(key_property));
                door_write_u32(&metadata, DOOR_KEY_TEXT_BYTES - 1);
                door_write(&metadata, door_bytes_of(key));
        }
        zap_send(s, part_bytes(&request->parts[0]), false, &ok);
        zap_send(s, DOOR_BYTES_EMPTY, false, &ok);
        zap_send(s, door_bytes_of("1.0"), false, &ok);
        zap_send(s, part_bytes(&request->parts[3]), false, &ok);
        zap_send(s, door_bytes_of(code), false, &ok);
        zap_send(s, door_bytes_of(key == NULL ? "no" : "yes"), false, &ok);
        zap_send(s, door_bytes_of(user), false, &ok);
        zap_send(s, door_written(&metadata), true, &ok);
}

/* Default deny: one path leads to 200, everything else is 400. */
static void zap_decide(bus_socket *s, zap_request *request)
{
        door_bus *bus = s->bus;
        char key[DOOR_KEY_TEXT_BYTES];
        const bus_allowed *peer = NULL;

        if (request->whole && part_is(&request->parts[2], "1.0") && part_is(&request->parts[4], zap_domain) &&
            part_is(&request->parts[7], "CURVE") && zmq_msg_size(&request->parts[8]) == DOOR_KEY_BYTES) {
                DOOR_REQUIRE(zmq_z85_encode(key, zmq_msg_data(&request->parts[8]), DOOR_KEY_BYTES) != NULL);
                peer = allowed_find(bus, key);
        }
        if (peer != NULL) {
                bus->counters.zap_accepted++;
                zap_answer(s, request, "200", peer->name, key);
                return;
        }
        bus->counters.zap_denied++;
        if (request->count > 3) {
                zap_answer(s, request, "400", "", NULL);
        }
}

/* ---- Frames. */

static uint64_t route_of(door_bytes id)
{
        uint64_t route = 0;

        for (size_t i = 0; i < id.len; i++) {
                route = (route << 8) | id.data[i];
        }
        return route | ROUTE_MARK;
}

static void route_print(uint64_t route, uint8_t id[ROUTING_BYTES])
{
        for (size_t i = 0; i < ROUTING_BYTES; i++) {
                id[i] = (uint8_t)(route >> (8 * (ROUTING_BYTES - 1 - i)));
        }
}

/* The name that was proven for this message's connection, while its key is still allowed. */
static const char *peer_of(door_bus *bus, zmq_msg_t *body)
{
        const char *name = zmq_msg_gets(body, "User-Id");
        const char *key = zmq_msg_gets(body, key_property);

        if (name == NULL || key == NULL) {
                bus->counters.dropped_nameless++;
                return NULL;
        }
        const bus_allowed *peer = allowed_find(bus, key);
        if (peer == NULL || strcmp(peer->name, name) != 0) {
                bus->counters.dropped_revoked++;
                return NULL;
        }
        return name;
}

/* Judges a body whose routing id, if any, was read before; tells it or counts why not. */
static bool body_tell(bus_socket *s, zmq_msg_t *body, uint64_t route)
{
        door_bus *bus = s->bus;
        const bool asking = s->slot >= SLOT_UPSTREAM;
        const size_t upstream = asking ? s->slot - SLOT_UPSTREAM : 0;
        const char *peer = NULL;

        if (zmq_msg_more(body)) {
                s->skipping = true;
                bus->counters.dropped_multipart++;
                return false;
        }
        const door_bytes frame = part_bytes(body);
        if (frame.len == 0) {
                bus->counters.dropped_empty++;
                return false;
        }
        if (frame.len > DOOR_FRAME_BYTES_MAX) {
                bus->counters.dropped_oversize++;
                return false;
        }
        if (!asking) {
                if (route == 0) {
                        bus->counters.dropped_nameless++;
                        return false;
                }
                peer = peer_of(bus, body);
                if (peer == NULL) {
                        return false;
                }
        } else {
                bus->upstreams[upstream].asked.len = 0;
        }
        bus->counters.frames_in++;
        bus->sink.on_frame(bus->sink.context,
                           asking                 ? DOOR_CHANNEL_UPSTREAM
                           : s->slot == SLOT_PULL ? DOOR_CHANNEL_PULL
                                                  : DOOR_CHANNEL_COMMAND,
                           upstream, route, peer, frame);
        return true;
}

/* One message, or one part of a message being skipped. False: there is none. */
static bool message_take(bus_socket *s, size_t *bytes, bool *told)
{
        zmq_msg_t part;
        uint64_t route = 0;
        bool got;

        (void)zmq_msg_init(&part);
        got = part_receive(s, &part);
        if (got && s->skipping) {
                s->skipping = zmq_msg_more(&part) != 0;
                goto out;
        }
        if (got && s->slot < SLOT_UPSTREAM) {
                const door_bytes id = part_bytes(&part);

                /* Ours begin with 0; a peer that chose its own identity is not answered. */
                if (id.len == ROUTING_BYTES && id.data[0] == 0) {
                        route = route_of(id);
                }
                DOOR_REQUIRE(zmq_msg_more(&part));
                got = part_receive(s, &part);
                DOOR_REQUIRE(got); /* A message is delivered whole. */
        }
        if (got) {
                *bytes += zmq_msg_size(&part);
                *told |= body_tell(s, &part, route);
        }
out:
        (void)zmq_msg_close(&part);
        return got;
}

/* An upstream's question that has not been sent on the connection there is. */
static void asked_send(bus_socket *s)
{
        asked *a = &s->bus->upstreams[s->slot - SLOT_UPSTREAM].asked;

        if (a->len == 0 || a->sent || !part_send(s, (door_bytes){ a->bytes, a->len }, true)) {
                return;
        }
        s->bus->counters.frames_out++;
        s->bus->counters.asked_again += a->before ? 1 : 0;
        a->sent = true;
        a->before = true;
}

/* Asks libzmq, whose word alone counts: is there anything to do for s? */
static bool socket_has_work(bus_socket *s)
{
        int events = 0;
        size_t size = sizeof events;

        int asked_events = 0;
        do { /* A signal may interrupt the question: SIGTERM must stop us, not break us. */
                asked_events = zmq_getsockopt(s->zmq, ZMQ_EVENTS, &events, &size);
        } while (asked_events != 0 && zmq_errno() == EINTR);
        DOOR_REQUIRE(asked_events == 0);
        if (s->slot < SLOT_UPSTREAM) {
                return (events & ZMQ_POLLIN) != 0;
        }
        asked *a = &s->bus->upstreams[s->slot - SLOT_UPSTREAM].asked;
        if ((events & ZMQ_POLLOUT) == 0) {
                /* With ZMQ_IMMEDIATE there is nobody to send to: what was asked went with the connection. */
                a->sent = false;
                return (events & ZMQ_POLLIN) != 0;
        }
        return (events & ZMQ_POLLIN) != 0 || (a->len > 0 && !a->sent);
}

/* Bounded work for one socket. Stops when the sink has closed or replaced it. */
static bool socket_work(door_bus *bus, size_t slot)
{
        bus_socket *s = bus->sockets[slot];
        size_t bytes = 0;
        bool told = false;

        for (size_t n = 0; n < TURN_FRAMES_MAX && bytes < TURN_BYTES_MAX; n++) {
                if (slot == SLOT_ZAP && !s->skipping) {
                        zap_request request;

                        if (!zap_receive(s, &request)) {
                                break;
                        }
                        zap_decide(s, &request);
                        for (size_t i = 0; i < request.count; i++) {
                                (void)zmq_msg_close(&request.parts[i]);
                        }
                } else if (!message_take(s, &bytes, &told)) {
                        break;
                }
                if (bus->closing || bus->sockets[slot] != s) {
                        return told;
                }
        }
        if (slot >= SLOT_UPSTREAM && socket_has_work(s)) {
                asked_send(s);
        }
        return told;
}

/* ---- The loop's attention. */

/* Nothing: that it is there keeps the loop from sleeping. */
static void bus_idle_cb(uv_idle_t *idle)
{
        (void)idle;
}

static void bus_prepare_cb(uv_prepare_t *prepare)
{
        door_bus *bus = prepare->data;

        bus->awake = false;
        for (size_t slot = 0; slot < SLOTS_MAX; slot++) {
                bus_socket *s = bus->sockets[slot];

                if (s != NULL) {
                        bus->awake |= socket_has_work(s);
                }
        }
        if (bus->awake) {
                (void)uv_idle_start(&bus->idle, bus_idle_cb);
        }
}

/*
 * What would have lain there until now if nobody had looked: work on a socket whose descriptor
 * says nothing, after a sleep that only the timer ended. Descriptor first, then libzmq, and all of
 * it before anything is done, because our own sends eat hints.
 */
static void safety_look(door_bus *bus)
{
        if (bus->awake || uv_timer_get_due_in(&bus->safety) != 0) {
                return;
        }
        for (size_t slot = 0; slot < SLOTS_MAX; slot++) {
                bus_socket *s = bus->sockets[slot];

                if (s == NULL) {
                        continue;
                }
                struct pollfd hint = { .fd = s->fd, .events = POLLIN };
                if (poll(&hint, 1, 0) == 0 && socket_has_work(s)) {
                        bus->counters.safety_found++;
                }
        }
}

static void bus_check_cb(uv_check_t *check)
{
        door_bus *bus = check->data;
        bool told = false;

        (void)uv_idle_stop(&bus->idle);
        safety_look(bus);
        for (size_t slot = 0; slot < SLOTS_MAX && !bus->closing; slot++) {
                if (bus->sockets[slot] != NULL) {
                        told |= socket_work(bus, slot);
                }
        }
        if (told && !bus->closing) {
                bus->sink.on_turn(bus->sink.context);
        }
}

/* The timer's only work is to end the sleep: check follows. */
static void bus_safety_cb(uv_timer_t *timer)
{
        (void)timer;
}

/* ---- The interface. */

static void loop_join(door_bus *bus)
{
        (void)uv_prepare_init(bus->loop, &bus->prepare);
        (void)uv_check_init(bus->loop, &bus->check);
        (void)uv_idle_init(bus->loop, &bus->idle);
        (void)uv_timer_init(bus->loop, &bus->safety);
        bus->prepare.data = bus;
        bus->check.data = bus;
        bus->idle.data = bus;
        bus->safety.data = bus;
        bus->handles = 4;
        (void)uv_prepare_start(&bus->prepare, bus_prepare_cb);
        (void)uv_check_start(&bus->check, bus_check_cb);
        (void)uv_timer_start(&bus->safety, bus_safety_cb, SAFETY_MS, SAFETY_MS);
}

static door_status upstreams_open(door_bus *bus, const door_bus_options *options, door_error *reterr_error)
{
        for (size_t i = 0; i < options->upstreams_count; i++) {
                const door_bus_upstream *from = &options->upstreams[i];
                door_status status = door_endpoint_check(from->endpoint, reterr_error);

                if (status != DOOR_OK) {
                        return status;
                }
                memcpy(bus->upstreams[i].endpoint, from->endpoint, strlen(from->endpoint) + 1);
                bus->upstreams_count++;
                door_bus_upstream_keys(bus, i, from->keys, from->keys_count);
                status = upstream_open(bus, i, reterr_error);
                if (status != DOOR_OK) {
                        return status;
                }
        }
        return DOOR_OK;
}

door_status door_bus_open(uv_loop_t *loop, const door_bus_options *options, door_bus **ret_bus,
                          door_error *reterr_error)
{
        DOOR_REQUIRE(options->upstreams_count <= DOOR_UPSTREAMS_MAX);
        door_bus *bus = calloc(1, sizeof *bus);
        void *context = zmq_ctx_new();

        if (bus == NULL || context == NULL) {
                free(bus);
                if (context != NULL) {
                        (void)zmq_ctx_term(context);
                }
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "the bus");
        }
        bus->loop = loop;
        bus->context = context;
        bus->own = options->own;
        bus->sink = options->sink;
        loop_join(bus);
        door_bus_allow(bus, options->allowed, options->allowed_count);

        /* Handshakes before everything: a socket bound earlier would have nobody to ask. */
        door_status status = zap_open(bus, reterr_error);
        if (status == DOOR_OK && options->pull != NULL) {
                status = server_open(bus, SLOT_PULL, options->pull, reterr_error);
        }
        if (status == DOOR_OK && options->command != NULL) {
                status = server_open(bus, SLOT_COMMAND, options->command, reterr_error);
        }
        if (status == DOOR_OK) {
                status = upstreams_open(bus, options, reterr_error);
        }
        if (status != DOOR_OK) {
                door_bus_close(bus, NULL, NULL);
                return status;
        }
        *ret_bus = bus;
        return DOOR_OK;
}

/* To one peer of a bound socket. */
static void answer_send(door_bus *bus, bus_socket *s, uint64_t route, door_bytes frame)
{
        uint8_t id[ROUTING_BYTES];
        zmq_msg_t body;
        int sent;

        route_print(route, id);
        /* The body is made first: after a routing id nothing may fail any more, or the next frame would
         * be taken for the rest of this one. */
        if (zmq_msg_init_size(&body, frame.len) != 0) {
                bus->counters.unsent_full++;
                return;
        }
        memcpy(zmq_msg_data(&body), frame.data, frame.len);
        if (!part_send(s, (door_bytes){ id, sizeof id }, false)) {
                if (errno == EAGAIN) {
                        bus->counters.unsent_full++;
                } else {
                        bus->counters.unsent_gone++;
                }
                (void)zmq_msg_close(&body);
                return;
        }
        do {
                sent = zmq_msg_send(&body, s->zmq, ZMQ_DONTWAIT);
        } while (sent < 0 && errno == EINTR);
        DOOR_REQUIRE(sent >= 0);
        bus->counters.frames_out++;
}

/* To an upstream: kept when short, for the connection to come. */
static void question_send(door_bus *bus, bus_socket *s, size_t upstream, door_bytes frame)
{
        asked *a = &bus->upstreams[upstream].asked;

        a->len = 0;
        if (frame.len <= ASKED_BYTES_MAX) {
                memcpy(a->bytes, frame.data, frame.len);
                a->len = frame.len;
                a->sent = false;
                a->before = false;
                asked_send(s);
                return;
        }
        if (!part_send(s, frame, true)) {
                bus->counters.unsent_full++;
                return;
        }
        bus->counters.frames_out++;
}

void door_bus_send(door_bus *bus, door_channel channel, size_t upstream, uint64_t route, door_bytes frame)
{
        const bool asking = channel == DOOR_CHANNEL_UPSTREAM;

        DOOR_REQUIRE(!asking || upstream < bus->upstreams_count);
        bus_socket *s = bus->sockets[asking                         ? SLOT_UPSTREAM + upstream
                                     : channel == DOOR_CHANNEL_PULL ? SLOT_PULL
                                                                    : SLOT_COMMAND];
        if (frame.len == 0 || frame.len > DOOR_FRAME_BYTES_MAX) {
                bus->counters.unsent_size++;
                return;
        }
        if (bus->closing || s == NULL || (!asking && (route & ROUTE_MARK) == 0)) {
                bus->counters.unsent_gone++;
                return;
        }
        if (asking) {
                question_send(bus, s, upstream, frame);
        } else {
                answer_send(bus, s, route, frame);
        }
}

void door_bus_reconnect(door_bus *bus, size_t upstream)
{
        DOOR_REQUIRE(upstream < bus->upstreams_count);
        if (bus->closing) {
                return;
        }
        bus->counters.reconnects++;
        bus->upstreams[upstream].asked.len = 0;
        socket_retire(bus->sockets[SLOT_UPSTREAM + upstream]);
        /* No socket to be had now: the machine's next timeout asks again. */
        (void)upstream_open(bus, upstream, NULL);
}

void door_bus_upstream_keys(door_bus *bus, size_t upstream, const door_key *keys, size_t keys_count)
{
        DOOR_REQUIRE(upstream < bus->upstreams_count && keys_count >= 1 && keys_count <= DOOR_PEER_KEYS_MAX);
        memcpy(bus->upstreams[upstream].keys, keys, keys_count * sizeof *keys);
        bus->upstreams[upstream].keys_count = keys_count;
        bus->upstreams[upstream].key_next = 0;
}

const door_bus_counters *door_bus_count(const door_bus *bus)
{
        return &bus->counters;
}
