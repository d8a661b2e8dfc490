/*
 * cli_verify.c - frontdoor verify: is what the services remember true?
 *
 * Two halves, named apart in what is printed:
 *
 *   auditor  the logs, cursors and anchors, read by a decoder of its own (tests/audit)
 *   replay   every log folded from nothing by the cores, in a process and a store of its own,
 *            and compared with the stored state byte for byte, row for row
 *
 * Running: each service makes a checkpoint on request, the last in the chain first, so that an
 * upstream's copy holds everything a consumer's copy has seen: the consistent cut. --stopped:
 * the databases themselves, opened read-only with their anchors. Exit code 0: everything holds;
 * 1: something does not, and its name is printed; 2: it cannot be judged.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit/county.h"
#include "cli/cli.h"
#include "shell/anchor.h"
#include "shell/fold.h"
#include "shell/store_rocksdb.h"

enum { VERIFY_HOLDS = 0, VERIFY_BROKEN = 1, VERIFY_CANNOT_JUDGE = 2 };
enum { SERVICES_MAX = 8, FOLD_RECORDS = 64, READ_BYTES = DOOR_MIB };

typedef struct copy {
        const cli_service *service;
        char path[CLI_PATH_BYTES_MAX];
        bool is_checkpoint;
        door_store *store;
        door_store_port port;
        door_standing standing;
        bool opened;
        uint64_t fed;
} copy;

typedef struct verification {
        cli *c;
        copy copies[SERVICES_MAX];
        size_t count;
        int code;
} verification;

static void worse(verification *v, int code)
{
        /* Broken outranks cannot-judge: a fact outranks a gap. */
        if (v->code == VERIFY_HOLDS || code == VERIFY_BROKEN) {
                v->code = code;
        }
}

/* A folder RocksDB made: files only, one level. */
static void folder_remove(const char *path)
{
        DIR *folder = opendir(path);
        struct dirent *item = NULL;

        while (folder != NULL && (item = readdir(folder)) != NULL) {
                char file[CLI_PATH_BYTES_MAX + 256];
                if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0 &&
                    snprintf(file, sizeof file, "%s/%s", path, item->d_name) < (int)sizeof file) {
                        (void)unlink(file);
                }
        }
        if (folder != NULL) {
                (void)closedir(folder);
        }
        (void)rmdir(path);
}

/* ---- getting hold of the data ---- */

static bool checkpoint_ask(verification *v, copy *one)
{
        Door__V1__CheckpointAsked asked = DOOR__V1__CHECKPOINT_ASKED__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        door_client *client = NULL;
        door_error error = { 0 };
        door_bytes answer;
        const char *name = one->service->core->name;

        frame.checkpoint_asked = &asked;
        door_arena_reset(&v->c->arena);
        const door_bytes bytes = door_frame_pack(&frame.base, &v->c->arena);
        if (cli_client(v->c, name, false, &client, &error) != DOOR_OK) {
                (void)cli_fail("verify", &error);
                return false;
        }
        const Door__V1__Frame *in = NULL;
        if (door_client_ask(client, bytes, 30000, 1, &answer) == DOOR_OK) {
                in = door_frame_unpack(answer, &v->c->arena);
        }
        const bool made = in != NULL && in->checkpoint_made != NULL && in->checkpoint_made->error == NULL &&
                          strlen(in->checkpoint_made->path) < sizeof one->path;
        if (made) {
                strcpy(one->path, in->checkpoint_made->path);
                one->is_checkpoint = true;
        } else {
                (void)fprintf(stderr,
                              "frontdoor: verify: %s gave no checkpoint: is it running? (--stopped reads "
                              "a stopped system)\n",
                              name);
        }
        (void)door_client_free(client);
        return made;
}

