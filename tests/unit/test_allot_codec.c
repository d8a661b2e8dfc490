/*
 * Goal: of each of triage's records just what routing and ownership need is read; our own records come
 * back as they went; what is none of ours, or names one episode twice, is malformed.
 * Method: protos packed by hand; round trips of a word with every field set.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "allocation/allot_codec.h"
#include "door/v1/allocation.pb-c.h"
#include "door/v1/envelope.pb-c.h"
#include "door/v1/triage.pb-c.h"
#include "shell/proto_arena.h"

enum { ARENA_BYTES = 8 * DOOR_MIB };

static door_arena arena;
static uint8_t one[DOOR_ID_BYTES] = { 1, 2, 3 };
static uint8_t two[DOOR_ID_BYTES] = { 4, 5, 6 };

static int set_up(void **state)
{
        static void *storage;

        (void)state;
        if (storage == NULL) {
                storage = aligned_alloc(64, ARENA_BYTES);
        }
        door_arena_init(&arena, storage, ARENA_BYTES);
        return storage == NULL ? -1 : 0;
}

static ProtobufCBinaryData data(uint8_t *bytes)
{
        return (ProtobufCBinaryData){ DOOR_ID_BYTES, bytes };
}

static char *text(const char *constant)
{
        return (char *)(uintptr_t)constant;
}

static door_status heard_as(uint32_t type, const void *message, const allot_episode_word **ret_heard)
{
        const void *body = NULL;
        door_bytes packed;

        assert_int_equal(door_proto_pack(message, &arena, &packed), DOOR_OK);
        const door_status status = allot_ops.decode_input(ALLOT_LOG_TRIAGE, type, 1, packed, &arena, &body);
        *ret_heard = body;
        return status;
}

/* Reads a packed message as that record; it must be one. */
static const allot_episode_word *heard_of(uint32_t type, const void *message)
{
        const allot_episode_word *heard = NULL;

        assert_int_equal(heard_as(type, message, &heard), DOOR_OK);
        return heard;
}

static void assert_malformed(uint32_t type, const void *message)
{
        const allot_episode_word *heard = NULL;

        assert_int_equal(heard_as(type, message, &heard), DOOR_MALFORMED);
}

static void assert_is(const door_id *id, const uint8_t *bytes)
{
        assert_memory_equal(id->bytes, bytes, DOOR_ID_BYTES);
}

static void a_decision_is_read(void **state)
{
        Door__V1__EpisodeDecided in = DOOR__V1__EPISODE_DECIDED__INIT;
        Door__V1__RoutingFacts routing = DOOR__V1__ROUTING_FACTS__INIT;
        Door__V1__AgeBand bands[] = { DOOR__V1__AGE_BAND__AGE_UNDER_1 };
        (void)state;
        in.episode = data(one);
        in.version = 3;
        in.level = 4;
        in.next_step = DOOR__V1__NEXT_STEP__NEXT_SECTION_47;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_OFFERED;
        in.by = text("training/manager/mo");
        routing.district = text("E07000081");
        routing.n_age_band = 1;
        routing.age_band = bands;
        in.routing = &routing;
        in.has_previous = 1;
        in.previous = data(two);
        const allot_episode_word *heard = heard_of(ALLOT_INPUT_DECIDED, &in);
        assert_is(&heard->episode, one);
        assert_is(&heard->previous, two);
        assert_true(heard->has_level && heard->has_previous && heard->to_be_offered && heard->statutory);
        assert_false(heard->ends || heard->early_help);
        assert_int_equal(heard->version, 3);
        assert_int_equal(heard->level, 4);
        assert_int_equal(heard->routing.routes, ALLOT_ROUTE_UNBORN);
        assert_memory_equal(heard->routing.district, "E07000081", ALLOT_DISTRICT_BYTES);
        in.level = 300;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_CLOSED;
        heard = heard_of(ALLOT_INPUT_DECIDED, &in);
        assert_int_equal(heard->level, UINT8_MAX);
        assert_true(heard->ends);
        routing.district = text("E0700008");
        assert_malformed(ALLOT_INPUT_DECIDED, &in);
        routing.district = NULL;
        in.previous.len--;
        assert_malformed(ALLOT_INPUT_DECIDED, &in);
}

