#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "models.h"
#include "read.h"
#include "targets.h"

#include "wordllama_train.h"

/* ---- counting tokens --------------------------------------------------------------------------------------------- */

typedef struct token_counts {
    const wl_tokenizer *tokenizer;
    wl_context *context;
    uint64_t *counts; /* (rows) */
    size_t rows, capacity;
    uint32_t *ids; /* of one text */
} token_counts;

static wl_status count_text(token_counts *this, wl_text text, wl_error *error)
{
    for (size_t room = text.size + 4, count;; room = count) {
        void *ids = this->ids;
        wl_status status = wl_reserve(&ids, &this->capacity, room, sizeof *this->ids, error);
        this->ids = ids;
        if (status) return status;
        status = wl_encode(this->tokenizer, this->context, text, NULL, this->ids, NULL, this->capacity, &count, error);
        if (status == WL_ERROR_LIMIT && count > this->capacity) continue;
        for (size_t i = 0; i < count && !status; i++)
            if (this->ids[i] < this->rows) this->counts[this->ids[i]]++;
        return status;
    }
}

static wl_status count_files(token_counts *this, const cli_settings *settings, cli_progress *progress, wl_error *error)
{
    cli_reader reader;
    uint64_t texts = 0, bytes = 0;
    wl_status status = reader_open_list(&reader, settings, &settings->inputs, error);
    for (int got = 1; !status && got > 0;) {
        wl_text text;
        got = reader_next(&reader, &text, error);
        if (got < 0) status = error->code;
        if (got > 0) {
            status = count_text(this, text, error);
            bytes += text.size;
            progress_tell(progress, ++texts, bytes);
        }
    }
    if (!status) report_replaced(this->context, reader.replaced);
    reader_close(&reader);
    return status;
}

/* The counts of the tokens in the texts of --input, one for each row, to be freed; NULL on failure. */
static uint64_t *count_tokens(const wl_codebook *codebook, const cli_settings *settings, cli_progress *progress,
                              wl_error *error)
{
    wl_context_options options = {.size = sizeof options, .threads = 1};
    token_counts this = {.tokenizer = wl_codebook_tokenizer(codebook)};
    this.rows = (size_t)wl_codebook_describe(codebook).rows;
    if (!this.tokenizer) {
        wl_fail(error, WL_ERROR_NOT_FOUND, "no tokenizer beside the codebook, to count the texts of --input by");
        return NULL;
    }
    this.counts = wl_allocate(this.rows, sizeof *this.counts, error);
    this.context = this.counts ? wl_context_create(&options, error) : NULL;
    wl_status status = this.context ? count_files(&this, settings, progress, error) : WL_ERROR_MEMORY;
    wl_context_free(this.context);
    free(this.ids);
    if (!status) return this.counts;
    free(this.counts);
    return NULL;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static wl_status check_flags(const cli_settings *settings, wl_error *error)
{
    bool sif = settings->weighting == WL_WEIGHT_SIF;
    if (!isnan(settings->sif) && !sif) return wl_fail(error, WL_ERROR_ARGUMENT, "--sif is for --weights sif");
    if (settings->sif == 0) return wl_fail(error, WL_ERROR_ARGUMENT, "--sif is 0, expected a number above it");
    if (settings->inputs.count && !sif)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--input counts tokens for --weights sif");
    return WL_OK;
}

static wl_status print_result(const char *path, const wl_reduced *result, wl_codebook_shape shape, wl_error *error)
{
    wl_buffer out = {0};
    wl_status status =
        append_format(&out, error, "%s: %" PRIu64 " x %" PRIu64 ", %.1f%% of the variance of %" PRIu64 " x %" PRIu64,
                      path, result->rows, result->dim, 100 * result->kept, shape.rows, shape.dim);
    if (!status && result->removed > 0)
        status = append_format(&out, error, " (%.1f%% was removed)", 100 * result->removed);
    if (!status) status = append_format(&out, error, ", %s\n", result->tokenizer);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

static wl_status reduce(const wl_codebook *codebook, const char *path, const cli_settings *settings,
                        const uint64_t *counts, cli_progress *progress, wl_error *error)
{
    wl_reduce_options options = {
        .size = sizeof options,
        .dim = settings->dim,
        .remove = settings->remove,
        .weighting = (wl_weighting)settings->weighting,
        .sif = isnan(settings->sif) ? 0 : settings->sif,
        .counts = counts,
        .stored_as = (wl_stored_as)settings->dtype,
        .seed = settings->seed,
        .threads = settings->threads,
        .progress = show_rows,
        .user = progress,
    };
    wl_reduced result;
    wl_status status = wl_reduce(codebook, path, &options, &result, error);
    progress_end();
    return status ? status : print_result(path, &result, wl_codebook_describe(codebook), error);
}

wl_status cmd_reduce(const cli_settings *settings, wl_error *error)
{
    const char *out = find_target(settings, "reduce", 1, error);
    if (!out || check_flags(settings, error)) return error->code;
    cli_progress progress;
    progress_begin(&progress, false);
    cli_target target = {0};
    char *source = find_model(settings->operands[0], error);
    bool opened = source && target_open(&target, out, error) == WL_OK;
    wl_codebook *codebook = opened ? wl_codebook_open(source, settings->tokenizer, error) : NULL;
    uint64_t *counts = NULL;
    wl_status status =
        codebook ? check_not_read(target.path, settings->inputs.names, settings->inputs.count, error) : error->code;
    if (!status && settings->inputs.count) {
        counts = count_tokens(codebook, settings, &progress, error);
        if (!counts) status = error->code;
        progress_end();
    }
    interruption_begin();
    if (!status) status = reduce(codebook, target.path, settings, counts, &progress, error);
    wl_codebook_close(codebook);
    free(counts);
    free(source);
    target_close(&target, status != WL_OK);
    interruption_end();
    return status;
}
