/*
 * step_serve.c - being read by others.
 *
 * A PULL is checked (may this peer read this log in this form; does its durable position lie in
 * our log with the same hash) and answered BATCH at once when there is something, else held
 * open until a commit or the heartbeat: one per named peer, a newer one takes its place. Only
 * durable records are served. A consumer that durably holds what we do not hold is the proof
 * that our log went backwards: we stop and stay down (MECHANISM section 6).
 */
#include <string.h>

#include "shell/step.h"

enum { SERVE_OVERHEAD_BYTES = 64 * DOOR_KIB };

static void refuse(door_shell *shell, uint64_t route, Door__V1__RefuseReason reason)
{
        Door__V1__Refuse out = DOOR__V1__REFUSE__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        out.reason = reason;
        frame.refuse = &out;
        step_send(shell, DOOR_CHANNEL_PULL, route, 0, &frame);
}

static void empty(door_shell *shell, uint64_t route)
{
        Door__V1__Empty out = DOOR__V1__EMPTY__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        out.log_id = door_proto_data((door_bytes){ shell->log_id, 16 });
        out.head = shell->head;
        frame.empty = &out;
        step_send(shell, DOOR_CHANNEL_PULL, route, 0, &frame);
}

/* Records after what the peer has, as one frame. False when they could not be read. */
static bool batch_send(door_shell *shell, const held_pull *held)
{
        Door__V1__Batch out = DOOR__V1__BATCH__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        door_record *records = door_arena_take(&shell->scratch, held->credit_records * sizeof *records);
        Door__V1__Record *items = door_arena_take(&shell->scratch, held->credit_records * sizeof *items);
        Door__V1__Record **pointers =
                door_arena_take(&shell->scratch, held->credit_records * sizeof *pointers);
        size_t count = 0;

        if (pointers == NULL) {
                return false;
        }
        const door_status status =
                shell->store->read(shell->store->context, held->after_seq, held->credit_records,
                                   held->credit_bytes, held->form, &shell->scratch, records, &count);
        if (status != DOOR_OK) {
                step_end(shell, DOOR_EXIT_RESTART, status, "the log cannot be read");
                return false;
        }
        /* The store may know of a commit whose end we have not been told of. */
        while (count > 0 && records[count - 1].seq > shell->head && !DOOR_PLANT(DOOR_PLANT_SERVE_EARLY)) {
                count--;
        }
        DOOR_REQUIRE(count > 0 && records[0].seq == held->after_seq + 1);
        for (size_t i = 0; i < count; i++) {
                door__v1__record__init(&items[i]);
                items[i].header = door_proto_data(records[i].header);
                items[i].has_public_payload =
                        held->form == DOOR_FORM_PUBLIC && records[i].public_payload.len > 0;
                items[i].public_payload = door_proto_data(records[i].public_payload);
                pointers[i] = &items[i];
        }
        out.log_id = door_proto_data((door_bytes){ shell->log_id, 16 });
        out.first = records[0].seq;
        out.n_records = count;
        out.records = pointers;
        out.head = shell->head;
        out.hash = door_proto_data(door_hash_bytes(&records[count - 1].hash));
        frame.batch = &out;
        step_send(shell, DOOR_CHANNEL_PULL, held->route, 0, &frame);
        return true;
}

/* Do we hold this place, with this hash? A read that fails says neither: it ends the process. */
static bool is_held(door_shell *shell, uint64_t seq, ProtobufCBinaryData hash)
{
        door_hash ours;

        if (seq == 0) {
                return true;
        }
        if (seq > shell->head) {
                return false;
        }
        const door_status status = shell->store->hash_at(shell->store->context, seq, &ours);
        if (status != DOOR_OK && status != DOOR_NOT_FOUND) {
                step_end(shell, DOOR_EXIT_RESTART, status, "the log cannot be read");
        }
        return status == DOOR_OK && memcmp(ours.bytes, hash.data, DOOR_HASH_BYTES) == 0;
}

