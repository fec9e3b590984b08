/* Tokenizers whose words lie between white space, straight from the raw text: sentencepiece's Unigram with Metaspace,
 * and what else begins by dropping white space: BERT's with added tokens that scan_bert.c cannot have.
 *
 * The text is cut at runs of blanks: the space, and tab, line feed and carriage return where the normalizers turn those
 * into spaces. What lies between two runs is normalized, cut and encoded alone, and kept in the word cache under its
 * raw bytes, so that a known word is not even normalized. That is exact where all of this holds:
 *
 * - The normalizers see to it that what stands on one side of the run does not bear on the other. A run is ASCII: it
 *   composes with nothing, is no combining mark, and ends a grapheme cluster, if the character before is not of the
 *   class Prepend and the one behind none that extends a cluster. Replaced strings are printable ASCII, so they do not
 *   reach over a run, nor does what stands for them change the above. Only Precompiled asks for clusters; where a step
 *   that may drop or decompose characters stands beside it, only printable ASCII may stand next to a run. (scanner.c)
 * - Strip takes white space at the ends of a text, and no word begins or ends with any.
 * - The pre-tokenizers drop the run. Or there is Metaspace alone: the run has become one space, so a mark, and it is as
 *   if the mark had been put in front of the word. But then the word, as normalized, must not be empty or end with a
 *   space, which would be part of the run, and must not begin with a mark, for in front of that none is put.
 * - No added token is found in the normalized word; none holds white space, so none reaches over a run.
 *
 * The first two are told by the characters next to a run: where they are in doubt, the text is not cut there. The last
 * two are looked at when a word is first met: a segment with a word that is not so takes the general way, whole (torn).
 * Cost: one pass, 64 bytes at a time where all is printable ASCII, and what the words cost that the cache does not
 * hold. */
#include <string.h>

#include "text/scan/blocks.h"
#include "text/scan/words.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

static inline bool is_blank(const wl_space_rules *rules, char byte)
{
    return byte == ' ' || (rules->controls && (byte == '\t' || byte == '\n' || byte == '\r'));
}

static inline bool is_printable(char byte)
{
    return byte > ' ' && byte <= '~';
}

/* Whether the normalized word depends on what stands around it. */
static wl_status look_around(const wl_tokenizer *tokenizer, char last, const wl_string *string,
                             wl_text_scratch *scratch, bool *torn, wl_error *error)
{
    const wl_matcher *matcher = &tokenizer->added.normalized;
    const char *text = string->text.data;
    size_t size = string->text.size, at = 0;
    const wl_pretokenizer *step = &tokenizer->pretokenizers[0];
    *torn = false;
    if (!tokenizer->spaces.dropped) {
        /* The end of the text may have blanks. */
        bool open = size && text[size - 1] == ' ' && !is_blank(&tokenizer->spaces, last);
        bool marked = size >= step->mark_size && memcmp(text, step->mark, step->mark_size) == 0;
        *torn = size == 0 || open || marked;
    }
    if (*torn || !matcher->patterns.count) return WL_OK;
    const wl_match_pattern *match;
    wl_matcher_begin(&scratch->normalized_segments.matcher);
    wl_status status = wl_matcher_next(matcher, text, size, &scratch->normalized_segments.matcher, &at, &match, error);
    *torn = match;
    return status;
}

/* Whether it is plain to see that a word holds neither white space nor the mark U+2581. White space begins with the
 * bytes 09 to 20, C2, E1 and E2, or is U+3000, E3 80 80; U+2581 begins with E2. */
static bool is_one_piece(const char *text, size_t size)
{
    static const uint8_t odd[256] = {
        [0] = 1,  [1] = 1,  [2] = 1,  [3] = 1,  [4] = 1,  [5] = 1,  [6] = 1,    [7] = 1,    [8] = 1,
        [9] = 1,  [10] = 1, [11] = 1, [12] = 1, [13] = 1, [14] = 1, [15] = 1,   [16] = 1,   [17] = 1,
        [18] = 1, [19] = 1, [20] = 1, [21] = 1, [22] = 1, [23] = 1, [24] = 1,   [25] = 1,   [26] = 1,
        [27] = 1, [28] = 1, [29] = 1, [30] = 1, [31] = 1, [32] = 1, [0xC2] = 1, [0xE1] = 1, [0xE2] = 1,
    };
    for (size_t at = 0; at < size; at++) {
        unsigned char byte = (unsigned char)text[at];
        if (odd[byte] || (byte == 0xE3 && memcmp(text + at, "\xE3\x80\x80", 3) == 0)) return false;
    }
    return true;
}

static wl_status encode_word(const wl_tokenizer *tokenizer, const char *word, size_t size, bool part,
                             wl_text_scratch *scratch, wl_error *error)
{
    (void)part;
    wl_string *string = &scratch->word;
    wl_string_clear(string, false);
    if (wl_string_add(string, word, size, (wl_span){0, 0}, error) ||
        wl_normalize(tokenizer->normalizers, tokenizer->normalizer_count, string, &scratch->normalize, error) ||
        look_around(tokenizer, word[size - 1], string, scratch, &scratch->torn, error))
        return error->code;
    /* A failure, so that the cache does not keep it. */
    if (scratch->torn) return wl_fail(error, WL_ERROR_UNSUPPORTED, "a word cannot be encoded alone");
    if (!tokenizer->spaces.marks || !is_one_piece(string->text.data, string->text.size))
        return wl_tokenize_string(tokenizer, string, false, scratch, error);
    if (string->text.size == 0) return WL_OK;
    const wl_pretokenizer *step = &tokenizer->pretokenizers[tokenizer->pretokenizer_count - 1];
    wl_buffer *piece = &scratch->raw_word;
    piece->size = 0;
    if (wl_buffer_append(piece, step->mark, step->mark_size, error) ||
        wl_buffer_append(piece, string->text.data, string->text.size, error))
        return error->code;
    return wl_model_encode(tokenizer, piece->data, piece->size, false, scratch, error);
}

