/* wl_decode: ids to pieces, and through the decoders to text. */
#include <string.h>

#include "text/context.h"

static wl_status add_pieces(const wl_tokenizer *tokenizer, const uint32_t *ids, size_t count, bool special,
                            wl_decoded *pieces, wl_error *error)
{
    bool spaces = !tokenizer->decodes;
    for (size_t i = 0; i < count; i++) {
        const wl_added_token *token = wl_added_by_id(&tokenizer->added, ids[i]);
        wl_text piece;
        bool hidden;
        if (token) {
            const wl_shown_token *shown = &tokenizer->shown[token - tokenizer->added.tokens];
            piece = (wl_text){tokenizer->shown_bytes.data + shown->begin, shown->size};
            hidden = shown->special;
        } else {
            piece = wl_tokenizer_piece(tokenizer, ids[i]);
            if (!piece.data) continue;
            /* A list may hold a special token's piece twice, with one id that is not the token's. */
            token = tokenizer->kind == WL_MODEL_UNIGRAM ? wl_added_find(&tokenizer->added, piece) : NULL;
            hidden = token && token->special;
        }
        if (hidden && !special) continue;
        if (spaces && pieces->count && wl_buffer_append(&pieces->bytes, " ", 1, error)) return error->code;
        if (wl_buffer_append(&pieces->bytes, piece.data, piece.size, error) || wl_decoded_end(pieces, error))
            return error->code;
    }
    return WL_OK;
}

wl_status wl_decode(const wl_tokenizer *tokenizer, wl_context *context, const uint32_t *ids, size_t count,
                    const wl_decode_options *options, char *out, size_t capacity, size_t *size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_decode_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_decode_options", error)) return error->code;
    if (!tokenizer || !context || !size || (count && !ids) || (capacity && !out))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_decode: an argument is NULL");
    wl_decode_scratch *scratch = &context->workers[0].text.decode;
    wl_decoded_clear(&scratch->pieces);
    if (add_pieces(tokenizer, ids, count, chosen.special_tokens, &scratch->pieces, error) ||
        wl_decoders_run(tokenizer->decoders, tokenizer->decoder_count, scratch, error))
        return error->code;
    const wl_buffer *text = &scratch->pieces.bytes;
    *size = text->size;
    if (text->size > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu bytes, the buffer holds %zu", text->size, capacity);
    if (text->size) memcpy(out, text->data, text->size);
    return WL_OK;
}
