/* Llama-2's tokenizer straight from the raw text.
 *
 * Its normalizers put a mark in front and turn every space into one; there is no pre-tokenizer, so the model merges the
 * whole text. Merging never crosses from a non-mark to a mark, because the result of a merge is a piece of the
 * vocabulary and no piece holds a mark behind a non-mark: the scanner is chosen only where that is so. Hence cutting
 * before each mark that follows a non-mark gives the same tokens, and such words can be kept in a cache, keyed by their
 * raw bytes. The mark itself may also stand in the raw text; words with one are rare and take the slow way.
 * Cost: one pass, and O(n log n) in the length of a word that is not cached. */
#include <string.h>

#include "text/tokenizer.h"
#include "text/utf8.h"

enum { OTHER, SPACE, MARK_LEAD }; /* scan_class */

/* Tokenizes a word that is not in the cache: spaces become marks, one more in front where lead says so. */
static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool lead,
                             wl_text_scratch *scratch, wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    wl_buffer *buffer = &scratch->word.text;
    buffer->size = 0;
    if (lead && wl_buffer_append(buffer, mark->content, mark->content_size, error)) return error->code;
    size_t at = 0;
    for (; at < size && word[at] == ' '; at++)
        if (wl_buffer_append(buffer, mark->content, mark->content_size, error)) return error->code;
    for (const char *space; (space = memchr(word + at, ' ', size - at)); at = (size_t)(space - word) + 1)
        if (wl_buffer_append(buffer, word + at, (size_t)(space - word) - at, error) ||
            wl_buffer_append(buffer, mark->content, mark->content_size, error))
            return error->code;
    if (wl_buffer_append(buffer, word + at, size - at, error)) return error->code;
    return wl_bpe_encode(&tokenizer->bpe, buffer->data, buffer->size, &scratch->bpe, &scratch->tokens, error);
}

static inline bool mark_at(const wl_normalizer *mark, const char *text, size_t at, size_t size)
{
    return size - at >= mark->content_size && memcmp(text + at, mark->content, mark->content_size) == 0;
}

wl_status wl_scan_mark(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    const uint8_t *class = tokenizer->scan_class;
    wl_tokens *tokens = &scratch->tokens;
    for (size_t begin = 0, at = 0; begin < size; begin = at) {
        bool lead = begin == 0; /* the mark that the normalizer prepends belongs to the first word */
        bool raw_mark = false;
        for (;; at += mark->content_size) { /* marks */
            while (at < size && text[at] == ' ') at++;
            if (at == size || class[(unsigned char)text[at]] != MARK_LEAD || !mark_at(mark, text, at, size)) break;
            raw_mark = true;
        }
        for (;; at++) { /* non-marks */
            while (at < size && class[(unsigned char)text[at]] == OTHER) at++;
            if (at == size || text[at] == ' ' || mark_at(mark, text, at, size)) break;
        }
        size_t length = at - begin;
        if (wl_tokens_reserve(tokens, WL_WORD_IDS, error)) return error->code;
        if (raw_mark || length + lead > WL_WORD_BYTES) {
            if (encode_word(tokenizer, text + begin, length, lead, scratch, error)) return error->code;
            continue;
        }
        wl_word_key key;
        if (lead) {
            char word[16] = {' '};
            memcpy(word + 1, text, length);
            key = wl_word_key_of(word, length + 1, sizeof word);
        } else
            key = wl_word_key_of(text + begin, length, size - begin);
        const wl_word_slot *slot = wl_word_cache_find(&scratch->cache, key);
        if (slot) {
            wl_word_slot_copy(slot, tokens);
            continue;
        }
        size_t first = tokens->count;
        if (encode_word(tokenizer, text + begin, length, lead, scratch, error)) return error->code;
        wl_word_cache_add(&scratch->cache, key, tokens->ids + first, tokens->count - first);
    }
    return WL_OK;
}
