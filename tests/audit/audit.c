/*
 * audit.c - see audit.h. Everything is kept in plain arrays: a log is an array of notes, one a
 * record; what a consumer did with an upstream's record is an array beside it.
 *
 * Field numbers are those of proto/door/v1/envelope.proto, written down a second time on
 * purpose: if the two ever differ, somebody changed the meaning of stored bytes.
 */
#include "audit/audit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

enum {
        H_SEQ = 1,
        H_TYPE = 2,
        H_FLAGS = 4,
        H_CAUSE = 5,
        H_COMMAND_ID = 6,
        H_COMMAND_DIGEST = 7,
        H_SEEN = 8,
        H_SUBJECT = 9,
        H_AT = 11,
        H_PUBLIC_DIGEST = 12,
        H_PRIVATE_DIGEST = 13,
        H_HOPS = 14,
        H_INDEX = 15,
        POSITION_LOG = 1,
        POSITION_SEQ = 2,
        TYPE_PARKED = 1,
        TYPE_RELEASED = 2,
        TYPE_POLICY = 3,
        TYPE_REFUSED = 4,
        TYPE_CLOCK_STEPPED = 5,
        TYPE_SHELL_LAST = 15,
        HOPS_MAX = 16,
        SUBJECT_BYTES = 11,
        SUBJECTS_MAX = 16,
        SALT_BYTES = 16,
};

/* What a consumer did about one upstream record. */
typedef enum handled {
        HANDLED_NOT = 0,
        HANDLED_EFFECTS,
        HANDLED_PARKED,
        HANDLED_RELEASED, /* Its effects are still to come, in the same batch. */
} handled;

typedef struct note {
        uint32_t type;
        uint64_t at_ms;
        uint64_t seen[AUDIT_LOGS_MAX];
        uint32_t cause_log;
        uint64_t cause_seq;
        uint32_t index;
        uint32_t hops;
        bool has_command;
        uint8_t command_id[32];
        uint8_t command_digest[32];
        uint8_t hash[AUDIT_HASH_BYTES];
        uint32_t subjects_count;
        uint8_t (*subjects)[SUBJECT_BYTES];
        wire_bytes payload; /* Public, without salt; a copy. */
} note;

typedef struct parked_item {
        uint32_t log; /* Upstream. */
        uint64_t seq;
        uint64_t own_seq;
        bool open;
        uint32_t subjects_count;
        uint8_t subjects[SUBJECTS_MAX][SUBJECT_BYTES];
} parked_item;

typedef struct consumption {
        uint8_t *handled; /* By upstream seq. */
        size_t handled_max;
        uint64_t last_cause; /* Of effects or parkings, releases apart. */
        uint64_t cursor;
        uint64_t checked; /* Cursor positions whose effects have been checked. */
} consumption;

typedef struct log_notes {
        bool known;
        uint8_t start[AUDIT_HASH_BYTES];
        note *notes;
        size_t count;
        size_t max;
        consumption from[AUDIT_LOGS_MAX];
        parked_item *parked;
        size_t parked_count;
        size_t parked_max;
        uint64_t last_policy; /* Seq of the last PolicyActivated. */
} log_notes;

/* What a client was told, to be compared with what it is told later. */
typedef struct told {
        uint8_t id[32];
        uint8_t digest[32];
        uint8_t answer[32]; /* BLAKE2b of outcome and answer bytes. */
        bool refused;
        uint32_t log;
        struct told *next;
} told;

typedef struct by_id {
        uint8_t id[32];
        uint32_t log;
        uint64_t seq;
        struct by_id *next;
} by_id;

typedef struct salt_seen {
        uint8_t salt[SALT_BYTES];
        struct salt_seen *next;
} salt_seen;

enum { BUCKETS = 4096 };

struct audit {
        audit_model model;
        log_notes logs[AUDIT_LOGS_MAX];
        told *told[BUCKETS];
        by_id *ids[BUCKETS];
        salt_seen *salts[BUCKETS];
        audit_tally tally;
        char breach[320];
};

static void *must(void *pointer)
{
        if (pointer == NULL) {
                abort();
        }
        return pointer;
}

static size_t bucket_of(const uint8_t *bytes)
{
        return ((size_t)bytes[0] << 4 | bytes[1] >> 4) % BUCKETS;
}

