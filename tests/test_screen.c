/* Screens: what they leave out is below the threshold. That is the proof obligation of vector/screen.h, tried with rows
 * of every element and of odd magnitudes, at thresholds around and exactly at the scores of pairs; and on ordinary rows
 * they leave out what is clearly below. Kernels are chosen once a process, so this program runs once for each set. */
#include "vector/screen.h"

#include "fault.h"
#include "kernels.h"

/* ---- rows -------------------------------------------------------------------------------------------------------- */

enum look { PLAIN, NEAR, ZEROS, TINY, LARGE, TOO_LARGE, MIXED, OUTLIERS, SPARSE, LOOKS };

/* What an element can hold of a magnitude. */
static float fit(wl_element element, float value)
{
    if (element == WL_ELEMENT_F16) return fmaxf(-60000, fminf(60000, value));
    return element == WL_ELEMENT_I8 ? value * 100 : value;
}

static float value_of(enum look look, float scale, size_t i, size_t outlier)
{
    float value = random_float() * scale;
    if (look == OUTLIERS && i == outlier) return value * 1000;
    if (look == SPARSE && random_below(10)) return 0;
    return value;
}

static void fill_row(wl_vectors *rows, size_t row, enum look look)
{
    size_t size = wl_vector_size(rows->element, 1), outlier = random_below(3 * rows->dim);
    char *at = (char *)(uintptr_t)wl_row(rows, row);
    float scale = look == TINY ? 1e-30f : look == LARGE ? 1e18f / sqrtf((float)rows->dim) : 1;
    if (look == TOO_LARGE && random_below(2)) scale = ldexpf(1, 55 + (int)random_below(70));
    if (look == MIXED) scale = ldexpf(1, (int)random_below(150) - 100);
    if (look == ZEROS && random_below(3) == 0) scale = 0;
    bool copy = look == NEAR && row && random_below(2);
    size_t from = copy ? random_below(row) : 0;
    for (size_t i = 0; i < rows->dim; i++) {
        float value = copy ? element_of(rows, from, i) + random_float() * 0.1f
                           : fit(rows->element, value_of(look, scale, i, outlier));
        put_element(at + i * size, rows->element, value);
    }
}

static wl_vectors make_rows(wl_element element, size_t count, size_t dim, enum look look)
{
    wl_vectors rows = random_rows(element, count, dim, ORDINARY);
    for (size_t row = 0; row < count && element != WL_ELEMENT_BITS; row++) fill_row(&rows, row, look);
    return rows;
}

/* ---- a tile and a block ------------------------------------------------------------------------------------------ */

struct trial {
    wl_screen screen;
    wl_vectors queries, rows;
    double *biases; /* of the rows; NULL: none */
    bool tight;     /* ordinary data: nothing clearly below the threshold may be left in */
    wl_screen_rows block;
    wl_screen_tile tile;
    double *scores; /* (queries, rows) */
    double query_length, row_length;
};

/* The score that the algorithms compare. */
static double score_of(const struct trial *trial, size_t query, size_t row)
{
    const void *a = wl_row(&trial->queries, query), *b = wl_row(&trial->rows, row);
    wl_comparison comparison = {&wl_kernels_generic, trial->rows.element, trial->rows.dim, WL_COSINE};
    if (trial->screen.unit) return wl_row_score(&comparison, a, wl_row_square(&comparison, a), b);
    double bias = trial->biases ? trial->biases[row] : 0;
    return wl_kernels_generic.pairs[comparison.element].dot(a, b, comparison.dim) + bias;
}

static double longest(const wl_vectors *rows)
{
    double most = 0;
    for (size_t row = 0; row < rows->count && rows->element != WL_ELEMENT_BITS; row++)
        most = fmax(most, sqrt(wl_vector_dot(rows->element, wl_row(rows, row), wl_row(rows, row), rows->dim)));
    return most;
}

