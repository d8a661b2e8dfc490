/*
 * Goal: a delivery is one whole file in the outbox, exactly once; any failure of the disk is said, leaves
 * nothing that looks like a message, and the next attempt succeeds.
 * Method: the system calls are recorded (linker option --wrap) and each is made to fail in turn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "notification/notify_sinks.h"
#include "notification/notify_text.h"

enum { CALLS_MAX = 64 };

/* One letter per call: m mkdir, o open, w write, s fsync of a file, S fsync of a folder, c close, r rename.
 */
static struct {
        bool on;
        char calls[CALLS_MAX];
        size_t count;
        size_t fail_at;    /* 1: the first call fails; 0: none. */
        size_t bytes_most; /* A write takes at most so many; 0: all. */
        bool interrupted;  /* The first write answers EINTR. */
} watch;

int __real_mkdir(const char *path, mode_t mode);
int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t len);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);

/* Notes the call; true when it shall fail. */
static bool called(char letter)
{
        if (!watch.on) {
                return false;
        }
        if (watch.count < CALLS_MAX - 1) {
                watch.calls[watch.count] = letter;
        }
        watch.count++;
        if (watch.count == watch.fail_at) {
                errno = ENOSPC;
                return true;
        }
        return false;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
        return called('m') ? -1 : __real_mkdir(path, mode);
}

int __wrap_open(const char *path, int flags, ...)
{
        return called('o') ? -1 : __real_open(path, flags, 0600);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
        if (called('w')) {
                return -1;
        }
        if (watch.on && watch.interrupted) {
                watch.interrupted = false;
                errno = EINTR;
                return -1;
        }
        const size_t most = watch.on ? watch.bytes_most : 0;
        return __real_write(fd, data, most != 0 && len > most ? most : len);
}

int __wrap_fsync(int fd)
{
        struct stat st;
        const bool folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
        return called(folder ? 'S' : 's') ? -1 : __real_fsync(fd);
}

int __wrap_close(int fd)
{
        const bool fails = called('c');
        const int result = __real_close(fd);

        if (fails) {
                errno = ENOSPC;
        }
        return fails ? -1 : result;
}

int __wrap_rename(const char *from, const char *to)
{
        return called('r') ? -1 : __real_rename(from, to);
}

typedef struct bench {
        char home[64];
        notify_sink_eml eml;
        char target[NOTIFY_PATH_BYTES_MAX + 64];
        door_effect effect;
        notify_mail mail;
        uint8_t storage[64 * DOOR_KIB];
} bench;

static void effect_make(bench *b, size_t emails_count)
{
        const door_bytes email = door_bytes_of("desk@example.invalid");
        const notify_recipient recipient = { door_bytes_of("east"), emails_count, &email };
        notify_policy policy = notify_policy_default;
        const notify_delivery delivery = { .standing = NOTIFY_PENDING,
                                           .message = { .kind = NOTIFY_OFFER,
                                                        .recipient = door_bytes_of("east") } };
        door_arena arena;

        policy.recipients = &recipient;
        policy.recipients_count = 1;
        door_arena_init(&arena, b->storage, sizeof b->storage);
        b->effect = (door_effect){ .key = { { 5 } }, .attempt = 1 };
        b->effect.frame = notify_frame_make(&policy, &b->effect.key, &delivery, &arena);
        assert_true(notify_frame_read(b->effect.frame, &b->mail));
}

static int set_up(void **state)
{
        bench *b = NULL;
        char id[DOOR_ID_TEXT_BYTES];

        assert_int_equal(posix_memalign((void **)&b, 64, sizeof *b), 0);
        memset(&watch, 0, sizeof watch);
        memset(b, 0, sizeof *b);
        (void)snprintf(b->home, sizeof b->home, "/tmp/door-eml-XXXXXX");
        assert_non_null(mkdtemp(b->home));
        assert_int_equal(notify_sink_eml_open(&b->eml, b->home), DOOR_OK);
        effect_make(b, 1);
        door_id_print(DOOR_ID_DELIVERY, &b->effect.key, id);
        (void)snprintf(b->target, sizeof b->target, "%s/%s.eml", b->eml.folder, id);
        *state = b;
        return 0;
}

