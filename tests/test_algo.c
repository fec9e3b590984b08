/* The room algo: similarity, top-k, deduplication and clustering against what a few plain lines compute, for every
 * element, for sizes around those of blocks and tiles, and for several numbers of threads; digests of labels and orders
 * that every instruction set must give; bad input; allocations that fail. */
#include <float.h>
#include <math.h>

#include "algo/select.h"
#include "base/random.h"
#include "fault.h"
#include "format/half.h"
#include "test.h"
#include "vector/vectors.h"
#include "vectors.h"

static wl_context *contexts[3]; /* 1, 2 and 5 threads */

static void open_contexts(void)
{
    static const uint32_t threads[] = {1, 2, 5};
    for (size_t i = 0; i < 3; i++) {
        wl_context_options options = {.size = sizeof options, .threads = threads[i]};
        contexts[i] = wl_context_create(&options, NULL);
        if (!contexts[i]) abort();
    }
}

/* The rows as another element, in new memory. */
static wl_vectors convert(const float *rows, size_t count, size_t dim, wl_element element)
{
    size_t size = wl_vector_size(element, dim);
    unsigned char *data = malloc(count * size + 1);
    if (!data) abort();
    wl_vectors from = {rows, count, dim, WL_ELEMENT_F32};
    if (element == WL_ELEMENT_BITS) {
        CHECK(wl_vectors_binarize(&from, data, NULL) == WL_OK);
        return (wl_vectors){data, count, dim, element};
    }
    for (size_t i = 0; i < count * dim; i++) {
        uint16_t half = element == WL_ELEMENT_F16 ? wl_f32_to_f16(rows[i]) : wl_f32_to_bf16(rows[i]);
        signed char byte = (signed char)lrintf(rows[i] * 60);
        if (element == WL_ELEMENT_F32)
            memcpy(data + 4 * i, &rows[i], 4);
        else if (element == WL_ELEMENT_I8)
            memcpy(data + i, &byte, 1);
        else
            memcpy(data + 2 * i, &half, 2);
    }
    return (wl_vectors){data, count, dim, element};
}

static void release(wl_vectors *vectors)
{
    free((void *)(uintptr_t)vectors->data);
}

/* ---- similarity and top-k ---------------------------------------------------------------------------------------- */

static float score_of(const wl_vectors *a, size_t i, const wl_vectors *b, size_t j, wl_measure measure)
{
    double cosine = wl_vector_cosine(a->element, wl_row(a, i), wl_row(b, j), a->dim);
    if (measure == WL_COSINE) return (float)cosine;
    uint64_t differing = wl_hamming(wl_row(a, i), wl_row(b, j), (a->dim + 7) / 8);
    return (float)(1 - (double)differing / (double)a->dim);
}

static void check_top(const wl_vectors *queries, const wl_vectors *rows, size_t k, wl_measure measure)
{
    size_t kept = k < rows->count ? k : rows->count;
    wl_match *out = malloc(queries->count * kept * sizeof *out + 1), *all = malloc(rows->count * sizeof *all + 1);
    if (!out || !all) abort();
    for (size_t c = 0; c < 3; c++) {
        wl_error error;
        wl_status status = wl_top_k(queries, rows, k, measure, contexts[c], out, &error);
        CHECK_THAT(status == WL_OK, "%s", error.message);
        if (status) break;
        size_t wrong = 0;
        for (size_t query = 0; query < queries->count; query++) {
            for (size_t row = 0; row < rows->count; row++)
                all[row] = (wl_match){row, score_of(queries, query, rows, row, measure)};
            wl_sort_matches(all, rows->count);
            for (size_t i = 0; i < kept; i++)
                wrong += out[query * kept + i].index != all[i].index || out[query * kept + i].score != all[i].score;
        }
        CHECK_THAT(wrong == 0, "%zu wrong: %zu queries, %zu rows, dim %zu, element %d, k %zu, context %zu", wrong,
                   queries->count, rows->count, rows->dim, (int)rows->element, k, c);
    }
    free(out);
    free(all);
}

