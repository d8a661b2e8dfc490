#include "allocation/allot_codec.h"

#include <string.h>

#include "door/v1/allocation.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "shell/proto_arena.h"

/* The core names these numbers itself, because it may not know protobuf. */
#define SAME(core, proto) _Static_assert((int)(core) == (int)(proto), #core)
SAME(ALLOT_INPUT_OPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_EPISODE_OPENED);
SAME(ALLOT_INPUT_DECIDED, DOOR__V1__TRIAGE_EVENT__TRIAGE_DECIDED);
SAME(ALLOT_INPUT_CLOSED, DOOR__V1__TRIAGE_EVENT__TRIAGE_CLOSED);
SAME(ALLOT_INPUT_REOPENED, DOOR__V1__TRIAGE_EVENT__TRIAGE_REOPENED);
SAME(ALLOT_INPUT_FOLDED, DOOR__V1__TRIAGE_EVENT__TRIAGE_FOLDED);
SAME(ALLOT_INPUT_RESTORED, DOOR__V1__TRIAGE_EVENT__TRIAGE_RESTORED);
SAME(ALLOT_ACCEPT, DOOR__V1__ALLOT_COMMAND__ALLOT_ACCEPT);
SAME(ALLOT_PLACE, DOOR__V1__ALLOT_COMMAND__ALLOT_PLACE);
SAME(ALLOT_OWNER_NAMED, DOOR__V1__ALLOT_EVENT__ALLOT_OWNER_NAMED);
SAME(ALLOT_OVERTAKEN, DOOR__V1__ALLOT_EVENT__ALLOT_OVERTAKEN);
SAME(ALLOT_FOLDED, DOOR__V1__ALLOT_EVENT__ALLOT_FOLDED);
SAME(ALLOT_RESTORED, DOOR__V1__ALLOT_EVENT__ALLOT_RESTORED);
SAME(ALLOT_NO_OFFER, DOOR__V1__ALLOT_REFUSAL__ALLOT_NO_OFFER);
SAME(ALLOT_TRAINING_ONLY, DOOR__V1__ALLOT_REFUSAL__ALLOT_TRAINING_ONLY);
SAME(ALLOT_WHY_CONTINUITY, DOOR__V1__OFFER_REASON__OFFER_CONTINUITY);
SAME(ALLOT_WHY_HAND_OVER, DOOR__V1__OFFER_REASON__OFFER_HAND_OVER);
SAME(ALLOT_FRONT_DOOR, DOOR__V1__TEAM_KIND__TEAM_FRONT_DOOR);
SAME(ALLOT_EXTERNAL, DOOR__V1__TEAM_KIND__TEAM_EXTERNAL);

enum { AGE_BANDS = 16 };

