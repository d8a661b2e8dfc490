#include "deduplication/dedup_command.h"

#include "door/actor.h"

/* Reasons of envelope.proto the core answers with. */
enum { REASON_NOT_ALLOWED = 2, REASON_INVALID = 4, REASON_NO_SUCH = 5 };
enum { RETRY_NOT_READY = 8 };

enum { FOLDED_MAX = DEDUP_JOINS_MAX + 1 };

/* One command under decision. */
typedef struct asked {
        door_view *view;
        const dedup_policy *policy;
        const door_input *input;
        door_out *out;
        door_actor actor;
} asked;

/* An event's body in the arena, zeroed; NULL when it is full. */
#define BODY(out, type) ((type *)door_arena_take_zeroed((out)->arena, 1, sizeof(type)))

/* Always false, so that a check can be one line. */
static bool refuse(asked *a, uint32_t reason, const char *field, const char *detail)
{
        door_out_refuse(a->out, reason, field, detail);
        return false;
}

/* ---- what every command asks */

static bool need_reason(asked *a, door_bytes reason)
{
        if (reason.len == 0 || reason.len > DEDUP_TEXT_BYTES_MAX) {
                return refuse(a, REASON_INVALID, "/reason", "say why, in at most 2,000 bytes");
        }
        return true;
}

/* The family an id leads to now; old ids lead on for ever. */
static bool need_family(asked *a, const door_id *id, const char *field, door_id *ret_family)
{
        bool historic;

        if (!dedup_family_get(a->view, id, &historic)) {
                return refuse(a, REASON_NO_SUCH, field, "there is no such family");
        }
        *ret_family = dedup_resolve(a->view, id);
        return true;
}

static size_t referrals_count(door_view *view, const door_id *family)
{
        dedup_standing referrals[DEDUP_UNDO_REFERRALS_MAX];
        bool all = true;
        return dedup_referrals_of(view, family, referrals, DEDUP_UNDO_REFERRALS_MAX, &all) + (all ? 0 : 1);
}

static size_t members_count(door_view *view, const door_id *family)
{
        dedup_member members[DEDUP_FAMILY_MEMBERS_MAX];
        bool all = true;
        return dedup_members_of(view, family, members, DEDUP_FAMILY_MEMBERS_MAX, &all) + (all ? 0 : 1);
}

/* Something stands in this family that must not come before other eyes by one person's mistake. */
static bool is_delicate(door_view *view, const door_id *family)
{
        dedup_member members[DEDUP_FAMILY_MEMBERS_MAX];
        bool all = true;
        const size_t count = dedup_members_of(view, family, members, DEDUP_FAMILY_MEMBERS_MAX, &all);
        bool delicate = dedup_guarded_get(view, family) || !all; /* Not all looked at: as if so. */

        for (size_t i = 0; i < count && !delicate; i++) {
                dedup_membership membership;
                delicate = dedup_membership_get(view, &members[i].person, family, &membership) &&
                           membership.harm != 0;
        }
        return delicate;
}

static bool is_second(const asked *a, door_bytes second_person)
{
        return second_person.len > 0 && !door_bytes_equal(second_person, a->actor.name);
}

/* ---- reviews */

/* The families of a join under decision; both zero: of none. */
typedef struct joining {
        door_id from;
        door_id to;
} joining;

static door_id stands_after(door_view *view, const door_id *family, const joining *join)
{
        const door_id now = dedup_resolve(view, family);
        return door_id_equal(&now, &join->from) ? join->to : now;
}

static bool sides_meet(door_view *view, const dedup_review *review, const joining *join)
{
        const door_id family = stands_after(view, &review->family, join);
        const door_id candidate = stands_after(view, &review->candidate, join);
        return door_id_equal(&family, &candidate);
}

/* Neither answered, nor overtaken by a join of its sides, nor by a move of its referral. */
static bool is_open(door_view *view, const dedup_review *review)
{
        static const joining none = { 0 };
        const door_id family = dedup_resolve(view, &review->family);
        dedup_referral referral;

        return review->answer == 0 && !sides_meet(view, review, &none) &&
               dedup_referral_get(view, &review->referral, &referral) &&
               door_id_equal(&referral.family, &family);
}

