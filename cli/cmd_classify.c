/* classify: train and test, which read texts with their labels; predict is in classify_predict.c. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classify.h"
#include "codebooks.h"
#include "commands.h"
#include "data/records.h"
#include "interruption.h"
#include "models.h"
#include "targets.h"

/* ---- texts with labels ------------------------------------------------------------------------------------------- */

typedef struct example {
    size_t text, text_size, label, label_size; /* in bytes */
} example;

typedef struct cli_examples {
    wl_buffer bytes;
    example *examples;
    size_t count, capacity;
    wl_text *texts, *labels; /* (count) */
    uint64_t replaced;       /* ill-formed subparts of UTF-8 */
} cli_examples;

static void examples_free(cli_examples *examples)
{
    wl_buffer_free(&examples->bytes);
    free(examples->examples);
    free(examples->texts);
    free(examples->labels);
}

static wl_status add_example(cli_examples *to, wl_text text, wl_text label, wl_error *error)
{
    void *examples = to->examples;
    if (wl_reserve(&examples, &to->capacity, to->count + 1, sizeof *to->examples, error)) return error->code;
    to->examples = examples;
    to->examples[to->count++] = (example){to->bytes.size, text.size, to->bytes.size + text.size, label.size};
    wl_status status = wl_buffer_append(&to->bytes, text.data, text.size, error);
    return status ? status : wl_buffer_append(&to->bytes, label.data, label.size, error);
}

/* known NULL: any label is. */
static wl_status check_label(const wl_records *records, wl_text label, const wl_classifier *known, wl_error *error)
{
    if (!label.size) return wl_records_fail(records, error, "the label is empty");
    if (!known) return WL_OK;
    char names[300] = "";
    for (size_t i = 0, size = 0; i < wl_classifier_classes(known); i++) {
        wl_text name = wl_classifier_label(known, i);
        if (name.size == label.size && memcmp(name.data, label.data, name.size) == 0) return WL_OK;
        if (size < sizeof names)
            size += (size_t)snprintf(names + size, sizeof names - size, "%s%.*s", i ? ", " : "",
                                     (int)(name.size < 40 ? name.size : 40), name.data);
    }
    return wl_records_fail(records, error, "the label '%.*s' is none of the classifier's: %s",
                           (int)(label.size < 40 ? label.size : 40), label.data, names);
}

static wl_status read_file(cli_examples *to, const char *path, const cli_settings *settings, const wl_classifier *known,
                           cli_progress *progress, wl_error *error)
{
    const char *text_names[] = {settings->field ? settings->field : "text", NULL};
    const char *label_names[] = {settings->label_field ? settings->label_field : "label", NULL};
    wl_records records;
    wl_status status = wl_records_open(&records, path, error);
    for (int got = 1; got > 0 && !status;) {
        wl_text text, label;
        got = wl_records_next(&records, error);
        if (got < 0) status = error->code;
        if (got > 0) status = wl_records_text(&records, text_names, &text, error);
        if (got > 0 && !status) status = wl_records_label(&records, label_names, &label, error);
        if (got > 0 && !status) status = check_label(&records, label, known, error);
        if (got > 0 && !status) status = add_example(to, text, label, error);
        progress_tell(progress, to->count, to->bytes.size);
    }
    to->replaced += records.replaced;
    wl_records_close(&records);
    return status;
}

static wl_status list_examples(cli_examples *of, wl_error *error)
{
    of->texts = wl_allocate(of->count, sizeof *of->texts, error);
    if (of->texts) of->labels = wl_allocate(of->count, sizeof *of->labels, error);
    if (!of->texts || !of->labels) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < of->count; i++) {
        const example *from = &of->examples[i];
        of->texts[i] = (wl_text){of->bytes.data + from->text, from->text_size};
        of->labels[i] = (wl_text){of->bytes.data + from->label, from->label_size};
    }
    return WL_OK;
}

/* Of all files. Free with examples_free, also after a failure. */
static wl_status examples_read(cli_examples *to, const cli_settings *settings, const char *const *paths, size_t count,
                               const wl_classifier *known, cli_progress *progress, wl_error *error)
{
    for (size_t i = 0; i < count; i++) {
        size_t before = to->count;
        if (read_file(to, paths[i], settings, known, progress, error)) return error->code;
        if (to->count == before)
            return wl_fail_at(error, WL_ERROR_FORMAT, paths[i], WL_NO_POSITION, 0, "holds no texts with labels");
    }
    return list_examples(to, error);
}

/* ---- train ------------------------------------------------------------------------------------------------------- */

static bool tell_iterations(void *user, uint64_t iterations, uint64_t bytes)
{
    return progress_tell(user, iterations, bytes) && !interrupted();
}

static wl_status print_training(const cli_settings *settings, const wl_classifier *classifier,
                                const wl_classified *scores, size_t texts, wl_error *error)
{
    uint32_t folds = settings->folds ? settings->folds : 5;
    cli_assessment assessment = {
        .classifier = classifier,
        .scores = scores,
        .texts = texts,
        .folds = folds > 1 ? folds : 0,
        .output = settings->output,
        .json = settings->json,
    };
    wl_buffer out = {0};
    wl_status status = append_assessment(&out, &assessment, error);
    if (!status) status = print_all(&out, error);
    wl_buffer_free(&out);
    return status;
}

