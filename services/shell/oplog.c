/*
 * oplog.c - formatting and writing of log lines. Nothing is buffered and nothing is kept.
 */
#include "shell/oplog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "door/calendar.h"

/* What must still fit behind a cut text: the closing quote, brace and newline. */
enum { TAIL_BYTES = 4 };

static const char *level_name(door_level level)
{
        switch (level) {
        case DOOR_LEVEL_INFO:
                return "info";
        case DOOR_LEVEL_WARNING:
                return "warning";
        case DOOR_LEVEL_ERROR:
                return "error";
        }
        return "error";
}

/* Text as the inside of a JSON string, cut where it would not leave room for the tail. */
static size_t text_escape(const char *text, char *out, size_t cap)
{
        size_t used = 0;

        for (const char *c = text; *c != '\0'; c++) {
                const bool quoted = *c == '"' || *c == '\\';

                if (used + (quoted ? 2 : 1) + TAIL_BYTES > cap) {
                        break;
                }
                if (quoted) {
                        out[used++] = '\\';
                }
                out[used++] = *c >= ' ' && *c <= '~' ? *c : '?';
        }
        return used;
}

size_t door_oplog_format(const door_oplog *log, uint64_t at_ms, door_level level, const char *event,
                         uint64_t seq, door_status status, const char *text,
                         char out[DOOR_OPLOG_LINE_BYTES_MAX])
{
        char at[DOOR_INSTANT_TEXT_BYTES];

        door_instant_print(at_ms, at);
        const int begun =
                snprintf(out, DOOR_OPLOG_LINE_BYTES_MAX,
                         "{\"at\":\"%s\",\"level\":\"%s\",\"service\":\"%.64s\",\"event\":\"%.64s\","
                         "\"seq\":%" PRIu64 ",\"status\":\"%s\",\"text\":\"",
                         at, level_name(level), log->service, event, seq, door_status_name(status));
        DOOR_REQUIRE(begun > 0 && begun + TAIL_BYTES < DOOR_OPLOG_LINE_BYTES_MAX);
        size_t used = (size_t)begun;
        used += text_escape(text, out + used, DOOR_OPLOG_LINE_BYTES_MAX - used);
        memcpy(out + used, "\"}\n", TAIL_BYTES);
        return used + 3;
}

void door_oplog_write(const door_oplog *log, door_level level, const char *event, uint64_t seq,
                      door_status status, const char *text)
{
        char line[DOOR_OPLOG_LINE_BYTES_MAX];
        struct timespec now;
        size_t written = 0;

        DOOR_REQUIRE(clock_gettime(CLOCK_REALTIME, &now) == 0);
        const uint64_t at_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
        const size_t length = door_oplog_format(log, at_ms, level, event, seq, status, text, line);
        while (written < length) {
                const ssize_t put = write(log->fd, line + written, length - written);

                if (put < 0 && errno == EINTR) {
                        continue;
                }
                if (put <= 0) {
                        return;
                }
                written += (size_t)put;
        }
}
