/* Target vectors: .npy and safetensors files with rows of numbers, damaged ones too, and what several teachers make
 * together, against NumPy. */
#define _XOPEN_SOURCE 700
#include <inttypes.h>
#include <math.h>

#include "fault.h"
#include "files.h"
#include "format/half.h"
#include "format/npy.h"
#include "format/npy_read.h"
#include "format/safetensors_write.h"
#include "test.h"
#include "train/targets.h"

static uint64_t state = 1;

static uint32_t random_bits(void)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33);
}

static float *read_floats(FILE *file, size_t count)
{
    float *numbers = malloc((count + 1) * sizeof *numbers);
    for (size_t i = 0; numbers && i < count; i++)
        if (fscanf(file, "%f", &numbers[i]) != 1) exit(EXIT_FAILURE);
    return numbers;
}

/* A .npy of floats. */
static const char *put_array(const char *name, const float *rows, size_t count, size_t dim)
{
    size_t bytes = count * dim * sizeof *rows;
    char *data = malloc(WL_NPY_HEADER + bytes);
    wl_npy_header(data, "<f4", count, dim);
    memcpy(data + WL_NPY_HEADER, rows, bytes);
    const char *path = files_write(name, data, WL_NPY_HEADER + bytes);
    free(data);
    return path;
}

/* All rows of a file, (rows, dim), to be freed; NULL where it cannot be opened. */
static float *read_all(const char *path, const char *tensor, size_t *rows, size_t *dim)
{
    wl_error error = {0};
    wl_targets *targets = wl_targets_open(path, tensor, &error);
    CHECK_THAT(targets, "%s: %s", path, error.message);
    if (!targets) return NULL;
    *rows = wl_targets_rows(targets);
    *dim = wl_targets_dim(targets);
    float *out = malloc(*rows * *dim * sizeof *out);
    for (uint64_t row = 0; row < *rows; row++) wl_targets_read(targets, &row, 1, out + row * *dim);
    wl_targets_close(targets);
    return out;
}

/* ---- .npy -------------------------------------------------------------------------------------------------------- */

static char *read_hex(FILE *file, size_t size)
{
    char *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        if (fscanf(file, "%2x", &byte) != 1) exit(EXIT_FAILURE);
        bytes[i] = (char)byte;
    }
    return bytes;
}

/* Cut anywhere it is an error; with a byte changed it is one, or another array of as many bytes. */
static void check_damage(const char *bytes, size_t size)
{
    wl_npy_array array;
    wl_error error;
    for (size_t cut = 0; cut < size; cut++) {
        char *part = malloc(cut + 1), *exact = realloc(part, cut ? cut : 1); /* for the sanitizer: nothing behind it */
        memcpy(exact, bytes, cut);
        CHECK_THAT(wl_npy_read(exact, cut, "cut.npy", &array, &error) == WL_ERROR_FORMAT, "%zu of %zu", cut, size);
        CHECK(strcmp(error.file, "cut.npy") == 0 && error.byte <= cut);
        free(exact);
    }
    char *changed = malloc(size);
    size_t failed = 0;
    for (size_t i = 0; i < 4000; i++) {
        memcpy(changed, bytes, size);
        changed[random_bits() % size] = (char)random_bits();
        changed[random_bits() % 96] = (char)random_bits();
        if (wl_npy_read(changed, size, "changed.npy", &array, &error) == WL_OK)
            CHECK(array.offset + array.rows * array.columns * wl_dtype_size(array.dtype) == size);
        else
            failed++;
    }
    CHECK_THAT(failed > 2000 && failed < 4000, "%zu", failed);
    free(changed);
}

static void check_array(FILE *file, size_t number)
{
    size_t rows, columns, size, found_rows, found_columns;
    if (fscanf(file, "%zu %zu %zu", &rows, &columns, &size) != 3) exit(EXIT_FAILURE);
    char *bytes = read_hex(file, size);
    float *expected = read_floats(file, rows * columns);
    float *found = read_all(files_write("array.npy", bytes, size), NULL, &found_rows, &found_columns);
    CHECK(found && found_rows == rows && found_columns == columns);
    if (found) CHECK(memcmp(found, expected, rows * columns * sizeof *found) == 0);
    if (number < 4) check_damage(bytes, size);
    free(bytes);
    free(expected);
    free(found);
}

