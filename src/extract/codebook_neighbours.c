/* A row by name, and what is near it. */
#include <stdlib.h>
#include <string.h>

#include "extract/codebook.h"
#include "extract/token_text.h"
#include "vector/vectors.h"

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* A decimal number below rows, or rows. */
static size_t read_number(wl_text text, size_t rows)
{
    size_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return rows;
        number = number * 10 + (size_t)(text.data[i] - '0');
        if (number >= rows) return rows;
    }
    return text.size ? number : rows;
}

/* The first token that stands for the text, a byte spelled by its number last; rows where there is none. */
static wl_status find_text(const wl_codebook *codebook, wl_text text, size_t *row, wl_error *error)
{
    wl_spelling spelling = wl_spelling_of(codebook->tokenizer);
    wl_buffer other = {0};
    wl_status status = WL_OK;
    size_t rows = codebook->rows;
    *row = rows;
    for (size_t id = 0; id < rows && !status; id++) {
        wl_token_kind kind;
        other.size = 0;
        status = wl_token_text(&spelling, (uint32_t)id, &other, &kind, error);
        if (status || kind == WL_TOKEN_NONE || other.size != text.size) continue;
        if (text.size && memcmp(other.data, text.data, text.size) != 0) continue;
        if (*row == rows || kind != WL_TOKEN_BYTE) *row = id;
        if (kind != WL_TOKEN_BYTE) break;
    }
    wl_buffer_free(&other);
    return status;
}

wl_status wl_codebook_find(const wl_codebook *codebook, wl_text name, uint32_t *row, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!codebook || !row) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_codebook_find: no codebook or no result");
    size_t rows = codebook->rows, found = rows;
    if (name.size && name.data[0] == '#') found = read_number((wl_text){name.data + 1, name.size - 1}, rows);
    if (found == rows && codebook->tokenizer) {
        if (wl_tokenizer_id(codebook->tokenizer, name, row) && *row < rows) return WL_OK;
        if (find_text(codebook, name, &found, error)) return error->code;
    }
    if (found == rows) found = read_number(name, rows);
    if (found == rows)
        return wl_fail_at(error, WL_ERROR_NOT_FOUND, codebook->file.path, WL_NO_POSITION, 0,
                          "no token is '%.*s', by its piece, its text or its id below %zu",
                          (int)(name.size < 100 ? name.size : 100), name.data, rows);
    *row = (uint32_t)found;
    return WL_OK;
}

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

typedef struct comparison {
    wl_comparison measure;
    const float *query, *rows; /* (dim); (block, dim) */
    double square;
    size_t begin;
    wl_match *matches; /* (rows) */
} comparison;

static void score_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const comparison *this = user;
    double score = wl_row_score(&this->measure, this->query, this->square, this->rows + item * this->measure.dim);
    this->matches[this->begin + item] = (wl_match){this->begin + item, (float)score};
}

static wl_status score_all(const wl_codebook *codebook, comparison *this, wl_pool *pool, float *rows, wl_error *error)
{
    size_t block = wl_codebook_block(codebook);
    for (this->begin = 0; this->begin < codebook->rows; this->begin += block) {
        size_t left = codebook->rows - this->begin, count = left < block ? left : block;
        if (wl_codebook_read(codebook, pool, this->begin, count, NULL, rows, error)) return error->code;
        wl_pool_run(pool, count, score_row, this);
    }
    return WL_OK;
}

wl_status wl_codebook_neighbours(const wl_codebook *codebook, uint32_t row, size_t k, uint32_t threads, wl_match *out,
                                 size_t *count, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!codebook || !out || !count || !k)
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_codebook_neighbours: no codebook, no room for matches, or k is 0");
    if (row >= codebook->rows)
        return wl_fail(error, WL_ERROR_ARGUMENT, "row %u of a codebook with %zu rows", row, codebook->rows);
    size_t dim = codebook->dim;
    wl_pool *pool = wl_codebook_pool(threads, error);
    float *query = pool ? wl_allocate(dim, sizeof *query, error) : NULL;
    float *rows = query ? wl_allocate(wl_codebook_block(codebook) * dim, sizeof *rows, error) : NULL;
    wl_match *matches = rows ? wl_allocate(codebook->rows, sizeof *matches, error) : NULL;
    wl_status status = matches ? WL_OK : WL_ERROR_MEMORY;
    if (!status) {
        wl_codebook_floats(codebook, row, query);
        comparison this = {.query = query, .rows = rows, .matches = matches};
        wl_vectors vectors = {query, 1, dim, WL_ELEMENT_F32};
        status = wl_comparison_open(&this.measure, &vectors, WL_COSINE, error);
        this.square = wl_row_square(&this.measure, query);
        if (!status) status = score_all(codebook, &this, pool, rows, error);
    }
    if (!status) {
        matches[row] = matches[codebook->rows - 1];
        wl_sort_matches(matches, codebook->rows - 1);
        *count = k < codebook->rows - 1 ? k : codebook->rows - 1;
        for (size_t i = 0; i < *count; i++) out[i] = matches[i];
    }
    free(query);
    free(rows);
    free(matches);
    wl_pool_free(pool);
    return status;
}
