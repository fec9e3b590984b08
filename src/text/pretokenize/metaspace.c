#include <string.h>

#include "text/pretokenize/cut.h"

wl_status wl_rewrite_metaspace(const wl_pretokenizer *step, const wl_string *in, size_t begin, size_t end,
                               wl_string *out, wl_pieces *pieces, wl_error *error)
{
    const char *text = in->text.data;
    size_t size = step->mark_size, piece = out->text.size;
    bool marked = text[begin] == ' ' || (end - begin >= size && memcmp(text + begin, step->mark, size) == 0);
    bool first = in->aligned ? in->spans[begin].begin == 0 : begin == 0 && !in->inner;
    bool wanted = step->scheme == WL_PREPEND_ALWAYS || (step->scheme == WL_PREPEND_FIRST && first);
    if (!marked && wanted && wl_string_add(out, step->mark, size, wl_string_span(in, begin), error)) return error->code;
    size_t rest = begin; /* what is not copied yet */
    for (size_t at = begin; at < end;) {
        bool space = text[at] == ' ';
        if (!space && text[at] != step->mark[0]) {
            at++;
            continue;
        }
        if (!space && (end - at < size || memcmp(text + at, step->mark, size) != 0)) {
            at++;
            continue;
        }
        if ((step->split || space) && wl_string_add_slice(out, in, rest, at, error)) return error->code;
        if (step->split || space) rest = at;
        if (step->split) {
            if (wl_pieces_add(pieces, piece, out->text.size, error)) return error->code;
            piece = out->text.size;
        }
        if (space) {
            if (wl_string_add(out, step->mark, size, wl_string_span(in, at), error)) return error->code;
            rest = at + 1;
        }
        at += space ? 1 : size;
    }
    if (wl_string_add_slice(out, in, rest, end, error)) return error->code;
    return wl_pieces_add(pieces, piece, out->text.size, error);
}
