/* How well a classifier does, on paper. */
#include <inttypes.h>
#include <string.h>

#include "classify.h"

enum {
    MOST_CLASSES = 20, /* with more the table of what is taken for what is not readable */
    MISTAKES = 10      /* and so many of its largest numbers are shown */
};

/* A number of the confusion matrix. */
typedef struct mistake {
    size_t label, said;
    uint64_t count;
} mistake;

static uint64_t count_of(const cli_assessment *this, size_t label, size_t said)
{
    return this->scores->confusion[label * wl_classifier_classes(this->classifier) + said];
}

static wl_status append_label(const cli_assessment *this, size_t index, wl_buffer *out, wl_error *error)
{
    wl_text label = wl_classifier_label(this->classifier, index);
    return this->json ? append_json(out, label, error) : append_flat(out, label, error);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* Columns are numbered, and rows have the labels behind them: labels may be of any length and width. */
static wl_status append_table(const cli_assessment *this, wl_buffer *out, wl_error *error)
{
    size_t classes = wl_classifier_classes(this->classifier);
    wl_status status = append_format(out, error, "\nrows: the label, columns: what was said\n    ");
    for (size_t i = 0; i < classes && !status; i++) status = append_format(out, error, "%7zu", i + 1);
    if (!status) status = append_format(out, error, "\n");
    for (size_t i = 0; i < classes && !status; i++) {
        status = append_format(out, error, "%4zu", i + 1);
        for (size_t k = 0; k < classes && !status; k++)
            status = append_format(out, error, "%7" PRIu64, count_of(this, i, k));
        if (!status) status = append_format(out, error, "  ");
        if (!status) status = append_label(this, i, out, error);
        if (!status) status = append_format(out, error, "\n");
    }
    return status;
}

/* The most frequent mistakes, of equals the first in the order of the classes; how many there are. */
static size_t find_mistakes(const cli_assessment *this, mistake *found)
{
    size_t classes = wl_classifier_classes(this->classifier), kept = 0;
    for (size_t i = 0; i < classes * classes; i++) {
        mistake cell = {i / classes, i % classes, this->scores->confusion[i]};
        if (cell.label == cell.said || !cell.count) continue;
        size_t at = kept < MISTAKES ? kept++ : MISTAKES;
        for (; at && found[at - 1].count < cell.count; at--)
            if (at < MISTAKES) found[at] = found[at - 1];
        if (at < MISTAKES) found[at] = cell;
    }
    return kept;
}

static wl_status append_mistakes(const cli_assessment *this, wl_buffer *out, wl_error *error)
{
    mistake found[MISTAKES];
    size_t count = find_mistakes(this, found);
    wl_status status = count ? append_format(out, error, "\nmost frequent mistakes: label -> said\n") : WL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        status = append_label(this, found[i].label, out, error);
        if (!status) status = append_format(out, error, " -> ");
        if (!status) status = append_label(this, found[i].said, out, error);
        if (!status) status = append_format(out, error, ": %" PRIu64 "\n", found[i].count);
    }
    return status;
}

static wl_status append_for_people(const cli_assessment *this, wl_buffer *out, wl_error *error)
{
    size_t classes = wl_classifier_classes(this->classifier);
    wl_status status = append_format(out, error, "classes:   %zu\ntexts:     %zu\n", classes, this->texts);
    if (status || !this->scores->confusion) return status;
    status = append_format(out, error, "accuracy:  %.2f%%", 100 * this->scores->accuracy);
    if (!status && this->folds)
        status = append_format(out, error, " in cross-validation with %" PRIu32 " folds", this->folds);
    if (!status) status = append_format(out, error, "\nmacro F1:  %.2f%%\n", 100 * this->scores->macro_f1);
    if (status) return status;
    return classes > MOST_CLASSES ? append_mistakes(this, out, error) : append_table(this, out, error);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static wl_status append_matrix(const cli_assessment *this, wl_buffer *out, wl_error *error)
{
    size_t classes = wl_classifier_classes(this->classifier);
    wl_status status = append_format(out, error, "[");
    for (size_t i = 0; i < classes && !status; i++) {
        status = append_format(out, error, i ? ", [" : "[");
        for (size_t k = 0; k < classes && !status; k++)
            status = append_format(out, error, "%s%" PRIu64, k ? ", " : "", count_of(this, i, k));
        if (!status) status = append_format(out, error, "]");
    }
    return status ? status : append_format(out, error, "]");
}

static wl_status append_object(const cli_assessment *this, wl_buffer *out, wl_error *error)
{
    size_t classes = wl_classifier_classes(this->classifier);
    wl_status status =
        append_format(out, error, "{\"classes\": %zu, \"texts\": %zu, \"labels\": [", classes, this->texts);
    for (size_t i = 0; i < classes && !status; i++) {
        if (i) status = append_format(out, error, ", ");
        if (!status) status = append_label(this, i, out, error);
    }
    if (!status) status = append_format(out, error, "]");
    if (!status && this->folds) status = append_format(out, error, ", \"folds\": %" PRIu32, this->folds);
    if (!status && this->scores->confusion) {
        status = append_format(out, error,
                               ", \"accuracy\": %.6f, \"macro_f1\": %.6f, \"confusion\": ", this->scores->accuracy,
                               this->scores->macro_f1);
        if (!status) status = append_matrix(this, out, error);
    }
    if (!status && this->output) {
        status = append_format(out, error, ", \"output\": ");
        if (!status) status = append_json(out, (wl_text){this->output, strlen(this->output)}, error);
    }
    return status ? status : append_format(out, error, "}\n");
}

wl_status append_assessment(wl_buffer *out, const cli_assessment *assessment, wl_error *error)
{
    return assessment->json ? append_object(assessment, out, error) : append_for_people(assessment, out, error);
}
