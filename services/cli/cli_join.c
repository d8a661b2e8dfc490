/*
 * cli_join.c - whose referrals and families are whose: a person answers a match review, joins two
 * families, undoes a join, moves a referral.
 *
 *      frontdoor review show V-…  ─►  review same|different|unsure V-… --why TEXT --as jo --role triage
 *      frontdoor join F-… F-… --dry-run  ─►  join F-… F-… --why TEXT …  ─►  undo J-… --why TEXT …
 *
 * What a join comes to, and whom an undoing gives what, is previewed from the gateway's view: a
 * proposal, which --dry-run prints and does not send. Deduplication decides; its refusal is one sentence.
 * Exit code 0: done, or previewed; 1: refused, no such thing, or no answer; 2: the call is wrong.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli_act.h"
#include "cli/cli_join_plan.h"
#include "cli/cli_view.h"
#include "shell/proto_arena.h"

enum { BITS = 1024, PAGES_MAX = CLI_ASSIGNED_MAX / 100 + 1 };

static const char *const valued[] = { "--as", "--role", "--why", "--second", "--to-from", NULL };

/* The index-th argument as an id of this kind. */
static bool id_take(const cli *c, size_t index, door_id_kind kind, door_id *ret_id)
{
        const char *text = cli_argument(c, index, valued);
        door_id_kind found;

        return text != NULL && door_id_parse(door_bytes_of(text), &found, ret_id) == DOOR_OK && found == kind;
}

static ProtobufCBinaryData id_data(const door_id *id)
{
        return door_proto_data(door_id_bytes(id));
}

static char *text_option(const cli *c, const char *flag)
{
        return (char *)(uintptr_t)cli_option(c, flag);
}

static int why_missing(const cli *c)
{
        return cli_act_complain(c, "--why TEXT: what you know that says so");
}

static int none_such(const cli *c, door_id_kind kind, const door_id *id, const char *what)
{
        char text[DOOR_ID_TEXT_BYTES];

        door_id_print(kind, id, text);
        (void)fprintf(stderr, "frontdoor: %s: there is no %s %s\n", c->argv[0], what, text);
        return CLI_FAILED;
}

/* ---- sending, and the answer */

/* CLI_OK with where it stands now; the ids of the answer are absent where it could not be read. */
static int send(cli *c, uint32_t type, const void *message, Door__V1__DedupAnswer **ret_answer)
{
        cli_act_sent sent = { .service = "deduplication", .type = type };
        char actor[DOOR_NAME_BYTES_MAX];
        cli_answer answer;

        if (cli_act_actor(c, actor) != CLI_OK) {
                return CLI_USAGE;
        }
        if (door_proto_pack(message, &c->arena, &sent.body) != DOOR_OK) {
                return cli_act_complain(c, "that is more than one message holds");
        }
        cli_interruptible();
        const int code = cli_act_send(c, actor, &sent, &answer);
        if (code != CLI_OK) {
                return code;
        }
        if (door_proto_read(&door__v1__dedup_answer__descriptor, answer.body, &c->arena, ret_answer) !=
            DOOR_OK) {
                (void)printf("done\n");
                *ret_answer = NULL;
        }
        return CLI_OK;
}

static void answer_json(const Door__V1__DedupAnswer *in)
{
        cli_view_json(&in->base);
        (void)printf("\n");
}

static const char *family_of(const Door__V1__DedupAnswer *in, char out[DOOR_ID_TEXT_BYTES])
{
        return in->has_family ? cli_id(DOOR_ID_FAMILY, in->family, out) : "its family";
}

/* ---- review show: both families side by side */

static void side_print(const char *what, const Door__V1__FamilyStory *f, uint64_t now_ms)
{
        char id[DOOR_ID_TEXT_BYTES];

        if (!f->has_family) {
                (void)printf("%s: not known to this view yet\n", what);
                return;
        }
        (void)printf("%s\n  family %s%s\n  %u referral%s, %u %s\n", what,
                     cli_id(DOOR_ID_FAMILY, f->family, id),
                     f->restricted ? "  RESTRICTED: need to know only" : "", f->referrals,
                     f->referrals == 1 ? "" : "s", f->people, f->people == 1 ? "person" : "people");
        cli_print_people(f, 2);
        cli_print_chronology(f, now_ms);
        for (size_t i = 0; i < f->n_episode; i++) {
                cli_print_episode(f->episode[i], now_ms);
                if (f->episode[i]->owner != NULL && cli_join_is_open(f->episode[i])) {
                        (void)printf("       held by %.40s\n", f->episode[i]->owner);
                }
        }
}

