/*
 * sim.c - the event loop of sim.h.
 *
 * Endpoints are numbered: services 0 … n-1, then clients. A connection is (from, to, epoch of
 * the connecting side); frames keep their order within it and nowhere else. What crosses a
 * connection whose epoch has passed is dropped, or, sometimes, comes late.
 */
#include "sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "door/v1/envelope.pb-c.h"
#include "shell/fold.h"
#include "shell/frame.h"
#include "shell/shell_state.h"
#include "sim/plants.h"
#include "sim/sim_bus.h"
#include "sim/sim_memory.h"

enum {
        ENDPOINTS_MAX = SIM_NODES_MAX + SIM_CLIENTS,
        OUTSTANDING_MAX = 6,
        JOURNAL_MAX = 600,
        ARENA_BYTES = 8 * 1024 * 1024,
        EVENTS_PER_RUN_MAX = 400000,
        DRAIN_MS = 900000,
        IDLE_MS = 100000,
        IDLE_TURNS_PER_SECOND_MAX = 12, /* Heartbeats both ways of up to three logs take 5. */
        ALERTS_KEPT = 1024,
        TABLES = 256,
        ASKED_AT_ONCE = 24,
        ASKED_TIMES_MAX = 20,
        STUCK_STARTS = 15, /* Deaths at one place: care must have put the killer aside long before. */
};
#define WALL_START_MS UINT64_C(1790000000000)

typedef enum event_kind {
        EVENT_FRAME = 1,
        EVENT_COMMIT_DO,
        EVENT_COMMITTED,
        EVENT_NOTED,
        EVENT_CHECKPOINT,
        EVENT_EFFECT, /* The executor has tried; frame: a door_outcome. */
        EVENT_TURN,
        EVENT_RESTART,
        EVENT_CLIENT,
        EVENT_CHAOS,
} event_kind;

typedef struct event {
        uint64_t at_us;
        uint64_t order;
        uint64_t due_us; /* TURN: when it was asked for, however late it comes. */
        event_kind kind;
        size_t to;            /* Endpoint. */
        uint64_t incarnation; /* Of the receiver, for what dies with it. */
        size_t from;
        uint64_t epoch; /* Of the connection. */
        door_channel channel;
        size_t upstream;
        uint8_t *frame;
        size_t frame_len;
} event;

typedef struct node {
        const sim_service *service;
        sim_store *store;
        door_store_port port;
        door_shell *shell;
        bool up;
        uint64_t incarnation;
        uint64_t epochs[DOOR_UPSTREAMS_MAX];
        uint64_t mono_base_ms;
        int64_t wall_offset_ms;
        int64_t wall_offset_max_ms; /* What it once showed; due times may rest on it. */
        uint64_t asleep_until_us;
        uint64_t turn_at_us; /* A TURN is scheduled no later than this; UINT64_MAX: none. */
        door_disk disk;
        const door_commit *commit; /* Wished for, not yet done. */
        door_status committed;
        door_status checkpointed; /* What the last checkpoint ended with. */
        uint64_t turns;
        uint8_t key[32]; /* Attempts: digest of head and cursors at the last start … */
        uint32_t starts; /* … and how many starts died there. */
        uint8_t note[64];
        uint8_t noted_before[64]; /* At this life's start; the machine's for as long as it lives. */
        size_t note_len;
        uint64_t anchor_seq;
        uint8_t anchor_hash[32];
        door_peer peers[DOOR_PEERS_MAX];
        size_t peers_count;
        door_peer peers_left[2][DOOR_PEERS_MAX]; /* What a reading of the list left, and the one before. */
        size_t peers_reading;
        door_shell_bounds bounds; /* Of this start; all 0: as in programs. */
        bool roomy;               /* The next start has the usual bounds. */
        bool older;               /* The program has not been upgraded yet. */
        uint32_t parked_at_start;
        uint64_t started_wall_ms;
        uint64_t anchored_mono_ms; /* Of this start; 0: none yet. */
        uint64_t anchored_seq;
        door_position alerts[ALERTS_KEPT]; /* The newest, by turns: what an operator was told of. */
        size_t alerts_count;
        door_effect effects[DOOR_EFFECTS_MAX]; /* Under way at the executor; frame is not kept. */
        size_t effects_count;
        uint64_t cursors_fed[DOOR_UPSTREAMS_MAX];
} node;

typedef enum entry_state { ENTRY_OPEN = 1, ENTRY_ENDED } entry_state;

/* A command in a client's journal. */
typedef struct entry {
        entry_state state;
        uint32_t log;
        uint32_t type;
        uint32_t lane;
        uint8_t id[32];
        uint8_t digest[32];
        uint8_t *body;
        size_t body_len;
        const char *actor;
        uint64_t expected_version;
        bool may_be_malformed;
        bool answered; /* Of a question: as of what is the end of every log now. */
        size_t client;
        uint64_t resend_at_us;
        door_position not_before;
} entry;

typedef struct world {
        const sim_topology *topology;
        const sim_options *options;
        sim_rng rng;
        void *context;
        audit_model model;
        audit *audit;
        uint64_t now_us;
        uint64_t order;
        event *heap;
        size_t heap_count;
        size_t heap_max;
        node nodes[SIM_NODES_MAX];
        size_t nodes_count;
        sim_bus bus;
        uint64_t client_epoch[SIM_CLIENTS];
        entry journal[JOURNAL_MAX];
        size_t journal_count;
        door_position last_seen[SIM_NODES_MAX];
        bool faults;
        bool draining;
        bool asking; /* Questions of questions_check are under way. */
        size_t asked_answers;
        sim_tally tally;
        void *memory;
        door_arena arena;
        door_wishes wishes;
} world;

_Static_assert((int)ENDPOINTS_MAX == (int)SIM_ENDPOINTS_MAX, "every endpoint has its connections");

static void *must(void *pointer)
{
        DOOR_REQUIRE(pointer != NULL);
        return pointer;
}

static bool is_view(const node *n)
{
        return n->service->core->project != NULL;
}

static void trace(const world *w, const char *what, size_t who, uint64_t number)
{
        if (w->options->trace) {
                (void)fprintf(stderr, "[%10.3f] %-14s %zu %llu\n", (double)w->now_us / 1000.0, what, who,
                              (unsigned long long)number);
        }
}

/* ---- the queue: a binary heap by (time, order) ---- */

static bool before(const event *a, const event *b)
{
        return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

static void heap_push(world *w, event e)
{
        if (w->heap_count == w->heap_max) {
                w->heap_max = w->heap_max == 0 ? 1024 : w->heap_max * 2;
                w->heap = must(realloc(w->heap, w->heap_max * sizeof w->heap[0]));
        }
        e.order = w->order++;
        size_t at = w->heap_count++;
        while (at > 0 && before(&e, &w->heap[(at - 1) / 2])) {
                w->heap[at] = w->heap[(at - 1) / 2];
                at = (at - 1) / 2;
        }
        w->heap[at] = e;
}

static event heap_pop(world *w)
{
        const event top = w->heap[0];
        const event last = w->heap[--w->heap_count];
        size_t at = 0;

        for (;;) {
                size_t child = 2 * at + 1;
                if (child >= w->heap_count) {
                        break;
                }
                if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child])) {
                        child++;
                }
                if (!before(&w->heap[child], &last)) {
                        break;
                }
                w->heap[at] = w->heap[child];
                at = child;
        }
        w->heap[at] = last;
        return top;
}

static bool chance(world *w, uint64_t per_mille)
{
        return sim_bus_chance(&w->bus, per_mille);
}

/* ---- the network ---- */

static void frame_send(world *w, size_t from, size_t to, uint64_t epoch, door_channel channel,
                       size_t upstream, door_bytes frame)
{
        const uint64_t at_us = sim_bus_send(&w->bus, from, to, w->now_us);

        w->tally.frames++;
        if (at_us == 0) {
                w->tally.dropped++;
                return;
        }
        event e = { .at_us = at_us,
                    .kind = EVENT_FRAME,
                    .to = to,
                    .from = from,
                    .epoch = epoch,
                    .channel = channel,
                    .upstream = upstream,
                    .frame = must(malloc(frame.len)),
                    .frame_len = frame.len };
        memcpy(e.frame, frame.data, frame.len);
        e.incarnation = to < w->nodes_count ? w->nodes[to].incarnation : 0;
        if (channel == DOOR_CHANNEL_UPSTREAM && to < w->nodes_count && frame.len > 200 && chance(w, 8)) {
                /* Not what a network under CURVE does, but what a wrong buffer would. */
                e.frame[sim_rng_between(&w->rng, frame.len / 3, frame.len - 20)] ^= 0x20;
                w->tally.corrupted++;
        }
        heap_push(w, e);
}

/* ---- a service's life ---- */

static void turn_at(world *w, size_t index, uint64_t at_us)
{
        node *n = &w->nodes[index];

        if (n->turn_at_us <= at_us) {
                return;
        }
        n->turn_at_us = at_us;
        heap_push(w, (event){ .at_us = at_us,
                              .due_us = at_us,
                              .kind = EVENT_TURN,
                              .to = index,
                              .incarnation = n->incarnation });
}

static door_happening happening(world *w, const node *n, door_happening_kind kind)
{
        door_happening h = { .kind = kind, .disk = n->disk };
        const uint64_t real_ms = w->now_us / 1000;

        h.now.mono_ms = real_ms + n->mono_base_ms;
        h.now.wall_ms = (uint64_t)((int64_t)(WALL_START_MS + real_ms) + n->wall_offset_ms);
        sim_rng_fill(&w->rng, h.random, sizeof h.random);
        return h;
}

/* How many records are parked, as the durable state says. */
static uint32_t parked_count(world *w, node *n)
{
        static const uint8_t key[] = { DOOR_TABLE_SHELL + 4 };
        door_bytes value = DOOR_BYTES_EMPTY;
        bool found = false;

        door_arena_reset(&w->arena);
        const door_status status =
                n->port.state.get(n->port.state.context, (door_bytes){ key, 1 }, &w->arena, &value, &found);
        return status == DOOR_OK && found ? door_get_u32(value.data) : 0;
}

