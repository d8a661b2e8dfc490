/*
 * cli_import.c - frontdoor import FILE.ndjson [--live]
 *
 *      line ──► referral_json ──► SUBMIT, up to a window of them under way ──► receipt
 *
 * Never loses a line: a line counts as received when its receipt is here. Never doubles one: the
 * key is the line's referral_id (or its digest), so asking again, now or in a later run, gets
 * the first receipt. Resuming is running it again. Ctrl-C stops asking, waits for what is
 * under way and prints the summary.
 *
 * Without --live the lines are history: received when the file says, sent in the bulk lane,
 * which waits while matching is behind. With --live they are arriving now.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/referral_json.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_core.h"

enum {
        WINDOW = 256,
        WINDOW_BYTES_MAX = 8 * DOOR_MIB,
        RESEND_MS = 3000,
        SILENCE_MS = 60000, /* Nothing at all for this long: give up and say so. */
        ERRORS_SHOWN = 20,
};

/* A line under way. */
typedef struct pending {
        bool used;
        size_t line;
        door_hash id;
        uint8_t *frame;
        size_t frame_len;
        uint64_t send_at_ms;
} pending;

typedef struct import {
        cli *c;
        FILE *file;
        bool live;
        bool ended; /* No more lines. */
        door_client *client;
        pending window[WINDOW];
        size_t under_way;
        size_t under_way_bytes;
        uint8_t *line; /* REFERRAL_JSON_LINE_BYTES_MAX and one. */
        size_t lines;
        size_t received, repeated, warned, refused, unreadable, unsent;
        size_t errors_shown;
        bool line_open; /* The progress stands in the last line; what is told goes below it. */
        uint64_t heard_ms;
        uint64_t told_ms;
        uint64_t started_ms;
} import;

static void tell(import *in, size_t line, const char *what, const char *why)
{
        if (in->line_open && in->errors_shown <= ERRORS_SHOWN) {
                (void)fprintf(stderr, "\n");
                in->line_open = false;
        }
        if (in->errors_shown < ERRORS_SHOWN) {
                (void)fprintf(stderr, "line %zu: %s: %s\n", line, what, why);
        } else if (in->errors_shown == ERRORS_SHOWN) {
                (void)fprintf(stderr, "… more lines like these are only counted\n");
        }
        in->errors_shown++;
}

static Door__V1__Lane lane_of(const import *in, const Door__V1__Referral *referral)
{
        if (!in->live) {
                return DOOR__V1__LANE__BULK;
        }
        return referral->has_grade && referral->grade == DOOR__V1__GRADE__GRADE_RED ? DOOR__V1__LANE__URGENT
                                                                                    : DOOR__V1__LANE__NORMAL;
}

/* One line's command, packed into the arena. */
static door_bytes line_pack(import *in, const referral_json *line, door_hash *ret_id)
{
        Door__V1__Submit submit = DOOR__V1__SUBMIT__INIT;
        Door__V1__Origin origin = DOOR__V1__ORIGIN__INIT;
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;

        origin.has_channel = 1;
        origin.channel = DOOR__V1__CHANNEL__CHANNEL_FILE;
        origin.software = (char *)(uintptr_t) "frontdoor import";
        if (!in->live && line->has_received_at) {
                origin.has_historic_received_at_ms = 1;
                origin.historic_received_at_ms = line->received_at_ms;
        }
        if (in->live) {
                line->referral->has_sent_at_ms = 0; /* Arriving now: intake's clock says when. */
        }
        submit.referral = line->referral;
        submit.idempotency_key = line->key;
        submit.origin = &origin;
        const door_bytes body = door_frame_pack(&submit.base, &in->c->arena);
        *ret_id = intake_command_id(door_bytes_of(line->referral->agency), door_bytes_of(line->key));
        command.command_id = door_proto_data(door_hash_bytes(ret_id));
        command.actor = line->referral->agency;
        command.has_lane = 1;
        command.lane = lane_of(in, line->referral);
        command.type = DOOR__V1__INTAKE_COMMAND__INTAKE_SUBMIT;
        command.body = door_proto_data(body);
        return body.len == 0 ? DOOR_BYTES_EMPTY : cli_command_frame(&command, &in->c->arena);
}

static pending *slot_free(import *in)
{
        for (size_t i = 0; i < WINDOW; i++) {
                if (!in->window[i].used) {
                        return &in->window[i];
                }
        }
        return NULL;
}

/*
 * The next line into in->line. Longer than the bound: *ret_too_long, and the rest of it is read
 * over, so that one monstrous line costs itself and nothing else. False at the end of the file.
 */
