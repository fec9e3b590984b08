/* The tasks. Cosines are those of wl_vector_cosine: F64, or counted bits, so that equal texts and equal counts of bits
 * are ties on every machine. */
#include "eval/tasks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/clusters.h"
#include "eval/logistic.h"
#include "vector/vectors.h"

bool wl_task_needs_unit(wl_task task)
{
    return task == WL_TASK_CLASSIFICATION || task == WL_TASK_CLUSTERING;
}

/* ---- cosines of neighbours --------------------------------------------------------------------------------------- */

static double cosine_of(const wl_vectors *rows, size_t a, size_t b)
{
    return wl_vector_cosine(rows->element, wl_row(rows, a), wl_row(rows, b), rows->dim);
}

static wl_status score_pairs(const wl_view *view, wl_outcome *outcome, wl_error *error)
{
    size_t items = view->set->items;
    double *cosines = wl_allocate(items, sizeof *cosines, error);
    if (!cosines) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < items; i++) cosines[i] = cosine_of(&view->rows, 2 * i, 2 * i + 1);
    wl_status status = wl_ranking_create(&outcome->cosines, cosines, items, error);
    free(cosines);
    return status;
}

/* A tie is no success: a model to which all is alike knows nothing. */
static wl_status score_triplets(const wl_view *view, wl_outcome *outcome, wl_error *error)
{
    size_t items = view->set->items;
    outcome->values = wl_allocate(items, sizeof *outcome->values, error);
    if (!outcome->values) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < items; i++)
        outcome->values[i] = cosine_of(&view->rows, 3 * i, 3 * i + 1) > cosine_of(&view->rows, 3 * i, 3 * i + 2);
    return WL_OK;
}

/* ---- classification ---------------------------------------------------------------------------------------------- */

static bool go_on(void *user, uint64_t texts, uint64_t bytes)
{
    const wl_task_run *run = user;
    (void)texts;
    (void)bytes;
    return !run->progress || run->progress(run->user, run->done, 0);
}

/* Fits to the train texts and labels the others. Classes that only the tested texts have cannot be said: the model
 * knows the present ones alone, in their order. present: (label_count), scratch; labels: (train_count), likewise. */
static wl_status predict_others(const wl_view *view, const wl_task_run *run, const wl_logistic_options *options,
                                uint32_t *present, uint32_t *labels, uint32_t *said, wl_error *error)
{
    const wl_set *set = view->set;
    wl_pool *pool = run->context->pool;
    size_t dim = view->rows.dim, train = set->train_count;
    uint32_t classes = 0;
    for (size_t i = 0; i < train; i++) present[set->labels[i]] = 1;
    for (uint32_t i = 0; i < set->label_count; i++) present[i] = present[i] ? classes++ : UINT32_MAX;
    for (size_t i = 0; i < train; i++) labels[i] = present[set->labels[i]];
    for (uint32_t i = 0; i < set->label_count; i++) /* from the model's numbers back to the set's */
        if (present[i] != UINT32_MAX) present[present[i]] = i;
    wl_logistic model = {0};
    wl_status status = wl_logistic_fit(pool, view->unit, labels, train, dim, classes, options, &model, error);
    if (!status) status = wl_logistic_predict(pool, &model, view->unit + train * dim, set->items, said, error);
    for (size_t i = 0; i < set->items && !status; i++) said[i] = present[said[i]];
    wl_logistic_free(&model);
    return status;
}

static wl_status predict(const wl_view *view, const wl_task_run *run, uint32_t *said, wl_error *error)
{
    const wl_set *set = view->set;
    wl_logistic_options options = wl_logistic_usual;
    options.progress = go_on;
    options.user = (void *)run;
    if (set->train_count == set->text_count)
        return wl_logistic_cross_validate(run->context->pool, view->unit, set->labels, set->train_count, view->rows.dim,
                                          set->label_count, WL_FOLDS, &options, said, NULL, error);
    uint32_t *present = wl_allocate(set->label_count, sizeof *present, error);
    uint32_t *labels = present ? wl_allocate(set->train_count, sizeof *labels, error) : NULL;
    wl_status status = labels ? predict_others(view, run, &options, present, labels, said, error) : WL_ERROR_MEMORY;
    free(present);
    free(labels);
    return status;
}

