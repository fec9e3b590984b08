/* The AVX-512 kernels, emulated by SIMDe, against plain C, bit for bit: for machines without AVX-512. Their source is
 * compiled here a second time; the compiler's own intrinsics are kept out by their include guards. Loads and stores
 * under a mask are not SIMDe's but ours: they touch no byte outside the mask, as the processor, so that a sanitizer
 * sees what the mask should have kept out. */
#if !defined(__x86_64__) || !defined(WL_HAVE_SIMDE)
#include "test.h"

int main(void)
{
    SKIP("emulated avx512 kernels: no SIMDe (simde/x86/avx512.h), or not an x86-64 machine");
    return test_end();
}
#else

#define SIMDE_ENABLE_NATIVE_ALIASES
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpsabi" /* no such vector crosses to another compiler's code */
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#else
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#if defined(__clang__)
#pragma clang diagnostic pop
#else
#pragma GCC diagnostic pop
#endif
#define _IMMINTRIN_H_INCLUDED /* gcc */
#define __IMMINTRIN_H         /* clang */

#include "format/half.h"
#include "test.h"

/* ---- what SIMDe lacks, or does more loosely than the processor --------------------------------------------------- */

static simde__m512 emulate_loadu_ps(simde__mmask16 lanes, const void *at)
{
    float values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + 4 * i, 4);
    return simde_mm512_loadu_ps(values);
}

static simde__m256i emulate_loadu_epi16(simde__mmask16 lanes, const void *at)
{
    uint16_t values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + 2 * i, 2);
    return simde_mm256_loadu_si256((const simde__m256i *)(const void *)values);
}

static simde__m128i emulate_loadu_epi8(simde__mmask16 lanes, const void *at)
{
    uint8_t values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + i, 1);
    return simde_mm_loadu_si128((const simde__m128i *)(const void *)values);
}

static void emulate_storeu_ps(void *at, simde__mmask16 lanes, simde__m512 vector)
{
    float values[16];
    simde_mm512_storeu_ps(values, vector);
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy((char *)at + 4 * i, &values[i], 4);
}

static simde__m512 emulate_cvtph_ps(simde__m256i halves)
{
    uint16_t from[16];
    float to[16];
    simde_mm256_storeu_si256((simde__m256i *)(void *)from, halves);
    for (int i = 0; i < 16; i++) to[i] = wl_f16_to_f32(from[i]);
    return simde_mm512_loadu_ps(to);
}

static simde__m512i emulate_cvtepu16_epi32(simde__m256i from)
{
    uint16_t narrow[16];
    uint32_t wide[16];
    simde_mm256_storeu_si256((simde__m256i *)(void *)narrow, from);
    for (int i = 0; i < 16; i++) wide[i] = narrow[i];
    return simde_mm512_loadu_si512(wide);
}

static simde__m512i emulate_cvtepi8_epi32(simde__m128i from)
{
    int8_t narrow[16];
    int32_t wide[16];
    simde_mm_storeu_si128((simde__m128i *)(void *)narrow, from);
    for (int i = 0; i < 16; i++) wide[i] = narrow[i];
    return simde_mm512_loadu_si512(wide);
}

static simde__m512 emulate_cvtepi32_ps(simde__m512i from)
{
    int32_t whole[16];
    float to[16];
    simde_mm512_storeu_si512(whole, from);
    for (int i = 0; i < 16; i++) to[i] = (float)whole[i];
    return simde_mm512_loadu_ps(to);
}

static simde__m512d emulate_cvtps_pd(simde__m256 from)
{
    float narrow[8];
    double wide[8];
    simde_mm256_storeu_ps(narrow, from);
    for (int i = 0; i < 8; i++) wide[i] = (double)narrow[i];
    return simde_mm512_loadu_pd(wide);
}

static simde__m256 emulate_extractf32x8_ps(simde__m512 from, int half)
{
    float values[16];
    simde_mm512_storeu_ps(values, from);
    return simde_mm256_loadu_ps(values + 8 * half);
}

static float emulate_reduce_add_ps(simde__m512 from)
{
    float values[16];
    simde_mm512_storeu_ps(values, from);
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++) values[i] += values[i + half];
    return values[0];
}

