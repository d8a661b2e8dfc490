#include "audit/deliveries.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 10, BUCKETS = 65536, LATEST = 64, TEAM_BYTES = 64 };

/* Record types and field numbers of notification.proto. */
enum { PLANNED = 16, DELIVERED, ATTEMPT_FAILED, GIVEN_UP, TRIED_AGAIN, TOLD, OWNER_NOTED };
enum { FIELD_DELIVERY = 1, FIELD_ATTEMPTS = 2, FIELD_KIND = 2, FIELD_RECIPIENT = 3, FIELD_EPISODE = 5 };
enum { FIELD_WHY = 7, OWNER_EPISODE = 1, OWNER_TEAM = 2 };
enum {
        KIND_ADDED = 4,
        KIND_OFFER,
        KIND_RETURNED,
        KIND_OWNER_CHANGED = 8,
        KIND_JOINED = 13,
        KIND_JOIN_UNDONE
};
enum { WHY_YOURS = 1, WHY_FRONT_DOORS, WHY_LEAVES };
/* Of the logs it reads. */
enum { INTAKE = 1, TRIAGE = 3, ALLOCATION = 4 };
enum { ATTEMPT_REFUSED = 18, WITHDRAW_ASKED = 19, AMEND_ASKED = 20 };
enum { OPENED = 16, ATTACHED = 17, HISTORY = 18, LOOK_LISTED = 22, REOPENED = 28, TRIAGE_OVERTAKEN = 29 };
enum { TRIAGE_FOLDED = 30, TRIAGE_RESTORED = 31, OWNER_FOLDED = 25, OWNER_RESTORED = 26 };
enum { ATTACHED_WAY = 6, ATTACHED_STATE = 12, ATTACHED_HISTORIC = 17, LOOK_NOW = 3, IMPORTED = 4 };
enum { OFFERED = 17, PLACED, UNROUTED, ACCEPTED, RETURNED, HAND_OVER, ENDED, OVERTAKEN };
enum { OFFERED_WAITING = 4, HAND_OVER_WAITING = 5 };

typedef enum standing { TRYING = 1, WITH_PERSON, DONE } standing;

typedef struct note {
        uint8_t id[ID_BYTES];
        standing standing;
        uint64_t attempts;
        char recipient[TEAM_BYTES];
        struct note *next;
} note;

/* Who has an episode; empty: no team has accepted it. */
typedef struct holder {
        uint8_t id[ID_BYTES];
        char accepted[TEAM_BYTES]; /* As allocation says. */
        char noted[TEAM_BYTES];    /* As notification has noted. */
        struct holder *next;
} holder;

/* A record of allocation's, to be held against what is told of it. */
typedef struct word {
        uint32_t type;
        wire_bytes payload; /* A copy. */
} word;

struct deliveries {
        note *buckets[BUCKETS];
        holder *holders[BUCKETS];
        word *words; /* By seq. */
        size_t words_max;
        note *latest[LATEST];
        size_t latest_count;
        deliveries_counts counts;
};

deliveries *deliveries_new(void)
{
        deliveries *d = calloc(1, sizeof *d);
        if (d == NULL) {
                abort();
        }
        return d;
}

deliveries *deliveries_free(deliveries *d)
{
        for (size_t i = 0; d != NULL && i < BUCKETS; i++) {
                for (note *n = d->buckets[i]; n != NULL;) {
                        note *next = n->next;
                        free(n);
                        n = next;
                }
                for (holder *h = d->holders[i]; h != NULL;) {
                        holder *next = h->next;
                        free(h);
                        h = next;
                }
        }
        for (size_t i = 0; d != NULL && i < d->words_max; i++) {
                free((void *)(uintptr_t)d->words[i].payload.data);
        }
        if (d != NULL) {
                free(d->words);
        }
        free(d);
        return NULL;
}

static note **place_of(deliveries *d, wire_bytes id)
{
        return &d->buckets[(size_t)id.data[0] << 8 | id.data[1]];
}

static note *find(const deliveries *d, wire_bytes id)
{
        note *n = d->buckets[(size_t)id.data[0] << 8 | id.data[1]];
        while (n != NULL && memcmp(n->id, id.data, ID_BYTES) != 0) {
                n = n->next;
        }
        return n;
}

static bool is_text(const char *text, wire_bytes bytes)
{
        return strlen(text) == bytes.len && (bytes.len == 0 || memcmp(text, bytes.data, bytes.len) == 0);
}

