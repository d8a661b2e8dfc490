/*
 * sim_county.c - the real cores as a topology: all five services, and the gateway's view beside them.
 *
 *      agencies ──► 1 intake ──► 2 deduplication ──► 3 triage ◄──► 4 allocation
 *                   │ headers                        │             │
 *                   └──────────────► 5 notification ◄┴─────────────┘ ──► the simulator's executor
 *                                          1, 2, 3, 4, 5 ──► 6 gateway ◄── questions
 *
 * Agencies draw from a small pool of names, birth dates and houses, so that families come back,
 * twins and namesakes meet, and keys are used again: with the same content, with another time of
 * sending (the same content all the same), and with another child (which must be refused and
 * kept). Now and then a referral is over a bound, from nobody, or no referral at all.
 */
#include "sim/sim_county.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocation/allot_codec.h"
#include "audit/county.h"
#include "deduplication/dedup_codec.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "gateway/view_codec.h"
#include "intake/intake_codec.h"
#include "notification/notify_codec.h"
#include "sim/county_asks.h"
#include "sim/county_plots.h"
#include "triage/triage_codec.h"

#ifdef DOOR_PLANTED_FAULTS
#include "shell/plant.h"
#include "sim/county_plants.h"
#define DEDUP_CORE  county_planted_deduplication(door_planted_fault)
#define TRIAGE_CORE county_planted_triage(door_planted_fault)
#define ALLOT_CORE  county_planted_allocation(door_planted_fault)
#define NOTIFY_CORE county_planted_notification(door_planted_fault)
#define VIEW_CORE   county_planted_view(door_planted_fault)
#else
#define DEDUP_CORE  &dedup_ops
#define TRIAGE_CORE &triage_ops
#define ALLOT_CORE  &allot_ops
#define NOTIFY_CORE &notify_ops
#define VIEW_CORE   &view_ops
#endif

enum { NOTIFICATION = 5 };
enum { NUMBERS_KEPT = 4096, PEOPLE_MAX = 5, KEYS_MAX = 64, TEXT_MAX = 40, POLICY_BYTES_MAX = 384 };

/* A submission once made, to be made again. */
typedef struct made {
        uint64_t seed; /* Draws the same content. */
        uint64_t number;
} made;

typedef struct agencies {
        county *books;
        made keys[KEYS_MAX];
        size_t keys_count;
        uint64_t next;
        uint8_t policy[POLICY_BYTES_MAX];
        size_t policy_len;
        uint8_t triage[POLICY_BYTES_MAX]; /* Triage's policy. */
        size_t triage_len;
        uint8_t allotment[POLICY_BYTES_MAX]; /* Allocation's. */
        size_t allotment_len;
        uint8_t identity[POLICY_BYTES_MAX]; /* Deduplication's. */
        size_t identity_len;
        uint8_t telling[POLICY_BYTES_MAX]; /* Notification's. */
        size_t telling_len;
        asks asks;
        uint64_t seed_of[NUMBERS_KEPT]; /* Of the content under key N. */
        plot plot;
} agencies;

/* In half of the runs history is replayed; leases and responses are short, so that they end. */
static void triage_policy_make(agencies *a, uint64_t seed)
{
        enum { MINUTES_OF_A_DAY = 1440 };
        Door__V1__TriagePolicy policy = DOOR__V1__TRIAGE_POLICY__INIT;
        Door__V1__WorkingTime working = DOOR__V1__WORKING_TIME__INIT;

        policy.has_training = 1;
        policy.training = 1;
        policy.has_replay_history = 1;
        policy.replay_history = seed % 2 == 0;
        policy.has_lease_min = 1;
        policy.lease_min = 1;
        policy.has_respond_red_min = 1;
        policy.respond_red_min = 1;
        policy.has_respond_amber_working_min = 1;
        policy.respond_amber_working_min = 1;
        policy.has_respond_green_working_min = 1;
        policy.respond_green_working_min = 2;
        working.has_from_min = 1; /* Day and night. */
        working.has_to_min = 1;
        working.to_min = MINUTES_OF_A_DAY;
        policy.working = &working;
        a->triage_len = door__v1__triage_policy__get_packed_size(&policy);
        DOOR_REQUIRE(a->triage_len <= sizeof a->triage);
        (void)door__v1__triage_policy__pack(&policy, a->triage);
}

