#include "extract/gguf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/half.h"

#define NAME_MOST   UINT64_C(65535)       /* bytes of a key, as the specification has it, or of a tensor's name */
#define STRING_MOST (UINT64_C(256) << 20) /* bytes of a string that is read into memory */
#define ALIGN_MOST  (UINT64_C(1) << 30)

enum { RANK_MOST = 4, VALUE_LEAST = 8 + 4 + 1, TENSOR_LEAST = 8 + 4 + 4 + 8 }; /* bytes in the lists */

static const struct {
    const char *name;
    unsigned char size; /* 0: not fixed */
    bool integer, sign;
} types[WL_GGUF_TYPES] = {
    [WL_GGUF_U8] = {"uint8", 1, true, false},       [WL_GGUF_I8] = {"int8", 1, true, true},
    [WL_GGUF_U16] = {"uint16", 2, true, false},     [WL_GGUF_I16] = {"int16", 2, true, true},
    [WL_GGUF_U32] = {"uint32", 4, true, false},     [WL_GGUF_I32] = {"int32", 4, true, true},
    [WL_GGUF_F32] = {"float32", 4, false, true},    [WL_GGUF_BOOL] = {"bool", 1, false, false},
    [WL_GGUF_STRING] = {"string", 0, false, false}, [WL_GGUF_ARRAY] = {"array", 0, false, false},
    [WL_GGUF_U64] = {"uint64", 8, true, false},     [WL_GGUF_I64] = {"int64", 8, true, true},
    [WL_GGUF_F64] = {"float64", 8, false, true},
};

/* ---- numbers and strings ----------------------------------------------------------------------------------------- */

/* A number of size bytes at *at, which moves behind it. */
static wl_status read_bits(const wl_gguf *gguf, uint64_t *at, size_t size, uint64_t *bits, wl_error *error)
{
    unsigned char bytes[8];
    *bits = 0;
    if (wl_reader_read(gguf->reader, *at, bytes, size, error)) return error->code;
    *at += size;
    for (size_t i = 0; i < size; i++) *bits |= (uint64_t)bytes[i] << 8 * i;
    return WL_OK;
}

/* The length of a string, which lies in the file and has at most so many bytes; *at moves behind the length. */
static wl_status read_length(const wl_gguf *gguf, uint64_t *at, uint64_t most, const char *what, size_t *length,
                             wl_error *error)
{
    uint64_t begin = *at, given;
    *length = 0;
    if (read_bits(gguf, at, 8, &given, error)) return error->code;
    uint64_t left = gguf->reader->size - *at;
    if (given > left)
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, begin, 0,
                          "%s has %" PRIu64 " bytes, more than the file's rest of %" PRIu64, what, given, left);
    if (given > most)
        return wl_fail_at(error, WL_ERROR_LIMIT, gguf->reader->name, begin, 0,
                          "%s has %" PRIu64 " bytes, expected at most %" PRIu64, what, given, most);
    *length = (size_t)given;
    return WL_OK;
}

static wl_status read_text(const wl_gguf *gguf, uint64_t *at, uint64_t most, const char *what, wl_buffer *text,
                           wl_error *error)
{
    size_t length;
    if (read_length(gguf, at, most, what, &length, error) || wl_buffer_reserve(text, length, error) ||
        wl_reader_read(gguf->reader, *at, text->data + text->size, length, error))
        return error->code;
    text->size += length;
    *at += length;
    return WL_OK;
}

/* A name: no NUL in it. */
static wl_status read_name(const wl_gguf *gguf, uint64_t *at, const char *what, wl_buffer *name, wl_error *error)
{
    uint64_t begin = *at;
    name->size = 0;
    if (read_text(gguf, at, NAME_MOST, what, name, error)) return error->code;
    if (!name->size || !memchr(name->data, 0, name->size)) return WL_OK;
    return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, begin, 0, "%s has a NUL in it", what);
}

/* ---- keys and values --------------------------------------------------------------------------------------------- */

