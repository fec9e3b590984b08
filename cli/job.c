#include "job.h"

#include <string.h>

#include "base/file.h"

static wl_status check_outputs(const cli_settings *settings, wl_error *error)
{
    const char *plot = settings->plot, *output = settings->output;
    if (plot && is_standard_output(plot) && is_standard_output(output))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the picture and the lines both go to standard output");
    if (plot && !is_standard_output(plot) && !is_standard_output(output) && wl_same_target(plot, output))
        return wl_fail(error, WL_ERROR_ARGUMENT, "--plot and --output name the same file, %.200s", plot);
    return WL_OK;
}

static wl_status work(cli_job *job, job_plan plan, wl_error *error)
{
    const cli_settings *settings = job->settings;
    if (check_outputs(settings, error)) return error->code;
    wl_status status = plan.input == JOB_FILES ? reader_open_files(&job->reader, settings, error)
                                               : reader_open(&job->reader, settings, plan.first, error);
    uint32_t threads = plan.one_thread ? 1 : settings->threads;
    if (!status && !plan.without_model) status = session_open(&job->session, settings, threads, error);
    if (!status) status = output_open(&job->output, settings->output, error);
    if (status) return status;
    progress_begin(&job->progress, plan.prints_early && !job->output.replaces);
    status = plan.work(job, error);
    progress_end();
    wl_error other; /* the first one counts */
    if (status && plan.prints_early && !job->output.replaces && !output_drain(&job->output, &job->out, true, &other))
        (void)output_flush(&job->output, &other);
    if (!status) status = output_drain(&job->output, &job->out, true, error);
    return status ? status : output_close(&job->output, error);
}

wl_status job_run(const cli_settings *settings, job_plan plan, wl_error *error)
{
    cli_job job = {.settings = settings};
    wl_status status = work(&job, plan, error);
    if (!status) report_replaced(job.session.context, job.reader.replaced);
    output_abandon(&job.output);
    reader_close(&job.reader);
    session_close(&job.session);
    wl_buffer_free(&job.out);
    return !status && job.found_nothing ? find_nothing(error) : status;
}
