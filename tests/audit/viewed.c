#include "audit/viewed.h"

#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 10, ROWS_MAX = 100, STATE_QUEUED = 1, STATE_IMPORTED = 4, STATE_CLOSED = 5 };

/* Field numbers of view.proto. */
enum { STATS_RECEIVED = 1, STATS_COUNT = 2, STATS_BALANCED = 3, STATS_OPEN = 9, STATS_CLOSED = 10 };
enum { STATS_GIVEN_UP = 12, STATS_ATTEMPTS = 13, COUNT_DISPOSITION = 1, COUNT_REFERRALS = 2 };
enum { WAY_REFERRAL = 1, WAY_DISPOSITION = 2, WAY_FAMILY = 15, WAY_EPISODE = 20, WAY_WORK = 32 };
enum {
        LINE_EPISODE = 1,
        LINE_STATE = 2,
        LINE_SEVERITY = 4,
        LINE_VERSION = 16,
        LINE_OWNER = 19,
        LINE_OFFERED = 21
};
enum { PAGE_ROW = 1, LOOK_ROW_REFERRAL = 1, ASK_GIVEN_UP = 4, ASK_ID = 1 };
enum { AWAITING_MATCH = 1, LOOK = 4 };

/* Disposition, by number. */
static const char *const words[VIEWED_DISPOSITIONS] = { "",        "AWAITING_MATCH", "AWAITING_TRIAGE",
                                                        "QUEUED",  "LOOK",           "WITH_WORKER",
                                                        "OFFERED", "ACTIVE",         "IMPORTED",
                                                        "CLOSED",  "HISTORY" };

static bool differs(char why[VIEWED_WHY_BYTES], const char *what, uint64_t viewed, uint64_t counted)
{
        if (viewed == counted) {
                return false;
        }
        (void)snprintf(why, VIEWED_WHY_BYTES, "V1: the view counts otherwise: %s %llu, the logs say %llu",
                       what, (unsigned long long)viewed, (unsigned long long)counted);
        return true;
}

static bool wrong(char why[VIEWED_WHY_BYTES], const char *text)
{
        (void)snprintf(why, VIEWED_WHY_BYTES, "V1: %s", text);
        return false;
}

static bool text_is(wire_bytes bytes, const char *text)
{
        return bytes.len == strlen(text) && (bytes.len == 0 || memcmp(bytes.data, text, bytes.len) == 0);
}

static void where_count(void *context, const uint8_t referral[10], const char *where)
{
        uint64_t *counts = context;

        (void)referral;
        for (size_t i = 1; i < VIEWED_DISPOSITIONS; i++) {
                counts[i] += strcmp(words[i], where) == 0 ? 1 : 0;
        }
}

static void dispositions_count(const county *c, uint64_t ret_counts[VIEWED_DISPOSITIONS])
{
        const county_counts counts = county_count(c);

        memset(ret_counts, 0, VIEWED_DISPOSITIONS * sizeof ret_counts[0]);
        ret_counts[AWAITING_MATCH] = counts.received - counts.matched;
        episodes_each(county_notes(c), where_count, ret_counts);
}

static bool stats_agree(const county *c, const viewed_answer *given, char why[VIEWED_WHY_BYTES])
{
        uint64_t counts[VIEWED_DISPOSITIONS];
        bool seen[VIEWED_DISPOSITIONS] = { false };
        const uint64_t received = wire_uint(given->answer, STATS_RECEIVED, UINT64_MAX);
        wire_bytes rest = given->answer;
        wire_field field;
        bool bad = false;
        uint64_t sum = 0;
        size_t states = 0;

        dispositions_count(c, counts);
        while (wire_next(&rest, &field, &bad)) {
                if (field.number != STATS_COUNT || field.type != 2) {
                        continue;
                }
                const uint64_t disposition = wire_uint(field.bytes, COUNT_DISPOSITION, 0);
                const uint64_t referrals = wire_uint(field.bytes, COUNT_REFERRALS, 0);
                if (disposition == 0 || disposition >= VIEWED_DISPOSITIONS || seen[disposition]) {
                        return wrong(why, "a state that is none, or named twice");
                }
                seen[disposition] = true;
                states++;
                sum += referrals;
                if (given->current && differs(why, words[disposition], referrals, counts[disposition])) {
                        return false;
                }
        }
        if (bad || states != VIEWED_DISPOSITIONS - 1) {
                return wrong(why, "an answer that does not decode, or leaves out a state");
        }
        if (differs(why, "in all states together", sum, received)) {
                return false;
        }
        if (wire_uint(given->answer, STATS_BALANCED, 0) == 0) {
                return wrong(why, "the view says itself that it is out of balance");
        }
        return !given->current ||
               !(differs(why, "received", received, county_count(c).received) ||
                 differs(why, "open episodes", wire_uint(given->answer, STATS_OPEN, 0),
                         county_episodes(c).open_now) ||
                 differs(why, "closed episodes", wire_uint(given->answer, STATS_CLOSED, 0),
                         episodes_in_state(county_notes(c), STATE_CLOSED)) ||
                 differs(why, "messages for a person to tell", wire_uint(given->answer, STATS_GIVEN_UP, 0),
                         county_deliveries(c).with_person_now) ||
                 differs(why, "refused attempts", wire_uint(given->answer, STATS_ATTEMPTS, 0),
                         county_count(c).refused_attempts));
}