static bool line_read(import *in, size_t *ret_len, bool *ret_too_long)
{
        size_t len = 0;
        int c = 0;

        *ret_too_long = false;
        while ((c = getc_unlocked(in->file)) != EOF && c != '\n') {
                if (len == REFERRAL_JSON_LINE_BYTES_MAX) {
                        *ret_too_long = true;
                } else {
                        in->line[len++] = (uint8_t)c;
                }
        }
        *ret_len = len;
        return c != EOF || len > 0;
}

/* Reads one line and puts it under way; false at the end of the file. */
static bool line_take(import *in)
{
        door_error error = { 0 };
        referral_json line;
        door_hash id;
        size_t len = 0;
        bool too_long = false;

        if (!line_read(in, &len, &too_long)) {
                in->ended = true;
                return false;
        }
        in->lines++;
        door_arena_reset(&in->c->arena);
        if (too_long) {
                in->unreadable++;
                tell(in, in->lines, "not sent", "longer than 1 MiB");
                return true;
        }
        if (len == 0) {
                return true;
        }
        if (referral_json_read((door_bytes){ in->line, len }, in->lines, &in->c->arena, &line, &error) !=
            DOOR_OK) {
                in->unreadable++;
                /* The reader's sentence begins with the line's number; ours does too. */
                const char *sentence = strchr(error.text, ':');
                tell(in, in->lines, "not sent", sentence == NULL ? error.text : sentence + 2);
                return true;
        }
        const door_bytes frame = line_pack(in, &line, &id);
        if (frame.len == 0 || frame.len > DOOR_FRAME_BYTES_MAX) {
                in->unreadable++;
                tell(in, in->lines, "not sent", "too large");
                return true;
        }
        pending *slot = slot_free(in);
        DOOR_REQUIRE(slot != NULL);
        slot->frame = malloc(frame.len);
        if (slot->frame == NULL) {
                in->unsent++;
                return true;
        }
        memcpy(slot->frame, frame.data, frame.len);
        slot->frame_len = frame.len;
        slot->used = true;
        slot->line = in->lines;
        slot->id = id;
        slot->send_at_ms = 0;
        in->under_way++;
        in->under_way_bytes += frame.len;
        return true;
}

static void slot_done(import *in, pending *slot)
{
        in->under_way--;
        in->under_way_bytes -= slot->frame_len;
        free(slot->frame);
        *slot = (pending){ .used = false };
}

static void receipt_count(import *in, const Door__V1__Result *result)
{
        ProtobufCAllocator allocator = door_proto_allocator(&in->c->arena);
        const Door__V1__Receipt *receipt =
                result->has_body ? door__v1__receipt__unpack(&allocator, result->body.len, result->body.data)
                                 : NULL;

        in->received++;
        in->repeated += receipt != NULL && receipt->has_repeated && receipt->repeated ? 1 : 0;
        in->repeated += result->has_repeated && result->repeated ? 1 : 0;
        in->warned += receipt != NULL && receipt->n_warning > 0 ? 1 : 0;
}

static void answer_take(import *in, door_bytes frame)
{
        const Door__V1__Result *result = NULL;

        door_arena_reset(&in->c->arena);
        if (cli_result_read(frame, &in->c->arena, &result) != DOOR_OK ||
            result->command_id.len != DOOR_HASH_BYTES) {
                return;
        }
        in->heard_ms = cli_mono_ms();
        /* Two lines may share a key: the answer is for both. */
        for (size_t i = 0; i < WINDOW; i++) {
                pending *slot = &in->window[i];
                if (!slot->used || memcmp(slot->id.bytes, result->command_id.data, DOOR_HASH_BYTES) != 0) {
                        continue;
                }
                if (result->outcome == DOOR__V1__OUTCOME__RETRY) {
                        slot->send_at_ms =
                                cli_mono_ms() + (result->has_retry_after_ms ? result->retry_after_ms : 500);
                        return;
                }
                if (result->outcome == DOOR__V1__OUTCOME__DONE) {
                        receipt_count(in, result);
                } else {
                        in->refused++;
                        tell(in, slot->line, result->field == NULL ? "refused" : result->field,
                             result->detail == NULL ? "no reason given" : result->detail);
                }
                slot_done(in, slot);
                return; /* One answer, one line; another line with this key has its own on the way. */
        }
}

