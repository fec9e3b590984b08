/* Codebooks seen from inside, and models made of them without training: against NumPy and scikit-learn
 * (tools/golden_codebook.py), plain loops, and spectra that are known. */
#include <math.h>

#include "codebooks.h"
#include "fault.h"

enum { ROWS = 90, DIM = 12, KEPT = 4, MOST = 400 };

/* ---- golden ------------------------------------------------------------------------------------------------------ */

/* The numbers behind a name in tests/golden/codebook.txt; how many. */
static size_t golden(const char *name, double *out)
{
    static const char path[] = WL_TEST_DATA "/golden/codebook.txt";
    FILE *file = fopen(path, "r");
    char word[64];
    size_t count = 0, found = 0;
    CHECK(file != NULL);
    while (file && !found && fscanf(file, "%63s %zu", word, &count) == 2)
        for (size_t i = 0; i < count && i < MOST; i++) {
            double number;
            if (fscanf(file, "%lf", &number) != 1) break;
            if (strcmp(word, name) == 0) out[found++] = number;
        }
    if (file) fclose(file);
    CHECK_THAT(found > 0, "no %s in %s", name, path);
    return found;
}

static bool near(double found, double expected, double tolerance)
{
    return fabs(found - expected) <= tolerance * fmax(1, fabs(expected));
}

static void make_golden(void)
{
    float rows[ROWS * DIM];
    for (size_t i = 0; i < ROWS * DIM; i++) rows[i] = codebook_number(i / DIM, i % DIM, DIM);
    put_table("golden.safetensors", rows, ROWS, DIM, WL_STORE_F16);
    put_words("golden.tokenizer.json", ROWS, 0);
}

static void test_golden(void)
{
    double numbers[MOST];
    wl_error error = {0};
    wl_inspection found;
    wl_codebook *codebook = wl_codebook_open(in_root("golden.safetensors"), NULL, &error);
    CHECK_THAT(codebook && !wl_codebook_inspect(codebook, NULL, &found, &error), "%s", error.message);
    if (!codebook) return;
    golden("moments", numbers);
    CHECK(near(found.mean, numbers[0], 1e-11) && near(found.deviation, numbers[1], 1e-11));
    CHECK(near(found.norm_mean, numbers[2], 1e-7) && near(found.center_norm, numbers[3], 1e-11));
    golden("cosine", numbers);
    CHECK_THAT(near(found.cosine, numbers[0], 1e-11), "%.12g", found.cosine);
    golden("partition", numbers);
    CHECK_THAT(near(found.partition, numbers[0], 1e-6), "%.12g", found.partition);
    CHECK(golden("singular", numbers) == DIM && found.singular_count == DIM && found.exact);
    for (size_t i = 0; i < DIM; i++)
        CHECK_THAT(near(found.singular[i], numbers[i], 1e-7), "%zu: %.12g", i, found.singular[i]);
    golden("rank", numbers);
    CHECK(near(found.effective_rank.low, numbers[0], 1e-6) && found.effective_rank.low == found.effective_rank.high);
    CHECK(near(found.participation.low, numbers[1], 1e-6) && found.participation.low == found.participation.high);
    golden("components", numbers);
    for (size_t i = 0; i < WL_VARIANCE_SHARES; i++) CHECK((double)found.components[i] == numbers[i]);
    CHECK(found.zeros == 0 && found.small_count == 0);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
}

/* The table that wl_reduce writes; to be freed. */
static float *reduced(const char *name, const char *out, const wl_reduce_options *options, wl_reduced *result)
{
    wl_error error = {0};
    size_t rows = 0, dim = 0;
    wl_codebook *codebook = wl_codebook_open(in_root(name), NULL, &error);
    wl_status status = codebook ? wl_reduce(codebook, in_root(out), options, result, &error) : error.code;
    CHECK_THAT(!status, "%s: %s", name, error.message);
    wl_codebook_close(codebook);
    float *table = status ? NULL : read_table(in_root(out), &rows, &dim);
    CHECK(table && rows == result->rows && dim == result->dim);
    return table;
}

