/* Cosines of two rows over all dims of a nest at once, and their slopes: one pass over the columns each. */
#ifndef WL_TRAIN_COSINES_H
#define WL_TRAIN_COSINES_H

#include <math.h>
#include <stdbool.h>

#include "train/nest.h"

/* Of the first so many numbers of two rows. */
typedef struct wl_products {
    double ab; /* their dot product */
    double aa, bb;
} wl_products;

/* products: (slices->count). Sums in F64 in a fixed order. */
void wl_row_products(const float *a, const float *b, const wl_slices *slices, wl_products *products);

/* 1 / (|a| |b|); 0 where one of them is zero, so that its cosine is 0 and has no slope. */
static inline double wl_products_scale(const wl_products *products)
{
    double square = products->aa * products->bb;
    return square == 0 ? 0 : 1 / sqrt(square);
}

static inline double wl_products_cosine(const wl_products *products)
{
    return products->ab * wl_products_scale(products);
}

/* Adds to a_slopes and b_slopes (NULL: not wanted) the slopes of the sum of coefficients[s] * cosine over slice s.
 * signs: the rows' lengths are constant, as wl_distill_loss has it. */
void wl_add_cosine_slopes(const float *a, const float *b, bool signs, const wl_slices *slices,
                          const wl_products *products, const double *coefficients, float *a_slopes, float *b_slopes);

#endif
