/* One pass over the teachers' rows for their means and covariance, whose eigenvectors are the directions, and one that
 * projects: neither the rows nor the targets are in memory as a whole. The first works on rows with a 1 at the end, so
 * that the last column of their sum of products holds the sums of the columns, and its last number the count. A row
 * that all teachers leave at zero says nothing: it has a 0 there, and stays zero.
 *
 * Cost: width^2 operations a row in F64, width being that of the teachers together, 9 width^3 for the eigenvectors,
 * 2 width dim a row. Memory: 3 width^2 doubles and blocks of rows. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/safetensors_write.h"
#include "matrix/matrix.h"
#include "train/targets.h"

enum { BLOCK = 1 << 20, LEAST_ROWS = 64, MOST_THREADS = 1024 };

/* Eigenvalues under this share of the largest are taken as this share of it: what the rows have in such directions is
 * rounding, which must not be blown up to the size of the rest. */
static const double LEAST_SHARE = 1e-10;

typedef struct teacher_part {
    const wl_teacher *teacher;
    wl_targets *targets;
    size_t column, dim; /* its place in a row */
    double factor;      /* its vectors' length there */
} teacher_part;

typedef struct making {
    const wl_targets_options *options;
    const char *path;
    teacher_part *parts;
    size_t count;
    size_t rows, width, stride; /* stride: width + 1 */
    size_t block;               /* rows at a time, by the width alone */
    wl_pool *pool;
    wl_error *error;
    double *mean;       /* (width); NULL: nothing is subtracted */
    float *directions;  /* (dim, width), times eigenvalue^-whitening; NULL: the rows as they are */
    size_t dim;         /* of the targets */
    float *values;      /* (block, stride): rows of the teachers side by side */
    float *out;         /* (block, dim) */
    size_t begin;       /* the row that the block begins with */
    atomic_bool broken; /* a number is not finite */
} making;

/* ---- rows side by side ------------------------------------------------------------------------------------------- */

static bool all_finite(const float *values, size_t count)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) finite &= isfinite(values[i]) != 0;
    return finite;
}

/* Length 1 times factor, or zero as before. Says which. */
static bool scale_row(const float *in, size_t count, double factor, float *out)
{
    double square = 0;
    for (size_t i = 0; i < count; i++) square += (double)in[i] * (double)in[i];
    double scale = square > 0 ? factor / sqrt(square) : 0;
    for (size_t i = 0; i < count; i++) out[i] = (float)((double)in[i] * scale);
    return square > 0;
}

static void fill_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    making *this = user;
    float *row = this->values + item * this->stride;
    uint64_t number = this->begin + item;
    bool says = false;
    for (size_t i = 0; i < this->count; i++) {
        const teacher_part *part = &this->parts[i];
        float *values = row + part->column;
        wl_targets_read(part->targets, &number, 1, values);
        if (!all_finite(values, part->dim)) atomic_store_explicit(&this->broken, true, memory_order_relaxed);
        says |= scale_row(values, part->dim, part->factor, values);
    }
    row[this->width] = says ? 1 : 0;
    for (size_t i = 0; i < this->width && says && this->mean; i++) row[i] = (float)((double)row[i] - this->mean[i]);
}

/* Names the number that is not finite: the teachers' rows of the block once more. */
static wl_status fail_broken(const making *this, size_t count)
{
    for (uint64_t row = this->begin; row < this->begin + count; row++)
        for (size_t i = 0; i < this->count; i++) {
            const teacher_part *part = &this->parts[i];
            wl_targets_read(part->targets, &row, 1, this->values);
            for (size_t k = 0; k < part->dim; k++)
                if (!isfinite(this->values[k]))
                    return wl_fail_at(this->error, WL_ERROR_FORMAT, part->teacher->path, WL_NO_POSITION, 0,
                                      "row %" PRIu64 ", column %zu is %g, expected a finite number", row, k,
                                      (double)this->values[k]);
        }
    return wl_fail(this->error, WL_ERROR_IO, "a teacher's file changed while it was read");
}

