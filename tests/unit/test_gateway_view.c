/*
 * test_gateway_view.c - what the gateway's view remembers of five logs, and what it answers.
 *
 * Goal: every received referral is in exactly one disposition after every record, whatever order
 * records come in; every list is exactly the rows that belong on it, in its order. Method: records are
 * folded as facts over memory; after each of a random many, everything derived is counted again from
 * the rows by a slow obvious loop.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "door/v1/view.pb-c.h"
#include "gateway/view_codec.h"
#include "gateway/view_query.h"
#include "shell/proto_arena.h"
#include "support/memory_reader.h"

enum { ARENA_BYTES = 16 * DOOR_MIB, T0 = 1000000 };

typedef struct world {
        memory_reader memory;
        void *storage;
        door_arena arena;
        uint64_t at_ms;
        uint64_t seq[6];
} world;

static void world_init(world *w)
{
        memset(w, 0, sizeof *w);
        memory_reader_init(&w->memory);
        w->storage = aligned_alloc(64, ARENA_BYTES);
        assert_non_null(w->storage);
        w->at_ms = T0;
}

static void world_done(world *w)
{
        memory_reader_done(&w->memory);
        free(w->storage);
}

static void view_on(world *w, door_view *view)
{
        door_arena_init(&w->arena, w->storage, ARENA_BYTES);
        door_view_init(view, &w->memory.reader, &w->arena);
}

/* One record of a log. */
static void fold(world *w, uint32_t log, uint32_t type, const view_fact *fact)
{
        door_view view;
        const door_input input = { .kind = DOOR_INPUT_EVENT,
                                   .type = type,
                                   .cause = { log, ++w->seq[log] },
                                   .at_ms = w->at_ms,
                                   .body = fact };

        view_on(w, &view);
        view.writable = true;
        view_ops.project(&view, &input);
        assert_int_equal(view.latch, DOOR_OK);
        memory_reader_absorb(&w->memory, &view);
        w->at_ms += 10;
}

static door_id id_of(char kind, unsigned n)
{
        door_id id = { { (uint8_t)kind } };
        door_put_u32(id.bytes + 6, n);
        return id;
}

static door_id R(unsigned n)
{
        return id_of('R', n);
}
static door_id E(unsigned n)
{
        return id_of('E', n);
}
static door_id F(unsigned n)
{
        return id_of('F', n);
}

/* ---- records */

static void received(world *w, unsigned r)
{
        const view_fact fact = { .referral = R(r),
                                 .received_ms = w->at_ms,
                                 .sent_ms = w->at_ms - 5,
                                 .agency = door_bytes_of("police"),
                                 .grade = 2 };
        fold(w, VIEW_LOG_INTAKE, VIEW_REFERRAL_RECEIVED, &fact);
}

static void matched(world *w, unsigned r, unsigned f)
{
        const view_fact fact = { .referral = R(r),
                                 .received_ms = w->at_ms,
                                 .sent_ms = w->at_ms - 5,
                                 .agency = door_bytes_of("police"),
                                 .family = F(f),
                                 .decision = 1 };
        fold(w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MATCHED, &fact);
}

static void opened(world *w, unsigned r, unsigned e, unsigned f, uint8_t severity, uint64_t rag_ms)
{
        const view_fact fact = { .episode = E(e),
                                 .referral = R(r),
                                 .has_referral = true,
                                 .family = F(f),
                                 .version = 1,
                                 .received_ms = w->at_ms,
                                 .sent_ms = w->at_ms,
                                 .severity = severity,
                                 .severity_own = severity,
                                 .rag_ms = rag_ms,
                                 .statutory_ms = 10 * T0,
                                 .state = VIEW_QUEUED,
                                 .agency = door_bytes_of("police") };
        fold(w, VIEW_LOG_TRIAGE, VIEW_EPISODE_OPENED, &fact);
}

