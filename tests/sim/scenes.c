#include "sim/scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shell/frame.h"
#include "shell/record.h"
#include "shell/service_step.h"
#include "sim/sim_store.h"
#include "sim/toy_core.h"

enum { ARENA_BYTES = 4 * DOOR_MIB, TURNS_MAX = 32, OPERATOR = 0, AGENCY = 1, PEERS = 2 };

/* The middle of the toys: it reads 1 and 3. */
static const door_upstream upstreams[] = { { 1, "source", DOOR_FORM_PUBLIC },
                                           { 3, "peer", DOOR_FORM_PUBLIC } };
static const door_upstream far_upstreams[] = { { 4, "watcher", DOOR_FORM_PUBLIC } };
static const uint8_t source_id[16] = { 11 };

/* One machine, and what it has said. */
typedef struct scene {
        sim_store *store;
        door_store_port port;
        door_peer peers[PEERS];
        toy_world world;
        door_shell_config config;
        door_shell *shell;
        door_wishes wishes;
        uint64_t now_ms;
        uint8_t draws;
        uint64_t wall_ahead_ms;     /* Of the wall clock, against the other one. */
        bool held_turns;            /* Nothing is worked on until there is a turn. */
        bool bare;                  /* The source's records have no payload. */
        bool slow_commits;          /* Nothing is carried out until commit_now. */
        const door_commit *pending; /* What slow_commits holds. */
        uint64_t start_fails;       /* The how-manieth read of the next start fails; 0: none. */
        door_status fate;           /* What the next commits end with; DOOR_OK: what the store says. */
        door_hash source_hash;
        uint64_t source_seq;
        /* What was heard. */
        bool ended;
        int exit_code;
        door_status end_reason;
        door_status alert;
        size_t alerts;
        size_t results;
        size_t statuses;
        uint64_t settled;
        uint32_t reason;
        size_t notes;     /* Of an input about to be decided with care. */
        size_t forgotten; /* Notes that take the last one back. */
        uint32_t outcome;
        size_t effects; /* Asked for, and the last of them. */
        door_id effect_key;
        uint32_t effect_attempt;
        uint64_t counted; /* What a view answered last, and what it had seen of the source then. */
        uint64_t seen_seq;
        char state[32];
        void *memory;
        door_arena arena;
} scene;

static void scene_open(scene *s, uint32_t log)
{
        const char *why = NULL;

        memset(s, 0, sizeof *s);
        DOOR_REQUIRE(posix_memalign(&s->memory, 64, ARENA_BYTES) == 0);
        door_arena_init(&s->arena, s->memory, ARENA_BYTES);
        s->store = sim_store_new((const uint8_t[16]){ (uint8_t)log }, SIM_STORE_SOUND);
        s->port = sim_store_port(s->store);
        for (size_t i = 0; i < PEERS; i++) {
                s->peers[i] = (door_peer){ .verbs = DOOR_VERB_COMMAND | DOOR_VERB_STATUS,
                                           .rights = DOOR_RIGHT_SUBMIT | DOOR_RIGHT_POLICY,
                                           .speaks_for = "*" };
                strcpy(s->peers[i].name, i == OPERATOR ? "operator" : "agency");
        }
        s->now_ms = UINT64_C(1790000000000);
        s->source_hash = door_hash_log_start(source_id);
        s->config = (door_shell_config){ .core = toy_ops(log),
                                         .store = &s->port,
                                         .upstreams = log == 5 ? far_upstreams : upstreams,
                                         .upstreams_count = log == 2   ? 2
                                                            : log == 5 ? 1
                                                                       : 0,
                                         .peers = s->peers,
                                         .peers_count = PEERS,
                                         .version = "scene" };
        toy_enter(&s->world);
        DOOR_REQUIRE(sim_store_standing(s->store, &s->config.standing, &why));
}

static void scene_close(scene *s)
{
        s->shell = door_shell_free(s->shell);
        s->store = sim_store_free(s->store);
        free(s->memory);
}

static void heard(scene *s, door_bytes bytes)
{
        const Door__V1__Frame *frame = door_frame_unpack(bytes, &s->arena);

        if (frame != NULL && frame->result != NULL) {
                s->results++;
                s->outcome = (uint32_t)frame->result->outcome;
                s->reason = frame->result->reason;
                if (frame->result->has_body && frame->result->body.len >= 8) {
                        s->counted = door_get_u64(frame->result->body.data);
                }
                for (size_t i = 0; i < frame->result->n_seen; i++) {
                        if (frame->result->seen[i]->log == upstreams[0].log) {
                                s->seen_seq = frame->result->seen[i]->seq;
                        }
                }
        } else if (frame != NULL && frame->status != NULL) {
                s->statuses++;
                s->settled = frame->status->settled;
                (void)snprintf(s->state, sizeof s->state, "%s", frame->status->state);
        }
}

/* One happening, and whatever it asks for, until the machine rests or ends. */
static void step(scene *s, door_happening h)
{
        for (size_t turns = 0; turns < TURNS_MAX && !s->ended; turns++) {
                const door_commit *commit = NULL;
                bool noted = false;
                h.now = (door_now){ .wall_ms = s->now_ms + s->wall_ahead_ms, .mono_ms = s->now_ms };
                h.random[0] = ++s->draws;
                door_shell_step(s->shell, &h, &s->wishes);
                for (size_t i = 0; i < s->wishes.count; i++) {
                        const door_wish *wish = &s->wishes.items[i];
                        if (wish->kind == DOOR_WISH_SEND && wish->channel == DOOR_CHANNEL_COMMAND) {
                                heard(s, wish->frame);
                        } else if (wish->kind == DOOR_WISH_COMMIT) {
                                commit = wish->commit;
                        } else if (wish->kind == DOOR_WISH_NOTE) {
                                s->notes += wish->frame.len > 0 ? 1 : 0;
                                s->forgotten += wish->frame.len == 0 ? 1 : 0;
                                noted = wish->frame.len > 0;
                        } else if (wish->kind == DOOR_WISH_EFFECT) {
                                s->effects++;
                                s->effect_key = wish->effect.key;
                                s->effect_attempt = wish->effect.attempt;
                        } else if (wish->kind == DOOR_WISH_ALERT) {
                                s->alert = wish->reason;
                                s->alerts++;
                        } else if (wish->kind == DOOR_WISH_END) {
                                DOOR_REQUIRE(i + 1 == s->wishes.count); /* Nothing follows an end. */
                                s->ended = true;
                                s->exit_code = wish->exit_code;
                                s->end_reason = wish->reason;
                        }
                }
                if (commit != NULL && s->slow_commits) {
                        s->pending = commit;
                        return;
                }
                if (commit != NULL) {
                        const door_status done =
                                s->fate != DOOR_OK ? s->fate : s->port.commit(s->port.context, commit);
                        h = (door_happening){ .kind = DOOR_HAPPENING_COMMITTED, .status = done };
                } else if (noted) {
                        h = (door_happening){ .kind = DOOR_HAPPENING_NOTED };
                } else if (s->wishes.again && !s->held_turns) {
                        h = (door_happening){ .kind = DOOR_HAPPENING_TURN };
                } else {
                        return;
                }
        }
}

