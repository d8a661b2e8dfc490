/*
 * story_text.h - a protobuf message as one line of text that does not depend on chance.
 *
 * Every field that is set, by name, walked by descriptor: a field added to the schema is told
 * without anybody remembering to. Ids are random bytes, so each is told as "#n", the n-th id of
 * its story; digests and packed bytes as the first eight digits of their own digest.
 */
#ifndef SIM_STORY_TEXT_H
#define SIM_STORY_TEXT_H

#include <protobuf-c/protobuf-c.h>
#include <stdio.h>

#include "door/id.h"

enum { STORY_IDS_MAX = 65536 };

/* The ids a story has met, in order; #1 is ids[0]. */
typedef struct story_ids {
        door_id *items;
        size_t count;
} story_ids;

/* The place of an id, from 1; it is added when it is new. Aborts past STORY_IDS_MAX. */
size_t story_id(story_ids *ids, const uint8_t bytes[DOOR_ID_BYTES]);

void story_message_print(FILE *out, story_ids *ids, const ProtobufCMessage *message);

#endif