static void check_matrix(const wl_vectors *a, const wl_vectors *b, wl_measure measure)
{
    float *out = malloc(a->count * b->count * sizeof *out + 1);
    if (!out) abort();
    size_t wrong = 0;
    CHECK(wl_similarity(a, b, measure, contexts[1], out, NULL) == WL_OK);
    for (size_t i = 0; i < a->count; i++)
        for (size_t j = 0; j < b->count; j++) wrong += out[i * b->count + j] != score_of(a, i, b, j, measure);
    wl_vectors head = *b, same = *a;
    head.count = same.count = a->count < b->count ? a->count : b->count;
    CHECK(wl_similarity_pairs(&same, &head, measure, contexts[1], out, NULL) == WL_OK);
    for (size_t i = 0; i < head.count; i++) wrong += out[i] != score_of(a, i, b, i, measure);
    CHECK_THAT(wrong == 0, "%zu wrong of (%zu, %zu), element %d", wrong, a->count, b->count, (int)a->element);
    free(out);
}

static void test_top(void)
{
    static const struct {
        size_t queries, rows, dim, k;
    } cases[] = {{1, 1, 1, 1},     {1, 100, 3, 5},    {3, 17, 64, 20},  {7, 16, 33, 4},    {8, 15, 64, 3},
                 {9, 192, 100, 7}, {20, 193, 64, 10}, {30, 769, 20, 1}, {40, 2000, 48, 9}, {100, 40, 65, 60},
                 {5, 3000, 8, 12}, {0, 5, 4, 2},      {4, 0, 4, 2},     {16, 1537, 257, 2}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (wl_element element = WL_ELEMENT_F32; element <= WL_ELEMENT_BITS; element++) {
            float *rows = make_rows(cases[c].rows, cases[c].dim, 1),
                  *queries = make_rows(cases[c].queries, cases[c].dim, 1);
            wl_vectors a = convert(queries, cases[c].queries, cases[c].dim, element);
            wl_vectors b = convert(rows, cases[c].rows, cases[c].dim, element);
            check_top(&a, &b, cases[c].k, WL_COSINE);
            if (element == WL_ELEMENT_BITS) check_top(&a, &b, cases[c].k, WL_HAMMING);
            check_matrix(&a, &b, element == WL_ELEMENT_BITS ? WL_HAMMING : WL_COSINE);
            release(&a);
            release(&b);
            free(rows);
            free(queries);
        }
}

/* Rows of very different lengths, and rows that are all the same. */
static void test_top_extremes(void)
{
    enum { ROWS = 900, DIM = 40 };
    static const float scales[] = {1, 1e-30f, 1e18f, 1e-12f, 3e30f};
    float *rows = make_rows(ROWS, DIM, 5);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < DIM; j++) rows[i * DIM + j] *= scales[i % 5];
    wl_vectors vectors = {rows, ROWS, DIM, WL_ELEMENT_F32}, queries = vectors;
    queries.count = 50;
    check_top(&queries, &vectors, 6, WL_COSINE);
    queries.count = 3;
    check_top(&queries, &vectors, 6, WL_COSINE);
    for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = (float)(i % DIM) - 7;
    queries.count = 50;
    check_top(&queries, &vectors, 6, WL_COSINE);
    for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = 0;
    check_top(&queries, &vectors, 6, WL_COSINE);
    free(rows);
}

static void test_selection(void)
{
    wl_match kept[5];
    wl_selection selection = {kept, 0, 5};
    CHECK(wl_selection_threshold(&selection) == -(double)INFINITY);
    for (size_t i = 0; i < 100; i++) wl_select(&selection, (wl_match){i, (float)(i * 37 % 10)});
    wl_sort_matches(kept, selection.count);
    for (size_t i = 0; i < 5; i++) CHECK(kept[i].score == 9 && kept[i].index == 7 + 10 * i); /* 37 i = 9 mod 10 */
    wl_selection none = {NULL, 0, 0};
    wl_select(&none, (wl_match){1, 1});
    CHECK(none.count == 0);
}

