/* From a record to its sides. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/fold.h"
#include "data/prepare.h"

static const char *const anchors[] = {"anchor", "query", "question", "text1", "sentence1", "text", NULL};
static const char *const positives[] = {"positive", "answer", "document", "text2", "sentence2", NULL};
static const char *const scores[] = {"score", NULL};

void wl_sides_free(wl_sides *sides)
{
    free(sides->ends);
    wl_buffer_free(&sides->bytes);
}

wl_status wl_sides_add(wl_sides *sides, wl_text text, wl_error *error)
{
    void *ends = sides->ends;
    wl_status status = wl_reserve(&ends, &sides->capacity, sides->count + 1, sizeof *sides->ends, error);
    sides->ends = ends;
    if (!status) status = wl_fold_spaces(text, &sides->bytes, error);
    if (!status) sides->ends[sides->count++] = sides->bytes.size;
    return status;
}

/* A table has no other way to leave a cell out. */
static bool is_blank_cell(const wl_records *records, const wl_field *field)
{
    return (records->form == WL_RECORDS_CSV || records->form == WL_RECORDS_TSV) && !field->text.size;
}

/* ---- negatives --------------------------------------------------------------------------------------------------- */

typedef struct negative {
    uint64_t place; /* in the order of negatives */
    const wl_field *field;
} negative;

/* Whether it is "negative" (place 0), "negatives" (1), "negativeN" (2 + 2 N) or "negative_N" (3 + 2 N). */
static bool is_negative(wl_text name, uint64_t *place)
{
    static const char word[] = "negative";
    size_t at = sizeof word - 1;
    if (name.size < at || memcmp(name.data, word, at) != 0) return false;
    *place = name.size > at;
    if (name.size == at || (name.size == at + 1 && name.data[at] == 's')) return true;
    bool underscore = name.data[at] == '_';
    at += underscore;
    if (at == name.size || name.size - at > 9) return false;
    uint64_t number = 0;
    for (; at < name.size; at++) {
        if (name.data[at] < '0' || name.data[at] > '9') return false;
        number = number * 10 + (uint64_t)(name.data[at] - '0');
    }
    *place = 2 + 2 * number + underscore;
    return true;
}

static int compare_negatives(const void *a, const void *b)
{
    const negative *x = a, *y = b;
    return x->place != y->place ? (x->place < y->place ? -1 : 1) : (x->field > y->field) - (x->field < y->field);
}

static wl_status fail_field(const wl_records *records, const wl_field *field, const char *what, wl_error *error)
{
    return wl_records_fail(records, error, "the field \"%.*s\" %s",
                           (int)(field->name.size < 40 ? field->name.size : 40), field->name.data, what);
}

static wl_status add_list(const wl_records *records, const wl_field *field, wl_sides *sides, wl_error *error)
{
    wl_json json;
    wl_buffer scratch = {0};
    wl_status status = WL_OK;
    wl_json_open(&json, field->text.data, field->text.size, records->bytes.name, &scratch, error);
    wl_json_begin_array(&json);
    while (!status && wl_json_element(&json)) {
        if (wl_json_null(&json)) continue;
        if (wl_json_peek(&json) != WL_JSON_STRING)
            status = fail_field(records, field, "holds something that is no string", error);
        wl_text text = status ? (wl_text){0} : wl_json_string(&json);
        if (!status && !wl_json_failed(&json)) status = wl_sides_add(sides, text, error);
    }
    if (!status && wl_json_failed(&json)) {
        status = error->code;
        error->line = records->line; /* not that of the list */
        error->byte = WL_NO_POSITION;
    }
    wl_buffer_free(&scratch);
    return status;
}

static wl_status add_negatives(const wl_records *records, wl_sides *sides, wl_error *error)
{
    negative few[16], *found = few;
    size_t count = 0;
    if (records->field_count > sizeof few / sizeof *few)
        found = wl_allocate(records->field_count, sizeof *found, error);
    if (!found) return WL_ERROR_MEMORY;
    for (size_t i = 0; i < records->field_count; i++) {
        found[count].field = &records->fields[i];
        if (is_negative(records->fields[i].name, &found[count].place)) count++;
    }
    qsort(found, count, sizeof *found, compare_negatives);
    wl_status status = WL_OK;
    for (size_t i = 0; i < count && !status; i++) {
        const wl_field *field = found[i].field;
        if (field->kind == WL_JSON_ARRAY)
            status = add_list(records, field, sides, error);
        else if (field->kind != WL_JSON_STRING)
            status = fail_field(records, field, "is neither a string nor a list of strings", error);
        else if (!is_blank_cell(records, field))
            status = wl_sides_add(sides, field->text, error);
    }
    if (found != few) free(found);
    return status;
}

