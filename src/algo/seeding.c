/* Greedy k-means++: each centroid is a row drawn with a probability that grows with its squared distance to the
 * centroids before (Arthur, Vassilvitskii, SODA 2007); of 16 draws the one that lowers the sum of the distances the
 * most is kept. Where there are many rows a sample of them is enough: 16 for each centroid.
 *
 * A draw matters only to the rows that are nearer to it than to what they have: the screen finds them.
 * Cost: 16 * k * sampled rows * dim multiplications for the whole, in bytes where the processor has VNNI: the draws of
 * a step are the lanes of one block of rows, which costs the same however many of them are used. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "algo/kmeans.h"

enum { SAMPLE_ROWS = 16, LEAST_SAMPLE = 4096, DRAWS = WL_PANEL_LANES };
enum { GROUP_PAIRS = WL_KMEANS_GROUP * WL_TILE_QUERIES * DRAWS };

/* A place in the sample that is nearer to a draw than to what it has. */
struct nearer {
    uint32_t at, draw;
    double distance; /* squared */
};

struct seeding {
    wl_kmeans *kmeans;
    size_t *rows; /* (count), the sample; whole tiles of rows that follow each other where it is not all of them */
    size_t count, tile_count, draw_count;
    size_t *tiles;         /* (tile_count), of kmeans */
    double *distances;     /* (count), squared, to the nearest centroid so far */
    double *cumulated;     /* (count), their sums up to each */
    struct nearer *nearer; /* (groups, GROUP_PAIRS), what the draws of a step would change */
    size_t *nearer_counts; /* (groups) */
    float *draws;          /* (draw_count, dim) */
    double halves[DRAWS];
    wl_screen_rows block;
};

static void try_draws(void *user, uint32_t worker, size_t item)
{
    const struct seeding *seeding = user;
    wl_kmeans *kmeans = seeding->kmeans;
    const wl_kernels *kernels = wl_kernels_best();
    size_t draws = seeding->draw_count, dim = kmeans->rows.dim;
    wl_hit *hits = kmeans->hits + (size_t)worker * WL_KMEANS_HITS;
    struct nearer *nearer = seeding->nearer + item * GROUP_PAIRS;
    size_t count = 0;
    size_t end =
        (item + 1) * WL_KMEANS_GROUP < seeding->tile_count ? (item + 1) * WL_KMEANS_GROUP : seeding->tile_count;
    for (size_t i = item * WL_KMEANS_GROUP; i < end; i++) {
        wl_screen_tile *tile = &kmeans->tiles[seeding->tiles[i]];
        for (size_t place = 0; place < WL_TILE_QUERIES && tile->used[place]; place++) {
            size_t at = i * WL_TILE_QUERIES + place;
            double distance = seeding->distances[at], square = kmeans->squares[seeding->rows[at]];
            /* |x|^2 - 2 * score < distance */
            wl_screen_tile_aim(&kmeans->screen, tile, place, &seeding->block, (square - distance) / 2);
        }
        size_t found = wl_screen_run(&kmeans->screen, &seeding->block, 0, draws, tile, hits);
        for (size_t hit = 0; hit < found; hit++) {
            size_t at = i * WL_TILE_QUERIES + hits[hit].query, draw = hits[hit].row, row = seeding->rows[at];
            const float *values = wl_row(&kmeans->rows, row), *drawn = seeding->draws + draw * dim;
            double least = (kmeans->squares[row] - seeding->distances[at]) / 2 + seeding->halves[draw];
            double length = sqrt(kmeans->squares[row] * 2 * seeding->halves[draw]);
            double room = 1e-14 * (kmeans->squares[row] + seeding->distances[at] + seeding->halves[draw]);
            if (wl_rough_bound(kernels, values, drawn, dim, length) < least - room) continue;
            double score = kernels->pairs[WL_ELEMENT_F32].dot(values, drawn, dim) - seeding->halves[draw];
            double distance = fmax(kmeans->squares[row] - 2 * score, 0);
            if (!(distance < seeding->distances[at])) continue;
            nearer[count++] = (struct nearer){(uint32_t)at, (uint32_t)draw, distance};
        }
    }
    seeding->nearer_counts[item] = count;
}

/* Keeps the draw that brings the sum of the distances down the most. Returns which. */
static size_t keep_best(const struct seeding *seeding, size_t groups)
{
    double gains[DRAWS] = {0};
    for (size_t group = 0; group < groups; group++)
        for (size_t i = 0; i < seeding->nearer_counts[group]; i++) {
            const struct nearer *nearer = &seeding->nearer[group * GROUP_PAIRS + i];
            gains[nearer->draw] += seeding->distances[nearer->at] - nearer->distance;
        }
    size_t best = 0;
    for (size_t draw = 1; draw < seeding->draw_count; draw++)
        if (gains[draw] > gains[best]) best = draw;
    for (size_t group = 0; group < groups; group++)
        for (size_t i = 0; i < seeding->nearer_counts[group]; i++) {
            const struct nearer *nearer = &seeding->nearer[group * GROUP_PAIRS + i];
            if (nearer->draw == best) seeding->distances[nearer->at] = nearer->distance;
        }
    return best;
}

