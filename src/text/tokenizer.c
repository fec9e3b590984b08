#include "text/tokenizer.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "text/packed.h"
#include "text/scan/words.h"
#include "text/unicode/utf8.h"

/* ---- open and close ---- */

/* Keeps what an added token decodes to. Special is what stands among the special tokens' contents: the oracle compares
 * the decoded forms with those. */
static wl_status keep_shown(wl_tokenizer *tokenizer, size_t index, wl_text text, wl_error *error)
{
    const wl_added_token *same = text.size ? wl_added_find(&tokenizer->added, text) : NULL;
    tokenizer->shown[index] = (wl_shown_token){tokenizer->shown_bytes.size, text.size, same && same->special};
    return wl_buffer_append(&tokenizer->shown_bytes, text.data, text.size, error);
}

/* Gives the added tokens that are matched after normalization the form they then have. */
static wl_status prepare_added(wl_tokenizer *tokenizer, wl_error *error)
{
    wl_added_tokens *added = &tokenizer->added;
    wl_string string = {0};
    wl_normalize_scratch scratch = {0};
    wl_status status = WL_OK;
    tokenizer->shown = wl_allocate(added->count, sizeof *tokenizer->shown, error);
    if (!tokenizer->shown) return error->code;
    for (size_t i = 0; i < added->count && !status; i++) {
        const wl_added_token *token = &added->tokens[i];
        wl_string_clear(&string, false);
        status = wl_string_add(&string, token->content, token->size, (wl_span){0, 0}, error);
        if (!status && token->normalized)
            status = wl_normalize(tokenizer->normalizers, tokenizer->normalizer_count, &string, &scratch, error);
        /* What normalizes to nothing would match everywhere: the oracle then cuts inside of characters and panics. */
        if (!status && string.text.size)
            status = wl_added_pattern(added, i, (wl_text){string.text.data, string.text.size}, error);
        if (!status) status = keep_shown(tokenizer, i, (wl_text){string.text.data, string.text.size}, error);
    }
    wl_string_free(&string);
    wl_normalize_scratch_free(&scratch);
    return status ? status : wl_added_finish(added, error);
}

/* From a tokenizer.json; packed: where its large parts are, NULL where it has them itself. */
static wl_tokenizer *build(const char *json, size_t size, const char *name, wl_packed *packed, wl_error *error)
{
    wl_tokenizer *tokenizer = wl_allocate(1, sizeof *tokenizer, error);
    if (!tokenizer) return NULL;
    tokenizer->name = wl_copy_text(name, strlen(name), error);
    static atomic_uint_fast64_t opened;
    tokenizer->identity = atomic_fetch_add(&opened, 1) + 1;
    tokenizer->packed = packed;
    bool complete = tokenizer->name && (!packed || !wl_packed_facts(packed, &tokenizer->facts, error)) &&
                    !wl_tokenizer_read(tokenizer, json, size, error) && !prepare_added(tokenizer, error) &&
                    !wl_scanner_choose(tokenizer, error);
    tokenizer->packed = NULL;
    if (complete) return tokenizer;
    wl_tokenizer_close(tokenizer);
    return NULL;
}

wl_tokenizer *wl_tokenizer_parse(const char *json, size_t size, const char *name, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!json) {
        wl_fail(error, WL_ERROR_ARGUMENT, "no tokenizer given");
        return NULL;
    }
    if (!name) name = "tokenizer";
    /* The usual mistakes: vocab.txt, merges.txt, a file of sentencepiece or tiktoken. */
    size_t at = 0;
    while (at < size && strchr(" \t\r\n", json[at]) && json[at]) at++;
    if (at < size && json[at] != '{') {
        wl_fail_at(error, WL_ERROR_FORMAT, name, WL_NO_POSITION, 0,
                   "is not a tokenizer.json, which begins with '{' (a vocabulary alone does not say how text is cut)");
        return NULL;
    }
    return build(json, size, name, NULL, error);
}

