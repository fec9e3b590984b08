/* Mini-batch k-means (Sculley, WWW 2010) as scikit-learn 1.9 does it in MiniBatchKMeans(k, n_init=3, batch_size=1024,
 * random_state=seed): the same rows drawn, the same arithmetic in F32, and so the same clusters but where a product's
 * last bit decides. Figures of clustering are published with it. It stops early: better clusters (wl_cluster finds
 * them) score some points more than any table has.
 *
 * Seeds: greedy k-means++ (Arthur and Vassilvitskii, SODA 2007) with 2 + ln(k) draws a step on a sample of three
 * batches, three times; those of the least inertia on another sample begin. Steps: each row of a batch is assigned, and
 * centroids become the means of all that came to them so far. It ends when a moving average of the batches' inertia
 * has not fallen for ten steps.
 *
 * Cost: 3 * k * (3 + ln k) * 3072 * dim multiplications for the seeds, k * 1024 * dim a step, k * rows * dim at the
 * end. */
#include "eval/clusters.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "eval/numpy_random.h"
#include "matrix/matrix.h"
#include "vector/vectors.h"

enum { BATCH = 1024, SEEDINGS = 3, EPOCHS = 100, PATIENCE = 10, CHUNK = 4096 };

/* Some of the rows, one behind the other. */
typedef struct sample {
    size_t count;
    float *rows;     /* (count, dim) */
    double *squares; /* (count), their squared lengths */
} sample;

typedef struct clustering {
    const wl_vectors *rows;
    wl_pool *pool;
    wl_numpy_random random;
    size_t clusters, draws, batch;
    sample seeded, judged, drawn; /* where seeds come from; what they are judged by; the batch, and rows to try */
    double *nearest;              /* (seeded), squared distance to the nearest seed so far */
    double *distances;            /* (draws, seeded), what each row that is tried would make of it */
    float *products;              /* (CHUNK, the larger of draws and clusters) */
    float *centroids, *best;      /* (clusters, dim) */
    float *weights;               /* (clusters), rows that came to each */
    double *squares;              /* (clusters), squared lengths of the centroids */
    uint32_t *labels;             /* (CHUNK) */
    uint32_t *order;              /* (batch) */
} clustering;

static size_t dim_of(const clustering *this)
{
    return this->rows->dim;
}

static void take_row(const clustering *this, const sample *out, size_t at, const float *row)
{
    memcpy(out->rows + at * dim_of(this), row, dim_of(this) * sizeof *row);
    out->squares[at] = wl_vector_dot(WL_ELEMENT_F32, row, row, dim_of(this));
}

/* With replacement; for seeds all rows instead where a sample would be as large. */
static void draw_sample(clustering *this, const sample *out, bool seeds)
{
    for (size_t i = 0; i < out->count; i++) {
        size_t row = i;
        if (!seeds || out->count < this->rows->count) row = wl_numpy_below(&this->random, (uint32_t)this->rows->count);
        take_row(this, out, i, wl_row(this->rows, row));
    }
}

static void multiply(const clustering *this, const float *rows, size_t count, const float *others, size_t other_count)
{
    size_t dim = dim_of(this);
    wl_multiply(this->pool, count, other_count, dim, 1, (wl_side){rows, dim, false}, (wl_side){others, dim, true}, 0,
                this->products, other_count);
}

/* The nearest centroid of up to CHUNK rows, the first of equals, into labels. squares: NULL, or the rows' squared
 * lengths; then it returns the sum of the squared distances. */
static double assign(const clustering *this, const float *rows, const double *squares, size_t count)
{
    double inertia = 0;
    multiply(this, rows, count, this->centroids, this->clusters);
    for (size_t i = 0; i < count; i++) {
        const float *products = this->products + i * this->clusters;
        double least = INFINITY;
        for (size_t j = 0; j < this->clusters; j++) {
            double distance = this->squares[j] - 2 * (double)products[j];
            if (distance >= least) continue;
            least = distance;
            this->labels[i] = (uint32_t)j;
        }
        if (squares) inertia += fmax(squares[i] + least, 0);
    }
    return inertia;
}

static void measure_centroids(const clustering *this)
{
    for (size_t i = 0; i < this->clusters; i++) {
        const float *centroid = this->centroids + i * dim_of(this);
        this->squares[i] = wl_vector_dot(WL_ELEMENT_F32, centroid, centroid, dim_of(this));
    }
}

/* ---- seeds ------------------------------------------------------------------------------------------------------- */

/* Rows to try, each drawn with a probability that grows with its squared distance to the seeds. */
static void draw_rows(clustering *this, double total)
{
    const sample *from = &this->seeded;
    for (size_t i = 0; i < this->draws; i++) {
        double left = wl_numpy_unit(&this->random) * total, sum = this->nearest[0];
        size_t at = 0;
        while (at + 1 < from->count && sum < left) sum += this->nearest[++at];
        take_row(this, &this->drawn, i, from->rows + at * dim_of(this));
    }
}

