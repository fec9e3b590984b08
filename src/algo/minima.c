#include "algo/minima.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vector/kernels.h"

/* ---- similarity in a window -------------------------------------------------------------------------------------- */

wl_status wl_windowed_begin(wl_windowed *windowed, size_t window, size_t dim, size_t count, float *out, wl_error *error)
{
    size_t kept = window < count ? window : count, row;
    *windowed = (wl_windowed){.dim = dim, .half = window / 2, .kept = kept, .out = out};
    if (__builtin_mul_overflow(dim, sizeof(float), &row)) return wl_fail_memory(error, SIZE_MAX);
    windowed->rows = wl_allocate(kept, row, error);
    if (!windowed->rows) return error->code;
    windowed->products = wl_allocate(kept, kept * sizeof(float), error);
    return windowed->products ? WL_OK : error->code;
}

void wl_windowed_free(wl_windowed *windowed)
{
    free(windowed->rows);
    free(windowed->products);
    windowed->rows = windowed->products = NULL;
}

/* The next average, of rows that have all come. */
static void give(wl_windowed *windowed)
{
    size_t kept = windowed->kept, half = windowed->half, i = windowed->given++;
    size_t begin = i < half ? 0 : i - half, end = windowed->count - i > half ? i + half + 1 : windowed->count;
    size_t pairs = (end - begin) * (end - begin - 1) / 2;
    float sum = 0;
    for (size_t j = begin; j < end; j++)
        for (size_t k = j + 1; k < end; k++) sum += windowed->products[k % kept * kept + (k - j)];
    windowed->out[i] = pairs ? sum / (float)pairs : 0;
}

void wl_windowed_add(wl_windowed *windowed, const float *rows, size_t count)
{
    size_t dim = windowed->dim, kept = windowed->kept;
    for (size_t r = 0; r < count; r++) {
        const float *row = rows + r * dim;
        size_t k = windowed->count++;
        float *products = windowed->products + k % kept * kept;
        for (size_t d = 1; d < kept && d <= k; d++)
            products[d] = wl_kernels_best()->dot_blas(windowed->rows + (k - d) % kept * dim, row, dim);
        memcpy(windowed->rows + k % kept * dim, row, dim * sizeof *row);
        if (k >= windowed->half) give(windowed);
    }
}

void wl_windowed_end(wl_windowed *windowed)
{
    while (windowed->given < windowed->count) give(windowed);
}

/* ---- Savitzky-Golay ---------------------------------------------------------------------------------------------- */

/* What the oracle's pseudo-inverse gives for the usual windows, 3 to 11, from the middle to the right; the other half
 * is the same, for slopes with the other sign. It is least squares in F32, so last digits are off, and where lines
 * repeat and similarities are equal they decide. Slopes of order 2 and 3; bends are the same for both. */
static const float known_slopes[2][5][6] = {
    {{0, 0x1.fffffep-2F},
     {0, 0x1.99999ap-4F, 0x1.99999ap-3F},
     {0, 0x1.24924ap-5F, 0x1.24924ap-4F, 0x1.b6db6ep-4F},
     {0, 0x1.11111p-6F, 0x1.11111p-5F, 0x1.99999ap-5F, 0x1.11111p-4F},
     {0, 0x1.29e412p-7F, 0x1.29e412p-6F, 0x1.bed61cp-6F, 0x1.29e412p-5F, 0x1.745d18p-5F}},
    {{0},
     {0, 0x1.555556p-1F, -0x1.555554p-4F},
     {0, 0x1.d75d74p-3F, 0x1.104104p-2F, -0x1.65965ap-4F},
     {0, 0x1.b26c9cp-4F, 0x1.4cb6bap-3F, 0x1.e996d6p-4F, -0x1.288304p-4F},
     {0, 0x1.d7062cp-5F, 0x1.90361ap-4F, 0x1.a74902p-4F, 0x1.d3d76cp-5F, -0x1.dd63a6p-5F}},
};
static const float known_bends[5][6] = {
    {-0x1.000002p+1F, 0x1p+0F},
    {-0x1.249248p-2F, -0x1.249248p-3F, 0x1.24924ap-2F},
    {-0x1.861864p-4F, -0x1.24924cp-4F, -0x1.81824ep-28F, 0x1.e79e78p-4F},
    {-0x1.62a1cep-5F, -0x1.2d6feep-5F, -0x1.1bb4a6p-6F, 0x1.f07c24p-7F, 0x1.f07c2p-5F},
    {-0x1.7de954p-6F, -0x1.57b868p-6F, -0x1.ca4b34p-7F, -0x1.318784p-9F, 0x1.ca4b34p-7F, 0x1.1e6fp-5F},
};

static void look_up(size_t half, size_t order, float *slope, float *bend)
{
    for (size_t i = 0; i <= half; i++) {
        slope[half + i] = known_slopes[order - 2][half - 1][i];
        slope[half - i] = -slope[half + i];
        bend[half - i] = bend[half + i] = known_bends[half - 1][i];
    }
}

/* A polynomial of an orthonormal basis on the window's points: its values there, and its coefficients of x and x^2. */
struct polynomial {
    double *values, constant, linear, square;
};

/* Least squares with the polynomials that are orthonormal on the points -1 to 1, by their recurrence of three terms:
 * the slope of the fit is the sum over the basis of a polynomial's slope times its product with the values. */