static void test_golden_model(void)
{
    double pca[MOST], sif[MOST];
    wl_reduce_options options = {.size = sizeof options, .dim = KEPT, .stored_as = WL_STORE_F32};
    wl_reduced result, other;
    CHECK(golden("pca", pca) == ROWS * KEPT && golden("sif", sif) == ROWS);
    options.weighting = WL_WEIGHT_NONE;
    float *table = reduced("golden.safetensors", "pca.safetensors", &options, &result);
    for (size_t i = 0; table && i < ROWS * KEPT; i++)
        CHECK_THAT(near((double)table[i], pca[i], 2e-6), "%zu: %g, %g", i, (double)table[i], pca[i]);
    CHECK(result.sif == 0 && result.removed == 0 && result.kept > 0.6 && result.kept < 0.8);
    free(table);
    options.weighting = WL_WEIGHT_SIF;
    table = reduced("golden.safetensors", "sif.safetensors", &options, &other);
    for (size_t i = 0; table && i < ROWS * KEPT; i++) CHECK(near((double)table[i], pca[i] * sif[i / KEPT], 2e-6));
    CHECK(other.sif == 1e-4 && other.kept == result.kept);
    free(table);
    options.weighting = WL_WEIGHT_ZIPF;
    table = reduced("golden.safetensors", "zipf.safetensors", &options, &other);
    for (size_t i = 0; table && i < ROWS * KEPT; i++)
        CHECK(near((double)table[i], pca[i] * log(1 + (double)(i / KEPT)), 2e-6));
    free(table);
    /* Counted tokens: p is the count's part of all. */
    uint64_t counts[ROWS] = {[3] = 6, [5] = 2};
    options.weighting = WL_WEIGHT_SIF, options.counts = counts;
    table = reduced("golden.safetensors", "counted.safetensors", &options, &other);
    for (size_t i = 0; table && i < ROWS * KEPT; i++)
        CHECK(near((double)table[i], pca[i] * 1e-3 / (1e-3 + (double)counts[i / KEPT] / 8), 2e-6));
    CHECK(other.sif == 1e-3);
    free(table);
    /* Without the first component the others follow, in their order. */
    options = (wl_reduce_options){
        .size = sizeof options, .dim = KEPT - 1, .remove = 1, .stored_as = WL_STORE_F32, .weighting = WL_WEIGHT_NONE};
    table = reduced("golden.safetensors", "removed.safetensors", &options, &other);
    double ratio = table ? (double)table[0] / pca[1] : 0;
    CHECK(ratio > 1 && near(other.kept + other.removed, result.kept, 1e-12) && other.removed > 0.1);
    for (size_t i = 0; table && i < ROWS * (KEPT - 1); i++)
        CHECK(near((double)table[i], ratio * pca[i / (KEPT - 1) * KEPT + i % (KEPT - 1) + 1], 1e-5));
    free(table);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

/* Zero rows, small ones, equal ones; the average cosine by all pairs. */
static void test_rows(void)
{
    enum { COUNT = 40, WIDE = 6 };
    float *rows = random_rows((size_t)COUNT * WIDE, 3);
    for (size_t j = 0; j < WIDE; j++) {
        rows[2 * WIDE + j] = rows[9 * WIDE + j] = 0;
        rows[5 * WIDE + j] *= 1e-3f;
        rows[7 * WIDE + j] = rows[30 * WIDE + j] = rows[39 * WIDE + j] = rows[1 * WIDE + j];
        rows[31 * WIDE + j] = rows[8 * WIDE + j];
    }
    put_table("rows.safetensors", rows, COUNT, WIDE, WL_STORE_F32);
    wl_error error = {0};
    wl_inspection found;
    wl_codebook *codebook = wl_codebook_open(in_root("rows.safetensors"), in_root("golden.tokenizer.json"), &error);
    CHECK(codebook && !wl_codebook_inspect(codebook, NULL, &found, &error));
    if (!codebook) return;
    double sum = 0, pairs = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t j = 0; j < COUNT; j++) {
            double zero = wl_vector_dot(WL_ELEMENT_F32, rows + i * WIDE, rows + i * WIDE, WIDE) *
                          wl_vector_dot(WL_ELEMENT_F32, rows + j * WIDE, rows + j * WIDE, WIDE);
            if (i == j || zero == 0) continue;
            sum += wl_vector_cosine(WL_ELEMENT_F32, rows + i * WIDE, rows + j * WIDE, WIDE);
            pairs++;
        }
    CHECK_THAT(near(found.cosine, sum / pairs, 1e-12), "%.15g, %.15g", found.cosine, sum / pairs);
    static const uint32_t small[] = {2, 5, 9};
    static const wl_row_copy copies[] = {{7, 1}, {30, 1}, {31, 8}, {39, 1}};
    CHECK(found.zeros == 2 && found.small_count == 3 && memcmp(found.small, small, sizeof small) == 0);
    CHECK(found.copy_count == 4);
    for (size_t i = 0; i < 4 && found.copy_count == 4; i++)
        CHECK(found.copies[i].row == copies[i].row && found.copies[i].first == copies[i].first);
    CHECK(found.norm_quantiles[0] == 0);
    for (size_t i = 1; i < WL_NORM_QUANTILES; i++) CHECK(found.norm_quantiles[i] >= found.norm_quantiles[i - 1]);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
    free(rows);
}

