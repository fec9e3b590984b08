#include "text/models/tokens.h"

#include <stdlib.h>

wl_status wl_tokens_reserve(wl_tokens *tokens, size_t extra, wl_error *error)
{
    void *ids = tokens->ids, *spans = tokens->spans;
    wl_status status = wl_reserve(&ids, &tokens->capacity, tokens->count + extra, sizeof *tokens->ids, error);
    tokens->ids = ids;
    if (status || !tokens->spanned) return status;
    status = wl_reserve(&spans, &tokens->span_capacity, tokens->count + extra, sizeof *tokens->spans, error);
    tokens->spans = spans;
    return status;
}

wl_status wl_tokens_add(wl_tokens *tokens, uint32_t id, size_t begin, size_t end, wl_error *error)
{
    if (wl_tokens_reserve(tokens, 1, error)) return error->code;
    if (tokens->spanned) tokens->spans[tokens->count] = (wl_span){(uint32_t)begin, (uint32_t)end};
    tokens->ids[tokens->count++] = id;
    return WL_OK;
}

void wl_tokens_free(wl_tokens *tokens)
{
    free(tokens->ids);
    free(tokens->spans);
    *tokens = (wl_tokens){0};
}
