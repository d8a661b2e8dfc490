/*
 * cli_status.c - frontdoor status: how each service is, and what waits.
 *
 * What waits is counted against the head its owner answers, not against the head a reader last
 * heard: a reader that has just started has heard of nothing, and "0 waiting" would then say that
 * referrals are matched which nobody has looked at.
 */
#include <string.h>

#include "cli/cli.h"

enum { SERVICES_MAX = 8, ASK_AGAIN_MS = 200, WAIT_MAX_S = 3600 };

/* What the services answered to one round of questions; NULL for who gave no answer. */
typedef struct standings {
        const Door__V1__Status
                *of[SERVICES_MAX]; /* In the order of cli_service_at; borrowed from the arena. */
        const char *without;       /* One that is not asked: it is known to be down. NULL: none. */
        bool all_answered;
} standings;

static const char *log_name(uint32_t log)
{
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                if (cli_service_at(i)->core->log == log) {
                        return cli_service_at(i)->core->name;
                }
        }
        return "another log";
}

static bool is_left_out(const standings *all, size_t index)
{
        return all->without != NULL && strcmp(all->without, cli_service_at(index)->core->name) == 0;
}

static door_status standings_ask(cli *c, standings *ret_standings, door_error *reterr_error)
{
        door_arena_reset(&c->arena);
        *ret_standings = (standings){ .all_answered = true, .without = cli_option(c, "--without") };
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                DOOR_REQUIRE(i < SERVICES_MAX);
                if (is_left_out(ret_standings, i)) {
                        continue;
                }
                const door_status status =
                        cli_status_ask(c, cli_service_at(i)->core->name, &ret_standings->of[i], reterr_error);
                if (status == DOOR_TIMED_OUT) {
                        ret_standings->all_answered = false;
                } else if (status != DOOR_OK) {
                        return status;
                }
        }
        return DOOR_OK;
}

/* The head of the log a reader reads: its owner's word, or the reader's where the owner is silent. */
static uint64_t head_now(const standings *all, const Door__V1__LogStatus *read)
{
        uint64_t head = read->head;

        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                if (cli_service_at(i)->core->log == read->log && all->of[i] != NULL &&
                    all->of[i]->head > head) {
                        head = all->of[i]->head;
                }
        }
        return head;
}

static uint64_t waiting(const standings *all, const Door__V1__LogStatus *read)
{
        const uint64_t head = head_now(all, read);

        return head > read->cursor ? head - read->cursor : 0;
}

/* Everything received has been worked through, as far as the services that are there know. */
static bool nothing_waits(const standings *all)
{
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                for (size_t k = 0; all->of[i] != NULL && k < all->of[i]->n_upstream; k++) {
                        if (waiting(all, all->of[i]->upstream[k]) > 0) {
                                return false;
                        }
                }
        }
        return all->all_answered;
}

static void print_plain(const standings *all, const char *name, const Door__V1__Status *s)
{
        if (s == NULL) {
                (void)printf("%-14s NO ANSWER\n", name);
                return;
        }
        (void)printf("%-14s %-9s head %-9llu parked %-4u policy %s\n", s->service, s->state,
                     (unsigned long long)s->head, s->parked,
                     s->policy_version == NULL ? "none" : s->policy_version);
        for (size_t i = 0; i < s->n_upstream; i++) {
                const Door__V1__LogStatus *up = s->upstream[i];
                (void)printf("%-14s   %llu of %llu records of %s read, %llu waiting\n", "",
                             (unsigned long long)up->cursor, (unsigned long long)head_now(all, up),
                             log_name(up->log), (unsigned long long)waiting(all, up));
        }
}

static void print_json(const standings *all, const char *name, const Door__V1__Status *s)
{
        if (s == NULL) {
                (void)printf("{\"service\":\"%s\",\"state\":\"NO ANSWER\"}", name);
                return;
        }
        (void)printf("{\"service\":\"%s\",\"state\":\"%s\",\"head\":%llu,\"settled\":%llu,\"parked\":%u",
                     s->service, s->state, (unsigned long long)s->head, (unsigned long long)s->settled,
                     s->parked);
        (void)printf(",\"upstream\":[");
        for (size_t i = 0; i < s->n_upstream; i++) {
                const Door__V1__LogStatus *up = s->upstream[i];
                (void)printf("%s{\"log\":\"%s\",\"cursor\":%llu,\"head\":%llu,\"waiting\":%llu}",
                             i == 0 ? "" : ",", log_name(up->log), (unsigned long long)up->cursor,
                             (unsigned long long)head_now(all, up), (unsigned long long)waiting(all, up));
        }
        (void)printf("],\"counters\":{");
        for (size_t i = 0; i < s->n_counter; i++) {
                (void)printf("%s\"%s\":%llu", i == 0 ? "" : ",", s->counter[i]->name,
                             (unsigned long long)s->counter[i]->value);
        }
        (void)printf("}}");
}

static void print(const standings *all, bool json)
{
        (void)printf("%s", json ? "[" : "");
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                const char *name = cli_service_at(i)->core->name;
                if (is_left_out(all, i)) {
                        continue;
                }
                if (json) {
                        (void)printf("%s", i == 0 ? "" : ",");
                        print_json(all, name, all->of[i]);
                } else {
                        print_plain(all, name, all->of[i]);
                }
        }
        (void)printf("%s", json ? "]\n" : "");
}

int cli_status(cli *c)
{
        const char *patience = cli_option(c, "--wait");
        door_error error = { 0 };
        standings all;
        uint64_t wait_s = 0;

        const char *without = cli_option(c, "--without");
        if (without != NULL && cli_service_named(without) == NULL) {
                return cli_usage(c, "--without: no service has that name");
        }
        if (patience != NULL && (!cli_number(patience, &wait_s) || wait_s == 0 || wait_s > WAIT_MAX_S)) {
                return cli_usage(c, "[--json] [--wait SECONDS] [--without SERVICE], from 1 to 3600");
        }
        const uint64_t until_ms = cli_mono_ms() + wait_s * 1000;
        if (wait_s > 0) {
                cli_interruptible();
        }
        for (;;) {
                if (standings_ask(c, &all, &error) != DOOR_OK) {
                        return cli_fail("status", &error);
                }
                if (nothing_waits(&all) || cli_mono_ms() >= until_ms || cli_interrupted()) {
                        break;
                }
                cli_sleep_ms(ASK_AGAIN_MS);
        }
        print(&all, cli_flag(c, "--json"));
        return all.all_answered && (wait_s == 0 || nothing_waits(&all)) ? CLI_OK : CLI_FAILED;
}
