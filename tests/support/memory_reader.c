#include "support/memory_reader.h"

#include <stdlib.h>
#include <string.h>

static door_bytes row_key(const memory_row *row)
{
        return (door_bytes){ row->key, row->key_len };
}

/* The index of the first row whose key is >= key. */
static size_t row_find(const memory_reader *memory, door_bytes key)
{
        size_t low = 0;
        size_t high = memory->count;

        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                if (door_bytes_compare(row_key(&memory->rows[middle]), key) < 0) {
                        low = middle + 1;
                } else {
                        high = middle;
                }
        }
        return low;
}

static bool row_is(const memory_reader *memory, size_t at, door_bytes key)
{
        return at < memory->count && door_bytes_equal(row_key(&memory->rows[at]), key);
}

static bool read_fails(memory_reader *memory)
{
        memory->reads++;
        return memory->fail_after > 0 && memory->reads > memory->fail_after;
}

static door_status memory_get(void *context, door_bytes key, door_arena *arena, door_bytes *ret_value,
                              bool *ret_found)
{
        memory_reader *memory = context;
        const size_t at = row_find(memory, key);

        if (read_fails(memory)) {
                return DOOR_IO;
        }
        *ret_found = row_is(memory, at, key);
        if (*ret_found) {
                *ret_value = door_arena_copy(
                        arena, (door_bytes){ memory->rows[at].value, memory->rows[at].value_len });
        }
        return arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

static door_status memory_next(void *context, door_bytes from, bool inclusive, door_bytes prefix,
                               door_arena *arena, door_bytes *ret_key, door_bytes *ret_value, bool *ret_found)
{
        memory_reader *memory = context;
        size_t at = row_find(memory, from);

        if (read_fails(memory)) {
                return DOOR_IO;
        }
        if (!inclusive && row_is(memory, at, from)) {
                at++;
        }
        *ret_found = at < memory->count && door_bytes_starts_with(row_key(&memory->rows[at]), prefix);
        if (*ret_found) {
                const memory_row *row = &memory->rows[at];
                *ret_key = door_arena_copy(arena, row_key(row));
                *ret_value = door_arena_copy(arena, (door_bytes){ row->value, row->value_len });
        }
        return arena->exhausted ? DOOR_NO_MEMORY : DOOR_OK;
}

void memory_reader_init(memory_reader *memory)
{
        *memory = (memory_reader){ .reader = { .get = memory_get, .next = memory_next } };
        memory->reader.context = memory;
}

void memory_reader_done(memory_reader *memory)
{
        for (size_t i = 0; i < memory->count; i++) {
                free(memory->rows[i].key);
                free(memory->rows[i].value);
        }
        free(memory->rows);
        *memory = (memory_reader){ 0 };
}

static uint8_t *copy_of(door_bytes bytes)
{
        uint8_t *copy = malloc(bytes.len + 1);
        DOOR_REQUIRE(copy != NULL);
        if (bytes.len > 0) {
                memcpy(copy, bytes.data, bytes.len);
        }
        return copy;
}

static void row_put(memory_reader *memory, door_bytes key, door_bytes value)
{
        const size_t at = row_find(memory, key);

        if (row_is(memory, at, key)) {
                free(memory->rows[at].value);
        } else {
                if (memory->count == memory->cap) {
                        memory->cap = memory->cap == 0 ? 64 : 2 * memory->cap;
                        memory->rows = realloc(memory->rows, memory->cap * sizeof *memory->rows);
                        DOOR_REQUIRE(memory->rows != NULL);
                }
                memmove(&memory->rows[at + 1], &memory->rows[at],
                        (memory->count - at) * sizeof *memory->rows);
                memory->rows[at] = (memory_row){ .key = copy_of(key), .key_len = key.len };
                memory->count++;
        }
        memory->rows[at].value = copy_of(value);
        memory->rows[at].value_len = value.len;
}

static void row_delete(memory_reader *memory, door_bytes key)
{
        const size_t at = row_find(memory, key);

        if (!row_is(memory, at, key)) {
                return;
        }
        free(memory->rows[at].key);
        free(memory->rows[at].value);
        memory->count--;
        memmove(&memory->rows[at], &memory->rows[at + 1], (memory->count - at) * sizeof *memory->rows);
}

void memory_reader_absorb(memory_reader *memory, const door_view *view)
{
        for (const door_change *change = view->head[0]; change != NULL; change = change->next[0]) {
                if (change->deleted) {
                        row_delete(memory, change->key);
                } else {
                        row_put(memory, change->key, change->value);
                }
        }
}

bool memory_reader_equal(const memory_reader *a, const memory_reader *b)
{
        if (a->count != b->count) {
                return false;
        }
        for (size_t i = 0; i < a->count; i++) {
                const door_bytes value_a = { a->rows[i].value, a->rows[i].value_len };
                const door_bytes value_b = { b->rows[i].value, b->rows[i].value_len };
                if (!door_bytes_equal(row_key(&a->rows[i]), row_key(&b->rows[i])) ||
                    !door_bytes_equal(value_a, value_b)) {
                        return false;
                }
        }
        return true;
}

size_t memory_reader_rows_of(const memory_reader *memory, uint8_t table)
{
        size_t count = 0;

        for (size_t i = 0; i < memory->count; i++) {
                count += memory->rows[i].key[0] == table ? 1 : 0;
        }
        return count;
}
