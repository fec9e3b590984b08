/* Which scanner a tokenizer may use. A scanner is chosen only where its conditions are proved for this very
 * vocabulary; anything else takes the general way, which is always right. */
#include <stdlib.h>
#include <string.h>

#include "text/packed.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

enum { OTHER, SPACE, PUNCTUATION };

static inline bool mark_at(wl_text piece, size_t at, const char *mark, size_t size)
{
    return at + size <= piece.size && piece.data[at] == mark[0] && memcmp(piece.data + at, mark, size) == 0;
}

/* A fact that a packed file may know already. */
static bool ask(uint32_t *fact, bool (*is_so)(const wl_tokenizer *), const wl_tokenizer *tokenizer)
{
    if (!*fact) *fact = is_so(tokenizer) ? 2 : 1;
    return *fact == 2;
}

/* No piece holds a mark behind a byte that does not end a mark. */
static bool marks_only_lead(const wl_tokenizer *tokenizer)
{
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    const char *mark = tokenizer->normalizers[0].content;
    size_t size = tokenizer->normalizers[0].content_size;
    for (size_t i = 0; i < vocabulary->count; i++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        size_t at = 0;
        while (mark_at(piece, at, mark, size)) at += size;
        for (; at < piece.size; at++)
            if (mark_at(piece, at, mark, size)) return false;
    }
    return true;
}

/* Every byte has a token to fall back to. */
static bool knows_bytes(const wl_bpe *bpe)
{
    bool known = bpe->byte_fallback;
    for (unsigned byte = 0; byte < 256; byte++) known &= bpe->bytes[byte] != WL_NO_ID;
    return known;
}

/* Nothing is dropped, which would bring together what a piece never holds side by side. */
static bool keeps_characters(const wl_bpe *bpe)
{
    return bpe->has_unknown || knows_bytes(bpe);
}

/* Cuts need two more things to be true than that merges give pieces: every character unknown to the vocabulary becomes
 * bytes, for a run of unknowns would fuse over a cut, and the tokens of bytes take part in no merge, for their names
 * are not what they stand for. */
