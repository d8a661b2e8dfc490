#include "door/core.h"

#include <string.h>

door_event *door_out_event(door_out *out, uint32_t type, const void *body)
{
        if (out->events_count == DOOR_EVENTS_PER_INPUT_MAX || body == NULL) {
                /* A body that did not fit in the arena and an event too many are the same to the
                 * shell: this input cannot be decided in the room there is. */
                out->arena->exhausted = true;
                return NULL;
        }
        door_event *event = &out->events[out->events_count++];
        memset(event, 0, sizeof *event);
        event->type = type;
        event->version = 1;
        event->body = body;
        return event;
}

void door_event_subject(door_event *event, door_id_kind kind, const door_id *id)
{
        if (event == NULL || event->subjects_count == DOOR_SUBJECTS_MAX) {
                return;
        }
        for (uint32_t i = 0; i < event->subjects_count; i++) {
                if (event->subjects[i].kind == (uint8_t)kind && door_id_equal(&event->subjects[i].id, id)) {
                        return;
                }
        }
        event->subjects[event->subjects_count++] = (door_subject){ (uint8_t)kind, *id };
}

void door_out_refuse(door_out *out, uint32_t reason, const char *field, const char *detail)
{
        out->refused = true;
        out->refusal = (door_refusal){ reason, field, detail };
}
