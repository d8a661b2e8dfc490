/*
 * cli_view_rebuild.c - frontdoor view rebuild: take away what the gateway remembers, so that it reads
 * all logs again.
 *
 * Nothing is lost by it: the view owns nothing. It refuses while the gateway runs, and holds the
 * database's own lock until the folder has another name, so that none can start in between. An
 * interrupted rebuild is finished by the next. Exit code 1: refused, or the disk said no.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* A folder RocksDB made: files only, one level. False when something is left. */
static bool folder_remove(const char *path)
{
        DIR *folder = opendir(path);
        struct dirent *item = NULL;

        if (folder == NULL) {
                return errno == ENOENT;
        }
        while ((item = readdir(folder)) != NULL) {
                char file[CLI_PATH_BYTES_MAX + 256];
                if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
                    snprintf(file, sizeof file, "%s/%s", path, item->d_name) < (int)sizeof file) {
                        (void)unlink(file);
                }
        }
        (void)closedir(folder);
        return rmdir(path) == 0;
}

/* The lock RocksDB itself takes: who gets it is alone. -1: somebody has it; -2: there is no database. */
static int lock_take(const char *db)
{
        char path[CLI_PATH_BYTES_MAX];
        struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

        if (snprintf(path, sizeof path, "%s/LOCK", db) >= (int)sizeof path) {
                return -1;
        }
        const int file = open(path, O_RDWR | O_CLOEXEC);
        if (file < 0) {
                return errno == ENOENT ? -2 : -1;
        }
        if (fcntl(file, F_SETLK, &lock) != 0) {
                (void)close(file);
                return -1;
        }
        return file;
}

static bool answers(cli *c)
{
        const Door__V1__Status *status = NULL;
        door_error ignored = { 0 };
        return cli_status_ask(c, "gateway", &status, &ignored) == DOOR_OK;
}

int cli_view(cli *c)
{
        char db[CLI_PATH_BYTES_MAX];
        char old[CLI_PATH_BYTES_MAX];
        char anchor[CLI_PATH_BYTES_MAX];
        char anchor_new[CLI_PATH_BYTES_MAX];

        if (c->argc != 2 || strcmp(c->argv[1], "rebuild") != 0) {
                return cli_usage(c, "rebuild");
        }
        cli_path(c, "state/db", "gateway", db);
        cli_path(c, "state/db", "gateway.old", old);
        cli_path(c, "state/anchors", "gateway", anchor);
        cli_path(c, "state/anchors", "gateway.new", anchor_new);
        const int lock = answers(c) ? -1 : lock_take(db);
        if (lock == -1) {
                (void)fprintf(
                        stderr,
                        "frontdoor: view: the gateway is running; stop it first (deploy/down), then ask "
                        "again\n");
                return CLI_FAILED;
        }
        bool good = folder_remove(old) && (lock == -2 || rename(db, old) == 0);
        good = good && (unlink(anchor) == 0 || errno == ENOENT) &&
               (unlink(anchor_new) == 0 || errno == ENOENT);
        if (lock >= 0) {
                (void)close(lock);
        }
        good = good && folder_remove(old);
        if (!good) {
                (void)fprintf(stderr, "frontdoor: view: %s: not all could be taken away; ask again\n",
                              strerror(errno));
                return CLI_FAILED;
        }
        (void)printf(
                "%s\nStarted again, the gateway reads all logs from the beginning; `frontdoor lag` shows "
                "how far it is.\n",
                lock == -2 ? "There was no view." : "The view has been taken away; nothing else has.");
        return CLI_OK;
}
