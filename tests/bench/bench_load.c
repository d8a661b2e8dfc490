/*
 * bench_load.c - load for the benchmark, and the clock that measures it.
 *
 *   bench_load flood COUNT FILE       submit COUNT referrals as fast as receipts come, a window under
 *                                     way; print seconds to the last receipt
 *   bench_load steady RATE SECONDS FILE   submit at RATE a second, on time whatever comes back; write
 *                                     "sent ID nanoseconds" and "receipt ID nanoseconds" lines to FILE
 *   bench_load follow COUNT FILE      read deduplication's log until COUNT referrals have come by; write
 *                                     "matched ID nanoseconds" lines
 *
 * All times are CLOCK_MONOTONIC, one clock for all processes of the machine.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "cli/cli.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_core.h"

enum { WINDOW = 512, RESEND_MS = 4000, PEOPLE = 4, KEY_BYTES = 64 };

typedef struct under_way {
        bool used;
        door_hash id;
        uint64_t sent_ns;
        uint64_t number;
        uint64_t send_at_ms;
} under_way;

typedef struct load {
        cli *c;
        FILE *out;
        door_client *client;
        under_way window[WINDOW];
        size_t open;
        uint64_t run;
        uint64_t next;
        uint64_t received;
} load;

static uint64_t now_ns(void)
{
        struct timespec t;
        (void)clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void word_print(uint64_t draw, char out[16])
{
        static const char consonants[] = "bdfgklmnprst";
        static const char vowels[] = "aeiou";
        for (size_t i = 0; i < 8; i++) {
                out[i] = i % 2 == 0 ? consonants[draw % 12] : vowels[draw % 5];
                draw /= 11;
        }
        out[8] = '\0';
}

/* A family of four people, named again three times later; about 1.1 KB packed. */
static door_bytes frame_make(load *l, uint64_t number, door_hash *ret_id)
{
        Door__V1__Submit submit = DOOR__V1__SUBMIT__INIT;
        Door__V1__Referral referral = DOOR__V1__REFERRAL__INIT;
        Door__V1__Person people[PEOPLE];
        Door__V1__Person *pointers[PEOPLE];
        Door__V1__Day days[PEOPLE];
        Door__V1__Address addresses[PEOPLE];
        Door__V1__Address *address_pointers[PEOPLE][1];
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        char names[PEOPLE][16];
        char dates[PEOPLE][16];
        char surname[16];
        char key[KEY_BYTES];
        char narrative[400];
        char house[32];
        char postcode[16];
        const uint64_t family = (l->run + number % 5000) * UINT64_C(0x9E3779B97F4A7C15);

        memset(narrative, 'w', sizeof narrative - 1);
        narrative[sizeof narrative - 1] = '\0';
        (void)snprintf(key, sizeof key, "bench-%016llx-%llu", (unsigned long long)l->run,
                       (unsigned long long)number);
        word_print(family, surname);
        (void)snprintf(house, sizeof house, "%d Elm Road, Whaddon", (int)(1 + (family >> 12) % 90));
        (void)snprintf(postcode, sizeof postcode, "GL%d %d%c%c", (int)(1 + (family >> 20) % 20),
                       (int)((family >> 25) % 10), "ABDEFGHJLN"[(family >> 29) % 10],
                       "PQRSTUWXYZ"[(family >> 33) % 10]);
        for (size_t i = 0; i < PEOPLE; i++) {
                door__v1__person__init(&people[i]);
                door__v1__day__init(&days[i]);
                door__v1__address__init(&addresses[i]);
                word_print(family >> (9 * i + 7), names[i]);
                (void)snprintf(dates[i], sizeof dates[i], "%d-%02d-%02d",
                               (int)((i < 2 ? 2008 : 1978) + (family >> i) % 11),
                               (int)(1 + (family >> (8 + i)) % 12), (int)(1 + (family >> (16 + i)) % 28));
                people[i].has_role = 1;
                people[i].role = i == 0   ? DOOR__V1__ROLE__ROLE_INDEX_CHILD
                                 : i == 1 ? DOOR__V1__ROLE__ROLE_SIBLING
                                 : i == 2 ? DOOR__V1__ROLE__ROLE_MOTHER
                                          : DOOR__V1__ROLE__ROLE_FATHER;
                people[i].given_name = names[i];
                people[i].surname = surname;
                days[i].text = dates[i];
                people[i].dob = &days[i];
                addresses[i].text = house;
                addresses[i].postcode = postcode;
                address_pointers[i][0] = &addresses[i];
                people[i].n_address = number % 3 == 0 ? 1 : 0;
                people[i].address = address_pointers[i];
                pointers[i] = &people[i];
        }
        referral.agency = (char *)(uintptr_t) "police";
        referral.narrative = narrative;
        referral.n_people = PEOPLE;
        referral.people = pointers;
        submit.referral = &referral;
        submit.idempotency_key = key;
        *ret_id = intake_command_id(door_bytes_of("police"), door_bytes_of(key));
        door_arena_reset(&l->c->arena);
        const door_bytes body = door_frame_pack(&submit.base, &l->c->arena);
        command.command_id = door_proto_data(door_hash_bytes(ret_id));
        command.actor = (char *)(uintptr_t) "police";
        command.type = DOOR__V1__INTAKE_COMMAND__INTAKE_SUBMIT;
        command.body = door_proto_data(body);
        return cli_command_frame(&command, &l->c->arena);
}