/* The place behind the elements of a value. */
static wl_status skip_elements(const wl_gguf *gguf, const wl_gguf_value *value, uint64_t *at, wl_error *error)
{
    uint64_t size = types[value->type].size, left = gguf->reader->size - *at;
    if (value->count > left / (size ? size : 8))
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, *at, 0,
                          "\"%.100s\" has %" PRIu64 " elements of type %s, more than the file's rest of %" PRIu64
                          " bytes",
                          value->key, value->count, types[value->type].name, left);
    if (size) {
        *at += value->count * size;
        return WL_OK;
    }
    for (uint64_t i = 0; i < value->count; i++) {
        size_t length;
        if (read_length(gguf, at, UINT64_MAX, value->key, &length, error)) return error->code;
        *at += length;
    }
    return WL_OK;
}

static wl_status read_type(const wl_gguf *gguf, uint64_t *at, const char *key, wl_gguf_type *type, wl_error *error)
{
    uint64_t begin = *at, number;
    if (read_bits(gguf, at, 4, &number, error)) return error->code;
    if (number >= WL_GGUF_TYPES)
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, begin, 0,
                          "\"%.100s\" has the type %" PRIu64 ", expected 0 to %d", key, number, WL_GGUF_TYPES - 1);
    *type = (wl_gguf_type)number;
    return WL_OK;
}

static wl_status read_value(wl_gguf *gguf, uint64_t *at, wl_buffer *name, wl_error *error)
{
    if (read_name(gguf, at, "a key", name, error)) return error->code;
    void *array = gguf->values;
    wl_status status = wl_reserve(&array, &gguf->capacity, gguf->count + 1, sizeof *gguf->values, error);
    gguf->values = array;
    char *key = status ? NULL : wl_copy_text(name->data, name->size, error);
    if (!key) return WL_ERROR_MEMORY;
    wl_gguf_value *value = &gguf->values[gguf->count++];
    *value = (wl_gguf_value){.key = key, .count = 1};
    if (read_type(gguf, at, key, &value->type, error)) return error->code;
    if (value->type == WL_GGUF_ARRAY) {
        value->array = true;
        if (read_type(gguf, at, key, &value->type, error) || read_bits(gguf, at, 8, &value->count, error))
            return error->code;
        if (value->type == WL_GGUF_ARRAY)
            return wl_fail_at(error, WL_ERROR_UNSUPPORTED, gguf->reader->name, *at, 0,
                              "\"%.100s\" is an array of arrays", key);
    }
    value->at = *at;
    return skip_elements(gguf, value, at, error);
}

static int compare_values(const void *a, const void *b)
{
    return strcmp(((const wl_gguf_value *)a)->key, ((const wl_gguf_value *)b)->key);
}

static wl_status read_values(wl_gguf *gguf, uint64_t count, uint64_t *at, wl_error *error)
{
    wl_buffer name = {0};
    wl_status status = WL_OK;
    for (uint64_t i = 0; i < count && !status; i++) status = read_value(gguf, at, &name, error);
    wl_buffer_free(&name);
    if (status) return status;
    if (gguf->count > 1) qsort(gguf->values, gguf->count, sizeof *gguf->values, compare_values);
    for (size_t i = 1; i < gguf->count; i++)
        if (strcmp(gguf->values[i - 1].key, gguf->values[i].key) == 0)
            return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, gguf->values[i].at, 0,
                              "expected each key once, found \"%.100s\" twice", gguf->values[i].key);
    return WL_OK;
}

static int compare_key(const void *key, const void *value)
{
    return strcmp(key, ((const wl_gguf_value *)value)->key);
}

const wl_gguf_value *wl_gguf_find(const wl_gguf *gguf, const char *key)
{
    if (!gguf->count) return NULL;
    return bsearch(key, gguf->values, gguf->count, sizeof *gguf->values, compare_key);
}

