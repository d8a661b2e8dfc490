#include "shell/fold.h"

#include <string.h>

#include "shell/frame.h"
#include "shell/shell_state.h"

door_status door_fold_event(const door_core_ops *core, const door_header *header, door_bytes public_payload,
                            door_bytes private_payload, door_arena *arena, door_event *ret_event)
{
        door_event event = {
                .type = header->type,
                .version = header->version,
                .flags = header->flags,
                .subjects_count = header->subjects_count,
                .seq = header->seq,
                .at_ms = header->at_ms,
                .cause = header->cause,
                .command_id = header->has_command_id ? &header->command_id : NULL,
                .answer_seq = header->has_command_id ? header->seq - header->index : 0,
        };

        memcpy(event.subjects, header->subjects, sizeof event.subjects);
        const door_status status = core->decode_event(header->type, header->version, public_payload,
                                                      private_payload, arena, &event.body);
        if (status == DOOR_OK) {
                *ret_event = event;
        }
        return status;
}

door_status door_fold(const door_core_ops *core, door_view *view, const door_header *header,
                      door_bytes public_payload, door_bytes private_payload, door_arena *arena)
{
        view->writable = true;
        door_status status = shell_state_apply(view, header, public_payload, arena);
        if (status == DOOR_OK && header->type > DOOR__V1__SHELL_TYPE__SHELL_TYPE_LAST) {
                door_event event;
                status = door_fold_event(core, header, public_payload, private_payload, arena, &event);
                if (status == DOOR_OK) {
                        core->apply(view, &event);
                }
        }
        view->writable = false;
        return status;
}
