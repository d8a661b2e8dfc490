/* cli_view_words.c - codes, ids and instants as people of the front door say them. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli_view.h"
#include "door/calendar.h"
#include "door/working_time.h"

enum { MS_PER_MIN = 60000, COLUMNS = 78 };

uint64_t cli_now_ms(void)
{
        struct timespec now;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const char *cli_when(uint64_t at_ms, uint64_t now_ms, char out[CLI_WHEN_BYTES])
{
        static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
        static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

        if (at_ms == 0) {
                return "-";
        }
        const int32_t day = door_london_day(at_ms);
        const uint32_t minute = door_london_minute(at_ms);
        const door_date date = door_date_from_days(day);
        const door_date today = door_date_from_days(door_london_day(now_ms));
        const char *name = days[((day % 7) + 7) % 7]; /* 1970-01-01 was a Thursday. */

        if (day == door_london_day(now_ms)) {
                (void)snprintf(out, CLI_WHEN_BYTES, "%s %02u:%02u", name, minute / 60, minute % 60);
        } else if (date.year == today.year) {
                (void)snprintf(out, CLI_WHEN_BYTES, "%s %u %s %02u:%02u", name, date.day,
                               months[date.month - 1], minute / 60, minute % 60);
        } else {
                (void)snprintf(out, CLI_WHEN_BYTES, "%u %s %d %02u:%02u", date.day, months[date.month - 1],
                               date.year, minute / 60, minute % 60);
        }
        return out;
}

const char *cli_span(uint64_t ms, char out[CLI_WHEN_BYTES])
{
        const unsigned long long minutes = ms / MS_PER_MIN;

        if (minutes < 60) {
                (void)snprintf(out, CLI_WHEN_BYTES, "%llu min", minutes);
        } else if (minutes < 48ULL * 60) {
                (void)snprintf(out, CLI_WHEN_BYTES, "%llu h %02llu min", minutes / 60, minutes % 60);
        } else {
                (void)snprintf(out, CLI_WHEN_BYTES, "%llu days", minutes / (24ULL * 60));
        }
        return out;
}

const char *cli_id(door_id_kind kind, ProtobufCBinaryData bytes, char out[DOOR_ID_TEXT_BYTES])
{
        door_id id;

        if (!door_id_from_bytes(door_proto_bytes(bytes), &id)) {
                return "?";
        }
        door_id_print(kind, &id, out);
        return out;
}

/* ---- codes */

typedef struct word {
        int code;
        const char *text;
} word;

#define WORD_OF(words, code) word_of(words, sizeof(words) / sizeof(words)[0], (int)(code))

static const char *word_of(const word *words, size_t count, int code)
{
        for (size_t i = 0; i < count; i++) {
                if (words[i].code == code) {
                        return words[i].text;
                }
        }
        return "something newer than this program";
}

const char *cli_word_state(Door__V1__EpisodeState state)
{
        static const word words[] = {
                { DOOR__V1__EPISODE_STATE__EPISODE_QUEUED, "waits for a threshold decision" },
                { DOOR__V1__EPISODE_STATE__EPISODE_OFFERED, "decided; a team is being asked" },
                { DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE, "open to a team" },
                { DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED, "open in replayed history" },
                { DOOR__V1__EPISODE_STATE__EPISODE_CLOSED, "closed" },
                { DOOR__V1__EPISODE_STATE__EPISODE_FOLDED, "joined with other open work" },
        };
        return WORD_OF(words, state);
}

const char *cli_word_disposition(Door__V1__Disposition disposition)
{
        static const word words[] = {
                { DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_MATCH, "received, not yet matched" },
                { DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_TRIAGE, "matched, not yet placed" },
                { DOOR__V1__DISPOSITION__DISPOSITION_QUEUED, "waiting for a threshold decision" },
                { DOOR__V1__DISPOSITION__DISPOSITION_LOOK, "on the look list" },
                { DOOR__V1__DISPOSITION__DISPOSITION_WITH_WORKER, "with the social worker" },
                { DOOR__V1__DISPOSITION__DISPOSITION_OFFERED, "decided, a team is being asked" },
                { DOOR__V1__DISPOSITION__DISPOSITION_ACTIVE, "open to a team" },
                { DOOR__V1__DISPOSITION__DISPOSITION_IMPORTED, "open in replayed history" },
                { DOOR__V1__DISPOSITION__DISPOSITION_CLOSED, "closed" },
                { DOOR__V1__DISPOSITION__DISPOSITION_HISTORY, "chronology only (imported history)" },
        };
        return WORD_OF(words, disposition);
}

