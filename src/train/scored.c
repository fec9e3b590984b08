/* Losses over scored pairs. Each goes in three steps: the similarity of each pair over each dim, the loss and its
 * slopes by the similarities, which need all pairs of the batch, and from them the slopes of the vectors.
 *
 * CoSENT (Huang et al., 2024, doi 10.1109/TASLP.2024.3402087) and AnglE (Li and Li, 2023, arXiv 2309.12871) compare
 * each pair with each that scores higher. In the order of the scores the sum over those is a running one, since
 * exp(x_i - x_j) is exp(x_i) exp(-x_j): n log n steps. The running sums are kept beside their largest exponent, so that
 * no scale overflows them, and what a sum loses is below the last bit of it. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "train/cosines.h"

enum { BLOCK = 32 };

typedef struct scored {
    wl_scored_kind kind;
    const float *a, *b;
    size_t count, dim;
    wl_slices slices;
    wl_products *products; /* (count, slices) */
    double *coefficients;  /* (count, slices): first the similarities, then the loss's slopes by them */
    float *a_slopes, *b_slopes;
} scored;

/* ---- similarities ------------------------------------------------------------------------------------------------ */

/* AnglE takes a vector's halves as real and imaginary parts, x + iy of a and u + iv of b; an odd vector has a zero at
 * its end. The similarity is |ab + sum(y u - x v)| / (|a| |b|). */
static double cross_product(const float *a, const float *b, size_t dim)
{
    size_t half = (dim + 1) / 2, pairs = dim - half;
    double sum = 0;
    for (size_t i = 0; i < pairs; i++) sum += (double)a[half + i] * (double)b[i] - (double)a[i] * (double)b[half + i];
    return sum;
}

static void add_angle_slopes(const float *a, const float *b, size_t dim, const wl_products *products,
                             double coefficient, float *a_slopes, float *b_slopes)
{
    double scale = wl_products_scale(products);
    if (scale == 0 || products->ab == 0) return;
    double other = products->ab < 0 ? -coefficient * scale : coefficient * scale;
    double own = coefficient * fabs(products->ab) * scale, own_a = own / products->aa, own_b = own / products->bb;
    size_t half = (dim + 1) / 2;
    for (size_t i = 0; i < half; i++) {
        bool pair = half + i < dim;
        double x = (double)a[i], y = pair ? (double)a[half + i] : 0;
        double u = (double)b[i], v = pair ? (double)b[half + i] : 0;
        a_slopes[i] += (float)(other * (u - v) - own_a * x);
        b_slopes[i] += (float)(other * (x + y) - own_b * u);
        if (!pair) continue;
        a_slopes[half + i] += (float)(other * (u + v) - own_a * y);
        b_slopes[half + i] += (float)(other * (y - x) - own_b * v);
    }
}

static void compare_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    scored *this = user;
    size_t slices = this->slices.count;
    for (size_t i = item * BLOCK; i < this->count && i < (item + 1) * BLOCK; i++) {
        const float *a = this->a + i * this->dim, *b = this->b + i * this->dim;
        wl_products *products = this->products + i * slices;
        wl_row_products(a, b, &this->slices, products);
        for (size_t s = 0; s < slices; s++) {
            if (this->kind == WL_SCORED_ANGLE) products[s].ab += cross_product(a, b, this->slices.ends[s]);
            double similarity = wl_products_cosine(&products[s]);
            this->coefficients[i * slices + s] = this->kind == WL_SCORED_ANGLE ? fabs(similarity) : similarity;
        }
    }
}

static void slope_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const scored *this = user;
    size_t slices = this->slices.count;
    for (size_t i = item * BLOCK; i < this->count && i < (item + 1) * BLOCK; i++) {
        size_t row = i * this->dim;
        const wl_products *products = this->products + i * slices;
        const double *coefficients = this->coefficients + i * slices;
        if (this->kind == WL_SCORED_ANGLE)
            for (size_t s = 0; s < slices; s++)
                add_angle_slopes(this->a + row, this->b + row, this->slices.ends[s], &products[s], coefficients[s],
                                 this->a_slopes + row, this->b_slopes + row);
        else
            wl_add_cosine_slopes(this->a + row, this->b + row, false, &this->slices, products, coefficients,
                                 this->a_slopes + row, this->b_slopes + row);
    }
}

/* ---- ranking ----------------------------------------------------------------------------------------------------- */

typedef struct place {
    float score;
    size_t pair;
} place;

static int compare_places(const void *x, const void *y)
{
    const place *a = x, *b = y;
    if (a->score != b->score) return a->score < b->score ? -1 : 1;
    return (a->pair > b->pair) - (a->pair < b->pair);
}

/* The logarithm of a sum of exponentials; starts as {-INFINITY, 0}. */
typedef struct log_sum {
    double most, sum;
} log_sum;

