/* A model without training, the way of Model2Vec: principal components, then weights by how rare a token is. Three
 * steps over the table: its mean, the directions (spectrum.c), the projection, which streams into the file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "extract/codebook_write.h"
#include "extract/spectrum.h"
#include "matrix/matrix.h"

enum { DEFAULT_DIM = 256 };
static const double SIF_ZIPF = 1e-4, SIF_COUNTED = 1e-3;
static const char *const weightings[] = {[WL_WEIGHT_SIF] = "sif", [WL_WEIGHT_ZIPF] = "zipf", [WL_WEIGHT_NONE] = "none"};

typedef struct reduction {
    const wl_codebook *codebook; /* cut to the rows of tokens */
    wl_reduce_options options;
    const char *path;
    wl_pool *pool;
    wl_pass pass;
    wl_error *error;
    size_t dim, remove;
    float *mean;     /* (codebook's dim) */
    float *weights;  /* (rows) */
    const float *to; /* (dim, codebook's dim): the directions that are kept */
    float scale;     /* what gives the projected numbers the mean square 1 */
    wl_reduced out;
} reduction;

/* ---- weights ----------------------------------------------------------------------------------------------------- */

/* The probability of a token, times *total. */
static double frequency_of(const reduction *this, size_t id)
{
    return this->options.counts ? (double)this->options.counts[id] : 1 / (double)(id + 2);
}

static wl_status find_weights(reduction *this)
{
    size_t rows = this->codebook->rows;
    double a = this->out.sif, total = 0;
    this->weights = wl_allocate(rows, sizeof *this->weights, this->error);
    if (!this->weights) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < rows; i++) total += frequency_of(this, i);
    if (this->options.weighting == WL_WEIGHT_SIF && !(total > 0))
        return wl_fail(this->error, WL_ERROR_ARGUMENT, "no token was counted: the weights would mean nothing");
    for (size_t i = 0; i < rows; i++) {
        double weight = 1;
        if (this->options.weighting == WL_WEIGHT_SIF) weight = a / (a + frequency_of(this, i) / total);
        if (this->options.weighting == WL_WEIGHT_ZIPF) weight = log1p((double)i);
        this->weights[i] = (float)weight;
    }
    return WL_OK;
}

/* ---- projection -------------------------------------------------------------------------------------------------- */

typedef struct weighting {
    const reduction *reduction;
    size_t begin;
    float *rows; /* (count, dim) */
} weighting;

static void weight_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const weighting *this = user;
    const reduction *of = this->reduction;
    float *row = this->rows + item * of->dim, factor = of->scale * of->weights[this->begin + item];
    for (size_t i = 0; i < of->dim; i++) row[i] *= factor;
}

static wl_status project_rows(reduction *this, wl_codebook_writer *writer, float *rows, float *projected)
{
    const wl_codebook *codebook = this->codebook;
    size_t block = wl_codebook_block(codebook), from = codebook->dim;
    for (size_t at = 0; at < codebook->rows; at += block) {
        size_t count = codebook->rows - at < block ? codebook->rows - at : block;
        if (wl_codebook_read(codebook, this->pool, at, count, this->mean, rows, this->error)) return this->error->code;
        wl_multiply(this->pool, count, this->dim, from, 1, (wl_side){rows, from, false},
                    (wl_side){this->to, from, true}, 0, projected, this->dim);
        weighting part = {this, at, projected};
        wl_pool_run(this->pool, count, weight_row, &part);
        if (wl_codebook_writer_rows(writer, projected, count, this->error) ||
            wl_pass_add(&this->pass, count, this->error))
            return this->error->code;
    }
    return WL_OK;
}

