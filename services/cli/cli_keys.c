/* cli_keys.c - frontdoor keys init */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"

int cli_keys(cli *c)
{
        door_keys_made made;
        door_error error = { 0 };
        char real[PATH_MAX];

        if (c->argc != 2 || strcmp(c->argv[1], "init") != 0) {
                return cli_usage(c, "init");
        }
        if (mkdir(c->home, 0700) != 0 && errno != EEXIST) {
                (void)fprintf(stderr, "frontdoor: keys: cannot make the home folder: %s\n", strerror(errno));
                return CLI_FAILED;
        }
        if (realpath(c->home, real) == NULL) {
                (void)fprintf(stderr, "frontdoor: keys: %s\n", strerror(errno));
                return CLI_FAILED;
        }
        if (door_keys_init(real, &made, &error) != DOOR_OK) {
                return cli_fail("keys", &error);
        }
        (void)printf("keys: %zu made, %zu kept; peers.yaml %s\n", made.made, made.kept,
                     made.peers_made ? "written" : "kept");
        return CLI_OK;
}
