/*
 * deliveries.h - the auditor's own notes of notification: what is planned, tried, delivered, told.
 *
 *   N1   a delivery is planned once
 *   N2   its attempts go up by one; it ends once, as the attempt after the last that failed
 *   N3   only what was given up is tried again, from the first attempt on; what is done is not told
 *   N4   planned = being tried + with a person + delivered + told, at every position
 *   N5   what a team or the front door can act on is told: deliveries_due
 *   N6   who is told is who allocation names in the record it is told of: who is offered, gives back, hands
 *        over, owns what was joined; of a referral added, the team that has accepted the episode as
 *        notification has noted it, and at rest that is who allocation says
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

/* A record of allocation's log: who can be told from then on. */
void deliveries_allocation(deliveries *d, uint64_t seq, uint32_t type, wire_bytes payload);
/* A record of notification's log; a sentence at the first breach, else NULL. */
const char *deliveries_record(deliveries *d, const audit_origin *origin, uint32_t type, wire_bytes payload);
/* At rest: a sentence where notification has noted another owner than allocation says, else NULL. */
const char *deliveries_settled(const deliveries *d);
/* Do the records want it tried, as this attempt? */
bool deliveries_wants(const deliveries *d, const uint8_t delivery[10], uint32_t attempt);
/* One to act on; `pick` chooses among the latest 64 planned or given up. False: there is none. */
bool deliveries_pick(const deliveries *d, uint64_t pick, uint8_t ret_delivery[10], char ret_recipient[64]);
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
