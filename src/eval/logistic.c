/* Multinomial logistic regression as scikit-learn 1.9 fits it: the same function, the same beginning (zero) and the
 * same end. Products are taken in single precision, over blocks of items: each thread computes a block's logits, turns
 * them into what the gradient is the product of, and multiplies that by the block's rows. Losses and blocks are added
 * up in F64, in the order of the blocks. Memory: a block's logits a thread, some gradients a thread, what L-BFGS takes.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/lbfgs.h"
#include "eval/logistic.h"
#include "matrix/matrix.h"

enum { BLOCK = 512, BLOCKS_A_THREAD = 2 };

const wl_logistic_options wl_logistic_usual = {.strength = 10, .tolerance = 1e-4, .most_iterations = 300};

/* ---- products of blocks ------------------------------------------------------------------------------------------ */

/* What threads need for the products of blocks: a product is computed on a pool, so each has one of its own, of one. */
typedef struct block_set {
    wl_pool *pool;
    wl_pool **alone; /* (threads) */
    float *logits;   /* (threads, BLOCK, width) */
    const float *x;
    size_t count, dim, rows, width; /* width: at least rows */
} block_set;

static void blocks_free(block_set *this)
{
    for (uint32_t i = 0; this->alone && i < wl_pool_threads(this->pool); i++) wl_pool_free(this->alone[i]);
    free(this->alone);
    free(this->logits);
}

/* pool, x, count and the sizes are set. Free with blocks_free, also after a failure. */
static wl_status blocks_open(block_set *this, wl_error *error)
{
    uint32_t threads = wl_pool_threads(this->pool);
    this->alone = wl_allocate(threads, sizeof(wl_pool *), error);
    if (!this->alone) return error->code;
    for (uint32_t i = 0; i < threads; i++)
        if (!(this->alone[i] = wl_pool_create(1, error))) return error->code;
    this->logits = wl_allocate(threads * this->width, BLOCK * sizeof *this->logits, error);
    return this->logits ? WL_OK : WL_ERROR_MEMORY;
}

static size_t count_blocks(const block_set *this)
{
    return (this->count + BLOCK - 1) / BLOCK;
}

/* A block's rows. */
typedef struct span {
    size_t begin, count;
} span;

static span span_of(const block_set *this, size_t block)
{
    size_t begin = block * BLOCK, left = this->count - begin;
    return (span){begin, left < BLOCK ? left : BLOCK};
}

/* The block's rows times the weights, (count, rows) of (count, width), without the intercepts. */
static float *multiply(const block_set *this, uint32_t worker, span of, const float *weights)
{
    float *logits = this->logits + worker * BLOCK * this->width;
    wl_side x = {this->x + of.begin * this->dim, this->dim, false}, transposed = {weights, this->dim, true};
    wl_multiply(this->alone[worker], of.count, this->rows, this->dim, 1, x, transposed, 0, logits, this->width);
    return logits;
}

/* ---- the function to minimize ------------------------------------------------------------------------------------ */

typedef struct problem {
    block_set blocks;
    const uint32_t *labels;
    double penalty; /* 1 / (C n) */
    float *weights; /* (rows, dim), rounded */
    const double *intercepts;
    double *gradient;
    size_t first, group; /* the block that the group begins with; how many a group has */
    float *products;     /* (group, rows, dim), of what remains and x */
    double *sums;        /* (group, rows), of what remains */
    double *losses;      /* (group) */
} problem;

/* softmax of logits and intercepts, in place of the logits. Returns the logarithm of the sum that it divides by. */
static double soften(float *logits, const double *intercepts, size_t rows)
{
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < rows; i++) most = fmax(most, (double)logits[i] + intercepts[i]);
    for (size_t i = 0; i < rows; i++) {
        double share = exp((double)logits[i] + intercepts[i] - most);
        logits[i] = (float)share;
        sum += share;
    }
    for (size_t i = 0; i < rows; i++) logits[i] = (float)((double)logits[i] / sum);
    return most + log(sum);
}

/* The same for the one row of two classes: the probability of the second. */
static double soften_one(float *logit, double intercept)
{
    double z = (double)*logit + intercept, small = exp(-fabs(z));
    *logit = (float)((z > 0 ? 1 : small) / (1 + small));
    return fmax(z, 0) + log1p(small);
}

/* Logits become what the gradient multiplies an item by: probabilities, less 1 for the label. Returns the loss. */
static double take_row(float *logits, const double *intercepts, size_t rows, uint32_t label, double *sums)
{
    bool one = rows == 1;
    double own = one && !label ? 0 : (double)logits[one ? 0 : label] + intercepts[one ? 0 : label];
    double total = one ? soften_one(logits, *intercepts) : soften(logits, intercepts, rows);
    if (!one || label) logits[one ? 0 : label] -= 1;
    for (size_t i = 0; i < rows; i++) sums[i] += (double)logits[i];
    return total - own;
}