static bool copy_open(verification *v, copy *one, bool stopped)
{
        char logs[CLI_PATH_BYTES_MAX];
        char anchor[CLI_PATH_BYTES_MAX];
        door_error error = { 0 };
        const char *name = one->service->core->name;

        if (stopped) {
                cli_path(v->c, "state/db", name, one->path);
        }
        cli_path(v->c, "log", name, logs);
        cli_path(v->c, "state/anchors", name, anchor);
        const door_store_options options = {
                .path = one->path,
                .log_dir = logs,
                .anchor_path = stopped ? anchor : NULL,
        };
        const door_status status = door_store_open_read_only(&options, &one->store, &one->standing, &error);
        if (status == DOOR_NOT_FOUND) {
                (void)printf("%-14s has no database yet\n", name);
                return true;
        }
        if (status != DOOR_OK) {
                (void)printf("start-up check of %s: %s\n", name, error.text);
                worse(v, status == DOOR_BUSY || status == DOOR_IO ? VERIFY_CANNOT_JUDGE : VERIFY_BROKEN);
                return false;
        }
        one->opened = true;
        one->port = door_store_port_of(one->store);
        return true;
}

/* ---- the auditor's half ---- */

/* True when everything this record has seen has been fed: then its causes are known. */
static bool may_feed(const verification *v, const audit *a, const door_header *header, uint32_t own)
{
        for (uint32_t i = 0; i < header->seen_count; i++) {
                for (size_t k = 0; k < v->count; k++) {
                        const uint32_t log = v->copies[k].service->core->log;
                        if (log == header->seen[i].log && log != own &&
                            audit_head(a, log) < header->seen[i].seq &&
                            v->copies[k].fed < v->copies[k].standing.head) {
                                return false;
                        }
                }
        }
        return true;
}

/* Feeds what may be fed of one log; returns how many. */
static size_t feed(verification *v, audit *a, copy *one)
{
        door_record *records = malloc(FOLD_RECORDS * sizeof *records);
        const uint32_t log = one->service->core->log;
        size_t fed = 0;
        bool more = records != NULL;

        while (more && one->fed < one->standing.head && audit_breach(a) == NULL) {
                size_t count = 0;
                door_arena_reset(&v->c->arena);
                const door_status status =
                        one->port.read(one->port.context, one->fed, FOLD_RECORDS, READ_BYTES, DOOR_FORM_WHOLE,
                                       &v->c->arena, records, &count);
                if (status != DOOR_OK || count == 0) {
                        audit_fail(a, "R4", "log %u seq %llu cannot be read: %s", log,
                                   (unsigned long long)(one->fed + 1), door_status_name(status));
                        break;
                }
                for (size_t i = 0; i < count && more; i++) {
                        door_header header;
                        more = door_header_decode(records[i].header, &v->c->arena, &header) != DOOR_OK ||
                               may_feed(v, a, &header, log);
                        if (!more) {
                                break;
                        }
                        const audit_record record = {
                                .seq = records[i].seq,
                                .hash = records[i].hash.bytes,
                                .header = { records[i].header.data, records[i].header.len },
                                .public_payload = { records[i].public_payload.data,
                                                    records[i].public_payload.len },
                                .private_payload = { records[i].private_payload.data,
                                                     records[i].private_payload.len },
                                .payloads_given = true,
                        };
                        audit_record_durable(a, log, &record);
                        one->fed++;
                        fed++;
                }
        }
        free(records);
        return fed;
}

static const door_cursor *cursor_in(const copy *one, uint32_t log)
{
        for (size_t k = 0; k < one->standing.cursors_count; k++) {
                if (one->standing.cursors[k].log == log) {
                        return &one->standing.cursors[k];
                }
        }
        return NULL;
}

/* Every log a service reads, also one its database holds no cursor for any more: that one is at 0. */
static void cursors_audit(const verification *v, audit *a, const audit_model *model, const copy *one)
{
        static const uint8_t not_learned[16] = { 0 };
        const uint32_t own = one->service->core->log;

        for (size_t i = 0; one->opened && i < v->count; i++) {
                const copy *up = &v->copies[i];
                const uint32_t log = up->service->core->log;
                const door_cursor *cursor = cursor_in(one, log);
                if (log == own || (cursor == NULL && !model->reads(own, log))) {
                        continue;
                }
                if (cursor != NULL && up->opened &&
                    memcmp(cursor->log_id, not_learned, sizeof not_learned) != 0 &&
                    memcmp(cursor->log_id, up->standing.log_id, sizeof not_learned) != 0) {
                        audit_fail(a, "R5", "log %u: its cursor is in another log than log %u is", own, log);
                }
                audit_cursor(a, own, log, cursor == NULL ? 0 : cursor->seq,
                             cursor != NULL && cursor->seq > 0 ? cursor->hash.bytes : NULL, true);
        }
}

