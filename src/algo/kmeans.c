/* Rows and centroids as a screen sees them, and the assignment of the one to the other. */
#include "algo/kmeans.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static void load_rows(void *user, uint32_t worker, size_t item)
{
    wl_kmeans *kmeans = user;
    float *values = kmeans->values + worker * kmeans->rows.dim;
    size_t end = (item + 1) * WL_KMEANS_GROUP;
    if (end > kmeans->tile_count) end = kmeans->tile_count;
    for (size_t tile = item * WL_KMEANS_GROUP; tile < end; tile++) {
        size_t first = tile * WL_TILE_QUERIES;
        wl_screen_tile_fill(&kmeans->screen, &kmeans->tiles[tile],
                            kmeans->groups + tile * wl_screen_tile_size(&kmeans->screen), &kmeans->rows, first, values,
                            kmeans->squares + first);
    }
}

wl_status wl_kmeans_create(wl_kmeans *kmeans, wl_error *error)
{
    size_t count = kmeans->rows.count, dim = kmeans->rows.dim, clusters = kmeans->clusters;
    size_t threads = wl_context_threads(kmeans->context);
    kmeans->screen = wl_screen_make(&kmeans->rows, 0, false);
    size_t tile_size = wl_screen_tile_size(&kmeans->screen);
    kmeans->tile_count = (count + WL_TILE_QUERIES - 1) / WL_TILE_QUERIES;
    kmeans->block_count = (clusters + WL_BLOCK_ROWS - 1) / WL_BLOCK_ROWS;
    kmeans->squares = wl_allocate(count, sizeof *kmeans->squares, error);
    kmeans->tiles = wl_allocate(kmeans->tile_count, sizeof *kmeans->tiles, error);
    kmeans->groups = wl_allocate(kmeans->tile_count, tile_size, error);
    kmeans->centroids = wl_allocate(clusters, dim * sizeof *kmeans->centroids, error);
    kmeans->halves = wl_allocate(clusters, sizeof *kmeans->halves, error);
    kmeans->biases = wl_allocate(clusters, sizeof *kmeans->biases, error);
    kmeans->blocks = wl_allocate(kmeans->block_count, sizeof *kmeans->blocks, error);
    kmeans->labels = wl_allocate(count, sizeof *kmeans->labels, error);
    kmeans->scores = wl_allocate(count, sizeof *kmeans->scores, error);
    kmeans->drifts = wl_allocate(clusters, sizeof *kmeans->drifts, error);
    kmeans->rises = wl_allocate(clusters, sizeof *kmeans->rises, error);
    kmeans->sums = wl_allocate(clusters, dim * sizeof *kmeans->sums, error);
    kmeans->sizes = wl_allocate(clusters, sizeof *kmeans->sizes, error);
    kmeans->hits = wl_allocate(threads * WL_KMEANS_HITS, sizeof *kmeans->hits, error);
    kmeans->values = wl_allocate(threads, dim * sizeof *kmeans->values, error);
    kmeans->scratch = wl_allocate(threads, tile_size, error);
    kmeans->parts = wl_allocate(kmeans->tile_count / WL_KMEANS_GROUP + 1, sizeof *kmeans->parts, error);
    if (!kmeans->squares || !kmeans->tiles || !kmeans->groups || !kmeans->centroids || !kmeans->halves ||
        !kmeans->biases || !kmeans->blocks || !kmeans->labels || !kmeans->scores || !kmeans->drifts || !kmeans->rises ||
        !kmeans->sums || !kmeans->sizes || !kmeans->hits || !kmeans->values || !kmeans->scratch || !kmeans->parts)
        return error->code;
    for (size_t i = 0; i < kmeans->block_count; i++)
        if (wl_screen_rows_create(&kmeans->screen, &kmeans->blocks[i], error)) return error->code;
    if (wl_context_run(kmeans->context, (kmeans->tile_count + WL_KMEANS_GROUP - 1) / WL_KMEANS_GROUP, load_rows, kmeans,
                       error))
        return error->code;
    for (size_t row = 0; row < count; row++)
        if (!isfinite(kmeans->squares[row])) return wl_fail_not_finite(error, row);
    return WL_OK;
}

