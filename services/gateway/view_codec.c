#include "gateway/view_codec.h"

#include <string.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/deduplication.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "door/v1/view.pb-c.h"
#include "gateway/view_query.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(VIEW_LOG_INTAKE, DOOR__V1__LOG__INTAKE);
SAME(VIEW_LOG_NOTIFICATION, DOOR__V1__LOG__NOTIFICATION);
SAME(VIEW_LOG_OWN, DOOR__V1__LOG__GATEWAY);
SAME(VIEW_REFERRAL_RECEIVED, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED);
SAME(VIEW_DISCLOSED, DOOR__V1__INTAKE_EVENT__INTAKE_DISCLOSED);
SAME(VIEW_REFERRAL_MATCHED, DOOR__V1__DEDUP_EVENT__DEDUP_REFERRAL_MATCHED);
SAME(VIEW_FAMILIES_RELATED, DOOR__V1__DEDUP_EVENT__DEDUP_FAMILIES_RELATED);
SAME(VIEW_EPISODE_OPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_EPISODE_OPENED);
SAME(VIEW_DETACHED, DOOR__V1__TRIAGE_EVENT__TRIAGE_DETACHED);
SAME(VIEW_MATCH_SETTLED, DOOR__V1__TRIAGE_EVENT__TRIAGE_MATCH_SETTLED);
SAME(VIEW_OWNER_NAMED, DOOR__V1__ALLOT_EVENT__ALLOT_OWNER_NAMED);
SAME(VIEW_ALLOT_OVERTAKEN, DOOR__V1__ALLOT_EVENT__ALLOT_OVERTAKEN);
SAME(VIEW_ALLOT_RESTORED, DOOR__V1__ALLOT_EVENT__ALLOT_RESTORED);
SAME(VIEW_PLANNED, DOOR__V1__NOTIFY_EVENT__NOTIFY_PLANNED);
SAME(VIEW_TOLD, DOOR__V1__NOTIFY_EVENT__NOTIFY_TOLD);
SAME(VIEW_QUEUED, DOOR__V1__EPISODE_STATE__EPISODE_QUEUED);
SAME(VIEW_FOLDED, DOOR__V1__EPISODE_STATE__EPISODE_FOLDED);
SAME(VIEW_WITH_WORKER, DOOR__V1__REPEAT_WAY__WAY_WITH_WORKER);
SAME(VIEW_LOOK_NOW, DOOR__V1__REPEAT_WAY__WAY_LOOK_NOW);
SAME(VIEW_RAISE, DOOR__V1__LOOK_ANSWER__LOOK_RAISE);
SAME(VIEW_NEW_ASSESSMENT, DOOR__V1__LOOK_ANSWER__LOOK_NEW_ASSESSMENT);
SAME(VIEW_VERDICT_UNSURE, DOOR__V1__VERDICT__VERDICT_UNSURE);
SAME(VIEW_DISP_AWAITING_MATCH, DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_MATCH);
SAME(VIEW_DISP_HISTORY, DOOR__V1__DISPOSITION__DISPOSITION_HISTORY);
SAME(VIEW_WAIT_MATCH, DOOR__V1__WAITING_FOR__WAITING_MATCH);
SAME(VIEW_WAIT_TELL, DOOR__V1__WAITING_FOR__WAITING_TELL);
SAME(VIEW_DELIVERY_PENDING, DOOR__V1__DELIVERY_STATE__DELIVERY_PENDING);
SAME(VIEW_DELIVERY_TOLD, DOOR__V1__DELIVERY_STATE__DELIVERY_TOLD);
SAME(VIEW_STORY_OPENED, DOOR__V1__STORY_WHAT__STORY_OPENED);
SAME(VIEW_STORY_OWNER_RESTORED, DOOR__V1__STORY_WHAT__STORY_OWNER_RESTORED);
SAME(VIEW_AGE_UNBORN, DOOR__V1__AGE_BAND__AGE_UNBORN);
SAME(VIEW_AGE_16_TO_17, DOOR__V1__AGE_BAND__AGE_16_TO_17);
SAME(VIEW_AGE_CHILD, DOOR__V1__AGE_BAND__AGE_CHILD);
SAME(VIEW_ROLE_INDEX_CHILD, DOOR__V1__ROLE__ROLE_INDEX_CHILD);
SAME(VIEW_ROLE_SIBLING, DOOR__V1__ROLE__ROLE_SIBLING);
SAME(VIEW_ROLE_UNBORN, DOOR__V1__ROLE__ROLE_UNBORN);
SAME(VIEW_ROLE_OTHER_CHILD, DOOR__V1__ROLE__ROLE_OTHER_CHILD);
SAME(VIEW_FAMILY_REVIEWED, DOOR__V1__FAMILY_WHAT__FAMILY_REVIEWED);
SAME(VIEW_RELATED_BY_PERSON, DOOR__V1__RELATED_HOW__RELATED_BY_PERSON);
SAME(VIEW_RELATED_MAYBE_SAME, DOOR__V1__RELATED_HOW__RELATED_MAYBE_SAME);