audit *audit_new(const audit_model *model)
{
        audit *a = must(calloc(1, sizeof *a));
        a->model = *model;
        return a;
}

audit *audit_free(audit *a)
{
        if (a == NULL) {
                return NULL;
        }
        for (size_t l = 0; l < AUDIT_LOGS_MAX; l++) {
                log_notes *log = &a->logs[l];
                for (size_t i = 0; i < log->count; i++) {
                        free(log->notes[i].subjects);
                        free((void *)(uintptr_t)log->notes[i].payload.data);
                }
                for (size_t u = 0; u < AUDIT_LOGS_MAX; u++) {
                        free(log->from[u].handled);
                }
                free(log->notes);
                free(log->parked);
        }
        for (size_t i = 0; i < BUCKETS; i++) {
                for (told *t = a->told[i]; t != NULL;) {
                        told *next = t->next;
                        free(t);
                        t = next;
                }
                for (by_id *t = a->ids[i]; t != NULL;) {
                        by_id *next = t->next;
                        free(t);
                        t = next;
                }
                for (salt_seen *t = a->salts[i]; t != NULL;) {
                        salt_seen *next = t->next;
                        free(t);
                        t = next;
                }
        }
        free(a);
        return NULL;
}

void audit_fail(audit *a, const char *invariant, const char *format, ...)
{
        char what[240];
        va_list arguments;

        if (a->breach[0] != '\0') {
                return;
        }
        va_start(arguments, format);
        (void)vsnprintf(what, sizeof what, format, arguments);
        va_end(arguments);
        (void)snprintf(a->breach, sizeof a->breach, "%s %s", invariant, what);
}

const char *audit_breach(const audit *a)
{
        return a->breach[0] == '\0' ? NULL : a->breach;
}

audit_tally audit_tally_of(const audit *a)
{
        return a->tally;
}

uint64_t audit_head(const audit *a, uint32_t log)
{
        return a->logs[log].count;
}

static void hash_chain(const uint8_t before[32], wire_bytes header, uint8_t out[32])
{
        crypto_generichash_blake2b_state state;

        (void)crypto_generichash_blake2b_init(&state, NULL, 0, 32);
        (void)crypto_generichash_blake2b_update(&state, before, 32);
        (void)crypto_generichash_blake2b_update(&state, header.data, header.len);
        (void)crypto_generichash_blake2b_final(&state, out, 32);
}

static const uint8_t *hash_at(const log_notes *log, uint64_t seq)
{
        return seq == 0 ? log->start : log->notes[seq - 1].hash;
}

void audit_log(audit *a, uint32_t number, const uint8_t log_id[16])
{
        log_notes *log = &a->logs[number];
        uint8_t start[AUDIT_HASH_BYTES] = { 0 };

        memcpy(start, log_id, 16);
        if (log->known && memcmp(log->start, start, sizeof start) != 0) {
                audit_fail(a, "R5", "log %u: it is another log than before", number);
        }
        log->known = true;
        memcpy(log->start, start, sizeof start);
}

/* ---- decoding one header ---- */

static bool position_read(wire_bytes bytes, uint32_t *ret_log, uint64_t *ret_seq)
{
        *ret_log = (uint32_t)wire_uint(bytes, POSITION_LOG, 0);
        *ret_seq = wire_uint(bytes, POSITION_SEQ, 0);
        return *ret_log > 0 && *ret_log < AUDIT_LOGS_MAX;
}