/* Two teams with little room, one without any bound; nobody has an address the policy knows. */
static void allot_policy_make(agencies *a)
{
        static const struct {
                const char *id;
                Door__V1__TeamKind kind;
                uint32_t capacity;
        } teams[] = { { "front-door", DOOR__V1__TEAM_KIND__TEAM_FRONT_DOOR, 0 },
                      { "east", DOOR__V1__TEAM_KIND__TEAM_SOCIAL_CARE, 2 },
                      { "west", DOOR__V1__TEAM_KIND__TEAM_SOCIAL_CARE, 1 },
                      { "early", DOOR__V1__TEAM_KIND__TEAM_EARLY_HELP, 2 } };
        enum { TEAMS = sizeof teams / sizeof teams[0] };
        Door__V1__AllotPolicy policy = DOOR__V1__ALLOT_POLICY__INIT;
        Door__V1__Team out[TEAMS];
        Door__V1__Team *pointers[TEAMS];

        for (size_t i = 0; i < TEAMS; i++) {
                door__v1__team__init(&out[i]);
                out[i].id = (char *)(uintptr_t)teams[i].id;
                out[i].name = out[i].id;
                out[i].kind = teams[i].kind;
                out[i].has_capacity = teams[i].capacity != 0;
                out[i].capacity = teams[i].capacity;
                out[i].has_level_from = 1;
                out[i].level_from = teams[i].kind == DOOR__V1__TEAM_KIND__TEAM_SOCIAL_CARE ? 2 : 1;
                pointers[i] = &out[i];
        }
        policy.has_training = 1;
        policy.training = 1;
        policy.n_team = TEAMS;
        policy.team = pointers;
        a->allotment_len = door__v1__allot_policy__get_packed_size(&policy);
        DOOR_REQUIRE(a->allotment_len <= sizeof a->allotment);
        (void)door__v1__allot_policy__pack(&policy, a->allotment);
}

static void dedup_policy_make(agencies *a)
{
        Door__V1__DedupPolicy policy = DOOR__V1__DEDUP_POLICY__INIT;

        policy.has_training = 1;
        policy.training = 1;
        a->identity_len = door__v1__dedup_policy__get_packed_size(&policy);
        DOOR_REQUIRE(a->identity_len <= sizeof a->identity);
        (void)door__v1__dedup_policy__pack(&policy, a->identity);
}

/* One team has no address; tries end soon, so that much is given up. In half of the runs senders are told. */
static void notify_policy_make(agencies *a, uint64_t seed)
{
        static const char *const ids[] = { "front-door", "edt", "manager", "east", "west", "police" };
        enum { RECIPIENTS = sizeof ids / sizeof ids[0] };
        Door__V1__NotifyPolicy policy = DOOR__V1__NOTIFY_POLICY__INIT;
        Door__V1__Recipient recipients[RECIPIENTS];
        Door__V1__Recipient *pointers[RECIPIENTS];
        char *emails[] = { (char *)(uintptr_t) "d@d.invalid" };

        for (size_t i = 0; i < RECIPIENTS; i++) {
                door__v1__recipient__init(&recipients[i]);
                recipients[i].id = (char *)(uintptr_t)ids[i];
                recipients[i].n_email = 1;
                recipients[i].email = emails;
                pointers[i] = &recipients[i];
        }
        policy.n_recipient = RECIPIENTS;
        policy.recipient = pointers;
        policy.has_training = policy.training = 1;
        policy.has_receipts = 1;
        policy.receipts = seed / 2 % 2 == 0;
        policy.has_attempts_max = policy.has_retry_first_s = policy.has_retry_last_s = 1;
        policy.attempts_max = 2;
        policy.retry_first_s = 1;
        policy.retry_last_s = 3;
        a->telling_len = door__v1__notify_policy__get_packed_size(&policy);
        DOOR_REQUIRE(a->telling_len <= sizeof a->telling);
        (void)door__v1__notify_policy__pack(&policy, a->telling);
}

static void *begin(uint64_t seed, int planted)
{
        agencies *a = calloc(1, sizeof *a);
        Door__V1__IntakePolicy policy = DOOR__V1__INTAKE_POLICY__INIT;
        Door__V1__Agency police = DOOR__V1__AGENCY__INIT;
        Door__V1__Agency school = DOOR__V1__AGENCY__INIT;
        Door__V1__Agency *all[] = { &police, &school };
        char *peers[] = { (char *)(uintptr_t) "agency", (char *)(uintptr_t) "operator" };

        (void)planted;
        DOOR_REQUIRE(a != NULL);
        a->books = county_new();
        police.id = (char *)(uintptr_t) "police";
        police.kind = DOOR__V1__AGENCY_KIND__AGENCY_POLICE;
        police.name = (char *)(uintptr_t) "Police";
        police.n_peer = 2;
        police.peer = peers;
        school = police;
        school.id = (char *)(uintptr_t) "school";
        policy.n_agency = 2;
        policy.agency = all;
        a->policy_len = door__v1__intake_policy__get_packed_size(&policy);
        DOOR_REQUIRE(a->policy_len <= sizeof a->policy);
        (void)door__v1__intake_policy__pack(&policy, a->policy);
        triage_policy_make(a, seed);
        allot_policy_make(a);
        dedup_policy_make(a);
        notify_policy_make(a, seed);
        a->plot.next = (unsigned)seed;
        return a;
}

