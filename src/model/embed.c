/* The public calls: texts, ids or a stream to vectors, on the context's threads. */
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "text/unicode/utf8.h"
#include "vector/ops.h"

/* What an embedding call does, checked. */
struct plan {
    const wl_model *model;
    wl_context *context;
    wl_embed_options options;
    size_t dim, row_size;
    bool normalize, binary;
};

static wl_status make_plan(struct plan *plan, const wl_model *model, const wl_embed_options *options, wl_error *error)
{
    if (!model) return wl_fail(error, WL_ERROR_ARGUMENT, "no model given");
    wl_embed_options chosen;
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_embed_options", error)) return error->code;
    if (chosen.dim > model->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT, "dimension %u asked for, the model has %zu", chosen.dim, model->dim);
    plan->model = model;
    plan->options = chosen;
    plan->dim = chosen.dim ? chosen.dim : model->dim;
    plan->binary = chosen.binary;
    plan->normalize = chosen.normalize == WL_DEFAULT ? model->normalize : chosen.normalize == WL_ON;
    plan->row_size = chosen.binary ? (plan->dim + 7) / 8 : plan->dim * sizeof(float);
    return WL_OK;
}

static wl_status begin(struct plan *plan, const wl_model *model, wl_context *context, const wl_embed_options *options,
                       wl_error *error)
{
    if (!context) return wl_fail(error, WL_ERROR_ARGUMENT, "no context given");
    plan->context = context;
    return make_plan(plan, model, options, error);
}

size_t wl_embed_row_size(const wl_model *model, const wl_embed_options *options)
{
    struct plan plan = {0};
    wl_error unused;
    return make_plan(&plan, model, options, &unused) ? 0 : plan.row_size;
}

/* Pooled vector to output row. */
static void finish(const struct plan *plan, float *vector, void *out)
{
    if (plan->binary) {
        wl_binarize(vector, plan->dim, out);
        return;
    }
    if (plan->normalize) wl_make_unit(plan->model, vector, plan->dim);
    if ((void *)vector != out) memcpy(out, vector, plan->row_size);
}

static wl_status embed_ids(const struct plan *plan, wl_worker *worker, const uint32_t *ids, size_t id_count, void *out,
                           wl_error *error)
{
    size_t count;
    if (wl_model_rows(plan->model, worker, ids, id_count, &count, error)) return error->code;
    float *vector = out;
    if (plan->binary) {
        worker->values.size = 0;
        if (wl_buffer_reserve(&worker->values, plan->dim * sizeof(float), error)) return error->code;
        vector = (float *)(void *)worker->values.data;
    }
    wl_pool_rows(plan->model, worker, count, plan->dim, vector);
    finish(plan, vector, out);
    worker->counts.texts++;
    worker->counts.tokens += count;
    return WL_OK;
}

wl_text wl_model_cut(const wl_model *model, wl_text text)
{
    size_t limit = model->max_characters;
    if (!limit || text.size <= limit) return text;
    /* Characters are counted only until the limit; an ill-formed byte counts as one, near enough for a cut. */
    size_t at = 0;
    for (size_t left = limit; at < text.size && left; left--) {
        at++;
        while (at < text.size && ((unsigned char)text.data[at] & 0xC0) == 0x80) at++;
    }
    return (wl_text){text.data, at};
}

/* A text's tokens, cut in characters first where the model's package does so. */
static wl_status tokenize(const wl_model *model, wl_worker *worker, wl_text text, wl_error *error)
{
    wl_text cut = wl_model_cut(model, text);
    if (cut.size < text.size) worker->counts.truncated++;
    return wl_tokenize(model->tokenizer, cut, false, &worker->text, error);
}

static wl_status embed_text(const struct plan *plan, wl_worker *worker, wl_text text, void *out, wl_error *error)
{
    if (text.size && !text.data) return wl_fail(error, WL_ERROR_ARGUMENT, "a text is NULL but not empty");
    if (tokenize(plan->model, worker, text, error)) return error->code;
    const wl_tokens *tokens = &worker->text.tokens;
    return embed_ids(plan, worker, tokens->ids, tokens->count, out, error);
}

/* ---- batches ---- */

