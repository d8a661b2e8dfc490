/* The services this program knows: what it starts, asks, verifies and replays. */
#include <string.h>

#include "allocation/allot_codec.h"
#include "cli/cli.h"
#include "deduplication/dedup_codec.h"
#include "gateway/view_codec.h"
#include "intake/intake_codec.h"
#include "notification/notify_codec.h"
#include "triage/triage_codec.h"

const cli_service *cli_service_at(size_t index)
{
        static const cli_service services[] = {
                { &intake_ops, "frontdoor-intake" },       { &dedup_ops, "frontdoor-deduplication" },
                { &triage_ops, "frontdoor-triage" },       { &allot_ops, "frontdoor-allocation" },
                { &notify_ops, "frontdoor-notification" }, { &view_ops, "frontdoor-gateway" },
        };
        return index < sizeof services / sizeof services[0] ? &services[index] : NULL;
}

const cli_service *cli_service_named(const char *name)
{
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                if (strcmp(cli_service_at(i)->core->name, name) == 0) {
                        return cli_service_at(i);
                }
        }
        return NULL;
}
