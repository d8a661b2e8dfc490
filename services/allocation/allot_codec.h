/*
 * allot_codec.h - between the protos and allocation's structs.
 *
 *   EpisodeOpened, EpisodeDecided, EpisodeClosed, EpisodeReopened,
 *   EpisodeFolded, EpisodeRestored ──► allot_episode_word
 *   allot_word ◄──► the records of allocation.proto
 */
#ifndef ALLOT_CODEC_H
#define ALLOT_CODEC_H

#include "allocation/allot_core.h"

extern const door_core_ops allot_ops;

#endif
