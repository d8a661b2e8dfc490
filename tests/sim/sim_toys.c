/* sim_toys.c - the five toys as a topology, with the auditor's own idea of what is due. */
#include "sim/sim_toys.h"

#include <stdlib.h>
#include <string.h>

#include "sim/sim_wanted.h"
#include "sim/toy_core.h"

enum { TOYS = 5 };

static const sim_service services[TOYS] = {
        { .settled_by = { "middle", "peer", NULL } },
        { .upstreams = { { 1, "source", DOOR_FORM_PUBLIC }, { 3, "peer", DOOR_FORM_PUBLIC } },
          .upstreams_count = 2 },
        { .upstreams = { { 1, "source", DOOR_FORM_PUBLIC }, { 2, "middle", DOOR_FORM_PUBLIC } },
          .upstreams_count = 2 },
        { .upstreams = { { 1, "source", DOOR_FORM_HEADERS },
                         { 2, "middle", DOOR_FORM_PUBLIC },
                         { 3, "peer", DOOR_FORM_PUBLIC } },
          .upstreams_count = 3 },
        { .upstreams = { { 4, "watcher", DOOR_FORM_PUBLIC } }, .upstreams_count = 1 },
};

static bool reads(uint32_t consumer, uint32_t upstream)
{
        return (consumer == 2 && upstream <= 3) || (consumer == 3 && upstream <= 2) ||
               (consumer == 4 && upstream <= 3) || (consumer == 5 && upstream == 4);
}

static uint32_t number_at(wire_bytes payload, size_t at)
{
        return payload.len < at + 4
                       ? 0
                       : (uint32_t)payload.data[at] << 24 | (uint32_t)payload.data[at + 1] << 16 |
                                 (uint32_t)payload.data[at + 2] << 8 | payload.data[at + 3];
}

static audit_due due(uint32_t consumer, uint32_t upstream, uint32_t type, wire_bytes payload)
{
        const uint32_t value = number_at(payload, 2);
        const uint32_t total = number_at(payload, 6);

        if (consumer == 2) {
                return upstream == 1 && type == TOY_ADDED    ? (value % 3 != 0 ? AUDIT_MUST : AUDIT_NONE)
                       : upstream == 3 && type == TOY_ECHOED ? AUDIT_MUST
                                                             : AUDIT_NOT_CONSUMED;
        }
        if (consumer == 3) {
                return upstream == 1 && type == TOY_ADDED     ? AUDIT_MUST
                       : upstream == 2 && type == TOY_TALLIED ? (total % 2 == 0 ? AUDIT_MUST : AUDIT_NONE)
                       : upstream == 2 && type == TOY_NOTED   ? AUDIT_NONE
                                                              : AUDIT_NOT_CONSUMED;
        }
        if (consumer == 5) {
                return upstream == 4 && type == TOY_WATCHED ? AUDIT_MUST : AUDIT_NOT_CONSUMED;
        }
        return (upstream == 1 && (type == TOY_ADDED || type == TOY_NEWER)) ||
                               (upstream == 2 && type == TOY_TALLIED) || (upstream == 3 && type == TOY_ECHOED)
                       ? AUDIT_MUST
                       : AUDIT_NOT_CONSUMED;
}

static bool may_repeat(uint32_t log, uint32_t type)
{
        (void)log;
        (void)type;
        return false;
}

typedef struct toys {
        toy_world world;
        uint8_t (*ids)[10];
        size_t ids_count;
        size_t ids_max;
        uint64_t tallied;
        uint64_t due;
        sim_wanted wanted;
        uint32_t totals[256];
} toys;

static const char *domain(void *context, uint32_t log, const audit_origin *origin, uint32_t type,
                          wire_bytes payload)
{
        toys *t = context;

        (void)origin;
        if (type == TOY_ORPHAN) {
                return "a tally came before what caused it";
        }
        if (payload.len != TOY_PAYLOAD_BYTES) {
                return "a payload of the wrong size";
        }
        if (type == TOY_TALLIED) {
                t->tallied++;
                if (number_at(payload, 6) != ++t->totals[payload.data[1]]) {
                        return "a tally is not the one before and one";
                }
        }
        t->due += type == TOY_TALLY_DUE ? 1 : 0;
        const wire_bytes effect = { payload.data + 18, 10 };
        if (log == 5 && type == TOY_WATCHED && toy_has_effect(number_at(payload, 2)) &&
            !sim_wanted_add(&t->wanted, effect)) {
                return "an effect is wanted twice";
        }
        if (type == TOY_PERFORMED && !sim_wanted_remove(&t->wanted, effect)) {
                return "an effect is done that nobody wants, or twice";
        }
        if (type == TOY_TRIED) {
                sim_wanted_one *one = sim_wanted_find(&t->wanted, effect);
                if (one == NULL || number_at(payload, 6) != ++one->attempts) {
                        return "an effect has failed that nobody wants, or as another attempt";
                }
        }
        if ((log == 1 && type == TOY_ADDED) || type == TOY_TALLIED) {
                const uint8_t *id = payload.data + 18;
                for (size_t i = 0; i < t->ids_count; i++) {
                        if (memcmp(t->ids[i], id, 10) == 0) {
                                return "an id is made twice";
                        }
                }
                if (t->ids_count == t->ids_max) {
                        t->ids_max = t->ids_max == 0 ? 256 : t->ids_max * 2;
                        t->ids = realloc(t->ids, t->ids_max * sizeof t->ids[0]);
                        DOOR_REQUIRE(t->ids != NULL);
                }
                memcpy(t->ids[t->ids_count++], id, 10);
        }
        return NULL;
}

