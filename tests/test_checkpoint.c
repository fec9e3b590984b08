/* Reading checkpoints: the numbers of all formats, safetensors through a reader, PyTorch's zip; what is hostile is
 * refused. The golden data are those of tools/golden_checkpoints.py. */
#include <dirent.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/file.h"
#include "extract/tensors.h"
#include "fault.h"
#include "format/json.h"
#include "test.h"

#define GOLDEN WL_TEST_DATA "/golden/checkpoints"
#define CASES  GOLDEN "/cases"

/* ---- files in memory --------------------------------------------------------------------------------------------- */

static wl_status fetch_memory(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    (void)error;
    memcpy(out, (const char *)reader->state + at, size);
    return WL_OK;
}

static wl_reader memory_reader(const void *data, size_t size)
{
    wl_error error;
    void *state = (void *)(uintptr_t)data;
    return (wl_reader){.name = wl_copy_text("memory", 6, &error),
                       .size = size,
                       .fetch = fetch_memory,
                       .state = state,
                       .descriptor = -1};
}

static wl_status read_memory(const void *data, size_t size, wl_tensors *tensors, wl_error *error)
{
    wl_reader reader = memory_reader(data, size);
    wl_status status = wl_read_torch(&reader, tensors, error);
    for (size_t i = 0; i < tensors->count && !status; i++)
        status = wl_stored_locate(&tensors->items[i], &reader, error);
    wl_reader_close(&reader);
    return status;
}

/* The whole file, to be freed. */
static char *read_file(const char *path, size_t *size)
{
    wl_mapping mapping;
    wl_error error;
    if (wl_mapping_open(&mapping, path, &error)) {
        printf("%s: %s\n", path, error.message);
        exit(EXIT_FAILURE);
    }
    char *copy = malloc(mapping.size + 1);
    if (copy) memcpy(copy, mapping.data, mapping.size);
    *size = mapping.size;
    wl_mapping_close(&mapping);
    return copy;
}

/* The tensor's numbers, (elements), to be freed; NULL with a failed check. */
static float *read_numbers(wl_reader *reader, const wl_stored *found, size_t *count)
{
    wl_error error;
    wl_stored tensor = *found;
    wl_status status = wl_stored_locate(&tensor, reader, &error);
    CHECK_THAT(!status && tensor.encoding && tensor.encoding->elements == 1, "%s: %s", tensor.name, error.message);
    if (status || !tensor.encoding) return NULL;
    *count = (size_t)(tensor.bytes / tensor.encoding->bytes);
    unsigned char *bytes = malloc((size_t)tensor.bytes + 1); /* unaligned */
    float *numbers = malloc(*count * sizeof *numbers + 1);
    if (!bytes || !numbers) exit(EXIT_FAILURE);
    status = wl_reader_read(reader, tensor.offset, bytes + 1, (size_t)tensor.bytes, &error);
    CHECK_THAT(!status, "%s: %s", tensor.name, error.message);
    if (!status) tensor.encoding->decode(bytes + 1, *count, numbers);
    free(bytes);
    return numbers;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static void test_numbers(void)
{
    wl_reader reader;
    wl_error error;
    wl_tensors tensors = {0};
    static const char *const names[] = {"F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I8"};
    CHECK(wl_reader_open(&reader, CASES "/numbers.safetensors", &error) == WL_OK);
    CHECK_THAT(wl_read_safetensors(&reader, &tensors, &error) == WL_OK, "%s", error.message);
    CHECK(tensors.count == 14);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s.expected", names[i]);
        const wl_stored *tensor = wl_tensors_find(&tensors, names[i]), *other = wl_tensors_find(&tensors, name);
        CHECK_THAT(tensor && other && strcmp(tensor->type, names[i]) == 0, "%s", names[i]);
        size_t count = 0, other_count = 0, wrong = 0;
        float *numbers = tensor ? read_numbers(&reader, tensor, &count) : NULL;
        float *expected = other ? read_numbers(&reader, other, &other_count) : NULL;
        CHECK(count && count == other_count);
        for (size_t j = 0; numbers && expected && j < count; j++) wrong += memcmp(&numbers[j], &expected[j], 4) != 0;
        CHECK_THAT(wrong == 0, "%s: %zu of %zu", names[i], wrong, count);
        free(numbers);
        free(expected);
    }
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
}

