/* The contrastive loss: against sentence-transformers, against the slopes that differences of a plain double loss give,
 * with every option; in tiles; and the same bits for any number of threads. */
#include <math.h>

#include "base/random.h"
#include "fault.h"
#include "test.h"
#include "train/losses.h"

static wl_pool *new_pool(uint32_t threads)
{
    wl_error error;
    wl_pool *pool = wl_pool_create(threads, &error);
    if (!pool) exit(EXIT_FAILURE);
    return pool;
}

static void *memory(size_t count, size_t size)
{
    void *found = calloc(count ? count : 1, size);
    if (!found) exit(EXIT_FAILURE);
    return found;
}

/* The loss of a batch and all its slopes. */
typedef struct batch {
    wl_contrast contrast;
    wl_nest nest;
    float *anchors, *candidates, *anchor_slopes, *candidate_slopes;
    uint64_t *anchor_texts, *candidate_texts;
    float *anchor_targets, *candidate_targets;
    double scale_slope, loss;
} batch;

static batch new_batch(size_t count, size_t candidates, size_t dim, wl_nest nest)
{
    batch of = {.nest = nest};
    of.anchors = memory(count * dim, sizeof(float));
    of.candidates = memory(candidates * dim, sizeof(float));
    of.anchor_slopes = memory(count * dim, sizeof(float));
    of.candidate_slopes = memory(candidates * dim, sizeof(float));
    of.contrast = (wl_contrast){.anchors = of.anchors,
                                .candidates = of.candidates,
                                .count = count,
                                .candidate_count = candidates,
                                .dim = dim,
                                .scale = 20};
    return of;
}

static void free_batch(batch *of)
{
    free(of->anchors);
    free(of->candidates);
    free(of->anchor_slopes);
    free(of->candidate_slopes);
    free(of->anchor_texts);
    free(of->candidate_texts);
    free(of->anchor_targets);
    free(of->candidate_targets);
}

static void fill(float *numbers, size_t count, uint64_t seed)
{
    wl_random random = wl_random_seed(seed, 0);
    for (size_t i = 0; i < count; i++) numbers[i] = (float)(2 * wl_random_unit(&random) - 1);
}

/* Candidates resemble their anchors by so much. */
static batch random_batch(size_t count, size_t candidates, size_t dim, wl_nest nest, float alike)
{
    batch of = new_batch(count, candidates, dim, nest);
    fill(of.anchors, count * dim, 1);
    fill(of.candidates, candidates * dim, 2);
    for (size_t i = 0; i < candidates * dim; i++) of.candidates[i] += alike * of.anchors[i % (count * dim)];
    return of;
}

/* Texts of which some are equal, in all the ways that there are. */
static void give_texts(batch *of, uint64_t different)
{
    wl_random random = wl_random_seed(3, 0);
    const wl_contrast *contrast = &of->contrast;
    of->anchor_texts = memory(contrast->count, sizeof(uint64_t));
    of->candidate_texts = memory(contrast->candidate_count, sizeof(uint64_t));
    for (size_t i = 0; i < contrast->count; i++) of->anchor_texts[i] = wl_random_below(&random, different);
    for (size_t i = 0; i < contrast->candidate_count; i++) of->candidate_texts[i] = wl_random_below(&random, different);
    of->contrast.anchor_texts = of->anchor_texts;
    of->contrast.candidate_texts = of->candidate_texts;
}

static void give_targets(batch *of, size_t dim, float margin)
{
    wl_contrast *contrast = &of->contrast;
    of->anchor_targets = memory(contrast->count * dim, sizeof(float));
    of->candidate_targets = memory(contrast->candidate_count * dim, sizeof(float));
    fill(of->anchor_targets, contrast->count * dim, 4);
    fill(of->candidate_targets, contrast->candidate_count * dim, 5);
    contrast->anchor_targets = of->anchor_targets;
    contrast->candidate_targets = of->candidate_targets;
    contrast->target_dim = dim;
    contrast->margin = margin;
}

