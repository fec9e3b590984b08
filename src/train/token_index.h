/* Bags turned around: the different tokens of some texts, and for each the texts that hold it. With it, slopes of texts
 * become those of tokens without two threads meeting at one row. */
#ifndef WL_TRAIN_TOKEN_INDEX_H
#define WL_TRAIN_TOKEN_INDEX_H

#include "train/bags.h"

/* Zero-initialized is empty. */
typedef struct wl_token_index {
    size_t rows;      /* of the table */
    uint32_t *counts; /* (rows), and marks, a bit for each row: scratch */
    uint64_t *marks;
    size_t capacity; /* of the arrays below */
    size_t count;
    uint32_t *tokens; /* (count), ascending, each once */
    uint64_t *starts; /* (count + 1) */
    uint32_t *texts;  /* occurrences [starts[i], starts[i + 1]) of token i: the texts, ascending, */
    float *shares;    /* and 1 / the number of tokens of each: what the token's row counts in the mean */
    uint32_t *places; /* for each of the bags' ids: where it stands in tokens */
} wl_token_index;

wl_status wl_token_index_create(wl_token_index *index, size_t rows, wl_error *error);
void wl_token_index_free(wl_token_index *index);

/* Replaces what was there; fewer than 2^32 texts. A counting sort: two passes over the ids, one over the marks. */
wl_status wl_token_index_build(wl_token_index *index, const wl_bags *bags, wl_error *error);

/* sum[0..width) = sum over the occurrences of token i, in order, of share * slopes[text][column..column + width).
 * slopes: (texts, dim). */
void wl_token_index_sum(const wl_token_index *index, size_t i, const float *slopes, size_t dim, size_t column,
                        size_t width, float *sum);

#endif
