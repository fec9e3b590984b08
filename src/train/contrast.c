/* The contrastive loss in tiles. Of one anchor i and one dim of the nest, with logits l_j = scale * cos(i, j):
 *
 *   loss = log sum over j of exp(l_j) - l_i          d loss / d l_j = softmax_j - [j = i]
 *
 * For each 256 anchors, a first pass over tiles of candidates finds the sums, a second the slopes; logits live as long
 * as their tile. A tile holds the products of the slices between the dims of the nest: a prefix sum over them gives the
 * products of every dim, which prefix norms turn into cosines; in the second pass a suffix sum over the coefficients
 * lets one product a slice serve all the dims that contain it. What the norms add to a slope is a multiple of the
 * vector itself, summed apart. Products run on the pool's threads, and so does everything by rows; tiles follow each
 * other, so that sums into the candidates' slopes have one order.
 *
 * Cost: 4 products of count * candidates * dim (3 where the candidates fit one tile, which is kept for the second pass)
 * and 2 exponentials a pair and dim of the nest. Symmetric: the same again, of the positives against the anchors. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "matrix/matrix.h"
#include "train/contrast_tiles.h"
#include "vector/kernels.h"

/* F.normalize of the reference does not make unit vectors of shorter ones; here they count as zero. */
#define SHORTEST 1e-12

static void work_free(wl_contrast_work *this)
{
    wl_slices_free(&this->slices);
    free(this->anchor_inverses);
    free(this->candidate_inverses);
    free(this->own_similarities);
    free(this->highest);
    free(this->own);
    free(this->sums);
    free(this->anchor_terms);
    free(this->candidate_terms);
    free(this->products);
    free(this->penalties);
    free(this->block_terms);
}

/* pool, contrast and weight are set. Free with work_free, also after a failure. */
static wl_status work_open(wl_contrast_work *this, const wl_nest *nest, wl_error *error)
{
    const wl_contrast *of = this->contrast;
    if (wl_slices_open(&this->slices, nest, of->dim, of->dim, error)) return error->code;
    this->levels = this->slices.count;
    size_t levels = this->levels, anchors = levels * of->count, candidates = levels * of->candidate_count;
    /* Rows that do not begin at the same place of a page are not all in the same lines of the cache. */
    this->stride = (of->candidate_count < WL_CONTRAST_COLUMNS ? of->candidate_count : WL_CONTRAST_COLUMNS) + 16;
    bool teacher = of->anchor_targets && of->candidate_targets, texts = of->anchor_texts && of->candidate_texts;
    if (!(this->anchor_inverses = wl_allocate(anchors, sizeof(float), error)) ||
        !(this->candidate_inverses = wl_allocate(candidates, sizeof(float), error)) ||
        (teacher && !(this->own_similarities = wl_allocate(of->count, sizeof(float), error))) ||
        !(this->highest = wl_allocate(anchors, sizeof(float), error)) ||
        !(this->own = wl_allocate(anchors, sizeof(float), error)) ||
        !(this->sums = wl_allocate(anchors, sizeof(double), error)) ||
        !(this->anchor_terms = wl_allocate(anchors, sizeof(double), error)) ||
        !(this->candidate_terms = wl_allocate(candidates, sizeof(double), error)) ||
        !(this->products = wl_allocate(levels * WL_CONTRAST_ROWS, this->stride * sizeof(float), error)) ||
        ((teacher || texts) &&
         !(this->penalties = wl_allocate(WL_CONTRAST_ROWS, this->stride * sizeof(float), error))) ||
        !(this->block_terms =
              wl_allocate(levels * (WL_CONTRAST_ROWS / WL_CONTRAST_BLOCK), this->stride * sizeof(float), error)))
        return WL_ERROR_MEMORY;
    return WL_OK;
}

