/*
 * frontdoor_main.c - the `frontdoor` command: one table, one function a subcommand.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"

typedef struct subcommand {
        const char *name;
        int (*run)(cli *c);
        const char *arguments;
        const char *help;
} subcommand;

static const subcommand subcommands[] = {
        { "keys", cli_keys, "init", "make what is missing of keys and peers.yaml" },
        { "run", cli_run, "[--only SERVICE] [--disk-floor BYTES]", "start the services and keep them up" },
        { "policy", cli_policy, "check|apply|status DIR [--only SERVICE,…]",
          "check the county's policy; make it the services'; compare" },
        { "import", cli_import, "FILE.ndjson [--live]", "submit referrals, one a line; run again to resume" },
        { "log", cli_log_show, "SERVICE [--from N] [--follow] [--cause R-…]",
          "what a service has recorded, personal data masked" },
        { "status", cli_status, "[--json] [--wait SECONDS]",
          "how each service is; --wait: until nothing waits, else exit 1" },
        { "export", cli_export, "people|families|decisions --out FILE.csv", "what was recognised, as CSV" },
        { "verify", cli_verify, "[--stopped] [--dispositions FILE.csv]",
          "audit the logs and replay them: exit 0, 1 or 2" },
        { "queue", cli_queue, "[--page N|--all] [--json]",
          "what waits for a threshold decision, most urgent first" },
        { "look", cli_look, "[--page N|--all] [--json]",
          "the look list: what was added and needs a quick look" },
        { "inbox", cli_inbox, "TEAM [--page N|--all] [--json]",
          "what a team is offered, and what is open to it" },
        { "show", cli_show, "R-…|F-…|E-… [--names] [--json]",
          "the story of a referral, a family or open work; --names is recorded at intake" },
        { "review", cli_review, "list [--page N|--all] [--json]", "matches that wait for a person" },
        { "told", cli_told, "[--given-up] [--json]", "messages not yet delivered; those a person must tell" },
        { "loads", cli_loads, "[--json]", "what each team is offered, waits for and has open" },
        { "stats", cli_stats, "[--json]",
          "where every received referral is; exit 3 when the sum does not balance" },
        { "lag", cli_lag, "[--json]", "how far each service is behind the logs it reads" },
        { "top", cli_top, "[--once [--json]]", "rates, lag, the oldest of everything that waits" },
        { "view", cli_view, "rebuild",
          "take away what a stopped gateway remembers; it reads all logs again" },
        { "take", cli_act, "E-… --as NAME --role ROLE", "work on a row of the queue for thirty minutes" },
        { "put-back", cli_act, "E-… --as NAME --role ROLE", "leave it to somebody else; its place is kept" },
        { "decide", cli_act, "E-… --level N --next-step STEP --reason TEXT --version N …",
          "the threshold decision about everything attached" },
        { "answer", cli_act, "E-… R-… ANSWER --reason TEXT …",
          "an item of the look list: nothing-changes, raise, new-assessment, not-this-family" },
        { "respond", cli_act, "E-… R-… yes|no|not-sure --reason TEXT …",
          "the holding team's answer to a referral added to its work" },
        { "accept", cli_act, "E-… --lead NAME …", "a team takes the family and names a lead practitioner" },
        { "return", cli_act, "E-… REASON --reason TEXT …", "a team returns a family, with the reason" },
        { "hand-over", cli_act, "E-… --team ID --reason TEXT …", "the owner offers it to another team" },
        { "place", cli_act, "E-… --team ID --reason TEXT …", "a manager offers it to a team by hand" },
        { "close", cli_act, "E-… --outcome helped|other-council|consent-withdrawn …", "the help has ended" },
        { "reopen", cli_act, "E-… --reason TEXT …", "into the queue again" },
        { "parked", cli_parked, "SERVICE [--release]",
          "what a service has set aside; --release: decide it after all, oldest first" },
        { "anchor", cli_anchor, "accept SERVICE",
          "a person says the database is right and its anchor is not" },
};

/* One line to copy, for those whose arguments do not say it all. */
static const char *example_of(const char *name)
{
        static const char *const examples[][2] = {
                { "queue", "frontdoor queue --page 2" },
                { "look", "frontdoor look --all" },
                { "inbox", "frontdoor inbox gloucester-0-10" },
                { "show", "frontdoor show R-00000000000000000 --names --purpose screening" },
                { "review", "frontdoor review list" },
                { "told", "frontdoor told --given-up" },
                { "loads", "frontdoor loads --json" },
                { "stats", "frontdoor stats --json" },
                { "lag", "frontdoor lag" },
                { "top", "frontdoor top --once" },
                { "view", "deploy/down && frontdoor view rebuild && deploy/up" },
        };

        for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
                if (strcmp(examples[i][0], name) == 0) {
                        return examples[i][1];
                }
        }
        return NULL;
}

static int help(FILE *to, int code)
{
        (void)fprintf(to, "usage: frontdoor [--home DIR] COMMAND …\n\n");
        for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
                (void)fprintf(to, "  %-9s %-42s %s\n", subcommands[i].name, subcommands[i].arguments,
                              subcommands[i].help);
        }
        (void)fprintf(to, "\nThe home is --home, else $FRONTDOOR_HOME, else ./var.\n"
                          "Exit codes: 0 done, 1 not done, 2 wrong call, 3 an operator is needed.\n");
        return code;
}

static int run(cli *c, const char *name)
{
        for (size_t i = 0; i < sizeof subcommands / sizeof subcommands[0]; i++) {
                if (strcmp(subcommands[i].name, name) == 0) {
                        if (cli_flag(c, "--help")) {
                                (void)printf("frontdoor %s %s\n  %s\n", name, subcommands[i].arguments,
                                             subcommands[i].help);
                                if (example_of(name) != NULL) {
                                        (void)printf("  example: %s\n  exit codes: 0 done, 1 not done, 2 "
                                                     "wrong call, 3 "
                                                     "an operator is needed\n",
                                                     example_of(name));
                                }
                                return CLI_OK;
                        }
                        return subcommands[i].run(c);
                }
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