/* The names in the outbox; with `remove` they go. */
static size_t outbox_count(const bench *b, bool remove)
{
        DIR *folder = opendir(b->eml.folder);
        size_t count = 0;

        assert_non_null(folder);
        for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
                        count++;
                        if (remove) {
                                assert_int_equal(unlinkat(dirfd(folder), e->d_name, 0), 0);
                        }
                }
        }
        (void)closedir(folder);
        return count;
}

static int tear_down(void **state)
{
        bench *b = *state;

        memset(&watch, 0, sizeof watch);
        (void)outbox_count(b, true);
        const int gone = rmdir(b->eml.folder) == 0 && rmdir(b->home) == 0 ? 0 : -1;
        free(b);
        return gone;
}

static door_outcome perform_one(bench *b)
{
        static const atomic_bool stop;
        door_outcome outcome = { .key = b->effect.key };

        watch.on = true;
        outcome.code = notify_sink_eml_perform(&b->eml, &b->effect, &stop, &outcome.detail);
        watch.on = false;
        assert_int_equal(outcome.detail, NOTIFY_SINK_EML);
        return outcome;
}

static void settle(bench *b, door_outcome *outcomes, size_t count)
{
        watch.on = true;
        notify_sink_eml_settle(&b->eml, outcomes, count);
        watch.on = false;
}

/* As a group of one. */
static uint32_t perform(bench *b)
{
        door_outcome outcome = perform_one(b);

        settle(b, &outcome, 1);
        return outcome.code;
}

static void assert_message_there(const bench *b)
{
        static uint8_t bytes[64 * DOOR_KIB];
        FILE *file = fopen(b->target, "r");

        assert_non_null(file);
        const size_t len = fread(bytes, 1, sizeof bytes, file);
        (void)fclose(file);
        assert_int_equal(len, b->mail.message.len);
        assert_memory_equal(bytes, b->mail.message.data, len);
}

static void a_message_is_written_synced_and_then_named(void **state)
{
        bench *b = *state;

        assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
        assert_string_equal(watch.calls, "owscroSc");
        assert_message_there(b);
        assert_int_equal(outbox_count(b, false), 1);
}

