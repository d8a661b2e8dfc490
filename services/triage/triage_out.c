#include "triage/triage_out.h"

door_event *triage_emit(door_out *out, triage_event type, const void *body, const door_id *episode,
                        const door_id *referral)
{
        if (body == NULL) {
                return NULL;
        }
        door_event *event = door_out_event(out, type, body);
        if (event != NULL && episode != NULL) {
                door_event_subject(event, DOOR_ID_EPISODE, episode);
        }
        if (event != NULL && referral != NULL) {
                door_event_subject(event, DOOR_ID_REFERRAL, referral);
        }
        return event;
}

void triage_emit_placed(door_out *out, triage_event type, const triage_placed *placed)
{
        door_event *event = triage_emit(
                out, type, placed, type == TRIAGE_HISTORY_NOTED ? NULL : &placed->episode, &placed->referral);
        if (event != NULL && placed->historic) {
                event->flags |= DOOR_FLAG_HISTORIC;
        }
}
