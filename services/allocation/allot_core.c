#include "allocation/allot_core.h"

#include <string.h>

#include "allocation/allot_route.h"
#include "door/actor.h"

/* Reasons of envelope.proto the core answers with. */
enum { REASON_NOT_ALLOWED = 2, REASON_INVALID = 4, REASON_NO_SUCH = 5 };
enum { RETRY_NOT_READY = 8 };
enum { FREED_MAX = 4 }; /* Of a fold: two owners and two offers. */

static const allot_policy no_policy = { 0 };

/* ---- records */

static allot_word *word(door_out *out, const door_id *episode)
{
        allot_word *w = door_arena_take_zeroed(out->arena, 1, sizeof *w);
        if (w != NULL) {
                w->episode = *episode;
        }
        return w;
}

/* NULL bodies are a full arena: its latch is set, and the shell tries again with less. */
static door_event *emit(door_out *out, allot_event type, const allot_word *body)
{
        door_event *event = body != NULL ? door_out_event(out, type, body) : NULL;

        if (event != NULL) {
                door_event_subject(event, DOOR_ID_EPISODE, &body->episode);
        }
        return event;
}

/* What one of this input's own records changes and decide does not see yet. */
typedef struct changes {
        size_t freed_count;
        door_bytes freed[FREED_MAX]; /* Each lowers the load of that team by one. */
        door_bytes taken;            /* By a team that accepts what waited for it: its load is one more. */
        size_t leaving_count;
        door_id leaving[2]; /* Of these nothing more is said: they may have left their lines. */
} changes;

/* Nothing where the team is not named. */
static void changes_free(changes *c, door_bytes team)
{
        if (team.len > 0) {
                DOOR_REQUIRE(c->freed_count < FREED_MAX);
                c->freed[c->freed_count++] = team;
        }
}

static void changes_leave(changes *c, const door_id *id)
{
        DOOR_REQUIRE(c->leaving_count < sizeof c->leaving / sizeof c->leaving[0]);
        c->leaving[c->leaving_count++] = *id;
}

static uint32_t load_after(door_view *view, const changes *c, door_bytes team)
{
        uint32_t load = allot_load_get(view, team) + (door_bytes_equal(c->taken, team) ? 1 : 0);

        for (size_t i = 0; i < c->freed_count; i++) {
                load -= load > 0 && door_bytes_equal(c->freed[i], team) ? 1 : 0;
        }
        return load;
}

static bool is_leaving(const changes *c, const door_id *id)
{
        for (size_t i = 0; i < c->leaving_count; i++) {
                if (door_id_equal(&c->leaving[i], id)) {
                        return true;
                }
        }
        return false;
}

/*
 * A place has come free, or a policy has made one: who has waited longest for a team with room is
 * offered to it. At most a few an input; the next input goes on.
 */
static void places_fill(door_view *view, const allot_policy *policy, const door_input *input,
                        const changes *made, door_out *out)
{
        size_t placed = 0;

        for (size_t i = 0;
             i < policy->teams_count && placed < ALLOT_PLACED_PER_INPUT && allot_waiting_any(view); i++) {
                const allot_team *team = &policy->teams[i];
                uint64_t since_ms = 0;
                door_id episode;
                if (!allot_has_room(team, load_after(view, made, team->id)) ||
                    !allot_waiting_first(view, team->id, &since_ms, &episode) || is_leaving(made, &episode)) {
                        continue;
                }
                allot_word *w = word(out, &episode);
                if (w != NULL) {
                        w->team = team->id;
                        w->waited_ms = input->now_ms > since_ms ? input->now_ms - since_ms : 0;
                }
                (void)emit(out, ALLOT_OFFER_PLACED, w);
                placed++;
        }
}

/* ---- triage's word */

static void name_owner(const allot_policy *policy, const allot_episode_word *heard, door_out *out)
{
        allot_word *w = word(out, &heard->episode);

        if (w != NULL) {
                w->owner = allot_front_door(policy);
                w->team = w->owner;
                w->episode_version = heard->version;
        }
        (void)emit(out, ALLOT_OWNER_NAMED, w);
}

static void end(const door_id *id, const allot_episode *known, door_out *out)
{
        allot_word *w = word(out, id);

        if (w != NULL) {
                w->team = known->owner;
        }
        (void)emit(out, ALLOT_ENDED, w);
}

