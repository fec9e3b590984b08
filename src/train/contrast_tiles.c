#include "train/contrast_tiles.h"

#include <math.h>
#include <string.h>

#include "matrix/matrix.h"

static void run_blocks(wl_contrast_work *this, void (*block)(void *user, uint32_t worker, size_t item))
{
    wl_pool_run(this->pool, (this->rows + WL_CONTRAST_BLOCK - 1) / WL_CONTRAST_BLOCK, block, this);
}

static float *slice_of(const wl_contrast_work *this, size_t level, size_t row)
{
    return this->products + (level * WL_CONTRAST_ROWS + row) * this->stride;
}

/* ---- loading ----------------------------------------------------------------------------------------------------- */

/* Whether a candidate is no negative of the anchor. The positives of the same text as the anchor's are other anchors':
 * what they answer is the same question. */
static void penalize_texts(const wl_contrast_work *this, size_t anchor, float *penalties)
{
    const wl_contrast *of = this->contrast;
    const uint64_t *texts = of->candidate_texts + this->column;
    uint64_t text = of->anchor_texts[anchor], positive = of->candidate_texts[anchor];
    this->loops->mask(texts, text, positive, penalties, this->columns);
    if (this->column >= of->count) return;
    size_t positives = of->count - this->column < this->columns ? of->count - this->column : this->columns;
    this->loops->mask(of->anchor_texts + this->column, text, text, penalties, positives);
}

static void penalize_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const wl_contrast_work *this = user;
    const wl_contrast *of = this->contrast;
    size_t begin = item * WL_CONTRAST_BLOCK, end = begin + WL_CONTRAST_BLOCK;
    for (size_t row = begin; row < end && row < this->rows; row++) {
        size_t anchor = this->row + row;
        float *penalties = this->penalties + row * this->stride;
        if (this->own_similarities) {
            float bound = this->own_similarities[anchor] - of->margin;
            for (size_t j = 0; j < this->columns; j++) {
                float penalty = penalties[j] > bound ? -INFINITY : 0;
                penalties[j] = penalty;
            }
        } else
            memset(penalties, 0, this->columns * sizeof *penalties);
        if (of->anchor_texts && of->candidate_texts) penalize_texts(this, anchor, penalties);
        if (anchor - this->column < this->columns) penalties[anchor - this->column] = 0;
    }
}

void wl_contrast_tile_load(wl_contrast_work *this)
{
    const wl_contrast *of = this->contrast;
    for (size_t level = 0; level < this->levels; level++) {
        size_t begin = wl_slice_begin(&this->slices, level), width = this->slices.ends[level] - begin;
        wl_side anchors = {of->anchors + this->row * of->dim + begin, of->dim, false};
        wl_side candidates = {of->candidates + this->column * of->dim + begin, of->dim, true};
        wl_multiply(this->pool, this->rows, this->columns, width, 1, anchors, candidates, 0, slice_of(this, level, 0),
                    this->stride);
    }
    if (!this->penalties) return;
    if (this->own_similarities) {
        wl_side anchors = {of->anchor_targets + this->row * of->target_dim, of->target_dim, false};
        wl_side candidates = {of->candidate_targets + this->column * of->target_dim, of->target_dim, true};
        wl_multiply(this->pool, this->rows, this->columns, of->target_dim, 1, anchors, candidates, 0, this->penalties,
                    this->stride);
    }
    run_blocks(this, penalize_block);
}

/* ---- runs -------------------------------------------------------------------------------------------------------- */

/* Some columns of a row of the tile, at one level. */
typedef struct run {
    wl_pair_run pairs;
    float *slice;       /* (count): products, then coefficients */
    float *block_terms; /* (count) */
    size_t place, own;  /* of the anchor in the work's arrays; of its positive in the run, or not below count */
} run;

