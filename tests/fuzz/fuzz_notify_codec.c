/*
 * fuzz_notify_codec.c - bytes of other logs, of our own log, of policy and of the executor's frames at
 * notification.
 *
 * The first byte chooses what the rest pretends to be. Promised of every input: no crash; the answer is
 * OK or MALFORMED; whatever was read is decided over an empty state, and every event it leaves is the same
 * bytes twice, decodes and folds; under any policy that was taken a message is made, its frame is read
 * back, and no header or body can be broken by what the policy says.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/empty_reader.h"
#include "notification/notify_codec.h"
#include "notification/notify_text.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static void event_round(uint32_t type, const void *body, door_view *view, door_arena *arena)
{
        door_event event = { .type = type, .version = 1, .body = body };
        door_bytes first[2];
        door_bytes second[2];

        DOOR_REQUIRE(notify_ops.encode_event(&event, arena, &first[0], &first[1]) == DOOR_OK);
        DOOR_REQUIRE(notify_ops.decode_event(type, 1, first[0], first[1], arena, &event.body) == DOOR_OK);
        DOOR_REQUIRE(notify_ops.encode_event(&event, arena, &second[0], &second[1]) == DOOR_OK);
        DOOR_REQUIRE(door_bytes_equal(first[0], second[0]) && second[1].len == 0);
        event.seq = 1;
        view->writable = true;
        notify_ops.apply(view, &event);
        view->writable = false;
        DOOR_REQUIRE(view->latch == DOOR_OK || arena->exhausted);
}

static void input_round(const door_input *input, door_arena *arena)
{
        static door_out out;
        const door_reader reader = { .get = empty_get, .next = empty_next };
        door_view view;
        door_effect effect;

        out = (door_out){ .arena = arena };
        door_view_init(&view, &reader, arena);
        notify_ops.decide(&view, NULL, input, &out);
        DOOR_REQUIRE(view.latch == DOOR_OK && view.changes_count == 0);
        for (size_t i = 0; i < out.events_count; i++) {
                event_round(out.events[i].type, out.events[i].body, &view, arena);
        }
        (void)notify_ops.next_effect(&view, NULL, UINT64_MAX, NULL, 0, arena, &effect);
}

static void policy_round(const notify_policy *policy, uint8_t choice, door_arena *arena)
{
        const door_id id = { { choice } };
        notify_delivery delivery = { .standing = NOTIFY_PENDING };
        notify_mail mail;
        size_t blank_lines = 0;

        delivery.message.kind = (notify_kind)(1 + choice % (NOTIFY_KINDS - 1));
        delivery.message.due_ms = (uint64_t)choice << 32;
        delivery.message.has_severity = true;
        delivery.message.severity = choice;
        delivery.message.recipient =
                policy->recipients_count > 0 ? policy->recipients[0].id : DOOR_BYTES_EMPTY;
        DOOR_REQUIRE(notify_frame_read(notify_frame_make(policy, &id, &delivery, arena), &mail));
        for (size_t i = 0; i < mail.message.len; i++) {
                const uint8_t c = mail.message.data[i];
                DOOR_REQUIRE((c >= ' ' && c < 0x7F) || c == '\r' || c == '\n');
                blank_lines +=
                        blank_lines == 0 && i > 3 && memcmp(mail.message.data + i - 3, "\r\n\r\n", 4) == 0;
        }
        DOOR_REQUIRE(blank_lines == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;
        const void *body = NULL;
        door_status status = DOOR_OK;

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        if (size < 2) {
                return 0;
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        const door_bytes rest = { data + 2, size - 2 };
        if (data[0] < 0x80) {
                const door_consumed *kind = &notify_ops.consumes[data[1] % notify_ops.consumes_count];
                status = notify_ops.decode_input(kind->log, kind->type, 1, rest, &arena, &body);
                const door_input input = {
                        .kind = DOOR_INPUT_EVENT, .type = kind->type, .cause = { kind->log, 1 }, .body = body
                };
                if (status == DOOR_OK) {
                        input_round(&input, &arena);
                }
        } else if (data[0] < 0xC0) {
                const uint32_t type = NOTIFY_PLANNED + data[1] % 8u;
                const door_reader reader = { .get = empty_get, .next = empty_next };
                door_view view;
                door_view_init(&view, &reader, &arena);
                status = notify_ops.decode_event(type, 1, rest, DOOR_BYTES_EMPTY, &arena, &body);
                if (status == DOOR_OK) {
                        event_round(type, body, &view, &arena);
                }
        } else if (data[0] < 0xE0) {
                status = notify_ops.decode_policy(rest, &arena, &body);
                if (status == DOOR_OK) {
                        policy_round(body, data[1], &arena);
                }
        } else {
                notify_mail mail;
                (void)notify_frame_read(rest, &mail);
                status = notify_ops.decode_command(data[1], rest, &arena, &body);
        }
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED);
        return 0;
}