/* Sums of the distances up to each place; returns that of all. */
static double cumulate(const struct seeding *seeding)
{
    double sum = 0;
    for (size_t at = 0; at < seeding->count; at++) seeding->cumulated[at] = sum += seeding->distances[at];
    return sum;
}

/* A place in the sample, drawn by distance: the first whose sum is above a random part of the total. Any where all
 * distances are 0. */
static size_t draw_place(const struct seeding *seeding, double total, wl_random *random)
{
    if (!(total > 0)) return wl_random_below(random, seeding->count);
    double wanted = wl_random_unit(random) * total;
    size_t low = 0, high = seeding->count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (seeding->cumulated[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static wl_status place_centroid(struct seeding *seeding, size_t centroid, size_t draws, wl_random *random,
                                wl_error *error)
{
    wl_kmeans *kmeans = seeding->kmeans;
    size_t dim = kmeans->rows.dim, groups = (seeding->tile_count + WL_KMEANS_GROUP - 1) / WL_KMEANS_GROUP, bad;
    double total = centroid ? cumulate(seeding) : 0;
    seeding->draw_count = draws;
    float biases[DRAWS];
    for (size_t draw = 0; draw < draws; draw++) {
        size_t place = centroid ? draw_place(seeding, total, random) : wl_random_below(random, seeding->count);
        wl_row_floats(&kmeans->rows, seeding->rows[place], seeding->draws + draw * dim);
        seeding->halves[draw] = kmeans->squares[seeding->rows[place]] / 2;
        biases[draw] = (float)-seeding->halves[draw];
    }
    wl_vectors rows = {seeding->draws, draws, dim, WL_ELEMENT_F32};
    wl_screen_rows_load(&kmeans->screen, &seeding->block, &rows, 0, draws, biases, &bad);
    if (wl_context_run(kmeans->context, groups, try_draws, seeding, error)) return error->code;
    size_t best = keep_best(seeding, groups);
    for (size_t i = 0; i < dim; i++) kmeans->centroids[centroid * dim + i] = seeding->draws[best * dim + i];
    return WL_OK;
}

/* All rows, or tiles of them drawn without repetition. */
static void take_sample(struct seeding *seeding, wl_random *random)
{
    wl_kmeans *kmeans = seeding->kmeans;
    size_t left = kmeans->tile_count, wanted = seeding->tile_count;
    for (size_t tile = 0, taken = 0; tile < kmeans->tile_count && taken < wanted; tile++, left--) {
        /* Of the tiles left, as many are taken as are still wanted (Knuth, volume 2, 3.4.2, algorithm S). */
        if (left > wanted - taken && wl_random_below(random, left) >= wanted - taken) continue;
        seeding->tiles[taken++] = tile;
        for (size_t row = tile * WL_TILE_QUERIES; row < (tile + 1) * WL_TILE_QUERIES && row < kmeans->rows.count; row++)
            seeding->rows[seeding->count++] = row;
    }
}

wl_status wl_kmeans_seed(wl_kmeans *kmeans, wl_random *random, wl_error *error)
{
    size_t most = SAMPLE_ROWS * kmeans->clusters;
    if (most < LEAST_SAMPLE) most = LEAST_SAMPLE;
    struct seeding seeding = {.kmeans = kmeans, .tile_count = kmeans->tile_count};
    if (seeding.tile_count > most / WL_TILE_QUERIES) seeding.tile_count = most / WL_TILE_QUERIES;
    size_t room = seeding.tile_count * WL_TILE_QUERIES;
    seeding.rows = wl_allocate(room, sizeof *seeding.rows, error);
    seeding.tiles = wl_allocate(seeding.tile_count, sizeof *seeding.tiles, error);
    seeding.distances = wl_allocate(room, sizeof *seeding.distances, error);
    seeding.cumulated = wl_allocate(room, sizeof *seeding.cumulated, error);
    size_t groups = seeding.tile_count / WL_KMEANS_GROUP + 1;
    seeding.nearer = wl_allocate(groups, GROUP_PAIRS * sizeof *seeding.nearer, error);
    seeding.nearer_counts = wl_allocate(groups, sizeof *seeding.nearer_counts, error);
    seeding.draws = wl_allocate(DRAWS, kmeans->rows.dim * sizeof *seeding.draws, error);
    wl_status status = seeding.rows && seeding.tiles && seeding.distances && seeding.cumulated && seeding.nearer &&
                               seeding.nearer_counts && seeding.draws
                           ? wl_screen_rows_create(&kmeans->screen, &seeding.block, error)
                           : WL_ERROR_MEMORY;
    if (!status) take_sample(&seeding, random);
    for (size_t at = 0; at < seeding.count; at++) seeding.distances[at] = INFINITY;
    for (size_t centroid = 0; centroid < kmeans->clusters && !status; centroid++)
        status = place_centroid(&seeding, centroid, centroid ? DRAWS : 1, random, error);
    memset(kmeans->labels, 0, kmeans->rows.count * sizeof *kmeans->labels);
    wl_screen_rows_free(&seeding.block);
    free(seeding.rows);
    free(seeding.tiles);
    free(seeding.distances);
    free(seeding.cumulated);
    free(seeding.nearer);
    free(seeding.nearer_counts);
    free(seeding.draws);
    return status;
}
