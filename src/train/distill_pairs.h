/* The losses of distillation that look at all pairs of a batch. */
#ifndef WL_TRAIN_DISTILL_PAIRS_H
#define WL_TRAIN_DISTILL_PAIRS_H

#include "train/losses.h"

/* wl_distill_loss for WL_DISTILL_SIMILARITIES and, with distributions, for WL_DISTILL_DISTRIBUTIONS. Fewer than two
 * texts have no pairs: the loss is 0. Memory: tiles of at most 256 rows of the batch, two and one more for each dim of
 * the nest. Cost: the products of a batch with itself, 2 count^2 (target_dim + 2 dim) operations, 2 dim more with
 * distributions, and with them count^2 exponentials for the targets and for each dim of the nest. */
wl_status wl_distill_pairs(wl_pool *pool, bool distributions, const float *vectors, bool signs, const float *targets,
                           size_t count, size_t dim, size_t target_dim, const wl_nest *nest, float temperature,
                           float weight, float *slopes, double *loss, wl_error *error);

#endif
