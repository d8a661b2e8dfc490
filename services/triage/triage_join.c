#include "triage/triage_join.h"

#include <string.h>

#include "triage/triage_out.h"

enum {
        STAGED_MAX = 640, /* episodes one word touches: a family's, those of its referrals, what it opens */
        REHOMED_MAX = 20, /* referrals one word sends elsewhere; deduplication asks for no more */
        JOINED_MAX = 3 + TRIAGE_FAMILY_EPISODES_MAX,
};

/* An episode as the records made so far leave it. */
typedef struct staged {
        door_id id;
        triage_episode episode;
} staged;

typedef struct regrouping {
        door_view *view;
        const triage_policy *policy;
        const door_input *input;
        const triage_regrouped *said;
        door_out *out;
        staged *staged;
        size_t staged_count;
        uint32_t opened; /* Episodes this word has opened. */
        size_t rehomed;
} regrouping;

static uint64_t earlier(uint64_t a, uint64_t b)
{
        return a < b ? a : b;
}

/* ---- what the records so far leave */

static triage_episode *stage_add(regrouping *g, const door_id *id)
{
        DOOR_REQUIRE(g->staged_count < STAGED_MAX);
        staged *s = &g->staged[g->staged_count++];
        memset(s, 0, sizeof *s);
        s->id = *id;
        return &s->episode;
}

/* NULL for one that is not known: erased. */
static triage_episode *stage(regrouping *g, const door_id *id)
{
        triage_episode found;

        for (size_t i = 0; i < g->staged_count; i++) {
                if (door_id_equal(&g->staged[i].id, id)) {
                        return &g->staged[i].episode;
                }
        }
        if (!triage_episode_get(g->view, id, &found)) {
                return NULL;
        }
        triage_episode *copy = stage_add(g, id);
        *copy = found;
        return copy;
}

static triage_episode *home_of(regrouping *g, const door_id *id, door_id *ret_home)
{
        triage_episode *e = stage(g, id);

        *ret_home = *id;
        while (e != NULL && e->state == TRIAGE_FOLDED) {
                *ret_home = e->folded_into;
                e = stage(g, ret_home);
        }
        return e;
}

static bool open_of(regrouping *g, const door_id *family, door_id *ret_open)
{
        for (size_t i = 0; i < g->staged_count; i++) {
                if (triage_state_is_open(g->staged[i].episode.state) &&
                    door_id_equal(&g->staged[i].episode.family, family)) {
                        *ret_open = g->staged[i].id;
                        return true;
                }
        }
        if (!triage_family_open(g->view, family, ret_open)) {
                return false;
        }
        const triage_episode *e = stage(g, ret_open); /* It may have left the family meanwhile. */
        return e != NULL && triage_state_is_open(e->state) && door_id_equal(&e->family, family);
}

/* ---- one step each */

static void family_change(regrouping *g, const door_id *id, const door_id *to, const door_id *join)
{
        triage_episode *e = stage(g, id);
        triage_regroup *r = TRIAGE_BODY(g->out, triage_regroup);

        if (r != NULL) {
                r->episode = *id;
                r->version = e->version + 1;
                r->from = e->family;
                r->to = *to;
                r->has_join = join != NULL;
                r->join = join != NULL ? *join : r->join;
        }
        door_event *event = triage_emit(g->out, TRIAGE_FAMILY_CHANGED, r, id, NULL);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_FAMILY, to);
        }
        e->version++;
        e->family = *to;
}

/* Of those that run the earlier; where none runs a person has from now on. */
static triage_clocks clocks_joined(const regrouping *g, const triage_episode *a, const triage_episode *b,
                                   uint8_t severity)
{
        const bool imported = a->state == TRIAGE_IMPORTED && b->state == TRIAGE_IMPORTED;
        const bool a_runs = a->state == TRIAGE_QUEUED || imported;
        const bool b_runs = b->state == TRIAGE_QUEUED || imported;

        if (a_runs && b_runs) {
                return (triage_clocks){ earlier(a->clocks.rag_ms, b->clocks.rag_ms),
                                        earlier(a->clocks.statutory_ms, b->clocks.statutory_ms) };
        }
        return a_runs   ? a->clocks
               : b_runs ? b->clocks
                        : triage_clocks_of(g->policy, severity, g->input->now_ms);
}

