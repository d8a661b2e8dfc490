#include "notification/notify_codec.h"

#include <string.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(NOTIFY_LOG_INTAKE, DOOR__V1__LOG__INTAKE);
SAME(NOTIFY_LOG_TRIAGE, DOOR__V1__LOG__TRIAGE);
SAME(NOTIFY_LOG_ALLOCATION, DOOR__V1__LOG__ALLOCATION);
SAME(NOTIFY_INTAKE_ATTEMPT_REFUSED, DOOR__V1__INTAKE_EVENT__INTAKE_ATTEMPT_REFUSED);
SAME(NOTIFY_INTAKE_WITHDRAW_ASKED, DOOR__V1__INTAKE_EVENT__INTAKE_WITHDRAW_ASKED);
SAME(NOTIFY_INTAKE_AMEND_ASKED, DOOR__V1__INTAKE_EVENT__INTAKE_AMEND_ASKED);
SAME(NOTIFY_TRIAGE_OPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_EPISODE_OPENED);
SAME(NOTIFY_TRIAGE_REOPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_REOPENED);
SAME(NOTIFY_TRIAGE_ATTACHED, DOOR__V1__TRIAGE_EVENT__TRIAGE_REFERRAL_ATTACHED);
SAME(NOTIFY_TRIAGE_HISTORY, DOOR__V1__TRIAGE_EVENT__TRIAGE_HISTORY_NOTED);
SAME(NOTIFY_TRIAGE_LOOK_LISTED, DOOR__V1__TRIAGE_EVENT__TRIAGE_LOOK_LISTED);
SAME(NOTIFY_TRIAGE_OVERTAKEN, DOOR__V1__TRIAGE_EVENT__TRIAGE_OVERTAKEN);
SAME(NOTIFY_TRIAGE_FOLDED, DOOR__V1__TRIAGE_EVENT__TRIAGE_FOLDED);
SAME(NOTIFY_TRIAGE_RESTORED, DOOR__V1__TRIAGE_EVENT__TRIAGE_RESTORED);
SAME(NOTIFY_ALLOT_OFFERED, DOOR__V1__ALLOT_EVENT__ALLOT_OFFERED);
SAME(NOTIFY_ALLOT_PLACED, DOOR__V1__ALLOT_EVENT__ALLOT_OFFER_PLACED);
SAME(NOTIFY_ALLOT_UNROUTED, DOOR__V1__ALLOT_EVENT__ALLOT_UNROUTED);
SAME(NOTIFY_ALLOT_ACCEPTED, DOOR__V1__ALLOT_EVENT__ALLOT_ACCEPTED);
SAME(NOTIFY_ALLOT_RETURNED, DOOR__V1__ALLOT_EVENT__ALLOT_RETURNED);
SAME(NOTIFY_ALLOT_HAND_OVER, DOOR__V1__ALLOT_EVENT__ALLOT_HAND_OVER_OFFERED);
SAME(NOTIFY_ALLOT_ENDED, DOOR__V1__ALLOT_EVENT__ALLOT_ENDED);
SAME(NOTIFY_ALLOT_OVERTAKEN, DOOR__V1__ALLOT_EVENT__ALLOT_OVERTAKEN);
SAME(NOTIFY_ALLOT_FOLDED, DOOR__V1__ALLOT_EVENT__ALLOT_FOLDED);
SAME(NOTIFY_ALLOT_RESTORED, DOOR__V1__ALLOT_EVENT__ALLOT_RESTORED);
SAME(NOTIFY_TRY_AGAIN, DOOR__V1__NOTIFY_COMMAND__NOTIFY_TRY_AGAIN);
SAME(NOTIFY_TOLD_BY_PERSON, DOOR__V1__NOTIFY_COMMAND__NOTIFY_TOLD_BY_PERSON);
SAME(NOTIFY_PLANNED, DOOR__V1__NOTIFY_EVENT__NOTIFY_PLANNED);
SAME(NOTIFY_DELIVERED, DOOR__V1__NOTIFY_EVENT__NOTIFY_DELIVERED);
SAME(NOTIFY_ATTEMPT_FAILED, DOOR__V1__NOTIFY_EVENT__NOTIFY_ATTEMPT_FAILED);
SAME(NOTIFY_GIVEN_UP, DOOR__V1__NOTIFY_EVENT__NOTIFY_GIVEN_UP);
SAME(NOTIFY_TRIED_AGAIN, DOOR__V1__NOTIFY_EVENT__NOTIFY_TRIED_AGAIN);
SAME(NOTIFY_TOLD, DOOR__V1__NOTIFY_EVENT__NOTIFY_TOLD);
SAME(NOTIFY_OWNER_NOTED, DOOR__V1__NOTIFY_EVENT__NOTIFY_OWNER_NOTED);
SAME(NOTIFY_NOT_GIVEN_UP, DOOR__V1__NOTIFY_REFUSAL__NOTIFY_NOT_GIVEN_UP);
SAME(NOTIFY_TRAINING_ONLY, DOOR__V1__NOTIFY_REFUSAL__NOTIFY_TRAINING_ONLY);
SAME(NOTIFY_RECEIPT, DOOR__V1__DELIVERY_KIND__DELIVERY_RECEIPT);
SAME(NOTIFY_RED, DOOR__V1__DELIVERY_KIND__DELIVERY_RED);
SAME(NOTIFY_LOOK_NOW, DOOR__V1__DELIVERY_KIND__DELIVERY_LOOK_NOW);
SAME(NOTIFY_REQUEST, DOOR__V1__DELIVERY_KIND__DELIVERY_REQUEST);
SAME(NOTIFY_JOINED, DOOR__V1__DELIVERY_KIND__DELIVERY_JOINED);
SAME(NOTIFY_JOIN_UNDONE, DOOR__V1__DELIVERY_KIND__DELIVERY_JOIN_UNDONE);
SAME(NOTIFY_UNREACHABLE, DOOR__V1__DELIVERY_FAILURE__FAILURE_UNREACHABLE);
SAME(NOTIFY_TLS, DOOR__V1__DELIVERY_FAILURE__FAILURE_TLS);
SAME(NOTIFY_TIMED_OUT, DOOR__V1__DELIVERY_FAILURE__FAILURE_TIMED_OUT);
SAME(NOTIFY_REFUSED_FOR_NOW, DOOR__V1__DELIVERY_FAILURE__FAILURE_REFUSED_FOR_NOW);
SAME(NOTIFY_REFUSED, DOOR__V1__DELIVERY_FAILURE__FAILURE_REFUSED);
SAME(NOTIFY_DISK, DOOR__V1__DELIVERY_FAILURE__FAILURE_DISK);
SAME(NOTIFY_NO_ADDRESS, DOOR__V1__DELIVERY_FAILURE__FAILURE_NO_ADDRESS);
SAME(NOTIFY_WHY_HAND_OVER, DOOR__V1__OFFER_REASON__OFFER_HAND_OVER);