static void overtaken(const door_id *id, const allot_episode *known, uint32_t acted_on, door_bytes actor,
                      door_out *out)
{
        allot_word *w = word(out, id);

        if (w != NULL) {
                w->episode_version = known->offer_version > known->owned_version ? known->offer_version
                                                                                 : known->owned_version;
                w->acted_on = acted_on;
                w->by = actor;
                w->owner = known->owner;
                w->offered = known->offered;
        }
        (void)emit(out, ALLOT_OVERTAKEN, w);
}

static void unroute(const door_id *id, uint32_t version, uint32_t returned, door_bytes owner, door_out *out)
{
        allot_word *w = word(out, id);

        if (w != NULL) {
                w->episode_version = version;
                w->owner = owner;
                w->times = returned;
        }
        (void)emit(out, ALLOT_UNROUTED, w);
}

static void offer(door_view *view, const allot_policy *policy, const allot_episode_word *heard,
                  const allot_episode *known, door_out *out)
{
        allot_episode last;
        door_bytes before = known->has_owner_team ? known->owner : known->last;

        if (before.len == 0 && heard->has_previous && allot_episode_get(view, &heard->previous, &last)) {
                before = last.last;
        }
        const allot_choice choice = allot_choose(view, policy, heard, known, before);
        if (choice.team == NULL || known->returned >= ALLOT_RETURNS_TO_A_MANAGER) {
                unroute(&heard->episode, heard->version, known->returned, known->owner, out);
                return;
        }
        /* A team that owns it already has its place. */
        const bool owns = known->has_owner_team && door_bytes_equal(known->owner, choice.team->id);
        allot_word *w = word(out, &heard->episode);
        if (w != NULL) {
                w->episode_version = heard->version;
                w->team = choice.team->id;
                w->waiting = choice.waiting && !owns;
                w->why = choice.why;
                w->owner = known->owner;
                w->load = choice.load + (owns ? 0 : 1);
                w->capacity = choice.team->has_capacity ? choice.team->capacity : UINT32_MAX;
                w->level = heard->level;
        }
        (void)emit(out, ALLOT_OFFERED, w);
}

/* ---- joins and their undoing */

/* Whose the joined work is, and with what. */
typedef struct heir {
        door_bytes team;
        bool accepted;
        door_bytes lead;
        door_bytes leaves;
} heir;

static uint8_t level_of(bool heard, uint8_t level, const allot_episode *known)
{
        return heard ? level : known->level;
}

/* `from` and `to` as they stand; zeroes where they are not known here, or have ended. */
static heir heir_of(const allot_policy *policy, const allot_episode_word *heard, const allot_episode *from,
                    const allot_episode *to)
{
        const bool both = from->has_owner_team && to->has_owner_team;
        const bool higher = level_of(heard->has_other_level, heard->other_level, from) >
                            level_of(heard->has_level, heard->level, to);
        const allot_episode *wins = from->has_owner_team && (!both || higher) ? from : to;
        const allot_episode *loses = wins == from ? to : from;

        return (heir){
                .team = wins->owner.len > 0 ? wins->owner : allot_front_door(policy),
                .accepted = wins->has_owner_team,
                .lead = wins->lead,
                .leaves = both && !door_bytes_equal(loses->owner, wins->owner) ? loses->owner
                                                                               : DOOR_BYTES_EMPTY,
        };
}

/* A team that has a place at an open episode: its owner's, and the one it is offered to. */
static door_bytes place_of_owner(const allot_episode *e)
{
        return e->has_owner_team ? e->owner : DOOR_BYTES_EMPTY;
}

static door_bytes place_of_offer(const allot_episode *e)
{
        return e->waiting || door_bytes_equal(e->offered, place_of_owner(e)) ? DOOR_BYTES_EMPTY : e->offered;
}

/* The survivor's own offer stands, unless it is to the team that owns now. */
static bool offer_stays(const allot_episode *to, const heir *after)
{
        return to->offered.len > 0 && !door_bytes_equal(to->offered, after->team);
}

/* Places that the two have and the joined work needs no more: of an offer withdrawn, of a team that
 * leaves, and one of two where a team had both. */
