/* Projectors: vectors and slopes against torch, which projects every token, and against differences; parts, blocks and
 * threads; sparse slopes; finished rows; stop words. */
#include "fault.h"
#include "learning.h"
#include "train/projector.h"

static const wl_projector_kind kinds[] = {WL_PROJECT_LINEAR, WL_PROJECT_MLP, WL_PROJECT_TABLE};

enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- helpers ----------------------------------------------------------------------------------------------------- */

static wl_projector *create(const wl_bag_table *table, const wl_projector_options *options, const float *starts)
{
    wl_error error;
    wl_projector *projector = wl_projector_create(table, options, starts, &error);
    if (projector) return projector;
    printf("%s\n", error.message);
    exit(EXIT_FAILURE);
}

static wl_parameter *parameter_of(wl_projector *projector, const char *name)
{
    wl_parameters *parameters = wl_projector_parameters(projector);
    for (size_t i = 0; i < parameters->count; i++)
        if (strcmp(parameters->items[i].name, name) == 0) return &parameters->items[i];
    return NULL;
}

static size_t size_of(const wl_parameter *parameter)
{
    return parameter->rows * parameter->columns;
}

/* Vectors of the texts and, with slopes, the parameters' slopes for these. */
static float *run(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes)
{
    float *out = memory(bags->count * wl_projector_dim(projector), sizeof *out);
    wl_error error;
    CHECK(wl_projector_forward(projector, pool, bags, out, &error) == WL_OK);
    if (slopes) CHECK(wl_projector_backward(projector, pool, bags, slopes, &error) == WL_OK);
    return out;
}

/* ---- against torch ----------------------------------------------------------------------------------------------- */

static void check_case(const char *name, const wl_projector_options *options, wl_dtype dtype, uint32_t threads)
{
    enum { ROWS = 50, INPUTS = 24 };
    float values[ROWS * INPUTS];
    copy_golden(golden("table", "table"), values);
    wl_bag_table table = table_of(values, ROWS, INPUTS, dtype);
    const golden_item *lengths = golden(name, "lengths"), *ids = golden(name, "ids"),
                      *vectors = golden(name, "vectors");
    uint32_t *tokens = memory(ids->count, sizeof *tokens);
    uint64_t *starts = memory(lengths->count + 1, sizeof *starts);
    float *slopes = memory(vectors->count, sizeof *slopes);
    for (size_t i = 0; i < ids->count; i++) tokens[i] = (uint32_t)ids->numbers[i];
    for (size_t i = 0; i < lengths->count; i++) starts[i + 1] = starts[i] + (uint64_t)lengths->numbers[i];
    copy_golden(golden(name, "factors"), slopes);
    wl_bags bags = {tokens, starts, lengths->count};
    wl_pool *pool = new_pool(threads);
    wl_projector *projector = create(&table, options, NULL);
    wl_parameters *parameters = wl_projector_parameters(projector);
    for (size_t i = 0; i < parameters->count; i++) {
        const golden_item *start = golden(name, parameters->items[i].name);
        CHECK(start->count == size_of(&parameters->items[i]));
        copy_golden(start, parameters->items[i].values);
    }
    float *out = run(projector, pool, &bags, slopes);
    double far = far_from(vectors->numbers, out, vectors->count);
    CHECK_THAT(far < 2e-6, "%s: vectors: %g", name, far);
    for (size_t i = 0; i < parameters->count; i++) {
        char item[64];
        snprintf(item, sizeof item, "%s.slopes", parameters->items[i].name);
        far = far_from(golden(name, item)->numbers, parameters->items[i].slopes, size_of(&parameters->items[i]));
        CHECK_THAT(far < 2e-6, "%s: %s: %g", name, item, far);
    }
    free(out);
    wl_projector_free(projector);
    wl_pool_free(pool);
    free(slopes);
    free_bags(bags);
    free_table(table);
}

