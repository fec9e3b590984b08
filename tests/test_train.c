/* Training as a whole: the reference's losses, slopes and steps; every loss falls where it can; every kind of bad input
 * says what is wrong; allocations that fail. */
#include "format/half.h"
#include "train.h"
#include "train/targets.h"

#include "fault.h"
#include "format/safetensors_write.h"
#include "learning.h"
#include "train/run.h"

static wl_error error;

static wl_status train(const run_settings *settings, wl_trained *trained)
{
    wl_train_options options = options_of(settings);
    error = (wl_error){0};
    return wl_train(NULL, &options, trained, &error);
}

/* ---- the reference ----------------------------------------------------------------------------------------------- */

enum { BATCHES = 10 };

typedef struct golden_run {
    const char *name, *binarizer;
    bool learned;       /* the scale */
    size_t first_batch; /* what the slopes are of */
} golden_run;

static const golden_run golden_runs[] = {
    {"none", "none", false, 0},   {"ste", "ste", false, 0},    {"tanh", "tanh", false, 0},
    {"reste", "reste", false, 0}, {"pairs", "none", false, 1}, {"stochastic", "stochastic", false, 0},
    {"learned", "none", true, 0},
};

static void make_config(wl_train_config *config, const golden_run *of, uint32_t inputs)
{
    if (wl_train_config_default(config, &error) || wl_train_config_set(config, "dim", "16", &error) ||
        wl_train_config_set(config, "matryoshka", "16,8,4", &error) ||
        wl_train_config_set(config, "output", "none", &error) ||
        wl_train_config_set(config, "binarizer", of->binarizer, &error) ||
        wl_train_config_finish(config, inputs, &error)) {
        printf("%s: %s\n", of->name, error.message);
        exit(EXIT_FAILURE);
    }
}

/* Values as in the golden file; a learned scale is one of them. */
static void make_parameters(wl_run *run, bool learned)
{
    run->parameters = *wl_projector_parameters(run->projector);
    for (size_t i = 0; i < run->parameters.count; i++) {
        const wl_parameter *parameter = &run->parameters.items[i];
        const golden_item *item = golden("given", parameter->name);
        CHECK(item->count == parameter->rows * parameter->columns);
        copy_golden(item, parameter->values);
    }
    if (!learned) return;
    wl_learned_scale *scale = &run->scales[0];
    *scale = (wl_learned_scale){.value = logf(20), .name = "scale.0", .used = true};
    run->parameters.items[run->parameters.count++] =
        (wl_parameter){.name = scale->name, .rows = 1, .columns = 1, .values = &scale->value, .slopes = &scale->slope};
}

/* A run over the golden codebook, put together by hand: its texts are token ids. */
static void begin_run(wl_run *run, const golden_run *of, wl_dtype dtype, uint32_t threads)
{
    const golden_item *table = golden("given", "table"), *weight = golden("given", "projection.weight");
    size_t inputs = 32, rows = table->count / inputs;
    float *values = memory(table->count, sizeof *values);
    copy_golden(table, values);
    error = (wl_error){0};
    *run = (wl_run){.error = &error, .table = table_of(values, rows, inputs, dtype)};
    free(values);
    make_config(&run->config, of, (uint32_t)inputs);
    wl_projector_options projector = {
        .dim = (uint32_t)(weight->count / inputs), .bias = true, .token_weights = true, .seed = 1};
    wl_context_options context = {.size = sizeof context, .threads = threads};
    run->schedule = (wl_optimizer_options){
        .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8, .clip = 1, .warm_up = 3, .steps = BATCHES};
    run->targets = memory(1, sizeof(wl_targets *));
    run->context = wl_context_create(&context, &error);
    run->projector = wl_projector_create(&run->table, &projector, NULL, &error);
    if (!run->context || !run->projector) exit(EXIT_FAILURE);
    make_parameters(run, of->learned);
    run->optimizer = wl_optimizer_create(&run->parameters, &run->schedule, &error);
    if (!run->optimizer) exit(EXIT_FAILURE);
}

static void end_run(wl_run *run)
{
    free_table(run->table);
    wl_run_close(run);
}

/* Free ids and starts. */
static wl_train_batch golden_batch(size_t number)
{
    char ids_name[32], lengths_name[32];
    snprintf(ids_name, sizeof ids_name, "ids.%zu", number);
    snprintf(lengths_name, sizeof lengths_name, "lengths.%zu", number);
    const golden_item *ids = golden("given", ids_name), *lengths = golden("given", lengths_name);
    uint32_t *tokens = memory(ids->count, sizeof *tokens);
    uint64_t *starts = memory(lengths->count + 1, sizeof *starts);
    for (size_t i = 0; i < ids->count; i++) tokens[i] = (uint32_t)ids->numbers[i];
    for (size_t i = 0; i < lengths->count; i++) starts[i + 1] = starts[i] + (uint64_t)lengths->numbers[i];
    CHECK(starts[lengths->count] == ids->count);
    size_t sides = number % 2 ? 2 : 3;
    return (wl_train_batch){
        .records = lengths->count / sides, .sides = sides, .ids = tokens, .starts = starts, .numbers = starts};
}

