#include "cli/cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ASK_TIMEOUT_MS = 2500, RETRY_MS_MAX = 2000, STATUS_TIMEOUT_MS = 1500, STATUS_TRIES = 2 };

int cli_usage(const cli *c, const char *usage)
{
        (void)fprintf(stderr, "usage: frontdoor %s %s\n", c->argv[0], usage);
        return CLI_USAGE;
}

int cli_fail(const char *what, const door_error *error)
{
        (void)fprintf(stderr, "frontdoor: %s: %s\n", what, error->text);
        return CLI_FAILED;
}

void cli_path(const cli *c, const char *a, const char *b, char out[CLI_PATH_BYTES_MAX])
{
        const int len = snprintf(out, CLI_PATH_BYTES_MAX, "%s/%s%s%s", c->home, a, b == NULL ? "" : "/",
                                 b == NULL ? "" : b);
        DOOR_REQUIRE(len > 0 && len < CLI_PATH_BYTES_MAX);
}

const char *cli_option(const cli *c, const char *flag)
{
        for (int i = 1; i + 1 < c->argc; i++) {
                if (strcmp(c->argv[i], flag) == 0) {
                        return c->argv[i + 1];
                }
        }
        return NULL;
}

bool cli_flag(const cli *c, const char *flag)
{
        for (int i = 1; i < c->argc; i++) {
                if (strcmp(c->argv[i], flag) == 0) {
                        return true;
                }
        }
        return false;
}

const char *cli_argument(const cli *c, size_t index, const char *const *valued_flags)
{
        for (int i = 1; i < c->argc; i++) {
                if (strncmp(c->argv[i], "--", 2) == 0) {
                        for (size_t f = 0; valued_flags != NULL && valued_flags[f] != NULL; f++) {
                                i += strcmp(c->argv[i], valued_flags[f]) == 0 ? 1 : 0;
                        }
                } else if (index-- == 0) {
                        return c->argv[i];
                }
        }
        return NULL;
}

bool cli_number(const char *text, uint64_t *ret_number)
{
        char *end = NULL;

        errno = 0;
        const unsigned long long number = strtoull(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0' || text[0] == '-') {
                return false;
        }
        *ret_number = number;
        return true;
}

