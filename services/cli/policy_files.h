/*
 * policy_files.h - what the readers of the county's files share: one file each, policy_<name>.c.
 *
 *      agencies.yaml   who may refer                        ─► intake; mailboxes ─► notification
 *      teams.yaml      districts and teams                  ─► allocation; mailboxes ─► notification
 *      floors.yaml     what is how severe                   ─► triage; red ─► notification
 *      clocks.yaml     office hours, holidays, deadlines    ─► triage, notification
 *      postcodes.csv   the county's postcodes (ONS)         ─► deduplication
 *      ../frontdoor.yaml   training or live, telephones     ─► triage, allocation, notification
 *
 * Strings of a section are copied into the county's arena: libcyaml's data are gone after the file.
 */
#ifndef CLI_POLICY_FILES_H
#define CLI_POLICY_FILES_H

#include <cyaml/cyaml.h>

#include "door/arena.h"
#include "door/limits.h"
#include "door/status.h"
#include "door/v1/policy.pb-c.h"

enum {
        POLICY_RECIPIENTS_MAX = 1280, /* agencies and teams */
        POLICY_EMAILS_MAX = 8,
        POLICY_TEAMS_MAX = 256,
        POLICY_DISTRICTS_MAX = 64,
        POLICY_FLOORS_MAX = 128,
        POLICY_HOLIDAYS_MAX = 512,
        POLICY_OPTIONAL = CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
};

typedef struct policy_district {
        char code[10]; /* GSS, "E07000081" */
        char name[64];
} policy_district;

/* What has been read so far; filled file by file, packed at the end (policy_folder.c). */
typedef struct policy_county {
        door_arena *arena;
        bool training;
        bool replay_history;
        Door__V1__TriagePolicy triage;
        Door__V1__AllotPolicy allot;
        Door__V1__NotifyPolicy notify;
        Door__V1__DedupPolicy dedup;
        Door__V1__WorkingTime working;
        Door__V1__PostcodeTable postcodes;
        size_t districts_count;
        policy_district districts[POLICY_DISTRICTS_MAX];
        size_t recipients_count;
        Door__V1__Recipient recipients[POLICY_RECIPIENTS_MAX];
} policy_county;

/* Where a reader is, so that every check is one line. */
typedef struct policy_reading {
        const char *file;
        const char *kind;  /* "agency", "team" … */
        const char *entry; /* Its id; NULL above them. */
        const char *list;  /* The file's key it stands under, and its place there; NULL: none. */
        size_t index;
        door_bytes yaml; /* The file, for its lines; empty where it is none. */
        door_error *error;
} policy_reading;

extern const cyaml_schema_value_t policy_schema_text;

/* The line the sentence is about: of the field it begins with, else of the entry; 0: not known. */
unsigned policy_line(const policy_reading *at, const char *sentence);
/* DOOR_INVALID, with "file:line: kind entry: sentence". */
door_status policy_wrong(const policy_reading *at, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/* A name that is there, is UTF-8 and has at most bytes_max bytes. */
door_status policy_name(const policy_reading *at, const char *field, const char *text, size_t bytes_max);
/* A code of an enum by its word in lower case, without the enum's prefix. */
door_status policy_word(const policy_reading *at, const char *field, const char *word,
                        const ProtobufCEnumDescriptor *type, const char *prefix, int32_t *ret_value);
/* NULL is fine: the default. */
door_status policy_number(const policy_reading *at, const char *field, const uint32_t *number, uint32_t from,
                          uint32_t to);
/* The mailboxes of an agency or a team. None is fine. */
door_status policy_recipient(const policy_reading *at, policy_county *county, const char *id,
                             char *const *email, size_t email_count);

/* YAML into the schema's struct, to be unloaded; errors name the line. */
door_status policy_load(const policy_reading *at, door_bytes yaml, const cyaml_schema_value_t *schema,
                        void **ret_data);
void policy_unload(const cyaml_schema_value_t *schema, void *data);

/* ---- the readers. `county` may be NULL for agencies alone. */
door_status policy_agencies(policy_reading *at, door_bytes yaml, policy_county *county, door_arena *arena,
                            door_bytes *ret_content);
door_status policy_teams(policy_reading *at, door_bytes yaml, policy_county *county);
door_status policy_floors(policy_reading *at, door_bytes yaml, policy_county *county);
door_status policy_clocks(policy_reading *at, door_bytes yaml, policy_county *county);
door_status policy_frontdoor(policy_reading *at, door_bytes yaml, policy_county *county);
/* The ONS list: "pcd,laua,…" with a heading, in any order. Needs the districts of teams.yaml. */
door_status policy_postcodes(policy_reading *at, door_bytes csv, policy_county *county);

#endif
