#include "extract/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "extract/names.h"

/* ---- which tensor ------------------------------------------------------------------------------------------------ */

static wl_status choose(const wl_tensors *tensors, const wl_table_request *request, const char *where, size_t *place,
                        wl_error *error)
{
    if (request->tensor) {
        const wl_stored *found = wl_tensors_find(tensors, request->tensor);
        if (!found)
            return wl_fail_at(error, WL_ERROR_NOT_FOUND, where, WL_NO_POSITION, 0,
                              "has no tensor \"%.200s\" among its %zu", request->tensor, tensors->count);
        *place = (size_t)(found - tensors->items);
        return WL_OK;
    }
    const char **names = wl_allocate(tensors->count, sizeof *names, error);
    if (!names) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < tensors->count; i++) names[i] = tensors->items[i].name;
    wl_status status = wl_find_embedding(names, tensors->count, request->output, where, place, error);
    free(names);
    return status;
}

enum { COLUMNS_MOST = 1 << 20 }; /* a row must fit memory several times */

/* A matrix that can be read. */
static wl_status check_tensor(const wl_stored *tensor, const char *where, wl_error *error)
{
    if (tensor->rank != 2 || !tensor->shape[0] || !tensor->shape[1] || tensor->shape[0] > UINT32_MAX ||
        tensor->shape[1] > COLUMNS_MOST)
        return wl_fail_at(error, WL_ERROR_FORMAT, where, WL_NO_POSITION, 0,
                          "tensor \"%.100s\" has %" PRIu32 " dimensions (%" PRIu64 " x %" PRIu64 " ...), expected a "
                          "matrix with rows and columns",
                          tensor->name, tensor->rank, tensor->shape[0], tensor->shape[1]);
    if (!tensor->encoding)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, where, WL_NO_POSITION, 0,
                          "tensor \"%.100s\" has the type %s, which is not read", tensor->name, tensor->type);
    if (tensor->gaps)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, where, WL_NO_POSITION, 0,
                          "tensor \"%.100s\" does not lie row by row: it is a view into another; save it contiguous",
                          tensor->name);
    return WL_OK;
}

/* ---- which file -------------------------------------------------------------------------------------------------- */

/* The rest of a set of shards; a name in two of them is an error. */
static wl_status open_siblings(wl_parts *parts, wl_source_files *files, uint64_t *fetched, wl_error *error)
{
    size_t at, place;
    uint64_t own, count;
    if (!wl_is_shard(parts->files[0], &at, &own, &count)) return WL_OK;
    wl_status status = WL_OK;
    for (uint64_t i = 1; i <= count && !status; i++) {
        if (i == own) continue;
        wl_reader reader;
        char *name = wl_shard_name(parts->files[0], i, error);
        status = name ? wl_parts_add(parts, name, &place, error) : WL_ERROR_MEMORY;
        free(name);
        if (!status) status = wl_open_part(files, parts->files[place], place, &reader, &parts->tensors, NULL, error);
        if (status) break;
        *fetched += reader.fetched;
        wl_reader_close(&reader);
    }
    return status ? status : wl_parts_check(parts, parts->files[0], error);
}

/* Another shard that an index names must not hold the tensor as well. Looked at here, where it costs little; a shard
 * that is not there or cannot be read is no matter, since nothing is wanted of it. */
static wl_status check_overlap(const wl_parts *parts, wl_source_files *files, size_t chosen, wl_error *error)
{
    const wl_stored *tensor = &parts->tensors.items[chosen];
    for (size_t i = 0; i < parts->count && !files->hub; i++) {
        wl_reader reader;
        wl_tensors others = {0};
        if (i == tensor->part) continue;
        wl_status status = wl_open_part(files, parts->files[i], i, &reader, &others, NULL, error);
        bool twice = !status && wl_tensors_find(&others, tensor->name);
        wl_tensors_free(&others);
        if (!status) wl_reader_close(&reader);
        if (twice)
            return wl_fail_at(error, WL_ERROR_FORMAT, parts->files[i], WL_NO_POSITION, 0,
                              "holds the tensor \"%.100s\", which the index says is in %.100s", tensor->name,
                              parts->files[tensor->part]);
        if (status == WL_ERROR_MEMORY) return status;
    }
    return WL_OK;
}

