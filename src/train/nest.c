#include "train/nest.h"

#include <stdlib.h>
#include <string.h>

/* Puts a dim where it belongs. */
static void insert(wl_slices *slices, size_t end, double weight)
{
    size_t at = 0;
    while (at < slices->count && slices->ends[at] < end) at++;
    if (at == slices->count || slices->ends[at] > end) {
        memmove(slices->ends + at + 1, slices->ends + at, (slices->count - at) * sizeof *slices->ends);
        memmove(slices->weights + at + 1, slices->weights + at, (slices->count - at) * sizeof *slices->weights);
        slices->ends[at] = end;
        slices->weights[at] = 0;
        slices->count++;
    }
    slices->weights[at] += weight;
}

wl_status wl_slices_open(wl_slices *slices, const wl_nest *nest, size_t dim, size_t most, wl_error *error)
{
    *slices = (wl_slices){0};
    if (!nest->count) return wl_fail(error, WL_ERROR_ARGUMENT, "a loss over no dimensions");
    slices->ends = wl_allocate(nest->count, sizeof *slices->ends, error);
    slices->weights = slices->ends ? wl_allocate(nest->count, sizeof *slices->weights, error) : NULL;
    if (!slices->weights) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < nest->count; i++) {
        size_t end = nest->dims[i];
        if (!end || end > dim)
            return wl_fail(error, WL_ERROR_ARGUMENT, "a loss over %zu dimensions, expected 1 to %zu", end, dim);
        insert(slices, end < most ? end : most, (double)nest->weights[i]);
    }
    return WL_OK;
}

void wl_slices_free(wl_slices *slices)
{
    free(slices->ends);
    free(slices->weights);
    *slices = (wl_slices){0};
}