static bool header_read(wire_bytes header, note *n, uint64_t *ret_seq)
{
        wire_field field;
        bool bad = false;
        uint8_t subjects[SUBJECTS_MAX][SUBJECT_BYTES];

        memset(n, 0, sizeof *n);
        *ret_seq = 0;
        while (wire_next(&header, &field, &bad)) {
                uint32_t log = 0;
                uint64_t seq = 0;
                switch (field.number) {
                case H_SEQ:
                        *ret_seq = field.value;
                        break;
                case H_TYPE:
                        n->type = (uint32_t)field.value;
                        break;
                case H_CAUSE:
                        bad |= !position_read(field.bytes, &n->cause_log, &n->cause_seq);
                        break;
                case H_COMMAND_ID:
                case H_COMMAND_DIGEST:
                        if (field.bytes.len != 32) {
                                return false;
                        }
                        memcpy(field.number == H_COMMAND_ID ? n->command_id : n->command_digest,
                               field.bytes.data, 32);
                        n->has_command = true;
                        break;
                case H_SEEN:
                        if (!position_read(field.bytes, &log, &seq)) {
                                return false;
                        }
                        n->seen[log] = seq;
                        break;
                case H_SUBJECT:
                        if (field.bytes.len != SUBJECT_BYTES || n->subjects_count == SUBJECTS_MAX) {
                                return false;
                        }
                        memcpy(subjects[n->subjects_count++], field.bytes.data, SUBJECT_BYTES);
                        break;
                case H_AT:
                        n->at_ms = field.value;
                        break;
                case H_HOPS:
                        n->hops = (uint32_t)field.value;
                        break;
                case H_INDEX:
                        n->index = (uint32_t)field.value;
                        break;
                default:
                        break;
                }
        }
        if (bad) {
                return false;
        }
        if (n->subjects_count > 0) {
                n->subjects = must(malloc(n->subjects_count * sizeof n->subjects[0]));
                memcpy(n->subjects, subjects, n->subjects_count * sizeof n->subjects[0]);
        }
        return true;
}

/* ---- R4: payloads and salts ---- */

static void payload_check(audit *a, uint32_t log, uint64_t seq, wire_bytes salted, wire_bytes digest)
{
        uint8_t found[32];

        if (digest.data == NULL) {
                if (salted.len > 0) {
                        audit_fail(a, "R4", "log %u seq %llu: a payload its header does not promise", log,
                                   (unsigned long long)seq);
                }
                return;
        }
        if (salted.len < SALT_BYTES || digest.len != 32) {
                audit_fail(a, "R4", "log %u seq %llu: a promised payload is missing", log,
                           (unsigned long long)seq);
                return;
        }
        (void)crypto_generichash_blake2b(found, 32, salted.data, salted.len, NULL, 0);
        if (memcmp(found, digest.data, 32) != 0) {
                audit_fail(a, "R4", "log %u seq %llu: a payload is not what its digest says", log,
                           (unsigned long long)seq);
                return;
        }
        salt_seen **bucket = &a->salts[bucket_of(salted.data)];
        for (const salt_seen *s = *bucket; s != NULL; s = s->next) {
                if (memcmp(s->salt, salted.data, SALT_BYTES) == 0) {
                        audit_fail(a, "R4", "log %u seq %llu: a salt is used twice", log,
                                   (unsigned long long)seq);
                        return;
                }
        }
        salt_seen *s = must(malloc(sizeof *s));
        memcpy(s->salt, salted.data, SALT_BYTES);
        s->next = *bucket;
        *bucket = s;
}

/* ---- R6, R7: what was done about an upstream's record ---- */

static uint8_t *handled_at(consumption *from, uint64_t seq)
{
        if (seq >= from->handled_max) {
                const size_t max = (size_t)(seq + 64) * 2;
                from->handled = must(realloc(from->handled, max));
                memset(from->handled + from->handled_max, 0, max - from->handled_max);
                from->handled_max = max;
        }
        return &from->handled[seq];
}

static bool shares_subject(const note *n, const parked_item *item)
{
        for (uint32_t i = 0; i < n->subjects_count; i++) {
                for (uint32_t k = 0; k < item->subjects_count; k++) {
                        if (memcmp(n->subjects[i], item->subjects[k], SUBJECT_BYTES) == 0) {
                                return true;
                        }
                }
        }
        return false;
}

static void parked_add(log_notes *log, const note *n, uint64_t own_seq)
{
        if (log->parked_count == log->parked_max) {
                log->parked_max = log->parked_max == 0 ? 16 : log->parked_max * 2;
                log->parked = must(realloc(log->parked, log->parked_max * sizeof log->parked[0]));
        }
        parked_item *item = &log->parked[log->parked_count++];
        memset(item, 0, sizeof *item);
        item->log = n->cause_log;
        item->seq = n->cause_seq;
        item->own_seq = own_seq;
        item->open = true;
        item->subjects_count = n->subjects_count;
        for (uint32_t i = 0; i < n->subjects_count; i++) {
                memcpy(item->subjects[i], n->subjects[i], SUBJECT_BYTES);
        }
}

