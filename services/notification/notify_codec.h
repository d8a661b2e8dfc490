/*
 * notify_codec.h - between the protos and notification's structs.
 *
 *   intake: headers only, so there is nothing to decode; who and what stands in the header's subjects
 *   triage, allocation: of each record the few fields a message is made from ──► notify_seen
 */
#ifndef NOTIFY_CODEC_H
#define NOTIFY_CODEC_H

#include "notification/notify_core.h"

extern const door_core_ops notify_ops;

#endif