wl_tokenizer *wl_tokenizer_open_packed(const wl_safetensors *file, wl_error *error)
{
    wl_packed packed = {.file = file};
    wl_text json;
    if (wl_packed_text(file, "tokenizer.json", &json, error)) return NULL;
    return build(json.data, json.size, file->path, &packed, error);
}

/* A packed file by its mapping, which the tokenizer takes over, also on failure. */
static wl_tokenizer *open_file(wl_mapping *mapping, const char *path, wl_error *error)
{
    wl_tokenizer *tokenizer = NULL;
    wl_safetensors *file = wl_allocate(1, sizeof *file, error);
    if (!file) {
        wl_mapping_close(mapping);
        return NULL;
    }
    file->mapping = *mapping;
    file->path = wl_copy_text(path, strlen(path), error);
    if (file->path && !wl_safetensors_parse(file, error)) {
        if (!wl_packed_is(file))
            wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0,
                       "is a safetensors file without a tokenizer, expected tokenizer.json or a packed file");
        else if (!wl_packed_check(file, error))
            tokenizer = wl_tokenizer_open_packed(file, error);
    }
    if (tokenizer) {
        tokenizer->file = file;
        return tokenizer;
    }
    wl_safetensors_close(file);
    free(file);
    return NULL;
}

wl_tokenizer *wl_tokenizer_open(const char *path, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_mapping mapping;
    if (!path) {
        wl_fail(error, WL_ERROR_ARGUMENT, "no path of a tokenizer given");
        return NULL;
    }
    if (wl_mapping_open(&mapping, path, error)) return NULL;
    /* The length of a header is below 2^32, so its last bytes are 0, which no JSON has. */
    if (mapping.size >= 8 && memcmp(mapping.data + 4, "\0\0\0", 4) == 0) return open_file(&mapping, path, error);
    wl_tokenizer *tokenizer = wl_tokenizer_parse(mapping.data, mapping.size, path, error);
    wl_mapping_close(&mapping);
    return tokenizer;
}

void wl_tokenizer_close(wl_tokenizer *tokenizer)
{
    if (!tokenizer) return;
    wl_bpe_free(&tokenizer->bpe);
    wl_wordpiece_free(&tokenizer->wordpiece);
    wl_unigram_free(&tokenizer->unigram);
    wl_vocabulary_free(&tokenizer->vocabulary);
    wl_added_free(&tokenizer->added);
    for (size_t i = 0; i < tokenizer->normalizer_count; i++) wl_normalizer_free(&tokenizer->normalizers[i]);
    for (size_t i = 0; i < tokenizer->pretokenizer_count; i++) wl_pretokenizer_free(&tokenizer->pretokenizers[i]);
    for (size_t i = 0; i < tokenizer->template_count; i++) free(tokenizer->template[i].ids);
    for (size_t i = 0; i < tokenizer->decoder_count; i++) wl_decoder_free(&tokenizer->decoders[i]);
    free(tokenizer->decoders);
    free(tokenizer->shown);
    wl_buffer_free(&tokenizer->shown_bytes);
    free(tokenizer->normalizers);
    free(tokenizer->pretokenizers);
    free(tokenizer->template);
    free(tokenizer->trims);
    if (!tokenizer->cuts_lent) free(tokenizer->cuts);
    free(tokenizer->name);
    if (tokenizer->file) wl_safetensors_close(tokenizer->file);
    free(tokenizer->file);
    free(tokenizer);
}

/* ---- what it holds ---- */

const char *wl_tokenizer_kind(const wl_tokenizer *tokenizer)
{
    static const char *const kinds[] = {"BPE", "WordPiece", "Unigram", "WordLevel"};
    return kinds[tokenizer->kind];
}

size_t wl_tokenizer_vocabulary(const wl_tokenizer *tokenizer, bool added_tokens)
{
    return tokenizer->vocabulary.count + (added_tokens ? tokenizer->added_only : 0);
}

