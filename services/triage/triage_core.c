#include "triage/triage_core.h"

#include <string.h>

#include "door/actor.h"
#include "triage/triage_join.h"
#include "triage/triage_out.h"
#include "triage/triage_rules.h"

enum {
        MS_PER_MIN = 60000,
        MS_PER_DAY = 86400000,
        HISTORY_PAUSE_MS = 10000,    /* an import that is silent for so long has ended, or rests */
        WAITING_AT_A_DECISION = 512, /* attachments one decision may answer for */
        TICK_ITEMS_MAX = 48,         /* records one tick may leave */
};

/* Reasons of envelope.proto the core answers with. */
enum { REASON_STALE_VERSION = 1, REASON_NOT_ALLOWED = 2, REASON_INVALID = 4, REASON_NO_SUCH = 5 };
enum { RETRY_NOT_READY = 8 };

/* ---- the states, as a table */

#define TO(state) (1u << (state))
enum {
        OPEN_STATES = TO(TRIAGE_QUEUED) | TO(TRIAGE_OFFERED) | TO(TRIAGE_ACTIVE) | TO(TRIAGE_IMPORTED),
        ANY_STATE = OPEN_STATES | TO(TRIAGE_STATE_CLOSED) | TO(TRIAGE_FOLDED),
};

typedef struct move {
        triage_event event;
        uint32_t from; /* TO bits. */
        uint32_t to;   /* TO bits; besides these, with `stays`, the state it was in. */
        bool stays;
} move;

static const move triage_moves[] = {
        { TRIAGE_EPISODE_OPENED, TO(TRIAGE_NONE), TO(TRIAGE_QUEUED) | TO(TRIAGE_IMPORTED), false },
        { TRIAGE_REFERRAL_ATTACHED, OPEN_STATES, TO(TRIAGE_QUEUED), true },
        { TRIAGE_TAKEN, OPEN_STATES, 0, true },
        { TRIAGE_TAKE_ENDED, OPEN_STATES, 0, true },
        { TRIAGE_DECIDED, TO(TRIAGE_QUEUED) | TO(TRIAGE_IMPORTED),
          TO(TRIAGE_OFFERED) | TO(TRIAGE_ACTIVE) | TO(TRIAGE_STATE_CLOSED), false },
        { TRIAGE_LOOK_LISTED, OPEN_STATES, 0, true },
        { TRIAGE_LOOK_ANSWERED, OPEN_STATES, TO(TRIAGE_QUEUED), true },
        { TRIAGE_RESPONDED, OPEN_STATES, 0, true },
        { TRIAGE_ACTIVATED, TO(TRIAGE_OFFERED) | TO(TRIAGE_ACTIVE), TO(TRIAGE_ACTIVE), false },
        { TRIAGE_RETURNED, TO(TRIAGE_OFFERED) | TO(TRIAGE_ACTIVE), TO(TRIAGE_QUEUED), false },
        { TRIAGE_CLOSED, TO(TRIAGE_ACTIVE) | TO(TRIAGE_IMPORTED), TO(TRIAGE_STATE_CLOSED), false },
        { TRIAGE_REOPENED, TO(TRIAGE_STATE_CLOSED), TO(TRIAGE_QUEUED), false },
        { TRIAGE_OVERTAKEN, ANY_STATE, 0, true },
        { TRIAGE_EPISODE_FOLDED, OPEN_STATES, TO(TRIAGE_FOLDED), false },
        { TRIAGE_RESTORED, TO(TRIAGE_FOLDED),
          TO(TRIAGE_QUEUED) | TO(TRIAGE_ACTIVE) | TO(TRIAGE_IMPORTED) | TO(TRIAGE_STATE_CLOSED), false },
        { TRIAGE_FAMILY_CHANGED, OPEN_STATES | TO(TRIAGE_STATE_CLOSED), 0, true },
        { TRIAGE_DETACHED, OPEN_STATES | TO(TRIAGE_STATE_CLOSED), 0, true },
        { TRIAGE_MATCH_SETTLED, OPEN_STATES, 0, true },
};