/* ---- small things */

/* A text, cut at a character where it is too long. */
static door_bytes text_of(const char *text)
{
        door_bytes bytes = door_proto_text(text);

        if (bytes.len > VIEW_TEXT_BYTES_MAX) {
                bytes.len = VIEW_TEXT_BYTES_MAX;
                while (bytes.len > 0 && (bytes.data[bytes.len] & 0xC0) == 0x80) {
                        bytes.len--;
                }
        }
        return bytes;
}

static bool id_of(ProtobufCBinaryData data, door_id *ret_id)
{
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

/* An optional id: absent is fine, anything but ten bytes is not. */
static bool maybe_id(protobuf_c_boolean has, ProtobufCBinaryData data, bool *ret_has, door_id *ret_id)
{
        *ret_has = has != 0;
        return has == 0 || id_of(data, ret_id);
}

static uint8_t small(uint32_t number)
{
        return number > UINT8_MAX ? UINT8_MAX : (uint8_t)number;
}

static uint64_t why_of(const Door__V1__RepeatReason *why, size_t count)
{
        uint64_t bits = 0;
        for (size_t i = 0; i < count; i++) {
                bits |= UINT64_C(1) << ((unsigned)why[i] % 64);
        }
        return bits;
}

static void clocks_of(view_fact *f, const Door__V1__Clocks *clocks)
{
        f->rag_ms = clocks->rag_ms;
        f->statutory_ms = clocks->statutory_ms;
}

/* Unpacks into `in` or leaves with what door_proto_read said. */
#define READ(message, in)                                                                                    \
        Door__V1__##message *in = NULL;                                                                      \
        do {                                                                                                 \
                const door_status read_status = door_proto_read(descriptor, payload, arena, &in);            \
                if (read_status != DOOR_OK) {                                                                \
                        return read_status;                                                                  \
                }                                                                                            \
        } while (0)

static door_status well(bool good)
{
        return good ? DOOR_OK : DOOR_MALFORMED;
}

typedef door_status decoder(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f);

/* ---- intake */

static door_status received(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(ReferralReceived, in);
        f->received_ms = in->received_at_ms;
        f->sent_ms = in->facts->sent_at_ms;
        f->agency = text_of(in->facts->agency);
        f->grade = small(in->facts->has_grade ? (uint32_t)in->facts->grade : 0);
        f->channel = small(in->has_channel ? (uint32_t)in->channel : 0);
        f->historic = in->historic;
        return well(
                id_of(in->referral, &f->referral) &&
                maybe_id(in->has_probable_resend_of, in->probable_resend_of, &f->has_resend, &f->resend_of));
}

#define ABOUT_REFERRAL(function, message)                                                                    \
        static door_status function(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,        \
                                    door_arena *arena, view_fact *f)                                         \
        {                                                                                                    \
                READ(message, in);                                                                           \
                return well(id_of(in->referral, &f->referral));                                              \
        }
ABOUT_REFERRAL(attempt_refused, AttemptRefused)
ABOUT_REFERRAL(withdraw_asked, WithdrawAsked)
ABOUT_REFERRAL(amend_asked, AmendAsked)
ABOUT_REFERRAL(disclosed, Disclosed)

/* ---- deduplication */

static door_status candidates_decode(const Door__V1__ReferralMatched *in, view_fact *f)
{
        f->candidates_count = in->n_candidate < VIEW_CANDIDATES_MAX ? in->n_candidate : VIEW_CANDIDATES_MAX;
        for (size_t i = 0; i < f->candidates_count; i++) {
                const Door__V1__Candidate *candidate = in->candidate[i];
                view_other *to = &f->candidates[i];
                to->score = candidate->score;
                if (!id_of(candidate->family, &to->family) ||
                    !maybe_id(candidate->has_review, candidate->review, &to->has_review, &to->review)) {
                        return DOOR_MALFORMED;
                }
        }
        return DOOR_OK;
}

/* What a join or a move would need a second person for: as deduplication reads it, who decides. */
static bool is_guarded(const Door__V1__ReferralMatched *in)
{
        static const Door__V1__Category categories[] = {
                DOOR__V1__CATEGORY__CATEGORY_DOMESTIC_ABUSE,
                DOOR__V1__CATEGORY__CATEGORY_EXPLOITATION,
                DOOR__V1__CATEGORY__CATEGORY_FGM,
                DOOR__V1__CATEGORY__CATEGORY_FORCED_MARRIAGE,
                DOOR__V1__CATEGORY__CATEGORY_HONOUR_BASED_ABUSE,
                DOOR__V1__CATEGORY__CATEGORY_TRAFFICKING,
        };
        static const Door__V1__Flag flags[] = { DOOR__V1__FLAG__FLAG_TRAFFICKING,
                                                DOOR__V1__FLAG__FLAG_HONOUR_BASED,
                                                DOOR__V1__FLAG__FLAG_RELOCATION };
        bool guarded = in->family_restricted || in->do_not_tell;

        for (size_t i = 0; i < in->n_category; i++) {
                for (size_t k = 0; k < sizeof categories / sizeof categories[0]; k++) {
                        guarded = guarded || in->category[i] == categories[k];
                }
        }
        for (size_t i = 0; i < in->n_flags; i++) {
                for (size_t k = 0; k < sizeof flags / sizeof flags[0]; k++) {
                        guarded = guarded || in->flags[i] == flags[k];
                }
        }
        return guarded;
}

/* Who is named: ids, roles and bands of age. More than there is room for are not counted. */
static bool people_decode(const Door__V1__ReferralMatched *in, door_arena *arena, view_fact *f)
{
        const size_t count = in->n_person < VIEW_PEOPLE_MAX ? in->n_person : VIEW_PEOPLE_MAX;
        const uint64_t harmful = UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_KNOWN_DANGEROUS |
                                 UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_NO_CONTACT_CONDITION |
                                 UINT64_C(1) << DOOR__V1__PERSON_FACT__PERSON_CHILD_REMOVED_BEFORE;
        view_person *people = door_arena_take_zeroed(arena, count + 1, sizeof *people);

        for (size_t i = 0; people != NULL && i < count; i++) {
                const Door__V1__MatchedPerson *person = in->person[i];
                people[i].role = small((uint32_t)person->role);
                people[i].age = small(person->has_age_band ? (uint32_t)person->age_band : 0);
                f->two_people = f->two_people || person->alleged_to_have_caused_harm ||
                                (person->facts_yes & harmful) != 0;
                if (!id_of(person->person, &people[i].id)) {
                        return false;
                }
        }
        f->people = people;
        f->people_count = people == NULL ? 0 : count;
        return true;
}

static door_status matched(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                           door_arena *arena, view_fact *f)
{
        READ(ReferralMatched, in);
        view_other *others = door_arena_take_zeroed(arena, in->n_adult_known_elsewhere + 1, sizeof *others);

        if (others == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_adult_known_elsewhere; i++) {
                const Door__V1__AdultKnownElsewhere *adult = in->adult_known_elsewhere[i];
                others[i].how = adult->dangerous || adult->no_contact_condition ||
                                                adult->parent_of_removed_or_protected_child
                                        ? VIEW_RELATED_DANGEROUS
                                        : VIEW_RELATED_ADULT;
                if (!id_of(adult->family, &others[i].family)) {
                        return DOOR_MALFORMED;
                }
        }
        f->others = others;
        f->others_count = in->n_adult_known_elsewhere;
        f->received_ms = in->received_at_ms;
        f->sent_ms = in->sent_at_ms;
        f->agency = text_of(in->agency);
        f->grade = small(in->has_grade ? (uint32_t)in->grade : 0);
        f->decision = small((uint32_t)in->decision);
        f->score = in->has_score ? in->score : 0;
        f->restricted = in->family_restricted;
        f->two_people = f->two_people || is_guarded(in);
        if (!id_of(in->referral, &f->referral) || !id_of(in->family, &f->family) ||
            !people_decode(in, arena, f)) {
                return DOOR_MALFORMED;
        }
        return candidates_decode(in, f);
}

static door_status review_answered(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                   door_arena *arena, view_fact *f)
{
        READ(ReviewAnswered, in);
        f->answer = small((uint32_t)in->verdict);
        return well(id_of(in->review, &f->review) && id_of(in->referral, &f->referral) &&
                    maybe_id(in->has_family_now, in->family_now, &f->has_family, &f->family));
}

static door_status joined(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                          view_fact *f)
{
        READ(FamiliesJoined, in);
        return well(id_of(in->join, &f->join) && id_of(in->from, &f->family) && id_of(in->to, &f->to) &&
                    maybe_id(in->has_review, in->review, &f->has_review, &f->review));
}

static door_status join_undone(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                               door_arena *arena, view_fact *f)
{
        READ(JoinUndone, in);
        view_assignment *to = door_arena_take_zeroed(arena, in->n_assignment + 1, sizeof *to);

        if (to == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_assignment; i++) {
                if (!id_of(in->assignment[i]->referral, &to[i].referral) ||
                    !id_of(in->assignment[i]->family, &to[i].family)) {
                        return DOOR_MALFORMED;
                }
        }
        f->assignments = to;
        f->assignments_count = in->n_assignment;
        return well(id_of(in->join, &f->join) && id_of(in->from, &f->family) && id_of(in->to, &f->to));
}

static door_status referral_moved(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                  door_arena *arena, view_fact *f)
{
        READ(ReferralMoved, in);
        const size_t count = in->n_child < VIEW_PEOPLE_MAX ? in->n_child : VIEW_PEOPLE_MAX;
        view_person *children = door_arena_take_zeroed(arena, count + 1, sizeof *children);

        if (children == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < count; i++) {
                children[i].role = VIEW_ROLE_OTHER_CHILD;
                children[i].age = VIEW_AGE_CHILD;
                if (!id_of(in->child[i], &children[i].id)) {
                        return DOOR_MALFORMED;
                }
        }
        f->people = children;
        f->people_count = count;
        return well(id_of(in->referral, &f->referral) && id_of(in->from, &f->family) &&
                    id_of(in->to, &f->to));
}

static door_status related(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                           door_arena *arena, view_fact *f)
{
        READ(FamiliesRelated, in);
        return well(id_of(in->a, &f->family) && id_of(in->b, &f->to));
}

/* ---- triage */

static door_status opened(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                          view_fact *f)
{
        READ(EpisodeOpened, in);
        f->version = 1;
        f->received_ms = in->received_at_ms;
        f->sent_ms = in->has_sent_at_ms ? in->sent_at_ms : in->received_at_ms;
        f->severity = small(in->severity);
        f->severity_own = f->severity;
        clocks_of(f, in->clocks);
        f->state = small((uint32_t)in->state);
        f->why = why_of(in->why, in->n_why);
        f->agency = text_of(in->agency);
        f->grade = small(in->has_grade ? (uint32_t)in->grade : 0);
        f->uncertain = in->uncertain;
        f->historic = in->historic;
        f->look_by_ms = in->has_look_by_ms ? in->look_by_ms : 0;
        f->has_referral = true;
        return well(f->state < VIEW_STATES && id_of(in->episode, &f->episode) &&
                    id_of(in->referral, &f->referral) && id_of(in->family, &f->family) &&
                    maybe_id(in->has_previous, in->previous, &f->has_previous, &f->previous) &&
                    maybe_id(in->has_moved_from, in->moved_from, &f->has_moved_from, &f->moved_from) &&
                    maybe_id(in->has_resend_of, in->resend_of, &f->has_resend, &f->resend_of));
}

static door_status attached(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(ReferralAttached, in);
        f->version = in->version;
        f->received_ms = in->received_at_ms;
        f->sent_ms = in->has_sent_at_ms ? in->sent_at_ms : in->received_at_ms;
        f->way = small((uint32_t)in->way);
        f->why = why_of(in->why, in->n_why);
        f->severity_own = small(in->severity_own);
        f->severity = small(in->severity);
        clocks_of(f, in->clocks);
        f->respond_by_ms = in->has_respond_by_ms ? in->respond_by_ms : 0;
        f->look_by_ms = in->has_look_by_ms ? in->look_by_ms : f->respond_by_ms;
        f->state = small((uint32_t)in->state);
        f->agency = text_of(in->agency);
        f->grade = small(in->has_grade ? (uint32_t)in->grade : 0);
        f->historic = in->historic;
        f->has_referral = true;
        return well(f->state < VIEW_STATES && id_of(in->episode, &f->episode) &&
                    id_of(in->referral, &f->referral) && id_of(in->family, &f->family) &&
                    maybe_id(in->has_moved_from, in->moved_from, &f->has_moved_from, &f->moved_from) &&
                    maybe_id(in->has_resend_of, in->resend_of, &f->has_resend, &f->resend_of));
}

static door_status history_noted(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                 door_arena *arena, view_fact *f)
{
        READ(HistoryNoted, in);
        f->received_ms = in->received_at_ms;
        f->sent_ms = in->has_sent_at_ms ? in->sent_at_ms : in->received_at_ms;
        f->agency = text_of(in->agency);
        f->grade = small(in->has_grade ? (uint32_t)in->grade : 0);
        return well(id_of(in->referral, &f->referral) && id_of(in->family, &f->family));
}

static door_status taken(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                         view_fact *f)
{
        READ(EpisodeTaken, in);
        f->until_ms = in->until_ms;
        f->by = text_of(in->by);
        return well(id_of(in->episode, &f->episode));
}

static door_status take_ended(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                              door_arena *arena, view_fact *f)
{
        READ(TakeEnded, in);
        f->answer = small((uint32_t)in->end);
        f->by = text_of(in->by);
        return well(id_of(in->episode, &f->episode));
}

static door_status decided(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                           door_arena *arena, view_fact *f)
{
        READ(EpisodeDecided, in);
        f->version = in->version;
        f->level = small(in->level);
        f->next_step = small((uint32_t)in->next_step);
        f->state = small((uint32_t)in->state);
        f->by = text_of(in->by);
        f->severity = small(in->severity);
        return well(f->state < VIEW_STATES && id_of(in->episode, &f->episode));
}

static door_status look_listed(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                               door_arena *arena, view_fact *f)
{
        READ(LookListed, in);
        f->why = why_of(&in->why, 1);
        f->answer = small((uint32_t)in->why);
        f->look_by_ms = in->look_by_ms;
        f->has_referral = true;
        return well(id_of(in->episode, &f->episode) && id_of(in->referral, &f->referral));
}

static door_status look_answered(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                 door_arena *arena, view_fact *f)
{
        READ(LookAnswered, in);
        f->version = in->version;
        f->answer = small((uint32_t)in->answer);
        f->by = text_of(in->by);
        f->state = small((uint32_t)in->state);
        f->has_referral = true;
        return well(f->state < VIEW_STATES && id_of(in->episode, &f->episode) &&
                    id_of(in->referral, &f->referral));
}

static door_status responded(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                             door_arena *arena, view_fact *f)
{
        READ(Responded, in);
        f->answer = small((uint32_t)in->this_family);
        f->by = text_of(in->by);
        f->has_referral = true;
        return well(id_of(in->episode, &f->episode) && id_of(in->referral, &f->referral));
}

static door_status activated(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                             door_arena *arena, view_fact *f)
{
        READ(EpisodeActivated, in);
        f->version = in->version;
        f->team = text_of(in->team);
        return well(id_of(in->episode, &f->episode));
}

static door_status returned(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(EpisodeReturned, in);
        f->version = in->version;
        f->team = text_of(in->team);
        f->times = in->times;
        return well(id_of(in->episode, &f->episode));
}

static door_status closed(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                          view_fact *f)
{
        READ(EpisodeClosed, in);
        f->version = in->version;
        f->answer = small((uint32_t)in->outcome);
        f->by = text_of(in->by);
        return well(id_of(in->episode, &f->episode));
}

static door_status reopened(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(EpisodeReopened, in);
        f->version = in->version;
        f->severity = small(in->severity);
        clocks_of(f, in->clocks);
        f->by = text_of(in->by);
        return well(id_of(in->episode, &f->episode));
}

static door_status overtaken(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                             door_arena *arena, view_fact *f)
{
        READ(TriageOvertaken, in);
        f->version = in->version;
        f->by = text_of(in->actor);
        f->team = text_of(in->team);
        return well(id_of(in->episode, &f->episode));
}

static door_status folded(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                          view_fact *f)
{
        READ(EpisodeFolded, in);
        f->version = in->from_version;
        f->to_version = in->to_version;
        f->severity = small(in->severity);
        clocks_of(f, in->clocks);
        f->state = small((uint32_t)in->state);
        return well(f->state < VIEW_STATES && id_of(in->from, &f->episode) && id_of(in->to, &f->to) &&
                    id_of(in->family, &f->family));
}

static door_status restored(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(EpisodeRestored, in);
        f->version = in->version;
        f->to_version = in->survivor_version;
        f->severity = small(in->severity);
        clocks_of(f, in->clocks);
        f->state = small((uint32_t)in->state);
        return well(f->state < VIEW_STATES && id_of(in->episode, &f->episode) &&
                    id_of(in->survivor, &f->to) && id_of(in->family, &f->family));
}

static door_status family_changed(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                  door_arena *arena, view_fact *f)
{
        READ(EpisodeFamilyChanged, in);
        f->version = in->version;
        return well(id_of(in->episode, &f->episode) && id_of(in->from, &f->family) && id_of(in->to, &f->to));
}

static door_status detached(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(ReferralDetached, in);
        f->version = in->version;
        f->has_referral = true;
        return well(id_of(in->episode, &f->episode) && id_of(in->referral, &f->referral));
}

static door_status match_settled(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                 door_arena *arena, view_fact *f)
{
        READ(MatchSettled, in);
        return well(id_of(in->episode, &f->episode));
}

/* ---- allocation */

static door_status owner_named(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                               door_arena *arena, view_fact *f)
{
        READ(OwnerNamed, in);
        f->team = text_of(in->team);
        return well(f->team.len > 0 && id_of(in->episode, &f->episode));
}

static door_status offer_made(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                              door_arena *arena, view_fact *f)
{
        READ(OfferMade, in);
        f->team = text_of(in->team);
        f->owner = text_of(in->owner);
        f->waiting = in->waiting;
        return well(f->team.len > 0 && id_of(in->episode, &f->episode));
}

static door_status offer_placed(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                door_arena *arena, view_fact *f)
{
        READ(OfferPlaced, in);
        f->team = text_of(in->team);
        return well(f->team.len > 0 && id_of(in->episode, &f->episode));
}

static door_status unrouted(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(Unrouted, in);
        f->owner = text_of(in->owner);
        return well(id_of(in->episode, &f->episode));
}

static door_status accepted(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(OfferAccepted, in);
        f->team = text_of(in->team);
        f->lead = text_of(in->lead_practitioner);
        f->by = text_of(in->by);
        return well(f->team.len > 0 && f->lead.len > 0 && id_of(in->episode, &f->episode));
}

static door_status offer_returned(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                  door_arena *arena, view_fact *f)
{
        READ(OfferReturned, in);
        f->team = text_of(in->team);
        f->owner = text_of(in->owner);
        f->answer = small((uint32_t)in->reason);
        f->by = text_of(in->by);
        return well(f->owner.len > 0 && id_of(in->episode, &f->episode));
}

static door_status hand_over_offered(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                     door_arena *arena, view_fact *f)
{
        READ(HandOverOffered, in);
        f->team = text_of(in->to);
        f->owner = text_of(in->from);
        f->waiting = in->waiting;
        f->by = text_of(in->by);
        return well(f->team.len > 0 && id_of(in->episode, &f->episode));
}

static door_status ownership_ended(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                   door_arena *arena, view_fact *f)
{
        READ(OwnershipEnded, in);
        f->team = text_of(in->team);
        return well(id_of(in->episode, &f->episode));
}

static door_status allot_overtaken(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                   door_arena *arena, view_fact *f)
{
        READ(AllotOvertaken, in);
        f->by = text_of(in->actor);
        return well(id_of(in->episode, &f->episode));
}

static door_status ownership_folded(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                    door_arena *arena, view_fact *f)
{
        READ(OwnershipFolded, in);
        f->owner = text_of(in->owner);
        f->lead = text_of(in->lead_practitioner);
        f->team = text_of(in->leaves);
        f->accepted = in->accepted;
        return well(f->owner.len > 0 && id_of(in->from, &f->episode) && id_of(in->to, &f->to));
}

static door_status ownership_restored(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                      door_arena *arena, view_fact *f)
{
        READ(OwnershipRestored, in);
        f->owner = text_of(in->owner);
        f->lead = text_of(in->lead_practitioner);
        f->accepted = in->accepted;
        return well(f->owner.len > 0 && id_of(in->episode, &f->episode) && id_of(in->survivor, &f->to));
}

/* ---- notification */

static door_status planned(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                           door_arena *arena, view_fact *f)
{
        READ(DeliveryPlanned, in);
        f->kind = small((uint32_t)in->kind);
        f->team = text_of(in->recipient);
        f->not_before_ms = in->not_before_ms;
        return well(id_of(in->delivery, &f->delivery) &&
                    maybe_id(in->has_referral, in->referral, &f->has_referral, &f->referral) &&
                    maybe_id(in->has_episode, in->episode, &f->has_episode, &f->episode));
}

static door_status delivered(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                             door_arena *arena, view_fact *f)
{
        READ(Delivered, in);
        f->attempts = in->attempts;
        return well(id_of(in->delivery, &f->delivery));
}

static door_status attempt_failed(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                                  door_arena *arena, view_fact *f)
{
        READ(AttemptFailed, in);
        f->attempts = in->attempts;
        f->answer = small((uint32_t)in->failure);
        return well(id_of(in->delivery, &f->delivery));
}

static door_status given_up(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                            door_arena *arena, view_fact *f)
{
        READ(GivenUp, in);
        f->attempts = in->attempts;
        f->answer = small((uint32_t)in->failure);
        return well(id_of(in->delivery, &f->delivery));
}

static door_status tried_again(const ProtobufCMessageDescriptor *descriptor, door_bytes payload,
                               door_arena *arena, view_fact *f)
{
        READ(DeliveryNamed, in);
        return well(id_of(in->delivery, &f->delivery));
}

static door_status told(const ProtobufCMessageDescriptor *descriptor, door_bytes payload, door_arena *arena,
                        view_fact *f)
{
        READ(ToldByPerson, in);
        f->by = text_of(in->by);
        return well(id_of(in->delivery, &f->delivery));
}

/* ---- which record is read how */

typedef struct record_kind {
        uint32_t log;
        uint32_t type;
        const ProtobufCMessageDescriptor *descriptor;
        decoder *decode;
} record_kind;

/* To read another record: its decoder above, a line here and in `consumes`, its branch in view_core.c. */
static const record_kind kinds[] = {
        { 1, VIEW_REFERRAL_RECEIVED, &door__v1__referral_received__descriptor, received },
        { 1, VIEW_ATTEMPT_REFUSED, &door__v1__attempt_refused__descriptor, attempt_refused },
        { 1, VIEW_WITHDRAW_ASKED, &door__v1__withdraw_asked__descriptor, withdraw_asked },
        { 1, VIEW_AMEND_ASKED, &door__v1__amend_asked__descriptor, amend_asked },
        { 1, VIEW_DISCLOSED, &door__v1__disclosed__descriptor, disclosed },
        { 2, VIEW_REFERRAL_MATCHED, &door__v1__referral_matched__descriptor, matched },
        { 2, VIEW_REVIEW_ANSWERED, &door__v1__review_answered__descriptor, review_answered },
        { 2, VIEW_FAMILIES_JOINED, &door__v1__families_joined__descriptor, joined },
        { 2, VIEW_JOIN_UNDONE, &door__v1__join_undone__descriptor, join_undone },
        { 2, VIEW_REFERRAL_MOVED, &door__v1__referral_moved__descriptor, referral_moved },
        { 2, VIEW_FAMILIES_RELATED, &door__v1__families_related__descriptor, related },
        { 3, VIEW_EPISODE_OPENED, &door__v1__episode_opened__descriptor, opened },
        { 3, VIEW_REFERRAL_ATTACHED, &door__v1__referral_attached__descriptor, attached },
        { 3, VIEW_HISTORY_NOTED, &door__v1__history_noted__descriptor, history_noted },
        { 3, VIEW_TAKEN, &door__v1__episode_taken__descriptor, taken },
        { 3, VIEW_TAKE_ENDED, &door__v1__take_ended__descriptor, take_ended },
        { 3, VIEW_DECIDED, &door__v1__episode_decided__descriptor, decided },
        { 3, VIEW_LOOK_LISTED, &door__v1__look_listed__descriptor, look_listed },
        { 3, VIEW_LOOK_ANSWERED, &door__v1__look_answered__descriptor, look_answered },
        { 3, VIEW_RESPONDED, &door__v1__responded__descriptor, responded },
        { 3, VIEW_ACTIVATED, &door__v1__episode_activated__descriptor, activated },
        { 3, VIEW_RETURNED, &door__v1__episode_returned__descriptor, returned },
        { 3, VIEW_EPISODE_CLOSED, &door__v1__episode_closed__descriptor, closed },
        { 3, VIEW_REOPENED, &door__v1__episode_reopened__descriptor, reopened },
        { 3, VIEW_OVERTAKEN, &door__v1__triage_overtaken__descriptor, overtaken },
        { 3, VIEW_EPISODE_FOLDED, &door__v1__episode_folded__descriptor, folded },
        { 3, VIEW_RESTORED, &door__v1__episode_restored__descriptor, restored },
        { 3, VIEW_FAMILY_CHANGED, &door__v1__episode_family_changed__descriptor, family_changed },
        { 3, VIEW_DETACHED, &door__v1__referral_detached__descriptor, detached },
        { 3, VIEW_MATCH_SETTLED, &door__v1__match_settled__descriptor, match_settled },
        { 4, VIEW_OWNER_NAMED, &door__v1__owner_named__descriptor, owner_named },
        { 4, VIEW_OFFER_MADE, &door__v1__offer_made__descriptor, offer_made },
        { 4, VIEW_OFFER_PLACED, &door__v1__offer_placed__descriptor, offer_placed },
        { 4, VIEW_UNROUTED, &door__v1__unrouted__descriptor, unrouted },
        { 4, VIEW_ACCEPTED, &door__v1__offer_accepted__descriptor, accepted },
        { 4, VIEW_OFFER_RETURNED, &door__v1__offer_returned__descriptor, offer_returned },
        { 4, VIEW_HAND_OVER_OFFERED, &door__v1__hand_over_offered__descriptor, hand_over_offered },
        { 4, VIEW_OWNERSHIP_ENDED, &door__v1__ownership_ended__descriptor, ownership_ended },
        { 4, VIEW_ALLOT_OVERTAKEN, &door__v1__allot_overtaken__descriptor, allot_overtaken },
        { 4, VIEW_ALLOT_FOLDED, &door__v1__ownership_folded__descriptor, ownership_folded },
        { 4, VIEW_ALLOT_RESTORED, &door__v1__ownership_restored__descriptor, ownership_restored },
        { 5, VIEW_PLANNED, &door__v1__delivery_planned__descriptor, planned },
        { 5, VIEW_DELIVERED, &door__v1__delivered__descriptor, delivered },
        { 5, VIEW_ATTEMPT_FAILED, &door__v1__attempt_failed__descriptor, attempt_failed },
        { 5, VIEW_GIVEN_UP, &door__v1__given_up__descriptor, given_up },
        { 5, VIEW_TRIED_AGAIN, &door__v1__delivery_named__descriptor, tried_again },
        { 5, VIEW_TOLD, &door__v1__told_by_person__descriptor, told },
};

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        (void)version;
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
                if (kinds[i].log == log && kinds[i].type == type) {
                        view_fact *fact = door_arena_take_zeroed(arena, 1, sizeof *fact);
                        if (fact == NULL) {
                                return DOOR_NO_MEMORY;
                        }
                        *ret_body = fact;
                        return kinds[i].decode(kinds[i].descriptor, payload, arena, fact);
                }
        }
        return DOOR_MALFORMED;
}

