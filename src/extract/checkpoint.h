/* The one table that is wanted, in a model of any form. */
#ifndef WL_EXTRACT_CHECKPOINT_H
#define WL_EXTRACT_CHECKPOINT_H

#include "extract/parts.h"

/* Numbers that a table's elements are multiplied by: one for each block of rows x columns of them. */
typedef struct wl_scales {
    float *values;    /* (ceil(rows / row_block), columns), owned; NULL: none */
    uint64_t columns; /* scales side by side: ceil(dim / column_block) */
    uint64_t row_block, column_block;
} wl_scales;

typedef struct wl_table {
    wl_reader reader; /* of the file that holds it */
    wl_stored tensor; /* rank 2, with rows and columns; encoding there, no gaps; the name is owned */
    wl_scales scales;
    char *folder; /* of the file, in the source: "" or ends in a slash */
    wl_carried carried;
    uint64_t fetched; /* bytes read of the model's other files */
} wl_table;

typedef struct wl_table_request {
    const char *file;   /* in the model's folder; NULL: found */
    const char *tensor; /* NULL: found */
    bool output;        /* the output head, where tensor is NULL */
} wl_table_request;

/* Finds the files that make the model, the one that holds the table, and the place in it. Reads headers alone.
 * Failures: as wl_extract. The files outlive the table. */
wl_status wl_table_open(wl_table *table, wl_source_files *files, const wl_table_request *request, wl_error *error);
void wl_table_close(wl_table *table);

/* Multiplies rows [first, first + count) by their scales; nothing where there are none. rows: (count, dim). */
void wl_table_scale(const wl_table *table, uint64_t first, size_t count, float *rows);

#endif
