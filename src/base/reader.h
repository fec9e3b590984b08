/* Bytes that are too many for memory: read where they are wanted, from a file here or from one far away. */
#ifndef WL_BASE_READER_H
#define WL_BASE_READER_H

#include "base/memory.h"

/* A file of known size. One call at a time. Who opens it fills name, size, fetch and what fetch needs; small reads come
 * out of a window that is read ahead, so that a header may be read number by number. */
typedef struct wl_reader wl_reader;
struct wl_reader {
    char *name;    /* for errors; owned */
    uint64_t size; /* bytes in all */
    /* Exactly size bytes from at, which lie in the file, or a failure. */
    wl_status (*fetch)(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error);
    void (*release)(wl_reader *reader); /* what state holds; NULL: nothing */
    void *state;
    uint64_t fetched; /* bytes that were fetched so far */
    int descriptor;   /* of a file here; -1: none */
    char *window;     /* [window_at, window_at + window_size) of the file; owned */
    uint64_t window_at;
    size_t window_size;
};

/* A regular file here. */
wl_status wl_reader_open(wl_reader *reader, const char *path, wl_error *error);
/* Exactly size bytes from at. What does not lie in the file is WL_ERROR_FORMAT at the file's end. */
wl_status wl_reader_read(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error);
/* Harmless on a zeroed reader and after a failed open. */
void wl_reader_close(wl_reader *reader);

#endif