static void end(void *context)
{
        agencies *a = context;
        (void)county_free(a->books);
        asks_done(&a->asks);
        free(a);
}

static void enter(void *context)
{
        (void)context;
}

static bool aborted(void *context)
{
        (void)context;
        return false;
}

static void fix(void *context)
{
        (void)context;
}

/* ---- a referral, drawn ---- */

typedef struct drawn_person {
        Door__V1__Person person;
        Door__V1__Day dob;
        Door__V1__Address address;
        Door__V1__Address *addresses[1];
        char given[TEXT_MAX];
        char surname[TEXT_MAX];
        char date[TEXT_MAX];
        char house[TEXT_MAX];
        char postcode[TEXT_MAX];
} drawn_person;

typedef struct drawn {
        Door__V1__Submit submit;
        Door__V1__Referral referral;
        Door__V1__Origin origin;
        Door__V1__Person *people[PEOPLE_MAX + 300];
        drawn_person persons[PEOPLE_MAX];
        char key[TEXT_MAX];
        char narrative[TEXT_MAX];
        Door__V1__Flag flag;
        Door__V1__Category category;
} drawn;

static const char *pick(sim_rng *rng, const char *const *words, size_t count)
{
        return words[sim_rng_below(rng, count)];
}

static void person_draw(sim_rng *rng, drawn_person *p, bool child, const char *surname, uint64_t house)
{
        static const char *const names[] = { "Mia", "Noah", "Aoife",       "Łukasz", "Ella-Mae", "Tom",
                                             "Zoë", "Sam",  "Unborn Baby", "O",      "王伟",     "Grace" };
        door__v1__person__init(&p->person);
        door__v1__day__init(&p->dob);
        door__v1__address__init(&p->address);
        p->person.has_role = 1;
        p->person.role = child ? DOOR__V1__ROLE__ROLE_INDEX_CHILD : DOOR__V1__ROLE__ROLE_MOTHER;
        (void)snprintf(p->given, sizeof p->given, "%s", pick(rng, names, sizeof names / sizeof names[0]));
        (void)snprintf(p->surname, sizeof p->surname, "%s", surname);
        p->person.given_name = p->given;
        p->person.surname = p->surname;
        if (sim_rng_chance(rng, 850)) {
                /* Few dates, among them one that is none and one that is a filler. */
                (void)snprintf(p->date, sizeof p->date, "%d-%02d-%02d",
                               (int)sim_rng_between(rng, child ? 2012 : 1980, child ? 2016 : 1984),
                               (int)sim_rng_between(rng, 1, 3), (int)sim_rng_between(rng, 1, 31));
                p->dob.text = p->date;
                p->person.dob = &p->dob;
        }
        (void)snprintf(p->house, sizeof p->house, "%d Elm Road", (int)house);
        (void)snprintf(p->postcode, sizeof p->postcode, "GL%d 1A%c", (int)(1 + house % 4),
                       (char)('A' + house % 2));
        p->address.text = p->house;
        p->address.postcode = p->postcode;
        p->addresses[0] = &p->address;
        p->person.n_address = 1;
        p->person.address = p->addresses;
}

/* The same seed draws the same content, whatever else has happened. */
static void referral_draw(drawn *d, uint64_t seed, uint64_t number, const char *agency)
{
        static const char *const surnames[] = { "Smith", "O'Brien", "Ní Bhriain", "Smith-Jones", "Kowalski" };
        sim_rng rng = sim_rng_seed(seed);
        const char *surname = pick(&rng, surnames, sizeof surnames / sizeof surnames[0]);
        const uint64_t house = sim_rng_between(&rng, 1, 12);
        const size_t people = (size_t)sim_rng_between(&rng, 0, PEOPLE_MAX);

        memset(d, 0, sizeof *d);
        door__v1__submit__init(&d->submit);
        door__v1__referral__init(&d->referral);
        d->referral.agency = (char *)(uintptr_t)agency;
        for (size_t i = 0; i < people; i++) {
                person_draw(&rng, &d->persons[i], i != 1, surname, house);
                d->people[i] = &d->persons[i].person;
        }
        d->referral.n_people = people;
        d->referral.people = d->people;
        (void)snprintf(d->narrative, sizeof d->narrative, "words %d", (int)sim_rng_below(&rng, 3));
        d->referral.narrative = d->narrative;
        (void)snprintf(d->key, sizeof d->key, "key-%llu", (unsigned long long)number);
        d->referral.has_grade = sim_rng_chance(&rng, 800);
        d->referral.grade = (Door__V1__Grade)sim_rng_between(&rng, 1, 3);
        d->category = (Door__V1__Category)sim_rng_between(&rng, 1, 8);
        d->referral.n_category = 1;
        d->referral.category = &d->category;
        d->flag = (Door__V1__Flag)sim_rng_between(&rng, 1, 20);
        d->referral.n_flags = sim_rng_chance(&rng, 150) ? 1 : 0;
        d->referral.flags = &d->flag;
        d->submit.referral = &d->referral;
        d->submit.idempotency_key = d->key;
}