static void begin(scene *s)
{
        const char *why = NULL;

        DOOR_REQUIRE(sim_store_standing(s->store, &s->config.standing, &why));
        DOOR_REQUIRE(door_shell_new(&s->config, &s->shell) == DOOR_OK);
        sim_store_fail_read(s->store, s->start_fails);
        step(s, (door_happening){ .kind = DOOR_HAPPENING_START });
        sim_store_fail_read(s->store, 0);
}

static void commit_now(scene *s)
{
        DOOR_REQUIRE(s->pending != NULL);
        const door_status done = s->port.commit(s->port.context, s->pending);

        s->pending = NULL;
        step(s, (door_happening){ .kind = DOOR_HAPPENING_COMMITTED, .status = done });
}

static void turn(scene *s)
{
        step(s, (door_happening){ .kind = DOOR_HAPPENING_TURN });
}

/* The process is gone and comes back over the same disk. */
static void again(scene *s)
{
        s->shell = door_shell_free(s->shell);
        s->ended = false;
        begin(s);
}

static bool ended_with(const scene *s, int exit_code, door_status reason)
{
        return s->ended && s->exit_code == exit_code && s->end_reason == reason;
}

/* ---- what is said to it ---- */

static void frame_in(scene *s, size_t peer, const Door__V1__Frame *frame)
{
        step(s, (door_happening){ .kind = DOOR_HAPPENING_FRAME,
                                  .channel = DOOR_CHANNEL_COMMAND,
                                  .route = 1 + peer,
                                  .peer = peer == OPERATOR ? "operator" : "agency",
                                  .frame = door_frame_pack(&frame->base, &s->arena) });
}

static void command_after(scene *s, size_t peer, uint32_t id, uint32_t type, door_bytes body,
                          door_position not_before)
{
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        Door__V1__Position *positions[] = { &position };
        Door__V1__Command out = DOOR__V1__COMMAND__INIT;
        uint8_t command_id[DOOR_HASH_BYTES] = { 0 };

        door_put_u32(command_id, id);

        out.command_id = (ProtobufCBinaryData){ sizeof command_id, command_id };
        out.actor = (char *)(uintptr_t) "desk";
        out.type = type;
        out.body = door_proto_data(body);
        out.n_not_before = not_before.log == 0 ? 0 : 1;
        out.not_before = positions;
        position.log = not_before.log;
        position.seq = not_before.seq;
        frame.command = &out;
        frame_in(s, peer, &frame);
}

static void command(scene *s, size_t peer, uint32_t id, uint32_t type, door_bytes body)
{
        command_after(s, peer, id, type, body, (door_position){ 0 });
}

static void add(scene *s, size_t peer, uint8_t id)
{
        uint8_t body[TOY_COMMAND_BYTES] = { 1, 0, 0, 0, 3 };
        command(s, peer, id, TOY_COMMAND_ADD, (door_bytes){ body, sizeof body });
}

static void policy(scene *s)
{
        Door__V1__PolicyActivated out = DOOR__V1__POLICY_ACTIVATED__INIT;
        const door_hash digest = door_hash_of_one(door_bytes_of("P"));

        out.version = (char *)(uintptr_t) "1";
        out.digest = door_proto_data(door_hash_bytes(&digest));
        out.content = door_proto_data(door_bytes_of("P"));
        command(s, OPERATOR, 200, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY,
                door_frame_pack(&out.base, &s->arena));
        turn(s);
}

static void status_ask(scene *s)
{
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__StatusAsked asked = DOOR__V1__STATUS_ASKED__INIT;

        frame.status_asked = &asked;
        frame_in(s, OPERATOR, &frame);
}

/* The next record of log 1, in a batch of its own. type, hops and seen are the scene's. */
static void source_says(scene *s, uint32_t type, uint32_t value, uint32_t hops, door_position seen)
{
        uint8_t payload[TOY_PAYLOAD_BYTES] = { 'T', 1 };
        const uint8_t salt[DOOR_SALT_BYTES] = { (uint8_t)s->source_seq, 1 };
        door_header header = { .seq = ++s->source_seq, .type = type, .version = 1, .hops = hops };
        door_bytes packed;
        door_bytes salted;
        Door__V1__Record record = DOOR__V1__RECORD__INIT;
        Door__V1__Record *records[] = { &record };
        Door__V1__Batch batch = DOOR__V1__BATCH__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        uint8_t log_id[16];

        memcpy(log_id, source_id, sizeof log_id);
        door_put_u32(payload + 2, value);
        header.at_ms = s->now_ms;
        header.seen_count = seen.log == 0 ? 0 : 1;
        header.seen[0] = seen;
        header.has_public = !s->bare;
        DOOR_REQUIRE(door_payload_salt((door_bytes){ payload, sizeof payload }, salt, &s->arena, &salted,
                                       &header.public_digest) == DOOR_OK);
        DOOR_REQUIRE(door_header_encode(&header, &s->arena, &packed) == DOOR_OK);
        s->source_hash = door_hash_chain(&s->source_hash, packed);
        record.header = door_proto_data(packed);
        record.has_public_payload = !s->bare;
        record.public_payload = door_proto_data(salted);
        batch.log_id = (ProtobufCBinaryData){ 16, log_id };
        batch.first = header.seq;
        batch.n_records = 1;
        batch.records = records;
        batch.head = header.seq;
        batch.hash = door_proto_data(door_hash_bytes(&s->source_hash));
        frame.batch = &batch;
        step(s, (door_happening){ .kind = DOOR_HAPPENING_FRAME,
                                  .channel = DOOR_CHANNEL_UPSTREAM,
                                  .upstream = 0,
                                  .frame = door_frame_pack(&frame.base, &s->arena) });
        if (!s->ended && !s->held_turns) {
                turn(s);
        }
}

/* ---- the scenes; true when it went as it must ---- */

static bool what_an_upstream_says_has_its_effect(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        return !s->ended && sim_store_durable_head(s->store) == 1;
}

static bool an_upstream_that_has_seen_more_than_we_hold_stops_us_for_good(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 2, 1 });
        return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_LOG_REGRESSED);
}

static bool what_an_upstream_has_seen_of_us_may_be_all_we_hold(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 2, 1 });
        return !s->ended && sim_store_durable_head(s->store) == 2;
}

