/* frontdoor-allocation: who is responsible for an episode. See README.md beside this file. */
#include "allocation/allot_codec.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
        static const door_upstream upstreams[] = { { ALLOT_LOG_TRIAGE, "triage", DOOR_FORM_PUBLIC } };
        door_service_options options = {
                .core = &allot_ops, .upstreams = upstreams, .upstreams_count = 1, .version = FRONTDOOR_VERSION
        };
        return door_service_main(argc, argv, &options);
}
