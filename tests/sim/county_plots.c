#include "sim/county_plots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door/status.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/triage.pb-c.h"

enum { STEPS_MAX = 60, QUEUED = 1, OFFERED = 2, ACTIVE = 3, ACTOR_BYTES = 64 };

static const char manager[] = "training/manager/mo";

static ProtobufCBinaryData data(const uint8_t *id)
{
        return (ProtobufCBinaryData){ 10, (uint8_t *)(uintptr_t)id };
}

static char *text(const char *constant)
{
        return (char *)(uintptr_t)constant;
}

static void put(sim_command *command, uint32_t log, uint32_t type, const char *actor,
                const ProtobufCMessage *message)
{
        command->log = log;
        command->type = type;
        command->actor = actor;
        command->body_len = protobuf_c_message_get_packed_size(message);
        DOOR_REQUIRE(command->body_len <= command->body_max);
        (void)protobuf_c_message_pack(message, command->body);
}

/* Somebody of a team of the simulated county. */
static const char *of_team(const char *team)
{
        static const char *const actors[][2] = { { "east", "training/team-east/sam" },
                                                 { "west", "training/team-west/kim" },
                                                 { "early", "training/team-early/eve" } };

        for (size_t i = 0; i < sizeof actors / sizeof actors[0]; i++) {
                if (strcmp(actors[i][0], team) == 0) {
                        return actors[i][1];
                }
        }
        return manager;
}

static bool is_with_team(const episodes_sample *s)
{
        return of_team(s->owner) != manager;
}

/* ---- acts */

void plot_undo(sim_rng *rng, const episodes_join *join, unsigned astray_per_1000, sim_command *command)
{
        Door__V1__UndoJoin undo = DOOR__V1__UNDO_JOIN__INIT;
        Door__V1__Assignment assignments[EPISODES_ASSIGNED_MAX];
        Door__V1__Assignment *pointers[EPISODES_ASSIGNED_MAX];

        for (size_t i = 0; i < join->count; i++) {
                const bool from =
                        sim_rng_chance(rng, astray_per_1000) ? sim_rng_chance(rng, 500) : join->was_from[i];
                door__v1__assignment__init(&assignments[i]);
                assignments[i].referral = data(join->referrals[i]);
                assignments[i].family = data(from ? join->from : join->to);
                pointers[i] = &assignments[i];
        }
        undo.join = data(join->join);
        undo.n_assignment = join->count;
        undo.assignment = pointers;
        undo.reason = text("two families");
        put(command, 2, DOOR__V1__DEDUP_COMMAND__DEDUP_UNDO_JOIN, manager, &undo.base);
}

void plot_join(sim_rng *rng, const episodes_sample *from, const episodes_sample *to, sim_command *command)
{
        Door__V1__JoinFamilies join = DOOR__V1__JOIN_FAMILIES__INIT;

        join.from = data(from->family);
        join.to = data(to->family);
        join.reason = text("one mother");
        join.second_person = sim_rng_chance(rng, 900) ? text("pat") : NULL;
        put(command, 2, DOOR__V1__DEDUP_COMMAND__DEDUP_JOIN_FAMILIES, manager, &join.base);
}

void plot_move(sim_rng *rng, const episodes_sample *from, const episodes_sample *to, sim_command *command)
{
        Door__V1__MoveReferral move = DOOR__V1__MOVE_REFERRAL__INIT;

        move.referral = data(from->referral);
        move.from = data(from->family);
        move.has_to = to != NULL;
        move.to = to != NULL ? data(to->family) : move.to;
        move.reason = text("not theirs");
        move.second_person = sim_rng_chance(rng, 900) ? text("pat") : NULL;
        put(command, 2, DOOR__V1__DEDUP_COMMAND__DEDUP_MOVE_REFERRAL, manager, &move.base);
}

static void take(const episodes_sample *s, sim_command *command)
{
        Door__V1__EpisodeNamed named = DOOR__V1__EPISODE_NAMED__INIT;

        named.episode = data(s->episode);
        put(command, 3, DOOR__V1__TRIAGE_COMMAND__TRIAGE_TAKE, manager, &named.base);
}

static void decide(const episodes_sample *s, sim_command *command)
{
        Door__V1__Decide body = DOOR__V1__DECIDE__INIT;

        body.episode = data(s->episode);
        body.level = 3;
        body.next_step = is_with_team(s) ? DOOR__V1__NEXT_STEP__NEXT_EXISTING_WORKER
                                         : DOOR__V1__NEXT_STEP__NEXT_SECTION_17;
        body.reason = text("because");
        body.second_person = text("pat");
        command->expected_version = s->version;
        put(command, 3, DOOR__V1__TRIAGE_COMMAND__TRIAGE_DECIDE, manager, &body.base);
}

