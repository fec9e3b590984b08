#include "vector/ops.h"

#include <math.h>

#include "vector/kernels.h"

/* NumPy's pairwise summation (numpy/_core/src/umath/loops_utils.h.src): up to 128 values in eight strided sums, more
 * by halves cut at a multiple of eight; the error grows with log n. */
static float sum_of_squares(const wl_kernels *kernels, const float *x, size_t count)
{
    if (count < 8) {
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
        return sum;
    }
    if (count <= 128) return kernels->squares(x, count);
    size_t half = count / 2 - count / 2 % 8;
    return sum_of_squares(kernels, x, half) + sum_of_squares(kernels, x + half, count - half);
}

float wl_norm(const float *vector, size_t dim)
{
    return sqrtf(sum_of_squares(wl_kernels_best(), vector, dim));
}

void wl_binarize(const float *vector, size_t dim, uint8_t *bits)
{
    wl_kernels_best()->binarize(vector, dim, bits);
}
