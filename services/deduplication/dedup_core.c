#include "deduplication/dedup_core.h"

#include <string.h>

#include "deduplication/dedup_command.h"
#include "deduplication/dedup_district.h"

#define BITS(tenths) ((tenths)*DEDUP_BIT / 10)

const dedup_policy dedup_policy_default = {
        .link_threshold = BITS(150),
        .review_threshold = -BITS(10),
        .margin = BITS(90),
        .attach_threshold = BITS(160),
        .attach_margin = BITS(120),
        .person_threshold = BITS(20),
};

enum {
        EVIDENCE_MIN = BITS(40),   /* Less than this of one person says nothing about a family. */
        EVIDENCE_MAX = BITS(300),  /* More than this of one person says no more. */
        SURNAME_AGAIN_DIVISOR = 4, /* A shared surname once more, within one family. */
        PERSON_IN_FAMILY_PRIOR = -BITS(20),
        PERSON_ELSEWHERE_MARGIN = BITS(40), /* An adult taken from another family: this much more. */
        POPULATION_MIN = 4096,              /* A young database is no small county. */
        PAIRINGS_FIRST = 24,
};

/* ---- what is being compared ---- */

typedef struct pairing {
        uint16_t mention;
        door_id person;
        dedup_comparison best;                       /* Over the person's newest mentions. */
        door_id families[DEDUP_PERSON_FAMILIES_MAX]; /* The person's; read once, asked for often. */
        size_t families_count;
        bool families_cut; /* There are more. */
} pairing;

typedef struct family_score {
        door_id family;
        int32_t total;
        uint32_t agreeing;
        uint8_t strong_not_address;
        bool identifier_conflict;
        bool twin;
        bool default_date;
        uint32_t children_resolved;
        uint32_t children_agreeing;
} family_score;

typedef struct search {
        door_view *view;
        door_arena *arena;
        const dedup_received *received;
        const dedup_policy *policy;
        pairing *pairings;
        size_t pairings_count;
        size_t pairings_max;
        family_score families[DEDUP_FAMILIES_MAX];
        size_t families_count;
        int32_t prior_family;
        int32_t prior_person;
        bool truncated;
} search;

/* log2 in 1/1024 bit, by halving and squaring; enough for a prior. */
static int32_t log2_of(uint64_t n)
{
        int32_t whole = 0;
        uint64_t m = n;

        while (m >= 2) {
                m >>= 1;
                whole++;
        }
        uint64_t x = (n << 16) >> whole; /* 1.0 … 2.0 in 16.16 */
        int32_t part = 0;
        for (int32_t bit = DEDUP_BIT / 2; bit > 0; bit /= 2) {
                x = x * x >> 16;
                if (x >= (UINT64_C(2) << 16)) {
                        x >>= 1;
                        part += bit;
                }
        }
        return whole * DEDUP_BIT + part;
}

static int32_t clamp(int32_t value, int32_t low, int32_t high)
{
        return value < low ? low : value > high ? high : value;
}

static const dedup_mention *mention_of(const search *s, const pairing *p)
{
        return &s->received->mentions[p->mention];
}

/* ---- candidates ---- */

static bool already_paired(const search *s, size_t from, const door_id *person)
{
        for (size_t i = from; i < s->pairings_count; i++) {
                if (door_id_equal(&s->pairings[i].person, person)) {
                        return true;
                }
        }
        return false;
}

bool dedup_person_compare(door_view *view, const dedup_features *mention, const door_id *person,
                          uint64_t except_seq, dedup_comparison *ret_best)
{
        dedup_mention_walk walk;
        dedup_spot spot;
        door_bytes stored;
        size_t count = 0;
        bool conflict = false;

        dedup_mention_walk_begin(&walk, view, person, DEDUP_PERSON_MENTIONS_MAX);
        while (dedup_mention_walk_next(&walk, &spot, &stored)) {
                dedup_features known;
                dedup_comparison c;
                if (spot.seq == except_seq) {
                        continue;
                }
                DOOR_REQUIRE(dedup_features_unpack(stored, &known));
                dedup_compare(mention, &known, &c);
                conflict |= c.identifier_conflict;
                if (count == 0 || c.total > ret_best->total) {
                        *ret_best = c;
                }
                count++;
        }
        if (count > 0) {
                ret_best->identifier_conflict |= conflict;
        }
        return count > 0;
}

