#include "sim/toy_core.h"

#include <string.h>

enum { TABLE_TOTAL = 1, TABLE_DUE = 2, TABLE_SEEN = 3, TABLE_COUNT = 4, TABLE_EFFECT = 5, TABLE_WANTED = 6 };

typedef struct toy_body {
        uint8_t subject;
        uint32_t value;
        uint32_t total;
        uint64_t origin; /* Seq of the ADDED in log 1; the due time for TALLY_DUE. */
        door_id id;
        uint64_t due_ms;
        uint8_t count; /* Commands: how many events. */
        uint32_t pad;  /* Bytes of padding in the private payload. */
} toy_body;

/* The harness is single-threaded and runs one simulation at a time. */
static toy_world *world;

void toy_enter(toy_world *entered)
{
        world = entered;
}

bool toy_is_poison(uint32_t value)
{
        return value % 101 == 66;
}

bool toy_is_killer(uint32_t value)
{
        return value % 211 == 77;
}

bool toy_is_refused(uint32_t value)
{
        return value % 17 == 13;
}

bool toy_has_effect(uint32_t value)
{
        return value % 4 == 1;
}

static bool is_newer(uint32_t value)
{
        return value % 19 == 11;
}

/* ---- codec ---- */

static door_status encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                          door_bytes *ret_private)
{
        const toy_body *body = event->body;
        uint8_t *bytes = door_arena_take(arena, TOY_PAYLOAD_BYTES + body->pad);

        if (bytes == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_writer w = door_writer_on(bytes, TOY_PAYLOAD_BYTES);
        door_write_u8(&w, 'T');
        door_write_u8(&w, body->subject);
        door_write_u32(&w, body->value);
        door_write_u32(&w, body->total);
        door_write_u64(&w, body->origin);
        door_write(&w, door_id_bytes(&body->id));
        door_write_u64(&w, body->due_ms);
        door_write_u8(&w, 0);
        *ret_public = door_written(&w);
        if (body->pad > 0) {
                memset(bytes + TOY_PAYLOAD_BYTES, 'p', body->pad);
                *ret_private = (door_bytes){ bytes + TOY_PAYLOAD_BYTES, body->pad };
        }
        return DOOR_OK;
}

static door_status decode(door_bytes payload, door_arena *arena, const void **ret_body)
{
        toy_body *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (payload.len > 0) { /* A log read by its headers has none. */
                door_cursor_in r = door_reading(payload);
                if (door_read_u8(&r) != 'T') {
                        return DOOR_MALFORMED;
                }
                body->subject = door_read_u8(&r);
                body->value = door_read_u32(&r);
                body->total = door_read_u32(&r);
                body->origin = door_read_u64(&r);
                if (!door_id_from_bytes(door_read(&r, DOOR_ID_BYTES), &body->id)) {
                        return DOOR_MALFORMED;
                }
                body->due_ms = door_read_u64(&r);
                (void)door_read_u8(&r);
                if (!door_read_done(&r)) {
                        return DOOR_MALFORMED;
                }
        }
        *ret_body = body;
        return DOOR_OK;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)version;
        const door_status status = decode(payload, arena, ret_body);
        if (status != DOOR_OK) {
                return status;
        }
        const toy_body *body = *ret_body;
        if (log == 1 && type == TOY_ADDED && toy_is_poison(body->value) && !world->fixed) {
                return DOOR_MALFORMED;
        }
        return DOOR_OK;
}

static door_status decode_command(uint32_t type, door_bytes bytes, door_arena *arena, const void **ret_body)
{
        toy_body *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (type != TOY_COMMAND_ADD || bytes.len != TOY_COMMAND_BYTES) {
                return DOOR_MALFORMED;
        }
        door_cursor_in r = door_reading(bytes);
        body->subject = door_read_u8(&r);
        body->value = door_read_u32(&r);
        body->pad = door_read_u32(&r);
        body->count = door_read_u8(&r);
        *ret_body = body;
        return DOOR_OK;
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        (void)type;
        (void)version;
        (void)private_payload;
        return decode(public_payload, arena, ret_body);
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        const door_bytes copy = door_arena_copy(arena, content);
        if (content.len == 0 || content.data[0] != 'P') {
                return DOOR_MALFORMED;
        }
        *ret_policy = copy.data;
        return copy.data == NULL ? DOOR_NO_MEMORY : DOOR_OK;
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        const toy_body *body = event->body;
        uint8_t *bytes = door_arena_take(arena, DOOR_ID_BYTES + 8);
        if (bytes == NULL) {
                return DOOR_NO_MEMORY;
        }
        memcpy(bytes, body->id.bytes, DOOR_ID_BYTES);
        door_put_u64(bytes + DOOR_ID_BYTES,
                     event->seq + (world->plant == TOY_ANSWER_DRIFTS ? world->calls++ % 5 : 0));
        *ret_body = (door_bytes){ bytes, DOOR_ID_BYTES + 8 };
        return DOOR_OK;
}

