/* Which pieces of a vocabulary begin a text: the pieces sorted by bytes, and a range of them that each further byte
 * narrows by bisection. Cost of a step: the logarithm of the range. */
#ifndef WL_TEXT_PREFIXES_H
#define WL_TEXT_PREFIXES_H

#include "text/models/vocabulary.h"

typedef struct wl_prefixes {
    const wl_vocabulary *vocabulary;
    uint32_t *order; /* indices of its pieces, sorted */
    uint32_t
        first[257]; /* where the pieces that start with a byte begin in order; empty pieces stand before first[0] */
} wl_prefixes;

/* A place in the look-up: the pieces order[low..high) agree with the depth bytes read so far. */
typedef struct wl_prefix_cursor {
    uint32_t low, high;
    size_t depth;
} wl_prefix_cursor;

wl_status wl_prefixes_build(wl_prefixes *prefixes, const wl_vocabulary *vocabulary, wl_error *error);
void wl_prefixes_free(wl_prefixes *prefixes);

/* Starts with a zeroed cursor; false when no piece goes on with this byte. */
bool wl_prefixes_step(const wl_prefixes *prefixes, wl_prefix_cursor *cursor, unsigned char byte);
/* The index of the piece that is just the bytes read, or WL_NO_ID. */
uint32_t wl_prefixes_piece(const wl_prefixes *prefixes, const wl_prefix_cursor *cursor);
/* The longest piece that starts text: its index, or WL_NO_ID. */
uint32_t wl_prefixes_longest(const wl_prefixes *prefixes, const char *text, size_t size);

#endif
