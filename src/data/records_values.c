/* What the fields of a record hold. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/records.h"

wl_status wl_records_fail(const wl_records *records, wl_error *error, const char *format, ...)
{
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return wl_fail_at(error, WL_ERROR_FORMAT, records->bytes.name, WL_NO_POSITION, records->line, "%s", message);
}

const wl_field *wl_records_find(const wl_records *records, const char *const *names)
{
    for (; *names; names++)
        for (size_t i = 0; i < records->field_count; i++)
            if (wl_text_is(records->fields[i].name, *names)) return &records->fields[i];
    return NULL;
}

enum {
    SHOWN = 40,         /* bytes of a value that a message shows */
    NUMBER_LIMIT = 400, /* bytes of a number that is read */
};

static int shown(wl_text text)
{
    return text.size < SHOWN ? (int)text.size : SHOWN;
}

/* The field, a string or a number. */
static wl_status find_value(const wl_records *records, const char *const *names, const wl_field **field,
                            wl_error *error)
{
    *field = wl_records_find(records, names);
    if (*field && ((*field)->kind == WL_JSON_STRING || (*field)->kind == WL_JSON_NUMBER)) return WL_OK;
    if (*field)
        return wl_records_fail(records, error, "the field \"%.*s\" is neither a string nor a number",
                               shown((*field)->name), (*field)->name.data);
    char others[200] = "";
    for (size_t i = 1, size = 0; names[i] && size < sizeof others; i++)
        size += (size_t)snprintf(others + size, sizeof others - size, "%s\"%s\"", i > 1 ? ", " : " (nor ", names[i]);
    char fields[200] = "";
    for (size_t i = 0, size = 0; i < records->field_count && size < sizeof fields; i++)
        size += (size_t)snprintf(fields + size, sizeof fields - size, "%s\"%.*s\"", i ? ", " : "",
                                 shown(records->fields[i].name), records->fields[i].name.data);
    bool table = records->form == WL_RECORDS_CSV || records->form == WL_RECORDS_TSV;
    return wl_records_fail(records, error, "the record has no field \"%s\"%s%s; %s: %s", names[0], others,
                           *others ? ")" : "", table ? "the header names" : "it has", *fields ? fields : "none");
}

wl_status wl_records_text(const wl_records *records, const char *const *names, wl_text *text, wl_error *error)
{
    const wl_field *field;
    if (find_value(records, names, &field, error)) return error->code;
    *text = field->text;
    return WL_OK;
}

wl_status wl_records_label(const wl_records *records, const char *const *names, wl_text *label, wl_error *error)
{
    const wl_field *field = wl_records_find(records, names);
    if (!field || field->kind != WL_JSON_BOOLEAN) return wl_records_text(records, names, label, error);
    *label = field->text;
    return WL_OK;
}

static bool is_digit(wl_text text, size_t at)
{
    return at < text.size && text.data[at] >= '0' && text.data[at] <= '9';
}

static bool is_sign(wl_text text, size_t at)
{
    return at < text.size && (text.data[at] == '-' || text.data[at] == '+');
}

/* strtod gets a whole number and an exponent: what the locale takes for a point is then no matter, and the result is as
 * exact. */
bool wl_parse_number(wl_text text, double *number)
{
    char whole[NUMBER_LIMIT + 32];
    size_t size = 0, at = 0, digits = 0;
    long exponent = 0, written = 0;
    bool fraction = false;
    if (text.size > NUMBER_LIMIT) return false;
    if (is_sign(text, at)) whole[size++] = text.data[at++];
    for (; is_digit(text, at) || (at < text.size && text.data[at] == '.' && !fraction); at++) {
        if (text.data[at] == '.') {
            fraction = true;
            continue;
        }
        whole[size++] = text.data[at];
        exponent -= fraction;
        digits++;
    }
    if (!digits) return false;
    if (at < text.size && (text.data[at] == 'e' || text.data[at] == 'E')) {
        at++;
        bool negative = is_sign(text, at) && text.data[at] == '-';
        if (is_sign(text, at)) at++;
        if (!is_digit(text, at)) return false;
        for (; is_digit(text, at); at++)
            if (written < NUMBER_LIMIT * 100) written = written * 10 + (text.data[at] - '0');
        exponent += negative ? -written : written;
    }
    if (at != text.size) return false;
    snprintf(whole + size, sizeof whole - size, "e%ld", exponent);
    *number = strtod(whole, NULL);
    return isfinite(*number);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

wl_status wl_records_number(const wl_records *records, const char *const *names, double *number, wl_error *error)
{
    const wl_field *field;
    if (find_value(records, names, &field, error)) return error->code;
    wl_text text = field->text;
    while (text.size && is_blank(*text.data)) text.data++, text.size--;
    while (text.size && is_blank(text.data[text.size - 1])) text.size--;
    if (wl_parse_number(text, number)) return WL_OK;
    return wl_records_fail(records, error, "the field \"%.*s\" is \"%.*s\", expected a finite number",
                           shown(field->name), field->name.data, shown(text), text.data);
}