/* Nothing found yet. */
static void begin(wl_contrast_work *this)
{
    size_t anchors = this->levels * this->contrast->count;
    /* Not minus infinity: all that a row has in the first tile may be masked. */
    for (size_t i = 0; i < anchors; i++) this->highest[i] = -FLT_MAX;
    memset(this->sums, 0, anchors * sizeof *this->sums);
    memset(this->anchor_terms, 0, anchors * sizeof *this->anchor_terms);
    memset(this->candidate_terms, 0, this->levels * this->contrast->candidate_count * sizeof *this->candidate_terms);
}

/* ---- by vector --------------------------------------------------------------------------------------------------- */

/* Vectors of either side, in blocks. */
typedef struct vectors {
    const wl_contrast_work *work;
    const float *rows;
    size_t count;
    float *inverses;     /* (levels, count) */
    const double *terms; /* (levels, count) */
    float *slopes;       /* (count, dim) */
} vectors;

static void run_blocks(vectors *this, void (*block)(void *user, uint32_t worker, size_t item))
{
    wl_pool_run(this->work->pool, (this->count + WL_CONTRAST_BLOCK - 1) / WL_CONTRAST_BLOCK, block, this);
}

static void find_inverses(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const vectors *this = user;
    const wl_slices *slices = &this->work->slices;
    double (*dot)(const void *, const void *, size_t) = wl_kernels_best()->pairs[WL_ELEMENT_F32].dot;
    size_t begin = item * WL_CONTRAST_BLOCK, end = begin + WL_CONTRAST_BLOCK;
    for (size_t i = begin; i < end && i < this->count; i++) {
        const float *row = this->rows + i * this->work->contrast->dim;
        double square = 0;
        for (size_t level = 0; level < slices->count; level++) {
            size_t from = wl_slice_begin(slices, level);
            square += dot(row + from, row + from, slices->ends[level] - from);
            double norm = sqrt(square);
            this->inverses[level * this->count + i] = norm < SHORTEST ? 0 : (float)(1 / norm);
        }
    }
}

/* What the norms of all dims of the nest add to the slopes. */
static void add_norms(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const vectors *this = user;
    const wl_contrast_work *work = this->work;
    size_t begin = item * WL_CONTRAST_BLOCK, end = begin + WL_CONTRAST_BLOCK, dim = work->contrast->dim;
    for (size_t i = begin; i < end && i < this->count; i++) {
        const float *row = this->rows + i * dim;
        float *slopes = this->slopes + i * dim;
        double sum = 0;
        for (size_t level = work->levels; level-- > 0;) {
            double inverse = (double)this->inverses[level * this->count + i];
            sum += (double)work->contrast->scale * this->terms[level * this->count + i] * inverse * inverse;
            float factor = (float)sum;
            for (size_t k = wl_slice_begin(&work->slices, level); k < work->slices.ends[level]; k++)
                slopes[k] -= factor * row[k];
        }
    }
}

static void find_own_similarities(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const wl_contrast_work *this = ((const vectors *)user)->work;
    const wl_contrast *of = this->contrast;
    size_t begin = item * WL_CONTRAST_BLOCK, end = begin + WL_CONTRAST_BLOCK;
    for (size_t i = begin; i < end && i < of->count; i++)
        this->own_similarities[i] = (float)wl_kernels_best()->pairs[WL_ELEMENT_F32].dot(
            of->anchor_targets + i * of->target_dim, of->candidate_targets + i * of->target_dim, of->target_dim);
}

/* ---- the loss ---------------------------------------------------------------------------------------------------- */

/* The tile's coefficients times the vectors of either side. */
static void add_products(const wl_contrast_work *this, float *anchor_slopes, float *candidate_slopes)
{
    const wl_contrast *of = this->contrast;
    for (size_t level = 0; level < this->levels; level++) {
        size_t from = wl_slice_begin(&this->slices, level), width = this->slices.ends[level] - from;
        size_t row = this->row * of->dim + from;
        size_t column = this->column * of->dim + from;
        const float *coefficients = this->products + level * WL_CONTRAST_ROWS * this->stride;
        wl_side rows = {coefficients, this->stride, false}, columns = {coefficients, this->stride, true};
        wl_side anchors = {of->anchors + row, of->dim, false}, candidates = {of->candidates + column, of->dim, false};
        wl_multiply(this->pool, this->rows, width, this->columns, 1, rows, candidates, 1, anchor_slopes + row, of->dim);
        wl_multiply(this->pool, this->columns, width, this->rows, 1, columns, anchors, 1, candidate_slopes + column,
                    of->dim);
    }
}

