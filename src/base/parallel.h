/* A pool of threads that a context owns. Work is a number of independent items; which thread takes which item is
 * chance, so an item's result must not depend on it. */
#ifndef WL_BASE_PARALLEL_H
#define WL_BASE_PARALLEL_H

#include "base/status.h"

typedef struct wl_pool wl_pool;

/* threads: at least 1, the calling thread included. Threads start at the first parallel run. NULL out of memory. */
wl_pool *wl_pool_create(uint32_t threads, wl_error *error);
void wl_pool_free(wl_pool *pool);
uint32_t wl_pool_threads(const wl_pool *pool);

/* Calls work(user, worker, item) for every item below count; worker is below wl_pool_threads and no two calls with the
 * same worker overlap, so scratch memory is kept by worker. Returns when all is done. Where threads cannot be started,
 * fewer do the work. Not reentrant. */
void wl_pool_run(wl_pool *pool, size_t count, void (*work)(void *user, uint32_t worker, size_t item), void *user);

/* Processors that this process may use, at least 1. */
uint32_t wl_processors(void);

#endif
