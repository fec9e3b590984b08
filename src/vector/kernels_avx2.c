/* AVX2, F16C, FMA and POPCNT. In sums of rows eight registers hold the sums of 64 columns while the tokens pass by;
 * rows are fetched ahead because a table of 16 MB and more does not fit the caches near the core. */
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "format/half.h"
#include "vector/dot_blas.h"
#include "vector/pairs.h"

enum { LANES = 8, REGISTERS = 8, BLOCK = LANES * REGISTERS, AHEAD = 6 };

typedef __m256 load_lanes(const char *at);

static inline __m256 load_f32(const char *at)
{
    return _mm256_loadu_ps((const float *)(const void *)at);
}

static inline __m256 load_f16(const char *at)
{
    return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)at));
}

static inline __m256 load_bf16(const char *at)
{
    __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at));
    return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}

static inline __m256 load_i8(const char *at)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)at)));
}

void wl_halves_f16c(const float *in, size_t count, uint16_t *out)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128((__m128i *)(void *)(out + i), halves);
    }
    wl_f32_to_f16_array(in + i, count - i, out + i);
}

/* Inlined into each caller below, where load and element are constants. */
static inline __attribute__((always_inline)) void sum(load_lanes *load, size_t element, wl_sum_kernel *rest,
                                                      const char *table, size_t stride, const uint32_t *rows,
                                                      const float *weights, size_t count, size_t dim, float *out)
{
    size_t column = 0;
    for (; column + BLOCK <= dim; column += BLOCK) {
        const char *block = table + column * element;
        __m256 partial[REGISTERS];
        for (int r = 0; r < REGISTERS; r++) partial[r] = _mm256_setzero_ps();
        for (size_t i = 0; i < count; i++) {
            const char *next = block + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
            for (size_t line = 0; line < BLOCK * element; line += 64) _mm_prefetch(next + line, _MM_HINT_T0);
            const char *row = block + rows[i] * stride;
            if (weights) {
                __m256 weight = _mm256_set1_ps(weights[i]);
                for (int r = 0; r < REGISTERS; r++)
                    partial[r] =
                        _mm256_add_ps(partial[r], _mm256_mul_ps(weight, load(row + (size_t)r * LANES * element)));
            } else
                for (int r = 0; r < REGISTERS; r++)
                    partial[r] = _mm256_add_ps(partial[r], load(row + (size_t)r * LANES * element));
        }
        for (int r = 0; r < REGISTERS; r++) _mm256_storeu_ps(out + column + r * LANES, partial[r]);
    }
    for (; column + LANES <= dim; column += LANES) {
        __m256 partial = _mm256_setzero_ps();
        for (size_t i = 0; i < count; i++) {
            __m256 values = load(table + rows[i] * stride + column * element);
            if (weights) values = _mm256_mul_ps(_mm256_set1_ps(weights[i]), values);
            partial = _mm256_add_ps(partial, values);
        }
        _mm256_storeu_ps(out + column, partial);
    }
    if (column < dim) rest(table + column * element, stride, rows, weights, count, dim - column, out + column);
}

static void sum_f32(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(load_f32, 4, wl_kernels_generic.sum_f32, table, stride, rows, weights, count, dim, out);
}

static void sum_f16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(load_f16, 2, wl_kernels_generic.sum_f16, table, stride, rows, weights, count, dim, out);
}

static void sum_bf16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                     size_t dim, float *out)
{
    sum(load_bf16, 2, wl_kernels_generic.sum_bf16, table, stride, rows, weights, count, dim, out);
}

static void sum_i8(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                   size_t dim, float *out)
{
    sum(load_i8, 1, wl_kernels_generic.sum_i8, table, stride, rows, weights, count, dim, out);
}

