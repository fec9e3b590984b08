/* Clusters of rows: k-means from several seedings, improved by swaps, and the rows that describe a cluster. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/kmeans.h"
#include "algo/select.h"

enum { STARTS = 10, ITERATIONS = 300, MOST_CLUSTERS = 1 << 30 };
static const double TOLERANCE = 1e-6;

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
    if (!chosen->has_tolerance) chosen->tolerance = TOLERANCE;
    if (!(chosen->tolerance >= 0)) return wl_fail(error, WL_ERROR_ARGUMENT, "the tolerance is not a number from 0 on");
    if (!chosen->starts) chosen->starts = STARTS;
    if (!chosen->most_iterations) chosen->most_iterations = ITERATIONS;
    return WL_OK;
}

/* ---- the rows as they are clustered ---- */

struct prepared {
    wl_vectors rows; /* F32 */
    float *copy;     /* of the rows, where they are not the caller's own */
    double *mean;    /* what was subtracted from every row; NULL: nothing */
};

/* Rows far from the origin: distances are small beside lengths, and both the screen's bounds and the last digits suffer
 * from it. What is the same in all rows changes no distance between them, so it need not be the mean exactly: that of
 * some rows does. */
static wl_status find_mean(struct prepared *prepared, float *values, wl_error *error)
{
    enum { SOME_ROWS = 4096 };
    const wl_vectors *rows = &prepared->rows;
    double *mean = wl_allocate(rows->dim, sizeof *mean, error), square = 0, squares = 0;
    if (!mean) return WL_ERROR_MEMORY;
    size_t step = rows->count / SOME_ROWS + 1, taken = (rows->count + step - 1) / step;
    for (size_t row = 0; row < rows->count; row += step) {
        wl_row_floats(rows, row, values);
        for (size_t k = 0; k < rows->dim; k++) mean[k] += (double)values[k];
        squares += wl_vector_dot(WL_ELEMENT_F32, values, values, rows->dim) / (double)taken;
    }
    for (size_t k = 0; k < rows->dim; k++) {
        mean[k] /= (double)taken;
        square += mean[k] * mean[k];
    }
    bool far = square > squares / 2 && squares < 1e70; /* the difference of longer rows might not be a float */
    if (far)
        prepared->mean = mean;
    else
        free(mean);
    return WL_OK;
}

static wl_status prepare(struct prepared *prepared, bool unit, wl_error *error)
{
    wl_vectors *rows = &prepared->rows;
    float *values = wl_allocate(rows->dim, sizeof *values, error);
    wl_status status = !values ? WL_ERROR_MEMORY : unit ? WL_OK : find_mean(prepared, values, error);
    free(values);
    if (status || (rows->element == WL_ELEMENT_F32 && !unit && !prepared->mean)) return status;
    float *copy = prepared->copy = wl_allocate(rows->count, rows->dim * sizeof *copy, error);
    if (!copy) return WL_ERROR_MEMORY;
    if (unit && wl_vectors_normalize(rows, copy, error)) return error->code;
    for (size_t row = 0; !unit && row < rows->count; row++) {
        float *to = copy + row * rows->dim;
        wl_row_floats(rows, row, to);
        for (size_t k = 0; prepared->mean && k < rows->dim; k++) to[k] = (float)((double)to[k] - prepared->mean[k]);
    }
    rows->data = copy;
    rows->element = WL_ELEMENT_F32;
    return WL_OK;
}

/* ---- starts and swaps ---- */

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

/* Moves single centroids of the best result for as long as it becomes better, for most_iterations in all. */
static wl_status improve(wl_kmeans *kmeans, const wl_cluster_options *options, struct best *best, uint64_t *done,
                         wl_error *error)
{
    enum { FAILURES = 3 };
    const double part = fmax(options->tolerance, 1e-9);
    wl_random random = wl_random_seed(options->seed, options->starts);
    uint64_t iterations = 0;
    for (size_t failures = 0; failures < FAILURES && best->result.converged && iterations < options->most_iterations;) {
        wl_clustering result;
        bool moved;
        memcpy(kmeans->labels, best->labels, kmeans->rows.count * sizeof *best->labels);
        memcpy(kmeans->centroids, best->centroids, kmeans->clusters * kmeans->rows.dim * sizeof *best->centroids);
        if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_take_scores(kmeans, &result.inertia, error) ||
            wl_kmeans_swap(kmeans, failures, &random, &moved, error))
            return error->code;
        if (!moved) return WL_OK;
        if (wl_kmeans_iterate(kmeans, options, &result, done, error)) return error->code;
        iterations += result.iterations;
        failures++;
        if (!(result.inertia < best->result.inertia * (1 - part))) continue;
        result.iterations += best->result.iterations;
        keep(kmeans, &result, best);
        failures = 0;
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
    struct prepared prepared = {.rows = *vectors};
    wl_kmeans kmeans = {.context = context, .clusters = chosen.clusters, .spherical = chosen.spherical};
    struct best best = {.labels = labels};
    size_t dim = vectors->dim, size = chosen.clusters * dim;
    wl_status status = prepare(&prepared, chosen.spherical, error);
    kmeans.rows = prepared.rows;
    if (!status) status = wl_kmeans_create(&kmeans, error);
    if (!status && !(best.centroids = wl_allocate(size, sizeof *best.centroids, error))) status = WL_ERROR_MEMORY;
    if (!status) status = run(&kmeans, &chosen, &best, error);
    for (size_t i = 0; !status && centroids && i < size; i++)
        centroids[i] = prepared.mean ? (float)((double)best.centroids[i] + prepared.mean[i % dim]) : best.centroids[i];
    if (!status && result) *result = best.result;
    wl_kmeans_free(&kmeans);
    free(best.centroids);
    free(prepared.copy);
    free(prepared.mean);
    return status;
}

