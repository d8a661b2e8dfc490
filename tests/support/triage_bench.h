/*
 * triage_bench.h - a triage of one's own for the tests of its core: referrals and people's acts in a
 * few lines, over a core_bench. Functions are inline because each test file uses its own few.
 */
#ifndef TESTS_TRIAGE_BENCH_H
#define TESTS_TRIAGE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/core_bench.h"
#include "triage/triage_codec.h"
#include "triage/triage_rules.h"
#include "triage/triage_words.h"

enum {
        MINUTE_MS = 60000,
        HOUR_MS = 3600000,
        PEOPLE_MAX = 4,
        BAND_5_TO_10 = 4,
        BAND_ADULT = 10,
};

typedef struct bench {
        core_bench core;
        triage_policy policy;
        triage_matched referral;
        triage_person people[PEOPLE_MAX];
        uint64_t referrals;
        door_id episode; /* Of the last referral. */
} bench;

static inline int setup(void **state)
{
        bench *b = calloc(1, sizeof *b);

        if (b == NULL) {
                return -1;
        }
        core_bench_init(&b->core, &triage_ops);
        b->policy = triage_policy_default;
        b->policy.training = true;
        b->core.policy = &b->policy;
        *state = b;
        return 0;
}

static inline int teardown(void **state)
{
        bench *b = *state;
        const bool same = core_bench_done(&b->core);

        free(b);
        return same ? 0 : -1;
}

static inline door_id id_of(uint64_t n)
{
        door_id id = { { 0 } };
        door_put_u64(id.bytes + 2, n);
        return id;
}

/* ---- a referral in a few lines ---- */

/* An amber referral of neglect about one child of eight, matched without a doubt, from the school. */
static inline triage_matched *begin(bench *b, uint64_t family)
{
        b->referral = (triage_matched){
                .referral = id_of(++b->referrals),
                .family = id_of(1000 + family),
                .agency = door_bytes_of("school"),
                .sent_at_ms = b->core.now_ms,
                .received_at_ms = b->core.now_ms,
                .grade = TRIAGE_GRADE_AMBER,
                .categories = TRIAGE_BIT(TRIAGE_CATEGORY_NEGLECT),
                .people = b->people,
                .people_count = 1,
        };
        memset(b->people, 0, sizeof b->people);
        b->people[0] =
                (triage_person){ .person = id_of(2000 + family), .child = true, .age_band = BAND_5_TO_10 };
        memcpy(b->referral.routing.district, "E07000081", TRIAGE_DISTRICT_BYTES_MAX);
        b->referral.routing.age_bands = 1u << BAND_5_TO_10;
        return &b->referral;
}

static inline const triage_placed *place(bench *b)
{
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = TRIAGE_INPUT_MATCHED,
                             .cause = { TRIAGE_LOG_DEDUPLICATION, b->referrals },
                             .flags = b->referral.historic ? DOOR_FLAG_HISTORIC : 0,
                             .body = &b->referral };

        door_arena_reset(&b->core.arena);
        core_bench_take(&b->core, &input);
        assert_true(b->core.events_count >= 1);
        const door_event *last = &b->core.events[b->core.events_count - 1];
        const triage_placed *placed = last->body;
        b->episode = placed->episode;
        return placed;
}

static inline triage_episode episode_now(bench *b)
{
        triage_episode episode;
        assert_true(triage_episode_get(core_bench_view(&b->core), &b->episode, &episode));
        return episode;
}

static inline uint32_t event_type(const bench *b, size_t index)
{
        assert_true(index < b->core.events_count);
        return b->core.events[index].type;
}

/* ---- a person's act ---- */

#define TRIAGE_JO  "training/triage/jo"
#define TRIAGE_ANN "training/triage/ann"
#define MANAGER    "training/manager/mo"
#define TEAM_EAST  "training/team-east/sam"

static inline void act_as(bench *b, const char *actor, triage_command type, uint64_t version,
                          const void *body)
{
        door_input input = { .kind = DOOR_INPUT_COMMAND,
                             .type = (uint32_t)type,
                             .actor = door_bytes_of(actor),
                             .peer = door_bytes_of("command"),
                             .expected_version = version,
                             .body = body };

        core_bench_take(&b->core, &input);
}

static inline void simple(bench *b, const char *actor, triage_command type)
{
        const triage_act act = { .episode = b->episode, .text = door_bytes_of("because") };
        act_as(b, actor, type, 0, &act);
}

static inline void answer(bench *b, const char *actor, triage_command type, uint64_t referral, uint8_t said)
{
        const triage_act act = { .episode = b->episode,
                                 .referral = id_of(referral),
                                 .answer = said,
                                 .text = door_bytes_of("seen and spoken to") };
        act_as(b, actor, type, 0, &act);
}

static inline void decide_as(bench *b, const char *actor, uint8_t level, triage_next_step step)
{
        const triage_decide_body decide = { .episode = b->episode,
                                            .level = level,
                                            .next_step = (uint8_t)step,
                                            .reason = door_bytes_of("because") };
        act_as(b, actor, TRIAGE_DECIDE, episode_now(b).version, &decide);
}

static inline void allotted(bench *b, uint32_t type, uint32_t version, const char *team)
{
        const triage_allotted word = { .episode = b->episode,
                                       .episode_version = version,
                                       .team = door_bytes_of(team) };
        door_input input = { .kind = DOOR_INPUT_EVENT,
                             .type = type,
                             .cause = { TRIAGE_LOG_ALLOCATION, b->core.draws },
                             .body = &word };

        core_bench_take(&b->core, &input);
}

static inline void assert_refused(const bench *b, uint32_t reason)
{
        assert_true(b->core.out.refused);
        assert_int_equal(b->core.out.refusal.reason, reason);
        assert_int_equal(b->core.events_count, 0);
}

/* With team east, by a section 17 assessment. */
static inline void make_active(bench *b, uint64_t family)
{
        (void)begin(b, family);
        (void)place(b);
        simple(b, TRIAGE_JO, TRIAGE_TAKE);
        decide_as(b, TRIAGE_JO, 3, TRIAGE_SECTION_17);
        assert_int_equal(episode_now(b).state, TRIAGE_OFFERED);
        allotted(b, TRIAGE_INPUT_ACCEPTED, episode_now(b).version, "east");
        assert_int_equal(episode_now(b).state, TRIAGE_ACTIVE);
}

#endif
