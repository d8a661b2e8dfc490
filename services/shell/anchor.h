/*
 * anchor.h - what a service remembers of its own log outside the log.
 *
 *      commit, commit, commit ──► at most every 200 ms ──► $STATE/anchors/<service>
 *      start: head >= anchor, with the same hash, or the start is refused
 *
 * RocksDB's recovery can give back fewer records than were synced and call it success
 * (reference/reliability.md, finding 1). The log cannot notice that from within, so the place
 * it had reached is written where no damage to the database folder can reach it. The rule that
 * makes it sound: an anchor is written only of what is already durable, so an anchor beyond the
 * head is always a loss and never a race.
 *
 * Failure modes: no file (DOOR_NOT_FOUND), a file that is not an anchor (DOOR_CORRUPT), a file
 * that cannot be read (DOOR_IO). What each means for a start is the store's to say.
 */
#ifndef DOOR_SHELL_ANCHOR_H
#define DOOR_SHELL_ANCHOR_H

#include "shell/store.h"

typedef struct door_anchor {
        uint8_t log_id[16];
        uint64_t seq;
        door_hash hash; /* H(seq). */
} door_anchor;

/*
 * door_anchor_write - put an anchor in the place of the former one, durably.
 *
 *   path    [in]   "$STATE/anchors/<service>"; its folder must exist. "<path>.new" is ours too.
 *   anchor  [in]   of a record that is already durable.
 *
 * Returns DOOR_OK       the file is the new anchor, also after a power cut;
 *         DOOR_IO       the system refused; the file is the former anchor or the new one, whole;
 *         DOOR_INVALID  the path is too long.
 *
 * Threads: any, one at a time for one path.   Cost: two fsyncs.
 */
door_status door_anchor_write(const char *path, const door_anchor *anchor, door_error *reterr_error);

/*
 * door_anchor_read - read and check it.
 *
 * Returns DOOR_OK         *ret_anchor is set;
 *         DOOR_NOT_FOUND  there is no such file;
 *         DOOR_CORRUPT    there is one and it is no anchor (the error names the condition);
 *         DOOR_IO         it cannot be read.
 */
door_status door_anchor_read(const char *path, door_anchor *ret_anchor, door_error *reterr_error);

/* The anchor of where an opened store stands. */
door_anchor door_anchor_of(const door_standing *standing);

/*
 * door_anchor_accept - a person has decided that the database is right and the anchor is not:
 * rewrite it from what the database says (`frontdoor anchor accept`).
 *
 *   standing      [in]   from a store opened without an anchor.
 *   ret_former    [out]  what the file said before, for the person's record.
 *   ret_readable  [out]  false when it said nothing that could be read; ret_former is untouched then.
 *
 * Returns as door_anchor_write; the out-parameters are set on DOOR_OK only.
 */
door_status door_anchor_accept(const char *path, const door_standing *standing, door_anchor *ret_former,
                               bool *ret_readable, door_error *reterr_error);

#endif
