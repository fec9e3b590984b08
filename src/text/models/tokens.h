/* Tokens being collected: ids, and on request the range of each. */
#ifndef WL_TEXT_TOKENS_H
#define WL_TEXT_TOKENS_H

#include "base/memory.h"

typedef struct wl_tokens {
    uint32_t *ids;
    wl_span *spans; /* when spanned; first in bytes of the piece being cut, then of the original text */
    size_t count, capacity, span_capacity;
    bool spanned;
} wl_tokens;

/* Room for extra more. */
wl_status wl_tokens_reserve(wl_tokens *tokens, size_t extra, wl_error *error);
wl_status wl_tokens_add(wl_tokens *tokens, uint32_t id, size_t begin, size_t end, wl_error *error);
void wl_tokens_free(wl_tokens *tokens);

#endif
