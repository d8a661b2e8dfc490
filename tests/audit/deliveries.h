/*
 * deliveries.h - the auditor's own notes of notification: what is planned, tried, delivered, told.
 *
 *   N1   a delivery is planned once
 *   N2   its attempts go up by one; it ends once, as the attempt after the last that failed
 *   N3   only what was given up is tried again, from the first attempt on; what is done is not told
 *   N4   planned = being tried + with a person + delivered + told, at every position
 *   N5   what a team or the front door can act on is told: deliveries_due
 *
 * Written from proto/door/v1/notification.proto, triage.proto and allocation.proto, with the wire decoder;
 * no header of a service.
 */
#ifndef AUDIT_DELIVERIES_H
#define AUDIT_DELIVERIES_H

#include "audit/audit.h"

typedef struct deliveries deliveries;

deliveries *deliveries_new(void);
deliveries *deliveries_free(deliveries *d);

/* A record of notification's log; a sentence at the first breach, else NULL. */
const char *deliveries_record(deliveries *d, uint32_t type, wire_bytes payload);
/* What notification owes for a record of this upstream. */
audit_due deliveries_due(uint32_t upstream, uint32_t type, wire_bytes payload);

typedef struct deliveries_counts {
        uint64_t planned;
        uint64_t trying_now;
        uint64_t with_person_now;
        uint64_t delivered;
        uint64_t told;
} deliveries_counts;
deliveries_counts deliveries_count(const deliveries *d);

#endif
