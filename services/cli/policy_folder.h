/*
 * policy_folder.h - a county's folder of policy files into what each service remembers.
 *
 *      folder ──► read, checked one by one and against each other ──► one section a service
 *
 * One mistake and there is no section at all: a county with half a policy is none.
 */
#ifndef CLI_POLICY_FOLDER_H
#define CLI_POLICY_FOLDER_H

#include "door/arena.h"
#include "door/status.h"

typedef struct policy_section {
        const char *service; /* "intake" */
        door_bytes content;  /* For PolicyActivated.content; in the arena. */
} policy_section;

enum { POLICY_SECTIONS = 5 };

/*
 * policy_folder_read - all files of `folder`, and frontdoor.yaml in it or beside it.
 *
 *   ret_sections  [out]  POLICY_SECTIONS of them, in the order in which they are sent: who is asked
 *                        downstream knows its policy before intake lets anything in.
 *
 * Returns DOOR_OK; DOOR_INVALID, DOOR_NOT_FOUND or DOOR_TOO_LARGE with a sentence that names the
 * file; DOOR_NO_MEMORY.
 */
door_status policy_folder_read(const char *folder, door_arena *arena, policy_section *ret_sections,
                               door_error *reterr_error);

#endif
