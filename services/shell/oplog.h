/*
 * oplog.h - what a service tells its operator: one JSON object a line.
 *
 *      {"at":"2026-01-05T09:00:00.000Z","level":"info","service":"intake","event":"started",
 *       "seq":12,"status":"OK","text":"serving"}
 *
 * Never personal data: texts are constants, file names or errors of the system, and what is
 * not printable ASCII is written as '?'. Each line is one write(2), so lines of several processes
 * on one descriptor do not mix. A line that cannot be written is lost: logging never stops a service.
 */
#ifndef DOOR_SHELL_OPLOG_H
#define DOOR_SHELL_OPLOG_H

#include "door/bytes.h"
#include "door/status.h"

enum { DOOR_OPLOG_LINE_BYTES_MAX = 1024 };

typedef enum door_level {
        DOOR_LEVEL_INFO = 1,
        DOOR_LEVEL_WARNING, /* somebody should look soon */
        DOOR_LEVEL_ERROR,   /* somebody must look now */
} door_level;

typedef struct door_oplog {
        int fd;
        const char *service; /* Borrowed. */
} door_oplog;

/* The line with its newline into out; returns its length. Too long a text is cut. */
size_t door_oplog_format(const door_oplog *log, uint64_t at_ms, door_level level, const char *event,
                         uint64_t seq, door_status status, const char *text,
                         char out[DOOR_OPLOG_LINE_BYTES_MAX]);

/* Now, to the log's descriptor. */
void door_oplog_write(const door_oplog *log, door_level level, const char *event, uint64_t seq,
                      door_status status, const char *text);

#endif
