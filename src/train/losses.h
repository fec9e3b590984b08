/* Losses over the vectors of a batch, and their slopes. Vectors are F32 rows of `stride` numbers of which a loss looks
 * at the first dim: that is how Matryoshka dimensions share them. Slopes are added to what is there, times weight;
 * *loss is set, without it, and is NaN where a vector is. All sums over a batch are in F64 in a fixed order: the same
 * bits for any number of threads. */
#ifndef WL_TRAIN_LOSSES_H
#define WL_TRAIN_LOSSES_H

#include "base/memory.h"
#include "base/parallel.h"

/* Dimensions that a loss is the weighted sum over, descending or ascending, each at most the vectors' dim. */
typedef struct wl_nest {
    const uint32_t *dims;
    const float *weights;
    size_t count;
} wl_nest;

/* ---- contrastive ------------------------------------------------------------------------------------------------- */

typedef struct wl_contrast {
    const float *anchors;    /* (count, dim) */
    const float *candidates; /* (candidate_count, dim): the positive of each anchor first, then the negatives */
    size_t count, candidate_count, dim;
    const uint64_t *anchor_texts, *candidate_texts;  /* hashes of the texts, equal where the text is; NULL: not known. A
                                                      * candidate that is the anchor's own text, or the text of its
                                                      * positive, or the positive of another anchor of the same text,
                                                      * is no negative of it; and so with the roles changed. */
    const float *anchor_targets, *candidate_targets; /* teacher's unit vectors (count, target_dim); NULL: none. Then a
                                                      * candidate whose teacher similarity with the anchor is above that
                                                      * of the positive less margin is no negative of it. */
    size_t target_dim;
    float margin;
    bool symmetric; /* also the positives look for their anchors; the mean of both */
    float scale;    /* of the cosines: 1 / temperature */
} wl_contrast;

/* MultipleNegativesRankingLoss: the mean over anchors of log sum exp(scale * cos) - scale * cos(positive), summed over
 * the nest. The B x B logits are never held: tiles, twice, with an online log-sum-exp; all dims of the nest share one
 * product (its slices are accumulated). anchor_slopes, candidate_slopes: like the vectors. scale_slope: NULL, or the
 * slope by scale is added. *loss: the sum over the nest. Memory: O(count + candidates) and tiles of fixed size. A
 * failure (memory; a nest that does not fit the dim) leaves the slopes as they were. */
wl_status wl_contrast_loss(wl_pool *pool, const wl_contrast *contrast, const wl_nest *nest, float weight,
                           float *anchor_slopes, float *candidate_slopes, double *scale_slope, double *loss,
                           wl_error *error);

/* ---- scored pairs ------------------------------------------------------------------------------------------------ */

typedef enum wl_scored_kind { WL_SCORED_COSENT, WL_SCORED_ANGLE, WL_SCORED_COSINE } wl_scored_kind;

/* Pairs (a[i], b[i]) with a score each. COSENT (and ANGLE with its own similarity): log(1 + sum over pairs i, j with
 * score i < score j of exp(scale * (s_i - s_j))). COSINE: mean of (cos - score)^2. */
wl_status wl_scored_loss(wl_pool *pool, wl_scored_kind kind, const float *a, const float *b, const float *scores,
                         size_t count, size_t dim, const wl_nest *nest, float scale, float weight, float *a_slopes,
                         float *b_slopes, double *loss, wl_error *error);

/* ---- distillation ------------------------------------------------------------------------------------------------ */

typedef enum wl_distill_kind {
    WL_DISTILL_COSINE,        /* mean of 1 - cos(vector, target), over the dims that both have */
    WL_DISTILL_SQUARED,       /* mean of |vector - target|^2 / dim */
    WL_DISTILL_SIMILARITIES,  /* mean over pairs of texts of (cos of vectors - cos of targets)^2 */
    WL_DISTILL_DISTRIBUTIONS, /* KL(softmax(G / temperature) || softmax(H / temperature)), rows of cosines of targets
                               * and of vectors, diagonal left out; mean over rows */
} wl_distill_kind;

/* targets: (count, target_dim). For COSINE and SQUARED a dim of the nest takes as many dims of the target. signs: the
 * vectors are signs, which have one length whatever numbers they stand for: a cosine's slope is not freed of its part
 * along the vector. (Without that part bits come out worse: docs/models.md.) */
wl_status wl_distill_loss(wl_pool *pool, wl_distill_kind kind, const float *vectors, bool signs, const float *targets,
                          size_t count, size_t dim, size_t target_dim, const wl_nest *nest, float temperature,
                          float weight, float *slopes, double *loss, wl_error *error);

/* ---- triplets ---------------------------------------------------------------------------------------------------- */

/* mean of softplus((cos(a, n) - cos(a, p)) / temperature). signs: as above. */
wl_status wl_triplet_loss(wl_pool *pool, const float *anchors, const float *positives, const float *negatives,
                          bool signs, size_t count, size_t dim, const wl_nest *nest, float temperature, float weight,
                          float *anchor_slopes, float *positive_slopes, float *negative_slopes, double *loss,
                          wl_error *error);

#endif
