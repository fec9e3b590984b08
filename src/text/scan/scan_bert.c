/* BERT's tokenizer straight from the raw text.
 *
 * ASCII white space and punctuation pass through BertNormalizer unchanged (white space as a space), end the run of
 * combining marks that NFD may reorder, and end a word in BertPreTokenizer. So the raw text may be cut there, and what
 * lies between depends on nothing else: it is kept in a cache keyed by its raw bytes, whatever it normalizes to. A
 * punctuation mark is a word of its own, its token looked up when the tokenizer is opened.
 * Cost: one pass; what is not cached goes the general way. */
#include "text/tokenizer.h"

enum { OTHER, SPACE, PUNCTUATION }; /* scan_class */

static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, wl_text_scratch *scratch,
                             wl_error *error)
{
    wl_string_clear(&scratch->word, false);
    if (wl_string_add(&scratch->word, word, size, (wl_span){0, 0}, error)) return error->code;
    return wl_tokenize_segment(tokenizer, &scratch->word, scratch, error);
}

wl_status wl_scan_bert(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const uint8_t *class = tokenizer->scan_class;
    wl_tokens *tokens = &scratch->tokens;
    for (size_t at = 0; at < size;) {
        size_t begin = at;
        uint8_t first = class[(unsigned char)text[at++]];
        if (first == SPACE) continue;
        if (wl_tokens_reserve(tokens, WL_WORD_IDS, error)) return error->code;
        if (first == PUNCTUATION) {
            tokens->ids[tokens->count++] = tokenizer->single_ids[(unsigned char)text[begin]];
            continue;
        }
        while (at < size && class[(unsigned char)text[at]] == OTHER) at++;
        size_t length = at - begin;
        if (length > WL_WORD_BYTES) {
            if (encode_word(tokenizer, text + begin, length, scratch, error)) return error->code;
            continue;
        }
        wl_word_key key = wl_word_key_of(text + begin, length, size - begin);
        const wl_word_slot *slot = wl_word_cache_find(&scratch->cache, key);
        if (slot) {
            wl_word_slot_copy(slot, tokens);
            continue;
        }
        size_t count = tokens->count;
        if (encode_word(tokenizer, text + begin, length, scratch, error)) return error->code;
        wl_word_cache_add(&scratch->cache, key, tokens->ids + count, tokens->count - count);
    }
    return WL_OK;
}
