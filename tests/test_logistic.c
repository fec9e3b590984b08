/* Logistic regression, the search for a minimum below it, and folds: against scikit-learn and closed forms, and the
 * same bits for any number of threads. */
#include <math.h>

#include "eval/lbfgs.h"
#include "eval/logistic.h"
#include "fault.h"
#include "test.h"

static uint64_t state = 1;

static double random_number(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (double)(state >> 11) / (double)(UINT64_C(1) << 52) - 1;
}

static wl_pool *new_pool(uint32_t threads)
{
    wl_error error;
    wl_pool *pool = wl_pool_create(threads, &error);
    if (!pool) exit(EXIT_FAILURE);
    return pool;
}

/* ---- the search for a minimum ------------------------------------------------------------------------------------ */

/* Rosenbrock's valley in pairs of numbers: the minimum is 0 where all are 1. */
static double valley(void *user, const double *x, double *gradient)
{
    size_t size = *(const size_t *)user;
    double sum = 0;
    for (size_t i = 0; i < size; i += 2) {
        double bend = x[i + 1] - x[i] * x[i], rest = 1 - x[i];
        sum += 100 * bend * bend + rest * rest;
        gradient[i] = -400 * x[i] * bend - 2 * rest;
        gradient[i + 1] = 200 * bend;
    }
    return sum;
}

static void test_valley(void)
{
    size_t size = 10;
    double x[10];
    for (size_t i = 0; i < size; i++) x[i] = i % 2 ? 1 : -1.2 + 0.1 * (double)i;
    wl_lbfgs_options options = {.function = valley, .user = &size, .tolerance = 1e-8, .most_iterations = 300};
    wl_lbfgs_result result;
    wl_error error;
    CHECK(wl_lbfgs(&options, x, size, &result, &error) == WL_OK);
    CHECK_THAT(result.converged && result.iterations < 280, "%u iterations", result.iterations);
    for (size_t i = 0; i < size; i++) CHECK_THAT(fabs(x[i] - 1) < 1e-7, "%zu: %.12g", i, x[i]);

    for (size_t i = 0; i < size; i++) x[i] = 0;
    options.most_iterations = 3;
    CHECK(wl_lbfgs(&options, x, size, &result, &error) == WL_OK);
    CHECK(result.iterations == 3 && !result.converged && result.value < 5);
    options.most_iterations = 300;
    options.reduction = 0.5; /* the first step that does not halve the value, or 1, is the last */
    CHECK(wl_lbfgs(&options, x, size, &result, &error) == WL_OK);
    CHECK(result.converged && result.value > 1e-3);
    options.tolerance = INFINITY;
    double before = x[0];
    CHECK(wl_lbfgs(&options, x, size, &result, &error) == WL_OK);
    CHECK(result.converged && !result.iterations && x[0] == before);
}

/* A quadratic function whose values are rounded to 24 bits: near the minimum they are all the same. */
static double rounded(void *user, const double *x, double *gradient)
{
    const double *scales = user;
    double sum = 3;
    for (size_t i = 0; i < 20; i++) {
        double away = x[i] - (double)i / 10;
        sum += 0.5 * scales[i] * away * away;
        gradient[i] = scales[i] * away;
    }
    return (double)(float)sum;
}

/* Not a number where it is not defined, which the search must step back from. */
static double walled(void *user, const double *x, double *gradient)
{
    (void)user;
    *gradient = 1 - 0.01 / *x;
    return *x - 0.01 * log(*x);
}

static void test_search(void)
{
    double scales[20], x[20] = {0};
    for (size_t i = 0; i < 20; i++) scales[i] = pow(10, (double)(i % 5) - 3);
    wl_lbfgs_options options = {
        .function = rounded, .user = scales, .tolerance = 1e-9, .noise = 6e-8, .most_iterations = 500};
    wl_lbfgs_result result;
    wl_error error;
    CHECK(wl_lbfgs(&options, x, 20, &result, &error) == WL_OK);
    CHECK(result.converged);
    for (size_t i = 0; i < 20; i++) CHECK_THAT(fabs(x[i] - (double)i / 10) < 1e-5, "%zu: %.9g", i, x[i]);

    double one = 5;
    options = (wl_lbfgs_options){.function = walled, .tolerance = 1e-10, .most_iterations = 100};
    CHECK(wl_lbfgs(&options, &one, 1, &result, &error) == WL_OK);
    CHECK_THAT(result.converged && fabs(one - 0.01) < 1e-9, "%.12g", one);
    one = -1;
    CHECK(wl_lbfgs(&options, &one, 1, &result, &error) == WL_ERROR_ARGUMENT);
}

