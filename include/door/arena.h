/*
 * arena.h - memory that is taken piece by piece and given back all at once.
 *
 * One arena holds what one batch or one frame needs. Taking is a bump; freeing does not
 * exist; reset makes it empty. A full arena latches `exhausted`, answers NULL from then on,
 * and the shell tests the latch before anything is committed: a core cannot half-see it.
 */
#ifndef DOOR_ARENA_H
#define DOOR_ARENA_H

#include "door/bytes.h"

typedef struct door_arena {
        uint8_t *base;  /* Caller's storage, aligned for any type. */
        size_t cap;     /* Bytes. */
        size_t used;    /* Bytes, 0..cap. */
        bool exhausted; /* A take has failed since the last reset. */
} door_arena;

/* Where an arena stood, to roll back to. */
typedef struct door_arena_mark {
        size_t used;
} door_arena_mark;

void door_arena_init(door_arena *arena, void *storage, size_t cap);
void door_arena_reset(door_arena *arena);
door_arena_mark door_arena_here(const door_arena *arena);
/* Gives back everything taken since mark; keeps the latch. */
void door_arena_rewind(door_arena *arena, door_arena_mark mark);

/* size bytes aligned for any type, not cleared; NULL and the latch when they do not fit. */
void *door_arena_take(door_arena *arena, size_t size);
/* The same, cleared. count * size must not overflow, else NULL and the latch. */
void *door_arena_take_zeroed(door_arena *arena, size_t count, size_t size);
/* A copy. Empty bytes yield empty bytes; a failed take yields empty bytes and the latch. */
door_bytes door_arena_copy(door_arena *arena, door_bytes bytes);

#endif
