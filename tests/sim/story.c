#include "sim/story.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "cli/referral_json.h"
#include "door/calendar.h"
#include "door/v1/intake.pb-c.h"
#include "door/v1/policy.pb-c.h"
#include "intake/intake_codec.h"
#include "shell/frame.h"
#include "sim/story_world.h"

enum {
        PATH_BYTES_MAX = 512,
        STORY_PEOPLE_MAX = 1000,
};

/* ---- the script ---- */

static void command_send(story *s, const char *peer, uint32_t type, Door__V1__Lane lane, const door_hash *id,
                         door_bytes body)
{
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        Door__V1__Frame frame = DOOR__V1__FRAME__INIT;
        door_hash drawn;

        if (id == NULL) {
                sim_rng_fill(&s->rng, drawn.bytes, sizeof drawn.bytes);
                id = &drawn;
        }
        command.command_id = door_proto_data(door_hash_bytes(id));
        command.actor = (char *)(uintptr_t)peer;
        command.type = type;
        command.has_lane = 1;
        command.lane = lane;
        command.body = door_proto_data(body);
        frame.command = &command;
        story_command(s, peer, door_frame_pack(&frame.base, &s->arena));
}

static void policy_send(story *s)
{
        static const char *const names[] = { "police",  "school",         "hospital",        "gp",
                                             "housing", "health_visitor", "member_of_public" };
        char *peers[] = { (char *)(uintptr_t) "police", (char *)(uintptr_t) "school",
                          (char *)(uintptr_t) "importer" };
        char *readers[] = { (char *)(uintptr_t) "operator" };
        Door__V1__Agency agencies[7];
        Door__V1__Agency *all[7];
        Door__V1__IntakePolicy section = DOOR__V1__INTAKE_POLICY__INIT;
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;

        char *without_school[] = { peers[0], peers[2] };
        for (size_t i = 0; i < 7; i++) {
                const bool school = strcmp(names[i], "school") == 0;
                door__v1__agency__init(&agencies[i]);
                agencies[i].id = agencies[i].name = (char *)(uintptr_t)names[i];
                agencies[i].kind = DOOR__V1__AGENCY_KIND__AGENCY_POLICE;
                /* The school speaks for itself only; the police and the importer for everybody. */
                agencies[i].peer = school ? peers : without_school;
                agencies[i].n_peer = school ? 3 : 2;
                all[i] = &agencies[i];
        }
        section.agency = all;
        section.n_agency = 7;
        section.reader = readers;
        section.n_reader = 1;
        const door_bytes content = door_frame_pack(&section.base, &s->arena);
        const door_hash digest = door_hash_of_one(content);
        policy.version = (char *)(uintptr_t) "story-1";
        policy.digest = door_proto_data(door_hash_bytes(&digest));
        policy.content = door_proto_data(content);
        command_send(s, "operator", DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY, DOOR__V1__LANE__NORMAL,
                     NULL, door_frame_pack(&policy.base, &s->arena));
}

static bool json_read(story *s, const char *json, referral_json *ret_line)
{
        door_error error = { 0 };

        if (referral_json_read(door_bytes_of(json), 1, &s->arena, ret_line, &error) == DOOR_OK) {
                return true;
        }
        (void)fprintf(s->out, "the script cannot be read: %s\n", error.text);
        s->failed = true;
        return false;
}

static void submit(story *s, const char *peer, const char *key, const char *json, bool historic)
{
        Door__V1__Submit out = DOOR__V1__SUBMIT__INIT;
        Door__V1__Origin origin = DOOR__V1__ORIGIN__INIT;
        referral_json line;

        if (!json_read(s, json, &line)) {
                return;
        }
        if (historic) {
                origin.has_historic_received_at_ms = 1;
                origin.historic_received_at_ms = line.received_at_ms;
        }
        origin.has_channel = 1;
        origin.channel = DOOR__V1__CHANNEL__CHANNEL_API;
        out.referral = line.referral;
        out.idempotency_key = key == NULL ? line.key : (char *)(uintptr_t)key;
        out.origin = &origin;
        const door_hash id =
                intake_command_id(door_bytes_of(line.referral->agency), door_bytes_of(out.idempotency_key));
        command_send(s, peer, INTAKE_SUBMIT, DOOR__V1__LANE__NORMAL, &id,
                     door_frame_pack(&out.base, &s->arena));
}

/* Copies text; @n becomes the number, @y, @m and @d a date that few numbers share. */
static char *text_numbered(const char *text, unsigned long n, char *out)
{
        for (; *text != '\0'; text++) {
                if (text[0] == '@' && text[1] != '\0') {
                        const char what = *++text;
                        out += what == 'y'   ? sprintf(out, "%lu", 2005 + n % 15)
                               : what == 'm' ? sprintf(out, "%02lu", 1 + n % 12)
                               : what == 'd' ? sprintf(out, "%02lu", 1 + n * 7 % 28)
                                             : sprintf(out, "%lu", n);
                } else {
                        *out++ = *text;
                }
        }
        *out = '\0';
        return out;
}

