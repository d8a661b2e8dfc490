#include "notification/notify_text.h"

#include <string.h>

#include "door/calendar.h"

enum { FRAME_VERSION = 1, MINUTES_PER_HOUR = 60, DAYS_PER_WEEK = 7 };

_Static_assert(2 * (NOTIFY_EMAILS_MAX + 1) * (NOTIFY_EMAIL_BYTES_MAX + 4) + 4096 <= DOOR_EFFECT_BYTES_MAX,
               "the addresses twice, and 4 KiB of text, fit a frame");

/* ---- the sentences ---- */

typedef struct words {
        const char *subject;
        const char *opening;
        const char *due; /* What must have happened by then. */
        const char *closing;
} words;

static const words words_of[NOTIFY_KINDS] = {
        [NOTIFY_RECEIPT] = { "Received",
                             "Your referral has been received. A person at the front door looks at it.\r\n"
                             "Please keep the number for your records.",
                             NULL, NULL },
        [NOTIFY_RED] = { "RED: a referral waits to be taken",
                         "A red referral is in the front door's queue and nobody has taken it yet.",
                         "Decide by", "Please take it now." },
        [NOTIFY_LOOK_NOW] = { "LOOK NOW: a repeat referral",
                              "A referral about a family with open work must be looked at now.\r\n"
                              "Its row is in the front door's queue.",
                              "Decide by", "Please take it now." },
        [NOTIFY_ADDED] = { "A referral was added to your open work",
                           "A referral about a family your team holds was added to its episode.",
                           "Respond by", "Please read it and say what your team will do." },
        [NOTIFY_OFFER] = { "An episode is offered to your team", "An episode is offered to your team.", NULL,
                           "Please accept it, naming a lead practitioner, or return it with a reason.\r\n"
                           "Until you accept, its owner stays who it was." },
        [NOTIFY_RETURNED] = { "An episode was returned", "A team has returned an episode it was offered.",
                              NULL, "Please look at it again." },
        [NOTIFY_UNROUTED] = { "Place by hand", "No team fits an episode, or it was returned twice.", NULL,
                              "Please name a team. Until then its owner stays who it was." },
        [NOTIFY_OWNER_CHANGED] = { "Your hand-over is accepted",
                                   "Another team has accepted the episode you handed over.", NULL,
                                   "It is theirs from now on." },
        [NOTIFY_OVERTAKEN] = { "What you acted on had moved on",
                               "Somebody at this desk acted on an episode that had changed meanwhile.", NULL,
                               "Please look at it again: what was done may not have taken effect." },
        [NOTIFY_LOOK_LATE] = { "On the look list", "A referral added to an episode is on the look list.",
                               "Look by", "Please look at it." },
        [NOTIFY_ATTEMPT_REFUSED] = { "An agency used one key twice",
                                     "An agency sent another content under a key it had used before.\r\n"
                                     "It was refused, and what it sent is kept with the referral.",
                                     "Look by", "It may be about another child: please look." },
        [NOTIFY_REQUEST] = { "A sender asks for a change", "The sender of a referral has asked for a change.",
                             NULL, "Nothing is changed until a person decides." },
        [NOTIFY_JOINED] = { "Open work about one family has been joined",
                            "Two pieces of open work about one family have become one.", NULL,
                            "Please look at it: what waited for an answer waits still." },
        [NOTIFY_JOIN_UNDONE] = { "Joined work is apart again",
                                 "Open work that had been joined stands for itself again.", NULL,
                                 "Please look at it: what was told meanwhile may be about the other "
                                 "family." },
};

