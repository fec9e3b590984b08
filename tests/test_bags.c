/* Bags of tokens: means and slopes of weights against plain loops, the same bits on every processor and for any number
 * of threads, bags turned around. Runs once for each set of kernels. */
#include "fault.h"
#include "learning.h"
#include "train/token_index.h"
#include "vector/kernels.h"

static const wl_dtype dtypes[] = {WL_F32, WL_F16, WL_BF16};
static const size_t dims[] = {1, 7, 24, 64, 100, 256, 333};

enum {
    DTYPES = sizeof dtypes / sizeof *dtypes,
    DIMS = sizeof dims / sizeof *dims,
    TEXTS = 50,
    LONGEST = 40,
    ROWS = 90
};

static float element(const wl_bag_table *table, size_t row, size_t column)
{
    size_t at = row * table->dim + column;
    if (table->dtype == WL_F32) return ((const float *)table->data)[at];
    uint16_t half = ((const uint16_t *)table->data)[at];
    return table->dtype == WL_F16 ? wl_f16_to_f32(half) : wl_bf16_to_f32(half);
}

/* The promise is not an error bound but the very bits. */
static void check_means(const wl_bag_table *table, const wl_bags *bags, const float *weights, const float *means)
{
    size_t wrong = 0;
    for (size_t i = 0; i < bags->count; i++)
        for (size_t j = 0; j < table->dim; j++) {
            float sum = 0;
            for (size_t t = bags->starts[i]; t < bags->starts[i + 1]; t++)
                sum += (weights ? weights[t] : 1) * element(table, bags->ids[t], j);
            size_t count = bags->starts[i + 1] - bags->starts[i];
            wrong += means[i * table->dim + j] != (count ? sum / (float)count : 0);
        }
    CHECK_THAT(wrong == 0, "%zu of dim %zu, dtype %d", wrong, table->dim, (int)table->dtype);
}

static void check_slopes(const wl_bag_table *table, const wl_bags *bags, const float *out_slopes, const float *slopes)
{
    double worst = 0;
    for (size_t i = 0; i < bags->count; i++)
        for (size_t t = bags->starts[i]; t < bags->starts[i + 1]; t++) {
            double sum = 0, magnitude = 0, count = (double)(bags->starts[i + 1] - bags->starts[i]);
            for (size_t j = 0; j < table->dim; j++) {
                double product = (double)element(table, bags->ids[t], j) * (double)out_slopes[i * table->dim + j];
                sum += product / count;
                magnitude += fabs(product) / count;
            }
            worst = fmax(worst, fabs(sum - (double)slopes[t]) / magnitude);
        }
    CHECK_THAT(worst < 5e-7, "%g at dim %zu, dtype %d", worst, table->dim, (int)table->dtype);
}

static uint64_t hash_bits(uint64_t hash, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) hash = (hash ^ wl_float_bits(values[i])) * UINT64_C(0x100000001B3);
    return hash;
}

/* What every machine gives, found once with plain C. */
static void test_bits(void)
{
    wl_random random = wl_random_seed(1, 1);
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t d = 0; d < DIMS; d++)
        for (size_t k = 0; k < DTYPES; k++) {
            wl_bag_table table = random_table(&random, ROWS, dims[d], dtypes[k]);
            wl_bags bags = random_bags(&random, TEXTS, LONGEST, ROWS);
            size_t tokens = bags.starts[TEXTS], size = TEXTS * dims[d];
            float *weights = random_numbers(&random, tokens), *out_slopes = random_numbers(&random, size);
            float *means[3], *slopes[3];
            for (uint32_t threads = 1; threads <= 3; threads++) {
                wl_pool *pool = new_pool(threads);
                float *mean = means[threads - 1] = memory(size, sizeof *mean);
                float *slope = slopes[threads - 1] = memory(tokens, sizeof *slope);
                wl_bags_pool(pool, &table, &bags, d % 2 ? weights : NULL, mean);
                wl_bags_weight_slopes(pool, &table, &bags, out_slopes, slope);
                CHECK(memcmp(mean, means[0], size * sizeof *mean) == 0);
                CHECK(memcmp(slope, slopes[0], tokens * sizeof *slope) == 0);
                wl_pool_free(pool);
            }
            check_means(&table, &bags, d % 2 ? weights : NULL, means[0]);
            check_slopes(&table, &bags, out_slopes, slopes[0]);
            hash = hash_bits(hash_bits(hash, means[0], size), slopes[0], tokens);
            for (size_t i = 0; i < 3; i++) {
                free(means[i]);
                free(slopes[i]);
            }
            free(weights);
            free(out_slopes);
            free_bags(bags);
            free_table(table);
        }
    CHECK_THAT(hash == UINT64_C(0x508BC83D289161F1), "kernels %s: %016llx", wl_cpu_name(), (unsigned long long)hash);
}