static void test_golden(void)
{
    static const wl_dtype dtypes[] = {WL_F32, WL_F16, WL_BF16};
    read_golden(WL_TEST_DATA "/golden/projector.txt");
    for (size_t i = 0; i < 3; i++) {
        uint32_t threads = (uint32_t)i + 1;
        wl_projector_options options = {.kind = WL_PROJECT_LINEAR, .dim = 12};
        check_case("linear_plain", &options, dtypes[i], threads);
        options.bias = options.token_weights = true;
        check_case("linear", &options, dtypes[i], threads);
        options.kind = WL_PROJECT_MLP;
        options.hidden = 20;
        check_case("mlp", &options, dtypes[i], threads);
        options.kind = WL_PROJECT_TABLE;
        check_case("table_learned", &options, dtypes[i], threads);
    }
    free_golden();
}

/* ---- against differences ----------------------------------------------------------------------------------------- */

static double loss_of(wl_projector *projector, wl_pool *pool, const wl_bags *bags, const float *slopes)
{
    float *out = run(projector, pool, bags, NULL);
    double sum = 0;
    for (size_t i = 0; i < bags->count * wl_projector_dim(projector); i++) sum += (double)out[i] * (double)slopes[i];
    free(out);
    return sum;
}

/* The loss is linear in most parameters; the step is small for the others, and no unit of these texts passes 0. */
static void check_differences(const wl_projector_options *options)
{
    enum { ROWS = 20, INPUTS = 9, TEXTS = 12 };
    wl_random random = wl_random_seed(25, options->kind);
    wl_bag_table table = random_table(&random, ROWS, INPUTS, WL_F32);
    wl_bags bags = random_bags(&random, TEXTS, 7, ROWS);
    float *slopes = random_numbers(&random, TEXTS * options->dim), *starts = random_numbers(&random, ROWS);
    wl_projector *projector = create(&table, options, starts);
    wl_pool *pool = new_pool(1);
    free(run(projector, pool, &bags, slopes));
    wl_parameters *parameters = wl_projector_parameters(projector);
    for (size_t p = 0; p < parameters->count; p++) {
        wl_parameter *parameter = &parameters->items[p];
        for (size_t i = 0; i < size_of(parameter); i++) {
            const float step = 0x1p-8F;
            float kept = parameter->values[i];
            parameter->values[i] = kept + step;
            double above = loss_of(projector, pool, &bags, slopes);
            parameter->values[i] = kept - step;
            double slope = (above - loss_of(projector, pool, &bags, slopes)) / (2 * (double)step);
            parameter->values[i] = kept;
            CHECK_THAT(fabs(slope - (double)parameter->slopes[i]) < 2e-3, "%s %zu: %g, by differences %g",
                       parameter->name, i, (double)parameter->slopes[i], slope);
        }
    }
    wl_pool_free(pool);
    wl_projector_free(projector);
    free(slopes);
    free(starts);
    free_bags(bags);
    free_table(table);
}

static void test_differences(void)
{
    for (size_t k = 0; k < KINDS; k++)
        check_differences(&(wl_projector_options){.kind = kinds[k], .dim = 6, .bias = true, .token_weights = true});
}

/* ---- the same however it is cut ---------------------------------------------------------------------------------- */

static void copy_slopes(wl_projector *projector, float *out)
{
    wl_parameters *parameters = wl_projector_parameters(projector);
    for (size_t p = 0; p < parameters->count; p++) {
        memcpy(out, parameters->items[p].slopes, size_of(&parameters->items[p]) * sizeof *out);
        out += size_of(&parameters->items[p]);
    }
}

static size_t slope_count(wl_projector *projector)
{
    wl_parameters *parameters = wl_projector_parameters(projector);
    size_t count = 0;
    for (size_t p = 0; p < parameters->count; p++) count += size_of(&parameters->items[p]);
    return count;
}

static double difference(const float *a, const float *b, size_t count)
{
    double *expected = memory(count, sizeof *expected);
    for (size_t i = 0; i < count; i++) expected[i] = (double)a[i];
    double far = far_from(expected, b, count);
    free(expected);
    return far;
}

