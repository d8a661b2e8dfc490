#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/policy_files.h"
#include "shell/proto_arena.h"

const cyaml_schema_value_t policy_schema_text = { CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0,
                                                                     CYAML_UNLIMITED) };

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

/* ---- checks */

door_status policy_wrong(const policy_reading *at, const char *format, ...)
{
        char text[160];
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        const unsigned line = policy_line(at, text);
        char where[16] = "";
        if (line > 0) {
                (void)snprintf(where, sizeof where, ":%u", line);
        }
        if (at->entry == NULL) {
                return door_error_set(at->error, DOOR_INVALID, "%s%s: %s", at->file, where, text);
        }
        return door_error_set(at->error, DOOR_INVALID, "%s%s: %s %.64s: %s", at->file, where, at->kind,
                              at->entry, text);
}

door_status policy_name(const policy_reading *at, const char *field, const char *text, size_t bytes_max)
{
        if (text == NULL || text[0] == '\0') {
                return policy_wrong(at, "%s is missing", field);
        }
        if (strlen(text) > bytes_max) {
                return policy_wrong(at, "%s is longer than %zu bytes", field, bytes_max);
        }
        if (!door_text_is_clean(door_bytes_of(text))) {
                return policy_wrong(at, "%s is not UTF-8", field);
        }
        return DOOR_OK;
}

door_status policy_word(const policy_reading *at, const char *field, const char *word,
                        const ProtobufCEnumDescriptor *type, const char *prefix, int32_t *ret_value)
{
        char name[80];

        if (word == NULL) {
                return policy_wrong(at, "%s is missing", field);
        }
        (void)snprintf(name, sizeof name, "%s%.40s", prefix, word);
        for (size_t i = strlen(prefix); name[i] != '\0'; i++) {
                if (name[i] >= 'a' && name[i] <= 'z') {
                        name[i] = (char)(name[i] - 'a' + 'A');
                }
        }
        const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value_by_name(type, name);
        if (value == NULL) {
                return policy_wrong(at, "%s '%.40s' is none; see %s in proto/door/v1", field, word,
                                    type->short_name);
        }
        *ret_value = value->value;
        return DOOR_OK;
}

door_status policy_number(const policy_reading *at, const char *field, const uint32_t *number, uint32_t from,
                          uint32_t to)
{
        if (number != NULL && (*number < from || *number > to)) {
                return policy_wrong(at, "%s: %u to %u, got %u", field, from, to, *number);
        }
        return DOOR_OK;
}

/* ---- loading */

static cyaml_config_t config_of(complaint *said)
{
        return (cyaml_config_t){
                .log_fn = complaint_note,
                .log_ctx = said,
                .log_level = CYAML_LOG_WARNING,
                .mem_fn = cyaml_mem,
                .flags = CYAML_CFG_NO_ALIAS, /* Each line must mean what it says. */
        };
}

door_status policy_load(const policy_reading *at, door_bytes yaml, const cyaml_schema_value_t *schema,
                        void **ret_data)
{
        complaint said = { 0 };
        const cyaml_config_t config = config_of(&said);
        cyaml_data_t *data = NULL;

        if (yaml.len > DOOR_POLICY_BYTES_MAX) {
                return policy_wrong(at, "it has %zu bytes, a policy file may have %d", yaml.len,
                                    DOOR_POLICY_BYTES_MAX);
        }
        if (yaml.len == 0) {
                return policy_wrong(at, "it is empty");
        }
        const cyaml_err_t error = cyaml_load_data(yaml.data, yaml.len, &config, schema, &data, NULL);
        if (error != CYAML_OK || said.what[0] != '\0') {
                if (error == CYAML_OK) {
                        (void)cyaml_free(&config, schema, data, 0);
                }
                return policy_wrong(at, "near line %u: %.110s", said.line,
                                    said.what[0] != '\0' ? said.what : cyaml_strerror(error));
        }
        if (data == NULL) {
                return policy_wrong(at, "it says nothing");
        }
        *ret_data = data;
        return DOOR_OK;
}

void policy_unload(const cyaml_schema_value_t *schema, void *data)
{
        complaint said = { 0 };
        const cyaml_config_t config = config_of(&said);

        (void)cyaml_free(&config, schema, data, 0);
}

/* ---- what several files add to */

door_status policy_recipient(const policy_reading *at, policy_county *county, const char *id,
                             char *const *email, size_t email_count)
{
        if (email_count == 0) {
                return DOOR_OK;
        }
        if (county->recipients_count == POLICY_RECIPIENTS_MAX || email_count > POLICY_EMAILS_MAX) {
                return policy_wrong(at, "email: more addresses than a policy may have");
        }
        Door__V1__Recipient *recipient = &county->recipients[county->recipients_count];
        door__v1__recipient__init(recipient);
        recipient->id = door_proto_string(county->arena, door_bytes_of(id));
        recipient->email = door_arena_take_zeroed(county->arena, email_count, sizeof *recipient->email);
        for (size_t i = 0; i < email_count && recipient->email != NULL; i++) {
                const char *place = email[i] == NULL ? NULL : strchr(email[i], '@');
                if (place == NULL || place == email[i] || place[1] == '\0' ||
                    strpbrk(email[i], " \t\r\n<>,;") != NULL) {
                        return policy_wrong(at, "email '%.60s' is no address",
                                            email[i] == NULL ? "" : email[i]);
                }
                recipient->email[i] = door_proto_string(county->arena, door_bytes_of(email[i]));
        }
        recipient->n_email = email_count;
        county->recipients_count++;
        return county->arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}
