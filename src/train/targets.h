/* Target vectors to distil from: what one or several teachers say of texts, brought together. */
#ifndef WL_TRAIN_TARGETS_H
#define WL_TRAIN_TARGETS_H

#include "base/parallel.h"
#include "wordllama_train.h"

/* Target rows, mapped. */
typedef struct wl_targets wl_targets;
wl_targets *wl_targets_open(const char *path, const char *tensor, wl_error *error);
void wl_targets_close(wl_targets *targets);
size_t wl_targets_rows(const wl_targets *targets);
size_t wl_targets_dim(const wl_targets *targets);
/* Rows as floats, (count, dim); rows below wl_targets_rows. */
void wl_targets_read(const wl_targets *targets, const uint64_t *rows, size_t count, float *out);

#endif
