/*
 * service_step.c - happenings in, wishes out; and the batch, the heart of it.
 *
 *      TURN ─► pick inputs ─► for each: decide ─► records ─► apply to the overlay
 *                                     │
 *                                     ▼
 *              one COMMIT wish: records, state changes, cursors (atomic, synced)
 *                                     │
 *      COMMITTED ◄────────────────────┘
 *          └─► answers, held pulls, anchor: only now may anything leave
 *
 * The batch is what has arrived; there is no gather timer. One commit is in flight at a time,
 * and while it is, frames are taken in and pulls are served from what is durable, but nothing
 * is decided.
 *
 * When an input does not fit: the inputs before it become the batch and it comes first in the
 * next one, with the whole arena to itself; when it does not fit then, it is parked (a record)
 * or refused (a command). A failed read latches the view and ends the process: a core that
 * was told "absent" must not have its answer logged.
 */
#include "shell/service_step.h"

#include <stdlib.h>
#include <string.h>

#include "shell/fold.h"
#include "shell/step.h"

/* ---- wishes ---- */

door_wish *step_wish(door_shell *shell, door_wish_kind kind)
{
        DOOR_REQUIRE(shell->wishes->count < DOOR_WISHES_MAX);
        door_wish *wish = &shell->wishes->items[shell->wishes->count++];
        *wish = (door_wish){ .kind = kind };
        return wish;
}

void step_send(door_shell *shell, door_channel channel, uint64_t route, size_t index, Door__V1__Frame *frame)
{
        const door_bytes bytes = door_frame_pack(&frame->base, &shell->out);

        if (bytes.len == 0) {
                /* No room for frames in this step. Whoever waits asks again: a pull times out, a
                 * command is repeated with its id. */
                shell->out.exhausted = false;
                return;
        }
        door_wish *wish = step_wish(shell, DOOR_WISH_SEND);
        wish->channel = channel;
        wish->route = route;
        wish->upstream = index;
        wish->frame = bytes;
        shell->counters.frames_out++;
}

void step_alert(door_shell *shell, door_status status, const char *text, uint32_t log, uint64_t seq)
{
        door_wish *wish = step_wish(shell, DOOR_WISH_ALERT);
        wish->reason = status;
        wish->text = text;
        wish->log = log;
        wish->seq = seq;
}

void step_end(door_shell *shell, int exit_code, door_status status, const char *text)
{
        if (shell->ended) {
                return;
        }
        shell->ended = true;
        door_wish *wish = step_wish(shell, DOOR_WISH_END);
        wish->exit_code = exit_code;
        wish->reason = status;
        wish->text = text;
}

void step_wake_by(door_shell *shell, uint64_t mono_ms)
{
        if (mono_ms < shell->wishes->wake_mono_ms) {
                shell->wishes->wake_mono_ms = mono_ms;
        }
}

static void wish_anchor(door_shell *shell)
{
        door_wish *wish = step_wish(shell, DOOR_WISH_ANCHOR);
        wish->seq = shell->head + (DOOR_PLANT(DOOR_PLANT_ANCHOR_AHEAD) ? 1 : 0);
        wish->hash = shell->head_hash;
        shell->anchored_seq = shell->head;
        shell->anchor_wished_ms = shell->now->now.mono_ms;
}

/*
 * After a commit, at most every DOOR_ANCHOR_INTERVAL_MS; and after a start, because whoever died
 * before may have committed without living to anchor it.
 */
static void anchor_turn(door_shell *shell)
{
        const uint64_t due_ms = shell->anchor_wished_ms + DOOR_ANCHOR_INTERVAL_MS;

        if (shell->head == shell->anchored_seq) {
                return;
        }
        if (shell->now->now.mono_ms >= due_ms) {
                wish_anchor(shell);
        } else {
                step_wake_by(shell, due_ms);
        }
}

uint64_t step_settled(const door_shell *shell)
{
        uint64_t settled = UINT64_MAX;

        if (shell->core->log == STEP_LOG_SETTLED) {
                settled = shell->head;
        }
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                if (shell->upstreams[i].config->log == STEP_LOG_SETTLED) {
                        settled = shell->upstreams[i].durable.seq;
                }
        }
        for (size_t i = 0; i < shell->others_count && settled == UINT64_MAX; i++) {
                if (shell->others[i].log == STEP_LOG_SETTLED) {
                        settled = shell->others[i].seq;
                }
        }
        if (settled == UINT64_MAX) {
                return 0;
        }
        /* A consumer that has not asked since our start holds nobody back: it may not even exist yet,
         * and an import would wait for it for ever. Once it asks, it counts. One that has finished all
         * our last record had seen has finished what came after: that left no record to wait for. */
        for (size_t i = 0; i < shell->peers_count; i++) {
                const peer_standing *standing = &shell->standings[i];
                const bool finished =
                        shell->core->log != STEP_LOG_SETTLED && standing->settled >= shell->settled_seen;
                if (shell->peers[i].settles && standing->settled_known && !finished &&
                    standing->settled < settled) {
                        settled = standing->settled;
                }
        }
        return settled;
}

/* ---- life ---- */

static size_t bound_of(size_t wished, size_t usual)
{
        return wished == 0 ? usual : wished;
}