/* ---- people at the front door: acts on episodes the auditor has seen, often too late or wrong */

static void message_put(sim_command *command, const ProtobufCMessage *message)
{
        command->body_len = protobuf_c_message_get_packed_size(message);
        DOOR_REQUIRE(command->body_len <= command->body_max);
        (void)protobuf_c_message_pack(message, command->body);
}

/* What suits the state, mostly; the rest is somebody who has not looked. */
static triage_command act_choose(sim_rng *rng, const episodes_sample *sample)
{
        static const triage_command any[] = { TRIAGE_TAKE,        TRIAGE_PUT_BACK, TRIAGE_DECIDE,
                                              TRIAGE_ANSWER_LOOK, TRIAGE_RESPOND,  TRIAGE_CLOSE,
                                              TRIAGE_REOPEN };

        if (sim_rng_chance(rng, 200)) {
                return any[sim_rng_below(rng, sizeof any / sizeof any[0])];
        }
        switch (sample->state) {
        case TRIAGE_QUEUED:
        case TRIAGE_IMPORTED:
                return sim_rng_chance(rng, 200)   ? TRIAGE_ANSWER_LOOK
                       : sim_rng_chance(rng, 450) ? TRIAGE_TAKE
                                                  : TRIAGE_DECIDE;
        case TRIAGE_ACTIVE:
                return sim_rng_chance(rng, 400)   ? TRIAGE_CLOSE
                       : sim_rng_chance(rng, 500) ? TRIAGE_RESPOND
                                                  : TRIAGE_ANSWER_LOOK;
        case TRIAGE_STATE_CLOSED:
                return TRIAGE_REOPEN;
        default:
                return TRIAGE_ANSWER_LOOK;
        }
}

static void act_draw(sim_rng *rng, const episodes_sample *sample, sim_command *command)
{
        static const char *const actors[] = { "training/triage/jo", "training/triage/ann",
                                              "training/team-east/sam", "training/team-west/kim" };
        Door__V1__EpisodeNamed named = DOOR__V1__EPISODE_NAMED__INIT;
        Door__V1__Decide decide = DOOR__V1__DECIDE__INIT;
        Door__V1__AnswerLook look = DOOR__V1__ANSWER_LOOK__INIT;
        Door__V1__Respond respond = DOOR__V1__RESPOND__INIT;
        Door__V1__CloseEpisode closing = DOOR__V1__CLOSE_EPISODE__INIT;
        Door__V1__ReopenEpisode reopen = DOOR__V1__REOPEN_EPISODE__INIT;
        ProtobufCBinaryData episode = { sizeof sample->episode, (uint8_t *)(uintptr_t)sample->episode };
        ProtobufCBinaryData referral = { sizeof sample->referral, (uint8_t *)(uintptr_t)sample->referral };
        char *why = (char *)(uintptr_t) "because";

        command->log = 3;
        command->type = act_choose(rng, sample);
        /* One manager does most, so that a take and its decision meet. */
        command->actor = sim_rng_chance(rng, 750)
                                 ? "training/manager/mo"
                                 : actors[sim_rng_below(rng, sizeof actors / sizeof actors[0])];
        command->expected_version =
                sample->version - (sim_rng_chance(rng, 100) && sample->version > 1 ? 1 : 0);
        switch (command->type) {
        case TRIAGE_DECIDE:
                decide.episode = episode;
                decide.level = (uint32_t)sim_rng_between(rng, 1, 4);
                decide.next_step = sim_rng_chance(rng, 600) ? DOOR__V1__NEXT_STEP__NEXT_SECTION_17
                                                            : (Door__V1__NextStep)sim_rng_between(rng, 1, 12);
                decide.reason = why;
                decide.second_person = sim_rng_chance(rng, 700) ? (char *)(uintptr_t) "pat" : NULL;
                message_put(command, &decide.base);
                break;
        case TRIAGE_ANSWER_LOOK:
                look.episode = episode;
                look.referral = referral;
                look.answer = (Door__V1__LookAnswer)sim_rng_between(rng, 1, 4);
                look.reason = why;
                message_put(command, &look.base);
                break;
        case TRIAGE_RESPOND:
                command->actor =
                        sim_rng_chance(rng, 500) ? "training/team-east/sam" : "training/team-west/kim";
                respond.episode = episode;
                respond.referral = referral;
                respond.this_family = (Door__V1__ThisFamily)sim_rng_between(rng, 1, 3);
                respond.will_do = why;
                message_put(command, &respond.base);
                break;
        case TRIAGE_CLOSE:
                command->expected_version = sim_rng_chance(rng, 500) ? command->expected_version : 0;
                closing.episode = episode;
                closing.outcome = DOOR__V1__CLOSE_OUTCOME__CLOSE_HELPED;
                closing.reason = why;
                message_put(command, &closing.base);
                break;
        case TRIAGE_REOPEN:
                reopen.episode = episode;
                reopen.reason = why;
                message_put(command, &reopen.base);
                break;
        default:
                named.episode = episode;
                message_put(command, &named.base);
                break;
        }
}

