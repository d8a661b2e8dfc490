/*
 * bus_zmq.h - every socket of one service, in the service's own libuv loop.
 *
 *      consumers ──► pull     (ROUTER, bound) ─┐
 *      clients ────► command  (ROUTER, bound) ─┼─► on_frame … on_turn
 *      owners ◄────► upstream (DEALER, one each)┘
 *      handshakes ─► ZAP      (ROUTER, inproc): the allow-list, default deny
 *
 * CURVE on all of them, over ipc too. A frame is one message of one part, 1 byte to
 * DOOR_FRAME_BYTES_MAX; everything else is dropped and counted. A peer's name is what the ZAP
 * handler said when its key was proven, never what the peer says of itself; a key that a
 * reload has removed is refused from that moment on, also on connections that are up.
 *
 * The rule that keeps it alive: ZeroMQ's descriptor says "look", not "there is a message", and
 * every operation on a socket may eat that hint (zmq_getsockopt(3), ZMQ_FD). So nobody acts on
 * the descriptor: it only ends the loop's sleep. Before sleeping (uv_prepare) every socket is asked and
 * if anything is ready the loop does not sleep (uv_idle); after it (uv_check) bounded work is done. A timer
 * of 100 ms looks once more; `safety_found`, what it alone found, must stay 0.
 *
 * Happy path of a frame: descriptor, check, on_frame (up to 64 frames or 4 MiB a socket and
 * turn), on_turn, sends. Failure modes: a peer that is gone or does not read costs its own
 * frames only (dropped, counted: the puller asks again); an upstream that is away is reconnected to
 * by ZeroMQ with back-off, and the question that was open is asked again on the new connection.
 */
#ifndef DOOR_SHELL_BUS_ZMQ_H
#define DOOR_SHELL_BUS_ZMQ_H

#include <uv.h>

#include "shell/peers.h"

typedef struct door_bus door_bus;

typedef struct door_bus_sink {
        void *context;
        /* One frame. peer is NULL on UPSTREAM; route is 0 there. Everything is borrowed for the call.
         * Sending from here is fine. */
        void (*on_frame)(void *context, door_channel channel, size_t upstream, uint64_t route,
                         const char *peer, door_bytes frame);
        /* Frames have been told and no more come in this turn of the loop. */
        void (*on_turn)(void *context);
} door_bus_sink;

typedef struct door_bus_upstream {
        const char *endpoint; /* Its pull socket; copied. */
        const door_key *keys; /* Its public keys; copied. Each reconnect tries the next one. */
        size_t keys_count;    /* 1..DOOR_PEER_KEYS_MAX */
} door_bus_upstream;

typedef struct door_bus_options {
        const char *pull;    /* Endpoint to bind, or NULL for none. */
        const char *command; /* Endpoint to bind, or NULL for none. */
        const door_bus_upstream *upstreams;
        size_t upstreams_count;         /* 0..DOOR_UPSTREAMS_MAX */
        const door_keypair *own;        /* Borrowed until door_bus_close has called back. */
        const door_peer_place *allowed; /* Copied. */
        size_t allowed_count;           /* 0..DOOR_PEERS_MAX */
        door_bus_sink sink;
} door_bus_options;

/* What happened at the edge; all only grow. */
typedef struct door_bus_counters {
        uint64_t frames_in, frames_out;
        uint64_t dropped_multipart, dropped_empty, dropped_oversize; /* what came */
        uint64_t dropped_nameless; /* no proven name, or a routing id of the peer's own choice */
        uint64_t dropped_revoked;  /* its key is no longer allowed */
        uint64_t unsent_gone, unsent_full, unsent_size; /* what was to leave */
        uint64_t zap_accepted, zap_denied;
        uint64_t reconnects;   /* asked for by the machine */
        uint64_t asked_again;  /* open questions repeated on a new connection */
        uint64_t safety_found; /* work that only the 100 ms timer found: must stay 0 */
} door_bus_counters;

/*
 * door_bus_open - bind, connect, and start listening in the loop.
 *
 *   loop     [in]   kept until door_bus_close has called back.
 *   ret_bus  [out]  on DOOR_OK; end it with door_bus_close.
 *
 * Returns DOOR_OK; DOOR_INVALID for an endpoint that cannot be used (also a socket path over 107
 * bytes); DOOR_BUSY for an address in use; DOOR_NO_MEMORY; DOOR_IO. After a failure the loop must run
 * once more before it is closed.
 */
door_status door_bus_open(uv_loop_t *loop, const door_bus_options *options, door_bus **ret_bus,
                          door_error *reterr_error);

/*
 * door_bus_close - stop at once; closed(context) is called from the loop when nothing is left, the
 * bus itself included. No frame is told any more.
 */
void door_bus_close(door_bus *bus, void (*closed)(void *context), void *context);

/*
 * door_bus_send - hand one frame to a socket, never waiting.
 *
 *   channel  [in]  PULL or COMMAND: route says whom; UPSTREAM: upstream says whom.
 *
 * A frame that cannot leave is dropped and counted, but for one: the last frame of at most 4 KiB
 * sent on an upstream is kept until anything arrives from there, and sent (again) when the
 * connection comes up (again). A later frame takes its place.
 */
void door_bus_send(door_bus *bus, door_channel channel, size_t upstream, uint64_t route, door_bytes frame);

/* Drop the upstream's socket, make a new one: nothing of the old conversation arrives any more. */
void door_bus_reconnect(door_bus *bus, size_t upstream);

/* Replace the allow-list; takes effect with the next message, also on connections that are up. */
void door_bus_allow(door_bus *bus, const door_peer_place *allowed, size_t allowed_count);
/* Replace an upstream's keys; used from the next connection on. */
void door_bus_upstream_keys(door_bus *bus, size_t upstream, const door_key *keys, size_t keys_count);

const door_bus_counters *door_bus_count(const door_bus *bus);

#endif