static void open_trial(struct trial *trial, size_t taken, bool unit, wl_screen_rows *block, void *groups)
{
    trial->screen = wl_screen_make(&trial->rows, taken, unit);
    size_t count = trial->rows.count, bad;
    float *values = allocate(trial->rows.dim * sizeof *values), *biases = NULL;
    if (trial->biases) {
        biases = allocate(count * sizeof *biases);
        for (size_t row = 0; row < count; row++) biases[row] = (float)trial->biases[row];
    }
    wl_screen_rows_load(&trial->screen, block, &trial->rows, 0, count, biases, &bad);
    CHECK(bad == WL_NONE && block->count == count);
    trial->block = *block;
    wl_screen_tile_clear(&trial->screen, &trial->tile, groups);
    for (size_t query = 0; query < trial->queries.count; query++) {
        const void *row = wl_row(&trial->queries, query);
        double square = wl_screen_tile_load(&trial->screen, &trial->tile, query, &trial->queries, query, values);
        CHECK(same_bits(square, wl_vector_dot(trial->rows.element, row, row, trial->rows.dim)));
    }
    trial->scores = allocate(trial->queries.count * count * sizeof *trial->scores);
    for (size_t query = 0; query < trial->queries.count; query++)
        for (size_t row = 0; row < count; row++) trial->scores[query * count + row] = score_of(trial, query, row);
    trial->query_length = unit ? 1 : longest(&trial->queries);
    trial->row_length = unit ? 1 : longest(&trial->rows);
    free(values);
    free(biases);
}

static double choose_threshold(const struct trial *trial, size_t query)
{
    double score = trial->scores[query * trial->rows.count + random_below(trial->rows.count)];
    switch (random_below(10)) {
    case 0:
        return nextafter(score, -INFINITY);
    case 1:
        return nextafter(score, INFINITY);
    case 2:
        return score * (1 + 1e-7 * (double)random_float());
    case 3:
        return -INFINITY;
    case 4:
        return 0;
    case 5:
        return (double)random_float() * trial->query_length * trial->row_length;
    case 6: /* the same by way of the other measure of bits */
        return trial->screen.kind == WL_SCREEN_BITS ? wl_measure_to_cosine(WL_HAMMING, (score + 1) / 2) : score;
    default:
        return score;
    }
}

static double half_square(const wl_vectors *rows, size_t row)
{
    return wl_vector_dot(rows->element, wl_row(rows, row), wl_row(rows, row), rows->dim) / 2;
}

/* A pair that reaches its threshold must be among the hits. */
static bool trial_holds(const struct trial *trial, const double *thresholds, size_t begin, size_t end,
                        const wl_hit *hits, size_t count)
{
    size_t rows = trial->rows.count, next[WL_TILE_QUERIES] = {0};
    bool *found = calloc(WL_TILE_QUERIES * rows, sizeof *found), holds = true;
    if (!found) abort();
    for (size_t i = 0; i < count && holds; i++) {
        size_t query = hits[i].query, row = hits[i].row;
        holds = query < trial->queries.count && row >= begin && row < end && row >= next[query];
        if (!holds) break;
        next[query] = row + 1;
        found[query * rows + row] = true;
    }
    bool bits = trial->screen.kind == WL_SCREEN_BITS; /* exact */
    double slack = (bits ? 1e-5 : 0.03) * trial->query_length * trial->row_length + 1e-9;
    for (size_t query = 0; query < trial->queries.count; query++) {
        /* Nothing is known of a query of zeros: with biases all its pairs are left in. */
        bool tight = trial->tight && (bits || half_square(&trial->queries, query) > 0);
        for (size_t row = begin; row < end && holds; row++) {
            double score = trial->scores[query * rows + row];
            bool hit = found[query * rows + row];
            holds = hit ? !tight || score >= thresholds[query] - slack : !(score >= thresholds[query]);
            if (!holds)
                printf("query %zu row %zu: score %.17g, threshold %.17g, %s\n", query, row, score, thresholds[query],
                       hit ? "left in" : "left out");
        }
    }
    free(found);
    return holds;
}