/* Opens the file that an index says a tensor is in. *found: the tensor there. */
static wl_status open_indexed(const wl_parts *parts, wl_source_files *files, const wl_stored *wanted, wl_reader *reader,
                              wl_tensors *tensors, const wl_stored **found, wl_error *error)
{
    const char *file = parts->files[wanted->part];
    wl_status status = wl_open_part(files, file, wanted->part, reader, tensors, NULL, error);
    if (status == WL_ERROR_NOT_FOUND) {
        char reason[200];
        snprintf(reason, sizeof reason, "%.199s", error->message);
        wl_fail_at(error, status, file, WL_NO_POSITION, 0, "is missing: the index says that \"%.100s\" is in it (%s)",
                   wanted->name, reason);
    }
    if (status) return status;
    *found = wl_tensors_find(tensors, wanted->name);
    if (*found) return WL_OK;
    wl_reader_close(reader);
    return wl_fail_at(error, WL_ERROR_FORMAT, file, WL_NO_POSITION, 0,
                      "has no tensor \"%.100s\", which the index says is in it", wanted->name);
}

/* Takes the tensor over; the list loses its name. */
static wl_status take(wl_table *table, const wl_stored *found, wl_error *error)
{
    table->tensor = *found;
    table->tensor.name = wl_copy_text(found->name, strlen(found->name), error);
    if (!table->tensor.name) return WL_ERROR_MEMORY;
    if (check_tensor(&table->tensor, table->reader.name, error)) return error->code;
    return wl_stored_locate(&table->tensor, &table->reader, error);
}

/* ---- scales ------------------------------------------------------------------------------------------------------ */

/* What stands beside quantized weights, behind the weight's name, with or without its ".weight". */
static const struct {
    const char *ending;
    bool whole; /* behind the whole name */
    float factor;
} scale_names[] = {
    {"_scale", true, 1},     /* compressed-tensors */
    {"_scale_inv", true, 1}, /* DeepSeek, blocks of 128 x 128; the name deceives: it is multiplied */
    {".scale", false, 1},        {".scales", false, 1},
    {".SCB", false, 1.0f / 127}, /* bitsandbytes: the largest magnitude of each row */
};

static const wl_stored *find_scale(const wl_tensors *tensors, const char *weight, float *factor)
{
    size_t length = strlen(weight), base = length;
    if (length > 7 && strcmp(weight + length - 7, ".weight") == 0) base -= 7;
    for (size_t i = 0; i < sizeof scale_names / sizeof *scale_names; i++) {
        char name[1024];
        int size = (int)(scale_names[i].whole ? length : base);
        if (size > 900) return NULL;
        snprintf(name, sizeof name, "%.*s%s", size, weight, scale_names[i].ending);
        const wl_stored *found = wl_tensors_find(tensors, name);
        *factor = scale_names[i].factor;
        if (found) return found;
    }
    return NULL;
}

#define SCALES_MOST ((size_t)16 << 20) /* bytes */

/* How many rows, or columns, of the table one scale is for. 0: the counts do not fit. */
static uint64_t block_of(uint64_t length, uint64_t scales)
{
    if (!scales) return 0;
    if (scales == 1) return length;
    if (scales == length) return 1;
    if ((length + 127) / 128 == scales) return 128;
    return length % scales == 0 ? length / scales : 0;
}