static void review_print(const Door__V1__ReviewStory *r)
{
        const uint64_t now_ms = cli_now_ms();
        char id[DOOR_ID_TEXT_BYTES];
        char when[CLI_WHEN_BYTES];

        (void)printf("%s  asked %s\n", cli_id(DOOR_ID_REVIEW, r->review, id),
                     cli_when(r->since_ms, now_ms, when));
        (void)printf("  %s\n", r->has_verdict ? cli_word_verdict(r->verdict)
                               : r->overtaken ? "overtaken by a join or a move: nothing is asked any more"
                                              : "open: are these two the same family?");
        if (r->unsure > 0) {
                (void)printf("  looked at %u time%s, not sure\n", r->unsure, r->unsure == 1 ? "" : "s");
        }
        (void)printf("  likeness %d.%d bits\n", r->score / BITS, abs(r->score % BITS) * 10 / BITS);
        if (r->referral->has_referral) {
                (void)printf("  asked about %s from %.30s,\n    sent %s\n",
                             cli_id(DOOR_ID_REFERRAL, r->referral->referral, id),
                             r->referral->agency == NULL ? "?" : r->referral->agency,
                             cli_when(r->referral->sent_at_ms, now_ms, when));
        }
        side_print("one, made for the time being", r->family, now_ms);
        side_print("the other, which it may be", r->candidate, now_ms);
}

/* Names of the referral asked about and of the latest of the other family: what a person compares. */
static int review_names(cli *c, const Door__V1__ReviewStory *r)
{
        const Door__V1__FamilyStory *other = r->candidate;
        int code = CLI_OK;

        if (r->referral->has_referral) {
                code = cli_names_show(c, r->referral->referral, "match-review");
        }
        if (code == CLI_OK && other->n_row > 0) {
                code = cli_names_show(c, other->row[other->n_row - 1]->referral, "match-review");
        }
        return code;
}

static int review_show(cli *c, const door_id *id)
{
        Door__V1__AskThing ask = DOOR__V1__ASK_THING__INIT;
        Door__V1__ReviewStory *review = NULL;
        door_error error = { 0 };

        if (cli_flag(c, "--json") && cli_flag(c, "--names")) {
                return cli_act_complain(c, "--json holds no names: ask without it");
        }
        cli_interruptible();
        ask.id = id_data(id);
        if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_REVIEW, &ask, &door__v1__review_story__descriptor,
                         &review, &error) != DOOR_OK) {
                return cli_fail(c->argv[0], &error);
        }
        if (!review->has_review) {
                return none_such(c, DOOR_ID_REVIEW, id, "review");
        }
        if (cli_flag(c, "--json")) {
                cli_view_json(&review->base);
                (void)printf("\n");
                return CLI_OK;
        }
        review_print(review);
        return cli_flag(c, "--names") ? review_names(c, review) : CLI_OK;
}

/* The join an answer of "the same" has made, from the view once it has read of it; false: not found. */
static bool join_of_review(cli *c, const door_id *review, ProtobufCBinaryData *family,
                           char ret_join[DOOR_ID_TEXT_BYTES])
{
        Door__V1__AskThing ask = DOOR__V1__ASK_THING__INIT;
        Door__V1__FamilyStory *story = NULL;
        door_error ignored = { 0 };

        ask.id = *family;
        if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &ask, &door__v1__family_story__descriptor,
                         &story, &ignored) != DOOR_OK) {
                return false;
        }
        for (size_t i = 0; i < story->n_line; i++) {
                const Door__V1__FamilyLine *l = story->line[i];
                if (l->what == DOOR__V1__FAMILY_WHAT__FAMILY_JOINED_HERE && l->has_join && l->has_review &&
                    door_bytes_equal(door_proto_bytes(l->review), door_id_bytes(review))) {
                        (void)cli_id(DOOR_ID_JOIN, l->join, ret_join);
                        return true;
                }
        }
        return false;
}

