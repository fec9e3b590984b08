/* The dims of a nest in ascending order, each once, so that sums over them grow slice by slice of the columns. */
#ifndef WL_TRAIN_NEST_H
#define WL_TRAIN_NEST_H

#include "train/losses.h"

typedef struct wl_slices {
    size_t count;
    size_t *ends;    /* ascending: slice s has the columns from ends[s - 1], or 0, to ends[s] */
    double *weights; /* of the loss over the first ends[s] columns */
} wl_slices;

/* Dims above most are taken as most; the weights of equal dims are added. WL_ERROR_ARGUMENT: no dims, or one that is 0
 * or above dim. Free with wl_slices_free, also after a failure. */
wl_status wl_slices_open(wl_slices *slices, const wl_nest *nest, size_t dim, size_t most, wl_error *error);
void wl_slices_free(wl_slices *slices);

static inline size_t wl_slice_begin(const wl_slices *slices, size_t slice)
{
    return slice ? slices->ends[slice - 1] : 0;
}

#endif
