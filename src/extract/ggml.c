/* ggml's block types. Each is a function from blocks to floats in the order of operations that the Python package gguf
 * (gguf.quants) has, every product and sum rounded to F32; so the results are equal to the last bit, and an infinite or
 * NaN scale spreads as it does there. Blocks are laid out as ggml-common.h of the ggml project describes them. Cost:
 * one pass, a few operations for each element; the loops have fixed counts, so that compilers use vectors. */
#include "extract/encoding.h"
#include "format/half.h"

enum { SMALL = 32, SUPER = 256 }; /* elements of a block: the first types', and the K types' */

static unsigned read_u16(const unsigned char *in)
{
    return in[0] | (unsigned)in[1] << 8;
}

static float read_half(const unsigned char *in)
{
    return wl_f16_to_f32((uint16_t)read_u16(in));
}

/* ---- blocks of 32 ------------------------------------------------------------------------------------------------ */

/* Where a sum a + b is made of NaNs, the first one's bits must come out, but a compiler may exchange the two. A
 * difference keeps its order: a - minuend(b). */
static float negated(float value)
{
    return value != value ? value : -value;
}

/* The fifth bits of 32 elements, spread over bytes. */
static void spread_bits(const unsigned char *in, unsigned char bits[SMALL])
{
    for (int j = 0; j < SMALL; j++) bits[j] = (unsigned char)((in[j / 8] >> j % 8 & 1) << 4);
}

/* Nibbles, the low ones first, in a type's usual order: 16 elements, then the 16 others. */
static void spread_nibbles(const unsigned char *restrict in, unsigned char nibbles[restrict SMALL])
{
    for (int j = 0; j < SMALL / 2; j++) {
        nibbles[j] = in[j] & 15;
        nibbles[j + SMALL / 2] = in[j] >> 4;
    }
}

/* d, 16 bytes of nibbles: d * (q - 8) */
static void decode_q4_0(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SMALL];
    for (size_t i = 0; i < blocks; i++, in += 18, out += SMALL) {
        float d = read_half(in);
        spread_nibbles(in + 2, q);
        for (int j = 0; j < SMALL; j++) out[j] = d * (float)(q[j] - 8);
    }
}

/* d, m, 16 bytes of nibbles: d * q + m */
static void decode_q4_1(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SMALL];
    for (size_t i = 0; i < blocks; i++, in += 20, out += SMALL) {
        float d = read_half(in), m = negated(read_half(in + 2));
        spread_nibbles(in + 4, q);
        for (int j = 0; j < SMALL; j++) out[j] = d * (float)q[j] - m;
    }
}

/* d, 4 bytes of fifth bits, 16 bytes of nibbles: d * (q - 16) */
static void decode_q5_0(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SMALL], high[SMALL];
    for (size_t i = 0; i < blocks; i++, in += 22, out += SMALL) {
        float d = read_half(in);
        spread_bits(in + 2, high);
        spread_nibbles(in + 6, q);
        for (int j = 0; j < SMALL; j++) out[j] = d * (float)((q[j] | high[j]) - 16);
    }
}

/* d, m, 4 bytes of fifth bits, 16 bytes of nibbles: d * q + m */
static void decode_q5_1(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SMALL], high[SMALL];
    for (size_t i = 0; i < blocks; i++, in += 24, out += SMALL) {
        float d = read_half(in), m = negated(read_half(in + 2));
        spread_bits(in + 4, high);
        spread_nibbles(in + 8, q);
        for (int j = 0; j < SMALL; j++) out[j] = d * (float)(q[j] | high[j]) - m;
    }
}

/* d, 32 signed bytes: q * d */
static void decode_q8_0(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 34, out += SMALL) {
        float d = read_half(in);
        for (int j = 0; j < SMALL; j++) out[j] = (float)(signed char)in[2 + j] * d;
    }
}

/* ---- nibbles that number the values of a table ------------------------------------------------------------------- */

/* The levels of IQ4_NL and IQ4_XS. */
static const signed char levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
/* FP4 (E2M1), doubled. */
static const signed char fp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* count bytes of nibbles: all low ones, then all high ones. */
static void look_up(const signed char table[16], float d, const unsigned char *in, int count, float *restrict out)
{
    for (int j = 0; j < count; j++) {
        out[j] = d * (float)table[in[j] & 15];
        out[j + count] = d * (float)table[in[j] >> 4];
    }
}

