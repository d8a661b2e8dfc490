/* empty_reader.h - a state with nothing in it, for cores that are given bytes of strangers. */
#ifndef FUZZ_EMPTY_READER_H
#define FUZZ_EMPTY_READER_H

#include "door/view.h"

static door_status empty_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                             bool *ret_found)
{
        (void)context;
        (void)key;
        (void)arena;
        (void)ret_value;
        *ret_found = false;
        return DOOR_OK;
}

static door_status empty_next(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                              door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        (void)inclusive;
        (void)prefix;
        (void)ret_key;
        return empty_get(context, from, arena, ret_value, ret_found);
}

#endif
