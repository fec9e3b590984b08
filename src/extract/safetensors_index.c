#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/tensors.h"
#include "format/safetensors.h"

static const wl_encoding *const encodings[WL_DTYPES] = {
    [WL_F64] = &wl_encoding_f64,   [WL_F32] = &wl_encoding_f32,         [WL_F16] = &wl_encoding_f16,
    [WL_BF16] = &wl_encoding_bf16, [WL_F8_E4M3] = &wl_encoding_f8_e4m3, [WL_F8_E5M2] = &wl_encoding_f8_e5m2,
    [WL_I8] = &wl_encoding_i8,
};

static wl_status add_tensor(wl_tensors *tensors, const wl_tensor *source, const wl_reader *reader, wl_error *error)
{
    wl_stored *tensor = wl_tensors_add(tensors, (wl_text){source->name, strlen(source->name)}, error);
    if (!tensor) return WL_ERROR_MEMORY;
    tensor->encoding = encodings[source->dtype];
    snprintf(tensor->type, sizeof tensor->type, "%.15s", wl_dtype_name(source->dtype));
    tensor->rank = source->rank;
    for (uint32_t i = 0; i < source->rank; i++) tensor->shape[i] = source->shape[i];
    tensor->offset = source->offset;
    return tensor->encoding ? wl_stored_place(tensor, source->offset, reader, error) : WL_OK;
}

wl_status wl_read_safetensors(wl_reader *reader, wl_tensors *tensors, wl_error *error)
{
    char first[WL_SAFETENSORS_LENGTH];
    uint64_t length = 0;
    size_t known = reader->size < sizeof first ? 0 : sizeof first;
    if (wl_reader_read(reader, 0, first, known, error) ||
        wl_safetensors_length(reader->name, first, reader->size, &length, error))
        return error->code;
    wl_safetensors file = {.path = wl_copy_text(reader->name, strlen(reader->name), error)};
    char *header = file.path ? wl_allocate((size_t)length, 1, error) : NULL;
    wl_status status = header ? wl_reader_read(reader, sizeof first, header, (size_t)length, error) : WL_ERROR_MEMORY;
    if (!status) status = wl_safetensors_read_header(&file, header, (size_t)length, reader->size, error);
    for (size_t i = 0; i < file.count && !status; i++) status = add_tensor(tensors, &file.tensors[i], reader, error);
    free(header);
    wl_safetensors_close(&file);
    return status;
}
