/* fuzz_triage_codec.c - bytes at triage's codec; what is promised stands in fuzz_core.h. */
#include "fuzz/fuzz_core.h"
#include "triage/triage_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        triage_policy policy = triage_policy_default;

        policy.training = true;
        return fuzz_core(&triage_ops, &policy, data, size);
}
