/* Multinomial logistic regression with an L2 penalty, fitted by L-BFGS: what scores a model on classification, and what
 * `classify` makes.
 *
 * Minimizes mean over i of -log p(label_i | x_i) + |W|^2 / (2 C n) with p = softmax(W x + b); the intercepts b are not
 * penalized. Two classes have one row of weights, the logistic function of it (as scikit-learn has it: softmax over
 * (0, z)), more have one row each. */
#ifndef WL_EVAL_LOGISTIC_H
#define WL_EVAL_LOGISTIC_H

#include "base/memory.h"
#include "base/parallel.h"

typedef struct wl_logistic_options {
    double strength;  /* C, above 0: the inverse of the penalty */
    double tolerance; /* of the gradient's largest element */
    uint32_t most_iterations;
    wl_progress progress; /* NULL: none; told iterations, and 0 */
    void *user;
} wl_logistic_options;

/* 10, 1e-4, 300. */
extern const wl_logistic_options wl_logistic_usual;

typedef struct wl_logistic {
    float *weights;    /* (rows, dim) */
    float *intercepts; /* (rows) */
    uint32_t classes;
    uint32_t rows; /* 1 for two classes, else classes */
    size_t dim;
    uint32_t iterations;
    bool converged;
} wl_logistic;

/* x: (count, dim); labels: (count), below classes, which is at least 2; every class has a row in x, else
 * WL_ERROR_ARGUMENT. The same bits for any number of threads. Free with wl_logistic_free, also after a failure. Cost:
 * about 4 * count * dim * rows operations an iteration. */
wl_status wl_logistic_fit(wl_pool *pool, const float *x, const uint32_t *labels, size_t count, size_t dim,
                          uint32_t classes, const wl_logistic_options *options, wl_logistic *model, wl_error *error);
/* out: (count, classes) probabilities. */
wl_status wl_logistic_probabilities(wl_pool *pool, const wl_logistic *model, const float *x, size_t count, float *out,
                                    wl_error *error);
/* out: (count), the most probable class, the lowest of equals. */
wl_status wl_logistic_predict(wl_pool *pool, const wl_logistic *model, const float *x, size_t count, uint32_t *out,
                              wl_error *error);
void wl_logistic_free(wl_logistic *model);

/* The largest of the probabilities of an item, the first of equals. */
static inline uint32_t wl_logistic_best(const float *probabilities, uint32_t classes)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < classes; i++)
        if (probabilities[i] > probabilities[best]) best = i;
    return best;
}

/* Which of `folds` folds each item is tested in, every class spread evenly: scikit-learn 1.9's StratifiedKFold without
 * shuffling. labels: (count), below classes. out: (count). WL_ERROR_ARGUMENT: folds below 2 or above the number of
 * items of the largest class. */
wl_status wl_stratified_folds(const uint32_t *labels, size_t count, uint32_t classes, uint32_t folds, uint32_t *out,
                              wl_error *error);
/* Cross-validated predictions: out: (count), what the model fitted to the other folds says of each item. scores:
 * (folds), the accuracy in each; NULL: not wanted. Classes that are missing among the other folds are never said. */
wl_status wl_logistic_cross_validate(wl_pool *pool, const float *x, const uint32_t *labels, size_t count, size_t dim,
                                     uint32_t classes, uint32_t folds, const wl_logistic_options *options,
                                     uint32_t *out, double *scores, wl_error *error);

#endif