static void check_threads(const wl_projector_options *options, const wl_bag_table *table, const wl_bags *bags,
                          const float *slopes)
{
    float *vectors[4], *all[4];
    size_t size = bags->count * options->dim, count = 0;
    for (uint32_t i = 0; i < 4; i++) { /* the last one: two parts */
        wl_projector *projector = create(table, options, NULL);
        wl_pool *pool = new_pool(i % 3 + 1);
        count = slope_count(projector);
        all[i] = memory(count, sizeof **all);
        size_t cut = i < 3 ? bags->count : bags->count / 3;
        wl_bags parts[] = {{bags->ids, bags->starts, cut}, {bags->ids, bags->starts + cut, bags->count - cut}};
        vectors[i] = run(projector, pool, &parts[0], slopes);
        if (i == 3) {
            float *rest = run(projector, pool, &parts[1], slopes + cut * options->dim);
            vectors[i] = realloc(vectors[i], size * sizeof *rest);
            if (!vectors[i]) exit(EXIT_FAILURE);
            memcpy(vectors[i] + cut * options->dim, rest, parts[1].count * options->dim * sizeof *rest);
            free(rest);
        }
        copy_slopes(projector, all[i]);
        wl_pool_free(pool);
        wl_projector_free(projector);
    }
    for (size_t i = 1; i < 3; i++)
        CHECK(memcmp(vectors[i], vectors[0], size * sizeof **vectors) == 0 &&
              memcmp(all[i], all[0], count * sizeof **all) == 0);
    CHECK(difference(vectors[0], vectors[3], size) < 1e-6 && difference(all[0], all[3], count) < 2e-6);
    for (size_t i = 0; i < 4; i++) {
        free(vectors[i]);
        free(all[i]);
    }
}

static void test_threads(void)
{
    enum { ROWS = 700, INPUTS = 300, TEXTS = 330 };
    wl_random random = wl_random_seed(6, 1);
    wl_bag_table table = random_table(&random, ROWS, INPUTS, WL_F16);
    wl_bags bags = random_bags(&random, TEXTS, 30, ROWS);
    float *slopes = random_numbers(&random, TEXTS * INPUTS);
    for (size_t k = 0; k < KINDS; k++) {
        wl_projector_options options = {
            .kind = kinds[k], .dim = 270, .hidden = 200, .bias = true, .token_weights = true};
        check_threads(&options, &table, &bags, slopes);
    }
    free(slopes);
    free_bags(bags);
    free_table(table);
}

/* Rows so long that memory holds only 128 of them at a time: most of the table is zeros, so that it is cheap to make,
 * and the same as a short one's. */
static void test_blocks(void)
{
    enum { ROWS = 150, INPUTS = 470000, KEPT = 40, TEXTS = 300, DIM = 3 };
    wl_random random = wl_random_seed(7, 1);
    wl_bag_table small = random_table(&random, ROWS, KEPT, WL_F16);
    uint16_t *data = memory((size_t)ROWS * INPUTS, sizeof *data);
    for (size_t i = 0; i < ROWS; i++)
        memcpy(data + i * INPUTS, (const uint16_t *)small.data + i * KEPT, KEPT * sizeof *data);
    wl_bag_table large = {data, WL_F16, ROWS, INPUTS};
    uint32_t ids[TEXTS];
    uint64_t starts[TEXTS + 1] = {0};
    for (size_t i = 0; i < TEXTS; i++) {
        ids[i] = (uint32_t)(i * 7 % ROWS);
        starts[i + 1] = i + 1;
    }
    wl_bags bags = {ids, starts, TEXTS};
    float *slopes = random_numbers(&random, TEXTS * DIM), *values = random_numbers(&random, DIM * KEPT);
    wl_pool *pool = new_pool(2);
    for (size_t k = 0; k < 2; k++) {
        wl_projector_options options = {.kind = kinds[k], .dim = DIM, .token_weights = true};
        wl_projector *projectors[] = {create(&small, &options, NULL), create(&large, &options, NULL)};
        float *vectors[2];
        for (size_t i = 0; i < 2; i++) {
            wl_parameter *map = parameter_of(projectors[i], k == 0 ? "projection.weight" : "hidden.weight");
            for (size_t row = 0; row < DIM; row++)
                memcpy(map->values + row * map->columns, values + row * KEPT, KEPT * sizeof *values);
            wl_parameter *last = k == 1 ? parameter_of(projectors[i], "projection.weight") : NULL;
            for (size_t j = 0; last && j < size_of(last); j++) last->values[j] = (float)j - 3;
            vectors[i] = run(projectors[i], pool, &bags, slopes);
        }
        CHECK(difference(vectors[0], vectors[1], TEXTS * DIM) < 2e-6);
        const wl_parameter *weights[] = {parameter_of(projectors[0], "token_weights"),
                                         parameter_of(projectors[1], "token_weights")};
        CHECK(difference(weights[0]->slopes, weights[1]->slopes, ROWS) < 2e-6);
        const char *name = k == 0 ? "projection.weight" : "hidden.weight";
        for (size_t row = 0; row < DIM; row++)
            CHECK(difference(parameter_of(projectors[0], name)->slopes + row * KEPT,
                             parameter_of(projectors[1], name)->slopes + row * INPUTS, KEPT) < 2e-6);
        for (size_t i = 0; i < 2; i++) {
            free(vectors[i]);
            wl_projector_free(projectors[i]);
        }
    }
    wl_pool_free(pool);
    free(slopes);
    free(values);
    free(data);
    free_table(small);
}

