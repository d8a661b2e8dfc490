#include "audit/episodes.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 10, BUCKETS = 65536, LATEST = 64 };

/* Record types and field numbers of triage.proto. */
enum {
        OPENED = 16,
        ATTACHED = 17,
        NOTED = 18,
        TAKEN = 19,
        TAKE_ENDED = 20,
        DECIDED = 21,
        LOOK_LISTED = 22,
        LOOK_ANSWERED = 23,
        RESPONDED = 24,
        ACTIVATED = 25,
        RETURNED = 26,
        CLOSED = 27,
        REOPENED = 28,
        OVERTAKEN = 29,
};

enum { STATE_QUEUED = 1, STATE_OFFERED, STATE_ACTIVE, STATE_IMPORTED, STATE_CLOSED, STATE_FOLDED };
enum { WAY_WITH_WORKER = 1, WAY_QUICK_LOOK = 2, WAY_LOOK_NOW = 3 };
enum { WAITS_NOT = 0, WAITS_RESPONSE = 1, WAITS_LOOK = 2 };

/* Record types of allocation.proto. */
enum { OWNER_NAMED = 16, OFFERED = 17, ACCEPTED = 20, OFFER_RETURNED = 21, HAND_OVER = 22, ENDED = 23 };

/* One thing under an id: a referral, an episode, a family or a child. */
typedef struct note {
        uint8_t id[ID_BYTES];
        struct note *next;
        /* referral */
        uint8_t family[ID_BYTES]; /* As matched. */
        bool matched;
        bool placed;
        uint32_t waits;
        bool responded;       /* The holding team has answered for it. */
        struct note *episode; /* Of a referral; of a family its open one; of a child, whose subject. */
        /* episode */
        uint32_t version;
        uint32_t state;
        uint64_t severity;
        uint64_t rag_ms;
        uint64_t statutory_ms;
        uint64_t waiting;
        uint8_t last[ID_BYTES];
        uint8_t of_family[ID_BYTES];
        bool owned;
        bool ended;
} note;

typedef struct table {
        note *buckets[BUCKETS];
} table;

struct episodes {
        table referrals;
        table episodes;
        table families;
        table children;
        note *latest[LATEST];
        episodes_counts counts;
};

episodes *episodes_new(void)
{
        episodes *e = calloc(1, sizeof *e);
        if (e == NULL) {
                abort();
        }
        return e;
}

static void table_free(table *t)
{
        for (size_t i = 0; i < BUCKETS; i++) {
                for (note *n = t->buckets[i]; n != NULL;) {
                        note *next = n->next;
                        free(n);
                        n = next;
                }
        }
}

episodes *episodes_free(episodes *e)
{
        if (e != NULL) {
                table_free(&e->referrals);
                table_free(&e->episodes);
                table_free(&e->families);
                table_free(&e->children);
                free(e);
        }
        return NULL;
}

static note *find(table *t, wire_bytes id, bool add)
{
        if (id.len != ID_BYTES) {
                return NULL;
        }
        note **bucket = &t->buckets[((size_t)id.data[0] << 8 | id.data[1]) % BUCKETS];
        for (note *n = *bucket; n != NULL; n = n->next) {
                if (memcmp(n->id, id.data, ID_BYTES) == 0) {
                        return n;
                }
        }
        if (!add) {
                return NULL;
        }
        note *n = calloc(1, sizeof *n);
        if (n == NULL) {
                abort();
        }
        memcpy(n->id, id.data, ID_BYTES);
        n->next = *bucket;
        *bucket = n;
        return n;
}

void episodes_matched(episodes *e, wire_bytes referral, wire_bytes family)
{
        note *n = find(&e->referrals, referral, true);
        if (n != NULL && family.len == ID_BYTES) {
                n->matched = true;
                memcpy(n->family, family.data, ID_BYTES);
        }
}

static bool is_open(uint32_t state)
{
        return state >= STATE_QUEUED && state <= STATE_IMPORTED;
}

static void waits_set(episodes *e, note *referral, uint32_t waits)
{
        if (referral->waits == WAITS_LOOK) {
                e->counts.looks_now--;
        } else if (referral->waits == WAITS_RESPONSE) {
                e->counts.responses_now--;
        }
        if (referral->episode != NULL) {
                referral->episode->waiting -= referral->waits != WAITS_NOT ? 1 : 0;
                referral->episode->waiting += waits != WAITS_NOT ? 1 : 0;
        }
        referral->waits = waits;
        e->counts.looks_now += waits == WAITS_LOOK ? 1 : 0;
        e->counts.responses_now += waits == WAITS_RESPONSE ? 1 : 0;
}

