/* Lloyd's algorithm (IEEE Trans. Inf. Theory 28, 1982): rows to their nearest centroids, centroids to the means of
 * their rows, until the sum of the squared distances falls no more. Its last step gives rows their centroids, so that
 * labels, centroids and inertia belong together.
 *
 * Sums are kept in F64 and changed by the rows that moved only, in the order of the rows; threads take columns, so no
 * sum depends on their number. Whether the inertia falls follows from the sums, and of a row's own score a bound is
 * kept that is lowered as its centroid moves (Hamerly, SDM 2010); so a row that no other centroid comes near is not
 * read. Cost a step: clusters * rows * dim multiplications (in bytes where the processor has VNNI), exact dot products
 * for the centroids that may be nearer, and the rows that moved. */
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

/* Sets drifts as well: what rows know of their scores is less by as much. */
static void move_centroids(wl_kmeans *kmeans)
{
    size_t dim = kmeans->rows.dim;
    for (size_t i = 0; i < kmeans->clusters; i++) {
        const double *sum = kmeans->sums + i * dim;
        kmeans->drifts[i] = 0;
        double divisor = kmeans->sizes[i];
        if (kmeans->spherical) {
            double square = 0;
            for (size_t k = 0; k < dim; k++) square += sum[k] * sum[k];
            divisor = sqrt(square);
        }
        if (kmeans->sizes[i] == 0 || !(divisor > 0)) continue; /* stays where it is */
        double drift = 0;
        for (size_t k = 0; k < dim; k++) {
            float *value = &kmeans->centroids[i * dim + k], moved = (float)(sum[k] / divisor);
            double difference = (double)moved - (double)*value;
            drift += difference * difference;
            *value = moved;
        }
        kmeans->drifts[i] = sqrt(drift);
    }
}

/* The sum of the squared distances, from the sums of the rows alone: |x|^2 - 2 x.c + |c|^2 of all rows. Good enough to
 * see whether it falls; where it is small beside the squares, the last digits are rounding. */
static double inertia_of_sums(const wl_kmeans *kmeans, double squares)
{
    size_t dim = kmeans->rows.dim;
    double inertia = squares;
    for (size_t i = 0; i < kmeans->clusters; i++) {
        double product = 0;
        for (size_t k = 0; k < dim; k++) product += kmeans->sums[i * dim + k] * (double)kmeans->centroids[i * dim + k];
        inertia += 2 * ((double)kmeans->sizes[i] * kmeans->halves[i] - product);
    }
    return fmax(inertia, 0);
}

/* Gives each cluster without rows the row that is farthest from its centroid, of clusters that have others. *filled:
 * whether one was found. */
static wl_status fill_empty(wl_kmeans *kmeans, bool *filled, wl_error *error)
{
    size_t empty = 0;
    for (size_t i = 0; i < kmeans->clusters; i++) empty += kmeans->sizes[i] == 0;
    *filled = false;
    if (!empty) return WL_OK;
    double inertia;
    if (wl_kmeans_take_scores(kmeans, &inertia, error)) return error->code;
    wl_match *matches = wl_allocate(empty, sizeof *matches, error);
    if (!matches) return error->code;
    wl_selection farthest = {matches, 0, empty};
    for (size_t row = 0; row < kmeans->rows.count; row++) {
        double distance = wl_kmeans_distance(kmeans, row);
        /* What rounding alone can make is no distance; the only row of a cluster stays. */
        if (distance > 1e-12 * kmeans->squares[row] && kmeans->sizes[kmeans->labels[row]] > 1)
            wl_select(&farthest, (wl_match){row, (float)distance});
    }
    wl_sort_matches(matches, farthest.count);
    size_t next = 0;
    for (size_t i = 0; i < kmeans->clusters; i++) {
        if (kmeans->sizes[i]) continue;
        while (next < farthest.count && kmeans->sizes[kmeans->labels[matches[next].index]] < 2) next++;
        if (next == farthest.count) break;
        size_t row = matches[next++].index;
        kmeans->sizes[kmeans->labels[row]]--;
        kmeans->labels[row] = (uint32_t)i;
        kmeans->scores[row] = -INFINITY; /* nothing is known of it there */
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

/* Brings sums up to date with labels. before: those of the time before, or with first nothing. *moved: how many rows
 * have another label. */
static wl_status update_sums(wl_kmeans *kmeans, uint32_t *before, size_t *rows, bool first, size_t *moved,
                             wl_error *error)
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
    *moved = update.moved_count;
    return WL_OK;
}

/* Centroids to the means of their rows. */
static wl_status step(wl_kmeans *kmeans, wl_error *error)
{
    memcpy(kmeans->rises, kmeans->halves, kmeans->clusters * sizeof *kmeans->rises);
    move_centroids(kmeans);
    if (wl_kmeans_load_centroids(kmeans, error)) return error->code;
    for (size_t i = 0; i < kmeans->clusters; i++) kmeans->rises[i] = kmeans->halves[i] - kmeans->rises[i];
    return WL_OK;
}

static wl_status iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_clustering *result, uint32_t *before,
                         size_t *rows, uint64_t *done, wl_error *error)
{
    double previous = INFINITY, squares = 0, unused;
    for (size_t row = 0; row < kmeans->rows.count; row++) squares += kmeans->squares[row];
    if (wl_kmeans_load_centroids(kmeans, error) || wl_kmeans_take_scores(kmeans, &unused, error)) return error->code;
    for (uint32_t iteration = 1;; iteration++) {
        bool first = iteration == 1, filled;
        size_t chunk = first ? WL_PANEL_LANES : WL_KMEANS_CHUNK, moved = 0; /* the first guesses are bad */
        if (wl_kmeans_assign(kmeans, chunk, error)) return error->code;
        wl_kmeans_count_sizes(kmeans);
        if (update_sums(kmeans, before, rows, first, &moved, error)) return error->code;
        result->inertia = inertia_of_sums(kmeans, squares);
        ++*done;
        if (options->progress && !options->progress(options->user, *done, 0))
            return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
        result->iterations = iteration;
        result->converged = moved == 0 || previous - result->inertia < options->tolerance * result->inertia;
        previous = result->inertia;
        if (iteration == options->most_iterations) break;
        if (fill_empty(kmeans, &filled, error)) return error->code;
        if (result->converged && !filled) break;
        if (filled && update_sums(kmeans, before, rows, false, &moved, error)) return error->code;
        if (step(kmeans, error)) return error->code;
    }
    return wl_kmeans_take_scores(kmeans, &result->inertia, error);
}

wl_status wl_kmeans_iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_clustering *result, uint64_t *done,
                            wl_error *error)
{
    uint32_t *before = wl_allocate(kmeans->rows.count, sizeof *before, error);
    size_t *rows = before ? wl_allocate(kmeans->rows.count, sizeof *rows, error) : NULL;
    wl_status status = rows ? iterate(kmeans, options, result, before, rows, done, error) : error->code;
    free(rows);
    free(before);
    return status;
}
