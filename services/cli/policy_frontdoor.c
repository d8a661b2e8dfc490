/* frontdoor.yaml and postcodes.csv: what kind of system this is, and where the county ends. */
#include <stdlib.h>
#include <string.h>

#include "cli/policy_files.h"
#include "shell/proto_arena.h"

enum { PHONE_BYTES_MAX = 40, POSTCODE_BYTES = 7, CODE_BYTES = 9, ROW_BYTES = 8, ROWS_MAX = 32000 };

/* ---- frontdoor.yaml */

typedef struct file_frontdoor {
        char *mode;
        bool *replay_history;
        bool *receipts;
        char *front_door_phone;
        char *out_of_hours_phone;
        char *sender;
        char **manager_email;
        uint32_t manager_email_count;
} file_frontdoor;

static const cyaml_schema_field_t schema_fields[] = {
        CYAML_FIELD_STRING_PTR("mode", POLICY_OPTIONAL, file_frontdoor, mode, 0, CYAML_UNLIMITED),
        CYAML_FIELD_BOOL_PTR("replay_history", POLICY_OPTIONAL, file_frontdoor, replay_history),
        CYAML_FIELD_BOOL_PTR("receipts", POLICY_OPTIONAL, file_frontdoor, receipts),
        CYAML_FIELD_STRING_PTR("front_door_phone", POLICY_OPTIONAL, file_frontdoor, front_door_phone, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("out_of_hours_phone", POLICY_OPTIONAL, file_frontdoor, out_of_hours_phone, 0,
                               CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("sender", POLICY_OPTIONAL, file_frontdoor, sender, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("manager_email", POLICY_OPTIONAL, file_frontdoor, manager_email,
                             &policy_schema_text, 0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_file = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_frontdoor,
                                                                      schema_fields) };

static door_status frontdoor_read(const policy_reading *at, const file_frontdoor *file, policy_county *county)
{
        const bool training = file->mode != NULL && strcmp(file->mode, "training") == 0;

        if (!training && (file->mode == NULL || strcmp(file->mode, "live") != 0)) {
                return policy_wrong(at, "mode is training or live");
        }
        if (!training && file->replay_history != NULL && *file->replay_history) {
                return policy_wrong(at, "replay_history is for training: imported history is never open in a "
                                        "live system");
        }
        door_status status = policy_name(at, "front_door_phone", file->front_door_phone, PHONE_BYTES_MAX);
        status = status != DOOR_OK
                         ? status
                         : policy_name(at, "out_of_hours_phone", file->out_of_hours_phone, PHONE_BYTES_MAX);
        status = status != DOOR_OK ? status : policy_name(at, "sender", file->sender, 200);
        if (status == DOOR_OK && strpbrk(file->sender, " \t\r\n<>,;") != NULL) {
                status = policy_wrong(at, "sender '%.60s' is no address", file->sender);
        }
        status = status != DOOR_OK ? status
                                   : policy_recipient(at, county, "manager", file->manager_email,
                                                      file->manager_email_count);
        if (status != DOOR_OK) {
                return status;
        }
        county->training = training;
        county->replay_history = file->replay_history != NULL && *file->replay_history;
        county->notify.front_door_phone =
                door_proto_string(county->arena, door_bytes_of(file->front_door_phone));
        county->notify.out_of_hours_phone =
                door_proto_string(county->arena, door_bytes_of(file->out_of_hours_phone));
        county->notify.sender = door_proto_string(county->arena, door_bytes_of(file->sender));
        county->notify.has_receipts = 1;
        county->notify.receipts = file->receipts != NULL && *file->receipts;
        return county->arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

door_status policy_frontdoor(policy_reading *at, door_bytes yaml, policy_county *county)
{
        void *data = NULL;
        door_status status = policy_load(at, yaml, &schema_file, &data);

        if (status == DOOR_OK) {
                status = frontdoor_read(at, data, county);
                policy_unload(&schema_file, data);
        }
        return status;
}

/* ---- postcodes.csv */

static int row_compare(const void *a, const void *b)
{
        return memcmp(a, b, POSTCODE_BYTES);
}

/* One line "GL1 1AA,E07000081,…" into eight bytes; false when it is none. */
static bool row_read(door_bytes line, const policy_county *county, uint8_t row[ROW_BYTES])
{
        if (line.len < POSTCODE_BYTES + 1 + CODE_BYTES || line.data[POSTCODE_BYTES] != ',') {
                return false;
        }
        memcpy(row, line.data, POSTCODE_BYTES);
        for (size_t d = 0; d < county->districts_count; d++) {
                if (memcmp(county->districts[d].code, line.data + POSTCODE_BYTES + 1, CODE_BYTES) == 0) {
                        row[POSTCODE_BYTES] = (uint8_t)d;
                        return true;
                }
        }
        return false;
}

static bool line_next(door_bytes *rest, door_bytes *ret_line)
{
        if (rest->len == 0) {
                return false;
        }
        const uint8_t *end = memchr(rest->data, '\n', rest->len);
        const size_t taken = end == NULL ? rest->len : (size_t)(end - rest->data) + 1;
        *ret_line = (door_bytes){ rest->data, end == NULL ? taken : taken - 1 };
        *rest = (door_bytes){ rest->data + taken, rest->len - taken };
        return true;
}

door_status policy_postcodes(policy_reading *at, door_bytes csv, policy_county *county)
{
        uint8_t *rows = door_arena_take(county->arena, (size_t)ROWS_MAX * ROW_BYTES);
        size_t count = 0;
        size_t number = 1;
        door_bytes line;

        county->postcodes.district = door_arena_take_zeroed(county->arena, county->districts_count + 1,
                                                            sizeof *county->postcodes.district);
        if (rows == NULL || county->postcodes.district == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (!line_next(&csv, &line) || !door_bytes_starts_with(line, door_bytes_of("pcd,laua"))) {
                return policy_wrong(at, "its first line is no heading that begins with pcd,laua");
        }
        while (line_next(&csv, &line)) {
                number++;
                if (count == ROWS_MAX) {
                        return policy_wrong(at, "at most %d postcodes", ROWS_MAX);
                }
                if (!row_read(line, county, rows + count * ROW_BYTES)) {
                        return policy_wrong(at,
                                            "line %zu: no postcode of seven characters with a district of "
                                            "teams.yaml",
                                            number);
                }
                count++;
        }
        qsort(rows, count, ROW_BYTES, row_compare);
        for (size_t i = 1; i < count; i++) {
                if (row_compare(rows + (i - 1) * ROW_BYTES, rows + i * ROW_BYTES) == 0) {
                        return policy_wrong(at, "postcode %.7s stands there twice",
                                            (const char *)rows + i * ROW_BYTES);
                }
        }
        for (size_t d = 0; d < county->districts_count; d++) {
                county->postcodes.district[d] = county->districts[d].code;
        }
        county->postcodes.n_district = county->districts_count;
        county->postcodes.has_rows = 1;
        county->postcodes.rows = (ProtobufCBinaryData){ count * ROW_BYTES, rows };
        county->dedup.postcodes = &county->postcodes;
        return DOOR_OK;
}