/* No silent parking, and never more of it than may be (R8, MECHANISM section 4). */
static void parked_check(world *w, node *n, const door_record *record)
{
        const uint32_t log = n->service->core->log;
        door_header header;
        door_bytes payload;
        bool told = false;

        door_arena_reset(&w->arena);
        if (door_header_decode(record->header, &w->arena, &header) != DOOR_OK ||
            header.type != DOOR__V1__SHELL_TYPE__SHELL_PARKED ||
            !door_payload_open(record->public_payload, &header.public_digest, &payload)) {
                return;
        }
        ProtobufCAllocator allocator = door_proto_allocator(&w->arena);
        const Door__V1__Parked *parked = door__v1__parked__unpack(&allocator, payload.len, payload.data);
        for (size_t i = 0; parked != NULL && i < ALERTS_KEPT && !told; i++) {
                told = n->alerts[i].log == parked->record->log && n->alerts[i].seq == parked->record->seq;
        }
        if (!told) {
                audit_fail(w->audit, "R8", "log %u seq %llu: parked, and nobody was told", log,
                           (unsigned long long)record->seq);
        }
        const uint32_t count = parked_count(w, n);
        if (n->up && n->bounds.parked_max != 0 && count > n->bounds.parked_max &&
            count > n->parked_at_start) {
                audit_fail(w->audit, "BOUND", "log %u: %u records are parked, at most %u may be", log, count,
                           n->bounds.parked_max);
        }
}

static void feed(world *w, size_t index)
{
        node *n = &w->nodes[index];
        const uint32_t log = n->service->core->log;
        door_cursor cursors[DOOR_UPSTREAMS_MAX];

        while (audit_head(w->audit, log) < sim_store_durable_head(n->store)) {
                const door_record *r = sim_store_durable_record(n->store, audit_head(w->audit, log) + 1);
                const audit_record record = {
                        .seq = r->seq,
                        .hash = r->hash.bytes,
                        .header = { r->header.data, r->header.len },
                        .public_payload = { r->public_payload.data, r->public_payload.len },
                        .private_payload = { r->private_payload.data, r->private_payload.len },
                        .payloads_given = true,
                };
                audit_record_durable(w->audit, log, &record);
                parked_check(w, n, r);
                if (audit_breach(w->audit) != NULL) {
                        return;
                }
        }
        const size_t count = sim_store_durable_cursors(n->store, cursors);
        for (size_t i = 0; i < count; i++) {
                if (cursors[i].seq != n->cursors_fed[i]) {
                        audit_cursor(w->audit, log, cursors[i].log, cursors[i].seq, cursors[i].hash.bytes,
                                     false);
                        n->cursors_fed[i] = cursors[i].seq;
                }
        }
}

/* Before the state is rebuilt from nothing: the log alone must say everything the state says. */
typedef struct comparing {
        sim_store *replayed;
        size_t rows;
        bool equal;
        bool zero_is_none;
        unsigned from, to; /* The tables it is about: from ≤ table < to. */
        unsigned differs;  /* The last that is not the same. */
} comparing;

/* A number that has come back to nothing is what it was before it began. */
static bool is_zero(door_bytes value)
{
        size_t at = 0;

        while (at < value.len && value.data[at] == 0) {
                at++;
        }
        return value.len > 0 && at == value.len;
}

static void compare_row(void *context, door_bytes key, door_bytes value)
{
        comparing *c = context;
        static _Alignas(16) uint8_t memory[ARENA_BYTES / 8];
        door_arena arena;
        door_bytes other = DOOR_BYTES_EMPTY;
        bool found = false;
        const door_store_port port = sim_store_port(c->replayed);

        if (key.data[0] < c->from || key.data[0] >= c->to || (c->zero_is_none && is_zero(value))) {
                return;
        }
        door_arena_init(&arena, memory, sizeof memory);
        c->rows++;
        (void)port.state.get(port.state.context, key, &arena, &other, &found);
        if (!found || !door_bytes_equal(value, other)) {
                c->equal = false;
                c->differs = key.data[0];
        }
}

static void count_row(void *context, door_bytes key, door_bytes value)
{
        (void)key;
        (void)value;
        (*(size_t *)context)++;
}

static void count_some(void *context, door_bytes key, door_bytes value)
{
        (void)key;
        (*(size_t *)context) += is_zero(value) ? 0 : 1;
}

static void replay_check(world *w, size_t index)
{
        node *n = &w->nodes[index];
        sim_store *replayed = sim_store_new((const uint8_t[16]){ 1 }, SIM_STORE_SOUND);
        const door_store_port port = sim_store_port(replayed);
        const uint64_t head = sim_store_durable_head(n->store);
        size_t rows = 0;

        w->topology->enter(w->context);
        for (uint64_t seq = 1; seq <= head; seq++) {
                const door_record *r = sim_store_durable_record(n->store, seq);
                door_header header;
                door_bytes public_payload = DOOR_BYTES_EMPTY;
                door_bytes private_payload = DOOR_BYTES_EMPTY;
                door_view view;
                door_arena_reset(&w->arena);
                door_view_init(&view, &port.state, &w->arena);
                if (door_header_decode(r->header, &w->arena, &header) != DOOR_OK ||
                    (header.has_public &&
                     !door_payload_open(r->public_payload, &header.public_digest, &public_payload)) ||
                    (header.has_private &&
                     !door_payload_open(r->private_payload, &header.private_digest, &private_payload)) ||
                    door_fold(n->service->core, &view, &header, public_payload, private_payload, &w->arena) !=
                            DOOR_OK) {
                        audit_fail(w->audit, "REPLAY", "log %u seq %llu cannot be folded",
                                   n->service->core->log, (unsigned long long)seq);
                        break;
                }
                const door_commit commit = { .changes = view.head[0] };
                DOOR_REQUIRE(port.commit(port.context, &commit) == DOOR_OK);
        }
        /* A view's own rows are a fold of other logs: rebuild_check. */
        comparing c = {
                .replayed = replayed, .equal = true, .from = is_view(n) ? DOOR_TABLE_SHELL : 0, .to = TABLES
        };
        sim_store_each(n->store, compare_row, &c);
        sim_store_each(replayed, count_row, &rows);
        if (!c.equal || rows != c.rows) {
                audit_fail(w->audit, "REPLAY", "log %u: the state is not what its log says",
                           n->service->core->log);
        }
        (void)sim_store_free(replayed);
}

static size_t node_of_log(const world *w, uint32_t log)
{
        for (size_t i = 0; i < w->nodes_count; i++) {
                if (w->nodes[i].service->core->log == log) {
                        return i;
                }
        }
        return SIZE_MAX;
}

/* The next record of one log into the view; false: it has seen what is still to come, or there is none. */
static bool rebuild_step(world *w, const node *n, const door_store_port *port, door_cursor *cursors,
                         size_t at)
{
        const door_core_ops *core = n->service->core;
        const uint32_t log = cursors[at].log;
        const sim_store *store = w->nodes[node_of_log(w, log)].store;
        door_bytes payload = DOOR_BYTES_EMPTY;
        door_header header;
        door_view view;
        bool consumed = false;

        if (cursors[at].seq == sim_store_durable_head(store)) {
                return false;
        }
        const door_record *r = sim_store_durable_record(store, cursors[at].seq + 1);
        door_arena_reset(&w->arena);
        door_view_init(&view, &port->state, &w->arena);
        DOOR_REQUIRE(door_header_decode(r->header, &w->arena, &header) == DOOR_OK);
        for (size_t i = 0; i < n->service->upstreams_count; i++) {
                if (i != at && door_header_seen(&header, cursors[i].log) > cursors[i].seq) {
                        return false;
                }
        }
        cursors[at].seq++;
        for (size_t i = 0; i < core->consumes_count; i++) {
                consumed |= core->consumes[i].log == log && core->consumes[i].type == header.type;
        }
        if (consumed) {
                door_input input = { .kind = DOOR_INPUT_EVENT,
                                     .type = header.type,
                                     .cause = { log, header.seq },
                                     .flags = header.flags,
                                     .at_ms = header.at_ms,
                                     .subjects_count = header.subjects_count,
                                     .subjects = header.subjects };
                DOOR_REQUIRE(!header.has_public ||
                             door_payload_open(r->public_payload, &header.public_digest, &payload));
                DOOR_REQUIRE(core->decode_input(log, header.type, header.version, payload, &w->arena,
                                                &input.body) == DOOR_OK);
                view.writable = true;
                core->project(&view, &input);
                const door_commit commit = { .changes = view.head[0] };
                DOOR_REQUIRE(view.latch == DOOR_OK && port->commit(port->context, &commit) == DOOR_OK);
        }
        return true;
}

/*
 * What a view remembers does not depend on when it heard of what: made anew from the logs, one as far as
 * it goes and then the next, it is the same, row for row (`frontdoor view rebuild`).
 */
static void rebuild_check(world *w, size_t index)
{
        const node *n = &w->nodes[index];
        sim_store *rebuilt = sim_store_new((const uint8_t[16]){ 1 }, SIM_STORE_SOUND);
        const door_store_port port = sim_store_port(rebuilt);
        door_cursor cursors[DOOR_UPSTREAMS_MAX] = { { .log = 0 } };
        size_t rows = 0;
        size_t taken = 1;

        for (size_t i = 0; i < n->service->upstreams_count; i++) {
                cursors[i].log = n->service->upstreams[i].log;
        }
        while (taken > 0) {
                taken = 0;
                for (size_t i = 0; i < n->service->upstreams_count; i++) {
                        while (rebuild_step(w, n, &port, cursors, i)) {
                                taken++;
                        }
                }
        }
        comparing c = { .replayed = rebuilt, .equal = true, .zero_is_none = true, .to = DOOR_TABLE_SHELL };
        sim_store_each(n->store, compare_row, &c);
        sim_store_each(rebuilt, count_some, &rows);
        if (!c.equal || rows != c.rows) {
                audit_fail(w->audit, "REBUILD",
                           "log %u: the view is not what the logs make of it: table %02x, %zu rows and %zu",
                           n->service->core->log, c.differs, c.rows, rows);
        }
        (void)sim_store_free(rebuilt);
}