/* ---- deduplication ----------------------------------------------------------------------------------------------- */

static void check_repeats(const wl_vectors *vectors, double threshold, bool greedy, size_t held, wl_measure measure)
{
    size_t count = vectors->count, dropped = 0, wrong = 0;
    wl_match *expected = malloc(count * sizeof *expected + 1), *got = malloc(count * sizeof *got + 1);
    if (!expected || !got) abort();
    for (size_t row = 0; row < count; row++) {
        expected[row] = (wl_match){WL_NONE, 0};
        for (size_t earlier = 0; row >= held && earlier < row && expected[row].index == WL_NONE; earlier++) {
            float score = score_of(vectors, row, vectors, earlier, measure);
            if (greedy && expected[earlier].index != WL_NONE) continue;
            if (score > (float)threshold) expected[row] = (wl_match){earlier, score};
        }
        dropped += expected[row].index != WL_NONE;
    }
    for (size_t c = 0; c < 3; c++) {
        wl_deduplicate_options options = {.size = sizeof options,
                                          .measure = measure,
                                          .has_threshold = true,
                                          .threshold = threshold,
                                          .greedy = greedy,
                                          .held = held};
        size_t found;
        wl_error error;
        CHECK_THAT(wl_deduplicate(vectors, &options, contexts[c], got, &found, &error) == WL_OK, "%s", error.message);
        for (size_t i = 0; i < count; i++)
            wrong += got[i].index != expected[i].index || got[i].score != expected[i].score;
        CHECK_THAT(found == dropped, "%zu dropped, expected %zu", found, dropped);
    }
    CHECK_THAT(wrong == 0, "%zu wrong of %zu, dim %zu, element %d, threshold %g, greedy %d, held %zu", wrong, count,
               vectors->dim, (int)vectors->element, threshold, greedy, held);
    free(expected);
    free(got);
}

static void test_deduplicate(void)
{
    static const size_t counts[] = {0, 1, 2, 7, 8, 9, 100, 767, 769, 1700}, dims[] = {1, 30, 64, 128};
    static const double thresholds[] = {-1, 0.3, 0.8, 0.9, 0.97, 1, 2};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            float *rows = make_rows(counts[c], dims[d], 3);
            for (wl_element element = WL_ELEMENT_F32; element <= WL_ELEMENT_BITS; element++) {
                if (counts[c] > 100 && element != WL_ELEMENT_F32 && element != WL_ELEMENT_BITS) continue;
                wl_vectors vectors = convert(rows, counts[c], dims[d], element);
                size_t t = (c + d) % 7;
                check_repeats(&vectors, thresholds[t], false, 0, WL_COSINE);
                check_repeats(&vectors, thresholds[(t + 3) % 7], true, 0, WL_COSINE);
                check_repeats(&vectors, 0.9, true, counts[c] / 3, WL_COSINE);
                if (element == WL_ELEMENT_BITS) check_repeats(&vectors, 0.9, false, counts[c], WL_HAMMING);
                release(&vectors);
            }
            free(rows);
        }
}

static void test_deduplicate_exact(void)
{
    static const char *const words[] = {"a", "b", "", "a", "abc", "", "b", "a"};
    static const size_t repeats[] = {WL_NONE, WL_NONE, WL_NONE, 0, WL_NONE, 2, 1, 0};
    wl_text texts[8];
    wl_match got[8];
    size_t dropped;
    for (size_t i = 0; i < 8; i++) texts[i] = (wl_text){*words[i] ? words[i] : NULL, strlen(words[i])};
    CHECK(wl_deduplicate_exact(texts, 8, NULL, got, &dropped, NULL) == WL_OK && dropped == 4);
    for (size_t i = 0; i < 8; i++) CHECK(got[i].index == repeats[i] && got[i].score == (repeats[i] == WL_NONE ? 0 : 1));
    wl_deduplicate_options options = {.size = sizeof options, .held = 6};
    CHECK(wl_deduplicate_exact(texts, 8, &options, got, &dropped, NULL) == WL_OK && dropped == 2);
    CHECK(got[3].index == WL_NONE && got[6].index == 1 && got[7].index == 0);
    CHECK(wl_deduplicate_exact(NULL, 0, NULL, NULL, NULL, NULL) == WL_OK);
}

