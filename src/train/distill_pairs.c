/* Two losses over the cosines of all pairs of a batch, H of the vectors and G of the targets.
 *
 * A tile has some rows of H and G and all columns, so that a row's softmax is at hand. Its dot products are summed
 * slice by slice of the columns, which gives each dim of the nest its turn: from the dot products D of the dim come the
 * loss and C = (slope by H) / (|v_i| |v_j|). The slope of v_i is then the sum of (C_ij + C_ji) v_j, less the part along
 * v_i, sum of (C_ij + C_ji) D_ij / |v_i|^2, times v_i, unless |v_i| is constant. A column of V is in the dims of all
 * slices from its own on, so the C of the dims are added up from the last one down, and each slice of the slopes is one
 * product.
 *
 * The squares of SIMILARITIES are the same on both sides of the diagonal: C is doubled instead of taken twice. For
 * DISTRIBUTIONS, where C_ji is in another tile than C_ij, a tile also adds its transpose to the slopes of all rows. */
#include "train/distill_pairs.h"

#include <math.h>
#include <stdlib.h>

#include "matrix/matrix.h"
#include "train/exponential.h"
#include "train/nest.h"

enum { TILE = 1 << 20, MOST_ROWS = 256, LEAST_ROWS = 64, STRIPE = 256 };

typedef struct goal_row {
    double mass, energy; /* sums over a row of G's softmax p: of p, and of p (g / temperature - log-sum-exp) */
} goal_row;

typedef struct pairs {
    wl_pool *pool;
    bool distributions;
    const float *vectors, *targets;
    size_t count, dim, target_dim;
    double temperature, weight;
    wl_slices slices;
    double *target_scales; /* (count): 1 / |target|; 0 where it is zero */
    double *scales;        /* (slices, count): the same of the vectors */
    double *along;         /* (slices, count): sum of (C_ij + C_ji) D_ij */
    double *losses;        /* (count) */
    float *slopes;
    size_t rows, begin; /* of a tile */
    float *goals;       /* (rows, count): G or its softmax; 0 on the diagonal */
    goal_row *goal_rows;
    float *dots;         /* D, (rows, count) */
    float *coefficients; /* C, (slices, rows, count) */
    size_t slice;        /* whose turn it is */
} pairs;

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

static double add_squares(const float *row, size_t begin, size_t end, double sum)
{
    for (size_t i = begin; i < end; i++) sum += (double)row[i] * (double)row[i];
    return sum;
}

static double reciprocal_root(double square)
{
    return square == 0 ? 0 : 1 / sqrt(square);
}

static void measure_row(void *user, uint32_t worker, size_t row)
{
    (void)worker;
    pairs *this = user;
    double square = 0;
    for (size_t s = 0; s < this->slices.count; s++) {
        square = add_squares(this->vectors + row * this->dim, wl_slice_begin(&this->slices, s), this->slices.ends[s],
                             square);
        this->scales[s * this->count + row] = reciprocal_root(square);
    }
    square = add_squares(this->targets + row * this->target_dim, 0, this->target_dim, 0);
    this->target_scales[row] = reciprocal_root(square);
}

/* ---- a row of a tile --------------------------------------------------------------------------------------------- */

typedef struct softmax {
    double log_sum;    /* log of the sum of exp(logit) */
    double most, part; /* an entry is exp(logit - most) * part */
} softmax;

/* out: exp(logit - most) of each entry, 0 for the row's own, where logit = dot * scale * scales[column]. The
 * differences are rounded, not the logits: what counts is near the largest, where they are small. */
static softmax exponentials(const float *dots, double scale, const double *scales, size_t count, size_t own, float *out)
{
    softmax result = {.most = -INFINITY};
    double sum = 0;
    for (size_t j = 0; j < count; j++) {
        double logit = (double)dots[j] * scale * scales[j];
        if (logit > result.most && j != own) result.most = logit;
    }
    for (size_t j = 0; j < count; j++) out[j] = (float)((double)dots[j] * scale * scales[j] - result.most);
    out[own] = -INFINITY;
    for (size_t j = 0; j < count; j++) out[j] = wl_exponential(out[j]);
    for (size_t j = 0; j < count; j++) sum += (double)out[j];
    result.log_sum = result.most + log(sum);
    result.part = 1 / sum;
    return result;
}