/* ---- sparse slopes ----------------------------------------------------------------------------------------------- */

static void test_touched(void)
{
    enum { ROWS = 200, INPUTS = 20, DIM = 13, TEXTS = 9 };
    wl_random random = wl_random_seed(8, 1);
    wl_bag_table table = random_table(&random, ROWS, INPUTS, WL_BF16);
    wl_projector *projector = create(&table, &(wl_projector_options){.kind = WL_PROJECT_TABLE, .dim = DIM}, NULL);
    wl_parameter *rows = parameter_of(projector, "table");
    wl_pool *pool = new_pool(2);
    CHECK(rows->sparse && rows->rows == ROWS && rows->columns == DIM && rows->touched_count == 0);
    CHECK(wl_projector_parameters(projector)->count == 1);
    for (size_t i = 0; i < ROWS * DIM; i++)
        CHECK(rows->values[i] == wl_bf16_to_f32(((const uint16_t *)table.data)[i / DIM * INPUTS + i % DIM]));
    for (size_t round = 0; round < 5; round++) {
        float expected[ROWS * DIM] = {0};
        bool used[ROWS] = {false};
        for (size_t part = 0; part < 1 + round % 3; part++) { /* slopes of some batches add up */
            wl_bags bags = random_bags(&random, TEXTS, 6, ROWS);
            float *slopes = random_numbers(&random, TEXTS * DIM);
            free(run(projector, pool, &bags, slopes));
            for (size_t i = 0; i < TEXTS; i++)
                for (size_t t = bags.starts[i]; t < bags.starts[i + 1]; t++) {
                    used[bags.ids[t]] = true;
                    for (size_t j = 0; j < DIM; j++)
                        expected[bags.ids[t] * DIM + j] +=
                            slopes[i * DIM + j] / (float)(bags.starts[i + 1] - bags.starts[i]);
                }
            free(slopes);
            free_bags(bags);
        }
        size_t count = 0;
        for (uint32_t row = 0; row < ROWS; row++)
            if (used[row]) {
                CHECK(count < rows->touched_count && rows->touched[count] == row);
                count++;
            }
        CHECK(count == rows->touched_count && difference(expected, rows->slopes, ROWS * DIM) < 1e-6);
        wl_projector_clear(projector);
        size_t left = 0;
        for (size_t i = 0; i < ROWS * DIM; i++) left += rows->slopes[i] != 0;
        CHECK(left == 0 && rows->touched_count == 0);
    }
    wl_pool_free(pool);
    wl_projector_free(projector);
    free_table(table);
}

/* ---- the rest of the contract ------------------------------------------------------------------------------------ */

