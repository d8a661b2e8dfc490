#include "audit/crossings.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 10, BUCKETS = 4096, JOINS_KEPT = 64 };
enum { INTAKE = 1, DEDUPLICATION = 2, TRIAGE = 3, ALLOCATION = 4 };

/* Record types of the logs. */
enum { RECEIVED = 16 };
enum { MATCHED = 16, JOINED = 18, UNDONE = 19, MOVED = 20 };
enum {
        OPENED = 16,
        ATTACHED = 17,
        DECIDED = 21,
        CLOSED = 27,
        FOLDED = 30,
        RESTORED = 31,
        FAMILY_CHANGED = 32
};
enum { STATE_CLOSED = 5 };
enum { ACCEPTED = 20, RETURNED = 21, HAND_OVER = 22 };

/* What was done last about an id, and where that stands in the log it was done in. */
typedef enum act {
        ACT_CLOSE = 0, /* triage's, about an episode */
        ACT_FOLD,
        ACT_ATTACH,
        ACT_ACCEPT, /* allocation's, about an episode */
        ACT_RETURN,
        ACT_TRANSFER,
        ACT_MATCH, /* deduplication's, about a family */
        ACT_UNDO,  /* about a family, or the join */
        ACT_MOVE,  /* about the episode a referral stood in */
        ACTS,
} act;

typedef struct mark {
        uint8_t id[ID_BYTES];
        struct mark *next;
        uint64_t seq[ACTS];
        uint64_t turn;           /* Of a referral's receipt; of a family's last undone join. */
        uint8_t other[ID_BYTES]; /* Of an episode its family; of a referral its episode. */
        bool has_other;
} mark;

typedef struct join {
        uint64_t seq;
        uint8_t id[ID_BYTES];
        uint8_t from[ID_BYTES];
        uint8_t to[ID_BYTES];
        bool heard; /* By triage. */
} join;

struct crossings {
        mark *buckets[BUCKETS];
        join joins[JOINS_KEPT];
        size_t joins_count;
        uint64_t turn; /* Records fed. */
        uint64_t counts[CROSSINGS];
};

crossings *crossings_new(void)
{
        crossings *c = calloc(1, sizeof *c);
        if (c == NULL) {
                abort();
        }
        return c;
}

crossings *crossings_free(crossings *c)
{
        for (size_t i = 0; c != NULL && i < BUCKETS; i++) {
                for (mark *m = c->buckets[i]; m != NULL;) {
                        mark *next = m->next;
                        free(m);
                        m = next;
                }
        }
        free(c);
        return NULL;
}

const uint64_t *crossings_count(const crossings *c)
{
        return c->counts;
}

/* NULL for what is no id. */
static mark *at(crossings *c, wire_bytes id)
{
        if (id.len != ID_BYTES) {
                return NULL;
        }
        mark **bucket = &c->buckets[((size_t)id.data[0] << 8 | id.data[1]) % BUCKETS];
        for (mark *m = *bucket; m != NULL; m = m->next) {
                if (memcmp(m->id, id.data, ID_BYTES) == 0) {
                        return m;
                }
        }
        mark *m = calloc(1, sizeof *m);
        if (m == NULL) {
                abort();
        }
        memcpy(m->id, id.data, ID_BYTES);
        m->next = *bucket;
        *bucket = m;
        return m;
}

static void belongs(mark *m, wire_bytes to)
{
        if (m != NULL && to.len == ID_BYTES) {
                memcpy(m->other, to.data, ID_BYTES);
                m->has_other = true;
        }
}

static mark *other_of(crossings *c, const mark *m)
{
        return m != NULL && m->has_other ? at(c, (wire_bytes){ m->other, ID_BYTES }) : NULL;
}

static void meets(crossings *c, crossing which, const mark *m, act done, uint64_t seen)
{
        c->counts[which] += m != NULL && m->seq[done] > seen ? 1 : 0;
}

static void deduplication(crossings *c, const audit_origin *origin, uint32_t type, wire_bytes payload)
{
        if (type == MATCHED) {
                const mark *referral = at(c, wire_find(payload, 1));
                mark *family = at(c, wire_find(payload, 32));
                if (referral != NULL && family != NULL) {
                        family->seq[ACT_MATCH] = origin->seq;
                        c->counts[CROSSING_UNDO_REFERRAL] += referral->turn < family->turn ? 1 : 0;
                }
        } else if (type == JOINED) {
                join *j = &c->joins[c->joins_count++ % JOINS_KEPT];
                const wire_bytes id = wire_find(payload, 1);
                const wire_bytes from = wire_find(payload, 2);
                const wire_bytes to = wire_find(payload, 3);
                if (id.len == ID_BYTES && from.len == ID_BYTES && to.len == ID_BYTES) {
                        memcpy(j->id, id.data, ID_BYTES);
                        memcpy(j->from, from.data, ID_BYTES);
                        memcpy(j->to, to.data, ID_BYTES);
                        j->seq = origin->seq;
                        j->heard = false;
                }
        } else if (type == UNDONE) {
                for (uint32_t field = 1; field <= 3; field++) { /* The join, and both families. */
                        mark *m = at(c, wire_find(payload, field));
                        if (m != NULL) {
                                m->seq[ACT_UNDO] = origin->seq;
                                m->turn = c->turn;
                        }
                }
        } else if (type == MOVED) {
                mark *episode = other_of(c, at(c, wire_find(payload, 1)));
                if (episode != NULL) {
                        episode->seq[ACT_MOVE] = origin->seq;
                }
        }
}