static bool services_that_echo_each_other_are_stopped(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, DOOR_HOPS_MAX - 1, (door_position){ 0 });
        const bool last_is_taken = !s->ended && sim_store_durable_head(s->store) == 1;
        source_says(s, TOY_ADDED, 4, DOOR_HOPS_MAX, (door_position){ 0 });
        return last_is_taken && ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_INVALID);
}

static bool a_type_nobody_knows_stops_the_reading_of_that_log_and_is_told(scene *s)
{
        begin(s);
        source_says(s, 99, 4, 1, (door_position){ 0 });
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        const bool told = s->alert == DOOR_UPSTREAM_NEWER;
        status_ask(s);
        return told && !s->ended && sim_store_durable_head(s->store) == 0 &&
               strcmp(s->state, "UPSTREAM_NEWER") == 0;
}

static bool a_commit_of_unknown_outcome_ends_us_to_be_started_again(scene *s)
{
        begin(s);
        policy(s);
        const size_t results = s->results;
        s->fate = DOOR_UNKNOWN;
        add(s, AGENCY, 1);
        turn(s);
        return ended_with(s, DOOR_EXIT_RESTART, DOOR_UNKNOWN) && s->results == results;
}

static bool a_store_behind_what_it_held_ends_us_for_good(scene *s)
{
        begin(s);
        policy(s);
        s->fate = DOOR_LOG_REGRESSED;
        add(s, AGENCY, 1);
        turn(s);
        return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_LOG_REGRESSED);
}

static bool a_start_without_the_cursor_the_last_record_had_is_refused(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        s->shell = door_shell_free(s->shell);
        const char *why = NULL;
        DOOR_REQUIRE(sim_store_standing(s->store, &s->config.standing, &why));
        s->config.standing.cursors_count = 0;
        DOOR_REQUIRE(door_shell_new(&s->config, &s->shell) == DOOR_OK);
        step(s, (door_happening){ .kind = DOOR_HAPPENING_START });
        return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_CORRUPT);
}

static bool a_start_that_cannot_read_is_tried_again(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        for (s->start_fails = 1; s->start_fails < 64; s->start_fails++) {
                again(s);
                if (!s->ended) {
                        return s->start_fails > 2; /* The last record and the policy are read, at least. */
                }
                if (s->exit_code != DOOR_EXIT_RESTART) {
                        return false;
                }
        }
        return false;
}

static door_status policy_is_none(door_bytes content, door_arena *arena, const void **ret_policy)
{
        (void)content;
        (void)arena;
        (void)ret_policy;
        return DOOR_MALFORMED;
}

static bool a_policy_that_no_longer_decodes_keeps_us_down(scene *s)
{
        static door_core_ops changed;

        begin(s);
        policy(s);
        changed = *s->config.core;
        changed.decode_policy = policy_is_none;
        s->config.core = &changed;
        again(s);
        return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_MALFORMED);
}

static bool what_waits_from_a_peer_that_is_taken_off_the_list_is_dropped(scene *s)
{
        begin(s);
        policy(s);
        const uint64_t head = sim_store_durable_head(s->store);
        const size_t results = s->results;
        add(s, AGENCY, 1);
        add(s, AGENCY, 2);
        add(s, OPERATOR, 3);
        add(s, AGENCY, 4);
        step(s, (door_happening){ .kind = DOOR_HAPPENING_PEERS, .peers = s->peers, .peers_count = 1 });
        turn(s);
        return !s->ended && s->results == results + 1 && sim_store_durable_head(s->store) == head + 1 &&
               door_shell_count(s->shell)->queued_now == 0;
}

static bool what_is_being_written_for_a_peer_taken_off_the_list_is_answered(scene *s)
{
        begin(s);
        policy(s);
        const size_t results = s->results;
        s->slow_commits = true;
        add(s, AGENCY, 1);
        turn(s);
        step(s, (door_happening){ .kind = DOOR_HAPPENING_PEERS, .peers = s->peers, .peers_count = 1 });
        s->slow_commits = false;
        commit_now(s);
        turn(s);
        return !s->ended && s->results == results + 1 && s->outcome == DOOR__V1__OUTCOME__DONE &&
               door_shell_count(s->shell)->queued_now == 0;
}

static bool what_waits_keeps_its_peer_when_the_list_is_in_another_order(scene *s)
{
        door_peer turned[PEERS] = { s->peers[1], s->peers[0] };

        begin(s);
        policy(s);
        const size_t results = s->results;
        add(s, AGENCY, 1);
        turned[0].rights = s->peers[1].rights;
        step(s, (door_happening){ .kind = DOOR_HAPPENING_PEERS, .peers = turned, .peers_count = PEERS });
        turn(s);
        return !s->ended && s->results == results + 1 && s->outcome == DOOR__V1__OUTCOME__DONE;
}

static bool a_full_list_of_parked_records_ends_us_for_good(scene *s)
{
        s->config.bounds.parked_max = 2;
        begin(s);
        for (uint32_t i = 0; i < 2; i++) {
                source_says(s, TOY_ADDED, 66, 1, (door_position){ 0 }); /* Poison: it does not decode. */
        }
        const bool two = !s->ended && sim_store_durable_head(s->store) == 2;
        source_says(s, TOY_ADDED, 66, 1, (door_position){ 0 });
        return two && ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_FULL);
}

static bool a_parked_record_that_cannot_be_read_back_is_tried_again(scene *s)
{
        Door__V1__Release release = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;

        begin(s);
        source_says(s, TOY_ADDED, 66, 1, (door_position){ 0 });
        position.log = 1;
        position.seq = 1;
        release.record = &position;
        s->world.fixed = true;
        const door_bytes body = door_frame_pack(&release.base, &s->arena);
        /* Each read until the release is decided fails once: never an answer, and never a wrong one. */
        for (uint64_t nth = 1; nth < 64; nth++) {
                const size_t results = s->results;
                sim_store_fail_read(s->store, nth);
                command(s, OPERATOR, 5, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE, body);
                turn(s);
                sim_store_fail_read(s->store, 0);
                if (!s->ended || s->results != results) {
                        return nth > 3 && s->outcome == DOOR__V1__OUTCOME__DONE &&
                               sim_store_durable_head(s->store) == 2; /* Value 66 is due nothing. */
                }
                if (s->exit_code != DOOR_EXIT_RESTART) {
                        return false;
                }
                again(s);
        }
        return false;
}

static bool a_record_released_in_the_batch_that_parks_it_waits_for_the_next(scene *s)
{
        Door__V1__Release release = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;

        begin(s);
        position.log = 1;
        position.seq = 1;
        release.record = &position;
        const door_bytes body = door_frame_pack(&release.base, &s->arena);
        s->held_turns = true;
        source_says(s, TOY_ADDED, 66, 1, (door_position){ 0 });
        command(s, OPERATOR, 5, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE, body);
        s->held_turns = false;
        turn(s);
        /* It still does not decode, and that is the answer: of the next batch, once it can be read back. */
        return !s->ended && s->outcome == DOOR__V1__OUTCOME__REFUSED &&
               s->reason == DOOR__V1__REFUSED_REASON__REASON_INVALID && sim_store_durable_head(s->store) == 2;
}

