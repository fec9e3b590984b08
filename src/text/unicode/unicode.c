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
    LEADING_COUNT = 19,
    SYLLABLE_COUNT = LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT,
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

size_t wl_unicode_decompose_compatible(uint32_t point, uint32_t out[WL_UNICODE_DECOMPOSED])
{
    if (point >= WL_UNICODE_CHANGES_END) return out[0] = point, 1;
    size_t at = position(wl_unicode_compatibility_pages, wl_unicode_compatibility_blocks, point);
    uint16_t number = wl_unicode_compatibility_values[at];
    if (!number) return wl_unicode_decompose(point, out);
    uint32_t string = wl_unicode_compatibility_strings[number];
    const uint32_t *from = wl_unicode_pool + (string >> 5);
    size_t count = string & 31;
    for (size_t i = 0; i < count; i++) out[i] = from[i];
    return count;
}

uint32_t wl_unicode_compose(uint32_t first, uint32_t second)
{
    if (first - LEADING < LEADING_COUNT && second - VOWELS < VOWEL_COUNT)
        return SYLLABLES + ((first - LEADING) * VOWEL_COUNT + (second - VOWELS)) * TRAILING_COUNT;
    if (first - SYLLABLES < SYLLABLE_COUNT && (first - SYLLABLES) % TRAILING_COUNT == 0 &&
        second - (TRAILING + 1) < TRAILING_COUNT - 1)
        return first + (second - TRAILING);
    size_t low = 0, high = WL_UNICODE_PAIR_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const uint32_t *pair = wl_unicode_pairs + 3 * middle;
        if (pair[0] == first && pair[1] == second) return pair[2];
        if (pair[0] < first || (pair[0] == first && pair[1] < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

uint8_t wl_unicode_form(uint32_t point)
{
    return wl_unicode_form_values[position(wl_unicode_form_pages, wl_unicode_form_blocks, point)];
}

uint8_t wl_unicode_grapheme(uint32_t point)
{
    if (point >= 0x3400 && point < 0xA000) return WL_GRAPHEME_ANY; /* ideographs, without a look at the tables */
    return wl_unicode_grapheme_values[position(wl_unicode_grapheme_pages, wl_unicode_grapheme_blocks, point)];
}

size_t wl_unicode_lower(uint32_t point, uint32_t out[3])
{
    if (point >= WL_UNICODE_CHANGES_END) return out[0] = point, 1;
    size_t at = position(wl_unicode_lower_pages, wl_unicode_lower_blocks, point);
    return expand(wl_unicode_lower_values[at], point, out);
}
