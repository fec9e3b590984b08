/* A codebook described: one pass for what follows from single rows and their sums, the passes of the spectrum, one for
 * the partition function. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "extract/spectrum.h"
#include "matrix/matrix.h"

enum { DEFAULT_RANK = 256, PARTITION_DIRECTIONS = 256 };

static const double quantiles[WL_NORM_QUANTILES] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};
static const double shares[WL_VARIANCE_SHARES] = {0.5, 0.9, 0.95, 0.99};
static const double SMALL = 0.01; /* of the median norm */

/* What tells equal rows: of those with the same hash, bytes are compared. */
typedef struct row_hash {
    uint64_t hash;
    uint32_t row;
} row_hash;

typedef struct inspection {
    const wl_codebook *codebook;
    wl_inspection *found;
    wl_pool *pool;
    wl_pass pass;
    wl_error *error;
    size_t block, at; /* rows of a block; the first of the present one */
    float *rows;      /* (block, dim) */
    wl_moments *moments;
    double *inverses; /* (block): 1 over the norm, 0 for a zero row */
    row_hash *hashes; /* (rows) */
    double *sums;     /* (2, dim): of the rows, of the rows at length 1 */
    float *mean;      /* (dim) */
} inspection;

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void look_at_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const inspection *this = user;
    const wl_codebook *codebook = this->codebook;
    size_t row = this->at + item;
    double square;
    this->moments[item] = wl_row_moments(this->rows + item * codebook->dim, codebook->dim, &square);
    this->found->norms[row] = (float)sqrt(square);
    this->inverses[item] = square > 0 ? 1 / sqrt(square) : 0;
    this->hashes[row] =
        (row_hash){wl_hash_bytes((const char *)wl_codebook_row(codebook, row), codebook->row_size), (uint32_t)row};
}

