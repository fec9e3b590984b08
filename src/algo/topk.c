/* The k rows nearest to each query, exactly.
 *
 * A few queries: rows stream by, and those that a first look does not leave out are scored; the memory's bandwidth is
 * the limit. Many: blocks of rows are
 * screened (vector/screen.h) with the score of the worst match kept so far as the threshold, and only what the screen
 * does not leave out is scored, about k log(rows / k) rows a query. Blocks of rows are handed to threads, each of which
 * keeps its own best; since the order of matches is total, the best of them all are the same whoever saw which rows.
 *
 * Cost: queries * rows * dim multiplications, in bytes where the processor has VNNI. */
#include <math.h>
#include <stdlib.h>

#include "algo/select.h"
#include "text/context.h"
#include "vector/screen.h"

enum {
    FEW = 6,              /* queries that stream: their products cost less than reading a row */
    STREAM_ROWS = 1024,   /* rows an item of work */
    CHUNK_ROWS = 192,     /* rows between two looks at the thresholds while they still rise quickly */
    MOST_QUERIES = 16384, /* at a time; fewer where k is large: */
    MOST_MATCHES = 1 << 20
};

struct search {
    wl_comparison comparison;
    const wl_vectors *queries, *rows;
    wl_context *context;
    size_t first, count;      /* queries of this round */
    wl_selection *selections; /* (threads, count) */
    wl_match *matches;        /* (threads, count, kept) */
    double *squares;          /* (count), of the queries */
    /* with a screen */
    wl_screen screen;
    wl_screen_tile *tiles; /* (tile_count) */
    char *groups;
    size_t tile_count, slices;
    wl_screen_rows *blocks; /* (threads) */
    wl_hit *hits;           /* (threads, WL_TILE_QUERIES * WL_BLOCK_ROWS) */
};

static void stream_rows(void *user, uint32_t worker, size_t item)
{
    const struct search *search = user;
    wl_selection *selections = search->selections + worker * search->count;
    size_t begin = item * STREAM_ROWS, end = search->rows->count;
    if (end - begin > STREAM_ROWS) end = begin + STREAM_ROWS;
    for (size_t row = begin; row < end; row++)
        for (size_t query = 0; query < search->count; query++) {
            double threshold = wl_selection_threshold(&selections[query]);
            if (!wl_row_may_reach(&search->comparison, wl_row(search->queries, search->first + query),
                                  search->squares[query], wl_row(search->rows, row),
                                  wl_measure_to_cosine(search->comparison.measure, threshold)))
                continue;
            double score = wl_row_score(&search->comparison, wl_row(search->queries, search->first + query),
                                        search->squares[query], wl_row(search->rows, row));
            /* A length that is not finite makes this NaN; a zero row's 0 is finite. */
            if (!isfinite(score)) {
                wl_error error;
                wl_fail_not_finite(&error, row);
                wl_worker_fail(&search->context->workers[worker], item, &error);
                return;
            }
            wl_select(&selections[query], (wl_match){row, (float)score});
        }
}

/* Screens and scores rows [begin, end) of a block, which starts at row first, against a tile's queries. */
static void search_chunk(const struct search *search, uint32_t worker, size_t tile_index, size_t first, size_t begin,
                         size_t end)
{
    wl_screen_tile *tile = &search->tiles[tile_index];
    const wl_screen_rows *block = &search->blocks[worker];
    wl_hit *hits = search->hits + (size_t)worker * WL_TILE_QUERIES * WL_BLOCK_ROWS;
    wl_selection *selections = search->selections + worker * search->count + tile_index * WL_TILE_QUERIES;
    wl_screen_tile aimed = *tile; /* threads share tiles, each aims its own copy */
    for (size_t place = 0; place < WL_TILE_QUERIES && tile->used[place]; place++) {
        double threshold = wl_selection_threshold(&selections[place]);
        wl_screen_tile_aim(&search->screen, &aimed, place, block,
                           wl_measure_to_cosine(search->comparison.measure, threshold));
    }
    size_t count = wl_screen_run(&search->screen, block, begin, end, &aimed, hits);
    for (size_t i = 0; i < count; i++) {
        size_t query = tile_index * WL_TILE_QUERIES + hits[i].query, row = first + hits[i].row;
        const void *a = wl_row(search->queries, search->first + query), *b = wl_row(search->rows, row);
        double threshold = wl_selection_threshold(&selections[hits[i].query]);
        if (!wl_row_may_reach(&search->comparison, a, search->squares[query], b,
                              wl_measure_to_cosine(search->comparison.measure, threshold)))
            continue;
        double score = wl_row_score(&search->comparison, a, search->squares[query], b);
        wl_select(&selections[hits[i].query], (wl_match){row, (float)score});
    }
}

