#include "train/targets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "format/half.h"
#include "format/npy_read.h"

struct wl_targets {
    wl_safetensors file; /* holds the mapping and the path of a .npy too */
    const char *data;
    wl_dtype dtype;
    size_t rows, dim;
};

/* ---- reading numbers --------------------------------------------------------------------------------------------- */

static void decode_f32(const char *in, size_t count, float *out)
{
    memcpy(out, in, count * sizeof *out);
}

static void decode_f16(const char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, 2);
        out[i] = wl_f16_to_f32(half);
    }
}

static void decode_bf16(const char *in, size_t count, float *out)
{
    for (size_t i = 0; i < count; i++) {
        uint16_t half;
        memcpy(&half, in + 2 * i, 2);
        out[i] = wl_bf16_to_f32(half);
    }
}

static void (*const decoders[WL_DTYPES])(const char *in, size_t count, float *out) = {
    [WL_F32] = decode_f32, [WL_F16] = decode_f16, [WL_BF16] = decode_bf16};

void wl_targets_read(const wl_targets *targets, const uint64_t *rows, size_t count, float *out)
{
    size_t row_size = targets->dim * wl_dtype_size(targets->dtype);
    for (size_t i = 0; i < count; i++)
        decoders[targets->dtype](targets->data + rows[i] * row_size, targets->dim, out + i * targets->dim);
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static wl_status take_array(wl_targets *this, const char *tensor, wl_error *error)
{
    const wl_safetensors *file = &this->file;
    wl_npy_array array;
    if (wl_npy_read(file->mapping.data, file->mapping.size, file->path, &array, error)) return error->code;
    if (tensor)
        return wl_fail_at(error, WL_ERROR_NOT_FOUND, file->path, WL_NO_POSITION, 0,
                          "no tensor \"%.100s\": a .npy has one array, without a name", tensor);
    this->data = file->mapping.data + array.offset;
    this->dtype = array.dtype;
    this->rows = (size_t)array.rows;
    this->dim = (size_t)array.columns;
    return WL_OK;
}

/* The one that is named, or else the only one of two dimensions. */
static const wl_tensor *find_tensor(const wl_safetensors *file, const char *name, wl_error *error)
{
    const wl_tensor *found = name ? wl_safetensors_find(file, name) : NULL;
    size_t count = 0;
    for (size_t i = 0; i < file->count && !name; i++)
        if (file->tensors[i].rank == 2) {
            found = &file->tensors[i];
            count++;
        }
    if (name && !found)
        wl_fail_at(error, WL_ERROR_NOT_FOUND, file->path, WL_NO_POSITION, 0, "no tensor \"%.100s\"", name);
    else if (!name && count != 1)
        wl_fail_at(error, WL_ERROR_ARGUMENT, file->path, WL_NO_POSITION, 0,
                   "%zu tensors of 2 dimensions, expected 1, or the name of one", count);
    else
        return found;
    return NULL;
}

static wl_status take_tensor(wl_targets *this, const char *name, wl_error *error)
{
    if (wl_safetensors_parse(&this->file, error)) return error->code;
    const wl_tensor *tensor = find_tensor(&this->file, name, error);
    if (!tensor) return error->code;
    if (tensor->rank != 2 || !decoders[tensor->dtype])
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, this->file.path, tensor->offset, 0,
                          "tensor \"%.100s\" is %s of %" PRIu32 " dimensions, expected F32, F16 or BF16 of 2",
                          tensor->name, wl_dtype_name(tensor->dtype), tensor->rank);
    this->data = tensor->data;
    this->dtype = tensor->dtype;
    this->rows = (size_t)tensor->shape[0];
    this->dim = (size_t)tensor->shape[1];
    return WL_OK;
}

wl_targets *wl_targets_open(const char *path, const char *tensor, wl_error *error)
{
    wl_targets *this = wl_allocate(1, sizeof *this, error);
    if (!this) return NULL;
    wl_safetensors *file = &this->file;
    file->path = wl_copy_text(path, strlen(path), error);
    wl_status status = file->path ? wl_mapping_open(&file->mapping, path, error) : WL_ERROR_MEMORY;
    if (!status)
        status = wl_npy_is(file->mapping.data, file->mapping.size) ? take_array(this, tensor, error)
                                                                   : take_tensor(this, tensor, error);
    if (!status && (!this->rows || !this->dim || this->dim > INT32_MAX))
        status = wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0,
                            "%zu rows of %zu numbers, expected at least 1 of 1 to 2^31 - 1", this->rows, this->dim);
    if (!status) return this;
    wl_targets_close(this);
    return NULL;
}

void wl_targets_close(wl_targets *targets)
{
    if (!targets) return;
    wl_safetensors_close(&targets->file);
    free(targets);
}

size_t wl_targets_rows(const wl_targets *targets)
{
    return targets->rows;
}

size_t wl_targets_dim(const wl_targets *targets)
{
    return targets->dim;
}
