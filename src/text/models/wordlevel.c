#include "text/models/wordlevel.h"

wl_status wl_wordlevel_encode(const wl_wordlevel *wordlevel, const char *text, size_t size, wl_tokens *tokens,
                              wl_error *error)
{
    uint32_t id = wl_vocabulary_find(wordlevel->vocabulary, text, size);
    if (id == WL_NO_ID) id = wordlevel->unknown;
    if (id == WL_NO_ID)
        return wl_fail(error, WL_ERROR_FORMAT, "the text needs the unknown token, which the vocabulary lacks");
    return wl_tokens_add(tokens, id, 0, size, error);
}