bool triage_may(triage_event event, triage_state from, triage_state to)
{
        for (size_t i = 0; i < sizeof triage_moves / sizeof triage_moves[0]; i++) {
                const move *m = &triage_moves[i];
                if (m->event == event && (m->from & TO(from)) != 0) {
                        return (m->to & TO(to)) != 0 || (m->stays && from == to);
                }
        }
        return false;
}

/* ---- small helpers */

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* ---- a referral finds its place */

static bool is_expired(const triage_episode *episode, uint64_t at_ms)
{
        return episode->state == TRIAGE_IMPORTED && episode->idle_at_ms < at_ms;
}

static uint64_t idle_at(const triage_policy *policy, triage_state state, uint64_t last_ms)
{
        return state == TRIAGE_IMPORTED ? last_ms + (uint64_t)policy->historic_episode_days * MS_PER_DAY : 0;
}

static void children_collect(door_view *view, const triage_matched *m, const door_id *episode,
                             triage_placed *placed, door_out *out)
{
        door_id *children = door_arena_take(out->arena, TRIAGE_CHILDREN_MAX * sizeof *children);
        door_id open;

        if (children == NULL) {
                return;
        }
        for (size_t i = 0; i < m->people_count && placed->children_count < TRIAGE_CHILDREN_MAX; i++) {
                if (!m->people[i].child) {
                        continue;
                }
                const bool subject_now = triage_child_open(view, &m->people[i].person, &open);
                const bool ours = subject_now && episode != NULL && door_id_equal(&open, episode);
                const bool elsewhere = subject_now && !ours;
                if (elsewhere) {
                        placed->why |= TRIAGE_BIT(TRIAGE_WHY_SUBJECT_ELSEWHERE);
                }
                /* A new episode's subjects are the free; an open one is told of everybody new to it. */
                if (!ours && !(elsewhere && episode == NULL)) {
                        children[placed->children_count++] = m->people[i].person;
                }
        }
        placed->children = children;
}

/* What a record about a placed referral repeats of it. */
static triage_placed *placed_begin(const triage_matched *m, door_out *out)
{
        triage_placed *placed = TRIAGE_BODY(out, triage_placed);

        if (placed != NULL) {
                placed->referral = m->referral;
                placed->family = m->family;
                placed->received_at_ms = m->received_at_ms;
                placed->sent_at_ms = m->sent_at_ms;
                placed->agency = m->agency;
                placed->grade = m->grade;
                placed->categories = m->categories;
                placed->historic = m->historic;
                placed->uncertain = m->uncertain;
                placed->has_resend = m->has_resend;
                placed->resend_of = m->resend_of;
                placed->routing = m->routing;
                placed->routing_own = m->routing;
        }
        return placed;
}

static void open_episode(door_view *view, const triage_policy *policy, const door_input *input,
                         const triage_matched *m, door_out *out)
{
        triage_placed *placed = placed_begin(m, out);

        if (placed == NULL) {
                return;
        }
        placed->episode = door_id_make(input->random, DOOR_ID_EPISODE, 0);
        placed->version = 1;
        placed->state = m->historic ? TRIAGE_IMPORTED : TRIAGE_QUEUED;
        placed->severity_own = triage_severity(policy, m);
        placed->severity = placed->severity_own;
        placed->why |= triage_why_opened(policy, m, placed->severity);
        placed->clocks = triage_clocks_of(policy, placed->severity, m->received_at_ms);
        placed->look_by_ms = earlier(placed->clocks.rag_ms, placed->clocks.statutory_ms);
        placed->idle_at_ms = idle_at(policy, placed->state, m->received_at_ms);
        placed->has_previous = triage_family_last(view, &m->family, &placed->previous);
        children_collect(view, m, NULL, placed, out);
        triage_emit_placed(out, TRIAGE_EPISODE_OPENED, placed);
}

