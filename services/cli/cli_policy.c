/*
 * cli_policy.c - frontdoor policy check|apply|status DIR
 *
 * The YAML is read and checked here, once; each service is sent the section it uses and logs it.
 * A folder with one mistake changes nothing. The version is the digest of the section, and a
 * service that says this version is active is not sent it again: the same folder twice leaves one
 * record, and going back to an earlier one leaves another. Who is asked downstream is told before
 * intake, which lets nothing in until it has a policy.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"
#include "cli/policy_folder.h"

enum { VERSION_BYTES = 24, PATIENCE_MS = 20000 };

static void version_print(door_bytes content, char version[VERSION_BYTES])
{
        const door_hash digest = door_hash_of_one(content);

        (void)snprintf(version, VERSION_BYTES, "%02x%02x%02x%02x%02x%02x", digest.bytes[0], digest.bytes[1],
                       digest.bytes[2], digest.bytes[3], digest.bytes[4], digest.bytes[5]);
}

/* A service that has just been started may still be looking at its log: asked until patience ends. */
static door_status standing_ask(cli *c, const char *service, const Door__V1__Status **ret_standing,
                                door_error *error)
{
        const uint64_t until_ms = cli_mono_ms() + PATIENCE_MS;
        door_status status = DOOR_OK;

        do {
                status = cli_status_ask(c, service, ret_standing, error);
        } while (status == DOOR_TIMED_OUT && cli_mono_ms() < until_ms && !cli_interrupted());
        return status;
}

static int section_send(cli *c, const char *service, door_bytes content)
{
        Door__V1__PolicyActivated policy = DOOR__V1__POLICY_ACTIVATED__INIT;
        Door__V1__Command command = DOOR__V1__COMMAND__INIT;
        const door_hash digest = door_hash_of_one(content);
        char version[VERSION_BYTES];
        cli_answer answer;
        door_client *client = NULL;
        door_error error = { 0 };

        version_print(content, version);
        policy.version = version;
        policy.digest = door_proto_data(door_hash_bytes(&digest));
        policy.content = door_proto_data(content);
        const door_bytes body = door_frame_pack(&policy.base, &c->arena);
        const Door__V1__Status *standing = NULL;
        if (standing_ask(c, service, &standing, &error) != DOOR_OK) {
                return cli_fail(service, &error);
        }
        if (standing->policy_version != NULL && strcmp(standing->policy_version, version) == 0) {
                (void)printf("policy %s is active at %s\n", version, service);
                return CLI_OK;
        }
        /* An id of its own: the one of an earlier activation would be answered with that one's yes. */
        door_hash id;
        randombytes_buf(id.bytes, sizeof id.bytes);
        command.command_id = door_proto_data(door_hash_bytes(&id));
        command.actor = (char *)(uintptr_t) "operator";
        command.type = DOOR__V1__SHELL_COMMAND__SHELL_COMMAND_POLICY;
        command.body = door_proto_data(body);
        if (cli_client(c, service, false, &client, &error) != DOOR_OK) {
                return cli_fail(service, &error);
        }
        const door_status asked = cli_ask(c, client, &command, PATIENCE_MS, &answer, &error);
        (void)door_client_free(client);
        if (asked != DOOR_OK) {
                return cli_fail(service, &error);
        }
        if (answer.outcome != DOOR__V1__OUTCOME__DONE) {
                (void)fprintf(stderr, "frontdoor: policy: %s refuses: %s\n", service,
                              answer.detail == NULL ? "no reason given" : answer.detail);
                return CLI_FAILED;
        }
        (void)printf("policy %s is active at %s\n", version, service);
        return CLI_OK;
}

/* May this service be left out? With --only, a list of names with commas, all others are. */
static bool is_wanted(const cli *c, const char *service)
{
        const char *only = cli_option(c, "--only");
        const size_t len = strlen(service);

        for (const char *at = only; at != NULL; at = strchr(at, ',') == NULL ? NULL : strchr(at, ',') + 1) {
                if (strncmp(at, service, len) == 0 && (at[len] == ',' || at[len] == '\0')) {
                        return true;
                }
        }
        return only == NULL;
}

static int sections_apply(cli *c, const policy_section *sections)
{
        int code = CLI_OK;

        for (size_t i = 0; i < POLICY_SECTIONS && code == CLI_OK && !cli_interrupted(); i++) {
                if (is_wanted(c, sections[i].service)) {
                        code = section_send(c, sections[i].service, sections[i].content);
                }
        }
        return code;
}

/* Exit 0 when every service's active policy is the folder's, else 1. */
static int sections_status(cli *c, const policy_section *sections)
{
        int code = CLI_OK;

        for (size_t i = 0; i < POLICY_SECTIONS; i++) {
                const Door__V1__Status *standing = NULL;
                char version[VERSION_BYTES];
                door_error error = { 0 };
                if (!is_wanted(c, sections[i].service)) {
                        continue;
                }
                version_print(sections[i].content, version);
                const bool heard = cli_status_ask(c, sections[i].service, &standing, &error) == DOOR_OK;
                const char *active = !heard                             ? "no answer"
                                     : standing->policy_version == NULL ? "none"
                                                                        : standing->policy_version;
                const bool same = strcmp(active, version) == 0;
                (void)printf("%-14s active %-14s folder %s%s\n", sections[i].service, active, version,
                             same ? "" : "   differs");
                code = same ? code : CLI_FAILED;
        }
        return code;
}

int cli_policy(cli *c)
{
        static const char *const valued[] = { "--only", NULL };
        policy_section sections[POLICY_SECTIONS];
        door_error error = { 0 };
        const char *verb = cli_argument(c, 0, valued);
        const char *folder = cli_argument(c, 1, valued);

        if (verb == NULL || folder == NULL || cli_argument(c, 2, valued) != NULL ||
            (strcmp(verb, "check") != 0 && strcmp(verb, "apply") != 0 && strcmp(verb, "status") != 0)) {
                return cli_usage(c, "check|apply|status DIR [--only SERVICE,…]");
        }
        if (policy_folder_read(folder, &c->arena, sections, &error) != DOOR_OK) {
                return cli_fail("policy", &error);
        }
        if (strcmp(verb, "check") == 0) {
                for (size_t i = 0; i < POLICY_SECTIONS; i++) {
                        char version[VERSION_BYTES];
                        version_print(sections[i].content, version);
                        (void)printf("%-14s %s  %zu bytes\n", sections[i].service, version,
                                     sections[i].content.len);
                }
                return CLI_OK;
        }
        cli_interruptible();
        return strcmp(verb, "apply") == 0 ? sections_apply(c, sections) : sections_status(c, sections);
}
