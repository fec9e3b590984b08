/* The numbers of numpy.random.RandomState(seed), for what must draw as NumPy's users do: the Mersenne Twister MT19937
 * (Matsumoto and Nishimura 1998), and NumPy's ways from its 32-bit numbers to others. */
#ifndef WL_EVAL_NUMPY_RANDOM_H
#define WL_EVAL_NUMPY_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum { WL_NUMPY_WORDS = 624 };

typedef struct wl_numpy_random {
    uint32_t words[WL_NUMPY_WORDS];
    size_t at; /* the next word to give; WL_NUMPY_WORDS: new ones must be made */
} wl_numpy_random;

void wl_numpy_seed(wl_numpy_random *random, uint32_t seed);
/* random_sample(): in [0, 1), 53 bits. */
double wl_numpy_unit(wl_numpy_random *random);
/* randint(0, count): count from 1 to 2^32 - 1. */
uint32_t wl_numpy_below(wl_numpy_random *random, uint32_t count);
/* permutation(count) into out. */
void wl_numpy_permute(wl_numpy_random *random, uint32_t count, uint32_t *out);

#endif
