#include "cli/policy_yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cyaml/cyaml.h>

#include "door/v1/policy.pb-c.h"
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
} file_agency;

typedef struct file_agencies {
        char **readers;
        uint32_t readers_count;
        uint32_t *future_tolerance_s;
        uint32_t *rate_per_minute;
        file_agency *agencies;
        uint32_t agencies_count;
} file_agencies;

enum { OPTIONAL = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL };

static const cyaml_schema_value_t schema_text = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0,
                                                                     CYAML_UNLIMITED) };

static const cyaml_schema_field_t schema_agency_fields[] = {
        CYAML_FIELD_STRING_PTR("id", OPTIONAL, file_agency, id, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("kind", OPTIONAL, file_agency, kind, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("name", OPTIONAL, file_agency, name, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("peers", OPTIONAL, file_agency, peers, &schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("rate_per_minute", OPTIONAL, file_agency, rate_per_minute),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_agency = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_agency,
                                                                        schema_agency_fields) };

static const cyaml_schema_field_t schema_file_fields[] = {
        CYAML_FIELD_SEQUENCE("readers", OPTIONAL, file_agencies, readers, &schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("future_tolerance_s", OPTIONAL, file_agencies, future_tolerance_s),
        CYAML_FIELD_UINT_PTR("rate_per_minute", OPTIONAL, file_agencies, rate_per_minute),
        CYAML_FIELD_SEQUENCE("agencies", OPTIONAL, file_agencies, agencies, &schema_agency, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_file = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_agencies,
                                                                      schema_file_fields) };

/* ---- what libcyaml has to say */

typedef struct complaint {
        char what[120];
        unsigned line; /* 0: not said. */
} complaint;

/* Keeps the first message and the first line of its backtrace: the innermost place. */
static void complaint_note(cyaml_log_t level, void *context, const char *format, va_list arguments)
        __attribute__((format(printf, 3, 0)));

static void complaint_note(cyaml_log_t level, void *context, const char *format, va_list arguments)
{
        complaint *c = context;
        char text[200];

        (void)level;
        (void)vsnprintf(text, sizeof text, format, arguments);
        text[strcspn(text, "\n")] = '\0';
        const char *line = strstr(text, "(line: ");
        if (c->line == 0 && line != NULL) {
                c->line = (unsigned)strtoul(line + strlen("(line: "), NULL, 10);
        } else if (c->what[0] == '\0' && strstr(text, "Backtrace") == NULL) {
                const char *what = strncmp(text, "Load: ", 6) == 0 ? text + 6 : text;
                (void)snprintf(c->what, sizeof c->what, "%.119s", what);
        }
}

/* ---- checks: where, so that each of them is one line */

typedef struct reading {
        const char *file;
        const char *entry; /* The agency's id, NULL above them. */
        door_error *error;
} reading;

static door_status wrong(const reading *at, const char *format, ...) __attribute__((format(printf, 2, 3)));

static door_status wrong(const reading *at, const char *format, ...)
{
        char text[160];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        if (at->entry == NULL) {
                return door_error_set(at->error, DOOR_INVALID, "%s: %s", at->file, text);
        }
        return door_error_set(at->error, DOOR_INVALID, "%s: agency %.64s: %s", at->file, at->entry, text);
}

static door_status name_check(const reading *at, const char *field, const char *text, size_t bytes_max)
{
        if (text == NULL || text[0] == '\0') {
                return wrong(at, "%s is missing", field);
        }
        if (strlen(text) > bytes_max) {
                return wrong(at, "%s is longer than %zu bytes", field, bytes_max);
        }
        if (!door_text_is_clean(door_bytes_of(text))) {
                return wrong(at, "%s is not UTF-8", field);
        }
        return DOOR_OK;
}

static door_status peers_check(const reading *at, const char *field, char *const *peers, size_t count,
                               size_t count_max)
{
        if (count == 0) {
                return wrong(at, "%s is missing: nobody could use it", field);
        }
        if (count > count_max) {
                return wrong(at, "%s: at most %zu, got %zu", field, count_max, count);
        }
        for (size_t i = 0; i < count; i++) {
                const door_status status = name_check(at, field, peers[i], DOOR_NAME_BYTES_MAX - 1);
                if (status != DOOR_OK) {
                        return status;
                }
                for (size_t n = 0; n < i; n++) {
                        if (strcmp(peers[n], peers[i]) == 0) {
                                return wrong(at, "%s names '%.64s' twice", field, peers[i]);
                        }
                }
        }
        return DOOR_OK;
}

static door_status kind_read(const reading *at, const char *word, Door__V1__AgencyKind *ret_kind)
{
        static const char prefix[] = "AGENCY_";
        char name[64];
        size_t length = 0;

        if (word == NULL) {
                return wrong(at, "kind is missing");
        }
        (void)snprintf(name, sizeof name, "%s%.40s", prefix, word);
        for (length = sizeof prefix - 1; name[length] != '\0'; length++) {
                if (name[length] >= 'a' && name[length] <= 'z') {
                        name[length] = (char)(name[length] - 'a' + 'A');
                }
        }
        const ProtobufCEnumValue *value =
                protobuf_c_enum_descriptor_get_value_by_name(&door__v1__agency_kind__descriptor, name);
        if (value == NULL) {
                return wrong(at, "kind '%.40s' is none; see AgencyKind in proto/door/v1/policy.proto", word);
        }
        *ret_kind = (Door__V1__AgencyKind)value->value;
        return DOOR_OK;
}

static door_status agency_read(reading *at, const file_agencies *file, size_t index, Door__V1__Agency *agency)
{
        const file_agency *from = &file->agencies[index];
        char number[32];
        Door__V1__AgencyKind kind = DOOR__V1__AGENCY_KIND__AGENCY_OTHER;

        (void)snprintf(number, sizeof number, "number %zu", index + 1);
        at->entry = from->id != NULL && from->id[0] != '\0' ? from->id : number;
        door_status status = name_check(at, "id", from->id, DOOR_NAME_BYTES_MAX - 1);
        for (size_t i = 0; i < index && status == DOOR_OK; i++) {
                if (strcmp(file->agencies[i].id, from->id) == 0) {
                        status = wrong(at, "it stands there twice");
                }
        }
        if (status == DOOR_OK) {
                status = kind_read(at, from->kind, &kind);
        }
        if (status == DOOR_OK) {
                status = name_check(at, "name", from->name, NAME_BYTES_MAX);
        }
        if (status == DOOR_OK) {
                status = peers_check(at, "peers", from->peers, from->peers_count, PEERS_MAX);
        }
        if (status == DOOR_OK && from->rate_per_minute != NULL && *from->rate_per_minute == 0) {
                status = wrong(at, "rate_per_minute must not be 0: nothing would be received");
        }
        at->entry = NULL;
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

static door_status file_read(reading *at, const file_agencies *file, door_arena *arena,
                             door_bytes *ret_content)
{
        Door__V1__IntakePolicy policy = DOOR__V1__INTAKE_POLICY__INIT;

        if (file->agencies_count == 0) {
                return wrong(at, "agencies is missing: nobody could refer");
        }
        if (file->agencies_count > AGENCIES_MAX) {
                return wrong(at, "agencies: at most %d, got %u", AGENCIES_MAX, file->agencies_count);
        }
        door_status status = peers_check(at, "readers", file->readers, file->readers_count, READERS_MAX);
        if (status == DOOR_OK && file->rate_per_minute != NULL && *file->rate_per_minute == 0) {
                status = wrong(at, "rate_per_minute must not be 0: nothing would be received");
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
                status = agency_read(at, file, i, &agencies[i]);
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
                return wrong(at, "it makes %zu bytes, a policy may have %d", ret_content->len,
                             DOOR_POLICY_BYTES_MAX);
        }
        return status;
}

door_status policy_yaml_intake(door_bytes yaml, const char *name, door_arena *arena, door_bytes *ret_content,
                               door_error *reterr_error)
{
        complaint said = { 0 };
        reading at = { .file = name, .error = reterr_error };
        const cyaml_config_t config = {
                .log_fn = complaint_note,
                .log_ctx = &said,
                .log_level = CYAML_LOG_WARNING,
                .mem_fn = cyaml_mem,
                .flags = CYAML_CFG_NO_ALIAS, /* Each line must mean what it says. */
        };
        cyaml_data_t *data = NULL;
        door_bytes content;

        if (yaml.len > DOOR_POLICY_BYTES_MAX) {
                return wrong(&at, "it has %zu bytes, a policy file may have %d", yaml.len,
                             DOOR_POLICY_BYTES_MAX);
        }
        if (yaml.len == 0) {
                return wrong(&at, "it is empty");
        }
        const cyaml_err_t error = cyaml_load_data(yaml.data, yaml.len, &config, &schema_file, &data, NULL);
        if (error != CYAML_OK || said.what[0] != '\0') {
                if (error == CYAML_OK) {
                        (void)cyaml_free(&config, &schema_file, data, 0);
                }
                return wrong(&at, "near line %u: %.110s", said.line,
                             said.what[0] != '\0' ? said.what : cyaml_strerror(error));
        }
        if (data == NULL) {
                return wrong(&at, "it says nothing");
        }
        const door_status status = file_read(&at, (const file_agencies *)data, arena, &content);
        (void)cyaml_free(&config, &schema_file, data, 0);
        if (status == DOOR_OK) {
                *ret_content = content;
        }
        return status;
}
