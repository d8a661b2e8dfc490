/*
 * dedup_apply.c - the fold of each record of deduplication's log.
 *
 * A record says what has been decided; the fold reads rows to know what to carry along, and decides
 * nothing. A join moves the rows of one family to another and leaves the persons apart: that two
 * children are one is another question than that two families are. So an undo need only ask
 * each person's mentions where their referrals stand now.
 */
#include "deduplication/dedup_core.h"

enum {
        FACT_DANGEROUS = 15, /* PersonFact of referral.proto */
        FACT_NO_CONTACT = 16,
        FACT_REMOVED = 17,
};

/* ---- a referral matched ---- */

static uint8_t harm_of(const dedup_mention *mention)
{
        const uint64_t yes = mention->facts_yes;
        uint8_t harm = mention->alleged ? DEDUP_HARM_ALLEGED : 0;

        harm |= (yes >> FACT_DANGEROUS & 1) != 0 ? DEDUP_HARM_DANGEROUS : 0;
        harm |= (yes >> FACT_NO_CONTACT & 1) != 0 ? DEDUP_HARM_NO_CONTACT : 0;
        harm |= (yes >> FACT_REMOVED & 1) != 0 ? DEDUP_HARM_REMOVED : 0;
        return harm;
}

static void person_apply(door_view *view, const door_event *event, const dedup_matched *matched,
                         uint16_t index)
{
        const dedup_person *person = &matched->persons[index];
        const dedup_mention *mention = &matched->mentions[index];
        dedup_key keys[DEDUP_KEYS_MAX];

        if (!mention->adopted) {
                const size_t count = dedup_keys(&mention->features, false, keys);
                for (size_t k = 0; k < count; k++) {
                        dedup_key_put(view, &keys[k], &person->person);
                }
        }
        dedup_mention_put(view, &person->person, event->seq, index, mention->packed);
        if (mention->features.life == DEDUP_LIFE_PROFESSIONAL) {
                return; /* A person, never family (RULES.md section 6). */
        }
        const dedup_membership membership = {
                .role = mention->features.role,
                .life = mention->features.life,
                .harm = harm_of(mention),
        };
        dedup_membership_put(view, &person->person, &matched->family, &membership);
        uint8_t address[8];
        if (person->has_household && dedup_address_key(&mention->features, address)) {
                dedup_household_put(view, &matched->family, address, &person->household);
                dedup_resident_put(view, &person->household, &person->person, event->seq);
        }
}

static void matched_apply(door_view *view, const door_event *event)
{
        const dedup_matched *matched = event->body;

        dedup_count_add(view);
        if (matched->decision != DEDUP_LINK) { /* The family was made for it. */
                dedup_family_put(view, &matched->family, event->seq, matched->historic);
        }
        const dedup_referral row = {
                .family = matched->family,
                .decision = (uint8_t)matched->decision,
                .seq = event->seq,
                .guarded = matched->guarded,
        };
        dedup_referral_put(view, &matched->referral, &row);
        if (matched->guarded) {
                dedup_guarded_put(view, &matched->family);
        }
        for (size_t i = 0; i < matched->candidates_count; i++) {
                if (matched->candidates[i].has_review) {
                        const dedup_review review = {
                                .referral = matched->referral,
                                .family = matched->family,
                                .candidate = matched->candidates[i].family,
                                .seq = event->seq,
                        };
                        dedup_review_put(view, &matched->candidates[i].review, &review);
                }
        }
        for (size_t i = 0; i < matched->persons_count; i++) {
                person_apply(view, event, matched, (uint16_t)i);
        }
}

/* ---- reviews ---- */

static void reviewed_apply(door_view *view, const dedup_reviewed *reviewed)
{
        dedup_review row;

        if (reviewed->verdict == DEDUP_VERDICT_UNSURE || !dedup_review_get(view, &reviewed->review, &row)) {
                return; /* It stays open. */
        }
        row.answer = (uint8_t)reviewed->verdict;
        dedup_review_put(view, &reviewed->review, &row);
        if (reviewed->verdict == DEDUP_VERDICT_DIFFERENT) {
                dedup_not_same_put(view, &reviewed->family, &reviewed->candidate);
        }
}

