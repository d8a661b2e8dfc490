#include "triage/triage_codec.h"

#include <string.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "shell/proto_arena.h"
#include "triage/triage_records.h"
#include "triage/triage_rules.h"
#include "triage/triage_words.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(TRIAGE_INPUT_MATCHED, DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MATCHED);
SAME(TRIAGE_INPUT_ACCEPTED, DOOR__V1__ALLOT_EVENT__ALLOT_ACCEPTED);
SAME(TRIAGE_INPUT_RETURNED, DOOR__V1__ALLOT_EVENT__ALLOT_RETURNED);
SAME(TRIAGE_INPUT_REVIEW_ANSWERED, DOOR__V1__DEDUP_EVENT__DEDUP_REVIEW_ANSWERED);
SAME(TRIAGE_INPUT_REFERRAL_MOVED, DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MOVED);
SAME(TRIAGE_INPUT_OWNER_FOLDED, DOOR__V1__ALLOT_EVENT__ALLOT_FOLDED);
SAME(TRIAGE_INPUT_OWNER_RESTORED, DOOR__V1__ALLOT_EVENT__ALLOT_RESTORED);
SAME(TRIAGE_TAKE, DOOR__V1__TRIAGE_COMMAND__TRIAGE_TAKE);
SAME(TRIAGE_REOPEN, DOOR__V1__TRIAGE_COMMAND__TRIAGE_REOPEN);
SAME(TRIAGE_EPISODE_OPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_EPISODE_OPENED);
SAME(TRIAGE_LOOK_LISTED, DOOR__V1__TRIAGE_EVENT__TRIAGE_LOOK_LISTED);
SAME(TRIAGE_OVERTAKEN, DOOR__V1__TRIAGE_EVENT__TRIAGE_OVERTAKEN);
SAME(TRIAGE_EPISODE_FOLDED, DOOR__V1__TRIAGE_EVENT__TRIAGE_FOLDED);
SAME(TRIAGE_MATCH_SETTLED, DOOR__V1__TRIAGE_EVENT__TRIAGE_MATCH_SETTLED);
SAME(TRIAGE_TAKEN_BY_OTHER, DOOR__V1__TRIAGE_REFUSAL__TRIAGE_TAKEN_BY_OTHER);
SAME(TRIAGE_TRAINING_ONLY, DOOR__V1__TRIAGE_REFUSAL__TRIAGE_TRAINING_ONLY);
SAME(TRIAGE_QUEUED, DOOR__V1__EPISODE_STATE__EPISODE_QUEUED);
SAME(TRIAGE_FOLDED, DOOR__V1__EPISODE_STATE__EPISODE_FOLDED);
SAME(TRIAGE_LOOK_NOW, DOOR__V1__REPEAT_WAY__WAY_LOOK_NOW);
SAME(TRIAGE_TAKE_PUT_BACK, DOOR__V1__TAKE_END__TAKE_PUT_BACK);
SAME(TRIAGE_IMMEDIATE_PROTECTION, DOOR__V1__NEXT_STEP__NEXT_IMMEDIATE_PROTECTION);
SAME(TRIAGE_NO_FURTHER_ACTION, DOOR__V1__NEXT_STEP__NEXT_NO_FURTHER_ACTION);
SAME(TRIAGE_NOT_THIS_FAMILY, DOOR__V1__LOOK_ANSWER__LOOK_NOT_THIS_FAMILY);
SAME(TRIAGE_FAMILY_NOT_SURE, DOOR__V1__THIS_FAMILY__THIS_FAMILY_NOT_SURE);
SAME(TRIAGE_BEFORE_THIS_SYSTEM, DOOR__V1__CLOSE_OUTCOME__CLOSE_BEFORE_THIS_SYSTEM);
SAME(TRIAGE_WHY_NO_WORKER, DOOR__V1__REPEAT_REASON__WHY_NO_WORKER);
SAME(TRIAGE_WHY_NEW_ADULT, DOOR__V1__REPEAT_REASON__WHY_NEW_ADULT);
SAME(TRIAGE_WHY_SUBJECT_ELSEWHERE, DOOR__V1__REPEAT_REASON__WHY_SUBJECT_ELSEWHERE);
SAME(TRIAGE_WHY_MOVED, DOOR__V1__REPEAT_REASON__WHY_MOVED);
SAME(TRIAGE_GRADE_RED, DOOR__V1__GRADE__GRADE_RED);
SAME(TRIAGE_GRADE_BLUE, DOOR__V1__GRADE__GRADE_BLUE);
SAME(TRIAGE_AGE_UNDER_1, DOOR__V1__AGE_BAND__AGE_UNDER_1);
SAME(TRIAGE_AGE_16_TO_17, DOOR__V1__AGE_BAND__AGE_16_TO_17);
SAME(TRIAGE_FLAG_INJURY, DOOR__V1__FLAG__FLAG_INJURY);
SAME(TRIAGE_FLAG_STEP_UP, DOOR__V1__FLAG__FLAG_STEP_UP);
SAME(TRIAGE_FLAG_MISSED_APPOINTMENTS, DOOR__V1__FLAG__FLAG_MISSED_APPOINTMENTS);
SAME(TRIAGE_FACT_DISABLED, DOOR__V1__PERSON_FACT__PERSON_DISABLED);
SAME(TRIAGE_FACT_WORKS_WITH_CHILDREN, DOOR__V1__PERSON_FACT__PERSON_WORKS_WITH_CHILDREN);
SAME(TRIAGE_FACT_DISCLOSED, DOOR__V1__PERSON_FACT__PERSON_DISCLOSED);
SAME(TRIAGE_CATEGORY_EXPLOITATION, DOOR__V1__CATEGORY__CATEGORY_EXPLOITATION);
SAME(TRIAGE_CATEGORY_TRAFFICKING, DOOR__V1__CATEGORY__CATEGORY_TRAFFICKING);
SAME(TRIAGE_CATEGORY_MISSED_APPOINTMENTS, DOOR__V1__CATEGORY__CATEGORY_MISSED_APPOINTMENTS);

