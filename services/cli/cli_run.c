/*
 * cli_run.c - frontdoor run: the services, started in any order and kept up.
 *
 *      start ──► up ──► died (exit 1, signal) ──► wait, longer each time ──► start
 *                 └──► exit 3: stays down, an operator is told why
 *
 * Each service's lines are printed with its name before them. SIGINT and SIGTERM end everything
 * cleanly: every service is asked, and given the 6 s it may take. The supervisor keeps nothing:
 * killed, it leaves the services running, and a second one finds their databases taken and waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

enum {
        CHILDREN_MAX = 8,
        LINE_BYTES = 8192,
        BACKOFF_FIRST_MS = 200,
        BACKOFF_MAX_MS = 5000,
        CALM_MS = 10000, /* Up this long: the next death starts the waits anew. */
        STOP_MS = 7000,
        POLL_MS = 100,
        METRICS_FROM = 9461,
};

typedef struct child {
        const cli_service *service;
        pid_t pid; /* 0: not running. */
        int lines; /* Read end of its stderr and stdout. */
        char line[LINE_BYTES];
        size_t line_len;
        uint64_t started_ms;
        uint64_t start_at_ms;
        uint32_t backoff_ms;
        bool stays_down;
        uint16_t metrics_port; /* 0: none. */
} child;

static bool program_path(const cli_service *service, char out[PATH_MAX])
{
        char self[PATH_MAX];
        const ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

        if (len <= 0) {
                return false;
        }
        self[len] = '\0';
        return snprintf(out, PATH_MAX, "%s/%s", dirname(self), service->program) < PATH_MAX;
}

static void say(const child *one, const char *what)
{
        (void)printf("%-14s | supervisor: %s\n", one->service->core->name, what);
        (void)fflush(stdout);
}

/* In the child: nothing but async-signal-safe calls between fork and exec. */
static void child_exec(const cli *c, const child *one, const char *path, int lines)
{
        char port[8];
        (void)snprintf(port, sizeof port, "%u", one->metrics_port);
        (void)dup2(lines, STDOUT_FILENO);
        (void)dup2(lines, STDERR_FILENO);
        (void)setpgid(0, 0); /* Ctrl-C reaches the supervisor, who stops us in order. */
        const char *floor = cli_option(c, "--disk-floor");
        if (floor != NULL) {
                (void)execl(path, path, "--home", c->home, "--metrics-port", port, "--disk-floor", floor,
                            NULL);
        } else {
                (void)execl(path, path, "--home", c->home, "--metrics-port", port, NULL);
        }
        _exit(DOOR_EXIT_STAY_DOWN);
}

static void child_start(const cli *c, child *one)
{
        char path[PATH_MAX];
        int ends[2];

        if (!program_path(one->service, path) || pipe2(ends, O_CLOEXEC) != 0) {
                one->stays_down = true;
                say(one, "cannot be started from here");
                return;
        }
        const pid_t pid = fork();
        if (pid == 0) {
                child_exec(c, one, path, ends[1]);
        }
        (void)close(ends[1]);
        if (pid < 0) {
                (void)close(ends[0]);
                one->start_at_ms = cli_mono_ms() + BACKOFF_MAX_MS;
                return;
        }
        (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
        one->pid = pid;
        one->lines = ends[0];
        one->line_len = 0;
        one->started_ms = cli_mono_ms();
}

static void lines_print(child *one)
{
        char chunk[4096];
        ssize_t got = 0;

        while ((got = read(one->lines, chunk, sizeof chunk)) > 0) {
                for (ssize_t i = 0; i < got; i++) {
                        if (chunk[i] == '\n' || one->line_len == LINE_BYTES - 1) {
                                (void)printf("%-14s | %.*s\n", one->service->core->name, (int)one->line_len,
                                             one->line);
                                one->line_len = 0;
                        }
                        if (chunk[i] != '\n') {
                                one->line[one->line_len++] = chunk[i];
                        }
                }
        }
        (void)fflush(stdout);
}

static void child_ended(child *one, int status)
{
        char what[96];

        lines_print(one);
        (void)close(one->lines);
        one->pid = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == DOOR_EXIT_STAY_DOWN) {
                one->stays_down = true;
                say(one, "stays down (exit 3): see its last lines; deploy/runbook.md says what to do");
                return;
        }
        if (cli_mono_ms() - one->started_ms >= CALM_MS) {
                one->backoff_ms = 0;
        }
        one->backoff_ms = one->backoff_ms == 0                   ? BACKOFF_FIRST_MS
                          : one->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS
                                                                 : one->backoff_ms * 2;
        one->start_at_ms = cli_mono_ms() + one->backoff_ms;
        if (WIFSIGNALED(status)) {
                (void)snprintf(what, sizeof what, "ended by signal %d; again in %u ms", WTERMSIG(status),
                               one->backoff_ms);
        } else {
                (void)snprintf(what, sizeof what, "ended with exit code %d; again in %u ms",
                               WEXITSTATUS(status), one->backoff_ms);
        }
        say(one, what);
}

