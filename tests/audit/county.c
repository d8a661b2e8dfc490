#include "audit/county.h"

#include <stdlib.h>
#include <string.h>

enum {
        INTAKE = 1,
        DEDUPLICATION = 2,
        TRIAGE = 3,
        ALLOCATION = 4,
        NOTIFICATION = 5,
        GATEWAY = 6,
        RECEIVED = 16,
        REPEATED = 17,
        ATTEMPT_REFUSED = 18,
        MATCHED = 16,
        REVIEW_ANSWERED = 17,
        MOVED = 20,
        MOVED_TO = 3,
        FOLDED = 30,
        RESTORED = 31,
        RESTORED_STATE = 8,
        STATE_CLOSED = 5,
        ACCEPTED = 20,
        RETURNED = 21,
        OWNER_FOLDED = 25,
        OWNER_RESTORED = 26,
        RETURNED_HAND_OVER = 8,
        RECEIVED_KEY = 12,
        RECEIVED_REFERRAL = 1, /* Field numbers of intake.proto and deduplication.proto. */
        MATCHED_REFERRAL = 1,
        MATCHED_PERSON = 20,
        MATCHED_FAMILY = 32,
        MATCHED_DECISION = 33,
        MATCHED_CANDIDATE = 36,
        CANDIDATE_REVIEW = 3,
        REVIEWS_KEPT = 32,
        PERSON_ID = 1,
        DECISION_NEW = 1,
        DECISION_LINK = 2,
        DECISION_REVIEW = 3,
        ID_BYTES = 10,
        BUCKETS = 65536,
};

/* A set of ids with a mark. */
typedef struct entry {
        uint8_t id[ID_BYTES];
        uint8_t mark;
        uint64_t number; /* Of a referral: of its key, where that is "key-N". */
        struct entry *next;
} entry;

typedef struct set {
        entry *buckets[BUCKETS];
} set;

enum { MARK_RECEIVED = 1, MARK_MATCHED = 2 };

struct county {
        set referrals;
        set families;
        episodes *episodes;
        deliveries *deliveries;
        crossings *crossings;
        uint8_t reviews[REVIEWS_KEPT][ID_BYTES]; /* The latest asked. */
        size_t reviews_count;
        county_counts counts;
};

county *county_new(void)
{
        county *c = calloc(1, sizeof *c);
        if (c == NULL) {
                abort();
        }
        c->episodes = episodes_new();
        c->deliveries = deliveries_new();
        c->crossings = crossings_new();
        return c;
}

static void set_free(set *s)
{
        for (size_t i = 0; i < BUCKETS; i++) {
                for (entry *e = s->buckets[i]; e != NULL;) {
                        entry *next = e->next;
                        free(e);
                        e = next;
                }
        }
}

county *county_free(county *c)
{
        if (c != NULL) {
                set_free(&c->referrals);
                set_free(&c->families);
                (void)episodes_free(c->episodes);
                (void)deliveries_free(c->deliveries);
                (void)crossings_free(c->crossings);
                free(c);
        }
        return NULL;
}

static entry *set_find(set *s, wire_bytes id, bool add)
{
        entry **bucket = &s->buckets[((size_t)id.data[0] << 8 | id.data[1]) % BUCKETS];

        for (entry *e = *bucket; e != NULL; e = e->next) {
                if (memcmp(e->id, id.data, ID_BYTES) == 0) {
                        return e;
                }
        }
        if (!add) {
                return NULL;
        }
        entry *e = calloc(1, sizeof *e);
        if (e == NULL) {
                abort();
        }
        memcpy(e->id, id.data, ID_BYTES);
        e->next = *bucket;
        *bucket = e;
        return e;
}

/* The digits after "key-"; 0 for another key. */
static uint64_t number_of(wire_bytes key)
{
        uint64_t number = 0;

        for (size_t i = 4; i < key.len && i < 16 && key.data[i] >= '0' && key.data[i] <= '9'; i++) {
                number = number * 10 + (uint64_t)(key.data[i] - '0');
        }
        return number;
}

uint64_t county_key_number(county *c, const uint8_t referral[10])
{
        const entry *e = set_find(&c->referrals, (wire_bytes){ referral, ID_BYTES }, false);
        return e == NULL ? 0 : e->number;
}