struct batch {
    struct plan plan;
    const wl_text *texts; /* or, when NULL, ids and starts */
    const uint32_t *ids;
    const size_t *starts;
    size_t count, group; /* texts; texts an item of work */
    char *out;
};

static void embed_group(void *user, uint32_t index, size_t item)
{
    const struct batch *batch = user;
    wl_worker *worker = &batch->plan.context->workers[index];
    size_t begin = item * batch->group;
    size_t end = batch->count - begin < batch->group ? batch->count : begin + batch->group;
    for (size_t i = begin; i < end; i++) {
        wl_error error;
        char *out = batch->out + i * batch->plan.row_size;
        wl_status status;
        if (batch->texts)
            status = embed_text(&batch->plan, worker, batch->texts[i], out, &error);
        else
            status = embed_ids(&batch->plan, worker, batch->ids + batch->starts[i],
                               batch->starts[i + 1] - batch->starts[i], out, &error);
        if (status) {
            wl_worker_fail(worker, i, &error);
            return;
        }
    }
}

static wl_status run_batch(struct batch *batch, wl_error *error)
{
    /* Groups are small enough to spread unequal texts, large enough that handing them out costs nothing. */
    size_t groups = (size_t)wl_context_threads(batch->plan.context) * 16;
    batch->group = batch->count / groups + 1;
    if (batch->group > 64) batch->group = 64;
    return wl_context_run(batch->plan.context, (batch->count + batch->group - 1) / batch->group, embed_group, batch,
                          error);
}

static wl_status check_out(const struct plan *plan, size_t count, const void *out, size_t out_size, wl_error *error)
{
    size_t needed;
    if (__builtin_mul_overflow(count, plan->row_size, &needed) || (count && !out) || needed > out_size)
        return wl_fail(error, WL_ERROR_LIMIT, "%zu rows of %zu bytes do not fit a buffer of %zu bytes", count,
                       plan->row_size, out ? out_size : 0);
    return WL_OK;
}

wl_status wl_embed(const wl_model *model, wl_context *context, const wl_text *texts, size_t count,
                   const wl_embed_options *options, void *out, size_t out_size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct batch batch = {.out = out};
    if (begin(&batch.plan, model, context, options, error) || check_out(&batch.plan, count, out, out_size, error))
        return error->code;
    if (count && !texts) return wl_fail(error, WL_ERROR_ARGUMENT, "no texts given");
    /* With a progress callback the work is cut into slices between which it is called. */
    wl_progress progress = batch.plan.options.progress;
    size_t slice = progress ? 16384 : count;
    uint64_t bytes = 0;
    for (size_t begin = 0; begin < count; begin += slice) {
        batch.texts = texts + begin;
        batch.count = count - begin < slice ? count - begin : slice;
        batch.out = (char *)out + begin * batch.plan.row_size;
        if (run_batch(&batch, error)) return error->code;
        if (!progress) continue;
        for (size_t i = 0; i < batch.count; i++) bytes += batch.texts[i].size;
        if (!progress(batch.plan.options.user, begin + batch.count, bytes))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
    }
    return WL_OK;
}

wl_status wl_embed_ids(const wl_model *model, wl_context *context, const uint32_t *ids, const size_t *starts,
                       size_t count, const wl_embed_options *options, void *out, size_t out_size, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct batch batch = {.ids = ids, .starts = starts, .count = count, .out = out};
    if (begin(&batch.plan, model, context, options, error) || check_out(&batch.plan, count, out, out_size, error))
        return error->code;
    if (count && !starts) return wl_fail(error, WL_ERROR_ARGUMENT, "no starts given");
    for (size_t i = 0; i < count; i++)
        if (starts[i] > starts[i + 1]) return wl_fail(error, WL_ERROR_ARGUMENT, "starts[%zu] is not ascending", i + 1);
    if (count && starts[count] > starts[0] && !ids) return wl_fail(error, WL_ERROR_ARGUMENT, "no ids given");
    return count ? run_batch(&batch, error) : WL_OK;
}

