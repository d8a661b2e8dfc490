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

        /* Whoever a referral names is a member of the family it stands in, as often as it names them. */
        uint64_t named = 0;
        for (size_t i = 0; i < w->memory.count; i++) {
                const memory_row *row = &w->memory.rows[i];
                if (row->key[0] == VIEW_TABLE_MEMBER) {
                        named += view_member_read((door_bytes){ row->key + 1, row->key_len - 1 },
                                                  (door_bytes){ row->value, row->value_len })
                                         .referrals;
                }
        }
        assert_int_equal(named, memory_reader_rows_of(&w->memory, VIEW_TABLE_NAMED));
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

        const view_person people[] = { { .id = id_of('P', draw(dice, 9)), .role = 1, .age = 4 },
                                       { .id = id_of('P', 9 + draw(dice, 3)), .role = 4, .age = 8 } };

        if (log == VIEW_LOG_DEDUPLICATION) {
                fact.to = F(draw(dice, 5));
                fact.join = id_of('J', draw(dice, 3));
                fact.people = people;
                fact.people_count = draw(dice, 3);
        }
        uint32_t type = 16 + draw(dice, log == VIEW_LOG_TRIAGE ? 19 : log == VIEW_LOG_ALLOCATION ? 11 : 6);
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
        const view_fact join = { .join = id_of('J', 1), .family = F(2), .to = F(1) };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_FAMILIES_JOINED, &join);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &second, family_story, &family);
        assert_id(family->family, F(1));
        assert_int_equal(family->n_former_id, 1);
        assert_id(family->former_id[0], F(2));
        assert_int_equal(family->n_row, 2);
        const view_fact undone = {
                .join = id_of('J', 1), .family = F(2), .to = F(1), .assignments_count = 1, .assignments = back
        };
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
        const view_fact join = { .join = id_of('J', 1), .family = F(1), .to = F(2), .has_review = true };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_FAMILIES_JOINED, &join);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &whole_page, review_page, &page);
        assert_int_equal(page->n_row, 0);
        const view_question q = { .id = R(1), .rows = 100 };
        Door__V1__ReferralWay *way = NULL;
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_id(way->family, F(2));
        /* What an undoing gives back: it stood apart when the answer joined the two. */
        Door__V1__JoinStory *told = NULL;
        const view_question asked = { .id = id_of('J', 1), .rows = 100 };
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_JOIN, &asked, join_story, &told);
        assert_int_equal(told->n_row, 1);
        assert_true(told->row[0]->stood_in_from);
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

/* Matched with who is named in it: persons p and q, a child and a mother. */
static void matched_people(world *w, unsigned r, unsigned f, unsigned p, unsigned q)
{
        const view_person people[] = { { .id = id_of('P', p), .role = 1, .age = 4 },
                                       { .id = id_of('P', q), .role = 4, .age = 8 } };
        const view_fact fact = { .referral = R(r),
                                 .received_ms = w->at_ms,
                                 .sent_ms = w->at_ms - 5,
                                 .agency = door_bytes_of("police"),
                                 .family = F(f),
                                 .decision = 1,
                                 .people = people,
                                 .people_count = 2 };
        fold(w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MATCHED, &fact);
}

static void joined(world *w, unsigned j, unsigned from, unsigned to)
{
        const view_fact fact = { .join = id_of('J', j), .family = F(from), .to = F(to) };
        fold(w, VIEW_LOG_DEDUPLICATION, VIEW_FAMILIES_JOINED, &fact);
}

static void folded(world *w, unsigned from, unsigned to, view_episode_state state)
{
        about(w, VIEW_LOG_TRIAGE, VIEW_EPISODE_FOLDED, from,
              (view_fact){ .to = E(to),
                           .version = 4,
                           .to_version = 4,
                           .family = F(to),
                           .severity = 60,
                           .rag_ms = 2 * T0,
                           .statutory_ms = 10 * T0,
                           .state = (uint8_t)state });
}

static void restored(world *w, unsigned e, unsigned survivor, view_episode_state state)
{
        about(w, VIEW_LOG_TRIAGE, VIEW_RESTORED, e,
              (view_fact){ .to = E(survivor),
                           .version = 5,
                           .to_version = 5,
                           .family = F(e),
                           .severity = 40,
                           .rag_ms = 3 * T0,
                           .statutory_ms = 10 * T0,
                           .state = (uint8_t)state });
}

