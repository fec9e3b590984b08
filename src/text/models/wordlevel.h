/* WordLevel: a piece of text is a piece of the vocabulary, or unknown. */
#ifndef WL_TEXT_WORDLEVEL_H
#define WL_TEXT_WORDLEVEL_H

#include "text/models/tokens.h"
#include "text/models/vocabulary.h"

typedef struct wl_wordlevel {
    const wl_vocabulary *vocabulary;
    uint32_t unknown; /* WL_NO_ID where it is not in the vocabulary */
} wl_wordlevel;

/* Appends the one token of a word; fails where that is the unknown token and there is none. */
wl_status wl_wordlevel_encode(const wl_wordlevel *wordlevel, const char *text, size_t size, wl_tokens *tokens,
                              wl_error *error);

#endif
