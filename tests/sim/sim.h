/*
 * sim.h - services, clients, network, disks and clocks in one thread of virtual time.
 *
 * The very machine that runs in production (door_step) is driven by a seed: frames are late,
 * dropped at the mark or with their connection, frames of dead connections come late,
 * processes are killed anywhere and restarted in any order, commits fail before or after
 * the disk has them, clocks jump, consumers sleep, disks fill. After every event the auditor
 * looks at what is durable. Then faults stop and everything must drain.
 *
 * One seed replays everything: sim_run(topology, seed, options) is a pure function.
 */
#ifndef SIM_H
#define SIM_H

#include "audit/audit.h"
#include "door/core.h"
#include "shell/service_step.h"
#include "sim/sim_rng.h"
#include "sim/sim_store.h"

enum { SIM_TOLD_MAX = 48, SIM_NODES_MAX = 8, SIM_CLIENTS = 4, SIM_COMMAND_BYTES_MAX = 300000 };

/* One service of the topology. */
typedef struct sim_service {
        const door_core_ops *core;
        const door_core_ops *older; /* NULL, or the program before the last: it knows fewer types. */
        door_upstream upstreams[DOOR_UPSTREAMS_MAX];
        size_t upstreams_count;
        /* Names of the services whose `settled` bounds this one's. */
        const char *settled_by[4];
        const char *clients_speak_for; /* What a client's actor begins with; NULL: "agency/". */
} sim_service;

/* A command a client might send. */
typedef struct sim_command {
        uint32_t log; /* Whom to. */
        uint32_t type;
        uint8_t id[32];
        bool has_id; /* False: the harness draws one. */
        uint8_t *body;
        size_t body_len;
        size_t body_max;
        uint32_t lane;
        const char *actor;
        uint64_t expected_version; /* 0: not said. */
        bool may_be_malformed;     /* Nothing that must be decided: MALFORMED is a right answer. */
} sim_command;

/* What a view has answered (record 0014). */
typedef struct sim_answer {
        uint32_t type;
        wire_bytes question;
        wire_bytes answer;
        bool current; /* It had read every log to what is its end now, and nothing is parked there. */
} sim_answer;

typedef struct sim_topology {
        const char *name;
        const sim_service *services;
        size_t services_count;
        audit_model (*model)(void *context); /* Of a begun run. */
        /* A new world for each run: returned context is handed to the others. */
        void *(*begin)(uint64_t seed, int planted);
        void (*end)(void *context);
        /* Called before every step: puts the toys' world in place, and tells of an abort after. */
        void (*enter)(void *context);
        bool (*aborted)(void *context);
        void (*fix)(void *context); /* Poison is poison no more. */
        void (*command)(void *context, sim_rng *rng, sim_command *ret_command);
        /* Policy sections to send first: log, content. NULL content ends. */
        void (*policy)(void *context, uint32_t log, wire_bytes *ret_content);
        /* At rest, after all invariants: the topology's own balance, or NULL. */
        const char *(*balance)(void *context);
        /* Names of what it counts of its own, up to a NULL, and the counts at the end of a run; may be NULL.
         */
        const char *const *told;
        /* These of `told` must each happen a hundred times in a thousand seeds; count 0: none. */
        size_t forced_first;
        size_t forced_count;
        void (*count)(void *context, uint64_t ret_told[SIM_TOLD_MAX]);
        /* Do the durable records want this effect, as this attempt? NULL: no service here has effects. */
        bool (*wants)(void *context, uint32_t log, const door_effect *effect);
        /* At rest: the question to a view after so many others; false: no more. NULL: there is no view here.
         */
        bool (*ask)(void *context, size_t asked, sim_command *ret_command);
        /* Whatever a view answers, then and before: a sentence where it is wrong, else NULL. */
        const char *(*answered)(void *context, const sim_answer *answer);
} sim_topology;

typedef struct sim_options {
        bool trace;                /* One line an event, to stderr. */
        int planted;               /* 0, or the number of a planted fault (plants.h). */
        uint64_t horizon_ms;       /* Virtual time with faults. */
        uint64_t faults_per_mille; /* 1000: as usual; 0: none at all. */
} sim_options;

/* What a run did, for the report and for knowing that the hard cases were reached. */
typedef struct sim_tally {
        uint64_t events, frames, dropped, late, kills, clean_stops, aborts, commit_failures, clock_jumps,
                sleeps, partitions, disk_full, corrupted, commands, answers, retries, repeats, conflicts,
                garbage, releases, virtual_ms, regress_checks, tight_starts, tight_ends, older_starts,
                effects, questions, current;
        uint64_t told[SIM_TOLD_MAX]; /* What the topology counts of its own, by sim_topology.told. */
} sim_tally;

typedef struct sim_result {
        bool ok;
        char breach[320];
        uint64_t at_ms;
        sim_tally tally;
        audit_tally audit;
} sim_result;

void sim_run(const sim_topology *topology, uint64_t seed, const sim_options *options, sim_result *ret_result);

#endif