door_status door_shell_new(const door_shell_config *config, door_shell **ret_shell)
{
        if (config->upstreams_count > DOOR_UPSTREAMS_MAX || config->peers_count > DOOR_PEERS_MAX) {
                return DOOR_INVALID;
        }
        const size_t batch_bytes = bound_of(config->bounds.batch_arena_bytes, DOOR_BATCH_ARENA_BYTES);
        const size_t out_bytes = bound_of(config->bounds.out_arena_bytes, STEP_OUT_ARENA_BYTES);
        const size_t arenas = batch_bytes + out_bytes + DOOR_FRAME_ARENA_BYTES + STEP_POLICY_ARENA_BYTES;
        door_shell *shell = calloc(1, sizeof *shell);
        void *memory = NULL;

        if (shell == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (posix_memalign(&memory, 64, arenas + step_upstream_memory(config->upstreams_count)) != 0) {
                free(shell);
                return DOOR_NO_MEMORY;
        }
        shell->memory = memory;
        shell->config = *config;
        shell->core = config->core;
        shell->store = config->store;
        shell->head = config->standing.head;
        shell->head_hash = config->standing.head_hash;
        shell->last_at_ms = config->standing.last_at_ms;
        memcpy(shell->log_id, config->standing.log_id, sizeof shell->log_id);
        shell->peers = config->peers;
        shell->peers_count = config->peers_count;
        shell->careful = config->starts_here >= DOOR_POISON_STARTS || config->noted.len > 0;
        shell->careful_left = DOOR_BATCH_INPUTS_MAX;

        uint8_t *at = memory;
        door_arena_init(&shell->batch_arena, at, batch_bytes);
        at += batch_bytes;
        door_arena_init(&shell->out, at, out_bytes);
        at += out_bytes;
        door_arena_init(&shell->scratch, at, DOOR_FRAME_ARENA_BYTES);
        at += DOOR_FRAME_ARENA_BYTES;
        door_arena_init(&shell->policy_arena, at, STEP_POLICY_ARENA_BYTES);
        at += STEP_POLICY_ARENA_BYTES;
        step_commands_init(shell);
        const door_status status = step_upstream_init(shell, &at);
        if (status != DOOR_OK) {
                (void)door_shell_free(shell);
                return status;
        }
        *ret_shell = shell;
        return DOOR_OK;
}

door_shell *door_shell_free(door_shell *shell)
{
        if (shell == NULL) {
                return NULL;
        }
        step_commands_free(shell);
        free(shell->memory);
        free(shell);
        return NULL;
}

const door_shell_counters *door_shell_count(const door_shell *shell)
{
        return &shell->counters;
}

uint64_t door_shell_head(const door_shell *shell)
{
        return shell->head;
}

/* ---- what a batch knows while it is made ---- */

static void others_note(step_batch *b, door_position seen)
{
        for (size_t i = 0; i < b->others_count; i++) {
                if (b->others[i].log == seen.log) {
                        b->others[i].seq = seen.seq > b->others[i].seq ? seen.seq : b->others[i].seq;
                        return;
                }
        }
        if (b->others_count < DOOR_SEEN_MAX) {
                b->others[b->others_count++] = seen;
        }
}

/* Logs we do not read ourselves: the highest position found in the headers consumed. */
static void others_from(door_shell *shell, step_batch *b, const door_header *header)
{
        for (uint32_t i = 0; i < header->seen_count; i++) {
                bool own = header->seen[i].log == shell->core->log;
                for (size_t u = 0; u < shell->upstreams_count && !own; u++) {
                        own = shell->upstreams[u].config->log == header->seen[i].log;
                }
                if (!own) {
                        others_note(b, header->seen[i]);
                }
        }
}

static uint32_t seen_fill(door_shell *shell, const step_batch *b, door_position seen[DOOR_SEEN_MAX])
{
        uint32_t n = 0;

        for (size_t i = 0; i < shell->upstreams_count && n < DOOR_SEEN_MAX; i++) {
                if (b->cursors[i].seq > 0 && !(DOOR_PLANT(DOOR_PLANT_SEEN) && i > 0)) {
                        seen[n++] = (door_position){ b->cursors[i].log, b->cursors[i].seq };
                }
        }
        for (size_t i = 0; i < b->others_count && n < DOOR_SEEN_MAX; i++) {
                seen[n++] = b->others[i];
        }
        return n;
}

/* What all records of one input share. */
typedef struct input_context {
        door_position cause;
        const Door__V1__Command *command; /* NULL unless a command. */
        door_hash command_id;
        door_hash command_digest;
        uint32_t hops;
        uint32_t index;   /* Of the next record. */
        uint8_t seed[16]; /* Salts are drawn from it. */
} input_context;

typedef enum taken {
        TAKEN_OK,
        TAKEN_FULL,  /* The arena or a bound: it does not fit here. */
        TAKEN_ENDED, /* The process ends. */
        TAKEN_WAIT,  /* Not in this batch. */
} taken;

static void salt_draw(const input_context *context, char label, uint8_t salt[DOOR_SALT_BYTES])
{
        uint8_t seed[32] = { 0 };
        memcpy(seed, context->seed, sizeof context->seed);
        door_draw(seed, label, context->index, salt);
}

/* Makes one record and folds it into the overlay: decode(encode(event)), never the struct. */
static taken record_add(door_shell *shell, input_context *context, const door_event *event,
                        door_bytes public_payload, door_bytes private_payload)
{
        step_batch *b = &shell->batch;
        door_arena *arena = &shell->batch_arena;
        door_header header;
        uint8_t salt[DOOR_SALT_BYTES];
        door_record record = { .seq = b->head + 1 };

        DOOR_REQUIRE(b->records_count < STEP_RECORDS_MAX);
        memset(&header, 0, sizeof header);
        header.seq = record.seq;
        header.type = event->type;
        header.version = event->version;
        header.flags = event->flags |
                       (shell->now->now.mono_ms < shell->doubted_until_ms ? DOOR_FLAG_CLOCK_DOUBTED : 0U);
        header.cause = context->cause;
        header.has_command_id = context->command != NULL;
        header.command_id = context->command_id;
        header.command_digest = context->command_digest;
        header.seen_count = seen_fill(shell, b, header.seen);
        b->settled_seen = door_header_seen(&header, STEP_LOG_SETTLED);
        header.subjects_count = event->subjects_count;
        memcpy(header.subjects, event->subjects, sizeof header.subjects);
        if (context->command != NULL) {
                header.actor = door_bytes_of(context->command->actor);
        }
        header.at_ms = b->at_ms;
        header.hops = context->hops;
        header.index = context->index;
        if (public_payload.len > 0) {
                salt_draw(context, 'p', salt);
                header.has_public = door_payload_salt(public_payload, salt, arena, &record.public_payload,
                                                      &header.public_digest) == DOOR_OK;
        }
        if (private_payload.len > 0) {
                salt_draw(context, 's', salt);
                header.has_private = door_payload_salt(private_payload, salt, arena, &record.private_payload,
                                                       &header.private_digest) == DOOR_OK;
        }
        if (door_header_encode(&header, arena, &record.header) != DOOR_OK || arena->exhausted) {
                return TAKEN_FULL;
        }
        const size_t bytes = record.header.len + record.public_payload.len + record.private_payload.len;
        if (bytes > DOOR_RECORD_BYTES_MAX) {
                return TAKEN_FULL;
        }
        record.hash = door_hash_chain(&b->head_hash, record.header);

        const door_status folded =
                door_fold(shell->core, &b->view, &header, public_payload, private_payload, arena);
        DOOR_REQUIRE(folded != DOOR_MALFORMED);
        if (b->view.latch != DOOR_OK && b->view.latch != DOOR_NO_MEMORY) {
                step_end(shell, DOOR_EXIT_RESTART, b->view.latch, "the state cannot be read");
                return TAKEN_ENDED;
        }
        if (arena->exhausted) {
                return TAKEN_FULL;
        }
        b->records[b->records_count++] = record;
        b->bytes += bytes;
        b->head = record.seq;
        b->head_hash = record.hash;
        context->index++;
        return TAKEN_OK;
}

/* A record of the shell's own vocabulary, from its packed message. */
static taken shell_record_add(door_shell *shell, input_context *context, uint32_t type,
                              const ProtobufCMessage *public_message, door_bytes private_payload,
                              const door_header *about)
{
        door_event event = { .type = type, .version = 1 };
        const door_bytes payload = door_frame_pack(public_message, &shell->batch_arena);

        if (about != NULL) {
                event.subjects_count = about->subjects_count;
                memcpy(event.subjects, about->subjects, sizeof event.subjects);
        }
        return payload.len == 0 ? TAKEN_FULL : record_add(shell, context, &event, payload, private_payload);
}

/* ---- deciding ---- */

static taken refusal_add(door_shell *shell, input_context *context, const door_refusal *refusal)
{
        Door__V1__CommandRefused out = DOOR__V1__COMMAND_REFUSED__INIT;

        shell->counters.refusals++;
        out.reason = refusal->reason;
        out.field = (char *)(uintptr_t)refusal->field;
        out.detail = (char *)(uintptr_t)refusal->detail;
        return shell_record_add(shell, context, DOOR__V1__SHELL_TYPE__SHELL_COMMAND_REFUSED, &out.base,
                                DOOR_BYTES_EMPTY, NULL);
}

/* Encodes and logs what decide answered. */
static taken events_add(door_shell *shell, input_context *context, const door_out *out)
{
        if (out->refused && context->command != NULL) {
                const taken refused = refusal_add(shell, context, &out->refusal);
                if (refused != TAKEN_OK) {
                        return refused;
                }
        }
        for (size_t i = 0; i < out->events_count; i++) {
                door_bytes public_payload = DOOR_BYTES_EMPTY;
                door_bytes private_payload = DOOR_BYTES_EMPTY;
                DOOR_REQUIRE(out->events[i].type > DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST);
                const door_status encoded = shell->core->encode_event(&out->events[i], &shell->batch_arena,
                                                                      &public_payload, &private_payload);
                DOOR_REQUIRE(encoded != DOOR_MALFORMED);
                if (encoded != DOOR_OK) {
                        return TAKEN_FULL;
                }
                const taken added =
                        record_add(shell, context, &out->events[i], public_payload, private_payload);
                if (added != TAKEN_OK) {
                        return added;
                }
        }
        return TAKEN_OK;
}

static taken decide(door_shell *shell, input_context *context, door_input *input, door_out **ret_out)
{
        step_batch *b = &shell->batch;
        door_out *out = &shell->decided;

        out->arena = &shell->batch_arena;
        out->events_count = 0;
        out->refused = false;
        out->retry = 0;
        out->alert = NULL;
        input->now_ms = b->at_ms;
        memcpy(input->random, context->seed, sizeof input->random);
        DOOR_REQUIRE(!b->view.writable);
        if (!step_view_project(shell, input)) {
                shell->core->decide(&b->view, shell->policy, input, out);
        }
        if (b->view.latch != DOOR_OK && b->view.latch != DOOR_NO_MEMORY) {
                step_end(shell, DOOR_EXIT_RESTART, b->view.latch, "the state cannot be read");
                return TAKEN_ENDED;
        }
        if (shell->batch_arena.exhausted) {
                return TAKEN_FULL;
        }
        if (out->alert != NULL) {
                step_alert(shell, DOOR_OK, out->alert, shell->core->log, b->head + 1);
        }
        *ret_out = out;
        return out->retry != 0 ? TAKEN_OK : events_add(shell, context, out);
}

static void context_init(door_shell *shell, input_context *context)
{
        memset(context, 0, sizeof *context);
        /* The happening's random bytes are the batch's; each input draws its own from them. */
        door_draw(shell->now->random, 'i', DOOR_PLANT(DOOR_PLANT_SEED) ? 0 : shell->batch.draws++,
                  context->seed);
        context->hops = 1;
}

/* ---- inputs: records of other logs ---- */

static bool is_consumed(const door_core_ops *core, uint32_t log, uint32_t type)
{
        for (size_t i = 0; i < core->consumes_count; i++) {
                if (core->consumes[i].log == log && core->consumes[i].type == type) {
                        return true;
                }
        }
        return false;
}

static bool is_known(const door_core_ops *core, uint32_t log, const door_header *header)
{
        if ((header->flags & DOOR_FLAG_IGNORABLE) != 0 ||
            header->type <= DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST) {
                return true;
        }
        for (size_t i = 0; i < core->knows_count; i++) {
                if (core->knows[i].log == log && core->knows[i].type == header->type) {
                        return true;
                }
        }
        return false;
}

static bool is_blocked(door_shell *shell, const door_header *header)
{
        door_position first;

        /* Nearly always nothing at all is parked: a search per subject of every record saved. */
        if (shell->counters.parked_now + (uint64_t)(int64_t)shell->batch.parked_change == 0) {
                return false;
        }
        for (uint32_t i = 0; i < header->subjects_count; i++) {
                if (shell_state_blocked(&shell->batch.view, &header->subjects[i], &first)) {
                        return true;
                }
        }
        return false;
}

static taken park(door_shell *shell, input_context *context, const door_header *header, door_bytes payload,
                  const char *reason)
{
        Door__V1__Parked out = DOOR__V1__PARKED__INIT;
        Door__V1__Position record = DOOR__V1__POSITION__INIT;
        Door__V1__ParkedContent content = DOOR__V1__PARKED_CONTENT__INIT;
        door_bytes packed_header;

        if (shell_state_parked_count(&shell->batch.view) >=
            bound_of(shell->config.bounds.parked_max, DOOR_PARKED_MAX)) {
                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_FULL, "the list of parked records is full");
                return TAKEN_ENDED;
        }
        record.log = context->cause.log;
        record.seq = context->cause.seq;
        out.record = &record;
        out.reason = (char *)(uintptr_t)reason;
        if (door_header_encode(header, &shell->batch_arena, &packed_header) != DOOR_OK) {
                return TAKEN_FULL;
        }
        content.header = door_proto_data(packed_header);
        content.has_public_payload = payload.len > 0;
        content.public_payload = door_proto_data(payload);
        const door_bytes kept = door_frame_pack(&content.base, &shell->batch_arena);
        if (kept.len == 0) {
                return TAKEN_FULL;
        }
        const taken added =
                shell_record_add(shell, context, DOOR__V1__SHELL_TYPE__SHELL_PARKED, &out.base, kept, header);
        if (added == TAKEN_OK) {
                shell->counters.parked++;
                shell->batch.parked_change++;
                step_alert(shell, DOOR_MALFORMED, "a record was parked", record.log, record.seq);
        }
        return added;
}

