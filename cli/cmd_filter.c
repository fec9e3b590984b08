#include <inttypes.h>

#include "commands.h"
#include "job.h"
#include "score.h"

typedef struct cli_filter {
    cli_job *job;
    float threshold; /* as the library compares with it */
    uint64_t count;  /* of texts found */
} cli_filter;

static wl_status print_text(cli_job *job, const cli_texts *texts, wl_match match, wl_error *error)
{
    if (!job->settings->json) return append_line(&job->out, texts_record(texts, match.index), error);
    wl_text text = texts_text(texts, match.index), record = texts_object(texts, &job->reader, match.index);
    uint64_t index = texts->places[match.index].index;
    wl_status status = append_match_object(&job->out, (double)match.score, index, text, record, error);
    return status ? status : append_format(&job->out, error, "\n");
}

static wl_status print_batch(void *user, const cli_texts *texts, const wl_match *matches, size_t count, wl_error *error)
{
    cli_filter *filter = user;
    cli_job *job = filter->job;
    for (size_t i = 0; i < count; i++) {
        if (job->settings->invert && matches[i].score > filter->threshold) continue;
        filter->count++;
        if (!job->settings->count && print_text(job, texts, matches[i], error)) return error->code;
    }
    /* Who waits for the lines gets them before the next are read. */
    if (output_drain(&job->output, &job->out, true, error)) return error->code;
    return output_flush(&job->output, error);
}

static wl_status filter(cli_job *job, wl_error *error)
{
    const cli_settings *settings = job->settings;
    double threshold = threshold_of(settings, 0.3);
    cli_filter found = {.job = job, .threshold = (float)threshold};
    wl_rank_options options = rank_options(settings);
    options.above = !settings->invert;
    options.threshold = threshold;
    if (!settings->json && !settings->count && reader_take_header(&job->reader, &job->out, error)) return error->code;
    wl_status status = score_texts(&job->session, &job->reader, settings->operands[0], &options,
                                   (score_sink){print_batch, &found}, &job->progress, error);
    job->found_nothing = !found.count;
    return !status && settings->count ? append_format(&job->out, error, "%" PRIu64 "\n", found.count) : status;
}

wl_status cmd_filter(const cli_settings *settings, wl_error *error)
{
    if (settings->json && settings->count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--json and --count contradict each other");
    return job_run(settings, (job_plan){.first = 1, .prints_early = true, .work = filter}, error);
}
