#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "job.h"
#include "rows.h"

static wl_status write_batch(void *user, const wl_text *texts, const void *rows, size_t count, size_t row_size,
                             wl_error *error)
{
    row_writer *writer = user;
    for (size_t i = 0; i < count; i++)
        if (rows_write(writer, texts[i], (const char *)rows + i * row_size, 1, error)) return error->code;
    return rows_flush(writer, error);
}

/* The rows of one text's tokens in *rows, which grows. */
static wl_status token_rows(const cli_session *session, wl_text text, void **rows, size_t *capacity, size_t *count,
                            wl_error *error)
{
    wl_status status =
        wl_embed_tokens(session->model, session->context, text, &session->options, *rows, *capacity, count, error);
    if (status != WL_ERROR_LIMIT || *count <= *capacity) return status;
    if (wl_reserve(rows, capacity, *count, session->row_size, error)) return error->code;
    return wl_embed_tokens(session->model, session->context, text, &session->options, *rows, *capacity, count, error);
}

static wl_status embed_tokens(const cli_session *session, cli_reader *reader, row_writer *writer, wl_error *error)
{
    void *rows = NULL;
    size_t capacity = 0, count = 0;
    wl_text text;
    int got;
    wl_status status = wl_reserve(&rows, &capacity, 256, session->row_size, error);
    while (!status && (got = reader_next(reader, &text, error)) != 0) {
        status = got < 0 ? error->code : token_rows(session, text, &rows, &capacity, &count, error);
        if (!status) status = rows_write(writer, text, rows, count, error);
    }
    free(rows);
    return status;
}

/* To the library a faulty record is the end of the texts, so that none of those before it is lost; the failure is kept.
 */
typedef struct cli_source {
    cli_reader *reader;
    wl_status status;
    wl_error error;
} cli_source;

static int next_text(void *user, wl_text *text, wl_error *error)
{
    (void)error;
    cli_source *source = user;
    if (source->status) return 0;
    int got = reader_next(source->reader, text, &source->error);
    if (got < 0) source->status = source->error.code;
    return got > 0;
}

static wl_status embed_texts(const cli_job *job, cli_reader *reader, row_writer *writer, wl_error *error)
{
    const cli_session *session = &job->session;
    cli_source source = {.reader = reader};
    wl_status status = wl_embed_stream(session->model, session->context, (wl_source){next_text, &source},
                                       (wl_sink){write_batch, writer}, &session->options, error);
    if (!status && source.status) *error = source.error;
    return status ? status : source.status;
}

static wl_status embed(cli_job *job, wl_error *error)
{
    const cli_settings *settings = job->settings;
    cli_session *session = &job->session;
    row_writer writer = {
        .output = &job->output,
        .format = (enum format)settings->format,
        .binary = settings->binary,
        .token_rows = settings->tokens,
        .columns = settings->binary ? session->row_size : session->dim,
    };
    if (settings->format == FORMAT_NPY && isatty(fileno(job->output.stream)))
        return wl_fail(error, WL_ERROR_ARGUMENT, "an npy file is not for a terminal: redirect it or give --output");
    session->options.progress = progress_tell;
    session->options.user = &job->progress;
    wl_status status = rows_begin(&writer, error);
    if (!status && settings->tokens)
        status = embed_tokens(session, &job->reader, &writer, error);
    else if (!status)
        status = embed_texts(job, &job->reader, &writer, error);
    wl_error other; /* the first one counts */
    if (!status)
        status = rows_end(&writer, error);
    else if (settings->format != FORMAT_NPY && !job->output.replaces)
        (void)rows_flush(&writer, &other);
    rows_free(&writer);
    return status;
}

wl_status cmd_embed(const cli_settings *settings, wl_error *error)
{
    return job_run(settings, (job_plan){.prints_early = true, .work = embed}, error);
}
