/* A model of what teachers say of texts, without training: the row of a token is the mean of the target vectors of the
 * texts that hold it, times a / (a + p), p being the token's share of all tokens (SIF: Arora, Liang and Ma, ICLR 2017).
 * A frequent token is in texts about everything: its mean says little, and its weight is small.
 *
 * Cost: a target read and added for each token of each text. Memory: rows * dim doubles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "extract/codebook_write.h"
#include "text/tokenizer.h"
#include "train/prepared.h"
#include "train/targets.h"

enum { BLOCK = 1024, TOLD = 1 << 14 };

static const double usual_sif = 1e-3, usual_root = 0.1;

typedef struct averaging {
    wl_average_options options;
    wl_prepared_texts texts;
    wl_targets *targets;
    wl_mapping json; /* the tokenizer's file */
    size_t rows, dim;
    double *sums;     /* (rows, dim) */
    uint64_t *counts; /* (rows) */
    wl_averaged out;
    wl_error *error;
} averaging;

static wl_status check_rows(const averaging *this, const char *targets)
{
    size_t have = wl_targets_rows(this->targets);
    if (have == this->texts.texts) return WL_OK;
    return wl_fail_at(this->error, WL_ERROR_MISMATCH, targets, WL_NO_POSITION, 0,
                      "has %zu targets, and %s has %zu texts", have, this->texts.file.path, (size_t)this->texts.texts);
}

static wl_status open_all(averaging *this, const char *texts, const char *targets, const char *tokenizer)
{
    wl_tokenizer *opened = wl_tokenizer_open(tokenizer, this->error);
    wl_text_digest digest;
    if (!opened) return this->error->code;
    this->rows = wl_tokenizer_ids(opened);
    wl_status status = wl_digest_tokenizer(opened, &digest, this->error);
    wl_tokenizer_close(opened);
    if (!status) status = wl_prepared_open(&this->texts, texts, digest, this->rows, this->error);
    if (!status) status = wl_mapping_open(&this->json, tokenizer, this->error);
    if (status) return status;
    this->targets = wl_targets_open(targets, NULL, this->error);
    if (!this->targets || check_rows(this, targets)) return this->error->code;
    this->dim = wl_targets_dim(this->targets);
    if (this->dim > SIZE_MAX / sizeof(double) / this->rows) return wl_fail_memory(this->error, SIZE_MAX);
    this->sums = wl_allocate(this->rows * this->dim, sizeof *this->sums, this->error);
    this->counts = this->sums ? wl_allocate(this->rows, sizeof *this->counts, this->error) : NULL;
    return this->counts ? WL_OK : WL_ERROR_MEMORY;
}

static void add_text(averaging *this, uint64_t text, const float *target)
{
    for (uint64_t i = this->texts.starts[text]; i < this->texts.starts[text + 1]; i++) {
        uint32_t id = this->texts.ids[i];
        double *sum = this->sums + id * this->dim;
        for (size_t j = 0; j < this->dim; j++) sum[j] += (double)target[j];
        this->counts[id]++;
    }
}

static wl_status add_all(averaging *this)
{
    float *block = wl_allocate(BLOCK * this->dim, sizeof *block, this->error);
    uint64_t numbers[BLOCK];
    wl_status status = block ? WL_OK : WL_ERROR_MEMORY;
    for (uint64_t first = 0; first < this->texts.texts && !status; first += BLOCK) {
        size_t count = this->texts.texts - first < BLOCK ? (size_t)(this->texts.texts - first) : BLOCK;
        for (size_t i = 0; i < count; i++) numbers[i] = first + i;
        wl_targets_read(this->targets, numbers, count, block);
        for (size_t i = 0; i < count; i++) add_text(this, first + i, block + i * this->dim);
        bool told = this->options.progress && first % TOLD == 0;
        if (told && !this->options.progress(this->options.user, first, 0))
            status = wl_fail(this->error, WL_ERROR_CANCELLED, "cancelled");
    }
    free(block);
    return status;
}

/* Sums become rows; the root of the mean square of all numbers is that of a table that training begins with. */
static wl_status weigh(averaging *this)
{
    double total = 0, squares = 0;
    for (size_t i = 0; i < this->rows; i++) total += (double)this->counts[i];
    for (size_t i = 0; i < this->rows; i++) {
        double count = (double)this->counts[i], sif = this->out.sif;
        double factor = count > 0 ? (sif > 0 ? sif / (sif + count / total) : 1) / count : 0;
        this->out.seen += count > 0;
        for (size_t j = 0; j < this->dim; j++) {
            double *number = &this->sums[i * this->dim + j];
            *number *= factor;
            squares += *number * *number;
        }
    }
    if (!(squares > 0) || !isfinite(squares))
        return wl_fail(this->error, WL_ERROR_FORMAT,
                       "the targets are zero, or not all finite: there is nothing to average");
    double factor = usual_root / sqrt(squares / (double)this->out.seen / (double)this->dim);
    for (size_t i = 0; i < this->rows * this->dim; i++) this->sums[i] *= factor;
    return WL_OK;
}

static wl_status save(averaging *this, const char *path)
{
    wl_codebook_writer writer;
    wl_status status =
        wl_codebook_writer_open(&writer, path, this->rows, this->dim, this->options.stored_as, NULL, 0, this->error);
    float *row = status ? NULL : wl_allocate(this->dim, sizeof *row, this->error);
    if (!status && !row) status = WL_ERROR_MEMORY;
    for (size_t i = 0; i < this->rows && !status; i++) {
        for (size_t j = 0; j < this->dim; j++) row[j] = (float)this->sums[i * this->dim + j];
        status = wl_codebook_writer_rows(&writer, row, 1, this->error);
    }
    if (!status)
        status = wl_codebook_write_tokenizer(path, this->json.data, this->json.size, this->out.tokenizer, this->error);
    if (!status) status = wl_codebook_writer_commit(&writer, this->error);
    wl_codebook_writer_abandon(&writer);
    free(row);
    return status;
}

static wl_status check_target(const averaging *this, const char *const *read, size_t count, const char *path)
{
    for (size_t i = 0; i < count; i++)
        if (wl_same_target(read[i], path))
            return wl_fail_at(this->error, WL_ERROR_ARGUMENT, path, WL_NO_POSITION, 0,
                              "is a file that is read, and would be written over");
    return WL_OK;
}

wl_status wl_average_targets(const char *texts, const char *targets, const char *tokenizer, const char *path,
                             const wl_average_options *options, wl_averaged *averaged, wl_error *error)
{
    wl_error unused;
    averaging this = {.error = error ? error : &unused};
    const char *const read[] = {texts, targets, tokenizer};
    wl_status status = wl_read_options(&this.options, sizeof this.options, options, "wl_average_options", this.error);
    this.out.sif = this.options.no_sif ? 0 : this.options.sif > 0 ? this.options.sif : usual_sif;
    if (!status && (!(this.options.sif >= 0) || isinf(this.options.sif)))
        status = wl_fail(this.error, WL_ERROR_ARGUMENT, "sif is %g, expected above 0", this.options.sif);
    if (!status) status = check_target(&this, read, sizeof read / sizeof *read, path);
    if (!status) status = open_all(&this, texts, targets, tokenizer);
    if (!status) status = add_all(&this);
    if (!status) status = weigh(&this);
    if (!status) status = save(&this, path);
    this.out.rows = this.rows;
    this.out.dim = this.dim;
    if (!status && averaged) *averaged = this.out;
    wl_prepared_close(&this.texts);
    wl_targets_close(this.targets);
    wl_mapping_close(&this.json);
    free(this.sums);
    free(this.counts);
    return status;
}
