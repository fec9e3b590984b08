#include "score.h"

#include <stdlib.h>

wl_rank_options rank_options(const cli_settings *settings)
{
    return (wl_rank_options){
        .size = sizeof(wl_rank_options),
        .dim = settings->dim,
        .binary = settings->binary || settings->hamming,
        .measure = measure_of(settings),
        .keep_order = true,
        .top = settings->top,
    };
}

static wl_status score_batch(const cli_session *session, const cli_texts *texts, wl_text query,
                             const wl_rank_options *options, score_sink sink, wl_match *matches, wl_error *error)
{
    size_t kept = 0;
    wl_text *list = texts_list(texts, error);
    if (!list) return error->code;
    wl_status status =
        wl_rank(session->model, session->context, query, list, texts->count, options, matches, &kept, error);
    if (!status) status = sink.take(sink.user, texts, matches, kept, error);
    free(list);
    return status;
}

wl_status score_texts(const cli_session *session, cli_reader *reader, const char *query, const wl_rank_options *options,
                      score_sink sink, cli_progress *progress, wl_error *error)
{
    cli_texts texts = {0};
    wl_buffer room = {0};
    wl_text question;
    uint64_t count = 0, bytes = 0;
    wl_match *matches = wl_allocate(TEXTS_BATCH, sizeof *matches, error);
    wl_status status = matches ? argument_text(query, &room, &reader->replaced, &question, error) : WL_ERROR_MEMORY;
    for (bool more = true; more && !status;) {
        wl_error other;
        status = texts_read_batch(&texts, reader, count, &more, error);
        /* A faulty record takes none of those before it along. */
        if (texts.count && score_batch(session, &texts, question, options, sink, matches, &other) && !status) {
            *error = other;
            status = other.code;
        }
        count += texts.count;
        bytes += texts.bytes.size;
        if (progress) progress_tell(progress, count, bytes);
    }
    free(matches);
    wl_buffer_free(&room);
    texts_free(&texts);
    return status;
}
