#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "io.h"
#include "models.h"
#include "progress.h"

typedef struct cli_document {
    size_t begin, size; /* in the texts */
    uint64_t index;     /* place in the input */
    double score;
} cli_document;

typedef struct cli_ranking {
    const cli_session *session;
    char *query; /* its row */
    cli_document *documents;
    size_t count, capacity;
    wl_buffer texts; /* one behind the other */
} cli_ranking;

/* Scores are taken at once, so no vector is kept. */
static wl_status add_batch(void *user, const wl_text *texts, const void *rows, size_t count, size_t row_size,
                           wl_error *error)
{
    cli_ranking *ranking = user;
    for (size_t i = 0; i < count; i++) {
        void *documents = ranking->documents;
        wl_status status = wl_reserve(&documents, &ranking->capacity, ranking->count + 1, sizeof(cli_document), error);
        ranking->documents = documents;
        if (status) return status;
        ranking->documents[ranking->count] = (cli_document){
            .begin = ranking->texts.size,
            .size = texts[i].size,
            .index = ranking->count,
            .score = compare_rows(ranking->session, ranking->query, (const char *)rows + i * row_size),
        };
        if (wl_buffer_append(&ranking->texts, texts[i].data, texts[i].size, error)) return error->code;
        ranking->count++;
    }
    return WL_OK;
}

static int by_index(const void *a, const void *b)
{
    const cli_document *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

static int by_score(const void *a, const void *b)
{
    const cli_document *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? 1 : -1;
    return by_index(a, b);
}

static wl_status print_documents(const cli_ranking *ranking, const cli_settings *settings, cli_output *output,
                                 wl_error *error)
{
    wl_buffer out = {0};
    wl_status status = WL_OK;
    bool json = settings->format == FORMAT_JSONL;
    for (size_t i = 0; i < ranking->count && !status; i++) {
        const cli_document *document = &ranking->documents[i];
        wl_text text = {ranking->texts.data + document->begin, document->size};
        status = json ? wl_buffer_append(&out, "{\"score\": ", 10, error) : WL_OK;
        if (!status) status = append_score(&out, document->score, error);
        if (!status && json) {
            status = append_format(&out, error, ", \"index\": %" PRIu64 ", \"text\": ", document->index);
            if (!status) status = append_json(&out, text, error);
            if (!status) status = wl_buffer_append(&out, "}", 1, error);
        } else if (!status) {
            status = wl_buffer_append(&out, "\t", 1, error);
            if (!status) status = wl_buffer_append(&out, text.data, text.size, error);
        }
        if (!status) status = wl_buffer_append(&out, "\n", 1, error);
        if (!status) status = output_drain(output, &out, false, error);
    }
    if (!status) status = output_drain(output, &out, true, error);
    wl_buffer_free(&out);
    return status;
}

static wl_status rank(cli_session *session, cli_reader *reader, const cli_settings *settings, cli_ranking *ranking,
                      wl_error *error)
{
    wl_text query = {settings->operands[0], strlen(settings->operands[0])};
    ranking->session = session;
    ranking->query = wl_allocate(1, session->row_size, error);
    if (!ranking->query || wl_embed(session->model, session->context, &query, 1, &session->options, ranking->query,
                                    session->row_size, error))
        return error->code;
    cli_progress progress;
    progress_begin(&progress, false);
    session->options.progress = progress_tell;
    session->options.user = &progress;
    wl_status status = wl_embed_stream(session->model, session->context, (wl_source){reader_next, reader},
                                       (wl_sink){add_batch, ranking}, &session->options, error);
    progress_end(&progress);
    if (status || !ranking->count) return status;
    bool cut = settings->top && settings->top < ranking->count;
    if (cut || !settings->keep_order) qsort(ranking->documents, ranking->count, sizeof(cli_document), by_score);
    if (cut) ranking->count = settings->top;
    if (cut && settings->keep_order) qsort(ranking->documents, ranking->count, sizeof(cli_document), by_index);
    return WL_OK;
}

wl_status cmd_rank(const cli_settings *settings, wl_error *error)
{
    cli_session session = {0};
    cli_reader reader;
    cli_output output = {0};
    cli_ranking ranking = {0};
    wl_status status = reader_open(&reader, settings, 1, error);
    if (!status) status = session_open(&session, settings, settings->threads, error);
    if (!status) status = output_open(&output, settings->output, error);
    if (!status) status = rank(&session, &reader, settings, &ranking, error);
    if (!status) status = print_documents(&ranking, settings, &output, error);
    if (!status) status = output_close(&output, error);
    if (!status) report_replaced(session.context, reader.replaced);
    output_abandon(&output);
    reader_close(&reader);
    session_close(&session);
    free(ranking.query);
    free(ranking.documents);
    wl_buffer_free(&ranking.texts);
    return status;
}