static void people_episodes_and_the_story_follow_a_join_and_come_back_when_it_is_undone(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        Door__V1__JoinStory *join = NULL;
        const view_question old = { .id = F(2), .rows = 100 };
        const view_question asked = { .id = id_of('J', 1), .rows = 2 };
        const view_assignment back[] = { { R(2), F(2) }, { R(3), F(2) } };
        const view_fact undone = {
                .join = id_of('J', 1), .family = F(2), .to = F(1), .assignments_count = 2, .assignments = back
        };
        world w;

        (void)state;
        world_init(&w);
        for (unsigned n = 1; n <= 2; n++) {
                received(&w, n);
                matched_people(&w, n, n, n, 9); /* The mother is one person. */
                opened(&w, n, n, n, 40, 3 * T0);
        }
        about(&w, VIEW_LOG_TRIAGE, VIEW_EPISODE_CLOSED, 2, (view_fact){ .version = 3, .answer = 2 });
        joined(&w, 1, 2, 1);
        received(&w, 3);
        matched_people(&w, 3, 1, 3, 9); /* Came after the join. */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &old, family_story, &family);
        assert_id(family->family, F(1));
        assert_int_equal(family->referrals, 3);
        assert_int_equal(family->people, 4);
        assert_int_equal(family->n_person, 4);
        assert_id(family->person[3]->person, id_of('P', 9));
        assert_int_equal(family->person[3]->referrals, 3);
        assert_int_equal(family->person[3]->role, DOOR__V1__ROLE__ROLE_MOTHER);
        assert_int_equal(family->n_episode, 2); /* Closed work is nowhere renamed, and still found. */
        assert_id(family->episode[1]->episode, E(2));
        assert_id(family->episode[1]->family, F(1));
        assert_int_equal(family->n_line, 1); /* Both stories are one now: told once. */
        assert_int_equal(family->line[0]->what, DOOR__V1__FAMILY_WHAT__FAMILY_JOINED_HERE);
        assert_id(family->line[0]->other_family, F(2));
        assert_id(family->line[0]->join, id_of('J', 1));

        /* What an undoing must assign, a page at a time. */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_JOIN, &asked, join_story, &join);
        assert_id(join->from, F(2));
        assert_id(join->to, F(1));
        assert_false(join->has_undone_ms);
        assert_int_equal(join->n_row, 2);
        assert_true(join->has_next);
        assert_false(join->row[0]->stood_in_from);
        assert_id(join->row[1]->referral, R(2));
        assert_true(join->row[1]->stood_in_from);

        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_JOIN_UNDONE, &undone);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &old, family_story, &family);
        assert_id(family->family, F(2));
        assert_int_equal(family->referrals, 2); /* Its own, and the later one a person gave it. */
        assert_int_equal(family->people, 3);
        assert_int_equal(family->n_episode, 1);
        assert_int_equal(family->n_line, 2);
        assert_int_equal(family->line[0]->what, DOOR__V1__FAMILY_WHAT__FAMILY_JOINED_AWAY);
        assert_int_equal(family->line[1]->what, DOOR__V1__FAMILY_WHAT__FAMILY_JOIN_UNDONE);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_JOIN, &asked, join_story, &join);
        assert_true(join->has_undone_ms);
        assert_balanced(&w);
        world_done(&w);
}

static void a_family_joined_twice_over_is_found_by_its_first_id(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        const view_question first = { .id = F(3), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        for (unsigned n = 1; n <= 3; n++) {
                queued(&w, n, 40, 3 * T0);
        }
        joined(&w, 1, 3, 2);
        joined(&w, 2, 2, 1);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &first, family_story, &family);
        assert_id(family->family, F(1));
        assert_int_equal(family->n_former_id, 2);
        assert_int_equal(family->n_row, 3);
        assert_int_equal(family->n_episode, 3);
        assert_int_equal(family->n_line, 2);
        assert_id(family->line[0]->other_family, F(3));
        world_done(&w);
}