static void take_block(void *user, uint32_t worker, size_t item)
{
    problem *this = user;
    const block_set *of = &this->blocks;
    size_t rows = of->rows, dim = of->dim;
    span part = span_of(of, this->first + item);
    float *remains = multiply(of, worker, part, this->weights);
    double loss = 0, *sums = this->sums + item * rows;
    for (size_t i = 0; i < rows; i++) sums[i] = 0;
    for (size_t i = 0; i < part.count; i++)
        loss += take_row(remains + i * rows, this->intercepts, rows, this->labels[part.begin + i], sums);
    this->losses[item] = loss;
    wl_side left = {remains, rows, true}, right = {of->x + part.begin * dim, dim, false};
    wl_multiply(of->alone[worker], rows, dim, part.count, 1, left, right, 0, this->products + item * rows * dim, dim);
}

/* Adds what the group's blocks gave to the gradient, one row of it. */
static void add_row(void *user, uint32_t worker, size_t row)
{
    (void)worker;
    problem *this = user;
    size_t rows = this->blocks.rows, dim = this->blocks.dim, left = count_blocks(&this->blocks) - this->first;
    double *gradient = this->gradient + row * dim;
    for (size_t item = 0; item < this->group && item < left; item++) {
        const float *product = this->products + (item * rows + row) * dim;
        for (size_t k = 0; k < dim; k++) gradient[k] += (double)product[k];
        this->gradient[rows * dim + row] += this->sums[item * rows + row];
    }
}

/* parameters and gradient: the weights, (rows, dim), then the intercepts, (rows). */
static double evaluate(void *user, const double *parameters, double *gradient)
{
    problem *this = user;
    const block_set *of = &this->blocks;
    size_t weights = of->rows * of->dim, blocks = count_blocks(of);
    double loss = 0, square = 0, share = 1 / (double)of->count;
    for (size_t i = 0; i < weights; i++) {
        this->weights[i] = (float)parameters[i];
        square += parameters[i] * parameters[i];
    }
    memset(gradient, 0, (weights + of->rows) * sizeof *gradient);
    this->intercepts = parameters + weights;
    this->gradient = gradient;
    for (this->first = 0; this->first < blocks; this->first += this->group) {
        size_t left = blocks - this->first, group = left < this->group ? left : this->group;
        wl_pool_run(of->pool, group, take_block, this);
        wl_pool_run(of->pool, of->rows, add_row, this);
        for (size_t i = 0; i < group; i++) loss += this->losses[i];
    }
    for (size_t i = 0; i < weights; i++) gradient[i] = gradient[i] * share + this->penalty * parameters[i];
    for (size_t i = 0; i < of->rows; i++) gradient[weights + i] *= share;
    return loss * share + 0.5 * this->penalty * square;
}

/* ---- fitting ----------------------------------------------------------------------------------------------------- */

static wl_status check_labels(const uint32_t *labels, size_t count, uint32_t classes, wl_error *error)
{
    bool *seen = wl_allocate(classes, sizeof *seen, error);
    if (!seen) return error->code;
    wl_status status = WL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        if (labels[i] >= classes)
            status = wl_fail(error, WL_ERROR_ARGUMENT, "item %zu has the label %" PRIu32 " of %" PRIu32 " classes", i,
                             labels[i], classes);
        else
            seen[labels[i]] = true;
    }
    for (uint32_t i = 0; i < classes && !status; i++)
        if (!seen[i])
            status = wl_fail(error, WL_ERROR_ARGUMENT, "class %" PRIu32 " of %" PRIu32 " has no item", i, classes);
    free(seen);
    return status;
}

static wl_status check(const uint32_t *labels, size_t count, size_t dim, uint32_t classes,
                       const wl_logistic_options *options, wl_error *error)
{
    if (!(options->strength > 0 && isfinite(options->strength)))
        return wl_fail(error, WL_ERROR_ARGUMENT, "strength is %g, expected a number above 0", options->strength);
    if (!(options->tolerance >= 0))
        return wl_fail(error, WL_ERROR_ARGUMENT, "tolerance is %g, expected 0 or more", options->tolerance);
    if (!dim) return wl_fail(error, WL_ERROR_ARGUMENT, "items of no dimensions");
    if (classes < 2) return wl_fail(error, WL_ERROR_ARGUMENT, "%" PRIu32 " classes, expected at least 2", classes);
    return check_labels(labels, count, classes, error);
}

static wl_status problem_open(problem *this, wl_error *error)
{
    if (blocks_open(&this->blocks, error)) return error->code;
    size_t rows = this->blocks.rows, most = (size_t)wl_pool_threads(this->blocks.pool) * BLOCKS_A_THREAD;
    size_t blocks = count_blocks(&this->blocks), row = this->blocks.dim * sizeof(float);
    this->group = blocks < most ? blocks : most;
    this->weights = wl_allocate(rows, row, error);
    if (this->weights) this->products = wl_allocate(this->group * rows, row, error);
    if (this->products) this->sums = wl_allocate(this->group * rows, sizeof *this->sums, error);
    if (this->sums) this->losses = wl_allocate(this->group, sizeof *this->losses, error);
    return this->losses ? WL_OK : WL_ERROR_MEMORY;
}

