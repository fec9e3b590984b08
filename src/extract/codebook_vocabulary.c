#include "extract/codebook_vocabulary.h"

#include <string.h>

#define ADVICE "(--align matches tokens by their text)"

static bool same_piece(const wl_codebook *a, const wl_codebook *b, size_t id)
{
    wl_text x = wl_tokenizer_piece(a->tokenizer, (uint32_t)id), y = wl_tokenizer_piece(b->tokenizer, (uint32_t)id);
    if (!x.data || !y.data) return !x.data && !y.data;
    return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

/* The rows up to the last one of a token of the vocabulary proper, which was not added to it. */
static size_t ordinary_rows(const wl_codebook *codebook)
{
    const wl_tokenizer *tokenizer = codebook->tokenizer;
    size_t ids = wl_tokenizer_ids(tokenizer), rows = codebook->rows < ids ? codebook->rows : ids;
    while (rows && (wl_added_by_id(&tokenizer->added, (uint32_t)(rows - 1)) ||
                    !wl_tokenizer_piece(tokenizer, (uint32_t)(rows - 1)).data))
        rows--;
    return rows;
}

static wl_status fail_different(const wl_codebook *a, const wl_codebook *b, size_t id, wl_error *error)
{
    wl_text x = wl_codebook_piece(a, id), y = wl_codebook_piece(b, id);
    return wl_fail_at(error, WL_ERROR_MISMATCH, b->file.path, WL_NO_POSITION, 0,
                      "is of another vocabulary: id %zu is '%.*s', in %.200s it is '%.*s' " ADVICE, id, (int)y.size,
                      y.data, a->file.path, (int)x.size, x.data);
}

static wl_status fail_shorter(const wl_codebook *shorter, const wl_codebook *longer, wl_error *error)
{
    wl_text piece = wl_codebook_piece(longer, shorter->rows);
    return wl_fail_at(error, WL_ERROR_MISMATCH, shorter->file.path, WL_NO_POSITION, 0,
                      "is of another vocabulary: it has %zu rows, and %.200s goes on with '%.*s' " ADVICE,
                      shorter->rows, longer->file.path, (int)piece.size, piece.data);
}

wl_status wl_compare_vocabularies(wl_codebook *const *codebooks, size_t count, wl_common_vocabulary *common,
                                  wl_error *error)
{
    const wl_codebook *first = codebooks[0], *shortest = first, *other = NULL;
    *common = (wl_common_vocabulary){0};
    for (size_t i = 1; i < count; i++) {
        if (codebooks[i]->rows < shortest->rows) shortest = codebooks[i];
        if (wl_tokenizer_ids(codebooks[i]->tokenizer) < wl_tokenizer_ids(codebooks[common->source]->tokenizer))
            common->source = i;
    }
    size_t rows = 0;
    for (; rows < shortest->rows && !other; rows++)
        for (size_t i = 1; i < count && !other; i++)
            if (!same_piece(first, codebooks[i], rows)) other = codebooks[i];
    if (other) rows--; /* the one that differs */
    common->rows = rows;
    for (size_t i = 0; i < count; i++) {
        if (ordinary_rows(codebooks[i]) <= rows) continue;
        return other ? fail_different(first, other, rows, error) : fail_shorter(shortest, codebooks[i], error);
    }
    return rows || !other ? WL_OK : fail_different(first, other, 0, error);
}
