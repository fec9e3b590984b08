/* NFC, NFD, NFKC and NFKD. Characters that are in the form by themselves are copied in runs; from the last one before
 * any other on, characters are decomposed, ordered and, for NFC and NFKC, composed again, until such a run begins.
 * Cost: linear; a run of n marks is sorted by counting, in O(n). */
#include "text/normalize/forms.h"

#include <stdlib.h>
#include <string.h>

#include "text/normalize/ascii.h"
#include "text/normalize/transform.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

void wl_form_scratch_free(wl_form_scratch *scratch)
{
    free(scratch->pending);
    free(scratch->sorted);
    free(scratch->held);
    *scratch = (wl_form_scratch){0};
}

wl_status wl_form_add(wl_form_scratch *scratch, uint32_t point, uint8_t combining, bool extra, wl_error *error)
{
    void *pending = scratch->pending;
    wl_status status =
        wl_reserve(&pending, &scratch->pending_capacity, scratch->pending_count + 1, sizeof *scratch->pending, error);
    scratch->pending = pending;
    if (status) return status;
    scratch->pending[scratch->pending_count++] = (wl_pending){point, combining, extra};
    return WL_OK;
}

/* Most runs have one or two marks: insertion; long ones: counting. */
wl_status wl_form_order(wl_form_scratch *scratch, wl_error *error)
{
    wl_pending *pending = scratch->pending;
    size_t count = scratch->pending_count;
    if (count <= 16) {
        for (size_t i = 1; i < count; i++) {
            wl_pending moved = pending[i];
            size_t j = i;
            for (; j > 0 && pending[j - 1].combining > moved.combining; j--) pending[j] = pending[j - 1];
            pending[j] = moved;
        }
        return WL_OK;
    }
    void *sorted = scratch->sorted;
    wl_status status = wl_reserve(&sorted, &scratch->sorted_capacity, count, sizeof *pending, error);
    scratch->sorted = sorted;
    if (status) return status;
    size_t places[257] = {0};
    for (size_t i = 0; i < count; i++) places[pending[i].combining + 1]++;
    for (size_t i = 1; i < 257; i++) places[i] += places[i - 1];
    for (size_t i = 0; i < count; i++) scratch->sorted[places[pending[i].combining]++] = pending[i];
    memcpy(pending, scratch->sorted, count * sizeof *pending);
    return WL_OK;
}

struct pass {
    wl_transform transform;
    wl_form_scratch *scratch;
    wl_error *error;
    bool composing;
    bool started; /* starter holds one */
    bool blocked; /* a held character has the combining class `last` */
    uint8_t last;
    wl_held starter;
};

static wl_status emit(struct pass *pass, wl_held character)
{
    return wl_transform_add(&pass->transform, character.point, character.change);
}

static wl_status hold(struct pass *pass, wl_held character, uint8_t combining)
{
    wl_form_scratch *scratch = pass->scratch;
    void *held = scratch->held;
    wl_status status =
        wl_reserve(&held, &scratch->held_capacity, scratch->held_count + 1, sizeof *scratch->held, pass->error);
    scratch->held = held;
    if (status) return status;
    scratch->held[scratch->held_count++] = character;
    pass->blocked = true;
    pass->last = combining;
    return WL_OK;
}

/* The starter and what is held behind it. */
static wl_status release(struct pass *pass)
{
    wl_form_scratch *scratch = pass->scratch;
    if (pass->started && emit(pass, pass->starter)) return pass->error->code;
    for (size_t i = 0; i < scratch->held_count; i++)
        if (emit(pass, scratch->held[i])) return pass->error->code;
    scratch->held_count = 0;
    pass->started = pass->blocked = false;
    return WL_OK;
}

/* The next character in canonical order (Unicode, section 3.11, D117: the composition algorithm). */
static wl_status compose(struct pass *pass, const wl_pending *next)
{
    wl_held character = {next->point, next->extra};
    if (!pass->started) {
        if (next->combining) return emit(pass, character);
    } else if (!pass->blocked || pass->last < next->combining) {
        uint32_t composed = wl_unicode_compose(pass->starter.point, next->point);
        if (composed) {
            pass->starter.point = composed;
            pass->starter.change += character.change - 1;
            return WL_OK;
        }
    }
    if (next->combining) return hold(pass, character, next->combining);
    if (release(pass)) return pass->error->code;
    pass->started = true;
    pass->starter = character;
    return WL_OK;
}

static wl_status flush(struct pass *pass)
{
    wl_form_scratch *scratch = pass->scratch;
    if (wl_form_order(scratch, pass->error)) return pass->error->code;
    for (size_t i = 0; i < scratch->pending_count; i++) {
        const wl_pending *next = &scratch->pending[i];
        wl_status status = pass->composing ? compose(pass, next) : emit(pass, (wl_held){next->point, next->extra});
        if (status) return status;
    }
    scratch->pending_count = 0;
    return WL_OK;
}

static wl_status add(struct pass *pass, uint32_t point, bool compatible)
{
    uint32_t points[WL_UNICODE_DECOMPOSED];
    size_t count = compatible ? wl_unicode_decompose_compatible(point, points) : wl_unicode_decompose(point, points);
    for (size_t i = 0; i < count; i++) {
        uint8_t combining = wl_unicode_combining(points[i]);
        if (combining == 0 && flush(pass)) return pass->error->code;
        if (wl_form_add(pass->scratch, points[i], combining, i > 0, pass->error)) return pass->error->code;
    }
    return WL_OK;
}

size_t wl_form_stable_end(uint8_t form, const char *text, size_t size, size_t at)
{
    while (at < size) {
        if (!(text[at] & 0x80)) {
            at = wl_ascii_end(text, size, at);
            continue;
        }
        size_t length;
        if (!(wl_unicode_form(wl_utf8_decode(text + at, &length)) & form)) break;
        at += length;
    }
    return at;
}

/* The last character before end. */
static size_t last_character(const char *text, size_t end)
{
    do end--;
    while ((text[end] & 0xC0) == 0x80);
    return end;
}

wl_status wl_form_apply(uint8_t form, const wl_string *in, wl_string *out, wl_form_scratch *scratch, wl_error *error)
{
    bool composing = form & (WL_FORM_NFC | WL_FORM_NFKC), compatible = form & (WL_FORM_NFKC | WL_FORM_NFKD);
    struct pass pass = {.transform = {in, out, error, 0}, .scratch = scratch, .error = error, .composing = composing};
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size;
    scratch->pending_count = scratch->held_count = 0;
    while (at < size) {
        size_t end = wl_form_stable_end(form, text, size, at);
        if (end < size && end > at) end = last_character(text, end);
        if (wl_transform_keep(&pass.transform, at, end)) return error->code;
        bool first = true;
        for (at = end; at < size; first = false) {
            size_t length;
            uint32_t point = wl_utf8_decode(text + at, &length);
            if (!first && wl_unicode_form(point) & form) break;
            if (add(&pass, point, compatible)) return error->code;
            at += length;
        }
        if (flush(&pass) || release(&pass)) return error->code;
    }
    return WL_OK;
}
