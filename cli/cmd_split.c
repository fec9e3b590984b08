#include <inttypes.h>
#include <string.h>

#include "commands.h"
#include "job.h"

typedef struct split_place {
    const char *source; /* the file */
    uint64_t index;     /* of the text in the input */
    bool first;         /* nothing was printed yet */
} split_place;

enum { TARGET = 1536, INTERMEDIATE = 96, CLEANUP = 24, WINDOW = 3, ORDER = 2 }; /* the library's defaults */

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* What is not given is the library's default, or less where that does not fit below a small --size. */
static wl_split_options split_options(const cli_settings *settings)
{
    uint32_t target = settings->target_size ? settings->target_size : TARGET;
    uint32_t half = target / 2 > 2 ? target / 2 : 2;
    uint32_t intermediate = settings->intermediate_size ? settings->intermediate_size
                            : target > INTERMEDIATE     ? INTERMEDIATE
                                                        : half;
    uint32_t quarter = intermediate / 4 > 1 ? intermediate / 4 : 1;
    bool fits = target > INTERMEDIATE && intermediate > CLEANUP;
    uint32_t cleanup = settings->cleanup_size ? settings->cleanup_size : fits ? CLEANUP : smaller(quarter, CLEANUP);
    return (wl_split_options){
        .size = sizeof(wl_split_options),
        .spans = settings->spans,
        .tokens = settings->tokens,
        .target_size = target,
        .intermediate_size = intermediate,
        .cleanup_size = cleanup,
        .window = settings->window ? settings->window : WINDOW,
        .smoothing_window = settings->smoothing_window ? settings->smoothing_window : WINDOW,
        .polynomial_order = settings->polynomial_order ? settings->polynomial_order : ORDER,
    };
}

static wl_status print_json(wl_buffer *out, const split_place *place, wl_chunk chunk, wl_error *error)
{
    wl_text source = {place->source, strlen(place->source)};
    wl_status status = append_format(out, error, "{\"source\": ");
    if (!status) status = append_json(out, source, error);
    if (!status)
        status = append_format(out, error,
                               ", \"index\": %" PRIu64 ", \"begin\": %zu, \"end\": %zu, \"text\": ", place->index,
                               chunk.begin, chunk.end);
    if (!status) status = append_json(out, chunk.text, error);
    return status ? status : append_format(out, error, "}\n");
}

/* As grep sets groups of lines apart: by a line "--". */
static wl_status print_text(wl_buffer *out, bool first, wl_text text, wl_error *error)
{
    bool ends_line = text.size && text.data[text.size - 1] == '\n';
    if (!first && append_format(out, error, "--\n")) return error->code;
    return ends_line ? wl_buffer_append(out, text.data, text.size, error) : append_line(out, text, error);
}

static wl_status print_chunk(cli_job *job, split_place *place, wl_chunk chunk, wl_error *error)
{
    const cli_settings *settings = job->settings;
    wl_status status;
    if (settings->json) {
        status = print_json(&job->out, place, chunk, error);
    } else if (settings->zero) {
        status = wl_buffer_append(&job->out, chunk.text.data, chunk.text.size, error);
        if (!status) status = wl_buffer_append(&job->out, "", 1, error);
    } else {
        status = print_text(&job->out, place->first, chunk.text, error);
    }
    place->first = false;
    return status ? status : output_drain(&job->output, &job->out, false, error);
}

static wl_status split(cli_job *job, wl_error *error)
{
    wl_split_options options = split_options(job->settings);
    split_place place = {.first = true};
    uint64_t bytes = 0;
    wl_text text;
    int got;
    wl_status status = WL_OK;
    for (; !status && (got = reader_next(&job->reader, &text, error)) != 0; place.index++) {
        if (got < 0) return error->code;
        wl_chunks *chunks = wl_split(job->session.model, job->session.context, text, &options, error);
        if (!chunks) return error->code;
        place.source = job->reader.bytes.name;
        for (size_t i = 0; i < wl_chunks_count(chunks) && !status; i++)
            status = print_chunk(job, &place, wl_chunks_at(chunks, i), error);
        wl_chunks_free(chunks);
        bytes += text.size;
        progress_tell(&job->progress, place.index + 1, bytes);
    }
    return status;
}

static wl_status check_odd(const char *flag, uint32_t window, wl_error *error)
{
    if (window % 2) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT, "%s is %" PRIu32 ", expected an odd number", flag, window);
}

/* The library would refuse them, too, but by its own names. */
static wl_status check_options(const wl_split_options *options, wl_error *error)
{
    if (options->target_size <= options->intermediate_size)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--size is %" PRIu32 ", expected more than --intermediate-size, which is %" PRIu32,
                       options->target_size, options->intermediate_size);
    if (options->intermediate_size <= options->cleanup_size)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--intermediate-size is %" PRIu32 ", expected more than --cleanup-size, which is %" PRIu32,
                       options->intermediate_size, options->cleanup_size);
    if (check_odd("--window", options->window, error) ||
        check_odd("--smoothing-window", options->smoothing_window, error))
        return error->code;
    if (options->polynomial_order >= options->smoothing_window)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--polynomial-order is %" PRIu32 ", expected less than --smoothing-window, which is %" PRIu32,
                       options->polynomial_order, options->smoothing_window);
    return WL_OK;
}

wl_status cmd_split(const cli_settings *settings, wl_error *error)
{
    if (settings->json && settings->zero)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--json and --zero contradict each other");
    wl_split_options options = split_options(settings);
    if (check_options(&options, error)) return error->code;
    return job_run(settings, (job_plan){.input = JOB_FILES, .prints_early = true, .work = split}, error);
}