static void places_freed(const allot_episode *from, const allot_episode *to, const heir *after, changes *made)
{
        const door_bytes before[FREED_MAX] = { place_of_owner(to), place_of_offer(to), place_of_owner(from),
                                               place_of_offer(from) };
        door_bytes kept[2] = { after->accepted ? after->team : DOOR_BYTES_EMPTY,
                               offer_stays(to, after) && !to->waiting ? to->offered : DOOR_BYTES_EMPTY };

        for (size_t i = 0; i < FREED_MAX; i++) {
                const size_t k = door_bytes_equal(before[i], kept[0]) ? 0 : 1;
                if (before[i].len > 0 && door_bytes_equal(before[i], kept[k])) {
                        kept[k] = DOOR_BYTES_EMPTY;
                } else {
                        changes_free(made, before[i]);
                }
        }
}

/* Of what is open in replayed history only, nobody is told. */
static void history_mark(door_event *event, const allot_episode_word *heard)
{
        event->flags |= heard->imported ? DOOR_FLAG_HISTORIC : 0;
}

/* By triage's order both are open; if one is not, the joined work has an owner all the same. */
static void fold(door_view *view, const allot_policy *policy, const allot_episode_word *heard, changes *made,
                 door_out *out)
{
        static const allot_episode nothing = { 0 };
        allot_episode from = { 0 };
        allot_episode to = { 0 };

        if (!allot_episode_get(view, &heard->other, &from) || from.ended) {
                from = nothing;
        }
        if (!allot_episode_get(view, &heard->episode, &to) || to.ended) {
                to = nothing;
        }
        const heir after = heir_of(policy, heard, &from, &to);
        allot_word *w = word(out, &heard->episode);
        if (w != NULL) {
                w->episode_version = heard->version;
                w->other = heard->other;
                w->owner = after.team;
                w->accepted = after.accepted;
                w->lead = after.lead;
                w->leaves = after.leaves;
                w->offered = from.offered;
        }
        door_event *event = emit(out, ALLOT_FOLDED, w);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_EPISODE, &heard->other);
                history_mark(event, heard);
        }
        changes_leave(made, &heard->other);
        if (!offer_stays(&to, &after)) {
                changes_leave(made, &heard->episode);
        }
        places_freed(&from, &to, &after, made);
}

/* The team that had it when it was folded, if it is still one that takes families. */
static const allot_team *team_before(const allot_policy *policy, const allot_episode_word *heard,
                                     const allot_episode *known)
{
        if (!heard->active || known->lead.len == 0) {
                return NULL;
        }
        const allot_team *team = allot_team_named(policy, known->last);
        return team == NULL || team->kind == ALLOT_FRONT_DOOR || team->kind == ALLOT_EMERGENCY_DUTY ? NULL
                                                                                                    : team;
}

static void restore(door_view *view, const allot_policy *policy, const allot_episode_word *heard,
                    door_out *out)
{
        allot_episode known = { 0 };
        const bool is_known = allot_episode_get(view, &heard->episode, &known);

        if (heard->ends || (is_known && !known.ended)) {
                return; /* It needs no owner, or has one. */
        }
        const allot_team *team = team_before(policy, heard, &known);
        allot_word *w = word(out, &heard->episode);
        if (w != NULL) {
                w->episode_version = heard->version;
                w->other = heard->other;
                w->owner = team != NULL ? team->id : allot_front_door(policy);
                w->accepted = team != NULL;
                w->lead = team != NULL ? known.lead : DOOR_BYTES_EMPTY;
        }
        door_event *event = emit(out, ALLOT_RESTORED, w);
        if (event != NULL) {
                history_mark(event, heard);
        }
}

/* ---- what triage says */

static void hear_one(door_view *view, const allot_policy *policy, const door_input *input, changes *made,
                     door_out *out)
{
        const allot_episode_word *heard = input->body;
        allot_episode known = { 0 };
        const bool is_known = allot_episode_get(view, &heard->episode, &known) && !known.ended;

        changes_leave(made, &heard->episode);
        if (input->type == ALLOT_INPUT_OPENED || input->type == ALLOT_INPUT_REOPENED) {
                if (!is_known) {
                        name_owner(policy, heard, out);
                }
        } else if (heard->ends && is_known) {
                changes_free(made, place_of_owner(&known));
                changes_free(made, place_of_offer(&known));
                end(&heard->episode, &known, out);
        } else if (heard->to_be_offered && is_known) {
                if (heard->version < known.offer_version) {
                        overtaken(&heard->episode, &known, heard->version, DOOR_BYTES_EMPTY, out);
                } else {
                        offer(view, policy, heard, &known, out);
                }
        }
}

