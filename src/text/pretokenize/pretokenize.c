#include <stdlib.h>

#include "text/pretokenize/cut.h"

wl_status wl_pieces_add(wl_pieces *pieces, size_t begin, size_t end, wl_error *error)
{
    if (begin == end) return WL_OK;
    void *ranges = pieces->ranges;
    wl_status status = wl_reserve(&ranges, &pieces->capacity, pieces->count + 1, sizeof *pieces->ranges, error);
    pieces->ranges = ranges;
    if (status) return status;
    pieces->ranges[pieces->count].begin = begin;
    pieces->ranges[pieces->count++].end = end;
    return WL_OK;
}

static bool rewrites(const wl_pretokenizer *step)
{
    return step->kind == WL_PRETOKENIZE_METASPACE || step->kind == WL_PRETOKENIZE_PREFIX_SPACE ||
           step->kind == WL_PRETOKENIZE_BYTES;
}

/* One piece of the string into pieces of it, or of the text that is appended to *rewritten. */
static wl_status cut(const wl_pretokenizer *step, const wl_string *string, size_t begin, size_t end,
                     wl_string *rewritten, wl_pieces *pieces, wl_error *error)
{
    switch (step->kind) {
    case WL_PRETOKENIZE_METASPACE:
        return wl_rewrite_metaspace(step, string, begin, end, rewritten, pieces, error);
    case WL_PRETOKENIZE_PREFIX_SPACE:
        return wl_rewrite_prefix(string, begin, end, rewritten, pieces, error);
    case WL_PRETOKENIZE_BYTES:
        return wl_rewrite_bytes(string, begin, end, rewritten, pieces, error);
    case WL_PRETOKENIZE_SPLIT:
        return wl_cut_pattern(step, string->text.data, begin, end, pieces, error);
    default:
        return wl_cut_characters(step, string->text.data, begin, end, pieces, error);
    }
}

wl_status wl_pretokenize(const wl_pretokenizer *steps, size_t count, wl_string *string, wl_pieces *pieces,
                         wl_pretokenize_scratch *scratch, wl_error *error)
{
    pieces->count = 0;
    if (wl_pieces_add(pieces, 0, string->text.size, error)) return error->code;
    for (size_t i = 0; i < count; i++) {
        const wl_pretokenizer *step = &steps[i];
        wl_pieces *out = &scratch->spare;
        out->count = 0;
        if (rewrites(step)) wl_string_clear(&scratch->string, string->aligned);
        for (size_t p = 0; p < pieces->count; p++)
            if (cut(step, string, pieces->ranges[p].begin, pieces->ranges[p].end, &scratch->string, out, error))
                return error->code;
        wl_pieces swap = *pieces;
        *pieces = *out;
        *out = swap;
        if (rewrites(step)) {
            wl_string text = *string;
            *string = scratch->string;
            scratch->string = text;
        }
    }
    return WL_OK;
}

void wl_pretokenize_scratch_free(wl_pretokenize_scratch *scratch)
{
    free(scratch->spare.ranges);
    wl_string_free(&scratch->string);
    *scratch = (wl_pretokenize_scratch){0};
}

void wl_pretokenizer_free(wl_pretokenizer *step)
{
    wl_pattern_free(&step->pattern);
}