/* Dot products of the targets become what the vectors' are compared with. */
static void take_goals(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    pairs *this = user;
    size_t own = this->begin + item;
    float *goals = this->goals + item * this->count, *dots = this->dots + item * this->count;
    double scale = this->target_scales[own];
    if (!this->distributions) {
        for (size_t j = 0; j < this->count; j++)
            goals[j] = j == own ? 0 : (float)((double)dots[j] * scale * this->target_scales[j]);
        return;
    }
    scale /= this->temperature;
    softmax of = exponentials(dots, scale, this->target_scales, this->count, own, goals);
    goal_row sums = {0};
    for (size_t j = 0; j < this->count; j++) {
        goals[j] = (float)((double)goals[j] * of.part);
        sums.mass += (double)goals[j];
        sums.energy += (double)goals[j] * ((double)dots[j] * scale * this->target_scales[j] - of.log_sum);
    }
    this->goal_rows[item] = sums;
}

/* The loss is the mean over pairs of (h - g)^2. Returns the sum of C D. */
static double compare_similarities(pairs *this, size_t own, const float *goals, const float *dots, float *coefficients)
{
    const double *scales = this->scales + this->slice * this->count;
    double part = this->slices.weights[this->slice] / (double)this->count / (double)(this->count - 1);
    double loss = 0, along = 0, factor = this->weight * 4 * part * scales[own];
    for (size_t j = 0; j < this->count; j++) {
        double away = j == own ? 0 : (double)dots[j] * scales[own] * scales[j] - (double)goals[j];
        loss += away * away;
        coefficients[j] = (float)(factor * scales[j] * away);
        along += (double)coefficients[j] * (double)dots[j];
    }
    this->losses[own] += part * loss;
    return along;
}

/* The loss is the mean over rows of the sum of p (log p - log q), where q is the softmax of h / temperature; its slope
 * by h is (q - p) / temperature. Returns the sum of C D. */
static double compare_distributions(pairs *this, size_t own, const goal_row *goal, const float *goals,
                                    const float *dots, float *coefficients)
{
    const double *scales = this->scales + this->slice * this->count;
    double part = this->slices.weights[this->slice] / (double)this->count, scale = scales[own] / this->temperature;
    double expected = 0, along = 0, factor = this->weight * part * scale;
    softmax of = exponentials(dots, scale, scales, this->count, own, coefficients);
    for (size_t j = 0; j < this->count; j++) {
        double away = (double)coefficients[j] * of.part - (double)goals[j];
        expected += (double)goals[j] * (double)dots[j] * scales[j];
        coefficients[j] = (float)(factor * scales[j] * away);
        along += (double)coefficients[j] * (double)dots[j];
    }
    this->losses[own] += part * (goal->energy - expected * scale + goal->mass * of.log_sum);
    return along;
}

static void compare_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    pairs *this = user;
    size_t own = this->begin + item;
    const float *goals = this->goals + item * this->count, *dots = this->dots + item * this->count;
    float *coefficients = this->coefficients + (this->slice * this->rows + item) * this->count;
    double along = this->distributions
                       ? compare_distributions(this, own, &this->goal_rows[item], goals, dots, coefficients)
                       : compare_similarities(this, own, goals, dots, coefficients);
    this->along[this->slice * this->count + own] += along;
}

/* ---- a tile ------------------------------------------------------------------------------------------------------ */

static size_t tile_size(const pairs *this)
{
    size_t left = this->count - this->begin;
    return left < this->rows ? left : this->rows;
}

/* The other half of the sum of (C_ij + C_ji) D_ij: down the columns. */
static void add_columns(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    pairs *this = user;
    size_t begin = item * STRIPE, end = begin + STRIPE < this->count ? begin + STRIPE : this->count;
    double *along = this->along + this->slice * this->count;
    for (size_t i = 0; i < tile_size(this); i++) {
        const float *dots = this->dots + i * this->count;
        const float *coefficients = this->coefficients + (this->slice * this->rows + i) * this->count;
        for (size_t j = begin; j < end; j++) along[j] += (double)coefficients[j] * (double)dots[j];
    }
}

/* C of the slice behind this one is added to this one's. */
static void add_next(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    pairs *this = user;
    float *to = this->coefficients + (this->slice * this->rows + item) * this->count;
    const float *from = to + this->rows * this->count;
    for (size_t j = 0; j < this->count; j++) to[j] += from[j];
}

static void add_slopes(pairs *this, size_t size)
{
    size_t column = wl_slice_begin(&this->slices, this->slice), width = this->slices.ends[this->slice] - column;
    const float *coefficients = this->coefficients + this->slice * this->rows * this->count;
    wl_side all = {this->vectors + column, this->dim, false}, own = all;
    own.data += this->begin * this->dim;
    wl_multiply(this->pool, size, width, this->count, 1, (wl_side){coefficients, this->count, false}, all, 1,
                this->slopes + this->begin * this->dim + column, this->dim);
    if (this->distributions)
        wl_multiply(this->pool, this->count, width, size, 1, (wl_side){coefficients, this->count, true}, own, 1,
                    this->slopes + column, this->dim);
}

