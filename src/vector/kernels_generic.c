/* Plain C. Works in blocks of columns so that the partial sums stay in the first-level cache. */
#include <math.h>
#include <string.h>

#include "format/half.h"
#include "vector/dot_blas.h"
#include "vector/pairs.h"

#define BLOCK 64

typedef void convert(const char *row, size_t count, float *out);

static void convert_f32(const char *row, size_t count, float *out)
{
    memcpy(out, row, count * sizeof *out);
}

static void convert_f16(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, row + 2 * i, 2);
        out[i] = wl_f16_to_f32(half);
    }
}

static void convert_bf16(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, row + 2 * i, 2);
        out[i] = wl_bf16_to_f32(half);
    }
}

static void convert_i8(const char *row, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) out[i] = (float)(signed char)row[i];
}

static void sum(convert *to_float, size_t element, const char *table, size_t stride, const uint32_t *rows,
                const float *weights, size_t count, size_t dim, float *out)
{
    for (size_t column = 0; column < dim; column += BLOCK) {
        size_t width = dim - column < BLOCK ? dim - column : BLOCK;
        float partial[BLOCK] = {0}, values[BLOCK];
        for (size_t i = 0; i < count; i++) {
            to_float(table + rows[i] * stride + column * element, width, values);
            float weight = weights ? weights[i] : 1;
            for (size_t j = 0; j < width; j++) partial[j] += weight * values[j];
        }
        memcpy(out + column, partial, width * sizeof *out);
    }
}

static void sum_f32(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(convert_f32, 4, table, stride, rows, weights, count, dim, out);
}

