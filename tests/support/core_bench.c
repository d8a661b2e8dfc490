#include "support/core_bench.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 16 * DOOR_MIB };

void core_bench_init(core_bench *b, const door_core_ops *ops)
{
        memset(b, 0, sizeof *b);
        b->ops = ops;
        b->now_ms = 1700000000000;
        b->storage = aligned_alloc(64, ARENA_BYTES);
        DOOR_REQUIRE(b->storage != NULL);
        door_arena_init(&b->arena, b->storage, ARENA_BYTES);
        memory_reader_init(&b->memory);
        memory_reader_init(&b->replayed);
}

bool core_bench_done(core_bench *b)
{
        const bool same = memory_reader_equal(&b->memory, &b->replayed);

        memory_reader_done(&b->memory);
        memory_reader_done(&b->replayed);
        free(b->storage);
        return same;
}

static void fold(core_bench *b, memory_reader *memory)
{
        door_view view;

        door_view_init(&view, &memory->reader, &b->arena);
        view.writable = true;
        for (size_t i = 0; i < b->events_count; i++) {
                b->ops->apply(&view, &b->events[i]);
        }
        DOOR_REQUIRE(view.latch == DOOR_OK);
        memory_reader_absorb(memory, &view);
}

void core_bench_take(core_bench *b, door_input *input)
{
        door_view view;

        b->now_ms++;
        b->draws++;
        input->now_ms = b->now_ms;
        input->at_ms = b->now_ms;
        memcpy(input->random, &b->draws, sizeof b->draws);
        memset(&b->out, 0, sizeof b->out);
        b->out.arena = &b->arena;
        b->events_count = 0;
        door_view_init(&view, &b->memory.reader, &b->arena);
        b->ops->decide(&view, b->policy, input, &b->out);
        DOOR_REQUIRE(view.latch == DOOR_OK && view.changes_count == 0 && !b->arena.exhausted);
        for (size_t i = 0; i < b->out.events_count; i++) {
                door_event event = b->out.events[i];
                door_bytes public_payload = DOOR_BYTES_EMPTY;
                door_bytes private_payload = DOOR_BYTES_EMPTY;
                DOOR_REQUIRE(b->ops->encode_event(&event, &b->arena, &public_payload, &private_payload) ==
                             DOOR_OK);
                event.seq = ++b->seq;
                event.at_ms = b->now_ms;
                DOOR_REQUIRE(b->ops->decode_event(event.type, event.version, public_payload, private_payload,
                                                  &b->arena, &event.body) == DOOR_OK);
                b->events[b->events_count++] = event;
        }
        fold(b, &b->memory);
        fold(b, &b->replayed);
}

bool core_bench_tick(core_bench *b)
{
        door_input tick = { .kind = DOOR_INPUT_TICK };
        door_view view;

        door_view_init(&view, &b->memory.reader, &b->arena);
        const uint64_t due_ms = b->ops->next_deadline(&view);
        if (due_ms == 0 || due_ms > b->now_ms) {
                return false;
        }
        door_arena_reset(&b->arena);
        core_bench_take(b, &tick);
        return true;
}

door_view *core_bench_view(core_bench *b)
{
        door_view *view = door_arena_take(&b->arena, sizeof *view);

        DOOR_REQUIRE(view != NULL);
        door_view_init(view, &b->memory.reader, &b->arena);
        return view;
}
