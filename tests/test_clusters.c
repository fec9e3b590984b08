/* The clustering that sets are scored by, against scikit-learn's, and the random numbers under it, against NumPy's. */
#include "eval/clusters.h"

#include <inttypes.h>

#include "eval/numpy_random.h"
#include "fault.h"
#include "test.h"

enum { MOST_ROWS = 4000, MOST_DIM = 12 };

static wl_pool *make_pool(uint32_t threads)
{
    wl_error error;
    return wl_pool_create(threads, &error);
}

/* As in tools/golden_clusters.py. */
static void make_rows(size_t rows, size_t dim, size_t groups, float *out)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < dim; j++) {
            long noise = (long)((i * 37 + j * 91 + i * j * 13 + i * i * 7) % 101) - 50;
            size_t group = i * i % (groups * groups) / groups;
            long middle = (long)((group * 29 + j * 17 + group * j * 5) % 31);
            out[i * dim + j] = (float)(noise + 8 * middle) / 64;
        }
}

static void check_random(const char *line)
{
    uint32_t seed, below[3], order[7], permuted[7];
    double units[3];
    CHECK(sscanf(line,
                 "random %" SCNu32 " %lf %lf %lf %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32
                 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32,
                 &seed, &units[0], &units[1], &units[2], &below[0], &below[1], &below[2], &order[0], &order[1],
                 &order[2], &order[3], &order[4], &order[5], &order[6]) == 14);
    wl_numpy_random random;
    wl_numpy_seed(&random, seed);
    for (int i = 0; i < 3; i++) CHECK(wl_numpy_unit(&random) == units[i]);
    for (int i = 0; i < 3; i++) CHECK(wl_numpy_below(&random, 1000) == below[i]);
    wl_numpy_permute(&random, 7, permuted);
    CHECK(memcmp(permuted, order, sizeof order) == 0);
    CHECK(wl_numpy_below(&random, 1) == 0);
}

/* Another processor's products may differ in their last bits, and so a row between two clusters. */
static void check_labels(const char *line)
{
    size_t rows, dim, clusters, groups, differ = 0;
    uint32_t seed;
    int begin = 0;
    static float values[MOST_ROWS * MOST_DIM];
    static uint32_t labels[2][MOST_ROWS];
    CHECK(sscanf(line, "labels %zu %zu %zu %zu %" SCNu32 " %n", &rows, &dim, &clusters, &groups, &seed, &begin) == 5);
    CHECK(rows <= MOST_ROWS && dim <= MOST_DIM && strlen(line + begin) >= rows);
    make_rows(rows, dim, groups, values);
    wl_vectors vectors = {values, rows, dim, WL_ELEMENT_F32};
    for (uint32_t threads = 1; threads < 4; threads += 2) {
        wl_error error;
        wl_pool *pool = make_pool(threads);
        CHECK(wl_find_clusters(&vectors, (uint32_t)clusters, seed, pool, NULL, NULL, labels[threads / 2], &error) ==
              WL_OK);
        wl_pool_free(pool);
    }
    CHECK(memcmp(labels[0], labels[1], rows * sizeof **labels) == 0);
    for (size_t i = 0; i < rows; i++) differ += labels[0][i] != (uint32_t)(line[begin + (int)i] - '0');
    CHECK_THAT(differ * 100 <= rows, "%zu of %zu labels differ (%zu clusters)", differ, rows, clusters);
}

static void test_golden(void)
{
    static char line[MOST_ROWS + 200];
    FILE *file = fopen(WL_TEST_DATA "/golden/clusters.txt", "rb");
    int count = 0;
    CHECK(file);
    for (; file && fgets(line, sizeof line, file); count++) {
        if (strncmp(line, "random", 6) == 0)
            check_random(line);
        else
            check_labels(line);
    }
    if (file) fclose(file);
    CHECK(count == 8);
}

static bool stop(void *user, uint64_t done, uint64_t bytes)
{
    int *left = user;
    (void)done;
    (void)bytes;
    return (*left)-- > 0;
}

static void test_edges(void)
{
    wl_error error;
    float values[6] = {1, 0, 0, 1, 1, 0};
    uint32_t labels[3];
    wl_vectors vectors = {values, 3, 2, WL_ELEMENT_F32};
    wl_pool *pool = make_pool(1);
    CHECK(wl_find_clusters(&vectors, 2, 0, pool, NULL, NULL, labels, &error) == WL_OK);
    CHECK(labels[0] == labels[2] && labels[0] != labels[1]);
    CHECK(wl_find_clusters(&vectors, 1, 0, pool, NULL, NULL, labels, &error) == WL_OK && labels[1] == 0);
    memset(values, 0, sizeof values); /* all alike */
    CHECK(wl_find_clusters(&vectors, 3, 0, pool, NULL, NULL, labels, &error) == WL_OK);
    CHECK(labels[0] < 3 && labels[1] < 3 && labels[2] < 3);
    int left = 1;
    CHECK(wl_find_clusters(&vectors, 2, 0, pool, stop, &left, labels, &error) == WL_ERROR_CANCELLED);
    for (size_t nth = 1; fault_available(); nth++) {
        fault_begin(nth);
        wl_status status = wl_find_clusters(&vectors, 2, 0, pool, NULL, NULL, labels, &error);
        bool failed = fault_end();
        CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK));
        if (!failed) break;
    }
    wl_pool_free(pool);
}

int main(void)
{
    test_golden();
    test_edges();
    return test_end();
}
