/*
 * county_plots.h - people who cross each other on purpose (ARCHITECTURE.md section 4).
 *
 * Chance alone seldom brings an episode to where two acts can cross: decided, offered, accepted, offered
 * on. A plot takes one episode there, a command at a time by what the auditor's books say of it, and
 * then has two people act on it at once at two services. Faults, refusals and others' acts may spoil
 * it; after some steps it is given up for the next. What really crossed the auditor counts.
 */
#ifndef SIM_COUNTY_PLOTS_H
#define SIM_COUNTY_PLOTS_H

#include "audit/county.h"
#include "sim/sim.h"

typedef enum plot_kind {
        PLOT_CLOSE_ACCEPT = 0,
        PLOT_CLOSE_ATTACH,
        PLOT_RETURN_CLOSE,
        PLOT_FOLD_ACCEPT,
        PLOT_FOLD_TRANSFER,
        PLOT_MOVE_DECIDE,
        PLOT_UNDO_CLOSE,
        PLOT_UNDO_REFERRAL,
        PLOT_RESPOND, /* No crossing: a repeat left with its team, and the team's answer. */
        PLOT_KINDS,
} plot_kind;

typedef struct plot {
        bool running;
        plot_kind kind;
        uint8_t episode[10];
        unsigned steps;
        bool taken;    /* The last step took it. */
        bool joined;   /* A family has been joined to its own. */
        bool second;   /* The first of the two has acted. */
        unsigned wait; /* Others' commands between the two. */
        unsigned next; /* In the order of plots; any number to begin with. */
} plot;

/* What a step asks of its county besides a command of its own. */
typedef enum plot_step {
        PLOT_NOTHING = 0,
        PLOT_COMMAND,  /* It is in ret_command. */
        PLOT_REFERRAL, /* The family's referral is to come once more: *ret_number is its key's. */
} plot_step;

plot_step plot_go_on(plot *p, county *books, sim_rng *rng, sim_command *ret_command, uint64_t *ret_number);

/* ---- acts, for whoever draws them: who, on what the books say, into the command. */
void plot_undo(sim_rng *rng, const episodes_join *join, unsigned astray_per_1000, sim_command *command);
void plot_join(sim_rng *rng, const episodes_sample *from, const episodes_sample *to, sim_command *command);
void plot_move(sim_rng *rng, const episodes_sample *from, const episodes_sample *to, sim_command *command);

#endif