static void free_batch(wl_train_batch batch)
{
    free_bags((wl_bags){batch.ids, batch.starts, 0});
}

static double loss_of(wl_run *run, size_t number)
{
    wl_train_batch batch = golden_batch(number);
    double loss = NAN;
    wl_projector_clear(run->projector);
    run->scales[0].slope = 0;
    CHECK_THAT(!wl_run_loss(run, &batch, 1, &loss), "%s", error.message);
    free_batch(batch);
    return loss;
}

static double difference(double expected, double got)
{
    return fabs(got - expected) / fabs(expected);
}

static void check_slopes(const golden_run *of, wl_run *run)
{
    double loss = loss_of(run, of->first_batch);
    CHECK_THAT(difference(golden(of->name, "loss")->numbers[0], loss) < 1e-5, "%s: %.9g", of->name, loss);
    for (size_t i = 0; i < run->parameters.count; i++) {
        const wl_parameter *parameter = &run->parameters.items[i];
        const golden_item *item = golden(of->name, parameter->name);
        double far = far_from(item->numbers, parameter->slopes, item->count);
        CHECK_THAT(far < 1e-5, "%s, %s: %g", of->name, parameter->name, far);
    }
}

static void check_steps(const golden_run *of, wl_run *run)
{
    const golden_item *losses = golden(of->name, "losses"), *norms = golden(of->name, "norms");
    for (size_t i = 0; i < BATCHES; i++) {
        double norm = NAN, loss = loss_of(run, i);
        CHECK(!wl_optimizer_step(run->optimizer, run->context->pool, &norm, &error));
        CHECK_THAT(difference(losses->numbers[i], loss) < 1e-4, "%s, step %zu: loss %.9g, expected %.9g", of->name, i,
                   loss, losses->numbers[i]);
        CHECK_THAT(difference(norms->numbers[i], norm) < 1e-4, "%s, step %zu: norm %.9g, expected %.9g", of->name, i,
                   norm, norms->numbers[i]);
    }
}

static void test_reference(void)
{
    static const wl_dtype types[] = {WL_F32, WL_F16};
    read_golden(WL_TEST_DATA "/golden/train.txt");
    for (size_t i = 0; i < sizeof golden_runs / sizeof *golden_runs; i++)
        for (uint32_t threads = 1; threads <= 3; threads += 2) {
            wl_run run;
            begin_run(&run, &golden_runs[i], types[threads > 1], threads);
            check_slopes(&golden_runs[i], &run);
            if (find_golden(golden_runs[i].name, "losses")) check_steps(&golden_runs[i], &run);
            end_run(&run);
        }
    free_golden();
}

/* ---- every loss -------------------------------------------------------------------------------------------------- */

