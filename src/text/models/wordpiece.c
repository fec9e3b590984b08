#include "text/models/wordpiece.h"

#include "text/unicode/utf8.h"

wl_status wl_wordpiece_prepare(wl_wordpiece *wordpiece, const wl_vocabulary *vocabulary, wl_text prefix,
                               wl_error *error)
{
    if (!wordpiece->trie.units && wl_trie_build_pieces(&wordpiece->trie, vocabulary, error)) return error->code;
    wordpiece->inside = 0;
    for (size_t i = 0; i < prefix.size; i++)
        if (!wl_trie_step(&wordpiece->trie, &wordpiece->inside, (unsigned char)prefix.data[i])) {
            wordpiece->inside = WL_NO_ID;
            break;
        }
    return WL_OK;
}

void wl_wordpiece_free(wl_wordpiece *wordpiece)
{
    wl_trie_free(&wordpiece->trie);
}

/* The longest piece that starts text, going on from node; WL_NO_ID where there is none. Pieces are whole characters, so
 * one ends where a character does. */
static uint32_t longest(const wl_trie *trie, uint32_t node, const char *text, size_t size, size_t *length)
{
    uint32_t id = WL_NO_ID;
    for (size_t at = 0; at < size && wl_trie_step(trie, &node, (unsigned char)text[at]); at++) {
        uint32_t value = wl_trie_value(trie, node);
        if (value == WL_NO_ID) continue;
        id = value;
        *length = at + 1;
    }
    return id;
}

wl_status wl_wordpiece_encode(const wl_wordpiece *wordpiece, const char *text, size_t size, wl_tokens *tokens,
                              wl_error *error)
{
    size_t first = tokens->count, length = 0;
    bool known = size <= wordpiece->max_characters || wl_utf8_count(text, size) <= wordpiece->max_characters;
    uint32_t node = 0;
    for (size_t begin = 0; begin < size && known; begin += length, node = wordpiece->inside) {
        uint32_t id =
            node == WL_NO_ID ? WL_NO_ID : longest(&wordpiece->trie, node, text + begin, size - begin, &length);
        known = id != WL_NO_ID;
        if (known && wl_tokens_add(tokens, id, begin, begin + length, error)) return error->code;
    }
    if (known) return WL_OK;
    if (wordpiece->unknown == WL_NO_ID)
        return wl_fail(error, WL_ERROR_FORMAT, "the text needs the unknown token, which the vocabulary lacks");
    tokens->count = first;
    return wl_tokens_add(tokens, wordpiece->unknown, 0, size, error);
}