/* Calls take for the rows of each block. */
static wl_status pass_over(making *this, wl_status (*take)(making *this, size_t count, void *user), void *user)
{
    for (this->begin = 0; this->begin < this->rows; this->begin += this->block) {
        size_t left = this->rows - this->begin, count = left < this->block ? left : this->block;
        wl_pool_run(this->pool, count, fill_row, this);
        if (atomic_load_explicit(&this->broken, memory_order_relaxed)) return fail_broken(this, count);
        if (take(this, count, user)) return this->error->code;
    }
    return WL_OK;
}

/* ---- directions -------------------------------------------------------------------------------------------------- */

typedef struct covariance {
    double *wide;   /* (block, stride) */
    double *sums;   /* (stride, stride), then the covariance, (width, width) */
    double *values; /* (width): eigenvalues */
} covariance;

static wl_status add_block(making *this, size_t count, void *user)
{
    const covariance *of = user;
    wl_gram_add(this->pool, this->values, count, this->stride, of->wide, of->sums);
    return WL_OK;
}

/* From sums to means, which are subtracted from now on, and in their place the covariance. */
static wl_status take_means(making *this, const covariance *of)
{
    size_t width = this->width, stride = this->stride;
    double count = of->sums[width * stride + width];
    if (!(count > 0))
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, this->parts[0].teacher->path, WL_NO_POSITION, 0,
                          "all rows are zero: there is nothing to distil");
    double *mean = wl_allocate(width, sizeof *mean, this->error);
    if (!mean) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < width && this->options->centre; i++) mean[i] = of->sums[i * stride + width] / count;
    for (size_t i = 0; i < width; i++)
        for (size_t j = i; j < width; j++)
            of->sums[i * width + j] = of->sums[i * stride + j] / count - mean[i] * mean[j];
    this->mean = mean;
    return WL_OK;
}

/* Eigenvectors with a positive number of largest magnitude, scaled, as floats. */
static wl_status take_directions(making *this, const covariance *of)
{
    size_t width = this->width;
    if (wl_eigen(of->sums, width, of->values, this->error)) return this->error->code;
    double least = of->values[0] * LEAST_SHARE;
    if (!(least > 0))
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, this->parts[0].teacher->path, WL_NO_POSITION, 0,
                          "the rows do not differ: there are no principal components");
    this->directions = wl_allocate(this->dim * width, sizeof *this->directions, this->error);
    if (!this->directions) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < this->dim; i++) {
        const double *vector = of->sums + i * width;
        size_t largest = 0;
        for (size_t j = 1; j < width; j++)
            if (fabs(vector[j]) > fabs(vector[largest])) largest = j;
        double scale = pow(fmax(of->values[i], least), -this->options->whitening);
        if (vector[largest] < 0) scale = -scale;
        for (size_t j = 0; j < width; j++) this->directions[i * width + j] = (float)(vector[j] * scale);
    }
    return WL_OK;
}

static wl_status find_directions(making *this)
{
    covariance of = {0};
    of.wide = wl_allocate(this->block * this->stride, sizeof *of.wide, this->error);
    of.sums = of.wide ? wl_allocate(this->stride * this->stride, sizeof *of.sums, this->error) : NULL;
    of.values = of.sums ? wl_allocate(this->width, sizeof *of.values, this->error) : NULL;
    wl_status status = of.values ? pass_over(this, add_block, &of) : WL_ERROR_MEMORY;
    if (!status) status = take_means(this, &of);
    if (!status && this->options->dim) status = take_directions(this, &of);
    free(of.wide);
    free(of.sums);
    free(of.values);
    return status;
}

/* The directions, or without them the columns as they are, turned: row i of the result is the sum of theirs by row i of
 * the rotation. */
