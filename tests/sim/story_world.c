#include "sim/story_world.h"

#include <stdlib.h>
#include <string.h>

#include "deduplication/dedup_codec.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/frame.h"

enum { PEERS = 5 };

static const door_upstream upstream_intake = { 1, "intake", DOOR_FORM_PUBLIC };

/* ---- what is told ---- */

/* What a payload is, by log and type; NULL: told as bytes. */
static const ProtobufCMessageDescriptor *payload_type(size_t at, uint32_t type, bool private_payload)
{
        static const struct {
                uint32_t type;
                const ProtobufCMessageDescriptor *public_type;
                const ProtobufCMessageDescriptor *private_type;
        } types[PLACES][7] = {
                { { INTAKE_REFERRAL_RECEIVED, &door__v1__referral_received__descriptor,
                    &door__v1__referral_content__descriptor },
                  { INTAKE_REFERRAL_REPEATED, &door__v1__referral_repeated__descriptor, NULL },
                  { INTAKE_ATTEMPT_REFUSED, &door__v1__attempt_refused__descriptor,
                    &door__v1__referral_content__descriptor },
                  { INTAKE_WITHDRAW_ASKED, &door__v1__withdraw_asked__descriptor,
                    &door__v1__withdraw_reason__descriptor },
                  { INTAKE_AMEND_ASKED, &door__v1__amend_asked__descriptor,
                    &door__v1__referral_content__descriptor },
                  { INTAKE_DISCLOSED, &door__v1__disclosed__descriptor,
                    &door__v1__referral_content__descriptor } },
                { { DEDUP_REFERRAL_MATCHED, &door__v1__referral_matched__descriptor,
                    &door__v1__matched_private__descriptor } },
        };

        if (type == DOOR__V1__SHELL_TYPE__SHELL_COMMAND_REFUSED) {
                return private_payload ? NULL : &door__v1__command_refused__descriptor;
        }
        for (size_t i = 0; i < sizeof types[at] / sizeof types[at][0]; i++) {
                if (types[at][i].type == type) {
                        return private_payload ? types[at][i].private_type : types[at][i].public_type;
                }
        }
        return NULL;
}

static void message_tell(story *s, FILE *out, const ProtobufCMessageDescriptor *type, door_bytes bytes)
{
        ProtobufCAllocator allocator = door_proto_allocator(&s->arena);
        ProtobufCMessage *message =
                type == NULL ? NULL : protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.data);

        if (message == NULL) {
                (void)fprintf(out, "%zu bytes", bytes.len);
        } else {
                story_message_print(out, &s->ids, message);
        }
}

static void payload_tell(story *s, FILE *out, size_t at, const door_header *header, bool private_payload,
                         door_bytes salted)
{
        door_bytes payload;
        const bool there = private_payload ? header->has_private : header->has_public;

        if (!there) {
                return;
        }
        DOOR_REQUIRE(door_payload_open(
                salted, private_payload ? &header->private_digest : &header->public_digest, &payload));
        (void)fprintf(out, "\n    %s: ", private_payload ? "private" : "public");
        message_tell(s, out, payload_type(at, header->type, private_payload), payload);
}

static void record_print(story *s, FILE *out, size_t at, const door_record *record)
{
        door_header header;

        DOOR_REQUIRE(door_header_decode(record->header, &s->arena, &header) == DOOR_OK);
        (void)fprintf(out, "  %s %llu: type %u v%u flags %u", s->places[at].core->name,
                      (unsigned long long)record->seq, header.type, header.version, header.flags);
        if (header.cause.log != 0) {
                (void)fprintf(out, " cause %u/%llu", header.cause.log, (unsigned long long)header.cause.seq);
        }
        (void)fprintf(out, " hops %u index %u about", header.hops, header.index);
        for (uint32_t i = 0; i < header.subjects_count; i++) {
                (void)fprintf(out, " %c#%zu", (char)header.subjects[i].kind,
                              story_id(&s->ids, header.subjects[i].id.bytes));
        }
        payload_tell(s, out, at, &header, false, record->public_payload);
        payload_tell(s, out, at, &header, true, record->private_payload);
        (void)fprintf(out, "\n");
}

