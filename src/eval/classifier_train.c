/* Making classifiers: from examples, or from descriptions of the labels. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/classifier.h"
#include "text/context.h"
#include "text/unicode/utf8.h"

/* ---- labels become numbers --------------------------------------------------------------------------------------- */

typedef struct numbered {
    wl_text label;
    size_t index; /* of the text that has it */
} numbered;

static int compare_numbered(const void *a, const void *b)
{
    const numbered *x = a, *y = b;
    int order = wl_label_compare(x->label, y->label);
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* The labels in order, each with the place that it had, to be freed; NULL on failure. */
static numbered *sort_labels(const wl_text *labels, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (wl_utf8_valid(labels[i].data, labels[i].size) != labels[i].size) {
            wl_fail(error, WL_ERROR_ARGUMENT, "label %zu is not well-formed UTF-8", i);
            return NULL;
        }
    numbered *sorted = wl_allocate(count, sizeof *sorted, error);
    if (!sorted) return NULL;
    for (size_t i = 0; i < count; i++) sorted[i] = (numbered){labels[i], i};
    qsort(sorted, count, sizeof *sorted, compare_numbered);
    return sorted;
}

/* Labels that differ, each once. */
typedef struct class_list {
    wl_text *labels; /* (count), in order */
    uint32_t count;
    size_t smallest; /* the class with the fewest texts, and how many they are */
    size_t fewest;
} class_list;

/* numbers: (count), the class of each text. */
static wl_status find_classes(const wl_text *labels, size_t count, uint32_t *numbers, class_list *found,
                              wl_error *error)
{
    numbered *sorted = sort_labels(labels, count, error);
    if (!sorted) return error->code;
    found->labels = wl_allocate(count, sizeof *labels, error);
    wl_status status = found->labels ? WL_OK : WL_ERROR_MEMORY;
    found->fewest = SIZE_MAX;
    for (size_t begin = 0, end; begin < count && !status; begin = end) {
        for (end = begin; end < count && wl_label_compare(sorted[begin].label, sorted[end].label) == 0; end++)
            numbers[sorted[end].index] = found->count;
        if (end - begin < found->fewest) {
            found->fewest = end - begin;
            found->smallest = found->count;
        }
        found->labels[found->count++] = sorted[begin].label;
    }
    free(sorted);
    return status;
}

/* ---- from examples ----------------------------------------------------------------------------------------------- */

/* Iterations of several fits, one after the other. */
typedef struct iteration_count {
    wl_progress progress;
    void *user;
    uint64_t before, last;
} iteration_count;

static bool count_iterations(void *user, uint64_t iterations, uint64_t bytes)
{
    iteration_count *this = user;
    if (iterations <= this->last) this->before += this->last;
    this->last = iterations;
    return this->progress(this->user, this->before + iterations, bytes);
}

typedef struct training {
    const wl_model *model;
    wl_context *context;
    const wl_text *texts;
    size_t count, dim;
    uint32_t folds;
    wl_logistic_options options;
    uint32_t *numbers; /* (count), classes of the texts */
    float *rows;       /* (count, dim) */
    class_list classes;
} training;

static wl_status validate(const training *this, wl_classified *scores, wl_error *error)
{
    const class_list *classes = &this->classes;
    wl_text smallest = classes->labels[classes->smallest];
    if (classes->fewest < this->folds)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "the label \"%.*s\" has %zu text%s, fewer than the %" PRIu32
                       " folds of the cross-validation (1 fold: none)",
                       wl_label_shown(smallest), smallest.data, classes->fewest, classes->fewest == 1 ? "" : "s",
                       this->folds);
    uint32_t *said = wl_allocate(this->count, sizeof *said, error);
    if (!said) return error->code;
    wl_status status =
        wl_logistic_cross_validate(this->context->pool, this->rows, this->numbers, this->count, this->dim,
                                   classes->count, this->folds, &this->options, said, NULL, error);
    if (!status) status = wl_classifier_score(this->numbers, said, this->count, classes->count, scores, error);
    free(said);
    return status;
}

/* The row of two classes stands for softmax over (0, z), which is that over (-z / 2, z / 2). */
static void take_weights(wl_logistic *to, const wl_logistic *from)
{
    for (uint32_t row = 0; row < to->rows; row++) {
        float factor = from->rows == to->rows ? 1 : row ? 0.5F : -0.5F;
        uint32_t source = from->rows == to->rows ? row : 0;
        for (size_t k = 0; k < to->dim; k++)
            to->weights[row * to->dim + k] = factor * from->weights[source * to->dim + k];
        to->intercepts[row] = factor * from->intercepts[source];
    }
}

static wl_classifier *fit(const training *this, wl_error *error)
{
    wl_logistic logistic;
    wl_status status = wl_logistic_fit(this->context->pool, this->rows, this->numbers, this->count, this->dim,
                                       this->classes.count, &this->options, &logistic, error);
    wl_classifier *made =
        status ? NULL : wl_classifier_create(this->classes.labels, this->classes.count, this->dim, error);
    if (made) take_weights(&made->logistic, &logistic);
    if (made) made->logistic.converged = logistic.converged;
    wl_logistic_free(&logistic);
    if (!made || wl_classifier_probe(made, this->model, this->context, error) == WL_OK) return made;
    wl_classifier_close(made);
    return NULL;
}