static void restart_later(world *w, size_t index, uint64_t low_ms, uint64_t high_ms)
{
        heap_push(w, (event){ .at_us = w->now_us + sim_rng_between(&w->rng, low_ms, high_ms) * 1000,
                              .kind = EVENT_RESTART,
                              .to = index });
}

/* The process is gone. A power cut keeps a prefix of the unsynced; a dead process keeps all. */
static void die(world *w, size_t index, bool power_cut)
{
        node *n = &w->nodes[index];

        if (!n->up) {
                return;
        }
        trace(w, power_cut ? "power-cut" : "dies", index, sim_store_durable_head(n->store));
        if (n->commit != NULL && sim_rng_chance(&w->rng, 500)) {
                (void)n->port.commit(n->port.context, n->commit); /* It got there before the end. */
        }
        n->commit = NULL;
        n->effects_count = 0; /* Whatever comes of them is heard by nobody. */
        sim_store_crash(n->store, power_cut ? (size_t)sim_rng_below(&w->rng, sim_store_unsynced(n->store) + 1)
                                            : SIZE_MAX);
        n->shell = door_shell_free(n->shell);
        n->up = false;
        n->incarnation++;
        n->turn_at_us = UINT64_MAX;
        n->asleep_until_us = 0;
        feed(w, index);
        restart_later(w, index, 5, w->faults ? 3000 : 50);
}

static void attempts_key(const node *n, const door_standing *standing, uint8_t out[32])
{
        uint8_t head[8];
        door_bytes parts[1 + DOOR_UPSTREAMS_MAX];
        uint8_t seqs[DOOR_UPSTREAMS_MAX][8];
        size_t count = 0;

        (void)n;
        door_put_u64(head, standing->head);
        parts[count++] = (door_bytes){ head, 8 };
        for (size_t i = 0; i < standing->cursors_count; i++) {
                door_put_u64(seqs[i], standing->cursors[i].seq);
                parts[count++] = (door_bytes){ seqs[i], 8 };
        }
        const door_hash digest = door_hash_of(parts, count);
        memcpy(out, digest.bytes, 32);
}

static void step(world *w, size_t index, const door_happening *h);

/* Sometimes a start has little room, so that every bound is met. */
static door_shell_bounds bounds_draw(world *w, node *n)
{
        door_shell_bounds bounds = { 0 };

        if (!n->roomy && chance(w, 300)) {
                bounds.batch_arena_bytes = 64 * (size_t)sim_rng_between(&w->rng, 2200, 12000);
                bounds.out_arena_bytes =
                        sim_rng_chance(&w->rng, 300) ? 64 * (size_t)sim_rng_between(&w->rng, 20, 400) : 0;
                bounds.parked_max =
                        sim_rng_chance(&w->rng, 300) ? (uint32_t)sim_rng_between(&w->rng, 1, 4) : 0;
                w->tally.tight_starts++;
        }
        n->roomy = false;
        return bounds;
}

static void start(world *w, size_t index)
{
        node *n = &w->nodes[index];
        door_standing standing;
        const char *why = NULL;
        uint8_t key[32];

        if (n->up) {
                return;
        }
        const uint32_t log = n->service->core->log;
        if (!sim_store_standing(n->store, &standing, &why)) {
                audit_fail(w->audit, "R5", "log %u refuses to start: %s", log, why);
                return;
        }
        audit_reopened(w->audit, log, standing.head);
        audit_held(w->audit, log, n->anchor_seq, n->anchor_hash, "the anchor");
        attempts_key(n, &standing, key);
        if (memcmp(key, n->key, sizeof key) == 0) {
                n->starts++;
                if (n->starts > STUCK_STARTS) {
                        audit_fail(w->audit, "POISON", "log %u has died %u times at one place", log,
                                   n->starts);
                        return;
                }
        } else {
                memcpy(n->key, key, sizeof key);
                n->starts = 0;
        }
        n->bounds = bounds_draw(w, n);
        n->parked_at_start = parked_count(w, n);
        w->tally.older_starts += n->older ? 1 : 0;
        memcpy(n->noted_before, n->note, n->note_len);
        const door_shell_config config = {
                .core = n->older ? n->service->older : n->service->core,
                .bounds = n->bounds,
                .store = &n->port,
                .standing = standing,
                .upstreams = n->service->upstreams,
                .upstreams_count = n->service->upstreams_count,
                .peers = n->peers,
                .peers_count = n->peers_count,
                .version = "sim",
                .starts_here = n->starts,
                .noted = { n->noted_before, n->note_len },
        };
        if (w->tally.events < 50) {
                const char *wrong = sim_new_without_memory(&config);
                if (wrong != NULL) {
                        audit_fail(w->audit, "MEMORY", "log %u: %s", log, wrong);
                }
        }
        DOOR_REQUIRE(door_shell_new(&config, &n->shell) == DOOR_OK);
        n->up = true;
        n->anchored_mono_ms = 0;
        n->anchored_seq = 0;
        n->mono_base_ms = sim_rng_below(&w->rng, 1000000);
        n->turn_at_us = UINT64_MAX;
        for (size_t i = 0; i < n->service->upstreams_count; i++) {
                n->epochs[i]++;
        }
        trace(w, "starts", index, standing.head);
        const door_happening h = happening(w, n, DOOR_HAPPENING_START);
        n->started_wall_ms = h.now.wall_ms;
        step(w, index, &h);
}

/* Routes name the endpoint and its connection's epoch. */
static uint64_t route_of(size_t endpoint, uint64_t epoch, size_t upstream)
{
        return (uint64_t)endpoint << 48 | (uint64_t)upstream << 40 | (epoch & 0xFFFFFFFFU);
}

static void wish_send(world *w, size_t index, const door_wish *wish)
{
        node *n = &w->nodes[index];

        if (wish->frame.len == 0) {
                audit_fail(w->audit, "FRAME", "log %u sends a frame of nothing", n->service->core->log);
                return;
        }
        if (wish->channel == DOOR_CHANNEL_UPSTREAM) {
                const size_t owner = node_of_log(w, n->service->upstreams[wish->upstream].log);
                frame_send(w, index, owner, n->epochs[wish->upstream], DOOR_CHANNEL_PULL, wish->upstream,
                           wish->frame);
                return;
        }
        const size_t to = (size_t)(wish->route >> 48);
        const size_t upstream = (size_t)(wish->route >> 40 & 0xFF);
        frame_send(w, index, to, wish->route & 0xFFFFFFFFU, DOOR_CHANNEL_UPSTREAM, upstream, wish->frame);
}

static void wish_commit(world *w, size_t index, const door_wish *wish)
{
        node *n = &w->nodes[index];
        const uint64_t slow_us =
                chance(w, 30) ? sim_rng_between(&w->rng, 20000, 900000) : sim_rng_between(&w->rng, 150, 6000);

        DOOR_REQUIRE(n->commit == NULL);
        n->commit = wish->commit;
        heap_push(w, (event){ .at_us = w->now_us + slow_us,
                              .kind = EVENT_COMMIT_DO,
                              .to = index,
                              .incarnation = n->incarnation });
}

static void outcome_push(world *w, size_t index, const door_outcome *outcome, uint64_t delay_us)
{
        event e = { .at_us = w->now_us + delay_us,
                    .kind = EVENT_EFFECT,
                    .to = index,
                    .incarnation = w->nodes[index].incarnation,
                    .frame = must(malloc(sizeof *outcome)),
                    .frame_len = sizeof *outcome };

        memcpy(e.frame, outcome, sizeof *outcome);
        heap_push(w, e);
}

/* The executor: now and then it is slow, fails, or tells a thing twice or of another attempt. */
static void wish_effect(world *w, size_t index, const door_wish *wish)
{
        node *n = &w->nodes[index];
        const uint32_t log = n->service->core->log;
        const uint64_t delay_us = chance(w, 50) ? sim_rng_between(&w->rng, 100000, 6000000)
                                                : sim_rng_between(&w->rng, 300, 40000);
        door_outcome outcome = { .key = wish->effect.key,
                                 .attempt = wish->effect.attempt,
                                 .code = chance(w, 250) ? 1 : 0,
                                 .detail = 7 };

        for (size_t i = 0; i < n->effects_count; i++) {
                if (door_id_equal(&n->effects[i].key, &wish->effect.key)) {
                        audit_fail(w->audit, "EFFECT", "log %u: asked for again while under way", log);
                }
        }
        if (n->effects_count == DOOR_EFFECTS_MAX || wish->effect.frame.len == 0) {
                audit_fail(w->audit, "EFFECT", "log %u: too many at once, or one of nothing", log);
                return;
        }
        if (!w->topology->wants(w->context, log, &wish->effect)) {
                audit_fail(w->audit, "EFFECT", "log %u: asked for, and no durable record wants it", log);
        }
        n->effects[n->effects_count++] = wish->effect;
        w->tally.effects++;
        if (chance(w, 30)) {
                outcome.attempt++;
                outcome_push(w, index, &outcome, delay_us / 2);
                outcome.attempt--;
        }
        outcome_push(w, index, &outcome, delay_us);
        if (chance(w, 30)) {
                outcome_push(w, index, &outcome, delay_us + sim_rng_below(&w->rng, 20000));
        }
}

static void effect_ended(node *n, const door_outcome *outcome)
{
        for (size_t i = 0; i < n->effects_count; i++) {
                if (door_id_equal(&n->effects[i].key, &outcome->key) &&
                    n->effects[i].attempt == outcome->attempt) {
                        n->effects[i] = n->effects[--n->effects_count];
                        return;
                }
        }
}