static bool a_machine_without_room_for_a_batch_says_so_and_stays_down(scene *s)
{
        s->config.bounds.batch_arena_bytes = 4096;
        begin(s);
        return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY);
}

/*
 * One input to a machine with this much room: it is decided, refused, parked or said not to fit, and
 * never half of it. *ret_fits: there was room for anything at all.
 */
static bool input_in_room(scene *s, uint32_t log, size_t room, unsigned what, bool *ret_fits)
{
        uint8_t unlucky[TOY_COMMAND_BYTES] = { 1, 0, 0, 0, 13 };

        scene_close(s);
        scene_open(s, log);
        begin(s);
        policy(s); /* With all the room there is; then the process is started anew with little. */
        const uint64_t before = sim_store_durable_head(s->store);
        const size_t results = s->results;
        s->config.bounds.batch_arena_bytes = room;
        again(s);
        *ret_fits = !s->ended;
        if (s->ended) {
                return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY);
        }
        if (what == 0) {
                add(s, AGENCY, 1);
        } else if (what == 1) {
                command(s, AGENCY, 1, TOY_COMMAND_ADD, (door_bytes){ unlucky, sizeof unlucky });
        } else {
                source_says(s, TOY_ADDED, what == 2 ? 4 : 66, 1, (door_position){ 0 });
        }
        if (!s->ended) {
                turn(s);
        }
        const uint64_t left = sim_store_durable_head(s->store) - before;
        if (s->ended) {
                return ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY) && left == 0;
        }
        return left == 1 && (what >= 2 || s->results == results + 1);
}

static bool whatever_room_there_is_an_input_is_decided_or_put_aside_whole(scene *s)
{
        size_t least = 0;
        bool fits = false;

        for (least = 64 * DOOR_KIB; !fits; least += 64) {
                if (least > 512 * DOOR_KIB || !input_in_room(s, 1, least, 0, &fits)) {
                        return false;
                }
        }
        for (size_t room = least - 128; room < least + 12 * DOOR_KIB; room += 64) {
                for (unsigned what = 0; what < 4; what++) {
                        if (!input_in_room(s, what < 2 ? 1 : 2, room, what, &fits)) {
                                return false;
                        }
                }
        }
        return true;
}

/* Refused, and the policy before it stays: each of these is no policy in one way only. */
static bool a_policy_with_anything_wrong_is_refused(scene *s)
{
        static char long_name[DOOR_NAME_BYTES_MAX + 1];
        static uint8_t content[DOOR_POLICY_BYTES_MAX + 1] = { 'P' };
        memset(long_name, 'v', DOOR_NAME_BYTES_MAX);
        const struct {
                const char *version;
                size_t content_bytes;
                size_t digest_bytes;
                uint8_t digest_change;
                bool good;
        } cases[] = {
                { "2", 1, DOOR_HASH_BYTES, 0, true },
                { "2", 1, DOOR_HASH_BYTES - 1, 0, false },
                { "2", 1, DOOR_HASH_BYTES, 1, false },
                { "\xFF", 1, DOOR_HASH_BYTES, 0, false },
                { long_name, 1, DOOR_HASH_BYTES, 0, false },
                { long_name + 1, 1, DOOR_HASH_BYTES, 0, true },
                { "2", DOOR_POLICY_BYTES_MAX, DOOR_HASH_BYTES, 0, true },
                { "2", DOOR_POLICY_BYTES_MAX + 1, DOOR_HASH_BYTES, 0, false },
        };

        begin(s);
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                Door__V1__PolicyActivated out = DOOR__V1__POLICY_ACTIVATED__INIT;
                door_hash digest = door_hash_of_one((door_bytes){ content, cases[i].content_bytes });
                digest.bytes[0] ^= cases[i].digest_change;
                out.version = (char *)(uintptr_t)cases[i].version;
                out.digest = (ProtobufCBinaryData){ cases[i].digest_bytes, digest.bytes };
                out.content = (ProtobufCBinaryData){ cases[i].content_bytes, content };
                door_arena_reset(&s->arena);
                command(s, OPERATOR, (uint8_t)(1 + i), DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY,
                        door_frame_pack(&out.base, &s->arena));
                turn(s);
                if (s->ended || s->outcome != (uint32_t)(cases[i].good ? DOOR__V1__OUTCOME__DONE
                                                                       : DOOR__V1__OUTCOME__REFUSED)) {
                        return false;
                }
        }
        return sim_store_durable_head(s->store) == sizeof cases / sizeof cases[0];
}

/* The last record is the note of a clock step between these two times. */
static bool stepped(scene *s, uint64_t from_ms, uint64_t to_ms)
{
        const uint64_t head = sim_store_durable_head(s->store);
        door_header header;
        door_bytes payload;

        if (head == 0) {
                return false;
        }
        const door_record *record = sim_store_durable_record(s->store, head);
        if (door_header_decode(record->header, &s->arena, &header) != DOOR_OK ||
            header.type != DOOR__V1__SHELL_TYPE__SHELL_CLOCK_STEPPED ||
            !door_payload_open(record->public_payload, &header.public_digest, &payload)) {
                return false;
        }
        ProtobufCAllocator allocator = door_proto_allocator(&s->arena);
        const Door__V1__ClockStepped *step_told =
                door__v1__clock_stepped__unpack(&allocator, payload.len, payload.data);
        return step_told != NULL && step_told->from_ms == from_ms && step_told->to_ms == to_ms;
}

static bool two_clock_steps_before_anything_is_written_are_told_as_one(scene *s)
{
        begin(s);
        policy(s);
        s->slow_commits = true;
        add(s, AGENCY, 1);
        turn(s);
        s->wall_ahead_ms = UINT64_C(4) * DOOR_CLOCK_STEP_MS;
        turn(s);
        s->wall_ahead_ms = UINT64_C(9) * DOOR_CLOCK_STEP_MS;
        turn(s);
        s->slow_commits = false;
        commit_now(s);
        turn(s);
        return !s->ended && stepped(s, s->now_ms, s->now_ms + s->wall_ahead_ms);
}

static bool a_clock_step_while_the_last_one_is_being_written_is_told_too(scene *s)
{
        const uint64_t ahead_ms = s->now_ms + UINT64_C(4) * DOOR_CLOCK_STEP_MS;

        begin(s);
        turn(s);
        s->slow_commits = true;
        s->wall_ahead_ms = UINT64_C(4) * DOOR_CLOCK_STEP_MS;
        turn(s);
        s->wall_ahead_ms = 0;
        turn(s);
        s->slow_commits = false;
        commit_now(s);
        turn(s);
        return !s->ended && sim_store_durable_head(s->store) == 2 && stepped(s, ahead_ms, s->now_ms);
}

