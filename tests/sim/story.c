#include "sim/story.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cli/referral_json.h"
#include "deduplication/dedup_codec.h"
#include "door/calendar.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/frame.h"
#include "shell/service_step.h"
#include "sim/sim_rng.h"
#include "sim/sim_store.h"
#include "sim/story_text.h"

enum {
        INTAKE = 0,
        DEDUPLICATION = 1,
        PLACES = 2,
        PEERS = 5,
        FRAMES_MAX = 64, /* under way at once: one pull, one answer, little more */
        LINE_BYTES_MAX = 1 << 20,
        ARENA_BYTES = 16 * DOOR_MIB,
        NAME_BYTES_MAX = 64,
        PATH_BYTES_MAX = 512,
        STORY_PEOPLE_MAX = 1000,
};

/* One service with a perfect disk. */
typedef struct place {
        const door_core_ops *core;
        sim_store *store;
        door_store_port port;
        door_shell *shell;
        bool turn;     /* It wants another turn. */
        uint64_t told; /* Records told so far. */
} place;

typedef struct frame_under_way {
        size_t to; /* PLACES: whoever plays the script. */
        door_channel channel;
        char peer[NAME_BYTES_MAX];
        uint8_t *bytes;
        size_t len;
} frame_under_way;

typedef struct story {
        FILE *out;
        place places[PLACES];
        frame_under_way frames[FRAMES_MAX];
        size_t frames_count;
        sim_rng rng;
        uint64_t now_ms;
        bool brief;
        bool failed;
        story_ids ids;
        void *memory;
        door_arena arena; /* Of one input. */
        door_wishes wishes;
} story;

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
                (void)fprintf(
                        s->out, " %s #%zu score %d margin %d candidates %zu doubts %zu",
                        protobuf_c_enum_descriptor_get_value(&door__v1__decision__descriptor, m->decision)
                                ->name,
                        story_id(&s->ids, m->family.data), m->score, m->margin, m->n_candidate, m->n_doubt);
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
                protobuf_c_enum_descriptor_get_value(&door__v1__outcome__descriptor, result->outcome)->name,
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

/* ---- the script ---- */

static void command_send(story *s, const char *peer, uint32_t type, Door__V1__Lane lane, const door_hash *id,
                         door_bytes body)
{
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        door_hash drawn;

        if (id == NULL) {
                sim_rng_fill(&s->rng, drawn.bytes, sizeof drawn.bytes);
                id = &drawn;
        }
        command.command_id = door_proto_data(door_hash_bytes(id));
        command.actor = (char *)(uintptr_t)peer;
        command.type = type;
        command.has_lane = 1;
        command.lane = lane;
        command.body = door_proto_data(body);
        frame.command = &command;
        frame_put(s, INTAKE, DOOR_CHANNEL_COMMAND, peer, door_frame_pack(&frame.base, &s->arena));
        settle(s);
}

static void policy_send(story *s)
{
        static const char *const names[] = { "police",  "school",         "hospital",        "gp",
                                             "housing", "health_visitor", "member_of_public" };
        char *peers[] = { (char *)(uintptr_t) "police", (char *)(uintptr_t) "school",
                          (char *)(uintptr_t) "importer" };
        char *readers[] = { (char *)(uintptr_t) "operator" };
        Door__V1__Agency agencies[7];
        Door__V1__Agency *all[7];
        Door__V1__IntakePolicy section = DOOR__V1__INTAKE_POLICY__INIT;
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;

        char *without_school[] = { peers[0], peers[2] };
        for (size_t i = 0; i < 7; i++) {
                const bool school = strcmp(names[i], "school") == 0;
                door__v1__agency__init(&agencies[i]);
                agencies[i].id = agencies[i].name = (char *)(uintptr_t)names[i];
                agencies[i].kind = DOOR__V1__AGENCY_KIND__AGENCY_POLICE;
                /* The school speaks for itself only; the police and the importer for everybody. */
                agencies[i].peer = school ? peers : without_school;
                agencies[i].n_peer = school ? 3 : 2;
                all[i] = &agencies[i];
        }
        section.agency = all;
        section.n_agency = 7;
        section.reader = readers;
        section.n_reader = 1;
        const door_bytes content = door_frame_pack(&section.base, &s->arena);
        const door_hash digest = door_hash_of_one(content);
        policy.version = (char *)(uintptr_t) "story-1";
        policy.digest = door_proto_data(door_hash_bytes(&digest));
        policy.content = door_proto_data(content);
        command_send(s, "operator", DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY, DOOR__V1__LANE__NORMAL,
                     NULL, door_frame_pack(&policy.base, &s->arena));
}