static void attached(world *w, unsigned r, unsigned e, view_way way, view_episode_state state)
{
        const view_fact fact = { .episode = E(e),
                                 .referral = R(r),
                                 .has_referral = true,
                                 .family = F(e),
                                 .version = 2,
                                 .received_ms = w->at_ms,
                                 .sent_ms = w->at_ms,
                                 .severity = 60,
                                 .severity_own = 60,
                                 .rag_ms = 3 * T0,
                                 .statutory_ms = 10 * T0,
                                 .respond_by_ms = 2 * T0,
                                 .look_by_ms = 2 * T0 + r,
                                 .way = (uint8_t)way,
                                 .why = UINT64_C(1) << 35,
                                 .state = (uint8_t)state,
                                 .agency = door_bytes_of("school") };
        fold(w, VIEW_LOG_TRIAGE, VIEW_REFERRAL_ATTACHED, &fact);
}

static void about(world *w, uint32_t log, uint32_t type, unsigned e, view_fact fact)
{
        fact.episode = E(e);
        fold(w, log, type, &fact);
}

/* received, matched and opened: a row of the queue. */
static void queued(world *w, unsigned n, uint8_t severity, uint64_t rag_ms)
{
        received(w, n);
        matched(w, n, n);
        opened(w, n, n, n, severity, rag_ms);
}

static void decided(world *w, unsigned e, view_episode_state state)
{
        about(w, VIEW_LOG_TRIAGE, VIEW_DECIDED, e,
              (view_fact){ .version = 3,
                           .level = 3,
                           .next_step = 4,
                           .severity = 60,
                           .state = (uint8_t)state,
                           .by = door_bytes_of("jo") });
}

/* ---- questions */

