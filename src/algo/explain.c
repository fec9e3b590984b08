/* Which tokens make two texts similar. The vector of a text is the mean of its tokens' rows, so that
 *
 *     cos(a, b) = a.b / (|a| |b|) = sum over tokens t of a:  row_t.b / (n |a| |b|)
 *
 * and each term is the token's share: nothing is perturbed or estimated. Where a model rounds its vectors (F16 tables
 * of Model2Vec) the shares are those before the rounding. Cost: a dot product a token. */
#include <math.h>
#include <stdlib.h>

#include "model/model.h"
#include "vector/vectors.h"

struct explanation {
    const wl_model *model;
    wl_context *context;
    wl_embed_options embed;
    size_t dim;
    uint32_t *ids;
    wl_span *spans;
    size_t count;
    float *vectors; /* (3, dim): both texts' and a token's */
};

/* Ids and spans of a text; a token is a byte at least, but a prefix may come before the text. */
static wl_status encode(struct explanation *job, wl_text text, wl_error *error)
{
    enum { PREFIX = 16 };
    wl_encode_options options = {.size = sizeof options, .unit = WL_BYTES};
    size_t capacity = text.size + PREFIX;
    for (;;) {
        job->ids = wl_allocate(capacity, sizeof *job->ids, error);
        job->spans = wl_allocate(capacity, sizeof *job->spans, error);
        if (!job->ids || !job->spans) return WL_ERROR_MEMORY;
        wl_status status = wl_encode(wl_model_tokenizer(job->model), job->context, text, &options, job->ids, job->spans,
                                     capacity, &job->count, error);
        if (status != WL_ERROR_LIMIT || job->count <= capacity) return status;
        capacity = job->count;
        free(job->ids);
        free(job->spans);
        job->ids = NULL;
        job->spans = NULL;
    }
}

static wl_status explain(struct explanation *job, wl_text a, wl_text b, wl_contribution *out, size_t capacity,
                         float *score, wl_error *error)
{
    const wl_model *model = job->model;
    if (encode(job, wl_model_cut(model, a), error)) return error->code;
    job->vectors = wl_allocate(3, job->dim * sizeof *job->vectors, error);
    if (!job->vectors) return WL_ERROR_MEMORY;
    wl_text texts[2] = {a, b};
    float *pooled = job->vectors, *other = pooled + job->dim, *token = other + job->dim;
    if (wl_embed(model, job->context, texts, 2, &job->embed, pooled, 2 * job->dim * sizeof *pooled, error))
        return error->code;
    size_t seen = model->max_tokens && model->max_tokens < job->count ? model->max_tokens : job->count, summed = 0;
    for (size_t i = 0; i < seen; i++) summed += job->ids[i] != model->dropped || model->dropped == WL_NO_ID;
    double lengths = sqrt(wl_vector_dot(WL_ELEMENT_F32, pooled, pooled, job->dim) *
                          wl_vector_dot(WL_ELEMENT_F32, other, other, job->dim));
    *score = wl_cosine(pooled, other, job->dim);
    wl_worker *worker = &job->context->workers[0];
    for (size_t i = 0; i < job->count && i < capacity; i++) {
        out[i] = (wl_contribution){job->ids[i], job->spans[i], 0};
        if (i >= seen || !(lengths > 0)) continue;
        size_t rows; /* 0 where the token is dropped */
        if (wl_model_rows(model, worker, &job->ids[i], 1, &rows, error)) return error->code;
        wl_pool_rows(model, worker, rows, job->dim, token);
        double product = wl_vector_dot(WL_ELEMENT_F32, token, other, job->dim);
        out[i].share = (float)(product / ((double)summed * lengths));
    }
    return WL_OK;
}

wl_status wl_explain(const wl_model *model, wl_context *context, wl_text a, wl_text b, uint32_t dim,
                     wl_contribution *out, size_t capacity, size_t *count, float *score, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!model || !context || !count || !score || (capacity && !out))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_explain: an argument is NULL");
    if ((a.size && !a.data) || (b.size && !b.data))
        return wl_fail(error, WL_ERROR_ARGUMENT, "a text is NULL but not empty");
    struct explanation job = {.model = model, .context = context, .dim = dim ? dim : wl_model_describe(model).dim};
    job.embed = (wl_embed_options){.size = sizeof job.embed, .normalize = WL_OFF, .dim = dim};
    if (!wl_embed_row_size(model, &job.embed))
        return wl_fail(error, WL_ERROR_ARGUMENT, "dimension %u asked for, the model has %zu", dim,
                       wl_model_describe(model).dim);
    wl_status status = explain(&job, a, b, out, capacity, score, error);
    *count = job.count;
    free(job.ids);
    free(job.spans);
    free(job.vectors);
    if (!status && job.count > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu tokens, the buffer holds %zu", job.count, capacity);
    return status;
}
