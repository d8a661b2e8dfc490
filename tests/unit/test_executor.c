/*
 * Goal: what is added is done in order on another thread and told on the loop, once each; places are
 * free again when told; an end in the middle is quick and tells nothing more.
 * Method: a real loop and an executor whose steps are slow or wait for the end.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/executor.h"

enum { TOTAL = 40, STEP_US = 200 };

typedef struct scene {
        uv_loop_t loop;
        door_executing *executing;
        pthread_t loop_thread;
        uint32_t added;
        uint32_t told;
        uint32_t total;
        bool elsewhere; /* perform ran on another thread than the loop's. */
        atomic_bool waiting;
        bool stop_seen;
        bool wrong;
        uint32_t performed;
        uint32_t settled; /* What has been settled of what was performed, */
        uint32_t groups;  /* and in how many groups. */
} scene;

static door_effect effect_of(uint32_t n, uint8_t bytes[DOOR_EFFECT_BYTES_MAX])
{
        door_effect effect = { .attempt = n + 1 };

        door_put_u32(effect.key.bytes, n);
        memset(bytes, (int)(n & 0xFF), 8 + n);
        effect.frame = (door_bytes){ bytes, n == 0 ? 0 : 8 + n };
        return effect;
}

static uint32_t perform(void *context, const door_effect *effect, const atomic_bool *stop,
                        uint32_t *ret_detail)
{
        scene *s = context;
        const uint32_t n = door_get_u32(effect->key.bytes);

        (void)stop;
        (void)usleep(STEP_US);
        s->elsewhere = !pthread_equal(pthread_self(), s->loop_thread);
        for (size_t i = 0; i < effect->frame.len; i++) {
                s->wrong |= effect->frame.data[i] != (uint8_t)n;
        }
        s->wrong |= effect->frame.len != (n == 0 ? 0 : 8 + n);
        *ret_detail = n * 3;
        return n % 5;
}

static void add_next(scene *s)
{
        uint8_t bytes[DOOR_EFFECT_BYTES_MAX];
        const door_effect effect = effect_of(s->added, bytes);

        s->added++;
        door_executing_add(s->executing, &effect);
        memset(bytes, 0xEE, sizeof bytes); /* It was copied. */
}

static void executed(void *context, const door_outcome *outcome)
{
        scene *s = context;
        const uint32_t n = s->told++;

        s->wrong |= door_get_u32(outcome->key.bytes) != n || outcome->attempt != n + 1 ||
                    outcome->code != n % 5 || outcome->detail != n * 3 ||
                    !pthread_equal(pthread_self(), s->loop_thread);
        if (s->added < s->total) {
                add_next(s); /* From within: its place is free. */
        }
        if (s->told == s->total) {
                door_executing_close(s->executing);
        }
}

static void scene_begin(scene *s, const door_executor *executor)
{
        s->loop_thread = pthread_self();
        assert_int_equal(uv_loop_init(&s->loop), 0);
        assert_int_equal(door_executing_new(&s->loop, executor, executed, s, &s->executing), DOOR_OK);
}

static void scene_end(scene *s)
{
        assert_null(door_executing_free(s->executing));
        assert_int_equal(uv_loop_close(&s->loop), 0);
        assert_false(s->wrong);
}

static void what_is_added_is_done_in_order_elsewhere_and_told_once(void **state)
{
        scene s = { .total = TOTAL };
        const door_executor executor = { &s, perform, NULL };

        (void)state;
        scene_begin(&s, &executor);
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                add_next(&s);
        }
        (void)uv_run(&s.loop, UV_RUN_DEFAULT);
        assert_int_equal(s.told, TOTAL);
        assert_true(s.elsewhere);
        scene_end(&s);
}

static uint32_t perform_counted(void *context, const door_effect *effect, const atomic_bool *stop,
                                uint32_t *ret_detail)
{
        scene *s = context;

        s->performed++;
        return perform(context, effect, stop, ret_detail);
}

static void settle(void *context, door_outcome *outcomes, size_t count)
{
        scene *s = context;

        s->wrong |= count == 0 || count > DOOR_EFFECTS_MAX || s->settled + count != s->performed ||
                    pthread_equal(pthread_self(), s->loop_thread);
        for (size_t i = 0; i < count; i++) {
                s->wrong |= door_get_u32(outcomes[i].key.bytes) != s->settled + i;
                outcomes[i].detail += 1000;
        }
        s->settled += (uint32_t)count;
        s->groups++;
}

static void executed_settled(void *context, const door_outcome *outcome)
{
        door_outcome changed = *outcome;

        changed.detail -= 1000; /* As settle left it. */
        executed(context, &changed);
}

static void what_waits_is_settled_as_a_group_before_it_is_told(void **state)
{
        scene s = { .total = TOTAL };
        const door_executor executor = { &s, perform_counted, settle };

        (void)state;
        s.loop_thread = pthread_self();
        assert_int_equal(uv_loop_init(&s.loop), 0);
        assert_int_equal(door_executing_new(&s.loop, &executor, executed_settled, &s, &s.executing), DOOR_OK);
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                add_next(&s);
        }
        (void)uv_run(&s.loop, UV_RUN_DEFAULT);
        assert_int_equal(s.told, TOTAL);
        assert_int_equal(s.settled, TOTAL);
        assert_true(s.groups < TOTAL); /* The first may be alone; while it is done the others come. */
        scene_end(&s);
}

/* A server that never answers: it comes back only when told to. */
static uint32_t perform_until_stopped(void *context, const door_effect *effect, const atomic_bool *stop,
                                      uint32_t *ret_detail)
{
        scene *s = context;

        (void)effect;
        (void)ret_detail;
        s->waiting = true;
        for (unsigned i = 0; i < 10000 && !*stop; i++) {
                (void)usleep(1000);
        }
        s->stop_seen = *stop;
        return 0;
}

static void an_end_in_the_middle_is_heard_and_tells_nothing(void **state)
{
        scene s = { .total = 2 };
        const door_executor executor = { &s, perform_until_stopped, NULL };

        (void)state;
        scene_begin(&s, &executor);
        add_next(&s);
        add_next(&s);
        while (!s.waiting) {
                (void)usleep(100);
        }
        door_executing_close(s.executing);
        (void)uv_run(&s.loop, UV_RUN_DEFAULT);
        scene_end(&s);
        assert_true(s.stop_seen);
        assert_int_equal(s.told, 0);
}

static void an_end_with_nothing_to_do_is_heard(void **state)
{
        scene s = { .total = 1 };
        const door_executor executor = { &s, perform, NULL };

        (void)state;
        scene_begin(&s, &executor);
        door_executing_close(s.executing);
        (void)uv_run(&s.loop, UV_RUN_DEFAULT);
        scene_end(&s);
        assert_null(door_executing_free(NULL));
        door_executing_close(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(what_is_added_is_done_in_order_elsewhere_and_told_once),
                cmocka_unit_test(what_waits_is_settled_as_a_group_before_it_is_told),
                cmocka_unit_test(an_end_in_the_middle_is_heard_and_tells_nothing),
                cmocka_unit_test(an_end_with_nothing_to_do_is_heard),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