/* The count in front of rest; what follows it in *ret_text. */
static unsigned long count_read(char *rest, char **ret_text)
{
        const unsigned long count = strtoul(rest, ret_text, 10);

        DOOR_REQUIRE(count > 0 && count <= STORY_PEOPLE_MAX);
        return count;
}

/* One referral that names many people, all by one pattern. */
static void gathering(story *s, const char *peer, const char *key, char *rest)
{
        char *person = NULL;
        const unsigned long count = count_read(rest, &person);
        char *json = malloc(64 + count * (strlen(person) + 64));

        DOOR_REQUIRE(json != NULL);
        char *at = json + sprintf(json, "{\"agency\":\"police\",\"people\":[");
        for (unsigned long i = 0; i < count; i++) {
                at = text_numbered(person, i, at);
                *at++ = ',';
        }
        (void)sprintf(at - 1, "]}");
        s->brief = true;
        submit(s, peer, key, json, false);
        s->brief = false;
        free(json);
}

/* Many referrals, all by one pattern. */
static void series(story *s, const char *peer, const char *key, char *rest)
{
        char *pattern = NULL;
        const unsigned long count = count_read(rest, &pattern);
        char *json = malloc(strlen(pattern) * 2 + 64);

        DOOR_REQUIRE(json != NULL);
        s->brief = true;
        for (unsigned long i = 0; i < count; i++) {
                char numbered[NAME_BYTES_MAX];
                (void)snprintf(numbered, sizeof numbered, "%s-%lu", key, i);
                (void)text_numbered(pattern, i, json);
                door_arena_reset(&s->arena);
                s->now_ms += 1000;
                submit(s, peer, numbered, json, false);
        }
        s->brief = false;
        free(json);
}

static ProtobufCBinaryData id_named(story *s, const char *text)
{
        const unsigned long n = text[0] == '#' ? strtoul(text + 1, NULL, 10) : 0;
        static uint8_t nobody[DOOR_ID_BYTES] = { 9 };

        return n >= 1 && n <= s->ids.count ? (ProtobufCBinaryData){ DOOR_ID_BYTES, s->ids.items[n - 1].bytes }
                                           : (ProtobufCBinaryData){ DOOR_ID_BYTES, nobody };
}