/* Reviews about the same provisional family that wait for an answer once all this has happened. */
static uint32_t still_open(door_view *view, const door_id *family, const door_id *answered,
                           const joining *join)
{
        door_id reviews[DEDUP_FAMILY_REVIEWS_MAX];
        const size_t count = dedup_reviews_open(view, family, reviews, DEDUP_FAMILY_REVIEWS_MAX);
        uint32_t open = 0;

        for (size_t i = 0; i < count; i++) {
                dedup_review row;
                open += !door_id_equal(&reviews[i], answered) && dedup_review_get(view, &reviews[i], &row) &&
                                        is_open(view, &row) && !sides_meet(view, &row, join)
                                ? 1
                                : 0;
        }
        return open;
}

static void reviewed_emit(asked *a, const door_id *review, const dedup_review *row, dedup_verdict verdict,
                          const joining *join, const dedup_why *why)
{
        dedup_reviewed *reviewed = BODY(a->out, dedup_reviewed);
        static const door_id nothing = { { 0 } };

        if (reviewed == NULL) {
                return;
        }
        const bool unsure = verdict == DEDUP_VERDICT_UNSURE;
        *reviewed = (dedup_reviewed){ .review = *review,
                                      .referral = row->referral,
                                      .verdict = verdict,
                                      .family = row->family,
                                      .candidate = row->candidate,
                                      .family_now = join->to,
                                      .still_open = still_open(a->view, &row->family,
                                                               unsure ? &nothing : review, join),
                                      .why = *why };
        door_event *event = door_out_event(a->out, DEDUP_REVIEW_ANSWERED, reviewed);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_REFERRAL, &row->referral);
                door_event_subject(event, DOOR_ID_FAMILY, &row->family);
                door_event_subject(event, DOOR_ID_FAMILY, &row->candidate);
                door_event_subject(event, DOOR_ID_REVIEW, review);
        }
}

/* A join says "the same" to every open review between its sides, but the one that caused it. */
static void reviews_close(asked *a, const joining *join, const door_id *cause, const dedup_why *why)
{
        door_id folded[2 * FOLDED_MAX];
        size_t first = 0;
        size_t second = 0;
        size_t answered = 0;

        (void)dedup_folded_of(a->view, &join->from, folded, FOLDED_MAX, &first);
        (void)dedup_folded_of(a->view, &join->to, folded + first, FOLDED_MAX, &second);
        for (size_t i = 0; i < first + second; i++) {
                door_id reviews[DEDUP_FAMILY_REVIEWS_MAX];
                const size_t count =
                        dedup_reviews_open(a->view, &folded[i], reviews, DEDUP_FAMILY_REVIEWS_MAX);
                for (size_t k = 0; k < count && answered < DEDUP_JOIN_REVIEWS_MAX; k++) {
                        dedup_review row;
                        if ((cause == NULL || !door_id_equal(&reviews[k], cause)) &&
                            dedup_review_get(a->view, &reviews[k], &row) && is_open(a->view, &row) &&
                            sides_meet(a->view, &row, join)) {
                                reviewed_emit(a, &reviews[k], &row, DEDUP_VERDICT_SAME, join, why);
                                answered++;
                        }
                }
        }
}

/* ---- join */

static bool join_is_small(asked *a, const joining *join)
{
        door_id folded[FOLDED_MAX];
        size_t first = 0;
        size_t second = 0;
        const bool counted = dedup_folded_of(a->view, &join->from, folded, FOLDED_MAX, &first) &&
                             dedup_folded_of(a->view, &join->to, folded, FOLDED_MAX, &second);

        if (referrals_count(a->view, &join->from) + referrals_count(a->view, &join->to) >
            DEDUP_JOINED_REFERRALS_MAX) {
                return refuse(a, DEDUP_TOO_MANY, "/from", "the joined family would have over 200 referrals");
        }
        if (members_count(a->view, &join->from) + members_count(a->view, &join->to) >
            DEDUP_FAMILY_MEMBERS_MAX) {
                return refuse(a, DEDUP_TOO_MANY, "/from", "the joined family would have over 256 people");
        }
        /* Each family folded in took one join, and this is one more: every old id is within reach. */
        if (!counted || first - 1 + second - 1 + 1 > DEDUP_JOINS_MAX) {
                return refuse(a, DEDUP_TOO_MANY, "/to", "over 32 joins would lead into one family");
        }
        return true;
}

static bool join_may(asked *a, const joining *join, door_bytes second_person, const char *field,
                     const char *detail)
{
        if (door_id_equal(&join->from, &join->to)) {
                return refuse(a, DEDUP_SAME_FAMILY, "/to", "both lead to one family");
        }
        if (!join_is_small(a, join)) {
                return false;
        }
        if (!is_second(a, second_person) &&
            (is_delicate(a->view, &join->from) || is_delicate(a->view, &join->to))) {
                return refuse(a, DEDUP_SECOND_PERSON_NEEDED, field, detail);
        }
        return true;
}