#define ASK(w, type, question, message, ret)                                                                 \
        do {                                                                                                 \
                door_view ask_view;                                                                          \
                door_bytes ask_answer;                                                                       \
                view_on(w, &ask_view);                                                                       \
                assert_int_equal(view_query(&ask_view, type, question, &(w)->arena, &ask_answer), DOOR_OK);  \
                assert_int_equal(                                                                            \
                        door_proto_read(&door__v1__##message##__descriptor, ask_answer, &(w)->arena, ret),   \
                        DOOR_OK);                                                                            \
        } while (0)

static const view_question whole_page = { .rows = VIEW_PAGE_ROWS_MAX };

static void assert_id(ProtobufCBinaryData data, door_id id)
{
        assert_true(door_bytes_equal(door_proto_bytes(data), door_id_bytes(&id)));
}

static uint64_t stat_of(world *w, Door__V1__Disposition disposition)
{
        Door__V1__ViewStats *stats = NULL;

        ASK(w, DOOR__V1__VIEW_QUERY__VIEW_STATS, &whole_page, view_stats, &stats);
        assert_true(stats->balanced);
        return stats->count[disposition - 1]->referrals;
}

/* ---- the slow obvious count */

typedef struct counted {
        uint64_t of[VIEW_DISPOSITIONS];
        uint64_t received, taken, waiting, open, closed, queue, look, unanswered, places;
} counted;

static void recount(world *w, counted *c)
{
        door_view view;

        memset(c, 0, sizeof *c);
        view_on(w, &view);
        for (size_t i = 0; i < w->memory.count; i++) {
                const memory_row *row = &w->memory.rows[i];
                view_episode e = { .state = VIEW_STATE_NONE };
                view_referral r;
                door_id id;
                if (row->key[0] == VIEW_TABLE_REFERRAL) {
                        memcpy(id.bytes, row->key + 1, DOOR_ID_BYTES);
                        assert_true(view_referral_get(&view, &id, &r));
                        c->received++;
                        if (r.stage == VIEW_ATTACHED) {
                                assert_true(view_episode_get(&view, &r.episode, &e));
                                c->of[view_disposition_of(e.state, r.attached)]++;
                                c->taken += e.state == VIEW_QUEUED && e.taken_until_ms != 0 ? 1 : 0;
                                c->waiting += e.state == VIEW_OFFERED && e.waiting ? 1 : 0;
                                c->look += r.attached == VIEW_ATT_LOOK ? 1 : 0;
                                c->unanswered +=
                                        r.attached == VIEW_ATT_LOOK || r.attached == VIEW_ATT_AWAITED ? 1 : 0;
                        } else {
                                c->of[r.stage == VIEW_RECEIVED  ? VIEW_DISP_AWAITING_MATCH
                                      : r.stage == VIEW_MATCHED ? VIEW_DISP_AWAITING_TRIAGE
                                                                : VIEW_DISP_HISTORY]++;
                        }
                } else if (row->key[0] == VIEW_TABLE_EPISODE) {
                        memcpy(id.bytes, row->key + 1, DOOR_ID_BYTES);
                        assert_true(view_episode_get(&view, &id, &e));
                        c->open += view_is_open(e.state) ? 1 : 0;
                        c->closed += e.state == VIEW_CLOSED ? 1 : 0;
                        c->queue += e.state == VIEW_QUEUED ? 1 : 0;
                        c->places += view_is_open(e.state) && (e.offered_to.len > 0 || e.unrouted) ? 1 : 0;
                        c->places += view_is_open(e.state) && e.lead.len > 0 ? 1 : 0;
                }
        }
}

static void assert_balanced(world *w)
{
        door_view view;
        counted c;
        uint64_t sum = 0;
        uint64_t loads = 0;

        recount(w, &c);
        view_on(w, &view);
        for (uint8_t i = 1; i < VIEW_DISPOSITIONS; i++) {
                assert_int_equal(view_count_get(&view, i), c.of[i]);
                sum += c.of[i];
        }
        assert_int_equal(view_count_get(&view, VIEW_COUNT_RECEIVED), c.received);
        assert_int_equal(sum, c.received);
        assert_int_equal(view_count_get(&view, VIEW_COUNT_TAKEN), c.taken);
        assert_int_equal(view_count_get(&view, VIEW_COUNT_WAITING), c.waiting);
        assert_int_equal(view_count_get(&view, VIEW_COUNT_OPEN), c.open);
        assert_int_equal(view_count_get(&view, VIEW_COUNT_CLOSED), c.closed);
        assert_int_equal(memory_reader_rows_of(&w->memory, VIEW_TABLE_QUEUE), c.queue);
        assert_int_equal(memory_reader_rows_of(&w->memory, VIEW_TABLE_LOOK), c.look);
        assert_int_equal(memory_reader_rows_of(&w->memory, VIEW_TABLE_UNANSWERED), c.unanswered);
        assert_int_equal(memory_reader_rows_of(&w->memory, VIEW_TABLE_TEAM), c.places);
        for (size_t i = 0; i < w->memory.count; i++) {
                const memory_row *row = &w->memory.rows[i];
                if (row->key[0] == VIEW_TABLE_LOAD) {
                        loads += door_get_u32(row->value) + door_get_u32(row->value + 4) +
                                 door_get_u32(row->value + 8);
                }
        }
        assert_int_equal(loads, c.places);
}

/* ---- tests */

static uint32_t draw(uint64_t *state, uint32_t below)
{
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (uint32_t)(*state >> 33) % below;
}

/* A record that may or may not make sense where it comes: the view believes and stays balanced. */
static void random_record(world *w, uint64_t *dice)
{
        static const char *const teams[] = { "east", "west", "front-door" };
        static const uint8_t states[] = { VIEW_QUEUED, VIEW_OFFERED, VIEW_ACTIVE, VIEW_IMPORTED,
                                          VIEW_CLOSED };
        const unsigned r = draw(dice, 24);
        const unsigned e = draw(dice, 8);
        view_fact fact = { .referral = R(r),
                           .has_referral = true,
                           .episode = E(e),
                           .to = E(draw(dice, 8)),
                           .family = F(draw(dice, 5)),
                           .version = 1 + draw(dice, 9),
                           .received_ms = w->at_ms,
                           .sent_ms = w->at_ms - draw(dice, 1000),
                           .severity = (uint8_t)draw(dice, 101),
                           .rag_ms = w->at_ms + draw(dice, 5000),
                           .statutory_ms = w->at_ms + draw(dice, 5000),
                           .until_ms = w->at_ms + 100,
                           .respond_by_ms = w->at_ms + draw(dice, 100),
                           .look_by_ms = w->at_ms + draw(dice, 100),
                           .way = (uint8_t)draw(dice, 4),
                           .state = states[draw(dice, 5)],
                           .answer = (uint8_t)(1 + draw(dice, 4)),
                           .waiting = draw(dice, 2) == 0,
                           .agency = door_bytes_of(teams[draw(dice, 3)]),
                           .by = door_bytes_of("jo"),
                           .team = door_bytes_of(teams[draw(dice, 3)]),
                           .owner = door_bytes_of(teams[draw(dice, 3)]),
                           .lead = door_bytes_of("lee") };
        const uint32_t log = 1 + draw(dice, 4);

        if (log == VIEW_LOG_DEDUPLICATION) {
                fact.to = F(draw(dice, 5));
        }
        uint32_t type = 16 + draw(dice, log == VIEW_LOG_TRIAGE ? 18 : log == VIEW_LOG_ALLOCATION ? 9 : 6);
        if (log == VIEW_LOG_INTAKE && type == 17) {
                type = VIEW_REFERRAL_RECEIVED; /* Repeats are passed over by the machine. */
        }
        fold(w, log, type, &fact);
}

static void every_referral_is_in_exactly_one_disposition_after_every_record(void **state)
{
        (void)state;
        for (uint64_t seed = 1; seed <= 12; seed++) {
                world w;
                uint64_t dice = seed;
                world_init(&w);
                for (unsigned i = 0; i < 400; i++) {
                        random_record(&w, &dice);
                        assert_balanced(&w);
                }
                world_done(&w);
        }
}

static void the_same_records_make_the_same_view(void **state)
{
        world a;
        world b;
        uint64_t dice_a = 99;
        uint64_t dice_b = 99;

        (void)state;
        world_init(&a);
        world_init(&b);
        for (unsigned i = 0; i < 500; i++) {
                random_record(&a, &dice_a);
                random_record(&b, &dice_b);
        }
        assert_true(memory_reader_equal(&a.memory, &b.memory));
        world_done(&a);
        world_done(&b);
}

static void the_queue_is_by_band_then_by_the_earliest_clock(void **state)
{
        static const unsigned order[] = { 4, 2, 3, 5, 1 };
        Door__V1__QueuePage *page = NULL;
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 30, 2 * T0);  /* green: last, though its clock is the earliest of all */
        queued(&w, 2, 80, 9 * T0);  /* red */
        queued(&w, 3, 50, 12 * T0); /* amber, by its statutory clock, as the fifth: then by id */
        queued(&w, 4, 95, 8 * T0);  /* red, an earlier clock */
        queued(&w, 5, 79, 11 * T0); /* amber, by its statutory clock */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &page);
        assert_int_equal(page->n_row, 5);
        for (size_t i = 0; i < 5; i++) {
                assert_id(page->row[i]->episode, E(order[i]));
        }
        assert_false(page->has_next);
        about(&w, VIEW_LOG_TRIAGE, VIEW_TAKEN, 2,
              (view_fact){ .until_ms = 7 * T0, .by = door_bytes_of("gateway/jo") });
        decided(&w, 4, VIEW_OFFERED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &page);
        assert_int_equal(page->n_row, 4);
        assert_id(page->row[0]->episode, E(2));
        assert_string_equal(page->row[0]->taken_by, "gateway/jo");
        assert_int_equal(page->row[0]->taken_until_ms, 7 * T0);
        assert_balanced(&w);
        world_done(&w);
}

