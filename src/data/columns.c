#include "data/columns.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "format/json_write.h"
#include "text/unicode/utf8.h"

/* ---- one value --------------------------------------------------------------------------------------------------- */

static bool has_bit(const void *bits, int64_t at)
{
    return ((const uint8_t *)bits)[at / 8] >> (at % 8) & 1;
}

static void write_real(wl_json_writer *json, double number)
{
    if (isfinite(number))
        wl_json_write_number(json, number);
    else
        wl_json_write(json, "null");
}

/* A list's or text's range of offsets: 32 bits, or 64 where the format's letter is a capital. */
static void find_range(const struct ArrowArray *array, int64_t at, bool wide, int64_t *begin, int64_t *end)
{
    const int32_t *narrow = array->buffers[1];
    const int64_t *large = array->buffers[1];
    *begin = wide ? large[at] : narrow[at];
    *end = wide ? large[at + 1] : narrow[at + 1];
}

static void write_text(wl_json_writer *json, const struct ArrowArray *array, int64_t at, bool wide)
{
    int64_t begin, end;
    find_range(array, at, wide, &begin, &end);
    const char *data = array->buffers[2];
    wl_text text = {end > begin ? data + begin : "", (size_t)(end - begin)};
    wl_buffer repaired = {0};
    uint64_t replaced = 0;
    if (wl_utf8_valid(text.data, text.size) != text.size && !json->status) {
        json->status = wl_utf8_repair(text.data, text.size, &repaired, &replaced, json->error);
        text = (wl_text){repaired.data, repaired.size};
    }
    wl_json_write_string(json, text);
    wl_buffer_free(&repaired);
}

static void write_value(wl_json_writer *json, const struct ArrowSchema *schema, const struct ArrowArray *array,
                        int64_t index);

static void write_list(wl_json_writer *json, const struct ArrowSchema *schema, const struct ArrowArray *array,
                       int64_t at, bool wide)
{
    int64_t begin, end;
    find_range(array, at, wide, &begin, &end);
    wl_json_write(json, "[");
    for (int64_t i = begin; i < end; i++) {
        if (i > begin) wl_json_write(json, ",");
        write_value(json, schema->children[0], array->children[0], i);
    }
    wl_json_write(json, "]");
}

/* A whole number, for indices into a dictionary. */
static int64_t find_index(const char *format, const void *values, int64_t at)
{
    switch (*format) {
    case 'c':
        return ((const int8_t *)values)[at];
    case 'C':
        return ((const uint8_t *)values)[at];
    case 's':
        return ((const int16_t *)values)[at];
    case 'S':
        return ((const uint16_t *)values)[at];
    case 'i':
        return ((const int32_t *)values)[at];
    case 'I':
        return ((const uint32_t *)values)[at];
    default:
        return ((const int64_t *)values)[at];
    }
}

/* What can be written; a list where its element can. Lists of lists end the search, as nothing here needs them. */
static bool is_known(const struct ArrowSchema *schema)
{
    static const char plain[] = "uUcCsSiIlLfgb";
    const char *format = schema->format;
    if (schema->dictionary) return *format && !format[1] && strchr("cCsSiIlL", *format) && is_known(schema->dictionary);
    if (strcmp(format, "+l") == 0 || strcmp(format, "+L") == 0)
        return schema->n_children == 1 && *schema->children[0]->format != '+' && is_known(schema->children[0]);
    return *format && !format[1] && strchr(plain, *format);
}