static const char *received(county *c, wire_bytes payload)
{
        const wire_bytes id = wire_find(payload, RECEIVED_REFERRAL);

        if (id.len != ID_BYTES) {
                return "a received referral without an id";
        }
        entry *e = set_find(&c->referrals, id, true);
        if (e->mark != 0) {
                return "one id for two referrals";
        }
        e->mark = MARK_RECEIVED;
        e->number = number_of(wire_find(payload, RECEIVED_KEY));
        c->counts.received++;
        return NULL;
}

static void reviews_note(county *c, wire_bytes payload)
{
        wire_field field;
        bool bad = false;

        while (wire_next(&payload, &field, &bad)) {
                if (field.number == MATCHED_CANDIDATE && field.type == 2) {
                        const wire_bytes review = wire_find(field.bytes, CANDIDATE_REVIEW);
                        if (review.len == ID_BYTES) {
                                memcpy(c->reviews[c->reviews_count++ % REVIEWS_KEPT], review.data, ID_BYTES);
                        }
                }
        }
}

bool county_look(const county *c, const uint8_t episode[10], episodes_sample *ret_sample)
{
        return episodes_look(c->episodes, episode, ret_sample);
}

bool county_pick_review(const county *c, uint64_t pick, uint8_t ret_review[10])
{
        const size_t kept = c->reviews_count < REVIEWS_KEPT ? c->reviews_count : REVIEWS_KEPT;

        if (kept == 0) {
                return false;
        }
        memcpy(ret_review, c->reviews[pick % kept], ID_BYTES);
        return true;
}

bool county_pick_join(const county *c, uint64_t pick, episodes_join *ret_join)
{
        return episodes_pick_join(c->episodes, pick, ret_join);
}

/* Two people named in one referral are not one person. */
static const char *persons_check(wire_bytes payload)
{
        wire_bytes seen[256];
        size_t count = 0;
        wire_field field;
        bool bad = false;

        while (wire_next(&payload, &field, &bad)) {
                if (field.number != MATCHED_PERSON || field.type != 2) {
                        continue;
                }
                const wire_bytes id = wire_find(field.bytes, PERSON_ID);
                if (id.len != ID_BYTES) {
                        return "a matched person without an id";
                }
                for (size_t i = 0; i < count; i++) {
                        if (wire_equal(seen[i], id)) {
                                return "two people of one referral are made one";
                        }
                }
                if (count < sizeof seen / sizeof seen[0]) {
                        seen[count++] = id;
                }
        }
        return bad ? "a match that does not decode" : NULL;
}

static const char *matched(county *c, wire_bytes payload)
{
        const wire_bytes referral = wire_find(payload, MATCHED_REFERRAL);
        const wire_bytes family = wire_find(payload, MATCHED_FAMILY);
        const uint64_t decision = wire_uint(payload, MATCHED_DECISION, 0);

        if (referral.len != ID_BYTES || family.len != ID_BYTES) {
                return "a match without referral or family";
        }
        entry *e = set_find(&c->referrals, referral, false);
        if (e == NULL) {
                return "a match of a referral nobody received";
        }
        if (e->mark == MARK_MATCHED) {
                return "a referral is matched into a second family";
        }
        e->mark = MARK_MATCHED;
        c->counts.matched++;
        entry *f = set_find(&c->families, family, false);
        if (decision == DECISION_LINK && f == NULL) {
                return "a link to a family that does not exist";
        }
        if ((decision == DECISION_NEW || decision == DECISION_REVIEW) && f != NULL) {
                return "a new family under an id that exists";
        }
        if (decision < DECISION_NEW || decision > DECISION_REVIEW) {
                return "a match without a decision";
        }
        if (f == NULL) {
                (void)set_find(&c->families, family, true);
                c->counts.families++;
        }
        reviews_note(c, payload);
        c->counts.linked += decision == DECISION_LINK ? 1 : 0;
        c->counts.reviews += decision == DECISION_REVIEW ? 1 : 0;
        return persons_check(payload);
}