static void what_triage_says_of_a_family_that_has_been_joined_stands_in_the_joined_one(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        const view_question q = { .id = F(1), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        received(&w, 2);
        matched(&w, 2, 2);
        joined(&w, 1, 2, 1);
        opened(&w, 2, 2, 2, 40, 3 * T0); /* Placed before triage had heard of the join. */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &q, family_story, &family);
        assert_int_equal(family->n_row, 2);
        assert_int_equal(family->n_episode, 2);
        world_done(&w);
}

static void a_moved_referral_leaves_one_story_for_another_and_is_counted_once(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        Door__V1__ReferralWay *way = NULL;
        Door__V1__EpisodeStory *story = NULL;
        Door__V1__ViewStats *stats = NULL;
        const view_question one = { .id = F(1), .rows = 100 };
        const view_question new = { .id = F(7), .rows = 100 };
        const view_question q = { .id = R(2), .rows = 100 };
        const view_question e1 = { .id = E(1), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        received(&w, 2);
        matched_people(&w, 2, 1, 5, 6);
        attached(&w, 2, 1, VIEW_LOOK_NOW, VIEW_QUEUED);
        /* The child is known as another from now on; the mother is who she was. */
        const view_person children[] = { { .id = id_of('P', 50), .role = 15, .age = 9 } };
        const view_fact moved = {
                .referral = R(2), .family = F(1), .to = F(7), .people = children, .people_count = 1
        };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MOVED, &moved);
        about(&w, VIEW_LOG_TRIAGE, VIEW_DETACHED, 1,
              (view_fact){ .referral = R(2), .has_referral = true, .version = 3, .severity = 60 });
        assert_balanced(&w);
        const view_fact placed = { .episode = E(7),
                                   .referral = R(2),
                                   .has_referral = true,
                                   .has_moved_from = true,
                                   .moved_from = E(1),
                                   .family = F(7),
                                   .version = 1,
                                   .received_ms = w.at_ms,
                                   .severity = 60,
                                   .severity_own = 60,
                                   .rag_ms = 3 * T0,
                                   .statutory_ms = 10 * T0,
                                   .state = VIEW_QUEUED,
                                   .agency = door_bytes_of("school") };
        fold(&w, VIEW_LOG_TRIAGE, VIEW_EPISODE_OPENED, &placed);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &one, family_story, &family);
        assert_int_equal(family->n_row, 1);
        assert_int_equal(family->people, 0);
        assert_int_equal(family->line[0]->what, DOOR__V1__FAMILY_WHAT__FAMILY_MOVED_AWAY);
        assert_id(family->line[0]->other_family, F(7));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &new, family_story, &family);
        assert_int_equal(family->n_row, 1);
        assert_int_equal(family->people, 2);
        assert_id(family->person[0]->person, id_of('P', 6));
        assert_id(family->person[1]->person, id_of('P', 50));
        assert_int_equal(family->person[1]->role, DOOR__V1__ROLE__ROLE_INDEX_CHILD);
        assert_int_equal(family->line[0]->what, DOOR__V1__FAMILY_WHAT__FAMILY_MOVED_HERE);
        assert_id(family->line[0]->referral, R(2));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &q, referral_way, &way);
        assert_id(way->episode, E(7));
        assert_true(way->opened);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &e1, episode_story, &story);
        assert_int_equal(story->episode->referrals, 1);
        assert_int_equal(story->episode->agencies, 1);  /* What the school had said has left with it. */
        assert_int_equal(story->episode->severity, 60); /* Never lowered by software. */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_STATS, &whole_page, view_stats, &stats);
        assert_int_equal(stats->added, 0); /* It is an assessment of its own now. */
        assert_int_equal(stats->looked_now, 0);
        assert_balanced(&w);
        world_done(&w);
}

static void a_move_whose_detaching_is_parked_here_still_leaves_the_referral_in_one_place(void **state)
{
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        queued(&w, 2, 40, 3 * T0);
        received(&w, 3);
        matched(&w, 3, 1);
        attached(&w, 3, 1, VIEW_QUICK_LOOK, VIEW_QUEUED);
        const view_fact placed = { .episode = E(2),
                                   .referral = R(3),
                                   .has_referral = true,
                                   .has_moved_from = true,
                                   .moved_from = E(1),
                                   .family = F(2),
                                   .version = 2,
                                   .way = VIEW_QUICK_LOOK,
                                   .look_by_ms = 4 * T0,
                                   .rag_ms = 3 * T0,
                                   .statutory_ms = 10 * T0,
                                   .state = VIEW_QUEUED };
        fold(&w, VIEW_LOG_TRIAGE, VIEW_REFERRAL_ATTACHED, &placed);
        assert_int_equal(stat_of(&w, DOOR__V1__DISPOSITION__DISPOSITION_LOOK), 1);
        assert_balanced(&w);
        world_done(&w);
}