/* Of the drawn rows the one that leaves the least sum of distances becomes a seed. Returns that sum. */
static double take_seed(const clustering *this, size_t seed, size_t draws)
{
    const sample *from = &this->seeded;
    size_t best = 0;
    double least = INFINITY;
    for (size_t begin = 0; begin < from->count; begin += CHUNK) {
        size_t count = from->count - begin < CHUNK ? from->count - begin : CHUNK;
        multiply(this, from->rows + begin * dim_of(this), count, this->drawn.rows, draws);
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < draws; j++) {
                double product = (double)this->products[i * draws + j];
                double distance = from->squares[begin + i] + this->drawn.squares[j] - 2 * product;
                this->distances[j * from->count + begin + i] = fmin(this->nearest[begin + i], fmax(distance, 0));
            }
    }
    for (size_t j = 0; j < draws; j++) {
        double sum = 0;
        for (size_t i = 0; i < from->count; i++) sum += this->distances[j * from->count + i];
        if (sum >= least) continue;
        least = sum;
        best = j;
    }
    memcpy(this->nearest, this->distances + best * from->count, from->count * sizeof *this->nearest);
    memcpy(this->centroids + seed * dim_of(this), this->drawn.rows + best * dim_of(this),
           dim_of(this) * sizeof *this->centroids);
    return least;
}

static double judge_seeds(const clustering *this)
{
    double inertia = 0;
    measure_centroids(this);
    for (size_t begin = 0; begin < this->judged.count; begin += CHUNK) {
        size_t count = this->judged.count - begin < CHUNK ? this->judged.count - begin : CHUNK;
        inertia += assign(this, this->judged.rows + begin * dim_of(this), this->judged.squares + begin, count);
    }
    return inertia;
}

