#ifndef SIM_COUNTY_H
#define SIM_COUNTY_H

#include "sim/sim.h"

/* Intake and deduplication themselves, fed by agencies that repeat, correct and contradict themselves. */
const sim_topology *sim_county(void);

#endif