static run run_of(const wl_contrast_work *this, size_t level, size_t row, size_t column)
{
    static const float none[WL_LOOP_RUN];
    const wl_contrast *of = this->contrast;
    size_t place = level * of->count + this->row + row, left = this->columns - column;
    size_t block = level * (WL_CONTRAST_ROWS / WL_CONTRAST_BLOCK) + row / WL_CONTRAST_BLOCK;
    return (run){.pairs = {.count = left < WL_LOOP_RUN ? left : WL_LOOP_RUN,
                           .inverses = this->candidate_inverses + level * of->candidate_count + this->column + column,
                           .penalties = this->penalties ? this->penalties + row * this->stride + column : none,
                           .inverse = this->anchor_inverses[place],
                           .scale = of->scale},
                 .slice = slice_of(this, level, row) + column,
                 .block_terms = this->block_terms + block * this->stride + column,
                 .place = place,
                 .own = this->row + row - this->column - column};
}

/* The online log-sum-exp (Milakov and Gimelshein 2018): where a larger logit comes, the sum so far is scaled to it. */
static void sum_run(wl_contrast_work *this, size_t row, size_t column)
{
    const wl_loops *loops = this->loops;
    float products[WL_LOOP_RUN] = {0}, logits[WL_LOOP_RUN];
    for (size_t level = 0; level < this->levels; level++) {
        run at = run_of(this, level, row, column);
        float largest = loops->find_logits(&at.pairs, at.slice, products, logits), before = this->highest[at.place];
        if (at.own < at.pairs.count) this->own[at.place] = logits[at.own];
        float highest = largest > before ? largest : before;
        double factor = highest > before ? exp((double)before - (double)highest) : 1;
        this->sums[at.place] = this->sums[at.place] * factor + loops->exponentials(logits, at.pairs.count, highest, 1);
        this->highest[at.place] = highest;
    }
}

/* The loss of an anchor by logit j is share * (softmax_j - [j is its own]). A logit is scale * product / norms, so by a
 * vector it has two parts: the other vector times scale / norms, the coefficient, and its own times - scale * cosine /
 * norm^2, of which the sums over j, and over the anchors of a block, are kept. */
static void slope_run(wl_contrast_work *this, size_t row, size_t column)
{
    const wl_loops *loops = this->loops;
    float products[WL_LOOP_RUN] = {0}, slopes[WL_LOOP_RUN];
    for (size_t level = 0; level < this->levels; level++) {
        run at = run_of(this, level, row, column);
        double share = this->weight * wl_contrast_share(this, level);
        if (row % WL_CONTRAST_BLOCK == 0) memset(at.block_terms, 0, at.pairs.count * sizeof *at.block_terms);
        loops->find_logits(&at.pairs, at.slice, products, slopes);
        loops->exponentials(slopes, at.pairs.count, this->highest[at.place], (float)(share / this->sums[at.place]));
        if (at.own < at.pairs.count) slopes[at.own] -= (float)share;
        this->anchor_terms[at.place] += loops->find_coefficients(&at.pairs, products, slopes, at.slice, at.block_terms);
    }
    /* A slice is part of its own level and of all above. */
    for (size_t level = this->levels; level-- > 1;) {
        run above = run_of(this, level, row, column), at = run_of(this, level - 1, row, column);
        loops->add(at.slice, above.slice, at.pairs.count);
    }
}

/* ---- passes ------------------------------------------------------------------------------------------------------ */

static void for_runs(wl_contrast_work *this, size_t block, void (*each)(wl_contrast_work *, size_t row, size_t column))
{
    size_t begin = block * WL_CONTRAST_BLOCK, end = begin + WL_CONTRAST_BLOCK;
    for (size_t row = begin; row < end && row < this->rows; row++)
        for (size_t column = 0; column < this->columns; column += WL_LOOP_RUN) each(this, row, column);
}

static void sum_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    for_runs(user, item, sum_run);
}

static void slope_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    for_runs(user, item, slope_run);
}

void wl_contrast_tile_sum(wl_contrast_work *this)
{
    run_blocks(this, sum_block);
}

void wl_contrast_tile_slope(wl_contrast_work *this)
{
    run_blocks(this, slope_block);
    for (size_t level = 0; level < this->levels; level++) {
        double *terms = this->candidate_terms + level * this->contrast->candidate_count + this->column;
        for (size_t row = 0; row < this->rows; row += WL_CONTRAST_BLOCK) {
            const float *part = run_of(this, level, row, 0).block_terms;
            for (size_t j = 0; j < this->columns; j++) terms[j] += (double)part[j];
        }
    }
}