static wl_status read_scales(wl_table *table, wl_reader *reader, const wl_stored *stored, float factor, wl_error *error)
{
    wl_scales *scales = &table->scales;
    uint64_t rows = stored->rank ? stored->shape[0] : 1, columns = stored->rank > 1 ? stored->shape[1] : 1;
    scales->columns = columns;
    scales->row_block = block_of(table->tensor.shape[0], rows);
    scales->column_block = block_of(table->tensor.shape[1], columns);
    if (stored->rank > 2 || !stored->encoding || stored->gaps || !scales->row_block || !scales->column_block ||
        stored->encoding->elements != 1)
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, reader->name, WL_NO_POSITION, 0,
                          "the scales \"%.100s\" (%s, %" PRIu64 " x %" PRIu64 ") do not fit a table of %" PRIu64
                          " x %" PRIu64,
                          stored->name, stored->type, rows, columns, table->tensor.shape[0], table->tensor.shape[1]);
    if (stored->bytes > SCALES_MOST)
        return wl_fail_at(error, WL_ERROR_LIMIT, reader->name, WL_NO_POSITION, 0,
                          "the scales \"%.100s\" have %" PRIu64 " bytes, expected at most %zu", stored->name,
                          stored->bytes, SCALES_MOST);
    wl_stored located = *stored;
    if (wl_stored_locate(&located, reader, error)) return error->code;
    size_t count = (size_t)(rows * columns);
    unsigned char *bytes = wl_allocate((size_t)stored->bytes, 1, error);
    scales->values = bytes ? wl_allocate(count, sizeof *scales->values, error) : NULL;
    wl_status status =
        scales->values ? wl_reader_read(reader, located.offset, bytes, (size_t)stored->bytes, error) : WL_ERROR_MEMORY;
    if (!status) stored->encoding->decode(bytes, count, scales->values);
    for (size_t i = 0; i < count && !status; i++) scales->values[i] *= factor;
    free(bytes);
    return status;
}

/* Scales of a table whose numbers are small; an offset besides is another quantization. */
static wl_status find_scales(wl_table *table, const wl_parts *parts, wl_source_files *files, bool indexed,
                             const wl_tensors *own, wl_error *error)
{
    const wl_encoding *encoding = table->tensor.encoding;
    if (encoding != &wl_encoding_i8 && encoding != &wl_encoding_f8_e4m3 && encoding != &wl_encoding_f8_e5m2)
        return WL_OK;
    char name[1024];
    snprintf(name, sizeof name, "%.900s_zero_point", table->tensor.name);
    const wl_tensors *all = indexed ? &parts->tensors : own;
    if (wl_tensors_find(all, name))
        return wl_fail_at(error, WL_ERROR_UNSUPPORTED, table->reader.name, WL_NO_POSITION, 0,
                          "\"%.100s\" has zero points beside its scales, which are not read", table->tensor.name);
    float factor;
    const wl_stored *scale = find_scale(all, table->tensor.name, &factor);
    if (!scale) return WL_OK;
    if (scale->part == table->tensor.part) {
        scale = wl_tensors_find(own, scale->name);
        if (scale) return read_scales(table, &table->reader, scale, factor, error);
        return wl_fail_at(error, WL_ERROR_FORMAT, table->reader.name, WL_NO_POSITION, 0,
                          "the scales that the index says are in it are not there");
    }
    wl_reader reader;
    wl_tensors tensors = {0};
    const wl_stored *found = NULL;
    wl_status status;
    if (indexed)
        status = open_indexed(parts, files, scale, &reader, &tensors, &found, error);
    else {
        status = wl_open_part(files, parts->files[scale->part], scale->part, &reader, &tensors, NULL, error);
        found = status ? NULL : wl_tensors_find(&tensors, scale->name);
    }
    if (!status && found) {
        status = read_scales(table, &reader, found, factor, error);
        table->fetched += reader.fetched;
        wl_reader_close(&reader);
    }
    wl_tensors_free(&tensors);
    return status;
}

