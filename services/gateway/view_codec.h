/*
 * view_codec.h - between the records of five logs and view_fact, between questions and view_question.
 *
 * Bytes of other services are a trust boundary like any: checked against their descriptor, unpacked,
 * ids of ten bytes, texts no longer than VIEW_TEXT_BYTES_MAX (cut at a character). What does not
 * decode is MALFORMED and parked by the machine. Names of people, addresses and words are not taken
 * over from anywhere.
 */
#ifndef VIEW_CODEC_H
#define VIEW_CODEC_H

#include "gateway/view_core.h"

extern const door_core_ops view_ops;

#endif