const char *cli_word_why(Door__V1__RepeatReason why)
{
        static const word words[] = {
                { DOOR__V1__REPEAT_REASON__WHY_RED, "red" },
                { DOOR__V1__REPEAT_REASON__WHY_MORE_SEVERE, "more severe than before" },
                { DOOR__V1__REPEAT_REASON__WHY_CHILD_AT_RISK_NOW, "a child is at risk now" },
                { DOOR__V1__REPEAT_REASON__WHY_THREAT_TO_LIFE, "threat to life, weapon or strangulation" },
                { DOOR__V1__REPEAT_REASON__WHY_DISCLOSED, "a child has said so" },
                { DOOR__V1__REPEAT_REASON__WHY_INJURY_NOT_MOBILE,
                  "injury to a child not independently mobile" },
                { DOOR__V1__REPEAT_REASON__WHY_NEW_CHILD, "a child not yet in the open work" },
                { DOOR__V1__REPEAT_REASON__WHY_NEW_PERSON_OF_CONCERN, "a new person of concern" },
                { DOOR__V1__REPEAT_REASON__WHY_DANGEROUS_ADULT_ELSEWHERE,
                  "an adult known elsewhere as dangerous" },
                { DOOR__V1__REPEAT_REASON__WHY_NEW_ABUSE, "a new kind of abuse or neglect" },
                { DOOR__V1__REPEAT_REASON__WHY_ADDRESS, "a new address, or the family is moving" },
                { DOOR__V1__REPEAT_REASON__WHY_NOT_SEEN, "a child is not seen" },
                { DOOR__V1__REPEAT_REASON__WHY_RELEASE_OR_BREACH, "a release, or a breach of conditions" },
                { DOOR__V1__REPEAT_REASON__WHY_PROFESSIONAL, "about someone who works with children" },
                { DOOR__V1__REPEAT_REASON__WHY_DISAGREES, "the sender disagrees with a decision" },
                { DOOR__V1__REPEAT_REASON__WHY_STEP_UP, "from the team that holds the family" },
                { DOOR__V1__REPEAT_REASON__WHY_NO_WORKER, "no worker is present" },
                { DOOR__V1__REPEAT_REASON__WHY_NEW_ADULT, "a new adult" },
                { DOOR__V1__REPEAT_REASON__WHY_NEW_CATEGORY, "a new kind of concern" },
                { DOOR__V1__REPEAT_REASON__WHY_CHILD_NOT_MENTIONED, "a child of the house is not mentioned" },
                { DOOR__V1__REPEAT_REASON__WHY_SECOND_AGENCY, "first word from a second agency" },
                { DOOR__V1__REPEAT_REASON__WHY_PUBLIC_OR_ANONYMOUS,
                  "from a relative, neighbour or anonymous" },
                { DOOR__V1__REPEAT_REASON__WHY_LEVEL_ABOVE, "a higher level is asked for" },
                { DOOR__V1__REPEAT_REASON__WHY_FORMER_HARM, "former removal, death or protection plan" },
                { DOOR__V1__REPEAT_REASON__WHY_MISSED_APPOINTMENTS, "missed medical appointments" },
                { DOOR__V1__REPEAT_REASON__WHY_CARE, "a child in care or privately fostered" },
                { DOOR__V1__REPEAT_REASON__WHY_MATCH_DOUBTED, "the match is not certain enough" },
                { DOOR__V1__REPEAT_REASON__WHY_CANNOT_TELL, "a rule could not be answered" },
                { DOOR__V1__REPEAT_REASON__WHY_NOT_STATUTORY, "not open to a statutory team" },
                { DOOR__V1__REPEAT_REASON__WHY_MATCH_UNCERTAIN, "which family is not decided" },
                { DOOR__V1__REPEAT_REASON__WHY_LATE, "not responded to in time" },
                { DOOR__V1__REPEAT_REASON__WHY_TEAM_NOT_SURE, "the team is not sure it is this family" },
                { DOOR__V1__REPEAT_REASON__WHY_UNGRADED, "sent without a grade" },
                { DOOR__V1__REPEAT_REASON__WHY_SUBJECT_ELSEWHERE,
                  "a child is open in another family's work" },
        };
        return WORD_OF(words, why);
}