static void effect_check(audit *a, uint32_t number, uint64_t seq, const note *n)
{
        log_notes *log = &a->logs[number];
        consumption *from = &log->from[n->cause_log];
        const log_notes *cause_log = &a->logs[n->cause_log];
        uint8_t *state = handled_at(from, n->cause_seq);

        if (n->index != 0) {
                return; /* The rest of a set: index_check ties it to its first. */
        }
        if (n->cause_seq == 0 || n->cause_seq > cause_log->count) {
                audit_fail(a, "CAUSAL", "log %u seq %llu: its cause is not durable", number,
                           (unsigned long long)seq);
                return;
        }
        const note *cause = &cause_log->notes[n->cause_seq - 1];
        if (n->hops != cause->hops + 1) {
                audit_fail(a, "CAUSAL", "log %u seq %llu: hops are not its cause's and one", number,
                           (unsigned long long)seq);
        }
        if (*state == HANDLED_EFFECTS || (*state == HANDLED_PARKED)) {
                audit_fail(a, "R6", "log %u seq %llu: a second effect-set for log %u seq %llu", number,
                           (unsigned long long)seq, n->cause_log, (unsigned long long)n->cause_seq);
                return;
        }
        if (a->model.due(number, n->cause_log, cause->type, cause->payload) == AUDIT_NOT_CONSUMED ||
            (a->model.due(number, n->cause_log, cause->type, cause->payload) == AUDIT_NONE &&
             n->type != TYPE_PARKED)) {
                audit_fail(a, "R6", "log %u seq %llu: an effect of a record nothing is due for", number,
                           (unsigned long long)seq);
                return;
        }
        if (*state != HANDLED_RELEASED) {
                if (n->cause_seq <= from->last_cause) {
                        audit_fail(a, "R7", "log %u seq %llu: effects are out of their causes' order", number,
                                   (unsigned long long)seq);
                        return;
                }
                from->last_cause = n->cause_seq;
                for (size_t i = 0; i < log->parked_count && n->type != TYPE_PARKED; i++) {
                        if (log->parked[i].open && shares_subject(cause, &log->parked[i])) {
                                audit_fail(a, "R7", "log %u seq %llu: its subject is parked", number,
                                           (unsigned long long)seq);
                                return;
                        }
                }
        }
        if (n->type == TYPE_PARKED) {
                *state = HANDLED_PARKED;
                parked_add(log, n, seq);
                a->tally.parked++;
        } else {
                *state = HANDLED_EFFECTS;
                a->tally.effects++;
        }
}

static void released_check(audit *a, uint32_t number, uint64_t seq, const note *n)
{
        log_notes *log = &a->logs[number];
        uint32_t up = 0;
        uint64_t up_seq = 0;
        parked_item *item = NULL;

        if (!position_read(wire_find(n->payload, 1), &up, &up_seq)) {
                audit_fail(a, "R7", "log %u seq %llu: a release that names nothing", number,
                           (unsigned long long)seq);
                return;
        }
        for (size_t i = 0; i < log->parked_count; i++) {
                if (log->parked[i].open && log->parked[i].log == up && log->parked[i].seq == up_seq) {
                        item = &log->parked[i];
                }
        }
        if (item == NULL) {
                audit_fail(a, "R7", "log %u seq %llu: a release of what is not parked", number,
                           (unsigned long long)seq);
                return;
        }
        for (size_t i = 0; i < log->parked_count; i++) {
                const parked_item *other = &log->parked[i];
                for (uint32_t s = 0; s < item->subjects_count && other->open; s++) {
                        for (uint32_t k = 0; k < other->subjects_count; k++) {
                                if (other->own_seq < item->own_seq &&
                                    memcmp(item->subjects[s], other->subjects[k], SUBJECT_BYTES) == 0) {
                                        audit_fail(a, "R7", "log %u seq %llu: released out of order", number,
                                                   (unsigned long long)seq);
                                        return;
                                }
                        }
                }
        }
        item->open = false;
        *handled_at(&log->from[up], up_seq) = HANDLED_RELEASED;
        a->tally.released++;
}

/* ---- one record ---- */

