/*
 * test_metrics.c - the text format, and HTTP served from a libuv loop that never blocks on it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "shell/metrics.h"

static void figures_are_written_in_the_exposition_format(void **state)
{
        char text[4096];
        door_metrics_page page = { text, sizeof text, 0 };

        (void)state;
        door_metrics_about(&page, "door_x_total", "counter", "What x is.");
        door_metrics_sample(&page, "door_x_total", "", 7);
        door_metrics_sample(&page, "door_x_total", "a=\"b\"", UINT64_MAX);
        door_metrics_sample_seconds(&page, "door_s", "a=\"b\"", 1000042);
        text[page.len] = '\0';
        assert_string_equal(text, "# HELP door_x_total What x is.\n"
                                  "# TYPE door_x_total counter\n"
                                  "door_x_total 7\n"
                                  "door_x_total{a=\"b\"} 18446744073709551615\n"
                                  "door_s{a=\"b\"} 1.000042\n");
}

static void a_histogram_counts_up_to_each_bound(void **state)
{
        char text[4096];
        door_metrics_page page = { text, sizeof text, 0 };
        door_histogram h = { .count = 0 };

        (void)state;
        door_histogram_add(&h, 0);
        door_histogram_add(&h, 500);
        door_histogram_add(&h, 501);
        door_histogram_add(&h, 5000000);
        door_histogram_add(&h, 5000001);
        door_metrics_histogram(&page, "t", "s=\"x\"", &h);
        text[page.len] = '\0';
        assert_string_equal(
                text, "t_bucket{s=\"x\",le=\"0.0005\"} 2\nt_bucket{s=\"x\",le=\"0.001\"} 3\n"
                      "t_bucket{s=\"x\",le=\"0.002\"} 3\nt_bucket{s=\"x\",le=\"0.005\"} 3\n"
                      "t_bucket{s=\"x\",le=\"0.01\"} 3\nt_bucket{s=\"x\",le=\"0.02\"} 3\n"
                      "t_bucket{s=\"x\",le=\"0.05\"} 3\nt_bucket{s=\"x\",le=\"0.1\"} 3\n"
                      "t_bucket{s=\"x\",le=\"0.2\"} 3\nt_bucket{s=\"x\",le=\"0.5\"} 3\n"
                      "t_bucket{s=\"x\",le=\"1\"} 3\nt_bucket{s=\"x\",le=\"5\"} 4\n"
                      "t_bucket{s=\"x\",le=\"+Inf\"} 5\nt_sum{s=\"x\"} 10.001002\nt_count{s=\"x\"} 5\n");
}

static void a_line_that_does_not_fit_is_left_out_whole(void **state)
{
        char text[20];
        char name[600];
        door_metrics_page page = { text, sizeof text, 0 };

        (void)state;
        door_metrics_sample(&page, "0123456789", "", 1); /* 13 bytes */
        door_metrics_sample(&page, "0123456789", "", 2); /* would be 26 */
        door_metrics_sample(&page, "0123", "", 3);       /* 20: exactly full */
        assert_int_equal(page.len, 20);
        assert_memory_equal(text, "0123456789 1\n0123 3\n", 20);
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        char room[2048];
        page = (door_metrics_page){ room, sizeof room, 0 };
        door_metrics_sample(&page, name, "", 1);
        assert_int_equal(page.len, 0);
}

/* ---- Over HTTP. */

typedef struct server {
        uv_loop_t loop;
        uv_async_t leave;
        door_metrics *metrics;
        unsigned port;
        bool well;
        unsigned renders;
} server;

static void render(void *context, door_metrics_page *page)
{
        server *s = context;

        s->renders++;
        door_metrics_sample(page, "door_renders_total", "", s->renders);
        /* As much as fits: large answers take more than one turn of the loop. */
        for (int i = 0; i < 5000; i++) {
                door_metrics_sample(page, "door_filler", "", 1);
        }
}

static const char *health(void *context, bool *ret_well)
{
        const server *s = context;

        *ret_well = s->well;
        return s->well ? "SERVING\n" : "STOPPING\n";
}

static void leave_cb(uv_async_t *async)
{
        server *s = async->data;

        door_metrics_close(s->metrics);
        uv_close((uv_handle_t *)async, NULL);
}

