#include "data/fold.h"

#include <string.h>

#include "algo/sentences.h"
#include "data/fold_tables.h"
#include "text/unicode/utf8.h"

/* Writes what a point folds to; returns its bytes. */
static size_t fold_point(uint32_t point, char *out)
{
    if (point < 0x80) return *out = (char)(point >= 'A' && point <= 'Z' ? point + ('a' - 'A') : point), 1;
    uint16_t value = 0;
    if (point < WL_FOLD_END) value = wl_fold_values[(size_t)wl_fold_pages[point >> 6] << 6 | (point & 63)];
    if (!value) return wl_utf8_encode(point, out);
    const uint32_t *from = wl_fold_pool + (value >> 2);
    size_t count = (value & 3u) + 1, size = 0;
    for (size_t i = 0; i < count; i++) size += wl_utf8_encode(from[i], out + size);
    return size;
}

static wl_status fold(wl_text text, bool cases, wl_buffer *out, wl_error *error)
{
    if (text.size > SIZE_MAX / WL_FOLD_GROWTH) return wl_fail_memory(error, SIZE_MAX);
    if (wl_buffer_reserve(out, text.size * (cases ? WL_FOLD_GROWTH : 1), error)) return error->code;
    char *begin = out->data + out->size, *end = begin;
    bool space = false; /* some came since the last character */
    for (size_t at = 0, length; at < text.size; at += length) {
        uint32_t point = wl_utf8_decode(text.data + at, &length);
        if (wl_is_blank(point)) {
            space = true;
            continue;
        }
        if (space && end > begin) *end++ = ' ';
        space = false;
        if (cases) {
            end += fold_point(point, end);
        } else {
            memcpy(end, text.data + at, length);
            end += length;
        }
    }
    out->size += (size_t)(end - begin);
    return WL_OK;
}

wl_status wl_fold_spaces(wl_text text, wl_buffer *out, wl_error *error)
{
    return fold(text, false, out, error);
}

wl_status wl_fold_case(wl_text text, wl_buffer *out, wl_error *error)
{
    return fold(text, true, out, error);
}
