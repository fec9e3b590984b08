/* The state of a run in a file: what is learned, the optimizer's moments, where the data is. A run that goes on from it
 * ends with the same bits as one that was never interrupted. */
#ifndef WL_TRAIN_CHECKPOINT_H
#define WL_TRAIN_CHECKPOINT_H

#include "train/optimizer.h"

typedef struct wl_checkpoint {
    uint64_t step;      /* steps done */
    uint64_t batches;   /* batches taken */
    double best;        /* best score of an evaluation so far; NaN: none */
    uint64_t best_step; /* where it was */
    uint64_t scored;    /* steps done at the last evaluation; UINT64_MAX: none yet */
} wl_checkpoint;

/* The file at path is replaced when the new one is complete: a safetensors file with NAME, NAME.first, NAME.second and
 * NAME.average of each parameter. arguments: what the run follows from, as text. optimizer NULL: values alone. */
wl_status wl_checkpoint_write(const char *path, const wl_parameters *parameters, wl_optimizer *optimizer,
                              const wl_checkpoint *checkpoint, const char *arguments, wl_error *error);

/* Reads it back into parameters and optimizer. WL_ERROR_NOT_FOUND: there is none. WL_ERROR_MISMATCH: it is of a run
 * with other arguments (the first that differs is named), or of other shapes; nothing has changed then. */
wl_status wl_checkpoint_read(const char *path, const wl_parameters *parameters, wl_optimizer *optimizer,
                             wl_checkpoint *checkpoint, const char *arguments, wl_error *error);

#endif