static wl_status fail_type(const wl_gguf *gguf, const wl_gguf_value *value, const char *expected, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, value->at, 0, "\"%.100s\" is %s%s, expected %s",
                      value->key, value->array ? "an array of " : "a ", types[value->type].name, expected);
}

wl_status wl_gguf_unsigned(const wl_gguf *gguf, const char *key, uint64_t *value, wl_error *error)
{
    const wl_gguf_value *found = wl_gguf_find(gguf, key);
    if (!found) return WL_OK;
    if (found->array || !types[found->type].integer) return fail_type(gguf, found, "a whole number", error);
    uint64_t at = found->at, bits, size = types[found->type].size;
    if (read_bits(gguf, &at, size, &bits, error)) return error->code;
    if (types[found->type].sign && bits >> (8 * size - 1))
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, found->at, 0,
                          "\"%.100s\" is a negative number, expected one from 0 on", key);
    *value = bits;
    return WL_OK;
}

wl_status wl_gguf_boolean(const wl_gguf *gguf, const char *key, bool *value, wl_error *error)
{
    const wl_gguf_value *found = wl_gguf_find(gguf, key);
    if (!found) return WL_OK;
    if (found->array || found->type != WL_GGUF_BOOL) return fail_type(gguf, found, "a bool", error);
    uint64_t at = found->at, bits;
    if (read_bits(gguf, &at, 1, &bits, error)) return error->code;
    if (bits > 1)
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, found->at, 0,
                          "\"%.100s\" is a bool of %" PRIu64 ", expected 0 or 1", key, bits);
    *value = bits;
    return WL_OK;
}

wl_status wl_gguf_string(const wl_gguf *gguf, const char *key, wl_buffer *value, wl_error *error)
{
    const wl_gguf_value *found = wl_gguf_find(gguf, key);
    if (!found) return WL_OK;
    if (found->array || found->type != WL_GGUF_STRING) return fail_type(gguf, found, "a string", error);
    uint64_t at = found->at;
    return read_text(gguf, &at, STRING_MOST, key, value, error);
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

wl_status wl_gguf_array(const wl_gguf *gguf, const char *key, wl_gguf_walk *walk, wl_error *error)
{
    const wl_gguf_value *found = wl_gguf_find(gguf, key);
    *walk = (wl_gguf_walk){.gguf = gguf, .value = found};
    if (!found) return WL_OK;
    if (!found->array) return fail_type(gguf, found, "an array", error);
    walk->at = found->at;
    walk->left = found->count;
    return WL_OK;
}

static wl_status fail_end(const wl_gguf_walk *walk, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_FORMAT, walk->gguf->reader->name, walk->at, 0,
                      "\"%.100s\" has %" PRIu64 " elements, expected more", walk->value ? walk->value->key : "",
                      walk->value ? walk->value->count : 0);
}

wl_status wl_gguf_next_string(wl_gguf_walk *walk, wl_buffer *text, wl_error *error)
{
    if (!walk->left) return fail_end(walk, error);
    if (walk->value->type != WL_GGUF_STRING) return fail_type(walk->gguf, walk->value, "an array of strings", error);
    text->size = 0;
    walk->left--;
    return read_text(walk->gguf, &walk->at, STRING_MOST, walk->value->key, text, error);
}

wl_status wl_gguf_next_number(wl_gguf_walk *walk, double *number, wl_error *error)
{
    if (!walk->left) return fail_end(walk, error);
    wl_gguf_type type = walk->value->type;
    size_t size = types[type].size;
    if (!types[type].integer && type != WL_GGUF_F32 && type != WL_GGUF_F64)
        return fail_type(walk->gguf, walk->value, "an array of numbers", error);
    uint64_t bits;
    walk->left--;
    if (read_bits(walk->gguf, &walk->at, size, &bits, error)) return error->code;
    if (types[type].integer) {
        uint64_t high = UINT64_C(1) << (8 * size - 1);
        *number = types[type].sign && bits & high ? -(double)(high - (bits ^ high)) : (double)bits;
    } else if (type == WL_GGUF_F32)
        *number = (double)wl_float_of((uint32_t)bits);
    else
        memcpy(number, &bits, sizeof *number);
    return WL_OK;
}

