/* The report for people at a terminal. */
#include <string.h>

#include "report_parts.h"

enum { GAP = 2, MODEL_GAP = 3 };

/* A text and spaces, which are in front of it where it is aligned to the right. */
static void put_aligned(report_writer *writer, const char *text, size_t width, bool left)
{
    size_t used = report_width(text);
    int spaces = width > used ? (int)(width - used) : 0;
    if (left)
        report_put(writer, "%s%*s", text, spaces, "");
    else
        report_put(writer, "%*s%s", spaces, "", text);
}

/* Ends a line without spaces at its end. */
static void end_line(report_writer *writer)
{
    while (!writer->status && writer->out->size && writer->out->data[writer->out->size - 1] == ' ') writer->out->size--;
    report_put(writer, "\n");
}

static bool begins_model(const report_layout *layout, size_t column)
{
    return column && layout->columns[column].model != layout->columns[column - 1].model;
}

static int gap_before(const report_layout *layout, size_t column)
{
    return begins_model(layout, column) ? MODEL_GAP : GAP;
}

/* The columns of the model that begins here: the first one behind them, and their width. */
static size_t end_of_model(const report_layout *layout, size_t begin, size_t *width)
{
    size_t end = begin;
    *width = 0;
    do *width += layout->columns[end].width + (end > begin ? GAP : 0);
    while (++end < layout->column_count && !begins_model(layout, end));
    return end;
}

/* Cells are as wide as the heads above them. */
static void widen(report_layout *layout)
{
    for (size_t i = 0; i < layout->column_count; i++) {
        report_column *column = &layout->columns[i];
        size_t head = report_width(column->head);
        if (head > column->width) column->width = head;
    }
    for (size_t begin = 0, end, width; begin < layout->column_count; begin = end) {
        const char *model = layout->columns[begin].model;
        size_t name = model ? report_width(model) : 0;
        end = end_of_model(layout, begin, &width);
        if (name > width) layout->columns[begin].width += name - width;
    }
}

/* "---- name ----" where there is room for it. */
static void put_model(report_writer *writer, const char *name, size_t width)
{
    size_t rest = width - report_width(name), sides[2] = {(rest - rest / 2), rest / 2};
    if (rest < 4) {
        put_aligned(writer, name, width, false);
        return;
    }
    for (size_t side = 0; side < 2; side++) {
        if (side) report_put(writer, "%s", name);
        if (side) report_put(writer, " ");
        for (size_t i = 1; i < sides[side]; i++) report_put(writer, "-");
        if (!side) report_put(writer, " ");
    }
}

static void begin(report_writer *writer, report_layout *layout)
{
    widen(layout);
    if (*layout->title) report_put(writer, "\n%s\n", layout->title);
    if (layout->column_count && layout->columns[0].model) {
        put_aligned(writer, "", layout->label_width, true);
        for (size_t at = 0, end, width; at < layout->column_count; at = end) {
            end = end_of_model(layout, at, &width);
            report_put(writer, "%*s", gap_before(layout, at), "");
            put_model(writer, layout->columns[at].model, width);
        }
        end_line(writer);
    }
    put_aligned(writer, layout->corner, layout->label_width, true);
    for (size_t i = 0; i < layout->column_count; i++) {
        report_put(writer, "%*s", gap_before(layout, i), "");
        put_aligned(writer, layout->columns[i].head, layout->columns[i].width, layout->columns[i].left);
    }
    end_line(writer);
}

static void put_row(report_writer *writer, const report_layout *layout, const report_line *line,
                    const report_cell *cells)
{
    size_t indent = 2 * report_level(line->kind);
    report_put(writer, "%*s", (int)indent, "");
    if (!cells) {
        report_put(writer, "%.1000s (%s)\n", line->label, line->metric);
        return;
    }
    put_aligned(writer, line->label, layout->label_width - indent, true);
    for (size_t i = 0; i < layout->column_count; i++) {
        report_put(writer, "%*s", gap_before(layout, i), "");
        put_aligned(writer, cells[i].text, layout->columns[i].width, layout->columns[i].left);
    }
    end_line(writer);
}

static void end(report_writer *writer, const char *summary)
{
    if (*summary) report_put(writer, "%s\n", summary);
}

wl_status report_table(const cli_report *report, wl_buffer *out, wl_error *error)
{
    static const report_style table = {begin, put_row, end};
    return report_write(report, &table, out, error);
}