static void sum_f16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(convert_f16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_bf16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                     size_t dim, float *out)
{
    sum(convert_bf16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_i8(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                   size_t dim, float *out)
{
    sum(convert_i8, 1, table, stride, rows, weights, count, dim, out);
}

static void dots(convert *to_float, size_t element, const char *table, size_t stride, const uint32_t *rows,
                 size_t count, const float *vector, size_t dim, float *out)
{
    for (size_t i = 0; i < count; i++) {
        float lanes[WL_DOTS_LANES] = {0}, values[WL_DOTS_LANES];
        for (size_t column = 0; column < dim; column += WL_DOTS_LANES) {
            size_t width = dim - column < WL_DOTS_LANES ? dim - column : WL_DOTS_LANES;
            to_float(table + rows[i] * stride + column * element, width, values);
            for (size_t j = 0; j < width; j++) lanes[j] += values[j] * vector[column + j];
        }
        for (size_t half = WL_DOTS_LANES / 2; half; half /= 2)
            for (size_t j = 0; j < half; j++) lanes[j] += lanes[j + half];
        out[i] = lanes[0];
    }
}

WL_DEFINE_DOTS(f32, convert_f32, 4)
WL_DEFINE_DOTS(f16, convert_f16, 2)
WL_DEFINE_DOTS(bf16, convert_bf16, 2)
WL_DEFINE_DOTS(i8, convert_i8, 1)

/* ---- one vector ---- */

static float squares(const float *values, size_t count)
{
    float s[8];
    for (size_t j = 0; j < 8; j++) s[j] = values[j] * values[j];
    size_t i = 8;
    for (; i + 8 <= count; i += 8)
        for (size_t j = 0; j < 8; j++) s[j] += values[i + j] * values[i + j];
    float sum = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    for (; i < count; i++) sum += values[i] * values[i];
    return sum;
}

static void binarize(const float *vector, size_t dim, uint8_t *bits)
{
    for (size_t i = 0; i < dim; i += 8) {
        unsigned byte = 0;
        size_t width = dim - i < 8 ? dim - i : 8;
        for (size_t j = 0; j < width; j++) byte |= (unsigned)(vector[i + j] > 0) << (7 - j);
        bits[i / 8] = (uint8_t)byte;
    }
}

/* ---- pairs of vectors ---- */

enum { LANES = 16 };

static double fold(double *lanes)
{
    for (size_t half = LANES / 2; half; half /= 2)
        for (size_t i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

/* The next LANES elements of each vector, zeros behind their ends. */
static void widen(convert *to_float, const char *from, size_t count, float *values)
{
    memset(values, 0, LANES * sizeof *values);
    to_float(from, count < LANES ? count : LANES, values);
}

static double dot(convert *to_float, size_t element, const char *a, const char *b, size_t dim)
{
    double lanes[LANES] = {0};
    float x[LANES], y[LANES];
    for (size_t at = 0; at < dim; at += LANES) {
        widen(to_float, a + at * element, dim - at, x);
        widen(to_float, b + at * element, dim - at, y);
        for (size_t i = 0; i < LANES; i++) lanes[i] += (double)x[i] * (double)y[i];
    }
    return fold(lanes);
}

static wl_products products(convert *to_float, size_t element, bool both, const char *a, const char *b, size_t dim)
{
    return (wl_products){dot(to_float, element, a, b, dim), both ? dot(to_float, element, b, b, dim) : 0};
}

static double squared_distance(convert *to_float, size_t element, const char *a, const char *b, size_t dim)
{
    double lanes[LANES] = {0};
    float x[LANES], y[LANES];
    for (size_t at = 0; at < dim; at += LANES) {
        widen(to_float, a + at * element, dim - at, x);
        widen(to_float, b + at * element, dim - at, y);
        for (size_t i = 0; i < LANES; i++) {
            double difference = (double)x[i] - (double)y[i];
            lanes[i] += difference * difference;
        }
    }
    return fold(lanes);
}

WL_DEFINE_PAIR(f32, convert_f32, 4)
WL_DEFINE_PAIR(f16, convert_f16, 2)
WL_DEFINE_PAIR(bf16, convert_bf16, 2)
WL_DEFINE_PAIR(i8, convert_i8, 1)

/* fmaf for processors where it is no instruction but a slow call. The product is exact in F64, so the sum is rounded
 * twice, to F64 and to F32: that differs from once only where the first lands half way between two F32, or on a
 * subnormal one. */
static inline float multiply_add(float a, float b, float c)
{
    double sum = (double)a * (double)b + (double)c;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bool half_way = (bits & 0x1FFFFFFF) == 0x10000000, small = (bits >> 52 & 0x7FF) < 1023 - 126;
    return half_way || small ? fmaf(a, b, c) : (float)sum;
}

static float dot_blas(const float *a, const float *b, size_t dim)
{
#ifdef __FP_FAST_FMAF
    return dot_blas_with(fmaf, a, b, dim);
#else
    return dot_blas_with(multiply_add, a, b, dim);
#endif
}

static wl_rough rough(const float *a, const float *b, size_t dim)
{
    float ab[LANES] = {0}, bb[LANES] = {0};
    size_t at = 0;
    for (; at + LANES <= dim; at += LANES)
        for (size_t i = 0; i < LANES; i++) {
            ab[i] += a[at + i] * b[at + i];
            bb[i] += b[at + i] * b[at + i];
        }
    for (; at < dim; at++) {
        ab[0] += a[at] * b[at];
        bb[0] += b[at] * b[at];
    }
    for (size_t i = 1; i < LANES; i++) {
        ab[0] += ab[i];
        bb[0] += bb[i];
    }
    return (wl_rough){ab[0], bb[0]};
}

static uint64_t hamming(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint64_t distance = 0;
    for (size_t i = 0; i < size; i += 8) {
        uint64_t x = 0, y = 0;
        size_t width = size - i < 8 ? size - i : 8;
        memcpy(&x, a + i, width);
        memcpy(&y, b + i, width);
        distance += (uint64_t)__builtin_popcountll(x ^ y);
    }
    return distance;
}

/* ---- screens ---- */

/* The scores of one query and a block of rows. */
typedef void score(const wl_tile *tile, size_t query, const char *block, size_t depth, float *scores);

static void score_floats(const wl_tile *tile, size_t query, const char *block, size_t depth, float *scores)
{
    const float *values = (const float *)tile->groups + query * depth, *rows = (const float *)(const void *)block;
    for (size_t i = 0; i < WL_PANEL_LANES; i++) scores[i] = 0;
    for (size_t group = 0; group < depth; group++, rows += WL_PANEL_LANES)
        for (size_t i = 0; i < WL_PANEL_LANES; i++) scores[i] += values[group] * rows[i];
}

static void score_bytes(const wl_tile *tile, size_t query, const char *block, size_t depth, float *scores)
{
    const signed char *values = (const signed char *)tile->groups + 4 * query * depth;
    const unsigned char *rows = (const unsigned char *)block;
    int32_t sums[WL_PANEL_LANES];
    for (size_t i = 0; i < WL_PANEL_LANES; i++) sums[i] = tile->start[query];
    for (size_t group = 0; group < depth; group++, values += 4)
        for (size_t i = 0; i < WL_PANEL_LANES; i++, rows += 4)
            for (size_t j = 0; j < 4; j++) sums[i] += values[j] * rows[j];
    for (size_t i = 0; i < WL_PANEL_LANES; i++) scores[i] = (float)sums[i];
}

static void score_bits(const wl_tile *tile, size_t query, const char *block, size_t depth, float *scores)
{
    const uint32_t *values = (const uint32_t *)tile->groups + query * depth,
                   *rows = (const uint32_t *)(const void *)block;
    int sums[WL_PANEL_LANES] = {0};
    for (size_t group = 0; group < depth; group++, rows += WL_PANEL_LANES)
        for (size_t i = 0; i < WL_PANEL_LANES; i++) sums[i] += __builtin_popcount(values[group] ^ rows[i]);
    for (size_t i = 0; i < WL_PANEL_LANES; i++) scores[i] = (float)sums[i];
}

static size_t screen(score *take, const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    size_t count = 0;
    for (size_t block = begin; block < end; block++) {
        const char *groups = (const char *)panel->groups + block * panel->depth * WL_PANEL_LANES * 4;
        const float *rest = panel->rest ? panel->rest + block * WL_PANEL_LANES : NULL;
        for (size_t query = 0; query < WL_TILE_QUERIES; query++) {
            float scores[WL_PANEL_LANES];
            take(tile, query, groups, panel->depth, scores);
            for (size_t i = 0; i < WL_PANEL_LANES; i++) {
                float value = rest ? scores[i] + tile->rest[query] * rest[i] : scores[i];
                if (value > tile->threshold[query])
                    hits[count++] = (wl_hit){(uint32_t)query, (uint32_t)(block * WL_PANEL_LANES + i)};
            }
        }
    }
    return count;
}

static size_t screen_floats(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(score_floats, panel, begin, end, tile, hits);
}

static size_t screen_bytes(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(score_bytes, panel, begin, end, tile, hits);
}

static size_t screen_bits(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(score_bits, panel, begin, end, tile, hits);
}

const wl_kernels wl_kernels_generic = {
    .name = "generic",
    WL_SUMS_AND_PAIRS,
    .squares = squares,
    .halves = wl_f32_to_f16_array,
    .binarize = binarize,
    .dot_blas = dot_blas,
    .rough = rough,
    .hamming = hamming,
    .screen_floats = screen_floats,
    .screen_bits = screen_bits,
    .screen_bytes = screen_bytes,
};
