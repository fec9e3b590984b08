/* ByteLevel: a space in front, then (after Split with GPT-2's expression) a printable character for each byte, which
 * stands where the whole character of the byte stood. */
#include "text/pretokenize/cut.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

wl_status wl_rewrite_prefix(const wl_string *in, size_t begin, size_t end, wl_string *out, wl_pieces *pieces,
                            wl_error *error)
{
    size_t piece = out->text.size;
    if (in->text.data[begin] != ' ' && wl_string_add(out, " ", 1, wl_string_span(in, begin), error)) return error->code;
    if (wl_string_add_slice(out, in, begin, end, error)) return error->code;
    return wl_pieces_add(pieces, piece, out->text.size, error);
}

wl_status wl_rewrite_bytes(const wl_string *in, size_t begin, size_t end, wl_string *out, wl_pieces *pieces,
                           wl_error *error)
{
    size_t piece = out->text.size;
    for (size_t at = begin; at < end;) {
        size_t run = at; /* of bytes that stand for themselves */
        while (at < end && in->text.data[at] > ' ' && in->text.data[at] < 0x7F) at++;
        if (at > run && wl_string_add_slice(out, in, run, at, error)) return error->code;
        if (at == end) break;
        if (wl_string_add_point(out, wl_byte_point((uint8_t)in->text.data[at]), wl_string_span(in, at), error))
            return error->code;
        at++;
    }
    return wl_pieces_add(pieces, piece, out->text.size, error);
}
