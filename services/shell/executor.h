/*
 * executor.h - effects carried out beside the loop: one thread, one effect after the other.
 *
 *      EFFECT wish ─► door_executing_add ─► perform …, settle, on the thread ─► done, on the loop
 *
 * The thread is the executor's own, not one of libuv's pool: a mail server that takes a minute to
 * answer must not keep a commit waiting. What waits is bounded by the machine (DOOR_EFFECTS_MAX).
 *
 * Failure modes: an end in the middle sets `stop` and waits for the perform under way, which must
 * come back within a second or so; its outcome is lost, and the next start asks again.
 */
#ifndef DOOR_SHELL_EXECUTOR_H
#define DOOR_SHELL_EXECUTOR_H

#include <stdatomic.h>
#include <uv.h>

#include "door/core.h"

/* The port: who really does it. Must outlive the loop. */
typedef struct door_executor {
        void *context;
        /*
         * Does it, or says why not: the code and detail of door_outcome. Blocks; called from one thread
         * only. The same key may come again, also after it was done. `stop`: come back soon.
         */
        uint32_t (*perform)(void *context, const door_effect *effect, const atomic_bool *stop,
                            uint32_t *ret_detail);
        /*
         * NULL: each outcome is told as soon as it is known. Otherwise what waits is performed as a group,
         * then this is called once, on the same thread, to make all of it last at one price (the sync of a
         * folder), and only then are the outcomes told: those it could not make last it changes.
         */
        void (*settle)(void *context, door_outcome *outcomes, size_t count);
} door_executor;

typedef struct door_executing door_executing;
typedef void (*door_executed_cb)(void *context, const door_outcome *outcome);

/*
 * door_executing_new - begin the thread.
 *
 *   executor  [in]  borrowed until door_executing_free.
 *   done      [in]  called on the loop's thread, once for each effect added, in their order.
 *
 * Returns DOOR_OK; DOOR_NO_MEMORY; DOOR_IO when there is no thread or no handle to be had.
 */
door_status door_executing_new(uv_loop_t *loop, const door_executor *executor, door_executed_cb done,
                               void *context, door_executing **ret_executing);
/* Copies the effect. Before: fewer than DOOR_EFFECTS_MAX are under way, none over DOOR_EFFECT_BYTES_MAX. */
void door_executing_add(door_executing *executing, const door_effect *effect);
/* No more `done`; the loop may end. NULL is fine. */
void door_executing_close(door_executing *executing);
/* After the loop has ended: waits for the thread. Takes NULL, returns NULL. */
door_executing *door_executing_free(door_executing *executing);

#endif