wl_text wl_tokenizer_piece(const wl_tokenizer *tokenizer, uint32_t id)
{
    const wl_added_token *token = wl_added_by_id(&tokenizer->added, id);
    if (token) return (wl_text){token->content, token->size};
    return tokenizer->kind == WL_MODEL_UNIGRAM ? wl_unigram_piece(&tokenizer->unigram, id)
                                               : wl_vocabulary_piece(&tokenizer->vocabulary, id);
}

bool wl_tokenizer_id(const wl_tokenizer *tokenizer, wl_text piece, uint32_t *id)
{
    const wl_added_token *token = wl_added_find(&tokenizer->added, piece);
    *id = token ? token->id : wl_vocabulary_find(&tokenizer->vocabulary, piece.data, piece.size);
    return *id != WL_NO_ID;
}

size_t wl_tokenizer_ids(const wl_tokenizer *tokenizer)
{
    size_t ids = tokenizer->vocabulary.id_count;
    for (size_t i = 0; i < tokenizer->added.count; i++)
        if (tokenizer->added.tokens[i].id >= ids) ids = (size_t)tokenizer->added.tokens[i].id + 1;
    return ids;
}

uint32_t wl_tokenizer_unknown(const wl_tokenizer *tokenizer)
{
    switch (tokenizer->kind) {
    case WL_MODEL_BPE:
        return tokenizer->bpe.has_unknown ? tokenizer->bpe.unknown : WL_NO_ID;
    case WL_MODEL_WORDPIECE:
        return tokenizer->wordpiece.unknown;
    case WL_MODEL_UNIGRAM:
        return tokenizer->unigram.unknown;
    case WL_MODEL_WORDLEVEL:
        return tokenizer->wordlevel.unknown;
    }
    return WL_NO_ID;
}

wl_status wl_tokenizer_median(const wl_tokenizer *tokenizer, size_t *median, wl_error *error)
{
    const wl_vocabulary *vocabulary = &tokenizer->vocabulary;
    if (tokenizer->facts.median) return *median = tokenizer->facts.median - 1, WL_OK;
    /* The number of pieces of each length; none is longer than the longest in bytes. */
    size_t longest = vocabulary->longest, count = 0;
    for (size_t i = 0; i < tokenizer->added.count; i++)
        if (tokenizer->added.tokens[i].size > longest) longest = tokenizer->added.tokens[i].size;
    size_t *counts = wl_allocate(longest + 1, sizeof *counts, error);
    if (!counts) return error->code;
    for (size_t i = 0; i < vocabulary->count; i++, count++) {
        wl_text piece = wl_vocabulary_at(vocabulary, i);
        counts[wl_utf8_count(piece.data, piece.size)]++;
    }
    for (size_t i = 0; i < tokenizer->added.count; i++) {
        const wl_added_token *token = &tokenizer->added.tokens[i];
        if (wl_vocabulary_find(vocabulary, token->content, token->size) != WL_NO_ID) continue;
        counts[wl_utf8_count(token->content, token->size)]++;
        count++;
    }
    /* The mean of the two in the middle, rounded down. */
    size_t low = 0, high = 0, below = 0;
    for (size_t length = 0; length <= longest && count; length++) {
        if (below <= (count - 1) / 2) low = length;
        if (below <= count / 2) high = length;
        below += counts[length];
    }
    *median = (low + high) / 2;
    free(counts);
    return WL_OK;
}

/* ---- text to tokens ---- */