bool dedup_fits_member(const dedup_policy *policy, const dedup_comparison *c)
{
        /* Address and surname are the family's; they do not tell its members apart. */
        const int32_t score = PERSON_IN_FAMILY_PRIOR + c->person + clamp(c->surname, -BITS(20), BITS(20));
        return score >= policy->person_threshold && !c->twin;
}

/* Most referrals need a handful, a few need hundreds: doubled as needed, in the batch's arena. */
static bool pairings_grow(search *s)
{
        const size_t max = s->pairings_max == 0 ? PAIRINGS_FIRST : s->pairings_max * 2;
        pairing *more = max > DEDUP_CANDIDATE_ROWS_MAX ? NULL : door_arena_take(s->arena, max * sizeof *more);

        if (more == NULL) {
                return false;
        }
        if (s->pairings_count > 0) {
                memcpy(more, s->pairings, s->pairings_count * sizeof *more);
        }
        s->pairings = more;
        s->pairings_max = max;
        return true;
}

static void pairing_add(search *s, uint16_t mention, const door_id *person)
{
        if (s->pairings_count == s->pairings_max && !pairings_grow(s)) {
                s->truncated = true;
                return;
        }
        pairing *p = &s->pairings[s->pairings_count];
        if (dedup_person_compare(s->view, &s->received->mentions[mention].features, person, DEDUP_NO_SEQ,
                                 &p->best)) {
                bool all = true;
                p->mention = mention;
                p->person = *person;
                p->families_count = 0;
                /* Of most candidates nothing speaks for anybody, and nobody asks for their families. */
                if (p->best.person > 0 || p->best.twin || p->best.total >= EVIDENCE_MIN) {
                        p->families_count = dedup_families_of(s->view, person, p->families, NULL,
                                                              DEDUP_PERSON_FAMILIES_MAX, &all);
                }
                p->families_cut = !all;
                s->pairings_count++;
        }
}

static void candidates_find(search *s)
{
        size_t rows_left = DEDUP_CANDIDATE_ROWS_MAX;
        door_id found[DEDUP_KEY_PERSONS_MAX];

        for (uint16_t m = 0; m < s->received->mentions_count; m++) {
                const dedup_mention *mention = &s->received->mentions[m];
                const size_t from = s->pairings_count;
                dedup_key keys[DEDUP_KEYS_MAX];
                const size_t keys_count = mention->adopted ? 0 : dedup_keys(&mention->features, true, keys);
                for (size_t k = 0; k < keys_count; k++) {
                        bool more = false;
                        const size_t count = dedup_key_find(s->view, &keys[k], found, DEDUP_KEY_PERSONS_MAX,
                                                            &rows_left, &more);
                        s->truncated |= more;
                        for (size_t i = 0; i < count; i++) {
                                if (s->pairings_count - from >= DEDUP_MENTION_CANDIDATES_MAX) {
                                        s->truncated = true;
                                } else if (!already_paired(s, from, &found[i])) {
                                        pairing_add(s, m, &found[i]);
                                }
                        }
                }
        }
        s->truncated |= rows_left == 0;
}

static family_score *family_at(search *s, const door_id *family)
{
        for (size_t i = 0; i < s->families_count; i++) {
                if (door_id_equal(&s->families[i].family, family)) {
                        return &s->families[i];
                }
        }
        if (s->families_count == DEDUP_FAMILIES_MAX) {
                s->truncated = true;
                return NULL;
        }
        family_score *f = &s->families[s->families_count++];
        memset(f, 0, sizeof *f);
        f->family = *family;
        return f;
}

static void families_collect(search *s)
{
        for (size_t i = 0; i < s->pairings_count; i++) {
                const pairing *p = &s->pairings[i];
                if (p->best.person < EVIDENCE_MIN && p->best.total < EVIDENCE_MIN) {
                        continue;
                }
                s->truncated |= p->families_cut;
                for (size_t f = 0; f < p->families_count; f++) {
                        (void)family_at(s, &p->families[f]);
                }
        }
}

/* ---- one family as a whole ---- */

static bool stands_in(const pairing *p, const door_id *family)
{
        for (size_t i = 0; i < p->families_count; i++) {
                if (door_id_equal(&p->families[i], family)) {
                        return true;
                }
        }
        return false;
}

