/* The report as tables of GitHub's Markdown. */
#include <string.h>

#include "report_parts.h"

/* What would end a cell, or begin an emphasis, a link or a tag, is escaped. */
static void put_text(report_writer *writer, const char *text)
{
    for (size_t plain; *text; text += plain) {
        plain = strcspn(text, "|\\*<`[");
        if (plain > 1000) plain = 1000;
        if (plain)
            report_put(writer, "%.*s", (int)plain, text);
        else
            report_put(writer, "\\%c", *text), plain = 1;
    }
}

static void begin(report_writer *writer, report_layout *layout)
{
    if (*layout->title) {
        report_put(writer, "\n");
        put_text(writer, layout->title);
        report_put(writer, "\n\n");
    }
    report_put(writer, "| ");
    put_text(writer, layout->corner);
    report_put(writer, "%s|", *layout->corner ? " " : "");
    for (size_t i = 0; i < layout->column_count; i++) {
        const report_column *column = &layout->columns[i];
        report_put(writer, " ");
        if (column->model) put_text(writer, column->model);
        report_put(writer, "%s", column->model ? "<br>" : "");
        put_text(writer, column->head);
        report_put(writer, "%s|", *column->head ? " " : "");
    }
    report_put(writer, "\n| :--- |");
    for (size_t i = 0; i < layout->column_count; i++)
        report_put(writer, " %s |", layout->columns[i].left ? ":---" : "---:");
    report_put(writer, "\n");
}

static void put_label(report_writer *writer, const report_line *line)
{
    static const char *const marks[] = {
        [REPORT_GROUP] = "**", [REPORT_SET] = "",   [REPORT_RECALL] = "",
        [REPORT_MAP] = "",     [REPORT_MEAN] = "*", [REPORT_TOTAL] = "**",
    };
    report_put(writer, "| %s%s", report_level(line->kind) == 2 ? "&nbsp;&nbsp;" : "", marks[line->kind]);
    put_text(writer, line->label);
    report_put(writer, "%s", marks[line->kind]);
    if (line->kind == REPORT_GROUP) report_put(writer, " (%s)", line->metric);
    report_put(writer, " |");
}

static void put_row(report_writer *writer, const report_layout *layout, const report_line *line,
                    const report_cell *cells)
{
    put_label(writer, line);
    for (size_t i = 0; i < layout->column_count; i++) {
        const char *text = cells ? cells[i].text : "", *bold = cells && cells[i].best ? "**" : "";
        report_put(writer, " %s%s%s%s|", bold, text, bold, *text ? " " : "");
    }
    report_put(writer, "\n");
}

static void end(report_writer *writer, const char *summary)
{
    if (*summary) report_put(writer, "\n%s\n", summary);
}

wl_status report_markdown(const cli_report *report, wl_buffer *out, wl_error *error)
{
    static const report_style markdown = {begin, put_row, end};
    return report_write(report, &markdown, out, error);
}
