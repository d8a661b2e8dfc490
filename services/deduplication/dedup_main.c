/* frontdoor-deduplication: says which family a referral belongs to. See README.md beside this file. */
#include "deduplication/dedup_codec.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
        static const door_upstream upstreams[] = { { DEDUP_LOG_INTAKE, "intake", DOOR_FORM_PUBLIC } };
        door_service_options options = {
                .core = &dedup_ops, .upstreams = upstreams, .upstreams_count = 1, .version = FRONTDOOR_VERSION
        };
        return door_service_main(argc, argv, &options);
}
