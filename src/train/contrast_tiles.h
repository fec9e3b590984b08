/* The parts of the contrastive loss that go over the pairs of a tile. contrast.c holds the frame. */
#ifndef WL_TRAIN_CONTRAST_TILES_H
#define WL_TRAIN_CONTRAST_TILES_H

#include "train/loops.h"
#include "train/nest.h"

/* Tiles: large enough that BLAS is fast and that the slopes, which each tile adds to, are passed over seldom; rows of
 * a block are one thread's. Of at most COLUMNS candidates the products are computed once, not twice. */
enum { WL_CONTRAST_ROWS = 256, WL_CONTRAST_COLUMNS = 2048, WL_CONTRAST_BLOCK = 16 };

/* One direction of the loss. A level is a dim of the nest; its slice is the dims from the last level's to its own. */
typedef struct wl_contrast_work {
    wl_pool *pool;
    const wl_loops *loops;
    const wl_contrast *contrast;
    wl_slices slices;
    size_t levels;                               /* slices.count */
    double part;                                 /* of this direction in the loss */
    double weight;                               /* of the loss, in slopes */
    float *anchor_inverses, *candidate_inverses; /* (levels, count or candidate_count): 1 / norm of the first dims, 0
                                                  * of a zero vector */
    float *own_similarities;                     /* (count): of the teacher, of anchor and positive; NULL: no teacher */

    /* What the first pass finds, (levels, count): the largest logit, the sum of exp(logit - that), the positive's. */
    float *highest, *own;
    double *sums;
    /* What the second finds: the sums over a row or a column of loss' by logit, times cosine. */
    double *anchor_terms;    /* (levels, count) */
    double *candidate_terms; /* (levels, candidate_count) */

    /* The tile: anchors [row, row + rows), candidates [column, column + columns). */
    size_t row, rows, column, columns, stride;
    float *products;    /* (levels, ROWS, stride): of slices; the second pass leaves coefficients */
    float *penalties;   /* (ROWS, stride): teacher similarities, then 0 or -infinity; NULL: nothing is masked */
    float *block_terms; /* (levels, ROWS / BLOCK, stride): candidate_terms of a block */
} wl_contrast_work;

/* Of an anchor's loss at a level in the whole. */
static inline double wl_contrast_share(const wl_contrast_work *work, size_t level)
{
    return work->part * work->slices.weights[level] / (double)work->contrast->count;
}

/* Products and penalties of the tile. */
void wl_contrast_tile_load(wl_contrast_work *this);
/* First pass over a tile that is loaded. */
void wl_contrast_tile_sum(wl_contrast_work *this);
/* Second pass: products become coefficients: the slope of anchor i in the slice of level s is the sum over candidates j
 * of products[s][i][j] * candidate j, and the other way round, but for the norms' part, which the terms tell. */
void wl_contrast_tile_slope(wl_contrast_work *this);

#endif