static void wish_end(world *w, size_t index, const door_wish *wish)
{
        node *n = &w->nodes[index];
        const uint32_t log = n->service->core->log;

        uint32_t parked = parked_count(w, n);
        for (size_t i = 0; i < w->wishes.count; i++) {
                parked += w->wishes.items[i].kind == DOOR_WISH_ALERT ? 1 : 0; /* Of this very batch. */
        }
        if (wish != &w->wishes.items[w->wishes.count - 1]) {
                audit_fail(w->audit, "END", "log %u wishes for something after its end", log);
        }
        const bool full =
                wish->reason == DOOR_FULL && n->bounds.parked_max != 0 && parked >= n->bounds.parked_max;
        const bool no_room = wish->reason == DOOR_NO_MEMORY && n->bounds.batch_arena_bytes != 0;
        if (wish->exit_code == DOOR_EXIT_STAY_DOWN && (full || no_room)) {
                w->tally.tight_ends++; /* An operator gives it more room. */
                n->roomy = true;
                n->starts = 0;
                memset(n->key, 0, sizeof n->key);
        } else if (wish->exit_code == DOOR_EXIT_STAY_DOWN) {
                audit_fail(w->audit, "UP", "log %u stays down: %s: %s", log, door_status_name(wish->reason),
                           wish->text);
        } else if (wish->exit_code == DOOR_EXIT_OK) {
                w->tally.clean_stops++;
                n->starts = 0;
                memset(n->key, 0, sizeof n->key);
        }
        die(w, index, chance(w, 500));
}

/* At most every DOOR_ANCHOR_INTERVAL_MS, and only when there is something new; but for the last. */
static void anchor_check(world *w, node *n, const door_wish *wish, bool last)
{
        const uint64_t mono_ms = w->now_us / 1000 + n->mono_base_ms;
        const bool early =
                n->anchored_mono_ms != 0 && mono_ms - n->anchored_mono_ms < DOOR_ANCHOR_INTERVAL_MS;

        if (!last && (early || wish->seq <= n->anchored_seq)) {
                audit_fail(w->audit, "ANCHOR", "log %u: an anchor too early, or of nothing new",
                           n->service->core->log);
        }
        n->anchored_mono_ms = mono_ms;
        n->anchored_seq = wish->seq;
}

static void carry_out(world *w, size_t index)
{
        node *n = &w->nodes[index];
        const size_t count = w->wishes.count;
        const uint64_t incarnation = n->incarnation;

        for (size_t i = 0; i < count && n->up && n->incarnation == incarnation; i++) {
                const door_wish *wish = &w->wishes.items[i];
                switch (wish->kind) {
                case DOOR_WISH_SEND:
                        wish_send(w, index, wish);
                        break;
                case DOOR_WISH_RECONNECT:
                        n->epochs[wish->upstream]++;
                        break;
                case DOOR_WISH_COMMIT:
                        wish_commit(w, index, wish);
                        break;
                case DOOR_WISH_NOTE:
                        DOOR_REQUIRE(wish->frame.len <= sizeof n->note);
                        if (wish->frame.len > 0) {
                                memcpy(n->note, wish->frame.data, wish->frame.len);
                        }
                        n->note_len = wish->frame.len;
                        heap_push(w, (event){ .at_us = w->now_us + 50,
                                              .kind = EVENT_NOTED,
                                              .to = index,
                                              .incarnation = n->incarnation });
                        break;
                case DOOR_WISH_ANCHOR:
                        anchor_check(w, n, wish,
                                     i + 1 < count && w->wishes.items[i + 1].kind == DOOR_WISH_END);
                        if (wish->seq > sim_store_durable_head(n->store)) {
                                audit_fail(w->audit, "R5", "log %u: the anchor is ahead of the disk",
                                           n->service->core->log);
                        }
                        n->anchor_seq = wish->seq;
                        memcpy(n->anchor_hash, wish->hash.bytes, 32);
                        break;
                case DOOR_WISH_CHECKPOINT:
                        heap_push(w, (event){ .at_us = w->now_us + 5000,
                                              .kind = EVENT_CHECKPOINT,
                                              .to = index,
                                              .incarnation = n->incarnation });
                        break;
                case DOOR_WISH_EFFECT:
                        wish_effect(w, index, wish);
                        break;
                case DOOR_WISH_ALERT:
                        n->alerts[n->alerts_count++ % ALERTS_KEPT] = (door_position){ wish->log, wish->seq };
                        trace(w, wish->text, index, wish->seq);
                        break;
                case DOOR_WISH_END:
                        wish_end(w, index, wish);
                        break;
                }
        }
        if (n->up && n->incarnation == incarnation) {
                if (w->wishes.again) {
                        turn_at(w, index, w->now_us + 20);
                } else if (w->wishes.wake_mono_ms != UINT64_MAX) {
                        const uint64_t now_mono_ms = w->now_us / 1000 + n->mono_base_ms;
                        const uint64_t in_ms = w->wishes.wake_mono_ms > now_mono_ms
                                                       ? w->wishes.wake_mono_ms - now_mono_ms
                                                       : 1;
                        turn_at(w, index, w->now_us + in_ms * 1000);
                }
        }
}

static void step(world *w, size_t index, const door_happening *h)
{
        node *n = &w->nodes[index];

        w->topology->enter(w->context);
        door_shell_step(n->shell, h, &w->wishes);
        if (w->topology->aborted(w->context)) {
                w->tally.aborts++;
                die(w, index, false); /* It died in decide: none of its wishes was carried out. */
                return;
        }
        feed(w, index);
        if (audit_breach(w->audit) == NULL) {
                carry_out(w, index);
        }
}

/* ---- clients ---- */

static void digest_of(uint32_t type, const uint8_t *body, size_t len, uint8_t out[32])
{
        uint8_t number[4];
        door_put_u32(number, type);
        const door_bytes parts[] = { { number, 4 }, { body, len } };
        const door_hash digest = door_hash_of(parts, 2);
        memcpy(out, digest.bytes, 32);
}

static void entry_send(world *w, entry *e)
{
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;
        Door__V1__Position *positions[] = { &position };

        command.command_id = (ProtobufCBinaryData){ 32, e->id };
        command.actor = (char *)(uintptr_t)e->actor;
        command.has_expected_version = e->expected_version != 0;
        command.expected_version = e->expected_version;
        command.has_lane = 1;
        command.lane = (Door__V1__Lane)e->lane;
        command.type = e->type;
        command.body = (ProtobufCBinaryData){ e->body_len, e->body };
        if (e->not_before.seq > 0) {
                position.log = e->not_before.log;
                position.seq = e->not_before.seq;
                command.n_not_before = 1;
                command.not_before = positions;
        }
        frame.command = &command;
        door_arena_reset(&w->arena);
        frame_send(w, w->nodes_count + e->client, node_of_log(w, e->log), w->client_epoch[e->client],
                   DOOR_CHANNEL_COMMAND, 0, door_frame_pack(&frame.base, &w->arena));
        e->resend_at_us = w->now_us + sim_rng_between(&w->rng, 300000, 2500000);
        w->tally.commands++;
}

static entry *entry_new(world *w, size_t client, uint32_t log, uint32_t type, const uint8_t *body, size_t len)
{
        if (w->journal_count == JOURNAL_MAX) {
                return NULL;
        }
        entry *e = &w->journal[w->journal_count++];
        *e = (entry){
                .state = ENTRY_OPEN, .log = log, .type = type, .client = client, .actor = "agency/desk"
        };
        sim_rng_fill(&w->rng, e->id, sizeof e->id);
        e->body = must(malloc(len + 1));
        memcpy(e->body, body, len);
        e->body_len = len;
        digest_of(type, body, len, e->digest);
        return e;
}

static size_t outstanding(const world *w, size_t client)
{
        size_t n = 0;
        for (size_t i = 0; i < w->journal_count; i++) {
                n += w->journal[i].client == client && w->journal[i].state == ENTRY_OPEN ? 1 : 0;
        }
        return n;
}

static void garbage_send(world *w, size_t client)
{
        uint8_t junk[64];
        const size_t to = (size_t)sim_rng_below(&w->rng, w->nodes_count);

        sim_rng_fill(&w->rng, junk, sizeof junk);
        w->tally.garbage++;
        frame_send(w, w->nodes_count + client, to, w->client_epoch[client],
                   sim_rng_chance(&w->rng, 500) ? DOOR_CHANNEL_COMMAND : DOOR_CHANNEL_PULL, 0,
                   (door_bytes){ junk, sim_rng_between(&w->rng, 1, sizeof junk) });
}

/* STATUS and CHECKPOINT, from the operator: answered beside everything else. */
static void question_send(world *w)
{
        Door__V1__StatusAsked status = DOOR__V1__STATUS_ASKED__INIT;
        Door__V1__CheckpointAsked checkpoint = DOOR__V1__CHECKPOINT_ASKED__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        const size_t to = (size_t)sim_rng_below(&w->rng, w->nodes_count);
        const size_t client = sim_rng_chance(&w->rng, 700) ? 0 : 1;
        const bool pull = sim_rng_chance(&w->rng, 300);

        if (sim_rng_chance(&w->rng, 500) || pull) {
                frame.status_asked = &status;
        } else {
                frame.checkpoint_asked = &checkpoint;
        }
        door_arena_reset(&w->arena);
        frame_send(w, w->nodes_count + client, to, w->client_epoch[client],
                   pull ? DOOR_CHANNEL_PULL : DOOR_CHANNEL_COMMAND, 0,
                   door_frame_pack(&frame.base, &w->arena));
}