static void test_headers(void)
{
    static const struct {
        const char *header;
        wl_status status; /* of an array of 6 floats */
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", WL_OK},
        {"{\"shape\":(3,2),\"fortran_order\":False,\"descr\":\"<f4\"}", WL_OK},
        {"  { 'descr' : '<f4' , 'shape' : ( 6 , 1 , ) , 'fortran_order' : False } \n", WL_OK},
        {"", WL_ERROR_FORMAT},
        {"{", WL_ERROR_FORMAT},
        {"{}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)} x", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2, 3)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), 'more': 1}", WL_ERROR_FORMAT},
        {"{'descr' '<f4', 'fortran_order': False, 'shape': (2, 3)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4, 'fortran_order': False, 'shape': (2, 3)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4", WL_ERROR_FORMAT},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (3, 1)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2, 3)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': ()}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3)}", WL_ERROR_UNSUPPORTED},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3)}", WL_ERROR_FORMAT},
        /* 2^62 + 6 numbers of 4 bytes are 6, modulo 2^64 */
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387910, 1)}", WL_ERROR_FORMAT},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 1)}", WL_ERROR_FORMAT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t length = strlen(cases[i].header), size = 10 + length + 6 * sizeof(float);
        char *bytes = calloc(size, 1);
        memcpy(bytes, "\x93NUMPY\x01", 8);
        bytes[8] = (char)length;
        memcpy(bytes + 10, cases[i].header, length);
        wl_npy_array array;
        wl_error error = {0};
        wl_status status = wl_npy_read(bytes, size, "some.npy", &array, &error);
        CHECK_THAT(status == cases[i].status, "%s: %d, %s", cases[i].header, (int)status, error.message);
        if (status) CHECK(error.code == status && strcmp(error.file, "some.npy") == 0 && error.byte <= size);
        if (!status) CHECK(array.rows * array.columns == 6 && array.offset == 10 + length && array.dtype == WL_F32);
        bytes[6] = 4;
        CHECK(wl_npy_read(bytes, size, "some.npy", &array, &error) == WL_ERROR_UNSUPPORTED);
        bytes[6] = 1;
        bytes[7] = 1;
        CHECK(wl_npy_read(bytes, size, "some.npy", &array, &error) == WL_ERROR_UNSUPPORTED);
        free(bytes);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static const char *put_tensors(const char *name, wl_tensor *tensors, size_t count)
{
    wl_buffer header = {0};
    wl_error error;
    const char *path = files_path(name);
    for (size_t i = 0; i < count; i++) {
        tensors[i].count = 1;
        for (uint32_t j = 0; j < tensors[i].rank; j++) tensors[i].count *= tensors[i].shape[j];
        tensors[i].bytes = (size_t)tensors[i].count * wl_dtype_size(tensors[i].dtype);
    }
    CHECK(wl_safetensors_header(tensors, count, NULL, 0, &header, &error) == WL_OK);
    CHECK(wl_safetensors_write(path, &header, tensors, count, &error) == WL_OK);
    wl_buffer_free(&header);
    return path;
}

static wl_status open_status(const char *path, const char *tensor, wl_error *error)
{
    wl_targets *targets = wl_targets_open(path, tensor, error);
    wl_targets_close(targets);
    return targets ? WL_OK : error->code;
}

