#include "shell/service_main.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_USAGE = 2 };

static int usage(const char *program, const door_service_settings *settings)
{
        (void)fprintf(stderr,
                      "usage: %s [--home DIR] [--metrics-port N] [--disk-floor BYTES] [--rate PER_MINUTE]%s\n"
                      "The home is --home, else $FRONTDOOR_HOME.\n",
                      program, settings == NULL ? "" : settings->usage);
        return EXIT_USAGE;
}

/* A whole number up to max; false for anything else. */
static bool number_read(const char *text, uint64_t max, uint64_t *ret_number)
{
        char *end = NULL;

        errno = 0;
        const unsigned long long number = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || text[0] == '-' || number > max) {
                return false;
        }
        *ret_number = number;
        return true;
}

bool door_service_read(int argc, char **argv, const door_service_settings *settings,
                       door_service_options *options, int *ret_exit_code)
{
        options->home = getenv("FRONTDOOR_HOME");
        for (int i = 1; i + 1 < argc; i += 2) {
                uint64_t number = 0;
                bool known = true;
                if (strcmp(argv[i], "--home") == 0) {
                        options->home = argv[i + 1];
                } else if (strcmp(argv[i], "--metrics-port") == 0) {
                        known = number_read(argv[i + 1], UINT16_MAX, &number);
                        options->metrics_port = (uint16_t)number;
                } else if (strcmp(argv[i], "--disk-floor") == 0) {
                        known = number_read(argv[i + 1], UINT64_MAX, &options->disk_floor_bytes);
                        options->disk_reserve_bytes = options->disk_floor_bytes / 4;
                } else if (strcmp(argv[i], "--rate") == 0) {
                        known = number_read(argv[i + 1], UINT32_MAX, &number);
                        options->rate_per_minute = (uint32_t)number;
                } else {
                        known = settings != NULL && settings->take(settings->context, argv[i], argv[i + 1]);
                }
                if (!known) {
                        (void)fprintf(stderr, "%s: %s: not a setting, or its value does not fit\n", argv[0],
                                      argv[i]);
                        *ret_exit_code = usage(argv[0], settings);
                        return false;
                }
        }
        if (argc % 2 == 0 || options->home == NULL || options->home[0] == '\0') {
                *ret_exit_code = usage(argv[0], settings);
                return false;
        }
        return true;
}

int door_service_main(int argc, char **argv, door_service_options *options)
{
        int exit_code = 0;

        return door_service_read(argc, argv, NULL, options, &exit_code) ? door_service_run(options)
                                                                        : exit_code;
}
