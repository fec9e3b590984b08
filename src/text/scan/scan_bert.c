/* BERT's tokenizer straight from the raw text.
 *
 * ASCII white space and punctuation pass through BertNormalizer unchanged (white space as a space), end the run of
 * combining marks that NFD may reorder, and end a word in BertPreTokenizer. So the raw text may be cut there, and what
 * lies between depends on nothing else: it is kept in a cache keyed by its raw bytes, whatever it normalizes to. A
 * punctuation mark is a word of its own.
 * Cost: one pass; what is not cached goes the general way. */
#include "text/scan/words.h"

enum { OTHER, SPACE, PUNCTUATION }; /* scan_class */

static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool part,
                             wl_text_scratch *scratch, wl_error *error)
{
    (void)part;
    wl_string_clear(&scratch->word, false);
    if (wl_string_add(&scratch->word, word, size, (wl_span){0, 0}, error)) return error->code;
    return wl_tokenize_segment(tokenizer, &scratch->word, false, scratch, error);
}

wl_status wl_scan_bert(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const uint8_t *class = tokenizer->scan_class;
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, encode_word, text, size);
    for (size_t at = 0; at < size;) {
        size_t begin = at;
        uint8_t first = class[(unsigned char)text[at++]];
        if (first == SPACE) continue;
        while (first == OTHER && at < size && class[(unsigned char)text[at]] == OTHER) at++;
        if (wl_words_add(&batch, begin, at, error)) return error->code;
    }
    return wl_words_flush(&batch, error);
}
