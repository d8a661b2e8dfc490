/*
 * powercut.c - a shared object that remembers, while a program runs, what a power cut would leave
 * of its files.
 *
 *      POWERCUT_JOURNAL=/some/file LD_PRELOAD=powercut.so program …     then kill -9, then
 *      powercut_cut /some/file FOLDER… SEED                             cuts the files down
 *
 * kill -9 leaves the page cache whole, so it cannot show a forgotten sync. This can: whenever a
 * file is made or synced, its device, inode and size are appended to the journal (24 bytes each,
 * in this machine's byte order; later lines win). powercut_cut truncates every file to its last
 * synced size plus a random part of the rest, sometimes with that part turned into noise
 * (reference/reliability.md, finding 9).
 *
 * What it does not show: a synced file whose name is lost because its folder was not synced, and
 * writes into the middle of a file (nothing of ours makes any).
 *
 * POWERCUT_NO_SYNC=1: syncs are not remembered either, as if nobody had asked for them; a test
 * under it must fail, or it has no teeth.
 *
 * Syncs are not passed on: what would be lost is decided here, not by this machine's disk, and
 * the program dies more often per second. POWERCUT_SYNC=1 passes them on.
 * Under a sanitizer, set ASAN_OPTIONS=verify_asan_link_order=0 for the program.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/powercut_cut.h"

/* Raw calls: the program may have its own idea of write and open. */
static int journal_fd(void)
{
        const char *path = getenv("POWERCUT_JOURNAL");
        return path == NULL ? -1
                            : (int)syscall(SYS_openat, AT_FDCWD, path,
                                           O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static void note(int fd, int only_when_empty)
{
        struct stat st;
        const int before = errno;

        if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (!only_when_empty || st.st_size == 0)) {
                const powercut_line line = { (uint64_t)st.st_dev, (uint64_t)st.st_ino, (uint64_t)st.st_size };
                const int journal = journal_fd();
                if (journal >= 0) {
                        (void)!syscall(SYS_write, journal, &line, sizeof line);
                        (void)syscall(SYS_close, journal);
                }
        }
        errno = before;
}

static int sync_of(int fd, long number)
{
        if (getenv("POWERCUT_SYNC") != NULL && syscall(number, fd) != 0) {
                return -1;
        }
        if (getenv("POWERCUT_NO_SYNC") == NULL) {
                note(fd, 0);
        }
        return 0;
}

__attribute__((visibility("default"))) int fsync(int fd)
{
        return sync_of(fd, SYS_fsync);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
        return sync_of(fd, SYS_fdatasync);
}

/* A file that has just been made has nothing on the disk, whatever its inode was before. */
static int open_of(const char *path, int flags, mode_t mode)
{
        const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

        if (fd >= 0 && (flags & (O_CREAT | O_TRUNC)) != 0) {
                note(fd, 1);
        }
        return fd;
}

__attribute__((visibility("default"))) int open(const char *path, int flags, ...)
{
        va_list arguments;

        va_start(arguments, flags);
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        return open_of(path, flags, mode);
}

__attribute__((visibility("default"))) int open64(const char *path, int flags, ...)
{
        va_list arguments;

        va_start(arguments, flags);
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        return open_of(path, flags, mode);
}
