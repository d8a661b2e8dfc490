/*
 * cli_anchor.c - frontdoor anchor accept SERVICE
 *
 * For a stopped service whose anchor was lost or that a person has decided is wrong. The database
 * is opened and verified without one, and what it says becomes the anchor; the former one is
 * printed, for the record of who lost what.
 */
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"
#include "shell/anchor.h"
#include "shell/store_rocksdb.h"

int cli_anchor(cli *c)
{
        char path[CLI_PATH_BYTES_MAX];
        char logs[CLI_PATH_BYTES_MAX];
        char anchor_path[CLI_PATH_BYTES_MAX];
        door_store *store = NULL;
        door_standing standing;
        door_anchor former;
        bool readable = false;
        door_error error = { 0 };

        if (c->argc != 3 || strcmp(c->argv[1], "accept") != 0 || cli_service_named(c->argv[2]) == NULL) {
                return cli_usage(c, "accept SERVICE");
        }
        cli_path(c, "state/db", c->argv[2], path);
        cli_path(c, "log", c->argv[2], logs);
        cli_path(c, "state/anchors", c->argv[2], anchor_path);
        const door_store_options options = { .path = path, .log_dir = logs };
        if (door_store_open_read_only(&options, &store, &standing, &error) != DOOR_OK) {
                return cli_fail("anchor", &error);
        }
        (void)door_store_close(store);
        if (door_anchor_accept(anchor_path, &standing, &former, &readable, &error) != DOOR_OK) {
                return cli_fail("anchor", &error);
        }
        if (readable) {
                (void)printf("the anchor said %llu; it now says %llu\n", (unsigned long long)former.seq,
                             (unsigned long long)standing.head);
        } else {
                (void)printf("there was no readable anchor; it now says %llu\n",
                             (unsigned long long)standing.head);
        }
        return CLI_OK;
}
