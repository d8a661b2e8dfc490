/*
 * smtp_send.c - one message through notification's SMTP sink, for smtp.sh.
 *
 *   smtp_send URL [--ca FILE] [--plain] [--total-s N] [--stop-ms N] [--nobody] [--two] [--message FILE]
 *
 * Prints the failure's number (0: delivered) and how many milliseconds it took. --stop-ms: the process is
 * told to end then. --message: what was to be sent goes to FILE.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "notification/notify_sinks.h"
#include "notification/notify_text.h"

typedef struct stopping {
        atomic_bool stop;
        unsigned after_ms;
} stopping;

static void *stop_later(void *context)
{
        stopping *s = context;

        (void)usleep(s->after_ms * 1000U);
        s->stop = true;
        return NULL;
}

static long now_ms(void)
{
        struct timespec now;

        DOOR_REQUIRE(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
        return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
        static _Alignas(64) uint8_t storage[64 * DOOR_KIB];
        const door_bytes emails[] = { door_bytes_of("desk@example.invalid"),
                                      door_bytes_of("duty@example.invalid") };
        notify_recipient recipient = { door_bytes_of("east"), 1, emails };
        notify_policy policy = notify_policy_default;
        const notify_delivery delivery = {
                .standing = NOTIFY_PENDING,
                .planned_ms = UINT64_C(1795660267000),
                .message = { .kind = NOTIFY_OFFER, .recipient = door_bytes_of("east"), .why = 3 }
        };
        notify_sink_smtp smtp = { .url = argc > 1 ? argv[1] : "" };
        stopping s = { .after_ms = 0 };
        const char *message = NULL;
        door_effect effect = { .key = { { 7 } }, .attempt = 1 };
        door_arena arena;
        notify_mail mail;
        pthread_t stopper;
        uint32_t detail = 0;

        for (int i = 2; i < argc; i++) {
                const bool more = i + 1 < argc;
                if (strcmp(argv[i], "--plain") == 0) {
                        smtp.plain = true;
                } else if (strcmp(argv[i], "--nobody") == 0) {
                        recipient.emails_count = 0;
                } else if (strcmp(argv[i], "--two") == 0) {
                        recipient.emails_count = 2;
                } else if (strcmp(argv[i], "--ca") == 0 && more) {
                        smtp.ca_file = argv[++i];
                } else if (strcmp(argv[i], "--total-s") == 0 && more) {
                        smtp.total_s = (unsigned)atoi(argv[++i]);
                } else if (strcmp(argv[i], "--stop-ms") == 0 && more) {
                        s.after_ms = (unsigned)atoi(argv[++i]);
                } else if (strcmp(argv[i], "--message") == 0 && more) {
                        message = argv[++i];
                } else {
                        (void)fprintf(stderr, "smtp_send: %s?\n", argv[i]);
                        return 2;
                }
        }
        if (notify_sink_smtp_open(&smtp) != DOOR_OK) {
                (void)puts("not a URL of a mail server");
                return 0;
        }
        policy.recipients = &recipient;
        policy.recipients_count = 1;
        door_arena_init(&arena, storage, sizeof storage);
        effect.frame = notify_frame_make(&policy, &effect.key, &delivery, &arena);
        DOOR_REQUIRE(notify_frame_read(effect.frame, &mail));
        if (message != NULL) {
                FILE *file = fopen(message, "w");
                DOOR_REQUIRE(file != NULL);
                DOOR_REQUIRE(fwrite(mail.message.data, 1, mail.message.len, file) == mail.message.len);
                DOOR_REQUIRE(fclose(file) == 0);
        }
        if (s.after_ms > 0) {
                DOOR_REQUIRE(pthread_create(&stopper, NULL, stop_later, &s) == 0);
        }
        const long began_ms = now_ms();
        const uint32_t code = notify_sink_smtp_perform(&smtp, &effect, &s.stop, &detail);
        (void)printf("%u %ld\n", code, now_ms() - began_ms);
        if (s.after_ms > 0) {
                (void)pthread_join(stopper, NULL);
        }
        return detail == NOTIFY_SINK_SMTP ? 0 : 1;
}
