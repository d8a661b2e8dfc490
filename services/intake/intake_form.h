/*
 * intake_form.h - from a referral as it was sent to what intake decides on, and what it hands on.
 *
 *      bounds ─► (unpacked) ─► digests of what was sent ─► dates read ─► narrative cut ─► packed
 *                                                                 ├─► the form the core decides on
 *                                                                 └─► facts: what others need of it
 *
 * The order matters. Digests come before dates are read, so that neither a later retry nor a
 * better reader turns a repeat into another content.
 */
#ifndef INTAKE_FORM_H
#define INTAKE_FORM_H

#include "door/v1/referral.pb-c.h"
#include "intake/intake_core.h"

/*
 * intake_form_bounds - may this body be unpacked? Ten thousand people must be refused in words,
 * not run the arena full.
 *
 *   type   [in]   of the body, a message that carries one referral as field number `field`.
 *   form   [out]  bound and bound_got, when a bound of limits.h is broken.
 *
 * Returns DOOR_OK; DOOR_MALFORMED for bytes that are no such message, or carry two referrals.
 */
door_status intake_form_bounds(const ProtobufCMessageDescriptor *type, door_bytes body, uint32_t field,
                               intake_form *form);

/*
 * intake_form_read - the whole way from an unpacked referral to a form.
 *
 *   referral  [in,out]  dates are read and the narrative is cut in place.
 *   form      [out]     borrowed from arena and referral.
 *
 * Returns DOOR_OK; DOOR_NO_MEMORY when the arena is full.
 */
door_status intake_form_read(Door__V1__Referral *referral, door_arena *arena, intake_form *form);

#endif
