/*
 * service_run.c - the loop of a service.
 *
 *      tell(happening) ─► door_shell_step ─► carry every wish ─► arm the wake timer
 *
 * All of it runs on the loop's thread but four things, each at most once at a time on a worker: commit,
 * checkpoint (never together: the store wants one writer), anchor, and the look at
 * the disk's free space; effects have a thread of their own (executor.h). The machine is told of an end
 * only from the loop.
 *
 * Ending has one path: END comes as a wish, every handle is closed, uv_run returns when the last
 * worker has. What is opened before the loop is closed after it, in reverse.
 */
#include "shell/service_run.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sodium.h>
#include <uv.h>

#include "shell/anchor.h"
#include "shell/attempts.h"
#include "shell/bus_zmq.h"
#include "shell/executor.h"
#include "shell/failpoint.h"
#include "shell/keys.h"
#include "shell/metrics.h"
#include "shell/oplog.h"
#include "shell/peers.h"
#include "shell/store_rocksdb.h"

enum {
        PATH_BYTES_MAX = 1024,
        DISK_LOOK_MS = 1000,
        /* A start that has lived this long did not die of what it met first. */
        CALM_MS = 60000,
        FAREWELL_MS = 300,   /* for a refusal that is the last word */
        FILES_WANTED = 4096, /* descriptors: RocksDB's files, sockets, and room to spare */
        FILES_NEEDED = 256,  /* with fewer libzmq aborts sooner or later (EMFILE) */
};

#define DISK_FLOOR_BYTES (UINT64_C(2) * 1024 * 1024 * 1024)

typedef struct paths {
        char state[PATH_BYTES_MAX];
        char peers[PATH_BYTES_MAX];
        char database[PATH_BYTES_MAX];
        char anchor[PATH_BYTES_MAX];
        char attempts[PATH_BYTES_MAX];
        char checkpoints[PATH_BYTES_MAX];
        char info_log[PATH_BYTES_MAX];
} paths;

typedef struct run {
        const door_service_options *options;
        const char *service;
        door_oplog log;
        paths paths;
        char context[512]; /* For a broken invariant's last line: service and cursors. */

        door_keypair own;
        bool own_loaded;
        door_peers_at *peers; /* What the machine borrows. */
        door_store *store;
        door_store_port port;
        door_standing standing; /* Kept up to date with every commit. */
        door_attempts attempts;
        uint8_t noted_before[DOOR_ATTEMPTS_NOTE_BYTES_MAX]; /* What an earlier start died of; lent to the
                                                               machine. */
        bool careful;                                       /* Begun with care: notes are in use. */
        door_shell *shell;
        door_wishes wishes;

        uv_loop_t loop;
        bool loop_made;
        door_bus *bus;
        door_metrics *metrics;
        door_executing *executing; /* NULL: a core without effects. */
        uv_timer_t wake, disk_timer, calm, farewell, deadline;
        uv_signal_t terminate, interrupt, hangup;

        bool turn_wanted;
        bool noted;    /* The note wished for is written, and the machine must hear so. */
        bool stopping; /* Asked to end. */
        bool ended;    /* END came. */
        int exit_code;

        /* Workers. */
        uv_work_t store_work;
        bool store_busy;
        const door_commit *commit; /* Wished for, or being carried out. */
        door_status commit_status;
        uint64_t commit_began_us;
        bool checkpoint_wanted;
        bool checkpoint_running;
        char checkpoint_path[PATH_BYTES_MAX];
        door_status checkpoint_status;
        door_error checkpoint_error;
        uv_work_t anchor_work;
        bool anchor_busy;
        door_anchor anchor;
        door_status anchor_status;
        door_error anchor_error;
        uv_fs_t disk_request;
        bool disk_busy;
        door_disk disk;
        uint64_t disk_free_bytes;

        door_histogram commit_us;
        uint64_t notes_failed, anchors_failed, peers_reloads, peers_refused;
} run;

/* ---- Small things. */

static void say(const run *r, door_level level, const char *event, door_status status, const char *text)
{
        door_oplog_write(&r->log, level, event, r->standing.head, status, text);
}

