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

/* What the bytes of a block are. */
typedef struct wl_block_classes {
    uint64_t letters, upper, digits; /* ASCII */
    uint64_t space;                  /* U+0020 */
    uint64_t controls;               /* white space from U+0009 to U+000D */
    uint64_t lines;                  /* \n and \r */
    uint64_t quotes, slashes;        /* ' and / */
    uint64_t beyond;                 /* not ASCII */
} wl_block_classes;

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

/* Bytes in [last - count + 1, last]: moved to the top of the signed range, where one comparison tells. */
static inline __m128i wl_block_range(__m128i bytes, int last, int count)
{
    return _mm_cmpgt_epi8(_mm_add_epi8(bytes, _mm_set1_epi8((char)(127 - last))), _mm_set1_epi8((char)(127 - count)));
}

static inline void wl_block_classify(const char *text, wl_block_classes *classes)
{
    __m128i letters[4], upper[4], digits[4], space[4], controls[4], lines[4], quotes[4], slashes[4], bytes[4];
    for (int i = 0; i < 4; i++) {
        bytes[i] = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        letters[i] = wl_block_range(_mm_or_si128(bytes[i], _mm_set1_epi8(0x20)), 'z', 26);
        upper[i] = wl_block_range(bytes[i], 'Z', 26);
        digits[i] = wl_block_range(bytes[i], '9', 10);
        space[i] = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8(' '));
        controls[i] = wl_block_range(bytes[i], '\r', 5);
        lines[i] =
            _mm_or_si128(_mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('\n')), _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('\r')));
        quotes[i] = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('\''));
        slashes[i] = _mm_cmpeq_epi8(bytes[i], _mm_set1_epi8('/'));
    }
    *classes = (wl_block_classes){
        .letters = wl_block_bits(letters),
        .upper = wl_block_bits(upper),
        .digits = wl_block_bits(digits),
        .space = wl_block_bits(space),
        .controls = wl_block_bits(controls),
        .lines = wl_block_bits(lines),
        .quotes = wl_block_bits(quotes),
        .slashes = wl_block_bits(slashes),
        .beyond = wl_block_bits(bytes),
    };
}

#else

static inline void wl_block_classify(const char *text, wl_block_classes *classes)
{
    *classes = (wl_block_classes){0};
    for (size_t i = 0; i < WL_BLOCK; i++) {
        unsigned char byte = (unsigned char)text[i];
        uint64_t bit = UINT64_C(1) << i;
        if ((byte | 0x20u) - 'a' < 26u) classes->letters |= bit;
        if (byte - (unsigned)'A' < 26u) classes->upper |= bit;
        if (byte - (unsigned)'0' < 10u) classes->digits |= bit;
        if (byte == ' ') classes->space |= bit;
        if (byte - 9u < 5u) classes->controls |= bit;
        if (byte == '\n' || byte == '\r') classes->lines |= bit;
        if (byte == '\'') classes->quotes |= bit;
        if (byte == '/') classes->slashes |= bit;
        if (byte >= 0x80) classes->beyond |= bit;
    }
}

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
