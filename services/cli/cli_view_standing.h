/*
 * cli_view_standing.h - how every service stands, side by side: for `lag` and `top`.
 *
 * What waits is counted against the head its owner answers (see cli_status.c).
 */
#ifndef CLI_VIEW_STANDING_H
#define CLI_VIEW_STANDING_H

#include "cli/cli_view.h"

enum { CLI_STANDINGS_MAX = 8, CLI_READS_MAX = 24 };

/* One log as one service reads it. */
typedef struct cli_read {
        const char *reader;
        const char *log;
        uint64_t cursor;
        uint64_t head;
        uint64_t waiting;
} cli_read;

typedef struct cli_standing {
        const char *service[CLI_STANDINGS_MAX];
        bool answers[CLI_STANDINGS_MAX];
        uint64_t head[CLI_STANDINGS_MAX];
        uint64_t parked[CLI_STANDINGS_MAX];
        size_t services;
        cli_read reads[CLI_READS_MAX];
        size_t reads_count;
} cli_standing;

/* Asks every service. DOOR_OK also when some are silent; otherwise what cli_client said. */
door_status cli_standing_ask(cli *c, cli_standing *ret_standing, door_error *reterr_error);

#endif
