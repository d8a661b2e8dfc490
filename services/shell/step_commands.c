/*
 * step_commands.c - being asked.
 *
 *      COMMAND ──► may this peer? ──► room, disk, rate, lag? ──► lane ──► batch ──► RESULT
 *                     │ no                │ no
 *                 MALFORMED             RETRY            (neither leaves a record)
 *
 * An answer (but for a view's, which leaves no record) is computed from a record of the log, the first one
 * the command left, so the same id gets the same answer today, after a crash and from a repeat in the same
 * batch. Answers about us (RETRY) say so and are never recorded. The urgent lane has places and disk of its
 * own and is served first; the bulk lane waits while downstream is behind.
 */
#include <stdlib.h>
#include <string.h>

#include "shell/fold.h"
#include "shell/step.h"

void step_commands_init(door_shell *shell)
{
        for (size_t i = 0; i < DOOR_COMMANDS_QUEUED_MAX; i++) {
                shell->slots[i].next = i + 1 < DOOR_COMMANDS_QUEUED_MAX ? i + 1 : STEP_NONE;
        }
        shell->free_first = 0;
        for (size_t i = 0; i < 3; i++) {
                shell->lanes[i] = (command_lane){ STEP_NONE, STEP_NONE, 0 };
        }
}

void step_commands_free(door_shell *shell)
{
        for (size_t i = 0; i < DOOR_COMMANDS_QUEUED_MAX; i++) {
                free(shell->slots[i].frame);
                shell->slots[i].frame = NULL;
        }
}

static void result_send(door_shell *shell, uint64_t route, Door__V1__Result *result)
{
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        frame.result = result;
        step_send(shell, DOOR_CHANNEL_COMMAND, route, 0, &frame);
}

static void retry_send(door_shell *shell, uint64_t route, ProtobufCBinaryData id,
                       Door__V1__RetryReason reason)
{
        Door__V1__Result result = DOOR__V1__RESULT__INIT;

        shell->counters.retries++;
        result.command_id = id;
        result.outcome = DOOR__V1__OUTCOME__RETRY;
        result.has_reason = 1;
        result.reason = (uint32_t)reason;
        result.has_retry_after_ms = 1;
        result.retry_after_ms = STEP_RETRY_MS;
        result_send(shell, route, &result);
}

/* At most STEP_MALFORMED_PER_SECOND answers a second and peer: a broken sender learns what is
 * wrong, a hostile one gets no amplifier. */
static void malformed_send(door_shell *shell, size_t peer, ProtobufCBinaryData id, const char *detail)
{
        peer_standing *standing = &shell->standings[peer];
        const uint64_t second = shell->now->now.mono_ms / 1000;
        Door__V1__Result result = DOOR__V1__RESULT__INIT;

        shell->counters.malformed++;
        if (standing->malformed_second != second) {
                standing->malformed_second = second;
                standing->malformed_count = 0;
        }
        if (standing->malformed_count++ >= STEP_MALFORMED_PER_SECOND) {
                return;
        }
        result.command_id = id;
        result.outcome = DOOR__V1__OUTCOME__MALFORMED;
        result.detail = (char *)(uintptr_t)detail;
        result_send(shell, shell->now->route, &result);
}

void step_commands_malformed(door_shell *shell, size_t peer)
{
        static uint8_t no_id[1];
        malformed_send(shell, peer, (ProtobufCBinaryData){ 0, no_id }, "the bytes are no frame");
}

static bool may_speak_for(const door_peer *peer, const char *actor)
{
        const size_t len = strlen(peer->speaks_for);

        if (strcmp(peer->speaks_for, "*") == 0 || strcmp(peer->speaks_for, actor) == 0) {
                return true;
        }
        return len > 0 && peer->speaks_for[len - 1] == '/' && strncmp(peer->speaks_for, actor, len) == 0;
}

