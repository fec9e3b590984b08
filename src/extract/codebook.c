#include "extract/codebook.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "extract/codebook_write.h"
#include "format/half.h"
#include "model/paths.h"
#include "text/packed.h"

enum { BLOCK = 1 << 22, LEAST_ROWS = 64, MOST_THREADS = 1024 };
/* As for models: rows that may be missing for added tokens, or be there as padding. */
enum { SPARE_ROWS = 1024 };

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const wl_encoding *encoding_of(wl_dtype dtype)
{
    switch (dtype) {
    case WL_F64:
        return &wl_encoding_f64;
    case WL_F32:
        return &wl_encoding_f32;
    case WL_F16:
        return &wl_encoding_f16;
    case WL_BF16:
        return &wl_encoding_bf16;
    case WL_I8:
        return &wl_encoding_i8;
    default:
        return NULL;
    }
}

static wl_status find_table(wl_codebook *codebook, wl_error *error)
{
    const wl_safetensors *file = &codebook->file;
    const wl_tensor *table = wl_safetensors_find(file, "embedding.weight");
    if (!table) table = wl_safetensors_find(file, "embeddings");
    if (!table)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, WL_NO_POSITION, 0,
                          "has no tensor 'embedding.weight' or 'embeddings', expected a codebook ('wordllama extract' "
                          "takes one out of a language model)");
    codebook->table = table;
    codebook->encoding = encoding_of(table->dtype);
    if (table->rank != 2 || !codebook->encoding || table->count == 0 || table->shape[0] > WL_ID_LIMIT ||
        table->shape[1] > UINT32_MAX / 8)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, table->offset, 0,
                          "tensor '%s' has type %s and rank %u, expected a matrix of F64, F32, F16, BF16 or I8 with "
                          "rows and columns",
                          table->name, wl_dtype_name(table->dtype), table->rank);
    if (wl_safetensors_find(file, "mapping"))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file->path, WL_NO_POSITION, 0,
                          "has a vocabulary mapping: its rows are not those of tokens");
    codebook->rows = (size_t)table->shape[0];
    codebook->dim = (size_t)table->shape[1];
    codebook->row_size = codebook->dim * wl_dtype_size(table->dtype);
    return WL_OK;
}

/* Those of a Model2Vec model, or the scales of a table of I8. */
static wl_status read_weights(wl_codebook *codebook, wl_error *error)
{
    const wl_safetensors *file = &codebook->file;
    const wl_tensor *weights = wl_safetensors_find(file, "weights");
    if (!weights) return WL_OK;
    const wl_encoding *encoding = encoding_of(weights->dtype);
    if (weights->rank != 1 || !encoding || weights->count != codebook->rows)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, weights->offset, 0,
                          "the tensor 'weights' has type %s and %" PRIu64
                          " elements, expected a number for each of the "
                          "%zu rows",
                          wl_dtype_name(weights->dtype), weights->count, codebook->rows);
    codebook->weights = wl_allocate(codebook->rows, sizeof *codebook->weights, error);
    if (!codebook->weights) return WL_ERROR_MEMORY;
    encoding->decode((const unsigned char *)weights->data, codebook->rows, codebook->weights);
    return WL_OK;
}

/* None is no failure, unless one was given. */
static wl_status find_tokenizer(wl_codebook *codebook, wl_model_paths *paths, const char *given, wl_error *error)
{
    if (!given && wl_packed_is(&codebook->file)) {
        codebook->tokenizer = wl_tokenizer_open_packed(&codebook->file, error);
        return codebook->tokenizer ? WL_OK : error->code;
    }
    wl_status status = wl_model_find_tokenizer(paths, given, error);
    if (status) return status == WL_ERROR_NOT_FOUND ? WL_OK : status;
    codebook->tokenizer_path = paths->tokenizer;
    paths->tokenizer = NULL;
    codebook->tokenizer = wl_tokenizer_open(codebook->tokenizer_path, error);
    if (!codebook->tokenizer) return error->code;
    if (codebook->tokenizer->file) { /* a packed file was given */
        free(codebook->tokenizer_path);
        codebook->tokenizer_path = NULL;
    }
    return WL_OK;
}