/* scores is set where a classifier is made alone. */
static wl_classifier *train(training *this, const wl_text *labels, wl_classified *scores, wl_error *error)
{
    this->numbers = wl_allocate(this->count, sizeof *this->numbers, error);
    if (!this->numbers || find_classes(labels, this->count, this->numbers, &this->classes, error) ||
        !this->classes.labels)
        return NULL;
    if (this->classes.count < 2) {
        wl_fail(error, WL_ERROR_ARGUMENT, "all %zu texts have one label, \"%.*s\", expected two at least", this->count,
                wl_label_shown(*this->classes.labels), this->classes.labels->data);
        return NULL;
    }
    this->rows = wl_allocate(this->count, this->dim * sizeof *this->rows, error);
    if (!this->rows ||
        wl_classifier_embed(this->model, this->context, this->texts, this->count, this->dim, this->rows, error))
        return NULL;
    wl_classified found = {NAN, NAN, NULL};
    if (scores && this->folds > 1 && validate(this, &found, error)) return NULL;
    wl_classifier *made = fit(this, error);
    if (made && scores)
        *scores = found;
    else
        free(found.confusion);
    return made;
}

/* How many dimensions of a model are taken; 0 and an error where it has fewer than wanted. */
static size_t choose_dim(const wl_model *model, uint32_t wanted, wl_error *error)
{
    size_t dim = wl_model_describe(model).dim;
    if (wanted <= dim) return wanted ? wanted : dim;
    wl_fail(error, WL_ERROR_ARGUMENT, "%" PRIu32 " dimensions are wanted, the model has %zu", wanted, dim);
    return 0;
}

wl_classifier *wl_classifier_train(const wl_model *model, wl_context *context, const wl_text *texts,
                                   const wl_text *labels, size_t count, const wl_classifier_options *options,
                                   wl_classified *scores, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_classifier_options given;
    if (wl_read_options(&given, sizeof given, options, "wl_classifier_options", error)) return NULL;
    if (!model || !context) {
        wl_fail(error, WL_ERROR_ARGUMENT, "wl_classifier_train: no model or no context given");
        return NULL;
    }
    if (!count || !texts || !labels || count >= UINT32_MAX) {
        wl_fail(error, WL_ERROR_ARGUMENT, "%zu texts with labels given, expected some, and fewer than 2^32 - 1",
                texts && labels ? count : 0);
        return NULL;
    }
    iteration_count counted = {given.progress, given.user, 0, 0};
    training this = {
        .model = model,
        .context = context,
        .texts = texts,
        .count = count,
        .dim = choose_dim(model, given.dim, error),
        .folds = given.folds ? given.folds : 5,
        .options = wl_logistic_usual,
    };
    if (given.strength != 0) this.options.strength = given.strength;
    if (given.tolerance != 0) this.options.tolerance = given.tolerance;
    if (given.iterations) this.options.most_iterations = given.iterations;
    if (given.progress) {
        this.options.progress = count_iterations;
        this.options.user = &counted;
    }
    wl_classifier *made = this.dim ? train(&this, labels, scores, error) : NULL;
    free(this.numbers);
    free(this.rows);
    free(this.classes.labels);
    return made;
}

/* ---- from descriptions ------------------------------------------------------------------------------------------- */

static wl_status check_different(const wl_text *labels, const uint32_t *numbers, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (numbers[i] == numbers[k])
                return wl_fail(error, WL_ERROR_ARGUMENT, "the label \"%.*s\" is given twice", wl_label_shown(labels[i]),
                               labels[i].data);
    return WL_OK;
}

/* Each class gets as its row scale times the vector of its description. */
static wl_status describe(wl_classifier *this, const wl_model *model, wl_context *context, const uint32_t *numbers,
                          const wl_text *descriptions, double scale, wl_error *error)
{
    const wl_logistic *logistic = &this->logistic;
    for (uint32_t i = 0; i < logistic->classes; i++) {
        float *row = logistic->weights + numbers[i] * logistic->dim;
        if (wl_classifier_embed(model, context, &descriptions[i], 1, logistic->dim, row, error)) return error->code;
        wl_text label = this->labels[numbers[i]];
        if (wl_row_is_zero(row, logistic->dim))
            return wl_fail(error, WL_ERROR_ARGUMENT, "the description of the label \"%.*s\" has no tokens",
                           wl_label_shown(label), label.data);
        for (size_t k = 0; k < logistic->dim; k++) row[k] = (float)(scale * (double)row[k]);
    }
    return wl_classifier_probe(this, model, context, error);
}

wl_classifier *wl_classifier_describe(const wl_model *model, wl_context *context, const wl_text *labels,
                                      const wl_text *descriptions, size_t count, double scale, uint32_t dim,
                                      wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!model || !context || !labels || !descriptions) {
        wl_fail(error, WL_ERROR_ARGUMENT, "wl_classifier_describe: no model, context, labels or descriptions given");
        return NULL;
    }
    if (count < 2 || count >= UINT32_MAX) {
        wl_fail(error, WL_ERROR_ARGUMENT, "%zu label%s given, expected two at least", count, count == 1 ? "" : "s");
        return NULL;
    }
    if (!(scale >= 0 && scale <= 1e6)) {
        wl_fail(error, WL_ERROR_ARGUMENT, "scale is %g, expected 0 (for 20) to a million", scale);
        return NULL;
    }
    class_list classes = {0};
    size_t taken = choose_dim(model, dim, error);
    uint32_t *numbers = taken ? wl_allocate(count, sizeof *numbers, error) : NULL;
    wl_status status = numbers ? find_classes(labels, count, numbers, &classes, error) : WL_ERROR_MEMORY;
    if (!status && classes.count < count) status = check_different(labels, numbers, count, error);
    wl_classifier *made = status ? NULL : wl_classifier_create(classes.labels, classes.count, taken, error);
    if (made) status = describe(made, model, context, numbers, descriptions, scale > 0 ? scale : 20, error);
    free(numbers);
    free(classes.labels);
    if (made && !status) return made;
    wl_classifier_close(made);
    return NULL;
}
