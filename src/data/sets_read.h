/* Sets from their files. */
#ifndef WL_DATA_SETS_READ_H
#define WL_DATA_SETS_READ_H

#include "data/records.h"
#include "data/sets_find.h"

/* The task that the fields of a record tell; false: none. */
bool wl_set_task(const wl_records *records, wl_task *task);

/* Appends the sets of a source: one, or where its records have a field "split" one for each value of that. options: for
 * messages. What was appended before a failure stays. */
wl_status wl_set_read(const wl_set_source *source, const wl_sets_options *options, wl_sets *sets, wl_error *error);
/* The same for a folder with a corpus, queries and judgements. */
wl_status wl_set_read_retrieval(const wl_set_source *source, const wl_sets_options *options, wl_sets *sets,
                                wl_error *error);

/* Where texts lie in bytes that still grow, and move. Zero-initialized is empty; items is freed with free. */
typedef struct wl_slice {
    size_t at, size;
} wl_slice;

typedef struct wl_slices {
    wl_slice *items;
    size_t count, capacity;
} wl_slices;

/* WL_ERROR_LIMIT: more than a set may have. */
wl_status wl_slices_add(wl_slices *slices, wl_slice slice, wl_error *error);
/* Appends a text to bytes and its slice. */
wl_status wl_slices_append(wl_slices *slices, wl_text text, wl_buffer *bytes, wl_error *error);
/* The texts, owned by the caller, who keeps bytes where they are; NULL out of memory. */
wl_text *wl_slices_texts(const wl_slices *slices, const char *bytes, wl_error *error);

/* A new set at the end of sets, valid until the next one; part NULL: none. NULL out of memory. */
wl_set *wl_sets_add(wl_sets *sets, const wl_set_source *source, const char *part, wl_error *error);

#endif
