/*
 * triage_words.h - the codes of referral.proto and deduplication.proto that the rules know by name.
 *
 * A core may not know protobuf; triage_codec.c asserts that each number is the proto's.
 */
#ifndef TRIAGE_WORDS_H
#define TRIAGE_WORDS_H

enum {
        TRIAGE_GRADE_NOT_GIVEN = 0,
        TRIAGE_GRADE_GREEN = 1,
        TRIAGE_GRADE_AMBER = 2,
        TRIAGE_GRADE_RED = 3,
        TRIAGE_GRADE_BLUE = 4,

        TRIAGE_AGE_UNBORN = 1,
        TRIAGE_AGE_UNDER_1 = 2,
        TRIAGE_AGE_11_TO_15 = 5,
        TRIAGE_AGE_16_TO_17 = 6,

        TRIAGE_FLAG_INJURY = 2,
        TRIAGE_FLAG_CHILD_DISCLOSED = 4,
        TRIAGE_FLAG_CHILD_MISSING_NOW = 5,
        TRIAGE_FLAG_STRANGULATION = 6,
        TRIAGE_FLAG_WEAPON = 7,
        TRIAGE_FLAG_THREAT_TO_LIFE = 8,
        TRIAGE_FLAG_WITH_PERSON_OF_CONCERN = 9,
        TRIAGE_FLAG_ASKING_FOR_HELP = 10,
        TRIAGE_FLAG_CHILD_NOT_SEEN = 11,
        TRIAGE_FLAG_ACCESS_REFUSED = 12,
        TRIAGE_FLAG_TAKEN_OUT_OF_SCHOOL = 13,
        TRIAGE_FLAG_LEFT_ROLL = 14,
        TRIAGE_FLAG_FAMILY_MOVING = 15,
        TRIAGE_FLAG_RELEASE_FROM_PRISON = 16,
        TRIAGE_FLAG_BREACH = 17,
        TRIAGE_FLAG_NEW_PERSON_OF_CONCERN = 18,
        TRIAGE_FLAG_ABOUT_A_PROFESSIONAL = 19,
        TRIAGE_FLAG_SENDER_DISAGREES = 20,
        TRIAGE_FLAG_STEP_UP = 21,
        TRIAGE_FLAG_FORMER_REMOVAL = 23,
        TRIAGE_FLAG_FORMER_CHILD_DEATH = 24,
        TRIAGE_FLAG_MISSED_APPOINTMENTS = 25,

        TRIAGE_FACT_DISABLED = 1,
        TRIAGE_FACT_IN_CARE = 3,
        TRIAGE_FACT_PLACED_BY_OTHER = 4,
        TRIAGE_FACT_CARE_LEAVER = 5,
        TRIAGE_FACT_PROTECTION_PLAN_BEFORE = 7,
        TRIAGE_FACT_UNACCOMPANIED = 8,
        TRIAGE_FACT_PRIVATELY_FOSTERED = 9,
        TRIAGE_FACT_KNOWN_DANGEROUS = 15,
        TRIAGE_FACT_NO_CONTACT = 16,
        TRIAGE_FACT_CHILD_REMOVED = 17,
        TRIAGE_FACT_WORKS_WITH_CHILDREN = 18,
        TRIAGE_FACT_INJURED = 26,
        TRIAGE_FACT_MISSING_NOW = 29,
        TRIAGE_FACT_ASKING_FOR_HELP = 30,
        TRIAGE_FACT_WITH_PERSON_OF_CONCERN = 31,
        TRIAGE_FACT_DISCLOSED = 32,

        TRIAGE_CATEGORY_OTHER = 0,
        TRIAGE_CATEGORY_NEGLECT = 1,
        TRIAGE_CATEGORY_PHYSICAL = 2,
        TRIAGE_CATEGORY_EMOTIONAL = 3,
        TRIAGE_CATEGORY_SEXUAL = 4,
        TRIAGE_CATEGORY_DOMESTIC = 5,
        TRIAGE_CATEGORY_EXPLOITATION = 6,
        TRIAGE_CATEGORY_MISSING = 7,
        TRIAGE_CATEGORY_FGM = 19,
        TRIAGE_CATEGORY_FORCED_MARRIAGE = 20,
        TRIAGE_CATEGORY_HONOUR = 21,
        TRIAGE_CATEGORY_TRAFFICKING = 22,
        TRIAGE_CATEGORY_PROFESSIONAL = 33,
        TRIAGE_CATEGORY_HARMFUL_SEXUAL = 34,
        TRIAGE_CATEGORY_FABRICATED = 35,
        TRIAGE_CATEGORY_MISSED_APPOINTMENTS = 36,
};