/* ---- against scikit-learn ---------------------------------------------------------------------------------------- */

static float *read_floats(FILE *file, size_t count)
{
    float *numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        if (fscanf(file, "%f", &numbers[i]) != 1) exit(EXIT_FAILURE);
    return numbers;
}

static uint32_t *read_numbers(FILE *file, size_t count)
{
    uint32_t *numbers = malloc(count * sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        if (fscanf(file, "%u", &numbers[i]) != 1) exit(EXIT_FAILURE);
    return numbers;
}

/* The largest difference, as a part of the largest number. */
static double distance(const float *found, const float *expected, size_t count)
{
    double worst = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        worst = fmax(worst, fabs((double)found[i] - (double)expected[i]));
        largest = fmax(largest, fabs((double)expected[i]));
    }
    return worst / largest;
}

static void check_problem(FILE *file)
{
    uint32_t classes;
    size_t count, dim;
    double strength;
    if (fscanf(file, "%u %zu %zu %lf", &classes, &count, &dim, &strength) != 4) exit(EXIT_FAILURE);
    size_t rows = classes == 2 ? 1 : classes;
    float *x = read_floats(file, count * dim);
    uint32_t *labels = read_numbers(file, count), *said = malloc(count * sizeof *said);
    float *weights = read_floats(file, rows * dim), *intercepts = read_floats(file, rows);
    float *expected = read_floats(file, count * classes), *found = malloc(count * classes * sizeof *found);
    wl_logistic_options options = {.strength = strength, .tolerance = 1e-6, .most_iterations = 10000};
    wl_logistic model;
    wl_error error;
    wl_pool *pool = new_pool(2);
    CHECK(wl_logistic_fit(pool, x, labels, count, dim, classes, &options, &model, &error) == WL_OK);
    CHECK(model.converged && model.rows == rows && model.classes == classes && model.dim == dim);
    double away = distance(model.weights, weights, rows * dim);
    CHECK_THAT(away < 1e-3, "%u classes, C %g: weights by %g after %u iterations", classes, strength, away,
               model.iterations);
    double scale = distance(model.intercepts, intercepts, rows);
    CHECK_THAT(scale < 1e-3, "%u classes, C %g: intercepts by %g", classes, strength, scale);
    CHECK(wl_logistic_probabilities(pool, &model, x, count, found, &error) == WL_OK);
    CHECK(wl_logistic_predict(pool, &model, x, count, said, &error) == WL_OK);
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (size_t k = 0; k < classes; k++) {
            float away_by = found[i * classes + k] - expected[i * classes + k];
            CHECK_THAT(fabsf(away_by) < 1e-4F, "item %zu, class %zu by %g", i, k, (double)away_by);
            sum += (double)found[i * classes + k];
        }
        CHECK(fabs(sum - 1) < 1e-6);
        CHECK(said[i] == wl_logistic_best(expected + i * classes, classes));
    }
    wl_logistic_free(&model);
    wl_pool_free(pool);
    free(x), free(labels), free(said), free(weights), free(intercepts), free(expected), free(found);
}

static void check_folds(FILE *file)
{
    uint32_t folds, classes;
    size_t count;
    if (fscanf(file, "%u %u %zu", &folds, &classes, &count) != 3) exit(EXIT_FAILURE);
    uint32_t *labels = read_numbers(file, count), *expected = read_numbers(file, count);
    uint32_t *found = malloc(count * sizeof *found);
    wl_error error;
    CHECK(wl_stratified_folds(labels, count, classes, folds, found, &error) == WL_OK);
    for (size_t i = 0; i < count; i++) CHECK_THAT(found[i] == expected[i], "%u folds: item %zu", folds, i);
    free(labels), free(expected), free(found);
}

static void test_golden(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/logistic.txt", "r");
    char word[16];
    size_t read = 0;
    CHECK(file != NULL);
    for (; file && fscanf(file, "%15s", word) == 1; read++)
        if (strcmp(word, "problem") == 0)
            check_problem(file);
        else
            check_folds(file);
    CHECK(read == 10);
    if (file) fclose(file);
}

/* ---- larger problems --------------------------------------------------------------------------------------------- */

enum { ITEMS = 3000, DIM = 24, CLASSES = 5 };

typedef struct items {
    float *x; /* (ITEMS, DIM) */
    uint32_t *labels;
} items;