static void pull_settled(scene *s, uint64_t settled)
{
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__Pull pull = DOOR__V1__PULL__INIT;
        uint8_t hash[DOOR_HASH_BYTES] = { 0 };

        pull.hash = pull.durable_hash = (ProtobufCBinaryData){ sizeof hash, hash };
        pull.has_settled = 1;
        pull.settled = settled;
        pull.form = DOOR__V1__FORM__HEADERS;
        pull.credit_records = 1;
        pull.credit_bytes = 1000;
        frame.pull = &pull;
        step(s, (door_happening){ .kind = DOOR_HAPPENING_FRAME,
                                  .channel = DOOR_CHANNEL_PULL,
                                  .route = 9,
                                  .peer = "agency",
                                  .frame = door_frame_pack(&frame.base, &s->arena) });
}

/* The bulk lane waits for consumers that lag, not for one that has never been there. */
static bool a_consumer_counts_for_what_is_settled_once_it_has_asked(scene *s)
{
        s->peers[AGENCY].verbs |= DOOR_VERB_PULL;
        s->peers[AGENCY].may_read = true;
        s->peers[AGENCY].settles = true;
        begin(s);
        policy(s);
        add(s, AGENCY, 1);
        turn(s);
        status_ask(s);
        const bool alone = s->settled == 2;
        pull_settled(s, 1);
        status_ask(s);
        const bool counts = s->settled == 1;
        /* Reading the list again forgets nothing of those who stay, and everything of those who may read no
         * more. */
        step(s, (door_happening){ .kind = DOOR_HAPPENING_PEERS, .peers = s->peers, .peers_count = PEERS });
        status_ask(s);
        const bool kept = s->settled == 1;
        door_peer fewer[PEERS] = { s->peers[0], s->peers[1] };
        fewer[AGENCY].may_read = false;
        step(s, (door_happening){ .kind = DOOR_HAPPENING_PEERS, .peers = fewer, .peers_count = PEERS });
        status_ask(s);
        return alone && counts && kept && s->settled == 2;
}

static bool room_for_answers_is_found_again_in_every_step(scene *s)
{
        s->config.bounds.out_arena_bytes = 4096;
        begin(s);
        for (size_t i = 0; i < 100; i++) {
                status_ask(s);
        }
        return s->statuses == 100;
}

/* There is no gather timer, and nothing that is there is left for the next batch. */
static bool what_has_arrived_is_one_batch(scene *s)
{
        begin(s);
        policy(s);
        const uint64_t batches = door_shell_count(s->shell)->batches;
        s->held_turns = true;
        for (uint8_t id = 1; id <= 5; id++) {
                add(s, AGENCY, id);
        }
        s->held_turns = false;
        turn(s);
        return s->results == 6 && door_shell_count(s->shell)->batches == batches + 1;
}

static bool records_that_have_arrived_are_one_batch(scene *s)
{
        begin(s);
        s->held_turns = true;
        for (uint32_t i = 0; i < 2; i++) {
                source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        }
        s->held_turns = false;
        turn(s);
        return door_shell_count(s->shell)->batches == 1 && sim_store_durable_head(s->store) == 2;
}

/* Record 0009: each input alone and noted, a whole batch's worth of them, then trust again. */
static bool care_lasts_for_a_batchs_worth_of_inputs(scene *s)
{
        uint8_t body[TOY_COMMAND_BYTES] = { 1, 0, 0, 0, 3 };

        begin(s);
        policy(s);
        s->config.starts_here = DOOR_POISON_STARTS;
        again(s);
        for (uint32_t i = 0; i < DOOR_BATCH_INPUTS_MAX + 8; i++) {
                const bool careful = i < DOOR_BATCH_INPUTS_MAX;
                const size_t notes = s->notes;
                s->now_ms++;
                door_arena_reset(&s->arena);
                command(s, AGENCY, i + 1000, TOY_COMMAND_ADD, (door_bytes){ body, sizeof body });
                turn(s);
                if (s->ended || s->results != i + 2 || s->notes != notes + (careful ? 1 : 0) ||
                    s->forgotten != (i + 1 < DOOR_BATCH_INPUTS_MAX ? 0 : 1)) {
                        return false;
                }
        }
        return true;
}

/* ---- a view (record 0014) */

static void view_begin(scene *s)
{
        s->config.core = toy_ops_view();
        begin(s);
}

/* A question whose answer has this many bytes too many. */
static void ask(scene *s, uint32_t id, uint32_t padding, door_position not_before)
{
        uint8_t body[TOY_QUERY_BYTES];

        if (s->ended) {
                return;
        }
        door_put_u32(body, padding);
        command_after(s, AGENCY, id, TOY_QUERY_COUNT, (door_bytes){ body, sizeof body }, not_before);
        if (!s->ended && !s->held_turns) {
                turn(s);
        }
}

static bool a_view_remembers_and_answers_without_a_record(scene *s)
{
        view_begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        source_says(s, TOY_NEWER, 4, 1, (door_position){ 0 });
        source_says(s, TOY_ADDED, 5, 1, (door_position){ 0 });
        const size_t commits = sim_store_unsynced(s->store);
        ask(s, 1, 0, (door_position){ 0 });
        return !s->ended && s->outcome == DOOR__V1__OUTCOME__DONE && s->counted == 2 && s->seen_seq == 3 &&
               commits == 3 && sim_store_unsynced(s->store) == 3 && sim_store_durable_head(s->store) == 0;
}

/* What a question sees and what it says it has seen are of one moment, whatever else is in its batch. */
static bool a_question_sees_what_stands_before_it_in_its_batch(scene *s)
{
        view_begin(s);
        s->held_turns = true;
        s->slow_commits = true;
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        ask(s, 1, 0, (door_position){ 0 });
        source_says(s, TOY_ADDED, 5, 1, (door_position){ 0 });
        turn(s);
        const bool waits = s->results == 0 && s->pending != NULL;
        s->held_turns = false;
        s->slow_commits = false;
        commit_now(s);
        const bool first = s->results == 1 && s->counted == 1 && s->seen_seq == 1;
        ask(s, 2, 0, (door_position){ 0 });
        return waits && first && s->counted == 2 && s->seen_seq == 2;
}

static bool a_question_waits_for_what_its_asker_has_seen(scene *s)
{
        view_begin(s);
        ask(s, 1, 0, (door_position){ 1, 1 });
        const bool waits = s->results == 0;
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        turn(s);
        const bool answered = s->results == 1 && s->outcome == DOOR__V1__OUTCOME__DONE && s->counted == 1;
        ask(s, 2, 0, (door_position){ 1, 2 });
        s->now_ms += DOOR_NOT_BEFORE_WAIT_MS;
        turn(s);
        return waits && answered && s->results == 2 && s->outcome == DOOR__V1__OUTCOME__RETRY &&
               s->reason == DOOR__V1__RETRY_REASON__RETRY_NOT_CAUGHT_UP;
}

