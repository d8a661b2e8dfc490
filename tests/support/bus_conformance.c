/*
 * bus_conformance.c - the rig. One mutex guards what the two threads share; the bus and its
 * loop are touched by their own thread only.
 */
#include "support/bus_conformance.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RIG_FRAMES_MAX = 65536 };

struct bus_rig {
        pthread_t thread;
        uv_loop_t loop;
        uv_async_t async;
        door_bus *bus;
        rig_manner manner;

        pthread_mutex_t mutex;
        pthread_cond_t changed;
        /* Guarded: */
        void (*function)(door_bus *bus, void *argument);
        void *argument;
        bool leave;
        bool closed;
        rig_frame *frames;
        size_t frames_count;
        uint64_t turns;
        size_t turn_frames[2 + DOOR_UPSTREAMS_MAX];
        size_t turn_bytes[2 + DOOR_UPSTREAMS_MAX];
        size_t turn_frames_max;
        size_t turn_bytes_max;
        door_bus_counters last; /* Of a bus that is closed. */
};

static void closed_cb(void *context)
{
        bus_rig *rig = context;

        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        DOOR_REQUIRE(!rig->closed);
        rig->closed = true;
        DOOR_REQUIRE(pthread_cond_broadcast(&rig->changed) == 0);
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
}

static void bus_leave(bus_rig *rig)
{
        if (rig->bus != NULL) {
                rig->last = *door_bus_count(rig->bus);
                door_bus_close(rig->bus, closed_cb, rig);
                rig->bus = NULL;
        }
}

static void wait_us(long us)
{
        struct timespec now;
        struct timespec begun;

        (void)clock_gettime(CLOCK_MONOTONIC, &begun);
        do {
                (void)clock_gettime(CLOCK_MONOTONIC, &now);
        } while ((now.tv_sec - begun.tv_sec) * 1000000 + (now.tv_nsec - begun.tv_nsec) / 1000 < us);
}

static size_t frame_note(bus_rig *rig, door_channel channel, size_t upstream, uint64_t route,
                         const char *peer, door_bytes bytes)
{
        const size_t place = channel == DOOR_CHANNEL_UPSTREAM ? 2 + upstream
                             : channel == DOOR_CHANNEL_PULL   ? 0
                                                              : 1;

        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        DOOR_REQUIRE(rig->frames_count < RIG_FRAMES_MAX);
        rig_frame *frame = &rig->frames[rig->frames_count++];
        frame->channel = channel;
        frame->upstream = upstream;
        frame->route = route;
        if (peer != NULL) {
                memcpy(frame->peer, peer, strlen(peer) + 1);
        }
        frame->len = bytes.len;
        memcpy(frame->data, bytes.data, bytes.len < sizeof frame->data ? bytes.len : sizeof frame->data);
        frame->digest = door_hash_of_one(bytes);
        rig->turn_frames[place]++;
        rig->turn_bytes[place] += bytes.len;
        const size_t count = rig->frames_count;
        DOOR_REQUIRE(pthread_cond_broadcast(&rig->changed) == 0);
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        return count;
}

static void frame_cb(void *context, door_channel channel, size_t upstream, uint64_t route, const char *peer,
                     door_bytes frame)
{
        bus_rig *rig = context;
        const bool asking = channel == DOOR_CHANNEL_UPSTREAM;

        DOOR_REQUIRE(rig->bus != NULL);
        DOOR_REQUIRE(frame.len > 0 && frame.len <= DOOR_FRAME_BYTES_MAX);
        DOOR_REQUIRE(asking == (peer == NULL) && asking == (route == 0));
        DOOR_REQUIRE(asking || (peer[0] != '\0' && upstream == 0));
        const size_t count = frame_note(rig, channel, upstream, route, peer, frame);
        switch (rig->manner) {
        case RIG_LISTENS:
                break;
        case RIG_WORKS:
                wait_us(200);
                door_bus_send(rig->bus, channel, upstream, route, frame);
                break;
        case RIG_ECHOES:
                door_bus_send(rig->bus, channel, upstream, route, frame);
                break;
        case RIG_ANSWERS_ODD:
                if (count % 2 == 0) {
                        door_bus_send(rig->bus, channel, upstream, route, frame);
                }
                break;
        case RIG_CLOSES:
                door_bus_send(rig->bus, channel, upstream, route, frame);
                bus_leave(rig);
                break;
        case RIG_RECONNECTS:
                if (asking) {
                        door_bus_reconnect(rig->bus, upstream);
                }
                break;
        }
}