static bool may_cut(const wl_tokenizer *tokenizer)
{
    const wl_bpe *bpe = &tokenizer->bpe;
    if (!knows_bytes(bpe)) return false;
    uint32_t lowest = WL_NO_ID, highest = 0; /* the tokens of bytes stand together in real files */
    for (unsigned byte = 0; byte < 256; byte++) {
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

/* What a piece stands for in a word: marks as spaces. */
static size_t spell_marks(const wl_tokenizer *tokenizer, wl_text piece, char *word)
{
    const wl_normalizer *mark = &tokenizer->normalizers[0];
    size_t length = 0;
    for (size_t at = 0; at < piece.size;) {
        bool is_mark = mark_at(piece, at, mark->content, mark->content_size);
        word[length++] = is_mark ? ' ' : piece.data[at];
        at += is_mark ? mark->content_size : 1;
    }
    return length;
}

/* The same for the characters of the byte alphabet: a piece with any other is not the result of merging bytes. */
static size_t spell_bytes(const wl_tokenizer *tokenizer, wl_text piece, char *word)
{
    (void)tokenizer;
    size_t length = 0, character;
    for (size_t at = 0; at < piece.size; at += character) {
        int byte = wl_point_byte(wl_utf8_decode(piece.data + at, &character));
        if (byte < 0) return 0;
        word[length++] = (char)byte;
    }
    return length;
}

/* A piece stands for itself. */
static size_t spell_plain(const wl_tokenizer *tokenizer, wl_text piece, char *word)
{
    (void)tokenizer;
    memcpy(word, piece.data, piece.size);
    return piece.size;
}

static wl_status find_cuts(wl_tokenizer *tokenizer, size_t (*spell)(const wl_tokenizer *, wl_text, char *),
                           wl_error *error)
{
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    if (tokenizer->packed && wl_packed_cuts(tokenizer->packed, &tokenizer->cuts, error)) return error->code;
    tokenizer->cuts_lent = tokenizer->cuts != NULL;
    if (tokenizer->cuts) return WL_OK;
    wl_cuts *cuts = tokenizer->cuts = wl_allocate(1, sizeof *cuts, error);
    char *word = wl_allocate(vocabulary->longest, 1, error);
    for (size_t i = 0; i < vocabulary->count && word && cuts; i++)
        wl_cuts_note(cuts, word, spell(tokenizer, wl_vocabulary_at(vocabulary, i), word));
    if (cuts) wl_cuts_finish(cuts);
    free(word);
    return word && cuts ? WL_OK : error->code;
}

/* Merges go by ids, the proofs here by pieces: no two pieces may share an id. */
static bool ids_differ(const wl_tokenizer *tokenizer)
{
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    size_t ids = 0;
    for (size_t id = 0; id < vocabulary->id_count; id++) ids += vocabulary->by_id[id] != 0;
    return ids == vocabulary->count;
}

/* The tokens of a text are those of its words, wherever it may be cut: they come from merges of characters alone. A
 * look at the whole text (ignore_merges) or at its ends (prefix, suffix) would see the cut. */
static bool only_merges(const wl_tokenizer *tokenizer)
{
    const wl_bpe *bpe = &tokenizer->bpe;
    return tokenizer->kind == WL_MODEL_BPE && !bpe->byte_level && !bpe->ignore_merges && !bpe->prefix.size &&
           !bpe->suffix.size;
}

static bool is_mark_scan(wl_tokenizer *tokenizer)
{
    const wl_normalizer *steps = tokenizer->normalizers;
    if (!only_merges(tokenizer) || tokenizer->pretokenizer_count || tokenizer->normalizer_count != 2) return false;
    if (steps[0].kind != WL_NORMALIZE_PREPEND || steps[1].kind != WL_NORMALIZE_REPLACE) return false;
    /* A mark of one byte or with a space in it would be no mark to the scanner. */
    size_t size = steps[0].content_size;
    bool one =
        wl_utf8_length((unsigned char)steps[0].content[0]) == size; /* one character, so no piece holds half of it */
    return size > 1 && one && ask(&tokenizer->facts.ids_differ, ids_differ, tokenizer) &&
           keeps_characters(&tokenizer->bpe) && steps[1].pattern.kind == WL_PATTERN_STRING &&
           steps[1].pattern.size == 1 && steps[1].pattern.text[0] == ' ' && steps[1].content_size == size &&
           memcmp(steps[0].content, steps[1].content, size) == 0 && !memchr(steps[0].content, ' ', size) &&
           wl_vocabulary_find(&tokenizer->vocabulary, steps[0].content, size) != WL_NO_ID &&
           ask(&tokenizer->facts.marks_lead, marks_only_lead, tokenizer);
}

static bool is_bert_scan(const wl_tokenizer *tokenizer)
{
    return tokenizer->kind == WL_MODEL_WORDPIECE && tokenizer->normalizer_count == 1 &&
           tokenizer->normalizers[0].kind == WL_NORMALIZE_BERT && tokenizer->pretokenizer_count == 1 &&
           tokenizer->pretokenizers[0].kind == WL_PRETOKENIZE_BERT && tokenizer->wordpiece.max_characters > 0 &&
           tokenizer->wordpiece.unknown != WL_NO_ID;
}

/* ---- WL_SCAN_SPACES: see scan_spaces.c ---- */

static bool is_printable(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] > '~') return false;
    return size > 0;
}

/* Runs of spaces become one. */
static bool is_collapse(const wl_normalizer *step)
{
    return step->kind == WL_NORMALIZE_REPLACE && step->pattern.kind != WL_PATTERN_STRING &&
           strcmp(step->pattern.text, " {2,}") == 0 && step->content_size == 1 && step->content[0] == ' ';
}

/* The step keeps printable ASCII at a word's ends printable ASCII, whatever stands beyond the space. */
static bool step_keeps_words(const wl_normalizer *step)
{
    switch (step->kind) {
    case WL_NORMALIZE_PRECOMPILED:
        for (unsigned byte = ' '; byte <= '~'; byte++)
            if (!step->charsmap.plain[byte]) return false;
        return true;
    case WL_NORMALIZE_REPLACE:
        return is_collapse(step) ||
               (step->pattern.kind == WL_PATTERN_STRING && is_printable(step->pattern.text, step->pattern.size) &&
                is_printable(step->content, step->content_size));
    case WL_NORMALIZE_STRIP:
    case WL_NORMALIZE_BERT:
    case WL_NORMALIZE_NFC:
    case WL_NORMALIZE_NFD:
    case WL_NORMALIZE_NFKC:
    case WL_NORMALIZE_NFKD:
    case WL_NORMALIZE_LOWERCASE:
    case WL_NORMALIZE_STRIP_ACCENTS:
    case WL_NORMALIZE_NMT:
        return true;
    default:
        return false;
    }
}

