/* The text in a record: a member of a JSON object, a column of CSV. */
#include <stdio.h>
#include <string.h>

#include "data/csv.h"
#include "format/json.h"
#include "io.h"
#include "read.h"
#include "text/unicode/utf8.h"

/* What read the record saw nothing of the file; the place of the failure is the record's first line. */
static wl_status name_place(const cli_reader *reader, wl_error *error)
{
    snprintf(error->file, sizeof error->file, "%s", reader->bytes.name);
    error->line = reader->line;
    error->byte = WL_NO_POSITION;
    return error->code;
}

/* ---- JSON lines -------------------------------------------------------------------------------------------------- */

/* The string of the member; of several, the last one counts. */
static wl_status find_member(cli_reader *reader, wl_text *text, wl_error *error)
{
    wl_json json, found = {0};
    bool has = false;
    wl_text key;
    if (wl_utf8_valid(text->data, text->size) != text->size) {
        reader->repaired.size = 0;
        if (wl_utf8_repair(text->data, text->size, &reader->repaired, &reader->replaced, error)) return error->code;
        *text = (wl_text){reader->repaired.data, reader->repaired.size};
    }
    wl_json_open(&json, text->data, text->size, reader->bytes.name, &reader->scratch, error);
    if (wl_json_peek(&json) != WL_JSON_OBJECT && !wl_json_failed(&json))
        wl_json_fail(&json, WL_ERROR_FORMAT, "expected a JSON object with the member \"%.200s\"", reader->field);
    wl_json_begin_object(&json);
    while (wl_json_member(&json, &key)) {
        if (wl_text_is(key, reader->field)) {
            /* Read it later: the strings in between share the scratch buffer. */
            found = json;
            has = true;
        }
        wl_json_skip(&json);
    }
    if (wl_json_close(&json)) return error->code;
    if (!has) return wl_fail(error, WL_ERROR_FORMAT, "the object has no member \"%.200s\"", reader->field);
    if (wl_json_peek(&found) != WL_JSON_STRING)
        return wl_fail(error, WL_ERROR_FORMAT, "the member \"%.200s\" is not a string", reader->field);
    *text = wl_json_string(&found);
    return wl_json_failed(&found) ? error->code : WL_OK;
}

wl_status take_member(cli_reader *reader, wl_text *text, wl_error *error)
{
    return find_member(reader, text, error) ? name_place(reader, error) : WL_OK;
}

/* ---- CSV --------------------------------------------------------------------------------------------------------- */

/* '\r' in front of the line break belongs to the record, not to its last field. */
static wl_text without_return(wl_text record)
{
    if (record.size && record.data[record.size - 1] == '\r') record.size--;
    return record;
}

static bool is_same_header(const cli_reader *reader)
{
    const wl_buffer *names = &reader->names, *first = &reader->first_names;
    return names->size == first->size && memcmp(names->data, first->data, first->size) == 0;
}

static wl_status add_name(wl_buffer *names, wl_text name, wl_error *error)
{
    return append_json(names, name, error) ? error->code : wl_buffer_append(names, "", 1, error);
}

/* A table with one column that is called "id;text" is most likely one of two. */
static const char *missed_delimiter(const cli_reader *reader, wl_text header)
{
    static const struct {
        char delimiter;
        const char *hint;
    } usual[] = {{';', "; --delimiter ';' reads columns between semicolons"},
                 {'\t', "; --delimiter tab reads columns between tabs"},
                 {',', "; without --delimiter columns stand between commas"}};
    for (size_t i = 0; i < sizeof usual / sizeof *usual && reader->columns == 1; i++)
        if (usual[i].delimiter != reader->delimiter && header.size &&
            memchr(header.data, usual[i].delimiter, header.size))
            return usual[i].hint;
    return "";
}

