/*
 * cli_view_show.c - frontdoor show R-…|F-…|E-… [--names] [--purpose WORD] [--json]
 *
 * The story of one thing in plain words: when it was received, which family and why, what it was added
 * to, who has it, who was told. No name of a person is in the view. --names fetches them from intake
 * (of a family or episode: from its latest or first referral), and intake records who looked and why.
 * Exit code 1: there is no such thing, or no answer.
 */
#include <string.h>

#include <sodium.h>

#include "cli/cli_view.h"
#include "door/v1/intake.pb-c.h"
#include "shell/proto_arena.h"

enum { PATIENCE_MS = 10000, BITS = 1024 };

static const char *const valued[] = { "--purpose", NULL };

/* ---- names, from intake */

static bool purpose_of(const char *word, Door__V1__Purpose *ret_purpose)
{
        static const struct {
                const char *word;
                Door__V1__Purpose purpose;
        } words[] = { { "screening", DOOR__V1__PURPOSE__PURPOSE_SCREENING },
                      { "response", DOOR__V1__PURPOSE__PURPOSE_RESPONSE },
                      { "match-review", DOOR__V1__PURPOSE__PURPOSE_MATCH_REVIEW },
                      { "case-work", DOOR__V1__PURPOSE__PURPOSE_CASE_WORK },
                      { "subject-access", DOOR__V1__PURPOSE__PURPOSE_SUBJECT_ACCESS },
                      { "quality", DOOR__V1__PURPOSE__PURPOSE_QUALITY_OR_INSPECTION } };

        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
                if (strcmp(words[i].word, word) == 0) {
                        *ret_purpose = words[i].purpose;
                        return true;
                }
        }
        return false;
}

static void people_print(const Door__V1__Referral *referral)
{
        for (size_t i = 0; i < referral->n_people; i++) {
                const Door__V1__Person *p = referral->people[i];
                (void)printf("  %-24s %.40s %.40s",
                             cli_word_role(p->has_role ? p->role : DOOR__V1__ROLE__ROLE_NOT_GIVEN),
                             p->given_name == NULL ? "?" : p->given_name,
                             p->surname == NULL ? "?" : p->surname);
                if (p->dob != NULL && p->dob->text != NULL) {
                        (void)printf(", born %.20s", p->dob->text);
                }
                (void)printf("\n");
        }
}

int cli_names_show(cli *c, ProtobufCBinaryData referral, const char *word)
{
        Door__V1__Purpose purpose = DOOR__V1__PURPOSE__PURPOSE_NONE;
        Door__V1__Fetch fetch = DOOR__V1__FETCH__INIT;
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Fetched *fetched = NULL;
        Door__V1__Referral *content = NULL;
        door_client *client = NULL;
        door_error error = { 0 };
        uint8_t id[DOOR_HASH_BYTES];
        char text[DOOR_ID_TEXT_BYTES];
        door_bytes body;
        cli_answer answer;

        if (!purpose_of(word, &purpose)) {
                return CLI_USAGE;
        }
        randombytes_buf(id, sizeof id);
        fetch.referral = referral;
        fetch.purpose = purpose;
        if (door_proto_pack(&fetch, &c->arena, &body) != DOOR_OK) {
                return CLI_FAILED;
        }
        command.command_id = (ProtobufCBinaryData){ sizeof id, id };
        command.actor = (char *)(uintptr_t) "operator";
        command.type = DOOR__V1__INTAKE_COMMAND__INTAKE_FETCH;
        command.body = door_proto_data(body);
        if (cli_client(c, "intake", false, &client, &error) != DOOR_OK) {
                return cli_fail(c->argv[0], &error);
        }
        const door_status asked = cli_ask(c, client, &command, PATIENCE_MS, &answer, &error);
        (void)door_client_free(client);
        if (asked != DOOR_OK) {
                return cli_fail(c->argv[0], &error);
        }
        if (answer.outcome != DOOR__V1__OUTCOME__DONE ||
            door_proto_read(&door__v1__fetched__descriptor, answer.body, &c->arena, &fetched) != DOOR_OK ||
            door_proto_read(&door__v1__referral__descriptor, door_proto_bytes(fetched->referral), &c->arena,
                            &content) != DOOR_OK) {
                (void)fprintf(stderr, "frontdoor: %s: intake shows no content: %s\n", c->argv[0],
                              answer.detail == NULL ? "it may not be shown" : answer.detail);
                return CLI_FAILED;
        }
        (void)printf("people named in %s\n  your look is recorded at intake, purpose %s\n",
                     cli_id(DOOR_ID_REFERRAL, referral, text), word);
        people_print(content);
        return CLI_OK;
}