/* Classes of different sizes that overlap. */
static items make_items(uint32_t classes)
{
    items made = {malloc(ITEMS * DIM * sizeof(float)), malloc(ITEMS * sizeof(uint32_t))};
    if (!made.x || !made.labels) exit(EXIT_FAILURE);
    for (size_t i = 0; i < ITEMS; i++) {
        double part = 0.5 * (random_number() + 1);
        made.labels[i] = (uint32_t)(part * part * classes);
        for (size_t k = 0; k < DIM; k++)
            made.x[i * DIM + k] = (float)(random_number() + (k % classes == made.labels[i] ? 0.2 : 0));
    }
    return made;
}

static void free_items(items of)
{
    free(of.x);
    free(of.labels);
}

/* The function to minimize, in plain loops. */
static double objective(const items *of, uint32_t classes, double strength, const double *weights,
                        const double *intercepts)
{
    size_t rows = classes == 2 ? 1 : classes;
    double loss = 0, square = 0;
    for (size_t i = 0; i < ITEMS; i++) {
        double logits[CLASSES] = {0}, sum = 0;
        for (size_t r = 0; r < rows; r++) {
            double *logit = &logits[rows == 1 ? 1 : r];
            *logit = intercepts[r];
            for (size_t k = 0; k < DIM; k++) *logit += weights[r * DIM + k] * (double)of->x[i * DIM + k];
        }
        for (size_t r = 0; r < classes; r++) sum += exp(logits[r]);
        loss += log(sum) - logits[of->labels[i]];
    }
    for (size_t i = 0; i < rows * DIM; i++) square += weights[i] * weights[i];
    return loss / ITEMS + square / (2 * strength * ITEMS);
}

/* At the minimum all slopes, taken as finite differences, are 0. */
static void check_minimum(uint32_t classes)
{
    items of = make_items(classes);
    wl_pool *pool = new_pool(2);
    wl_logistic_options options = {.strength = 3, .tolerance = 1e-6, .most_iterations = 1000};
    wl_logistic model;
    wl_error error;
    CHECK(wl_logistic_fit(pool, of.x, of.labels, ITEMS, DIM, classes, &options, &model, &error) == WL_OK);
    CHECK(model.converged && model.iterations > 2);
    double weights[CLASSES * DIM], intercepts[CLASSES];
    for (size_t i = 0; i < model.rows * DIM; i++) weights[i] = (double)model.weights[i];
    for (size_t i = 0; i < model.rows; i++) intercepts[i] = (double)model.intercepts[i];
    const double step = 1e-4;
    for (size_t i = 0; i < model.rows * (DIM + 1); i++) {
        double *at = i < model.rows * DIM ? &weights[i] : &intercepts[i - model.rows * DIM], kept = *at;
        *at = kept + step;
        double above = objective(&of, classes, options.strength, weights, intercepts);
        *at = kept - step;
        double slope = (above - objective(&of, classes, options.strength, weights, intercepts)) / (2 * step);
        *at = kept;
        CHECK_THAT(fabs(slope) < 2e-6, "%u classes: slope %zu is %g", classes, i, slope);
    }
    wl_logistic_free(&model);
    wl_pool_free(pool);
    free_items(of);
}

static void test_minimum(void)
{
    check_minimum(2);
    check_minimum(5);
}

static void test_threads(void)
{
    for (uint32_t classes = 2; classes <= CLASSES; classes += 3) {
        items of = make_items(classes);
        wl_logistic models[3];
        uint32_t said[3][ITEMS];
        double scores[3][4];
        wl_error error;
        for (uint32_t i = 0; i < 3; i++) {
            wl_pool *pool = new_pool(i + 1);
            CHECK(wl_logistic_fit(pool, of.x, of.labels, ITEMS, DIM, classes, &wl_logistic_usual, &models[i], &error) ==
                  WL_OK);
            CHECK(wl_logistic_cross_validate(pool, of.x, of.labels, ITEMS, DIM, classes, 4, &wl_logistic_usual, said[i],
                                             scores[i], &error) == WL_OK);
            wl_pool_free(pool);
        }
        for (uint32_t i = 1; i < 3; i++) {
            size_t rows = models[0].rows;
            CHECK(memcmp(models[0].weights, models[i].weights, rows * DIM * sizeof(float)) == 0);
            CHECK(memcmp(models[0].intercepts, models[i].intercepts, rows * sizeof(float)) == 0);
            CHECK(memcmp(said[0], said[i], sizeof said[0]) == 0);
            CHECK(memcmp(scores[0], scores[i], sizeof scores[0]) == 0);
        }
        double right = 0, mean = 0;
        for (size_t i = 0; i < ITEMS; i++) right += said[0][i] == of.labels[i];
        for (size_t i = 0; i < 4; i++) mean += scores[0][i] / 4;
        CHECK_THAT(fabs(mean - right / ITEMS) < 1e-9 && mean > 1.5 / classes, "%g of %u classes", mean, classes);
        for (uint32_t i = 0; i < 3; i++) wl_logistic_free(&models[i]);
        free_items(of);
    }
}

