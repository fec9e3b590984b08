/* The decoders. Each reads the pieces of one flat buffer and writes those of another. */
#include "text/process/decode.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/byte_alphabet.h"
#include "text/unicode/utf8.h"

void wl_decoder_free(wl_decoder *decoder)
{
    wl_pattern_free(&decoder->search);
    free(decoder->pattern);
    free(decoder->content);
    *decoder = (wl_decoder){0};
}

static void free_pieces(wl_decoded *pieces)
{
    wl_buffer_free(&pieces->bytes);
    free(pieces->ends);
    *pieces = (wl_decoded){0};
}

void wl_decode_scratch_free(wl_decode_scratch *scratch)
{
    free_pieces(&scratch->pieces);
    free_pieces(&scratch->spare);
    wl_buffer_free(&scratch->temporary[0]);
    wl_buffer_free(&scratch->temporary[1]);
}

void wl_decoded_clear(wl_decoded *pieces)
{
    pieces->bytes.size = pieces->count = 0;
}

wl_status wl_decoded_end(wl_decoded *pieces, wl_error *error)
{
    void *ends = pieces->ends;
    wl_status status = wl_reserve(&ends, &pieces->capacity, pieces->count + 1, sizeof *pieces->ends, error);
    pieces->ends = ends;
    if (!status) pieces->ends[pieces->count++] = pieces->bytes.size;
    return status;
}

static wl_text piece_at(const wl_decoded *pieces, size_t index)
{
    size_t begin = index ? pieces->ends[index - 1] : 0;
    size_t size = pieces->ends[index] - begin;
    return (wl_text){size ? pieces->bytes.data + begin : "", size};
}

static bool starts_with(wl_text text, const char *prefix, size_t size)
{
    return text.size >= size && (!size || memcmp(text.data, prefix, size) == 0);
}

/* ---- replacing strings ------------------------------------------------------------------------------------------- */

static const char *find(const char *at, const char *end, wl_text pattern)
{
    for (; (size_t)(end - at) >= pattern.size; at++) {
        at = memchr(at, pattern.data[0], (size_t)(end - at) - pattern.size + 1);
        if (!at) return NULL;
        if (memcmp(at, pattern.data, pattern.size) == 0) return at;
    }
    return NULL;
}

/* Rust's str::replace: an empty pattern stands before each character and at the end. */
static wl_status replace(wl_text text, wl_text pattern, wl_text content, wl_buffer *out, wl_error *error)
{
    const char *at = text.data, *end = text.data + text.size;
    while (!pattern.size) {
        if (wl_buffer_append(out, content.data, content.size, error)) return error->code;
        if (at == end) return WL_OK;
        size_t length = wl_utf8_length((unsigned char)*at);
        if (wl_buffer_append(out, at, length, error)) return error->code;
        at += length;
    }
    for (const char *match; (match = find(at, end, pattern)); at = match + pattern.size)
        if (wl_buffer_append(out, at, (size_t)(match - at), error) ||
            wl_buffer_append(out, content.data, content.size, error))
            return error->code;
    return wl_buffer_append(out, at, (size_t)(end - at), error);
}

/* Whether one of the strings below may stand in the text. */
static bool needs_cleanup(wl_text text)
{
    const char *end = text.data + text.size;
    for (const char *at = text.data; (at = memchr(at, ' ', (size_t)(end - at))); at++)
        if (at + 1 < end && memchr(".?!,'nd", at[1], 7)) return true;
    return false;
}

/* The text without the spaces that tokenizing English left; valid until the next call. */
static wl_status clean_up(wl_text *text, wl_decode_scratch *scratch, wl_error *error)
{
    static const struct {
        const char *from, *to;
    } changes[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},    {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
    };
    if (!text->size || !needs_cleanup(*text)) return WL_OK;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        wl_text from = {changes[i].from, strlen(changes[i].from)}, to = {changes[i].to, strlen(changes[i].to)};
        if (!find(text->data, text->data + text->size, from)) continue;
        wl_buffer *out = &scratch->temporary[text->data == scratch->temporary[0].data];
        out->size = 0;
        if (replace(*text, from, to, out, error)) return error->code;
        *text = (wl_text){out->size ? out->data : "", out->size};
    }
    return WL_OK;
}

/* ---- the kinds --------------------------------------------------------------------------------------------------- */

