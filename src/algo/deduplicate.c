/* Near-duplicates among all pairs of rows, exactly.
 *
 * Rows are taken in blocks, in order. A block's rows are compared among themselves in order, then with all later rows
 * on all threads, and a row that repeats one of the block is not compared again. Pairs are screened (vector/screen.h)
 * over the leading dimensions alone: two vectors of unit length whose leading parts differ cannot be near, whatever the
 * rest is, since the rest adds at most the product of its lengths. How many dimensions are worth while depends on the
 * threshold and on the model; a sample of pairs tells. What the screen does not leave out is computed.
 *
 * The first earlier row above the threshold is the one that is repeated: it does not depend on threads or blocks.
 * Cost: n^2 / 2 * (leading dimensions) multiplications of bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "text/context.h"
#include "vector/screen.h"

enum {
    CHUNK_ROWS = 192,   /* of a block, between two looks at who is dropped */
    GROUP_TILES = 32,   /* tiles an item of work */
    BLOCKS_AHEAD = 16,  /* blocks loaded at once, on all threads */
    SAMPLE_PAIRS = 8192 /* to choose the leading dimensions by */
};

struct deduplication {
    wl_comparison comparison;
    const wl_vectors *vectors;
    wl_deduplicate_options options;
    float threshold;
    wl_context *context;
    wl_screen screen;
    double *squares; /* of all rows */
    wl_screen_tile *tiles;
    char *groups; /* of the tiles */
    size_t tile_count;
    wl_screen_rows *blocks; /* (BLOCKS_AHEAD) */
    float *values;          /* (threads, dim) */
    wl_hit *hits;           /* (threads, WL_TILE_QUERIES * CHUNK_ROWS) */
    wl_match *repeats;
    size_t first, next;           /* of the blocks loaded; rows */
    const wl_screen_rows *source; /* the block that later rows are compared with */
};

static bool dropped(const struct deduplication *job, size_t row)
{
    return job->repeats[row].index != WL_NONE;
}

/* ---- how many dimensions ---- */

/* Products of the leading parts of a pair of unit rows and lengths of their rests, by steps of STEP dimensions, tell
 * for each number of dimensions whether the screen would leave the pair out. A pair looked at costs as much as some
 * 3,000 dimensions of bytes in a screen. */
static wl_status choose_dimensions(struct deduplication *job, size_t *taken, wl_error *error)
{
    enum { STEP = 16, MOST_STEPS = 64, LOOKED_AT = 3000, FIXED = 12 };
    size_t dim = job->vectors->dim, rows = job->vectors->count, steps = (dim + STEP - 1) / STEP;
    *taken = dim;
    if (job->vectors->element == WL_ELEMENT_BITS || steps > MOST_STEPS || rows < 64) return WL_OK;
    float *a = wl_allocate(2 * dim, sizeof *a, error);
    if (!a) return error->code;
    float *b = a + dim;
    double threshold = wl_measure_to_cosine(job->options.measure, (double)job->threshold) - 0.02; /* about the slack */
    size_t survivors[MOST_STEPS] = {0};
    for (size_t sample = 0; sample < SAMPLE_PAIRS; sample++) {
        size_t i = wl_hash_range(wl_hash_integer(2 * sample), rows),
               j = wl_hash_range(wl_hash_integer(2 * sample + 1), rows);
        double length = sqrt(job->squares[i] * job->squares[j]), product = 0, square_a = 0, square_b = 0;
        if (i == j || !(length > 0)) continue;
        wl_row_floats(job->vectors, i, a);
        wl_row_floats(job->vectors, j, b);
        for (size_t step = 0; step < steps; step++) {
            for (size_t k = step * STEP; k < dim && k < (step + 1) * STEP; k++) {
                product += (double)a[k] * (double)b[k];
                square_a += (double)a[k] * (double)a[k];
                square_b += (double)b[k] * (double)b[k];
            }
            double rest = fmax(job->squares[i] - square_a, 0) * fmax(job->squares[j] - square_b, 0);
            survivors[step] += product + sqrt(rest) >= threshold * length;
        }
    }
    free(a);
    double least = INFINITY;
    for (size_t step = 0; step < steps; step++) {
        double width = (double)((step + 1) * STEP), cost = width + FIXED;
        cost += LOOKED_AT * (double)survivors[step] / SAMPLE_PAIRS;
        if (cost < least) {
            least = cost;
            *taken = (step + 1) * STEP;
        }
    }
    return WL_OK;
}

