/* e^x for x <= 0, or NaN, in plain arithmetic that a compiler turns into vectors: x = n ln 2 + r, the series of e^r to
 * degree 7 (|r| <= ln 2 / 2: what is left out is below 6e-9), and n added to the exponent. The error is below 2e-7 of
 * the value; below e^-87.6 it gives 0. About 20 operations. */
#ifndef WL_TRAIN_EXPONENTIAL_H
#define WL_TRAIN_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

static inline float wl_exponential(float x)
{
    const float least = -88, shift = 0x1.8p23f; /* a sum with shift is rounded to whole numbers */
    /* The larger of x and least, by masks: of a choice between an x and a constant GCC makes a branch. */
    uint32_t bits, low, below = 0 - (uint32_t)(x < least);
    float bounded;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&low, &least, sizeof low);
    bits = (bits & ~below) | (low & below);
    memcpy(&bounded, &bits, sizeof bounded);
    float shifted = bounded * 0x1.715476p0f + shift, n = shifted - shift;
    float r = (bounded - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f; /* ln 2 in two parts, the first with few bits */
    float series = 1 / 5040.0f;
    series = series * r + 1 / 720.0f;
    series = series * r + 1 / 120.0f;
    series = series * r + 1 / 24.0f;
    series = series * r + 1 / 6.0f;
    series = series * r + 0.5f;
    series = series * r + 1;
    series = series * r + 1;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + (127u << 23); /* the low bits of shifted are n; n = -127, the least, gives the number 0 */
    float power;
    memcpy(&power, &bits, sizeof power);
    return series * power;
}

#endif