static void problem_free(problem *this)
{
    blocks_free(&this->blocks);
    free(this->weights);
    free(this->products);
    free(this->sums);
    free(this->losses);
}

static wl_status minimize(problem *this, const wl_logistic_options *options, wl_logistic *model, wl_error *error)
{
    size_t weights = model->rows * model->dim, size = weights + model->rows;
    wl_lbfgs_options search = {
        .function = evaluate,
        .user = this,
        .tolerance = options->tolerance,
        .noise = (double)FLT_EPSILON / 2,
        .most_iterations = options->most_iterations,
        .progress = options->progress,
        .progress_user = options->user,
    };
    wl_lbfgs_result result;
    double *parameters = wl_allocate(size, sizeof *parameters, error);
    if (!parameters) return error->code;
    wl_status status = wl_lbfgs(&search, parameters, size, &result, error);
    for (size_t i = 0; i < weights && !status; i++) model->weights[i] = (float)parameters[i];
    for (size_t i = 0; i < model->rows && !status; i++) model->intercepts[i] = (float)parameters[weights + i];
    model->iterations = status ? 0 : result.iterations;
    model->converged = !status && result.converged;
    free(parameters);
    return status;
}

wl_status wl_logistic_fit(wl_pool *pool, const float *x, const uint32_t *labels, size_t count, size_t dim,
                          uint32_t classes, const wl_logistic_options *options, wl_logistic *model, wl_error *error)
{
    *model = (wl_logistic){.classes = classes, .rows = classes == 2 ? 1 : classes, .dim = dim};
    if (check(labels, count, dim, classes, options, error)) return error->code;
    problem this = {
        .blocks = {.pool = pool, .x = x, .count = count, .dim = dim, .rows = model->rows, .width = model->rows},
        .labels = labels,
        .penalty = 1 / (options->strength * (double)count),
    };
    model->weights = wl_allocate(model->rows, dim * sizeof *model->weights, error);
    if (model->weights) model->intercepts = wl_allocate(model->rows, sizeof *model->intercepts, error);
    wl_status status = model->weights && model->intercepts ? problem_open(&this, error) : WL_ERROR_MEMORY;
    if (!status) status = minimize(&this, options, model, error);
    problem_free(&this);
    return status;
}

void wl_logistic_free(wl_logistic *model)
{
    free(model->weights);
    free(model->intercepts);
    model->weights = model->intercepts = NULL;
}

/* ---- what a model says ------------------------------------------------------------------------------------------- */

typedef struct answers {
    block_set blocks;
    const wl_logistic *model;
    double *intercepts;   /* (rows) */
    float *probabilities; /* (count, classes); NULL: not wanted */
    uint32_t *best;       /* (count); NULL: not wanted */
} answers;

static void answer_block(void *user, uint32_t worker, size_t item)
{
    const answers *this = user;
    const wl_logistic *model = this->model;
    uint32_t classes = model->classes;
    span part = span_of(&this->blocks, item);
    float *row = multiply(&this->blocks, worker, part, model->weights);
    for (size_t i = part.begin; i < part.begin + part.count; i++, row += classes) {
        if (model->rows == 1) {
            soften_one(row, *this->intercepts);
            row[1] = row[0];
            row[0] = 1 - row[1];
        } else
            soften(row, this->intercepts, classes);
        if (this->best) this->best[i] = wl_logistic_best(row, classes);
        if (this->probabilities) memcpy(this->probabilities + i * classes, row, classes * sizeof *row);
    }
}

static wl_status answer(answers this, wl_pool *pool, const float *x, size_t count, wl_error *error)
{
    const wl_logistic *model = this.model;
    this.blocks = (block_set){pool, NULL, NULL, x, count, model->dim, model->rows, model->classes};
    wl_status status = blocks_open(&this.blocks, error);
    if (!status) {
        this.intercepts = wl_allocate(model->rows, sizeof *this.intercepts, error);
        status = this.intercepts ? WL_OK : WL_ERROR_MEMORY;
    }
    for (size_t i = 0; i < model->rows && !status; i++) this.intercepts[i] = (double)model->intercepts[i];
    if (!status) wl_pool_run(pool, count_blocks(&this.blocks), answer_block, &this);
    free(this.intercepts);
    blocks_free(&this.blocks);
    return status;
}

wl_status wl_logistic_probabilities(wl_pool *pool, const wl_logistic *model, const float *x, size_t count, float *out,
                                    wl_error *error)
{
    return answer((answers){.model = model, .probabilities = out}, pool, x, count, error);
}

wl_status wl_logistic_predict(wl_pool *pool, const wl_logistic *model, const float *x, size_t count, uint32_t *out,
                              wl_error *error)
{
    return answer((answers){.model = model, .best = out}, pool, x, count, error);
}