/* One line: what became of the referral, and eight digits that change with any other word of it. */
static void record_tell_brief(story *s, size_t at, const door_record *record)
{
        char *text = NULL;
        size_t len = 0;
        FILE *whole = open_memstream(&text, &len);
        door_header header;
        door_bytes payload = DOOR_BYTES_EMPTY;
        ProtobufCAllocator allocator = door_proto_allocator(&s->arena);

        DOOR_REQUIRE(whole != NULL);
        record_print(s, whole, at, record);
        DOOR_REQUIRE(fclose(whole) == 0);
        const door_hash digest = door_hash_of_one((door_bytes){ (const uint8_t *)text, len });
        free(text);
        DOOR_REQUIRE(door_header_decode(record->header, &s->arena, &header) == DOOR_OK);
        (void)fprintf(s->out, "  %s %llu", s->places[at].core->name, (unsigned long long)record->seq);
        if (at == DEDUPLICATION && header.type == DEDUP_REFERRAL_MATCHED) {
                DOOR_REQUIRE(door_payload_open(record->public_payload, &header.public_digest, &payload));
                const Door__V1__ReferralMatched *m =
                        door__v1__referral_matched__unpack(&allocator, payload.len, payload.data);
                DOOR_REQUIRE(m != NULL);
                (void)fprintf(s->out, " %s #%zu score %d margin %d candidates %zu doubts %zu",
                              protobuf_c_enum_descriptor_get_value(&door__v1__decision__descriptor,
                                                                   (int)m->decision)
                                      ->name,
                              story_id(&s->ids, m->family.data), m->score, m->margin, m->n_candidate,
                              m->n_doubt);
        }
        (void)fprintf(s->out, " [%02x%02x%02x%02x]\n", digest.bytes[0], digest.bytes[1], digest.bytes[2],
                      digest.bytes[3]);
}

static void records_tell(story *s)
{
        for (size_t at = 0; at < PLACES; at++) {
                place *p = &s->places[at];
                while (p->told < sim_store_durable_head(p->store)) {
                        const door_record *record = sim_store_durable_record(p->store, ++p->told);
                        if (s->brief) {
                                record_tell_brief(s, at, record);
                        } else {
                                record_print(s, s->out, at, record);
                        }
                }
        }
}

static void result_tell(story *s, const Door__V1__Result *result)
{
        static const ProtobufCMessageDescriptor *const answers[] = { &door__v1__receipt__descriptor,
                                                                     &door__v1__fetched__descriptor };

        if (s->brief && result->outcome == DOOR__V1__OUTCOME__DONE) {
                return;
        }
        (void)fprintf(
                s->out, "  answer: %s%s",
                protobuf_c_enum_descriptor_get_value(&door__v1__outcome__descriptor, (int)result->outcome)
                        ->name,
                result->repeated ? " again" : "");
        if (result->has_reason || result->detail != NULL) {
                (void)fprintf(s->out, " %u %s: %s", result->reason,
                              result->field == NULL ? "" : result->field,
                              result->detail == NULL ? "" : result->detail);
        }
        for (size_t i = 0; i < result->n_seen; i++) {
                (void)fprintf(s->out, " seen %u/%llu", result->seen[i]->log,
                              (unsigned long long)result->seen[i]->seq);
        }
        if (result->has_body) {
                const door_bytes body = door_proto_bytes(result->body);
                ProtobufCAllocator allocator = door_proto_allocator(&s->arena);
                /* Fetched has a second required field; a receipt never passes for one. */
                const bool fetched =
                        protobuf_c_message_unpack(answers[1], &allocator, body.len, body.data) != NULL;
                (void)fprintf(s->out, "\n    ");
                message_tell(s, s->out, answers[fetched ? 1 : 0], body);
        }
        (void)fprintf(s->out, "\n");
}

/* ---- a perfect world ---- */

