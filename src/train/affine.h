/* y = W x + b for many x, and its slopes. */
#ifndef WL_TRAIN_AFFINE_H
#define WL_TRAIN_AFFINE_H

#include "base/parallel.h"
#include "train/parameters.h"

typedef struct wl_affine {
    wl_parameter *weight; /* (outputs, inputs) */
    wl_parameter *bias;   /* (1, outputs); NULL: none */
} wl_affine;

/* x: (count, inputs), y: (count, outputs). starts: NULL, or (count + 1): rows whose start is the next one's too are
 * texts without tokens: they have no bias, and x is 0. Cost: 2 count inputs outputs operations. */
void wl_affine_forward(const wl_affine *affine, wl_pool *pool, const float *x, size_t count, const uint64_t *starts,
                       float *y);
/* Adds to the slopes of W and b what those of y make of x. The bias is summed in F64. Cost as forward. */
void wl_affine_backward(const wl_affine *affine, wl_pool *pool, const float *x, const float *y_slopes, size_t count,
                        const uint64_t *starts);
/* The slopes of x: (count, inputs). Cost as forward. */
void wl_affine_inputs(const wl_affine *affine, wl_pool *pool, const float *y_slopes, size_t count, float *x_slopes);

#endif
