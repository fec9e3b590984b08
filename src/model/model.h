/* A model: a mapped table, its tokenizer, and what is done between token ids and rows. */
#ifndef WL_MODEL_MODEL_H
#define WL_MODEL_MODEL_H

#include "text/context.h"
#include "vector/kernels.h"

struct wl_model {
    wl_safetensors file;
    wl_tokenizer *tokenizer;
    const wl_tensor *table; /* (rows, dim) */
    size_t rows, dim;
    wl_policy policy;
    bool normalize;
    bool packed;                       /* the file has the packed form */
    uint32_t *mapping;                 /* row of each token id (vocabulary quantization); NULL: the id itself */
    size_t mapped;                     /* entries of mapping */
    float *weights;                    /* of each token id, F32; NULL: all 1, or wide_weights */
    double *wide_weights;              /* F64 weights are not rounded: the reference sums in F64 then */
    size_t weighted;                   /* entries of weights */
    size_t max_tokens, max_characters; /* 0: unlimited */
    uint32_t dropped;                  /* the id that MODEL2VEC leaves out; WL_NO_ID: none */
};

/* The part of a text that the model looks at: all, or its first max_characters characters. */
wl_text wl_model_cut(const wl_model *model, wl_text text);

/* The rows that ids stand for, by the model's policy, into worker->rows (and worker->weights where the model has F32
 * weights); cuts, drops and clamps. For wide weights worker->rows holds ids instead: see wl_pool_rows. *count: how
 * many. */
wl_status wl_model_rows(const wl_model *model, wl_worker *worker, const uint32_t *ids, size_t id_count, size_t *count,
                        wl_error *error);

/* Mean of count rows, cut to dim columns, as the model's own package computes it; the zero vector for none. */
void wl_pool_rows(const wl_model *model, const wl_worker *worker, size_t count, size_t dim, float *out);
/* Unit length in place; the zero vector stays. */
void wl_make_unit(const wl_model *model, float *vector, size_t dim);

#endif
