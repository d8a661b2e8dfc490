/* agencies.yaml: who may refer, over which connection, and where a receipt goes. */
#include <stdio.h>
#include <string.h>

#include "cli/policy_files.h"
#include "cli/policy_yaml.h"
#include "shell/proto_arena.h"

/* What intake's codec accepts (services/intake/intake_core.h); the test compares. */
enum { AGENCIES_MAX = 1024, PEERS_MAX = 32, READERS_MAX = 32, NAME_BYTES_MAX = 200 };

/* ---- the file as libcyaml fills it */

typedef struct file_agency {
        char *id;
        char *kind;
        char *name;
        char **peers;
        uint32_t peers_count;
        uint32_t *rate_per_minute;
        char **email;
        uint32_t email_count;
} file_agency;

typedef struct file_agencies {
        char **readers;
        uint32_t readers_count;
        uint32_t *future_tolerance_s;
        uint32_t *rate_per_minute;
        file_agency *agencies;
        uint32_t agencies_count;
} file_agencies;

enum { OPTIONAL = POLICY_OPTIONAL };

static const cyaml_schema_field_t schema_agency_fields[] = {
        CYAML_FIELD_STRING_PTR("id", OPTIONAL, file_agency, id, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("kind", OPTIONAL, file_agency, kind, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("name", OPTIONAL, file_agency, name, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("peers", OPTIONAL, file_agency, peers, &policy_schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("email", OPTIONAL, file_agency, email, &policy_schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("rate_per_minute", OPTIONAL, file_agency, rate_per_minute),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_agency = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_agency,
                                                                        schema_agency_fields) };

static const cyaml_schema_field_t schema_file_fields[] = {
        CYAML_FIELD_SEQUENCE("readers", OPTIONAL, file_agencies, readers, &policy_schema_text, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("future_tolerance_s", OPTIONAL, file_agencies, future_tolerance_s),
        CYAML_FIELD_UINT_PTR("rate_per_minute", OPTIONAL, file_agencies, rate_per_minute),
        CYAML_FIELD_SEQUENCE("agencies", OPTIONAL, file_agencies, agencies, &schema_agency, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_file = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_agencies,
                                                                      schema_file_fields) };

static door_status peers_check(const policy_reading *at, const char *field, char *const *peers, size_t count,
                               size_t count_max)
{
        if (count == 0) {
                return policy_wrong(at, "%s is missing: nobody could use it", field);
        }
        if (count > count_max) {
                return policy_wrong(at, "%s: at most %zu, got %zu", field, count_max, count);
        }
        for (size_t i = 0; i < count; i++) {
                const door_status status = policy_name(at, field, peers[i], DOOR_NAME_BYTES_MAX - 1);
                if (status != DOOR_OK) {
                        return status;
                }
                for (size_t n = 0; n < i; n++) {
                        if (strcmp(peers[n], peers[i]) == 0) {
                                return policy_wrong(at, "%s names '%.64s' twice", field, peers[i]);
                        }
                }
        }
        return DOOR_OK;
}

static door_status agency_read(policy_reading *at, const file_agencies *file, size_t index,
                               Door__V1__Agency *agency, policy_county *county)
{
        const file_agency *from = &file->agencies[index];
        char number[32];
        Door__V1__AgencyKind kind = DOOR__V1__AGENCY_KIND__AGENCY_OTHER;

        (void)snprintf(number, sizeof number, "number %zu", index + 1);
        at->kind = "agency";
        at->entry = from->id != NULL && from->id[0] != '\0' ? from->id : number;
        at->list = "agencies";
        at->index = index;
        door_status status = policy_name(at, "id", from->id, DOOR_NAME_BYTES_MAX - 1);
        for (size_t i = 0; i < index && status == DOOR_OK; i++) {
                if (strcmp(file->agencies[i].id, from->id) == 0) {
                        status = policy_wrong(at, "it stands there twice");
                }
        }
        if (status == DOOR_OK) {
                int32_t value = 0;
                status = policy_word(at, "kind", from->kind, &door__v1__agency_kind__descriptor, "AGENCY_",
                                     &value);
                kind = (Door__V1__AgencyKind)value;
        }
        if (status == DOOR_OK) {
                status = policy_name(at, "name", from->name, NAME_BYTES_MAX);
        }
        if (status == DOOR_OK) {
                status = peers_check(at, "peers", from->peers, from->peers_count, PEERS_MAX);
        }
        if (status == DOOR_OK && from->rate_per_minute != NULL && *from->rate_per_minute == 0) {
                status = policy_wrong(at, "rate_per_minute must not be 0: nothing would be received");
        }
        if (status == DOOR_OK && county != NULL) {
                status = policy_recipient(at, county, from->id, from->email, from->email_count);
        }
        at->entry = NULL;
        at->list = NULL;
        if (status != DOOR_OK) {
                return status;
        }
        agency->id = from->id;
        agency->kind = kind;
        agency->name = from->name;
        agency->n_peer = from->peers_count;
        agency->peer = from->peers;
        agency->has_rate_per_minute = from->rate_per_minute != NULL;
        agency->rate_per_minute = from->rate_per_minute == NULL ? 0 : *from->rate_per_minute;
        return DOOR_OK;
}

static door_status file_read(policy_reading *at, const file_agencies *file, policy_county *county,
                             door_arena *arena, door_bytes *ret_content)
{
        Door__V1__IntakePolicy policy = DOOR__V1__INTAKE_POLICY__INIT;

        if (file->agencies_count == 0) {
                return policy_wrong(at, "agencies is missing: nobody could refer");
        }
        if (file->agencies_count > AGENCIES_MAX) {
                return policy_wrong(at, "agencies: at most %d, got %u", AGENCIES_MAX, file->agencies_count);
        }
        door_status status = peers_check(at, "readers", file->readers, file->readers_count, READERS_MAX);
        if (status == DOOR_OK && file->rate_per_minute != NULL && *file->rate_per_minute == 0) {
                status = policy_wrong(at, "rate_per_minute must not be 0: nothing would be received");
        }
        if (status != DOOR_OK) {
                return status;
        }
        Door__V1__Agency *agencies = door_arena_take(arena, file->agencies_count * sizeof *agencies);
        policy.agency = door_arena_take_zeroed(arena, file->agencies_count, sizeof *policy.agency);
        if (agencies == NULL || policy.agency == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < file->agencies_count; i++) {
                door__v1__agency__init(&agencies[i]);
                policy.agency[i] = &agencies[i];
                status = agency_read(at, file, i, &agencies[i], county);
                if (status != DOOR_OK) {
                        return status;
                }
        }
        policy.n_agency = file->agencies_count;
        policy.n_reader = file->readers_count;
        policy.reader = file->readers;
        policy.has_future_tolerance_s = file->future_tolerance_s != NULL;
        if (file->future_tolerance_s != NULL) {
                policy.future_tolerance_s = *file->future_tolerance_s;
        }
        policy.has_rate_per_minute = file->rate_per_minute != NULL;
        if (file->rate_per_minute != NULL) {
                policy.rate_per_minute = *file->rate_per_minute;
        }
        status = door_proto_pack(&policy, arena, ret_content);
        if (status == DOOR_OK && ret_content->len > DOOR_POLICY_BYTES_MAX) {
                return policy_wrong(at, "it makes %zu bytes, a policy may have %d", ret_content->len,
                                    DOOR_POLICY_BYTES_MAX);
        }
        return status;
}

door_status policy_agencies(policy_reading *at, door_bytes yaml, policy_county *county, door_arena *arena,
                            door_bytes *ret_content)
{
        door_bytes content;
        void *data = NULL;
        door_status status = policy_load(at, yaml, &schema_file, &data);

        if (status == DOOR_OK) {
                status = file_read(at, data, county, arena, &content);
                policy_unload(&schema_file, data);
        }
        if (status == DOOR_OK) {
                *ret_content = content;
        }
        return status;
}

door_status policy_yaml_intake(door_bytes yaml, const char *name, door_arena *arena, door_bytes *ret_content,
                               door_error *reterr_error)
{
        policy_reading at = { .file = name, .yaml = yaml, .error = reterr_error };

        return policy_agencies(&at, yaml, NULL, arena, ret_content);
}