static wl_status write_model(reduction *this)
{
    const wl_codebook *codebook = this->codebook;
    wl_error *error = this->error;
    char dims[24], vocabulary[24], removed[24], weights[64];
    snprintf(dims, sizeof dims, "%zu", this->dim);
    snprintf(vocabulary, sizeof vocabulary, "%zu", wl_tokenizer_ids(codebook->tokenizer));
    snprintf(removed, sizeof removed, "%zu", this->remove);
    snprintf(weights, sizeof weights, this->out.sif > 0 ? "%s %g%s" : "%s", weightings[this->options.weighting],
             this->out.sif, this->options.counts ? " counted" : "");
    const char *const metadata[] = {
        "source",   wl_codebook_name(codebook), "dims", dims, "weights", weights, "removed", removed, "vocabulary",
        vocabulary,
    };
    size_t block = wl_codebook_block(codebook);
    wl_codebook_writer writer = {0};
    float *rows = wl_allocate(block * codebook->dim, sizeof *rows, error);
    float *projected = rows ? wl_allocate(block * this->dim, sizeof *projected, error) : NULL;
    wl_status status = projected ? WL_OK : WL_ERROR_MEMORY;
    if (!status)
        status = wl_codebook_writer_open(&writer, this->path, codebook->rows, this->dim, this->options.stored_as,
                                         metadata, sizeof metadata / sizeof *metadata / 2, error);
    if (!status) status = project_rows(this, &writer, rows, projected);
    if (!status) status = wl_codebook_copy_tokenizer(codebook, this->path, this->out.tokenizer, error);
    if (!status) status = wl_codebook_writer_commit(&writer, error);
    wl_codebook_writer_abandon(&writer);
    free(rows);
    free(projected);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status choose_dim(reduction *this)
{
    const wl_codebook *codebook = this->codebook;
    size_t possible = codebook->dim < codebook->rows ? codebook->dim : codebook->rows;
    this->remove = this->options.remove;
    if (this->remove >= possible)
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, codebook->file.path, WL_NO_POSITION, 0,
                          "%zu components are to be removed of %zu", this->remove, possible);
    size_t left = possible - this->remove;
    this->dim = this->options.dim ? this->options.dim : left < DEFAULT_DIM ? left : DEFAULT_DIM;
    if (this->dim <= left) return WL_OK;
    return wl_fail_at(this->error, WL_ERROR_ARGUMENT, codebook->file.path, WL_NO_POSITION, 0,
                      "%zu dimensions are wanted, but %zu x %zu numbers, less %zu components, have %zu", this->dim,
                      codebook->rows, codebook->dim, this->remove, left);
}

/* What the components hold, and the scale that follows from it. */
static wl_status take_variance(reduction *this, const wl_spectrum *spectrum, double energy)
{
    double removed = 0, kept = 0;
    for (size_t i = 0; i < this->remove + this->dim; i++)
        *(i < this->remove ? &removed : &kept) += spectrum->values[i] * spectrum->values[i];
    if (!(kept > 0) || !(energy > 0))
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, this->codebook->file.path, WL_NO_POSITION, 0,
                          "the rows do not differ in the components that are wanted: there is nothing to project");
    this->out.kept = fmin(kept / energy, 1);
    this->out.removed = fmin(removed / energy, 1);
    this->scale = (float)sqrt((double)this->codebook->rows * (double)this->dim / kept);
    return WL_OK;
}

static wl_status reduce(reduction *this)
{
    const wl_codebook *codebook = this->codebook;
    size_t rank = this->dim + this->remove;
    double energy;
    this->pass.total = codebook->rows * (2 + wl_spectrum_passes(codebook, rank));
    this->mean = wl_allocate(codebook->dim, sizeof *this->mean, this->error);
    if (!this->mean) return WL_ERROR_MEMORY;
    if (find_weights(this) || wl_codebook_center(codebook, this->pool, &this->pass, this->mean, &energy, this->error))
        return this->error->code;
    wl_spectrum spectrum;
    wl_spectrum_plan plan = {rank, this->options.seed, this->mean, this->pool, &this->pass, this->error};
    wl_status status = wl_spectrum_find(&spectrum, codebook, &plan);
    if (!status) status = take_variance(this, &spectrum, energy);
    if (!status) {
        this->to = spectrum.directions + this->remove * codebook->dim;
        status = write_model(this);
    }
    wl_spectrum_free(&spectrum);
    return status;
}

wl_status wl_reduce(const wl_codebook *codebook, const char *path, const wl_reduce_options *options, wl_reduced *result,
                    wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!codebook || !path) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_reduce: no codebook or no path given");
    wl_codebook view = *codebook; /* padding is left out */
    reduction this = {.codebook = &view, .path = path, .error = error};
    if (wl_read_options(&this.options, sizeof this.options, options, "wl_reduce_options", error)) return error->code;
    wl_reduce_options *chosen = &this.options;
    if ((size_t)chosen->weighting >= sizeof weightings / sizeof *weightings)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown weighting, %d", (int)chosen->weighting);
    if (!(chosen->sif >= 0)) return wl_fail(error, WL_ERROR_ARGUMENT, "sif is %g, expected above 0", chosen->sif);
    if (wl_codebook_check_tokenizer(codebook, error) || wl_codebook_check_target(codebook, path, error))
        return error->code;
    size_t ids = wl_tokenizer_ids(codebook->tokenizer);
    if (ids < view.rows) view.rows = ids;
    if (choose_dim(&this)) return error->code;
    if (chosen->weighting == WL_WEIGHT_SIF)
        this.out.sif = chosen->sif > 0 ? chosen->sif : chosen->counts ? SIF_COUNTED : SIF_ZIPF;
    this.out.rows = view.rows;
    this.out.dim = this.dim;
    this.pass = (wl_pass){chosen->progress, chosen->user, codebook->file.path, 0, 0};
    this.pool = wl_codebook_pool(chosen->threads, error);
    wl_status status = this.pool ? reduce(&this) : WL_ERROR_MEMORY;
    free(this.mean);
    free(this.weights);
    wl_pool_free(this.pool);
    if (!status && result) *result = this.out;
    return status;
}
