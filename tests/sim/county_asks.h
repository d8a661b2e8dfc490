/*
 * county_asks.h - what people ask the gateway's view, and what is asked of it at rest.
 *
 * While things happen somebody looks at a page now and then; at rest the figures, the lists and every
 * single referral are asked for. What is answered the auditor judges (audit/viewed.h).
 */
#ifndef SIM_COUNTY_ASKS_H
#define SIM_COUNTY_ASKS_H

#include "audit/viewed.h"
#include "sim/sim.h"

typedef struct asks {
        uint8_t (*referrals)[10]; /* All that are matched, for the questions at rest. */
        size_t count;
        size_t max;
        char why[VIEWED_WHY_BYTES];
} asks;

/* One question, as somebody would ask it now. */
void asks_draw(const county *books, sim_rng *rng, sim_command *command);
/* The question at rest after so many others; false: that was all. */
bool asks_at_rest(asks *a, const county *books, size_t asked, sim_command *command);
/* A sentence where an answer is wrong, else NULL; it stays until the next one. */
const char *asks_answered(asks *a, const county *books, const sim_answer *answer);
void asks_done(asks *a);

#endif
