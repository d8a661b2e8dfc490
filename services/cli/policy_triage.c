/* floors.yaml and clocks.yaml: what is how severe, and by when somebody must have acted. */
#include <string.h>

#include "cli/policy_files.h"
#include "door/calendar.h"
#include "shell/proto_arena.h"

enum { SEVERITY_MAX = 100, MINUTES_MAX = 60 * 24 * 30, DAYS_MAX = 3650, DAY_MIN = 1440 };

/* ---- floors.yaml */

typedef struct file_floor {
        char *of; /* A category or a flag, in small letters. */
        uint32_t *severity;
} file_floor;

typedef struct file_floors {
        uint32_t *red, *amber, *green, *ungraded;
        uint32_t *red_from, *amber_from;
        file_floor *categories;
        uint32_t categories_count;
        file_floor *flags;
        uint32_t flags_count;
} file_floors;

static const cyaml_schema_field_t schema_floor_fields[] = {
        CYAML_FIELD_STRING_PTR("of", POLICY_OPTIONAL, file_floor, of, 0, CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("severity", POLICY_OPTIONAL, file_floor, severity),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_floor = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_floor,
                                                                       schema_floor_fields) };

static const cyaml_schema_field_t schema_floors_fields[] = {
        CYAML_FIELD_UINT_PTR("red", POLICY_OPTIONAL, file_floors, red),
        CYAML_FIELD_UINT_PTR("amber", POLICY_OPTIONAL, file_floors, amber),
        CYAML_FIELD_UINT_PTR("green", POLICY_OPTIONAL, file_floors, green),
        CYAML_FIELD_UINT_PTR("ungraded", POLICY_OPTIONAL, file_floors, ungraded),
        CYAML_FIELD_UINT_PTR("red_from", POLICY_OPTIONAL, file_floors, red_from),
        CYAML_FIELD_UINT_PTR("amber_from", POLICY_OPTIONAL, file_floors, amber_from),
        CYAML_FIELD_SEQUENCE("categories", POLICY_OPTIONAL, file_floors, categories, &schema_floor, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("flags", POLICY_OPTIONAL, file_floors, flags, &schema_floor, 0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_floors = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_floors,
                                                                        schema_floors_fields) };

/* A number of the file into a field of the policy, if it is there and in its bounds. */
#define TAKE(field, number, from, to)                                                                        \
        do {                                                                                                 \
                const door_status checked = policy_number(at, #number, file->number, from, to);              \
                if (checked != DOOR_OK) {                                                                    \
                        return checked;                                                                      \
                }                                                                                            \
                if (file->number != NULL) {                                                                  \
                        county->triage.has_##field = 1;                                                      \
                        county->triage.field = *file->number;                                                \
                }                                                                                            \
        } while (false)

static door_status floor_read(policy_reading *at, const char *kind, const file_floor *floors, size_t index,
                              const ProtobufCEnumDescriptor *type, const char *prefix, int32_t *ret_code)
{
        const file_floor *from = &floors[index];

        at->kind = kind;
        at->entry = from->of != NULL ? from->of : "without a name";
        at->list = strcmp(kind, "flag") == 0 ? "flags" : "categories";
        at->index = index;
        door_status status = policy_word(at, "of", from->of, type, prefix, ret_code);
        if (status == DOOR_OK && from->severity == NULL) {
                status = policy_wrong(at, "severity is missing");
        }
        status = status != DOOR_OK ? status : policy_number(at, "severity", from->severity, 0, SEVERITY_MAX);
        for (size_t i = 0; i < index && status == DOOR_OK; i++) {
                if (strcmp(floors[i].of, from->of) == 0) {
                        status = policy_wrong(at, "it stands there twice");
                }
        }
        at->entry = status == DOOR_OK ? NULL : at->entry;
        at->list = status == DOOR_OK ? NULL : at->list;
        return status;
}

static door_status floors_read(policy_reading *at, const file_floors *file, policy_county *county)
{
        TAKE(severity_red, red, 0, SEVERITY_MAX);
        TAKE(severity_amber, amber, 0, SEVERITY_MAX);
        TAKE(severity_green, green, 0, SEVERITY_MAX);
        TAKE(severity_ungraded, ungraded, 0, SEVERITY_MAX);
        TAKE(red_from, red_from, 1, SEVERITY_MAX);
        TAKE(amber_from, amber_from, 1, SEVERITY_MAX);
        if (county->triage.amber_from >= county->triage.red_from ||
            county->triage.severity_red < county->triage.red_from ||
            county->triage.severity_amber < county->triage.amber_from) {
                return policy_wrong(at, "a red grade must count as red, an amber one at least as amber, and "
                                        "amber begins below red");
        }
        if (county->triage.severity_ungraded < county->triage.amber_from) {
                return policy_wrong(at, "ungraded: a referral without a grade is never green");
        }
        if (file->categories_count > POLICY_FLOORS_MAX || file->flags_count > POLICY_FLOORS_MAX) {
                return policy_wrong(at, "at most %d floors of a kind", POLICY_FLOORS_MAX);
        }
        Door__V1__CategoryFloor *categories =
                door_arena_take(county->arena, (file->categories_count + 1) * sizeof *categories);
        Door__V1__FlagFloor *flags = door_arena_take(county->arena, (file->flags_count + 1) * sizeof *flags);
        county->triage.category_floor = door_arena_take_zeroed(county->arena, file->categories_count + 1,
                                                               sizeof *county->triage.category_floor);
        county->triage.flag_floor = door_arena_take_zeroed(county->arena, file->flags_count + 1,
                                                           sizeof *county->triage.flag_floor);
        if (county->triage.flag_floor == NULL) {
                return DOOR_NO_MEMORY;
        }
        for (size_t i = 0; i < file->categories_count; i++) {
                int32_t code = 0;
                const door_status status = floor_read(at, "category", file->categories, i,
                                                      &door__v1__category__descriptor, "CATEGORY_", &code);
                if (status != DOOR_OK) {
                        return status;
                }
                door__v1__category_floor__init(&categories[i]);
                categories[i].category = (Door__V1__Category)code;
                categories[i].severity = *file->categories[i].severity;
                county->triage.category_floor[county->triage.n_category_floor++] = &categories[i];
        }
        for (size_t i = 0; i < file->flags_count; i++) {
                int32_t code = 0;
                const door_status status =
                        floor_read(at, "flag", file->flags, i, &door__v1__flag__descriptor, "FLAG_", &code);
                if (status != DOOR_OK) {
                        return status;
                }
                door__v1__flag_floor__init(&flags[i]);
                flags[i].flag = (Door__V1__Flag)code;
                flags[i].severity = *file->flags[i].severity;
                county->triage.flag_floor[county->triage.n_flag_floor++] = &flags[i];
        }
        return DOOR_OK;
}

door_status policy_floors(policy_reading *at, door_bytes yaml, policy_county *county)
{
        void *data = NULL;
        door_status status = policy_load(at, yaml, &schema_floors, &data);

        if (status == DOOR_OK) {
                status = floors_read(at, data, county);
                policy_unload(&schema_floors, data);
        }
        return status;
}

/* ---- clocks.yaml */

typedef struct file_clocks {
        char *office_from, *office_to; /* "09:00" */
        char **holidays;               /* "2026-12-25" */
        uint32_t holidays_count;
        uint32_t *rag_red_min, *rag_amber_min, *rag_green_min;
        uint32_t *lease_min;
        uint32_t *respond_red_min, *respond_amber_working_min, *respond_green_working_min;
        uint32_t *historic_episode_days;
} file_clocks;

static const cyaml_schema_field_t schema_clocks_fields[] = {
        CYAML_FIELD_STRING_PTR("office_from", POLICY_OPTIONAL, file_clocks, office_from, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("office_to", POLICY_OPTIONAL, file_clocks, office_to, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("holidays", POLICY_OPTIONAL, file_clocks, holidays, &policy_schema_text, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("rag_red_min", POLICY_OPTIONAL, file_clocks, rag_red_min),
        CYAML_FIELD_UINT_PTR("rag_amber_min", POLICY_OPTIONAL, file_clocks, rag_amber_min),
        CYAML_FIELD_UINT_PTR("rag_green_min", POLICY_OPTIONAL, file_clocks, rag_green_min),
        CYAML_FIELD_UINT_PTR("lease_min", POLICY_OPTIONAL, file_clocks, lease_min),
        CYAML_FIELD_UINT_PTR("respond_red_min", POLICY_OPTIONAL, file_clocks, respond_red_min),
        CYAML_FIELD_UINT_PTR("respond_amber_working_min", POLICY_OPTIONAL, file_clocks,
                             respond_amber_working_min),
        CYAML_FIELD_UINT_PTR("respond_green_working_min", POLICY_OPTIONAL, file_clocks,
                             respond_green_working_min),
        CYAML_FIELD_UINT_PTR("historic_episode_days", POLICY_OPTIONAL, file_clocks, historic_episode_days),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_clocks = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_clocks,
                                                                        schema_clocks_fields) };

/* "09:00" into minutes; absent leaves the default. */
static door_status hour_read(const policy_reading *at, const char *field, const char *text, uint32_t *minutes)
{
        if (text == NULL) {
                return DOOR_OK;
        }
        if (strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789") != 2 ||
            strspn(text + 3, "0123456789") != 2) {
                return policy_wrong(at, "%s '%.20s' is no time of day, as 09:00", field, text);
        }
        const uint32_t hour = (uint32_t)((text[0] - '0') * 10 + text[1] - '0');
        const uint32_t minute = (uint32_t)((text[3] - '0') * 10 + text[4] - '0');
        if (hour > 24 || minute > 59 || hour * 60 + minute > DAY_MIN) {
                return policy_wrong(at, "%s '%.20s' is no time of day, as 09:00", field, text);
        }
        *minutes = hour * 60 + minute;
        return DOOR_OK;
}

static door_status holidays_read(policy_reading *at, const file_clocks *file, policy_county *county)
{
        int32_t *days = door_arena_take(county->arena, (file->holidays_count + 1) * sizeof *days);

        if (days == NULL) {
                return DOOR_NO_MEMORY;
        }
        if (file->holidays_count > POLICY_HOLIDAYS_MAX) {
                return policy_wrong(at, "holidays: at most %d", POLICY_HOLIDAYS_MAX);
        }
        for (size_t i = 0; i < file->holidays_count; i++) {
                door_date date;
                at->list = "holidays";
                at->index = i;
                if (!door_date_parse(door_bytes_of(file->holidays[i]), &date)) {
                        return policy_wrong(at, "holiday '%.20s' is no date, as 2026-12-25",
                                            file->holidays[i]);
                }
                days[i] = door_date_to_days(date);
                if (i > 0 && days[i] <= days[i - 1]) {
                        return policy_wrong(at, "holiday '%.20s' is not after the one before it",
                                            file->holidays[i]);
                }
        }
        at->list = NULL;
        county->working.n_holiday = file->holidays_count;
        county->working.holiday = days;
        return DOOR_OK;
}

static door_status clocks_read(policy_reading *at, const file_clocks *file, policy_county *county)
{
        TAKE(rag_red_min, rag_red_min, 1, MINUTES_MAX);
        TAKE(rag_amber_min, rag_amber_min, 1, MINUTES_MAX);
        TAKE(rag_green_min, rag_green_min, 1, MINUTES_MAX);
        TAKE(lease_min, lease_min, 1, DAY_MIN);
        TAKE(respond_red_min, respond_red_min, 1, MINUTES_MAX);
        TAKE(respond_amber_working_min, respond_amber_working_min, 1, MINUTES_MAX);
        TAKE(respond_green_working_min, respond_green_working_min, 1, MINUTES_MAX);
        TAKE(historic_episode_days, historic_episode_days, 1, DAYS_MAX);
        if (county->triage.rag_red_min > county->triage.rag_amber_min ||
            county->triage.rag_amber_min > county->triage.rag_green_min) {
                return policy_wrong(at, "red may not wait longer than amber, nor amber than green");
        }
        door_status status = hour_read(at, "office_from", file->office_from, &county->working.from_min);
        status = status != DOOR_OK ? status
                                   : hour_read(at, "office_to", file->office_to, &county->working.to_min);
        if (status == DOOR_OK && county->working.from_min >= county->working.to_min) {
                status = policy_wrong(at, "the office closes before it opens");
        }
        county->working.has_from_min = 1;
        county->working.has_to_min = 1;
        return status != DOOR_OK ? status : holidays_read(at, file, county);
}

door_status policy_clocks(policy_reading *at, door_bytes yaml, policy_county *county)
{
        void *data = NULL;
        door_status status = policy_load(at, yaml, &schema_clocks, &data);

        if (status == DOOR_OK) {
                status = clocks_read(at, data, county);
                policy_unload(&schema_clocks, data);
        }
        return status;
}
