/* Header first, data after: the JSON header is read into tensors whose dtype, shape and range agree with each other;
 * then names are compared, ranges are put in order and must follow each other from the first data byte to the file's
 * last. Only then is any data pointer made. */
#include "format/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

#define LENGTH_SIZE WL_SAFETENSORS_LENGTH
#define HEADER_MAX  UINT64_C(100000000) /* the reference implementation's */

static const struct {
    const char *name;
    unsigned bits; /* of an element */
} dtypes[WL_DTYPES] = {
    [WL_F64] = {"F64", 64},
    [WL_F32] = {"F32", 32},
    [WL_F16] = {"F16", 16},
    [WL_BF16] = {"BF16", 16},
    [WL_I64] = {"I64", 64},
    [WL_I32] = {"I32", 32},
    [WL_I16] = {"I16", 16},
    [WL_I8] = {"I8", 8},
    [WL_U64] = {"U64", 64},
    [WL_U32] = {"U32", 32},
    [WL_U16] = {"U16", 16},
    [WL_U8] = {"U8", 8},
    [WL_BOOL] = {"BOOL", 8},
    [WL_F8_E4M3] = {"F8_E4M3", 8},
    [WL_F8_E5M2] = {"F8_E5M2", 8},
    [WL_F8_E8M0] = {"F8_E8M0", 8},
    [WL_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8},
    [WL_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8},
    [WL_C64] = {"C64", 64},
    [WL_F6_E2M3] = {"F6_E2M3", 6},
    [WL_F6_E3M2] = {"F6_E3M2", 6},
    [WL_F4] = {"F4", 4},
};

size_t wl_dtype_size(wl_dtype dtype)
{
    return dtypes[dtype].bits / 8;
}

unsigned wl_dtype_bits(wl_dtype dtype)
{
    return dtypes[dtype].bits;
}

const char *wl_dtype_name(wl_dtype dtype)
{
    return dtypes[dtype].name;
}

/* ---- the header -------------------------------------------------------------------------------------------------- */

/* A NUL-terminated copy; NULL after an error, which the cursor then holds. */
static char *copy_string(wl_json *json, wl_text text)
{
    if (json->failed) return NULL;
    if (text.size && memchr(text.data, 0, text.size)) {
        wl_json_fail(json, WL_ERROR_UNSUPPORTED, "expected a string without a NUL character");
        return NULL;
    }
    char *copy = wl_copy_text(text.data, text.size, json->error);
    if (!copy) json->failed = true;
    return copy;
}

static void read_dtype(wl_json *json, wl_tensor *tensor)
{
    wl_text name = wl_json_string(json);
    if (json->failed) return;
    for (int i = 0; i < WL_DTYPES; i++) {
        if (wl_text_is(name, dtypes[i].name)) {
            tensor->dtype = (wl_dtype)i;
            return;
        }
    }
    wl_json_fail(json, WL_ERROR_UNSUPPORTED,
                 "tensor \"%.100s\" has the dtype \"%.*s\", expected F64, F32, F16, BF16, "
                 "F8_E4M3 or another that safetensors 0.8 knows",
                 tensor->name, (int)(name.size < 40 ? name.size : 40), name.data);
}

static void read_shape(wl_json *json, wl_tensor *tensor)
{
    tensor->rank = 0;
    tensor->count = 1;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        uint64_t length = wl_json_unsigned(json, INT64_MAX);
        if (json->failed) return;
        if (tensor->rank == WL_TENSOR_RANK) {
            wl_json_fail(json, WL_ERROR_UNSUPPORTED, "tensor \"%.100s\" has more than %d dimensions", tensor->name,
                         WL_TENSOR_RANK);
            return;
        }
        if (length && tensor->count > INT64_MAX / length) {
            wl_json_fail(json, WL_ERROR_FORMAT, "tensor \"%.100s\" has a shape of more than 2^63 elements",
                         tensor->name);
            return;
        }
        tensor->shape[tensor->rank++] = length;
        tensor->count *= length;
    }
    for (uint32_t i = tensor->rank; i < WL_TENSOR_RANK; i++) tensor->shape[i] = 1;
}

static void read_range(wl_json *json, uint64_t range[2])
{
    size_t count = 0;
    wl_json_begin_array(json);
    while (wl_json_element(json)) {
        uint64_t value = wl_json_unsigned(json, INT64_MAX);
        if (count < 2) range[count] = value;
        count++;
    }
    if (count != 2) wl_json_fail(json, WL_ERROR_FORMAT, "expected 2 data_offsets, found %zu", count);
}

/* Eight elements have as many bytes as one has bits. */
static uint64_t byte_count(const wl_tensor *tensor)
{
    unsigned bits = dtypes[tensor->dtype].bits;
    return tensor->count / 8 * bits + tensor->count % 8 * bits / 8;
}

/* Reads dtype, shape and data_offsets, each once and in any order. tensor->offset becomes the start of the range among
 * the data; its end is not kept, for it follows from shape and dtype. Unknown members are skipped, as the reference
 * implementation skips them. */