static bool share(const join *a, const join *b)
{
        return memcmp(a->from, b->from, ID_BYTES) == 0 || memcmp(a->from, b->to, ID_BYTES) == 0 ||
               memcmp(a->to, b->from, ID_BYTES) == 0 || memcmp(a->to, b->to, ID_BYTES) == 0;
}

/* Triage acts on a join: has another, or its undoing, been recorded since? */
static void join_heard(crossings *c, uint64_t seq)
{
        const size_t kept = c->joins_count < JOINS_KEPT ? c->joins_count : JOINS_KEPT;

        for (size_t i = 0; i < kept; i++) {
                join *j = &c->joins[i];
                if (j->seq != seq || j->heard) {
                        continue;
                }
                j->heard = true;
                meets(c, CROSSING_JOIN_UNDO, at(c, (wire_bytes){ j->id, ID_BYTES }), ACT_UNDO, 0);
                for (size_t k = 0; k < kept; k++) {
                        if (c->joins[k].seq > seq && share(j, &c->joins[k])) {
                                c->counts[CROSSING_JOIN_JOIN]++;
                                break;
                        }
                }
        }
}

static void folded(crossings *c, const audit_origin *origin, mark *episode)
{
        if (episode != NULL) {
                meets(c, CROSSING_FOLD_ACCEPT, episode, ACT_ACCEPT, origin->seen[ALLOCATION]);
                meets(c, CROSSING_FOLD_TRANSFER, episode, ACT_TRANSFER, origin->seen[ALLOCATION]);
                episode->seq[ACT_FOLD] = origin->seq;
        }
}

static void triage(crossings *c, const audit_origin *origin, uint32_t type, wire_bytes payload)
{
        mark *episode = at(c, wire_find(payload, 1));

        if (origin->cause_log == DEDUPLICATION) {
                join_heard(c, origin->cause_seq);
        }
        if (episode == NULL) {
                return;
        }
        switch (type) {
        case OPENED:
                belongs(episode, wire_find(payload, 3));
                belongs(at(c, wire_find(payload, 2)), wire_find(payload, 1));
                break;
        case ATTACHED:
                belongs(at(c, wire_find(payload, 3)), wire_find(payload, 1));
                meets(c, CROSSING_ATTACH_ACCEPT, episode, ACT_ACCEPT, origin->seen[ALLOCATION]);
                episode->seq[ACT_ATTACH] = origin->seq;
                break;
        case FAMILY_CHANGED:
                belongs(episode, wire_find(payload, 4));
                break;
        case RESTORED:
                belongs(episode, wire_find(payload, 5));
                break;
        case FOLDED: {
                mark *to = at(c, wire_find(payload, 2));
                belongs(to, wire_find(payload, 5));
                folded(c, origin, episode);
                folded(c, origin, to);
                break;
        }
        case DECIDED:
                meets(c, CROSSING_MOVE_DECIDE, episode, ACT_MOVE, origin->seen[DEDUPLICATION]);
                break;
        default:
                break;
        }
        if (type == CLOSED || (type == DECIDED && wire_uint(payload, 5, 0) == STATE_CLOSED)) {
                const mark *family = other_of(c, episode);
                meets(c, CROSSING_CLOSE_ACCEPT, episode, ACT_ACCEPT, origin->seen[ALLOCATION]);
                meets(c, CROSSING_RETURN_CLOSE, episode, ACT_RETURN, origin->seen[ALLOCATION]);
                meets(c, CROSSING_CLOSE_ATTACH, family, ACT_MATCH, origin->seen[DEDUPLICATION]);
                meets(c, CROSSING_UNDO_CLOSE, family, ACT_UNDO, origin->seen[DEDUPLICATION]);
                episode->seq[ACT_CLOSE] = origin->seq;
        }
}

static void allocation(crossings *c, const audit_origin *origin, uint32_t type, wire_bytes payload)
{
        mark *episode = at(c, wire_find(payload, 1));
        const uint64_t seen = origin->seen[TRIAGE];

        if (episode == NULL) {
                return;
        }
        if (type == ACCEPTED) {
                meets(c, CROSSING_CLOSE_ACCEPT, episode, ACT_CLOSE, seen);
                meets(c, CROSSING_FOLD_ACCEPT, episode, ACT_FOLD, seen);
                meets(c, CROSSING_ATTACH_ACCEPT, episode, ACT_ATTACH, seen);
                episode->seq[ACT_ACCEPT] = origin->seq;
        }
        if (type == RETURNED) {
                meets(c, CROSSING_RETURN_CLOSE, episode, ACT_CLOSE, seen);
                episode->seq[ACT_RETURN] = origin->seq;
        }
        if (type == HAND_OVER || (type == ACCEPTED && wire_find(payload, 6).len > 0)) {
                meets(c, CROSSING_FOLD_TRANSFER, episode, ACT_FOLD, seen);
                episode->seq[ACT_TRANSFER] = origin->seq;
        }
}

void crossings_record(crossings *c, uint32_t log, const audit_origin *origin, uint32_t type,
                      wire_bytes payload)
{
        c->turn++;
        if (log == INTAKE && type == RECEIVED) {
                mark *referral = at(c, wire_find(payload, 1));
                if (referral != NULL) {
                        referral->turn = c->turn;
                }
        } else if (log == DEDUPLICATION) {
                deduplication(c, origin, type, payload);
        } else if (log == TRIAGE) {
                triage(c, origin, type, payload);
        } else if (log == ALLOCATION) {
                allocation(c, origin, type, payload);
        }
}