/* The bytes of a piece that is all of the byte alphabet, else the piece's own. */
static wl_status decode_byte_level(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    (void)decoder;
    const wl_decoded *in = &scratch->pieces;
    wl_buffer *bytes = &scratch->temporary[0];
    bytes->size = 0;
    if (wl_buffer_reserve(bytes, in->bytes.size, error)) return error->code;
    for (size_t i = 0; i < in->count; i++) {
        wl_text piece = piece_at(in, i);
        size_t start = bytes->size;
        for (size_t at = 0, length; at < piece.size; at += length) {
            int byte = wl_point_byte(wl_utf8_decode(piece.data + at, &length));
            if (byte < 0) {
                memcpy(bytes->data + start, piece.data, piece.size);
                bytes->size = start + piece.size;
                break;
            }
            bytes->data[bytes->size++] = (char)byte;
        }
    }
    uint64_t replaced = 0;
    wl_buffer *out = &scratch->spare.bytes;
    if (bytes->size && wl_utf8_valid(bytes->data, bytes->size) == bytes->size) {
        if (wl_buffer_append(out, bytes->data, bytes->size, error)) return error->code;
    } else if (bytes->size && wl_utf8_repair(bytes->data, bytes->size, out, &replaced, error)) {
        return error->code;
    }
    return wl_decoded_end(&scratch->spare, error);
}

static wl_status decode_wordpiece(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    wl_decoded *out = &scratch->spare;
    for (size_t i = 0; i < scratch->pieces.count; i++) {
        wl_text piece = piece_at(&scratch->pieces, i);
        size_t start = out->bytes.size;
        if (i && starts_with(piece, decoder->pattern, decoder->pattern_size))
            piece = (wl_text){piece.data + decoder->pattern_size, piece.size - decoder->pattern_size};
        else if (i && wl_buffer_append(&out->bytes, " ", 1, error))
            return error->code;
        if (wl_buffer_append(&out->bytes, piece.data, piece.size, error)) return error->code;
        if (decoder->cleanup && out->bytes.size > start) {
            wl_text whole = {out->bytes.data + start, out->bytes.size - start}, clean = whole;
            if (clean_up(&clean, scratch, error)) return error->code;
            if (clean.data != whole.data) {
                out->bytes.size = start;
                if (wl_buffer_append(&out->bytes, clean.data, clean.size, error)) return error->code;
            }
        }
        if (wl_decoded_end(out, error)) return error->code;
    }
    return WL_OK;
}

/* Each piece with its own content in place of the pattern. */
static wl_status replace_each(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_text first, wl_text middle,
                              wl_text last, wl_error *error)
{
    const wl_decoded *in = &scratch->pieces;
    wl_text pattern = {decoder->pattern, decoder->pattern_size};
    for (size_t i = 0; i < in->count; i++)
        if (replace(piece_at(in, i), pattern,
                    i + 1 == in->count ? last
                    : i                ? middle
                                       : first,
                    &scratch->spare.bytes, error) ||
            wl_decoded_end(&scratch->spare, error))
            return error->code;
    return WL_OK;
}

static const wl_text space = {" ", 1}, nothing = {"", 0};

static wl_status decode_metaspace(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    wl_text first = decoder->keep_first ? space : nothing;
    return replace_each(decoder, scratch, first, space, scratch->pieces.count == 1 ? first : space, error);
}

static wl_status decode_bpe(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    return replace_each(decoder, scratch, space, space, nothing, error);
}

static wl_status decode_replace(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    wl_decoded *out = &scratch->spare;
    for (size_t i = 0; i < scratch->pieces.count; i++) {
        wl_text piece = piece_at(&scratch->pieces, i);
        bool found = false;
        for (size_t at = 0, begin, end; piece.size; at = end) {
            if (wl_pattern_find(&decoder->search, piece.data, piece.size, at, &found, &begin, &end, error))
                return error->code;
            if (!found) begin = end = piece.size;
            if (wl_buffer_append(&out->bytes, piece.data + at, begin - at, error)) return error->code;
            if (!found) break;
            if (wl_buffer_append(&out->bytes, decoder->content, decoder->content_size, error)) return error->code;
        }
        if (wl_decoded_end(out, error)) return error->code;
    }
    return WL_OK;
}

static wl_status decode_ctc(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    const wl_decoded *in = &scratch->pieces;
    wl_decoded *out = &scratch->spare;
    wl_text padding = {decoder->pattern, decoder->pattern_size};
    wl_text delimiter = {decoder->content, decoder->content_size};
    for (size_t i = 0; i < in->count; i++) {
        wl_text piece = piece_at(in, i);
        wl_text before = i ? piece_at(in, i - 1) : nothing;
        if (i && before.size == piece.size && starts_with(piece, before.data, before.size)) continue;
        size_t start = out->bytes.size;
        if (replace(piece, padding, nothing, &out->bytes, error)) return error->code;
        if (decoder->cleanup) {
            wl_text clean = {out->bytes.size ? out->bytes.data + start : "", out->bytes.size - start};
            if (clean_up(&clean, scratch, error)) return error->code;
            /* Away from the output, which it is about to be appended to. */
            wl_buffer *other = &scratch->temporary[clean.data == scratch->temporary[0].data];
            other->size = 0;
            if (replace(clean, delimiter, space, other, error)) return error->code;
            out->bytes.size = start;
            if (wl_buffer_append(&out->bytes, other->data, other->size, error)) return error->code;
        }
        if (out->bytes.size > start && wl_decoded_end(out, error)) return error->code;
    }
    return WL_OK;
}

