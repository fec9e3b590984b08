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
    WL_UNICODE_BERT_PUNCTUATION = 16, /* isolated by BertPreTokenizer; the same for Punctuation */
    WL_UNICODE_MARK = 32,             /* Mn, dropped by BertNormalizer's strip_accents after NFD */
    WL_UNICODE_WORD = 64,             /* \w of the regex crate, for added tokens with single_word */
    WL_UNICODE_CHANGES = 128,         /* NFD or lower case changes it, or its combining class is not 0 */
};

uint8_t wl_unicode_class(uint32_t point);

/* General categories, as the oracle's regular expressions see them (Oniguruma, Unicode 16): \p{Lu} and so on. What
 * else they know follows from these and two bits: \s is WL_UNICODE_SPACE, \d is Nd, [[:punct:]] is
 * WL_CATEGORIES_PUNCTUATION | WL_CATEGORIES_SYMBOLS, \w is WL_TRAIT_PATTERN_WORD. */
enum {
    WL_CATEGORY_LU,
    WL_CATEGORY_LL,
    WL_CATEGORY_LT,
    WL_CATEGORY_LM,
    WL_CATEGORY_LO,
    WL_CATEGORY_MN,
    WL_CATEGORY_MC,
    WL_CATEGORY_ME,
    WL_CATEGORY_ND,
    WL_CATEGORY_NL,
    WL_CATEGORY_NO,
    WL_CATEGORY_PC,
    WL_CATEGORY_PD,
    WL_CATEGORY_PS,
    WL_CATEGORY_PE,
    WL_CATEGORY_PI,
    WL_CATEGORY_PF,
    WL_CATEGORY_PO,
    WL_CATEGORY_SM,
    WL_CATEGORY_SC,
    WL_CATEGORY_SK,
    WL_CATEGORY_SO,
    WL_CATEGORY_ZS,
    WL_CATEGORY_ZL,
    WL_CATEGORY_ZP,
    WL_CATEGORY_CC,
    WL_CATEGORY_CF,
    WL_CATEGORY_CS,
    WL_CATEGORY_CO,
    WL_CATEGORY_CN,
};

/* Sets of categories, a bit for each. */
#define WL_CATEGORIES(first, last) (((2u << (last)) - 1) & ~((1u << (first)) - 1))
#define WL_CATEGORIES_LETTERS      WL_CATEGORIES(WL_CATEGORY_LU, WL_CATEGORY_LO)
#define WL_CATEGORIES_MARKS        WL_CATEGORIES(WL_CATEGORY_MN, WL_CATEGORY_ME)
#define WL_CATEGORIES_NUMBERS      WL_CATEGORIES(WL_CATEGORY_ND, WL_CATEGORY_NO)
#define WL_CATEGORIES_PUNCTUATION  WL_CATEGORIES(WL_CATEGORY_PC, WL_CATEGORY_PO)
#define WL_CATEGORIES_SYMBOLS      WL_CATEGORIES(WL_CATEGORY_SM, WL_CATEGORY_SO)
#define WL_CATEGORIES_SEPARATORS   WL_CATEGORIES(WL_CATEGORY_ZS, WL_CATEGORY_ZP)
#define WL_CATEGORIES_OTHER        WL_CATEGORIES(WL_CATEGORY_CC, WL_CATEGORY_CN)

/* A code point's traits: its category in the low bits, and these. */
enum {
    WL_TRAIT_CATEGORY = 31,
    WL_TRAIT_PATTERN_WORD = 32, /* \w of the oracle's regular expressions */
    WL_TRAIT_NUMERIC = 64,      /* Rust char::is_numeric, for the pre-tokenizer Digits */
    WL_TRAIT_COMBINING = 128,   /* what the normalizer StripAccents drops */
};

extern const uint8_t wl_unicode_trait_ascii[128];
uint8_t wl_unicode_traits_beyond(uint32_t point);

static inline uint8_t wl_unicode_traits(uint32_t point)
{
    return point < 0x80 ? wl_unicode_trait_ascii[point] : wl_unicode_traits_beyond(point);
}

static inline uint8_t wl_unicode_category(uint32_t point)
{
    return wl_unicode_traits(point) & WL_TRAIT_CATEGORY;
}

/* Whether the category is in a set. */
static inline bool wl_unicode_is(uint32_t point, uint32_t categories)
{
    return categories >> wl_unicode_category(point) & 1;
}

/* The script as the pre-tokenizer UnicodeScripts sees it: a number for each, WL_SCRIPT_ANY for the ones that go with
 * any other. Hiragana, Katakana and U+30FC count as Han, the space as any. */
enum { WL_SCRIPT_ANY = 0 };
uint8_t wl_unicode_script(uint32_t point);

/* Canonical combining class (Unicode 9.0). */
uint8_t wl_unicode_combining(uint32_t point);
/* Full canonical decomposition (Unicode 9.0, Hangul included) into out[0..4); returns the number of points; 1 with the
 * point itself where there is none. */
size_t wl_unicode_decompose(uint32_t point, uint32_t out[4]);
/* Full compatibility decomposition (Unicode 9.0) into out[0..18), likewise. */
enum { WL_UNICODE_DECOMPOSED = 18 };
size_t wl_unicode_decompose_compatible(uint32_t point, uint32_t out[WL_UNICODE_DECOMPOSED]);
/* The primary composite of two characters (Unicode 9.0, Hangul included), 0 where there is none. */
uint32_t wl_unicode_compose(uint32_t first, uint32_t second);

/* A bit for each normalization form that leaves the character as it is and in which it depends on nothing before it.
 * A text of such characters only is in that form. */
enum {
    WL_FORM_NFC = 1,
    WL_FORM_NFD = 2,
    WL_FORM_NFKC = 4,
    WL_FORM_NFKD = 8,
};
uint8_t wl_unicode_form(uint32_t point);

/* The Grapheme_Cluster_Break property (Unicode 17), with Extend divided by Indic_Conjunct_Break, and pictographs and
 * consonants of conjuncts told apart. */
enum {
    WL_GRAPHEME_ANY,
    WL_GRAPHEME_CONTROL, /* CR and LF too */
    WL_GRAPHEME_LEADING, /* Hangul: L, V, T, LV and LVT */
    WL_GRAPHEME_VOWEL,
    WL_GRAPHEME_TRAILING,
    WL_GRAPHEME_SYLLABLE,
    WL_GRAPHEME_SYLLABLE_CLOSED,
    WL_GRAPHEME_EXTEND,
    WL_GRAPHEME_LINKER,   /* Extend, joins consonants */
    WL_GRAPHEME_CONJUNCT, /* Extend, may stand among them */
    WL_GRAPHEME_JOINER,   /* U+200D */
    WL_GRAPHEME_SPACING,
    WL_GRAPHEME_PREPEND,
    WL_GRAPHEME_CONSONANT,
    WL_GRAPHEME_PICTOGRAPH,
    WL_GRAPHEME_REGIONAL,
};
uint8_t wl_unicode_grapheme(uint32_t point);
/* The end of the extended grapheme cluster (UAX 29) that begins at `at` < size; at is the end of another, or 0. */
size_t wl_grapheme_end(const char *text, size_t size, size_t at);

/* Lower case of one character without context, into out[0..3); returns the number of points. */
size_t wl_unicode_lower(uint32_t point, uint32_t out[3]);

#endif