static void run_trial(struct trial *trial, const char *what)
{
    double thresholds[WL_TILE_QUERIES];
    size_t used = trial->queries.count, unaimed = random_below(20);
    for (size_t place = 0; place < WL_TILE_QUERIES; place++) {
        thresholds[place] = place == unaimed ? (double)INFINITY : place < used ? choose_threshold(trial, place) : -1;
        wl_screen_tile_aim(&trial->screen, &trial->tile, place, &trial->block, thresholds[place]);
    }
    size_t begin = random_below((trial->rows.count + WL_PANEL_LANES - 1) / WL_PANEL_LANES) * WL_PANEL_LANES;
    size_t end = begin + 1 + random_below(trial->rows.count - begin);
    if (random_below(2)) end = trial->rows.count;
    size_t room = (end - begin + WL_PANEL_LANES - 1) / WL_PANEL_LANES * WL_PANEL_LANES;
    wl_hit *hits = allocate(WL_TILE_QUERIES * room * sizeof *hits);
    size_t count = wl_screen_run(&trial->screen, &trial->block, begin, end, &trial->tile, hits);
    CHECK_THAT(trial_holds(trial, thresholds, begin, end, hits, count),
               "%s: element %d dim %zu taken %zu unit %d biases %d rows %zu of %zu to %zu", what,
               (int)trial->rows.element, trial->screen.dim, trial->screen.taken, trial->screen.unit,
               trial->biases != NULL, trial->rows.count, begin, end);
    for (size_t i = 0; i < count; i++) CHECK(hits[i].query != unaimed);
    free(hits);
}

static void close_trial(struct trial *trial)
{
    free(trial->scores);
    free(trial->biases);
    free_rows(trial->rows);
    free_rows(trial->queries);
}

/* ---- trials ------------------------------------------------------------------------------------------------------ */

static const char *const look_names[] = {"plain",     "near",  "zeros",    "tiny",  "large",
                                         "too large", "mixed", "outliers", "sparse"};

/* A block that is used again for fewer rows keeps what was there. */
static void check_trials(wl_element element, size_t dim, size_t most_rows, int rounds)
{
    wl_vectors shape = {NULL, 0, dim, element};
    wl_error error;
    for (int unit = 0; unit < 2; unit++) {
        if (element == WL_ELEMENT_BITS && !unit) continue;
        size_t taken = random_below(2) ? 0 : random_below(dim + 2);
        wl_screen screen = wl_screen_make(&shape, taken, unit);
        wl_screen_rows block;
        CHECK(wl_screen_rows_create(&screen, &block, &error) == WL_OK);
        void *groups = allocate(wl_screen_tile_size(&screen));
        for (int round = 0; round < rounds; round++) {
            enum look query_look = (enum look)random_below(LOOKS), row_look = (enum look)random_below(LOOKS);
            if (random_below(2)) query_look = row_look;
            struct trial trial = {0};
            trial.queries = make_rows(element, 1 + random_below(WL_TILE_QUERIES), dim, query_look);
            trial.rows = make_rows(element, 1 + random_below(most_rows), dim, row_look);
            bool all = screen.taken == dim;
            trial.tight = all && query_look <= NEAR && row_look <= NEAR;
            if (all && !unit && random_below(2)) {
                trial.biases = allocate(trial.rows.count * sizeof *trial.biases);
                for (size_t row = 0; row < trial.rows.count; row++) trial.biases[row] = -half_square(&trial.rows, row);
            }
            open_trial(&trial, taken, unit, &block, groups);
            for (int aim = 0; aim < 4; aim++) run_trial(&trial, look_names[row_look]);
            close_trial(&trial);
        }
        free(groups);
        wl_screen_rows_free(&block);
    }
}

static void test_trials(void)
{
    for (int e = 0; e < ELEMENTS; e++) {
        for (size_t dim = 1; dim <= 70; dim++) check_trials(elements[e], dim, 60, 8);
        for (int i = 0; i < 4; i++) check_trials(elements[e], 256, 60, 8);
        check_trials(elements[e], 256, WL_BLOCK_ROWS, 2);
        check_trials(elements[e], 1030, 40, 4);
    }
}