static void join_emit(asked *a, const joining *join, const door_id *review, const dedup_why *why)
{
        dedup_joined *joined = BODY(a->out, dedup_joined);

        if (joined == NULL) {
                return;
        }
        joined->join = door_id_make(a->input->random, DOOR_ID_JOIN, 0);
        joined->from = join->from;
        joined->to = join->to;
        joined->why = *why;
        if (review != NULL) {
                joined->has_review = true;
                joined->review = *review;
        }
        door_event *event = door_out_event(a->out, DEDUP_FAMILIES_JOINED, joined);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_FAMILY, &join->from);
                door_event_subject(event, DOOR_ID_FAMILY, &join->to);
                door_event_subject(event, DOOR_ID_JOIN, &joined->join);
                if (review != NULL) {
                        door_event_subject(event, DOOR_ID_REVIEW, review);
                }
        }
        reviews_close(a, join, review, why);
}

static void join_families(asked *a)
{
        const dedup_join_body *body = a->input->body;
        const dedup_why why = { body->reason, body->second_person };
        joining join;

        if (need_reason(a, body->reason) && need_family(a, &body->from, "/from", &join.from) &&
            need_family(a, &body->to, "/to", &join.to) &&
            join_may(a, &join, body->second_person, "/second_person", "this join takes a second person")) {
                join_emit(a, &join, NULL, &why);
        }
}

static void answer_review(asked *a)
{
        const dedup_answer_body *body = a->input->body;
        const dedup_why why = { .reason = body->reason };
        joining join = { 0 };
        dedup_review row;

        if (!dedup_review_get(a->view, &body->review, &row)) {
                (void)refuse(a, REASON_NO_SUCH, "/review", "there is no such review");
                return;
        }
        /* "I do not know" needs no reason. */
        if ((body->verdict != DEDUP_VERDICT_UNSURE || body->reason.len > 0) &&
            !need_reason(a, body->reason)) {
                return;
        }
        if (!is_open(a->view, &row)) {
                (void)refuse(a, DEDUP_REVIEW_NOT_OPEN, "/review",
                             "answered, or overtaken by a join or a move");
                return;
        }
        if (body->verdict == DEDUP_VERDICT_SAME) {
                join.from = dedup_resolve(a->view, &row.family);
                join.to = dedup_resolve(a->view, &row.candidate);
                if (!join_may(a, &join, DOOR_BYTES_EMPTY, "/review",
                              "join the two families with a second person's name")) {
                        return;
                }
        }
        reviewed_emit(a, &body->review, &row, body->verdict, &join, &why);
        if (body->verdict == DEDUP_VERDICT_SAME) {
                join_emit(a, &join, &body->review, &why);
        }
}

/* ---- undo */

/* Where an id leads once the join is undone: what led through `from` ends there. */
static door_id resolve_without(door_view *view, const door_id *family, const door_id *from)
{
        door_id at = *family;
        door_id next;
        door_id join;

        for (size_t hops = 0; hops < DEDUP_JOINS_MAX && !door_id_equal(&at, from) &&
                              dedup_redirect_get(view, &at, &next, &join);
             hops++) {
                at = next;
        }
        return at;
}

static bool is_latest(door_view *view, const door_id *id, const dedup_join *join)
{
        door_id to;
        door_id by;

        return !join->undone && !dedup_redirect_get(view, &join->to, &to, &by) &&
               dedup_redirect_get(view, &join->from, &to, &by) && door_id_equal(&by, id) &&
               door_id_equal(&to, &join->to);
}

/* The family one referral is assigned to; false when it is named by none or leads elsewhere. */
static bool assigned_to(const asked *a, const dedup_join *join, const door_id *referral, door_id *ret_family)
{
        const dedup_undo_body *body = a->input->body;

        for (size_t i = 0; i < body->assignments_count; i++) {
                if (door_id_equal(&body->assignments[i].referral, referral)) {
                        *ret_family = resolve_without(a->view, &body->assignments[i].family, &join->from);
                        return door_id_equal(ret_family, &join->from) || door_id_equal(ret_family, &join->to);
                }
        }
        return false;
}

