/*
 * notify_sinks.h - where messages go: a folder of files, or a mail server. Chosen by the program.
 *
 *   eml    $home/outbox/<D-id>.eml, whole or not at all: temporary name, fsync, rename; then, once for all
 *          that waited together, fsync of the folder. A file that is there already is the same message:
 *          exactly once.
 *   smtp   libcurl, one connection a message. Accepted by the server is delivered; a death between its
 *          word and our record repeats the message under the same Message-ID: at least once.
 *
 * Each is a `perform` of executor.h, eml with a `settle`: it blocks, on the executor's thread. Failures are
 * outcome codes (notify_failure); what to do about them is the core's to say.
 */
#ifndef NOTIFY_SINKS_H
#define NOTIFY_SINKS_H

#include <stdatomic.h>

#include "door/core.h"

enum { NOTIFY_PATH_BYTES_MAX = 1024 };

typedef struct notify_sink_eml {
        char folder[NOTIFY_PATH_BYTES_MAX];
} notify_sink_eml;

/* Makes $home/outbox where it is not. DOOR_OK; DOOR_INVALID, the path is too long; DOOR_IO. */
door_status notify_sink_eml_open(notify_sink_eml *eml, const char *home);
uint32_t notify_sink_eml_perform(void *eml, const door_effect *effect, const atomic_bool *stop,
                                 uint32_t *ret_detail);

/* Makes the names last; where that fails, what was delivered has met a bad disk. */
void notify_sink_eml_settle(void *eml, door_outcome *outcomes, size_t count);

/* All borrowed. */
typedef struct notify_sink_smtp {
        const char *url;     /* smtp://host[:port] (STARTTLS) or smtps://host[:port] */
        const char *ca_file; /* NULL: the system's. */
        bool plain;          /* smtp:// without TLS: for a server on this machine, and for training. */
        unsigned total_s;    /* Longest time for one message; 0: a minute. */
} notify_sink_smtp;

/* Once, before threads. DOOR_OK; DOOR_INVALID, the URL is neither smtp:// nor smtps://; DOOR_IO. */
door_status notify_sink_smtp_open(const notify_sink_smtp *smtp);
uint32_t notify_sink_smtp_perform(void *smtp, const door_effect *effect, const atomic_bool *stop,
                                  uint32_t *ret_detail);

#endif