static void command_new(world *w, size_t client)
{
        static uint8_t body[SIM_COMMAND_BYTES_MAX];
        sim_command command = { .body = body, .body_max = sizeof body, .actor = "agency/desk" };

        w->topology->command(w->context, &w->rng, &command);
        entry *e = entry_new(w, client, command.log, command.type, command.body, command.body_len);
        if (e == NULL) {
                return;
        }
        if (command.has_id) {
                memcpy(e->id, command.id, sizeof e->id);
        }
        e->lane = command.lane;
        e->actor = command.actor;
        e->expected_version = command.expected_version;
        e->may_be_malformed = command.may_be_malformed;
        /* What it has read of another log, the service must have read before it decides. */
        const size_t other = (size_t)sim_rng_below(&w->rng, w->nodes_count);
        if (sim_rng_chance(&w->rng, 400) && w->model.reads(command.log, w->last_seen[other].log)) {
                e->not_before = w->last_seen[other];
        }
        if (sim_rng_chance(&w->rng, 40) && w->journal_count > 1) {
                /* An agency's key generator that repeats itself: a known id, another content. */
                const entry *old = &w->journal[sim_rng_below(&w->rng, w->journal_count - 1)];
                if (old->log == e->log && old->type == e->type && !command.has_id) {
                        memcpy(e->id, old->id, sizeof e->id);
                        /* Should the content be the same after all, one answer serves both. */
                        e->not_before = old->not_before;
                        w->tally.conflicts++;
                }
        }
        entry_send(w, e);
        if (sim_rng_chance(&w->rng, 60)) {
                entry_send(w, e); /* Twice at once. */
        }
}

static void client_act(world *w, size_t client)
{
        for (size_t i = 0; i < w->journal_count; i++) {
                entry *e = &w->journal[i];
                if (e->client == client && e->state == ENTRY_OPEN && e->resend_at_us <= w->now_us) {
                        if (chance(w, 200)) {
                                w->client_epoch[client]++; /* A fresh connection. */
                        }
                        entry_send(w, e);
                }
        }
        if (!w->draining) {
                while (outstanding(w, client) < OUTSTANDING_MAX && sim_rng_chance(&w->rng, 600)) {
                        command_new(w, client);
                        if (w->journal_count == JOURNAL_MAX) {
                                break;
                        }
                }
                if (sim_rng_chance(&w->rng, 30)) {
                        garbage_send(w, client);
                }
                if (sim_rng_chance(&w->rng, 40)) {
                        question_send(w);
                }
                if (sim_rng_chance(&w->rng, 100) && w->journal_count > 0) {
                        /* Ask an old one again: the answer must be the same for ever. */
                        entry *old = &w->journal[sim_rng_below(&w->rng, w->journal_count)];
                        if (old->client == client) {
                                entry_send(w, old);
                        }
                }
        }
        heap_push(w, (event){ .at_us = w->now_us +
                                       sim_rng_between(&w->rng, 20000, w->draining ? 900000 : 400000),
                              .kind = EVENT_CLIENT,
                              .to = w->nodes_count + client });
}

/* How far a service has heard of a log it does not read: what its upstreams last had seen of it. */
static uint64_t heard_of(world *w, const node *n, uint32_t log)
{
        uint64_t most = 0;

        for (size_t i = 0; i < n->service->upstreams_count; i++) {
                const sim_store *store = w->nodes[node_of_log(w, n->service->upstreams[i].log)].store;
                const uint64_t head = sim_store_durable_head(store);
                door_header header;
                door_arena_reset(&w->arena);
                if (head > 0 && door_header_decode(sim_store_durable_record(store, head)->header, &w->arena,
                                                   &header) == DOOR_OK) {
                        const uint64_t seen = door_header_seen(&header, log);
                        most = seen > most ? seen : most;
                }
        }
        return most;
}

/*
 * What must at least be settled at rest: the least that any service's last record had seen of log 1. More
 * was heard of by passing over records that leave none, and a restart forgets that until the next one.
 */
static uint64_t settled_least(world *w)
{
        uint64_t least = UINT64_MAX;

        for (size_t i = 0; i < w->nodes_count; i++) {
                const sim_store *store = w->nodes[i].store;
                const uint64_t head = sim_store_durable_head(store);
                door_header header;
                uint64_t seen = 0;
                if (w->nodes[i].service->core->log == 1 || is_view(&w->nodes[i])) {
                        continue; /* A view may have no record at all. */
                }
                door_arena_reset(&w->arena);
                if (head > 0 && door_header_decode(sim_store_durable_record(store, head)->header, &w->arena,
                                                   &header) == DOOR_OK) {
                        seen = door_header_seen(&header, 1);
                }
                least = seen < least ? seen : least;
        }
        return least;
}

/* At rest, what a service says of itself is what its log says. */
static void question_answered(world *w, size_t from, const Door__V1__Frame *frame)
{
        const node *n = &w->nodes[from];
        const uint64_t head = sim_store_durable_head(n->store);

        if (!w->asking) {
                return;
        }
        w->asked_answers++;
        if (frame->checkpoint_made != NULL) {
                const Door__V1__CheckpointMade *made = frame->checkpoint_made;
                if (made->head != head || (made->error == NULL) != (n->checkpointed == DOOR_OK) ||
                    strcmp(made->path, "checkpoint") != 0) {
                        audit_fail(w->audit, "STATUS", "log %u: a checkpoint of another head",
                                   n->service->core->log);
                }
                return;
        }
        const Door__V1__Status *status = frame->status;
        const door_record *last = head == 0 ? NULL : sim_store_durable_record(n->store, head);
        const bool dated = status->started_ms == n->started_wall_ms &&
                           (last == NULL || memcmp(status->head_hash.data, last->hash.bytes, 32) == 0);
        bool right = dated && status->head == head && strcmp(status->service, n->service->core->name) == 0 &&
                     status->n_upstream == n->service->upstreams_count && status->parked == 0 &&
                     strcmp(status->state, "SERVING") == 0;
        for (size_t i = 0; right && i < status->n_upstream; i++) {
                const size_t owner = node_of_log(w, status->upstream[i]->log);
                const uint64_t there = sim_store_durable_head(w->nodes[owner].store);
                right = status->upstream[i]->cursor == there && status->upstream[i]->head == there;
        }
        /* Who reads log 1, or is it, knows exactly how far it is settled; others have heard of it. */
        const uint32_t log = n->service->core->log;
        const uint64_t first = sim_store_durable_head(w->nodes[node_of_log(w, 1)].store);
        const uint64_t settled = log == 1 || w->model.reads(log, 1) ? first : heard_of(w, n, 1);
        if (!right || status->settled > settled ||
            (status->settled < settled && status->settled < settled_least(w))) {
                audit_fail(w->audit, "STATUS", "log %u: its status is not what its log says",
                           n->service->core->log);
        }
}

/* What it had seen covers what the asker had; true where that is all there is. */
static bool seen_check(world *w, const entry *e, const Door__V1__Result *result)
{
        const node *n = &w->nodes[node_of_log(w, e->log)];
        bool current = result->n_seen == 1 + n->service->upstreams_count;

        for (size_t i = 0; i < result->n_seen; i++) {
                const uint32_t log = result->seen[i]->log;
                const uint64_t seq = result->seen[i]->seq;
                const uint64_t head = node_of_log(w, log) == SIZE_MAX ? 0 : audit_head(w->audit, log);
                if (seq > head) {
                        audit_fail(w->audit, "R1", "log %u: an answer has seen what is not durable in log %u",
                                   e->log, log);
                }
                if (log == e->not_before.log && seq < e->not_before.seq) {
                        audit_fail(w->audit, "CAUSAL",
                                   "log %u: answered before it had seen what the asker had", e->log);
                }
                current &= seq == head;
        }
        return current && parked_count(w, &w->nodes[node_of_log(w, e->log)]) == 0;
}

/* A question to a view leaves no record: it is right if what it says is. */
static void question_ended(world *w, entry *e, const Door__V1__Result *result)
{
        const door_bytes body = result->has_body ? door_proto_bytes(result->body) : DOOR_BYTES_EMPTY;
        const sim_answer answer = { .type = e->type,
                                    .question = { e->body, e->body_len },
                                    .answer = { body.data, body.len },
                                    .current = seen_check(w, e, result) };
        const char *wrong = w->topology->answered(w->context, &answer);

        w->tally.questions++;
        w->tally.current += answer.current ? 1 : 0;
        e->answered |= answer.current;
        if (wrong != NULL) {
                audit_fail(w->audit, "VIEW", "log %u: %s", e->log, wrong);
        }
}

static bool is_question(const entry *e)
{
        return e->type >= DOOR_QUERY_TYPE_FIRST;
}

static void client_frame(world *w, const event *ev)
{
        static _Alignas(16) uint8_t memory[DOOR_FRAME_ARENA_BYTES / 4];
        door_arena arena;
        uint8_t sum[2048];

        door_arena_init(&arena, memory, sizeof memory);
        const Door__V1__Frame *frame = door_frame_unpack((door_bytes){ ev->frame, ev->frame_len }, &arena);
        if (frame != NULL && (frame->status != NULL || frame->checkpoint_made != NULL)) {
                question_answered(w, ev->from, frame);
                return;
        }
        if (frame == NULL || frame->result == NULL || frame->result->command_id.len != 32) {
                return;
        }
        const Door__V1__Result *result = frame->result;
        entry *found = NULL;
        size_t sharing = 0;
        for (size_t i = 0; i < w->journal_count; i++) {
                entry *e = &w->journal[i];
                if (e->client == ev->to - w->nodes_count && memcmp(e->id, result->command_id.data, 32) == 0) {
                        sharing++;
                        found = e;
                }
        }
        if (found == NULL) {
                return;
        }
        w->tally.answers++;
        trace(w, result->detail != NULL ? result->detail : "answer", found->client,
              (uint64_t)result->outcome * 1000 + result->reason);
        if (result->outcome == DOOR__V1__OUTCOME__RETRY) {
                w->tally.retries++;
                trace(w, "retry", found->client, result->reason);
                found->resend_at_us = w->now_us + 400000;
                return;
        }
        if (sharing == 1 && is_question(found) && result->outcome == DOOR__V1__OUTCOME__DONE) {
                question_ended(w, found, result);
                found->state = ENTRY_ENDED;
                return;
        }
        /* Two contents under one id: the client cannot tell which one was answered; the log can. */
        if (sharing == 1) {
                door_writer writer = door_writer_on(sum, sizeof sum);
                door_write_u32(&writer, result->has_reason ? result->reason : 0);
                door_write(&writer, result->has_body ? door_proto_bytes(result->body) : DOOR_BYTES_EMPTY);
                door_write(&writer, result->field == NULL ? DOOR_BYTES_EMPTY : door_bytes_of(result->field));
                DOOR_REQUIRE(writer.ok);
                audit_answered(w->audit, found->log, found->id, found->digest, (audit_outcome)result->outcome,
                               (wire_bytes){ sum, writer.len }, found->not_before.log, found->not_before.seq);
                if (result->outcome == DOOR__V1__OUTCOME__MALFORMED && !found->may_be_malformed) {
                        audit_fail(w->audit, "R3", "log %u: a good command is answered MALFORMED",
                                   found->log);
                }
                if (result->outcome == DOOR__V1__OUTCOME__DONE) {
                        const bool own = result->n_seen > 0 && result->seen[0]->log == found->log &&
                                         result->seen[0]->seq <= audit_head(w->audit, found->log);
                        if (!own) {
                                audit_fail(w->audit, "R1", "log %u: an answer's position is not durable",
                                           found->log);
                        }
                        w->last_seen[node_of_log(w, found->log)] =
                                (door_position){ result->seen[0]->log, result->seen[0]->seq };
                }
                found->state = ENTRY_ENDED;
        } else {
                for (size_t i = 0; i < w->journal_count; i++) {
                        if (memcmp(w->journal[i].id, found->id, 32) == 0) {
                                w->journal[i].state = ENTRY_ENDED;
                        }
                }
        }
}

