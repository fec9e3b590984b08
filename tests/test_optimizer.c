/* AdamW and its sparse form against torch, schedules against transformers; clipping, averages, checkpoints; slopes that
 * are not finite; the same bits for any number of threads. */
#include "fault.h"
#include "learning.h"
#include "train/optimizer.h"

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

static wl_parameter new_parameter(const char *name, size_t rows, size_t columns, bool sparse)
{
    wl_parameter parameter = {.name = name, .rows = rows, .columns = columns, .sparse = sparse};
    parameter.values = memory(rows * columns, sizeof(float));
    parameter.slopes = memory(rows * columns, sizeof(float));
    parameter.touched = sparse ? memory(rows, sizeof(uint32_t)) : NULL;
    return parameter;
}

static void free_parameters(const wl_parameters *parameters)
{
    for (size_t i = 0; i < parameters->count; i++) {
        free(parameters->items[i].values);
        free(parameters->items[i].slopes);
        free(parameters->items[i].touched);
    }
}

static size_t size_of(const wl_parameter *parameter)
{
    return parameter->rows * parameter->columns;
}

static wl_optimizer *create(const wl_parameters *parameters, const wl_optimizer_options *options)
{
    wl_error error;
    wl_optimizer *optimizer = wl_optimizer_create(parameters, options, &error);
    if (optimizer) return optimizer;
    printf("%s\n", error.message);
    exit(EXIT_FAILURE);
}

static const wl_optimizer_options usual = {
    .rate = 0.05, .beta1 = 0.9, .beta2 = 0.99, .epsilon = 1e-8, .schedule = WL_SCHEDULE_CONSTANT};

enum { STEPS = 10 };

/* ---- against torch ----------------------------------------------------------------------------------------------- */

static void check_adamw(const char *name)
{
    static const char *const starts[] = {"start0", "start1"}, *const ends[] = {"end0", "end1"},
                             *const targets[] = {"target0", "target1"}, *const averages[] = {"average0", "average1"},
                             *const curvatures[] = {"curvature0", "curvature1"};
    const double *given = golden(name, "options")->numbers;
    wl_optimizer_options options = usual;
    options.decay = given[0];
    options.clip = given[1];
    options.average = given[2];
    if (given[3] > 0) {
        options.schedule = WL_SCHEDULE_LINEAR;
        options.warm_up = 3;
        options.steps = STEPS;
    }
    wl_parameters parameters = {.items = {new_parameter("a", 7, 5, false), new_parameter("b", 1, 11, false)},
                                .count = 2};
    for (size_t p = 0; p < 2; p++) copy_golden(golden(name, starts[p]), parameters.items[p].values);
    wl_optimizer *optimizer = create(&parameters, &options);
    wl_pool *pool = new_pool(2);
    wl_error error;
    for (size_t step = 0; step < STEPS; step++) {
        for (size_t p = 0; p < 2; p++) {
            const wl_parameter *of = &parameters.items[p];
            const double *target = golden(name, targets[p])->numbers, *curve = golden(name, curvatures[p])->numbers;
            for (size_t i = 0; i < size_of(of); i++)
                of->slopes[i] = (float)curve[i] * (of->values[i] - (float)target[i]);
        }
        double norm = 0, expected = golden(name, "norms")->numbers[step];
        CHECK(wl_optimizer_step(optimizer, pool, &norm, &error) == WL_OK);
        CHECK_THAT(fabs(norm - expected) < 1e-6 * expected, "%s, step %zu: norm %.9g, not %.9g", name, step, norm,
                   expected);
    }
    CHECK(wl_optimizer_steps(optimizer) == STEPS);
    for (size_t swapped = 0; swapped < 3; swapped++) {
        for (size_t p = 0; p < 2; p++) {
            const golden_item *expected = golden(name, swapped == 1 ? averages[p] : ends[p]);
            double far = far_from(expected->numbers, parameters.items[p].values, expected->count);
            CHECK_THAT(far < 1e-6, "%s, %zu, swapped %zu: %g", name, p, swapped, far);
        }
        wl_optimizer_swap_averages(optimizer);
    }
    wl_pool_free(pool);
    wl_optimizer_free(optimizer);
    free_parameters(&parameters);
}

