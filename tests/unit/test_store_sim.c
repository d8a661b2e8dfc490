/*
 * Goal: the simulated store is a store: what the simulator proves is worth as much as this.
 * Method: the conformance suite of store_rocksdb. A crash keeps, turn by turn, none, some and all
 * of what was not synced, because any prefix of it may have reached the disk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sim/sim_store.h"
#include "support/store_conformance.h"

typedef struct open_store {
        sim_store *store;
        uint8_t made;
        size_t crashes;
} open_store;

static door_status factory_open(void *context, store_opening how, door_store_port *ret_port,
                                door_standing *ret_standing)
{
        open_store *o = context;
        const char *why = NULL;

        if (how == STORE_FRESH) {
                const uint8_t log_id[16] = { 's', 'i', 'm', ++o->made };
                o->store = sim_store_free(o->store);
                o->store = sim_store_new(log_id, SIM_STORE_SOUND);
        } else if (how == STORE_AFTER_CLOSE) {
                sim_store_settle(o->store);
        } else {
                sim_store_crash(o->store, o->crashes++ % 3);
        }
        if (!sim_store_standing(o->store, ret_standing, &why)) {
                print_error("%s\n", why);
                return DOOR_CORRUPT;
        }
        *ret_port = sim_store_port(o->store);
        return DOOR_OK;
}

int main(void)
{
        open_store o = { .store = NULL };
        const store_factory factory = { &o, factory_open };
        const int failures = store_conformance_run("sim_store: conformance", &factory);
        o.store = sim_store_free(o.store);
        return failures;
}
