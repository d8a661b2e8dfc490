/*
 * triage_apply.c - the fold: what each record of triage's log makes of the state.
 *
 * A record is believed, not judged: everything decided stands in it. What would break the state
 * machine is our own fault and ends the process before it is stored (DOOR_REQUIRE).
 */
#include <string.h>

#include "triage/triage_apply.h"
#include "triage/triage_join.h"
#include "triage/triage_rules.h"
#include "triage/triage_words.h"

/* Rows one decision or closing may clear; more cannot wait (WAITING_AT_A_DECISION in triage_core.c). */
enum { WAITING_MAX = 1024 };

static const door_id no_id = { { 0 } };

static triage_due due_of(triage_due_kind kind, uint64_t due_ms, const door_id *episode,
                         const door_id *referral)
{
        return (triage_due){ due_ms, kind, *episode, referral != NULL ? *referral : no_id };
}

void triage_lease_end(door_view *view, const door_id *id, triage_episode *episode)
{
        if (episode->taken_until_ms != 0) {
                const triage_due due = due_of(TRIAGE_DUE_LEASE, episode->taken_until_ms, id, NULL);
                triage_due_delete(view, &due);
                episode->taken_until_ms = 0;
                episode->taken_by = DOOR_BYTES_EMPTY;
        }
}

void triage_idle_keep(door_view *view, const door_id *id, const triage_episode *before,
                      const triage_episode *after)
{
        if (before->state == TRIAGE_IMPORTED) {
                const triage_due due = due_of(TRIAGE_DUE_IDLE, before->idle_at_ms, id, NULL);
                triage_due_delete(view, &due);
        }
        if (after->state == TRIAGE_IMPORTED) {
                const triage_due due = due_of(TRIAGE_DUE_IDLE, after->idle_at_ms, id, NULL);
                triage_due_put(view, &due);
        }
}

void triage_move_to(triage_event event, triage_episode *episode, triage_state state, uint32_t version)
{
        DOOR_REQUIRE(triage_may(event, episode->state, state));
        DOOR_REQUIRE(version == episode->version + 1);
        episode->state = state;
        episode->version = version;
}

/* ---- waiting for an answer */

static void wait_begin(door_view *view, const door_id *referral, triage_referral *row,
                       triage_episode *episode, triage_waits waits)
{
        row->waits = waits;
        episode->waiting++;
        if (waits == TRIAGE_WAITS_LOOK) {
                episode->looks++;
        } else {
                const triage_due due =
                        due_of(TRIAGE_DUE_RESPONSE, row->respond_by_ms, &row->episode, referral);
                triage_due_put(view, &due);
        }
        triage_referral_put(view, referral, row);
}

void triage_wait_end(door_view *view, const door_id *referral, triage_referral *row, triage_episode *episode)
{
        DOOR_REQUIRE(row->waits != TRIAGE_WAITS_NOT && episode->waiting > 0);
        episode->waiting--;
        if (row->waits == TRIAGE_WAITS_LOOK) {
                DOOR_REQUIRE(episode->looks > 0);
                episode->looks--;
        } else {
                const triage_due due =
                        due_of(TRIAGE_DUE_RESPONSE, row->respond_by_ms, &row->episode, referral);
                triage_due_delete(view, &due);
        }
        row->waits = TRIAGE_WAITS_NOT;
        triage_referral_put(view, referral, row);
}

/* A decision or a closing has answered for all that was attached. */
static void wait_end_all(door_view *view, const door_id *id, triage_episode *episode)
{
        door_id lives[TRIAGE_LIVES_MAX];
        door_id referrals[WAITING_MAX];
        triage_referral row;
        bool all = true;

        const size_t lives_count = triage_lives_of(view, id, lives);
        for (size_t k = 0; k < lives_count && episode->waiting > 0; k++) {
                const size_t count = triage_waiting_of(view, &lives[k], referrals, WAITING_MAX, &all);
                DOOR_REQUIRE(all || view->latch != DOOR_OK);
                for (size_t i = 0; i < count; i++) {
                        if (triage_referral_get(view, &referrals[i], &row)) {
                                triage_wait_end(view, &referrals[i], &row, episode);
                        }
                }
        }
}