/* ---- tensors ----------------------------------------------------------------------------------------------------- */

/* One entry of the list. tensor->offset becomes the place among the data. */
static wl_status read_tensor(const wl_gguf *gguf, uint64_t *at, wl_buffer *name, wl_tensors *tensors, wl_error *error)
{
    uint64_t rank, type, begin = *at;
    if (read_name(gguf, at, "the name of a tensor", name, error)) return error->code;
    wl_stored *tensor = wl_tensors_add(tensors, (wl_text){name->data, name->size}, error);
    if (!tensor || read_bits(gguf, at, 4, &rank, error)) return error->code;
    if (rank > RANK_MOST)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, gguf->reader->name, begin, 0,
                          "tensor \"%.100s\" has %" PRIu64 " dimensions, expected at most %d", tensor->name, rank,
                          RANK_MOST);
    tensor->rank = (uint32_t)rank;
    for (uint32_t i = tensor->rank; i-- > 0;)
        if (read_bits(gguf, at, 8, &tensor->shape[i], error)) return error->code;
    if (read_bits(gguf, at, 4, &type, error) || read_bits(gguf, at, 8, &tensor->offset, error)) return error->code;
    const char *known = wl_ggml_name((uint32_t)type);
    tensor->encoding = wl_encoding_of_ggml((uint32_t)type);
    if (known)
        snprintf(tensor->type, sizeof tensor->type, "%s", known);
    else
        snprintf(tensor->type, sizeof tensor->type, "ggml %" PRIu32, (uint32_t)type);
    return WL_OK;
}

static wl_status place_tensor(const wl_gguf *gguf, wl_stored *tensor, uint64_t data, uint64_t alignment,
                              wl_error *error)
{
    const wl_reader *reader = gguf->reader;
    uint64_t offset = tensor->offset;
    if (offset % alignment)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0,
                          "tensor \"%.100s\" begins at data byte %" PRIu64 ", expected a multiple of %" PRIu64,
                          tensor->name, offset, alignment);
    if (data > reader->size || offset > reader->size - data)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, reader->size, 0,
                          "the file ends at byte %" PRIu64 ", expected tensor \"%.100s\" at byte %" PRIu64
                          " of the data, "
                          "which begins at %" PRIu64,
                          reader->size, tensor->name, offset, data);
    tensor->offset = data + offset;
    return tensor->encoding ? wl_stored_place(tensor, data + offset, reader, error) : WL_OK;
}

typedef struct place {
    const wl_stored *tensor;
} place;

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const place *)a)->tensor->name, ((const place *)b)->tensor->name);
}

static int compare_places(const void *a, const void *b)
{
    const wl_stored *first = ((const place *)a)->tensor, *second = ((const place *)b)->tensor;
    return (first->offset > second->offset) - (first->offset < second->offset);
}

/* Names stand once, and no two tensors share a byte; how long one of an unknown type is nobody knows. */
static wl_status check_tensors(const wl_gguf *gguf, const wl_stored *tensors, size_t count, wl_error *error)
{
    place *sorted = wl_allocate(count, sizeof *sorted, error);
    wl_status status = WL_OK;
    size_t placed = 0;
    if (!sorted) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < count; i++) sorted[i].tensor = &tensors[i];
    qsort(sorted, count, sizeof *sorted, compare_names);
    for (size_t i = 1; i < count && !status; i++)
        if (strcmp(sorted[i - 1].tensor->name, sorted[i].tensor->name) == 0)
            status = wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, WL_NO_POSITION, 0,
                                "expected each tensor once, found \"%.100s\" twice", sorted[i].tensor->name);
    for (size_t i = 0; i < count; i++)
        if (tensors[i].bytes) sorted[placed++].tensor = &tensors[i];
    qsort(sorted, placed, sizeof *sorted, compare_places);
    for (size_t i = 1; i < placed && !status; i++) {
        const wl_stored *before = sorted[i - 1].tensor, *tensor = sorted[i].tensor;
        if (tensor->offset - before->offset < before->bytes)
            status = wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, tensor->offset, 0,
                                "tensor \"%.100s\" begins inside of \"%.100s\"", tensor->name, before->name);
    }
    free(sorted);
    return status;
}

