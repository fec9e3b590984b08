/* AVX2 and F16C. Eight registers hold the sums of 64 columns while the tokens pass by; rows are fetched ahead because a
 * table of 16 MB and more does not fit the caches near the core. */
#include <immintrin.h>

#include "format/half.h"
#include "vector/kernels.h"

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

const wl_kernels wl_kernels_avx2 = {"avx2", sum_f32, sum_f16, sum_bf16, sum_i8};