/* Targets for the texts of root/of, scaled by turns: means of vectors that each word has. As .npy to root/name. */
static void put_targets(const char *name, const char *of, size_t dim, bool scaled, size_t left_out)
{
    wl_safetensors file;
    CHECK_THAT(!wl_safetensors_open(&file, in_root(of), &error), "%s", error.message);
    const wl_tensor *ids = wl_safetensors_find(&file, "ids"), *starts = wl_safetensors_find(&file, "starts");
    const uint32_t *tokens = (const uint32_t *)(const void *)ids->data;
    const uint64_t *begins = (const uint64_t *)(const void *)starts->data;
    size_t texts = (size_t)starts->count - 1 - left_out;
    float *words = random_rows(WORDS * dim, 8), *row = memory(dim, sizeof *row);
    char header[128];
    int size =
        snprintf(header, sizeof header, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", texts, dim);
    FILE *out = fopen(in_root(name), "wb");
    CHECK(out && fprintf(out, "\x93NUMPY%c%c%c%c%-117s\n", 1, 0, 118, 0, header) == 128 && size < 117);
    for (size_t i = 0; i < texts && out; i++) {
        memset(row, 0, dim * sizeof *row);
        for (uint64_t t = begins[i]; t < begins[i + 1]; t++)
            for (size_t j = 0; j < dim; j++) row[j] += words[tokens[t] * dim + j];
        double square = 0;
        for (size_t j = 0; j < dim; j++) square += (double)(row[j] * row[j]);
        float factor = (float)((scaled ? 1.0 + (double)(i % 7) : 1) / sqrt(square));
        for (size_t j = 0; j < dim; j++) row[j] *= factor;
        CHECK(fwrite(row, sizeof *row, dim, out) == dim);
    }
    if (out) CHECK(fclose(out) == 0);
    free(words);
    free(row);
    wl_safetensors_close(&file);
}

/* Of the steps [begin, end) of root/output. */
static double mean_loss(const char *output, unsigned long begin, unsigned long end)
{
    char path[64], line[1000];
    snprintf(path, sizeof path, "%s/log.jsonl", output);
    FILE *file = fopen(in_root(path), "r");
    CHECK(file != NULL);
    double sum = 0;
    unsigned long count = 0;
    while (file && fgets(line, sizeof line, file)) {
        const char *loss = strstr(line, "\"loss\": ");
        unsigned long step = strncmp(line, "{\"step\": ", 9) == 0 ? strtoul(line + 9, NULL, 10) : 0;
        if (!loss || step < begin || step >= end) continue;
        sum += strtod(loss + 8, NULL);
        count++;
    }
    CHECK(count == end - begin);
    if (file) fclose(file);
    return sum / (double)count;
}

/* The rows of a model of all columns, F16, as floats; to be freed. */
static float *read_saved(const char *name)
{
    wl_safetensors file;
    CHECK_THAT(!wl_safetensors_open(&file, in_root(name), &error), "%s: %s", name, error.message);
    const wl_tensor *tensor = wl_safetensors_find(&file, "embedding.weight");
    float *rows = tensor ? malloc(tensor->count * sizeof *rows) : NULL;
    CHECK(rows && tensor->dtype == WL_F16 && tensor->count == WORDS * COLUMNS);
    for (size_t i = 0; rows && i < tensor->count; i++) {
        uint16_t half;
        memcpy(&half, (const char *)tensor->data + 2 * i, sizeof half);
        rows[i] = wl_f16_to_f32(half);
    }
    wl_safetensors_close(&file);
    return rows;
}

#define TARGETS "[{\"path\": \"$triplets.safetensors\", \"targets\": \"$targets.npy\"}]"

static void test_losses(void)
{
    static const struct {
        const char *losses, *data, *name, *value; /* name, value: one setting more */
    } cases[] = {
        {"contrast", "$triplets.safetensors", NULL, NULL},
        {"contrast", "$pairs.safetensors", "binarizer", "ste"},
        {"contrast", "$triplets.safetensors", "binarizer", "reste"},
        {"contrast", "$triplets.safetensors", "kind", "mlp"},
        {"contrast", "$triplets.safetensors", "kind", "table"},
        {"symmetric", "$pairs.safetensors", NULL, NULL},
        {"[{\"kind\": \"contrast\", \"learn_scale\": true}]", "$pairs.safetensors", NULL, NULL},
        {"cosent", "$scored.safetensors", NULL, NULL},
        {"angle", "$scored.safetensors", NULL, NULL},
        {"cosine", "$scored.safetensors", NULL, NULL},
        {"triplet", "$triplets.safetensors", NULL, NULL},
        {"distill_cosine", TARGETS, NULL, NULL},
        {"distill_squared", TARGETS, NULL, NULL},
        {"distill_similarities", TARGETS, NULL, NULL},
        {"distill_distributions", TARGETS, NULL, NULL},
        {"contrast,triplet:0.5,distill_cosine:2", TARGETS, NULL, NULL},
        {"contrast", TARGETS, "mask_by_teacher", "true"},
        {"contrast,cosent", "$pairs.safetensors,$scored.safetensors", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_settings settings = make_run("loss", "triplets.safetensors");
        set(&settings, "losses", cases[i].losses);
        set(&settings, "data", cases[i].data);
        set(&settings, "steps", "120");
        set(&settings, "schedule", "constant");
        if (cases[i].name) set(&settings, cases[i].name, cases[i].value);
        wl_trained trained;
        wl_status status = train(&settings, &trained);
        CHECK_THAT(!status, "%s: %s", cases[i].losses, error.message);
        if (status) continue;
        double before = mean_loss("loss", 1, 13), after = mean_loss("loss", 109, 121);
        CHECK_THAT(after < 0.97 * before, "%s of %s, %s: from %g to %g", cases[i].losses, cases[i].data,
                   cases[i].name ? cases[i].value : "", before, after);
        CHECK(trained.steps == 120 && trained.best_step == 120 && isfinite(trained.loss) && isnan(trained.score));
        wl_remove_tree(in_root("loss"));
    }
}

/* A rotation learns what comes first, and leaves the cosines of whole vectors alone; and rows by their length. */
static void test_rotation(void)
{
    run_settings settings = make_run("turned", "triplets.safetensors");
    set(&settings, "losses", "[{\"kind\": \"distill_distributions\", \"scale\": 5, \"dims\": [6]}]");
    set(&settings, "data", TARGETS);
    set(&settings, "kind", "rotation");
    set(&settings, "dim", "0");
    set(&settings, "matryoshka", "24,6");
    set(&settings, "steps", "120");
    set(&settings, "schedule", "constant");
    set(&settings, "learning_rate", "0.02");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    double before = mean_loss("turned", 1, 13), after = mean_loss("turned", 109, 121);
    CHECK_THAT(after < 0.97 * before, "from %g to %g", before, after);
    float *start = read_saved("codebook.safetensors"), *rows = read_saved("turned/model_24.safetensors");
    for (size_t i = 1; start && rows && i < WORDS; i++) {
        double was = wl_vector_cosine(WL_ELEMENT_F32, start, start + i * COLUMNS, COLUMNS);
        double is = wl_vector_cosine(WL_ELEMENT_F32, rows, rows + i * COLUMNS, COLUMNS);
        CHECK_THAT(fabs(was - is) < 2e-3, "row %zu: %g became %g", i, was, is);
    }
    /* Targets that are turned with it are as near to the turned rows as before. */
    char rotation[1024], turned[1024], targets[1024];
    snprintf(rotation, sizeof rotation, "%s", in_root("turned/model_rotation.safetensors"));
    snprintf(targets, sizeof targets, "%s", in_root("codebook.safetensors"));
    snprintf(turned, sizeof turned, "%s", in_root("turned-targets.safetensors"));
    wl_teacher teacher = {.path = targets};
    wl_targets_options options = {.size = sizeof options, .rotation = rotation};
    CHECK_THAT(!wl_make_targets(&teacher, 1, turned, &options, &error), "%s", error.message);
    wl_targets *made = wl_targets_open(turned, NULL, &error);
    for (uint64_t i = 0; made && rows && i < WORDS; i++) {
        float target[COLUMNS];
        wl_targets_read(made, &i, 1, target);
        CHECK(wl_vector_cosine(WL_ELEMENT_F32, target, rows + i * COLUMNS, COLUMNS) > 1 - 1e-5);
    }
    wl_targets_close(made);
    options.dim = 6;
    CHECK(wl_make_targets(&teacher, 1, turned, &options, &error) == WL_ERROR_MISMATCH);
    options.rotation = in_root("nothing.safetensors");
    CHECK(wl_make_targets(&teacher, 1, turned, &options, &error) == WL_ERROR_NOT_FOUND);
    free(rows);
    settings = make_run("scaled", "triplets.safetensors");
    set(&settings, "kind", "table");
    set(&settings, "dim", "24");
    set(&settings, "matryoshka", "24");
    set(&settings, "learning_rate", "0");
    set(&settings, "norm_power", "-1");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    rows = read_saved("scaled/model_24.safetensors");
    for (size_t i = 0; rows && i < WORDS; i++) {
        double square = wl_vector_dot(WL_ELEMENT_F32, rows + i * COLUMNS, rows + i * COLUMNS, COLUMNS);
        CHECK_THAT(fabs(square - 1) < 4e-3, "row %zu: %g", i, square);
    }
    free(rows);
    free(start);
}

/* Products of rows over the first dims stay what they were, for each of the dims; the numbers do not. */
static void test_mix(void)
{
    static const size_t dims[] = {8, 20, 24};
    size_t moved = 0;
    for (int seed = 0; seed < 3; seed++) {
        char name[16], number[16];
        snprintf(name, sizeof name, "mixed-%d", seed);
        snprintf(number, sizeof number, "%d", seed);
        run_settings settings = make_run(name, "triplets.safetensors");
        set(&settings, "kind", "table");
        set(&settings, "dim", "24");
        set(&settings, "matryoshka", "8,24,20");
        set(&settings, "learning_rate", "0");
        set(&settings, "mix", number);
        CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    }
    float *plain = read_saved("mixed-0/model_24.safetensors"), *mixed = read_saved("mixed-1/model_24.safetensors");
    float *other = read_saved("mixed-2/model_24.safetensors");
    for (size_t i = 0; plain && mixed && other && i + 1 < WORDS; i++) {
        const float *a = plain + i * COLUMNS, *b = mixed + i * COLUMNS;
        for (size_t d = 0; d < sizeof dims / sizeof *dims; d++) {
            double was = wl_vector_dot(WL_ELEMENT_F32, a, a + COLUMNS, dims[d]);
            double is = wl_vector_dot(WL_ELEMENT_F32, b, b + COLUMNS, dims[d]);
            double size = wl_vector_dot(WL_ELEMENT_F32, a, a, dims[d]) +
                          wl_vector_dot(WL_ELEMENT_F32, a + COLUMNS, a + COLUMNS, dims[d]);
            CHECK_THAT(fabs(was - is) <= 2e-3 * size + 1e-6, "row %zu, %zu dims: %g, was %g", i, dims[d], is, was);
        }
        for (size_t j = 0; j < COLUMNS; j++) moved += a[j] != b[j] && b[j] != other[i * COLUMNS + j];
    }
    CHECK_THAT(moved > WORDS * COLUMNS / 2, "%zu numbers are others", moved);
    free(plain);
    free(mixed);
    free(other);
}

/* Rows are means of targets, weighted; by the definition. */
static void test_average(void)
{
    enum { HEADER = 128 };
    wl_average_options options = {.size = sizeof options, .sif = 0.01, .stored_as = WL_STORE_F32};
    wl_averaged averaged;
    char texts[1024], targets[1024], tokenizer[1024];
    snprintf(texts, sizeof texts, "%s", in_root("triplets.safetensors"));
    snprintf(targets, sizeof targets, "%s", in_root("targets.npy"));
    snprintf(tokenizer, sizeof tokenizer, "%s", in_root("tokenizer.json"));
    CHECK_THAT(!wl_average_targets(texts, targets, tokenizer, in_root("mean.safetensors"), &options, &averaged, &error),
               "%s", error.message);
    wl_safetensors file, made;
    wl_mapping vectors;
    CHECK(!wl_safetensors_open(&file, texts, &error) && !wl_mapping_open(&vectors, targets, &error) &&
          !wl_safetensors_open(&made, in_root("mean.safetensors"), &error));
    const wl_tensor *ids = wl_safetensors_find(&file, "ids"), *starts = wl_safetensors_find(&file, "starts");
    const uint32_t *tokens = (const uint32_t *)(const void *)ids->data;
    const uint64_t *begins = (const uint64_t *)(const void *)starts->data;
    const float *rows = (const float *)(const void *)wl_safetensors_find(&made, "embedding.weight")->data;
    size_t dim = averaged.dim, seen = 0;
    CHECK(averaged.rows == WORDS && dim == 12 && averaged.sif == 0.01);
    double *expected = calloc(WORDS * dim, sizeof *expected), squares = 0, counts[WORDS] = {0};
    for (size_t text = 0; text + 1 < starts->count; text++)
        for (uint64_t t = begins[text]; t < begins[text + 1]; t++) {
            counts[tokens[t]]++;
            for (size_t j = 0; j < dim; j++) {
                float number;
                memcpy(&number, vectors.data + HEADER + 4 * (text * dim + j), sizeof number);
                expected[tokens[t] * dim + j] += (double)number;
            }
        }
    for (size_t i = 0; i < WORDS; i++) {
        double weight = counts[i] > 0 ? 0.01 / (0.01 + counts[i] / (double)ids->count) / counts[i] : 0;
        seen += counts[i] > 0;
        for (size_t j = 0; j < dim; j++) {
            expected[i * dim + j] *= weight;
            squares += expected[i * dim + j] * expected[i * dim + j];
        }
    }
    CHECK(averaged.seen == seen && seen > WORDS / 2);
    double factor = 0.1 / sqrt(squares / (double)seen / (double)dim);
    for (size_t i = 0; i < WORDS * dim; i++) CHECK(fabs((double)rows[i] - expected[i] * factor) < 1e-6);
    free(expected);
    wl_safetensors_close(&file);
    wl_safetensors_close(&made);
    wl_mapping_close(&vectors);
    put_targets("short.npy", "triplets.safetensors", 12, false, 1);
    const char *short_targets = in_root("short.npy"), *out = in_root("never.safetensors");
    CHECK(wl_average_targets(texts, short_targets, tokenizer, out, NULL, NULL, &error) == WL_ERROR_MISMATCH);
    CHECK(wl_average_targets(texts, targets, tokenizer, texts, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_average_targets(texts, targets, in_root("missing.json"), out, NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    options.sif = -1;
    CHECK(wl_average_targets(texts, targets, tokenizer, out, &options, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(!wl_path_exists(out));
}

/* What a teacher says of similarities does not depend on how long its vectors are. */
static void test_scaled_targets(void)
{
    run_settings settings = make_run("unit", "triplets.safetensors");
    set(&settings, "data", TARGETS);
    set(&settings, "mask_by_teacher", "true");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    set(&settings, "output", "$unmasked");
    set(&settings, "mask_by_teacher", "false");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    set(&settings, "output", "$scaled");
    set(&settings, "mask_by_teacher", "true");
    set(&settings, "data", "[{\"path\": \"$triplets.safetensors\", \"targets\": \"$scaled.npy\"}]");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
    double unit = mean_loss("unit", 1, 13), scaled = mean_loss("scaled", 1, 13);
    CHECK_THAT(fabs(unit - scaled) < 1e-3 * unit, "%g, scaled %g", unit, scaled);
    CHECK(mean_loss("unmasked", 1, 13) > 1.01 * unit);
}

/* ---- bad input --------------------------------------------------------------------------------------------------- */

/* Where the codebook has fewer rows than the tokenizer has ids, its last row is that of the others, as a model has it:
 * the same as a codebook that has the row so often. */
static void test_few_rows(void)
{
    enum { FEW = WORDS - 20 };
    float *rows = random_rows(WORDS * COLUMNS, 5);
    for (size_t i = FEW; i < WORDS; i++) memcpy(rows + i * COLUMNS, rows + (FEW - 1) * COLUMNS, COLUMNS * sizeof *rows);
    put_table("few.safetensors", rows, FEW, COLUMNS, WL_STORE_F16);
    put_table("all.safetensors", rows, WORDS, COLUMNS, WL_STORE_F16);
    free(rows);
    run_settings settings = make_run("all", "triplets.safetensors");
    set(&settings, "codebook", "$all.safetensors");
    set(&settings, "tokenizer", "$tokenizer.json");
    set(&settings, "evaluation", "$sets");
    set(&settings, "evaluation_only", "");
    set(&settings, "token_weights", "false");
    wl_trained all, few;
    CHECK_THAT(!train(&settings, &all), "%s", error.message);
    set(&settings, "output", "$few");
    set(&settings, "codebook", "$few.safetensors");
    CHECK_THAT(!train(&settings, &few), "%s", error.message);
    CHECK_THAT(all.loss == few.loss && all.score == few.score, "%g %g, %g %g", all.loss, few.loss, all.score,
               few.score);
    set(&settings, "kind", "table");
    CHECK_THAT(!train(&settings, NULL), "%s", error.message);
}

static void count_kept(void *user, const char *text)
{
    size_t *found = user;
    *found += strstr(text, "12 of 15 records are kept") != NULL;
}

/* Records with an empty side are left out, and it is said how many are left; fewer than a batch are one. */
static void test_empty_sides(void)
{
    FILE *file = fopen(in_root("sides.jsonl"), "wb");
    for (unsigned i = 0; i < 15 && file; i++)
        fprintf(file, "{\"anchor\": \"t%u t7\", \"positive\": \"%s\"}\n", i + 10, i % 5 ? "t8" : " ");
    CHECK(file && fclose(file) == 0);
    run_settings settings = make_run("sides", "sides.jsonl");
    set(&settings, "unique_texts", "false");
    wl_train_options options = options_of(&settings);
    size_t found = 0;
    options.message = count_kept;
    options.user = &found;
    CHECK_THAT(!wl_train(NULL, &options, NULL, &error) && found == 1, "%s", error.message);
}

/* A codebook whose numbers are all as given. */
static void put_constant(const char *name, float number)
{
    float *rows = memory(WORDS * COLUMNS, sizeof *rows);
    for (size_t i = 0; i < WORDS * COLUMNS; i++) rows[i] = i % 2 ? number : -number;
    wl_buffer header = {0};
    wl_tensor tensor = {.name = "embedding.weight",
                        .dtype = WL_F32,
                        .rank = 2,
                        .shape = {WORDS, COLUMNS, 1, 1, 1, 1, 1, 1},
                        .count = WORDS * COLUMNS,
                        .data = (const char *)rows,
                        .bytes = WORDS * COLUMNS * sizeof *rows};
    CHECK(!wl_safetensors_header(&tensor, 1, NULL, 0, &header, &error));
    CHECK(!wl_safetensors_write(in_root(name), &header, &tensor, 1, &error));
    wl_buffer_free(&header);
    free(rows);
}

static void put_bad_files(void)
{
    put_text("empty.jsonl", "");
    put_text("one.jsonl", "{\"anchor\": \"t1\", \"positive\": \"t2\"}\n");
    put_text("same.jsonl", "{\"anchor\": \"t1\", \"positive\": \"t2\"}\n{\"anchor\": \"t1\", \"positive\": \"t3\"}\n");
    put_text("broken.jsonl", "{\"anchor\": \"t1\", \"positive\": \"t2\"}\n{\"anchor\": \n");
    put_text("fields.jsonl", "{\"first\": \"t1\", \"second\": \"t2\"}\n");
    put_words("more.json", WORDS + 2000, 0);
    put_words("other.json", WORDS + 1, 0);
    put_targets("short.npy", "triplets.safetensors", 12, false, 1);
    put_constant("huge.safetensors", 1e38F);
    put_constant("nan.safetensors", NAN);
    wl_safetensors file;
    CHECK(!wl_safetensors_open(&file, in_root("triplets.safetensors"), &error));
    FILE *cut = fopen(in_root("cut.safetensors"), "wb");
    CHECK(cut && fwrite(file.mapping.data, 1, file.mapping.size - 9, cut) == file.mapping.size - 9);
    if (cut) CHECK(fclose(cut) == 0);
    wl_safetensors_close(&file);
}

/* Each is refused with a message that has the parts; what was there before stays. */
static void test_bad_input(void)
{
    static const struct {
        const char *name, *value;
        wl_status status;
        const char *parts[2];
    } cases[] = {
        {"data", "$empty.jsonl", WL_ERROR_FORMAT, {"no records", ""}},
        {"data", "$one.jsonl", WL_ERROR_FORMAT, {"a single record", "at least two"}},
        {"data", "$same.jsonl", WL_ERROR_FORMAT, {"", ""}},
        {"data", "$broken.jsonl", WL_ERROR_FORMAT, {"", ""}},
        {"data", "$fields.jsonl", WL_ERROR_FORMAT, {"", ""}},
        {"data", "$missing.jsonl", WL_ERROR_NOT_FOUND, {"", ""}},
        {"data", "$missing.safetensors", WL_ERROR_NOT_FOUND, {"", ""}},
        {"data", "$codebook.safetensors", WL_ERROR_FORMAT, {"", ""}},
        {"data", "$cut.safetensors", WL_ERROR_FORMAT, {"", ""}},
        {"data", "", WL_ERROR_ARGUMENT, {"data", "missing"}},
        {"data", "$triplets.safetensors:0", WL_ERROR_ARGUMENT, {"data", "WEIGHT"}},
        {"tokenizer", "$more.json", WL_ERROR_MISMATCH, {"2200 ids", "200 rows"}},
        {"tokenizer", "$other.json", WL_ERROR_MISMATCH, {"tokenizer", ""}},
        {"tokenizer", "$missing.json", WL_ERROR_NOT_FOUND, {"", ""}},
        {"codebook", "$missing.safetensors", WL_ERROR_NOT_FOUND, {"", ""}},
        {"codebook", "$tokenizer.json", WL_ERROR_FORMAT, {"", ""}},
        {"codebook", "", WL_ERROR_ARGUMENT, {"codebook", "missing"}},
        {"codebook", "$huge.safetensors", WL_ERROR_FORMAT, {"step 1", "contrast"}},
        {"codebook", "$nan.safetensors", WL_ERROR_FORMAT, {"step 1", "contrast"}},
        {"output", "", WL_ERROR_ARGUMENT, {"output", "missing"}},
        {"output", "$tokenizer.json/out", WL_ERROR_IO, {"", ""}},
        {"lerning_rate", "0.1", WL_ERROR_ARGUMENT, {"lerning_rate", "did you mean 'learning_rate'"}},
        {"learning_rate", "fast", WL_ERROR_ARGUMENT, {"learning_rate", "fast"}},
        {"learning_rate", "-1", WL_ERROR_ARGUMENT, {"learning_rate", "-1"}},
        {"beta1", "1", WL_ERROR_ARGUMENT, {"beta1", "0.999999999"}},
        {"batch_size", "1", WL_ERROR_ARGUMENT, {"batch_size", "2"}},
        {"binarizer", "sign", WL_ERROR_ARGUMENT, {"binarizer", "stochastic"}},
        {"matryoshka", "12,13", WL_ERROR_ARGUMENT, {"matryoshka has 13", "12 dimensions"}},
        {"matryoshka", "6,6", WL_ERROR_ARGUMENT, {"matryoshka has 6 twice", ""}},
        {"matryoshka_weights", "1", WL_ERROR_ARGUMENT, {"matryoshka_weights", "expected 2"}},
        {"losses", "contrst", WL_ERROR_ARGUMENT, {"losses", "contrast"}},
        {"losses", "cosent", WL_ERROR_ARGUMENT, {"cosent", "scores"}},
        {"losses", "distill_cosine", WL_ERROR_ARGUMENT, {"distill_cosine", "targets"}},
        {"losses", "[{\"kind\": \"cosent\", \"learn_scale\": true}]", WL_ERROR_ARGUMENT, {"scale of cosent", ""}},
        {"mask_by_teacher", "true", WL_ERROR_ARGUMENT, {"mask_by_teacher", "targets"}},
        {"norm_power", "-0.2", WL_ERROR_ARGUMENT, {"norm_power", "kind table"}},
        {"mix", "1", WL_ERROR_ARGUMENT, {"mix is 1", "kind table"}},
        {"kind", "rotation", WL_ERROR_ARGUMENT, {"dim is 12", "rotation"}},
        {"name", "a/b", WL_ERROR_ARGUMENT, {"name", "a/b"}},
        {"name", "log.jsonl", WL_ERROR_ARGUMENT, {"name", "another file"}},
        {"log", "$triplets.safetensors", WL_ERROR_ARGUMENT, {"would be written over", ""}},
        {"dim", "13", WL_ERROR_ARGUMENT, {"dim is 13", "matryoshka is 12"}},
        {"evaluation", "$missing", WL_ERROR_NOT_FOUND, {"", ""}},
        {"evaluation", "$sets", WL_ERROR_NOT_FOUND, {"", ""}}, /* it has no stsb-dev */
        {"data",
         "[{\"path\": \"$triplets.safetensors\", \"targets\": \"$short.npy\"}]",
         WL_ERROR_MISMATCH,
         {"has 599 targets", "has 600 texts"}},
    };
    put_bad_files();
    run_settings usual = make_run("good", "triplets.safetensors");
    set(&usual, "tokenizer", "$tokenizer.json");
    CHECK_THAT(!train(&usual, NULL), "%s", error.message);
    CHECK(link(in_root("good/model_12.safetensors"), in_root("kept-model")) == 0);
    CHECK(link(in_root("good/checkpoint.safetensors"), in_root("kept-checkpoint")) == 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_settings settings = usual;
        set(&settings, cases[i].name, cases[i].value);
        /* A run that begins takes the place of the one before. */
        if (cases[i].status == WL_ERROR_FORMAT) set(&settings, "output", "$begun");
        wl_status status = train(&settings, NULL);
        CHECK_THAT(status == cases[i].status && strstr(error.message, cases[i].parts[0]) &&
                       strstr(error.message, cases[i].parts[1]) && *error.message,
                   "%s %s: %s: %s %s", cases[i].name, cases[i].value, wl_status_name(status), error.file,
                   error.message);
    }
    CHECK(wl_same_file(in_root("good/model_12.safetensors"), in_root("kept-model")));
    CHECK(wl_same_file(in_root("good/checkpoint.safetensors"), in_root("kept-checkpoint")));
}

/* The same from a file: the place is named. */
static void test_config_file(void)
{
    static const struct {
        const char *line;
        const char *parts[2];
    } cases[] = {
        {"\"batch\": 16", {"batch", "batch_size"}},
        {"\"matryoska\": [6]", {"matryoska", "matryoshka"}},
        {"\"clip\": \"one\"", {"clip", ""}},
        {"\"steps\": -1", {"steps", ""}},
        {"\"losses\": [{\"kind\": \"contrast\", \"wieght\": 2}]", {"wieght", "weight"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "{ // a run\n  \"output\": \"out\",\n  %s\n}\n", cases[i].line);
        put_text("bad.json", text);
        error = (wl_error){0};
        wl_status status = wl_train(in_root("bad.json"), NULL, NULL, &error);
        CHECK_THAT(status == WL_ERROR_FORMAT && strstr(error.file, "bad.json") && error.line == 3 &&
                       strstr(error.message, cases[i].parts[0]) && strstr(error.message, cases[i].parts[1]),
                   "%s: %s: line %d: %s", cases[i].line, wl_status_name(status), (int)error.line, error.message);
    }
    put_text("good.json", "{\"output\": \"from-file\", \"codebook\": \"codebook.safetensors\", \"data\": "
                          "[\"triplets.jsonl\"], \"steps\": 2, \"batch_size\": 8, /* all else as usual */ }");
    wl_trained trained;
    CHECK_THAT(!wl_train(in_root("good.json"), NULL, &trained, &error) && trained.steps == 2, "%s", error.message);
    CHECK_THAT(wl_same_file(trained.model, in_root("from-file/model_24.safetensors")), "%s", trained.model);
}

/* ---- allocations that fail --------------------------------------------------------------------------------------- */

/* With texts to prepare, sets, averages, a scale, targets; then from its checkpoint. */
static void test_faults(void)
{
    if (!fault_available()) return;
    static const char *const rest[][2] = {
        {"data", "$few.jsonl"},
        {"evaluation", "$sets"},
        {"evaluation_only", ""},
        {"average", "0.5"},
        {"losses", "[{\"kind\": \"contrast\", \"learn_scale\": true}]"},
        {"steps", "2"},
        {"binarizer", "ste"},
    };
    put_records("few.jsonl", 20, 3, false, 6);
    run_settings settings = make_run("faults", "few.jsonl");
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) set(&settings, rest[i][0], rest[i][1]);
    for (int resume = 0; resume < 2; resume++) {
        size_t nth = 1;
        for (;; nth++) {
            wl_train_options options = options_of(&settings);
            options.resume = resume;
            error = (wl_error){0};
            fault_begin(nth);
            wl_status status = wl_train(NULL, &options, NULL, &error);
            if (!fault_end()) {
                CHECK_THAT(!status, "%s", error.message);
                break;
            }
            CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %s %s", nth, wl_status_name(status), error.message);
        }
        CHECK_THAT(nth > 100, "%zu allocations", nth);
    }
}

int main(void)
{
    test_reference();
    if (!put_inputs()) return EXIT_FAILURE;
    put_targets("targets.npy", "triplets.safetensors", 12, false, 0);
    put_targets("scaled.npy", "triplets.safetensors", 12, true, 0);
    test_losses();
    test_rotation();
    test_mix();
    test_average();
    test_scaled_targets();
    test_few_rows();
    test_empty_sides();
    test_bad_input();
    test_config_file();
    test_faults();
    remove_root();
    return test_end();
}
