/* From words to ids: what the scanners share. A scanner finds where the words of a text are and adds them to a batch; a
 * full batch is looked up in the word cache. The look-ups of a batch are independent, so all its slots are asked for
 * before the first is read: memory answers them side by side. */
#ifndef WL_TEXT_WORDS_H
#define WL_TEXT_WORDS_H

#include "text/tokenizer.h"

enum { WL_WORD_BATCH = 256 };

/* The tokens of a word that the cache does not hold, appended to scratch->tokens. part: it is a part of a longer word,
 * cut where no merge reaches over. */
typedef wl_status (*wl_word_encoder)(const wl_tokenizer *tokenizer, const char *word, size_t size, bool part,
                                     wl_text_scratch *scratch, wl_error *error);

typedef struct wl_word_range {
    size_t begin, size; /* in text, size not 0 */
    bool part;          /* of a word that was cut */
} wl_word_range;

typedef struct wl_word_batch {
    const wl_tokenizer *tokenizer;
    wl_text_scratch *scratch;
    wl_word_encoder encode;
    const wl_cuts *cuts; /* of the tokenizer; NULL: none */
    const char *text;
    size_t size; /* of text: what may be read */
    size_t count;
    wl_word_range words[WL_WORD_BATCH];
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

/* Adds a word that is too long for a short slot, in parts where it may be cut. */
wl_status wl_words_add_parts(wl_word_batch *batch, size_t begin, size_t end, wl_error *error);

static inline wl_status wl_words_add(wl_word_batch *batch, size_t begin, size_t end, wl_error *error)
{
    if (end - begin > WL_WORD_BYTES && batch->cuts) return wl_words_add_parts(batch, begin, end, error);
    if (wl_words_flush_full(batch, error)) return error->code;
    batch->words[batch->count++] = (wl_word_range){begin, end - begin, false};
    return WL_OK;
}

#endif