static void test_sparse(void)
{
    enum { ROWS = 20, COLUMNS = 6 };
    wl_parameters parameters = {.items = {new_parameter("table", ROWS, COLUMNS, true)}, .count = 1};
    wl_parameter *table = &parameters.items[0];
    const golden_item *start = golden("sparse", "start0"), *end = golden("sparse", "end0");
    const double *target = golden("sparse", "target0")->numbers, *curve = golden("sparse", "curvature0")->numbers;
    const double *touched = golden("sparse", "touched")->numbers;
    copy_golden(start, table->values);
    wl_optimizer *optimizer = create(&parameters, &usual);
    wl_pool *pool = new_pool(2);
    wl_error error;
    for (size_t step = 0; step < STEPS; step++) {
        memset(table->slopes, 0, size_of(table) * sizeof(float));
        table->touched_count = (size_t)golden("sparse", "counts")->numbers[step];
        double squares = 0, norm = 0;
        for (size_t i = 0; i < table->touched_count; i++) {
            table->touched[i] = (uint32_t)*touched++;
            for (size_t j = 0; j < COLUMNS; j++) {
                size_t at = table->touched[i] * COLUMNS + j;
                table->slopes[at] = (float)curve[at] * (table->values[at] - (float)target[at]);
                squares += (double)table->slopes[at] * (double)table->slopes[at];
            }
        }
        CHECK(wl_optimizer_step(optimizer, pool, &norm, &error) == WL_OK);
        CHECK(fabs(norm - sqrt(squares)) < 1e-12 * norm);
    }
    double far = far_from(end->numbers, table->values, end->count);
    CHECK_THAT(far < 1e-6, "%g", far);
    for (size_t i = 17 * COLUMNS; i < ROWS * COLUMNS; i++) CHECK(table->values[i] == (float)start->numbers[i]);
    wl_pool_free(pool);
    wl_optimizer_free(optimizer);
    free_parameters(&parameters);
}

static void check_schedule(const char *name, wl_schedule schedule, uint64_t warm_up, uint64_t steps)
{
    char item[48];
    snprintf(item, sizeof item, "%s_%d_%d.steps", name, (int)warm_up, (int)steps);
    const golden_item *at = golden("schedules", item);
    snprintf(item, sizeof item, "%s_%d_%d.rates", name, (int)warm_up, (int)steps);
    const golden_item *rates = golden("schedules", item);
    wl_optimizer_options options = {.rate = 0.3, .schedule = schedule, .warm_up = warm_up, .steps = steps};
    for (size_t i = 0; i < at->count; i++) {
        double rate = wl_schedule_rate(&options, (uint64_t)at->numbers[i]);
        CHECK_THAT(fabs(rate - rates->numbers[i]) < 1e-14, "%s at %g: %.15g, not %.15g", item, at->numbers[i], rate,
                   rates->numbers[i]);
    }
    if (schedule != WL_SCHEDULE_CONSTANT) CHECK(wl_schedule_rate(&options, steps + 1000) == 0);
}

static void test_golden(void)
{
    read_golden(WL_TEST_DATA "/golden/optimizer.txt");
    check_adamw("plain");
    check_adamw("all");
    test_sparse();
    static const uint64_t shapes[][2] = {{0, 7}, {3, 11}, {256, 1000}};
    for (size_t i = 0; i < 3; i++) {
        check_schedule("linear", WL_SCHEDULE_LINEAR, shapes[i][0], shapes[i][1]);
        check_schedule("cosine", WL_SCHEDULE_COSINE, shapes[i][0], shapes[i][1]);
    }
    check_schedule("constant", WL_SCHEDULE_CONSTANT, 3, 11);
    free_golden();
}

/* ---- a larger model ---------------------------------------------------------------------------------------------- */

enum { ROWS = 3000, COLUMNS = 40 };

static wl_parameters new_model(void)
{
    wl_parameters parameters = {.items = {new_parameter("map", 130, 301, false),
                                          new_parameter("table", ROWS, COLUMNS, true),
                                          new_parameter("bias", 1, 130, false)},
                                .count = 3};
    wl_random random = wl_random_seed(1, 1);
    for (size_t p = 0; p < 3; p++)
        for (size_t i = 0; i < size_of(&parameters.items[p]); i++)
            parameters.items[p].values[i] = random_number(&random);
    return parameters;
}

