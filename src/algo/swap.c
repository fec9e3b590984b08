/* A step out of a local minimum of k-means: two centroids that share what one could hold, while another one holds what
 * would need two, is what Lloyd's iterations cannot mend. The centroid whose rows lose the least with their neighbour's
 * moves into a cluster of great inertia; whoever asked for it iterates again and keeps the better result. (Swaps as in
 * Franti, Journal of Big Data 5:13, 2018, but with both ends chosen rather than drawn.) Cost: clusters^2 / 2 + 16
 * times the cluster's rows, in dot products. */
#include <math.h>
#include <stdlib.h>

#include "algo/kmeans.h"
#include "algo/select.h"

enum { DRAWS = 16, MOST_CLUSTERS = 4096 /* one of more is not worth comparing all pairs */ };

/* The cluster, other than the one given, that costs the least to merge with another one (Ward's criterion). */
static size_t find_needless(const wl_kmeans *kmeans, size_t kept)
{
    size_t dim = kmeans->rows.dim, found = WL_NONE;
    double least = INFINITY;
    for (size_t i = 1; i < kmeans->clusters; i++)
        for (size_t j = 0; j < i; j++) {
            double a = kmeans->sizes[i], b = kmeans->sizes[j], cost = 0;
            if (a > 0 && b > 0)
                cost = a * b / (a + b) *
                       wl_vector_squared_distance(WL_ELEMENT_F32, kmeans->centroids + i * dim,
                                                  kmeans->centroids + j * dim, dim);
            if (cost < least) {
                least = cost;
                found = i == kept || (j != kept && b < a) ? j : i; /* the smaller one moves */
            }
        }
    return found;
}

/* Of some rows of a cluster the one that would bring its rows nearest as a second centroid. */
static size_t find_place(const wl_kmeans *kmeans, const size_t *members, size_t count, wl_random *random)
{
    size_t best = members[0];
    double most = -1;
    for (size_t draw = 0; draw < DRAWS; draw++) {
        size_t row = members[wl_random_below(random, count)];
        double gain = 0;
        for (size_t i = 0; i < count; i++) {
            double distance = wl_vector_squared_distance(WL_ELEMENT_F32, wl_row(&kmeans->rows, row),
                                                         wl_row(&kmeans->rows, members[i]), kmeans->rows.dim);
            gain += fmax(wl_kmeans_distance(kmeans, members[i]) - distance, 0);
        }
        if (gain > most) {
            most = gain;
            best = row;
        }
    }
    return best;
}

wl_status wl_kmeans_swap(wl_kmeans *kmeans, size_t attempt, wl_random *random, bool *moved, wl_error *error)
{
    *moved = false;
    size_t clusters = kmeans->clusters, count = 0;
    if (clusters < 3 || clusters > MOST_CLUSTERS || attempt >= clusters) return WL_OK;
    wl_kmeans_count_sizes(kmeans);
    wl_match *order = wl_allocate(clusters, sizeof *order, error);
    size_t *members = order ? wl_allocate(kmeans->rows.count, sizeof *members, error) : NULL;
    double *inertias = members ? wl_allocate(clusters, sizeof *inertias, error) : NULL;
    wl_status status = inertias ? WL_OK : WL_ERROR_MEMORY;
    if (!status) {
        for (size_t row = 0; row < kmeans->rows.count; row++)
            inertias[kmeans->labels[row]] += wl_kmeans_distance(kmeans, row);
        for (size_t i = 0; i < clusters; i++) order[i] = (wl_match){i, (float)inertias[i]};
        wl_sort_matches(order, clusters);
        size_t wide = order[attempt].index, needless = find_needless(kmeans, wide);
        for (size_t row = 0; row < kmeans->rows.count; row++)
            if (kmeans->labels[row] == wide) members[count++] = row;
        if (count > 1 && inertias[wide] > 0 && needless != WL_NONE) {
            size_t place = find_place(kmeans, members, count, random);
            wl_row_floats(&kmeans->rows, place, kmeans->centroids + needless * kmeans->rows.dim);
            *moved = true;
        }
    }
    free(inertias);
    free(members);
    free(order);
    return status;
}
