/*
 * cli_parked.c - frontdoor parked SERVICE [--release]
 *
 * What a service has set aside, oldest first: PARKED records of its log without a RELEASED. Each
 * stands for something received that nothing has been decided about. --release asks for each to be
 * decided after all, in order; what still cannot be is said and stays where it is.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"

enum { PATIENCE_MS = 20000 };

/* A record set aside, and the line that tells of it. */
typedef struct parked_one {
        door_position record;
        char line[256];
} parked_one;

typedef struct parked_list {
        parked_one *items;
        size_t count;
        size_t max;
} parked_list;

static void list_remove(parked_list *list, const Door__V1__Position *record)
{
        for (size_t i = 0; i < list->count; i++) {
                if (list->items[i].record.log == record->log && list->items[i].record.seq == record->seq) {
                        list->count--;
                        memmove(&list->items[i], &list->items[i + 1],
                                (list->count - i) * sizeof list->items[0]);
                        return;
                }
        }
}

static void line_write(parked_one *one, const door_header *header, const char *reason)
{
        char at[DOOR_INSTANT_TEXT_BYTES];

        door_instant_print(header->at_ms, at);
        int len = snprintf(one->line, sizeof one->line, "%u/%llu %-6.32s parked %s about", one->record.log,
                           (unsigned long long)one->record.seq, reason, at);
        for (uint32_t i = 0; i < header->subjects_count && len > 0 && (size_t)len < sizeof one->line; i++) {
                char id[DOOR_ID_TEXT_BYTES];
                door_id_print((door_id_kind)header->subjects[i].kind, &header->subjects[i].id, id);
                len += snprintf(one->line + len, sizeof one->line - (size_t)len, " %s", id);
        }
}

static bool list_add(parked_list *list, const door_header *header, const Door__V1__Parked *parked)
{
        if (list->count == list->max) {
                const size_t max = list->max == 0 ? 64 : list->max * 2;
                parked_one *more = realloc(list->items, max * sizeof *more);
                if (more == NULL) {
                        return false;
                }
                list->items = more;
                list->max = max;
        }
        parked_one *one = &list->items[list->count++];
        one->record = (door_position){ parked->record->log, parked->record->seq };
        line_write(one, header, parked->reason);
        return true;
}

/* Reads the whole log of the service. */
static door_status list_read(cli *c, const char *service, parked_list *list, door_error *error)
{
        cli_log *log = NULL;
        cli_log_record record;
        door_status status = cli_log_open(c, service, false, &log, error);

        if (status != DOOR_OK) {
                return status;
        }
        while ((status = cli_log_next(log, &record, error)) == DOOR_OK) {
                const door_bytes payload = record.payload;
                door_arena_reset(&c->arena);
                ProtobufCAllocator allocator = door_proto_allocator(&c->arena);
                if (record.header.type == DOOR__V1__SHELL_TYPE__SHELL_PARKED) {
                        const Door__V1__Parked *parked =
                                door__v1__parked__unpack(&allocator, payload.len, payload.data);
                        if (parked != NULL && !list_add(list, &record.header, parked)) {
                                status = door_error_set(error, DOOR_NO_MEMORY, "out of memory");
                                break;
                        }
                } else if (record.header.type == DOOR__V1__SHELL_TYPE__SHELL_RELEASED) {
                        const Door__V1__Released *released =
                                door__v1__released__unpack(&allocator, payload.len, payload.data);
                        if (released != NULL) {
                                list_remove(list, released->record);
                        }
                }
        }
        (void)cli_log_close(log);
        return status == DOOR_NOT_FOUND ? DOOR_OK : status;
}

/* Asks for one; *ret_why is NULL when it was decided, else the service's own sentence. */
static door_status release(cli *c, door_client *client, door_position record, const char **ret_why,
                           door_error *error)
{
        Door__V1__Release out = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        uint8_t id[DOOR_HASH_BYTES];
        cli_answer answer;

        door_arena_reset(&c->arena);
        /* Refused today it may be decided tomorrow, by a program that has been mended: no two are one. */
        randombytes_buf(id, sizeof id);
        position.log = record.log;
        position.seq = record.seq;
        out.record = &position;
        command.command_id = (ProtobufCBinaryData){ sizeof id, id };
        command.actor = (char *)(uintptr_t) "operator";
        command.type = DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE;
        command.body = door_proto_data(door_frame_pack(&out.base, &c->arena));
        const door_status status = cli_ask(c, client, &command, PATIENCE_MS, &answer, error);
        if (status == DOOR_OK) {
                *ret_why = answer.outcome == DOOR__V1__OUTCOME__DONE ? NULL
                           : answer.detail == NULL                   ? "refused"
                                                                     : answer.detail;
        }
        return status;
}

static int release_all(cli *c, const char *service, const parked_list *list)
{
        door_client *client = NULL;
        door_error error = { 0 };
        size_t left = 0;

        if (cli_client(c, service, false, &client, &error) != DOOR_OK) {
                return cli_fail("parked", &error);
        }
        for (size_t i = 0; i < list->count && !cli_interrupted(); i++) {
                const char *why = NULL;
                if (release(c, client, list->items[i].record, &why, &error) != DOOR_OK) {
                        (void)door_client_free(client);
                        return cli_fail("parked", &error);
                }
                left += why == NULL ? 0 : 1;
                (void)printf("%s: %s\n", list->items[i].line, why == NULL ? "released" : why);
        }
        (void)door_client_free(client);
        return left == 0 && !cli_interrupted() ? CLI_OK : CLI_FAILED;
}

int cli_parked(cli *c)
{
        const char *name = cli_argument(c, 0, NULL);
        parked_list list = { NULL, 0, 0 };
        door_error error = { 0 };
        int code = CLI_OK;

        if (name == NULL || cli_service_named(name) == NULL) {
                return cli_usage(c, "SERVICE [--release]");
        }
        cli_interruptible();
        if (list_read(c, name, &list, &error) != DOOR_OK) {
                free(list.items);
                return cli_fail("parked", &error);
        }
        if (list.count == 0) {
                (void)printf("nothing is parked at %s\n", name);
        } else if (cli_flag(c, "--release")) {
                code = release_all(c, name, &list);
        } else {
                for (size_t i = 0; i < list.count; i++) {
                        (void)printf("%s\n", list.items[i].line);
                }
        }
        free(list.items);
        return code;
}
