/* Classifiers at work: what they say of texts, and how often that is right. */
#include "eval/classifier.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "text/context.h"

/* A text whose vector tells models apart; its words are in every vocabulary. Files hold its vector: it never changes.
 */
static const char probe_text[] =
    "In the morning the people of the city went to the market to buy bread and fresh fruit.";

enum { BATCH = 4096 }; /* texts whose vectors are in memory at a time */

/* ---- labels ------------------------------------------------------------------------------------------------------ */

int wl_label_compare(wl_text a, wl_text b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

int wl_label_shown(wl_text label)
{
    return label.size < 100 ? (int)label.size : 100;
}

static wl_status copy_labels(wl_classifier *this, const wl_text *labels, wl_error *error)
{
    size_t at = 0;
    for (uint32_t i = 0; i < this->logistic.classes; i++)
        if (wl_buffer_append(&this->names, labels[i].data, labels[i].size, error)) return error->code;
    for (uint32_t i = 0; i < this->logistic.classes; i++) {
        this->labels[i] = (wl_text){this->names.data + at, labels[i].size};
        at += labels[i].size;
    }
    return WL_OK;
}

wl_classifier *wl_classifier_create(const wl_text *labels, uint32_t classes, size_t dim, wl_error *error)
{
    wl_classifier *this = wl_allocate(1, sizeof *this, error);
    if (!this) return NULL;
    this->logistic = (wl_logistic){.classes = classes, .rows = classes, .dim = dim, .converged = true};
    this->labels = wl_allocate(classes, sizeof *this->labels, error);
    if (this->labels) this->logistic.weights = wl_allocate(classes, dim * sizeof(float), error);
    if (this->logistic.weights) this->logistic.intercepts = wl_allocate(classes, sizeof(float), error);
    if (this->logistic.intercepts) this->probe = wl_allocate(dim, sizeof(float), error);
    if (this->probe && copy_labels(this, labels, error) == WL_OK) return this;
    wl_classifier_close(this);
    return NULL;
}

bool wl_classifier_converged(const wl_classifier *classifier)
{
    return classifier->logistic.converged;
}

void wl_classifier_close(wl_classifier *classifier)
{
    if (!classifier) return;
    wl_logistic_free(&classifier->logistic);
    wl_buffer_free(&classifier->names);
    free(classifier->labels);
    free(classifier->probe);
    free(classifier);
}

size_t wl_classifier_classes(const wl_classifier *classifier)
{
    return classifier->logistic.classes;
}

wl_text wl_classifier_label(const wl_classifier *classifier, size_t index)
{
    return index < classifier->logistic.classes ? classifier->labels[index] : (wl_text){NULL, 0};
}

static int compare_elements(const void *a, const void *b)
{
    return wl_label_compare(*(const wl_text *)a, *(const wl_text *)b);
}

static wl_status number_labels(const wl_classifier *this, const wl_text *labels, size_t count, uint32_t *numbers,
                               wl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const wl_text *found =
            bsearch(&labels[i], this->labels, this->logistic.classes, sizeof *labels, compare_elements);
        if (!found)
            return wl_fail(error, WL_ERROR_MISMATCH,
                           "text %zu has the label \"%.*s\", which is none of the %" PRIu32 " of the classifier", i,
                           wl_label_shown(labels[i]), labels[i].data, this->logistic.classes);
        numbers[i] = (uint32_t)(found - this->labels);
    }
    return WL_OK;
}

/* ---- vectors ----------------------------------------------------------------------------------------------------- */

wl_status wl_classifier_embed(const wl_model *model, wl_context *context, const wl_text *texts, size_t count,
                              size_t dim, float *rows, wl_error *error)
{
    wl_embed_options options = {.size = sizeof options, .normalize = WL_ON, .dim = (uint32_t)dim};
    return wl_embed(model, context, texts, count, &options, rows, count * dim * sizeof *rows, error);
}

static wl_status embed_probe(const wl_model *model, wl_context *context, size_t dim, float *probe, wl_error *error)
{
    wl_text text = {probe_text, sizeof probe_text - 1};
    return wl_classifier_embed(model, context, &text, 1, dim, probe, error);
}

wl_status wl_classifier_probe(wl_classifier *classifier, const wl_model *model, wl_context *context, wl_error *error)
{
    return embed_probe(model, context, classifier->logistic.dim, classifier->probe, error);
}