static inline float add_lanes(__m256 sums)
{
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/* Rows are fetched ahead as for their sums. The last columns of a row, fewer than BLOCK, go through a copy with zeros
 * behind. */
static inline __attribute__((always_inline)) void dots(load_lanes *load, size_t element, const char *table,
                                                       size_t stride, const uint32_t *rows, size_t count,
                                                       const float *vector, size_t dim, float *out)
{
    size_t whole = dim / BLOCK * BLOCK, left = dim - whole;
    char row_end[BLOCK * sizeof(float)] = {0};
    float vector_end[BLOCK] = {0};
    if (left) memcpy(vector_end, vector + whole, left * sizeof *vector);
    for (size_t i = 0; i < count; i++) {
        const char *row = table + rows[i] * stride, *next = table + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
        __m256 sums[REGISTERS];
        for (int r = 0; r < REGISTERS; r++) sums[r] = _mm256_setzero_ps();
        for (size_t column = 0; column < dim; column += BLOCK) {
            const char *block = row + column * element;
            const float *other = vector + column;
            if (column == whole) {
                memcpy(row_end, block, left * element);
                block = row_end;
                other = vector_end;
            } else
                for (size_t line = 0; line < BLOCK * element; line += 64)
                    _mm_prefetch(next + column * element + line, _MM_HINT_T0);
            for (int r = 0; r < REGISTERS; r++) {
                __m256 values = load(block + (size_t)r * LANES * element);
                sums[r] = _mm256_add_ps(sums[r], _mm256_mul_ps(values, _mm256_loadu_ps(other + r * LANES)));
            }
        }
        for (int half = REGISTERS / 2; half; half /= 2)
            for (int r = 0; r < half; r++) sums[r] = _mm256_add_ps(sums[r], sums[r + half]);
        out[i] = add_lanes(sums[0]);
    }
}

WL_DEFINE_DOTS(f32, load_f32, 4)
WL_DEFINE_DOTS(f16, load_f16, 2)
WL_DEFINE_DOTS(bf16, load_bf16, 2)
WL_DEFINE_DOTS(i8, load_i8, 1)

/* ---- one vector ---- */

float wl_squares_avx2(const float *values, size_t count)
{
    __m256 sums = _mm256_loadu_ps(values);
    sums = _mm256_mul_ps(sums, sums);
    size_t i = LANES;
    for (; i + LANES <= count; i += LANES) {
        __m256 value = _mm256_loadu_ps(values + i);
        sums = _mm256_add_ps(sums, _mm256_mul_ps(value, value));
    }
    __m256 pairs = _mm256_hadd_ps(sums, sums), fours = _mm256_hadd_ps(pairs, pairs);
    float sum = _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
    for (; i < count; i++) sum += values[i] * values[i];
    return sum;
}

/* The first dimension is the highest bit of a byte, but the lowest of a mask: lanes are turned around first. */
void wl_binarize_avx2(const float *vector, size_t dim, uint8_t *bits)
{
    const __m256i backwards = _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES) {
        __m256 values = _mm256_permutevar8x32_ps(_mm256_loadu_ps(vector + i), backwards);
        bits[i / 8] = (uint8_t)_mm256_movemask_ps(_mm256_cmp_ps(values, _mm256_setzero_ps(), _CMP_GT_OQ));
    }
    if (i == dim) return;
    unsigned byte = 0;
    for (size_t j = 0; i + j < dim; j++) byte |= (unsigned)(vector[i + j] > 0) << (7 - j);
    bits[i / 8] = (uint8_t)byte;
}

/* ---- pairs of vectors: the sixteen sums are four registers of F64 ---- */

enum { INTERLEAVED = 16 };

typedef struct wide {
    __m256d quarter[4];
} wide;

/* INTERLEAVED elements at at; behind the end zeros, by way of a copy, since a load would read past it. */
static inline __attribute__((always_inline)) wide widen(load_lanes *load, size_t element, const char *at, size_t left)
{
    char copy[INTERLEAVED * sizeof(float)];
    if (left < INTERLEAVED) {
        memset(copy, 0, INTERLEAVED * element);
        memcpy(copy, at, left * element);
        at = copy;
    }
    __m256 low = load(at), high = load(at + LANES * element);
    return (wide){{_mm256_cvtps_pd(_mm256_castps256_ps128(low)), _mm256_cvtps_pd(_mm256_extractf128_ps(low, 1)),
                   _mm256_cvtps_pd(_mm256_castps256_ps128(high)), _mm256_cvtps_pd(_mm256_extractf128_ps(high, 1))}};
}

