/*
 * metrics.h - figures for a scraper and a word for a health check, over HTTP on loopback.
 *
 *      GET /metrics   Prometheus text exposition, made when asked
 *      GET /health    200 and a word, or 503 and a word
 *
 * libmicrohttpd runs inside the service's loop: its epoll descriptor is polled and its timeout is a timer,
 * re-armed after every run, because its descriptor is edge-triggered inside and unread work
 * raises no second signal. Connections, memory and idle time are bounded. It listens on 127.0.0.1
 * only and tells no personal data, so it asks nobody who they are.
 */
#ifndef DOOR_SHELL_METRICS_H
#define DOOR_SHELL_METRICS_H

#include <stdbool.h>

#include <uv.h>

#include "door/bytes.h"
#include "door/status.h"

/* A page being written into fixed storage; what does not fit is left out whole, line by line. */
typedef struct door_metrics_page {
        char *text;
        size_t cap;
        size_t len;
} door_metrics_page;

/* "# HELP" and "# TYPE" of a figure. kind: "counter", "gauge" or "histogram". */
void door_metrics_about(door_metrics_page *page, const char *name, const char *kind, const char *help);
/* One sample; labels as in service="intake",upstream="triage", or "". */
void door_metrics_sample(door_metrics_page *page, const char *name, const char *labels, uint64_t value);
void door_metrics_sample_seconds(door_metrics_page *page, const char *name, const char *labels,
                                 uint64_t microseconds);

/* How long something took, in fixed buckets from 0.5 ms to 5 s. */
enum { DOOR_HISTOGRAM_BUCKETS = 13 };
typedef struct door_histogram {
        uint64_t buckets[DOOR_HISTOGRAM_BUCKETS]; /* Not cumulative; the last is everything above. */
        uint64_t count;
        uint64_t sum_us;
} door_histogram;
void door_histogram_add(door_histogram *histogram, uint64_t microseconds);
void door_metrics_histogram(door_metrics_page *page, const char *name, const char *labels,
                            const door_histogram *histogram);

typedef struct door_metrics_source {
        void *context;
        void (*render)(void *context, door_metrics_page *page);
        /* A constant word; *ret_well says which status goes with it. */
        const char *(*health)(void *context, bool *ret_well);
} door_metrics_source;

typedef struct door_metrics door_metrics;

/*
 * door_metrics_open - listen on 127.0.0.1:port in the loop.
 *
 * Returns DOOR_OK; DOOR_BUSY when the port is taken; DOOR_NO_MEMORY; DOOR_IO. After a failure
 * the loop must run once more before it is closed.
 */
door_status door_metrics_open(uv_loop_t *loop, uint16_t port, const door_metrics_source *source,
                              door_metrics **ret_metrics, door_error *reterr_error);
/* Frees it from the loop when its handles are closed. NULL is fine. */
void door_metrics_close(door_metrics *metrics);

#endif