/* ---- questions */

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        view_question *q = door_arena_take_zeroed(arena, 1, sizeof *q);

        if (q == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = q;
        q->rows = VIEW_PAGE_ROWS_MAX;
        if ((type >= DOOR__V1__VIEW_QUERY__VIEW_EPISODE && type <= DOOR__V1__VIEW_QUERY__VIEW_REFERRAL) ||
            type == DOOR__V1__VIEW_QUERY__VIEW_REVIEW || type == DOOR__V1__VIEW_QUERY__VIEW_JOIN) {
                Door__V1__AskThing *in = NULL;
                const door_status status =
                        door_proto_read(&door__v1__ask_thing__descriptor, body, arena, &in);
                if (status != DOOR_OK) {
                        return status;
                }
                q->after = in->has_after ? door_proto_bytes(in->after) : DOOR_BYTES_EMPTY;
                return well(q->after.len <= VIEW_AFTER_BYTES_MAX && id_of(in->id, &q->id));
        }
        if (type < DOOR__V1__VIEW_QUERY__VIEW_QUEUE || type > DOOR__V1__VIEW_QUERY__VIEW_OLDEST) {
                return DOOR_MALFORMED;
        }
        Door__V1__AskPage *in = NULL;
        const door_status status = door_proto_read(&door__v1__ask_page__descriptor, body, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        q->after = in->has_after ? door_proto_bytes(in->after) : DOOR_BYTES_EMPTY;
        q->rows = in->has_rows && in->rows > 0 ? in->rows : VIEW_PAGE_ROWS_MAX;
        q->team = door_proto_text(in->team);
        q->given_up = in->given_up;
        return well(q->rows <= VIEW_PAGE_ROWS_MAX && q->after.len <= VIEW_AFTER_BYTES_MAX &&
                    q->team.len <= VIEW_TEXT_BYTES_MAX &&
                    (type != DOOR__V1__VIEW_QUERY__VIEW_INBOX || q->team.len > 0));
}

/* ---- what a view has none of: events, a policy, a time at which something is due */

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        (void)event;
        (void)arena;
        (void)ret_public;
        (void)ret_private;
        return DOOR_MALFORMED;
}

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        (void)type;
        (void)version;
        (void)public_payload;
        (void)private_payload;
        (void)arena;
        (void)ret_body;
        return DOOR_MALFORMED;
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        (void)content;
        (void)arena;
        (void)ret_policy;
        return DOOR_MALFORMED; /* A policy sent here is refused: there is nothing it could change. */
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        (void)event;
        (void)arena;
        (void)ret_body;
        return DOOR_MALFORMED;
}