static void pages_hold_every_row_once_and_go_on_where_rows_have_gone(void **state)
{
        Door__V1__QueuePage *page = NULL;
        uint8_t after[VIEW_AFTER_BYTES_MAX];
        bool seen[251] = { false };
        view_question q = { .rows = 100 };
        size_t rows = 0;
        size_t pages = 0;
        world w;

        (void)state;
        world_init(&w);
        for (unsigned i = 1; i <= 250; i++) {
                queued(&w, i, 40, 3 * T0 + i % 7);
        }
        do {
                ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &q, queue_page, &page);
                pages++;
                assert_true(page->n_row <= 100);
                unsigned last = 0;
                for (size_t i = 0; i < page->n_row; i++) {
                        last = door_get_u32(page->row[i]->episode.data + 6);
                        assert_false(seen[last]);
                        seen[last] = true;
                        rows++;
                }
                const bool more = page->has_next;
                if (more) {
                        memcpy(after, page->next.data, page->next.len);
                        q.after = (door_bytes){ after, page->next.len };
                        decided(&w, last, VIEW_CLOSED); /* The row the page ended with is gone. */
                } else {
                        break;
                }
        } while (pages < 5);
        assert_int_equal(rows, 250);
        assert_int_equal(pages, 3);
        world_done(&w);
}

