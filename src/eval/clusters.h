/* The clustering that sets are scored by. */
#ifndef WL_EVAL_CLUSTERS_H
#define WL_EVAL_CLUSTERS_H

#include "base/parallel.h"

/* labels: (rows->count), below clusters. rows: F32, finite, at least as many as clusters and fewer than 2^32. go_on
 * (NULL: none) is asked between steps; its user is given. The same labels for any number of threads. */
wl_status wl_find_clusters(const wl_vectors *rows, uint32_t clusters, uint32_t seed, wl_pool *pool, wl_progress go_on,
                           void *user, uint32_t *labels, wl_error *error);

#endif
