/*
 * cli_export.c - frontdoor export people|families|decisions --out FILE.csv
 *
 * What was recognised, as the evaluators read it: people (mention R…#i → person), families
 * (referral → family), decisions in the order they were taken. Read from the logs by PULL: intake's
 * says what the sender calls each referral, deduplication's what became of it. Written beside
 * the file and renamed, so that a file that is there is whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/intake.pb-c.h"

/* What the sender calls a referral. */
typedef struct named {
        door_id referral;
        char *key;
} named;

typedef struct names {
        named *items; /* Sorted by referral once all are there. */
        size_t count;
        size_t max;
} names;

static int named_compare(const void *a, const void *b)
{
        return memcmp(((const named *)a)->referral.bytes, ((const named *)b)->referral.bytes, DOOR_ID_BYTES);
}

static bool names_add(names *n, const door_id *referral, const char *key)
{
        if (n->count == n->max) {
                const size_t max = n->max == 0 ? 1024 : n->max * 2;
                named *more = realloc(n->items, max * sizeof *more);
                if (more == NULL) {
                        return false;
                }
                n->items = more;
                n->max = max;
        }
        char *copy = strdup(key);
        if (copy == NULL) {
                return false;
        }
        n->items[n->count++] = (named){ *referral, copy };
        return true;
}

static void names_free(names *n)
{
        for (size_t i = 0; i < n->count; i++) {
                free(n->items[i].key);
        }
        free(n->items);
}

static const char *names_find(const names *n, const door_id *referral)
{
        const named wanted = { *referral, NULL };
        const named *found =
                n->count == 0 ? NULL : bsearch(&wanted, n->items, n->count, sizeof wanted, named_compare);
        return found == NULL ? NULL : found->key;
}

static door_status names_read(cli *c, names *n, door_error *error)
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
                if (received == NULL || !door_id_from_bytes(door_proto_bytes(received->referral), &id) ||
                    !names_add(n, &id, received->idempotency_key == NULL ? "" : received->idempotency_key)) {
                        status = door_error_set(error, DOOR_MALFORMED, "record %llu of intake cannot be read",
                                                (unsigned long long)record.header.seq);
                }
        }
        (void)cli_log_close(log);
        if (status == DOOR_NOT_FOUND && n->count > 0) {
                qsort(n->items, n->count, sizeof n->items[0], named_compare);
        }
        return status == DOOR_NOT_FOUND ? DOOR_OK : status;
}

/* A CSV field; quoted when it must be. */
static void field_print(FILE *out, const char *text)
{
        if (strpbrk(text, ",\"\r\n") == NULL) {
                (void)fputs(text, out);
                return;
        }
        (void)fputc('"', out);
        for (const char *at = text; *at != '\0'; at++) {
                if (*at == '"') {
                        (void)fputc('"', out);
                }
                (void)fputc(*at, out);
        }
        (void)fputc('"', out);
}

static void id_print(FILE *out, door_id_kind kind, ProtobufCBinaryData bytes)
{
        char text[DOOR_ID_TEXT_BYTES];
        door_id id;

        if (door_id_from_bytes(door_proto_bytes(bytes), &id)) {
                door_id_print(kind, &id, text);
                (void)fputs(text, out);
        }
}

typedef enum export_kind { EXPORT_PEOPLE, EXPORT_FAMILIES, EXPORT_DECISIONS } export_kind;

static void matched_print(FILE *out, export_kind kind, const char *key, const Door__V1__ReferralMatched *m)
{
        static const char *const decisions[] = { "", "new", "link", "review" };

        if (kind == EXPORT_PEOPLE) {
                for (size_t i = 0; i < m->n_person; i++) {
                        field_print(out, key);
                        (void)fprintf(out, "#%zu,", i);
                        id_print(out, DOOR_ID_PERSON, m->person[i]->person);
                        (void)fputc('\n', out);
                }
                return;
        }
        field_print(out, key);
        (void)fputc(',', out);
        if (kind == EXPORT_DECISIONS) {
                (void)fprintf(out, "%s,", decisions[(size_t)m->decision < 4 ? (size_t)m->decision : 0]);
        }
        id_print(out, DOOR_ID_FAMILY, m->family);
        if (kind == EXPORT_DECISIONS) {
                (void)fputc(',', out);
                for (size_t i = 0; i < m->n_candidate; i++) {
                        if (i > 0) {
                                (void)fputc(';', out);
                        }
                        id_print(out, DOOR_ID_FAMILY, m->candidate[i]->family);
                }
        }
        (void)fputc('\n', out);
}