static void to_column(wl_contrast_work *this, size_t column)
{
    size_t left = this->contrast->candidate_count - column;
    this->column = column;
    this->columns = left < WL_CONTRAST_COLUMNS ? left : WL_CONTRAST_COLUMNS;
}

static void add_slopes(wl_contrast_work *this, float *anchor_slopes, float *candidate_slopes)
{
    const wl_contrast *of = this->contrast;
    for (this->row = 0; this->row < of->count; this->row += this->rows) {
        size_t left = of->count - this->row;
        this->rows = left < WL_CONTRAST_ROWS ? left : WL_CONTRAST_ROWS;
        for (size_t column = 0; column < of->candidate_count; column += this->columns) {
            to_column(this, column);
            wl_contrast_tile_load(this);
            wl_contrast_tile_sum(this);
        }
        for (size_t column = 0; column < of->candidate_count; column += this->columns) {
            to_column(this, column);
            if (this->columns < of->candidate_count) wl_contrast_tile_load(this);
            wl_contrast_tile_slope(this);
            add_products(this, anchor_slopes, candidate_slopes);
        }
    }
}

/* The anchors look for their positives. */
static void search(wl_contrast_work *this, float *anchor_slopes, float *candidate_slopes, double *scale_slope,
                   double *loss)
{
    const wl_contrast *of = this->contrast;
    vectors anchors = {this, of->anchors, of->count, this->anchor_inverses, this->anchor_terms, anchor_slopes};
    vectors candidates = {.work = this,
                          .rows = of->candidates,
                          .count = of->candidate_count,
                          .inverses = this->candidate_inverses,
                          .terms = this->candidate_terms,
                          .slopes = candidate_slopes};
    begin(this);
    run_blocks(&anchors, find_inverses);
    run_blocks(&candidates, find_inverses);
    if (this->own_similarities) run_blocks(&anchors, find_own_similarities);
    add_slopes(this, anchor_slopes, candidate_slopes);
    run_blocks(&anchors, add_norms);
    run_blocks(&candidates, add_norms);
    for (size_t level = 0; level < this->levels; level++) {
        double share = wl_contrast_share(this, level);
        for (size_t i = level * of->count; i < (level + 1) * of->count; i++) {
            *loss += share * ((double)this->highest[i] + log(this->sums[i]) - (double)this->own[i]);
            if (scale_slope) *scale_slope += this->anchor_terms[i];
        }
    }
}

wl_status wl_contrast_loss(wl_pool *pool, const wl_contrast *contrast, const wl_nest *nest, float weight,
                           float *anchor_slopes, float *candidate_slopes, double *scale_slope, double *loss,
                           wl_error *error)
{
    wl_contrast_work work = {.pool = pool,
                             .loops = wl_loops_best(),
                             .contrast = contrast,
                             .part = contrast->symmetric ? 0.5 : 1,
                             .weight = (double)weight};
    wl_status status = work_open(&work, nest, error);
    *loss = 0;
    if (!status) search(&work, anchor_slopes, candidate_slopes, scale_slope, loss);
    if (!status && contrast->symmetric) {
        wl_contrast back = *contrast; /* of the candidates the positives alone, for which the memory suffices */
        back.anchors = contrast->candidates;
        back.candidates = contrast->anchors;
        back.candidate_count = contrast->count;
        back.anchor_texts = contrast->candidate_texts;
        back.candidate_texts = contrast->anchor_texts;
        back.anchor_targets = contrast->candidate_targets;
        back.candidate_targets = contrast->anchor_targets;
        work.contrast = &back;
        search(&work, candidate_slopes, anchor_slopes, scale_slope, loss);
    }
    work_free(&work);
    return status;
}