static void decode_iq4_nl(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 18, out += SMALL) look_up(levels, read_half(in), in + 2, SMALL / 2, out);
}

/* d, the upper 2 bits of 8 scales, their lower 4, 128 bytes of nibbles; a scale for each 32. */
static void decode_iq4_xs(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 136, out += SUPER) {
        float d = read_half(in);
        unsigned high = read_u16(in + 2);
        for (int g = 0; g < 8; g++) {
            int scale = (int)((in[4 + g / 2] >> 4 * (g % 2) & 15) | (high >> 2 * g & 3) << 4) - 32;
            look_up(levels, d * (float)scale, in + 8 + 16 * g, 16, out + SMALL * g);
        }
    }
}

/* The exponent of a power of two, 17 bytes in all. The table is doubled, so the power is halved; the two lowest are
 * subnormal. */
static void decode_mxfp4(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 17, out += SMALL) {
        uint32_t bits = in[0] < 2 ? UINT32_C(0x200000) << in[0] : (uint32_t)(in[0] - 1) << 23;
        look_up(fp4, wl_float_of(bits), in + 1, SMALL / 2, out);
    }
}

/* Half of an unsigned E4M3 number; 0x7F, its NaN, counts as 0. The highest bit does not count. */
static float half_of_ue4m3(unsigned char bits)
{
    int exponent = bits >> 3 & 15;
    float fraction = (float)(bits & 7);
    if (bits == 0x7F) return 0;
    if (!exponent) return fraction * 0x1p-10f;
    return (1 + fraction / 8) * wl_float_of((uint32_t)(exponent - 8 + 127) << 23);
}

/* 4 scales, then 4 times 8 bytes of nibbles. */
static void decode_nvfp4(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 36, out += 64)
        for (int g = 0; g < 4; g++) look_up(fp4, half_of_ue4m3(in[g]), in + 4 + 8 * g, 8, out + 16 * g);
}

/* ---- blocks of 256 ----------------------------------------------------------------------------------------------- */

/* 64 bytes of four 2-bit numbers: of each 32 bytes first all lowest, then all second ... */
static void spread_pairs(const unsigned char *restrict in, unsigned char pairs[restrict SUPER])
{
    for (int part = 0; part < 2; part++, in += 32)
        for (int shift = 0; shift < 8; shift += 2, pairs += 32)
            for (int j = 0; j < 32; j++) pairs[j] = in[j] >> shift & 3;
}

/* Per 16 elements a scale (low nibble) and a minimum; then pairs, d, dmin: d * scale * q - dmin * minimum */
static void decode_q2_k(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SUPER];
    for (size_t i = 0; i < blocks; i++, in += 84, out += SUPER) {
        float d = read_half(in + 80), minimum = read_half(in + 82);
        spread_pairs(in + 16, q);
        for (int g = 0; g < 16; g++) {
            float scale = d * (float)(in[g] & 15), m = minimum * (float)(in[g] >> 4);
            for (int j = 16 * g; j < 16 * g + 16; j++) out[j] = scale * (float)q[j] - m;
        }
    }
}

/* A mask of third bits (32 bytes; a bit that is set takes no 4 away), pairs, 12 bytes of 16 scales of 6 bits, d. */
static void decode_q3_k(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SUPER];
    for (size_t i = 0; i < blocks; i++, in += 110, out += SUPER) {
        const unsigned char *scales = in + 96;
        float d = read_half(in + 108);
        spread_pairs(in + 32, q);
        for (int g = 0; g < 16; g++) {
            int low = scales[g % 8] >> 4 * (g / 8) & 15, high = scales[8 + g % 4] >> 2 * (g / 4) & 3;
            float scale = d * (float)((low | high << 4) - 32);
            const unsigned char *mask = in + 16 * (g % 2);
            for (int j = 0; j < 16; j++)
                out[16 * g + j] = scale * (float)(q[16 * g + j] - 4 + (mask[j] >> g / 2 & 1) * 4);
        }
    }
}

