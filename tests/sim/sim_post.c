/*
 * sim_post.c - the real notification as a topology, fed by heralds in intake's, triage's and allocation's
 * places.
 *
 *      clients ──► 1 intake (headers) ─┐
 *      clients ──► 3 triage ───────────┼──► 5 notification ──► the simulator's executor
 *      clients ──► 4 allocation ───────┘
 *
 * A herald logs what its client says, as a record of its place: rows opened red or not, referrals attached,
 * offers, owners. The books here follow notification's log with a reader of their own: nothing is planned
 * twice, nothing is delivered that was not planned, and when all is at rest nothing is left but what waits
 * for a person.
 */
#include "sim/sim_post.h"

#include <stdlib.h>
#include <string.h>

#include "audit/deliveries.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/notification.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "notification/notify_codec.h"
#include "sim/sim_wanted.h"

enum { SAY = 16, POLICY_BYTES_MAX = 512, EPISODES = 24, TOLD_OF_MAX = 256, RED = 80 };

typedef struct post {
        sim_wanted wanted;                           /* Planned, and neither delivered nor with a person. */
        uint8_t told_of[TOLD_OF_MAX][DOOR_ID_BYTES]; /* Deliveries, to be asked about. */
        size_t told_of_count;
        uint64_t planned, delivered, with_person, told;
        uint8_t policy[POLICY_BYTES_MAX];
        size_t policy_len;
} post;

/* ---- heralds: type u32, flags u8, then the payload ---- */

typedef struct said {
        uint32_t type;
        uint32_t flags;
        door_bytes payload;
} said;

