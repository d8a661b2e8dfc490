#include "notification/notify_core.h"

#include <string.h>

#include "door/actor.h"
#include "notification/notify_state.h"
#include "notification/notify_text.h"

/* RefusedReason and RetryReason of envelope.proto. */
enum { REASON_NOT_ALLOWED = 2, REASON_NO_SUCH = 5, RETRY_NOT_READY = 8 };

static const char front_door[] = "front-door";
static const char emergency_duty[] = "edt";
static const char manager[] = "manager";

const notify_policy notify_policy_default = {
        .sender = { (const uint8_t *)"frontdoor@frontdoor.invalid", 27 },
        .red_from = 80,
        .amber_from = 50,
        .attempts_max = 8,
        .retry_first_ms = 5000,
        .retry_last_ms = 900000,
        .working = { .from_min = DOOR_WORKING_FROM_MIN, .to_min = DOOR_WORKING_TO_MIN },
};

const notify_recipient *notify_recipient_find(const notify_policy *policy, door_bytes id)
{
        for (size_t i = 0; i < policy->recipients_count; i++) {
                if (door_bytes_equal(policy->recipients[i].id, id) &&
                    policy->recipients[i].emails_count > 0) {
                        return &policy->recipients[i];
                }
        }
        return NULL;
}

/* ---- planning ---- */

typedef struct planning {
        door_view *view;
        const notify_policy *policy;
        const door_input *input;
        const notify_seen *seen;
        door_out *out;
        uint32_t made; /* Deliveries so far: the next one's number. */
} planning;

static door_event *emit(door_out *out, notify_event type, const void *body, const door_id *delivery)
{
        door_event *event = body == NULL ? NULL : door_out_event(out, type, body);

        if (event != NULL && delivery != NULL) {
                door_event_subject(event, DOOR_ID_DELIVERY, delivery);
        }
        return event;
}

static void plan(planning *p, const notify_message *message)
{
        notify_planned *planned = door_arena_take_zeroed(p->out->arena, 1, sizeof *planned);

        if (planned == NULL) {
                return; /* The latch is set; the shell tries again with less. */
        }
        planned->delivery = door_id_make(p->input->random, DOOR_ID_DELIVERY, p->made++);
        planned->message = *message;
        planned->not_before_ms = p->input->now_ms;
        door_event *event = emit(p->out, NOTIFY_PLANNED, planned, &planned->delivery);
        if (event != NULL && message->has_referral) {
                door_event_subject(event, DOOR_ID_REFERRAL, &message->referral);
        }
        if (event != NULL && message->has_episode) {
                door_event_subject(event, DOOR_ID_EPISODE, &message->episode);
        }
}

/* A message about what was seen, to somebody. */
static notify_message about(const planning *p, notify_kind kind, door_bytes recipient)
{
        const notify_seen *seen = p->seen;

        return (notify_message){ .kind = kind,
                                 .recipient = recipient,
                                 .has_referral = seen->has_referral,
                                 .referral = seen->referral,
                                 .has_episode = seen->has_episode,
                                 .episode = seen->episode,
                                 .why = seen->why,
                                 .due_ms = seen->due_ms };
}

static void plan_to(planning *p, notify_kind kind, door_bytes recipient)
{
        const notify_message message = about(p, kind, recipient);

        plan(p, &message);
}

/* Red and look-now: whoever is at the desk. Their clock is the row's. */
static void plan_to_duty(planning *p, notify_kind kind)
{
        const bool open = door_working_time(&p->policy->working, p->input->now_ms);
        notify_message message = about(p, kind, door_bytes_of(open ? front_door : emergency_duty));

        message.due_ms = p->seen->rag_ms;
        message.has_severity = true;
        message.severity = p->seen->severity;
        plan(p, &message);
}

/*
 * To the sender, of the referral alone: that its family is known, or has an owner, is not its to
 * learn, nor that it was moved. Only where the policy has an address: a sender without one reads its receipt
 * where it sent.
 */
static void plan_receipt(planning *p)
{
        if (!p->policy->receipts || p->seen->moved ||
            notify_recipient_find(p->policy, p->seen->agency) == NULL) {
                return;
        }
        const notify_message message = { .kind = NOTIFY_RECEIPT,
                                         .recipient = p->seen->agency,
                                         .has_referral = true,
                                         .referral = p->seen->referral };
        plan(p, &message);
}

