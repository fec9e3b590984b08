#include <math.h>
#include <stdlib.h>

#include "train/cosines.h"

enum { BLOCK = 32, PARTS = 3 };

typedef struct triplets {
    const float *anchors, *positives, *negatives;
    float *anchor_slopes, *positive_slopes, *negative_slopes;
    bool signs;
    size_t count, dim;
    wl_slices slices;
    double temperature, weight;
    wl_products *products; /* (threads, 2, slices) */
    double *coefficients;  /* (threads, 2, slices) */
    double *losses;        /* (count) */
} triplets;

/* softplus(z) is the larger of z and 0 plus log(1 + exp(-|z|)), which does not overflow; its slope is the logistic
 * function of z, taken from the same exponential. */
static void take_block(void *user, uint32_t worker, size_t item)
{
    triplets *this = user;
    size_t slices = this->slices.count;
    wl_products *positive = this->products + 2 * worker * slices, *negative = positive + slices;
    double *up = this->coefficients + 2 * worker * slices, *down = up + slices;
    for (size_t i = item * BLOCK; i < this->count && i < (item + 1) * BLOCK; i++) {
        size_t row = i * this->dim;
        wl_row_products(this->anchors + row, this->positives + row, &this->slices, positive);
        wl_row_products(this->anchors + row, this->negatives + row, &this->slices, negative);
        this->losses[i] = 0;
        for (size_t s = 0; s < slices; s++) {
            double z = (wl_products_cosine(&negative[s]) - wl_products_cosine(&positive[s])) / this->temperature;
            double small = exp(-fabs(z)), part = this->slices.weights[s] / (double)this->count;
            this->losses[i] += part * ((z > 0 ? z : 0) + log1p(small));
            down[s] = this->weight * part / this->temperature * (z > 0 ? 1 : small) / (1 + small);
            up[s] = -down[s];
        }
        wl_add_cosine_slopes(this->anchors + row, this->positives + row, this->signs, &this->slices, positive, up,
                             this->anchor_slopes + row, this->positive_slopes + row);
        wl_add_cosine_slopes(this->anchors + row, this->negatives + row, this->signs, &this->slices, negative, down,
                             this->anchor_slopes + row, this->negative_slopes + row);
    }
}

wl_status wl_triplet_loss(wl_pool *pool, const float *anchors, const float *positives, const float *negatives,
                          bool signs, size_t count, size_t dim, const wl_nest *nest, float temperature, float weight,
                          float *anchor_slopes, float *positive_slopes, float *negative_slopes, double *loss,
                          wl_error *error)
{
    triplets this = {.anchors = anchors, .positives = positives, .negatives = negatives, .signs = signs};
    this.count = count;
    this.dim = dim;
    this.anchor_slopes = anchor_slopes;
    this.positive_slopes = positive_slopes;
    this.negative_slopes = negative_slopes;
    this.temperature = (double)temperature;
    this.weight = (double)weight;
    *loss = 0;
    if (!(temperature > 0))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the temperature is %g, expected above 0", (double)temperature);
    wl_status status = wl_slices_open(&this.slices, nest, dim, dim, error);
    if (!status) {
        size_t scratch = 2 * (size_t)wl_pool_threads(pool) * this.slices.count;
        this.products = wl_allocate(scratch, sizeof *this.products, error);
        this.coefficients = this.products ? wl_allocate(scratch, sizeof *this.coefficients, error) : NULL;
        this.losses = this.coefficients ? wl_allocate(count, sizeof *this.losses, error) : NULL;
        status = this.losses ? WL_OK : WL_ERROR_MEMORY;
    }
    if (!status) {
        wl_pool_run(pool, (count + BLOCK - 1) / BLOCK, take_block, &this);
        for (size_t i = 0; i < count; i++) *loss += this.losses[i];
    }
    free(this.products);
    free(this.coefficients);
    free(this.losses);
    wl_slices_free(&this.slices);
    return status;
}