/* ---- a referral has found its place */

/* What a referral brings with it wherever it stands. */
static triage_referral row_of(const triage_placed *placed)
{
        return (triage_referral){ .episode = placed->episode,
                                  .way = placed->way,
                                  .severity = placed->severity_own,
                                  .respond_by_ms = placed->respond_by_ms,
                                  .look_by_ms = placed->look_by_ms,
                                  .received_at_ms = placed->received_at_ms,
                                  .sent_at_ms = placed->sent_at_ms,
                                  .grade = placed->grade,
                                  .categories = placed->categories,
                                  .routing = placed->routing_own };
}

static void children_keep(door_view *view, const triage_placed *placed)
{
        const bool subjects = placed->version == 1 || placed->state == TRIAGE_IMPORTED;

        for (size_t i = 0; i < placed->children_count; i++) {
                if (subjects) {
                        triage_child_put(view, &placed->episode, &placed->children[i]);
                } else {
                        triage_child_pend(view, &placed->episode, &placed->children[i]);
                }
        }
}

static bool has_baby(uint16_t age_bands)
{
        return (age_bands & (TRIAGE_BIT(TRIAGE_AGE_UNBORN) | TRIAGE_BIT(TRIAGE_AGE_UNDER_1))) != 0;
}

/* What an episode learns of any referral on it. */
static void episode_learn(triage_episode *episode, const triage_placed *placed)
{
        episode->severity = placed->severity;
        episode->clocks = placed->clocks;
        episode->routing = placed->routing;
        episode->categories |= placed->categories;
        episode->idle_at_ms = placed->idle_at_ms;
        episode->uncertain = episode->uncertain || placed->uncertain;
        episode->children_in_doubt = episode->children_in_doubt || has_baby(placed->routing.age_bands);
        episode->referrals++;
        if (placed->received_at_ms > episode->last_ms) {
                episode->last_ms = placed->received_at_ms;
        }
}

static void apply_opened(door_view *view, const triage_placed *placed)
{
        const triage_episode before = { 0 };
        triage_episode episode = {
                .state = TRIAGE_NONE,
                .family = placed->family,
                .opened_ms = placed->received_at_ms,
                .first_agency = triage_agency_hash(placed->agency),
                .historic = placed->historic,
                .has_previous = placed->has_previous,
                .previous = placed->previous,
        };
        const triage_referral row = row_of(placed);

        episode_learn(&episode, placed);
        triage_move_to(TRIAGE_EPISODE_OPENED, &episode, placed->state, placed->version);
        triage_episode_put(view, &placed->episode, &episode);
        triage_idle_keep(view, &placed->episode, &before, &episode);
        triage_referral_put(view, &placed->referral, &row);
        children_keep(view, placed);
}

static void apply_attached(door_view *view, const triage_placed *placed)
{
        triage_episode episode;
        triage_referral row = row_of(placed);

        if (!triage_episode_get(view, &placed->episode, &episode)) {
                return; /* Erased. */
        }
        const triage_episode before = episode;
        DOOR_REQUIRE(placed->severity >= episode.severity || view->latch != DOOR_OK);
        episode_learn(&episode, placed);
        episode.other_agencies =
                episode.other_agencies || triage_agency_hash(placed->agency) != episode.first_agency;
        triage_move_to(TRIAGE_REFERRAL_ATTACHED, &episode, placed->state, placed->version);
        if (placed->way == TRIAGE_WITH_WORKER || placed->way == TRIAGE_QUICK_LOOK) {
                wait_begin(view, &placed->referral, &row, &episode,
                           placed->way == TRIAGE_QUICK_LOOK ? TRIAGE_WAITS_LOOK : TRIAGE_WAITS_RESPONSE);
        } else {
                triage_referral_put(view, &placed->referral, &row);
        }
        triage_episode_put(view, &placed->episode, &episode);
        triage_idle_keep(view, &placed->episode, &before, &episode);
        children_keep(view, placed);
}

