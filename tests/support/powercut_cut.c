#include "support/powercut_cut.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "door/status.h"
#include "support/folder.h"

typedef struct cut {
        const powercut_line *lines;
        size_t lines_count;
        uint64_t random;
        size_t files_cut;
} cut;

static uint64_t draw(cut *c)
{
        c->random ^= c->random << 13;
        c->random ^= c->random >> 7;
        c->random ^= c->random << 17;
        return c->random;
}

static void noise(cut *c, int fd, uint64_t from, uint64_t to)
{
        while (from < to) {
                const uint64_t random = draw(c);
                const size_t len = to - from < sizeof random ? (size_t)(to - from) : sizeof random;
                DOOR_REQUIRE(pwrite(fd, &random, len, (off_t)from) == (ssize_t)len);
                from += len;
        }
}

static void cut_file(const char *path, void *context)
{
        cut *c = context;
        struct stat st;
        const int fd = open(path, O_RDWR | O_CLOEXEC);

        DOOR_REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
        const uint64_t size = (uint64_t)st.st_size;
        uint64_t synced = size;
        for (size_t i = 0; i < c->lines_count; i++) {
                if (c->lines[i].dev == (uint64_t)st.st_dev && c->lines[i].ino == (uint64_t)st.st_ino) {
                        synced = c->lines[i].synced_bytes;
                }
        }
        if (synced < size) {
                const uint64_t kept = synced + draw(c) % (size - synced + 1);
                DOOR_REQUIRE(ftruncate(fd, (off_t)kept) == 0);
                if (draw(c) % 2 == 0) {
                        noise(c, fd, synced, kept);
                }
                c->files_cut++;
        }
        (void)close(fd);
}

size_t powercut_apply(const char *journal, const char *folder, uint64_t seed)
{
        struct stat st;
        cut c = { .random = seed * 0x9E3779B97F4A7C15U + 1 };
        const int fd = open(journal, O_RDONLY | O_CLOEXEC);

        DOOR_REQUIRE(fd >= 0 && fstat(fd, &st) == 0);
        powercut_line *lines = malloc((size_t)st.st_size + 1);
        DOOR_REQUIRE(lines != NULL && read(fd, lines, (size_t)st.st_size) == st.st_size);
        (void)close(fd);
        c.lines = lines;
        c.lines_count = (size_t)st.st_size / sizeof *lines;
        folder_each_below(folder, cut_file, &c);
        free(lines);
        return c.files_cut;
}