static void test_tensors(void)
{
    float numbers[6] = {0.5f, -1, 2, 0.25f, 3, -8};
    uint16_t halves[6], shorts[6];
    char one[] = "one", two[] = "two", three[] = "three", four[] = "four";
    wl_f32_to_f16_array(numbers, 6, halves);
    wl_f32_to_bf16_array(numbers, 6, shorts);
    wl_tensor tensors[] = {
        {.name = one, .dtype = WL_F32, .rank = 2, .shape = {2, 3}, .data = (const char *)numbers},
        {.name = two, .dtype = WL_F16, .rank = 2, .shape = {2, 3}, .data = (const char *)halves},
        {.name = three, .dtype = WL_BF16, .rank = 2, .shape = {2, 3}, .data = (const char *)shorts},
        {.name = four, .dtype = WL_F32, .rank = 1, .shape = {6}, .data = (const char *)numbers},
    };
    const char *path = put_tensors("several.safetensors", tensors, 4);
    const char *const names[] = {"one", "two", "three"};
    wl_error error = {0};
    for (size_t i = 0; i < 3; i++) {
        size_t rows, dim;
        float *found = read_all(path, names[i], &rows, &dim);
        CHECK(found && rows == 2 && dim == 3 && memcmp(found, numbers, sizeof numbers) == 0);
        free(found);
    }
    CHECK(open_status(path, "four", &error) == WL_ERROR_UNSUPPORTED && strstr(error.message, "four"));
    CHECK(open_status(path, "five", &error) == WL_ERROR_NOT_FOUND && strstr(error.message, "five"));
    CHECK(open_status(path, NULL, &error) == WL_ERROR_ARGUMENT && strstr(error.message, "3 tensors"));
    CHECK(strcmp(error.file, path) == 0);

    wl_tensor pair[] = {
        {.name = four, .dtype = WL_F32, .rank = 1, .shape = {6}, .data = (const char *)numbers},
        {.name = two, .dtype = WL_F16, .rank = 2, .shape = {2, 3}, .data = (const char *)halves},
    };
    CHECK(open_status(put_tensors("pair.safetensors", pair, 2), NULL, &error) == WL_OK);
    wl_tensor whole = {.name = one, .dtype = WL_I32, .rank = 2, .shape = {2, 3}, .data = (const char *)numbers};
    CHECK(open_status(put_tensors("whole.safetensors", &whole, 1), NULL, &error) == WL_ERROR_UNSUPPORTED);
    wl_tensor empty = {.name = one, .dtype = WL_F32, .rank = 2, .shape = {0, 3}, .data = (const char *)numbers};
    CHECK(open_status(put_tensors("empty.safetensors", &empty, 1), NULL, &error) == WL_ERROR_FORMAT);
    CHECK(open_status(put_array("named.npy", numbers, 2, 3), "one", &error) == WL_ERROR_NOT_FOUND);
    CHECK(open_status(put_array("no_rows.npy", numbers, 0, 3), NULL, &error) == WL_ERROR_FORMAT);
    CHECK(open_status(files_put("text.npy", "0.5 1.5\n"), NULL, &error) == WL_ERROR_FORMAT);
    CHECK(open_status(files_put("nothing.npy", ""), NULL, &error) == WL_ERROR_FORMAT);
    CHECK(open_status(files_path("missing.npy"), NULL, &error) == WL_ERROR_NOT_FOUND);
    wl_targets_close(NULL);

    wl_targets *targets = wl_targets_open(put_array("rows.npy", numbers, 3, 2), NULL, &error);
    const uint64_t rows[] = {2, 0, 2};
    float found[6];
    CHECK(targets);
    if (targets) wl_targets_read(targets, rows, 3, found);
    CHECK(found[0] == 3 && found[1] == -8 && found[2] == 0.5f && found[3] == -1 && found[4] == 3 && found[5] == -8);
    wl_targets_close(targets);
}

/* ---- several teachers -------------------------------------------------------------------------------------------- */

enum { MOST_TEACHERS = 3 };

static void check_targets(FILE *file)
{
    static const char *const names[MOST_TEACHERS] = {"first.npy", "second.npy", "third.npy"};
    wl_teacher teachers[MOST_TEACHERS] = {{0}};
    wl_targets_options options = {.size = sizeof options};
    size_t count, rows, width, found_rows, found_dim;
    int centre;
    if (fscanf(file, "%zu %zu %u %lf %d %zu", &count, &rows, &options.dim, &options.whitening, &centre, &width) != 6)
        exit(EXIT_FAILURE);
    options.centre = centre;
    for (size_t i = 0; i < count; i++) {
        size_t columns;
        if (fscanf(file, "%lf %zu", &teachers[i].weight, &columns) != 2) exit(EXIT_FAILURE);
        float *numbers = read_floats(file, rows * columns);
        teachers[i].path = put_array(names[i], numbers, rows, columns);
        free(numbers);
    }
    size_t dim = options.dim ? options.dim : width;
    float *expected = read_floats(file, rows * dim), *first = NULL;
    for (options.threads = 1; options.threads <= 3; options.threads++) {
        const char *path = files_path("targets.safetensors");
        wl_error error = {0};
        CHECK_THAT(wl_make_targets(teachers, count, path, &options, &error) == WL_OK, "%s", error.message);
        float *found = read_all(path, "targets", &found_rows, &found_dim);
        CHECK(found && found_rows == rows && found_dim == dim);
        if (!found) break;
        if (first) CHECK(memcmp(first, found, rows * dim * sizeof *found) == 0);
        double worst = 0;
        for (size_t i = 0; i < rows * dim; i++) worst = fmax(worst, fabs((double)found[i] - (double)expected[i]));
        CHECK_THAT(worst < 2e-6, "%zu teachers to %zu dims: %g", count, dim, worst);
        for (size_t i = 0; i < rows; i++) {
            double square = 0;
            for (size_t k = 0; k < dim; k++) square += (double)found[i * dim + k] * (double)found[i * dim + k];
            CHECK(i == rows / 3 || (count == 1 && i == rows / 2) ? square == 0 : fabs(square - 1) < 1e-6);
        }
        free(first);
        first = found;
    }
    free(first);
    free(expected);
}

