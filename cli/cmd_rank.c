/* rank and topk: the same, but rank keeps every text unless asked otherwise. */
#include <math.h>
#include <stdlib.h>

#include "commands.h"
#include "job.h"
#include "score.h"

typedef struct cli_ranking {
    const cli_reader *reader;
    cli_texts texts;
    wl_match *matches; /* index: number in texts; in that order until the end */
    size_t count, capacity;
    size_t top; /* 0: all */
} cli_ranking;

static int by_index(const void *a, const void *b)
{
    const wl_match *x = a, *y = b;
    return (x->index > y->index) - (x->index < y->index);
}

/* Leaves the best, in the order of the input. */
static void keep_top(cli_ranking *ranking)
{
    if (!ranking->top || ranking->count <= ranking->top) return;
    wl_sort_matches(ranking->matches, ranking->count);
    ranking->count = ranking->top;
    qsort(ranking->matches, ranking->count, sizeof(wl_match), by_index);
    texts_keep(&ranking->texts, ranking->matches, ranking->count);
}

static wl_status add_batch(void *user, const cli_texts *texts, const wl_match *matches, size_t count, wl_error *error)
{
    enum { SLACK = 4096 }; /* so that the worst are dropped now and then only */
    cli_ranking *ranking = user;
    void *all = ranking->matches;
    if (wl_reserve(&all, &ranking->capacity, ranking->count + count, sizeof(wl_match), error)) return error->code;
    ranking->matches = all;
    for (size_t i = 0; i < count; i++) {
        size_t number = matches[i].index;
        wl_text text = texts_text(texts, number);
        wl_text record = ranking->reader->as_objects ? texts_record(texts, number) : text;
        if (texts_add(&ranking->texts, text, record, texts->places[number].index, error)) return error->code;
        ranking->matches[ranking->count] = (wl_match){ranking->count, matches[i].score};
        ranking->count++;
    }
    if (ranking->top && ranking->count / 2 > ranking->top && ranking->count - ranking->top > SLACK) keep_top(ranking);
    return WL_OK;
}

static wl_status print_matches(cli_job *job, const cli_ranking *ranking, wl_error *error)
{
    for (size_t i = 0; i < ranking->count; i++) {
        wl_match match = ranking->matches[i];
        wl_text text = texts_text(&ranking->texts, match.index);
        wl_status status;
        if (job->settings->json) {
            uint64_t index = ranking->texts.places[match.index].index;
            wl_text record = texts_object(&ranking->texts, &job->reader, match.index);
            status = append_match_object(&job->out, (double)match.score, index, text, record, error);
            if (!status) status = append_format(&job->out, error, "\n");
        } else {
            status = append_match(&job->out, (double)match.score, text, error);
        }
        if (status || output_drain(&job->output, &job->out, false, error)) return error->code;
    }
    return WL_OK;
}

static wl_status rank_top(cli_job *job, uint32_t top, size_t *printed, wl_error *error)
{
    cli_ranking ranking = {.reader = &job->reader, .top = top};
    wl_rank_options options = rank_options(job->settings);
    options.top = top;
    options.above = !isnan(job->settings->threshold);
    options.threshold = options.above ? job->settings->threshold : 0;
    wl_status status = score_texts(&job->session, &job->reader, job->settings->operands[0], &options,
                                   (score_sink){add_batch, &ranking}, &job->progress, error);
    if (!status) {
        progress_end();
        keep_top(&ranking);
        if (!job->settings->keep_order) wl_sort_matches(ranking.matches, ranking.count);
        status = print_matches(job, &ranking, error);
    }
    *printed = ranking.count;
    free(ranking.matches);
    texts_free(&ranking.texts);
    return status;
}

static wl_status rank(cli_job *job, wl_error *error)
{
    size_t printed;
    return rank_top(job, job->settings->top, &printed, error);
}

static wl_status topk(cli_job *job, wl_error *error)
{
    size_t printed;
    wl_status status = rank_top(job, job->settings->top ? job->settings->top : 3, &printed, error);
    job->found_nothing = !printed;
    return status;
}

wl_status cmd_rank(const cli_settings *settings, wl_error *error)
{
    return job_run(settings, (job_plan){.first = 1, .work = rank}, error);
}

wl_status cmd_topk(const cli_settings *settings, wl_error *error)
{
    return job_run(settings, (job_plan){.first = 1, .work = topk}, error);
}
