/* Lloyd's algorithm (IEEE Trans. Inf. Theory 28, 1982): rows to their nearest centroids, centroids to the means of
 * their rows, until the sum of the squared distances falls no more. Its last step gives rows their centroids, so that
 * labels, centroids and inertia belong together.
 *
 * Sums are kept in F64 and changed by the rows that moved only, in the order of the rows; threads take columns, so no
 * sum depends on their number. Cost a step: clusters * rows * dim multiplications (in bytes where the processor has
 * VNNI), one exact dot product a row and another for each centroid that may be nearer, and the rows that moved. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/kmeans.h"
#include "algo/select.h"

struct update {
    wl_kmeans *kmeans;
    const size_t *moved; /* rows whose labels changed */
    size_t moved_count, width;
    const uint32_t *before; /* (count), their labels before; NULL: the sums are empty and all rows are new */
};

static void update_columns(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    const struct update *update = user;
    wl_kmeans *kmeans = update->kmeans;
    size_t dim = kmeans->rows.dim, begin = item * update->width;
    size_t end = dim - begin < update->width ? dim : begin + update->width;
    for (size_t i = 0; i < update->moved_count; i++) {
        size_t row = update->moved[i];
        const float *values = (const float *)wl_row(&kmeans->rows, row);
        double *to = kmeans->sums + kmeans->labels[row] * dim;
        for (size_t k = begin; k < end; k++) to[k] += (double)values[k];
        if (!update->before) continue;
        double *from = kmeans->sums + update->before[row] * dim;
        for (size_t k = begin; k < end; k++) from[k] -= (double)values[k];
    }
}

static void move_centroids(wl_kmeans *kmeans)
{
    size_t dim = kmeans->rows.dim;
    for (size_t i = 0; i < kmeans->clusters; i++) {
        const double *sum = kmeans->sums + i * dim;
        double divisor = kmeans->sizes[i];
        if (kmeans->spherical) {
            double square = 0;
            for (size_t k = 0; k < dim; k++) square += sum[k] * sum[k];
            divisor = sqrt(square);
        }
        if (kmeans->sizes[i] == 0 || !(divisor > 0)) continue; /* stays where it is */
        for (size_t k = 0; k < dim; k++) kmeans->centroids[i * dim + k] = (float)(sum[k] / divisor);
    }
}

/* Gives each cluster without rows the row that is farthest from its centroid, of clusters that have others. Returns
 * whether one was found. */
static wl_status fill_empty(wl_kmeans *kmeans, bool *filled, wl_error *error)
{
    size_t empty = 0;
    for (size_t i = 0; i < kmeans->clusters; i++) empty += kmeans->sizes[i] == 0;
    *filled = false;
    if (!empty) return WL_OK;
    wl_match *matches = wl_allocate(empty, sizeof *matches, error);
    if (!matches) return error->code;
    wl_selection farthest = {matches, 0, empty};
    for (size_t row = 0; row < kmeans->rows.count; row++) {
        double distance = kmeans->squares[row] - 2 * kmeans->scores[row];
        /* What rounding alone can make is no distance. */
        if (distance > 1e-12 * kmeans->squares[row]) wl_select(&farthest, (wl_match){row, (float)distance});
    }
    wl_sort_matches(matches, farthest.count);
    size_t next = 0;
    for (size_t i = 0; i < kmeans->clusters && next < farthest.count; i++) {
        if (kmeans->sizes[i]) continue;
        size_t row = matches[next++].index;
        if (kmeans->sizes[kmeans->labels[row]] < 2) continue;
        kmeans->sizes[kmeans->labels[row]]--;
        kmeans->labels[row] = (uint32_t)i;
        kmeans->sizes[i] = 1;
        *filled = true;
    }
    free(matches);
    return WL_OK;
}

static size_t find_moved(const wl_kmeans *kmeans, const uint32_t *before, bool all, size_t *moved)
{
    size_t count = 0;
    for (size_t row = 0; row < kmeans->rows.count; row++)
        if (all || kmeans->labels[row] != before[row]) moved[count++] = row;
    return count;
}

static void count_sizes(wl_kmeans *kmeans)
{
    memset(kmeans->sizes, 0, kmeans->clusters * sizeof *kmeans->sizes);
    for (size_t row = 0; row < kmeans->rows.count; row++) kmeans->sizes[kmeans->labels[row]]++;
}

/* One step after an assignment; *moved: how many rows have another label than before. */
static wl_status update(wl_kmeans *kmeans, uint32_t *before, size_t *rows, bool first, wl_error *error)
{
    size_t threads = wl_context_threads(kmeans->context), dim = kmeans->rows.dim;
    struct update update = {
        .kmeans = kmeans,
        .moved = rows,
        .moved_count = find_moved(kmeans, before, first, rows),
        .width = ((dim + threads - 1) / threads + 15) / 16 * 16,
        .before = first ? NULL : before,
    };
    if (first) memset(kmeans->sums, 0, kmeans->clusters * dim * sizeof *kmeans->sums);
    if (wl_context_run(kmeans->context, (dim + update.width - 1) / update.width, update_columns, &update, error))
        return error->code;
    memcpy(before, kmeans->labels, kmeans->rows.count * sizeof *before);
    move_centroids(kmeans);
    return WL_OK;
}

static bool same_labels(const wl_kmeans *kmeans, const uint32_t *before)
{
    return memcmp(kmeans->labels, before, kmeans->rows.count * sizeof *before) == 0;
}

static wl_status iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_clustering *result, uint32_t *before,
                         size_t *moved, uint64_t *done, wl_error *error)
{
    double previous = INFINITY;
    for (uint32_t iteration = 1;; iteration++) {
        size_t chunk = iteration == 1 ? WL_PANEL_LANES : WL_KMEANS_CHUNK; /* the first guesses are bad */
        if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_assign(kmeans, chunk, &result->inertia, error))
            return error->code;
        ++*done;
        if (options->progress && !options->progress(options->user, *done, 0))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
        result->iterations = iteration;
        count_sizes(kmeans);
        result->converged = (iteration > 1 && same_labels(kmeans, before)) ||
                            previous - result->inertia < options->tolerance * result->inertia;
        previous = result->inertia;
        if (iteration == options->most_iterations) return WL_OK;
        bool filled;
        if (fill_empty(kmeans, &filled, error)) return error->code;
        if (result->converged && !filled) return WL_OK;
        if (update(kmeans, before, moved, iteration == 1, error)) return error->code;
    }
}

wl_status wl_kmeans_iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_clustering *result, uint64_t *done,
                            wl_error *error)
{
    uint32_t *before = wl_allocate(kmeans->rows.count, sizeof *before, error);
    size_t *moved = before ? wl_allocate(kmeans->rows.count, sizeof *moved, error) : NULL;
    wl_status status = moved ? iterate(kmeans, options, result, before, moved, done, error) : error->code;
    free(moved);
    free(before);
    return status;
}
