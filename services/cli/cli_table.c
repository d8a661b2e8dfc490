/*
 * cli_table.c - every subcommand: its function, its arguments, what it does, a line to copy.
 *
 * The help, the completion and the manual page are printed from this table, so they cannot disagree.
 */
#include <string.h>

#include "cli/cli.h"

const cli_subcommand *cli_subcommand_at(size_t index)
{
        static const cli_subcommand subcommands[] = {
                { "keys", cli_keys, "init [--tcp PORT]", "make what is missing of keys and peers.yaml",
                  "frontdoor keys init" },
                { "run", cli_run, "[--only SERVICE] [--disk-floor BYTES] [--metrics-from PORT]",
                  "start the services and keep them up", "frontdoor run" },
                { "policy", cli_policy, "check|apply|status DIR [--only SERVICE,…]",
                  "check the county's policy; make it the services'; compare",
                  "frontdoor policy check deploy/config/policy" },
                { "import", cli_import, "FILE.ndjson [--live]",
                  "submit referrals, one a line; run again to resume",
                  "frontdoor import --live today.ndjson" },
                { "log", cli_log_show, "SERVICE [--from N] [--follow] [--cause R-…]",
                  "what a service has recorded, personal data masked", "frontdoor log triage --follow" },
                { "status", cli_status, "[--json] [--wait SECONDS] [--without SERVICE]",
                  "how each service is; --wait: until nothing waits, else exit 1",
                  "frontdoor status --wait 20" },
                { "export", cli_export, "people|families|decisions --out FILE.csv",
                  "what was recognised, as CSV", "frontdoor export families --out families.csv" },
                { "verify", cli_verify, "[--stopped] [--dispositions FILE.csv]",
                  "audit the logs and replay them: exit 0, 1 or 2", "frontdoor verify" },
                { "queue", cli_queue, "[--page N|--all] [--json]",
                  "what waits for a threshold decision, most urgent first", "frontdoor queue --page 2" },
                { "look", cli_look, "[--page N|--all] [--json]",
                  "the look list: what was added and needs a quick look", "frontdoor look --all" },
                { "inbox", cli_inbox, "TEAM [--page N|--all] [--json]",
                  "what a team is offered, and what is open to it", "frontdoor inbox gloucester-0-10" },
                { "show", cli_show, "R-…|F-…|E-… [--names] [--json]",
                  "the story of a referral, a family or open work; --names is recorded at intake",
                  "frontdoor show R-00000000000000000 --names --purpose screening" },
                { "review", cli_review,
                  "list [--page N|--all] | show V-… [--names] | same|different|unsure V-… --why TEXT …",
                  "matches that wait for a person: listed, shown side by side, answered",
                  "frontdoor review same V-00000000000000000 --why \"one household\" --as jo --role triage" },
                { "join", cli_join, "F-FROM F-TO --dry-run | F-FROM F-TO --why TEXT [--second NAME] …",
                  "the first family is joined with the second; --dry-run: what that comes to",
                  "frontdoor join F-00000000000000000 F-10000000000000000 --dry-run" },
                { "undo", cli_undo, "J-… --dry-run | J-… --why TEXT [--to-from R-…,R-…] …",
                  "a join was wrong: what stood apart goes back, and what --to-from names",
                  "frontdoor undo J-00000000000000000 --dry-run" },
                { "move", cli_move, "R-… F-FROM F-TO|new --why TEXT [--second NAME] …",
                  "a referral belongs to another family, or to one of its own",
                  "frontdoor move R-00000000000000000 F-00000000000000000 new --why \"same name, another "
                  "address\" --as jo --role triage" },
                { "told", cli_told, "[--given-up] [--json]",
                  "messages not yet delivered; those a person must tell", "frontdoor told --given-up" },
                { "loads", cli_loads, "[--json]", "what each team is offered, waits for and has open",
                  "frontdoor loads --json" },
                { "stats", cli_stats, "[--json]",
                  "where every received referral is; exit 3 when the sum does not balance",
                  "frontdoor stats --json" },
                { "lag", cli_lag, "[--json]", "how far each service is behind the logs it reads",
                  "frontdoor lag" },
                { "top", cli_top, "[--once [--json]]", "rates, lag, the oldest of everything that waits",
                  "frontdoor top --once" },
                { "view", cli_view, "rebuild",
                  "take away what a stopped gateway remembers; it reads all logs again",
                  "deploy/down && frontdoor view rebuild && deploy/up" },
                { "take", cli_act, "E-… --as NAME --role ROLE",
                  "work on a row of the queue for thirty minutes",
                  "frontdoor take E-00000000000000000 --as jo --role triage" },
                { "put-back", cli_act, "E-… --as NAME --role ROLE",
                  "leave it to somebody else; its place is kept",
                  "frontdoor put-back E-00000000000000000 --as jo --role triage" },
                { "decide", cli_act, "E-… --level N --next-step STEP --reason TEXT --version N …",
                  "the threshold decision about everything attached",
                  "frontdoor decide E-00000000000000000 --level 3 --next-step section-17 --reason \"seen at "
                  "school\" --version 1 --as jo --role triage" },
                { "answer", cli_act, "E-… R-… ANSWER --reason TEXT …",
                  "an item of the look list: nothing-changes, raise, new-assessment, not-this-family",
                  "frontdoor answer E-00000000000000000 R-00000000000000000 nothing-changes --reason \"known "
                  "and answered\" --as jo --role triage" },
                { "respond", cli_act, "E-… R-… yes|no|not-sure --reason TEXT …",
                  "the holding team's answer to a referral added to its work",
                  "frontdoor respond E-00000000000000000 R-00000000000000000 yes --reason \"visit on "
                  "Friday\" --seen yes --as sam --role team-gloucester-0-10" },
                { "accept", cli_act, "E-… --lead NAME …",
                  "a team takes the family and names a lead practitioner",
                  "frontdoor accept E-00000000000000000 --lead \"Kim Hall\" --as sam --role "
                  "team-gloucester-0-10" },
                { "return", cli_act, "E-… REASON --reason TEXT …", "a team returns a family, with the reason",
                  "frontdoor return E-00000000000000000 no-capacity --reason \"two workers ill\" --as sam "
                  "--role team-gloucester-0-10" },
                { "hand-over", cli_act, "E-… --team ID --reason TEXT …",
                  "the owner offers it to another team",
                  "frontdoor hand-over E-00000000000000000 --team stroud-0-10 --reason \"family has moved\" "
                  "--as sam --role team-gloucester-0-10" },
                { "place", cli_act, "E-… --team ID --reason TEXT …", "a manager offers it to a team by hand",
                  "frontdoor place E-00000000000000000 --team camhs --reason \"no fixed address\" --as mo "
                  "--role manager" },
                { "close", cli_act, "E-… --outcome helped|other-council|consent-withdrawn …",
                  "the help has ended",
                  "frontdoor close E-00000000000000000 --outcome helped --reason \"plan completed\" --as sam "
                  "--role team-gloucester-0-10" },
                { "reopen", cli_act, "E-… --reason TEXT …", "into the queue again",
                  "frontdoor reopen E-00000000000000000 --reason \"new concern by phone\" --as jo --role "
                  "triage" },
                { "parked", cli_parked, "SERVICE [--release]",
                  "what a service has set aside; --release: decide it after all, oldest first",
                  "frontdoor parked deduplication --release" },
                { "anchor", cli_anchor, "accept SERVICE",
                  "a person says the database is right and its anchor is not",
                  "deploy/down && frontdoor anchor accept intake" },
                { "completion", cli_completion, "", "a completion script for bash",
                  "eval \"$(frontdoor completion)\"" },
                { "man", cli_man, "", "the manual page, as roff", "frontdoor man >frontdoor.1" },
        };
        return index < sizeof subcommands / sizeof subcommands[0] ? &subcommands[index] : NULL;
}

