/* The weight of a token, gelu(w), and its slope. The exact gelu (Hendrycks and Gimpel 2016): w times the probability
 * that a normal number is below w, as torch.nn.functional.gelu has it by default. */
#ifndef WL_TRAIN_TOKEN_WEIGHTS_H
#define WL_TRAIN_TOKEN_WEIGHTS_H

#include "base/parallel.h"
#include "train/parameters.h"

/* weights[t] = gelu(w[ids[t]]) for begin <= t < end; parameter: w, (rows, 1). Cost: one erfc an id. */
void wl_token_weights_forward(const wl_parameter *parameter, wl_pool *pool, const uint32_t *ids, size_t begin,
                              size_t end, float *weights);
/* Adds slopes[t] * gelu'(w[ids[t]]) to the slope of w[ids[t]], in order of t. What slopes hold is lost. */
void wl_token_weights_backward(const wl_parameter *parameter, wl_pool *pool, const uint32_t *ids, size_t begin,
                               size_t end, float *slopes);

#endif