static uint64_t clock_us(clockid_t clock)
{
        struct timespec now;

        DOOR_REQUIRE(clock_gettime(clock, &now) == 0);
        return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static door_now now_read(void)
{
        return (door_now){ .wall_ms = clock_us(CLOCK_REALTIME) / 1000,
                           .mono_ms = clock_us(CLOCK_MONOTONIC) / 1000 };
}

/* "a/bc"; paths_prepare has seen to it that it fits. */
static void path_print(char out[PATH_BYTES_MAX], const char *a, const char *b, const char *c)
{
        const int length = snprintf(out, PATH_BYTES_MAX, "%s/%s%s", a, b, c);

        DOOR_REQUIRE(length > 0 && length < PATH_BYTES_MAX);
}

/* Where a broken invariant will say we stood. */
static void context_refresh(run *r)
{
        size_t used = 0;
        int put = snprintf(r->context, sizeof r->context, "service=%s head=%" PRIu64, r->service,
                           r->standing.head);

        for (size_t i = 0; put > 0 && used + (size_t)put < sizeof r->context; i++) {
                used += (size_t)put;
                if (i == r->standing.cursors_count) {
                        break;
                }
                put = snprintf(r->context + used, sizeof r->context - used, " cursor[%" PRIu32 "]=%" PRIu64,
                               r->standing.cursors[i].log, r->standing.cursors[i].seq);
        }
}

/* What a commit has made durable, so that anchors, notes and figures need not ask the store. */
static void standing_advance(run *r, const door_commit *commit)
{
        if (commit->records_count > 0) {
                const door_record *last = &commit->records[commit->records_count - 1];

                r->standing.head = last->seq;
                r->standing.head_hash = last->hash;
        }
        for (size_t i = 0; i < commit->cursors_count; i++) {
                size_t at = 0;

                while (at < r->standing.cursors_count &&
                       r->standing.cursors[at].log != commit->cursors[i].log) {
                        at++;
                }
                DOOR_REQUIRE(at < DOOR_UPSTREAMS_MAX);
                r->standing.cursors[at] = commit->cursors[i];
                if (at == r->standing.cursors_count) {
                        r->standing.cursors_count++;
                }
        }
        context_refresh(r);
}

/* ---- Telling the machine, and carrying out what it wishes. */

static void tell(run *r, door_happening *happening);

static void tell_turn(run *r)
{
        door_happening turn = { .kind = DOOR_HAPPENING_TURN };

        tell(r, &turn);
}

static void wake_cb(uv_timer_t *timer)
{
        tell_turn(timer->data);
}

static void commit_run(uv_work_t *work)
{
        run *r = work->data;

        DOOR_FAILPOINT("commit_begins");
        r->commit_status = r->port.commit(r->port.context, r->commit);
        DOOR_FAILPOINT("commit_written");
}

static void store_next(run *r);

static void commit_done(uv_work_t *work, int status)
{
        run *r = work->data;
        const door_commit *commit = r->commit;
        door_happening happening = { .kind = DOOR_HAPPENING_COMMITTED };

        DOOR_FAILPOINT("commit_known");
        DOOR_REQUIRE(status == 0);
        door_histogram_add(&r->commit_us, clock_us(CLOCK_MONOTONIC) - r->commit_began_us);
        r->store_busy = false;
        r->commit = NULL;
        happening.status = r->commit_status;
        if (happening.status == DOOR_OK) {
                standing_advance(r, commit);
        }
        store_next(r);
        tell(r, &happening);
}

static void checkpoint_run(uv_work_t *work)
{
        run *r = work->data;

        r->checkpoint_status = door_store_checkpoint(r->store, r->checkpoint_path, &r->checkpoint_error);
}

static void checkpoint_done(uv_work_t *work, int status)
{
        run *r = work->data;
        door_happening happening = { .kind = DOOR_HAPPENING_CHECKPOINT };

        DOOR_REQUIRE(status == 0);
        r->store_busy = false;
        r->checkpoint_running = false;
        if (r->checkpoint_status != DOOR_OK) {
                say(r, DOOR_LEVEL_ERROR, "checkpoint", r->checkpoint_status, r->checkpoint_error.text);
        }
        store_next(r);
        happening.status = r->checkpoint_status;
        happening.path = r->checkpoint_path;
        tell(r, &happening);
}

/* One writer at a time: what waits, a checkpoint first, because commits never cease. */
static void store_next(run *r)
{
        if (r->store_busy || r->ended) {
                return;
        }
        r->store_work.data = r;
        if (r->checkpoint_wanted) {
                r->checkpoint_wanted = false;
                r->checkpoint_running = true;
                r->store_busy = true;
                DOOR_REQUIRE(uv_queue_work(&r->loop, &r->store_work, checkpoint_run, checkpoint_done) == 0);
        } else if (r->commit != NULL) {
                r->store_busy = true;
                DOOR_REQUIRE(uv_queue_work(&r->loop, &r->store_work, commit_run, commit_done) == 0);
        }
}

static void commit_wished(run *r, const door_commit *commit)
{
        DOOR_REQUIRE(r->commit == NULL);
        r->commit = commit;
        r->commit_began_us = clock_us(CLOCK_MONOTONIC);
        store_next(r);
}

static void checkpoint_wished(run *r)
{
        char name[128];

        DOOR_REQUIRE(!r->checkpoint_wanted && !r->checkpoint_running);
        (void)snprintf(name, sizeof name, "%s-%" PRIu64 "-%" PRIu64, r->service, r->standing.head,
                       clock_us(CLOCK_REALTIME));
        path_print(r->checkpoint_path, r->paths.checkpoints, name, "");
        r->checkpoint_wanted = true;
        store_next(r);
}

static void anchor_run(uv_work_t *work)
{
        run *r = work->data;

        DOOR_FAILPOINT("anchor_begins");
        r->anchor_status = door_anchor_write(r->paths.anchor, &r->anchor, &r->anchor_error);
}

static void anchor_done(uv_work_t *work, int status)
{
        run *r = work->data;

        DOOR_REQUIRE(status == 0);
        r->anchor_busy = false;
        if (r->anchor_status != DOOR_OK) {
                r->anchors_failed++;
                say(r, DOOR_LEVEL_ERROR, "anchor", r->anchor_status, r->anchor_error.text);
        }
}

static void anchor_wished(run *r, const door_wish *wish)
{
        if (r->anchor_busy) {
                return;
        }
        r->anchor = door_anchor_of(&r->standing);
        r->anchor.seq = wish->seq;
        r->anchor.hash = wish->hash;
        r->anchor_work.data = r;
        r->anchor_busy = true;
        DOOR_REQUIRE(uv_queue_work(&r->loop, &r->anchor_work, anchor_run, anchor_done) == 0);
}

/* An empty note says that care has ended. */
static void note_wished(run *r, door_bytes note)
{
        DOOR_REQUIRE(note.len <= sizeof r->attempts.note);
        r->attempts.cursors = door_attempts_digest(&r->standing);
        r->attempts.note_len = note.len;
        if (note.len > 0) {
                memcpy(r->attempts.note, note.data, note.len);
        } else {
                r->attempts.starts = 0;
        }
        if (door_attempts_write(r->paths.attempts, &r->attempts) != DOOR_OK) {
                /* Without it the input that kills us would not be known; serving the others still is
                 * better than standing still. */
                r->notes_failed++;
                say(r, DOOR_LEVEL_ERROR, "note", DOOR_IO, "the attempts file cannot be written");
        }
        r->noted = true;
}

static void alert_wished(run *r, const door_wish *wish)
{
        char text[256];

        (void)snprintf(text, sizeof text, "%s (log %" PRIu32 ")", wish->text, wish->log);
        door_oplog_write(&r->log, DOOR_LEVEL_WARNING, "alert", wish->seq, wish->reason, text);
}

static void loop_leave(run *r);

static void end_wished(run *r, const door_wish *wish)
{
        r->ended = true;
        r->exit_code = wish->exit_code;
        say(r, wish->exit_code == DOOR_EXIT_OK ? DOOR_LEVEL_INFO : DOOR_LEVEL_ERROR, "end", wish->reason,
            wish->text);
        loop_leave(r);
}

static void wish_carry(run *r, const door_wish *wish)
{
        switch (wish->kind) {
        case DOOR_WISH_SEND:
                if (wish->channel != DOOR_CHANNEL_UPSTREAM) {
                        DOOR_FAILPOINT("answer_leaves");
                }
                door_bus_send(r->bus, wish->channel, wish->upstream, wish->route, wish->frame);
                break;
        case DOOR_WISH_RECONNECT:
                door_bus_reconnect(r->bus, wish->upstream);
                break;
        case DOOR_WISH_COMMIT:
                DOOR_FAILPOINT("decided");
                commit_wished(r, wish->commit);
                break;
        case DOOR_WISH_NOTE:
                note_wished(r, wish->frame);
                break;
        case DOOR_WISH_ANCHOR:
                anchor_wished(r, wish);
                break;
        case DOOR_WISH_CHECKPOINT:
                checkpoint_wished(r);
                break;
        case DOOR_WISH_EFFECT:
                DOOR_FAILPOINT("effect_leaves");
                door_executing_add(r->executing, &wish->effect);
                break;
        case DOOR_WISH_ALERT:
                alert_wished(r, wish);
                break;
        case DOOR_WISH_END:
                end_wished(r, wish);
                break;
        }
}

static void wake_arm(run *r)
{
        const uint64_t now_ms = clock_us(CLOCK_MONOTONIC) / 1000;
        uint64_t wait_ms = 0;

        if (!r->turn_wanted) {
                if (r->wishes.wake_mono_ms == UINT64_MAX) {
                        (void)uv_timer_stop(&r->wake);
                        return;
                }
                wait_ms = r->wishes.wake_mono_ms > now_ms ? r->wishes.wake_mono_ms - now_ms : 0;
        }
        /* libuv counts from its own cached time, which a long step has left behind. */
        uv_update_time(&r->loop);
        (void)uv_timer_start(&r->wake, wake_cb, wait_ms, 0);
}

static void tell(run *r, door_happening *happening)
{
        door_happening noted = { .kind = DOOR_HAPPENING_NOTED };

        for (door_happening *next = happening; next != NULL && !r->ended;) {
                next->now = now_read();
                randombytes_buf(next->random, sizeof next->random);
                next->disk = r->disk;
                door_shell_step(r->shell, next, &r->wishes);
                /* Only a turn looks at everything; after anything else one is due. */
                r->turn_wanted = next->kind != DOOR_HAPPENING_TURN || r->wishes.again;
                r->noted = false;
                for (size_t i = 0; i < r->wishes.count && !r->ended; i++) {
                        wish_carry(r, &r->wishes.items[i]);
                }
                next = r->noted ? &noted : NULL;
        }
        if (!r->ended) {
                wake_arm(r);
        }
}

/* ---- What happens. */

static void frame_cb(void *context, door_channel channel, size_t upstream, uint64_t route, const char *peer,
                     door_bytes frame)
{
        door_happening happening = {
                .kind = DOOR_HAPPENING_FRAME,
                .channel = channel,
                .upstream = upstream,
                .route = route,
                .peer = peer,
                .frame = frame,
        };

        DOOR_FAILPOINT("frame_arrived");
        tell(context, &happening);
}

static void executed_cb(void *context, const door_outcome *outcome)
{
        run *r = context;
        door_happening happening = { .kind = DOOR_HAPPENING_EFFECT, .outcome = *outcome };

        DOOR_FAILPOINT("effect_known");
        tell(r, &happening);
}

static void turn_cb(void *context)
{
        tell_turn(context);
}

static void deadline_cb(uv_timer_t *timer)
{
        const run *r = timer->data;

        say(r, DOOR_LEVEL_ERROR, "end", DOOR_TIMED_OUT, "the stop took more than 5 s and is cut short");
        _exit(DOOR_EXIT_RESTART);
}

static void deadline_start(run *r)
{
        if (!uv_is_active((uv_handle_t *)&r->deadline)) {
                (void)uv_timer_start(&r->deadline, deadline_cb, DOOR_STOP_MS, 0);
        }
}

static void stop_cb(uv_signal_t *signal, int number)
{
        run *r = signal->data;
        door_happening happening = { .kind = DOOR_HAPPENING_STOP };

        if (r->stopping || r->ended) {
                return;
        }
        r->stopping = true;
        say(r, DOOR_LEVEL_INFO, "stopping", DOOR_OK, number == SIGTERM ? "SIGTERM" : "SIGINT");
        deadline_start(r);
        tell(r, &happening);
}

static void calm_cb(uv_timer_t *timer)
{
        run *r = timer->data;

        if (!r->careful) {
                door_attempts_forget(r->paths.attempts);
        }
}

static void disk_judge(run *r, const uv_statfs_t *about)
{
        const uint64_t floor =
                r->options->disk_floor_bytes == 0 ? DISK_FLOOR_BYTES : r->options->disk_floor_bytes;
        const uint64_t reserve =
                r->options->disk_reserve_bytes == 0 ? floor / 4 : r->options->disk_reserve_bytes;
        const door_disk before = r->disk;

        r->disk_free_bytes = about->f_bavail * about->f_bsize;
        r->disk = r->disk_free_bytes < reserve ? DOOR_DISK_FULL
                  : r->disk_free_bytes < floor ? DOOR_DISK_LOW
                                               : DOOR_DISK_OK;
        if (r->disk != before) {
                say(r, r->disk == DOOR_DISK_OK ? DOOR_LEVEL_INFO : DOOR_LEVEL_ERROR, "disk", DOOR_OK,
                    r->disk == DOOR_DISK_OK ? "free space is above the floor again"
                    : r->disk == DOOR_DISK_LOW
                            ? "free space is under the floor: only the urgent lane is served"
                            : "free space is under the reserve: no commands are served");
        }
}

static void disk_cb(uv_fs_t *request)
{
        run *r = request->data;

        r->disk_busy = false;
        /* A filesystem that cannot say keeps its last word. */
        if (request->result == 0) {
                disk_judge(r, request->ptr);
        }
        uv_fs_req_cleanup(request);
}

static void disk_timer_cb(uv_timer_t *timer)
{
        run *r = timer->data;

        if (!r->disk_busy) {
                r->disk_request.data = r;
                r->disk_busy = uv_fs_statfs(&r->loop, &r->disk_request, r->paths.state, disk_cb) == 0;
        }
}

static void disk_look_now(run *r)
{
        uv_fs_t request;

        if (uv_fs_statfs(&r->loop, &request, r->paths.state, NULL) == 0) {
                disk_judge(r, request.ptr);
        }
        uv_fs_req_cleanup(&request);
}

/* ---- Peers. */

static door_status upstream_place(const run *r, const door_peers *peers, size_t index,
                                  const door_peer_place **ret_place, door_error *error)
{
        const char *name = r->options->upstreams[index].name;
        const door_peer_place *place = door_peers_place(peers, name);

        if (place == NULL || place->pull[0] == '\0') {
                return door_error_set(
                        error, DOOR_NOT_FOUND,
                        "%s: peer %s is not there or has no endpoints.pull, and we read its log",
                        r->paths.peers, name);
        }
        *ret_place = place;
        return DOOR_OK;
}

/* The file, and who of it may do anything here. */
static door_status peers_read(const run *r, door_peers **ret_peers, door_peers_at **ret_at, door_error *error)
{
        door_peers *peers = NULL;
        door_peers_at *at = malloc(sizeof *at);
        door_status status;

        if (at == NULL) {
                return door_error_set(error, DOOR_NO_MEMORY, "peers");
        }
        status = door_peers_load(r->paths.peers, &peers, error);
        if (status == DOOR_OK) {
                status = door_peers_at_service(peers, r->service, at, error);
        }
        for (size_t i = 0; status == DOOR_OK && i < r->options->upstreams_count; i++) {
                const door_peer_place *place = NULL;

                status = upstream_place(r, peers, i, &place, error);
        }
        if (status != DOOR_OK) {
                (void)door_peers_free(peers);
                free(at);
                return status;
        }
        *ret_peers = peers;
        *ret_at = at;
        return DOOR_OK;
}

static void hangup_cb(uv_signal_t *signal, int number)
{
        run *r = signal->data;
        door_peers *peers = NULL;
        door_peers_at *at = NULL;
        door_peers_at *before = r->peers;
        door_error error = { 0 };

        (void)number;
        if (r->ended) {
                return;
        }
        const door_status status = peers_read(r, &peers, &at, &error);
        if (status != DOOR_OK) {
                r->peers_refused++;
                say(r, DOOR_LEVEL_ERROR, "peers", status, error.text);
                return;
        }
        door_bus_allow(r->bus, at->places, at->count);
        for (size_t i = 0; i < r->options->upstreams_count; i++) {
                const door_peer_place *place = NULL;

                DOOR_REQUIRE(upstream_place(r, peers, i, &place, NULL) == DOOR_OK);
                door_bus_upstream_keys(r->bus, i, place->keys, place->keys_count);
        }
        (void)door_peers_free(peers);
        r->peers = at;
        r->peers_reloads++;
        say(r, DOOR_LEVEL_INFO, "peers", DOOR_OK, "read anew");

        door_happening happening = { .kind = DOOR_HAPPENING_PEERS,
                                     .peers = at->peers,
                                     .peers_count = at->count };
        tell(r, &happening);
        free(before);
}

/* Our secret must be one of the keys others know us by: otherwise nobody could reach us. */
static door_status own_key_check(const run *r, const door_peers *peers, door_error *error)
{
        const door_peer_place *place = door_peers_place(peers, r->service);

        for (size_t i = 0; place != NULL && i < place->keys_count; i++) {
                if (door_key_equal(&place->keys[i], &r->own.public_key)) {
                        return DOOR_OK;
                }
        }
        return door_error_set(error, DOOR_INVALID, "%s: peer %s: keys does not hold the key of our secret",
                              r->paths.peers, r->service);
}

/* ---- Figures. */

typedef struct figure {
        const char *name;
        const char *help;
        uint64_t value;
} figure;

static void figures_render(door_metrics_page *page, const char *kind, const char *labels,
                           const figure *figures, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                door_metrics_about(page, figures[i].name, kind, figures[i].help);
                door_metrics_sample(page, figures[i].name, labels, figures[i].value);
        }
}

