/* Writing vectors: as text, as JSON lines, as a NumPy array. */
#ifndef WL_CLI_ROWS_H
#define WL_CLI_ROWS_H

#include <sys/types.h>

#include "io.h"

typedef struct row_writer {
    cli_output *output;
    enum format format;
    bool binary;      /* rows are packed bits, else floats */
    bool token_rows;  /* a text has any number of rows */
    size_t columns;   /* numbers in a row: floats, or bytes of bits */
    uint64_t rows;    /* written so far */
    wl_buffer buffer; /* text not yet in output */
    FILE *spool;      /* NPY to a pipe: rows wait here until their number is known; else NULL */
    off_t start;      /* NPY: where the header is in the output */
} row_writer;

/* The members above "rows" are set by the caller, the others zero. */
wl_status rows_begin(row_writer *writer, wl_error *error);
/* count rows of one text, one after the other; count is 1 unless token_rows. */
wl_status rows_write(row_writer *writer, wl_text text, const void *rows, size_t count, wl_error *error);
/* Everything given so far goes on to the output, as far as the format allows. */
wl_status rows_flush(row_writer *writer, wl_error *error);
/* Completes the output, which stays open. */
wl_status rows_end(row_writer *writer, wl_error *error);
/* Frees what the writer holds, after a success or a failure. */
void rows_free(row_writer *writer);

#endif
