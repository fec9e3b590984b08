/* BERT's tokenizer straight from the raw text.
 *
 * BertNormalizer looks at more than one character only in NFD, which reorders a run of combining marks; any character
 * of combining class 0 ends such a run. So the raw text may be cut on both sides of a character
 *
 * - that stays as it is or becomes a space, has the combining class 0, and is white space or punctuation, which ends a
 *   word in BertPreTokenizer: NFD only decomposes, so marks behind it do not change it, and the order of these marks
 *   does not depend on what they follow; they begin the next word. A punctuation mark is a word of its own.
 * - that is Chinese where handle_chinese_chars is set: the normalizer puts spaces around it, which do the above.
 *
 * What lies between depends on nothing else: it is kept in a cache keyed by its raw bytes, whatever it normalizes to.
 * ASCII goes 64 bytes at a time.
 * Cost: one pass; what is not cached goes the general way. */
#include "text/scan/blocks.h"
#include "text/scan/words.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

enum { OTHER, SPACE, PUNCTUATION }; /* scan_class */

static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool part,
                             wl_text_scratch *scratch, wl_error *error)
{
    (void)part;
    wl_string_clear(&scratch->word, false);
    if (wl_string_add(&scratch->word, word, size, (wl_span){0, 0}, error)) return error->code;
    return wl_tokenize_segment(tokenizer, &scratch->word, false, scratch, error);
}

/* What a character that is not ASCII is; *length is set to its bytes. */
static inline uint8_t class_beyond(const wl_normalizer *step, const char *text, size_t *length)
{
    unsigned char first = (unsigned char)*text;
    /* U+5000 to U+9FFF, without a look at the tables. */
    if (first - 0xE5u < 5 && step->chinese_chars) return *length = 3, PUNCTUATION;
    uint8_t class = wl_unicode_class(wl_utf8_decode(text, length));
    if (step->clean_text && class & WL_UNICODE_BERT_REMOVED) return OTHER;
    if (step->chinese_chars && class & WL_UNICODE_BERT_CHINESE) return PUNCTUATION;
    if (class & WL_UNICODE_CHANGES) return OTHER;
    return class & WL_UNICODE_SPACE ? SPACE : class & WL_UNICODE_BERT_PUNCTUATION ? PUNCTUATION : OTHER;
}

/* Where words begin and end in a block of which the bytes are ASCII and known: a word that begins before the block ends
 * at bit 0 at the earliest. *others: bytes that are not so. */
#ifdef WL_BLOCKS_SSE2
static inline void classify(const char *text, uint64_t *spaces, uint64_t *words, uint64_t *others)
{
    __m128i is_space[4], is_word[4], is_other[4];
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        __m128i lines = _mm_or_si128(wl_block_range(bytes, '\n', 2), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
        is_space[i] = _mm_or_si128(lines, _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
        is_word[i] = _mm_or_si128(wl_block_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'z', 26),
                                  wl_block_range(bytes, '9', 10));
        is_other[i] =
            _mm_andnot_si128(_mm_or_si128(is_space[i], wl_block_range(bytes, '~', '~' - ' ')), _mm_set1_epi8(-1));
    }
    *spaces = wl_block_bits(is_space);
    *words = wl_block_bits(is_word);
    *others = wl_block_bits(is_other);
}
#else
static inline void classify(const char *text, uint64_t *spaces, uint64_t *words, uint64_t *others)
{
    *spaces = *words = *others = 0;
    for (size_t i = 0; i < WL_BLOCK; i++) {
        unsigned char byte = (unsigned char)text[i];
        bool space = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
        *spaces |= (uint64_t)space << i;
        *words |= (uint64_t)((byte | 0x20u) - 'a' < 26u || byte - (unsigned)'0' < 10u) << i;
        *others |= (uint64_t)(!space && (byte < ' ' || byte > '~')) << i;
    }
}
#endif

/* The words of as many blocks as are plain ASCII. *at is where a word may begin, before and after. */
static wl_status scan_blocks(wl_word_batch *batch, size_t *at, wl_error *error)
{
    while (batch->size - *at >= WL_BLOCK) {
        size_t block = *at;
        uint64_t spaces, words, others;
        classify(batch->text + block, &spaces, &words, &others);
        uint64_t known = (others & (0 - others)) - 1; /* the bits in front of the first other */
        /* The last word may go on behind what is known: it is left for the next block. */
        uint64_t marks = ~spaces & ~words;
        uint64_t starts = (words & ~(words << 1)) | marks, ends = (words << 1 & ~words) | marks << 1;
        ends &= known & ~UINT64_C(1);
        uint64_t cut = marks | spaces;
        cut &= known;
        if (!cut) break;
        size_t done = 64 - (size_t)__builtin_clzll(cut); /* behind the last space or mark */
        uint64_t keep = done < 64 ? (UINT64_C(1) << done) - 1 : UINT64_MAX;
        starts &= keep;
        *at = block + done;
        if (!starts) continue;
        /* The last word ends where nothing begins behind it. */
        size_t begin = block + wl_block_first(starts);
        size_t last = marks >> (done - 1) & 1 ? done : 63 - (size_t)__builtin_clzll(ends);
        starts &= starts - 1;
        if (last < 64) ends &= ~(UINT64_C(1) << last);
        if (wl_words_add_block(batch, &begin, block, starts, ends, error) ||
            wl_words_add(batch, begin, block + last, error))
            return error->code;
    }
    return WL_OK;
}

wl_status wl_scan_bert(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                       wl_error *error)
{
    const uint8_t *class = tokenizer->scan_class;
    const wl_normalizer *step = &tokenizer->normalizers[0];
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, encode_word, text, size);
    size_t begin = 0; /* of the word at hand */
    for (size_t at = 0; at < size;) {
        if (begin == at && !(text[at] & 0x80)) {
            if (scan_blocks(&batch, &at, error)) return error->code;
            begin = at;
            if (at == size) break;
        }
        /* One word or space, character by character. */
        for (size_t length; at < size; at += length) {
            length = 1;
            uint8_t is = text[at] & 0x80 ? class_beyond(step, text + at, &length) : class[(unsigned char)text[at]];
            if (is == OTHER) continue;
            if (begin < at && wl_words_add(&batch, begin, at, error)) return error->code;
            if (is == PUNCTUATION && wl_words_add(&batch, at, at + length, error)) return error->code;
            begin = at += length;
            break;
        }
    }
    if (begin < size && wl_words_add(&batch, begin, size, error)) return error->code;
    return wl_words_flush(&batch, error);
}
