/*
 * service_main.h - the command line every service shares.
 *
 *   frontdoor-<service> [--home DIR] [--metrics-port N] [--disk-floor BYTES] [--rate N]
 *
 * The home is --home, else $FRONTDOOR_HOME. A mistake is one line and exit code 2.
 */
#ifndef DOOR_SHELL_SERVICE_MAIN_H
#define DOOR_SHELL_SERVICE_MAIN_H

#include "shell/service_run.h"

/* Reads the arguments into *options (core and upstreams are the caller's) and runs. The exit code. */
int door_service_main(int argc, char **argv, door_service_options *options);

#endif
