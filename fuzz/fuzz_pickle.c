/* Checkpoints of PyTorch. The first byte says what the rest is: a pickle for the reader of pickles, whose values must
 * all be there; the pickle of a file whose other parts are well-formed; or a whole file. What is accepted must have
 * tensors whose numbers can be read. */
#include <stdlib.h>
#include <string.h>

#include "extract/pickle.h"
#include "extract/tensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

static void *copy_of(const void *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    if (!copy) abort();
    if (size) memcpy(copy, data, size);
    return copy;
}

static void check_value(const wl_pickle *pickle, const wl_pickle_value *value)
{
    uint32_t count = 0, cell = value->first, last = 0;
    for (; cell; last = cell, cell = pickle->cells[cell].next, count++) {
        require(cell < pickle->cell_count && pickle->cells[cell].value < pickle->value_count);
        require(count < value->count);
    }
    require(count == value->count && last == value->last);
    if (value->kind == WL_PICKLE_DICT || value->kind == WL_PICKLE_CALL) require(count % 2 == 0);
    if (value->kind == WL_PICKLE_CALL)
        require(value->arguments < pickle->value_count && pickle->values[value->arguments].kind == WL_PICKLE_TUPLE);
    if (value->kind == WL_PICKLE_PERSISTENT) require(value->arguments < pickle->value_count);
    unsigned sum = 0;
    if (value->kind == WL_PICKLE_TEXT)
        for (size_t i = 0; i < value->text.size; i++) sum += (unsigned char)value->text.data[i];
    volatile unsigned used = sum;
    (void)used;
}

static void read_pickle(const uint8_t *data, size_t size)
{
    static const wl_pickle_global globals[] = {
        {"torch._utils", "_rebuild_tensor_v2", 1}, {"torch", "FloatStorage", 2}, {"collections", "OrderedDict", 3}};
    wl_error error;
    wl_pickle pickle;
    char *copy = copy_of(data, size);
    wl_status status = wl_pickle_read(&pickle, copy, size, globals, 3, "fuzz", 0, &error);
    if (status)
        require(error.code == status && error.byte <= size && error.message[0]);
    else {
        require(pickle.root < pickle.value_count && pickle.value_count <= size && pickle.cell_count <= size + 1);
        for (size_t i = 0; i < pickle.value_count; i++) check_value(&pickle, &pickle.values[i]);
    }
    wl_pickle_free(&pickle);
    free(copy);
}

static wl_status fetch(wl_reader *reader, uint64_t at, void *out, size_t size, wl_error *error)
{
    (void)error;
    require(at <= reader->size && size <= reader->size - at);
    if (size) memcpy(out, (const char *)reader->state + at, size);
    return WL_OK;
}

static void read_file(const void *data, size_t size)
{
    wl_error error;
    wl_tensors tensors = {0};
    char *copy = copy_of(data, size);
    wl_reader reader = {.size = size, .fetch = fetch, .state = copy, .descriptor = -1};
    reader.name = wl_copy_text("fuzz", 4, &error);
    wl_status status = wl_read_torch(&reader, &tensors, &error);
    if (status) require(error.code == status && error.message[0]);
    for (size_t i = 0; i < tensors.count && !status; i++) {
        wl_stored *tensor = &tensors.items[i];
        require(tensor->type[0] && tensor->rank <= WL_STORED_RANK);
        if (!tensor->encoding || tensor->gaps || wl_stored_locate(tensor, &reader, &error)) continue;
        require(tensor->offset <= size && tensor->bytes <= size - tensor->offset);
        size_t count = (size_t)(tensor->bytes / tensor->encoding->bytes);
        float *numbers = malloc(count * sizeof *numbers + 1);
        require(numbers);
        tensor->encoding->decode((const unsigned char *)copy + tensor->offset, count, numbers);
        free(numbers);
    }
    wl_tensors_free(&tensors);
    wl_reader_close(&reader);
    free(copy);
}

/* A zip file with the pickle and two storages of 64 bytes. */
static void wrap(const uint8_t *pickle, size_t size)
{
    static const char *const names[] = {"a/data.pkl", "a/data/0", "a/data/1"};
    static const char zeros[64] = {0};
    wl_error error;
    wl_buffer file = {0}, directory = {0};
    for (size_t i = 0; i < 3; i++) {
        uint32_t numbers[2] = {(uint32_t)(i ? sizeof zeros : size), (uint32_t)(i ? sizeof zeros : size)};
        uint16_t lengths[2] = {(uint16_t)strlen(names[i]), 0};
        uint32_t place = (uint32_t)file.size;
        bool good =
            !wl_buffer_append(&directory, "PK\1\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20, &error) &&
            !wl_buffer_append(&directory, numbers, 8, &error) && !wl_buffer_append(&directory, lengths, 4, &error) &&
            !wl_buffer_append(&directory, zeros, 10, &error) && !wl_buffer_append(&directory, &place, 4, &error) &&
            !wl_buffer_append(&directory, names[i], lengths[0], &error) &&
            !wl_buffer_append(&file, "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18, &error) &&
            !wl_buffer_append(&file, numbers, 8, &error) && !wl_buffer_append(&file, lengths, 4, &error) &&
            !wl_buffer_append(&file, names[i], lengths[0], &error) &&
            !wl_buffer_append(&file, i ? (const void *)zeros : pickle, numbers[0], &error);
        require(good);
    }
    uint32_t place[2] = {(uint32_t)directory.size, (uint32_t)file.size};
    require(!wl_buffer_append(&file, directory.data, directory.size, &error) &&
            !wl_buffer_append(&file, "PK\5\6\0\0\0\0\3\0\3\0", 12, &error) &&
            !wl_buffer_append(&file, place, 8, &error) && !wl_buffer_append(&file, zeros, 2, &error));
    read_file(file.data, file.size);
    wl_buffer_free(&directory);
    wl_buffer_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size) return 0;
    if (data[0] % 3 == 0)
        read_pickle(data + 1, size - 1);
    else if (data[0] % 3 == 1)
        wrap(data + 1, size - 1);
    else
        read_file(data + 1, size - 1);
    return 0;
}
