/* Clusters of rows: k-means from several seedings, improved by swaps, and the rows that describe a cluster. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/kmeans.h"
#include "algo/select.h"

enum { STARTS = 10, ITERATIONS = 300, MOST_CLUSTERS = 1 << 30 };

static wl_status begin(const wl_vectors *vectors, wl_cluster_options *chosen, const wl_cluster_options *options,
                       wl_error *error)
{
    if (wl_read_options(chosen, sizeof *chosen, options, "wl_cluster_options", error) ||
        wl_vectors_check(vectors, "vectors", error))
        return error->code;
    if (vectors->element == WL_ELEMENT_BITS)
        return wl_fail(error, WL_ERROR_ARGUMENT, "bits have no means: clustering is for numbers");
    if (chosen->clusters == 0) return wl_fail(error, WL_ERROR_ARGUMENT, "0 clusters asked for, expected at least 1");
    if (chosen->clusters > vectors->count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%u clusters asked for, but there are %zu rows", chosen->clusters,
                       vectors->count);
    if (chosen->clusters > MOST_CLUSTERS)
        return wl_fail(error, WL_ERROR_LIMIT, "%u clusters are too many", chosen->clusters);
    if (isnan(chosen->tolerance) || chosen->tolerance < 0)
        return wl_fail(error, WL_ERROR_ARGUMENT, "the tolerance is not a number from 0 on");
    if (!chosen->has_tolerance) chosen->tolerance = 1e-6;
    if (!chosen->starts) chosen->starts = STARTS;
    if (!chosen->most_iterations) chosen->most_iterations = ITERATIONS;
    return WL_OK;
}

/* The rows as F32, of unit length where the clustering is spherical: themselves, or a copy to be freed. */
static wl_status take_rows(wl_vectors *rows, float **copy, bool unit, wl_error *error)
{
    *copy = NULL;
    if (rows->element == WL_ELEMENT_F32 && !unit && (uintptr_t)rows->data % sizeof(float) == 0) return WL_OK;
    *copy = wl_allocate(rows->count, rows->dim * sizeof **copy, error);
    if (!*copy) return error->code;
    if (unit && wl_vectors_normalize(rows, *copy, error)) return error->code;
    for (size_t row = 0; !unit && row < rows->count; row++) wl_row_floats(rows, row, *copy + row * rows->dim);
    rows->data = *copy;
    rows->element = WL_ELEMENT_F32;
    return WL_OK;
}

/* The best result so far. */
struct best {
    uint32_t *labels; /* the caller's */
    float *centroids; /* (clusters, dim) */
    wl_clustering result;
};

static void keep(const wl_kmeans *kmeans, const wl_clustering *result, struct best *best)
{
    best->result = *result;
    memcpy(best->labels, kmeans->labels, kmeans->rows.count * sizeof *best->labels);
    memcpy(best->centroids, kmeans->centroids, kmeans->clusters * kmeans->rows.dim * sizeof *best->centroids);
}

/* Moves single centroids of the best result for as long as it becomes better. */
static wl_status improve(wl_kmeans *kmeans, const wl_cluster_options *options, struct best *best, uint64_t *done,
                         wl_error *error)
{
    enum { FAILURES = 3 };
    wl_random random = wl_random_seed(options->seed, options->starts);
    for (size_t failures = 0; failures < FAILURES && best->result.converged;) {
        wl_clustering result;
        bool moved;
        memcpy(kmeans->labels, best->labels, kmeans->rows.count * sizeof *best->labels);
        memcpy(kmeans->centroids, best->centroids, kmeans->clusters * kmeans->rows.dim * sizeof *best->centroids);
        if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_take_scores(kmeans, &result.inertia, error) ||
            wl_kmeans_swap(kmeans, failures, &random, &moved, error))
            return error->code;
        if (!moved) return WL_OK;
        if (wl_kmeans_iterate(kmeans, options, &result, done, error)) return error->code;
        if (result.inertia < best->result.inertia * (1 - 1e-9)) {
            keep(kmeans, &result, best);
            failures = 0;
        } else
            failures++;
    }
    return WL_OK;
}