static wl_status turn(making *this)
{
    const char *path = this->options->rotation;
    wl_targets *rotation = wl_targets_open(path, NULL, this->error);
    if (!rotation) return this->error->code;
    size_t dim = this->dim, rows = wl_targets_rows(rotation), columns = wl_targets_dim(rotation);
    wl_status status = WL_OK;
    if (rows != dim || columns != dim)
        status = wl_fail_at(this->error, WL_ERROR_MISMATCH, path, WL_NO_POSITION, 0,
                            "is %zu x %zu, expected %zu x %zu as the targets have dimensions", rows, columns, dim, dim);
    float *matrix = status ? NULL : wl_allocate(dim * dim, sizeof *matrix, this->error);
    float *turned = matrix ? wl_allocate(dim * this->width, sizeof *turned, this->error) : NULL;
    if (!status && !turned) status = WL_ERROR_MEMORY;
    for (uint64_t i = 0; i < dim && !status; i++) wl_targets_read(rotation, &i, 1, matrix + i * dim);
    if (!status && !all_finite(matrix, dim * dim))
        status = wl_fail_at(this->error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "holds a number that is not finite");
    wl_targets_close(rotation);
    if (!status && this->directions)
        wl_multiply(this->pool, dim, this->width, dim, 1, (wl_side){matrix, dim, false},
                    (wl_side){this->directions, this->width, false}, 0, turned, this->width);
    else if (!status)
        memcpy(turned, matrix, dim * dim * sizeof *turned);
    free(matrix);
    if (status) {
        free(turned);
        return status;
    }
    free(this->directions);
    this->directions = turned;
    return WL_OK;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static void finish_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const making *this = user;
    float *row = this->out + item * this->dim;
    scale_row(this->directions ? row : this->values + item * this->stride, this->dim, 1, row);
}