static int review_answer(cli *c, const door_id *id, Door__V1__Verdict verdict)
{
        Door__V1__AnswerReview out = DOOR__V1__ANSWER_REVIEW__INIT;
        Door__V1__DedupAnswer *in = NULL;
        char review[DOOR_ID_TEXT_BYTES];
        char family[DOOR_ID_TEXT_BYTES];

        if (verdict != DOOR__V1__VERDICT__VERDICT_UNSURE && cli_option(c, "--why") == NULL) {
                return why_missing(c);
        }
        out.review = id_data(id);
        out.verdict = verdict;
        out.reason = text_option(c, "--why");
        const int code = send(c, DOOR__V1__DEDUP_COMMAND__DEDUP_ANSWER_REVIEW, &out, &in);
        if (code != CLI_OK || in == NULL) {
                return code;
        }
        if (cli_flag(c, "--json")) {
                answer_json(in);
                return CLI_OK;
        }
        door_id_print(DOOR_ID_REVIEW, id, review);
        (void)printf("%s: %s", review, cli_word_verdict(verdict));
        if (verdict == DOOR__V1__VERDICT__VERDICT_SAME) {
                (void)printf(", %s from now on", family_of(in, family));
        } else {
                (void)printf(verdict == DOOR__V1__VERDICT__VERDICT_DIFFERENT
                                     ? "; it is remembered and not asked again"
                                     : "; it stays on the list");
        }
        (void)printf(".\n");
        if (verdict == DOOR__V1__VERDICT__VERDICT_SAME && in->has_family &&
            join_of_review(c, id, &in->family, family)) {
                (void)printf("Should that be wrong: frontdoor undo %s\n", family);
        }
        return CLI_OK;
}

int cli_review_about(cli *c)
{
        static const struct {
                const char *word;
                Door__V1__Verdict verdict;
        } answers[] = { { "same", DOOR__V1__VERDICT__VERDICT_SAME },
                        { "different", DOOR__V1__VERDICT__VERDICT_DIFFERENT },
                        { "unsure", DOOR__V1__VERDICT__VERDICT_UNSURE } };
        const char *what = cli_argument(c, 0, valued);
        door_id id;

        if (what == NULL || !id_take(c, 1, DOOR_ID_REVIEW, &id)) {
                return cli_usage(c,
                                 "list | show V-… [--names] [--json] | same|different|unsure V-… --why TEXT "
                                 "--as NAME --role ROLE [--json]");
        }
        if (strcmp(what, "show") == 0) {
                return review_show(c, &id);
        }
        for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
                if (strcmp(answers[i].word, what) == 0) {
                        return review_answer(c, &id, answers[i].verdict);
                }
        }
        return cli_act_complain(c, "list, show, same, different or unsure");
}

/* ---- join */

static int family_ask(cli *c, const door_id *id, Door__V1__FamilyStory **ret_family)
{
        Door__V1__AskThing ask = DOOR__V1__ASK_THING__INIT;
        door_error error = { 0 };

        ask.id = id_data(id);
        if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &ask, &door__v1__family_story__descriptor,
                         ret_family, &error) != DOOR_OK) {
                return cli_fail(c->argv[0], &error);
        }
        return (*ret_family)->has_family ? CLI_OK : none_such(c, DOOR_ID_FAMILY, id, "family");
}

static void preview_side(const char *what, const Door__V1__FamilyStory *f, uint64_t now_ms)
{
        char id[DOOR_ID_TEXT_BYTES];

        (void)printf("%s %s: %u %s, %u referral%s, %s\n", what, cli_id(DOOR_ID_FAMILY, f->family, id),
                     f->people, f->people == 1 ? "person" : "people", f->referrals,
                     f->referrals == 1 ? "" : "s", cli_join_open_count(f) == 0 ? "no open work" : "open:");
        for (size_t i = 0; i < f->n_episode; i++) {
                const Door__V1__EpisodeLine *e = f->episode[i];
                if (cli_join_is_open(e)) {
                        cli_print_episode(e, now_ms);
                        (void)printf("       held by %.40s\n", e->owner == NULL ? "front-door" : e->owner);
                }
        }
}

