#define _GNU_SOURCE /* memmem */
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

/* The new text stands where the last replaced byte stood, as the oracle has it. */
static wl_status replace(const wl_normalizer *step, const wl_string *in, wl_string *out, wl_error *error)
{
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size;
    while (at < size) {
        const char *found = memmem(text + at, size - at, step->pattern, step->pattern_size);
        size_t begin = found ? (size_t)(found - text) : size;
        if (wl_string_add_slice(out, in, at, begin, error)) return error->code;
        if (!found) break;
        at = begin + step->pattern_size;
        if (wl_string_add(out, step->content, step->content_size, wl_string_span(in, at - 1), error))
            return error->code;
    }
    return WL_OK;
}

static bool space_at(const wl_string *in, size_t at, size_t *length)
{
    return wl_unicode_class(wl_utf8_decode(in->text.data + at, length)) & WL_UNICODE_SPACE;
}

static wl_status replace_spaces(const wl_normalizer *step, const wl_string *in, wl_string *out, wl_error *error)
{
    size_t at = 0, size = in->text.size, length;
    while (at < size) {
        size_t begin = at;
        while (at < size && !space_at(in, at, &length)) at += length;
        if (wl_string_add_slice(out, in, begin, at, error)) return error->code;
        if (at == size) break;
        while (at < size && space_at(in, at, &length)) at += length;
        if (wl_string_add(out, step->content, step->content_size, wl_string_span(in, at - 1), error))
            return error->code;
    }
    return WL_OK;
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

wl_status wl_normalize(const wl_normalizer *steps, size_t count, wl_string *string, wl_normalize_scratch *scratch,
                       wl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const wl_normalizer *step = &steps[i];
        wl_string *out = &scratch->spare;
        wl_string_clear(out, string->aligned);
        wl_status status = WL_OK;
        switch (step->kind) {
        case WL_NORMALIZE_PREPEND:
            status = prepend(step, string, out, error);
            break;
        case WL_NORMALIZE_REPLACE:
            status = replace(step, string, out, error);
            break;
        case WL_NORMALIZE_REPLACE_SPACES:
            status = replace_spaces(step, string, out, error);
            break;
        case WL_NORMALIZE_STRIP:
            status = strip(step, string, out, error);
            break;
        case WL_NORMALIZE_BERT:
            status = wl_normalize_bert(step, string, out, scratch, error);
            break;
        }
        if (status) return status;
        wl_string swap = *string;
        *string = *out;
        *out = swap;
    }
    return WL_OK;
}

void wl_normalizer_free(wl_normalizer *step)
{
    free(step->pattern);
    free(step->content);
}

void wl_normalize_scratch_free(wl_normalize_scratch *scratch)
{
    wl_string_free(&scratch->spare);
    free(scratch->pending);
    free(scratch->sorted);
    free(scratch->sources);
    *scratch = (wl_normalize_scratch){0};
}
