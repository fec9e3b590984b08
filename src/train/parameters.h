/* What is learned: blocks of F32 numbers with their slopes. */
#ifndef WL_TRAIN_PARAMETERS_H
#define WL_TRAIN_PARAMETERS_H

#include "base/memory.h"

enum { WL_MOST_PARAMETERS = 8 };

typedef struct wl_parameter {
    const char *name; /* "projection.weight"; static storage */
    size_t rows, columns;
    float *values, *slopes; /* (rows, columns); owned by who made the list */
    /* Where only some rows have slopes after a step (a trainable table): their numbers, ascending and each once. The
     * slopes of other rows are zero. */
    bool sparse;
    bool kept;         /* weight decay leaves it alone */
    uint32_t *touched; /* (rows) */
    size_t touched_count;
} wl_parameter;

typedef struct wl_parameters {
    wl_parameter items[WL_MOST_PARAMETERS];
    size_t count;
} wl_parameters;

#endif
