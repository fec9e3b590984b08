#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "job.h"
#include "texts.h"

typedef struct cli_dedup {
    cli_texts texts; /* those of --against, then those of the input */
    size_t held;     /* how many are of --against */
    wl_text *list;
    wl_match *repeats; /* for each text what it repeats, a number of a text, or WL_NONE */
} cli_dedup;

static wl_status read_texts(cli_job *job, cli_dedup *dedup, wl_error *error)
{
    const cli_settings *settings = job->settings;
    bool prints_records = !settings->json && !settings->removed && !settings->indices;
    if (settings->against.count) {
        cli_reader held;
        wl_status status = reader_open_list(&held, settings, &settings->against, error);
        held.as_objects = false; /* they are never printed as records */
        if (!status) status = texts_read(&dedup->texts, &held, &job->progress, error);
        job->reader.replaced += held.replaced;
        reader_close(&held);
        if (status) return status;
        dedup->held = dedup->texts.count;
    }
    if (prints_records && reader_take_header(&job->reader, &job->out, error)) return error->code;
    if (texts_read(&dedup->texts, &job->reader, &job->progress, error)) return error->code;
    dedup->list = texts_list(&dedup->texts, error);
    dedup->repeats = dedup->list ? wl_allocate(dedup->texts.count, sizeof *dedup->repeats, error) : NULL;
    return dedup->repeats ? WL_OK : WL_ERROR_MEMORY;
}

/* ---- the two stages ---------------------------------------------------------------------------------------------- */

static wl_status drop_equal(cli_dedup *dedup, wl_error *error)
{
    wl_deduplicate_options options = {.size = sizeof options, .held = dedup->held};
    return wl_deduplicate_exact(dedup->list, dedup->texts.count, &options, dedup->repeats, NULL, error);
}

/* The texts that are left after the first stage: their numbers, and the texts themselves at the front of the list. */
static size_t *numbers_left(cli_dedup *dedup, size_t *count, wl_error *error)
{
    size_t *numbers = wl_allocate(dedup->texts.count, sizeof *numbers, error);
    *count = 0;
    for (size_t i = 0; numbers && i < dedup->texts.count; i++) {
        if (dedup->repeats[i].index != WL_NONE) continue;
        dedup->list[*count] = dedup->list[i];
        numbers[(*count)++] = i;
    }
    return numbers;
}

static wl_status compare(cli_job *job, const cli_dedup *dedup, size_t count, wl_match *found, wl_error *error)
{
    const cli_settings *settings = job->settings;
    wl_deduplicate_options options = {
        .size = sizeof options,
        .measure = measure_of(settings),
        .has_threshold = true,
        .threshold = threshold_of(settings, 0.9),
        .greedy = settings->greedy,
        .held = dedup->held,
        .progress = progress_tell,
        .user = &job->progress,
    };
    progress_stage(&job->progress, "texts embedded", count);
    void *rows = session_embed(&job->session, dedup->list, count, &job->progress, error);
    if (!rows) return error->code;
    wl_vectors vectors = session_vectors(&job->session, rows, count);
    progress_stage(&job->progress, "texts compared", count);
    wl_status status = wl_deduplicate(&vectors, &options, job->session.context, found, NULL, error);
    free(rows);
    return status;
}

