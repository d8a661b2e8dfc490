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
                { DOOR__V1__REPEAT_REASON__WHY_MOVED, "a person said it belongs to this family" },
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

const char *cli_word_role(Door__V1__Role role)
{
        static const word words[] = {
                { DOOR__V1__ROLE__ROLE_NOT_GIVEN, "person" },
                { DOOR__V1__ROLE__ROLE_INDEX_CHILD, "child the worry is about" },
                { DOOR__V1__ROLE__ROLE_SIBLING, "sibling" },
                { DOOR__V1__ROLE__ROLE_UNBORN, "unborn child" },
                { DOOR__V1__ROLE__ROLE_MOTHER, "mother" },
                { DOOR__V1__ROLE__ROLE_FATHER, "father" },
                { DOOR__V1__ROLE__ROLE_STEP_MOTHER, "step-mother" },
                { DOOR__V1__ROLE__ROLE_STEP_FATHER, "step-father" },
                { DOOR__V1__ROLE__ROLE_PARTNER, "partner" },
                { DOOR__V1__ROLE__ROLE_GRANDPARENT, "grandparent" },
                { DOOR__V1__ROLE__ROLE_OTHER_RELATIVE, "relative" },
                { DOOR__V1__ROLE__ROLE_CARER, "carer" },
                { DOOR__V1__ROLE__ROLE_FOSTER_CARER, "foster carer" },
                { DOOR__V1__ROLE__ROLE_LODGER, "lodger" },
                { DOOR__V1__ROLE__ROLE_OTHER_ADULT, "adult" },
                { DOOR__V1__ROLE__ROLE_OTHER_CHILD, "child" },
        };
        return WORD_OF(words, role);
}

const char *cli_word_age(Door__V1__AgeBand band)
{
        static const word words[] = {
                { DOOR__V1__AGE_BAND__AGE_UNKNOWN, "age not known" },
                { DOOR__V1__AGE_BAND__AGE_UNBORN, "not born" },
                { DOOR__V1__AGE_BAND__AGE_UNDER_1, "under 1" },
                { DOOR__V1__AGE_BAND__AGE_1_TO_4, "1 to 4" },
                { DOOR__V1__AGE_BAND__AGE_5_TO_10, "5 to 10" },
                { DOOR__V1__AGE_BAND__AGE_11_TO_15, "11 to 15" },
                { DOOR__V1__AGE_BAND__AGE_16_TO_17, "16 to 17" },
                { DOOR__V1__AGE_BAND__AGE_18_TO_24, "18 to 24" },
                { DOOR__V1__AGE_BAND__AGE_25_AND_OVER, "25 and over" },
                { DOOR__V1__AGE_BAND__AGE_CHILD, "a child" },
                { DOOR__V1__AGE_BAND__AGE_ADULT, "an adult" },
        };
        return WORD_OF(words, band);
}

const char *cli_word_verdict(Door__V1__Verdict verdict)
{
        static const word words[] = {
                { DOOR__V1__VERDICT__VERDICT_SAME, "the same family" },
                { DOOR__V1__VERDICT__VERDICT_DIFFERENT, "different families" },
                { DOOR__V1__VERDICT__VERDICT_UNSURE, "not sure" },
        };
        return WORD_OF(words, verdict);
}

const char *cli_word_family(Door__V1__FamilyWhat what)
{
        static const word words[] = {
                { DOOR__V1__FAMILY_WHAT__FAMILY_JOINED_HERE,
                  "joined by a person; this is also the story of" },
                { DOOR__V1__FAMILY_WHAT__FAMILY_JOINED_AWAY, "joined by a person with" },
                { DOOR__V1__FAMILY_WHAT__FAMILY_JOIN_UNDONE, "join undone by a person; apart again from" },
                { DOOR__V1__FAMILY_WHAT__FAMILY_MOVED_AWAY, "a referral moved by a person to" },
                { DOOR__V1__FAMILY_WHAT__FAMILY_MOVED_HERE, "a referral moved here by a person from" },
                { DOOR__V1__FAMILY_WHAT__FAMILY_REVIEWED, "a person was asked whether it is the same as" },
        };
        return WORD_OF(words, what);
}