/* ---- brain ---- */

static door_bytes key_u64(uint8_t *storage, uint8_t table, uint64_t number)
{
        storage[0] = table;
        door_put_u64(storage + 1, number);
        return (door_bytes){ storage, 9 };
}

static door_bytes key_due(uint8_t *storage, uint64_t due_ms, uint64_t seq)
{
        storage[0] = TABLE_DUE;
        door_put_u64(storage + 1, due_ms);
        door_put_u64(storage + 9, seq);
        return (door_bytes){ storage, 17 };
}

static uint32_t total_of(door_view *view, uint8_t subject)
{
        uint8_t storage[9];
        door_bytes value;
        return door_view_get(view, key_u64(storage, TABLE_TOTAL, subject), &value) ? door_get_u32(value.data)
                                                                                   : 0;
}

static toy_body *emit(door_out *out, uint32_t type, const toy_body *like)
{
        toy_body *body = door_arena_take_zeroed(out->arena, 1, sizeof *body);
        if (body != NULL) {
                *body = *like;
                body->pad = 0;
        }
        door_event *event = door_out_event(out, type, body);
        if (event != NULL) {
                door_id subject = { { like->subject } };
                door_id neighbours = { { (uint8_t)(like->subject / 4) } };
                door_event_subject(event, DOOR_ID_FAMILY, &subject);
                door_event_subject(event, DOOR_ID_HOUSEHOLD, &neighbours);
        }
        return event == NULL ? NULL : body;
}

static void decide_add(const void *policy, const door_input *input, door_out *out)
{
        const toy_body *asked = input->body;

        if (policy == NULL) {
                out->retry = 8; /* RETRY_NOT_READY */
                return;
        }
        if (toy_is_refused(asked->value)) {
                door_out_refuse(out, TOY_REASON_UNLUCKY, "/value", "an unlucky value");
                return;
        }
        if (asked->count > 80) {
                /* More than may be: the latch is set and the shell refuses TOO_LARGE. */
                for (uint32_t i = 0; i < asked->count; i++) {
                        (void)emit(out, TOY_ADDED, asked);
                }
                return;
        }
        for (uint32_t i = 0; i <= asked->value % 3; i++) {
                toy_body *body = emit(out, TOY_ADDED, asked);
                if (body != NULL) {
                        body->id = door_id_make(input->random, DOOR_ID_REFERRAL, i);
                        body->value = asked->value + i;
                        body->pad = asked->pad;
                }
        }
        if (is_newer(asked->value)) {
                (void)emit(out, TOY_NEWER, asked);
        }
}

static void decide_tick(door_view *view, const door_input *input, door_out *out)
{
        static const uint8_t prefix[] = { TABLE_DUE };
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_scan_init(&scan, view, (door_bytes){ prefix, 1 }, DOOR_BYTES_EMPTY, 16);
        while (door_scan_next(&scan, &key, &value)) {
                if (door_get_u64(key.data + 1) > input->now_ms) {
                        return;
                }
                const toy_body like = { .subject = value.data[0],
                                        .due_ms = door_get_u64(key.data + 1),
                                        .origin = door_get_u64(key.data + 9) };
                (void)emit(out, TOY_TALLY_DUE, &like);
        }
}

static void middle_decide(door_view *view, const door_input *input, door_out *out)
{
        const toy_body *body = input->body;

        if (input->kind == DOOR_INPUT_TICK) {
                decide_tick(view, input, out);
        } else if (input->kind == DOOR_INPUT_COMMAND || input->type == TOY_ECHOED) {
                toy_body *noted = emit(out, TOY_NOTED, body);
                if (noted != NULL) {
                        noted->id = door_id_make(input->random, DOOR_ID_PERSON, 0);
                }
        } else if (body->value % 3 != 0) {
                if (world->plant == TOY_SKIPS && world->calls++ % 11 == 7) {
                        return;
                }
                toy_body *tally = emit(out, TOY_TALLIED, body);
                if (tally != NULL) {
                        tally->total = total_of(view, body->subject) + 1;
                        tally->origin = input->cause.seq;
                        tally->id = door_id_make(input->random, DOOR_ID_PERSON, 0);
                        tally->due_ms = input->now_ms + TOY_DUE_MS;
                }
        }
}