door_status cli_connect(cli *c, door_error *reterr_error)
{
        char path[CLI_PATH_BYTES_MAX];

        if (c->peers != NULL) {
                return DOOR_OK;
        }
        door_status status = door_keypair_load(c->home, "command", &c->own, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        c->own_loaded = true;
        cli_path(c, "peers.yaml", NULL, path);
        status = door_peers_load(path, &c->peers, reterr_error);
        return status;
}

door_status cli_client(cli *c, const char *service, bool pull, door_client **ret_client,
                       door_error *reterr_error)
{
        const door_status status = cli_connect(c, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        const door_peer_place *place = door_peers_place(c->peers, service);
        if (place == NULL || place->keys_count == 0) {
                return door_error_set(reterr_error, DOOR_NOT_FOUND, "peers.yaml names no service %.40s",
                                      service);
        }
        return door_client_open(pull ? place->pull : place->command, &place->keys[0], &c->own, ret_client,
                                reterr_error);
}

/* ---- commands ---- */

door_status cli_status_ask(cli *c, const char *service, const Door__V1__Status **ret_status,
                           door_error *reterr_error)
{
        Door__V1__StatusAsked asked = DOOR__V1__STATUS_ASKED__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        const Door__V1__Frame *in = NULL;
        door_client *client = NULL;
        door_bytes answer;

        frame.status_asked = &asked;
        const door_bytes bytes = door_frame_pack(&frame.base, &c->arena);
        const door_status status = cli_client(c, service, false, &client, reterr_error);
        if (status != DOOR_OK) {
                return status;
        }
        if (door_client_ask(client, bytes, STATUS_TIMEOUT_MS, STATUS_TRIES, &answer) == DOOR_OK) {
                in = door_frame_unpack(answer, &c->arena);
        }
        (void)door_client_free(client);
        if (in == NULL || in->status == NULL) {
                return door_error_set(reterr_error, DOOR_TIMED_OUT, "no answer: is it running?");
        }
        *ret_status = in->status;
        return DOOR_OK;
}

door_bytes cli_command_frame(const Door__V1__Command *command, door_arena *arena)
{
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        /* protobuf-c's field is not const, but packing only reads. */
        frame.command = (Door__V1__Command *)(uintptr_t)command;
        return door_frame_pack(&frame.base, arena);
}

door_status cli_result_read(door_bytes frame, door_arena *arena, const Door__V1__Result **ret_result)
{
        const Door__V1__Frame *in = door_frame_unpack(frame, arena);
        if (in == NULL || in->result == NULL) {
                return DOOR_MALFORMED;
        }
        *ret_result = in->result;
        return DOOR_OK;
}

static void answer_from(const Door__V1__Result *result, cli_answer *ret_answer)
{
        *ret_answer = (cli_answer){
                .outcome = result->outcome,
                .reason = result->has_reason ? result->reason : 0,
                .body = result->has_body ? door_proto_bytes(result->body) : DOOR_BYTES_EMPTY,
                .field = result->field,
                .detail = result->detail,
                .retry_after_ms = result->has_retry_after_ms ? result->retry_after_ms : 0,
                .seen = result->seen,
                .seen_count = result->n_seen,
        };
}

door_status cli_ask(cli *c, door_client *client, const Door__V1__Command *command, uint64_t patience_ms,
                    cli_answer *ret_answer, door_error *reterr_error)
{
        const uint64_t until_ms = cli_mono_ms() + patience_ms;
        const door_bytes frame = cli_command_frame(command, &c->arena);
        door_status last = DOOR_TIMED_OUT;

        if (frame.len == 0) {
                return door_error_set(reterr_error, DOOR_TOO_LARGE, "the command does not fit");
        }
        do {
                const Door__V1__Result *result = NULL;
                door_bytes answer;
                const door_status asked = door_client_ask(client, frame, ASK_TIMEOUT_MS, 1, &answer);
                if (asked == DOOR_OK && cli_result_read(answer, &c->arena, &result) == DOOR_OK) {
                        answer_from(result, ret_answer);
                        if (result->outcome != DOOR__V1__OUTCOME__RETRY) {
                                return DOOR_OK;
                        }
                        last = DOOR_BUSY;
                        cli_sleep_ms(ret_answer->retry_after_ms < RETRY_MS_MAX ? ret_answer->retry_after_ms
                                                                               : RETRY_MS_MAX);
                }
        } while (cli_mono_ms() < until_ms && !cli_interrupted());
        return door_error_set(reterr_error, last, "%s",
                              last == DOOR_BUSY ? "the service is not ready; try again"
                                                : "no answer: is it running?");
}

/* ---- logs ---- */

struct cli_log {
        cli *c;
        door_client *client;
        bool follow;
        bool started;
        uint8_t log_id[16];
        uint64_t head;
        uint64_t received;
        door_hash hash;
        void *memory;
        door_arena arena; /* Holds one frame. */
        const Door__V1__Batch *batch;
        size_t next;
};

door_status cli_log_open(cli *c, const char *service, bool follow, cli_log **ret_log,
                         door_error *reterr_error)
{
        cli_log *log = calloc(1, sizeof *log);

        if (log == NULL || posix_memalign(&log->memory, 64, DOOR_FRAME_ARENA_BYTES) != 0) {
                free(log);
                return door_error_set(reterr_error, DOOR_NO_MEMORY, "out of memory");
        }
        log->c = c;
        log->follow = follow;
        door_arena_init(&log->arena, log->memory, DOOR_FRAME_ARENA_BYTES);
        const door_status status = cli_client(c, service, true, &log->client, reterr_error);
        if (status != DOOR_OK) {
                (void)cli_log_close(log);
                return status;
        }
        *ret_log = log;
        return DOOR_OK;
}

cli_log *cli_log_close(cli_log *log)
{
        if (log != NULL) {
                (void)door_client_free(log->client);
                free(log->memory);
                free(log);
        }
        return NULL;
}

static door_bytes pull_frame(const cli_log *log, door_arena *arena)
{
        Door__V1__Pull pull = DOOR__V1__PULL__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        if (log->started) {
                pull.has_log_id = 1;
                pull.log_id = door_proto_data((door_bytes){ log->log_id, 16 });
        }
        pull.after_seq = log->received;
        pull.hash = door_proto_data(door_hash_bytes(&log->hash));
        pull.durable_seq = 0; /* We keep nothing: nobody need stop because of us. */
        pull.durable_hash = door_proto_data(door_hash_bytes(&log->hash));
        pull.form = DOOR__V1__FORM__PUBLIC;
        pull.credit_records = DOOR_BATCH_INPUTS_MAX;
        pull.credit_bytes = DOOR_MIB;
        frame.pull = &pull;
        return door_frame_pack(&frame.base, arena);
}

static door_status started(cli_log *log, ProtobufCBinaryData log_id, uint64_t head, door_error *reterr_error)
{
        if (log_id.len != 16 || (log->started && memcmp(log->log_id, log_id.data, 16) != 0)) {
                return door_error_set(reterr_error, DOOR_CORRUPT, "the log changed while it was read");
        }
        memcpy(log->log_id, log_id.data, 16);
        if (!log->started) {
                log->hash = door_hash_log_start(log->log_id);
        }
        log->started = true;
        log->head = head;
        return DOOR_OK;
}

/* Asks until a batch is there; DOOR_NOT_FOUND when the log ends here. */
static door_status batch_fetch(cli_log *log, door_error *reterr_error)
{
        while (!cli_interrupted()) {
                uint8_t storage[256] __attribute__((aligned(16)));
                door_arena small;
                door_bytes answer;
                door_arena_init(&small, storage, sizeof storage);
                const door_bytes frame = pull_frame(log, &small);
                const door_status asked = door_client_ask(log->client, frame, ASK_TIMEOUT_MS, 4, &answer);
                if (asked != DOOR_OK) {
                        return door_error_set(reterr_error, asked, "no answer: is the service running?");
                }
                door_arena_reset(&log->arena);
                const Door__V1__Frame *in = door_frame_unpack(answer, &log->arena);
                if (in != NULL && in->batch != NULL && in->batch->n_records > 0) {
                        log->batch = in->batch;
                        log->next = 0;
                        return started(log, in->batch->log_id, in->batch->head, reterr_error);
                }
                if (in != NULL && in->empty != NULL) {
                        const door_status status =
                                started(log, in->empty->log_id, in->empty->head, reterr_error);
                        if (status != DOOR_OK || !log->follow) {
                                return status != DOOR_OK ? status : DOOR_NOT_FOUND;
                        }
                } else if (in == NULL || in->refuse != NULL) {
                        return door_error_set(reterr_error, DOOR_DENIED,
                                              "the service refuses to show its log");
                }
        }
        return DOOR_NOT_FOUND;
}

door_status cli_log_next(cli_log *log, cli_log_record *ret_record, door_error *reterr_error)
{
        if (log->batch == NULL || log->next == log->batch->n_records) {
                log->batch = NULL;
                if (log->started && !log->follow && log->received >= log->head) {
                        return DOOR_NOT_FOUND;
                }
                const door_status status = batch_fetch(log, reterr_error);
                if (status != DOOR_OK) {
                        return status;
                }
        }
        const Door__V1__Record *record = log->batch->records[log->next];
        cli_log_record out;

        memset(&out, 0, sizeof out);
        out.header_bytes = door_proto_bytes(record->header);
        out.public_salted =
                record->has_public_payload ? door_proto_bytes(record->public_payload) : DOOR_BYTES_EMPTY;
        out.hash = door_hash_chain(&log->hash, out.header_bytes);
        if (door_header_decode(out.header_bytes, &log->arena, &out.header) != DOOR_OK ||
            out.header.seq != log->received + 1 ||
            (out.header.has_public &&
             !door_payload_open(out.public_salted, &out.header.public_digest, &out.payload))) {
                return door_error_set(reterr_error, DOOR_CORRUPT, "record %llu does not fit the chain",
                                      (unsigned long long)(log->received + 1));
        }
        log->next++;
        if (log->next == log->batch->n_records &&
            (log->batch->hash.len != DOOR_HASH_BYTES ||
             memcmp(log->batch->hash.data, out.hash.bytes, DOOR_HASH_BYTES) != 0)) {
                return door_error_set(reterr_error, DOOR_CORRUPT, "the chain does not end where it should");
        }
        log->received++;
        log->hash = out.hash;
        *ret_record = out;
        return DOOR_OK;
}

/* ---- interruption ---- */

/* The one thing a signal handler may touch. */
static volatile sig_atomic_t interrupted;

static void interrupted_set(int number)
{
        (void)number;
        interrupted = 1;
}

void cli_interruptible(void)
{
        struct sigaction action = { .sa_handler = interrupted_set };

        (void)sigaction(SIGINT, &action, NULL);
        (void)sigaction(SIGTERM, &action, NULL);
}

bool cli_interrupted(void)
{
        return interrupted != 0;
}

void cli_sleep_ms(uint32_t ms)
{
        const struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };
        (void)nanosleep(&wait, NULL);
}

uint64_t cli_wall_ms(void)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t cli_mono_ms(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
