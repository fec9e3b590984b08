#include "algo/select.h"

#include <math.h>
#include <stdlib.h>

/* Moves the match at the top down to its place: below it are only better ones. */
static void sink(wl_match *heap, size_t count)
{
    wl_match moving = heap[0];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && wl_match_before(heap[child], heap[child + 1])) child++;
        if (wl_match_before(heap[child], moving)) break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

static void rise(wl_match *heap, size_t at)
{
    wl_match moving = heap[at];
    for (; at && wl_match_before(heap[(at - 1) / 2], moving); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = moving;
}

void wl_select(wl_selection *selection, wl_match match)
{
    if (selection->count < selection->most) {
        selection->matches[selection->count] = match;
        rise(selection->matches, selection->count++);
    } else if (selection->most && wl_match_before(match, selection->matches[0])) {
        selection->matches[0] = match;
        sink(selection->matches, selection->count);
    }
}

double wl_selection_threshold(const wl_selection *selection)
{
    return selection->count < selection->most ? (double)-INFINITY : (double)selection->matches[0].score;
}

static int compare(const void *a, const void *b)
{
    const wl_match *x = a, *y = b;
    return wl_match_before(*x, *y) ? -1 : wl_match_before(*y, *x) ? 1 : 0;
}

void wl_sort_matches(wl_match *matches, size_t count)
{
    if (count > 1) qsort(matches, count, sizeof *matches, compare);
}