static void index_check(audit *a, uint32_t number, uint64_t seq, const note *n, const note *before)
{
        if (n->index == 0) {
                return;
        }
        if (before == NULL || before->index + 1 != n->index || before->cause_log != n->cause_log ||
            before->cause_seq != n->cause_seq || before->has_command != n->has_command ||
            memcmp(before->command_id, n->command_id, 32) != 0) {
                audit_fail(a, "R6", "log %u seq %llu: not the next of its input's records", number,
                           (unsigned long long)seq);
        }
}

static void seen_check(audit *a, uint32_t number, uint64_t seq, const note *n, const note *before)
{
        for (uint32_t u = 1; u < AUDIT_LOGS_MAX; u++) {
                if (before != NULL && n->seen[u] < before->seen[u]) {
                        audit_fail(a, "R5", "log %u seq %llu: seen of log %u goes back", number,
                                   (unsigned long long)seq, u);
                }
                if (u != number && n->seen[u] > a->logs[u].count) {
                        audit_fail(a, "CAUSAL", "log %u seq %llu: it has seen what log %u does not hold",
                                   number, (unsigned long long)seq, u);
                        return;
                }
        }
        if (n->cause_log == 0 || n->cause_seq > a->logs[n->cause_log].count || n->cause_seq == 0) {
                return;
        }
        const note *cause = &a->logs[n->cause_log].notes[n->cause_seq - 1];
        if (n->seen[n->cause_log] < n->cause_seq) {
                audit_fail(a, "CAUSAL", "log %u seq %llu: it has not seen its own cause", number,
                           (unsigned long long)seq);
        }
        for (uint32_t u = 1; u < AUDIT_LOGS_MAX; u++) {
                if (u != number && n->seen[u] < cause->seen[u]) {
                        audit_fail(a, "CAUSAL", "log %u seq %llu: its cause had seen more of log %u", number,
                                   (unsigned long long)seq, u);
                }
        }
}

/* Was a policy activated after this record? What it refused may then be asked anew. */
static bool policy_since(const log_notes *log, uint64_t seq)
{
        return log->last_policy > seq;
}

static void command_check(audit *a, uint32_t number, uint64_t seq, const note *n)
{
        by_id **bucket = &a->ids[bucket_of(n->command_id)];

        if (!n->has_command || n->index != 0) {
                return;
        }
        for (const by_id *known = *bucket; known != NULL; known = known->next) {
                if (known->log != number || memcmp(known->id, n->command_id, 32) != 0) {
                        continue;
                }
                const note *first = &a->logs[number].notes[known->seq - 1];
                if (first->type == TYPE_REFUSED && policy_since(&a->logs[number], known->seq)) {
                        continue;
                }
                if (memcmp(first->command_digest, n->command_digest, 32) == 0) {
                        audit_fail(a, "R2", "log %u seq %llu: one command is decided twice", number,
                                   (unsigned long long)seq);
                } else if (!a->model.may_repeat(number, 0)) {
                        audit_fail(a, "R2", "log %u seq %llu: one id is used for two commands", number,
                                   (unsigned long long)seq);
                } else if (first->type != TYPE_REFUSED && n->type != TYPE_REFUSED &&
                           !a->model.may_repeat(number, n->type)) {
                        audit_fail(a, "R2", "log %u seq %llu: other content under a known id is accepted",
                                   number, (unsigned long long)seq);
                }
        }
        by_id *entry = must(malloc(sizeof *entry));
        memcpy(entry->id, n->command_id, 32);
        entry->log = number;
        entry->seq = seq;
        entry->next = *bucket;
        *bucket = entry;
        a->tally.refused += n->type == TYPE_REFUSED ? 1 : 0;
}

static void payload_keep(note *n, wire_bytes salted)
{
        if (salted.len > SALT_BYTES) {
                uint8_t *copy = must(malloc(salted.len - SALT_BYTES));
                memcpy(copy, salted.data + SALT_BYTES, salted.len - SALT_BYTES);
                n->payload = (wire_bytes){ copy, salted.len - SALT_BYTES };
        }
}