static void write_value(wl_json_writer *json, const struct ArrowSchema *schema, const struct ArrowArray *array,
                        int64_t index)
{
    int64_t at = index + array->offset;
    if (array->null_count && array->buffers[0] && !has_bit(array->buffers[0], at)) {
        wl_json_write(json, "null");
        return;
    }
    const void *values = array->buffers[1];
    if (schema->dictionary) {
        write_value(json, schema->dictionary, array->dictionary, find_index(schema->format, values, at));
        return;
    }
    switch (schema->format[0]) {
    case '+':
        write_list(json, schema, array, at, schema->format[1] == 'L');
        break;
    case 'u':
    case 'U':
        write_text(json, array, at, *schema->format == 'U');
        break;
    case 'c':
        wl_json_write(json, "%d", ((const int8_t *)values)[at]);
        break;
    case 'C':
        wl_json_write(json, "%d", ((const uint8_t *)values)[at]);
        break;
    case 's':
        wl_json_write(json, "%d", ((const int16_t *)values)[at]);
        break;
    case 'S':
        wl_json_write(json, "%d", ((const uint16_t *)values)[at]);
        break;
    case 'i':
        wl_json_write(json, "%" PRId32, ((const int32_t *)values)[at]);
        break;
    case 'I':
        wl_json_write(json, "%" PRIu32, ((const uint32_t *)values)[at]);
        break;
    case 'l':
        wl_json_write(json, "%" PRId64, ((const int64_t *)values)[at]);
        break;
    case 'L':
        wl_json_write(json, "%" PRIu64, ((const uint64_t *)values)[at]);
        break;
    case 'f':
        write_real(json, (double)((const float *)values)[at]);
        break;
    case 'g':
        write_real(json, ((const double *)values)[at]);
        break;
    default: /* is_known leaves booleans */
        wl_json_write(json, has_bit(values, at) ? "true" : "false");
        break;
    }
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static wl_status fail_stream(wl_columns *columns, wl_error *error)
{
    const char *reason = columns->stream.get_last_error(&columns->stream);
    return wl_fail_at(error, WL_ERROR_FORMAT, columns->path, WL_NO_POSITION, 0, "Arrow cannot read it: %.300s",
                      reason ? reason : "no reason is given");
}

wl_status wl_columns_open(wl_columns *columns, const char *path, wl_error *error)
{
    columns->path = path;
    if (columns->stream.get_schema(&columns->stream, &columns->schema)) return fail_stream(columns, error);
    if (strcmp(columns->schema.format, "+s") != 0)
        return wl_fail_at(error, WL_ERROR_FORMAT, path, WL_NO_POSITION, 0, "holds no rows of columns");
    return WL_OK;
}

static void write_row(wl_json_writer *json, const wl_columns *columns)
{
    const char *separator = "{";
    for (int64_t i = 0; i < columns->schema.n_children; i++) {
        const struct ArrowSchema *schema = columns->schema.children[i];
        if (!is_known(schema)) continue;
        wl_json_write(json, "%s", separator);
        wl_json_write_string(json, (wl_text){schema->name, strlen(schema->name)});
        wl_json_write(json, ":");
        write_value(json, schema, columns->batch.children[i], columns->row + columns->batch.offset);
        separator = ",";
    }
    wl_json_write(json, *separator == '{' ? "{}\n" : "}\n");
}

wl_status wl_columns_append(wl_columns *columns, size_t bytes, wl_buffer *out, wl_error *error)
{
    wl_json_writer json = {out, error, WL_OK};
    size_t begin = out->size;
    while (out->size - begin < bytes && !json.status) {
        if (columns->batch.release && columns->row < columns->batch.length) {
            write_row(&json, columns);
            columns->row++;
            continue;
        }
        if (columns->batch.release) columns->batch.release(&columns->batch);
        columns->batch = (struct ArrowArray){0};
        columns->row = 0;
        if (columns->stream.get_next(&columns->stream, &columns->batch)) return fail_stream(columns, error);
        if (!columns->batch.release) break;
    }
    return json.status;
}

void wl_columns_close(wl_columns *columns)
{
    if (columns->batch.release) columns->batch.release(&columns->batch);
    if (columns->schema.release) columns->schema.release(&columns->schema);
    if (columns->stream.release) columns->stream.release(&columns->stream);
    *columns = (wl_columns){0};
}
