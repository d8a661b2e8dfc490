/*
 * fuzz_intake_codec.c - bytes of strangers at intake's boundary.
 *
 * The first byte chooses what the rest pretends to be: a command, an event of the log, a policy.
 * Promised of every input: no crash; the answer is OK, MALFORMED or, never with a fresh arena,
 * NO_MEMORY; what was accepted as a submission makes an event that is the same after its bytes.
 */
#include <stdint.h>
#include <stdlib.h>

#include "intake/intake_codec.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static void event_round(uint32_t type, const void *body, door_arena *arena)
{
        const door_event event = { .type = type, .version = 1, .body = body };
        door_bytes first[2];
        door_bytes second[2];
        const void *copy = NULL;

        DOOR_REQUIRE(intake_ops.encode_event(&event, arena, &first[0], &first[1]) == DOOR_OK);
        DOOR_REQUIRE(first[0].len + first[1].len <= DOOR_RECORD_BYTES_MAX - 4096);
        DOOR_REQUIRE(intake_ops.decode_event(type, 1, first[0], first[1], arena, &copy) == DOOR_OK);
        const door_event again = { .type = type, .version = 1, .body = copy };
        DOOR_REQUIRE(intake_ops.encode_event(&again, arena, &second[0], &second[1]) == DOOR_OK);
        DOOR_REQUIRE(door_bytes_equal(first[0], second[0]) && door_bytes_equal(first[1], second[1]));
}

static void submit_round(const intake_submit *submit, door_arena *arena)
{
        intake_received body = { .received_at_ms = UINT64_C(1795435200000) };

        if (submit->form.bound != INTAKE_WITHIN_BOUNDS) {
                return;
        }
        body.facts = submit->form.facts;
        body.content = submit->form.content;
        body.agency = submit->form.agency;
        body.content_digest = submit->form.content_digest;
        intake_warn(&submit->form, body.received_at_ms, 300000, &body.warnings);
        event_round(INTAKE_REFERRAL_RECEIVED, &body, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;
        const void *body = NULL;
        door_status status;

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        if (size == 0) {
                return 0;
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        const door_bytes rest = { data + 1, size - 1 };
        const uint32_t type = 16 + (data[0] & 7U);
        if (data[0] < 0x40) {
                status = intake_ops.decode_command(type, rest, &arena, &body);
                if (status == DOOR_OK && type == INTAKE_SUBMIT) {
                        submit_round(body, &arena);
                }
        } else if (data[0] < 0xC0) {
                status = intake_ops.decode_event(type, 1, rest, DOOR_BYTES_EMPTY, &arena, &body);
        } else {
                status = intake_ops.decode_policy(rest, &arena, &body);
        }
        DOOR_REQUIRE(status == DOOR_OK || status == DOOR_MALFORMED);
        return 0;
}