/* The largest sums of bytes that there are, and one dimension more, which floats take. */
static void test_most_dimensions(void)
{
    static const size_t dims[] = {1 << 16, (1 << 16) + 1};
    for (size_t d = 0; d < 2; d++) {
        struct trial trial = {.tight = true};
        trial.queries = random_rows(WL_ELEMENT_F32, 3, dims[d], ORDINARY);
        trial.rows = random_rows(WL_ELEMENT_F32, 3, dims[d], ORDINARY);
        float *query = (float *)(uintptr_t)trial.queries.data, *row = (float *)(uintptr_t)trial.rows.data;
        for (size_t i = 0; i < dims[d]; i++) {
            query[i] = row[i] = 1;
            query[dims[d] + i] = row[dims[d] + i] = -1;
            query[2 * dims[d] + i] = row[2 * dims[d] + i] = i % 2 ? 1 : -1;
        }
        wl_screen screen = wl_screen_make(&trial.rows, 0, true);
        wl_screen_rows block;
        wl_error error;
        CHECK(wl_screen_rows_create(&screen, &block, &error) == WL_OK);
        void *groups = allocate(wl_screen_tile_size(&screen));
        open_trial(&trial, 0, true, &block, groups);
        for (int aim = 0; aim < 20; aim++) run_trial(&trial, "all dimensions");
        close_trial(&trial);
        free(groups);
        wl_screen_rows_free(&block);
    }
}

/* Numbers of bits that single precision does not hold exactly. */
static void test_many_bits(void)
{
    for (size_t dim = ((size_t)1 << 24) - 40; dim < UINT32_MAX; dim += dim / 7) {
        wl_vectors shape = {NULL, 0, dim, WL_ELEMENT_BITS};
        wl_screen screen = wl_screen_make(&shape, 0, true);
        wl_screen_tile tile = {.used = {true}};
        wl_screen_rows rows = {.count = 1};
        for (size_t differing = 0; differing < 40; differing++) {
            wl_screen_tile_aim(&screen, &tile, 0, &rows, 1 - 2 * (double)differing / (double)dim);
            float score = (float)(32 * screen.depth - differing);
            CHECK_THAT(score > tile.tile.threshold[0], "dim %zu differing %zu", dim, differing);
        }
    }
}

/* Queries so small and rows so large that their quotients leave single precision. */
static void test_far_apart(void)
{
    enum { DIM = 24, COUNT = 20 };
    for (int exponent = -45; exponent <= 18; exponent += 3) {
        struct trial trial = {.biases = allocate(COUNT * sizeof *trial.biases)};
        trial.queries = make_rows(WL_ELEMENT_F32, 8, DIM, PLAIN);
        trial.rows = make_rows(WL_ELEMENT_F32, COUNT, DIM, LARGE);
        float *values = (float *)(uintptr_t)trial.queries.data;
        for (size_t i = 0; i < 8 * DIM; i++) values[i] *= (float)pow(10, exponent);
        for (size_t row = 0; row < COUNT; row++) trial.biases[row] = -half_square(&trial.rows, row);
        wl_screen screen = wl_screen_make(&trial.rows, 0, false);
        wl_screen_rows block;
        wl_error error;
        CHECK(wl_screen_rows_create(&screen, &block, &error) == WL_OK);
        void *groups = allocate(wl_screen_tile_size(&screen));
        open_trial(&trial, 0, false, &block, groups);
        for (int aim = 0; aim < 20; aim++) run_trial(&trial, "far apart");
        close_trial(&trial);
        free(groups);
        wl_screen_rows_free(&block);
    }
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

static void test_choice(void)
{
    const wl_kernels *best = wl_kernels_best();
    for (int e = 0; e < ELEMENTS; e++) {
        wl_vectors shape = {NULL, 0, 70, elements[e]};
        wl_screen screen = wl_screen_make(&shape, 30, false), whole = wl_screen_make(&shape, 71, true);
        CHECK(screen.dim == 70 && whole.dim == 70 && whole.taken == 70 && whole.unit);
        if (elements[e] == WL_ELEMENT_BITS) {
            CHECK(screen.kind == WL_SCREEN_BITS && screen.kernel == best->screen_bits && screen.depth == 3);
            CHECK(screen.unit && screen.taken == 70);
            continue;
        }
        bool bytes = best->screen_bytes;
        CHECK(screen.kind == (bytes ? WL_SCREEN_BYTES : WL_SCREEN_FLOATS) && screen.taken == 30 && !screen.unit);
        CHECK(screen.kernel == (bytes ? best->screen_bytes : best->screen_floats));
        CHECK(screen.depth == (bytes ? 8 : 30) && wl_screen_tile_size(&screen) == 8 * 4 * screen.depth);
    }
}

/* Unit rows: the first with a number that is not finite is told. Others: nothing breaks. A query's square tells it. */
static void check_not_finite(wl_element element, float odd, bool unit)
{
    enum { DIM = 20, COUNT = 30, TAKEN = 7 };
    wl_vectors rows = make_rows(element, COUNT, DIM, PLAIN);
    size_t first = random_below(COUNT), size = wl_vector_size(element, 1), bad;
    for (size_t row = first; row < COUNT; row += 9)
        put_element((char *)(uintptr_t)wl_row(&rows, row) + random_below(DIM) * size, element, odd);
    wl_screen screen = wl_screen_make(&rows, TAKEN, unit);
    wl_screen_rows block;
    wl_screen_tile tile;
    wl_error error;
    float scratch[DIM];
    CHECK(wl_screen_rows_create(&screen, &block, &error) == WL_OK);
    void *groups = allocate(wl_screen_tile_size(&screen));
    wl_screen_tile_clear(&screen, &tile, groups);
    for (size_t place = 0; place < WL_TILE_QUERIES; place++) {
        size_t index = place ? random_below(COUNT) : first;
        double square = wl_screen_tile_load(&screen, &tile, place, &rows, index, scratch);
        CHECK(isfinite(square) == (index < first || (index - first) % 9 != 0));
    }
    wl_screen_rows_load(&screen, &block, &rows, 0, COUNT, NULL, &bad);
    if (unit) CHECK(bad == first);
    for (size_t place = 0; place < WL_TILE_QUERIES; place++)
        wl_screen_tile_aim(&screen, &tile, place, &block, place % 2 ? 0.5 : (double)NAN);
    wl_hit *hits = allocate(WL_TILE_QUERIES * 2 * WL_PANEL_LANES * sizeof *hits);
    if (!unit) wl_screen_run(&screen, &block, 0, COUNT, &tile, hits);
    free(hits);
    free(groups);
    wl_screen_rows_free(&block);
    free_rows(rows);
}

static void test_not_finite(void)
{
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t o = 0; o < 3; o++)
        for (int element = 0; element <= WL_ELEMENT_BF16; element++) {
            check_not_finite((wl_element)element, odd[o], true);
            check_not_finite((wl_element)element, odd[o], false);
        }
}