static void attach(door_view *view, const triage_policy *policy, const triage_matched *m, const door_id *id,
                   const triage_episode *episode, door_out *out)
{
        triage_placed *placed = placed_begin(m, out);

        if (placed == NULL) {
                return;
        }
        placed->episode = *id;
        placed->version = episode->version + 1;
        placed->severity_own = triage_severity(policy, m);
        placed->severity = episode->severity;
        placed->clocks = episode->clocks;
        placed->state = episode->state;
        placed->routing = triage_routing_join(&episode->routing, &m->routing);
        children_collect(view, m, id, placed, out);
        if (!m->historic || episode->state == TRIAGE_IMPORTED) {
                const triage_clocks own = triage_clocks_of(policy, placed->severity_own, m->received_at_ms);
                placed->severity =
                        placed->severity_own > episode->severity ? placed->severity_own : episode->severity;
                placed->clocks.rag_ms = earlier(own.rag_ms, episode->clocks.rag_ms);
                placed->clocks.statutory_ms = earlier(own.statutory_ms, episode->clocks.statutory_ms);
                if (!m->historic) {
                        uint64_t why = 0;
                        placed->way = triage_way_of(policy, m, placed->severity_own, episode,
                                                    placed->children_count > 0, &why);
                        placed->why |= why;
                }
                if (episode->state != TRIAGE_QUEUED) {
                        /* The clocks of what has been decided have stopped; this referral's run. */
                        placed->clocks = own;
                }
                placed->respond_by_ms =
                        placed->way == TRIAGE_WITH_WORKER
                                ? triage_respond_by(policy, placed->severity_own, m->grade, m->received_at_ms)
                                : 0;
                placed->look_by_ms = earlier(own.rag_ms, own.statutory_ms);
                if (placed->way == TRIAGE_LOOK_NOW) {
                        placed->state = TRIAGE_QUEUED;
                }
        }
        placed->idle_at_ms =
                idle_at(policy, placed->state,
                        m->received_at_ms > episode->last_ms ? m->received_at_ms : episode->last_ms);
        triage_emit_placed(out, TRIAGE_REFERRAL_ATTACHED, placed);
}

static void close_idle(const door_id *id, const triage_episode *episode, door_out *out)
{
        triage_moved *moved = TRIAGE_BODY(out, triage_moved);

        if (moved != NULL) {
                moved->episode = *id;
                moved->version = episode->version + 1;
                moved->outcome = TRIAGE_BEFORE_THIS_SYSTEM;
        }
        triage_emit(out, TRIAGE_CLOSED, moved, id, NULL);
}

static void place(door_view *view, const triage_policy *policy, const door_input *input, door_out *out)
{
        const triage_matched *m = input->body;
        triage_episode episode;
        door_id id;

        if (m->historic && !(policy->training && policy->replay_history)) {
                const triage_placed *placed = placed_begin(m, out);
                if (placed != NULL) {
                        triage_emit_placed(out, TRIAGE_HISTORY_NOTED, placed);
                }
                return;
        }
        if (!triage_family_open(view, &m->family, &id) || !triage_episode_get(view, &id, &episode)) {
                open_episode(view, policy, input, m, out);
                return;
        }
        if (is_expired(&episode, m->received_at_ms)) {
                close_idle(&id, &episode, out);
                open_episode(view, policy, input, m, out);
                for (size_t i = 0; i < out->events_count; i++) {
                        /* decide sees the state before its own events: the one just closed is the last. */
                        if (out->events[i].type == TRIAGE_EPISODE_OPENED) {
                                triage_placed *placed = (triage_placed *)(uintptr_t)out->events[i].body;
                                placed->has_previous = true;
                                placed->previous = id;
                        }
                }
                return;
        }
        attach(view, policy, m, &id, &episode, out);
}

/* ---- allocation's word */

static void moved_emit(door_out *out, triage_event type, const door_id *id, const triage_episode *episode,
                       const triage_allotted *allotted, bool holds)
{
        triage_moved *moved = TRIAGE_BODY(out, triage_moved);

        if (moved != NULL) {
                moved->episode = *id;
                moved->version = type == TRIAGE_OVERTAKEN ? episode->version : episode->version + 1;
                moved->team = allotted->team;
                moved->team_holds = holds;
                moved->times = episode->returned + 1;
                moved->acted_on = allotted->episode_version;
        }
        triage_emit(out, type, moved, id, NULL);
}

