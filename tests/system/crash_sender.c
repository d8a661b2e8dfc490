/*
 * crash_sender.c - the agency of the kill loop: sends, and believes nothing but a receipt.
 *
 *   crash_sender send JOURNAL SECONDS    referrals, a window of them under way; every key is written
 *                                        to the journal and synced before it is sent, every receipt
 *                                        when it comes; then waits until all are answered
 *   crash_sender check JOURNAL           every receipt is in intake's log, once, under its key, and
 *                                        no key is there twice
 *
 * The journal is another process's file on purpose: what it holds does not depend on what the
 * services remember. Exit codes: 0 all well, 1 something is lost or doubled, 2 wrong call.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "cli/cli.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_core.h"

enum { WINDOW = 16, PACE_MS = 3, RESEND_MS = 700, GIVE_UP_MS = 60000, LINE_BYTES = 96, PEOPLE = 2 };

typedef struct under_way {
        bool used;
        uint64_t number;
        door_hash id;
        uint64_t send_at_ms;
} under_way;

typedef struct sender {
        cli *c;
        int journal;
        uint64_t run; /* Random: keys of two runs never meet. */
        door_client *client;
        under_way window[WINDOW];
        uint64_t next;
        uint64_t answered;
        uint64_t other;
} sender;

static void key_print(const sender *s, uint64_t number, char out[LINE_BYTES])
{
        (void)snprintf(out, LINE_BYTES, "crash-%016llx-%llu", (unsigned long long)s->run,
                       (unsigned long long)number);
}

static void journal_write(const sender *s, const char *line)
{
        if (write(s->journal, line, strlen(line)) != (ssize_t)strlen(line) || fdatasync(s->journal) != 0) {
                (void)fprintf(stderr, "crash_sender: journal: %s\n", strerror(errno));
                exit(2);
        }
}

static void word_print(uint64_t draw, char out[16])
{
        static const char consonants[] = "bdfgklmnprst";
        static const char vowels[] = "aeiou";

        for (size_t i = 0; i < 6; i++) {
                out[i] = i % 2 == 0 ? consonants[draw % 12] : vowels[draw % 5];
                draw /= 13;
        }
        out[6] = '\0';
}

/* The number draws the content, so that a repeat is the same to the byte. */
static door_bytes frame_make(sender *s, uint64_t number, door_hash *ret_id)
{
        Door__V1__Submit submit = DOOR__V1__SUBMIT__INIT;
        Door__V1__Referral referral = DOOR__V1__REFERRAL__INIT;
        Door__V1__Person people[PEOPLE];
        Door__V1__Person *pointers[PEOPLE];
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Day days[PEOPLE];
        char dates[PEOPLE][16];
        char names[PEOPLE][16];
        char surname[16];
        char key[LINE_BYTES];

        /* Four referrals a family; families unlike each other. */
        const uint64_t family = (s->run + number / 4) * UINT64_C(0x9E3779B97F4A7C15);
        key_print(s, number, key);
        word_print(family, surname);
        for (size_t i = 0; i < PEOPLE; i++) {
                door__v1__person__init(&people[i]);
                door__v1__day__init(&days[i]);
                people[i].has_role = 1;
                people[i].role = i == 0 ? DOOR__V1__ROLE__ROLE_INDEX_CHILD : DOOR__V1__ROLE__ROLE_MOTHER;
                word_print(family >> (20 + 4 * i), names[i]);
                people[i].given_name = names[i];
                people[i].surname = surname;
                (void)snprintf(dates[i], sizeof dates[i], "%d-%02d-%02d",
                               (int)((i == 0 ? 2008 : 1978) + family % 11), (int)(1 + (family >> 8) % 12),
                               (int)(1 + (family >> 16) % 28));
                days[i].text = dates[i];
                people[i].dob = &days[i];
                pointers[i] = &people[i];
        }
        referral.agency = (char *)(uintptr_t) "police";
        referral.narrative = (char *)(uintptr_t) "words that are kept";
        referral.n_people = PEOPLE;
        referral.people = pointers;
        submit.referral = &referral;
        submit.idempotency_key = key;
        *ret_id = intake_command_id(door_bytes_of("police"), door_bytes_of(key));
        door_arena_reset(&s->c->arena);
        const door_bytes body = door_frame_pack(&submit.base, &s->c->arena);
        command.command_id = door_proto_data(door_hash_bytes(ret_id));
        command.actor = (char *)(uintptr_t) "police";
        command.type = DOOR__V1__INTAKE_COMMAND__INTAKE_SUBMIT;
        command.body = door_proto_data(body);
        return cli_command_frame(&command, &s->c->arena);
}