static void hear_triage(door_view *view, const allot_policy *policy, const door_input *input, door_out *out)
{
        changes made = { 0 };

        if (input->type == ALLOT_INPUT_FOLDED) {
                fold(view, policy, input->body, &made, out);
        } else if (input->type == ALLOT_INPUT_RESTORED) {
                restore(view, policy, input->body, out);
        } else {
                hear_one(view, policy, input, &made, out);
        }
        if (out->events_count == 0 || made.freed_count > 0) {
                /* Not beside an offer: its own place is not counted yet. */
                places_fill(view, policy, input, &made, out);
        }
}

/* ---- commands */

typedef struct asked {
        door_view *view;
        const allot_policy *policy;
        const door_input *input;
        const allot_act *act;
        door_out *out;
        door_actor actor;
        allot_episode known;
} asked;

static void refuse(asked *a, uint32_t reason, const char *field, const char *detail)
{
        door_out_refuse(a->out, reason, field, detail);
}

/* The person is told where it stands now; nothing is undone. */
static void too_late(asked *a)
{
        overtaken(&a->act->episode, &a->known, (uint32_t)a->input->expected_version, a->input->actor, a->out);
}

static bool is_offered_to_actor(const asked *a)
{
        return a->known.offered.len > 0 && !a->known.ended &&
               door_bytes_equal(a->known.offered, a->actor.team);
}

static bool is_owned_by_actor(const asked *a)
{
        return a->known.has_owner_team && !a->known.ended && door_bytes_equal(a->known.owner, a->actor.team);
}

static void place_others(asked *a, door_bytes freed, door_bytes taken)
{
        changes made = { .taken = taken };

        changes_free(&made, freed);
        changes_leave(&made, &a->act->episode);
        places_fill(a->view, a->policy, a->input, &made, a->out);
}

static void accept(asked *a)
{
        if (a->actor.team.len == 0) {
                refuse(a, REASON_NOT_ALLOWED, "/actor", "a team accepts: role team-ID");
        } else if (!is_offered_to_actor(a)) {
                if (a->known.ended || a->input->expected_version != 0) {
                        too_late(a);
                } else {
                        refuse(a, ALLOT_NO_OFFER, "/episode", "no offer to your team is open");
                }
        } else if (a->act->lead.len == 0 || a->act->lead.len > ALLOT_LEAD_BYTES_MAX) {
                refuse(a, ALLOT_NO_LEAD, "/lead_practitioner",
                       "accepting names a lead practitioner, in at most 63 bytes");
        } else {
                allot_word *w = word(a->out, &a->act->episode);
                if (w != NULL) {
                        w->episode_version = a->known.offer_version;
                        w->team = a->actor.team;
                        w->owner = a->actor.team;
                        w->lead = a->act->lead;
                        w->by = a->input->actor;
                        w->from = a->known.has_owner_team ? a->known.owner : DOOR_BYTES_EMPTY;
                }
                (void)emit(a->out, ALLOT_ACCEPTED, w);
                place_others(a, w != NULL && !door_bytes_equal(w->from, w->team) ? w->from : DOOR_BYTES_EMPTY,
                             a->known.waiting ? a->actor.team : DOOR_BYTES_EMPTY);
        }
}

/* An offer is returned, or (by the team that has it) the family itself. */
static void give_back(asked *a)
{
        const bool offered = is_offered_to_actor(a);

        if (!offered && !is_owned_by_actor(a)) {
                if (a->known.ended || a->input->expected_version != 0) {
                        too_late(a);
                } else {
                        refuse(a, ALLOT_NO_OFFER, "/episode", "your team neither has it nor is offered it");
                }
                return;
        }
        if (a->act->text.len == 0 || a->act->text.len > ALLOT_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/text", "a return says why, in at most 2,000 bytes");
                return;
        }
        const bool hand_over = offered && a->known.hand_over;
        const uint32_t times = a->known.returned + (hand_over ? 0 : 1);
        const door_bytes owner = hand_over || (offered && a->known.has_owner_team)
                                         ? a->known.owner
                                         : allot_front_door(a->policy);
        allot_word *w = word(a->out, &a->act->episode);
        if (w != NULL) {
                w->episode_version = offered ? a->known.offer_version : a->known.owned_version;
                w->team = a->actor.team;
                w->reason = a->act->reason;
                w->text = a->act->text;
                w->owner = owner;
                w->times = times;
                w->by = a->input->actor;
                w->hand_over = hand_over;
        }
        (void)emit(a->out, ALLOT_RETURNED, w);
        if (!hand_over && times >= ALLOT_RETURNS_TO_A_MANAGER) {
                unroute(&a->act->episode, a->known.offer_version, times, owner, a->out);
        }
        place_others(a, offered ? place_of_offer(&a->known) : a->actor.team, DOOR_BYTES_EMPTY);
}

