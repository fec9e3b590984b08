/* Where a word may be cut before it is merged. The result of a merge is a piece of the vocabulary, so no merge reaches
 * over a place where no piece could lie across: cutting there gives the same tokens, and the parts are short enough for
 * the word cache. That is what makes Chinese fast, whose words have no ends.
 *
 * A piece lies across a place if it holds the bytes on both sides of it. Told by the nearest byte on each side; between
 * two characters of which the second is not ASCII also by the nearest two, and three, of which the vocabulary has so
 * many that filters hold them: a false alarm only keeps a word whole. Cost: a few loads a character. */
#ifndef WL_TEXT_CUTS_H
#define WL_TEXT_CUTS_H

#include "base/hash.h"
#include "text/models/vocabulary.h"

enum { WL_CUT_BITS = 19 };

typedef struct wl_cuts {
    uint8_t joined[256][32]; /* bit y of row x: some piece holds byte y behind byte x, or it is inside a character */
    uint8_t close[256][32];  /* the same where the piece has only one byte on one of the sides */
    uint64_t pairs[1 << (WL_CUT_BITS - 6)];   /* filter of two bytes on each side, for pieces with no more on one */
    uint64_t triples[1 << (WL_CUT_BITS - 6)]; /* filter of three bytes on each side */
} wl_cuts;

/* Notes all places inside a piece, given as the bytes that it stands for in a word. */
void wl_cuts_note(wl_cuts *cuts, const char *piece, size_t size);
/* Call after the last piece. */
void wl_cuts_finish(wl_cuts *cuts);

static inline bool wl_cuts_bit(uint8_t (*const rows)[32], unsigned char x, unsigned char y)
{
    return rows[x][y / 8] >> y % 8 & 1;
}

/* Bits of the filters for `half` bytes on each side of a place. */
static inline size_t wl_cuts_slot(const char *place, size_t half)
{
    uint64_t bytes = 0;
    memcpy(&bytes, place - half, 2 * half);
    return (size_t)(wl_hash_integer(bytes) >> (64 - WL_CUT_BITS));
}

/* Whether the word may be cut at text[at], 0 < at < size. */
static inline bool wl_cuts_allow(const wl_cuts *cuts, const char *text, size_t size, size_t at)
{
    unsigned char x = (unsigned char)text[at - 1], y = (unsigned char)text[at];
    bool joined = cuts->joined[x][y / 8] >> y % 8 & 1;
    if (y < 0xC0 || at < 3 || size - at < 3) return !joined;
    size_t pair = wl_cuts_slot(text + at, 2), triple = wl_cuts_slot(text + at, 3);
    bool held = (cuts->close[x][y / 8] >> y % 8 & 1) | (cuts->pairs[pair / 64] >> pair % 64 & 1) |
                (cuts->triples[triple / 64] >> triple % 64 & 1);
    return !joined | !held;
}

#endif
