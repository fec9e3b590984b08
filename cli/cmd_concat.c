#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "models.h"

#include "wordllama_train.h"

static const char *const scale_names[] = {
    [WL_SCALE_NONE] = "none",
    [WL_SCALE_VARIANCE] = "variance",
    [WL_SCALE_NORM] = "norm",
};

/* The words of --scale, (*count) of them, into scales, which has room for most. */
static wl_status read_scales(const char *text, size_t most, wl_scale *scales, size_t *count, wl_error *error)
{
    *count = 0;
    for (const char *at = text;; at++) {
        size_t size = strcspn(at, ","), kind = 0, kinds = sizeof scale_names / sizeof *scale_names;
        while (kind < kinds && (strlen(scale_names[kind]) != size || memcmp(scale_names[kind], at, size) != 0)) kind++;
        if (kind == kinds)
            return wl_fail(error, WL_ERROR_ARGUMENT, "--scale is '%.*s', expected none, variance or norm",
                           (int)(size < 40 ? size : 40), at);
        if (*count < most) scales[*count] = (wl_scale)kind;
        ++*count;
        at += size;
        if (!*at) break;
    }
    if (*count == 1 || *count == most) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT, "--scale has %zu words for %zu codebooks, expected 1, or one for each",
                   *count, most);
}

static wl_status print_result(const char *path, const wl_concatenated *result, const wl_concat_source *sources,
                              const cli_settings *settings, wl_error *error)
{
    wl_buffer out = {0};
    wl_status status = append_format(&out, error, "%s: %" PRIu64 " x %" PRIu64, path, result->rows, result->dim);
    for (size_t i = 0; i < settings->operand_count && !status; i++)
        status = append_format(&out, error, "%s %" PRIu64, i ? " +" : " =", sources[i].dim);
    if (!status) status = append_format(&out, error, ", %s\n", result->tokenizer);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

/* What the verb works with, an element for each source. */
typedef struct cli_sources {
    char **paths;
    wl_scale *scales;
    wl_concat_source *found;
    size_t count;
} cli_sources;

static void sources_free(cli_sources *sources)
{
    for (size_t i = 0; i < sources->count && sources->paths; i++) free(sources->paths[i]);
    free(sources->paths);
    free(sources->scales);
    free(sources->found);
}

static wl_status sources_open(cli_sources *sources, const cli_settings *settings, wl_error *error)
{
    size_t count = sources->count = settings->operand_count;
    sources->paths = wl_allocate(count, sizeof(char *), error);
    sources->scales = sources->paths ? wl_allocate(count, sizeof *sources->scales, error) : NULL;
    sources->found = sources->scales ? wl_allocate(count, sizeof *sources->found, error) : NULL;
    if (!sources->found) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++)
        if (!(sources->paths[i] = find_model(settings->operands[i], error))) return error->code;
    return WL_OK;
}

static wl_status concat(cli_sources *sources, const char *path, const cli_settings *settings, wl_error *error)
{
    cli_progress progress;
    wl_concat_options options = {
        .size = sizeof options,
        .align = settings->align,
        .stored_as = (wl_stored_as)settings->dtype,
        .threads = settings->threads,
        .progress = show_rows,
        .message = tell_rows,
        .user = &progress,
    };
    if (settings->scale) {
        options.scales = sources->scales;
        if (read_scales(settings->scale, sources->count, sources->scales, &options.scale_count, error))
            return error->code;
    }
    wl_concatenated result;
    progress_begin(&progress, false);
    wl_status status =
        wl_concat((const char *const *)sources->paths, sources->count, path, &options, sources->found, &result, error);
    progress_end();
    return status ? status : print_result(path, &result, sources->found, settings, error);
}

wl_status cmd_concat(const cli_settings *settings, wl_error *error)
{
    const char *out = find_target(settings, "concat", settings->operand_count, error);
    if (!out) return error->code;
    cli_target target = {0};
    cli_sources sources = {0};
    wl_status status = sources_open(&sources, settings, error);
    if (!status) status = target_open(&target, out, error);
    interruption_begin();
    if (!status) status = concat(&sources, target.path, settings, error);
    target_close(&target, status != WL_OK);
    interruption_end();
    sources_free(&sources);
    return status;
}
