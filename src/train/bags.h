/* Texts as bags of tokens over a frozen table of token embeddings, and their means. */
#ifndef WL_TRAIN_BAGS_H
#define WL_TRAIN_BAGS_H

#include "base/parallel.h"
#include "format/safetensors.h"

/* Rows of F16, BF16 or F32: those of a large codebook are mapped, and never expanded. */
typedef struct wl_bag_table {
    const void *data; /* (rows, dim), aligned to an element */
    wl_dtype dtype;
    size_t rows, dim;
} wl_bag_table;

/* Text i has ids[starts[i]..starts[i + 1]), all below the table's rows. A text may have none: its mean is zero. The
 * texts [i, j) of some bags are bags themselves: the same ids, starts + i, and count j - i. */
typedef struct wl_bags {
    const uint32_t *ids;
    const uint64_t *starts; /* (count + 1), ascending */
    size_t count;
} wl_bags;

/* out[i] = mean over the text's tokens t of weights[t] * row ids[t] of the table; out: (count, dim) floats; weights:
 * for each of ids, or NULL for 1. F32 sums in token order. Cost: a gather of all rows. The same bits for any number of
 * threads and any processor. */
void wl_bags_pool(wl_pool *pool, const wl_bag_table *table, const wl_bags *bags, const float *weights, float *out);

/* The slopes of weights from those of out, (count, dim): for each token t of text i, slopes[t] = (row ids[t] .
 * out_slopes[i]) / tokens of i. slopes: for each of ids. Cost: the same gather. The same bits likewise. */
void wl_bags_weight_slopes(wl_pool *pool, const wl_bag_table *table, const wl_bags *bags, const float *out_slopes,
                           float *slopes);

/* Rows of the table as floats: out: (count, dim). */
void wl_bag_table_rows(const wl_bag_table *table, const uint32_t *rows, size_t count, float *out);

#endif
