/*
 * cli_act.c - acting for a person: take, put-back, decide, answer, respond, close, reopen; accept,
 *             return, hand-over, place.
 *
 *      frontdoor decide E-… --level 3 --next-step section_17 --reason TEXT --version N --as jo --role triage
 *
 * One command to the service that owns the rule, one sentence back. For training only: the service
 * refuses it where its policy says live. What a person writes is sent to the service and nowhere else.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli_act.h"
#include "cli/cli_view.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/triage.pb-c.h"

enum { PATIENCE_MS = 20000 };

/* The options of all acts; each says which it needs. */
static const char *const valued[] = { "--as",        "--role",          "--version",  "--reason",  "--level",
                                      "--next-step", "--second-person", "--severity", "--outcome", "--seen",
                                      "--lead",      "--team",          NULL };

/* One act under way: what was said on the command line, and where the message goes. */
typedef struct act {
        cli *c;
        const char *service;
        uint32_t type;
        door_id episode;
        door_id referral;
        ProtobufCBinaryData episode_data;
        ProtobufCBinaryData referral_data;
        door_bytes body;
        uint64_t version; /* 0: not given. */
} act;

int cli_act_complain(const cli *c, const char *what)
{
        (void)fprintf(stderr, "frontdoor: %s: %s\n", c->argv[0], what);
        return CLI_USAGE;
}

static int complain(const act *a, const char *what)
{
        return cli_act_complain(a->c, what);
}

int cli_act_actor(const cli *c, char ret_actor[DOOR_NAME_BYTES_MAX])
{
        const char *name = cli_option(c, "--as");
        const char *role = cli_option(c, "--role");

        if (name == NULL || role == NULL || strchr(role, '/') != NULL) {
                return cli_act_complain(
                        c, "--as NAME --role triage|manager|team-ID: for whom you act (training only)");
        }
        if (snprintf(ret_actor, DOOR_NAME_BYTES_MAX, "training/%s/%s", role, name) >= DOOR_NAME_BYTES_MAX) {
                return cli_act_complain(c, "role and name are too long");
        }
        return CLI_OK;
}

/* An id of this kind from the command line. */
static bool id_take(const act *a, size_t index, door_id_kind kind, door_id *ret_id,
                    ProtobufCBinaryData *ret_data)
{
        const char *text = cli_argument(a->c, index, valued);
        door_id_kind found;

        if (text == NULL || door_id_parse(door_bytes_of(text), &found, ret_id) != DOOR_OK || found != kind) {
                return false;
        }
        *ret_data = door_proto_data(door_id_bytes(ret_id));
        return true;
}

/* The code of a word of an enum, in small letters and with '-' or '_'; 0 when it is none. */
static int code_of(const ProtobufCEnumDescriptor *type, const char *prefix, const char *word)
{
        char name[80];

        if (word == NULL) {
                return 0;
        }
        (void)snprintf(name, sizeof name, "%s%.40s", prefix, word);
        for (size_t i = 0; name[i] != '\0'; i++) {
                name[i] = name[i] == '-'
                                  ? '_'
                                  : (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
        }
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, name);
        return value == NULL ? 0 : value->value;
}

/* "" where a text is missing: the service names the field. */
static char *text_option(const act *a, const char *flag)
{
        static char none[1] = "";
        const char *text = cli_option(a->c, flag);
        return text == NULL ? none : (char *)(uintptr_t)text;
}

static bool pack(act *a, const char *service, uint32_t type, const void *message)
{
        a->service = service;
        a->type = type;
        return door_proto_pack(message, &a->c->arena, &a->body) == DOOR_OK;
}

/* ---- the acts: each fills its message, or says what is missing */

static int take_fill(act *a)
{
        Door__V1__EpisodeNamed out = DOOR__V1__EPISODE_NAMED__INIT;
        const bool take = strcmp(a->c->argv[0], "take") == 0;

        out.episode = a->episode_data;
        (void)pack(a, "triage",
                   take ? DOOR__V1__TRIAGE_COMMAND__TRIAGE_TAKE : DOOR__V1__TRIAGE_COMMAND__TRIAGE_PUT_BACK,
                   &out);
        return CLI_OK;
}