static void openings_and_ends_are_read(void **state)
{
        Door__V1__EpisodeOpened opened = DOOR__V1__EPISODE_OPENED__INIT;
        Door__V1__EpisodeClosed closed = DOOR__V1__EPISODE_CLOSED__INIT;
        Door__V1__EpisodeReopened reopened = DOOR__V1__EPISODE_REOPENED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        (void)state;
        opened.episode = opened.family = closed.episode = reopened.episode = data(one);
        opened.referral = data(two);
        opened.clocks = reopened.clocks = &clocks;
        opened.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        closed.by = reopened.by = text("training/manager/mo");
        closed.version = 5;
        reopened.version = 6;
        assert_int_equal(heard_of(ALLOT_INPUT_OPENED, &opened)->version, 1);
        assert_true(heard_of(ALLOT_INPUT_CLOSED, &closed)->ends);
        assert_int_equal(heard_of(ALLOT_INPUT_CLOSED, &closed)->version, 5);
        assert_false(heard_of(ALLOT_INPUT_REOPENED, &reopened)->ends);
        assert_is(&heard_of(ALLOT_INPUT_REOPENED, &reopened)->episode, one);
        opened.episode.len = closed.episode.len = reopened.episode.len = 3;
        assert_malformed(ALLOT_INPUT_OPENED, &opened);
        assert_malformed(ALLOT_INPUT_CLOSED, &closed);
        assert_malformed(ALLOT_INPUT_REOPENED, &reopened);
}

static void a_fold_is_read_with_its_levels_where_they_are_said(void **state)
{
        Door__V1__EpisodeFolded in = DOOR__V1__EPISODE_FOLDED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        (void)state;
        in.from = data(two);
        in.to = data(one);
        in.from_version = 8;
        in.to_version = 9;
        in.family = data(one);
        in.clocks = &clocks;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        const allot_episode_word *heard = heard_of(ALLOT_INPUT_FOLDED, &in);
        assert_is(&heard->episode, one);
        assert_is(&heard->other, two);
        assert_int_equal(heard->version, 9);
        assert_false(heard->has_level || heard->has_other_level || heard->ends || heard->to_be_offered);
        in.has_from_level = in.has_to_level = 1;
        in.from_level = 400;
        in.to_level = 3;
        heard = heard_of(ALLOT_INPUT_FOLDED, &in);
        assert_true(heard->has_level && heard->has_other_level);
        assert_int_equal(heard->level, 3);
        assert_int_equal(heard->other_level, UINT8_MAX);
        assert_false(heard->imported);
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        assert_true(heard_of(ALLOT_INPUT_FOLDED, &in)->imported);
        in.from = data(one); /* Into itself. */
        assert_malformed(ALLOT_INPUT_FOLDED, &in);
        in.from.len--;
        assert_malformed(ALLOT_INPUT_FOLDED, &in);
}

static void an_undoing_is_read_with_what_it_was(void **state)
{
        Door__V1__EpisodeRestored in = DOOR__V1__EPISODE_RESTORED__INIT;
        Door__V1__Clocks clocks = DOOR__V1__CLOCKS__INIT;
        (void)state;
        in.episode = data(two);
        in.survivor = data(one);
        in.version = 9;
        in.survivor_version = 8;
        in.family = data(two);
        in.clocks = &clocks;
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_ACTIVE;
        const allot_episode_word *heard = heard_of(ALLOT_INPUT_RESTORED, &in);
        assert_is(&heard->episode, two);
        assert_is(&heard->other, one);
        assert_int_equal(heard->version, 9);
        assert_true(heard->active && !heard->ends);
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_QUEUED;
        heard = heard_of(ALLOT_INPUT_RESTORED, &in);
        assert_false(heard->active || heard->ends);
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_IMPORTED;
        heard = heard_of(ALLOT_INPUT_RESTORED, &in);
        assert_true(heard->imported && !heard->ends);
        in.state = DOOR__V1__EPISODE_STATE__EPISODE_CLOSED;
        assert_true(heard_of(ALLOT_INPUT_RESTORED, &in)->ends);
        in.survivor.len = 0;
        assert_malformed(ALLOT_INPUT_RESTORED, &in);
}

/* A type that is neither consumed nor known stops the reader. */
static void every_type_of_triages_log_is_consumed_or_known_and_none_twice(void **state)
{
        const ProtobufCEnumDescriptor *types = &door__v1__triage_event__descriptor;
        (void)state;
        for (unsigned v = 0; v < types->n_values; v++) {
                const uint32_t type = (uint32_t)types->values[v].value;
                unsigned times = 0;
                for (size_t i = 0; i < allot_ops.consumes_count; i++) {
                        times += allot_ops.consumes[i].type == type;
                }
                for (size_t i = 0; i < allot_ops.knows_count; i++) {
                        times += allot_ops.knows[i].type == type;
                }
                assert_int_equal(times, type == 0 ? 0 : 1);
        }
}

