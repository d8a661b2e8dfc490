/*
 * cli_act.h - what all acts for a person share: who acts, and one command sent and answered.
 *
 * A refusal is printed as one sentence, with the field it is about. What a person writes is sent to the
 * service and nowhere else.
 */
#ifndef CLI_ACT_H
#define CLI_ACT_H

#include "cli/cli.h"

/* One command to the service that owns the rule. */
typedef struct cli_act_sent {
        const char *service;
        uint32_t type;
        uint64_t version; /* 0: none is expected. */
        door_bytes body;
} cli_act_sent;

/* "frontdoor: <subcommand>: <what>" to stderr; CLI_USAGE. */
int cli_act_complain(const cli *c, const char *what);
/* --as NAME --role ROLE as the actor. CLI_OK, or CLI_USAGE having said what is missing. */
int cli_act_actor(const cli *c, char ret_actor[DOOR_NAME_BYTES_MAX]);
/* CLI_OK with an answer of outcome DONE, its body borrowed from the arena; CLI_FAILED having said why. */
int cli_act_send(cli *c, const char *actor, const cli_act_sent *sent, cli_answer *ret_answer);

#endif