static bool id_of(ProtobufCBinaryData data, door_id *ret_id)
{
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

static ProtobufCBinaryData data_of(const door_id *id)
{
        return door_proto_data(door_id_bytes(id));
}

static bool is_name(door_bytes text)
{
        return text.len < DOOR_NAME_BYTES_MAX;
}

/* ---- inputs */

static bool routing_decode(const Door__V1__RoutingFacts *in, allot_routing *routing)
{
        if (in == NULL) {
                return true;
        }
        const door_bytes district = door_proto_text(in->district);
        if (district.len != 0 && district.len != ALLOT_DISTRICT_BYTES) {
                return false;
        }
        if (district.len != 0) {
                memcpy(routing->district, district.data, district.len);
        }
        routing->out_of_county = in->out_of_county;
        routing->routes =
                (uint8_t)((in->disability ? ALLOT_ROUTE_DISABILITY : 0) |
                          (in->unborn ? ALLOT_ROUTE_UNBORN : 0) | (in->in_care ? ALLOT_ROUTE_IN_CARE : 0) |
                          (in->care_leaver ? ALLOT_ROUTE_CARE_LEAVER : 0) |
                          (in->adolescent_risk ? ALLOT_ROUTE_ADOLESCENT : 0));
        for (size_t i = 0; i < in->n_age_band; i++) {
                routing->age_bands |= (uint16_t)(1u << ((unsigned)in->age_band[i] % AGE_BANDS));
                if (in->age_band[i] == DOOR__V1__AGE_BAND__AGE_UNDER_1) {
                        routing->routes |= ALLOT_ROUTE_UNBORN; /* One team for before and after the birth. */
                }
        }
        return true;
}

static void next_step_decode(const Door__V1__EpisodeDecided *in, allot_episode_word *heard)
{
        heard->statutory = in->next_step == DOOR__V1__NEXT_STEP__NEXT_IMMEDIATE_PROTECTION ||
                           in->next_step == DOOR__V1__NEXT_STEP__NEXT_STRATEGY_DISCUSSION ||
                           in->next_step == DOOR__V1__NEXT_STEP__NEXT_SECTION_47 ||
                           in->next_step == DOOR__V1__NEXT_STEP__NEXT_SECTION_17;
        heard->early_help = in->next_step == DOOR__V1__NEXT_STEP__NEXT_EARLY_HELP;
        heard->to_be_offered = in->state == DOOR__V1__EPISODE_STATE__EPISODE_OFFERED;
        heard->ends = in->state == DOOR__V1__EPISODE_STATE__EPISODE_CLOSED;
}

static uint8_t level_decode(uint32_t level)
{
        return level > UINT8_MAX ? UINT8_MAX : (uint8_t)level;
}

static door_status opened_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeOpened *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_opened__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = 1;
        return id_of(in->episode, &heard->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decided_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeDecided *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_decided__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = in->version;
        heard->has_level = true;
        heard->level = level_decode(in->level);
        heard->has_previous = in->has_previous;
        next_step_decode(in, heard);
        return id_of(in->episode, &heard->episode) &&
                               (!in->has_previous || id_of(in->previous, &heard->previous)) &&
                               routing_decode(in->routing, &heard->routing)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status closed_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeClosed *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_closed__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = in->version;
        heard->ends = true;
        return id_of(in->episode, &heard->episode) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status reopened_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeReopened *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_reopened__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = in->version;
        return id_of(in->episode, &heard->episode) ? DOOR_OK : DOOR_MALFORMED;
}

/* Two, and not the same one. */
static bool two_of(ProtobufCBinaryData one, ProtobufCBinaryData other, door_id *ret_one, door_id *ret_other)
{
        return id_of(one, ret_one) && id_of(other, ret_other) && !door_id_equal(ret_one, ret_other);
}

static door_status folded_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeFolded *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_folded__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = in->to_version;
        heard->has_level = in->has_to_level;
        heard->level = level_decode(in->to_level);
        heard->has_other_level = in->has_from_level;
        heard->other_level = level_decode(in->from_level);
        heard->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        return two_of(in->to, in->from, &heard->episode, &heard->other) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status restored_decode(door_bytes payload, door_arena *arena, allot_episode_word *heard)
{
        Door__V1__EpisodeRestored *in = NULL;
        const door_status status =
                door_proto_read(&door__v1__episode_restored__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        heard->version = in->version;
        heard->imported = in->state == DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        heard->active = in->state == DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE;
        heard->ends = in->state == DOOR__V1__EPISODE_STATE__EPISODE_CLOSED ||
                      in->state == DOOR__V1__EPISODE_STATE__EPISODE_FOLDED;
        return two_of(in->episode, in->survivor, &heard->episode, &heard->other) ? DOOR_OK : DOOR_MALFORMED;
}

static door_status decode_input(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                                door_arena *arena, const void **ret_body)
{
        allot_episode_word *heard = door_arena_take_zeroed(arena, 1, sizeof *heard);

        (void)log;
        (void)version;
        if (heard == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = heard;
        switch (type) {
        case ALLOT_INPUT_OPENED:
                return opened_decode(payload, arena, heard);
        case ALLOT_INPUT_DECIDED:
                return decided_decode(payload, arena, heard);
        case ALLOT_INPUT_CLOSED:
                return closed_decode(payload, arena, heard);
        case ALLOT_INPUT_REOPENED:
                return reopened_decode(payload, arena, heard);
        case ALLOT_INPUT_FOLDED:
                return folded_decode(payload, arena, heard);
        case ALLOT_INPUT_RESTORED:
                return restored_decode(payload, arena, heard);
        default:
                return DOOR_MALFORMED;
        }
}

/* ---- commands */

static door_status decode_command(uint32_t type, door_bytes body, door_arena *arena, const void **ret_body)
{
        allot_act *act = door_arena_take_zeroed(arena, 1, sizeof *act);
        Door__V1__AcceptOffer *accepting = NULL;
        Door__V1__ReturnOffer *returning = NULL;
        Door__V1__HandOver *over = NULL;
        Door__V1__PlaceEpisode *placing = NULL;
        door_status status;
        bool fits = false;

        if (act == NULL) {
                return DOOR_NO_MEMORY;
        }
        switch (type) {
        case ALLOT_ACCEPT:
                status = door_proto_read(&door__v1__accept_offer__descriptor, body, arena, &accepting);
                if (status == DOOR_OK) {
                        act->lead = door_proto_text(accepting->lead_practitioner);
                        fits = id_of(accepting->episode, &act->episode);
                }
                break;
        case ALLOT_RETURN:
                status = door_proto_read(&door__v1__return_offer__descriptor, body, arena, &returning);
                if (status == DOOR_OK) {
                        act->reason = (uint8_t)returning->reason;
                        act->text = door_proto_text(returning->text);
                        fits = act->reason != 0 && id_of(returning->episode, &act->episode);
                }
                break;
        case ALLOT_HAND_OVER:
                status = door_proto_read(&door__v1__hand_over__descriptor, body, arena, &over);
                if (status == DOOR_OK) {
                        act->team = door_proto_text(over->team);
                        act->text = door_proto_text(over->reason);
                        fits = id_of(over->episode, &act->episode);
                }
                break;
        case ALLOT_PLACE:
                status = door_proto_read(&door__v1__place_episode__descriptor, body, arena, &placing);
                if (status == DOOR_OK) {
                        act->team = door_proto_text(placing->team);
                        act->text = door_proto_text(placing->reason);
                        fits = id_of(placing->episode, &act->episode);
                }
                break;
        default:
                return DOOR_MALFORMED;
        }
        *ret_body = act;
        return status != DOOR_OK ? status : fits ? DOOR_OK : DOOR_MALFORMED;
}

/* ---- records: out */

/* Copies of the word's texts that end in NUL; "" where empty. */
typedef struct texts {
        char *team, *owner, *from, *lead, *by, *offered, *leaves;
} texts;

static bool text_copy(door_bytes text, door_arena *arena, char **ret_text)
{
        static char none[1] = "";

        *ret_text = text.len == 0 ? none : door_proto_string(arena, text);
        return *ret_text != NULL;
}

static bool texts_copy(const allot_word *w, door_arena *arena, texts *t)
{
        return text_copy(w->team, arena, &t->team) && text_copy(w->owner, arena, &t->owner) &&
               text_copy(w->from, arena, &t->from) && text_copy(w->lead, arena, &t->lead) &&
               text_copy(w->by, arena, &t->by) && text_copy(w->offered, arena, &t->offered) &&
               text_copy(w->leaves, arena, &t->leaves);
}

static char *optional(char *text)
{
        return text[0] == '\0' ? NULL : text;
}

static door_status offered_encode(const allot_word *w, const texts *t, door_arena *arena,
                                  door_bytes *ret_public)
{
        Door__V1__OfferMade out = DOOR__V1__OFFER_MADE__INIT;
        Door__V1__OfferReason why[ALLOT_WHYS];

        for (unsigned n = 1; n < ALLOT_WHYS; n++) {
                if ((w->why >> n & 1) != 0) {
                        why[out.n_why++] = (Door__V1__OfferReason)n;
                }
        }
        out.why = why;
        out.episode = data_of(&w->episode);
        out.episode_version = w->episode_version;
        out.team = t->team;
        out.waiting = w->waiting;
        out.owner = t->owner;
        out.load = w->load;
        out.has_capacity = w->capacity != UINT32_MAX;
        out.capacity = w->capacity;
        out.has_level = 1;
        out.level = w->level;
        return door_proto_pack(&out, arena, ret_public);
}

static door_status public_encode(allot_event type, const allot_word *w, const texts *t, door_arena *arena,
                                 door_bytes *ret_public)
{
        Door__V1__OwnerNamed named = DOOR__V1__OWNER_NAMED__INIT;
        Door__V1__OfferPlaced placed = DOOR__V1__OFFER_PLACED__INIT;
        Door__V1__Unrouted unrouted = DOOR__V1__UNROUTED__INIT;
        Door__V1__OfferAccepted accepted = DOOR__V1__OFFER_ACCEPTED__INIT;
        Door__V1__OfferReturned returned = DOOR__V1__OFFER_RETURNED__INIT;
        Door__V1__HandOverOffered over = DOOR__V1__HAND_OVER_OFFERED__INIT;
        Door__V1__OwnershipEnded ended = DOOR__V1__OWNERSHIP_ENDED__INIT;
        Door__V1__AllotOvertaken overtaken = DOOR__V1__ALLOT_OVERTAKEN__INIT;
        Door__V1__OwnershipFolded folded = DOOR__V1__OWNERSHIP_FOLDED__INIT;
        Door__V1__OwnershipRestored restored = DOOR__V1__OWNERSHIP_RESTORED__INIT;
        const ProtobufCBinaryData episode = data_of(&w->episode);

        switch (type) {
        case ALLOT_OWNER_NAMED:
                named.episode = episode;
                named.team = t->owner;
                named.episode_version = w->episode_version;
                return door_proto_pack(&named, arena, ret_public);
        case ALLOT_OFFERED:
                return offered_encode(w, t, arena, ret_public);
        case ALLOT_OFFER_PLACED:
                placed.episode = episode;
                placed.team = t->team;
                placed.waited_ms = w->waited_ms;
                return door_proto_pack(&placed, arena, ret_public);
        case ALLOT_UNROUTED:
                unrouted.episode = episode;
                unrouted.episode_version = w->episode_version;
                unrouted.owner = t->owner;
                unrouted.has_returned_times = w->times != 0;
                unrouted.returned_times = w->times;
                return door_proto_pack(&unrouted, arena, ret_public);
        case ALLOT_ACCEPTED:
                accepted.episode = episode;
                accepted.episode_version = w->episode_version;
                accepted.team = t->team;
                accepted.lead_practitioner = t->lead;
                accepted.by = t->by;
                accepted.from = optional(t->from);
                return door_proto_pack(&accepted, arena, ret_public);
        case ALLOT_RETURNED:
                returned.episode = episode;
                returned.episode_version = w->episode_version;
                returned.team = t->team;
                returned.reason = (Door__V1__ReturnReason)w->reason;
                returned.owner = t->owner;
                returned.times = w->times;
                returned.by = t->by;
                returned.has_hand_over = w->hand_over;
                returned.hand_over = w->hand_over;
                return door_proto_pack(&returned, arena, ret_public);
        case ALLOT_HAND_OVER_OFFERED:
                over.episode = episode;
                over.from = t->owner;
                over.to = t->team;
                over.by = t->by;
                over.waiting = w->waiting;
                over.has_episode_version = 1;
                over.episode_version = w->episode_version;
                return door_proto_pack(&over, arena, ret_public);
        case ALLOT_ENDED:
                ended.episode = episode;
                ended.team = t->team;
                return door_proto_pack(&ended, arena, ret_public);
        case ALLOT_OVERTAKEN:
                overtaken.episode = episode;
                overtaken.episode_version = w->episode_version;
                overtaken.acted_on = w->acted_on;
                overtaken.actor = optional(t->by);
                overtaken.owner = optional(t->owner);
                overtaken.offered_to = optional(t->offered);
                return door_proto_pack(&overtaken, arena, ret_public);
        case ALLOT_FOLDED:
                folded.from = data_of(&w->other);
                folded.to = episode;
                folded.to_version = w->episode_version;
                folded.owner = t->owner;
                folded.accepted = w->accepted;
                folded.lead_practitioner = optional(t->lead);
                folded.leaves = optional(t->leaves);
                folded.offered_before = optional(t->offered);
                return door_proto_pack(&folded, arena, ret_public);
        case ALLOT_RESTORED:
                restored.episode = episode;
                restored.episode_version = w->episode_version;
                restored.owner = t->owner;
                restored.accepted = w->accepted;
                restored.lead_practitioner = optional(t->lead);
                restored.survivor = data_of(&w->other);
                return door_proto_pack(&restored, arena, ret_public);
        }
        return DOOR_MALFORMED;
}

static door_status encode_event(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        const allot_word *w = event->body;
        Door__V1__ReturnText text = DOOR__V1__RETURN_TEXT__INIT;
        texts t;

        if (!texts_copy(w, arena, &t)) {
                return DOOR_NO_MEMORY;
        }
        const door_status status = public_encode((allot_event)event->type, w, &t, arena, ret_public);
        if (status != DOOR_OK || w->text.len == 0) {
                return status;
        }
        return text_copy(w->text, arena, &text.text) ? door_proto_pack(&text, arena, ret_private)
                                                     : DOOR_NO_MEMORY;
}

/* ---- records: in, for apply */

static door_status decode_event(uint32_t type, uint32_t version, door_bytes public_payload,
                                door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        allot_word *w = door_arena_take_zeroed(arena, 1, sizeof *w);
        ProtobufCBinaryData episode = { 0, NULL };
        ProtobufCBinaryData other = { 0, NULL };
        door_status status = DOOR_MALFORMED;
        union {
                Door__V1__OwnerNamed *named;
                Door__V1__OfferMade *made;
                Door__V1__OfferPlaced *placed;
                Door__V1__Unrouted *unrouted;
                Door__V1__OfferAccepted *accepted;
                Door__V1__OfferReturned *returned;
                Door__V1__HandOverOffered *over;
                Door__V1__OwnershipEnded *ended;
                Door__V1__AllotOvertaken *overtaken;
                Door__V1__OwnershipFolded *folded;
                Door__V1__OwnershipRestored *restored;
        } in = { NULL };

        (void)version;
        (void)private_payload; /* What a person wrote: kept by the log, of no use to the fold. */
        if (w == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = w;
        switch ((allot_event)type) {
        case ALLOT_OWNER_NAMED:
                status = door_proto_unpack(&door__v1__owner_named__descriptor, public_payload, arena,
                                           &in.named);
                if (status == DOOR_OK) {
                        episode = in.named->episode;
                        w->owner = door_proto_text(in.named->team);
                        w->episode_version = in.named->episode_version;
                }
                break;
        case ALLOT_OFFERED:
                status =
                        door_proto_unpack(&door__v1__offer_made__descriptor, public_payload, arena, &in.made);
                if (status == DOOR_OK) {
                        episode = in.made->episode;
                        w->episode_version = in.made->episode_version;
                        w->team = door_proto_text(in.made->team);
                        w->owner = door_proto_text(in.made->owner);
                        w->waiting = in.made->waiting;
                        w->load = in.made->load;
                        w->capacity = in.made->has_capacity ? in.made->capacity : UINT32_MAX;
                        w->level = (uint8_t)in.made->level;
                        for (size_t i = 0; i < in.made->n_why; i++) {
                                w->why |= (uint16_t)(1u << ((unsigned)in.made->why[i] % 16));
                        }
                }
                break;
        case ALLOT_OFFER_PLACED:
                status = door_proto_unpack(&door__v1__offer_placed__descriptor, public_payload, arena,
                                           &in.placed);
                if (status == DOOR_OK) {
                        episode = in.placed->episode;
                        w->team = door_proto_text(in.placed->team);
                        w->waited_ms = in.placed->waited_ms;
                }
                break;
        case ALLOT_UNROUTED:
                status = door_proto_unpack(&door__v1__unrouted__descriptor, public_payload, arena,
                                           &in.unrouted);
                if (status == DOOR_OK) {
                        episode = in.unrouted->episode;
                        w->episode_version = in.unrouted->episode_version;
                        w->owner = door_proto_text(in.unrouted->owner);
                        w->times = in.unrouted->returned_times;
                }
                break;
        case ALLOT_ACCEPTED:
                status = door_proto_unpack(&door__v1__offer_accepted__descriptor, public_payload, arena,
                                           &in.accepted);
                if (status == DOOR_OK) {
                        episode = in.accepted->episode;
                        w->episode_version = in.accepted->episode_version;
                        w->team = door_proto_text(in.accepted->team);
                        w->owner = w->team;
                        w->lead = door_proto_text(in.accepted->lead_practitioner);
                        w->by = door_proto_text(in.accepted->by);
                        w->from = door_proto_text(in.accepted->from);
                }
                break;
        case ALLOT_RETURNED:
                status = door_proto_unpack(&door__v1__offer_returned__descriptor, public_payload, arena,
                                           &in.returned);
                if (status == DOOR_OK) {
                        episode = in.returned->episode;
                        w->episode_version = in.returned->episode_version;
                        w->team = door_proto_text(in.returned->team);
                        w->reason = (uint8_t)in.returned->reason;
                        w->owner = door_proto_text(in.returned->owner);
                        w->times = in.returned->times;
                        w->by = door_proto_text(in.returned->by);
                        w->hand_over = in.returned->hand_over;
                }
                break;
        case ALLOT_HAND_OVER_OFFERED:
                status = door_proto_unpack(&door__v1__hand_over_offered__descriptor, public_payload, arena,
                                           &in.over);
                if (status == DOOR_OK) {
                        episode = in.over->episode;
                        w->owner = door_proto_text(in.over->from);
                        w->team = door_proto_text(in.over->to);
                        w->by = door_proto_text(in.over->by);
                        w->waiting = in.over->waiting;
                        w->episode_version = in.over->episode_version;
                }
                break;
        case ALLOT_ENDED:
                status = door_proto_unpack(&door__v1__ownership_ended__descriptor, public_payload, arena,
                                           &in.ended);
                if (status == DOOR_OK) {
                        episode = in.ended->episode;
                        w->team = door_proto_text(in.ended->team);
                }
                break;
        case ALLOT_OVERTAKEN:
                status = door_proto_unpack(&door__v1__allot_overtaken__descriptor, public_payload, arena,
                                           &in.overtaken);
                if (status == DOOR_OK) {
                        episode = in.overtaken->episode;
                        w->episode_version = in.overtaken->episode_version;
                        w->acted_on = in.overtaken->acted_on;
                        w->by = door_proto_text(in.overtaken->actor);
                        w->owner = door_proto_text(in.overtaken->owner);
                        w->offered = door_proto_text(in.overtaken->offered_to);
                }
                break;
        case ALLOT_FOLDED:
                status = door_proto_unpack(&door__v1__ownership_folded__descriptor, public_payload, arena,
                                           &in.folded);
                if (status == DOOR_OK) {
                        episode = in.folded->to;
                        other = in.folded->from;
                        w->episode_version = in.folded->to_version;
                        w->owner = door_proto_text(in.folded->owner);
                        w->accepted = in.folded->accepted;
                        w->lead = door_proto_text(in.folded->lead_practitioner);
                        w->leaves = door_proto_text(in.folded->leaves);
                        w->offered = door_proto_text(in.folded->offered_before);
                }
                break;
        case ALLOT_RESTORED:
                status = door_proto_unpack(&door__v1__ownership_restored__descriptor, public_payload, arena,
                                           &in.restored);
                if (status == DOOR_OK) {
                        episode = in.restored->episode;
                        other = in.restored->survivor;
                        w->episode_version = in.restored->episode_version;
                        w->owner = door_proto_text(in.restored->owner);
                        w->accepted = in.restored->accepted;
                        w->lead = door_proto_text(in.restored->lead_practitioner);
                }
                break;
        }
        if (status != DOOR_OK) {
                return status;
        }
        const bool two = type == ALLOT_FOLDED || type == ALLOT_RESTORED;
        if (two && !two_of(episode, other, &w->episode, &w->other)) {
                return DOOR_MALFORMED;
        }
        return id_of(episode, &w->episode) && is_name(w->team) && is_name(w->owner) && is_name(w->lead) &&
                               is_name(w->from) && is_name(w->leaves) && is_name(w->offered)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status encode_answer(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        const allot_word *w = event->body;
        Door__V1__AllotAnswer out = DOOR__V1__ALLOT_ANSWER__INIT;
        const bool offers = event->type == ALLOT_OFFERED || event->type == ALLOT_HAND_OVER_OFFERED;
        texts t;

        if (!texts_copy(w, arena, &t)) {
                return DOOR_NO_MEMORY;
        }
        out.episode = data_of(&w->episode);
        out.owner = t.owner;
        out.offered_to = offers ? t.team : event->type == ALLOT_OVERTAKEN ? optional(t.offered) : NULL;
        out.has_waiting = offers;
        out.waiting = w->waiting;
        out.lead_practitioner = optional(t.lead);
        out.has_overtaken = event->type == ALLOT_OVERTAKEN;
        out.overtaken = out.has_overtaken;
        return door_proto_pack(&out, arena, ret_body);
}

/* ---- policy */

static door_status team_decode(const Door__V1__Team *in, door_arena *arena, allot_team *team)
{
        door_bytes *districts = door_arena_take(arena, (in->n_district + 1) * sizeof *districts);

        if (districts == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_district; i++) {
                districts[i] = door_proto_text(in->district[i]);
                if (districts[i].len != ALLOT_DISTRICT_BYTES) {
                        return DOOR_MALFORMED;
                }
        }
        *team = (allot_team){
                .id = door_proto_text(in->id),
                .kind = (allot_team_kind)in->kind,
                .districts_count = in->n_district,
                .districts = districts,
                .has_ages = in->has_age_from && in->has_age_to,
                .age_from = (uint8_t)in->age_from,
                .age_to = (uint8_t)in->age_to,
                .level_from = (uint8_t)in->level_from,
                .level_to = (uint8_t)in->level_to,
                .routes = (uint8_t)((in->route_disability ? ALLOT_ROUTE_DISABILITY : 0) |
                                    (in->route_unborn ? ALLOT_ROUTE_UNBORN : 0) |
                                    (in->route_in_care ? ALLOT_ROUTE_IN_CARE : 0) |
                                    (in->route_care_leaver ? ALLOT_ROUTE_CARE_LEAVER : 0) |
                                    (in->route_adolescent ? ALLOT_ROUTE_ADOLESCENT : 0)),
                .has_capacity = in->has_capacity,
                .capacity = in->capacity,
        };
        return team->id.len > 0 && is_name(team->id) && in->n_district <= ALLOT_DISTRICTS_MAX
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status decode_policy(door_bytes content, door_arena *arena, const void **ret_policy)
{
        Door__V1__AllotPolicy *in = NULL;
        allot_policy *policy = door_arena_take_zeroed(arena, 1, sizeof *policy);

        if (policy == NULL) {
                return DOOR_NO_MEMORY;
        }
        door_status status = door_proto_read(&door__v1__allot_policy__descriptor, content, arena, &in);
        if (status != DOOR_OK) {
                return status;
        }
        if (in->n_team > ALLOT_TEAMS_MAX) {
                return DOOR_MALFORMED;
        }
        allot_team *teams = door_arena_take(arena, (in->n_team + 1) * sizeof *teams);
        if (teams == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < in->n_team; i++) {
                allot_team team;
                size_t at = i;
                status = team_decode(in->team[i], arena, &team);
                if (status != DOOR_OK) {
                        return status;
                }
                /* In the order of their ids: ties are broken by it. */
                for (; at > 0 && door_bytes_compare(teams[at - 1].id, team.id) > 0; at--) {
                        teams[at] = teams[at - 1];
                }
                if (at > 0 && door_bytes_equal(teams[at - 1].id, team.id)) {
                        return DOOR_MALFORMED;
                }
                teams[at] = team;
        }
        policy->training = in->training;
        policy->teams = teams;
        policy->teams_count = in->n_team;
        *ret_policy = policy;
        return DOOR_OK;
}

static const door_consumed consumes[] = {
        { ALLOT_LOG_TRIAGE, ALLOT_INPUT_OPENED }, { ALLOT_LOG_TRIAGE, ALLOT_INPUT_DECIDED },
        { ALLOT_LOG_TRIAGE, ALLOT_INPUT_CLOSED }, { ALLOT_LOG_TRIAGE, ALLOT_INPUT_REOPENED },
        { ALLOT_LOG_TRIAGE, ALLOT_INPUT_FOLDED }, { ALLOT_LOG_TRIAGE, ALLOT_INPUT_RESTORED },
};

/* Another family, or a referral less, is no other owner: what follows from it is triage's to decide. */
static const door_known knows[] = {
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_REFERRAL_ATTACHED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_HISTORY_NOTED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_TAKEN },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_TAKE_ENDED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_LOOK_LISTED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_LOOK_ANSWERED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_RESPONDED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_ACTIVATED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_RETURNED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_OVERTAKEN },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_FAMILY_CHANGED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_DETACHED },
        { ALLOT_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_MATCH_SETTLED },
};

const door_core_ops allot_ops = {
        .name = "allocation",
        .log = DOOR__V1__LOG__ALLOCATION,
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
        .decide = allot_decide,
        .apply = allot_apply,
        .next_deadline = allot_next_deadline,
};