/* ---- our own ---- */

static const allot_word full = {
        .episode = { { 1, 2, 3 } },
        .episode_version = 7,
        .team = { (const uint8_t *)"east", 4 },
        .owner = { (const uint8_t *)"west", 4 },
        .from = { (const uint8_t *)"south", 5 },
        .lead = { (const uint8_t *)"Kim Hall", 8 },
        .by = { (const uint8_t *)"training/team-east/sam", 22 },
        .text = { (const uint8_t *)"because", 7 },
        .waiting = true,
        .why = 1u << ALLOT_WHY_DISTRICT | 1u << ALLOT_WHY_AGE,
        .level = 3,
        .load = 4,
        .capacity = 9,
        .waited_ms = 55,
        .reason = 2,
        .times = 1,
        .hand_over = true,
        .acted_on = 6,
        .offered = { (const uint8_t *)"north", 5 },
        .other = { { 4, 5, 6 } },
        .accepted = true,
        .leaves = { (const uint8_t *)"north", 5 },
};

/* The public payload in `ret_public`; the body as it comes back. */
static const allot_word *round_trip(uint32_t type, const allot_word *word, door_bytes *ret_public)
{
        const door_event event = { .type = type, .version = 1, .body = word };
        door_bytes private_payload = DOOR_BYTES_EMPTY;
        door_bytes again = DOOR_BYTES_EMPTY;
        const void *copy = NULL;

        assert_int_equal(allot_ops.encode_event(&event, &arena, ret_public, &private_payload), DOOR_OK);
        assert_int_equal(private_payload.len > 0, word->text.len > 0);
        assert_int_equal(allot_ops.decode_event(type, 1, *ret_public, private_payload, &arena, &copy),
                         DOOR_OK);
        const door_event second = { .type = type, .version = 1, .body = copy };
        assert_int_equal(allot_ops.encode_event(&second, &arena, &again, &private_payload), DOOR_OK);
        assert_true(door_bytes_equal(*ret_public, again));
        assert_is(&((const allot_word *)copy)->episode, one);
        const void *nothing = NULL;
        assert_int_equal(allot_ops.decode_event(type, 1,
                                                (door_bytes){ ret_public->data, ret_public->len - 1 },
                                                DOOR_BYTES_EMPTY, &arena, &nothing),
                         DOOR_MALFORMED);
        return copy;
}

static void every_record_comes_back_as_it_went(void **state)
{
        (void)state;
        for (uint32_t type = ALLOT_OWNER_NAMED; type <= ALLOT_RESTORED; type++) {
                door_bytes packed;
                (void)round_trip(type, &full, &packed);
                const allot_word bare = { .episode = full.episode, .other = full.other, .reason = 1 };
                (void)round_trip(type, &bare, &packed);
        }
}

static void a_fold_comes_back_with_whose_it_became_and_who_leaves(void **state)
{
        Door__V1__OwnershipFolded *out = NULL;
        door_bytes packed;
        (void)state;
        const allot_word *w = round_trip(ALLOT_FOLDED, &full, &packed);
        assert_is(&w->other, two);
        assert_int_equal(w->episode_version, 7);
        assert_true(w->accepted);
        assert_true(door_bytes_equal(w->owner, full.owner));
        assert_true(door_bytes_equal(w->lead, full.lead));
        assert_true(door_bytes_equal(w->leaves, full.leaves));
        assert_true(door_bytes_equal(w->offered, full.offered));
        assert_int_equal(door_proto_read(&door__v1__ownership_folded__descriptor, packed, &arena, &out),
                         DOOR_OK);
        assert_memory_equal(out->from.data, two, DOOR_ID_BYTES);
        assert_memory_equal(out->to.data, one, DOOR_ID_BYTES);
        allot_word bare = { .episode = full.episode, .other = full.other, .owner = full.owner };
        w = round_trip(ALLOT_FOLDED, &bare, &packed);
        assert_false(w->accepted);
        assert_int_equal(w->lead.len + w->leaves.len + w->offered.len, 0);
        assert_int_equal(door_proto_read(&door__v1__ownership_folded__descriptor, packed, &arena, &out),
                         DOOR_OK);
        assert_null(out->lead_practitioner);
        assert_null(out->leaves);
        assert_null(out->offered_before);
}

