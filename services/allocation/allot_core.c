#include "allocation/allot_core.h"

#include <string.h>

#include "allocation/allot_route.h"
#include "door/actor.h"

/* Reasons of envelope.proto the core answers with. */
enum { REASON_NOT_ALLOWED = 2, REASON_INVALID = 4, REASON_NO_SUCH = 5 };
enum { RETRY_NOT_READY = 8 };

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
static void emit(door_out *out, allot_event type, const allot_word *body)
{
        if (body != NULL) {
                door_event *event = door_out_event(out, type, body);
                if (event != NULL) {
                        door_event_subject(event, DOOR_ID_EPISODE, &body->episode);
                }
        }
}

/*
 * A place has come free, or a policy has made one: who has waited longest for a team with room is
 * offered to it. `freed` is a team whose load one of this input's own records lowers; decide does
 * not see that yet. At most a few an input; the next input goes on.
 */
static void places_fill(door_view *view, const allot_policy *policy, const door_input *input,
                        door_bytes freed, const door_id *leaving, door_out *out)
{
        size_t placed = 0;

        for (size_t i = 0;
             i < policy->teams_count && placed < ALLOT_PLACED_PER_INPUT && allot_waiting_any(view); i++) {
                const allot_team *team = &policy->teams[i];
                const uint32_t before = allot_load_get(view, team->id);
                const uint32_t load = before > 0 && door_bytes_equal(team->id, freed) ? before - 1 : before;
                uint64_t since_ms = 0;
                door_id episode;
                if (!allot_has_room(team, load) ||
                    !allot_waiting_first(view, team->id, &since_ms, &episode) ||
                    (leaving != NULL && door_id_equal(&episode, leaving))) {
                        continue;
                }
                allot_word *w = word(out, &episode);
                if (w != NULL) {
                        w->team = team->id;
                        w->waited_ms = input->now_ms > since_ms ? input->now_ms - since_ms : 0;
                }
                emit(out, ALLOT_OFFER_PLACED, w);
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
        emit(out, ALLOT_OWNER_NAMED, w);
}

static void end(const door_id *id, const allot_episode *known, door_out *out)
{
        allot_word *w = word(out, id);

        if (w != NULL) {
                w->team = known->owner;
        }
        emit(out, ALLOT_ENDED, w);
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
        emit(out, ALLOT_OVERTAKEN, w);
}

static void unroute(const door_id *id, uint32_t version, uint32_t returned, door_bytes owner, door_out *out)
{
        allot_word *w = word(out, id);

        if (w != NULL) {
                w->episode_version = version;
                w->owner = owner;
                w->times = returned;
        }
        emit(out, ALLOT_UNROUTED, w);
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
        emit(out, ALLOT_OFFERED, w);
}

static void hear_triage(door_view *view, const allot_policy *policy, const door_input *input, door_out *out)
{
        const allot_episode_word *heard = input->body;
        allot_episode known = { 0 };
        const bool is_known = allot_episode_get(view, &heard->episode, &known) && !known.ended;
        door_bytes freed = DOOR_BYTES_EMPTY;

        if (input->type == ALLOT_INPUT_OPENED || input->type == ALLOT_INPUT_REOPENED) {
                if (!is_known) {
                        name_owner(policy, heard, out);
                }
        } else if (heard->ends && is_known) {
                freed = known.has_owner_team                      ? known.owner
                        : known.offered.len > 0 && !known.waiting ? known.offered
                                                                  : DOOR_BYTES_EMPTY;
                end(&heard->episode, &known, out);
        } else if (heard->to_be_offered && is_known) {
                if (heard->version < known.offer_version) {
                        overtaken(&heard->episode, &known, heard->version, DOOR_BYTES_EMPTY, out);
                } else {
                        offer(view, policy, heard, &known, out);
                }
        }
        if (out->events_count == 0 || freed.len > 0) {
                /* Not beside an offer: its own place is not counted yet. */
                places_fill(view, policy, input, freed, &heard->episode, out);
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
                emit(a->out, ALLOT_ACCEPTED, w);
                places_fill(a->view, a->policy, a->input,
                            w != NULL && !door_bytes_equal(w->from, w->team) ? w->from : DOOR_BYTES_EMPTY,
                            &a->act->episode, a->out);
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
        emit(a->out, ALLOT_RETURNED, w);
        if (!hand_over && times >= ALLOT_RETURNS_TO_A_MANAGER) {
                unroute(&a->act->episode, a->known.offer_version, times, owner, a->out);
        }
        places_fill(a->view, a->policy, a->input,
                    a->known.waiting && offered ? DOOR_BYTES_EMPTY : a->actor.team, &a->act->episode, a->out);
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
        if (!is_owned_by_actor(a)) {
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
                emit(a->out, ALLOT_HAND_OVER_OFFERED, w);
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
                emit(a->out, ALLOT_OFFERED, w);
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

/* ---- apply */

/* The open offer, if there is one, is no more. */
static void offer_withdraw(door_view *view, const door_id *id, allot_episode *e)
{
        if (e->offered.len == 0) {
                return;
        }
        if (e->waiting) {
                allot_waiting_delete(view, e->offered, e->waiting_since_ms, id);
        } else if (!e->has_owner_team || !door_bytes_equal(e->owner, e->offered)) {
                allot_load_add(view, e->offered, -1);
        }
        e->offered = DOOR_BYTES_EMPTY;
        e->waiting = false;
        e->hand_over = false;
}

static void offer_make(door_view *view, const door_id *id, allot_episode *e, const allot_word *w,
                       uint64_t at_ms, bool hand_over)
{
        offer_withdraw(view, id, e);
        e->offered = w->team;
        e->waiting = w->waiting;
        e->hand_over = hand_over;
        e->offer_version = w->episode_version;
        if (w->waiting) {
                e->waiting_since_ms = at_ms;
                allot_waiting_put(view, w->team, at_ms, id);
        } else if (!e->has_owner_team || !door_bytes_equal(e->owner, w->team)) {
                allot_load_add(view, w->team, 1);
        }
}

static void owner_leave(door_view *view, allot_episode *e)
{
        if (e->has_owner_team) {
                allot_load_add(view, e->owner, -1);
                e->has_owner_team = false;
                e->lead = DOOR_BYTES_EMPTY;
        }
}

static void apply_accepted(door_view *view, const allot_word *w, allot_episode *e)
{
        const bool owned_already = e->has_owner_team && door_bytes_equal(e->owner, w->team);

        DOOR_REQUIRE(door_bytes_equal(e->offered, w->team));
        if (e->waiting) {
                /* Taken although there was no room: the place is its own now. */
                allot_waiting_delete(view, e->offered, e->waiting_since_ms, &w->episode);
                allot_load_add(view, w->team, owned_already ? 0 : 1);
        }
        if (!owned_already) {
                owner_leave(view, e);
        }
        e->offered = DOOR_BYTES_EMPTY;
        e->waiting = false;
        e->hand_over = false;
        e->owner = w->team;
        e->has_owner_team = true;
        e->owned_version = w->episode_version;
        e->lead = w->lead;
        e->last = w->team;
        e->returned = 0;
        e->returned_by_count = 0;
}

static void apply_returned(door_view *view, const allot_word *w, allot_episode *e)
{
        const bool offered = door_bytes_equal(e->offered, w->team);

        if (offered) {
                offer_withdraw(view, &w->episode, e);
        } else {
                owner_leave(view, e);
        }
        if (!w->hand_over) {
                e->returned = w->times;
                if (e->returned_by_count < ALLOT_RETURNED_MAX) {
                        e->returned_by[e->returned_by_count++] = w->team;
                }
        }
        e->owner = w->owner;
}

void allot_apply(door_view *view, const door_event *event)
{
        const allot_word *w = event->body;
        allot_episode e = { 0 };
        const bool known = allot_episode_get(view, &w->episode, &e);

        if (!known && event->type != ALLOT_OWNER_NAMED) {
                return; /* Erased. */
        }
        switch ((allot_event)event->type) {
        case ALLOT_OWNER_NAMED:
                e.owner = w->owner;
                e.ended = false;
                break;
        case ALLOT_OFFERED:
                e.level = w->level;
                offer_make(view, &w->episode, &e, w, event->at_ms, false);
                break;
        case ALLOT_HAND_OVER_OFFERED:
                offer_make(view, &w->episode, &e, w, event->at_ms, true);
                break;
        case ALLOT_OFFER_PLACED:
                DOOR_REQUIRE(e.waiting && door_bytes_equal(e.offered, w->team));
                allot_waiting_delete(view, e.offered, e.waiting_since_ms, &w->episode);
                allot_load_add(view, e.offered, 1);
                e.waiting = false;
                break;
        case ALLOT_UNROUTED:
                offer_withdraw(view, &w->episode, &e);
                e.offer_version = w->episode_version;
                break;
        case ALLOT_ACCEPTED:
                apply_accepted(view, w, &e);
                break;
        case ALLOT_RETURNED:
                apply_returned(view, w, &e);
                break;
        case ALLOT_ENDED:
                offer_withdraw(view, &w->episode, &e);
                owner_leave(view, &e);
                e.ended = true;
                break;
        case ALLOT_OVERTAKEN:
                return;
        }
        allot_episode_put(view, &w->episode, &e);
}