/* ---- the front door's and the team's work */

static void apply_taken(door_view *view, const triage_take *taken)
{
        triage_episode episode;

        if (!triage_episode_get(view, &taken->episode, &episode)) {
                return;
        }
        DOOR_REQUIRE(triage_may(TRIAGE_TAKEN, episode.state, episode.state));
        triage_lease_end(view, &taken->episode, &episode);
        episode.taken_until_ms = taken->until_ms;
        episode.taken_by = taken->by;
        const triage_due due = due_of(TRIAGE_DUE_LEASE, taken->until_ms, &taken->episode, NULL);
        triage_due_put(view, &due);
        triage_episode_put(view, &taken->episode, &episode);
}

static void apply_take_ended(door_view *view, const triage_take *taken)
{
        triage_episode episode;

        if (triage_episode_get(view, &taken->episode, &episode)) {
                triage_lease_end(view, &taken->episode, &episode);
                triage_episode_put(view, &taken->episode, &episode);
        }
}

static void apply_decided(door_view *view, const triage_decided *decided)
{
        triage_episode episode;

        if (!triage_episode_get(view, &decided->episode, &episode)) {
                return;
        }
        const triage_episode before = episode;
        triage_move_to(TRIAGE_DECIDED, &episode, decided->state, decided->version);
        triage_lease_end(view, &decided->episode, &episode);
        wait_end_all(view, &decided->episode, &episode);
        episode.severity = decided->severity;
        episode.level = decided->level;
        if (decided->next_step != TRIAGE_EXISTING_WORKER) {
                episode.next_step = decided->next_step; /* What the worker is there for stays. */
        }
        episode.decided_version = decided->version;
        for (size_t i = 0; i < decided->children_count; i++) {
                triage_child_put(view, &decided->episode, &decided->children[i]);
                triage_child_unpend(view, &decided->episode, &decided->children[i]);
        }
        triage_episode_put(view, &decided->episode, &episode);
        triage_idle_keep(view, &decided->episode, &before, &episode);
}

static void apply_look_listed(door_view *view, const triage_looked *looked)
{
        triage_episode episode;
        triage_referral row;

        if (!triage_episode_get(view, &looked->episode, &episode) ||
            !triage_referral_get(view, &looked->referral, &row)) {
                return;
        }
        if (row.waits != TRIAGE_WAITS_NOT) {
                triage_wait_end(view, &looked->referral, &row, &episode);
        }
        wait_begin(view, &looked->referral, &row, &episode, TRIAGE_WAITS_LOOK);
        triage_episode_put(view, &looked->episode, &episode);
}

static void apply_look_answered(door_view *view, const triage_looked *looked)
{
        triage_episode episode;
        triage_referral row;

        if (!triage_episode_get(view, &looked->episode, &episode) ||
            !triage_referral_get(view, &looked->referral, &row)) {
                return;
        }
        const triage_episode before = episode;
        triage_move_to(TRIAGE_LOOK_ANSWERED, &episode, looked->state, looked->version);
        triage_wait_end(view, &looked->referral, &row, &episode);
        DOOR_REQUIRE(episode.looks == looked->looks_left || view->latch != DOOR_OK);
        triage_episode_put(view, &looked->episode, &episode);
        triage_idle_keep(view, &looked->episode, &before, &episode);
}

static void apply_responded(door_view *view, const triage_looked *looked)
{
        triage_episode episode;
        triage_referral row;

        if (triage_episode_get(view, &looked->episode, &episode) &&
            triage_referral_get(view, &looked->referral, &row)) {
                triage_wait_end(view, &looked->referral, &row, &episode);
                triage_episode_put(view, &looked->episode, &episode);
        }
}