static void test_empty_tile(void)
{
    wl_vectors rows = make_rows(WL_ELEMENT_F32, 40, 33, PLAIN);
    wl_screen screen = wl_screen_make(&rows, 0, true);
    wl_screen_rows block;
    wl_screen_tile tile;
    wl_error error;
    size_t bad;
    CHECK(wl_screen_rows_create(&screen, &block, &error) == WL_OK);
    wl_screen_rows_load(&screen, &block, &rows, 0, 40, NULL, &bad);
    void *groups = allocate(wl_screen_tile_size(&screen));
    wl_hit *hits = allocate(WL_TILE_QUERIES * 48 * sizeof *hits);
    wl_screen_tile_clear(&screen, &tile, groups);
    CHECK(wl_screen_run(&screen, &block, 0, 40, &tile, hits) == 0);
    for (size_t place = 0; place < WL_TILE_QUERIES; place++) wl_screen_tile_aim(&screen, &tile, place, &block, -2);
    CHECK(wl_screen_run(&screen, &block, 0, 40, &tile, hits) == 0);
    free(hits);
    free(groups);
    wl_screen_rows_free(&block);
    free_rows(rows);
}

static void test_memory(void)
{
    if (!fault_available()) {
        SKIP("allocations that fail: linked without --wrap");
        return;
    }
    wl_vectors shape = {NULL, 0, 100, WL_ELEMENT_F32};
    wl_screen screen = wl_screen_make(&shape, 0, true);
    for (size_t nth = 1;; nth++) {
        wl_screen_rows rows;
        wl_error error;
        fault_begin(nth);
        wl_status status = wl_screen_rows_create(&screen, &rows, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK);
            wl_screen_rows_free(&rows);
            break;
        }
        CHECK(status == WL_ERROR_MEMORY && error.code == WL_ERROR_MEMORY);
    }
}

int main(void)
{
    printf("kernels: %s\n", wl_cpu_name());
    test_trials();
    test_most_dimensions();
    test_many_bits();
    test_far_apart();
    test_choice();
    test_not_finite();
    test_empty_tile();
    test_memory();
    return test_end();
}