/* A decision or a closing answers for everything that waited. */
static void waits_clear(episodes *e, const note *episode)
{
        for (size_t i = 0; i < BUCKETS && episode->waiting > 0; i++) {
                for (note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        if (n->episode == episode && n->waits != WAITS_NOT) {
                                waits_set(e, n, WAITS_NOT);
                        }
                }
        }
}

static const char *state_set(episodes *e, note *episode, uint32_t state)
{
        const wire_bytes id = { episode->of_family, ID_BYTES };
        note *family = find(&e->families, id, true);

        if (is_open(state) && family->episode != NULL && family->episode != episode &&
            is_open(family->episode->state)) {
                return "F2: a second open episode of one family";
        }
        e->counts.open_now -= is_open(episode->state) ? 1 : 0;
        e->counts.open_now += is_open(state) ? 1 : 0;
        episode->state = state;
        if (is_open(state)) {
                family->episode = episode;
        }
        return NULL;
}

static const char *place(episodes *e, note *episode, wire_bytes payload, uint32_t referral_field,
                         uint32_t family_field)
{
        const wire_bytes family = wire_find(payload, family_field);
        note *referral = find(&e->referrals, wire_find(payload, referral_field), false);

        if (referral == NULL || !referral->matched) {
                return "C1: a referral placed that nobody has matched";
        }
        if (referral->placed) {
                return "C1: a referral placed twice";
        }
        if (family.len != ID_BYTES || memcmp(family.data, referral->family, ID_BYTES) != 0) {
                return "C1: a referral placed with another family than it was matched into";
        }
        referral->placed = true;
        referral->episode = episode;
        e->counts.placed++;
        if (episode != NULL) {
                memcpy(episode->last, referral->id, ID_BYTES);
        }
        return NULL;
}

/* The Clocks message in a record; true when one of them is later than it stood. */
static bool clocks_take(note *episode, wire_bytes clocks)
{
        const uint64_t rag_ms = wire_uint(clocks, 1, 0);
        const uint64_t statutory_ms = wire_uint(clocks, 2, 0);
        const bool later = rag_ms > episode->rag_ms || statutory_ms > episode->statutory_ms;

        episode->rag_ms = rag_ms;
        episode->statutory_ms = statutory_ms;
        return later;
}

static const char *opened(episodes *e, wire_bytes payload)
{
        note *episode = find(&e->episodes, wire_find(payload, 1), true);
        const wire_bytes family = wire_find(payload, 3);
        const uint64_t state = wire_uint(payload, 7, 0);
        wire_bytes rest = payload;
        wire_field field;
        bool bad = false;

        if (episode == NULL || family.len != ID_BYTES || episode->version != 0) {
                return "F4: an episode opened without ids, or twice";
        }
        if (state != STATE_QUEUED && state != STATE_IMPORTED) {
                return "F4: an episode opened into no state to open into";
        }
        memcpy(episode->of_family, family.data, ID_BYTES);
        episode->version = 1;
        episode->severity = wire_uint(payload, 5, 0);
        (void)clocks_take(episode, wire_find(payload, 6));
        const char *breach = state_set(e, episode, (uint32_t)state);
        breach = breach != NULL ? breach : place(e, episode, payload, 2, 3);
        while (breach == NULL && wire_next(&rest, &field, &bad)) {
                if (field.number == 14 && field.type == 2) {
                        note *child = find(&e->children, field.bytes, true);
                        if (child == NULL || (child->episode != NULL && child->episode != episode &&
                                              is_open(child->episode->state))) {
                                return "F3: a child made the subject of a second open episode";
                        }
                        child->episode = episode;
                }
        }
        memmove(&e->latest[1], &e->latest[0], (LATEST - 1) * sizeof e->latest[0]);
        e->latest[0] = episode;
        e->counts.opened++;
        return breach;
}

static const char *version_check(note *episode, uint64_t version)
{
        if (version != (uint64_t)episode->version + 1) {
                return "F4: a version that is not the next";
        }
        episode->version++;
        return NULL;
}