static void what_needs_a_quick_look_is_on_the_look_list_until_it_is_answered_for(void **state)
{
        Door__V1__LookPage *page = NULL;
        world w;

        (void)state;
        world_init(&w);
        for (unsigned e = 1; e <= 4; e++) {
                queued(&w, e, 40, 3 * T0);
                received(&w, 10 + e);
                matched(&w, 10 + e, e);
                attached(&w, 10 + e, e, VIEW_QUICK_LOOK, VIEW_QUEUED);
        }
        assert_int_equal(stat_of(&w, DOOR__V1__DISPOSITION__DISPOSITION_LOOK), 4);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, &whole_page, look_page, &page);
        assert_int_equal(page->n_row, 4);
        assert_id(page->row[0]->referral, R(11));
        assert_int_equal(page->row[0]->look_by_ms, 2 * T0 + 11);
        assert_int_equal(page->row[0]->n_why, 1);
        assert_int_equal(page->row[0]->why[0], DOOR__V1__REPEAT_REASON__WHY_SECOND_AGENCY);
        /* Answered; decided; closed. The fourth stays. */
        about(&w, VIEW_LOG_TRIAGE, VIEW_LOOK_ANSWERED, 1,
              (view_fact){ .referral = R(11),
                           .has_referral = true,
                           .version = 3,
                           .state = VIEW_QUEUED,
                           .answer = VIEW_NOTHING_CHANGES,
                           .by = door_bytes_of("jo") });
        decided(&w, 2, VIEW_OFFERED);
        about(&w, VIEW_LOG_TRIAGE, VIEW_EPISODE_CLOSED, 3, (view_fact){ .version = 3, .answer = 2 });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, &whole_page, look_page, &page);
        assert_int_equal(page->n_row, 1);
        assert_id(page->row[0]->referral, R(14));
        assert_balanced(&w);
        world_done(&w);
}

static void a_response_that_comes_too_late_puts_the_referral_on_the_look_list(void **state)
{
        Door__V1__ReferralWay *way = NULL;
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        decided(&w, 1, VIEW_OFFERED);
        about(&w, VIEW_LOG_TRIAGE, VIEW_ACTIVATED, 1,
              (view_fact){ .version = 4, .team = door_bytes_of("east") });
        received(&w, 2);
        matched(&w, 2, 1);
        attached(&w, 2, 1, VIEW_WITH_WORKER, VIEW_ACTIVE);
        assert_int_equal(stat_of(&w, DOOR__V1__DISPOSITION__DISPOSITION_WITH_WORKER), 1);
        const view_question q = { .id = R(2), .rows = 100 };
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_true(way->response_awaited);
        about(&w, VIEW_LOG_TRIAGE, VIEW_LOOK_LISTED, 1,
              (view_fact){ .referral = R(2),
                           .has_referral = true,
                           .look_by_ms = 5 * T0,
                           .answer = 45,
                           .why = UINT64_C(1) << 45 });
        assert_int_equal(stat_of(&w, DOOR__V1__DISPOSITION__DISPOSITION_LOOK), 1);
        about(&w, VIEW_LOG_TRIAGE, VIEW_LOOK_ANSWERED, 1,
              (view_fact){ .referral = R(2),
                           .has_referral = true,
                           .version = 5,
                           .state = VIEW_QUEUED,
                           .answer = VIEW_RAISE,
                           .by = door_bytes_of("jo") });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_int_equal(way->disposition, DOOR__V1__DISPOSITION__DISPOSITION_QUEUED);
        assert_int_equal(way->look_answer, DOOR__V1__LOOK_ANSWER__LOOK_RAISE);
        assert_string_equal(way->answered_by, "jo");
        assert_int_equal(way->work->state, DOOR__V1__EPISODE_STATE__EPISODE_QUEUED);
        assert_balanced(&w);
        world_done(&w);
}

