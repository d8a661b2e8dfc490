/*
 * step_upstream.c - reading other logs.
 *
 * One PULL is out per upstream at a time. What a BATCH brings is checked when it arrives (dense,
 * chained from what we hold, payloads equal to their digests) and waits in one of two inboxes;
 * with the other one free the next PULL leaves at once, before anything is decided, so
 * `received` may be one batch beyond `durable`. Records that do not fit are a fault of the
 * connection: everything not yet durable is forgotten, the socket made anew, and reading
 * starts again from the durable cursor. Frames of dead connections come late and are harmless
 * for the same reason: they fit the chain, or they are ignored.
 *
 * A record waits in its inbox until our own cursors have reached its `seen` (causal delivery);
 * what caused it is durable before it, so this always ends.
 */
#include <string.h>

#include "shell/step.h"

size_t step_upstream_memory(size_t upstreams)
{
        return upstreams * 2 * DOOR_FRAME_ARENA_BYTES;
}

door_status step_upstream_init(door_shell *shell, uint8_t **memory)
{
        for (size_t i = 0; i < shell->config.upstreams_count; i++) {
                upstream *up = &shell->upstreams[i];
                up->config = &shell->config.upstreams[i];
                if (up->config->log == 0 || up->config->log == shell->core->log) {
                        return DOOR_INVALID;
                }
                up->durable.log = up->config->log;
                for (size_t c = 0; c < shell->config.standing.cursors_count; c++) {
                        if (shell->config.standing.cursors[c].log == up->config->log) {
                                up->durable = shell->config.standing.cursors[c];
                        }
                }
                up->received_seq = up->durable.seq;
                up->received_hash = up->durable.hash;
                for (size_t b = 0; b < 2; b++) {
                        door_arena_init(&up->inboxes[b].arena, *memory, DOOR_FRAME_ARENA_BYTES);
                        *memory += DOOR_FRAME_ARENA_BYTES;
                }
        }
        shell->upstreams_count = shell->config.upstreams_count;
        return DOOR_OK;
}

static bool log_id_known(const upstream *up)
{
        static const uint8_t unknown[16];
        return memcmp(up->durable.log_id, unknown, sizeof unknown) != 0;
}

/* Forget what is not durable and read again from there. Records already in a batch under way
 * stay where they are until its end: their inbox is not reused before. */
static void start_over(door_shell *shell, upstream *up)
{
        inbox *current = &up->inboxes[up->first];
        inbox *other = &up->inboxes[1 - up->first];

        other->count = 0;
        if (up->taken == 0) {
                current->count = 0;
                up->received_seq = up->durable.seq;
                up->received_hash = up->durable.hash;
                if (DOOR_PLANT(DOOR_PLANT_REREAD) && up->durable.seq > 0 &&
                    shell->store->hash_at(shell->store->context, 0, &up->received_hash) == DOOR_OK) {
                        up->received_seq = 0;
                        up->received_hash = door_hash_log_start(up->durable.log_id);
                }
        } else {
                /* The batch under way holds records [next, next + taken) of the current inbox, and
                 * perhaps some of the other: keep all that it took, drop the rest. */
                const size_t in_current = current->count - current->next;
                if (up->taken > in_current) {
                        other->count = up->taken - in_current;
                } else {
                        current->count = current->next + up->taken;
                }
                const inbox *last = other->count > 0 ? other : current;
                up->received_seq = last->headers[last->count - 1].seq;
                up->received_hash = last->hashes[last->count - 1];
        }
        up->pulling = false;
        step_wish(shell, DOOR_WISH_RECONNECT)->upstream = (size_t)(up - shell->upstreams);
}

static void fault(door_shell *shell, upstream *up, const char *what)
{
        shell->counters.pull_faults++;
        step_alert(shell, DOOR_CORRUPT, what, up->config->log, up->received_seq + 1);
        up->wait_until_ms = shell->now->now.mono_ms + STEP_REFUSED_WAIT_MS;
        start_over(shell, up);
}

/* One record of a BATCH into the inbox. False when it does not belong there. */
static bool accept_record(const upstream *up, inbox *box, const Door__V1__Record *record, uint64_t seq,
                          const door_hash *before)
{
        door_header *header = &box->headers[box->count];
        const door_bytes bytes = door_proto_bytes(record->header);

        if (door_header_decode(bytes, &box->arena, header) != DOOR_OK ||
            (header->seq != seq && !DOOR_PLANT(DOOR_PLANT_GAP))) {
                return false;
        }
        box->hashes[box->count] = door_hash_chain(before, bytes);
        box->payloads[box->count] = DOOR_BYTES_EMPTY;
        if (up->config->form == DOOR_FORM_PUBLIC && header->has_public) {
                if (!record->has_public_payload ||
                    (!door_payload_open(door_proto_bytes(record->public_payload), &header->public_digest,
                                        &box->payloads[box->count]) &&
                     !DOOR_PLANT(DOOR_PLANT_HASH))) {
                        return false;
                }
        }
        box->count++;
        return true;
}

