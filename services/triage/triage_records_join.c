/*
 * triage_records_join.c - the records of joined and parted families, from the core's structs and back.
 */
#include "triage/triage_records.h"

static door_status folded_encode(const triage_folded *f, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__EpisodeFolded out = DOOR__V1__EPISODE_FOLDED__INIT;
        Door__V1__Clocks clocks;
        triage_routing_parts *routing = door_arena_take_zeroed(arena, 1, sizeof *routing);

        out.team = door_proto_string(arena, f->team);
        if (routing == NULL || (out.team == NULL && f->team.len > 0)) {
                return DOOR_NO_MEMORY;
        }
        out.from = triage_data_of(&f->from);
        out.to = triage_data_of(&f->to);
        out.from_version = f->from_version;
        out.to_version = f->to_version;
        out.family = triage_data_of(&f->family);
        out.severity = f->severity;
        out.clocks = triage_clocks_encode(&f->clocks, &clocks);
        out.state = (Door__V1__EpisodeState)f->state;
        out.has_from_level = f->from_level != 0;
        out.from_level = f->from_level;
        out.has_to_level = f->to_level != 0;
        out.to_level = f->to_level;
        out.has_join = f->has_join;
        out.join = triage_data_of(&f->join);
        out.has_family_before = 1;
        out.family_before = triage_data_of(&f->family_before);
        out.routing = triage_routing_encode(&f->routing, routing);
        out.has_idle_at_ms = f->idle_at_ms != 0;
        out.idle_at_ms = f->idle_at_ms;
        return door_proto_pack(&out, arena, ret_public);
}

