#include "triage/triage_records.h"

#include <string.h>

#include "triage/triage_rules.h"

bool triage_id_of(ProtobufCBinaryData data, door_id *ret_id)
{
        return door_id_from_bytes(door_proto_bytes(data), ret_id);
}

ProtobufCBinaryData triage_data_of(const door_id *id)
{
        return door_proto_data(door_id_bytes(id));
}

/* A text for protobuf-c; NULL for an empty one. False when the arena is full. */
static bool text_of(door_bytes text, door_arena *arena, char **ret_text)
{
        *ret_text = door_proto_string(arena, text);
        return *ret_text != NULL || text.len == 0;
}

/* A required text: "" for an empty one. */
static bool text_required(door_bytes text, door_arena *arena, char **ret_text)
{
        static char none[1] = "";
        const bool done = text_of(text, arena, ret_text);
        if (*ret_text == NULL) {
                *ret_text = none;
        }
        return done;
}

bool triage_district_set(const char *text, triage_routing *routing)
{
        const door_bytes district = door_proto_text(text);

        if (district.len != 0 && district.len != sizeof routing->district) {
                return false;
        }
        if (district.len != 0) {
                memcpy(routing->district, district.data, district.len);
        }
        return true;
}

/* ---- what several records hold: routing, clocks, codes, children */

Door__V1__RoutingFacts *triage_routing_encode(const triage_routing *routing, triage_routing_parts *parts)
{
        door__v1__routing_facts__init(&parts->facts);
        memcpy(parts->district, routing->district, sizeof routing->district);
        parts->district[sizeof routing->district] = '\0';
        parts->facts.district = parts->district[0] == '\0' ? NULL : parts->district;
        for (unsigned n = 0; n < TRIAGE_AGE_BANDS; n++) {
                if ((routing->age_bands >> n & 1) != 0) {
                        parts->bands[parts->facts.n_age_band++] = (Door__V1__AgeBand)n;
                }
        }
        parts->facts.age_band = parts->bands;
#define FLAG(bit, field)                                                                                     \
        parts->facts.has_##field = (routing->flags & (bit)) != 0;                                            \
        parts->facts.field = parts->facts.has_##field
        FLAG(TRIAGE_ROUTE_OUT_OF_COUNTY, out_of_county);
        FLAG(TRIAGE_ROUTE_DISABILITY, disability);
        FLAG(TRIAGE_ROUTE_UNBORN, unborn);
        FLAG(TRIAGE_ROUTE_IN_CARE, in_care);
        FLAG(TRIAGE_ROUTE_CARE_LEAVER, care_leaver);
        FLAG(TRIAGE_ROUTE_ADOLESCENT, adolescent_risk);
#undef FLAG
        return &parts->facts;
}

bool triage_routing_decode(const Door__V1__RoutingFacts *facts, triage_routing *routing)
{
        if (facts == NULL) {
                return true;
        }
        for (size_t i = 0; i < facts->n_age_band; i++) {
                routing->age_bands |= (uint16_t)(1u << ((unsigned)facts->age_band[i] % TRIAGE_AGE_BANDS));
        }
        routing->flags = (uint8_t)((facts->out_of_county ? TRIAGE_ROUTE_OUT_OF_COUNTY : 0) |
                                   (facts->disability ? TRIAGE_ROUTE_DISABILITY : 0) |
                                   (facts->unborn ? TRIAGE_ROUTE_UNBORN : 0) |
                                   (facts->in_care ? TRIAGE_ROUTE_IN_CARE : 0) |
                                   (facts->care_leaver ? TRIAGE_ROUTE_CARE_LEAVER : 0) |
                                   (facts->adolescent_risk ? TRIAGE_ROUTE_ADOLESCENT : 0));
        return triage_district_set(facts->district, routing);
}

Door__V1__Clocks *triage_clocks_encode(const triage_clocks *clocks, Door__V1__Clocks *out)
{
        door__v1__clocks__init(out);
        out->rag_ms = clocks->rag_ms;
        out->statutory_ms = clocks->statutory_ms;
        return out;
}

triage_clocks triage_clocks_decode(const Door__V1__Clocks *in)
{
        return (triage_clocks){ in->rag_ms, in->statutory_ms };
}

