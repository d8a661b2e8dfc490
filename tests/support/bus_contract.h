/*
 * bus_contract.h - what every bus keeps, asked of bus_zmq and of the simulated one alike.
 *
 * Two askers, "alice" and "bob", stand before a service that sends each frame back where it came
 * from. Nothing goes wrong on the way: what a bus does when something does is its own tests' matter.
 */
#ifndef DOOR_TESTS_BUS_CONTRACT_H
#define DOOR_TESTS_BUS_CONTRACT_H

#include "door/bytes.h"

typedef struct bus_contract {
        void *context;
        void (*say)(void *context, size_t asker, door_bytes frame);
        /* The next frame this asker hears, borrowed until the next call; false: nothing comes. Unless it is
         * expected nobody waits for it long. */
        bool (*hear)(void *context, size_t asker, bool expected, door_bytes *ret_frame);
        /* Gives the asker's connection up and makes a new one. */
        void (*reconnect)(void *context, size_t asker);
        /* As whom the service was told the last frame it was told. */
        const char *(*last_told_as)(void *context);
} bus_contract;

/* Asserts by cmocka. */
void bus_contract_check(const bus_contract *bus);

#endif