void wl_table_scale(const wl_table *table, uint64_t first, size_t count, float *rows)
{
    const wl_scales *scales = &table->scales;
    uint64_t dim = table->tensor.shape[1];
    if (!scales->values) return;
    for (size_t i = 0; i < count; i++) {
        const float *row = scales->values + (first + i) / scales->row_block * scales->columns;
        for (uint64_t begin = 0, block = 0; begin < dim; begin += scales->column_block, block++) {
            uint64_t end = dim - begin < scales->column_block ? dim : begin + scales->column_block;
            for (uint64_t j = begin; j < end; j++) rows[i * dim + j] *= row[block];
        }
    }
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static wl_status open_by_index(wl_table *table, wl_source_files *files, const char *file,
                               const wl_table_request *request, wl_error *error)
{
    wl_parts parts = {0};
    wl_tensors own = {0};
    size_t place = 0;
    const wl_stored *found = NULL;
    wl_status status = wl_read_index(files, file, &parts, error);
    if (!status) status = choose(&parts.tensors, request, file, &place, error);
    if (!status) status = check_overlap(&parts, files, place, error);
    if (!status) status = open_indexed(&parts, files, &parts.tensors.items[place], &table->reader, &own, &found, error);
    if (!status && found) status = take(table, found, error);
    if (!status) status = find_scales(table, &parts, files, true, &own, error);
    wl_tensors_free(&own);
    wl_parts_free(&parts);
    return status;
}

/* Meta's releases cut each table into as many files as machines were to run it. */
static wl_status check_parallel(wl_source_files *files, const char *file, wl_error *error)
{
    const char *slash = strrchr(file, '/');
    if (strcmp(slash ? slash + 1 : file, "consolidated.00.pth") != 0) return WL_OK;
    wl_reader reader;
    wl_status status = wl_source_reader(files, "consolidated.01.pth", &reader, error);
    wl_reader_close(&reader);
    if (status == WL_ERROR_NOT_FOUND) return WL_OK;
    if (status) return status;
    return wl_fail_at(error, WL_ERROR_UNSUPPORTED, file, WL_NO_POSITION, 0,
                      "is a slice of a model that was cut for several machines; use the release in safetensors");
}

static wl_status open_by_file(wl_table *table, wl_source_files *files, const char *file, bool named,
                              const wl_table_request *request, wl_error *error)
{
    wl_parts parts = {0};
    size_t place = 0;
    wl_status status = wl_parts_add(&parts, file, &place, error);
    if (!status) status = check_parallel(files, file, error);
    if (!status) status = wl_open_part(files, file, 0, &table->reader, &parts.tensors, &table->carried, error);
    /* A shard that was named may stand alone; a set that was found is looked through, so that nothing stands twice. */
    wl_status own = !status && named ? choose(&parts.tensors, request, file, &place, error) : WL_ERROR_NOT_FOUND;
    bool alone = own == WL_OK;
    if (own == WL_ERROR_MEMORY) status = own;
    if (!status && !alone) status = open_siblings(&parts, files, &table->fetched, error);
    if (!status && !alone) status = choose(&parts.tensors, request, table->reader.name, &place, error);
    if (!status && parts.tensors.items[place].part != 0) {
        wl_tensors again = {0};
        table->fetched += table->reader.fetched;
        wl_reader_close(&table->reader);
        size_t part = parts.tensors.items[place].part;
        status = wl_open_part(files, parts.files[part], part, &table->reader, &again, NULL, error);
        wl_tensors_free(&again);
    }
    if (!status) status = take(table, &parts.tensors.items[place], error);
    if (!status) status = find_scales(table, &parts, files, false, &parts.tensors, error);
    wl_parts_free(&parts);
    return status;
}

wl_status wl_table_open(wl_table *table, wl_source_files *files, const wl_table_request *request, wl_error *error)
{
    *table = (wl_table){.reader = {.descriptor = -1}};
    const char *named = request->file ? request->file : files->file;
    char *found = named ? NULL : wl_find_model_file(files, error);
    const char *file = named ? named : found;
    if (!file) return error->code;
    wl_status status = wl_is_index(file) ? open_by_index(table, files, file, request, error)
                                         : open_by_file(table, files, file, named != NULL, request, error);
    const char *slash = strrchr(file, '/');
    if (!status) table->folder = wl_copy_text(file, slash ? (size_t)(slash + 1 - file) : 0, error);
    if (!status && !table->folder) status = WL_ERROR_MEMORY;
    free(found);
    if (status) wl_table_close(table);
    return status;
}

void wl_table_close(wl_table *table)
{
    wl_reader_close(&table->reader);
    free(table->folder);
    free(table->tensor.name);
    free(table->scales.values);
    wl_buffer_free(&table->carried.json);
    *table = (wl_table){.reader = {.descriptor = -1}};
}
