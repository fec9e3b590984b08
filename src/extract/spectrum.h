/* Singular values and right singular vectors of a codebook's table less its mean row. */
#ifndef WL_EXTRACT_SPECTRUM_H
#define WL_EXTRACT_SPECTRUM_H

#include "extract/codebook.h"

/* Up to so many columns all singular values are computed, beyond the largest ones. */
enum { WL_EXACT_COLUMNS = 2048 };

typedef struct wl_spectrum {
    size_t count;      /* of singular values, descending */
    double *values;    /* (count) */
    float *directions; /* (count, dim): right singular vectors, each with a positive component of largest magnitude */
    bool exact;        /* these are all that there are */
} wl_spectrum;

typedef struct wl_spectrum_plan {
    size_t rank; /* how many are wanted; where they are not exact there are no more */
    uint64_t seed;
    const float *mean; /* (dim): the mean row */
    wl_pool *pool;
    wl_pass *pass;
    wl_error *error;
} wl_spectrum_plan;

/* Passes over the table that it takes. */
size_t wl_spectrum_passes(const wl_codebook *codebook, size_t rank);
/* Free with wl_spectrum_free, also after a failure. */
wl_status wl_spectrum_find(wl_spectrum *spectrum, const wl_codebook *codebook, const wl_spectrum_plan *plan);
void wl_spectrum_free(wl_spectrum *spectrum);

/* The mean row, (dim), and the sum of the squares of the table less it: sums in F64, in row order; one pass. */
wl_status wl_codebook_center(const wl_codebook *codebook, wl_pool *pool, wl_pass *pass, float *mean, double *energy,
                             wl_error *error);
/* sums[i] += the sum of column i over count rows, in their order, each times its weight (NULL: 1); the pool's threads
 * take columns. */
void wl_sum_columns(wl_pool *pool, const float *rows, const double *weights, size_t count, size_t dim, double *sums);

#endif