static void shell_render(const run *r, door_metrics_page *page, const char *labels)
{
        const door_shell_counters *c = door_shell_count(r->shell);
        const figure grow[] = {
                { "door_inputs_total", "Inputs decided.", c->inputs },
                { "door_commands_total", "Commands decided.", c->commands },
                { "door_records_total", "Records logged.", c->records },
                { "door_batches_total", "Batches with inputs.", c->batches },
                { "door_commits_total", "Commits ended.", c->commits },
                { "door_commits_empty_total", "Commits without records.", c->empty_commits },
                { "door_results_repeated_total", "Answers given from an earlier decision.",
                  c->results_repeated },
                { "door_refusals_total", "Commands decided with no.", c->refusals },
                { "door_malformed_total", "Frames that do not decode.", c->malformed },
                { "door_conflicts_total", "Command ids used with other content.", c->conflicts },
                { "door_retries_total", "Commands answered RETRY.", c->retries },
                { "door_held_back_total", "Records held back for what caused them.", c->held_back },
                { "door_parked_total", "Records parked.", c->parked },
                { "door_released_total", "Records released.", c->released },
                { "door_batch_splits_total", "Batches cut because the arena was full.", c->batch_splits },
                { "door_pull_timeouts_total", "Pulls without an answer.", c->pull_timeouts },
                { "door_pull_faults_total", "Batches that did not fit.", c->pull_faults },
                { "door_refuses_heard_total", "Pulls refused by their owner.", c->refuses_heard },
                { "door_frames_in_total", "Frames told to the machine.", c->frames_in },
                { "door_frames_out_total", "Frames wished to be sent.", c->frames_out },
                { "door_clock_steps_total", "Steps of the wall clock.", c->clock_steps },
                { "door_ticks_total", "Ticks decided.", c->ticks },
                { "door_effects_total", "Effects asked for.", c->effects },
                { "door_outcomes_total", "Outcomes of effects decided.", c->outcomes },
                { "door_outcomes_unasked_total", "Outcomes of what nobody had asked for.",
                  c->outcomes_unasked },
        };
        const figure now[] = {
                { "door_queued", "Commands waiting.", c->queued_now },
                { "door_parked", "Records parked now.", c->parked_now },
                { "door_effects", "Effects under way.", c->effects_now },
                { "door_head", "The log's durable head.", door_shell_head(r->shell) },
                { "door_disk_free_bytes", "Free bytes where the state lies.", r->disk_free_bytes },
                { "door_disk_low", "0, 1 under the floor, 2 under the reserve.", (uint64_t)r->disk },
        };

        figures_render(page, "counter", labels, grow, sizeof grow / sizeof grow[0]);
        figures_render(page, "gauge", labels, now, sizeof now / sizeof now[0]);
}

