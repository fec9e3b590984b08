#include <cblas.h>

#include "matrix/blas.h"
#include "matrix/matrix.h"

/* Tiles are large, so that packing them costs BLAS little (6 % of the time with AVX2, 12 % with AVX-512, of the smaller
 * ones), unless there would be too few of them for the threads. */
enum { TILE_ROWS = 256, TILE_COLUMNS = 512, FEWEST_TILES = 8, GRAM_TILE = 128, GRAIN = 16 };

/* A length in equal parts of at most `most`, each but the last a multiple of GRAIN. */
typedef struct parts {
    size_t total, size, count;
} parts;

static parts cut(size_t total, size_t most)
{
    size_t count = (total + most - 1) / most, size = count ? (total + count - 1) / count : 0;
    size = (size + GRAIN - 1) / GRAIN * GRAIN;
    return (parts){total, size, size ? (total + size - 1) / size : 0};
}

static size_t begin_of(const parts *of, size_t part)
{
    return part * of->size;
}

static size_t size_of(const parts *of, size_t part)
{
    size_t left = of->total - part * of->size;
    return left < of->size ? left : of->size;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

typedef struct product {
    parts rows, columns;
    size_t k;
    float alpha, beta;
    wl_side a, b;
    float *c;
    size_t c_stride;
} product;

static void multiply_tile(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const product *this = user;
    size_t i = item / this->columns.count, j = item % this->columns.count;
    size_t row = begin_of(&this->rows, i), column = begin_of(&this->columns, j);
    const float *a = this->a.data + (this->a.transposed ? row : row * this->a.stride);
    const float *b = this->b.data + (this->b.transposed ? column * this->b.stride : column);
    cblas_sgemm(CblasRowMajor, this->a.transposed ? CblasTrans : CblasNoTrans,
                this->b.transposed ? CblasTrans : CblasNoTrans, (blasint)size_of(&this->rows, i),
                (blasint)size_of(&this->columns, j), (blasint)this->k, this->alpha, a, (blasint)this->a.stride, b,
                (blasint)this->b.stride, this->beta, this->c + row * this->c_stride + column, (blasint)this->c_stride);
}

void wl_multiply(wl_pool *pool, size_t m, size_t n, size_t k, float alpha, wl_side a, wl_side b, float beta, float *c,
                 size_t c_stride)
{
    product this = {cut(m, TILE_ROWS), cut(n, TILE_COLUMNS), k, alpha, beta, a, b, c, c_stride};
    if (this.rows.count * this.columns.count < FEWEST_TILES) this.columns = cut(n, TILE_COLUMNS / 2);
    if (this.rows.count * this.columns.count < FEWEST_TILES) this.rows = cut(m, TILE_ROWS / 2);
    wl_blas_begin();
    wl_pool_run(pool, this.rows.count * this.columns.count, multiply_tile, &this);
    wl_blas_end();
}

/* ---- sums of squares and products -------------------------------------------------------------------------------- */

typedef struct gram_sum {
    parts parts;
    const float *rows;
    size_t count, dim;
    double *wide, *gram;
} gram_sum;

static void widen_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const gram_sum *this = user;
    const float *row = this->rows + item * this->dim;
    double *out = this->wide + item * this->dim;
    for (size_t i = 0; i < this->dim; i++) out[i] = (double)row[i];
}

/* Items are the tiles of the square; those under the diagonal are left out. */
static void gram_tile(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const gram_sum *this = user;
    size_t i = item / this->parts.count, j = item % this->parts.count;
    if (j < i) return;
    size_t row = begin_of(&this->parts, i), column = begin_of(&this->parts, j);
    blasint dim = (blasint)this->dim;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)size_of(&this->parts, i),
                (blasint)size_of(&this->parts, j), (blasint)this->count, 1, this->wide + row, dim, this->wide + column,
                dim, 1, this->gram + row * this->dim + column, dim);
}

void wl_gram_add(wl_pool *pool, const float *rows, size_t count, size_t dim, double *wide, double *gram)
{
    gram_sum this = {cut(dim, GRAM_TILE), rows, count, dim, wide, gram};
    wl_blas_begin();
    wl_pool_run(pool, count, widen_row, &this);
    wl_pool_run(pool, this.parts.count * this.parts.count, gram_tile, &this);
    wl_blas_end();
}