#define TRIAGE_FLAGS_AT_RISK_NOW                                                                             \
        (TRIAGE_BIT(TRIAGE_FLAG_INJURY) | TRIAGE_BIT(TRIAGE_FLAG_CHILD_MISSING_NOW) |                        \
         TRIAGE_BIT(TRIAGE_FLAG_WITH_PERSON_OF_CONCERN) | TRIAGE_BIT(TRIAGE_FLAG_ASKING_FOR_HELP))
#define TRIAGE_FACTS_AT_RISK_NOW                                                                             \
        (TRIAGE_BIT(TRIAGE_FACT_INJURED) | TRIAGE_BIT(TRIAGE_FACT_MISSING_NOW) |                             \
         TRIAGE_BIT(TRIAGE_FACT_ASKING_FOR_HELP) | TRIAGE_BIT(TRIAGE_FACT_WITH_PERSON_OF_CONCERN))
/* Facts of a child that make the referral red whatever its grade (RULES.md section 2). */
#define TRIAGE_FACTS_RED (TRIAGE_BIT(TRIAGE_FACT_MISSING_NOW) | TRIAGE_BIT(TRIAGE_FACT_DISCLOSED))
#define TRIAGE_FLAGS_THREAT                                                                                  \
        (TRIAGE_BIT(TRIAGE_FLAG_STRANGULATION) | TRIAGE_BIT(TRIAGE_FLAG_WEAPON) |                            \
         TRIAGE_BIT(TRIAGE_FLAG_THREAT_TO_LIFE))
#define TRIAGE_FLAGS_NOT_SEEN                                                                                \
        (TRIAGE_BIT(TRIAGE_FLAG_CHILD_NOT_SEEN) | TRIAGE_BIT(TRIAGE_FLAG_ACCESS_REFUSED) |                   \
         TRIAGE_BIT(TRIAGE_FLAG_TAKEN_OUT_OF_SCHOOL) | TRIAGE_BIT(TRIAGE_FLAG_LEFT_ROLL))
#define TRIAGE_FLAGS_RELEASE (TRIAGE_BIT(TRIAGE_FLAG_RELEASE_FROM_PRISON) | TRIAGE_BIT(TRIAGE_FLAG_BREACH))
#define TRIAGE_FLAGS_FORMER_HARM                                                                             \
        (TRIAGE_BIT(TRIAGE_FLAG_FORMER_REMOVAL) | TRIAGE_BIT(TRIAGE_FLAG_FORMER_CHILD_DEATH))
#define TRIAGE_FACTS_DANGEROUS                                                                               \
        (TRIAGE_BIT(TRIAGE_FACT_KNOWN_DANGEROUS) | TRIAGE_BIT(TRIAGE_FACT_NO_CONTACT) |                      \
         TRIAGE_BIT(TRIAGE_FACT_CHILD_REMOVED))
#define TRIAGE_FACTS_CARE                                                                                    \
        (TRIAGE_BIT(TRIAGE_FACT_IN_CARE) | TRIAGE_BIT(TRIAGE_FACT_PLACED_BY_OTHER) |                         \
         TRIAGE_BIT(TRIAGE_FACT_UNACCOMPANIED) | TRIAGE_BIT(TRIAGE_FACT_PRIVATELY_FOSTERED))
/* Abuse and neglect: a category the episode has not had is a *now* rule. */
#define TRIAGE_CATEGORIES_ABUSE                                                                              \
        (TRIAGE_BIT(TRIAGE_CATEGORY_NEGLECT) | TRIAGE_BIT(TRIAGE_CATEGORY_PHYSICAL) |                        \
         TRIAGE_BIT(TRIAGE_CATEGORY_EMOTIONAL) | TRIAGE_BIT(TRIAGE_CATEGORY_SEXUAL) |                        \
         TRIAGE_BIT(TRIAGE_CATEGORY_DOMESTIC) | TRIAGE_BIT(TRIAGE_CATEGORY_EXPLOITATION) |                   \
         TRIAGE_BIT(TRIAGE_CATEGORY_FGM) | TRIAGE_BIT(TRIAGE_CATEGORY_FORCED_MARRIAGE) |                     \
         TRIAGE_BIT(TRIAGE_CATEGORY_HONOUR) | TRIAGE_BIT(TRIAGE_CATEGORY_TRAFFICKING) |                      \
         TRIAGE_BIT(TRIAGE_CATEGORY_HARMFUL_SEXUAL) | TRIAGE_BIT(TRIAGE_CATEGORY_FABRICATED))

#endif
