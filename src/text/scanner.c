/* Which scanner a tokenizer may use. A scanner is chosen only where its conditions are proved for this very
 * vocabulary; anything else takes the general way, which is always right. */
#include <string.h>

#include "text/tokenizer.h"
#include "text/unicode.h"

enum { OTHER, SPACE, PUNCTUATION = 2, MARK_LEAD = 2 };

/* No piece holds a mark behind a byte that does not end a mark. */
static bool marks_only_lead(const wl_vocabulary *vocabulary, const char *mark, size_t size)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        size_t at = 0;
        while (piece.size - at >= size && memcmp(piece.data + at, mark, size) == 0) at += size;
        for (; at + size <= piece.size; at++)
            if (memcmp(piece.data + at, mark, size) == 0) return false;
    }
    return true;
}

static bool is_mark_scan(const wl_tokenizer *tokenizer)
{
    const wl_normalizer *steps = tokenizer->normalizers;
    if (tokenizer->kind != WL_MODEL_BPE || tokenizer->pretokenizer_count || tokenizer->normalizer_count != 2)
        return false;
    if (steps[0].kind != WL_NORMALIZE_PREPEND || steps[1].kind != WL_NORMALIZE_REPLACE) return false;
    /* A mark of one byte or with a space in it would be no mark to the scanner. */
    size_t size = steps[0].content_size;
    return size > 1 && steps[1].pattern_size == 1 && steps[1].pattern[0] == ' ' && steps[1].content_size == size &&
           memcmp(steps[0].content, steps[1].content, size) == 0 && !memchr(steps[0].content, ' ', size) &&
           wl_vocabulary_find(&tokenizer->vocabulary, steps[0].content, size) != WL_NO_ID &&
           marks_only_lead(&tokenizer->vocabulary, steps[0].content, size);
}

static bool is_bert_scan(const wl_tokenizer *tokenizer)
{
    return tokenizer->kind == WL_MODEL_WORDPIECE && tokenizer->normalizer_count == 1 &&
           tokenizer->normalizers[0].kind == WL_NORMALIZE_BERT && tokenizer->pretokenizer_count == 1 &&
           tokenizer->pretokenizers[0].kind == WL_PRETOKENIZE_BERT && tokenizer->wordpiece.max_characters > 0 &&
           tokenizer->wordpiece.unknown != WL_NO_ID;
}

wl_status wl_scanner_choose(wl_tokenizer *tokenizer, wl_error *error)
{
    memset(tokenizer->scan_class, OTHER, sizeof tokenizer->scan_class);
    /* An added token that is matched in normalized text may reach over any cut. */
    if (tokenizer->added.normalized.patterns.count) return WL_OK;
    if (is_mark_scan(tokenizer)) {
        tokenizer->scanner = WL_SCAN_MARK;
        tokenizer->scan_class[' '] = SPACE;
        tokenizer->scan_class[(unsigned char)tokenizer->normalizers[0].content[0]] = MARK_LEAD;
    } else if (is_bert_scan(tokenizer)) {
        tokenizer->scanner = WL_SCAN_BERT;
        bool clean = tokenizer->normalizers[0].clean_text;
        wl_tokens tokens = {0};
        wl_status status = WL_OK;
        for (unsigned byte = 0; byte < 128 && !status; byte++) {
            uint8_t class = wl_unicode_class(byte);
            if (clean && class & WL_UNICODE_BERT_REMOVED) continue;
            if (class & WL_UNICODE_SPACE) tokenizer->scan_class[byte] = SPACE;
            if (!(class & WL_UNICODE_BERT_PUNCTUATION)) continue;
            tokenizer->scan_class[byte] = PUNCTUATION;
            char mark = (char)byte;
            tokens.count = 0;
            status = wl_wordpiece_encode(&tokenizer->wordpiece, &mark, 1, &tokens, error);
            if (!status) tokenizer->single_ids[byte] = tokens.ids[0];
        }
        wl_tokens_free(&tokens);
        return status;
    }
    return WL_OK;
}
