/*
 * cli_policy.c - frontdoor policy apply DIR
 *
 * The YAML is read and checked here, once; each service is sent the section it uses and logs it.
 * A folder with one mistake changes nothing. The version is the digest of the section, and a
 * service that says this version is active is not sent it again: the same folder twice leaves one
 * record, and going back to an earlier one leaves another.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cli/cli.h"
#include "cli/policy_yaml.h"

enum { VERSION_BYTES = 24, PATIENCE_MS = 20000 };

static door_bytes file_read(const char *path, door_arena *arena, door_error *error)
{
        FILE *file = fopen(path, "rb");
        uint8_t *bytes = door_arena_take(arena, DOOR_POLICY_BYTES_MAX + 1);

        if (file == NULL || bytes == NULL) {
                (void)door_error_set(error, DOOR_NOT_FOUND, "%.150s: %s", path, strerror(errno));
                if (file != NULL) {
                        (void)fclose(file);
                }
                return DOOR_BYTES_EMPTY;
        }
        const size_t len = fread(bytes, 1, DOOR_POLICY_BYTES_MAX + 1, file);
        (void)fclose(file);
        if (len == 0 || len > DOOR_POLICY_BYTES_MAX) {
                (void)door_error_set(error, DOOR_TOO_LARGE, "%.150s: empty, or larger than 256 KiB", path);
                return DOOR_BYTES_EMPTY;
        }
        return (door_bytes){ bytes, len };
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

        (void)snprintf(version, sizeof version, "%02x%02x%02x%02x%02x%02x", digest.bytes[0], digest.bytes[1],
                       digest.bytes[2], digest.bytes[3], digest.bytes[4], digest.bytes[5]);
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

int cli_policy(cli *c)
{
        char path[CLI_PATH_BYTES_MAX];
        door_error error = { 0 };
        door_bytes content;

        if (c->argc != 3 || strcmp(c->argv[1], "apply") != 0) {
                return cli_usage(c, "apply DIR");
        }
        if (snprintf(path, sizeof path, "%s/agencies.yaml", c->argv[2]) >= (int)sizeof path) {
                return cli_usage(c, "apply DIR");
        }
        const door_bytes yaml = file_read(path, &c->arena, &error);
        if (yaml.len == 0 ||
            policy_yaml_intake(yaml, "agencies.yaml", &c->arena, &content, &error) != DOOR_OK) {
                return cli_fail("policy", &error);
        }
        cli_interruptible();
        return section_send(c, "intake", content);
}
