/* Numbers to F32. The loops do not branch: with the SSE2 of every x86-64 the compiler makes them run at the speed of
 * memory, or near it. */
#include <string.h>

#include "extract/encoding.h"
#include "format/half.h"

static void decode_f64(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        double value;
        memcpy(&value, in + 8 * i, 8);
        out[i] = (float)value;
    }
}

static void decode_f32(const unsigned char *in, size_t count, float *out)
{
    memcpy(out, in, 4 * count);
}

static void decode_f16(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, 2);
        out[i] = wl_f16_to_f32(half);
    }
}

static void decode_bf16(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, 2);
        out[i] = wl_bf16_to_f32(half);
    }
}

/* OCP 8-bit floating point (OFP8 1.0, section 5): E4M3 has 4 exponent bits (bias 7) and no infinity; its exponent of
 * all ones is one like the others, but for the fraction of all ones, which is NaN. */
static void decode_f8_e4m3(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t sign = (uint32_t)(in[i] & 0x80) << 24, magnitude = in[i] & 0x7F;
        uint32_t special = wl_choose_bits(magnitude == 0x7F, 0x7F800000, 0);
        out[i] = wl_float_of(sign | special | wl_rebias(magnitude << 20, 127 - 7));
    }
}

/* E5M2 is the upper half of a binary16. */
static void decode_f8_e5m2(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = wl_f16_to_f32((uint16_t)(in[i] << 8));
}

static void decode_i8(const unsigned char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)(signed char)in[i];
}

const wl_encoding wl_encoding_f64 = {"F64", 1, 8, decode_f64};
const wl_encoding wl_encoding_f32 = {"F32", 1, 4, decode_f32};
const wl_encoding wl_encoding_f16 = {"F16", 1, 2, decode_f16};
const wl_encoding wl_encoding_bf16 = {"BF16", 1, 2, decode_bf16};
const wl_encoding wl_encoding_f8_e4m3 = {"F8_E4M3", 1, 1, decode_f8_e4m3};
const wl_encoding wl_encoding_f8_e5m2 = {"F8_E5M2", 1, 1, decode_f8_e5m2};
const wl_encoding wl_encoding_i8 = {"I8", 1, 1, decode_i8};
