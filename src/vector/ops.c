#include "vector/ops.h"

#include <math.h>

/* NumPy's pairwise summation (numpy/_core/src/umath/loops_utils.h.src): up to 128 values in eight strided sums, more
 * by halves cut at a multiple of eight; the error grows with log n. */
static float sum_of_squares(const float *x, size_t count)
{
    if (count < 8) {
        float sum = 0;
        for (size_t i = 0; i < count; i++) sum += x[i] * x[i];
        return sum;
    }
    if (count > 128) {
        size_t half = count / 2 - count / 2 % 8;
        return sum_of_squares(x, half) + sum_of_squares(x + half, count - half);
    }
    float s[8];
    for (size_t j = 0; j < 8; j++) s[j] = x[j] * x[j];
    size_t i = 8;
    for (; i < count - count % 8; i += 8)
        for (size_t j = 0; j < 8; j++) s[j] += x[i + j] * x[i + j];
    float sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    for (; i < count; i++) sum += x[i] * x[i];
    return sum;
}

float wl_norm(const float *vector, size_t dim)
{
    return sqrtf(sum_of_squares(vector, dim));
}

void wl_binarize(const float *vector, size_t dim, uint8_t *bits)
{
    for (size_t i = 0; i < dim; i += 8) {
        unsigned byte = 0;
        size_t width = dim - i < 8 ? dim - i : 8;
        for (size_t j = 0; j < width; j++) byte |= (unsigned)(vector[i + j] > 0) << (7 - j);
        bits[i / 8] = (uint8_t)byte;
    }
}