/* The pairings that lie in one family, found once. */
typedef struct inside {
        const pairing **items;
        size_t count;
} inside;

static inside pairings_inside(search *s, const door_id *family)
{
        inside in = { door_arena_take(s->arena, (s->pairings_count + 1) * sizeof(pairing *)), 0 };

        for (size_t i = 0; in.items != NULL && i < s->pairings_count; i++) {
                if ((s->pairings[i].best.person > 0 || s->pairings[i].best.twin) &&
                    stands_in(&s->pairings[i], family)) {
                        in.items[in.count++] = &s->pairings[i];
                }
        }
        return in;
}

/* One-to-one by falling evidence: nobody stands for two, and no two for one. */
static size_t pairs_choose(search *s, const inside *in, const pairing **chosen, size_t max)
{
        size_t count = 0;

        while (count < max) {
                const pairing *best = NULL;
                for (size_t i = 0; i < in->count; i++) {
                        const pairing *p = in->items[i];
                        bool taken = p->best.twin || p->best.person + p->best.surname < EVIDENCE_MIN;
                        for (size_t k = 0; k < count && !taken; k++) {
                                taken = chosen[k]->mention == p->mention ||
                                        door_id_equal(&chosen[k]->person, &p->person);
                        }
                        if (!taken && (best == NULL || p->best.total > best->best.total)) {
                                best = p;
                        }
                }
                if (best == NULL) {
                        break;
                }
                chosen[count++] = best;
        }
        (void)s;
        return count;
}

/*
 * A child born the day a known child was, by another name, under the same surname at the same
 * address: a twin nobody has named before. That says which family, and never who; it is enough
 * for a question (only_adults_agree keeps it from being a link) and must not be passed over.
 */
static int32_t twin_evidence(const inside *in)
{
        int32_t most = 0;

        for (size_t i = 0; i < in->count; i++) {
                const dedup_comparison *c = &in->items[i]->best;
                if (c->twin && c->surname > 0 && c->address > 0 && c->surname + c->address > most) {
                        most = c->surname + c->address;
                }
        }
        return most;
}

/*
 * The family's evidence: what speaks for each person by itself, the surname in full once and a
 * quarter of it for each further person who shares it, the best address once.
 */
static void family_score_set(search *s, family_score *f)
{
        const pairing *chosen[DEDUP_MEMBERS_MAX];
        const inside in = pairings_inside(s, &f->family);
        const size_t count = pairs_choose(s, &in, chosen, DEDUP_MEMBERS_MAX);
        int32_t address = 0;
        bool surname_counted = false;

        f->total = s->prior_family;
        for (size_t i = 0; i < count; i++) {
                const dedup_comparison *c = &chosen[i]->best;
                int32_t worth = c->person;
                if (c->surname <= 0) {
                        worth += c->surname;
                } else if (surname_counted) {
                        worth += c->surname / SURNAME_AGAIN_DIVISOR;
                } else {
                        worth += c->surname;
                        surname_counted = true;
                }
                address = c->address > address ? c->address : address;
                f->total += clamp(worth, 0, EVIDENCE_MAX);
                f->agreeing++;
                f->strong_not_address =
                        (uint8_t)clamp(f->strong_not_address + c->strong_not_address, 0, UINT8_MAX);
                f->identifier_conflict |= c->identifier_conflict;
                f->default_date |= c->default_date;
                f->children_agreeing += mention_of(s, chosen[i])->features.life == DEDUP_LIFE_CHILD ? 1 : 0;
                f->children_resolved += dedup_is_child(mention_of(s, chosen[i])->features.life) &&
                                                        c->strong >= 2 && c->strong_not_address >= 1
                                                ? 1
                                                : 0;
        }
        for (size_t i = 0; i < in.count; i++) {
                f->twin |= in.items[i]->best.twin;
        }
        f->total += f->agreeing > 0 ? address : twin_evidence(&in);
}

static void families_sort(search *s)
{
        for (size_t i = 1; i < s->families_count; i++) {
                const family_score f = s->families[i];
                size_t at = i;
                /* Equal scores stand in the order of their ids: the same state, the same order. */
                while (at > 0 &&
                       (s->families[at - 1].total < f.total ||
                        (s->families[at - 1].total == f.total &&
                         memcmp(s->families[at - 1].family.bytes, f.family.bytes, DOOR_ID_BYTES) > 0))) {
                        s->families[at] = s->families[at - 1];
                        at--;
                }
                s->families[at] = f;
        }
}