static void bus_render(const run *r, door_metrics_page *page, const char *labels)
{
        const door_bus_counters *c = door_bus_count(r->bus);
        const figure grow[] = {
                { "door_bus_frames_in_total", "Frames received.", c->frames_in },
                { "door_bus_frames_out_total", "Frames sent.", c->frames_out },
                { "door_bus_dropped_multipart_total", "Messages of several parts.", c->dropped_multipart },
                { "door_bus_dropped_empty_total", "Empty messages.", c->dropped_empty },
                { "door_bus_dropped_oversize_total", "Messages over the frame bound.", c->dropped_oversize },
                { "door_bus_dropped_nameless_total", "Messages without a proven name.", c->dropped_nameless },
                { "door_bus_dropped_revoked_total", "Messages under a removed key.", c->dropped_revoked },
                { "door_bus_unsent_gone_total", "Frames whose receiver is gone.", c->unsent_gone },
                { "door_bus_unsent_full_total", "Frames whose receiver does not read.", c->unsent_full },
                { "door_bus_unsent_size_total", "Frames over the bound, not sent.", c->unsent_size },
                { "door_bus_handshakes_total", "Handshakes accepted.", c->zap_accepted },
                { "door_bus_handshakes_denied_total", "Handshakes denied.", c->zap_denied },
                { "door_bus_reconnects_total", "Fresh sockets to upstreams.", c->reconnects },
                { "door_bus_asked_again_total", "Questions repeated after a disconnect.", c->asked_again },
                { "door_bus_safety_found_total", "Work only the safety timer found: must be 0.",
                  c->safety_found },
                { "door_notes_failed_total", "Notes that could not be written.", r->notes_failed },
                { "door_anchors_failed_total", "Anchors that could not be written.", r->anchors_failed },
                { "door_peers_reloads_total", "peers.yaml read anew.", r->peers_reloads },
                { "door_peers_refused_total", "peers.yaml with a mistake, not taken.", r->peers_refused },
        };

        figures_render(page, "counter", labels, grow, sizeof grow / sizeof grow[0]);
}