static void *server_thread(void *argument)
{
        server *s = argument;

        DOOR_REQUIRE(uv_run(&s->loop, UV_RUN_DEFAULT) == 0);
        return NULL;
}

static struct sockaddr_in loopback(unsigned port)
{
        return (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                     .sin_port = htons((uint16_t)port) };
}

static unsigned port_free(void)
{
        struct sockaddr_in address = loopback(0);
        socklen_t size = sizeof address;
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        DOOR_REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
        DOOR_REQUIRE(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
        (void)close(fd);
        return ntohs(address.sin_port);
}

static int dial(unsigned port)
{
        struct sockaddr_in address = loopback(port);
        const struct timeval patience = { .tv_sec = 8 };
        const int fd = socket(AF_INET, SOCK_STREAM, 0);

        DOOR_REQUIRE(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0);
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        return fd;
}

static size_t get(unsigned port, const char *what, char *out, size_t cap)
{
        char request[256];
        size_t used = 0;
        ssize_t got = 1;
        const int fd = dial(port);
        const int length = snprintf(request, sizeof request,
                                    "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", what);

        assert_int_equal(write(fd, request, (size_t)length), length);
        while (got > 0 && used + 1 < cap) {
                got = read(fd, out + used, cap - 1 - used);
                used += got > 0 ? (size_t)got : 0;
        }
        out[used] = '\0';
        (void)close(fd);
        return used;
}

static void pages_are_served_again_and_again_and_idlers_are_sent_away(void **state)
{
        static char page[256 * 1024];
        server s = { .well = true, .port = port_free() };
        const door_metrics_source source = { &s, render, health };
        door_metrics *second = NULL;
        door_error error = { 0 };
        pthread_t thread;

        (void)state;
        assert_int_equal(uv_loop_init(&s.loop), 0);
        assert_int_equal(uv_async_init(&s.loop, &s.leave, leave_cb), 0);
        s.leave.data = &s;
        assert_int_equal(door_metrics_open(&s.loop, (uint16_t)s.port, &source, &s.metrics, NULL), DOOR_OK);
        assert_int_not_equal(door_metrics_open(&s.loop, (uint16_t)s.port, &source, &second, &error), DOOR_OK);
        assert_null(second);
        assert_non_null(strstr(error.text, "127.0.0.1"));
        assert_int_equal(pthread_create(&thread, NULL, server_thread, &s), 0);

        /* One who connects and says nothing, and one who stops in the middle. */
        const int silent = dial(s.port);
        const int halting = dial(s.port);
        assert_int_equal(write(halting, "GET /metrics HT", 15), 15);
        for (unsigned i = 1; i <= 20; i++) {
                char expected[64];

                assert_true(get(s.port, "GET /metrics", page, sizeof page) > 60000);
                (void)snprintf(expected, sizeof expected, "\r\n\r\ndoor_renders_total %u\ndoor_filler 1\n",
                               i);
                assert_non_null(strstr(page, expected));
                assert_non_null(strstr(page, "text/plain; version=0.0.4"));
        }
        (void)get(s.port, "GET /health", page, sizeof page);
        assert_non_null(strstr(page, " 200 "));
        assert_non_null(strstr(page, "SERVING\n"));
        s.well = false;
        (void)get(s.port, "GET /health", page, sizeof page);
        assert_non_null(strstr(page, " 503 "));
        assert_non_null(strstr(page, "STOPPING\n"));
        (void)get(s.port, "GET /", page, sizeof page);
        assert_non_null(strstr(page, " 404 "));
        (void)get(s.port, "POST /metrics", page, sizeof page);
        assert_non_null(strstr(page, " 405 "));

        /* Hung up on within the connection's time, without anybody else saying anything. */
        assert_int_equal(read(silent, page, sizeof page), 0);
        (void)close(silent);
        (void)close(halting);
        assert_int_equal(uv_async_send(&s.leave), 0);
        (void)pthread_join(thread, NULL);
        assert_int_equal(uv_loop_close(&s.loop), 0);
        door_metrics_close(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(figures_are_written_in_the_exposition_format),
                cmocka_unit_test(a_histogram_counts_up_to_each_bound),
                cmocka_unit_test(a_line_that_does_not_fit_is_left_out_whole),
                cmocka_unit_test(pages_are_served_again_and_again_and_idlers_are_sent_away),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