static door_status matched_write(cli *c, const names *n, export_kind kind, FILE *out, size_t *ret_rows,
                                 door_error *error)
{
        cli_log *log = NULL;
        cli_log_record record;
        door_status status = cli_log_open(c, "deduplication", false, &log, error);

        while (status == DOOR_OK && (status = cli_log_next(log, &record, error)) == DOOR_OK) {
                if (record.header.type != DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MATCHED) {
                        continue;
                }
                door_arena_reset(&c->arena);
                ProtobufCAllocator allocator = door_proto_allocator(&c->arena);
                const Door__V1__ReferralMatched *matched = door__v1__referral_matched__unpack(
                        &allocator, record.payload.len, record.payload.data);
                door_id id;
                const char *key = NULL;
                if (matched != NULL && door_id_from_bytes(door_proto_bytes(matched->referral), &id)) {
                        key = names_find(n, &id);
                }
                if (key == NULL) {
                        status = door_error_set(error, DOOR_CORRUPT,
                                                "record %llu of deduplication names no referral of intake",
                                                (unsigned long long)record.header.seq);
                } else {
                        matched_print(out, kind, key, matched);
                        (*ret_rows)++;
                }
        }
        (void)cli_log_close(log);
        return status == DOOR_NOT_FOUND ? DOOR_OK : status;
}

static int export_write(cli *c, export_kind kind, const char *path)
{
        char beside[CLI_PATH_BYTES_MAX];
        names n = { 0 };
        door_error error = { 0 };
        size_t rows = 0;

        if (snprintf(beside, sizeof beside, "%s.new", path) >= (int)sizeof beside) {
                return cli_usage(c, "people|families|decisions --out FILE.csv");
        }
        FILE *out = fopen(beside, "w");
        if (out == NULL) {
                (void)fprintf(stderr, "frontdoor: export: %s: %s\n", beside, strerror(errno));
                return CLI_FAILED;
        }
        (void)fputs(kind == EXPORT_DECISIONS ? "record_id,decision,cluster_id,candidates\n"
                                             : "record_id,cluster_id\n",
                    out);
        door_status status = names_read(c, &n, &error);
        if (status == DOOR_OK) {
                status = matched_write(c, &n, kind, out, &rows, &error);
        }
        names_free(&n);
        if (fclose(out) != 0 && status == DOOR_OK) {
                status = door_error_set(&error, DOOR_IO, "%s", strerror(errno));
        }
        if (status != DOOR_OK || rename(beside, path) != 0) {
                (void)unlink(beside);
                return cli_fail("export", &error);
        }
        (void)fprintf(stderr, "%zu referrals written to %s\n", rows, path);
        return CLI_OK;
}

int cli_export(cli *c)
{
        static const char *const valued[] = { "--out", NULL };
        const char *what = cli_argument(c, 0, valued);
        const char *path = cli_option(c, "--out");

        if (what == NULL || path == NULL) {
                return cli_usage(c, "people|families|decisions --out FILE.csv");
        }
        cli_interruptible();
        if (strcmp(what, "people") == 0) {
                return export_write(c, EXPORT_PEOPLE, path);
        }
        if (strcmp(what, "families") == 0) {
                return export_write(c, EXPORT_FAMILIES, path);
        }
        if (strcmp(what, "decisions") == 0) {
                return export_write(c, EXPORT_DECISIONS, path);
        }
        return cli_usage(c, "people|families|decisions --out FILE.csv");
}
