/* classify predict: a label for each text, by a classifier or by descriptions of the labels. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "job.h"
#include "targets.h"
#include "texts.h"

/* ---- what classifies --------------------------------------------------------------------------------------------- */

static wl_text trim(wl_text text)
{
    while (text.size && strchr(" \t", *text.data)) text = (wl_text){text.data + 1, text.size - 1};
    while (text.size && strchr(" \t", text.data[text.size - 1])) text.size--;
    return text;
}

/* "NAME: DESCRIPTION", or "NAME", which describes itself. */
static wl_status split_label(wl_text given, wl_text *label, wl_text *description, wl_error *error)
{
    const char *colon = memchr(given.data, ':', given.size);
    size_t size = colon ? (size_t)(colon - given.data) : given.size;
    *label = trim((wl_text){given.data, size});
    *description = colon ? trim((wl_text){colon + 1, given.size - size - 1}) : *label;
    if (!description->size) *description = *label;
    if (label->size) return WL_OK;
    return wl_fail(error, WL_ERROR_ARGUMENT, "--label is '%.*s', expected NAME or NAME: DESCRIPTION", (int)given.size,
                   given.data);
}

static wl_classifier *describe_labels(cli_job *job, wl_error *error)
{
    const cli_list *given = &job->settings->labels;
    wl_buffer *rooms = wl_allocate(given->count, sizeof *rooms, error);
    wl_text *labels = rooms ? wl_allocate(2 * given->count, sizeof *labels, error) : NULL;
    wl_status status = labels ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < given->count && !status; i++) {
        wl_text label;
        status = argument_text(given->names[i], &rooms[i], &job->reader.replaced, &label, error);
        if (!status) status = split_label(label, &labels[i], &labels[given->count + i], error);
    }
    wl_classifier *made = NULL;
    if (!status)
        made = wl_classifier_describe(job->session.model, job->session.context, labels, labels + given->count,
                                      given->count, 0, job->settings->dim, error);
    for (size_t i = 0; rooms && i < given->count; i++) wl_buffer_free(&rooms[i]);
    free(rooms);
    free(labels);
    return made;
}

/* ---- predictions ------------------------------------------------------------------------------------------------- */

typedef struct prediction {
    const wl_classifier *classifier;
    const float *probabilities; /* of one text */
    uint32_t best;
} prediction;

static wl_status append_line_of(wl_buffer *out, const prediction *of, wl_text text, wl_error *error)
{
    wl_status status = append_flat(out, wl_classifier_label(of->classifier, of->best), error);
    if (!status) status = append_format(out, error, "\t");
    if (!status) status = append_score(out, (double)of->probabilities[of->best], error);
    if (!status) status = append_format(out, error, "\t");
    if (!status) status = append_flat(out, text, error);
    return status ? status : append_format(out, error, "\n");
}

static wl_status append_object_of(wl_buffer *out, const prediction *of, uint64_t index, wl_text text, wl_text record,
                                  wl_error *error)
{
    wl_status status = append_format(out, error, "{\"label\": ");
    if (!status) status = append_json(out, wl_classifier_label(of->classifier, of->best), error);
    if (!status) status = append_format(out, error, ", \"probability\": ");
    if (!status) status = append_score(out, (double)of->probabilities[of->best], error);
    if (!status) status = append_format(out, error, ", \"probabilities\": {");
    for (size_t i = 0; i < wl_classifier_classes(of->classifier) && !status; i++) {
        if (i) status = append_format(out, error, ", ");
        if (!status) status = append_json(out, wl_classifier_label(of->classifier, i), error);
        if (!status) status = append_format(out, error, ": ");
        if (!status) status = append_score(out, (double)of->probabilities[i], error);
    }
    if (!status) status = append_format(out, error, "}, \"index\": %" PRIu64 ", \"text\": ", index);
    if (!status) status = append_json(out, text, error);
    if (!status) status = append_record(out, record, error);
    return status ? status : append_format(out, error, "}\n");
}

static wl_status print_batch(cli_job *job, const wl_classifier *classifier, const cli_texts *texts,
                             const float *probabilities, const uint32_t *best, wl_error *error)
{
    size_t classes = wl_classifier_classes(classifier);
    for (size_t i = 0; i < texts->count; i++) {
        prediction of = {classifier, probabilities + i * classes, best[i]};
        wl_text text = texts_text(texts, i);
        wl_status status = job->settings->json ? append_object_of(&job->out, &of, texts->places[i].index, text,
                                                                  texts_object(texts, &job->reader, i), error)
                                               : append_line_of(&job->out, &of, text, error);
        if (status || output_drain(&job->output, &job->out, false, error)) return error->code;
    }
    /* Who waits for the lines gets them before the next are read. */
    if (output_drain(&job->output, &job->out, true, error)) return error->code;
    return output_flush(&job->output, error);
}

static wl_status predict_batch(cli_job *job, const wl_classifier *classifier, const cli_texts *texts, wl_error *error)
{
    float *probabilities = wl_allocate(texts->count, wl_classifier_classes(classifier) * sizeof *probabilities, error);
    uint32_t *best = probabilities ? wl_allocate(texts->count, sizeof *best, error) : NULL;
    wl_text *list = best ? texts_list(texts, error) : NULL;
    wl_status status = list ? wl_classify(classifier, job->session.model, job->session.context, list, texts->count,
                                          probabilities, best, error)
                            : WL_ERROR_MEMORY;
    if (!status) status = print_batch(job, classifier, texts, probabilities, best, error);
    free(probabilities);
    free(best);
    free(list);
    return status;
}

static wl_status predict(cli_job *job, wl_error *error)
{
    wl_classifier *classifier = job->settings->labels.count ? describe_labels(job, error)
                                                            : wl_classifier_open(job->settings->operands[1], error);
    wl_status status = classifier ? WL_OK : error->code;
    cli_texts texts = {0};
    uint64_t count = 0, bytes = 0;
    for (bool more = true; more && !status;) {
        wl_error other;
        status = texts_read_batch(&texts, &job->reader, count, &more, error);
        /* A faulty record takes none of those before it along. */
        if (texts.count && predict_batch(job, classifier, &texts, &other) && !status) {
            *error = other;
            status = other.code;
        }
        count += texts.count;
        bytes += texts.bytes.size;
        progress_tell(&job->progress, count, bytes);
    }
    texts_free(&texts);
    wl_classifier_close(classifier);
    return status;
}

wl_status classify_predict(const cli_settings *settings, wl_error *error)
{
    bool described = settings->labels.count > 0;
    if (!described && settings->operand_count < 2)
        return wl_fail(error, WL_ERROR_ARGUMENT, "classify predict needs a CLASSIFIER, or --label for each label");
    if (!described && settings->dim)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "--dim is for classify predict with --label; a CLASSIFIER has its own");
    if (check_targets(settings, &settings->output, 1, error)) return error->code;
    return job_run(settings, (job_plan){.first = described ? 1 : 2, .prints_early = true, .work = predict}, error);
}
