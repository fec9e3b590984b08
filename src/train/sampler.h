/* The order of a training run: of the records in a pass over a source, and of the sources in an epoch. */
#ifndef WL_TRAIN_SAMPLER_H
#define WL_TRAIN_SAMPLER_H

#include "base/memory.h"
#include "base/random.h"
#include "train/dataset.h"

/* ---- records ----------------------------------------------------------------------------------------------------- */

enum { WL_SHUFFLE_ROUNDS = 24 };

/* A permutation of [0, count) that is computed where it is asked for. */
typedef struct wl_shuffle {
    uint64_t count;
    uint32_t bits; /* of a half: 4^bits is at least count */
    int rounds;
    uint64_t keys[WL_SHUFFLE_ROUNDS];
} wl_shuffle;

/* count: at most 2^62. Streams of one seed are independent. */
wl_shuffle wl_shuffle_begin(uint64_t count, uint64_t seed, uint64_t stream);
/* What stands at a place below count. Cost: below 4 times 8 hashes on average. */
uint64_t wl_shuffle_at(const wl_shuffle *shuffle, uint64_t place);

/* ---- sources ----------------------------------------------------------------------------------------------------- */

/* Whose turn it is, batch by batch, through an epoch. */
typedef struct wl_turns {
    wl_sampling sampling;
    size_t count;     /* of sources */
    uint64_t *shares; /* (count): batches of an epoch, each at least 1 */
    uint64_t *left;   /* (count) */
    uint64_t total;   /* sum of the shares: at most 2^53 */
    uint64_t total_left;
    wl_random random;
} wl_turns;

/* sizes: (count), batches that each source has; weights: (count), above 0. PROPORTIONAL: a source's share is its size
 * times its weight; ROUND_ROBIN: its weight times the rounds until the first source has given all it has. At least 1,
 * and rounded. WL_ERROR_LIMIT: too many batches. Free with wl_turns_free, also after a failure. */
wl_status wl_turns_create(wl_turns *turns, wl_sampling sampling, const uint64_t *sizes, const double *weights,
                          size_t count, wl_error *error);
void wl_turns_free(wl_turns *turns);
/* All shares are left again. */
void wl_turns_begin(wl_turns *turns, uint64_t seed, uint64_t epoch);
/* The source of the next batch; there is one left. PROPORTIONAL: drawn with a probability in proportion to the batches
 * that it has left, which is a shuffle of all; ROUND_ROBIN: the one with the largest part of its share left, of equals
 * the first, which is turns where all weights are equal. */
size_t wl_turns_next(wl_turns *turns);

#endif
