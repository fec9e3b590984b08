/* Llama-2's tokenizer straight from the raw text.
 *
 * Its normalizers put a mark in front and turn every space into one; there is no pre-tokenizer, so the model merges the
 * whole text. Merging never crosses from a non-mark to a mark, because the result of a merge is a piece of the
 * vocabulary and no piece holds a mark behind a non-mark: the scanner is chosen only where that is so (and where no
 * character is dropped, which would bring a mark next to others). Hence cutting
 * before each mark that follows a non-mark gives the same tokens, and such words can be kept in a cache, keyed by their
 * raw bytes. The mark itself may also stand in the raw text; words with one are rare and take the slow way.
 * The same argument cuts long words further: between any two bytes that no piece holds side by side, "\n" and a letter,
 * or most pairs of Chinese characters.
 * Cost: one pass, and O(n log n) in the length of a part that is not cached. */
#include <string.h>

#include "text/scan/blocks.h"
#include "text/scan/words.h"
#include "text/unicode/utf8.h"

/* A word or part of one, its marks being spaces. */
static wl_status merge(const wl_tokenizer *tokenizer, const char *part, size_t size, bool is_part,
                       wl_text_scratch *scratch, wl_error *error)
{
    (void)is_part; /* merging is the same */
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

/* A word as it stands in the raw text: a space in front where lead says so, raw marks made spaces. */
static wl_status encode_raw_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool lead, bool raw_mark,
                                 wl_text_scratch *scratch, wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    wl_buffer *buffer = &scratch->raw_word;
    buffer->size = 0;
    if (wl_buffer_reserve(buffer, size + 1, error)) return error->code;
    if (lead) buffer->data[buffer->size++] = ' ';
    if (!raw_mark && wl_buffer_append(buffer, word, size, error)) return error->code;
    for (size_t at = 0; raw_mark && at < size;) {
        bool is_mark = size - at >= mark->content_size && memcmp(word + at, mark->content, mark->content_size) == 0;
        buffer->data[buffer->size++] = is_mark ? ' ' : word[at];
        at += is_mark ? mark->content_size : 1;
    }
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, merge, buffer->data, buffer->size);
    return wl_words_add(&batch, 0, buffer->size, error) ? error->code : wl_words_flush(&batch, error);
}

static bool mark_at(const wl_normalizer *mark, const char *text, size_t at, size_t size)
{
    return size - at >= mark->content_size && memcmp(text + at, mark->content, mark->content_size) == 0;
}

/* The end of the word that begins at `at`, marks and spaces first, and whether it holds a raw mark: byte by byte, for
 * what the blocks below cannot decide. */
static size_t word_end(const wl_normalizer *mark, const char *text, size_t at, size_t size, bool *raw_mark)
{
    size_t begin = at;
    for (;;) {
        while (at < size && text[at] == ' ') at++;
        if (at == size || !mark_at(mark, text, at, size)) break;
        at += mark->content_size;
        *raw_mark = true;
    }
    if (at == begin) at++;
    for (; at < size; at++)
        if (text[at] == ' ' || (text[at] == mark->content[0] && mark_at(mark, text, at, size))) break;
    return at;
}

wl_status wl_scan_mark(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, merge, text, size);
    size_t begin = 0;
    while (begin < size) {
        /* The mark that the normalizer prepends belongs to the first word. */
        bool raw_mark = false;
        size_t end = word_end(mark, text, begin, size, &raw_mark);
        if (begin == 0 || raw_mark) {
            if (wl_words_flush(&batch, error) ||
                encode_raw_word(tokenizer, text + begin, end - begin, begin == 0, raw_mark, scratch, error))
                return error->code;
        } else if (wl_words_add(&batch, begin, end, error))
            return error->code;
        begin = end;
        /* Words begin at a space behind another byte. In a block without marks all of them are known at once. */
        for (;;) {
            uint64_t spaces, leads;
            if (size - begin < 64) break;
            wl_block_find(text + begin, ' ', mark->content[0], &spaces, &leads);
            for (; leads; leads &= leads - 1)
                if (mark_at(mark, text, begin + wl_block_first(leads), size)) break;
            uint64_t starts = spaces & ~(spaces << 1) & ~UINT64_C(1);
            if (leads || !starts) break;
            if (wl_words_add_block(&batch, &begin, begin, starts, starts, error)) return error->code;
        }
    }
    return wl_words_flush(&batch, error);
}