static void seed(clustering *this)
{
    double least = INFINITY;
    draw_sample(this, &this->judged, false);
    for (int i = 0; i < SEEDINGS; i++) {
        draw_sample(this, &this->seeded, true);
        size_t first = (size_t)(wl_numpy_unit(&this->random) * (double)this->seeded.count);
        take_row(this, &this->drawn, 0, this->seeded.rows + first * dim_of(this));
        for (size_t j = 0; j < this->seeded.count; j++) this->nearest[j] = INFINITY;
        double total = take_seed(this, 0, 1);
        for (size_t j = 1; j < this->clusters; j++) {
            draw_rows(this, total);
            total = take_seed(this, j, this->draws);
        }
        double inertia = judge_seeds(this);
        if (inertia >= least) continue;
        least = inertia;
        memcpy(this->best, this->centroids, this->clusters * dim_of(this) * sizeof *this->best);
    }
    memcpy(this->centroids, this->best, this->clusters * dim_of(this) * sizeof *this->best);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* In F32, row after row, as the model does it. */
static void move_centroids(const clustering *this)
{
    size_t dim = dim_of(this);
    for (size_t j = 0; j < this->clusters; j++) {
        float *centroid = this->centroids + j * dim, came = 0;
        for (size_t i = 0; i < this->batch; i++) {
            if (this->labels[i] != j) continue;
            const float *row = this->drawn.rows + i * dim;
            for (size_t k = 0; !(came > 0) && k < dim; k++) centroid[k] *= this->weights[j];
            for (size_t k = 0; k < dim; k++) centroid[k] += row[k];
            came++;
        }
        if (!(came > 0)) continue;
        this->weights[j] += came;
        float part = 1 / this->weights[j];
        for (size_t k = 0; k < dim; k++) centroid[k] *= part;
    }
}

/* Centroids that few rows came to begin anew at rows of the batch. */
static void restart_centroids(clustering *this)
{
    float most = 0, least = INFINITY;
    size_t count = 0, limit = this->batch / 2;
    for (size_t j = 0; j < this->clusters; j++) most = fmaxf(most, this->weights[j]);
    float bound = 0.01f * most;
    for (size_t j = 0; j < this->clusters; j++)
        if (this->weights[j] >= bound) least = fminf(least, this->weights[j]);
    for (size_t j = 0; j < this->clusters; j++) {
        if (this->weights[j] >= bound || count == limit) continue;
        if (!count) wl_numpy_permute(&this->random, (uint32_t)this->batch, this->order);
        const float *row = this->drawn.rows + this->order[count++] * dim_of(this);
        memcpy(this->centroids + j * dim_of(this), row, dim_of(this) * sizeof *row);
        this->weights[j] = least;
    }
}

static bool has_empty(const clustering *this)
{
    for (size_t j = 0; j < this->clusters; j++)
        if (!(this->weights[j] > 0)) return true;
    return false;
}

/* Ends at rest or after EPOCHS times the rows; false where go_on says so. */
static bool iterate(clustering *this, wl_progress go_on, void *user)
{
    size_t count = this->rows->count, steps = EPOCHS * count / this->batch, unchecked = 0;
    double average = NAN, least = INFINITY, weight = fmin(1, 2 * (double)this->batch / ((double)count + 1));
    for (size_t step = 0, waited = 0; step < steps && waited < PATIENCE; step++) {
        if (go_on && !go_on(user, 0, 0)) return false;
        for (size_t i = 0; i < this->batch; i++) {
            size_t row = (size_t)(wl_numpy_unit(&this->random) * (double)count);
            take_row(this, &this->drawn, i, wl_row(this->rows, row));
        }
        measure_centroids(this);
        double inertia = assign(this, this->drawn.rows, this->drawn.squares, this->batch) / (double)this->batch;
        unchecked += this->batch;
        bool restarts = has_empty(this) || unchecked >= 10 * this->clusters; /* before the batch moves anything */
        move_centroids(this);
        if (restarts) {
            unchecked = 0;
            restart_centroids(this);
        }
        if (!step) continue; /* the seeds' own inertia says little */
        average = isnan(average) ? inertia : average * (1 - weight) + inertia * weight;
        waited = average < least ? 0 : waited + 1;
        least = fmin(least, average);
    }
    return true;
}

static void label_rows(const clustering *this, uint32_t *labels)
{
    measure_centroids(this);
    for (size_t begin = 0; begin < this->rows->count; begin += CHUNK) {
        size_t count = this->rows->count - begin < CHUNK ? this->rows->count - begin : CHUNK;
        assign(this, wl_row(this->rows, begin), NULL, count);
        memcpy(labels + begin, this->labels, count * sizeof *labels);
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status allocate(clustering *this, wl_error *error)
{
    size_t dim = dim_of(this), widest = this->clusters > this->draws ? this->clusters : this->draws;
    this->drawn.count = this->batch > this->draws ? this->batch : this->draws;
    const struct {
        void **to;
        size_t count, size;
    } parts[] = {
        {(void **)&this->seeded.rows, this->seeded.count, dim * sizeof(float)},
        {(void **)&this->seeded.squares, this->seeded.count, sizeof(double)},
        {(void **)&this->judged.rows, this->judged.count, dim * sizeof(float)},
        {(void **)&this->judged.squares, this->judged.count, sizeof(double)},
        {(void **)&this->drawn.rows, this->drawn.count, dim * sizeof(float)},
        {(void **)&this->drawn.squares, this->drawn.count, sizeof(double)},
        {(void **)&this->nearest, this->seeded.count, sizeof(double)},
        {(void **)&this->distances, this->seeded.count, this->draws * sizeof(double)},
        {(void **)&this->products, CHUNK, widest * sizeof(float)},
        {(void **)&this->centroids, this->clusters, dim * sizeof(float)},
        {(void **)&this->best, this->clusters, dim * sizeof(float)},
        {(void **)&this->weights, this->clusters, sizeof(float)},
        {(void **)&this->squares, this->clusters, sizeof(double)},
        {(void **)&this->labels, CHUNK, sizeof(uint32_t)},
        {(void **)&this->order, this->batch, sizeof(uint32_t)},
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        *parts[i].to = wl_allocate(parts[i].count, parts[i].size, error);
        if (!*parts[i].to) return WL_ERROR_MEMORY;
    }
    return WL_OK;
}

static void release(clustering *this)
{
    void *const parts[] = {this->seeded.rows, this->seeded.squares, this->judged.rows, this->judged.squares,
                           this->drawn.rows,  this->drawn.squares,  this->nearest,     this->distances,
                           this->products,    this->centroids,      this->best,        this->weights,
                           this->squares,     this->labels,         this->order};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) free(parts[i]);
}

wl_status wl_find_clusters(const wl_vectors *rows, uint32_t clusters, uint32_t seed_number, wl_pool *pool,
                           wl_progress go_on, void *user, uint32_t *labels, wl_error *error)
{
    clustering this = {.rows = rows, .pool = pool, .clusters = clusters};
    this.batch = rows->count < BATCH ? rows->count : BATCH;
    this.draws = 2 + (size_t)log((double)clusters);
    size_t size = 3 * this.batch < clusters ? 3 * this.clusters : 3 * this.batch;
    this.seeded.count = this.judged.count = size < rows->count ? size : rows->count;
    wl_numpy_seed(&this.random, seed_number);
    wl_status status = allocate(&this, error);
    if (!status) {
        seed(&this);
        if (iterate(&this, go_on, user))
            label_rows(&this, labels);
        else
            status = wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
    }
    release(&this);
    return status;
}
