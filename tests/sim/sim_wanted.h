/*
 * sim_wanted.h - the effects that durable records want done, as a topology's own books have them.
 *
 * Fed from the auditor's `domain`, so it knows what the disk knows and nothing of the machine.
 */
#ifndef SIM_WANTED_H
#define SIM_WANTED_H

#include "audit/wire.h"

enum { SIM_WANTED_KEY_BYTES = 10 };

typedef struct sim_wanted_one {
        uint8_t key[SIM_WANTED_KEY_BYTES];
        uint32_t attempts; /* That have failed. */
} sim_wanted_one;

typedef struct sim_wanted {
        sim_wanted_one *items;
        size_t count;
        size_t max;
} sim_wanted;

/* NULL where it is not wanted. */
sim_wanted_one *sim_wanted_find(sim_wanted *wanted, wire_bytes key);
/* False where it is wanted already. */
bool sim_wanted_add(sim_wanted *wanted, wire_bytes key);
/* False where it was not wanted. */
bool sim_wanted_remove(sim_wanted *wanted, wire_bytes key);
void sim_wanted_done(sim_wanted *wanted);

#endif