/* Why a command is not even looked at, or NULL. */
static const char *judge(const door_peer *peer, const Door__V1__Command *command)
{
        const bool about_shell = command->type <= DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST;

        if ((peer->verbs & DOOR_VERB_COMMAND) == 0) {
                return "this peer may not send commands";
        }
        if (command->command_id.len != DOOR_HASH_BYTES) {
                return "command_id: must be 32 bytes";
        }
        if (strlen(command->actor) >= DOOR_NAME_BYTES_MAX ||
            !door_text_is_clean(door_bytes_of(command->actor))) {
                return "actor: too long or not clean text";
        }
        if (!may_speak_for(peer, command->actor)) {
                return "actor: this peer may not speak for it";
        }
        if (command->n_not_before > DOOR_SEEN_MAX) {
                return "not_before: too many positions";
        }
        if ((peer->rights & (uint32_t)(about_shell ? DOOR_RIGHT_POLICY : DOOR_RIGHT_SUBMIT)) == 0) {
                return "type: this peer has no right to it";
        }
        if (command->has_lane && command->lane == DOOR__V1__LANE__BULK &&
            (peer->rights & DOOR_RIGHT_IMPORT) == 0) {
                return "lane: this peer may not use the bulk lane";
        }
        return NULL;
}

static Door__V1__Lane lane_of(const Door__V1__Command *command)
{
        if (!command->has_lane) {
                return DOOR__V1__LANE__NORMAL;
        }
        return command->lane == DOOR__V1__LANE__URGENT || command->lane == DOOR__V1__LANE__BULK
                       ? command->lane
                       : DOOR__V1__LANE__NORMAL;
}

/* A token per command, refilled evenly over the minute; one bucket an actor, the stalest reused. */
static bool within_rate(door_shell *shell, const char *actor)
{
        const uint64_t now_ms = shell->now->now.mono_ms;
        const uint64_t full_milli = (uint64_t)shell->config.rate_per_minute * 1000;
        actor_bucket *bucket = NULL;
        actor_bucket *stalest = &shell->actors[0];

        if (shell->config.rate_per_minute == 0) {
                return true;
        }
        for (size_t i = 0; i < STEP_ACTORS_MAX && bucket == NULL; i++) {
                if (strcmp(shell->actors[i].name, actor) == 0) {
                        bucket = &shell->actors[i];
                } else if (shell->actors[i].refilled_ms < stalest->refilled_ms) {
                        stalest = &shell->actors[i];
                }
        }
        if (bucket == NULL) {
                bucket = stalest;
                strncpy(bucket->name, actor, sizeof bucket->name - 1);
                bucket->tokens_milli = full_milli;
                bucket->refilled_ms = now_ms;
        }
        const uint64_t gained = (now_ms - bucket->refilled_ms) * shell->config.rate_per_minute / 60;
        bucket->tokens_milli =
                bucket->tokens_milli + gained > full_milli ? full_milli : bucket->tokens_milli + gained;
        bucket->refilled_ms = now_ms;
        if (bucket->tokens_milli < 1000) {
                return false;
        }
        bucket->tokens_milli -= 1000;
        return true;
}

/* About us: why not now, or RETRY_NONE. */
static Door__V1__RetryReason admit(door_shell *shell, const Door__V1__Command *command, size_t frame_len)
{
        const Door__V1__Lane lane = lane_of(command);
        const bool urgent = lane == DOOR__V1__LANE__URGENT;
        const size_t places = DOOR_COMMANDS_QUEUED_MAX - (urgent ? 0 : DOOR_COMMANDS_URGENT_RESERVE);
        const size_t bytes = DOOR_COMMANDS_QUEUED_BYTES_MAX - (urgent ? 0 : DOOR_MIB);

        if (shell->stopping) {
                return DOOR__V1__RETRY_REASON__RETRY_STOPPING;
        }
        if (shell->now->disk == DOOR_DISK_FULL || (shell->now->disk == DOOR_DISK_LOW && !urgent)) {
                return DOOR__V1__RETRY_REASON__RETRY_DISK;
        }
        if (shell->counters.queued_now >= places || shell->queued_bytes + frame_len > bytes) {
                return DOOR__V1__RETRY_REASON__RETRY_BUSY;
        }
        const uint64_t settled = step_settled(shell);
        if (lane == DOOR__V1__LANE__BULK && shell->head > settled &&
            shell->head - settled > DOOR_BULK_LAG_MAX) {
                return DOOR__V1__RETRY_REASON__RETRY_LAG;
        }
        if (!urgent && !within_rate(shell, command->actor)) {
                return DOOR__V1__RETRY_REASON__RETRY_RATE;
        }
        return DOOR__V1__RETRY_REASON__RETRY_NONE;
}

