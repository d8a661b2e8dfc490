/*
 * cli_view_lists.c - frontdoor queue | look | inbox TEAM | review list | told [--given-up] | loads
 *
 * Lists of the gateway's view, in its order, a page at a time: --page N (25 rows unless --rows), or
 * --all. --json: an array of rows. Exit code 0 also for an empty list; 1 when the gateway does not answer.
 */
#include <string.h>

#include "cli/cli_view.h"

enum { PAGES_MAX = 10000 };

static const char *const valued[] = { "--page", "--rows", NULL };

typedef struct list {
        uint32_t type;
        const ProtobufCMessageDescriptor *page; /* Its first field: rows, its second: next. */
        void (*print)(const ProtobufCMessage *row, uint64_t now_ms);
        const char *nothing;
        const char *usage;
} list;

/* What every page of view.proto begins with. */
typedef struct page_view {
        size_t count;
        ProtobufCMessage *const *rows;
        const ProtobufCBinaryData *next; /* NULL: the last page. */
} page_view;

static page_view page_of(const ProtobufCMessage *message)
{
        const ProtobufCFieldDescriptor *rows = &message->descriptor->fields[0];
        const ProtobufCFieldDescriptor *next = &message->descriptor->fields[1];
        const uint8_t *base = (const uint8_t *)message;
        page_view page = { .count = *(const size_t *)(const void *)(base + rows->quantifier_offset),
                           .rows = *(ProtobufCMessage *const *const *)(const void *)(base + rows->offset) };

        if (*(const protobuf_c_boolean *)(const void *)(base + next->quantifier_offset)) {
                page.next = (const ProtobufCBinaryData *)(const void *)(base + next->offset);
        }
        return page;
}

static void page_print(const list *l, const page_view *page, bool json, bool *first)
{
        const uint64_t now_ms = cli_now_ms();

        for (size_t i = 0; i < page->count; i++) {
                if (json) {
                        (void)printf("%s", *first ? "" : ",\n");
                        cli_view_json(page->rows[i]);
                } else {
                        l->print(page->rows[i], now_ms);
                }
                *first = false;
        }
}

static int list_show(cli *c, const list *l, Door__V1__AskPage *ask)
{
        const bool all = cli_flag(c, "--all");
        const bool json = cli_flag(c, "--json");
        const char *page_text = cli_option(c, "--page");
        const char *rows_text = cli_option(c, "--rows");
        uint8_t after[128];
        uint64_t wanted = 1;
        uint64_t rows = CLI_VIEW_ROWS;
        bool first = true;
        door_error error = { 0 };

        if ((page_text != NULL &&
             (!cli_number(page_text, &wanted) || wanted < 1 || wanted > PAGES_MAX || all)) ||
            (rows_text != NULL && (!cli_number(rows_text, &rows) || rows < 1 || rows > 100))) {
                return cli_usage(c, l->usage);
        }
        cli_interruptible();
        ask->has_rows = 1;
        ask->rows = all && rows_text == NULL ? 100 : (uint32_t)rows;
        (void)printf("%s", json ? "[" : "");
        for (uint64_t number = 1; !cli_interrupted(); number++) {
                ProtobufCMessage *answer = NULL;
                door_arena_reset(&c->arena);
                if (cli_view_ask(c, l->type, ask, l->page, &answer, &error) != DOOR_OK) {
                        (void)printf("%s", json ? "]\n" : "");
                        return cli_fail(c->argv[0], &error);
                }
                const page_view page = page_of(answer);
                if (all || number == wanted) {
                        page_print(l, &page, json, &first);
                }
                if (page.next == NULL || (!all && number == wanted)) {
                        if (page.next != NULL && !json) {
                                (void)printf("there is more: --page %llu, or --all\n",
                                             (unsigned long long)(number + 1));
                        }
                        break;
                }
                DOOR_REQUIRE(page.next->len <= sizeof after);
                memcpy(after, page.next->data, page.next->len);
                ask->has_after = 1;
                ask->after = (ProtobufCBinaryData){ page.next->len, after };
        }
        if (json) {
                (void)printf("]\n");
        } else if (first) {
                (void)printf("%s\n", l->nothing);
        }
        return CLI_OK;
}

/* ---- rows */

static void episode_print(const ProtobufCMessage *row, uint64_t now_ms)
{
        cli_print_episode((const Door__V1__EpisodeLine *)row, now_ms);
}