static const char *const sink_names[] = { "none", "eml", "smtp" };

/* ---- inputs ---- */

static bool id_read(ProtobufCBinaryData data, bool *ret_has, door_id *ret_id)
{
        *ret_has = true;
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

/* A name of a team, an agency or a desk: it becomes a recipient. */
static bool name_read(const char *text, door_bytes *ret_name)
{
        *ret_name = door_proto_text(text);
        return ret_name->len <= NOTIFY_NAME_BYTES_MAX;
}

static door_status opened_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__EpisodeOpened *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_opened__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->historic = in->historic;
        seen->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        seen->queued = in->state == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        seen->moved = in->has_moved_from;
        seen->severity = in->severity;
        seen->why = in->n_why > 0 ? (uint32_t)in->why[0] : 0;
        seen->rag_ms = in->clocks->rag_ms;
        return id_read(in->episode, &seen->has_episode, &seen->episode) &&
                               id_read(in->referral, &seen->has_referral, &seen->referral) &&
                               name_read(in->agency, &seen->agency)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status attached_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__ReferralAttached *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__referral_attached__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->historic = in->historic;
        seen->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        seen->moved = in->has_moved_from;
        seen->look_now = in->way == DOOR__V1__REPEAT_WAY__WAY_LOOK_NOW;
        seen->severity = in->severity;
        seen->why = in->n_why > 0 ? (uint32_t)in->why[0] : 0;
        seen->rag_ms = in->clocks->rag_ms;
        seen->due_ms = in->respond_by_ms;
        return id_read(in->episode, &seen->has_episode, &seen->episode) &&
                               id_read(in->referral, &seen->has_referral, &seen->referral) &&
                               name_read(in->agency, &seen->agency)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status history_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__HistoryNoted *in = NULL;
        const door_status status = door_proto_read(&door__v1__history_noted__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        return id_read(in->referral, &seen->has_referral, &seen->referral) &&
                               name_read(in->agency, &seen->agency)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status look_listed_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__LookListed *in = NULL;
        const door_status status = door_proto_read(&door__v1__look_listed__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->why = (uint32_t)in->why;
        seen->due_ms = in->look_by_ms;
        return id_read(in->episode, &seen->has_episode, &seen->episode) &&
                               id_read(in->referral, &seen->has_referral, &seen->referral)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status triage_overtaken_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__TriageOvertaken *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__triage_overtaken__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->actor = door_proto_text(in->actor);
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status reopened_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__EpisodeReopened *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_reopened__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->queued = true;
        seen->severity = in->severity;
        seen->rag_ms = in->clocks->rag_ms;
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

/* Of these two only what comes into the queue is of interest; whom it concerns is allocation's word. */
static door_status triage_folded_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__EpisodeFolded *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_folded__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        seen->queued = in->state == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        seen->severity = in->severity;
        seen->rag_ms = in->clocks->rag_ms;
        return id_read(in->to, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status triage_restored_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__EpisodeRestored *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_restored__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        seen->queued = in->state == DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        seen->severity = in->severity;
        seen->rag_ms = in->clocks->rag_ms;
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status triage_read(uint32_t type, door_bytes payload, door_arena *arena, notify_seen *seen)
{
        switch (type) {
        case NOTIFY_TRIAGE_OPENED:
                return opened_read(payload, arena, seen);
        case NOTIFY_TRIAGE_ATTACHED:
                return attached_read(payload, arena, seen);
        case NOTIFY_TRIAGE_HISTORY:
                return history_read(payload, arena, seen);
        case NOTIFY_TRIAGE_LOOK_LISTED:
                return look_listed_read(payload, arena, seen);
        case NOTIFY_TRIAGE_REOPENED:
                return reopened_read(payload, arena, seen);
        case NOTIFY_TRIAGE_OVERTAKEN:
                return triage_overtaken_read(payload, arena, seen);
        case NOTIFY_TRIAGE_FOLDED:
                return triage_folded_read(payload, arena, seen);
        case NOTIFY_TRIAGE_RESTORED:
                return triage_restored_read(payload, arena, seen);
        default:
                return DOOR_MALFORMED;
        }
}

static door_status offered_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OfferMade *in = NULL;
        const door_status status = door_proto_read(&door__v1__offer_made__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->waiting = in->waiting;
        seen->why = in->n_why > 0 ? (uint32_t)in->why[0] : 0;
        return id_read(in->episode, &seen->has_episode, &seen->episode) && name_read(in->team, &seen->team)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status placed_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OfferPlaced *in = NULL;
        const door_status status = door_proto_read(&door__v1__offer_placed__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        return id_read(in->episode, &seen->has_episode, &seen->episode) && name_read(in->team, &seen->team)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status unrouted_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__Unrouted *in = NULL;
        const door_status status = door_proto_read(&door__v1__unrouted__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status accepted_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OfferAccepted *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__offer_accepted__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        return id_read(in->episode, &seen->has_episode, &seen->episode) && name_read(in->team, &seen->team) &&
                               name_read(in->from, &seen->from)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status returned_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OfferReturned *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__offer_returned__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->hand_over = in->hand_over;
        seen->why = (uint32_t)in->reason;
        return id_read(in->episode, &seen->has_episode, &seen->episode) && name_read(in->team, &seen->team) &&
                               name_read(in->owner, &seen->owner)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status hand_over_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__HandOverOffered *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__hand_over_offered__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->waiting = in->waiting;
        seen->why = NOTIFY_WHY_HAND_OVER;
        return id_read(in->episode, &seen->has_episode, &seen->episode) && name_read(in->to, &seen->team)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status ended_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OwnershipEnded *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__ownership_ended__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status allot_overtaken_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__AllotOvertaken *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__allot_overtaken__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->actor = door_proto_text(in->actor);
        return id_read(in->episode, &seen->has_episode, &seen->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status allot_folded_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OwnershipFolded *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__ownership_folded__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->accepted = in->accepted;
        return id_read(in->to, &seen->has_episode, &seen->episode) &&
                               door_id_from_bytes(door_proto_bytes(in->from), &seen->other) &&
                               name_read(in->owner, &seen->owner) && name_read(in->leaves, &seen->leaves) &&
                               name_read(in->offered_before, &seen->withdrawn)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status allot_restored_read(door_bytes payload, door_arena *arena, notify_seen *seen)
{
        Door__V1__OwnershipRestored *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__ownership_restored__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        seen->accepted = in->accepted;
        return id_read(in->episode, &seen->has_episode, &seen->episode) &&
                               door_id_from_bytes(door_proto_bytes(in->survivor), &seen->other) &&
                               name_read(in->owner, &seen->owner)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status allot_read(uint32_t type, door_bytes payload, door_arena *arena, notify_seen *seen)
{
        switch (type) {
        case NOTIFY_ALLOT_OFFERED:
                return offered_read(payload, arena, seen);
        case NOTIFY_ALLOT_PLACED:
                return placed_read(payload, arena, seen);
        case NOTIFY_ALLOT_UNROUTED:
                return unrouted_read(payload, arena, seen);
        case NOTIFY_ALLOT_ACCEPTED:
                return accepted_read(payload, arena, seen);
        case NOTIFY_ALLOT_RETURNED:
                return returned_read(payload, arena, seen);
        case NOTIFY_ALLOT_HAND_OVER:
                return hand_over_read(payload, arena, seen);
        case NOTIFY_ALLOT_ENDED:
                return ended_read(payload, arena, seen);
        case NOTIFY_ALLOT_OVERTAKEN:
                return allot_overtaken_read(payload, arena, seen);
        case NOTIFY_ALLOT_FOLDED:
                return allot_folded_read(payload, arena, seen);
        case NOTIFY_ALLOT_RESTORED:
                return allot_restored_read(payload, arena, seen);
        default:
                return DOOR_MALFORMED;
        }
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        notify_seen *seen = door_arena_take_zeroed(arena, 1, sizeof *seen);
        door_status status = DOOR_OK; /* Intake's: the header is all there is. */

        (void)version; /* Fields are only added; a new meaning is a new type. */
        if (seen == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (log == NOTIFY_LOG_TRIAGE) {
                status = triage_read(type, payload, arena, seen);
        } else if (log == NOTIFY_LOG_ALLOCATION) {
                status = allot_read(type, payload, arena, seen);
        } else if (log != NOTIFY_LOG_INTAKE) {
                status = DOOR_MALFORMED;
        }
        if (status == DOOR_OK) {
                *ret_body = seen;
        }
        return status;
}

static door_status about_named(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__DeliveryNamed *in = NULL;
        notify_about *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__delivery_named__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        *ret_body = body;
        return door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        return type == NOTIFY_TRY_AGAIN || type == NOTIFY_TOLD_BY_PERSON ? about_named(body, arena, ret_body)
                                                                         : DOOR_MALFORMED;
}

/* ---- events ---- */

static door_status planned_encode(const notify_planned *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__DeliveryPlanned out = DOOR__V1__DELIVERY_PLANNED__INIT;
        const notify_message *m = &body->message;

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        out.kind = (Door__V1__DeliveryKind)m->kind;
        out.recipient = door_proto_string(arena, m->recipient);
        if (out.recipient == NULL) {
                if (arena->exhausted) {
                        return DOOR_NO_MEMORY;
                }
                out.recipient = (char *)(uintptr_t) ""; /* An upstream that named nobody. */
        }
        out.has_referral = m->has_referral;
        out.referral = door_proto_data(door_id_bytes(&m->referral));
        out.has_episode = m->has_episode;
        out.episode = door_proto_data(door_id_bytes(&m->episode));
        out.has_severity = m->has_severity;
        out.severity = m->severity;
        out.has_why = m->why != 0;
        out.why = m->why;
        out.not_before_ms = body->not_before_ms;
        out.has_due_ms = m->due_ms != 0;
        out.due_ms = m->due_ms;
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status delivered_encode(const notify_about *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__Delivered out = DOOR__V1__DELIVERED__INIT;
        const uint32_t sinks = sizeof sink_names / sizeof sink_names[0];

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        out.attempts = body->attempts;
        out.sink = (char *)(uintptr_t)sink_names[body->sink < sinks ? body->sink : NOTIFY_SINK_NONE];
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status failed_encode(const notify_about *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__AttemptFailed out = DOOR__V1__ATTEMPT_FAILED__INIT;

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        out.attempts = body->attempts;
        out.failure = (Door__V1__DeliveryFailure)body->failure;
        out.next_ms = body->next_ms;
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status given_up_encode(const notify_about *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__GivenUp out = DOOR__V1__GIVEN_UP__INIT;

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        out.attempts = body->attempts;
        out.failure = (Door__V1__DeliveryFailure)body->failure;
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status told_encode(const notify_about *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__ToldByPerson out = DOOR__V1__TOLD_BY_PERSON__INIT;

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        out.by = door_proto_string(arena, body->by);
        return out.by == NULL ? DOOR_NO_MEMORY : door_proto_pack(&out, arena, ret_bytes);
}

static door_status owner_encode(const notify_owner *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__OwnerNoted out = DOOR__V1__OWNER_NOTED__INIT;

        out.episode = door_proto_data(door_id_bytes(&body->episode));
        out.team = door_proto_string(arena, body->team); /* Absent: the front door. */
        return arena->exhausted ? DOOR_NO_MEMORY : door_proto_pack(&out, arena, ret_bytes);
}

static door_status named_encode(const notify_about *body, door_arena *arena, door_bytes *ret_bytes)
{
        Door__V1__DeliveryNamed out = DOOR__V1__DELIVERY_NAMED__INIT;

        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        *ret_private = DOOR_BYTES_EMPTY;
        switch ((notify_event)event->type) {
        case NOTIFY_PLANNED:
                return planned_encode(event->body, arena, ret_public);
        case NOTIFY_DELIVERED:
                return delivered_encode(event->body, arena, ret_public);
        case NOTIFY_ATTEMPT_FAILED:
                return failed_encode(event->body, arena, ret_public);
        case NOTIFY_GIVEN_UP:
                return given_up_encode(event->body, arena, ret_public);
        case NOTIFY_TRIED_AGAIN:
                return named_encode(event->body, arena, ret_public);
        case NOTIFY_TOLD:
                return told_encode(event->body, arena, ret_public);
        case NOTIFY_OWNER_NOTED:
                return owner_encode(event->body, arena, ret_public);
        }
        return DOOR_MALFORMED;
}

static door_status planned_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__DeliveryPlanned *in = NULL;
        notify_planned *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status =
                door_proto_read(&door__v1__delivery_planned__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        notify_message *m = &body->message;
        m->kind = (notify_kind)in->kind;
        m->has_referral = in->has_referral;
        m->has_episode = in->has_episode;
        m->has_severity = in->has_severity;
        m->severity = in->severity;
        m->why = in->why;
        m->due_ms = in->due_ms;
        body->not_before_ms = in->not_before_ms;
        *ret_body = body;
        return m->kind != 0 && name_read(in->recipient, &m->recipient) &&
                               door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) &&
                               (!m->has_referral ||
                                door_id_from_bytes(door_proto_bytes(in->referral), &m->referral)) &&
                               (!m->has_episode ||
                                door_id_from_bytes(door_proto_bytes(in->episode), &m->episode))
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static notify_sink sink_read(const char *name)
{
        for (uint32_t i = 0; i < sizeof sink_names / sizeof sink_names[0]; i++) {
                if (strcmp(sink_names[i], name) == 0) {
                        return (notify_sink)i;
                }
        }
        return NOTIFY_SINK_NONE;
}

static door_status delivered_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__Delivered *in = NULL;
        notify_about *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__delivered__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        body->attempts = in->attempts;
        body->sink = sink_read(in->sink);
        *ret_body = body;
        return door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status failed_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__AttemptFailed *in = NULL;
        notify_about *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__attempt_failed__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        body->attempts = in->attempts;
        body->failure = (notify_failure)in->failure;
        body->next_ms = in->next_ms;
        *ret_body = body;
        return door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status given_up_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__GivenUp *in = NULL;
        notify_about *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__given_up__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        body->attempts = in->attempts;
        body->failure = (notify_failure)in->failure;
        *ret_body = body;
        return door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status told_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__ToldByPerson *in = NULL;
        notify_about *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__told_by_person__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        body->by = door_proto_text(in->by);
        *ret_body = body;
        return door_id_from_bytes(door_proto_bytes(in->delivery), &body->delivery) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status owner_decode(door_bytes bytes, door_arena *arena, const void **ret_body)
{
        Door__V1__OwnerNoted *in = NULL;
        notify_owner *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__owner_noted__descriptor, bytes, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        *ret_body = body;
        return name_read(in->team, &body->team) &&
                               door_id_from_bytes(door_proto_bytes(in->episode), &body->episode)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        (void)private_payload;
        if (version != 1) {
                return DOOR_MALFORMED;
        }
        switch (type) {
        case NOTIFY_PLANNED:
                return planned_decode(public_payload, arena, ret_body);
        case NOTIFY_DELIVERED:
                return delivered_decode(public_payload, arena, ret_body);
        case NOTIFY_ATTEMPT_FAILED:
                return failed_decode(public_payload, arena, ret_body);
        case NOTIFY_GIVEN_UP:
                return given_up_decode(public_payload, arena, ret_body);
        case NOTIFY_TRIED_AGAIN:
                return about_named(public_payload, arena, ret_body);
        case NOTIFY_TOLD:
                return told_decode(public_payload, arena, ret_body);
        case NOTIFY_OWNER_NOTED:
                return owner_decode(public_payload, arena, ret_body);
        default:
                return DOOR_MALFORMED;
        }
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        Door__V1__NotifyAnswer out = DOOR__V1__NOTIFY_ANSWER__INIT;
        const notify_about *body = event->body;

        if (event->type != NOTIFY_TRIED_AGAIN && event->type != NOTIFY_TOLD) {
                return DOOR_MALFORMED;
        }
        out.delivery = door_proto_data(door_id_bytes(&body->delivery));
        return door_proto_pack(&out, arena, ret_body);
}

/* ---- policy ---- */

/* What may stand in a header line: printable ASCII, no blanks or brackets, one '@' within. */
static bool email_is_sound(door_bytes email)
{
        size_t ats = 0;

        for (size_t i = 0; i < email.len; i++) {
                const uint8_t c = email.data[i];
                if (c <= ' ' || c >= 0x7F || c == '<' || c == '>' || c == ',' || c == ';' || c == '"' ||
                    c == '(' || c == ')' || c == ':' || c == '\\' || c == '[' || c == ']') {
                        return false;
                }
                ats += c == '@' ? 1 : 0;
        }
        return ats == 1 && email.len <= NOTIFY_EMAIL_BYTES_MAX && email.data[0] != '@' &&
               email.data[email.len - 1] != '@';
}

static bool phone_is_sound(door_bytes phone)
{
        for (size_t i = 0; i < phone.len; i++) {
                if (phone.data[i] < ' ' || phone.data[i] >= 0x7F) {
                        return false;
                }
        }
        return phone.len <= NOTIFY_PHONE_BYTES_MAX;
}

static door_status recipients_read(const Door__V1__NotifyPolicy *in, door_arena *arena, notify_policy *policy)
{
        notify_recipient *recipients = door_arena_take_zeroed(arena, in->n_recipient + 1, sizeof *recipients);

        if (recipients == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_recipient; i++) {
                const Door__V1__Recipient *from = in->recipient[i];
                door_bytes *emails = door_arena_take_zeroed(arena, from->n_email + 1, sizeof *emails);
                if (emails == NULL) {
                        return DOOR_NO_MEMORY;
                }
                if (!name_read(from->id, &recipients[i].id) || recipients[i].id.len == 0 ||
                    from->n_email > NOTIFY_EMAILS_MAX) {
                        return DOOR_MALFORMED;
                }
                for (size_t n = 0; n < from->n_email; n++) {
                        emails[n] = door_proto_text(from->email[n]);
                        if (!email_is_sound(emails[n])) {
                                return DOOR_MALFORMED;
                        }
                }
                recipients[i].emails = emails;
                recipients[i].emails_count = from->n_email;
        }
        policy->recipients = recipients;
        policy->recipients_count = in->n_recipient;
        return DOOR_OK;
}

static bool numbers_are_sound(const notify_policy *policy)
{
        return policy->attempts_max >= 1 && policy->retry_first_ms >= 1000 &&
               policy->retry_last_ms >= policy->retry_first_ms && policy->working.to_min <= 1440 &&
               policy->working.from_min < policy->working.to_min &&
               phone_is_sound(policy->front_door_phone) && phone_is_sound(policy->out_of_hours_phone) &&
               email_is_sound(policy->sender);
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        Door__V1__NotifyPolicy *in = NULL;
        notify_policy *policy = door_arena_take(arena, sizeof *policy);

        if (policy == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_status status = door_proto_read(&door__v1__notify_policy__descriptor, content, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        *policy = notify_policy_default;
        policy->training = in->training;
        policy->receipts = in->receipts;
        policy->front_door_phone = door_proto_text(in->front_door_phone);
        policy->out_of_hours_phone = door_proto_text(in->out_of_hours_phone);
        policy->sender = in->sender == NULL ? policy->sender : door_proto_text(in->sender);
        policy->red_from = in->red_from;
        policy->amber_from = in->amber_from;
        policy->attempts_max = in->attempts_max;
        policy->retry_first_ms = (uint64_t)in->retry_first_s * 1000;
        policy->retry_last_ms = (uint64_t)in->retry_last_s * 1000;
        if (in->working != NULL) {
                policy->working = (door_working){ .from_min = in->working->from_min,
                                                  .to_min = in->working->to_min,
                                                  .holidays = in->working->holiday,
                                                  .holidays_count = in->working->n_holiday };
        }
        if (in->n_recipient > NOTIFY_RECIPIENTS_MAX || policy->working.holidays_count > NOTIFY_HOLIDAYS_MAX ||
            !numbers_are_sound(policy)) {
                return DOOR_MALFORMED;
        }
        status = recipients_read(in, arena, policy);
        if (status == DOOR_OK) {
                *ret_policy = policy;
        }
        return status;
}

static const door_consumed consumes[] = {
        { NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_ATTEMPT_REFUSED },
        { NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_WITHDRAW_ASKED },
        { NOTIFY_LOG_INTAKE, NOTIFY_INTAKE_AMEND_ASKED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_HISTORY },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_REOPENED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OVERTAKEN },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_FOLDED },
        { NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_RESTORED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OFFERED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_UNROUTED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RETURNED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_HAND_OVER },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ENDED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_OVERTAKEN },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_FOLDED },
        { NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_RESTORED },
};

static const door_known knows[] = {
        { NOTIFY_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED },
        { NOTIFY_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_REPEATED },
        { NOTIFY_LOG_INTAKE, DOOR__V1__INTAKE_EVENT__INTAKE_DISCLOSED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_TAKEN },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_TAKE_ENDED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_DECIDED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_LOOK_ANSWERED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_RESPONDED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_ACTIVATED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_RETURNED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_CLOSED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_FAMILY_CHANGED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_DETACHED },
        { NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_MATCH_SETTLED },
        { NOTIFY_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_OWNER_NAMED },
};

const door_core_ops notify_ops = {
        .name = "notification",
        .log = DOOR__V1__LOG__NOTIFICATION,
        .consumes = consumes,
        .consumes_count = sizeof consumes / sizeof consumes[0],
        .knows = knows,
        .knows_count = sizeof knows / sizeof knows[0],
        .decode_input = decode_input,
        .decode_command = decode_command,
        .encode_event = encode_event,
        .decode_event = decode_event,
        .decode_policy = decode_policy,
        .encode_answer = encode_answer,
        .decide = notify_decide,
        .apply = notify_apply,
        .next_deadline = notify_next_deadline,
        .next_effect = notify_next_effect,
};