/* ---- the operator: policy first, parked records when they are fixed ---- */

static void policy_send(world *w)
{
        for (size_t i = 0; i < w->nodes_count; i++) {
                wire_bytes content = { NULL, 0 };
                Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;
                const uint32_t log = w->nodes[i].service->core->log;
                w->topology->policy(w->context, log, &content);
                if (content.data == NULL) {
                        continue;
                }
                const door_hash digest = door_hash_of_one((door_bytes){ content.data, content.len });
                policy.version = (char *)(uintptr_t) "sim-1";
                policy.digest = door_proto_data(door_hash_bytes(&digest));
                policy.content = (ProtobufCBinaryData){ content.len, (uint8_t *)(uintptr_t)content.data };
                door_arena_reset(&w->arena);
                const door_bytes body = door_frame_pack(&policy.base, &w->arena);
                entry *e = entry_new(w, 0, log, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY, body.data,
                                     body.len);
                e->actor = "operator";
                entry_send(w, e);
        }
}

enum { RELEASES_AT_ONCE = 48 };

typedef struct parked_one {
        uint64_t own_seq;
        door_position record;
} parked_one;

typedef struct parked_scan {
        parked_one items[RELEASES_AT_ONCE]; /* The oldest, in order. */
        size_t count;
} parked_scan;

static void parked_visit(void *context, door_bytes key, door_bytes value)
{
        parked_scan *scan = context;

        if (key.data[0] != DOOR_TABLE_SHELL + 2) {
                return;
        }
        const parked_one one = { door_get_u64(value.data + 1),
                                 { door_get_u32(key.data + 1), door_get_u64(key.data + 5) } };
        size_t at = scan->count;
        while (at > 0 && scan->items[at - 1].own_seq > one.own_seq) {
                at--;
        }
        if (at == RELEASES_AT_ONCE) {
                return;
        }
        if (scan->count < RELEASES_AT_ONCE) {
                scan->count++;
        }
        memmove(&scan->items[at + 1], &scan->items[at], (scan->count - at - 1) * sizeof one);
        scan->items[at] = one;
}

/* The journal holds what may still be asked again; once draining, what has ended may go. */
static void journal_prune(world *w)
{
        size_t kept = 0;

        for (size_t k = 0; k < w->journal_count; k++) {
                if (w->journal[k].state == ENTRY_OPEN) {
                        w->journal[kept++] = w->journal[k];
                } else {
                        free(w->journal[k].body);
                }
        }
        w->journal_count = kept;
}

static void release_send(world *w, uint32_t log, door_position record)
{
        Door__V1__Release release = DOOR__V1__RELEASE__INIT;
        Door__V1__Position position = DOOR__V1__POSITION__INIT;

        position.log = record.log;
        position.seq = record.seq;
        release.record = &position;
        door_arena_reset(&w->arena);
        const door_bytes body = door_frame_pack(&release.base, &w->arena);
        entry *e = entry_new(w, 0, log, DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE, body.data, body.len);
        if (e != NULL) {
                e->actor = "operator";
                entry_send(w, e);
                w->tally.releases++;
        }
}

/* Ask for what is parked, oldest first; sometimes out of order, which must be refused. */
static bool releases_send(world *w)
{
        bool any = false;

        journal_prune(w);
        for (size_t i = 0; i < w->nodes_count; i++) {
                parked_scan scan = { .count = 0 };
                sim_store_each(w->nodes[i].store, parked_visit, &scan);
                any |= scan.count > 0;
                if (scan.count > 2 && sim_rng_chance(&w->rng, 300)) {
                        release_send(w, w->nodes[i].service->core->log, scan.items[scan.count - 1].record);
                }
                for (size_t k = 0; k < scan.count; k++) {
                        release_send(w, w->nodes[i].service->core->log, scan.items[k].record);
                }
        }
        return any;
}

/* An impatient operator: released before it is mended, a record is still no record. */
static void parked_release_early(world *w)
{
        for (size_t i = 0; i < w->nodes_count && w->journal_count + 8 < JOURNAL_MAX; i++) {
                parked_scan scan = { .count = 0 };
                sim_store_each(w->nodes[i].store, parked_visit, &scan);
                if (scan.count > 0) {
                        release_send(w, w->nodes[i].service->core->log, scan.items[0].record);
                }
        }
}

/* Operators err too: a policy that is none, or not what its digest says, and a release of nothing. */
static void oddities_send(world *w)
{
        static uint8_t content[DOOR_POLICY_BYTES_MAX + 1];
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;
        const uint32_t log = w->nodes[sim_rng_below(&w->rng, w->nodes_count)].service->core->log;
        const uint64_t kind = sim_rng_below(&w->rng, 4);
        uint8_t junk[5] = { 0xFF, 0xFF, 0xFF, 0xFF, 0x01 };
        door_bytes body = { junk, sizeof junk };

        if (w->journal_count + 8 >= JOURNAL_MAX) {
                return;
        }
        memset(content, 0xFF, sizeof content);
        if (kind >= 2) {
                const size_t len = kind == 2 ? sizeof content : 8;
                const door_hash digest = door_hash_of_one((door_bytes){ content, len });
                policy.version = (char *)(uintptr_t) "odd";
                policy.digest = door_proto_data(door_hash_bytes(&digest));
                policy.content = (ProtobufCBinaryData){ len, content };
                door_arena_reset(&w->arena);
                body = door_frame_pack(&policy.base, &w->arena);
        }
        entry *e = entry_new(w, 0, log,
                             kind == 1 ? DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_RELEASE
                                       : DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY,
                             body.data, body.len);
        if (e != NULL) {
                e->actor = "operator";
                entry_send(w, e);
        }
}

/* ---- chaos ---- */

static void chaos(world *w)
{
        const size_t index = (size_t)sim_rng_below(&w->rng, w->nodes_count);
        node *n = &w->nodes[index];
        const uint64_t what = sim_rng_below(&w->rng, 100);

        if (!w->faults) {
                return;
        }
        if (what < 28) {
                if (n->up) {
                        w->tally.kills++;
                        die(w, index, sim_rng_chance(&w->rng, 600));
                }
        } else if (what < 34) { /* Everything at once. */
                for (size_t i = 0; i < w->nodes_count; i++) {
                        if (w->nodes[i].up) {
                                w->tally.kills++;
                                die(w, i, true);
                        }
                }
        } else if (what < 42) {
                const int64_t jump_ms = (int64_t)sim_rng_between(&w->rng, 1, 7200000) - 3600000;
                n->wall_offset_ms += sim_rng_chance(&w->rng, 500) ? jump_ms : jump_ms / 100;
                if (n->wall_offset_ms > n->wall_offset_max_ms) {
                        n->wall_offset_max_ms = n->wall_offset_ms;
                }
                w->tally.clock_jumps++;
        } else if (what < 54) {
                n->asleep_until_us = w->now_us + sim_rng_between(&w->rng, 100, 9000) * 1000;
                w->tally.sleeps++;
        } else if (what < 66) {
                const size_t other = (size_t)sim_rng_below(&w->rng, w->nodes_count + SIM_CLIENTS);
                const uint64_t until_us = w->now_us + sim_rng_between(&w->rng, 100, 12000) * 1000;
                w->bus.cut_until_us[index][other] = until_us;
                if (sim_rng_chance(&w->rng, 700)) {
                        w->bus.cut_until_us[other][index] = until_us;
                }
                w->tally.partitions++;
        } else if (what < 74) {
                n->disk = sim_rng_chance(&w->rng, 500) ? DOOR_DISK_LOW : DOOR_DISK_FULL;
                w->tally.disk_full++;
        } else if (what < 82) {
                n->disk = DOOR_DISK_OK;
        } else if (what < 88 && n->up && n->asleep_until_us <= w->now_us) {
                const door_happening h = happening(w, n, DOOR_HAPPENING_STOP);
                step(w, index, &h);
        } else if (what < 90) {
                sim_store_fail_read(n->store, sim_rng_between(&w->rng, 1, 60));
        } else if (what < 92) {
                oddities_send(w);
                parked_release_early(w);
        } else if (what < 94 && n->up && n->asleep_until_us <= w->now_us) {
                door_happening h = happening(w, n, DOOR_HAPPENING_PEERS);
                /* Sometimes somebody is off the list until the next reading. */
                door_peer *left = n->peers_left[++n->peers_reading % 2];
                h.peers = left;
                for (size_t i = 0; i < n->peers_count; i++) {
                        if (!sim_rng_chance(&w->rng, 200)) {
                                left[h.peers_count++] = n->peers[i];
                        }
                }
                step(w, index, &h);
        }
        if (what >= 94 && what < 97 && w->journal_count + 8 < JOURNAL_MAX) {
                policy_send(w); /* The same rules again: what was refused may be asked anew. */
        }
        heap_push(w, (event){ .at_us = w->now_us + sim_rng_between(&w->rng, 300000, 5000000),
                              .kind = EVENT_CHAOS });
}