/* As triage knows it; where both had a team allocation has the last word. */
static door_bytes team_joined(const triage_episode *from, const triage_episode *to)
{
        const bool others = from->team.len > 0 && (to->team.len == 0 || from->level > to->level);
        return others ? from->team : to->team;
}

static void fold(regrouping *g, const door_id *from_id, const door_id *to_id, const door_id *family,
                 const door_id *join)
{
        triage_episode *from = stage(g, from_id);
        triage_episode *to = stage(g, to_id);
        const bool imported = from->state == TRIAGE_IMPORTED && to->state == TRIAGE_IMPORTED;
        const uint8_t severity = from->severity > to->severity ? from->severity : to->severity;
        const triage_clocks clocks = clocks_joined(g, from, to, severity);
        triage_folded *f = TRIAGE_BODY(g->out, triage_folded);

        if (f == NULL) {
                return;
        }
        f->from = *from_id;
        f->to = *to_id;
        f->from_version = from->version + 1;
        f->to_version = to->version + 1;
        f->family = *family;
        f->family_before = to->family;
        f->severity = severity;
        f->clocks = clocks;
        f->state = imported ? TRIAGE_IMPORTED : TRIAGE_QUEUED;
        f->from_level = from->level;
        f->to_level = to->level;
        f->has_join = join != NULL;
        f->join = join != NULL ? *join : f->join;
        f->team = team_joined(from, to);
        f->routing = triage_routing_join(&to->routing, &from->routing);
        f->idle_at_ms = !imported ? 0 : from->idle_at_ms > to->idle_at_ms ? from->idle_at_ms : to->idle_at_ms;
        door_event *event = triage_emit(g->out, TRIAGE_EPISODE_FOLDED, f, to_id, NULL);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_EPISODE, from_id);
                door_event_subject(event, DOOR_ID_FAMILY, family);
        }
        from->state = TRIAGE_FOLDED;
        from->version = f->from_version;
        from->folded_into = *to_id;
        to->state = f->state;
        to->version = f->to_version;
        to->family = *family;
        to->severity = severity;
        to->clocks = clocks;
        to->team = f->team;
        to->routing = f->routing;
        to->referrals += from->referrals;
}

/* The younger of the two lives on in the older. */
static void fold_younger(regrouping *g, const door_id *a, const door_id *b, const door_id *family,
                         const door_id *join)
{
        const triage_episode *first = stage(g, a);
        const triage_episode *second = stage(g, b);
        const bool a_is_older =
                first->opened_ms < second->opened_ms ||
                (first->opened_ms == second->opened_ms && memcmp(a->bytes, b->bytes, sizeof a->bytes) < 0);

        fold(g, a_is_older ? b : a, a_is_older ? a : b, family, join);
}

/* What a folded episode is when it stands for itself again. */
static triage_state state_restored(const triage_episode *e, const triage_episode *survivor)
{
        const bool decided = e->folded_from == TRIAGE_OFFERED || e->folded_from == TRIAGE_ACTIVE;

        if (!triage_state_is_open(survivor->state) && decided) {
                return TRIAGE_STATE_CLOSED;
        }
        if (e->folded_from == TRIAGE_ACTIVE && e->team.len > 0) {
                return TRIAGE_ACTIVE;
        }
        return e->folded_from == TRIAGE_IMPORTED ? TRIAGE_IMPORTED : TRIAGE_QUEUED;
}

static void restore(regrouping *g, const door_id *id, const door_id *family)
{
        triage_episode *e = stage(g, id);
        door_id survivor_id;
        triage_episode *survivor = home_of(g, id, &survivor_id);
        triage_restored *r = TRIAGE_BODY(g->out, triage_restored);

        if (r == NULL || survivor == NULL) {
                return;
        }
        r->episode = *id;
        r->version = e->version + 1;
        r->survivor = survivor_id;
        r->survivor_version = survivor->version + 1;
        r->family = *family;
        r->severity = e->severity;
        r->state = state_restored(e, survivor);
        /* Its own clocks run again, late or not; those of what had been decided had stopped. */
        r->clocks = r->state == TRIAGE_QUEUED && e->folded_from != TRIAGE_QUEUED
                            ? triage_clocks_of(g->policy, e->severity, g->input->now_ms)
                            : e->clocks;
        r->join = g->said->join;
        r->team = e->team;
        door_event *event = triage_emit(g->out, TRIAGE_RESTORED, r, id, NULL);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_EPISODE, &survivor_id);
                door_event_subject(event, DOOR_ID_FAMILY, family);
        }
        survivor->version = r->survivor_version;
        survivor->referrals -= e->referrals;
        e->version = r->version;
        e->state = r->state;
        e->family = *family;
        e->clocks = r->clocks;
}