static wl_status train_on(const cli_settings *settings, const cli_session *session, const cli_examples *examples,
                          cli_progress *progress, wl_error *error)
{
    wl_classifier_options options = {
        .size = sizeof options,
        .strength = isnan(settings->strength) ? 0 : settings->strength,
        .iterations = settings->iterations,
        .dim = settings->dim,
        .folds = settings->folds,
        .progress = tell_iterations,
        .user = progress,
    };
    wl_classified scores = {0};
    interruption_begin();
    progress_stage(progress, "iterations", 0);
    wl_classifier *made = wl_classifier_train(session->model, session->context, examples->texts, examples->labels,
                                              examples->count, &options, &scores, error);
    wl_status status = made ? wl_classifier_save(made, settings->output, error) : error->code;
    progress_end();
    interruption_end();
    if (!status && !wl_classifier_converged(made))
        fprintf(stderr, "wordllama: warning: the fit had not converged when it ended; --iterations raises the limit\n");
    if (!status) status = print_training(settings, made, &scores, examples->count, error);
    wl_classifier_close(made);
    free(scores.confusion);
    return status;
}

static wl_status check_target(const cli_settings *settings, wl_error *error)
{
    const char *out = find_target(settings, "classify train", settings->operand_count, error);
    if (!out) return error->code;
    return check_targets(settings, &out, 1, error);
}

static wl_status classify_train(const cli_settings *settings, wl_error *error)
{
    if (settings->operand_count < 2)
        return wl_fail(error, WL_ERROR_ARGUMENT, "classify train needs FILE..., texts with their labels");
    if (check_target(settings, error)) return error->code;
    cli_progress progress;
    cli_examples examples = {0};
    cli_session session = {0};
    progress_begin(&progress, false);
    wl_status status =
        examples_read(&examples, settings, settings->operands + 1, settings->operand_count - 1, NULL, &progress, error);
    if (!status) status = session_open(&session, settings, settings->threads, error);
    if (!status) status = train_on(settings, &session, &examples, &progress, error);
    progress_end();
    if (!status) report_replaced(session.context, examples.replaced);
    session_close(&session);
    examples_free(&examples);
    return status;
}

/* ---- test -------------------------------------------------------------------------------------------------------- */

static wl_status print_test(const cli_settings *settings, const wl_classifier *classifier, const wl_classified *scores,
                            size_t texts, wl_error *error)
{
    cli_assessment assessment = {.classifier = classifier, .scores = scores, .texts = texts, .json = settings->json};
    cli_output output = {0};
    wl_buffer out = {0};
    wl_status status = append_assessment(&out, &assessment, error);
    if (!status) status = output_open(&output, settings->output, error);
    if (!status) status = output_drain(&output, &out, true, error);
    if (!status) status = output_close(&output, error);
    output_abandon(&output);
    wl_buffer_free(&out);
    return status;
}

static wl_status test_on(const cli_settings *settings, const wl_classifier *classifier, const cli_session *session,
                         const cli_examples *examples, wl_error *error)
{
    wl_classified scores = {0};
    wl_status status = wl_classifier_test(classifier, session->model, session->context, examples->texts,
                                          examples->labels, examples->count, &scores, error);
    progress_end();
    if (!status) status = print_test(settings, classifier, &scores, examples->count, error);
    free(scores.confusion);
    return status;
}

static wl_status classify_test(const cli_settings *settings, wl_error *error)
{
    if (settings->operand_count < 3)
        return wl_fail(error, WL_ERROR_ARGUMENT,
                       "classify test needs a CLASSIFIER and FILE..., texts with their labels");
    if (check_targets(settings, &settings->output, 1, error)) return error->code;
    cli_progress progress;
    cli_examples examples = {0};
    cli_session session = {0};
    progress_begin(&progress, false);
    wl_classifier *classifier = wl_classifier_open(settings->operands[1], error);
    wl_status status = classifier ? WL_OK : error->code;
    if (!status)
        status = examples_read(&examples, settings, settings->operands + 2, settings->operand_count - 2, classifier,
                               &progress, error);
    if (!status) status = session_open(&session, settings, settings->threads, error);
    if (!status) status = test_on(settings, classifier, &session, &examples, error);
    progress_end();
    if (!status) report_replaced(session.context, examples.replaced);
    wl_classifier_close(classifier);
    session_close(&session);
    examples_free(&examples);
    return status;
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

enum { TRAIN = 1, PREDICT = 2, TEST = 4 };

static const struct {
    const char *name;
    unsigned bit;
    verb_run run;
} parts[] = {
    {"train", TRAIN, classify_train},
    {"predict", PREDICT, classify_predict},
    {"test", TEST, classify_test},
};

/* A flag that another part of the verb takes is a mistake. */
static wl_status check_flags(const cli_settings *settings, const char *name, unsigned bit, wl_error *error)
{
    const struct {
        const char *flag;
        bool given;
        unsigned parts;
    } flags[] = {
        {"--input", settings->inputs.count > 0, PREDICT},
        {"--jsonl", settings->jsonl, PREDICT},
        {"--csv", settings->csv, PREDICT},
        {"--delimiter", settings->delimiter, PREDICT},
        {"--no-header", settings->no_header, PREDICT},
        {"--label", settings->labels.count > 0, PREDICT},
        {"--label-field", settings->label_field, TRAIN | TEST},
        {"--folds", settings->folds, TRAIN},
        {"--strength", !isnan(settings->strength), TRAIN},
        {"--iterations", settings->iterations, TRAIN},
        {"--dim", settings->dim, TRAIN | PREDICT},
    };
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (flags[i].given && !(flags[i].parts & bit))
            return wl_fail(error, WL_ERROR_ARGUMENT, "classify %s takes no %s", name, flags[i].flag);
    return WL_OK;
}

wl_status cmd_classify(const cli_settings *settings, wl_error *error)
{
    const char *name = settings->operands[0];
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strcmp(name, parts[i].name) == 0)
            return check_flags(settings, name, parts[i].bit, error) ? error->code : parts[i].run(settings, error);
    return wl_fail(error, WL_ERROR_ARGUMENT, "classify '%.100s' is unknown; expected train, predict or test", name);
}
