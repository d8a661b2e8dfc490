/* cli_keys.c - frontdoor keys init [--tcp PORT] */
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
        uint64_t port = 0;
        const char *tcp = cli_option(c, "--tcp");

        if (c->argc != (tcp == NULL ? 2 : 4) || strcmp(c->argv[1], "init") != 0 ||
            (tcp != NULL && (!cli_number(tcp, &port) || port == 0 || port > UINT16_MAX))) {
                return cli_usage(c, "init [--tcp PORT]");
        }
        if (mkdir(c->home, 0700) != 0 && errno != EEXIST) {
                (void)fprintf(stderr, "frontdoor: keys: cannot make the home folder: %s\n", strerror(errno));
                return CLI_FAILED;
        }
        if (realpath(c->home, real) == NULL) {
                (void)fprintf(stderr, "frontdoor: keys: %s\n", strerror(errno));
                return CLI_FAILED;
        }
        if (door_keys_init(real, (uint16_t)port, &made, &error) != DOOR_OK) {
                return cli_fail("keys", &error);
        }
        (void)printf("keys: %zu made, %zu kept; peers.yaml %s\n", made.made, made.kept,
                     made.peers_made ? "written" : "kept");
        return CLI_OK;
}
