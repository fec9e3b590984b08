/* Llama-2's tokenizer straight from the raw text.
 *
 * Its normalizers put a mark in front and turn every space into one; there is no pre-tokenizer, so the model merges the
 * whole text. Merging never crosses from a non-mark to a mark, because the result of a merge is a piece of the
 * vocabulary and no piece holds a mark behind a non-mark: the scanner is chosen only where that is so. Hence cutting
 * before each mark that follows a non-mark gives the same tokens, and such words can be kept in a cache, keyed by their
 * raw bytes. The mark itself may also stand in the raw text; words with one are rare and take the slow way.
 * The same argument cuts further what is too long for the cache or has too many tokens for it: between any two bytes
 * that no piece holds side by side, "\n" and a letter, or most pairs of Chinese characters.
 * Cost: one pass, and O(n log n) in the length of a part that is not cached. */
#include <string.h>

#include "text/tokenizer.h"
#include "text/unicode/utf8.h"

enum { OTHER, SPACE, MARK_LEAD }; /* scan_class */

static wl_status merge(const wl_tokenizer *tokenizer, const char *part, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    wl_buffer *buffer = &scratch->word.text;
    buffer->size = 0;
    size_t at = 0;
    for (const char *space; (space = memchr(part + at, ' ', size - at)); at = (size_t)(space - part) + 1)
        if (wl_buffer_append(buffer, part + at, (size_t)(space - part) - at, error) ||
            wl_buffer_append(buffer, mark->content, mark->content_size, error))
            return error->code;
    if (wl_buffer_append(buffer, part + at, size - at, error)) return error->code;
    return wl_bpe_encode(&tokenizer->bpe, buffer->data, buffer->size, &scratch->bpe, &scratch->tokens, error);
}

/* A part of a word, from the cache or merged and kept. */
static wl_status encode_part(const wl_tokenizer *tokenizer, const char *part, size_t size, size_t readable,
                             wl_text_scratch *scratch, wl_error *error)
{
    wl_tokens *tokens = &scratch->tokens;
    if (size > WL_WORD_BYTES) return merge(tokenizer, part, size, scratch, error);
    if (wl_tokens_reserve(tokens, WL_WORD_IDS, error)) return error->code;
    wl_word_key key = wl_word_key_of(part, size, readable);
    const wl_word_slot *slot = wl_word_cache_find(&scratch->cache, key);
    if (slot) {
        wl_word_slot_copy(slot, tokens);
        return WL_OK;
    }
    size_t first = tokens->count;
    if (merge(tokenizer, part, size, scratch, error)) return error->code;
    wl_word_cache_add(&scratch->cache, key, tokens->ids + first, tokens->count - first);
    return WL_OK;
}

/* A word that the cache does not hold, marks being spaces: cut on where no piece holds the two bytes at the cut. */
static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, size_t readable,
                             wl_text_scratch *scratch, wl_error *error)
{
    size_t begin = 0;
    for (size_t at = 1; at < size && tokenizer->cuts; at++) {
        unsigned char x = (unsigned char)word[at - 1], y = (unsigned char)word[at];
        if (tokenizer->joined[x][y / 8] >> y % 8 & 1) continue;
        if (encode_part(tokenizer, word + begin, at - begin, readable - begin, scratch, error)) return error->code;
        begin = at;
    }
    return encode_part(tokenizer, word + begin, size - begin, readable - begin, scratch, error);
}

/* The same for a word as it stands in the raw text: a space in front where lead says so, raw marks made spaces. */
static wl_status encode_raw_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool lead,
                                 wl_text_scratch *scratch, wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    wl_buffer *buffer = &scratch->raw_word;
    buffer->size = 0;
    if (wl_buffer_reserve(buffer, size + 1, error)) return error->code;
    if (lead) buffer->data[buffer->size++] = ' ';
    for (size_t at = 0; at < size;) {
        bool is_mark = size - at >= mark->content_size && memcmp(word + at, mark->content, mark->content_size) == 0;
        buffer->data[buffer->size++] = is_mark ? ' ' : word[at];
        at += is_mark ? mark->content_size : 1;
    }
    return encode_word(tokenizer, buffer->data, buffer->size, buffer->size, scratch, error);
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
        if (raw_mark || (lead && length >= WL_WORD_BYTES)) {
            if (encode_raw_word(tokenizer, text + begin, length, lead, scratch, error)) return error->code;
            continue;
        }
        if (length > WL_WORD_BYTES) {
            if (encode_word(tokenizer, text + begin, length, size - begin, scratch, error)) return error->code;
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
        wl_status status = lead ? encode_raw_word(tokenizer, text + begin, length, true, scratch, error)
                                : encode_word(tokenizer, text + begin, length, size - begin, scratch, error);
        if (status) return status;
        wl_word_cache_add(&scratch->cache, key, tokens->ids + first, tokens->count - first);
    }
    return WL_OK;
}