wl_status wl_embed_tokens(const wl_model *model, wl_context *context, wl_text text, const wl_embed_options *options,
                          void *out, size_t capacity, size_t *rows, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct plan plan = {0};
    if (begin(&plan, model, context, options, error)) return error->code;
    if (!rows || (capacity && !out) || (text.size && !text.data))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_embed_tokens: an argument is NULL");
    plan.normalize = plan.options.normalize == WL_ON;
    wl_worker *worker = &context->workers[0];
    if (tokenize(model, worker, text, error) ||
        wl_model_rows(model, worker, worker->text.tokens.ids, worker->text.tokens.count, rows, error))
        return error->code;
    worker->values.size = 0;
    if (wl_buffer_reserve(&worker->values, plan.dim * sizeof(float), error)) return error->code;
    float *vector = (float *)(void *)worker->values.data;
    size_t count = *rows < capacity ? *rows : capacity;
    /* One token is a mean of one: the rows are moved to the front in turn. */
    for (size_t i = 0; i < count; i++) {
        worker->rows[0] = worker->rows[i];
        if (model->weights) worker->weights[0] = worker->weights[i];
        wl_pool_rows(model, worker, 1, plan.dim, vector);
        finish(&plan, vector, (char *)out + i * plan.row_size);
    }
    worker->counts.texts++;
    worker->counts.tokens += *rows;
    if (*rows > capacity)
        return wl_fail(error, WL_ERROR_LIMIT, "the text has %zu tokens, the buffer holds %zu rows", *rows, capacity);
    return WL_OK;
}

/* ---- streams ---- */

#define STREAM_TEXTS 4096
#define STREAM_BYTES (1u << 20)

/* A batch being filled: texts copied one behind the other, since a source keeps only its last one. */
struct window {
    wl_buffer bytes;
    size_t ends[STREAM_TEXTS];
    wl_text texts[STREAM_TEXTS];
    size_t count;
};

/* Reads texts until the window is full; *more says whether the source may have another. */
static wl_status fill(struct window *window, wl_source source, bool *more, wl_error *error)
{
    window->count = window->bytes.size = 0;
    while (window->count < STREAM_TEXTS && window->bytes.size < STREAM_BYTES) {
        wl_text text;
        error->code = WL_OK; /* a source that fails may forget to say how */
        int got = source.next(source.user, &text, error);
        *more = got > 0;
        if (got < 0) return error->code ? error->code : wl_fail(error, WL_ERROR_IO, "the source failed");
        if (got == 0) break;
        if (text.size && !text.data) return wl_fail(error, WL_ERROR_ARGUMENT, "a text is NULL but not empty");
        if (wl_buffer_append(&window->bytes, text.data, text.size, error)) return error->code;
        window->ends[window->count++] = window->bytes.size;
    }
    for (size_t i = 0, begin = 0; i < window->count; begin = window->ends[i++])
        window->texts[i] = (wl_text){window->bytes.data + begin, window->ends[i] - begin};
    return WL_OK;
}

wl_status wl_embed_stream(const wl_model *model, wl_context *context, wl_source source, wl_sink sink,
                          const wl_embed_options *options, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct batch batch = {0};
    if (begin(&batch.plan, model, context, options, error)) return error->code;
    if (!source.next || !sink.write) return wl_fail(error, WL_ERROR_ARGUMENT, "no source or no sink given");
    struct window *window = wl_allocate(1, sizeof *window, error);
    if (!window) return error->code;
    size_t rows = STREAM_TEXTS; /* output is bounded too */
    while (rows > 1 && rows * batch.plan.row_size > 4 * STREAM_BYTES) rows /= 2;
    char *out = wl_allocate(rows, batch.plan.row_size, error);
    wl_status status = out ? WL_OK : error->code;
    const wl_embed_options *given = &batch.plan.options;
    uint64_t texts = 0, bytes = 0;
    for (bool more = true; more && !status;) {
        status = fill(window, source, &more, error);
        for (size_t begin = 0; begin < window->count && !status; begin += batch.count) {
            batch.texts = window->texts + begin;
            batch.count = window->count - begin < rows ? window->count - begin : rows;
            batch.out = out;
            status = run_batch(&batch, error);
            if (!status) status = sink.write(sink.user, batch.texts, out, batch.count, batch.plan.row_size, error);
        }
        texts += window->count;
        bytes += window->bytes.size;
        if (!status && given->progress && !given->progress(given->user, texts, bytes))
            status = wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
    }
    free(out);
    wl_buffer_free(&window->bytes);
    free(window);
    return status;
}