static const char *attached(episodes *e, note *episode, wire_bytes payload)
{
        const uint64_t way = wire_uint(payload, 6, 0);
        const uint64_t severity = wire_uint(payload, 9, 0);
        const uint64_t state = wire_uint(payload, 12, 0);
        note *referral = find(&e->referrals, wire_find(payload, 3), false);

        if (!is_open(episode->state)) {
                return "F4: a referral added to an episode that is not open";
        }
        if (severity < episode->severity) {
                return "S1: a repeat made an episode less severe";
        }
        if (state != episode->state && state != STATE_QUEUED) {
                return "F4: a repeat moved an episode elsewhere than into the queue";
        }
        if (way == WAY_LOOK_NOW && state != STATE_QUEUED) {
                return "S2: look now, and the row is not queued";
        }
        if (way == WAY_WITH_WORKER && episode->state != STATE_ACTIVE) {
                return "S2: left with a social worker where none has accepted";
        }
        if (clocks_take(episode, wire_find(payload, 10)) && episode->state == STATE_QUEUED) {
                return "S3: a repeat moved a queued row's clock back";
        }
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        breach = breach != NULL ? breach : place(e, episode, payload, 3, 4);
        breach = breach != NULL ? breach : state_set(e, episode, (uint32_t)state);
        episode->severity = severity;
        if (breach == NULL) {
                waits_set(e, referral,
                          way == WAY_WITH_WORKER  ? WAITS_RESPONSE
                          : way == WAY_QUICK_LOOK ? WAITS_LOOK
                                                  : WAITS_NOT);
        }
        e->counts.attached++;
        e->counts.ways[way % 4]++;
        return breach;
}

static const char *decided(episodes *e, note *episode, wire_bytes payload)
{
        const uint64_t severity = wire_uint(payload, 8, 0);
        const uint64_t state = wire_uint(payload, 5, 0);

        if (episode->state != STATE_QUEUED && episode->state != STATE_IMPORTED) {
                return "F4: a decision on what did not wait for one";
        }
        if (wire_find(payload, 6).len == 0) {
                return "S1: a decision without a person";
        }
        if (state != STATE_OFFERED && state != STATE_ACTIVE && state != STATE_CLOSED) {
                return "F4: a decision into no state a decision leads to";
        }
        episode->severity = severity;
        waits_clear(e, episode);
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        return breach != NULL ? breach : state_set(e, episode, (uint32_t)state);
}

static const char *looked(episodes *e, note *episode, uint32_t type, wire_bytes payload)
{
        note *referral = find(&e->referrals, wire_find(payload, type == LOOK_ANSWERED ? 3 : 2), false);

        if (referral == NULL || referral->episode != episode) {
                return "S2: an answer about a referral that is not on the episode";
        }
        if (!is_open(episode->state)) {
                return "F4: an answer on an episode that is not open";
        }
        if (type == LOOK_LISTED) {
                referral->responded = false;
                waits_set(e, referral, WAITS_LOOK);
                return NULL;
        }
        if (referral->waits != (type == RESPONDED ? WAITS_RESPONSE : WAITS_LOOK)) {
                return "S2: an answer to what did not wait for it";
        }
        waits_set(e, referral, WAITS_NOT);
        if (type == RESPONDED) {
                referral->responded = true;
                return NULL;
        }
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        return breach != NULL ? breach : state_set(e, episode, (uint32_t)wire_uint(payload, 6, 0));
}

static const char *moved(episodes *e, note *episode, uint32_t type, wire_bytes payload)
{
        const uint32_t from = episode->state;
        uint32_t to = STATE_QUEUED;
        bool fits = false;

        switch (type) {
        case ACTIVATED:
                to = STATE_ACTIVE;
                fits = from == STATE_OFFERED || from == STATE_ACTIVE;
                break;
        case RETURNED:
                fits = from == STATE_OFFERED || from == STATE_ACTIVE;
                break;
        case CLOSED:
                to = STATE_CLOSED;
                fits = from == STATE_ACTIVE || from == STATE_IMPORTED;
                if (from == STATE_ACTIVE && episode->waiting > 0) {
                        return "S2: closed over an answer that was waited for";
                }
                waits_clear(e, episode);
                break;
        default:
                fits = from == STATE_CLOSED;
                break;
        }
        if (!fits) {
                return "F4: an episode moved from a state it was not in";
        }
        if (type == REOPENED) {
                (void)clocks_take(episode, wire_find(payload, 4));
        }
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        return breach != NULL ? breach : state_set(e, episode, to);
}