static void run_on(wl_pool *pool, batch *of)
{
    wl_error error;
    memset(of->anchor_slopes, 0, of->contrast.count * of->contrast.dim * sizeof(float));
    memset(of->candidate_slopes, 0, of->contrast.candidate_count * of->contrast.dim * sizeof(float));
    of->scale_slope = 0;
    CHECK(wl_contrast_loss(pool, &of->contrast, &of->nest, 1, of->anchor_slopes, of->candidate_slopes, &of->scale_slope,
                           &of->loss, &error) == WL_OK);
}

static void run(batch *of)
{
    wl_pool *pool = new_pool(2);
    run_on(pool, of);
    wl_pool_free(pool);
}

/* ---- against sentence-transformers ------------------------------------------------------------------------------- */

/* As in tools/golden_contrast.py. */
static float number(uint32_t seed, uint32_t place)
{
    uint32_t bits = place * 2654435761u + seed * 40503u + 12345u;
    bits = (bits ^ bits >> 15) * 2246822519u;
    bits = (bits ^ bits >> 13) * 3266489917u;
    return (float)((bits ^ bits >> 16) >> 8) / 8388608 - 1;
}

/* The largest difference of what is in the file, and the largest number there. */
static void compare(FILE *file, const float *found, size_t count, double *worst, double *largest)
{
    for (size_t i = 0; i < count; i++) {
        double expected;
        if (fscanf(file, "%lf", &expected) != 1) exit(EXIT_FAILURE);
        *worst = fmax(*worst, fabs((double)found[i] - expected));
        *largest = fmax(*largest, fabs(expected));
    }
}

static void test_golden(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/contrast.txt", "r");
    if (!file) exit(EXIT_FAILURE);
    uint32_t seed;
    size_t count, negatives, dim, levels, cases = 0;
    int symmetric;
    float scale;
    while (fscanf(file, " case %u %zu %zu %zu %d %f %zu", &seed, &count, &negatives, &dim, &symmetric, &scale,
                  &levels) == 7) {
        uint32_t dims[8];
        float weights[8];
        double loss, scale_slope, worst = 0, largest = 0;
        for (size_t i = 0; i < levels; i++)
            if (fscanf(file, "%u %f", &dims[i], &weights[i]) != 2) exit(EXIT_FAILURE);
        if (fscanf(file, "%lf %lf", &loss, &scale_slope) != 2) exit(EXIT_FAILURE);
        batch of = new_batch(count, count * (1 + negatives), dim, (wl_nest){dims, weights, levels});
        for (size_t i = 0; i < count * dim; i++) of.anchors[i] = number(seed, (uint32_t)i);
        for (size_t i = 0; i < count * (1 + negatives) * dim; i++)
            of.candidates[i] = number(seed, (uint32_t)(count * dim + i));
        of.contrast.symmetric = symmetric;
        of.contrast.scale = scale;
        run(&of);
        compare(file, of.anchor_slopes, count * dim, &worst, &largest);
        compare(file, of.candidate_slopes, count * (1 + negatives) * dim, &worst, &largest);
        CHECK_THAT(worst <= 5e-6 * largest, "case %u: %g of %g", seed, worst, largest);
        CHECK_THAT(fabs(of.loss - loss) <= 2e-6 * fabs(loss), "case %u: loss %.9g, expected %.9g", seed, of.loss, loss);
        CHECK_THAT(fabs(of.scale_slope - scale_slope) <= 5e-6 * fabs(scale_slope), "case %u: %.9g, expected %.9g", seed,
                   of.scale_slope, scale_slope);
        free_batch(&of);
        cases++;
    }
    CHECK(cases == 8 && feof(file));
    fclose(file);
}

/* ---- against differences ----------------------------------------------------------------------------------------- */

static double product(const double *a, const double *b, size_t dim)
{
    double sum = 0;
    for (size_t k = 0; k < dim; k++) sum += a[k] * b[k];
    return sum;
}

