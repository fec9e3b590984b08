/* The arrays of unicode_tables.c, read only by unicode.c. Each property is a three-stage table, a stage for the page
 * (256 points), the block (16 points) and the point:
 *
 *     values[blocks[pages[point >> 8] << 4 | (point >> 4 & 15)] | (point & 15)]
 */
#ifndef WL_TEXT_UNICODE_TABLES_H
#define WL_TEXT_UNICODE_TABLES_H

#include <stdint.h>

/* From here on no point decomposes, has a lower case or a combining class. */
enum { WL_UNICODE_CHANGES_END = 0x30000 };

extern const uint8_t wl_unicode_class_pages[0x110000 >> 8];
extern const uint16_t wl_unicode_class_blocks[];
extern const uint8_t wl_unicode_class_values[]; /* begins with the 128 values of ASCII */

extern const uint8_t wl_unicode_trait_pages[0x110000 >> 8];
extern const uint16_t wl_unicode_trait_blocks[];
extern const uint8_t wl_unicode_trait_values[];

extern const uint8_t wl_unicode_script_pages[0x110000 >> 8];
extern const uint16_t wl_unicode_script_blocks[];
extern const uint8_t wl_unicode_script_values[];

extern const uint8_t wl_unicode_combining_pages[WL_UNICODE_CHANGES_END >> 8];
extern const uint16_t wl_unicode_combining_blocks[];
extern const uint8_t wl_unicode_combining_values[];

/* The values of these two are 0 for a point that stays as it is, else offset << 2 | (count - 1) of its points in the
 * pool. Hangul syllables are not in the table. */
extern const uint8_t wl_unicode_decomposition_pages[WL_UNICODE_CHANGES_END >> 8];
extern const uint16_t wl_unicode_decomposition_blocks[];
extern const uint16_t wl_unicode_decomposition_values[];

extern const uint8_t wl_unicode_lower_pages[WL_UNICODE_CHANGES_END >> 8];
extern const uint16_t wl_unicode_lower_blocks[];
extern const uint16_t wl_unicode_lower_values[];

/* 0, or which of the strings, each offset << 5 | count: only where it differs from the canonical one. */
extern const uint8_t wl_unicode_compatibility_pages[WL_UNICODE_CHANGES_END >> 8];
extern const uint16_t wl_unicode_compatibility_blocks[];
extern const uint16_t wl_unicode_compatibility_values[];
extern const uint32_t wl_unicode_compatibility_strings[];

extern const uint8_t wl_unicode_form_pages[0x110000 >> 8];
extern const uint16_t wl_unicode_form_blocks[];
extern const uint8_t wl_unicode_form_values[];

extern const uint8_t wl_unicode_grapheme_pages[0x110000 >> 8];
extern const uint16_t wl_unicode_grapheme_blocks[];
extern const uint8_t wl_unicode_grapheme_values[];

/* First, second, composite of each pair, sorted. */
enum { WL_UNICODE_PAIR_COUNT = 940 };
extern const uint32_t wl_unicode_pairs[];

extern const uint32_t wl_unicode_pool[];

#endif
