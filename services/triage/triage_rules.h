/*
 * triage_rules.h - how severe a referral is, which way a repeat goes, and who may decide what.
 *
 * The seam where RULES.md's policy will stand: each function is pure, takes what was sent and what
 * stands, and answers with codes. A rule answers yes, no or cannot tell; cannot tell is never no, it
 * is WHY_CANNOT_TELL and goes at least to the look list (RULES.md section 2).
 */
#ifndef TRIAGE_RULES_H
#define TRIAGE_RULES_H

#include "triage/triage_state.h"

/* Numbers of RepeatReason in proto/door/v1/triage.proto; the codec asserts the ends. */
typedef enum triage_why {
        TRIAGE_WHY_RED = 1,
        TRIAGE_WHY_MORE_SEVERE,
        TRIAGE_WHY_CHILD_AT_RISK_NOW,
        TRIAGE_WHY_THREAT_TO_LIFE,
        TRIAGE_WHY_DISCLOSED,
        TRIAGE_WHY_INJURY_NOT_MOBILE,
        TRIAGE_WHY_NEW_CHILD,
        TRIAGE_WHY_NEW_PERSON_OF_CONCERN,
        TRIAGE_WHY_DANGEROUS_ADULT_ELSEWHERE,
        TRIAGE_WHY_NEW_ABUSE,
        TRIAGE_WHY_ADDRESS,
        TRIAGE_WHY_NOT_SEEN,
        TRIAGE_WHY_RELEASE_OR_BREACH,
        TRIAGE_WHY_PROFESSIONAL,
        TRIAGE_WHY_DISAGREES,
        TRIAGE_WHY_STEP_UP,
        TRIAGE_WHY_NO_WORKER,
        TRIAGE_WHY_NEW_ADULT = 32,
        TRIAGE_WHY_NEW_CATEGORY,
        TRIAGE_WHY_CHILD_NOT_MENTIONED,
        TRIAGE_WHY_SECOND_AGENCY,
        TRIAGE_WHY_PUBLIC_OR_ANONYMOUS,
        TRIAGE_WHY_LEVEL_ABOVE,
        TRIAGE_WHY_FORMER_HARM,
        TRIAGE_WHY_MISSED_APPOINTMENTS,
        TRIAGE_WHY_CARE,
        TRIAGE_WHY_MATCH_DOUBTED,
        TRIAGE_WHY_CANNOT_TELL,
        TRIAGE_WHY_NOT_STATUTORY,
        TRIAGE_WHY_MATCH_UNCERTAIN,
        TRIAGE_WHY_LATE,
        TRIAGE_WHY_TEAM_NOT_SURE,
        TRIAGE_WHY_UNGRADED,
        TRIAGE_WHY_SUBJECT_ELSEWHERE,
        TRIAGE_WHY_MOVED,
        TRIAGE_WHYS,
} triage_why;

#define TRIAGE_BIT(n) (1ull << (n))
/* Bits of the now rules: below TRIAGE_WHY_NEW_ADULT. */
#define TRIAGE_NOW_MASK (TRIAGE_BIT(TRIAGE_WHY_NEW_ADULT) - 2)

/* What an episode remembers of who has spoken. */
uint32_t triage_agency_hash(door_bytes agency);

/* 0..100: the highest of grade, floors of its categories and floors of its facts. */
uint8_t triage_severity(const triage_policy *policy, const triage_matched *matched);

/* By when a decision: RAG by severity, and 17:00 of the first working day after receipt. */
triage_clocks triage_clocks_of(const triage_policy *policy, uint8_t severity, uint64_t received_at_ms);

/* By when the holding team must have answered; never later than the statutory clock. */
uint64_t triage_respond_by(const triage_policy *policy, uint8_t severity, uint8_t grade,
                           uint64_t received_at_ms);

/* What the row of a new episode says first: bits of triage_why. */
uint64_t triage_why_opened(const triage_policy *policy, const triage_matched *matched, uint8_t severity);

/*
 * triage_way_of - the way a repeat takes (RULES.md sections 1 to 3).
 *
 *   new_child  [in]   the referral names a child who is no subject of the episode.
 *   ret_why    [out]  bits of triage_why: every rule that answered yes or cannot tell.
 *
 * Returns LOOK_NOW when a now rule says yes; WITH_WORKER only when the episode is statutory and with
 * its team, and no rule says yes or cannot tell; else QUICK_LOOK.
 */
triage_way triage_way_of(const triage_policy *policy, const triage_matched *matched, uint8_t severity,
                         const triage_episode *episode, bool new_child, uint64_t *ret_why);

/* Does deciding this take a manager, or a second person (RULES.md section 7)? */
typedef struct triage_authority {
        bool manager;
        bool second_person;
} triage_authority;
triage_authority triage_authority_of(const triage_episode *episode, const triage_decide_body *decide);

bool triage_step_is_statutory(uint8_t next_step);

/* What two of them need together; the district is the first's, where it has one. */
triage_routing triage_routing_join(const triage_routing *a, const triage_routing *b);

#endif