/* ---- events ---- */

static void node_frame(world *w, const event *ev)
{
        node *n = &w->nodes[ev->to];
        door_happening h = happening(w, n, DOOR_HAPPENING_FRAME);

        h.channel = ev->channel;
        h.frame = (door_bytes){ ev->frame, ev->frame_len };
        if (ev->channel == DOOR_CHANNEL_UPSTREAM) {
                if (ev->epoch != (n->epochs[ev->upstream] & 0xFFFFFFFFU)) {
                        /* A dead connection's frame: gone, or late. */
                        if (!sim_bus_hears_late(&w->bus)) {
                                w->tally.dropped++;
                                return;
                        }
                        w->tally.late++;
                }
                h.upstream = ev->upstream;
        } else {
                static const char *const clients[] = { "operator", "agency", "agency", "stranger" };
                h.route = route_of(ev->from, ev->epoch, ev->upstream);
                h.peer = ev->from < w->nodes_count ? w->nodes[ev->from].service->core->name
                                                   : clients[ev->from - w->nodes_count];
        }
        step(w, ev->to, &h);
        turn_at(w, ev->to, w->now_us + 10);
}

static void commit_do(world *w, size_t index)
{
        node *n = &w->nodes[index];

        if (n->commit == NULL) {
                return;
        }
        if (chance(w, 8)) {
                sim_store_fate(n->store, sim_rng_chance(&w->rng, 500) ? SIM_FATE_FAILED_BEFORE
                                                                      : SIM_FATE_FAILED_DURABLE);
                w->tally.commit_failures++;
        }
        n->committed = n->port.commit(n->port.context, n->commit);
        n->commit = NULL;
        feed(w, index);
        heap_push(w, (event){ .at_us = w->now_us + sim_rng_between(&w->rng, 5, 300),
                              .kind = EVENT_COMMITTED,
                              .to = index,
                              .incarnation = n->incarnation });
}

static void node_event(world *w, event *ev)
{
        node *n = &w->nodes[ev->to];

        if (ev->kind == EVENT_RESTART) {
                start(w, ev->to);
                return;
        }
        if (ev->kind == EVENT_FRAME && ev->incarnation != n->incarnation && n->up &&
            ev->channel != DOOR_CHANNEL_UPSTREAM && sim_rng_chance(&w->rng, 500)) {
                ev->incarnation = n->incarnation; /* Queued at the sender until it was back. */
        }
        if (!n->up || ev->incarnation != n->incarnation) {
                w->tally.dropped += ev->kind == EVENT_FRAME ? 1 : 0;
                return;
        }
        if (n->asleep_until_us > w->now_us && ev->kind != EVENT_COMMIT_DO) {
                event later = *ev;
                later.at_us = n->asleep_until_us;
                ev->frame = NULL;
                heap_push(w, later);
                return;
        }
        door_happening h;
        switch (ev->kind) {
        case EVENT_FRAME:
                node_frame(w, ev);
                return;
        case EVENT_COMMIT_DO:
                commit_do(w, ev->to);
                return;
        case EVENT_COMMITTED:
                h = happening(w, n, DOOR_HAPPENING_COMMITTED);
                h.status = n->committed;
                break;
        case EVENT_NOTED:
                h = happening(w, n, DOOR_HAPPENING_NOTED);
                break;
        case EVENT_CHECKPOINT:
                h = happening(w, n, DOOR_HAPPENING_CHECKPOINT);
                n->checkpointed = h.status = sim_rng_chance(&w->rng, 100) ? DOOR_IO : DOOR_OK;
                h.path = "checkpoint";
                break;
        case EVENT_EFFECT:
                h = happening(w, n, DOOR_HAPPENING_EFFECT);
                memcpy(&h.outcome, ev->frame, sizeof h.outcome);
                effect_ended(n, &h.outcome);
                break;
        case EVENT_TURN:
                if (ev->due_us != n->turn_at_us) {
                        return; /* Another was asked for since. */
                }
                n->turn_at_us = UINT64_MAX;
                n->turns++;
                h = happening(w, n, DOOR_HAPPENING_TURN);
                break;
        case EVENT_RESTART:
        case EVENT_CLIENT:
        case EVENT_CHAOS:
                return;
        }
        step(w, ev->to, &h);
}

static const char *event_name(event_kind kind)
{
        static const char *const names[] = { "?",      "frame", "commit",  "committed", "noted", "checkpoint",
                                             "effect", "turn",  "restart", "client",    "chaos" };
        return names[kind];
}

static void event_run(world *w, event *ev)
{
        w->now_us = ev->at_us;
        w->tally.events++;
        trace(w, event_name(ev->kind), ev->to, ev->from);
        if (ev->kind == EVENT_CHAOS) {
                chaos(w);
        } else if (ev->to < w->nodes_count) {
                node_event(w, ev);
        } else if (ev->kind == EVENT_CLIENT) {
                client_act(w, ev->to - w->nodes_count);
        } else if (ev->kind == EVENT_FRAME &&
                   ev->epoch == (w->client_epoch[ev->to - w->nodes_count] & 0xFFFFFFFFU)) {
                client_frame(w, ev);
        }
        free(ev->frame);
}

static bool at_rest(world *w)
{
        for (size_t i = 0; i < w->nodes_count; i++) {
                const node *n = &w->nodes[i];
                door_cursor cursors[DOOR_UPSTREAMS_MAX];
                if (!n->up || n->commit != NULL || n->effects_count > 0) {
                        return false;
                }
                sim_store_settle(n->store);
                feed(w, i);
                const size_t count = sim_store_durable_cursors(n->store, cursors);
                for (size_t c = 0; c < n->service->upstreams_count; c++) {
                        const size_t owner = node_of_log(w, n->service->upstreams[c].log);
                        const uint64_t head = sim_store_durable_head(w->nodes[owner].store);
                        if (c < count ? cursors[c].seq != head : head != 0) {
                                trace(w, "cursor behind", i,
                                      (c < count ? cursors[c].seq : 0) * 100000 + head);
                                return false;
                        }
                }
        }
        for (size_t i = 0; i < w->journal_count; i++) {
                if (w->journal[i].state == ENTRY_OPEN && w->journal[i].client != 3) {
                        trace(w, "open command", w->journal[i].client,
                              w->journal[i].type * 1000 + w->journal[i].log);
                        return false;
                }
        }
        return true;
}

/* ---- a run ---- */

static void peers_fill(world *w, node *n)
{
        n->peers[n->peers_count++] = (door_peer){
                .name = "operator",
                .verbs = DOOR_VERB_PULL | DOOR_VERB_COMMAND | DOOR_VERB_STATUS | DOOR_VERB_CHECKPOINT,
                .rights = DOOR_RIGHT_SUBMIT | DOOR_RIGHT_POLICY | DOOR_RIGHT_IMPORT | DOOR_RIGHT_VERIFY,
                .may_read = true,
                .form = DOOR_FORM_PUBLIC,
                .speaks_for = "*",
        };
        const char *speaks_for = n->service->clients_speak_for;
        door_peer *clients = &n->peers[n->peers_count++];
        *clients = (door_peer){
                .name = "agency",
                .verbs = DOOR_VERB_COMMAND,
                .rights = DOOR_RIGHT_SUBMIT,
        };
        (void)snprintf(clients->speaks_for, sizeof clients->speaks_for, "%s",
                       speaks_for == NULL ? "agency/" : speaks_for);
        for (size_t i = 0; i < w->topology->services_count; i++) {
                const sim_service *other = &w->topology->services[i];
                for (size_t u = 0; u < other->upstreams_count; u++) {
                        if (other->upstreams[u].log == n->service->core->log) {
                                door_peer *peer = &n->peers[n->peers_count++];
                                (void)snprintf(peer->name, sizeof peer->name, "%s", other->core->name);
                                peer->verbs = DOOR_VERB_PULL;
                                peer->may_read = true;
                                peer->form = other->upstreams[u].form;
                                for (size_t s = 0; s < 4 && n->service->settled_by[s] != NULL; s++) {
                                        peer->settles |=
                                                strcmp(n->service->settled_by[s], other->core->name) == 0;
                                }
                        }
                }
        }
}

static sim_store_fault store_fault_of(int planted)
{
        switch (planted) {
        case 1:
                return SIM_STORE_NO_SYNC;
        case 2:
                return SIM_STORE_CURSOR_APART;
        case 3:
                return SIM_STORE_CURSOR_FIRST;
        case 4:
                return SIM_STORE_FORGETS_IDS;
        case 5:
                return SIM_STORE_DROPS_CHANGE;
        default:
                return SIM_STORE_SOUND;
        }
}

static void world_init(world *w, uint64_t seed)
{
        const sim_topology *topology = w->topology;

        w->rng = sim_rng_seed(seed);
        w->bus = (sim_bus){ .rng = &w->rng, .faults_per_mille = w->options->faults_per_mille };
        w->context = topology->begin(seed, w->options->planted);
        w->model = topology->model(w->context);
        w->audit = audit_new(&w->model);
        DOOR_REQUIRE(posix_memalign(&w->memory, 64, ARENA_BYTES) == 0);
        door_arena_init(&w->arena, w->memory, ARENA_BYTES);
        w->nodes_count = topology->services_count;
        w->faults = true;
        for (size_t i = 0; i < w->nodes_count; i++) {
                node *n = &w->nodes[i];
                uint8_t log_id[16];
                sim_rng_fill(&w->rng, log_id, sizeof log_id);
                n->service = &topology->services[i];
                n->store = sim_store_new(log_id, store_fault_of(w->options->planted));
                n->port = sim_store_port(n->store);
                n->turn_at_us = UINT64_MAX;
                n->older = n->service->older != NULL && sim_rng_chance(&w->rng, 300);
                audit_log(w->audit, n->service->core->log, log_id);
                peers_fill(w, n);
                restart_later(w, i, 0, 2000);
        }
        for (size_t c = 0; c < SIM_CLIENTS; c++) {
                heap_push(w, (event){ .at_us = sim_rng_below(&w->rng, 1000000),
                                      .kind = EVENT_CLIENT,
                                      .to = w->nodes_count + c });
        }
        heap_push(w, (event){ .at_us = sim_rng_between(&w->rng, 500000, 3000000), .kind = EVENT_CHAOS });
        policy_send(w);
}