/* ---- loading ---- */

static void load_tiles(void *user, uint32_t worker, size_t item)
{
    struct deduplication *job = user;
    float *values = job->values + worker * job->vectors->dim;
    size_t end = (item + 1) * GROUP_TILES < job->tile_count ? (item + 1) * GROUP_TILES : job->tile_count;
    for (size_t tile = item * GROUP_TILES; tile < end; tile++)
        wl_screen_tile_fill(&job->screen, &job->tiles[tile], job->groups + tile * wl_screen_tile_size(&job->screen),
                            job->vectors, tile * WL_TILE_QUERIES, values, NULL);
}

static void load_block(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    struct deduplication *job = user;
    size_t first = job->next + item * WL_BLOCK_ROWS, count = job->vectors->count - first, bad;
    wl_screen_rows_load(&job->screen, &job->blocks[item], job->vectors, first,
                        count < WL_BLOCK_ROWS ? count : WL_BLOCK_ROWS, NULL, &bad);
}

static void take_squares(void *user, uint32_t worker, size_t item)
{
    (void)worker;
    struct deduplication *job = user;
    size_t end = (item + 1) * WL_BLOCK_ROWS < job->vectors->count ? (item + 1) * WL_BLOCK_ROWS : job->vectors->count;
    for (size_t row = item * WL_BLOCK_ROWS; row < end; row++)
        job->squares[row] = wl_row_square(&job->comparison, wl_row(job->vectors, row));
}

/* ---- comparing ---- */

/* The row of a hit drops if it repeats the source. */
static void judge(struct deduplication *job, size_t row, size_t source)
{
    if (dropped(job, row) || (job->options.greedy && dropped(job, source))) return;
    const void *a = wl_row(job->vectors, row), *b = wl_row(job->vectors, source);
    double threshold = wl_measure_to_cosine(job->options.measure, (double)job->threshold);
    if (!wl_row_may_reach(&job->comparison, a, job->squares[row], b, threshold)) return;
    float score = (float)wl_row_score_with(&job->comparison, a, job->squares[row], b, job->squares[source]);
    if (score > job->threshold) job->repeats[row] = (wl_match){source, score};
}

/* Compares a tile's rows with rows [begin, end) of the source block, those before each row of the tile. Returns whether
 * a row of the tile is left to compare. */
static bool compare_tile(struct deduplication *job, uint32_t worker, size_t tile_index, size_t begin, size_t end)
{
    wl_screen_tile *tile = &job->tiles[tile_index];
    wl_hit *hits = job->hits + (size_t)worker * WL_TILE_QUERIES * CHUNK_ROWS;
    double threshold = wl_measure_to_cosine(job->options.measure, (double)job->threshold);
    bool left = false;
    for (size_t place = 0; place < WL_TILE_QUERIES && tile->used[place]; place++) {
        size_t row = tile_index * WL_TILE_QUERIES + place;
        bool wanted = row >= job->options.held && !dropped(job, row);
        left = left || wanted;
        wl_screen_tile_aim(&job->screen, tile, place, job->source, wanted ? threshold : (double)INFINITY);
    }
    if (!left) return false;
    size_t count = wl_screen_run(&job->screen, job->source, begin, end, tile, hits);
    /* The rows of a tile in order, and for each of them the sources in order: a row's fate may decide the next one's.
     */
    for (uint32_t place = 0; place < WL_TILE_QUERIES && count; place++)
        for (size_t i = 0; i < count; i++) {
            size_t row = tile_index * WL_TILE_QUERIES + place, source = job->first + hits[i].row;
            if (hits[i].query == place && source < row) judge(job, row, source);
        }
    return true;
}

/* The block's rows among themselves, on one thread: 300,000 pairs. */
static void compare_inside(struct deduplication *job)
{
    size_t count = job->source->count;
    for (size_t tile = job->first / WL_TILE_QUERIES; tile * WL_TILE_QUERIES < job->first + count; tile++) {
        size_t before = (tile + 1) * WL_TILE_QUERIES - job->first;
        if (before > count) before = count;
        for (size_t at = 0; at < before; at += CHUNK_ROWS)
            if (!compare_tile(job, 0, tile, at, before - at < CHUNK_ROWS ? before : at + CHUNK_ROWS)) break;
    }
}

