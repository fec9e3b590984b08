/* NEON, which every AArch64 processor has; nothing optional is used, so there is nothing to detect. In sums of rows
 * sixteen registers hold the sums of 64 columns while the tokens pass by.
 *
 * screen_bytes is NULL: without the products of bytes (DotProd, from ARMv8.2 on; those of mixed signs, which a panel
 * needs, are another extension, I8MM) bytes would be widened first and were no faster than floats. Finding them at run
 * time is another question for each operating system, and no such processor was at hand to measure on. */
#include "format/half.h"
#include "vector/dot_blas.h"
#include "vector/pairs.h"

#if WL_ARM_KERNELS /* so that whatever goes over all sources may go over this one */
#include <arm_neon.h>
#include <math.h>
#include <string.h>

enum { LANES = 4, GROUP = 16, QUARTERS = 4, GROUPS = 4, BLOCK = GROUP * GROUPS, AHEAD = 6 };

/* GROUP elements as floats. They are loaded as bytes, which need no alignment. */
typedef float32x4x4_t load_group(const uint8_t *at);

static inline __attribute__((always_inline)) float32x4x4_t load_f32(const uint8_t *at)
{
    return (float32x4x4_t){{vreinterpretq_f32_u8(vld1q_u8(at)), vreinterpretq_f32_u8(vld1q_u8(at + 16)),
                            vreinterpretq_f32_u8(vld1q_u8(at + 32)), vreinterpretq_f32_u8(vld1q_u8(at + 48))}};
}

static inline __attribute__((always_inline)) float32x4x4_t load_f16(const uint8_t *at)
{
    float16x8_t low = vreinterpretq_f16_u8(vld1q_u8(at)), high = vreinterpretq_f16_u8(vld1q_u8(at + 16));
    return (float32x4x4_t){{vcvt_f32_f16(vget_low_f16(low)), vcvt_high_f32_f16(low), vcvt_f32_f16(vget_low_f16(high)),
                            vcvt_high_f32_f16(high)}};
}

static inline __attribute__((always_inline)) float32x4x4_t load_bf16(const uint8_t *at)
{
    uint16x8_t low = vreinterpretq_u16_u8(vld1q_u8(at)), high = vreinterpretq_u16_u8(vld1q_u8(at + 16));
    return (float32x4x4_t){{vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(low), 16)),
                            vreinterpretq_f32_u32(vshll_high_n_u16(low, 16)),
                            vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(high), 16)),
                            vreinterpretq_f32_u32(vshll_high_n_u16(high, 16))}};
}

static inline __attribute__((always_inline)) float32x4x4_t load_i8(const uint8_t *at)
{
    int8x16_t bytes = vreinterpretq_s8_u8(vld1q_u8(at));
    int16x8_t low = vmovl_s8(vget_low_s8(bytes)), high = vmovl_high_s8(bytes);
    return (float32x4x4_t){{vcvtq_f32_s32(vmovl_s16(vget_low_s16(low))), vcvtq_f32_s32(vmovl_high_s16(low)),
                            vcvtq_f32_s32(vmovl_s16(vget_low_s16(high))), vcvtq_f32_s32(vmovl_high_s16(high))}};
}

/* groups x GROUP columns. Inlined into each caller below, where load, element and groups are constants; loops over
 * registers are unrolled whole, or the compiler would keep the registers in memory. */
static inline __attribute__((always_inline)) void sum_block(load_group *load, size_t element, size_t groups,
                                                            const char *table, size_t stride, const uint32_t *rows,
                                                            const float *weights, size_t count, float *out)
{
    float32x4x4_t partial[GROUPS];
#pragma GCC unroll 4
    for (size_t g = 0; g < groups; g++)
        partial[g] = (float32x4x4_t){{vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)}};
    for (size_t i = 0; i < count; i++) {
        const char *next = table + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
        for (size_t line = 0; line < groups * GROUP * element; line += 64) __builtin_prefetch(next + line);
        const uint8_t *row = (const uint8_t *)table + rows[i] * stride;
        float32x4_t weight = vdupq_n_f32(weights ? weights[i] : 1.0f); /* times 1 changes no bit */
#pragma GCC unroll 4
        for (size_t g = 0; g < groups; g++) {
            float32x4x4_t values = load(row + g * GROUP * element);
#pragma GCC unroll 4
            for (size_t q = 0; q < QUARTERS; q++)
                partial[g].val[q] = vaddq_f32(partial[g].val[q], vmulq_f32(weight, values.val[q]));
        }
    }