/* Triage says that a word came too late: allocation's, or a person's about a version. */
static void crossing_note(episodes *e, const note *episode, wire_bytes payload)
{
        const bool has_team = wire_find(payload, 5).len > 0;
        const bool holds = wire_uint(payload, 6, 0) != 0;

        if (has_team && holds && !is_open(episode->state)) {
                e->counts.close_accept++;
        } else if (has_team && holds) {
                e->counts.attach_accept++;
        } else if (has_team) {
                e->counts.return_moved++;
        }
}

const char *episodes_triage(episodes *e, uint32_t type, wire_bytes payload)
{
        e->counts.triage[type % 32]++;
        if (type == OPENED) {
                return opened(e, payload);
        }
        if (type == NOTED) {
                e->counts.history++;
                return place(e, NULL, payload, 1, 2);
        }
        if (type < OPENED) {
                return NULL; /* The shell's. */
        }
        note *episode = find(&e->episodes, wire_find(payload, 1), false);
        if (episode == NULL) {
                return "F4: a record of an episode that was never opened";
        }
        switch (type) {
        case ATTACHED:
                return attached(e, episode, payload);
        case DECIDED:
                return decided(e, episode, payload);
        case LOOK_LISTED:
        case LOOK_ANSWERED:
        case RESPONDED:
                return looked(e, episode, type, payload);
        case ACTIVATED:
        case RETURNED:
        case CLOSED:
        case REOPENED:
                return moved(e, episode, type, payload);
        case TAKEN:
        case TAKE_ENDED:
                return is_open(episode->state) ? NULL : "F4: a take of an episode that is not open";
        case OVERTAKEN:
                crossing_note(e, episode, payload);
                return wire_uint(payload, 2, 0) == episode->version
                               ? NULL
                               : "F4: overtaken at a version that is not the current one";
        default:
                return "F4: a record of triage the auditor does not know";
        }
}

const char *episodes_allocation(episodes *e, uint32_t type, wire_bytes payload)
{
        e->counts.allocation[type % 32]++;
        if (type < OWNER_NAMED) {
                return NULL;
        }
        note *episode = find(&e->episodes, wire_find(payload, 1), false);
        if (episode == NULL) {
                return "F5: an owner of an episode that was never opened";
        }
        if (type == ENDED) {
                if (!episode->owned) {
                        return "F5: an ownership ended that had not begun";
                }
                episode->owned = false;
                episode->ended = true;
                e->counts.owned_now--;
                return NULL;
        }
        if (type == OWNER_NAMED && !episode->owned) {
                episode->owned = true;
                e->counts.owned_now++;
                return NULL;
        }
        if ((type == OFFERED || type == ACCEPTED || type == OFFER_RETURNED || type == HAND_OVER) &&
            !episode->owned) {
                return "F5: an offer of an episode nobody owns";
        }
        return NULL;
}

episodes_counts episodes_count(const episodes *e)
{
        return e->counts;
}

bool episodes_pick(const episodes *e, uint64_t pick, episodes_sample *ret_sample)
{
        const note *n = e->latest[pick % LATEST];

        if (n == NULL) {
                return false;
        }
        memcpy(ret_sample->episode, n->id, ID_BYTES);
        memcpy(ret_sample->referral, n->last, ID_BYTES);
        ret_sample->version = n->version;
        ret_sample->state = n->state;
        return true;
}

static const char *disposition_of(const note *referral)
{
        static const char *const by_state[] = { "",         "QUEUED", "OFFERED", "ACTIVE",
                                                "IMPORTED", "CLOSED", "CLOSED" };
        const note *episode = referral->episode;

        if (!referral->placed) {
                return "AWAITING_TRIAGE";
        }
        if (episode == NULL) {
                return "HISTORY";
        }
        if (referral->waits == WAITS_LOOK && is_open(episode->state)) {
                return "LOOK";
        }
        if (episode->state == STATE_ACTIVE && (referral->waits == WAITS_RESPONSE || referral->responded)) {
                return "WITH_WORKER";
        }
        return by_state[episode->state % (sizeof by_state / sizeof by_state[0])];
}

void episodes_each(const episodes *e,
                   void (*each)(void *context, const uint8_t referral[10], const char *where), void *context)
{
        for (size_t i = 0; i < BUCKETS; i++) {
                for (const note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        each(context, n->id, disposition_of(n));
                }
        }
}