static void preview_print(const Door__V1__FamilyStory *from, const Door__V1__FamilyStory *to,
                          const Door__V1__EpisodeLine *goes_on)
{
        const uint64_t now_ms = cli_now_ms();
        const size_t open = cli_join_open_count(from) + cli_join_open_count(to);
        char id[DOOR_ID_TEXT_BYTES];

        preview_side("from", from, now_ms);
        preview_side("to  ", to, now_ms);
        if (open > 1) {
                (void)printf("goes on: %s, opened first; the other%s joined with it.\n",
                             cli_id(DOOR_ID_EPISODE, goes_on->episode, id), open > 2 ? "s are" : " is");
                (void)printf("It waits for a threshold decision about everything on it.\n");
        } else if (open == 1) {
                (void)printf("goes on: %s, as it is.\n", cli_id(DOOR_ID_EPISODE, goes_on->episode, id));
        } else {
                (void)printf("Only the two chronologies become one: no work is open.\n");
        }
        if (from->two_people || to->two_people) {
                (void)printf("A second person may be needed (--second NAME): domestic abuse, a restricted\n"
                             "family, a no-contact condition or the like is on record.\n");
        } else {
                (void)printf("A second person is not needed as far as the view knows.\n");
        }
        (void)printf("Nothing has been sent.\n");
}

static int join_preview(cli *c, const door_id *from_id, const door_id *to_id)
{
        Door__V1__FamilyStory *from = NULL;
        Door__V1__FamilyStory *to = NULL;
        char id[DOOR_ID_TEXT_BYTES];

        cli_interruptible();
        int code = family_ask(c, from_id, &from);
        code = code == CLI_OK ? family_ask(c, to_id, &to) : code;
        if (code != CLI_OK) {
                return code;
        }
        if (door_bytes_equal(door_proto_bytes(from->family), door_proto_bytes(to->family))) {
                (void)fprintf(stderr, "frontdoor: join: both ids lead to %s already\n",
                              cli_id(DOOR_ID_FAMILY, to->family, id));
                return CLI_FAILED;
        }
        const Door__V1__EpisodeLine *goes_on = cli_join_goes_on(from, to);
        if (!cli_flag(c, "--json")) {
                preview_print(from, to, goes_on);
                return CLI_OK;
        }
        (void)printf("{\"from\":");
        cli_view_json(&from->base);
        (void)printf(",\"to\":");
        cli_view_json(&to->base);
        if (goes_on != NULL) {
                (void)printf(",\"goes_on\":\"%s\"", cli_id(DOOR_ID_EPISODE, goes_on->episode, id));
        }
        (void)printf(",\"second_person_may_be_needed\":%s}\n",
                     from->two_people || to->two_people ? "true" : "false");
        return CLI_OK;
}

int cli_join(cli *c)
{
        Door__V1__JoinFamilies out = DOOR__V1__JOIN_FAMILIES__INIT;
        Door__V1__DedupAnswer *in = NULL;
        char from_text[DOOR_ID_TEXT_BYTES];
        char text[DOOR_ID_TEXT_BYTES];
        door_id from;
        door_id to;

        if (!id_take(c, 0, DOOR_ID_FAMILY, &from) || !id_take(c, 1, DOOR_ID_FAMILY, &to)) {
                return cli_usage(c,
                                 "F-FROM F-TO (--dry-run | --why TEXT [--second NAME] --as NAME --role ROLE) "
                                 "[--json]");
        }
        if (cli_flag(c, "--dry-run")) {
                return join_preview(c, &from, &to);
        }
        if (cli_option(c, "--why") == NULL) {
                return why_missing(c);
        }
        out.from = id_data(&from);
        out.to = id_data(&to);
        out.reason = text_option(c, "--why");
        out.second_person = text_option(c, "--second");
        const int code = send(c, DOOR__V1__DEDUP_COMMAND__DEDUP_JOIN_FAMILIES, &out, &in);
        if (code != CLI_OK || in == NULL) {
                return code;
        }
        if (cli_flag(c, "--json")) {
                answer_json(in);
                return CLI_OK;
        }
        door_id_print(DOOR_ID_FAMILY, &from, from_text);
        (void)printf("%s is joined with %s.\n", from_text, family_of(in, text));
        if (in->has_join) {
                (void)printf("Should that be wrong: frontdoor undo %s\n",
                             cli_id(DOOR_ID_JOIN, in->join, text));
        }
        return CLI_OK;
}

/* ---- undo */