static void text_set(char to[TEAM_BYTES], wire_bytes text)
{
        const size_t len = text.len < TEAM_BYTES ? text.len : TEAM_BYTES - 1;

        if (len > 0) {
                memcpy(to, text.data, len);
        }
        to[len] = '\0';
}

static holder *holder_of(deliveries *d, wire_bytes episode)
{
        if (episode.len != ID_BYTES) {
                return NULL;
        }
        holder **bucket = &d->holders[(size_t)episode.data[0] << 8 | episode.data[1]];
        for (holder *h = *bucket; h != NULL; h = h->next) {
                if (memcmp(h->id, episode.data, ID_BYTES) == 0) {
                        return h;
                }
        }
        holder *h = calloc(1, sizeof *h);
        if (h == NULL) {
                abort();
        }
        memcpy(h->id, episode.data, ID_BYTES);
        h->next = *bucket;
        *bucket = h;
        return h;
}

/* Something has just happened to it. */
static void touch(deliveries *d, note *n)
{
        d->latest[d->latest_count++ % LATEST] = n;
}

/* The record of allocation's it was planned for; type 0 where it was not planned for one. */
static word cause_of(const deliveries *d, const audit_origin *origin)
{
        return origin->cause_log == ALLOCATION && origin->cause_seq < d->words_max
                       ? d->words[origin->cause_seq]
                       : (word){ 0, { NULL, 0 } };
}

static wire_bytes bytes_of(const char *text)
{
        return (wire_bytes){ (const uint8_t *)text, strlen(text) };
}

/* Whom a message of this kind goes to, by allocation's record it was planned for; empty: to nobody. */
static wire_bytes recipient_of(deliveries *d, const word *cause, uint64_t kind, uint64_t why)
{
        const wire_bytes nobody = { NULL, 0 };
        const wire_bytes payload = cause->payload;
        const wire_bytes desk = bytes_of("front-door");
        const holder *survivor = NULL;

        switch (kind) {
        case KIND_OFFER:
                return cause->type == PLACED                                ? wire_find(payload, 2)
                       : cause->type == OFFERED || cause->type == HAND_OVER ? wire_find(payload, 3)
                                                                            : nobody;
        case KIND_RETURNED:
                return cause->type != RETURNED         ? nobody
                       : wire_uint(payload, 8, 0) != 0 ? wire_find(payload, 5)
                                                       : desk;
        case KIND_OWNER_CHANGED:
                return cause->type == ACCEPTED ? wire_find(payload, 6) : nobody;
        case KIND_JOINED:
                return cause->type != OWNER_FOLDED ? nobody
                       : why == WHY_YOURS          ? wire_find(payload, 4)
                       : why == WHY_FRONT_DOORS    ? desk
                                                   : wire_find(payload, why == WHY_LEAVES ? 7 : 8);
        default:
                if (cause->type != OWNER_RESTORED) {
                        return nobody;
                }
                survivor = holder_of(d, wire_find(payload, 6));
                return why == WHY_YOURS         ? wire_find(payload, 3)
                       : why == WHY_FRONT_DOORS ? desk
                       : survivor == NULL       ? nobody
                                                : bytes_of(survivor->noted);
        }
}

/* N6, of a message that goes to who is named or who has the episode. */
static const char *recipient_check(deliveries *d, const audit_origin *origin, wire_bytes payload)
{
        const wire_bytes recipient = wire_find(payload, FIELD_RECIPIENT);
        const uint64_t kind = wire_uint(payload, FIELD_KIND, 0);
        const word cause = cause_of(d, origin);

        if (kind == KIND_ADDED) {
                const holder *h = holder_of(d, wire_find(payload, FIELD_EPISODE));
                return h != NULL && recipient.len > 0 && is_text(h->noted, recipient)
                               ? NULL
                               : "N6: a referral added is told to who does not have the episode";
        }
        if (kind == KIND_OFFER || kind == KIND_RETURNED || kind == KIND_OWNER_CHANGED ||
            kind == KIND_JOINED || kind == KIND_JOIN_UNDONE) {
                const wire_bytes expected = recipient_of(d, &cause, kind, wire_uint(payload, FIELD_WHY, 0));
                return expected.len > 0 && wire_equal(expected, recipient)
                               ? NULL
                               : "N6: told to whom allocation does not name";
        }
        return NULL;
}