static void window_fill(sender *s)
{
        for (size_t i = 0; i < WINDOW; i++) {
                if (!s->window[i].used) {
                        char key[LINE_BYTES];
                        char line[LINE_BYTES + 8];
                        s->window[i] = (under_way){ .used = true, .number = s->next++ };
                        key_print(s, s->window[i].number, key);
                        (void)snprintf(line, sizeof line, "asked %s\n", key);
                        journal_write(s, line);
                }
        }
}

static void due_send(sender *s)
{
        for (size_t i = 0; i < WINDOW; i++) {
                under_way *one = &s->window[i];
                if (one->used && one->send_at_ms <= cli_mono_ms()) {
                        if (door_client_send(s->client, frame_make(s, one->number, &one->id), 50) !=
                            DOOR_OK) {
                                (void)door_client_reopen(s->client);
                                return;
                        }
                        one->send_at_ms = cli_mono_ms() + RESEND_MS;
                }
        }
}

static void receipt_take(sender *s, under_way *one, const Door__V1__Result *result)
{
        ProtobufCAllocator allocator = door_proto_allocator(&s->c->arena);
        const Door__V1__Receipt *receipt =
                result->has_body ? door__v1__receipt__unpack(&allocator, result->body.len, result->body.data)
                                 : NULL;
        char key[LINE_BYTES];
        char text[DOOR_ID_TEXT_BYTES];
        char line[LINE_BYTES * 2];
        door_id id;

        if (receipt == NULL || !door_id_from_bytes(door_proto_bytes(receipt->referral), &id)) {
                s->other++;
                return;
        }
        key_print(s, one->number, key);
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        (void)snprintf(line, sizeof line, "received %s %s\n", key, text);
        journal_write(s, line);
        s->answered++;
        one->used = false;
}

static void answer_take(sender *s, door_bytes frame)
{
        const Door__V1__Result *result = NULL;

        door_arena_reset(&s->c->arena);
        if (cli_result_read(frame, &s->c->arena, &result) != DOOR_OK ||
            result->command_id.len != DOOR_HASH_BYTES) {
                return;
        }
        for (size_t i = 0; i < WINDOW; i++) {
                under_way *one = &s->window[i];
                if (!one->used || memcmp(one->id.bytes, result->command_id.data, DOOR_HASH_BYTES) != 0) {
                        continue;
                }
                if (result->outcome == DOOR__V1__OUTCOME__DONE) {
                        receipt_take(s, one, result);
                } else if (result->outcome == DOOR__V1__OUTCOME__RETRY) {
                        one->send_at_ms = cli_mono_ms() + 100;
                } else {
                        (void)fprintf(stderr, "crash_sender: answered %d: %s\n", (int)result->outcome,
                                      result->detail == NULL ? "" : result->detail);
                        s->other++;
                        one->used = false;
                }
                return;
        }
}

static size_t open_count(const sender *s)
{
        size_t n = 0;
        for (size_t i = 0; i < WINDOW; i++) {
                n += s->window[i].used ? 1 : 0;
        }
        return n;
}

static int send_all(sender *s, uint64_t seconds)
{
        const uint64_t until_ms = cli_mono_ms() + seconds * 1000;
        uint64_t heard_ms = cli_mono_ms();

        while (cli_mono_ms() < until_ms && !cli_interrupted()) {
                cli_sleep_ms(PACE_MS); /* Load, not a flood: the log is read through at the end. */
                window_fill(s);
                due_send(s);
                door_bytes frame;
                for (uint32_t wait = 20; door_client_receive(s->client, wait, &frame) == DOOR_OK; wait = 0) {
                        heard_ms = cli_mono_ms();
                        answer_take(s, frame);
                }
                if (cli_mono_ms() - heard_ms > 1500) {
                        heard_ms = cli_mono_ms();
                        (void)door_client_reopen(s->client);
                }
        }
        const uint64_t give_up_ms = cli_mono_ms() + GIVE_UP_MS;
        while (open_count(s) > 0 && cli_mono_ms() < give_up_ms) {
                door_bytes frame;
                due_send(s);
                for (uint32_t wait = 50; door_client_receive(s->client, wait, &frame) == DOOR_OK; wait = 0) {
                        heard_ms = cli_mono_ms();
                        answer_take(s, frame);
                }
                if (cli_mono_ms() - heard_ms > 1500) {
                        heard_ms = cli_mono_ms();
                        (void)door_client_reopen(s->client);
                }
        }
        (void)printf("sender: %llu asked, %llu received, %zu without answer, %llu answered otherwise\n",
                     (unsigned long long)s->next, (unsigned long long)s->answered, open_count(s),
                     (unsigned long long)s->other);
        return open_count(s) == 0 && s->other == 0 ? CLI_OK : CLI_FAILED;
}

/* ---- check ---- */

typedef struct known {
        char key[LINE_BYTES];
        char referral[DOOR_ID_TEXT_BYTES];
        uint64_t times;
} known;