static wl_status look_at_rows(inspection *this, wl_moments *all)
{
    const wl_codebook *codebook = this->codebook;
    size_t dim = codebook->dim;
    for (this->at = 0; this->at < codebook->rows; this->at += this->block) {
        size_t left = codebook->rows - this->at, count = left < this->block ? left : this->block;
        if (wl_codebook_read(codebook, this->pool, this->at, count, NULL, this->rows, this->error))
            return this->error->code;
        wl_pool_run(this->pool, count, look_at_row, this);
        wl_sum_columns(this->pool, this->rows, NULL, count, dim, this->sums);
        wl_sum_columns(this->pool, this->rows, this->inverses, count, dim, this->sums + dim);
        for (size_t i = 0; i < count; i++) wl_moments_add(all, this->moments[i]);
        if (wl_pass_add(&this->pass, count, this->error)) return this->error->code;
    }
    return WL_OK;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static wl_status describe_norms(inspection *this)
{
    wl_inspection *found = this->found;
    size_t rows = this->codebook->rows;
    float *sorted = wl_allocate(rows, sizeof *sorted, this->error);
    found->small = sorted ? wl_allocate(rows, sizeof *found->small, this->error) : NULL;
    wl_status status = found->small ? WL_OK : WL_ERROR_MEMORY;
    if (!status) {
        memcpy(sorted, found->norms, rows * sizeof *sorted);
        qsort(sorted, rows, sizeof *sorted, compare_floats);
        for (size_t i = 0; i < WL_NORM_QUANTILES; i++)
            found->norm_quantiles[i] = (double)sorted[(size_t)(quantiles[i] * (double)(rows - 1))];
        double sum = 0, limit = SMALL * found->norm_quantiles[WL_NORM_QUANTILES / 2];
        for (size_t i = 0; i < rows; i++) {
            double norm = (double)found->norms[i];
            sum += norm;
            found->zeros += norm == 0;
            if (norm == 0 || norm < limit) found->small[found->small_count++] = (uint32_t)i;
        }
        found->norm_mean = sum / (double)rows;
    }
    free(sorted);
    return status;
}

/* The average over pairs of rows of unit length u: their sum s has s.s = m + the sum over ordered pairs, where m rows
 * are not zero. */
static void describe_sums(inspection *this, const wl_moments *all)
{
    wl_inspection *found = this->found;
    size_t dim = this->codebook->dim;
    double rows = (double)this->codebook->rows, pointed = rows - (double)found->zeros, center = 0, units = 0;
    for (size_t i = 0; i < dim; i++) {
        double mean = this->sums[i] / rows;
        this->mean[i] = (float)mean;
        center += mean * mean;
        units += this->sums[dim + i] * this->sums[dim + i];
    }
    found->mean = all->mean;
    found->deviation = wl_moments_deviation(*all);
    found->center_norm = sqrt(center);
    found->cosine = pointed > 1 ? (units - pointed) / (pointed * (pointed - 1)) : 0;
    /* The sum of all squares, less that of the mean row. */
    found->energy = fmax(all->squares + all->count * all->mean * all->mean - rows * center, 0);
}

/* ---- equal rows -------------------------------------------------------------------------------------------------- */

static int compare_hashes(const void *a, const void *b)
{
    const row_hash *x = a, *y = b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static int compare_copies(const void *a, const void *b)
{
    const wl_row_copy *x = a, *y = b;
    return (x->row > y->row) - (x->row < y->row);
}

/* The first of the rows [begin, end) of one hash that is equal to row. */
static uint32_t find_first(const wl_codebook *codebook, const row_hash *hashes, size_t begin, size_t end)
{
    const unsigned char *row = wl_codebook_row(codebook, hashes[end].row);
    for (size_t i = begin; i < end; i++)
        if (memcmp(wl_codebook_row(codebook, hashes[i].row), row, codebook->row_size) == 0) return hashes[i].row;
    return hashes[end].row;
}

static wl_status find_copies(inspection *this)
{
    wl_inspection *found = this->found;
    const row_hash *hashes = this->hashes;
    size_t rows = this->codebook->rows, begin = 0;
    found->copies = wl_allocate(rows, sizeof *found->copies, this->error);
    if (!found->copies) return WL_ERROR_MEMORY;
    qsort(this->hashes, rows, sizeof *this->hashes, compare_hashes);
    for (size_t i = 0; i < rows; i++) {
        if (hashes[i].hash != hashes[begin].hash) begin = i;
        if (found->norms[hashes[i].row] == 0) continue;
        uint32_t first = find_first(this->codebook, hashes, begin, i);
        if (first != hashes[i].row) found->copies[found->copy_count++] = (wl_row_copy){hashes[i].row, first};
    }
    if (found->copy_count) qsort(found->copies, found->copy_count, sizeof *found->copies, compare_copies);
    return WL_OK;
}

/* ---- spectrum ---------------------------------------------------------------------------------------------------- */

/* Sums over singular values from which the numbers below follow. */
typedef struct value_sums {
    double values, logs, fourths; /* of v, of v log v, of v^4 */
} value_sums;

static void add_values(value_sums *sums, double value, double times)
{
    if (!(value > 0)) return;
    sums->values += times * value;
    sums->logs += times * value * log(value);
    sums->fourths += times * pow(value, 4);
}

static double effective_rank(value_sums sums)
{
    return sums.values > 0 ? exp(log(sums.values) - sums.logs / sums.values) : 0;
}

/* What is known of the values beyond those computed is their number, their energy, and that none is above the last. The
 * entropy and the participation are largest when the rest is equal, and smallest when as few values as possible hold
 * it, each as large as the last. */
static void describe_spectrum(wl_inspection *found, size_t possible)
{
    size_t count = found->singular_count;
    value_sums sums = {0};
    double energy = 0;
    for (size_t i = 0; i < count; i++) {
        add_values(&sums, found->singular[i], 1);
        energy += found->singular[i] * found->singular[i];
    }
    if (found->exact) found->energy = energy;
    double rest = found->exact || count == possible ? 0 : fmax(found->energy - energy, 0);
    value_sums even = sums, uneven = sums;
    double last = count ? found->singular[count - 1] : 0, left = (double)(possible - count);
    if (rest > 0 && last > 0) {
        double full = fmin(floor(rest / (last * last)), left);
        add_values(&even, sqrt(rest / left), left);
        add_values(&uneven, last, full);
        add_values(&uneven, sqrt(fmax(rest - full * last * last, 0)), 1);
    }
    double square = found->energy * found->energy;
    found->effective_rank = (wl_bounds){effective_rank(uneven), effective_rank(even)};
    if (square > 0) found->participation = (wl_bounds){square / uneven.fourths, square / even.fourths};
    double sum = 0;
    for (size_t i = 0, share = 0; i < count && square > 0; i++) {
        sum += found->singular[i] * found->singular[i];
        for (; share < WL_VARIANCE_SHARES && sum >= shares[share] * found->energy * (1 - 1e-12); share++)
            found->components[share] = i + 1;
    }
}

/* ---- partition function ------------------------------------------------------------------------------------------ */

/* log Z(a) and log Z(-a), as the largest exponent and a sum relative to it. */
typedef struct log_sum {
    double most[2], sum[2];
} log_sum;

typedef struct partition {
    const float *products; /* (count, width) */
    size_t count, width;
    log_sum *sums; /* (width) */
} partition;

static void add_exponentials(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const partition *this = user;
    const float *products = this->products + item;
    double most[2] = {this->sums[item].most[0], this->sums[item].most[1]};
    for (size_t row = 0; row < this->count; row++) {
        double product = (double)products[row * this->width];
        most[0] = fmax(most[0], product);
        most[1] = fmax(most[1], -product);
    }
    for (int sign = 0; sign < 2; sign++) {
        log_sum *sums = &this->sums[item];
        double sum = sums->sum[sign] * exp(sums->most[sign] - most[sign]);
        for (size_t row = 0; row < this->count; row++) {
            double product = (double)products[row * this->width];
            sum += exp((sign ? -product : product) - most[sign]);
        }
        sums->sum[sign] = sum;
        sums->most[sign] = most[sign];
    }
}

static double ratio_of(const log_sum *sums, size_t width)
{
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < width; i++)
        for (int sign = 0; sign < 2; sign++) {
            double value = sums[i].most[sign] + log(sums[i].sum[sign]);
            least = fmin(least, value);
            most = fmax(most, value);
        }
    return exp(least - most);
}

/* directions: (width, dim). */
static wl_status measure_partition(inspection *this, const float *directions, size_t width)
{
    const wl_codebook *codebook = this->codebook;
    size_t dim = codebook->dim;
    float *products = wl_allocate(this->block * width, sizeof *products, this->error);
    log_sum *sums = products ? wl_allocate(width, sizeof *sums, this->error) : NULL;
    wl_status status = sums ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < width && !status; i++) sums[i].most[0] = sums[i].most[1] = -INFINITY;
    for (size_t at = 0; at < codebook->rows && !status; at += this->block) {
        size_t left = codebook->rows - at, count = left < this->block ? left : this->block;
        status = wl_codebook_read(codebook, this->pool, at, count, NULL, this->rows, this->error);
        if (status) break;
        wl_multiply(this->pool, count, width, dim, 1, (wl_side){this->rows, dim, false},
                    (wl_side){directions, dim, true}, 0, products, width);
        partition part = {products, count, width, sums};
        wl_pool_run(this->pool, width, add_exponentials, &part);
        status = wl_pass_add(&this->pass, count, this->error);
    }
    if (!status) this->found->partition = ratio_of(sums, width);
    free(products);
    free(sums);
    return status;
}

