/* Where a word may be cut before it is merged. The result of a merge is a piece of the vocabulary, so no merge reaches
 * over a place where no piece could lie across: cutting there gives the same tokens, and the parts are short enough for
 * the word cache. That is what makes Chinese fast, whose words have no ends.
 *
 * A piece lies across a place if it holds the bytes on both sides of it. Told by the nearest byte on each side; between
 * two characters of which the second is not ASCII also by the nearest three, of which the vocabulary has so many that a
 * filter holds them (Bloom 1970, one bit; the two nearest choose the word): a false alarm only keeps a word whole.
 * Cost: two loads a character. */
#ifndef WL_TEXT_CUTS_H
#define WL_TEXT_CUTS_H

#include "base/hash.h"
#include "text/models/vocabulary.h"

enum { WL_CUT_WORDS_LOG2 = 13 };

/* What is known of two bytes side by side: bits of joined. */
enum {
    WL_CUT_NEVER = 1, /* some piece holds them, or they are inside a character */
    WL_CUT_CLOSE = 2, /* some piece holds them and nothing more on one of the sides */
};

typedef struct wl_cuts {
    uint8_t joined[256][256];
    uint64_t held[1 << WL_CUT_WORDS_LOG2]; /* three bytes on each side, or two where a piece has no more on one */
} wl_cuts;

/* Notes all places inside a piece, given as the bytes that it stands for in a word. */
void wl_cuts_note(wl_cuts *cuts, const char *piece, size_t size);
/* Call after the last piece. */
void wl_cuts_finish(wl_cuts *cuts);
/* Whether cuts from a file never cut inside a character. */
bool wl_cuts_sound(const wl_cuts *cuts);

/* The word of the filter for two bytes on each side of a place. */
static inline size_t wl_cuts_word(uint32_t four)
{
    return four * UINT32_C(0x9E3779B1) >> (32 - WL_CUT_WORDS_LOG2);
}

/* The bit in it for the bytes on both sides. */
static inline uint64_t wl_cuts_bit(uint64_t bytes)
{
    return UINT64_C(1) << (bytes * UINT64_C(0x9E3779B97F4A7C15) >> 58);
}

/* Whether the word may be cut at text[at], 0 < at < size. */
static inline bool wl_cuts_allow(const wl_cuts *cuts, const char *text, size_t size, size_t at)
{
    uint8_t joined = cuts->joined[(unsigned char)text[at - 1]][(unsigned char)text[at]];
    if ((unsigned char)text[at] < 0xC0 || at < 3 || size - at < 3) return !joined;
    uint32_t four, low;
    uint16_t high;
    memcpy(&four, text + at - 2, 4);
    memcpy(&low, text + at - 3, 4);
    memcpy(&high, text + at + 1, 2);
    uint64_t bits = wl_cuts_bit(four) | wl_cuts_bit(low | (uint64_t)high << 32);
    bool held = (joined & WL_CUT_CLOSE) | ((cuts->held[wl_cuts_word(four)] & bits) != 0);
    return !joined | !held;
}

#endif
