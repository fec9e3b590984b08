/* Normalizers that look at one character at a time: Lowercase, StripAccents, Nmt, ByteLevel. What a character becomes
 * stands where it stood. */
#include "text/normalize/ascii.h"
#include "text/normalize/normalize.h"
#include "text/unicode/byte_alphabet.h"
#include "text/unicode/unicode.h"
#include "text/unicode/utf8.h"

wl_status wl_normalize_lowercase(const wl_string *in, wl_string *out, wl_error *error)
{
    const char *text = in->text.data;
    size_t at = 0, size = in->text.size, length = 0;
    while (at < size) {
        size_t end = wl_ascii_end(text, size, at), to = out->text.size;
        if (wl_string_add_slice(out, in, at, end, error)) return error->code;
        if (end > at) wl_ascii_lower(out->text.data + to, end - at);
        uint32_t point = 0;
        for (at = end; end < size && text[end] & 0x80; end += length)
            if (wl_unicode_class(point = wl_utf8_decode(text + end, &length)) & WL_UNICODE_CHANGES) break;
        if (wl_string_add_slice(out, in, at, end, error)) return error->code;
        at = end;
        if (at == size || !(text[at] & 0x80)) continue;
        uint32_t points[3];
        size_t count = wl_unicode_lower(point, points);
        for (size_t i = 0; i < count; i++)
            if (wl_string_add_point(out, points[i], wl_string_span(in, at), error)) return error->code;
        at += length;
    }
    return WL_OK;
}

wl_status wl_normalize_strip_accents(const wl_string *in, wl_string *out, wl_error *error)
{
    const char *text = in->text.data;
    size_t begin = 0, at = 0, size = in->text.size;
    while ((at = wl_ascii_end(text, size, at)) < size) {
        size_t length;
        if (wl_unicode_traits(wl_utf8_decode(text + at, &length)) & WL_TRAIT_COMBINING) {
            if (wl_string_add_slice(out, in, begin, at, error)) return error->code;
            begin = at + length;
        }
        at += length;
    }
    return wl_string_add_slice(out, in, begin, size, error);
}

enum { NMT_REMOVED = UINT32_MAX };

/* What Nmt makes of a character: itself, a space, or nothing. (Its list has no C1 controls but two.) */
static uint32_t nmt(uint32_t point)
{
    if (point < 0x20) {
        if (point == '\t' || point == '\n' || point == '\f' || point == '\r') return ' ';
        return point ? NMT_REMOVED : point;
    }
    switch (point) {
    case 0x7F:
    case 0x8F:
    case 0x9F:
        return NMT_REMOVED;
    case 0x1680:
    case 0x200B:
    case 0x200C:
    case 0x200D:
    case 0x200E:
    case 0x200F:
    case 0x2028:
    case 0x2029:
    case 0x2581:
    case 0xFEFF:
    case 0xFFFD:
        return ' ';
    default:
        return point;
    }
}

wl_status wl_normalize_nmt(const wl_string *in, wl_string *out, wl_error *error)
{
    const char *text = in->text.data;
    size_t begin = 0, at = 0, size = in->text.size, length;
    for (; at < size; at += length) {
        if ((at = wl_printable_end(text, size, at)) == size) break;
        uint32_t point = wl_utf8_decode(text + at, &length), becomes = nmt(point);
        if (becomes == point) continue;
        if (wl_string_add_slice(out, in, begin, at, error)) return error->code;
        if (becomes != NMT_REMOVED && wl_string_add_point(out, becomes, wl_string_span(in, at), error))
            return error->code;
        begin = at + length;
    }
    return wl_string_add_slice(out, in, begin, size, error);
}