/* Slopes that follow from the number of the step. */
static void set_slopes(wl_parameters *parameters, uint64_t step)
{
    wl_random random = wl_random_seed(2, step);
    for (size_t p = 0; p < parameters->count; p++) {
        wl_parameter *of = &parameters->items[p];
        memset(of->slopes, 0, size_of(of) * sizeof(float));
        of->touched_count = 0;
        for (uint32_t row = 0; row < of->rows; row++) {
            if (of->sparse && wl_random_unit(&random) < 0.8) continue;
            if (of->sparse) of->touched[of->touched_count++] = row;
            for (size_t j = 0; j < of->columns; j++) of->slopes[row * of->columns + j] = random_number(&random);
        }
    }
}

static void take_steps(wl_optimizer *optimizer, wl_parameters *parameters, wl_pool *pool, uint64_t count)
{
    wl_error error;
    double norm;
    for (uint64_t i = 0; i < count; i++) {
        set_slopes(parameters, wl_optimizer_steps(optimizer));
        CHECK(wl_optimizer_step(optimizer, pool, &norm, &error) == WL_OK);
    }
}

static bool same_values(const wl_parameters *a, const wl_parameters *b)
{
    for (size_t p = 0; p < a->count; p++)
        if (memcmp(a->items[p].values, b->items[p].values, size_of(&a->items[p]) * sizeof(float)) != 0) return false;
    return true;
}

static const wl_optimizer_options whole = {.rate = 0.01,
                                           .beta1 = 0.9,
                                           .beta2 = 0.99,
                                           .epsilon = 1e-8,
                                           .decay = 0.1,
                                           .clip = 5,
                                           .average = 0.8,
                                           .schedule = WL_SCHEDULE_COSINE,
                                           .warm_up = 2,
                                           .steps = 9};

static void test_threads(void)
{
    wl_parameters models[3];
    for (uint32_t i = 0; i < 3; i++) {
        models[i] = new_model();
        wl_optimizer *optimizer = create(&models[i], &whole);
        wl_pool *pool = new_pool(i + 1);
        take_steps(optimizer, &models[i], pool, 5);
        if (i) CHECK(same_values(&models[0], &models[i]));
        wl_pool_free(pool);
        wl_optimizer_free(optimizer);
    }
    for (size_t i = 0; i < 3; i++) free_parameters(&models[i]);
}

/* Moments, averages, values and the number of steps, brought to a new optimizer, go on as if nothing had been. */
static void test_checkpoint(void)
{
    wl_parameters straight = new_model(), resumed = new_model();
    wl_optimizer *one = create(&straight, &whole), *first = create(&resumed, &whole), *second;
    wl_pool *pool = new_pool(2);
    take_steps(one, &straight, pool, 7);
    take_steps(first, &resumed, pool, 3);
    second = create(&resumed, &whole);
    for (size_t p = 0; p < resumed.count; p++) {
        wl_adam_moments from = wl_optimizer_moments(first, p), to = wl_optimizer_moments(second, p);
        size_t bytes = size_of(&resumed.items[p]) * sizeof(float);
        memcpy(to.first, from.first, bytes);
        memcpy(to.second, from.second, bytes);
        memcpy(to.average, from.average, bytes);
    }
    wl_optimizer_set_steps(second, wl_optimizer_steps(first));
    wl_optimizer_free(first);
    take_steps(second, &resumed, pool, 4);
    CHECK(wl_optimizer_steps(second) == 7 && same_values(&straight, &resumed));
    wl_optimizer_swap_averages(one);
    CHECK(!same_values(&straight, &resumed));
    wl_optimizer_swap_averages(second);
    CHECK(same_values(&straight, &resumed));
    wl_pool_free(pool);
    wl_optimizer_free(one);
    wl_optimizer_free(second);
    free_parameters(&straight);
    free_parameters(&resumed);
}