/* Decodes and decides one upstream record; parks it when that cannot be done. */
static taken record_decide(door_shell *shell, input_context *context, const door_header *header,
                           door_bytes payload, bool *ret_decoded)
{
        door_input input = {
                .kind = DOOR_INPUT_EVENT,
                .type = header->type,
                .cause = context->cause,
                .flags = header->flags,
                .at_ms = header->at_ms,
                .subjects_count = header->subjects_count,
                .subjects = header->subjects,
        };
        door_out *out = NULL;
        const door_status decoded = shell->core->decode_input(
                context->cause.log, header->type, header->version, payload, &shell->batch_arena, &input.body);

        *ret_decoded = decoded != DOOR_MALFORMED;
        if (decoded == DOOR_MALFORMED) {
                return TAKEN_OK;
        }
        return decoded != DOOR_OK ? TAKEN_FULL : decide(shell, context, &input, &out);
}

static taken record_take(door_shell *shell, size_t index, const door_header *header, door_bytes payload,
                         const door_hash *hash, bool killed)
{
        step_batch *b = &shell->batch;
        const uint32_t log = shell->upstreams[index].config->log;
        input_context context;
        bool decoded = true;

        if (door_header_seen(header, shell->core->log) > shell->head) {
                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_LOG_REGRESSED,
                         "an upstream has seen records this log does not hold");
                return TAKEN_ENDED;
        }
        if (!is_consumed(shell->core, log, header->type)) {
                if (!is_known(shell->core, log, header)) {
                        shell->upstreams[index].stopped = true;
                        step_alert(shell, DOOR_UPSTREAM_NEWER, "an upstream holds a type not known here", log,
                                   header->seq);
                        return TAKEN_WAIT;
                }
                b->cursors[index].seq = header->seq;
                b->cursors[index].hash = *hash;
                others_from(shell, b, header);
                return TAKEN_OK;
        }
        if (header->hops >= DOOR_HOPS_MAX) {
                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_INVALID, "services echo each other");
                return TAKEN_ENDED;
        }
        context_init(shell, &context);
        context.cause = (door_position){ log, header->seq };
        context.hops = header->hops + 1;
        b->cursors[index].seq = header->seq;
        b->cursors[index].hash = *hash;
        others_from(shell, b, header);
        if (killed || b->park_first) {
                return park(shell, &context, header, payload, "DECIDE");
        }
        if (is_blocked(shell, header) && !DOOR_PLANT(DOOR_PLANT_NO_BLOCK)) {
                return park(shell, &context, header, payload, "BEHIND");
        }
        const taken done = record_decide(shell, &context, header, payload, &decoded);
        return decoded || DOOR_PLANT(DOOR_PLANT_NO_PARK) ? done
                                                         : park(shell, &context, header, payload, "DECODE");
}

