/* Which tokens make two texts similar. The vector of a text is the mean of its tokens' rows, so that
 *
 *     cos(a, b) = a.b / (|a| |b|) = sum over tokens t of a:  row_t.b / (n |a| |b|)
 *
 * and each term is the token's share: exact, nothing is perturbed or estimated. Cost: a dot product a token. */
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
    size_t *starts;
    float *rows; /* of each token; then both vectors */
    size_t count;
};

static wl_status encode(struct explanation *job, wl_text text, wl_error *error)
{
    wl_encode_options options = {.size = sizeof options, .unit = WL_BYTES};
    const wl_tokenizer *tokenizer = wl_model_tokenizer(job->model);
    wl_status status = wl_encode(tokenizer, job->context, text, &options, NULL, NULL, 0, &job->count, error);
    if (status && (status != WL_ERROR_LIMIT || job->count == 0)) return status;
    job->ids = wl_allocate(job->count, sizeof *job->ids, error);
    job->spans = wl_allocate(job->count, sizeof *job->spans, error);
    job->starts = wl_allocate(job->count + 1, sizeof *job->starts, error);
    job->rows = wl_allocate(job->count + 2, job->dim * sizeof *job->rows, error);
    if (!job->ids || !job->spans || !job->starts || !job->rows) return error->code;
    for (size_t i = 0; i <= job->count; i++) job->starts[i] = i;
    return wl_encode(tokenizer, job->context, text, &options, job->ids, job->spans, job->count, &job->count, error);
}

static wl_status explain(struct explanation *job, wl_text a, wl_text b, wl_contribution *out, size_t capacity,
                         float *score, wl_error *error)
{
    const wl_model *model = job->model;
    if (encode(job, wl_model_cut(model, a), error)) return error->code;
    wl_text texts[2] = {a, b};
    float *pooled = job->rows + job->count * job->dim, *other = pooled + job->dim;
    size_t row_size = job->dim * sizeof *job->rows;
    if (wl_embed(model, job->context, texts, 2, &job->embed, pooled, 2 * row_size, error) ||
        wl_embed_ids(model, job->context, job->ids, job->starts, job->count, &job->embed, job->rows,
                     job->count * row_size, error))
        return error->code;
    size_t seen = model->max_tokens && model->max_tokens < job->count ? model->max_tokens : job->count,
           pooled_count = 0;
    for (size_t i = 0; i < seen; i++) pooled_count += job->ids[i] != model->dropped || model->dropped == WL_NO_ID;
    double lengths = sqrt(wl_vector_dot(WL_ELEMENT_F32, pooled, pooled, job->dim) *
                          wl_vector_dot(WL_ELEMENT_F32, other, other, job->dim));
    *score = wl_cosine(pooled, other, job->dim);
    for (size_t i = 0; i < job->count && i < capacity; i++) {
        double product = wl_vector_dot(WL_ELEMENT_F32, job->rows + i * job->dim, other, job->dim);
        bool counts = i < seen && lengths > 0;
        float share = counts ? (float)(product / ((double)pooled_count * lengths)) : 0;
        out[i] = (wl_contribution){job->ids[i], job->spans[i], share};
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
    struct explanation job = {.model = model, .context = context, .dim = dim ? dim : wl_model_describe(model).dim};
    job.embed = (wl_embed_options){.size = sizeof job.embed, .normalize = WL_OFF, .dim = dim};
    if (!wl_embed_row_size(model, &job.embed))
        return wl_fail(error, WL_ERROR_ARGUMENT, "dimension %u asked for, the model has %zu", dim,
                       wl_model_describe(model).dim);
    wl_status status = explain(&job, a, b, out, capacity, score, error);
    *count = job.count;
    free(job.ids);
    free(job.spans);
    free(job.starts);
    free(job.rows);
    if (!status && job.count > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu tokens, the buffer holds %zu", job.count, capacity);
    return status;
}
