#include "triage/triage_rules.h"

#include <string.h>

/* Numbers of referral.proto that the rules know; the codec asserts them. */
#include "triage/triage_words.h"

enum { MS_PER_MIN = 60000 };

const triage_policy triage_policy_default = {
        .historic_episode_days = 180,
        .severity_red = 90,
        .severity_amber = 60,
        .severity_green = 30,
        .severity_ungraded = 55,
        .red_from = 80,
        .amber_from = 50,
        .rag_red_min = 240,
        .rag_amber_min = 4320,
        .rag_green_min = 4320,
        .lease_min = 30,
        .respond_red_min = 60,
        .respond_amber_working_min = 240,
        .respond_green_working_min = 480,
        .working = { .from_min = 540, .to_min = 1020 },
};

static bool has(uint64_t bits, unsigned n)
{
        return (bits >> n & 1) != 0;
}

static bool any(uint64_t bits, uint64_t mask)
{
        return (bits & mask) != 0;
}

static bool any_child_fact(const triage_matched *m, uint64_t facts)
{
        for (size_t i = 0; i < m->people_count; i++) {
                if (m->people[i].child && any(m->people[i].facts_yes, facts)) {
                        return true;
                }
        }
        return false;
}

static bool any_fact(const triage_matched *m, uint64_t facts)
{
        for (size_t i = 0; i < m->people_count; i++) {
                if (any(m->people[i].facts_yes, facts)) {
                        return true;
                }
        }
        return false;
}

static bool is_baby(const triage_person *p)
{
        return p->age_band == TRIAGE_AGE_UNBORN || p->age_band == TRIAGE_AGE_UNDER_1;
}

/*
 * An injury to a child under 1, or who cannot walk or speak. A flag says "injury" of no child in
 * particular; with a baby in the referral it is taken for the baby's.
 */
static bool injury_not_mobile(const triage_matched *m)
{
        for (size_t i = 0; i < m->people_count; i++) {
                const triage_person *p = &m->people[i];
                const bool injured =
                        has(p->facts_yes, TRIAGE_FACT_INJURED) || has(m->flags, TRIAGE_FLAG_INJURY);
                if (p->child && injured && is_baby(p)) {
                        return true;
                }
        }
        return false;
}

uint32_t triage_agency_hash(door_bytes agency)
{
        const door_hash hash = door_hash_of(&agency, 1);
        return door_get_u32(hash.bytes);
}

/* ---- severity */

static uint8_t highest(uint8_t a, uint8_t b)
{
        return a > b ? a : b;
}

static uint8_t floor_of(const triage_floor *floors, size_t count, uint64_t bits, uint8_t severity)
{
        for (size_t i = 0; i < count; i++) {
                if (floors[i].code < 64 && has(bits, floors[i].code)) {
                        severity = highest(severity, floors[i].severity);
                }
        }
        return severity;
}

uint8_t triage_severity(const triage_policy *policy, const triage_matched *m)
{
        uint8_t severity = m->grade == TRIAGE_GRADE_RED     ? policy->severity_red
                           : m->grade == TRIAGE_GRADE_AMBER ? policy->severity_amber
                           : m->grade == TRIAGE_GRADE_GREEN || m->grade == TRIAGE_GRADE_BLUE
                                   ? policy->severity_green
                                   : policy->severity_ungraded;

        severity = floor_of(policy->category_floors, policy->category_floors_count, m->categories, severity);
        severity = floor_of(policy->flag_floors, policy->flag_floors_count, m->flags, severity);
        if (injury_not_mobile(m) || any_child_fact(m, TRIAGE_FACTS_RED)) {
                severity = highest(severity, policy->severity_red);
        }
        return severity > TRIAGE_SEVERITY_MAX ? TRIAGE_SEVERITY_MAX : severity;
}

/* ---- clocks */

triage_clocks triage_clocks_of(const triage_policy *policy, uint8_t severity, uint64_t received_at_ms)
{
        const uint32_t minutes = severity >= policy->red_from     ? policy->rag_red_min
                                 : severity >= policy->amber_from ? policy->rag_amber_min
                                                                  : policy->rag_green_min;
        return (triage_clocks){
                .rag_ms = received_at_ms + (uint64_t)minutes * MS_PER_MIN,
                .statutory_ms = door_statutory_due(&policy->working, received_at_ms),
        };
}

