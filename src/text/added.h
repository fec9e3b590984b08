/* Added tokens: strings that are cut out of a text before anything else sees it. */
#ifndef WL_TEXT_ADDED_H
#define WL_TEXT_ADDED_H

#include "text/models/prefixes.h"

typedef struct wl_added_token {
    char *content; /* as written in the file; owned */
    size_t size;
    uint32_t id;
    bool single_word, left_strip, right_strip, normalized, special;
} wl_added_token;

/* Finds patterns in a text: leftmost, of those the longest. */
typedef struct wl_matcher {
    wl_vocabulary patterns; /* ids are indices of tokens */
    wl_prefixes prefixes;
    bool starts[256]; /* bytes that start a pattern */
    int only_start;   /* the only such byte, or -1 */
} wl_matcher;

typedef struct wl_added_tokens {
    wl_added_token *tokens;
    size_t count, capacity;
    wl_matcher raw;        /* matched on the text as it came */
    wl_matcher normalized; /* matched on each normalized rest, by their normalized form */
} wl_added_tokens;

/* A part of a text: an added token, or what lies between them (token NULL). */
typedef struct wl_segment {
    const wl_added_token *token;
    size_t begin, end;
} wl_segment;

typedef struct wl_segments {
    wl_segment *items;
    size_t count, capacity;
} wl_segments;

/* Takes over token.content, also on failure. A token with an id that is there already replaces the other. */
wl_status wl_added_add(wl_added_tokens *added, wl_added_token token, wl_error *error);
/* The token with this content, or NULL. */
const wl_added_token *wl_added_find(const wl_added_tokens *added, wl_text content);
/* Adds tokens[index] to the matcher that finds it, by its pattern. */
wl_status wl_added_pattern(wl_added_tokens *added, size_t index, wl_text pattern, wl_error *error);
/* Call once after the last pattern. */
wl_status wl_added_finish(wl_added_tokens *added, wl_error *error);
void wl_added_free(wl_added_tokens *added);

/* Cuts well-formed text into *segments (cleared first). Text without any match is one segment; empty text none. */
wl_status wl_added_cut(const wl_added_tokens *added, const wl_matcher *matcher, const char *text, size_t size,
                       wl_segments *segments, wl_error *error);

#endif