static void team_act_draw(sim_rng *rng, const episodes_sample *sample, sim_command *command)
{
        static const char *const actors[] = { "training/team-east/sam", "training/team-west/kim",
                                              "training/team-early/eve" };
        static const char *const teams[] = { "east", "west", "early", "nobody" };
        Door__V1__AcceptOffer accept = DOOR__V1__ACCEPT_OFFER__INIT;
        Door__V1__ReturnOffer give_back = DOOR__V1__RETURN_OFFER__INIT;
        Door__V1__HandOver over = DOOR__V1__HAND_OVER__INIT;
        Door__V1__PlaceEpisode place = DOOR__V1__PLACE_EPISODE__INIT;
        ProtobufCBinaryData episode = { sizeof sample->episode, (uint8_t *)(uintptr_t)sample->episode };
        char *why = (char *)(uintptr_t) "because";

        command->log = 4;
        command->actor = actors[sim_rng_below(rng, sizeof actors / sizeof actors[0])];
        command->expected_version = sim_rng_chance(rng, 500) ? sample->version : 0;
        switch (sim_rng_below(rng, 8)) {
        case 0:
                give_back.episode = episode;
                give_back.reason = DOOR__V1__RETURN_REASON__RETURN_NO_CAPACITY;
                give_back.text = why;
                command->type = ALLOT_RETURN;
                message_put(command, &give_back.base);
                break;
        case 1:
                over.episode = episode;
                over.team = (char *)(uintptr_t)teams[sim_rng_below(rng, 4)];
                over.reason = why;
                command->type = ALLOT_HAND_OVER;
                message_put(command, &over.base);
                break;
        case 2:
                place.episode = episode;
                place.team = (char *)(uintptr_t)teams[sim_rng_below(rng, 4)];
                place.reason = why;
                command->actor = "training/manager/mo";
                command->type = ALLOT_PLACE;
                message_put(command, &place.base);
                break;
        default:
                accept.episode = episode;
                accept.lead_practitioner = (char *)(uintptr_t) "Kim Hall";
                command->type = ALLOT_ACCEPT;
                message_put(command, &accept.base);
                break;
        }
}

/* ---- people who say who is who: joins, their undoing, moves, answers to reviews */

static bool undo_draw(const agencies *a, sim_rng *rng, sim_command *command)
{
        episodes_join *join = malloc(sizeof *join);

        DOOR_REQUIRE(join != NULL);
        const bool found = county_pick_join(a->books, sim_rng_below(rng, 4), join);
        if (found) {
                plot_undo(rng, join, 100, command); /* Now and then somebody knows better. */
        }
        free(join);
        return found;
}

static bool review_draw(const agencies *a, sim_rng *rng, sim_command *command)
{
        Door__V1__AnswerReview answer = DOOR__V1__ANSWER_REVIEW__INIT;
        uint8_t review[10];

        if (!county_pick_review(a->books, sim_rng_below(rng, 32), review)) {
                return false;
        }
        answer.review = (ProtobufCBinaryData){ sizeof review, review };
        answer.verdict = (Door__V1__Verdict)sim_rng_between(rng, 1, 3);
        answer.reason = (char *)(uintptr_t) "because";
        command->type = DOOR__V1__DEDUP_COMMAND__DEDUP_ANSWER_REVIEW;
        message_put(command, &answer.base);
        return true;
}