void wl_text_scratch_free(wl_text_scratch *scratch)
{
    wl_word_cache_free(&scratch->cache);
    wl_buffer_free(&scratch->repaired);
    wl_buffer_free(&scratch->raw_word);
    wl_string_free(&scratch->source);
    wl_string_free(&scratch->segment);
    wl_string_free(&scratch->rest);
    wl_string_free(&scratch->word);
    wl_segments_free(&scratch->segments);
    wl_segments_free(&scratch->normalized_segments);
    free(scratch->pieces.ranges);
    wl_normalize_scratch_free(&scratch->normalize);
    wl_pretokenize_scratch_free(&scratch->pretokenize);
    wl_bpe_scratch_free(&scratch->bpe);
    wl_unigram_scratch_free(&scratch->unigram);
    wl_tokens_free(&scratch->tokens);
    wl_decode_scratch_free(&scratch->decode);
    free(scratch->spaced);
    *scratch = (wl_text_scratch){0};
}

/* The range in the original text of bytes [begin, end) of a string, end > begin. */
static wl_span original(const wl_string *string, size_t begin, size_t end)
{
    return (wl_span){wl_string_span(string, begin).begin, wl_string_span(string, end - 1).end};
}

wl_status wl_model_encode(const wl_tokenizer *tokenizer, const char *text, size_t size, bool part,
                          wl_text_scratch *scratch, wl_error *error)
{
    wl_tokens *tokens = &scratch->tokens;
    switch (tokenizer->kind) {
    case WL_MODEL_BPE:
        return (part ? wl_bpe_merge : wl_bpe_encode)(&tokenizer->bpe, text, size, &scratch->bpe, tokens, error);
    case WL_MODEL_WORDPIECE:
        return wl_wordpiece_encode(&tokenizer->wordpiece, text, size, tokens, error);
    case WL_MODEL_UNIGRAM:
        return wl_unigram_encode(&tokenizer->unigram, text, size, &scratch->unigram, tokens, error);
    case WL_MODEL_WORDLEVEL:
        return wl_wordlevel_encode(&tokenizer->wordlevel, text, size, tokens, error);
    }
    return WL_OK;
}

static wl_status encode_piece(const wl_tokenizer *tokenizer, const wl_string *string, size_t begin, size_t end,
                              wl_text_scratch *scratch, wl_error *error)
{
    wl_tokens *tokens = &scratch->tokens;
    size_t first = tokens->count;
    if (wl_model_encode(tokenizer, string->text.data + begin, end - begin, false, scratch, error)) return error->code;
    for (size_t i = first; i < tokens->count && tokens->spanned; i++) {
        size_t from = begin + tokens->spans[i].begin, to = begin + tokens->spans[i].end;
        if (from < to) {
            tokens->spans[i] = original(string, from, to);
        } else { /* the bytes of a suffix have no place in the text: they stand behind it */
            uint32_t last = wl_string_span(string, end - 1).end;
            tokens->spans[i] = (wl_span){last, last};
        }
    }
    return WL_OK;
}

/* A piece in words: cut before each mark that follows something else, if no merge reaches over. */
static wl_status add_words(const wl_tokenizer *tokenizer, wl_word_batch *batch, size_t begin, size_t end,
                           wl_error *error)
{
    const wl_text mark = tokenizer->mark;
    const char *text = batch->text, *found;
    size_t behind = begin; /* the last mark */
    for (size_t at = begin; mark.size && (found = memchr(text + at, mark.data[0], end - at));) {
        at = (size_t)(found - text);
        if (end - at < mark.size || memcmp(found, mark.data, mark.size) != 0) {
            at++;
            continue;
        }
        if (at > behind && wl_cuts_allow(tokenizer->cuts, text + begin, end - begin, at - begin)) {
            if (wl_words_add(batch, begin, at, error)) return error->code;
            begin = at;
        }
        behind = at += mark.size;
    }
    return wl_words_add(batch, begin, end, error);
}

/* The pieces through the word cache. */
static wl_status look_up_pieces(const wl_tokenizer *tokenizer, const wl_string *string, wl_text_scratch *scratch,
                                wl_error *error)
{
    const wl_pieces *pieces = &scratch->pieces;
    wl_word_batch batch;
    wl_words_begin(&batch, tokenizer, scratch, wl_model_encode, string->text.data, string->text.size);
    for (size_t i = 0; i < pieces->count; i++)
        if (add_words(tokenizer, &batch, pieces->ranges[i].begin, pieces->ranges[i].end, error)) return error->code;
    return wl_words_flush(&batch, error);
}

