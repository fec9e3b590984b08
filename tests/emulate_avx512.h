/* AVX-512 emulated by SIMDe, for files that are compiled a second time with it; the compiler's own intrinsics are kept
 * out by their include guards. Loads and stores under a mask are not SIMDe's but ours: they touch no byte outside the
 * mask, as the processor, so that a sanitizer sees what the mask should have kept out. */
#ifndef WL_TESTS_EMULATE_AVX512_H
#define WL_TESTS_EMULATE_AVX512_H

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

#include <string.h>

#include "format/half.h"

/* ---- what SIMDe lacks, or does more loosely than the processor --------------------------------------------------- */

static inline simde__m512 emulate_loadu_ps(simde__mmask16 lanes, const void *at)
{
    float values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + 4 * i, 4);
    return simde_mm512_loadu_ps(values);
}

static inline simde__m256i emulate_loadu_epi16(simde__mmask16 lanes, const void *at)
{
    uint16_t values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + 2 * i, 2);
    return simde_mm256_loadu_si256((const simde__m256i *)(const void *)values);
}

static inline simde__m128i emulate_loadu_epi8(simde__mmask16 lanes, const void *at)
{
    uint8_t values[16] = {0};
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + i, 1);
    return simde_mm_loadu_si128((const simde__m128i *)(const void *)values);
}

static inline simde__m512i emulate_loadu_bytes(simde__mmask64 lanes, const void *at)
{
    uint8_t values[64] = {0};
    for (int i = 0; i < 64; i++)
        if (lanes >> i & 1) memcpy(&values[i], (const char *)at + i, 1);
    return simde_mm512_loadu_si512(values);
}

static inline void emulate_storeu_ps(void *at, simde__mmask16 lanes, simde__m512 vector)
{
    float values[16];
    simde_mm512_storeu_ps(values, vector);
    for (int i = 0; i < 16; i++)
        if (lanes >> i & 1) memcpy((char *)at + 4 * i, &values[i], 4);
}

static inline simde__m512 emulate_cvtph_ps(simde__m256i halves)
{
    uint16_t from[16];
    float to[16];
    simde_mm256_storeu_si256((simde__m256i *)(void *)from, halves);
    for (int i = 0; i < 16; i++) to[i] = wl_f16_to_f32(from[i]);
    return simde_mm512_loadu_ps(to);
}

static inline simde__m512i emulate_cvtepu16_epi32(simde__m256i from)
{
    uint16_t narrow[16];
    uint32_t wide[16];
    simde_mm256_storeu_si256((simde__m256i *)(void *)narrow, from);
    for (int i = 0; i < 16; i++) wide[i] = narrow[i];
    return simde_mm512_loadu_si512(wide);
}

static inline simde__m512i emulate_cvtepi8_epi32(simde__m128i from)
{
    int8_t narrow[16];
    int32_t wide[16];
    simde_mm_storeu_si128((simde__m128i *)(void *)narrow, from);
    for (int i = 0; i < 16; i++) wide[i] = narrow[i];
    return simde_mm512_loadu_si512(wide);
}

static inline simde__m512 emulate_cvtepi32_ps(simde__m512i from)
{
    int32_t whole[16];
    float to[16];
    simde_mm512_storeu_si512(whole, from);
    for (int i = 0; i < 16; i++) to[i] = (float)whole[i];
    return simde_mm512_loadu_ps(to);
}

static inline simde__m512d emulate_cvtps_pd(simde__m256 from)
{
    float narrow[8];
    double wide[8];
    simde_mm256_storeu_ps(narrow, from);
    for (int i = 0; i < 8; i++) wide[i] = (double)narrow[i];
    return simde_mm512_loadu_pd(wide);
}

static inline simde__m256 emulate_extractf32x8_ps(simde__m512 from, int half)
{
    float values[16];
    simde_mm512_storeu_ps(values, from);
    return simde_mm256_loadu_ps(values + 8 * half);
}