/* Texts [from, to) as bags of their own, and rows as floats. */
static void test_parts(void)
{
    enum { DIM = 30, FROM = 11, TO = 37 };
    wl_random random = wl_random_seed(2, 1);
    wl_bag_table table = random_table(&random, ROWS, DIM, WL_F16);
    wl_bags bags = random_bags(&random, TEXTS, LONGEST, ROWS);
    wl_bags part = {bags.ids, bags.starts + FROM, TO - FROM};
    float *all = memory(TEXTS * DIM, sizeof *all), *some = memory((TO - FROM) * DIM, sizeof *some);
    float *weights = random_numbers(&random, bags.starts[TEXTS]);
    wl_pool *pool = new_pool(2);
    wl_bags_pool(pool, &table, &bags, weights, all);
    wl_bags_pool(pool, &table, &part, weights, some);
    CHECK(memcmp(all + FROM * DIM, some, (TO - FROM) * DIM * sizeof *some) == 0);
    uint32_t rows[] = {3, 0, ROWS - 1, 3};
    float values[4 * DIM];
    wl_bag_table_rows(&table, rows, 4, values);
    for (size_t i = 0; i < 4 * DIM; i++) CHECK(values[i] == element(&table, rows[i / DIM], i % DIM));
    wl_pool_free(pool);
    free(all);
    free(some);
    free(weights);
    free_bags(bags);
    free_table(table);
}

static void check_index(const wl_token_index *index, const wl_bags *bags)
{
    size_t found[ROWS] = {0}, different = 0, wrong = 0;
    for (size_t t = bags->starts[0]; t < bags->starts[bags->count]; t++) {
        different += found[bags->ids[t]]++ == 0;
        wrong += index->tokens[index->places[t]] != bags->ids[t];
    }
    CHECK(index->count == different && index->starts[0] == 0 && wrong == 0);
    for (size_t i = 0; i < index->count; i++) {
        CHECK(i == 0 || index->tokens[i] > index->tokens[i - 1]);
        CHECK(index->starts[i + 1] - index->starts[i] == found[index->tokens[i]]);
        uint64_t at = index->starts[i];
        for (size_t text = 0; text < bags->count; text++) {
            size_t length = bags->starts[text + 1] - bags->starts[text];
            for (size_t t = bags->starts[text]; t < bags->starts[text + 1]; t++)
                if (bags->ids[t] == index->tokens[i]) {
                    wrong += index->texts[at] != text || index->shares[at] != 1 / (float)length;
                    at++;
                }
        }
        CHECK(at == index->starts[i + 1] && wrong == 0);
    }
}

/* Turned around again and again, growing and shrinking; the sums of slopes are those of a plain loop. */
static void test_index(void)
{
    enum { DIM = 20, COLUMN = 3, WIDTH = 9 };
    static const size_t sizes[] = {5, 0, 50, 1, 20};
    wl_random random = wl_random_seed(3, 1);
    wl_token_index index;
    wl_error error;
    CHECK(wl_token_index_create(&index, ROWS, &error) == WL_OK);
    for (size_t round = 0; round < sizeof sizes / sizeof *sizes; round++) {
        wl_bags bags = random_bags(&random, sizes[round], LONGEST, ROWS);
        CHECK(wl_token_index_build(&index, &bags, &error) == WL_OK);
        check_index(&index, &bags);
        float *slopes = random_numbers(&random, sizes[round] * DIM), sum[WIDTH];
        for (size_t i = 0; i < index.count; i++) {
            wl_token_index_sum(&index, i, slopes, DIM, COLUMN, WIDTH, sum);
            for (size_t j = 0; j < WIDTH; j++) {
                float expected = 0;
                for (uint64_t at = index.starts[i]; at < index.starts[i + 1]; at++)
                    expected += index.shares[at] * slopes[index.texts[at] * DIM + COLUMN + j];
                CHECK(sum[j] == expected);
            }
        }
        free(slopes);
        if (sizes[round] > 10) {
            wl_bags part = {bags.ids, bags.starts + 4, 6};
            CHECK(wl_token_index_build(&index, &part, &error) == WL_OK);
            check_index(&index, &part);
        }
        free_bags(bags);
    }
    wl_token_index_free(&index);
}

static void test_allocations(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: this linker has no --wrap");
        return;
    }
    wl_random random = wl_random_seed(4, 1);
    wl_bags bags = random_bags(&random, TEXTS, LONGEST, ROWS);
    for (size_t nth = 1;; nth++) {
        wl_token_index index;
        wl_error error;
        fault_begin(nth);
        wl_status status = wl_token_index_create(&index, ROWS, &error);
        if (status == WL_OK) status = wl_token_index_build(&index, &bags, &error);
        bool failed = fault_end();
        CHECK(status == (failed ? WL_ERROR_MEMORY : WL_OK));
        wl_token_index_free(&index);
        if (!failed) {
            CHECK(nth == 8);
            break;
        }
    }
    free_bags(bags);
}

int main(void)
{
    test_bits();
    test_parts();
    test_index();
    test_allocations();
    return test_end();
}