static wl_status read_tensors(const wl_gguf *gguf, uint64_t count, uint64_t at, wl_tensors *tensors, wl_error *error)
{
    wl_buffer name = {0};
    wl_status status = WL_OK;
    size_t before = tensors->count;
    uint64_t alignment = 32;
    for (uint64_t i = 0; i < count && !status; i++) status = read_tensor(gguf, &at, &name, tensors, error);
    wl_buffer_free(&name);
    if (!status) status = wl_gguf_unsigned(gguf, "general.alignment", &alignment, error);
    if (status) return status;
    if (!alignment || alignment & (alignment - 1) || alignment > ALIGN_MOST)
        return wl_fail_at(error, WL_ERROR_FORMAT, gguf->reader->name, WL_NO_POSITION, 0,
                          "\"general.alignment\" is %" PRIu64 ", expected a power of two up to %" PRIu64, alignment,
                          ALIGN_MOST);
    uint64_t data = (at + alignment - 1) & ~(alignment - 1);
    for (size_t i = before; i < tensors->count && !status; i++)
        status = place_tensor(gguf, &tensors->items[i], data, alignment, error);
    if (status || tensors->count == before) return status;
    return check_tensors(gguf, tensors->items + before, tensors->count - before, error);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status read_header(const wl_gguf *gguf, uint64_t *at, uint64_t *tensors, uint64_t *values, wl_error *error)
{
    const wl_reader *reader = gguf->reader;
    uint64_t magic, version;
    if (read_bits(gguf, at, 4, &magic, error) || read_bits(gguf, at, 4, &version, error)) return error->code;
    if (magic != 0x46554747) /* "GGUF" */
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, 0, 0, "is no GGUF file");
    if (!(version & 0xFFFF))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, 4, 0,
                          "is a big-endian GGUF file, expected a little-endian one");
    if (version < 2 || version > 3)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, 4, 0,
                          "is a GGUF file of version %" PRIu64 ", expected 2 or 3", version);
    if (read_bits(gguf, at, 8, tensors, error) || read_bits(gguf, at, 8, values, error)) return error->code;
    uint64_t left = reader->size - *at;
    if (*tensors > left / TENSOR_LEAST || *values > left / VALUE_LEAST)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, 8, 0,
                          "says that it has %" PRIu64 " tensors and %" PRIu64 " keys, more than %" PRIu64
                          " bytes can hold",
                          *tensors, *values, left);
    return WL_OK;
}

wl_status wl_gguf_open(wl_gguf *gguf, wl_reader *reader, wl_tensors *tensors, wl_error *error)
{
    uint64_t at = 0, tensor_count = 0, value_count = 0;
    *gguf = (wl_gguf){.reader = reader, .parts = 1};
    if (read_header(gguf, &at, &tensor_count, &value_count, error) || read_values(gguf, value_count, &at, error) ||
        read_tensors(gguf, tensor_count, at, tensors, error) ||
        wl_gguf_unsigned(gguf, "split.no", &gguf->part, error) ||
        wl_gguf_unsigned(gguf, "split.count", &gguf->parts, error))
        return error->code;
    if (!gguf->parts) gguf->parts = 1;
    if (gguf->part >= gguf->parts)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0,
                          "\"split.no\" is %" PRIu64 ", expected less than \"split.count\", which is %" PRIu64,
                          gguf->part, gguf->parts);
    return WL_OK;
}

void wl_gguf_close(wl_gguf *gguf)
{
    for (size_t i = 0; i < gguf->count; i++) free(gguf->values[i].key);
    free(gguf->values);
    *gguf = (wl_gguf){0};
}
