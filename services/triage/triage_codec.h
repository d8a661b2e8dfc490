/*
 * triage_codec.h - between the protos and triage's structs.
 *
 *   ReferralMatched, OfferAccepted, OfferReturned, commands ──► triage's structs
 *   triage's structs ──► the records of triage.proto, and back for apply
 *
 * Nothing here decides. What routing needs of the people (age bands, disability, care) is gathered
 * here, once, and stored in the record.
 */
#ifndef TRIAGE_CODEC_H
#define TRIAGE_CODEC_H

#include "triage/triage_core.h"

extern const door_core_ops triage_ops;

#endif
