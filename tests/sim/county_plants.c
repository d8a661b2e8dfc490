#include "sim/county_plants.h"

#include <string.h>

#include "allocation/allot_codec.h"
#include "deduplication/dedup_codec.h"
#include "gateway/view_codec.h"
#include "notification/notify_codec.h"
#include "triage/triage_codec.h"

/* The fault of the run under way; one run at a time, as in plant.h. */
static int planted;

/* What stands in an event is in the batch's arena and ours to spoil. */
static triage_placed *placed_of(const door_event *event)
{
        return (triage_placed *)(uintptr_t)event->body;
}

static void event_drop(door_out *out, size_t index)
{
        out->events_count--;
        memmove(&out->events[index], &out->events[index + 1],
                (out->events_count - index) * sizeof out->events[0]);
}

static void attached_spoil(door_event *event, const door_input *input)
{
        triage_placed *placed = placed_of(event);

        switch (planted) {
        case COUNTY_PLANT_LOWERS:
                placed->severity = placed->severity_own;
                break;
        case COUNTY_PLANT_NOW_NOT_QUEUED:
                if (placed->way == TRIAGE_LOOK_NOW && placed->version > 2) {
                        placed->state = TRIAGE_OFFERED;
                }
                break;
        case COUNTY_PLANT_LOOK_TO_WORKER:
                if (placed->way == TRIAGE_QUICK_LOOK) {
                        placed->way = TRIAGE_WITH_WORKER;
                        placed->respond_by_ms = placed->look_by_ms;
                }
                break;
        case COUNTY_PLANT_SECOND_EPISODE:
                event->type = TRIAGE_EPISODE_OPENED;
                placed->episode = door_id_make(input->random, DOOR_ID_EPISODE, 9);
                placed->version = 1;
                placed->state = TRIAGE_QUEUED;
                placed->children_count = 0;
                break;
        case COUNTY_PLANT_VERSION:
                placed->version--;
                break;
        case COUNTY_PLANT_OTHER_FAMILY:
                placed->family.bytes[0] ^= 1;
                break;
        case COUNTY_PLANT_MOVED_UNSEEN:
                if (placed->has_moved_from && placed->way == TRIAGE_QUICK_LOOK) {
                        placed->way = TRIAGE_WAY_NONE;
                }
                break;
        case COUNTY_PLANT_LATER_CLOCK:
                placed->clocks.rag_ms += 3600000;
                break;
        default:
                break;
        }
}

/* What follows from a person's word about who is who. */
static void regroup_spoil(door_event *event)
{
        triage_folded *folded = (triage_folded *)(uintptr_t)event->body;
        triage_restored *restored = (triage_restored *)(uintptr_t)event->body;
        triage_regroup *regroup = (triage_regroup *)(uintptr_t)event->body;

        if (event->type == TRIAGE_EPISODE_FOLDED && planted == COUNTY_PLANT_FOLD_LOWERS) {
                folded->severity = 0;
        } else if (event->type == TRIAGE_EPISODE_FOLDED && planted == COUNTY_PLANT_FOLD_ASKS_NOBODY) {
                folded->state = TRIAGE_OFFERED;
        } else if (event->type == TRIAGE_EPISODE_FOLDED && planted == COUNTY_PLANT_FOLD_LATER_CLOCK) {
                folded->clocks.rag_ms += 3600000;
        } else if (event->type == TRIAGE_RESTORED && planted == COUNTY_PLANT_RESTORE_LOWERS) {
                restored->severity = 0;
        } else if (event->type == TRIAGE_DETACHED && planted == COUNTY_PLANT_DETACH_LOWERS) {
                regroup->severity = 0;
        }
}