static void metrics_render(void *context, door_metrics_page *page)
{
        const run *r = context;
        char labels[256];

        (void)snprintf(labels, sizeof labels, "service=\"%s\"", r->service);
        shell_render(r, page, labels);
        bus_render(r, page, labels);
        door_metrics_about(page, "door_commit_seconds", "histogram", "From the wish to the end of a commit.");
        door_metrics_histogram(page, "door_commit_seconds", labels, &r->commit_us);
        door_metrics_about(page, "door_cursor", "gauge", "Durably consumed of an upstream log.");
        for (size_t i = 0; i < r->options->upstreams_count; i++) {
                const door_upstream *upstream = &r->options->upstreams[i];
                uint64_t seq = 0;

                for (size_t c = 0; c < r->standing.cursors_count; c++) {
                        if (r->standing.cursors[c].log == upstream->log) {
                                seq = r->standing.cursors[c].seq;
                        }
                }
                (void)snprintf(labels, sizeof labels, "service=\"%s\",upstream=\"%s\"", r->service,
                               upstream->name);
                door_metrics_sample(page, "door_cursor", labels, seq);
        }
}

static const char *metrics_health(void *context, bool *ret_well)
{
        const run *r = context;

        *ret_well = !r->stopping && !r->ended && r->disk != DOOR_DISK_FULL;
        return r->stopping || r->ended ? "STOPPING\n" : r->disk == DOOR_DISK_FULL ? "DISK\n" : "SERVING\n";
}