/* What was joined, and every referral of the joined family, from the view. */
static int plan_read(cli *c, const door_id *id, Door__V1__JoinStory **ret_join, cli_undo_plan *plan)
{
        Door__V1__AskThing ask = DOOR__V1__ASK_THING__INIT;
        Door__V1__JoinStory *page = NULL;
        door_error error = { 0 };

        ask.id = id_data(id);
        for (size_t pages = 0; pages < PAGES_MAX && !cli_interrupted(); pages++) {
                if (cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_JOIN, &ask, &door__v1__join_story__descriptor,
                                 &page, &error) != DOOR_OK) {
                        return cli_fail(c->argv[0], &error);
                }
                *ret_join = page;
                if (!page->has_join) {
                        return none_such(c, DOOR_ID_JOIN, id, "join");
                }
                cli_undo_plan_add(plan, page);
                if (!page->has_next) {
                        return CLI_OK;
                }
                ask.has_after = 1;
                ask.after = page->next; /* In the arena until the last page. */
        }
        plan->truncated = true;
        return CLI_OK;
}

static void plan_print(const Door__V1__JoinStory *join, const cli_undo_plan *plan)
{
        const uint64_t now_ms = cli_now_ms();
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];
        char family[DOOR_ID_TEXT_BYTES];

        (void)printf("%s: joined %s\n", cli_id(DOOR_ID_JOIN, join->join, id),
                     cli_when(join->joined_ms, now_ms, when));
        for (size_t i = 0; i < plan->count; i++) {
                const cli_assigned *a = &plan->rows[i];
                door_id_print(DOOR_ID_REFERRAL, &a->referral, id);
                (void)printf("  %s  %s %s%s\n", id, a->to_from ? "back to" : "stays in",
                             cli_id(DOOR_ID_FAMILY, a->to_from ? join->from : join->to, family),
                             a->to_from && !a->stood_in_from ? " (as you say)" : "");
        }
        (void)printf("%zu back to %s, %zu stay in ", cli_undo_plan_going(plan),
                     cli_id(DOOR_ID_FAMILY, join->from, family), plan->count - cli_undo_plan_going(plan));
        (void)printf("%s.\nA later one that belongs to %s: --to-from R-…\nNothing has been sent.\n",
                     cli_id(DOOR_ID_FAMILY, join->to, id), family);
}

static void plan_json(const Door__V1__JoinStory *join, const cli_undo_plan *plan)
{
        char id[DOOR_ID_TEXT_BYTES];

        (void)printf("{\"join\":\"%s\"", cli_id(DOOR_ID_JOIN, join->join, id));
        (void)printf(",\"from\":\"%s\"", cli_id(DOOR_ID_FAMILY, join->from, id));
        (void)printf(",\"to\":\"%s\",\"assignment\":[", cli_id(DOOR_ID_FAMILY, join->to, id));
        for (size_t i = 0; i < plan->count; i++) {
                door_id_print(DOOR_ID_REFERRAL, &plan->rows[i].referral, id);
                (void)printf("%s{\"referral\":\"%s\"", i == 0 ? "" : ",", id);
                (void)printf(",\"family\":\"%s\",\"stood_in_from\":%s}",
                             cli_id(DOOR_ID_FAMILY, plan->rows[i].to_from ? join->from : join->to, id),
                             plan->rows[i].stood_in_from ? "true" : "false");
        }
        (void)printf("]}\n");
}

static int undo_send(cli *c, const door_id *id, const Door__V1__JoinStory *join, const cli_undo_plan *plan)
{
        Door__V1__UndoJoin out = DOOR__V1__UNDO_JOIN__INIT;
        Door__V1__Assignment *rows = door_arena_take_zeroed(&c->arena, plan->count + 1, sizeof *rows);
        Door__V1__DedupAnswer *in = NULL;
        char text[DOOR_ID_TEXT_BYTES];
        char family[DOOR_ID_TEXT_BYTES];

        out.assignment = door_arena_take_zeroed(&c->arena, plan->count + 1, sizeof(Door__V1__Assignment *));
        if (rows == NULL || out.assignment == NULL) {
                return cli_act_complain(c, "the join holds more than fits");
        }
        for (size_t i = 0; i < plan->count; i++) {
                door__v1__assignment__init(&rows[i]);
                rows[i].referral = id_data(&plan->rows[i].referral);
                rows[i].family = plan->rows[i].to_from ? join->from : join->to;
                out.assignment[out.n_assignment++] = &rows[i];
        }
        out.join = id_data(id);
        out.reason = text_option(c, "--why");
        const int code = send(c, DOOR__V1__DEDUP_COMMAND__DEDUP_UNDO_JOIN, &out, &in);
        if (code != CLI_OK || in == NULL) {
                return code;
        }
        if (cli_flag(c, "--json")) {
                answer_json(in);
                return CLI_OK;
        }
        door_id_print(DOOR_ID_JOIN, id, text);
        (void)printf("%s is undone: %zu with %s again,\n", text, cli_undo_plan_going(plan),
                     cli_id(DOOR_ID_FAMILY, join->from, family));
        (void)printf("%zu with %s.\n", plan->count - cli_undo_plan_going(plan),
                     cli_id(DOOR_ID_FAMILY, join->to, family));
        return CLI_OK;
}

