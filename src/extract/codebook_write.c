#include "extract/codebook_write.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/half.h"
#include "format/safetensors_write.h"
#include "model/paths.h"
#include "vector/kernels.h"

enum { BLOCK = 1 << 15 }; /* numbers rounded at a time */

static const struct {
    wl_dtype dtype;
    const char *name;
    uint16_t exponent; /* its bits, all set where the number is not finite; 0: numbers are written as they are */
} kinds[] = {
    [WL_STORE_F16] = {WL_F16, "F16", 0x7C00},
    [WL_STORE_BF16] = {WL_BF16, "BF16", 0x7F80},
    [WL_STORE_F32] = {WL_F32, "F32", 0},
};

wl_status wl_codebook_writer_open(wl_codebook_writer *writer, const char *path, uint64_t rows, uint64_t dim,
                                  wl_stored_as stored_as, const char *const *metadata, size_t pairs, wl_error *error)
{
    *writer = (wl_codebook_writer){.stored_as = stored_as, .rows = rows, .dim = dim};
    if ((size_t)stored_as >= sizeof kinds / sizeof *kinds)
        return wl_fail(error, WL_ERROR_ARGUMENT, "unknown type to store numbers as, %d", (int)stored_as);
    uint64_t size = wl_dtype_size(kinds[stored_as].dtype);
    if (!rows || !dim || dim > (uint64_t)INT64_MAX / size / rows)
        return wl_fail(error, WL_ERROR_ARGUMENT, "a codebook of %" PRIu64 " x %" PRIu64 " numbers cannot be written",
                       rows, dim);
    char name[] = "embedding.weight";
    wl_tensor tensor = {.name = name, .dtype = kinds[stored_as].dtype, .rank = 2, .shape = {rows, dim}};
    tensor.count = rows * dim;
    tensor.bytes = (size_t)(tensor.count * size);
    wl_buffer header = {0};
    wl_status status = wl_safetensors_header(&tensor, 1, metadata, pairs, &header, error);
    if (!status && kinds[stored_as].exponent) {
        writer->halves = wl_allocate(BLOCK, sizeof *writer->halves, error);
        status = writer->halves ? WL_OK : WL_ERROR_MEMORY;
    }
    if (!status) status = wl_replacement_open(&writer->file, path, error);
    if (!status && fwrite(header.data, 1, header.size, writer->file.stream) != header.size)
        status = wl_fail_errno(error, path, "write", errno);
    wl_buffer_free(&header);
    if (status) wl_codebook_writer_abandon(writer);
    return status;
}

static wl_status put(wl_codebook_writer *writer, const void *data, size_t size, size_t count, wl_error *error)
{
    if (fwrite(data, size, count, writer->file.stream) == count) return WL_OK;
    return wl_fail_errno(error, writer->file.path, "write", errno);
}

/* The first finite number that is not finite any more. */
static wl_status fail_overflow(const wl_codebook_writer *writer, const float *values, uint64_t at, wl_error *error)
{
    size_t i = 0;
    while (!isfinite(values[i]) ||
           (writer->halves[i] & kinds[writer->stored_as].exponent) != kinds[writer->stored_as].exponent)
        i++;
    at += i;
    return wl_fail_at(error, WL_ERROR_LIMIT, writer->file.path, WL_NO_POSITION, 0,
                      "row %" PRIu64 ", column %" PRIu64 " is %g, which %s cannot hold", at / writer->dim,
                      at % writer->dim, (double)values[i], kinds[writer->stored_as].name);
}

wl_status wl_codebook_writer_rows(wl_codebook_writer *writer, const float *rows, size_t count, wl_error *error)
{
    if (count > writer->rows - writer->written)
        return wl_fail(error, WL_ERROR_ARGUMENT, "%zu rows for a codebook that has room for %" PRIu64, count,
                       writer->rows - writer->written);
    size_t numbers = count * (size_t)writer->dim;
    uint64_t begin = writer->written * writer->dim;
    writer->written += count;
    if (!writer->halves) return put(writer, rows, sizeof *rows, numbers, error);
    uint16_t exponent = kinds[writer->stored_as].exponent;
    for (size_t at = 0; at < numbers; at += BLOCK) {
        size_t part = numbers - at < BLOCK ? numbers - at : BLOCK;
        uint32_t before = 0, after = 0;
        if (writer->stored_as == WL_STORE_F16)
            wl_kernels_best()->halves(rows + at, part, writer->halves);
        else
            wl_f32_to_bf16_array(rows + at, part, writer->halves);
        for (size_t i = 0; i < part; i++) {
            before += (wl_float_bits(rows[at + i]) & 0x7F800000) == 0x7F800000;
            after += (writer->halves[i] & exponent) == exponent;
        }
        if (after != before) return fail_overflow(writer, rows + at, begin + at, error);
        if (put(writer, writer->halves, sizeof *writer->halves, part, error)) return error->code;
    }
    return WL_OK;
}

wl_status wl_codebook_writer_commit(wl_codebook_writer *writer, wl_error *error)
{
    wl_status status = WL_OK;
    if (writer->written < writer->rows)
        status = wl_fail(error, WL_ERROR_ARGUMENT, "%" PRIu64 " rows were written of %" PRIu64, writer->written,
                         writer->rows);
    if (!status) status = wl_replacement_commit(&writer->file, error);
    wl_codebook_writer_abandon(writer);
    return status;
}

void wl_codebook_writer_abandon(wl_codebook_writer *writer)
{
    wl_replacement_abandon(&writer->file);
    free(writer->halves);
    *writer = (wl_codebook_writer){0};
}

/* ---- the tokenizer ----------------------------------------------------------------------------------------------- */

static wl_status compare(const char *path, const char *json, size_t size, bool *same, wl_error *error)
{
    wl_mapping mapping;
    if (wl_mapping_open(&mapping, path, error)) return error->code;
    *same = mapping.size == size && memcmp(mapping.data, json, size) == 0;
    wl_mapping_close(&mapping);
    return WL_OK;
}

static wl_status write_file(const char *path, const char *json, size_t size, wl_error *error)
{
    wl_replacement file;
    if (wl_replacement_open(&file, path, error)) return error->code;
    if (fwrite(json, 1, size, file.stream) == size) return wl_replacement_commit(&file, error);
    wl_fail_errno(error, path, "write", errno);
    wl_replacement_abandon(&file);
    return error->code;
}

wl_status wl_codebook_write_tokenizer(const char *codebook_path, const char *json, size_t size,
                                      char written[WL_TOKENIZER_PATH], wl_error *error)
{
    char *own = wl_tokenizer_path(codebook_path, true, error);
    char *shared = own ? wl_tokenizer_path(codebook_path, false, error) : NULL;
    wl_status status = shared ? WL_OK : WL_ERROR_MEMORY;
    const char *path = shared;
    bool same = false;
    if (!status && wl_path_exists(own)) {
        path = own;
        status = compare(own, json, size, &same, error);
    } else if (!status && wl_path_exists(shared)) {
        status = compare(shared, json, size, &same, error);
        if (!same) path = own;
    }
    if (!status && strlen(path) >= WL_TOKENIZER_PATH)
        status = wl_fail_at(error, WL_ERROR_LIMIT, path, WL_NO_POSITION, 0, "the path is too long");
    if (!status && !same) status = write_file(path, json, size, error);
    if (!status) memcpy(written, path, strlen(path) + 1);
    free(own);
    free(shared);
    return status;
}
