/* Where the words of a block of 64 ASCII bytes start, for the expressions of pattern/words.h, all at once: each rule of
 * an expression becomes a few operations on bit masks, a bit a byte. */
#ifndef WL_TEXT_WORD_STARTS_H
#define WL_TEXT_WORD_STARTS_H

#include "text/pattern/words.h"

/* The rules as masks: 0 or all bits. */
typedef struct wl_start_rules {
    uint64_t space_prefix, any_prefix; /* what a word takes in front: a space; anything but letters, digits, lines */
    uint64_t cases;                    /* a word ends where upper follows lower case */
    uint64_t number_space, symbol_space;
    uint64_t symbol_lines, symbol_slashes;
    uint64_t lines;    /* white space is cut behind its last line end */
    uint8_t digits;    /* of a number: 0 (any count), 1 or 3 */
    bool contractions; /* of their own */
    bool suffixes;     /* contractions behind a word */
    bool upper;        /* contractions in any case */
    bool spaces_to_end;
} wl_start_rules;

/* False where the rules hold something that the masks do not know. */
bool wl_start_rules_read(const wl_words_rules *rules, wl_start_rules *masks);

/* The next words of text from at on, where one starts; at < size. Words end at at + i for each bit i of *ends,
 * ascending, and after those, where the value returned is not 0, one more ends there. At least one does. masks may be
 * NULL. Cost: one block where only ASCII is near, else one word. */
size_t wl_word_ends(const wl_words_rules *rules, const wl_start_rules *masks, const char *text, size_t size, size_t at,
                    uint64_t *ends);

#endif