/* ---- Opening. */

static door_status process_prepare(const run *r, door_error *error)
{
        const struct rlimit none = { 0, 0 };
        struct rlimit files;

        /* Personal data and keys lie in this memory: no core file, and no other process looks in. */
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        (void)umask(077);
        (void)signal(SIGPIPE, SIG_IGN);
        if (getrlimit(RLIMIT_NOFILE, &files) != 0) {
                return door_error_set(error, DOOR_IO, "RLIMIT_NOFILE: %s", strerror(errno));
        }
        if (files.rlim_cur < FILES_WANTED) {
                files.rlim_cur = files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
                (void)setrlimit(RLIMIT_NOFILE, &files);
        }
        if (files.rlim_cur < FILES_NEEDED) {
                return door_error_set(error, DOOR_INVALID, "RLIMIT_NOFILE is %ju, %d are needed",
                                      (uintmax_t)files.rlim_cur, FILES_NEEDED);
        }
        if (files.rlim_cur < FILES_WANTED) {
                say(r, DOOR_LEVEL_WARNING, "limits", DOOR_OK, "fewer than 4096 open files are allowed");
        }
        return DOOR_OK;
}

static door_status folder_make(const char *path, door_error *error)
{
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
                return door_error_set(error, DOOR_IO, "%.200s: %s", path, strerror(errno));
        }
        return DOOR_OK;
}

static door_status paths_prepare(run *r, door_error *error)
{
        const char *home = r->options->home;
        paths *p = &r->paths;
        static const char *const below_home[] = { "run", "log", "state" };
        static const char *const below_state[] = { "db", "anchors", "attempts", "checkpoints" };
        char folder[PATH_BYTES_MAX];
        door_status status = DOOR_OK;

        /* Room for what is appended later, too: the longest is a checkpoint's name. */
        if (strlen(home) + 256 > PATH_BYTES_MAX) {
                return door_error_set(error, DOOR_INVALID, "the home folder's path is too long");
        }
        path_print(p->state, home, "state", "");
        path_print(p->peers, home, "peers.yaml", "");
        path_print(p->database, home, "state/db/", r->service);
        path_print(p->anchor, home, "state/anchors/", r->service);
        path_print(p->attempts, home, "state/attempts/", r->service);
        path_print(p->checkpoints, home, "state/checkpoints", "");
        path_print(p->info_log, home, "log/", r->service);
        for (size_t i = 0; status == DOOR_OK && i < sizeof below_home / sizeof below_home[0]; i++) {
                path_print(folder, home, below_home[i], "");
                status = folder_make(folder, error);
        }
        for (size_t i = 0; status == DOOR_OK && i < sizeof below_state / sizeof below_state[0]; i++) {
                path_print(folder, p->state, below_state[i], "");
                status = folder_make(folder, error);
        }
        return status == DOOR_OK ? folder_make(p->info_log, error) : status;
}

static door_status store_prepare(run *r, door_error *error)
{
        door_store_options options = {
                .path = r->paths.database,
                .log_dir = r->paths.info_log,
                .anchor_path = r->paths.anchor,
        };

        randombytes_buf(options.new_log_id, sizeof options.new_log_id);
        const door_status status = door_store_open(&options, &r->store, &r->standing, error);
        if (status == DOOR_OK) {
                r->port = door_store_port_of(r->store);
                context_refresh(r);
                door_require_context(r->context);
        }
        return status;
}