static void anchors_check(verification *v, audit *a)
{
        for (size_t i = 0; i < v->count; i++) {
                char path[CLI_PATH_BYTES_MAX];
                door_anchor anchor;
                cli_path(v->c, "state/anchors", v->copies[i].service->core->name, path);
                /* Of a running service the anchor may be newer than the copy: only the stopped one's binds.
                 */
                if (v->copies[i].opened && !v->copies[i].is_checkpoint &&
                    door_anchor_read(path, &anchor, NULL) == DOOR_OK) {
                        audit_held(a, v->copies[i].service->core->log, anchor.seq, anchor.hash.bytes,
                                   "the anchor");
                }
        }
}

static void disposition_line(void *context, const uint8_t referral[10], const char *where)
{
        char text[DOOR_ID_TEXT_BYTES];
        door_id id;

        memcpy(id.bytes, referral, sizeof id.bytes);
        door_id_print(DOOR_ID_REFERRAL, &id, text);
        (void)fprintf(context, "%s,%s\n", text, where);
}

/* --dispositions FILE: where each referral is by the auditor's own reading, to hold against `show`. */
static void dispositions_write(verification *v, const county *books)
{
        const char *path = cli_option(v->c, "--dispositions");
        FILE *out = path == NULL ? NULL : fopen(path, "w");

        if (path == NULL) {
                return;
        }
        if (out == NULL) {
                (void)printf("auditor: %s cannot be written\n", path);
                worse(v, VERIFY_CANNOT_JUDGE);
                return;
        }
        episodes_each(county_notes(books), disposition_line, out);
        if (fclose(out) != 0) {
                worse(v, VERIFY_CANNOT_JUDGE);
        }
}

static void auditor_half(verification *v)
{
        county *county_books = county_new();
        const audit_model model = county_model(county_books);
        audit *a = audit_new(&model);
        size_t progress = 1;

        for (size_t i = 0; i < v->count; i++) {
                if (v->copies[i].opened) {
                        audit_log(a, v->copies[i].service->core->log, v->copies[i].standing.log_id);
                }
        }
        while (progress > 0 && audit_breach(a) == NULL) {
                progress = 0;
                for (size_t i = 0; i < v->count; i++) {
                        progress += v->copies[i].opened ? feed(v, a, &v->copies[i]) : 0;
                }
        }
        for (size_t i = 0; i < v->count && audit_breach(a) == NULL; i++) {
                const copy *one = &v->copies[i];
                if (one->opened && one->fed < one->standing.head) {
                        audit_fail(a, "CAUSAL", "log %u seq %llu has seen what no log holds",
                                   one->service->core->log, (unsigned long long)(one->fed + 1));
                }
                cursors_audit(v, a, &model, one);
        }
        anchors_check(v, a);
        const county_counts counts = county_count(county_books);
        const audit_tally tally = audit_tally_of(a);
        if (audit_breach(a) != NULL) {
                (void)printf("auditor: BROKEN: %s\n", audit_breach(a));
                worse(v, VERIFY_BROKEN);
        } else {
                (void)printf(
                        "auditor: holds: %llu records; received %llu = matched %llu + awaiting match %llu + "
                        "parked %llu; %llu refused attempts kept\n",
                        (unsigned long long)tally.records, (unsigned long long)counts.received,
                        (unsigned long long)counts.matched,
                        (unsigned long long)(counts.received - counts.matched -
                                             (tally.parked - tally.released)),
                        (unsigned long long)(tally.parked - tally.released),
                        (unsigned long long)counts.refused_attempts);
                const episodes_counts places = county_episodes(county_books);
                (void)printf(
                        "auditor: holds: placed %llu of %llu matched, %llu of them chronology only; open "
                        "episodes %llu, each with one owner; waiting for a look %llu, for a response %llu\n",
                        (unsigned long long)places.placed, (unsigned long long)counts.matched,
                        (unsigned long long)places.history, (unsigned long long)places.open_now,
                        (unsigned long long)places.looks_now, (unsigned long long)places.responses_now);
        }
        dispositions_write(v, county_books);
        (void)audit_free(a);
        (void)county_free(county_books);
}