uint64_t triage_respond_by(const triage_policy *policy, uint8_t severity, uint8_t grade,
                           uint64_t received_at_ms)
{
        const bool amber = severity >= policy->amber_from || grade == TRIAGE_GRADE_NOT_GIVEN;
        const uint64_t statutory_ms = door_statutory_due(&policy->working, received_at_ms);
        const uint64_t by_ms = severity >= policy->red_from
                                       ? received_at_ms + (uint64_t)policy->respond_red_min * MS_PER_MIN
                                       : door_working_add(&policy->working, received_at_ms,
                                                          amber ? policy->respond_amber_working_min
                                                                : policy->respond_green_working_min);
        return by_ms < statutory_ms ? by_ms : statutory_ms;
}

/* ---- now rules and look rules */

static uint64_t when(bool yes, triage_why why)
{
        return yes ? TRIAGE_BIT(why) : 0;
}

static uint64_t now_facts(const triage_policy *policy, const triage_matched *m, uint8_t severity)
{
        bool new_concern = has(m->flags, TRIAGE_FLAG_NEW_PERSON_OF_CONCERN);
        bool moved = has(m->flags, TRIAGE_FLAG_FAMILY_MOVING);

        for (size_t i = 0; i < m->people_count; i++) {
                const triage_person *p = &m->people[i];
                new_concern = new_concern || (p->alleged && p->new_to_family);
                moved = moved || (p->child && p->new_address && !p->new_to_family);
        }
        return when(severity >= policy->red_from, TRIAGE_WHY_RED) |
               when(any(m->flags, TRIAGE_FLAGS_AT_RISK_NOW) || any_child_fact(m, TRIAGE_FACTS_AT_RISK_NOW),
                    TRIAGE_WHY_CHILD_AT_RISK_NOW) |
               when(any(m->flags, TRIAGE_FLAGS_THREAT), TRIAGE_WHY_THREAT_TO_LIFE) |
               when(has(m->flags, TRIAGE_FLAG_CHILD_DISCLOSED) ||
                            any_child_fact(m, TRIAGE_BIT(TRIAGE_FACT_DISCLOSED)),
                    TRIAGE_WHY_DISCLOSED) |
               when(injury_not_mobile(m), TRIAGE_WHY_INJURY_NOT_MOBILE) |
               when(new_concern, TRIAGE_WHY_NEW_PERSON_OF_CONCERN) |
               when(m->elsewhere_dangerous || any_fact(m, TRIAGE_FACTS_DANGEROUS),
                    TRIAGE_WHY_DANGEROUS_ADULT_ELSEWHERE) |
               when(moved, TRIAGE_WHY_ADDRESS) |
               when(any(m->flags, TRIAGE_FLAGS_NOT_SEEN), TRIAGE_WHY_NOT_SEEN) |
               when(any(m->flags, TRIAGE_FLAGS_RELEASE), TRIAGE_WHY_RELEASE_OR_BREACH) |
               when(has(m->flags, TRIAGE_FLAG_ABOUT_A_PROFESSIONAL) ||
                            has(m->categories, TRIAGE_CATEGORY_PROFESSIONAL) ||
                            any_fact(m, TRIAGE_BIT(TRIAGE_FACT_WORKS_WITH_CHILDREN)),
                    TRIAGE_WHY_PROFESSIONAL) |
               when(has(m->flags, TRIAGE_FLAG_SENDER_DISAGREES), TRIAGE_WHY_DISAGREES) |
               when(has(m->flags, TRIAGE_FLAG_STEP_UP), TRIAGE_WHY_STEP_UP);
}