static void look_print(const ProtobufCMessage *message, uint64_t now_ms)
{
        const Door__V1__LookRow *row = (const Door__V1__LookRow *)message;
        char referral[DOOR_ID_TEXT_BYTES];
        char episode[DOOR_ID_TEXT_BYTES];
        char by[CLI_WHEN_BYTES];
        char span[CLI_WHEN_BYTES];

        (void)printf("by %s%s  %s, waits %s\n", cli_when(row->look_by_ms, now_ms, by),
                     row->look_by_ms < now_ms ? " LATE" : "",
                     cli_id(DOOR_ID_REFERRAL, row->referral, referral),
                     cli_span(row->since_ms < now_ms ? now_ms - row->since_ms : 0, span));
        (void)printf("       from %.40s, added to %s\n", row->agency == NULL ? "?" : row->agency,
                     cli_id(DOOR_ID_EPISODE, row->episode, episode));
        (void)printf("       that work: %s\n", cli_word_state(row->state));
        cli_print_why(row->why, row->n_why, 7);
}

static void review_print(const ProtobufCMessage *message, uint64_t now_ms)
{
        const Door__V1__ReviewRow *row = (const Door__V1__ReviewRow *)message;
        char id[DOOR_ID_TEXT_BYTES];
        char other[DOOR_ID_TEXT_BYTES];
        char span[CLI_WHEN_BYTES];

        (void)printf("%s  asked %s ago\n", cli_id(DOOR_ID_REVIEW, row->review, id),
                     cli_span(row->since_ms < now_ms ? now_ms - row->since_ms : 0, span));
        (void)printf("       is the family of %s\n", cli_id(DOOR_ID_REFERRAL, row->referral, id));
        (void)printf("       %s the same as %s?\n", cli_id(DOOR_ID_FAMILY, row->family, id),
                     cli_id(DOOR_ID_FAMILY, row->candidate, other));
        if (row->unsure > 0) {
                (void)printf("       looked at %u time%s, not sure\n", row->unsure,
                             row->unsure == 1 ? "" : "s");
        }
}

static void delivery_print(const ProtobufCMessage *message, uint64_t now_ms)
{
        const Door__V1__DeliveryRow *row = (const Door__V1__DeliveryRow *)message;
        char id[DOOR_ID_TEXT_BYTES];

        cli_print_delivery(row, now_ms, 0);
        (void)printf("%-16s %s", "", cli_id(DOOR_ID_DELIVERY, row->delivery, id));
        if (row->has_referral) {
                (void)printf(" about %s", cli_id(DOOR_ID_REFERRAL, row->referral, id));
        } else if (row->has_episode) {
                (void)printf(" about %s", cli_id(DOOR_ID_EPISODE, row->episode, id));
        }
        (void)printf("\n");
}

static void load_print(const ProtobufCMessage *message, uint64_t now_ms)
{
        const Door__V1__TeamLoad *row = (const Door__V1__TeamLoad *)message;

        (void)now_ms;
        (void)printf("%-30.30s %6u offered %6u waiting %6u open\n", row->team, row->offered, row->waiting,
                     row->active);
}

/* ---- the subcommands */

int cli_queue(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_QUEUE, &door__v1__queue_page__descriptor,
                                episode_print, "nothing waits for a threshold decision",
                                "[--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        return list_show(c, &l, &ask);
}

int cli_look(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_LOOK_LIST, &door__v1__look_page__descriptor,
                                look_print, "the look list is empty",
                                "[--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        return list_show(c, &l, &ask);
}

int cli_inbox(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_INBOX, &door__v1__inbox_page__descriptor,
                                episode_print, "nothing is offered to this team, and nothing is open to it",
                                "TEAM [--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;

        ask.team = (char *)(uintptr_t)cli_argument(c, 0, valued);
        return ask.team == NULL ? cli_usage(c, l.usage) : list_show(c, &l, &ask);
}

int cli_review(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_REVIEWS, &door__v1__review_page__descriptor,
                                review_print, "no match waits for a person",
                                "list [--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        const char *what = cli_argument(c, 0, valued);

        return what != NULL && strcmp(what, "list") == 0 ? list_show(c, &l, &ask) : cli_review_about(c);
}

int cli_told(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_DELIVERIES, &door__v1__delivery_page__descriptor,
                                delivery_print, "nothing waits to be told",
                                "[--given-up] [--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;

        ask.has_given_up = ask.given_up = cli_flag(c, "--given-up");
        return list_show(c, &l, &ask);
}

int cli_loads(cli *c)
{
        static const list l = { DOOR__V1__VIEW_QUERY__VIEW_LOADS, &door__v1__load_page__descriptor,
                                load_print, "no team has been asked yet",
                                "[--page N|--all] [--rows N] [--json]" };
        Door__V1__AskPage ask = DOOR__V1__ASK_PAGE__INIT;
        return list_show(c, &l, &ask);
}