static inbox *free_inbox(upstream *up)
{
        inbox *current = &up->inboxes[up->first];
        inbox *other = &up->inboxes[1 - up->first];

        return current->count == 0 ? current : other->count == 0 ? other : NULL;
}

static bool learn_log_id(upstream *up, ProtobufCBinaryData log_id)
{
        if (log_id.len != 16) {
                return false;
        }
        if (log_id_known(up)) {
                return memcmp(up->durable.log_id, log_id.data, 16) == 0;
        }
        memcpy(up->durable.log_id, log_id.data, 16);
        up->durable.hash = door_hash_log_start(up->durable.log_id);
        up->received_hash = up->durable.hash;
        return true;
}

static void heard(door_shell *shell, upstream *up, uint64_t head)
{
        /* The latest word, not the highest: a frame that was wrong once must not stay. */
        up->head = head > up->received_seq ? head : up->received_seq;
        up->heard_wall_ms = shell->now->now.wall_ms;
}

static void take_batch(door_shell *shell, upstream *up, const Door__V1__Batch *sent, door_arena *arena)
{
        inbox *box = free_inbox(up);

        if (box == NULL || sent->n_records == 0 || sent->n_records > DOOR_BATCH_INPUTS_MAX) {
                return; /* Not asked for: nothing is lost, it is asked for again. */
        }
        if (!learn_log_id(up, sent->log_id)) {
                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_UPSTREAM_REGRESSED, "an upstream is another log");
                return;
        }
        if (sent->first <= up->received_seq) {
                return; /* A late frame, or a repeat. */
        }
        if (sent->first != up->received_seq + 1 && !DOOR_PLANT(DOOR_PLANT_GAP)) {
                fault(shell, up, "records are missing in a batch");
                return;
        }
        box->headers = door_arena_take_zeroed(arena, sent->n_records, sizeof *box->headers);
        box->hashes = door_arena_take(arena, sent->n_records * sizeof *box->hashes);
        box->payloads = door_arena_take(arena, sent->n_records * sizeof *box->payloads);
        box->next = 0;
        door_hash before = up->received_hash;
        for (size_t i = 0; i < sent->n_records && !arena->exhausted; i++) {
                if (!accept_record(up, box, sent->records[i], sent->first + i, &before)) {
                        box->count = 0;
                        fault(shell, up, "a record does not fit the chain or its digest");
                        return;
                }
                before = box->hashes[box->count - 1];
        }
        if (arena->exhausted || sent->hash.len != DOOR_HASH_BYTES ||
            (memcmp(before.bytes, sent->hash.data, DOOR_HASH_BYTES) != 0 && !DOOR_PLANT(DOOR_PLANT_HASH) &&
             !DOOR_PLANT(DOOR_PLANT_GAP))) {
                box->count = 0;
                fault(shell, up, "a batch does not end in its hash");
                return;
        }
        up->received_seq = sent->first + box->count - 1;
        up->received_hash = box->hashes[box->count - 1];
        up->pulling = false;
        heard(shell, up, sent->head);
}

static void take_refuse(door_shell *shell, upstream *up, Door__V1__RefuseReason reason)
{
        shell->counters.refuses_heard++;
        up->pulling = false;
        up->wait_until_ms = shell->now->now.mono_ms + STEP_REFUSED_WAIT_MS;
        if (reason == DOOR__V1__REFUSE_REASON__REFUSE_REGRESSED ||
            reason == DOOR__V1__REFUSE_REASON__REFUSE_OTHER_LOG) {
                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_UPSTREAM_REGRESSED,
                         "an upstream no longer holds what was consumed of it");
        } else if (reason == DOOR__V1__REFUSE_REASON__REFUSE_NOT_ALLOWED) {
                step_alert(shell, DOOR_DENIED, "an upstream does not let its log be read", up->config->log,
                           0);
        } else {
                start_over(shell, up);
        }
}

