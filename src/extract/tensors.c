#include "extract/tensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

wl_stored *wl_tensors_add(wl_tensors *tensors, wl_text name, wl_error *error)
{
    void *items = tensors->items;
    wl_status status = wl_reserve(&items, &tensors->capacity, tensors->count + 1, sizeof *tensors->items, error);
    tensors->items = items;
    char *copy = status ? NULL : wl_copy_text(name.data, name.size, error);
    if (!copy) return NULL;
    wl_stored *tensor = &tensors->items[tensors->count++];
    *tensor = (wl_stored){.name = copy};
    for (uint32_t i = 0; i < WL_STORED_RANK; i++) tensor->shape[i] = 1;
    return tensor;
}

wl_status wl_stored_place(wl_stored *tensor, uint64_t offset, const wl_reader *reader, wl_error *error)
{
    const wl_encoding *encoding = tensor->encoding;
    uint64_t count = 1, innermost = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
    for (uint32_t i = 0; i < tensor->rank; i++) {
        if (tensor->shape[i] && count > INT64_MAX / tensor->shape[i])
            return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0,
                              "tensor \"%.100s\" has a shape of more than 2^63 elements", tensor->name);
        count *= tensor->shape[i];
    }
    if (innermost % encoding->elements)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, WL_NO_POSITION, 0,
                          "tensor \"%.100s\" has rows of %" PRIu64 " elements, but %s comes in blocks of %" PRIu32,
                          tensor->name, innermost, encoding->name, encoding->elements);
    uint64_t blocks = count / encoding->elements;
    if (offset > reader->size || blocks > (reader->size - offset) / encoding->bytes)
        return wl_fail_at(error, WL_ERROR_FORMAT, reader->name, reader->size, 0,
                          "the file ends at byte %" PRIu64 ", expected %" PRIu64 " blocks of %" PRIu32
                          " bytes of tensor \"%.100s\" from byte %" PRIu64,
                          reader->size, blocks, encoding->bytes, tensor->name, offset);
    tensor->offset = offset;
    tensor->bytes = blocks * encoding->bytes;
    return WL_OK;
}

wl_status wl_stored_locate(wl_stored *tensor, wl_reader *reader, wl_error *error)
{
    uint64_t begin;
    if (!tensor->entry.end) return WL_OK;
    if (wl_zip_locate(&tensor->entry, reader, &begin, error)) return error->code;
    tensor->entry = (wl_zip_place){0};
    return wl_stored_place(tensor, begin + tensor->within, reader, error);
}

const wl_stored *wl_tensors_find(const wl_tensors *tensors, const char *name)
{
    for (size_t i = 0; i < tensors->count; i++)
        if (strcmp(tensors->items[i].name, name) == 0) return &tensors->items[i];
    return NULL;
}

void wl_tensors_free(wl_tensors *tensors)
{
    for (size_t i = 0; i < tensors->count; i++) free(tensors->items[i].name);
    free(tensors->items);
    *tensors = (wl_tensors){0};
}
