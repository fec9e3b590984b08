/* A codebook open for reading: its table by blocks of floats, its tokenizer. */
#ifndef WL_EXTRACT_CODEBOOK_H
#define WL_EXTRACT_CODEBOOK_H

#include "base/parallel.h"
#include "extract/encoding.h"
#include "format/safetensors.h"
#include "text/tokenizer.h"
#include "wordllama_train.h"

struct wl_codebook {
    wl_safetensors file;
    const wl_tensor *table; /* (rows, dim) */
    const wl_encoding *encoding;
    size_t rows, dim;
    size_t row_size;         /* bytes */
    float *weights;          /* (rows), which the rows count times: a finished model's; NULL: none */
    wl_tokenizer *tokenizer; /* NULL: none */
    char *tokenizer_path;    /* of a tokenizer.json; NULL: none, or in the packed file */
};

/* Rows to read at a time: as many as make 16 MB of floats, at least 64. By the shape alone, so that sums over blocks do
 * not depend on anything else. */
size_t wl_codebook_block(const wl_codebook *codebook);

static inline const unsigned char *wl_codebook_row(const wl_codebook *codebook, size_t row)
{
    return (const unsigned char *)codebook->table->data + row * codebook->row_size;
}

/* The piece of a row's token for messages, at most 60 bytes of whole characters; "no token" where there is none. */
wl_text wl_codebook_piece(const wl_codebook *codebook, size_t row);

/* One row as floats, exactly (F64 rounded to nearest even), times its weight. */
static inline void wl_codebook_floats(const wl_codebook *codebook, size_t row, float *out)
{
    codebook->encoding->decode(wl_codebook_row(codebook, row), codebook->dim, out);
    for (size_t i = 0; codebook->weights && i < codebook->dim; i++) out[i] *= codebook->weights[row];
}

/* Rows [begin, begin + count) to out, (count, dim) floats, less mean, (dim) floats, where that is not NULL. A NaN or an
 * infinity is WL_ERROR_FORMAT, of the first row that has one. */
wl_status wl_codebook_read(const wl_codebook *codebook, wl_pool *pool, size_t begin, size_t count, const float *mean,
                           float *out, wl_error *error);

/* Mean and squared deviations of numbers, put together part by part (Chan, Golub, LeVeque, 1983). */
typedef struct wl_moments {
    double count, mean, squares; /* squares: sum of the squared differences from the mean */
} wl_moments;

/* Those of a row; *square: its squared length. Summed in F64 in a fixed order. */
wl_moments wl_row_moments(const float *row, size_t dim, double *square);
void wl_moments_add(wl_moments *moments, wl_moments part);
/* The standard deviation, of all numbers, not of a sample. */
double wl_moments_deviation(wl_moments moments);

/* Whether there is a tokenizer.json to copy, of the table's size: WL_ERROR_NOT_FOUND where there is no tokenizer,
 * WL_ERROR_UNSUPPORTED where it is packed, WL_ERROR_MISMATCH where sizes are further apart than a model's may be. */
wl_status wl_codebook_check_tokenizer(const wl_codebook *codebook, wl_error *error);
/* Writes it beside another file: see wl_codebook_write_tokenizer. */
wl_status wl_codebook_copy_tokenizer(const wl_codebook *codebook, const char *path, char written[1024],
                                     wl_error *error);
/* The file's name without its folder, as it goes into metadata. */
const char *wl_codebook_name(const wl_codebook *codebook);
/* WL_ERROR_ARGUMENT where path is the codebook's own file. */
wl_status wl_codebook_check_target(const wl_codebook *codebook, const char *path, wl_error *error);

/* A pool of that many threads, 0: of as many as the process may use, 1024 at most. */
wl_pool *wl_codebook_pool(uint32_t threads, wl_error *error);

/* Rows read so far in all passes over a table, and who is told. */
typedef struct wl_pass {
    wl_pull_progress progress; /* NULL: nobody */
    void *user;
    const char *name;
    uint64_t done, total;
} wl_pass;

/* More rows are done; WL_ERROR_CANCELLED where progress says so. */
wl_status wl_pass_add(wl_pass *pass, uint64_t rows, wl_error *error);

#endif
