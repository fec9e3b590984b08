#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "models.h"
#include "targets.h"
#include "tokens.h"

#include "wordllama_train.h"

static wl_status check_flags(const cli_settings *settings, wl_error *error)
{
    if (isnan(settings->near)) return WL_OK;
    if (settings->near == 0) return wl_fail(error, WL_ERROR_ARGUMENT, "--near is 0, expected a number above it");
    if (!settings->evaluation.count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--near needs --evaluation, the sets whose texts are compared with");
    if (settings->tokenizer)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--near needs a model, and --tokenizer names a tokenizer alone");
    return WL_OK;
}

/* The records read, and whether to go on. */
static bool show_records(void *user, uint64_t records, uint64_t bytes)
{
    return progress_tell(user, records, bytes) && !interrupted();
}

static wl_status append_table(const wl_prepared *result, wl_buffer *out, wl_error *error)
{
    wl_status status = append_format(out, error, "%-16s %10" PRIu64 "\n", "records", result->records);
    for (int i = 0; i < WL_REMOVED_REASONS && !status; i++)
        status = append_format(out, error, "%-16s %10" PRIu64 "\n", wl_removed_name((wl_removed)i), result->removed[i]);
    if (status) return status;
    return append_format(out, error, "%-16s %10" PRIu64 "\n%-16s %10" PRIu64 "\n%-16s %10" PRIu64 "\n", "kept",
                         result->kept, "texts", result->texts, "tokens", result->tokens);
}

/* A name as the keys of JSON are written everywhere: too_short. */
static wl_status append_key(wl_buffer *out, const char *before, const char *name, wl_error *error)
{
    size_t begin = out->size;
    if (append_format(out, error, "%s\"%s\": ", before, name)) return error->code;
    for (size_t i = begin + strlen(before); i + 1 < out->size; i++)
        if (out->data[i] == ' ') out->data[i] = '_';
    return WL_OK;
}

static wl_status append_object(const wl_prepared *result, wl_buffer *out, wl_error *error)
{
    wl_status status = append_format(out, error, "{\"records\": %" PRIu64 ", \"removed\": {", result->records);
    for (int i = 0; i < WL_REMOVED_REASONS && !status; i++)
        status = append_key(out, i ? ", " : "", wl_removed_name((wl_removed)i), error) ||
                         append_format(out, error, "%" PRIu64, result->removed[i])
                     ? error->code
                     : WL_OK;
    if (status) return status;
    return append_format(out, error, "}, \"kept\": %" PRIu64 ", \"texts\": %" PRIu64 ", \"tokens\": %" PRIu64 "}\n",
                         result->kept, result->texts, result->tokens);
}

static wl_status print_result(const wl_prepared *result, bool json, wl_error *error)
{
    wl_buffer out = {0};
    wl_status status = json ? append_object(result, &out, error) : append_table(result, &out, error);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

/* What came through a pipe is gone. */
static bool may_resume(const cli_settings *settings)
{
    for (size_t i = 0; i < settings->operand_count; i++) {
        struct stat info;
        if (stat(settings->operands[i], &info) != 0 || !S_ISREG(info.st_mode)) return false;
    }
    return true;
}

static wl_status prepare(const cli_settings *settings, const cli_tokenizer *opened, cli_progress *progress,
                         wl_error *error)
{
    wl_prepare_options options = {
        .size = sizeof options,
        .evaluation = settings->evaluation.names,
        .evaluation_count = settings->evaluation.count,
        .near_model = isnan(settings->near) ? NULL : opened->model,
        .near = isnan(settings->near) ? 0 : settings->near,
        .least_tokens = settings->least_tokens,
        .most_tokens = settings->most_tokens,
        .sentences = settings->sentences,
        .keep_duplicates = settings->keep_duplicates,
        .kept = settings->kept,
        .removed = settings->removed_file,
        .texts = settings->texts_file,
        .resume = settings->resume,
        .threads = settings->threads,
        .progress = show_records,
        .message = tell_rows,
        .user = progress,
    };
    wl_prepared result;
    wl_status status = wl_prepare(settings->operands, settings->operand_count, opened->tokenizer, settings->output,
                                  &options, &result, error);
    progress_end();
    if (!status && !result.kept) fprintf(stderr, "wordllama: warning: no record is left\n");
    if (status == WL_ERROR_CANCELLED && may_resume(settings))
        fprintf(stderr, "wordllama: interrupted; the same command with --resume goes on\n");
    return status ? status : print_result(&result, settings->json, error);
}

/* For what is near the model must give vectors, too; else only its tokenizer counts. */
static wl_status open_tokenizer(cli_tokenizer *opened, const cli_settings *settings, wl_error *error)
{
    if (isnan(settings->near)) return tokenizer_open(opened, settings, error);
    *opened = (cli_tokenizer){0};
    opened->model = open_model(settings->model, settings, false, &opened->path, error);
    if (!opened->model) return error->code;
    opened->tokenizer = wl_model_tokenizer(opened->model);
    return WL_OK;
}

wl_status cmd_prepare(const cli_settings *settings, wl_error *error)
{
    if (!settings->output) return wl_fail(error, WL_ERROR_ARGUMENT, "prepare needs -o OUT, the file to write");
    const char *const targets[] = {settings->output, settings->kept, settings->removed_file, settings->texts_file};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (targets[i] && is_standard_output(targets[i]))
            return wl_fail(error, WL_ERROR_ARGUMENT, "prepare writes files, not to standard output");
    if (check_flags(settings, error) || check_targets(settings, targets, sizeof targets / sizeof *targets, error))
        return error->code;
    cli_progress progress;
    cli_tokenizer opened;
    progress_begin(&progress, false);
    progress_stage(&progress, "records", 0);
    wl_status status = open_tokenizer(&opened, settings, error);
    interruption_begin();
    if (!status) status = prepare(settings, &opened, &progress, error);
    tokenizer_close(&opened);
    interruption_end();
    return status;
}