static void enqueue(door_shell *shell, size_t peer, const Door__V1__Command *command)
{
        const door_bytes frame = shell->now->frame;
        uint8_t *copy = malloc(frame.len);

        if (copy == NULL) {
                retry_send(shell, shell->now->route, command->command_id, DOOR__V1__RETRY_REASON__RETRY_BUSY);
                return;
        }
        memcpy(copy, frame.data, frame.len);
        const size_t index = shell->free_first;
        DOOR_REQUIRE(index != STEP_NONE);
        waiting *slot = &shell->slots[index];
        command_lane *queue = &shell->lanes[lane_of(command)];

        shell->free_first = slot->next;
        *slot = (waiting){
                .frame = copy,
                .frame_len = frame.len,
                .route = shell->now->route,
                .peer = peer,
                .arrived_ms = shell->now->now.mono_ms,
                .lane = (uint32_t)lane_of(command),
                .wants_count = command->n_not_before,
                .next = STEP_NONE,
        };
        for (size_t i = 0; i < command->n_not_before; i++) {
                slot->wants[i] = (door_position){ command->not_before[i]->log, command->not_before[i]->seq };
        }
        if (queue->last == STEP_NONE) {
                queue->first = index;
        } else {
                shell->slots[queue->last].next = index;
        }
        queue->last = index;
        queue->count++;
        shell->queued_bytes += frame.len;
        shell->counters.queued_now++;
}

static void take_command(door_shell *shell, size_t peer, const Door__V1__Command *command)
{
        const char *wrong = judge(&shell->peers[peer], command);

        if (wrong != NULL) {
                malformed_send(shell, peer, command->command_id, wrong);
                return;
        }
        const Door__V1__RetryReason reason = admit(shell, command, shell->now->frame.len);
        if (reason != DOOR__V1__RETRY_REASON__RETRY_NONE) {
                retry_send(shell, shell->now->route, command->command_id, reason);
                return;
        }
        enqueue(shell, peer, command);
}

static void take_checkpoint(door_shell *shell, size_t peer)
{
        if ((shell->peers[peer].verbs & DOOR_VERB_CHECKPOINT) == 0 || shell->checkpointing) {
                Door__V1__CheckpointMade out = DOOR__V1__CHECKPOINT_MADE__INIT;
                Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
                out.path = (char *)(uintptr_t) "";
                out.error = (char *)(uintptr_t)(shell->checkpointing ? "one is being made" : "not allowed");
                frame.checkpoint_made = &out;
                step_send(shell, DOOR_CHANNEL_COMMAND, shell->now->route, 0, &frame);
                return;
        }
        shell->checkpointing = true;
        shell->checkpoint_route = shell->now->route;
        (void)step_wish(shell, DOOR_WISH_CHECKPOINT);
}

void step_commands_frame(door_shell *shell, size_t peer, const Door__V1__Frame *frame)
{
        if (frame->command != NULL) {
                take_command(shell, peer, frame->command);
        } else if (frame->status_asked != NULL && (shell->peers[peer].verbs & DOOR_VERB_STATUS) != 0) {
                step_status_answer(shell, DOOR_CHANNEL_COMMAND, shell->now->route);
        } else if (frame->checkpoint_asked != NULL) {
                take_checkpoint(shell, peer);
        } else {
                step_commands_malformed(shell, peer);
        }
}

/* ---- the queue ---- */

static void slot_free(door_shell *shell, size_t index)
{
        waiting *slot = &shell->slots[index];

        shell->queued_bytes -= slot->frame_len;
        shell->counters.queued_now--;
        free(slot->frame);
        *slot = (waiting){ .next = shell->free_first };
        shell->free_first = index;
}

void step_commands_drop(door_shell *shell, size_t index)
{
        command_lane *queue = &shell->lanes[shell->slots[index].lane];
        size_t before = STEP_NONE;

        for (size_t at = queue->first; at != index; at = shell->slots[at].next) {
                DOOR_REQUIRE(at != STEP_NONE);
                before = at;
        }
        const size_t after = shell->slots[index].next;
        if (before == STEP_NONE) {
                queue->first = after;
        } else {
                shell->slots[before].next = after;
        }
        if (queue->last == index) {
                queue->last = before;
        }
        queue->count--;
        slot_free(shell, index);
}

