/*
 * core_bench.h - one core at work over memory, as the shell does it, for the tests of a brain.
 *
 *      input ──► decide ──► encode ──► decode ──► apply   on one memory,
 *                                        └──────► apply   on a second: both must stay the same
 */
#ifndef TESTS_CORE_BENCH_H
#define TESTS_CORE_BENCH_H

#include "door/core.h"
#include "support/memory_reader.h"

typedef struct core_bench {
        const door_core_ops *ops;
        const void *policy; /* May be NULL, as before the first one is active. */
        memory_reader memory;
        memory_reader replayed;
        door_arena arena; /* Reset by every input: what it left is readable until the next. */
        void *storage;
        uint64_t seq;
        uint64_t now_ms;
        uint64_t draws;
        door_out out; /* What decide answered last. */
        /* Its events after encode and decode, with seq and at_ms. */
        door_event events[DOOR_EVENTS_PER_INPUT_MAX];
        size_t events_count;
} core_bench;

void core_bench_init(core_bench *b, const door_core_ops *ops);
/* False when the replayed memory is another. */
bool core_bench_done(core_bench *b);

/* One input decided and folded. `input` needs kind, type, cause or actor and body; the rest is set. */
void core_bench_take(core_bench *b, door_input *input);
/* A tick, if one is due at now_ms; true when there was. */
bool core_bench_tick(core_bench *b);
/* A view of what is stored; borrowed until the next call. */
door_view *core_bench_view(core_bench *b);

#endif
