#include "text/pretokenize/pretokenize.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

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

static wl_status cut_bert(const wl_string *string, size_t begin, size_t end, wl_pieces *out, wl_error *error)
{
    size_t word = begin, length;
    for (size_t at = begin; at < end; at += length) {
        uint8_t class = wl_unicode_class(wl_utf8_decode(string->text.data + at, &length));
        if (!(class & (WL_UNICODE_SPACE | WL_UNICODE_BERT_PUNCTUATION))) continue;
        if (wl_pieces_add(out, word, at, error)) return error->code;
        if (!(class & WL_UNICODE_SPACE) && wl_pieces_add(out, at, at + length, error)) return error->code;
        word = at + length;
    }
    return wl_pieces_add(out, word, end, error);
}

/* Appends the rewritten piece to out and cuts it. */
static wl_status cut_metaspace(const wl_pretokenizer *step, const wl_string *in, size_t begin, size_t end,
                               wl_string *out, wl_pieces *pieces, wl_error *error)
{
    const char *text = in->text.data;
    size_t size = step->mark_size, piece = out->text.size;
    bool marked = text[begin] == ' ' || (end - begin >= size && memcmp(text + begin, step->mark, size) == 0);
    bool wanted =
        step->scheme == WL_PREPEND_ALWAYS || (step->scheme == WL_PREPEND_FIRST && wl_string_span(in, begin).begin == 0);
    if (!marked && wanted && wl_string_add(out, step->mark, size, wl_string_span(in, begin), error)) return error->code;
    for (size_t at = begin; at < end;) {
        bool space = text[at] == ' ';
        bool mark = space || (end - at >= size && memcmp(text + at, step->mark, size) == 0);
        if (mark && step->split) {
            if (wl_pieces_add(pieces, piece, out->text.size, error)) return error->code;
            piece = out->text.size;
        }
        size_t length = space ? 1 : wl_utf8_length((unsigned char)text[at]);
        wl_status status = space ? wl_string_add(out, step->mark, size, wl_string_span(in, at), error)
                                 : wl_string_add_slice(out, in, at, at + length, error);
        if (status) return status;
        at += length;
    }
    return wl_pieces_add(pieces, piece, out->text.size, error);
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
        bool rewrites = step->kind == WL_PRETOKENIZE_METASPACE;
        if (rewrites) wl_string_clear(&scratch->string, string->aligned);
        for (size_t p = 0; p < pieces->count; p++) {
            size_t begin = pieces->ranges[p].begin, end = pieces->ranges[p].end;
            wl_status status = rewrites ? cut_metaspace(step, string, begin, end, &scratch->string, out, error)
                                        : cut_bert(string, begin, end, out, error);
            if (status) return status;
        }
        wl_pieces swap = *pieces;
        *pieces = *out;
        *out = swap;
        if (rewrites) {
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