static void calm(world *w)
{
        w->faults = false;
        w->bus.faults_per_mille = 0;
        w->draining = true;
        for (size_t i = 0; i < w->nodes_count; i++) {
                sim_store_fail_read(w->nodes[i].store, 0);
        }
        memset(w->bus.cut_until_us, 0, sizeof w->bus.cut_until_us);
        w->topology->fix(w->context);
        for (size_t i = 0; i < w->nodes_count; i++) {
                if (w->nodes[i].older || w->nodes[i].bounds.batch_arena_bytes != 0) {
                        w->nodes[i].older = false; /* Upgraded, and with the room of programs. */
                        die(w, i, false);
                }
        }
        for (size_t i = 0; i < w->nodes_count; i++) {
                w->nodes[i].disk = DOOR_DISK_OK;
                w->nodes[i].wall_offset_ms = w->nodes[i].wall_offset_max_ms;
                w->nodes[i].asleep_until_us = 0;
                if (!w->nodes[i].up) {
                        restart_later(w, i, 1, 100);
                } else if (audit_breach(w->audit) == NULL) {
                        door_happening h = happening(w, &w->nodes[i], DOOR_HAPPENING_PEERS);
                        h.peers = w->nodes[i].peers;
                        h.peers_count = w->nodes[i].peers_count;
                        step(w, i, &h);
                }
        }
}

static void run_until(world *w, uint64_t until_us)
{
        while (w->heap_count > 0 && w->heap[0].at_us <= until_us && audit_breach(w->audit) == NULL &&
               w->tally.events < EVENTS_PER_RUN_MAX) {
                event ev = heap_pop(w);
                event_run(w, &ev);
        }
}

/* Ask every service both questions, with nothing wrong anywhere: both must be answered, truly. */
static void questions_check(world *w)
{
        Door__V1__StatusAsked status = DOOR__V1__STATUS_ASKED__INIT;
        Door__V1__CheckpointAsked checkpoint = DOOR__V1__CHECKPOINT_ASKED__INIT;

        run_until(w, w->now_us + 10000000); /* Heartbeats have told everybody the heads by then. */
        w->asking = true;
        for (size_t i = 0; i < w->nodes_count; i++) {
                Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
                frame.status_asked = &status;
                door_arena_reset(&w->arena);
                frame_send(w, w->nodes_count, i, w->client_epoch[0], DOOR_CHANNEL_COMMAND, 0,
                           door_frame_pack(&frame.base, &w->arena));
                frame.status_asked = NULL;
                frame.checkpoint_asked = &checkpoint;
                frame_send(w, w->nodes_count, i, w->client_epoch[0], DOOR_CHANNEL_COMMAND, 0,
                           door_frame_pack(&frame.base, &w->arena));
        }
        run_until(w, w->now_us + 10000000);
        w->asking = false;
        if (w->asked_answers != 2 * w->nodes_count) {
                audit_fail(w->audit, "STATUS", "%zu of %zu questions were answered", w->asked_answers,
                           2 * w->nodes_count);
        }
}

/*
 * At rest every view is asked what the topology wants to know. Should something fall due meanwhile, what
 * was answered too early is asked again.
 */
static void views_check(world *w)
{
        static uint8_t body[SIM_COMMAND_BYTES_MAX];
        size_t asked = 0;
        size_t open = 0;
        bool more = w->topology->ask != NULL;

        for (size_t i = 0; i < w->journal_count; i++) {
                w->journal[i].state =
                        ENTRY_ENDED; /* What is left open is a stranger's, whom nobody answers. */
        }
        journal_prune(w);
        for (size_t turn = 0; (more || open > 0) && audit_breach(w->audit) == NULL; turn++) {
                size_t kept = 0;
                for (size_t i = 0; i < w->journal_count; i++) {
                        if (w->journal[i].answered) {
                                free(w->journal[i].body);
                        } else {
                                w->journal[kept++] = w->journal[i];
                        }
                }
                turn = kept < open || kept == 0 ? 0 : turn;
                w->journal_count = open = kept;
                if (turn == ASKED_TIMES_MAX) {
                        audit_fail(w->audit, "VIEW", "questions at rest are not answered");
                }
                for (size_t i = 0; i < open; i++) {
                        entry_send(w, &w->journal[i]);
                }
                while (more && open < ASKED_AT_ONCE) {
                        sim_command command = { .body = body, .body_max = sizeof body, .actor = "operator" };
                        more = w->topology->ask(w->context, asked++, &command);
                        if (more) {
                                entry *e = entry_new(w, 0, command.log, command.type, command.body,
                                                     command.body_len);
                                e->actor = command.actor;
                                entry_send(w, e);
                                open++;
                        }
                }
                run_until(w, w->now_us + 200000);
        }
}

/* Pulls that timed out or were taken for faults: none may be, once nothing is wrong. */
static uint64_t troubles_count(const world *w)
{
        uint64_t n = 0;
        for (size_t i = 0; i < w->nodes_count; i++) {
                if (w->nodes[i].up) {
                        const door_shell_counters *c = door_shell_count(w->nodes[i].shell);
                        n += c->pull_timeouts + c->pull_faults + c->refuses_heard;
                }
        }
        return n;
}

static uint64_t turns_count(const world *w)
{
        uint64_t n = 0;
        for (size_t i = 0; i < w->nodes_count; i++) {
                n += w->nodes[i].turns;
        }
        return n;
}

/* A machine with nothing to do sleeps: one that spins costs its neighbours milliseconds a commit. */
static void idle_check(world *w, uint64_t turns)
{
        const uint64_t per_second = turns * 1000 / IDLE_MS / w->nodes_count;
        if (per_second > IDLE_TURNS_PER_SECOND_MAX) {
                audit_fail(w->audit, "IDLE", "%llu turns a second with nothing to do",
                           (unsigned long long)per_second);
        }
}

static void drain(world *w)
{
        uint64_t waited_ms = 0;

        run_until(w, w->now_us + 25000000); /* What faults had begun, sleepers too, has ended by then. */
        const uint64_t troubles = troubles_count(w);
        /* Due items fall due 30 s after they were made; wait for those too. */
        while (audit_breach(w->audit) == NULL) {
                run_until(w, w->now_us + 5000000);
                waited_ms += 5000;
                if (at_rest(w) && !releases_send(w) && waited_ms >= 60000) {
                        const uint64_t turns = turns_count(w);
                        run_until(w, w->now_us + IDLE_MS * UINT64_C(1000));
                        if (at_rest(w)) {
                                idle_check(w, turns_count(w) - turns);
                                break;
                        }
                }
                if (waited_ms > DRAIN_MS || w->tally.events >= EVENTS_PER_RUN_MAX) {
                        audit_fail(w->audit, "R9", "not at rest %llu s after faults stopped",
                                   (unsigned long long)(waited_ms / 1000));
                }
        }
        if (audit_breach(w->audit) == NULL) {
                audit_at_rest(w->audit);
                questions_check(w);
                views_check(w);
                for (size_t i = 0; i < w->nodes_count; i++) {
                        if (w->nodes[i].anchor_seq != sim_store_durable_head(w->nodes[i].store)) {
                                audit_fail(w->audit, "ANCHOR", "log %u: at rest, and the anchor is behind",
                                           w->nodes[i].service->core->log);
                        }
                }
                if (troubles_count(w) != troubles) {
                        audit_fail(w->audit, "R9", "pulls time out or fault with nothing wrong");
                }
        }
        for (size_t i = 0; i < w->nodes_count && audit_breach(w->audit) == NULL; i++) {
                replay_check(w, i);
                if (is_view(&w->nodes[i])) {
                        rebuild_check(w, i);
                }
        }
        if (audit_breach(w->audit) == NULL) {
                const char *wrong = w->topology->balance(w->context);
                if (wrong != NULL) {
                        audit_fail(w->audit, "R10", "%s", wrong);
                }
        }
}

static void world_done(world *w)
{
        for (size_t i = 0; i < w->nodes_count; i++) {
                (void)door_shell_free(w->nodes[i].shell);
                (void)sim_store_free(w->nodes[i].store);
        }
        while (w->heap_count > 0) {
                event ev = heap_pop(w);
                free(ev.frame);
        }
        for (size_t i = 0; i < w->journal_count; i++) {
                free(w->journal[i].body);
        }
        free(w->heap);
        free(w->memory);
        w->topology->end(w->context);
        (void)audit_free(w->audit);
}

void sim_run(const sim_topology *topology, uint64_t seed, const sim_options *options, sim_result *ret_result)
{
        world *w = must(calloc(1, sizeof *w));

        w->topology = topology;
        w->options = options;
        world_init(w, seed);
        run_until(w, options->horizon_ms * 1000);
        calm(w);
        /* A service with too little room may have refused it; whoever applies a policy looks. */
        journal_prune(w);
        policy_send(w);
        drain(w);

        memset(ret_result, 0, sizeof *ret_result);
        const char *breach = audit_breach(w->audit);
        ret_result->ok = breach == NULL;
        if (breach != NULL) {
                (void)snprintf(ret_result->breach, sizeof ret_result->breach, "%s", breach);
        }
        w->tally.virtual_ms = w->now_us / 1000;
        ret_result->at_ms = w->now_us / 1000;
        if (topology->count != NULL) {
                topology->count(w->context, w->tally.told);
        }
        ret_result->tally = w->tally;
        ret_result->audit = audit_tally_of(w->audit);
        world_done(w);
        free(w);
}