/* One block of rows against one slice of the tiles. */
static void search_block(void *user, uint32_t worker, size_t item)
{
    const struct search *search = user;
    size_t block = item / search->slices, slice = item % search->slices, bad;
    size_t first = block * WL_BLOCK_ROWS, count = search->rows->count - first;
    if (count > WL_BLOCK_ROWS) count = WL_BLOCK_ROWS;
    wl_screen_rows_load(&search->screen, &search->blocks[worker], search->rows, first, count, NULL, &bad);
    if (bad != WL_NONE) {
        wl_error error;
        wl_fail_not_finite(&error, bad);
        wl_worker_fail(&search->context->workers[worker], item, &error);
        return;
    }
    size_t begin = slice * search->tile_count / search->slices, end = (slice + 1) * search->tile_count / search->slices;
    for (size_t tile = begin; tile < end; tile++) {
        size_t next = (tile + 1) * WL_TILE_QUERIES;
        const wl_selection *selections = search->selections + worker * search->count;
        bool settled = next <= search->count && selections[next - 1].count == selections[next - 1].most;
        size_t chunk = settled ? WL_BLOCK_ROWS : CHUNK_ROWS;
        for (size_t at = 0; at < count; at += chunk)
            search_chunk(search, worker, tile, first, at, count - at < chunk ? count : at + chunk);
    }
}

/* ---- one round: queries [first, first + count) ---- */

static wl_status load_queries(struct search *search, wl_error *error)
{
    search->tile_count = (search->count + WL_TILE_QUERIES - 1) / WL_TILE_QUERIES;
    float *values = wl_allocate(search->queries->dim, sizeof *values, error);
    if (!values) return error->code;
    wl_vectors queries = *search->queries; /* those of the rounds so far */
    queries.count = search->first + search->count;
    for (size_t tile = 0; tile < search->tile_count; tile++)
        wl_screen_tile_fill(&search->screen, &search->tiles[tile],
                            search->groups + tile * wl_screen_tile_size(&search->screen), &queries,
                            search->first + tile * WL_TILE_QUERIES, values, NULL);
    free(values);
    return WL_OK;
}

static wl_status run_round(struct search *search, size_t kept, wl_match *out, wl_error *error)
{
    size_t threads = wl_context_threads(search->context);
    for (size_t i = 0; i < threads * search->count; i++)
        search->selections[i] = (wl_selection){search->matches + i * kept, 0, kept};
    for (size_t i = 0; i < search->count; i++) {
        search->squares[i] = wl_row_square(&search->comparison, wl_row(search->queries, search->first + i));
        if (!isfinite(search->squares[i]))
            return wl_fail(error, WL_ERROR_ARGUMENT, "query %zu holds a number that is not finite", search->first + i);
    }
    wl_status status;
    if (!search->tiles) {
        status = wl_context_run(search->context, (search->rows->count + STREAM_ROWS - 1) / STREAM_ROWS, stream_rows,
                                search, error);
    } else {
        if (load_queries(search, error)) return error->code;
        size_t blocks = (search->rows->count + WL_BLOCK_ROWS - 1) / WL_BLOCK_ROWS;
        search->slices = 4 * threads / blocks + 1;
        if (search->slices > search->tile_count) search->slices = search->tile_count;
        status = wl_context_run(search->context, blocks * search->slices, search_block, search, error);
    }
    if (status) return status;
    for (size_t query = 0; query < search->count; query++) {
        wl_selection all = {out + query * kept, 0, kept};
        for (size_t worker = 0; worker < threads; worker++) {
            const wl_selection *part = &search->selections[worker * search->count + query];
            for (size_t i = 0; i < part->count; i++) wl_select(&all, part->matches[i]);
        }
        wl_sort_matches(all.matches, all.count);
    }
    return WL_OK;
}