static const char *const repeat_words[] = {
        [1] = "It is red.",
        [2] = "It is more severe than the episode was.",
        [3] = "A child is with the person now, injured, missing or asking for help.",
        [4] = "It tells of a threat to life, a weapon or strangulation.",
        [5] = "A child has told somebody.",
        [6] = "An injury to a child who cannot move about or speak.",
        [7] = "It names a child who is not yet in the episode.",
        [8] = "It names a person of concern who is new.",
        [9] = "An adult recorded as dangerous in another family is named.",
        [10] = "It tells of a kind of abuse or neglect that is new.",
        [11] = "The address is new or conflicting, or the family is moving or gone.",
        [12] = "A child was not seen, access was refused, or school was left.",
        [13] = "A release from custody, or a breach of conditions.",
        [14] = "It is about somebody who works with children.",
        [15] = "The sender disagrees with a decision.",
        [16] = "It is a step up from who holds the episode.",
        [17] = "No worker of the episode is present.",
        [32] = "It names an adult who is new.",
        [33] = "It tells of a kind of concern that is new.",
        [34] = "A child of the household is not mentioned in it.",
        [35] = "It is the first word from another agency.",
        [36] = "It comes from the public, or the sender is not named.",
        [37] = "The level asked for is above the episode's.",
        [38] = "A former removal, child death or protection plan.",
        [39] = "Appointments were missed.",
        [40] = "A child in care, privately fostered or placed by another council.",
        [41] = "The match is not sure enough to be left without a look.",
        [42] = "A rule could not be answered from what was sent.",
        [43] = "The episode is no open statutory one with its team.",
        [44] = "Which family it is about is being asked.",
        [45] = "It was not responded to in time.",
        [46] = "The team says it is not this family, or is not sure.",
        [47] = "It came without a grade.",
        [48] = "A child it names is in another family's open episode.",
};

static const char *const offer_words[] = {
        [1] = "Your team had the family's last episode.",
        [2] = "Your team takes this kind of work.",
        [3] = "It is in your district.",
        [4] = "The children's ages are ones your team works with.",
        [5] = "The level is one your team works at.",
        [6] = "Your team has the most room of those that fit.",
        [7] = "A manager has placed it with you.",
        [NOTIFY_WHY_HAND_OVER] = "Another team hands it over to you.",
};

static const char *const return_words[] = {
        [1] = "No capacity.", [2] = "Wrong district.",       [3] = "Wrong level.",
        [4] = "No consent.",  [5] = "Conflict of interest.", [6] = "Another reason, written at the episode.",
};

static const char *const request_words[] = {
        [NOTIFY_WHY_WITHDRAW] = "It should be withdrawn.",
        [NOTIFY_WHY_AMEND] = "It should have read differently; both versions show.",
};

static const char *const joined_words[] = {
        [NOTIFY_WHY_YOURS] = "Your team has the family.",
        [NOTIFY_WHY_FRONT_DOORS] = "No team has accepted it: the front door has it.",
        [NOTIFY_WHY_LEAVES] = "Another team has the family now: please hand over to it.",
        [NOTIFY_WHY_WITHDRAWN] = "What your team was offered lives on in the other; the offer is withdrawn.",
};

static const char *const undone_words[] = {
        [NOTIFY_WHY_YOURS] = "Your team has it again.",
        [NOTIFY_WHY_FRONT_DOORS] = "No team has it: the front door has it.",
        [NOTIFY_WHY_SURVIVES] = "Your team keeps this episode; the other is not part of it any more.",
};

static const char *word_at(const char *const *list, size_t count, uint32_t why)
{
        return why < count ? list[why] : NULL;
}

#define WORD(list, why) word_at(list, sizeof(list) / sizeof(list)[0], why)

const char *notify_why_text(notify_kind kind, uint32_t why)
{
        switch (kind) {
        case NOTIFY_RED:
        case NOTIFY_LOOK_NOW:
        case NOTIFY_ADDED:
        case NOTIFY_LOOK_LATE:
                return WORD(repeat_words, why);
        case NOTIFY_OFFER:
                return WORD(offer_words, why);
        case NOTIFY_RETURNED:
                return WORD(return_words, why);
        case NOTIFY_REQUEST:
                return WORD(request_words, why);
        case NOTIFY_JOINED:
                return WORD(joined_words, why);
        case NOTIFY_JOIN_UNDONE:
                return WORD(undone_words, why);
        case NOTIFY_RECEIPT:
        case NOTIFY_UNROUTED:
        case NOTIFY_OWNER_CHANGED:
        case NOTIFY_OVERTAKEN:
        case NOTIFY_ATTEMPT_REFUSED:
        case NOTIFY_KINDS:
                break;
        }
        return NULL;
}