static void close_it(const episodes_sample *s, sim_command *command)
{
        Door__V1__CloseEpisode body = DOOR__V1__CLOSE_EPISODE__INIT;

        body.episode = data(s->episode);
        body.outcome = DOOR__V1__CLOSE_OUTCOME__CLOSE_HELPED;
        body.reason = text("done");
        put(command, 3, DOOR__V1__TRIAGE_COMMAND__TRIAGE_CLOSE, manager, &body.base);
}

static void accept(const episodes_sample *s, sim_command *command)
{
        Door__V1__AcceptOffer body = DOOR__V1__ACCEPT_OFFER__INIT;

        body.episode = data(s->episode);
        body.lead_practitioner = text("Kim Hall");
        put(command, 4, DOOR__V1__ALLOT_COMMAND__ALLOT_ACCEPT, of_team(s->offered), &body.base);
}

static void respond(sim_rng *rng, const episodes_sample *s, sim_command *command)
{
        Door__V1__Respond body = DOOR__V1__RESPOND__INIT;

        body.episode = data(s->episode);
        body.referral = data(s->referral);
        body.this_family = (Door__V1__ThisFamily)sim_rng_between(rng, 1, 3);
        body.will_do = text("a visit");
        put(command, 3, DOOR__V1__TRIAGE_COMMAND__TRIAGE_RESPOND, of_team(s->owner), &body.base);
}

static void give_back(const episodes_sample *s, sim_command *command)
{
        Door__V1__ReturnOffer body = DOOR__V1__RETURN_OFFER__INIT;

        body.episode = data(s->episode);
        body.reason = DOOR__V1__RETURN_REASON__RETURN_NO_CAPACITY;
        body.text = text("because");
        put(command, 4, DOOR__V1__ALLOT_COMMAND__ALLOT_RETURN, of_team(s->owner), &body.base);
}

static void hand_over(const episodes_sample *s, sim_command *command)
{
        Door__V1__HandOver body = DOOR__V1__HAND_OVER__INIT;

        body.episode = data(s->episode);
        body.team = text(strcmp(s->owner, "east") == 0 ? "west" : "east");
        body.reason = text("because");
        put(command, 4, DOOR__V1__ALLOT_COMMAND__ALLOT_HAND_OVER, of_team(s->owner), &body.base);
}

static void place(const episodes_sample *s, sim_command *command)
{
        Door__V1__PlaceEpisode body = DOOR__V1__PLACE_EPISODE__INIT;

        body.episode = data(s->episode);
        body.team = text("east");
        body.reason = text("because");
        put(command, 4, DOOR__V1__ALLOT_COMMAND__ALLOT_PLACE, manager, &body.base);
}

/* ---- plots */

/* Another family that has open work. */
static bool other_open(const county *books, sim_rng *rng, const episodes_sample *s,
                       episodes_sample *ret_other)
{
        for (unsigned i = 0; i < 8; i++) {
                if (county_pick(books, sim_rng_below(rng, 16), ret_other) && ret_other->state <= ACTIVE &&
                    memcmp(ret_other->family, s->family, 10) != 0) {
                        return true;
                }
        }
        return false;
}

/* The latest join into this family. */
static bool join_into(const county *books, const episodes_sample *s, episodes_join *ret_join)
{
        for (uint64_t i = 0; i < 8; i++) {
                if (county_pick_join(books, i, ret_join) && memcmp(ret_join->to, s->family, 10) == 0) {
                        return true;
                }
        }
        return false;
}

static plot_step command_or_end(plot *p, bool made)
{
        if (!made) {
                p->running = false;
        }
        return made ? PLOT_COMMAND : PLOT_NOTHING;
}

static plot_step referral_again(county *books, const episodes_sample *s, uint64_t *ret_number)
{
        *ret_number = county_key_number(books, s->referral);
        return PLOT_REFERRAL;
}

/* On the way: from the queue to a team. */
static plot_step drive(plot *p, const episodes_sample *s, sim_command *command)
{
        if (s->state == QUEUED) {
                if (p->taken) {
                        decide(s, command);
                } else {
                        take(s, command);
                }
                p->taken = !p->taken;
                return PLOT_COMMAND;
        }
        if (of_team(s->offered) != manager) {
                accept(s, command);
        } else {
                place(s, command);
        }
        return PLOT_COMMAND;
}