/* ---- the episode moves */

static void apply_moved(door_view *view, triage_event event, const triage_moved *moved)
{
        static const triage_state to[] = {
                [TRIAGE_ACTIVATED] = TRIAGE_ACTIVE,
                [TRIAGE_RETURNED] = TRIAGE_QUEUED,
                [TRIAGE_CLOSED] = TRIAGE_STATE_CLOSED,
                [TRIAGE_REOPENED] = TRIAGE_QUEUED,
        };
        triage_episode episode;

        if (!triage_episode_get(view, &moved->episode, &episode)) {
                return;
        }
        const triage_episode before = episode;
        triage_move_to(event, &episode, to[event], moved->version);
        if (event == TRIAGE_ACTIVATED) {
                episode.team = moved->team;
        } else if (event == TRIAGE_RETURNED) {
                episode.returned = moved->times;
                if (!moved->team_holds && door_bytes_equal(episode.team, moved->team)) {
                        episode.team = DOOR_BYTES_EMPTY;
                }
        } else if (event == TRIAGE_CLOSED) {
                triage_lease_end(view, &moved->episode, &episode);
                wait_end_all(view, &moved->episode, &episode);
                episode.team = DOOR_BYTES_EMPTY;
        } else {
                episode.clocks = moved->clocks;
                episode.severity = moved->severity;
        }
        triage_episode_put(view, &moved->episode, &episode);
        triage_idle_keep(view, &moved->episode, &before, &episode);
}

static void apply_overtaken(door_view *view, const triage_moved *moved)
{
        triage_episode episode;

        if (moved->team.len > 0 && triage_episode_get(view, &moved->episode, &episode) &&
            triage_state_is_open(episode.state)) {
                if (moved->team_holds) {
                        episode.team = moved->team;
                } else if (door_bytes_equal(episode.team, moved->team)) {
                        episode.team = DOOR_BYTES_EMPTY;
                }
                triage_episode_put(view, &moved->episode, &episode);
        }
}

void triage_apply(door_view *view, const door_event *event)
{
        if ((event->flags & DOOR_FLAG_HISTORIC) != 0) {
                triage_history_put(view, event->at_ms);
        }
        switch ((triage_event)event->type) {
        case TRIAGE_EPISODE_OPENED:
                apply_opened(view, event->body);
                break;
        case TRIAGE_REFERRAL_ATTACHED:
                apply_attached(view, event->body);
                break;
        case TRIAGE_HISTORY_NOTED:
                break; /* The log alone remembers it. */
        case TRIAGE_TAKEN:
                apply_taken(view, event->body);
                break;
        case TRIAGE_TAKE_ENDED:
                apply_take_ended(view, event->body);
                break;
        case TRIAGE_DECIDED:
                apply_decided(view, event->body);
                break;
        case TRIAGE_LOOK_LISTED:
                apply_look_listed(view, event->body);
                break;
        case TRIAGE_LOOK_ANSWERED:
                apply_look_answered(view, event->body);
                break;
        case TRIAGE_RESPONDED:
                apply_responded(view, event->body);
                break;
        case TRIAGE_ACTIVATED:
        case TRIAGE_RETURNED:
        case TRIAGE_CLOSED:
        case TRIAGE_REOPENED:
                apply_moved(view, (triage_event)event->type, event->body);
                break;
        case TRIAGE_OVERTAKEN:
                apply_overtaken(view, event->body);
                break;
        case TRIAGE_EPISODE_FOLDED:
        case TRIAGE_RESTORED:
        case TRIAGE_FAMILY_CHANGED:
        case TRIAGE_DETACHED:
        case TRIAGE_MATCH_SETTLED:
                triage_regroup_apply(view, event);
                break;
        }
}
