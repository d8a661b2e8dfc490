/*
 * bus_conformance.h - a bus on a thread of its own, watched: what tests/unit/test_bus_zmq.c asks
 * its questions with.
 *
 *      test thread                         bus thread
 *      door_client, raw sockets ──ipc──►   door_bus ─► frames noted (and echoed when asked)
 *      rig_do(function) ────async────►     runs between two turns of the loop
 *
 * The rig itself checks what must hold always: frames come before their turn's end, no turn ends
 * without a frame, a bound socket's frame has a peer and a route and an upstream's has neither,
 * and nothing is told after the close. A breach ends the program (DOOR_REQUIRE).
 */
#ifndef DOOR_TESTS_BUS_CONFORMANCE_H
#define DOOR_TESTS_BUS_CONFORMANCE_H

#include "shell/bus_zmq.h"

typedef struct bus_rig bus_rig;

/* A frame as it was told. */
typedef struct rig_frame {
        door_channel channel;
        size_t upstream;
        uint64_t route;
        char peer[DOOR_NAME_BYTES_MAX]; /* "" on an upstream. */
        size_t len;
        uint8_t data[64]; /* Its beginning. */
        door_hash digest; /* Of all of it. */
} rig_frame;

typedef enum rig_manner {
        RIG_LISTENS = 0,
        RIG_ECHOES,      /* sends each frame back where it came from */
        RIG_WORKS,       /* echoes, and takes 200 us for each */
        RIG_ANSWERS_ODD, /* echoes the second, fourth … frame only */
        RIG_CLOSES,      /* echoes the first frame and closes the bus in the same breath */
        RIG_RECONNECTS,  /* on an upstream's frame: reconnects that upstream from within */
} rig_manner;

/* NULL and *reterr_error when the bus does not open; the loop is then shown to close cleanly. */
bus_rig *rig_new(const door_bus_options *options, rig_manner manner, door_error *reterr_error);
/* Closes the bus where that has not happened, and shows that the loop closes cleanly. */
bus_rig *rig_free(bus_rig *rig);

/* Runs function(bus, argument) on the bus's thread and waits for it. */
void rig_do(bus_rig *rig, void (*function)(door_bus *bus, void *argument), void *argument);
void rig_send(bus_rig *rig, door_channel channel, size_t upstream, uint64_t route, door_bytes frame);
void rig_reconnect(bus_rig *rig, size_t upstream);
void rig_allow(bus_rig *rig, const door_peer_place *allowed, size_t count);
door_bus_counters rig_count(bus_rig *rig);
/* Keeps the bus's thread from turning for so long. */
void rig_block(bus_rig *rig, unsigned ms);

/* Waits until `count` frames have been told in all, at most ms; returns how many have. */
size_t rig_wait(bus_rig *rig, size_t count, unsigned ms);
rig_frame rig_frame_at(bus_rig *rig, size_t index);
/* The most one turn told from one socket. */
void rig_turn_max(bus_rig *rig, size_t *ret_frames, size_t *ret_bytes);
uint64_t rig_turns(bus_rig *rig);

/* Peers for an allow-list. */
door_peer_place rig_place(const char *name, const door_keypair *pair);

#endif