static bool what_is_no_question_or_asked_of_no_view_is_malformed(scene *s)
{
        uint8_t body[TOY_QUERY_BYTES] = { 0 };

        view_begin(s);
        command(s, AGENCY, 1, TOY_QUERY_COUNT, (door_bytes){ body, sizeof body - 1 });
        turn(s);
        const bool no_question = s->results == 1 && s->outcome == DOOR__V1__OUTCOME__MALFORMED;
        add(s, AGENCY, 2); /* An ordinary command, of which a view has none. */
        turn(s);
        const bool no_command = s->results == 2 && s->outcome == DOOR__V1__OUTCOME__MALFORMED;
        s->config.core = toy_ops(2);
        again(s);
        command(s, AGENCY, 3, TOY_QUERY_COUNT, (door_bytes){ body, sizeof body });
        turn(s);
        return no_question && no_command && s->results == 3 && s->outcome == DOOR__V1__OUTCOME__MALFORMED &&
               sim_store_durable_head(s->store) == 0;
}

static bool a_question_that_cannot_be_read_for_has_no_answer(scene *s)
{
        view_begin(s);
        for (uint64_t nth = 1; nth < 64; nth++) {
                const size_t results = s->results;
                sim_store_fail_read(s->store, nth);
                ask(s, (uint32_t)nth, 0, (door_position){ 0 });
                sim_store_fail_read(s->store, 0);
                if (!s->ended) {
                        return nth > 1 && s->results == results + 1 && s->outcome == DOOR__V1__OUTCOME__DONE;
                }
                if (s->exit_code != DOOR_EXIT_RESTART || s->results != results) {
                        return false;
                }
                again(s);
        }
        return false;
}

static bool an_answer_larger_than_there_is_room_for_is_refused(scene *s)
{
        view_begin(s);
        ask(s, 1, DOOR_BATCH_ARENA_BYTES, (door_position){ 0 });
        const bool refused = s->outcome == DOOR__V1__OUTCOME__REFUSED &&
                             s->reason == DOOR__V1__REFUSED_REASON__REASON_TOO_LARGE;
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        ask(s, 2, 0, (door_position){ 0 });
        return refused && s->outcome == DOOR__V1__OUTCOME__DONE && s->counted == 1;
}

/* However little room is left when a question comes: it is answered, or said not to fit, and once. */
static bool whatever_room_there_is_a_question_is_answered_or_refused(scene *s)
{
        bool answered = false;
        bool refused = false;
        size_t least = 0; /* Room for a batch at all. */

        for (size_t room = 64 * DOOR_KIB; least == 0 || room < least + 8 * DOOR_KIB; room += 64) {
                scene_close(s);
                scene_open(s, 2);
                s->config.bounds.batch_arena_bytes = room;
                view_begin(s);
                ask(s, 1, 2048, (door_position){ 0 });
                if (s->ended) {
                        if (room > 512 * DOOR_KIB || !ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY)) {
                                return false;
                        }
                        continue;
                }
                least = least == 0 ? room : least;
                if (s->results != 1 || s->outcome == DOOR__V1__OUTCOME__MALFORMED) {
                        return false;
                }
                answered = answered || s->outcome == DOOR__V1__OUTCOME__DONE;
                refused = refused || s->outcome == DOOR__V1__OUTCOME__REFUSED;
        }
        return answered && refused;
}

static bool a_view_parks_and_releases_as_anybody(scene *s)
{
        Door__V1__Release release = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;

        view_begin(s);
        source_says(s, TOY_ADDED, 66, 1, (door_position){ 0 });
        source_says(s, TOY_ADDED, 5, 1, (door_position){ 0 });
        ask(s, 1, 0, (door_position){ 0 });
        const bool parked = sim_store_durable_head(s->store) == 1 && s->counted == 1;
        position.log = 1;
        position.seq = 1;
        release.record = &position;
        s->world.fixed = true;
        command(s, OPERATOR, 2, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE,
                door_frame_pack(&release.base, &s->arena));
        turn(s);
        ask(s, 3, 0, (door_position){ 0 });
        return parked && !s->ended && s->counted == 2 && sim_store_durable_head(s->store) == 2;
}

/* A power cut takes state and cursors back together; nothing is counted twice or not at all. */
static bool what_a_power_cut_takes_of_a_view_is_read_again(scene *s)
{
        view_begin(s);
        for (uint32_t i = 0; i < 3; i++) {
                source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        }
        sim_store_crash(s->store, 1);
        again(s);
        ask(s, 1, 0, (door_position){ 0 });
        return !s->ended && s->counted == 1 && s->seen_seq == 1;
}

static bool a_machine_that_reads_too_much_or_itself_is_not_made(scene *s)
{
        static door_peer many_peers[DOOR_PEERS_MAX];
        static const door_upstream itself[] = { { 2, "middle", DOOR_FORM_PUBLIC } };

        s->config.peers = many_peers;
        s->config.peers_count = DOOR_PEERS_MAX;
        const bool most = door_shell_new(&s->config, &s->shell) == DOOR_OK;
        s->shell = door_shell_free(s->shell);
        s->config.upstreams_count = DOOR_UPSTREAMS_MAX + 1;
        const bool many = door_shell_new(&s->config, &s->shell) == DOOR_INVALID;
        s->config.upstreams = itself;
        s->config.upstreams_count = 1;
        const bool own = door_shell_new(&s->config, &s->shell) == DOOR_INVALID;
        s->config.upstreams_count = 0;
        s->config.peers_count = DOOR_PEERS_MAX + 1;
        return most && many && own && door_shell_new(&s->config, &s->shell) == DOOR_INVALID &&
               s->shell == NULL;
}

/* Two starts have died of deciding a record: it is parked. One that has no payload is kept without, too. */
static bool a_killer_without_a_payload_is_parked_and_released_like_any_other(scene *s)
{
        Door__V1__Release release = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        uint8_t note[14] = { DOOR_POISON_DEATHS, 'E' };

        door_put_u32(note + 2, 1);
        door_put_u64(note + 6, 1);
        s->config.noted = (door_bytes){ note, sizeof note };
        s->bare = true;
        begin(s);
        source_says(s, TOY_ADDED, 0, 1, (door_position){ 0 });
        const bool parked = s->alert == DOOR_MALFORMED && sim_store_durable_head(s->store) == 1;
        position.log = 1;
        position.seq = 1;
        release.record = &position;
        command(s, OPERATOR, 5, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE,
                door_frame_pack(&release.base, &s->arena));
        turn(s);
        return parked && !s->ended && s->outcome == DOOR__V1__OUTCOME__DONE &&
               sim_store_durable_head(s->store) == 2; /* What has no value is due nothing. */
}

