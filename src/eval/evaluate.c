/* Running the sets: each one's texts are embedded once, then scored in every variant. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/tasks.h"
#include "vector/ops.h"

enum { BATCH = 4096 }; /* texts between two reports */

typedef struct run {
    wl_evaluation *evaluation;
    const wl_embedder *embedder;
    wl_task_run task;
    float *vectors; /* (texts, dim) of one set */
    void *cut;      /* what a variant makes of them */
    float *unit;    /* the same at unit length */
} run;

/* ---- embedding --------------------------------------------------------------------------------------------------- */

static wl_status embed_with_model(void *user, const wl_text *texts, size_t count, float *out, wl_error *error)
{
    const wl_model_user *this = user;
    wl_embed_options options = {.size = sizeof options, .normalize = WL_OFF};
    size_t row = wl_embed_row_size(this->model, &options);
    return wl_embed(this->model, this->context, texts, count, &options, out, count * row, error);
}

wl_embedder wl_model_embedder(wl_model_user *user)
{
    return (wl_embedder){.dim = wl_model_describe(user->model).dim, .embed = embed_with_model, .user = user};
}

static wl_status report(run *this, uint64_t more, wl_error *error)
{
    this->task.done += more;
    if (!this->task.progress || this->task.progress(this->task.user, this->task.done, 0)) return WL_OK;
    return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
}

static wl_status embed(run *this, const wl_set *set, wl_error *error)
{
    const wl_embedder *embedder = this->embedder;
    for (size_t at = 0; at < set->text_count; at += BATCH) {
        size_t count = set->text_count - at < BATCH ? set->text_count - at : BATCH;
        float *out = this->vectors + at * embedder->dim;
        if (embedder->embed(embedder->user, set->texts + at, count, out, error)) return error->code;
        for (size_t i = 0; i < count * embedder->dim; i++)
            if (!isfinite(out[i]))
                return wl_fail_at(
                    error, WL_ERROR_FORMAT, set->path, WL_NO_POSITION, 0,
                    "the model's vector of text %zu is not finite: '%.*s'", at + i / embedder->dim,
                    (int)(set->texts[at + i / embedder->dim].size < 60 ? set->texts[at + i / embedder->dim].size : 60),
                    set->texts[at + i / embedder->dim].data);
        if (report(this, count, error)) return error->code;
    }
    return WL_OK;
}

/* ---- variants ---------------------------------------------------------------------------------------------------- */

/* The rows of a variant, into cut, and at unit length into unit where the task wants that. */
static wl_status view_rows(run *this, const wl_set *set, wl_variant variant, wl_view *view, wl_error *error)
{
    size_t full = this->embedder->dim, dim = variant.dim, size = (dim + 7) / 8;
    float *floats = this->cut;
    uint8_t *bits = this->cut;
    for (size_t i = 0; i < set->text_count; i++) {
        const float *row = this->vectors + i * full;
        if (variant.binary)
            wl_binarize(row, dim, bits + i * size);
        else
            memcpy(floats + i * dim, row, dim * sizeof *row);
    }
    wl_element element = variant.binary ? WL_ELEMENT_BITS : WL_ELEMENT_F32;
    *view = (wl_view){.set = set, .rows = {this->cut, set->text_count, dim, element}};
    if (!wl_task_needs_unit(set->task)) return WL_OK;
    view->unit = this->unit;
    return wl_vectors_normalize(&view->rows, view->unit, error);
}

static wl_status score_set(run *this, size_t number, double *scratch, wl_error *error)
{
    const wl_evaluation *evaluation = this->evaluation;
    const wl_set *set = &evaluation->sets->sets[number];
    if (embed(this, set, error)) return error->code;
    for (size_t i = 0; i < evaluation->variant_count; i++) {
        wl_view view;
        wl_outcome *outcome = &evaluation->outcomes[number * evaluation->variant_count + i];
        if (view_rows(this, set, evaluation->variants[i], &view, error) ||
            wl_task_score(&view, &this->task, outcome, error))
            return error->code;
        outcome->score.score = wl_outcome_score(evaluation, number, outcome, NULL, scratch);
        if (report(this, 1, error)) return error->code;
    }
    return WL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* Whether some class has an item for each fold. */
static bool fills_folds(const wl_set *set)
{
    if (set->items > (size_t)(WL_FOLDS - 1) * set->label_count) return true;
    for (uint32_t class = 0; class < set->label_count; class ++) {
        size_t count = 0;
        for (size_t i = 0; i < set->items && count < WL_FOLDS; i++) count += set->labels[i] == class;
        if (count == WL_FOLDS) return true;
    }
    return false;
}

static wl_status take_truth(const wl_set *set, wl_truth *truth, wl_error *error)
{
    if (set->task == WL_TASK_CLASSIFICATION && set->train_count == set->text_count && !fills_folds(set))
        return wl_fail_at(error, WL_ERROR_FORMAT, set->path, WL_NO_POSITION, 0,
                          "holds no class of %d texts, which cross-validation takes; a file NAME-test beside "
                          "NAME-train needs none",
                          WL_FOLDS);
    if (set->task == WL_TASK_SIMILARITY) return wl_ranking_create(&truth->scores, set->numbers, set->items, error);
    if (set->task != WL_TASK_PAIR) return WL_OK;
    truth->together = wl_allocate(set->items, sizeof *truth->together, error);
    for (size_t i = 0; truth->together && i < set->items; i++) truth->together[i] = set->numbers[i] > 0;
    return truth->together ? WL_OK : WL_ERROR_MEMORY;
}

/* Room for the largest set, overflow checked by wl_allocate: dim is counted as part of an element. */
static wl_status allocate_rows(run *this, wl_error *error)
{
    const wl_sets *sets = this->evaluation->sets;
    size_t most = 0, most_unit = 0, row = this->embedder->dim * sizeof(float);
    for (size_t i = 0; i < sets->count; i++) {
        const wl_set *set = &sets->sets[i];
        if (set->text_count > most) most = set->text_count;
        if (wl_task_needs_unit(set->task) && set->text_count > most_unit) most_unit = set->text_count;
    }
    this->vectors = wl_allocate(most, row, error);
    this->cut = this->vectors ? wl_allocate(most, row, error) : NULL;
    this->unit = this->cut ? wl_allocate(most_unit, row, error) : NULL;
    return this->unit ? WL_OK : WL_ERROR_MEMORY;
}

static wl_status score_sets(run *this, wl_error *error)
{
    const wl_evaluation *evaluation = this->evaluation;
    const wl_sets *sets = evaluation->sets;
    for (size_t i = 0; i < sets->count; i++)
        if (take_truth(&sets->sets[i], &evaluation->truths[i], error)) return error->code;
    if (allocate_rows(this, error)) return error->code;
    double *scratch = wl_allocate(wl_outcome_scratch(evaluation), sizeof *scratch, error);
    wl_status status = scratch ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < sets->count && !status; i++) status = score_set(this, i, scratch, error);
    free(scratch);
    return status;
}