/* Rows are vectors of texts of one token, and texts without any are zero. */
static void test_rows(void)
{
    enum { ROWS = 2300, INPUTS = 8, DIM = 5 };
    wl_random random = wl_random_seed(9, 1);
    wl_bag_table table = random_table(&random, ROWS, INPUTS, WL_F16);
    float *starts = random_numbers(&random, ROWS), *rows = memory((size_t)ROWS * DIM, sizeof *rows);
    wl_pool *pool = new_pool(2);
    for (size_t k = 0; k < KINDS; k++) {
        wl_projector_options options = {.kind = kinds[k], .dim = DIM, .bias = true, .token_weights = true};
        wl_projector *projector = create(&table, &options, starts);
        wl_error error;
        CHECK(wl_projector_rows(projector, pool, 0, ROWS, rows, &error) == WL_OK);
        uint32_t ids[] = {2299, 0, 1024, 17, 17};
        uint64_t bounds[] = {0, 1, 2, 2, 3, 5};
        wl_bags bags = {ids, bounds, 5};
        float *vectors = run(projector, pool, &bags, NULL);
        for (size_t j = 0; j < DIM; j++) {
            CHECK(vectors[2 * DIM + j] == 0);
            const float pairs[][2] = {{vectors[j], rows[(size_t)2299 * DIM + j]},
                                      {vectors[DIM + j], rows[j]},
                                      {vectors[3 * DIM + j], rows[(size_t)1024 * DIM + j]},
                                      {vectors[4 * DIM + j], rows[(size_t)17 * DIM + j]}};
            for (size_t i = 0; i < 4; i++) CHECK(fabs((double)pairs[i][0] - (double)pairs[i][1]) < 1e-6);
        }
        free(vectors);
        CHECK(wl_projector_rows(projector, pool, 17, 1, rows, &error) == WL_OK);
        CHECK(wl_projector_rows(projector, pool, ROWS, 0, rows, &error) == WL_OK);
        CHECK(wl_projector_rows(projector, pool, 1, ROWS, rows, &error) == WL_ERROR_ARGUMENT);
        CHECK(wl_projector_rows(projector, pool, ROWS + 1, 0, rows, &error) == WL_ERROR_ARGUMENT);
        wl_projector_free(projector);
    }
    wl_pool_free(pool);
    free(starts);
    free(rows);
    free_table(table);
}

/* A batch of texts without tokens has no slopes, and neither has one without texts. */
static void test_empty(void)
{
    wl_random random = wl_random_seed(10, 1);
    wl_bag_table table = random_table(&random, 30, 6, WL_F32);
    uint64_t starts[5] = {0};
    uint32_t id = 0;
    float slopes[4 * 5];
    for (size_t i = 0; i < 20; i++) slopes[i] = 1;
    wl_pool *pool = new_pool(2);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t texts = 0; texts <= 4; texts += 4) {
            wl_projector_options options = {.kind = kinds[k], .dim = 5, .bias = true, .token_weights = true};
            wl_projector *projector = create(&table, &options, NULL);
            wl_bags bags = {&id, starts, texts};
            float *out = run(projector, pool, &bags, slopes);
            for (size_t i = 0; i < texts * 5; i++) CHECK(out[i] == 0);
            size_t count = slope_count(projector);
            float *all = memory(count, sizeof *all);
            copy_slopes(projector, all);
            for (size_t i = 0; i < count; i++) CHECK(all[i] == 0);
            free(all);
            free(out);
            wl_projector_free(projector);
        }
    wl_pool_free(pool);
    free_table(table);
}