/* Whether a run of blanks may be cut out behind the character that ends at `end`, and in front of the one at `at`. */
static bool ends_word(const wl_space_rules *rules, const char *text, size_t end)
{
    if (end == 0 || is_printable(text[end - 1])) return true;
    if (!rules->beyond || !(text[end - 1] & 0x80)) return false;
    size_t last = end - 1, length;
    while ((text[last] & 0xC0) == 0x80) last--;
    uint32_t point = wl_utf8_decode(text + last, &length);
    return !(wl_unicode_class(point) & WL_UNICODE_SPACE) && wl_unicode_grapheme(point) != WL_GRAPHEME_PREPEND;
}

static bool begins_word(const wl_space_rules *rules, const char *text, size_t at)
{
    if (is_printable(text[at])) return true;
    if (!rules->beyond || !(text[at] & 0x80)) return false;
    size_t length;
    uint32_t point = wl_utf8_decode(text + at, &length);
    uint8_t property = wl_unicode_grapheme(point);
    return !(wl_unicode_class(point) & WL_UNICODE_SPACE) &&
           (property == WL_GRAPHEME_ANY || property == WL_GRAPHEME_LEADING || property == WL_GRAPHEME_SYLLABLE ||
            property == WL_GRAPHEME_SYLLABLE_CLOSED || property == WL_GRAPHEME_CONSONANT ||
            property == WL_GRAPHEME_PICTOGRAPH);
}

/* The end of the word at `at`, and where the next begins. */
static size_t word_end(const wl_space_rules *rules, const char *text, size_t size, size_t at, size_t *next)
{
    for (;;) {
        while (at < size && !is_blank(rules, text[at])) at++;
        size_t end = at;
        while (at < size && is_blank(rules, text[at])) at++;
        *next = at;
        if (at == size) return rules->dropped && ends_word(rules, text, end) ? end : size;
        if (ends_word(rules, text, end) && begins_word(rules, text, at)) return end;
    }
}

/* What the bytes of a block are: blanks, and printable ASCII. */
#ifdef WL_BLOCKS_SSE2
static inline void classify(const char *text, bool controls, uint64_t *blanks, uint64_t *printable)
{
    __m128i is_printable[4], is_blank[4];
    const __m128i wanted = _mm_set1_epi8(controls ? -1 : 0);
    for (int i = 0; i < 4; i++) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
        is_printable[i] = wl_block_range(bytes, '~', '~' - ' ');
        __m128i lines = _mm_or_si128(wl_block_range(bytes, '\n', 2), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r')));
        is_blank[i] = _mm_or_si128(_mm_and_si128(lines, wanted), _mm_cmpeq_epi8(bytes, _mm_set1_epi8(' ')));
    }
    *printable = wl_block_bits(is_printable);
    *blanks = wl_block_bits(is_blank);
}
#else
static inline void classify(const char *text, bool controls, uint64_t *blanks, uint64_t *printable)
{
    wl_space_rules rules = {.controls = controls};
    *blanks = *printable = 0;
    for (size_t i = 0; i < WL_BLOCK; i++) {
        *blanks |= (uint64_t)is_blank(&rules, text[i]) << i;
        *printable |= (uint64_t)is_printable(text[i]) << i;
    }
}
#endif

static wl_status scan(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                      wl_error *error)
{
    const wl_space_rules rules = tokenizer->spaces;
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, encode_word, text, size);
    for (size_t begin = 0; begin < size;) {
        /* A block begins where a word does. Its last word, whose end is not in sight, is seen again in the next. */
        while (size - begin >= WL_BLOCK) {
            uint64_t blanks, printable;
            classify(text + begin, rules.controls, &blanks, &printable);
            uint64_t others = ~(blanks | printable);
            uint64_t starts = printable & blanks << 1, ends = blanks & printable << 1;
            starts &= (others & (0 - others)) - 1; /* in front of the first that is neither */
            if (!starts || blanks & 1) break;
            /* The end of the last word is left for the next block, too. */
            ends &= UINT64_MAX >> __builtin_clzll(starts);
            if (wl_words_add_block(&batch, &begin, begin, starts, ends, error)) return error->code;
        }
        size_t next, end = word_end(&rules, text, size, begin, &next);
        if (end > begin && wl_words_add(&batch, begin, end, error)) return error->code;
        begin = next;
    }
    return wl_words_flush(&batch, error);
}

wl_status wl_scan_spaces(const wl_tokenizer *tokenizer, const char *text, size_t size, wl_text_scratch *scratch,
                         wl_error *error)
{
    size_t count = scratch->tokens.count;
    scratch->torn = false;
    wl_status status = scan(tokenizer, text, size, scratch, error);
    if (!status || !scratch->torn) return status;
    scratch->torn = false;
    scratch->tokens.count = count;
    error->code = WL_OK;
    wl_string_clear(&scratch->segment, false);
    if (wl_string_add(&scratch->segment, text, size, (wl_span){0, 0}, error)) return error->code;
    return wl_tokenize_segment(tokenizer, &scratch->segment, false, scratch, error);
}