static void an_inbox_holds_what_is_offered_then_what_waits_then_the_work(void **state)
{
        Door__V1__InboxPage *page = NULL;
        Door__V1__LoadPage *loads = NULL;
        const view_question q = { .rows = 100, .team = door_bytes_of("east") };
        world w;

        (void)state;
        world_init(&w);
        for (unsigned e = 1; e <= 3; e++) {
                queued(&w, e, 40, 3 * T0);
                about(&w, VIEW_LOG_ALLOCATION, VIEW_OWNER_NAMED, e,
                      (view_fact){ .team = door_bytes_of("front-door") });
                decided(&w, e, VIEW_OFFERED);
                about(&w, VIEW_LOG_ALLOCATION, VIEW_OFFER_MADE, e,
                      (view_fact){ .team = door_bytes_of("east"),
                                   .owner = door_bytes_of("front-door"),
                                   .waiting = e == 2 });
        }
        about(&w, VIEW_LOG_ALLOCATION, VIEW_ACCEPTED, 1,
              (view_fact){ .team = door_bytes_of("east"), .lead = door_bytes_of("lee") });
        about(&w, VIEW_LOG_TRIAGE, VIEW_ACTIVATED, 1,
              (view_fact){ .version = 4, .team = door_bytes_of("east") });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &q, inbox_page, &page);
        assert_int_equal(page->n_row, 3);
        assert_id(page->row[0]->episode, E(3));
        assert_id(page->row[1]->episode, E(2));
        assert_true(page->row[1]->waiting);
        assert_string_equal(page->row[1]->owner, "front-door");
        assert_id(page->row[2]->episode, E(1));
        assert_string_equal(page->row[2]->lead_practitioner, "lee");
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOADS, &whole_page, load_page, &loads);
        assert_int_equal(loads->n_row, 1);
        assert_string_equal(loads->row[0]->team, "east");
        assert_int_equal(loads->row[0]->offered, 1);
        assert_int_equal(loads->row[0]->waiting, 1);
        assert_int_equal(loads->row[0]->active, 1);
        /* Handed over: until the other team accepts it is in both inboxes. */
        about(&w, VIEW_LOG_ALLOCATION, VIEW_HAND_OVER_OFFERED, 1,
              (view_fact){ .team = door_bytes_of("west"), .owner = door_bytes_of("east") });
        const view_question west = { .rows = 100, .team = door_bytes_of("west") };
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &west, inbox_page, &page);
        assert_int_equal(page->n_row, 1);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_OWNERSHIP_ENDED, 1, (view_fact){ .team = door_bytes_of("east") });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &q, inbox_page, &page);
        assert_int_equal(page->n_row, 2);
        assert_balanced(&w);
        world_done(&w);
}

static void a_joined_family_has_one_chronology_until_the_join_is_undone(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        const view_question first = { .id = F(1), .rows = 100 };
        const view_question second = { .id = F(2), .rows = 100 };
        const view_assignment back[] = { { R(2), F(2) } };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        queued(&w, 2, 40, 3 * T0);
        const view_fact join = { .family = F(2), .to = F(1) };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_FAMILIES_JOINED, &join);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &second, family_story, &family);
        assert_id(family->family, F(1));
        assert_int_equal(family->n_former_id, 1);
        assert_id(family->former_id[0], F(2));
        assert_int_equal(family->n_row, 2);
        const view_fact undone = { .family = F(2), .to = F(1), .assignments_count = 1, .assignments = back };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_JOIN_UNDONE, &undone);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &second, family_story, &family);
        assert_id(family->family, F(2));
        assert_int_equal(family->n_row, 1);
        assert_id(family->row[0]->referral, R(2));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &first, family_story, &family);
        assert_int_equal(family->n_row, 1);
        assert_int_equal(family->n_former_id, 0);
        world_done(&w);
}

