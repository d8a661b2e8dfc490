/* copy_main.c - the copying chain's programs: COPY_PLACE 1 to 5. */
#include "bench/copy_core.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
        static const char *const names[COPY_PLACES] = { "intake", "deduplication", "triage", "allocation",
                                                        "notification" };
        const uint32_t before = COPY_PLACE - 1;
        const door_upstream upstreams[] = { { before, before > 0 ? names[before - 1] : "",
                                              DOOR_FORM_PUBLIC } };
        door_service_options options = { .core = copy_ops(COPY_PLACE),
                                         .upstreams = upstreams,
                                         .upstreams_count = before > 0 ? 1 : 0,
                                         .version = "copy" };

        return door_service_main(argc, argv, &options);
}
