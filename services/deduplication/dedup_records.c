#include "deduplication/dedup_records.h"

#include "door/v1/deduplication.pb-c.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(DEDUP_ANSWER_REVIEW, DOOR__V1__DEDUP_COMMAND__DEDUP_ANSWER_REVIEW);
SAME(DEDUP_JOIN_FAMILIES, DOOR__V1__DEDUP_COMMAND__DEDUP_JOIN_FAMILIES);
SAME(DEDUP_UNDO_JOIN, DOOR__V1__DEDUP_COMMAND__DEDUP_UNDO_JOIN);
SAME(DEDUP_MOVE_REFERRAL, DOOR__V1__DEDUP_COMMAND__DEDUP_MOVE_REFERRAL);
SAME(DEDUP_REVIEW_ANSWERED, DOOR__V1__DEDUP_EVENT__DEDUP_REVIEW_ANSWERED);
SAME(DEDUP_FAMILIES_JOINED, DOOR__V1__DEDUP_EVENT__DEDUP_FAMILIES_JOINED);
SAME(DEDUP_JOIN_UNDONE, DOOR__V1__DEDUP_EVENT__DEDUP_JOIN_UNDONE);
SAME(DEDUP_REFERRAL_MOVED, DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MOVED);
SAME(DEDUP_REVIEW_NOT_OPEN, DOOR__V1__DEDUP_REFUSAL__DEDUP_REVIEW_NOT_OPEN);
SAME(DEDUP_SAME_FAMILY, DOOR__V1__DEDUP_REFUSAL__DEDUP_SAME_FAMILY);
SAME(DEDUP_JOIN_NOT_THERE, DOOR__V1__DEDUP_REFUSAL__DEDUP_JOIN_NOT_THERE);
SAME(DEDUP_SECOND_PERSON_NEEDED, DOOR__V1__DEDUP_REFUSAL__DEDUP_SECOND_PERSON_NEEDED);
SAME(DEDUP_ASSIGNMENT_INCOMPLETE, DOOR__V1__DEDUP_REFUSAL__DEDUP_ASSIGNMENT_INCOMPLETE);
SAME(DEDUP_NOT_IN_FAMILY, DOOR__V1__DEDUP_REFUSAL__DEDUP_NOT_IN_FAMILY);
SAME(DEDUP_TOO_MANY, DOOR__V1__DEDUP_REFUSAL__DEDUP_TOO_MANY);
SAME(DEDUP_TRAINING_ONLY, DOOR__V1__DEDUP_REFUSAL__DEDUP_TRAINING_ONLY);
SAME(DEDUP_VERDICT_SAME, DOOR__V1__VERDICT__VERDICT_SAME);
SAME(DEDUP_VERDICT_DIFFERENT, DOOR__V1__VERDICT__VERDICT_DIFFERENT);
SAME(DEDUP_VERDICT_UNSURE, DOOR__V1__VERDICT__VERDICT_UNSURE);

