/* AVX-512 F, BW, DQ, VL. In sums of rows sixteen registers hold the sums of 256 columns: a row of the usual width is
 * read in one pass. What is left of a row goes through the same loop with fewer registers, the last one masked. */
#include <immintrin.h>

#include "vector/pairs.h"
#include "vector/screen_avx512.h"

enum { LANES = 16, REGISTERS = 16, AHEAD = 6, ALL = 0xFFFF };

typedef __m512 load_lanes(const char *at, __mmask16 lanes);

static inline __m512 load_f32(const char *at, __mmask16 lanes)
{
    return _mm512_maskz_loadu_ps(lanes, at);
}

static inline __m512 load_f16(const char *at, __mmask16 lanes)
{
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(lanes, at));
}

static inline __m512 load_bf16(const char *at, __mmask16 lanes)
{
    __m512i wide = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, at));
    return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}

static inline __m512 load_i8(const char *at, __mmask16 lanes)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(lanes, at)));
}

/* registers x LANES columns at table, the last register under the mask. Inlined where load, element and registers are
 * constants. */
static inline __attribute__((always_inline)) void sum_block(load_lanes *load, size_t element, int registers,
                                                            __mmask16 last, const char *table, size_t stride,
                                                            const uint32_t *rows, const float *weights, size_t count,
                                                            float *out)
{
    __m512 partial[REGISTERS];
    for (int r = 0; r < registers; r++) partial[r] = _mm512_setzero_ps();
    for (size_t i = 0; i < count; i++) {
        const char *next = table + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
        for (size_t line = 0; line < (size_t)registers * LANES * element; line += 64)
            _mm_prefetch(next + line, _MM_HINT_T0);
        const char *row = table + rows[i] * stride;
        __m512 weight = _mm512_set1_ps(weights ? weights[i] : 1.0f); /* times 1 changes no bit */
        for (int r = 0; r < registers; r++) {
            __m512 values = load(row + (size_t)r * LANES * element, r + 1 < registers ? ALL : last);
            partial[r] = _mm512_add_ps(partial[r], _mm512_mul_ps(weight, values));
        }
    }
    for (int r = 0; r < registers; r++)
        _mm512_mask_storeu_ps(out + r * LANES, r + 1 < registers ? ALL : last, partial[r]);
}

static inline __attribute__((always_inline)) void sum(load_lanes *load, size_t element, const char *table,
                                                      size_t stride, const uint32_t *rows, const float *weights,
                                                      size_t count, size_t dim, float *out)
{
    size_t column = 0;
    for (; column + REGISTERS * LANES <= dim; column += REGISTERS * LANES)
        sum_block(load, element, REGISTERS, ALL, table + column * element, stride, rows, weights, count, out + column);
    for (; column + 4 * LANES <= dim; column += 4 * LANES)
        sum_block(load, element, 4, ALL, table + column * element, stride, rows, weights, count, out + column);
    for (; column < dim; column += LANES) {
        size_t left = dim - column;
        unsigned lanes = left < LANES ? (1u << left) - 1 : ALL;
        sum_block(load, element, 1, (__mmask16)lanes, table + column * element, stride, rows, weights, count,
                  out + column);
    }
}

static void sum_f32(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(load_f32, 4, table, stride, rows, weights, count, dim, out);
}

