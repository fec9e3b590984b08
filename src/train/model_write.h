/* A model's table, written a block of rows at a time: F16, or I8 with a scale for each row. */
#ifndef WL_TRAIN_MODEL_WRITE_H
#define WL_TRAIN_MODEL_WRITE_H

#include "base/file.h"

/* What is in the file: the table, (rows, dim), as F16; or as I8, and `weights`, (rows) F32: the factor of each row. */
typedef enum wl_save_as { WL_SAVE_F16, WL_SAVE_I8 } wl_save_as;

typedef struct wl_model_shape {
    const char *table; /* what the tensor is called: "embedding.weight", "embeddings" */
    uint64_t rows;
    uint32_t dim;
    wl_save_as save_as;
} wl_model_shape;

typedef struct wl_model_writer {
    wl_model_shape shape;
    wl_replacement file;
    uint64_t written;             /* rows so far */
    void *numbers;                /* (dim) on their way out */
    float *scales;                /* (rows), of I8 */
    uint64_t table_at, scales_at; /* bytes from the file's begin */
} wl_model_writer;

/* Begins the file at path. metadata: key, value, key, value, ...; pairs: how many. shape.table must live as long as the
 * writer. After a failure wl_model_writer_abandon is harmless. */
wl_status wl_model_writer_open(wl_model_writer *writer, const char *path, const wl_model_shape *shape,
                               const char *const *metadata, size_t pairs, wl_error *error);
/* Appends count rows: the first dim numbers of each; stride: numbers from one row to the next. A number that is not
 * finite, or that F16 cannot hold, is WL_ERROR_LIMIT. */
wl_status wl_model_writer_rows(wl_model_writer *writer, const float *rows, size_t stride, size_t count,
                               wl_error *error);
/* What is left to write, when all rows have come: a full disk is noticed here, while no file has its name yet. */
wl_status wl_model_writer_finish(wl_model_writer *writer, wl_error *error);
/* Gives the finished file its name. */
wl_status wl_model_writer_commit(wl_model_writer *writer, wl_error *error);
/* Leaves nothing behind. Harmless after a commit, a failed open and on a zeroed writer. */
void wl_model_writer_abandon(wl_model_writer *writer);

#endif