/* ---- inputs: commands ---- */

static answer *answer_add(door_shell *shell, size_t slot, const door_hash *command_id)
{
        step_batch *b = &shell->batch;
        DOOR_REQUIRE(b->answers_count < DOOR_BATCH_INPUTS_MAX);
        answer *item = &b->answers[b->answers_count++];
        *item = (answer){ .slot = slot, .command_id = *command_id };
        return item;
}

static taken policy_take(door_shell *shell, input_context *context)
{
        ProtobufCAllocator allocator = door_proto_allocator(&shell->batch_arena);
        const Door__V1__PolicyActivated *policy = door__v1__policy_activated__unpack(
                &allocator, context->command->body.len, context->command->body.data);
        const void *ignored = NULL;
        door_refusal refusal = { DOOR__V1__REFUSED_REASON__REASON_INVALID, "/content", NULL };

        if (policy == NULL || policy->digest.len != DOOR_HASH_BYTES ||
            !door_text_is_clean(door_bytes_of(policy->version)) ||
            strlen(policy->version) >= DOOR_NAME_BYTES_MAX) {
                refusal.detail = "these bytes are no policy";
                return refusal_add(shell, context, &refusal);
        }
        if (policy->content.len > DOOR_POLICY_BYTES_MAX) {
                refusal.reason = DOOR__V1__REFUSED_REASON__REASON_TOO_LARGE;
                refusal.detail = "a policy section may have 256 KiB at most";
                return refusal_add(shell, context, &refusal);
        }
        const door_hash digest = door_hash_of_one(door_proto_bytes(policy->content));
        if (memcmp(digest.bytes, policy->digest.data, DOOR_HASH_BYTES) != 0 ||
            shell->core->decode_policy(door_proto_bytes(policy->content), &shell->batch_arena, &ignored) ==
                    DOOR_MALFORMED) {
                refusal.detail = "the section does not decode, or is not what its digest says";
                return refusal_add(shell, context, &refusal);
        }
        shell->batch.closed = true;
        return shell_record_add(shell, context, DOOR__V1__SHELL_TYPE__SHELL_POLICY_ACTIVATED, &policy->base,
                                DOOR_BYTES_EMPTY, NULL);
}

/* The record parked as `record` from our own log, where parking kept it whole. */
static bool parked_read(door_shell *shell, const door_parked_row *row, door_header *ret_header,
                        door_bytes *ret_payload)
{
        door_arena *arena = &shell->batch_arena;
        ProtobufCAllocator allocator = door_proto_allocator(arena);
        door_record own;
        door_header own_header;
        door_bytes kept;
        size_t count = 0;
        const door_status status = shell->store->read(shell->store->context, row->own_seq - 1, 1, 1,
                                                      DOOR_FORM_WHOLE, arena, &own, &count);

        if (status != DOOR_OK || count != 1 ||
            door_header_decode(own.header, arena, &own_header) != DOOR_OK || !own_header.has_private ||
            !door_payload_open(own.private_payload, &own_header.private_digest, &kept)) {
                return false;
        }
        const Door__V1__ParkedContent *content =
                door__v1__parked_content__unpack(&allocator, kept.len, kept.data);
        if (content == NULL ||
            door_header_decode(door_proto_bytes(content->header), arena, ret_header) != DOOR_OK) {
                return false;
        }
        *ret_payload =
                content->has_public_payload ? door_proto_bytes(content->public_payload) : DOOR_BYTES_EMPTY;
        return true;
}

/* Is this the oldest parked record of every subject it names? */
static bool is_first_parked(door_shell *shell, const door_parked_row *row, door_position record)
{
        door_position first;

        for (uint32_t i = 0; i < row->subjects_count; i++) {
                if (!shell_state_blocked(&shell->batch.view, &row->subjects[i], &first) ||
                    first.log != record.log || first.seq != record.seq) {
                        return false;
                }
        }
        return true;
}

static taken released_decide(door_shell *shell, input_context *context, door_position record,
                             const door_header *header, door_bytes payload)
{
        Door__V1__Released out = DOOR__V1__RELEASED__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        input_context inner;
        bool decoded = true;

        position.log = record.log;
        position.seq = record.seq;
        out.record = &position;
        const taken added = shell_record_add(shell, context, DOOR__V1__SHELL_TYPE__SHELL_RELEASED, &out.base,
                                             DOOR_BYTES_EMPTY, header);
        if (added != TAKEN_OK) {
                return added;
        }
        context_init(shell, &inner);
        inner.cause = record;
        inner.hops = header->hops + 1;
        shell->counters.released++;
        shell->batch.parked_change--;
        const taken done = record_decide(shell, &inner, header, payload, &decoded);
        DOOR_REQUIRE(decoded);
        return done;
}

static taken release_take(door_shell *shell, input_context *context)
{
        ProtobufCAllocator allocator = door_proto_allocator(&shell->batch_arena);
        const Door__V1__Release *release = door__v1__release__unpack(&allocator, context->command->body.len,
                                                                     context->command->body.data);
        door_refusal refusal = { DOOR__V1__REFUSED_REASON__REASON_NO_SUCH, "/record", NULL };
        door_parked_row row;
        door_header header;
        door_bytes payload;
        const void *ignored = NULL;

        if (release == NULL) {
                refusal.reason = DOOR__V1__REFUSED_REASON__REASON_INVALID;
                refusal.detail = "these bytes name no record";
                return refusal_add(shell, context, &refusal);
        }
        const door_position record = { release->record->log, release->record->seq };
        if (!shell_state_parked(&shell->batch.view, record, &row)) {
                refusal.detail = "no such record is parked";
                return refusal_add(shell, context, &refusal);
        }
        if (row.own_seq > shell->head) {
                return TAKEN_WAIT; /* Parked in this very batch: read it back in the next. */
        }
        if (!is_first_parked(shell, &row, record) && !DOOR_PLANT(DOOR_PLANT_RELEASE_ANY)) {
                refusal.detail = "an earlier record of its subject is parked: release that first";
                return refusal_add(shell, context, &refusal);
        }
        if (!parked_read(shell, &row, &header, &payload)) {
                step_end(shell, DOOR_EXIT_RESTART, DOOR_CORRUPT, "a parked record cannot be read back");
                return TAKEN_ENDED;
        }
        if (shell->core->decode_input(record.log, header.type, header.version, payload, &shell->batch_arena,
                                      &ignored) == DOOR_MALFORMED) {
                refusal.reason = DOOR__V1__REFUSED_REASON__REASON_INVALID;
                refusal.detail = "the record still does not decode";
                return refusal_add(shell, context, &refusal);
        }
        return released_decide(shell, context, record, &header, payload);
}

