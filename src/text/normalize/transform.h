/* How the oracle aligns what a normalizer makes of a text. Each new character comes with a change: 1, it was added
 * and stands where the last byte before it stood; 0, it takes the place of the next character; -n, and n more
 * characters go. What stands where follows from the order in which characters come out, also where a normalizer
 * reorders them; so every normalizer that adds, joins or reorders goes through here. */
#ifndef WL_TEXT_TRANSFORM_H
#define WL_TEXT_TRANSFORM_H

#include "text/normalize/string.h"
#include "text/unicode/utf8.h"

typedef struct wl_transform {
    const wl_string *in;
    wl_string *out;
    wl_error *error;
    size_t at; /* of the next character of in to be replaced; counts only when aligned */
} wl_transform;

static inline wl_status wl_transform_add(wl_transform *transform, uint32_t point, ptrdiff_t change)
{
    const wl_string *in = transform->in;
    wl_span span = {0, 0};
    if (in->aligned) {
        size_t size = in->text.size;
        if (change > 0 && transform->at)
            span = in->spans[transform->at - 1];
        else if (change <= 0 && transform->at < size)
            span = in->spans[transform->at];
        for (ptrdiff_t i = change; i <= 0 && transform->at < size; i++)
            transform->at += wl_utf8_length((unsigned char)in->text.data[transform->at]);
    }
    return wl_string_add_point(transform->out, point, span, transform->error);
}

/* Characters [begin, end) of in, which stay. */
static inline wl_status wl_transform_keep(wl_transform *transform, size_t begin, size_t end)
{
    transform->at = end;
    return wl_string_add_slice(transform->out, transform->in, begin, end, transform->error);
}

#endif