static void peer_decide(door_view *view, const door_input *input, door_out *out)
{
        const toy_body *body = input->body;
        uint8_t storage[9];

        if (input->cause.log == 1) {
                (void)emit(out, TOY_SAW, body);
        } else if (input->type == TOY_NOTED) {
                if (world->plant == TOY_ECHOES) {
                        (void)emit(out, TOY_ECHOED, body);
                }
        } else if (!door_view_has(view, key_u64(storage, TABLE_SEEN, body->origin))) {
                (void)emit(out, TOY_ORPHAN, body);
        } else if (body->total % 2 == 0) {
                (void)emit(out, TOY_ECHOED, body);
        }
}

/* EFFECT: id to attempts so far and due time; WANTED: due time and id, to go through them in order. */
static door_bytes key_effect(uint8_t *storage, const door_id *id)
{
        storage[0] = TABLE_EFFECT;
        memcpy(storage + 1, id->bytes, DOOR_ID_BYTES);
        return (door_bytes){ storage, 1 + DOOR_ID_BYTES };
}

static door_bytes key_wanted(uint8_t *storage, uint64_t due_ms, const door_id *id)
{
        storage[0] = TABLE_WANTED;
        door_put_u64(storage + 1, due_ms);
        memcpy(storage + 9, id->bytes, DOOR_ID_BYTES);
        return (door_bytes){ storage, 9 + DOOR_ID_BYTES };
}

static void effect_put(door_view *view, const door_id *id, uint32_t attempts, uint64_t due_ms)
{
        uint8_t storage[1 + DOOR_ID_BYTES];
        uint8_t wanted[9 + DOOR_ID_BYTES];
        uint8_t value[12];

        door_put_u32(value, attempts);
        door_put_u64(value + 4, due_ms);
        door_view_put(view, key_effect(storage, id), (door_bytes){ value, sizeof value });
        door_view_put(view, key_wanted(wanted, due_ms, id), DOOR_BYTES_EMPTY);
}

static bool effect_get(door_view *view, const door_id *id, uint32_t *ret_attempts, uint64_t *ret_due_ms)
{
        uint8_t storage[1 + DOOR_ID_BYTES];
        door_bytes value;

        if (!door_view_get(view, key_effect(storage, id), &value)) {
                return false;
        }
        *ret_attempts = door_get_u32(value.data);
        *ret_due_ms = door_get_u64(value.data + 4);
        return true;
}

static void effect_delete(door_view *view, const door_id *id)
{
        uint8_t storage[9 + DOOR_ID_BYTES];
        uint32_t attempts = 0;
        uint64_t due_ms = 0;

        DOOR_REQUIRE(effect_get(view, id, &attempts, &due_ms) || view->latch != DOOR_OK);
        door_view_delete(view, key_wanted(storage, due_ms, id));
        door_view_delete(view, key_effect(storage, id));
}

static bool far_next_effect(door_view *view, const void *policy, uint64_t now_ms, const door_id *busy,
                            size_t busy_count, door_arena *arena, door_effect *ret_effect)
{
        static const uint8_t prefix[] = { TABLE_WANTED };
        door_scan scan;
        door_bytes key;
        door_bytes value;

        (void)policy;
        door_scan_init(&scan, view, (door_bytes){ prefix, 1 }, DOOR_BYTES_EMPTY, busy_count + 1);
        while (door_scan_next(&scan, &key, &value)) {
                door_effect effect = { .due_ms = door_get_u64(key.data + 1) };
                uint32_t attempts = 0;
                uint64_t due_ms = 0;
                size_t at = 0;
                memcpy(effect.key.bytes, key.data + 9, DOOR_ID_BYTES);
                while (at < busy_count && !door_id_equal(&busy[at], &effect.key)) {
                        at++;
                }
                if (at < busy_count) {
                        continue;
                }
                (void)effect_get(view, &effect.key, &attempts, &due_ms);
                effect.attempt = attempts + 1;
                if (effect.due_ms <= now_ms) {
                        effect.frame = door_arena_copy(arena, door_id_bytes(&effect.key));
                }
                *ret_effect = effect;
                return true;
        }
        return false;
}