static void test_start(void)
{
    enum { ROWS = 40, INPUTS = 64, DIM = 100 };
    wl_random random = wl_random_seed(11, 1);
    wl_bag_table table = random_table(&random, ROWS, INPUTS, WL_F32);
    float *starts = random_numbers(&random, ROWS);
    wl_projector_options options = {.dim = DIM, .bias = true, .token_weights = true, .seed = 3};
    wl_projector *a = create(&table, &options, NULL), *b = create(&table, &options, starts);
    options.seed = 4;
    options.bias = options.token_weights = false;
    wl_projector *c = create(&table, &options, NULL);
    const wl_parameter *weight = parameter_of(a, "projection.weight"), *bias = parameter_of(a, "projection.bias");
    CHECK(wl_projector_dim(a) == DIM && weight->rows == DIM && weight->columns == INPUTS && size_of(bias) == DIM);
    CHECK(!parameter_of(c, "projection.bias") && !parameter_of(c, "token_weights"));
    double mean = 0, square = 0;
    for (size_t i = 0; i < DIM * INPUTS; i++) {
        CHECK(fabsf(weight->values[i]) <= 0.125F);
        mean += (double)weight->values[i] / (DIM * INPUTS);
        square += (double)weight->values[i] * (double)weight->values[i] / (DIM * INPUTS);
    }
    CHECK_THAT(fabs(mean) < 0.005 && fabs(square - 0.125 * 0.125 / 3) < 3e-4, "%g %g", mean, square);
    CHECK(memcmp(weight->values, parameter_of(b, "projection.weight")->values, DIM * INPUTS * sizeof(float)) == 0);
    CHECK(memcmp(weight->values, parameter_of(c, "projection.weight")->values, DIM * INPUTS * sizeof(float)) != 0);
    CHECK(memcmp(weight->values, bias->values, DIM * sizeof(float)) != 0);
    for (size_t i = 0; i < ROWS; i++)
        CHECK(parameter_of(a, "token_weights")->values[i] == 1 &&
              parameter_of(b, "token_weights")->values[i] == starts[i]);
    wl_projector_free(a);
    wl_projector_free(b);
    wl_projector_free(c);
    free(starts);
    free_table(table);
}