static void attached(planning *p)
{
        door_bytes team;

        plan_receipt(p);
        if (p->seen->look_now) {
                plan_to_duty(p, NOTIFY_LOOK_NOW);
        }
        if (notify_owner_get(p->view, &p->seen->episode, &team)) {
                notify_message message = about(p, NOTIFY_ADDED, team);
                message.has_severity = true;
                message.severity = p->seen->severity;
                plan(p, &message);
        }
}

static void look_listed(planning *p)
{
        door_bytes team;

        plan_to(p, NOTIFY_LOOK_LATE, door_bytes_of(front_door));
        if (notify_owner_get(p->view, &p->seen->episode, &team)) {
                plan_to(p, NOTIFY_LOOK_LATE, team);
        }
}

/* An actor is told at its desk: its team, or the front door. */
static void overtaken(planning *p)
{
        door_actor actor;

        if (p->seen->actor.len == 0) {
                return;
        }
        const bool of_team = door_actor_read(p->seen->actor, &actor) && actor.team.len > 0 &&
                             actor.team.len <= NOTIFY_NAME_BYTES_MAX;
        plan_to(p, NOTIFY_OVERTAKEN, of_team ? actor.team : door_bytes_of(front_door));
}

static void intake_plan(planning *p)
{
        const bool refused = p->input->type == NOTIFY_INTAKE_ATTEMPT_REFUSED;
        notify_message message =
                about(p, refused ? NOTIFY_ATTEMPT_REFUSED : NOTIFY_REQUEST, door_bytes_of(front_door));

        /* Only the header is read here, and its subject is the referral. */
        for (uint32_t i = 0; i < p->input->subjects_count; i++) {
                if (p->input->subjects[i].kind == DOOR_ID_REFERRAL && !message.has_referral) {
                        message.has_referral = true;
                        message.referral = p->input->subjects[i].id;
                }
        }
        if (refused) {
                message.due_ms = p->input->at_ms + NOTIFY_ATTEMPT_LOOKED_AT_MS;
        } else {
                message.why = p->input->type == NOTIFY_INTAKE_WITHDRAW_ASKED ? NOTIFY_WHY_WITHDRAW
                                                                             : NOTIFY_WHY_AMEND;
        }
        plan(p, &message);
}

static void triage_plan(planning *p)
{
        switch ((notify_triage_type)p->input->type) {
        case NOTIFY_TRIAGE_OPENED:
                plan_receipt(p);
                if (p->seen->queued && p->seen->severity >= p->policy->red_from) {
                        plan_to_duty(p, NOTIFY_RED);
                }
                break;
        case NOTIFY_TRIAGE_ATTACHED:
                attached(p);
                break;
        case NOTIFY_TRIAGE_HISTORY:
                plan_receipt(p);
                break;
        case NOTIFY_TRIAGE_LOOK_LISTED:
                look_listed(p);
                break;
        case NOTIFY_TRIAGE_REOPENED:
        case NOTIFY_TRIAGE_FOLDED:
        case NOTIFY_TRIAGE_RESTORED:
                /* A red row is in the queue again, whatever brought it there. */
                if (p->seen->queued && p->seen->severity >= p->policy->red_from) {
                        plan_to_duty(p, NOTIFY_RED);
                }
                break;
        case NOTIFY_TRIAGE_OVERTAKEN:
                overtaken(p);
                break;
        }
}

static void plan_why(planning *p, notify_kind kind, uint32_t why, const door_id *episode,
                     door_bytes recipient)
{
        notify_message message = about(p, kind, recipient);

        message.why = why;
        message.episode = *episode;
        plan(p, &message);
}

/* Each desk once, and of the episode that it knew. */
static void folded(planning *p)
{
        const notify_seen *seen = p->seen;
        const door_bytes owner = seen->accepted ? seen->owner : door_bytes_of(front_door);
        door_bytes before;

        plan_why(p, NOTIFY_JOINED, seen->accepted ? NOTIFY_WHY_YOURS : NOTIFY_WHY_FRONT_DOORS, &seen->episode,
                 owner);
        if (seen->leaves.len > 0) {
                const bool had_other = notify_owner_get(p->view, &seen->other, &before) &&
                                       door_bytes_equal(before, seen->leaves);
                plan_why(p, NOTIFY_JOINED, NOTIFY_WHY_LEAVES, had_other ? &seen->other : &seen->episode,
                         seen->leaves);
        }
        if (seen->withdrawn.len > 0 && !door_bytes_equal(seen->withdrawn, owner) &&
            !door_bytes_equal(seen->withdrawn, seen->leaves)) {
                plan_why(p, NOTIFY_JOINED, NOTIFY_WHY_WITHDRAWN, &seen->other, seen->withdrawn);
        }
}