/* ---- one referral */

static void told_print(Door__V1__DeliveryRow *const *told, size_t count, uint64_t now_ms)
{
        if (count > 0) {
                (void)printf("  told\n");
        }
        for (size_t i = 0; i < count; i++) {
                cli_print_delivery(told[i], now_ms, 4);
        }
}

static void matched_print(const Door__V1__ReferralWay *w, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];
        const char *how = w->decision == DOOR__V1__DECISION__DECISION_NEW ? "not known before"
                          : w->decision == DOOR__V1__DECISION__DECISION_LINK
                                  ? "known"
                                  : "a family of its own until a person has decided";

        (void)printf("  matched   %s\n            family %s (%s)\n", cli_when(w->matched_ms, now_ms, when),
                     cli_id(DOOR_ID_FAMILY, w->family, id), how);
        for (size_t i = 0; i < w->n_candidate; i++) {
                (void)printf("            may be %s (%d.%d bits)\n",
                             cli_id(DOOR_ID_FAMILY, w->candidate[i]->family, id),
                             w->candidate[i]->score / BITS, (w->candidate[i]->score % BITS) * 10 / BITS);
        }
}

static void placed_print(const Door__V1__ReferralWay *w, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];

        if (!w->has_episode) {
                (void)printf("  kept      %s on the family's chronology\n",
                             cli_when(w->placed_ms, now_ms, when));
                return;
        }
        (void)printf("  %s %s\n", w->opened ? "opened   " : "added    ",
                     cli_when(w->placed_ms, now_ms, when));
        (void)printf("            %s%s%s%s\n", w->opened ? "new work " : "to open work ",
                     cli_id(DOOR_ID_EPISODE, w->episode, id), w->opened ? "" : ", ",
                     w->opened ? "" : cli_word_way(w->way));
        cli_print_why(w->why, w->n_why, 12);
        if (w->response_awaited) {
                (void)printf("            the worker's response is due by %s%s\n",
                             cli_when(w->respond_by_ms, now_ms, when),
                             w->respond_by_ms < now_ms ? " LATE" : "");
        }
        if (w->has_answered_ms) {
                (void)printf("  answered  %s by %.40s\n", cli_when(w->answered_ms, now_ms, when),
                             w->answered_by == NULL ? "?" : w->answered_by);
        }
}

static void counted_print(uint32_t count, const char *what)
{
        if (count > 0) {
                (void)printf("  %s %u time%s\n", what, count, count == 1 ? "" : "s");
        }
}

static int referral_show(cli *c, const door_id *id, const Door__V1__ReferralWay *w, bool json)
{
        const uint64_t now_ms = cli_now_ms();
        char text[DOOR_ID_TEXT_BYTES];
        char when[CLI_WHEN_BYTES];

        (void)c;
        if (!w->has_referral) {
                door_id_print(DOOR_ID_REFERRAL, id, text);
                (void)fprintf(stderr, "frontdoor: show: there is no referral %s\n", text);
                return CLI_FAILED;
        }
        if (json) {
                cli_view_json(&w->base);
                (void)printf("\n");
                return CLI_OK;
        }
        (void)printf("%s  %s\n", cli_id(DOOR_ID_REFERRAL, w->referral, text),
                     cli_word_disposition(w->disposition));
        (void)printf("  received  %s from %.40s, %s%s\n", cli_when(w->received_at_ms, now_ms, when),
                     w->agency == NULL ? "?" : w->agency, cli_word_grade(w->grade),
                     w->historic ? ", imported history" : "");
        if (w->has_probable_resend_of) {
                (void)printf("            possibly the same notice as %s\n",
                             cli_id(DOOR_ID_REFERRAL, w->probable_resend_of, text));
        }
        if (w->has_matched_ms) {
                matched_print(w, now_ms);
        }
        if (w->has_placed_ms) {
                placed_print(w, now_ms);
        }
        counted_print(w->withdrawals_asked, "the sender has asked to withdraw it");
        counted_print(w->amendments, "amended");
        counted_print(w->attempts_refused, "its key was used with other content");
        counted_print(w->disclosed, "its content has been shown");
        if (w->work != NULL) {
                (void)printf("  the work now\n");
                cli_print_episode(w->work, now_ms);
        }
        told_print(w->told, w->n_told, now_ms);
        return CLI_OK;
}

/* ---- one episode */