/* False where there is nothing yet to act on. */
static bool identity_draw(const agencies *a, sim_rng *rng, sim_command *command)
{
        episodes_sample one;
        episodes_sample two;

        bool found = (sim_rng_chance(rng, 250) && undo_draw(a, rng, command)) ||
                     (sim_rng_chance(rng, 250) && review_draw(a, rng, command));

        if (!found && county_pick(a->books, sim_rng_below(rng, 6), &one) &&
            county_pick(a->books, sim_rng_below(rng, 6), &two)) {
                found = true;
                if (sim_rng_chance(rng, 550)) {
                        plot_join(rng, &one, &two, command);
                } else {
                        plot_move(rng, &one, sim_rng_chance(rng, 700) ? &two : NULL, command);
                }
        }
        command->log = 2;
        command->actor = sim_rng_chance(rng, 900) ? "training/manager/mo" : "training/team-east/sam";
        return found;
}

/* ---- people whom a message did not reach, or who telephoned instead */

static bool told_draw(const agencies *a, sim_rng *rng, sim_command *command)
{
        Door__V1__DeliveryNamed out = DOOR__V1__DELIVERY_NAMED__INIT;
        uint8_t delivery[10];
        char recipient[64];

        if (!deliveries_pick(county_told(a->books), sim_rng_below(rng, 64), delivery, recipient)) {
                return false;
        }
        out.delivery = (ProtobufCBinaryData){ sizeof delivery, delivery };
        command->log = NOTIFICATION;
        command->type = sim_rng_chance(rng, 600) ? NOTIFY_TRY_AGAIN : NOTIFY_TOLD_BY_PERSON;
        /* A team may only speak for what was to go to it; whoever it is does not always know. */
        command->actor = strcmp(recipient, "east") == 0 && sim_rng_chance(rng, 700) ? "training/team-east/sam"
                         : sim_rng_chance(rng, 900)                                 ? "training/manager/mo"
                                                    : "training/team-west/kim";
        message_put(command, &out.base);
        return true;
}

static void referral_command(agencies *a, sim_rng *rng, const made *again, sim_command *ret_command);

static void command(void *context, sim_rng *rng, sim_command *ret_command)
{
        agencies *a = context;
        episodes_sample sample;
        uint64_t number = 0;

        if (sim_rng_chance(rng, 60)) {
                asks_draw(a->books, rng, ret_command);
                return;
        }
        if (sim_rng_chance(rng, 40) && told_draw(a, rng, ret_command)) {
                return;
        }
        if (sim_rng_chance(rng, 650)) {
                const plot_step step = plot_go_on(&a->plot, a->books, rng, ret_command, &number);
                const made again = { a->seed_of[number % NUMBERS_KEPT], 0 };
                if (step == PLOT_REFERRAL) {
                        referral_command(a, rng, &again, ret_command);
                }
                if (step != PLOT_NOTHING) {
                        return;
                }
        }
        if (sim_rng_chance(rng, 120) && identity_draw(a, rng, ret_command)) {
                return;
        }
        if (sim_rng_chance(rng, 600) && county_pick(a->books, sim_rng_below(rng, 6), &sample)) {
                if (sim_rng_chance(rng, 600)) {
                        act_draw(rng, &sample, ret_command);
                } else {
                        team_act_draw(rng, &sample, ret_command);
                }
                return;
        }
        referral_command(a, rng, NULL, ret_command);
}

