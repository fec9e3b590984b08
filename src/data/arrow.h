/* Arrow's C data and C stream interfaces: the layout that Arrow's specification fixes for programs that hand tables to
 * each other without sharing headers (arrow.apache.org, "The Arrow C data interface"). Names and order are theirs. */
#ifndef WL_DATA_ARROW_H
#define WL_DATA_ARROW_H

#include <stdint.h>

/* By these macros headers that define the same structs give way to each other. */
#ifndef ARROW_C_DATA_INTERFACE
#define ARROW_C_DATA_INTERFACE

/* A type, with a child for each field of a struct or the element of a list. format: "u" text, "l" int64, ... */
struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

/* Values of a type: length of them from offset on; buffers[0] has a bit for each that is there, or is NULL. */
struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#ifndef ARROW_C_STREAM_INTERFACE
#define ARROW_C_STREAM_INTERFACE

/* Batches of rows. A call that fails returns an errno value; the end is an array without release. */
struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

#endif

#endif
