/*
 * Goal: a message says what is to be said, in plain words, and nothing else can get into it; it is well
 * formed, the same for the same record, and its frame is read back as it was made.
 * Method: whole messages against expected text; all kinds and reasons against the rules of a line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/calendar.h"
#include "notification/notify_text.h"

static _Alignas(64) uint8_t storage[256 * DOOR_KIB];
static door_arena arena;
static door_bytes emails[NOTIFY_EMAILS_MAX];
static notify_recipient recipient;
static notify_policy policy;

static int set_up(void **state)
{
        (void)state;
        door_arena_init(&arena, storage, sizeof storage);
        emails[0] = door_bytes_of("desk@example.invalid");
        emails[1] = door_bytes_of("second@example.invalid");
        recipient = (notify_recipient){ door_bytes_of("east"), 2, emails };
        policy = notify_policy_default;
        policy.recipients = &recipient;
        policy.recipients_count = 1;
        policy.front_door_phone = door_bytes_of("01632 960001");
        policy.out_of_hours_phone = door_bytes_of("01632 960002");
        return 0;
}

static uint64_t at(const char *text)
{
        uint64_t ms = 0;
        assert_true(door_instant_parse(door_bytes_of(text), &ms));
        return ms;
}

static notify_delivery delivery_of(notify_kind kind)
{
        return (notify_delivery){ .standing = NOTIFY_PENDING,
                                  .planned_ms = at("2026-11-26T02:31:07Z"),
                                  .message = { .kind = kind,
                                               .recipient = door_bytes_of("east"),
                                               .has_referral = true,
                                               .referral = { { 1 } },
                                               .has_episode = true,
                                               .episode = { { 2 } } } };
}

static notify_mail mail_of(const notify_delivery *delivery)
{
        const door_id id = { { 3 } };
        notify_mail mail;

        assert_true(notify_frame_read(notify_frame_make(&policy, &id, delivery, &arena), &mail));
        return mail;
}

static void assert_text(door_bytes got, const char *wanted)
{
        const door_bytes want = door_bytes_of(wanted);

        if (!door_bytes_equal(got, want)) {
                print_error("%.*s", (int)got.len, (const char *)got.data);
        }
        assert_true(door_bytes_equal(got, want));
}

static bool holds(door_bytes text, const char *part)
{
        return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static void a_red_message_is_this(void **state)
{
        notify_delivery d = delivery_of(NOTIFY_RED);
        char episode[DOOR_ID_TEXT_BYTES];

        (void)state;
        d.message.has_severity = true;
        d.message.severity = 92;
        d.message.why = 3;
        d.message.due_ms = at("2026-07-03T16:05:00Z"); /* Summer: five past five in London. */
        const notify_mail mail = mail_of(&d);
        door_id_print(DOOR_ID_EPISODE, &d.message.episode, episode);
        assert_text(mail.sender, "frontdoor@frontdoor.invalid");
        assert_int_equal(mail.to_count, 2);
        assert_text(mail.to[0], "desk@example.invalid");
        assert_text(mail.to[1], "second@example.invalid");
        assert_text(mail.message,
                    "From: frontdoor@frontdoor.invalid\r\n"
                    "To: desk@example.invalid,\r\n second@example.invalid\r\n"
                    "Date: Thu, 26 Nov 2026 02:31:07 +0000\r\n"
                    "Message-ID: <D-0C000000000000003@frontdoor.invalid>\r\n"
                    "Subject: RED: a referral waits to be taken (E-08000000000000002)\r\n"
                    "Auto-Submitted: auto-generated\r\n"
                    "MIME-Version: 1.0\r\n"
                    "Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 7bit\r\n"
                    "\r\n"
                    "A red referral is in the front door's queue and nobody has taken it yet.\r\n"
                    "\r\n"
                    "Referral: R-04000000000000001\r\n"
                    "Episode: E-08000000000000002\r\n"
                    "Severity: red\r\n"
                    "Why: A child is with the person now, injured, missing or asking for help.\r\n"
                    "Decide by: 17:05 on Friday 3 July 2026\r\n"
                    "\r\n"
                    "Please take it now.\r\n"
                    "\r\n"
                    "Sent by a program. On purpose nothing about the family is in it.\r\n");
}