static wl_status run(wl_kmeans *kmeans, const wl_cluster_options *options, struct best *best, wl_error *error)
{
    uint64_t done = 0;
    best->result.inertia = INFINITY;
    for (uint32_t start = 0; start < options->starts; start++) {
        wl_random random = wl_random_seed(options->seed, start);
        wl_clustering result = {0};
        wl_status status = wl_kmeans_seed(kmeans, &random, error);
        if (!status && options->batch)
            status = wl_kmeans_iterate_batches(kmeans, options, &random, &result, &done, error);
        else if (!status)
            status = wl_kmeans_iterate(kmeans, options, &result, &done, error);
        if (status) return status;
        if (result.inertia < best->result.inertia) keep(kmeans, &result, best);
    }
    return options->batch ? WL_OK : improve(kmeans, options, best, &done, error);
}

wl_status wl_cluster(const wl_vectors *vectors, const wl_cluster_options *options, wl_context *context,
                     uint32_t *labels, float *centroids, wl_clustering *result, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_cluster_options chosen;
    if (begin(vectors, &chosen, options, error)) return error->code;
    if (!context || !labels) return wl_fail(error, WL_ERROR_ARGUMENT, "no %s given", context ? "labels" : "context");
    wl_kmeans kmeans = {
        .context = context, .rows = *vectors, .clusters = chosen.clusters, .spherical = chosen.spherical};
    struct best best = {.labels = labels};
    float *copy;
    wl_status status = take_rows(&kmeans.rows, &copy, chosen.spherical, error);
    if (!status) status = wl_kmeans_create(&kmeans, error);
    size_t size = chosen.clusters * vectors->dim * sizeof *best.centroids;
    if (!status && !(best.centroids = wl_allocate(size, 1, error))) status = WL_ERROR_MEMORY;
    if (!status) status = run(&kmeans, &chosen, &best, error);
    if (!status && centroids) memcpy(centroids, best.centroids, size);
    if (!status && result) *result = best.result;
    wl_kmeans_free(&kmeans);
    free(best.centroids);
    free(copy);
    return status;
}

wl_status wl_cluster_nearest(const wl_vectors *vectors, const uint32_t *labels, const float *centroids,
                             uint32_t clusters, size_t most, wl_context *context, wl_match *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (wl_vectors_check(vectors, "vectors", error)) return error->code;
    if (!context || (vectors->count && !labels) || !centroids || (most && clusters && !out))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_cluster_nearest: an argument is NULL");
    wl_selection *selections = wl_allocate(clusters, sizeof *selections, error);
    float *values = selections ? wl_allocate(vectors->dim, sizeof *values, error) : NULL;
    wl_status status = values ? WL_OK : WL_ERROR_MEMORY;
    for (size_t i = 0; i < clusters && !status; i++) selections[i] = (wl_selection){out + i * most, 0, most};
    for (size_t row = 0; row < vectors->count && !status; row++) {
        if (labels[row] >= clusters) {
            status = wl_fail(error, WL_ERROR_ARGUMENT, "row %zu has the label %u, expected less than %u", row,
                             labels[row], clusters);
            break;
        }
        wl_row_floats(vectors, row, values);
        float score = wl_cosine(values, centroids + labels[row] * vectors->dim, vectors->dim);
        wl_select(&selections[labels[row]], (wl_match){row, score});
    }
    for (size_t i = 0; i < clusters && !status; i++) {
        wl_sort_matches(selections[i].matches, selections[i].count);
        for (size_t j = selections[i].count; j < most; j++) selections[i].matches[j] = (wl_match){WL_NONE, 0};
    }
    free(values);
    free(selections);
    return status;
}
