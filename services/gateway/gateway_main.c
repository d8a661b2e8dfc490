/* frontdoor-gateway: one picture of five logs, and answers to questions about it. See README.md beside this
 * file. */
#include "gateway/view_codec.h"
#include "shell/service_main.h"

int main(int argc, char **argv)
{
        static const door_upstream upstreams[] = {
                { VIEW_LOG_INTAKE, "intake", DOOR_FORM_PUBLIC },
                { VIEW_LOG_DEDUPLICATION, "deduplication", DOOR_FORM_PUBLIC },
                { VIEW_LOG_TRIAGE, "triage", DOOR_FORM_PUBLIC },
                { VIEW_LOG_ALLOCATION, "allocation", DOOR_FORM_PUBLIC },
                { VIEW_LOG_NOTIFICATION, "notification", DOOR_FORM_PUBLIC },
        };
        door_service_options options = { .core = &view_ops,
                                         .upstreams = upstreams,
                                         .upstreams_count = sizeof upstreams / sizeof upstreams[0],
                                         .version = FRONTDOOR_VERSION };
        return door_service_main(argc, argv, &options);
}