/* ---- what describes a cluster ---- */

struct nearest {
    const wl_vectors *vectors;
    const uint32_t *labels;
    const float *centroids;
    size_t clusters, most;
    wl_context *context;
    wl_match *matches;        /* (threads, clusters, most) */
    wl_selection *selections; /* (threads, clusters) */
    float *values;            /* (threads, dim) */
};

enum { NEAREST_ROWS = 1024 };

static void select_nearest(void *user, uint32_t worker, size_t item)
{
    const struct nearest *nearest = user;
    size_t dim = nearest->vectors->dim, end = (item + 1) * NEAREST_ROWS;
    if (end > nearest->vectors->count) end = nearest->vectors->count;
    float *values = nearest->values + worker * dim;
    wl_selection *selections = nearest->selections + worker * nearest->clusters;
    for (size_t row = item * NEAREST_ROWS; row < end; row++) {
        uint32_t label = nearest->labels[row];
        wl_error error;
        wl_row_floats(nearest->vectors, row, values);
        float score = label < nearest->clusters ? wl_cosine(values, nearest->centroids + label * dim, dim) : NAN;
        if (isfinite(score)) {
            wl_select(&selections[label], (wl_match){row, score});
            continue;
        }
        if (label < nearest->clusters)
            wl_fail_not_finite(&error, row);
        else
            wl_fail(&error, WL_ERROR_ARGUMENT, "row %zu has the label %u, expected less than %zu", row, label,
                    nearest->clusters);
        wl_worker_fail(&nearest->context->workers[worker], item, &error);
        return;
    }
}

static wl_status run_nearest(struct nearest *nearest, wl_match *out, wl_error *error)
{
    size_t threads = wl_context_threads(nearest->context), clusters = nearest->clusters, most = nearest->most;
    for (size_t i = 0; i < threads * clusters; i++)
        nearest->selections[i] = (wl_selection){nearest->matches + i * most, 0, most};
    if (wl_context_run(nearest->context, (nearest->vectors->count + NEAREST_ROWS - 1) / NEAREST_ROWS, select_nearest,
                       nearest, error))
        return error->code;
    for (size_t i = 0; i < clusters; i++) {
        wl_selection all = {out + i * most, 0, most};
        for (size_t worker = 0; worker < threads; worker++) {
            const wl_selection *part = &nearest->selections[worker * clusters + i];
            for (size_t j = 0; j < part->count; j++) wl_select(&all, part->matches[j]);
        }
        wl_sort_matches(all.matches, all.count);
        for (size_t j = all.count; j < most; j++) all.matches[j] = (wl_match){WL_NONE, 0};
    }
    return WL_OK;
}

wl_status wl_cluster_nearest(const wl_vectors *vectors, const uint32_t *labels, const float *centroids,
                             uint32_t clusters, size_t most, wl_context *context, wl_match *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    if (wl_vectors_check(vectors, "vectors", error)) return error->code;
    if (!context || (vectors->count && !labels) || !centroids || (most && clusters && !out))
        return wl_fail(error, WL_ERROR_ARGUMENT, "wl_cluster_nearest: an argument is NULL");
    if (!most || !clusters) return WL_OK;
    size_t threads = wl_context_threads(context);
    struct nearest nearest = {vectors, labels, centroids, clusters, most, context, NULL, NULL, NULL};
    nearest.matches = wl_allocate(threads * clusters, most * sizeof *nearest.matches, error);
    nearest.selections = wl_allocate(threads * clusters, sizeof *nearest.selections, error);
    nearest.values = wl_allocate(threads, vectors->dim * sizeof *nearest.values, error);
    wl_status status =
        nearest.matches && nearest.selections && nearest.values ? run_nearest(&nearest, out, error) : WL_ERROR_MEMORY;
    free(nearest.matches);
    free(nearest.selections);
    free(nearest.values);
    return status;
}