static wl_status decode_fuse(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    (void)decoder;
    const wl_buffer *bytes = &scratch->pieces.bytes;
    if (wl_buffer_append(&scratch->spare.bytes, bytes->data, bytes->size, error)) return error->code;
    return wl_decoded_end(&scratch->spare, error);
}

/* The oracle panics where a piece has fewer characters than it is to strip at the end; here the piece is then empty. */
static wl_status decode_strip(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    size_t size = decoder->pattern_size;
    for (size_t i = 0; i < scratch->pieces.count; i++) {
        wl_text piece = piece_at(&scratch->pieces, i);
        for (size_t n = 0; n < decoder->start && starts_with(piece, decoder->pattern, size); n++)
            piece = (wl_text){piece.data + size, piece.size - size};
        for (size_t n = 0; n < decoder->stop && piece.size >= size; n++) {
            if (memcmp(piece.data + piece.size - size, decoder->pattern, size) != 0) break;
            piece.size -= size;
        }
        if (wl_buffer_append(&scratch->spare.bytes, piece.data, piece.size, error) ||
            wl_decoded_end(&scratch->spare, error))
            return error->code;
    }
    return WL_OK;
}

static int hexadecimal(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
           : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                          : -1;
}

/* The byte of a piece like <0x61>, or -1. The oracle's parser takes <0x+6> too. */
static int fallback_byte(wl_text piece)
{
    if (piece.size != 6 || memcmp(piece.data, "<0x", 3) != 0 || piece.data[5] != '>') return -1;
    int high = piece.data[3] == '+' ? 0 : hexadecimal(piece.data[3]), low = hexadecimal(piece.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Ends a run of bytes, which start at start: a piece where they are well-formed, else one U+FFFD a byte. */
static wl_status end_run(wl_decoded *out, size_t start, wl_error *error)
{
    size_t count = out->bytes.size - start;
    if (!count) return WL_OK;
    if (wl_utf8_valid(out->bytes.data + start, count) == count) return wl_decoded_end(out, error);
    out->bytes.size = start;
    for (size_t i = 0; i < count; i++)
        if (wl_buffer_append(&out->bytes, "\xEF\xBF\xBD", 3, error) || wl_decoded_end(out, error)) return error->code;
    return WL_OK;
}

static wl_status decode_byte_fallback(const wl_decoder *decoder, wl_decode_scratch *scratch, wl_error *error)
{
    (void)decoder;
    wl_decoded *out = &scratch->spare;
    size_t start = 0; /* of the bytes without an end */
    for (size_t i = 0; i < scratch->pieces.count; i++) {
        wl_text piece = piece_at(&scratch->pieces, i);
        int byte = fallback_byte(piece);
        if (byte >= 0) {
            if (wl_buffer_append(&out->bytes, &(char){(char)byte}, 1, error)) return error->code;
            continue;
        }
        if (end_run(out, start, error) || wl_buffer_append(&out->bytes, piece.data, piece.size, error) ||
            wl_decoded_end(out, error))
            return error->code;
        start = out->bytes.size;
    }
    return end_run(out, start, error);
}

wl_status wl_decoders_run(const wl_decoder *decoders, size_t count, wl_decode_scratch *scratch, wl_error *error)
{
    static wl_status (*const run[])(const wl_decoder *, wl_decode_scratch *, wl_error *) = {
        [WL_DECODE_BYTE_LEVEL] = decode_byte_level,
        [WL_DECODE_WORDPIECE] = decode_wordpiece,
        [WL_DECODE_METASPACE] = decode_metaspace,
        [WL_DECODE_BPE] = decode_bpe,
        [WL_DECODE_CTC] = decode_ctc,
        [WL_DECODE_FUSE] = decode_fuse,
        [WL_DECODE_STRIP] = decode_strip,
        [WL_DECODE_BYTE_FALLBACK] = decode_byte_fallback,
        [WL_DECODE_REPLACE] = decode_replace,
    };
    for (size_t i = 0; i < count; i++) {
        wl_decoded_clear(&scratch->spare);
        if (run[decoders[i].kind](&decoders[i], scratch, error)) return error->code;
        wl_decoded swap = scratch->pieces;
        scratch->pieces = scratch->spare;
        scratch->spare = swap;
    }
    return WL_OK;
}
