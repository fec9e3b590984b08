/* Writing a codebook row by row: a safetensors file with the tensor embedding.weight, which is never in memory as a
 * whole and takes its name when it is complete. */
#ifndef WL_EXTRACT_CODEBOOK_WRITE_H
#define WL_EXTRACT_CODEBOOK_WRITE_H

#include "base/file.h"
#include "wordllama_train.h"

typedef struct wl_codebook_writer {
    wl_replacement file;
    wl_stored_as stored_as;
    uint64_t rows, dim;
    uint64_t written; /* rows so far */
    uint16_t *halves; /* numbers on their way out; NULL for F32 */
} wl_codebook_writer;

/* Begins the file at path for (rows, dim) numbers, both at least 1. metadata: key, value, key, value, ...; pairs: how
 * many. After a failure there is nothing to commit; wl_codebook_writer_abandon is harmless then. */
wl_status wl_codebook_writer_open(wl_codebook_writer *writer, const char *path, uint64_t rows, uint64_t dim,
                                  wl_stored_as stored_as, const char *const *metadata, size_t pairs, wl_error *error);
/* Appends count rows, (count, dim) floats, rounded to nearest even. NaN and infinities are written as they are; a
 * finite number that F16 or BF16 cannot hold is WL_ERROR_LIMIT. */
wl_status wl_codebook_writer_rows(wl_codebook_writer *writer, const float *rows, size_t count, wl_error *error);
/* Gives the file its name; all rows must have come. On failure nothing is left, and a file that was there stays. */
wl_status wl_codebook_writer_commit(wl_codebook_writer *writer, wl_error *error);
/* Leaves nothing behind. Harmless after a commit, a failed open and on a zeroed writer. */
void wl_codebook_writer_abandon(wl_codebook_writer *writer);

/* The size of a buffer for the path of a tokenizer. */
enum { WL_TOKENIZER_PATH = 1024 };

/* Puts a tokenizer.json where the readers of a codebook look for it: STEM.tokenizer.json where there is one already,
 * else tokenizer.json in the codebook's folder, or STEM.tokenizer.json where another tokenizer.json lies there, which
 * belongs to others and stays. STEM is the file's name without .safetensors. What is there with the same bytes is not
 * written again. written: the path. */
wl_status wl_codebook_write_tokenizer(const char *codebook_path, const char *json, size_t size,
                                      char written[WL_TOKENIZER_PATH], wl_error *error);

#endif