/* ---- the decision ---- */

static size_t children_named(const dedup_received *received)
{
        size_t n = 0;
        for (size_t i = 0; i < received->mentions_count; i++) {
                n += dedup_is_child(received->mentions[i].features.life) ? 1 : 0;
        }
        return n;
}

/*
 * Born children with a name are there, and none of them is one of the family's: a father's or
 * grandmother's other family, perhaps. Adults alone do not say which; a person is asked.
 */
static bool only_adults_agree(const search *s)
{
        bool named = false;

        for (size_t i = 0; i < s->received->mentions_count; i++) {
                const dedup_features *f = &s->received->mentions[i].features;
                named |= f->life == DEDUP_LIFE_CHILD && f->given.len > 0;
        }
        return named && s->families[0].children_agreeing == 0;
}

/* A second family that shares its people with the first is not a rival: a father in two. */
static int32_t margin_of(const search *s)
{
        if (s->families_count < 2) {
                return s->families_count == 0 ? 0 : s->families[0].total - s->prior_family;
        }
        return s->families[0].total - s->families[1].total;
}

/* Somebody of the family is named, or somebody's twin. */
static bool speaks_for(const family_score *f)
{
        return f->agreeing > 0 || f->twin;
}

static dedup_decision decision_of(const search *s)
{
        if (s->families_count == 0 || s->families[0].total < s->policy->review_threshold ||
            !speaks_for(&s->families[0])) {
                return DEDUP_NEW;
        }
        if (s->families[0].total >= s->policy->link_threshold && margin_of(s) >= s->policy->margin &&
            !only_adults_agree(s)) {
                return DEDUP_LINK;
        }
        return DEDUP_REVIEW;
}

static uint16_t doubts_of(const search *s, dedup_decision decision)
{
        const family_score *f = &s->families[0];
        uint16_t doubts = 0;

        if (decision != DEDUP_LINK) {
                return 1U << DEDUP_DOUBT_CHILD_NOT_RESOLVED;
        }
        for (size_t i = 0; i < s->received->mentions_count; i++) {
                if (s->received->mentions[i].adopted) {
                        doubts |= 1U << DEDUP_DOUBT_ADOPTION;
                }
        }
        if (f->children_resolved < children_named(s->received) || f->children_resolved == 0) {
                doubts |= 1U << DEDUP_DOUBT_CHILD_NOT_RESOLVED;
        }
        if (f->strong_not_address < 1 || f->total < s->policy->attach_threshold) {
                doubts |= 1U << DEDUP_DOUBT_TOO_FEW_AGREEMENTS;
        }
        doubts |= f->identifier_conflict ? 1U << DEDUP_DOUBT_IDENTIFIER_CONFLICT : 0U;
        doubts |= margin_of(s) < s->policy->attach_margin ? 1U << DEDUP_DOUBT_SMALL_MARGIN : 0U;
        doubts |= f->twin ? 1U << DEDUP_DOUBT_TWIN : 0U;
        doubts |= f->default_date ? 1U << DEDUP_DOUBT_DEFAULT_DATE : 0U;
        doubts |= s->truncated ? 1U << DEDUP_DOUBT_TRUNCATED : 0U;
        return doubts;
}

/* ---- persons ---- */

/* An assignment of mentions to persons under construction. */
typedef struct roster {
        dedup_person *persons;
        bool *assigned;
} roster;

static bool is_used(const search *s, const roster *r, const door_id *person)
{
        for (size_t i = 0; i < s->received->mentions_count; i++) {
                if (r->assigned[i] && door_id_equal(&r->persons[i].person, person)) {
                        return true;
                }
        }
        return false;
}

static void assign(roster *r, uint16_t mention, const door_id *person, int32_t score, bool new_to_family,
                   const dedup_comparison *c)
{
        r->assigned[mention] = true;
        r->persons[mention].person = *person;
        r->persons[mention].score = score;
        r->persons[mention].new_to_family = new_to_family;
        r->persons[mention].new_address = c->address < 0;
}

/* Members of the family the keys did not lead to: they are compared too, so that a badly written
 * sibling is still the sibling. */
