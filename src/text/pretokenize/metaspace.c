#include <string.h>

#include "text/pretokenize/cut.h"
#include "text/unicode/utf8.h"

wl_status wl_rewrite_metaspace(const wl_pretokenizer *step, const wl_string *in, size_t begin, size_t end,
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