const char *cli_word_way(Door__V1__RepeatWay way)
{
        static const word words[] = {
                { DOOR__V1__REPEAT_WAY__WAY_NONE, "as history" },
                { DOOR__V1__REPEAT_WAY__WAY_WITH_WORKER, "with the social worker" },
                { DOOR__V1__REPEAT_WAY__WAY_QUICK_LOOK, "quick look" },
                { DOOR__V1__REPEAT_WAY__WAY_LOOK_NOW, "look now" },
        };
        return WORD_OF(words, way);
}

const char *cli_word_next_step(Door__V1__NextStep step)
{
        static const word words[] = {
                { DOOR__V1__NEXT_STEP__NEXT_IMMEDIATE_PROTECTION, "immediate protection" },
                { DOOR__V1__NEXT_STEP__NEXT_STRATEGY_DISCUSSION, "strategy discussion" },
                { DOOR__V1__NEXT_STEP__NEXT_SECTION_47, "section 47 enquiry" },
                { DOOR__V1__NEXT_STEP__NEXT_SECTION_17, "section 17 assessment" },
                { DOOR__V1__NEXT_STEP__NEXT_EARLY_HELP, "Family Help" },
                { DOOR__V1__NEXT_STEP__NEXT_LADO, "LADO" },
                { DOOR__V1__NEXT_STEP__NEXT_MARAC, "MARAC" },
                { DOOR__V1__NEXT_STEP__NEXT_OTHER_COUNCIL, "another council" },
                { DOOR__V1__NEXT_STEP__NEXT_ADULT_SERVICES, "adult services" },
                { DOOR__V1__NEXT_STEP__NEXT_EXISTING_WORKER, "existing worker" },
                { DOOR__V1__NEXT_STEP__NEXT_ADVICE, "advice or signposting" },
                { DOOR__V1__NEXT_STEP__NEXT_NO_FURTHER_ACTION, "no further action" },
        };
        return WORD_OF(words, step);
}

const char *cli_word_grade(Door__V1__Grade grade)
{
        static const word words[] = {
                { DOOR__V1__GRADE__GRADE_NOT_GIVEN, "ungraded" }, { DOOR__V1__GRADE__GRADE_GREEN, "green" },
                { DOOR__V1__GRADE__GRADE_AMBER, "amber" },        { DOOR__V1__GRADE__GRADE_RED, "red" },
                { DOOR__V1__GRADE__GRADE_BLUE, "blue" },
        };
        return WORD_OF(words, grade);
}

const char *cli_word_waiting(Door__V1__WaitingFor what)
{
        static const word words[] = {
                { DOOR__V1__WAITING_FOR__WAITING_MATCH, "to be matched" },
                { DOOR__V1__WAITING_FOR__WAITING_TRIAGE, "to be placed" },
                { DOOR__V1__WAITING_FOR__WAITING_DECISION, "for a threshold decision" },
                { DOOR__V1__WAITING_FOR__WAITING_LOOK, "for a look" },
                { DOOR__V1__WAITING_FOR__WAITING_RESPONSE, "for a worker's response" },
                { DOOR__V1__WAITING_FOR__WAITING_ACCEPT, "for a team to accept" },
                { DOOR__V1__WAITING_FOR__WAITING_ROOM, "for a team to have room" },
                { DOOR__V1__WAITING_FOR__WAITING_PLACE, "for a manager to place" },
                { DOOR__V1__WAITING_FOR__WAITING_REVIEW, "for a match review" },
                { DOOR__V1__WAITING_FOR__WAITING_DELIVERY, "to be delivered" },
                { DOOR__V1__WAITING_FOR__WAITING_TELL, "to be told by a person" },
        };
        return WORD_OF(words, what);
}

