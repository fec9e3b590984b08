#include "job.h"

#include <string.h>
#include <sys/stat.h>

/* The part of a path behind its last '/'. */
static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool stat_folder(const char *path, struct stat *info)
{
    char folder[4096];
    size_t length = (size_t)(last_name(path) - path);
    if (length >= sizeof folder - 1) return false;
    memcpy(folder, path, length);
    memcpy(folder + length, ".", 2);
    return stat(folder, info) == 0;
}

/* Whether two paths name one regular file, or one that is not there yet. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    bool has_x = stat(a, &x) == 0, has_y = stat(b, &y) == 0;
    if (has_x != has_y || (has_x && !S_ISREG(x.st_mode))) return false;
    if (!has_x && (strcmp(last_name(a), last_name(b)) != 0 || !stat_folder(a, &x) || !stat_folder(b, &y))) return false;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static wl_status check_outputs(const cli_settings *settings, wl_error *error)
{
    const char *plot = settings->plot, *output = settings->output;
    if (plot && is_standard_output(plot) && is_standard_output(output))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the picture and the lines both go to standard output");
    if (plot && !is_standard_output(plot) && !is_standard_output(output) && is_same_file(plot, output))
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
