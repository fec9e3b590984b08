#include <math.h>

#include "commands.h"
#include "job.h"
#include "score.h"

static wl_status print_batch(void *user, const cli_texts *texts, const wl_match *matches, size_t count, wl_error *error)
{
    cli_job *job = user;
    for (size_t i = 0; i < count; i++) {
        wl_text text = texts_text(texts, matches[i].index), record = texts_record(texts, matches[i].index);
        uint64_t index = texts->places[matches[i].index].index;
        if (job->settings->json ? append_match(&job->out, true, (double)matches[i].score, index, text, error)
                                : append_line(&job->out, record, error))
            return error->code;
    }
    if (count) job->found_nothing = false;
    /* Who waits for the lines gets them before the next are read. */
    if (output_drain(&job->output, &job->out, true, error)) return error->code;
    return output_flush(&job->output, error);
}

static wl_status filter(cli_job *job, wl_error *error)
{
    const cli_settings *settings = job->settings;
    wl_rank_options options = rank_options(settings);
    options.above = true;
    options.threshold = isnan(settings->threshold) ? 0.3 : settings->threshold;
    job->found_nothing = true;
    if (!settings->json && reader_take_header(&job->reader, &job->out, error)) return error->code;
    return score_texts(&job->session, &job->reader, settings->operands[0], &options, (score_sink){print_batch, job},
                       &job->progress, error);
}

wl_status cmd_filter(const cli_settings *settings, wl_error *error)
{
    return job_run(settings, (job_plan){.first = 1, .prints_early = true, .work = filter}, error);
}
