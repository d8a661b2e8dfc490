/*
 * store_conformance.h - what every store behind shell/store.h must do, as one suite.
 *
 * Runs against a factory, so that store_rocksdb and the simulated store are held to the same
 * rules by the same lines: what the simulator proves of the machine is worth as much as the two
 * stores are alike.
 */
#ifndef DOOR_TESTS_STORE_CONFORMANCE_H
#define DOOR_TESTS_STORE_CONFORMANCE_H

#include "shell/store.h"

typedef enum store_opening {
        STORE_FRESH = 1,   /* Whatever there was is thrown away; an empty log with some id. */
        STORE_AFTER_CLOSE, /* The open store is stopped in order and opened again. */
        STORE_AFTER_CRASH, /* The open store is dropped as by kill -9 and opened again. */
} store_opening;

/*
 * open closes what the factory had open before, if anything. It may lose commits that were not
 * synced on STORE_AFTER_CRASH, together with everything after them, and nothing else ever.
 */
typedef struct store_factory {
        void *context;
        door_status (*open)(void *context, store_opening how, door_store_port *ret_port,
                            door_standing *ret_standing);
} store_factory;

/* Runs every rule as a cmocka group; the number of failures. The factory's store stays open. */
int store_conformance_run(const char *group, const store_factory *factory);

#endif