#pragma GCC unroll 4
    for (size_t g = 0; g < groups; g++)
#pragma GCC unroll 4
        for (size_t q = 0; q < QUARTERS; q++) vst1q_f32(out + g * GROUP + q * LANES, partial[g].val[q]);
}

static inline __attribute__((always_inline)) void sum(load_group *load, size_t element, wl_sum_kernel *rest,
                                                      const char *table, size_t stride, const uint32_t *rows,
                                                      const float *weights, size_t count, size_t dim, float *out)
{
    size_t column = 0;
    for (; column + BLOCK <= dim; column += BLOCK)
        sum_block(load, element, GROUPS, table + column * element, stride, rows, weights, count, out + column);
    for (; column + GROUP <= dim; column += GROUP)
        sum_block(load, element, 1, table + column * element, stride, rows, weights, count, out + column);
    if (column < dim) rest(table + column * element, stride, rows, weights, count, dim - column, out + column);
}

#define SUM(name, element)                                                                                             \
    static void sum_##name(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count, \
                           size_t dim, float *out)                                                                     \
    {                                                                                                                  \
        sum(load_##name, element, wl_kernels_generic.sum_##name, table, stride, rows, weights, count, dim, out);       \
    }

SUM(f32, 4)
SUM(f16, 2)
SUM(bf16, 2)
SUM(i8, 1)

/* GROUP elements at at; behind the end zeros, by way of a copy, since a load would read past it. */
static inline __attribute__((always_inline)) float32x4x4_t load_left(load_group *load, size_t element,
                                                                     const uint8_t *at, size_t left)
{
    uint8_t copy[GROUP * sizeof(float)];
    if (left >= GROUP) return load(at);
    memset(copy, 0, GROUP * element);
    memcpy(copy, at, left * element);
    return load(copy);
}

/* The sixty-four sums are sixteen registers. */
static inline __attribute__((always_inline)) void dots(load_group *load, size_t element, const char *table,
                                                       size_t stride, const uint32_t *rows, size_t count,
                                                       const float *vector, size_t dim, float *out)
{
    for (size_t i = 0; i < count; i++) {
        const uint8_t *row = (const uint8_t *)table + rows[i] * stride;
        const char *next = table + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
        float32x4x4_t sums[GROUPS];
#pragma GCC unroll 4
        for (size_t g = 0; g < GROUPS; g++)
            sums[g] = (float32x4x4_t){{vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0), vdupq_n_f32(0)}};
        for (size_t column = 0; column < dim; column += BLOCK) {
            for (size_t line = 0; line < BLOCK * element; line += 64)
                __builtin_prefetch(next + column * element + line);
#pragma GCC unroll 4
            for (size_t g = 0; g < GROUPS; g++) {
                size_t at = column + g * GROUP, left = at < dim ? dim - at : 0;
                if (!left) break;
                float32x4x4_t x = load_left(load, element, row + at * element, left),
                              y = load_left(load_f32, sizeof *vector, (const uint8_t *)(vector + at), left);
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++)
                    sums[g].val[q] = vaddq_f32(sums[g].val[q], vmulq_f32(x.val[q], y.val[q]));
            }
        }
        float32x4_t sixteen[QUARTERS];
#pragma GCC unroll 4
        for (size_t q = 0; q < QUARTERS; q++)
            sixteen[q] =
                vaddq_f32(vaddq_f32(sums[0].val[q], sums[2].val[q]), vaddq_f32(sums[1].val[q], sums[3].val[q]));
        float32x4_t four = vaddq_f32(vaddq_f32(sixteen[0], sixteen[2]), vaddq_f32(sixteen[1], sixteen[3]));
        float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
        out[i] = vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
    }
}