/* ---- a referral goes elsewhere */

/* The children who go along: they are named by it, and no subject of a third episode. */
static void children_sort(regrouping *g, const door_id *home, const door_id *destination,
                          triage_regroup *detached, triage_placed *placed)
{
        door_id *leaving = door_arena_take(g->out->arena, TRIAGE_CHILDREN_MAX * sizeof *leaving);
        door_id *arriving = door_arena_take(g->out->arena, TRIAGE_CHILDREN_MAX * sizeof *arriving);
        door_id open;

        if (arriving == NULL) {
                return;
        }
        for (size_t i = 0; i < g->said->children_count && i < TRIAGE_CHILDREN_MAX; i++) {
                const door_id *child = &g->said->children[i];
                const bool subject = triage_child_open(g->view, child, &open);
                const bool leaves = subject && door_id_equal(&open, home);
                const bool there = subject && destination != NULL && door_id_equal(&open, destination);
                if (leaves || !subject) {
                        leaving[detached->children_count++] = *child;
                }
                if (subject && !leaves && !there) {
                        placed->why |= TRIAGE_BIT(TRIAGE_WHY_SUBJECT_ELSEWHERE);
                }
                if (!there && (!subject || leaves || destination != NULL)) {
                        arriving[placed->children_count++] = *child;
                }
        }
        detached->children = leaving;
        placed->children = arriving;
}

/* Added to the family's open work: a person looks, now where it is more than what stands there. */
static triage_event arrive_at(triage_placed *placed, const triage_episode *e)
{
        const triage_clocks own = placed->clocks;
        const bool now = placed->severity_own > e->severity || placed->children_count > 0;

        placed->version = e->version + 1;
        placed->way = now ? TRIAGE_LOOK_NOW : TRIAGE_QUICK_LOOK;
        placed->why |= (placed->severity_own > e->severity ? TRIAGE_BIT(TRIAGE_WHY_MORE_SEVERE) : 0) |
                       (placed->children_count > 0 ? TRIAGE_BIT(TRIAGE_WHY_NEW_CHILD) : 0);
        placed->severity = placed->severity_own > e->severity ? placed->severity_own : e->severity;
        placed->routing = triage_routing_join(&e->routing, &placed->routing_own);
        placed->state = now ? TRIAGE_QUEUED : e->state;
        if (e->state == TRIAGE_QUEUED) {
                placed->clocks.rag_ms = earlier(own.rag_ms, e->clocks.rag_ms);
                placed->clocks.statutory_ms = earlier(own.statutory_ms, e->clocks.statutory_ms);
        }
        placed->idle_at_ms = placed->state == TRIAGE_IMPORTED ? e->idle_at_ms : 0;
        return TRIAGE_REFERRAL_ATTACHED;
}