static wl_status score_classification(const wl_view *view, const wl_task_run *run, wl_outcome *outcome, wl_error *error)
{
    const wl_set *set = view->set;
    const uint32_t *labels = set->labels + (set->text_count - set->items); /* of the tested texts */
    uint32_t *said = wl_allocate(set->items, sizeof *said, error);
    outcome->values = wl_allocate(set->items, sizeof *outcome->values, error);
    wl_status status = said && outcome->values ? predict(view, run, said, error) : WL_ERROR_MEMORY;
    for (size_t i = 0; i < set->items && !status; i++) outcome->values[i] = said[i] == labels[i];
    free(said);
    return status;
}

/* ---- clustering -------------------------------------------------------------------------------------------------- */

static wl_status score_clustering(const wl_view *view, const wl_task_run *run, wl_outcome *outcome, wl_error *error)
{
    const wl_set *set = view->set;
    outcome->found = wl_allocate(set->items, WL_CLUSTER_SEEDS * sizeof *outcome->found, error);
    if (!outcome->found) return WL_ERROR_MEMORY;
    wl_vectors rows = {view->unit, set->items, view->rows.dim, WL_ELEMENT_F32};
    for (size_t i = 0; i < WL_CLUSTER_SEEDS; i++)
        if (wl_find_clusters(&rows, set->label_count, run->seed + (uint32_t)i, run->context->pool, go_on, (void *)run,
                             outcome->found + i * set->items, error))
            return error->code;
    return WL_OK;
}

/* ---- retrieval --------------------------------------------------------------------------------------------------- */

/* Each query alone: its cosines to all documents, and where the wanted ones stand among them. Cost: queries * documents
 * * dim multiplications. */
typedef struct retrieval {
    const wl_view *view;
    wl_context *context;
    wl_comparison comparison;
    const double *squares; /* (texts) of floats */
    const size_t *starts;  /* (queries + 1): where a query's judgements begin */
    wl_retrieved *found;   /* (queries) */
} retrieval;

/* A wanted document while its place is searched. */
typedef struct target {
    double score, grade;
    size_t above, tied;
} target;

static int by_score(const void *a, const void *b)
{
    double x = ((const target *)a)->score, y = ((const target *)b)->score;
    return (x > y) - (x < y);
}

static double score_document(const retrieval *this, size_t query, size_t document)
{
    const wl_vectors *rows = &this->view->rows;
    return wl_row_score_with(&this->comparison, wl_row(rows, query), this->squares[query], wl_row(rows, document),
                             this->squares[document]);
}

/* The documents that the corpus holds go to the front, by ascending score. Returns how many they are. */
static size_t score_targets(const retrieval *this, size_t query, target *targets)
{
    const wl_set *set = this->view->set;
    size_t count = 0;
    for (size_t i = this->starts[query]; i < this->starts[query + 1]; i++) {
        wl_judgement judgement = set->judgements[i];
        if (judgement.grade <= 0 || judgement.document == WL_NO_DOCUMENT) continue;
        double score = score_document(this, set->document_count + query, judgement.document);
        targets[count++] = (target){.score = score, .grade = judgement.grade};
    }
    qsort(targets, count, sizeof *targets, by_score);
    return count;
}

/* Counts, for each target, the documents of the same score and (at first) those between it and the next one. */
static void place_targets(const retrieval *this, size_t query, target *targets, size_t count)
{
    const wl_set *set = this->view->set;
    for (size_t document = 0; document < set->document_count; document++) {
        double score = score_document(this, set->document_count + query, document);
        size_t low = 0, high = count; /* the first target that is not below the score */
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            if (targets[middle].score < score)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < count && targets[low].score == score)
            targets[low].tied++;
        else if (low)
            targets[low - 1].above++;
    }
    /* The counts stand at the first of equal targets, and those in between at the last: sum them from the top. */
    size_t above = 0;
    for (size_t end = count; end;) {
        size_t begin = end - 1;
        while (begin && targets[begin - 1].score == targets[begin].score) begin--;
        size_t tied = targets[begin].tied;
        above += targets[end - 1].above;
        for (size_t i = begin; i < end; i++) {
            targets[i].above = above;
            targets[i].tied = tied - 1; /* others */
        }
        above += tied;
        end = begin;
    }
}