static void frame_put(story *s, size_t to, door_channel channel, const char *peer, door_bytes bytes)
{
        DOOR_REQUIRE(s->frames_count < FRAMES_MAX && strlen(peer) < NAME_BYTES_MAX);
        frame_under_way *f = &s->frames[s->frames_count++];

        *f = (frame_under_way){ .to = to, .channel = channel, .bytes = malloc(bytes.len), .len = bytes.len };
        DOOR_REQUIRE(f->bytes != NULL);
        memcpy(f->bytes, bytes.data, bytes.len);
        strcpy(f->peer, peer);
}

static void wish_send(story *s, size_t from, const door_wish *wish)
{
        if (wish->channel == DOOR_CHANNEL_UPSTREAM) {
                frame_put(s, INTAKE, DOOR_CHANNEL_PULL, s->places[from].core->name, wish->frame);
        } else if (wish->channel == DOOR_CHANNEL_PULL) {
                frame_put(s, DEDUPLICATION, DOOR_CHANNEL_UPSTREAM, "", wish->frame);
        } else {
                frame_put(s, PLACES, DOOR_CHANNEL_COMMAND, "", wish->frame);
        }
}

static void step(story *s, size_t at, door_happening *h)
{
        place *p = &s->places[at];
        const door_commit *commit = NULL;

        h->now = (door_now){ .wall_ms = s->now_ms, .mono_ms = s->now_ms };
        sim_rng_fill(&s->rng, h->random, sizeof h->random);
        door_shell_step(p->shell, h, &s->wishes);
        p->turn = s->wishes.again || h->kind == DOOR_HAPPENING_FRAME;
        for (size_t i = 0; i < s->wishes.count; i++) {
                const door_wish *wish = &s->wishes.items[i];
                switch (wish->kind) {
                case DOOR_WISH_SEND:
                        wish_send(s, at, wish);
                        break;
                case DOOR_WISH_COMMIT:
                        commit = wish->commit;
                        break;
                case DOOR_WISH_ALERT:
                case DOOR_WISH_END:
                        (void)fprintf(s->out, "  %s: %s\n", p->core->name, wish->text);
                        s->failed |= wish->kind == DOOR_WISH_END;
                        break;
                case DOOR_WISH_RECONNECT:
                case DOOR_WISH_NOTE:
                case DOOR_WISH_ANCHOR:
                case DOOR_WISH_CHECKPOINT:
                case DOOR_WISH_EFFECT:
                        break;
                }
        }
        if (commit != NULL) {
                door_happening done = { .kind = DOOR_HAPPENING_COMMITTED };
                done.status = p->port.commit(p->port.context, commit);
                step(s, at, &done);
        }
}

static void frame_take(story *s)
{
        frame_under_way f = s->frames[0];

        s->frames_count--;
        memmove(&s->frames[0], &s->frames[1], s->frames_count * sizeof f);
        if (f.to == PLACES) {
                const Door__V1__Frame *frame = door_frame_unpack((door_bytes){ f.bytes, f.len }, &s->arena);
                DOOR_REQUIRE(frame != NULL && frame->result != NULL);
                result_tell(s, frame->result);
        } else {
                door_happening h = { .kind = DOOR_HAPPENING_FRAME,
                                     .channel = f.channel,
                                     .peer = f.peer,
                                     .frame = { f.bytes, f.len } };
                step(s, f.to, &h);
        }
        free(f.bytes);
}

/* Until nobody has anything left to do. */
static void settle(story *s)
{
        bool busy = true;

        while (busy && !s->failed) {
                busy = false;
                while (s->frames_count > 0 && !s->failed) {
                        frame_take(s);
                        busy = true;
                }
                for (size_t at = 0; at < PLACES && !s->failed; at++) {
                        if (s->places[at].turn) {
                                door_happening h = { .kind = DOOR_HAPPENING_TURN };
                                step(s, at, &h);
                                busy = true;
                        }
                }
        }
        records_tell(s);
}