static void due_send(import *in)
{
        const uint64_t now_ms = cli_mono_ms();

        for (size_t i = 0; i < WINDOW; i++) {
                pending *slot = &in->window[i];
                if (slot->used && slot->send_at_ms <= now_ms) {
                        const door_bytes frame = { slot->frame, slot->frame_len };
                        if (door_client_send(in->client, frame, 200) != DOOR_OK) {
                                (void)door_client_reopen(in->client);
                                return;
                        }
                        slot->send_at_ms = now_ms + RESEND_MS;
                }
        }
}

static void progress(import *in, bool last)
{
        const uint64_t now_ms = cli_mono_ms();

        if (isatty(STDERR_FILENO) && (last || now_ms - in->told_ms >= 1000)) {
                in->told_ms = now_ms;
                (void)fprintf(stderr, "\r%zu lines, %zu received%s", in->lines, in->received,
                              last ? "\n" : "");
                (void)fflush(stderr);
                in->line_open = !last;
        }
}

static bool has_room(const import *in)
{
        return in->under_way < WINDOW && in->under_way_bytes < WINDOW_BYTES_MAX;
}

static void import_work(import *in)
{
        uint64_t reopened_ms = cli_mono_ms();

        in->heard_ms = cli_mono_ms();
        while (!in->ended || in->under_way > 0) {
                door_bytes frame;
                while (!in->ended && !cli_interrupted() && has_room(in) && line_take(in)) {
                }
                in->ended = in->ended || cli_interrupted();
                due_send(in);
                door_status heard = DOOR_OK;
                for (int wait_ms = 50; heard == DOOR_OK && in->under_way > 0; wait_ms = 0) {
                        heard = door_client_receive(in->client, (uint32_t)wait_ms, &frame);
                        if (heard == DOOR_OK) {
                                answer_take(in, frame);
                        }
                }
                const uint64_t now_ms = cli_mono_ms();
                if (now_ms - in->heard_ms > RESEND_MS && now_ms - reopened_ms > RESEND_MS &&
                    in->under_way > 0) {
                        reopened_ms = now_ms; /* Silence: a fresh connection, everything asked again. */
                        (void)door_client_reopen(in->client);
                        for (size_t i = 0; i < WINDOW; i++) {
                                in->window[i].send_at_ms = 0;
                        }
                }
                if (now_ms - in->heard_ms > (cli_interrupted() ? 10000 : SILENCE_MS) && in->under_way > 0) {
                        return;
                }
                progress(in, false);
        }
}

static int summary(import *in)
{
        const double seconds = (double)(cli_mono_ms() - in->started_ms) / 1000.0;
        const size_t open = in->under_way + in->unsent;

        progress(in, true);
        (void)printf("%zu lines read in %.1f s: %zu received (%zu of them before, %zu with warnings), "
                     "%zu refused, %zu not readable, %zu without receipt\n",
                     in->lines, seconds, in->received, in->repeated, in->warned, in->refused, in->unreadable,
                     open);
        if (open > 0 || cli_interrupted()) {
                (void)printf(
                        "NOT SENT: what has no receipt. Run the same command again: lines already received "
                        "get their first receipt.\n");
        }
        return in->refused + in->unreadable + open > 0 || cli_interrupted() ? CLI_FAILED : CLI_OK;
}

int cli_import(cli *c)
{
        static const char *const valued[] = { NULL };
        const char *name = cli_argument(c, 0, valued);
        import *in = calloc(1, sizeof *in);
        door_error error = { 0 };

        if (name == NULL || in == NULL) {
                free(in);
                return cli_usage(c, "FILE.ndjson [--live]");
        }
        in->c = c;
        in->line = malloc(REFERRAL_JSON_LINE_BYTES_MAX);
        in->live = cli_flag(c, "--live");
        in->started_ms = cli_mono_ms();
        in->file = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");
        int code = CLI_FAILED;
        if (in->line == NULL) {
                (void)fprintf(stderr, "frontdoor: import: out of memory\n");
        } else if (in->file == NULL) {
                (void)fprintf(stderr, "frontdoor: import: %s: %s\n", name, strerror(errno));
        } else if (cli_client(c, "intake", false, &in->client, &error) != DOOR_OK) {
                code = cli_fail("import", &error);
        } else {
                cli_interruptible();
                import_work(in);
                code = summary(in);
        }
        for (size_t i = 0; i < WINDOW; i++) {
                free(in->window[i].frame);
        }
        (void)door_client_free(in->client);
        if (in->file != NULL && in->file != stdin) {
                (void)fclose(in->file);
        }
        free(in->line);
        free(in);
        return code;
}
