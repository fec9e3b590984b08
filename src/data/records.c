#include "data/records.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/csv.h"
#include "data/parquet.h"
#include "text/unicode/utf8.h"

enum { BLOCK = 1 << 18 };

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* Appends to the block. */
static wl_status fill(wl_records *records, wl_error *error)
{
    wl_buffer *block = &records->block;
    if (records->begin) {
        block->size -= records->begin;
        memmove(block->data, block->data + records->begin, block->size);
        records->begin = 0;
    }
    if (records->columns.stream.release) {
        size_t before = block->size;
        wl_status status = wl_columns_append(&records->columns, BLOCK, block, error);
        records->ended = block->size == before;
        return status;
    }
    if (wl_buffer_reserve(block, BLOCK, error)) return error->code;
    size_t got;
    if (wl_bytes_read(&records->bytes, block->data + block->size, block->capacity - block->size, &got, error))
        return error->code;
    block->size += got;
    records->ended = got == 0;
    return WL_OK;
}

/* The next record as it stands in the file, without its line end; 0 at the file's end. */
static int next_line(wl_records *records, wl_text *line, wl_error *error)
{
    size_t seen = 0; /* bytes of the record that do not end it */
    wl_csv_scan scan = {.delimiter = ','};
    records->line = records->lines + 1;
    for (;;) {
        size_t left = records->block.size - records->begin, size = left;
        const char *start = records->block.data + records->begin;
        if (records->form == WL_RECORDS_CSV) {
            size = seen + wl_csv_find_end(&scan, start + seen, left - seen);
        } else if (left > seen) {
            const char *end = memchr(start + seen, '\n', left - seen);
            if (end) size = (size_t)(end - start);
        }
        if (scan.place == WL_CSV_WRONG)
            return wl_records_fail(records, error,
                                   "in CSV the delimiter or the line's end must follow a closing quote"),
                   -1;
        bool found = size < left;
        if (!found && !records->ended) {
            seen = left;
            if (fill(records, error)) return -1;
            continue;
        }
        if (!found && !left) return 0;
        if (!found && scan.place == WL_CSV_QUOTED)
            return wl_records_fail(records, error, "a field of CSV in quotes that are never closed"), -1;
        records->begin += size + (found ? 1 : 0);
        records->lines += scan.breaks + 1;
        if (size && start[size - 1] == '\r') size--;
        *line = (wl_text){start, size};
        return 1;
    }
}

static bool is_empty(const wl_records *records, wl_text line)
{
    size_t at = 0;
    if (records->form == WL_RECORDS_JSON) /* white space between objects */
        while (at < line.size && (line.data[at] == ' ' || line.data[at] == '\t' || line.data[at] == '\r')) at++;
    return at == line.size;
}

/* The next one that is not empty, as well-formed UTF-8. Makes room in texts for all that is decoded of it. */
static int next_record(wl_records *records, wl_text *record, wl_error *error)
{
    int got;
    do got = next_line(records, record, error);
    while (got > 0 && is_empty(records, *record));
    if (got <= 0) return got;
    if (wl_utf8_valid(record->data, record->size) != record->size) {
        records->repaired.size = 0;
        if (wl_utf8_repair(record->data, record->size, &records->repaired, &records->replaced, error)) return -1;
        *record = (wl_text){records->repaired.data, records->repaired.size};
    }
    records->texts.size = 0;
    /* What is decoded is never longer than it was. */
    return wl_buffer_reserve(&records->texts, record->size, error) ? -1 : 1;
}

/* ---- fields ------------------------------------------------------------------------------------------------------ */

/* A string for longer: where it lies in scratch, a copy. There is room, so nothing in texts moves. */
static wl_status keep(wl_records *records, wl_text *text, wl_error *error)
{
    if (!text->size || text->data != records->scratch.data) return WL_OK;
    size_t at = records->texts.size;
    if (wl_buffer_append(&records->texts, text->data, text->size, error)) return error->code;
    text->data = records->texts.data + at;
    return WL_OK;
}

static wl_status add_field(wl_records *records, wl_text name, wl_text text, wl_json_kind kind, wl_error *error)
{
    void *fields = records->fields;
    wl_status status =
        wl_reserve(&fields, &records->field_capacity, records->field_count + 1, sizeof *records->fields, error);
    records->fields = fields;
    if (!status) records->fields[records->field_count++] = (wl_field){name, text, kind};
    return status;
}