wl_status wl_tokenize_string(const wl_tokenizer *tokenizer, wl_string *string, bool cached, wl_text_scratch *scratch,
                             wl_error *error)
{
    wl_pieces *pieces = &scratch->pieces;
    cached = cached && !scratch->tokens.spanned;
    if (cached && tokenizer->scanner == WL_SCAN_BYTES)
        return wl_scan_bytes(tokenizer, string->text.data, string->text.size, scratch, error);
    if (wl_pretokenize(tokenizer->pretokenizers, tokenizer->pretokenizer_count, string, pieces, &scratch->pretokenize,
                       error))
        return error->code;
    if (cached) return look_up_pieces(tokenizer, string, scratch, error);
    for (size_t i = 0; i < pieces->count; i++)
        if (encode_piece(tokenizer, string, pieces->ranges[i].begin, pieces->ranges[i].end, scratch, error))
            return error->code;
    return WL_OK;
}

static wl_status add_token(const wl_tokenizer *tokenizer, const wl_string *string, const wl_segment *segment,
                           wl_text_scratch *scratch, wl_error *error)
{
    wl_tokens *tokens = &scratch->tokens;
    wl_span span = {0, 0};
    if (string && tokens->spanned && tokenizer->trim_count) {
        wl_text text = {string->text.data + segment->begin, segment->end - segment->begin};
        void *spaced = scratch->spaced;
        wl_status status =
            wl_reserve(&spaced, &scratch->spaced_capacity, scratch->spaced_count + 1, sizeof *scratch->spaced, error);
        scratch->spaced = spaced;
        if (status) return status;
        scratch->spaced[scratch->spaced_count++] =
            (wl_spaced_token){tokens->count, wl_leading_spaces(text), wl_trailing_spaces(text)};
    }
    if (string && tokens->spanned && segment->end > segment->begin)
        span = original(string, segment->begin, segment->end);
    return wl_tokens_add(tokens, segment->token->id, span.begin, span.end, error);
}

wl_status wl_tokenize_segment(const wl_tokenizer *tokenizer, wl_string *segment, bool cached, wl_text_scratch *scratch,
                              wl_error *error)
{
    if (wl_normalize(tokenizer->normalizers, tokenizer->normalizer_count, segment, &scratch->normalize, error))
        return error->code;
    if (tokenizer->added.normalized.patterns.count == 0)
        return wl_tokenize_string(tokenizer, segment, cached, scratch, error);
    wl_segments *segments = &scratch->normalized_segments;
    if (wl_added_cut(&tokenizer->added, &tokenizer->added.normalized, segment->text.data, segment->text.size, segments,
                     error))
        return error->code;
    for (size_t i = 0; i < segments->count; i++) {
        const wl_segment *part = &segments->items[i];
        wl_status status;
        if (part->token) {
            status = add_token(tokenizer, segment, part, scratch, error);
        } else {
            wl_string_clear(&scratch->rest, segment->aligned);
            scratch->rest.inner = segment->inner || part->begin > 0;
            status = wl_string_add_slice(&scratch->rest, segment, part->begin, part->end, error);
            if (!status) status = wl_tokenize_string(tokenizer, &scratch->rest, cached, scratch, error);
        }
        if (status) return status;
    }
    return WL_OK;
}

/* A segment that the normalizers leave as it is, where it stands. */
static wl_status scan_in_place(const wl_tokenizer *tokenizer, const char *data, size_t size, wl_text_scratch *scratch,
                               wl_error *error)
{
    if (tokenizer->added.normalized.patterns.count == 0) return wl_scan_bytes(tokenizer, data, size, scratch, error);
    wl_segments *segments = &scratch->normalized_segments;
    if (wl_added_cut(&tokenizer->added, &tokenizer->added.normalized, data, size, segments, error)) return error->code;
    for (size_t i = 0; i < segments->count; i++) {
        const wl_segment *part = &segments->items[i];
        if (part->token ? add_token(tokenizer, NULL, part, scratch, error)
                        : wl_scan_bytes(tokenizer, data + part->begin, part->end - part->begin, scratch, error))
            return error->code;
    }
    return WL_OK;
}