/* ---- the replay's half, in a process of its own ---- */

/* Folds one record into the view; what it was unpacked into stays until the view is committed. */
static bool fold_record(const door_core_ops *core, const door_record *record, door_view *view,
                        door_arena *arena)
{
        door_header header;
        door_bytes public_payload = DOOR_BYTES_EMPTY;
        door_bytes private_payload = DOOR_BYTES_EMPTY;

        return door_header_decode(record->header, arena, &header) == DOOR_OK &&
               (!header.has_public ||
                door_payload_open(record->public_payload, &header.public_digest, &public_payload)) &&
               (!header.has_private ||
                door_payload_open(record->private_payload, &header.private_digest, &private_payload)) &&
               door_fold(core, view, &header, public_payload, private_payload, arena) == DOOR_OK &&
               view->latch == DOOR_OK;
}

/*
 * Folds from after *seq on as much as the arena holds, as one commit without records. False when
 * a record cannot be folded; *seq is then the last that could.
 */
static bool fold_some(const copy *one, const door_store_port *into, door_arena *arena, uint64_t *seq)
{
        door_view view;
        bool good = true;

        door_arena_reset(arena);
        door_view_init(&view, &into->state, arena);
        while (good && *seq < one->standing.head && arena->used < arena->cap / 2) {
                door_record record;
                size_t count = 0;
                good = one->port.read(one->port.context, *seq, 1, READ_BYTES, DOOR_FORM_WHOLE, arena, &record,
                                      &count) == DOOR_OK &&
                       count == 1 && fold_record(one->service->core, &record, &view, arena);
                *seq += good ? 1 : 0;
        }
        const door_commit commit = { .expected_head = 0, .changes = view.head[0] };
        return good && (view.head[0] == NULL || into->commit(into->context, &commit) == DOOR_OK);
}

/* The first row in which two states differ, as a sentence; NULL when they are equal. */
static const char *states_differ(const door_store_port *a, const door_store_port *b, door_arena *arena,
                                 uint8_t *ret_table)
{
        uint8_t at[4096];
        door_bytes key = DOOR_BYTES_EMPTY;
        bool inclusive = true;

        for (;;) {
                door_bytes keys[2] = { DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY };
                door_bytes values[2] = { DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY };
                bool found[2] = { false, false };
                door_arena_reset(arena);
                if (a->state.next(a->state.context, key, inclusive, DOOR_BYTES_EMPTY, arena, &keys[0],
                                  &values[0], &found[0]) != DOOR_OK ||
                    b->state.next(b->state.context, key, inclusive, DOOR_BYTES_EMPTY, arena, &keys[1],
                                  &values[1], &found[1]) != DOOR_OK) {
                        return "a row of the state cannot be read";
                }
                if (!found[0] && !found[1]) {
                        return NULL;
                }
                *ret_table = found[0] ? keys[0].data[0] : keys[1].data[0];
                if (!found[0] || !found[1] || !door_bytes_equal(keys[0], keys[1])) {
                        return "a row stands in one and not in the other";
                }
                if (!door_bytes_equal(values[0], values[1])) {
                        return "a row has another value than its log gives it";
                }
                if (keys[0].len > sizeof at) {
                        return "a key is longer than any can be";
                }
                memcpy(at, keys[0].data, keys[0].len);
                key = (door_bytes){ at, keys[0].len };
                inclusive = false;
        }
}

