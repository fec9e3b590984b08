/* The expressions that cut text into words for byte-level BPE: GPT-2's and what grew out of it (cl100k, Qwen, o200k,
 * Tekken, ...). All are a list of alternatives in this order, each of which may be missing:
 *
 *     contractions    's|'t|'re|'ve|'m|'ll|'d, perhaps in any case
 *     mark words      an ASCII punctuation mark and ASCII letters (DeepSeek)
 *     Han             a run of Han characters (Kimi)
 *     words           a prefix, then letters; the letters may be upper before lower case, a contraction behind them
 *     numbers         so many digits
 *     symbols         a space, then what is none of these, then line ends
 *     spaces          up to the last line end, or all but the last, or the last
 *
 * One scanner reads the table of rules. It knows the expression's text exactly as an Oniguruma pattern means it: the
 * comments say where backtracking shows. Cost: linear, each character is seen at most four times. */
#ifndef WL_TEXT_PATTERN_WORDS_H
#define WL_TEXT_PATTERN_WORDS_H

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

/* A set of characters: a bit for each general category, but white space has bits of its own, so \s is
 * WL_WORDS_SPACES. */
#define WL_WORDS_BLANK   (1u << 30) /* white space other than line ends */
#define WL_WORDS_LINE    (1u << 31) /* \r and \n */
#define WL_WORDS_SPACES  (WL_WORDS_BLANK | WL_WORDS_LINE)
#define WL_WORDS_LETTERS ((uint32_t)WL_CATEGORIES_LETTERS)
#define WL_WORDS_MARKS   ((uint32_t)WL_CATEGORIES_MARKS)
#define WL_WORDS_NUMBERS ((uint32_t)WL_CATEGORIES_NUMBERS)
#define WL_WORDS_SIGNS   ((uint32_t)(WL_CATEGORIES_PUNCTUATION | WL_CATEGORIES_SYMBOLS))

typedef enum wl_words_contractions {
    WL_CONTRACTIONS_NONE,
    WL_CONTRACTIONS_LOWER,
    WL_CONTRACTIONS_ASCII,    /* in any case */
    WL_CONTRACTIONS_ANY_CASE, /* the same by (?i:), for which U+017F is an s */
} wl_words_contractions;

typedef struct wl_words_rules {
    uint8_t contractions;      /* in front of all; wl_words_contractions */
    uint8_t suffixes;          /* contractions behind a word, as its part */
    bool mark_words;           /* [!-/:-~][A-Za-z]+ with ASCII punctuation */
    bool han;                  /* runs of Han apart, and words without Han */
    bool space_prefix;         /* of a word: one U+0020 */
    uint32_t prefix;           /* of a word: one of this set */
    uint32_t letters;          /* of a word; 0 where upper and lower are given */
    uint32_t upper, lower;     /* words are upper*lower+ or else upper+lower* */
    bool number_space;         /* a space may stand in front of a number */
    bool symbol_space;         /* and of symbols */
    uint8_t digits;            /* of a number at most; 0: any count */
    uint32_t numbers, symbols; /* sets */
    bool symbol_lines;         /* [\r\n]* behind symbols */
    bool symbol_slashes;       /* [\r\n/]* there */
    bool spaces_to_end;        /* \s++$ first: white space at the end of the text stays whole */
    bool lines;                /* \s*[\r\n]+ */
    bool spaces;               /* \s+(?!\S)|\s+ */
    bool covers;               /* every character is in some match */
} wl_words_rules;

/* The set of ASCII characters; the others have theirs by wl_words_set_beyond. */
extern const uint32_t wl_words_ascii[128];
uint32_t wl_words_set_beyond(uint32_t point);

/* The set that the character at text is in (one bit), and its length. */
static inline uint32_t wl_words_set(const char *text, size_t *length)
{
    unsigned char first = (unsigned char)*text;
    if (first < 0x80) return *length = 1, wl_words_ascii[first];
    return wl_words_set_beyond(wl_utf8_decode(text, length));
}

/* The end of the match that starts at `at`, which is below size; `at` itself where none does, which no rules that cover
 * give. text[0, size) is well-formed, and all that the expression may look at. */
size_t wl_words_next(const wl_words_rules *rules, const char *text, size_t size, size_t at);

/* \p{Han} of Unicode 16. */
bool wl_words_is_han(uint32_t point);

/* Recognizes an expression of this family, alternative by alternative; false where it is not one. */
bool wl_words_read(const char *expression, size_t size, wl_words_rules *rules);

#endif