/* Every referral of the joined family, with its family from now on; NULL, and refused, if not so. */
static dedup_assignment *assignments_make(asked *a, const dedup_join *join, size_t *ret_count)
{
        const dedup_undo_body *body = a->input->body;
        dedup_standing referrals[DEDUP_UNDO_REFERRALS_MAX];
        bool all = true;
        const size_t count =
                dedup_referrals_of(a->view, &join->to, referrals, DEDUP_UNDO_REFERRALS_MAX, &all);
        dedup_assignment *made = door_arena_take(a->out->arena, (count + 1) * sizeof *made);
        size_t moved = 0;

        if (made == NULL) {
                return NULL;
        }
        if (!all || members_count(a->view, &join->to) > DEDUP_FAMILY_MEMBERS_MAX) {
                (void)refuse(a, DEDUP_TOO_MANY, "/join", "the family has grown too large to be taken apart");
                return NULL;
        }
        bool complete = body->assignments_count == count; /* As many and each found: each once. */
        for (size_t i = 0; i < count && complete; i++) {
                const bool was_froms = dedup_join_had(a->view, &body->join, &referrals[i].referral);
                made[i].referral = referrals[i].referral;
                complete = assigned_to(a, join, &referrals[i].referral, &made[i].family);
                moved += referrals[i].seq > join->seq ||
                                         !door_id_equal(&made[i].family, was_froms ? &join->from : &join->to)
                                 ? 1
                                 : 0;
        }
        if (!complete) {
                (void)refuse(a, DEDUP_ASSIGNMENT_INCOMPLETE, "/assignment",
                             "name every referral of the family once, and one of the two families for each");
                return NULL;
        }
        if (moved > DEDUP_UNDO_MOVED_MAX) {
                (void)refuse(a, DEDUP_TOO_MANY, "/assignment",
                             "over 20 referrals came since, or would not return to where they stood");
                return NULL;
        }
        *ret_count = count;
        return made;
}

static void undo_join(asked *a)
{
        const dedup_undo_body *body = a->input->body;
        dedup_join join;
        size_t count = 0;

        if (!need_reason(a, body->reason)) {
                return;
        }
        if (!dedup_join_get(a->view, &body->join, &join) || !is_latest(a->view, &body->join, &join)) {
                (void)refuse(a, DEDUP_JOIN_NOT_THERE, "/join", "undone, or not the latest of its family");
                return;
        }
        const dedup_assignment *assignments = assignments_make(a, &join, &count);
        dedup_undone *undone = assignments == NULL ? NULL : BODY(a->out, dedup_undone);
        if (undone == NULL) {
                return;
        }
        *undone = (dedup_undone){ .join = body->join,
                                  .from = join.from,
                                  .to = join.to,
                                  .assignments_count = count,
                                  .assignments = assignments,
                                  .why = { .reason = body->reason } };
        door_event *event = door_out_event(a->out, DEDUP_JOIN_UNDONE, undone);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_FAMILY, &join.from);
                door_event_subject(event, DOOR_ID_FAMILY, &join.to);
                door_event_subject(event, DOOR_ID_JOIN, &body->join);
                for (size_t i = 0; i < count; i++) {
                        door_event_subject(event, DOOR_ID_REFERRAL, &assignments[i].referral);
                }
        }
}

/* ---- move */

/* Somebody the referral names, under decision. */
typedef struct named {
        dedup_reassigned who; /* `person` once settled. */
        dedup_features features;
        bool adopted;
        bool named_elsewhere; /* In another referral of the family it leaves. */
        bool settled;
} named;

typedef struct move {
        asked *asked;
        dedup_referral referral;
        door_id from;
        door_id to;
        bool to_is_new;
        named *people;
        size_t people_count;
} move;

/* An adopted child's mention makes no keys (apply), which is how it is known later. */
static bool is_keyless(door_view *view, const dedup_features *features, const door_id *person)
{
        dedup_key keys[DEDUP_KEYS_MAX];
        return dedup_keys(features, false, keys) > 0 && !dedup_key_has(view, &keys[0], person);
}

