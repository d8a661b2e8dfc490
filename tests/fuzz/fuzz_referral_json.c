/*
 * fuzz_referral_json.c - lines of strangers.
 *
 * Promised: no crash and no leak; whatever the reader accepts, intake's boundary accepts too or
 * refuses for a bound; an error has a sentence.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cli/referral_json.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 16 * DOOR_MIB };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static void *storage;
        door_arena arena;
        referral_json json;
        door_error error = { 0 };

        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
                DOOR_REQUIRE(storage != NULL);
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        if (referral_json_read((door_bytes){ data, size }, 1, &arena, &json, &error) != DOOR_OK) {
                DOOR_REQUIRE(error.text[0] != '\0');
                return 0;
        }
        Door__V1__Submit submit = DOOR__V1__SUBMIT__INIT;
        door_bytes bytes;
        const void *body = NULL;
        submit.referral = json.referral;
        submit.idempotency_key = json.key;
        DOOR_REQUIRE(door_proto_pack(&submit, &arena, &bytes) == DOOR_OK);
        DOOR_REQUIRE(intake_ops.decode_command(INTAKE_SUBMIT, bytes, &arena, &body) == DOOR_OK);
        return 0;
}