/* A group of later tiles with the block. */
static void compare_later(void *user, uint32_t worker, size_t item)
{
    struct deduplication *job = user;
    size_t first = (job->first + job->source->count) / WL_TILE_QUERIES + item * GROUP_TILES;
    size_t end = first + GROUP_TILES < job->tile_count ? first + GROUP_TILES : job->tile_count;
    for (size_t tile = first; tile < end; tile++)
        for (size_t at = 0; at < job->source->count; at += CHUNK_ROWS) {
            size_t chunk_end = at + CHUNK_ROWS < job->source->count ? at + CHUNK_ROWS : job->source->count;
            if (!compare_tile(job, worker, tile, at, chunk_end)) break;
        }
}

static wl_status compare_all(struct deduplication *job, wl_error *error)
{
    size_t count = job->vectors->count;
    for (job->next = 0; job->next < count; job->next += BLOCKS_AHEAD * WL_BLOCK_ROWS) {
        size_t blocks = (count - job->next + WL_BLOCK_ROWS - 1) / WL_BLOCK_ROWS;
        if (blocks > BLOCKS_AHEAD) blocks = BLOCKS_AHEAD;
        if (wl_context_run(job->context, blocks, load_block, job, error)) return error->code;
        for (size_t i = 0; i < blocks; i++) {
            job->source = &job->blocks[i];
            job->first = job->next + i * WL_BLOCK_ROWS;
            size_t end = job->first + job->source->count;
            if (end > job->options.held) compare_inside(job);
            size_t later = job->tile_count - end / WL_TILE_QUERIES;
            if (end < count &&
                wl_context_run(job->context, (later + GROUP_TILES - 1) / GROUP_TILES, compare_later, job, error))
                return error->code;
            if (job->options.progress && !job->options.progress(job->options.user, end, 0))
                return wl_fail(error, WL_ERROR_CANCELLED, "cancelled");
        }
    }
    return WL_OK;
}

/* ---- the call ---- */

static wl_status create(struct deduplication *job, wl_error *error)
{
    size_t count = job->vectors->count, threads = wl_context_threads(job->context), taken;
    job->squares = wl_allocate(count, sizeof *job->squares, error);
    if (!job->squares ||
        wl_context_run(job->context, (count + WL_BLOCK_ROWS - 1) / WL_BLOCK_ROWS, take_squares, job, error))
        return error->code;
    for (size_t row = 0; row < count; row++)
        if (!isfinite(job->squares[row])) return wl_fail_not_finite(error, row);
    if (choose_dimensions(job, &taken, error)) return error->code;
    job->screen = wl_screen_make(job->vectors, taken, true);
    job->tile_count = (count + WL_TILE_QUERIES - 1) / WL_TILE_QUERIES;
    job->tiles = wl_allocate(job->tile_count, sizeof *job->tiles, error);
    job->groups = wl_allocate(job->tile_count, wl_screen_tile_size(&job->screen), error);
    job->values = wl_allocate(threads * job->vectors->dim, sizeof *job->values, error);
    job->hits = wl_allocate(threads * WL_TILE_QUERIES * CHUNK_ROWS, sizeof *job->hits, error);
    job->blocks = wl_allocate(BLOCKS_AHEAD, sizeof *job->blocks, error);
    if (!job->tiles || !job->groups || !job->values || !job->hits || !job->blocks) return error->code;
    for (size_t i = 0; i < BLOCKS_AHEAD && (i == 0 || i * WL_BLOCK_ROWS < count); i++)
        if (wl_screen_rows_create(&job->screen, &job->blocks[i], error)) return error->code;
    return wl_context_run(job->context, (job->tile_count + GROUP_TILES - 1) / GROUP_TILES, load_tiles, job, error);
}

static void destroy(struct deduplication *job)
{
    for (size_t i = 0; job->blocks && i < BLOCKS_AHEAD; i++) wl_screen_rows_free(&job->blocks[i]);
    free(job->blocks);
    free(job->hits);
    free(job->values);
    free(job->groups);
    free(job->tiles);
    free(job->squares);
}