void step_upstream_frame(door_shell *shell, size_t index)
{
        upstream *up = &shell->upstreams[index];
        inbox *box = free_inbox(up);
        /* A batch is unpacked straight into the inbox it will wait in; with none free it cannot
         * have been asked for, and is looked at in scratch only. */
        door_arena *arena = box == NULL ? &shell->scratch : &box->arena;

        door_arena_reset(arena);
        const Door__V1__Frame *frame = door_frame_unpack(shell->now->frame, arena);
        if (frame == NULL) {
                shell->counters.malformed++;
                return;
        }
        if (frame->batch != NULL) {
                take_batch(shell, up, frame->batch, arena);
        } else if (frame->empty != NULL) {
                if (!learn_log_id(up, frame->empty->log_id)) {
                        step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_UPSTREAM_REGRESSED,
                                 "an upstream is another log");
                        return;
                }
                heard(shell, up, frame->empty->head);
                up->pulling = false;
        } else if (frame->refuse != NULL) {
                take_refuse(shell, up, frame->refuse->reason);
        }
}

static void pull(door_shell *shell, upstream *up)
{
        Door__V1__Pull out = DOOR__V1__PULL__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        if (log_id_known(up)) {
                out.has_log_id = 1;
                out.log_id = door_proto_data((door_bytes){ up->durable.log_id, 16 });
        }
        out.after_seq = up->received_seq;
        out.hash = door_proto_data(door_hash_bytes(&up->received_hash));
        out.durable_seq = up->durable.seq;
        out.durable_hash = door_proto_data(door_hash_bytes(&up->durable.hash));
        out.has_settled = 1;
        out.settled = step_settled(shell);
        out.form = up->config->form == DOOR_FORM_PUBLIC ? DOOR__V1__FORM__PUBLIC : DOOR__V1__FORM__HEADERS;
        out.credit_records = DOOR_BATCH_INPUTS_MAX;
        out.credit_bytes = STEP_CREDIT_BYTES;
        frame.pull = &out;
        step_send(shell, DOOR_CHANNEL_UPSTREAM, 0, (size_t)(up - shell->upstreams), &frame);
        up->pulling = true;
        up->asked_ms = shell->now->now.mono_ms;
}

void step_upstream_turn(door_shell *shell)
{
        const uint64_t now_ms = shell->now->now.mono_ms;

        for (size_t i = 0; i < shell->upstreams_count && !shell->ended; i++) {
                upstream *up = &shell->upstreams[i];
                if (up->stopped || shell->stopping) {
                        continue;
                }
                if (up->pulling && now_ms - up->asked_ms >= DOOR_PULL_TIMEOUT_MS) {
                        shell->counters.pull_timeouts++;
                        start_over(shell, up);
                }
                if (!up->pulling && now_ms >= up->wait_until_ms && free_inbox(up) != NULL) {
                        pull(shell, up);
                }
                if (up->pulling) {
                        step_wake_by(shell, up->asked_ms + DOOR_PULL_TIMEOUT_MS);
                } else if (free_inbox(up) != NULL) {
                        step_wake_by(shell, up->wait_until_ms);
                }
        }
}

/* True when our own cursors, as the batch under way will leave them, have reached all of seen. */
static bool is_caused(door_shell *shell, const door_header *header)
{
        for (uint32_t i = 0; i < header->seen_count; i++) {
                const door_position *seen = &header->seen[i];
                for (size_t u = 0; u < shell->upstreams_count; u++) {
                        if (shell->upstreams[u].config->log == seen->log &&
                            shell->batch.cursors[u].seq < seen->seq) {
                                return false;
                        }
                }
        }
        return true;
}

const door_header *step_upstream_peek(door_shell *shell, size_t index, door_bytes *ret_payload,
                                      door_hash *ret_hash)
{
        upstream *up = &shell->upstreams[index];
        const inbox *box = &up->inboxes[up->first];
        size_t at = box->next + up->taken;

        if (up->stopped) {
                return NULL;
        }
        if (at >= box->count) {
                at -= box->count;
                box = &up->inboxes[1 - up->first];
                if (at >= box->count) {
                        return NULL;
                }
        }
        const door_header *header = &box->headers[at];
        if (!is_caused(shell, header) && !DOOR_PLANT(DOOR_PLANT_NO_HOLD)) {
                shell->counters.held_back++;
                return NULL;
        }
        *ret_payload = box->payloads[at];
        *ret_hash = box->hashes[at];
        return header;
}

void step_upstream_committed(door_shell *shell)
{
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                upstream *up = &shell->upstreams[i];
                if (up->taken > 0) {
                        /* Else leave it: its log id, and so H(0), may have been learned meanwhile. */
                        up->durable.seq = shell->batch.cursors[i].seq;
                        up->durable.hash = shell->batch.cursors[i].hash;
                }
                for (size_t left = up->taken; left > 0;) {
                        inbox *box = &up->inboxes[up->first];
                        const size_t here = box->count - box->next < left ? box->count - box->next : left;
                        box->next += here;
                        left -= here;
                        if (box->next == box->count) {
                                box->count = 0;
                                box->next = 0;
                                up->first = 1 - up->first;
                        }
                }
                up->taken = 0;
        }
}