static int replay_one(verification *v, const copy *one)
{
        char scratch[CLI_PATH_BYTES_MAX];
        char logs[CLI_PATH_BYTES_MAX];
        door_store *store = NULL;
        door_standing standing;
        door_error error = { 0 };
        const char *name = one->service->core->name;
        uint64_t seq = 0;

        cli_path(v->c, "state", "verify-replay", scratch);
        cli_path(v->c, "log", name, logs);
        folder_remove(scratch);
        const door_store_options options = { .path = scratch, .log_dir = logs, .new_log_id = { 1 } };
        if (door_store_open(&options, &store, &standing, &error) != DOOR_OK) {
                (void)cli_fail("verify: replay", &error);
                return VERIFY_CANNOT_JUDGE;
        }
        const door_store_port into = door_store_port_of(store);
        int code = VERIFY_HOLDS;
        while (seq < one->standing.head && code == VERIFY_HOLDS) {
                if (!fold_some(one, &into, &v->c->arena, &seq)) {
                        (void)printf("replay: BROKEN: %s seq %llu cannot be folded\n", name,
                                     (unsigned long long)(seq + 1));
                        code = VERIFY_BROKEN;
                }
        }
        uint8_t table = 0;
        const char *wrong =
                code == VERIFY_HOLDS ? states_differ(&one->port, &into, &v->c->arena, &table) : NULL;
        if (wrong != NULL) {
                (void)printf("replay: BROKEN: %s, table 0x%02x: %s\n", name, table, wrong);
                code = VERIFY_BROKEN;
        } else if (code == VERIFY_HOLDS) {
                (void)printf(
                        "replay: holds: %s: %llu records folded from nothing give the stored state byte for "
                        "byte\n",
                        name, (unsigned long long)one->standing.head);
        }
        (void)door_store_close(store);
        folder_remove(scratch);
        return code;
}

/* Opens the copy itself: a database handle does not survive a fork. */
static void replay_half(verification *v, bool stopped)
{
        for (size_t i = 0; i < v->count; i++) {
                copy *one = &v->copies[i];
                int status = 0;
                if (!one->opened) {
                        continue;
                }
                (void)fflush(NULL);
                const pid_t child = fork();
                if (child == 0) {
                        one->opened = false;
                        int code = copy_open(v, one, stopped) && one->opened ? replay_one(v, one)
                                                                             : VERIFY_CANNOT_JUDGE;
                        (void)door_store_close(one->store);
                        (void)fflush(NULL);
                        _exit(code);
                }
                if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
                        (void)printf("replay: %s could not be replayed\n", one->service->core->name);
                        worse(v, VERIFY_CANNOT_JUDGE);
                } else if (WEXITSTATUS(status) != VERIFY_HOLDS) {
                        worse(v, WEXITSTATUS(status));
                }
        }
}

static void copies_close(verification *v)
{
        for (size_t i = 0; i < v->count; i++) {
                v->copies[i].store = door_store_close(v->copies[i].store);
        }
}

int cli_verify(cli *c)
{
        verification *v = calloc(1, sizeof *v);
        const bool stopped = cli_flag(c, "--stopped");
        bool have_all = true;

        const int arguments = (stopped ? 2 : 1) + (cli_option(c, "--dispositions") != NULL ? 2 : 0);

        if (v == NULL || c->argc > arguments) {
                free(v);
                return cli_usage(c, "[--stopped] [--dispositions FILE.csv]");
        }
        v->c = c;
        for (size_t i = 0; v->count < SERVICES_MAX && cli_service_at(i) != NULL; i++) {
                if (cli_service_at(i)->core->project != NULL) {
                        /* Its log does not hold its state: there is nothing to fold it from but all others.
                         */
                        (void)printf(
                                "%-14s is a view and not judged: `frontdoor view rebuild` makes it again\n",
                                cli_service_at(i)->core->name);
                } else {
                        v->copies[v->count++].service = cli_service_at(i);
                }
        }
        /* The end of the chain first: what it has seen is then in the copies taken after it. */
        for (size_t i = v->count; i-- > 0 && have_all && !stopped;) {
                have_all = checkpoint_ask(v, &v->copies[i]);
        }
        if (!have_all) {
                worse(v, VERIFY_CANNOT_JUDGE);
        }
        for (size_t i = 0; i < v->count && have_all; i++) {
                have_all = copy_open(v, &v->copies[i], stopped);
        }
        if (have_all) {
                auditor_half(v);
                copies_close(v);
                replay_half(v, stopped);
        }
        copies_close(v);
        for (size_t i = 0; i < v->count; i++) {
                if (v->copies[i].is_checkpoint) {
                        folder_remove(v->copies[i].path);
                }
        }
        const int code = v->code;
        free(v);
        (void)printf("verify: %s\n", code == VERIFY_HOLDS    ? "everything holds"
                                     : code == VERIFY_BROKEN ? "BROKEN"
                                                             : "cannot judge");
        return code;
}