static int compare_names(wl_text a, wl_text b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_fields(const void *a, const void *b)
{
    const wl_field *x = *(wl_field *const *)a, *y = *(wl_field *const *)b;
    int order = compare_names(x->name, y->name);
    return order ? order : (x > y) - (x < y);
}

/* Leaves of equal names the last field alone, and no null. Sorted, because a file may hold any number of them. */
static wl_status settle_fields(wl_records *records, wl_error *error)
{
    size_t count = records->field_count;
    void *sorted = records->sorted;
    wl_status status = wl_reserve(&sorted, &records->sorted_capacity, count, sizeof(wl_field *), error);
    records->sorted = sorted;
    if (status) return status;
    for (size_t i = 0; i < count; i++) records->sorted[i] = &records->fields[i];
    if (count > 1) qsort(sorted, count, sizeof(wl_field *), compare_fields);
    for (size_t i = 0; i + 1 < count; i++)
        if (compare_names(records->sorted[i]->name, records->sorted[i + 1]->name) == 0)
            records->sorted[i]->kind = WL_JSON_NULL;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (records->fields[i].kind != WL_JSON_NULL) records->fields[kept++] = records->fields[i];
    records->field_count = kept;
    return WL_OK;
}

/* ---- JSON lines -------------------------------------------------------------------------------------------------- */

static wl_status take_members(wl_records *records, wl_json *json, wl_error *error)
{
    wl_text name;
    if (wl_json_peek(json) != WL_JSON_OBJECT && !wl_json_failed(json))
        return wl_json_fail(json, WL_ERROR_FORMAT, "expected a JSON object, one on each line");
    wl_json_begin_object(json);
    while (wl_json_member(json, &name)) {
        if (keep(records, &name, error)) return error->code;
        wl_json_kind kind = wl_json_peek(json);
        wl_text text = {json->text + json->at, 0};
        if (kind == WL_JSON_STRING) {
            text = wl_json_string(json);
        } else {
            size_t begin = json->at;
            wl_json_skip(json);
            text.size = json->at - begin;
        }
        if (wl_json_failed(json) || keep(records, &text, error) || add_field(records, name, text, kind, error))
            return error->code;
    }
    return wl_json_close(json);
}

static wl_status take_object(wl_records *records, wl_text record, wl_error *error)
{
    wl_json json;
    wl_json_open(&json, record.data, record.size, records->bytes.name, &records->scratch, error);
    wl_status status = take_members(records, &json, error);
    if (!status || status == WL_ERROR_MEMORY) return status;
    /* The cursor saw nothing of the file but this record. */
    error->line = records->line;
    error->byte = WL_NO_POSITION;
    return status;
}

/* ---- CSV and TSV ------------------------------------------------------------------------------------------------- */

static bool is_quoted(wl_text field)
{
    return field.size >= 2 && field.data[0] == '"' && field.data[field.size - 1] == '"';
}

/* Whether a field in quotes holds quotes, and each of them twice. */
static bool has_doubled_quotes(wl_text field)
{
    const char *at = field.data + 1, *end = field.data + field.size - 1;
    bool some = false;
    while (at < end && (at = memchr(at, '"', (size_t)(end - at)))) {
        if (at + 1 == end || at[1] != '"') return false;
        some = true;
        at += 2;
    }
    return some;
}

/* The field of TSV at *at, moving behind the tab that ends it. */
static wl_status next_tsv(wl_records *records, wl_text record, size_t *at, wl_text *field, wl_error *error)
{
    const char *start = record.data + *at, *tab = memchr(start, '\t', record.size - *at);
    *field = (wl_text){start, tab ? (size_t)(tab - start) : record.size - *at};
    *at += field->size + 1;
    if (!is_quoted(*field)) return WL_OK;
    bool doubled = has_doubled_quotes(*field);
    if (!doubled && !records->all_quoted) return WL_OK;
    *field = (wl_text){field->data + 1, field->size - 2};
    if (!doubled) return WL_OK;
    records->scratch.size = 0;
    for (size_t i = 0; i < field->size; i++) {
        if (wl_buffer_append(&records->scratch, &field->data[i], 1, error)) return error->code;
        if (field->data[i] == '"') i++;
    }
    *field = (wl_text){records->scratch.data, records->scratch.size};
    return WL_OK;
}

static wl_status next_column(wl_records *records, wl_text record, size_t *at, wl_text *field, wl_error *error)
{
    wl_status status = records->form == WL_RECORDS_CSV ? wl_csv_next(record, ',', at, &records->scratch, field, error)
                                                       : next_tsv(records, record, at, field, error);
    return status ? status : keep(records, field, error);
}

static wl_status take_columns(wl_records *records, wl_text record, wl_error *error)
{
    static const wl_text unnamed = {"", 0};
    size_t count = 0;
    for (size_t at = 0; at <= record.size; count++) {
        wl_text field, name = count < records->header_count ? records->header[count] : unnamed;
        if (next_column(records, record, &at, &field, error) || add_field(records, name, field, WL_JSON_STRING, error))
            return error->code;
    }
    if (count == records->header_count) return WL_OK;
    return wl_records_fail(records, error, "the record has %zu field%s, and the header has %zu", count,
                           count == 1 ? "" : "s", records->header_count);
}

/* Whether every name in the header stands in quotes. */
static bool is_all_quoted(wl_text header)
{
    for (size_t begin = 0; begin <= header.size;) {
        const char *start = header.data + begin, *tab = memchr(start, '\t', header.size - begin);
        size_t size = tab ? (size_t)(tab - start) : header.size - begin;
        if (!is_quoted((wl_text){start, size})) return false;
        begin += size + 1;
    }
    return true;
}

static wl_status take_header(wl_records *records, wl_error *error)
{
    wl_text header, name;
    int got = next_record(records, &header, error);
    if (got <= 0) return got < 0 ? error->code : WL_OK;
    records->all_quoted = records->form == WL_RECORDS_TSV && is_all_quoted(header);
    if (wl_buffer_reserve(&records->names, header.size, error)) return error->code;
    for (size_t at = 0; at <= header.size;) {
        void *columns = records->header;
        wl_status status =
            wl_reserve(&columns, &records->header_capacity, records->header_count + 1, sizeof name, error);
        records->header = columns;
        size_t begin = records->names.size;
        if (status || next_column(records, header, &at, &name, error) ||
            wl_buffer_append(&records->names, name.data, name.size, error))
            return error->code;
        records->header[records->header_count++] = (wl_text){records->names.data + begin, name.size};
    }
    return WL_OK;
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

bool wl_records_named(const char *name, wl_records_form *form, size_t *stem)
{
    static const struct {
        const char *ending;
        wl_records_form form;
    } forms[] = {{".jsonl", WL_RECORDS_JSON}, {".ndjson", WL_RECORDS_JSON}, {".json", WL_RECORDS_JSON},
                 {".csv", WL_RECORDS_CSV},    {".tsv", WL_RECORDS_TSV},     {".tab", WL_RECORDS_TSV},
                 {".txt", WL_RECORDS_LINES},  {".parquet", WL_RECORDS_JSON}};
    size_t length = strlen(name);
    if (length > 3 && strcasecmp(name + length - 3, ".gz") == 0) length -= 3;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        size_t size = strlen(forms[i].ending);
        if (length <= size || strncasecmp(name + length - size, forms[i].ending, size) != 0) continue;
        *form = forms[i].form;
        *stem = length - size;
        return true;
    }
    return false;
}

static bool begins_with(wl_text text, const char *begin)
{
    size_t size = strlen(begin);
    return text.size >= size && memcmp(text.data, begin, size) == 0;
}

/* Its rows come as lines of JSON; a line's number is the row's. */
static wl_status open_parquet(wl_records *records, wl_error *error)
{
    wl_bytes_close(&records->bytes);
    records->bytes.name = records->path;
    records->block.size = 0;
    records->ended = false;
    records->form = WL_RECORDS_JSON;
    wl_status status = wl_parquet_open(records->path, &records->columns.stream, error);
    return status ? status : wl_columns_open(&records->columns, records->path, error);
}

wl_status wl_records_open(wl_records *records, const char *path, wl_error *error)
{
    static const char parquet[] = "PAR1", mark[] = "\xEF\xBB\xBF"; /* the mark belongs to the file */
    *records = (wl_records){0};
    records->path = wl_copy_text(path, strlen(path), error);
    if (!records->path) return WL_ERROR_MEMORY;
    if (wl_bytes_open(&records->bytes, records->path, error)) return error->code;
    while (!records->ended && records->block.size < sizeof parquet - 1)
        if (fill(records, error)) return error->code;
    wl_text begin = {records->block.data, records->block.size};
    if (begins_with(begin, parquet)) return open_parquet(records, error);
    if (begins_with(begin, mark)) records->begin = sizeof mark - 1;
    size_t stem;
    if (!wl_records_named(path, &records->form, &stem)) {
        bool object = records->begin < begin.size && begin.data[records->begin] == '{';
        records->form = object ? WL_RECORDS_JSON : WL_RECORDS_LINES;
    }
    bool has_header = records->form == WL_RECORDS_CSV || records->form == WL_RECORDS_TSV;
    return has_header ? take_header(records, error) : WL_OK;
}

int wl_records_next(wl_records *records, wl_error *error)
{
    static const wl_text text = {"text", 4};
    wl_text record;
    records->field_count = 0;
    int got = next_record(records, &record, error);
    if (got <= 0) return got;
    wl_status status = records->form == WL_RECORDS_JSON    ? take_object(records, record, error)
                       : records->form == WL_RECORDS_LINES ? add_field(records, text, record, WL_JSON_STRING, error)
                                                           : take_columns(records, record, error);
    if (status || settle_fields(records, error)) return -1;
    records->record++;
    return 1;
}

void wl_records_close(wl_records *records)
{
    wl_columns_close(&records->columns);
    wl_bytes_close(&records->bytes);
    wl_buffer_free(&records->block);
    wl_buffer_free(&records->names);
    wl_buffer_free(&records->texts);
    wl_buffer_free(&records->scratch);
    wl_buffer_free(&records->repaired);
    free(records->fields);
    free(records->sorted);
    free(records->header);
    free(records->path);
    *records = (wl_records){0};
}
