#include "sim/county_asks.h"

#include <stdlib.h>
#include <string.h>

#include "door/v1/view.pb-c.h"

enum { GATEWAY = 6, ID_BYTES = 10 };

static void put(sim_command *command, uint32_t type, const ProtobufCMessage *message)
{
        command->log = GATEWAY;
        command->type = type;
        command->body_len = protobuf_c_message_get_packed_size(message);
        DOOR_REQUIRE(command->body_len <= command->body_max);
        (void)protobuf_c_message_pack(message, command->body);
}

static void page_ask(sim_command *command, Door__V1__ViewQuery type, bool given_up)
{
        Door__V1__AskPage page = DOOR__V1__ASK_PAGE__INIT;

        page.has_given_up = page.given_up = given_up;
        put(command, type, &page.base);
}

static void thing_ask(sim_command *command, Door__V1__ViewQuery type, const uint8_t *id)
{
        Door__V1__AskThing thing = DOOR__V1__ASK_THING__INIT;

        thing.id = (ProtobufCBinaryData){ ID_BYTES, (uint8_t *)(uintptr_t)id };
        put(command, type, &thing.base);
}

void asks_draw(const county *books, sim_rng *rng, sim_command *command)
{
        static const Door__V1__ViewQuery pages[] = {
                DOOR__V1__VIEW_QUERY__VIEW_QUEUE,      DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST,
                DOOR__V1__VIEW_QUERY__VIEW_REVIEWS,    DOOR__V1__VIEW_QUERY__VIEW_LOADS,
                DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, DOOR__V1__VIEW_QUERY__VIEW_OLDEST,
        };
        episodes_sample sample;

        command->actor = "training/manager/mo";
        if (sim_rng_chance(rng, 400)) {
                page_ask(command, DOOR__V1__VIEW_QUERY__VIEW_STATS, false);
        } else if (sim_rng_chance(rng, 600) && county_pick(books, sim_rng_below(rng, 16), &sample)) {
                switch (sim_rng_below(rng, 4)) {
                case 0:
                        thing_ask(command, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, sample.episode);
                        break;
                case 1:
                        thing_ask(command, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, sample.family);
                        break;
                default:
                        thing_ask(command, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, sample.referral);
                        break;
                }
        } else {
                page_ask(command, pages[sim_rng_below(rng, sizeof pages / sizeof pages[0])],
                         sim_rng_chance(rng, 500));
        }
}

static void referral_note(void *context, const uint8_t referral[10], const char *where)
{
        asks *a = context;

        (void)where;
        if (a->count == a->max) {
                a->max = a->max == 0 ? 256 : a->max * 2;
                a->referrals = realloc(a->referrals, a->max * sizeof a->referrals[0]);
                DOOR_REQUIRE(a->referrals != NULL);
        }
        memcpy(a->referrals[a->count++], referral, ID_BYTES);
}

bool asks_at_rest(asks *a, const county *books, size_t asked, sim_command *command)
{
        static const struct {
                Door__V1__ViewQuery type;
                bool given_up;
        } pages[] = {
                { DOOR__V1__VIEW_QUERY__VIEW_STATS, false },
                { DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, false },
                { DOOR__V1__VIEW_QUERY__VIEW_QUEUE, false },
                { DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, false },
                { DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, true },
        };
        enum { PAGES = sizeof pages / sizeof pages[0] };

        if (asked == 0) {
                episodes_each(county_notes(books), referral_note, a);
        }
        if (asked < PAGES) {
                page_ask(command, pages[asked].type, pages[asked].given_up);
                return true;
        }
        if (asked - PAGES < a->count) {
                thing_ask(command, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, a->referrals[asked - PAGES]);
                return true;
        }
        return false;
}

const char *asks_answered(asks *a, const county *books, const sim_answer *answer)
{
        const viewed_answer given = { answer->type, answer->question, answer->answer, answer->current };

        return viewed_agrees(books, &given, a->why) ? NULL : a->why;
}

void asks_done(asks *a)
{
        free(a->referrals);
}
