/* AVX-512 F, BW, DQ, VL. Sixteen registers hold the sums of 256 columns: a row of the usual width is read in one pass.
 * What is left of a row goes through the same loop with fewer registers, the last one masked. */
#include <immintrin.h>

#include "vector/kernels.h"

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

const wl_kernels wl_kernels_avx512 = {"avx512", sum_f32, sum_f16, sum_bf16, sum_i8};
