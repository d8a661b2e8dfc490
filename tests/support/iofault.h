/*
 * iofault.h - makes the Nth call of one kind to the operating system fail, in this process.
 *
 * Linked into a test program, iofault.c stands in for libc's write, fdatasync, rename, open …,
 * for the program's own code and for the shared libraries it uses, RocksDB before all. Nothing
 * fails until iofault_arm; calls are counted over all threads. The info log (stdio) is spared.
 */
#ifndef DOOR_TESTS_IOFAULT_H
#define DOOR_TESTS_IOFAULT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum iofault_kind {
        IOFAULT_WRITE = 1, /* write, pwrite: EIO; for two N in four, half is written, then ENOSPC */
        IOFAULT_SYNC,      /* fsync, fdatasync: EIO, though the data may be there */
        IOFAULT_OPEN,      /* open for writing: EMFILE */
        IOFAULT_RENAME,    /* rename: EIO */
        IOFAULT_UNLINK,    /* unlink: EIO */
        IOFAULT_LINK,      /* link: EIO */
        IOFAULT_KINDS_END
} iofault_kind;

/* The nth such call from now (1: the next) fails; every later one too if persistent. */
void iofault_arm(iofault_kind kind, size_t nth, bool persistent);
void iofault_disarm(void);
/* Has anything failed since it was armed? */
bool iofault_struck(void);
const char *iofault_name(iofault_kind kind);

#endif
