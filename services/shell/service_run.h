/*
 * service_run.h - the shell around the machine: one libuv loop that carries happenings in and
 * wishes out.
 *
 *      sockets (bus_zmq) ─┐                          ┌─► frames
 *      clock, signals ────┼─► door_shell_step ───────┼─► commit, anchor, checkpoint on a worker
 *      disk, timers ──────┤                          ├─► note, alert, end
 *      executor's thread ─┘                          └─► effects
 *
 * Nothing is decided here. It opens what the options and $FRONTDOOR_HOME say and nothing else:
 *
 *      $home/keys/<service>.secret          ours
 *      $home/peers.yaml                     everybody's; read again on SIGHUP
 *      $home/run/<service>.{pull,command}   our sockets, where peers.yaml says so
 *      $home/state/db/<service>/            the database
 *      $home/state/anchors/<service>        anchor.h
 *      $home/state/attempts/<service>       attempts.h
 *      $home/state/checkpoints/             copies made on request; the asker deletes them
 *      $home/log/<service>/                 RocksDB's info log: another filesystem where possible
 *
 * Happy path: load keys and peers, open and verify the store, bind, START, turn until
 * SIGTERM or SIGINT, finish the commit, write the anchor, close, exit 0. Failure modes: whatever
 * cannot be opened is one log line and exit 1, or exit 3 where restarting cannot help (a
 * regressed or damaged log, a missing anchor, a newer format); a stop that lasts more than 5 s ends
 * in _exit.
 */
#ifndef DOOR_SHELL_SERVICE_RUN_H
#define DOOR_SHELL_SERVICE_RUN_H

#include "shell/executor.h"
#include "shell/service_step.h"

typedef struct door_service_options {
        const door_core_ops *core;
        const door_upstream *upstreams; /* The logs it reads; `name` is their owner's in peers.yaml. */
        size_t upstreams_count;
        const char *home;    /* $FRONTDOOR_HOME, an existing folder. */
        const char *version; /* For STATUS; NULL reads as "unversioned". */

        /* Free bytes under which only the urgent lane is served, and under which nothing is. 0 means
         * 2 GiB, and a quarter of the floor. Training and tests set them small. */
        uint64_t disk_floor_bytes;
        uint64_t disk_reserve_bytes;
        uint32_t rate_per_minute;      /* Commands an actor may send; 0: no limit. */
        uint16_t metrics_port;         /* On 127.0.0.1; 0: no metrics page. */
        int log_fd;                    /* Where log lines go; 0 means 2, stderr. */
        const door_executor *executor; /* For a core with next_effect; NULL for others. */
} door_service_options;

/*
 * door_service_run - be a service until told to stop. Blocks; from the main thread, once at a time.
 *
 * Returns the process's exit code: DOOR_EXIT_OK after a clean stop, DOOR_EXIT_RESTART,
 * DOOR_EXIT_STAY_DOWN.
 */
int door_service_run(const door_service_options *options);

#endif
