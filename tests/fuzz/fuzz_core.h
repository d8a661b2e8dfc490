/*
 * fuzz_core.h - bytes at a service's codec, and what its core makes of those that can be read.
 *
 * The first byte chooses what the rest pretends to be (an upstream record, a command, one of our own
 * records, a policy), the second which type. Promised of every input: no crash; the answer is OK or
 * MALFORMED; what was read is decided over an empty state, each event is the same bytes twice, decodes
 * again and folds.
 */
#ifndef FUZZ_CORE_H
#define FUZZ_CORE_H

#include <stdint.h>
#include <stdlib.h>

#include "door/core.h"
#include "fuzz/empty_reader.h"

enum { FUZZ_ARENA_BYTES = 16 * DOOR_MIB };

static void fuzz_event(const door_core_ops *ops, door_view *view, door_event *event, uint64_t seq,
                       door_arena *arena)
{
        door_bytes first[2] = { DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY };
        door_bytes second[2] = { DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY };
        const void *copy = NULL;

        DOOR_REQUIRE(ops->encode_event(event, arena, &first[0], &first[1]) == DOOR_OK);
        DOOR_REQUIRE(ops->encode_event(event, arena, &second[0], &second[1]) == DOOR_OK);
        DOOR_REQUIRE(door_bytes_equal(first[0], second[0]) && door_bytes_equal(first[1], second[1]));
        DOOR_REQUIRE(ops->decode_event(event->type, event->version, first[0], first[1], arena, &copy) ==
                     DOOR_OK);
        event->body = copy;
        event->seq = seq;
        view->writable = true;
        ops->apply(view, event);
        DOOR_REQUIRE(view->latch == DOOR_OK || arena->exhausted);
}

static void fuzz_decide(const door_core_ops *ops, const void *policy, door_input *input, door_arena *arena)
{
        static door_out out;
        const door_reader reader = { .get = empty_get, .next = empty_next };
        door_view view;

        out = (door_out){ .arena = arena };
        input->now_ms = UINT64_C(1795000000000);
        door_view_init(&view, &reader, arena);
        ops->decide(&view, policy, input, &out);
        DOOR_REQUIRE(view.latch == DOOR_OK);
        for (size_t i = 0; i < out.events_count && !arena->exhausted; i++) {
                fuzz_event(ops, &view, &out.events[i], i + 1, arena);
        }
}

/* policy: as after decode_policy. */
static int fuzz_core(const door_core_ops *ops, const void *policy, const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;
        const void *body = NULL;
        door_status status = DOOR_OK;

        if (storage == NULL) {
                storage = aligned_alloc(64, FUZZ_ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        if (size < 2) {
                return 0;
        }
        door_arena_init(&arena, storage, FUZZ_ARENA_BYTES);
        const door_bytes rest = { data + 2, size - 2 };
        if (data[0] < 0x60) {
                const door_consumed *c = &ops->consumes[data[1] % ops->consumes_count];
                status = ops->decode_input(c->log, c->type, 1, rest, &arena, &body);
                if (status == DOOR_OK) {
                        door_input input = { .kind = DOOR_INPUT_EVENT,
                                             .type = c->type,
                                             .cause = { c->log, 1 },
                                             .body = body };
                        fuzz_decide(ops, policy, &input, &arena);
                }
        } else if (data[0] < 0xA0) {
                status = ops->decode_command(16 + data[1] % 8, rest, &arena, &body);
                if (status == DOOR_OK) {
                        door_input input = { .kind = DOOR_INPUT_COMMAND,
                                             .type = 16 + data[1] % 8,
                                             .actor = door_bytes_of("training/manager/mo"),
                                             .body = body };
                        fuzz_decide(ops, policy, &input, &arena);
                }
        } else if (data[0] < 0xE0) {
                status = ops->decode_event(16 + data[1] % 18, 1, rest, DOOR_BYTES_EMPTY, &arena, &body);
        } else {
                status = ops->decode_policy(rest, &arena, &body);
        }
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED);
        return 0;
}

#endif