static uint64_t look_facts(const triage_matched *m)
{
        bool new_adult = false;
        bool cannot_tell = false;

        for (size_t i = 0; i < m->people_count; i++) {
                new_adult = new_adult || (!m->people[i].child && m->people[i].new_to_family);
                cannot_tell = cannot_tell || m->people[i].facts_cannot_tell != 0;
        }
        return when(new_adult, TRIAGE_WHY_NEW_ADULT) | when(m->unmentioned, TRIAGE_WHY_CHILD_NOT_MENTIONED) |
               when(m->public_or_anonymous, TRIAGE_WHY_PUBLIC_OR_ANONYMOUS) |
               when(any(m->flags, TRIAGE_FLAGS_FORMER_HARM) ||
                            any_fact(m, TRIAGE_BIT(TRIAGE_FACT_PROTECTION_PLAN_BEFORE)),
                    TRIAGE_WHY_FORMER_HARM) |
               when(has(m->flags, TRIAGE_FLAG_MISSED_APPOINTMENTS) ||
                            has(m->categories, TRIAGE_CATEGORY_MISSED_APPOINTMENTS),
                    TRIAGE_WHY_MISSED_APPOINTMENTS) |
               when(any_child_fact(m, TRIAGE_FACTS_CARE), TRIAGE_WHY_CARE) |
               when(m->doubted, TRIAGE_WHY_MATCH_DOUBTED) | when(m->uncertain, TRIAGE_WHY_MATCH_UNCERTAIN) |
               when(m->grade == TRIAGE_GRADE_NOT_GIVEN, TRIAGE_WHY_UNGRADED) |
               /* Nothing was said of what happened: no rule above could have answered yes. */
               when(cannot_tell || (m->categories == 0 && m->flags == 0) ||
                            m->categories == TRIAGE_BIT(TRIAGE_CATEGORY_OTHER),
                    TRIAGE_WHY_CANNOT_TELL);
}

uint64_t triage_why_opened(const triage_policy *policy, const triage_matched *matched, uint8_t severity)
{
        return now_facts(policy, matched, severity) | look_facts(matched);
}

bool triage_step_is_statutory(uint8_t next_step)
{
        return next_step == TRIAGE_IMMEDIATE_PROTECTION || next_step == TRIAGE_STRATEGY_DISCUSSION ||
               next_step == TRIAGE_SECTION_47 || next_step == TRIAGE_SECTION_17;
}

triage_way triage_way_of(const triage_policy *policy, const triage_matched *matched, uint8_t severity,
                         const triage_episode *episode, bool new_child, uint64_t *ret_why)
{
        const uint64_t fresh = matched->categories & ~episode->categories;
        const bool statutory =
                episode->state == TRIAGE_ACTIVE && triage_step_is_statutory(episode->next_step);
        const uint64_t why =
                now_facts(policy, matched, severity) | look_facts(matched) |
                when(severity > episode->severity, TRIAGE_WHY_MORE_SEVERE) |
                when(new_child, TRIAGE_WHY_NEW_CHILD) |
                when(any(fresh, TRIAGE_CATEGORIES_ABUSE), TRIAGE_WHY_NEW_ABUSE) |
                when(any(fresh, ~TRIAGE_CATEGORIES_ABUSE), TRIAGE_WHY_NEW_CATEGORY) |
                when(matched->level_asked > episode->level && episode->level != 0, TRIAGE_WHY_LEVEL_ABOVE) |
                when(!episode->other_agencies && triage_agency_hash(matched->agency) != episode->first_agency,
                     TRIAGE_WHY_SECOND_AGENCY) |
                when(!statutory, TRIAGE_WHY_NOT_STATUTORY);

        *ret_why = why;
        return (why & TRIAGE_NOW_MASK) != 0 ? TRIAGE_LOOK_NOW
               : why != 0                   ? TRIAGE_QUICK_LOOK
                                            : TRIAGE_WITH_WORKER;
}

/* ---- who may decide */

triage_authority triage_authority_of(const triage_episode *episode, const triage_decide_body *decide)
{
        const bool ends = decide->next_step == TRIAGE_NO_FURTHER_ACTION || decide->next_step == TRIAGE_ADVICE;
        const bool lowers = decide->has_severity && decide->severity < episode->severity;

        return (triage_authority){
                .manager = decide->level >= TRIAGE_LEVEL_MAX || lowers ||
                           decide->next_step == TRIAGE_NO_FURTHER_ACTION,
                .second_person = ends && (episode->children_in_doubt || episode->uncertain ||
                                          episode->level_asked >= TRIAGE_LEVEL_MAX),
        };
}

triage_routing triage_routing_join(const triage_routing *a, const triage_routing *b)
{
        static const uint8_t nowhere[TRIAGE_DISTRICT_BYTES_MAX] = { 0 };
        triage_routing joined = *a;

        if (memcmp(a->district, nowhere, sizeof nowhere) == 0) {
                memcpy(joined.district, b->district, sizeof joined.district);
        }
        joined.flags |= b->flags;
        joined.age_bands |= b->age_bands;
        return joined;
}
