#include "format/half.h"

#include <string.h>

static inline float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t to_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* binary16 has 5 exponent bits (bias 15) and 10 of fraction; binary32 has 8 (bias 127) and 23. A normal number moves
 * its bits and adds the difference of the biases; a subnormal one is fraction * 2^-24, which binary32 holds as a normal
 * number. A NaN comes out quiet, as from the processors' own conversion. */
float wl_f16_to_f32(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    if (exponent == 0) return from_bits(sign | to_bits((float)fraction * 0x1p-24f));
    if (exponent == 31) return from_bits(sign | 0x7F800000 | fraction << 13 | (fraction ? 0x400000 : 0));
    return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

/* Rounding to even by addition: half a unit less one, plus the lowest kept bit, carries exactly when the result must
 * grow; a carry out of the fraction goes into the exponent, up to infinity, as it should. */
uint16_t wl_f32_to_f16(float value)
{
    uint32_t bits = to_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    if (magnitude > 0x7F800000) return (uint16_t)(sign | 0x7E00 | (magnitude >> 13 & 0x3FF));
    if (magnitude >= 0x47800000) return (uint16_t)(sign | 0x7C00); /* 65536 and more */
    if (magnitude >= 0x38800000) {                                 /* 2^-14 and more: normal */
        uint32_t rounded = magnitude + 0xFFF + (magnitude >> 13 & 1);
        return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
    }
    uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return (uint16_t)sign; /* under 2^-25, half the smallest subnormal */
    uint32_t fraction = (magnitude & 0x7FFFFF) | 0x800000, shift = 126 - exponent;
    uint32_t rounded = fraction + (UINT32_C(1) << (shift - 1)) - 1 + (fraction >> shift & 1);
    return (uint16_t)(sign | rounded >> shift);
}

/* bfloat16 is the upper half of a binary32. */
float wl_bf16_to_f32(uint16_t half)
{
    return from_bits((uint32_t)half << 16);
}

uint16_t wl_f32_to_bf16(float value)
{
    uint32_t bits = to_bits(value);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}