static void hear_allocation(door_view *view, const door_input *input, door_out *out)
{
        const triage_allotted *allotted = input->body;
        const bool accepted = input->type == TRIAGE_INPUT_ACCEPTED;
        triage_episode episode;

        if (!triage_episode_get(view, &allotted->episode, &episode) || (!accepted && allotted->hand_over)) {
                return; /* A refused hand-over changes nothing here: the giver holds it as before. */
        }
        const triage_event event = accepted ? TRIAGE_ACTIVATED : TRIAGE_RETURNED;
        const bool current = allotted->episode_version >= episode.decided_version;
        const bool may = triage_may(event, episode.state, accepted ? TRIAGE_ACTIVE : TRIAGE_QUEUED);
        moved_emit(out, current && may ? event : TRIAGE_OVERTAKEN, &allotted->episode, &episode, allotted,
                   accepted || allotted->keeps);
}

/* ---- commands */

/* One command under decision. */
typedef struct asked {
        door_view *view;
        const triage_policy *policy;
        const door_input *input;
        door_out *out;
        door_actor actor;
        door_id id;
        triage_episode episode;
} asked;

static bool is_front_door(const door_actor *actor)
{
        return door_bytes_equal(actor->role, door_bytes_of("triage")) ||
               door_bytes_equal(actor->role, door_bytes_of("manager"));
}

static bool is_manager(const door_actor *actor)
{
        return door_bytes_equal(actor->role, door_bytes_of("manager"));
}

static void refuse(asked *a, uint32_t reason, const char *field, const char *detail)
{
        door_out_refuse(a->out, reason, field, detail);
}

static bool need_front_door(asked *a)
{
        if (!is_front_door(&a->actor)) {
                refuse(a, REASON_NOT_ALLOWED, "/actor", "that is for the front door: role triage or manager");
                return false;
        }
        return true;
}

static bool lease_runs(const asked *a)
{
        return a->episode.taken_until_ms > a->input->now_ms;
}

static bool is_taken_by_actor(const asked *a)
{
        return lease_runs(a) && door_bytes_equal(a->episode.taken_by, a->input->actor);
}

/* Too late, and nobody's fault: recorded, answered with where the episode stands now. */
static void overtaken(asked *a)
{
        triage_moved *moved = TRIAGE_BODY(a->out, triage_moved);

        if (moved != NULL) {
                moved->episode = a->id;
                moved->version = a->episode.version;
                moved->acted_on = (uint32_t)a->input->expected_version;
                moved->by = a->input->actor;
        }
        triage_emit(a->out, TRIAGE_OVERTAKEN, moved, &a->id, NULL);
}

static void take(asked *a)
{
        triage_take *taken = TRIAGE_BODY(a->out, triage_take);

        if (!need_front_door(a)) {
                return;
        }
        if (!triage_state_is_open(a->episode.state)) {
                overtaken(a);
                return;
        }
        if (a->episode.state != TRIAGE_QUEUED && a->episode.state != TRIAGE_IMPORTED &&
            a->episode.looks == 0) {
                refuse(a, TRIAGE_WRONG_STATE, "/episode", "nothing of it waits for the front door");
                return;
        }
        if (lease_runs(a) && !is_taken_by_actor(a)) {
                refuse(a, TRIAGE_TAKEN_BY_OTHER, "/episode", "somebody else is working on it");
                return;
        }
        if (taken != NULL) {
                taken->episode = a->id;
                taken->until_ms = a->input->now_ms + (uint64_t)a->policy->lease_min * MS_PER_MIN;
                taken->by = a->input->actor;
        }
        triage_emit(a->out, TRIAGE_TAKEN, taken, &a->id, NULL);
}

static void take_end(door_out *out, const door_id *id, triage_take_end end, door_bytes by)
{
        triage_take *taken = TRIAGE_BODY(out, triage_take);

        if (taken != NULL) {
                taken->episode = *id;
                taken->end = end;
                taken->by = by;
        }
        triage_emit(out, TRIAGE_TAKE_ENDED, taken, id, NULL);
}

