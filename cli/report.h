/* The results of evaluations on paper: a table, Markdown, JSON, a picture. */
#ifndef WL_CLI_REPORT_H
#define WL_CLI_REPORT_H

#include "io.h"

#include "wordllama_train.h"

/* A further model against the first, in variants of the same name. */
typedef struct report_comparison {
    size_t model;                        /* index of the further one */
    size_t first_variant, other_variant; /* of the first model's evaluation, of the other's */
    wl_difference *differences;          /* (wl_compare_count) */
} report_comparison;

typedef struct cli_report {
    const wl_sets *sets;
    const char *const *names;          /* of the models, as the user gave them */
    wl_evaluation *const *evaluations; /* of each */
    const double *speeds;              /* of each, texts embedded a second */
    size_t models;
    const report_comparison *comparisons;
    size_t comparison_count;
} cli_report;

/* Appends the report. Scores are times 100. */
wl_status report_table(const cli_report *report, wl_buffer *out, wl_error *error);
wl_status report_markdown(const cli_report *report, wl_buffer *out, wl_error *error);
/* One object, on one line. */
wl_status report_json(const cli_report *report, wl_buffer *out, wl_error *error);

/* Mean of the groups against the bytes of a vector, a line for each model and for its binary vectors, as SVG. */
wl_status plot_scores(const char *path, const cli_report *report, bool by_speed, wl_error *error);

#endif