static void members_pair(search *s, const door_id *family)
{
        dedup_member *members = door_arena_take(s->arena, DEDUP_MEMBERS_MAX * sizeof *members);
        bool all = true;

        if (members == NULL) {
                return;
        }
        const size_t count = dedup_members_of(s->view, family, members, DEDUP_MEMBERS_MAX, &all);
        s->truncated |= !all;
        for (uint16_t m = 0; m < s->received->mentions_count; m++) {
                for (size_t i = 0; i < count; i++) {
                        bool known = false;
                        for (size_t p = 0; p < s->pairings_count && !known; p++) {
                                known = s->pairings[p].mention == m &&
                                        door_id_equal(&s->pairings[p].person, &members[i].person);
                        }
                        if (!known && !s->received->mentions[m].adopted) {
                                pairing_add(s, m, &members[i].person);
                        }
                }
        }
}

static void persons_within(search *s, const door_id *family, roster *r)
{
        members_pair(s, family);
        const inside in = pairings_inside(s, family);
        for (size_t round = 0; round < s->received->mentions_count; round++) {
                const pairing *best = NULL;
                for (size_t i = 0; i < in.count; i++) {
                        const pairing *p = in.items[i];
                        if (!dedup_fits_member(s->policy, &p->best) || r->assigned[p->mention] ||
                            is_used(s, r, &p->person)) {
                                continue;
                        }
                        if (best == NULL || p->best.total > best->best.total) {
                                best = p;
                        }
                }
                if (best == NULL) {
                        return;
                }
                assign(r, best->mention, &best->person, best->best.total, false, &best->best);
        }
}

/* Adults (and, with no family chosen, anybody) known from another family: a father may have two. */
static void persons_elsewhere(search *s, roster *r)
{
        for (size_t i = 0; i < s->pairings_count; i++) {
                const pairing *best = NULL;
                for (size_t k = 0; k < s->pairings_count; k++) {
                        const pairing *p = &s->pairings[k];
                        const bool adult = mention_of(s, p)->features.life == DEDUP_LIFE_ADULT ||
                                           mention_of(s, p)->features.life == DEDUP_LIFE_PROFESSIONAL;
                        const int32_t score = s->prior_person + p->best.total;
                        if (!adult || score < s->policy->person_threshold + PERSON_ELSEWHERE_MARGIN ||
                            p->best.strong_not_address < 2 || p->best.identifier_conflict ||
                            p->best.default_date || r->assigned[p->mention] || is_used(s, r, &p->person)) {
                                continue;
                        }
                        if (best == NULL || p->best.total > best->best.total) {
                                best = p;
                        }
                }
                if (best == NULL) {
                        return;
                }
                assign(r, best->mention, &best->person, s->prior_person + best->best.total, true,
                       &best->best);
        }
}

static void persons_new(search *s, const door_input *input, roster *r)
{
        for (uint16_t m = 0; m < s->received->mentions_count; m++) {
                if (!r->assigned[m]) {
                        r->persons[m] = (dedup_person){
                                .person = door_id_make(input->random, DOOR_ID_PERSON, m),
                                .new_person = true,
                                .new_to_family = true,
                        };
                        r->assigned[m] = true;
                }
        }
}

static void households_set(search *s, const door_input *input, const door_id *family, roster *r)
{
        for (uint16_t m = 0; m < s->received->mentions_count; m++) {
                const dedup_features *f = &s->received->mentions[m].features;
                uint8_t key[8];
                if (f->life == DEDUP_LIFE_PROFESSIONAL || !dedup_address_key(f, key)) {
                        continue;
                }
                dedup_person *person = &r->persons[m];
                person->has_household = dedup_household_get(s->view, family, key, &person->household);
                for (uint16_t k = 0; k < m && !person->has_household; k++) {
                        uint8_t other[8];
                        if (r->persons[k].has_household &&
                            dedup_address_key(&s->received->mentions[k].features, other) &&
                            memcmp(key, other, sizeof key) == 0) {
                                person->household = r->persons[k].household;
                                person->has_household = true;
                        }
                }
                if (!person->has_household) {
                        person->household = door_id_make(input->random, DOOR_ID_HOUSEHOLD, m);
                        person->has_household = true;
                }
        }
}

/* ---- what people downstream must be told ---- */

