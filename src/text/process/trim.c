/* trim_offsets of the post-processors ByteLevel and RobertaProcessing: a token's range loses as many places at either
 * end as its piece holds spaces there. Places are what the ranges count, characters or bytes: as in the oracle, a space
 * of three bytes takes one byte off. */
#include "text/tokenizer.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

/* U+0120 is a space in the byte alphabet. */
static bool is_space(uint32_t point)
{
    return point == 0x120 || wl_unicode_class(point) & WL_UNICODE_SPACE;
}

size_t wl_leading_spaces(wl_text text)
{
    size_t count = 0;
    for (size_t at = 0, length; at < text.size && is_space(wl_utf8_decode(text.data + at, &length)); at += length)
        count++;
    return count;
}

size_t wl_trailing_spaces(wl_text text)
{
    size_t count = 0, length;
    for (size_t end = text.size; end; count++) {
        size_t at = end - 1;
        while (at && ((unsigned char)text.data[at] & 0xC0) == 0x80) at--;
        if (!is_space(wl_utf8_decode(text.data + at, &length))) break;
        end = at;
    }
    return count;
}

static void trim(wl_span *span, size_t leading, size_t trailing, bool keeps_one)
{
    if (leading == 1 && keeps_one) leading = 0;
    size_t begin = span->begin, end = span->end;
    begin = begin + leading < end ? begin + leading : leading ? end : begin;
    if (trailing && end >= trailing) end = end - trailing > begin ? end - trailing : begin;
    *span = (wl_span){(uint32_t)begin, (uint32_t)end};
}

void wl_trim_spans(const wl_tokenizer *tokenizer, size_t begin, size_t end, bool special, wl_text_scratch *scratch)
{
    wl_tokens *tokens = &scratch->tokens;
    const wl_spaced_token *spaced = scratch->spaced;
    const wl_spaced_token *last = spaced ? spaced + scratch->spaced_count : spaced;
    for (size_t i = begin; i < end; i++) {
        size_t leading, trailing;
        while (spaced < last && spaced->index < i) spaced++;
        if (spaced < last && spaced->index == i) {
            leading = spaced->leading;
            trailing = spaced->trailing;
        } else {
            wl_text piece = wl_tokenizer_piece(tokenizer, tokens->ids[i]);
            leading = wl_leading_spaces(piece);
            trailing = wl_trailing_spaces(piece);
        }
        if (!leading && !trailing) continue;
        for (size_t t = 0; t < tokenizer->trim_count; t++) {
            const wl_trim *step = &tokenizer->trims[t];
            bool first = (i == begin && (step->in_front || !special)) || tokens->spans[i].begin == 0;
            trim(&tokens->spans[i], leading, trailing, step->prefix && first);
        }
    }
}