void step_commands_retry(door_shell *shell, size_t index, Door__V1__RetryReason reason)
{
        const waiting *slot = &shell->slots[index];
        const Door__V1__Frame *frame =
                door_frame_unpack((door_bytes){ slot->frame, slot->frame_len }, &shell->scratch);

        if (frame != NULL && frame->command != NULL) {
                retry_send(shell, slot->route, frame->command->command_id, reason);
        }
        door_arena_reset(&shell->scratch);
        step_commands_drop(shell, index);
}

/* How far we have durably consumed a log, or know that it has come. */
static uint64_t position_of(const door_shell *shell, uint32_t log)
{
        if (log == shell->core->log) {
                return shell->head;
        }
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                if (shell->upstreams[i].config->log == log) {
                        return shell->upstreams[i].durable.seq;
                }
        }
        for (size_t i = 0; i < shell->others_count; i++) {
                if (shell->others[i].log == log) {
                        return shell->others[i].seq;
                }
        }
        return 0;
}

/* True when everything the sender says it has seen has been consumed here. */
static bool has_caught_up(const door_shell *shell, const waiting *slot)
{
        if (DOOR_PLANT(DOOR_PLANT_NOT_BEFORE)) {
                return true;
        }
        for (size_t i = 0; i < slot->wants_count; i++) {
                if (position_of(shell, slot->wants[i].log) < slot->wants[i].seq) {
                        return false;
                }
        }
        return true;
}

size_t step_commands_peek(door_shell *shell, bool urgent_only)
{
        static const uint8_t order[] = { DOOR__V1__LANE__URGENT, DOOR__V1__LANE__NORMAL,
                                         DOOR__V1__LANE__BULK };
        const size_t lanes = urgent_only ? 1 : 3;

        for (size_t i = 0; i < lanes; i++) {
                for (size_t at = shell->lanes[order[i]].first; at != STEP_NONE; at = shell->slots[at].next) {
                        if (!shell->slots[at].in_batch && has_caught_up(shell, &shell->slots[at])) {
                                return at;
                        }
                }
        }
        return STEP_NONE;
}

void step_commands_turn(door_shell *shell)
{
        for (size_t i = 0; i < 3; i++) {
                for (size_t at = shell->lanes[i].first; at != STEP_NONE;) {
                        const waiting *slot = &shell->slots[at];
                        const size_t next = slot->next;
                        const uint64_t due_ms = slot->arrived_ms + DOOR_NOT_BEFORE_WAIT_MS;
                        if (slot->in_batch) {
                                /* Answered when its batch is durable. */
                        } else if (shell->stopping) {
                                step_commands_retry(shell, at, DOOR__V1__RETRY_REASON__RETRY_STOPPING);
                        } else if (!has_caught_up(shell, slot)) {
                                if (shell->now->now.mono_ms >= due_ms) {
                                        step_commands_retry(shell, at,
                                                            DOOR__V1__RETRY_REASON__RETRY_NOT_CAUGHT_UP);
                                } else {
                                        step_wake_by(shell, due_ms);
                                }
                        }
                        at = next;
                }
        }
}

/* ---- answers ---- */

/* The record an answer is computed from: of the batch just committed, or an older one. */
static bool record_at(door_shell *shell, uint64_t seq, door_record *ret_record)
{
        const step_batch *done = &shell->batch;
        size_t count = 0;

        if (done->records_count > 0 && seq >= done->records[0].seq) {
                DOOR_REQUIRE(seq - done->records[0].seq < done->records_count);
                *ret_record = done->records[seq - done->records[0].seq];
                return true;
        }
        const door_status status = shell->store->read(shell->store->context, seq - 1, 1, 1, DOOR_FORM_WHOLE,
                                                      &shell->scratch, ret_record, &count);
        if (status != DOOR_OK || count != 1) {
                step_end(shell, DOOR_EXIT_RESTART, status == DOOR_OK ? DOOR_CORRUPT : status,
                         "a record that answers a command cannot be read");
                return false;
        }
        return true;
}

static bool payload_at(door_bytes salted, bool has, const door_hash *digest, door_bytes *ret_payload)
{
        *ret_payload = DOOR_BYTES_EMPTY;
        return !has || door_payload_open(salted, digest, ret_payload);
}