static int decide_fill(act *a)
{
        Door__V1__Decide out = DOOR__V1__DECIDE__INIT;
        uint64_t number = 0;

        if (a->version == 0) {
                return complain(a, "--version N: the version you have been shown (frontdoor show)");
        }
        if (cli_option(a->c, "--level") == NULL || !cli_number(cli_option(a->c, "--level"), &number) ||
            number > 9) {
                return complain(a, "--level 1 to 4");
        }
        out.level = (uint32_t)number;
        out.next_step = (Door__V1__NextStep)code_of(&door__v1__next_step__descriptor, "NEXT_",
                                                    cli_option(a->c, "--next-step"));
        if (out.next_step == DOOR__V1__NEXT_STEP__NEXT_NONE) {
                return complain(
                        a, "--next-step immediate-protection, strategy-discussion, section-47, section-17, "
                           "early-help, lado, marac, other-council, adult-services, existing-worker, "
                           "advice or no-further-action");
        }
        out.episode = a->episode_data;
        out.reason = text_option(a, "--reason");
        out.second_person = (char *)(uintptr_t)cli_option(a->c, "--second-person");
        if (cli_option(a->c, "--severity") != NULL) {
                if (!cli_number(cli_option(a->c, "--severity"), &number) || number > UINT32_MAX) {
                        return complain(a, "--severity 0 to 100");
                }
                out.has_severity = 1;
                out.severity = (uint32_t)number;
        }
        (void)pack(a, "triage", DOOR__V1__TRIAGE_COMMAND__TRIAGE_DECIDE, &out);
        return CLI_OK;
}

static int answer_fill(act *a)
{
        Door__V1__AnswerLook out = DOOR__V1__ANSWER_LOOK__INIT;

        out.answer = (Door__V1__LookAnswer)code_of(&door__v1__look_answer__descriptor, "LOOK_",
                                                   cli_argument(a->c, 2, valued));
        if (!id_take(a, 1, DOOR_ID_REFERRAL, &a->referral, &a->referral_data) ||
            out.answer == DOOR__V1__LOOK_ANSWER__LOOK_ANSWER_NONE) {
                return complain(a, "E-… R-… nothing-changes|raise|new-assessment|not-this-family");
        }
        out.episode = a->episode_data;
        out.referral = a->referral_data;
        out.reason = text_option(a, "--reason");
        (void)pack(a, "triage", DOOR__V1__TRIAGE_COMMAND__TRIAGE_ANSWER_LOOK, &out);
        return CLI_OK;
}

static int respond_fill(act *a)
{
        Door__V1__Respond out = DOOR__V1__RESPOND__INIT;
        const char *seen = cli_option(a->c, "--seen");

        out.this_family = (Door__V1__ThisFamily)code_of(&door__v1__this_family__descriptor, "THIS_FAMILY_",
                                                        cli_argument(a->c, 2, valued));
        if (!id_take(a, 1, DOOR_ID_REFERRAL, &a->referral, &a->referral_data) ||
            out.this_family == DOOR__V1__THIS_FAMILY__THIS_FAMILY_NONE ||
            (seen != NULL && strcmp(seen, "yes") != 0 && strcmp(seen, "no") != 0)) {
                return complain(a, "E-… R-… yes|no|not-sure --reason WHAT-YOU-WILL-DO [--seen yes|no]");
        }
        out.episode = a->episode_data;
        out.referral = a->referral_data;
        out.will_do = text_option(a, "--reason");
        out.has_children_seen = seen != NULL;
        out.children_seen = seen != NULL && strcmp(seen, "yes") == 0;
        (void)pack(a, "triage", DOOR__V1__TRIAGE_COMMAND__TRIAGE_RESPOND, &out);
        return CLI_OK;
}

static int close_fill(act *a)
{
        Door__V1__CloseEpisode out = DOOR__V1__CLOSE_EPISODE__INIT;

        out.outcome = (Door__V1__CloseOutcome)code_of(&door__v1__close_outcome__descriptor, "CLOSE_",
                                                      cli_option(a->c, "--outcome"));
        if (out.outcome == DOOR__V1__CLOSE_OUTCOME__CLOSE_NONE) {
                return complain(a, "--outcome helped, other-council or consent-withdrawn");
        }
        out.episode = a->episode_data;
        out.reason = text_option(a, "--reason");
        (void)pack(a, "triage", DOOR__V1__TRIAGE_COMMAND__TRIAGE_CLOSE, &out);
        return CLI_OK;
}

static int reopen_fill(act *a)
{
        Door__V1__ReopenEpisode out = DOOR__V1__REOPEN_EPISODE__INIT;

        out.episode = a->episode_data;
        out.reason = text_option(a, "--reason");
        (void)pack(a, "triage", DOOR__V1__TRIAGE_COMMAND__TRIAGE_REOPEN, &out);
        return CLI_OK;
}