static bool json_read(story *s, const char *json, referral_json *ret_line)
{
        door_error error = { 0 };

        if (referral_json_read(door_bytes_of(json), 1, &s->arena, ret_line, &error) == DOOR_OK) {
                return true;
        }
        (void)fprintf(s->out, "the script cannot be read: %s\n", error.text);
        s->failed = true;
        return false;
}

static void submit(story *s, const char *peer, const char *key, const char *json, bool historic)
{
        Door__V1__Submit out = DOOR__V1__SUBMIT__INIT;
        Door__V1__Origin origin = DOOR__V1__ORIGIN__INIT;
        referral_json line;

        if (!json_read(s, json, &line)) {
                return;
        }
        if (historic) {
                origin.has_historic_received_at_ms = 1;
                origin.historic_received_at_ms = line.received_at_ms;
        }
        origin.has_channel = 1;
        origin.channel = DOOR__V1__CHANNEL__CHANNEL_API;
        out.referral = line.referral;
        out.idempotency_key = key == NULL ? line.key : (char *)(uintptr_t)key;
        out.origin = &origin;
        const door_hash id =
                intake_command_id(door_bytes_of(line.referral->agency), door_bytes_of(out.idempotency_key));
        command_send(s, peer, INTAKE_SUBMIT, DOOR__V1__LANE__NORMAL, &id,
                     door_frame_pack(&out.base, &s->arena));
}

/* Copies text; @n becomes the number, @y, @m and @d a date that few numbers share. */
static char *text_numbered(const char *text, unsigned long n, char *out)
{
        for (; *text != '\0'; text++) {
                if (text[0] == '@' && text[1] != '\0') {
                        const char what = *++text;
                        out += what == 'y'   ? sprintf(out, "%lu", 2005 + n % 15)
                               : what == 'm' ? sprintf(out, "%02lu", 1 + n % 12)
                               : what == 'd' ? sprintf(out, "%02lu", 1 + n * 7 % 28)
                                             : sprintf(out, "%lu", n);
                } else {
                        *out++ = *text;
                }
        }
        *out = '\0';
        return out;
}

/* The count in front of rest; what follows it in *ret_text. */
static unsigned long count_read(char *rest, char **ret_text)
{
        const unsigned long count = strtoul(rest, ret_text, 10);

        DOOR_REQUIRE(count > 0 && count <= STORY_PEOPLE_MAX);
        return count;
}

/* One referral that names many people, all by one pattern. */
static void gathering(story *s, const char *peer, const char *key, char *rest)
{
        char *person = NULL;
        const unsigned long count = count_read(rest, &person);
        char *json = malloc(64 + count * (strlen(person) + 64));

        DOOR_REQUIRE(json != NULL);
        char *at = json + sprintf(json, "{\"agency\":\"police\",\"people\":[");
        for (unsigned long i = 0; i < count; i++) {
                at = text_numbered(person, i, at);
                *at++ = ',';
        }
        (void)sprintf(at - 1, "]}");
        s->brief = true;
        submit(s, peer, key, json, false);
        s->brief = false;
        free(json);
}

/* Many referrals, all by one pattern. */
static void series(story *s, const char *peer, const char *key, char *rest)
{
        char *pattern = NULL;
        const unsigned long count = count_read(rest, &pattern);
        char *json = malloc(strlen(pattern) * 2 + 64);

        DOOR_REQUIRE(json != NULL);
        s->brief = true;
        for (unsigned long i = 0; i < count; i++) {
                char numbered[NAME_BYTES_MAX];
                (void)snprintf(numbered, sizeof numbered, "%s-%lu", key, i);
                (void)text_numbered(pattern, i, json);
                door_arena_reset(&s->arena);
                s->now_ms += 1000;
                submit(s, peer, numbered, json, false);
        }
        s->brief = false;
        free(json);
}