/* ---- whole models ------------------------------------------------------------------------------------------------ */

typedef struct expectation {
    char tensor[128], scale[128]; /* scale empty: none */
    uint64_t rows, dim;
} expectation;

static void read_expectation(const char *path, expectation *expected)
{
    size_t size;
    wl_error error;
    wl_json json;
    wl_text key;
    wl_buffer scratch = {0};
    char *text = read_file(path, &size);
    wl_json_open(&json, text, size, path, &scratch, &error);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        char *name = wl_text_is(key, "tensor") ? expected->tensor : expected->scale;
        if (wl_text_is(key, "rows"))
            expected->rows = wl_json_unsigned(&json, 1000);
        else if (wl_text_is(key, "dim"))
            expected->dim = wl_json_unsigned(&json, 1000);
        else if (!wl_json_null(&json)) {
            wl_text value = wl_json_string(&json);
            snprintf(name, sizeof expected->tensor, "%.*s", (int)value.size, value.data);
        }
    }
    CHECK_THAT(wl_json_close(&json) == WL_OK, "%s", error.message);
    wl_buffer_free(&scratch);
    free(text);
}

/* Looks for the expected tensor in one file; when it is there, compares. */
static size_t check_file(const char *path, bool torch, const expectation *expected, const float *values)
{
    wl_reader reader;
    wl_error error;
    wl_tensors tensors = {0};
    CHECK(wl_reader_open(&reader, path, &error) == WL_OK);
    wl_status status = (torch ? wl_read_torch : wl_read_safetensors)(&reader, &tensors, &error);
    CHECK_THAT(status == WL_OK && tensors.count, "%s: %s", path, error.message);
    const wl_stored *tensor = wl_tensors_find(&tensors, expected->tensor);
    const wl_stored *scale = wl_tensors_find(&tensors, expected->scale);
    if (tensor) {
        size_t count = 0, scales = 0, wrong = 0;
        CHECK_THAT(tensor->rank == 2 && tensor->shape[0] == expected->rows && tensor->shape[1] == expected->dim &&
                       !tensor->gaps,
                   "%s", path);
        CHECK_THAT(!expected->scale[0] || scale, "%s: no %s", path, expected->scale);
        float *numbers = read_numbers(&reader, tensor, &count),
              *factors = scale ? read_numbers(&reader, scale, &scales) : NULL;
        CHECK_THAT(numbers && count == expected->rows * expected->dim, "%s: %zu numbers", path, count);
        for (size_t i = 0; numbers && i < count; i++) {
            float factor = scales == 1 ? factors[0]
                           : scales    ? factors[i / expected->dim]
                                       : 1,
                  value = numbers[i] * factor;
            wrong += memcmp(&value, &values[i], sizeof value) != 0;
        }
        CHECK_THAT(wrong == 0, "%s: %zu of %zu numbers", path, wrong, count);
        free(numbers);
        free(factors);
    }
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    return tensor != NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

static void test_models(void)
{
    size_t models = 0;
    DIR *golden = opendir(GOLDEN);
    CHECK(golden);
    for (struct dirent *model; golden && (model = readdir(golden));) {
        char folder[512], path[1024];
        if (!strchr(model->d_name, '-')) continue;
        expectation expected = {0};
        size_t size, found = 0;
        snprintf(folder, sizeof folder, GOLDEN "/%s", model->d_name);
        snprintf(path, sizeof path, "%s/expected.json", folder);
        read_expectation(path, &expected);
        snprintf(path, sizeof path, "%s/expected.f32", folder);
        char *values = read_file(path, &size);
        CHECK_THAT(size == 4 * expected.rows * expected.dim, "%s", folder);
        DIR *files = opendir(folder);
        for (struct dirent *file; files && (file = readdir(files));) {
            bool torch = ends_with(file->d_name, ".bin");
            snprintf(path, sizeof path, "%s/%s", folder, file->d_name);
            if (torch || ends_with(file->d_name, ".safetensors"))
                found += check_file(path, torch, &expected, (const float *)(void *)values);
        }
        if (files) closedir(files);
        CHECK_THAT(found == 1, "%s: found %zu times", folder, found);
        free(values);
        models++;
    }
    if (golden) closedir(golden);
    CHECK_THAT(models == 16, "%zu models", models);
}

/* ---- special files of PyTorch ------------------------------------------------------------------------------------ */

static void test_cases(void)
{
    static const struct {
        const char *file;
        wl_status code;
        size_t tensors;
        const char *message; /* a part of it */
    } cases[] = {
        {"nested.pt", WL_OK, 2, NULL},
        {"beside.pt", WL_OK, 1, NULL},
        {"negated.pt", WL_ERROR_UNSUPPORTED, 1, "changes the numbers"},
        {"nested_protocol4.pt", WL_OK, 2, NULL},
        {"nested_protocol5.pt", WL_OK, 2, NULL},
        {"model.pt", WL_OK, 1, NULL},
        {"module.pt", WL_OK, 1, NULL},
        {"parameter.pt", WL_OK, 2, NULL},
        {"bare.pt", WL_ERROR_UNSUPPORTED, 0, "no dict of tensors"},
        {"legacy.pt", WL_ERROR_UNSUPPORTED, 0, "a bare pickle, not the zip that PyTorch writes since 1.6: load it and"},
        {"script.pt", WL_ERROR_UNSUPPORTED, 0, "TorchScript"},
        {"module_object.pt", WL_ERROR_UNSUPPORTED, 0, "asks for torch.nn.modules.linear.Linear, which is code"},
        {"namespace.pt", WL_ERROR_UNSUPPORTED, 0, "asks for argparse.Namespace, which is code"},
        {"system.pt", WL_ERROR_UNSUPPORTED, 0, "asks for posix.system, which is code: only tensors are read"},
        {"eval.pt", WL_ERROR_UNSUPPORTED, 0, "asks for __builtin__.eval, which is code"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char path[512];
        wl_reader reader;
        wl_error error;
        wl_tensors tensors = {0};
        snprintf(path, sizeof path, CASES "/%s", cases[i].file);
        CHECK(wl_reader_open(&reader, path, &error) == WL_OK);
        wl_status status = wl_read_torch(&reader, &tensors, &error);
        CHECK_THAT(status == cases[i].code && tensors.count == cases[i].tensors, "%s: %s", path, error.message);
        if (cases[i].message) CHECK_THAT(status && strstr(error.message, cases[i].message), "%s", error.message);
        const wl_stored *table = wl_tensors_find(&tensors, "table");
        CHECK(status || table);
        if (table && !status) {
            size_t count = 0, wrong = 0;
            CHECK(table->offset == WL_NO_POSITION && table->rank == 2 && table->shape[0] == 3 && table->shape[1] == 4);
            float *numbers = read_numbers(&reader, table, &count);
            for (size_t j = 0; numbers && j < count; j++) wrong += numbers[j] != (float)j;
            CHECK_THAT(count == 12 && wrong == 0, "%s", path);
            free(numbers);
        }
        wl_tensors_free(&tensors);
        wl_reader_close(&reader);
    }
}

static void test_views(void)
{
    static const struct {
        const char *name;
        size_t count; /* of elements; of one with gaps it is not known */
        float first;
        bool gaps;
    } views[] = {
        {"whole", 12, 0, false},  {"rows", 8, 4, false},   {"row", 4, 8, false},
        {"one_row", 4, 4, false}, {"columns", 0, 0, true}, {"transposed", 0, 0, true},
        {"expanded", 0, 0, true}, {"empty", 0, 0, false},  {"number", 1, 7, false},
    };
    wl_reader reader;
    wl_error error;
    wl_tensors tensors = {0};
    CHECK(wl_reader_open(&reader, CASES "/views.pt", &error) == WL_OK);
    CHECK_THAT(wl_read_torch(&reader, &tensors, &error) == WL_OK, "%s", error.message);
    CHECK(tensors.count == sizeof views / sizeof *views);
    for (size_t i = 0; i < tensors.count; i++) {
        wl_stored *tensor = &tensors.items[i];
        CHECK_THAT(strcmp(tensor->name, views[i].name) == 0 && tensor->gaps == views[i].gaps, "%s", tensor->name);
        if (tensor->gaps) continue;
        size_t count = 9;
        float *numbers = read_numbers(&reader, tensor, &count);
        CHECK_THAT(count == views[i].count && (!count || numbers[0] == views[i].first), "%s: %zu", tensor->name, count);
        for (size_t j = 1; numbers && j < count; j++) CHECK(numbers[j] == numbers[j - 1] + 1);
        free(numbers);
        CHECK(wl_stored_locate(tensor, &reader, &error) == WL_OK && tensor->offset != WL_NO_POSITION);
        uint64_t offset = tensor->offset;
        CHECK(wl_stored_locate(tensor, &reader, &error) == WL_OK && tensor->offset == offset);
    }
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
}

static void test_types(void)
{
    static const struct {
        const char *name, *encoding; /* NULL: not read */
    } types[] = {
        {"float64", "F64"},
        {"float32", "F32"},
        {"float16", "F16"},
        {"bfloat16", "BF16"},
        {"float8_e4m3fn", "F8_E4M3"},
        {"float8_e5m2", "F8_E5M2"},
        {"float8_e4m3fnuz", NULL},
        {"float8_e5m2fnuz", NULL},
        {"float8_e8m0fnu", NULL},
        {"int64", NULL},
        {"int32", NULL},
        {"int16", NULL},
        {"int8", "I8"},
        {"uint64", NULL},
        {"uint32", NULL},
        {"uint16", NULL},
        {"uint8", NULL},
        {"bool", NULL},
        {"complex64", NULL},
        {"complex128", NULL},
    };
    size_t size;
    wl_error error;
    wl_tensors tensors = {0};
    char *file = read_file(CASES "/types.pt", &size);
    CHECK_THAT(read_memory(file, size, &tensors, &error) == WL_OK, "%s", error.message);
    CHECK(tensors.count == sizeof types / sizeof *types);
    for (size_t i = 0; i < tensors.count; i++) {
        const wl_stored *tensor = &tensors.items[i];
        const char *type = types[i].encoding ? types[i].encoding : types[i].name;
        CHECK_THAT(!strcmp(tensor->name, types[i].name) && !strcmp(tensor->type, type), "%s: %s", tensor->name,
                   tensor->type);
        CHECK(!tensor->encoding == !types[i].encoding && tensor->rank == 1 && tensor->shape[0] == 2 && !tensor->gaps);
        float ones[2];
        if (tensor->encoding) tensor->encoding->decode((unsigned char *)file + tensor->offset, 2, ones);
        CHECK_THAT(!tensor->encoding || (ones[0] == 1 && ones[1] == 1), "%s", tensor->name);
    }
    wl_tensors_free(&tensors);
    free(file);
}

/* Every beginning of a file is refused, and every file with a changed byte is read or refused, nothing else. */
static void test_damage(void)
{
    static const char *const names[] = {CASES "/nested.pt", CASES "/nested_protocol4.pt", CASES "/parameter.pt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t size, accepted = 0;
        wl_error error;
        char *file = read_file(names[i], &size);
        for (size_t cut = 0; cut < size; cut++) {
            wl_tensors tensors = {0};
            char *copy = malloc(cut + 1);
            if (copy) memcpy(copy, file, cut);
            wl_status status = read_memory(copy, cut, &tensors, &error);
            CHECK_THAT(status == WL_ERROR_FORMAT, "%s cut at %zu: %s", names[i], cut, error.message);
            wl_tensors_free(&tensors);
            free(copy);
        }
        for (size_t at = 0; at < size; at++) {
            wl_tensors tensors = {0};
            static const char flips[] = {1, 4, (char)0x80, (char)0xFF};
            for (size_t j = 0; j < sizeof flips; j++) {
                file[at] ^= flips[j];
                wl_status status = read_memory(file, size, &tensors, &error);
                accepted += !status;
                CHECK_THAT(!status || status == WL_ERROR_FORMAT || status == WL_ERROR_UNSUPPORTED ||
                               status == WL_ERROR_LIMIT,
                           "%s changed at %zu: %s", names[i], at, error.message);
                wl_tensors_free(&tensors);
                file[at] ^= flips[j];
            }
        }
        CHECK_THAT(accepted && accepted < 4 * size, "%zu", accepted);
        free(file);
    }
}

/* ---- zip files --------------------------------------------------------------------------------------------------- */

/* A file in memory, written by hand. */
typedef struct made {
    unsigned char data[4096];
    size_t size, directory, entries;
} made;

static void put(made *file, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) file->data[file->size++] = (unsigned char)(i < 8 ? value >> (8 * i) : 0);
}

static void put_text(made *file, const char *text, size_t size)
{
    memcpy(file->data + file->size, text, size);
    file->size += size;
}

static void put_local(made *file, const char *name, const char *content)
{
    put_text(file, "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
    put(file, strlen(content), 4);
    put(file, strlen(content), 4);
    put(file, strlen(name), 2);
    put(file, 4, 2);
    put_text(file, name, strlen(name));
    put_text(file, "FB\0\0", 4);
    put_text(file, content, strlen(content));
}

/* wide: the sizes and the place in a ZIP64 field, behind a field of another kind. */
static void put_central(made *file, const char *name, size_t size, size_t place, bool wide)
{
    put_text(file, "PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    put(file, wide ? UINT32_MAX : size, 4);
    put(file, wide ? UINT32_MAX : size, 4);
    put(file, strlen(name), 2);
    put(file, wide ? 34 : 0, 2);
    put(file, 0, 10);
    put(file, wide ? UINT32_MAX : place, 4);
    put_text(file, name, strlen(name));
    if (!wide) return;
    put_text(file, "XX\2\0ab\1\0\x18\0", 10);
    put(file, size, 8);
    put(file, size, 8);
    put(file, place, 8);
}

static void put_end(made *file, bool wide, const char *comment)
{
    size_t size = file->size - file->directory, place = file->size;
    if (wide) {
        put_text(file, "PK\6\6\x2C\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
        put(file, file->entries, 8);
        put(file, file->entries, 8);
        put(file, size, 8);
        put(file, file->directory, 8);
        put_text(file, "PK\6\7\0\0\0\0", 8);
        put(file, place, 8);
        put(file, 1, 4);
    }
    put_text(file, "PK\5\6\0\0\0\0", 8);
    put(file, wide ? UINT16_MAX : file->entries, 2);
    put(file, wide ? UINT16_MAX : file->entries, 2);
    put(file, wide ? UINT32_MAX : size, 4);
    put(file, wide ? UINT32_MAX : file->directory, 4);
    put(file, strlen(comment), 2);
    put_text(file, comment, strlen(comment));
}

enum { FIRST = 0, SECOND = 41 }; /* places of the entries below */

static made make_zip(bool wide, const char *comment)
{
    made file = {.entries = 2};
    put_local(&file, "b/x", "text");
    put_local(&file, "a", "0123456789");
    file.directory = file.size;
    put_central(&file, "b/x", 4, FIRST, wide);
    put_central(&file, "a", 10, SECOND, wide);
    put_end(&file, wide, comment);
    return file;
}

static wl_status open_zip(const made *file, wl_error *error)
{
    wl_zip zip;
    wl_reader reader = memory_reader(file->data, file->size);
    wl_status status = wl_zip_open(&zip, &reader, error);
    for (size_t i = 0; i < zip.count && !status; i++) {
        uint64_t begin;
        status = wl_zip_locate(&zip.entries[i].place, &reader, &begin, error);
        CHECK(status || (begin <= file->size && zip.entries[i].place.size <= file->size - begin));
    }
    wl_zip_close(&zip);
    wl_reader_close(&reader);
    return status;
}

static void test_zip(void)
{
    static const char *const comments[] = {"", "PK\5\6 is no end", "PK\5\6 a directory of another kind, \1"};
    for (size_t i = 0; i < 6; i++) {
        wl_zip zip;
        wl_error error;
        uint64_t begin = 0;
        made file = make_zip(i % 2, comments[i / 2]);
        wl_reader reader = memory_reader(file.data, file.size);
        CHECK_THAT(wl_zip_open(&zip, &reader, &error) == WL_OK && zip.count == 2, "%s", error.message);
        const wl_zip_entry *entry = wl_zip_find(&zip, "a");
        CHECK(entry && entry->place.size == 10 && wl_zip_locate(&entry->place, &reader, &begin, &error) == WL_OK);
        CHECK(memcmp(file.data + begin, "0123456789", 10) == 0);
        entry = wl_zip_find(&zip, "b/x");
        CHECK(entry && entry->place.size == 4 && wl_zip_locate(&entry->place, &reader, &begin, &error) == WL_OK);
        CHECK(memcmp(file.data + begin, "text", 4) == 0 && !wl_zip_find(&zip, "b") && !wl_zip_find(&zip, ""));
        wl_zip_close(&zip);
        wl_zip_close(&zip);
        wl_reader_close(&reader);
        for (file.size--; file.size; file.size--) CHECK(open_zip(&file, &error) == WL_ERROR_FORMAT);
    }
    made empty = {0};
    wl_error error;
    put_end(&empty, false, "");
    CHECK_THAT(open_zip(&empty, &error) == WL_OK, "%s", error.message);
}

static void test_zip_refusals(void)
{
    static const struct {
        bool wide, from_end;
        size_t at; /* in the directory, or in the last record */
        uint64_t value;
        size_t size;
        wl_status code;
        const char *message;
    } changes[] = {
        {false, false, 8, 1, 2, WL_ERROR_UNSUPPORTED, "is encrypted"},
        {false, false, 10, 8, 2, WL_ERROR_UNSUPPORTED, "is compressed (method 8, deflate)"},
        {false, false, 10, 93, 2, WL_ERROR_UNSUPPORTED, "is compressed (method 93)"},
        {false, false, 20, 5, 4, WL_ERROR_FORMAT, "two sizes"},
        {false, false, 28, 2, 2, WL_ERROR_FORMAT, "expected an entry here"},
        {false, false, 28, 60000, 2, WL_ERROR_FORMAT, "reaches out of the directory"},
        {false, false, 34, 1, 2, WL_ERROR_UNSUPPORTED, "one of several parts"},
        {false, false, 42, SECOND, 4, WL_ERROR_FORMAT, "two entries lie in one place"},
        {false, false, 42, SECOND - 1, 4, WL_ERROR_FORMAT, "two entries lie in one place"},
        {false, false, 42, 1, 4, WL_ERROR_FORMAT, "expected the header of an entry"},
        {false, false, 42, UINT32_MAX, 4, WL_ERROR_FORMAT, "the sizes of an entry are missing"},
        {false, false, 42, 90, 4, WL_ERROR_FORMAT, "not in front of the directory"},
        {false, false, 47, 0, 1, WL_ERROR_FORMAT, "holds a NUL"},
        {false, false, 46, 'c', 1, WL_ERROR_FORMAT, "says something else than the directory"},
        {false, true, 4, 1, 2, WL_ERROR_UNSUPPORTED, "one of several parts"},
        {false, true, 8, 3, 4, WL_ERROR_UNSUPPORTED, "one of several parts"},
        {false, true, 8, 0x30003, 4, WL_ERROR_FORMAT, "too short for its entries"},
        {false, true, 8, 0xFFFFFFFF, 4, WL_ERROR_FORMAT, "too short for its entries"},
        {false, true, 12, 0xFFFFFFFF, 4, WL_ERROR_FORMAT, "not in front of its end"},
        {false, true, 16, 0xFFFFFFFF, 4, WL_ERROR_FORMAT, "not in front of its end"},
        {false, true, 16, 3, 4, WL_ERROR_FORMAT, "expected an entry here"},
        {true, false, 59, 9, 8, WL_ERROR_FORMAT, "two sizes"},
        {true, false, 57, 16, 2, WL_ERROR_FORMAT, "the sizes of an entry are missing"},
        {true, false, 51, 0xFFFF, 2, WL_ERROR_FORMAT, "the sizes of an entry are missing"},
        {true, false, 75, UINT64_MAX, 8, WL_ERROR_FORMAT, "not in front of the directory"},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        wl_error error;
        made file = make_zip(changes[i].wide, "");
        size_t whole = file.size, base = changes[i].from_end ? whole - 22 : file.directory;
        file.size = base + changes[i].at;
        put(&file, changes[i].value, changes[i].size);
        file.size = whole;
        wl_status status = open_zip(&file, &error);
        CHECK_THAT(status == changes[i].code && strstr(error.message, changes[i].message), "%zu: %s", i, error.message);
    }
    /* The records of ZIP64 and the headers of entries. */
    static const struct {
        size_t before_end, at_local;
        uint64_t value;
        size_t size;
        wl_status code;
        const char *message;
    } more[] = {
        {56 + 42, 0, 'x', 1, WL_ERROR_FORMAT, "expected the ZIP64 record"},
        {56 + 42 - 24, 0, UINT64_MAX, 8, WL_ERROR_UNSUPPORTED, "one of several parts"},
        {56 + 42 - 40, 0, UINT64_MAX, 8, WL_ERROR_FORMAT, "not in front of its end"},
        {56 + 42 - 48, 0, UINT64_MAX, 8, WL_ERROR_FORMAT, "not in front of its end"},
        {42 - 8, 0, UINT64_MAX, 8, WL_ERROR_FORMAT, "not in front of it"},
        {42 - 16, 0, 2, 4, WL_ERROR_UNSUPPORTED, "one of several parts"},
        {0, 2, 'x', 1, WL_ERROR_FORMAT, "expected the header of an entry"},
        {0, 6, 1, 2, WL_ERROR_FORMAT, "says something else"},
        {0, 8, 8, 2, WL_ERROR_FORMAT, "says something else"},
        {0, 26, 2, 2, WL_ERROR_FORMAT, "says something else"},
        {0, 28, 6, 2, WL_ERROR_FORMAT, "reaches into the next"},
        {0, 28, 65535, 2, WL_ERROR_FORMAT, "reaches into the next"},
        {0, 30, 'x', 1, WL_ERROR_FORMAT, "says something else"},
    };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        wl_error error;
        made file = make_zip(true, "");
        size_t whole = file.size;
        file.size = more[i].before_end ? whole - more[i].before_end : more[i].at_local;
        put(&file, more[i].value, more[i].size);
        file.size = whole;
        wl_status status = open_zip(&file, &error);
        CHECK_THAT(status == more[i].code && strstr(error.message, more[i].message), "%zu: %s", i, error.message);
    }
    wl_error error;
    made twice = {.entries = 2};
    put_local(&twice, "a", "1");
    put_local(&twice, "a", "2");
    twice.directory = twice.size;
    put_central(&twice, "a", 1, 0, false);
    put_central(&twice, "a", 1, 36, false);
    put_end(&twice, false, "");
    CHECK(open_zip(&twice, &error) == WL_ERROR_FORMAT && strstr(error.message, "found \"a\" twice"));
    made many = {.entries = ((size_t)1 << 20) + 1, .directory = 0};
    put_end(&many, true, "");
    CHECK(open_zip(&many, &error) == WL_ERROR_LIMIT && strstr(error.message, "1048577 entries"));
}

/* ---- safetensors through a reader, and memory -------------------------------------------------------------------- */

static void test_safetensors(void)
{
    static const char header[] = "{\"x\":{\"dtype\":\"F4\",\"shape\":[4],\"data_offsets\":[0,2]},"
                                 "\"y\":{\"dtype\":\"F16\",\"shape\":[2,1],\"data_offsets\":[2,6]},"
                                 "\"z\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[6,14]}}";
    made file = {0};
    wl_error error;
    wl_tensors tensors = {0};
    put(&file, sizeof header - 1, 8);
    put_text(&file, header, sizeof header - 1);
    size_t data = file.size;
    put(&file, 0, 14);
    wl_reader reader = memory_reader(file.data, file.size);
    CHECK_THAT(wl_read_safetensors(&reader, &tensors, &error) == WL_OK && tensors.count == 3, "%s", error.message);
    CHECK(!tensors.items[0].encoding && strcmp(tensors.items[0].type, "F4") == 0);
    const wl_stored *y = wl_tensors_find(&tensors, "y");
    CHECK(y && y->encoding == &wl_encoding_f16 && y->offset == data + 2 && y->bytes == 4 && y->rank == 2);
    CHECK(!tensors.items[2].encoding && tensors.items[2].rank == 0 && !wl_tensors_find(&tensors, "w"));
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    for (size_t cut = 0; cut < file.size; cut++) {
        reader = memory_reader(file.data, cut);
        CHECK(wl_read_safetensors(&reader, &tensors, &error) == WL_ERROR_FORMAT && error.byte == cut);
        CHECK(tensors.count == 0);
        wl_reader_close(&reader);
    }
    wl_tensors_free(&tensors);
}

static void test_memory(void)
{
    static const struct {
        const char *path;
        wl_status (*read)(wl_reader *reader, wl_tensors *tensors, wl_error *error);
        size_t least; /* allocations */
    } files[] = {
        {CASES "/nested.pt", wl_read_torch, 20},
        {CASES "/numbers.safetensors", wl_read_safetensors, 20},
    };
    if (!fault_available()) {
        SKIP("failing allocations (not linked with -Wl,--wrap)");
        return;
    }
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size, nth = 1;
        char *file = read_file(files[i].path, &size);
        for (;; nth++) {
            wl_error error;
            wl_tensors tensors = {0};
            wl_reader reader = memory_reader(file, size);
            fault_begin(nth);
            wl_status status = files[i].read(&reader, &tensors, &error);
            for (size_t j = 0; j < tensors.count && !status; j++)
                status = wl_stored_locate(&tensors.items[j], &reader, &error);
            bool failed = fault_end();
            wl_tensors_free(&tensors);
            wl_reader_close(&reader);
            CHECK_THAT(status == (failed ? WL_ERROR_MEMORY : WL_OK), "%s: allocation %zu", files[i].path, nth);
            if (!failed) break;
        }
        CHECK_THAT(nth > files[i].least, "only %zu allocations", nth);
        free(file);
    }
}

int main(void)
{
    test_numbers();
    test_models();
    test_cases();
    test_views();
    test_types();
    test_damage();
    test_zip();
    test_zip_refusals();
    test_safetensors();
    test_memory();
    return test_end();
}
