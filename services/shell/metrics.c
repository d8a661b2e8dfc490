/*
 * metrics.c - the text format, and libmicrohttpd in a libuv loop.
 */
#include "shell/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <microhttpd.h>

enum {
        PAGE_BYTES_MAX = 64 * 1024,
        CONNECTIONS_MAX = 8,
        CONNECTION_MEMORY_BYTES = 16 * 1024,
        CONNECTION_TIMEOUT_S = 5,
        LINE_BYTES_MAX = 512,
};

/* ---- Text. */

static void line_add(door_metrics_page *page, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void line_add(door_metrics_page *page, const char *format, ...)
{
        char line[LINE_BYTES_MAX];
        va_list arguments;

        va_start(arguments, format);
        const int length = vsnprintf(line, sizeof line, format, arguments);
        va_end(arguments);
        /* Half a line would be another figure's name. */
        if (length > 0 && (size_t)length < sizeof line && (size_t)length <= page->cap - page->len) {
                memcpy(page->text + page->len, line, (size_t)length);
                page->len += (size_t)length;
        }
}

void door_metrics_about(door_metrics_page *page, const char *name, const char *kind, const char *help)
{
        line_add(page, "# HELP %s %s\n", name, help);
        line_add(page, "# TYPE %s %s\n", name, kind);
}

void door_metrics_sample(door_metrics_page *page, const char *name, const char *labels, uint64_t value)
{
        if (labels[0] == '\0') {
                line_add(page, "%s %" PRIu64 "\n", name, value);
        } else {
                line_add(page, "%s{%s} %" PRIu64 "\n", name, labels, value);
        }
}

void door_metrics_sample_seconds(door_metrics_page *page, const char *name, const char *labels,
                                 uint64_t microseconds)
{
        line_add(page, "%s{%s} %" PRIu64 ".%06" PRIu64 "\n", name, labels, microseconds / 1000000,
                 microseconds % 1000000);
}

/* ---- Histogram. */

/* Upper bounds of all buckets but the last, as microseconds and as the format wants them. */
static const struct {
        uint64_t us;
        const char *text;
} bounds[DOOR_HISTOGRAM_BUCKETS - 1] = {
        { 500, "0.0005" }, { 1000, "0.001" }, { 2000, "0.002" }, { 5000, "0.005" },
        { 10000, "0.01" }, { 20000, "0.02" }, { 50000, "0.05" }, { 100000, "0.1" },
        { 200000, "0.2" }, { 500000, "0.5" }, { 1000000, "1" },  { 5000000, "5" },
};

void door_histogram_add(door_histogram *histogram, uint64_t microseconds)
{
        size_t bucket = 0;

        while (bucket < DOOR_HISTOGRAM_BUCKETS - 1 && microseconds > bounds[bucket].us) {
                bucket++;
        }
        histogram->buckets[bucket]++;
        histogram->count++;
        histogram->sum_us += microseconds;
}

void door_metrics_histogram(door_metrics_page *page, const char *name, const char *labels,
                            const door_histogram *histogram)
{
        char full[LINE_BYTES_MAX];
        uint64_t below = 0;

        for (size_t i = 0; i < DOOR_HISTOGRAM_BUCKETS; i++) {
                below += histogram->buckets[i];
                line_add(page, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name, labels,
                         labels[0] == '\0' ? "" : ",",
                         i < DOOR_HISTOGRAM_BUCKETS - 1 ? bounds[i].text : "+Inf", below);
        }
        (void)snprintf(full, sizeof full, "%s_sum", name);
        door_metrics_sample_seconds(page, full, labels, histogram->sum_us);
        (void)snprintf(full, sizeof full, "%s_count", name);
        door_metrics_sample(page, full, labels, histogram->count);
}

/* ---- HTTP. */

struct door_metrics {
        struct MHD_Daemon *daemon;
        door_metrics_source source;
        uv_poll_t poll;
        uv_timer_t timer;
        bool polling;
        unsigned handles;
        char page[PAGE_BYTES_MAX];
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned code, const char *text,
                              size_t length)
{
        /* Copied: the page is written anew for the next one who asks. */
        struct MHD_Response *response =
                MHD_create_response_from_buffer(length, (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);

        if (response == NULL) {
                return MHD_NO;
        }
        (void)MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4");
        const enum MHD_Result queued = MHD_queue_response(connection, code, response);
        MHD_destroy_response(response);
        return queued;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **request)
{
        door_metrics *metrics = context;

        (void)version;
        (void)upload_data;
        (void)request;
        if (strcmp(method, "GET") != 0 || *upload_data_size != 0) {
                return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET\n", 4);
        }
        if (strcmp(url, "/metrics") == 0) {
                door_metrics_page page = { .text = metrics->page, .cap = sizeof metrics->page };

                metrics->source.render(metrics->source.context, &page);
                return answer(connection, MHD_HTTP_OK, page.text, page.len);
        }
        if (strcmp(url, "/health") == 0) {
                bool well = false;
                const char *word = metrics->source.health(metrics->source.context, &well);

                return answer(connection, well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, word,
                              strlen(word));
        }
        return answer(connection, MHD_HTTP_NOT_FOUND, "not here\n", 9);
}

static void metrics_timer_cb(uv_timer_t *timer);

static void metrics_run(door_metrics *metrics)
{
        MHD_UNSIGNED_LONG_LONG wait_ms = 0;

        (void)MHD_run(metrics->daemon);
        if (MHD_get_timeout(metrics->daemon, &wait_ms) == MHD_YES) {
                (void)uv_timer_start(&metrics->timer, metrics_timer_cb, wait_ms, 0);
        } else {
                (void)uv_timer_stop(&metrics->timer);
        }
}

static void metrics_timer_cb(uv_timer_t *timer)
{
        metrics_run(timer->data);
}

static void metrics_poll_cb(uv_poll_t *poll, int status, int events)
{
        (void)status;
        (void)events;
        metrics_run(poll->data);
}

static void metrics_closed_cb(uv_handle_t *handle)
{
        door_metrics *metrics = handle->data;

        if (--metrics->handles == 0) {
                if (metrics->daemon != NULL) {
                        MHD_stop_daemon(metrics->daemon);
                }
                free(metrics);
        }
}

void door_metrics_close(door_metrics *metrics)
{
        if (metrics == NULL) {
                return;
        }
        if (metrics->polling) {
                (void)uv_poll_stop(&metrics->poll);
                uv_close((uv_handle_t *)&metrics->poll, metrics_closed_cb);
        }
        uv_close((uv_handle_t *)&metrics->timer, metrics_closed_cb);
}

door_status door_metrics_open(uv_loop_t *loop, uint16_t port, const door_metrics_source *source,
                              door_metrics **ret_metrics, door_error *reterr_error)
{
        const struct sockaddr_in address = {
                .sin_family = AF_INET,
                .sin_port = htons(port),
                .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };
        door_metrics *metrics = calloc(1, sizeof *metrics);

        if (metrics == NULL) {
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "the metrics page");
        }
        metrics->source = *source;
        (void)uv_timer_init(loop, &metrics->timer);
        metrics->timer.data = metrics;
        metrics->handles = 1;
        errno = 0;
        metrics->daemon = MHD_start_daemon(MHD_USE_EPOLL, port, NULL, NULL, handle, metrics,
                                           MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
                                           (unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
                                           (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                           (size_t)CONNECTION_MEMORY_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
                                           (unsigned)CONNECTION_TIMEOUT_S, MHD_OPTION_END);
        if (metrics->daemon == NULL) {
                const int reason = errno;

                door_metrics_close(metrics);
                return door_error_set(reterr_error, reason == EADDRINUSE ? DOOR_BUSY : DOOR_IO,
                                      "metrics on 127.0.0.1:%u: %s", port, strerror(reason));
        }
        const union MHD_DaemonInfo *info = MHD_get_daemon_info(metrics->daemon, MHD_DAEMON_INFO_EPOLL_FD);
        if (info == NULL || uv_poll_init(loop, &metrics->poll, info->epoll_fd) != 0) {
                door_metrics_close(metrics);
                return door_error_set(reterr_error, DOOR_IO, "metrics: no descriptor to poll");
        }
        metrics->poll.data = metrics;
        metrics->polling = true;
        metrics->handles++;
        (void)uv_poll_start(&metrics->poll, UV_READABLE, metrics_poll_cb);
        *ret_metrics = metrics;
        return DOOR_OK;
}
