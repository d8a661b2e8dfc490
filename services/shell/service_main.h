/*
 * service_main.h - the command line every service shares.
 *
 *   frontdoor-<service> [--home DIR] [--metrics-port N] [--disk-floor BYTES] [--rate N]
 *
 * The home is --home, else $FRONTDOOR_HOME. A mistake is one line and exit code 2. A service with
 * settings of its own takes them in door_service_settings; each is a name and a value.
 */
#ifndef DOOR_SHELL_SERVICE_MAIN_H
#define DOOR_SHELL_SERVICE_MAIN_H

#include "shell/service_run.h"

typedef struct door_service_settings {
        void *context;
        /* False: no setting of this service, or not its value. name and value are argv's. */
        bool (*take)(void *context, const char *name, const char *value);
        const char *usage; /* " [--this VALUE]", to be printed after the shared ones. */
} door_service_settings;

/*
 * door_service_read - the arguments into *options; core, upstreams and executor are the caller's.
 *
 *   settings       [in]   NULL: the service has none of its own.
 *   ret_exit_code  [out]  set on false: a mistake was told.
 */
bool door_service_read(int argc, char **argv, const door_service_settings *settings,
                       door_service_options *options, int *ret_exit_code);

/* Reads the arguments and runs, for a service without settings of its own. The exit code. */
int door_service_main(int argc, char **argv, door_service_options *options);

#endif