static void a_folded_episode_counts_at_the_surviving_one_until_it_is_restored(void **state)
{
        Door__V1__EpisodeStory *story = NULL;
        const view_question older = { .id = E(1), .rows = 100 };
        const view_question younger = { .id = E(2), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        queued(&w, 2, 90, 2 * T0);
        about(&w, VIEW_LOG_TRIAGE, VIEW_EPISODE_FOLDED, 2,
              (view_fact){ .to = E(1),
                           .version = 2,
                           .to_version = 2,
                           .family = F(1),
                           .severity = 90,
                           .rag_ms = 2 * T0,
                           .statutory_ms = 10 * T0,
                           .state = VIEW_QUEUED });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &older, episode_story, &story);
        assert_int_equal(story->episode->referrals, 2);
        assert_int_equal(story->episode->severity, 90);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_id(story->episode->folded_into, E(1));
        assert_int_equal(stat_of(&w, DOOR__V1__DISPOSITION__DISPOSITION_QUEUED), 2);
        about(&w, VIEW_LOG_TRIAGE, VIEW_RESTORED, 2,
              (view_fact){ .to = E(1),
                           .version = 3,
                           .to_version = 3,
                           .family = F(2),
                           .severity = 90,
                           .rag_ms = 2 * T0,
                           .statutory_ms = 10 * T0,
                           .state = VIEW_QUEUED });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_int_equal(story->episode->referrals, 1);
        assert_false(story->episode->has_folded_into);
        assert_balanced(&w);
        world_done(&w);
}

static void a_referral_is_told_from_receipt_to_owner(void **state)
{
        Door__V1__ReferralWay *way = NULL;
        const view_question q = { .id = R(1), .rows = 100 };
        const view_question nobody = { .id = R(9), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &nobody, referral_way, &way);
        assert_false(way->has_referral);
        received(&w, 1);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_int_equal(way->disposition, DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_MATCH);
        assert_false(way->has_family);
        matched(&w, 1, 1);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_int_equal(way->disposition, DOOR__V1__DISPOSITION__DISPOSITION_AWAITING_TRIAGE);
        opened(&w, 1, 1, 1, 40, 3 * T0);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_OWNER_NAMED, 1,
              (view_fact){ .team = door_bytes_of("front-door") });
        const view_fact planned = { .delivery = id_of('D', 1),
                                    .kind = 1,
                                    .team = door_bytes_of("police"),
                                    .has_referral = true,
                                    .referral = R(1) };
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_PLANNED, &planned);
        const view_fact failed = { .delivery = id_of('D', 1), .attempts = 1, .answer = 3 };
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_ATTEMPT_FAILED, &failed);
        const view_fact gone = { .delivery = id_of('D', 1), .attempts = 2 };
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_DELIVERED, &gone);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_int_equal(way->disposition, DOOR__V1__DISPOSITION__DISPOSITION_QUEUED);
        assert_true(way->opened);
        assert_string_equal(way->agency, "police");
        assert_string_equal(way->work->owner, "front-door");
        assert_int_equal(way->n_told, 1);
        assert_int_equal(way->told[0]->state, DOOR__V1__DELIVERY_STATE__DELIVERY_DONE);
        assert_int_equal(way->told[0]->attempts, 2);
        assert_false(way->told[0]->has_failure);
        world_done(&w);
}

static void what_is_given_up_is_listed_until_a_person_has_told_it(void **state)
{
        Door__V1__DeliveryPage *page = NULL;
        Door__V1__Oldest *oldest = NULL;
        const view_question given_up = { .rows = 100, .given_up = true };
        const view_fact planned = { .delivery = id_of('D', 1), .kind = 2, .team = door_bytes_of("edt") };
        const view_fact lost = { .delivery = id_of('D', 1), .attempts = 5, .answer = 5 };
        const view_fact told = { .delivery = id_of('D', 1), .by = door_bytes_of("jo") };
        world w;

        (void)state;
        world_init(&w);
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_PLANNED, &planned);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, &whole_page, delivery_page, &page);
        assert_int_equal(page->n_row, 1);
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_GIVEN_UP, &lost);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, &whole_page, delivery_page, &page);
        assert_int_equal(page->n_row, 0);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, &given_up, delivery_page, &page);
        assert_int_equal(page->n_row, 1);
        assert_int_equal(page->row[0]->failure, DOOR__V1__DELIVERY_FAILURE__FAILURE_REFUSED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_OLDEST, &whole_page, oldest, &oldest);
        assert_int_equal(oldest->n_row, 1);
        assert_int_equal(oldest->row[0]->what, DOOR__V1__WAITING_FOR__WAITING_TELL);
        assert_int_equal(oldest->row[0]->count, 1);
        assert_int_equal(oldest->row[0]->since_ms, T0);
        fold(&w, VIEW_LOG_NOTIFICATION, VIEW_TOLD, &told);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, &given_up, delivery_page, &page);
        assert_int_equal(page->n_row, 0);
        world_done(&w);
}