/* No added token that is matched in normalized text holds white space, so none reaches over a run of it. */
static bool tokens_without_spaces(const wl_matcher *matcher)
{
    size_t length;
    for (size_t at = 0; at < matcher->patterns.bytes.size; at += length)
        if (wl_unicode_class(wl_utf8_decode(matcher->patterns.bytes.data + at, &length)) & WL_UNICODE_SPACE)
            return false;
    return true;
}

/* Whether white space between two letters becomes spaces. */
static wl_status becomes_spaces(const wl_tokenizer *tokenizer, const char *space, bool *becomes, wl_error *error)
{
    wl_string string = {0};
    wl_normalize_scratch scratch = {0};
    wl_span none = {0, 0};
    *becomes = false;
    if (!wl_string_add(&string, "a", 1, none, error) && !wl_string_add(&string, space, strlen(space), none, error) &&
        !wl_string_add(&string, "b", 1, none, error) &&
        !wl_normalize(tokenizer->normalizers, tokenizer->normalizer_count, &string, &scratch, error)) {
        const char *text = string.text.data;
        size_t at = 1;
        while (at < string.text.size && text[at] == ' ') at++;
        *becomes = at > 1 && at + 1 == string.text.size && text[0] == 'a' && text[at] == 'b';
    }
    wl_string_free(&string);
    wl_normalize_scratch_free(&scratch);
    return error->code;
}

static wl_status read_space_rules(wl_tokenizer *tokenizer, bool *found, wl_error *error)
{
    const wl_pretokenizer *steps = tokenizer->pretokenizers;
    const wl_normalizer *normalizers = tokenizer->normalizers;
    size_t count = tokenizer->normalizer_count, precompiled = 0;
    wl_space_rules rules = {.controls = true, .beyond = true};
    *found = false;
    if (!tokenizer->pretokenizer_count || tokenizer->aligned || tokenizer->cuts) return WL_OK;
    if (!tokens_without_spaces(&tokenizer->added.normalized)) return WL_OK;
    for (size_t i = 0; i < count; i++) {
        wl_normalizer_kind kind = normalizers[i].kind;
        if (!step_keeps_words(&normalizers[i])) return WL_OK;
        precompiled += kind == WL_NORMALIZE_PRECOMPILED;
        rules.beyond &= kind == WL_NORMALIZE_PRECOMPILED || kind == WL_NORMALIZE_REPLACE || kind == WL_NORMALIZE_STRIP;
    }
    rules.beyond &= precompiled <= 1;
    rules.dropped = steps[0].kind == WL_PRETOKENIZE_SPACES || steps[0].kind == WL_PRETOKENIZE_WHITESPACE ||
                    steps[0].kind == WL_PRETOKENIZE_BERT;
    size_t last = tokenizer->pretokenizer_count - 1;
    bool marks = steps[last].kind == WL_PRETOKENIZE_METASPACE && steps[last].scheme == WL_PREPEND_ALWAYS;
    bool marked = last == 0 && marks && steps[0].split;
    rules.marks = marks && (last == 0 || (last == 1 && steps[0].kind == WL_PRETOKENIZE_SPACES)) &&
                  steps[last].mark_size == 3 && memcmp(steps[last].mark, "\xE2\x96\x81", 3) == 0;
    if (!rules.dropped && !(marked && count && is_collapse(&normalizers[count - 1]))) return WL_OK;
    static const char *const controls[] = {"\t", "\n", "\r", "\r\n"};
    error->code = WL_OK;
    for (size_t i = 0; i < sizeof controls / sizeof *controls; i++) {
        bool becomes;
        if (becomes_spaces(tokenizer, controls[i], &becomes, error)) return error->code;
        rules.controls &= becomes;
    }
    if (becomes_spaces(tokenizer, " ", found, error)) return error->code;
    tokenizer->spaces = rules;
    return WL_OK;
}

/* ---- */