static void rehome(regrouping *g, const door_id *referral, const triage_referral *row, const door_id *home_id,
                   const door_id *family)
{
        triage_episode *home = stage(g, home_id);
        triage_placed *placed = TRIAGE_BODY(g->out, triage_placed);
        triage_regroup *detached = TRIAGE_BODY(g->out, triage_regroup);
        door_id open;
        const bool is_open = triage_state_is_open(home->state);
        const bool has_open = is_open && open_of(g, family, &open);

        if (placed == NULL || detached == NULL) {
                return;
        }
        if (g->rehomed++ == REHOMED_MAX) {
                g->out->alert = "an undone join would move more referrals than it may: move the rest by hand";
                return;
        }
        detached->episode = *home_id;
        detached->version = home->version + 1;
        detached->referral = *referral;
        detached->severity = home->severity;
        placed->referral = *referral;
        placed->family = *family;
        placed->received_at_ms = row->received_at_ms;
        placed->sent_at_ms = row->sent_at_ms;
        placed->grade = row->grade;
        placed->categories = row->categories;
        placed->severity_own = row->severity;
        placed->routing_own = row->routing;
        placed->why = TRIAGE_BIT(TRIAGE_WHY_MOVED);
        placed->has_moved_from = true;
        placed->moved_from = *home_id;
        placed->clocks = triage_clocks_of(g->policy, row->severity, row->received_at_ms);
        placed->look_by_ms = earlier(placed->clocks.rag_ms, placed->clocks.statutory_ms);
        children_sort(g, home_id, has_open ? &open : NULL, detached, placed);
        (void)triage_emit(g->out, TRIAGE_DETACHED, detached, home_id, referral);
        home->version++;
        home->referrals--;

        triage_episode *to = NULL;
        triage_event event = TRIAGE_EPISODE_OPENED;
        if (!is_open) {
                /* Decided: nothing is reopened. It is the other family's chronology, and no more this one's.
                 */
                placed->children_count = 0;
                triage_emit_placed(g->out, TRIAGE_HISTORY_NOTED, placed);
                return;
        }
        if (has_open) {
                placed->episode = open;
                to = stage(g, &open);
                event = arrive_at(placed, to);
        } else {
                placed->episode = door_id_make(g->input->random, DOOR_ID_EPISODE, g->opened++);
                placed->version = 1;
                placed->state = TRIAGE_QUEUED;
                placed->severity = row->severity;
                placed->routing = row->routing;
                placed->has_previous = triage_family_last(g->view, family, &placed->previous);
                to = stage_add(g, &placed->episode);
                to->family = *family;
        }
        triage_emit_placed(g->out, event, placed);
        to->version = placed->version;
        to->state = placed->state;
        to->severity = placed->severity;
        to->clocks = placed->clocks;
        to->routing = placed->routing;
        to->referrals++;
}

/* ---- deduplication's words */

static void families_joined(regrouping *g)
{
        const triage_regrouped *said = g->said;
        door_id theirs;
        door_id ours;
        door_id last;
        door_id all[TRIAGE_FAMILY_EPISODES_MAX];
        const bool open_from = open_of(g, &said->from, &theirs);
        const bool open_to = open_of(g, &said->to, &ours);
        const bool has_last = triage_family_last(g->view, &said->from, &last);
        const size_t count = triage_episodes_of(g->view, &said->from, all, TRIAGE_FAMILY_EPISODES_MAX);

        if (open_from && open_to) {
                fold_younger(g, &theirs, &ours, &said->to, &said->join);
        } else if (open_from) {
                family_change(g, &theirs, &said->to, &said->join);
        }
        /* The rest is chronology; the one closed last first, whatever its id. */
        for (size_t i = 0; i <= count; i++) {
                const door_id *id = i > 0 ? &all[i - 1] : &last;
                const triage_episode *e = i > 0 || has_last ? stage(g, id) : NULL;
                if (e != NULL && e->state == TRIAGE_STATE_CLOSED && door_id_equal(&e->family, &said->from)) {
                        family_change(g, id, &said->to, &said->join);
                }
        }
}

static void join_undone(regrouping *g)
{
        const triage_regrouped *said = g->said;
        door_id ids[JOINED_MAX];
        door_id before[JOINED_MAX];
        door_id home_id;
        door_id open;
        const size_t count = triage_joined_by(g->view, &said->join, ids, before, JOINED_MAX);

        /* First what was from's and only took the other's name, then what was folded: so that no family
         * has two open ones between. */
        for (size_t i = 0; i < count; i++) {
                const triage_episode *e = stage(g, &ids[i]);
                if (e != NULL && e->state != TRIAGE_FOLDED && door_id_equal(&before[i], &said->from) &&
                    door_id_equal(&e->family, &said->to)) {
                        family_change(g, &ids[i], &said->from, &said->join);
                }
        }
        for (size_t i = 0; i < count; i++) {
                const triage_episode *e = stage(g, &ids[i]);
                if (e == NULL || e->state != TRIAGE_FOLDED || open_of(g, &before[i], &open)) {
                        continue;
                }
                /* What a move or another undoing has taken elsewhere stays there with its referrals, and
                 * to's own stays where it lives on in work that is to's. */
                triage_episode lived_in;
                const door_id was_home = triage_home(g->view, &ids[i]);
                const bool here = triage_episode_get(g->view, &was_home, &lived_in) &&
                                  door_id_equal(&lived_in.family, &said->to);
                const triage_episode *home = home_of(g, &ids[i], &home_id);
                if (here && home != NULL && e->referrals > 0 && !door_id_equal(&home->family, &before[i])) {
                        restore(g, &ids[i], &before[i]);
                }
        }
        for (size_t i = 0; i < said->assigned_count; i++) {
                triage_referral row;
                if (!triage_referral_get(g->view, &said->assigned[i].referral, &row)) {
                        continue; /* Chronology only. */
                }
                const triage_episode *home = home_of(g, &row.episode, &home_id);
                if (home != NULL && !door_id_equal(&home->family, &said->assigned[i].family)) {
                        rehome(g, &said->assigned[i].referral, &row, &home_id, &said->assigned[i].family);
                }
        }
}