/* ---- families ---- */

static void referral_stand(door_view *view, const door_id *referral, const door_id *family)
{
        dedup_referral row;

        if (!dedup_referral_get(view, referral, &row)) {
                return;
        }
        dedup_referral_leave(view, &row);
        row.family = *family;
        dedup_referral_put(view, referral, &row);
        if (row.guarded) {
                dedup_guarded_put(view, family);
        }
}

static void joined_apply(door_view *view, const door_event *event, const dedup_joined *joined)
{
        dedup_standing referrals[DEDUP_JOINED_REFERRALS_MAX];
        dedup_member members[DEDUP_FAMILY_MEMBERS_MAX];
        const dedup_join row = { .from = joined->from, .to = joined->to, .seq = event->seq };
        bool all = true;

        dedup_join_put(view, &joined->join, &row);
        dedup_redirect_put(view, &joined->from, &joined->to, &joined->join);
        const size_t referrals_count =
                dedup_referrals_of(view, &joined->from, referrals, DEDUP_JOINED_REFERRALS_MAX, &all);
        for (size_t i = 0; i < referrals_count; i++) {
                dedup_join_had_put(view, &joined->join, &referrals[i].referral);
                referral_stand(view, &referrals[i].referral, &joined->to);
        }
        const size_t members_count =
                dedup_members_of(view, &joined->from, members, DEDUP_FAMILY_MEMBERS_MAX, &all);
        for (size_t i = 0; i < members_count; i++) {
                dedup_membership membership;
                if (dedup_membership_get(view, &members[i].person, &joined->from, &membership)) {
                        dedup_membership_join(view, &members[i].person, &joined->to, &membership);
                        dedup_membership_delete(view, &members[i].person, &joined->from);
                }
        }
        dedup_households_copy(view, &joined->from, &joined->to);
        if (dedup_guarded_get(view, &joined->from)) {
                dedup_guarded_put(view, &joined->to);
        }
}

/* A member of the joined family, after its referrals have been parted: of which is it now? */
static void member_part(door_view *view, const dedup_undone *undone, const dedup_member *member)
{
        dedup_mention_walk walk;
        dedup_spot spot;
        door_bytes stored;
        dedup_membership membership;
        dedup_features features;
        bool of_from = false;
        bool of_to = false;

        if (!dedup_membership_get(view, &member->person, &undone->to, &membership)) {
                return;
        }
        dedup_mention_walk_begin(&walk, view, &member->person, DEDUP_PERSON_PLACES_MAX);
        while ((!of_from || !of_to) && dedup_mention_walk_next(&walk, &spot, &stored)) {
                of_to = of_to || dedup_referral_stands(view, &undone->to, spot.seq);
                if (!of_from && dedup_referral_stands(view, &undone->from, spot.seq) &&
                    dedup_features_unpack(stored, &features)) {
                        /* Harm goes along, for nobody can say in which of the two it was recorded. */
                        membership.role = features.role;
                        membership.life = features.life;
                        dedup_membership_put(view, &member->person, &undone->from, &membership);
                        of_from = true;
                }
        }
        if (of_from && !of_to && !walk.scan.truncated) {
                dedup_membership_delete(view, &member->person, &undone->to);
        }
}

static void undone_apply(door_view *view, const dedup_undone *undone)
{
        dedup_member members[DEDUP_FAMILY_MEMBERS_MAX];
        dedup_join row;
        bool all = true;

        if (dedup_join_get(view, &undone->join, &row)) {
                row.undone = true;
                dedup_join_put(view, &undone->join, &row);
        }
        dedup_redirect_delete(view, &undone->from, &undone->to);
        for (size_t i = 0; i < undone->assignments_count; i++) {
                if (door_id_equal(&undone->assignments[i].family, &undone->from)) {
                        referral_stand(view, &undone->assignments[i].referral, &undone->from);
                }
        }
        const size_t count = dedup_members_of(view, &undone->to, members, DEDUP_FAMILY_MEMBERS_MAX, &all);
        for (size_t i = 0; i < count; i++) {
                member_part(view, undone, &members[i]);
        }
}