static void a_message_that_is_there_is_delivered_and_never_written_again(void **state)
{
        bench *b = *state;
        struct stat before;
        struct stat after;

        assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
        assert_int_equal(stat(b->target, &before), 0);
        memset(&watch, 0, sizeof watch);
        assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
        assert_string_equal(watch.calls, "oSc"); /* Its name is made sure of, whoever wrote it. */
        assert_int_equal(stat(b->target, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void every_failure_of_the_disk_is_said_and_the_next_attempt_succeeds(void **state)
{
        bench *b = *state;
        size_t fails = 1;

        for (;; fails++) {
                (void)outbox_count(b, true);
                memset(&watch, 0, sizeof watch);
                watch.fail_at = fails;
                watch.bytes_most = 100;
                const uint32_t code = perform(b);
                if (watch.count < fails) {
                        assert_int_equal(code, NOTIFY_DELIVERED_WELL);
                        break;
                }
                assert_int_equal(code, NOTIFY_DISK);
                /* No half of a message under its name, and nothing left lying about. */
                if (access(b->target, F_OK) == 0) {
                        assert_message_there(b);
                }
                assert_true(outbox_count(b, false) <= 1);
                assert_int_equal(outbox_count(b, false), access(b->target, F_OK) == 0 ? 1 : 0);
                memset(&watch, 0, sizeof watch);
                assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
                assert_message_there(b);
        }
        assert_true(fails > 10);
}

static void an_interrupted_write_goes_on(void **state)
{
        bench *b = *state;

        watch.interrupted = true;
        watch.bytes_most = 7;
        assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
        assert_message_there(b);
}

static void what_an_earlier_death_left_half_written_is_no_hindrance(void **state)
{
        bench *b = *state;
        char half[NOTIFY_PATH_BYTES_MAX + 64];
        char id[DOOR_ID_TEXT_BYTES];

        door_id_print(DOOR_ID_DELIVERY, &b->effect.key, id);
        (void)snprintf(half, sizeof half, "%s/.%s.tmp", b->eml.folder, id);
        FILE *file = fopen(half, "w");
        assert_non_null(file);
        for (unsigned i = 0; i < 10000; i++) {
                (void)fputs("much longer than the message", file);
        }
        (void)fclose(file);
        assert_int_equal(perform(b), NOTIFY_DELIVERED_WELL);
        assert_message_there(b);
        assert_int_equal(outbox_count(b, false), 1);
}

static void a_message_to_nobody_is_not_written(void **state)
{
        bench *b = *state;

        effect_make(b, 0);
        assert_int_equal(perform(b), NOTIFY_NO_ADDRESS);
        assert_int_equal(watch.count, 0); /* Nothing to make last. */
        assert_int_equal(outbox_count(b, false), 0);
}

/* Three together, one of them to nobody: its outcome is its own, whatever the folder does. */
static void what_waited_together_is_made_to_last_by_one_sync(void **state)
{
        bench *b = *state;

        for (int fails = 0; fails < 2; fails++) {
                door_outcome outcomes[3];
                for (uint8_t i = 0; i < 3; i++) {
                        effect_make(b, i == 1 ? 0 : 1);
                        b->effect.key.bytes[9] = i;
                        outcomes[i] = perform_one(b);
                }
                memset(&watch, 0, sizeof watch);
                watch.fail_at = fails == 1 ? 2 : 0; /* The sync. */
                settle(b, outcomes, 3);
                assert_string_equal(watch.calls, "oSc");
                assert_int_equal(outcomes[0].code, fails == 1 ? NOTIFY_DISK : NOTIFY_DELIVERED_WELL);
                assert_int_equal(outcomes[1].code, NOTIFY_NO_ADDRESS);
                assert_int_equal(outcomes[2].code, fails == 1 ? NOTIFY_DISK : NOTIFY_DELIVERED_WELL);
                assert_int_equal(outbox_count(b, false), 2);
        }
}

static void an_outbox_that_is_there_is_used_and_one_that_cannot_be_made_is_said(void **state)
{
        bench *b = *state;
        static char long_home[2 * NOTIFY_PATH_BYTES_MAX];
        notify_sink_eml eml;

        assert_int_equal(notify_sink_eml_open(&eml, b->home), DOOR_OK);
        memset(long_home, 'x', sizeof long_home - 1);
        assert_int_equal(notify_sink_eml_open(&eml, long_home), DOOR_INVALID);
        watch.on = true;
        watch.fail_at = 1;
        assert_int_equal(notify_sink_eml_open(&eml, b->home), DOOR_IO);
        watch.on = false;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        const struct CMUnitTest tests[] = {
                TEST(a_message_is_written_synced_and_then_named),
                TEST(a_message_that_is_there_is_delivered_and_never_written_again),
                TEST(every_failure_of_the_disk_is_said_and_the_next_attempt_succeeds),
                TEST(an_interrupted_write_goes_on),
                TEST(what_an_earlier_death_left_half_written_is_no_hindrance),
                TEST(a_message_to_nobody_is_not_written),
                TEST(what_waited_together_is_made_to_last_by_one_sync),
                TEST(an_outbox_that_is_there_is_used_and_one_that_cannot_be_made_is_said),
        };
#undef TEST
        return cmocka_run_group_tests(tests, NULL, NULL);
}