/* The leading directions and that of the mean row, where it has one. */
static wl_status describe_partition(inspection *this, const wl_spectrum *spectrum)
{
    size_t dim = this->codebook->dim;
    size_t width = spectrum->count < PARTITION_DIRECTIONS ? spectrum->count : PARTITION_DIRECTIONS;
    float *directions = wl_allocate((width + 1) * dim, sizeof *directions, this->error);
    if (!directions) return WL_ERROR_MEMORY;
    memcpy(directions, spectrum->directions, width * dim * sizeof *directions);
    double length = this->found->center_norm;
    for (size_t i = 0; i < dim && length > 0; i++)
        directions[width * dim + i] = (float)((double)this->mean[i] / length);
    wl_status status = measure_partition(this, directions, width + (length > 0));
    free(directions);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status allocate(inspection *this)
{
    const wl_codebook *codebook = this->codebook;
    wl_error *error = this->error;
    size_t rows = codebook->rows, dim = codebook->dim;
    this->block = wl_codebook_block(codebook);
    bool all = (this->rows = wl_allocate(this->block * dim, sizeof *this->rows, error)) &&
               (this->moments = wl_allocate(this->block, sizeof *this->moments, error)) &&
               (this->inverses = wl_allocate(this->block, sizeof *this->inverses, error)) &&
               (this->hashes = wl_allocate(rows, sizeof *this->hashes, error)) &&
               (this->sums = wl_allocate(2 * dim, sizeof *this->sums, error)) &&
               (this->mean = wl_allocate(dim, sizeof *this->mean, error)) &&
               (this->found->norms = wl_allocate(rows, sizeof *this->found->norms, error));
    return all ? WL_OK : WL_ERROR_MEMORY;
}

static wl_status describe(inspection *this, size_t rank, uint64_t seed)
{
    wl_moments all = {0};
    wl_status status = look_at_rows(this, &all);
    if (!status) status = describe_norms(this);
    if (!status) status = find_copies(this);
    if (status) return status;
    describe_sums(this, &all);
    wl_spectrum spectrum;
    wl_spectrum_plan plan = {rank, seed, this->mean, this->pool, &this->pass, this->error};
    status = wl_spectrum_find(&spectrum, this->codebook, &plan);
    if (!status) {
        size_t rows = this->codebook->rows, dim = this->codebook->dim;
        this->found->exact = spectrum.exact;
        this->found->singular = spectrum.values;
        this->found->singular_count = spectrum.count;
        spectrum.values = NULL;
        describe_spectrum(this->found, rows < dim ? rows : dim);
        status = describe_partition(this, &spectrum);
    }
    wl_spectrum_free(&spectrum);
    return status;
}

wl_status wl_codebook_inspect(const wl_codebook *codebook, const wl_inspect_options *options, wl_inspection *found,
                              wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_inspect_options chosen;
    if (!codebook || !found) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_codebook_inspect: no codebook or no result");
    *found = (wl_inspection){0};
    if (wl_read_options(&chosen, sizeof chosen, options, "wl_inspect_options", error)) return error->code;
    size_t rank = chosen.rank ? chosen.rank : DEFAULT_RANK;
    inspection this = {
        .codebook = codebook,
        .found = found,
        .pool = wl_codebook_pool(chosen.threads, error),
        .pass = {chosen.progress, chosen.user, codebook->file.path, 0, 0},
        .error = error,
    };
    this.pass.total = codebook->rows * (2 + wl_spectrum_passes(codebook, rank));
    wl_status status = this.pool ? allocate(&this) : WL_ERROR_MEMORY;
    if (!status) status = describe(&this, rank, chosen.seed);
    free(this.rows);
    free(this.moments);
    free(this.inverses);
    free(this.hashes);
    free(this.sums);
    free(this.mean);
    wl_pool_free(this.pool);
    return status;
}

void wl_inspection_free(wl_inspection *found)
{
    free(found->norms);
    free(found->singular);
    free(found->small);
    free(found->copies);
    *found = (wl_inspection){0};
}