/* One side looks for the other: the definition, in doubles. */
typedef struct side {
    const double *vectors;
    size_t count;
    const uint64_t *texts;
    const float *targets;
} side;

static double similarity(const side *a, size_t i, const side *b, size_t j, size_t dim)
{
    double sum = 0;
    for (size_t k = 0; k < dim; k++) sum += (double)a->targets[i * dim + k] * (double)b->targets[j * dim + k];
    return sum;
}

static bool is_negative(const wl_contrast *of, const side *a, size_t i, const side *b, size_t j)
{
    if (a->texts && (b->texts[j] == a->texts[i] || b->texts[j] == b->texts[i])) return false;
    if (a->texts && j < a->count && a->texts[j] == a->texts[i]) return false;
    return !a->targets ||
           similarity(a, i, b, j, of->target_dim) <= similarity(a, i, b, i, of->target_dim) - (double)of->margin;
}

static double plain_search(const wl_contrast *of, const wl_nest *nest, double scale, side a, side b)
{
    double loss = 0;
    size_t count = of->count;
    bool *negative = memory(count * b.count, sizeof *negative);
    double *norms = memory(count + b.count, sizeof *norms);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < b.count; j++) negative[i * b.count + j] = is_negative(of, &a, i, &b, j);
    for (size_t level = 0; level < nest->count; level++) {
        size_t dim = nest->dims[level];
        for (size_t i = 0; i < count + b.count; i++) {
            const double *vector = i < count ? a.vectors + i * of->dim : b.vectors + (i - count) * of->dim;
            norms[i] = sqrt(product(vector, vector, dim));
        }
        for (size_t i = 0; i < count; i++) {
            double sum = 0, own = 0;
            for (size_t j = 0; j < b.count; j++) {
                double norm = norms[i] * norms[count + j];
                double cosine = norm > 0 ? product(a.vectors + i * of->dim, b.vectors + j * of->dim, dim) / norm : 0;
                if (j == i) own = scale * cosine;
                if (j == i || negative[i * b.count + j]) sum += exp(scale * (cosine - 1));
            }
            loss += (double)nest->weights[level] / (double)count * (log(sum) + scale - own);
        }
    }
    free(negative);
    free(norms);
    return loss;
}

static double plain_loss(const batch *of, const double *anchors, const double *candidates, double scale)
{
    side a = {anchors, of->contrast.count, of->anchor_texts, of->anchor_targets};
    side b = {candidates, of->contrast.candidate_count, of->candidate_texts, of->candidate_targets};
    double loss = plain_search(&of->contrast, &of->nest, scale, a, b);
    if (!of->contrast.symmetric) return loss;
    b.count = a.count;
    return (loss + plain_search(&of->contrast, &of->nest, scale, b, a)) / 2;
}

/* The derivative along a direction of random signs of all numbers, or of one vector only (a place below count +
 * candidates), against the slopes found. */
static void check_direction(const batch *of, uint64_t seed, size_t vector)
{
    const wl_contrast *contrast = &of->contrast;
    size_t dim = contrast->dim, anchors = contrast->count * dim, all = anchors + contrast->candidate_count * dim;
    double *plus = memory(all, sizeof *plus), *minus = memory(all, sizeof *minus), slope = 0, squares = 0,
           all_squares = 0, h = 1e-5;
    wl_random random = wl_random_seed(seed, 7);
    for (size_t i = 0; i < all; i++) {
        float value = i < anchors ? of->anchors[i] : of->candidates[i - anchors];
        double found = (double)(i < anchors ? of->anchor_slopes[i] : of->candidate_slopes[i - anchors]);
        double sign = wl_random_unit(&random) < 0.5 ? -1 : 1;
        if (vector != SIZE_MAX && i / dim != vector) sign = 0;
        plus[i] = (double)value + h * sign;
        minus[i] = (double)value - h * sign;
        slope += sign * found;
        squares += sign * sign * found * found;
        all_squares += found * found;
    }
    double scale = (double)contrast->scale;
    double difference =
        (plain_loss(of, plus, plus + anchors, scale) - plain_loss(of, minus, minus + anchors, scale)) / (2 * h);
    CHECK_THAT(fabs(difference - slope) <= 1e-5 * sqrt(squares) + 1e-6 * sqrt(all_squares) + 1e-8,
               "%zu x %zu: %.9g, by differences %.9g", contrast->count, contrast->candidate_count, slope, difference);
    free(plus);
    free(minus);
}