typedef struct table {
        known *items;
        size_t count;
        size_t max;
} table;

static int known_compare(const void *a, const void *b)
{
        return strcmp(((const known *)a)->key, ((const known *)b)->key);
}

static void table_add(table *t, const char *key, const char *referral)
{
        if (t->count == t->max) {
                t->max = t->max == 0 ? 4096 : t->max * 2;
                t->items = realloc(t->items, t->max * sizeof t->items[0]);
                DOOR_REQUIRE(t->items != NULL);
        }
        known *one = &t->items[t->count++];
        memset(one, 0, sizeof *one);
        (void)snprintf(one->key, sizeof one->key, "%s", key);
        (void)snprintf(one->referral, sizeof one->referral, "%s", referral);
}

static door_status log_read(cli *c, table *t, door_error *error)
{
        cli_log *log = NULL;
        cli_log_record record;
        door_status status = cli_log_open(c, "intake", false, &log, error);

        while (status == DOOR_OK && (status = cli_log_next(log, &record, error)) == DOOR_OK) {
                if (record.header.type != DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED) {
                        continue;
                }
                door_arena_reset(&c->arena);
                ProtobufCAllocator allocator = door_proto_allocator(&c->arena);
                const Door__V1__ReferralReceived *received = door__v1__referral_received__unpack(
                        &allocator, record.payload.len, record.payload.data);
                door_id id;
                char text[DOOR_ID_TEXT_BYTES];
                DOOR_REQUIRE(received != NULL && received->idempotency_key != NULL &&
                             door_id_from_bytes(door_proto_bytes(received->referral), &id));
                door_id_print(DOOR_ID_REFERRAL, &id, text);
                table_add(t, received->idempotency_key, text);
        }
        (void)cli_log_close(log);
        return status == DOOR_NOT_FOUND ? DOOR_OK : status;
}

static int check(cli *c, const char *path)
{
        table t = { 0 };
        door_error error = { 0 };
        FILE *journal = fopen(path, "r");
        char line[LINE_BYTES * 3];
        uint64_t lost = 0;
        uint64_t doubled = 0;
        uint64_t receipts = 0;

        if (journal == NULL || log_read(c, &t, &error) != DOOR_OK) {
                return cli_fail("check", &error);
        }
        qsort(t.items, t.count, sizeof t.items[0], known_compare);
        for (size_t i = 1; i < t.count; i++) {
                doubled += strcmp(t.items[i - 1].key, t.items[i].key) == 0 ? 1 : 0;
        }
        while (fgets(line, sizeof line, journal) != NULL) {
                known wanted = { .times = 0 };
                char referral[64];
                if (sscanf(line, "received %95s %63s", wanted.key, referral) != 2) {
                        continue;
                }
                receipts++;
                const known *found =
                        t.count == 0 ? NULL
                                     : bsearch(&wanted, t.items, t.count, sizeof wanted, known_compare);
                lost += found == NULL || strcmp(found->referral, referral) != 0 ? 1 : 0;
        }
        (void)fclose(journal);
        free(t.items);
        (void)printf("check: %llu receipts, %zu in the log, %llu lost, %llu doubled\n",
                     (unsigned long long)receipts, t.count, (unsigned long long)lost,
                     (unsigned long long)doubled);
        return lost == 0 && doubled == 0 ? CLI_OK : CLI_FAILED;
}

int main(int argc, char **argv)
{
        sender s = { .journal = -1 };
        cli c = { .home = getenv("FRONTDOOR_HOME"), .argc = argc, .argv = argv };
        door_error error = { 0 };
        uint64_t seconds = 0;
        int code = CLI_USAGE;

        if (sodium_init() < 0 || c.home == NULL || posix_memalign(&c.memory, 64, CLI_ARENA_BYTES) != 0) {
                return CLI_USAGE;
        }
        door_arena_init(&c.arena, c.memory, CLI_ARENA_BYTES);
        cli_interruptible();
        if (argc == 4 && strcmp(argv[1], "send") == 0 && cli_number(argv[3], &seconds)) {
                s.c = &c;
                randombytes_buf(&s.run, sizeof s.run);
                s.journal = open(argv[2], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
                if (s.journal < 0 || cli_client(&c, "intake", false, &s.client, &error) != DOOR_OK) {
                        code = cli_fail("send", &error);
                } else {
                        code = send_all(&s, seconds);
                }
                (void)door_client_free(s.client);
        } else if (argc == 3 && strcmp(argv[1], "check") == 0) {
                code = check(&c, argv[2]);
        }
        if (c.own_loaded) {
                door_keypair_done(&c.own);
        }
        (void)door_peers_free(c.peers);
        free(c.memory);
        return code;
}
