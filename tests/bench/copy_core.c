#include "bench/copy_core.h"

#include "intake/intake_core.h"

/* A thing copied: its first ten bytes name it, as a referral's id does. */
typedef struct copied {
        door_id id;
        door_bytes bytes;
        bool is_new; /* Made from a command: the id is not in the bytes yet. */
} copied;

static door_status decode(door_bytes bytes, door_arena *arena, bool is_new, const void **ret_body)
{
        copied *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        const door_bytes copy = door_arena_copy(arena, bytes);

        if (body == NULL || (bytes.len > 0 && copy.len == 0)) {
                return DOOR_NO_MEMORY;
        }
        body->bytes = copy;
        body->is_new = is_new;
        if (!is_new && !door_id_from_bytes((door_bytes){ copy.data, DOOR_ID_BYTES }, &body->id)) {
                return DOOR_MALFORMED;
        }
        *ret_body = body;
        return DOOR_OK;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)log;
        (void)type;
        (void)version;
        return payload.len < DOOR_ID_BYTES ? DOOR_MALFORMED : decode(payload, arena, false, ret_body);
}

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        return type != INTAKE_SUBMIT ? DOOR_MALFORMED : decode(body, arena, true, ret_body);
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        (void)type;
        (void)version;
        (void)private_payload;
        return public_payload.len < DOOR_ID_BYTES ? DOOR_MALFORMED
                                                  : decode(public_payload, arena, false, ret_body);
}

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        const copied *body = event->body;
        const size_t len = body->bytes.len + (body->is_new ? DOOR_ID_BYTES : 0);
        uint8_t *bytes = door_arena_take(arena, len);

        if (bytes == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_writer w = door_writer_on(bytes, len);
        if (body->is_new) {
                door_write(&w, door_id_bytes(&body->id));
        }
        door_write(&w, body->bytes);
        *ret_public = door_written(&w);
        *ret_private = body->bytes;
        return DOOR_OK;
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        (void)content;
        (void)arena;
        *ret_policy = "";
        return DOOR_OK;
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        const copied *body = event->body;
        *ret_body = door_arena_copy(arena, door_id_bytes(&body->id));
        return ret_body->len == 0 ? DOOR_NO_MEMORY : DOOR_OK;
}

static void decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        const copied *asked = input->body;
        copied *body = door_arena_take(out->arena, sizeof *body);

        (void)view;
        (void)policy;
        if (body != NULL) {
                *body = *asked;
                if (body->is_new) {
                        body->id = door_id_make(input->random, DOOR_ID_REFERRAL, 0);
                }
        }
        door_event *event = door_out_event(out, COPY_COPIED, body);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_REFERRAL, &body->id);
        }
}

static void apply(door_view *view, const door_event *event)
{
        const copied *body = event->body;
        uint8_t key[1 + DOOR_ID_BYTES];
        door_writer w = door_writer_on(key, sizeof key);

        door_write_u8(&w, 1);
        door_write(&w, door_id_bytes(&body->id));
        door_view_put(view, door_written(&w), door_id_bytes(&body->id));
}

static uint64_t next_deadline(door_view *view)
{
        (void)view;
        return 0;
}

/* Each place copies what the one before it logged; the first, what it is sent. */
#define COPY_OPS(place, label, heard, heard_count)                                                           \
        {                                                                                                    \
                .name = (label), .log = (place), .consumes = (heard), .consumes_count = (heard_count),       \
                .decode_input = decode_input, .decode_command = decode_command,                              \
                .encode_event = encode_event, .decode_event = decode_event, .decode_policy = decode_policy,  \
                .encode_answer = encode_answer, .decide = decide, .apply = apply,                            \
                .next_deadline = next_deadline,                                                              \
        }

const door_core_ops *copy_ops(uint32_t place)
{
        static const door_consumed hears[] = {
                { 1, COPY_COPIED }, { 2, COPY_COPIED }, { 3, COPY_COPIED }, { 4, COPY_COPIED }
        };
        static const door_core_ops ops[COPY_PLACES] = {
                COPY_OPS(1, "intake", NULL, 0),
                COPY_OPS(2, "deduplication", &hears[0], 1),
                COPY_OPS(3, "triage", &hears[1], 1),
                COPY_OPS(4, "allocation", &hears[2], 1),
                COPY_OPS(5, "notification", &hears[3], 1),
        };
        return &ops[place - 1];
}
