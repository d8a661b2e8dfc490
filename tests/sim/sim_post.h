/* sim_post.h - notification at work, see sim_post.c. */
#ifndef SIM_POST_H
#define SIM_POST_H

#include "sim/sim.h"

const sim_topology *sim_post(void);

#endif
