/*
 * notify_text.h - a delivery as a message, in plain English.
 *
 * Fixed sentences, ids, a severity's word, instants on London's clocks: no name, birth date, address
 * or word of a narrative can get in, because none is there to be taken. The same record under the same policy
 * gives the same bytes: Date is when it was planned, Message-ID the delivery's key.
 *
 * What goes to the executor (a frame):
 *
 *   version u8 (1)   sender u16+bytes   count u16, that many addresses u16+bytes   the rest: the message
 *
 * The message is RFC 5322, lines end in CR LF, all of it ASCII.
 */
#ifndef NOTIFY_TEXT_H
#define NOTIFY_TEXT_H

#include "notification/notify_state.h"

typedef struct notify_mail {
        door_bytes sender;
        size_t to_count; /* 0: the policy has no address for this recipient. */
        door_bytes to[NOTIFY_EMAILS_MAX];
        door_bytes message;
} notify_mail;

/* The frame of a delivery's next attempt; empty (and the arena's latch set) when it is full. */
door_bytes notify_frame_make(const notify_policy *policy, const door_id *id, const notify_delivery *delivery,
                             door_arena *arena);
/* False for bytes that are no frame. Borrowed from frame. */
bool notify_frame_read(door_bytes frame, notify_mail *ret_mail);

/* The sentence of a reason; NULL for a kind or a code that has none. */
const char *notify_why_text(notify_kind kind, uint32_t why);

#endif
