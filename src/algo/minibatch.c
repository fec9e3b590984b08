/* Mini-batch k-means (Sculley, WWW 2010): each step assigns a few rows and moves their centroids towards them, by less
 * the more rows a centroid has seen. It stops when a moving average of the batches' inertia has not improved for a
 * while, as scikit-learn does; a last pass assigns all rows. Cost a step: clusters * batch * dim multiplications. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/kmeans.h"

enum { PATIENCE = 10 /* steps without improvement */ };

static void move_towards(wl_kmeans *kmeans, const size_t *rows, size_t count)
{
    size_t dim = kmeans->rows.dim;
    for (size_t i = 0; i < count; i++) {
        uint32_t label = kmeans->labels[rows[i]];
        float *centroid = kmeans->centroids + label * dim;
        double part = 1 / (double)++kmeans->sizes[label];
        const float *values = (const float *)wl_row(&kmeans->rows, rows[i]);
        for (size_t k = 0; k < dim; k++)
            centroid[k] = (float)((double)centroid[k] + ((double)values[k] - (double)centroid[k]) * part);
    }
}

static void make_unit(float *centroid, size_t dim)
{
    double square = wl_kernels_best()->pairs[WL_ELEMENT_F32].dot(centroid, centroid, dim);
    for (size_t k = 0; square > 0 && k < dim; k++) centroid[k] = (float)((double)centroid[k] / sqrt(square));
}

/* Centroids that no row came to start again at a row of the batch. */
static void restart_empty(wl_kmeans *kmeans, const size_t *rows, size_t count, wl_random *random)
{
    for (size_t i = 0; i < kmeans->clusters; i++) {
        if (kmeans->sizes[i]) continue;
        size_t row = rows[wl_random_below(random, count)];
        wl_row_floats(&kmeans->rows, row, kmeans->centroids + i * kmeans->rows.dim);
        kmeans->sizes[i] = 1;
    }
}

static wl_status iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_random *random, size_t *rows,
                         wl_clustering *result, uint64_t *done, wl_error *error)
{
    size_t count = kmeans->rows.count, batch = options->batch < count ? options->batch : count;
    uint64_t epoch = (count + batch - 1) / batch;
    double average = INFINITY, best = INFINITY, weight = fmin(1, 2 * (double)batch / ((double)count + 1));
    uint32_t waited = 0;
    memset(kmeans->labels, 0, count * sizeof *kmeans->labels);
    memset(kmeans->sizes, 0, kmeans->clusters * sizeof *kmeans->sizes);
    result->iterations = 0;
    result->converged = false;
    for (uint64_t step = 1; step <= epoch * options->most_iterations && !result->converged; step++) {
        for (size_t i = 0; i < batch; i++) rows[i] = wl_random_below(random, count);
        /* A row that was drawn twice would be two threads' at once. */
        size_t different = 0;
        for (size_t i = 0; i < batch; i++) {
            if (kmeans->labels[rows[i]] & 1u << 31) continue;
            kmeans->labels[rows[i]] |= 1u << 31;
            rows[different++] = rows[i];
        }
        for (size_t i = 0; i < different; i++) kmeans->labels[rows[i]] &= ~(1u << 31);
        if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_assign_some(kmeans, rows, different, error))
            return error->code;
        double inertia = 0;
        for (size_t i = 0; i < different; i++) inertia += wl_kmeans_distance(kmeans, rows[i]) / (double)different;
        move_towards(kmeans, rows, different);
        if (step % epoch == 0) restart_empty(kmeans, rows, different, random);
        for (size_t i = 0; kmeans->spherical && i < kmeans->clusters; i++)
            make_unit(kmeans->centroids + i * kmeans->rows.dim, kmeans->rows.dim);
        if (step > 1) { /* the seeds' own inertia says little */
            average = isfinite(average) ? average * (1 - weight) + inertia * weight : inertia;
            waited = average < best * (1 - options->tolerance) ? 0 : waited + 1;
            best = fmin(best, average);
            result->converged = waited >= PATIENCE;
        }
        result->iterations = (uint32_t)((step + epoch - 1) / epoch);
        if (step % epoch == 0 && options->progress && !options->progress(options->user, ++*done, 0))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
    }
    double unused;
    if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_take_scores(kmeans, &unused, error) ||
        wl_kmeans_assign(kmeans, WL_PANEL_LANES, error))
        return error->code;
    return wl_kmeans_take_scores(kmeans, &result->inertia, error);
}

wl_status wl_kmeans_iterate_batches(wl_kmeans *kmeans, const wl_cluster_options *options, wl_random *random,
                                    wl_clustering *result, uint64_t *done, wl_error *error)
{
    size_t *rows =
        wl_allocate(options->batch < kmeans->rows.count ? options->batch : kmeans->rows.count, sizeof *rows, error);
    wl_status status = rows ? iterate(kmeans, options, random, rows, result, done, error) : error->code;
    free(rows);
    return status;
}