static taken core_command_take(door_shell *shell, input_context *context, const door_peer *peer,
                               bool id_known, const door_out **ret_out)
{
        const Door__V1__Command *command = context->command;
        door_input input = {
                .kind = DOOR_INPUT_COMMAND,
                .type = command->type,
                .peer = door_bytes_of(peer->name),
                .actor = door_bytes_of(command->actor),
                .rights = peer->rights,
                .command_id = context->command_id,
                .expected_version = command->has_expected_version ? command->expected_version : 0,
                .id_known = id_known,
        };
        door_out *out = NULL;
        const door_status decoded = shell->core->decode_command(
                command->type, door_proto_bytes(command->body), &shell->batch_arena, &input.body);

        if (decoded == DOOR_MALFORMED) {
                return TAKEN_WAIT; /* The caller answers MALFORMED: nothing was decided. */
        }
        if (decoded != DOOR_OK) {
                return TAKEN_FULL;
        }
        const taken done = decide(shell, context, &input, &out);
        *ret_out = out;
        return done;
}

/* A question to a view: answered from the batch as it stands, and nothing is left of it. */
static taken question_take(door_shell *shell, size_t slot, const input_context *context)
{
        const step_view_answer *view = NULL;
        const door_status status = step_view_ask(shell, context->command, &view);

        if (status == DOOR_MALFORMED) {
                return TAKEN_WAIT;
        }
        if (status == DOOR_NO_MEMORY) {
                return TAKEN_FULL;
        }
        if (status != DOOR_OK) {
                step_end(shell, DOOR_EXIT_RESTART, status, "the state cannot be read");
                return TAKEN_ENDED;
        }
        answer *item = answer_add(shell, slot, &context->command_id);
        item->outcome = DOOR__V1__OUTCOME__DONE;
        item->view = view;
        return TAKEN_OK;
}

static taken too_large(door_shell *shell, input_context *context, bool killed)
{
        const door_refusal refusal = {
                killed ? DOOR__V1__REFUSED_REASON__REASON_POISON : DOOR__V1__REFUSED_REASON__REASON_TOO_LARGE,
                NULL,
                killed ? "deciding this stopped the service; an operator has been told"
                       : "this cannot be decided in the room there is",
        };
        if (killed) {
                step_alert(shell, DOOR_MALFORMED, "a command that stopped the service was refused", 0, 0);
        }
        return refusal_add(shell, context, &refusal);
}

static taken command_decide(door_shell *shell, size_t slot, input_context *context, const door_peer *peer,
                            bool id_known, bool killed)
{
        const uint64_t before = shell->batch.head;
        const size_t answers = shell->batch.answers_count;
        const door_out *out = NULL;
        taken done = TAKEN_OK;

        if (killed || shell->batch.park_first) {
                done = too_large(shell, context, killed);
        } else if (context->command->type == DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY) {
                done = policy_take(shell, context);
        } else if (context->command->type == DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE) {
                done = release_take(shell, context);
                if (done == TAKEN_WAIT) {
                        return done;
                }
        } else if (step_view_asked(shell, context->command)) {
                done = question_take(shell, slot, context);
                if (done != TAKEN_WAIT) {
                        return done;
                }
        } else {
                done = core_command_take(shell, context, peer, id_known, &out);
        }
        if (done == TAKEN_WAIT) {
                answer_add(shell, slot, &context->command_id)->outcome = DOOR__V1__OUTCOME__MALFORMED;
                shell->counters.malformed++;
                return TAKEN_OK;
        }
        if (done == TAKEN_OK) {
                answer *item = answer_add(shell, slot, &context->command_id);
                if (out != NULL && out->retry != 0) {
                        item->outcome = DOOR__V1__OUTCOME__RETRY;
                        item->retry_reason = out->retry;
                } else {
                        /* A core that answers a command with nothing has decided nothing: a fault. */
                        DOOR_REQUIRE(shell->batch.head > before);
                        item->seq = before + 1;
                }
        } else {
                shell->batch.answers_count = answers;
        }
        return done;
}

static taken command_take(door_shell *shell, size_t index, bool killed)
{
        const waiting *slot = &shell->slots[index];
        const Door__V1__Frame *frame =
                door_frame_unpack((door_bytes){ slot->frame, slot->frame_len }, &shell->batch_arena);
        uint64_t known_seq = 0;
        bool refused = false;
        input_context context;

        if (frame == NULL) {
                DOOR_REQUIRE(shell->batch_arena.exhausted); /* It decoded when it arrived. */
                return TAKEN_FULL;
        }
        uint8_t type[4];
        context_init(shell, &context);
        context.command = frame->command;
        memcpy(context.command_id.bytes, frame->command->command_id.data, DOOR_HASH_BYTES);
        door_put_u32(type, frame->command->type);
        const door_bytes parts[] = { { type, sizeof type }, door_proto_bytes(frame->command->body) };
        context.command_digest = door_hash_of(parts, 2);

        const door_result_known known =
                DOOR_PLANT(DOOR_PLANT_ID_STORE) && shell->batch.view.changes_count > 0
                        ? DOOR_RESULT_NEW
                        : shell_state_result(&shell->batch.view, &context.command_id, &context.command_digest,
                                             &known_seq, &refused);
        /* What was refused under an older policy is asked anew: the agency may be registered now. */
        if (known == DOOR_RESULT_SAME && !(refused && known_seq < shell->policy_seq)) {
                shell->counters.results_repeated++;
                answer *item = answer_add(shell, index, &context.command_id);
                item->seq = known_seq;
                item->repeated = true;
                return TAKEN_OK;
        }
        if (known == DOOR_RESULT_OTHER && !shell->core->decides_repeats && !DOOR_PLANT(DOOR_PLANT_CONFLICT)) {
                shell->counters.conflicts++;
                answer_add(shell, index, &context.command_id)->outcome = DOOR__V1__OUTCOME__CONFLICT;
                return TAKEN_OK;
        }
        return command_decide(shell, index, &context, &shell->peers[slot->peer], known == DOOR_RESULT_OTHER,
                              killed);
}

/* ---- inputs: time ---- */

static taken clock_take(door_shell *shell)
{
        Door__V1__ClockStepped out = DOOR__V1__CLOCK_STEPPED__INIT;
        input_context context;

        context_init(shell, &context);
        out.from_ms = shell->step_from_ms;
        out.to_ms = shell->step_to_ms;
        /* The one place where `at` may go back: right after the record that says why. */
        const taken added = shell_record_add(shell, &context, DOOR__V1__SHELL_TYPE__SHELL_CLOCK_STEPPED,
                                             &out.base, DOOR_BYTES_EMPTY, NULL);
        shell->batch.clock_stepped = true;
        shell->batch.at_ms = shell->now->now.wall_ms;
        return added;
}

static taken tick_take(door_shell *shell)
{
        input_context context;
        door_input input = { .kind = DOOR_INPUT_TICK };
        door_out *out = NULL;

        context_init(shell, &context);
        shell->counters.ticks++;
        return decide(shell, &context, &input, &out);
}

/* ---- inputs: what became of effects ---- */

static bool batch_has_room(const step_batch *b);

static taken outcomes_take(door_shell *shell)
{
        step_effect *effect = step_effects_peek(shell);

        while (effect != NULL && batch_has_room(&shell->batch)) {
                input_context context;
                door_input input = { .kind = DOOR_INPUT_OUTCOME, .body = &effect->outcome };
                door_out *out = NULL;

                context_init(shell, &context);
                const taken done = decide(shell, &context, &input, &out);
                if (done != TAKEN_OK) {
                        return done;
                }
                effect->in_batch = true;
                shell->batch.inputs++;
                shell->counters.outcomes++;
                effect = step_effects_peek(shell);
        }
        return TAKEN_OK;
}