/* ---- putting them together ---- */

static void say(door_writer *w, const char *text)
{
        door_write(w, door_bytes_of(text));
}

/* At least `digits` digits. */
static void say_number(door_writer *w, uint32_t number, unsigned digits)
{
        uint8_t reversed[10];
        unsigned count = 0;

        do {
                reversed[count++] = (uint8_t)('0' + number % 10);
                number /= 10;
        } while (number > 0 || count < digits);
        while (count > 0) {
                door_write_u8(w, reversed[--count]);
        }
}

static void say_id(door_writer *w, door_id_kind kind, const door_id *id)
{
        char text[DOOR_ID_TEXT_BYTES];

        door_id_print(kind, id, text);
        say(w, text);
}

static unsigned weekday(int32_t day)
{
        return (unsigned)((day + 3) % DAYS_PER_WEEK); /* 0 is Monday; no day here is before 1970. */
}

static const char *const day_names[] = { "Monday", "Tuesday",  "Wednesday", "Thursday",
                                         "Friday", "Saturday", "Sunday" };
static const char *const month_names[] = { "January",   "February", "March",    "April",
                                           "May",       "June",     "July",     "August",
                                           "September", "October",  "November", "December" };

static void say_short(door_writer *w, const char *name)
{
        door_write(w, (door_bytes){ (const uint8_t *)name, 3 });
}

/* "17:00 on Friday 27 November 2026", on London's clocks. */
static void say_when(door_writer *w, uint64_t at_ms)
{
        const int32_t day = door_london_day(at_ms);
        const uint32_t minute = door_london_minute(at_ms);
        const door_date date = door_date_from_days(day);

        say_number(w, minute / MINUTES_PER_HOUR, 2);
        say(w, ":");
        say_number(w, minute % MINUTES_PER_HOUR, 2);
        say(w, " on ");
        say(w, day_names[weekday(day)]);
        say(w, " ");
        say_number(w, date.day, 1);
        say(w, " ");
        say(w, month_names[date.month - 1]);
        say(w, " ");
        say_number(w, (uint32_t)date.year, 4);
}

/* RFC 5322 section 3.3, in UTC. */
static void say_date(door_writer *w, uint64_t at_ms)
{
        char text[DOOR_INSTANT_TEXT_BYTES]; /* 2026-11-26T02:31:00.000Z */
        door_date date;

        door_instant_print(at_ms, text);
        DOOR_REQUIRE(door_date_parse((door_bytes){ (const uint8_t *)text, 10 }, &date));
        say_short(w, day_names[weekday(door_date_to_days(date))]);
        say(w, ", ");
        say_number(w, date.day, 1);
        say(w, " ");
        say_short(w, month_names[date.month - 1]);
        say(w, " ");
        say_number(w, (uint32_t)date.year, 4);
        say(w, " ");
        door_write(w, (door_bytes){ (const uint8_t *)text + 11, 8 });
        say(w, " +0000");
}

static void headers_say(door_writer *w, const notify_policy *policy, const door_id *id,
                        const notify_delivery *delivery, const notify_recipient *to)
{
        const notify_message *m = &delivery->message;

        say(w, "From: ");
        door_write(w, policy->sender);
        say(w, "\r\nTo: ");
        for (size_t i = 0; to != NULL && i < to->emails_count; i++) {
                say(w, i == 0 ? "" : ",\r\n ");
                door_write(w, to->emails[i]);
        }
        if (to == NULL) {
                say(w, "undisclosed-recipients:;");
        }
        say(w, "\r\nDate: ");
        say_date(w, delivery->planned_ms);
        say(w, "\r\nMessage-ID: <");
        say_id(w, DOOR_ID_DELIVERY, id);
        say(w, "@frontdoor.invalid>\r\nSubject: ");
        say(w, words_of[m->kind].subject);
        if (m->has_referral && !m->has_episode) {
                say(w, " (");
                say_id(w, DOOR_ID_REFERRAL, &m->referral);
                say(w, ")");
        } else if (m->has_episode) {
                say(w, " (");
                say_id(w, DOOR_ID_EPISODE, &m->episode);
                say(w, ")");
        }
        say(w, "\r\nAuto-Submitted: auto-generated\r\n"
               "MIME-Version: 1.0\r\n"
               "Content-Type: text/plain; charset=utf-8\r\n"
               "Content-Transfer-Encoding: 7bit\r\n"
               "\r\n");
}