static void decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        (void)view;
        (void)policy;
        (void)input;
        (void)out;
        DOOR_REQUIRE(false); /* No command decodes but questions, and no tick is due. */
}

static void apply(door_view *view, const door_event *event)
{
        (void)view;
        (void)event;
        DOOR_REQUIRE(false); /* Its log holds the shell's records only. */
}

static uint64_t next_deadline(door_view *view)
{
        (void)view;
        return 0;
}

static const door_consumed consumes[] = {
        { 1, 16 }, { 1, 18 }, { 1, 19 }, { 1, 20 }, { 1, 21 }, { 2, 16 }, { 2, 17 }, { 2, 18 },
        { 2, 19 }, { 2, 20 }, { 2, 21 }, { 3, 16 }, { 3, 17 }, { 3, 18 }, { 3, 19 }, { 3, 20 },
        { 3, 21 }, { 3, 22 }, { 3, 23 }, { 3, 24 }, { 3, 25 }, { 3, 26 }, { 3, 27 }, { 3, 28 },
        { 3, 29 }, { 3, 30 }, { 3, 31 }, { 3, 32 }, { 3, 33 }, { 3, 34 }, { 4, 16 }, { 4, 17 },
        { 4, 18 }, { 4, 19 }, { 4, 20 }, { 4, 21 }, { 4, 22 }, { 4, 23 }, { 4, 24 }, { 4, 25 },
        { 4, 26 }, { 5, 16 }, { 5, 17 }, { 5, 18 }, { 5, 19 }, { 5, 20 }, { 5, 21 },
};
static const door_known knows[] = {
        { 1, 17 }, /* received again, the same */
        { 5, 22 }, /* notification's own note of who owns */
        { 2, 22 },
        { 2, 23 }, /* an amended version matched; an explanation given */
};

const door_core_ops view_ops = {
        .name = "gateway",
        .log = VIEW_LOG_OWN,
        .consumes = consumes,
        .consumes_count = sizeof consumes / sizeof consumes[0],
        .knows = knows,
        .knows_count = sizeof knows / sizeof knows[0],
        .decode_input = decode_input,
        .decode_command = decode_command,
        .encode_event = encode_event,
        .decode_event = decode_event,
        .decode_policy = decode_policy,
        .encode_answer = encode_answer,
        .decide = decide,
        .apply = apply,
        .next_deadline = next_deadline,
        .project = view_project,
        .query = view_query,
};
