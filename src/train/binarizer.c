/* What the reference's module does, by name:
 *
 *   all         forward: the sign; 0 stays 0
 *   ste         the slope where |x| <= 1, else 0
 *   tanh        the slope times 1 - tanh(x)^2
 *   reste       the slope times the derivative of sign(x) |x|^(1/o), which stands for the sign: (1/o) |x|^(1/o - 1)
 *               where 0.1 < |x| <= t, and 0 above t; near 0, where that may grow without bound, the power's value at
 *               0.1 divided by 0.1. o is 1 there and stays so, hence both are 1: the slope where |x| <= t = 1.5
 *   stochastic  takes the same branch as ste; no number is drawn
 *
 * (Wu et al., Estimator Meets Equilibrium Perspective, ICCV 2023.) NaN, of which the reference makes 0, stays: what
 * went wrong must be seen in the loss. */
#include "train/binarizer.h"

#include <math.h>

#include "train/exponential.h"

void wl_binarize_forward(wl_binarizer kind, const float *values, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        float x = values[i], sign = copysignf(1, x);
        out[i] = kind != WL_BINARIZE_NONE && fabsf(x) > 0 ? sign : x;
    }
}

static void keep_within(const float *values, size_t count, float bound, float *slopes)
{
    for (size_t i = 0; i < count; i++) slopes[i] = fabsf(values[i]) > bound ? 0 : slopes[i];
}

/* 1 - tanh(x)^2 = 4 e / (1 + e)^2 with e = exp(-2 |x|): nothing cancels. */
static void flatten(const float *values, size_t count, float *slopes)
{
    for (size_t i = 0; i < count; i++) {
        float e = wl_exponential(-2 * fabsf(values[i])), sum = 1 + e;
        slopes[i] *= 4 * e / (sum * sum);
    }
}

void wl_binarize_backward(wl_binarizer kind, const float *values, size_t count, float *slopes)
{
    switch (kind) {
    case WL_BINARIZE_NONE:
        break;
    case WL_BINARIZE_STE:
    case WL_BINARIZE_STOCHASTIC:
        keep_within(values, count, 1, slopes);
        break;
    case WL_BINARIZE_TANH:
        flatten(values, count, slopes);
        break;
    case WL_BINARIZE_RESTE:
        keep_within(values, count, 1.5f, slopes);
        break;
    }
}
