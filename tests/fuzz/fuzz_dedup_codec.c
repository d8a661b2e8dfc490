/*
 * fuzz_dedup_codec.c - bytes of intake's log, of our own log and of policy at deduplication.
 *
 * The first byte chooses what the rest pretends to be: a referral, a command, an event (public and
 * private part, cut at the second byte), a policy, a name. Promised of every input: no crash; the answer is
 * OK or MALFORMED; what was read as a referral is decided over an empty state, and the event is the
 * same bytes twice and decodes; a folded name of clean text is clean text, and bounded.
 */
#include <stdint.h>
#include <stdlib.h>

#include "deduplication/dedup_codec.h"
#include "fuzz/empty_reader.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static void referral_round(const void *body, door_arena *arena)
{
        static door_out out;
        const door_reader reader = { .get = empty_get, .next = empty_next };
        const door_input input = { .kind = DOOR_INPUT_EVENT, .body = body };
        door_view view;
        door_bytes first[2];
        door_bytes second[2];
        const void *copy = NULL;

        out = (door_out){ .arena = arena };
        door_view_init(&view, &reader, arena);
        dedup_ops.decide(&view, NULL, &input, &out);
        DOOR_REQUIRE(view.latch == DOOR_OK && out.events_count == 1);
        DOOR_REQUIRE(dedup_ops.encode_event(&out.events[0], arena, &first[0], &first[1]) == DOOR_OK);
        DOOR_REQUIRE(dedup_ops.encode_event(&out.events[0], arena, &second[0], &second[1]) == DOOR_OK);
        DOOR_REQUIRE(door_bytes_equal(first[0], second[0]) && door_bytes_equal(first[1], second[1]));
        DOOR_REQUIRE(dedup_ops.decode_event(DEDUP_REFERRAL_MATCHED, 1, first[0], first[1], arena, &copy) ==
                     DOOR_OK);
        out.events[0].body = copy;
        out.events[0].seq = 1;
        view.writable = true;
        dedup_ops.apply(&view, &out.events[0]);
        DOOR_REQUIRE(view.latch == DOOR_OK || arena->exhausted);
}

static void name_round(door_bytes name, door_arena *arena)
{
        const door_bytes once = dedup_fold_name(name, arena);

        DOOR_REQUIRE(once.len <= DEDUP_NAME_BYTES_MAX + 4);
        DOOR_REQUIRE(!door_text_is_clean(name) || door_text_is_clean(once));
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
                status = dedup_ops.decode_input(DEDUP_LOG_INTAKE, DEDUP_INPUT_REFERRAL_RECEIVED, 1, rest,
                                                &arena, &body);
                if (status == DOOR_OK) {
                        referral_round(body, &arena);
                }
        } else if (data[0] < 0x90) {
                status = dedup_ops.decode_command(DEDUP_ANSWER_REVIEW + data[0] % 4, rest, &arena, &body);
        } else if (data[0] < 0xC0) {
                const size_t cut = rest.len * data[1] / 256;
                status = dedup_ops.decode_event(
                        DEDUP_REFERRAL_MATCHED + data[0] % 5, 1, (door_bytes){ rest.data, cut },
                        (door_bytes){ rest.data + cut, rest.len - cut }, &arena, &body);
        } else if (data[0] < 0xE0) {
                status = dedup_ops.decode_policy(rest, &arena, &body);
        } else {
                name_round(rest, &arena);
        }
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED);
        return 0;
}