static bool work_agrees(const episodes_place *place, wire_bytes work, char why[VIEWED_WHY_BYTES])
{
        const wire_bytes episode = { place->episode, ID_BYTES };

        if (!wire_equal(wire_find(work, LINE_EPISODE), episode)) {
                return wrong(why, "the view has a referral on another episode");
        }
        if (differs(why, "state of an episode", wire_uint(work, LINE_STATE, 0), place->state) ||
            differs(why, "version of an episode", wire_uint(work, LINE_VERSION, 0), place->version) ||
            differs(why, "severity of an episode", wire_uint(work, LINE_SEVERITY, 0), place->severity)) {
                return false;
        }
        if (place->state >= STATE_QUEUED && place->state <= STATE_IMPORTED) {
                if (!text_is(wire_find(work, LINE_OWNER), place->owner)) {
                        return wrong(why, "the view names another owner");
                }
                if (!text_is(wire_find(work, LINE_OFFERED), place->offered)) {
                        return wrong(why, "the view has it offered to another team");
                }
        }
        return true;
}

static bool referral_agrees(const county *c, const viewed_answer *given, char why[VIEWED_WHY_BYTES])
{
        const wire_bytes id = wire_find(given->question, ASK_ID);
        const uint64_t disposition = wire_uint(given->answer, WAY_DISPOSITION, 0);
        const char *word = words[disposition % VIEWED_DISPOSITIONS];
        episodes_place place;

        if (!given->current || id.len != ID_BYTES || !episodes_find(county_notes(c), id.data, &place)) {
                return true;
        }
        if (!wire_equal(wire_find(given->answer, WAY_REFERRAL), id)) {
                return wrong(why, "the view does not know a referral");
        }
        if (strcmp(word, place.where) != 0) {
                (void)snprintf(why, VIEWED_WHY_BYTES,
                               "V1: the view counts otherwise: it has a referral %s, the logs say %s", word,
                               place.where);
                return false;
        }
        if (!wire_equal(wire_find(given->answer, WAY_FAMILY), (wire_bytes){ place.family, ID_BYTES })) {
                return wrong(why, "the view has a referral in another family");
        }
        return place.episode == NULL || work_agrees(&place, wire_find(given->answer, WAY_WORK), why);
}

/* As many rows as a first page holds of so many. */
static bool rows_agree(const viewed_answer *given, const char *what, uint64_t counted,
                       char why[VIEWED_WHY_BYTES])
{
        wire_bytes rest = given->answer;
        wire_field field;
        bool bad = false;
        uint64_t rows = 0;

        while (wire_next(&rest, &field, &bad)) {
                rows += field.number == PAGE_ROW && field.type == 2 ? 1 : 0;
        }
        return !given->current || !differs(why, what, rows, counted < ROWS_MAX ? counted : ROWS_MAX);
}

static bool looks_agree(const county *c, const viewed_answer *given, char why[VIEWED_WHY_BYTES])
{
        uint64_t counts[VIEWED_DISPOSITIONS];
        wire_bytes rest = given->answer;
        wire_field field;
        bool bad = false;

        dispositions_count(c, counts);
        if (!rows_agree(given, "the look list", counts[LOOK], why)) {
                return false;
        }
        while (given->current && wire_next(&rest, &field, &bad)) {
                episodes_place place;
                const wire_bytes id = field.number == PAGE_ROW && field.type == 2
                                              ? wire_find(field.bytes, LOOK_ROW_REFERRAL)
                                              : (wire_bytes){ NULL, 0 };
                if (id.len == ID_BYTES && (!episodes_find(county_notes(c), id.data, &place) ||
                                           strcmp(place.where, words[LOOK]) != 0)) {
                        return wrong(why, "on the view's look list is what waits for no look");
                }
        }
        return true;
}

bool viewed_agrees(const county *c, const viewed_answer *given, char ret_why[VIEWED_WHY_BYTES])
{
        const deliveries_counts told = county_deliveries(c);

        switch (given->type) {
        case VIEWED_STATS:
                return stats_agree(c, given, ret_why);
        case VIEWED_REFERRAL:
                return referral_agrees(c, given, ret_why);
        case VIEWED_LOOK_LIST:
                return looks_agree(c, given, ret_why);
        case VIEWED_QUEUE:
                return rows_agree(given, "the queue", episodes_in_state(county_notes(c), STATE_QUEUED),
                                  ret_why);
        case VIEWED_DELIVERIES:
                return wire_uint(given->question, ASK_GIVEN_UP, 0) != 0
                               ? rows_agree(given, "given up", told.with_person_now, ret_why)
                               : rows_agree(given, "still tried", told.trying_now, ret_why);
        default:
                return true;
        }
}
