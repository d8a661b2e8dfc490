/*
 * cli_view_lag.c - frontdoor lag [--json]: how far each service is behind the logs it reads.
 *
 * Exit code 1 when a service does not answer.
 */
#include "cli/cli_view_standing.h"

static const char *log_name(uint32_t log)
{
        for (size_t i = 0; cli_service_at(i) != NULL; i++) {
                if (cli_service_at(i)->core->log == log) {
                        return cli_service_at(i)->core->name;
                }
        }
        return "another log";
}

/* The owner's word on its head, where it gave one. */
static uint64_t head_of(const cli_standing *all, const char *log, uint64_t heard)
{
        for (size_t i = 0; i < all->services; i++) {
                if (all->answers[i] && all->service[i] == log && all->head[i] > heard) {
                        return all->head[i];
                }
        }
        return heard;
}

static void reads_add(cli_standing *all, const char *reader, const Door__V1__Status *status)
{
        for (size_t i = 0; i < status->n_upstream && all->reads_count < CLI_READS_MAX; i++) {
                all->reads[all->reads_count++] = (cli_read){ .reader = reader,
                                                             .log = log_name(status->upstream[i]->log),
                                                             .cursor = status->upstream[i]->cursor,
                                                             .head = status->upstream[i]->head };
        }
}

door_status cli_standing_ask(cli *c, cli_standing *ret_standing, door_error *reterr_error)
{
        cli_standing all = { .services = 0 };

        for (size_t i = 0; cli_service_at(i) != NULL && i < CLI_STANDINGS_MAX; i++) {
                const Door__V1__Status *status = NULL;
                const char *name = cli_service_at(i)->core->name;
                door_arena_reset(&c->arena);
                const door_status asked = cli_status_ask(c, name, &status, reterr_error);
                if (asked != DOOR_OK && asked != DOOR_TIMED_OUT) {
                        return asked;
                }
                all.service[i] = name;
                all.answers[i] = status != NULL;
                all.services++;
                if (status != NULL) {
                        all.head[i] = status->head;
                        all.parked[i] = status->parked;
                        reads_add(&all, name, status);
                }
        }
        for (size_t i = 0; i < all.reads_count; i++) {
                cli_read *read = &all.reads[i];
                read->head = head_of(&all, read->log, read->head);
                read->waiting = read->head > read->cursor ? read->head - read->cursor : 0;
        }
        *ret_standing = all;
        return DOOR_OK;
}

int cli_lag(cli *c)
{
        const bool json = cli_flag(c, "--json");
        cli_standing all;
        door_error error = { 0 };
        int code = CLI_OK;

        if (cli_standing_ask(c, &all, &error) != DOOR_OK) {
                return cli_fail("lag", &error);
        }
        (void)printf("%s", json ? "[" : "");
        for (size_t i = 0; i < all.reads_count; i++) {
                const cli_read *read = &all.reads[i];
                (void)printf(json ? "%s{\"reader\":\"%s\",\"log\":\"%s\",\"read\":%llu,\"head\":%llu,"
                                    "\"waiting\":%llu}"
                                  : "%s%-14s reads %-14s %10llu of %10llu, %8llu waiting\n",
                             json && i > 0 ? ",\n" : "", read->reader, read->log,
                             (unsigned long long)read->cursor, (unsigned long long)read->head,
                             (unsigned long long)read->waiting);
        }
        (void)printf("%s", json ? "]\n" : "");
        for (size_t i = 0; i < all.services; i++) {
                if (!all.answers[i]) {
                        (void)fprintf(stderr, "frontdoor: lag: %s does not answer\n", all.service[i]);
                        code = CLI_FAILED;
                }
        }
        return code;
}