/* `again`: the content of an earlier one, under a key of its own. */
static void referral_command(agencies *a, sim_rng *rng, const made *again, sim_command *ret_command)
{
        drawn *d = calloc(1, sizeof *d);
        const char *agency = sim_rng_chance(rng, 970) ? "police" : "nobody";
        made this = { sim_rng_below(rng, 400), a->next };

        DOOR_REQUIRE(d != NULL);
        if (again != NULL) {
                this.seed = again->seed;
                a->next++;
        } else if (a->keys_count > 0 && sim_rng_chance(rng, 250)) {
                this = a->keys[sim_rng_below(rng, a->keys_count)];
                if (sim_rng_chance(rng, 300)) {
                        this.seed = sim_rng_below(rng, 400); /* The key again, for another child. */
                }
        } else {
                a->next++;
                a->keys[a->keys_count < KEYS_MAX ? a->keys_count++ : sim_rng_below(rng, KEYS_MAX)] = this;
        }
        if (this.number + 1 == a->next) { /* Not a key used again, perhaps for another child. */
                a->seed_of[this.number % NUMBERS_KEPT] = this.seed;
        }
        referral_draw(d, this.seed, this.number, agency);
        d->referral.has_sent_at_ms = 1;
        d->referral.sent_at_ms = UINT64_C(1780000000000) + sim_rng_below(rng, 1000000);
        if (sim_rng_chance(rng, 10)) {
                for (size_t i = 0; i < PEOPLE_MAX + 300; i++) {
                        d->people[i] = &d->persons[0].person; /* Over the bound: refused. */
                        door__v1__person__init(d->people[i]);
                }
                d->referral.n_people = PEOPLE_MAX + 300;
        }
        if (sim_rng_chance(rng, 20)) {
                door__v1__origin__init(&d->origin); /* History, without the right to it. */
                d->origin.has_historic_received_at_ms = 1;
                d->origin.historic_received_at_ms = UINT64_C(1600000000000);
                d->submit.origin = &d->origin;
        }
        ret_command->log = 1;
        ret_command->type = INTAKE_SUBMIT;
        ret_command->actor = "agency/desk";
        ret_command->lane = sim_rng_chance(rng, 100) ? 1 : 0;
        ret_command->body_len = door__v1__submit__get_packed_size(&d->submit);
        DOOR_REQUIRE(ret_command->body_len <= ret_command->body_max);
        (void)door__v1__submit__pack(&d->submit, ret_command->body);
        const door_hash id = intake_command_id(door_bytes_of(agency), door_bytes_of(d->key));
        memcpy(ret_command->id, id.bytes, sizeof ret_command->id);
        ret_command->has_id = true;
        if (sim_rng_chance(rng, 15)) {
                ret_command->body[sim_rng_below(rng, ret_command->body_len)] ^=
                        0xFF; /* Perhaps no referral. */
                sim_rng_fill(rng, ret_command->id, sizeof ret_command->id);
                ret_command->may_be_malformed = true;
        }
        free(d);
}

static void policy(void *context, uint32_t log, wire_bytes *ret_content)
{
        agencies *a = context;
        if (log == 1) {
                *ret_content = (wire_bytes){ a->policy, a->policy_len };
        }
        if (log == 2) {
                *ret_content = (wire_bytes){ a->identity, a->identity_len };
        }
        if (log == 3) {
                *ret_content = (wire_bytes){ a->triage, a->triage_len };
        }
        if (log == 4) {
                *ret_content = (wire_bytes){ a->allotment, a->allotment_len };
        }
        if (log == NOTIFICATION) {
                *ret_content = (wire_bytes){ a->telling, a->telling_len };
        }
}

static const char *balance(void *context)
{
        const county_counts counts = county_count(((agencies *)context)->books);
        const episodes_counts places = county_episodes(((agencies *)context)->books);

        if (counts.received != counts.matched) {
                return "received is not matched, with nothing parked";
        }
        if (places.placed != counts.matched) {
                return "matched has no place at triage, with nothing parked";
        }
        const char *apart = episodes_settled(county_notes(((agencies *)context)->books));
        if (apart == NULL) {
                apart = deliveries_settled(county_told(((agencies *)context)->books));
        }
        if (apart != NULL) {
                return apart;
        }
        if (county_deliveries(((agencies *)context)->books).trying_now > 0) {
                return "a message is still tried, with nothing wrong";
        }
        return places.owned_now == places.open_now ? NULL
                                                   : "an open episode has no owner, or a closed one has";
}

/* What the county's services recorded, so that a run in which nothing happened is seen. */
enum { CROSSINGS_FIRST = 32 }; /* Of told_names. */
static const char *const told_names[] = {
        "opened",
        "added",
        "with worker",
        "quick look",
        "look now",
        "taken",
        "takes ended",
        "decided",
        "late",
        "looks",
        "responses",
        "activated",
        "returned",
        "closed",
        "reopened",
        "overtaken",
        "offered",
        "placed",
        "unrouted",
        "accepted",
        "given back",
        "hand-overs",
        "ended",
        "too late",
        "joins",
        "undone",
        "moves",
        "answers",
        "folds",
        "restores",
        "family changes",
        "detached",
        /* ARCHITECTURE section 4; in the order of crossings.h. */
        "close x accept",
        "close x attach",
        "attach x accept",
        "return x close",
        "fold x accept",
        "fold x transfer",
        "move x decide",
        "undo x close",
        "undo x referral",
        "join x join",
        "join x undo",
        "planned",
        "delivered",
        "given up",
        "told",
        NULL,
};