static void add_exponent(log_sum *this, double x)
{
    if (x > this->most) {
        this->sum = this->sum * exp(this->most - x) + 1;
        this->most = x;
    } else
        this->sum += exp(x - this->most);
}

static double take_log(const log_sum *this)
{
    return this->most + log(this->sum);
}

/* From place at on, in the direction of step, -1 or 1, to the first place with another score, or the end. */
static size_t skip_equal(const place *places, size_t count, size_t at, size_t step)
{
    float score = places[at].score;
    while (at < count && places[at].score == score) at += step;
    return at;
}

/* log(1 + sum of exp(x_i - x_j) over score i < score j), x = scale * similarity. similarities: one each `stride`, which
 * become slopes, times weight. Pairs of equal score do not meet: a group of them looks at the sum first, then joins
 * it. above: (count). Walking down, count - 1 to 0, ends at the number before 0, which is no place either. */
static double rank_loss(const place *places, size_t count, double scale, double weight, double *similarities,
                        size_t stride, double *above)
{
    log_sum total = {0, 1}, higher = {-INFINITY, 0}, lower = {-INFINITY, 0};
    for (size_t at = count - 1; at < count;) {
        size_t end = skip_equal(places, count, at, (size_t)-1);
        double sum = take_log(&higher);
        for (; at != end; at--) {
            double x = scale * similarities[places[at].pair * stride];
            above[at] = sum;
            add_exponent(&total, x + sum);
            add_exponent(&higher, -x);
        }
    }
    double loss = take_log(&total);
    for (size_t at = 0; at < count;) {
        size_t end = skip_equal(places, count, at, 1);
        double below = take_log(&lower);
        for (; at != end; at++) {
            double *similarity = &similarities[places[at].pair * stride], x = scale * *similarity;
            *similarity = weight * scale * (exp(x + above[at] - loss) - exp(below - x - loss));
            add_exponent(&lower, x);
        }
    }
    return loss;
}

static wl_status rank_pairs(scored *this, const float *scores, double scale, double weight, double *loss,
                            wl_error *error)
{
    place *places = wl_allocate(this->count, sizeof *places, error);
    double *above = places ? wl_allocate(this->count, sizeof *above, error) : NULL;
    if (above) {
        for (size_t i = 0; i < this->count; i++) places[i] = (place){scores[i], i};
        qsort(places, this->count, sizeof *places, compare_places);
        for (size_t s = 0; s < this->slices.count; s++) {
            double own = this->slices.weights[s];
            *loss += own * rank_loss(places, this->count, scale, own * weight, this->coefficients + s,
                                     this->slices.count, above);
        }
    }
    wl_status status = above ? WL_OK : WL_ERROR_MEMORY;
    free(places);
    free(above);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

/* The mean of (similarity - score)^2. */
static void square_pairs(scored *this, const float *scores, double weight, double *loss)
{
    size_t slices = this->slices.count;
    for (size_t i = 0; i < this->count; i++)
        for (size_t s = 0; s < slices; s++) {
            double *similarity = &this->coefficients[i * slices + s], away = *similarity - (double)scores[i];
            double part = this->slices.weights[s] / (double)this->count;
            *loss += part * away * away;
            *similarity = weight * 2 * part * away;
        }
}

static wl_status check_scores(const float *scores, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(scores[i]))
            return wl_fail(error, WL_ERROR_ARGUMENT, "the score of pair %zu is %g, expected a finite number", i,
                           (double)scores[i]);
    return WL_OK;
}

wl_status wl_scored_loss(wl_pool *pool, wl_scored_kind kind, const float *a, const float *b, const float *scores,
                         size_t count, size_t dim, const wl_nest *nest, float scale, float weight, float *a_slopes,
                         float *b_slopes, double *loss, wl_error *error)
{
    scored this = {.kind = kind, .a = a, .b = b, .count = count, .dim = dim};
    this.a_slopes = a_slopes;
    this.b_slopes = b_slopes;
    *loss = 0;
    wl_status status = check_scores(scores, count, error);
    if (!status) status = wl_slices_open(&this.slices, nest, dim, dim, error);
    if (!status && count) {
        size_t blocks = (count + BLOCK - 1) / BLOCK;
        this.products = wl_allocate(count, this.slices.count * sizeof *this.products, error);
        this.coefficients =
            this.products ? wl_allocate(count, this.slices.count * sizeof *this.coefficients, error) : NULL;
        status = this.coefficients ? WL_OK : WL_ERROR_MEMORY;
        if (!status) wl_pool_run(pool, blocks, compare_block, &this);
        if (!status && kind == WL_SCORED_COSINE) square_pairs(&this, scores, (double)weight, loss);
        if (!status && kind != WL_SCORED_COSINE)
            status = rank_pairs(&this, scores, (double)scale, (double)weight, loss, error);
        if (!status) wl_pool_run(pool, blocks, slope_block, &this);
    }
    free(this.products);
    free(this.coefficients);
    wl_slices_free(&this.slices);
    return status;
}