static toy_plant plant_of(int planted)
{
        switch (planted) {
        case 6:
                return TOY_ECHOES;
        case 7:
                return TOY_DRIFTS;
        case 8:
                return TOY_ANSWER_DRIFTS;
        case 9:
                return TOY_SKIPS;
        default:
                return TOY_SOUND;
        }
}

static void *begin(uint64_t seed, int planted)
{
        toys *t = calloc(1, sizeof *t);

        (void)seed;
        DOOR_REQUIRE(t != NULL);
        t->world.plant = plant_of(planted);
        return t;
}

static void end(void *context)
{
        toys *t = context;
        sim_wanted_done(&t->wanted);
        free(t->ids);
        free(t);
}

static void enter(void *context)
{
        toy_enter(&((toys *)context)->world);
}

static bool aborted(void *context)
{
        toys *t = context;
        const bool was = t->world.aborted;
        t->world.aborted = false;
        return was;
}

static void fix(void *context)
{
        ((toys *)context)->world.fixed = true;
}

static void command(void *context, sim_rng *rng, sim_command *ret_command)
{
        uint32_t value = (uint32_t)sim_rng_below(rng, 60000);

        (void)context;
        if (toy_is_killer(value) && !sim_rng_chance(rng, 300)) {
                value++; /* Rare: each costs several starts. */
        }
        ret_command->log = sim_rng_chance(rng, 850) ? 1 : 2;
        ret_command->type = sim_rng_chance(rng, 985) ? TOY_COMMAND_ADD : TOY_COMMAND_ADD + 1;
        ret_command->lane = (uint32_t)sim_rng_below(rng, 10) == 0   ? 1
                            : (uint32_t)sim_rng_below(rng, 20) == 0 ? 2
                                                                    : 0;
        ret_command->may_be_malformed = ret_command->type != TOY_COMMAND_ADD || ret_command->lane == 2;
        if (sim_rng_chance(rng, 20)) {
                ret_command->actor = "another/desk";
                ret_command->may_be_malformed = true;
        }
        door_writer w = door_writer_on(ret_command->body, ret_command->body_max);
        door_write_u8(&w, (uint8_t)sim_rng_below(rng, 12));
        door_write_u32(&w, value);
        door_write_u32(&w, sim_rng_chance(rng, 15) ? (uint32_t)sim_rng_between(rng, 100000, 600000)
                                                   : (uint32_t)sim_rng_below(rng, 40));
        door_write_u8(&w, sim_rng_chance(rng, 10) ? 90 : 1);
        if (sim_rng_chance(rng, 15)) {
                door_write_u8(&w, 0); /* A byte too many: MALFORMED. */
                ret_command->may_be_malformed = true;
        }
        ret_command->body_len = w.len;
}

static void policy(void *context, uint32_t log, wire_bytes *ret_content)
{
        static const uint8_t content[] = "P";

        (void)context;
        if (log == 1) {
                *ret_content = (wire_bytes){ content, 1 };
        }
}

static const char *balance(void *context)
{
        const toys *t = context;
        if (t->wanted.count != 0) {
                return "an effect was never done";
        }
        return t->due == t->tallied ? NULL : "something that fell due was never ticked, or twice";
}

static bool wants(void *context, uint32_t log, const door_effect *effect)
{
        toys *t = context;
        const sim_wanted_one *one =
                sim_wanted_find(&t->wanted, (wire_bytes){ effect->key.bytes, sizeof effect->key.bytes });

        return log == 5 && one != NULL && one->attempts + 1 == effect->attempt;
}

static audit_model model(void *context)
{
        return (audit_model){
                .reads = reads, .due = due, .may_repeat = may_repeat, .domain = domain, .context = context
        };
}

const sim_topology *sim_toys(void)
{
        static sim_service made[TOYS];
        static sim_topology topology;

        for (uint32_t i = 0; i < TOYS; i++) {
                made[i] = services[i];
                made[i].core = toy_ops(i + 1);
                made[i].older = i + 1 == 4 ? toy_ops_older() : NULL;
        }
        topology = (sim_topology){
                .name = "toys",
                .services = made,
                .services_count = TOYS,
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