/* ---- clustering -------------------------------------------------------------------------------------------------- */

static double inertia_of(const wl_vectors *rows, const uint32_t *labels, const float *centroids)
{
    double sum = 0;
    for (size_t i = 0; i < rows->count; i++)
        sum +=
            wl_vector_squared_distance(WL_ELEMENT_F32, wl_row(rows, i), centroids + labels[i] * rows->dim, rows->dim);
    return sum;
}

/* Rows of F32: every label is that of a nearest centroid, the inertia is that of the labels, and all the same with
 * other numbers of threads. */
static void check_clusters(const wl_vectors *rows, wl_cluster_options options)
{
    size_t count = rows->count, dim = rows->dim;
    uint32_t *labels = malloc(count * sizeof *labels), *others = malloc(count * sizeof *others);
    float *centroids = malloc(options.clusters * dim * sizeof *centroids);
    float *moved = malloc(options.clusters * dim * sizeof *moved);
    if (!labels || !others || !centroids || !moved) abort();
    wl_clustering result, other;
    wl_error error;
    options.size = sizeof options;
    CHECK_THAT(wl_cluster(rows, &options, contexts[0], labels, centroids, &result, &error) == WL_OK, "%s",
               error.message);
    double scale = 1e-12;
    for (size_t i = 0; i < count; i++) scale += wl_vector_dot(WL_ELEMENT_F32, wl_row(rows, i), wl_row(rows, i), dim);
    if (!options.spherical)
        CHECK_THAT(fabs(result.inertia - inertia_of(rows, labels, centroids)) <= 1e-9 * scale, "%g, expected %g",
                   result.inertia, inertia_of(rows, labels, centroids));
    size_t wrong = 0;
    for (size_t i = 0; i < count && !options.spherical; i++) {
        const float *row = wl_row(rows, i);
        double own = wl_vector_squared_distance(WL_ELEMENT_F32, row, centroids + labels[i] * dim, dim);
        for (size_t k = 0; k < options.clusters; k++)
            wrong += wl_vector_squared_distance(WL_ELEMENT_F32, row, centroids + k * dim, dim) < own - 1e-9 * scale;
    }
    CHECK_THAT(wrong == 0, "%zu rows have a nearer centroid, k %u", wrong, options.clusters);
    for (size_t c = 1; c < 3; c++) {
        CHECK(wl_cluster(rows, &options, contexts[c], others, moved, &other, NULL) == WL_OK);
        CHECK(memcmp(labels, others, count * sizeof *labels) == 0 && other.inertia == result.inertia);
        CHECK(memcmp(centroids, moved, options.clusters * dim * sizeof *moved) == 0);
    }
    free(labels);
    free(others);
    free(centroids);
    free(moved);
}

static void test_cluster(void)
{
    static const struct {
        size_t rows, dim;
        uint32_t clusters, batch;
        bool spherical;
    } cases[] = {{1, 1, 1, 0, false},      {5, 3, 5, 0, false},     {50, 8, 1, 0, false},     {400, 20, 7, 0, false},
                 {400, 20, 7, 0, true},    {900, 70, 40, 0, false}, {1000, 16, 9, 64, false}, {1000, 16, 9, 64, true},
                 {1700, 5, 800, 0, false}, {64, 4, 60, 0, false}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float *data = make_rows(cases[c].rows, cases[c].dim, 11);
        wl_vectors rows = {data, cases[c].rows, cases[c].dim, WL_ELEMENT_F32};
        check_clusters(&rows, (wl_cluster_options){.clusters = cases[c].clusters,
                                                   .starts = 2,
                                                   .batch = cases[c].batch,
                                                   .seed = c,
                                                   .most_iterations = cases[c].batch ? 10 : 0,
                                                   .spherical = cases[c].spherical});
        free(data);
    }
}

