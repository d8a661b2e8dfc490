/*
 * frontdoor-notification: tells people. See README.md beside this file.
 *
 *   --smtp URL         a mail server, smtp://host:port (STARTTLS) or smtps://host:port; without it
 *                      messages are files in $home/outbox
 *   --smtp-ca FILE     whose certificates to trust, instead of the system's
 *   --smtp-plain yes   smtp:// without TLS
 */
#include <stdio.h>
#include <string.h>

#include "notification/notify_codec.h"
#include "notification/notify_sinks.h"
#include "shell/service_main.h"

static bool setting_take(void *context, const char *name, const char *value)
{
        notify_sink_smtp *smtp = context;

        if (strcmp(name, "--smtp") == 0) {
                smtp->url = value;
        } else if (strcmp(name, "--smtp-ca") == 0) {
                smtp->ca_file = value;
        } else if (strcmp(name, "--smtp-plain") == 0 && strcmp(value, "yes") == 0) {
                smtp->plain = true;
        } else {
                return false;
        }
        return true;
}

int main(int argc, char **argv)
{
        static const door_upstream upstreams[] = {
                { NOTIFY_LOG_INTAKE, "intake", DOOR_FORM_HEADERS },
                { NOTIFY_LOG_TRIAGE, "triage", DOOR_FORM_PUBLIC },
                { NOTIFY_LOG_ALLOCATION, "allocation", DOOR_FORM_PUBLIC },
        };
        notify_sink_smtp smtp = { .url = NULL };
        notify_sink_eml eml;
        door_executor executor = { &eml, notify_sink_eml_perform, notify_sink_eml_settle };
        door_service_options options = { .core = &notify_ops,
                                         .upstreams = upstreams,
                                         .upstreams_count = 3,
                                         .version = FRONTDOOR_VERSION,
                                         .executor = &executor };
        const door_service_settings own = { &smtp, setting_take,
                                            " [--smtp URL [--smtp-ca FILE] [--smtp-plain yes]]" };
        int exit_code = 0;

        if (!door_service_read(argc, argv, &own, &options, &exit_code)) {
                return exit_code;
        }
        const door_status opened =
                smtp.url != NULL ? notify_sink_smtp_open(&smtp) : notify_sink_eml_open(&eml, options.home);
        if (opened != DOOR_OK) {
                (void)fprintf(stderr, "%s: %s: %s\n", argv[0], smtp.url != NULL ? "--smtp" : "the outbox",
                              door_status_text(opened));
                return DOOR_EXIT_RESTART;
        }
        if (smtp.url != NULL) {
                executor = (door_executor){ &smtp, notify_sink_smtp_perform, NULL };
        }
        return door_service_run(&options);
}