/* ---- completion: the words of the table, and the flags its arguments name */

static void flags_print(const char *arguments)
{
        for (const char *at = strstr(arguments, "--"); at != NULL; at = strstr(at + 2, "--")) {
                const size_t len = 2 + strspn(at + 2, "abcdefghijklmnopqrstuvwxyz-");
                (void)printf(" %.*s", (int)len, at);
        }
}

int cli_completion(cli *c)
{
        (void)c;
        (void)printf("_frontdoor() {\n"
                     "        local now=${COMP_WORDS[COMP_CWORD]}\n"
                     "        if [ \"$COMP_CWORD\" = 1 ]; then\n"
                     "                COMPREPLY=($(compgen -W '");
        for (size_t i = 0; cli_subcommand_at(i) != NULL; i++) {
                (void)printf("%s%s", i == 0 ? "" : " ", cli_subcommand_at(i)->name);
        }
        (void)printf("' -- \"$now\"))\n                return\n        fi\n"
                     "        case ${COMP_WORDS[1]} in\n");
        for (size_t i = 0; cli_subcommand_at(i) != NULL; i++) {
                const cli_subcommand *s = cli_subcommand_at(i);
                (void)printf("        %s) COMPREPLY=($(compgen -W '--help", s->name);
                flags_print(s->arguments);
                if (s->run == cli_act) {
                        (void)printf(" --as --role --reason --version --json");
                } else if (s->run == cli_review || s->run == cli_join || s->run == cli_undo ||
                           s->run == cli_move) {
                        (void)printf(" --as --role --json");
                }
                (void)printf("' -- \"$now\")) ;;\n");
        }
        (void)printf("        esac\n        [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "
                     "\"$now\"))\n}\n"
                     "complete -F _frontdoor frontdoor\n");
        return CLI_OK;
}

/* ---- the manual page */

/* roff takes a leading dot or quote for a request, a hyphen for a hyphen, a backslash for an escape. */
static void roff_print(const char *text)
{
        for (const char *at = text; *at != '\0'; at++) {
                (void)printf("%s%c", *at == '-' || *at == '\\' ? "\\" : "", *at);
        }
}

int cli_man(cli *c)
{
        (void)c;
        (void)printf(
                ".TH FRONTDOOR 1\n.SH NAME\nfrontdoor \\- a county's front door, from the command line\n"
                ".SH SYNOPSIS\n.B frontdoor\n[\\-\\-home DIR] COMMAND ...\n"
                ".SH DESCRIPTION\nStarts, feeds, shows and checks the services of Front Door. The home is\n"
                ".BR \\-\\-home ,\nelse\n.BR $FRONTDOOR_HOME ,\nelse ./var. Acting for a person works in "
                "training "
                "only.\n.SH COMMANDS\n");
        for (size_t i = 0; cli_subcommand_at(i) != NULL; i++) {
                const cli_subcommand *s = cli_subcommand_at(i);
                (void)printf(".TP\n.B %s ", s->name);
                roff_print(s->arguments);
                (void)printf("\n");
                roff_print(s->help);
                (void)printf(".\n.br\n.I ");
                roff_print(s->example);
                (void)printf("\n");
        }
        (void)printf(
                ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nnot done\n.TP\n2\nthe call is wrong; of verify: it "
                "cannot be judged\n.TP\n3\nan operator is needed\n");
        return CLI_OK;
}
