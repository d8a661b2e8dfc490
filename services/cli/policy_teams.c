/* teams.yaml: the county's districts, and the teams that may be offered families. */
#include <stdio.h>
#include <string.h>

#include "cli/policy_files.h"
#include "shell/proto_arena.h"

enum {
        NAME_BYTES_MAX = 200,
        DISTRICT_CODE_BYTES = 9,
        AGE_MAX = 25,
        CHILD_AGE_MAX = 17,
        LEVEL_MAX = 4,
        CAPACITY_MAX = 10000,
        TEAM_ID_BYTES_MAX = 32, /* an actor of the team must fit into 63 bytes */
};

typedef struct file_district {
        char *code;
        char *name;
} file_district;

typedef struct file_team {
        char *id;
        char *name;
        char *kind;
        char **districts;
        uint32_t districts_count;
        uint32_t *age_from;
        uint32_t *age_to;
        uint32_t *level_from;
        uint32_t *level_to;
        char **routes;
        uint32_t routes_count;
        uint32_t *capacity;
        char *successor;
        char **email;
        uint32_t email_count;
} file_team;

typedef struct file_teams {
        file_district *districts;
        uint32_t districts_count;
        file_team *teams;
        uint32_t teams_count;
} file_teams;

static const cyaml_schema_field_t schema_district_fields[] = {
        CYAML_FIELD_STRING_PTR("code", POLICY_OPTIONAL, file_district, code, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("name", POLICY_OPTIONAL, file_district, name, 0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_district = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_district,
                                                                          schema_district_fields) };

static const cyaml_schema_field_t schema_team_fields[] = {
        CYAML_FIELD_STRING_PTR("id", POLICY_OPTIONAL, file_team, id, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("name", POLICY_OPTIONAL, file_team, name, 0, CYAML_UNLIMITED),
        CYAML_FIELD_STRING_PTR("kind", POLICY_OPTIONAL, file_team, kind, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("districts", POLICY_OPTIONAL, file_team, districts, &policy_schema_text, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("age_from", POLICY_OPTIONAL, file_team, age_from),
        CYAML_FIELD_UINT_PTR("age_to", POLICY_OPTIONAL, file_team, age_to),
        CYAML_FIELD_UINT_PTR("level_from", POLICY_OPTIONAL, file_team, level_from),
        CYAML_FIELD_UINT_PTR("level_to", POLICY_OPTIONAL, file_team, level_to),
        CYAML_FIELD_SEQUENCE("routes", POLICY_OPTIONAL, file_team, routes, &policy_schema_text, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_UINT_PTR("capacity", POLICY_OPTIONAL, file_team, capacity),
        CYAML_FIELD_STRING_PTR("successor", POLICY_OPTIONAL, file_team, successor, 0, CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("email", POLICY_OPTIONAL, file_team, email, &policy_schema_text, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_team = { CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, file_team,
                                                                      schema_team_fields) };

static const cyaml_schema_field_t schema_file_fields[] = {
        CYAML_FIELD_SEQUENCE("districts", POLICY_OPTIONAL, file_teams, districts, &schema_district, 0,
                             CYAML_UNLIMITED),
        CYAML_FIELD_SEQUENCE("teams", POLICY_OPTIONAL, file_teams, teams, &schema_team, 0, CYAML_UNLIMITED),
        CYAML_FIELD_END,
};
static const cyaml_schema_value_t schema_file = { CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, file_teams,
                                                                      schema_file_fields) };

/* ---- districts */

static door_status districts_read(policy_reading *at, const file_teams *file, policy_county *county)
{
        if (file->districts_count == 0 || file->districts_count > POLICY_DISTRICTS_MAX) {
                return policy_wrong(at, "districts: 1 to %d, got %u", POLICY_DISTRICTS_MAX,
                                    file->districts_count);
        }
        at->kind = "district";
        for (size_t i = 0; i < file->districts_count; i++) {
                const file_district *from = &file->districts[i];
                policy_district *to = &county->districts[i];
                at->entry = from->name != NULL ? from->name : "without a name";
                at->list = "districts";
                at->index = i;
                door_status status = policy_name(at, "name", from->name, sizeof to->name - 1);
                if (status == DOOR_OK && (from->code == NULL || strlen(from->code) != DISTRICT_CODE_BYTES)) {
                        status = policy_wrong(at, "code: nine characters, as E07000081");
                }
                for (size_t n = 0; n < i && status == DOOR_OK; n++) {
                        if (strcmp(county->districts[n].code, from->code) == 0 ||
                            strcmp(county->districts[n].name, from->name) == 0) {
                                status = policy_wrong(at, "it stands there twice");
                        }
                }
                if (status != DOOR_OK) {
                        return status;
                }
                memcpy(to->code, from->code, sizeof to->code);
                memcpy(to->name, from->name, strlen(from->name) + 1);
                county->districts_count++;
        }
        at->entry = NULL;
        at->list = NULL;
        return DOOR_OK;
}

static const policy_district *district_named(const policy_county *county, const char *name)
{
        for (size_t i = 0; i < county->districts_count; i++) {
                if (strcmp(county->districts[i].name, name) == 0) {
                        return &county->districts[i];
                }
        }
        return NULL;
}

/* ---- teams */

static bool id_is_plain(const char *id)
{
        return strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(id);
}

static door_status routes_read(const policy_reading *at, const file_team *from, Door__V1__Team *to)
{
        for (size_t i = 0; i < from->routes_count; i++) {
                const char *route = from->routes[i];
                protobuf_c_boolean *field = strcmp(route, "disability") == 0    ? &to->route_disability
                                            : strcmp(route, "unborn") == 0      ? &to->route_unborn
                                            : strcmp(route, "in_care") == 0     ? &to->route_in_care
                                            : strcmp(route, "care_leaver") == 0 ? &to->route_care_leaver
                                            : strcmp(route, "adolescent") == 0  ? &to->route_adolescent
                                                                                : NULL;
                if (field == NULL) {
                        return policy_wrong(at,
                                            "route '%.40s' is none of disability, unborn, in_care, "
                                            "care_leaver, adolescent",
                                            route);
                }
                *field = 1;
        }
        to->has_route_disability = to->route_disability;
        to->has_route_unborn = to->route_unborn;
        to->has_route_in_care = to->route_in_care;
        to->has_route_care_leaver = to->route_care_leaver;
        to->has_route_adolescent = to->route_adolescent;
        return DOOR_OK;
}

static door_status numbers_read(const policy_reading *at, const file_team *from, Door__V1__Team *to)
{
        door_status status = policy_number(at, "age_from", from->age_from, 0, AGE_MAX);

        status = status != DOOR_OK ? status : policy_number(at, "age_to", from->age_to, 0, AGE_MAX);
        status = status != DOOR_OK ? status : policy_number(at, "level_from", from->level_from, 1, LEVEL_MAX);
        status = status != DOOR_OK ? status : policy_number(at, "level_to", from->level_to, 1, LEVEL_MAX);
        status = status != DOOR_OK ? status : policy_number(at, "capacity", from->capacity, 1, CAPACITY_MAX);
        if (status != DOOR_OK) {
                return status;
        }
        if ((from->age_from == NULL) != (from->age_to == NULL)) {
                return policy_wrong(at, "age_from and age_to stand together or not at all");
        }
        if (from->age_from != NULL) {
                to->has_age_from = 1;
                to->age_from = *from->age_from;
                to->has_age_to = 1;
                to->age_to = *from->age_to;
        }
        to->has_level_from = from->level_from != NULL;
        to->level_from = from->level_from != NULL ? *from->level_from : 1;
        to->has_level_to = from->level_to != NULL;
        to->level_to = from->level_to != NULL ? *from->level_to : LEVEL_MAX;
        if (to->age_from > to->age_to || to->level_from > to->level_to) {
                return policy_wrong(at, "it takes nobody: a range ends before it begins");
        }
        to->has_capacity = from->capacity != NULL;
        to->capacity = from->capacity != NULL ? *from->capacity : 0;
        return DOOR_OK;
}

static door_status team_read(const policy_reading *at, const file_team *from, policy_county *county,
                             Door__V1__Team *to)
{
        int32_t kind = 0;
        door_status status = policy_name(at, "id", from->id, TEAM_ID_BYTES_MAX);

        if (status == DOOR_OK && !id_is_plain(from->id)) {
                status = policy_wrong(at, "id: small letters, digits and hyphens only");
        }
        status = status != DOOR_OK ? status : policy_name(at, "name", from->name, NAME_BYTES_MAX);
        status = status != DOOR_OK ? status
                                   : policy_word(at, "kind", from->kind, &door__v1__team_kind__descriptor,
                                                 "TEAM_", &kind);
        status = status != DOOR_OK ? status : numbers_read(at, from, to);
        status = status != DOOR_OK ? status : routes_read(at, from, to);
        status = status != DOOR_OK ? status
                                   : policy_recipient(at, county, from->id, from->email, from->email_count);
        if (status != DOOR_OK) {
                return status;
        }
        if (from->districts_count > county->districts_count) {
                return policy_wrong(at, "districts: more than the county has");
        }
        to->id = door_proto_string(county->arena, door_bytes_of(from->id));
        to->name = door_proto_string(county->arena, door_bytes_of(from->name));
        to->kind = (Door__V1__TeamKind)kind;
        to->successor = from->successor == NULL
                                ? NULL
                                : door_proto_string(county->arena, door_bytes_of(from->successor));
        to->district = door_arena_take_zeroed(county->arena, from->districts_count + 1, sizeof *to->district);
        for (size_t i = 0; i < from->districts_count && to->district != NULL; i++) {
                const policy_district *district = district_named(county, from->districts[i]);
                if (district == NULL) {
                        return policy_wrong(at, "district '%.40s' is none of the county's",
                                            from->districts[i]);
                }
                to->district[to->n_district++] =
                        door_proto_string(county->arena, door_bytes_of(district->code));
        }
        return county->arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

static const Door__V1__Team *team_named(const policy_county *county, const char *id)
{
        for (size_t i = 0; i < county->allot.n_team; i++) {
                if (strcmp(county->allot.team[i]->id, id) == 0) {
                        return county->allot.team[i];
                }
        }
        return NULL;
}

static door_status teams_read(policy_reading *at, const file_teams *file, policy_county *county)
{
        if (file->teams_count == 0 || file->teams_count > POLICY_TEAMS_MAX) {
                return policy_wrong(at, "teams: 1 to %d, got %u", POLICY_TEAMS_MAX, file->teams_count);
        }
        Door__V1__Team *teams = door_arena_take(county->arena, file->teams_count * sizeof *teams);
        county->allot.team =
                door_arena_take_zeroed(county->arena, file->teams_count, sizeof *county->allot.team);
        if (county->allot.team == NULL) {
                return DOOR_NO_MEMORY;
        }
        at->kind = "team";
        for (size_t i = 0; i < file->teams_count; i++) {
                at->entry = file->teams[i].id != NULL ? file->teams[i].id : "without an id";
                at->list = "teams";
                at->index = i;
                if (file->teams[i].id != NULL && team_named(county, file->teams[i].id) != NULL) {
                        return policy_wrong(at, "it stands there twice");
                }
                door__v1__team__init(&teams[i]);
                const door_status status = team_read(at, &file->teams[i], county, &teams[i]);
                if (status != DOOR_OK) {
                        return status;
                }
                county->allot.team[county->allot.n_team++] = &teams[i];
        }
        at->entry = NULL;
        at->list = NULL;
        return DOOR_OK;
}

/* ---- the teams together: nobody may fall between them */

static size_t kind_count(const policy_county *county, Door__V1__TeamKind kind)
{
        size_t count = 0;

        for (size_t i = 0; i < county->allot.n_team; i++) {
                count += county->allot.team[i]->kind == kind ? 1 : 0;
        }
        return count;
}

static bool has_route(const Door__V1__Team *team)
{
        return team->route_disability || team->route_unborn || team->route_in_care ||
               team->route_care_leaver || team->route_adolescent;
}

static bool takes(const Door__V1__Team *team, const char *district, uint32_t age, uint32_t level)
{
        bool here = team->n_district == 0;

        for (size_t i = 0; i < team->n_district; i++) {
                here = here || strcmp(team->district[i], district) == 0;
        }
        return here && !has_route(team) &&
               (!team->has_age_from || (age >= team->age_from && age <= team->age_to)) &&
               level >= team->level_from && level <= team->level_to &&
               (team->kind == DOOR__V1__TEAM_KIND__TEAM_SOCIAL_CARE ||
                (level < 3 && team->kind == DOOR__V1__TEAM_KIND__TEAM_EARLY_HELP));
}

static door_status coverage_check(const policy_reading *at, const policy_county *county)
{
        for (size_t d = 0; d < county->districts_count; d++) {
                for (uint32_t level = 2; level <= LEVEL_MAX; level++) {
                        for (uint32_t age = 0; age <= CHILD_AGE_MAX; age++) {
                                bool taken = false;
                                for (size_t i = 0; i < county->allot.n_team; i++) {
                                        taken = taken || takes(county->allot.team[i],
                                                               county->districts[d].code, age, level);
                                }
                                if (!taken) {
                                        return policy_wrong(at,
                                                            "nobody takes a child of %u at level %u in "
                                                            "%.40s",
                                                            age, level, county->districts[d].name);
                                }
                        }
                }
        }
        return DOOR_OK;
}

static door_status together_check(policy_reading *at, const policy_county *county)
{
        if (kind_count(county, DOOR__V1__TEAM_KIND__TEAM_FRONT_DOOR) != 1 ||
            kind_count(county, DOOR__V1__TEAM_KIND__TEAM_EMERGENCY_DUTY) != 1) {
                return policy_wrong(at, "exactly one team of kind front_door and one of kind emergency_duty");
        }
        for (size_t i = 0; i < county->allot.n_team; i++) {
                const char *successor = county->allot.team[i]->successor;
                at->entry = county->allot.team[i]->id;
                at->list = "teams";
                at->index = i;
                if (successor != NULL &&
                    (strcmp(successor, at->entry) == 0 || team_named(county, successor) == NULL)) {
                        return policy_wrong(at, "successor '%.40s' is no other team", successor);
                }
        }
        at->entry = NULL;
        at->list = NULL;
        return coverage_check(at, county);
}

door_status policy_teams(policy_reading *at, door_bytes yaml, policy_county *county)
{
        void *data = NULL;
        door_status status = policy_load(at, yaml, &schema_file, &data);

        if (status != DOOR_OK) {
                return status;
        }
        status = districts_read(at, data, county);
        if (status == DOOR_OK) {
                status = teams_read(at, data, county);
        }
        policy_unload(&schema_file, data);
        return status != DOOR_OK ? status : together_check(at, county);
}
