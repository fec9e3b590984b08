/* What the tests of bags, projectors and optimizers share: numbers from golden files, random ones, texts. */
#ifndef WL_TESTS_LEARNING_H
#define WL_TESTS_LEARNING_H

#include <math.h>

#include "base/random.h"
#include "format/half.h"
#include "test.h"
#include "train/bags.h"

static inline wl_pool *new_pool(uint32_t threads)
{
    wl_error error;
    wl_pool *pool = wl_pool_create(threads, &error);
    if (!pool) exit(EXIT_FAILURE);
    return pool;
}

static inline void *memory(size_t count, size_t size)
{
    void *found = calloc(count ? count : 1, size);
    if (!found) exit(EXIT_FAILURE);
    return found;
}

static inline float random_number(wl_random *random)
{
    return (float)(2 * wl_random_unit(random) - 1);
}

static inline float *random_numbers(wl_random *random, size_t count)
{
    float *numbers = memory(count, sizeof *numbers);
    for (size_t i = 0; i < count; i++) numbers[i] = random_number(random);
    return numbers;
}

/* ---- golden files: lines "case NAME", "NAME COUNT", and COUNT numbers -------------------------------------------- */

enum { MOST_ITEMS = 200 };

typedef struct golden_item {
    char of[32], name[48]; /* of: the case's name */
    size_t count;
    double *numbers;
} golden_item;

static golden_item golden_items[MOST_ITEMS];
static size_t golden_count;

static inline void read_golden(const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        printf("no file %s\n", path);
        exit(EXIT_FAILURE);
    }
    char of[32] = "", name[48];
    while (golden_count < MOST_ITEMS && fscanf(file, "%47s", name) == 1) {
        if (strcmp(name, "case") == 0) {
            if (fscanf(file, "%31s", of) != 1) exit(EXIT_FAILURE);
            continue;
        }
        golden_item *item = &golden_items[golden_count++];
        memcpy(item->of, of, sizeof of);
        memcpy(item->name, name, sizeof name);
        if (fscanf(file, "%zu", &item->count) != 1) exit(EXIT_FAILURE);
        item->numbers = memory(item->count, sizeof *item->numbers);
        for (size_t i = 0; i < item->count; i++)
            if (fscanf(file, "%lf", &item->numbers[i]) != 1) exit(EXIT_FAILURE);
    }
    fclose(file);
}

static inline void free_golden(void)
{
    for (size_t i = 0; i < golden_count; i++) free(golden_items[i].numbers);
}

/* NULL: there is none. */
static inline const golden_item *find_golden(const char *of, const char *name)
{
    for (size_t i = 0; i < golden_count; i++)
        if (strcmp(golden_items[i].of, of) == 0 && strcmp(golden_items[i].name, name) == 0) return &golden_items[i];
    return NULL;
}

static inline const golden_item *golden(const char *of, const char *name)
{
    const golden_item *item = find_golden(of, name);
    if (item) return item;
    printf("no item %s of case %s\n", name, of);
    exit(EXIT_FAILURE);
}

static inline void copy_golden(const golden_item *item, float *out)
{
    for (size_t i = 0; i < item->count; i++) out[i] = (float)item->numbers[i];
}

/* The largest difference, as a part of the largest number. */
static inline double far_from(const double *expected, const float *got, size_t count)
{
    double largest = 0, difference = 0;
    for (size_t i = 0; i < count; i++) {
        largest = fmax(largest, fabs(expected[i]));
        difference = isfinite(got[i]) ? fmax(difference, fabs(expected[i] - (double)got[i])) : INFINITY;
    }
    return largest > 0 ? difference / largest : difference;
}

/* ---- tables and texts -------------------------------------------------------------------------------------------- */

/* values: (rows, dim), rounded to the type; free data. */
static inline wl_bag_table table_of(const float *values, size_t rows, size_t dim, wl_dtype dtype)
{
    void *data = memory(rows * dim, wl_dtype_size(dtype));
    if (dtype == WL_F32) memcpy(data, values, rows * dim * sizeof *values);
    if (dtype == WL_F16) wl_f32_to_f16_array(values, rows * dim, data);
    if (dtype == WL_BF16) wl_f32_to_bf16_array(values, rows * dim, data);
    return (wl_bag_table){data, dtype, rows, dim};
}

static inline wl_bag_table random_table(wl_random *random, size_t rows, size_t dim, wl_dtype dtype)
{
    float *values = random_numbers(random, rows * dim);
    wl_bag_table table = table_of(values, rows, dim, dtype);
    free(values);
    return table;
}

/* Texts of 0 to `longest` tokens, some of them frequent; free ids and starts. */
static inline wl_bags random_bags(wl_random *random, size_t count, size_t longest, size_t rows)
{
    uint32_t *ids = memory(count * longest, sizeof *ids);
    uint64_t *starts = memory(count + 1, sizeof *starts);
    for (size_t i = 0; i < count; i++) {
        size_t length = wl_random_below(random, longest + 1);
        starts[i + 1] = starts[i] + length;
        for (size_t t = starts[i]; t < starts[i + 1]; t++) {
            double part = wl_random_unit(random);
            ids[t] = (uint32_t)(part * part * part * (double)rows);
        }
    }
    return (wl_bags){ids, starts, count};
}

static inline void free_table(wl_bag_table table)
{
    free((void *)(uintptr_t)table.data);
}

static inline void free_bags(wl_bags bags)
{
    free((void *)(uintptr_t)bags.ids);
    free((void *)(uintptr_t)bags.starts);
}

#endif