/* Byte-level BPE with one expression that covers all text, perhaps a space in front of it. */
static bool is_bytes_scan(wl_tokenizer *tokenizer)
{
    const wl_pretokenizer *steps = tokenizer->pretokenizers;
    size_t count = tokenizer->pretokenizer_count;
    if (tokenizer->kind != WL_MODEL_BPE || !tokenizer->bpe.byte_level || count == 0) return false;
    tokenizer->prefix_space = steps[0].kind == WL_PRETOKENIZE_PREFIX_SPACE;
    const wl_pretokenizer *split = &steps[tokenizer->prefix_space];
    if (count != (size_t)tokenizer->prefix_space + 1 || split->kind != WL_PRETOKENIZE_SPLIT) return false;
    tokenizer->words = split->pattern.words;
    return tokenizer->words && tokenizer->words->covers && !split->invert && split->behavior == WL_SPLIT_ISOLATED;
}

/* The model reads raw bytes where the last pre-tokenizer would only spell them in the byte alphabet. */
static wl_status take_bytes(wl_tokenizer *tokenizer, wl_error *error)
{
    wl_bpe *bpe = &tokenizer->bpe;
    size_t count = tokenizer->pretokenizer_count;
    if (tokenizer->kind != WL_MODEL_BPE) return WL_OK;
    if (count && tokenizer->pretokenizers[count - 1].kind == WL_PRETOKENIZE_BYTES && wl_bpe_take_bytes(bpe))
        wl_pretokenizer_free(&tokenizer->pretokenizers[--tokenizer->pretokenizer_count]);
    if (wl_bpe_finish(bpe, error)) return error->code;
    if (!bpe->byte_level || !ask(&tokenizer->facts.ids_differ, ids_differ, tokenizer)) return WL_OK;
    return find_cuts(tokenizer, spell_bytes, error);
}

/* The general way with sentencepiece's BPE, where no pre-tokenizer cuts the text at spaces (Gemma, newer forms of
 * Llama-2): what scan_mark.c says of cuts holds there, too. */
static wl_status find_marks(wl_tokenizer *tokenizer, wl_error *error)
{
    if (!only_merges(tokenizer) || !ask(&tokenizer->facts.ids_differ, ids_differ, tokenizer) ||
        !ask(&tokenizer->facts.may_cut, may_cut, tokenizer))
        return WL_OK;
    tokenizer->mark = (wl_text){"\xE2\x96\x81", 3};
    return find_cuts(tokenizer, spell_plain, error);
}

wl_status wl_scanner_choose(wl_tokenizer *tokenizer, wl_error *error)
{
    for (size_t i = 0; i < tokenizer->pretokenizer_count; i++)
        tokenizer->aligned |= tokenizer->pretokenizers[i].kind == WL_PRETOKENIZE_METASPACE &&
                              tokenizer->pretokenizers[i].scheme == WL_PREPEND_FIRST &&
                              (i > 0 || tokenizer->normalizer_count);
    if (take_bytes(tokenizer, error)) return error->code;
    if (is_bytes_scan(tokenizer)) {
        tokenizer->scanner = WL_SCAN_BYTES;
        tokenizer->in_blocks = wl_start_rules_read(tokenizer->words, &tokenizer->start_rules);
        return WL_OK;
    }
    /* An added token that is matched in normalized text may reach over any cut. */
    bool apart = tokenizer->added.normalized.patterns.count == 0, spaced;
    if (apart && is_mark_scan(tokenizer)) {
        tokenizer->scanner = WL_SCAN_MARK;
        if (!ask(&tokenizer->facts.may_cut, may_cut, tokenizer)) return WL_OK;
        return find_cuts(tokenizer, spell_marks, error);
    }
    if (apart && is_bert_scan(tokenizer)) {
        tokenizer->scanner = WL_SCAN_BERT;
        bool clean = tokenizer->normalizers[0].clean_text;
        for (unsigned byte = 0; byte < 128; byte++) {
            uint8_t class = wl_unicode_class(byte);
            if (clean && class & WL_UNICODE_BERT_REMOVED) continue;
            if (class & WL_UNICODE_SPACE) tokenizer->scan_class[byte] = SPACE;
            if (class & WL_UNICODE_BERT_PUNCTUATION) tokenizer->scan_class[byte] = PUNCTUATION;
        }
        return WL_OK;
    }
    if (read_space_rules(tokenizer, &spaced, error)) return error->code;
    if (!spaced) return find_marks(tokenizer, error);
    tokenizer->scanner = WL_SCAN_SPACES;
    return WL_OK;
}
