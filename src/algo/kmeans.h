/* k-means in parts: seeding, the assignment of rows to their nearest centroids, the two ways of moving centroids. */
#ifndef WL_ALGO_KMEANS_H
#define WL_ALGO_KMEANS_H

#include "base/random.h"
#include "text/context.h"
#include "vector/screen.h"

/* The nearest centroid of x is that of the largest x.c - |c|^2 / 2, which is called the row's score here; the squared
 * distance is |x|^2 - 2 * score. Scores are computed in F64 from canonical dot products, so that labels do not depend
 * on the instruction set; the screen leaves out what is proven to be lower than the score of the present label. */
typedef struct wl_kmeans {
    wl_context *context;
    wl_vectors rows; /* F32, finite */
    size_t clusters;
    bool spherical;
    double *squares; /* (count), squared lengths of the rows */
    wl_screen screen;
    wl_screen_tile *tiles; /* of the rows, in order */
    char *groups;
    size_t tile_count;
    float *centroids; /* (clusters, dim) */
    double *halves;   /* (clusters), |c|^2 / 2 */
    float *biases;    /* (clusters), -halves */
    wl_screen_rows *blocks;
    size_t block_count;
    uint32_t *labels; /* (count) */
    double *scores;   /* (count), of the rows for their labels, or less: bounds from below */
    double *drifts;   /* (clusters), how far centroids moved since scores were bounds, and */
    double *rises;    /* (clusters), by how much halves grew */
    double *sums;     /* (clusters, dim) */
    uint32_t *sizes;  /* (clusters), rows that have the label */
    wl_hit *hits;     /* (threads, WL_KMEANS_HITS) */
    float *values;    /* (threads, dim) */
    char *scratch;    /* (threads), the groups of a tile */
    double *parts;    /* a number for each item of work, added up in their order */
} wl_kmeans;

enum { WL_KMEANS_CHUNK = WL_BLOCK_ROWS, WL_KMEANS_HITS = WL_TILE_QUERIES * WL_KMEANS_CHUNK, WL_KMEANS_GROUP = 32 };

/* rows, clusters, spherical and context are set; allocates and loads the rest. Free with wl_kmeans_free, also after a
 * failure. The rows must stay. */
wl_status wl_kmeans_create(wl_kmeans *kmeans, wl_error *error);
void wl_kmeans_free(wl_kmeans *kmeans);

/* Chooses centroids among the rows: greedy k-means++. labels are 0 afterwards, as guesses for what follows. */
wl_status wl_kmeans_seed(wl_kmeans *kmeans, wl_random *random, wl_error *error);

/* What assignments need of centroids that changed: halves, biases, blocks. */
wl_status wl_kmeans_load_centroids(wl_kmeans *kmeans, wl_error *error);

/* The score of a row for a centroid. */
static inline double wl_kmeans_score(const wl_kmeans *kmeans, size_t row, size_t centroid)
{
    const wl_kernels *kernels = wl_kernels_best();
    return kernels->pairs[WL_ELEMENT_F32].dot(wl_row(&kmeans->rows, row),
                                              kmeans->centroids + centroid * kmeans->rows.dim, kmeans->rows.dim) -
           kmeans->halves[centroid];
}

/* Counts the rows of each label. */
void wl_kmeans_count_sizes(wl_kmeans *kmeans);

/* The squared distance that a computed score stands for. */
static inline double wl_kmeans_distance(const wl_kmeans *kmeans, size_t row)
{
    double distance = kmeans->squares[row] - 2 * kmeans->scores[row];
    return distance > 0 ? distance : 0;
}

/* Computes the scores of all rows for their labels. *inertia: the sum of the squared distances. */
wl_status wl_kmeans_take_scores(wl_kmeans *kmeans, double *inertia, wl_error *error);
/* Gives every row its nearest centroid. labels hold guesses and scores bounds from below of their scores, before drifts
 * and rises; afterwards they are bounds for the centroids as they are. chunk: centroids between two looks at the best
 * score, a multiple of 16 up to WL_KMEANS_CHUNK: small where the guesses are bad. */
wl_status wl_kmeans_assign(wl_kmeans *kmeans, size_t chunk, wl_error *error);
/* The same for the rows listed alone, whose scores are computed. */
wl_status wl_kmeans_assign_some(wl_kmeans *kmeans, const size_t *rows, size_t count, wl_error *error);

/* Takes a centroid that is missed the least and puts it where it helps the most. attempt: 0 for the most promising
 * place, 1 for the next one, and so on. Needs labels and their scores.
 * *moved: false where there is no such place. */
wl_status wl_kmeans_swap(wl_kmeans *kmeans, size_t attempt, wl_random *random, bool *moved, wl_error *error);

/* Lloyd's iterations from the centroids that are there; labels hold guesses. */
wl_status wl_kmeans_iterate(wl_kmeans *kmeans, const wl_cluster_options *options, wl_clustering *result, uint64_t *done,
                            wl_error *error);
/* Mini-batches (Sculley 2010). */
wl_status wl_kmeans_iterate_batches(wl_kmeans *kmeans, const wl_cluster_options *options, wl_random *random,
                                    wl_clustering *result, uint64_t *done, wl_error *error);

#endif
