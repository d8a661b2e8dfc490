/*
 * fuzz_view_codec.c - bytes of five logs, and of whoever asks, at the gateway.
 *
 * The first two bytes choose what the rest pretends to be: one of the records the view consumes, or a
 * question. Promised of every input: no crash; the answer is OK or MALFORMED; a record that was read is
 * folded over nothing, twice, and what is then answered about it is an answer that can be read.
 */
#include <stdint.h>
#include <stdlib.h>

#include "door/v1/view.pb-c.h"
#include "gateway/view_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static door_status empty_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        (void)context;
        (void)key;
        (void)arena;
        (void)ret_value;
        *ret_found = false;
        return DOOR_OK;
}

static door_status empty_next(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                              door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        (void)inclusive;
        (void)prefix;
        (void)ret_key;
        return empty_get(context, from, arena, ret_value, ret_found);
}

static void stats_read(door_view *view, door_arena *arena)
{
        const view_question question = { .rows = VIEW_PAGE_ROWS_MAX };
        Door__V1__ViewStats *stats = NULL;
        door_bytes answer;

        if (view_ops.query(view, DOOR__V1__VIEW_QUERY__VIEW_STATS, &question, arena, &answer) != DOOR_OK) {
                DOOR_REQUIRE(arena->exhausted);
                return;
        }
        DOOR_REQUIRE(door_proto_read(&door__v1__view_stats__descriptor, answer, arena, &stats) == DOOR_OK ||
                     arena->exhausted);
        DOOR_REQUIRE(stats == NULL || view->latch != DOOR_OK || stats->balanced);
}

static door_status record_round(uint8_t which, door_bytes payload, door_view *view, door_arena *arena)
{
        const door_consumed *kind = &view_ops.consumes[which % view_ops.consumes_count];
        door_input input = {
                .kind = DOOR_INPUT_EVENT, .type = kind->type, .cause = { kind->log, 1 }, .at_ms = 1
        };
        const door_status status =
                view_ops.decode_input(kind->log, kind->type, 1, payload, arena, &input.body);

        for (int i = 0; status == DOOR_OK && i < 2; i++) {
                input.cause.seq++;
                view->writable = true;
                view_ops.project(view, &input);
                view->writable = false;
                DOOR_REQUIRE(view->latch == DOOR_OK || arena->exhausted);
                stats_read(view, arena);
        }
        return status;
}

static door_status question_round(uint8_t which, door_bytes body, door_view *view, door_arena *arena)
{
        const uint32_t type = DOOR__V1__VIEW_QUERY__VIEW_QUEUE + which % 12;
        const void *question = NULL;
        door_bytes answer;
        const door_status status = view_ops.decode_command(type, body, arena, &question);

        if (status == DOOR_OK) {
                DOOR_REQUIRE(view_ops.query(view, type, question, arena, &answer) == DOOR_OK ||
                             arena->exhausted);
        }
        return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        const door_reader reader = { .get = empty_get, .next = empty_next };
        door_arena arena;
        door_view view;

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        if (size < 2) {
                return 0;
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        door_view_init(&view, &reader, &arena);
        const door_bytes rest = { data + 2, size - 2 };
        const door_status status = data[0] < 0xC0 ? record_round(data[1], rest, &view, &arena)
                                                  : question_round(data[1], rest, &view, &arena);
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED);
        return 0;
}
