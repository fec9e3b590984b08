#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "job.h"
#include "plot.h"
#include "texts.h"

enum { BLOCK_ROWS = 64 }; /* of the matrix, computed and printed together */

static wl_status print_pair(cli_job *job, const char *rows, wl_error *error)
{
    wl_vectors a = session_vectors(&job->session, rows, 1), b = a;
    b.data = rows + job->session.row_size;
    float score;
    bool json = job->settings->json;
    wl_status status = wl_similarity_pairs(&a, &b, measure_of(job->settings), job->session.context, &score, error);
    if (!status && json) status = append_format(&job->out, error, "{\"score\": ");
    if (!status) status = append_score(&job->out, (double)score, error);
    return status ? status : append_format(&job->out, error, json ? "}\n" : "\n");
}

/* ---- all with all ------------------------------------------------------------------------------------------------ */

static wl_status print_row(cli_job *job, wl_text text, size_t index, const float *scores, size_t count, wl_error *error)
{
    bool json = job->settings->json;
    wl_status status = WL_OK;
    if (json) status = append_format(&job->out, error, "{\"index\": %zu, \"text\": ", index);
    if (!status && json) status = append_json(&job->out, text, error);
    if (!status && json) status = append_format(&job->out, error, ", \"scores\": [");
    for (size_t i = 0; i < count && !status; i++) {
        if (i) status = append_format(&job->out, error, json ? ", " : "\t");
        if (!status) status = append_score(&job->out, (double)scores[i], error);
    }
    if (!status) status = append_format(&job->out, error, json ? "]}\n" : "\n");
    return status ? status : output_drain(&job->output, &job->out, false, error);
}

static wl_status print_matrix(cli_job *job, const wl_text *texts, const wl_vectors *vectors, wl_error *error)
{
    size_t count = vectors->count;
    wl_status status = WL_OK;
    float *scores = count <= SIZE_MAX / BLOCK_ROWS ? wl_allocate(BLOCK_ROWS * count, sizeof *scores, error)
                                                   : (wl_fail_memory(error, SIZE_MAX), NULL);
    if (!scores) return error->code;
    progress_stage(&job->progress, "texts compared", count);
    for (size_t first = 0; first < count && !status; first += BLOCK_ROWS) {
        wl_vectors block = *vectors;
        block.data = (const char *)vectors->data + first * job->session.row_size;
        block.count = count - first < BLOCK_ROWS ? count - first : BLOCK_ROWS;
        status = wl_similarity(&block, vectors, measure_of(job->settings), job->session.context, scores, error);
        for (size_t i = 0; i < block.count && !status; i++)
            status = print_row(job, texts[first + i], first + i, scores + i * count, count, error);
        progress_tell(&job->progress, first + block.count, 0);
    }
    free(scores);
    return status;
}

/* A sample of the rows, evenly over the input, where there are more than can be drawn. */
static wl_status draw_matrix(cli_job *job, const wl_text *texts, const wl_vectors *vectors, wl_error *error)
{
    size_t size = job->session.row_size, count = vectors->count < PLOT_MATRIX ? vectors->count : PLOT_MATRIX;
    char *rows = wl_allocate(count, size, error);
    wl_text *labels = rows ? wl_allocate(count, sizeof *labels, error) : NULL;
    float *scores = labels ? wl_allocate(count * count, sizeof *scores, error) : NULL;
    wl_status status = scores ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < count && !status; i++) {
        size_t row = plot_sample(i, count, vectors->count);
        labels[i] = texts[row];
        memcpy(rows + i * size, (const char *)vectors->data + row * size, size);
    }
    wl_vectors sample = session_vectors(&job->session, rows, count);
    if (!status)
        status = wl_similarity(&sample, &sample, measure_of(job->settings), job->session.context, scores, error);
    if (!status) status = plot_matrix(job->settings->plot, labels, scores, count, vectors->count, error);
    free(rows);
    free(labels);
    free(scores);
    return status;
}

static wl_status similarity(cli_job *job, wl_error *error)
{
    cli_texts texts = {0};
    const cli_settings *settings = job->settings;
    wl_status status = texts_read(&texts, &job->reader, &job->progress, error);
    if (!status && settings->plot && !texts.count) status = wl_fail(error, WL_ERROR_FORMAT, "there is no text to draw");
    wl_text *list = status ? NULL : texts_list(&texts, error);
    void *rows = list ? session_embed(&job->session, list, texts.count, &job->progress, error) : NULL;
    if (rows) {
        wl_vectors vectors = session_vectors(&job->session, rows, texts.count);
        status = settings->matrix ? print_matrix(job, list, &vectors, error) : print_pair(job, rows, error);
        if (!status && settings->plot) status = draw_matrix(job, list, &vectors, error);
    } else {
        status = error->code;
    }
    free(rows);
    free(list);
    texts_free(&texts);
    return status;
}

wl_status cmd_similarity(const cli_settings *settings, wl_error *error)
{
    size_t count = settings->operand_count;
    if (!settings->matrix && settings->plot)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--plot has a meaning with --matrix only");
    if (!settings->matrix && count != 2)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "'similarity' takes A B, or --matrix and any number of texts, but %zu %s given", count,
                       count == 1 ? "argument was" : "arguments were");
    return job_run(settings, (job_plan){.one_thread = !settings->matrix, .work = similarity}, error);
}