static void check_all(batch *of, size_t directions, size_t vectors)
{
    run(of);
    size_t anchors = of->contrast.count * of->contrast.dim, candidates = of->contrast.candidate_count;
    double *wide = memory(anchors + candidates * of->contrast.dim, sizeof *wide), h = 1e-5;
    for (size_t i = 0; i < anchors; i++) wide[i] = (double)of->anchors[i];
    for (size_t i = 0; i < candidates * of->contrast.dim; i++) wide[anchors + i] = (double)of->candidates[i];
    double scale = (double)of->contrast.scale, loss = plain_loss(of, wide, wide + anchors, scale);
    double slope = plain_loss(of, wide, wide + anchors, scale + h) - plain_loss(of, wide, wide + anchors, scale - h);
    CHECK_THAT(fabs(of->loss - loss) <= 3e-6 * (1 + fabs(loss)), "%.9g, expected %.9g", of->loss, loss);
    CHECK_THAT(fabs(of->scale_slope - slope / (2 * h)) <= 1e-5 * (0.1 + fabs(slope / (2 * h))),
               "scale: %.9g, by differences %.9g", of->scale_slope, slope / (2 * h));
    for (size_t i = 0; i < directions; i++) check_direction(of, i, SIZE_MAX);
    size_t all = of->contrast.count + candidates;
    for (size_t i = 0; i < vectors; i++) check_direction(of, i, vectors < all ? i * (all - 1) / (vectors - 1) : i);
    free(wide);
}

/* Every option with every other, over a nest that is not in order and names a dim twice. */
static void test_options(void)
{
    static const uint32_t dims[] = {5, 12, 3, 12};
    static const float weights[] = {0.5f, 1, 2, 0.25f};
    for (unsigned options = 0; options < 16; options++) {
        batch of = random_batch(9, 21, 12, (wl_nest){dims, weights, options & 1 ? 4 : 2}, 0.5f);
        of.contrast.symmetric = options & 2;
        if (options & 4) give_texts(&of, 20);
        if (options & 8) give_targets(&of, 6, 0.1f);
        of.contrast.scale = options == 3 ? 0 : options == 7 ? -3 : 12;
        check_all(&of, 2, 30);
        free_batch(&of);
    }
}

/* Batches that do not fill their tiles, and that need many. */
static void test_tiles(void)
{
    static const uint32_t dims[] = {6, 2};
    static const float weights[] = {1, 0.5f};
    static const size_t counts[][2] = {{1, 1}, {1, 2}, {2, 2}, {16, 17}, {257, 257}, {300, 2300}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        batch of = random_batch(counts[i][0], counts[i][1], 6, (wl_nest){dims, weights, 2}, 1);
        of.contrast.symmetric = i % 2;
        if (i % 2) give_texts(&of, 200);
        if (i % 2) give_targets(&of, 4, -0.5f);
        check_all(&of, 2, 2);
        free_batch(&of);
    }
}

/* Anchors that are all of one text have no negatives, also those whose positive is not in the first tile. */
static void test_all_masked(void)
{
    static const uint32_t dims[] = {2};
    static const float weights[] = {1};
    batch of = random_batch(2100, 2100, 2, (wl_nest){dims, weights, 1}, 0);
    give_texts(&of, 1);
    run(&of);
    CHECK_THAT(fabs(of.loss) < 1e-9, "%g", of.loss);
    double largest = 0;
    for (size_t i = 0; i < 4200; i++) largest = fmax(largest, fabs((double)of.anchor_slopes[i]));
    for (size_t i = 0; i < 4200; i++) largest = fmax(largest, fabs((double)of.candidate_slopes[i]));
    CHECK_THAT(largest < 1e-9, "%g", largest);
    free_batch(&of);
}

