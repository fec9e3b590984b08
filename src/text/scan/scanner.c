/* Which scanner a tokenizer may use. A scanner is chosen only where its conditions are proved for this very
 * vocabulary; anything else takes the general way, which is always right. */
#include <string.h>

#include "text/tokenizer.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

enum { OTHER, SPACE, PUNCTUATION = 2, MARK_LEAD = 2 };

static inline bool mark_at(wl_text piece, size_t at, const char *mark, size_t size)
{
    return at + size <= piece.size && piece.data[at] == mark[0] && memcmp(piece.data + at, mark, size) == 0;
}

/* No piece holds a mark behind a byte that does not end a mark. */
static bool marks_only_lead(const wl_vocabulary *vocabulary, const char *mark, size_t size)
{
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        size_t at = 0;
        while (mark_at(piece, at, mark, size)) at += size;
        for (; at < piece.size; at++)
            if (mark_at(piece, at, mark, size)) return false;
    }
    return true;
}

/* Fills joined; says whether merging can be relied on not to cross a pair that no piece holds. That takes two more
 * things to be true: every character unknown to the vocabulary becomes bytes, for a run of unknowns would fuse over a
 * cut, and the tokens of bytes take part in no merge, for their names are not what they stand for. */
static bool find_joined(wl_tokenizer *tokenizer, const char *mark, size_t size)
{
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    const wl_bpe *bpe = &tokenizer->bpe;
    memset(tokenizer->joined, 0, sizeof tokenizer->joined);
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        int before = -1;
        for (size_t at = 0; at < piece.size;) {
            bool is_mark = mark_at(piece, at, mark, size);
            unsigned char byte = is_mark ? ' ' : (unsigned char)piece.data[at];
            if (before >= 0) tokenizer->joined[before][byte / 8] |= (uint8_t)(1u << byte % 8);
            before = byte;
            at += is_mark ? size : 1;
        }
    }
    /* Never inside a character. */
    for (unsigned x = 0; x < 256; x++) memset(&tokenizer->joined[x][0x80 / 8], 0xFF, 0x40 / 8);
    if (!bpe->byte_fallback) return false;
    uint32_t lowest = WL_NO_ID, highest = 0; /* the tokens of bytes stand together in real files */
    for (unsigned byte = 0; byte < 256; byte++) {
        if (bpe->bytes[byte] == WL_NO_ID) return false;
        if (bpe->bytes[byte] < lowest) lowest = bpe->bytes[byte];
        if (bpe->bytes[byte] > highest) highest = bpe->bytes[byte];
    }
    for (size_t i = 0; i < bpe->merge_slots; i++) {
        const wl_merge *merge = &bpe->merges[i];
        if (!merge->key) continue;
        uint32_t ids[] = {(uint32_t)~merge->key, (uint32_t)(~merge->key >> 32), merge->id};
        for (size_t j = 0; j < 3; j++)
            if (ids[j] >= lowest && ids[j] <= highest) return false;
    }
    return true;
}

/* Merges go by ids, the proofs here by pieces: no two pieces may share an id. */
static bool ids_differ(const wl_vocabulary *vocabulary)
{
    size_t ids = 0;
    for (size_t id = 0; id < vocabulary->id_count; id++) ids += vocabulary->by_id[id] != 0;
    return ids == vocabulary->count;
}

static bool is_mark_scan(const wl_tokenizer *tokenizer)
{
    const wl_normalizer *steps = tokenizer->normalizers;
    if (tokenizer->kind != WL_MODEL_BPE || tokenizer->pretokenizer_count || tokenizer->normalizer_count != 2)
        return false;
    if (steps[0].kind != WL_NORMALIZE_PREPEND || steps[1].kind != WL_NORMALIZE_REPLACE) return false;
    /* A mark of one byte or with a space in it would be no mark to the scanner. */
    size_t size = steps[0].content_size;
    bool one =
        wl_utf8_length((unsigned char)steps[0].content[0]) == size; /* one character, so no piece holds half of it */
    return size > 1 && one && ids_differ(&tokenizer->vocabulary) && steps[1].pattern.size == 1 &&
           steps[1].pattern.text[0] == ' ' && steps[1].content_size == size &&
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
        tokenizer->cuts =
            find_joined(tokenizer, tokenizer->normalizers[0].content, tokenizer->normalizers[0].content_size);
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