static under_way *slot_free(load *l)
{
        for (size_t i = 0; i < WINDOW && l->open < WINDOW; i++) {
                if (!l->window[i].used) {
                        return &l->window[i];
                }
        }
        return NULL;
}

static bool one_send(load *l)
{
        under_way *slot = slot_free(l);

        if (slot == NULL) {
                return false;
        }
        const door_bytes frame = frame_make(l, l->next, &slot->id);
        slot->number = l->next++;
        slot->sent_ns = now_ns();
        slot->used = door_client_send(l->client, frame, 1000) == DOOR_OK;
        slot->send_at_ms = cli_mono_ms() + RESEND_MS;
        l->open += slot->used ? 1 : 0;
        return slot->used;
}

/* The id of the receipt, or of the copy: field 1 of a Receipt, or the bytes themselves. */
static bool receipt_id(load *l, const Door__V1__Result *result, door_id *ret_id)
{
        if (door_id_from_bytes(door_proto_bytes(result->body), ret_id)) {
                return true;
        }
        ProtobufCAllocator allocator = door_proto_allocator(&l->c->arena);
        const Door__V1__Receipt *receipt =
                door__v1__receipt__unpack(&allocator, result->body.len, result->body.data);
        return receipt != NULL && door_id_from_bytes(door_proto_bytes(receipt->referral), ret_id);
}

static void answer_take(load *l, door_bytes frame)
{
        const Door__V1__Result *result = NULL;
        char text[DOOR_ID_TEXT_BYTES];
        door_id id;

        door_arena_reset(&l->c->arena);
        if (cli_result_read(frame, &l->c->arena, &result) != DOOR_OK ||
            result->command_id.len != DOOR_HASH_BYTES) {
                return;
        }
        for (size_t i = 0; i < WINDOW; i++) {
                under_way *slot = &l->window[i];
                if (!slot->used || memcmp(slot->id.bytes, result->command_id.data, DOOR_HASH_BYTES) != 0) {
                        continue;
                }
                if (result->outcome != DOOR__V1__OUTCOME__DONE || !receipt_id(l, result, &id)) {
                        slot->send_at_ms = cli_mono_ms() + 50;
                        return;
                }
                if (l->out != NULL) {
                        door_id_print(DOOR_ID_REFERRAL, &id, text);
                        (void)fprintf(l->out, "sent %s %llu\nreceipt %s %llu\n", text,
                                      (unsigned long long)slot->sent_ns, text, (unsigned long long)now_ns());
                }
                slot->used = false;
                l->open--;
                l->received++;
                return;
        }
}

