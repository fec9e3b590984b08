/* Text on its way through the normalizers, with the place in the original text that each byte came from. */
#ifndef WL_TEXT_STRING_H
#define WL_TEXT_STRING_H

#include "base/memory.h"

typedef struct wl_string {
    wl_buffer text;
    bool aligned;    /* spans are kept */
    bool inner;      /* not aligned: does not begin where the original does; for strings that nothing normalizes */
    wl_span *spans;  /* one a byte of text, in bytes of the original; all bytes of a character have the same */
    size_t capacity; /* of spans */
} wl_string;

/* Empties it; whether spans will be kept is decided here. */
void wl_string_clear(wl_string *string, bool aligned);
/* Appends bytes that all came from span. */
wl_status wl_string_add(wl_string *string, const char *data, size_t size, wl_span span, wl_error *error);
/* Appends one character. */
wl_status wl_string_add_point(wl_string *string, uint32_t point, wl_span span, wl_error *error);
/* Appends bytes [begin, end) of another string that is aligned alike. */
wl_status wl_string_add_slice(wl_string *string, const wl_string *from, size_t begin, size_t end, wl_error *error);
/* Where a byte came from; {0, 0} when not aligned. */
static inline wl_span wl_string_span(const wl_string *string, size_t at)
{
    return string->aligned ? string->spans[at] : (wl_span){0, 0};
}
void wl_string_free(wl_string *string);

#endif