static void turn_cb(void *context)
{
        bus_rig *rig = context;
        size_t frames = 0;

        DOOR_REQUIRE(rig->bus != NULL);
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        for (size_t i = 0; i < 2 + DOOR_UPSTREAMS_MAX; i++) {
                frames += rig->turn_frames[i];
                if (rig->turn_frames[i] > rig->turn_frames_max) {
                        rig->turn_frames_max = rig->turn_frames[i];
                }
                if (rig->turn_bytes[i] > rig->turn_bytes_max) {
                        rig->turn_bytes_max = rig->turn_bytes[i];
                }
                rig->turn_frames[i] = 0;
                rig->turn_bytes[i] = 0;
        }
        DOOR_REQUIRE(frames > 0);
        rig->turns++;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
}

static void async_cb(uv_async_t *async)
{
        bus_rig *rig = async->data;

        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        void (*function)(door_bus * bus, void *argument) = rig->function;
        void *argument = rig->argument;
        const bool leave = rig->leave;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);

        if (leave) {
                bus_leave(rig);
                uv_close((uv_handle_t *)&rig->async, NULL);
                return;
        }
        if (function != NULL) {
                function(rig->bus, argument);
                DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
                rig->function = NULL;
                DOOR_REQUIRE(pthread_cond_broadcast(&rig->changed) == 0);
                DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        }
}

static void *rig_thread(void *argument)
{
        bus_rig *rig = argument;

        DOOR_REQUIRE(uv_run(&rig->loop, UV_RUN_DEFAULT) == 0);
        return NULL;
}

bus_rig *rig_new(const door_bus_options *options, rig_manner manner, door_error *reterr_error)
{
        bus_rig *rig = calloc(1, sizeof *rig);
        door_bus_options mine = *options;

        DOOR_REQUIRE(rig != NULL);
        rig->frames = calloc(RIG_FRAMES_MAX, sizeof *rig->frames);
        DOOR_REQUIRE(rig->frames != NULL);
        DOOR_REQUIRE(pthread_mutex_init(&rig->mutex, NULL) == 0 &&
                     pthread_cond_init(&rig->changed, NULL) == 0);
        DOOR_REQUIRE(uv_loop_init(&rig->loop) == 0);
        rig->manner = manner;
        mine.sink = (door_bus_sink){ rig, frame_cb, turn_cb };
        if (door_bus_open(&rig->loop, &mine, &rig->bus, reterr_error) != DOOR_OK) {
                DOOR_REQUIRE(rig->bus == NULL);
                DOOR_REQUIRE(uv_run(&rig->loop, UV_RUN_DEFAULT) == 0);
                DOOR_REQUIRE(uv_loop_close(&rig->loop) == 0);
                free(rig->frames);
                free(rig);
                return NULL;
        }
        DOOR_REQUIRE(uv_async_init(&rig->loop, &rig->async, async_cb) == 0);
        rig->async.data = rig;
        DOOR_REQUIRE(pthread_create(&rig->thread, NULL, rig_thread, rig) == 0);
        return rig;
}

bus_rig *rig_free(bus_rig *rig)
{
        if (rig == NULL) {
                return NULL;
        }
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        rig->leave = true;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        DOOR_REQUIRE(uv_async_send(&rig->async) == 0);
        DOOR_REQUIRE(pthread_join(rig->thread, NULL) == 0);
        DOOR_REQUIRE(rig->closed);
        DOOR_REQUIRE(uv_loop_close(&rig->loop) == 0);
        (void)pthread_mutex_destroy(&rig->mutex);
        (void)pthread_cond_destroy(&rig->changed);
        free(rig->frames);
        free(rig);
        return NULL;
}