door_id_kind cli_kind_waiting(Door__V1__WaitingFor what)
{
        static const door_id_kind kinds[] = {
                [DOOR__V1__WAITING_FOR__WAITING_NONE] = DOOR_ID_REFERRAL,
                [DOOR__V1__WAITING_FOR__WAITING_MATCH] = DOOR_ID_REFERRAL,
                [DOOR__V1__WAITING_FOR__WAITING_TRIAGE] = DOOR_ID_REFERRAL,
                [DOOR__V1__WAITING_FOR__WAITING_DECISION] = DOOR_ID_EPISODE,
                [DOOR__V1__WAITING_FOR__WAITING_LOOK] = DOOR_ID_REFERRAL,
                [DOOR__V1__WAITING_FOR__WAITING_RESPONSE] = DOOR_ID_REFERRAL,
                [DOOR__V1__WAITING_FOR__WAITING_ACCEPT] = DOOR_ID_EPISODE,
                [DOOR__V1__WAITING_FOR__WAITING_ROOM] = DOOR_ID_EPISODE,
                [DOOR__V1__WAITING_FOR__WAITING_PLACE] = DOOR_ID_EPISODE,
                [DOOR__V1__WAITING_FOR__WAITING_REVIEW] = DOOR_ID_REVIEW,
                [DOOR__V1__WAITING_FOR__WAITING_DELIVERY] = DOOR_ID_DELIVERY,
                [DOOR__V1__WAITING_FOR__WAITING_TELL] = DOOR_ID_DELIVERY,
        };
        return (size_t)what < sizeof kinds / sizeof kinds[0] ? kinds[what] : DOOR_ID_REFERRAL;
}

const char *cli_word_delivery(Door__V1__DeliveryKind kind)
{
        static const word words[] = {
                { DOOR__V1__DELIVERY_KIND__DELIVERY_RECEIPT, "receipt" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_RED, "a red row is in the queue" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_LOOK_NOW, "look now" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_ADDED, "added to your open work" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_OFFER, "a family is offered to you" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_RETURNED, "a team returned a family" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_UNROUTED, "to be placed by hand" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_OWNER_CHANGED, "the hand-over is accepted" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_OVERTAKEN, "it had moved on" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_LOOK_LATE, "a response is overdue" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_ATTEMPT_REFUSED, "an attempt was refused and kept" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_REQUEST, "the sender asks to withdraw or amend" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_JOINED, "open work has been joined" },
                { DOOR__V1__DELIVERY_KIND__DELIVERY_JOIN_UNDONE, "joined work is apart again" },
        };
        return WORD_OF(words, kind);
}

const char *cli_word_failure(Door__V1__DeliveryFailure failure)
{
        static const word words[] = {
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_UNREACHABLE, "nobody answers there" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_TLS, "no trusted connection" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_TIMED_OUT, "no answer in time" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_REFUSED_FOR_NOW, "refused for now" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_REFUSED, "refused for good" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_DISK, "could not be written" },
                { DOOR__V1__DELIVERY_FAILURE__FAILURE_NO_ADDRESS, "no address is known" },
        };
        return WORD_OF(words, failure);
}

const char *cli_word_band(uint32_t severity)
{
        return severity >= 80 ? "RED" : severity >= 50 ? "AMBER" : "GREEN";
}

/* ---- lines */

void cli_print_why(const Door__V1__RepeatReason *why, size_t count, int indent)
{
        int column = 0;

        for (size_t i = 0; i < count; i++) {
                const char *text = cli_word_why(why[i]);
                const int width = (int)strlen(text) + 2;
                if (i == 0) {
                        column = printf("%*sbecause: ", indent, "");
                } else if (column + width > COLUMNS) {
                        (void)printf(";\n");
                        column = printf("%*s", indent + 9, "");
                } else {
                        column += printf("; ");
                }
                column += printf("%s", text);
        }
        if (count > 0) {
                (void)printf("\n");
        }
}

