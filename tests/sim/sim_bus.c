#include "sim/sim_bus.h"

bool sim_bus_chance(sim_bus *bus, uint64_t per_mille)
{
        return bus->faults_per_mille > 0 &&
               sim_rng_chance(bus->rng, per_mille * bus->faults_per_mille / 1000);
}

uint64_t sim_bus_send(sim_bus *bus, size_t from, size_t to, uint64_t now_us)
{
        uint64_t delay_us = sim_rng_between(bus->rng, 30, 900);

        if (bus->cut_until_us[from][to] > now_us || sim_bus_chance(bus, 12)) {
                return 0;
        }
        if (sim_bus_chance(bus, 15)) {
                delay_us += sim_rng_between(bus->rng, 1000, 400000);
        }
        uint64_t at_us = now_us + delay_us;
        if (at_us <= bus->last_us[from][to]) {
                at_us = bus->last_us[from][to] + 1;
        }
        bus->last_us[from][to] = at_us;
        return at_us;
}

bool sim_bus_hears_late(sim_bus *bus)
{
        return sim_bus_chance(bus, 300);
}