static void withdraw(story *s, const char *peer, const char *id, const char *reason)
{
        Door__V1__Withdraw out = DOOR__V1__WITHDRAW__INIT;

        out.referral = id_named(s, id);
        out.reason = (char *)(uintptr_t)reason;
        command_send(s, peer, INTAKE_WITHDRAW, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void amend(story *s, const char *peer, const char *id, const char *json)
{
        Door__V1__Amend out = DOOR__V1__AMEND__INIT;
        referral_json line;

        if (!json_read(s, json, &line)) {
                return;
        }
        out.referral = id_named(s, id);
        out.amended = line.referral;
        out.reason = (char *)(uintptr_t) "more is known";
        command_send(s, peer, INTAKE_AMEND, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void fetch(story *s, const char *peer, const char *id, const char *rest)
{
        Door__V1__Fetch out = DOOR__V1__FETCH__INIT;
        unsigned part = 0;
        unsigned number = 0;
        unsigned purpose = 0;

        if (sscanf(rest, "%u %u %u", &part, &number, &purpose) != 3) {
                s->failed = true;
                return;
        }
        out.referral = id_named(s, id);
        out.has_part = out.has_number = 1;
        out.part = (Door__V1__ContentPart)part;
        out.number = number;
        out.purpose = (Door__V1__Purpose)purpose;
        command_send(s, peer, INTAKE_FETCH, DOOR__V1__LANE__NORMAL, NULL,
                     door_frame_pack(&out.base, &s->arena));
}

static void lines(story *s, const char *file, const char *rest)
{
        char path[PATH_BYTES_MAX];
        unsigned from = 0;
        unsigned count = 0;
        char *line = NULL;
        size_t cap = 0;

        (void)snprintf(path, sizeof path, "%s/%s", SIM_DATA, file);
        FILE *in = sscanf(rest, "%u %u", &from, &count) == 2 ? fopen(path, "r") : NULL;
        s->failed |= in == NULL;
        s->brief = true;
        for (unsigned n = 1; in != NULL && n < from + count && getline(&line, &cap, in) > 0; n++) {
                if (n >= from) {
                        door_arena_reset(&s->arena);
                        s->now_ms += 1000;
                        submit(s, "importer", NULL, line, true);
                }
        }
        s->brief = false;
        free(line);
        if (in != NULL) {
                (void)fclose(in);
        }
}

/* One line of the script: a verb, two words, and the rest. */
static void line_play(story *s, char *line)
{
        char *rest = NULL;
        const char *verb = strtok_r(line, " \n", &rest);
        const char *one = verb == NULL ? NULL : strtok_r(NULL, " \n", &rest);

        if (verb == NULL || verb[0] == '#') {
                return;
        }
        if (one != NULL && strcmp(verb, "at") == 0) {
                s->failed |= !door_instant_parse(door_bytes_of(one), &s->now_ms);
                return;
        }
        const char *two = one == NULL ? NULL : strtok_r(NULL, " \n", &rest);
        if (strcmp(verb, "lines") == 0 && two != NULL) {
                char span[64];
                (void)snprintf(span, sizeof span, "%s %s", two, rest);
                lines(s, one, span);
                return;
        }
        rest[strcspn(rest, "\n")] = '\0';
        s->now_ms += 1000;
        if (two == NULL) {
                s->failed = true;
        } else if (strcmp(verb, "submit") == 0 || strcmp(verb, "history") == 0) {
                submit(s, one, two, rest, verb[0] == 'h');
        } else if (strcmp(verb, "gathering") == 0) {
                gathering(s, one, two, rest);
        } else if (strcmp(verb, "series") == 0) {
                series(s, one, two, rest);
        } else if (strcmp(verb, "withdraw") == 0) {
                withdraw(s, one, two, rest);
        } else if (strcmp(verb, "amend") == 0) {
                amend(s, one, two, rest);
        } else if (strcmp(verb, "fetch") == 0) {
                fetch(s, one, two, rest);
        } else {
                s->failed = true;
        }
}

bool story_tell(const char *name, FILE *out)
{
        char path[PATH_BYTES_MAX];
        char *line = NULL;
        size_t cap = 0;

        (void)snprintf(path, sizeof path, "%s/%s.story", SIM_STORIES, name);
        FILE *in = fopen(path, "r");
        if (in == NULL) {
                return false;
        }
        story *s = story_open(out);
        policy_send(s);
        while (!s->failed && getline(&line, &cap, in) > 0) {
                door_arena_reset(&s->arena);
                (void)fprintf(out, "%s", line);
                line_play(s, line);
        }
        if (!s->failed) {
                story_states_tell(s);
        }
        const bool well = !s->failed;
        free(line);
        (void)fclose(in);
        s = story_close(s);
        return well;
}

/* ---- telling it again ---- */

/* The number of the first line that differs, from 1; 0 when all are the same. */
static size_t first_difference(FILE *a, FILE *b, char **ret_line)
{
        char *ours = NULL;
        char *theirs = NULL;
        size_t ours_cap = 0;
        size_t theirs_cap = 0;
        size_t number = 0;
        bool same = true;

        while (same) {
                const ssize_t got_ours = getline(&ours, &ours_cap, a);
                const ssize_t got_theirs = getline(&theirs, &theirs_cap, b);
                number++;
                if (got_ours < 0 && got_theirs < 0) {
                        number = 0;
                        break;
                }
                same = got_ours >= 0 && got_theirs >= 0 && strcmp(ours, theirs) == 0;
        }
        free(theirs);
        *ret_line = ours;
        return number;
}

static bool story_check(const char *name)
{
        char path[PATH_BYTES_MAX];
        FILE *now = tmpfile();
        char *line = NULL;
        bool same = false;

        DOOR_REQUIRE(now != NULL);
        (void)snprintf(path, sizeof path, "%s/%s.told", SIM_STORIES, name);
        FILE *told = fopen(path, "r");
        const bool well = story_tell(name, now);
        rewind(now);
        if (told != NULL) {
                const size_t at = first_difference(now, told, &line);
                same = at == 0 && well;
                if (!same) {
                        (void)printf("FAILED story %s: line %zu is told differently:\n%.400s\n", name, at,
                                     line == NULL ? "" : line);
                }
                (void)fclose(told);
        } else {
                (void)printf("FAILED story %s: nothing was told before; see tests/sim/story.h\n", name);
        }
        free(line);
        (void)fclose(now);
        return same;
}

static int is_story(const struct dirent *entry)
{
        const char *dot = strrchr(entry->d_name, '.');
        return dot != NULL && strcmp(dot, ".story") == 0;
}

int stories_check(void)
{
        struct dirent **entries = NULL;
        const int count = scandir(SIM_STORIES, &entries, is_story, alphasort);
        int failed = count < 1 ? 1 : 0;

        for (int i = 0; i < count; i++) {
                *strrchr(entries[i]->d_name, '.') = '\0';
                failed += story_check(entries[i]->d_name) ? 0 : 1;
                free(entries[i]);
        }
        free(entries);
        (void)printf("stories: %d, told differently: %d\n", count, failed);
        (void)fflush(stdout);
        return failed;
}