static void take_tile(pairs *this)
{
    size_t size = tile_size(this);
    wl_side other = {this->targets, this->target_dim, true};
    wl_side own = {this->targets + this->begin * this->target_dim, this->target_dim, false};
    wl_multiply(this->pool, size, this->count, this->target_dim, 1, own, other, 0, this->dots, this->count);
    wl_pool_run(this->pool, size, take_goals, this);
    for (this->slice = 0; this->slice < this->slices.count; this->slice++) {
        size_t column = wl_slice_begin(&this->slices, this->slice), width = this->slices.ends[this->slice] - column;
        other = (wl_side){this->vectors + column, this->dim, true};
        own = (wl_side){this->vectors + this->begin * this->dim + column, this->dim, false};
        wl_multiply(this->pool, size, this->count, width, 1, own, other, this->slice ? 1 : 0, this->dots, this->count);
        wl_pool_run(this->pool, size, compare_row, this);
        if (this->distributions) wl_pool_run(this->pool, (this->count + STRIPE - 1) / STRIPE, add_columns, this);
    }
    while (this->slice-- > 0) {
        if (this->slice + 1 < this->slices.count) wl_pool_run(this->pool, size, add_next, this);
        add_slopes(this, size);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void take_away(void *user, uint32_t worker, size_t row)
{
    (void)worker;
    const pairs *this = user;
    const float *vector = this->vectors + row * this->dim;
    float *slopes = this->slopes + row * this->dim;
    double part = 0;
    for (size_t s = this->slices.count; s-- > 0;) {
        double scale = this->scales[s * this->count + row];
        part += this->along[s * this->count + row] * scale * scale;
        for (size_t k = wl_slice_begin(&this->slices, s); k < this->slices.ends[s]; k++)
            slopes[k] -= (float)(part * (double)vector[k]);
    }
}

/* Rows of a tile: by the batch alone, and so are the sums. */
static size_t choose_rows(size_t count)
{
    size_t rows = TILE / count / LEAST_ROWS * LEAST_ROWS;
    if (rows < LEAST_ROWS) rows = LEAST_ROWS;
    if (rows > MOST_ROWS) rows = MOST_ROWS;
    return rows < count ? rows : count;
}

static wl_status allocate(pairs *this, wl_error *error)
{
    size_t count = this->count, slices = this->slices.count, rows = this->rows = choose_rows(count);
    this->target_scales = wl_allocate(count, sizeof *this->target_scales, error);
    this->scales = this->target_scales ? wl_allocate(count, slices * sizeof *this->scales, error) : NULL;
    this->along = this->scales ? wl_allocate(count, slices * sizeof *this->along, error) : NULL;
    this->losses = this->along ? wl_allocate(count, sizeof *this->losses, error) : NULL;
    this->goal_rows = this->losses ? wl_allocate(rows, sizeof *this->goal_rows, error) : NULL;
    this->goals = this->goal_rows ? wl_allocate(count, rows * sizeof *this->goals, error) : NULL;
    this->dots = this->goals ? wl_allocate(count, rows * sizeof *this->dots, error) : NULL;
    this->coefficients = this->dots ? wl_allocate(count, slices * rows * sizeof *this->coefficients, error) : NULL;
    return this->coefficients ? WL_OK : WL_ERROR_MEMORY;
}

wl_status wl_distill_pairs(wl_pool *pool, bool distributions, const float *vectors, bool signs, const float *targets,
                           size_t count, size_t dim, size_t target_dim, const wl_nest *nest, float temperature,
                           float weight, float *slopes, double *loss, wl_error *error)
{
    pairs this = {.pool = pool, .distributions = distributions, .vectors = vectors, .targets = targets};
    this.count = count;
    this.dim = dim;
    this.target_dim = target_dim;
    this.temperature = (double)temperature;
    this.weight = (double)weight;
    this.slopes = slopes;
    *loss = 0;
    if (distributions && !(temperature > 0))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the temperature is %g, expected above 0", (double)temperature);
    wl_status status = wl_slices_open(&this.slices, nest, dim, dim, error);
    if (!status && count > 1) status = allocate(&this, error);
    if (!status && count > 1) {
        wl_pool_run(pool, count, measure_row, &this);
        for (this.begin = 0; this.begin < count; this.begin += this.rows) take_tile(&this);
        if (!signs) wl_pool_run(pool, count, take_away, &this);
        for (size_t i = 0; i < count; i++) *loss += this.losses[i];
    }
    free(this.target_scales);
    free(this.scales);
    free(this.along);
    free(this.losses);
    free(this.goal_rows);
    free(this.goals);
    free(this.dots);
    free(this.coefficients);
    wl_slices_free(&this.slices);
    return status;
}