const char *cli_word_story(Door__V1__StoryWhat what)
{
        static const word words[] = {
                { DOOR__V1__STORY_WHAT__STORY_OPENED, "opened by a referral from" },
                { DOOR__V1__STORY_WHAT__STORY_ATTACHED, "added: a referral from" },
                { DOOR__V1__STORY_WHAT__STORY_TAKEN, "taken by" },
                { DOOR__V1__STORY_WHAT__STORY_TAKE_ENDED, "take ended, of" },
                { DOOR__V1__STORY_WHAT__STORY_DECIDED, "threshold decision by" },
                { DOOR__V1__STORY_WHAT__STORY_LOOK_LISTED, "on the look list" },
                { DOOR__V1__STORY_WHAT__STORY_LOOK_ANSWERED, "look answered by" },
                { DOOR__V1__STORY_WHAT__STORY_RESPONDED, "responded to by" },
                { DOOR__V1__STORY_WHAT__STORY_ACTIVATED, "accepted, open to" },
                { DOOR__V1__STORY_WHAT__STORY_RETURNED, "returned to the front door by" },
                { DOOR__V1__STORY_WHAT__STORY_CLOSED, "closed" },
                { DOOR__V1__STORY_WHAT__STORY_REOPENED, "opened again by" },
                { DOOR__V1__STORY_WHAT__STORY_OVERTAKEN, "had moved on, told" },
                { DOOR__V1__STORY_WHAT__STORY_FOLDED, "joined with" },
                { DOOR__V1__STORY_WHAT__STORY_RESTORED, "join undone; apart again from" },
                { DOOR__V1__STORY_WHAT__STORY_FAMILY_CHANGED, "in another family" },
                { DOOR__V1__STORY_WHAT__STORY_DETACHED, "moved elsewhere by a person: a referral" },
                { DOOR__V1__STORY_WHAT__STORY_OWNER_NAMED, "allocated team named:" },
                { DOOR__V1__STORY_WHAT__STORY_OFFERED, "offered to" },
                { DOOR__V1__STORY_WHAT__STORY_OFFER_PLACED, "a place came free at" },
                { DOOR__V1__STORY_WHAT__STORY_UNROUTED, "no team fits; held by" },
                { DOOR__V1__STORY_WHAT__STORY_ACCEPTED, "accepted by" },
                { DOOR__V1__STORY_WHAT__STORY_OFFER_RETURNED, "offer returned by" },
                { DOOR__V1__STORY_WHAT__STORY_HAND_OVER_OFFERED, "hand-over offered to" },
                { DOOR__V1__STORY_WHAT__STORY_OWNERSHIP_ENDED, "no longer held by" },
                { DOOR__V1__STORY_WHAT__STORY_ALLOT_OVERTAKEN, "had moved on, told" },
                { DOOR__V1__STORY_WHAT__STORY_MATCH_SETTLED, "which family it is has been decided" },
                { DOOR__V1__STORY_WHAT__STORY_OWNERS_JOINED, "of the joined work, allocated team:" },
                { DOOR__V1__STORY_WHAT__STORY_HANDS_OVER, "to be handed over by" },
                { DOOR__V1__STORY_WHAT__STORY_OWNER_RESTORED, "allocated team again:" },
        };
        return WORD_OF(words, what);
}

const char *cli_word_dedup_refusal(Door__V1__DedupRefusal reason)
{
        static const word words[] = {
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_REVIEW_NOT_OPEN,
                  "the review has been answered, or a join or a move has overtaken it" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_SAME_FAMILY, "both ids lead to one family already" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_JOIN_NOT_THERE,
                  "the join has been undone already, or a later join of the family must be undone first" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_SECOND_PERSON_NEEDED,
                  "a second, different person must agree (join or move with --second NAME), because of "
                  "what is on record of a family" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_ASSIGNMENT_INCOMPLETE,
                  "a referral of the joined family is in neither: it may have just come; ask again" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_NOT_IN_FAMILY,
                  "the referral is not in the family it should move from" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_TOO_MANY,
                  "it would change more referrals than can be changed at once" },
                { DOOR__V1__DEDUP_REFUSAL__DEDUP_TRAINING_ONLY,
                  "acting for somebody works in training only" },
        };

        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (words[i].code == (int)reason) {
                        return words[i].text;
                }
        }
        return NULL;
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

void cli_print_people(const Door__V1__FamilyStory *f, int indent)
{
        char id[DOOR_ID_TEXT_BYTES];

        for (size_t i = 0; i < f->n_person; i++) {
                const Door__V1__FamilyPerson *p = f->person[i];
                (void)printf("%*s%s  %s, %s; in %u referral%s\n", indent, "",
                             cli_id(DOOR_ID_PERSON, p->person, id), cli_word_role(p->role),
                             cli_word_age(p->age_band), p->referrals, p->referrals == 1 ? "" : "s");
        }
        if (f->people > f->n_person) {
                (void)printf("%*s… and %u more people\n", indent, "", (unsigned)(f->people - f->n_person));
        }
}

void cli_print_chronology(const Door__V1__FamilyStory *f, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];

        for (size_t i = 0; i < f->n_row; i++) {
                const Door__V1__ChronologyRow *r = f->row[i];
                (void)printf("  %-17s %s %.16s, %s\n", cli_when(r->sent_at_ms, now_ms, when),
                             cli_id(DOOR_ID_REFERRAL, r->referral, id), r->agency == NULL ? "?" : r->agency,
                             cli_word_grade(r->grade));
                (void)printf("  %-17s %s\n", "", cli_word_disposition(r->disposition));
        }
        if (f->has_next) {
                (void)printf("  … and more: --json gives the place to go on from\n");
        }
}
