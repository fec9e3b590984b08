/* With few columns: the covariance A^T A in F64 and its eigenvalues, which are squares of the singular values of A. An
 * error of 2^-53 of the largest square leaves singular values down to 1e-8 of the largest.
 *
 * With many: a randomized range finder for the rows' space, which is the small side (Halko, Martinsson and Tropp,
 * "Finding structure with randomness", SIAM Review 53, 2011, algorithms 4.4 and 5.1), that keeps all its iterates, as
 * block Krylov does (Musco and Musco, NeurIPS 2015): with singular values that fall as slowly as a codebook's, the last
 * ones are then several times more exact for the same products. X is a few normal random columns; X = A^T (A X), less
 * what lies in the columns before, made orthonormal, in one pass over the table, and again; then the singular values
 * and vectors of A Q, where Q is all columns, from its covariance. */
#include "extract/spectrum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "matrix/matrix.h"

enum { STRIPE = 256, STEPS = 7, GRAIN = 16 };

/* Columns of X: 3/8 of the rank, so that Q has three times as many columns as the rank. */
static size_t columns_for(size_t rank)
{
    return (rank * 3 / 8 + GRAIN) / GRAIN * GRAIN;
}

/* ---- means ------------------------------------------------------------------------------------------------------- */

typedef struct column_sums {
    const float *rows;
    const double *weights;
    size_t count, dim;
    double *sums;
} column_sums;

static void sum_stripe(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const column_sums *this = user;
    size_t begin = item * STRIPE, size = this->dim - begin < STRIPE ? this->dim - begin : STRIPE;
    for (size_t row = 0; row < this->count; row++) {
        const float *values = this->rows + row * this->dim + begin;
        double weight = this->weights ? this->weights[row] : 1;
        for (size_t i = 0; i < size; i++) this->sums[begin + i] += weight * (double)values[i];
    }
}

void wl_sum_columns(wl_pool *pool, const float *rows, const double *weights, size_t count, size_t dim, double *sums)
{
    column_sums this = {rows, weights, count, dim, sums};
    wl_pool_run(pool, (dim + STRIPE - 1) / STRIPE, sum_stripe, &this);
}

typedef struct row_squares {
    const float *rows;
    size_t dim;
    double *squares; /* (block) */
} row_squares;

static void square_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const row_squares *this = user;
    const float *row = this->rows + item * this->dim;
    this->squares[item] = wl_vector_dot(WL_ELEMENT_F32, row, row, this->dim);
}

wl_status wl_codebook_center(const wl_codebook *codebook, wl_pool *pool, wl_pass *pass, float *mean, double *energy,
                             wl_error *error)
{
    size_t block = wl_codebook_block(codebook), dim = codebook->dim;
    double *sums = wl_allocate(dim, sizeof *sums, error);
    double *squares = sums ? wl_allocate(block, sizeof *squares, error) : NULL;
    float *rows = squares ? wl_allocate(block * dim, sizeof *rows, error) : NULL;
    wl_status status = rows ? WL_OK : WL_ERROR_MEMORY;
    double all = 0, center = 0;
    row_squares part = {rows, dim, squares};
    for (size_t at = 0; at < codebook->rows && !status; at += block) {
        size_t count = codebook->rows - at < block ? codebook->rows - at : block;
        status = wl_codebook_read(codebook, pool, at, count, NULL, rows, error);
        if (status) break;
        wl_pool_run(pool, count, square_row, &part);
        wl_sum_columns(pool, rows, NULL, count, dim, sums);
        for (size_t i = 0; i < count; i++) all += squares[i];
        status = wl_pass_add(pass, count, error);
    }
    for (size_t i = 0; i < dim && !status; i++) {
        double value = sums[i] / (double)codebook->rows;
        mean[i] = (float)value;
        center += value * value;
    }
    *energy = fmax(all - (double)codebook->rows * center, 0);
    free(sums);
    free(squares);
    free(rows);
    return status;
}

/* ---- passes over the table --------------------------------------------------------------------------------------- */

/* What a pass works with. */
typedef struct work {
    const wl_codebook *codebook;
    const wl_spectrum_plan *plan;
    size_t block, dim;
    size_t columns, width; /* of X, of Q */
    float *rows;           /* (block, dim) */
    float *basis;          /* Q, (dim, width) */
    float *last;           /* X, which is in Q: its first column there */
    float *next;           /* A^T A X, (dim, columns) */
    float *products;       /* A X or A Q of a block, (block, width) */
    double *wide;          /* (block, dim or width) */
    double *gram;          /* (dim, dim) or (width, width) */
} work;

