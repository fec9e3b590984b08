#include "train/sampler.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* ---- records ----------------------------------------------------------------------------------------------------- */

wl_shuffle wl_shuffle_begin(uint64_t count, uint64_t seed, uint64_t stream)
{
    wl_shuffle shuffle = {.count = count, .bits = 1};
    wl_random random = wl_random_seed(seed, stream);
    while (UINT64_C(1) << 2 * shuffle.bits < count) shuffle.bits++;
    /* Halves of one or two bits mix slowly: so many until all permutations of a few are as likely (measured). */
    shuffle.rounds = shuffle.bits <= 2 ? WL_SHUFFLE_ROUNDS : 8;
    for (int i = 0; i < shuffle.rounds; i++) shuffle.keys[i] = wl_random_next(&random);
    return shuffle;
}

/* A Feistel network (Luby, Rackoff, SIAM J. Comput. 1988) permutes the numbers of 2 * bits bits, whatever the function
 * of its rounds is. Where it leaves [0, count) it is applied again until it is back (cycle walking: Black, Rogaway,
 * CT-RSA 2002): a permutation still, since each cycle keeps its order. At least a quarter of the numbers is below
 * count. */
uint64_t wl_shuffle_at(const wl_shuffle *shuffle, uint64_t place)
{
    uint32_t bits = shuffle->bits;
    uint64_t mask = (UINT64_C(1) << bits) - 1;
    do {
        uint64_t left = place >> bits, right = place & mask;
        for (int i = 0; i < shuffle->rounds; i++) {
            uint64_t next = left ^ wl_hash_integer(right ^ shuffle->keys[i]) >> (64 - bits);
            left = right;
            right = next;
        }
        place = left << bits | right;
    } while (place >= shuffle->count);
    return place;
}

/* ---- sources ----------------------------------------------------------------------------------------------------- */

wl_status wl_turns_create(wl_turns *turns, wl_sampling sampling, const uint64_t *sizes, const double *weights,
                          size_t count, wl_error *error)
{
    *turns = (wl_turns){.sampling = sampling, .count = count};
    turns->shares = wl_allocate(count, sizeof *turns->shares, error);
    turns->left = turns->shares ? wl_allocate(count, sizeof *turns->left, error) : NULL;
    if (!turns->left) return WL_ERROR_MEMORY;
    double rounds = INFINITY, total = 0;
    for (size_t i = 0; i < count; i++) rounds = fmin(rounds, (double)sizes[i] / weights[i]);
    for (size_t i = 0; i < count; i++) {
        double share = fmax(1, round(weights[i] * (sampling == WL_SAMPLE_PROPORTIONAL ? (double)sizes[i] : rounds)));
        total += share;
        if (!(total <= 0x1p53)) return wl_fail(error, WL_ERROR_LIMIT, "an epoch has too many batches: lower weights");
        turns->shares[i] = (uint64_t)share;
        turns->total += turns->shares[i];
    }
    return WL_OK;
}

void wl_turns_free(wl_turns *turns)
{
    free(turns->shares);
    free(turns->left);
    *turns = (wl_turns){0};
}

void wl_turns_begin(wl_turns *turns, uint64_t seed, uint64_t epoch)
{
    memcpy(turns->left, turns->shares, turns->count * sizeof *turns->left);
    turns->total_left = turns->total;
    turns->random = wl_random_seed(seed, epoch);
}

static size_t draw(wl_turns *turns)
{
    size_t source = 0;
    uint64_t place = wl_random_below(&turns->random, (size_t)turns->total_left);
    while (place >= turns->left[source]) place -= turns->left[source++];
    return source;
}

static size_t least_served(const wl_turns *turns)
{
    size_t best = 0;
    double most = 0;
    for (size_t i = 0; i < turns->count; i++) {
        double part = (double)turns->left[i] / (double)turns->shares[i];
        if (part <= most) continue;
        most = part;
        best = i;
    }
    return best;
}

size_t wl_turns_next(wl_turns *turns)
{
    size_t source = turns->sampling == WL_SAMPLE_PROPORTIONAL ? draw(turns) : least_served(turns);
    turns->left[source]--;
    turns->total_left--;
    return source;
}