static void a_restore_comes_back_with_its_owner_and_the_survivor(void **state)
{
        door_bytes packed;
        (void)state;
        const allot_word *w = round_trip(ALLOT_RESTORED, &full, &packed);
        assert_is(&w->other, two);
        assert_int_equal(w->episode_version, 7);
        assert_true(w->accepted);
        assert_true(door_bytes_equal(w->owner, full.owner));
        assert_true(door_bytes_equal(w->lead, full.lead));
}

static void a_record_about_two_that_are_one_and_a_name_too_long_are_malformed(void **state)
{
        static const uint32_t types[] = { ALLOT_FOLDED, ALLOT_RESTORED };
        static char long_name[DOOR_NAME_BYTES_MAX + 1];
        (void)state;
        memset(long_name, 'x', DOOR_NAME_BYTES_MAX);
        for (size_t i = 0; i < 2; i++) {
                for (unsigned how = 0; how < 5; how++) {
                        allot_word word = { .episode = full.episode,
                                            .other = full.other,
                                            .owner = full.owner };
                        door_bytes payload[2] = { DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY };
                        const void *body = NULL;
                        word.other = how == 0 ? word.episode : word.other;
                        word.owner = how == 1 ? door_bytes_of(long_name) : word.owner;
                        word.lead = how == 2 ? door_bytes_of(long_name) : word.lead;
                        word.leaves = how == 3 ? door_bytes_of(long_name) : word.leaves;
                        word.offered = how == 4 ? door_bytes_of(long_name) : word.offered;
                        const door_event event = { .type = types[i], .version = 1, .body = &word };
                        const bool said = how < 3 || types[i] == ALLOT_FOLDED;
                        assert_int_equal(allot_ops.encode_event(&event, &arena, &payload[0], &payload[1]),
                                         DOOR_OK);
                        assert_int_equal(
                                allot_ops.decode_event(types[i], 1, payload[0], payload[1], &arena, &body),
                                said ? DOOR_MALFORMED : DOOR_OK);
                }
        }
}

static void records_that_are_none_of_ours_are_malformed(void **state)
{
        uint8_t junk[] = { 0xFF, 0xFF };
        const void *body = NULL;
        (void)state;
        for (uint32_t type = ALLOT_OWNER_NAMED; type <= ALLOT_RESTORED + 1; type++) {
                assert_int_equal(allot_ops.decode_event(type, 1, (door_bytes){ junk, sizeof junk },
                                                        DOOR_BYTES_EMPTY, &arena, &body),
                                 DOOR_MALFORMED);
                assert_int_equal(allot_ops.decode_input(ALLOT_LOG_TRIAGE, type, 1,
                                                        (door_bytes){ junk, sizeof junk }, &arena, &body),
                                 DOOR_MALFORMED);
        }
}

static void a_full_arena_is_said(void **state)
{
        static _Alignas(64) uint8_t little[64];
        door_arena small;
        const door_event event = { .type = ALLOT_FOLDED, .version = 1, .body = &full };
        door_bytes payload[2];
        const void *body = NULL;
        (void)state;
        door_arena_init(&small, little, sizeof little);
        assert_int_equal(allot_ops.encode_event(&event, &small, &payload[0], &payload[1]), DOOR_NO_MEMORY);
        assert_int_equal(
                allot_ops.decode_event(ALLOT_FOLDED, 1, DOOR_BYTES_EMPTY, DOOR_BYTES_EMPTY, &small, &body),
                DOOR_NO_MEMORY);
        assert_int_equal(allot_ops.decode_input(ALLOT_LOG_TRIAGE, ALLOT_INPUT_FOLDED, 1, DOOR_BYTES_EMPTY,
                                                &small, &body),
                         DOOR_NO_MEMORY);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_decision_is_read),
                TEST(openings_and_ends_are_read),
                TEST(a_fold_is_read_with_its_levels_where_they_are_said),
                TEST(an_undoing_is_read_with_what_it_was),
                TEST(every_type_of_triages_log_is_consumed_or_known_and_none_twice),
                TEST(every_record_comes_back_as_it_went),
                TEST(a_fold_comes_back_with_whose_it_became_and_who_leaves),
                TEST(a_restore_comes_back_with_its_owner_and_the_survivor),
                TEST(a_record_about_two_that_are_one_and_a_name_too_long_are_malformed),
                TEST(records_that_are_none_of_ours_are_malformed),
                TEST(a_full_arena_is_said),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