static void put_back(asked *a)
{
        if (!is_taken_by_actor(a)) {
                refuse(a, TRIAGE_NOT_TAKEN, "/episode", "you are not working on it");
                return;
        }
        take_end(a->out, &a->id, TRIAGE_TAKE_PUT_BACK, a->episode.taken_by);
}

static triage_state state_after(uint8_t next_step)
{
        return next_step == TRIAGE_ADVICE || next_step == TRIAGE_NO_FURTHER_ACTION ? TRIAGE_STATE_CLOSED
               : next_step == TRIAGE_EXISTING_WORKER                               ? TRIAGE_ACTIVE
                                                                                   : TRIAGE_OFFERED;
}

/* False, and refused, where the decision may not be made by this actor, or now. */
static bool decision_may(asked *a, const triage_decide_body *decide)
{
        const triage_authority needs = triage_authority_of(&a->episode, decide);

        if (a->episode.state != TRIAGE_QUEUED && a->episode.state != TRIAGE_IMPORTED) {
                refuse(a, TRIAGE_WRONG_STATE, "/episode", "it does not wait for a threshold decision");
        } else if (a->input->expected_version != a->episode.version) {
                refuse(a, REASON_STALE_VERSION, "/expected_version",
                       "something was added since you looked: show it, then decide");
        } else if (!is_taken_by_actor(a)) {
                refuse(a, TRIAGE_NOT_TAKEN, "/episode", "take it first");
        } else if (decide->level < 1 || decide->level > TRIAGE_LEVEL_MAX) {
                refuse(a, REASON_INVALID, "/level", "1 to 4");
        } else if (decide->reason.len == 0 || decide->reason.len > TRIAGE_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/reason", "a decision has a reason, of at most 2,000 bytes");
        } else if (decide->has_severity && decide->severity > TRIAGE_SEVERITY_MAX) {
                refuse(a, REASON_INVALID, "/severity", "0 to 100");
        } else if (decide->next_step == TRIAGE_EXISTING_WORKER && a->episode.team.len == 0) {
                refuse(a, TRIAGE_WRONG_STATE, "/next_step", "no team has accepted this family");
        } else if (needs.manager && !is_manager(&a->actor)) {
                refuse(a, TRIAGE_AUTHORITY, "/next_step", "this decision is a manager's");
        } else if (needs.second_person && (decide->second_person.len == 0 ||
                                           door_bytes_equal(decide->second_person, a->actor.name))) {
                refuse(a, TRIAGE_AUTHORITY, "/second_person", "this decision takes a second person");
        } else if (a->episode.waiting > WAITING_AT_A_DECISION) {
                refuse(a, TRIAGE_LOOKS_OPEN, "/episode", "answer its look list first");
        } else {
                return true;
        }
        return false;
}

/* Who was named and is no subject yet, in whichever of the episode's lives. */
static size_t pending_collect(door_view *view, const door_id *id, door_id *ret_children)
{
        door_id lives[TRIAGE_LIVES_MAX];
        const size_t lives_count = triage_lives_of(view, id, lives);
        size_t count = 0;
        bool all = true;

        for (size_t i = 0; i < lives_count && count < TRIAGE_CHILDREN_MAX; i++) {
                count += triage_pending_of(view, &lives[i], ret_children + count, TRIAGE_CHILDREN_MAX - count,
                                           &all);
        }
        return count;
}