static void rows_of_queue_look_list_and_inbox_go_to_the_surviving_work_and_back(void **state)
{
        Door__V1__QueuePage *queue = NULL;
        Door__V1__LookPage *look = NULL;
        Door__V1__InboxPage *inbox = NULL;
        Door__V1__EpisodeStory *story = NULL;
        const view_question east = { .rows = 100, .team = door_bytes_of("east") };
        const view_question younger = { .id = E(2), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        const uint64_t since_ms = w.at_ms - 10;
        queued(&w, 2, 60, 3 * T0);
        received(&w, 3);
        matched(&w, 3, 2);
        decided(&w, 2, VIEW_OFFERED);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_OFFER_MADE, 2,
              (view_fact){ .team = door_bytes_of("east"), .owner = door_bytes_of("front-door") });
        attached(&w, 3, 2, VIEW_QUICK_LOOK, VIEW_OFFERED);
        folded(&w, 2, 1, VIEW_QUEUED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &queue);
        assert_int_equal(queue->n_row, 1);
        assert_id(queue->row[0]->episode, E(1));
        assert_int_equal(queue->row[0]->referrals, 3);
        assert_int_equal(queue->row[0]->agencies, 1); /* Counted again: of all three, the police. */
        assert_int_equal(queue->row[0]->queued_ms, since_ms);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, &whole_page, look_page, &look);
        assert_int_equal(look->n_row, 1);
        assert_id(look->row[0]->episode, E(1));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_INBOX, &east, inbox_page, &inbox);
        assert_int_equal(inbox->n_row, 0);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_id(story->episode->folded_into, E(1));
        assert_int_equal(story->episode->referrals, 0);
        assert_id(story->line[story->n_line - 1]->other_episode, E(1));
        assert_balanced(&w);

        restored(&w, 2, 1, VIEW_QUEUED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &queue);
        assert_int_equal(queue->n_row, 2);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, &whole_page, look_page, &look);
        assert_id(look->row[0]->episode, E(2));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_int_equal(story->episode->referrals, 2);
        assert_int_equal(story->episode->agencies, 1);
        assert_balanced(&w);
        world_done(&w);
}

static void what_was_folded_into_work_that_folds_again_comes_back_with_it(void **state)
{
        Door__V1__EpisodeStory *story = NULL;
        const view_question middle = { .id = E(2), .rows = 100 };
        const view_question last = { .id = E(3), .rows = 100 };
        world w;

        (void)state;
        world_init(&w);
        for (unsigned n = 1; n <= 3; n++) {
                queued(&w, n, 40, 3 * T0);
        }
        folded(&w, 3, 2, VIEW_QUEUED);
        folded(&w, 2, 1, VIEW_QUEUED);
        restored(&w, 2, 1, VIEW_QUEUED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &middle, episode_story, &story);
        assert_int_equal(story->episode->referrals, 2);
        restored(&w, 3, 2, VIEW_QUEUED);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &last, episode_story, &story);
        assert_int_equal(story->episode->referrals, 1);
        assert_balanced(&w);
        world_done(&w);
}

