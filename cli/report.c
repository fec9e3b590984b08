#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_parts.h"

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool begins_group(const wl_sets *sets, size_t set)
{
    return set == 0 || strcmp(wl_sets_at(sets, set - 1).group, wl_sets_at(sets, set).group) != 0;
}

report_line *report_list_lines(const wl_sets *sets, size_t *count, wl_error *error)
{
    enum { MOST = 5 }; /* lines that a set can bring */
    size_t groups = 0, first = 0, sets_count = wl_sets_count(sets);
    report_line *lines = wl_allocate(sets_count + 1, MOST * sizeof *lines, error), *at = lines;
    for (size_t i = 0; lines && i < sets_count; i++) {
        wl_set_info info = wl_sets_at(sets, i);
        if (begins_group(sets, i)) {
            *at++ = (report_line){.kind = REPORT_GROUP, .label = info.group, .metric = info.metric, .set = i};
            first = i;
        }
        *at++ = (report_line){REPORT_SET, false, info.name, info.metric, i, i};
        if (info.task == WL_TASK_RETRIEVAL) {
            *at++ = (report_line){.kind = REPORT_RECALL, .label = "recall@100", .set = i};
            *at++ = (report_line){.kind = REPORT_MAP, .label = "MAP", .set = i};
        }
        if (i + 1 == sets_count || begins_group(sets, i + 1))
            *at++ = (report_line){REPORT_MEAN, first == i, "mean", NULL, first, sets_count + groups++};
    }
    if (lines) *at++ = (report_line){REPORT_TOTAL, groups == 1, "mean of the groups", NULL, 0, sets_count + groups};
    *count = (size_t)(at - lines);
    return lines;
}

double report_value(const cli_report *report, const report_line *line, size_t model, size_t variant)
{
    const wl_evaluation *evaluation = report->evaluations[model];
    switch (line->kind) {
    case REPORT_SET:
        return 100 * wl_evaluation_score(evaluation, line->set, variant).score;
    case REPORT_RECALL:
        return 100 * wl_evaluation_score(evaluation, line->set, variant).recall;
    case REPORT_MAP:
        return 100 * wl_evaluation_score(evaluation, line->set, variant).map;
    case REPORT_MEAN:
        return 100 * wl_evaluation_mean(evaluation, wl_sets_at(report->sets, line->set).group, variant);
    case REPORT_TOTAL:
        return 100 * wl_evaluation_mean(evaluation, NULL, variant);
    case REPORT_GROUP:
        break;
    }
    return NAN;
}

size_t report_bytes(wl_variant variant)
{
    return variant.binary ? ((size_t)variant.dim + 7) / 8 : (size_t)variant.dim * sizeof(float);
}

size_t report_level(report_kind kind)
{
    return kind == REPORT_RECALL || kind == REPORT_MAP ? 2 : kind == REPORT_SET || kind == REPORT_MEAN;
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* The last parts of a path, slashes at its end left out. */
static wl_text tail_of(const char *path, size_t parts)
{
    size_t end = strlen(path), begin;
    while (end > 1 && path[end - 1] == '/') end--;
    for (begin = end; begin; begin--)
        if (path[begin - 1] == '/' && begin < end && --parts == 0) break;
    return (wl_text){path + begin, end - begin};
}

wl_text report_name(const cli_report *report, size_t model)
{
    for (size_t parts = 1;; parts++) {
        wl_text name = tail_of(report->names[model], parts);
        bool alone = true;
        for (size_t i = 0; i < report->models; i++) {
            wl_text other = tail_of(report->names[i], parts);
            alone &= i == model || other.size != name.size || memcmp(other.data, name.data, name.size) != 0;
        }
        if (alone || name.data == report->names[model]) return name;
    }
}

static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xC0) != 0x80;
}

size_t report_width(const char *text)
{
    size_t width = 0;
    for (; *text; text++) width += begins_character(*text);
    return width;
}

/* A model's name, cut with an ellipsis where it is longer than `most` characters. */
static void write_name(const cli_report *report, size_t model, size_t most, char out[REPORT_TEXT])
{
    wl_text name = report_name(report, model);
    size_t width = 0, cut = 0, end = 0;
    for (; end < name.size && end < REPORT_TEXT - 4; end++) {
        if (!begins_character(name.data[end])) continue;
        if (width == most) break;
        if (width++ == most - 1) cut = end;
    }
    if (end == name.size)
        snprintf(out, REPORT_TEXT, "%.*s", (int)end, name.data);
    else
        snprintf(out, REPORT_TEXT, "%.*s\xE2\x80\xA6", (int)cut, name.data);
}

