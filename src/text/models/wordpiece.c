#include "text/models/wordpiece.h"

#include <string.h>

#include "text/unicode/utf8.h"

wl_status wl_wordpiece_prepare(wl_wordpiece *wordpiece, const wl_vocabulary *vocabulary, wl_text prefix,
                               wl_error *error)
{
    wordpiece->vocabulary = vocabulary;
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        if (piece.size < prefix.size || memcmp(piece.data, prefix.data, prefix.size) != 0) continue;
        wl_text rest = {piece.data + prefix.size, piece.size - prefix.size};
        if (wl_vocabulary_add(&wordpiece->continuing, rest, vocabulary->pieces[i].id, error)) return error->code;
    }
    return WL_OK;
}

void wl_wordpiece_free(wl_wordpiece *wordpiece)
{
    wl_vocabulary_free(&wordpiece->continuing);
}

wl_status wl_wordpiece_encode(const wl_wordpiece *wordpiece, const char *text, size_t size, wl_tokens *tokens,
                              wl_error *error)
{
    size_t first = tokens->count;
    bool known = size <= wordpiece->max_characters || wl_utf8_count(text, size) <= wordpiece->max_characters;
    for (size_t begin = 0, end; begin < size && known; begin = end) {
        const wl_vocabulary *vocabulary = begin ? &wordpiece->continuing : wordpiece->vocabulary;
        uint32_t id = WL_NO_ID;
        for (end = size - begin > vocabulary->longest ? begin + vocabulary->longest : size; end > begin; end--) {
            if (end < size && ((unsigned char)text[end] & 0xC0) == 0x80) continue; /* inside a character */
            id = wl_vocabulary_find(vocabulary, text + begin, end - begin);
            if (id != WL_NO_ID) break;
        }
        known = id != WL_NO_ID;
        if (known && wl_tokens_add(tokens, id, begin, end, error)) return error->code;
    }
    if (known) return WL_OK;
    if (wordpiece->unknown == WL_NO_ID)
        return wl_fail(error, WL_ERROR_FORMAT, "the text needs the unknown token, which the vocabulary lacks");
    tokens->count = first;
    return wl_tokens_add(tokens, wordpiece->unknown, 0, size, error);
}