void wl_kmeans_free(wl_kmeans *kmeans)
{
    for (size_t i = 0; kmeans->blocks && i < kmeans->block_count; i++) wl_screen_rows_free(&kmeans->blocks[i]);
    void *const owned[] = {kmeans->squares, kmeans->tiles,  kmeans->groups, kmeans->centroids, kmeans->halves,
                           kmeans->biases,  kmeans->blocks, kmeans->labels, kmeans->scores,    kmeans->drifts,
                           kmeans->rises,   kmeans->sums,   kmeans->sizes,  kmeans->hits,      kmeans->values,
                           kmeans->scratch, kmeans->parts};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++) free(owned[i]);
    *kmeans = (wl_kmeans){0};
}

/* ---- assigning ---- */

static void load_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    wl_kmeans *kmeans = user;
    size_t first = item * WL_BLOCK_ROWS, count = kmeans->clusters - first, bad;
    if (count > WL_BLOCK_ROWS) count = WL_BLOCK_ROWS;
    wl_vectors centroids = {kmeans->centroids, kmeans->clusters, kmeans->rows.dim, WL_ELEMENT_F32};
    wl_screen_rows_load(&kmeans->screen, &kmeans->blocks[item], &centroids, first, count, kmeans->biases + first, &bad);
}

wl_status wl_kmeans_load_centroids(wl_kmeans *kmeans, wl_error *error)
{
    size_t dim = kmeans->rows.dim;
    for (size_t i = 0; i < kmeans->clusters; i++) {
        const float *centroid = kmeans->centroids + i * dim;
        kmeans->halves[i] = wl_kernels_best()->pairs[WL_ELEMENT_F32].dot(centroid, centroid, dim) / 2;
        kmeans->biases[i] = (float)-kmeans->halves[i];
    }
    return wl_context_run(kmeans->context, kmeans->block_count, load_block, kmeans, error);
}

/* At least the score, in single precision. */
static double most_score(const wl_kmeans *kmeans, size_t row, size_t centroid)
{
    double length = sqrt(kmeans->squares[row] * 2 * kmeans->halves[centroid]);
    return wl_rough_bound(wl_kernels_best(), wl_row(&kmeans->rows, row),
                          kmeans->centroids + centroid * kmeans->rows.dim, kmeans->rows.dim, length) -
           kmeans->halves[centroid];
}

/* Gives the rows of a tile their nearest centroids. A tile is one worker's at a time. */
static void assign_tile(wl_kmeans *kmeans, uint32_t worker, wl_screen_tile *tile, const size_t *rows, size_t count,
                        size_t chunk)
{
    wl_hit *hits = kmeans->hits + (size_t)worker * WL_KMEANS_HITS;
    size_t guessed[WL_TILE_QUERIES];
    bool known[WL_TILE_QUERIES] = {false}; /* the score is no bound but computed */
    for (size_t place = 0; place < count; place++) guessed[place] = kmeans->labels[rows[place]];
    for (size_t i = 0; i < kmeans->block_count; i++) {
        const wl_screen_rows *block = &kmeans->blocks[i];
        for (size_t at = 0; at < block->count; at += chunk) {
            for (size_t place = 0; place < count; place++)
                wl_screen_tile_aim(&kmeans->screen, tile, place, block, kmeans->scores[rows[place]]);
            size_t end = block->count - at < chunk ? block->count : at + chunk;
            size_t found = wl_screen_run(&kmeans->screen, block, at, end, tile, hits);
            for (size_t hit = 0; hit < found; hit++) {
                size_t place = hits[hit].query, row = rows[place], centroid = i * WL_BLOCK_ROWS + hits[hit].row;
                if (centroid == guessed[place]) continue;
                if (!known[place]) {
                    kmeans->scores[row] = wl_kmeans_score(kmeans, row, guessed[place]);
                    known[place] = true;
                }
                double best = kmeans->scores[row];
                if (most_score(kmeans, row, centroid) < best) continue;
                double score = wl_kmeans_score(kmeans, row, centroid);
                if (score < best || (score == best && centroid > kmeans->labels[row])) continue;
                kmeans->scores[row] = score;
                kmeans->labels[row] = (uint32_t)centroid;
            }
        }
    }
}

struct assignment {
    wl_kmeans *kmeans;
    size_t chunk;
    const size_t *rows; /* those of wl_kmeans_assign_some */
    size_t count;
};

/* The centroid moved by d: x.(c + d) is at least x.c - |x| |d|. Where that loses as much as the screen does, the score
 * is computed instead: a low bound lets many centroids through. */
static void loosen(wl_kmeans *kmeans, const wl_screen_tile *tile, size_t place, size_t row)
{
    uint32_t label = kmeans->labels[row];
    double *score = &kmeans->scores[row];
    double loss = sqrt(kmeans->squares[row]) * kmeans->drifts[label] + fmax(kmeans->rises[label], 0);
    if (loss > tile->error[place] * kmeans->blocks[0].length / 2)
        *score = wl_kmeans_score(kmeans, row, label);
    else if (loss > 0)
        *score -= loss + 1e-12 * (fabs(*score) + loss);
}