static const char *planned(deliveries *d, const audit_origin *origin, wire_bytes id, wire_bytes payload)
{
        if (find(d, id) != NULL) {
                return "N1: a delivery is planned twice";
        }
        note *n = calloc(1, sizeof *n);
        if (n == NULL) {
                abort();
        }
        memcpy(n->id, id.data, ID_BYTES);
        n->standing = TRYING;
        n->next = *place_of(d, id);
        *place_of(d, id) = n;
        text_set(n->recipient, wire_find(payload, FIELD_RECIPIENT));
        touch(d, n);
        d->counts.planned++;
        d->counts.trying_now++;
        return recipient_check(d, origin, payload);
}

static const char *tried(deliveries *d, note *n, uint32_t type, uint64_t attempts)
{
        if (n->standing != TRYING || attempts != n->attempts + 1) {
                return "N2: word of a delivery that is not being tried, or of another attempt";
        }
        n->attempts = attempts;
        if (type == DELIVERED || type == GIVEN_UP) {
                n->standing = type == DELIVERED ? DONE : WITH_PERSON;
                d->counts.trying_now--;
                d->counts.delivered += type == DELIVERED ? 1 : 0;
                d->counts.with_person_now += type == GIVEN_UP ? 1 : 0;
        }
        if (type == GIVEN_UP) {
                touch(d, n);
        }
        return NULL;
}

static const char *asked(deliveries *d, note *n, uint32_t type)
{
        if (type == TRIED_AGAIN ? n->standing != WITH_PERSON : n->standing == DONE) {
                return "N3: tried again without having been given up, or told of what is done";
        }
        d->counts.with_person_now -= n->standing == WITH_PERSON ? 1 : 0;
        d->counts.trying_now -= n->standing == TRYING ? 1 : 0;
        if (type == TRIED_AGAIN) {
                n->standing = TRYING;
                n->attempts = 0;
                d->counts.trying_now++;
        } else {
                n->standing = DONE;
                d->counts.told++;
        }
        return NULL;
}

/* Who has accepted an episode, by what allocation says of it. */
void deliveries_allocation(deliveries *d, uint64_t seq, uint32_t type, wire_bytes payload)
{
        const wire_bytes front = { NULL, 0 };
        holder *h = holder_of(d, wire_find(payload, 1));
        holder *to = type == OWNER_FOLDED ? holder_of(d, wire_find(payload, 2)) : NULL;

        if (seq >= d->words_max) {
                const size_t max = (size_t)(seq + 64) * 2;
                d->words = realloc(d->words, max * sizeof d->words[0]);
                if (d->words == NULL) {
                        abort();
                }
                memset(d->words + d->words_max, 0, (max - d->words_max) * sizeof d->words[0]);
                d->words_max = max;
        }
        uint8_t *copy = malloc(payload.len + 1);
        if (copy == NULL) {
                abort();
        }
        if (payload.len > 0) {
                memcpy(copy, payload.data, payload.len);
        }
        free((void *)(uintptr_t)d->words[seq].payload.data);
        d->words[seq] = (word){ type, { copy, payload.len } };
        if (h == NULL) {
                return; /* The episode is not named: episodes.h says so. */
        }
        if (type == ACCEPTED) {
                text_set(h->accepted, wire_find(payload, 3));
        } else if (type == RETURNED) {
                /* What a team gives back of its own work, or of a hand-over, leaves it with who had it. */
                const wire_bytes owner = wire_find(payload, 5);
                const bool stays = wire_uint(payload, 8, 0) != 0 || is_text(h->accepted, owner);
                text_set(h->accepted, stays ? owner : front);
        } else if (type == ENDED) {
                text_set(h->accepted, front);
        } else if (type == OWNER_FOLDED && to != NULL) {
                text_set(h->accepted, front);
                text_set(to->accepted, wire_uint(payload, 5, 0) != 0 ? wire_find(payload, 4) : front);
        } else if (type == OWNER_RESTORED) {
                text_set(h->accepted, wire_uint(payload, 4, 0) != 0 ? wire_find(payload, 3) : front);
        }
}

static void owner_noted(deliveries *d, wire_bytes payload)
{
        holder *h = holder_of(d, wire_find(payload, OWNER_EPISODE));

        if (h != NULL) {
                text_set(h->noted, wire_find(payload, OWNER_TEAM));
        }
}