WL_DEFINE_DOTS(f32, load_f32, 4)
WL_DEFINE_DOTS(f16, load_f16, 2)
WL_DEFINE_DOTS(bf16, load_bf16, 2)
WL_DEFINE_DOTS(i8, load_i8, 1)

/* ---- one vector ---- */

static float squares(const float *values, size_t count)
{
    float32x4_t low = vld1q_f32(values), high = vld1q_f32(values + LANES);
    low = vmulq_f32(low, low);
    high = vmulq_f32(high, high);
    size_t i = 8;
    for (; i + 8 <= count; i += 8) {
        float32x4_t x = vld1q_f32(values + i), y = vld1q_f32(values + i + LANES);
        low = vaddq_f32(low, vmulq_f32(x, x));
        high = vaddq_f32(high, vmulq_f32(y, y));
    }
    float32x4_t pairs = vpaddq_f32(low, high), fours = vpaddq_f32(pairs, pairs);
    float sum = vgetq_lane_f32(fours, 0) + vgetq_lane_f32(fours, 1);
    for (; i < count; i++) sum += values[i] * values[i];
    return sum;
}

static void binarize(const float *vector, size_t dim, uint8_t *bits)
{
    const uint32x4_t high = {128, 64, 32, 16}, low = {8, 4, 2, 1};
    size_t i = 0;
    for (; i + 8 <= dim; i += 8) {
        uint32x4_t first = vandq_u32(vcgtzq_f32(vld1q_f32(vector + i)), high);
        uint32x4_t second = vandq_u32(vcgtzq_f32(vld1q_f32(vector + i + LANES)), low);
        bits[i / 8] = (uint8_t)vaddvq_u32(vorrq_u32(first, second));
    }
    if (i == dim) return;
    unsigned byte = 0;
    for (size_t j = 0; i + j < dim; j++) byte |= (unsigned)(vector[i + j] > 0) << (7 - j);
    bits[i / 8] = (uint8_t)byte;
}

/* ---- pairs of vectors: the sixteen sums are eight registers of F64 ---- */

typedef struct wide {
    float64x2_t eighth[8];
} wide;

static inline __attribute__((always_inline)) wide widen(float32x4x4_t values)
{
    wide out;
#pragma GCC unroll 4
    for (size_t q = 0; q < QUARTERS; q++) {
        out.eighth[2 * q] = vcvt_f64_f32(vget_low_f32(values.val[q]));
        out.eighth[2 * q + 1] = vcvt_high_f64_f32(values.val[q]);
    }
    return out;
}

static inline __attribute__((always_inline)) wide zeros(void)
{
    wide out;
#pragma GCC unroll 8
    for (size_t i = 0; i < 8; i++) out.eighth[i] = vdupq_n_f64(0);
    return out;
}

static inline double fold(wide sums)
{
    float64x2_t four[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) four[i] = vaddq_f64(sums.eighth[i], sums.eighth[i + 4]);
    return vpaddd_f64(vaddq_f64(vaddq_f64(four[0], four[2]), vaddq_f64(four[1], four[3])));
}

/* Products of widened elements are exact, so that fusing them with the addition changes no bit. */
static inline __attribute__((always_inline)) wl_products products(load_group *load, size_t element, bool both,
                                                                  const uint8_t *a, const uint8_t *b, size_t dim)
{
    wide ab = zeros(), bb = zeros();
    for (size_t at = 0; at < dim; at += GROUP) {
        wide x = widen(load_left(load, element, a + at * element, dim - at));
        wide y = widen(load_left(load, element, b + at * element, dim - at));
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++) {
            ab.eighth[i] = vfmaq_f64(ab.eighth[i], x.eighth[i], y.eighth[i]);
            if (both) bb.eighth[i] = vfmaq_f64(bb.eighth[i], y.eighth[i], y.eighth[i]);
        }
    }
    return (wl_products){fold(ab), both ? fold(bb) : 0};
}