static bool family_has_children(search *s, const door_id *family)
{
        dedup_member members[DEDUP_MEMBERS_MAX];
        bool all = true;
        const size_t count = dedup_members_of(s->view, family, members, DEDUP_MEMBERS_MAX, &all);

        for (size_t i = 0; i < count; i++) {
                if (dedup_is_child(members[i].life)) {
                        return true;
                }
        }
        return !all; /* More than were looked at: cannot tell, so say so. */
}

static void elsewhere_set(search *s, const door_id *family, const roster *r, dedup_matched *event)
{
        for (uint16_t m = 0; m < s->received->mentions_count; m++) {
                door_id families[DEDUP_PERSON_FAMILIES_MAX];
                dedup_membership memberships[DEDUP_PERSON_FAMILIES_MAX];
                bool all = true;
                if (r->persons[m].new_person || dedup_is_child(s->received->mentions[m].features.life)) {
                        continue;
                }
                const size_t count = dedup_families_of(s->view, &r->persons[m].person, families, memberships,
                                                       DEDUP_PERSON_FAMILIES_MAX, &all);
                for (size_t i = 0; i < count; i++) {
                        if (door_id_equal(&families[i], family)) {
                                continue;
                        }
                        if (event->elsewhere_count == DEDUP_ELSEWHERE_MAX) {
                                event->truncated = true;
                                return;
                        }
                        event->elsewhere[event->elsewhere_count++] = (dedup_elsewhere){
                                .person_index = m,
                                .family = families[i],
                                .harm = memberships[i].harm,
                                .with_children = family_has_children(s, &families[i]),
                        };
                }
        }
}

/* Children of the family this referral says nothing of: the next look must answer for each. */
static void unmentioned_set(search *s, const door_id *family, const roster *r, dedup_matched *event)
{
        dedup_member members[DEDUP_MEMBERS_MAX];
        bool all = true;
        const size_t count = dedup_members_of(s->view, family, members, DEDUP_MEMBERS_MAX, &all);

        for (size_t i = 0; i < count; i++) {
                if (!dedup_is_child(members[i].life) || is_used(s, r, &members[i].person)) {
                        continue;
                }
                if (event->unmentioned_count == DEDUP_UNMENTIONED_MAX) {
                        event->truncated = true;
                        return;
                }
                event->unmentioned[event->unmentioned_count++] = members[i].person;
        }
}

static void candidates_set(search *s, const door_input *input, dedup_decision decision, dedup_matched *event)
{
        const size_t first = decision == DEDUP_LINK ? 1 : 0;

        if (decision == DEDUP_NEW) {
                return;
        }
        for (size_t i = first; i < s->families_count && event->candidates_count < DEDUP_CANDIDATES_MAX; i++) {
                const family_score *f = &s->families[i];
                if (f->total < s->policy->review_threshold || !speaks_for(f)) {
                        break;
                }
                dedup_candidate *candidate = &event->candidates[event->candidates_count];
                candidate->family = f->family;
                candidate->score = f->total;
                candidate->persons_agreeing = f->agreeing;
                if (decision == DEDUP_REVIEW) {
                        candidate->has_review = true;
                        candidate->review = door_id_make(input->random, DOOR_ID_REVIEW,
                                                         (uint32_t)event->candidates_count);
                }
                event->candidates_count++;
        }
}

static void waterfall_fill(search *s, const family_score *f, int32_t threshold, dedup_waterfall *ret)
{
        const pairing *chosen[DEDUP_WATERFALL_PEOPLE_MAX];
        const inside in = pairings_inside(s, &f->family);
        const size_t count = pairs_choose(s, &in, chosen, DEDUP_WATERFALL_PEOPLE_MAX);
        dedup_waterfall_step *steps =
                door_arena_take(s->arena, (count * DEDUP_STEPS_MAX + 1) * sizeof *steps);
        size_t n = 0;

        if (steps == NULL) {
                return;
        }
        for (size_t i = 0; i < count; i++) {
                for (size_t k = 0; k < chosen[i]->best.steps_count; k++) {
                        steps[n++] = (dedup_waterfall_step){ chosen[i]->mention, chosen[i]->best.steps[k] };
                }
        }
        *ret = (dedup_waterfall){ .family = f->family,
                                  .prior = s->prior_family,
                                  .total = f->total,
                                  .threshold = threshold,
                                  .steps_count = n,
                                  .steps = steps };
}