/* One member's mention in this referral, if there is one; people stand in the referral's order. */
static void named_find(move *m, const door_id *person)
{
        door_view *view = m->asked->view;
        dedup_mention_walk walk;
        dedup_spot spot;
        door_bytes stored;
        bool elsewhere = false;
        bool found = false;
        named one = { .who = { .was = *person, .person = *person } };

        dedup_mention_walk_begin(&walk, view, person, DEDUP_PERSON_PLACES_MAX);
        while ((!found || !elsewhere) && dedup_mention_walk_next(&walk, &spot, &stored)) {
                if (spot.seq != m->referral.seq) {
                        elsewhere = elsewhere || dedup_referral_stands(view, &m->from, spot.seq);
                } else if (dedup_features_unpack(stored, &one.features)) {
                        one.who.index = spot.index;
                        found = true;
                }
        }
        if (!found || m->people_count == DOOR_PEOPLE_MAX) {
                return;
        }
        one.named_elsewhere = elsewhere || walk.scan.truncated;
        one.adopted = is_keyless(view, &one.features, person);
        one.settled = !one.named_elsewhere; /* Nobody else speaks of them here: they go along. */
        size_t at = m->people_count++;
        while (at > 0 && m->people[at - 1].who.index > one.who.index) {
                m->people[at] = m->people[at - 1];
                at--;
        }
        m->people[at] = one;
}

static bool people_find(move *m)
{
        dedup_member members[DEDUP_FAMILY_MEMBERS_MAX];
        bool all = true;
        const size_t count =
                dedup_members_of(m->asked->view, &m->from, members, DEDUP_FAMILY_MEMBERS_MAX, &all);

        m->people = door_arena_take(m->asked->out->arena, DOOR_PEOPLE_MAX * sizeof *m->people);
        for (size_t i = 0; i < count && m->people != NULL; i++) {
                named_find(m, &members[i].person);
        }
        return m->people != NULL;
}

static bool is_taken(const move *m, const door_id *person)
{
        for (size_t i = 0; i < m->people_count; i++) {
                if (m->people[i].settled && door_id_equal(&m->people[i].who.person, person)) {
                        return true;
                }
        }
        return false;
}

typedef struct fit {
        uint16_t named;
        uint16_t member;
        int32_t total;
} fit;

static size_t fits_find(move *m, const dedup_member *members, size_t members_count, fit *fits)
{
        size_t count = 0;

        for (size_t i = 0; i < m->people_count; i++) {
                const named *one = &m->people[i];
                for (size_t k = 0; k < members_count && !one->settled && !one->adopted; k++) {
                        dedup_comparison c;
                        /* Without this very referral: it must not be what says where it belongs. */
                        if (members[k].life == one->features.life &&
                            dedup_person_compare(m->asked->view, &one->features, &members[k].person,
                                                 m->referral.seq, &c) &&
                            dedup_fits_member(m->asked->policy, &c)) {
                                fits[count++] = (fit){ (uint16_t)i, (uint16_t)k, c.total };
                        }
                }
        }
        return count;
}

/* Who is named in what stays behind, too, becomes the best-fitting member of the other family. */
static bool people_fit(move *m)
{
        dedup_member members[DEDUP_MEMBERS_MAX];
        bool all = true;
        const size_t known =
                m->to_is_new ? 0 : dedup_members_of(m->asked->view, &m->to, members, DEDUP_MEMBERS_MAX, &all);
        fit *fits = door_arena_take(m->asked->out->arena, (m->people_count * known + 1) * sizeof *fits);

        if (fits == NULL) {
                return false;
        }
        const size_t count = fits_find(m, members, known, fits);
        for (size_t round = 0; round < m->people_count; round++) {
                const fit *best = NULL;
                for (size_t i = 0; i < count; i++) {
                        if (!m->people[fits[i].named].settled &&
                            !is_taken(m, &members[fits[i].member].person) &&
                            (best == NULL || fits[i].total > best->total)) {
                                best = &fits[i];
                        }
                }
                if (best == NULL) {
                        break;
                }
                m->people[best->named].who.person = members[best->member].person;
                m->people[best->named].settled = true;
        }
        for (size_t i = 0; i < m->people_count; i++) {
                if (!m->people[i].settled) {
                        m->people[i].who.person =
                                door_id_make(m->asked->input->random, DOOR_ID_PERSON, m->people[i].who.index);
                        m->people[i].settled = true;
                }
        }
        return true;
}

