/* What reports are made of: the lines, which are the same for all of them, and tables of them in some style. */
#ifndef WL_CLI_REPORT_PARTS_H
#define WL_CLI_REPORT_PARTS_H

#include "report.h"

typedef enum report_kind {
    REPORT_GROUP, /* a heading */
    REPORT_SET,
    REPORT_RECALL, /* of the set before */
    REPORT_MAP,
    REPORT_MEAN,  /* of the group before */
    REPORT_TOTAL, /* the mean of the groups */
} report_kind;

typedef struct report_line {
    report_kind kind;
    bool single;        /* MEAN, TOTAL: of one alone, which stands before it */
    const char *label;  /* the name of a group or set, else what the number is */
    const char *metric; /* GROUP, SET */
    size_t set;         /* SET, RECALL, MAP: its number; MEAN: that of the group's first set */
    size_t place;       /* SET, MEAN, TOTAL: among the differences of a comparison */
} report_line;

/* In order, each group's heading, sets and mean, and the total: for the caller to free. NULL out of memory. */
report_line *report_list_lines(const wl_sets *sets, size_t *count, wl_error *error);
/* What a line other than a heading says of a model, times 100. */
double report_value(const cli_report *report, const report_line *line, size_t model, size_t variant);
/* Bytes of a vector. */
size_t report_bytes(wl_variant variant);
/* A model's name for people: as much of the end of its path as tells it from the others. Lives in report->names. */
wl_text report_name(const cli_report *report, size_t model);

/* ---- text with errors that are kept ------------------------------------------------------------------------------ */

typedef struct report_writer {
    wl_buffer *out;
    wl_error *error;
    wl_status status; /* after a failure nothing is written */
} report_writer;

/* At most 4000 bytes. */
void report_put(report_writer *writer, const char *format, ...) WL_PRINTF(2, 3);

/* ---- tables ------------------------------------------------------------------------------------------------------ */

enum { REPORT_NAME = 32, REPORT_TEXT = 4 * REPORT_NAME + 4 }; /* characters of a name that are shown; bytes */

typedef struct report_column {
    const char *model; /* stands above the columns that have it; NULL: nothing does */
    size_t width;      /* of its cells, in characters */
    char head[REPORT_TEXT];
    bool left; /* aligned */
} report_column;

typedef struct report_cell {
    char text[32];
    bool best; /* of its row */
} report_cell;

typedef struct report_layout {
    char title[3 * REPORT_TEXT];
    char corner[REPORT_TEXT]; /* the head of the labels */
    report_column *columns;
    size_t column_count;
    size_t label_width; /* of all, with two spaces for each level */
} report_layout;

typedef struct report_style {
    void (*begin)(report_writer *writer, report_layout *layout);
    /* cells: (column_count); NULL: a heading. */
    void (*row)(report_writer *writer, const report_layout *layout, const report_line *line, const report_cell *cells);
    /* A line below the table; empty: none. */
    void (*end)(report_writer *writer, const char *summary);
} report_style;

/* How far a line is from the margin: 0, 1 or 2 levels. */
size_t report_level(report_kind kind);
/* Characters of a text; ill-formed bytes count in some way. */
size_t report_width(const char *text);
/* The table of the scores, and one for each comparison. */
wl_status report_write(const cli_report *report, const report_style *style, wl_buffer *out, wl_error *error);

#endif
