/* What a classifier is: weights with the names of their rows, and what tells which model they are for. */
#ifndef WL_EVAL_CLASSIFIER_H
#define WL_EVAL_CLASSIFIER_H

#include "eval/logistic.h"

#include "wordllama_train.h"

struct wl_classifier {
    wl_logistic logistic; /* one row a class, also of two */
    wl_text *labels;      /* (classes), ascending by their bytes, all different; in names */
    wl_buffer names;
    float *probe; /* (dim), the model's unit vector of a fixed text; zeros: the model has none */
};

/* Of that size, at least two classes and one dimension, all zero but for the labels, which are copied. NULL on
 * failure. */
wl_classifier *wl_classifier_create(const wl_text *labels, uint32_t classes, size_t dim, wl_error *error);

/* Their order, byte by byte, a beginning of the other before it: below 0, 0, above 0. */
int wl_label_compare(wl_text a, wl_text b);
/* The part of a label that fits in a message, for "%.*s". */
int wl_label_shown(wl_text label);

static inline bool wl_row_is_zero(const float *row, size_t dim)
{
    for (size_t i = 0; i < dim; i++)
        if (row[i] < 0 || row[i] > 0) return false;
    return true;
}

/* Unit vectors of texts, (count, dim), of the first dim dimensions. */
wl_status wl_classifier_embed(const wl_model *model, wl_context *context, const wl_text *texts, size_t count,
                              size_t dim, float *rows, wl_error *error);
/* Sets the probe to the model's vector. */
wl_status wl_classifier_probe(wl_classifier *classifier, const wl_model *model, wl_context *context, wl_error *error);

/* Scores from the labels that are true and those that were said, (count) each, below classes. On failure *scores is
 * as before. */
wl_status wl_classifier_score(const uint32_t *labels, const uint32_t *said, size_t count, uint32_t classes,
                              wl_classified *scores, wl_error *error);

#endif
