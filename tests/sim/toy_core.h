/*
 * toy_core.h - five tiny services that exercise everything the machine promises.
 *
 *      clients ──► 1 source ──► 2 middle ◄──► 3 peer          4 watcher reads 1 (headers), 2, 3; 5 far reads
 * 4 └────────────────────────▲
 *
 *   1 source   ADD commands leave one to three ADDED, some a NEWER as well; some are refused; none
 *              before a policy
 *   2 middle   ADDED leaves TALLIED unless its value is a multiple of 3 (nothing is due then),
 *              and a TALLY_DUE by tick 30 s later; ECHOED leaves NOTED
 *   3 peer     ADDED leaves SAW; TALLIED leaves ECHOED when the total is even, and ORPHAN, which
 *              is a breach, when it comes before the ADDED that caused it
 *   4 watcher  everything leaves WATCHED; the program before it does not know NEWER and must stop there
 *   5 far      reads 4 alone; each WATCHED leaves WATCHED: it knows logs 1 to 3 from `seen` only. Of a
 *              value that is 1 more than a multiple of 4 there is an effect to be had: tried until it
 *              leaves PERFORMED, TRIED each time it fails, and given up at the third
 *
 * A value that ends in the poison residue does not decode downstream until `fixed` is set; another
 * kills the process that decides it (the harness reads `aborted`).
 */
#ifndef TOY_CORE_H
#define TOY_CORE_H

#include "door/core.h"

enum {
        TOY_ADDED = 16,
        TOY_TALLIED = 17,
        TOY_TALLY_DUE = 18,
        TOY_NOTED = 19,
        TOY_ECHOED = 20,
        TOY_SAW = 21,
        TOY_WATCHED = 22,
        TOY_ORPHAN = 23,
        TOY_NEWER = 24, /* log 1; the watcher before the last does not know it */
        TOY_PERFORMED = 25,
        TOY_TRIED = 26,
        TOY_TRIES_MAX = 3,
        TOY_TRY_AGAIN_MS = 2000,
        TOY_COMMAND_ADD = 16,
        TOY_REASON_UNLUCKY = 100,
        TOY_DUE_MS = 30000,
        TOY_PAYLOAD_BYTES = 37, /* magic, subject, value, total, origin, id, pad length */
        TOY_COMMAND_BYTES = 10,
        TOY_QUERY_COUNT = 256,
        TOY_QUERY_BYTES = 4,
};

/* Faults of a core, for the planted-fault runs. */
typedef enum toy_plant {
        TOY_SOUND = 0,
        TOY_ECHOES,        /* 3 answers 2's answer: they echo each other */
        TOY_DRIFTS,        /* apply depends on something that is not in the log */
        TOY_ANSWER_DRIFTS, /* an answer is not a function of its record */
        TOY_DOUBLES,       /* now and then one input leaves its effects twice, as two inputs */
        TOY_SKIPS,         /* now and then nothing where something is due */
        TOY_LOSES_TICKS,   /* a due item is forgotten */
} toy_plant;

/* What the harness shares with the toys; one per simulation. */
typedef struct toy_world {
        bool fixed;   /* Poison decodes now. */
        bool aborted; /* decide was killed: the harness takes the process down. */
        toy_plant plant;
        uint64_t calls;
} toy_world;

/* ops for log 1..5 over one world; borrowed statics, world set by toy_enter. */
const door_core_ops *toy_ops(uint32_t log);
/* The watcher before NEWER was. */
const door_core_ops *toy_ops_older(void);
/* A view of logs 1 and 3 (record 0014): counts ADDED; asked TOY_QUERY_COUNT with the size of an answer, it
 * answers the count (u64) and so many bytes of nothing. */
const door_core_ops *toy_ops_view(void);
void toy_enter(toy_world *world);

bool toy_is_poison(uint32_t value);
bool toy_is_killer(uint32_t value);
bool toy_is_refused(uint32_t value);
bool toy_has_effect(uint32_t value);

#endif
