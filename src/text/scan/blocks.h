/* Classes of 64 bytes at a time, a bit a byte: by SSE2, which every x86-64 has, else byte by byte. */
#ifndef WL_TEXT_BLOCKS_H
#define WL_TEXT_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__SSE2__) && !defined(WL_PLAIN_KERNELS)
#include <emmintrin.h>
#define WL_BLOCKS_SSE2 1
#endif

enum { WL_BLOCK = 64 };

/* Index of the lowest set bit; bits not 0. */
static inline size_t wl_block_first(uint64_t bits)
{
    return (size_t)__builtin_ctzll(bits);
}

#ifdef WL_BLOCKS_SSE2

static inline uint64_t wl_block_bits(const __m128i masks[4])
{
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(masks[i]) << (16 * i);
    return bits;
}

/* Where a block of 64 bytes holds byte a, and byte b. */
static inline void wl_block_find(const char *text, char a, char b, uint64_t *found_a, uint64_t *found_b)
{
    const __m128i first = _mm_set1_epi8(a), second = _mm_set1_epi8(b);
    __m128i is_a[4], is_b[4];
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        is_a[i] = _mm_cmpeq_epi8(bytes, first);
        is_b[i] = _mm_cmpeq_epi8(bytes, second);
    }
    *found_a = wl_block_bits(is_a);
    *found_b = wl_block_bits(is_b);
}

#else

static inline void wl_block_find(const char *text, char a, char b, uint64_t *found_a, uint64_t *found_b)
{
    *found_a = *found_b = 0;
    for (size_t i = 0; i < WL_BLOCK; i++) {
        *found_a |= (uint64_t)(text[i] == a) << i;
        *found_b |= (uint64_t)(text[i] == b) << i;
    }
}

#endif
#endif
