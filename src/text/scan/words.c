#include "text/scan/words.h"

/* A word that is in no short slot: from the long ones, or encoded and kept. */
static wl_status miss(wl_word_batch *batch, const wl_word_range *word, wl_error *error)
{
    wl_text_scratch *scratch = batch->scratch;
    wl_tokens *tokens = &scratch->tokens;
    const char *data = batch->text + word->begin;
    error->code = WL_OK;
    if (word->size > WL_WORD_BYTES &&
        wl_word_cache_find_long(&scratch->cache, data, word->size, word->part, tokens, error))
        return WL_OK;
    if (error->code) return error->code;
    size_t first = tokens->count;
    if (batch->encode(batch->tokenizer, data, word->size, word->part, scratch, error)) return error->code;
    wl_word_cache_add(&scratch->cache, data, word->size, word->part, tokens->ids + first, tokens->count - first);
    /* What the batch still needs at the least, for the copies below. */
    return wl_tokens_reserve(tokens, WL_WORD_BATCH * WL_WORD_IDS, error);
}

wl_status wl_words_flush(wl_word_batch *batch, wl_error *error)
{
    const wl_word_cache *cache = &batch->scratch->cache;
    wl_tokens *tokens = &batch->scratch->tokens;
    wl_word_key keys[WL_WORD_BATCH];
    const wl_word_slot *pairs[WL_WORD_BATCH];
    size_t count = batch->count;
    batch->count = 0;
    if (wl_tokens_reserve(tokens, WL_WORD_BATCH * WL_WORD_IDS, error)) return error->code;
    for (size_t i = 0; i < count; i++) {
        wl_word_range word = batch->words[i];
        size_t size = word.size <= WL_WORD_BYTES ? word.size : 0; /* a long word has the key of none */
        keys[i] = wl_word_key_of(batch->text + word.begin, size, batch->size - word.begin, word.part);
        pairs[i] = wl_word_cache_pair(cache, keys[i]);
        __builtin_prefetch(pairs[i]);
    }
    for (size_t i = 0; i < count; i++) {
        const wl_word_slot *slot = wl_word_cache_match(pairs[i], keys[i]);
        if (slot && batch->words[i].size <= WL_WORD_BYTES)
            wl_word_slot_copy(slot, tokens);
        else if (miss(batch, &batch->words[i], error))
            return error->code;
    }
    return WL_OK;
}

wl_status wl_words_add_cut(wl_word_batch *batch, size_t begin, size_t end, wl_error *error)
{
    const wl_cuts *cuts = batch->tokenizer->cuts;
    const char *word = batch->text + begin;
    size_t size = end - begin, part = 0;
    if (size <= WL_WORD_BYTES || !cuts) return wl_words_add(batch, begin, end, false, error);
    for (size_t at = 1; at < size; at++) {
        if (!wl_cuts_allow(cuts, word, size, at)) continue;
        if (wl_words_add(batch, begin + part, begin + at, true, error)) return error->code;
        part = at;
    }
    return wl_words_add(batch, begin + part, end, part > 0, error);
}
