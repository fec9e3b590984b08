/* Half-precision numbers: IEEE 754 binary16 and bfloat16, in plain C, exact. Nothing branches, so that a loop over them
 * becomes vector instructions of whatever set the compiler may use; SSE2 is enough. */
#ifndef WL_FORMAT_HALF_H
#define WL_FORMAT_HALF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline float wl_float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t wl_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* yes where the condition holds, else no, both computed: a compiler that must mind the processor's exception flags
 * makes a branch of a ?: that has floating point in it. The comparisons here are signed, as SSE2's are. */
static inline uint32_t wl_choose_bits(bool condition, uint32_t yes, uint32_t no)
{
    return no ^ ((yes ^ no) & (0 - (uint32_t)condition));
}

/* A number with a short exponent, whose bits without the sign lie as binary32 has them: fraction from bit 0, exponent
 * from bit 23. shift: binary32's bias less the number's own. A normal number adds shift to its exponent; a subnormal
 * one is read with the exponent of the smallest normal number, and so means that number too much. */
static inline uint32_t wl_rebias(uint32_t magnitude, uint32_t shift)
{
    uint32_t smallest = (shift + 1) << 23;
    uint32_t subnormal = wl_float_bits(wl_float_of(magnitude + smallest) - wl_float_of(smallest));
    return wl_choose_bits((int32_t)magnitude < 1 << 23, subnormal, magnitude + (shift << 23));
}

/* binary16 has 5 exponent bits (bias 15) and 10 of fraction. Infinity and NaN have the exponent of all ones, here too.
 * A signalling NaN comes out quiet, as from the processors' own conversion. */
static inline float wl_f16_to_f32(uint16_t half)
{
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, magnitude = (uint32_t)(half & 0x7FFF) << 13;
    uint32_t special = wl_choose_bits((int32_t)magnitude >= 31 << 23, 0x7F800000, 0);
    uint32_t quiet = wl_choose_bits((int32_t)magnitude > 31 << 23, 0x400000, 0);
    return wl_float_of(sign | special | quiet | wl_rebias(magnitude, 127 - 15));
}

/* Round to nearest, ties to even; overflow gives infinity, NaN stays NaN and comes out quiet. Under 2^-14 the result is
 * a number of units of 2^-24, which is what the last bit means in the binary32 numbers from 1/2 to 1: adding 1/2 rounds
 * to them. Above, rounding adds half a unit less one, plus the lowest kept bit, to the bits: that carries exactly when
 * the result must grow; a carry out of the fraction goes into the exponent, up to infinity, as it should. */
static inline uint16_t wl_f32_to_f16(float value)
{
    uint32_t bits = wl_float_bits(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
    uint32_t normal = ((magnitude + 0xFFF + (magnitude >> 13 & 1)) >> 13) - (112u << 10);
    uint32_t subnormal = wl_float_bits(wl_float_of(magnitude) + 0.5f) - wl_float_bits(0.5f);
    uint32_t half = wl_choose_bits((int32_t)magnitude < 0x38800000, subnormal, normal);
    half = wl_choose_bits((int32_t)magnitude >= 0x47800000, 0x7C00, half); /* 65536 and more */
    half = wl_choose_bits((int32_t)magnitude > 0x7F800000, 0x7E00 | (magnitude >> 13 & 0x3FF), half);
    return (uint16_t)(sign | half);
}

/* bfloat16 is the upper half of a binary32. */
static inline float wl_bf16_to_f32(uint16_t half)
{
    return wl_float_of((uint32_t)half << 16);
}

/* As wl_f32_to_f16. */
static inline uint16_t wl_f32_to_bf16(float value)
{
    uint32_t bits = wl_float_bits(value), rounded = bits + 0x7FFF + (bits >> 16 & 1);
    return (uint16_t)(wl_choose_bits((int32_t)(bits & 0x7FFFFFFF) > 0x7F800000, bits | 0x400000, rounded) >> 16);
}

/* The same for count numbers; in and out do not overlap. With SSE2 more than 1 G numbers a second. */
void wl_f32_to_f16_array(const float *in, size_t count, uint16_t *out);
void wl_f32_to_bf16_array(const float *in, size_t count, uint16_t *out);

#endif
