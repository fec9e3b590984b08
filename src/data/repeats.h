/* Which of any number of digests repeat an earlier one, in memory that does not grow with them, but for the answer. */
#ifndef WL_DATA_REPEATS_H
#define WL_DATA_REPEATS_H

#include "data/digests.h"
#include "data/spill.h"

/* bits: (count + 63) / 64 words, zeroed; bit i becomes 1 where digest i of the spill, which holds count of them, is
 * equal to one before it. A file is written to the folder for as long as the call takes. go_on is asked now and then;
 * where it says no the call ends with WL_ERROR_CANCELLED. */
wl_status wl_repeats_find(wl_spill *digests, uint64_t count, const char *folder, bool (*go_on)(void *user), void *user,
                          uint64_t *bits, wl_error *error);

static inline bool wl_bit(const uint64_t *bits, uint64_t at)
{
    return bits[at / 64] >> (at % 64) & 1;
}

#endif