static void fit(size_t window, size_t order, struct polynomial *before, struct polynomial *now, double *slope,
                double *bend)
{
    size_t middle = window / 2;
    double half = (double)middle, step = 0;
    for (size_t k = 0; k <= order; k++) {
        /* x times the last one, less what it has of the one before, at unit length; the first is constant. */
        struct polynomial next = {before->values, 0, 0, 0};
        double squares = 0;
        for (size_t i = 0; i < window; i++) {
            double x = ((double)i - half) / half;
            next.values[i] = k ? x * now->values[i] - step * before->values[i] : 1;
            squares += next.values[i] * next.values[i];
        }
        next.constant = k ? -step * before->constant : 1;
        next.linear = k ? now->constant - step * before->linear : 0;
        next.square = k ? now->linear - step * before->square : 0;
        step = sqrt(squares);
        for (size_t i = 0; i < window; i++) next.values[i] /= step;
        next.constant /= step;
        next.linear /= step;
        next.square /= step;
        before->values = now->values;
        before->constant = now->constant;
        before->linear = now->linear;
        before->square = now->square;
        *now = next;
        for (size_t i = 0; i < window; i++) {
            slope[i] += next.linear * next.values[i] / half;
            bend[i] += 2 * next.square * next.values[i] / (half * half);
        }
    }
}

wl_status wl_savitzky_golay(size_t window, size_t order, float *slope, float *bend, wl_error *error)
{
    size_t half = window / 2;
    if (half >= 1 && half <= 5 && (order == 2 || order == 3)) {
        look_up(half, order, slope, bend);
        return WL_OK;
    }
    double *numbers = wl_allocate(window, 4 * sizeof *numbers, error);
    if (!numbers) return error->code;
    struct polynomial before = {numbers, 0, 0, 0}, now = {numbers + window, 0, 0, 0};
    double *slopes = numbers + 2 * window, *bends = numbers + 3 * window;
    fit(window, order, &before, &now, slopes, bends);
    for (size_t i = 0; i < window; i++) {
        slope[i] = (float)slopes[i];
        bend[i] = (float)bends[i];
    }
    free(numbers);
    return WL_OK;
}

/* ---- minima ------------------------------------------------------------------------------------------------------ */

/* numpy.convolve at one place: short sums are taken one term after the other, long ones by BLAS. */
static float filter(const float *values, const float *coefficients, size_t window)
{
    if (window > 11) return wl_kernels_best()->dot_blas(values, coefficients, window);
    float sum = 0;
    for (size_t i = 0; i < window; i++) sum += values[i] * coefficients[i];
    return sum;
}

/* padded: the values with half a window of the first and of the last one around them. Returns how many were found. */
static size_t find_minima(const float *padded, size_t count, size_t window, size_t order, const float *slope,
                          const float *bend, size_t *places)
{
    size_t found = 0;
    float next = filter(padded + 1, slope, window);
    for (size_t i = 1; i + 1 < count; i++) {
        float now = next;
        next = filter(padded + i + 1, slope, window);
        if (!(now < 0 && next > 0)) continue;
        if (order > 1 && !(filter(padded + i, bend, window) > 0)) continue;
        /* The nearer one of the two between which the slope is zero. */
        float weight = -now / (next - now);
        places[found++] = weight < 0.5F ? i : i + 1;
    }
    return found;
}

wl_status wl_local_minima(const float *values, size_t count, size_t window, size_t order, size_t *places, size_t *found,
                          wl_error *error)
{
    size_t half = window / 2, size;
    *found = 0;
    if (count < 3) return WL_OK;
    if (__builtin_add_overflow(count, 2 * half, &size)) return wl_fail_memory(error, SIZE_MAX);
    float *padded = wl_allocate(size, sizeof *padded, error);
    if (!padded) return error->code;
    for (size_t i = 0; i < size; i++) padded[i] = values[i < half ? 0 : i - half < count ? i - half : count - 1];
    float *coefficients = wl_allocate(window, 2 * sizeof *coefficients, error);
    if (!coefficients) {
        free(padded);
        return error->code;
    }
    float *slope = coefficients, *bend = coefficients + window;
    wl_status status = wl_savitzky_golay(window, order, slope, bend, error);
    if (!status) *found = find_minima(padded, count, window, order, slope, bend, places);
    free(padded);
    free(coefficients);
    return status;
}

/* ---- quantile ---------------------------------------------------------------------------------------------------- */

/* Unsigned integers that are ordered as the floats are. */
static uint32_t key_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static float value_of(uint32_t key)
{
    uint32_t bits = key >> 31 ? key & 0x7FFFFFFFu : ~key;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The value that sorting would put at rank: found byte by byte, from the highest. */
static float select_rank(const float *values, size_t count, size_t rank)
{
    uint32_t prefix = 0, mask = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        size_t counts[256] = {0};
        for (size_t i = 0; i < count; i++) {
            uint32_t key = key_of(values[i]);
            if ((key & mask) == prefix) counts[key >> shift & 255]++;
        }
        uint32_t byte = 0;
        while (rank >= counts[byte]) rank -= counts[byte++];
        prefix |= byte << shift;
        mask |= 255u << shift;
    }
    return value_of(prefix);
}

float wl_quantile(const float *values, size_t count, double part)
{
    for (size_t i = 0; i < count; i++)
        if (isnan(values[i])) return NAN;
    double position = (double)(count - 1) * part;
    if (position >= (double)(count - 1)) return select_rank(values, count, count - 1);
    size_t rank = (size_t)position;
    float low = select_rank(values, count, rank), high = select_rank(values, count, rank + 1), difference = high - low;
    double along = position - (double)rank;
    return along < 0.5 ? low + difference * (float)along : high - difference * (float)(1 - along);
}