static void write_variant(wl_variant variant, char *out, size_t size)
{
    snprintf(out, size, "%u%s", (unsigned)variant.dim, variant.binary ? " bits" : "");
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

void report_put(report_writer *writer, const char *format, ...)
{
    if (writer->status) return;
    va_list arguments;
    va_start(arguments, format);
    writer->status = append_format_list(writer->out, writer->error, format, arguments);
    va_end(arguments);
}

/* Two decimals, and never "-0.00". */
static void write_number(double value, const char *format, report_cell *cell)
{
    if (isnan(value))
        snprintf(cell->text, sizeof cell->text, "-");
    else
        snprintf(cell->text, sizeof cell->text, fabs(value) < 0.005 ? "%.2f" : format, fabs(value) < 0.005 ? 0 : value);
}

static size_t label_width(const report_line *line)
{
    size_t metric = line->kind == REPORT_GROUP ? report_width(line->metric) + 3 : 0; /* in brackets */
    return 2 * report_level(line->kind) + report_width(line->label) + metric;
}

static void find_label_width(report_layout *layout, const report_line *lines, size_t count)
{
    layout->label_width = report_width(layout->corner);
    for (size_t i = 0; i < count; i++) {
        size_t width = label_width(&lines[i]);
        if (!lines[i].single && width > layout->label_width) layout->label_width = width;
    }
}

/* ---- scores ------------------------------------------------------------------------------------------------------ */

enum { SCORE_WIDTH = 6 };

static void mark_best(const report_layout *layout, const double *values, report_cell *cells)
{
    size_t best = 0;
    for (size_t i = 0; i < layout->column_count; i++)
        if (!(values[i] <= values[best]) && !isnan(values[i])) best = i;
    for (size_t i = 0; i < layout->column_count; i++)
        cells[i].best = layout->column_count > 1 && !isnan(values[i]) && strcmp(cells[i].text, cells[best].text) == 0;
}

static void take_columns(const cli_report *report, report_layout *layout, char (*names)[REPORT_TEXT])
{
    for (size_t model = 0; model < report->models; model++) {
        write_name(report, model, REPORT_NAME, names[model]);
        for (size_t i = 0; i < wl_evaluation_variants(report->evaluations[model]); i++) {
            report_column *column = &layout->columns[layout->column_count++];
            *column = (report_column){.model = report->models > 1 ? names[model] : NULL, .width = SCORE_WIDTH};
            write_variant(wl_evaluation_variant(report->evaluations[model], i), column->head, sizeof column->head);
        }
    }
    if (report->models == 1) memcpy(layout->corner, names[0], sizeof layout->corner);
}

static void write_scores(const cli_report *report, const report_style *style, report_writer *writer,
                         report_layout *layout, const report_line *lines, size_t line_count, report_cell *cells,
                         double *values)
{
    find_label_width(layout, lines, line_count);
    style->begin(writer, layout);
    for (size_t i = 0; i < line_count; i++) {
        size_t at = 0;
        if (lines[i].single) continue;
        for (size_t model = 0; model < report->models; model++)
            for (size_t j = 0; j < wl_evaluation_variants(report->evaluations[model]); j++, at++) {
                values[at] = report_value(report, &lines[i], model, j);
                write_number(values[at], "%.2f", &cells[at]);
            }
        mark_best(layout, values, cells);
        style->row(writer, layout, &lines[i], lines[i].kind == REPORT_GROUP ? NULL : cells);
    }
    style->end(writer, "");
}

static wl_status lay_out_scores(const cli_report *report, const report_style *style, report_writer *writer,
                                const report_line *lines, size_t line_count, wl_error *error)
{
    size_t columns = 0;
    for (size_t i = 0; i < report->models; i++) columns += wl_evaluation_variants(report->evaluations[i]);
    char(*names)[REPORT_TEXT] = wl_allocate(report->models, sizeof *names, error);
    report_layout layout = {.columns = names ? wl_allocate(columns, sizeof *layout.columns, error) : NULL};
    report_cell *cells = layout.columns ? wl_allocate(columns, sizeof *cells, error) : NULL;
    double *values = cells ? wl_allocate(columns, sizeof *values, error) : NULL;
    if (values) {
        take_columns(report, &layout, names);
        write_scores(report, style, writer, &layout, lines, line_count, cells, values);
    }
    wl_status status = values ? writer->status : WL_ERROR_MEMORY;
    free(names);
    free(layout.columns);
    free(cells);
    free(values);
    return status;
}

/* ---- comparisons ------------------------------------------------------------------------------------------------- */

enum { FIRST, OTHER, DIFFERENCE, INTERVAL, MARK, COMPARED };

static const char *mark_of(const wl_difference *difference)
{
    return difference->low > 0 ? "win" : difference->high < 0 ? "loss" : "";
}

static void write_difference(const wl_difference *difference, report_cell cells[COMPARED])
{
    report_cell low = {0}, high = {0};
    write_number(100 * difference->a, "%.2f", &cells[FIRST]);
    write_number(100 * difference->b, "%.2f", &cells[OTHER]);
    write_number(100 * (difference->b - difference->a), "%+.2f", &cells[DIFFERENCE]);
    write_number(100 * difference->low, "%+.2f", &low);
    write_number(100 * difference->high, "%+.2f", &high);
    if (isnan(difference->low))
        cells[INTERVAL] = low;
    else
        snprintf(cells[INTERVAL].text, sizeof cells[INTERVAL].text, "[%.12s, %.12s]", low.text, high.text);
    snprintf(cells[MARK].text, sizeof cells[MARK].text, "%s", mark_of(difference));
}

static void write_heads(const cli_report *report, const report_comparison *comparison, report_layout *layout)
{
    enum { NAME = 20 };
    char names[2][REPORT_TEXT], variants[2][32];
    const size_t models[2] = {0, comparison->model};
    const size_t numbers[2] = {comparison->first_variant, comparison->other_variant};
    for (size_t i = 0; i < 2; i++) {
        write_name(report, models[i], NAME, layout->columns[FIRST + i].head);
        write_name(report, models[i], REPORT_NAME, names[i]);
        write_variant(wl_evaluation_variant(report->evaluations[models[i]], numbers[i]), variants[i],
                      sizeof variants[i]);
    }
    snprintf(layout->title, sizeof layout->title, "%s (%s) against %s (%s)", names[1], variants[1], names[0],
             variants[0]);
}

static void write_comparison(const cli_report *report, const report_comparison *comparison, const report_style *style,
                             report_writer *writer, const report_line *lines, size_t line_count)
{
    report_column columns[COMPARED] = {
        [FIRST] = {.width = SCORE_WIDTH},
        [OTHER] = {.width = SCORE_WIDTH},
        [DIFFERENCE] = {.head = "difference", .width = SCORE_WIDTH},
        [INTERVAL] = {.head = "95% interval", .width = 2 * SCORE_WIDTH + 4},
        [MARK] = {.head = "", .width = sizeof "loss" - 1, .left = true},
    };
    report_layout layout = {.columns = columns, .column_count = COMPARED};
    char summary[128];
    size_t wins = 0, losses = 0, sets = wl_sets_count(report->sets);
    write_heads(report, comparison, &layout);
    find_label_width(&layout, lines, line_count);
    style->begin(writer, &layout);
    for (size_t i = 0; i < line_count; i++) {
        const report_line *line = &lines[i];
        report_cell cells[COMPARED] = {0};
        if (line->single || line->kind == REPORT_RECALL || line->kind == REPORT_MAP) continue;
        if (line->kind != REPORT_GROUP) write_difference(&comparison->differences[line->place], cells);
        style->row(writer, &layout, line, line->kind == REPORT_GROUP ? NULL : cells);
    }
    for (size_t i = 0; i < sets; i++) {
        wins += comparison->differences[i].low > 0;
        losses += comparison->differences[i].high < 0;
    }
    snprintf(summary, sizeof summary, "%zu win%s, %zu loss%s, %zu undecided", wins, wins == 1 ? "" : "s", losses,
             losses == 1 ? "" : "es", sets - wins - losses);
    style->end(writer, summary);
}

wl_status report_write(const cli_report *report, const report_style *style, wl_buffer *out, wl_error *error)
{
    size_t count;
    report_writer writer = {.out = out, .error = error};
    report_line *lines = report_list_lines(report->sets, &count, error);
    wl_status status = lines ? lay_out_scores(report, style, &writer, lines, count, error) : WL_ERROR_MEMORY;
    for (size_t i = 0; i < report->comparison_count && !status; i++) {
        write_comparison(report, &report->comparisons[i], style, &writer, lines, count);
        status = writer.status;
    }
    free(lines);
    return status;
}