static void every_answer_to_a_sender_says_what_to_do_in_danger(void **state)
{
        notify_delivery d = delivery_of(NOTIFY_RECEIPT);

        (void)state;
        d.message.has_episode = false;
        assert_true(
                holds(mail_of(&d).message,
                      "If a child is in danger now call 999. Front door 01632 960001; nights and weekends "
                      "01632 960002.\r\n"));
        policy.out_of_hours_phone = DOOR_BYTES_EMPTY;
        assert_true(holds(mail_of(&d).message, "call 999. Front door 01632 960001.\r\n"));
        policy.front_door_phone = DOOR_BYTES_EMPTY;
        assert_true(holds(mail_of(&d).message, "If a child is in danger now call 999.\r\n"));
        assert_false(holds(mail_of(&d).message, "Episode"));
}

static void the_word_of_a_severity_is_the_policys(void **state)
{
        static const struct {
                uint32_t severity;
                const char *word;
        } cases[] = { { 100, "Severity: red\r\n" },
                      { 80, "Severity: red\r\n" },
                      { 79, "Severity: amber\r\n" },
                      { 50, "Severity: amber\r\n" },
                      { 49, "Severity: green\r\n" } };
        (void)state;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                notify_delivery d = delivery_of(NOTIFY_ADDED);
                d.message.has_severity = true;
                d.message.severity = cases[i].severity;
                assert_true(holds(mail_of(&d).message, cases[i].word));
        }
        notify_delivery d = delivery_of(NOTIFY_ADDED);
        assert_false(holds(mail_of(&d).message, "Severity"));
}

static void a_recipient_without_an_address_has_a_message_and_nowhere_to_send_it(void **state)
{
        notify_delivery d = delivery_of(NOTIFY_OFFER);

        (void)state;
        recipient.emails_count = 0;
        const notify_mail mail = mail_of(&d);
        assert_int_equal(mail.to_count, 0);
        assert_true(holds(mail.message, "To: undisclosed-recipients:;\r\n"));
}

static bool starts(door_bytes text, size_t at_byte, const char *with)
{
        return door_bytes_starts_with((door_bytes){ text.data + at_byte, text.len - at_byte },
                                      door_bytes_of(with));
}

/* RFC 5322: lines of at most 78 characters (what is said of danger is one line), CR LF, ASCII. */
static void assert_well_formed(door_bytes text)
{
        size_t line = 0;
        size_t headers = 0;
        bool danger = false;

        for (size_t i = 0; i < text.len; i++) {
                const uint8_t c = text.data[i];
                if (c == '\r') {
                        assert_true(i + 1 < text.len && text.data[i + 1] == '\n');
                        assert_true(line <= (danger ? 998 : 78));
                        headers += headers == 0 && line == 0 ? 1 : 0;
                        line = 0;
                } else if (c == '\n') {
                        assert_true(i > 0 && text.data[i - 1] == '\r');
                } else {
                        assert_true(c >= ' ' && c < 0x7F);
                        danger = line == 0 ? starts(text, i, "If a child is in danger") : danger;
                        line++;
                }
        }
        assert_int_equal(line, 0);
        assert_int_equal(headers, 1);
}

static void every_kind_with_every_reason_is_a_well_formed_message(void **state)
{
        (void)state;
        for (uint32_t kind = NOTIFY_RECEIPT; kind < NOTIFY_KINDS; kind++) {
                for (uint32_t why = 0; why < 60; why++) {
                        notify_delivery d = delivery_of((notify_kind)kind);
                        d.message.why = why;
                        d.message.due_ms = at("2026-11-27T17:00:00Z");
                        door_arena_reset(&arena);
                        assert_well_formed(mail_of(&d).message);
                }
        }
}

