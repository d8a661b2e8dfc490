/*
 * frontdoor_main.c - the `frontdoor` command: finds home, then the subcommand (cli_table.c).
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"

static int help(FILE *to, int code)
{
        (void)fprintf(to, "usage: frontdoor [--home DIR] COMMAND …\n\n");
        for (size_t i = 0; cli_subcommand_at(i) != NULL; i++) {
                const cli_subcommand *s = cli_subcommand_at(i);
                (void)fprintf(to, "  %-10s %-42s %s\n", s->name, s->arguments, s->help);
        }
        (void)fprintf(to, "\nThe home is --home, else $FRONTDOOR_HOME, else ./var.\n"
                          "Exit codes: 0 done, 1 not done, 2 wrong call, 3 an operator is needed.\n");
        return code;
}

static int run(cli *c, const char *name)
{
        for (size_t i = 0; cli_subcommand_at(i) != NULL; i++) {
                const cli_subcommand *s = cli_subcommand_at(i);
                if (strcmp(s->name, name) != 0) {
                        continue;
                }
                if (cli_flag(c, "--help")) {
                        (void)printf(
                                "frontdoor %s %s\n  %s\n  example: %s\n"
                                "  exit codes: 0 done, 1 not done, 2 wrong call, 3 an operator is needed\n",
                                name, s->arguments, s->help, s->example);
                        return CLI_OK;
                }
                return s->run(c);
        }
        (void)fprintf(stderr, "frontdoor: there is no command %s\n", name);
        return help(stderr, CLI_USAGE);
}

int main(int argc, char **argv)
{
        cli c = { .home = getenv("FRONTDOOR_HOME") };
        char absolute[CLI_PATH_BYTES_MAX];
        int first = 1;

        if (sodium_init() < 0 || posix_memalign(&c.memory, 64, CLI_ARENA_BYTES) != 0) {
                return CLI_FAILED;
        }
        door_arena_init(&c.arena, c.memory, CLI_ARENA_BYTES);
        if (first + 1 < argc && strcmp(argv[first], "--home") == 0) {
                c.home = argv[first + 1];
                first += 2;
        }
        if (first >= argc) {
                free(c.memory);
                return help(stderr, CLI_USAGE);
        }
        if (strcmp(argv[first], "--help") == 0 || strcmp(argv[first], "help") == 0) {
                free(c.memory);
                return help(stdout, CLI_OK);
        }
        c.home = c.home == NULL || c.home[0] == '\0' ? "./var" : c.home;
        /* Endpoints in peers.yaml are absolute, so home is made so once, here. */
        char *real = realpath(c.home, NULL);
        if (real != NULL && strlen(real) < sizeof absolute) {
                strcpy(absolute, real);
                c.home = absolute;
        }
        free(real);
        c.argc = argc - first;
        c.argv = argv + first;
        const int code = run(&c, argv[first]);
        if (c.own_loaded) {
                door_keypair_done(&c.own);
        }
        (void)door_peers_free(c.peers);
        free(c.memory);
        return code;
}