/* The set bits as codes; returns how many. out has room for TRIAGE_BITS_MAX. */
static size_t codes_of(uint64_t bits, int *out)
{
        size_t count = 0;

        for (int n = 0; n < TRIAGE_BITS_MAX; n++) {
                if ((bits >> n & 1) != 0) {
                        out[count++] = n;
                }
        }
        return count;
}

bool triage_ids_decode(size_t count, const ProtobufCBinaryData *in, door_arena *arena,
                       const door_id **ret_children, door_status *status)
{
        door_id *children = door_arena_take(arena, (count + 1) * sizeof *children);

        if (children == NULL) {
                *status = DOOR_NO_MEMORY;
                return false;
        }
        *status = DOOR_MALFORMED;
        for (size_t i = 0; i < count; i++) {
                if (!triage_id_of(in[i], &children[i])) {
                        return false;
                }
        }
        *ret_children = children;
        *status = DOOR_OK;
        return true;
}

/* ---- placed: opened, attached, noted */

typedef struct placed_parts {
        triage_routing_parts routing;
        triage_routing_parts routing_own;
        Door__V1__Clocks clocks;
        int why[TRIAGE_BITS_MAX];
        int categories[TRIAGE_BITS_MAX];
        ProtobufCBinaryData children[TRIAGE_CHILDREN_MAX];
        char *agency;
        size_t why_count;
        size_t categories_count;
} placed_parts;

_Static_assert(sizeof(Door__V1__RepeatReason) == sizeof(int), "codes are written as enums");
_Static_assert(sizeof(Door__V1__Category) == sizeof(int), "codes are written as enums");

static bool placed_prepare(const triage_placed *placed, placed_parts *parts, door_arena *arena)
{
        DOOR_REQUIRE(placed->children_count <= TRIAGE_CHILDREN_MAX);
        parts->why_count = codes_of(placed->why, parts->why);
        parts->categories_count = codes_of(placed->categories, parts->categories);
        for (size_t i = 0; i < placed->children_count; i++) {
                parts->children[i] = triage_data_of(&placed->children[i]);
        }
        return text_of(placed->agency, arena, &parts->agency);
}

/* The fields the three records name alike. */
#define PLACED_FIELDS(out, placed, parts)                                                                    \
        do {                                                                                                 \
                (out).referral = triage_data_of(&(placed)->referral);                                        \
                (out).family = triage_data_of(&(placed)->family);                                            \
                (out).received_at_ms = (placed)->received_at_ms;                                             \
                (out).has_sent_at_ms = 1;                                                                    \
                (out).sent_at_ms = (placed)->sent_at_ms;                                                     \
                (out).agency = (parts)->agency;                                                              \
                (out).has_grade = (placed)->grade != 0;                                                      \
                (out).grade = (Door__V1__Grade)(placed)->grade;                                              \
                (out).n_category = (parts)->categories_count;                                                \
                (out).category = (Door__V1__Category *)(void *)(parts)->categories;                          \
        } while (false)

/* And those that two do. */
#define EPISODE_FIELDS(out, placed, parts)                                                                   \
        do {                                                                                                 \
                PLACED_FIELDS(out, placed, parts);                                                           \
                (out).episode = triage_data_of(&(placed)->episode);                                          \
                (out).severity = (placed)->severity;                                                         \
                (out).clocks = triage_clocks_encode(&(placed)->clocks, &(parts)->clocks);                    \
                (out).state = (Door__V1__EpisodeState)(placed)->state;                                       \
                (out).routing = triage_routing_encode(&(placed)->routing, &(parts)->routing);                \
                (out).n_why = (parts)->why_count;                                                            \
                (out).why = (Door__V1__RepeatReason *)(void *)(parts)->why;                                  \
                (out).has_historic = (placed)->historic;                                                     \
                (out).historic = (placed)->historic;                                                         \
                (out).has_resend_of = (placed)->has_resend;                                                  \
                (out).resend_of = triage_data_of(&(placed)->resend_of);                                      \
                (out).has_look_by_ms = (placed)->look_by_ms != 0;                                            \
                (out).look_by_ms = (placed)->look_by_ms;                                                     \
                (out).has_idle_at_ms = (placed)->idle_at_ms != 0;                                            \
                (out).idle_at_ms = (placed)->idle_at_ms;                                                     \
                (out).has_moved_from = (placed)->has_moved_from;                                             \
                (out).moved_from = triage_data_of(&(placed)->moved_from);                                    \
        } while (false)