#undef _mm512_cvtps_pd
#undef _mm512_extractf32x8_ps
#undef _mm512_reduce_add_ps
#define _mm512_cvtps_pd        emulate_cvtps_pd
#define _mm512_extractf32x8_ps emulate_extractf32x8_ps
#define _mm512_reduce_add_ps   emulate_reduce_add_ps
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtepi8_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_maskz_loadu_ps
#undef _mm256_maskz_loadu_epi16
#undef _mm_maskz_loadu_epi8
#undef _mm512_mask_storeu_ps
#undef _mm512_cvtph_ps
#undef _mm_prefetch
#define _mm512_cvtepu16_epi32    emulate_cvtepu16_epi32
#define _mm512_cvtepi8_epi32     emulate_cvtepi8_epi32
#define _mm512_cvtepi32_ps       emulate_cvtepi32_ps
#define _mm512_maskz_loadu_ps    emulate_loadu_ps
#define _mm256_maskz_loadu_epi16 emulate_loadu_epi16
#define _mm_maskz_loadu_epi8     emulate_loadu_epi8
#define _mm512_mask_storeu_ps    emulate_storeu_ps
#define _mm512_cvtph_ps          emulate_cvtph_ps
#define _mm_prefetch(at, hint)   ((void)(at))

#define __mmask16 simde__mmask16

#define wl_kernels_avx512     emulated_kernels
#define wl_kernels_avx512vnni emulated_kernels_vnni
#include "vector/kernels_avx512.c"
#undef wl_kernels_avx512
#undef wl_kernels_avx512vnni

/* ---- the test ---------------------------------------------------------------------------------------------------- */

static uint64_t random_state = 0x9E3779B97F4A7C15; /* xorshift64*, fixed seed */

static uint64_t random_next(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(0x2545F4914F6CDD1D);
}

static float random_float(void)
{
    return (float)(random_next() >> 40) / 8388608.0f - 1;
}

enum { ROWS = 20, MOST_COUNT = 40, MOST_DIM = 1000 };

static void fill(char *table, size_t count, wl_dtype type)
{
    for (size_t i = 0; i < count; i++) {
        float value = random_float() * (random_next() % 16 ? 4 : 1e-6f);
        uint16_t half = type == WL_F16 ? wl_f32_to_f16(value) : wl_f32_to_bf16(value);
        char byte = (char)random_next();
        const void *from = type == WL_F32 ? (const void *)&value : type == WL_I8 ? (const void *)&byte : &half;
        memcpy(table + i * wl_dtype_size(type), from, wl_dtype_size(type));
    }
}

static void check_table(wl_dtype type, size_t dim)
{
    static const size_t counts[] = {0, 1, 2, 7, MOST_COUNT};
    static float expected[MOST_DIM], got[MOST_DIM + 1];
    size_t element = wl_dtype_size(type), shift = random_next() % 5, stride = (dim + random_next() % 3) * element;
    char *memory = malloc(shift + (ROWS - 1) * stride + dim * element); /* ends behind the last row */
    if (!memory) abort();
    char *table = memory + shift;
    for (size_t row = 0; row < ROWS; row++) fill(table + row * stride, dim, type);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int weighted = 0; weighted < 2; weighted++) {
            uint32_t rows[MOST_COUNT];
            float weights[MOST_COUNT];
            for (size_t i = 0; i < counts[c]; i++) {
                rows[i] = i == 0 ? ROWS - 1 : (uint32_t)(random_next() % ROWS);
                weights[i] = random_float() * 3;
            }
            const float *with = weighted ? weights : NULL;
            got[dim] = 12345;
            wl_sum_kernel_of(&wl_kernels_generic, type)(table, stride, rows, with, counts[c], dim, expected);
            wl_sum_kernel_of(&emulated_kernels, type)(table, stride, rows, with, counts[c], dim, got);
            CHECK_THAT(memcmp(expected, got, dim * sizeof *got) == 0, "%s dim %zu count %zu weighted %d",
                       wl_dtype_name(type), dim, counts[c], weighted);
            CHECK_THAT(got[dim] == 12345, "writes behind dim %zu", dim);
        }
    free(memory);
}

int main(void)
{
    static const wl_dtype types[] = {WL_F32, WL_F16, WL_BF16, WL_I8};
    static const size_t wide[] = {128, 255, 256, 257, 300, 512, MOST_DIM};
    for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
        for (size_t dim = 1; dim <= 70; dim++) check_table(types[t], dim);
        for (size_t w = 0; w < sizeof wide / sizeof *wide; w++) check_table(types[t], wide[w]);
    }
    return test_end();
}
#endif