/* Whether a model is the one that the classifier was made with. */
static wl_status check_model(const wl_classifier *this, const wl_model *model, wl_context *context, wl_error *error)
{
    size_t dim = this->logistic.dim, has = wl_model_describe(model).dim;
    if (dim > has)
        return wl_fail(error, WL_ERROR_MISMATCH,
                       "the classifier was made with another model: it takes %zu dimensions, the model has %zu", dim,
                       has);
    if (wl_row_is_zero(this->probe, dim)) return WL_OK;
    float *probe = wl_allocate(dim, sizeof *probe, error);
    wl_status status = probe ? embed_probe(model, context, dim, probe, error) : WL_ERROR_MEMORY;
    double cosine = status ? 1 : (double)wl_cosine(probe, this->probe, dim);
    if (!(cosine >= 0.99))
        status = wl_fail(error, WL_ERROR_MISMATCH,
                         "the classifier was made with another model: of one text the two have vectors of cosine %.2f",
                         cosine);
    free(probe);
    return status;
}

/* ---- what it says ------------------------------------------------------------------------------------------------ */

/* Of a batch. */
static wl_status classify(const wl_classifier *this, const wl_model *model, wl_context *context, const wl_text *texts,
                          size_t count, float *rows, float *probabilities, uint32_t *best, wl_error *error)
{
    uint32_t classes = this->logistic.classes;
    wl_status status = wl_classifier_embed(model, context, texts, count, this->logistic.dim, rows, error);
    if (!status) status = wl_logistic_probabilities(context->pool, &this->logistic, rows, count, probabilities, error);
    for (size_t i = 0; best && i < count && !status; i++)
        best[i] = wl_logistic_best(probabilities + i * classes, classes);
    return status;
}

wl_status wl_classify(const wl_classifier *classifier, const wl_model *model, wl_context *context, const wl_text *texts,
                      size_t count, float *probabilities, uint32_t *best, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!classifier || !model || !context)
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_classify: no classifier, model or context given");
    if (count && !texts) return wl_fail(error, WL_ERROR_ARGUMENT, "no texts given");
    if (check_model(classifier, model, context, error)) return error->code;
    size_t dim = classifier->logistic.dim, classes = classifier->logistic.classes;
    size_t most = count < BATCH ? count : BATCH;
    float *rows = wl_allocate(most, dim * sizeof *rows, error);
    float *own = rows && !probabilities ? wl_allocate(most, classes * sizeof *own, error) : NULL;
    wl_status status = rows && (own || probabilities) ? WL_OK : WL_ERROR_MEMORY;
    for (size_t at = 0; at < count && !status; at += BATCH)
        status = classify(classifier, model, context, texts + at, count - at < BATCH ? count - at : BATCH, rows,
                          own ? own : probabilities + at * classes, best ? best + at : NULL, error);
    free(rows);
    free(own);
    return status;
}

/* ---- how good it is ---------------------------------------------------------------------------------------------- */

/* Mean of 2 r / (said + true) over the classes that are said or true at all, r being how often they are both. */
static double macro_f1(const uint64_t *confusion, uint32_t classes)
{
    double sum = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < classes; i++) {
        uint64_t either = 0;
        for (uint32_t k = 0; k < classes; k++)
            either += confusion[(size_t)i * classes + k] + confusion[(size_t)k * classes + i];
        if (!either) continue;
        sum += 2 * (double)confusion[(size_t)i * classes + i] / (double)either;
        found++;
    }
    return sum / found;
}

wl_status wl_classifier_score(const uint32_t *labels, const uint32_t *said, size_t count, uint32_t classes,
                              wl_classified *scores, wl_error *error)
{
    uint64_t *confusion = wl_allocate(classes, classes * sizeof *confusion, error);
    if (!confusion) return error->code;
    size_t right = 0;
    for (size_t i = 0; i < count; i++) {
        confusion[(size_t)labels[i] * classes + said[i]]++;
        right += labels[i] == said[i];
    }
    *scores = (wl_classified){(double)right / (double)count, macro_f1(confusion, classes), confusion};
    return WL_OK;
}

wl_status wl_classifier_test(const wl_classifier *classifier, const wl_model *model, wl_context *context,
                             const wl_text *texts, const wl_text *labels, size_t count, wl_classified *scores,
                             wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!classifier || !model || !context || !scores)
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_classifier_test: no classifier, model, context or scores given");
    if (!count || !texts || !labels) return wl_fail(error, WL_ERROR_ARGUMENT, "no texts or no labels given");
    uint32_t *numbers = wl_allocate(count, sizeof *numbers, error);
    uint32_t *said = numbers ? wl_allocate(count, sizeof *said, error) : NULL;
    wl_status status = said ? number_labels(classifier, labels, count, numbers, error) : WL_ERROR_MEMORY;
    if (!status) status = wl_classify(classifier, model, context, texts, count, NULL, said, error);
    if (!status) status = wl_classifier_score(numbers, said, count, classifier->logistic.classes, scores, error);
    free(numbers);
    free(said);
    return status;
}