static void places_open(story *s)
{
        static const char *const agencies[] = { "police", "school", "importer" };
        static door_peer peers[PEERS];
        static const uint8_t log_ids[PLACES][16] = { { 1 }, { 2 } };

        peers[0] = (door_peer){ .name = "operator",
                                .verbs = DOOR_VERB_COMMAND,
                                .rights = DOOR_RIGHT_SUBMIT | DOOR_RIGHT_POLICY,
                                .speaks_for = "*" };
        for (size_t i = 0; i < 3; i++) {
                peers[1 + i] = (door_peer){ .verbs = DOOR_VERB_COMMAND,
                                            .rights = DOOR_RIGHT_SUBMIT |
                                                      (i == 2 ? (uint32_t)DOOR_RIGHT_IMPORT : 0U),
                                            .speaks_for = "*" };
                strcpy(peers[1 + i].name, agencies[i]);
        }
        peers[4] = (door_peer){ .name = "deduplication",
                                .verbs = DOOR_VERB_PULL,
                                .may_read = true,
                                .form = DOOR_FORM_PUBLIC,
                                .settles = true };
        for (size_t at = 0; at < PLACES; at++) {
                place *p = &s->places[at];
                const char *why = NULL;
                door_shell_config config = { .core = at == INTAKE ? &intake_ops : &dedup_ops,
                                             .store = &p->port,
                                             .upstreams = &upstream_intake,
                                             .upstreams_count = at == INTAKE ? 0 : 1,
                                             .peers = peers,
                                             .peers_count = PEERS,
                                             .version = "story" };
                p->core = config.core;
                p->store = sim_store_new(log_ids[at], SIM_STORE_SOUND);
                p->port = sim_store_port(p->store);
                DOOR_REQUIRE(sim_store_standing(p->store, &config.standing, &why));
                DOOR_REQUIRE(door_shell_new(&config, &p->shell) == DOOR_OK);
                door_happening h = { .kind = DOOR_HAPPENING_START };
                step(s, at, &h);
        }
}

void story_command(story *s, const char *peer, door_bytes frame)
{
        frame_put(s, INTAKE, DOOR_CHANNEL_COMMAND, peer, frame);
        settle(s);
}

story *story_open(FILE *out)
{
        story *s = calloc(1, sizeof *s);

        DOOR_REQUIRE(s != NULL && posix_memalign(&s->memory, 64, ARENA_BYTES) == 0);
        s->ids.items = calloc(STORY_IDS_MAX, sizeof *s->ids.items);
        DOOR_REQUIRE(s->ids.items != NULL);
        door_arena_init(&s->arena, s->memory, ARENA_BYTES);
        s->out = out;
        s->rng = sim_rng_seed(1);
        s->now_ms = UINT64_C(1772355600000); /* 2026-03-01T09:00:00Z */
        places_open(s);
        settle(s);
        return s;
}

story *story_close(story *s)
{
        for (size_t at = 0; at < PLACES; at++) {
                (void)door_shell_free(s->places[at].shell);
                (void)sim_store_free(s->places[at].store);
        }
        for (size_t i = 0; i < s->frames_count; i++) {
                free(s->frames[i].bytes);
        }
        free(s->ids.items);
        free(s->memory);
        free(s);
        return NULL;
}

typedef struct state_sum {
        size_t rows;
        door_hash digest;
} state_sum;

static void state_row(void *context, door_bytes key, door_bytes value)
{
        state_sum *sum = context;
        const door_bytes parts[] = { door_hash_bytes(&sum->digest), key, value };

        sum->rows++;
        sum->digest = door_hash_of(parts, 3);
}

void story_states_tell(story *s)
{
        for (size_t at = 0; at < PLACES; at++) {
                state_sum sum = { 0 };
                sim_store_each(s->places[at].store, state_row, &sum);
                (void)fprintf(s->out, "state of %s: %zu rows [%02x%02x%02x%02x]\n", s->places[at].core->name,
                              sum.rows, sum.digest.bytes[0], sum.digest.bytes[1], sum.digest.bytes[2],
                              sum.digest.bytes[3]);
        }
}
