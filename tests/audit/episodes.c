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
        FOLDED = 30,
        RESTORED = 31,
        FAMILY_CHANGED = 32,
        DETACHED = 33,
        MATCH_SETTLED = 34,
};
/* And of deduplication.proto. */
enum { MATCHED = 16, REVIEW_ANSWERED = 17, FAMILIES_JOINED = 18, JOIN_UNDONE = 19, REFERRAL_MOVED = 20 };

enum { STATE_QUEUED = 1, STATE_OFFERED, STATE_ACTIVE, STATE_IMPORTED, STATE_CLOSED, STATE_FOLDED };
enum { WAY_WITH_WORKER = 1, WAY_QUICK_LOOK = 2, WAY_LOOK_NOW = 3 };
enum { WAITS_NOT = 0, WAITS_RESPONSE = 1, WAITS_LOOK = 2 };

/* Record types of allocation.proto. */
enum {
        OWNER_NAMED = 16,
        OFFERED = 17,
        UNROUTED = 19,
        ACCEPTED = 20,
        OFFER_RETURNED = 21,
        HAND_OVER = 22,
        ENDED = 23
};
enum { OWNER_FOLDED = 25, OWNER_RESTORED = 26 };

/* A family a referral has stood in; a log may be read after what it caused has been told elsewhere. */
typedef struct stood {
        uint8_t family[ID_BYTES];
        struct stood *before;
} stood;

/* One thing under an id: a referral, an episode, a family or a child. */
typedef struct note {
        uint8_t id[ID_BYTES];
        struct note *next;
        /* referral */
        stood *stands; /* The family it stands in now, and before. */
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
        char owner[EPISODES_TEAM_BYTES];   /* As allocation named it last. */
        char offered[EPISODES_TEAM_BYTES]; /* To whom; empty: no offer is open. */
        struct note *folded_into;
        uint64_t own_severity; /* FOLDED: when it was. */
        /* family, or join */
        struct note *joined_into; /* Of a family; of a join, where it led. */
        struct note *join_from;
        bool undone;
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
        table joins;
        note *latest[LATEST];
        note *latest_joins[LATEST];
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
                        for (stood *at = n->stands; at != NULL;) {
                                stood *before = at->before;
                                free(at);
                                at = before;
                        }
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
                table_free(&e->joins);
                free(e);
        }
        return NULL;
}

static note *known(const table *t, const uint8_t *id)
{
        for (note *n = t->buckets[((size_t)id[0] << 8 | id[1]) % BUCKETS]; n != NULL; n = n->next) {
                if (memcmp(n->id, id, ID_BYTES) == 0) {
                        return n;
                }
        }
        return NULL;
}

