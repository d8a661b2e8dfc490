/*
 * memory_reader.h - a core's state in a sorted array, for tests.
 *
 * Implements door_reader and takes over what a door_view has changed, so that a test can run
 * decide and apply as the shell does and then compare two states byte for byte. Reads can be
 * made to fail. Test code: it aborts when the heap is full.
 */
#ifndef TESTS_MEMORY_READER_H
#define TESTS_MEMORY_READER_H

#include "door/view.h"

typedef struct memory_row {
        uint8_t *key;
        size_t key_len;
        uint8_t *value;
        size_t value_len;
} memory_row;

typedef struct memory_reader {
        memory_row *rows; /* In key order. */
        size_t count;
        size_t cap;
        size_t reads;      /* get and next so far. */
        size_t fail_after; /* The reads after this many answer DOOR_IO; 0: none fail. */
        door_reader reader;
} memory_reader;

void memory_reader_init(memory_reader *memory);
void memory_reader_done(memory_reader *memory);

/* Carries the view's puts and deletes out. */
void memory_reader_absorb(memory_reader *memory, const door_view *view);

bool memory_reader_equal(const memory_reader *a, const memory_reader *b);
/* How many keys begin with this table byte. */
size_t memory_reader_rows_of(const memory_reader *memory, uint8_t table);

#endif
