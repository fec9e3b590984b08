#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "codebooks.h"
#include "commands.h"
#include "extract/codebook.h"
#include "io.h"
#include "models.h"
#include "plot.h"
#include "targets.h"

#include "wordllama_train.h"

enum { LISTED = 8, DEFAULT_TOP = 10 };

typedef struct cli_report {
    const wl_codebook *codebook;
    const char *path;
    wl_codebook_shape shape;
    const wl_inspection *found;
    bool json;
    wl_buffer out;
} cli_report;

static const int quantiles[WL_NORM_QUANTILES] = {0, 1, 5, 25, 50, 75, 95, 99, 100};
static const int shares[WL_VARIANCE_SHARES] = {50, 90, 95, 99};

/* The piece of a row, as a JSON string; where it has none "null", and "-" for people. */
static wl_status put_piece(cli_report *report, size_t row, wl_error *error)
{
    const wl_tokenizer *tokenizer = wl_codebook_tokenizer(report->codebook);
    wl_text piece = tokenizer ? wl_tokenizer_piece(tokenizer, (uint32_t)row) : (wl_text){NULL, 0};
    if (piece.data) return append_json(&report->out, piece, error);
    return append_format(&report->out, error, report->json ? "null" : "-");
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

/* In a list: the row, and its piece where it has one. */
static wl_status put_row(cli_report *report, size_t place, size_t row, wl_error *error)
{
    const wl_tokenizer *tokenizer = wl_codebook_tokenizer(report->codebook);
    wl_status status = append_format(&report->out, error, "%s %zu", place ? "," : ":", row);
    if (status || !tokenizer || !wl_tokenizer_piece(tokenizer, (uint32_t)row).data) return status;
    status = append_format(&report->out, error, " ");
    return status ? status : put_piece(report, row, error);
}

static wl_status put_small(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    wl_status status = append_format(&report->out, error, "near zero:       %zu row%s", found->small_count,
                                     found->small_count == 1 ? "" : "s");
    if (!status && found->small_count)
        status = append_format(&report->out, error, " under 1%% of the median norm (%" PRIu64 " zero)", found->zeros);
    for (size_t i = 0; i < found->small_count && i < LISTED && !status; i++)
        status = put_row(report, i, found->small[i], error);
    return status ? status : append_format(&report->out, error, found->small_count > LISTED ? ", ...\n" : "\n");
}

static wl_status put_copies(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    wl_status status = append_format(&report->out, error, "equal rows:      %zu", found->copy_count);
    if (!status && found->copy_count) status = append_format(&report->out, error, " repeat an earlier one");
    for (size_t i = 0; i < found->copy_count && i < LISTED && !status; i++) {
        status = put_row(report, i, found->copies[i].row, error);
        if (!status) status = append_format(&report->out, error, " = %" PRIu32, found->copies[i].first);
    }
    return status ? status : append_format(&report->out, error, found->copy_count > LISTED ? ", ...\n" : "\n");
}

static wl_status put_components(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    wl_status status = append_format(&report->out, error, "components:      ");
    for (size_t i = 0; i < WL_VARIANCE_SHARES && !status; i++) {
        if (found->components[i])
            status = append_format(&report->out, error, "%" PRIu64, found->components[i]);
        else if (found->singular_count < report->shape.dim)
            status = append_format(&report->out, error, "more than %zu", found->singular_count);
        else /* all rows are the same */
            status = append_format(&report->out, error, "none");
        if (!status)
            status = append_format(&report->out, error, " for %d%%%s", shares[i],
                                   i + 1 < WL_VARIANCE_SHARES ? ", " : " of the variance\n");
    }
    return status;
}

static wl_status put_bounds(cli_report *report, const char *name, wl_bounds bounds, wl_error *error)
{
    wl_status status = append_format(&report->out, error, "%s%*s%.1f", name, 17 - (int)strlen(name), "", bounds.low);
    if (!status && bounds.high > bounds.low * (1 + 1e-9))
        status = append_format(&report->out, error, " to %.1f", bounds.high);
    return status ? status : append_format(&report->out, error, " of %" PRIu64 "\n", report->shape.dim);
}

static wl_status put_text(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    const wl_codebook_shape *shape = &report->shape;
    wl_buffer *out = &report->out;
    double of_mean = found->norm_mean > 0 ? 100 * found->center_norm / found->norm_mean : 0;
    wl_status status = append_format(out, error, "codebook:        %s\n", report->path);
    if (!status)
        status = append_format(out, error, "table:           %" PRIu64 " x %" PRIu64 ", %s\n", shape->rows, shape->dim,
                               shape->dtype);
    if (!status && shape->vocabulary)
        status = append_format(out, error, "tokenizer:       %" PRIu64 " ids\n", shape->vocabulary);
    if (!status && !shape->vocabulary) status = append_format(out, error, "tokenizer:       none\n");
    if (!status)
        status = append_format(out, error, "numbers:         mean %.3g, standard deviation %.4g\n", found->mean,
                               found->deviation);
    if (!status) status = append_format(out, error, "norms:           mean %.4g\n", found->norm_mean);
    for (size_t i = 0; i < WL_NORM_QUANTILES && !status; i++)
        status = append_format(out, error, i ? "%s%d%% %.4g" : "quantiles:       %s%d%% %.4g", i ? ", " : "",
                               quantiles[i], found->norm_quantiles[i]);
    if (!status)
        status = append_format(out, error, "\nmean row:        norm %.4g, %.1f%% of the mean norm\n",
                               found->center_norm, of_mean);
    if (!status) status = append_format(out, error, "mean cosine:     %.3g between two rows\n", found->cosine);
    if (!status)
        status = append_format(out, error, "isotropy:        %.4f (least by greatest partition function)\n",
                               found->partition);
    if (!status && found->singular_count)
        status = append_format(out, error, "singular values: %zu of %" PRIu64 ", %.4g to %.4g\n", found->singular_count,
                               shape->dim, found->singular[0], found->singular[found->singular_count - 1]);
    if (!status) status = put_bounds(report, "effective rank:", found->effective_rank, error);
    if (!status) status = put_bounds(report, "participation:", found->participation, error);
    if (!status) status = put_components(report, error);
    if (!status) status = put_small(report, error);
    return status ? status : put_copies(report, error);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static wl_status put_json_numbers(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    const struct {
        const char *name;
        double value;
    } numbers[] = {
        {"mean", found->mean},           {"deviation", found->deviation},
        {"norm_mean", found->norm_mean}, {"center_norm", found->center_norm},
        {"cosine", found->cosine},       {"isotropy", found->partition},
        {"energy", found->energy},
    };
    wl_status status = WL_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !status; i++)
        status = append_format(&report->out, error, ", \"%s\": %.9g", numbers[i].name, numbers[i].value);
    if (!status) status = append_format(&report->out, error, ", \"norm_quantiles\": {");
    for (size_t i = 0; i < WL_NORM_QUANTILES && !status; i++)
        status =
            append_format(&report->out, error, "%s\"%d\": %.9g", i ? ", " : "", quantiles[i], found->norm_quantiles[i]);
    if (!status) status = append_format(&report->out, error, "}, \"components\": {");
    for (size_t i = 0; i < WL_VARIANCE_SHARES && !status; i++) {
        status = append_format(&report->out, error, "%s\"%d\": ", i ? ", " : "", shares[i]);
        if (status) break;
        status = found->components[i] ? append_unsigned(&report->out, found->components[i], error)
                                      : append_format(&report->out, error, "null");
    }
    return status ? status : append_format(&report->out, error, "}");
}

static wl_status put_json_lists(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    wl_buffer *out = &report->out;
    wl_status status = append_format(out, error, ", \"singular_values\": [");
    for (size_t i = 0; i < found->singular_count && !status; i++)
        status = append_format(out, error, "%s%.9g", i ? ", " : "", found->singular[i]);
    if (!status) status = append_format(out, error, "], \"zeros\": %" PRIu64 ", \"near_zero\": [", found->zeros);
    for (size_t i = 0; i < found->small_count && !status; i++)
        status = append_format(out, error, "%s%" PRIu32, i ? ", " : "", found->small[i]);
    if (!status) status = append_format(out, error, "], \"equal\": [");
    for (size_t i = 0; i < found->copy_count && !status; i++)
        status = append_format(out, error, "%s[%" PRIu32 ", %" PRIu32 "]", i ? ", " : "", found->copies[i].row,
                               found->copies[i].first);
    return status ? status : append_format(out, error, "]");
}

/* The object, but for its end. */
static wl_status put_json(cli_report *report, wl_error *error)
{
    const wl_inspection *found = report->found;
    const wl_codebook_shape *shape = &report->shape;
    wl_buffer *out = &report->out;
    wl_status status = append_format(out, error, "{\"path\": ");
    if (!status) status = append_json(out, (wl_text){report->path, strlen(report->path)}, error);
    if (!status)
        status = append_format(out, error, ", \"rows\": %" PRIu64 ", \"dim\": %" PRIu64 ", \"dtype\": \"%s\"",
                               shape->rows, shape->dim, shape->dtype);
    if (!status && shape->vocabulary)
        status = append_format(out, error, ", \"vocabulary\": %" PRIu64, shape->vocabulary);
    if (!status) status = put_json_numbers(report, error);
    if (!status)
        status = append_format(out, error, ", \"effective_rank\": [%.9g, %.9g], \"participation\": [%.9g, %.9g]",
                               found->effective_rank.low, found->effective_rank.high, found->participation.low,
                               found->participation.high);
    return status ? status : put_json_lists(report, error);
}

/* ---- neighbours -------------------------------------------------------------------------------------------------- */

static wl_status put_matches(cli_report *report, uint32_t row, const wl_match *matches, size_t count, bool json,
                             bool first, wl_error *error)
{
    wl_buffer *out = &report->out;
    wl_status status = append_format(out, error, json ? "%s{\"id\": %" PRIu32 ", \"piece\": " : "%s%" PRIu32 " ",
                                     json ? (first ? "" : ", ") : "\nneighbours of ", row);
    if (!status) status = put_piece(report, row, error);
    if (!status) status = append_format(out, error, json ? ", \"nearest\": [" : "\n");
    for (size_t i = 0; i < count && !status; i++) {
        if (json) status = append_format(out, error, "%s{\"score\": ", i ? ", " : "");
        if (!status) status = append_score(out, (double)matches[i].score, error);
        if (!status)
            status = append_format(out, error, json ? ", \"id\": %zu, \"piece\": " : "\t%zu\t", matches[i].index);
        if (!status) status = put_piece(report, matches[i].index, error);
        if (!status) status = append_format(out, error, json ? "}" : "\n");
    }
    return status || !json ? status : append_format(out, error, "]}");
}

static wl_status put_neighbours(cli_report *report, const cli_settings *settings, wl_error *error)
{
    const cli_list *tokens = &settings->chosen_tokens;
    if (!tokens->count) return WL_OK;
    size_t top = settings->top ? settings->top : DEFAULT_TOP, count;
    if (top > report->shape.rows) top = (size_t)report->shape.rows;
    wl_match *matches = wl_allocate(top, sizeof *matches, error);
    wl_status status = matches ? WL_OK : WL_ERROR_MEMORY;
    if (!status && settings->json) status = append_format(&report->out, error, ", \"neighbours\": [");
    for (size_t i = 0; i < tokens->count && !status; i++) {
        uint32_t row;
        wl_text token = {tokens->names[i], strlen(tokens->names[i])};
        status = wl_codebook_find(report->codebook, token, &row, error);
        if (!status)
            status = wl_codebook_neighbours(report->codebook, row, top, settings->threads, matches, &count, error);
        if (!status) status = put_matches(report, row, matches, count, settings->json, i == 0, error);
    }
    free(matches);
    return status || !settings->json ? status : append_format(&report->out, error, "]");
}

/* ---- the verb ---------------------------------------------------------------------------------------------------- */

static wl_status describe(cli_report *report, const cli_settings *settings, wl_error *error)
{
    bool json = settings->json;
    wl_status status = json ? put_json(report, error) : put_text(report, error);
    if (!status) status = put_neighbours(report, settings, error);
    if (!status && json) status = append_format(&report->out, error, "}\n");
    if (!status && settings->plot) status = plot_codebook(settings->plot, report->found, &report->shape, error);
    return status ? status : print_all(&report->out, error);
}

static wl_status inspect(const wl_codebook *codebook, const char *path, const cli_settings *settings, wl_error *error)
{
    cli_progress progress;
    wl_inspection found;
    wl_inspect_options options = {
        .size = sizeof options,
        .rank = settings->rank,
        .seed = settings->seed,
        .threads = settings->threads,
        .progress = show_rows,
        .user = &progress,
    };
    cli_report report = {.codebook = codebook, .path = path, .found = &found, .json = settings->json};
    report.shape = wl_codebook_describe(codebook);
    progress_begin(&progress, false);
    wl_status status = wl_codebook_inspect(codebook, &options, &found, error);
    progress_end();
    if (!status) status = describe(&report, settings, error);
    wl_inspection_free(&found);
    wl_buffer_free(&report.out);
    return status;
}

/* What would fail after the work, before it. */
static wl_status check_request(const wl_codebook *codebook, const char *path, const cli_settings *settings,
                               wl_error *error)
{
    const char *const read[] = {path, codebook->file.path};
    wl_codebook_shape shape = wl_codebook_describe(codebook);
    if (settings->plot && check_not_read(settings->plot, read, sizeof read / sizeof *read, error)) return error->code;
    for (size_t i = 0; i < settings->chosen_tokens.count; i++) {
        uint32_t row;
        const char *name = settings->chosen_tokens.names[i];
        if (wl_codebook_find(codebook, (wl_text){name, strlen(name)}, &row, error)) return error->code;
    }
    if (shape.vocabulary > shape.rows)
        fprintf(stderr, "wordllama: warning: the tokenizer has more ids than the table has rows: is it another's?\n");
    return WL_OK;
}

wl_status cmd_codebook(const cli_settings *settings, wl_error *error)
{
    const char *what = settings->operands[0];
    if (strcmp(what, "info") != 0 || settings->operand_count < 2)
        return wl_fail(error, WL_ERROR_ARGUMENT, "codebook needs what to do and a codebook: 'codebook info %.100s'",
                       strcmp(what, "info") == 0 ? "CODEBOOK" : settings->operands[settings->operand_count - 1]);
    if (settings->plot && is_standard_output(settings->plot))
        return wl_fail(error, WL_ERROR_ARGUMENT, "the picture and the lines both go to standard output");
    char *path = find_model(settings->operands[1], error);
    wl_codebook *codebook = path ? wl_codebook_open(path, settings->tokenizer, error) : NULL;
    wl_status status = codebook ? check_request(codebook, path, settings, error) : error->code;
    if (!status) status = inspect(codebook, path, settings, error);
    wl_codebook_close(codebook);
    free(path);
    return status;
}
