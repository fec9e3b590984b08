/* Random numbers that are the same on every machine: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), one addition and
 * two multiplications a number. Not for secrets. */
#ifndef WL_BASE_RANDOM_H
#define WL_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct wl_random {
    uint64_t state;
} wl_random;

static inline uint64_t wl_random_next(wl_random *random)
{
    uint64_t x = random->state += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

/* Streams of one seed do not meet in practice: a stream starts where numbers drawn from seed and stream say. */
static inline wl_random wl_random_seed(uint64_t seed, uint64_t stream)
{
    wl_random of_seed = {seed}, of_stream = {~stream};
    return (wl_random){wl_random_next(&of_seed) + wl_random_next(&of_stream)};
}

/* In [0, 1), 53 bits. */
static inline double wl_random_unit(wl_random *random)
{
    return (double)(wl_random_next(random) >> 11) * 0x1p-53;
}

/* In [0, count); count at least 1. */
static inline size_t wl_random_below(wl_random *random, size_t count)
{
    return (size_t)(wl_random_unit(random) * (double)count);
}

#endif
