/* The gather is what pooling costs: rows are read text by text by the kernels of vector/, which take blocks of columns
 * and fetch some rows ahead. A work item is a few texts. */
#include "train/bags.h"

#include "vector/kernels.h"

enum { TEXTS = 8 };

typedef struct gather {
    const wl_bag_table *table;
    const wl_bags *bags;
    size_t stride; /* bytes */
    wl_sum_kernel *sum;
    wl_dots_kernel *dots;
    const float *weights;    /* pooling: for each of ids, or NULL */
    float *out;              /* (texts, dim) */
    const float *out_slopes; /* slopes of weights: (texts, dim) */
    float *slopes;           /* for each of ids */
} gather;

static size_t last_of(const wl_bags *bags, size_t item)
{
    size_t last = (item + 1) * TEXTS;
    return last < bags->count ? last : bags->count;
}

static void pool_texts(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const gather *this = user;
    const wl_bags *bags = this->bags;
    size_t dim = this->table->dim;
    for (size_t i = item * TEXTS; i < last_of(bags, item); i++) {
        size_t begin = bags->starts[i], count = bags->starts[i + 1] - begin;
        float *out = this->out + i * dim;
        this->sum(this->table->data, this->stride, bags->ids + begin, this->weights ? this->weights + begin : NULL,
                  count, dim, out);
        for (size_t j = 0; count > 1 && j < dim; j++) out[j] /= (float)count;
    }
}

static void weight_slopes(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const gather *this = user;
    const wl_bags *bags = this->bags;
    size_t dim = this->table->dim;
    for (size_t i = item * TEXTS; i < last_of(bags, item); i++) {
        size_t begin = bags->starts[i], count = bags->starts[i + 1] - begin;
        float *slopes = this->slopes + begin;
        this->dots(this->table->data, this->stride, bags->ids + begin, count, this->out_slopes + i * dim, dim, slopes);
        for (size_t t = 0; t < count; t++) slopes[t] /= (float)count;
    }
}

static gather gather_of(const wl_bag_table *table, const wl_bags *bags)
{
    const wl_kernels *kernels = wl_kernels_best();
    return (gather){.table = table,
                    .bags = bags,
                    .stride = table->dim * wl_dtype_size(table->dtype),
                    .sum = wl_sum_kernel_of(kernels, table->dtype),
                    .dots = wl_dots_kernel_of(kernels, table->dtype)};
}

void wl_bags_pool(wl_pool *pool, const wl_bag_table *table, const wl_bags *bags, const float *weights, float *out)
{
    gather this = gather_of(table, bags);
    this.weights = weights;
    this.out = out;
    wl_pool_run(pool, (bags->count + TEXTS - 1) / TEXTS, pool_texts, &this);
}

void wl_bags_weight_slopes(wl_pool *pool, const wl_bag_table *table, const wl_bags *bags, const float *out_slopes,
                           float *slopes)
{
    gather this = gather_of(table, bags);
    this.out_slopes = out_slopes;
    this.slopes = slopes;
    wl_pool_run(pool, (bags->count + TEXTS - 1) / TEXTS, weight_slopes, &this);
}

void wl_bag_table_rows(const wl_bag_table *table, const uint32_t *rows, size_t count, float *out)
{
    gather this = gather_of(table, NULL);
    for (size_t i = 0; i < count; i++)
        this.sum(table->data, this.stride, rows + i, NULL, 1, table->dim, out + i * table->dim);
}