static void severity_say(door_writer *w, const notify_policy *policy, const notify_message *m)
{
        if (m->has_severity) {
                say(w, "Severity: ");
                say(w, m->severity >= policy->red_from     ? "red"
                       : m->severity >= policy->amber_from ? "amber"
                                                           : "green");
                say(w, "\r\n");
        }
}

/* RULES.md section 8: every answer to a sender carries it. */
static void danger_say(door_writer *w, const notify_policy *policy)
{
        say(w, "\r\nIf a child is in danger now call 999.");
        if (policy->front_door_phone.len > 0) {
                say(w, " Front door ");
                door_write(w, policy->front_door_phone);
                if (policy->out_of_hours_phone.len > 0) {
                        say(w, "; nights and weekends ");
                        door_write(w, policy->out_of_hours_phone);
                }
                say(w, ".");
        }
        say(w, "\r\n");
}

static void body_say(door_writer *w, const notify_policy *policy, const notify_message *m)
{
        const words *text = &words_of[m->kind];
        const char *why = notify_why_text(m->kind, m->why);

        say(w, text->opening);
        say(w, "\r\n\r\n");
        if (m->has_referral) {
                say(w, "Referral: ");
                say_id(w, DOOR_ID_REFERRAL, &m->referral);
                say(w, "\r\n");
        }
        if (m->has_episode) {
                say(w, "Episode: ");
                say_id(w, DOOR_ID_EPISODE, &m->episode);
                say(w, "\r\n");
        }
        severity_say(w, policy, m);
        if (why != NULL) {
                say(w, "Why: ");
                say(w, why);
                say(w, "\r\n");
        }
        if (m->due_ms != 0 && text->due != NULL) {
                say(w, text->due);
                say(w, ": ");
                say_when(w, m->due_ms);
                say(w, "\r\n");
        }
        if (text->closing != NULL) {
                say(w, "\r\n");
                say(w, text->closing);
                say(w, "\r\n");
        }
        if (m->kind == NOTIFY_RECEIPT) {
                danger_say(w, policy);
        }
        say(w, "\r\nSent by a program. On purpose nothing about the family is in it.\r\n");
}

door_bytes notify_frame_make(const notify_policy *policy, const door_id *id, const notify_delivery *delivery,
                             door_arena *arena)
{
        uint8_t storage[DOOR_EFFECT_BYTES_MAX];
        door_writer w = door_writer_on(storage, sizeof storage);
        const notify_recipient *to = notify_recipient_find(policy, delivery->message.recipient);

        door_write_u8(&w, FRAME_VERSION);
        door_write_sized(&w, policy->sender);
        door_write_u16(&w, (uint16_t)(to == NULL ? 0 : to->emails_count));
        for (size_t i = 0; to != NULL && i < to->emails_count; i++) {
                door_write_sized(&w, to->emails[i]);
        }
        headers_say(&w, policy, id, delivery, to);
        body_say(&w, policy, &delivery->message);
        DOOR_REQUIRE(w.ok);
        return door_arena_copy(arena, door_written(&w));
}

bool notify_frame_read(door_bytes frame, notify_mail *ret_mail)
{
        door_cursor_in in = door_reading(frame);
        notify_mail mail = { .to_count = 0 };

        if (door_read_u8(&in) != FRAME_VERSION) {
                return false;
        }
        mail.sender = door_read_sized(&in);
        mail.to_count = door_read_u16(&in);
        if (mail.to_count > NOTIFY_EMAILS_MAX) {
                return false;
        }
        for (size_t i = 0; i < mail.to_count; i++) {
                mail.to[i] = door_read_sized(&in);
        }
        if (!in.ok) {
                return false;
        }
        mail.message = (door_bytes){ in.data + in.at, in.len - in.at };
        *ret_mail = mail;
        return true;
}