static void test_arguments(void)
{
    float value = 1;
    const wl_bag_table good = {&value, WL_F32, 1, 1};
    const wl_projector_options one = {.dim = 1}, none = {.dim = 0}, wide = {.kind = WL_PROJECT_TABLE, .dim = 2};
    const struct {
        wl_bag_table table;
        wl_projector_options options;
        wl_status status;
        const char *says;
    } cases[] = {
        {{&value, WL_I8, 4, 1}, one, WL_ERROR_UNSUPPORTED, "I8"},
        {{&value, WL_F64, 1, 1}, one, WL_ERROR_UNSUPPORTED, "F64"},
        {{&value, WL_F32, 0, 1}, one, WL_ERROR_ARGUMENT, "0 rows"},
        {{&value, WL_F32, 1, 0}, one, WL_ERROR_ARGUMENT, "rows of 0"},
        {{&value, WL_F32, 1, (size_t)1 << 31}, one, WL_ERROR_ARGUMENT, "2147483648"},
        {good, none, WL_ERROR_ARGUMENT, "dim is 0"},
        {good, wide, WL_ERROR_ARGUMENT, "more than the table's 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wl_error error;
        CHECK(!wl_projector_create(&cases[i].table, &cases[i].options, NULL, &error));
        CHECK_THAT(error.code == cases[i].status && strstr(error.message, cases[i].says), "%zu: %s", i, error.message);
    }
    wl_error error;
    wl_projector *projector = create(&good, &one, NULL);
    wl_pool *pool = new_pool(1);
    wl_bags many = {NULL, NULL, (size_t)1 << 31};
    CHECK(wl_projector_forward(projector, pool, &many, NULL, &error) == WL_ERROR_ARGUMENT);
    wl_pool_free(pool);
    wl_projector_free(projector);
    wl_projector_free(NULL);
}

static wl_status try_all(const wl_bag_table *table, const wl_projector_options *options, wl_pool *pool,
                         const wl_bags *bags, float *numbers, wl_error *error)
{
    wl_projector *projector = wl_projector_create(table, options, NULL, error);
    if (!projector) return error->code;
    wl_status status = wl_projector_forward(projector, pool, bags, numbers, error);
    if (status == WL_OK) status = wl_projector_backward(projector, pool, bags, numbers, error);
    wl_projector_free(projector);
    return status;
}

static void test_allocations(void)
{
    if (!fault_available()) {
        SKIP("failing allocations: this linker has no --wrap");
        return;
    }
    static const size_t least[KINDS] = {9, 20, 10};
    wl_random random = wl_random_seed(12, 1);
    wl_bag_table table = random_table(&random, 30, 6, WL_F16);
    wl_bags bags = random_bags(&random, 10, 5, 30);
    float numbers[10 * 5];
    wl_pool *pool = new_pool(1);
    for (size_t k = 0; k < KINDS; k++)
        for (size_t nth = 1;; nth++) {
            wl_projector_options options = {.kind = kinds[k], .dim = 5, .bias = true, .token_weights = true};
            wl_error error;
            fault_begin(nth);
            wl_status status = try_all(&table, &options, pool, &bags, numbers, &error);
            if (!fault_end()) {
                CHECK_THAT(status == WL_OK && nth > least[k], "kind %zu: %zu allocations", k, nth - 1);
                break;
            }
            CHECK_THAT(status == WL_ERROR_MEMORY && error.code == status, "kind %zu, allocation %zu: %d", k, nth,
                       (int)status);
        }
    wl_pool_free(pool);
    free_bags(bags);
    free_table(table);
}

/* ---- stop words -------------------------------------------------------------------------------------------------- */

/* Weights of the ids below rows that are not 1, and which of the pieces have one. */
static size_t count_lowered(const wl_tokenizer *tokenizer, bool bare_only, size_t rows, const char *const *pieces,
                            const char *expected)
{
    float *starts = memory(rows, sizeof *starts);
    wl_stop_word_starts(tokenizer, NULL, 0.1F, bare_only, starts, rows);
    size_t lowered = 0;
    for (size_t i = 0; i < rows; i++) {
        lowered += starts[i] == 0.1F;
        CHECK(starts[i] == 0.1F || starts[i] == 1);
    }
    for (; *pieces; pieces++, expected++) {
        uint32_t id;
        bool there = wl_tokenizer_id(tokenizer, (wl_text){*pieces, strlen(*pieces)}, &id);
        CHECK_THAT(there && id < rows && (starts[id] == 0.1F) == (*expected == '1'), "%s", *pieces);
    }
    free(starts);
    return lowered;
}

static void test_stop_words(void)
{
    static const char json[] =
        "{\"model\": {\"type\": \"WordLevel\", \"unk_token\": \"<unk>\", \"vocab\": {\"<unk>\": 0, \"the\": 1, "
        "\"\xE2\x96\x81the\": 2, \"\xC4\xA0the\": 3, \" the\": 4, \"##the\": 5, \"The\": 6, \"i\": 7, "
        "\"\xE2\x96\x81i\": 8, \"cat\": 9, \"don't\": 10, \"\xE2\x96\x81wouldn\": 11, \"\xE2\x96\x81yourselves\": "
        "12}}}";
    static const char *const pieces[] = {
        "the", "\xE2\x96\x81the", "\xC4\xA0the",        " the", "##the", "The", "i", "\xE2\x96\x81i",
        "cat", "don't",           "\xE2\x96\x81wouldn", NULL};
    wl_error error;
    wl_tokenizer *tokenizer = wl_tokenizer_parse(json, sizeof json - 1, NULL, &error);
    CHECK_THAT(tokenizer, "%s", error.message);
    if (!tokenizer) return;
    CHECK(count_lowered(tokenizer, false, 13, pieces, "11110000011") == 7);
    CHECK(count_lowered(tokenizer, true, 13, pieces, "10000000010") == 2);
    CHECK(count_lowered(tokenizer, false, 3, pieces + 11, "") == 2); /* ids behind the table are left alone */
    wl_tokenizer_close(tokenizer);
}

static void check_vocabulary(const char *path, const char *const *pieces, size_t bare, size_t both,
                             const char *expected)
{
    wl_error error;
    wl_tokenizer *tokenizer = wl_tokenizer_open(path, &error);
    if (!tokenizer) {
        SKIP("stop words of %s: %s", path, error.message);
        return;
    }
    size_t rows = wl_tokenizer_vocabulary(tokenizer, true);
    size_t counts[] = {count_lowered(tokenizer, true, rows, pieces + 2, ""),
                       count_lowered(tokenizer, false, rows, pieces, expected)};
    CHECK_THAT(counts[0] == bare && counts[1] == both, "%s: %zu bare, %zu in all", path, counts[0], counts[1]);
    wl_tokenizer_close(tokenizer);
}

/* Counts by the Python package tokenizers. */
static void test_vocabularies(void)
{
    static const char *const llama[] = {"\xE2\x96\x81the", "the", NULL}, *const bert[] = {"the", "##s", NULL};
    check_vocabulary(WL_TEST_MODELS "/l2_supercat_256/tokenizer.json", llama, 103, 240, "11");
    check_vocabulary(WL_TEST_DATA "/golden/tokenizers/bert_uncased.json", bert, 2, 2, "10");
}

/* ---- rotations --------------------------------------------------------------------------------------------------- */

/* It begins as nothing; whatever W becomes, lengths and angles stay; a slope is that of turning two axes. */
static void test_rotation(void)
{
    enum { ROWS = 30, DIM = 7, TEXTS = 12 };
    wl_random random = wl_random_seed(31, 0);
    wl_bag_table table = random_table(&random, ROWS, DIM, WL_F32);
    wl_bags bags = random_bags(&random, TEXTS, 7, ROWS);
    float *slopes = random_numbers(&random, TEXTS * DIM);
    wl_projector_options options = {.kind = WL_PROJECT_ROTATION, .dim = DIM, .bias = true, .token_weights = true};
    wl_projector *projector = create(&table, &options, NULL);
    wl_parameters *parameters = wl_projector_parameters(projector);
    CHECK(parameters->count == 1 && strcmp(parameters->items[0].name, "rotation.weight") == 0);
    float *weight = parameters->items[0].values, *found = parameters->items[0].slopes;
    wl_pool *pool = new_pool(2);
    float *plain = calloc(TEXTS * DIM, sizeof *plain), *turned;
    wl_bags_pool(pool, &table, &bags, NULL, plain);
    turned = run(projector, pool, &bags, slopes);
    for (size_t i = 0; i < TEXTS * DIM; i++) CHECK(fabsf(plain[i] - turned[i]) < 1e-6F);
    free(turned);
    for (size_t i = 0; i < DIM; i++)
        for (size_t j = 0; j < i; j++) {
            const float step = 1e-2F;
            double ends[2];
            for (int side = 0; side < 2; side++) {
                weight[i * DIM + j] = side ? step : -step;
                weight[j * DIM + i] = -weight[i * DIM + j];
                ends[side] = loss_of(projector, pool, &bags, slopes);
            }
            weight[i * DIM + j] = weight[j * DIM + i] = 0;
            double expected = (ends[1] - ends[0]) / (2 * (double)step);
            double slope = (double)found[i * DIM + j] - (double)found[j * DIM + i];
            CHECK_THAT(fabs(slope - expected) < 2e-3 * (fabs(expected) + 1), "%g, not %g", slope, expected);
        }
    for (size_t i = 0; i < DIM * DIM; i++) weight[i] += (float)(wl_random_unit(&random) - 0.5);
    turned = run(projector, pool, &bags, NULL);
    for (size_t a = 0; a < TEXTS; a++)
        for (size_t b = 0; b <= a; b++) {
            double before = 0, after = 0;
            for (size_t j = 0; j < DIM; j++) {
                before += (double)plain[a * DIM + j] * (double)plain[b * DIM + j];
                after += (double)turned[a * DIM + j] * (double)turned[b * DIM + j];
            }
            CHECK_THAT(fabs(before - after) < 1e-5, "%g became %g", before, after);
        }
    free(turned);
    free(plain);
    wl_projector_free(projector);
    wl_pool_free(pool);
    wl_error error;
    options.dim = DIM - 1;
    CHECK(!wl_projector_create(&table, &options, NULL, &error) && error.code == WL_ERROR_ARGUMENT &&
          strstr(error.message, "rotation"));
    free(slopes);
    free_bags(bags);
    free_table(table);
}

int main(void)
{
    test_golden();
    test_rotation();
    test_differences();
    test_threads();
    test_blocks();
    test_touched();
    test_rows();
    test_empty();
    test_start();
    test_arguments();
    test_allocations();
    test_stop_words();
    test_vocabularies();
    return test_end();
}
