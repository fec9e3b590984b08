/* Target vectors to distil from: what one or several teachers say of texts, brought together. */
#ifndef WL_TRAIN_TARGETS_H
#define WL_TRAIN_TARGETS_H

#include "base/parallel.h"
#include "wordllama_train.h"

/* A teacher's vectors: a .npy (F32, F16; C order) or a safetensors file with one 2-dimensional tensor (or the one
 * named), a row for each text, in the order of the texts of a prepared file. Mapped. */
typedef struct wl_teacher {
    const char *path;
    const char *tensor; /* NULL: the only one */
    double weight;      /* of its unit vectors in the concatenation: each is scaled by sqrt(weight); 0 counts as 1 */
} wl_teacher;

typedef struct wl_targets_options {
    uint32_t dim;     /* after PCA; 0: no PCA, the concatenation itself */
    double whitening; /* each component times eigenvalue^-whitening; 0: none; 0.5: all of it */
    bool centre;
    uint32_t threads;
} wl_targets_options;

/* Unit vectors of each teacher side by side, centred, rotated to their principal components, partly whitened, unit
 * again: written to path as safetensors with the tensor `targets`, F32 (texts, dim), streamed in blocks. All teachers
 * have equally many rows. */
wl_status wl_make_targets(const wl_teacher *teachers, size_t count, const char *path, const wl_targets_options *options,
                          wl_error *error);

/* Target rows, mapped. */
typedef struct wl_targets wl_targets;
wl_targets *wl_targets_open(const char *path, const char *tensor, wl_error *error);
void wl_targets_close(wl_targets *targets);
size_t wl_targets_rows(const wl_targets *targets);
size_t wl_targets_dim(const wl_targets *targets);
/* Rows as floats, (count, dim); rows below wl_targets_rows. */
void wl_targets_read(const wl_targets *targets, const uint64_t *rows, size_t count, float *out);

#endif