/* What a peer may not ask for, or REFUSE_NONE. */
static Door__V1__RefuseReason judge(door_shell *shell, const door_peer *peer, const Door__V1__Pull *pull)
{
        if ((peer->verbs & DOOR_VERB_PULL) == 0 || !peer->may_read ||
            (pull->form == DOOR__V1__FORM__PUBLIC && peer->form != DOOR_FORM_PUBLIC)) {
                return DOOR__V1__REFUSE_REASON__REFUSE_NOT_ALLOWED;
        }
        if (pull->hash.len != DOOR_HASH_BYTES || pull->durable_hash.len != DOOR_HASH_BYTES) {
                return DOOR__V1__REFUSE_REASON__REFUSE_RESTART;
        }
        if (pull->has_log_id &&
            (pull->log_id.len != 16 || memcmp(pull->log_id.data, shell->log_id, 16) != 0)) {
                return DOOR__V1__REFUSE_REASON__REFUSE_OTHER_LOG;
        }
        if (!is_held(shell, pull->durable_seq, pull->durable_hash)) {
                return DOOR__V1__REFUSE_REASON__REFUSE_REGRESSED;
        }
        return is_held(shell, pull->after_seq, pull->hash) ? DOOR__V1__REFUSE_REASON__REFUSE_NONE
                                                           : DOOR__V1__REFUSE_REASON__REFUSE_RESTART;
}

static void take_pull(door_shell *shell, size_t index, const Door__V1__Pull *pull)
{
        const door_peer *peer = &shell->peers[index];
        peer_standing *standing = &shell->standings[index];
        const uint64_t route = shell->now->route;
        const Door__V1__RefuseReason reason = judge(shell, peer, pull);

        if (shell->ended) {
                return; /* We could not look; the peer asks the next start. */
        }
        if (reason != DOOR__V1__REFUSE_REASON__REFUSE_NONE) {
                refuse(shell, route, reason);
                if (reason == DOOR__V1__REFUSE_REASON__REFUSE_REGRESSED) {
                        step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_LOG_REGRESSED,
                                 "a consumer durably holds records this log does not");
                }
                return;
        }
        if (shell->stopping) {
                refuse(shell, route, DOOR__V1__REFUSE_REASON__REFUSE_STOPPING);
                return;
        }
        if (pull->has_settled && peer->settles) {
                standing->settled = pull->settled;
                standing->settled_known = true;
        }
        const size_t records = pull->credit_records == 0 ? 1 : pull->credit_records;
        const size_t bytes_max = DOOR_FRAME_BYTES_MAX - SERVE_OVERHEAD_BYTES - DOOR_RECORD_BYTES_MAX;
        standing->held = (held_pull){
                .open = true,
                .route = route,
                .after_seq = pull->after_seq,
                .form = pull->form == DOOR__V1__FORM__PUBLIC ? DOOR_FORM_PUBLIC : DOOR_FORM_HEADERS,
                .credit_records = records > DOOR_BATCH_INPUTS_MAX ? DOOR_BATCH_INPUTS_MAX : records,
                .credit_bytes = pull->credit_bytes > bytes_max ? bytes_max : pull->credit_bytes,
                .since_ms = shell->now->now.mono_ms,
        };
}

void step_serve_turn(door_shell *shell)
{
        const uint64_t now_ms = shell->now->now.mono_ms;
        size_t served = 0;

        for (size_t i = 0; i < shell->peers_count && !shell->ended; i++) {
                held_pull *held = &shell->standings[i].held;
                if (!held->open) {
                        continue;
                }
                if (held->after_seq < shell->head) {
                        if (served == STEP_SERVED_PER_STEP) {
                                shell->wishes->again = true;
                                break;
                        }
                        held->open = !batch_send(shell, held);
                        served++;
                        door_arena_reset(&shell->scratch);
                } else if (now_ms - held->since_ms >= DOOR_HEARTBEAT_MS || shell->stopping) {
                        held->open = false;
                        empty(shell, held->route);
                } else {
                        step_wake_by(shell, held->since_ms + DOOR_HEARTBEAT_MS);
                }
        }
}

