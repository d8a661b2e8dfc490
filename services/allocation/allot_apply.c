#include "allocation/allot_core.h"
#include "allocation/allot_state.h"

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

/* Each place that an episode has, one more or one less. */
static void places_count(door_view *view, const allot_episode *e, int32_t change)
{
        if (e->has_owner_team) {
                allot_load_add(view, e->owner, change);
        }
        if (e->offered.len > 0 && !e->waiting &&
            !(e->has_owner_team && door_bytes_equal(e->owner, e->offered))) {
                allot_load_add(view, e->offered, change);
        }
}

/* By a fold or a restore: nobody is asked, and no place is counted here. */
static void owner_become(allot_episode *e, const allot_word *w)
{
        e->ended = false;
        e->owner = w->owner;
        e->has_owner_team = w->accepted;
        e->lead = w->lead;
        if (w->accepted) {
                e->last = w->owner;
                e->owned_version = w->episode_version;
        }
}

static void offer_forget(door_view *view, const door_id *id, allot_episode *e)
{
        if (e->waiting) {
                allot_waiting_delete(view, e->offered, e->waiting_since_ms, id);
        }
        e->offered = DOOR_BYTES_EMPTY;
        e->waiting = false;
        e->hand_over = false;
}

/* The two become one: no place, line or offer of the one that is folded is left behind. */
static void apply_folded(door_view *view, const allot_word *w, allot_episode *to)
{
        allot_episode from = { 0 };

        (void)allot_episode_get(view, &w->other, &from);
        places_count(view, &from, -1);
        places_count(view, to, -1);
        if (!from.ended && from.level > to->level) {
                to->level = from.level;
        }
        offer_forget(view, &w->other, &from);
        from.ended = true;
        from.has_owner_team = false;
        from.owner = w->owner; /* `last` and the lead stay: who had it may have it again. */
        if (door_bytes_equal(to->offered, w->owner)) {
                offer_forget(view, &w->episode, to);
        }
        owner_become(to, w);
        places_count(view, to, 1);
        allot_episode_put(view, &w->other, &from);
}

static void apply_restored(door_view *view, const allot_word *w, allot_episode *e)
{
        owner_become(e, w);
        places_count(view, e, 1);
}

void allot_apply(door_view *view, const door_event *event)
{
        const allot_word *w = event->body;
        allot_episode e = { 0 };
        const bool known = allot_episode_get(view, &w->episode, &e);

        if (!known && event->type != ALLOT_OWNER_NAMED && event->type != ALLOT_FOLDED &&
            event->type != ALLOT_RESTORED) {
                return; /* Erased. */
        }
        switch ((allot_event)event->type) {
        case ALLOT_OWNER_NAMED:
                e.owner = w->owner;
                e.lead = DOOR_BYTES_EMPTY;
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
        case ALLOT_FOLDED:
                apply_folded(view, w, &e);
                break;
        case ALLOT_RESTORED:
                apply_restored(view, w, &e);
                break;
        case ALLOT_OVERTAKEN:
                return;
        }
        allot_episode_put(view, &w->episode, &e);
}
