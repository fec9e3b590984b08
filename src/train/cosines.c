#include "train/cosines.h"

enum { LANES = 8 };

static double add_lanes(const double sums[LANES])
{
    double sum = 0;
    for (size_t i = 0; i < LANES; i++) sum += sums[i];
    return sum;
}

/* Each lane sums every LANES-th product, so that the sums do not wait for each other. */
static wl_products multiply(const float *a, const float *b, size_t size)
{
    double ab[LANES] = {0}, aa[LANES] = {0}, bb[LANES] = {0};
    size_t whole = size / LANES * LANES;
    for (size_t i = 0; i < size; i += LANES) {
        size_t lanes = i < whole ? LANES : size - whole;
        for (size_t j = 0; j < lanes; j++) {
            double x = (double)a[i + j], y = (double)b[i + j];
            ab[j] += x * y;
            aa[j] += x * x;
            bb[j] += y * y;
        }
    }
    return (wl_products){add_lanes(ab), add_lanes(aa), add_lanes(bb)};
}

void wl_row_products(const float *a, const float *b, const wl_slices *slices, wl_products *products)
{
    wl_products sum = {0};
    for (size_t s = 0; s < slices->count; s++) {
        size_t begin = wl_slice_begin(slices, s);
        wl_products part = multiply(a + begin, b + begin, slices->ends[s] - begin);
        sum.ab += part.ab;
        sum.aa += part.aa;
        sum.bb += part.bb;
        products[s] = sum;
    }
}

/* d cos / d a = b / (|a| |b|) - cos a / |a|^2, without the latter where |a| is constant. A column belongs to its own
 * slice's cosine and to those of all slices behind it: the factors of a and b are summed from the last slice down. */
void wl_add_cosine_slopes(const float *a, const float *b, bool signs, const wl_slices *slices,
                          const wl_products *products, const double *coefficients, float *a_slopes, float *b_slopes)
{
    double other = 0, own_a = 0, own_b = 0;
    for (size_t s = slices->count; s-- > 0;) {
        double scale = wl_products_scale(&products[s]);
        if (scale != 0) {
            double cosine = products[s].ab * scale;
            other += coefficients[s] * scale;
            own_a += signs ? 0 : coefficients[s] * cosine / products[s].aa;
            own_b += signs ? 0 : coefficients[s] * cosine / products[s].bb;
        }
        size_t begin = wl_slice_begin(slices, s), end = slices->ends[s];
        for (size_t i = begin; i < end && a_slopes; i++)
            a_slopes[i] += (float)(other * (double)b[i] - own_a * (double)a[i]);
        for (size_t i = begin; i < end && b_slopes; i++)
            b_slopes[i] += (float)(other * (double)a[i] - own_b * (double)b[i]);
    }
}
