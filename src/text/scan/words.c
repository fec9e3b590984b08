#include "text/scan/words.h"

#include "text/unicode/utf8.h"

/* The key of a word that no short slot can hold: none has it. */
static const wl_word_key no_key = {0, UINT64_MAX};

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
    const char *text = batch->text;
    wl_word_key keys[WL_WORD_BATCH];
    const wl_word_slot *pairs[WL_WORD_BATCH];
    size_t count = batch->count;
    batch->count = 0;
    for (size_t i = 0; i < count; i++) {
        const wl_word_range *word = &batch->words[i];
        const char *data = text + word->begin;
        if (word->size > WL_WORD_BYTES)
            keys[i] = no_key;
        else if (batch->size - word->begin < 16)
            keys[i] = wl_word_key_at_end(data, word->size, word->part);
        else
            keys[i] = wl_word_key_of(data, word->size, word->part);
        pairs[i] = wl_word_cache_pair(cache, keys[i]);
        __builtin_prefetch(pairs[i]);
    }
    if (wl_tokens_reserve(tokens, count * WL_WORD_IDS, error)) return error->code;
    for (size_t i = 0; i < count; i++) {
        const wl_word_slot *slot;
        if (wl_word_cache_match(pairs[i], keys[i], &slot)) {
            wl_word_slot_copy(slot, tokens);
            continue;
        }
        wl_word_range word = batch->words[i];
        __builtin_prefetch(wl_word_cache_long(cache, text + word.begin, word.size, word.part));
        if (word.size <= WL_WORD_BYTES && wl_word_cache_match(wl_word_cache_second(cache, keys[i]), keys[i], &slot)) {
            wl_word_slot_copy(slot, tokens);
            continue;
        }
        if (look_further(batch, text + word.begin, word.size, word.part, error) ||
            wl_tokens_reserve(tokens, (count - i) * WL_WORD_IDS, error))
            return error->code;
    }
    return WL_OK;
}

wl_status wl_words_add_parts(wl_word_batch *batch, size_t begin, size_t end, wl_error *error)
{
    const char *text = batch->text;
    size_t part = begin;
    if (wl_words_flush_full(batch, error)) return error->code;
    for (size_t at = begin + wl_utf8_length((unsigned char)text[begin]); at < end;
         at += wl_utf8_length((unsigned char)text[at])) {
        /* Without a branch: whether a place may be cut is chance. */
        bool cut = wl_cuts_allow(batch->cuts, text + begin, end - begin, at - begin);
        batch->words[batch->count] = (wl_word_range){part, at - part, true};
        batch->count += cut;
        part = cut ? at : part;
        if (wl_words_flush_full(batch, error)) return error->code;
    }
    batch->words[batch->count++] = (wl_word_range){part, end - part, part > begin};
    return WL_OK;
}