static inline double fold(const wide *sums)
{
    __m256d a = _mm256_add_pd(sums->quarter[0], sums->quarter[2]),
            b = _mm256_add_pd(sums->quarter[1], sums->quarter[3]);
    __m256d four = _mm256_add_pd(a, b);
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

/* Products of widened elements are exact, so that fusing them with the addition changes no bit. */
static inline __attribute__((always_inline)) wl_products products(load_lanes *load, size_t element, bool both,
                                                                  const char *a, const char *b, size_t dim)
{
    wide ab = {0}, bb = {0};
    for (size_t at = 0; at < dim; at += INTERLEAVED) {
        wide x = widen(load, element, a + at * element, dim - at), y = widen(load, element, b + at * element, dim - at);
        for (int i = 0; i < 4; i++) {
            ab.quarter[i] = _mm256_fmadd_pd(x.quarter[i], y.quarter[i], ab.quarter[i]);
            if (both) bb.quarter[i] = _mm256_fmadd_pd(y.quarter[i], y.quarter[i], bb.quarter[i]);
        }
    }
    return (wl_products){fold(&ab), both ? fold(&bb) : 0};
}

static inline __attribute__((always_inline)) double squared_distance(load_lanes *load, size_t element, const char *a,
                                                                     const char *b, size_t dim)
{
    wide sums = {0};
    for (size_t at = 0; at < dim; at += INTERLEAVED) {
        wide x = widen(load, element, a + at * element, dim - at), y = widen(load, element, b + at * element, dim - at);
        for (int i = 0; i < 4; i++) {
            __m256d difference = _mm256_sub_pd(x.quarter[i], y.quarter[i]);
            sums.quarter[i] = _mm256_add_pd(sums.quarter[i], _mm256_mul_pd(difference, difference));
        }
    }
    return fold(&sums);
}

WL_DEFINE_PAIR(f32, load_f32, 4)
WL_DEFINE_PAIR(f16, load_f16, 2)
WL_DEFINE_PAIR(bf16, load_bf16, 2)
WL_DEFINE_PAIR(i8, load_i8, 1)

float wl_dot_blas_fma(const float *a, const float *b, size_t dim)
{
    return dot_blas_with(fmaf, a, b, dim);
}

/* Two sums of each kind, so that an addition need not wait for the one before. */
static wl_rough rough(const float *a, const float *b, size_t dim)
{
    __m256 ab[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()}, bb[2] = {ab[0], ab[0]};
    size_t at = 0;
    for (; at + 2 * LANES <= dim; at += 2 * LANES)
        for (size_t i = 0; i < 2; i++) {
            __m256 y = _mm256_loadu_ps(b + at + i * LANES);
            ab[i] = _mm256_fmadd_ps(_mm256_loadu_ps(a + at + i * LANES), y, ab[i]);
            bb[i] = _mm256_fmadd_ps(y, y, bb[i]);
        }
    wl_rough sums = {add_lanes(_mm256_add_ps(ab[0], ab[1])), add_lanes(_mm256_add_ps(bb[0], bb[1]))};
    for (; at < dim; at++) {
        sums.ab += a[at] * b[at];
        sums.bb += b[at] * b[at];
    }
    return sums;
}

/* popcnt counts eight bytes a cycle and more: as fast as loads come. */
uint64_t wl_hamming_popcnt(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint64_t distance = 0, x, y;
    size_t at = 0;
    for (; at + 8 <= size; at += 8) {
        memcpy(&x, a + at, 8);
        memcpy(&y, b + at, 8);
        distance += (uint64_t)__builtin_popcountll(x ^ y);
    }
    for (; at < size; at++) distance += (uint64_t)__builtin_popcount((unsigned)(a[at] ^ b[at]));
    return distance;
}

/* ---- screens: four queries at a time times a block of 16 rows, which is two registers ---- */

enum { QUERIES = 4, HALVES = 2 };

/* The hits of one query and block. */
static inline size_t take_hits(const wl_panel *panel, const wl_tile *tile, size_t query, size_t block,
                               const __m256 *scores, wl_hit *hits)
{
    size_t count = 0;
    for (size_t half = 0; half < HALVES; half++) {
        __m256 score = scores[half];
        size_t row = block * WL_PANEL_LANES + half * LANES;
        if (panel->rest)
            score = _mm256_fmadd_ps(_mm256_set1_ps(tile->rest[query]), _mm256_loadu_ps(panel->rest + row), score);
        __m256 above = _mm256_cmp_ps(score, _mm256_set1_ps(tile->threshold[query]), _CMP_GT_OQ);
        for (unsigned bits = (unsigned)_mm256_movemask_ps(above); bits; bits &= bits - 1)
            hits[count++] = (wl_hit){(uint32_t)query, (uint32_t)row + (uint32_t)__builtin_ctz(bits)};
    }
    return count;
}

static size_t screen_floats(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    size_t depth = panel->depth, count = 0;
    for (size_t block = begin; block < end; block++)
        for (size_t first = 0; first < WL_TILE_QUERIES; first += QUERIES) {
            const float *rows = (const float *)panel->groups + block * depth * WL_PANEL_LANES;
            const float *queries = (const float *)tile->groups + first * depth;
            /* Unrolled whole, or the compiler would keep the sums in memory. */
            __m256 sums[QUERIES][HALVES], scores[QUERIES][HALVES];
#pragma GCC unroll 4
            for (int q = 0; q < QUERIES; q++) sums[q][0] = sums[q][1] = _mm256_setzero_ps();
            for (size_t group = 0; group < depth; group++, rows += WL_PANEL_LANES) {
                __m256 low = _mm256_load_ps(rows), high = _mm256_load_ps(rows + LANES);
#pragma GCC unroll 4
                for (size_t q = 0; q < QUERIES; q++) {
                    __m256 query = _mm256_broadcast_ss(queries + q * depth + group);
                    sums[q][0] = _mm256_fmadd_ps(low, query, sums[q][0]);
                    sums[q][1] = _mm256_fmadd_ps(high, query, sums[q][1]);
                }
            }
#pragma GCC unroll 4
            for (size_t q = 0; q < QUERIES; q++) {
                scores[q][0] = sums[q][0];
                scores[q][1] = sums[q][1];
            }
            for (size_t q = 0; q < QUERIES; q++)
                count += take_hits(panel, tile, first + q, block, scores[q], hits + count);
        }
    return count;
}

/* Bits of each byte by two lookups of four bits each (Mula, Kurz, Lemire, https://arxiv.org/abs/1611.07612); bytes hold
 * the counts of up to 31 groups. */
static inline __m256i count_bytes(__m256i bits)
{
    const __m256i counts = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1,
                                            2, 2, 3, 2, 3, 3, 4);
    const __m256i low = _mm256_set1_epi8(15);
    return _mm256_add_epi8(_mm256_shuffle_epi8(counts, _mm256_and_si256(bits, low)),
                           _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(bits, 4), low)));
}