static void read_tensor(wl_json *json, wl_tensor *tensor)
{
    static const char *const members[] = {"dtype", "shape", "data_offsets"};
    bool seen[3] = {false};
    uint64_t range[2] = {0};
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        size_t member = 0;
        while (member < 3 && !wl_text_is(key, members[member])) member++;
        if (member < 3 && seen[member]) {
            wl_json_fail(json, WL_ERROR_FORMAT, "tensor \"%.100s\" has %s twice", tensor->name, members[member]);
            return;
        }
        if (member < 3) seen[member] = true;
        switch (member) {
        case 0:
            read_dtype(json, tensor);
            break;
        case 1:
            read_shape(json, tensor);
            break;
        case 2:
            read_range(json, range);
            break;
        default:
            wl_json_skip(json);
            break;
        }
    }
    if (json->failed) return;
    for (size_t i = 0; i < 3; i++)
        if (!seen[i]) wl_json_fail(json, WL_ERROR_FORMAT, "tensor \"%.100s\" has no %s", tensor->name, members[i]);
    if (json->failed) return;
    unsigned bits = dtypes[tensor->dtype].bits;
    if (range[1] < range[0])
        wl_json_fail(json, WL_ERROR_FORMAT, "tensor \"%.100s\" ends at %" PRIu64 ", before its start at %" PRIu64,
                     tensor->name, range[1], range[0]);
    else if (tensor->count / 8 >= UINT64_MAX / bits || tensor->count % 8 * bits % 8 ||
             byte_count(tensor) != range[1] - range[0])
        wl_json_fail(json, WL_ERROR_FORMAT,
                     "tensor \"%.100s\" has %" PRIu64 " bytes, expected %" PRIu64 " elements of %u %s", tensor->name,
                     range[1] - range[0], tensor->count, bits % 8 ? bits : bits / 8, bits % 8 ? "bits" : "bytes");
    tensor->offset = range[0];
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_metadata(wl_json *json, wl_safetensors *file, size_t *capacity)
{
    if (wl_json_null(json)) return;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        void *array = file->metadata;
        if (wl_reserve(&array, capacity, file->metadata_count + 1, 2 * sizeof(char *), json->error)) {
            json->failed = true;
            return;
        }
        file->metadata = array;
        char **pair = file->metadata + 2 * file->metadata_count;
        pair[0] = copy_string(json, key);
        pair[1] = copy_string(json, wl_json_string(json));
        file->metadata_count++;
    }
    if (json->failed || file->metadata_count < 2) return;
    qsort(file->metadata, file->metadata_count, 2 * sizeof(char *), compare_pairs);
    for (size_t i = 1; i < file->metadata_count; i++)
        if (strcmp(file->metadata[2 * i - 2], file->metadata[2 * i]) == 0)
            wl_json_fail(json, WL_ERROR_FORMAT, "expected each key of __metadata__ once, found \"%.100s\" twice",
                         file->metadata[2 * i]);
}

/* While the header is read, a tensor's data points at its place in the header, for errors. */
static void read_header(wl_json *json, wl_safetensors *file)
{
    size_t capacity = 0, metadata_capacity = 0;
    bool metadata_seen = false;
    wl_text key;
    wl_json_begin_object(json);
    while (wl_json_member(json, &key)) {
        if (wl_text_is(key, "__metadata__")) {
            if (metadata_seen) wl_json_fail(json, WL_ERROR_FORMAT, "expected __metadata__ once, found it twice");
            metadata_seen = true;
            read_metadata(json, file, &metadata_capacity);
            continue;
        }
        void *array = file->tensors;
        if (wl_reserve(&array, &capacity, file->count + 1, sizeof *file->tensors, json->error)) {
            json->failed = true;
            return;
        }
        file->tensors = array;
        wl_tensor *tensor = &file->tensors[file->count];
        *tensor = (wl_tensor){.data = json->text + json->at};
        tensor->name = copy_string(json, key);
        if (!tensor->name) return;
        file->count++;
        read_tensor(json, tensor);
    }
}

/* ---- names and ranges -------------------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const wl_tensor *first = a, *second = b;
    int order = strcmp(first->name, second->name);
    return order ? order : (first->data > second->data) - (first->data < second->data);
}

/* An empty tensor comes before the one that begins at the same byte; then as the header has them. */
static int compare_ranges(const void *a, const void *b)
{
    const wl_tensor *first = a, *second = b;
    if (first->offset != second->offset) return first->offset < second->offset ? -1 : 1;
    if (!first->count != !second->count) return first->count ? 1 : -1;
    return (first->data > second->data) - (first->data < second->data);
}

static wl_status check_names(const wl_safetensors *file, const char *header, wl_error *error)
{
    if (file->count > 1) qsort(file->tensors, file->count, sizeof *file->tensors, compare_names);
    for (size_t i = 1; i < file->count; i++) {
        const wl_tensor *tensor = &file->tensors[i];
        if (strcmp(tensor[-1].name, tensor->name) == 0)
            return wl_fail_at(error, WL_ERROR_FORMAT, file->path, LENGTH_SIZE + (uint64_t)(tensor->data - header), 0,
                              "expected each tensor once, found \"%.100s\" twice", tensor->name);
    }
    return WL_OK;
}