static void outcome_decide(door_view *view, const door_input *input, door_out *out)
{
        const door_outcome *outcome = input->body;
        toy_body like = { .id = outcome->key, .total = outcome->attempt, .value = outcome->code };
        uint32_t attempts = 0;
        uint64_t due_ms = 0;

        if (!effect_get(view, &outcome->key, &attempts, &due_ms)) {
                return;
        }
        if (outcome->code != 0 && outcome->attempt < TOY_TRIES_MAX) {
                like.due_ms = input->now_ms + TOY_TRY_AGAIN_MS;
                (void)emit(out, TOY_TRIED, &like);
                return;
        }
        if (outcome->code != 0) {
                out->alert = "an effect was given up";
        }
        (void)emit(out, TOY_PERFORMED, &like);
}

static void far_decide(door_view *view, const door_input *input, door_out *out)
{
        if (input->kind == DOOR_INPUT_OUTCOME) {
                outcome_decide(view, input, out);
                return;
        }
        toy_body *watched = emit(out, TOY_WATCHED, input->body);
        if (watched != NULL) {
                watched->id = door_id_make(input->random, DOOR_ID_DELIVERY, 0);
        }
}

static void toy_decide(uint32_t log, door_view *view, const void *policy, const door_input *input,
                       door_out *out)
{
        const toy_body *body = input->kind == DOOR_INPUT_OUTCOME ? NULL : input->body;

        if (body != NULL && toy_is_killer(body->value) && !world->fixed && log == 2 &&
            input->type == TOY_ADDED) {
                world->aborted = true;
        }
        switch (log) {
        case 1:
                decide_add(policy, input, out);
                break;
        case 2:
                middle_decide(view, input, out);
                break;
        case 3:
                peer_decide(view, input, out);
                break;
        case 5:
                far_decide(view, input, out);
                break;
        default:
                (void)emit(out, TOY_WATCHED, body);
                break;
        }
}

static void count_add(door_view *view, uint32_t type)
{
        uint8_t storage[9];
        uint8_t count[8];
        door_bytes value;
        const door_bytes key = key_u64(storage, TABLE_COUNT, type);
        const uint64_t before = door_view_get(view, key, &value) ? door_get_u64(value.data) : 0;

        door_put_u64(count, before + 1 + (world->plant == TOY_DRIFTS && world->calls++ % 13 == 5 ? 1 : 0));
        door_view_put(view, key, (door_bytes){ count, 8 });
}

static void toy_apply(door_view *view, const door_event *event)
{
        const toy_body *body = event->body;
        uint8_t storage[17];
        uint8_t number[4];

        count_add(view, event->type);
        if (event->type == TOY_TALLIED) {
                door_put_u32(number, body->total);
                door_view_put(view, key_u64(storage, TABLE_TOTAL, body->subject), (door_bytes){ number, 4 });
                if (world->plant != TOY_LOSES_TICKS || event->seq % 7 != 3) {
                        door_view_put(view, key_due(storage, body->due_ms, event->seq),
                                      (door_bytes){ &body->subject, 1 });
                }
        } else if (event->type == TOY_TALLY_DUE) {
                door_view_delete(view, key_due(storage, body->due_ms, body->origin));
        } else if (event->type == TOY_SAW) {
                door_view_put(view, key_u64(storage, TABLE_SEEN, event->cause.seq), DOOR_BYTES_EMPTY);
        }
}

static uint64_t middle_deadline(door_view *view)
{
        static const uint8_t prefix[] = { TABLE_DUE };
        door_scan scan;
        door_bytes key;
        door_bytes value;

        door_scan_init(&scan, view, (door_bytes){ prefix, 1 }, DOOR_BYTES_EMPTY, 1);
        return door_scan_next(&scan, &key, &value) ? door_get_u64(key.data + 1) : 0;
}

static uint64_t no_deadline(door_view *view)
{
        (void)view;
        return 0;
}

#define TOY_DECIDE(n)                                                                                        \
        static void decide_##n(door_view *view, const void *policy, const door_input *input, door_out *out)  \
        {                                                                                                    \
                toy_decide(n, view, policy, input, out);                                                     \
        }
TOY_DECIDE(1)
TOY_DECIDE(2)
TOY_DECIDE(3)
TOY_DECIDE(4)
TOY_DECIDE(5)

/* What the others fold, and its effects. */
static void far_apply(door_view *view, const door_event *event)
{
        const toy_body *body = event->body;

        toy_apply(view, event);
        if (event->type == TOY_WATCHED && toy_has_effect(body->value)) {
                effect_put(view, &body->id, 0, 0);
        } else if (event->type == TOY_TRIED) {
                effect_delete(view, &body->id);
                effect_put(view, &body->id, body->total, body->due_ms);
        } else if (event->type == TOY_PERFORMED) {
                effect_delete(view, &body->id);
        }
}