/* ---- the batch ---- */

static bool batch_begin(door_shell *shell, size_t limit, bool park_first)
{
        step_batch *b = &shell->batch;

        for (size_t i = 0; i < b->answers_count; i++) {
                shell->slots[b->answers[i].slot].in_batch = false;
        }
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                shell->upstreams[i].taken = 0;
        }
        step_effects_untake(shell);
        door_arena_reset(&shell->batch_arena);
        memset(b, 0, offsetof(step_batch, answers));
        b->answers_count = 0;
        b->closed = false;
        b->clock_stepped = false;
        door_view_init(&b->view, &shell->store->state, &shell->batch_arena);
        b->records = door_arena_take(&shell->batch_arena, STEP_RECORDS_MAX * sizeof *b->records);
        b->limit = limit;
        b->park_first = park_first;
        b->head = shell->head;
        b->head_hash = shell->head_hash;
        b->at_ms = shell->now->now.wall_ms > shell->last_at_ms || DOOR_PLANT(DOOR_PLANT_CLOCK)
                           ? shell->now->now.wall_ms
                           : shell->last_at_ms;
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                b->cursors[i] = shell->upstreams[i].durable;
        }
        memcpy(b->others, shell->others, sizeof b->others);
        b->others_count = shell->others_count;
        b->settled_seen = shell->settled_seen;
        return b->records != NULL;
}

static bool batch_has_room(const step_batch *b)
{
        /* One input may leave a refusal or a Released record beside its events. */
        return b->inputs < b->limit && b->bytes < DOOR_BATCH_BYTES_MAX && !b->closed &&
               b->records_count + DOOR_EVENTS_PER_INPUT_MAX + 1 <= STEP_RECORDS_MAX;
}

/*
 * Describes the input about to be decided, for the note that outlives a death: how many deaths
 * it has been noted at, this one included should it come to that, then what it is.
 */
static door_bytes note_describe(door_shell *shell, size_t upstream_index, const door_header *header,
                                size_t slot)
{
        const size_t cap = 2 + DOOR_HASH_BYTES;
        uint8_t *note = door_arena_take(&shell->out, cap);

        if (note == NULL) {
                return DOOR_BYTES_EMPTY;
        }
        door_writer w = door_writer_on(note, cap);
        door_write_u8(&w, 1);
        if (header != NULL) {
                door_write_u8(&w, 'E');
                door_write_u32(&w, shell->upstreams[upstream_index].config->log);
                door_write_u64(&w, header->seq);
        } else {
                const waiting *waits = &shell->slots[slot];
                const Door__V1__Frame *frame =
                        door_frame_unpack((door_bytes){ waits->frame, waits->frame_len }, &shell->scratch);
                door_write_u8(&w, 'C');
                if (frame != NULL) {
                        door_write(&w, door_proto_bytes(frame->command->command_id));
                }
                door_arena_reset(&shell->scratch);
        }
        const door_bytes described = door_written(&w);
        const door_bytes before = shell->config.noted;
        if (before.len == described.len && memcmp(before.data + 1, described.data + 1, before.len - 1) == 0) {
                note[0] = (uint8_t)(before.data[0] + 1);
        }
        return described;
}

/*
 * Care: after three starts that died at one place, one input at a time, each noted before it is
 * decided. *ret_killed: two starts have died of deciding this one. (Of one death it may be
 * innocent: machines lose power at any moment.) False: wait for the note.
 */
static bool careful_may_decide(door_shell *shell, door_bytes note, bool *ret_killed)
{
        *ret_killed = false;
        if (note.len == 0) {
                return false; /* No room to describe it in this step; the next one has. */
        }
        if (note.data[0] > DOOR_POISON_DEATHS) {
                *ret_killed = true;
                return true;
        }
        if (shell->note_written && door_bytes_equal(note, (door_bytes){ shell->note, shell->note_len })) {
                return true;
        }
        if (!shell->note_pending) {
                shell->note_pending = true;
                shell->note_written = false;
                memcpy(shell->note, note.data, note.len);
                shell->note_len = note.len;
                step_wish(shell, DOOR_WISH_NOTE)->frame = note;
        }
        return false;
}

static taken take_command(door_shell *shell, bool urgent_only, bool *ret_any)
{
        bool killed = false;
        const size_t slot = step_commands_peek(shell, urgent_only);

        if (slot == STEP_NONE) {
                return TAKEN_OK;
        }
        if (shell->careful && !careful_may_decide(shell, note_describe(shell, 0, NULL, slot), &killed)) {
                return TAKEN_WAIT;
        }
        const taken done = command_take(shell, slot, killed);
        if (done == TAKEN_OK) {
                shell->slots[slot].in_batch = true;
                shell->batch.inputs++;
                *ret_any = true;
        }
        return done;
}

static taken take_record(door_shell *shell, size_t index, bool *ret_any)
{
        bool killed = false;
        door_bytes payload;
        door_hash hash;
        const door_header *header = step_upstream_peek(shell, index, &payload, &hash);

        if (header == NULL) {
                return TAKEN_OK;
        }
        if (shell->careful && !careful_may_decide(shell, note_describe(shell, index, header, 0), &killed)) {
                return TAKEN_WAIT;
        }
        const taken done = record_take(shell, index, header, payload, &hash, killed);
        if (done == TAKEN_OK) {
                shell->upstreams[index].taken++;
                shell->batch.inputs++;
                *ret_any = true;
        }
        return done == TAKEN_WAIT ? TAKEN_OK : done;
}

/* Clock step and tick come first: they are about time before this batch. */
static taken take_time(door_shell *shell)
{
        step_batch *b = &shell->batch;
        const uint64_t mono_ms = shell->now->now.mono_ms;

        if (shell->step_due) {
                b->inputs++;
                const taken done = clock_take(shell);
                if (done != TAKEN_OK) {
                        return done;
                }
        }
        const uint64_t due_ms = shell->core->next_deadline(&b->view);
        if (b->view.latch != DOOR_OK && b->view.latch != DOOR_NO_MEMORY) {
                /* Told "absent", it says that nothing is due, and nobody would wake us. */
                step_end(shell, DOOR_EXIT_RESTART, b->view.latch, "the state cannot be read");
                return TAKEN_ENDED;
        }
        if (due_ms == 0 || mono_ms < shell->doubted_until_ms) {
                return TAKEN_OK;
        }
        if (due_ms <= shell->now->now.wall_ms && !DOOR_PLANT(DOOR_PLANT_TICK)) {
                b->inputs++;
                return tick_take(shell);
        }
        step_wake_by(shell, mono_ms + (due_ms - shell->now->now.wall_ms));
        return TAKEN_OK;
}

/*
 * Rounds: an urgent command, a record of each upstream, any command; until nothing is left or
 * the batch is full. Nobody starves and the urgent lane is first.
 */
static taken take_rounds(door_shell *shell)
{
        bool any = true;

        while (any && batch_has_room(&shell->batch)) {
                any = false;
                taken done = take_command(shell, true, &any);
                for (size_t i = 0; i < shell->upstreams_count && done == TAKEN_OK; i++) {
                        if (batch_has_room(&shell->batch)) {
                                done = take_record(shell, (shell->turn + i) % shell->upstreams_count, &any);
                        }
                }
                if (done == TAKEN_OK && batch_has_room(&shell->batch)) {
                        done = take_command(shell, false, &any);
                }
                if (done != TAKEN_OK) {
                        return done;
                }
        }
        return TAKEN_OK;
}

