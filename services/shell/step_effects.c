/*
 * step_effects.c - what is to be done outside, and what became of it.
 *
 *      committed state ──► next_effect ──► EFFECT wish ──► executor
 *             ▲                                               │
 *             └── commit ◄── batch: decide(OUTCOME) ◄── EFFECT┘
 *
 * An effect is a row of committed state (MECHANISM section 10), and is asked for only from there:
 * never before the record that causes it is durable. At most DOOR_EFFECTS_MAX are under way; one
 * stays so until the batch that decides its outcome is durable, so that none is asked for twice
 * meanwhile. What is under way is known in memory only. A process that dies asks for all of it
 * again, and for what it had heard the outcome of but not committed: at least once, the key being
 * what the other side may tell repeats by.
 *
 * No spinning: what is not due yet sets the wake time, and what has ended makes a turn.
 */
#include "shell/step.h"

/* Keys of what is under way, *ret_free one slot that is not; STEP_NONE when all are. */
static size_t busy_list(const door_shell *shell, door_id busy[DOOR_EFFECTS_MAX], size_t *ret_free)
{
        size_t count = 0;

        *ret_free = STEP_NONE;
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                if (shell->effects[i].used) {
                        busy[count++] = shell->effects[i].outcome.key;
                } else {
                        *ret_free = i;
                }
        }
        return count;
}

/* Asks for the next one. False when there is none, or none yet. */
static bool effect_begin(door_shell *shell, door_view *view, const door_id *busy, size_t busy_count,
                         size_t slot)
{
        const door_now now = shell->now->now;
        door_effect effect;

        if (DOOR_PLANT(DOOR_PLANT_EFFECT_TWICE)) {
                busy_count = 0;
        }
        if (!shell->core->next_effect(view, shell->policy, now.wall_ms, busy, busy_count, &shell->out,
                                      &effect) ||
            view->latch != DOOR_OK) {
                return false;
        }
        if (effect.due_ms > now.wall_ms) {
                step_wake_by(shell, now.mono_ms + (effect.due_ms - now.wall_ms));
                return false;
        }
        if (shell->out.exhausted) {
                /* No room for it among the frames of this step: a later one has. */
                shell->out.exhausted = false;
                step_wake_by(shell, now.mono_ms + STEP_RETRY_MS);
                return false;
        }
        shell->effects[slot] =
                (step_effect){ .used = true, .outcome = { .key = effect.key, .attempt = effect.attempt } };
        shell->counters.effects++;
        shell->counters.effects_now++;
        step_wish(shell, DOOR_WISH_EFFECT)->effect = effect;
        return true;
}

void step_effects_turn(door_shell *shell, const door_reader *reader)
{
        door_id busy[DOOR_EFFECTS_MAX];
        size_t slot = 0;
        door_view view;
        bool begun = true;

        if (shell->core->next_effect == NULL) {
                return;
        }
        door_view_init(&view, reader, &shell->scratch);
        while (begun) {
                const size_t busy_count = busy_list(shell, busy, &slot);
                begun = slot != STEP_NONE && effect_begin(shell, &view, busy, busy_count, slot);
        }
        if (view.latch != DOOR_OK) {
                step_end(shell, DOOR_EXIT_RESTART, view.latch, "the state cannot be read");
        }
        door_arena_reset(&shell->scratch);
}

void step_effects_ended(door_shell *shell)
{
        const door_outcome *outcome = &shell->now->outcome;

        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                step_effect *effect = &shell->effects[i];
                if (effect->used && !effect->ended && effect->outcome.attempt == outcome->attempt &&
                    door_id_equal(&effect->outcome.key, &outcome->key)) {
                        effect->outcome = *outcome;
                        effect->ended = true;
                        shell->wishes->again = true;
                        return;
                }
        }
        shell->counters.outcomes_unasked++;
}

step_effect *step_effects_peek(door_shell *shell)
{
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                if (shell->effects[i].ended && !shell->effects[i].in_batch) {
                        return &shell->effects[i];
                }
        }
        return NULL;
}

void step_effects_untake(door_shell *shell)
{
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                shell->effects[i].in_batch = false;
        }
}

void step_effects_committed(door_shell *shell)
{
        for (size_t i = 0; i < DOOR_EFFECTS_MAX; i++) {
                if (shell->effects[i].in_batch) {
                        shell->effects[i] = (step_effect){ .used = false };
                        shell->counters.effects_now--;
                }
        }
}

#ifdef DOOR_PLANTED_FAULTS
static door_status plant_get(void *view, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        (void)arena;
        *ret_found = door_view_get(view, key, ret_value);
        return DOOR_OK;
}

static door_status plant_next(void *view, door_bytes from, bool inclusive, door_bytes prefix,
                              door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        door_scan scan;

        (void)arena;
        door_scan_init(&scan, view, prefix, from, 1);
        scan.inclusive = inclusive;
        *ret_found = door_scan_next(&scan, ret_key, ret_value);
        return DOOR_OK;
}

/* Effects of what the batch has only in memory. */
void step_effects_plant(door_shell *shell)
{
        const door_reader reader = { &shell->batch.view, plant_get, plant_next };

        if (DOOR_PLANT(DOOR_PLANT_EFFECT_EARLY)) {
                step_effects_turn(shell, &reader);
        }
}
#endif