static const door_consumed middle_consumes[] = { { 1, TOY_ADDED }, { 3, TOY_ECHOED } };
static const door_consumed middle_knows[] = { { 1, TOY_NEWER }, { 3, TOY_SAW }, { 3, TOY_ORPHAN } };
static const door_consumed peer_consumes[] = { { 1, TOY_ADDED }, { 2, TOY_TALLIED }, { 2, TOY_NOTED } };
static const door_consumed peer_knows[] = { { 1, TOY_NEWER }, { 2, TOY_TALLY_DUE } };
static const door_consumed watcher_consumes[] = {
        { 1, TOY_ADDED }, { 2, TOY_TALLIED }, { 3, TOY_ECHOED }, { 1, TOY_NEWER } /* the older has no NEWER */
};
static const door_consumed watcher_knows[] = {
        { 2, TOY_TALLY_DUE }, { 2, TOY_NOTED }, { 3, TOY_SAW }, { 3, TOY_ORPHAN }
};

static const door_consumed far_consumes[] = { { 4, TOY_WATCHED } };

#define TOY_OPS(n, label, eats, n_eats, knowing, n_knowing, deadline)                                        \
        {                                                                                                    \
                .name = (label), .log = (n), .consumes = (eats), .consumes_count = (n_eats),                 \
                .knows = (knowing), .knows_count = (n_knowing), .decode_input = decode_input,                \
                .decode_command = decode_command, .encode_event = encode, .decode_event = decode_event,      \
                .decode_policy = decode_policy, .encode_answer = encode_answer, .decide = decide_##n,        \
                .apply = toy_apply, .next_deadline = (deadline),                                             \
        }

const door_core_ops *toy_ops(uint32_t log)
{
        static const door_core_ops ops[] = {
                TOY_OPS(1, "source", NULL, 0, NULL, 0, no_deadline),
                TOY_OPS(2, "middle", middle_consumes, 2, middle_knows, 3, middle_deadline),
                TOY_OPS(3, "peer", peer_consumes, 3, peer_knows, 2, no_deadline),
                TOY_OPS(4, "watcher", watcher_consumes, 4, watcher_knows, 4, no_deadline),
        };
        static door_core_ops far = TOY_OPS(5, "far", far_consumes, 1, NULL, 0, no_deadline);
        DOOR_REQUIRE(log >= 1 && log <= 5);
        far.apply = far_apply;
        far.next_effect = far_next_effect;
        return log == 5 ? &far : &ops[log - 1];
}

const door_core_ops *toy_ops_older(void)
{
        static const door_core_ops ops =
                TOY_OPS(4, "watcher", watcher_consumes, 3, watcher_knows, 4, no_deadline);
        return &ops;
}

/* ---- the view */

static door_status view_decode_command(uint32_t type, door_bytes bytes, door_arena *arena,
                                       const void **ret_body)
{
        uint32_t *padding = door_arena_take(arena, sizeof *padding);

        if (padding == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (type != TOY_QUERY_COUNT || bytes.len != TOY_QUERY_BYTES) {
                return DOOR_MALFORMED;
        }
        *padding = door_get_u32(bytes.data);
        *ret_body = padding;
        return DOOR_OK;
}

static void view_project(door_view *view, const door_input *input)
{
        count_add(view, input->type);
}

static door_status view_query(door_view *view, uint32_t type, const void *body, door_arena *arena,
                              door_bytes *ret_answer)
{
        const uint32_t *padding = body;
        uint8_t storage[9];
        door_bytes value;
        uint8_t *answer = door_arena_take_zeroed(arena, 8 + *padding, 1);

        (void)type;
        if (answer == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_put_u64(answer, door_view_get(view, key_u64(storage, TABLE_COUNT, TOY_ADDED), &value)
                                     ? door_get_u64(value.data)
                                     : 0);
        *ret_answer = (door_bytes){ answer, 8 + *padding };
        return DOOR_OK;
}

const door_core_ops *toy_ops_view(void)
{
        static const door_core_ops ops = { .name = "view",
                                           .log = 6,
                                           .consumes = middle_consumes,
                                           .consumes_count = 1,
                                           .knows = middle_knows,
                                           .knows_count = 3,
                                           .decode_input = decode_input,
                                           .decode_command = view_decode_command,
                                           .encode_event = encode,
                                           .decode_event = decode_event,
                                           .decode_policy = decode_policy,
                                           .encode_answer = encode_answer,
                                           .apply = toy_apply,
                                           .next_deadline = no_deadline,
                                           .project = view_project,
                                           .query = view_query };
        return &ops;
}