static void line_print(const Door__V1__StoryLine *l, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];

        (void)printf("  %-17s %s%s%.40s\n", cli_when(l->at_ms, now_ms, when), cli_word_story(l->what),
                     l->who == NULL ? "" : " ", l->who == NULL ? "" : l->who);
        if (l->what == DOOR__V1__STORY_WHAT__STORY_DECIDED) {
                (void)printf("  %-17s level %u, %s\n", "", l->a,
                             cli_word_next_step((Door__V1__NextStep)l->b));
        } else if (l->what == DOOR__V1__STORY_WHAT__STORY_LOOK_LISTED) {
                (void)printf("  %-17s %s\n", "", cli_word_why((Door__V1__RepeatReason)l->a));
        } else if (l->what == DOOR__V1__STORY_WHAT__STORY_ACCEPTED && l->lead_practitioner != NULL) {
                (void)printf("  %-17s lead practitioner %.40s\n", "", l->lead_practitioner);
        }
        if (l->has_other_episode) {
                (void)printf("  %-17s %s%s\n", "",
                             l->what == DOOR__V1__STORY_WHAT__STORY_OPENED ||
                                             l->what == DOOR__V1__STORY_WHAT__STORY_ATTACHED
                                     ? "moved by a person from "
                                     : "",
                             cli_id(DOOR_ID_EPISODE, l->other_episode, id));
        }
        if (l->has_referral) {
                (void)printf("  %-17s %s%s%s\n", "", cli_id(DOOR_ID_REFERRAL, l->referral, id),
                             l->has_way ? ", " : "", l->has_way ? cli_word_way(l->way) : "");
        }
}

static int episode_show(cli *c, const door_id *id, const Door__V1__EpisodeStory *s, bool json)
{
        const uint64_t now_ms = cli_now_ms();
        char text[DOOR_ID_TEXT_BYTES];

        (void)c;
        if (s->episode == NULL) {
                door_id_print(DOOR_ID_EPISODE, id, text);
                (void)fprintf(stderr, "frontdoor: show: there is no work %s\n", text);
                return CLI_FAILED;
        }
        if (json) {
                cli_view_json(&s->base);
                (void)printf("\n");
                return CLI_OK;
        }
        cli_print_episode(s->episode, now_ms);
        (void)printf("       version %u (name it with --version when you decide)\n", s->episode->version);
        if (s->episode->has_folded_into) {
                (void)printf("       joined with %s: it goes on there\n",
                             cli_id(DOOR_ID_EPISODE, s->episode->folded_into, text));
        }
        for (size_t i = 0; i < s->n_line; i++) {
                line_print(s->line[i], now_ms);
        }
        if (s->has_next) {
                (void)printf("  … and more: --json gives the place to go on from\n");
        }
        told_print(s->told, s->n_told, now_ms);
        return CLI_OK;
}

/* ---- one family */

static const char *related_word(Door__V1__RelatedHow how)
{
        static const char *const words[] = { "related", "related, a person said so",
                                             "an adult is known in both",
                                             "an adult known there may harm children",
                                             "may be the same family" };
        return (size_t)how < sizeof words / sizeof words[0] ? words[how] : words[0];
}

static void family_line_print(const Door__V1__FamilyLine *l, uint64_t now_ms)
{
        char when[CLI_WHEN_BYTES];
        char id[DOOR_ID_TEXT_BYTES];

        (void)printf("  %-17s %s\n", cli_when(l->at_ms, now_ms, when), cli_word_family(l->what));
        if (l->has_other_family) {
                (void)printf("  %-17s %s", "", cli_id(DOOR_ID_FAMILY, l->other_family, id));
                (void)printf("%s%s\n", l->has_verdict ? ": " : "",
                             l->has_verdict ? cli_word_verdict(l->verdict) : "");
        }
        if (l->has_referral) {
                (void)printf("  %-17s %s\n", "", cli_id(DOOR_ID_REFERRAL, l->referral, id));
        }
        if (l->has_join) {
                (void)printf("  %-17s %s\n", "", cli_id(DOOR_ID_JOIN, l->join, id));
        }
}