/* ---- inputs */

static bool is_child(const Door__V1__MatchedPerson *p)
{
        return p->role == DOOR__V1__ROLE__ROLE_INDEX_CHILD || p->role == DOOR__V1__ROLE__ROLE_SIBLING ||
               p->role == DOOR__V1__ROLE__ROLE_UNBORN || p->role == DOOR__V1__ROLE__ROLE_OTHER_CHILD;
}

static void routing_learn(triage_routing *routing, const Door__V1__MatchedPerson *p, uint64_t categories)
{
        const uint64_t risks = TRIAGE_BIT(TRIAGE_CATEGORY_EXPLOITATION) |
                               TRIAGE_BIT(TRIAGE_CATEGORY_MISSING) |
                               TRIAGE_BIT(TRIAGE_CATEGORY_HARMFUL_SEXUAL);

        routing->age_bands |= (uint16_t)(1u << p->age_band);
        if ((p->facts_yes & TRIAGE_BIT(TRIAGE_FACT_DISABLED)) != 0) {
                routing->flags |= TRIAGE_ROUTE_DISABILITY;
        }
        if ((p->facts_yes & (TRIAGE_BIT(TRIAGE_FACT_IN_CARE) | TRIAGE_BIT(TRIAGE_FACT_UNACCOMPANIED))) != 0) {
                routing->flags |= TRIAGE_ROUTE_IN_CARE;
        }
        if ((p->facts_yes & TRIAGE_BIT(TRIAGE_FACT_CARE_LEAVER)) != 0) {
                routing->flags |= TRIAGE_ROUTE_CARE_LEAVER;
        }
        if (p->age_band == DOOR__V1__AGE_BAND__AGE_UNBORN) {
                routing->flags |= TRIAGE_ROUTE_UNBORN;
        }
        if ((categories & risks) != 0 && p->age_band == DOOR__V1__AGE_BAND__AGE_11_TO_15) {
                routing->flags |= TRIAGE_ROUTE_ADOLESCENT;
        }
}