static void joined_work_has_one_owner_and_each_its_own_again_when_it_is_undone(void **state)
{
        Door__V1__LoadPage *loads = NULL;
        Door__V1__EpisodeStory *story = NULL;
        const view_question older = { .id = E(1), .rows = 100 };
        const view_question younger = { .id = E(2), .rows = 100 };
        static const char *const teams[] = { "east", "west" };
        world w;

        (void)state;
        world_init(&w);
        for (unsigned e = 1; e <= 2; e++) {
                queued(&w, e, 40, 3 * T0);
                decided(&w, e, VIEW_OFFERED);
                about(&w, VIEW_LOG_ALLOCATION, VIEW_ACCEPTED, e,
                      (view_fact){ .team = door_bytes_of(teams[e - 1]), .lead = door_bytes_of("lee") });
                about(&w, VIEW_LOG_TRIAGE, VIEW_ACTIVATED, e,
                      (view_fact){ .version = 3, .team = door_bytes_of(teams[e - 1]) });
        }
        folded(&w, 2, 1, VIEW_QUEUED);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_ALLOT_FOLDED, 2,
              (view_fact){ .to = E(1),
                           .owner = door_bytes_of("west"),
                           .accepted = true,
                           .team = door_bytes_of("east") });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &older, episode_story, &story);
        assert_string_equal(story->episode->owner, "west");
        assert_string_equal(story->episode->lead_practitioner, "lee"); /* As west had it on the other. */
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_null(story->episode->owner);
        assert_int_equal(story->line[story->n_line - 1]->what, DOOR__V1__STORY_WHAT__STORY_HANDS_OVER);
        assert_string_equal(story->line[story->n_line - 1]->who, "east");
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOADS, &whole_page, load_page, &loads);
        assert_int_equal(loads->row[0]->active, 0);
        assert_int_equal(loads->row[1]->active, 1);
        assert_balanced(&w);

        restored(&w, 2, 1, VIEW_ACTIVE);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_ALLOT_RESTORED, 2,
              (view_fact){ .to = E(1),
                           .owner = door_bytes_of("west"),
                           .accepted = true,
                           .lead = door_bytes_of("kim") });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &younger, episode_story, &story);
        assert_string_equal(story->episode->owner, "west");
        assert_string_equal(story->episode->lead_practitioner, "kim");
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_LOADS, &whole_page, load_page, &loads);
        assert_int_equal(loads->row[1]->active, 2);
        assert_balanced(&w);
        world_done(&w);
}

/* R(r) of F(f), who may be F(candidate): review V(r). */
static void asked_about(world *w, unsigned r, unsigned f, unsigned candidate)
{
        view_fact fact = {
                .referral = R(r), .family = F(f), .decision = 3, .received_ms = T0, .candidates_count = 1
        };

        received(w, r);
        fact.candidates[0] = (view_other){
                .family = F(candidate), .score = 9000, .has_review = true, .review = id_of('V', r)
        };
        fold(w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MATCHED, &fact);
}

static void a_review_is_shown_with_both_families_side_by_side(void **state)
{
        Door__V1__ReviewStory *review = NULL;
        const view_question q = { .id = id_of('V', 2), .rows = 100 };
        const view_question none = { .id = id_of('V', 99), .rows = 100 };
        const view_fact unsure = { .review = id_of('V', 2), .referral = R(2), .answer = VIEW_VERDICT_UNSURE };
        world w;

        (void)state;
        world_init(&w);
        received(&w, 1);
        matched_people(&w, 1, 1, 1, 9);
        opened(&w, 1, 1, 1, 40, 3 * T0);
        about(&w, VIEW_LOG_ALLOCATION, VIEW_OWNER_NAMED, 1,
              (view_fact){ .team = door_bytes_of("front-door") });
        asked_about(&w, 2, 2, 1);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REVIEW_ANSWERED, &unsure);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REVIEW_ANSWERED, &unsure);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEW, &q, review_story, &review);
        assert_int_equal(review->score, 9000);
        assert_int_equal(review->unsure, 2);
        assert_false(review->has_verdict);
        assert_id(review->referral->referral, R(2));
        assert_id(review->family->family, F(2));
        assert_id(review->candidate->family, F(1));
        assert_int_equal(review->candidate->people, 2);
        assert_int_equal(review->candidate->n_row, 1);
        assert_string_equal(review->candidate->row[0]->agency, "police");
        assert_string_equal(review->candidate->episode[0]->owner, "front-door");
        assert_int_equal(review->family->n_line, 2);
        assert_int_equal(review->family->line[0]->verdict, DOOR__V1__VERDICT__VERDICT_UNSURE);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEW, &none, review_story, &review);
        assert_false(review->has_review);
        world_done(&w);
}

static void families_said_to_be_different_are_no_longer_shown_as_maybe_the_same(void **state)
{
        Door__V1__FamilyStory *family = NULL;
        const view_question q = { .id = F(2), .rows = 100 };
        const view_fact different = { .review = id_of('V', 2), .referral = R(2), .answer = 2 };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        asked_about(&w, 2, 2, 1);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &q, family_story, &family);
        assert_int_equal(family->n_related, 1);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REVIEW_ANSWERED, &different);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &q, family_story, &family);
        assert_int_equal(family->n_related, 0);
        assert_int_equal(family->line[0]->verdict, DOOR__V1__VERDICT__VERDICT_DIFFERENT);
        world_done(&w);
}