/* Scales and minimums of 8 groups of 32, 6 bits each, in 12 bytes: four of each with 6 bits, whose upper 2 bits are
 * those of the other four, then the lower 4 bits of those. */
static void read_scales(const unsigned char *in, float d, float minimum, float scales[8], float minimums[8])
{
    for (int g = 0; g < 4; g++) {
        scales[g] = d * (float)(in[g] & 63);
        minimums[g] = minimum * (float)(in[g + 4] & 63);
        scales[g + 4] = d * (float)((in[g + 8] & 15) | (in[g] >> 2 & 0x30));
        minimums[g + 4] = minimum * (float)(in[g + 8] >> 4 | (in[g + 4] >> 2 & 0x30));
    }
}

/* d, dmin, scales, 128 bytes of nibbles: of each 32 bytes first all low ones. */
static void decode_q4_k(const unsigned char *in, size_t blocks, float *restrict out)
{
    float scales[8], minimums[8];
    for (size_t i = 0; i < blocks; i++, in += 144, out += SUPER) {
        read_scales(in + 4, read_half(in), read_half(in + 2), scales, minimums);
        for (int g = 0; g < 8; g++) {
            const unsigned char *q = in + 16 + 32 * (g / 2);
            for (int j = 0; j < 32; j++) out[32 * g + j] = scales[g] * (float)(q[j] >> 4 * (g % 2) & 15) - minimums[g];
        }
    }
}

/* The same with a fifth bit: 32 bytes, a bit for each group. */
static void decode_q5_k(const unsigned char *in, size_t blocks, float *restrict out)
{
    float scales[8], minimums[8];
    for (size_t i = 0; i < blocks; i++, in += 176, out += SUPER) {
        const unsigned char *high = in + 16;
        read_scales(in + 4, read_half(in), read_half(in + 2), scales, minimums);
        for (int g = 0; g < 8; g++) {
            const unsigned char *q = in + 48 + 32 * (g / 2);
            for (int j = 0; j < 32; j++)
                out[32 * g + j] =
                    scales[g] * (float)((q[j] >> 4 * (g % 2) & 15) | (high[j] >> g & 1) << 4) - minimums[g];
        }
    }
}

/* 128 bytes of nibbles (of each 64 first all low ones), pairs with the upper bits, 16 signed scales, d. */
static void decode_q6_k(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char high[SUPER];
    for (size_t i = 0; i < blocks; i++, in += 210, out += SUPER) {
        float d = read_half(in + 208);
        spread_pairs(in + 128, high);
        for (int g = 0; g < 16; g++) {
            const unsigned char *low = in + 64 * (g / 8) + 16 * (g % 4);
            int shift = g % 8 < 4 ? 0 : 4;
            float scale = d * (float)(signed char)in[192 + g];
            for (int j = 0; j < 16; j++)
                out[16 * g + j] = scale * (float)(((low[j] >> shift & 15) | high[16 * g + j] << 4) - 32);
        }
    }
}

/* Numbers of three values: a byte holds five of them as a fraction of 256, so that multiplying by 3 carries the first
 * out. count bytes give count numbers for each power; the last 4 bytes hold but four. */
static float *read_thirds(const unsigned char *in, int count, int powers, float d, float *restrict out)
{
    for (unsigned power = 1; powers; powers--, power *= 3, out += count)
        for (int j = 0; j < count; j++) out[j] = d * (float)((int)((in[j] * power & 255) * 3 >> 8) - 1);
    return out;
}

/* 48 and 4 bytes, d */
static void decode_tq1_0(const unsigned char *in, size_t blocks, float *restrict out)
{
    for (size_t i = 0; i < blocks; i++, in += 54) {
        float d = read_half(in + 52);
        out = read_thirds(in, 32, 5, d, out);
        out = read_thirds(in + 32, 16, 5, d, out);
        out = read_thirds(in + 48, 4, 4, d, out);
    }
}

/* Pairs, d: d * (q - 1) */
static void decode_tq2_0(const unsigned char *in, size_t blocks, float *restrict out)
{
    unsigned char q[SUPER];
    for (size_t i = 0; i < blocks; i++, in += 66, out += SUPER) {
        float d = read_half(in + 64);
        spread_pairs(in, q);
        for (int j = 0; j < SUPER; j++) out[j] = d * (float)(q[j] - 1);
    }
}