/* Counts this start; what earlier starts at the same cursors left is what the machine is told. */
static void attempts_prepare(run *r, door_shell_config *config)
{
        const door_hash here = door_attempts_digest(&r->standing);

        if (door_attempts_read(r->paths.attempts, &r->attempts) != DOOR_OK ||
            !door_hash_equal(&r->attempts.cursors, &here)) {
                memset(&r->attempts, 0, sizeof r->attempts);
        }
        config->starts_here = r->attempts.starts;
        memcpy(r->noted_before, r->attempts.note, r->attempts.note_len);
        config->noted = (door_bytes){ r->noted_before, r->attempts.note_len };
        r->careful = r->attempts.starts >= DOOR_POISON_STARTS || r->attempts.note_len > 0;
        if (r->careful) {
                say(r, DOOR_LEVEL_WARNING, "careful", DOOR_OK,
                    "earlier starts died here: one input at a time until that is past");
        }
        r->attempts.cursors = here;
        r->attempts.starts++;
        if (door_attempts_write(r->paths.attempts, &r->attempts) != DOOR_OK) {
                r->notes_failed++;
                say(r, DOOR_LEVEL_ERROR, "note", DOOR_IO, "the attempts file cannot be written");
        }
}

static door_status shell_prepare(run *r, door_shell_config *config, door_error *error)
{
        config->core = r->options->core;
        config->store = &r->port;
        config->standing = r->standing;
        config->upstreams = r->options->upstreams;
        config->upstreams_count = r->options->upstreams_count;
        config->peers = r->peers->peers;
        config->peers_count = r->peers->count;
        config->version = r->options->version == NULL ? "unversioned" : r->options->version;
        config->rate_per_minute = r->options->rate_per_minute;
        const door_status status = door_shell_new(config, &r->shell);
        return status == DOOR_OK ? DOOR_OK
                                 : door_error_set(error, status, "the machine: %s", door_status_text(status));
}

static void handles_init(run *r)
{
        uv_timer_t *timers[] = { &r->wake, &r->disk_timer, &r->calm, &r->farewell, &r->deadline };
        uv_signal_t *signals[] = { &r->terminate, &r->interrupt, &r->hangup };

        DOOR_REQUIRE(uv_loop_init(&r->loop) == 0);
        r->loop_made = true;
        for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
                (void)uv_timer_init(&r->loop, timers[i]);
                timers[i]->data = r;
        }
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
                (void)uv_signal_init(&r->loop, signals[i]);
                signals[i]->data = r;
        }
}

static void farewell_cb(uv_timer_t *timer)
{
        run *r = timer->data;

        if (r->bus != NULL) {
                door_bus_close(r->bus, NULL, NULL);
                r->bus = NULL;
        }
        uv_close((uv_handle_t *)timer, NULL);
}

/* Closes every handle; uv_run returns when they and the workers are done. */
static void loop_leave(run *r)
{
        uv_timer_t *timers[] = { &r->wake, &r->disk_timer, &r->calm };
        uv_signal_t *signals[] = { &r->terminate, &r->interrupt, &r->hangup };

        for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
                uv_close((uv_handle_t *)timers[i], NULL);
        }
        for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
                uv_close((uv_handle_t *)signals[i], NULL);
        }
        /* What a reader has not read when the connection goes is lost to it (bus_zmq.c), and of a service
         * that stays down nobody can ask again: the refusal that says why gets time to be heard. */
        if (r->bus != NULL && r->exit_code == DOOR_EXIT_STAY_DOWN) {
                (void)uv_timer_start(&r->farewell, farewell_cb, FAREWELL_MS, 0);
        } else {
                farewell_cb(&r->farewell);
        }
        door_metrics_close(r->metrics);
        r->metrics = NULL;
        door_executing_close(r->executing);
        /* The deadline stays and does not keep the loop alive: it is closed last. */
        deadline_start(r);
        uv_unref((uv_handle_t *)&r->deadline);
}

static door_status bus_prepare(run *r, const door_peers *peers, door_error *error)
{
        const door_peer_place *us = door_peers_place(peers, r->service);
        door_bus_upstream upstreams[DOOR_UPSTREAMS_MAX];

        if (us->pull[0] == '\0' || us->command[0] == '\0') {
                return door_error_set(error, DOOR_INVALID,
                                      "%s: peer %s: endpoints.pull or .command is missing", r->paths.peers,
                                      r->service);
        }
        for (size_t i = 0; i < r->options->upstreams_count; i++) {
                const door_peer_place *place = NULL;

                DOOR_REQUIRE(upstream_place(r, peers, i, &place, error) == DOOR_OK);
                upstreams[i] = (door_bus_upstream){ place->pull, place->keys, place->keys_count };
        }
        const door_bus_options options = {
                .pull = us->pull,
                .command = us->command,
                .upstreams = upstreams,
                .upstreams_count = r->options->upstreams_count,
                .own = &r->own,
                .allowed = r->peers->places,
                .allowed_count = r->peers->count,
                .sink = { r, frame_cb, turn_cb },
        };
        return door_bus_open(&r->loop, &options, &r->bus, error);
}

static door_status executor_prepare(run *r, door_error *error)
{
        if (r->options->core->next_effect == NULL) {
                return DOOR_OK;
        }
        DOOR_REQUIRE(r->options->executor != NULL);
        const door_status status =
                door_executing_new(&r->loop, r->options->executor, executed_cb, r, &r->executing);
        return status == DOOR_OK ? DOOR_OK : door_error_set(error, status, "the thread for effects");
}

static door_status metrics_prepare(run *r, door_error *error)
{
        const door_metrics_source source = { r, metrics_render, metrics_health };

        if (r->options->metrics_port == 0) {
                return DOOR_OK;
        }
        return door_metrics_open(&r->loop, r->options->metrics_port, &source, &r->metrics, error);
}