static ProtobufCBinaryData id_named(story *s, const char *text)
{
        const unsigned long n = text[0] == '#' ? strtoul(text + 1, NULL, 10) : 0;
        static uint8_t nobody[DOOR_ID_BYTES] = { 9 };

        return n >= 1 && n <= s->ids.count ? (ProtobufCBinaryData){ DOOR_ID_BYTES, s->ids.items[n - 1].bytes }
                                           : (ProtobufCBinaryData){ DOOR_ID_BYTES, nobody };
}

static void withdraw(story *s, const char *peer, const char *id, const char *reason)
{
        Door__V1__Withdraw out = DOOR__V1__WITHDRAW__INIT;

        out.referral = id_named(s, id);
        out.reason = (char *)(uintptr_t)reason;
        command_send(s, peer, INTAKE_WITHDRAW, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void amend(story *s, const char *peer, const char *id, const char *json)
{
        Door__V1__Amend out = DOOR__V1__AMEND__INIT;
        referral_json line;

        if (!json_read(s, json, &line)) {
                return;
        }
        out.referral = id_named(s, id);
        out.amended = line.referral;
        out.reason = (char *)(uintptr_t) "more is known";
        command_send(s, peer, INTAKE_AMEND, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void fetch(story *s, const char *peer, const char *id, const char *rest)
{
        Door__V1__Fetch out = DOOR__V1__FETCH__INIT;
        unsigned part = 0;
        unsigned number = 0;
        unsigned purpose = 0;

        if (sscanf(rest, "%u %u %u", &part, &number, &purpose) != 3) {
                s->failed = true;
                return;
        }
        out.referral = id_named(s, id);
        out.has_part = out.has_number = 1;
        out.part = (Door__V1__ContentPart)part;
        out.number = number;
        out.purpose = (Door__V1__Purpose)purpose;
        command_send(s, peer, INTAKE_FETCH, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void lines(story *s, const char *file, const char *rest)
{
        char path[PATH_BYTES_MAX];
        unsigned from = 0;
        unsigned count = 0;
        char *line = NULL;
        size_t cap = 0;

        (void)snprintf(path, sizeof path, "%s/%s", SIM_DATA, file);
        FILE *in = sscanf(rest, "%u %u", &from, &count) == 2 ? fopen(path, "r") : NULL;
        s->failed |= in == NULL;
        s->brief = true;
        for (unsigned n = 1; in != NULL && n < from + count && getline(&line, &cap, in) > 0; n++) {
                if (n >= from) {
                        door_arena_reset(&s->arena);
                        s->now_ms += 1000;
                        submit(s, "importer", NULL, line, true);
                }
        }
        s->brief = false;
        free(line);
        if (in != NULL) {
                (void)fclose(in);
        }
}

/* One line of the script: a verb, two words, and the rest. */
static void line_play(story *s, char *line)
{
        char *rest = NULL;
        const char *verb = strtok_r(line, " \n", &rest);
        const char *one = verb == NULL ? NULL : strtok_r(NULL, " \n", &rest);

        if (verb == NULL || verb[0] == '#') {
                return;
        }
        if (one != NULL && strcmp(verb, "at") == 0) {
                s->failed |= !door_instant_parse(door_bytes_of(one), &s->now_ms);
                return;
        }
        const char *two = one == NULL ? NULL : strtok_r(NULL, " \n", &rest);
        if (strcmp(verb, "lines") == 0 && two != NULL) {
                char span[64];
                (void)snprintf(span, sizeof span, "%s %s", two, rest);
                lines(s, one, span);
                return;
        }
        rest[strcspn(rest, "\n")] = '\0';
        s->now_ms += 1000;
        if (two == NULL) {
                s->failed = true;
        } else if (strcmp(verb, "submit") == 0 || strcmp(verb, "history") == 0) {
                submit(s, one, two, rest, verb[0] == 'h');
        } else if (strcmp(verb, "gathering") == 0) {
                gathering(s, one, two, rest);
        } else if (strcmp(verb, "series") == 0) {
                series(s, one, two, rest);
        } else if (strcmp(verb, "withdraw") == 0) {
                withdraw(s, one, two, rest);
        } else if (strcmp(verb, "amend") == 0) {
                amend(s, one, two, rest);
        } else if (strcmp(verb, "fetch") == 0) {
                fetch(s, one, two, rest);
        } else {
                s->failed = true;
        }
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

static void story_close(story *s)
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
}

bool story_tell(const char *name, FILE *out)
{
        char path[PATH_BYTES_MAX];
        story *s = calloc(1, sizeof *s);
        char *line = NULL;
        size_t cap = 0;

        DOOR_REQUIRE(s != NULL && posix_memalign(&s->memory, 64, ARENA_BYTES) == 0);
        s->ids.items = calloc(STORY_IDS_MAX, sizeof *s->ids.items);
        DOOR_REQUIRE(s->ids.items != NULL);
        door_arena_init(&s->arena, s->memory, ARENA_BYTES);
        s->out = out;
        s->rng = sim_rng_seed(1);
        s->now_ms = UINT64_C(1772355600000); /* 2026-03-01T09:00:00Z */
        (void)snprintf(path, sizeof path, "%s/%s.story", SIM_STORIES, name);
        FILE *in = fopen(path, "r");
        s->failed = in == NULL;
        if (in != NULL) {
                places_open(s);
                settle(s);
                policy_send(s);
        }
        while (in != NULL && !s->failed && getline(&line, &cap, in) > 0) {
                door_arena_reset(&s->arena);
                (void)fprintf(out, "%s", line);
                line_play(s, line);
        }
        for (size_t at = 0; at < PLACES && !s->failed; at++) {
                state_sum sum = { 0 };
                sim_store_each(s->places[at].store, state_row, &sum);
                (void)fprintf(out, "state of %s: %zu rows [%02x%02x%02x%02x]\n", s->places[at].core->name,
                              sum.rows, sum.digest.bytes[0], sum.digest.bytes[1], sum.digest.bytes[2],
                              sum.digest.bytes[3]);
        }
        const bool well = !s->failed;
        free(line);
        if (in != NULL) {
                (void)fclose(in);
        }
        story_close(s);
        return well;
}

/* ---- telling it again ---- */

/* The number of the first line that differs, from 1; 0 when all are the same. */
static size_t first_difference(FILE *a, FILE *b, char **ret_line)
{
        char *ours = NULL;
        char *theirs = NULL;
        size_t ours_cap = 0;
        size_t theirs_cap = 0;
        size_t number = 0;
        bool same = true;

        while (same) {
                const ssize_t got_ours = getline(&ours, &ours_cap, a);
                const ssize_t got_theirs = getline(&theirs, &theirs_cap, b);
                number++;
                if (got_ours < 0 && got_theirs < 0) {
                        number = 0;
                        break;
                }
                same = got_ours >= 0 && got_theirs >= 0 && strcmp(ours, theirs) == 0;
        }
        free(theirs);
        *ret_line = ours;
        return number;
}

static bool story_check(const char *name)
{
        char path[PATH_BYTES_MAX];
        FILE *now = tmpfile();
        char *line = NULL;
        bool same = false;

        DOOR_REQUIRE(now != NULL);
        (void)snprintf(path, sizeof path, "%s/%s.told", SIM_STORIES, name);
        FILE *told = fopen(path, "r");
        const bool well = story_tell(name, now);
        rewind(now);
        if (told != NULL) {
                const size_t at = first_difference(now, told, &line);
                same = at == 0 && well;
                if (!same) {
                        (void)printf("FAILED story %s: line %zu is told differently:\n%.400s\n", name, at,
                                     line == NULL ? "" : line);
                }
                (void)fclose(told);
        } else {
                (void)printf("FAILED story %s: nothing was told before; see tests/sim/story.h\n", name);
        }
        free(line);
        (void)fclose(now);
        return same;
}

static int is_story(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');
        return dot != NULL && strcmp(dot, ".story") == 0;
}

int stories_check(void)
{
        struct dirent **entries = NULL;
        const int count = scandir(SIM_STORIES, &entries, is_story, alphasort);
        int failed = count < 1 ? 1 : 0;

        for (int i = 0; i < count; i++) {
                *strrchr(entries[i]->d_name, '.') = '\0';
                failed += story_check(entries[i]->d_name) ? 0 : 1;
                free(entries[i]);
        }
        free(entries);
        (void)printf("stories: %d, told differently: %d\n", count, failed);
        (void)fflush(stdout);
        return failed;
}
