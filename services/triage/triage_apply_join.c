/*
 * triage_apply_join.c - the fold of what a person said of who is who: see triage_join.h.
 */
#include "triage/triage_apply.h"
#include "triage/triage_join.h"

enum { WAITING_MAX = 1024 };

static const door_id no_id = { { 0 } };

/* A referral less for what lives between its own episode and the one it was counted in last. */
static void count_out(door_view *view, const door_id *from, const door_id *until, uint32_t referrals)
{
        door_id id = *from;
        triage_episode e;

        while (!door_id_equal(&id, until) && triage_episode_get(view, &id, &e)) {
                e.referrals -= referrals;
                triage_episode_put(view, &id, &e);
                id = e.folded_into;
        }
}

static void apply_folded(door_view *view, const triage_folded *f)
{
        triage_episode from;
        triage_episode to;

        if (!triage_episode_get(view, &f->from, &from) || !triage_episode_get(view, &f->to, &to)) {
                return; /* Erased. */
        }
        const triage_episode from_before = from;
        const triage_episode to_before = to;
        from.folded_from = from.state;
        from.folded_into = f->to;
        from.folded_by = f->has_join ? f->join : no_id;
        triage_move_to(TRIAGE_EPISODE_FOLDED, &from, TRIAGE_FOLDED, f->from_version);
        triage_lease_end(view, &f->from, &from);
        triage_episode_put(view, &f->from, &from);
        triage_idle_keep(view, &f->from, &from_before, &from);
        triage_fold_put(view, &f->to, &f->from);
        if (f->has_join) {
                triage_join_put(view, &f->join, &f->from, &from.family);
                triage_join_put(view, &f->join, &f->to, &f->family_before);
        }
        DOOR_REQUIRE(triage_state_is_open(to.state) && f->to_version == to.version + 1);
        DOOR_REQUIRE(f->severity >= to.severity && f->severity >= from.severity);
        to.version = f->to_version;
        to.state = f->state;
        to.severity = f->severity;
        to.clocks = f->clocks;
        to.team = f->team;
        to.routing = f->routing;
        to.idle_at_ms = f->idle_at_ms;
        to.referrals += from.referrals;
        to.waiting += from.waiting;
        to.looks += from.looks;
        to.categories |= from.categories;
        to.other_agencies = to.other_agencies || from.other_agencies || to.first_agency != from.first_agency;
        to.uncertain = to.uncertain || from.uncertain;
        to.children_in_doubt = to.children_in_doubt || from.children_in_doubt;
        to.last_ms = from.last_ms > to.last_ms ? from.last_ms : to.last_ms;
        if (door_id_equal(&to.family, &f->family)) {
                triage_episode_put(view, &f->to, &to);
        } else {
                triage_family_change(view, &f->to, &to, &f->family);
        }
        triage_idle_keep(view, &f->to, &to_before, &to);
}

/* What waits for an answer in an episode and in what lives on in it. */
static void waiting_count(door_view *view, const door_id *id, triage_episode *e)
{
        door_id lives[TRIAGE_LIVES_MAX];
        door_id referrals[WAITING_MAX];
        triage_referral row;
        const size_t lives_count = triage_lives_of(view, id, lives);
        bool all = true;

        e->waiting = 0;
        e->looks = 0;
        for (size_t i = 0; i < lives_count; i++) {
                const size_t count = triage_waiting_of(view, &lives[i], referrals, WAITING_MAX, &all);
                for (size_t k = 0; k < count; k++) {
                        if (triage_referral_get(view, &referrals[k], &row)) {
                                e->waiting++;
                                e->looks += row.waits == TRIAGE_WAITS_LOOK ? 1 : 0;
                        }
                }
        }
}

static void apply_restored(door_view *view, const triage_restored *r)
{
        triage_episode e;
        triage_episode survivor;

        if (!triage_episode_get(view, &r->episode, &e) ||
            !triage_episode_get(view, &r->survivor, &survivor)) {
                return;
        }
        const triage_episode before = e;
        triage_fold_delete(view, &e.folded_into, &r->episode);
        count_out(view, &e.folded_into, &r->survivor, e.referrals);
        triage_move_to(TRIAGE_RESTORED, &e, r->state, r->version);
        e.severity = r->severity;
        e.clocks = r->clocks;
        e.team = r->team;
        e.folded_into = no_id;
        e.folded_by = no_id;
        e.folded_from = TRIAGE_NONE;
        waiting_count(view, &r->episode, &e);
        DOOR_REQUIRE(r->survivor_version == survivor.version + 1);
        survivor.version = r->survivor_version;
        survivor.referrals -= e.referrals;
        survivor.waiting -= e.waiting;
        survivor.looks -= e.looks;
        triage_episode_put(view, &r->survivor, &survivor);
        if (door_id_equal(&e.family, &r->family)) {
                triage_episode_put(view, &r->episode, &e);
        } else {
                triage_family_change(view, &r->episode, &e, &r->family);
        }
        triage_idle_keep(view, &r->episode, &before, &e);
}

static void apply_family_changed(door_view *view, const triage_regroup *r)
{
        triage_episode e;

        if (!triage_episode_get(view, &r->episode, &e)) {
                return;
        }
        triage_move_to(TRIAGE_FAMILY_CHANGED, &e, e.state, r->version);
        if (r->has_join) {
                triage_join_put(view, &r->join, &r->episode, &r->from);
        }
        triage_family_change(view, &r->episode, &e, &r->to);
}

static void apply_detached(door_view *view, const triage_regroup *r)
{
        triage_episode e;
        triage_referral row;

        if (!triage_referral_get(view, &r->referral, &row)) {
                return;
        }
        for (size_t i = 0; i < r->children_count; i++) {
                triage_child_leave(view, &r->episode, &r->children[i]);
        }
        count_out(view, &row.episode, &r->episode, 1);
        if (!triage_episode_get(view, &r->episode, &e)) {
                return;
        }
        triage_move_to(TRIAGE_DETACHED, &e, e.state, r->version);
        e.referrals--;
        if (row.waits != TRIAGE_WAITS_NOT) {
                triage_wait_end(view, &r->referral, &row, &e);
        }
        triage_episode_put(view, &r->episode, &e);
        triage_referral_delete(view, &r->referral); /* The record beside this one says where it goes. */
}

void triage_regroup_apply(door_view *view, const door_event *event)
{
        const triage_regroup *r = event->body;
        triage_episode e;

        switch (event->type) {
        case TRIAGE_EPISODE_FOLDED:
                apply_folded(view, event->body);
                break;
        case TRIAGE_RESTORED:
                apply_restored(view, event->body);
                break;
        case TRIAGE_FAMILY_CHANGED:
                apply_family_changed(view, r);
                break;
        case TRIAGE_DETACHED:
                apply_detached(view, r);
                break;
        default: /* MATCH_SETTLED */
                if (triage_episode_get(view, &r->episode, &e)) {
                        e.uncertain = false;
                        triage_episode_put(view, &r->episode, &e);
                }
                break;
        }
}
