/*
 * dedup_codec.h - between the protos and deduplication's structs.
 *
 *   ReferralReceived ──► names folded, dates and numbers read ──► dedup_features, once and for all
 *   dedup_matched ──► ReferralMatched (public: facts block, ids, codes) + MatchedPrivate
 *
 * Normalised forms are computed here, before decide, and stored in the event: a better
 * normaliser one day changes nothing that has been recorded (MECHANISM rule 6).
 */
#ifndef DEDUP_CODEC_H
#define DEDUP_CODEC_H

#include "deduplication/dedup_core.h"

extern const door_core_ops dedup_ops;

enum { DEDUP_NORMALISER_VERSION = 1 };

/*
 * dedup_fold_name - lower case, marks off Latin letters, apostrophes gone, everything else that
 * is no letter or digit one blank. Letters of other scripts stay as they are. At most
 * DEDUP_NAME_BYTES_MAX bytes; words that name nobody ("unknown", "baby", "unborn") are left out.
 */
door_bytes dedup_fold_name(door_bytes name, door_arena *arena);

#endif
