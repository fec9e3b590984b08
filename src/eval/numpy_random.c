#include "eval/numpy_random.h"

void wl_numpy_seed(wl_numpy_random *random, uint32_t seed)
{
    for (uint32_t i = 0; i < WL_NUMPY_WORDS; i++) {
        random->words[i] = seed;
        seed = UINT32_C(1812433253) * (seed ^ seed >> 30) + i + 1;
    }
    random->at = WL_NUMPY_WORDS;
}

static void make_words(wl_numpy_random *random)
{
    enum { MIDDLE = 397 };
    uint32_t *words = random->words;
    for (size_t i = 0; i < WL_NUMPY_WORDS; i++) {
        uint32_t joined = (words[i] & UINT32_C(0x80000000)) | (words[(i + 1) % WL_NUMPY_WORDS] & UINT32_C(0x7FFFFFFF));
        words[i] =
            words[(i + MIDDLE) % WL_NUMPY_WORDS] ^ joined >> 1 ^ (joined & 1 ? UINT32_C(0x9908B0DF) : UINT32_C(0));
    }
    random->at = 0;
}

static uint32_t next(wl_numpy_random *random)
{
    if (random->at == WL_NUMPY_WORDS) make_words(random);
    uint32_t x = random->words[random->at++];
    x ^= x >> 11;
    x ^= x << 7 & UINT32_C(0x9D2C5680);
    x ^= x << 15 & UINT32_C(0xEFC60000);
    return x ^ x >> 18;
}

double wl_numpy_unit(wl_numpy_random *random)
{
    uint32_t high = next(random) >> 5, low = next(random) >> 6;
    return ((double)high * 0x1p26 + (double)low) * 0x1p-53;
}

/* As many bits as the greatest number has, until they are none too great. One number alone takes no draw. */
uint32_t wl_numpy_below(wl_numpy_random *random, uint32_t count)
{
    uint32_t greatest = count - 1, mask = greatest;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    uint32_t drawn = 0;
    while (mask && (drawn = next(random) & mask) > greatest) {
    }
    return drawn;
}

void wl_numpy_permute(wl_numpy_random *random, uint32_t count, uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++) out[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = wl_numpy_below(random, i), kept = out[i - 1];
        out[i - 1] = out[other];
        out[other] = kept;
    }
}