/* The first of the two acts, where all is ready; else what makes it ready. */
static plot_step first(plot *p, county *books, sim_rng *rng, const episodes_sample *s, sim_command *command,
                       uint64_t *ret_number, episodes_join *join)
{
        episodes_sample other;
        const bool queued = s->state == QUEUED;

        switch ((unsigned)p->kind) {
        case PLOT_MOVE_DECIDE:
                if (!queued || !p->taken) {
                        return drive(p, s, command);
                }
                p->second = true;
                plot_move(rng, s, other_open(books, rng, s, &other) ? &other : NULL, command);
                return PLOT_COMMAND;
        case PLOT_FOLD_ACCEPT:
                if (queued) {
                        return drive(p, s, command);
                }
                p->second = true;
                if (!other_open(books, rng, s, &other)) {
                        return command_or_end(p, false);
                }
                plot_join(rng, &other, s, command);
                return PLOT_COMMAND;
        case PLOT_UNDO_REFERRAL:
                if (!p->joined && other_open(books, rng, s, &other)) {
                        p->joined = true;
                        plot_join(rng, &other, s, command);
                        return PLOT_COMMAND;
                }
                p->second = true;
                return referral_again(books, s, ret_number);
        default:
                break;
        }
        if (s->state != ACTIVE) {
                return drive(p, s, command);
        }
        switch ((unsigned)p->kind) {
        case PLOT_CLOSE_ACCEPT:
                if (of_team(s->offered) == manager) {
                        hand_over(s, command);
                        return PLOT_COMMAND;
                }
                p->second = true;
                close_it(s, command);
                return PLOT_COMMAND;
        case PLOT_CLOSE_ATTACH:
        case PLOT_RESPOND:
                p->second = true;
                p->wait = (unsigned)sim_rng_below(rng, 4); /* It has two services to go through. */
                return referral_again(books, s, ret_number);
        case PLOT_FOLD_TRANSFER:
                p->second = true;
                if (!other_open(books, rng, s, &other)) {
                        return command_or_end(p, false);
                }
                plot_join(rng, &other, s, command);
                return PLOT_COMMAND;
        case PLOT_UNDO_CLOSE:
                if (!join_into(books, s, join)) {
                        if (p->joined || !other_open(books, rng, s, &other)) {
                                return command_or_end(p, false);
                        }
                        p->joined = true;
                        plot_join(rng, &other, s, command);
                        return PLOT_COMMAND;
                }
                p->second = true;
                plot_undo(rng, join, 0, command);
                return PLOT_COMMAND;
        default:
                p->second = true;
                close_it(s, command);
                return PLOT_COMMAND;
        }
}

/* The other of the two. */
static plot_step second(plot *p, county *books, sim_rng *rng, const episodes_sample *s, sim_command *command,
                        episodes_join *join)
{
        p->running = false;
        switch ((unsigned)p->kind) {
        case PLOT_CLOSE_ACCEPT:
        case PLOT_FOLD_ACCEPT:
                accept(s, command);
                return PLOT_COMMAND;
        case PLOT_RETURN_CLOSE:
                give_back(s, command);
                return PLOT_COMMAND;
        case PLOT_FOLD_TRANSFER:
                hand_over(s, command);
                return PLOT_COMMAND;
        case PLOT_MOVE_DECIDE:
                decide(s, command);
                return PLOT_COMMAND;
        case PLOT_RESPOND:
                p->running = p->steps % 4 != 0; /* Until its referral has arrived, most likely. */
                respond(rng, s, command);
                return PLOT_COMMAND;
        case PLOT_UNDO_REFERRAL:
                if (!join_into(books, s, join)) {
                        return PLOT_NOTHING;
                }
                plot_undo(rng, join, 0, command);
                return PLOT_COMMAND;
        default: /* CLOSE_ATTACH, UNDO_CLOSE */
                close_it(s, command);
                return PLOT_COMMAND;
        }
}

plot_step plot_go_on(plot *p, county *books, sim_rng *rng, sim_command *ret_command, uint64_t *ret_number)
{
        /* More often what more seldom succeeds. */
        static const plot_kind order[] = {
                PLOT_CLOSE_ATTACH,  PLOT_UNDO_CLOSE,    PLOT_UNDO_REFERRAL, PLOT_CLOSE_ACCEPT,
                PLOT_RETURN_CLOSE,  PLOT_UNDO_CLOSE,    PLOT_CLOSE_ATTACH,  PLOT_FOLD_ACCEPT,
                PLOT_UNDO_REFERRAL, PLOT_FOLD_TRANSFER, PLOT_UNDO_CLOSE,    PLOT_UNDO_REFERRAL,
                PLOT_MOVE_DECIDE,   PLOT_CLOSE_ATTACH,  PLOT_RESPOND,
        };
        episodes_sample s;

        if (!p->running) {
                if (!county_pick(books, sim_rng_below(rng, 6), &s) || s.state > ACTIVE) {
                        return PLOT_NOTHING;
                }
                *p = (plot){ .running = true,
                             .kind = order[p->next % (sizeof order / sizeof order[0])],
                             .next = p->next + 1 };
                memcpy(p->episode, s.episode, sizeof p->episode);
        }
        if (!county_look(books, p->episode, &s) || s.state > ACTIVE || p->steps++ > STEPS_MAX) {
                p->running = false;
                return PLOT_NOTHING;
        }
        if (p->wait > 0) {
                p->wait--;
                return PLOT_NOTHING;
        }
        episodes_join *join = malloc(sizeof *join);
        DOOR_REQUIRE(join != NULL);
        const plot_step step = p->second ? second(p, books, rng, &s, ret_command, join)
                                         : first(p, books, rng, &s, ret_command, ret_number, join);
        free(join);
        return step;
}