/* Eight far corners with noise: the clusters are the corners. */
static void test_cluster_corners(void)
{
    enum { ROWS = 800, DIM = 3 };
    float *data = make_rows(ROWS, DIM, 2);
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < DIM; j++) data[i * DIM + j] = data[i * DIM + j] * 0.1f + (float)(i >> j & 1) * 10;
    wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32};
    wl_cluster_options options = {.size = sizeof options, .clusters = 8};
    uint32_t labels[ROWS];
    float centroids[8 * DIM];
    wl_match nearest[8 * 3];
    wl_clustering result;
    CHECK(wl_cluster(&rows, &options, contexts[1], labels, centroids, &result, NULL) == WL_OK);
    CHECK(result.converged && result.inertia < ROWS * DIM * 0.04);
    for (size_t i = 8; i < ROWS; i++) CHECK(labels[i] == labels[i % 8]);
    CHECK(wl_cluster_nearest(&rows, labels, centroids, 8, 3, contexts[0], nearest, NULL) == WL_OK);
    for (size_t k = 0; k < 8; k++)
        for (size_t i = 0; i < 3; i++) {
            CHECK(labels[nearest[3 * k + i].index] == k);
            CHECK(i == 0 || nearest[3 * k + i - 1].score >= nearest[3 * k + i].score);
        }
    free(data);
}

/* Fewer different rows than clusters, or one alone. */
static void test_cluster_same(void)
{
    enum { ROWS = 100, DIM = 7 };
    float data[ROWS * DIM];
    for (size_t i = 0; i < ROWS * DIM; i++) data[i] = (float)(i % DIM) + (i / DIM % 3 == 0 ? 1 : 0);
    wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32};
    check_clusters(&rows, (wl_cluster_options){.clusters = 10});
    check_clusters(&rows, (wl_cluster_options){.clusters = 2});
    check_clusters(&rows, (wl_cluster_options){.clusters = 10, .batch = 16});
    for (size_t i = 0; i < ROWS * DIM; i++) data[i] = 0;
    check_clusters(&rows, (wl_cluster_options){.clusters = 4});
    check_clusters(&rows, (wl_cluster_options){.clusters = 4, .spherical = true});
}

/* The sum of the squared distances of rows to the means of their clusters, in F64. */
static double inertia_of_means(const wl_vectors *rows, const uint32_t *labels, size_t clusters)
{
    const float *data = rows->data;
    double *means = calloc(clusters * (rows->dim + 1), sizeof *means), sum = 0;
    if (!means) abort();
    double *sizes = means + clusters * rows->dim;
    for (size_t i = 0; i < rows->count; i++) sizes[labels[i]]++;
    for (size_t i = 0; i < rows->count * rows->dim; i++)
        means[labels[i / rows->dim] * rows->dim + i % rows->dim] += (double)data[i] / sizes[labels[i / rows->dim]];
    for (size_t i = 0; i < rows->count * rows->dim; i++) {
        double difference = (double)data[i] - means[labels[i / rows->dim] * rows->dim + i % rows->dim];
        sum += difference * difference;
    }
    free(means);
    return sum;
}

/* Rows far from the origin, of small noise; and rows that are few points only. */
static void test_cluster_far(void)
{
    enum { ROWS = 3000, DIM = 16, CLUSTERS = 30 };
    static uint32_t labels[ROWS];
    wl_cluster_options options = {.size = sizeof options, .clusters = CLUSTERS, .starts = 2};
    for (int kind = 0; kind < 3; kind++) {
        float *data = make_rows(ROWS, DIM, 6), centroids[CLUSTERS * DIM];
        for (size_t i = 0; i < ROWS * DIM; i++)
            data[i] = kind == 2 ? data[i / DIM % CLUSTERS * DIM + i % DIM] : (kind ? 10000 : 1000) + 0.01f * data[i];
        wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32};
        wl_clustering result;
        CHECK(wl_cluster(&rows, &options, contexts[1], labels, centroids, &result, NULL) == WL_OK);
        double expected = inertia_of_means(&rows, labels, CLUSTERS);
        CHECK_THAT(fabs(result.inertia - expected) <= 1e-5 * expected + 1e-12, "kind %d: %g, expected %g", kind,
                   result.inertia, expected);
        if (kind == 2) CHECK(result.inertia == 0);
        free(data);
    }
}