static int family_show(cli *c, const door_id *id, const Door__V1__FamilyStory *f, bool json)
{
        const uint64_t now_ms = cli_now_ms();
        char asked[DOOR_ID_TEXT_BYTES];
        char text[DOOR_ID_TEXT_BYTES];

        (void)c;
        door_id_print(DOOR_ID_FAMILY, id, asked);
        if (!f->has_family) {
                (void)fprintf(stderr, "frontdoor: show: there is no family %s\n", asked);
                return CLI_FAILED;
        }
        if (json) {
                cli_view_json(&f->base);
                (void)printf("\n");
                return CLI_OK;
        }
        (void)cli_id(DOOR_ID_FAMILY, f->family, text);
        if (strcmp(asked, text) != 0) {
                (void)printf("%s has been joined with %s:\n", asked, text);
        }
        (void)printf("family %s%s\n", text, f->restricted ? "  RESTRICTED: need to know only" : "");
        (void)printf("  %u referral%s, %u %s\n", f->referrals, f->referrals == 1 ? "" : "s", f->people,
                     f->people == 1 ? "person" : "people");
        for (size_t i = 0; i < f->n_former_id; i++) {
                (void)printf("  was also  %s\n", cli_id(DOOR_ID_FAMILY, f->former_id[i], text));
        }
        for (size_t i = 0; i < f->n_related; i++) {
                (void)printf("  related   %s (%s)\n", cli_id(DOOR_ID_FAMILY, f->related[i]->family, text),
                             related_word(f->related[i]->how));
        }
        cli_print_people(f, 2);
        for (size_t i = 0; i < f->n_episode; i++) {
                cli_print_episode(f->episode[i], now_ms);
        }
        if (f->n_line > 0) {
                (void)printf("what people did\n");
        }
        for (size_t i = 0; i < f->n_line; i++) {
                family_line_print(f->line[i], now_ms);
        }
        (void)printf("chronology, by when it was sent\n");
        cli_print_chronology(f, now_ms);
        return CLI_OK;
}

/* The referral whose content names the people of an episode (its first) or a family (its latest). */
static bool referral_of_episode(const Door__V1__EpisodeStory *s, ProtobufCBinaryData *ret_referral)
{
        for (size_t i = 0; i < s->n_line; i++) {
                if (s->line[i]->has_referral) {
                        *ret_referral = s->line[i]->referral;
                        return true;
                }
        }
        return false;
}

int cli_show(cli *c)
{
        Door__V1__AskThing ask = DOOR__V1__ASK_THING__INIT;
        Door__V1__ReferralWay *way = NULL;
        Door__V1__EpisodeStory *episode = NULL;
        Door__V1__FamilyStory *family = NULL;
        const char *text = cli_argument(c, 0, valued);
        const char *purpose_word =
                cli_option(c, "--purpose") == NULL ? "screening" : cli_option(c, "--purpose");
        const bool json = cli_flag(c, "--json");
        Door__V1__Purpose purpose = DOOR__V1__PURPOSE__PURPOSE_NONE;
        ProtobufCBinaryData names_of = { 0, NULL };
        door_id_kind kind = (door_id_kind)0;
        door_id id;
        door_error error = { 0 };
        int code = CLI_OK;

        if (text == NULL || door_id_parse(door_bytes_of(text), &kind, &id) != DOOR_OK ||
            (kind != DOOR_ID_REFERRAL && kind != DOOR_ID_EPISODE && kind != DOOR_ID_FAMILY) ||
            !purpose_of(purpose_word, &purpose) || (json && cli_flag(c, "--names"))) {
                return cli_usage(c,
                                 "R-…|F-…|E-… [--json | --names [--purpose screening|response|match-review|"
                                 "case-work|subject-access|quality]]");
        }
        cli_interruptible();
        ask.id = door_proto_data(door_id_bytes(&id));
        const door_status status =
                kind == DOOR_ID_REFERRAL ? cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_REFERRAL, &ask,
                                                        &door__v1__referral_way__descriptor, &way, &error)
                : kind == DOOR_ID_EPISODE
                        ? cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_EPISODE, &ask,
                                       &door__v1__episode_story__descriptor, &episode, &error)
                        : cli_view_ask(c, DOOR__V1__VIEW_QUERY__VIEW_FAMILY, &ask,
                                       &door__v1__family_story__descriptor, &family, &error);
        if (status != DOOR_OK) {
                return cli_fail("show", &error);
        }
        if (way != NULL) {
                code = referral_show(c, &id, way, json);
                names_of = ask.id;
        } else if (episode != NULL) {
                code = episode_show(c, &id, episode, json);
                (void)referral_of_episode(episode, &names_of);
        } else {
                code = family_show(c, &id, family, json);
                if (family->n_row > 0) {
                        names_of = family->row[family->n_row - 1]->referral;
                }
        }
        if (code == CLI_OK && cli_flag(c, "--names") && names_of.len > 0) {
                code = cli_names_show(c, names_of, purpose_word);
        }
        return code;
}
