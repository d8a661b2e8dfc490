#include "door/arena.h"

#include <string.h>

#include "door/status.h"

enum { ALIGNMENT = 16 };

void door_arena_init(door_arena *arena, void *storage, size_t cap)
{
        DOOR_REQUIRE(storage != NULL && (uintptr_t)storage % ALIGNMENT == 0);
        *arena = (door_arena){ .base = storage, .cap = cap };
}

void door_arena_reset(door_arena *arena)
{
        arena->used = 0;
        arena->exhausted = false;
}

door_arena_mark door_arena_here(const door_arena *arena)
{
        return (door_arena_mark){ arena->used };
}

void door_arena_rewind(door_arena *arena, door_arena_mark mark)
{
        DOOR_REQUIRE(mark.used <= arena->used);
        arena->used = mark.used;
}

void *door_arena_take(door_arena *arena, size_t size)
{
        const size_t start = (arena->used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

        if (arena->exhausted || start > arena->cap || size > arena->cap - start) {
                arena->exhausted = true;
                return NULL;
        }
        arena->used = start + size;
        return arena->base + start;
}

void *door_arena_take_zeroed(door_arena *arena, size_t count, size_t size)
{
        if (size != 0 && count > SIZE_MAX / size) {
                arena->exhausted = true;
                return NULL;
        }
        void *at = door_arena_take(arena, count * size);
        if (at != NULL) {
                memset(at, 0, count * size);
        }
        return at;
}

door_bytes door_arena_copy(door_arena *arena, door_bytes bytes)
{
        if (bytes.len == 0) {
                return DOOR_BYTES_EMPTY;
        }
        uint8_t *at = door_arena_take(arena, bytes.len);
        if (at == NULL) {
                return DOOR_BYTES_EMPTY;
        }
        memcpy(at, bytes.data, bytes.len);
        return (door_bytes){ at, bytes.len };
}