const char *deliveries_settled(const deliveries *d)
{
        for (size_t i = 0; i < BUCKETS; i++) {
                for (const holder *h = d->holders[i]; h != NULL; h = h->next) {
                        if (strcmp(h->accepted, h->noted) != 0) {
                                return "N6: at rest notification tells another team than has the episode";
                        }
                }
        }
        return NULL;
}

bool deliveries_wants(const deliveries *d, const uint8_t delivery[10], uint32_t attempt)
{
        const note *n = find(d, (wire_bytes){ delivery, ID_BYTES });

        return n != NULL && n->standing == TRYING && n->attempts + 1 == attempt;
}

bool deliveries_pick(const deliveries *d, uint64_t pick, uint8_t ret_delivery[10], char ret_recipient[64])
{
        const size_t kept = d->latest_count < LATEST ? d->latest_count : LATEST;

        if (kept == 0) {
                return false;
        }
        const note *n = d->latest[pick % kept];
        memcpy(ret_delivery, n->id, ID_BYTES);
        memcpy(ret_recipient, n->recipient, TEAM_BYTES);
        return true;
}

const char *deliveries_record(deliveries *d, const audit_origin *origin, uint32_t type, wire_bytes payload)
{
        const wire_bytes id = wire_find(payload, FIELD_DELIVERY);
        const deliveries_counts *c = &d->counts;
        const char *wrong = NULL;

        if (type == OWNER_NOTED) {
                owner_noted(d, payload);
        }
        if (type < PLANNED || type > TOLD) {
                return NULL;
        }
        if (id.len != ID_BYTES) {
                return "N1: a record of no delivery";
        }
        note *n = find(d, id);
        if (type == PLANNED) {
                wrong = planned(d, origin, id, payload);
        } else if (n == NULL) {
                wrong = "N1: a record of a delivery nobody planned";
        } else if (type == TRIED_AGAIN || type == TOLD) {
                wrong = asked(d, n, type);
        } else {
                wrong = tried(d, n, type, wire_uint(payload, FIELD_ATTEMPTS, 0));
        }
        if (wrong == NULL && c->planned != c->trying_now + c->with_person_now + c->delivered + c->told) {
                wrong = "N4: a delivery is neither tried, with a person, delivered nor told";
        }
        return wrong;
}

static audit_due triage_due(uint32_t type, wire_bytes payload)
{
        if (type == ATTACHED && wire_uint(payload, ATTACHED_WAY, 0) == LOOK_NOW &&
            wire_uint(payload, ATTACHED_STATE, 0) != IMPORTED &&
            wire_uint(payload, ATTACHED_HISTORIC, 0) == 0) {
                return AUDIT_MUST;
        }
        /* Red is the policy's to say, and so is who gets a receipt; of history nothing is due. */
        return type == OPENED || type == ATTACHED || type == HISTORY || type == LOOK_LISTED ||
                               type == REOPENED || type == TRIAGE_OVERTAKEN || type == TRIAGE_FOLDED ||
                               type == TRIAGE_RESTORED
                       ? AUDIT_MAY
                       : AUDIT_NOT_CONSUMED;
}

static audit_due allocation_due(uint32_t type, wire_bytes payload)
{
        if (type == OFFERED) {
                return wire_uint(payload, OFFERED_WAITING, 0) == 0 ? AUDIT_MUST : AUDIT_NONE;
        }
        if (type == HAND_OVER) {
                return wire_uint(payload, HAND_OVER_WAITING, 0) == 0 ? AUDIT_MUST : AUDIT_NONE;
        }
        if (type == PLACED || type == UNROUTED || type == RETURNED) {
                return AUDIT_MUST;
        }
        /* Of replayed history nobody is told, and that stands in the header. */
        return type == ACCEPTED || type == ENDED || type == OVERTAKEN || type == OWNER_FOLDED ||
                               type == OWNER_RESTORED
                       ? AUDIT_MAY
                       : AUDIT_NOT_CONSUMED;
}

audit_due deliveries_due(uint32_t upstream, uint32_t type, wire_bytes payload)
{
        if (upstream == TRIAGE) {
                return triage_due(type, payload);
        }
        if (upstream == ALLOCATION) {
                return allocation_due(type, payload);
        }
        return upstream == INTAKE &&
                               (type == ATTEMPT_REFUSED || type == WITHDRAW_ASKED || type == AMEND_ASKED)
                       ? AUDIT_MAY /* Of history nothing is due, and that stands in the header. */
                       : AUDIT_NOT_CONSUMED;
}

deliveries_counts deliveries_count(const deliveries *d)
{
        return d->counts;
}