void audit_record_durable(audit *a, uint32_t number, const audit_record *record)
{
        log_notes *log = &a->logs[number];
        note n;
        uint64_t seq = 0;

        if (audit_breach(a) != NULL) {
                return;
        }
        if (!header_read(record->header, &n, &seq) || n.type == 0) {
                audit_fail(a, "R4", "log %u seq %llu: the header does not decode", number,
                           (unsigned long long)record->seq);
                free(n.subjects);
                return;
        }
        hash_chain(hash_at(log, log->count), record->header, n.hash);
        if (seq != log->count + 1 || record->seq != seq) {
                audit_fail(a, "R4", "log %u: seq %llu follows %llu", number, (unsigned long long)seq,
                           (unsigned long long)log->count);
        }
        if (record->hash != NULL && memcmp(n.hash, record->hash, 32) != 0) {
                audit_fail(a, "R4", "log %u seq %llu: the chain does not hold", number,
                           (unsigned long long)seq);
        }
        if (record->payloads_given) {
                payload_check(a, number, seq, record->public_payload,
                              wire_find(record->header, H_PUBLIC_DIGEST));
                payload_check(a, number, seq, record->private_payload,
                              wire_find(record->header, H_PRIVATE_DIGEST));
        }
        payload_keep(&n, record->public_payload);
        const note *before = log->count == 0 ? NULL : &log->notes[log->count - 1];
        if (before != NULL && n.at_ms < before->at_ms && before->type != TYPE_CLOCK_STEPPED) {
                audit_fail(a, "R4", "log %u seq %llu: the clock goes back without ClockStepped", number,
                           (unsigned long long)seq);
        }
        if (n.hops > HOPS_MAX || n.hops == 0 || (n.cause_log == 0 && n.hops != 1)) {
                audit_fail(a, "CAUSAL", "log %u seq %llu: %u hops", number, (unsigned long long)seq, n.hops);
        }
        index_check(a, number, seq, &n, before);
        seen_check(a, number, seq, &n, before);
        command_check(a, number, seq, &n);
        if (n.cause_log != 0 && audit_breach(a) == NULL) {
                effect_check(a, number, seq, &n);
        }
        if (n.type == TYPE_RELEASED && audit_breach(a) == NULL) {
                released_check(a, number, seq, &n);
        }
        if (a->model.domain != NULL && n.type > TYPE_SHELL_LAST && audit_breach(a) == NULL) {
                const audit_origin origin = { seq, n.cause_log, n.cause_seq, n.seen };
                const char *wrong = a->model.domain(a->model.context, number, &origin, n.type, n.payload);
                if (wrong != NULL) {
                        audit_fail(a, "F1", "log %u seq %llu: %s", number, (unsigned long long)seq, wrong);
                }
        }
        if (log->count == log->max) {
                log->max = log->max == 0 ? 256 : log->max * 2;
                log->notes = must(realloc(log->notes, log->max * sizeof log->notes[0]));
        }
        log->notes[log->count++] = n;
        log->last_policy = n.type == TYPE_POLICY ? log->count : log->last_policy;
        a->tally.records++;
}

/* ---- cursors, anchors, starts ---- */

/* Positions the cursor has newly passed: is what was due there? */
static void passed_check(audit *a, uint32_t number, uint32_t up, uint64_t to)
{
        consumption *from = &a->logs[number].from[up];

        for (uint64_t seq = from->checked + 1; seq <= to; seq++) {
                const note *record = &a->logs[up].notes[seq - 1];
                const audit_due due = a->model.due(number, up, record->type, record->payload);
                const uint8_t state = *handled_at(from, seq);
                if (due == AUDIT_MUST && state == HANDLED_NOT) {
                        audit_fail(a, "R6", "log %u has passed log %u seq %llu without the effect due",
                                   number, up, (unsigned long long)seq);
                        return;
                }
                if (state == HANDLED_RELEASED) {
                        if (due == AUDIT_MUST) {
                                audit_fail(a, "R6", "log %u released log %u seq %llu without effect", number,
                                           up, (unsigned long long)seq);
                                return;
                        }
                }
        }
        from->checked = to > from->checked ? to : from->checked;
}

