#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "codebooks.h"
#include "commands.h"
#include "interruption.h"
#include "io.h"
#include "targets.h"

#include "wordllama_train.h"

/* The texts read, and whether to go on. */
static bool show_texts(void *user, uint64_t texts, uint64_t bytes)
{
    return progress_tell(user, texts, bytes) && !interrupted();
}

static wl_status average(const cli_settings *settings, const char *target, cli_progress *progress, wl_error *error)
{
    wl_average_options options = {
        .size = sizeof options,
        .sif = isnan(settings->sif) ? 0 : settings->sif,
        .no_sif = settings->sif == 0,
        .stored_as = (wl_stored_as)settings->dtype,
        .progress = show_texts,
        .user = progress,
    };
    wl_averaged result;
    wl_status status = wl_average_targets(settings->operands[0], settings->operands[1], settings->tokenizer, target,
                                          &options, &result, error);
    progress_end();
    if (status) return status;
    wl_buffer out = {0};
    status = append_format(&out, error, "%s: %" PRIu64 " x %" PRIu64 ", of %" PRIu64 " tokens\n", target, result.rows,
                           result.dim, result.seen);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

wl_status cmd_average(const cli_settings *settings, wl_error *error)
{
    if (!settings->tokenizer)
        return wl_fail(error, WL_ERROR_ARGUMENT, "average needs --tokenizer FILE, that of the prepared texts");
    const char *out = find_target(settings, "average", settings->operand_count, error);
    cli_target target = {0};
    if (!out || target_open(&target, out, error)) return error->code;
    cli_progress progress;
    progress_begin(&progress, false);
    interruption_begin();
    wl_status status = check_not_read(target.path, &settings->tokenizer, 1, error);
    if (!status) status = average(settings, target.path, &progress, error);
    target_close(&target, status != WL_OK);
    interruption_end();
    return status;
}