wl_status take_header(cli_reader *reader, wl_text record, wl_error *error)
{
    wl_text header = without_return(record), field;
    bool found = false;
    reader->columns = reader->names.size = 0;
    for (size_t at = 0; at <= header.size; reader->columns++) {
        if (wl_csv_next(header, reader->delimiter, &at, &reader->scratch, &field, error) ||
            add_name(&reader->names, field, error))
            return error->code;
        if (!found && wl_text_is(field, reader->field)) {
            found = true;
            reader->column = reader->columns;
        }
    }
    if (!found) {
        wl_fail(error, WL_ERROR_FORMAT,
                "the header has no column '%.100s': %.*s (--field names it; without a header --no-header%s)",
                reader->field, (int)(header.size < 200 ? header.size : 200), header.data,
                missed_delimiter(reader, header));
        return name_place(reader, error);
    }
    if (reader->next == 1 && wl_buffer_append(&reader->first_names, reader->names.data, reader->names.size, error))
        return error->code;
    if (reader->next == 1) return wl_buffer_append(&reader->header, record.data, record.size, error);
    if (reader->one_header && !is_same_header(reader)) {
        wl_fail(error, WL_ERROR_FORMAT, "the columns are not those of %.200s, so the records do not fit together",
                reader->paths[0]);
        return name_place(reader, error);
    }
    return WL_OK;
}

static wl_status find_column(cli_reader *reader, wl_text *text, wl_error *error)
{
    wl_text record = without_return(*text), field;
    size_t columns = 0;
    /* The fields behind the one that is wanted are only counted, in another buffer. */
    for (size_t at = 0; at <= record.size; columns++) {
        bool wanted = columns == reader->column;
        if (wl_csv_next(record, reader->delimiter, &at, wanted ? &reader->scratch : &reader->repaired, &field, error))
            return error->code;
        if (wanted) *text = field;
    }
    if (columns <= reader->column)
        return wl_fail(error, WL_ERROR_FORMAT, "the record has %zu column%s, and the text is column %zu", columns,
                       columns == 1 ? "" : "s", reader->column + 1);
    if (!reader->columns) reader->columns = columns;
    if (columns != reader->columns)
        return wl_fail(error, WL_ERROR_FORMAT, "the record has %zu column%s, and those before it have %zu", columns,
                       columns == 1 ? "" : "s", reader->columns);
    return WL_OK;
}

wl_status take_column(cli_reader *reader, wl_text *text, wl_error *error)
{
    return find_column(reader, text, error) ? name_place(reader, error) : WL_OK;
}

/* ---- records as objects ------------------------------------------------------------------------------------------ */

/* Where nothing names the columns they are called by their numbers. */
static wl_status number_columns(cli_reader *reader, wl_error *error)
{
    for (size_t i = 1; i <= reader->columns; i++)
        if (append_format(&reader->names, error, "\"%zu\"%c", i, '\0')) return error->code;
    return WL_OK;
}

static wl_status fields_as_object(cli_reader *reader, wl_text record, wl_error *error)
{
    wl_buffer *object = &reader->object;
    object->size = 0;
    if (!reader->names.size && number_columns(reader, error)) return error->code;
    const char *name = reader->names.data;
    for (size_t at = 0; at <= record.size; name += strlen(name) + 1) {
        wl_text field;
        /* The text may lie in the scratch buffer. */
        if (wl_csv_next(record, reader->delimiter, &at, &reader->repaired, &field, error) ||
            append_format(object, error, object->size ? ", " : "{") ||
            wl_buffer_append(object, name, strlen(name), error) || append_format(object, error, ": ") ||
            append_json(object, field, error))
            return error->code;
    }
    return append_format(object, error, "}");
}

static wl_text without_blanks(wl_text line)
{
    static const char blanks[] = " \t\r";
    while (line.size && strchr(blanks, *line.data)) line.data++, line.size--;
    while (line.size && strchr(blanks, line.data[line.size - 1])) line.size--;
    return line;
}

wl_status take_object(cli_reader *reader, wl_text *record, wl_error *error)
{
    if (reader->shape == SHAPE_CSV) {
        if (fields_as_object(reader, without_return(*record), error)) return error->code;
        *record = (wl_text){reader->object.data, reader->object.size};
        return WL_OK;
    }
    /* find_member repaired the line, and the text may lie in it. */
    bool ill_formed = wl_utf8_valid(record->data, record->size) != record->size;
    if (ill_formed) *record = (wl_text){reader->repaired.data, reader->repaired.size};
    *record = without_blanks(*record);
    return WL_OK;
}
