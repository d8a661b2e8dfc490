/*
 * cli_view.h - what the subcommands that show the gateway's view share: how to ask, and how to say it.
 *
 * Words are the field's own (RULES.md section 16 in the project's terms: "added to open work", "look
 * now", "threshold decision", "allocated team"). Times are London's. Nothing here prints a name of a
 * person; `show --names` does, and says that it has been recorded.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "cli/cli.h"
#include "door/v1/view.pb-c.h"

enum { CLI_WHEN_BYTES = 40, CLI_VIEW_ROWS = 25 };

/*
 * cli_view_ask - one question to the gateway.
 *
 *   message     [in]   AskPage or AskThing.
 *   ret_answer  [out]  a message of `answer`, borrowed from the arena.
 *
 * Returns DOOR_OK; DOOR_TIMED_OUT, DOOR_BUSY; DOOR_MALFORMED when it was refused or cannot be read.
 */
door_status cli_view_ask(cli *c, uint32_t type, const void *message, const ProtobufCMessageDescriptor *answer,
                         void *ret_answer, door_error *reterr_error);

/* The message as one line of JSON: ids in their written form, codes by name, instants in ms. */
void cli_view_json(const ProtobufCMessage *message);

/* ---- words */
uint64_t cli_now_ms(void);
/* "Thu 14:05" today, "Tue 24 Nov 14:05", "24 Nov 2018 14:05"; "-" for 0. In London. */
const char *cli_when(uint64_t at_ms, uint64_t now_ms, char out[CLI_WHEN_BYTES]);
/* "4 min", "3 h 20 min", "12 days". */
const char *cli_span(uint64_t ms, char out[CLI_WHEN_BYTES]);
/* The written form, or "?" for what is no id. */
const char *cli_id(door_id_kind kind, ProtobufCBinaryData bytes, char out[DOOR_ID_TEXT_BYTES]);

/* Words for codes; "" or "something newer" where there is none. Never NULL. */
const char *cli_word_state(Door__V1__EpisodeState state);
const char *cli_word_disposition(Door__V1__Disposition disposition);
const char *cli_word_why(Door__V1__RepeatReason why);
const char *cli_word_way(Door__V1__RepeatWay way);
const char *cli_word_next_step(Door__V1__NextStep step);
const char *cli_word_grade(Door__V1__Grade grade);
const char *cli_word_waiting(Door__V1__WaitingFor what);
const char *cli_word_delivery(Door__V1__DeliveryKind kind);
const char *cli_word_failure(Door__V1__DeliveryFailure failure);
const char *cli_word_band(uint32_t severity);
const char *cli_word_role(Door__V1__Role role);
const char *cli_word_age(Door__V1__AgeBand band);
const char *cli_word_verdict(Door__V1__Verdict verdict);
const char *cli_word_story(Door__V1__StoryWhat what);
const char *cli_word_family(Door__V1__FamilyWhat what);
/* Deduplication's own refusals; NULL for any other: the service's own sentence is printed. */
const char *cli_word_dedup_refusal(Door__V1__DedupRefusal reason);
door_id_kind cli_kind_waiting(Door__V1__WaitingFor what);

/* "  because: red; a new child", wrapped at 78 columns, each line begun with `indent` blanks. */
void cli_print_why(const Door__V1__RepeatReason *why, size_t count, int indent);
/* A row of the queue or an inbox: two or three lines. */
void cli_print_episode(const Door__V1__EpisodeLine *e, uint64_t now_ms);
/* People and chronology of a family: ids, roles, bands of age, agencies; never a name. */
void cli_print_people(const Door__V1__FamilyStory *f, int indent);
void cli_print_chronology(const Door__V1__FamilyStory *f, uint64_t now_ms);
/*
 * cli_names_show - the people named in a referral, from intake, which records who looked and why.
 *
 *   purpose  [in]  a word of `show --purpose`.
 *
 * Returns CLI_OK; CLI_FAILED having said why nothing is shown.
 */
int cli_names_show(cli *c, ProtobufCBinaryData referral, const char *purpose);
void cli_print_delivery(const Door__V1__DeliveryRow *d, uint64_t now_ms, int indent);

#endif
