/* Comma-separated values as RFC 4180 has them, with any delimiter: a field may stand in quotes and then hold
 * delimiters, line breaks and, twice each, quotes. A quote inside a field that does not begin with one is a character
 * like any other. */
#ifndef WL_DATA_CSV_H
#define WL_DATA_CSV_H

#include "base/memory.h"

typedef enum wl_csv_place {
    WL_CSV_BEGIN,
    WL_CSV_PLAIN,
    WL_CSV_QUOTED,
    WL_CSV_QUOTE,
    WL_CSV_RETURN,
    WL_CSV_WRONG
} wl_csv_place;

/* A search for the end of a record that can go on in the next block; zeroed at the record's begin, but for
 * the delimiter. */
typedef struct wl_csv_scan {
    char delimiter;
    wl_csv_place place;
    uint64_t breaks; /* line breaks inside quotes so far */
} wl_csv_scan;

/* Offset of the '\n' that ends the record, or size. Where something follows a closing quote it ends there, and the
 * scan's place is WL_CSV_WRONG. */
size_t wl_csv_find_end(wl_csv_scan *scan, const char *data, size_t size);

/* The field that starts at *at of a whole record without its line end, moving *at behind the delimiter that ends it, or
 * behind the record after the last one. *field is a slice of the record or of scratch. */
wl_status wl_csv_next(wl_text record, char delimiter, size_t *at, wl_buffer *scratch, wl_text *field, wl_error *error);

#endif