wl_codebook *wl_codebook_open(const char *path, const char *tokenizer, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!path) {
        wl_fail(error, WL_ERROR_ARGUMENT, "wl_codebook_open: no path given");
        return NULL;
    }
    wl_model_paths paths = {0};
    wl_codebook *codebook = wl_allocate(1, sizeof *codebook, error);
    wl_status status = codebook ? wl_model_find_weights(&paths, path, error) : WL_ERROR_MEMORY;
    if (!status) status = wl_safetensors_open(&codebook->file, paths.weights, error);
    if (!status) status = find_table(codebook, error);
    if (!status) status = read_weights(codebook, error);
    if (!status) status = find_tokenizer(codebook, &paths, tokenizer, error);
    wl_model_paths_free(&paths);
    if (!status) return codebook;
    wl_codebook_close(codebook);
    return NULL;
}

void wl_codebook_close(wl_codebook *codebook)
{
    if (!codebook) return;
    wl_tokenizer_close(codebook->tokenizer);
    wl_safetensors_close(&codebook->file);
    free(codebook->tokenizer_path);
    free(codebook->weights);
    free(codebook);
}

wl_codebook_shape wl_codebook_describe(const wl_codebook *codebook)
{
    return (wl_codebook_shape){
        .rows = codebook->rows,
        .dim = codebook->dim,
        .vocabulary = codebook->tokenizer ? wl_tokenizer_ids(codebook->tokenizer) : 0,
        .dtype = wl_dtype_name(codebook->table->dtype),
        .path = codebook->file.path,
    };
}

const wl_tokenizer *wl_codebook_tokenizer(const wl_codebook *codebook)
{
    return codebook->tokenizer;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

wl_text wl_codebook_piece(const wl_codebook *codebook, size_t row)
{
    enum { MOST = 60 };
    static const char none[] = "no token";
    wl_text piece = codebook->tokenizer ? wl_tokenizer_piece(codebook->tokenizer, (uint32_t)row) : (wl_text){NULL, 0};
    if (!piece.data) return (wl_text){none, sizeof none - 1};
    if (piece.size > MOST)
        for (piece.size = MOST; (piece.data[piece.size] & 0xC0) == 0x80;) piece.size--;
    return piece;
}

size_t wl_codebook_block(const wl_codebook *codebook)
{
    size_t rows = BLOCK / codebook->dim;
    if (rows < LEAST_ROWS) rows = LEAST_ROWS;
    return rows < codebook->rows ? rows : codebook->rows;
}

typedef struct reading {
    const wl_codebook *codebook;
    size_t begin;
    const float *mean;
    float *out;
    atomic_bool not_finite;
} reading;

static size_t count_not_finite(const float *row, size_t dim)
{
    size_t count = 0;
    for (size_t i = 0; i < dim; i++) count += (wl_float_bits(row[i]) & 0x7F800000) == 0x7F800000;
    return count;
}

static void read_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    reading *this = user;
    size_t dim = this->codebook->dim;
    float *row = this->out + item * dim;
    wl_codebook_floats(this->codebook, this->begin + item, row);
    if (count_not_finite(row, dim)) atomic_store_explicit(&this->not_finite, true, memory_order_relaxed);
    for (size_t i = 0; this->mean && i < dim; i++) row[i] -= this->mean[i];
}

static wl_status fail_not_finite(const wl_codebook *codebook, const float *rows, size_t begin, wl_error *error)
{
    size_t at = 0;
    while (isfinite(rows[at])) at++;
    size_t row = begin + at / codebook->dim, column = at % codebook->dim;
    wl_text piece = wl_codebook_piece(codebook, row);
    return wl_fail_at(error, WL_ERROR_FORMAT, codebook->file.path,
                      codebook->table->offset + row * codebook->row_size +
                          column * wl_dtype_size(codebook->table->dtype),
                      0, "row %zu (%.*s), column %zu is not a finite number", row, (int)piece.size, piece.data, column);
}