static door_status say_decode(uint32_t type, door_bytes bytes, door_arena *arena, const void **ret_body)
{
        door_cursor_in in = door_reading(bytes);
        said *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        body->type = door_read_u32(&in);
        body->flags = door_read_u8(&in);
        body->payload = door_arena_copy(arena, (door_bytes){ in.data + in.at, in.len - in.at });
        *ret_body = body;
        return !in.ok || type != SAY ? DOOR_MALFORMED : arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

static door_status input_none(uint32_t log, uint32_t type, uint32_t version, door_bytes payload,
                              door_arena *arena, const void **ret_body)
{
        (void)log;
        (void)type;
        (void)version;
        (void)payload;
        (void)arena;
        (void)ret_body;
        return DOOR_MALFORMED; /* It reads nobody. */
}

static door_status say_encode(const door_event *event, door_arena *arena, door_bytes *ret_public,
                              door_bytes *ret_private)
{
        (void)arena;
        *ret_public = ((const said *)event->body)->payload;
        *ret_private = DOOR_BYTES_EMPTY;
        return DOOR_OK;
}

static door_status said_decode(uint32_t type, uint32_t version, door_bytes public_payload,
                               door_bytes private_payload, door_arena *arena, const void **ret_body)
{
        said *body = door_arena_take_zeroed(arena, 1, sizeof *body);

        (void)version;
        (void)private_payload;
        if (body == NULL) {
                return DOOR_NO_MEMORY;
        }
        body->type = type;
        body->payload = public_payload;
        *ret_body = body;
        return DOOR_OK;
}

static door_status policy_none(door_bytes content, door_arena *arena, const void **ret_policy)
{
        (void)content;
        (void)arena;
        (void)ret_policy;
        return DOOR_MALFORMED;
}

static door_status answer_nothing(const door_event *event, door_arena *arena, door_bytes *ret_body)
{
        (void)event;
        (void)arena;
        *ret_body = DOOR_BYTES_EMPTY;
        return DOOR_OK;
}

static void say_decide(door_view *view, const void *policy, const door_input *input, door_out *out)
{
        const said *body = input->body;
        const door_id referral = door_id_make(input->random, DOOR_ID_REFERRAL, 0);

        (void)view;
        (void)policy;
        door_event *event = door_out_event(out, body->type, body);
        if (event != NULL) {
                event->flags = body->flags;
                door_event_subject(event, DOOR_ID_REFERRAL, &referral);
        }
}

static void said_apply(door_view *view, const door_event *event)
{
        (void)view;
        (void)event;
}

static uint64_t no_deadline(door_view *view)
{
        (void)view;
        return 0;
}

#define HERALD(number, label)                                                                                \
        {                                                                                                    \
                .name = (label), .log = (number), .decode_input = input_none, .decode_command = say_decode,  \
                .encode_event = say_encode, .decode_event = said_decode, .decode_policy = policy_none,       \
                .encode_answer = answer_nothing, .decide = say_decide, .apply = said_apply,                  \
                .next_deadline = no_deadline,                                                                \
        }

static const door_core_ops intake_herald = HERALD(NOTIFY_LOG_INTAKE, "intake");
static const door_core_ops triage_herald = HERALD(NOTIFY_LOG_TRIAGE, "triage");
static const door_core_ops allocation_herald = HERALD(NOTIFY_LOG_ALLOCATION, "allocation");

/* ---- what they say ---- */

typedef struct saying {
        sim_command *command;
        sim_rng *rng;
        uint8_t episode[DOOR_ID_BYTES];
} saying;

static void put(saying *s, uint32_t log, uint32_t type, const void *message)
{
        const ProtobufCMessage *base = message;
        door_writer w = door_writer_on(s->command->body, s->command->body_max);

        door_write_u32(&w, type);
        /* Allocation has no history; an attachment says it in its payload, too. */
        const bool may_be_historic =
                log == NOTIFY_LOG_INTAKE || (log == NOTIFY_LOG_TRIAGE && type != NOTIFY_TRIAGE_ATTACHED);
        door_write_u8(&w, may_be_historic && sim_rng_chance(s->rng, 100) ? DOOR_FLAG_HISTORIC : 0);
        s->command->log = log;
        s->command->type = SAY;
        s->command->body_len = w.len + protobuf_c_message_pack(base, s->command->body + w.len);
}

static ProtobufCBinaryData id_of(uint8_t *bytes)
{
        return (ProtobufCBinaryData){ DOOR_ID_BYTES, bytes };
}

static char *team_of(sim_rng *rng)
{
        static const char *const teams[] = { "east", "west", "nowhere" };
        return (char *)(uintptr_t)teams[sim_rng_below(rng, 3)];
}

static void intake_says(saying *s)
{
        Door__V1__WithdrawAsked out = DOOR__V1__WITHDRAW_ASKED__INIT; /* Nobody reads it: headers only. */
        const uint32_t type =
                (uint32_t)sim_rng_between(s->rng, DOOR__V1__INTAKE_EVENT__INTAKE_REFERRAL_RECEIVED,
                                          DOOR__V1__INTAKE_EVENT__INTAKE_DISCLOSED);

        out.referral = id_of(s->episode);
        put(s, NOTIFY_LOG_INTAKE, type, &out);
}

static void triage_says(saying *s)
{
        Door__V1__EpisodeOpened opened = DOOR__V1__EPISODE_OPENED__INIT;
        Door__V1__ReferralAttached attached = DOOR__V1__REFERRAL_ATTACHED__INIT;
        Door__V1__LookListed listed = DOOR__V1__LOOK_LISTED__INIT;
        Door__V1__EpisodeTaken taken = DOOR__V1__EPISODE_TAKEN__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;

        clocks.rag_ms = clocks.statutory_ms = UINT64_C(1790000000000);
        opened.episode = attached.episode = listed.episode = taken.episode = id_of(s->episode);
        opened.referral = attached.referral = listed.referral = id_of(s->episode);
        opened.family = attached.family = id_of(s->episode);
        opened.clocks = attached.clocks = &clocks;
        switch (sim_rng_below(s->rng, 4)) {
        case 0:
                opened.severity = (uint32_t)sim_rng_between(s->rng, 60, 100);
                opened.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
                put(s, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_OPENED, &opened);
                break;
        case 1:
                attached.version = 2;
                attached.has_historic = attached.historic = sim_rng_chance(s->rng, 100);
                attached.way = (Door__V1__RepeatWay)sim_rng_between(s->rng, 1, 3);
                attached.state = DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE;
                put(s, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_ATTACHED, &attached);
                break;
        case 2:
                listed.why = DOOR__V1__REPEAT_REASON__WHY_LATE;
                put(s, NOTIFY_LOG_TRIAGE, NOTIFY_TRIAGE_LOOK_LISTED, &listed);
                break;
        default:
                taken.by = (char *)(uintptr_t) "training/triage/jo";
                put(s, NOTIFY_LOG_TRIAGE, DOOR__V1__TRIAGE_EVENT__TRIAGE_TAKEN, &taken);
                break;
        }
}

static void allocation_says(saying *s)
{
        Door__V1__OfferPlaced placed = DOOR__V1__OFFER_PLACED__INIT;
        Door__V1__OfferAccepted accepted = DOOR__V1__OFFER_ACCEPTED__INIT;
        Door__V1__OwnershipEnded ended = DOOR__V1__OWNERSHIP_ENDED__INIT;

        placed.episode = accepted.episode = ended.episode = id_of(s->episode);
        placed.team = accepted.team = ended.team = team_of(s->rng);
        accepted.lead_practitioner = accepted.by = (char *)(uintptr_t) "sam";
        switch (sim_rng_below(s->rng, 3)) {
        case 0:
                put(s, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_PLACED, &placed);
                break;
        case 1:
                put(s, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ACCEPTED, &accepted);
                break;
        default:
                put(s, NOTIFY_LOG_ALLOCATION, NOTIFY_ALLOT_ENDED, &ended);
                break;
        }
}

static void person_says(const post *p, saying *s)
{
        Door__V1__DeliveryNamed out = DOOR__V1__DELIVERY_NAMED__INIT;
        uint8_t delivery[DOOR_ID_BYTES] = { 0 };

        if (p->told_of_count > 0) {
                memcpy(delivery, p->told_of[sim_rng_below(s->rng, p->told_of_count)], DOOR_ID_BYTES);
        }
        out.delivery = id_of(delivery);
        s->command->log = DOOR__V1__LOG__NOTIFICATION;
        s->command->type = sim_rng_chance(s->rng, 700) ? NOTIFY_TRY_AGAIN : NOTIFY_TOLD_BY_PERSON;
        s->command->body_len = protobuf_c_message_pack(&out.base, s->command->body);
        s->command->actor = "training/triage/jo";
}

static void command(void *context, sim_rng *rng, sim_command *ret_command)
{
        saying s = { .command = ret_command, .rng = rng };

        s.episode[0] = (uint8_t)(1 + sim_rng_below(rng, EPISODES));
        switch (sim_rng_below(rng, 8)) {
        case 0:
                intake_says(&s);
                break;
        case 1:
                person_says(context, &s);
                break;
        case 2:
        case 3:
        case 4:
                allocation_says(&s);
                break;
        default:
                triage_says(&s);
                break;
        }
}

/* ---- the books ---- */

static bool reads(uint32_t consumer, uint32_t upstream)
{
        return consumer == DOOR__V1__LOG__NOTIFICATION &&
               (upstream == NOTIFY_LOG_INTAKE || upstream == NOTIFY_LOG_TRIAGE ||
                upstream == NOTIFY_LOG_ALLOCATION);
}

static audit_due due(uint32_t consumer, uint32_t upstream, uint32_t type, wire_bytes payload)
{
        return reads(consumer, upstream) ? deliveries_due(upstream, type, payload) : AUDIT_NOT_CONSUMED;
}

static bool may_repeat(uint32_t log, uint32_t type)
{
        (void)log;
        (void)type;
        return false;
}

static const char *planned(post *p, wire_bytes key)
{
        if (!sim_wanted_add(&p->wanted, key)) {
                return "a delivery is planned twice";
        }
        memcpy(p->told_of[p->planned++ % TOLD_OF_MAX], key.data, DOOR_ID_BYTES);
        p->told_of_count += p->told_of_count < TOLD_OF_MAX ? 1 : 0;
        return NULL;
}

static const char *domain(void *context, uint32_t log, const audit_origin *origin, uint32_t type,
                          wire_bytes payload)
{
        post *p = context;
        const wire_bytes key = wire_find(payload, 1);
        const uint64_t attempts = wire_uint(payload, 2, 0);

        (void)origin;
        if (log != DOOR__V1__LOG__NOTIFICATION || type < NOTIFY_PLANNED || type == NOTIFY_OWNER_NOTED) {
                return NULL;
        }
        sim_wanted_one *one = sim_wanted_find(&p->wanted, key);
        switch ((notify_event)type) {
        case NOTIFY_PLANNED:
                return planned(p, key);
        case NOTIFY_DELIVERED:
        case NOTIFY_GIVEN_UP:
                if (one == NULL || attempts != one->attempts + 1) {
                        return "an end of a delivery that is not being tried, or of another attempt";
                }
                p->delivered += type == NOTIFY_DELIVERED ? 1 : 0;
                p->with_person += type == NOTIFY_GIVEN_UP ? 1 : 0;
                (void)sim_wanted_remove(&p->wanted, key);
                break;
        case NOTIFY_ATTEMPT_FAILED:
                if (one == NULL || attempts != ++one->attempts) {
                        return "a failure of a delivery that is not being tried, or of another attempt";
                }
                break;
        case NOTIFY_TRIED_AGAIN:
                p->with_person--;
                return sim_wanted_add(&p->wanted, key) ? NULL : "tried again, and not given up before";
        case NOTIFY_TOLD:
                p->told++;
                p->with_person -= sim_wanted_remove(&p->wanted, key) ? 0 : 1;
                break;
        case NOTIFY_OWNER_NOTED:
                break;
        }
        return NULL;
}

static bool wants(void *context, uint32_t log, const door_effect *effect)
{
        post *p = context;
        const sim_wanted_one *one =
                sim_wanted_find(&p->wanted, (wire_bytes){ effect->key.bytes, sizeof effect->key.bytes });

        return log == DOOR__V1__LOG__NOTIFICATION && one != NULL && one->attempts + 1 == effect->attempt;
}

static const char *balance(void *context)
{
        const post *p = context;
        return p->wanted.count == 0 && p->planned == p->delivered + p->with_person + p->told
                       ? NULL
                       : "what is planned is not delivered, told or with a person";
}

static void *begin(uint64_t seed, int planted)
{
        post *p = calloc(1, sizeof *p);
        Door__V1__NotifyPolicy policy = DOOR__V1__NOTIFY_POLICY__INIT;
        Door__V1__Recipient east = DOOR__V1__RECIPIENT__INIT;
        Door__V1__Recipient *recipients[] = { &east };
        char *emails[] = { (char *)(uintptr_t) "desk@example.invalid" };

        (void)seed;
        (void)planted;
        DOOR_REQUIRE(p != NULL);
        east.id = (char *)(uintptr_t) "east";
        east.n_email = 1;
        east.email = emails;
        policy.n_recipient = 1;
        policy.recipient = recipients;
        policy.has_training = policy.training = 1;
        policy.has_attempts_max = policy.has_retry_first_s = policy.has_retry_last_s = 1;
        policy.attempts_max = 3;
        policy.retry_first_s = 1;
        policy.retry_last_s = 3;
        policy.has_red_from = 1;
        policy.red_from = RED;
        p->policy_len = door__v1__notify_policy__get_packed_size(&policy);
        DOOR_REQUIRE(p->policy_len <= sizeof p->policy);
        (void)door__v1__notify_policy__pack(&policy, p->policy);
        return p;
}

static void end(void *context)
{
        post *p = context;
        sim_wanted_done(&p->wanted);
        free(p);
}

static void enter(void *context)
{
        (void)context;
}

static bool aborted(void *context)
{
        (void)context;
        return false;
}

static void fix(void *context)
{
        (void)context;
}

static void policy(void *context, uint32_t log, wire_bytes *ret_content)
{
        const post *p = context;
        if (log == DOOR__V1__LOG__NOTIFICATION) {
                *ret_content = (wire_bytes){ p->policy, p->policy_len };
        }
}

static audit_model model(void *context)
{
        return (audit_model){
                .reads = reads, .due = due, .may_repeat = may_repeat, .domain = domain, .context = context
        };
}

const sim_topology *sim_post(void)
{
        static const sim_service services[] = {
                { .core = &intake_herald },
                { .core = &triage_herald },
                { .core = &allocation_herald },
                { .core = &notify_ops,
                  .upstreams = { { NOTIFY_LOG_INTAKE, "intake", DOOR_FORM_HEADERS },
                                 { NOTIFY_LOG_TRIAGE, "triage", DOOR_FORM_PUBLIC },
                                 { NOTIFY_LOG_ALLOCATION, "allocation", DOOR_FORM_PUBLIC } },
                  .upstreams_count = 3,
                  .clients_speak_for = "training/" },
        };
        static const sim_topology topology = {
                .name = "post",
                .services = services,
                .services_count = sizeof services / sizeof services[0],
                .model = model,
                .begin = begin,
                .end = end,
                .enter = enter,
                .aborted = aborted,
                .fix = fix,
                .command = command,
                .policy = policy,
                .balance = balance,
                .wants = wants,
        };
        return &topology;
}
