/* What a wl_context owns: a pool of threads and, for each of them, scratch memory that grows to what is needed and is
 * kept from call to call. */
#ifndef WL_TEXT_CONTEXT_H
#define WL_TEXT_CONTEXT_H

#include "base/parallel.h"
#include "text/tokenizer.h"

/* Texts that follow each other in a batch, and where their tokens lie until they are gathered. */
typedef struct wl_batch_group {
    uint32_t worker;
    size_t begin; /* in the worker's batch */
} wl_batch_group;

typedef struct wl_worker {
    wl_text_scratch text;
    uint32_t *rows; /* of the table, for one text */
    float *weights;
    size_t row_capacity, weight_capacity;
    wl_buffer values; /* one vector */
    wl_tokens batch;  /* of all its texts in a batch being encoded */
    wl_counts counts;
    wl_error error;     /* the first failure of a run */
    size_t failed_item; /* where it was; SIZE_MAX: none */
} wl_worker;

struct wl_context {
    wl_pool *pool;
    wl_worker *workers; /* one for each thread; the first belongs to the calling one */
    wl_batch_group *groups;
    size_t group_capacity;
};

/* Runs work over the items on all threads. work reports failures in its worker (wl_worker_fail); the failure of the
 * lowest item is the run's, whatever the threads did. */
wl_status wl_context_run(wl_context *context, size_t count, void (*work)(void *user, uint32_t worker, size_t item),
                         void *user, wl_error *error);
void wl_worker_fail(wl_worker *worker, size_t item, const wl_error *error);

#endif