/* ---- the rest of the contract ------------------------------------------------------------------------------------ */

static void test_arguments(void)
{
    float x[] = {1, 0, 0, 1, 1, 1};
    uint32_t labels[] = {0, 1, 1}, folds[3];
    wl_pool *pool = new_pool(1);
    wl_logistic model;
    wl_error error;
    wl_logistic_options options = wl_logistic_usual;
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 1, &options, &model, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 3, &options, &model, &error) == WL_ERROR_ARGUMENT);
    CHECK(strcmp(error.message, "class 2 of 3 has no item") == 0);
    CHECK(wl_logistic_fit(pool, x, labels, 1, 2, 2, &options, &model, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_logistic_fit(pool, x, labels, 3, 0, 2, &options, &model, &error) == WL_ERROR_ARGUMENT);
    labels[2] = 2;
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 2, &options, &model, &error) == WL_ERROR_ARGUMENT);
    wl_logistic_free(&model);
    options.strength = 0;
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 3, &options, &model, &error) == WL_ERROR_ARGUMENT);
    options.strength = 1;
    options.tolerance = NAN;
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 3, &options, &model, &error) == WL_ERROR_ARGUMENT);
    options.tolerance = 1e-4;
    x[0] = NAN;
    CHECK(wl_logistic_fit(pool, x, labels, 3, 2, 3, &options, &model, &error) == WL_ERROR_ARGUMENT);
    wl_logistic_free(&model);
    CHECK(wl_stratified_folds(labels, 3, 3, 1, folds, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_stratified_folds(labels, 3, 3, 2, folds, &error) == WL_ERROR_ARGUMENT);
    labels[2] = 1;
    CHECK(wl_stratified_folds(labels, 3, 3, 2, folds, &error) == WL_OK);
    wl_pool_free(pool);
}

/* A class with one item is missing among the other folds: it is never said there, and neither is one that has none. */
static void test_missing(void)
{
    float x[] = {1, 1.1F, -1, -1.1F, 5, 1.2F};
    uint32_t labels[] = {0, 0, 3, 3, 1, 0}, said[6];
    double scores[2];
    wl_pool *pool = new_pool(1);
    wl_error error;
    CHECK(wl_logistic_cross_validate(pool, x, labels, 6, 1, 4, 2, &wl_logistic_usual, said, scores, &error) == WL_OK);
    for (size_t i = 0; i < 6; i++) CHECK_THAT(i == 4 ? said[i] != 1 : said[i] == labels[i], "%zu: %u", i, said[i]);
    uint32_t alone[] = {0, 0, 0, 1};
    CHECK(wl_logistic_cross_validate(pool, x, alone, 4, 1, 2, 2, &wl_logistic_usual, said, NULL, &error) == WL_OK);
    CHECK(said[3] == 0);
    wl_pool_free(pool);
}

static bool stop_at_two(void *user, uint64_t iterations, uint64_t bytes)
{
    (void)bytes;
    *(uint64_t *)user = iterations;
    return iterations < 2;
}

static void test_progress(void)
{
    items of = make_items(3);
    uint64_t told = 0;
    wl_pool *pool = new_pool(2);
    wl_logistic model;
    wl_error error;
    wl_logistic_options options = wl_logistic_usual;
    options.progress = stop_at_two;
    options.user = &told;
    CHECK(wl_logistic_fit(pool, of.x, of.labels, ITEMS, DIM, 3, &options, &model, &error) == WL_ERROR_CANCELLED);
    CHECK(told == 2);
    wl_logistic_free(&model);
    wl_pool_free(pool);
    free_items(of);
}

static void test_allocations(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: this linker has no --wrap");
        return;
    }
    items of = make_items(3);
    uint32_t said[ITEMS];
    wl_pool *pool = new_pool(1);
    for (size_t nth = 1;; nth++) {
        wl_error error;
        fault_begin(nth);
        wl_status status =
            wl_logistic_cross_validate(pool, of.x, of.labels, ITEMS, DIM, 3, 2, &wl_logistic_usual, said, NULL, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK && nth > 10);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %d", nth, (int)status);
    }
    wl_pool_free(pool);
    free_items(of);
}

int main(void)
{
    test_valley();
    test_search();
    test_golden();
    test_minimum();
    test_threads();
    test_arguments();
    test_missing();
    test_progress();
    test_allocations();
    return test_end();
}