/* Two starts have died of deciding a command: it is refused, an operator is told, and the next is decided. */
static bool a_command_that_killed_is_refused_and_the_next_is_decided(scene *s)
{
        uint8_t note[2 + DOOR_HASH_BYTES] = { DOOR_POISON_DEATHS, 'C' };

        door_put_u32(note + 2, 1);
        s->config.noted = (door_bytes){ note, sizeof note };
        begin(s);
        policy(s);
        const size_t notes = s->notes;
        add(s, AGENCY, 1);
        turn(s);
        const bool refused = s->outcome == DOOR__V1__OUTCOME__REFUSED && s->alert == DOOR_MALFORMED &&
                             s->notes == notes; /* Nothing was decided that could kill again. */
        add(s, AGENCY, 2);
        turn(s);
        return refused && !s->ended && s->outcome == DOOR__V1__OUTCOME__DONE && s->notes == notes + 1;
}

static bool a_tick_that_cannot_read_is_tried_again(scene *s)
{
        begin(s);
        source_says(s, TOY_ADDED, 4, 1, (door_position){ 0 });
        s->now_ms += TOY_DUE_MS;
        for (uint64_t nth = 1; nth < 64; nth++) {
                sim_store_fail_read(s->store, nth);
                turn(s);
                sim_store_fail_read(s->store, 0);
                if (sim_store_durable_head(s->store) == 2) {
                        return nth > 2;
                }
                if (!ended_with(s, DOOR_EXIT_RESTART, DOOR_IO)) {
                        return false;
                }
                s->now_ms -= TOY_DUE_MS; /* So that the start itself has nothing to do. */
                again(s);
                s->now_ms += TOY_DUE_MS;
        }
        return false;
}

/* ---- effects: what log 5 has to do of each WATCHED of log 4 whose value is 5 ---- */

static void watched(scene *s)
{
        source_says(s, TOY_WATCHED, 5, 1, (door_position){ 0 });
}

/* The executor's word about what was last asked for. */
static void outcome_told(scene *s, uint32_t code)
{
        step(s, (door_happening){
                        .kind = DOOR_HAPPENING_EFFECT,
                        .outcome = { .key = s->effect_key, .attempt = s->effect_attempt, .code = code } });
}

static bool an_effect_is_asked_for_once_its_record_is_durable(scene *s)
{
        begin(s);
        s->slow_commits = true;
        watched(s);
        turn(s);
        const bool waits = s->pending != NULL && s->effects == 0;
        s->slow_commits = false;
        commit_now(s);
        return waits && s->effects == 1 && s->effect_attempt == 1 && !door_id_is_zero(&s->effect_key);
}

static bool an_outcome_is_decided_once_and_ends_the_effect(scene *s)
{
        begin(s);
        watched(s);
        outcome_told(s, 0);
        const bool ended = sim_store_durable_head(s->store) == 2;
        outcome_told(s, 0);
        turn(s);
        again(s);
        return ended && !s->ended && s->effects == 1 && sim_store_durable_head(s->store) == 2;
}

static bool an_outcome_that_was_not_asked_for_is_counted_and_no_more(scene *s)
{
        begin(s);
        watched(s);
        s->effect_attempt++;
        outcome_told(s, 0);
        s->effect_attempt--;
        s->effect_key.bytes[0] ^= 1;
        outcome_told(s, 0);
        return sim_store_durable_head(s->store) == 1 && door_shell_count(s->shell)->outcomes_unasked == 2;
}

/* Until the outcome is durable, the effect is not done, and not asked for a second time either. */
static bool an_outcome_being_written_asks_for_nothing_and_is_lost_with_the_process(scene *s)
{
        begin(s);
        watched(s);
        s->slow_commits = true;
        outcome_told(s, 0);
        turn(s);
        const bool quiet = s->pending != NULL && s->effects == 1;
        s->slow_commits = false;
        s->pending = NULL;
        again(s);
        const bool asked = s->effects == 2 && s->effect_attempt == 1;
        outcome_told(s, 0);
        return quiet && asked && sim_store_durable_head(s->store) == 2;
}

static bool what_was_under_way_is_asked_for_again_after_a_start(scene *s)
{
        begin(s);
        watched(s);
        const door_id key = s->effect_key;
        again(s);
        return s->effects == 2 && s->effect_attempt == 1 && door_id_equal(&key, &s->effect_key);
}

static bool no_more_effects_are_under_way_than_may_be(scene *s)
{
        begin(s);
        for (size_t i = 0; i < DOOR_EFFECTS_MAX + 4; i++) {
                watched(s);
        }
        const bool bounded =
                s->effects == DOOR_EFFECTS_MAX && door_shell_count(s->shell)->effects_now == DOOR_EFFECTS_MAX;
        outcome_told(s, 0);
        return bounded && s->effects == DOOR_EFFECTS_MAX + 1;
}

static bool an_effect_that_failed_is_asked_for_when_it_is_due_again_and_its_end_is_told(scene *s)
{
        begin(s);
        watched(s);
        for (uint32_t attempt = 1; attempt < TOY_TRIES_MAX; attempt++) {
                outcome_told(s, 1);
                const bool sleeps = s->effects == attempt && !s->wishes.again &&
                                    s->wishes.wake_mono_ms <= s->now_ms + TOY_TRY_AGAIN_MS;
                s->now_ms += TOY_TRY_AGAIN_MS - 1;
                turn(s);
                if (!sleeps || s->effects != attempt || s->wishes.wake_mono_ms != s->now_ms + 1) {
                        return false;
                }
                s->now_ms++;
                turn(s);
                if (s->effects != attempt + 1 || s->effect_attempt != attempt + 1 || s->alerts != 0) {
                        return false;
                }
        }
        outcome_told(s, 1);
        return s->alerts == 1 && s->effects == TOY_TRIES_MAX &&
               sim_store_durable_head(s->store) == 1 + TOY_TRIES_MAX;
}

/* Each read of asking, and of deciding the outcome, fails once: nothing is asked for or decided. */
static bool effects_that_cannot_be_read_end_us_to_be_started_again(scene *s)
{
        unsigned ends[2] = { 0, 0 };

        begin(s);
        watched(s);
        for (uint64_t nth = 1; nth < 64 && sim_store_durable_head(s->store) == 1; nth++) {
                const size_t effects = s->effects;
                s->shell = door_shell_free(s->shell);
                s->held_turns = true; /* A start that does not yet look. */
                begin(s);
                s->held_turns = false;
                sim_store_fail_read(s->store, nth);
                turn(s);
                if (!s->ended) {
                        outcome_told(s, 0);
                }
                sim_store_fail_read(s->store, 0);
                ends[s->effects > effects ? 1 : 0] += s->ended ? 1 : 0;
                if (s->ended && s->exit_code != DOOR_EXIT_RESTART) {
                        return false;
                }
                s->ended = false;
        }
        return ends[0] > 0 && ends[1] > 0 && sim_store_durable_head(s->store) == 2;
}

