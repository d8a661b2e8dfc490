/*
 * The one process-wide thing here is the fault itself: it must be where libc's functions are.
 * Calls go on to the kernel directly, so that no sanitizer's or shim's copy is asked twice.
 */
#include "support/iofault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int armed_kind;
static atomic_size_t calls_left; /* Before the one that fails; SIZE_MAX when that one is over. */
static atomic_bool fails_for_ever;
static atomic_bool has_struck;
static atomic_bool is_short;

const char *iofault_name(iofault_kind kind)
{
        static const char *const names[] = { "none", "write", "sync", "open", "rename", "unlink", "link" };
        return names[kind];
}

void iofault_arm(iofault_kind kind, size_t nth, bool persistent)
{
        atomic_store(&armed_kind, 0);
        atomic_store(&calls_left, nth);
        atomic_store(&fails_for_ever, persistent);
        atomic_store(&is_short, nth / 2 % 2 == 1);
        atomic_store(&has_struck, false);
        atomic_store(&armed_kind, (int)kind);
}

void iofault_disarm(void)
{
        atomic_store(&armed_kind, 0);
}

bool iofault_struck(void)
{
        return atomic_load(&has_struck);
}

/* True when this call is the one, or comes after it and all are to fail. */
static bool strikes(iofault_kind kind)
{
        if (atomic_load(&armed_kind) != (int)kind) {
                return false;
        }
        size_t left = atomic_load(&calls_left);
        while (left > 0 && !atomic_compare_exchange_weak(&calls_left, &left, left - 1)) {
        }
        if (left == 1 || (left == 0 && atomic_load(&fails_for_ever))) {
                atomic_store(&has_struck, true);
                return true;
        }
        return false;
}

/* Pipes and terminals carry the test's own words. */
static bool is_file(int fd)
{
        return lseek(fd, 0, SEEK_CUR) >= 0;
}

ssize_t write(int fd, const void *data, size_t len)
{
        if (is_file(fd) && strikes(IOFAULT_WRITE)) {
                if (atomic_load(&is_short)) {
                        (void)syscall(SYS_write, fd, data, len / 2);
                }
                errno = atomic_load(&is_short) ? ENOSPC : EIO;
                return -1;
        }
        return syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
        if (strikes(IOFAULT_WRITE)) {
                errno = EIO;
                return -1;
        }
        return syscall(SYS_pwrite64, fd, data, len, at);
}

/*
 * Whether data that was not synced survives is test_powercut's question; here the kernel has it
 * all along, so nothing need wait for the disk.
 */
static int sync_or_fail(void)
{
        if (strikes(IOFAULT_SYNC)) {
                errno = EIO;
                return -1;
        }
        return 0;
}

int fsync(int fd)
{
        (void)fd;
        return sync_or_fail();
}

int fdatasync(int fd)
{
        (void)fd;
        return sync_or_fail();
}

int open(const char *path, int flags, ...)
{
        va_list arguments;

        va_start(arguments, flags);
        const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
        va_end(arguments);
        if ((flags & O_ACCMODE) != O_RDONLY && strikes(IOFAULT_OPEN)) {
                errno = EMFILE;
                return -1;
        }
        return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int rename(const char *from, const char *to)
{
        if (strikes(IOFAULT_RENAME)) {
                errno = EIO;
                return -1;
        }
        return (int)syscall(SYS_rename, from, to);
}

int unlink(const char *path)
{
        if (strikes(IOFAULT_UNLINK)) {
                errno = EIO;
                return -1;
        }
        return (int)syscall(SYS_unlink, path);
}

int link(const char *from, const char *to)
{
        if (strikes(IOFAULT_LINK)) {
                errno = EIO;
                return -1;
        }
        return (int)syscall(SYS_link, from, to);
}