/* All rows equal: nothing differs, nothing is divided by zero. */
static void test_equal_rows(void)
{
    float rows[20 * 4];
    for (size_t i = 0; i < 20 * 4; i++) rows[i] = (float)(i % 4 + 1);
    put_table("equal.safetensors", rows, 20, 4, WL_STORE_F16);
    put_words("equal.tokenizer.json", 20, 0);
    wl_error error = {0};
    wl_inspection found;
    wl_codebook *codebook = wl_codebook_open(in_root("equal.safetensors"), NULL, &error);
    CHECK(codebook && !wl_codebook_inspect(codebook, NULL, &found, &error));
    CHECK(near(found.cosine, 1, 1e-12) && found.copy_count == 19 && found.effective_rank.high == 0 &&
          found.participation.high == 0 && found.components[0] == 0 && isfinite(found.partition));
    CHECK(wl_reduce(codebook, in_root("no.safetensors"), NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK_THAT(strstr(error.message, "do not differ") != NULL, "%s", error.message);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
}

/* ---- spectrum ---------------------------------------------------------------------------------------------------- */

enum { TALL = 300, WIDE = 2200, PARTS = 60 };

static double cosine_basis(size_t k, size_t i, size_t size)
{
    return sqrt(2.0 / (double)size) * cos(3.141592653589793 * (double)k * ((double)i + 0.5) / (double)size);
}

static double known_value(size_t k)
{
    return 20 * exp(-0.15 * (double)k);
}

/* A table with known singular values: both sides are columns of the discrete cosine transform, without the constant
 * one, so that the mean row is zero but for `mean`. */
static void put_known(const char *name, float mean)
{
    double *rows = calloc((size_t)TALL * WIDE, sizeof *rows);
    float *floats = malloc((size_t)TALL * WIDE * sizeof *floats);
    for (size_t k = 0; k < PARTS; k++)
        for (size_t i = 0; i < TALL; i++) {
            double left = known_value(k) * cosine_basis(k + 1, i, TALL);
            for (size_t j = 0; j < WIDE; j++) rows[i * WIDE + j] += left * cosine_basis(2 * k + 3, j, WIDE);
        }
    for (size_t i = 0; i < (size_t)TALL * WIDE; i++) floats[i] = (float)rows[i] + mean;
    put_table(name, floats, TALL, WIDE, WL_STORE_F32);
    free(rows);
    free(floats);
}

static void test_known_spectrum(void)
{
    enum { RANK = 40 };
    put_known("known.safetensors", 0.25f);
    put_words("known.tokenizer.json", TALL, 0);
    wl_inspect_options options = {.size = sizeof options, .rank = RANK, .threads = 2};
    wl_inspection found, other;
    wl_error error = {0};
    wl_codebook *codebook = wl_codebook_open(in_root("known.safetensors"), NULL, &error);
    CHECK(codebook && !wl_codebook_inspect(codebook, &options, &found, &error));
    if (!codebook) return;
    CHECK(!found.exact && found.singular_count == RANK);
    double energy = 0, values = 0, logs = 0, fourths = 0;
    for (size_t k = 0; k < PARTS; k++) {
        double value = known_value(k);
        if (k < RANK)
            CHECK_THAT(fabs(found.singular[k] / value - 1) < 1e-4, "%zu: %.9g, %.9g", k, found.singular[k], value);
        energy += value * value;
        values += value;
        logs += value * log(value);
        fourths += pow(value, 4);
    }
    CHECK_THAT(near(found.energy, energy, 1e-6), "%.9g, %.9g", found.energy, energy);
    double rank = exp(log(values) - logs / values), participation = energy * energy / fourths;
    CHECK_THAT(found.effective_rank.low < rank && rank < found.effective_rank.high, "%g to %g: %g",
               found.effective_rank.low, found.effective_rank.high, rank);
    CHECK(found.participation.low <= participation * 1.00001 && participation <= found.participation.high * 1.00001);
    CHECK(found.components[1] > found.components[0] && found.components[0] > 0);
    /* The same bits for any number of threads, others for another seed. */
    options.threads = 1;
    CHECK(!wl_codebook_inspect(codebook, &options, &other, &error));
    CHECK(memcmp(found.singular, other.singular, RANK * sizeof(double)) == 0 && found.partition == other.partition &&
          memcmp(found.norms, other.norms, TALL * sizeof(float)) == 0 && found.cosine == other.cosine);
    wl_inspection_free(&other);
    options.seed = 1;
    CHECK(!wl_codebook_inspect(codebook, &options, &other, &error));
    CHECK(memcmp(found.singular, other.singular, RANK * sizeof(double)) != 0);
    CHECK(near(found.singular[0], other.singular[0], 1e-6));
    wl_inspection_free(&other);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
}

/* The randomized way finds the directions, too: the model's columns are the known ones, in their sign or the other. */
static void test_known_model(void)
{
    enum { MODEL = 10 };
    wl_reduce_options options = {
        .size = sizeof options, .dim = MODEL, .stored_as = WL_STORE_F32, .weighting = WL_WEIGHT_NONE, .threads = 2};
    wl_reduced result;
    float *table = reduced("known.safetensors", "known_model.safetensors", &options, &result);
    double scale = 0;
    for (size_t k = 0; k < MODEL; k++) scale += known_value(k) * known_value(k);
    scale = sqrt(TALL * MODEL / scale);
    for (size_t k = 0; table && k < MODEL; k++) {
        double sign = (double)table[k] * cosine_basis(k + 1, 0, TALL) > 0 ? 1 : -1, worst = 0;
        for (size_t i = 0; i < TALL; i++)
            worst = fmax(worst, fabs((double)table[i * MODEL + k] -
                                     sign * scale * known_value(k) * cosine_basis(k + 1, i, TALL)));
        CHECK_THAT(worst < 1e-3, "column %zu: %g", k, worst);
    }
    free(table);
    options.threads = 1;
    free(reduced("known.safetensors", "known_again.safetensors", &options, &result));
    CHECK(same_files(in_root("known_model.safetensors"), in_root("known_again.safetensors")));
    wl_error error = {0};
    wl_model *model = wl_model_open(in_root("known_model.safetensors"), NULL, &error);
    CHECK_THAT(model && wl_model_describe(model).dim == MODEL, "%s", error.message);
    wl_model_close(model);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

static bool stop(void *user, const char *file, uint64_t done, uint64_t total)
{
    (void)file;
    uint64_t *left = user;
    CHECK(done <= total);
    return (*left)-- > 0;
}

static void test_refused(void)
{
    wl_error error = {0};
    const char *path = in_root("refused.safetensors");
    wl_codebook *codebook = wl_codebook_open(in_root("golden.safetensors"), NULL, &error);
    wl_codebook *bare = wl_codebook_open(in_root("golden.safetensors"), in_root("small.tokenizer.json"), &error);
    CHECK(codebook && !bare && error.code == WL_ERROR_NOT_FOUND);
    static const uint64_t uncounted[ROWS] = {0};
    static const struct {
        wl_reduce_options options;
        const char *message;
    } bad[] = {
        {{.dim = DIM + 1}, "13 dimensions are wanted"},
        {{.dim = DIM, .remove = 1}, "less 1 components"},
        {{.remove = DIM}, "12 components are to be removed of 12"},
        {{.weighting = (wl_weighting)5}, "weighting"},
        {{.sif = -1}, "sif"},
        {{.sif = NAN}, "sif"},
        {{.counts = uncounted}, "no token was counted"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wl_reduce_options options = bad[i].options;
        options.size = sizeof options;
        CHECK(wl_reduce(codebook, path, &options, NULL, &error) == WL_ERROR_ARGUMENT);
        CHECK_THAT(strstr(error.message, bad[i].message) != NULL, "%zu: %s", i, error.message);
    }
    CHECK(wl_reduce(codebook, in_root("golden.safetensors"), NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_reduce(codebook, in_root("no/x"), NULL, NULL, &error) == WL_ERROR_NOT_FOUND);
    CHECK(wl_reduce(NULL, path, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_reduce(codebook, NULL, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_codebook_inspect(codebook, NULL, NULL, &error) == WL_ERROR_ARGUMENT);
    /* Each call of progress may be the last: three passes, one call each. */
    for (uint64_t calls = 0; calls < 3; calls++) {
        uint64_t left = calls;
        wl_reduce_options options = {.size = sizeof options, .progress = stop, .user = &left};
        CHECK(wl_reduce(codebook, path, &options, NULL, &error) == WL_ERROR_CANCELLED);
        wl_inspect_options looks = {.size = sizeof looks, .progress = stop, .user = &left};
        wl_inspection found;
        left = calls;
        CHECK(wl_codebook_inspect(codebook, &looks, &found, &error) == WL_ERROR_CANCELLED);
        wl_inspection_free(&found);
    }
    CHECK(!wl_path_exists(path));
    wl_codebook_close(codebook);
}

/* Rows without a token are left out; a tokenizer of quite another size is refused. */
static void test_padding(void)
{
    float *rows = random_rows(50 * 3, 8);
    put_table("padded.safetensors", rows, 50, 3, WL_STORE_F16);
    put_words("padded.tokenizer.json", 45, 2);
    free(rows);
    wl_reduced result;
    free(reduced("padded.safetensors", "unpadded.safetensors", NULL, &result));
    CHECK(result.rows == 47 && result.dim == 3);
    put_words("large.tokenizer.json", 1075, 0);
    wl_error error = {0};
    wl_codebook *codebook = wl_codebook_open(in_root("padded.safetensors"), in_root("large.tokenizer.json"), &error);
    CHECK(codebook && wl_reduce(codebook, in_root("x.safetensors"), NULL, NULL, &error) == WL_ERROR_MISMATCH);
    wl_codebook_close(codebook);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static wl_status inspect_and_reduce(const char *source, const char *path, wl_error *error)
{
    wl_inspect_options looks = {.size = sizeof looks, .rank = 3, .threads = 1};
    wl_reduce_options options = {.size = sizeof options, .dim = 2, .threads = 1};
    wl_inspection found = {0};
    wl_match matches[3];
    size_t count;
    wl_codebook *codebook = wl_codebook_open(source, NULL, error);
    wl_status status = codebook ? wl_codebook_inspect(codebook, &looks, &found, error) : error->code;
    if (!status) status = wl_codebook_neighbours(codebook, 0, 3, 1, matches, &count, error);
    if (!status) status = wl_reduce(codebook, path, &options, NULL, error);
    wl_inspection_free(&found);
    wl_codebook_close(codebook);
    return status;
}

static void test_faults(const char *name)
{
    char source[256], path[256], expected[256];
    snprintf(source, sizeof source, "%s", in_root(name));
    snprintf(path, sizeof path, "%s", in_root("faulty.safetensors"));
    snprintf(expected, sizeof expected, "%s", in_root("faultless.safetensors"));
    wl_error error = {0};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    CHECK(!inspect_and_reduce(source, expected, &error));
    size_t nth = 1;
    for (;; nth++) {
        unlink(path);
        error.code = WL_OK;
        fault_begin(nth);
        wl_status status = inspect_and_reduce(source, path, &error);
        if (!fault_end()) {
            CHECK_THAT(!status, "%s", error.message);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY || !status, "allocation %zu: %s", nth, error.message);
        CHECK(status ? !wl_path_exists(path) : same_files(path, expected));
    }
    CHECK_THAT(nth > 50, "%zu allocations", nth);
    printf("%s: %zu allocations made to fail\n", name, nth - 1);
}

int main(void)
{
    if (!mkdtemp(codebook_root)) return EXIT_FAILURE;
    make_golden();
    test_golden();
    test_golden_model();
    test_rows();
    test_equal_rows();
    test_known_spectrum();
    test_known_model();
    test_refused();
    test_padding();
    test_faults("golden.safetensors");
    float *rows = random_rows((size_t)8 * 2100, 4); /* wide enough for the randomized way */
    put_table("wide.safetensors", rows, 8, 2100, WL_STORE_F16);
    put_words("wide.tokenizer.json", 8, 0);
    free(rows);
    test_faults("wide.safetensors");
    remove_root();
    return test_end();
}