static void restored(planning *p)
{
        const notify_seen *seen = p->seen;
        const door_bytes owner = seen->accepted ? seen->owner : door_bytes_of(front_door);
        door_bytes survivors;

        plan_why(p, NOTIFY_JOIN_UNDONE, seen->accepted ? NOTIFY_WHY_YOURS : NOTIFY_WHY_FRONT_DOORS,
                 &seen->episode, owner);
        if (notify_owner_get(p->view, &seen->other, &survivors) && !door_bytes_equal(survivors, owner)) {
                plan_why(p, NOTIFY_JOIN_UNDONE, NOTIFY_WHY_SURVIVES, &seen->other, survivors);
        }
}

static void allot_plan(planning *p)
{
        switch ((notify_allot_type)p->input->type) {
        case NOTIFY_ALLOT_OFFERED:
        case NOTIFY_ALLOT_HAND_OVER:
                if (!p->seen->waiting) {
                        plan_to(p, NOTIFY_OFFER, p->seen->team);
                }
                break;
        case NOTIFY_ALLOT_PLACED:
                plan_to(p, NOTIFY_OFFER, p->seen->team);
                break;
        case NOTIFY_ALLOT_UNROUTED:
                plan_to(p, NOTIFY_UNROUTED, door_bytes_of(manager));
                break;
        case NOTIFY_ALLOT_ACCEPTED:
                if (p->seen->from.len > 0 && !door_bytes_equal(p->seen->from, p->seen->team)) {
                        plan_to(p, NOTIFY_OWNER_CHANGED, p->seen->from);
                }
                break;
        case NOTIFY_ALLOT_RETURNED:
                plan_to(p, NOTIFY_RETURNED, p->seen->hand_over ? p->seen->owner : door_bytes_of(front_door));
                break;
        case NOTIFY_ALLOT_ENDED:
                break;
        case NOTIFY_ALLOT_OVERTAKEN:
                overtaken(p);
                break;
        case NOTIFY_ALLOT_FOLDED:
                folded(p);
                break;
        case NOTIFY_ALLOT_RESTORED:
                restored(p);
                break;
        }
}

static void owner_set(planning *p, const door_id *episode, door_bytes team)
{
        door_bytes before = DOOR_BYTES_EMPTY;

        (void)notify_owner_get(p->view, episode, &before);
        if (door_bytes_equal(before, team)) {
                return;
        }
        notify_owner *owner = door_arena_take_zeroed(p->out->arena, 1, sizeof *owner);
        if (owner != NULL) {
                owner->episode = *episode;
                owner->team = team;
        }
        door_event *event = emit(p->out, NOTIFY_OWNER_NOTED, owner, NULL);
        if (event != NULL) {
                event->flags |= DOOR_FLAG_IGNORABLE;
                door_event_subject(event, DOOR_ID_EPISODE, episode);
        }
}

/* A hand-over, or an offer made while a team held the family: that team holds it still. Any other owner
 * after a return is the front door. */
static door_bytes owner_after_return(planning *p)
{
        const notify_seen *seen = p->seen;
        door_bytes before = DOOR_BYTES_EMPTY;

        (void)notify_owner_get(p->view, &seen->episode, &before);
        return seen->hand_over || door_bytes_equal(seen->owner, before) ? seen->owner : DOOR_BYTES_EMPTY;
}

/*
 * Who owns the episode now, kept in our own log: the state is a fold of it and of nothing else.
 * Also of history, because what comes later may not be history.
 */
static void owner_note(planning *p)
{
        const notify_seen *seen = p->seen;

        switch ((notify_allot_type)p->input->type) {
        case NOTIFY_ALLOT_ACCEPTED:
                owner_set(p, &seen->episode, seen->team);
                break;
        case NOTIFY_ALLOT_RETURNED:
                owner_set(p, &seen->episode, owner_after_return(p));
                break;
        case NOTIFY_ALLOT_ENDED:
                owner_set(p, &seen->episode, DOOR_BYTES_EMPTY);
                break;
        case NOTIFY_ALLOT_FOLDED:
                owner_set(p, &seen->other, DOOR_BYTES_EMPTY);
                owner_set(p, &seen->episode, seen->accepted ? seen->owner : DOOR_BYTES_EMPTY);
                break;
        case NOTIFY_ALLOT_RESTORED:
                owner_set(p, &seen->episode, seen->accepted ? seen->owner : DOOR_BYTES_EMPTY);
                break;
        case NOTIFY_ALLOT_OFFERED:
        case NOTIFY_ALLOT_PLACED:
        case NOTIFY_ALLOT_UNROUTED:
        case NOTIFY_ALLOT_HAND_OVER:
        case NOTIFY_ALLOT_OVERTAKEN:
                break;
        }
}

