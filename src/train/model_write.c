#include "train/model_write.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "format/safetensors_write.h"
#include "vector/kernels.h"

static wl_status put(wl_model_writer *writer, const void *data, size_t size, size_t count, wl_error *error)
{
    if (fwrite(data, size, count, writer->file.stream) == count) return WL_OK;
    return wl_fail_errno(error, writer->file.path, "write", errno);
}

static wl_tensor describe(char *name, wl_dtype dtype, uint64_t rows, uint64_t dim)
{
    wl_tensor tensor = {.name = name, .dtype = dtype, .rank = dim ? 2 : 1, .shape = {rows, dim}};
    tensor.count = rows * (dim ? dim : 1);
    tensor.bytes = (size_t)(tensor.count * wl_dtype_size(dtype));
    return tensor;
}

/* Tensors stand in the order that their alignment asks for, so each is written at its place. */
static wl_status put_header(wl_model_writer *writer, const char *const *metadata, size_t pairs, wl_error *error)
{
    const wl_model_shape *shape = &writer->shape;
    bool bytes = shape->save_as == WL_SAVE_I8;
    char table[32], weights[] = "weights";
    snprintf(table, sizeof table, "%s", shape->table);
    wl_tensor tensors[] = {describe(table, bytes ? WL_I8 : WL_F16, shape->rows, shape->dim),
                           describe(weights, WL_F32, shape->rows, 0)};
    size_t count = bytes ? 2 : 1;
    wl_buffer header = {0};
    wl_status status = wl_safetensors_header(tensors, count, metadata, pairs, &header, error);
    for (size_t i = 0; i < count; i++)
        *(tensors[i].name == table ? &writer->table_at : &writer->scales_at) = header.size + tensors[i].offset;
    if (!status) status = put(writer, header.data, 1, header.size, error);
    wl_buffer_free(&header);
    return status;
}

static wl_status go_to(wl_model_writer *writer, uint64_t place, wl_error *error)
{
    if (fseeko(writer->file.stream, (off_t)place, SEEK_SET) == 0) return WL_OK;
    return wl_fail_errno(error, writer->file.path, "write", errno);
}

wl_status wl_model_writer_open(wl_model_writer *writer, const char *path, const wl_model_shape *shape,
                               const char *const *metadata, size_t pairs, wl_error *error)
{
    *writer = (wl_model_writer){.shape = *shape};
    writer->numbers = wl_allocate(shape->dim, sizeof(uint16_t), error);
    writer->scales = writer->numbers ? wl_allocate((size_t)shape->rows, sizeof *writer->scales, error) : NULL;
    wl_status status = writer->scales ? wl_replacement_open(&writer->file, path, error) : WL_ERROR_MEMORY;
    if (!status) status = put_header(writer, metadata, pairs, error);
    if (!status) status = go_to(writer, writer->table_at, error);
    if (status) wl_model_writer_abandon(writer);
    return status;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static wl_status fail_number(const wl_model_writer *writer, size_t column, float value, wl_error *error)
{
    return wl_fail_at(error, WL_ERROR_LIMIT, writer->file.path, WL_NO_POSITION, 0,
                      "row %" PRIu64 ", column %zu is %g, which %s cannot hold", writer->written, column, (double)value,
                      writer->shape.save_as == WL_SAVE_I8 ? "I8" : "F16");
}

static wl_status put_halves(wl_model_writer *writer, const float *row, wl_error *error)
{
    enum { EXPONENT = 0x7C00 }; /* all set where the number is not finite */
    uint16_t *halves = writer->numbers;
    wl_kernels_best()->halves(row, writer->shape.dim, halves);
    for (size_t i = 0; i < writer->shape.dim; i++)
        if ((halves[i] & EXPONENT) == EXPONENT) return fail_number(writer, i, row[i], error);
    return put(writer, halves, sizeof *halves, writer->shape.dim, error);
}

/* The number of the largest magnitude becomes 127, or -127; the others are rounded to nearest even. A row's own scale
 * keeps small rows, those of frequent words, as exact as large ones. */
static wl_status put_bytes(wl_model_writer *writer, const float *row, wl_error *error)
{
    int8_t *bytes = writer->numbers;
    float largest = 0;
    for (size_t i = 0; i < writer->shape.dim; i++) {
        if (!isfinite(row[i])) return fail_number(writer, i, row[i], error);
        largest = fmaxf(largest, fabsf(row[i]));
    }
    float scale = largest / 127;
    /* Of numbers too small for that, nothing is left. */
    float inverse = scale >= 1e-37F ? 1 / scale : 0;
    for (size_t i = 0; i < writer->shape.dim; i++) bytes[i] = (int8_t)fmaxf(-127, fminf(127, rintf(row[i] * inverse)));
    writer->scales[writer->written] = scale;
    return put(writer, bytes, sizeof *bytes, writer->shape.dim, error);
}

wl_status wl_model_writer_rows(wl_model_writer *writer, const float *rows, size_t stride, size_t count, wl_error *error)
{
    for (size_t i = 0; i < count; i++, writer->written++) {
        const float *row = rows + i * stride;
        if (writer->shape.save_as == WL_SAVE_I8 ? put_bytes(writer, row, error) : put_halves(writer, row, error))
            return error->code;
    }
    return WL_OK;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

wl_status wl_model_writer_finish(wl_model_writer *writer, wl_error *error)
{
    wl_status status = WL_OK;
    if (writer->shape.save_as == WL_SAVE_I8) {
        status = go_to(writer, writer->scales_at, error);
        if (!status) status = put(writer, writer->scales, sizeof *writer->scales, (size_t)writer->shape.rows, error);
    }
    if (!status && (fflush(writer->file.stream) != 0 || fsync(fileno(writer->file.stream)) != 0))
        status = wl_fail_errno(error, writer->file.path, "write", errno);
    return status;
}

wl_status wl_model_writer_commit(wl_model_writer *writer, wl_error *error)
{
    return wl_replacement_commit(&writer->file, error);
}

void wl_model_writer_abandon(wl_model_writer *writer)
{
    wl_replacement_abandon(&writer->file);
    free(writer->numbers);
    free(writer->scales);
    *writer = (wl_model_writer){0};
}
