#include "extract/gguf_vocabulary.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* An array with a number for each piece; *walk->value is NULL where the file has none. */
static wl_status open_numbers(const wl_gguf *gguf, const char *key, uint64_t count, wl_gguf_walk *walk, wl_error *error)
{
    if (wl_gguf_array(gguf, key, walk, error)) return error->code;
    if (!walk->value || walk->left >= count) return WL_OK;
    return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, walk->at, 0,
                      "\"%s\" has %" PRIu64 " elements, expected one for each of %" PRIu64 " pieces", key, walk->left,
                      count);
}

static wl_status read_kinds(wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_error *error)
{
    wl_gguf_walk walk;
    if (open_numbers(gguf, "tokenizer.ggml.token_type", vocabulary->count, &walk, error)) return error->code;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        double kind = WL_GGUF_NORMAL;
        if (walk.value && wl_gguf_next_number(&walk, &kind, error)) return error->code;
        bool known = kind >= WL_GGUF_NORMAL && kind <= WL_GGUF_BYTE;
        vocabulary->kinds[i] = known ? (unsigned char)kind : WL_GGUF_UNUSED;
    }
    return WL_OK;
}

static wl_status read_scores(wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_error *error)
{
    wl_gguf_walk walk;
    if (open_numbers(gguf, "tokenizer.ggml.scores", vocabulary->count, &walk, error)) return error->code;
    if (!walk.value) return WL_OK;
    vocabulary->scores = wl_allocate(vocabulary->count, sizeof *vocabulary->scores, error);
    if (!vocabulary->scores) return WL_ERROR_MEMORY;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        if (wl_gguf_next_number(&walk, &vocabulary->scores[i], error)) return error->code;
        if (!isfinite(vocabulary->scores[i]))
            return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, walk.at, 0,
                              "the score of piece %" PRIu32 " is not finite", i);
    }
    return WL_OK;
}

static wl_status read_pieces(wl_gguf_vocabulary *vocabulary, wl_gguf_walk *walk, wl_gguf_spell spell, wl_buffer *piece,
                             wl_error *error)
{
    const char *file = walk->gguf->reader->name;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        if (wl_gguf_next_string(walk, piece, error)) return error->code;
        if (!piece->size) {
            char name[24];
            int length = snprintf(name, sizeof name, "[EMPTY_%" PRIu32 "]", i);
            if (wl_buffer_append(piece, name, (size_t)length, error)) return error->code;
        }
        if (spell && spell(piece, vocabulary->kinds[i], error)) return error->code;
        if (piece->size + vocabulary->pieces.bytes.size > WL_GGUF_JSON_MOST)
            return wl_fail_at(error, WL_ERROR_LIMIT, file, walk->at, 0,
                              "the pieces of its tokenizer have more than %zu bytes", WL_GGUF_JSON_MOST);
        if (wl_vocabulary_add(&vocabulary->pieces, (wl_text){piece->data, piece->size}, i, error)) return error->code;
        if (vocabulary->pieces.count == i)
            return wl_fail_at(error, WL_ERROR_FORMAT, file, walk->at, 0,
                              "piece %" PRIu32 " of its tokenizer, \"%.*s\", stands twice", i,
                              (int)(piece->size < 60 ? piece->size : 60), piece->data);
    }
    return wl_vocabulary_finish(&vocabulary->pieces, error);
}

wl_status wl_gguf_vocabulary_read(wl_gguf_vocabulary *vocabulary, const wl_gguf *gguf, wl_gguf_spell spell,
                                  wl_error *error)
{
    wl_gguf_walk walk;
    *vocabulary = (wl_gguf_vocabulary){0};
    if (wl_gguf_array(gguf, "tokenizer.ggml.tokens", &walk, error)) return error->code;
    if (!walk.left || walk.left > WL_ID_LIMIT)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, gguf->reader->name, WL_NO_POSITION, 0,
                          "\"tokenizer.ggml.tokens\" has %" PRIu64 " pieces, expected 1 to %u", walk.left, WL_ID_LIMIT);
    vocabulary->count = (uint32_t)walk.left;
    vocabulary->kinds = wl_allocate(vocabulary->count, 1, error);
    if (!vocabulary->kinds) return WL_ERROR_MEMORY;
    wl_buffer piece = {0};
    wl_status status = read_kinds(vocabulary, gguf, error);
    if (!status) status = read_scores(vocabulary, gguf, error);
    if (!status) status = read_pieces(vocabulary, &walk, spell, &piece, error);
    wl_buffer_free(&piece);
    return status;
}

void wl_gguf_vocabulary_free(wl_gguf_vocabulary *vocabulary)
{
    wl_vocabulary_free(&vocabulary->pieces);
    free(vocabulary->kinds);
    free(vocabulary->scores);
    *vocabulary = (wl_gguf_vocabulary){0};
}

void wl_gguf_check_size(wl_json_writer *json)
{
    if (!json->status && json->buffer->size > WL_GGUF_JSON_MOST)
        json->status = wl_fail(json->error, WL_ERROR_LIMIT, "its tokenizer has more than %zu bytes", WL_GGUF_JSON_MOST);
}