void audit_cursor(audit *a, uint32_t number, uint32_t up, uint64_t seq, const uint8_t *hash, bool restarted)
{
        log_notes *log = &a->logs[number];
        const log_notes *upstream = &a->logs[up];
        consumption *from = &log->from[up];

        if (audit_breach(a) != NULL) {
                return;
        }
        if (seq > upstream->count) {
                audit_fail(a, "R5", "log %u holds a cursor beyond the head of log %u", number, up);
                return;
        }
        if (seq > 0 && hash != NULL && memcmp(hash_at(upstream, seq), hash, 32) != 0) {
                audit_fail(a, "R5", "log %u: the hash beside its cursor in log %u is not that record's",
                           number, up);
                return;
        }
        if (seq < from->cursor && !restarted) {
                audit_fail(a, "R5", "log %u: its cursor in log %u goes back", number, up);
                return;
        }
        if (log->count > 0 && seq < log->notes[log->count - 1].seen[up]) {
                audit_fail(a, "R5", "log %u: its cursor in log %u is behind its last record's seen", number,
                           up);
                return;
        }
        from->cursor = seq;
        passed_check(a, number, up, seq);
}

void audit_held(audit *a, uint32_t number, uint64_t seq, const uint8_t *hash, const char *by_whom)
{
        const log_notes *log = &a->logs[number];

        if (seq > log->count) {
                audit_fail(a, "R5", "log %u: %s holds seq %llu, the log ends at %zu", number, by_whom,
                           (unsigned long long)seq, log->count);
        } else if (hash != NULL && seq > 0 && memcmp(hash_at(log, seq), hash, 32) != 0) {
                audit_fail(a, "R5", "log %u: %s holds another hash of seq %llu", number, by_whom,
                           (unsigned long long)seq);
        }
}

void audit_reopened(audit *a, uint32_t number, uint64_t head)
{
        if (head < a->logs[number].count) {
                audit_fail(a, "R5", "log %u: it ended at %zu and now ends at %llu", number,
                           a->logs[number].count, (unsigned long long)head);
        }
}

/* ---- answers ---- */

static const note *note_of_command(const audit *a, uint32_t number, const uint8_t id[32],
                                   const uint8_t digest[32])
{
        for (const by_id *known = a->ids[bucket_of(id)]; known != NULL; known = known->next) {
                if (known->log == number && memcmp(known->id, id, 32) == 0) {
                        const note *n = &a->logs[number].notes[known->seq - 1];
                        if (digest == NULL || memcmp(n->command_digest, digest, 32) == 0) {
                                return n;
                        }
                }
        }
        return NULL;
}

/*
 * Refused once, that content: the answer may be on its way still when a policy has been activated and
 * the command, asked again, has been accepted.
 */
static bool was_refused(const audit *a, uint32_t number, const uint8_t id[32], const uint8_t digest[32])
{
        for (const by_id *known = a->ids[bucket_of(id)]; known != NULL; known = known->next) {
                if (known->log == number && memcmp(known->id, id, 32) == 0) {
                        const note *n = &a->logs[number].notes[known->seq - 1];
                        if (n->type == TYPE_REFUSED && memcmp(n->command_digest, digest, 32) == 0) {
                                return true;
                        }
                }
        }
        return false;
}

/* The same question has had the same answer before? */
static void told_check(audit *a, uint32_t number, const uint8_t id[32], const uint8_t digest[32],
                       audit_outcome outcome, wire_bytes answer)
{
        uint8_t sum[32];
        const uint8_t kind = (uint8_t)outcome;
        crypto_generichash_blake2b_state state;

        (void)crypto_generichash_blake2b_init(&state, NULL, 0, 32);
        (void)crypto_generichash_blake2b_update(&state, &kind, 1);
        (void)crypto_generichash_blake2b_update(&state, answer.data, answer.len);
        (void)crypto_generichash_blake2b_final(&state, sum, 32);
        told **bucket = &a->told[bucket_of(id)];
        for (told *t = *bucket; t != NULL; t = t->next) {
                if (t->log == number && memcmp(t->id, id, 32) == 0 && memcmp(t->digest, digest, 32) == 0) {
                        a->tally.repeats++;
                        /* Two clients may hear the refusal and what came of asking again in either order. */
                        const bool asked_anew =
                                (t->refused || outcome == AUDIT_REFUSED) && a->logs[number].last_policy > 0;
                        if (memcmp(t->answer, sum, 32) != 0 && !asked_anew) {
                                audit_fail(a, "R2", "log %u: one command has had two different answers",
                                           number);
                        }
                        memcpy(t->answer, sum, 32);
                        t->refused = outcome == AUDIT_REFUSED;
                        return;
                }
        }
        told *t = must(malloc(sizeof *t));
        memcpy(t->id, id, 32);
        memcpy(t->digest, digest, 32);
        memcpy(t->answer, sum, 32);
        t->log = number;
        t->refused = outcome == AUDIT_REFUSED;
        t->next = *bucket;
        *bucket = t;
}