static wl_status search_query(const retrieval *this, size_t query, wl_error *error)
{
    size_t judged = this->starts[query + 1] - this->starts[query];
    const wl_judgement *judgements = this->view->set->judgements + this->starts[query];
    target *targets = wl_allocate(judged, sizeof *targets, error);
    wl_wanted *wanted = wl_allocate(judged, sizeof *wanted, error);
    if (targets && wanted) {
        size_t count = score_targets(this, query, targets), all = 0;
        place_targets(this, query, targets, count);
        for (; all < count; all++) wanted[all] = (wl_wanted){targets[all].grade, targets[all].above, targets[all].tied};
        for (size_t i = 0; i < judged; i++)
            if (judgements[i].grade > 0 && judgements[i].document == WL_NO_DOCUMENT)
                wanted[all++] = (wl_wanted){judgements[i].grade, SIZE_MAX, 0};
        this->found[query] = wl_score_retrieval(wanted, all);
    }
    bool whole = targets && wanted;
    free(targets);
    free(wanted);
    return whole ? WL_OK : WL_ERROR_MEMORY;
}

static void search_item(void *user, uint32_t worker, size_t query)
{
    const retrieval *this = user;
    wl_error error;
    if (search_query(this, query, &error)) wl_worker_fail(&this->context->workers[worker], query, &error);
}

static wl_status search(retrieval *this, size_t *starts, double *squares, wl_outcome *outcome, wl_error *error)
{
    const wl_view *view = this->view;
    const wl_set *set = view->set;
    if (wl_comparison_open(&this->comparison, &view->rows, WL_COSINE, error)) return error->code;
    for (size_t i = 0; i < set->judgement_count; i++) starts[set->judgements[i].query + 1]++;
    for (size_t i = 0; i < set->items; i++) starts[i + 1] += starts[i];
    for (size_t i = 0; i < set->text_count; i++) squares[i] = wl_row_square(&this->comparison, wl_row(&view->rows, i));
    if (wl_context_run(this->context, set->items, search_item, this, error)) return error->code;
    double recall = 0, map = 0;
    for (size_t i = 0; i < set->items; i++) {
        outcome->values[i] = this->found[i].ndcg;
        recall += this->found[i].recall;
        map += this->found[i].average_precision;
    }
    outcome->score.recall = recall / (double)set->items;
    outcome->score.map = map / (double)set->items;
    return WL_OK;
}

static wl_status score_retrieval(const wl_view *view, const wl_task_run *run, wl_outcome *outcome, wl_error *error)
{
    const wl_set *set = view->set;
    size_t *starts = wl_allocate(set->items + 1, sizeof *starts, error);
    double *squares = wl_allocate(set->text_count, sizeof *squares, error);
    wl_retrieved *found = wl_allocate(set->items, sizeof *found, error);
    outcome->values = wl_allocate(set->items, sizeof *outcome->values, error);
    retrieval this = {
        .view = view,
        .context = run->context,
        .squares = squares,
        .starts = starts,
        .found = found,
    };
    wl_status status = WL_ERROR_MEMORY;
    if (starts && squares && found && outcome->values) status = search(&this, starts, squares, outcome, error);
    free(starts);
    free(squares);
    free(found);
    return status;
}

/* ---- all of them ------------------------------------------------------------------------------------------------- */

wl_status wl_task_score(const wl_view *view, const wl_task_run *run, wl_outcome *outcome, wl_error *error)
{
    outcome->score.recall = outcome->score.map = NAN;
    switch (view->set->task) {
    case WL_TASK_SIMILARITY:
    case WL_TASK_PAIR:
        return score_pairs(view, outcome, error);
    case WL_TASK_TRIPLET:
        return score_triplets(view, outcome, error);
    case WL_TASK_CLASSIFICATION:
        return score_classification(view, run, outcome, error);
    case WL_TASK_CLUSTERING:
        return score_clustering(view, run, outcome, error);
    case WL_TASK_RETRIEVAL:
        return score_retrieval(view, run, outcome, error);
    }
    return wl_fail(error, WL_ERROR_ARGUMENT, "the task of set %.100s is unknown", view->set->name);
}
