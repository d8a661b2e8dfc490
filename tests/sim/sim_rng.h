/* sim_rng.h - the one source of chance of a simulation: xorshift64*, the same on every machine. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_rng {
        uint64_t state;
} sim_rng;

static inline sim_rng sim_rng_seed(uint64_t seed)
{
        /* One round of splitmix64, so that seeds 1, 2, 3 do not begin alike. */
        uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
        return (sim_rng){ (z ^ (z >> 31)) | 1 };
}

static inline uint64_t sim_rng_next(sim_rng *rng)
{
        rng->state ^= rng->state >> 12;
        rng->state ^= rng->state << 25;
        rng->state ^= rng->state >> 27;
        return rng->state * UINT64_C(2685821657736338717);
}

/* 0 … below - 1 */
static inline uint64_t sim_rng_below(sim_rng *rng, uint64_t below)
{
        return below == 0 ? 0 : (sim_rng_next(rng) >> 11) % below;
}

static inline uint64_t sim_rng_between(sim_rng *rng, uint64_t low, uint64_t high)
{
        return low + sim_rng_below(rng, high - low + 1);
}

/* True with chance per_mille / 1000. */
static inline bool sim_rng_chance(sim_rng *rng, uint64_t per_mille)
{
        return sim_rng_below(rng, 1000) < per_mille;
}

static inline void sim_rng_fill(sim_rng *rng, uint8_t *out, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                out[i] = (uint8_t)(sim_rng_next(rng) >> 24);
        }
}

#endif