static void record_decide(planning *p)
{
        const bool silent =
                (p->input->flags & DOOR_FLAG_HISTORIC) != 0 || p->seen->historic || p->seen->imported;

        if (p->input->cause.log == NOTIFY_LOG_ALLOCATION) {
                owner_note(p);
        }
        if (silent) {
                return;
        }
        switch ((notify_log)p->input->cause.log) {
        case NOTIFY_LOG_INTAKE:
                intake_plan(p);
                break;
        case NOTIFY_LOG_TRIAGE:
                triage_plan(p);
                break;
        case NOTIFY_LOG_ALLOCATION:
                allot_plan(p);
                break;
        }
}

/* ---- outcomes ---- */

/* Twice as long each time, and a quarter more or less, so that what failed together comes apart. */
static uint64_t wait_ms(const notify_policy *policy, uint32_t attempts, const uint8_t random[16])
{
        uint64_t wait = policy->retry_first_ms;

        for (uint32_t i = 1; i < attempts && wait < policy->retry_last_ms; i++) {
                wait *= 2;
        }
        if (wait > policy->retry_last_ms) {
                wait = policy->retry_last_ms;
        }
        return wait - wait / 4 + door_get_u32(random) % (wait / 2 + 1);
}

static void outcome_decide(door_view *view, const notify_policy *policy, const door_input *input,
                           door_out *out)
{
        const door_outcome *outcome = input->body;
        notify_delivery delivery;

        /* Somebody may have telephoned meanwhile, or it may be word of an earlier attempt. */
        if (!notify_delivery_get(view, &outcome->key, &delivery) || delivery.standing != NOTIFY_PENDING ||
            delivery.attempts + 1 != outcome->attempt) {
                return;
        }
        notify_about *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body == NULL) {
                return;
        }
        body->delivery = outcome->key;
        body->attempts = outcome->attempt;
        body->failure =
                outcome->code <= NOTIFY_NO_ADDRESS ? (notify_failure)outcome->code : NOTIFY_UNREACHABLE;
        body->sink = (notify_sink)outcome->detail;
        if (outcome->code == NOTIFY_DELIVERED_WELL) {
                (void)emit(out, NOTIFY_DELIVERED, body, &outcome->key);
        } else if (outcome->code == NOTIFY_REFUSED || outcome->code == NOTIFY_NO_ADDRESS ||
                   outcome->attempt >= policy->attempts_max) {
                out->alert = notify_is_urgent(delivery.message.kind)
                                     ? "a red or look-now message was given up: a person must tell it now"
                                     : "a message was given up: a person must tell it";
                (void)emit(out, NOTIFY_GIVEN_UP, body, &outcome->key);
        } else {
                body->next_ms = input->now_ms + wait_ms(policy, outcome->attempt, input->random);
                (void)emit(out, NOTIFY_ATTEMPT_FAILED, body, &outcome->key);
        }
}

/* ---- commands ---- */

/* Who is of a team may only speak for what was to go to that team. */
static bool may_tell(const door_actor *actor, const notify_delivery *delivery)
{
        return actor->team.len == 0 || delivery->standing == NOTIFY_DONE ||
               door_bytes_equal(actor->team, delivery->message.recipient);
}

static void command_decide(door_view *view, const notify_policy *policy, const door_input *input,
                           door_out *out)
{
        const notify_about *asked = input->body;
        notify_delivery delivery;
        door_actor actor;

        if (!door_actor_read(input->actor, &actor)) {
                door_out_refuse(out, REASON_NOT_ALLOWED, "/actor", "the actor is no person with a role");
                return;
        }
        if (!policy->training) {
                door_out_refuse(out, NOTIFY_TRAINING_ONLY, "/actor",
                                "acting for somebody works in training only");
                return;
        }
        if (!notify_delivery_get(view, &asked->delivery, &delivery)) {
                door_out_refuse(out, REASON_NO_SUCH, "/delivery", "there is no such delivery");
                return;
        }
        if (!may_tell(&actor, &delivery)) {
                door_out_refuse(out, REASON_NOT_ALLOWED, "/actor", "it was not for this team");
                return;
        }
        const bool given_up = delivery.standing == NOTIFY_WITH_PERSON;
        if (input->type == NOTIFY_TRY_AGAIN ? !given_up : delivery.standing == NOTIFY_DONE) {
                door_out_refuse(out, NOTIFY_NOT_GIVEN_UP, "/delivery",
                                delivery.standing == NOTIFY_DONE ? "it is done" : "it is still being tried");
                return;
        }
        notify_about *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body != NULL) {
                body->delivery = asked->delivery;
                body->by = input->actor;
        }
        (void)emit(out, input->type == NOTIFY_TRY_AGAIN ? NOTIFY_TRIED_AGAIN : NOTIFY_TOLD, body,
                   &asked->delivery);
}