static inline __attribute__((always_inline)) double squared_distance(load_group *load, size_t element, const uint8_t *a,
                                                                     const uint8_t *b, size_t dim)
{
    wide sums = zeros();
    for (size_t at = 0; at < dim; at += GROUP) {
        wide x = widen(load_left(load, element, a + at * element, dim - at));
        wide y = widen(load_left(load, element, b + at * element, dim - at));
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++) {
            float64x2_t difference = vsubq_f64(x.eighth[i], y.eighth[i]);
            sums.eighth[i] = vaddq_f64(sums.eighth[i], vmulq_f64(difference, difference));
        }
    }
    return fold(sums);
}

WL_DEFINE_PAIR(f32, load_f32, 4)
WL_DEFINE_PAIR(f16, load_f16, 2)
WL_DEFINE_PAIR(bf16, load_bf16, 2)
WL_DEFINE_PAIR(i8, load_i8, 1)

static float dot_blas(const float *a, const float *b, size_t dim)
{
    return dot_blas_with(fmaf, a, b, dim);
}

/* Four sums of each kind, so that an addition need not wait for the one before. */
static wl_rough rough(const float *a, const float *b, size_t dim)
{
    float32x4_t ab[QUARTERS], bb[QUARTERS];
#pragma GCC unroll 4
    for (size_t q = 0; q < QUARTERS; q++) ab[q] = bb[q] = vdupq_n_f32(0);
    size_t at = 0;
    for (; at + GROUP <= dim; at += GROUP)
#pragma GCC unroll 4
        for (size_t q = 0; q < QUARTERS; q++) {
            float32x4_t y = vld1q_f32(b + at + q * LANES);
            ab[q] = vfmaq_f32(ab[q], vld1q_f32(a + at + q * LANES), y);
            bb[q] = vfmaq_f32(bb[q], y, y);
        }
    wl_rough sums = {vaddvq_f32(vaddq_f32(vaddq_f32(ab[0], ab[1]), vaddq_f32(ab[2], ab[3]))),
                     vaddvq_f32(vaddq_f32(vaddq_f32(bb[0], bb[1]), vaddq_f32(bb[2], bb[3])))};
    for (; at < dim; at++) {
        sums.ab += a[at] * b[at];
        sums.bb += b[at] * b[at];
    }
    return sums;
}

/* Bits are counted in bytes, which hold the counts of up to 31 steps. */
enum { MOST_STEPS = 31 };

static uint64_t hamming(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint64_t distance = 0;
    size_t at = 0;
    while (size - at >= 16) {
        uint8x16_t counts = vdupq_n_u8(0);
        for (size_t steps = 0; steps < MOST_STEPS && size - at >= 16; steps++, at += 16)
            counts = vaddq_u8(counts, vcntq_u8(veorq_u8(vld1q_u8(a + at), vld1q_u8(b + at))));
        distance += vaddlvq_u8(counts);
    }
    for (; at < size; at++) distance += (uint64_t)__builtin_popcount((unsigned)(a[at] ^ b[at]));
    return distance;
}

/* ---- screens: a block of 16 rows, which is four registers ---- */

enum { QUERIES = 4 };

/* The hits of one query and block. */
static inline size_t take_hits(const wl_panel *panel, const wl_tile *tile, size_t query, size_t block,
                               const float32x4_t *scores, wl_hit *hits)
{
    size_t count = 0;
    for (size_t q = 0; q < QUARTERS; q++) {
        float32x4_t score = scores[q];
        size_t row = block * WL_PANEL_LANES + q * LANES;
        if (panel->rest) score = vfmaq_n_f32(score, vld1q_f32(panel->rest + row), tile->rest[query]);
        uint32x4_t above = vcgtq_f32(score, vdupq_n_f32(tile->threshold[query]));
        if (!vmaxvq_u32(above)) continue;
        uint32_t lanes[LANES];
        vst1q_u32(lanes, above);
        for (size_t lane = 0; lane < LANES; lane++)
            if (lanes[lane]) hits[count++] = (wl_hit){(uint32_t)query, (uint32_t)(row + lane)};
    }
    return count;
}