/* Builds the batch; on TAKEN_FULL once more with what fitted, or with the first one put aside. */
static bool batch_build(door_shell *shell)
{
        size_t limit = shell->careful ? 1 : DOOR_BATCH_INPUTS_MAX;
        bool park_first = false;

        for (unsigned tries = 0; tries < 3; tries++) {
                if (!batch_begin(shell, limit, park_first)) {
                        break;
                }
                taken done = take_time(shell);
                if (done == TAKEN_OK) {
                        done = outcomes_take(shell);
                }
                if (done == TAKEN_OK) {
                        done = take_rounds(shell);
                }
                if (done == TAKEN_ENDED) {
                        return false;
                }
                if (done != TAKEN_FULL) {
                        return true;
                }
                shell->counters.batch_splits++;
                park_first = shell->batch.inputs == 0;
                limit = shell->batch.inputs == 0 ? 1 : shell->batch.inputs;
        }
        step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY,
                 "one input does not fit, not even to be put aside");
        return false;
}

static bool cursors_moved(const door_shell *shell)
{
        for (size_t i = 0; i < shell->upstreams_count; i++) {
                if (shell->batch.cursors[i].seq != shell->upstreams[i].durable.seq) {
                        return true;
                }
        }
        return false;
}

static void batch_finished(door_shell *shell);

#ifdef DOOR_PLANTED_FAULTS
/* Refusals drawn from memory, sent before the disk knows them. */
static void plant_answer_early(door_shell *shell)
{
        step_commands_answer(shell);
}
#else
#define plant_answer_early(shell) ((void)(shell))
#endif

static void batch_start(door_shell *shell)
{
        step_batch *b = &shell->batch;

        if (!batch_build(shell)) {
                return;
        }
        if (b->clock_stepped) {
                shell->step_due = false; /* Now, not when it is durable: another step may come meanwhile. */
        }
        if (b->records_count == 0 && (!cursors_moved(shell) || DOOR_PLANT(DOOR_PLANT_CURSOR_STAYS))) {
                batch_finished(shell); /* Repeats of durable answers, or nothing. */
                return;
        }
        b->commit = (door_commit){
                .expected_head = shell->head,
                .records = b->records,
                .records_count = b->records_count,
                .changes = b->view.head[0],
                .cursors = b->cursors,
                .cursors_count = shell->upstreams_count,
                .sync = b->records_count > 0,
        };
        shell->committing = true;
        if (DOOR_PLANT(DOOR_PLANT_SERVE_EARLY)) {
                shell->head = b->head;
        }
        if (DOOR_PLANT(DOOR_PLANT_REFUSE_EARLY)) {
                plant_answer_early(shell);
        }
        step_wish(shell, DOOR_WISH_COMMIT)->commit = &b->commit;
        step_effects_plant(shell);
}

static void policy_refresh(door_shell *shell)
{
        door_policy_row row;
        door_view view;

        door_view_init(&view, &shell->store->state, &shell->scratch);
        const bool active = shell_state_policy(&view, &row);
        if (view.latch != DOOR_OK) {
                step_end(shell, DOOR_EXIT_RESTART, view.latch, "the state cannot be read");
                return;
        }
        if (active && row.seq != shell->policy_seq) {
                door_arena_reset(&shell->policy_arena);
                const door_status status =
                        shell->core->decode_policy(row.content, &shell->policy_arena, &shell->policy);
                if (status != DOOR_OK) {
                        step_end(shell, DOOR_EXIT_STAY_DOWN, status, "the active policy does not decode");
                        return;
                }
                shell->policy_seq = row.seq;
                memcpy(shell->policy_version, row.version.data, row.version.len);
                shell->policy_version[row.version.len] = '\0';
        }
        shell->counters.parked_now = shell_state_parked_count(&view);
        door_arena_reset(&shell->scratch);
}

/* A whole batch's worth of inputs decided with care and nobody died: trust returns. */
static void care_less(door_shell *shell)
{
        if (shell->careful && --shell->careful_left == 0) {
                shell->careful = false;
                shell->config.noted = DOOR_BYTES_EMPTY;
                step_wish(shell, DOOR_WISH_NOTE)->frame = DOOR_BYTES_EMPTY;
        }
}

/* The batch is durable (or needed no commit): now things may leave. */
static void batch_finished(door_shell *shell)
{
        step_batch *b = &shell->batch;

        shell->head = b->head;
        shell->head_hash = b->head_hash;
        if (b->records_count > 0) {
                shell->last_at_ms = b->at_ms;
        }
        memcpy(shell->others, b->others, sizeof shell->others);
        shell->others_count = b->others_count;
        shell->settled_seen = b->settled_seen;
        shell->counters.inputs += b->inputs;
        shell->counters.commands += b->answers_count;
        shell->counters.records += b->records_count;
        if (b->inputs > 0) {
                shell->counters.batches++;
                shell->turn++;
                care_less(shell);
                shell->wishes->again = true; /* More may have arrived meanwhile. */
        }
        step_upstream_committed(shell);
        step_effects_committed(shell);
        shell->counters.parked_now += (uint64_t)(int64_t)b->parked_change;
        if (b->closed) {
                policy_refresh(shell);
        }
        step_commands_answer(shell);
}

/* ---- happenings ---- */

static void clock_check(door_shell *shell)
{
        const door_now now = shell->now->now;
        const int64_t offset_ms = (int64_t)(now.wall_ms - now.mono_ms);

        if (shell->clock_known) {
                const int64_t drift_ms = offset_ms - shell->clock_offset_ms;
                if (drift_ms > DOOR_CLOCK_STEP_MS || drift_ms < -DOOR_CLOCK_STEP_MS) {
                        if (!shell->step_due) {
                                shell->step_from_ms = now.mono_ms + (uint64_t)shell->clock_offset_ms;
                        }
                        shell->step_due = true;
                        shell->step_to_ms = now.wall_ms;
                        shell->doubted_until_ms = now.mono_ms + DOOR_CLOCK_STEP_MS;
                        shell->counters.clock_steps++;
                        step_alert(shell, DOOR_INVALID, "the wall clock was stepped", 0, shell->head);
                }
        }
        shell->clock_known = true;
        shell->clock_offset_ms = offset_ms;
        if (now.mono_ms < shell->doubted_until_ms) {
                step_wake_by(shell, shell->doubted_until_ms);
        }
}

static void on_start(door_shell *shell)
{
        DOOR_REQUIRE(!shell->started);
        shell->started = true;
        shell->started_wall_ms = shell->now->now.wall_ms;
        if (shell->head > 0) {
                /* What the last record had seen of logs we do not read is where that stands. */
                door_record last;
                door_header header;
                size_t count = 0;
                if (shell->store->read(shell->store->context, shell->head - 1, 1, 1, DOOR_FORM_HEADERS,
                                       &shell->scratch, &last, &count) != DOOR_OK ||
                    count != 1 || door_header_decode(last.header, &shell->scratch, &header) != DOOR_OK) {
                        step_end(shell, DOOR_EXIT_RESTART, DOOR_CORRUPT, "the last record cannot be read");
                        return;
                }
                /* The store knows the cursors it found; only here is known that one is missing. Reading
                 * on from 0 would decide everything a second time. */
                for (size_t i = 0; i < shell->upstreams_count; i++) {
                        const door_cursor *cursor = &shell->upstreams[i].durable;
                        if (cursor->seq < door_header_seen(&header, cursor->log)) {
                                step_end(shell, DOOR_EXIT_STAY_DOWN, DOOR_CORRUPT,
                                         "a cursor is missing, or behind what the last record has seen");
                                return;
                        }
                }
                shell->settled_seen = door_header_seen(&header, STEP_LOG_SETTLED);
                shell->batch.others_count = 0;
                others_from(shell, &shell->batch, &header);
                memcpy(shell->others, shell->batch.others, sizeof shell->others);
                shell->others_count = shell->batch.others_count;
        }
        door_arena_reset(&shell->scratch);
        policy_refresh(shell);
        shell->wishes->again = true;
}