/* Somebody whom no other referral of the family names is no member of it any more. */
static void member_leave(door_view *view, const door_id *family, const door_id *person)
{
        dedup_mention_walk walk;
        dedup_spot spot;
        door_bytes stored;

        dedup_mention_walk_begin(&walk, view, person, DEDUP_PERSON_PLACES_MAX);
        while (dedup_mention_walk_next(&walk, &spot, &stored)) {
                if (dedup_referral_stands(view, family, spot.seq)) {
                        return;
                }
        }
        if (!walk.scan.truncated) {
                dedup_membership_delete(view, person, family);
        }
}

/* The mention says the same of another person now, who is found by the same keys. */
static void mention_hand_over(door_view *view, uint64_t seq, const dedup_reassigned *one, door_bytes stored,
                              const dedup_features *features)
{
        dedup_key keys[DEDUP_KEYS_MAX];
        const size_t count = dedup_keys(features, false, keys);

        /* The old person keeps its keys: other mentions may have given them, and a key only says
         * where to look. Where it has none (an adopted child) the new one gets none either. */
        for (size_t k = 0; k < count; k++) {
                if (dedup_key_has(view, &keys[k], &one->was)) {
                        dedup_key_put(view, &keys[k], &one->person);
                }
        }
        dedup_mention_put(view, &one->person, seq, one->index, stored);
        dedup_mention_delete(view, &one->was, seq, one->index);
}

static void person_move(door_view *view, uint64_t seq, const dedup_moved *moved, const dedup_reassigned *one)
{
        door_bytes stored;
        dedup_features features;
        dedup_membership membership = { 0 };
        uint8_t address[8];
        door_id household;
        door_id known;

        if (!dedup_mention_get(view, &one->was, seq, one->index, &stored) ||
            !dedup_features_unpack(stored, &features)) {
                return;
        }
        if (!door_id_equal(&one->person, &one->was)) {
                mention_hand_over(view, seq, one, stored, &features);
        }
        (void)dedup_membership_get(view, &one->was, &moved->from, &membership); /* Its harm goes along. */
        membership.role = features.role;
        membership.life = features.life;
        dedup_membership_join(view, &one->person, &moved->to, &membership);
        member_leave(view, &moved->from, &one->was);
        if (dedup_address_key(&features, address) &&
            dedup_household_get(view, &moved->from, address, &household)) {
                if (!dedup_household_get(view, &moved->to, address, &known)) {
                        known = household;
                        dedup_household_put(view, &moved->to, address, &known);
                }
                dedup_resident_put(view, &known, &one->person, seq);
        }
}

static void moved_apply(door_view *view, const door_event *event, const dedup_moved *moved)
{
        dedup_referral row;
        bool historic = false;

        if (moved->to_is_new) {
                (void)dedup_family_get(view, &moved->from, &historic);
                dedup_family_put(view, &moved->to, event->seq, historic);
        }
        if (!dedup_referral_get(view, &moved->referral, &row)) {
                return;
        }
        referral_stand(view, &moved->referral, &moved->to);
        for (size_t i = 0; i < moved->people_count; i++) {
                person_move(view, row.seq, moved, &moved->people[i]);
        }
}

void dedup_apply(door_view *view, const door_event *event)
{
        switch ((dedup_event)event->type) {
        case DEDUP_REFERRAL_MATCHED:
                matched_apply(view, event);
                break;
        case DEDUP_REVIEW_ANSWERED:
                reviewed_apply(view, event->body);
                break;
        case DEDUP_FAMILIES_JOINED:
                joined_apply(view, event, event->body);
                break;
        case DEDUP_JOIN_UNDONE:
                undone_apply(view, event->body);
                break;
        case DEDUP_REFERRAL_MOVED:
                moved_apply(view, event, event->body);
                break;
        }
}