/* Each range must begin where the one before ends, the last at the file's end. */
static wl_status place_tensors(wl_safetensors *file, uint64_t start, uint64_t size, wl_error *error)
{
    uint64_t end = 0;
    if (file->count > 1) qsort(file->tensors, file->count, sizeof *file->tensors, compare_ranges);
    for (size_t i = 0; i < file->count; i++) {
        const wl_tensor *tensor = &file->tensors[i];
        if (tensor->offset != end)
            return wl_fail_at(error, WL_ERROR_FORMAT, file->path, start + tensor->offset, 0,
                              "tensor \"%.100s\" begins at data byte %" PRIu64 ", expected %" PRIu64 " (%s)",
                              tensor->name, tensor->offset, end, tensor->offset < end ? "an overlap" : "a gap");
        end += byte_count(tensor);
    }
    if (size != start + end)
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, size < start + end ? size : start + end, 0,
                          "the file ends at byte %" PRIu64 ", expected %" PRIu64, size, start + end);
    for (size_t i = 0; i < file->count; i++) {
        file->tensors[i].offset += start;
        file->tensors[i].data = NULL;
    }
    return WL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

wl_status wl_safetensors_length(const char *path, const char *first, uint64_t size, uint64_t *length, wl_error *error)
{
    if (size < LENGTH_SIZE)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, size, 0,
                          "the file ends at byte %" PRIu64 ", expected 8 bytes of header length", size);
    *length = 0;
    for (int i = 0; i < LENGTH_SIZE; i++) *length |= (uint64_t)(unsigned char)first[i] << (8 * i);
    if (*length > HEADER_MAX)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, 0, 0,
                          "the header length is %" PRIu64 ", expected at most %" PRIu64 " (not a safetensors file?)",
                          *length, HEADER_MAX);
    if (*length > size - LENGTH_SIZE)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, size, 0,
                          "the file ends at byte %" PRIu64 ", expected a header up to byte %" PRIu64, size,
                          LENGTH_SIZE + *length);
    return WL_OK;
}

wl_status wl_safetensors_read_header(wl_safetensors *file, const char *header, size_t length, uint64_t size,
                                     wl_error *error)
{
    if (length == 0 || header[0] != '{')
        return wl_fail_at(error, WL_ERROR_FORMAT, file->path, LENGTH_SIZE, 0,
                          "expected '{' at the start of the header");
    wl_buffer scratch = {0};
    wl_json json;
    wl_json_open(&json, header, length, file->path, &scratch, error);
    read_header(&json, file);
    wl_status status = wl_json_close(&json);
    wl_buffer_free(&scratch);
    if (status) {
        /* From a place in the header to one in the file; lines mean nothing in a binary file. */
        if (error->line) error->byte += LENGTH_SIZE;
        error->line = 0;
        return status;
    }
    if (check_names(file, header, error)) return error->code;
    return place_tensors(file, LENGTH_SIZE + (uint64_t)length, size, error);
}

wl_status wl_safetensors_parse(wl_safetensors *file, wl_error *error)
{
    const char *data = file->mapping.data;
    uint64_t length = 0;
    if (wl_safetensors_length(file->path, data, file->mapping.size, &length, error) ||
        wl_safetensors_read_header(file, data + LENGTH_SIZE, (size_t)length, file->mapping.size, error))
        return error->code;
    for (size_t i = 0; i < file->count; i++) {
        wl_tensor *tensor = &file->tensors[i];
        tensor->bytes = (size_t)byte_count(tensor);
        tensor->data = data + tensor->offset;
    }
    return WL_OK;
}

wl_status wl_safetensors_open(wl_safetensors *file, const char *path, wl_error *error)
{
    *file = (wl_safetensors){0};
    wl_status status = WL_OK;
    file->path = wl_copy_text(path, strlen(path), error);
    if (!file->path) status = WL_ERROR_MEMORY;
    if (!status) status = wl_mapping_open(&file->mapping, path, error);
    if (!status) status = wl_safetensors_parse(file, error);
    if (status) wl_safetensors_close(file);
    return status;
}

void wl_safetensors_close(wl_safetensors *file)
{
    for (size_t i = 0; i < file->count; i++) free(file->tensors[i].name);
    for (size_t i = 0; i < 2 * file->metadata_count; i++) free(file->metadata[i]);
    free(file->tensors);
    free(file->metadata);
    free(file->path);
    wl_mapping_close(&file->mapping);
    *file = (wl_safetensors){0};
}

const wl_tensor *wl_safetensors_find(const wl_safetensors *file, const char *name)
{
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0) return &file->tensors[i];
    return NULL;
}

const char *wl_safetensors_metadata(const wl_safetensors *file, const char *key)
{
    for (size_t i = 0; i < file->metadata_count; i++)
        if (strcmp(file->metadata[2 * i], key) == 0) return file->metadata[2 * i + 1];
    return NULL;
}
