/* From bags of tokens to vectors, with what is learned in between:
 *   LINEAR  y = W mean(g_t E_t) + b        pooled first, since the mean and a linear map commute
 *   MLP     y = mean(V relu(W g_t E_t + b) + c)   each different token of a batch once, then pooled
 *   TABLE   y = mean(T_t)                  the table itself is learned (StaticEmbedding)
 *   ROTATION  y = Q mean(E_t)              Q orthogonal: what the leading dimensions hold is learned
 * g_t = gelu(w_t), one learned number a token (the exact gelu, by erf), 1 at the start but for stop words; or 1. */
#ifndef WL_TRAIN_PROJECTOR_H
#define WL_TRAIN_PROJECTOR_H

#include "train/bags.h"
#include "train/parameters.h"

typedef enum wl_projector_kind {
    WL_PROJECT_LINEAR,
    WL_PROJECT_MLP,
    WL_PROJECT_TABLE,
    WL_PROJECT_ROTATION
} wl_projector_kind;

typedef struct wl_projector_options {
    wl_projector_kind kind;
    uint32_t dim;             /* of the vectors */
    uint32_t hidden;          /* MLP; 0: dim */
    bool bias, token_weights; /* LINEAR, MLP */
    uint64_t seed;            /* of the start: W as torch.nn.Linear starts (uniform in +-1/sqrt(inputs)), b likewise */
} wl_projector_options;

typedef struct wl_projector wl_projector; /* projector_parts.h */

/* table: the codebook, whose data stays with the caller; for TABLE the start, copied to F32 (its dim is the vectors'
 * then; dim must be that or smaller: the first dims). starts: (rows) what w begins with, or NULL for 1. NULL on
 * failure: WL_ERROR_ARGUMENT: a size that cannot be; WL_ERROR_UNSUPPORTED: a table of another type. */
wl_projector *wl_projector_create(const wl_bag_table *table, const wl_projector_options *options, const float *starts,
                                  wl_error *error);
void wl_projector_free(wl_projector *projector);
/* What is learned: projection.weight (dim, inputs), projection.bias (1, dim), for MLP before them hidden.weight and
 * hidden.bias, token_weights (rows, 1); or table (rows, dim), sparse; or rotation.weight (dim, dim). Values may be
 * written (a checkpoint's), slopes are cleared by wl_projector_clear. Lives as long. */
wl_parameters *wl_projector_parameters(wl_projector *projector);
void wl_projector_clear(wl_projector *projector);
size_t wl_projector_dim(const wl_projector *projector);

/* out: (bags->count, dim). A text without tokens: zeros, without the bias. Keeps what backward needs of this batch:
 * LINEAR the pooled texts, at most 224 MB of them (what is more is pooled again), MLP the hidden layer of each
 * different token. Bags may be cut in parts for memory's sake: call forward, backward for one part, then for the next.
 * WL_ERROR_ARGUMENT: 2^31 texts or more. */
wl_status wl_projector_forward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, float *out,
                               wl_error *error);
/* slopes: (bags->count, dim) of what the last forward gave for the same bags, once; adds to the parameters' slopes. */
wl_status wl_projector_backward(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes,
                                wl_error *error);
/* TABLE: multiplies each row by its length to a power; a row of zeros stays. Others: nothing. */
void wl_projector_scale_rows(wl_projector *projector, double power);
/* TABLE: turns the columns between one of the dims and the next by a random orthogonal matrix; dims: (count),
 * descending, each at most the table's columns. Others: nothing. */
wl_status wl_projector_mix(wl_projector *projector, const uint32_t *dims, size_t count, uint64_t seed, wl_error *error);
/* ROTATION: Q, (dim, dim). Others: WL_ERROR_ARGUMENT. */
wl_status wl_projector_rotation(wl_projector *projector, float *out, wl_error *error);
/* The finished rows of tokens [first, first + count): out: (count, dim): what a model's table holds. A forward of texts
 * of one token each: what the last one kept is lost. */
wl_status wl_projector_rows(wl_projector *projector, wl_pool *pool, size_t first, size_t count, float *out,
                            wl_error *error);

/* Starting weights: 1 for every token, `weight` for those that are a stop word of more than one character: the piece
 * itself, and unless bare_only with the mark of a space in front ("▁the", "Ġthe", " the"). starts: (rows). words:
 * UTF-8, NULL ends them; NULL: the English ones (stop_words.h). */
#include "wordllama.h"
void wl_stop_word_starts(const wl_tokenizer *tokenizer, const char *const *words, float weight, bool bare_only,
                         float *starts, size_t rows);

#endif
