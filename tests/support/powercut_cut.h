/*
 * powercut_cut.h - cuts a folder down to what a power cut would have left. See powercut.c.
 */
#ifndef DOOR_TESTS_POWERCUT_CUT_H
#define DOOR_TESTS_POWERCUT_CUT_H

#include <stddef.h>
#include <stdint.h>

/* One line of the journal. */
typedef struct powercut_line {
        uint64_t dev;
        uint64_t ino;
        uint64_t synced_bytes;
} powercut_line;

/*
 * powercut_apply - every file of folder and of the folders in it becomes its synced beginning and
 * a random part of the rest. Files the journal does not know were there before and stay whole.
 *
 * Returns the number of files that lost something. A journal that cannot be read ends the program.
 */
size_t powercut_apply(const char *journal, const char *folder, uint64_t seed);

#endif