static wl_status write_block(making *this, size_t count, void *user)
{
    FILE *stream = user;
    if (this->directions)
        wl_multiply(this->pool, count, this->dim, this->width, 1, (wl_side){this->values, this->stride, false},
                    (wl_side){this->directions, this->width, true}, 0, this->out, this->dim);
    wl_pool_run(this->pool, count, finish_row, this);
    if (fwrite(this->out, this->dim * sizeof *this->out, count, stream) == count) return WL_OK;
    return wl_fail_errno(this->error, this->path, "write", errno);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The teachers' names and their weights, with a comma in between. */
static wl_status list_teachers(const making *this, wl_buffer *names, wl_buffer *weights)
{
    for (size_t i = 0; i < this->count; i++) {
        const char *name = base_name(this->parts[i].teacher->path);
        char weight[32];
        double factor = this->parts[i].factor;
        snprintf(weight, sizeof weight, "%g", factor * factor);
        if ((i && (wl_buffer_append(names, ",", 1, this->error) || wl_buffer_append(weights, ",", 1, this->error))) ||
            wl_buffer_append(names, name, strlen(name), this->error) ||
            wl_buffer_append(weights, weight, strlen(weight), this->error))
            return this->error->code;
    }
    if (wl_buffer_append(names, "", 1, this->error) || wl_buffer_append(weights, "", 1, this->error))
        return this->error->code;
    return WL_OK;
}

static wl_status make_header(const making *this, wl_buffer *header)
{
    wl_buffer names = {0}, weights = {0};
    wl_status status = list_teachers(this, &names, &weights);
    if (!status) {
        char dim[24], whitening[32], tensor_name[] = "targets";
        snprintf(dim, sizeof dim, "%zu", this->dim);
        snprintf(whitening, sizeof whitening, "%g", this->options->whitening);
        const char *const metadata[] = {
            "teachers",  names.data, "weights",    weights.data,
            "dim",       dim,        "components", this->options->dim ? "principal" : "given",
            "whitening", whitening,  "centred",    this->options->centre ? "true" : "false",
        };
        wl_tensor tensor = {.name = tensor_name, .dtype = WL_F32, .rank = 2, .shape = {this->rows, this->dim}};
        tensor.count = (uint64_t)this->rows * this->dim;
        tensor.bytes = this->rows * this->dim * sizeof(float);
        status =
            wl_safetensors_header(&tensor, 1, metadata, sizeof metadata / sizeof *metadata / 2, header, this->error);
    }
    wl_buffer_free(&names);
    wl_buffer_free(&weights);
    return status;
}

static wl_status write_targets(making *this)
{
    wl_buffer header = {0};
    wl_replacement file = {0};
    wl_status status = make_header(this, &header);
    if (!status) status = wl_replacement_open(&file, this->path, this->error);
    if (!status && fwrite(header.data, 1, header.size, file.stream) != header.size)
        status = wl_fail_errno(this->error, this->path, "write", errno);
    if (!status) status = pass_over(this, write_block, file.stream);
    if (!status) status = wl_replacement_commit(&file, this->error);
    wl_replacement_abandon(&file);
    wl_buffer_free(&header);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status open_teacher(making *this, teacher_part *part)
{
    const wl_teacher *teacher = part->teacher;
    wl_error *error = this->error;
    if (!(teacher->weight >= 0) || isinf(teacher->weight))
        return wl_fail_at(error, WL_ERROR_ARGUMENT, teacher->path, WL_NO_POSITION, 0,
                          "the weight is %g, expected a finite number, at least 0", teacher->weight);
    if (wl_same_file(teacher->path, this->path))
        return wl_fail_at(error, WL_ERROR_ARGUMENT, teacher->path, WL_NO_POSITION, 0,
                          "a teacher's file would be written over");
    part->targets = wl_targets_open(teacher->path, teacher->tensor, error);
    if (!part->targets) return error->code;
    size_t rows = wl_targets_rows(part->targets);
    part->dim = wl_targets_dim(part->targets);
    part->column = this->width;
    part->factor = teacher->weight > 0 ? sqrt(teacher->weight) : 1;
    if (part == this->parts) this->rows = rows;
    if (rows != this->rows)
        return wl_fail_at(error, WL_ERROR_MISMATCH, teacher->path, WL_NO_POSITION, 0, "%zu rows, expected %zu as in %s",
                          rows, this->rows, this->parts[0].teacher->path);
    if (part->dim >= INT32_MAX - this->width)
        return wl_fail_at(error, WL_ERROR_LIMIT, teacher->path, WL_NO_POSITION, 0,
                          "the teachers together have more than 2^31 columns");
    this->width += part->dim;
    return WL_OK;
}

static wl_status open_teachers(making *this, const wl_teacher *teachers)
{
    this->parts = wl_allocate(this->count, sizeof *this->parts, this->error);
    if (!this->parts) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < this->count; i++) {
        this->parts[i].teacher = &teachers[i];
        if (open_teacher(this, &this->parts[i])) return this->error->code;
    }
    this->stride = this->width + 1;
    this->dim = this->options->dim ? this->options->dim : this->width;
    if (this->dim > this->width)
        return wl_fail_at(this->error, WL_ERROR_ARGUMENT, this->parts[this->count - 1].teacher->path, WL_NO_POSITION, 0,
                          "%zu dimensions are wanted, but the teachers together have %zu", this->dim, this->width);
    size_t block = BLOCK / this->stride > LEAST_ROWS ? BLOCK / this->stride : LEAST_ROWS;
    this->block = block < this->rows ? block : this->rows;
    return WL_OK;
}

static wl_status make(making *this)
{
    this->values = wl_allocate(this->block * this->stride, sizeof *this->values, this->error);
    this->out = this->values ? wl_allocate(this->block * this->dim, sizeof *this->out, this->error) : NULL;
    wl_status status = this->out ? WL_OK : WL_ERROR_MEMORY;
    if (!status && (this->options->dim || this->options->centre)) status = find_directions(this);
    if (!status && this->options->rotation) status = turn(this);
    if (!status) status = write_targets(this);
    free(this->values);
    free(this->out);
    free(this->mean);
    free(this->directions);
    return status;
}

static wl_status check_options(const wl_targets_options *options, wl_error *error)
{
    if (!(options->whitening >= 0) || isinf(options->whitening))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the whitening is %g, expected a finite number, at least 0",
                       options->whitening);
    if (options->whitening > 0 && !options->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "whitening needs principal components: say how many dimensions are wanted");
    return WL_OK;
}

wl_status wl_make_targets(const wl_teacher *teachers, size_t count, const char *path, const wl_targets_options *given,
                          wl_error *error)
{
    wl_targets_options read, *options = &read;
    if (wl_read_options(&read, sizeof read, given, "wl_targets_options", error)) return error->code;
    making this = {.options = options, .path = path, .count = count, .error = error};
    if (!count) return wl_fail(error, WL_ERROR_ARGUMENT, "no teacher to make targets of");
    uint32_t threads = options->threads ? options->threads : wl_processors();
    wl_status status = check_options(options, error);
    if (!status) status = open_teachers(&this, teachers);
    if (!status) {
        this.pool = wl_pool_create(threads < MOST_THREADS ? threads : MOST_THREADS, error);
        status = this.pool ? make(&this) : WL_ERROR_MEMORY;
    }
    for (size_t i = 0; i < count && this.parts; i++) wl_targets_close(this.parts[i].targets);
    free(this.parts);
    wl_pool_free(this.pool);
    return status;
}