/* ---- numbers that are not usual ---------------------------------------------------------------------------------- */

static void test_zero(void)
{
    static const uint32_t dims[] = {4, 8};
    static const float weights[] = {1, 1};
    batch of = random_batch(6, 12, 8, (wl_nest){dims, weights, 2}, 1);
    memset(of.anchors + 2 * 8, 0, 8 * sizeof(float));
    memset(of.candidates + 3 * 8, 0, 8 * sizeof(float));
    memset(of.candidates + 7 * 8, 0, 4 * sizeof(float)); /* the first four numbers alone */
    run(&of);
    double wide[(6 + 12) * 8];
    for (size_t i = 0; i < (size_t)6 * 8; i++) wide[i] = (double)of.anchors[i];
    for (size_t i = 0; i < (size_t)12 * 8; i++) wide[6 * 8 + i] = (double)of.candidates[i];
    double loss = plain_loss(&of, wide, wide + (size_t)6 * 8, 20);
    CHECK_THAT(fabs(of.loss - loss) < 1e-5, "%.9g, expected %.9g", of.loss, loss);
    for (size_t k = 0; k < 8; k++) {
        CHECK(of.anchor_slopes[2 * 8 + k] == 0 && of.candidate_slopes[3 * 8 + k] == 0);
    }
    check_direction(&of, 1, 0);
    check_direction(&of, 1, 6 + 1);
    float slopes[8];
    memcpy(slopes, of.candidate_slopes + 7 * 8, sizeof slopes);
    of.nest = (wl_nest){dims + 1, weights, 1};
    run(&of);
    for (size_t k = 0; k < 8; k++) CHECK(fabsf(slopes[k] - of.candidate_slopes[7 * 8 + k]) < 1e-6f);
    free_batch(&of);
}

static void test_extremes(void)
{
    static const uint32_t dims[] = {8};
    static const float weights[] = {1};
    batch of = random_batch(20, 40, 8, (wl_nest){dims, weights, 1}, 0);
    of.contrast.scale = 3000; /* exp(logit) has no number, and most exp(logit - highest) are 0 */
    run(&of);
    CHECK(isfinite(of.loss) && of.loss > 100);
    for (size_t i = 0; i < (size_t)20 * 8; i++) CHECK(isfinite(of.anchor_slopes[i]));
    of.candidates[39 * 8] = NAN; /* a negative that is nobody's own */
    run(&of);
    CHECK(isnan(of.loss));
    free_batch(&of);

    batch tiny = random_batch(5, 5, 8, (wl_nest){dims, weights, 1}, 1), usual = random_batch(5, 5, 8, tiny.nest, 1);
    for (size_t i = 0; i < (size_t)5 * 8; i++) tiny.anchors[i] *= 0x1p-30f;
    run(&tiny);
    run(&usual);
    CHECK(fabs(tiny.loss - usual.loss) < 1e-6);
    for (size_t i = 0; i < (size_t)5 * 8; i++)
        CHECK(fabsf(tiny.anchor_slopes[i] * 0x1p-30f - usual.anchor_slopes[i]) < 1e-5f);
    free_batch(&tiny);
    free_batch(&usual);
}