static bool id_of(ProtobufCBinaryData data, door_id *ret_id)
{
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

static ProtobufCBinaryData data_of(const door_id *id)
{
        return door_proto_data(door_id_bytes(id));
}

static bool verdict_is_one(Door__V1__Verdict verdict)
{
        return verdict >= DOOR__V1__VERDICT__VERDICT_SAME && verdict <= DOOR__V1__VERDICT__VERDICT_UNSURE;
}

/* ---- assignments, of a command and of a record */

static door_status assignments_decode(Door__V1__Assignment *const *in, size_t count, door_arena *arena,
                                      const dedup_assignment **ret_assignments)
{
        dedup_assignment *assignments = door_arena_take(arena, (count + 1) * sizeof *assignments);

        if (assignments == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < count; i++) {
                if (!id_of(in[i]->referral, &assignments[i].referral) ||
                    !id_of(in[i]->family, &assignments[i].family)) {
                        return DOOR_MALFORMED;
                }
        }
        *ret_assignments = assignments;
        return DOOR_OK;
}

static Door__V1__Assignment **assignments_encode(const dedup_undone *undone, door_arena *arena)
{
        const size_t count = undone->assignments_count;
        Door__V1__Assignment *out = door_arena_take(arena, (count + 1) * sizeof *out);
        Door__V1__Assignment **pointers = door_arena_take(arena, (count + 1) * sizeof *pointers);

        for (size_t i = 0; i < count && pointers != NULL; i++) {
                door__v1__assignment__init(&out[i]);
                out[i].referral = data_of(&undone->assignments[i].referral);
                out[i].family = data_of(&undone->assignments[i].family);
                pointers[i] = &out[i];
        }
        return pointers;
}

/* ---- commands */

static door_status answer_decode(door_bytes body, door_arena *arena, dedup_answer_body *answer)
{
        Door__V1__AnswerReview *in = NULL;
        const door_status status = door_proto_read(&door__v1__answer_review__descriptor, body, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        answer->verdict = (dedup_verdict)in->verdict;
        answer->reason = door_proto_text(in->reason);
        return verdict_is_one(in->verdict) && id_of(in->review, &answer->review) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status join_decode(door_bytes body, door_arena *arena, dedup_join_body *join)
{
        Door__V1__JoinFamilies *in = NULL;
        const door_status status = door_proto_read(&door__v1__join_families__descriptor, body, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        join->reason = door_proto_text(in->reason);
        join->second_person = door_proto_text(in->second_person);
        return id_of(in->from, &join->from) && id_of(in->to, &join->to) &&
                               join->second_person.len < DOOR_NAME_BYTES_MAX
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status undo_decode(door_bytes body, door_arena *arena, dedup_undo_body *undo)
{
        Door__V1__UndoJoin *in = NULL;
        const door_status status = door_proto_read(&door__v1__undo_join__descriptor, body, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        undo->reason = door_proto_text(in->reason);
        undo->assignments_count = in->n_assignment;
        if (!id_of(in->join, &undo->join)) {
                return DOOR_MALFORMED;
        }
        return assignments_decode(in->assignment, in->n_assignment, arena, &undo->assignments);
}

static door_status move_decode(door_bytes body, door_arena *arena, dedup_move_body *move)
{
        Door__V1__MoveReferral *in = NULL;
        const door_status status = door_proto_read(&door__v1__move_referral__descriptor, body, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        move->reason = door_proto_text(in->reason);
        move->second_person = door_proto_text(in->second_person);
        move->has_to = in->has_to;
        return id_of(in->referral, &move->referral) && id_of(in->from, &move->from) &&
                               (!in->has_to || id_of(in->to, &move->to)) &&
                               move->second_person.len < DOOR_NAME_BYTES_MAX
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

door_status dedup_command_decode(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        union {
                dedup_answer_body answer;
                dedup_join_body join;
                dedup_undo_body undo;
                dedup_move_body move;
        } *command = door_arena_take_zeroed(arena, 1, sizeof *command);
        door_status status = DOOR_MALFORMED;

        if (command == NULL) {
                return DOOR_NO_MEMORY;
        }
        switch (type) {
        case DEDUP_ANSWER_REVIEW:
                status = answer_decode(body, arena, &command->answer);
                break;
        case DEDUP_JOIN_FAMILIES:
                status = join_decode(body, arena, &command->join);
                break;
        case DEDUP_UNDO_JOIN:
                status = undo_decode(body, arena, &command->undo);
                break;
        case DEDUP_MOVE_REFERRAL:
                status = move_decode(body, arena, &command->move);
                break;
        default:
                break;
        }
        if (status == DOOR_OK) {
                *ret_body = command;
        }
        return status;
}

/* ---- the private half: why, by whose leave, and who is who now */

static door_status why_encode(const dedup_why *why, const dedup_moved *moved, door_arena *arena,
                              door_bytes *ret_bytes)
{
        Door__V1__PersonsReassigned out = DOOR__V1__PERSONS_REASSIGNED__INIT;
        const size_t count = moved == NULL ? 0 : moved->people_count;
        Door__V1__PersonReassigned *people = door_arena_take(arena, (count + 1) * sizeof *people);
        Door__V1__PersonReassigned **pointers = door_arena_take(arena, (count + 1) * sizeof *pointers);

        out.reason = door_proto_string(arena, why->reason);
        out.second_person = door_proto_string(arena, why->second_person);
        if (arena->exhausted) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < count; i++) {
                const dedup_reassigned *from = &moved->people[i];
                door__v1__person_reassigned__init(&people[i]);
                people[i].referral = data_of(&moved->referral);
                people[i].index = from->index;
                people[i].person = data_of(&from->person);
                people[i].has_was = !door_id_equal(&from->person, &from->was);
                people[i].was = data_of(&from->was);
                pointers[i] = &people[i];
        }
        out.n_mention = count;
        out.mention = pointers;
        return door_proto_pack(&out, arena, ret_bytes);
}

static door_status people_decode(const Door__V1__PersonsReassigned *in, door_arena *arena, dedup_moved *moved)
{
        dedup_reassigned *people = door_arena_take(arena, (in->n_mention + 1) * sizeof *people);

        if (people == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_mention; i++) {
                const Door__V1__PersonReassigned *from = in->mention[i];
                door_id referral;
                if (from->index >= DOOR_PEOPLE_MAX || !id_of(from->person, &people[i].person) ||
                    !id_of(from->has_was ? from->was : from->person, &people[i].was) ||
                    !id_of(from->referral, &referral) || !door_id_equal(&referral, &moved->referral)) {
                        return DOOR_MALFORMED;
                }
                people[i].index = (uint16_t)from->index;
        }
        moved->people = people;
        moved->people_count = in->n_mention;
        return DOOR_OK;
}

/* moved is NULL for the records that change no person: those may then name none. */
static door_status why_decode(door_bytes bytes, door_arena *arena, dedup_why *why, dedup_moved *moved)
{
        Door__V1__PersonsReassigned *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__persons_reassigned__descriptor, bytes, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        if (in->n_mention > (moved == NULL ? 0 : DOOR_PEOPLE_MAX)) {
                return DOOR_MALFORMED;
        }
        why->reason = door_proto_text(in->reason);
        why->second_person = door_proto_text(in->second_person);
        return moved == NULL ? DOOR_OK : people_decode(in, arena, moved);
}

/* ---- records */

static door_status reviewed_encode(const dedup_reviewed *reviewed, door_arena *arena, door_bytes *ret_public,
                                   door_bytes *ret_private)
{
        Door__V1__ReviewAnswered out = DOOR__V1__REVIEW_ANSWERED__INIT;

        out.review = data_of(&reviewed->review);
        out.referral = data_of(&reviewed->referral);
        out.verdict = (Door__V1__Verdict)reviewed->verdict;
        out.family = data_of(&reviewed->family);
        out.candidate = data_of(&reviewed->candidate);
        out.has_family_now = reviewed->verdict == DEDUP_VERDICT_SAME;
        out.family_now = data_of(&reviewed->family_now);
        out.has_still_open = 1;
        out.still_open = reviewed->still_open;
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : why_encode(&reviewed->why, NULL, arena, ret_private);
}

static door_status reviewed_decode(door_bytes payload, door_bytes hidden, door_arena *arena,
                                   dedup_reviewed *reviewed)
{
        Door__V1__ReviewAnswered *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__review_answered__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        reviewed->verdict = (dedup_verdict)in->verdict;
        reviewed->still_open = in->still_open;
        if (!verdict_is_one(in->verdict) || !id_of(in->review, &reviewed->review) ||
            !id_of(in->referral, &reviewed->referral) || !id_of(in->family, &reviewed->family) ||
            !id_of(in->candidate, &reviewed->candidate) ||
            (in->verdict == DOOR__V1__VERDICT__VERDICT_SAME) != (in->has_family_now != 0) ||
            (in->has_family_now && !id_of(in->family_now, &reviewed->family_now))) {
                return DOOR_MALFORMED;
        }
        return why_decode(hidden, arena, &reviewed->why, NULL);
}

static door_status joined_encode(const dedup_joined *joined, door_arena *arena, door_bytes *ret_public,
                                 door_bytes *ret_private)
{
        Door__V1__FamiliesJoined out = DOOR__V1__FAMILIES_JOINED__INIT;

        out.join = data_of(&joined->join);
        out.from = data_of(&joined->from);
        out.to = data_of(&joined->to);
        out.has_review = joined->has_review;
        out.review = data_of(&joined->review);
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : why_encode(&joined->why, NULL, arena, ret_private);
}

static door_status joined_decode(door_bytes payload, door_bytes hidden, door_arena *arena,
                                 dedup_joined *joined)
{
        Door__V1__FamiliesJoined *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__families_joined__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        joined->has_review = in->has_review;
        if (!id_of(in->join, &joined->join) || !id_of(in->from, &joined->from) ||
            !id_of(in->to, &joined->to) || (in->has_review && !id_of(in->review, &joined->review))) {
                return DOOR_MALFORMED;
        }
        return why_decode(hidden, arena, &joined->why, NULL);
}

static door_status undone_encode(const dedup_undone *undone, door_arena *arena, door_bytes *ret_public,
                                 door_bytes *ret_private)
{
        Door__V1__JoinUndone out = DOOR__V1__JOIN_UNDONE__INIT;

        out.join = data_of(&undone->join);
        out.from = data_of(&undone->from);
        out.to = data_of(&undone->to);
        out.n_assignment = undone->assignments_count;
        out.assignment = assignments_encode(undone, arena);
        if (out.assignment == NULL) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : why_encode(&undone->why, NULL, arena, ret_private);
}

static door_status undone_decode(door_bytes payload, door_bytes hidden, door_arena *arena,
                                 dedup_undone *undone)
{
        Door__V1__JoinUndone *in = NULL;
        door_status status = door_proto_unpack(&door__v1__join_undone__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        undone->assignments_count = in->n_assignment;
        if (in->n_assignment > DEDUP_UNDO_REFERRALS_MAX || !id_of(in->join, &undone->join) ||
            !id_of(in->from, &undone->from) || !id_of(in->to, &undone->to)) {
                return DOOR_MALFORMED;
        }
        status = assignments_decode(in->assignment, in->n_assignment, arena, &undone->assignments);
        return status != DOOR_OK ? status : why_decode(hidden, arena, &undone->why, NULL);
}

static door_status moved_encode(const dedup_moved *moved, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        Door__V1__ReferralMoved out = DOOR__V1__REFERRAL_MOVED__INIT;
        ProtobufCBinaryData *children =
                door_arena_take(arena, (moved->children_count + 1) * sizeof *children);

        if (children == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < moved->children_count; i++) {
                children[i] = data_of(&moved->children[i]);
        }
        out.referral = data_of(&moved->referral);
        out.from = data_of(&moved->from);
        out.to = data_of(&moved->to);
        out.has_to_is_new = moved->to_is_new;
        out.to_is_new = moved->to_is_new;
        out.n_child = moved->children_count;
        out.child = children;
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : why_encode(&moved->why, moved, arena, ret_private);
}

static door_status moved_decode(door_bytes payload, door_bytes hidden, door_arena *arena, dedup_moved *moved)
{
        Door__V1__ReferralMoved *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__referral_moved__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        door_id *children = door_arena_take(arena, (in->n_child + 1) * sizeof *children);
        if (children == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (in->n_child > DEDUP_MOVED_CHILDREN_MAX || !id_of(in->referral, &moved->referral) ||
            !id_of(in->from, &moved->from) || !id_of(in->to, &moved->to)) {
                return DOOR_MALFORMED;
        }
        for (size_t i = 0; i < in->n_child; i++) {
                if (!id_of(in->child[i], &children[i])) {
                        return DOOR_MALFORMED;
                }
        }
        moved->to_is_new = in->to_is_new;
        moved->children = children;
        moved->children_count = in->n_child;
        return why_decode(hidden, arena, &moved->why, moved);
}

door_status dedup_record_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        switch (event->type) {
        case DEDUP_REVIEW_ANSWERED:
                return reviewed_encode(event->body, arena, ret_public, ret_private);
        case DEDUP_FAMILIES_JOINED:
                return joined_encode(event->body, arena, ret_public, ret_private);
        case DEDUP_JOIN_UNDONE:
                return undone_encode(event->body, arena, ret_public, ret_private);
        case DEDUP_REFERRAL_MOVED:
                return moved_encode(event->body, arena, ret_public, ret_private);
        default:
                return DOOR_MALFORMED;
        }
}

door_status dedup_record_decode(uint32_t type, door_bytes public_payload, door_bytes private_payload,
                                door_arena *arena, const void **ret_body)
{
        union {
                dedup_reviewed reviewed;
                dedup_joined joined;
                dedup_undone undone;
                dedup_moved moved;
        } *body = door_arena_take_zeroed(arena, 1, sizeof *body);
        door_status status = DOOR_MALFORMED;

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        switch (type) {
        case DEDUP_REVIEW_ANSWERED:
                status = reviewed_decode(public_payload, private_payload, arena, &body->reviewed);
                break;
        case DEDUP_FAMILIES_JOINED:
                status = joined_decode(public_payload, private_payload, arena, &body->joined);
                break;
        case DEDUP_JOIN_UNDONE:
                status = undone_decode(public_payload, private_payload, arena, &body->undone);
                break;
        case DEDUP_REFERRAL_MOVED:
                status = moved_decode(public_payload, private_payload, arena, &body->moved);
                break;
        default:
                break;
        }
        if (status == DOOR_OK) {
                *ret_body = body;
        }
        return status;
}

/* ---- answers */

door_status dedup_answer_encode(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        Door__V1__DedupAnswer out = DOOR__V1__DEDUP_ANSWER__INIT;
        const dedup_reviewed *reviewed = event->body;
        const dedup_joined *joined = event->body;
        const dedup_undone *undone = event->body;
        const dedup_moved *moved = event->body;

        switch (event->type) {
        case DEDUP_REVIEW_ANSWERED:
                out.family = data_of(reviewed->verdict == DEDUP_VERDICT_SAME ? &reviewed->family_now
                                                                             : &reviewed->family);
                break;
        case DEDUP_FAMILIES_JOINED:
                out.family = data_of(&joined->to);
                out.has_join = 1;
                out.join = data_of(&joined->join);
                break;
        case DEDUP_JOIN_UNDONE:
                out.family = data_of(&undone->from);
                out.has_join = 1;
                out.join = data_of(&undone->join);
                break;
        case DEDUP_REFERRAL_MOVED:
                out.family = data_of(&moved->to);
                break;
        default:
                *ret_body = DOOR_BYTES_EMPTY; /* Not the record of a command. */
                return DOOR_OK;
        }
        out.has_family = 1;
        return door_proto_pack(&out, arena, ret_body);
}