static inline float emulate_reduce_add_ps(simde__m512 from)
{
    float values[16];
    simde_mm512_storeu_ps(values, from);
    for (int half = 8; half; half /= 2)
        for (int i = 0; i < half; i++) values[i] += values[i + half];
    return values[0];
}

static inline int64_t emulate_reduce_add_epi64(simde__m512i from)
{
    int64_t values[8], sum = 0;
    simde_mm512_storeu_si512(values, from);
    for (int i = 0; i < 8; i++) sum += values[i];
    return sum;
}

/* The products of unsigned bytes and signed ones, four to a sum. */
static inline simde__m512i emulate_dpbusd(simde__m512i sums, simde__m512i a, simde__m512i b)
{
    int32_t to[16];
    uint8_t x[64];
    int8_t y[64];
    simde_mm512_storeu_si512(to, sums);
    simde_mm512_storeu_si512(x, a);
    simde_mm512_storeu_si512(y, b);
    for (int i = 0; i < 64; i++) to[i / 4] += x[i] * y[i];
    return simde_mm512_loadu_si512(to);
}

static inline simde__m512i emulate_popcnt_epi32(simde__m512i from)
{
    uint32_t values[16];
    simde_mm512_storeu_si512(values, from);
    for (int i = 0; i < 16; i++) values[i] = (uint32_t)__builtin_popcount(values[i]);
    return simde_mm512_loadu_si512(values);
}

static inline simde__m512i emulate_popcnt_epi64(simde__m512i from)
{
    uint64_t values[8];
    simde_mm512_storeu_si512(values, from);
    for (int i = 0; i < 8; i++) values[i] = (uint64_t)__builtin_popcountll(values[i]);
    return simde_mm512_loadu_si512(values);
}

#undef _mm256_maskz_loadu_epi16
#undef _mm512_cvtepi32_ps
#undef _mm512_cvtepi8_epi32
#undef _mm512_cvtepu16_epi32
#undef _mm512_cvtph_ps
#undef _mm512_cvtps_pd
#undef _mm512_dpbusd_epi32
#undef _mm512_extractf32x8_ps
#undef _mm512_mask_storeu_ps
#undef _mm512_maskz_loadu_epi8
#undef _mm512_maskz_loadu_ps
#undef _mm512_popcnt_epi32
#undef _mm512_popcnt_epi64
#undef _mm512_reduce_add_epi64
#undef _mm512_reduce_add_ps
#undef _mm_maskz_loadu_epi8
#undef _mm_prefetch
#define _mm256_maskz_loadu_epi16 emulate_loadu_epi16
#define _mm512_cvtepi32_ps       emulate_cvtepi32_ps
#define _mm512_cvtepi8_epi32     emulate_cvtepi8_epi32
#define _mm512_cvtepu16_epi32    emulate_cvtepu16_epi32
#define _mm512_cvtph_ps          emulate_cvtph_ps
#define _mm512_cvtps_pd          emulate_cvtps_pd
#define _mm512_dpbusd_epi32      emulate_dpbusd
#define _mm512_extractf32x8_ps   emulate_extractf32x8_ps
#define _mm512_mask_storeu_ps    emulate_storeu_ps
#define _mm512_maskz_loadu_epi8  emulate_loadu_bytes
#define _mm512_maskz_loadu_ps    emulate_loadu_ps
#define _mm512_popcnt_epi32      emulate_popcnt_epi32
#define _mm512_popcnt_epi64      emulate_popcnt_epi64
#define _mm512_reduce_add_epi64  emulate_reduce_add_epi64
#define _mm512_reduce_add_ps     emulate_reduce_add_ps
#define _mm_maskz_loadu_epi8     emulate_loadu_epi8
#define _mm_prefetch(at, hint)   ((void)(at))
#define __mmask16                simde__mmask16
#define __mmask64                simde__mmask64

#endif