static void test_golden(void)
{
    FILE *file = fopen(WL_TEST_DATA "/golden/distill_targets.txt", "r");
    CHECK(file);
    if (!file) return;
    char name[32];
    size_t arrays = 0, cases = 0;
    while (fscanf(file, "%31s", name) == 1) {
        if (strcmp(name, "npy") == 0)
            check_array(file, arrays++);
        else {
            check_targets(file);
            cases++;
        }
    }
    CHECK_THAT(arrays == 6 && cases == 5, "%zu, %zu", arrays, cases);
    fclose(file);
}

/* More rows than a block has; what is written says how it was made; nothing else is left in the folder. */
static void test_blocks(void)
{
    enum { ROWS = 70000, DIM = 20, TO = 4 };
    float *numbers = malloc((size_t)ROWS * DIM * sizeof *numbers);
    for (size_t i = 0; i < (size_t)ROWS * DIM; i++)
        numbers[i] = ((float)(random_bits() % 2001) / 1000 - 1) * (float)(1 + i % DIM);
    wl_teacher teachers[] = {{put_array("deep/er/big.npy", numbers, ROWS, DIM), NULL, 0},
                             {put_array("other.npy", numbers, ROWS, 1), NULL, 0.25}};
    wl_targets_options options = {.size = sizeof options, .dim = TO, .whitening = 0.5, .centre = true};
    const char *path = files_path("deep/blocks.safetensors");
    float *first = NULL;
    for (options.threads = 1; options.threads <= 2; options.threads++) {
        size_t rows, dim;
        wl_error error = {0};
        CHECK_THAT(wl_make_targets(teachers, 2, path, &options, &error) == WL_OK, "%s", error.message);
        float *found = read_all(path, NULL, &rows, &dim);
        CHECK(found && rows == ROWS && dim == TO);
        if (!found) break;
        if (first) CHECK(memcmp(first, found, (size_t)ROWS * TO * sizeof *found) == 0);
        free(first);
        first = found;
    }
    /* Whitened components have equal shares of the unit vectors. */
    for (size_t k = 0; k < TO && first; k++) {
        double sum = 0, square = 0;
        for (size_t i = 0; i < ROWS; i++) {
            sum += (double)first[i * TO + k];
            square += (double)first[i * TO + k] * (double)first[i * TO + k];
        }
        CHECK_THAT(fabs(sum / ROWS) < 0.01 && fabs(square / ROWS - 0.25) < 0.05, "%zu: %g, %g", k, sum / ROWS,
                   square / ROWS);
    }
    wl_safetensors file;
    wl_error error;
    CHECK(wl_safetensors_open(&file, path, &error) == WL_OK);
    static const char *const metadata[][2] = {
        {"teachers", "big.npy,other.npy"}, {"weights", "1,0.25"}, {"dim", "4"},
        {"components", "principal"},       {"whitening", "0.5"},  {"centred", "true"}};
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++) {
        const char *value = wl_safetensors_metadata(&file, metadata[i][0]);
        CHECK_THAT(value && strcmp(value, metadata[i][1]) == 0, "%s: %s", metadata[i][0], value ? value : "nothing");
    }
    wl_safetensors_close(&file);
    free(first);
    free(numbers);
}

