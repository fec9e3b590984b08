/* Added tokens: strings that are cut out of a text before anything else sees it. */
#ifndef WL_TEXT_ADDED_H
#define WL_TEXT_ADDED_H

#include "text/models/matcher.h"

typedef struct wl_added_token {
    char *content; /* as written in the file; owned */
    size_t size;
    uint32_t id;
    bool single_word, left_strip, right_strip, normalized, special;
    bool replaced; /* a later token has its id: this one is known by name, but matches nothing */
} wl_added_token;

typedef struct wl_added_tokens {
    wl_added_token *tokens;
    size_t count, capacity;
    uint32_t *by_content, *by_id; /* open addressing over index + 1; slot_count of each, at most half full */
    size_t slot_count;
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
    wl_matcher_scratch matcher;
} wl_segments;

/* Takes over token.content, also on failure. A token with an id that is there already replaces the other. */
wl_status wl_added_add(wl_added_tokens *added, wl_added_token token, wl_error *error);
/* The token with this content, or NULL. */
const wl_added_token *wl_added_find(const wl_added_tokens *added, wl_text content);
/* The token with this id, or NULL. */
const wl_added_token *wl_added_by_id(const wl_added_tokens *added, uint32_t id);
/* Adds tokens[index] to the matcher that finds it, by its pattern, which is not empty. */
wl_status wl_added_pattern(wl_added_tokens *added, size_t index, wl_text pattern, wl_error *error);
/* Call once after the last pattern. */
wl_status wl_added_finish(wl_added_tokens *added, wl_error *error);
void wl_added_free(wl_added_tokens *added);
void wl_segments_free(wl_segments *segments);

/* Cuts well-formed text into *segments (cleared first). Text without any match is one segment; empty text none.
 * Cost: linear in the text and the segments. */
wl_status wl_added_cut(const wl_added_tokens *added, const wl_matcher *matcher, const char *text, size_t size,
                       wl_segments *segments, wl_error *error);

#endif
