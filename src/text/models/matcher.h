/* Finds many patterns in a text: leftmost, of those the longest, without overlap.
 *
 * Bytes that start no pattern are passed over by a table. At any other the trie of the patterns tells the longest that
 * starts there. That alone would be quadratic where long patterns nearly match again and again; so where the trie has
 * led further than WL_MATCHER_STEPS bytes, the longest pattern at each place of a whole window is found at once, by
 * Aho-Corasick (1975) over the patterns read backward, from the end of the window to its start: read that way the
 * patterns that start at a place are those that end there. A window is wider than the longest pattern by far, so the
 * whole is linear in the text: at most WL_MATCHER_STEPS steps for each of its bytes, and two for each of a window's. */
#ifndef WL_TEXT_MATCHER_H
#define WL_TEXT_MATCHER_H

#include "text/models/trie.h"

#define WL_MATCHER_STEPS 64

typedef struct wl_match_pattern {
    uint64_t offset; /* in bytes */
    uint32_t size, value;
} wl_match_pattern;

/* The patterns: one behind the other. */
typedef struct wl_patterns {
    wl_buffer bytes;
    wl_match_pattern *items;
    size_t count, capacity;
    uint32_t longest; /* bytes */
} wl_patterns;

typedef struct wl_matcher {
    wl_patterns patterns;
    wl_trie trie;     /* values are indices of patterns */
    bool starts[256]; /* bytes that start a pattern */
    int only_start;   /* the only such byte, or -1 */
    /* Where a pattern is longer than WL_MATCHER_STEPS, by unit of backward: */
    wl_trie backward; /* of the patterns read backward */
    uint32_t *fails;  /* the longest other node that the bytes read end with */
    uint32_t *found;  /* the longest pattern that they end with, or WL_NO_ID */
} wl_matcher;

/* The window: the longest pattern at each place of text[begin..end). */
typedef struct wl_matcher_scratch {
    uint32_t *found;
    size_t capacity, begin, end;
} wl_matcher_scratch;

/* Of equal patterns the last counts; empty ones are not allowed. */
wl_status wl_matcher_add(wl_matcher *matcher, wl_text pattern, uint32_t value, wl_error *error);
/* Call once after the last pattern. */
wl_status wl_matcher_finish(wl_matcher *matcher, wl_error *error);
void wl_matcher_free(wl_matcher *matcher);
void wl_matcher_scratch_free(wl_matcher_scratch *scratch);

/* Before the first look at a text. */
static inline void wl_matcher_begin(wl_matcher_scratch *scratch)
{
    scratch->begin = scratch->end = 0;
}

/* Sets *match to the first pattern that starts at text[at..size) and *at to its place; NULL where there is none. */
wl_status wl_matcher_next(const wl_matcher *matcher, const char *text, size_t size, wl_matcher_scratch *scratch,
                          size_t *at, const wl_match_pattern **match, wl_error *error);

#endif
