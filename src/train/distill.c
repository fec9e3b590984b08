/* Distillation text by text: a vector is compared with its own target. */
#include <stdlib.h>

#include "train/cosines.h"
#include "train/distill_pairs.h"

enum { BLOCK = 32 };

typedef struct distillation {
    const float *vectors, *targets;
    bool signs;
    size_t count, dim, target_dim;
    wl_slices slices; /* cut to the dims that targets have */
    double weight;
    wl_products *products; /* (threads, slices) */
    double *coefficients;  /* (threads, slices) */
    double *losses;        /* (count) */
    float *slopes;
} distillation;

static void cosine_block(void *user, uint32_t worker, size_t item)
{
    distillation *this = user;
    size_t slices = this->slices.count;
    wl_products *products = this->products + worker * slices;
    double *coefficients = this->coefficients + worker * slices;
    for (size_t i = item * BLOCK; i < this->count && i < (item + 1) * BLOCK; i++) {
        const float *vector = this->vectors + i * this->dim, *target = this->targets + i * this->target_dim;
        wl_row_products(vector, target, &this->slices, products);
        this->losses[i] = 0;
        for (size_t s = 0; s < slices; s++) {
            double part = this->slices.weights[s] / (double)this->count;
            this->losses[i] += part * (1 - wl_products_cosine(&products[s]));
            coefficients[s] = -this->weight * part;
        }
        wl_add_cosine_slopes(vector, target, this->signs, &this->slices, products, coefficients,
                             this->slopes + i * this->dim, NULL);
    }
}

/* A column's square counts in its own slice and in all behind it. */
static void square_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    distillation *this = user;
    for (size_t i = item * BLOCK; i < this->count && i < (item + 1) * BLOCK; i++) {
        const float *vector = this->vectors + i * this->dim, *target = this->targets + i * this->target_dim;
        float *slopes = this->slopes + i * this->dim;
        double part = 0;
        this->losses[i] = 0;
        for (size_t s = this->slices.count; s-- > 0;) {
            part += this->slices.weights[s] / (double)this->slices.ends[s] / (double)this->count;
            for (size_t k = wl_slice_begin(&this->slices, s); k < this->slices.ends[s]; k++) {
                double away = (double)vector[k] - (double)target[k];
                this->losses[i] += part * away * away;
                slopes[k] += (float)(this->weight * 2 * part * away);
            }
        }
    }
}

static wl_status distill_texts(wl_pool *pool, distillation *this,
                               void (*take_block)(void *user, uint32_t worker, size_t item), const wl_nest *nest,
                               double *loss, wl_error *error)
{
    wl_status status = wl_slices_open(&this->slices, nest, this->dim, this->target_dim, error);
    if (!status) {
        size_t scratch = wl_pool_threads(pool) * this->slices.count;
        this->products = wl_allocate(scratch, sizeof *this->products, error);
        this->coefficients = this->products ? wl_allocate(scratch, sizeof *this->coefficients, error) : NULL;
        this->losses = this->coefficients ? wl_allocate(this->count, sizeof *this->losses, error) : NULL;
        status = this->losses ? WL_OK : WL_ERROR_MEMORY;
    }
    if (!status) {
        wl_pool_run(pool, (this->count + BLOCK - 1) / BLOCK, take_block, this);
        for (size_t i = 0; i < this->count; i++) *loss += this->losses[i];
    }
    free(this->products);
    free(this->coefficients);
    free(this->losses);
    wl_slices_free(&this->slices);
    return status;
}

wl_status wl_distill_loss(wl_pool *pool, wl_distill_kind kind, const float *vectors, bool signs, const float *targets,
                          size_t count, size_t dim, size_t target_dim, const wl_nest *nest, float temperature,
                          float weight, float *slopes, double *loss, wl_error *error)
{
    *loss = 0;
    if (!target_dim) return wl_fail(error, WL_ERROR_ARGUMENT, "targets without dimensions");
    if (kind == WL_DISTILL_SIMILARITIES || kind == WL_DISTILL_DISTRIBUTIONS)
        return wl_distill_pairs(pool, kind == WL_DISTILL_DISTRIBUTIONS, vectors, signs, targets, count, dim, target_dim,
                                nest, temperature, weight, slopes, loss, error);
    distillation this = {.vectors = vectors, .signs = signs, .targets = targets, .count = count, .dim = dim};
    this.target_dim = target_dim;
    this.weight = (double)weight;
    this.slopes = slopes;
    return distill_texts(pool, &this, kind == WL_DISTILL_COSINE ? cosine_block : square_block, nest, loss, error);
}
