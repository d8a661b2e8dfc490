/*
 * test_oplog.c - a log line is one JSON object whatever the text, and no longer than its bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "shell/oplog.h"

static const door_oplog oplog = { -1, "intake" };

static void a_line_says_everything_once(void **state)
{
        char line[DOOR_OPLOG_LINE_BYTES_MAX];
        const size_t length = door_oplog_format(&oplog, 1767603600000, DOOR_LEVEL_WARNING, "alert", 12,
                                                DOOR_BUSY, "held by \"somebody\" \\ else", line);

        (void)state;
        assert_int_equal(length, strlen(line));
        assert_string_equal(
                line, "{\"at\":\"2026-01-05T09:00:00.000Z\",\"level\":\"warning\",\"service\":\"intake\","
                      "\"event\":\"alert\",\"seq\":12,\"status\":\"BUSY\","
                      "\"text\":\"held by \\\"somebody\\\" \\\\ else\"}\n");
}

static void any_text_of_any_length_is_one_object(void **state)
{
        char text[3000];
        char line[DOOR_OPLOG_LINE_BYTES_MAX];

        (void)state;
        for (unsigned first = 1; first < 256; first++) {
                for (size_t length = 0; length < sizeof text - 1; length += 1 + length / 3) {
                        memset(text, (int)first, length);
                        text[length] = '\0';
                        const size_t used = door_oplog_format(&oplog, 0, DOOR_LEVEL_ERROR, "x", INT64_MAX,
                                                              DOOR_OK, text, line);
                        assert_true(used < sizeof line);
                        assert_int_equal(used, strlen(line));
                        assert_int_equal(line[used - 1], '\n');
                        assert_null(memchr(line, '\n', used - 1));
                        json_t *object = json_loadb(line, used, JSON_REJECT_DUPLICATES, NULL);
                        assert_non_null(object);
                        const char *said = json_string_value(json_object_get(object, "text"));
                        const char shown = first >= ' ' && first <= '~' ? (char)first : '?';
                        for (const char *c = said; *c != '\0'; c++) {
                                assert_int_equal(*c, shown);
                        }
                        if (length < 300) {
                                assert_int_equal(strlen(said), length);
                        }
                        json_decref(object);
                }
        }
}

static void the_longest_names_fit(void **state)
{
        char name[200];
        char line[DOOR_OPLOG_LINE_BYTES_MAX];

        (void)state;
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        const door_oplog lengthy = { -1, name };
        const size_t used = door_oplog_format(&lengthy, UINT64_MAX, DOOR_LEVEL_INFO, name, INT64_MAX,
                                              DOOR_UPSTREAM_REGRESSED, name, line);
        json_t *object = json_loadb(line, used, 0, NULL);
        assert_non_null(object);
        assert_int_equal(json_string_length(json_object_get(object, "service")), 64);
        json_decref(object);
}

static void a_line_is_written_at_once_and_a_lost_one_is_no_trouble(void **state)
{
        int ends[2];
        char line[DOOR_OPLOG_LINE_BYTES_MAX + 1];

        (void)state;
        assert_int_equal(pipe(ends), 0);
        const door_oplog to_pipe = { ends[1], "triage" };
        door_oplog_write(&to_pipe, DOOR_LEVEL_INFO, "started", 3, DOOR_OK, "serving");
        const ssize_t got = read(ends[0], line, sizeof line - 1);
        assert_true(got > 0);
        line[got] = '\0';
        assert_non_null(strstr(line,
                               "\"level\":\"info\",\"service\":\"triage\",\"event\":\"started\",\"seq\":3,"
                               "\"status\":\"OK\",\"text\":\"serving\"}\n"));
        assert_memory_equal(line, "{\"at\":\"20", 9);
        (void)close(ends[0]);
        (void)close(ends[1]);
        door_oplog_write(&to_pipe, DOOR_LEVEL_INFO, "nobody", 3, DOOR_OK, "listens");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_line_says_everything_once),
                cmocka_unit_test(any_text_of_any_length_is_one_object),
                cmocka_unit_test(the_longest_names_fit),
                cmocka_unit_test(a_line_is_written_at_once_and_a_lost_one_is_no_trouble),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
