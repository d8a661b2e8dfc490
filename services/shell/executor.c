/* executor.c - the thread of executor.h: a ring of effects, three indices, one lock. */
#include "shell/executor.h"

#include <stdlib.h>
#include <string.h>

typedef struct job {
        door_effect effect; /* frame points into the job's bytes. */
        door_outcome outcome;
        uint8_t bytes[DOOR_EFFECT_BYTES_MAX];
} job;

/* Jobs [told, done) wait to be told, [done, added) to be done; the numbers only grow. */
struct door_executing {
        const door_executor *executor;
        door_executed_cb executed;
        void *context;
        uv_thread_t thread;
        uv_async_t ended; /* Some job is done. */
        uv_mutex_t lock;  /* Of the numbers. */
        uv_cond_t wanted; /* A job is there, or the end. */
        atomic_bool stop;
        uint64_t added;
        uint64_t done;
        uint64_t told;
        job jobs[DOOR_EFFECTS_MAX];
};

/* Carries out the jobs up to `end`, nobody else's meanwhile. Of those left when the end comes nothing is
 * told. */
static void group_perform(door_executing *x, uint64_t end)
{
        const door_executor *executor = x->executor;
        door_outcome outcomes[DOOR_EFFECTS_MAX];
        size_t count = 0;

        for (uint64_t i = x->done; i < end && !x->stop; i++) {
                const door_effect *effect = &x->jobs[i % DOOR_EFFECTS_MAX].effect;
                door_outcome *outcome = &outcomes[count++];
                *outcome = (door_outcome){ .key = effect->key, .attempt = effect->attempt };
                outcome->code = executor->perform(executor->context, effect, &x->stop, &outcome->detail);
        }
        if (executor->settle != NULL) {
                executor->settle(executor->context, outcomes, count);
        }
        for (size_t i = 0; i < count; i++) {
                x->jobs[(x->done + i) % DOOR_EFFECTS_MAX].outcome = outcomes[i];
        }
}

static void thread_run(void *argument)
{
        door_executing *x = argument;

        uv_mutex_lock(&x->lock);
        for (;;) {
                while (x->done == x->added && !x->stop) {
                        uv_cond_wait(&x->wanted, &x->lock);
                }
                if (x->stop) {
                        break;
                }
                const uint64_t end = x->executor->settle == NULL ? x->done + 1 : x->added;
                uv_mutex_unlock(&x->lock);
                group_perform(x, end);
                uv_mutex_lock(&x->lock);
                x->done = end;
                if (!x->stop) {
                        (void)uv_async_send(&x->ended); /* Under the lock: never after close. */
                }
        }
        uv_mutex_unlock(&x->lock);
}

static void ended_cb(uv_async_t *async)
{
        door_executing *x = async->data;

        for (;;) {
                uv_mutex_lock(&x->lock);
                const bool any = x->told < x->done && !x->stop;
                uv_mutex_unlock(&x->lock);
                if (!any) {
                        return;
                }
                const door_outcome outcome = x->jobs[x->told % DOOR_EFFECTS_MAX].outcome;
                x->told++; /* Its place is free for what the machine wishes now. */
                x->executed(x->context, &outcome);
        }
}

door_status door_executing_new(uv_loop_t *loop, const door_executor *executor, door_executed_cb done,
                               void *context, door_executing **ret_executing)
{
        door_executing *x = calloc(1, sizeof *x);

        if (x == NULL) {
                return DOOR_NO_MEMORY;
        }
        x->executor = executor;
        x->executed = done;
        x->context = context;
        if (uv_mutex_init(&x->lock) != 0) {
                goto no_lock;
        }
        if (uv_cond_init(&x->wanted) != 0) {
                goto no_cond;
        }
        if (uv_thread_create(&x->thread, thread_run, x) != 0) {
                goto no_thread;
        }
        /* Last, because a handle once made can only be closed through the loop. */
        if (uv_async_init(loop, &x->ended, ended_cb) != 0) {
                goto no_async;
        }
        x->ended.data = x;
        *ret_executing = x;
        return DOOR_OK;

no_async:
        uv_mutex_lock(&x->lock);
        x->stop = true;
        uv_cond_signal(&x->wanted);
        uv_mutex_unlock(&x->lock);
        (void)uv_thread_join(&x->thread);
no_thread:
        uv_cond_destroy(&x->wanted);
no_cond:
        uv_mutex_destroy(&x->lock);
no_lock:
        free(x);
        return DOOR_IO;
}

void door_executing_add(door_executing *x, const door_effect *effect)
{
        DOOR_REQUIRE(x->added - x->told < DOOR_EFFECTS_MAX);
        DOOR_REQUIRE(effect->frame.len <= DOOR_EFFECT_BYTES_MAX);
        job *next = &x->jobs[x->added % DOOR_EFFECTS_MAX];

        next->effect = *effect;
        if (effect->frame.len > 0) {
                memcpy(next->bytes, effect->frame.data, effect->frame.len);
        }
        next->effect.frame.data = next->bytes;
        uv_mutex_lock(&x->lock);
        x->added++;
        uv_cond_signal(&x->wanted);
        uv_mutex_unlock(&x->lock);
}

void door_executing_close(door_executing *x)
{
        if (x == NULL) {
                return;
        }
        uv_mutex_lock(&x->lock);
        x->stop = true;
        uv_cond_signal(&x->wanted);
        uv_mutex_unlock(&x->lock);
        uv_close((uv_handle_t *)&x->ended, NULL);
}

door_executing *door_executing_free(door_executing *x)
{
        if (x != NULL) {
                (void)uv_thread_join(&x->thread);
                uv_cond_destroy(&x->wanted);
                uv_mutex_destroy(&x->lock);
                free(x);
        }
        return NULL;
}
