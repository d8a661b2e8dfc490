/* frontdoor-triage: what becomes of a referral, and by when. See README.md beside this file. */
#include "shell/service_main.h"
#include "triage/triage_codec.h"

int main(int argc, char **argv)
{
        static const door_upstream upstreams[] = {
                { TRIAGE_LOG_DEDUPLICATION, "deduplication", DOOR_FORM_PUBLIC },
                { TRIAGE_LOG_ALLOCATION, "allocation", DOOR_FORM_PUBLIC },
        };
        door_service_options options = { .core = &triage_ops,
                                         .upstreams = upstreams,
                                         .upstreams_count = 2,
                                         .version = FRONTDOOR_VERSION };
        return door_service_main(argc, argv, &options);
}