void audit_answered(audit *a, uint32_t number, const uint8_t id[32], const uint8_t digest[32],
                    audit_outcome outcome, wire_bytes answer, uint64_t not_before_log,
                    uint64_t not_before_seq)
{
        const note *exact = note_of_command(a, number, id, digest);
        const note *any = note_of_command(a, number, id, NULL);

        if (audit_breach(a) != NULL || outcome == AUDIT_RETRY) {
                return;
        }
        a->tally.answers++;
        if (outcome == AUDIT_DONE) {
                /* A core that decides repeats may answer other bytes with the first one's receipt. */
                const note *n = exact != NULL ? exact : a->model.may_repeat(number, 0) ? any : NULL;
                if (n == NULL) {
                        audit_fail(a, "R1", "log %u: answered yes, and no durable record says so", number);
                        return;
                }
                if (n->type == TYPE_REFUSED && exact != NULL) {
                        audit_fail(a, "R1", "log %u: answered yes to what the log refuses", number);
                }
                if (not_before_seq > 0 && not_before_log < AUDIT_LOGS_MAX && not_before_log != number &&
                    a->model.reads(number, (uint32_t)not_before_log) &&
                    n->seen[not_before_log] < not_before_seq && exact != NULL) {
                        audit_fail(a, "CAUSAL", "log %u: decided before it had seen what the sender had",
                                   number);
                }
        } else if (outcome == AUDIT_REFUSED) {
                if (exact == NULL) {
                        /* A repeat of a refused attempt is answered from the first attempt's record. */
                        if (any == NULL || !a->model.may_repeat(number, 0)) {
                                audit_fail(a, "R3", "log %u: answered no, and no durable record says so",
                                           number);
                                return;
                        }
                } else if (!was_refused(a, number, id, digest)) {
                        audit_fail(a, "R3", "log %u: answered no to what the log accepts", number);
                }
        } else if (outcome == AUDIT_MALFORMED) {
                if (exact != NULL) {
                        audit_fail(a, "R3", "log %u: answered MALFORMED to what was decided", number);
                }
                return;
        } else if (outcome == AUDIT_CONFLICT) {
                if (any == NULL || exact != NULL) {
                        audit_fail(a, "R2", "log %u: answered CONFLICT to the only content of its id",
                                   number);
                }
                return;
        }
        told_check(a, number, id, digest, outcome, answer);
}

/* ---- rest ---- */

void audit_at_rest(audit *a)
{
        for (uint32_t c = 1; c < AUDIT_LOGS_MAX && audit_breach(a) == NULL; c++) {
                if (!a->logs[c].known) {
                        continue;
                }
                for (uint32_t u = 1; u < AUDIT_LOGS_MAX; u++) {
                        if (u == c || !a->logs[u].known || !a->model.reads(c, u)) {
                                continue;
                        }
                        const consumption *from = &a->logs[c].from[u];
                        if (from->cursor != a->logs[u].count) {
                                audit_fail(a, "R9",
                                           "log %u stands at %llu of %zu in log %u with nothing wrong", c,
                                           (unsigned long long)from->cursor, a->logs[u].count, u);
                                return;
                        }
                        /* R10 as a balance: everything due is in exactly one of matched and parked. */
                        uint64_t due = 0;
                        uint64_t done = 0;
                        for (uint64_t seq = 1; seq <= a->logs[u].count; seq++) {
                                const note *record = &a->logs[u].notes[seq - 1];
                                if (a->model.due(c, u, record->type, record->payload) == AUDIT_MUST) {
                                        const uint8_t state = *handled_at(&a->logs[c].from[u], seq);
                                        due++;
                                        done += state == HANDLED_EFFECTS || state == HANDLED_PARKED ? 1 : 0;
                                }
                        }
                        if (due != done) {
                                audit_fail(a, "R10", "log %u: %llu of log %u due, %llu accounted for", c,
                                           (unsigned long long)due, u, (unsigned long long)done);
                                return;
                        }
                }
        }
}