static void waterfalls_set(search *s, dedup_matched *event)
{
        size_t n = s->families_count < DEDUP_CANDIDATES_MAX ? s->families_count : DEDUP_CANDIDATES_MAX;
        dedup_waterfall *waterfalls = door_arena_take_zeroed(s->arena, n + 1, sizeof *waterfalls);

        if (waterfalls == NULL) {
                return;
        }
        for (size_t i = 0; i < n; i++) {
                waterfall_fill(s, &s->families[i], s->policy->link_threshold, &waterfalls[i]);
        }
        event->waterfalls = waterfalls;
        event->waterfalls_count = n;
}

/* ---- decide ---- */

static void search_begin(search *s, door_view *view, const dedup_policy *policy,
                         const dedup_received *received, door_arena *arena)
{
        const uint64_t matched = dedup_count_get(view);
        const uint64_t population = matched < POPULATION_MIN ? POPULATION_MIN : matched;

        memset(s, 0, sizeof *s);
        s->view = view;
        s->arena = arena;
        s->received = received;
        s->policy = policy;
        /* The more there are to be mistaken for, the more it takes. */
        s->prior_family = -log2_of(population);
        s->prior_person = -log2_of(population * 3);
}

static void matched_add(door_out *out, const dedup_received *received, dedup_matched *event)
{
        door_event *made = door_out_event(out, DEDUP_REFERRAL_MATCHED, event);

        door_event_subject(made, DOOR_ID_REFERRAL, &event->referral);
        door_event_subject(made, DOOR_ID_FAMILY, &event->family);
        if (made != NULL && received->historic) {
                made->flags |= DOOR_FLAG_HISTORIC;
        }
}

static void match(door_view *view, const dedup_policy *policy, const door_input *input, door_out *out)
{
        const dedup_received *received = input->body;
        const size_t n = received->mentions_count;
        search *s = door_arena_take(out->arena, sizeof *s);
        dedup_matched *event = door_arena_take_zeroed(out->arena, 1, sizeof *event);
        roster r = { door_arena_take_zeroed(out->arena, n + 1, sizeof *r.persons),
                     door_arena_take_zeroed(out->arena, n + 1, sizeof *r.assigned) };

        if (out->arena->exhausted) {
                return;
        }
        search_begin(s, view, policy, received, out->arena);
        candidates_find(s);
        families_collect(s);
        for (size_t i = 0; i < s->families_count; i++) {
                family_score_set(s, &s->families[i]);
        }
        families_sort(s);

        const dedup_decision decision = decision_of(s);
        event->referral = received->referral;
        event->historic = received->historic;
        event->guarded = received->guarded;
        event->decision = decision;
        event->family = decision == DEDUP_LINK ? s->families[0].family
                                               : door_id_make(input->random, DOOR_ID_FAMILY, 0);
        event->score = decision == DEDUP_LINK ? s->families[0].total : 0;
        event->margin = margin_of(s);
        event->facts = received->facts;
        event->mentions = received->mentions;
        event->persons_count = n;
        event->persons = r.persons;
        candidates_set(s, input, decision, event);
        waterfalls_set(s, event);
        event->doubts = doubts_of(s, decision);
        if (decision == DEDUP_LINK) {
                persons_within(s, &event->family, &r);
        }
        persons_elsewhere(s, &r);
        persons_new(s, input, &r);
        households_set(s, input, &event->family, &r);
        elsewhere_set(s, &event->family, &r, event);
        if (decision == DEDUP_LINK) {
                unmentioned_set(s, &event->family, &r, event);
        }
        event->truncated |= s->truncated;
        event->out_of_county = dedup_place_of_referral(&s->policy->postcodes, received, &event->district) ==
                               DEDUP_PLACE_OUT_OF_COUNTY;
        matched_add(out, received, event);
}

void dedup_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        switch (input->kind) {
        case DOOR_INPUT_EVENT:
                match(view, policy == NULL ? &dedup_policy_default : policy, input, out);
                break;
        case DOOR_INPUT_COMMAND:
                dedup_obey(view, policy, input, out);
                break;
        case DOOR_INPUT_TICK: /* Nothing falls due, and it has no effects. */
        case DOOR_INPUT_OUTCOME:
                break;
        }
}

uint64_t dedup_next_deadline(door_view *view)
{
        (void)view;
        return 0; /* Nothing about who is who falls due. */
}