static door_status folded_decode(door_bytes payload, door_arena *arena, triage_folded *f)
{
        Door__V1__EpisodeFolded *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__episode_folded__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        f->from_version = in->from_version;
        f->to_version = in->to_version;
        f->severity = (uint8_t)in->severity;
        f->clocks = triage_clocks_decode(in->clocks);
        f->state = (triage_state)in->state;
        f->from_level = (uint8_t)in->from_level;
        f->to_level = (uint8_t)in->to_level;
        f->has_join = in->has_join;
        f->team = door_proto_text(in->team);
        f->idle_at_ms = in->idle_at_ms;
        return triage_id_of(in->from, &f->from) && triage_id_of(in->to, &f->to) &&
                               triage_id_of(in->family, &f->family) &&
                               triage_id_of(in->family_before, &f->family_before) &&
                               (!f->has_join || triage_id_of(in->join, &f->join)) &&
                               f->team.len < DOOR_NAME_BYTES_MAX &&
                               triage_routing_decode(in->routing, &f->routing)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status restored_encode(const triage_restored *r, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__EpisodeRestored out = DOOR__V1__EPISODE_RESTORED__INIT;
        Door__V1__Clocks clocks;

        out.team = door_proto_string(arena, r->team);
        if (out.team == NULL && r->team.len > 0) {
                return DOOR_NO_MEMORY;
        }
        out.episode = triage_data_of(&r->episode);
        out.version = r->version;
        out.survivor = triage_data_of(&r->survivor);
        out.survivor_version = r->survivor_version;
        out.family = triage_data_of(&r->family);
        out.severity = r->severity;
        out.clocks = triage_clocks_encode(&r->clocks, &clocks);
        out.state = (Door__V1__EpisodeState)r->state;
        out.has_join = 1;
        out.join = triage_data_of(&r->join);
        return door_proto_pack(&out, arena, ret_public);
}

static door_status restored_decode(door_bytes payload, door_arena *arena, triage_restored *r)
{
        Door__V1__EpisodeRestored *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__episode_restored__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        r->version = in->version;
        r->survivor_version = in->survivor_version;
        r->severity = (uint8_t)in->severity;
        r->clocks = triage_clocks_decode(in->clocks);
        r->state = (triage_state)in->state;
        r->team = door_proto_text(in->team);
        return triage_id_of(in->episode, &r->episode) && triage_id_of(in->survivor, &r->survivor) &&
                               triage_id_of(in->family, &r->family) && triage_id_of(in->join, &r->join) &&
                               r->team.len < DOOR_NAME_BYTES_MAX
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status detached_encode(const triage_regroup *r, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__ReferralDetached out = DOOR__V1__REFERRAL_DETACHED__INIT;
        ProtobufCBinaryData children[TRIAGE_CHILDREN_MAX];

        DOOR_REQUIRE(r->children_count <= TRIAGE_CHILDREN_MAX);
        for (size_t i = 0; i < r->children_count; i++) {
                children[i] = triage_data_of(&r->children[i]);
        }
        out.episode = triage_data_of(&r->episode);
        out.version = r->version;
        out.referral = triage_data_of(&r->referral);
        out.severity = r->severity;
        out.n_child = r->children_count;
        out.child = children;
        return door_proto_pack(&out, arena, ret_public);
}

static door_status detached_decode(door_bytes payload, door_arena *arena, triage_regroup *r)
{
        Door__V1__ReferralDetached *in = NULL;
        door_status status = door_proto_unpack(&door__v1__referral_detached__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        r->version = in->version;
        r->severity = (uint8_t)in->severity;
        r->children_count = in->n_child;
        if (!triage_id_of(in->episode, &r->episode) || !triage_id_of(in->referral, &r->referral) ||
            in->n_child > TRIAGE_CHILDREN_MAX) {
                return DOOR_MALFORMED;
        }
        (void)triage_ids_decode(in->n_child, in->child, arena, &r->children, &status);
        return status;
}

static door_status family_changed_encode(const triage_regroup *r, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__EpisodeFamilyChanged out = DOOR__V1__EPISODE_FAMILY_CHANGED__INIT;

        out.episode = triage_data_of(&r->episode);
        out.version = r->version;
        out.from = triage_data_of(&r->from);
        out.to = triage_data_of(&r->to);
        out.has_join = r->has_join;
        out.join = triage_data_of(&r->join);
        return door_proto_pack(&out, arena, ret_public);
}

static door_status family_changed_decode(door_bytes payload, door_arena *arena, triage_regroup *r)
{
        Door__V1__EpisodeFamilyChanged *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__episode_family_changed__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        r->version = in->version;
        r->has_join = in->has_join;
        return triage_id_of(in->episode, &r->episode) && triage_id_of(in->from, &r->from) &&
                               triage_id_of(in->to, &r->to) &&
                               (!r->has_join || triage_id_of(in->join, &r->join))
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

static door_status settled_encode(const triage_regroup *r, door_arena *arena, door_bytes *ret_public)
{
        Door__V1__MatchSettled out = DOOR__V1__MATCH_SETTLED__INIT;

        out.episode = triage_data_of(&r->episode);
        return door_proto_pack(&out, arena, ret_public);
}

static door_status settled_decode(door_bytes payload, door_arena *arena, triage_regroup *r)
{
        Door__V1__MatchSettled *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__match_settled__descriptor, payload, arena, &in);

        return status != DOOR_OK ? status : triage_id_of(in->episode, &r->episode) ? DOOR_OK : DOOR_MALFORMED;
}

door_status triage_regroup_encode(const door_event *event, door_arena *arena, door_bytes *ret_public)
{
        switch (event->type) {
        case TRIAGE_EPISODE_FOLDED:
                return folded_encode(event->body, arena, ret_public);
        case TRIAGE_RESTORED:
                return restored_encode(event->body, arena, ret_public);
        case TRIAGE_FAMILY_CHANGED:
                return family_changed_encode(event->body, arena, ret_public);
        case TRIAGE_DETACHED:
                return detached_encode(event->body, arena, ret_public);
        default:
                return settled_encode(event->body, arena, ret_public);
        }
}

door_status triage_regroup_decode(uint32_t type, door_bytes payload, door_arena *arena, const void **ret_body)
{
        union {
                triage_folded folded;
                triage_restored restored;
                triage_regroup regroup;
        } *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = body;
        switch (type) {
        case TRIAGE_EPISODE_FOLDED:
                return folded_decode(payload, arena, &body->folded);
        case TRIAGE_RESTORED:
                return restored_decode(payload, arena, &body->restored);
        case TRIAGE_FAMILY_CHANGED:
                return family_changed_decode(payload, arena, &body->regroup);
        case TRIAGE_DETACHED:
                return detached_decode(payload, arena, &body->regroup);
        default:
                return settled_decode(payload, arena, &body->regroup);
        }
}
