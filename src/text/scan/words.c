#include "text/scan/words.h"

#include "text/unicode/utf8.h"

/* A word or part that is in no slot: encoded and kept. */
static wl_status encode(wl_word_batch *batch, const char *word, size_t size, bool part, wl_error *error)
{
    wl_text_scratch *scratch = batch->scratch;
    wl_tokens *tokens = &scratch->tokens;
    size_t first = tokens->count;
    if (batch->encode(batch->tokenizer, word, size, part, scratch, error)) return error->code;
    wl_word_cache_add(&scratch->cache, word, size, part, tokens->ids + first, tokens->count - first);
    return WL_OK;
}

/* What is in no short slot: from the long ones, or encoded. */
static wl_status look_further(wl_word_batch *batch, const char *word, size_t size, bool part, wl_error *error)
{
    error->code = WL_OK;
    if (wl_word_cache_find_long(&batch->scratch->cache, word, size, part, &batch->scratch->tokens, error)) return WL_OK;
    return error->code ? error->code : encode(batch, word, size, part, error);
}

wl_status wl_words_flush(wl_word_batch *batch, wl_error *error)
{
    const wl_word_cache *cache = &batch->scratch->cache;
    wl_tokens *tokens = &batch->scratch->tokens;
    const wl_batch_word *word = batch->words, *end = word + batch->count;
    if (!batch->count) return WL_OK;
    if (wl_tokens_reserve(tokens, batch->count * WL_WORD_IDS, error)) return error->code;
    batch->count = 0;
    uint32_t *out = tokens->ids + tokens->count; /* in a register: each word waits for the number of ids before it */
    for (; word < end; word++) {
        const wl_word_slot *slot;
        if (wl_word_cache_match(word->pair, word->key, &slot)) {
            out = wl_word_slot_copy(slot, out);
            continue;
        }
        bool is_long = word->key.high == WL_WORD_LONG;
        size_t size = is_long ? word->key.low / 2 : wl_word_key_size(word->key);
        bool part = is_long ? word->key.low & 1 : wl_word_key_part(word->key);
        const char *text = batch->text + word->begin;
        __builtin_prefetch(wl_word_cache_long(cache, text, size, part));
        if (!is_long && wl_word_cache_match(wl_word_cache_second(cache, word->key), word->key, &slot)) {
            out = wl_word_slot_copy(slot, out);
            continue;
        }
        tokens->count = (size_t)(out - tokens->ids);
        if (look_further(batch, text, size, part, error) ||
            wl_tokens_reserve(tokens, (size_t)(end - word) * WL_WORD_IDS, error))
            return error->code;
        out = tokens->ids + tokens->count;
    }
    tokens->count = (size_t)(out - tokens->ids);
    return WL_OK;
}

wl_status wl_words_add_parts(wl_word_batch *batch, size_t begin, size_t end, wl_error *error)
{
    const char *word = batch->text + begin;
    size_t size = end - begin, part = 0, at = wl_utf8_length((unsigned char)*word);
    while (part < size) {
        size_t ends[WL_WORD_BATCH / 2], count = 0;
        /* Without a branch: whether a place may be cut is chance. */
        for (; at < size && count < WL_WORD_BATCH / 2 - 1; at += wl_utf8_length((unsigned char)word[at])) {
            ends[count] = at;
            count += wl_cuts_allow(batch->cuts, word, size, at);
        }
        if (at >= size) ends[count++] = size;
        if (batch->count + count > WL_WORD_BATCH && wl_words_flush(batch, error)) return error->code;
        for (size_t i = 0; i < count; part = ends[i++]) {
            wl_word_key key = wl_words_key(batch, begin + part, ends[i] - part, part || ends[i] < size);
            batch->words[batch->count++] = wl_words_expect(&batch->scratch->cache, key, begin + part);
        }
    }
    return WL_OK;
}