static door_status opened_encode(const triage_placed *placed, placed_parts *parts, door_arena *arena,
                                 door_bytes *ret_public)
{
        Door__V1__EpisodeOpened out = DOOR__V1__EPISODE_OPENED__INIT;

        EPISODE_FIELDS(out, placed, parts);
        out.has_previous = placed->has_previous;
        out.previous = triage_data_of(&placed->previous);
        out.n_child = placed->children_count;
        out.child = parts->children;
        out.has_uncertain = placed->uncertain;
        out.uncertain = placed->uncertain;
        return door_proto_pack(&out, arena, ret_public);
}

static door_status attached_encode(const triage_placed *placed, placed_parts *parts, door_arena *arena,
                                   door_bytes *ret_public)
{
        Door__V1__ReferralAttached out = DOOR__V1__REFERRAL_ATTACHED__INIT;

        EPISODE_FIELDS(out, placed, parts);
        out.version = placed->version;
        out.way = (Door__V1__RepeatWay)placed->way;
        out.severity_own = placed->severity_own;
        out.has_respond_by_ms = placed->respond_by_ms != 0;
        out.respond_by_ms = placed->respond_by_ms;
        if (memcmp(&placed->routing, &placed->routing_own, sizeof placed->routing) != 0) {
                out.routing_own = triage_routing_encode(&placed->routing_own, &parts->routing_own);
        }
        out.n_new_child = placed->children_count;
        out.new_child = parts->children;
        return door_proto_pack(&out, arena, ret_public);
}

static door_status noted_encode(const triage_placed *placed, placed_parts *parts, door_arena *arena,
                                door_bytes *ret_public)
{
        Door__V1__HistoryNoted out = DOOR__V1__HISTORY_NOTED__INIT;

        PLACED_FIELDS(out, placed, parts);
        return door_proto_pack(&out, arena, ret_public);
}

static door_status placed_encode(const door_event *event, door_arena *arena, door_bytes *ret_public)
{
        placed_parts *parts = door_arena_take_zeroed(arena, 1, sizeof *parts);

        if (parts == NULL || !placed_prepare(event->body, parts, arena)) {
                return DOOR_NO_MEMORY;
        }
        return event->type == TRIAGE_EPISODE_OPENED ? opened_encode(event->body, parts, arena, ret_public)
               : event->type == TRIAGE_REFERRAL_ATTACHED
                       ? attached_encode(event->body, parts, arena, ret_public)
                       : noted_encode(event->body, parts, arena, ret_public);
}

#define PLACED_READ(placed, in)                                                                              \
        do {                                                                                                 \
                (placed)->received_at_ms = (in)->received_at_ms;                                             \
                (placed)->sent_at_ms = (in)->sent_at_ms;                                                     \
                (placed)->agency = door_proto_text((in)->agency);                                            \
                (placed)->grade = (uint8_t)(in)->grade;                                                      \
                for (size_t i = 0; i < (in)->n_category; i++) {                                              \
                        (placed)->categories |= TRIAGE_BIT((unsigned)(in)->category[i] % TRIAGE_BITS_MAX);   \
                }                                                                                            \
        } while (false)

#define EPISODE_READ(placed, in)                                                                             \
        do {                                                                                                 \
                PLACED_READ(placed, in);                                                                     \
                (placed)->severity = (uint8_t)(in)->severity;                                                \
                (placed)->clocks = triage_clocks_decode((in)->clocks);                                       \
                (placed)->state = (triage_state)(in)->state;                                                 \
                (placed)->historic = (in)->historic;                                                         \
                (placed)->has_resend = (in)->has_resend_of;                                                  \
                (placed)->look_by_ms = (in)->look_by_ms;                                                     \
                (placed)->idle_at_ms = (in)->idle_at_ms;                                                     \
                (placed)->has_moved_from = (in)->has_moved_from;                                             \
                for (size_t i = 0; i < (in)->n_why; i++) {                                                   \
                        (placed)->why |= TRIAGE_BIT((unsigned)(in)->why[i] % TRIAGE_BITS_MAX);               \
                }                                                                                            \
        } while (false)