wl_status wl_codebook_read(const wl_codebook *codebook, wl_pool *pool, size_t begin, size_t count, const float *mean,
                           float *out, wl_error *error)
{
    reading this = {.codebook = codebook, .begin = begin, .mean = mean, .out = out};
    wl_pool_run(pool, count, read_row, &this);
    if (!atomic_load_explicit(&this.not_finite, memory_order_relaxed)) return WL_OK;
    return fail_not_finite(codebook, out, begin, error);
}

/* ---- moments ----------------------------------------------------------------------------------------------------- */

wl_moments wl_row_moments(const float *row, size_t dim, double *square)
{
    enum { LANES = 8 };
    double lanes[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= dim; i += LANES)
        for (size_t lane = 0; lane < LANES; lane++) lanes[lane] += (double)row[i + lane];
    for (; i < dim; i++) sum += (double)row[i];
    for (size_t lane = 0; lane < LANES; lane++) sum += lanes[lane];
    *square = wl_vector_dot(WL_ELEMENT_F32, row, row, dim);
    return (wl_moments){(double)dim, sum / (double)dim, fmax(*square - sum * sum / (double)dim, 0)};
}

void wl_moments_add(wl_moments *moments, wl_moments part)
{
    double count = moments->count + part.count, apart = part.mean - moments->mean;
    moments->squares += part.squares + apart * apart * moments->count * part.count / count;
    moments->mean += apart * part.count / count;
    moments->count = count;
}

double wl_moments_deviation(wl_moments moments)
{
    return sqrt(moments.squares / moments.count);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

wl_status wl_codebook_check_tokenizer(const wl_codebook *codebook, wl_error *error)
{
    if (!codebook->tokenizer)
        return wl_fail_at(error, WL_ERROR_NOT_FOUND, codebook->file.path, WL_NO_POSITION, 0,
                          "no tokenizer beside the codebook, expected tokenizer.json or one of the file's own name");
    if (!codebook->tokenizer_path)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, codebook->file.path, WL_NO_POSITION, 0,
                          "has a packed tokenizer: its tokenizer.json is needed, beside it or given");
    size_t ids = wl_tokenizer_ids(codebook->tokenizer);
    if (ids > codebook->rows + SPARE_ROWS || codebook->rows > ids + SPARE_ROWS)
        return wl_fail_at(error, WL_ERROR_MISMATCH, codebook->tokenizer_path, WL_NO_POSITION, 0,
                          "is for another vocabulary: it has %zu ids, the table in %s has %zu rows", ids,
                          codebook->file.path, codebook->rows);
    return WL_OK;
}

wl_status wl_codebook_copy_tokenizer(const wl_codebook *codebook, const char *path, char written[1024], wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, codebook->tokenizer_path, error)) return error->code;
    wl_status status = wl_codebook_write_tokenizer(path, mapping.data, mapping.size, written, error);
    wl_mapping_close(&mapping);
    return status;
}

const char *wl_codebook_name(const wl_codebook *codebook)
{
    const char *slash = strrchr(codebook->file.path, '/');
    return slash ? slash + 1 : codebook->file.path;
}

wl_status wl_codebook_check_target(const wl_codebook *codebook, const char *path, wl_error *error)
{
    if (!wl_same_file(path, codebook->file.path)) return WL_OK;
    return wl_fail_at(error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                      "is the codebook that is read, expected another file to write");
}

wl_pool *wl_codebook_pool(uint32_t threads, wl_error *error)
{
    if (!threads) threads = wl_processors();
    return wl_pool_create(threads < MOST_THREADS ? threads : MOST_THREADS, error);
}

wl_status wl_pass_add(wl_pass *pass, uint64_t rows, wl_error *error)
{
    pass->done += rows;
    if (!pass->progress || pass->progress(pass->user, pass->name, pass->done, pass->total)) return WL_OK;
    return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
}