static void reap(child *children, size_t count)
{
        int status = 0;
        pid_t pid = 0;

        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
                for (size_t i = 0; i < count; i++) {
                        if (children[i].pid == pid) {
                                child_ended(&children[i], status);
                        }
                }
        }
}

static void wait_for_lines(child *children, size_t count)
{
        struct pollfd fds[CHILDREN_MAX];
        child *of[CHILDREN_MAX];
        nfds_t n = 0;

        for (size_t i = 0; i < count; i++) {
                if (children[i].pid != 0) {
                        fds[n] = (struct pollfd){ .fd = children[i].lines, .events = POLLIN };
                        of[n++] = &children[i];
                }
        }
        if (poll(fds, n, POLL_MS) > 0) {
                for (nfds_t i = 0; i < n; i++) {
                        if ((fds[i].revents & POLLIN) != 0) {
                                lines_print(of[i]);
                        } else if (fds[i].revents != 0) {
                                cli_sleep_ms(5); /* Hung up: its end is about to be reaped. */
                        }
                }
        }
}

static size_t running(const child *children, size_t count)
{
        size_t n = 0;
        for (size_t i = 0; i < count; i++) {
                n += children[i].pid != 0 ? 1 : 0;
        }
        return n;
}

static void stop_all(child *children, size_t count)
{
        const uint64_t until_ms = cli_mono_ms() + STOP_MS;

        for (size_t i = 0; i < count; i++) {
                if (children[i].pid != 0) {
                        (void)kill(children[i].pid, SIGTERM);
                }
        }
        while (running(children, count) > 0 && cli_mono_ms() < until_ms) {
                int status = 0;
                wait_for_lines(children, count);
                const pid_t pid = waitpid(-1, &status, WNOHANG);
                for (size_t i = 0; i < count && pid > 0; i++) {
                        if (children[i].pid == pid) {
                                lines_print(&children[i]);
                                (void)close(children[i].lines);
                                children[i].pid = 0;
                                say(&children[i],
                                    WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "stopped" : "ended");
                        }
                }
        }
        for (size_t i = 0; i < count; i++) {
                if (children[i].pid != 0) {
                        (void)kill(children[i].pid, SIGKILL);
                }
        }
}

/* Two homes on one machine need ports of their own: from which on, in the order of the services; 0: none. */
static bool metrics_from(const cli *c, uint16_t *ret_port)
{
        const char *from = cli_option(c, "--metrics-from");
        char *end = NULL;
        const unsigned long port = from == NULL ? METRICS_FROM : strtoul(from, &end, 10);

        if (from != NULL &&
            (*from < '0' || *from > '9' || *end != '\0' || port > UINT16_MAX - CHILDREN_MAX)) {
                return false;
        }
        *ret_port = (uint16_t)port;
        return true;
}

int cli_run(cli *c)
{
        static child children[CHILDREN_MAX];
        const char *only = cli_option(c, "--only");
        size_t count = 0;
        uint16_t port = 0;

        if (!metrics_from(c, &port)) {
                return cli_usage(c, "--metrics-from: a port below 65528, or 0 for none");
        }
        for (size_t i = 0; cli_service_at(i) != NULL && count < CHILDREN_MAX; i++) {
                if (only == NULL || strcmp(only, cli_service_at(i)->core->name) == 0) {
                        children[count].metrics_port = port == 0 ? 0 : (uint16_t)(port + i);
                        children[count++].service = cli_service_at(i);
                }
        }
        if (count == 0) {
                return cli_usage(c, "[--only SERVICE] [--disk-floor BYTES] [--metrics-from PORT]");
        }
        cli_interruptible();
        while (!cli_interrupted()) {
                size_t down = 0;
                for (size_t i = 0; i < count; i++) {
                        down += children[i].stays_down ? 1 : 0;
                        if (children[i].pid == 0 && !children[i].stays_down &&
                            cli_mono_ms() >= children[i].start_at_ms) {
                                child_start(c, &children[i]);
                        }
                }
                if (down == count) {
                        return CLI_CANNOT_JUDGE;
                }
                wait_for_lines(children, count);
                reap(children, count);
        }
        stop_all(children, count);
        return CLI_OK;
}
