/* Byte-level BPE straight from the normalized text: words by the expression of pattern/words.h, each looked up by its
 * raw bytes. ASCII is cut 64 bytes at a time (word_starts.h); where another character is near, the exact scanner of the
 * expression takes a word at a time.
 * A block always begins where a word starts, so that blocks need not know of each other: the last word, whose end is
 * not in sight, is seen again at the beginning of the next one.
 * Cost: one pass, and what the words cost that the cache does not hold. */
#include "text/scan/words.h"

wl_status wl_scan_bytes(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                        wl_error *error)
{
    wl_buffer *prefixed = &scratch->raw_word;
    if (tokenizer->prefix_space && size && text[0] != ' ') {
        prefixed->size = 0;
        if (wl_buffer_append(prefixed, " ", 1, error) || wl_buffer_append(prefixed, text, size, error))
            return error->code;
        text = prefixed->data;
        size = prefixed->size;
    }
    const wl_start_rules *masks = tokenizer->in_blocks ? &tokenizer->start_rules : NULL;
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, wl_model_encode, text, size);
    for (size_t at = 0; at < size;) {
        uint64_t ends;
        size_t last = wl_word_ends(tokenizer->words, masks, text, size, at, &ends);
        if (wl_words_add_block(&batch, &at, at, ends, ends, error)) return error->code;
        if (!last) continue;
        if (wl_words_add(&batch, at, last, error)) return error->code;
        at = last;
    }
    return wl_words_flush(&batch, error);
}