static void answers_take(load *l, uint32_t wait_ms)
{
        door_bytes frame;

        for (uint32_t wait = wait_ms; door_client_receive(l->client, wait, &frame) == DOOR_OK; wait = 0) {
                answer_take(l, frame);
        }
        for (size_t i = 0; i < WINDOW; i++) {
                under_way *slot = &l->window[i];
                if (slot->used && slot->send_at_ms <= cli_mono_ms()) {
                        (void)door_client_send(l->client, frame_make(l, slot->number, &slot->id), 1000);
                        slot->send_at_ms = cli_mono_ms() + RESEND_MS;
                }
        }
}

static int flood(load *l, uint64_t count)
{
        const uint64_t begin_ns = now_ns();

        while (l->received < count && !cli_interrupted()) {
                while (l->next < count && one_send(l)) {
                }
                answers_take(l, 20);
        }
        (void)printf("%.6f\n", (double)(now_ns() - begin_ns) / 1e9);
        return CLI_OK;
}

static int steady(load *l, uint64_t rate, uint64_t seconds)
{
        const uint64_t begin_ns = now_ns();
        const uint64_t every_ns = UINT64_C(1000000000) / rate;

        while (l->received < rate * seconds && !cli_interrupted()) {
                while (l->next < rate * seconds && now_ns() >= begin_ns + l->next * every_ns && one_send(l)) {
                }
                answers_take(l, 1);
        }
        return CLI_OK;
}

static int follow(cli *c, uint64_t count, FILE *out)
{
        cli_log *log = NULL;
        cli_log_record record;
        door_error error = { 0 };
        uint64_t seen = 0;

        if (cli_log_open(c, "deduplication", true, &log, &error) != DOOR_OK) {
                return cli_fail("follow", &error);
        }
        while (seen < count && cli_log_next(log, &record, &error) == DOOR_OK) {
                if (record.header.type == 16 && record.header.subjects_count > 0) {
                        char text[DOOR_ID_TEXT_BYTES];
                        door_id_print(DOOR_ID_REFERRAL, &record.header.subjects[0].id, text);
                        (void)fprintf(out, "matched %s %llu\n", text, (unsigned long long)now_ns());
                        seen++;
                }
        }
        (void)cli_log_close(log);
        return seen == count ? CLI_OK : CLI_FAILED;
}

int main(int argc, char **argv)
{
        load *l = calloc(1, sizeof *l);
        cli c = { .home = getenv("FRONTDOOR_HOME"), .argc = argc, .argv = argv };
        door_error error = { 0 };
        uint64_t a = 0;
        uint64_t b = 0;
        int code = CLI_USAGE;

        if (sodium_init() < 0 || l == NULL || c.home == NULL || argc < 4 ||
            posix_memalign(&c.memory, 64, CLI_ARENA_BYTES) != 0 || !cli_number(argv[2], &a)) {
                return CLI_USAGE;
        }
        door_arena_init(&c.arena, c.memory, CLI_ARENA_BYTES);
        cli_interruptible();
        l->c = &c;
        randombytes_buf(&l->run, sizeof l->run);
        const char *path = argv[argc - 1];
        FILE *out = strcmp(path, "-") == 0 ? NULL : fopen(path, "w");
        if (strcmp(argv[1], "follow") == 0 && out != NULL) {
                code = follow(&c, a, out);
        } else if (cli_client(&c, "intake", false, &l->client, &error) != DOOR_OK) {
                code = cli_fail("load", &error);
        } else if (strcmp(argv[1], "flood") == 0) {
                l->out = out;
                code = flood(l, a);
        } else if (strcmp(argv[1], "steady") == 0 && argc == 5 && cli_number(argv[3], &b)) {
                l->out = out;
                code = steady(l, a, b);
        }
        if (out != NULL) {
                (void)fclose(out);
        }
        (void)door_client_free(l->client);
        if (c.own_loaded) {
                door_keypair_done(&c.own);
        }
        (void)door_peers_free(c.peers);
        free(c.memory);
        free(l);
        return code;
}