/* Any seed gives different starts; the largest floats do not overflow. */
static void test_cluster_seeds(void)
{
    enum { ROWS = 600, DIM = 8 };
    float *data = make_rows(ROWS, DIM, 8);
    wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32};
    wl_random first = wl_random_seed(UINT64_C(0x9E3779B97F4A7C15), 0);
    wl_random second = wl_random_seed(UINT64_C(0x9E3779B97F4A7C15), 1);
    CHECK(wl_random_next(&first) != wl_random_next(&second));
    static uint32_t labels[ROWS];
    for (size_t i = 0; i < ROWS * DIM; i++) data[i] = data[i] > 0 ? 3e38f : -3e38f;
    wl_cluster_options options = {.size = sizeof options, .clusters = 3, .starts = 2};
    for (options.batch = 0; options.batch <= 10; options.batch += 10) {
        wl_clustering result;
        float centroids[3 * DIM];
        CHECK(wl_cluster(&rows, &options, contexts[0], labels, centroids, &result, NULL) == WL_OK);
        CHECK(result.inertia > 1e70 && isfinite(result.inertia) && result.iterations > 0);
        for (size_t i = 0; i < 3 * DIM; i++) CHECK(isfinite(centroids[i]));
    }
    free(data);
}

/* ---- the same in every instruction set --------------------------------------------------------------------------- */

static uint64_t digest(uint64_t state, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++) state = (state ^ bytes[i]) * UINT64_C(0x100000001B3);
    return state;
}

static void check_digest(const char *what, uint64_t got, uint64_t expected)
{
    CHECK_THAT(got == expected, "%s: %016llx, expected %016llx (%s)", what, (unsigned long long)got,
               (unsigned long long)expected, wl_cpu_name());
}

static void test_digests(void)
{
    enum { ROWS = 1500, DIM = 96, K = 5, QUERIES = 60, CLUSTERS = 30 };
    float *data = make_rows(ROWS, DIM, 77);
    wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32}, queries = {data, QUERIES, DIM, WL_ELEMENT_F32};
    static wl_match matches[QUERIES * K], repeats[ROWS];
    static uint32_t labels[ROWS];
    uint64_t order = UINT64_C(0xCBF29CE484222325), dropped = order;
    CHECK(wl_top_k(&queries, &rows, K, WL_COSINE, contexts[1], matches, NULL) == WL_OK);
    for (size_t i = 0; i < QUERIES * K; i++) {
        uint32_t index = (uint32_t)matches[i].index;
        order = digest(digest(order, &index, 4), &matches[i].score, 4);
    }
    check_digest("order", order, UINT64_C(0xD2D7DEFFBFB46066));
    wl_deduplicate_options options = {.size = sizeof options, .has_threshold = true, .threshold = 0.95};
    CHECK(wl_deduplicate(&rows, &options, contexts[1], repeats, NULL, NULL) == WL_OK);
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t index = (uint32_t)repeats[i].index;
        dropped = digest(digest(dropped, &index, 4), &repeats[i].score, 4);
    }
    check_digest("repeats", dropped, UINT64_C(0x8B1843CA8BC1BE36));
    wl_cluster_options clusters = {.size = sizeof clusters, .clusters = CLUSTERS, .starts = 3, .seed = 4};
    CHECK(wl_cluster(&rows, &clusters, contexts[1], labels, NULL, NULL, NULL) == WL_OK);
    check_digest("labels", digest(UINT64_C(0xCBF29CE484222325), labels, sizeof labels), UINT64_C(0xDCD14E0F6EFEE6D4));
    free(data);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

