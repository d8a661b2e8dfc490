#include "audit/deliveries.h"

#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 10, BUCKETS = 65536 };

/* Record types and field numbers of notification.proto. */
enum { PLANNED = 16, DELIVERED, ATTEMPT_FAILED, GIVEN_UP, TRIED_AGAIN, TOLD, OWNER_NOTED };
enum { FIELD_DELIVERY = 1, FIELD_ATTEMPTS = 2 };
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
        struct note *next;
} note;

struct deliveries {
        note *buckets[BUCKETS];
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
        }
        free(d);
        return NULL;
}

static note **place_of(deliveries *d, wire_bytes id)
{
        return &d->buckets[(size_t)id.data[0] << 8 | id.data[1]];
}

static note *find(deliveries *d, wire_bytes id)
{
        note *n = *place_of(d, id);
        while (n != NULL && memcmp(n->id, id.data, ID_BYTES) != 0) {
                n = n->next;
        }
        return n;
}

static const char *planned(deliveries *d, wire_bytes id)
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
        d->counts.planned++;
        d->counts.trying_now++;
        return NULL;
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

const char *deliveries_record(deliveries *d, uint32_t type, wire_bytes payload)
{
        const wire_bytes id = wire_find(payload, FIELD_DELIVERY);
        const deliveries_counts *c = &d->counts;
        const char *wrong = NULL;

        if (type < PLANNED || type > TOLD) {
                return NULL;
        }
        if (id.len != ID_BYTES) {
                return "N1: a record of no delivery";
        }
        note *n = find(d, id);
        if (type == PLANNED) {
                wrong = planned(d, id);
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
