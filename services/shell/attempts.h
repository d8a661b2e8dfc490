/*
 * attempts.h - how often a service has started at one place without getting past it.
 *
 *      start ──► read, count + 1, write ──► … ──► orderly end or a minute alive: forget
 *        ▲                                 │
 *        └──────────── died ◄──────────────┘ after three of these, one input at a time, each noted
 *
 * $STATE/attempts/<service>, replaced by rename and never synced: it must outlive a process that
 * dies, not a machine. A file that is absent or damaged reads as "no attempts": it costs a few
 * more starts until care begins, and nothing else.
 *
 *      offset  bytes
 *      0       8      "DOORATT1"
 *      8       32     digest of head and cursors at that start (door_attempts_digest)
 *      40      4      starts, big-endian
 *      44      2      length of the noted input
 *      46      n      the noted input
 *      46+n    32     BLAKE2b of everything before
 */
#ifndef DOOR_SHELL_ATTEMPTS_H
#define DOOR_SHELL_ATTEMPTS_H

#include "shell/store.h"

enum { DOOR_ATTEMPTS_NOTE_BYTES_MAX = 1024 };

typedef struct door_attempts {
        door_hash cursors; /* Where the starts stood. */
        uint32_t starts;   /* Begun there and not known to have gone well. */
        size_t note_len;
        uint8_t note[DOOR_ATTEMPTS_NOTE_BYTES_MAX]; /* The input being decided; may be none. */
} door_attempts;

/* What tells one place from another: our own head (a service fed by commands alone has nothing
 * else), then log and seq of every cursor, in the order given. */
door_hash door_attempts_digest(const door_standing *standing);

/* DOOR_NOT_FOUND, DOOR_CORRUPT, DOOR_IO: *ret_attempts is untouched. */
door_status door_attempts_read(const char *path, door_attempts *ret_attempts);
/* "<path>.new" is ours too. DOOR_IO: the former file stands. */
door_status door_attempts_write(const char *path, const door_attempts *attempts);
/* Absent is fine. */
void door_attempts_forget(const char *path);

#endif