static void test_errors(void)
{
    static const float values[] = {1, 2, 3, 4, 5, 7, 8, 1}, equal[] = {1, 2, 1, 2, 2, 4}, nothing[6] = {0};
    static const float broken[] = {1, 2, 3, -INFINITY, 5, 6};
    const char *out = files_path("out/targets.safetensors");
    wl_teacher good = {put_array("out/good.npy", values, 3, 2), NULL, 1};
    wl_teacher longer = {put_array("out/longer.npy", values, 4, 2), NULL, 1};
    wl_teacher bad = {put_array("out/bad.npy", broken, 3, 2), NULL, 1};
    wl_teacher same = {put_array("out/same.npy", equal, 3, 2), NULL, 1};
    wl_teacher zero = {put_array("out/zero.npy", nothing, 3, 2), NULL, 1};
    wl_teacher negative = {good.path, NULL, -1}, missing = {"no such file", NULL, 1}, named = {good.path, "x", 1};
    const struct {
        wl_teacher teachers[2];
        size_t count;
        wl_targets_options options;
        wl_status status;
        const char *file, *text; /* parts of the error */
    } cases[] = {
        {{good, longer}, 2, {.dim = 2}, WL_ERROR_MISMATCH, "longer.npy", "4 rows, expected 3"},
        {{good, bad}, 2, {.dim = 2}, WL_ERROR_FORMAT, "bad.npy", "row 1, column 1 is -inf"},
        {{good, bad}, 2, {0}, WL_ERROR_FORMAT, "bad.npy", "row 1"},
        {{good, good}, 2, {.dim = 5}, WL_ERROR_ARGUMENT, "good.npy", "5 dimensions are wanted"},
        {{same}, 1, {.dim = 1, .centre = true}, WL_ERROR_ARGUMENT, "same.npy", "do not differ"},
        {{zero}, 1, {.dim = 1}, WL_ERROR_ARGUMENT, "zero.npy", "all rows are zero"},
        {{negative}, 1, {0}, WL_ERROR_ARGUMENT, "good.npy", "weight is -1"},
        {{missing}, 1, {0}, WL_ERROR_NOT_FOUND, "no such file", ""},
        {{named}, 1, {0}, WL_ERROR_NOT_FOUND, "good.npy", "\"x\""},
        {{good}, 0, {0}, WL_ERROR_ARGUMENT, "", "no teacher"},
        {{good}, 1, {.dim = 1, .whitening = -1}, WL_ERROR_ARGUMENT, "", "whitening is -1"},
        {{good}, 1, {.dim = 1, .whitening = NAN}, WL_ERROR_ARGUMENT, "", "whitening is"},
        {{good}, 1, {.whitening = 0.5}, WL_ERROR_ARGUMENT, "", "principal components"},
    };
    wl_error error;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        error = (wl_error){0};
        wl_targets_options options = cases[i].options;
        options.size = sizeof options;
        wl_status status = wl_make_targets(cases[i].teachers, cases[i].count, out, &options, &error);
        CHECK_THAT(status == cases[i].status && error.code == status && strstr(error.file, cases[i].file) &&
                       strstr(error.message, cases[i].text),
                   "case %zu: %d, %s: %s", i, (int)status, error.file, error.message);
    }
    wl_targets_options plain = {.size = sizeof plain};
    CHECK(wl_make_targets(&good, 1, good.path, &plain, &error) == WL_ERROR_ARGUMENT);
    CHECK(wl_make_targets(&good, 1, files_path("no/such/folder"), &plain, &error) != WL_OK);
    CHECK(!wl_path_exists(out));
    /* Components that the rows have nothing in are no reason to fail. */
    wl_targets_options options = {.size = sizeof options, .dim = 4, .whitening = 0.5, .centre = true};
    const wl_teacher both[] = {good, same};
    CHECK(wl_make_targets(both, 2, out, &options, &error) == WL_OK);
    size_t rows, dim;
    float *found = read_all(out, NULL, &rows, &dim);
    for (size_t i = 0; found && i < rows * dim; i++) CHECK(fabsf(found[i]) <= 1);
    free(found);
}

static void test_faults(void)
{
    static const float values[] = {1, 2, 3, 4, 5, 7};
    if (!fault_available()) {
        SKIP("failing allocations: linked without --wrap");
        return;
    }
    wl_teacher teachers[] = {{put_array("fault/one.npy", values, 3, 2), NULL, 1},
                             {put_array("fault/two.npy", values, 3, 1), NULL, 1}};
    wl_targets_options options = {.size = sizeof options, .dim = 2, .whitening = 0.5, .centre = true, .threads = 1};
    const char *out = files_path("fault/targets.safetensors");
    for (size_t nth = 1;; nth++) {
        wl_error error = {0};
        fault_begin(nth);
        wl_status status = wl_make_targets(teachers, 2, out, &options, &error);
        if (!fault_end()) {
            CHECK(status == WL_OK && nth > 20);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY && error.code == WL_ERROR_MEMORY, "%zu: %d", nth, (int)status);
        CHECK(!wl_path_exists(out));
    }
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_headers();
    test_golden();
    test_tensors();
    test_blocks();
    test_errors();
    test_faults();
    files_end();
    return test_end();
}