void rig_do(bus_rig *rig, void (*function)(door_bus *bus, void *argument), void *argument)
{
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        rig->function = function;
        rig->argument = argument;
        DOOR_REQUIRE(uv_async_send(&rig->async) == 0);
        while (rig->function != NULL) {
                DOOR_REQUIRE(pthread_cond_wait(&rig->changed, &rig->mutex) == 0);
        }
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
}

typedef struct send_argument {
        door_channel channel;
        size_t upstream;
        uint64_t route;
        door_bytes frame;
} send_argument;

static void do_send(door_bus *bus, void *argument)
{
        const send_argument *a = argument;

        door_bus_send(bus, a->channel, a->upstream, a->route, a->frame);
}

void rig_send(bus_rig *rig, door_channel channel, size_t upstream, uint64_t route, door_bytes frame)
{
        send_argument argument = { channel, upstream, route, frame };

        rig_do(rig, do_send, &argument);
}

static void do_reconnect(door_bus *bus, void *argument)
{
        door_bus_reconnect(bus, *(const size_t *)argument);
}

void rig_reconnect(bus_rig *rig, size_t upstream)
{
        rig_do(rig, do_reconnect, &upstream);
}

typedef struct allow_argument {
        const door_peer_place *allowed;
        size_t count;
} allow_argument;

static void do_allow(door_bus *bus, void *argument)
{
        const allow_argument *a = argument;

        door_bus_allow(bus, a->allowed, a->count);
}

void rig_allow(bus_rig *rig, const door_peer_place *allowed, size_t count)
{
        allow_argument argument = { allowed, count };

        rig_do(rig, do_allow, &argument);
}

static void do_count(door_bus *bus, void *argument)
{
        if (bus != NULL) {
                *(door_bus_counters *)argument = *door_bus_count(bus);
        }
}

door_bus_counters rig_count(bus_rig *rig)
{
        door_bus_counters counters = rig->last;

        rig_do(rig, do_count, &counters);
        return counters;
}

static void do_block(door_bus *bus, void *argument)
{
        const unsigned ms = *(const unsigned *)argument;
        const struct timespec length = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

        (void)bus;
        (void)nanosleep(&length, NULL);
}

void rig_block(bus_rig *rig, unsigned ms)
{
        rig_do(rig, do_block, &ms);
}

size_t rig_wait(bus_rig *rig, size_t count, unsigned ms)
{
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += ms / 1000;
        until.tv_nsec += (long)(ms % 1000) * 1000000;
        if (until.tv_nsec >= 1000000000) {
                until.tv_sec++;
                until.tv_nsec -= 1000000000;
        }
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        while (rig->frames_count < count && pthread_cond_timedwait(&rig->changed, &rig->mutex, &until) == 0) {
        }
        const size_t there = rig->frames_count;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        return there;
}

rig_frame rig_frame_at(bus_rig *rig, size_t index)
{
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        DOOR_REQUIRE(index < rig->frames_count);
        const rig_frame frame = rig->frames[index];
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        return frame;
}

void rig_turn_max(bus_rig *rig, size_t *ret_frames, size_t *ret_bytes)
{
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        *ret_frames = rig->turn_frames_max;
        *ret_bytes = rig->turn_bytes_max;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
}

uint64_t rig_turns(bus_rig *rig)
{
        DOOR_REQUIRE(pthread_mutex_lock(&rig->mutex) == 0);
        const uint64_t turns = rig->turns;
        DOOR_REQUIRE(pthread_mutex_unlock(&rig->mutex) == 0);
        return turns;
}

door_peer_place rig_place(const char *name, const door_keypair *pair)
{
        door_peer_place place = { .keys_count = 1, .keys = { pair->public_key } };

        memcpy(place.name, name, strlen(name) + 1);
        return place;
}
