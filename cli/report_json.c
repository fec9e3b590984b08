/* The report for programs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_parts.h"

/* What the numbers of a line are taken from. */
typedef struct number_source {
    const cli_report *report;
    size_t model, variant;
    const wl_difference *differences; /* NULL: the scores of the model in the variant */
} number_source;

static void put_string(report_writer *writer, const char *text)
{
    if (!writer->status) writer->status = append_json(writer->out, (wl_text){text, strlen(text)}, writer->error);
}

static void put_number(report_writer *writer, double value)
{
    if (isnan(value))
        report_put(writer, "null");
    else
        report_put(writer, "%.4f", fabs(value) < 0.00005 ? 0 : value);
}

static void put_member(report_writer *writer, const char *name, double value)
{
    report_put(writer, ", \"%s\": ", name);
    put_number(writer, value);
}

static void put_difference(report_writer *writer, const wl_difference *difference)
{
    report_put(writer, "{\"first\": ");
    put_number(writer, 100 * difference->a);
    put_member(writer, "other", 100 * difference->b);
    put_member(writer, "difference", 100 * (difference->b - difference->a));
    put_member(writer, "low", 100 * difference->low);
    put_member(writer, "high", 100 * difference->high);
    report_put(writer, "}");
}

static void put_set(report_writer *writer, const number_source *from, const report_line *line)
{
    wl_set_score score = wl_evaluation_score(from->report->evaluations[from->model], line->set, from->variant);
    report_put(writer, "{\"metric\": ");
    put_string(writer, line->metric);
    put_member(writer, "score", 100 * score.score);
    if (wl_sets_at(from->report->sets, line->set).task == WL_TASK_RETRIEVAL) {
        put_member(writer, "recall@100", 100 * score.recall);
        put_member(writer, "map", 100 * score.map);
    }
    report_put(writer, "}");
}

static void put_value(report_writer *writer, const number_source *from, const report_line *line)
{
    if (from->differences)
        put_difference(writer, &from->differences[line->place]);
    else if (line->kind == REPORT_SET)
        put_set(writer, from, line);
    else
        put_number(writer, report_value(from->report, line, from->model, from->variant));
}

/* Members of an object: "groups", and "mean" of them. */
static void put_groups(report_writer *writer, const number_source *from, const report_line *lines, size_t count)
{
    report_put(writer, "\"groups\": {");
    for (size_t i = 0; i < count; i++) {
        const report_line *line = &lines[i];
        switch (line->kind) {
        case REPORT_GROUP:
            report_put(writer, "%s", i ? ", " : "");
            put_string(writer, line->label);
            report_put(writer, ": {\"sets\": {");
            break;
        case REPORT_SET:
            report_put(writer, "%s", lines[i - 1].kind == REPORT_GROUP ? "" : ", ");
            put_string(writer, line->label);
            report_put(writer, ": ");
            put_value(writer, from, line);
            break;
        case REPORT_MEAN:
            report_put(writer, "}, \"mean\": ");
            put_value(writer, from, line);
            report_put(writer, "}");
            break;
        case REPORT_TOTAL:
            report_put(writer, "}, \"mean\": ");
            put_value(writer, from, line);
            break;
        case REPORT_RECALL: /* members of the set */
        case REPORT_MAP:
            break;
        }
    }
}

static void put_variant(report_writer *writer, wl_variant variant)
{
    report_put(writer, "\"dim\": %u, \"binary\": %s, \"bytes\": %zu", (unsigned)variant.dim,
               variant.binary ? "true" : "false", report_bytes(variant));
}

static void put_model(report_writer *writer, const cli_report *report, size_t model, const report_line *lines,
                      size_t count)
{
    report_put(writer, "{\"name\": ");
    put_string(writer, report->names[model]);
    report_put(writer, ", \"variants\": [");
    for (size_t i = 0; i < wl_evaluation_variants(report->evaluations[model]); i++) {
        number_source from = {.report = report, .model = model, .variant = i};
        report_put(writer, "%s{", i ? ", " : "");
        put_variant(writer, wl_evaluation_variant(report->evaluations[model], i));
        report_put(writer, ", ");
        put_groups(writer, &from, lines, count);
        report_put(writer, "}");
    }
    report_put(writer, "]}");
}

static void put_side(report_writer *writer, const cli_report *report, const char *member, size_t model, size_t variant)
{
    report_put(writer, "\"%s\": {\"name\": ", member);
    put_string(writer, report->names[model]);
    report_put(writer, ", ");
    put_variant(writer, wl_evaluation_variant(report->evaluations[model], variant));
    report_put(writer, "}, ");
}

static void put_comparison(report_writer *writer, const cli_report *report, const report_comparison *comparison,
                           const report_line *lines, size_t count)
{
    number_source from = {.report = report, .differences = comparison->differences};
    report_put(writer, "{");
    put_side(writer, report, "first", 0, comparison->first_variant);
    put_side(writer, report, "other", comparison->model, comparison->other_variant);
    put_groups(writer, &from, lines, count);
    report_put(writer, "}");
}

wl_status report_json(const cli_report *report, wl_buffer *out, wl_error *error)
{
    size_t count;
    report_writer writer = {.out = out, .error = error};
    report_line *lines = report_list_lines(report->sets, &count, error);
    if (!lines) return WL_ERROR_MEMORY;
    report_put(&writer, "{\"models\": [");
    for (size_t i = 0; i < report->models; i++) {
        report_put(&writer, "%s", i ? ", " : "");
        put_model(&writer, report, i, lines, count);
    }
    report_put(&writer, "], \"comparisons\": [");
    for (size_t i = 0; i < report->comparison_count; i++) {
        report_put(&writer, "%s", i ? ", " : "");
        put_comparison(&writer, report, &report->comparisons[i], lines, count);
    }
    report_put(&writer, "]}\n");
    free(lines);
    return writer.status;
}