static void referral_moved(regrouping *g)
{
        const triage_regrouped *said = g->said;
        triage_referral row;
        door_id home_id;
        door_id open;

        if (!triage_referral_get(g->view, &said->referral, &row)) {
                return;
        }
        const triage_episode *home = home_of(g, &row.episode, &home_id);
        if (home == NULL || door_id_equal(&home->family, &said->to)) {
                return;
        }
        if (home->referrals > 1) {
                rehome(g, &said->referral, &row, &home_id, &said->to);
        } else if (triage_state_is_open(home->state) && open_of(g, &said->to, &open)) {
                fold_younger(g, &home_id, &open, &said->to, NULL);
        } else {
                family_change(g, &home_id, &said->to, NULL);
        }
}

/* A match that nobody doubts any more asks for no second person. */
static void review_answered(regrouping *g)
{
        triage_referral row;
        door_id home_id;
        door_id lives[TRIAGE_LIVES_MAX];

        if (g->said->still_open > 0 || !triage_referral_get(g->view, &g->said->referral, &row)) {
                return;
        }
        const triage_episode *home = home_of(g, &row.episode, &home_id);
        /* Where others live on in it, the doubt may be theirs. */
        if (home != NULL && triage_state_is_open(home->state) && home->uncertain &&
            triage_lives_of(g->view, &home_id, lives) == 1) {
                triage_regroup *r = TRIAGE_BODY(g->out, triage_regroup);
                if (r != NULL) {
                        r->episode = home_id;
                }
                (void)triage_emit(g->out, TRIAGE_MATCH_SETTLED, r, &home_id, NULL);
        }
}

void triage_regroup_decide(door_view *view, const triage_policy *policy, const door_input *input,
                           door_out *out)
{
        regrouping g = { .view = view,
                         .policy = policy,
                         .input = input,
                         .said = input->body,
                         .out = out,
                         .staged = door_arena_take(out->arena, STAGED_MAX * sizeof *g.staged) };

        if (g.staged == NULL) {
                return;
        }
        switch (input->type) {
        case TRIAGE_INPUT_FAMILIES_JOINED:
                families_joined(&g);
                break;
        case TRIAGE_INPUT_JOIN_UNDONE:
                join_undone(&g);
                break;
        case TRIAGE_INPUT_REFERRAL_MOVED:
                referral_moved(&g);
                break;
        default:
                review_answered(&g);
                break;
        }
}

/* ---- allocation's words */

static triage_moved *said_by_allocation(door_out *out, const triage_owned *owned, const triage_episode *e)
{
        triage_moved *moved = TRIAGE_BODY(out, triage_moved);

        if (moved != NULL) {
                moved->episode = owned->episode;
                moved->version = e->version;
                moved->acted_on = owned->episode_version;
                moved->team = owned->accepted ? owned->owner : e->team;
                moved->team_holds = owned->accepted;
        }
        return moved;
}

void triage_hear_owner(door_view *view, const door_input *input, door_out *out)
{
        const triage_owned *owned = input->body;
        triage_episode e;

        if (!triage_episode_get(view, &owned->episode, &e) || !triage_state_is_open(e.state) ||
            (owned->accepted ? door_bytes_equal(e.team, owned->owner) : e.team.len == 0)) {
                return;
        }
        triage_moved *moved = said_by_allocation(out, owned, &e);
        if (!owned->accepted && e.state == TRIAGE_ACTIVE) {
                /* The team it had is no more: a person decides again. */
                if (moved != NULL) {
                        moved->version = e.version + 1;
                        moved->times = e.returned;
                }
                (void)triage_emit(out, TRIAGE_RETURNED, moved, &owned->episode, NULL);
        } else {
                (void)triage_emit(out, TRIAGE_OVERTAKEN, moved, &owned->episode, NULL);
        }
}
