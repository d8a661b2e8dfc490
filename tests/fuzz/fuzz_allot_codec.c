/* fuzz_allot_codec.c - bytes at allocation's codec; what is promised stands in fuzz_core.h. */
#include "allocation/allot_codec.h"
#include "fuzz/fuzz_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        const allot_team teams[] = {
                { .id = door_bytes_of("east"), .kind = ALLOT_SOCIAL_CARE, .level_from = 1, .level_to = 4 },
                { .id = door_bytes_of("front-door"), .kind = ALLOT_FRONT_DOOR },
        };
        const allot_policy policy = { .training = true, .teams_count = 2, .teams = teams };

        return fuzz_core(&allot_ops, &policy, data, size);
}