static void print_allocated(const Door__V1__EpisodeLine *e, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];

        if (e->owner != NULL) {
                (void)printf("       allocated team %.40s%s%.40s\n", e->owner,
                             e->lead_practitioner == NULL ? "" : ", lead ",
                             e->lead_practitioner == NULL ? "" : e->lead_practitioner);
        }
        if (e->offered_to != NULL) {
                (void)printf("       offered to %.40s on %s%s\n", e->offered_to,
                             cli_when(e->offered_ms, now_ms, when), e->waiting ? "; no room yet" : "");
        }
        if (e->unrouted) {
                (void)printf("       no team fits: a manager must place it\n");
        }
}

void cli_print_episode(const Door__V1__EpisodeLine *e, uint64_t now_ms)
{
        char id[DOOR_ID_TEXT_BYTES];
        char when[CLI_WHEN_BYTES];
        char span[CLI_WHEN_BYTES];
        const uint64_t by_ms = e->rag_ms < e->statutory_ms ? e->rag_ms : e->statutory_ms;

        (void)printf("%-6s %s ", cli_word_band(e->severity), cli_id(DOOR_ID_EPISODE, e->episode, id));
        if (e->state == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED) {
                (void)printf(" by %s%s", cli_when(by_ms, now_ms, when), by_ms < now_ms ? " LATE" : "");
                if (e->queued_ms < now_ms) {
                        (void)printf(", waits %s", cli_span(now_ms - e->queued_ms, span));
                }
                (void)printf("\n");
        } else {
                (void)printf(" %s\n", cli_word_state(e->state));
        }
        (void)printf("       family %s, %u referral%s from %u agenc%s%s\n",
                     cli_id(DOOR_ID_FAMILY, e->family, id), e->referrals, e->referrals == 1 ? "" : "s",
                     e->agencies, e->agencies == 1 ? "y" : "ies", e->uncertain ? "; family not certain" : "");
        if (e->taken_by != NULL) {
                (void)printf("       taken by %.40s until %s\n", e->taken_by,
                             cli_when(e->taken_until_ms, now_ms, when));
        }
        if (e->unanswered > 0) {
                (void)printf("       %u added and not answered for, the first by %s%s\n", e->unanswered,
                             cli_when(e->answer_by_ms, now_ms, when),
                             e->answer_by_ms < now_ms ? " LATE" : "");
        }
        if (e->state != DOOR__V1__EPISODE_STATE__EPISODE_QUEUED || e->returned_times > 0 || e->unrouted) {
                print_allocated(e, now_ms);
        }
        if (e->returned_times > 0) {
                (void)printf("       returned by a team %u time%s\n", e->returned_times,
                             e->returned_times == 1 ? "" : "s");
        }
        cli_print_why(e->why, e->n_why, 7);
}

void cli_print_delivery(const Door__V1__DeliveryRow *d, uint64_t now_ms, int indent)
{
        char when[CLI_WHEN_BYTES];
        const char *state = d->state == DOOR__V1__DELIVERY_STATE__DELIVERY_DONE       ? "told"
                            : d->state == DOOR__V1__DELIVERY_STATE__DELIVERY_GIVEN_UP ? "NOT TOLD"
                            : d->state == DOOR__V1__DELIVERY_STATE__DELIVERY_TOLD     ? "told by a person"
                                                                                      : "not yet";

        (void)printf("%*s%-16s %.24s: %s, %s\n", indent, "",
                     cli_when(d->ended_ms != 0 ? d->ended_ms : d->since_ms, now_ms, when), d->recipient,
                     cli_word_delivery(d->kind), state);
        if (d->has_failure) {
                (void)printf("%*s%-16s %u attempt%s: %s\n", indent, "", "", d->attempts,
                             d->attempts == 1 ? "" : "s", cli_word_failure(d->failure));
        }
}