static door_status people_decode(const Door__V1__ReferralMatched *in, triage_matched *m, door_arena *arena)
{
        triage_person *people = door_arena_take_zeroed(arena, in->n_person + 1, sizeof *people);

        if (people == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_person; i++) {
                const Door__V1__MatchedPerson *p = in->person[i];
                if (!triage_id_of(p->person, &people[i].person) ||
                    (unsigned)p->age_band >= TRIAGE_AGE_BANDS) {
                        return DOOR_MALFORMED;
                }
                people[i].child = is_child(p);
                people[i].age_band = (uint8_t)p->age_band;
                people[i].new_to_family = p->new_to_family;
                people[i].new_address = p->new_address;
                people[i].alleged = p->alleged_to_have_caused_harm;
                people[i].facts_yes = p->facts_yes;
                people[i].facts_cannot_tell = p->facts_cannot_tell;
                if (people[i].child) {
                        routing_learn(&m->routing, p, m->categories);
                }
        }
        m->people = people;
        m->people_count = in->n_person;
        return DOOR_OK;
}

static door_status matched_decode(door_bytes payload, door_arena *arena, const void **ret_body)
{
        Door__V1__ReferralMatched *in = NULL;
        triage_matched *m = door_arena_take_zeroed(arena, 1, sizeof *m);

        if (m == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status =
                door_proto_read(&door__v1__referral_matched__descriptor, payload, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        m->agency = door_proto_text(in->agency);
        m->sent_at_ms = in->sent_at_ms;
        m->received_at_ms = in->received_at_ms;
        m->grade = (uint8_t)in->grade;
        m->historic = in->historic;
        m->uncertain = in->decision == DOOR__V1__DECISION__DECISION_REVIEW;
        m->doubted = in->n_doubt > 0;
        m->unmentioned = in->n_unmentioned_child > 0;
        m->level_asked = in->level_asked > UINT8_MAX ? UINT8_MAX : (uint8_t)in->level_asked;
        m->public_or_anonymous =
                in->anonymous || in->sender_kind > DOOR__V1__SENDER_KIND__SENDER_PROFESSIONAL;
        m->has_resend = in->has_probable_resend_of;
        for (size_t i = 0; i < in->n_category; i++) {
                m->categories |= TRIAGE_BIT((unsigned)in->category[i] % TRIAGE_BITS_MAX);
        }
        for (size_t i = 0; i < in->n_flags; i++) {
                m->flags |= TRIAGE_BIT((unsigned)in->flags[i] % TRIAGE_BITS_MAX);
        }
        for (size_t i = 0; i < in->n_adult_known_elsewhere; i++) {
                const Door__V1__AdultKnownElsewhere *adult = in->adult_known_elsewhere[i];
                m->elsewhere_dangerous = m->elsewhere_dangerous || adult->dangerous ||
                                         adult->no_contact_condition ||
                                         adult->parent_of_removed_or_protected_child;
        }
        m->routing.flags = in->out_of_county ? TRIAGE_ROUTE_OUT_OF_COUNTY : 0;
        if (!triage_id_of(in->referral, &m->referral) || !triage_id_of(in->family, &m->family) ||
            (m->has_resend && !triage_id_of(in->probable_resend_of, &m->resend_of)) ||
            !triage_district_set(in->district, &m->routing)) {
                return DOOR_MALFORMED;
        }
        *ret_body = m;
        return people_decode(in, m, arena);
}

static door_status allotted_decode(uint32_t type, door_bytes payload, door_arena *arena,
                                   const void **ret_body)
{
        triage_allotted *allotted = door_arena_take_zeroed(arena, 1, sizeof *allotted);
        Door__V1__OfferAccepted *accepted = NULL;
        Door__V1__OfferReturned *returned = NULL;
        door_status status;

        if (allotted == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (type == TRIAGE_INPUT_ACCEPTED) {
                status = door_proto_read(&door__v1__offer_accepted__descriptor, payload, arena, &accepted);
        } else {
                status = door_proto_read(&door__v1__offer_returned__descriptor, payload, arena, &returned);
        }
        if (status != DOOR_OK) {
                return status;
        }
        allotted->episode_version = accepted != NULL ? accepted->episode_version : returned->episode_version;
        allotted->team = door_proto_text(accepted != NULL ? accepted->team : returned->team);
        allotted->hand_over = returned != NULL && returned->hand_over;
        allotted->keeps = returned != NULL && strcmp(returned->owner, returned->team) == 0;
        if (allotted->team.len == 0 || allotted->team.len >= DOOR_NAME_BYTES_MAX ||
            !triage_id_of(accepted != NULL ? accepted->episode : returned->episode, &allotted->episode)) {
                return DOOR_MALFORMED;
        }
        *ret_body = allotted;
        return DOOR_OK;
}

static door_status owned_decode(uint32_t type, door_bytes payload, door_arena *arena, const void **ret_body)
{
        triage_owned *owned = door_arena_take_zeroed(arena, 1, sizeof *owned);
        Door__V1__OwnershipFolded *folded = NULL;
        Door__V1__OwnershipRestored *restored = NULL;
        bool fits = false;

        if (owned == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status =
                type == TRIAGE_INPUT_OWNER_FOLDED
                        ? door_proto_read(&door__v1__ownership_folded__descriptor, payload, arena, &folded)
                        : door_proto_read(&door__v1__ownership_restored__descriptor, payload, arena,
                                          &restored);
        if (status != DOOR_OK) {
                return status;
        }
        if (folded != NULL) {
                owned->episode_version = folded->to_version;
                owned->owner = door_proto_text(folded->owner);
                owned->accepted = folded->accepted;
                fits = triage_id_of(folded->to, &owned->episode);
        } else {
                owned->episode_version = restored->episode_version;
                owned->owner = door_proto_text(restored->owner);
                owned->accepted = restored->accepted;
                fits = triage_id_of(restored->episode, &owned->episode);
        }
        *ret_body = owned;
        return fits && owned->owner.len > 0 && owned->owner.len < DOOR_NAME_BYTES_MAX ? DOOR_OK
                                                                                      : DOOR_MALFORMED;
}

static bool assigned_decode(const Door__V1__JoinUndone *in, triage_regrouped *said, door_arena *arena)
{
        triage_assigned *assigned = door_arena_take(arena, (in->n_assignment + 1) * sizeof *assigned);

        if (assigned == NULL || in->n_assignment > TRIAGE_ASSIGNED_MAX) {
                return false;
        }
        for (size_t i = 0; i < in->n_assignment; i++) {
                if (!triage_id_of(in->assignment[i]->referral, &assigned[i].referral) ||
                    !triage_id_of(in->assignment[i]->family, &assigned[i].family)) {
                        return false;
                }
        }
        said->assigned = assigned;
        said->assigned_count = in->n_assignment;
        return true;
}

/* What deduplication says that a person said. */
static door_status regrouped_decode(uint32_t type, door_bytes payload, door_arena *arena,
                                    const void **ret_body)
{
        triage_regrouped *said = door_arena_take_zeroed(arena, 1, sizeof *said);
        Door__V1__ReviewAnswered *answered = NULL;
        Door__V1__FamiliesJoined *joined = NULL;
        Door__V1__JoinUndone *undone = NULL;
        Door__V1__ReferralMoved *moved = NULL;
        door_status status;
        bool fits = false;

        if (said == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = said;
        switch (type) {
        case TRIAGE_INPUT_FAMILIES_JOINED:
                status = door_proto_read(&door__v1__families_joined__descriptor, payload, arena, &joined);
                fits = status == DOOR_OK && triage_id_of(joined->join, &said->join) &&
                       triage_id_of(joined->from, &said->from) && triage_id_of(joined->to, &said->to);
                break;
        case TRIAGE_INPUT_JOIN_UNDONE:
                status = door_proto_read(&door__v1__join_undone__descriptor, payload, arena, &undone);
                fits = status == DOOR_OK && triage_id_of(undone->join, &said->join) &&
                       triage_id_of(undone->from, &said->from) && triage_id_of(undone->to, &said->to) &&
                       assigned_decode(undone, said, arena);
                break;
        case TRIAGE_INPUT_REFERRAL_MOVED:
                status = door_proto_read(&door__v1__referral_moved__descriptor, payload, arena, &moved);
                fits = status == DOOR_OK && triage_id_of(moved->referral, &said->referral) &&
                       triage_id_of(moved->from, &said->from) && triage_id_of(moved->to, &said->to) &&
                       moved->n_child <= TRIAGE_CHILDREN_MAX;
                if (fits) {
                        said->children_count = moved->n_child;
                        (void)triage_ids_decode(moved->n_child, moved->child, arena, &said->children,
                                                &status);
                }
                break;
        case TRIAGE_INPUT_REVIEW_ANSWERED:
                status = door_proto_read(&door__v1__review_answered__descriptor, payload, arena, &answered);
                fits = status == DOOR_OK && triage_id_of(answered->referral, &said->referral);
                /* A log that does not say how many are open leaves the doubt. */
                said->still_open = fits && answered->has_still_open ? answered->still_open : UINT32_MAX;
                break;
        default:
                return DOOR_MALFORMED;
        }
        return status != DOOR_OK ? status : fits ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)version;
        if (log == TRIAGE_LOG_ALLOCATION) {
                return type == TRIAGE_INPUT_ACCEPTED || type == TRIAGE_INPUT_RETURNED
                               ? allotted_decode(type, payload, arena, ret_body)
                               : owned_decode(type, payload, arena, ret_body);
        }
        return type == TRIAGE_INPUT_MATCHED ? matched_decode(payload, arena, ret_body)
                                            : regrouped_decode(type, payload, arena, ret_body);
}

/* ---- commands */

static door_status decide_decode(door_bytes body, door_arena *arena, const void **ret_body)
{
        Door__V1__Decide *in = NULL;
        triage_decide_body *decide = door_arena_take_zeroed(arena, 1, sizeof *decide);

        if (decide == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__decide__descriptor, body, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        decide->level = in->level > UINT8_MAX ? UINT8_MAX : (uint8_t)in->level;
        decide->next_step = (uint8_t)in->next_step;
        decide->reason = door_proto_text(in->reason);
        decide->second_person = door_proto_text(in->second_person);
        decide->has_severity = in->has_severity;
        decide->severity = in->severity > UINT8_MAX ? UINT8_MAX : (uint8_t)in->severity;
        if (!triage_id_of(in->episode, &decide->episode) || in->next_step == DOOR__V1__NEXT_STEP__NEXT_NONE ||
            decide->second_person.len >= DOOR_NAME_BYTES_MAX) {
                return DOOR_MALFORMED;
        }
        *ret_body = decide;
        return DOOR_OK;
}

/* The small commands share a struct: whose episode, which referral, what answer, what was written. */
static door_status act_decode(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        triage_act *act = door_arena_take_zeroed(arena, 1, sizeof *act);
        Door__V1__EpisodeNamed *named = NULL;
        Door__V1__AnswerLook *look = NULL;
        Door__V1__Respond *respond = NULL;
        Door__V1__CloseEpisode *closing = NULL;
        Door__V1__ReopenEpisode *reopening = NULL;
        door_status status;
        bool fits = false;

        if (act == NULL) {
                return DOOR_NO_MEMORY;
        }
        switch (type) {
        case TRIAGE_TAKE:
        case TRIAGE_PUT_BACK:
                status = door_proto_read(&door__v1__episode_named__descriptor, body, arena, &named);
                fits = status == DOOR_OK && triage_id_of(named->episode, &act->episode);
                break;
        case TRIAGE_ANSWER_LOOK:
                status = door_proto_read(&door__v1__answer_look__descriptor, body, arena, &look);
                if (status == DOOR_OK) {
                        act->answer = (uint8_t)look->answer;
                        act->text = door_proto_text(look->reason);
                        fits = act->answer != 0 && triage_id_of(look->episode, &act->episode) &&
                               triage_id_of(look->referral, &act->referral);
                }
                break;
        case TRIAGE_RESPOND:
                status = door_proto_read(&door__v1__respond__descriptor, body, arena, &respond);
                if (status == DOOR_OK) {
                        act->answer = (uint8_t)respond->this_family;
                        act->text = door_proto_text(respond->will_do);
                        act->has_children_seen = respond->has_children_seen;
                        act->children_seen = respond->children_seen;
                        fits = act->answer != 0 && triage_id_of(respond->episode, &act->episode) &&
                               triage_id_of(respond->referral, &act->referral);
                }
                break;
        case TRIAGE_CLOSE:
                status = door_proto_read(&door__v1__close_episode__descriptor, body, arena, &closing);
                if (status == DOOR_OK) {
                        act->answer = (uint8_t)closing->outcome;
                        act->text = door_proto_text(closing->reason);
                        fits = triage_id_of(closing->episode, &act->episode);
                }
                break;
        case TRIAGE_REOPEN:
                status = door_proto_read(&door__v1__reopen_episode__descriptor, body, arena, &reopening);
                if (status == DOOR_OK) {
                        act->text = door_proto_text(reopening->reason);
                        fits = triage_id_of(reopening->episode, &act->episode);
                }
                break;
        default:
                return DOOR_MALFORMED;
        }
        *ret_body = act;
        return status != DOOR_OK ? status : fits ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        return type == TRIAGE_DECIDE ? decide_decode(body, arena, ret_body)
                                     : act_decode(type, body, arena, ret_body);
}

/* Where the episode stands after the record that answers; of a lease, until when. */
static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        Door__V1__TriageAnswer out = DOOR__V1__TRIAGE_ANSWER__INIT;
        const triage_take *taken = event->body;
        const triage_decided *decided = event->body;
        const triage_looked *looked = event->body;
        const triage_moved *moved = event->body;

        switch (event->type) {
        case TRIAGE_TAKEN:
        case TRIAGE_TAKE_ENDED:
                out.episode = triage_data_of(&taken->episode);
                out.has_until_ms = taken->until_ms != 0;
                out.until_ms = taken->until_ms;
                break;
        case TRIAGE_DECIDED:
                out.episode = triage_data_of(&decided->episode);
                out.has_version = 1;
                out.version = decided->version;
                out.has_state = 1;
                out.state = (Door__V1__EpisodeState)decided->state;
                break;
        case TRIAGE_LOOK_ANSWERED:
        case TRIAGE_RESPONDED:
                out.episode = triage_data_of(&looked->episode);
                out.has_version = looked->version != 0;
                out.version = looked->version;
                out.has_state = looked->state != TRIAGE_NONE;
                out.state = (Door__V1__EpisodeState)looked->state;
                break;
        case TRIAGE_CLOSED:
                out.episode = triage_data_of(&moved->episode);
                out.has_version = 1;
                out.version = moved->version;
                out.has_state = 1;
                out.state = DOOR__V1__EPISODE_STATE__EPISODE_CLOSED;
                break;
        case TRIAGE_REOPENED:
                out.episode = triage_data_of(&moved->episode);
                out.has_version = 1;
                out.version = moved->version;
                out.has_state = 1;
                out.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
                break;
        case TRIAGE_OVERTAKEN:
                out.episode = triage_data_of(&moved->episode);
                out.has_version = 1;
                out.version = moved->version;
                out.has_overtaken = 1;
                out.overtaken = 1;
                break;
        default:
                *ret_body = DOOR_BYTES_EMPTY; /* No command leaves the others first. */
                return DOOR_OK;
        }
        return door_proto_pack(&out, arena, ret_body);
}

/* ---- policy */

static bool floors_copy(size_t count, const triage_floor *floors, door_arena *arena,
                        const triage_floor **ret_floors)
{
        triage_floor *copy = door_arena_take(arena, (count + 1) * sizeof *copy);

        if (copy == NULL) {
                return false;
        }
        memcpy(copy, floors, count * sizeof *copy);
        *ret_floors = copy;
        return true;
}

static door_status floors_decode(const Door__V1__TriagePolicy *in, door_arena *arena, triage_policy *policy)
{
        triage_floor floors[TRIAGE_FLOORS_MAX];

        if (in->n_category_floor > TRIAGE_FLOORS_MAX || in->n_flag_floor > TRIAGE_FLOORS_MAX) {
                return DOOR_MALFORMED;
        }
        for (size_t i = 0; i < in->n_category_floor; i++) {
                floors[i] = (triage_floor){ (uint32_t)in->category_floor[i]->category,
                                            (uint8_t)in->category_floor[i]->severity };
        }
        policy->category_floors_count = in->n_category_floor;
        if (!floors_copy(in->n_category_floor, floors, arena, &policy->category_floors)) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_flag_floor; i++) {
                floors[i] = (triage_floor){ (uint32_t)in->flag_floor[i]->flag,
                                            (uint8_t)in->flag_floor[i]->severity };
        }
        policy->flag_floors_count = in->n_flag_floor;
        return floors_copy(in->n_flag_floor, floors, arena, &policy->flag_floors) ? DOOR_OK : DOOR_NO_MEMORY;
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        Door__V1__TriagePolicy *in = NULL;
        triage_policy *policy = door_arena_take(arena, sizeof *policy);

        if (policy == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_read(&door__v1__triage_policy__descriptor, content, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        *policy = (triage_policy){
                .training = in->training,
                .replay_history = in->replay_history,
                .historic_episode_days = in->historic_episode_days,
                .severity_red = (uint8_t)in->severity_red,
                .severity_amber = (uint8_t)in->severity_amber,
                .severity_green = (uint8_t)in->severity_green,
                .severity_ungraded = (uint8_t)in->severity_ungraded,
                .red_from = (uint8_t)in->red_from,
                .amber_from = (uint8_t)in->amber_from,
                .rag_red_min = in->rag_red_min,
                .rag_amber_min = in->rag_amber_min,
                .rag_green_min = in->rag_green_min,
                .lease_min = in->lease_min,
                .respond_red_min = in->respond_red_min,
                .respond_amber_working_min = in->respond_amber_working_min,
                .respond_green_working_min = in->respond_green_working_min,
                .working = triage_policy_default.working,
        };
        if (in->severity_red > TRIAGE_SEVERITY_MAX || in->severity_amber > TRIAGE_SEVERITY_MAX ||
            in->severity_green > TRIAGE_SEVERITY_MAX || in->severity_ungraded > TRIAGE_SEVERITY_MAX ||
            in->red_from > TRIAGE_SEVERITY_MAX || in->amber_from > in->red_from) {
                return DOOR_MALFORMED;
        }
        if (in->working != NULL) {
                policy->working.from_min = in->working->from_min;
                policy->working.to_min = in->working->to_min;
                policy->working.holidays = in->working->holiday;
                policy->working.holidays_count = in->working->n_holiday;
        }
        *ret_policy = policy;
        return floors_decode(in, arena, policy);
}

static const door_consumed consumes[] = {
        { TRIAGE_LOG_DEDUPLICATION, TRIAGE_INPUT_MATCHED },
        { TRIAGE_LOG_DEDUPLICATION, TRIAGE_INPUT_REVIEW_ANSWERED },
        { TRIAGE_LOG_DEDUPLICATION, TRIAGE_INPUT_FAMILIES_JOINED },
        { TRIAGE_LOG_DEDUPLICATION, TRIAGE_INPUT_JOIN_UNDONE },
        { TRIAGE_LOG_DEDUPLICATION, TRIAGE_INPUT_REFERRAL_MOVED },
        { TRIAGE_LOG_ALLOCATION, TRIAGE_INPUT_ACCEPTED },
        { TRIAGE_LOG_ALLOCATION, TRIAGE_INPUT_RETURNED },
        { TRIAGE_LOG_ALLOCATION, TRIAGE_INPUT_OWNER_FOLDED },
        { TRIAGE_LOG_ALLOCATION, TRIAGE_INPUT_OWNER_RESTORED },
};

/*
 * FAMILIES_RELATED and AMENDMENT_MATCHED, which nobody records yet, are not here on purpose: a reader
 * that passed over them would leave children in the wrong episode without a word.
 */
static const door_known knows[] = {
        { TRIAGE_LOG_DEDUPLICATION, DOOR__V1__DEDUP_EVENT__DEDUP_EXPLAINED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_OWNER_NAMED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_OFFERED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_OFFER_PLACED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_UNROUTED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_HAND_OVER_OFFERED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_ENDED },
        { TRIAGE_LOG_ALLOCATION, DOOR__V1__ALLOT_EVENT__ALLOT_OVERTAKEN },
};

const door_core_ops triage_ops = {
        .name = "triage",
        .log = DOOR__V1__LOG__TRIAGE,
        .consumes = consumes,
        .consumes_count = sizeof consumes / sizeof consumes[0],
        .knows = knows,
        .knows_count = sizeof knows / sizeof knows[0],
        .decode_input = decode_input,
        .decode_command = decode_command,
        .encode_event = triage_record_encode,
        .decode_event = triage_record_decode,
        .decode_policy = decode_policy,
        .encode_answer = encode_answer,
        .decide = triage_decide,
        .apply = triage_apply,
        .next_deadline = triage_next_deadline,
};