static void free_work(work *this)
{
    free(this->rows);
    free(this->basis);
    free(this->next);
    free(this->products);
    free(this->wide);
    free(this->gram);
}

/* Calls take for each block of rows, which are centred. */
static wl_status pass_over(work *this, void (*take)(work *this, size_t count))
{
    const wl_codebook *codebook = this->codebook;
    const wl_spectrum_plan *plan = this->plan;
    for (size_t at = 0; at < codebook->rows; at += this->block) {
        size_t count = codebook->rows - at < this->block ? codebook->rows - at : this->block;
        if (wl_codebook_read(codebook, plan->pool, at, count, plan->mean, this->rows, plan->error))
            return plan->error->code;
        take(this, count);
        if (wl_pass_add(plan->pass, count, plan->error)) return plan->error->code;
    }
    return WL_OK;
}

static void take_covariance(work *this, size_t count)
{
    wl_gram_add(this->plan->pool, this->rows, count, this->dim, this->wide, this->gram);
}

/* products = A B of the block, where B is so many columns of Q. */
static void project(work *this, size_t count, const float *columns, size_t width)
{
    wl_multiply(this->plan->pool, count, width, this->dim, 1, (wl_side){this->rows, this->dim, false},
                (wl_side){columns, this->width, false}, 0, this->products, width);
}

static void take_step(work *this, size_t count)
{
    project(this, count, this->last, this->columns);
    wl_multiply(this->plan->pool, this->dim, this->columns, count, 1, (wl_side){this->rows, this->dim, true},
                (wl_side){this->products, this->columns, false}, 1, this->next, this->columns);
}

static void take_projection(work *this, size_t count)
{
    project(this, count, this->basis, this->width);
    wl_gram_add(this->plan->pool, this->products, count, this->width, this->wide, this->gram);
}

/* ---- the two ways ------------------------------------------------------------------------------------------------ */

static bool is_exact(const wl_codebook *codebook, size_t rank)
{
    return codebook->dim <= WL_EXACT_COLUMNS || codebook->dim <= columns_for(rank) * (STEPS + 1);
}

size_t wl_spectrum_passes(const wl_codebook *codebook, size_t rank)
{
    return is_exact(codebook, rank) ? 1 : STEPS + 1;
}

/* Standard normal numbers, two at a time (Box and Muller, 1958). */
static void fill_normal(float *out, size_t count, uint64_t seed)
{
    wl_random random = wl_random_seed(seed, 0);
    for (size_t i = 0; i < count; i += 2) {
        double radius = sqrt(-2 * log(1 - wl_random_unit(&random)));
        double angle = 6.283185307179586 * wl_random_unit(&random);
        out[i] = (float)(radius * cos(angle));
        if (i + 1 < count) out[i + 1] = (float)(radius * sin(angle));
    }
}

static void fix_sign(float *direction, size_t dim)
{
    size_t largest = 0;
    for (size_t i = 1; i < dim; i++)
        if (fabsf(direction[i]) > fabsf(direction[largest])) largest = i;
    if (direction[largest] > 0) return;
    for (size_t i = 0; i < dim; i++) direction[i] = -direction[i];
}

/* From the eigenvalues of a covariance, of which there may be no more than the table has rows. */
static wl_status take_values(wl_spectrum *spectrum, const work *this, double *squares, size_t count)
{
    wl_error *error = this->plan->error;
    spectrum->count = count < this->codebook->rows ? count : this->codebook->rows;
    spectrum->values = squares;
    for (size_t i = 0; i < count; i++) squares[i] = squares[i] > 0 ? sqrt(squares[i]) : 0;
    spectrum->directions = wl_allocate(spectrum->count * this->dim, sizeof *spectrum->directions, error);
    return spectrum->directions ? WL_OK : WL_ERROR_MEMORY;
}

static wl_status find_exact(wl_spectrum *spectrum, work *this)
{
    wl_error *error = this->plan->error;
    size_t dim = this->dim;
    this->wide = wl_allocate(this->block * dim, sizeof *this->wide, error);
    this->gram = this->wide ? wl_allocate(dim * dim, sizeof *this->gram, error) : NULL;
    double *squares = this->gram ? wl_allocate(dim, sizeof *squares, error) : NULL;
    wl_status status = squares ? pass_over(this, take_covariance) : WL_ERROR_MEMORY;
    if (!status) status = wl_eigen(this->gram, dim, squares, error);
    if (status) {
        free(squares);
        return status;
    }
    spectrum->exact = true;
    if (take_values(spectrum, this, squares, dim)) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < spectrum->count * dim; i++) spectrum->directions[i] = (float)this->gram[i];
    return WL_OK;
}

