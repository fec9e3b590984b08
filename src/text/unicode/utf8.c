#include "text/unicode/utf8.h"

#include <string.h>

/* Well-formed sequences (Unicode, table 3-7): bytes, and the bounds of the second byte; all later ones are 80..BF. */
static const struct {
    unsigned char length, low, high;
} sequences[] = {
    {0, 0x00, 0x00}, /* not a first byte */
    {2, 0x80, 0xBF}, /* C2..DF */
    {3, 0xA0, 0xBF}, /* E0: no overlong forms */
    {3, 0x80, 0xBF}, /* E1..EC, EE, EF */
    {3, 0x80, 0x9F}, /* ED: no surrogates */
    {4, 0x90, 0xBF}, /* F0: no overlong forms */
    {4, 0x80, 0xBF}, /* F1..F3 */
    {4, 0x80, 0x8F}, /* F4: not above U+10FFFF */
};

/* Row of sequences for the first bytes from C0. */
static const unsigned char rows[64] = {
    0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* C0 */
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, /* D0 */
    2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 3, 3, /* E0 */
    5, 6, 6, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* F0 */
};

/* Bytes of the character that s starts with (not ASCII, size > 0), or of the maximal ill-formed subpart there. */
static size_t sequence_length(const unsigned char *s, size_t size, bool *valid)
{
    unsigned char row = s[0] < 0xC0 ? 0 : rows[s[0] - 0xC0];
    size_t length = sequences[row].length, at = 1;
    if (length && at < size && s[1] >= sequences[row].low && s[1] <= sequences[row].high)
        for (at = 2; at < length && at < size && (s[at] & 0xC0) == 0x80;) at++;
    *valid = at == length;
    return at;
}

/* Number of leading ASCII bytes. */
static size_t ascii_length(const unsigned char *s, size_t size)
{
    size_t at = 0;
    for (uint64_t word; size - at >= sizeof word; at += sizeof word) {
        memcpy(&word, s + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    while (at < size && s[at] < 0x80) at++;
    return at;
}

size_t wl_utf8_valid(const char *text, size_t size)
{
    const unsigned char *s = (const unsigned char *)text;
    bool valid = true;
    size_t at = 0;
    while (at < size) {
        size_t length = s[at] < 0x80 ? ascii_length(s + at, size - at) : sequence_length(s + at, size - at, &valid);
        if (!valid) break;
        at += length;
    }
    return at;
}

wl_status wl_utf8_repair(const char *text, size_t size, wl_buffer *out, uint64_t *replaced, wl_error *error)
{
    for (size_t at = 0; at < size;) {
        size_t length = wl_utf8_valid(text + at, size - at);
        if (wl_buffer_append(out, text + at, length, error)) return error->code;
        at += length;
        if (at == size) break;
        bool valid;
        at += sequence_length((const unsigned char *)text + at, size - at, &valid);
        if (wl_buffer_append(out, "\xEF\xBF\xBD", 3, error)) return error->code;
        ++*replaced;
    }
    return WL_OK;
}

size_t wl_utf8_count(const char *text, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}
