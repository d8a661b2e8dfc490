/*
 * folder.h - folders for tests: made anew, copied, emptied.
 *
 * One level deep is all a database needs; nothing here follows links. A failure ends the test
 * program (DOOR_REQUIRE), because a test that cannot make its folder has nothing to say.
 */
#ifndef DOOR_TESTS_FOLDER_H
#define DOOR_TESTS_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* A new folder below $TMPDIR or /tmp, mode 0700. */
void folder_temporary(char out[PATH_MAX]);
/* out = base/name. */
void folder_join(const char *base, const char *name, char out[PATH_MAX]);
/* Removes the folder and everything in it; absent is fine. */
void folder_remove(const char *path);
/* `to` becomes what `from` is now, file for file; whatever it held is gone. */
void folder_copy(const char *from, const char *to);
void file_copy(const char *from, const char *to);

/* Calls with each regular file's path. */
void folder_each(const char *path, void (*each)(const char *file, void *context), void *context);

/* The same, for the files of the folders below it too. */
void folder_each_below(const char *path, void (*each)(const char *file, void *context), void *context);

/*
 * The file whose name ends with `end`: the first, or the last, in order of names, of those that
 * are not empty. False when there is none.
 */
bool folder_find(const char *path, const char *end, bool last, char out[PATH_MAX]);
size_t folder_count(const char *path, const char *end);

#endif
