/* UTF-8 by hand: decoding well-formed text fast, and making text well-formed. */
#ifndef WL_TEXT_UTF8_H
#define WL_TEXT_UTF8_H

#include "base/memory.h"

/* Length of the character that starts with this byte of well-formed text. */
static inline size_t wl_utf8_length(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/* The code point at text, which must be well-formed; *length is set to its bytes. */
static inline uint32_t wl_utf8_decode(const char *text, size_t *length)
{
    const unsigned char *s = (const unsigned char *)text;
    if (s[0] < 0x80) return *length = 1, s[0];
    if (s[0] < 0xE0) return *length = 2, (uint32_t)(s[0] & 31) << 6 | (s[1] & 63);
    if (s[0] < 0xF0) return *length = 3, (uint32_t)(s[0] & 15) << 12 | (uint32_t)(s[1] & 63) << 6 | (s[2] & 63);
    return *length = 4,
           (uint32_t)(s[0] & 7) << 18 | (uint32_t)(s[1] & 63) << 12 | (uint32_t)(s[2] & 63) << 6 | (s[3] & 63);
}

/* Writes a code point (a scalar value) to out[0..4); returns its bytes. */
static inline size_t wl_utf8_encode(uint32_t point, char *out)
{
    if (point < 0x80) return out[0] = (char)point, 1;
    if (point < 0x800) return out[0] = (char)(0xC0 | point >> 6), out[1] = (char)(0x80 | (point & 63)), 2;
    if (point < 0x10000) {
        out[0] = (char)(0xE0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 63));
        out[2] = (char)(0x80 | (point & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 63));
    out[2] = (char)(0x80 | (point >> 6 & 63));
    out[3] = (char)(0x80 | (point & 63));
    return 4;
}

/* Number of leading bytes that are well-formed UTF-8: size when all is. */
size_t wl_utf8_valid(const char *text, size_t size);

/* Bytes of the character that text starts with (not ASCII, size > 0), or of the maximal ill-formed subpart there. */
size_t wl_utf8_sequence(const char *text, size_t size, bool *valid);

/* Appends text to out, each maximal ill-formed subpart (Unicode 15, section 3.9, "Best Practices for Using U+FFFD")
 * replaced by U+FFFD; adds their number to *replaced. */
wl_status wl_utf8_repair(const char *text, size_t size, wl_buffer *out, uint64_t *replaced, wl_error *error);

/* Number of characters of well-formed text. */
size_t wl_utf8_count(const char *text, size_t size);

#endif