static void decide_threshold(asked *a)
{
        const triage_decide_body *decide = a->input->body;

        if (!need_front_door(a)) {
                return;
        }
        if (!triage_state_is_open(a->episode.state)) {
                overtaken(a);
                return;
        }
        if (!decision_may(a, decide)) {
                return;
        }
        triage_decided *decided = TRIAGE_BODY(a->out, triage_decided);
        door_id *children = door_arena_take(a->out->arena, TRIAGE_CHILDREN_MAX * sizeof *children);
        if (decided == NULL || children == NULL) {
                return;
        }
        decided->episode = a->id;
        decided->version = a->episode.version + 1;
        decided->level = decide->level;
        decided->next_step = decide->next_step;
        decided->state = state_after(decide->next_step);
        decided->by = a->input->actor;
        decided->second_person = decide->second_person;
        decided->severity = decide->has_severity ? decide->severity : a->episode.severity;
        decided->routing = a->episode.routing;
        decided->has_previous = a->episode.has_previous;
        decided->previous = a->episode.previous;
        decided->referrals = a->episode.referrals;
        decided->reason = decide->reason;
        decided->children = children;
        decided->children_count = pending_collect(a->view, &a->id, children);
        triage_emit(a->out, TRIAGE_DECIDED, decided, &a->id, NULL);
}

static bool is_home(door_view *view, const door_id *episode, const door_id *home)
{
        const door_id found = triage_home(view, episode);
        return door_id_equal(&found, home);
}

/* The row of an attachment that a person answers; false, and answered, when there is none. */
static bool attachment(asked *a, const triage_act *act, triage_waits waits, triage_referral *ret_row)
{
        if (!triage_referral_get(a->view, &act->referral, ret_row) ||
            !is_home(a->view, &ret_row->episode, &a->id)) {
                refuse(a, REASON_NO_SUCH, "/referral", "it is not attached to this episode");
                return false;
        }
        if (act->text.len == 0 || act->text.len > TRIAGE_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/reason", "an answer says why, in at most 2,000 bytes");
                return false;
        }
        if (ret_row->waits != waits) {
                overtaken(a);
                return false;
        }
        return true;
}

static triage_looked *looked_begin(asked *a, const triage_act *act)
{
        triage_looked *looked = TRIAGE_BODY(a->out, triage_looked);

        if (looked != NULL) {
                looked->episode = a->id;
                looked->version = a->episode.version;
                looked->referral = act->referral;
                looked->answer = act->answer;
                looked->by = a->input->actor;
                looked->text = act->text;
                looked->has_children_seen = act->has_children_seen;
                looked->children_seen = act->children_seen;
                looked->state = a->episode.state;
        }
        return looked;
}

static void answer_look(asked *a)
{
        const triage_act *act = a->input->body;
        triage_referral row;

        if (!need_front_door(a) || !attachment(a, act, TRIAGE_WAITS_LOOK, &row)) {
                return;
        }
        if (lease_runs(a) && !is_taken_by_actor(a)) {
                refuse(a, TRIAGE_TAKEN_BY_OTHER, "/episode", "somebody else is working on it");
                return;
        }
        triage_looked *looked = looked_begin(a, act);
        if (looked != NULL) {
                looked->version = a->episode.version + 1;
                looked->looks_left = a->episode.looks - 1;
                if (act->answer != TRIAGE_NOTHING_CHANGES) {
                        looked->state = TRIAGE_QUEUED;
                }
        }
        triage_emit(a->out, TRIAGE_LOOK_ANSWERED, looked, &a->id, &act->referral);
}

static void look_list(door_out *out, const door_id *episode, const door_id *referral, uint8_t why,
                      uint64_t look_by_ms)
{
        triage_looked *looked = TRIAGE_BODY(out, triage_looked);

        if (looked != NULL) {
                looked->episode = *episode;
                looked->referral = *referral;
                looked->why = why;
                looked->look_by_ms = look_by_ms;
        }
        triage_emit(out, TRIAGE_LOOK_LISTED, looked, episode, referral);
}

static bool is_of_team(const asked *a)
{
        return a->episode.team.len > 0 && door_bytes_equal(a->actor.team, a->episode.team);
}

static void respond(asked *a)
{
        const triage_act *act = a->input->body;
        triage_referral row;

        if (!is_of_team(a)) {
                refuse(a, REASON_NOT_ALLOWED, "/actor", "the team that holds the family answers");
                return;
        }
        if (!attachment(a, act, TRIAGE_WAITS_RESPONSE, &row)) {
                return;
        }
        triage_emit(a->out, TRIAGE_RESPONDED, looked_begin(a, act), &a->id, &act->referral);
        if (act->answer != TRIAGE_FAMILY_YES) {
                look_list(a->out, &a->id, &act->referral, TRIAGE_WHY_TEAM_NOT_SURE, row.look_by_ms);
        }
}

