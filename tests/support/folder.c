#include "support/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "door/status.h"

void folder_join(const char *base, const char *name, char out[PATH_MAX])
{
        const int len = snprintf(out, PATH_MAX, "%s/%s", base, name);
        DOOR_REQUIRE(len > 0 && len < PATH_MAX);
}

void folder_temporary(char out[PATH_MAX])
{
        const char *base = getenv("TMPDIR");

        folder_join(base == NULL ? "/tmp" : base, "door-test-XXXXXX", out);
        DOOR_REQUIRE(mkdtemp(out) != NULL);
}

static bool is_folder(const char *path)
{
        struct stat st;
        return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Every entry but the two dots, folders too. */
static void entries_each(const char *path, void (*each)(const char *entry, void *context), void *context)
{
        const struct dirent *entry = NULL;
        DIR *folder = opendir(path);

        if (folder == NULL) {
                return;
        }
        while ((entry = readdir(folder)) != NULL) {
                char file[PATH_MAX];
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
                        continue;
                }
                folder_join(path, entry->d_name, file);
                each(file, context);
        }
        (void)closedir(folder);
}

static void remove_one(const char *path, void *context)
{
        (void)context;
        if (is_folder(path)) {
                folder_remove(path);
        } else {
                DOOR_REQUIRE(unlink(path) == 0);
        }
}

void folder_remove(const char *path)
{
        entries_each(path, remove_one, NULL);
        DOOR_REQUIRE(rmdir(path) == 0 || errno == ENOENT);
}

void file_copy(const char *from, const char *to)
{
        static const size_t chunk_bytes = 1 << 20;
        char *chunk = malloc(chunk_bytes);
        const int in = open(from, O_RDONLY | O_CLOEXEC);
        const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ssize_t n = 0;

        DOOR_REQUIRE(chunk != NULL && in >= 0 && out >= 0);
        while ((n = read(in, chunk, chunk_bytes)) > 0) {
                DOOR_REQUIRE(write(out, chunk, (size_t)n) == n);
        }
        DOOR_REQUIRE(n == 0);
        DOOR_REQUIRE(close(in) == 0 && close(out) == 0);
        free(chunk);
}

static void copy_one(const char *path, void *context)
{
        char to[PATH_MAX];

        folder_join(context, strrchr(path, '/') + 1, to);
        if (is_folder(path)) {
                folder_copy(path, to);
        } else {
                file_copy(path, to);
        }
}

void folder_copy(const char *from, const char *to)
{
        char target[PATH_MAX];

        folder_remove(to);
        DOOR_REQUIRE(mkdir(to, 0700) == 0);
        DOOR_REQUIRE(strlen(to) < sizeof target);
        (void)strcpy(target, to);
        entries_each(from, copy_one, target);
}

typedef struct each_file {
        void (*each)(const char *file, void *context);
        void *context;
} each_file;

static void if_file(const char *path, void *context)
{
        const each_file *call = context;

        if (!is_folder(path)) {
                call->each(path, call->context);
        }
}

void folder_each(const char *path, void (*each)(const char *file, void *context), void *context)
{
        each_file call = { each, context };
        entries_each(path, if_file, &call);
}

static void if_file_or_below(const char *path, void *context)
{
        const each_file *call = context;

        if (is_folder(path)) {
                entries_each(path, if_file_or_below, context);
        } else {
                call->each(path, call->context);
        }
}

void folder_each_below(const char *path, void (*each)(const char *file, void *context), void *context)
{
        each_file call = { each, context };
        entries_each(path, if_file_or_below, &call);
}

typedef struct search {
        const char *end;
        bool last;
        size_t count;
        char best[PATH_MAX];
} search;

static void consider(const char *file, void *context)
{
        search *s = context;
        const size_t len = strlen(file);
        const size_t end_len = strlen(s->end);
        struct stat st;

        if (len < end_len || strcmp(file + len - end_len, s->end) != 0 || stat(file, &st) != 0 ||
            st.st_size == 0) {
                return;
        }
        const int order = s->count == 0 ? 0 : strcmp(file, s->best);
        if (s->count == 0 || (s->last ? order > 0 : order < 0)) {
                (void)strcpy(s->best, file);
        }
        s->count++;
}

bool folder_find(const char *path, const char *end, bool last, char out[PATH_MAX])
{
        search s = { .end = end, .last = last };

        folder_each(path, consider, &s);
        if (s.count > 0) {
                (void)strcpy(out, s.best);
        }
        return s.count > 0;
}

size_t folder_count(const char *path, const char *end)
{
        search s = { .end = end };

        folder_each(path, consider, &s);
        return s.count;
}
