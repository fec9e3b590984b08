#include "text/unicode/unicode.h"

#include "text/unicode/unicode_tables.h"

/* Hangul syllables (Unicode, section 3.12): leading consonant, vowel, and trailing consonant if any. */
enum {
    SYLLABLES = 0xAC00,
    LEADING = 0x1100,
    VOWELS = 0x1161,
    TRAILING = 0x11A7,
    VOWEL_COUNT = 21,
    TRAILING_COUNT = 28,
    SYLLABLE_COUNT = 19 * VOWEL_COUNT * TRAILING_COUNT,
};

/* Where the value of a point is in the third stage. */
static size_t position(const uint8_t *pages, const uint16_t *blocks, uint32_t point)
{
    return blocks[(size_t)pages[point >> 8] << 4 | (point >> 4 & 15)] | (point & 15);
}

/* The points that a value of the decomposition or lower case table stands for. */
static size_t expand(uint16_t value, uint32_t point, uint32_t *out)
{
    if (!value) return out[0] = point, 1;
    const uint32_t *from = wl_unicode_pool + (value >> 2);
    size_t count = (value & 3u) + 1;
    for (size_t i = 0; i < count; i++) out[i] = from[i];
    return count;
}

uint8_t wl_unicode_class(uint32_t point)
{
    if (point < 0x80) return wl_unicode_class_values[point];
    return wl_unicode_class_values[position(wl_unicode_class_pages, wl_unicode_class_blocks, point)];
}

uint8_t wl_unicode_traits_beyond(uint32_t point)
{
    return wl_unicode_trait_values[position(wl_unicode_trait_pages, wl_unicode_trait_blocks, point)];
}

uint8_t wl_unicode_script(uint32_t point)
{
    return wl_unicode_script_values[position(wl_unicode_script_pages, wl_unicode_script_blocks, point)];
}

uint8_t wl_unicode_combining(uint32_t point)
{
    if (point >= WL_UNICODE_CHANGES_END) return 0;
    return wl_unicode_combining_values[position(wl_unicode_combining_pages, wl_unicode_combining_blocks, point)];
}

size_t wl_unicode_decompose(uint32_t point, uint32_t out[4])
{
    if (point >= WL_UNICODE_CHANGES_END) return out[0] = point, 1;
    uint32_t syllable = point - SYLLABLES;
    if (syllable < SYLLABLE_COUNT) {
        uint32_t trailing = syllable % TRAILING_COUNT;
        out[0] = LEADING + syllable / (VOWEL_COUNT * TRAILING_COUNT);
        out[1] = VOWELS + syllable / TRAILING_COUNT % VOWEL_COUNT;
        out[2] = TRAILING + trailing;
        return trailing ? 3 : 2;
    }
    size_t at = position(wl_unicode_decomposition_pages, wl_unicode_decomposition_blocks, point);
    return expand(wl_unicode_decomposition_values[at], point, out);
}

size_t wl_unicode_lower(uint32_t point, uint32_t out[3])
{
    if (point >= WL_UNICODE_CHANGES_END) return out[0] = point, 1;
    size_t at = position(wl_unicode_lower_pages, wl_unicode_lower_blocks, point);
    return expand(wl_unicode_lower_values[at], point, out);
}