/* Fills outcome, body and reason from the record; false when the record is damaged. */
static bool answer_fill(door_shell *shell, const door_record *record, Door__V1__Result *result)
{
        ProtobufCAllocator allocator = door_proto_allocator(&shell->scratch);
        door_header header;
        door_bytes public_payload;
        door_bytes private_payload;

        if (door_header_decode(record->header, &shell->scratch, &header) != DOOR_OK ||
            !payload_at(record->public_payload, header.has_public, &header.public_digest, &public_payload) ||
            !payload_at(record->private_payload, header.has_private, &header.private_digest,
                        &private_payload)) {
                return false;
        }
        if (header.type == DOOR__V1__SHELL_TYPE__SHELL_COMMAND_REFUSED) {
                const Door__V1__CommandRefused *refused = door__v1__command_refused__unpack(
                        &allocator, public_payload.len, public_payload.data);
                if (refused == NULL) {
                        return false;
                }
                result->outcome = DOOR__V1__OUTCOME__REFUSED;
                result->has_reason = 1;
                result->reason = refused->reason;
                result->field = refused->field;
                result->detail = refused->detail;
                return true;
        }
        result->outcome = DOOR__V1__OUTCOME__DONE;
        if (header.type <= DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST) {
                return true;
        }
        door_event event;
        door_bytes body = DOOR_BYTES_EMPTY;
        if (door_fold_event(shell->core, &header, public_payload, private_payload, &shell->scratch, &event) !=
                    DOOR_OK ||
            shell->core->encode_answer(&event, &shell->scratch, &body) != DOOR_OK) {
                return false;
        }
        result->has_body = 1;
        result->body = door_proto_data(body);
        return true;
}

static void positions_fill(Door__V1__Result *result, const door_position *seen, size_t count,
                           Door__V1__Position *positions, Door__V1__Position **pointers)
{
        for (size_t i = 0; i < count; i++) {
                door__v1__position__init(&positions[i]);
                positions[i].log = seen[i].log;
                positions[i].seq = seen[i].seq;
                pointers[i] = &positions[i];
        }
        result->n_seen = count;
        result->seen = pointers;
}

/* Where the answer is visible: our own durable head and what we had consumed. */
static void answer_seen(const door_shell *shell, Door__V1__Result *result, Door__V1__Position *positions,
                        Door__V1__Position **pointers)
{
        door_position seen[DOOR_UPSTREAMS_MAX + 1];

        seen[0] = (door_position){ shell->core->log, shell->head };
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                seen[i + 1] =
                        (door_position){ shell->upstreams[i].config->log, shell->upstreams[i].durable.seq };
        }
        positions_fill(result, seen, shell->upstreams_count + 1, positions, pointers);
}

static void answer_one(door_shell *shell, const answer *item)
{
        Door__V1__Result result = DOOR__V1__RESULT__INIT;
        Door__V1__Position positions[DOOR_UPSTREAMS_MAX + 1];
        Door__V1__Position *pointers[DOOR_UPSTREAMS_MAX + 1];
        const waiting *slot = &shell->slots[item->slot];
        door_record record;

        result.command_id = door_proto_data(door_hash_bytes(&item->command_id));
        if (item->view != NULL) {
                result.outcome = item->outcome;
                result.has_body = 1;
                result.body = door_proto_data(item->view->body);
                positions_fill(&result, item->view->seen, item->view->seen_count, positions, pointers);
        } else if (item->seq == 0) {
                result.outcome = item->outcome;
                if (item->outcome == DOOR__V1__OUTCOME__RETRY) {
                        shell->counters.retries++;
                        result.has_reason = 1;
                        result.reason = item->retry_reason;
                        result.has_retry_after_ms = 1;
                        result.retry_after_ms = STEP_RETRY_MS;
                }
        } else {
                if (!record_at(shell, item->seq, &record)) {
                        return;
                }
                if (!answer_fill(shell, &record, &result)) {
                        step_end(shell, DOOR_EXIT_RESTART, DOOR_CORRUPT,
                                 "a record that answers a command does not decode");
                        return;
                }
                answer_seen(shell, &result, positions, pointers);
                result.has_repeated = item->repeated;
                result.repeated = item->repeated;
        }
        result_send(shell, slot->route, &result);
}

void step_commands_answer(door_shell *shell)
{
        for (size_t i = 0; i < shell->batch.answers_count && !shell->ended; i++) {
                const answer *item = &shell->batch.answers[i];
                door_arena_reset(&shell->scratch);
                answer_one(shell, item);
                step_commands_drop(shell, item->slot);
        }
        shell->batch.answers_count = 0;
        door_arena_reset(&shell->scratch);
}