static bool next_effect_without_room(door_view *view, const void *policy, uint64_t now_ms,
                                     const door_id *busy, size_t busy_count, door_arena *arena,
                                     door_effect *ret_effect)
{
        (void)door_arena_take(arena, arena->cap + 1);
        return toy_ops(5)->next_effect(view, policy, now_ms, busy, busy_count, arena, ret_effect);
}

static bool an_effect_for_which_there_is_no_room_waits_and_does_not_spin(scene *s)
{
        static door_core_ops changed;

        changed = *s->config.core;
        changed.next_effect = next_effect_without_room;
        s->config.core = &changed;
        begin(s);
        watched(s);
        return !s->ended && s->effects == 0 && !s->wishes.again && s->wishes.wake_mono_ms > s->now_ms &&
               s->wishes.wake_mono_ms <= s->now_ms + 1000;
}

static bool whatever_room_there_is_an_outcome_is_decided_or_said_not_to_fit(scene *s)
{
        size_t decided = 0;
        size_t said = 0;

        for (size_t room = 80 * DOOR_KIB; room < 120 * DOOR_KIB; room += 64) {
                scene_close(s);
                scene_open(s, 5);
                begin(s);
                watched(s);
                s->config.bounds.batch_arena_bytes = room;
                again(s);
                const bool runs = !s->ended;
                if (runs) {
                        outcome_told(s, 0);
                }
                const uint64_t head = sim_store_durable_head(s->store);
                if (s->ended ? head != 1 || !ended_with(s, DOOR_EXIT_STAY_DOWN, DOOR_NO_MEMORY) : head != 2) {
                        return false;
                }
                decided += head - 1;
                said += runs && s->ended ? 1 : 0;
        }
        return decided > 0 && said > 0;
}

int scenes_check(void)
{
        static const struct {
                const char *name;
                uint32_t log;
                bool (*play)(scene *s);
        } scenes[] = {
#define SCENE(log, name) { #name, log, name }
                SCENE(2, what_an_upstream_says_has_its_effect),
                SCENE(2, an_upstream_that_has_seen_more_than_we_hold_stops_us_for_good),
                SCENE(2, what_an_upstream_has_seen_of_us_may_be_all_we_hold),
                SCENE(2, services_that_echo_each_other_are_stopped),
                SCENE(2, a_type_nobody_knows_stops_the_reading_of_that_log_and_is_told),
                SCENE(1, a_commit_of_unknown_outcome_ends_us_to_be_started_again),
                SCENE(1, a_store_behind_what_it_held_ends_us_for_good),
                SCENE(2, a_start_without_the_cursor_the_last_record_had_is_refused),
                SCENE(2, a_start_that_cannot_read_is_tried_again),
                SCENE(1, a_policy_that_no_longer_decodes_keeps_us_down),
                SCENE(1, what_waits_from_a_peer_that_is_taken_off_the_list_is_dropped),
                SCENE(1, what_is_being_written_for_a_peer_taken_off_the_list_is_answered),
                SCENE(1, what_waits_keeps_its_peer_when_the_list_is_in_another_order),
                SCENE(2, a_full_list_of_parked_records_ends_us_for_good),
                SCENE(2, a_parked_record_that_cannot_be_read_back_is_tried_again),
                SCENE(2, a_record_released_in_the_batch_that_parks_it_waits_for_the_next),
                SCENE(2, a_machine_without_room_for_a_batch_says_so_and_stays_down),
                SCENE(1, whatever_room_there_is_an_input_is_decided_or_put_aside_whole),
                SCENE(1, a_policy_with_anything_wrong_is_refused),
                SCENE(1, two_clock_steps_before_anything_is_written_are_told_as_one),
                SCENE(1, a_clock_step_while_the_last_one_is_being_written_is_told_too),
                SCENE(1, a_consumer_counts_for_what_is_settled_once_it_has_asked),
                SCENE(1, room_for_answers_is_found_again_in_every_step),
                SCENE(1, what_has_arrived_is_one_batch),
                SCENE(2, records_that_have_arrived_are_one_batch),
                SCENE(1, care_lasts_for_a_batchs_worth_of_inputs),
                SCENE(2, a_view_remembers_and_answers_without_a_record),
                SCENE(2, a_question_sees_what_stands_before_it_in_its_batch),
                SCENE(2, a_question_waits_for_what_its_asker_has_seen),
                SCENE(2, what_is_no_question_or_asked_of_no_view_is_malformed),
                SCENE(2, a_question_that_cannot_be_read_for_has_no_answer),
                SCENE(2, an_answer_larger_than_there_is_room_for_is_refused),
                SCENE(2, whatever_room_there_is_a_question_is_answered_or_refused),
                SCENE(2, a_view_parks_and_releases_as_anybody),
                SCENE(2, what_a_power_cut_takes_of_a_view_is_read_again),
                SCENE(2, a_machine_that_reads_too_much_or_itself_is_not_made),
                SCENE(2, a_killer_without_a_payload_is_parked_and_released_like_any_other),
                SCENE(1, a_command_that_killed_is_refused_and_the_next_is_decided),
                SCENE(2, a_tick_that_cannot_read_is_tried_again),
                SCENE(5, an_effect_is_asked_for_once_its_record_is_durable),
                SCENE(5, an_outcome_is_decided_once_and_ends_the_effect),
                SCENE(5, an_outcome_that_was_not_asked_for_is_counted_and_no_more),
                SCENE(5, an_outcome_being_written_asks_for_nothing_and_is_lost_with_the_process),
                SCENE(5, what_was_under_way_is_asked_for_again_after_a_start),
                SCENE(5, no_more_effects_are_under_way_than_may_be),
                SCENE(5, an_effect_that_failed_is_asked_for_when_it_is_due_again_and_its_end_is_told),
                SCENE(5, effects_that_cannot_be_read_end_us_to_be_started_again),
                SCENE(5, an_effect_for_which_there_is_no_room_waits_and_does_not_spin),
                SCENE(5, whatever_room_there_is_an_outcome_is_decided_or_said_not_to_fit),
#undef SCENE
        };
        const size_t count = sizeof scenes / sizeof scenes[0];
        int failed = 0;

        for (size_t i = 0; i < count; i++) {
                static scene s;
                scene_open(&s, scenes[i].log);
                const bool well = scenes[i].play(&s);
                scene_close(&s);
                failed += well ? 0 : 1;
                if (!well) {
                        (void)printf("FAILED scene: %s\n", scenes[i].name);
                }
        }
        (void)printf("scenes: %zu, gone wrong: %d\n", count, failed);
        (void)fflush(stdout);
        return failed;
}
