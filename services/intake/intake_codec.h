/*
 * intake_codec.h - between proto/door/v1/intake.proto and the core's structs.
 *
 * This is the trust boundary: bytes of agencies arrive here. They are checked before they are
 * unpacked (shell/proto_arena.h), and what the core is handed is normalised: dates read,
 * digests taken, facts and persons set apart from the form.
 *
 *   Submit ──► over a bound? ──► check text, enums, cost ──► unpack
 *          ──► pack without sent_at and read dates ──► content digest
 *          ──► read dates, cut a long narrative ──► pack: the content that is kept
 *          ──► facts (public payload), folded digests, intake_form
 *
 * The digest is taken before dates are read and the narrative is cut, so that neither a better
 * reader nor another bound turns a repeat into another content.
 */
#ifndef INTAKE_CODEC_H
#define INTAKE_CODEC_H

#include "intake/intake_core.h"

extern const door_core_ops intake_ops;

/* "/people/3/dob" and back; the pointer lies in the arena, NULL when that is full. */
const char *intake_pointer_print(const intake_warning *warning, door_arena *arena);
bool intake_pointer_parse(const char *pointer, uint16_t *ret_field, uint16_t *ret_person);

#endif
