/* The best k of a stream of matches: a binary heap with the worst kept one on top. The order is total (score, then
 * index), so what is kept depends neither on the order of the stream nor on how it was cut among threads. Cost: one
 * comparison for a match that is not kept, log k for one that is. */
#ifndef WL_ALGO_SELECT_H
#define WL_ALGO_SELECT_H

#include "wordllama.h"

typedef struct wl_selection {
    wl_match *matches; /* (most), the caller's */
    size_t count, most;
} wl_selection;

/* Whether a goes before b: a higher score, or an equal one and a lower index. */
static inline bool wl_match_before(wl_match a, wl_match b)
{
    return a.score != b.score ? a.score > b.score : a.index < b.index;
}

void wl_select(wl_selection *selection, wl_match match);

/* What a score must reach to be kept, should its index be low enough; -INFINITY while there is room. */
double wl_selection_threshold(const wl_selection *selection);

#endif