static wl_status drop_similar(cli_job *job, cli_dedup *dedup, wl_error *error)
{
    size_t count;
    size_t *numbers = numbers_left(dedup, &count, error);
    wl_match *found = numbers ? wl_allocate(count, sizeof *found, error) : NULL;
    wl_status status = found ? compare(job, dedup, count, found, error) : WL_ERROR_MEMORY;
    for (size_t i = 0, left = 0; i < dedup->texts.count && !status; i++) {
        wl_match *repeat = &dedup->repeats[i];
        if (left < count && numbers[left] == i) {
            wl_match here = found[left++];
            if (here.index != WL_NONE) *repeat = (wl_match){numbers[here.index], here.score};
        } else if (dedup->repeats[repeat->index].index != WL_NONE) {
            /* A text equal to one that is dropped now repeats what that one repeats. */
            *repeat = dedup->repeats[repeat->index];
        }
    }
    free(numbers);
    free(found);
    return status;
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

static wl_status print_json(cli_job *job, const cli_dedup *dedup, size_t number, wl_error *error)
{
    wl_match repeat = dedup->repeats[number];
    bool dropped = repeat.index != WL_NONE, held = dropped && repeat.index < dedup->held;
    wl_buffer *out = &job->out;
    wl_status status = append_format(out, error, "{");
    if (!status && dropped) status = append_format(out, error, "\"score\": ");
    if (!status && dropped) status = append_score(out, (double)repeat.score, error);
    if (!status) status = append_format(out, error, "%s\"index\": %zu", dropped ? ", " : "", number - dedup->held);
    if (!status && dropped)
        status = append_format(out, error, held ? ", \"against\": %zu" : ", \"repeats\": %zu",
                               held ? repeat.index : repeat.index - dedup->held);
    if (!status) status = append_format(out, error, ", \"text\": ");
    if (!status) status = append_json(out, texts_text(&dedup->texts, number), error);
    if (!status) status = append_record(out, texts_object(&dedup->texts, &job->reader, number), error);
    return status ? status : append_format(out, error, "}\n");
}

static wl_status print_repeat(cli_job *job, const cli_dedup *dedup, size_t number, wl_error *error)
{
    wl_match repeat = dedup->repeats[number];
    wl_text text = texts_text(&dedup->texts, number), repeated = texts_text(&dedup->texts, repeat.index);
    wl_status status = append_score(&job->out, (double)repeat.score, error);
    if (!status) status = wl_buffer_append(&job->out, "\t", 1, error);
    if (!status) status = append_flat(&job->out, text, error);
    if (!status) status = wl_buffer_append(&job->out, "\t", 1, error);
    if (!status) status = append_flat(&job->out, repeated, error);
    return status ? status : wl_buffer_append(&job->out, "\n", 1, error);
}

static wl_status print_result(cli_job *job, const cli_dedup *dedup, wl_error *error)
{
    const cli_settings *settings = job->settings;
    for (size_t i = dedup->held; i < dedup->texts.count; i++) {
        bool dropped = dedup->repeats[i].index != WL_NONE;
        if (dropped != (settings->removed != 0)) continue;
        wl_status status = settings->json      ? print_json(job, dedup, i, error)
                           : settings->indices ? append_format(&job->out, error, "%zu\n", i - dedup->held)
                           : settings->removed ? print_repeat(job, dedup, i, error)
                                               : append_line(&job->out, texts_record(&dedup->texts, i), error);
        if (status || output_drain(&job->output, &job->out, false, error)) return error->code;
    }
    return WL_OK;
}

static wl_status deduplicate(cli_job *job, wl_error *error)
{
    cli_dedup dedup = {0};
    wl_status status = read_texts(job, &dedup, error);
    if (!status) status = drop_equal(&dedup, error);
    if (!status && !job->settings->exact) status = drop_similar(job, &dedup, error);
    progress_end();
    if (!status) status = print_result(job, &dedup, error);
    free(dedup.list);
    free(dedup.repeats);
    texts_free(&dedup.texts);
    return status;
}

static size_t count_standard_input(const cli_list *files)
{
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++) count += strcmp(files->names[i], "-") == 0;
    return count;
}

static bool reads_standard_input(const cli_settings *settings)
{
    if (settings->operand_count) return settings->operand_count == 1 && strcmp(settings->operands[0], "-") == 0;
    return !settings->inputs.count || count_standard_input(&settings->inputs) > 0;
}

/* What has no meaning without vectors. */
static wl_status check_exact(const cli_settings *settings, wl_error *error)
{
    const struct {
        const char *flag;
        bool given;
    } flags[] = {{"--greedy", settings->greedy},
                 {"--threshold", !isnan(settings->threshold)},
                 {"--binary", settings->binary},
                 {"--hamming", settings->hamming},
                 {"--dim", settings->dim}};
    for (size_t i = 0; settings->exact && i < sizeof flags / sizeof *flags; i++)
        if (flags[i].given)
            return wl_fail(error, WL_ERROR_ARGUMENT, "--exact compares no vectors, so %s has no meaning",
                           flags[i].flag);
    return WL_OK;
}

wl_status cmd_dedup(const cli_settings *settings, wl_error *error)
{
    if (check_exact(settings, error)) return error->code;
    if (settings->json && settings->indices)
        return wl_fail(error, WL_ERROR_ARGUMENT, "--json and --indices contradict each other");
    if (count_standard_input(&settings->against) && reads_standard_input(settings))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the texts and those of --against both come from standard input");
    return job_run(settings, (job_plan){.without_model = settings->exact, .work = deduplicate}, error);
}