void step_serve_frame(door_shell *shell, size_t peer, const Door__V1__Frame *frame)
{
        if (frame->pull != NULL) {
                take_pull(shell, peer, frame->pull);
        } else if (frame->status_asked != NULL && (shell->peers[peer].verbs & DOOR_VERB_STATUS) != 0) {
                step_status_answer(shell, DOOR_CHANNEL_PULL, shell->now->route);
        } else {
                shell->counters.malformed++;
        }
}

/* ---- status ---- */

typedef struct figure {
        const char *name;
        uint64_t value;
} figure;

static size_t figures_of(const door_shell *shell, figure *figures)
{
        const door_shell_counters *c = &shell->counters;
        const figure all[] = {
                { "inputs", c->inputs },
                { "commands", c->commands },
                { "records", c->records },
                { "batches", c->batches },
                { "refusals", c->refusals },
                { "malformed", c->malformed },
                { "conflicts", c->conflicts },
                { "retries", c->retries },
                { "results_repeated", c->results_repeated },
                { "held_back", c->held_back },
                { "pull_faults", c->pull_faults },
                { "pull_timeouts", c->pull_timeouts },
                { "queued_now", c->queued_now },
                { "ticks", c->ticks },
                { "clock_steps", c->clock_steps },
        };
        memcpy(figures, all, sizeof all);
        return sizeof all / sizeof all[0];
}

void step_status_answer(door_shell *shell, door_channel channel, uint64_t route)
{
        Door__V1__Status out = DOOR__V1__STATUS__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__LogStatus logs[DOOR_UPSTREAMS_MAX];
        Door__V1__LogStatus *log_pointers[DOOR_UPSTREAMS_MAX];
        figure figures[32];
        Door__V1__Counter counters[32];
        Door__V1__Counter *counter_pointers[32];

        out.service = (char *)(uintptr_t)shell->core->name;
        out.log_id = door_proto_data((door_bytes){ shell->log_id, 16 });
        out.head = shell->head;
        out.head_hash = door_proto_data(door_hash_bytes(&shell->head_hash));
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                const upstream *up = &shell->upstreams[i];
                door__v1__log_status__init(&logs[i]);
                logs[i].log = up->config->log;
                logs[i].cursor = up->durable.seq;
                logs[i].head = up->head;
                logs[i].has_heard_ms = up->heard_wall_ms != 0;
                logs[i].heard_ms = up->heard_wall_ms;
                log_pointers[i] = &logs[i];
        }
        out.n_upstream = shell->upstreams_count;
        out.upstream = log_pointers;
        out.settled = step_settled(shell);
        out.parked = (uint32_t)shell->counters.parked_now;
        out.version = (char *)(uintptr_t)shell->config.version;
        out.started_ms = shell->started_wall_ms;
        out.policy_version = shell->policy_seq == 0 ? NULL : shell->policy_version;
        out.n_counter = figures_of(shell, figures);
        for (size_t i = 0; i < out.n_counter; i++) {
                door__v1__counter__init(&counters[i]);
                counters[i].name = (char *)(uintptr_t)figures[i].name;
                counters[i].value = figures[i].value;
                counter_pointers[i] = &counters[i];
        }
        out.counter = counter_pointers;
        out.state = (char *)(uintptr_t)(shell->stopping ? "STOPPING" : "SERVING");
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                if (shell->upstreams[i].stopped) {
                        out.state = (char *)(uintptr_t) "UPSTREAM_NEWER";
                }
        }
        frame.status = &out;
        step_send(shell, channel, route, 0, &frame);
}