static void move_emit(move *m)
{
        const dedup_move_body *body = m->asked->input->body;
        door_out *out = m->asked->out;
        dedup_moved *moved = BODY(out, dedup_moved);
        dedup_reassigned *people = door_arena_take(out->arena, (m->people_count + 1) * sizeof *people);
        door_id *children = door_arena_take(out->arena, DEDUP_MOVED_CHILDREN_MAX * sizeof *children);

        if (moved == NULL || people == NULL || children == NULL) {
                return;
        }
        *moved = (dedup_moved){ .referral = body->referral,
                                .from = m->from,
                                .to = m->to,
                                .to_is_new = m->to_is_new,
                                .children = children,
                                .people_count = m->people_count,
                                .people = people,
                                .why = { body->reason, body->second_person } };
        for (size_t i = 0; i < m->people_count; i++) {
                people[i] = m->people[i].who;
                if (dedup_is_child(m->people[i].features.life) &&
                    moved->children_count < DEDUP_MOVED_CHILDREN_MAX) {
                        children[moved->children_count++] = people[i].person;
                }
        }
        door_event *event = door_out_event(out, DEDUP_REFERRAL_MOVED, moved);
        if (event != NULL) {
                door_event_subject(event, DOOR_ID_REFERRAL, &moved->referral);
                door_event_subject(event, DOOR_ID_FAMILY, &moved->from);
                door_event_subject(event, DOOR_ID_FAMILY, &moved->to);
        }
}

static bool move_may(move *m)
{
        asked *a = m->asked;
        const dedup_move_body *body = a->input->body;

        if (!need_reason(a, body->reason) || !need_family(a, &body->from, "/from", &m->from) ||
            (body->has_to && !need_family(a, &body->to, "/to", &m->to))) {
                return false;
        }
        if (!dedup_referral_get(a->view, &body->referral, &m->referral)) {
                return refuse(a, REASON_NO_SUCH, "/referral", "there is no such referral");
        }
        if (!door_id_equal(&m->referral.family, &m->from)) {
                return refuse(a, DEDUP_NOT_IN_FAMILY, "/referral", "it stands in another family");
        }
        if (!m->to_is_new && door_id_equal(&m->from, &m->to)) {
                return refuse(a, DEDUP_SAME_FAMILY, "/to", "it stands there already");
        }
        if (!m->to_is_new && referrals_count(a->view, &m->to) >= DEDUP_JOINED_REFERRALS_MAX) {
                return refuse(a, DEDUP_TOO_MANY, "/to", "the family would have over 200 referrals");
        }
        if (members_count(a->view, &m->from) > DEDUP_FAMILY_MEMBERS_MAX) {
                return refuse(a, DEDUP_TOO_MANY, "/from", "the family has over 256 people");
        }
        if (!is_second(a, body->second_person) &&
            (is_delicate(a->view, &m->from) || (!m->to_is_new && is_delicate(a->view, &m->to)))) {
                return refuse(a, DEDUP_SECOND_PERSON_NEEDED, "/second_person",
                              "this move takes a second person");
        }
        return true;
}

static void move_referral(asked *a)
{
        const dedup_move_body *body = a->input->body;
        move m = { .asked = a,
                   .to_is_new = !body->has_to,
                   .to = door_id_make(a->input->random, DOOR_ID_FAMILY, 0) };

        if (move_may(&m) && people_find(&m) && people_fit(&m)) {
                move_emit(&m);
        }
}

/* ---- */

static bool is_front_door(const door_actor *actor)
{
        return door_bytes_equal(actor->role, door_bytes_of("triage")) ||
               door_bytes_equal(actor->role, door_bytes_of("manager"));
}

void dedup_obey(door_view *view, const dedup_policy *policy, const door_input *input, door_out *out)
{
        asked a = { .view = view, .policy = policy, .input = input, .out = out };

        if (policy == NULL) {
                out->retry = RETRY_NOT_READY;
                return;
        }
        if (!door_actor_read(input->actor, &a.actor)) {
                (void)refuse(&a, REASON_NOT_ALLOWED, "/actor", "the actor is no person with a role");
                return;
        }
        if (!policy->training) {
                (void)refuse(&a, DEDUP_TRAINING_ONLY, "/actor", "acting for somebody works in training only");
                return;
        }
        if (!is_front_door(&a.actor)) {
                (void)refuse(&a, REASON_NOT_ALLOWED, "/actor",
                             "that is for the front door: role triage or manager");
                return;
        }
        switch ((dedup_command)input->type) {
        case DEDUP_ANSWER_REVIEW:
                answer_review(&a);
                break;
        case DEDUP_JOIN_FAMILIES:
                join_families(&a);
                break;
        case DEDUP_UNDO_JOIN:
                undo_join(&a);
                break;
        case DEDUP_MOVE_REFERRAL:
                move_referral(&a);
                break;
        }
}