/* ---- the call ---- */

static wl_status create_screen(struct search *search, size_t queries, wl_error *error)
{
    size_t threads = wl_context_threads(search->context), tiles = (queries + WL_TILE_QUERIES - 1) / WL_TILE_QUERIES;
    search->screen = wl_screen_make(search->queries, 0, true);
    search->tiles = wl_allocate(tiles, sizeof *search->tiles, error);
    search->groups = wl_allocate(tiles, wl_screen_tile_size(&search->screen), error);
    search->blocks = wl_allocate(threads, sizeof *search->blocks, error);
    search->hits = wl_allocate(threads * WL_TILE_QUERIES * WL_BLOCK_ROWS, sizeof *search->hits, error);
    if (!search->tiles || !search->groups || !search->blocks || !search->hits) return error->code;
    for (size_t i = 0; i < threads; i++)
        if (wl_screen_rows_create(&search->screen, &search->blocks[i], error)) return error->code;
    return WL_OK;
}

static void free_search(struct search *search)
{
    for (size_t i = 0; search->blocks && i < wl_context_threads(search->context); i++)
        wl_screen_rows_free(&search->blocks[i]);
    free(search->blocks);
    free(search->hits);
    free(search->groups);
    free(search->tiles);
    free(search->squares);
    free(search->matches);
    free(search->selections);
}

wl_status wl_top_k(const wl_vectors *queries, const wl_vectors *rows, size_t k, wl_measure measure, wl_context *context,
                   wl_match *out, wl_error *error)
{
    wl_error unused;
    if (!error) error = &unused;
    struct search search = {.queries = queries, .rows = rows, .context = context};
    if (wl_vectors_check(queries, "queries", error) || wl_vectors_check(rows, "rows", error) ||
        wl_vectors_check_alike(queries, rows, error) || wl_comparison_open(&search.comparison, rows, measure, error))
        return error->code;
    if (!context) return wl_fail(error, WL_ERROR_ARGUMENT, "no context given");
    if (k == 0) return wl_fail(error, WL_ERROR_ARGUMENT, "k is 0, expected at least 1");
    size_t kept = k < rows->count ? k : rows->count, threads = wl_context_threads(context);
    if (!queries->count || !kept) return WL_OK;
    if (!out) return wl_fail(error, WL_ERROR_ARGUMENT, "no room for the matches given");
    size_t round = MOST_MATCHES / threads / kept;
    round = round < 64 ? 64 : round > MOST_QUERIES ? MOST_QUERIES : round;
    if (round > queries->count) round = queries->count;
    search.selections = wl_allocate(threads * round, sizeof *search.selections, error);
    search.matches = wl_allocate(threads * round, kept * sizeof *search.matches, error);
    search.squares = wl_allocate(round, sizeof *search.squares, error);
    wl_status status = search.selections && search.matches && search.squares ? WL_OK : WL_ERROR_MEMORY;
    if (!status && queries->count > FEW) status = create_screen(&search, round, error);
    for (size_t first = 0; first < queries->count && !status; first += round) {
        search.first = first;
        search.count = queries->count - first < round ? queries->count - first : round;
        status = run_round(&search, kept, out + first * kept, error);
    }
    free_search(&search);
    return status;
}
