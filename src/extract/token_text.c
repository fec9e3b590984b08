#include "extract/token_text.h"

#include <string.h>

#include "text/unicode/byte_alphabet.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

static wl_text text_of(const char *data, size_t size)
{
    return data ? (wl_text){data, size} : (wl_text){NULL, 0};
}

wl_spelling wl_spelling_of(const wl_tokenizer *tokenizer)
{
    wl_spelling spelling = {.tokenizer = tokenizer};
    for (size_t i = 0; i < tokenizer->decoder_count; i++) {
        const wl_decoder *decoder = &tokenizer->decoders[i];
        wl_text pattern = text_of(decoder->pattern, decoder->pattern_size);
        switch (decoder->kind) {
        case WL_DECODE_BYTE_LEVEL:
            spelling.byte_level = true;
            break;
        case WL_DECODE_BYTE_FALLBACK:
            spelling.byte_fallback = true;
            break;
        case WL_DECODE_METASPACE:
            spelling.mark = pattern;
            break;
        case WL_DECODE_REPLACE:
            if (decoder->content_size == 1 && decoder->content[0] == ' ')
                spelling.mark = text_of(decoder->search.text, decoder->search.size);
            break;
        case WL_DECODE_WORDPIECE:
            spelling.words = true;
            spelling.prefix = pattern;
            break;
        case WL_DECODE_BPE:
            spelling.suffix = pattern;
            break;
        default:
            break;
        }
    }
    if (tokenizer->kind == WL_MODEL_WORDPIECE && !tokenizer->decoder_count) {
        spelling.words = true;
        spelling.prefix = (wl_text){"##", 2};
    }
    return spelling;
}

static bool starts_with(wl_text text, wl_text start)
{
    return start.size && text.size >= start.size && memcmp(text.data, start.data, start.size) == 0;
}

static bool ends_with(wl_text text, wl_text end)
{
    return end.size && text.size >= end.size && memcmp(text.data + text.size - end.size, end.data, end.size) == 0;
}

/* The characters that stand for bytes; one that does not stays. */
static wl_status append_bytes(wl_text piece, wl_buffer *out, wl_error *error)
{
    for (size_t at = 0, length; at < piece.size; at += length) {
        int byte = wl_point_byte(wl_utf8_decode(piece.data + at, &length));
        char value = (char)byte;
        if (wl_buffer_append(out, byte < 0 ? piece.data + at : &value, byte < 0 ? length : 1, error))
            return error->code;
    }
    return WL_OK;
}

static wl_status append_marked(wl_text piece, wl_text mark, wl_buffer *out, wl_error *error)
{
    for (size_t at = 0; at < piece.size;) {
        wl_text rest = {piece.data + at, piece.size - at};
        bool space = starts_with(rest, mark);
        size_t length = space ? mark.size : wl_utf8_length((unsigned char)*rest.data);
        if (wl_buffer_append(out, space ? " " : rest.data, space ? 1 : length, error)) return error->code;
        at += length;
    }
    return WL_OK;
}

static int digit_of(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    if (character >= 'A' && character <= 'F') return character - 'A' + 10;
    if (character >= 'a' && character <= 'f') return character - 'a' + 10;
    return -1;
}

/* The byte of "<0x61>", or -1. */
static int byte_of(wl_text piece)
{
    if (piece.size != 6 || memcmp(piece.data, "<0x", 3) != 0 || piece.data[5] != '>') return -1;
    int high = digit_of(piece.data[3]), low = digit_of(piece.data[4]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Punctuation and Chinese characters are words by themselves, whatever stands in front of them. */
static bool stands_alone(wl_text piece)
{
    size_t length;
    return piece.size && wl_unicode_class(wl_utf8_decode(piece.data, &length)) &
                             (WL_UNICODE_BERT_PUNCTUATION | WL_UNICODE_BERT_CHINESE);
}

static wl_status append_word(const wl_spelling *spelling, wl_text piece, wl_buffer *out, wl_error *error)
{
    bool inside = starts_with(piece, spelling->prefix), end = ends_with(piece, spelling->suffix);
    if (inside) piece = (wl_text){piece.data + spelling->prefix.size, piece.size - spelling->prefix.size};
    if (end) piece.size -= spelling->suffix.size;
    bool space = !inside && !stands_alone(piece) && (spelling->words || end);
    if (space && wl_buffer_append(out, " ", 1, error)) return error->code;
    return wl_buffer_append(out, piece.data, piece.size, error);
}

wl_status wl_token_text(const wl_spelling *spelling, uint32_t id, wl_buffer *out, wl_token_kind *kind, wl_error *error)
{
    const wl_tokenizer *tokenizer = spelling->tokenizer;
    wl_text piece = wl_tokenizer_piece(tokenizer, id);
    const wl_added_token *added = wl_added_by_id(&tokenizer->added, id);
    *kind = WL_TOKEN_NONE;
    if (!piece.data) return WL_OK;
    *kind = added && added->special ? WL_TOKEN_SPECIAL : WL_TOKEN_TEXT;
    if (added) return wl_buffer_append(out, piece.data, piece.size, error);
    int byte = spelling->byte_fallback ? byte_of(piece) : -1;
    if (byte >= 0) {
        char value = (char)byte;
        *kind = WL_TOKEN_BYTE;
        return wl_buffer_append(out, &value, 1, error);
    }
    if (spelling->byte_level) return append_bytes(piece, out, error);
    if (spelling->mark.size) return append_marked(piece, spelling->mark, out, error);
    return append_word(spelling, piece, out, error);
}
