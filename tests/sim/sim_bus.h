/*
 * sim_bus.h - the simulated network: what becomes of a frame.
 *
 * A connection is (from, to, epoch of the connecting side). Frames keep their order within it and
 * nowhere else; they may be late, dropped without a word, at the mark or by a cut, and a frame of a
 * connection that its receiver has given up is dropped or, sometimes, comes all the same. A calm bus
 * (faults_per_mille 0) only delays. Both this and bus_zmq pass tests/support/bus_contract.c.
 */
#ifndef SIM_BUS_H
#define SIM_BUS_H

#include "sim/sim_rng.h"

enum { SIM_ENDPOINTS_MAX = 12 };

typedef struct sim_bus {
        sim_rng *rng;
        uint64_t faults_per_mille;                              /* 1000: as often as planned; 0: calm. */
        uint64_t last_us[SIM_ENDPOINTS_MAX][SIM_ENDPOINTS_MAX]; /* Order within a connection. */
        uint64_t cut_until_us[SIM_ENDPOINTS_MAX][SIM_ENDPOINTS_MAX];
} sim_bus;

/* Does something that happens per_mille times in a thousand happen now? Never on a calm bus. */
bool sim_bus_chance(sim_bus *bus, uint64_t per_mille);

/* When a frame sent now arrives; 0: never, and nobody is told. */
uint64_t sim_bus_send(sim_bus *bus, size_t from, size_t to, uint64_t now_us);

/* A frame arrives on a connection its receiver has given up: is it heard all the same? */
bool sim_bus_hears_late(sim_bus *bus);

#endif