static void event_spoil(door_out *out, size_t *index, const door_input *input)
{
        door_event *event = &out->events[*index];

        regroup_spoil(event);
        if (planted == COUNTY_PLANT_MOVED_NOWHERE && *index > 0 && event[-1].type == TRIAGE_DETACHED) {
                event_drop(out, *index);
                return;
        }
        if (event->type == TRIAGE_REFERRAL_ATTACHED) {
                attached_spoil(event, input);
        } else if (event->type == TRIAGE_DECIDED && planted == COUNTY_PLANT_NOBODY_DECIDED) {
                ((triage_decided *)(uintptr_t)event->body)->by = DOOR_BYTES_EMPTY;
        } else if (event->type == TRIAGE_DECIDED && planted == COUNTY_PLANT_DECIDED_TWICE) {
                out->events[out->events_count++] = *event;
                (*index)++;
        } else if (event->type == TRIAGE_TAKE_ENDED && planted == COUNTY_PLANT_TAKE_STAYS &&
                   input->kind == DOOR_INPUT_TICK) {
                event_drop(out, *index);
                return;
        } else if (event->type == TRIAGE_OVERTAKEN && planted == COUNTY_PLANT_STALE_ACCEPTANCE &&
                   input->kind == DOOR_INPUT_EVENT) {
                event->type = TRIAGE_ACTIVATED;
                ((triage_moved *)(uintptr_t)event->body)->version++;
        }
        (*index)++;
}

static void triage_planted_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        triage_decide(view, policy, input, out);
        if (input->kind == DOOR_INPUT_EVENT &&
            ((planted == COUNTY_PLANT_FORGOTTEN && input->cause.log == TRIAGE_LOG_DEDUPLICATION &&
              input->cause.seq % 10 == 0) ||
             (planted == COUNTY_PLANT_DEAF_TO_JOINS && input->cause.log == TRIAGE_LOG_DEDUPLICATION &&
              input->type == TRIAGE_INPUT_FAMILIES_JOINED) ||
             (planted == COUNTY_PLANT_DEAF_TO_UNDOING && input->cause.log == TRIAGE_LOG_DEDUPLICATION &&
              input->type == TRIAGE_INPUT_JOIN_UNDONE) ||
             (planted == COUNTY_PLANT_DEAF_TO_ACCEPTANCE && input->cause.log == TRIAGE_LOG_ALLOCATION))) {
                out->events_count = 0;
        }
        for (size_t i = 0; i < out->events_count;) {
                event_spoil(out, &i, input);
        }
}

static void allot_planted_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        allot_decide(view, policy, input, out);
        for (size_t i = 0; i < out->events_count;) {
                door_event *event = &out->events[i];
                if ((event->type == ALLOT_OWNER_NAMED && planted == COUNTY_PLANT_NO_OWNER) ||
                    (event->type == ALLOT_FOLDED && planted == COUNTY_PLANT_TWO_OWNERS) ||
                    (event->type == ALLOT_RESTORED && planted == COUNTY_PLANT_RESTORED_UNOWNED) ||
                    (event->type == ALLOT_ENDED && planted == COUNTY_PLANT_NEVER_ENDS)) {
                        event_drop(out, i);
                        continue;
                }
                if (event->type == ALLOT_ENDED && planted == COUNTY_PLANT_OFFER_OF_ENDED) {
                        /* Ended first, then offered all the same. */
                        allot_word *again = door_arena_take_zeroed(out->arena, 1, sizeof *again);
                        if (again != NULL) {
                                *again = *(const allot_word *)event->body;
                                again->team = door_bytes_of("east");
                                again->owner = again->team;
                                door_event *offer = door_out_event(out, ALLOT_OFFERED, again);
                                door_event_subject(offer, DOOR_ID_EPISODE, &again->episode);
                        }
                }
                i++;
        }
}

static void dedup_planted_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        dedup_decide(view, policy, input, out);
        for (size_t i = 0; i < out->events_count; i++) {
                door_event *event = &out->events[i];
                dedup_undone *undone = (dedup_undone *)(uintptr_t)event->body;
                dedup_moved *moved = (dedup_moved *)(uintptr_t)event->body;
                if (event->type == DEDUP_JOIN_UNDONE && planted == COUNTY_PLANT_UNDO_FORGETS &&
                    undone->assignments_count > 0) {
                        undone->assignments_count--;
                } else if (event->type == DEDUP_REFERRAL_MOVED &&
                           planted == COUNTY_PLANT_MOVED_FROM_ELSEWHERE) {
                        moved->from.bytes[0] ^= 1;
                }
        }
}