static note *find(table *t, wire_bytes id, bool add)
{
        if (id.len != ID_BYTES) {
                return NULL;
        }
        note **bucket = &t->buckets[((size_t)id.data[0] << 8 | id.data[1]) % BUCKETS];
        note *there = known(t, id.data);
        if (there != NULL || !add) {
                return there;
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

static void stand_in(note *referral, const uint8_t *family)
{
        stood *at = malloc(sizeof *at);

        if (at == NULL) {
                abort();
        }
        memcpy(at->family, family, ID_BYTES);
        at->before = referral->stands;
        referral->stands = at;
}

static bool stands_in(const note *referral, const uint8_t *family)
{
        return referral->stands != NULL && memcmp(referral->stands->family, family, ID_BYTES) == 0;
}

static bool has_stood_in(const note *referral, const uint8_t *family)
{
        for (const stood *at = referral->stands; at != NULL; at = at->before) {
                if (memcmp(at->family, family, ID_BYTES) == 0) {
                        return true;
                }
        }
        return false;
}

/* ---- who is who: deduplication's log */

static const char *matched(episodes *e, wire_bytes payload)
{
        note *n = find(&e->referrals, wire_find(payload, 1), true);
        const wire_bytes family = wire_find(payload, 32);
        const note *f = find(&e->families, family, true);

        if (n == NULL || f == NULL) {
                return "F1: a match without referral or family";
        }
        n->matched = true;
        stand_in(n, family.data);
        return f->joined_into != NULL ? "F6: matched into a family that has been joined to another" : NULL;
}

static const char *joined(episodes *e, wire_bytes payload)
{
        note *join = find(&e->joins, wire_find(payload, 1), true);
        note *from = find(&e->families, wire_find(payload, 2), true);
        note *to = find(&e->families, wire_find(payload, 3), true);

        if (join == NULL || from == NULL || to == NULL || from == to || join->join_from != NULL) {
                return "F6: a join of one family, or made twice";
        }
        if (from->joined_into != NULL || to->joined_into != NULL) {
                return "F6: a join of a family that has been joined to another";
        }
        from->joined_into = to;
        join->join_from = from;
        join->joined_into = to;
        for (size_t i = 0; i < BUCKETS; i++) {
                for (note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        if (stands_in(n, from->id)) {
                                stand_in(n, to->id);
                        }
                }
        }
        memmove(&e->latest_joins[1], &e->latest_joins[0], (LATEST - 1) * sizeof e->latest_joins[0]);
        e->latest_joins[0] = join;
        e->counts.joins++;
        return NULL;
}

static const char *undone(episodes *e, wire_bytes payload)
{
        note *join = find(&e->joins, wire_find(payload, 1), false);
        const wire_bytes from = wire_find(payload, 2);
        const wire_bytes to = wire_find(payload, 3);
        wire_field field;
        bool bad = false;
        uint64_t assigned = 0;
        uint64_t standing = 0;

        if (join == NULL || join->undone || join->join_from->joined_into != join->joined_into) {
                return "F6: a join undone that is none";
        }
        for (size_t i = 0; i < BUCKETS; i++) {
                for (const note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        standing += stands_in(n, join->joined_into->id) ? 1 : 0;
                }
        }
        while (wire_next(&payload, &field, &bad)) {
                if (field.number != 4 || field.type != 2) {
                        continue;
                }
                note *n = find(&e->referrals, wire_find(field.bytes, 1), false);
                const wire_bytes family = wire_find(field.bytes, 2);
                if (n == NULL || !stands_in(n, join->joined_into->id) ||
                    (!wire_equal(family, from) && !wire_equal(family, to))) {
                        return "F6: an undone join assigns a referral that is not the family's, or elsewhere";
                }
                assigned++;
                if (wire_equal(family, from)) {
                        stand_in(n, from.data);
                } else {
                        stand_in(n, to.data);
                }
        }
        join->undone = true;
        join->join_from->joined_into = NULL;
        e->counts.undone++;
        return assigned == standing ? NULL : "F6: an undone join leaves a referral without a family";
}

static const char *referral_moved(episodes *e, wire_bytes payload)
{
        note *n = find(&e->referrals, wire_find(payload, 1), false);
        const wire_bytes from = wire_find(payload, 2);
        const wire_bytes to = wire_find(payload, 3);
        const note *f = find(&e->families, to, true);

        if (n == NULL || f == NULL || from.len != ID_BYTES || wire_equal(from, to)) {
                return "F6: a move of nothing";
        }
        if (!stands_in(n, from.data) || f->joined_into != NULL) {
                return "F6: a referral moved that was not there, or to a family that is another's";
        }
        stand_in(n, to.data);
        e->counts.moves++;
        return NULL;
}

const char *episodes_deduplication(episodes *e, uint32_t type, wire_bytes payload)
{
        switch (type) {
        case MATCHED:
                return matched(e, payload);
        case FAMILIES_JOINED:
                return joined(e, payload);
        case JOIN_UNDONE:
                return undone(e, payload);
        case REFERRAL_MOVED:
                return referral_moved(e, payload);
        default:
                e->counts.answers += type == REVIEW_ANSWERED ? 1 : 0;
                return NULL;
        }
}

/* ---- where each is: triage's log */

static note *home_of(note *episode)
{
        while (episode != NULL && episode->folded_into != NULL) {
                episode = episode->folded_into;
        }
        return episode;
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
        note *home = home_of(referral->episode);
        if (home != NULL) {
                home->waiting -= referral->waits != WAITS_NOT ? 1 : 0;
                home->waiting += waits != WAITS_NOT ? 1 : 0;
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
                        if (home_of(n->episode) == episode && n->waits != WAITS_NOT) {
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
            is_open(family->episode->state) && memcmp(family->episode->of_family, id.data, ID_BYTES) == 0) {
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
        if (family.len != ID_BYTES || !has_stood_in(referral, family.data)) {
                return "C1: a referral placed with a family it never stood in";
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

/* The one something has just happened to comes first. */
static void touch(episodes *e, note *episode)
{
        size_t at = 0;

        while (at < LATEST - 1 && e->latest[at] != episode) {
                at++;
        }
        memmove(&e->latest[1], &e->latest[0], at * sizeof e->latest[0]);
        e->latest[0] = episode;
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
                        note *subject_of = child == NULL ? NULL : home_of(child->episode);
                        if (child == NULL ||
                            (subject_of != NULL && subject_of != episode && is_open(subject_of->state))) {
                                return "F3: a child made the subject of a second open episode";
                        }
                        child->episode = episode;
                }
        }
        touch(e, episode);
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
        if (wire_find(payload, 23).len > 0 && way != WAY_QUICK_LOOK && way != WAY_LOOK_NOW) {
                return "S2: a moved referral that nobody looks at";
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
        touch(e, episode);
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

        if (referral == NULL || home_of(referral->episode) != episode) {
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
                episode->severity = wire_uint(payload, 3, 0);
                (void)clocks_take(episode, wire_find(payload, 4));
        }
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        return breach != NULL ? breach : state_set(e, episode, to);
}

/* ---- joined and parted */

/* The younger lives on in the older; nothing of either becomes less. */
static const char *folded(episodes *e, note *from, wire_bytes payload)
{
        note *to = find(&e->episodes, wire_find(payload, 2), false);
        const wire_bytes family = wire_find(payload, 5);
        const uint64_t severity = wire_uint(payload, 6, 0);
        const uint64_t state = wire_uint(payload, 8, 0);
        const bool queued = (to != NULL && to->state == STATE_QUEUED) || from->state == STATE_QUEUED;

        if (to == NULL || to == from || !is_open(from->state) || !is_open(to->state) ||
            family.len != ID_BYTES) {
                return "F6: a fold of episodes that are not both open";
        }
        if (severity < to->severity || severity < from->severity) {
                return "S1: a fold made an episode less severe";
        }
        if (state != STATE_QUEUED &&
            (state != STATE_IMPORTED || from->state != state || to->state != state)) {
                return "F6: a fold that asks nobody";
        }
        const uint64_t rag_ms = wire_uint(wire_find(payload, 7), 1, 0);
        if (queued && ((from->state == STATE_QUEUED && rag_ms > from->rag_ms) ||
                       (to->state == STATE_QUEUED && rag_ms > to->rag_ms))) {
                return "S3: a fold moved a queued row's clock back";
        }
        if (wire_uint(payload, 3, 0) != from->version + 1ull ||
            wire_uint(payload, 4, 0) != to->version + 1ull) {
                return "F4: a version that is not the next";
        }
        from->version++;
        to->version++;
        from->own_severity = from->severity;
        (void)state_set(e, from, STATE_FOLDED);
        from->folded_into = to;
        to->waiting += from->waiting;
        to->severity = severity;
        (void)clocks_take(to, wire_find(payload, 7));
        memcpy(to->of_family, family.data, ID_BYTES);
        memcpy(to->last, from->last, ID_BYTES);
        e->counts.folds++;
        return state_set(e, to, (uint32_t)state);
}

static const char *restored(episodes *e, note *episode, wire_bytes payload)
{
        note *survivor = find(&e->episodes, wire_find(payload, 3), false);
        const wire_bytes family = wire_find(payload, 5);
        const uint64_t state = wire_uint(payload, 8, 0);

        if (episode->state != STATE_FOLDED || survivor == NULL || home_of(episode) != survivor ||
            family.len != ID_BYTES) {
                return "F6: restored what was not folded, or from elsewhere";
        }
        if (wire_uint(payload, 6, 0) < episode->own_severity) {
                return "S1: restored less severe than it was";
        }
        if (wire_uint(payload, 2, 0) != episode->version + 1ull ||
            wire_uint(payload, 4, 0) != survivor->version + 1ull) {
                return "F4: a version that is not the next";
        }
        episode->version++;
        survivor->version++;
        episode->folded_into = NULL;
        episode->waiting = 0;
        for (size_t i = 0; i < BUCKETS; i++) {
                for (note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        if (n->waits != WAITS_NOT && home_of(n->episode) == episode) {
                                episode->waiting++;
                                survivor->waiting--;
                        }
                }
        }
        episode->severity = wire_uint(payload, 6, 0);
        (void)clocks_take(episode, wire_find(payload, 7));
        memcpy(episode->of_family, family.data, ID_BYTES);
        e->counts.restores++;
        return state_set(e, episode, (uint32_t)state);
}

static const char *family_changed(episodes *e, note *episode, wire_bytes payload)
{
        const wire_bytes from = wire_find(payload, 3);
        const wire_bytes to = wire_find(payload, 4);

        if (from.len != ID_BYTES || to.len != ID_BYTES ||
            memcmp(from.data, episode->of_family, ID_BYTES) != 0) {
                return "F6: an episode leaves a family it was not of";
        }
        memcpy(episode->of_family, to.data, ID_BYTES);
        e->counts.family_changes++;
        const char *breach = version_check(episode, wire_uint(payload, 2, 0));
        return breach != NULL ? breach : state_set(e, episode, episode->state);
}

/* It has no place until the next record of the same write gives it one. */
static const char *detached(episodes *e, note *episode, wire_bytes payload)
{
        note *referral = find(&e->referrals, wire_find(payload, 3), false);
        wire_bytes rest = payload;
        wire_field field;
        bool bad = false;

        if (episode->state == STATE_FOLDED || referral == NULL || home_of(referral->episode) != episode) {
                return "F6: a referral detached from where it was not";
        }
        if (wire_uint(payload, 4, 0) != episode->severity) {
                return "S1: a referral's leaving changed how severe an episode is";
        }
        waits_set(e, referral, WAITS_NOT);
        referral->episode = NULL;
        referral->placed = false;
        referral->responded = false;
        e->counts.placed--;
        e->counts.detached++;
        while (wire_next(&rest, &field, &bad)) {
                note *child =
                        field.number == 5 && field.type == 2 ? find(&e->children, field.bytes, false) : NULL;
                if (child != NULL && home_of(child->episode) == episode) {
                        child->episode = NULL;
                }
        }
        return version_check(episode, wire_uint(payload, 2, 0));
}

const char *episodes_triage(episodes *e, uint32_t type, wire_bytes payload)
{
        e->counts.triage[type % EPISODES_TYPES]++;
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
        case FOLDED:
                return folded(e, episode, payload);
        case RESTORED:
                return restored(e, episode, payload);
        case FAMILY_CHANGED:
                return family_changed(e, episode, payload);
        case DETACHED:
                return detached(e, episode, payload);
        case MATCH_SETTLED:
                return is_open(episode->state) ? NULL : "F4: a match settled of an episode that is not open";
        case OVERTAKEN:
                return wire_uint(payload, 2, 0) == episode->version
                               ? NULL
                               : "F4: overtaken at a version that is not the current one";
        default:
                return "F4: a record of triage the auditor does not know";
        }
}

static void team_set(char to[EPISODES_TEAM_BYTES], wire_bytes team)
{
        const size_t len = team.len < EPISODES_TEAM_BYTES ? team.len : EPISODES_TEAM_BYTES - 1;

        if (len > 0) {
                memcpy(to, team.data, len);
        }
        to[len] = '\0';
}

/* Who owns and to whom it is offered, for a harness that acts for them. */
static void teams_note(note *episode, uint32_t type, wire_bytes payload)
{
        static const struct {
                uint32_t type;
                uint32_t owner;
                uint32_t offered; /* Field numbers; 0: no offer is open from here. */
        } says[] = {
                { OWNER_NAMED, 2, 0 },    { OFFERED, 6, 3 },   { UNROUTED, 3, 0 },       { ACCEPTED, 3, 0 },
                { OFFER_RETURNED, 5, 0 }, { HAND_OVER, 2, 3 }, { OWNER_RESTORED, 3, 0 },
        };

        for (size_t i = 0; i < sizeof says / sizeof says[0]; i++) {
                if (says[i].type == type) {
                        team_set(episode->owner, wire_find(payload, says[i].owner));
                        team_set(episode->offered, says[i].offered == 0
                                                           ? (wire_bytes){ NULL, 0 }
                                                           : wire_find(payload, says[i].offered));
                }
        }
}

const char *episodes_allocation(episodes *e, uint32_t type, wire_bytes payload)
{
        e->counts.allocation[type % EPISODES_TYPES]++;
        if (type < OWNER_NAMED) {
                return NULL;
        }
        note *episode = find(&e->episodes, wire_find(payload, 1), false);
        if (episode == NULL) {
                return "F5: an owner of an episode that was never opened";
        }
        teams_note(episode, type, payload);
        if (type == ENDED) {
                if (!episode->owned) {
                        return "F5: an ownership ended that had not begun";
                }
                episode->owned = false;
                episode->ended = true;
                episode->offered[0] = '\0';
                e->counts.owned_now--;
                return NULL;
        }
        if (type == OWNER_FOLDED) {
                note *to = find(&e->episodes, wire_find(payload, 2), false);
                if (!episode->owned || to == NULL || !to->owned || wire_find(payload, 4).len == 0) {
                        return "F5: an owner folded into none";
                }
                team_set(to->owner, wire_find(payload, 4));
                if (strcmp(to->offered, to->owner) == 0) {
                        to->offered[0] = '\0'; /* Nobody is asked for what they have. */
                }
                episode->owner[0] = '\0';
                episode->offered[0] = '\0';
                episode->owned = false;
                episode->ended = true;
                e->counts.owned_now--;
                return NULL;
        }
        if ((type == OWNER_NAMED || type == OWNER_RESTORED) && !episode->owned) {
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

static void sample_fill(const note *n, episodes_sample *ret_sample)
{
        memcpy(ret_sample->episode, n->id, ID_BYTES);
        memcpy(ret_sample->referral, n->last, ID_BYTES);
        memcpy(ret_sample->family, n->of_family, ID_BYTES);
        memcpy(ret_sample->owner, n->owner, sizeof ret_sample->owner);
        memcpy(ret_sample->offered, n->offered, sizeof ret_sample->offered);
        ret_sample->version = n->version;
        ret_sample->state = n->state;
}

bool episodes_pick(const episodes *e, uint64_t pick, episodes_sample *ret_sample)
{
        const note *n = e->latest[pick % LATEST];

        if (n == NULL) {
                return false;
        }
        sample_fill(n, ret_sample);
        return true;
}

bool episodes_look(const episodes *e, const uint8_t episode[10], episodes_sample *ret_sample)
{
        for (size_t i = 0; i < LATEST; i++) {
                if (e->latest[i] != NULL && memcmp(e->latest[i]->id, episode, ID_BYTES) == 0) {
                        sample_fill(e->latest[i], ret_sample);
                        return true;
                }
        }
        return false;
}

bool episodes_pick_join(const episodes *e, uint64_t pick, episodes_join *ret_join)
{
        const note *join = e->latest_joins[pick % LATEST];

        if (join == NULL) {
                return false;
        }
        memcpy(ret_join->join, join->id, ID_BYTES);
        memcpy(ret_join->from, join->join_from->id, ID_BYTES);
        memcpy(ret_join->to, join->joined_into->id, ID_BYTES);
        ret_join->count = 0;
        for (size_t i = 0; i < BUCKETS; i++) {
                for (const note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        if (stands_in(n, ret_join->to) && ret_join->count < EPISODES_ASSIGNED_MAX) {
                                memcpy(ret_join->referrals[ret_join->count], n->id, ID_BYTES);
                                ret_join->was_from[ret_join->count++] = has_stood_in(n, ret_join->from);
                        }
                }
        }
        return true;
}

const char *episodes_settled(const episodes *e)
{
        for (size_t i = 0; i < BUCKETS; i++) {
                for (const note *n = e->referrals.buckets[i]; n != NULL; n = n->next) {
                        const note *home = home_of(n->episode);
                        if (home != NULL && is_open(home->state) && !stands_in(n, home->of_family)) {
                                return "C1: at rest a referral stands in one family and its open episode in "
                                       "another";
                        }
                }
        }
        return NULL;
}

static const char *disposition_of(const note *referral)
{
        static const char *const by_state[] = { "",         "QUEUED", "OFFERED", "ACTIVE",
                                                "IMPORTED", "CLOSED", "CLOSED" };
        const note *episode = home_of(referral->episode);

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

bool episodes_find(const episodes *e, const uint8_t referral[10], episodes_place *ret_place)
{
        const note *n = known(&e->referrals, referral);

        if (n == NULL || !n->matched) {
                return false;
        }
        const note *home = home_of(n->episode);
        *ret_place = (episodes_place){ .where = disposition_of(n), .family = n->stands->family };
        if (home != NULL) {
                ret_place->episode = home->id;
                ret_place->state = home->state;
                ret_place->version = home->version;
                ret_place->severity = home->severity;
                ret_place->owner = home->owner;
                ret_place->offered = home->offered;
        }
        return true;
}

uint64_t episodes_in_state(const episodes *e, uint32_t state)
{
        uint64_t count = 0;

        for (size_t i = 0; i < BUCKETS; i++) {
                for (const note *n = e->episodes.buckets[i]; n != NULL; n = n->next) {
                        count += n->state == state ? 1 : 0;
                }
        }
        return count;
}
