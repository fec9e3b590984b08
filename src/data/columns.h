/* Columns of Arrow as rows: each row becomes a line of JSON, so that all records are read in one way. Types: text,
 * whole numbers, floats, booleans, lists of these, and
 * any of it by a dictionary; columns of other types are left out. Values that are missing,
 * and numbers that are not finite, are null. */
#ifndef WL_DATA_COLUMNS_H
#define WL_DATA_COLUMNS_H

#include "base/memory.h"
#include "data/arrow.h"

typedef struct wl_columns {
    struct ArrowArrayStream stream; /* owned */
    struct ArrowSchema schema;
    struct ArrowArray batch;
    int64_t row;      /* of the batch, the next one */
    const char *path; /* for errors; borrowed */
} wl_columns;

/* Takes the stream, which the caller has filled in, and its schema. Free with wl_columns_close, also after a failure.
 */
wl_status wl_columns_open(wl_columns *columns, const char *path, wl_error *error);
/* Appends whole rows, each with a line break, until at least `bytes` came or all have. */
wl_status wl_columns_append(wl_columns *columns, size_t bytes, wl_buffer *out, wl_error *error);
/* Harmless on a zeroed struct. */
void wl_columns_close(wl_columns *columns);

#endif