static inline __m256i add_bytes(__m256i sums, __m256i bytes)
{
    __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
    return _mm256_add_epi32(sums, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

size_t wl_screen_bits_avx2(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    enum { GROUPS = 31 };
    size_t depth = panel->depth, count = 0;
    const int32_t *queries = tile->groups;
    for (size_t block = begin; block < end; block++)
        for (size_t q = 0; q < WL_TILE_QUERIES; q++) {
            const __m256i *rows = (const __m256i *)panel->groups + block * depth * HALVES;
            __m256i sums[HALVES] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
            for (size_t group = 0; group < depth;) {
                __m256i low = _mm256_setzero_si256(), high = low;
                for (size_t end_group = depth - group < GROUPS ? depth : group + GROUPS; group < end_group; group++) {
                    __m256i query = _mm256_set1_epi32(queries[q * depth + group]);
                    low = _mm256_add_epi8(low, count_bytes(_mm256_xor_si256(query, rows[HALVES * group])));
                    high = _mm256_add_epi8(high, count_bytes(_mm256_xor_si256(query, rows[HALVES * group + 1])));
                }
                sums[0] = add_bytes(sums[0], low);
                sums[1] = add_bytes(sums[1], high);
            }
            __m256 scores[HALVES] = {_mm256_cvtepi32_ps(sums[0]), _mm256_cvtepi32_ps(sums[1])};
            count += take_hits(panel, tile, q, block, scores, hits + count);
        }
    return count;
}

const wl_kernels wl_kernels_avx2 = {
    .name = "avx2",
    WL_SUMS_AND_PAIRS,
    .squares = wl_squares_avx2,
    .halves = wl_halves_f16c,
    .binarize = wl_binarize_avx2,
    .dot_blas = wl_dot_blas_fma,
    .rough = rough,
    .hamming = wl_hamming_popcnt,
    .screen_floats = screen_floats,
    .screen_bits = wl_screen_bits_avx2,
};
