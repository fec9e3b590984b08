/* Models' tables as they are written: F16, I8 with a scale for each row, what neither can hold, and failures that leave
 * nothing behind. */
#define _XOPEN_SOURCE 700
#include <dirent.h>
#include <math.h>

#include "fault.h"
#include "files.h"
#include "format/half.h"
#include "format/safetensors.h"
#include "test.h"
#include "train/model_write.h"

enum { MOST = 5000 };

static float numbers[MOST];

/* Rows of very different size, one of zeros, one of numbers that a scale can hardly hold. */
static void fill(size_t rows, size_t stride)
{
    uint64_t state = 1;
    for (size_t i = 0; i < rows * stride; i++) {
        static const float sizes[] = {1, 1e-3F, 40, 0, 1e-40F};
        state = state * 6364136223846793005u + 1442695040888963407u;
        numbers[i] = sizes[i / stride % 5] * ((float)(state >> 40) / (float)(1 << 23) - 1);
    }
}

static wl_status write_all(const char *path, const wl_model_shape *shape, size_t stride, wl_error *error)
{
    const char *const metadata[] = {"source", "test"};
    wl_model_writer writer;
    wl_status status = wl_model_writer_open(&writer, path, shape, metadata, 1, error);
    size_t half = (size_t)shape->rows / 2;
    if (!status) status = wl_model_writer_rows(&writer, numbers, stride, half, error);
    if (!status)
        status = wl_model_writer_rows(&writer, numbers + half * stride, stride, (size_t)shape->rows - half, error);
    if (!status) status = wl_model_writer_finish(&writer, error);
    CHECK(!wl_path_exists(path));
    if (!status) status = wl_model_writer_commit(&writer, error);
    wl_model_writer_abandon(&writer);
    return status;
}

static size_t count_files(void)
{
    DIR *folder = opendir(files_path(""));
    size_t count = 0;
    while (folder && readdir(folder)) count++;
    if (folder) closedir(folder);
    return count - 2;
}

/* The number at a place of the table, as readers see it. */
static double number_at(const wl_tensor *table, const wl_tensor *weights, size_t row, size_t column)
{
    size_t at = row * table->shape[1] + column;
    float weight = 1;
    uint16_t half;
    if (weights) memcpy(&weight, weights->data + row * sizeof weight, sizeof weight);
    if (table->dtype == WL_I8) return (double)(signed char)table->data[at] * (double)weight;
    memcpy(&half, table->data + 2 * at, sizeof half);
    return (double)wl_f16_to_f32(half);
}

static void check_table(const wl_safetensors *file, const wl_model_shape *shape, size_t stride)
{
    const wl_tensor *table = wl_safetensors_find(file, shape->table), *weights = wl_safetensors_find(file, "weights");
    bool bytes = shape->save_as == WL_SAVE_I8;
    CHECK(table && table->rank == 2 && table->shape[0] == shape->rows && table->shape[1] == shape->dim);
    CHECK(table && table->dtype == (bytes ? WL_I8 : WL_F16) && bytes == !!weights);
    CHECK(!weights || (weights->dtype == WL_F32 && weights->rank == 1 && weights->shape[0] == shape->rows));
    for (size_t row = 0; table && row < shape->rows; row++) {
        double largest = 0, worst = 0, difference;
        for (size_t i = 0; i < shape->dim; i++) {
            double number = (double)numbers[row * stride + i];
            largest = fmax(largest, fabs(number));
            difference = fabs(number_at(table, weights, row, i) - number);
            /* Half a unit: of the scale; of the last bit, or of the smallest number. */
            worst = fmax(worst, bytes ? difference : difference / fmax(fabs(number), 0x1p-14));
        }
        double allowed = bytes ? fmax(largest / 254 * 1.0001, 1.01e-40) : 0x1p-11;
        CHECK_THAT(worst <= allowed, "row %zu: off by %g, allowed %g", row, worst, allowed);
    }
}

/* Shapes whose tensors are aligned in either order. */
static void test_tables(void)
{
    static const struct {
        size_t rows, dim, stride;
    } shapes[] = {{10, 64, 70}, {7, 3, 3}, {16, 3, 5}, {64, 1, 2}, {1, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        for (int save_as = WL_SAVE_F16; save_as <= WL_SAVE_I8; save_as++) {
            const wl_model_shape shape = {"embeddings", shapes[i].rows, (uint32_t)shapes[i].dim, (wl_save_as)save_as};
            const char *path = files_path("model.safetensors");
            wl_error error = {0};
            wl_safetensors file;
            fill(shapes[i].rows, shapes[i].stride);
            CHECK_THAT(!write_all(path, &shape, shapes[i].stride, &error), "%s", error.message);
            wl_status status = wl_safetensors_open(&file, path, &error);
            CHECK_THAT(!status, "%s", error.message);
            if (!status) check_table(&file, &shape, shapes[i].stride);
            if (!status) CHECK(strcmp(wl_safetensors_metadata(&file, "source"), "test") == 0);
            if (!status) wl_safetensors_close(&file);
            remove(path);
        }
    }
}

static void test_numbers_that_do_not_fit(void)
{
    static const struct {
        float number;
        bool half, byte; /* fits */
    } cases[] = {{65504, true, true}, {65520, false, true}, {INFINITY, false, false}, {NAN, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int save_as = WL_SAVE_F16; save_as <= WL_SAVE_I8; save_as++) {
            const wl_model_shape shape = {"embeddings", 4, 8, (wl_save_as)save_as};
            const char *path = files_path("model.safetensors");
            wl_error error = {0};
            fill(4, 8);
            numbers[2 * 8 + 5] = cases[i].number;
            bool fits = save_as == WL_SAVE_I8 ? cases[i].byte : cases[i].half;
            wl_status status = write_all(path, &shape, 8, &error);
            CHECK_THAT(status == (fits ? WL_OK : WL_ERROR_LIMIT), "%g: %s", (double)cases[i].number, error.message);
            CHECK(fits || strstr(error.message, "row 2, column 5 is "));
            CHECK(fits == wl_path_exists(path) && count_files() == fits);
            remove(path);
        }
    }
}

static void test_memory(void)
{
    const wl_model_shape shape = {"embeddings", 4, 8, WL_SAVE_I8};
    if (!fault_available()) {
        SKIP("allocation failures: not linked with --wrap");
        return;
    }
    fill(4, 8);
    for (size_t nth = 1;; nth++) {
        char path[PATH_MAX];
        wl_error error = {0};
        snprintf(path, sizeof path, "%s", files_path("model.safetensors"));
        fault_begin(nth);
        wl_status status = write_all(path, &shape, 8, &error);
        if (!fault_end()) {
            CHECK_THAT(status == WL_OK, "%s", error.message);
            break;
        }
        CHECK_THAT(status == WL_ERROR_MEMORY, "allocation %zu: %d %s", nth, status, error.message);
        CHECK(count_files() == 0);
    }
}

int main(void)
{
    if (!files_begin()) return EXIT_FAILURE;
    test_tables();
    test_numbers_that_do_not_fit();
    test_memory();
    files_end();
    return test_end();
}
