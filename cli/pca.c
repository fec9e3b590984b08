#include "pca.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { STEPS = 300 }; /* of the iteration: enough for a picture where variances differ by 2% */

static double product(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++) sum += a[i] * b[i];
    return sum;
}

/* To unit length; a vector of no length becomes zero. */
static void normalize(double *vector, size_t dim, double negligible)
{
    double length = sqrt(product(vector, vector, dim));
    for (size_t i = 0; i < dim; i++) vector[i] = length > negligible ? vector[i] / length : 0;
}

static void multiply(const double *matrix, const double *vector, size_t dim, double *out)
{
    for (size_t i = 0; i < dim; i++) out[i] = product(matrix + i * dim, vector, dim);
}

static void subtract_mean(const float *rows, size_t count, size_t dim, double *centred)
{
    for (size_t j = 0; j < dim; j++) {
        double mean = 0;
        for (size_t i = 0; i < count; i++) mean += (double)rows[i * dim + j];
        mean /= (double)count;
        for (size_t i = 0; i < count; i++) centred[i * dim + j] = (double)rows[i * dim + j] - mean;
    }
}

/* The sums of products of columns, (dim, dim); returns their trace, which is the variance times count. */
static double covariance(const double *centred, size_t count, size_t dim, double *matrix)
{
    double trace = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < dim; j++)
            for (size_t k = 0; k <= j; k++) matrix[j * dim + k] += centred[i * dim + j] * centred[i * dim + k];
    for (size_t j = 0; j < dim; j++) {
        trace += matrix[j * dim + j];
        for (size_t k = 0; k < j; k++) matrix[k * dim + j] = matrix[j * dim + k];
    }
    return trace;
}

/* Orthogonal iteration: two directions, multiplied by the matrix and made orthogonal again. directions: (2, dim). */
static void find_directions(const double *matrix, size_t dim, double trace, double *directions, double *next)
{
    double *first = directions, *second = directions + dim;
    /* Any start will do that is orthogonal to neither; this one is the same on every machine. */
    uint32_t state = 1;
    for (size_t i = 0; i < 2 * dim; i++) {
        state = state * 1664525 + 1013904223;
        directions[i] = (double)(state >> 8) / 16777216 - 0.5;
    }
    for (int step = 0; step < STEPS; step++) {
        multiply(matrix, first, dim, next);
        memcpy(first, next, dim * sizeof *next);
        normalize(first, dim, trace * 1e-12);
        multiply(matrix, second, dim, next);
        double along = product(next, first, dim);
        for (size_t i = 0; i < dim; i++) second[i] = next[i] - along * first[i];
        normalize(second, dim, trace * 1e-12);
    }
    /* A direction and its opposite are the same; the largest element is made positive. */
    for (int which = 0; which < 2; which++) {
        double *direction = directions + (size_t)which * dim, largest = 0;
        for (size_t i = 0; i < dim; i++)
            if (fabs(direction[i]) > fabs(largest)) largest = direction[i];
        for (size_t i = 0; i < dim && largest < 0; i++) direction[i] = -direction[i];
    }
}

wl_status pca_plane(const float *rows, size_t count, size_t dim, double *points, double *share, wl_error *error)
{
    double *centred = wl_allocate(count * dim, sizeof *centred, error);
    double *matrix = centred ? wl_allocate(dim * dim, sizeof *matrix, error) : NULL;
    double *directions = matrix ? wl_allocate(3 * dim, sizeof *directions, error) : NULL;
    wl_status status = directions ? WL_OK : WL_ERROR_MEMORY;
    *share = 0;
    if (!status && count) {
        subtract_mean(rows, count, dim, centred);
        double trace = covariance(centred, count, dim, matrix), held = 0;
        find_directions(matrix, dim, trace, directions, directions + 2 * dim);
        for (size_t i = 0; i < count; i++)
            for (size_t which = 0; which < 2; which++) {
                double at = product(centred + i * dim, directions + which * dim, dim);
                points[2 * i + which] = at;
                held += at * at;
            }
        if (trace > 0) *share = held / trace;
    }
    free(centred);
    free(matrix);
    free(directions);
    return status;
}
