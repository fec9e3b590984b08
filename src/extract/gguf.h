/* GGUF, the file format of the ggml project, versions 2 and 3, little-endian: a list of keys and values, a list of
 * tensors, then their data. (docs/gguf.md of that project is the specification.) */
#ifndef WL_EXTRACT_GGUF_H
#define WL_EXTRACT_GGUF_H

#include "extract/tensors.h"

/* Types of values, by the file's numbers. */
typedef enum wl_gguf_type {
    WL_GGUF_U8,
    WL_GGUF_I8,
    WL_GGUF_U16,
    WL_GGUF_I16,
    WL_GGUF_U32,
    WL_GGUF_I32,
    WL_GGUF_F32,
    WL_GGUF_BOOL,
    WL_GGUF_STRING,
    WL_GGUF_ARRAY,
    WL_GGUF_U64,
    WL_GGUF_I64,
    WL_GGUF_F64,
    WL_GGUF_TYPES, /* how many there are */
} wl_gguf_type;

/* Where a value lies: a value is read when it is asked for. */
typedef struct wl_gguf_value {
    char *key;         /* owned */
    wl_gguf_type type; /* of the value, or of an array's elements; never an array */
    bool array;
    uint64_t count; /* elements of an array, else 1 */
    uint64_t at;    /* of the first element in the file; a string begins with its length */
} wl_gguf_value;

typedef struct wl_gguf {
    wl_reader *reader;     /* borrowed */
    wl_gguf_value *values; /* (count), by key; each key once */
    size_t count, capacity;
    uint64_t part, parts; /* which of how many files, from 0: the keys split.no and split.count */
} wl_gguf;

/* Reads the header and both lists, appending what tensors there are to *tensors, shapes outermost first; the reader
 * outlives gguf. A tensor of an unknown type is in the list, without encoding. Free with wl_gguf_close, also after a
 * failure.
 *
 * Every count and length is checked against the file's size before it is used, so memory grows with the keys and
 * tensors that are there; a value costs nothing but a pass over its strings' lengths. Refused with WL_ERROR_FORMAT:
 * what leads out of the file, keys and tensors that stand twice, tensors that overlap or are not aligned; with
 * WL_ERROR_UNSUPPORTED: other versions, big-endian files, arrays of arrays, more than 4 dimensions. */
wl_status wl_gguf_open(wl_gguf *gguf, wl_reader *reader, wl_tensors *tensors, wl_error *error);
void wl_gguf_close(wl_gguf *gguf);

/* NULL where there is none. */
const wl_gguf_value *wl_gguf_find(const wl_gguf *gguf, const char *key);

/* The value of a key; *value is left as it is where the key is not there. One of another type is WL_ERROR_FORMAT.
 * Unsigned: of any integer type, not negative. A string is appended. */
wl_status wl_gguf_unsigned(const wl_gguf *gguf, const char *key, uint64_t *value, wl_error *error);
wl_status wl_gguf_boolean(const wl_gguf *gguf, const char *key, bool *value, wl_error *error);
wl_status wl_gguf_string(const wl_gguf *gguf, const char *key, wl_buffer *value, wl_error *error);

/* A walk over an array, element by element. */
typedef struct wl_gguf_walk {
    const wl_gguf *gguf;
    const wl_gguf_value *value; /* NULL: there is no such key */
    uint64_t at, left;          /* of the next element; elements that were not read yet */
} wl_gguf_walk;

/* A key that is not there gives a walk over nothing; one that is no array is WL_ERROR_FORMAT. */
wl_status wl_gguf_array(const wl_gguf *gguf, const char *key, wl_gguf_walk *walk, wl_error *error);
/* The next element, while left is not 0, in place of what the buffer held; else WL_ERROR_FORMAT, as for another type.
 */
wl_status wl_gguf_next_string(wl_gguf_walk *walk, wl_buffer *text, wl_error *error);
/* The same for numbers; integers beyond 2^53 are rounded. */
wl_status wl_gguf_next_number(wl_gguf_walk *walk, double *number, wl_error *error);

#endif