static int accept_fill(act *a)
{
        Door__V1__AcceptOffer out = DOOR__V1__ACCEPT_OFFER__INIT;

        if (cli_option(a->c, "--lead") == NULL) {
                return complain(a, "--lead NAME: accepting names a lead practitioner");
        }
        out.episode = a->episode_data;
        out.lead_practitioner = text_option(a, "--lead");
        (void)pack(a, "allocation", DOOR__V1__ALLOT_COMMAND__ALLOT_ACCEPT, &out);
        return CLI_OK;
}

static int return_fill(act *a)
{
        Door__V1__ReturnOffer out = DOOR__V1__RETURN_OFFER__INIT;

        out.reason = (Door__V1__ReturnReason)code_of(&door__v1__return_reason__descriptor, "RETURN_",
                                                     cli_argument(a->c, 1, valued));
        if (out.reason == DOOR__V1__RETURN_REASON__RETURN_REASON_NONE) {
                return complain(
                        a,
                        "E-… no-capacity|wrong-district|wrong-level|no-consent|conflict-of-interest|other");
        }
        out.episode = a->episode_data;
        out.text = text_option(a, "--reason");
        (void)pack(a, "allocation", DOOR__V1__ALLOT_COMMAND__ALLOT_RETURN, &out);
        return CLI_OK;
}

/* To a named team: handed over by its owner, or placed by a manager. */
static int team_fill(act *a)
{
        Door__V1__HandOver over = DOOR__V1__HAND_OVER__INIT;
        Door__V1__PlaceEpisode place = DOOR__V1__PLACE_EPISODE__INIT;

        if (cli_option(a->c, "--team") == NULL) {
                return complain(a, "--team ID: a team of teams.yaml");
        }
        over.episode = a->episode_data;
        over.team = text_option(a, "--team");
        over.reason = text_option(a, "--reason");
        place.episode = over.episode;
        place.team = over.team;
        place.reason = over.reason;
        if (strcmp(a->c->argv[0], "place") == 0) {
                (void)pack(a, "allocation", DOOR__V1__ALLOT_COMMAND__ALLOT_PLACE, &place);
        } else {
                (void)pack(a, "allocation", DOOR__V1__ALLOT_COMMAND__ALLOT_HAND_OVER, &over);
        }
        return CLI_OK;
}

/* ---- asking, and the sentence back */

static const char *state_word(Door__V1__EpisodeState state)
{
        static const char *const words[] = { "?",        "queued", "offered to a team",     "with its team",
                                             "imported", "closed", "joined with other work" };
        return (size_t)state < sizeof words / sizeof words[0] ? words[state] : "?";
}

static void triage_say(const act *a, const char *episode, door_bytes body, bool json)
{
        Door__V1__TriageAnswer *in = NULL;

        if (door_proto_read(&door__v1__triage_answer__descriptor, body, &a->c->arena, &in) != DOOR_OK) {
                (void)printf("%s: done\n", episode);
                return;
        }
        if (json) {
                (void)printf("{\"episode\":\"%s\",\"overtaken\":%s", episode,
                             in->overtaken ? "true" : "false");
                if (in->has_version) {
                        (void)printf(",\"version\":%u", in->version);
                }
                if (in->has_state) {
                        (void)printf(",\"state\":\"%s\"", state_word(in->state));
                }
                (void)printf(in->has_until_ms ? ",\"until_ms\":%llu}\n" : "}\n",
                             (unsigned long long)in->until_ms);
                return;
        }
        if (in->overtaken) {
                (void)printf("%s has moved on; nothing was done. It is at version %u: look again.\n", episode,
                             in->version);
                return;
        }
        (void)printf("%s: done", episode);
        if (in->has_state) {
                (void)printf("; it is %s, version %u", state_word(in->state), in->version);
        }
        if (in->has_until_ms) {
                (void)printf("; yours for %llu minutes",
                             (unsigned long long)(in->until_ms > cli_wall_ms()
                                                          ? (in->until_ms - cli_wall_ms() + 30000) / 60000
                                                          : 0));
        }
        (void)printf(".\n");
}

static void allot_say(const act *a, const char *episode, door_bytes body, bool json)
{
        Door__V1__AllotAnswer *in = NULL;

        if (door_proto_read(&door__v1__allot_answer__descriptor, body, &a->c->arena, &in) != DOOR_OK) {
                (void)printf("%s: done\n", episode);
                return;
        }
        if (json) {
                (void)printf("{\"episode\":\"%s\",\"owner\":\"%s\"", episode, in->owner);
                if (in->offered_to != NULL) {
                        (void)printf(",\"offered_to\":\"%s\",\"waiting\":%s", in->offered_to,
                                     in->waiting ? "true" : "false");
                }
                (void)printf("}\n");
                return;
        }
        (void)printf("%s: %s%s owns it", episode, in->overtaken ? "it has moved on, nothing was done; " : "",
                     in->owner);
        if (in->offered_to != NULL) {
                (void)printf("; offered to %s%s", in->offered_to,
                             in->waiting ? ", which has no room: it waits" : "");
        }
        (void)printf(".\n");
}

