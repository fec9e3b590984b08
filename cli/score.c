#include "score.h"

#include <stdlib.h>

enum { BATCH_TEXTS = 8192, BATCH_BYTES = 1 << 20 };

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

/* The next batch, on failure what was read before it; *more says whether there may be another. first: place of its
 * first text in the input. */
static wl_status read_batch(cli_reader *reader, cli_texts *texts, uint64_t first, bool *more, wl_error *error)
{
    texts_clear(texts);
    *more = false;
    do {
        wl_text text;
        int got = reader_next(reader, &text, error);
        if (got <= 0) return *more = false, got < 0 ? error->code : WL_OK;
        *more = true;
        if (texts_add(texts, text, reader->record, first + texts->count, error)) return error->code;
    } while (texts->count < BATCH_TEXTS && texts->bytes.size < BATCH_BYTES && reader_ready(reader));
    return WL_OK;
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
    wl_match *matches = wl_allocate(BATCH_TEXTS, sizeof *matches, error);
    wl_status status = matches ? argument_text(query, &room, &reader->replaced, &question, error) : WL_ERROR_MEMORY;
    for (bool more = true; more && !status;) {
        wl_error other;
        status = read_batch(reader, &texts, count, &more, error);
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