static size_t peer_find(const door_shell *shell, const char *name)
{
        for (size_t i = 0; i < shell->peers_count; i++) {
                if (strcmp(shell->peers[i].name, name) == 0) {
                        return i;
                }
        }
        return STEP_NONE;
}

static void on_frame(door_shell *shell)
{
        const door_happening *now = shell->now;

        shell->counters.frames_in++;
        if (now->channel == DOOR_CHANNEL_UPSTREAM) {
                DOOR_REQUIRE(now->upstream < shell->upstreams_count);
                step_upstream_frame(shell, now->upstream);
                return;
        }
        const size_t peer = peer_find(shell, now->peer);
        if (peer == STEP_NONE) {
                shell->counters.malformed++; /* Its key was taken off the list while it was connected. */
                return;
        }
        const Door__V1__Frame *frame = door_frame_unpack(now->frame, &shell->scratch);
        if (frame == NULL && now->channel == DOOR_CHANNEL_COMMAND) {
                step_commands_malformed(shell, peer);
        } else if (frame == NULL) {
                shell->counters.malformed++;
        } else if (now->channel == DOOR_CHANNEL_PULL) {
                step_serve_frame(shell, peer, frame);
        } else {
                step_commands_frame(shell, peer, frame);
        }
}

static void on_turn(door_shell *shell)
{
        clock_check(shell);
        step_commands_turn(shell);
        if (!shell->committing && !shell->stopping) {
                step_effects_turn(shell,
                                  &shell->store->state); /* Before the batch: what is read is durable. */
        }
        if (!shell->committing && !shell->stopping && !shell->ended) {
                batch_start(shell);
        }
        if (!shell->ended) {
                step_serve_turn(shell);
        }
        if (!shell->ended) {
                step_upstream_turn(shell);
                anchor_turn(shell);
        }
        if (shell->stopping && !shell->committing && !shell->ended) {
                wish_anchor(shell);
                step_end(shell, DOOR_EXIT_OK, DOOR_OK, "stopped");
        }
}

static void on_committed(door_shell *shell)
{
        DOOR_REQUIRE(shell->committing);
        shell->committing = false;
        shell->counters.commits++;
        shell->counters.empty_commits += shell->batch.records_count == 0 ? 1 : 0;
        if (shell->now->status != DOOR_OK && DOOR_PLANT(DOOR_PLANT_UNKNOWN_NO)) {
                for (size_t i = 0; i < shell->batch.answers_count; i++) {
                        shell->batch.answers[i].seq = 0;
                        shell->batch.answers[i].outcome = DOOR__V1__OUTCOME__REFUSED;
                }
                step_commands_answer(shell);
        }
        if (shell->now->status != DOOR_OK) {
                /* Failed, or unknown: either way nothing of it may be told to anybody. The next
                 * start looks at what the disk really holds. */
                const bool regressed = shell->now->status == DOOR_LOG_REGRESSED;
                step_end(shell, regressed ? DOOR_EXIT_STAY_DOWN : DOOR_EXIT_RESTART, shell->now->status,
                         "a commit failed");
                return;
        }
        batch_finished(shell);
        shell->wishes->again = true; /* The turn serves what is held, anchors, and works on. */
}

static void on_checkpoint(door_shell *shell)
{
        Door__V1__CheckpointMade out = DOOR__V1__CHECKPOINT_MADE__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;

        DOOR_REQUIRE(shell->checkpointing);
        shell->checkpointing = false;
        out.path = (char *)(uintptr_t)(shell->now->path == NULL ? "" : shell->now->path);
        out.head = shell->head;
        if (shell->now->status != DOOR_OK) {
                out.error = (char *)(uintptr_t)door_status_text(shell->now->status);
        }
        frame.checkpoint_made = &out;
        step_send(shell, DOOR_CHANNEL_COMMAND, shell->checkpoint_route, 0, &frame);
}

static void on_peers(door_shell *shell)
{
        /* What is held open, and commands, keep their peer by name; who is no longer there loses
         * both, and so does a consumer that may no longer read. */
        const door_peer *old = shell->peers;
        peer_standing standings[DOOR_PEERS_MAX];
        const size_t old_count = shell->peers_count;

        DOOR_REQUIRE(shell->now->peers_count <= DOOR_PEERS_MAX);
        memcpy(standings, shell->standings, sizeof standings);
        memset(shell->standings, 0, sizeof shell->standings);
        shell->peers = shell->now->peers;
        shell->peers_count = shell->now->peers_count;
        for (size_t i = 0; i < old_count; i++) {
                const size_t peer = peer_find(shell, old[i].name);
                if (peer != STEP_NONE && shell->peers[peer].may_read &&
                    shell->peers[peer].form >= standings[i].held.form) {
                        shell->standings[peer] = standings[i];
                }
        }
        for (size_t i = 0; i < 3; i++) {
                for (size_t at = shell->lanes[i].first; at != STEP_NONE;) {
                        const size_t next = shell->slots[at].next;
                        const size_t peer = peer_find(shell, old[shell->slots[at].peer].name);
                        if (peer != STEP_NONE) {
                                shell->slots[at].peer = peer;
                        } else if (!shell->slots[at].in_batch) {
                                step_commands_drop(shell, at);
                        }
                        at = next;
                }
        }
}

void door_shell_step(door_shell *shell, const door_happening *happening, door_wishes *ret_wishes)
{
        DOOR_REQUIRE(!shell->ended);
        DOOR_REQUIRE(shell->started || happening->kind == DOOR_HAPPENING_START);

        ret_wishes->count = 0;
        ret_wishes->again = false;
        ret_wishes->wake_mono_ms = UINT64_MAX;
        shell->wishes = ret_wishes;
        shell->now = happening;
        door_arena_reset(&shell->out);
        door_arena_reset(&shell->scratch);

        switch (happening->kind) {
        case DOOR_HAPPENING_START:
                on_start(shell);
                break;
        case DOOR_HAPPENING_FRAME:
                on_frame(shell);
                break;
        case DOOR_HAPPENING_TURN:
                on_turn(shell);
                break;
        case DOOR_HAPPENING_COMMITTED:
                on_committed(shell);
                break;
        case DOOR_HAPPENING_NOTED:
                shell->note_pending = false;
                shell->note_written = true;
                shell->wishes->again = true;
                break;
        case DOOR_HAPPENING_CHECKPOINT:
                on_checkpoint(shell);
                break;
        case DOOR_HAPPENING_EFFECT:
                step_effects_ended(shell);
                break;
        case DOOR_HAPPENING_PEERS:
                on_peers(shell);
                break;
        case DOOR_HAPPENING_STOP:
                shell->stopping = true;
                shell->wishes->again = true;
                break;
        }
        shell->wishes = NULL;
        shell->now = NULL;
}