static bool other_team(asked *a)
{
        const allot_team *team = allot_team_named(a->policy, a->act->team);

        if (a->known.ended) {
                too_late(a);
        } else if (team == NULL || team->kind == ALLOT_FRONT_DOOR || team->kind == ALLOT_EMERGENCY_DUTY) {
                refuse(a, ALLOT_NO_SUCH_TEAM, "/team", "no team of the policy that takes families");
        } else if (a->known.has_owner_team && door_bytes_equal(a->known.owner, a->act->team)) {
                refuse(a, ALLOT_ALREADY_THERE, "/team", "that team has it already");
        } else if (a->act->text.len == 0 || a->act->text.len > ALLOT_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/reason", "it says why, in at most 2,000 bytes");
        } else {
                return true;
        }
        return false;
}

static void hand_over(asked *a)
{
        if (a->known.ended) {
                too_late(a);
        } else if (!is_owned_by_actor(a)) {
                refuse(a, ALLOT_NOT_YOURS, "/actor", "the team that has the family hands it over");
        } else if (other_team(a)) {
                const allot_team *team = allot_team_named(a->policy, a->act->team);
                allot_word *w = word(a->out, &a->act->episode);
                if (w != NULL) {
                        w->episode_version = a->known.owned_version;
                        w->team = a->act->team;
                        w->owner = a->known.owner;
                        w->by = a->input->actor;
                        w->text = a->act->text;
                        w->waiting = !allot_has_room(team, allot_load_get(a->view, team->id));
                }
                (void)emit(a->out, ALLOT_HAND_OVER_OFFERED, w);
        }
}

static void place(asked *a)
{
        if (!door_bytes_equal(a->actor.role, door_bytes_of("manager"))) {
                refuse(a, REASON_NOT_ALLOWED, "/actor", "a manager places it: role manager");
        } else if (other_team(a)) {
                const allot_team *team = allot_team_named(a->policy, a->act->team);
                allot_word *w = word(a->out, &a->act->episode);
                if (w != NULL) {
                        w->episode_version = a->known.offer_version;
                        w->team = a->act->team;
                        w->owner = a->known.owner;
                        w->text = a->act->text;
                        w->why = 1u << ALLOT_WHY_PLACED_BY_HAND;
                        w->load = allot_load_get(a->view, team->id) + 1;
                        w->capacity = team->has_capacity ? team->capacity : UINT32_MAX;
                        w->level = a->known.level;
                }
                (void)emit(a->out, ALLOT_OFFERED, w);
        }
}

static void obey(door_view *view, const allot_policy *policy, const door_input *input, door_out *out)
{
        asked a = { .view = view, .policy = policy, .input = input, .act = input->body, .out = out };

        if (policy == &no_policy) {
                out->retry = RETRY_NOT_READY;
                return;
        }
        if (!door_actor_read(input->actor, &a.actor)) {
                refuse(&a, REASON_NOT_ALLOWED, "/actor", "the actor is no person with a role");
        } else if (!policy->training) {
                refuse(&a, ALLOT_TRAINING_ONLY, "/actor", "acting for somebody works in training only");
        } else if (!allot_episode_get(view, &a.act->episode, &a.known)) {
                refuse(&a, REASON_NO_SUCH, "/episode", "there is no such episode");
        } else {
                switch ((allot_command)input->type) {
                case ALLOT_ACCEPT:
                        accept(&a);
                        break;
                case ALLOT_RETURN:
                        give_back(&a);
                        break;
                case ALLOT_HAND_OVER:
                        hand_over(&a);
                        break;
                case ALLOT_PLACE:
                        place(&a);
                        break;
                }
        }
}

void allot_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        const allot_policy *mine = policy != NULL ? policy : &no_policy;

        if (input->kind == DOOR_INPUT_COMMAND) {
                obey(view, mine, input, out);
        } else if (input->kind == DOOR_INPUT_EVENT) {
                hear_triage(view, mine, input, out);
        }
}

uint64_t allot_next_deadline(door_view *view)
{
        (void)view;
        return 0; /* Offers wait for people and places, not for time. */
}