/* Four queries at a time: sixteen registers of sums, four of rows. */
static size_t screen_floats(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    size_t depth = panel->depth, count = 0;
    for (size_t block = begin; block < end; block++)
        for (size_t first = 0; first < WL_TILE_QUERIES; first += QUERIES) {
            const float *rows = (const float *)panel->groups + block * depth * WL_PANEL_LANES;
            const float *queries = (const float *)tile->groups + first * depth;
            float32x4_t sums[QUERIES][QUARTERS], scores[QUERIES][QUARTERS], row[QUARTERS];
#pragma GCC unroll 4
            for (size_t query = 0; query < QUERIES; query++)
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++) sums[query][q] = vdupq_n_f32(0);
            for (size_t group = 0; group < depth; group++, rows += WL_PANEL_LANES) {
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++) row[q] = vld1q_f32(rows + q * LANES);
#pragma GCC unroll 4
                for (size_t query = 0; query < QUERIES; query++) {
                    float32x4_t value = vld1q_dup_f32(queries + query * depth + group);
#pragma GCC unroll 4
                    for (size_t q = 0; q < QUARTERS; q++) sums[query][q] = vfmaq_f32(sums[query][q], row[q], value);
                }
            }
            /* What is indexed by a variable from here on is a copy, so that the sums stay in registers above. */
#pragma GCC unroll 4
            for (size_t query = 0; query < QUERIES; query++)
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++) scores[query][q] = sums[query][q];
            for (size_t query = 0; query < QUERIES; query++)
                count += take_hits(panel, tile, first + query, block, scores[query], hits + count);
        }
    return count;
}

static size_t screen_bits(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    size_t depth = panel->depth, count = 0;
    for (size_t block = begin; block < end; block++)
        for (size_t query = 0; query < WL_TILE_QUERIES; query++) {
            const uint8_t *rows = (const uint8_t *)panel->groups + block * depth * WL_PANEL_LANES * 4;
            const uint32_t *values = (const uint32_t *)tile->groups + query * depth;
            uint32x4_t sums[QUARTERS];
            float32x4_t scores[QUARTERS];
#pragma GCC unroll 4
            for (size_t q = 0; q < QUARTERS; q++) sums[q] = vdupq_n_u32(0);
            for (size_t group = 0; group < depth;) {
                uint8x16_t counts[QUARTERS];
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++) counts[q] = vdupq_n_u8(0);
                size_t last = depth - group < MOST_STEPS ? depth : group + MOST_STEPS;
                for (; group < last; group++, rows += WL_PANEL_LANES * 4) {
                    uint8x16_t value = vreinterpretq_u8_u32(vld1q_dup_u32(values + group));
#pragma GCC unroll 4
                    for (size_t q = 0; q < QUARTERS; q++)
                        counts[q] = vaddq_u8(counts[q], vcntq_u8(veorq_u8(vld1q_u8(rows + q * 16), value)));
                }
#pragma GCC unroll 4
                for (size_t q = 0; q < QUARTERS; q++) sums[q] = vpadalq_u16(sums[q], vpaddlq_u8(counts[q]));
            }
#pragma GCC unroll 4
            for (size_t q = 0; q < QUARTERS; q++) scores[q] = vcvtq_f32_u32(sums[q]);
            count += take_hits(panel, tile, query, block, scores, hits + count);
        }
    return count;
}

const wl_kernels wl_kernels_neon = {
    .name = "neon",
    WL_SUMS_AND_PAIRS,
    .squares = squares,
    .halves = wl_f32_to_f16_array,
    .binarize = binarize,
    .dot_blas = dot_blas,
    .rough = rough,
    .hamming = hamming,
    .screen_floats = screen_floats,
    .screen_bits = screen_bits,
};
#endif