static void reasons_have_sentences_where_their_kind_has_reasons(void **state)
{
        static const struct {
                notify_kind kind;
                uint32_t from;
                uint32_t to;
        } lists[] = { { NOTIFY_RED, 1, 17 },   { NOTIFY_LOOK_NOW, 32, 48 }, { NOTIFY_ADDED, 1, 17 },
                      { NOTIFY_OFFER, 1, 8 },  { NOTIFY_RETURNED, 1, 6 },   { NOTIFY_REQUEST, 1, 2 },
                      { NOTIFY_JOINED, 1, 4 }, { NOTIFY_JOIN_UNDONE, 1, 3 } };
        (void)state;
        for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
                for (uint32_t why = lists[i].from; why <= lists[i].to; why++) {
                        assert_non_null(notify_why_text(lists[i].kind, why));
                }
                assert_null(notify_why_text(lists[i].kind, 0));
                assert_null(notify_why_text(lists[i].kind, 1000));
        }
        assert_null(notify_why_text(NOTIFY_RECEIPT, 1));
}

static void the_same_record_is_the_same_message(void **state)
{
        const notify_delivery first = delivery_of(NOTIFY_OFFER);
        notify_delivery later = first;

        (void)state;
        later.attempts = 5;
        later.next_ms = 12345;
        assert_true(door_bytes_equal(mail_of(&first).message, mail_of(&later).message));
}

static void the_longest_addresses_fit_a_frame(void **state)
{
        static uint8_t address[NOTIFY_EMAIL_BYTES_MAX];
        notify_delivery d = delivery_of(NOTIFY_ATTEMPT_REFUSED);

        (void)state;
        memset(address, 'a', sizeof address);
        for (size_t i = 0; i < NOTIFY_EMAILS_MAX; i++) {
                emails[i] = (door_bytes){ address, sizeof address };
        }
        recipient.emails_count = NOTIFY_EMAILS_MAX;
        assert_int_equal(mail_of(&d).to_count, NOTIFY_EMAILS_MAX);
}

static void bytes_that_are_no_frame_are_not_taken_for_one(void **state)
{
        const notify_delivery d = delivery_of(NOTIFY_OFFER);
        const door_id id = { { 3 } };
        notify_mail mail;

        (void)state;
        const door_bytes frame = notify_frame_make(&policy, &id, &d, &arena);
        const size_t addresses = 1 + 2 + 27 + 2 + 2 + 20 + 2 + 22;
        for (size_t len = 0; len < addresses; len++) {
                assert_false(notify_frame_read((door_bytes){ frame.data, len }, &mail));
        }
        assert_true(notify_frame_read((door_bytes){ frame.data, addresses }, &mail));
        uint8_t *copy = door_arena_take(&arena, frame.len);
        memcpy(copy, frame.data, frame.len);
        copy[0] = 2;
        assert_false(notify_frame_read((door_bytes){ copy, frame.len }, &mail));
        copy[0] = 1;
        copy[1 + 2 + 27 + 1] = NOTIFY_EMAILS_MAX + 1;
        assert_false(notify_frame_read((door_bytes){ copy, frame.len }, &mail));
}

static void a_full_arena_makes_no_frame(void **state)
{
        const notify_delivery d = delivery_of(NOTIFY_OFFER);
        const door_id id = { { 3 } };

        (void)state;
        door_arena_init(&arena, storage, 64);
        assert_int_equal(notify_frame_make(&policy, &id, &d, &arena).len, 0);
        assert_true(arena.exhausted);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, set_up)
        const struct CMUnitTest tests[] = {
                TEST(a_red_message_is_this),
                TEST(every_answer_to_a_sender_says_what_to_do_in_danger),
                TEST(the_word_of_a_severity_is_the_policys),
                TEST(a_recipient_without_an_address_has_a_message_and_nowhere_to_send_it),
                TEST(every_kind_with_every_reason_is_a_well_formed_message),
                TEST(reasons_have_sentences_where_their_kind_has_reasons),
                TEST(the_same_record_is_the_same_message),
                TEST(the_longest_addresses_fit_a_frame),
                TEST(bytes_that_are_no_frame_are_not_taken_for_one),
                TEST(a_full_arena_makes_no_frame),
        };
#undef TEST
        return cmocka_run_group_tests(tests, NULL, NULL);
}