static void close_episode(asked *a)
{
        const triage_act *act = a->input->body;

        if (!is_of_team(a) && !is_manager(&a->actor)) {
                refuse(a, REASON_NOT_ALLOWED, "/actor",
                       "the team that holds the family, or a manager, closes");
        } else if (!triage_state_is_open(a->episode.state)) {
                overtaken(a);
        } else if (a->episode.state != TRIAGE_ACTIVE) {
                refuse(a, TRIAGE_WRONG_STATE, "/episode", "it waits for a decision or for a team");
        } else if (a->input->expected_version != 0 && a->input->expected_version != a->episode.version) {
                refuse(a, REASON_STALE_VERSION, "/expected_version",
                       "something was added since you looked: show it, then close");
        } else if (a->episode.waiting > 0) {
                refuse(a, TRIAGE_LOOKS_OPEN, "/episode", "an attached referral has not been answered");
        } else if (act->answer == TRIAGE_CONSENT_WITHDRAWN && !is_manager(&a->actor)) {
                refuse(a, TRIAGE_AUTHORITY, "/outcome", "withdrawn consent is a manager's decision");
        } else if (act->answer != TRIAGE_HELPED && act->answer != TRIAGE_CLOSE_OTHER_COUNCIL &&
                   act->answer != TRIAGE_CONSENT_WITHDRAWN) {
                refuse(a, REASON_INVALID, "/outcome", "not an outcome of help that was given");
        } else if (act->text.len == 0 || act->text.len > TRIAGE_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/reason", "closing says why, in at most 2,000 bytes");
        } else {
                triage_moved *moved = TRIAGE_BODY(a->out, triage_moved);
                if (moved != NULL) {
                        moved->episode = a->id;
                        moved->version = a->episode.version + 1;
                        moved->outcome = act->answer;
                        moved->by = a->input->actor;
                        moved->text = act->text;
                }
                triage_emit(a->out, TRIAGE_CLOSED, moved, &a->id, NULL);
        }
}

static void reopen(asked *a)
{
        const triage_act *act = a->input->body;
        door_id open;

        if (!need_front_door(a)) {
                return;
        }
        if (triage_state_is_open(a->episode.state)) {
                overtaken(a);
        } else if (triage_family_open(a->view, &a->episode.family, &open)) {
                refuse(a, TRIAGE_WRONG_STATE, "/episode", "the family has another open episode");
        } else if (a->episode.state != TRIAGE_STATE_CLOSED) {
                refuse(a, TRIAGE_WRONG_STATE, "/episode", "it lives on in another");
        } else if (act->text.len == 0 || act->text.len > TRIAGE_TEXT_BYTES_MAX) {
                refuse(a, REASON_INVALID, "/reason", "reopening says why, in at most 2,000 bytes");
        } else {
                triage_moved *moved = TRIAGE_BODY(a->out, triage_moved);
                if (moved != NULL) {
                        moved->episode = a->id;
                        moved->version = a->episode.version + 1;
                        moved->severity = a->episode.severity;
                        moved->clocks = triage_clocks_of(a->policy, a->episode.severity, a->input->now_ms);
                        moved->by = a->input->actor;
                        moved->text = act->text;
                }
                triage_emit(a->out, TRIAGE_REOPENED, moved, &a->id, NULL);
        }
}

