/*
 * county.h - what the auditor expects of the real services, in its own words.
 *
 *   intake 1         REFERRAL_RECEIVED 16, REPEATED 17, ATTEMPT_REFUSED 18 …
 *   deduplication 2  for each REFERRAL_RECEIVED exactly one REFERRAL_MATCHED 16 (or it is parked)
 *
 *   triage 3         for each REFERRAL_MATCHED one place (episodes.h), for each word of allocation one answer
 *   allocation 4     its owners (episodes.h)
 *   notification 5   its deliveries, and what it owes for triage's and allocation's words (deliveries.h)
 *   gateway 6        a view: it owes no record of anything; its answers are held against these notes
 * (viewed.h)
 *
 *   F1   a referral is matched once, into exactly one family; a family exists before it is linked
 *   R10  received = awaiting match + matched + parked: county_balance, at any consistent cut
 */
#ifndef AUDIT_COUNTY_H
#define AUDIT_COUNTY_H

#include "audit/audit.h"
#include "audit/crossings.h"
#include "audit/deliveries.h"
#include "audit/episodes.h"

typedef struct county county;

county *county_new(void);
county *county_free(county *c);
/* The model to hand to audit_new; its context is c. */
audit_model county_model(county *c);

typedef struct county_counts {
        uint64_t received;
        uint64_t matched;
        uint64_t linked;
        uint64_t reviews;
        uint64_t families;
        uint64_t refused_attempts;
} county_counts;
county_counts county_count(const county *c);
episodes_counts county_episodes(const county *c);
/* By crossing, CROSSINGS of them. */
const uint64_t *county_crossings(const county *c);
deliveries_counts county_deliveries(const county *c);
/* The auditor's notes of who is told, for a harness that acts on them. */
const deliveries *county_told(const county *c);
/* And of episodes, for episodes_each. */
const episodes *county_notes(const county *c);
/* An episode to act on, of the latest; for the simulator. */
bool county_pick(const county *c, uint64_t pick, episodes_sample *ret_sample);

bool county_look(const county *c, const uint8_t episode[10], episodes_sample *ret_sample);
/* Of a referral the simulator has sent: the number in its idempotency key. */
uint64_t county_key_number(county *c, const uint8_t referral[10]);
/* A review asked lately, and a join. */
bool county_pick_review(const county *c, uint64_t pick, uint8_t ret_review[10]);
bool county_pick_join(const county *c, uint64_t pick, episodes_join *ret_join);

#endif
