/* From words to ids: what the scanners share. A scanner finds where the words of a text are and adds them to a batch; a
 * full batch is looked up in the word cache. The look-ups of a batch are independent, so all its slots are asked for
 * before the first is read: memory answers them side by side. */
#ifndef WL_TEXT_WORDS_H
#define WL_TEXT_WORDS_H

#include "text/scan/blocks.h"
#include "text/tokenizer.h"

enum { WL_WORD_BATCH = 128 }; /* more would drive its own slots out of the nearest cache */

/* The tokens of a word that the cache does not hold, appended to scratch->tokens. part: it is a part of a longer word,
 * cut where no merge reaches over. */
typedef wl_status (*wl_word_encoder)(const wl_tokenizer *tokenizer, const char *word, size_t size, bool part,
                                     wl_text_scratch *scratch, wl_error *error);

/* A word in the batch. One that is too long for a short slot has WL_WORD_LONG above, which no key has, and below it its
 * size, twice, plus whether it is a part. */
typedef struct wl_batch_word {
    wl_word_key key;
    const wl_word_slot *pair; /* where the key belongs, asked for */
    size_t begin;             /* in text */
} wl_batch_word;

#define WL_WORD_LONG UINT64_MAX

typedef struct wl_word_batch {
    const wl_tokenizer *tokenizer;
    wl_text_scratch *scratch;
    wl_word_encoder encode;
    const wl_cuts *cuts; /* of the tokenizer; NULL: none */
    const char *text;
    size_t size; /* of text: what may be read */
    size_t count;
    wl_batch_word words[WL_WORD_BATCH];
} wl_word_batch;

/* An empty batch; the words stay as they are. */
static inline void wl_words_begin(wl_word_batch *batch, const wl_tokenizer *tokenizer, wl_text_scratch *scratch,
                                  wl_word_encoder encode, const char *text, size_t size)
{
    batch->tokenizer = tokenizer;
    batch->scratch = scratch;
    batch->encode = encode;
    batch->cuts = tokenizer->cuts;
    batch->text = text;
    batch->size = size;
    batch->count = 0;
}

/* Looks up what the batch holds, appends the ids to scratch->tokens, and empties it. */
wl_status wl_words_flush(wl_word_batch *batch, wl_error *error);

static inline wl_status wl_words_flush_full(wl_word_batch *batch, wl_error *error)
{
    return batch->count < WL_WORD_BATCH ? WL_OK : wl_words_flush(batch, error);
}

/* The key of the word of size > 0 bytes at begin. */
static inline wl_word_key wl_words_key(const wl_word_batch *batch, size_t begin, size_t size, bool part)
{
    if (size > WL_WORD_BYTES) return (wl_word_key){2 * size + part, WL_WORD_LONG};
    if (batch->size - begin < WL_WORD_READ) return wl_word_key_at_end(batch->text + begin, size, part);
    return wl_word_key_of(batch->text + begin, size, part);
}

/* The slots of a word are asked for while the next word is looked for. */
static inline wl_batch_word wl_words_expect(const wl_word_cache *cache, wl_word_key key, size_t begin)
{
    const wl_word_slot *pair = wl_word_cache_pair(cache, key);
    __builtin_prefetch(pair);
    return (wl_batch_word){key, pair, begin};
}

/* Adds a word that is too long for a short slot, in parts where it may be cut. */
wl_status wl_words_add_parts(wl_word_batch *batch, size_t begin, size_t end, wl_error *error);

static inline wl_status wl_words_add(wl_word_batch *batch, size_t begin, size_t end, wl_error *error)
{
    if (end - begin > WL_WORD_BYTES && batch->cuts) return wl_words_add_parts(batch, begin, end, error);
    if (wl_words_flush_full(batch, error)) return error->code;
    wl_word_key key = wl_words_key(batch, begin, end - begin, false);
    batch->words[batch->count++] = wl_words_expect(&batch->scratch->cache, key, begin);
    return WL_OK;
}

/* Adds the words of a block, one for each bit of ends, which is where it ends, counted from text + block. The first
 * begins at *begin; the bit of starts with the same index is where the next one does, and *begin after the last. Does
 * what wl_words_add does a word, with all that stays the same in registers. */
static inline wl_status wl_words_add_block(wl_word_batch *batch, size_t *begin, size_t block, uint64_t starts,
                                           uint64_t ends, wl_error *error)
{
    const wl_word_cache cache = batch->scratch->cache; /* a copy: nothing that is written here can change it */
    const char *text = batch->text;
    size_t at = *begin, end = batch->size;
    while (ends) {
        if (batch->count > WL_WORD_BATCH - WL_BLOCK && wl_words_flush(batch, error)) return error->code;
        wl_batch_word *entry = &batch->words[batch->count];
        for (; ends; starts &= starts - 1, ends &= ends - 1, entry++) {
            size_t size = block + wl_block_first(ends) - at;
            if (size > WL_WORD_BYTES || end - at < WL_WORD_READ) break;
            *entry = wl_words_expect(&cache, wl_word_key_of(text + at, size, false), at);
            at = block + wl_block_first(starts);
        }
        batch->count = (size_t)(entry - batch->words);
        if (!ends) break;
        if (wl_words_add(batch, at, block + wl_block_first(ends), error)) return error->code;
        at = block + wl_block_first(starts);
        starts &= starts - 1;
        ends &= ends - 1;
    }
    *begin = at;
    return WL_OK;
}

#endif
