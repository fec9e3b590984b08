/* Codebooks side by side. A block of rows is filled by the pool's threads, a row at a time: each source's part is
 * decoded into its place and scaled there. Cost: each table is read once, with VARIANCE twice. */
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/align.h"
#include "extract/codebook_vocabulary.h"
#include "extract/codebook_write.h"
#include "format/half.h"
#include "hub/say.h"

enum { BLOCK = 1 << 21, DIM_LIMIT = INT32_MAX };

static const char *const scale_names[] = {
    [WL_SCALE_NONE] = "none", [WL_SCALE_VARIANCE] = "variance", [WL_SCALE_NORM] = "norm"};

typedef struct source_part {
    wl_codebook *codebook;
    wl_scale scale;
    size_t column; /* where it begins in a row of the result */
    wl_alignment alignment;
    bool aligned; /* else row t is row t */
    wl_concat_source found;
} source_part;

typedef struct concatenation {
    wl_concat_options options;
    const char *path;
    source_part *parts;
    wl_codebook **codebooks; /* those of the parts */
    size_t count, rows, dim;
    size_t tokenizer; /* the source that it comes from */
    wl_pool *pool;
    wl_pass pass;
    wl_error *error;
    wl_concatenated out;
} concatenation;

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static wl_status open_sources(concatenation *this, const char *const *sources)
{
    wl_error *error = this->error;
    for (size_t i = 0; i < this->count; i++) {
        source_part *part = &this->parts[i];
        if (!sources[i]) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_concat: source %zu is NULL", i);
        this->codebooks[i] = part->codebook = wl_codebook_open(sources[i], NULL, error);
        if (!part->codebook || wl_codebook_check_tokenizer(part->codebook, error) ||
            wl_codebook_check_target(part->codebook, this->path, error))
            return error->code;
        size_t given = this->options.scale_count == 1 ? 0 : i;
        part->scale = this->options.scales ? this->options.scales[given] : WL_SCALE_NONE;
        part->column = this->dim;
        part->found = (wl_concat_source){.rows = part->codebook->rows, .dim = part->codebook->dim, .factor = 1};
        if (part->codebook->dim > DIM_LIMIT - this->dim)
            return wl_fail(error, WL_ERROR_LIMIT, "the sources have more than 2^31 columns");
        this->dim += part->codebook->dim;
    }
    return WL_OK;
}

/* The same token in all rows, or a way to find it. */
static wl_status match_tokens(concatenation *this)
{
    if (!this->options.align) {
        wl_common_vocabulary common;
        if (wl_compare_vocabularies(this->codebooks, this->count, &common, this->error)) return this->error->code;
        this->rows = common.rows;
        this->tokenizer = common.source;
    } else {
        size_t ids = wl_tokenizer_ids(this->codebooks[0]->tokenizer), rows = this->codebooks[0]->rows;
        this->rows = rows < ids ? rows : ids;
    }
    for (size_t i = 0; i < this->count; i++) {
        source_part *part = &this->parts[i];
        wl_concat_source *found = &part->found;
        part->aligned = this->options.align && i;
        found->matched = this->rows;
        if (!part->aligned) {
            found->dropped = found->rows - this->rows;
            if (found->dropped)
                wl_say(this->options.message, this->options.user,
                       "%s: the last %" PRIu64 " of %" PRIu64 " rows are left out (added tokens or padding)",
                       part->codebook->file.path, found->dropped, found->rows);
            continue;
        }
        if (wl_align(&part->alignment, this->codebooks[0]->tokenizer, this->rows, part->codebook, this->options.threads,
                     this->error))
            return this->error->code;
        found->matched = part->alignment.matched;
        found->averaged = part->alignment.averaged;
        found->missing = part->alignment.missing;
        wl_say(this->options.message, this->options.user,
               "%s: of %zu tokens %" PRIu64 " were matched, %" PRIu64 " averaged from their pieces, %" PRIu64
               " have nothing there",
               part->codebook->file.path, this->rows, found->matched, found->averaged, found->missing);
    }
    return WL_OK;
}

/* ---- scale ------------------------------------------------------------------------------------------------------- */

typedef struct spread {
    const float *rows;
    size_t dim;
    wl_moments *moments; /* (block) */
} spread;

static void measure_row(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const spread *this = user;
    double square;
    this->moments[item] = wl_row_moments(this->rows + item * this->dim, this->dim, &square);
}

/* 1 over the standard deviation of all numbers of a table, by rows in their order. */
static wl_status find_factor(concatenation *this, source_part *part)
{
    const wl_codebook *codebook = part->codebook;
    size_t block = wl_codebook_block(codebook);
    float *rows = wl_allocate(block * codebook->dim, sizeof *rows, this->error);
    wl_moments *moments = rows ? wl_allocate(block, sizeof *moments, this->error) : NULL, all = {0};
    wl_status status = moments ? WL_OK : WL_ERROR_MEMORY;
    spread measure = {rows, codebook->dim, moments};
    for (size_t at = 0; at < codebook->rows && !status; at += block) {
        size_t count = codebook->rows - at < block ? codebook->rows - at : block;
        status = wl_codebook_read(codebook, this->pool, at, count, NULL, rows, this->error);
        if (status) break;
        wl_pool_run(this->pool, count, measure_row, &measure);
        for (size_t i = 0; i < count; i++) wl_moments_add(&all, moments[i]);
    }
    double deviation = status ? 1 : wl_moments_deviation(all);
    if (!(deviation > 0))
        status = wl_fail_at(this->error, WL_ERROR_ARGUMENT, codebook->file.path, WL_NO_POSITION, 0,
                            "all numbers are equal: there is no variance to scale by");
    part->found.factor = 1 / deviation;
    free(rows);
    free(moments);
    return status;
}

