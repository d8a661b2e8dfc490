#include "sim/sim_wanted.h"

#include <stdlib.h>
#include <string.h>

#include "door/status.h"

sim_wanted_one *sim_wanted_find(sim_wanted *wanted, wire_bytes key)
{
        for (size_t i = 0; i < wanted->count; i++) {
                if (key.len == SIM_WANTED_KEY_BYTES && memcmp(wanted->items[i].key, key.data, key.len) == 0) {
                        return &wanted->items[i];
                }
        }
        return NULL;
}

bool sim_wanted_add(sim_wanted *wanted, wire_bytes key)
{
        if (key.len != SIM_WANTED_KEY_BYTES || sim_wanted_find(wanted, key) != NULL) {
                return false;
        }
        if (wanted->count == wanted->max) {
                wanted->max = wanted->max == 0 ? 64 : wanted->max * 2;
                wanted->items = realloc(wanted->items, wanted->max * sizeof wanted->items[0]);
                DOOR_REQUIRE(wanted->items != NULL);
        }
        memcpy(wanted->items[wanted->count].key, key.data, key.len);
        wanted->items[wanted->count++].attempts = 0;
        return true;
}

bool sim_wanted_remove(sim_wanted *wanted, wire_bytes key)
{
        sim_wanted_one *one = sim_wanted_find(wanted, key);

        if (one == NULL) {
                return false;
        }
        *one = wanted->items[--wanted->count];
        return true;
}

void sim_wanted_done(sim_wanted *wanted)
{
        free(wanted->items);
        *wanted = (sim_wanted){ .items = NULL };
}