static void a_review_asks_nothing_more_once_its_families_are_one_or_its_referral_has_moved(void **state)
{
        Door__V1__ReviewPage *page = NULL;
        Door__V1__ReviewStory *review = NULL;
        const view_question q = { .id = id_of('V', 2), .rows = 100 };
        const view_fact moved = { .referral = R(3), .family = F(3), .to = F(9) };
        world w;

        (void)state;
        world_init(&w);
        queued(&w, 1, 40, 3 * T0);
        asked_about(&w, 2, 2, 1);
        asked_about(&w, 3, 3, 1);
        asked_about(&w, 4, 4, 1);
        joined(&w, 1, 2, 1);
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MOVED, &moved);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &whole_page, review_page, &page);
        assert_int_equal(page->n_row, 1);
        assert_id(page->row[0]->review, id_of('V', 4));
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEW, &q, review_story, &review);
        assert_true(review->overtaken);
        assert_false(review->has_verdict);

        /* Moved back, it is asked again; so it is when the join is undone. */
        const view_fact back = { .referral = R(3), .family = F(9), .to = F(3) };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_REFERRAL_MOVED, &back);
        const view_assignment assignments[] = { { R(1), F(1) }, { R(2), F(2) } };
        const view_fact undone = { .join = id_of('J', 1),
                                   .family = F(2),
                                   .to = F(1),
                                   .assignments_count = 2,
                                   .assignments = assignments };
        fold(&w, VIEW_LOG_DEDUPLICATION, VIEW_JOIN_UNDONE, &undone);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &whole_page, review_page, &page);
        assert_int_equal(page->n_row, 3);
        world_done(&w);
}

static void work_whose_family_is_decided_is_no_longer_marked_uncertain(void **state)
{
        Door__V1__QueuePage *page = NULL;
        world w;

        (void)state;
        world_init(&w);
        received(&w, 1);
        const view_fact fact = { .episode = E(1),
                                 .referral = R(1),
                                 .has_referral = true,
                                 .family = F(1),
                                 .version = 1,
                                 .received_ms = w.at_ms,
                                 .state = VIEW_QUEUED,
                                 .uncertain = true };
        fold(&w, VIEW_LOG_TRIAGE, VIEW_EPISODE_OPENED, &fact);
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &page);
        assert_true(page->row[0]->uncertain);
        about(&w, VIEW_LOG_TRIAGE, VIEW_MATCH_SETTLED, 1, (view_fact){ .version = 0 });
        ASK(&w, DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &whole_page, queue_page, &page);
        assert_false(page->row[0]->uncertain);
        assert_int_equal(page->row[0]->version, 1);
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
                cmocka_unit_test(people_episodes_and_the_story_follow_a_join_and_come_back_when_it_is_undone),
                cmocka_unit_test(a_family_joined_twice_over_is_found_by_its_first_id),
                cmocka_unit_test(what_triage_says_of_a_family_that_has_been_joined_stands_in_the_joined_one),
                cmocka_unit_test(a_moved_referral_leaves_one_story_for_another_and_is_counted_once),
                cmocka_unit_test(
                        a_move_whose_detaching_is_parked_here_still_leaves_the_referral_in_one_place),
                cmocka_unit_test(rows_of_queue_look_list_and_inbox_go_to_the_surviving_work_and_back),
                cmocka_unit_test(what_was_folded_into_work_that_folds_again_comes_back_with_it),
                cmocka_unit_test(joined_work_has_one_owner_and_each_its_own_again_when_it_is_undone),
                cmocka_unit_test(families_said_to_be_different_are_no_longer_shown_as_maybe_the_same),
                cmocka_unit_test(a_review_is_shown_with_both_families_side_by_side),
                cmocka_unit_test(
                        a_review_asks_nothing_more_once_its_families_are_one_or_its_referral_has_moved),
                cmocka_unit_test(work_whose_family_is_decided_is_no_longer_marked_uncertain),
                cmocka_unit_test(an_answer_that_cannot_be_read_or_does_not_fit_is_none),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}