/* Everything up to the first happening. What has been opened is closed by run_close. */
static door_status run_open(run *r, door_error *error)
{
        door_shell_config config = { 0 };
        door_peers *peers = NULL;
        door_status status = process_prepare(r, error);

        if (status == DOOR_OK) {
                status = paths_prepare(r, error);
        }
        if (status == DOOR_OK) {
                status = door_keypair_load(r->options->home, r->service, &r->own, error);
                r->own_loaded = status == DOOR_OK;
        }
        if (status == DOOR_OK) {
                status = peers_read(r, &peers, &r->peers, error);
        }
        if (status == DOOR_OK) {
                status = own_key_check(r, peers, error);
        }
        /* The store before the sockets: its lock keeps a second process from taking ours away. */
        if (status == DOOR_OK) {
                status = store_prepare(r, error);
        }
        if (status != DOOR_OK) {
                goto out;
        }
        attempts_prepare(r, &config);
        status = shell_prepare(r, &config, error);
        if (status != DOOR_OK) {
                goto out;
        }
        handles_init(r);
        status = bus_prepare(r, peers, error);
        if (status == DOOR_OK) {
                status = metrics_prepare(r, error);
        }
        if (status == DOOR_OK) {
                status = executor_prepare(r, error);
        }
out:
        (void)door_peers_free(peers);
        return status;
}

static void run_start(run *r)
{
        door_happening happening = { .kind = DOOR_HAPPENING_START };

        (void)uv_signal_start(&r->terminate, stop_cb, SIGTERM);
        (void)uv_signal_start(&r->interrupt, stop_cb, SIGINT);
        (void)uv_signal_start(&r->hangup, hangup_cb, SIGHUP);
        (void)uv_timer_start(&r->disk_timer, disk_timer_cb, DISK_LOOK_MS, DISK_LOOK_MS);
        (void)uv_timer_start(&r->calm, calm_cb, CALM_MS, 0);
        disk_look_now(r);
        say(r, DOOR_LEVEL_INFO, "started", DOOR_OK, r->context);
        tell(r, &happening);
}

/* The last word about our log, and that this start did not die. */
static void run_finish(run *r)
{
        door_error error = { 0 };

        if (r->exit_code == DOOR_EXIT_OK) {
                const door_anchor anchor = door_anchor_of(&r->standing);
                const door_status status = door_anchor_write(r->paths.anchor, &anchor, &error);

                if (status != DOOR_OK) {
                        say(r, DOOR_LEVEL_ERROR, "anchor", status, error.text);
                        r->exit_code = DOOR_EXIT_RESTART;
                }
        }
        door_attempts_forget(r->paths.attempts);
}

static void loop_close(run *r)
{
        if (!r->loop_made) {
                return;
        }
        if (!uv_is_closing((uv_handle_t *)&r->wake)) {
                loop_leave(r);
                (void)uv_run(&r->loop, UV_RUN_DEFAULT);
        }
        uv_close((uv_handle_t *)&r->deadline, NULL);
        (void)uv_run(&r->loop, UV_RUN_DEFAULT);
        DOOR_REQUIRE(uv_loop_close(&r->loop) == 0);
}

static void run_close(run *r)
{
        /* Closing a database has no bound of its own. */
        (void)alarm(DOOR_STOP_MS / 1000);
        loop_close(r);
        r->executing = door_executing_free(r->executing);
        (void)door_shell_free(r->shell);
        door_require_context("");
        (void)door_store_close(r->store);
        if (r->own_loaded) {
                door_keypair_done(&r->own);
        }
        free(r->peers);
        (void)alarm(0);
        /* Leave the process as it was found, for a program that does something after. */
        (void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* Restarting cannot help, and could hide it: a person decides. */
static bool stays_down(door_status status)
{
        return status == DOOR_LOG_REGRESSED || status == DOOR_ANCHOR_MISSING || status == DOOR_CORRUPT ||
               status == DOOR_FORMAT_NEWER || status == DOOR_UPSTREAM_REGRESSED ||
               status == DOOR_UPSTREAM_NEWER;
}

int door_service_run(const door_service_options *options)
{
        door_error error = { 0 };
        run *r = calloc(1, sizeof *r);

        DOOR_REQUIRE(sodium_init() >= 0);
        DOOR_REQUIRE(door_name_is_valid(door_bytes_of(options->core->name)));
        DOOR_REQUIRE(options->upstreams_count <= DOOR_UPSTREAMS_MAX);
        if (r == NULL) {
                return DOOR_EXIT_RESTART;
        }
        r->options = options;
        r->service = options->core->name;
        r->log = (door_oplog){ options->log_fd == 0 ? STDERR_FILENO : options->log_fd, r->service };
        r->exit_code = DOOR_EXIT_RESTART;
        const door_status status = run_open(r, &error);
        if (status == DOOR_OK) {
                run_start(r);
                (void)uv_run(&r->loop, UV_RUN_DEFAULT);
                DOOR_REQUIRE(r->ended);
                run_finish(r);
        } else {
                r->exit_code = stays_down(status) ? DOOR_EXIT_STAY_DOWN : DOOR_EXIT_RESTART;
                say(r, DOOR_LEVEL_ERROR, "start", status, error.text);
        }
        run_close(r);
        const int exit_code = r->exit_code;
        free(r);
        return exit_code;
}