static void a_review_is_open_until_somebody_is_sure(void **state)
{
        Door__V1__ReviewPage *page = NULL;
        view_fact fact = {
                .referral = R(1), .family = F(1), .decision = 3, .received_ms = T0, .candidates_count = 1
        };
        view_fact answer = { .review = id_of('V', 1), .referral = R(1), .answer = VIEW_VERDICT_UNSURE };
        world w;

        (void)state;
        world_init(&w);
        fact.candidates[0] =
                (view_other){ .family = F(2), .score = 9000, .has_review = true, .review = id_of('V', 1) };
        received(&w, 1);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MATCHED, &fact);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REVIEW_ANSWERED, &answer);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &whole_page, review_page, &page);
        assert_int_equal(page->n_row, 1);
        assert_id(page->row[0]->candidate, F(2));
        answer.answer = 1;
        answer.has_family = true;
        answer.family = F(2);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REVIEW_ANSWERED, &answer);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &whole_page, review_page, &page);
        assert_int_equal(page->n_row, 0);
        const view_question q = { .id = R(1), .rows = 100 };
        Door__V1__ReferralWay *way = NULL;
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_id(way->family, F(2));
        world_done(&w);
}

static void a_returned_family_waits_since_it_first_came(void **state)
{
        Door__V1__QueuePage *page = NULL;
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        const uint64_t since_ms = w.at_ms - 10;
        decided(&w, 1, VIEW_OFFERED);
        w.at_ms += T0;
        about(&w, VIEW_LOG_TRIAGE, VIEW_RETURNED, 1,
              (view_fact){ .version = 4, .team = door_bytes_of("east"), .times = 2 });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &page);
        assert_int_equal(page->n_row, 1);
        assert_int_equal(page->row[0]->queued_ms, since_ms);
        assert_int_equal(page->row[0]->returned_times, 2);
        world_done(&w);
}

static void an_answer_that_cannot_be_read_or_does_not_fit_is_none(void **state)
{
        world w;
        door_view view;
        door_bytes answer;

        (void)state;
        world_init(&w);
        for (unsigned i = 1; i <= 20; i++) {
                queued(&w, i, 40, 3 * T0);
        }
        view_on(&w, &view);
        w.memory.fail_after = w.memory.reads + 5;
        (void)view_query(&view, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, &w.arena, &answer);
        assert_int_equal(view.latch, DOOR_IO);
        w.memory.fail_after = 0;
        for (size_t room = 256; room < 24 * DOOR_KIB; room += 512) {
                door_arena_init(&w.arena, w.storage, room);
                door_view_init(&view, &w.memory.reader, &w.arena);
                const door_status status =
                        view_query(&view, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, &w.arena, &answer);
                assert_true(status == DOOR_NO_MEMORY || (status == DOOR_OK && !w.arena.exhausted));
        }
        world_done(&w);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_referral_is_in_exactly_one_disposition_after_every_record),
                cmocka_unit_test(the_same_records_make_the_same_view),
                cmocka_unit_test(the_queue_is_by_band_then_by_the_earliest_clock),
                cmocka_unit_test(pages_hold_every_row_once_and_go_on_where_rows_have_gone),
                cmocka_unit_test(what_needs_a_quick_look_is_on_the_look_list_until_it_is_answered_for),
                cmocka_unit_test(a_response_that_comes_too_late_puts_the_referral_on_the_look_list),
                cmocka_unit_test(an_inbox_holds_what_is_offered_then_what_waits_then_the_work),
                cmocka_unit_test(a_joined_family_has_one_chronology_until_the_join_is_undone),
                cmocka_unit_test(a_folded_episode_counts_at_the_surviving_one_until_it_is_restored),
                cmocka_unit_test(a_referral_is_told_from_receipt_to_owner),
                cmocka_unit_test(what_is_given_up_is_listed_until_a_person_has_told_it),
                cmocka_unit_test(a_review_is_open_until_somebody_is_sure),
                cmocka_unit_test(a_returned_family_waits_since_it_first_came),
                cmocka_unit_test(an_answer_that_cannot_be_read_or_does_not_fit_is_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