/* ---- the record -------------------------------------------------------------------------------------------------- */

static wl_status fail_unknown(const wl_records *records, wl_error *error)
{
    char names[300] = "";
    size_t size = 0;
    for (size_t i = 0; i < records->field_count && size < sizeof names; i++) {
        wl_text name = records->fields[i].name;
        size += (size_t)snprintf(names + size, sizeof names - size, "%s\"%.*s\"", i ? ", " : "",
                                 (int)(name.size < 40 ? name.size : 40), name.data);
    }
    return wl_records_fail(records, error,
                           "the record has no anchor (nor query, question, text1, sentence1, text); its fields: %s",
                           records->field_count ? names : "none");
}

wl_status wl_prepare_sides(const wl_records *records, wl_sides *sides, float *score, wl_error *error)
{
    size_t first = sides->count;
    wl_text text;
    const wl_field *scored = wl_records_find(records, scores);
    double number = NAN;
    if (!wl_records_find(records, anchors)) return fail_unknown(records, error);
    if (wl_records_text(records, anchors, &text, error) || wl_sides_add(sides, text, error)) return error->code;
    if (wl_records_find(records, positives) &&
        (wl_records_text(records, positives, &text, error) || wl_sides_add(sides, text, error)))
        return error->code;
    size_t before = sides->count;
    if (add_negatives(records, sides, error)) return error->code;
    if (before == first + 1 && sides->count > before)
        return wl_records_fail(records, error, "the record has a negative, but no positive");
    if (scored && !is_blank_cell(records, scored) && wl_records_number(records, scores, &number, error))
        return error->code;
    *score = (float)number;
    if (isinf(*score)) return wl_records_fail(records, error, "the score is %g, which F32 cannot hold", number);
    return sides->count - first <= UINT32_MAX ? WL_OK : wl_records_fail(records, error, "too many negatives");
}

/* Whether a field's texts are sides, of whatever name. */
static bool holds_sides(wl_text name)
{
    uint64_t place;
    const char *const *const lists[] = {anchors, positives};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const char *const *known = lists[i]; *known; known++)
            if (wl_text_is(name, *known)) return true;
    return is_negative(name, &place);
}

static void write_folded(wl_json_writer *json, wl_text text)
{
    wl_buffer folded = {0};
    if (!json->status) json->status = wl_fold_spaces(text, &folded, json->error);
    wl_json_write_string(json, (wl_text){folded.size ? folded.data : "", folded.size});
    wl_buffer_free(&folded);
}

/* A list that add_list has read. */
static void write_list(wl_json_writer *json, const wl_records *records, wl_text list)
{
    wl_json from;
    wl_buffer scratch = {0};
    wl_json_open(&from, list.data, list.size, records->bytes.name, &scratch, json->error);
    wl_json_begin_array(&from);
    wl_json_write(json, "[");
    for (bool first = true; wl_json_element(&from);) {
        if (wl_json_null(&from)) continue;
        wl_json_write(json, first ? "" : ", ");
        write_folded(json, wl_json_string(&from));
        first = false;
    }
    if (!json->status) json->status = wl_json_failed(&from) ? json->error->code : WL_OK;
    wl_json_write(json, "]");
    wl_buffer_free(&scratch);
}

wl_status wl_prepare_object(const wl_records *records, wl_buffer *out, wl_error *error)
{
    wl_json_writer json = {out, error, WL_OK};
    const char *separator = "{";
    for (size_t i = 0; i < records->field_count && !json.status; i++) {
        const wl_field *field = &records->fields[i];
        bool sides = holds_sides(field->name);
        if (is_blank_cell(records, field)) continue;
        wl_json_write(&json, "%s", separator);
        separator = ", ";
        wl_json_write_string(&json, field->name);
        wl_json_write(&json, ": ");
        if (field->kind == WL_JSON_STRING && sides)
            write_folded(&json, field->text);
        else if (field->kind == WL_JSON_ARRAY && sides)
            write_list(&json, records, field->text);
        else if (field->kind == WL_JSON_STRING)
            wl_json_write_string(&json, field->text);
        else if (!json.status)
            json.status = wl_buffer_append(out, field->text.data, field->text.size, error);
    }
    wl_json_write(&json, *separator == '{' ? "{}" : "}");
    return json.status;
}
