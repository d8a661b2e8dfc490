/*
 * cli_view_top.c - frontdoor top [--once] [--json]: is anything stuck?
 *
 * Each second: records a second at every service, what waits, whether every referral is accounted for,
 * and the oldest of everything that waits for somebody. --once: one picture, over one second. Ends with
 * Ctrl-C. Exit code of --once: 1 when a service does not answer.
 */
#include <string.h>
#include <unistd.h>

#include "cli/cli_view_standing.h"

enum { REFRESH_MS = 1000 };

/* One moment. */
typedef struct picture {
        cli_standing standing;
        uint64_t mono_ms;
} picture;

static uint64_t waiting_at(const cli_standing *s, const char *reader)
{
        uint64_t waiting = 0;

        for (size_t i = 0; i < s->reads_count; i++) {
                waiting += s->reads[i].reader == reader ? s->reads[i].waiting : 0;
        }
        return waiting;
}

static uint64_t rate_of(const picture *before, const picture *now, size_t service)
{
        const uint64_t ms = now->mono_ms > before->mono_ms ? now->mono_ms - before->mono_ms : 1;
        const uint64_t from = before->standing.head[service];
        const uint64_t to = now->standing.head[service];

        return to > from ? (to - from) * 1000 / ms : 0;
}

static void services_print(const picture *before, const picture *now, bool json)
{
        for (size_t i = 0; i < now->standing.services; i++) {
                const cli_standing *s = &now->standing;
                if (json) {
                        (void)printf(
                                "%s{\"service\":\"%s\",\"answers\":%s,\"head\":%llu,\"records_per_s\":%llu,"
                                "\"waiting\":%llu,\"parked\":%llu}",
                                i == 0 ? "" : ",", s->service[i], s->answers[i] ? "true" : "false",
                                (unsigned long long)s->head[i], (unsigned long long)rate_of(before, now, i),
                                (unsigned long long)waiting_at(s, s->service[i]),
                                (unsigned long long)s->parked[i]);
                } else if (!s->answers[i]) {
                        (void)printf("%-14s DOES NOT ANSWER\n", s->service[i]);
                } else {
                        (void)printf("%-14s %9llu records %7llu/s %8llu waiting %6llu parked\n",
                                     s->service[i], (unsigned long long)s->head[i],
                                     (unsigned long long)rate_of(before, now, i),
                                     (unsigned long long)waiting_at(s, s->service[i]),
                                     (unsigned long long)s->parked[i]);
                }
        }
}

static void oldest_print(const Door__V1__Oldest *oldest)
{
        const uint64_t now_ms = cli_now_ms();
        char span[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];

        (void)printf("\nwaiting                        how many   the oldest\n");
        for (size_t i = 0; i < oldest->n_row; i++) {
                const Door__V1__OldestRow *row = oldest->row[i];
                (void)printf("  %-26s %10llu   %-15s %s\n", cli_word_waiting(row->what),
                             (unsigned long long)row->count,
                             cli_span(row->since_ms < now_ms ? now_ms - row->since_ms : 0, span),
                             cli_id(cli_kind_waiting(row->what), row->id, id));
        }
        if (oldest->n_row == 0) {
                (void)printf("  nothing\n");
        }
}

/* The gateway's part; false when it does not answer. */
static bool view_print(cli *c, bool json)
{
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        Door__V1__ViewStats *stats = NULL;
        Door__V1__Oldest *oldest = NULL;
        door_error error = { 0 };

        door_arena_reset(&c->arena);
        if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_STATS, &ask, &door__v1__view_stats__descriptor, &stats,
                         &error) != DOOR_OK ||
            cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_OLDEST, &ask, &door__v1__oldest__descriptor, &oldest,
                         &error) != DOOR_OK) {
                (void)fprintf(stderr, "frontdoor: top: %s\n", error.text);
                return false;
        }
        if (json) {
                (void)printf("],\"stats\":");
                cli_view_json(&stats->base);
                (void)printf(",\"oldest\":");
                cli_view_json(&oldest->base);
                return true;
        }
        (void)printf("\n%llu referrals received: %s\n", (unsigned long long)stats->received,
                     stats->balanced ? "every one is accounted for"
                                     : "THE SUM DOES NOT BALANCE: call the operator");
        oldest_print(oldest);
        return true;
}

static door_status picture_take(cli *c, picture *ret_picture, door_error *reterr_error)
{
        ret_picture->mono_ms = cli_mono_ms();
        return cli_standing_ask(c, &ret_picture->standing, reterr_error);
}

int cli_top(cli *c)
{
        const bool once = cli_flag(c, "--once");
        const bool json = cli_flag(c, "--json");
        picture before;
        picture now;
        door_error error = { 0 };
        bool all = true;

        if (json && !once) {
                return cli_usage(c, "[--once [--json]]");
        }
        cli_interruptible();
        if (picture_take(c, &before, &error) != DOOR_OK) {
                return cli_fail("top", &error);
        }
        do {
                cli_sleep_ms(REFRESH_MS);
                if (cli_interrupted()) {
                        break;
                }
                if (picture_take(c, &now, &error) != DOOR_OK) {
                        return cli_fail("top", &error);
                }
                if (!once && isatty(STDOUT_FILENO)) {
                        (void)printf("\033[H\033[2J");
                }
                (void)printf("%s", json ? "{\"services\":[" : "");
                services_print(&before, &now, json);
                all = view_print(c, json);
                for (size_t i = 0; i < now.standing.services; i++) {
                        all = all && now.standing.answers[i];
                }
                (void)printf("%s", json ? (all ? "}\n" : "]}\n") : "");
                (void)fflush(stdout);
                before = now;
        } while (!once && !cli_interrupted());
        return once && !all ? CLI_FAILED : CLI_OK;
}