static void assign_group(void *user, uint32_t worker, size_t item)
{
    const struct assignment *assignment = user;
    wl_kmeans *kmeans = assignment->kmeans;
    size_t end = (item + 1) * WL_KMEANS_GROUP;
    if (end > kmeans->tile_count) end = kmeans->tile_count;
    for (size_t tile = item * WL_KMEANS_GROUP; tile < end; tile++) {
        size_t rows[WL_TILE_QUERIES], count = 0;
        for (size_t row = tile * WL_TILE_QUERIES; count < WL_TILE_QUERIES && row < kmeans->rows.count; row++) {
            loosen(kmeans, &kmeans->tiles[tile], count, row);
            rows[count++] = row;
        }
        assign_tile(kmeans, worker, &kmeans->tiles[tile], rows, count, assignment->chunk);
    }
}

wl_status wl_kmeans_assign(wl_kmeans *kmeans, size_t chunk, wl_error *error)
{
    struct assignment assignment = {.kmeans = kmeans, .chunk = chunk};
    size_t groups = (kmeans->tile_count + WL_KMEANS_GROUP - 1) / WL_KMEANS_GROUP;
    return wl_context_run(kmeans->context, groups, assign_group, &assignment, error);
}

void wl_kmeans_count_sizes(wl_kmeans *kmeans)
{
    memset(kmeans->sizes, 0, kmeans->clusters * sizeof *kmeans->sizes);
    for (size_t row = 0; row < kmeans->rows.count; row++) kmeans->sizes[kmeans->labels[row]]++;
}

static void score_group(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    wl_kmeans *kmeans = user;
    enum { ROWS = WL_KMEANS_GROUP * WL_TILE_QUERIES };
    size_t end = (item + 1) * ROWS < kmeans->rows.count ? (item + 1) * ROWS : kmeans->rows.count;
    double sum = 0;
    for (size_t row = item * ROWS; row < end; row++) {
        kmeans->scores[row] = wl_kmeans_score(kmeans, row, kmeans->labels[row]);
        sum += wl_kmeans_distance(kmeans, row);
    }
    kmeans->parts[item] = sum;
}

wl_status wl_kmeans_take_scores(wl_kmeans *kmeans, double *inertia, wl_error *error)
{
    size_t groups = (kmeans->tile_count + WL_KMEANS_GROUP - 1) / WL_KMEANS_GROUP;
    if (wl_context_run(kmeans->context, groups, score_group, kmeans, error)) return error->code;
    *inertia = 0;
    for (size_t i = 0; i < groups; i++) *inertia += kmeans->parts[i];
    memset(kmeans->drifts, 0, kmeans->clusters * sizeof *kmeans->drifts);
    memset(kmeans->rises, 0, kmeans->clusters * sizeof *kmeans->rises);
    return WL_OK;
}

/* Rows from anywhere: a tile is made of them on the spot. */
static void assign_listed(void *user, uint32_t worker, size_t item)
{
    const struct assignment *assignment = user;
    wl_kmeans *kmeans = assignment->kmeans;
    size_t first = item * WL_TILE_QUERIES, count = assignment->count - first;
    if (count > WL_TILE_QUERIES) count = WL_TILE_QUERIES;
    wl_screen_tile tile;
    wl_screen_tile_clear(&kmeans->screen, &tile, kmeans->scratch + worker * wl_screen_tile_size(&kmeans->screen));
    for (size_t place = 0; place < count; place++) {
        size_t row = assignment->rows[first + place];
        wl_screen_tile_load(&kmeans->screen, &tile, place, &kmeans->rows, row,
                            kmeans->values + worker * kmeans->rows.dim);
        kmeans->scores[row] = wl_kmeans_score(kmeans, row, kmeans->labels[row]);
    }
    assign_tile(kmeans, worker, &tile, assignment->rows + first, count, WL_PANEL_LANES);
}

wl_status wl_kmeans_assign_some(wl_kmeans *kmeans, const size_t *rows, size_t count, wl_error *error)
{
    struct assignment assignment = {.kmeans = kmeans, .rows = rows, .count = count};
    return wl_context_run(kmeans->context, (count + WL_TILE_QUERIES - 1) / WL_TILE_QUERIES, assign_listed, &assignment,
                          error);
}
