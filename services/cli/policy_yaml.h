/*
 * policy_yaml.h - a county's policy files into the messages services remember.
 *
 * YAML is read by the command alone (MECHANISM section 2, rule 6). Every mistake is one plain
 * sentence that names the file, the line and the entry; a folder with one mistake sends nothing.
 *
 *      readers: [gateway, command]      # peers that may fetch content for the staff behind them
 *      future_tolerance_s: 300          # how far agencies' clocks may run ahead unremarked
 *      rate_per_minute: 600             # submissions of one agency
 *      agencies:
 *        - id: police                   # what stands in a referral's "agency"
 *          kind: police                 # AgencyKind of proto/door/v1/policy.proto, in lower case
 *          name: Gloucestershire Constabulary
 *          peers: [gateway, command]    # peers of peers.yaml that may send for it
 *          rate_per_minute: 1200        # optional
 */
#ifndef CLI_POLICY_YAML_H
#define CLI_POLICY_YAML_H

#include "door/arena.h"
#include "door/limits.h"
#include "door/status.h"

/*
 * policy_yaml_intake - agencies.yaml into a packed IntakePolicy.
 *
 *   yaml         [in]   the file's bytes; at most DOOR_POLICY_BYTES_MAX.
 *   name         [in]   the file's name, for the error's text.
 *   arena        [in]   holds the result.
 *   ret_content  [out]  for PolicyActivated.content.
 *
 * Returns DOOR_OK; DOOR_INVALID with a sentence; DOOR_NO_MEMORY.
 */
door_status policy_yaml_intake(door_bytes yaml, const char *name, door_arena *arena, door_bytes *ret_content,
                               door_error *reterr_error);

#endif
