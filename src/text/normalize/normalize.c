#include "text/normalize/normalize.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

static wl_status prepend(const wl_normalizer *step, const wl_string *in, wl_string *out, wl_error *error)
{
    if (in->text.size && wl_string_add(out, step->content, step->content_size, wl_string_span(in, 0), error))
        return error->code;
    return wl_string_add_slice(out, in, 0, in->text.size, error);
}

static bool space_at(const wl_string *in, size_t at, size_t *length)
{
    return wl_unicode_class(wl_utf8_decode(in->text.data + at, length)) & WL_UNICODE_SPACE;
}

/* The new text stands where the last replaced byte stood, as the oracle has it; in place of nothing, where the byte
 * before it stood. Nothing is not replaced right behind a match. */
static wl_status replace(const wl_normalizer *step, const wl_string *in, wl_string *out, size_t limit, wl_error *error)
{
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size, begin, end;
    bool found = false;
    while (size) {
        if (wl_pattern_find(&step->pattern, text, size, at, &found, &begin, &end, error)) return error->code;
        if (!found) break;
        if (wl_string_add_slice(out, in, at, begin, error)) return error->code;
        if (out->text.size + step->content_size > limit)
            return wl_fail(error, WL_ERROR_LIMIT, "the normalized text is over %zu bytes", limit);
        wl_span span = wl_string_span(in, end ? end - 1 : 0);
        if (end == 0) span.end = span.begin;
        if (wl_string_add(out, step->content, step->content_size, span, error)) return error->code;
        at = end;
    }
    return wl_string_add_slice(out, in, at, size, error);
}

/* The same for a pattern that is one byte, such as the space that most sentencepiece models replace. */
static wl_status replace_byte(const wl_normalizer *step, const wl_string *in, wl_string *out, size_t limit,
                              wl_error *error)
{
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size;
    while (at < size) {
        const char *found = memchr(text + at, step->pattern.text[0], size - at);
        if (!found) break;
        size_t begin = (size_t)(found - text);
        if (wl_string_add_slice(out, in, at, begin, error)) return error->code;
        if (out->text.size + step->content_size > limit)
            return wl_fail(error, WL_ERROR_LIMIT, "the normalized text is over %zu bytes", limit);
        if (wl_string_add(out, step->content, step->content_size, wl_string_span(in, begin), error)) return error->code;
        at = begin + 1;
    }
    return wl_string_add_slice(out, in, at, size, error);
}

/* The same for runs of spaces, which most sentencepiece models make one. */
static wl_status replace_spaces(const wl_normalizer *step, const wl_string *in, wl_string *out, size_t limit,
                                wl_error *error)
{
    const char *text = in->text.data, *found;
    size_t at = 0, size = in->text.size;
    for (size_t from = 0; from < size && (found = memchr(text + from, ' ', size - from));) {
        size_t begin = (size_t)(found - text), end = begin + 1;
        while (end < size && text[end] == ' ') end++;
        from = end;
        if (end - begin < 2) continue;
        if (wl_string_add_slice(out, in, at, begin, error)) return error->code;
        if (out->text.size + step->content_size > limit)
            return wl_fail(error, WL_ERROR_LIMIT, "the normalized text is over %zu bytes", limit);
        if (wl_string_add(out, step->content, step->content_size, wl_string_span(in, end - 1), error))
            return error->code;
        at = end;
    }
    return wl_string_add_slice(out, in, at, size, error);
}

static wl_status strip(const wl_normalizer *step, const wl_string *in, wl_string *out, wl_error *error)
{
    size_t begin = 0, end = in->text.size, length;
    while (step->left && begin < end && space_at(in, begin, &length)) begin += length;
    while (step->right && end > begin) {
        size_t last = end - 1;
        while ((in->text.data[last] & 0xC0) == 0x80) last--;
        if (!space_at(in, last, &length)) break;
        end = last;
    }
    return wl_string_add_slice(out, in, begin, end, error);
}

static wl_status apply(const wl_normalizer *step, const wl_string *in, wl_string *out, wl_normalize_scratch *scratch,
                       wl_error *error)
{
    bool string = step->pattern.kind == WL_PATTERN_STRING;
    switch (step->kind) {
    case WL_NORMALIZE_PREPEND:
        return prepend(step, in, out, error);
    case WL_NORMALIZE_REPLACE:
        if (string && step->pattern.size == 1) return replace_byte(step, in, out, scratch->limit, error);
        if (!string && strcmp(step->pattern.text, " {2,}") == 0)
            return replace_spaces(step, in, out, scratch->limit, error);
        return replace(step, in, out, scratch->limit, error);
    case WL_NORMALIZE_STRIP:
        return strip(step, in, out, error);
    case WL_NORMALIZE_BERT:
        return wl_normalize_bert(step, in, out, scratch, error);
    case WL_NORMALIZE_NFC:
        return wl_form_apply(WL_FORM_NFC, in, out, &scratch->form, error);
    case WL_NORMALIZE_NFD:
        return wl_form_apply(WL_FORM_NFD, in, out, &scratch->form, error);
    case WL_NORMALIZE_NFKC:
        return wl_form_apply(WL_FORM_NFKC, in, out, &scratch->form, error);
    case WL_NORMALIZE_NFKD:
        return wl_form_apply(WL_FORM_NFKD, in, out, &scratch->form, error);
    case WL_NORMALIZE_LOWERCASE:
        return wl_normalize_lowercase(in, out, error);
    case WL_NORMALIZE_STRIP_ACCENTS:
        return wl_normalize_strip_accents(in, out, error);
    case WL_NORMALIZE_NMT:
        return wl_normalize_nmt(in, out, error);
    case WL_NORMALIZE_PRECOMPILED:
        return wl_charsmap_apply(&step->charsmap, in, out, scratch->limit, error);
    case WL_NORMALIZE_BYTE_LEVEL:
        return wl_normalize_byte_level(in, out, error);
    }
    return WL_OK;
}

wl_status wl_normalize(const wl_normalizer *steps, size_t count, wl_string *string, wl_normalize_scratch *scratch,
                       wl_error *error)
{
    size_t size = string->text.size;
    scratch->limit = size < SIZE_MAX / (2 * WL_GROWTH_LIMIT) ? WL_GROWTH_LIMIT * size + WL_GROWTH_FREE : SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        wl_string *out = &scratch->spare;
        wl_string_clear(out, string->aligned);
        if (apply(&steps[i], string, out, scratch, error)) return error->code;
        if (out->text.size > scratch->limit)
            return wl_fail(error, WL_ERROR_LIMIT, "the normalized text is over %zu bytes", scratch->limit);
        wl_string swap = *string;
        *string = *out;
        *out = swap;
    }
    return WL_OK;
}

void wl_normalizer_free(wl_normalizer *step)
{
    wl_pattern_free(&step->pattern);
    wl_charsmap_free(&step->charsmap);
    free(step->content);
}

void wl_normalize_scratch_free(wl_normalize_scratch *scratch)
{
    wl_string_free(&scratch->spare);
    wl_form_scratch_free(&scratch->form);
    free(scratch->sources);
    *scratch = (wl_normalize_scratch){0};
}