/* ---- the types --------------------------------------------------------------------------------------------------- */

static const wl_encoding q4_0 = {"Q4_0", SMALL, 18, decode_q4_0}, q4_1 = {"Q4_1", SMALL, 20, decode_q4_1},
                         q5_0 = {"Q5_0", SMALL, 22, decode_q5_0}, q5_1 = {"Q5_1", SMALL, 24, decode_q5_1},
                         q8_0 = {"Q8_0", SMALL, 34, decode_q8_0}, q2_k = {"Q2_K", SUPER, 84, decode_q2_k},
                         q3_k = {"Q3_K", SUPER, 110, decode_q3_k}, q4_k = {"Q4_K", SUPER, 144, decode_q4_k},
                         q5_k = {"Q5_K", SUPER, 176, decode_q5_k}, q6_k = {"Q6_K", SUPER, 210, decode_q6_k},
                         iq4_nl = {"IQ4_NL", SMALL, 18, decode_iq4_nl}, iq4_xs = {"IQ4_XS", SUPER, 136, decode_iq4_xs},
                         tq1_0 = {"TQ1_0", SUPER, 54, decode_tq1_0}, tq2_0 = {"TQ2_0", SUPER, 66, decode_tq2_0},
                         mxfp4 = {"MXFP4", SMALL, 17, decode_mxfp4}, nvfp4 = {"NVFP4", 64, 36, decode_nvfp4};

/* By number. 4, 5, 31 to 33 and 36 to 38 were withdrawn. */
static const struct {
    const char *name;
    const wl_encoding *encoding;
} types[] = {
    [0] = {"F32", &wl_encoding_f32},
    [1] = {"F16", &wl_encoding_f16},
    [2] = {"Q4_0", &q4_0},
    [3] = {"Q4_1", &q4_1},
    [4] = {"Q4_2", NULL},
    [5] = {"Q4_3", NULL},
    [6] = {"Q5_0", &q5_0},
    [7] = {"Q5_1", &q5_1},
    [8] = {"Q8_0", &q8_0},
    [9] = {"Q8_1", NULL},
    [10] = {"Q2_K", &q2_k},
    [11] = {"Q3_K", &q3_k},
    [12] = {"Q4_K", &q4_k},
    [13] = {"Q5_K", &q5_k},
    [14] = {"Q6_K", &q6_k},
    [15] = {"Q8_K", NULL},
    [16] = {"IQ2_XXS", NULL},
    [17] = {"IQ2_XS", NULL},
    [18] = {"IQ3_XXS", NULL},
    [19] = {"IQ1_S", NULL},
    [20] = {"IQ4_NL", &iq4_nl},
    [21] = {"IQ3_S", NULL},
    [22] = {"IQ2_S", NULL},
    [23] = {"IQ4_XS", &iq4_xs},
    [24] = {"I8", NULL},
    [25] = {"I16", NULL},
    [26] = {"I32", NULL},
    [27] = {"I64", NULL},
    [28] = {"F64", &wl_encoding_f64},
    [29] = {"IQ1_M", NULL},
    [30] = {"BF16", &wl_encoding_bf16},
    [31] = {"Q4_0_4_4", NULL},
    [32] = {"Q4_0_4_8", NULL},
    [33] = {"Q4_0_8_8", NULL},
    [34] = {"TQ1_0", &tq1_0},
    [35] = {"TQ2_0", &tq2_0},
    [36] = {"IQ4_NL_4_4", NULL},
    [37] = {"IQ4_NL_4_8", NULL},
    [38] = {"IQ4_NL_8_8", NULL},
    [39] = {"MXFP4", &mxfp4},
    [40] = {"NVFP4", &nvfp4},
    [41] = {"Q1_0", NULL},
};

const wl_encoding *wl_encoding_of_ggml(uint32_t type)
{
    return type < sizeof types / sizeof *types ? types[type].encoding : NULL;
}

const char *wl_ggml_name(uint32_t type)
{
    return type < sizeof types / sizeof *types ? types[type].name : NULL;
}