static void obey(door_view *view, const triage_policy *policy, const door_input *input, door_out *out)
{
        asked a = { .view = view, .policy = policy, .input = input, .out = out };
        const door_id *id = input->type == TRIAGE_DECIDE ? &((const triage_decide_body *)input->body)->episode
                                                         : &((const triage_act *)input->body)->episode;

        if (policy == &triage_policy_default) {
                out->retry = RETRY_NOT_READY;
                return;
        }
        a.id = *id;
        if (!door_actor_read(input->actor, &a.actor)) {
                refuse(&a, REASON_NOT_ALLOWED, "/actor", "the actor is no person with a role");
                return;
        }
        if (!policy->training) {
                refuse(&a, TRIAGE_TRAINING_ONLY, "/actor", "acting for somebody works in training only");
                return;
        }
        if (!triage_episode_get(view, id, &a.episode)) {
                refuse(&a, REASON_NO_SUCH, "/episode", "there is no such episode");
                return;
        }
        switch ((triage_command)input->type) {
        case TRIAGE_TAKE:
                take(&a);
                break;
        case TRIAGE_PUT_BACK:
                put_back(&a);
                break;
        case TRIAGE_DECIDE:
                decide_threshold(&a);
                break;
        case TRIAGE_ANSWER_LOOK:
                answer_look(&a);
                break;
        case TRIAGE_RESPOND:
                respond(&a);
                break;
        case TRIAGE_CLOSE:
                close_episode(&a);
                break;
        case TRIAGE_REOPEN:
                reopen(&a);
                break;
        }
}

/* ---- other services' words */

static void hear(door_view *view, const triage_policy *policy, const door_input *input, door_out *out)
{
        if (input->cause.log == TRIAGE_LOG_ALLOCATION) {
                if (input->type == TRIAGE_INPUT_ACCEPTED || input->type == TRIAGE_INPUT_RETURNED) {
                        hear_allocation(view, input, out);
                } else {
                        triage_hear_owner(view, input, out);
                }
        } else if (input->type == TRIAGE_INPUT_MATCHED) {
                place(view, policy, input, out);
        } else {
                triage_regroup_decide(view, policy, input, out);
        }
}

/* ---- time */

static void tick(door_view *view, const door_input *input, door_out *out)
{
        triage_due due[TICK_ITEMS_MAX];
        triage_episode episode;
        triage_referral row;
        size_t count = triage_due_first(view, false, due, TICK_ITEMS_MAX);

        for (size_t i = 0; i < count && due[i].due_ms <= input->now_ms; i++) {
                if (due[i].kind == TRIAGE_DUE_LEASE && triage_episode_get(view, &due[i].episode, &episode)) {
                        take_end(out, &due[i].episode, TRIAGE_TAKE_EXPIRED, episode.taken_by);
                } else if (triage_referral_get(view, &due[i].referral, &row)) {
                        const door_id home = triage_home(view, &due[i].episode);
                        look_list(out, &home, &due[i].referral, TRIAGE_WHY_LATE, row.look_by_ms);
                }
        }
        if (out->events_count > 0 || triage_history_get(view) + HISTORY_PAUSE_MS > input->now_ms) {
                return;
        }
        count = triage_due_first(view, true, due, TICK_ITEMS_MAX);
        for (size_t i = 0; i < count && due[i].due_ms <= input->now_ms; i++) {
                if (triage_episode_get(view, &due[i].episode, &episode)) {
                        close_idle(&due[i].episode, &episode, out);
                }
        }
}

uint64_t triage_next_deadline(door_view *view)
{
        triage_due due;
        uint64_t next_ms = 0;

        if (triage_due_first(view, false, &due, 1) == 1) {
                next_ms = due.due_ms;
        }
        if (triage_due_first(view, true, &due, 1) == 1) {
                const uint64_t paused_ms = triage_history_get(view) + HISTORY_PAUSE_MS;
                const uint64_t idle_ms = due.due_ms > paused_ms ? due.due_ms : paused_ms;
                next_ms = next_ms == 0 ? idle_ms : earlier(next_ms, idle_ms);
        }
        return next_ms;
}

void triage_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        const triage_policy *mine = policy != NULL ? policy : &triage_policy_default;

        switch (input->kind) {
        case DOOR_INPUT_COMMAND:
                obey(view, mine, input, out);
                break;
        case DOOR_INPUT_TICK:
                tick(view, input, out);
                break;
        case DOOR_INPUT_EVENT:
                hear(view, mine, input, out);
                break;
        case DOOR_INPUT_OUTCOME: /* It has no effects. */
                break;
        }
}
