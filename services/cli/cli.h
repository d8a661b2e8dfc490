/*
 * cli.h - what the subcommands of `frontdoor` share: where home is, who we are, and how to ask.
 *
 * Every subcommand is one function in a file of its own, `cli_<name>.c`; frontdoor_main.c holds
 * the table. Exit codes: 0 done, 1 it did not succeed, 2 the call is wrong (verify: it cannot judge),
 * 3 an operator is needed. Error lines go to stderr and hold no personal data.
 */
#ifndef CLI_H
#define CLI_H

#include <signal.h>
#include <stdio.h>

#include "door/core.h"
#include "shell/client.h"
#include "shell/frame.h"
#include "shell/peers.h"
#include "shell/record.h"

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_CANNOT_JUDGE = 3 };
enum { CLI_PATH_BYTES_MAX = 1024, CLI_ARENA_BYTES = 8 * DOOR_MIB };

/* One invocation. */
typedef struct cli {
        const char *home;
        int argc; /* Of the subcommand: argv[0] is its name. */
        char **argv;
        door_keypair own; /* Loaded by cli_connect. */
        bool own_loaded;
        door_peers *peers;
        void *memory;
        door_arena arena; /* Reset by whoever works through many things. */
        /* What the last act's answer has seen, borrowed from the arena: a question to the view after it
         * waits for that much, so that a person reads what they have just done. */
        Door__V1__Position **seen;
        size_t seen_count;
} cli;

/* A service known to this program. */
typedef struct cli_service {
        const door_core_ops *core;
        const char *program; /* "frontdoor-intake" */
} cli_service;

/* In the order of their logs; NULL past the end. */
const cli_service *cli_service_at(size_t index);
const cli_service *cli_service_named(const char *name);

int cli_usage(const cli *c, const char *usage);
int cli_fail(const char *what, const door_error *error);

/* "$home/<a>/<b>" into out; DOOR_REQUIREs that it fits. b may be NULL. */
void cli_path(const cli *c, const char *a, const char *b, char out[CLI_PATH_BYTES_MAX]);

/* The value behind a flag, or NULL; a flag that stands alone: cli_flag. */
const char *cli_option(const cli *c, const char *flag);
bool cli_flag(const cli *c, const char *flag);
/* The index-th argument that is no flag and no flag's value; NULL past the end. */
const char *cli_argument(const cli *c, size_t index, const char *const *valued_flags);
/* A whole number; false (and nothing set) when text is none. */
bool cli_number(const char *text, uint64_t *ret_number);

/* Keys and peers.yaml, once. */
door_status cli_connect(cli *c, door_error *reterr_error);
/* A client of a service's command or pull socket. */
door_status cli_client(cli *c, const char *service, bool pull, door_client **ret_client,
                       door_error *reterr_error);

/* ---- commands */

typedef struct cli_answer {
        Door__V1__Outcome outcome;
        uint32_t reason;
        door_bytes body;   /* Borrowed from the arena. */
        const char *field; /* NULL or borrowed. */
        const char *detail;
        uint32_t retry_after_ms;
        Door__V1__Position **seen; /* Borrowed from the arena. */
        size_t seen_count;
} cli_answer;

/*
 * cli_ask - one command, asked until it is answered for good or patience ends.
 *
 *   patience_ms  [in]  how long to go on after silence and RETRY.
 *
 * Returns DOOR_OK with an answer that may still be a refusal; DOOR_BUSY when the last word was RETRY;
 * DOOR_TIMED_OUT when there was none.
 */
door_status cli_ask(cli *c, door_client *client, const Door__V1__Command *command, uint64_t patience_ms,
                    cli_answer *ret_answer, door_error *reterr_error);

/* Puts a command frame together: body and id are borrowed. */
door_bytes cli_command_frame(const Door__V1__Command *command, door_arena *arena);
door_status cli_result_read(door_bytes frame, door_arena *arena, const Door__V1__Result **ret_result);

/*
 * cli_status_ask - what a service says of itself; borrowed from the arena.
 *
 * Returns DOOR_OK; DOOR_TIMED_OUT when it does not answer; what cli_client returns.
 */
door_status cli_status_ask(cli *c, const char *service, const Door__V1__Status **ret_status,
                           door_error *reterr_error);

/* ---- logs, by PULL */

typedef struct cli_log cli_log;

typedef struct cli_log_record {
        door_header header; /* Borrowed until the next call. */
        door_bytes header_bytes;
        door_bytes public_salted;
        door_bytes payload; /* Without salt; empty where there is none. */
        door_hash hash;
} cli_log_record;

/* Reads a service's log from after_seq on, checked as any consumer checks it from seq 1. */
door_status cli_log_open(cli *c, const char *service, bool follow, cli_log **ret_log,
                         door_error *reterr_error);
/*
 * The next record. DOOR_OK; DOOR_NOT_FOUND at the durable head when not following;
 * DOOR_TIMED_OUT when the service does not answer; DOOR_CORRUPT when the chain does not hold.
 */
door_status cli_log_next(cli_log *log, cli_log_record *ret_record, door_error *reterr_error);
cli_log *cli_log_close(cli_log *log);

/* ---- interruption: set by SIGINT and SIGTERM once cli_interruptible has been called */
void cli_interruptible(void);
bool cli_interrupted(void);
void cli_sleep_ms(uint32_t ms);
uint64_t cli_mono_ms(void);
uint64_t cli_wall_ms(void);

/* ---- the subcommands */

typedef struct cli_subcommand {
        const char *name;
        int (*run)(cli *c);
        const char *arguments;
        const char *help;
        const char *example;
} cli_subcommand;

/* In the order in which help prints them; NULL past the end. */
const cli_subcommand *cli_subcommand_at(size_t index);

int cli_completion(cli *c);
int cli_man(cli *c);
int cli_keys(cli *c);
int cli_run(cli *c);
int cli_policy(cli *c);
int cli_import(cli *c);
int cli_log_show(cli *c);
int cli_status(cli *c);
int cli_export(cli *c);
int cli_verify(cli *c);
int cli_anchor(cli *c);
int cli_parked(cli *c);
int cli_queue(cli *c);
int cli_look(cli *c);
int cli_inbox(cli *c);
int cli_review(cli *c);
int cli_review_about(cli *c); /* All of it but the list. */
int cli_join(cli *c);
int cli_undo(cli *c);
int cli_move(cli *c);
int cli_told(cli *c);
int cli_loads(cli *c);
int cli_show(cli *c);
int cli_stats(cli *c);
int cli_lag(cli *c);
int cli_top(cli *c);
int cli_view(cli *c);
int cli_act(cli *c); /* take, decide, accept …: argv[0] says which. */

#endif