static wl_status take_variants(wl_evaluation *evaluation, const wl_evaluate_options *options, size_t dim,
                               wl_error *error)
{
    static const wl_variant all = {0};
    const wl_variant *given = options->variants ? options->variants : &all;
    evaluation->variant_count = options->variants ? options->variant_count : 1;
    if (!evaluation->variant_count) return wl_fail(error, WL_ERROR_ARGUMENT, "variant_count is 0");
    evaluation->variants = wl_allocate(evaluation->variant_count, sizeof *evaluation->variants, error);
    if (!evaluation->variants) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < evaluation->variant_count; i++) {
        evaluation->variants[i] = given[i];
        if (given[i].dim > dim)
            return wl_fail(error, WL_ERROR_ARGUMENT, "%u dimensions are wanted, but the model has %zu",
                           (unsigned)given[i].dim, dim);
        if (!given[i].dim) evaluation->variants[i].dim = (uint32_t)dim;
    }
    return WL_OK;
}

static wl_status evaluate(run *this, const wl_sets *sets, const wl_evaluate_options *options, wl_error *error)
{
    wl_evaluation *evaluation = this->evaluation;
    if (take_variants(evaluation, options, this->embedder->dim, error)) return error->code;
    evaluation->truths = wl_allocate(sets->count, sizeof *evaluation->truths, error);
    size_t row = evaluation->variant_count * sizeof *evaluation->outcomes;
    evaluation->outcomes = evaluation->truths ? wl_allocate(sets->count, row, error) : NULL;
    return evaluation->outcomes ? score_sets(this, error) : WL_ERROR_MEMORY;
}

wl_evaluation *wl_evaluate(const wl_sets *sets, const wl_embedder *embedder, wl_context *context,
                           const wl_evaluate_options *options, wl_error *error)
{
    wl_error local;
    if (!error) error = &local;
    wl_evaluate_options all;
    if (wl_read_options(&all, sizeof all, options, "wl_evaluate_options", error)) return NULL;
    if (!sets || !embedder || !embedder->embed || !embedder->dim || !context) {
        wl_fail(error, WL_ERROR_ARGUMENT, "sets, embedder or context is NULL, or the embedder has no dimensions");
        return NULL;
    }
    run this = {.embedder = embedder, .task = {context, all.seed, all.progress, all.user, 0}};
    this.evaluation = wl_allocate(1, sizeof *this.evaluation, error);
    if (!this.evaluation) return NULL;
    this.evaluation->sets = sets;
    wl_status status = evaluate(&this, sets, &all, error);
    free(this.vectors);
    free(this.cut);
    free(this.unit);
    if (!status) return this.evaluation;
    wl_evaluation_free(this.evaluation);
    return NULL;
}

void wl_evaluation_free(wl_evaluation *evaluation)
{
    if (!evaluation) return;
    size_t sets = evaluation->sets->count;
    for (size_t i = 0; evaluation->truths && i < sets; i++) {
        wl_ranking_free(&evaluation->truths[i].scores);
        free(evaluation->truths[i].together);
    }
    for (size_t i = 0; evaluation->outcomes && i < sets * evaluation->variant_count; i++) {
        wl_ranking_free(&evaluation->outcomes[i].cosines);
        free(evaluation->outcomes[i].values);
        free(evaluation->outcomes[i].found);
    }
    free(evaluation->truths);
    free(evaluation->outcomes);
    free(evaluation->variants);
    free(evaluation);
}

uint64_t wl_evaluate_total(const wl_sets *sets, size_t variants)
{
    uint64_t total = (uint64_t)sets->count * variants;
    for (size_t i = 0; i < sets->count; i++) total += sets->sets[i].text_count;
    return total;
}
