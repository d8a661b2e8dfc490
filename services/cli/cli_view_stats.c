/*
 * cli_view_stats.c - frontdoor stats [--json]: where every received referral is.
 *
 * Every referral is in exactly one of the states, and the sum is what was received; the exit code is 3
 * when it is not, because then an operator is needed. The number of assessments not repeated is
 * printed beside what it takes to trust it.
 */
#include "cli/cli_view.h"

int cli_stats(cli *c)
{
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        Door__V1__ViewStats *stats = NULL;
        door_error error = { 0 };

        cli_interruptible();
        if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_STATS, &ask, &door__v1__view_stats__descriptor, &stats,
                         &error) != DOOR_OK) {
                return cli_fail("stats", &error);
        }
        if (cli_flag(c, "--json")) {
                cli_view_json(&stats->base);
                (void)printf("\n");
                return stats->balanced ? CLI_OK : CLI_CANNOT_JUDGE;
        }
        (void)printf("%-40s %10llu\n", "referrals received", (unsigned long long)stats->received);
        for (size_t i = 0; i < stats->n_count; i++) {
                (void)printf("  %-38s %10llu\n", cli_word_disposition(stats->count[i]->disposition),
                             (unsigned long long)stats->count[i]->referrals);
                if (stats->count[i]->disposition == DOOR__V1__DISPOSITION__DISPOSITION_QUEUED) {
                        (void)printf("    %-36s %10llu\n", "of these, taken by somebody",
                                     (unsigned long long)stats->taken);
                }
                if (stats->count[i]->disposition == DOOR__V1__DISPOSITION__DISPOSITION_OFFERED) {
                        (void)printf("    %-36s %10llu\n", "of these, the team has no room",
                                     (unsigned long long)stats->waiting);
                }
        }
        (void)printf("%s\n", stats->balanced ? "every referral is accounted for"
                                             : "THE SUM DOES NOT BALANCE: call the operator");
        (void)printf("\n%-40s %10llu\n", "added to open work, no new assessment",
                     (unsigned long long)stats->added);
        (void)printf("  %-38s %10llu\n", "of these, needed a look now",
                     (unsigned long long)stats->looked_now);
        (void)printf("  %-38s %10llu\n", "of these, raised by a quick look",
                     (unsigned long long)stats->raised);
        (void)printf("%-40s %10llu\n", "open work", (unsigned long long)stats->episodes_open);
        (void)printf("%-40s %10llu\n", "closed work", (unsigned long long)stats->episodes_closed);
        (void)printf("%-40s %10llu\n", "matches that wait for a person",
                     (unsigned long long)stats->reviews_open);
        (void)printf("%-40s %10llu\n", "messages a person must tell", (unsigned long long)stats->given_up);
        (void)printf("%-40s %10llu\n", "attempts refused and kept",
                     (unsigned long long)stats->attempts_refused);
        return stats->balanced ? CLI_OK : CLI_CANNOT_JUDGE;
}