/* Slopes are added, times the weight; the loss is set. */
static void test_weight(void)
{
    static const uint32_t dims[] = {8};
    static const float weights[] = {1};
    batch of = random_batch(7, 14, 8, (wl_nest){dims, weights, 1}, 0.5f);
    run(&of);
    float anchors[7 * 8], candidates[14 * 8];
    for (size_t i = 0; i < (size_t)7 * 8; i++) anchors[i] = 1;
    for (size_t i = 0; i < (size_t)14 * 8; i++) candidates[i] = -1;
    double loss = 5, scale_slope = 3;
    wl_error error;
    wl_pool *pool = new_pool(1);
    CHECK(!wl_contrast_loss(pool, &of.contrast, &of.nest, 2, anchors, candidates, &scale_slope, &loss, &error));
    CHECK(loss == of.loss);
    CHECK(fabs(scale_slope - 3 - 2 * of.scale_slope) < 1e-6);
    for (size_t i = 0; i < (size_t)7 * 8; i++) CHECK(fabsf(anchors[i] - 1 - 2 * of.anchor_slopes[i]) < 1e-5f);
    for (size_t i = 0; i < (size_t)14 * 8; i++) CHECK(fabsf(candidates[i] + 1 - 2 * of.candidate_slopes[i]) < 1e-5f);
    CHECK(!wl_contrast_loss(pool, &of.contrast, &of.nest, 0, anchors, candidates, NULL, &loss, &error));
    CHECK(loss == of.loss);
    wl_pool_free(pool);
    free_batch(&of);
}

/* ---- threads and failures ---------------------------------------------------------------------------------------- */

static void test_threads(void)
{
    static const uint32_t dims[] = {70, 33, 7};
    static const float weights[] = {1, 1, 2};
    batch of = random_batch(280, 2200, 70, (wl_nest){dims, weights, 3}, 1);
    give_texts(&of, 1000);
    give_targets(&of, 30, 0);
    of.contrast.symmetric = true;
    size_t anchors = (size_t)280 * 70, candidates = (size_t)2200 * 70;
    float *first = memory(anchors + candidates, sizeof *first);
    double loss = 0, scale_slope = 0;
    for (uint32_t threads = 1; threads <= 3; threads++) {
        wl_pool *pool = new_pool(threads);
        run_on(pool, &of);
        wl_pool_free(pool);
        if (threads == 1) {
            memcpy(first, of.anchor_slopes, anchors * sizeof *first);
            memcpy(first + anchors, of.candidate_slopes, candidates * sizeof *first);
            loss = of.loss;
            scale_slope = of.scale_slope;
        }
        CHECK(of.loss == loss && of.scale_slope == scale_slope);
        CHECK(!memcmp(first, of.anchor_slopes, anchors * sizeof *first));
        CHECK(!memcmp(first + anchors, of.candidate_slopes, candidates * sizeof *first));
    }
    free(first);
    free_batch(&of);
}

static void test_faults(void)
{
    uint32_t dims[] = {8, 4};
    static const float weights[] = {1, 1};
    batch of = random_batch(4, 8, 8, (wl_nest){dims, weights, 2}, 1);
    give_texts(&of, 5);
    give_targets(&of, 4, 0);
    of.contrast.symmetric = true;
    wl_error error;
    wl_pool *pool = new_pool(1);
    for (size_t nth = 1; fault_available(); nth++) {
        fault_begin(nth);
        wl_status status = wl_contrast_loss(pool, &of.contrast, &of.nest, 1, of.anchor_slopes, of.candidate_slopes,
                                            NULL, &of.loss, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK && nth > 10);
            break;
        }
        CHECK(status == WL_ERROR_MEMORY);
        for (size_t i = 0; i < (size_t)4 * 8; i++) CHECK(of.anchor_slopes[i] == 0); /* nothing is half done */
    }
    dims[1] = 9;
    CHECK(wl_contrast_loss(pool, &of.contrast, &of.nest, 1, of.anchor_slopes, of.candidate_slopes, NULL, &of.loss,
                           &error) == WL_ERROR_ARGUMENT);
    wl_pool_free(pool);
    free_batch(&of);
}

int main(void)
{
    test_golden();
    test_options();
    test_tiles();
    test_all_masked();
    test_zero();
    test_extremes();
    test_weight();
    test_threads();
    test_faults();
    return test_end();
}