/* directions = (eigenvectors of the covariance of A Q) * Q^T. */
static wl_status take_directions(wl_spectrum *spectrum, const work *this)
{
    size_t width = this->width;
    float *turn = wl_allocate(width * width, sizeof *turn, this->plan->error);
    if (!turn) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < width * width; i++) turn[i] = (float)this->gram[i];
    wl_multiply(this->plan->pool, spectrum->count, this->dim, width, 1, (wl_side){turn, width, false},
                (wl_side){this->basis, width, true}, 0, spectrum->directions, this->dim);
    free(turn);
    return WL_OK;
}

/* next, less what lies in the first `before` columns of Q, orthonormal, becomes the columns behind them. Twice, for
 * what rounding leaves the first time. */
static wl_status append_columns(work *this, size_t before)
{
    wl_pool *pool = this->plan->pool;
    size_t dim = this->dim, columns = this->columns;
    float *parts = wl_allocate((before ? before : 1) * columns, sizeof *parts, this->plan->error);
    wl_status status = parts ? WL_OK : WL_ERROR_MEMORY;
    for (int round = 0; round < 2 && !status; round++) {
        wl_multiply(pool, before, columns, dim, 1, (wl_side){this->basis, this->width, true},
                    (wl_side){this->next, columns, false}, 0, parts, columns);
        wl_multiply(pool, dim, columns, before, -1, (wl_side){this->basis, this->width, false},
                    (wl_side){parts, columns, false}, 1, this->next, columns);
        status = wl_orthonormalize(this->next, dim, columns, this->plan->error);
    }
    free(parts);
    this->last = this->basis + before;
    for (size_t i = 0; i < dim && !status; i++)
        memcpy(this->last + i * this->width, this->next + i * columns, columns * sizeof *this->next);
    return status;
}

static wl_status find_basis(work *this)
{
    size_t size = this->dim * this->columns;
    fill_normal(this->next, size, this->plan->seed);
    wl_status status = append_columns(this, 0);
    for (size_t step = 1; step <= STEPS && !status; step++) {
        memset(this->next, 0, size * sizeof *this->next);
        status = pass_over(this, take_step);
        if (!status) status = append_columns(this, step * this->columns);
    }
    return status;
}

static wl_status find_largest(wl_spectrum *spectrum, work *this)
{
    wl_error *error = this->plan->error;
    this->columns = columns_for(this->plan->rank);
    size_t width = this->width = this->columns * (STEPS + 1);
    this->basis = wl_allocate(this->dim * width, sizeof *this->basis, error);
    this->next = this->basis ? wl_allocate(this->dim * this->columns, sizeof *this->next, error) : NULL;
    this->products = this->next ? wl_allocate(this->block * width, sizeof *this->products, error) : NULL;
    this->wide = this->products ? wl_allocate(this->block * width, sizeof *this->wide, error) : NULL;
    this->gram = this->wide ? wl_allocate(width * width, sizeof *this->gram, error) : NULL;
    double *squares = this->gram ? wl_allocate(width, sizeof *squares, error) : NULL;
    wl_status status = squares ? WL_OK : WL_ERROR_MEMORY;
    if (!status) status = find_basis(this);
    if (!status) status = pass_over(this, take_projection);
    if (!status) status = wl_eigen(this->gram, width, squares, error);
    if (status) {
        free(squares);
        return status;
    }
    if (take_values(spectrum, this, squares, this->plan->rank)) return WL_ERROR_MEMORY;
    return take_directions(spectrum, this);
}

wl_status wl_spectrum_find(wl_spectrum *spectrum, const wl_codebook *codebook, const wl_spectrum_plan *plan)
{
    *spectrum = (wl_spectrum){0};
    work this = {.codebook = codebook, .plan = plan, .block = wl_codebook_block(codebook), .dim = codebook->dim};
    this.rows = wl_allocate(this.block * this.dim, sizeof *this.rows, plan->error);
    wl_status status = WL_ERROR_MEMORY;
    if (this.rows)
        status = is_exact(codebook, plan->rank) ? find_exact(spectrum, &this) : find_largest(spectrum, &this);
    for (size_t i = 0; i < spectrum->count && !status; i++) fix_sign(spectrum->directions + i * this.dim, this.dim);
    free_work(&this);
    return status;
}

void wl_spectrum_free(wl_spectrum *spectrum)
{
    free(spectrum->values);
    free(spectrum->directions);
    *spectrum = (wl_spectrum){0};
}
