/* The model as it is, on evaluation sets: texts are tokenized and go the way of a batch, whole. */
#include <math.h>
#include <stdlib.h>

#include "train/run.h"

/* ---- embedding --------------------------------------------------------------------------------------------------- */

typedef struct encoding {
    uint32_t *ids;
    size_t *begins; /* (count + 1) */
    uint64_t *starts;
} encoding;

static wl_status encode(wl_run *run, const wl_text *texts, size_t count, encoding *out, wl_error *error)
{
    const wl_tokenizer *tokenizer = run->codebook->tokenizer;
    size_t room = 4 * count;
    for (size_t i = 0; i < count; i++) room += texts[i].size;
    out->begins = wl_allocate(count + 1, sizeof *out->begins, error);
    out->starts = out->begins ? wl_allocate(count + 1, sizeof *out->starts, error) : NULL;
    out->ids = out->starts ? wl_allocate(room, sizeof *out->ids, error) : NULL;
    if (!out->ids) return WL_ERROR_MEMORY;
    wl_status status =
        wl_encode_batch(tokenizer, run->context, texts, count, NULL, out->ids, NULL, room, out->begins, error);
    /* Rarely a text has more tokens than bytes. */
    if (status == WL_ERROR_LIMIT && out->begins[count] > room) {
        room = out->begins[count];
        free(out->ids);
        out->ids = wl_allocate(room, sizeof *out->ids, error);
        if (!out->ids) return WL_ERROR_MEMORY;
        status = wl_encode_batch(tokenizer, run->context, texts, count, NULL, out->ids, NULL, room, out->begins, error);
    }
    if (status) return status;
    for (size_t i = 0; i <= count; i++) out->starts[i] = out->begins[i];
    for (size_t i = 0; i < out->begins[count]; i++) /* as the finished model has it */
        if (out->ids[i] >= run->table.rows) out->ids[i] = (uint32_t)(run->table.rows - 1);
    return WL_OK;
}

static wl_status embed(void *user, const wl_text *texts, size_t count, float *out, wl_error *error)
{
    wl_run *run = user;
    encoding of = {0};
    wl_status status = encode(run, texts, count, &of, error);
    wl_bags bags = {of.ids, of.starts, count};
    if (!status) status = wl_projector_forward(run->projector, run->context->pool, &bags, out, error);
    free(of.ids);
    free(of.begins);
    free(of.starts);
    return status;
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

size_t wl_run_variants(const wl_run *run, wl_variant variants[WL_MOST_VARIANTS])
{
    const wl_train_counts *dims = &run->config.matryoshka;
    size_t count = 0;
    for (int binary = 0; binary <= (run->config.binarizer != WL_BINARIZE_NONE); binary++)
        for (size_t i = 0; i < dims->count && count < WL_MOST_VARIANTS; i++)
            variants[count++] = (wl_variant){dims->items[i], binary};
    return count;
}

static bool go_on(void *user, uint64_t texts, uint64_t bytes)
{
    wl_run *run = user;
    (void)texts;
    (void)bytes;
    wl_train_state state = {.step = run->state.step, .steps = run->steps, .loss = NAN, .score = NAN};
    return !run->options.progress || run->options.progress(run->options.user, &state);
}

wl_status wl_run_score(wl_run *run, wl_evaluation **evaluation, double *mean)
{
    wl_variant variants[WL_MOST_VARIANTS];
    wl_embedder embedder = {.dim = wl_projector_dim(run->projector), .embed = embed, .user = run};
    wl_evaluate_options options = {
        .size = sizeof options,
        .variants = variants,
        .variant_count = wl_run_variants(run, variants),
        .progress = go_on,
        .user = run,
    };
    *evaluation = wl_evaluate(run->sets, &embedder, run->context, &options, run->error);
    if (!*evaluation) return run->error->code;
    double sum = 0;
    size_t count = 0;
    bool binary = run->config.binarizer != WL_BINARIZE_NONE;
    for (size_t i = 0; i < options.variant_count; i++) {
        if (variants[i].binary != binary) continue;
        sum += wl_evaluation_mean(*evaluation, NULL, i);
        count++;
    }
    *mean = sum / (double)count;
    return WL_OK;
}