/* What was refused, as one sentence; deduplication's own reasons have words here, and a bound its number. */
static void refusal_print(const cli *c, const cli_act_sent *sent, const cli_answer *answer)
{
        const char *detail = answer->detail == NULL ? "no reason given" : answer->detail;
        const char *why = strcmp(sent->service, "deduplication") == 0
                                  ? cli_word_dedup_refusal((Door__V1__DedupRefusal)answer->reason)
                                  : NULL;
        const bool both = why != NULL && answer->reason == DOOR__V1__DEDUP_REFUSAL__DEDUP_TOO_MANY;

        (void)fprintf(stderr, "frontdoor: %s: refused%s%s: %s%s%s\n", c->argv[0],
                      answer->field == NULL ? "" : " at ", answer->field == NULL ? "" : answer->field,
                      why == NULL ? detail : why, both ? ": " : "", both ? detail : "");
}

int cli_act_send(cli *c, const char *actor, const cli_act_sent *sent, cli_answer *ret_answer)
{
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        door_client *client = NULL;
        door_error error = { 0 };
        uint8_t id[DOOR_HASH_BYTES];

        randombytes_buf(id, sizeof id);
        command.command_id = (ProtobufCBinaryData){ sizeof id, id };
        command.actor = (char *)(uintptr_t)actor;
        command.has_expected_version = sent->version != 0;
        command.expected_version = sent->version;
        command.type = sent->type;
        command.body = door_proto_data(sent->body);
        if (cli_client(c, sent->service, false, &client, &error) != DOOR_OK) {
                return cli_fail(sent->service, &error);
        }
        const door_status asked = cli_ask(c, client, &command, PATIENCE_MS, ret_answer, &error);
        (void)door_client_free(client);
        if (asked != DOOR_OK) {
                return cli_fail(sent->service, &error);
        }
        if (ret_answer->outcome == DOOR__V1__OUTCOME__DONE) {
                c->seen = ret_answer->seen;
                c->seen_count = ret_answer->seen_count;
                return CLI_OK;
        }
        if (ret_answer->outcome == DOOR__V1__OUTCOME__REFUSED) {
                refusal_print(c, sent, ret_answer);
        } else {
                (void)fprintf(stderr, "frontdoor: %s: the service could not read it\n", c->argv[0]);
        }
        return CLI_FAILED;
}

static int ask(act *a, const char *actor)
{
        const cli_act_sent sent = {
                .service = a->service, .type = a->type, .version = a->version, .body = a->body
        };
        cli_answer answer;
        char episode[DOOR_ID_TEXT_BYTES];

        const int code = cli_act_send(a->c, actor, &sent, &answer);
        if (code == CLI_OK) {
                door_id_print(DOOR_ID_EPISODE, &a->episode, episode);
                (strcmp(a->service, "triage") == 0 ? triage_say : allot_say)(a, episode, answer.body,
                                                                             cli_flag(a->c, "--json"));
        }
        return code;
}

int cli_act(cli *c)
{
        static const struct {
                const char *name;
                int (*fill)(act *a);
        } acts[] = {
                { "take", take_fill },      { "put-back", take_fill },   { "decide", decide_fill },
                { "answer", answer_fill },  { "respond", respond_fill }, { "close", close_fill },
                { "reopen", reopen_fill },  { "accept", accept_fill },   { "return", return_fill },
                { "hand-over", team_fill }, { "place", team_fill },
        };
        act a = { .c = c };
        char actor[DOOR_NAME_BYTES_MAX];
        const char *version = cli_option(c, "--version");

        if (!id_take(&a, 0, DOOR_ID_EPISODE, &a.episode, &a.episode_data)) {
                return complain(&a, "which episode? E-… and sixteen digits and a check, as queue prints it");
        }
        if (cli_act_actor(c, actor) != CLI_OK) {
                return CLI_USAGE;
        }
        if (version != NULL && !cli_number(version, &a.version)) {
                return complain(&a, "--version N");
        }
        for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++) {
                if (strcmp(acts[i].name, c->argv[0]) == 0) {
                        const int filled = acts[i].fill(&a);
                        cli_interruptible();
                        return filled != CLI_OK ? filled : ask(&a, actor);
                }
        }
        return CLI_USAGE;
}