static bool keep_going(void *user, uint64_t done, uint64_t bytes)
{
    (void)bytes;
    return done < *(uint64_t *)user;
}

static void test_bad_input(void)
{
    float data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, out[16];
    wl_vectors rows = {data, 4, 3, WL_ELEMENT_F32}, other = {data, 3, 4, WL_ELEMENT_F32}, bytes = rows;
    wl_match matches[16];
    uint32_t labels[4];
    wl_error error;
    wl_context *context = contexts[0];
    bytes.element = WL_ELEMENT_I8;
    CHECK(wl_top_k(&rows, &other, 1, WL_COSINE, context, matches, &error) == WL_ERROR_MISMATCH);
    CHECK(strstr(error.message, "3 and 4 dimensions"));
    CHECK(wl_top_k(&rows, &bytes, 1, WL_COSINE, context, matches, &error) == WL_ERROR_MISMATCH);
    CHECK(wl_top_k(&rows, &rows, 0, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_top_k(&rows, &rows, 1, WL_HAMMING, context, matches, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_top_k(&rows, &rows, 1, WL_COSINE, NULL, matches, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_top_k(NULL, &rows, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_top_k(&rows, &rows, 1, WL_COSINE, context, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_top_k(&rows, &rows, 100, WL_COSINE, context, matches, &error) == WL_OK && matches[0].index == 0);
    wl_vectors unknown = rows, flat = rows, shifted = rows;
    unknown.element = (wl_element)9;
    flat.dim = 0;
    shifted.data = (const char *)rows.data + 1;
    shifted.count = 3;
    CHECK(wl_similarity(&unknown, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_similarity(&flat, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_similarity(&shifted, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_similarity_pairs(&rows, &other, WL_COSINE, context, out, &error) == WL_ERROR_MISMATCH);
    wl_vectors fewer = rows;
    fewer.count = 3;
    CHECK(wl_similarity_pairs(&rows, &fewer, WL_COSINE, context, out, &error) == WL_ERROR_MISMATCH);

    wl_deduplicate_options repeats = {.size = sizeof repeats, .has_threshold = true, .threshold = (double)NAN};
    CHECK(wl_deduplicate(&rows, &repeats, context, matches, NULL, &error) == WL_ERROR_ARGUMENT);
    repeats = (wl_deduplicate_options){.size = sizeof repeats, .held = 5};
    CHECK(wl_deduplicate(&rows, &repeats, context, matches, NULL, &error) == WL_ERROR_ARGUMENT);
    uint64_t never = 0;
    repeats = (wl_deduplicate_options){.size = sizeof repeats, .progress = keep_going, .user = &never};
    CHECK(wl_deduplicate(&rows, &repeats, context, matches, NULL, &error) == WL_ERROR_CANCELLED);

    wl_cluster_options clusters = {.size = sizeof clusters, .clusters = 5};
    CHECK(wl_cluster(&rows, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(strstr(error.message, "5 clusters") && strstr(error.message, "4 rows"));
    clusters.clusters = 0;
    CHECK(wl_cluster(&rows, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    clusters = (wl_cluster_options){.size = sizeof clusters, .clusters = 2, .progress = keep_going, .user = &never};
    CHECK(wl_cluster(&rows, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_CANCELLED);
    clusters = (wl_cluster_options){.size = sizeof clusters, .clusters = 2, .has_tolerance = true, .tolerance = -1};
    CHECK(wl_cluster(&rows, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    wl_vectors bits = {data, 4, 8, WL_ELEMENT_BITS};
    clusters = (wl_cluster_options){.size = sizeof clusters, .clusters = 2};
    CHECK(wl_cluster(&bits, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_ARGUMENT);

    /* Not finite. */
    for (int kind = 0; kind < 2; kind++) {
        data[7] = kind ? INFINITY : NAN;
        wl_vectors many = {data, 1, 3, WL_ELEMENT_F32};
        CHECK(wl_top_k(&many, &rows, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
        CHECK(strstr(error.message, "row 2"));
        CHECK(wl_top_k(&rows, &many, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_similarity(&rows, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_similarity_pairs(&rows, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_deduplicate(&rows, NULL, context, matches, NULL, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_cluster(&rows, &clusters, context, labels, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
        float wide[10 * 3];
        for (size_t i = 0; i < 30; i++) wide[i] = (float)i;
        wl_vectors queries = {wide, 10, 3, WL_ELEMENT_F32};
        CHECK(wl_top_k(&queries, &rows, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_top_k(&rows, &queries, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
        /* Beside a zero vector, too. */
        float zeros[12] = {0};
        wl_vectors zero = {zeros, 4, 3, WL_ELEMENT_F32};
        CHECK(wl_top_k(&zero, &rows, 1, WL_COSINE, context, matches, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_similarity_pairs(&zero, &rows, WL_COSINE, context, out, &error) == WL_ERROR_ARGUMENT);
        const uint32_t all_first[4] = {0};
        CHECK(wl_cluster_nearest(&rows, all_first, zeros, 1, 2, context, matches, &error) == WL_ERROR_ARGUMENT);
    }
    const uint32_t beyond[4] = {0, 1, 7, 0};
    data[7] = 8;
    CHECK(wl_cluster_nearest(&rows, beyond, data, 2, 2, context, matches, &error) == WL_ERROR_ARGUMENT);
    CHECK(strstr(error.message, "row 2 has the label 7"));
}

/* ---- allocations that fail --------------------------------------------------------------------------------------- */

static void test_faults(void)
{
    if (!fault_available()) {
        SKIP("allocations that fail: not linked with --wrap");
        return;
    }
    enum { ROWS = 100, DIM = 8 };
    float *data = make_rows(ROWS, DIM, 9), out[ROWS];
    wl_vectors rows = {data, ROWS, DIM, WL_ELEMENT_F32};
    static wl_match matches[ROWS * 3];
    uint32_t labels[ROWS];
    float centroids[3 * DIM];
    wl_cluster_options clusters = {.size = sizeof clusters, .clusters = 3, .starts = 1};
    wl_cluster_options batches = {.size = sizeof batches, .clusters = 3, .starts = 1, .batch = 10};
    clusters.spherical = true;
    for (int call = 0; call < 7; call++)
        for (size_t nth = 1;; nth++) {
            wl_error error;
            wl_status status = WL_OK;
            wl_text texts[2] = {{"a", 1}, {"a", 1}};
            fault_begin(nth);
            if (call == 0) status = wl_top_k(&rows, &rows, 3, WL_COSINE, contexts[0], matches, &error);
            if (call == 1) status = wl_deduplicate(&rows, NULL, contexts[0], matches, NULL, &error);
            if (call == 2) status = wl_cluster(&rows, &clusters, contexts[0], labels, centroids, NULL, &error);
            if (call == 3) status = wl_cluster(&rows, &batches, contexts[0], labels, NULL, NULL, &error);
            if (call == 4) status = wl_cluster_nearest(&rows, labels, centroids, 3, 2, contexts[0], matches, &error);
            if (call == 5) status = wl_deduplicate_exact(texts, 2, NULL, matches, NULL, &error);
            if (call == 6) {
                wl_vectors one = rows;
                one.count = 1;
                status = wl_similarity(&one, &rows, WL_COSINE, contexts[0], out, &error);
            }
            if (!fault_end()) {
                CHECK_THAT(status == WL_OK, "call %d: %s", call, error.message);
                break;
            }
            CHECK_THAT(status == WL_ERROR_MEMORY, "call %d, allocation %zu", call, nth);
        }
    free(data);
}

int main(void)
{
    open_contexts();
    test_selection();
    test_top();
    test_top_extremes();
    test_deduplicate();
    test_deduplicate_exact();
    test_cluster();
    test_cluster_corners();
    test_cluster_same();
    test_cluster_far();
    test_cluster_seeds();
    test_digests();
    test_bad_input();
    test_faults();
    for (size_t i = 0; i < 3; i++) wl_context_free(contexts[i]);
    return test_end();
}