static void scale_row(const source_part *part, float *row)
{
    size_t dim = part->codebook->dim;
    double factor = part->found.factor;
    if (part->scale == WL_SCALE_NONE) return;
    if (part->scale == WL_SCALE_NORM) {
        double norm = sqrt(wl_vector_dot(WL_ELEMENT_F32, row, row, dim));
        if (norm == 0) return;
        factor = 1 / norm;
    }
    for (size_t i = 0; i < dim; i++) row[i] = (float)((double)row[i] * factor);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

typedef struct filling {
    const concatenation *of;
    size_t begin, room; /* room: the most columns of a source */
    float *rows;        /* (block, dim) */
    float *one;         /* (threads, room): a row */
    double *sums;       /* (threads, room) */
    atomic_bool not_finite;
} filling;

/* The mean of several rows, in F64 in their order; of none it is zero. */
static void mean_row(const source_part *part, size_t row, float *one, double *sums, float *out)
{
    const wl_alignment *alignment = &part->alignment;
    size_t dim = part->codebook->dim, begin = alignment->starts[row], end = alignment->starts[row + 1];
    if (end - begin == 1) {
        wl_codebook_floats(part->codebook, alignment->rows[begin], out);
        return;
    }
    memset(sums, 0, dim * sizeof *sums);
    for (size_t at = begin; at < end; at++) {
        wl_codebook_floats(part->codebook, alignment->rows[at], one);
        for (size_t i = 0; i < dim; i++) sums[i] += (double)one[i];
    }
    for (size_t i = 0; i < dim; i++) out[i] = begin < end ? (float)(sums[i] / (double)(end - begin)) : 0;
}

static void fill_row(void *user, uint32_t worker, size_t item)
{
    filling *this = user;
    size_t row = this->begin + item, bad = 0;
    for (size_t i = 0; i < this->of->count; i++) {
        const source_part *part = &this->of->parts[i];
        float *out = this->rows + item * this->of->dim + part->column;
        if (part->aligned)
            mean_row(part, row, this->one + worker * this->room, this->sums + worker * this->room, out);
        else
            wl_codebook_floats(part->codebook, row, out);
        for (size_t j = 0; j < part->codebook->dim; j++) bad += (wl_float_bits(out[j]) & 0x7F800000) == 0x7F800000;
        scale_row(part, out);
    }
    if (bad) atomic_store_explicit(&this->not_finite, true, memory_order_relaxed);
}

/* Finds the number that is not finite by reading the block once more, row by row. */
static wl_status fail_not_finite(const filling *this, size_t count)
{
    const concatenation *of = this->of;
    for (size_t row = this->begin; row < this->begin + count; row++)
        for (size_t i = 0; i < of->count; i++) {
            const source_part *part = &of->parts[i];
            size_t begin = part->aligned ? part->alignment.starts[row] : row;
            size_t end = part->aligned ? part->alignment.starts[row + 1] : row + 1;
            for (size_t at = begin; at < end; at++) {
                size_t from = part->aligned ? part->alignment.rows[at] : at;
                if (wl_codebook_read(part->codebook, of->pool, from, 1, NULL, this->one, of->error))
                    return of->error->code;
            }
        }
    return wl_fail(of->error, WL_ERROR_LIMIT, "the mean of finite rows is not finite");
}

static wl_status write_rows(concatenation *this, wl_codebook_writer *writer, filling *rows, size_t block)
{
    for (rows->begin = 0; rows->begin < this->rows; rows->begin += block) {
        size_t left = this->rows - rows->begin, count = left < block ? left : block;
        wl_pool_run(this->pool, count, fill_row, rows);
        if (atomic_load_explicit(&rows->not_finite, memory_order_relaxed)) return fail_not_finite(rows, count);
        if (wl_codebook_writer_rows(writer, rows->rows, count, this->error) ||
            wl_pass_add(&this->pass, count, this->error))
            return this->error->code;
    }
    return WL_OK;
}

static wl_status fill_all(concatenation *this, wl_codebook_writer *writer)
{
    size_t block = BLOCK / this->dim ? BLOCK / this->dim : 1, threads = wl_pool_threads(this->pool);
    if (block > this->rows) block = this->rows;
    filling rows = {.of = this};
    for (size_t i = 0; i < this->count; i++)
        if (this->codebooks[i]->dim > rows.room) rows.room = this->codebooks[i]->dim;
    rows.rows = wl_allocate(block * this->dim, sizeof *rows.rows, this->error);
    rows.one = rows.rows ? wl_allocate(threads * rows.room, sizeof *rows.one, this->error) : NULL;
    rows.sums = rows.one ? wl_allocate(threads * rows.room, sizeof *rows.sums, this->error) : NULL;
    wl_status status = rows.sums ? write_rows(this, writer, &rows, block) : WL_ERROR_MEMORY;
    free(rows.rows);
    free(rows.one);
    free(rows.sums);
    return status;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

enum { NAMES, COLUMNS, SCALES, LISTS };

/* What the sources have, with a comma in between. */
static wl_status list_parts(const concatenation *this, int list, wl_buffer *out)
{
    for (size_t i = 0; i < this->count; i++) {
        const source_part *part = &this->parts[i];
        char dim[24];
        snprintf(dim, sizeof dim, "%zu", part->codebook->dim);
        const char *text = list == NAMES     ? wl_codebook_name(part->codebook)
                           : list == COLUMNS ? dim
                                             : scale_names[part->scale];
        if ((i && wl_buffer_append(out, ",", 1, this->error)) || wl_buffer_append(out, text, strlen(text), this->error))
            return this->error->code;
    }
    return wl_buffer_append(out, "", 1, this->error);
}

static wl_status open_writer(concatenation *this, wl_codebook_writer *writer)
{
    wl_buffer lists[LISTS] = {{0}};
    wl_status status = WL_OK;
    for (int i = 0; i < LISTS && !status; i++) status = list_parts(this, i, &lists[i]);
    if (!status) {
        char dims[24], vocabulary[24];
        snprintf(dims, sizeof dims, "%zu", this->dim);
        snprintf(vocabulary, sizeof vocabulary, "%zu", this->rows);
        const char *const metadata[] = {
            "sources", lists[NAMES].data, "parts",    lists[COLUMNS].data, "scale", lists[SCALES].data, "dims",
            dims,      "vocabulary",      vocabulary,
        };
        status = wl_codebook_writer_open(writer, this->path, this->rows, this->dim, this->options.stored_as, metadata,
                                         sizeof metadata / sizeof *metadata / 2, this->error);
    }
    for (int i = 0; i < LISTS; i++) wl_buffer_free(&lists[i]);
    return status;
}

static wl_status write_result(concatenation *this)
{
    wl_codebook_writer writer = {0};
    wl_status status = open_writer(this, &writer);
    if (!status) status = fill_all(this, &writer);
    if (!status)
        status =
            wl_codebook_copy_tokenizer(this->codebooks[this->tokenizer], this->path, this->out.tokenizer, this->error);
    if (!status) status = wl_codebook_writer_commit(&writer, this->error);
    wl_codebook_writer_abandon(&writer);
    return status;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status check_options(const wl_concat_options *options, size_t count, wl_error *error)
{
    if (!options->scales != !options->scale_count || (options->scale_count > 1 && options->scale_count != count))
        return wl_fail(error, WL_ERROR_ARGUMENT, "%zu scales for %zu sources, expected 1, or one for each",
                       options->scale_count, count);
    for (size_t i = 0; i < options->scale_count; i++)
        if ((size_t)options->scales[i] >= sizeof scale_names / sizeof *scale_names)
            return wl_fail(error, WL_ERROR_ARGUMENT, "unknown scale, %d", (int)options->scales[i]);
    return WL_OK;
}

static wl_status concat(concatenation *this, const char *const *sources)
{
    if (open_sources(this, sources) || match_tokens(this)) return this->error->code;
    for (size_t i = 0; i < this->count; i++)
        if (this->parts[i].scale == WL_SCALE_VARIANCE && find_factor(this, &this->parts[i])) return this->error->code;
    this->pass.total = this->out.rows = this->rows;
    this->out.dim = this->dim;
    return write_result(this);
}

wl_status wl_concat(const char *const *sources, size_t count, const char *path, const wl_concat_options *options,
                    wl_concat_source *sources_found, wl_concatenated *result, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (!sources || !count || !path) return wl_fail(error, WL_ERROR_ARGUMENT, "wl_concat: no sources or no path given");
    concatenation this = {.path = path, .count = count, .error = error};
    if (wl_read_options(&this.options, sizeof this.options, options, "wl_concat_options", error) ||
        check_options(&this.options, count, error))
        return error->code;
    this.pass = (wl_pass){this.options.progress, this.options.user, path, 0, 0};
    this.parts = wl_allocate(count, sizeof *this.parts, error);
    this.codebooks = this.parts ? wl_allocate(count, sizeof(wl_codebook *), error) : NULL;
    this.pool = this.codebooks ? wl_codebook_pool(this.options.threads, error) : NULL;
    wl_status status = this.pool ? concat(&this, sources) : WL_ERROR_MEMORY;
    for (size_t i = 0; i < count && this.parts; i++) {
        if (sources_found && !status) sources_found[i] = this.parts[i].found;
        wl_alignment_free(&this.parts[i].alignment);
        wl_codebook_close(this.parts[i].codebook);
    }
    free(this.parts);
    free(this.codebooks);
    wl_pool_free(this.pool);
    if (!status && result) *result = this.out;
    return status;
}
