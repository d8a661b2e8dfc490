/*
 * limits.h - every bound of the mechanism, once (MECHANISM section 9).
 *
 * No queue, buffer, batch, message, retry, scan or loop is without one. A bound that is
 * reached refuses loudly, splits or parks; it never drops.
 */
#ifndef DOOR_LIMITS_H
#define DOOR_LIMITS_H

enum {
        DOOR_KIB = 1024,
        DOOR_MIB = 1024 * 1024,

        DOOR_REFERRAL_BYTES_MAX = 256 * DOOR_KIB,
        DOOR_PEOPLE_MAX = 200,
        DOOR_NARRATIVE_BYTES_MAX = 64 * DOOR_KIB,
        DOOR_RECORD_BYTES_MAX = 512 * DOOR_KIB, /* header and both payloads of one record */
        DOOR_POLICY_BYTES_MAX = 256 * DOOR_KIB,

        DOOR_BATCH_INPUTS_MAX = 256,
        DOOR_BATCH_BYTES_MAX = DOOR_MIB,
        DOOR_FRAME_BYTES_MAX = 2 * DOOR_MIB,
        DOOR_EVENTS_PER_INPUT_MAX = 64,
        DOOR_SUBJECTS_MAX = 16, /* subjects named in one record's header */
        DOOR_SEEN_MAX = 8,      /* logs named in one record's `seen` */
        DOOR_UPSTREAMS_MAX = 8, /* logs one service reads */
        DOOR_PEERS_MAX = 32,    /* named peers of one service */
        DOOR_HOPS_MAX = 16,     /* records between the outside world and one record */
        DOOR_PARKED_MAX = 10000,
        DOOR_SCAN_ROWS_MAX = 4096, /* rows one range scan in decide may see */
        DOOR_TICK_ITEMS_MAX = 256, /* due items one tick may handle */
        DOOR_EFFECTS_MAX = 8,      /* effects of one service under way at once */
        DOOR_EFFECT_BYTES_MAX = 16 * DOOR_KIB,

        DOOR_BATCH_ARENA_BYTES = 8 * DOOR_MIB,
        DOOR_FRAME_ARENA_BYTES = 4 * DOOR_MIB,

        DOOR_COMMANDS_QUEUED_MAX = 1024, /* waiting commands, both lanes */
        DOOR_COMMANDS_QUEUED_BYTES_MAX = 16 * DOOR_MIB,
        DOOR_COMMANDS_URGENT_RESERVE = 128, /* places only the urgent lane may take */
        DOOR_BULK_LAG_MAX = 20000,          /* head - settled above which bulk waits */
        DOOR_NAME_BYTES_MAX = 64,           /* peer, log, actor names */

        DOOR_RESULTS_DAYS = 30,
        DOOR_RESULTS_PRUNED_PER_RECORD = 4,

        DOOR_START_CHAIN_RECORDS = 10000, /* records whose chain every start re-computes */
        DOOR_ANCHOR_INTERVAL_MS = 200,
        DOOR_NOT_BEFORE_WAIT_MS = 2000,
        DOOR_HEARTBEAT_MS = 1000,    /* an open PULL is answered EMPTY at the latest after this */
        DOOR_PULL_TIMEOUT_MS = 5000, /* no answer for this long: new socket, pull again */
        DOOR_CLOCK_STEP_MS = 60000,  /* drift of wall against monotonic that is a step */
        DOOR_STOP_MS = 5000,         /* a stop that lasts longer is cut short */
        DOOR_POISON_STARTS = 3,      /* starts that die at one place before care begins */
        DOOR_POISON_DEATHS = 2       /* deaths while deciding one noted input that make it the killer */
};

#endif