static const char *domain(void *context, uint32_t log, const audit_origin *origin, uint32_t type,
                          wire_bytes payload)
{
        county *c = context;

        crossings_record(c->crossings, log, origin, type, payload);
        if (log == INTAKE && type == RECEIVED) {
                return received(c, payload);
        }
        if (log == DEDUPLICATION) {
                const char *breach = type == MATCHED ? matched(c, payload) : NULL;
                if (type == MOVED) { /* A family may be made by it. */
                        (void)set_find(&c->families, wire_find(payload, MOVED_TO), true);
                }
                return breach != NULL ? breach : episodes_deduplication(c->episodes, type, payload);
        }
        if (log == TRIAGE) {
                return episodes_triage(c->episodes, type, payload);
        }
        if (log == ALLOCATION) {
                deliveries_allocation(c->deliveries, origin->seq, type, payload);
                return episodes_allocation(c->episodes, type, payload);
        }
        if (log == NOTIFICATION) {
                return deliveries_record(c->deliveries, origin, type, payload);
        }
        c->counts.refused_attempts += log == INTAKE && type == ATTEMPT_REFUSED ? 1 : 0;
        return NULL;
}

static bool reads(uint32_t consumer, uint32_t upstream)
{
        return (consumer == DEDUPLICATION && upstream == INTAKE) ||
               (consumer == TRIAGE && (upstream == DEDUPLICATION || upstream == ALLOCATION)) ||
               (consumer == ALLOCATION && upstream == TRIAGE) ||
               (consumer == NOTIFICATION &&
                (upstream == INTAKE || upstream == TRIAGE || upstream == ALLOCATION)) ||
               (consumer == GATEWAY && upstream >= INTAKE && upstream <= NOTIFICATION);
}

static audit_due due(uint32_t consumer, uint32_t upstream, uint32_t type, wire_bytes payload)
{
        if (consumer == DEDUPLICATION && upstream == INTAKE) {
                return type == RECEIVED ? AUDIT_MUST : AUDIT_NOT_CONSUMED;
        }
        if (consumer == NOTIFICATION) {
                return deliveries_due(upstream, type, payload);
        }
        if (consumer == GATEWAY) {
                return AUDIT_NONE; /* A view remembers, and records nothing of it (viewed.h). */
        }
        if (consumer == TRIAGE && upstream == DEDUPLICATION) {
                return type == MATCHED                            ? AUDIT_MUST
                       : type >= REVIEW_ANSWERED && type <= MOVED ? AUDIT_MAY
                                                                  : AUDIT_NOT_CONSUMED;
        }
        if (consumer == ALLOCATION && upstream == TRIAGE && (type == FOLDED || type == RESTORED)) {
                /* What is restored closed has no owner. */
                return type == RESTORED && wire_uint(payload, RESTORED_STATE, 0) == STATE_CLOSED ? AUDIT_NONE
                                                                                                 : AUDIT_MUST;
        }
        if (consumer == TRIAGE && upstream == ALLOCATION &&
            (type == OWNER_FOLDED || type == OWNER_RESTORED)) {
                return AUDIT_MAY;
        }
        if (consumer == TRIAGE && upstream == ALLOCATION) {
                /* A hand-over that is refused changes nothing at triage. */
                return type == ACCEPTED                                                     ? AUDIT_MUST
                       : type == RETURNED && wire_uint(payload, RETURNED_HAND_OVER, 0) == 0 ? AUDIT_MUST
                       : type == RETURNED                                                   ? AUDIT_NONE
                                          : AUDIT_NOT_CONSUMED;
        }
        return reads(consumer, upstream) ? AUDIT_MAY : AUDIT_NOT_CONSUMED;
}

static bool may_repeat(uint32_t log, uint32_t type)
{
        return log == INTAKE && (type == 0 || type == REPEATED || type == ATTEMPT_REFUSED);
}

audit_model county_model(county *c)
{
        return (audit_model){
                .reads = reads,
                .due = due,
                .may_repeat = may_repeat,
                .domain = domain,
                .context = c,
        };
}

county_counts county_count(const county *c)
{
        return c->counts;
}

episodes_counts county_episodes(const county *c)
{
        return episodes_count(c->episodes);
}

const uint64_t *county_crossings(const county *c)
{
        return crossings_count(c->crossings);
}

deliveries_counts county_deliveries(const county *c)
{
        return deliveries_count(c->deliveries);
}

const deliveries *county_told(const county *c)
{
        return c->deliveries;
}

const episodes *county_notes(const county *c)
{
        return c->episodes;
}

bool county_pick(const county *c, uint64_t pick, episodes_sample *ret_sample)
{
        return episodes_pick(c->episodes, pick, ret_sample);
}