wl_status wl_normalize_byte_level(const wl_string *in, wl_string *out, wl_error *error)
{
    size_t size = in->text.size;
    const unsigned char *text = (const unsigned char *)in->text.data;
    if (in->aligned) {
        for (size_t at = 0; at < size; at++)
            if (wl_string_add_point(out, wl_byte_point(text[at]), wl_string_span(in, at), error)) return error->code;
        return WL_OK;
    }
    /* No character of the alphabet is longer than two bytes. */
    if (size == 0) return WL_OK;
    if (wl_buffer_reserve(&out->text, 2 * size, error)) return error->code;
    char *to = out->text.data + out->text.size;
    for (size_t at = 0; at < size; at++) to += wl_utf8_encode(wl_byte_point(text[at]), to);
    out->text.size = (size_t)(to - out->text.data);
    return WL_OK;
}

/* ---- telling that nothing changes */

static bool lowercase_is_identity(const char *text, size_t size)
{
    size_t at = 0, length;
    unsigned upper = 0;
    while (at < size && !upper) {
        size_t end = wl_ascii_end(text, size, at);
        for (; at < end; at++) upper |= text[at] >= 'A' && text[at] <= 'Z';
        for (; at < size && text[at] & 0x80; at += length)
            upper |= wl_unicode_class(wl_utf8_decode(text + at, &length)) & WL_UNICODE_CHANGES;
    }
    return !upper;
}

static bool strip_accents_is_identity(const char *text, size_t size)
{
    size_t at = 0, length;
    while ((at = wl_ascii_end(text, size, at)) < size) {
        if (wl_unicode_traits(wl_utf8_decode(text + at, &length)) & WL_TRAIT_COMBINING) return false;
        at += length;
    }
    return true;
}

static bool nmt_is_identity(const char *text, size_t size)
{
    size_t length;
    for (size_t at = 0; at < size; at += length) {
        if ((at = wl_printable_end(text, size, at)) == size) break;
        uint32_t point = wl_utf8_decode(text + at, &length);
        if (nmt(point) != point) return false;
    }
    return true;
}

static bool strip_is_identity(const wl_normalizer *step, const char *text, size_t size)
{
    size_t length, last = size - 1;
    if (step->left && wl_unicode_class(wl_utf8_decode(text, &length)) & WL_UNICODE_SPACE) return false;
    while ((text[last] & 0xC0) == 0x80) last--;
    return !step->right || !(wl_unicode_class(wl_utf8_decode(text + last, &length)) & WL_UNICODE_SPACE);
}

static bool replace_is_identity(const wl_normalizer *step, const char *text, size_t size)
{
    bool found = false;
    size_t begin, end;
    wl_error error;
    return !wl_pattern_find(&step->pattern, text, size, 0, &found, &begin, &end, &error) && !found;
}

static bool is_identity(const wl_normalizer *step, const char *text, size_t size)
{
    switch (step->kind) {
    case WL_NORMALIZE_NFC:
        return wl_form_stable_end(WL_FORM_NFC, text, size, 0) == size;
    case WL_NORMALIZE_NFD:
        return wl_form_stable_end(WL_FORM_NFD, text, size, 0) == size;
    case WL_NORMALIZE_NFKC:
        return wl_form_stable_end(WL_FORM_NFKC, text, size, 0) == size;
    case WL_NORMALIZE_NFKD:
        return wl_form_stable_end(WL_FORM_NFKD, text, size, 0) == size;
    case WL_NORMALIZE_LOWERCASE:
        return lowercase_is_identity(text, size);
    case WL_NORMALIZE_STRIP_ACCENTS:
        return strip_accents_is_identity(text, size);
    case WL_NORMALIZE_NMT:
        return nmt_is_identity(text, size);
    case WL_NORMALIZE_STRIP:
        return strip_is_identity(step, text, size);
    case WL_NORMALIZE_REPLACE:
        return replace_is_identity(step, text, size);
    case WL_NORMALIZE_PRECOMPILED:
        return wl_charsmap_plain_end(&step->charsmap, text, size, 0) == size;
    case WL_NORMALIZE_PREPEND:
        return step->content_size == 0;
    default:
        return false;
    }
}

bool wl_normalize_is_identity(const wl_normalizer *steps, size_t count, const char *text, size_t size)
{
    if (size == 0) return true;
    for (size_t i = 0; i < count; i++)
        if (!is_identity(&steps[i], text, size)) return false;
    return true;
}
