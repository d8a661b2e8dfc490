#include "cli/policy_folder.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/policy_files.h"
#include "shell/proto_arena.h"

enum { PATH_MAX_BYTES = 1024, CSV_BYTES_MAX = 4 * DOOR_MIB };

/* A whole file in memory of its own (the arena is for what is kept); NULL with a sentence. */
static uint8_t *file_load(const char *folder, const char *name, size_t bytes_max, size_t *ret_len,
                          door_error *error)
{
        char path[PATH_MAX_BYTES];

        if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
                (void)door_error_set(error, DOOR_TOO_LARGE, "%s: the folder's name is too long", name);
                return NULL;
        }
        FILE *file = fopen(path, "rb");
        uint8_t *bytes = malloc(bytes_max + 1);
        if (file == NULL || bytes == NULL) {
                (void)door_error_set(error, DOOR_NOT_FOUND, "%.150s: %s", path, strerror(errno));
                free(bytes);
                bytes = NULL;
        } else {
                *ret_len = fread(bytes, 1, bytes_max + 1, file);
                if (ferror(file) != 0 || *ret_len == 0 || *ret_len > bytes_max) {
                        (void)door_error_set(error, DOOR_TOO_LARGE,
                                             "%.150s: empty, not readable, or larger than %zu KiB", path,
                                             bytes_max / DOOR_KIB);
                        free(bytes);
                        bytes = NULL;
                }
        }
        if (file != NULL) {
                (void)fclose(file);
        }
        return bytes;
}

typedef door_status (*reader)(policy_reading *at, door_bytes bytes, policy_county *county);

static door_status file_take(const char *folder, const char *name, size_t bytes_max, reader read,
                             policy_county *county, door_error *error)
{
        policy_reading at = { .file = name, .error = error };
        size_t len = 0;
        uint8_t *bytes = file_load(folder, name, bytes_max, &len, error);

        if (bytes == NULL) {
                return error->status;
        }
        at.yaml = strstr(name, ".yaml") != NULL ? (door_bytes){ bytes, len } : DOOR_BYTES_EMPTY;
        const door_status status = read(&at, (door_bytes){ bytes, len }, county);
        free(bytes);
        return status;
}

/* frontdoor.yaml is the system's, not the county's: beside the folder, unless it holds one. */
static door_status frontdoor_take(const char *folder, policy_county *county, door_error *error)
{
        char beside[PATH_MAX_BYTES];
        const door_status here =
                file_take(folder, "frontdoor.yaml", DOOR_POLICY_BYTES_MAX, policy_frontdoor, county, error);

        if (here != DOOR_NOT_FOUND ||
            snprintf(beside, sizeof beside, "%s/..", folder) >= (int)sizeof beside) {
                return here;
        }
        return file_take(beside, "frontdoor.yaml", DOOR_POLICY_BYTES_MAX, policy_frontdoor, county, error);
}

static void county_init(policy_county *county, door_arena *arena)
{
        memset(county, 0, sizeof *county);
        county->arena = arena;
        door__v1__triage_policy__init(&county->triage);
        door__v1__allot_policy__init(&county->allot);
        door__v1__notify_policy__init(&county->notify);
        door__v1__dedup_policy__init(&county->dedup);
        door__v1__working_time__init(&county->working);
        door__v1__postcode_table__init(&county->postcodes);
}

/* What more than one file has a say in. */
static bool county_finish(policy_county *county)
{
        county->triage.has_training = 1;
        county->triage.training = county->training;
        county->triage.has_replay_history = 1;
        county->triage.replay_history = county->replay_history;
        county->triage.working = &county->working;
        county->dedup.has_training = 1;
        county->dedup.training = county->training;
        county->allot.has_training = 1;
        county->allot.training = county->training;
        county->notify.has_training = 1;
        county->notify.training = county->training;
        county->notify.working = &county->working;
        county->notify.has_red_from = 1;
        county->notify.red_from = county->triage.red_from;
        county->notify.has_amber_from = 1;
        county->notify.amber_from = county->triage.amber_from;
        county->notify.recipient = door_arena_take_zeroed(county->arena, county->recipients_count + 1,
                                                          sizeof *county->notify.recipient);
        if (county->notify.recipient == NULL) {
                return false;
        }
        for (size_t i = 0; i < county->recipients_count; i++) {
                county->notify.recipient[i] = &county->recipients[i];
        }
        county->notify.n_recipient = county->recipients_count;
        return true;
}

static door_status section_pack(const char *service, const void *message, door_arena *arena,
                                policy_section *section, door_error *error)
{
        const door_status status = door_proto_pack(message, arena, &section->content);

        section->service = service;
        if (status == DOOR_OK && section->content.len > DOOR_POLICY_BYTES_MAX) {
                return door_error_set(error, DOOR_TOO_LARGE, "%s's policy makes %zu bytes, it may have %d",
                                      service, section->content.len, DOOR_POLICY_BYTES_MAX);
        }
        return status;
}

door_status policy_folder_read(const char *folder, door_arena *arena, policy_section *ret_sections,
                               door_error *reterr_error)
{
        static const struct {
                const char *name;
                size_t bytes_max;
                reader read;
        } files[] = {
                { "teams.yaml", DOOR_POLICY_BYTES_MAX, policy_teams },
                { "floors.yaml", DOOR_POLICY_BYTES_MAX, policy_floors },
                { "clocks.yaml", DOOR_POLICY_BYTES_MAX, policy_clocks },
                { "postcodes.csv", CSV_BYTES_MAX, policy_postcodes },
        };
        door_error local = { 0 };
        door_error *error = reterr_error == NULL ? &local : reterr_error;
        policy_county *county = malloc(sizeof *county);
        size_t len = 0;
        uint8_t *agencies = NULL;
        door_bytes intake = DOOR_BYTES_EMPTY;
        policy_reading at = { .file = "agencies.yaml", .error = error };
        door_status status = DOOR_OK;

        if (county == NULL) {
                return DOOR_NO_MEMORY;
        }
        county_init(county, arena);
        agencies = file_load(folder, "agencies.yaml", DOOR_POLICY_BYTES_MAX, &len, error);
        if (agencies == NULL) {
                status = error->status;
                goto out;
        }
        at.yaml = (door_bytes){ agencies, len };
        status = policy_agencies(&at, (door_bytes){ agencies, len }, county, arena, &intake);
        for (size_t i = 0; i < sizeof files / sizeof files[0] && status == DOOR_OK; i++) {
                status = file_take(folder, files[i].name, files[i].bytes_max, files[i].read, county, error);
        }
        status = status != DOOR_OK ? status : frontdoor_take(folder, county, error);
        if (status != DOOR_OK || !county_finish(county)) {
                status = status != DOOR_OK ? status : DOOR_NO_MEMORY;
                goto out;
        }
        status = section_pack("notification", &county->notify, arena, &ret_sections[0], error);
        status = status != DOOR_OK
                         ? status
                         : section_pack("allocation", &county->allot, arena, &ret_sections[1], error);
        status = status != DOOR_OK ? status
                                   : section_pack("triage", &county->triage, arena, &ret_sections[2], error);
        status = status != DOOR_OK
                         ? status
                         : section_pack("deduplication", &county->dedup, arena, &ret_sections[3], error);
        ret_sections[4] = (policy_section){ "intake", intake };
out:
        free(agencies);
        free(county);
        return status;
}
