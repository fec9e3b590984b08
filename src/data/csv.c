#include "data/csv.h"

#include <string.h>

static wl_csv_place after(wl_csv_place place, char delimiter, char c)
{
    switch (place) {
    case WL_CSV_QUOTED:
        return c == '"' ? WL_CSV_QUOTE : WL_CSV_QUOTED;
    case WL_CSV_QUOTE: /* two quotes are one; else the field has ended */
        return c == '"' ? WL_CSV_QUOTED : c == delimiter ? WL_CSV_BEGIN : c == '\r' ? WL_CSV_RETURN : WL_CSV_WRONG;
    case WL_CSV_RETURN: /* between a closing quote and '\n' */
        return WL_CSV_WRONG;
    case WL_CSV_BEGIN:
        return c == '"' ? WL_CSV_QUOTED : c == delimiter ? WL_CSV_BEGIN : WL_CSV_PLAIN;
    case WL_CSV_PLAIN:
        return c == delimiter ? WL_CSV_BEGIN : WL_CSV_PLAIN;
    case WL_CSV_WRONG:
        break;
    }
    return WL_CSV_WRONG;
}

size_t wl_csv_find_end(wl_csv_scan *scan, const char *data, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        bool line_break = data[at] == '\n';
        if (line_break && scan->place != WL_CSV_QUOTED) return at;
        if (line_break) scan->breaks++;
        scan->place = after(scan->place, scan->delimiter, data[at]);
        if (scan->place == WL_CSV_WRONG) return at;
    }
    return size;
}

wl_status wl_csv_next(wl_text record, char delimiter, size_t *at, wl_buffer *scratch, wl_text *field, wl_error *error)
{
    const char *start = record.data + *at, *end = record.data + record.size;
    if (start == end || *start != '"') {
        const char *stop = start < end ? memchr(start, delimiter, (size_t)(end - start)) : NULL;
        *field = (wl_text){start, (size_t)((stop ? stop : end) - start)};
        *at += field->size + 1;
        return WL_OK;
    }
    const char *from = ++start;
    scratch->size = 0;
    for (;;) {
        const char *quote = memchr(from, '"', (size_t)(end - from));
        if (!quote) quote = end; /* wl_csv_find_end refuses this */
        bool twice = quote + 1 < end && quote[1] == '"';
        if (!twice && !scratch->size) {
            *field = (wl_text){from, (size_t)(quote - from)};
        } else {
            if (wl_buffer_append(scratch, from, (size_t)(quote - from) + (twice ? 1 : 0), error)) return error->code;
            *field = (wl_text){scratch->data, scratch->size};
        }
        from = quote + (twice ? 2 : 1);
        if (!twice) break;
    }
    /* Behind the quote stand the delimiter or the end, perhaps with '\r' before it. */
    *at = from < end && *from == delimiter ? (size_t)(from - record.data) + 1 : record.size + 1;
    return WL_OK;
}