static void sum_f16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                    size_t dim, float *out)
{
    sum(load_f16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_bf16(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                     size_t dim, float *out)
{
    sum(load_bf16, 2, table, stride, rows, weights, count, dim, out);
}

static void sum_i8(const char *table, size_t stride, const uint32_t *rows, const float *weights, size_t count,
                   size_t dim, float *out)
{
    sum(load_i8, 1, table, stride, rows, weights, count, dim, out);
}

/* The sixty-four sums are four registers. Behind the end of a row masks leave zeros. */
static inline __attribute__((always_inline)) void dots(load_lanes *load, size_t element, const char *table,
                                                       size_t stride, const uint32_t *rows, size_t count,
                                                       const float *vector, size_t dim, float *out)
{
    enum { QUARTERS = WL_DOTS_LANES / LANES };
    for (size_t i = 0; i < count; i++) {
        const char *row = table + rows[i] * stride, *next = table + rows[i + AHEAD < count ? i + AHEAD : i] * stride;
        __m512 sums[QUARTERS];
        for (size_t q = 0; q < QUARTERS; q++) sums[q] = _mm512_setzero_ps();
        size_t column = 0;
        for (; column + WL_DOTS_LANES <= dim; column += WL_DOTS_LANES) {
            for (size_t line = 0; line < WL_DOTS_LANES * element; line += 64)
                _mm_prefetch(next + column * element + line, _MM_HINT_T0);
            for (size_t q = 0; q < QUARTERS; q++) {
                size_t at = column + q * LANES;
                __m512 product = _mm512_mul_ps(load(row + at * element, ALL), _mm512_loadu_ps(vector + at));
                sums[q] = _mm512_add_ps(sums[q], product);
            }
        }
        for (size_t q = 0; q < QUARTERS; q++) {
            size_t at = column + q * LANES, left = at < dim ? dim - at : 0;
            __mmask16 lanes = (__mmask16)(left < LANES ? (1u << left) - 1 : ALL);
            if (!lanes) break;
            __m512 product = _mm512_mul_ps(load(row + at * element, lanes), _mm512_maskz_loadu_ps(lanes, vector + at));
            sums[q] = _mm512_add_ps(sums[q], product);
        }
        __m512 sixteen = _mm512_add_ps(_mm512_add_ps(sums[0], sums[2]), _mm512_add_ps(sums[1], sums[3]));
        __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(sixteen), _mm512_extractf32x8_ps(sixteen, 1));
        __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
        __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        out[i] = _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
    }
}

WL_DEFINE_DOTS(f32, load_f32, 4)
WL_DEFINE_DOTS(f16, load_f16, 2)
WL_DEFINE_DOTS(bf16, load_bf16, 2)
WL_DEFINE_DOTS(i8, load_i8, 1)

/* ---- pairs of vectors: the sixteen sums are two registers of F64 ---- */

typedef struct wide {
    __m512d low, high;
} wide;

/* LANES elements at at, those behind the last zero. Whole registers of floats are widened as they are loaded. */
static inline __attribute__((always_inline)) wide widen(load_lanes *load, const char *at, size_t left)
{
    if (load == load_f32 && left >= LANES) {
        const float *from = (const float *)(const void *)at;
        return (wide){_mm512_cvtps_pd(_mm256_loadu_ps(from)), _mm512_cvtps_pd(_mm256_loadu_ps(from + LANES / 2))};
    }
    unsigned lanes = left < LANES ? (1u << left) - 1 : ALL;
    __m512 values = load(at, (__mmask16)lanes);
    return (wide){_mm512_cvtps_pd(_mm512_castps512_ps256(values)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(values, 1))};
}

static inline double fold(wide sums)
{
    __m512d eight = _mm512_add_pd(sums.low, sums.high);
    __m256d four = _mm256_add_pd(_mm512_castpd512_pd256(eight), _mm512_extractf64x4_pd(eight, 1));
    __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

/* Products of widened elements are exact, so that fusing them with the addition changes no bit. */
static inline __attribute__((always_inline)) wl_products products(load_lanes *load, size_t element, bool both,
                                                                  const char *a, const char *b, size_t dim)
{
    wide ab = {_mm512_setzero_pd(), _mm512_setzero_pd()}, bb = ab;
    for (size_t at = 0; at < dim; at += LANES) {
        wide x = widen(load, a + at * element, dim - at), y = widen(load, b + at * element, dim - at);
        ab = (wide){_mm512_fmadd_pd(x.low, y.low, ab.low), _mm512_fmadd_pd(x.high, y.high, ab.high)};
        if (both) bb = (wide){_mm512_fmadd_pd(y.low, y.low, bb.low), _mm512_fmadd_pd(y.high, y.high, bb.high)};
    }
    return (wl_products){fold(ab), both ? fold(bb) : 0};
}

static inline __attribute__((always_inline)) double squared_distance(load_lanes *load, size_t element, const char *a,
                                                                     const char *b, size_t dim)
{
    wide sums = {_mm512_setzero_pd(), _mm512_setzero_pd()};
    for (size_t at = 0; at < dim; at += LANES) {
        wide x = widen(load, a + at * element, dim - at), y = widen(load, b + at * element, dim - at);
        __m512d low = _mm512_sub_pd(x.low, y.low), high = _mm512_sub_pd(x.high, y.high);
        sums = (wide){_mm512_add_pd(sums.low, _mm512_mul_pd(low, low)),
                      _mm512_add_pd(sums.high, _mm512_mul_pd(high, high))};
    }
    return fold(sums);
}

WL_DEFINE_PAIR(f32, load_f32, 4)
WL_DEFINE_PAIR(f16, load_f16, 2)
WL_DEFINE_PAIR(bf16, load_bf16, 2)
WL_DEFINE_PAIR(i8, load_i8, 1)

/* Two sums of each kind, so that an addition need not wait for the one before. */
static wl_rough rough(const float *a, const float *b, size_t dim)
{
    __m512 ab[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()}, bb[2] = {ab[0], ab[0]};
    size_t at = 0;
    for (; at + 2 * LANES <= dim; at += 2 * LANES)
        for (size_t i = 0; i < 2; i++) {
            __m512 y = _mm512_loadu_ps(b + at + i * LANES);
            ab[i] = _mm512_fmadd_ps(_mm512_loadu_ps(a + at + i * LANES), y, ab[i]);
            bb[i] = _mm512_fmadd_ps(y, y, bb[i]);
        }
    for (; at < dim; at += LANES) {
        unsigned lanes = dim - at < LANES ? (1u << (dim - at)) - 1 : ALL;
        __m512 y = _mm512_maskz_loadu_ps((__mmask16)lanes, b + at);
        ab[0] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps((__mmask16)lanes, a + at), y, ab[0]);
        bb[0] = _mm512_fmadd_ps(y, y, bb[0]);
    }
    return (wl_rough){_mm512_reduce_add_ps(_mm512_add_ps(ab[0], ab[1])),
                      _mm512_reduce_add_ps(_mm512_add_ps(bb[0], bb[1]))};
}

/* ---- screens ---- */

static inline __attribute__((always_inline)) __m512i screen_step(enum screen_kind kind, __m512i sums, __m512i rows,
                                                                 __m512i group)
{
    (void)kind; /* floats only */
    return _mm512_castps_si512(
        _mm512_fmadd_ps(_mm512_castsi512_ps(rows), _mm512_castsi512_ps(group), _mm512_castsi512_ps(sums)));
}

static size_t screen_floats(const wl_panel *panel, size_t begin, size_t end, const wl_tile *tile, wl_hit *hits)
{
    return screen(SCREEN_FLOATS, panel, begin, end, tile, hits);
}

#define AVX512_KERNELS                                                                                                 \
    WL_SUMS_AND_PAIRS, .squares = wl_squares_avx2, .halves = wl_halves_f16c, .binarize = wl_binarize_avx2,             \
                       .dot_blas = wl_dot_blas_fma, .rough = rough, .screen_floats = screen_floats

const wl_kernels wl_kernels_avx512 = {
    .name = "avx512", AVX512_KERNELS, .hamming = wl_hamming_popcnt, .screen_bits = wl_screen_bits_avx2};
const wl_kernels wl_kernels_avx512vnni = {.name = "avx512vnni",
                                          AVX512_KERNELS,
                                          .hamming = wl_hamming_vpopcntdq,
                                          .screen_bits = wl_screen_bits_vpopcntdq,
                                          .screen_bytes = wl_screen_bytes_vnni};