static void count(void *context, uint64_t ret_told[SIM_TOLD_MAX])
{
        const episodes_counts c = county_episodes(((agencies *)context)->books);
        const uint64_t told[] = {
                c.triage[16],     c.triage[17],     c.ways[1],        c.ways[2],        c.ways[3],
                c.triage[19],     c.triage[20],     c.triage[21],     c.triage[22],     c.triage[23],
                c.triage[24],     c.triage[25],     c.triage[26],     c.triage[27],     c.triage[28],
                c.triage[29],     c.allocation[17], c.allocation[18], c.allocation[19], c.allocation[20],
                c.allocation[21], c.allocation[22], c.allocation[23], c.allocation[24], c.joins,
                c.undone,         c.moves,          c.answers,        c.folds,          c.restores,
                c.family_changes, c.detached,
        };
        const deliveries_counts d = county_deliveries(((agencies *)context)->books);
        const uint64_t messages[] = { d.planned, d.delivered, d.with_person_now, d.told };
        enum { TOLD = sizeof told / sizeof told[0], MESSAGES = sizeof messages / sizeof messages[0] };

        _Static_assert((int)TOLD == (int)CROSSINGS_FIRST, "the crossings stand where they are looked for");
        _Static_assert(TOLD + CROSSINGS + MESSAGES + 1 == sizeof told_names / sizeof told_names[0],
                       "a name for each count");
        _Static_assert(TOLD + CROSSINGS + MESSAGES <= SIM_TOLD_MAX, "room for each count");
        memcpy(ret_told, told, sizeof told);
        memcpy(ret_told + TOLD, county_crossings(((agencies *)context)->books), CROSSINGS * sizeof *ret_told);
        memcpy(ret_told + TOLD + CROSSINGS, messages, sizeof messages);
}

static audit_model model(void *context)
{
        return county_model(((agencies *)context)->books);
}

static bool wants(void *context, uint32_t log, const door_effect *effect)
{
        const agencies *a = context;

        return log == NOTIFICATION &&
               deliveries_wants(county_told(a->books), effect->key.bytes, effect->attempt);
}

static bool ask(void *context, size_t asked, sim_command *ret_command)
{
        agencies *a = context;

        return asks_at_rest(&a->asks, a->books, asked, ret_command);
}

static const char *answered(void *context, const sim_answer *answer)
{
        agencies *a = context;

        return asks_answered(&a->asks, a->books, answer);
}

const sim_topology *sim_county(void)
{
        static sim_service services[6];
        static sim_topology topology;

        services[0] = (sim_service){ .core = &intake_ops, .settled_by = { "deduplication", NULL } };
        services[1] = (sim_service){ .core = DEDUP_CORE,
                                     .upstreams = { { 1, "intake", DOOR_FORM_PUBLIC } },
                                     .upstreams_count = 1,
                                     .settled_by = { "triage", NULL },
                                     .clients_speak_for = "training/" };
        services[2] = (sim_service){ .core = TRIAGE_CORE,
                                     .upstreams = { { 2, "deduplication", DOOR_FORM_PUBLIC },
                                                    { 4, "allocation", DOOR_FORM_PUBLIC } },
                                     .upstreams_count = 2,
                                     .settled_by = { "allocation", NULL },
                                     .clients_speak_for = "training/" };
        services[3] = (sim_service){ .core = ALLOT_CORE,
                                     .upstreams = { { 3, "triage", DOOR_FORM_PUBLIC } },
                                     .upstreams_count = 1,
                                     .clients_speak_for = "training/" };
        services[4] = (sim_service){ .core = NOTIFY_CORE,
                                     .upstreams = { { 1, "intake", DOOR_FORM_HEADERS },
                                                    { 3, "triage", DOOR_FORM_PUBLIC },
                                                    { 4, "allocation", DOOR_FORM_PUBLIC } },
                                     .upstreams_count = 3,
                                     .clients_speak_for = "training/" };
        services[5] = (sim_service){ .core = VIEW_CORE,
                                     .upstreams = { { 1, "intake", DOOR_FORM_PUBLIC },
                                                    { 2, "deduplication", DOOR_FORM_PUBLIC },
                                                    { 3, "triage", DOOR_FORM_PUBLIC },
                                                    { 4, "allocation", DOOR_FORM_PUBLIC },
                                                    { 5, "notification", DOOR_FORM_PUBLIC } },
                                     .upstreams_count = 5,
                                     .clients_speak_for = "training/" };
        topology = (sim_topology){
                .name = "county",
                .services = services,
                .services_count = sizeof services / sizeof services[0],
                .model = model,
                .begin = begin,
                .end = end,
                .enter = enter,
                .aborted = aborted,
                .fix = fix,
                .command = command,
                .policy = policy,
                .balance = balance,
                .told = told_names,
                .forced_first = CROSSINGS_FIRST,
                .forced_count = CROSSINGS,
                .count = count,
                .wants = wants,
                .ask = ask,
                .answered = answered,
        };
        return &topology;
}