static void notify_planted_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        notify_decide(view, policy, input, out);
        for (size_t i = 0; i < out->events_count;) {
                const door_event *event = &out->events[i];
                notify_planned *message = (notify_planned *)(uintptr_t)event->body;
                const bool offer = event->type == NOTIFY_PLANNED && message->message.kind == NOTIFY_OFFER;
                const bool joined = event->type == NOTIFY_PLANNED && message->message.kind == NOTIFY_JOINED &&
                                    message->message.why == NOTIFY_WHY_YOURS;
                if ((offer && planted == COUNTY_PLANT_OFFER_UNTOLD) ||
                    (event->type == NOTIFY_OWNER_NOTED && planted == COUNTY_PLANT_TOLD_WHO_LEFT &&
                     ((const notify_owner *)event->body)->team.len == 0)) {
                        event_drop(out, i);
                        continue;
                }
                if ((offer && planted == COUNTY_PLANT_OFFER_TOLD_ELSEWHERE) ||
                    (joined && planted == COUNTY_PLANT_FOLD_TOLD_ELSEWHERE)) {
                        message->message.recipient = door_bytes_of("front-door");
                }
                i++;
        }
}

/* What a view with a mistake in it would pass over. */
static bool view_passes_over(const door_input *input, const view_fact *fact)
{
        switch (planted) {
        case COUNTY_PLANT_VIEW_FORGETS_MOVED:
                return input->cause.log == VIEW_LOG_TRIAGE && fact->has_moved_from;
        case COUNTY_PLANT_VIEW_KEEPS_LOOK:
                return input->cause.log == VIEW_LOG_TRIAGE && input->type == VIEW_LOOK_ANSWERED;
        case COUNTY_PLANT_VIEW_DEAF_TO_UNDOING:
                return input->cause.log == VIEW_LOG_DEDUPLICATION && input->type == VIEW_JOIN_UNDONE;
        case COUNTY_PLANT_VIEW_FORMER_OWNER:
                return input->cause.log == VIEW_LOG_ALLOCATION && input->type == VIEW_ALLOT_FOLDED;
        case COUNTY_PLANT_VIEW_MESSAGE_STAYS:
                return input->cause.log == VIEW_LOG_NOTIFICATION && input->type == VIEW_TOLD;
        default:
                return false;
        }
}

static void view_planted_project(door_view *view, const door_input *input)
{
        if (view_passes_over(input, input->body)) {
                return;
        }
        view_project(view, input);
        if (planted == COUNTY_PLANT_VIEW_COUNTS_FOLDED_TWICE && input->cause.log == VIEW_LOG_TRIAGE &&
            input->type == VIEW_EPISODE_FOLDED) {
                view_count_add(view, VIEW_DISP_QUEUED, 1);
                view_count_add(view, VIEW_COUNT_RECEIVED, 1);
        }
        if (planted == COUNTY_PLANT_VIEW_COUNTS_BY_HEARING && input->cause.log == VIEW_LOG_TRIAGE &&
            view_count_get(view, VIEW_DISP_AWAITING_TRIAGE) > 0) {
                view_count_add(view, VIEW_COUNT_RAISED, 1);
        }
}

const door_core_ops *county_planted_deduplication(int plant)
{
        static door_core_ops ops;

        planted = plant;
        if (plant < COUNTY_PLANT_LOWERS || plant >= COUNTY_PLANTS_END) {
                return &dedup_ops;
        }
        ops = dedup_ops;
        ops.decide = dedup_planted_decide;
        return &ops;
}

const door_core_ops *county_planted_triage(int plant)
{
        static door_core_ops ops;

        planted = plant;
        if (plant < COUNTY_PLANT_LOWERS || plant >= COUNTY_PLANTS_END) {
                return &triage_ops;
        }
        ops = triage_ops;
        ops.decide = triage_planted_decide;
        return &ops;
}

const door_core_ops *county_planted_allocation(int plant)
{
        static door_core_ops ops;

        if (plant < COUNTY_PLANT_LOWERS || plant >= COUNTY_PLANTS_END) {
                return &allot_ops;
        }
        ops = allot_ops;
        ops.decide = allot_planted_decide;
        return &ops;
}

const door_core_ops *county_planted_notification(int plant)
{
        static door_core_ops ops;

        if (plant < COUNTY_PLANT_LOWERS || plant >= COUNTY_PLANTS_END) {
                return &notify_ops;
        }
        ops = notify_ops;
        ops.decide = notify_planted_decide;
        return &ops;
}

const door_core_ops *county_planted_view(int plant)
{
        static door_core_ops ops;

        if (plant < COUNTY_PLANT_LOWERS || plant >= COUNTY_PLANTS_END) {
                return &view_ops;
        }
        ops = view_ops;
        ops.project = view_planted_project;
        return &ops;
}