static door_status opened_decode(door_bytes payload, door_arena *arena, triage_placed *placed)
{
        Door__V1__EpisodeOpened *in = NULL;
        door_status status = door_proto_unpack(&door__v1__episode_opened__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        EPISODE_READ(placed, in);
        placed->version = 1;
        placed->severity_own = placed->severity;
        placed->uncertain = in->uncertain;
        placed->has_previous = in->has_previous;
        placed->children_count = in->n_child;
        if (!triage_id_of(in->episode, &placed->episode) || !triage_id_of(in->referral, &placed->referral) ||
            !triage_id_of(in->family, &placed->family) ||
            (in->has_previous && !triage_id_of(in->previous, &placed->previous)) ||
            (in->has_resend_of && !triage_id_of(in->resend_of, &placed->resend_of)) ||
            (in->has_moved_from && !triage_id_of(in->moved_from, &placed->moved_from)) ||
            !triage_routing_decode(in->routing, &placed->routing) || in->n_child > TRIAGE_CHILDREN_MAX) {
                return DOOR_MALFORMED;
        }
        placed->routing_own = placed->routing;
        (void)triage_ids_decode(in->n_child, in->child, arena, &placed->children, &status);
        return status;
}

static door_status attached_decode(door_bytes payload, door_arena *arena, triage_placed *placed)
{
        Door__V1__ReferralAttached *in = NULL;
        door_status status = door_proto_unpack(&door__v1__referral_attached__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        EPISODE_READ(placed, in);
        placed->version = in->version;
        placed->way = (triage_way)in->way;
        placed->severity_own = (uint8_t)in->severity_own;
        placed->respond_by_ms = in->respond_by_ms;
        placed->children_count = in->n_new_child;
        if (!triage_id_of(in->episode, &placed->episode) || !triage_id_of(in->referral, &placed->referral) ||
            !triage_id_of(in->family, &placed->family) ||
            (in->has_resend_of && !triage_id_of(in->resend_of, &placed->resend_of)) ||
            (in->has_moved_from && !triage_id_of(in->moved_from, &placed->moved_from)) ||
            !triage_routing_decode(in->routing, &placed->routing) ||
            !triage_routing_decode(in->routing_own != NULL ? in->routing_own : in->routing,
                                   &placed->routing_own) ||
            in->n_new_child > TRIAGE_CHILDREN_MAX) {
                return DOOR_MALFORMED;
        }
        (void)triage_ids_decode(in->n_new_child, in->new_child, arena, &placed->children, &status);
        return status;
}

static door_status noted_decode(door_bytes payload, door_arena *arena, triage_placed *placed)
{
        Door__V1__HistoryNoted *in = NULL;
        const door_status status =
                door_proto_unpack(&door__v1__history_noted__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        PLACED_READ(placed, in);
        placed->historic = true;
        return triage_id_of(in->referral, &placed->referral) && triage_id_of(in->family, &placed->family)
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

/* ---- takes */

static door_status take_encode(const door_event *event, door_arena *arena, door_bytes *ret_public)
{
        const triage_take *taken = event->body;
        Door__V1__EpisodeTaken out = DOOR__V1__EPISODE_TAKEN__INIT;
        Door__V1__TakeEnded end = DOOR__V1__TAKE_ENDED__INIT;

        out.episode = triage_data_of(&taken->episode);
        out.until_ms = taken->until_ms;
        end.episode = out.episode;
        end.end = (Door__V1__TakeEnd)taken->end;
        if (!text_required(taken->by, arena, &out.by)) {
                return DOOR_NO_MEMORY;
        }
        end.by = out.by;
        return event->type == TRIAGE_TAKEN ? door_proto_pack(&out, arena, ret_public)
                                           : door_proto_pack(&end, arena, ret_public);
}

static door_status take_decode(uint32_t type, door_bytes payload, door_arena *arena, triage_take *taken)
{
        Door__V1__EpisodeTaken *in = NULL;
        Door__V1__TakeEnded *end = NULL;
        const door_status status =
                type == TRIAGE_TAKEN
                        ? door_proto_unpack(&door__v1__episode_taken__descriptor, payload, arena, &in)
                        : door_proto_unpack(&door__v1__take_ended__descriptor, payload, arena, &end);

        if (status != DOOR_OK) {
                return status;
        }
        taken->until_ms = in != NULL ? in->until_ms : 0;
        taken->end = end != NULL ? (triage_take_end)end->end : 0;
        taken->by = door_proto_text(in != NULL ? in->by : end->by);
        return triage_id_of(in != NULL ? in->episode : end->episode, &taken->episode) &&
                               taken->by.len < DOOR_NAME_BYTES_MAX
                       ? DOOR_OK
                       : DOOR_MALFORMED;
}

/* ---- decided */

static door_status reason_encode(door_bytes text, door_arena *arena, door_bytes *ret_private)
{
        Door__V1__Reason out = DOOR__V1__REASON__INIT;

        if (text.len == 0) {
                return DOOR_OK;
        }
        if (!text_required(text, arena, &out.text)) {
                return DOOR_NO_MEMORY;
        }
        return door_proto_pack(&out, arena, ret_private);
}

static door_status decided_encode(const triage_decided *decided, door_arena *arena, door_bytes *ret_public,
                                  door_bytes *ret_private)
{
        Door__V1__EpisodeDecided out = DOOR__V1__EPISODE_DECIDED__INIT;
        triage_routing_parts *routing = door_arena_take_zeroed(arena, 1, sizeof *routing);
        ProtobufCBinaryData *children = door_arena_take(arena, TRIAGE_CHILDREN_MAX * sizeof *children);

        if (children == NULL || !text_required(decided->by, arena, &out.by) ||
            !text_of(decided->second_person, arena, &out.second_person)) {
                return DOOR_NO_MEMORY;
        }
        DOOR_REQUIRE(decided->children_count <= TRIAGE_CHILDREN_MAX);
        for (size_t i = 0; i < decided->children_count; i++) {
                children[i] = triage_data_of(&decided->children[i]);
        }
        out.episode = triage_data_of(&decided->episode);
        out.version = decided->version;
        out.level = decided->level;
        out.next_step = (Door__V1__NextStep)decided->next_step;
        out.state = (Door__V1__EpisodeState)decided->state;
        out.severity = decided->severity;
        out.routing = triage_routing_encode(&decided->routing, routing);
        out.has_previous = decided->has_previous;
        out.previous = triage_data_of(&decided->previous);
        out.has_referrals = 1;
        out.referrals = decided->referrals;
        out.n_child = decided->children_count;
        out.child = children;
        const door_status status = door_proto_pack(&out, arena, ret_public);
        return status != DOOR_OK ? status : reason_encode(decided->reason, arena, ret_private);
}

static door_status decided_decode(door_bytes payload, door_arena *arena, triage_decided *decided)
{
        Door__V1__EpisodeDecided *in = NULL;
        door_status status = door_proto_unpack(&door__v1__episode_decided__descriptor, payload, arena, &in);

        if (status != DOOR_OK) {
                return status;
        }
        decided->version = in->version;
        decided->level = (uint8_t)in->level;
        decided->next_step = (uint8_t)in->next_step;
        decided->state = (triage_state)in->state;
        decided->by = door_proto_text(in->by);
        decided->second_person = door_proto_text(in->second_person);
        decided->severity = (uint8_t)in->severity;
        decided->has_previous = in->has_previous;
        decided->referrals = in->referrals;
        decided->children_count = in->n_child;
        if (!triage_id_of(in->episode, &decided->episode) ||
            (in->has_previous && !triage_id_of(in->previous, &decided->previous)) ||
            !triage_routing_decode(in->routing, &decided->routing) || in->n_child > TRIAGE_CHILDREN_MAX) {
                return DOOR_MALFORMED;
        }
        (void)triage_ids_decode(in->n_child, in->child, arena, &decided->children, &status);
        return status;
}

/* ---- looked: about one attached referral */

static door_status looked_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                 door_bytes *ret_private)
{
        const triage_looked *looked = event->body;
        Door__V1__LookListed listed = DOOR__V1__LOOK_LISTED__INIT;
        Door__V1__LookAnswered answered = DOOR__V1__LOOK_ANSWERED__INIT;
        Door__V1__Responded responded = DOOR__V1__RESPONDED__INIT;
        char *by = NULL;
        door_status status;

        if (!text_required(looked->by, arena, &by)) {
                return DOOR_NO_MEMORY;
        }
        if (event->type == TRIAGE_LOOK_LISTED) {
                listed.episode = triage_data_of(&looked->episode);
                listed.referral = triage_data_of(&looked->referral);
                listed.why = (Door__V1__RepeatReason)looked->why;
                listed.look_by_ms = looked->look_by_ms;
                return door_proto_pack(&listed, arena, ret_public);
        }
        if (event->type == TRIAGE_LOOK_ANSWERED) {
                answered.episode = triage_data_of(&looked->episode);
                answered.version = looked->version;
                answered.referral = triage_data_of(&looked->referral);
                answered.answer = (Door__V1__LookAnswer)looked->answer;
                answered.by = by;
                answered.state = (Door__V1__EpisodeState)looked->state;
                answered.looks_left = looked->looks_left;
                status = door_proto_pack(&answered, arena, ret_public);
        } else {
                responded.episode = triage_data_of(&looked->episode);
                responded.referral = triage_data_of(&looked->referral);
                responded.this_family = (Door__V1__ThisFamily)looked->answer;
                responded.by = by;
                responded.has_children_seen = looked->has_children_seen;
                responded.children_seen = looked->children_seen;
                status = door_proto_pack(&responded, arena, ret_public);
        }
        return status != DOOR_OK ? status : reason_encode(looked->text, arena, ret_private);
}

static door_status looked_decode(uint32_t type, door_bytes payload, door_arena *arena, triage_looked *looked)
{
        Door__V1__LookListed *listed = NULL;
        Door__V1__LookAnswered *answered = NULL;
        Door__V1__Responded *responded = NULL;
        door_status status;
        bool fits = false;

        if (type == TRIAGE_LOOK_LISTED) {
                status = door_proto_unpack(&door__v1__look_listed__descriptor, payload, arena, &listed);
                if (status == DOOR_OK) {
                        looked->why = (uint8_t)listed->why;
                        looked->look_by_ms = listed->look_by_ms;
                        fits = triage_id_of(listed->episode, &looked->episode) &&
                               triage_id_of(listed->referral, &looked->referral);
                }
        } else if (type == TRIAGE_LOOK_ANSWERED) {
                status = door_proto_unpack(&door__v1__look_answered__descriptor, payload, arena, &answered);
                if (status == DOOR_OK) {
                        looked->version = answered->version;
                        looked->answer = (uint8_t)answered->answer;
                        looked->state = (triage_state)answered->state;
                        looked->looks_left = answered->looks_left;
                        looked->by = door_proto_text(answered->by);
                        fits = triage_id_of(answered->episode, &looked->episode) &&
                               triage_id_of(answered->referral, &looked->referral);
                }
        } else {
                status = door_proto_unpack(&door__v1__responded__descriptor, payload, arena, &responded);
                if (status == DOOR_OK) {
                        looked->answer = (uint8_t)responded->this_family;
                        looked->by = door_proto_text(responded->by);
                        looked->has_children_seen = responded->has_children_seen;
                        looked->children_seen = responded->children_seen;
                        fits = triage_id_of(responded->episode, &looked->episode) &&
                               triage_id_of(responded->referral, &looked->referral);
                }
        }
        return status != DOOR_OK ? status : fits ? DOOR_OK : DOOR_MALFORMED;
}

/* ---- moved: the episode as a whole */

static door_status moved_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                door_bytes *ret_private)
{
        const triage_moved *moved = event->body;
        Door__V1__EpisodeActivated activated = DOOR__V1__EPISODE_ACTIVATED__INIT;
        Door__V1__EpisodeReturned returned = DOOR__V1__EPISODE_RETURNED__INIT;
        Door__V1__EpisodeClosed closed = DOOR__V1__EPISODE_CLOSED__INIT;
        Door__V1__EpisodeReopened reopened = DOOR__V1__EPISODE_REOPENED__INIT;
        Door__V1__TriageOvertaken overtaken = DOOR__V1__TRIAGE_OVERTAKEN__INIT;
        Door__V1__Clocks clocks;
        char *by = NULL;
        char *team = NULL;
        const ProtobufCBinaryData episode = triage_data_of(&moved->episode);
        void *message = NULL;

        if (!text_of(moved->by, arena, &by) || !text_of(moved->team, arena, &team)) {
                return DOOR_NO_MEMORY;
        }
        switch (event->type) {
        case TRIAGE_ACTIVATED:
                activated.episode = episode;
                activated.version = moved->version;
                activated.team = team;
                message = &activated;
                break;
        case TRIAGE_RETURNED:
                returned.episode = episode;
                returned.version = moved->version;
                returned.team = team;
                returned.times = moved->times;
                returned.has_team_keeps = moved->team_holds;
                returned.team_keeps = moved->team_holds;
                message = &returned;
                break;
        case TRIAGE_CLOSED:
                closed.episode = episode;
                closed.version = moved->version;
                closed.outcome = (Door__V1__CloseOutcome)moved->outcome;
                closed.by = by;
                message = &closed;
                break;
        case TRIAGE_REOPENED:
                reopened.episode = episode;
                reopened.version = moved->version;
                reopened.severity = moved->severity;
                reopened.clocks = triage_clocks_encode(&moved->clocks, &clocks);
                if (!text_required(moved->by, arena, &reopened.by)) {
                        return DOOR_NO_MEMORY;
                }
                message = &reopened;
                break;
        default:
                overtaken.episode = episode;
                overtaken.version = moved->version;
                overtaken.acted_on = moved->acted_on;
                overtaken.actor = by;
                overtaken.team = team;
                overtaken.has_team_holds = team != NULL;
                overtaken.team_holds = moved->team_holds;
                message = &overtaken;
                break;
        }
        const door_status status = door_proto_pack(message, arena, ret_public);
        return status != DOOR_OK ? status : reason_encode(moved->text, arena, ret_private);
}

static door_status moved_decode(uint32_t type, door_bytes payload, door_arena *arena, triage_moved *moved)
{
        Door__V1__EpisodeActivated *activated = NULL;
        Door__V1__EpisodeReturned *returned = NULL;
        Door__V1__EpisodeClosed *closed = NULL;
        Door__V1__EpisodeReopened *reopened = NULL;
        Door__V1__TriageOvertaken *overtaken = NULL;
        door_status status;
        bool fits = false;

        switch (type) {
        case TRIAGE_ACTIVATED:
                status = door_proto_unpack(&door__v1__episode_activated__descriptor, payload, arena,
                                           &activated);
                if (status == DOOR_OK) {
                        moved->version = activated->version;
                        moved->team = door_proto_text(activated->team);
                        fits = triage_id_of(activated->episode, &moved->episode);
                }
                break;
        case TRIAGE_RETURNED:
                status =
                        door_proto_unpack(&door__v1__episode_returned__descriptor, payload, arena, &returned);
                if (status == DOOR_OK) {
                        moved->version = returned->version;
                        moved->team = door_proto_text(returned->team);
                        moved->times = returned->times;
                        moved->team_holds = returned->team_keeps;
                        fits = triage_id_of(returned->episode, &moved->episode);
                }
                break;
        case TRIAGE_CLOSED:
                status = door_proto_unpack(&door__v1__episode_closed__descriptor, payload, arena, &closed);
                if (status == DOOR_OK) {
                        moved->version = closed->version;
                        moved->outcome = (uint8_t)closed->outcome;
                        moved->by = door_proto_text(closed->by);
                        fits = triage_id_of(closed->episode, &moved->episode);
                }
                break;
        case TRIAGE_REOPENED:
                status =
                        door_proto_unpack(&door__v1__episode_reopened__descriptor, payload, arena, &reopened);
                if (status == DOOR_OK) {
                        moved->version = reopened->version;
                        moved->severity = (uint8_t)reopened->severity;
                        moved->clocks = triage_clocks_decode(reopened->clocks);
                        moved->by = door_proto_text(reopened->by);
                        fits = triage_id_of(reopened->episode, &moved->episode);
                }
                break;
        default:
                status = door_proto_unpack(&door__v1__triage_overtaken__descriptor, payload, arena,
                                           &overtaken);
                if (status == DOOR_OK) {
                        moved->version = overtaken->version;
                        moved->acted_on = overtaken->acted_on;
                        moved->by = door_proto_text(overtaken->actor);
                        moved->team = door_proto_text(overtaken->team);
                        moved->team_holds = overtaken->team_holds;
                        fits = triage_id_of(overtaken->episode, &moved->episode);
                }
                break;
        }
        return status != DOOR_OK                               ? status
               : fits && moved->team.len < DOOR_NAME_BYTES_MAX ? DOOR_OK
                                                               : DOOR_MALFORMED;
}

/* ---- the whole vocabulary */

door_status triage_record_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                                 door_bytes *ret_private)
{
        switch ((triage_event)event->type) {
        case TRIAGE_EPISODE_OPENED:
        case TRIAGE_REFERRAL_ATTACHED:
        case TRIAGE_HISTORY_NOTED:
                return placed_encode(event, arena, ret_public);
        case TRIAGE_TAKEN:
        case TRIAGE_TAKE_ENDED:
                return take_encode(event, arena, ret_public);
        case TRIAGE_DECIDED:
                return decided_encode(event->body, arena, ret_public, ret_private);
        case TRIAGE_LOOK_LISTED:
        case TRIAGE_LOOK_ANSWERED:
        case TRIAGE_RESPONDED:
                return looked_encode(event, arena, ret_public, ret_private);
        case TRIAGE_ACTIVATED:
        case TRIAGE_RETURNED:
        case TRIAGE_CLOSED:
        case TRIAGE_REOPENED:
        case TRIAGE_OVERTAKEN:
                return moved_encode(event, arena, ret_public, ret_private);
        case TRIAGE_EPISODE_FOLDED:
        case TRIAGE_RESTORED:
        case TRIAGE_FAMILY_CHANGED:
        case TRIAGE_DETACHED:
        case TRIAGE_MATCH_SETTLED:
                return triage_regroup_encode(event, arena, ret_public);
        }
        return DOOR_MALFORMED;
}

door_status triage_record_decode(uint32_t type, uint32_t version, door_bytes public_payload,
                                 door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        union {
                triage_placed placed;
                triage_take take;
                triage_decided decided;
                triage_looked looked;
                triage_moved moved;
        } *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        (void)version;
        (void)private_payload; /* What a person wrote: kept by the log, of no use to the fold. */
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        *ret_body = body;
        switch ((triage_event)type) {
        case TRIAGE_EPISODE_OPENED:
                return opened_decode(public_payload, arena, &body->placed);
        case TRIAGE_REFERRAL_ATTACHED:
                return attached_decode(public_payload, arena, &body->placed);
        case TRIAGE_HISTORY_NOTED:
                return noted_decode(public_payload, arena, &body->placed);
        case TRIAGE_TAKEN:
        case TRIAGE_TAKE_ENDED:
                return take_decode(type, public_payload, arena, &body->take);
        case TRIAGE_DECIDED:
                return decided_decode(public_payload, arena, &body->decided);
        case TRIAGE_LOOK_LISTED:
        case TRIAGE_LOOK_ANSWERED:
        case TRIAGE_RESPONDED:
                return looked_decode(type, public_payload, arena, &body->looked);
        case TRIAGE_ACTIVATED:
        case TRIAGE_RETURNED:
        case TRIAGE_CLOSED:
        case TRIAGE_REOPENED:
        case TRIAGE_OVERTAKEN:
                return moved_decode(type, public_payload, arena, &body->moved);
        case TRIAGE_EPISODE_FOLDED:
        case TRIAGE_RESTORED:
        case TRIAGE_FAMILY_CHANGED:
        case TRIAGE_DETACHED:
        case TRIAGE_MATCH_SETTLED:
                return triage_regroup_decode(type, public_payload, arena, ret_body);
        }
        return DOOR_MALFORMED;
}