/* Rows without slopes stay where they are, and their moments too; the others decay. */
static void test_untouched(void)
{
    wl_parameters model = new_model(), before = new_model();
    wl_optimizer_options options = usual;
    options.decay = 0.5;
    wl_optimizer *optimizer = create(&model, &options);
    wl_pool *pool = new_pool(2);
    take_steps(optimizer, &model, pool, 1);
    const wl_parameter *table = &model.items[1];
    wl_adam_moments moments = wl_optimizer_moments(optimizer, 1);
    CHECK(!moments.average && table->touched_count > ROWS / 10 && table->touched_count < ROWS / 3);
    bool touched[ROWS] = {false};
    for (size_t i = 0; i < table->touched_count; i++) touched[table->touched[i]] = true;
    size_t wrong = 0;
    for (size_t i = 0; i < size_of(table); i++) {
        double old = (double)before.items[1].values[i], slope = (double)table->slopes[i];
        /* After one step the moments are (1 - beta1) slope and (1 - beta2) slope^2. */
        double step = slope / (fabs(slope) + 1e-8 / sqrt(0.01));
        double expected = touched[i / COLUMNS] ? old * (1 - 0.05 * 0.5) - 0.05 * step : old;
        wrong += fabs((double)table->values[i] - expected) > 1e-6;
        wrong += (moments.first[i] != 0) != touched[i / COLUMNS];
    }
    CHECK_THAT(wrong == 0, "%zu", wrong);
    wl_optimizer_swap_averages(optimizer); /* there are none */
    CHECK(memcmp(table->values, before.items[1].values, size_of(table) * sizeof(float)) != 0);
    wl_pool_free(pool);
    wl_optimizer_free(optimizer);
    free_parameters(&model);
    free_parameters(&before);
}

static void test_not_finite(void)
{
    wl_parameters model = new_model(), same = new_model();
    wl_optimizer *optimizer = create(&model, &whole);
    wl_pool *pool = new_pool(2);
    static const float odd[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < 9; i++) {
        wl_error error;
        double norm;
        set_slopes(&model, i);
        wl_parameter *of = &model.items[i % 3];
        of->slopes[of->sparse ? of->touched[of->touched_count - 1] * of->columns : size_of(of) - 1] = odd[i / 3];
        CHECK(wl_optimizer_step(optimizer, pool, &norm, &error) == WL_ERROR_FORMAT);
        CHECK_THAT(strstr(error.message, of->name) && strstr(error.message, "step 1"), "%s", error.message);
        CHECK(same_values(&model, &same) && wl_optimizer_steps(optimizer) == 0);
    }
    wl_optimizer_swap_averages(optimizer); /* no step yet: there are none */
    CHECK(same_values(&model, &same));
    /* The largest slopes there are have a norm. */
    wl_error error;
    double norm;
    set_slopes(&model, 0);
    for (size_t i = 0; i < size_of(&model.items[0]); i++) model.items[0].slopes[i] = 3e38F;
    CHECK(wl_optimizer_step(optimizer, pool, &norm, &error) == WL_OK && norm > 3e38 && isfinite(norm));
    wl_pool_free(pool);
    wl_optimizer_free(optimizer);
    free_parameters(&model);
    free_parameters(&same);
}

static void test_arguments(void)
{
    wl_parameters none = {.count = 0};
    static const wl_optimizer_options wrong[] = {{.rate = -1},    {.beta1 = 1},    {.beta1 = -0.1}, {.beta2 = 1},
                                                 {.epsilon = -1}, {.decay = -1},   {.clip = -1},    {.average = 1},
                                                 {.rate = NAN},   {.average = NAN}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        wl_error error;
        CHECK(!wl_optimizer_create(&none, &wrong[i], &error) && error.code == WL_ERROR_ARGUMENT);
    }
    wl_optimizer_free(NULL);
}

static void test_allocations(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: this linker has no --wrap");
        return;
    }
    wl_parameters model = new_model();
    for (size_t nth = 1;; nth++) {
        wl_error error;
        fault_begin(nth);
        wl_optimizer *optimizer = wl_optimizer_create(&model, &whole, &error);
        bool failed = fault_end();
        CHECK(failed ? !optimizer && error.code == WL_ERROR_MEMORY : optimizer != NULL);
        wl_optimizer_free(optimizer);
        if (!failed) {
            CHECK(nth > 10);
            break;
        }
    }
    free_parameters(&model);
}

int main(void)
{
    test_golden();
    test_threads();
    test_checkpoint();
    test_untouched();
    test_not_finite();
    test_arguments();
    test_allocations();
    return test_end();
}
