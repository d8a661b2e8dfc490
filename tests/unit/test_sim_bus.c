/*
 * Goal: the simulated bus keeps what every bus keeps, and loses, delays and revives what a real one
 * may, so that the seeds are about the same network as the programs.
 * Method: the contract shared with bus_zmq on a calm bus; then many frames on a faulty one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_bus.h"
#include "support/bus_contract.h"

enum { SERVICE = 0, FRAMES_MAX = 256, BYTES_MAX = 5000 };

typedef struct frame {
        uint64_t at_us;
        size_t from;
        size_t to;
        uint64_t epoch; /* Of the asker's connection. */
        size_t len;
        uint8_t bytes[BYTES_MAX];
} frame;

/* A service that echoes, two askers, and the frames between them in order of arrival. */
typedef struct network {
        sim_rng rng;
        sim_bus bus;
        uint64_t now_us;
        uint64_t epochs[3];
        frame *frames[FRAMES_MAX];
        size_t count;
        frame *last[3]; /* What an asker has heard, and is borrowed. */
        frame *heard[3][FRAMES_MAX];
        size_t heard_count[3];
        size_t told_from;
} network;

static int setup(void **state)
{
        network *n = calloc(1, sizeof *n);

        n->rng = sim_rng_seed(7);
        n->bus.rng = &n->rng;
        n->now_us = 1000;
        *state = n;
        return 0;
}

static int teardown(void **state)
{
        network *n = *state;

        for (size_t i = 0; i < n->count; i++) {
                free(n->frames[i]);
        }
        for (size_t asker = 1; asker < 3; asker++) {
                for (size_t i = 0; i < n->heard_count[asker]; i++) {
                        free(n->heard[asker][i]);
                }
                free(n->last[asker]);
        }
        free(n);
        return 0;
}

static void frame_send(network *n, size_t from, size_t to, uint64_t epoch, door_bytes bytes)
{
        const uint64_t at_us = sim_bus_send(&n->bus, from, to, n->now_us);
        frame *f = calloc(1, sizeof *f);

        assert_true(n->count < FRAMES_MAX && bytes.len <= BYTES_MAX && at_us != 0);
        *f = (frame){ .at_us = at_us, .from = from, .to = to, .epoch = epoch, .len = bytes.len };
        memcpy(f->bytes, bytes.data, bytes.len);
        n->frames[n->count++] = f;
}

/* The earliest frame arrives. */
static void frame_arrive(network *n)
{
        size_t first = 0;

        for (size_t i = 1; i < n->count; i++) {
                first = n->frames[i]->at_us < n->frames[first]->at_us ? i : first;
        }
        frame *f = n->frames[first];
        n->frames[first] = n->frames[--n->count];
        n->now_us = f->at_us;
        if (f->to == SERVICE) {
                n->told_from = f->from;
                frame_send(n, SERVICE, f->from, f->epoch, (door_bytes){ f->bytes, f->len });
                free(f);
        } else if (f->epoch != n->epochs[f->to] && !sim_bus_hears_late(&n->bus)) {
                free(f);
        } else {
                n->heard[f->to][n->heard_count[f->to]++] = f;
        }
}

static void say(void *context, size_t asker, door_bytes bytes)
{
        network *n = context;
        frame_send(n, asker + 1, SERVICE, n->epochs[asker + 1], bytes);
}

static bool hear(void *context, size_t asker, bool expected, door_bytes *ret_frame)
{
        (void)expected; /* Time is virtual: what comes has come. */
        network *n = context;
        const size_t me = asker + 1;

        while (n->heard_count[me] == 0 && n->count > 0) {
                frame_arrive(n);
        }
        if (n->heard_count[me] == 0) {
                return false;
        }
        free(n->last[me]);
        n->last[me] = n->heard[me][0];
        n->heard_count[me]--;
        memmove(&n->heard[me][0], &n->heard[me][1], n->heard_count[me] * sizeof n->heard[me][0]);
        *ret_frame = (door_bytes){ n->last[me]->bytes, n->last[me]->len };
        return true;
}

static void reconnect(void *context, size_t asker)
{
        ((network *)context)->epochs[asker + 1]++;
}

static const char *last_told_as(void *context)
{
        return ((network *)context)->told_from == 1 ? "alice" : "bob";
}

static void a_calm_bus_keeps_the_contract_of_every_bus(void **state)
{
        const bus_contract contract = { *state, say, hear, reconnect, last_told_as };
        bus_contract_check(&contract);
}

static void what_arrives_over_a_faulty_connection_is_in_order_and_some_never_does(void **state)
{
        network *n = *state;
        uint64_t last_us = 0;
        size_t dropped = 0;
        size_t late = 0;

        n->bus.faults_per_mille = 1000;
        for (size_t i = 0; i < 10000; i++) {
                const uint64_t at_us = sim_bus_send(&n->bus, 1, 2, n->now_us);
                assert_true(at_us == 0 || at_us > last_us);
                assert_true(at_us == 0 || at_us > n->now_us);
                dropped += at_us == 0 ? 1 : 0;
                late += at_us > n->now_us + 1000 ? 1 : 0;
                last_us = at_us == 0 ? last_us : at_us;
                n->now_us += 1000;
        }
        assert_in_range(dropped, 60, 240); /* 12 in a thousand. */
        assert_true(late > 100);
}

static void two_connections_have_no_order_between_them(void **state)
{
        network *n = *state;
        size_t overtaken = 0;

        n->bus.faults_per_mille = 1000;
        for (size_t i = 0; i < 1000; i++) {
                const uint64_t first_us = sim_bus_send(&n->bus, 1, 0, n->now_us);
                const uint64_t second_us = sim_bus_send(&n->bus, 2, 0, n->now_us);
                overtaken += first_us != 0 && second_us != 0 && second_us < first_us ? 1 : 0;
                n->now_us += 1000000;
        }
        assert_in_range(overtaken, 300, 700);
}

static void a_cut_drops_everything_one_way_and_without_a_word(void **state)
{
        network *n = *state;

        n->bus.cut_until_us[1][2] = n->now_us + 10;
        assert_true(sim_bus_send(&n->bus, 1, 2, n->now_us) == 0);
        assert_true(sim_bus_send(&n->bus, 2, 1, n->now_us) != 0);
        assert_true(sim_bus_send(&n->bus, 1, 2, n->now_us + 10) != 0);
}

static void frames_of_dead_connections_are_heard_sometimes_and_never_on_a_calm_bus(void **state)
{
        network *n = *state;
        size_t heard = 0;

        for (size_t i = 0; i < 1000; i++) {
                assert_false(sim_bus_hears_late(&n->bus));
        }
        n->bus.faults_per_mille = 1000;
        for (size_t i = 0; i < 1000; i++) {
                heard += sim_bus_hears_late(&n->bus) ? 1 : 0;
        }
        assert_in_range(heard, 200, 400);
}

#define RULE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                RULE(a_calm_bus_keeps_the_contract_of_every_bus),
                RULE(what_arrives_over_a_faulty_connection_is_in_order_and_some_never_does),
                RULE(two_connections_have_no_order_between_them),
                RULE(a_cut_drops_everything_one_way_and_without_a_word),
                RULE(frames_of_dead_connections_are_heard_sometimes_and_never_on_a_calm_bus),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
