#ifndef SIM_TOYS_H
#define SIM_TOYS_H

#include "sim/sim.h"

/* Five toys that exercise every promise of the machine; see toy_core.h. Borrowed, static. */
const sim_topology *sim_toys(void);

#endif