/* A segment of the source text that holds no added token matched on raw text. */
static wl_status encode_segment(const wl_tokenizer *tokenizer, wl_text text, const wl_segment *segment, bool aligned,
                                wl_text_scratch *scratch, wl_error *error)
{
    const char *data = text.data + segment->begin;
    size_t size = segment->end - segment->begin;
    if (!scratch->tokens.spanned && tokenizer->scanner == WL_SCAN_MARK)
        return wl_scan_mark(tokenizer, data, size, scratch, error);
    if (!scratch->tokens.spanned && tokenizer->scanner == WL_SCAN_BERT)
        return wl_scan_bert(tokenizer, data, size, scratch, error);
    if (!scratch->tokens.spanned && tokenizer->scanner == WL_SCAN_SPACES)
        return wl_scan_spaces(tokenizer, data, size, scratch, error);
    if (!scratch->tokens.spanned && tokenizer->scanner == WL_SCAN_BYTES &&
        wl_normalize_is_identity(tokenizer->normalizers, tokenizer->normalizer_count, data, size))
        return scan_in_place(tokenizer, data, size, scratch, error);
    wl_string *string = &scratch->segment;
    wl_string_clear(string, aligned);
    string->inner = segment->begin > 0;
    wl_status status = aligned ? wl_string_add_slice(string, &scratch->source, segment->begin, segment->end, error)
                               : wl_string_add(string, data, size, (wl_span){0, 0}, error);
    return status ? status : wl_tokenize_segment(tokenizer, string, true, scratch, error);
}

/* The source as a string that knows its own places. */
static wl_status align(wl_text text, wl_string *source, wl_error *error)
{
    if (text.size >= UINT32_MAX) return wl_fail(error, WL_ERROR_LIMIT, "a text with spans is longer than 4 GiB");
    wl_string_clear(source, true);
    size_t length;
    for (size_t at = 0; at < text.size; at += length) {
        length = wl_utf8_length((unsigned char)text.data[at]);
        wl_span span = {(uint32_t)at, (uint32_t)(at + length)};
        if (wl_string_add(source, text.data + at, length, span, error)) return error->code;
    }
    return WL_OK;
}

wl_status wl_tokenize(const wl_tokenizer *tokenizer, wl_text text, bool spans, wl_text_scratch *scratch,
                      wl_error *error)
{
    scratch->tokens.count = scratch->spaced_count = 0;
    scratch->tokens.spanned = spans;
    if (!spans && wl_word_cache_open(&scratch->cache, scratch->cache_bytes, text.size, tokenizer->identity, error))
        return error->code;
    if (wl_utf8_valid(text.data, text.size) != text.size) {
        scratch->repaired.size = 0;
        if (wl_utf8_repair(text.data, text.size, &scratch->repaired, &scratch->replaced, error)) return error->code;
        text = (wl_text){scratch->repaired.data, scratch->repaired.size};
    }
    bool aligned = spans || tokenizer->aligned;
    if (aligned && align(text, &scratch->source, error)) return error->code;
    wl_segments *segments = &scratch->segments;
    if (wl_added_cut(&tokenizer->added, &tokenizer->added.raw, text.data, text.size, segments, error))
        return error->code;
    for (size_t i = 0; i < segments->count; i++) {
        const wl_segment *segment = &segments->items[i];
        wl_status status = segment->token ? add_token(tokenizer, &scratch->source, segment, scratch, error)
                                          : encode_segment(tokenizer, text, segment, aligned, scratch, error);
        if (status) return status;
    }
    return WL_OK;
}