static wl_status begin(wl_deduplicate_options *chosen, const wl_deduplicate_options *options, size_t count,
                       wl_match *repeats, size_t *dropped_count, wl_error *error)
{
    if (wl_read_options(chosen, sizeof *chosen, options, "wl_deduplicate_options", error)) return error->code;
    if (chosen->held > count)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%zu rows are held, but there are %zu", chosen->held, count);
    if (count && !repeats) return wl_fail(error, WL_ERROR_ARGUMENT, "no room for the repeats given");
    for (size_t i = 0; i < count; i++) repeats[i] = (wl_match){WL_NONE, 0};
    if (dropped_count) *dropped_count = 0;
    return WL_OK;
}

static void count_dropped(const wl_match *repeats, size_t count, size_t *dropped_count)
{
    for (size_t i = 0; dropped_count && i < count; i++) *dropped_count += repeats[i].index != WL_NONE;
}

wl_status wl_deduplicate(const wl_vectors *vectors, const wl_deduplicate_options *options, wl_context *context,
                         wl_match *repeats, size_t *dropped_count, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct deduplication job = {.vectors = vectors, .context = context, .repeats = repeats};
    if (wl_vectors_check(vectors, "vectors", error) ||
        begin(&job.options, options, vectors->count, repeats, dropped_count, error) ||
        wl_comparison_open(&job.comparison, vectors, job.options.measure, error))
        return error->code;
    if (!context) return wl_fail(error, WL_ERROR_ARGUMENT, "no context given");
    double threshold = job.options.has_threshold ? job.options.threshold : 0.9;
    if (isnan(threshold)) return wl_fail(error, WL_ERROR_ARGUMENT, "the threshold is not a number");
    job.threshold = (float)threshold;
    if (!vectors->count) return WL_OK;
    wl_status status = create(&job, error);
    if (!status) status = compare_all(&job, error);
    destroy(&job);
    if (!status) count_dropped(repeats, vectors->count, dropped_count);
    return status;
}

/* Mixed word by word, from a key that differs from run to run: texts that all fall into one place cannot be prepared.
 * (MurmurHash2's mixing, Appleby.) */
static uint64_t hash_text(wl_text text, uint64_t key)
{
    const uint64_t multiplier = 0xC6A4A7935BD1E995u;
    uint64_t hash = key ^ text.size * multiplier;
    for (size_t at = 0; at < text.size; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text.data + at, text.size - at < 8 ? text.size - at : 8);
        word *= multiplier;
        hash = (hash ^ (word ^ word >> 47) * multiplier) * multiplier;
        hash ^= hash >> 29 ^ key;
    }
    return hash * multiplier >> 7 ^ hash;
}

/* An open-addressing table of the first text of each kind. */
wl_status wl_deduplicate_exact(const wl_text *texts, size_t count, const wl_deduplicate_options *options,
                               wl_match *repeats, size_t *dropped_count, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    wl_deduplicate_options chosen;
    if (begin(&chosen, options, count, repeats, dropped_count, error)) return error->code;
    if (count && !texts) return wl_fail(error, WL_ERROR_ARGUMENT, "no texts given");
    size_t size = 16;
    while (size < 2 * count) size *= 2;
    size_t *slots = wl_allocate(size, sizeof *slots, error); /* index + 1; 0: free */
    if (!slots) return error->code;
    uint64_t key = (uint64_t)(uintptr_t)slots * 0x9E3779B97F4A7C15u; /* where memory lies is chance */
    for (size_t i = 0; i < count; i++) {
        size_t at = (size_t)hash_text(texts[i], key) & (size - 1);
        for (; slots[at]; at = (at + 1) & (size - 1)) {
            const wl_text *other = &texts[slots[at] - 1];
            if (other->size == texts[i].size && (!other->size || memcmp(other->data, texts[i].data, other->size) == 0))
                break;
        }
        if (!slots[at])
            slots[at] = i + 1;
        else if (i >= chosen.held)
            repeats[i] = (wl_match){slots[at] - 1, 1};
    }
    free(slots);
    count_dropped(repeats, count, dropped_count);
    return WL_OK;
}
