#include "text/normalize/string.h"

#include <stdlib.h>
#include <string.h>

#include "text/unicode/utf8.h"

void wl_string_clear(wl_string *string, bool aligned)
{
    string->text.size = 0;
    string->aligned = aligned;
    string->inner = false;
}

static wl_status reserve_spans(wl_string *string, size_t extra, wl_error *error)
{
    void *spans = string->spans;
    wl_status status = wl_reserve(&spans, &string->capacity, string->text.size + extra, sizeof *string->spans, error);
    string->spans = spans;
    return status;
}

wl_status wl_string_add(wl_string *string, const char *data, size_t size, wl_span span, wl_error *error)
{
    size_t begin = string->text.size;
    if (string->aligned && reserve_spans(string, size, error)) return error->code;
    if (wl_buffer_append(&string->text, data, size, error)) return error->code;
    if (string->aligned)
        for (size_t i = 0; i < size; i++) string->spans[begin + i] = span;
    return WL_OK;
}

wl_status wl_string_add_point(wl_string *string, uint32_t point, wl_span span, wl_error *error)
{
    char bytes[4];
    return wl_string_add(string, bytes, wl_utf8_encode(point, bytes), span, error);
}

wl_status wl_string_add_slice(wl_string *string, const wl_string *from, size_t begin, size_t end, wl_error *error)
{
    size_t at = string->text.size;
    if (string->aligned && reserve_spans(string, end - begin, error)) return error->code;
    if (wl_buffer_append(&string->text, from->text.data + begin, end - begin, error)) return error->code;
    if (string->aligned && end > begin)
        memcpy(string->spans + at, from->spans + begin, (end - begin) * sizeof *string->spans);
    return WL_OK;
}

void wl_string_free(wl_string *string)
{
    wl_buffer_free(&string->text);
    free(string->spans);
    *string = (wl_string){0};
}
