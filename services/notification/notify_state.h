/*
 * notify_state.h - what notification remembers, byte by byte.
 *
 *   table           key after the table byte                value
 *   DELIVERY  0x01  delivery 10                             v1, state u8, and unless it is DONE:
 *                                                           attempts u32, next u64, planned u64, kind u8,
 *                                                           bits u8 (referral 1, episode 2, severity 4),
 *                                                           referral 10, episode 10, severity u32,
 *                                                           why u32, due u64, recipient u16 and bytes
 *   DUE       0x02  lane u8, next u64, delivery 10          (nothing); of PENDING ones only
 *   OWNER     0x03  episode 10                              v1, team u16 and bytes; none: the front door
 *
 * Integers are big-endian. Lane 0 is red and look-now, lane 1 the rest; next is when to try again, and
 * 0 for the first time: at once, whatever the clock says. Every row belongs to the delivery or episode
 * that stands in its key. A reader that meets another layout stops.
 */
#ifndef NOTIFY_STATE_H
#define NOTIFY_STATE_H

#include "notification/notify_core.h"

typedef enum notify_standing {
        NOTIFY_PENDING = 1,
        NOTIFY_WITH_PERSON = 2, /* given up */
        NOTIFY_DONE = 3,
} notify_standing;

typedef struct notify_delivery {
        notify_standing standing;
        uint32_t attempts;
        uint64_t next_ms;
        uint64_t planned_ms;
        notify_message message; /* Zero when DONE. recipient is borrowed from the view's arena. */
} notify_delivery;

bool notify_delivery_get(door_view *view, const door_id *id, notify_delivery *ret_delivery);
/* Keeps the due index in step. */
void notify_delivery_put(door_view *view, const door_id *id, const notify_delivery *delivery);

/* The first of a lane that is none of `busy`; reads busy_count + 1 rows at most. */
bool notify_due_first(door_view *view, bool urgent, const door_id *busy, size_t busy_count, door_id *ret_id,
                      uint64_t *ret_next_ms);
bool notify_is_urgent(notify_kind kind);

/* The team that owns an episode; false: the front door does. */
bool notify_owner_get(door_view *view, const door_id *episode, door_bytes *ret_team);
/* An empty team: the front door again. */
void notify_owner_put(door_view *view, const door_id *episode, door_bytes team);

#endif
