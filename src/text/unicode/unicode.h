/* What the oracle knows of Unicode. It mixes several versions (NFD of Unicode 9.0, BERT's classes of 2015, lower case
 * and white space of its Rust standard library), so each use has a table of its own, generated from the oracle itself
 * by tools/unicode_tables.py. Points above U+10FFFF are not allowed. */
#ifndef WL_TEXT_UNICODE_H
#define WL_TEXT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits of a code point's class. */
enum {
    WL_UNICODE_SPACE = 1,             /* Rust char::is_whitespace */
    WL_UNICODE_BERT_REMOVED = 2,      /* dropped by BertNormalizer's clean_text */
    WL_UNICODE_BERT_SPACE = 4,        /* becomes U+0020 there */
    WL_UNICODE_BERT_CHINESE = 8,      /* gets spaces around it by handle_chinese_chars */
    WL_UNICODE_BERT_PUNCTUATION = 16, /* isolated by BertPreTokenizer */
    WL_UNICODE_MARK = 32,             /* Mn, dropped by BertNormalizer's strip_accents after NFD */
    WL_UNICODE_WORD = 64,             /* \w of the regex crate, for added tokens with single_word */
    WL_UNICODE_CHANGES = 128,         /* NFD or lower case changes it, or its combining class is not 0 */
};

uint8_t wl_unicode_class(uint32_t point);
/* Canonical combining class (Unicode 9.0). */
uint8_t wl_unicode_combining(uint32_t point);
/* Full canonical decomposition (Unicode 9.0, Hangul included) into out[0..4); returns the number of points; 1 with the
 * point itself where there is none. */
size_t wl_unicode_decompose(uint32_t point, uint32_t out[4]);
/* Lower case of one character without context, into out[0..3); returns the number of points. */
size_t wl_unicode_lower(uint32_t point, uint32_t out[3]);

#endif