static int undo_planned(cli *c, const door_id *id, cli_undo_plan *plan)
{
        Door__V1__JoinStory *join = NULL;
        const char *wrong = NULL;
        char text[DOOR_ID_TEXT_BYTES];

        const int code = plan_read(c, id, &join, plan);
        if (code != CLI_OK) {
                return code;
        }
        door_id_print(DOOR_ID_JOIN, id, text);
        if (join->has_undone_ms) {
                (void)fprintf(stderr, "frontdoor: undo: %s has been undone already\n", text);
                return CLI_FAILED;
        }
        if (plan->truncated) {
                (void)fprintf(stderr,
                              "frontdoor: undo: %s holds more referrals than one undoing can assign\n", text);
                return CLI_FAILED;
        }
        if (cli_option(c, "--to-from") != NULL &&
            !cli_undo_plan_name(plan, cli_option(c, "--to-from"), &wrong)) {
                (void)fprintf(stderr,
                              "frontdoor: undo: --to-from: %.*s is no referral of the joined family\n",
                              (int)strcspn(wrong, ","), wrong);
                return CLI_USAGE;
        }
        if (!cli_flag(c, "--dry-run")) {
                return undo_send(c, id, join, plan);
        }
        (cli_flag(c, "--json") ? plan_json : plan_print)(join, plan);
        return CLI_OK;
}

int cli_undo(cli *c)
{
        door_id id;

        if (!id_take(c, 0, DOOR_ID_JOIN, &id)) {
                return cli_usage(c, "J-… (--dry-run | --why TEXT --as NAME --role ROLE) [--to-from R-…,R-…] "
                                    "[--json]");
        }
        if (!cli_flag(c, "--dry-run")) {
                char actor[DOOR_NAME_BYTES_MAX];
                if (cli_option(c, "--why") == NULL) {
                        return why_missing(c);
                }
                if (cli_act_actor(c, actor) != CLI_OK) {
                        return CLI_USAGE; /* Said before anything is asked. */
                }
        }
        cli_undo_plan *plan = calloc(1, sizeof *plan);
        if (plan == NULL) {
                return CLI_FAILED;
        }
        cli_interruptible();
        const int code = undo_planned(c, &id, plan);
        free(plan);
        return code;
}

/* ---- move */

int cli_move(cli *c)
{
        Door__V1__MoveReferral out = DOOR__V1__MOVE_REFERRAL__INIT;
        Door__V1__DedupAnswer *in = NULL;
        const char *where = cli_argument(c, 2, valued);
        const bool is_new = where != NULL && strcmp(where, "new") == 0;
        char text[DOOR_ID_TEXT_BYTES];
        char family[DOOR_ID_TEXT_BYTES];
        door_id referral;
        door_id from;
        door_id to = { { 0 } };

        if (!id_take(c, 0, DOOR_ID_REFERRAL, &referral) || !id_take(c, 1, DOOR_ID_FAMILY, &from) ||
            (!is_new && !id_take(c, 2, DOOR_ID_FAMILY, &to))) {
                return cli_usage(c, "R-… F-FROM F-TO|new --why TEXT [--second NAME] --as NAME --role ROLE "
                                    "[--json]");
        }
        if (cli_option(c, "--why") == NULL) {
                return why_missing(c);
        }
        out.referral = id_data(&referral);
        out.from = id_data(&from);
        out.has_to = !is_new;
        out.to = id_data(&to);
        out.reason = text_option(c, "--why");
        out.second_person = text_option(c, "--second");
        const int code = send(c, DOOR__V1__DEDUP_COMMAND__DEDUP_MOVE_REFERRAL, &out, &in);
        if (code != CLI_OK || in == NULL) {
                return code;
        }
        if (cli_flag(c, "--json")) {
                answer_json(in);
                return CLI_OK;
        }
        door_id_print(DOOR_ID_REFERRAL, &referral, text);
        (void)printf("%s is with %s now%s.\n", text, family_of(in, family),
                     is_new ? ", a family of its own" : "");
        return CLI_OK;
}
