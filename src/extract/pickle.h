/* A reader of pickles in which nothing is executed. Python's pickle is a program for a stack machine that may call any
 * function; here a call is only remembered, as a value that names the function and its arguments, and the functions
 * that may be named are a table of the caller's. What the values mean is up to the caller.
 *
 * Bounds: 64 MB of pickle, 2^22 values, and memory in proportion to what there is of them. Values may be shared and may
 * hold each other in circles, as in Python: who walks them must not recurse without an end. */
#ifndef WL_EXTRACT_PICKLE_H
#define WL_EXTRACT_PICKLE_H

#include "base/memory.h"

typedef struct wl_pickle_global {
    const char *module, *name; /* as the pickle has them: "torch._utils", "_rebuild_tensor_v2" */
    int meaning;               /* the caller's */
} wl_pickle_global;

typedef enum wl_pickle_kind {
    WL_PICKLE_OTHER,      /* None, a float, bytes, a whole number over 64 bits: nothing of it is kept */
    WL_PICKLE_INTEGER,    /* booleans are 0 and 1 */
    WL_PICKLE_TEXT,       /* as the file has it: mostly UTF-8, not checked */
    WL_PICKLE_LIST,       /* items */
    WL_PICKLE_TUPLE,      /* items */
    WL_PICKLE_SET,        /* items */
    WL_PICKLE_DICT,       /* items: key, value, key, value, ... */
    WL_PICKLE_GLOBAL,     /* one of the table */
    WL_PICKLE_CALL,       /* a global called with arguments; items: as of a dict, what was set on the result */
    WL_PICKLE_PERSISTENT, /* what lies outside of the pickle, named by arguments */
} wl_pickle_kind;

typedef struct wl_pickle_value {
    wl_pickle_kind kind;
    uint32_t count;       /* of items */
    uint32_t first, last; /* their cells; 0: none */
    union {
        int64_t integer;
        wl_text text; /* in the pickle's bytes */
        struct {
            int meaning;        /* of the global */
            uint32_t arguments; /* the value that holds them; of a call, a tuple */
        };
    };
} wl_pickle_value;

typedef struct wl_pickle_cell {
    uint32_t value, next; /* next: a cell; 0: none */
} wl_pickle_cell;

typedef struct wl_pickle {
    wl_pickle_value *values;
    wl_pickle_cell *cells; /* the first is not used */
    size_t value_count, value_capacity, cell_count, cell_capacity;
    uint32_t root;
} wl_pickle;

/* Reads the pickle in data, which must outlive *pickle. file and place: the file's name and the place of data in it,
 * for errors. WL_ERROR_UNSUPPORTED names the opcode or the global that is not allowed, WL_ERROR_FORMAT what is damaged,
 * WL_ERROR_LIMIT what is too large. */
wl_status wl_pickle_read(wl_pickle *pickle, const char *data, size_t size, const wl_pickle_global *globals,
                         size_t global_count, const char *file, uint64_t place, wl_error *error);
/* Harmless on a zeroed pickle and after a failed read. */
void wl_pickle_free(wl_pickle *pickle);

/* The first most items of a value to items; false where there are fewer. */
bool wl_pickle_items(const wl_pickle *pickle, const wl_pickle_value *value, size_t most, const wl_pickle_value **items);

#endif
