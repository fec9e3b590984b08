/* Rows of vectors of any element, as the algorithms see them: one row, its floats, its length, its similarity. */
#ifndef WL_VECTOR_VECTORS_H
#define WL_VECTOR_VECTORS_H

#include "base/status.h"
#include "vector/kernels.h"

/* A known element, dim at least 1 and of a size that can be multiplied, data where there are rows; name is that of the
 * argument in the message. */
wl_status wl_vectors_check(const wl_vectors *vectors, const char *name, wl_error *error);
/* Both of one element and dim. */
wl_status wl_vectors_check_alike(const wl_vectors *a, const wl_vectors *b, wl_error *error);

static inline const void *wl_row(const wl_vectors *vectors, size_t index)
{
    return (const char *)vectors->data + index * wl_vector_size(vectors->element, vectors->dim);
}

/* The row's elements as floats, exactly; bits become +1 and -1. */
void wl_row_floats(const wl_vectors *vectors, size_t index, float *out);

/* What the comparisons of rows of one kind share. */
typedef struct wl_comparison {
    const wl_kernels *kernels;
    wl_element element;
    size_t dim;
    wl_measure measure;
} wl_comparison;

/* WL_ERROR_ARGUMENT for HAMMING of numbers. */
wl_status wl_comparison_open(wl_comparison *comparison, const wl_vectors *vectors, wl_measure measure, wl_error *error);
/* The squared length of a row. */
double wl_row_square(const wl_comparison *comparison, const void *row);
/* The measure of two rows, given the square of the first or of both. */
double wl_row_score(const wl_comparison *comparison, const void *a, double a_square, const void *b);
double wl_row_score_with(const wl_comparison *comparison, const void *a, double a_square, const void *b,
                         double b_square);
/* A first look at a pair, in single precision: false where the score is proven to be below the threshold (a cosine).
 * Only floats are looked at. */
bool wl_row_may_reach(const wl_comparison *comparison, const void *a, double a_square, const void *b, double threshold);
/* At least the dot product of two rows of floats whose lengths' product is length. */
double wl_rough_bound(const wl_kernels *kernels, const float *a, const float *b, size_t dim, double length);
/* The cosine that a value of the measure stands for. */
double wl_measure_to_cosine(wl_measure measure, double score);

/* WL_ERROR_ARGUMENT: the row has an element that is not finite. */
wl_status wl_fail_not_finite(wl_error *error, size_t row);

#endif