void notify_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        const notify_policy *rules = policy == NULL ? &notify_policy_default : policy;

        switch (input->kind) {
        case DOOR_INPUT_EVENT: {
                planning p = {
                        .view = view, .policy = rules, .input = input, .seen = input->body, .out = out
                };
                record_decide(&p);
                break;
        }
        case DOOR_INPUT_COMMAND:
                if (policy == NULL) {
                        out->retry = RETRY_NOT_READY;
                } else {
                        command_decide(view, rules, input, out);
                }
                break;
        case DOOR_INPUT_OUTCOME:
                outcome_decide(view, rules, input, out);
                break;
        case DOOR_INPUT_TICK:
                break;
        }
}

/* ---- the fold ---- */

static void about_apply(door_view *view, const door_event *event)
{
        const notify_about *body = event->body;
        notify_delivery delivery;

        if (!notify_delivery_get(view, &body->delivery, &delivery) || delivery.standing == NOTIFY_DONE) {
                return; /* Its PLANNED was erased, or the view has latched. */
        }
        switch ((notify_event)event->type) {
        case NOTIFY_DELIVERED:
        case NOTIFY_TOLD:
                delivery = (notify_delivery){ .standing = NOTIFY_DONE };
                /* The index row is found by what it was: put sees to that. */
                break;
        case NOTIFY_ATTEMPT_FAILED:
                delivery.attempts = body->attempts;
                delivery.next_ms = body->next_ms;
                break;
        case NOTIFY_GIVEN_UP:
                delivery.standing = NOTIFY_WITH_PERSON;
                delivery.attempts = body->attempts;
                break;
        case NOTIFY_TRIED_AGAIN:
                delivery.standing = NOTIFY_PENDING;
                delivery.attempts = 0;
                delivery.next_ms = 0;
                break;
        case NOTIFY_PLANNED:
        case NOTIFY_OWNER_NOTED:
                return;
        }
        notify_delivery_put(view, &body->delivery, &delivery);
}

void notify_apply(door_view *view, const door_event *event)
{
        if (event->type == NOTIFY_PLANNED) {
                const notify_planned *planned = event->body;
                const notify_delivery delivery = {
                        .standing = NOTIFY_PENDING,
                        .planned_ms = event->at_ms,
                        /* At once is at once, should the clock go back, too. */
                        .next_ms = planned->not_before_ms > event->at_ms ? planned->not_before_ms : 0,
                        .message = planned->message,
                };
                notify_delivery_put(view, &planned->delivery, &delivery);
        } else if (event->type == NOTIFY_OWNER_NOTED) {
                const notify_owner *owner = event->body;
                notify_owner_put(view, &owner->episode, owner->team);
        } else {
                about_apply(view, event);
        }
}

/* ---- effects ---- */

uint64_t notify_next_deadline(door_view *view)
{
        (void)view;
        return 0;
}

bool notify_next_effect(door_view *view, const void *policy, uint64_t now_ms, const door_id *busy,
                        size_t busy_count, door_arena *arena, door_effect *ret_effect)
{
        door_effect effect = { .due_ms = UINT64_MAX };
        notify_delivery delivery;
        bool any = false;

        for (int lane = 0; lane < 2 && effect.due_ms > now_ms; lane++) {
                door_id id;
                uint64_t next_ms = 0;
                if (lane == 1 && busy_count >= NOTIFY_ORDINARY_AT_ONCE) {
                        break; /* An outcome will come, and with it another look. */
                }
                if (notify_due_first(view, lane == 0, busy, busy_count, &id, &next_ms) &&
                    next_ms < effect.due_ms) {
                        effect.key = id;
                        effect.due_ms = next_ms;
                        any = true;
                }
        }
        if (!any || !notify_delivery_get(view, &effect.key, &delivery)) {
                return false;
        }
        effect.attempt = delivery.attempts + 1;
        if (effect.due_ms <= now_ms) {
                effect.frame = notify_frame_make(policy == NULL ? &notify_policy_default : policy,
                                                 &effect.key, &delivery, arena);
        }
        *ret_effect = effect;
        return true;
}
